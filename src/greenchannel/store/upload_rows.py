"""Rows of uploads that are under way: how many bytes are durable, until when they are kept, what became of them."""

from datetime import datetime

import msgspec
from sqlalchemy import Engine, delete, func, insert, select, update

from greenchannel.store import schema
from greenchannel.store.engine import reading
from greenchannel.store.errors import VersionConflict
from greenchannel.store.writer import Tx

_table = schema.uploads
WAITING = ("receiving", "complete")


class UploadRow(msgspec.Struct, frozen=True, kw_only=True):
    """One upload."""

    upload_id: str
    owner: str
    caller: bytes
    length_bytes: int
    durable_bytes: int
    sealed_metadata: bytes
    concat: str
    state: str
    answer: bytes | None
    created_at: datetime
    expires_at: datetime


def add(tx: Tx, row: UploadRow) -> None:
    """Enter a new upload."""
    tx.conn.execute(insert(_table).values(**msgspec.structs.asdict(row)))


def change(
    tx: Tx,
    upload_id: str,
    *,
    was_bytes: int,
    durable_bytes: int,
    state: str,
    expires_at: datetime,
    answer: bytes | None = None,
    sealed_metadata: bytes | None = None,
) -> None:
    """Write how far an upload is; what is None stays.

    Raises
    ------
    VersionConflict
        The row does not say `was_bytes`, or is gone: another request was first.
    """
    same = (_table.c.upload_id == upload_id) & (_table.c.durable_bytes == was_bytes)
    values = {"durable_bytes": durable_bytes, "state": state, "expires_at": expires_at}
    values |= {} if answer is None else {"answer": answer}
    values |= {} if sealed_metadata is None else {"sealed_metadata": sealed_metadata}
    if tx.conn.execute(update(_table).where(same).values(**values)).rowcount != 1:
        raise VersionConflict(f"upload {upload_id}", was_bytes, -1)


def remove(tx: Tx, upload_id: str) -> None:
    """Forget an upload; nothing happens where it is gone already."""
    tx.conn.execute(delete(_table).where(_table.c.upload_id == upload_id))


def get(engine: Engine, upload_id: str) -> UploadRow | None:
    """One upload by its id."""
    with reading(engine) as connection:
        found = connection.execute(select(_table).where(_table.c.upload_id == upload_id)).mappings().first()
    return None if found is None else UploadRow(**found)


def every(engine: Engine) -> list[UploadRow]:
    """All uploads, in no order."""
    with reading(engine) as connection:
        return [UploadRow(**row) for row in connection.execute(select(_table)).mappings()]


def due(engine: Engine, now: datetime, limit: int) -> list[UploadRow]:
    """Up to `limit` uploads whose time is over, the longest overdue first."""
    query = select(_table).where(_table.c.expires_at <= now).order_by(_table.c.expires_at).limit(limit)
    with reading(engine) as connection:
        return [UploadRow(**row) for row in connection.execute(query).mappings()]


def complete(engine: Engine) -> list[UploadRow]:
    """The uploads that have all their bytes and no answer, the oldest first; parts of others are not among them."""
    query = select(_table).where(_table.c.state == "complete", _table.c.concat != "partial")
    with reading(engine) as connection:
        rows = connection.execute(query.order_by(_table.c.created_at)).mappings()
        return [UploadRow(**row) for row in rows]


def under_way(engine: Engine, owner: str) -> int:
    """How many uploads of this owner are not finished."""
    query = select(func.count()).where(_table.c.owner == owner, _table.c.state.in_(WAITING))
    with reading(engine) as connection:
        return connection.execute(query).scalar_one()
