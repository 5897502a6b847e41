"""Book and hub at the end of the log, whoever wrote it: one order, no gap, nothing twice."""

import asyncio
import contextlib
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError

from greenchannel.clock import ManualClock
from greenchannel.events import AnyEvent, CaseOpened, ContextEntered
from greenchannel.service.book import CaseBook
from greenchannel.service.following import Following
from greenchannel.service.hub import Hub
from greenchannel.store.engine import migrate, open_engine
from greenchannel.store.log import Log
from greenchannel.store.writer import Writer
from tests.store_world import NOW


@dataclass
class Process:
    """What one process has of the log; two of them share a file."""

    writer: Writer
    book: CaseBook
    hub: Hub
    following: Following
    log: Log

    def write(self, case_id: str, event: AnyEvent) -> None:
        """Append one event, and return when it is committed and told."""
        self.writer.transact_sync(lambda tx: tx.append(f"case:{case_id}", [event], actor="service"))


@contextlib.contextmanager
def process(folder: Path) -> Iterator[Process]:
    engine = open_engine(f"sqlite:///{folder / 'store.sqlite'}")
    migrate(engine)
    writer, log, book, hub = Writer(engine, ManualClock(NOW)), Log(engine), CaseBook(), Hub()
    following = Following(log=log, writer=writer, book=book, hub=hub)
    writer.start()
    try:
        yield Process(writer, book, hub, following, log)
    finally:
        writer.close()
        engine.dispose()


def opened(case_id: str) -> CaseOpened:
    return CaseOpened(case_id=case_id, site="s", patient="p")


def heard(of: Process) -> list[int]:
    """The numbers that the hub's listeners are told from now on."""
    told: list[int] = []
    of.hub.subscribe(lambda changes: told.extend(envelope.seq for envelope, _ in changes))
    return told


def test_an_own_commit_behind_events_of_another_reads_these_first(tmp_path: Path) -> None:
    """The board of the one sees both in the order of the log."""

    async def play() -> None:
        with process(tmp_path) as one, process(tmp_path) as other:
            one.hub.start(0, ())
            told = heard(one)
            await asyncio.to_thread(other.write, "c_1", opened("c_1"))
            await asyncio.to_thread(other.write, "c_1", ContextEntered(age_years=60.0))
            await asyncio.to_thread(one.write, "c_2", opened("c_2"))
            await asyncio.sleep(0)
            assert told == [1, 2, 3]
            assert set(one.hub.cases) == {"c_1", "c_2"} and one.book.cases["c_1"].version == 2
            assert one.following.of_others == 2

    asyncio.run(play())


def test_a_look_finds_what_another_wrote_and_nothing_twice(tmp_path: Path) -> None:
    """Also where it comes before the writer tells of an own commit."""

    async def play() -> None:
        with process(tmp_path) as one, process(tmp_path) as other:
            one.hub.start(0, ())
            told = heard(one)
            await asyncio.to_thread(other.write, "c_1", opened("c_1"))
            assert await one.following.look() == 1
            assert await one.following.look() == 0
            one.following.committed(one.log.read())  # told late of what the look had taken
            await asyncio.sleep(0)
            assert told == [1] and one.book.cases["c_1"].version == 1

    asyncio.run(play())


def test_a_book_that_missed_a_commit_is_mended_by_the_next_look(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database was away when the events of another were to be read: nothing is passed over."""

    async def play() -> None:
        with process(tmp_path) as one, process(tmp_path) as other:
            one.hub.start(0, ())
            told = heard(one)
            await asyncio.to_thread(other.write, "c_1", opened("c_1"))

            def away(*_: object) -> None:
                raise OperationalError("select", None, Exception("away"))

            with monkeypatch.context() as broken:
                broken.setattr(one.log, "read", away)
                await asyncio.to_thread(one.write, "c_2", opened("c_2"))
            assert one.book.seq == 0
            assert await one.following.look() == 2
            await asyncio.sleep(0)
            assert told == [1, 2]

    asyncio.run(play())


def test_a_second_opening_of_the_file_lets_go_of_no_lock(tmp_path: Path) -> None:
    """Another process that closes must not take itself for the last and remove the write-ahead file."""

    with process(tmp_path) as one:
        one.write("c_1", opened("c_1"))
        open_engine(f"sqlite:///{tmp_path / 'store.sqlite'}").dispose()
        program = (
            "import sqlite3, sys; sqlite3.connect(sys.argv[1]).execute('SELECT count(*) FROM log').fetchall()"
        )
        subprocess.run([sys.executable, "-c", program, str(tmp_path / "store.sqlite")], check=True)
        assert (tmp_path / "store.sqlite-wal").exists()
        one.write("c_2", opened("c_2"))
        assert one.log.verify().seq == 2
