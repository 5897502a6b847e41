"""The one thread that writes the log.

Commands wait in a queue. The thread takes all that wait into one transaction, each behind a savepoint of its own, and
commits once for all: under load the cost of an fsync is shared, without load nobody waits for company.
"""

import asyncio
import hashlib
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from datetime import datetime
from typing import Any, TypeVar

import structlog
from sqlalchemy import Connection, Engine, bindparam, delete, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError

from greenchannel.clock import Clock, check_aware
from greenchannel.events import AnyEvent, Envelope
from greenchannel.store import rows, schema
from greenchannel.store.chain import link_hash
from greenchannel.store.engine import writing
from greenchannel.store.errors import CommitFailed, UnreadableEvent, VersionConflict, WriterClosed
from greenchannel.store.schema import instant_us

__all__ = ["CommitFailed", "Tx", "UnreadableEvent", "VersionConflict", "Writer", "WriterClosed"]

T = TypeVar("T")
MOST_PER_COMMIT = 512  # so that the first of a long queue is not kept waiting for the last

# Built once: these run for every command, and building a statement takes longer than running it.
_HEAD = select(schema.log_head.c.seq, schema.log_head.c.hash).with_for_update()
_MOVE_HEAD = update(schema.log_head).values(seq=bindparam("new_seq"), hash=bindparam("new_hash"))
_NEWEST_VERSION = select(func.max(schema.log.c.version)).where(schema.log.c.stream == bindparam("of_stream"))
_INSERT = insert(schema.log)


def _upsert(insert_of: Any) -> Any:
    """A deadline that is set, or moved where it waits; the count of rows says whether it was either."""
    new = insert_of(schema.deadlines)
    moved = {name: new.excluded[name] for name in ("due_at", "kind", "stream", "payload")}
    return new.on_conflict_do_update(
        index_elements=["id"], set_=moved, where=schema.deadlines.c.done_at.is_(None)
    ).execution_options(preserve_rowcount=True)


_SET_DEADLINE = {"sqlite": _upsert(sqlite.insert), "postgresql": _upsert(postgresql.insert)}

logger = structlog.get_logger(__name__)


class _End:
    """The end of the chain while a batch is written: what the head row will say, and the streams' versions."""

    def __init__(self, connection: Connection) -> None:
        row = connection.execute(_HEAD).one()
        self.seq: int = row.seq
        self.hash: bytes = row.hash
        self.versions: dict[str, int] = {}
        self.envelopes: list[Envelope] = []

    def mark(self) -> tuple[int, bytes]:
        """A point to go back to."""
        return self.seq, self.hash

    def back_to(self, mark: tuple[int, bytes]) -> None:
        undone = self.seq - mark[0]
        self.seq, self.hash = mark
        if undone:
            del self.envelopes[-undone:]
            self.versions.clear()


