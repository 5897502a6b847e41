"""Rows of the outbox: what is to be sent, whose turn it is, and what became of it.

Two clocks: `next_at` is an instant of the service's clock, as all due times are. A lease is measured by the database's
own, since it is about processes that live and die, and processes may disagree about the time.
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import BigInteger, ColumnElement, Engine, Row, cast, func, literal_column, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from greenchannel.store import schema
from greenchannel.store.engine import reading
from greenchannel.store.writer import Tx

_table = schema.outbox
_US = 1_000_000


class OutboxRow(msgspec.Struct, frozen=True, kw_only=True):
    """One delivery as it is stored; what may happen to it is decided by `alerts.delivery`."""

    key: str
    ref: str  # stands for the key where nobody may learn from it
    kind: str
    person: str
    channel: str
    case_id: str | None
    alert_id: str | None
    facts: Mapping[str, Any]
    state: str
    attempts: int
    fence: int
    called_off: bool
    reason: str | None
    receipt: str | None
    created_at: datetime
    next_at: datetime
    ended_at: datetime | None
    lease_lost: bool  # an attempt is under way, and who makes it has not been heard of for too long


def _now_us(dialect: str) -> ColumnElement[int]:
    """The database's own clock, in whole microseconds since 1970."""
    if dialect == "postgresql":
        return cast(func.extract("epoch", func.clock_timestamp()) * _US, BigInteger)
    return literal_column("CAST((julianday('now') - 2440587.5) * 86400000000.0 AS INTEGER)", BigInteger)


def _columns(dialect: str) -> list[Any]:
    lost = (_table.c.state == "sending") & (_table.c.lease_until_us <= _now_us(dialect))
    return [_table, lost.label("lease_lost")]


def _row(found: Row[Any]) -> OutboxRow:
    values = dict(found._mapping)
    del values["lease_until_us"]
    values["facts"] = msgspec.json.decode(values["facts"])
    values["lease_lost"] = bool(values["lease_lost"])
    return OutboxRow(**values)


# ---------------------------------------------------------------- within a command


def add(
    tx: Tx,
    *,
    key: str,
    ref: str,
    kind: str,
    person: str,
    channel: str,
    facts: Mapping[str, Any],
    case_id: str | None = None,
    alert_id: str | None = None,
) -> bool:
    """Ask for a delivery, due at once; False where its key is known, and nothing is changed."""
    values = {
        "key": key,
        "ref": ref,
        "kind": kind,
        "person": person,
        "channel": channel,
        "case_id": case_id,
        "alert_id": alert_id,
        "facts": msgspec.json.encode(facts),
        "state": "waiting",
        "attempts": 0,
        "fence": 0,
        "called_off": False,
        "created_at": tx.now,
        "next_at": tx.now,
    }
    insert_of: Any = sqlite.insert if tx.conn.dialect.name == "sqlite" else postgresql.insert
    statement = insert_of(_table).values(**values).on_conflict_do_nothing(index_elements=["key"])
    return bool(tx.conn.execute(statement.execution_options(preserve_rowcount=True)).rowcount == 1)


def get(tx: Tx, key: str) -> OutboxRow | None:
    """One row, held until the end of the transaction."""
    query = select(*_columns(tx.conn.dialect.name)).where(_table.c.key == key).with_for_update()
    found = tx.conn.execute(query).one_or_none()
    return None if found is None else _row(found)


def of_alert(tx: Tx, alert_id: str, kind: str) -> list[OutboxRow]:
    """The rows of one alert and one kind, oldest first."""
    return _of(tx, (_table.c.alert_id == alert_id) & (_table.c.kind == kind))


def _of(tx: Tx, which: ColumnElement[bool]) -> list[OutboxRow]:
    query = (
        select(*_columns(tx.conn.dialect.name))
        .where(which)
        .order_by(_table.c.created_at, _table.c.key)
        .with_for_update()
    )
    return [_row(found) for found in tx.conn.execute(query)]


def waiting_of_case(tx: Tx, case_id: str, kind: str) -> list[OutboxRow]:
    """The rows of one case and one kind that nobody has taken yet, oldest first."""
    return _of(tx, (_table.c.state == "waiting") & (_table.c.case_id == case_id) & (_table.c.kind == kind))


