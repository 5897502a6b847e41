"""Deadlines: found again after a restart, taken once."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from greenchannel.store.deadlines import Deadline, due
from tests.store_world import NOW, Store, open_store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(tmp_path) as store:
        yield store


def put(store: Store, id: str, due_at: datetime, payload: bytes = b"{}") -> bool:
    return store.writer.transact_sync(
        lambda tx: tx.set_deadline(id, due_at=due_at, kind="escalate", stream="case:a", payload=payload)
    )


def take(store: Store, id: str) -> bool:
    return store.writer.transact_sync(lambda tx: tx.take_deadline(id))


def ids(store: Store, now: datetime = NOW + timedelta(days=1)) -> list[str]:
    return [deadline.id for deadline in due(store.engine, now, 100)]


def test_what_is_due_comes_in_the_order_of_its_time(store: Store) -> None:
    """Due at the very instant counts; later ones do not; the limit holds."""
    for minutes in (3, 1, 2):
        put(store, f"d{minutes}", NOW + timedelta(minutes=minutes))

    assert ids(store, NOW + timedelta(minutes=2)) == ["d1", "d2"]
    assert due(store.engine, NOW + timedelta(minutes=3), 1) == [
        Deadline(id="d1", due_at=NOW + timedelta(minutes=1), kind="escalate", stream="case:a", payload=b"{}")
    ]


def test_a_deadline_is_taken_once(store: Store) -> None:
    """The second taker gets nothing, nor does one who sets it again."""
    assert put(store, "d", NOW)

    assert [take(store, "d"), take(store, "d"), take(store, "never set")] == [True, False, False]
    assert put(store, "d", NOW + timedelta(minutes=1)) is False
    assert ids(store) == []


def test_a_deadline_of_a_command_that_fails_is_still_due(store: Store) -> None:
    """Taking is part of the transaction: who takes and then fails has not taken."""

    def fail(tx: object) -> None:
        assert tx.take_deadline("d")  # type: ignore[attr-defined]
        raise ValueError("on purpose")

    put(store, "d", NOW)
    with pytest.raises(ValueError, match="on purpose"):
        store.writer.transact_sync(fail)

    assert ids(store) == ["d"]


def test_setting_one_that_waits_moves_it(store: Store) -> None:
    """Twice the same is once; another time or content replaces the first."""
    put(store, "d", NOW)
    put(store, "d", NOW)
    put(store, "d", NOW + timedelta(minutes=5), b"later")

    assert [(d.due_at, d.payload) for d in due(store.engine, NOW + timedelta(days=1), 9)] == [
        (NOW + timedelta(minutes=5), b"later")
    ]


def test_a_cancelled_deadline_is_gone_and_may_be_set_anew(store: Store) -> None:
    """Nobody may be left uncalled because an earlier plan of the same name was taken back."""
    put(store, "d", NOW)
    store.writer.transact_sync(lambda tx: tx.cancel_deadline("d"))

    assert (ids(store), take(store, "d")) == ([], False)
    assert put(store, "d", NOW)
    assert ids(store) == ["d"]


def test_deadlines_outlive_the_process(tmp_path: Path) -> None:
    """They are rows: whoever opens the database next finds them."""
    with open_store(tmp_path) as store:
        put(store, "d", NOW)
    with open_store(tmp_path) as store:
        assert ids(store) == ["d"]


def test_one_that_was_moved_since_it_was_looked_up_stays(store: Store) -> None:
    """Another process set it later in between: it is taken when it is due, not before."""
    later = NOW + timedelta(seconds=60)
    store.writer.transact_sync(
        lambda tx: tx.set_deadline("d", due_at=later, kind="k", stream="case:a", payload=b"")
    )
    assert not store.writer.transact_sync(lambda tx: tx.take_deadline("d", due_by=NOW))
    assert store.writer.transact_sync(lambda tx: tx.take_deadline("d", due_by=later))
