"""Images that are asked for, until they have come."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

import msgspec
from sqlalchemy import Connection, Exists, exists, insert, or_, select, update

from greenchannel.store import schema, schema_giving
from greenchannel.store.writer import Tx

_orders, _studies = schema_giving.image_orders, schema.image_studies


class OrderRow(msgspec.Struct, frozen=True, kw_only=True):
    """One request; `sealed` is opened by `ImageOrders`."""

    accession: str
    accession_mac: bytes
    study_uid: str
    site: str
    case_id: str
    patient: str  # pseudonym
    state: Literal["ordered", "cancelled"]
    ordered_at: datetime
    actor: str
    sealed: bytes


def add(tx: Tx, row: OrderRow) -> None:
    """Enter a request."""
    tx.conn.execute(insert(_orders).values(**msgspec.structs.asdict(row)))


def cancel(tx: Tx, accession: str) -> None:
    """Take it back."""
    tx.conn.execute(update(_orders).where(_orders.c.accession == accession).values(state="cancelled"))


def find(connection: Connection, accession: str) -> OrderRow | None:
    """One request."""
    row = connection.execute(select(_orders).where(_orders.c.accession == accession)).mappings().first()
    return None if row is None else OrderRow(**row)


def _came() -> Exists:
    """By its study or its number."""
    return exists().where(
        _studies.c.site == _orders.c.site,
        or_(_studies.c.study_uid == _orders.c.study_uid, _studies.c.accession_mac == _orders.c.accession_mac),
    )


def asked(connection: Connection, site: str, since: datetime, most: int) -> Sequence[tuple[OrderRow, bool]]:
    """Whatever a site asked for since then, the newest first, and whether it has come."""
    query = select(_orders, _came().label("came")).where(
        _orders.c.site == site, _orders.c.ordered_at >= since
    )
    rows = connection.execute(query.order_by(_orders.c.ordered_at.desc()).limit(most)).mappings()
    return [(OrderRow(**{k: v for k, v in row.items() if k != "came"}), bool(row["came"])) for row in rows]


def waiting(connection: Connection, site: str, since: datetime) -> Sequence[OrderRow]:
    """What a site waits for: asked for since then, not taken back, and not come."""
    query = select(_orders).where(
        _orders.c.site == site, _orders.c.state == "ordered", _orders.c.ordered_at >= since, ~_came()
    )
    rows = connection.execute(query.order_by(_orders.c.ordered_at)).mappings()
    return [OrderRow(**row) for row in rows]
