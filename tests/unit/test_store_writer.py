"""The writer: what a command may do, and what happens to its neighbours when it fails."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event, insert
from sqlalchemy.exc import IntegrityError, OperationalError

from greenchannel.clock import NaiveDatetimeError
from greenchannel.events import AnyEvent, ClockReading, ContextEntered, EcgOpened, Envelope, MilestoneRecorded
from greenchannel.store import schema
from greenchannel.store.writer import CommitFailed, Tx, UnreadableEvent, VersionConflict, Writer, WriterClosed
from tests.store_world import NOW, Store, open_store, opened


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(tmp_path) as store:
        yield store


class Gate:
    """A command that holds the writer until it is let go, so that others gather behind it."""

    def __init__(self, writer: Writer) -> None:
        self._entered, self._let_go = threading.Event(), threading.Event()
        self._future = writer._submit(self._hold)
        assert self._entered.wait(10)

    def _hold(self, tx: Tx) -> None:
        self._entered.set()
        assert self._let_go.wait(10)

    def open(self) -> None:
        self._let_go.set()
        self._future.exception(10)


def together(writer: Writer, *commands: Any) -> list[Future[Any]]:
    """The futures of commands that were taken into one commit; all are done."""
    gate = Gate(writer)
    futures = [writer._submit(command) for command in commands]
    gate.open()
    for future in futures:
        future.exception(10)
    return futures


def append(number: int, stream: str = "case:a", **options: Any) -> Callable[[Tx], list[Envelope]]:
    return lambda tx: tx.append(stream, [opened(number)], actor="service", **options)


def test_an_append_comes_back_as_it_is_read(store: Store) -> None:
    """What append returns is what every reader sees: place, version, instant, clock, actor, event."""
    events: list[AnyEvent] = [
        EcgOpened(ecg_id="e1"),
        ContextEntered(age_years=61.5, vitals={"sbp": 140, "a": [1, None]}),
    ]

    written = store.writer.transact_sync(lambda tx: tx.append("case:a", events, actor="user:li"))

    assert written == store.log.read() == store.log.read_stream("case:a")
    assert [(e.seq, e.version, e.at, e.clock, e.actor) for e in written] == [
        (1, 1, NOW, "manual", "user:li"),
        (2, 2, NOW, "manual", "user:li"),
    ]
    assert [e.event for e in written] == events


def test_each_stream_counts_its_own_versions(store: Store) -> None:
    """The sequence number runs through the log, the version through the stream."""
    for number, stream in enumerate(["case:a", "case:b", "case:a", "system"]):
        store.writer.transact_sync(append(number, stream))

    assert [(e.seq, e.stream, e.version) for e in store.log.read()] == [
        (1, "case:a", 1),
        (2, "case:b", 1),
        (3, "case:a", 2),
        (4, "system", 1),
    ]
    assert [e.seq for e in store.log.read_stream("case:a", after=1)] == [3]
    assert [e.seq for e in store.log.read(after=1, limit=2)] == [2, 3]


def test_a_version_that_was_passed_is_a_conflict(store: Store) -> None:
    """Of two decisions made on the same version the second is refused and nothing of it is written."""
    store.writer.transact_sync(append(1, expected_version=0))

    with pytest.raises(VersionConflict, match="expected case:a at version 0, it is at 1"):
        store.writer.transact_sync(append(2, expected_version=0))

    store.writer.transact_sync(append(3, expected_version=1))
    assert [e.event for e in store.log.read()] == [opened(1), opened(3)]


def test_a_command_sees_its_own_events(store: Store) -> None:
    """Within a command the stream is as it will be after it."""

    def command(tx: Tx) -> list[Envelope]:
        tx.append("case:a", [opened(1)], actor="service")
        tx.append("case:a", [opened(2)], actor="service", expected_version=1)
        return tx.read_stream("case:a")

    assert store.writer.transact_sync(command) == store.log.read()


def test_an_instant_may_be_given_but_not_without_a_zone(store: Store) -> None:
    """`at` overrides the clock; a naive datetime is refused."""
    earlier = NOW - timedelta(minutes=3)
    store.writer.transact_sync(append(1, at=earlier))

    with pytest.raises(NaiveDatetimeError):
        store.writer.transact_sync(append(2, at=datetime(2026, 3, 1)))  # noqa: DTZ001 - that is the point

    assert [e.at for e in store.log.read()] == [earlier]


def test_an_event_that_cannot_be_read_back_is_not_written(store: Store) -> None:
    """One unreadable row would stop every reader of the log, so its writer is stopped."""
    wrong: Any = EcgOpened(ecg_id=7)  # type: ignore[arg-type]

    with pytest.raises(UnreadableEvent, match="ecg_id"):
        store.writer.transact_sync(lambda tx: tx.append("case:a", [opened(1), wrong], actor="service"))

    assert store.log.read() == []


def test_an_event_with_a_naive_instant_is_not_written(store: Store) -> None:
    """An instant without a zone is no instant."""
    naive = ClockReading(at=datetime(2026, 3, 1), clock="person")  # noqa: DTZ001 - that is the point
    event = MilestoneRecorded(milestone="fmc", time=naive, source="person")

    with pytest.raises(UnreadableEvent, match="timezone"):
        store.writer.transact_sync(lambda tx: tx.append("case:a", [event], actor="service"))


def test_a_failing_command_hurts_no_neighbour(store: Store) -> None:
    """Commands of one commit: the one that raises is undone as a whole, the others stay without a gap."""

    def half(tx: Tx) -> None:
        tx.append("case:b", [opened(90)], actor="service")
        tx.set_deadline("d", due_at=NOW, kind="k", stream="case:b", payload=b"")
        raise KeyError("on purpose")

    seen: list[list[Envelope]] = []
    store.writer.on_commit(seen.append)
    futures = together(
        store.writer, append(1), half, append(2), half, append(3, "case:b", expected_version=0)
    )

    assert [type(future.exception()) for future in futures] == [
        type(None),
        KeyError,
        type(None),
        KeyError,
        type(None),
    ]
    assert [(e.seq, e.stream, e.version, e.event) for e in store.log.read()] == [
        (1, "case:a", 1, opened(1)),
        (2, "case:a", 2, opened(2)),
        (3, "case:b", 1, opened(3)),
    ]
    assert seen == [store.log.read()], "one commit, and only what was committed"
    assert store.writer.transact_sync(lambda tx: tx.take_deadline("d")) is False
    assert store.log.verify().ok


def test_a_statement_the_database_refuses_undoes_its_command_alone(store: Store) -> None:
    """An error of the database within a command is that command's own."""

    def twice(tx: Tx) -> None:
        tx.append("case:a", [opened(90)], actor="service")
        for _ in range(2):
            tx.conn.execute(insert(schema.analyses).values(sha256="s", body=b""))

    first, bad, last = together(store.writer, append(1), twice, append(2))

    assert (first.exception(), last.exception()) == (None, None)
    assert isinstance(bad.exception(), IntegrityError)
    assert [e.event for e in store.log.read()] == [opened(1), opened(2)]


