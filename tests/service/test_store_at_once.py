"""Many at once: threads of one service, and services on one database."""

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from greenchannel.events import EcgOpened
from greenchannel.store.access import AccessLog
from greenchannel.store.accounts import Accounts
from tests.store_world import NOW, Store, open_store

THREADS = 8
EACH = 40


def run_all(*works: Callable[[], None]) -> None:
    """Each in a thread of its own, until all are done; what one raises is raised here."""
    errors: list[BaseException] = []

    def guarded(work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - raised below, in the test's own thread
            errors.append(error)

    threads = [threading.Thread(target=guarded, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive(), "standstill"
    if errors:
        raise errors[0]


def appender(store: Store, name: int) -> Callable[[], None]:
    def work() -> None:
        for number in range(EACH):
            store.writer.transact_sync(
                lambda tx, number=number: tx.append(  # type: ignore[misc]
                    f"case:{name % 3}", [EcgOpened(ecg_id=f"{name}-{number}")], actor="service"
                )
            )

    return work


def test_eight_threads_leave_no_gap(tmp_path: Path) -> None:
    """Every number once, every event once, each thread's in its order, listeners told in order."""
    told: list[int] = []
    with open_store(tmp_path) as store:
        store.writer.on_commit(lambda envelopes: told.extend(e.seq for e in envelopes))
        run_all(*(appender(store, name) for name in range(THREADS)))
        log, report = store.log.read(), store.log.verify()

    assert [e.seq for e in log] == told == list(range(1, THREADS * EACH + 1))
    for name in range(THREADS):
        own = [
            e.event.ecg_id
            for e in log
            if isinstance(e.event, EcgOpened) and e.event.ecg_id.startswith(f"{name}-")
        ]
        assert own == [f"{name}-{number}" for number in range(EACH)]
    assert report.ok


def test_accounts_and_the_access_log_write_beside_the_writer(tmp_path: Path) -> None:
    """None of them stands still or is told that the database is locked, and each gets its turn."""
    with open_store(tmp_path) as store:
        accounts, access = Accounts(store.engine), AccessLog(store.engine)
        accounts.add_site("s1", "东村", "East", "clinic")

        def devices() -> None:
            for number in range(EACH):
                _, token = accounts.add_device(f"d{number}", "s1", "x")
                assert accounts.device_for_token(token) is not None

        def looks() -> None:
            for number in range(EACH):
                access.note("user:li", "open_case", f"{number}", None, NOW)
                access.flush()

        def readers() -> None:
            for _ in range(EACH):
                assert store.log.verify().ok
                assert access.verify().ok

        run_all(appender(store, 0), appender(store, 1), devices, looks, readers)

        assert store.log.verify().seq == 2 * EACH
        assert access.verify().seq == len(accounts.devices()) == EACH


def test_a_deadline_is_taken_by_one_of_eight(tmp_path: Path) -> None:
    """However many try at the same moment."""
    won: list[bool] = []
    with open_store(tmp_path) as store:
        store.writer.transact_sync(
            lambda tx: tx.set_deadline("d", due_at=NOW, kind="k", stream="case:a", payload=b"")
        )
        take = [lambda: won.append(store.writer.transact_sync(lambda tx: tx.take_deadline("d")))] * THREADS
        run_all(*take)

    assert sorted(won) == [False] * (THREADS - 1) + [True]


OTHER_SERVICE = """
import sys
from greenchannel.clock import SystemClock
from greenchannel.events import EcgOpened
from greenchannel.store.engine import migrate, open_engine
from greenchannel.store.writer import Writer
engine = open_engine(sys.argv[1])
migrate(engine)
writer = Writer(engine, SystemClock())
writer.start()
won = 0
for number in range(40):
    writer.transact_sync(lambda tx: tx.append("case:a", [EcgOpened(ecg_id=f"{number}")], actor="service"))
    won += writer.transact_sync(lambda tx: tx.take_deadline(f"d{number}"))
writer.close()
print(won)
"""


def test_services_that_share_a_database_share_one_log(tmp_path: Path) -> None:
    """Three processes: no gap, no double number, and each deadline to one of them."""
    with open_store(tmp_path) as store:
        for number in range(EACH):
            store.writer.transact_sync(
                lambda tx, number=number: tx.set_deadline(  # type: ignore[misc]
                    f"d{number}", due_at=NOW + timedelta(0), kind="k", stream="case:a", payload=b""
                )
            )
        url = str(store.engine.url)
        command = [sys.executable, "-c", OTHER_SERVICE, url]
        processes = [
            subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ}) for _ in range(3)
        ]
        won = [int(process.communicate(timeout=60)[0]) for process in processes]

        assert [process.returncode for process in processes] == [0, 0, 0]
        assert sum(won) == EACH
        assert store.log.verify().seq == 3 * EACH
        assert [e.version for e in store.log.read_stream("case:a")] == list(range(1, 3 * EACH + 1))