class Tx:
    """What one command may do. All of it happens, or nothing; it must not be kept beyond the command."""

    def __init__(self, connection: Connection, now: datetime, clock: str, end: _End) -> None:
        self.conn = connection
        self.now = now
        self._clock = clock
        self._end = end

    # ------------------------------------------------------------ the log

    def append(
        self,
        stream: str,
        events: Sequence[AnyEvent],
        *,
        actor: str,
        expected_version: int | None = None,
        at: datetime | None = None,
    ) -> list[Envelope]:
        """Add events to the end of a stream and of the log.

        Parameters
        ----------
        stream : str
            Its name, as `greenchannel.events.case_stream` makes it.
        events : sequence of event
            In their order; none is allowed.
        actor : str
            Who did it: ``user:<id>``, ``device:<id>``, ``service``.
        expected_version : int, optional
            Version of the stream that the decision was made on; 0 for a stream that must not exist yet.
        at : datetime, optional
            Instant on the writer's clock, default `now`.

        Raises
        ------
        VersionConflict
            The stream is at another version.
        UnreadableEvent
            An event has a value that its own JSON does not give back.
        """
        version = self.version(stream)
        if expected_version is not None and expected_version != version:
            raise VersionConflict(stream, expected_version, version)
        instant = self.now if at is None else check_aware(at)
        seq, last_hash = self._end.mark()
        stored: list[dict[str, Any]] = []
        envelopes: list[Envelope] = []
        for event in events:
            seq, version = seq + 1, version + 1
            body, event = rows.to_body(event)
            facts = {
                "stream": stream,
                "version": version,
                "at": instant_us(instant),
                "clock": self._clock,
                "actor": actor,
                "type": rows.event_type(event),
            }
            last_hash = link_hash(last_hash, seq, list(facts.values()), body)
            stored.append(facts | {"seq": seq, "at": instant, "body": body, "hash": last_hash})
            envelopes.append(
                Envelope(
                    seq=seq,
                    stream=stream,
                    version=version,
                    at=instant,
                    clock=self._clock,
                    actor=actor,
                    event=event,
                )
            )
        if stored:
            self.conn.execute(_INSERT, stored)
            self._end.seq, self._end.hash = seq, last_hash
            self._end.versions[stream] = version
            self._end.envelopes += envelopes
        return envelopes

    def version(self, stream: str) -> int:
        """The newest version of a stream, with the events of this command; 0 where it has none."""
        known = self._end.versions.get(stream)
        if known is None:
            known = self.conn.execute(_NEWEST_VERSION, {"of_stream": stream}).scalar_one() or 0
            self._end.versions[stream] = known
        return known

    def read_stream(self, stream: str, after: int = 0) -> list[Envelope]:
        """The events of one stream with a version above `after`, those of this command included."""
        return rows.read_stream(self.conn, stream, after)

    # ------------------------------------------------------------ deadlines

    def set_deadline(self, id: str, *, due_at: datetime, kind: str, stream: str, payload: bytes) -> bool:
        """Make sure that something happens at `due_at`.

        Setting one that waits moves it; setting one that was taken changes nothing and gives False, so that a
        repeated command cannot make anything happen twice.
        """
        values = {"due_at": due_at, "kind": kind, "stream": stream, "payload": payload}
        statement = _SET_DEADLINE[self.conn.dialect.name]
        return self.conn.execute(statement, values | {"id": id}).rowcount == 1

    def cancel_deadline(self, id: str) -> None:
        """Take back a deadline that waits; it may be set anew. One that was taken, or never set, is left alone."""
        waiting = (schema.deadlines.c.id == id) & schema.deadlines.c.done_at.is_(None)
        self.conn.execute(delete(schema.deadlines).where(waiting))

    def take_deadline(self, id: str, due_by: datetime | None = None) -> bool:
        """True for exactly one command: whoever gets it does what was due, in this transaction.

        With `due_by` one that was moved to a later instant since it was looked up stays where it is.
        """
        waiting = (schema.deadlines.c.id == id) & schema.deadlines.c.done_at.is_(None)
        if due_by is not None:
            waiting &= schema.deadlines.c.due_at <= due_by
        return (
            self.conn.execute(update(schema.deadlines).where(waiting).values(done_at=self.now)).rowcount == 1
        )

    def put_off_deadline(self, id: str, due_at: datetime) -> None:
        """Move one that waits to a later instant; one that was taken, or never set, is left alone."""
        waiting = (schema.deadlines.c.id == id) & schema.deadlines.c.done_at.is_(None)
        self.conn.execute(update(schema.deadlines).where(waiting).values(due_at=due_at))

    # ------------------------------------------------------------ idempotency

    def remember(self, scope: str, key: str, request_sha256: bytes, answer: bytes) -> None:
        """Keep the answer to a request under its idempotency key; raises `ValueError` for a hash that is none."""
        if len(request_sha256) != hashlib.sha256().digest_size:
            raise ValueError(f"expected 32 bytes of SHA-256, got {len(request_sha256)}")
        values = {
            "scope": scope,
            "key": key,
            "request_sha256": request_sha256,
            "answer": answer,
            "at": self.now,
        }
        self.conn.execute(insert(schema.idempotency).values(**values))

    def recall(self, scope: str, key: str) -> tuple[bytes, bytes] | None:
        """SHA-256 of the first request under this key, and its answer; None where the key is new."""
        table = schema.idempotency
        query = select(table.c.request_sha256, table.c.answer).where(
            table.c.scope == scope, table.c.key == key
        )
        row = self.conn.execute(query).one_or_none()
        return None if row is None else (row.request_sha256, row.answer)

    def forget_before(self, instant: datetime) -> int:
        """Drop the idempotency keys that are older; gives their number."""
        return self.conn.execute(delete(schema.idempotency).where(schema.idempotency.c.at < instant)).rowcount


class _Command:
    """A function that waits for its turn, and the future that waits for it."""

    def __init__(self, function: Callable[[Tx], Any]) -> None:
        self.function = function
        self.future: Future[Any] = Future()
        self.result: Any = None
        self.error: BaseException | None = None


