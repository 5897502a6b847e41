"""What is due. Setting, cancelling and taking a deadline is part of a command: see `greenchannel.store.writer.Tx`."""

from datetime import datetime

import msgspec
from sqlalchemy import Engine, delete, select

from greenchannel.store import schema
from greenchannel.store.engine import reading
from greenchannel.store.writer import Tx


class Deadline(msgspec.Struct, frozen=True, kw_only=True):
    """Something that must happen at an instant, whatever crashes in between."""

    id: str  # derived from what it is for
    due_at: datetime
    kind: str  # who knows what to do
    stream: str  # of the log, that it belongs to
    payload: bytes


_table = schema.deadlines
_columns = (_table.c.id, _table.c.due_at, _table.c.kind, _table.c.stream, _table.c.payload)
_NEXT_DUE = select(_table.c.due_at).where(_table.c.done_at.is_(None)).order_by(_table.c.due_at).limit(1)


def due(engine: Engine, now: datetime, limit: int) -> list[Deadline]:
    """Up to `limit` deadlines that are due and not taken, the longest overdue first."""
    query = (
        select(*_columns)
        .where(_table.c.done_at.is_(None), _table.c.due_at <= now)
        .order_by(_table.c.due_at, _table.c.id)
        .limit(limit)
    )
    with reading(engine) as connection:
        return [
            Deadline(id=row.id, due_at=row.due_at, kind=row.kind, stream=row.stream, payload=row.payload)
            for row in connection.execute(query)
        ]


def next_due(engine: Engine) -> datetime | None:
    """When the next deadline is due that is not taken; None: none waits."""
    with reading(engine) as connection:
        row = connection.execute(_NEXT_DUE).one_or_none()
    return None if row is None else row.due_at


def forget_done_before(tx: Tx, instant: datetime) -> int:
    """Drop the deadlines that were taken before `instant`; gives their number. Their ids may then be set anew."""
    return tx.conn.execute(delete(_table).where(_table.c.done_at < instant)).rowcount
