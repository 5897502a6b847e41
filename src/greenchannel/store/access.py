"""Who looked at which patient: a hash chain of its own, written in batches so that looking stays fast."""

import threading
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import BigInteger, Connection, Engine, insert, select, type_coerce, update

from greenchannel.clock import check_aware
from greenchannel.store import schema, walking
from greenchannel.store.chain import Link, VerifyReport, link_hash, verify_chain
from greenchannel.store.engine import reading, writing
from greenchannel.store.schema import instant_us

_table = schema.access_log
_head = schema.access_head


class AccessEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One look."""

    seq: int
    at: datetime
    actor: str  # as in the log: "user:<id>", "device:<id>"
    action: str
    case_id: str | None
    detail: str | None  # such as the reason that was given


class _Note(msgspec.Struct, frozen=True, kw_only=True):
    """One look that is not written yet."""

    at: datetime
    actor: str
    action: str
    case_id: str | None
    detail: str | None


class AccessLog:
    """Takes notes at once and writes them when told; from any thread."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._waiting: list[_Note] = []
        self._waiting_lock = threading.Lock()
        self._flush_lock = threading.Lock()  # so that two flushes keep the order of the notes

    def note(self, actor: str, action: str, case_id: str | None, detail: str | None, at: datetime) -> None:
        """Remember a look until the next `flush`. It waits for nothing."""
        note = _Note(at=check_aware(at), actor=actor, action=action, case_id=case_id, detail=detail)
        with self._waiting_lock:
            self._waiting.append(note)

    def flush(self) -> int:
        """Write the notes that wait, in their order, and give their number; they wait on where this raises."""
        with self._flush_lock:
            with self._waiting_lock:
                notes = list(self._waiting)
            if notes:
                with writing(self._engine) as connection:
                    _write(connection, notes)
            with self._waiting_lock:
                del self._waiting[: len(notes)]
        return len(notes)

    def newest_of(self, prefix: str, limit: int = 200) -> list[AccessEntry]:
        """The last `limit` written entries whose action begins with `prefix`, newest first."""
        query = select(*(column for column in _table.c if column is not _table.c.hash))
        query = query.where(_table.c.action.startswith(prefix, autoescape=True))
        with reading(self._engine) as connection:
            rows = connection.execute(query.order_by(_table.c.seq.desc()).limit(limit)).mappings()
            return [AccessEntry(**row) for row in rows]

    def entries(
        self, *, case_id: str | None = None, actor: str | None = None, after: int = 0, limit: int = 1000
    ) -> list[AccessEntry]:
        """Up to `limit` written looks with a number above `after`, oldest first, of one case or person or all."""
        query = select(*(column for column in _table.c if column is not _table.c.hash))
        query = query.where(_table.c.seq > after).order_by(_table.c.seq).limit(limit)
        if case_id is not None:
            query = query.where(_table.c.case_id == case_id)
        if actor is not None:
            query = query.where(_table.c.actor == actor)
        with reading(self._engine) as connection:
            return [AccessEntry(**row) for row in connection.execute(query).mappings()]

    def head(self) -> tuple[int, bytes]:
        """Number and hash of the newest written look."""
        with reading(self._engine) as connection:
            row = connection.execute(select(_head.c.seq, _head.c.hash)).one()
        return row.seq, row.hash

    def verify(self, known: Mapping[int, bytes] | None = None) -> VerifyReport:
        """Walk along the whole chain as it stands now; `known` as for `Log.verify`."""
        with reading(self._engine) as connection:
            head = connection.execute(select(_head.c.seq, _head.c.hash)).one_or_none()
            return verify_chain(_links(connection), None if head is None else (head.seq, head.hash), known)


def _write(connection: Connection, notes: list[_Note]) -> None:
    row = connection.execute(select(_head.c.seq, _head.c.hash).with_for_update()).one()
    seq, last = row.seq, row.hash
    rows = []
    for note in notes:
        seq += 1
        facts = [instant_us(note.at), note.actor, note.action, note.case_id, note.detail]
        last = link_hash(last, seq, facts, b"")
        rows.append({"seq": seq, "hash": last} | msgspec.structs.asdict(note))
    connection.execute(insert(_table), rows)
    connection.execute(update(_head).values(seq=seq, hash=last))


def _links(connection: Connection) -> Iterator[Link]:
    query = select(
        _table.c.seq,
        type_coerce(_table.c.at, BigInteger),
        _table.c.actor,
        _table.c.action,
        _table.c.case_id,
        _table.c.detail,
        _table.c.hash,
    )
    return walking.links(connection, query, _table.c.seq, _link)


def _link(row: Any) -> Link:
    seq, *facts, link = row
    return Link(seq=seq, facts=facts, body=b"", hash=link)
