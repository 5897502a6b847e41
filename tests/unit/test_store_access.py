"""The access log: every look, in its order, in a chain of its own."""

import threading
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from greenchannel.clock import NaiveDatetimeError
from greenchannel.store.access import AccessEntry, AccessLog
from tests.store_world import NOW, Store, open_store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(tmp_path) as store:
        yield store


def look(access: AccessLog, number: int, actor: str = "user:li", case_id: str | None = "a") -> None:
    access.note(actor, "open_case", case_id, f"look {number}", NOW)


def test_looks_are_written_in_their_order_at_the_flush(store: Store) -> None:
    """Nothing before the flush, all after it, and a second flush has nothing to do."""
    access = AccessLog(store.engine)
    for number in (1, 2, 3):
        look(access, number)
    assert access.entries() == []

    assert (access.flush(), access.flush()) == (3, 0)

    assert access.entries(limit=1) == [
        AccessEntry(seq=1, at=NOW, actor="user:li", action="open_case", case_id="a", detail="look 1")
    ]
    assert [entry.detail for entry in access.entries(after=1)] == ["look 2", "look 3"]
    assert access.verify().ok
    assert access.head()[0] == 3


def test_looks_are_found_by_case_and_by_person(store: Store) -> None:
    """Who looked at this case, and at what did this person look."""
    access = AccessLog(store.engine)
    look(access, 1)
    look(access, 2, actor="user:wu")
    look(access, 3, case_id=None)
    access.flush()

    assert [entry.seq for entry in access.entries(case_id="a")] == [1, 2]
    assert [entry.seq for entry in access.entries(actor="user:li")] == [1, 3]
    assert [entry.seq for entry in access.entries(actor="user:li", case_id="a")] == [1]


def test_a_flush_that_fails_loses_nothing(store: Store) -> None:
    """The looks wait for the next flush, in their order."""
    access = AccessLog(store.engine)
    look(access, 1)

    def fail(_connection: object) -> None:
        raise OperationalError("COMMIT", {}, Exception("disk I/O error"))

    event.listen(store.engine, "commit", fail)
    with pytest.raises(OperationalError):
        access.flush()
    event.remove(store.engine, "commit", fail)
    look(access, 2)

    assert access.flush() == 2
    assert [entry.detail for entry in access.entries()] == ["look 1", "look 2"]
    assert access.verify().ok


def test_flushes_of_many_threads_make_one_chain(store: Store) -> None:
    """No look is written twice, none is lost, however many flush."""
    access = AccessLog(store.engine)

    def work(actor: str) -> None:
        for number in range(20):
            look(access, number, actor)
            access.flush()

    threads = [threading.Thread(target=work, args=(f"user:{n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert [entry.seq for entry in access.entries()] == list(range(1, 81))
    for n in range(4):
        details = [entry.detail for entry in access.entries(actor=f"user:{n}")]
        assert details == [f"look {number}" for number in range(20)]
    assert access.verify().ok


@pytest.mark.parametrize(
    "tampering",
    [
        "UPDATE access_log SET actor = 'user:wu' WHERE seq = 2",
        "UPDATE access_log SET case_id = NULL WHERE seq = 2",
        "UPDATE access_log SET at = at + 1 WHERE seq = 2",
        "DELETE FROM access_log WHERE seq = 2",
        "DELETE FROM access_log WHERE seq = 3",
    ],
)
def test_a_changed_or_missing_look_is_found(store: Store, tampering: str) -> None:
    """Edit, cut in the middle, cut at the end."""
    access = AccessLog(store.engine)
    for number in (1, 2, 3):
        look(access, number)
    access.flush()
    with store.engine.begin() as connection:
        connection.exec_driver_sql(tampering)

    report = access.verify()

    assert not report.ok
    assert report.bad_seq == int(tampering[-1])


def test_a_look_without_a_zone_is_refused_when_it_is_noted(store: Store) -> None:
    """Not at the flush, where nobody would know whose it was."""
    with pytest.raises(NaiveDatetimeError):
        AccessLog(store.engine).note("user:li", "x", None, None, datetime(2026, 3, 1))  # noqa: DTZ001 - the point
