"""What is kept of each ECG to find it again: the print of its samples, and the shape of its QRS.

Both say something of a body, so they go with the key of the patient (`Vault.erase`), and follow an ECG that is moved
(`ecg_rows.move_ecg`).
"""

from datetime import datetime

import msgspec
from sqlalchemy import Connection, Engine, Select, insert, select, update

from greenchannel.store import schema
from greenchannel.store.engine import reading
from greenchannel.store.writer import Tx

_prints = schema.ecg_prints


class PrintRow(msgspec.Struct, frozen=True, kw_only=True):
    """One ECG, by its print."""

    id: int  # grows in the order of arrival
    ecg_id: str
    print: bytes


class ShapeRow(msgspec.Struct, frozen=True, kw_only=True):
    """One ECG, by the shape of its QRS."""

    ecg_id: str
    patient: str  # pseudonym
    shape: bytes


def add(tx: Tx, *, ecg_id: str, site: str, patient: str, print: bytes) -> None:
    """Keep the print of a new ECG."""
    row = {"ecg_id": ecg_id, "site": site, "patient": patient, "received_at": tx.now, "print": print}
    tx.conn.execute(insert(_prints).values(**row))


def set_shape(tx: Tx, ecg_id: str, shape: bytes) -> None:
    """Keep the shape of an ECG that was read; nothing where its print is not there."""
    tx.conn.execute(update(_prints).where(_prints.c.ecg_id == ecg_id).values(shape=shape))


def prints_of(connection: Connection, site: str, *, since: datetime, after: int, most: int) -> list[PrintRow]:
    """Prints of a site's ECGs that came since an instant and stand behind a row, the newest first."""
    query = (
        select(_prints.c.id, _prints.c.ecg_id, _prints.c.print)
        .where(_prints.c.site == site, _prints.c.received_at >= since, _prints.c.id > after)
        .order_by(_prints.c.id.desc())
        .limit(most)
    )
    rows = connection.execute(query).all()
    return [PrintRow(id=row.id, ecg_id=row.ecg_id, print=row.print) for row in rows]


def shapes_of_patient(engine: Engine, patient: str, *, but: str, most: int) -> list[ShapeRow]:
    """Shapes of a patient's ECGs without one of them, the newest first."""
    query = _shapes().where(_prints.c.patient == patient, _prints.c.ecg_id != but)
    return _read(engine, query.order_by(_prints.c.id.desc()).limit(most))


def shapes_of_others(
    engine: Engine, site: str, patient: str, *, since: datetime, most: int
) -> list[ShapeRow]:
    """Shapes of a site's ECGs of other patients that came since an instant, the newest first."""
    query = _shapes().where(
        _prints.c.site == site, _prints.c.patient != patient, _prints.c.received_at >= since
    )
    return _read(engine, query.order_by(_prints.c.received_at.desc()).limit(most))


def _shapes() -> Select[tuple[str, str, bytes]]:
    columns = (_prints.c.ecg_id, _prints.c.patient, _prints.c.shape)
    return select(*columns).where(_prints.c.shape.is_not(None))


def _read(engine: Engine, query: Select[tuple[str, str, bytes]]) -> list[ShapeRow]:
    with reading(engine) as connection:
        rows = connection.execute(query).all()
    return [ShapeRow(ecg_id=row.ecg_id, patient=row.patient, shape=row.shape) for row in rows]