def people_of(tx: Tx, case_id: str, kind: str) -> list[str]:
    """Whom messages of one kind about a case were for, each once."""
    query = select(_table.c.person).distinct().where(_table.c.case_id == case_id, _table.c.kind == kind)
    return sorted(str(row.person) for row in tx.conn.execute(query))


def put(
    tx: Tx,
    key: str,
    *,
    state: str,
    attempts: int,
    fence: int,
    called_off: bool,
    reason: str | None,
    next_at: datetime,
    ended_at: datetime | None,
    lease_s: float | None,
    keep_lease: bool = False,
) -> None:
    """Write how far a row is. `lease_s`: the attempt is its process's own for so long; None: nobody's. With
    `keep_lease` the lease stays as it is."""
    until = None if lease_s is None else _now_us(tx.conn.dialect.name) + round(lease_s * _US)
    values = {
        "state": state,
        "attempts": attempts,
        "fence": fence,
        "called_off": called_off,
        "reason": reason,
        "next_at": next_at,
        "ended_at": ended_at,
    }
    values |= {} if keep_lease else {"lease_until_us": until}
    tx.conn.execute(update(_table).where(_table.c.key == key).values(**values))


def renew(tx: Tx, fences: Mapping[str, int], lease_s: float) -> None:
    """Keep the attempts of this process, by key and fence, for longer; those that another has taken stay its own."""
    until = _now_us(tx.conn.dialect.name) + round(lease_s * _US)
    for key, fence in fences.items():
        own = (_table.c.key == key) & (_table.c.fence == fence) & (_table.c.state == "sending")
        tx.conn.execute(update(_table).where(own).values(lease_until_us=until))


def note_receipt(tx: Tx, key: str, receipt: str) -> None:
    """Keep what the other side said."""
    tx.conn.execute(update(_table).where(_table.c.key == key).values(receipt=receipt))


def forget_ended_before(tx: Tx, instant: datetime) -> int:
    """Drop rows that ended before `instant`; gives their number. What they were about is in the log."""
    return tx.conn.execute(_table.delete().where(_table.c.ended_at < instant)).rowcount


# ---------------------------------------------------------------- from any thread


def _due(engine: Engine, now: datetime) -> ColumnElement[bool]:
    lost = (_table.c.state == "sending") & (_table.c.lease_until_us <= _now_us(engine.dialect.name))
    return or_((_table.c.state == "waiting") & (_table.c.next_at <= now), lost)


def due(
    engine: Engine, now: datetime, room: Mapping[str, int], urgent: Collection[str]
) -> dict[str, list[str]]:
    """Keys of rows whose turn it is: for each channel at most as many as it has room for, urgent kinds first."""
    found: dict[str, list[str]] = {}
    with reading(engine) as connection:
        channels = connection.execute(select(_table.c.channel).distinct().where(_due(engine, now)))
        for channel in [str(row.channel) for row in channels]:
            query = (
                select(_table.c.key)
                .where(_table.c.channel == channel, _due(engine, now))
                .order_by(_table.c.kind.not_in(urgent), _table.c.next_at, _table.c.key)
                .limit(room.get(channel, 0))
            )
            found[channel] = [str(row.key) for row in connection.execute(query)]
    return found


def depth(engine: Engine) -> dict[str, int]:
    """How many deliveries have not ended, by channel."""
    query = (
        select(_table.c.channel, func.count())
        .where(_table.c.state.in_(("waiting", "sending")))
        .group_by(_table.c.channel)
    )
    with reading(engine) as connection:
        return {str(channel): int(count) for channel, count in connection.execute(query)}


def find(engine: Engine, *, key: str | None = None, ref: str | None = None) -> OutboxRow | None:
    """One row by its key, or by what stands for it."""
    where = _table.c.key == key if key is not None else _table.c.ref == ref
    with reading(engine) as connection:
        found = connection.execute(select(*_columns(engine.dialect.name)).where(where)).one_or_none()
    return None if found is None else _row(found)