def fail_commits(engine: Engine) -> Any:
    def fail(_connection: Any) -> None:
        raise OperationalError("COMMIT", {}, Exception("disk I/O error"))

    event.listen(engine, "commit", fail)
    return fail


def test_after_a_failed_commit_nobody_is_told_of_success(store: Store) -> None:
    """All commands of the batch fail, no listener hears of them; the next batch begins at the last good end."""
    seen: list[list[Envelope]] = []
    store.writer.transact_sync(append(1))
    store.writer.on_commit(seen.append)
    fail = fail_commits(store.engine)

    futures = together(store.writer, append(2), append(3))

    assert [type(future.exception()) for future in futures] == [CommitFailed, CommitFailed]
    assert futures[0].exception() is not futures[1].exception(), "each caller raises its own"
    assert (seen, store.writer.failing) == ([], True)
    event.remove(store.engine, "commit", fail)
    store.writer.transact_sync(append(4))
    assert [(e.seq, e.event) for e in store.log.read()] == [(1, opened(1)), (2, opened(4))]
    assert store.writer.failing is False
    assert store.log.verify().ok


def test_a_full_disk_fails_the_batch_and_leaves_the_log_whole(store: Store) -> None:
    """SQLite ends the whole transaction by itself then; no command of the batch may slip in outside of it."""

    def too_much(tx: Tx) -> None:
        pages = tx.conn.exec_driver_sql("PRAGMA page_count").scalar_one()
        tx.conn.exec_driver_sql(f"PRAGMA max_page_count = {pages + 8}")
        tx.conn.execute(insert(schema.analyses).values(sha256="big", body=bytes(2_000_000)))

    def swallow(tx: Tx) -> None:
        with pytest.raises(OperationalError, match="full"):
            too_much(tx)

    store.writer.transact_sync(append(1))
    for command in (too_much, swallow):
        before, full, after = together(store.writer, append(2), command, append(3))
        outcomes = {type(future.exception()) for future in (before, after)}
        assert len(outcomes) == 1, "in or out, but together"
        assert full.exception() is not None or outcomes == {type(None)}
        store.engine.dispose()  # the limit is the connection's
        assert store.log.verify().ok
    told = [e.event for e in store.log.read()]
    store.writer.transact_sync(append(4))
    assert [e.event for e in store.log.read()] == [*told, opened(4)]