class Writer:
    """Runs commands one after the other and commits them together. Start it once, close it once."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock
        self._listeners: list[Callable[[list[Envelope]], None]] = []
        self._queue: deque[_Command] = deque()
        self._wake = threading.Condition()
        self._open = False
        self._thread = threading.Thread(target=self._run, name="greenchannel-writer", daemon=True)
        self._failing = False

    @property
    def failing(self) -> bool:
        """Did the newest batch fail to commit? The service is not ready while this is so."""
        return self._failing

    def start(self) -> None:
        """Begin to take commands."""
        with self._wake:
            self._open = True
        self._thread.start()

    def close(self) -> None:
        """Take no more commands, carry out those that wait, and return when all is committed."""
        with self._wake:
            self._open = False
            self._wake.notify()
        if self._thread.is_alive():
            self._thread.join()

    def on_commit(self, callback: Callable[[list[Envelope]], None]) -> None:
        """Have `callback` called in the writer's thread after each commit that added events, in their order.

        It runs before the commands' callers go on, so it must be quick. What it raises is logged and goes no
        further: the events are in the log already. A listener that missed some sees a gap in `seq`.
        """
        self._listeners.append(callback)

    async def transact(self, function: Callable[[Tx], T]) -> T:
        """Run `function` in the writer's thread; return what it returned once it is committed.

        What it raises undoes its own work alone and is raised here. A command that is cancelled while it waits is
        not run; once it runs it is carried out.
        """
        return await asyncio.wrap_future(self._submit(function))

    def transact_sync(self, function: Callable[[Tx], T]) -> T:
        """As `transact`, for a thread that may wait."""
        if threading.current_thread() is self._thread:
            raise RuntimeError(
                "expected a thread other than the writer's own: it would wait for itself for ever"
            )
        return self._submit(function).result()

    def submit(self, function: Callable[[Tx], T]) -> Future[T]:
        """As `transact`, for a thread that does not wait: its result, or what it raised, comes with the future."""
        return self._submit(function)

    def _submit(self, function: Callable[[Tx], T]) -> Future[T]:
        command = _Command(function)
        with self._wake:
            if not self._open:
                raise WriterClosed("expected a writer that was started and not closed")
            self._queue.append(command)
            self._wake.notify()
        return command.future

    # ------------------------------------------------------------ the thread

    def _run(self) -> None:
        while batch := self._take():
            self._write(batch)

    def _take(self) -> list[_Command]:
        """All commands that wait, up to the limit; none means that the writer was closed."""
        while True:
            with self._wake:
                while self._open and not self._queue:
                    self._wake.wait()
                number = min(len(self._queue), MOST_PER_COMMIT)
                taken = [self._queue.popleft() for _ in range(number)]
            batch = [command for command in taken if command.future.set_running_or_notify_cancel()]
            if batch or not taken:
                return batch

    def _write(self, batch: list[_Command]) -> None:
        try:
            with writing(self._engine) as connection:
                envelopes = self._carry_out(batch, connection)
        except BaseException as error:  # noqa: BLE001 - whatever it is, nobody may be left waiting
            self._failing = True
            logger.error("commit_failed", commands=len(batch), error=str(error))
            for command in batch:
                failed = CommitFailed(f"expected a commit of {len(batch)} commands, got: {error}")
                failed.__cause__ = error
                command.future.set_exception(failed)
            return
        self._failing = False
        if envelopes:
            self._tell(envelopes)
        for command in batch:
            if command.error is None:
                command.future.set_result(command.result)
            else:
                command.future.set_exception(command.error)

    def _carry_out(self, batch: list[_Command], connection: Connection) -> list[Envelope]:
        end = _End(connection)
        start = end.mark()
        for command in batch:
            mark = end.mark()
            # Where the database has ended the transaction by itself (a full disk), leaving the savepoint fails, and
            # with it the batch: nothing after it can slip in outside a transaction.
            connection.exec_driver_sql("SAVEPOINT command")
            try:
                command.result = command.function(Tx(connection, self._clock.now(), self._clock.name, end))
            except BaseException as error:  # noqa: BLE001 - it is the caller's, and is raised there
                _undo(connection, error)
                end.back_to(mark)
                command.error = error
            connection.exec_driver_sql("RELEASE SAVEPOINT command")
        if end.mark() != start:
            connection.execute(_MOVE_HEAD, {"new_seq": end.seq, "new_hash": end.hash})
        return end.envelopes

    def _tell(self, envelopes: list[Envelope]) -> None:
        for listener in self._listeners:
            try:
                listener(envelopes)
            except Exception as error:
                logger.error("commit_listener_failed", first_seq=envelopes[0].seq, exc_info=error)


def _undo(connection: Connection, error: BaseException) -> None:
    """Go back to the savepoint; where it is gone the transaction is, and `error` is why."""
    try:
        connection.exec_driver_sql("ROLLBACK TO SAVEPOINT command")
    except DBAPIError as lost:
        raise error from lost
