"""The rows of the roster within a command: what a change of it reads and writes, beside its events in the log.

Every function takes the connection of the transaction it belongs to, so that a shift and the event that says who
changed it are one commit. Reading works on any connection.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, delete, insert, select, update

from greenchannel.events import ShiftInDoubt
from greenchannel.store import rows, schema
from greenchannel.store.accounts import Shift, User
from greenchannel.store.passwords import new_token, token_hash

_table = schema.shifts
_SHIFTS = select(_table).order_by(_table.c.starts_at, _table.c.id)
_IN_FORCE = _table.c.replaced_by.is_(None)
_MOST_IN_ONE_QUERY = 500  # bound parameters; SQLite takes some thousands


def _shifts(connection: Connection, *where: Any) -> list[Shift]:
    return [Shift(**row) for row in connection.execute(_SHIFTS.where(*where)).mappings()]


def between(connection: Connection, start: datetime, end: datetime) -> list[Shift]:
    """Shifts in force that have any part in the span, of the network and of every site, by their beginning."""
    return _shifts(connection, _table.c.starts_at < end, _table.c.ends_at > start, _IN_FORCE)


def one(connection: Connection, shift_id: str) -> Shift | None:
    """A shift, in force or not."""
    return next(iter(_shifts(connection, _table.c.id == shift_id)), None)


def of_calendar(connection: Connection, uids: Iterable[str], ids: Iterable[str]) -> list[Shift]:
    """Shifts that came from events of these UIDs, and shifts of these ids; in force or not."""
    found: dict[str, Shift] = {}
    for column, names in ((_table.c.uid, sorted(set(uids))), (_table.c.id, sorted(set(ids)))):
        for first in range(0, len(names), _MOST_IN_ONE_QUERY):
            some = _shifts(connection, column.in_(names[first : first + _MOST_IN_ONE_QUERY]))
            found.update({shift.id: shift for shift in some})
    return list(found.values())


def parts_of(connection: Connection, shift_id: str) -> list[Shift]:
    """What has become of a shift by swaps: its parts, and theirs; without itself."""
    found: list[Shift] = []
    waiting = [shift_id]
    while waiting:
        parts = _shifts(connection, _table.c.instead_of == waiting.pop())
        found += parts
        waiting += [part.id for part in parts]
    return found


def add(connection: Connection, shift: Shift) -> None:
    """Enter a shift; an id that is taken is the database's own error."""
    connection.execute(insert(_table).values(**msgspec.structs.asdict(shift)))


def change(connection: Connection, shift: Shift) -> None:
    """Write all fields of a shift that is there."""
    connection.execute(update(_table).where(_table.c.id == shift.id).values(**msgspec.structs.asdict(shift)))


def remove(connection: Connection, shift_ids: Sequence[str]) -> None:
    """Take shifts off the roster."""
    for shift_id in shift_ids:
        connection.execute(delete(_table).where(_table.c.id == shift_id))


# ---------------------------------------------------------------- who, where


def people(connection: Connection) -> dict[str, User]:
    """All people by id, disabled ones too."""
    tied: dict[str, set[str]] = {}
    for row in connection.execute(select(schema.user_sites)):
        tied.setdefault(row.user, set()).add(row.site)
    return {
        row.id: User(
            id=row.id,
            name=row.name,
            role=row.role,
            sites=None if row.all_sites else frozenset(tied.get(row.id, ())),
            disabled=row.disabled,
        )
        for row in connection.execute(select(schema.users))
    }


def sites(connection: Connection) -> dict[str, str]:
    """The time zone of every site in use, by its id."""
    table = schema.sites
    query = select(table.c.id, table.c.timezone).where(table.c.disabled.is_(False)).order_by(table.c.id)
    return {row.id: row.timezone for row in connection.execute(query)}


def clinics(connection: Connection) -> list[str]:
    """Ids of the sites in use that send patients; of all in use where none of these is a clinic."""
    table = schema.sites
    rows_ = connection.execute(select(table.c.id, table.c.kind).where(table.c.disabled.is_(False))).all()
    return sorted(row.id for row in rows_ if row.kind == "clinic") or sorted(row.id for row in rows_)


# ---------------------------------------------------------------- what was said of it


def doubts(connection: Connection, stream: str) -> list[tuple[datetime, ShiftInDoubt]]:
    """Everything that was ever said to be in doubt, and when, the oldest first."""
    query = rows.ENVELOPES.where(schema.log.c.stream == stream, schema.log.c.type == "shift_in_doubt")
    found = rows.to_envelopes(connection.execute(query.order_by(schema.log.c.version)))
    return [(one.at, one.event) for one in found if isinstance(one.event, ShiftInDoubt)]


def waiting_checks(connection: Connection, kinds: Sequence[str], after: datetime) -> list[str]:
    """Ids of the due times of these kinds that wait and fall due after an instant."""
    table = schema.deadlines
    query = select(table.c.id).where(
        table.c.done_at.is_(None), table.c.due_at > after, table.c.kind.in_(kinds)
    )
    return list(connection.execute(query).scalars())


# ---------------------------------------------------------------- calendar programs


def give_feed_token(connection: Connection, user_id: str, now: datetime) -> str:
    """A new token for a person's calendar program, shown this once; the one before is worth nothing from now on."""
    end_feed(connection, user_id)
    token = new_token()
    row = {"user": user_id, "token_sha256": token_hash(token), "created_at": now}
    connection.execute(insert(schema.roster_feeds).values(**row))
    return token


def end_feed(connection: Connection, user_id: str) -> None:
    """The token of a person's calendar program is worth nothing from now on."""
    connection.execute(delete(schema.roster_feeds).where(schema.roster_feeds.c.user == user_id))


def feed_owner(connection: Connection, token: str) -> str | None:
    """Whose token it is; None for one that was taken back, never given, or of a person who is disabled."""
    feeds, users = schema.roster_feeds, schema.users
    query = (
        select(feeds.c.user)
        .join(users, users.c.id == feeds.c.user)
        .where(feeds.c.token_sha256 == token_hash(token), users.c.disabled.is_(False))
    )
    return connection.execute(query).scalar_one_or_none()