def test_listeners_hear_before_the_caller_goes_on_and_cannot_stop_it(store: Store) -> None:
    """A read model is up to date when the command returns; one that fails is logged and stops nobody."""
    heard: list[int] = []

    def broken(envelopes: list[Envelope]) -> None:
        raise RuntimeError("on purpose")

    store.writer.on_commit(broken)
    store.writer.on_commit(lambda envelopes: heard.extend(e.seq for e in envelopes))

    assert len(store.writer.transact_sync(append(1))) == 1
    assert heard == [1]


def test_many_tasks_share_commits(store: Store) -> None:
    """`transact` from an event loop: all are written, in fewer commits than commands."""
    batches: list[int] = []
    store.writer.on_commit(lambda envelopes: batches.append(len(envelopes)))

    async def main() -> list[list[Envelope]]:
        return await asyncio.gather(*(store.writer.transact(append(number)) for number in range(200)))

    gate = Gate(store.writer)
    release = threading.Timer(0.05, gate.open)
    release.start()
    results = asyncio.run(main())
    release.join()

    assert sorted(envelopes[0].seq for envelopes in results) == list(range(1, 201))
    assert sum(batches) == 200
    assert len(batches) < 100


def test_a_command_cancelled_while_it_waits_is_not_run(store: Store) -> None:
    """Nobody will hear the answer, and nothing was promised."""

    async def main() -> None:
        gate = Gate(store.writer)
        task = asyncio.create_task(store.writer.transact(append(1)))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        gate.open()

    asyncio.run(main())
    store.writer.transact_sync(append(2))
    assert [e.event for e in store.log.read()] == [opened(2)]


def test_closing_carries_out_what_waits(store: Store) -> None:
    """A closed writer has committed all it took, and takes no more."""
    gate = Gate(store.writer)
    future = store.writer._submit(append(1))
    closing = threading.Thread(target=store.writer.close)
    closing.start()
    gate.open()
    closing.join(10)

    assert future.result(0)[0].seq == 1
    with pytest.raises(WriterClosed):
        store.writer.transact_sync(append(2))


def test_the_writers_own_thread_must_not_wait_for_itself(store: Store) -> None:
    """A command within a command, or a write beside it, is an error at once instead of a standstill."""
    with pytest.raises(RuntimeError, match="wait for itself"):
        store.writer.transact_sync(lambda tx: store.writer.transact_sync(append(1)))


def test_an_answer_is_remembered_under_its_key(store: Store) -> None:
    """The same key of the same scope finds the first answer; another scope does not; old ones can be dropped."""
    store.writer.transact_sync(lambda tx: tx.remember("user:li POST /x", "k", bytes(32), b"answer"))

    def recall(scope: str) -> Any:
        return store.writer.transact_sync(lambda tx: tx.recall(scope, "k"))

    assert recall("user:li POST /x") == (bytes(32), b"answer")
    assert recall("user:wu POST /x") is None
    assert store.writer.transact_sync(lambda tx: tx.forget_before(NOW)) == 0
    assert store.writer.transact_sync(lambda tx: tx.forget_before(NOW + timedelta(seconds=1))) == 1
    assert recall("user:li POST /x") is None
