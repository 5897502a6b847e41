"""The store in memory answers as the real one does, command by command, undone commands included."""

import tempfile
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from greenchannel.store import deadlines, outbox_rows
from greenchannel.store.errors import VersionConflict
from tests.simulation import memory_rows
from tests.simulation.agenda import instant, ms_of
from tests.simulation.memory_store import Store
from tests.store_world import open_store, opened

STREAMS = st.sampled_from(["case:a", "case:b"])
KEYS = st.sampled_from(["k_1", "k_2", "k_3"])
TIMES = st.integers(0, 5).map(lambda s: instant(1_000 * s))
STATES = st.sampled_from(["waiting", "sending", "sent"])
ACTS = st.one_of(
    st.tuples(st.just("append"), STREAMS, st.integers(0, 3), st.none() | st.integers(0, 4)),
    st.tuples(st.just("version"), STREAMS),
    st.tuples(st.just("read_stream"), STREAMS, st.integers(0, 3)),
    st.tuples(st.just("set_deadline"), KEYS, TIMES),
    st.tuples(st.just("take_deadline"), KEYS, st.none() | TIMES),
    st.tuples(st.just("remember"), KEYS),
    st.tuples(st.just("recall"), KEYS),
    st.tuples(st.just("add"), KEYS),
    st.tuples(st.just("get"), KEYS),
    st.tuples(st.just("of_alert")),
    st.tuples(st.just("put"), KEYS, STATES, st.integers(0, 3), TIMES, st.sampled_from([None, 0.0, 900.0])),
    st.tuples(st.just("keep"), KEYS),
    st.tuples(st.just("renew"), KEYS, st.integers(0, 3)),
)
COMMANDS = st.lists(st.tuples(st.lists(ACTS, max_size=6), st.booleans()), max_size=12)


class Undone(Exception):
    """A command that fails when it has done its work."""


def act(tx: Any, rows: Any, name: str, *given: Any) -> Any:
    """One act on a transaction, and what it answers."""
    match name, given:
        case "append", (stream, number, expected):
            try:
                added = tx.append(
                    stream, [opened(n) for n in range(number)], actor="service", expected_version=expected
                )
            except VersionConflict as conflict:
                return conflict.expected, conflict.found
            return [(one.seq, one.stream, one.version, one.at, one.event) for one in added]
        case "version", (stream,):
            return tx.version(stream)
        case "read_stream", (stream, after):
            return [(one.seq, one.version, one.event) for one in tx.read_stream(stream, after)]
        case "set_deadline", (key, at):
            return tx.set_deadline(key, due_at=at, kind="k", stream="case:a", payload=b"{}")
        case "take_deadline", (key, at):
            return tx.take_deadline(key, due_by=at)
        case "remember", (key,):
            if tx.recall("s", key) is None:
                tx.remember("s", key, bytes(32), b"answer")
            return None
        case "recall", (key,):
            return tx.recall("s", key)
        case _:
            return act_on_rows(tx, rows, name, *given)


def act_on_rows(tx: Any, rows: Any, name: str, *given: Any) -> Any:
    """The same for the outbox."""
    match name, given:
        case "add", (key,):
            about = {"kind": "alert", "person": "chen", "channel": "sms", "facts": {"round": 1}}
            return rows.add(tx, key=key, ref=key, case_id="a", alert_id="a_1", **about)
        case "get", (key,):
            return rows.get(tx, key)
        case "of_alert", ():
            return rows.of_alert(tx, "a_1", "alert")
        case "put", (key, state, fence, at, lease_s):
            if rows.get(tx, key) is not None:
                rows.put(tx, key, **fields(state, fence, at), lease_s=lease_s)
            return rows.get(tx, key)
        case "keep", (key,):
            if rows.get(tx, key) is not None:
                rows.put(tx, key, **fields("sending", 1, instant(0)), lease_s=900.0, keep_lease=True)
            return rows.get(tx, key)
        case "renew", (key, fence):
            rows.renew(tx, {key: fence}, 900.0)
            return rows.get(tx, key)
        case _:
            raise AssertionError(name)


def fields(state: str, fence: int, at: Any) -> dict[str, Any]:
    """How far a row is."""
    ended = at if state == "sent" else None
    return {
        "state": state,
        "attempts": fence,
        "fence": fence,
        "called_off": fence > 2,
        "reason": None,
        "next_at": at,
        "ended_at": ended,
    }


def command(rows: Any, acts: Sequence[tuple[Any, ...]], fails: bool, said: list[list[Any]]) -> Any:
    """A command of these acts that keeps what they answered."""

    def carry_out(tx: Any) -> None:
        said.append([act(tx, rows, *one) for one in acts])
        if fails:
            raise Undone

    return carry_out


@given(COMMANDS)
def test_the_store_in_memory_is_as_the_real_one(
    commands: Sequence[tuple[Sequence[tuple[Any, ...]], bool]],
) -> None:
    """Whatever is done, in commands that end or fail: the same answers, the same log, the same due times and rows."""
    memory = Store()
    with tempfile.TemporaryDirectory() as folder, open_store(Path(folder)) as real:
        memory.now_ms = lambda: ms_of(real.clock.now())
        for acts, fails in commands:
            real.clock.move_to(real.clock.now() + timedelta(seconds=1))
            said: list[list[Any]] = []
            try:
                real.writer.transact_sync(command(outbox_rows, acts, fails, said))
            except Undone:
                assert fails
            memory.carry_out([command(memory_rows, acts, fails, said)], real.clock.now(), real.clock.name)
            memory.commit()
            assert said[0] == said[1]

        assert memory.read(0, 1_000) == real.log.read()
        for at in (instant(0), instant(2_000), instant(5_000)):
            assert memory.due(ms_of(at), 10) == deadlines.due(real.engine, at, 10)
        assert sorted(memory.outbox) == [
            key for key in ("k_1", "k_2", "k_3") if outbox_rows.find(real.engine, key=key) is not None
        ]


def test_whose_turn_it_is_is_asked_alike(tmp_path: Path) -> None:
    """Rows that wait by the clock of the process, leased ones by the database's; none that has ended."""
    memory = Store()
    memory.now_ms = lambda: 10_000
    with open_store(tmp_path) as real:
        real.clock.move_to(instant(10_000))

        def filled(rows: Any) -> Any:
            def fill(tx: Any) -> None:
                for number, (state, lease_s) in enumerate(
                    [
                        ("waiting", None),
                        ("waiting", None),
                        ("sending", 0.0),
                        ("sending", 900.0),
                        ("sent", None),
                    ]
                ):
                    act_on_rows(tx, rows, "add", f"k_{number}")
                    at = instant(9_000 + 2_000 * (number == 1))
                    rows.put(tx, f"k_{number}", **fields(state, 1, at), lease_s=lease_s)

            return fill

        real.writer.transact_sync(filled(outbox_rows))
        memory.carry_out([filled(memory_rows)], instant(10_000), "manual")
        memory.commit()
        found = outbox_rows.due(real.engine, instant(10_000), {"sms": 10}, ("alert",))

    assert sorted(found["sms"]) == sorted(row.key for row in memory.turns(10_000, 10_000)) == ["k_0", "k_2"]
    assert memory.next_turn_ms() == 9_000
    assert msgspec.structs.asdict(memory.outbox["k_4"])["state"] == "sent"
