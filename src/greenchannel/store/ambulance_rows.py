"""Where ambulances were, for as long as the drive needs it, and which receiver drives for which case.

Beside the log and never in it: a track is where a patient lives. Rows go after a day, and with the patient's key.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, Engine, delete, insert, select
from sqlalchemy.dialects import postgresql, sqlite

from greenchannel.store import schema
from greenchannel.store.engine import reading
from greenchannel.store.writer import Tx

_positions = schema.ambulance_positions
_devices = schema.ambulance_devices
_INSERT: dict[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}


class PositionRow(msgspec.Struct, frozen=True, kw_only=True):
    """One position of one receiver."""

    case_id: str
    source: str  # the actor that sent it
    raw_at: datetime  # by the receiver's clock
    at: datetime  # corrected
    received_at: datetime
    lat: float
    lon: float
    accuracy_m: float | None
    offset_s: float | None
    uncertainty_s: float | None
    unused: str | None  # why it was not used; None: it was


class Binding(msgspec.Struct, frozen=True, kw_only=True):
    """A receiver that drives for a case."""

    device: str
    case_id: str
    bound_at: datetime
    bound_by: str


def add(tx: Tx, row: PositionRow) -> None:
    """Keep a position; one of the same receiver and instant stays as it is."""
    new = _INSERT[tx.conn.dialect.name](_positions).values(**msgspec.structs.asdict(row))
    tx.conn.execute(new.on_conflict_do_nothing(index_elements=["case_id", "source", "raw_at"]))


def known(tx: Tx, case_id: str, source: str, raw_at: datetime) -> bool:
    """Whether a position of this receiver and instant is there."""
    same = (
        (_positions.c.case_id == case_id) & (_positions.c.source == source) & (_positions.c.raw_at == raw_at)
    )
    return tx.conn.execute(select(_positions.c.id).where(same)).first() is not None


def of_case(connection: Connection, case_id: str, source: str | None = None) -> list[PositionRow]:
    """The positions of a case, in the order in which they came."""
    where = [_positions.c.case_id == case_id]
    where += [] if source is None else [_positions.c.source == source]
    columns = [column for column in _positions.c if column.name != "id"]
    query = select(*columns).where(*where).order_by(_positions.c.id)
    return [PositionRow(**row) for row in connection.execute(query).mappings()]


def newest(engine: Engine, case_id: str, most: int) -> list[PositionRow]:
    """The positions of a case that came last, oldest first."""
    with reading(engine) as connection:
        return of_case(connection, case_id)[-most:]


def forget_before(tx: Tx, instant: datetime) -> int:
    """Drop the positions that came before `instant`, and the bindings made before it; gives how many positions."""
    tx.conn.execute(delete(_devices).where(_devices.c.bound_at < instant))
    return tx.conn.execute(delete(_positions).where(_positions.c.received_at < instant)).rowcount


def forget_cases(tx: Tx, case_ids: Iterable[str]) -> None:
    """Drop all of these cases."""
    ids = list(case_ids)
    tx.conn.execute(delete(_positions).where(_positions.c.case_id.in_(ids)))
    tx.conn.execute(delete(_devices).where(_devices.c.case_id.in_(ids)))


def bind(tx: Tx, binding: Binding) -> None:
    """From now on a receiver drives for this case, and for no other."""
    unbind(tx, binding.device)
    tx.conn.execute(insert(_devices).values(**msgspec.structs.asdict(binding)))


def unbind(tx: Tx, device: str) -> None:
    """The receiver drives for no case any more."""
    tx.conn.execute(delete(_devices).where(_devices.c.device == device))


def binding_of(engine: Engine, device: str) -> Binding | None:
    """For which case a receiver drives."""
    with reading(engine) as connection:
        return binding_in(connection, device)


def binding_in(connection: Connection, device: str) -> Binding | None:
    """The same, as an open transaction sees it."""
    row = connection.execute(select(_devices).where(_devices.c.device == device)).mappings().first()
    return None if row is None else Binding(**row)


def bindings(engine: Engine, case_id: str) -> list[Binding]:
    """The receivers that drive for a case."""
    query = select(_devices).where(_devices.c.case_id == case_id).order_by(_devices.c.device)
    with reading(engine) as connection:
        return [Binding(**row) for row in connection.execute(query).mappings()]
