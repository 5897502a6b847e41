"""What is to be done soon, outside the command that wants it, whatever crashes in between: a row until it is done."""

from datetime import datetime
from typing import Literal

import msgspec
from sqlalchemy import Connection, delete, insert, select, update

from greenchannel.store import schema_giving
from greenchannel.store.writer import Tx

_chores = schema_giving.image_chores

Kind = Literal["report", "commitment"]


class Chore(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to do."""

    id: str  # derived from what it is for
    kind: Kind
    patient: str | None  # whose erasure takes it away
    attempts: int = 0  # that have ended
    next_at: datetime
    created_at: datetime
    payload: bytes


def add(tx: Tx, chore: Chore) -> bool:
    """Enter it; False where it is there already, and waits as it did."""
    if tx.conn.execute(select(_chores.c.id).where(_chores.c.id == chore.id)).first() is not None:
        return False
    tx.conn.execute(insert(_chores).values(**msgspec.structs.asdict(chore)))
    return True


def due(connection: Connection, kind: Kind, now: datetime, most: int) -> list[Chore]:
    """Up to `most` whose turn it is, those that wait longest first."""
    query = select(_chores).where(_chores.c.kind == kind, _chores.c.next_at <= now)
    query = query.order_by(_chores.c.next_at, _chores.c.id).limit(most)
    return [Chore(**row) for row in connection.execute(query).mappings()]


def put_off(tx: Tx, chore: Chore, next_at: datetime) -> None:
    """It was tried in vain and comes again."""
    values = {"attempts": chore.attempts + 1, "next_at": next_at}
    tx.conn.execute(update(_chores).where(_chores.c.id == chore.id).values(**values))


def done(tx: Tx, chore_id: str) -> bool:
    """It is done, or there is nothing to do any more; False where somebody else was first."""
    return tx.conn.execute(delete(_chores).where(_chores.c.id == chore_id)).rowcount == 1
