"""Rows of the outbox: keys, turns and leases."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from greenchannel.store import outbox_rows
from greenchannel.store.engine import writing
from greenchannel.store.outbox_rows import OutboxRow
from greenchannel.store.writer import Tx
from tests.store_world import NOW, Store, open_store

ROOM = {"sms": 10, "phone": 10}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(tmp_path) as made:
        yield made


def add(store: Store, key: str, channel: str = "sms", kind: str = "alert") -> bool:
    def command(tx: Tx) -> bool:
        return outbox_rows.add(
            tx, key=key, ref=key, kind=kind, person="chen", channel=channel, facts={"tier": "ACT"}
        )

    return store.writer.transact_sync(command)


def put(store: Store, key: str, state: str, lease_s: float | None, **more: Any) -> None:
    facts: dict[str, Any] = {
        "attempts": 1,
        "fence": 1,
        "called_off": False,
        "reason": None,
        "next_at": NOW,
        "ended_at": None,
    }
    store.writer.transact_sync(
        lambda tx: outbox_rows.put(tx, key, state=state, lease_s=lease_s, **facts | more)
    )


def get(store: Store, key: str) -> OutboxRow:
    row = outbox_rows.find(store.engine, key=key)
    assert row is not None
    return row


def due(store: Store, later_s: float = 0.0, room: dict[str, int] = ROOM) -> dict[str, list[str]]:
    now = NOW + timedelta(seconds=later_s)
    return outbox_rows.due(store.engine, now, room, ("alert",))


def test_asking_twice_under_one_key_is_asking_once(store: Store) -> None:
    """The second changes nothing, and says so."""
    assert [add(store, "k"), add(store, "k")] == [True, False]
    assert due(store) == {"sms": ["k"]}
    assert get(store, "k").facts == {"tier": "ACT"}


def test_a_row_is_due_from_its_instant_on(store: Store) -> None:
    """By the service's clock."""
    add(store, "k")
    put(store, "k", "waiting", None, next_at=NOW + timedelta(seconds=5))

    assert due(store, 4.9) == {}
    assert due(store, 5.0) == {"sms": ["k"]}


def test_a_lease_runs_by_the_clock_of_the_database(store: Store) -> None:
    """However far the service's clock is turned, an attempt under way is its process's own until the lease is over."""
    add(store, "k")
    put(store, "k", "sending", 30.0)
    assert (due(store, 1e6), get(store, "k").lease_lost) == ({}, False)

    with writing(store.engine) as connection:
        connection.execute(text("UPDATE outbox SET lease_until_us = lease_until_us - 30000001"))
    assert (due(store), get(store, "k").lease_lost) == ({"sms": ["k"]}, True)


def test_only_its_own_attempt_renews_a_lease(store: Store) -> None:
    """One that was taken over is another's."""
    add(store, "k")
    put(store, "k", "sending", -1.0, fence=2)
    store.writer.transact_sync(lambda tx: outbox_rows.renew(tx, {"k": 1}, 30.0))
    assert get(store, "k").lease_lost

    store.writer.transact_sync(lambda tx: outbox_rows.renew(tx, {"k": 2}, 30.0))
    assert not get(store, "k").lease_lost


def test_urgent_rows_come_first_and_a_full_lane_gets_none(store: Store) -> None:
    """A test message of before does not stand before an alert; another channel is not asked about this one's room."""
    add(store, "test", kind="test")
    add(store, "alert")
    add(store, "call", channel="phone")

    assert due(store) == {"sms": ["alert", "test"], "phone": ["call"]}
    assert due(store, room={"sms": 1, "phone": 1}) == {"sms": ["alert"], "phone": ["call"]}
    assert due(store, room={"phone": 1}) == {"sms": [], "phone": ["call"]}


def test_what_has_ended_is_not_due_not_deep_and_at_last_forgotten(store: Store) -> None:
    """Rows that wait are kept, however old."""
    for key in ("a", "b", "c"):
        add(store, key)
    put(store, "a", "sent", None, ended_at=NOW)
    put(store, "b", "cancelled", None, ended_at=NOW + timedelta(days=2))

    assert (due(store), outbox_rows.depth(store.engine)) == ({"sms": ["c"]}, {"sms": 1})
    before = NOW + timedelta(days=1)
    assert store.writer.transact_sync(lambda tx: outbox_rows.forget_ended_before(tx, before)) == 1
    assert outbox_rows.find(store.engine, ref="a") is None
