"""Laws of the log: what goes in comes out, without gaps; what was changed behind its back is found."""

import contextlib
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from greenchannel.events import (
    AlertOpened,
    AnyEvent,
    CaseOpened,
    ClockReading,
    ContextEntered,
    EcgOpened,
    MilestoneRecorded,
    PlanStep,
)
from greenchannel.store.chain import START, link_hash
from greenchannel.store.engine import open_engine
from greenchannel.store.log import Log, VerifyReport
from greenchannel.store.writer import CommitFailed, Tx
from tests.store_world import NOW, context, open_store, opened

ROWS = 12
rows = st.integers(1, ROWS)

# ---------------------------------------------------------------- what goes in comes out

texts = st.text(st.characters(codec="utf-8"), max_size=12)


def fixed(at: datetime) -> datetime:
    """The instant with its offset alone: a time that a zone has twice equals none of another zone, itself included."""
    return at.replace(tzinfo=timezone(at.utcoffset() or timedelta()))


instants = st.datetimes(timezones=st.timezones()).filter(lambda at: 1900 < at.year < 9000).map(fixed)
readings = st.builds(
    ClockReading,
    at=instants,
    clock=texts,
    raw=st.none() | instants,
    offset_s=st.none() | st.floats(allow_nan=False, allow_infinity=False),
)
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
steps = st.builds(
    PlanStep,
    after_s=st.floats(0, 1e6),
    role=texts,
    people=st.tuples(texts),
    channels=st.just(("live",)),
)
any_events: st.SearchStrategy[AnyEvent] = st.one_of(
    st.builds(EcgOpened, ecg_id=texts),
    st.builds(CaseOpened, case_id=texts, site=texts, patient=texts),
    st.builds(ContextEntered, history=st.none() | texts, vitals=st.dictionaries(texts, values, max_size=4)),
    st.builds(MilestoneRecorded, milestone=texts, time=readings, source=texts),
    st.builds(
        AlertOpened, alert_id=texts, tier=texts, ecg_id=texts, rules=st.tuples(texts), plan=st.tuples(steps)
    ),
)
commands = st.lists(
    st.tuples(
        st.sampled_from(["case:a", "case:b", "system"]), st.lists(any_events, max_size=3), st.booleans()
    ),
    max_size=8,
)


@given(commands)
def test_the_log_is_what_the_commands_that_held_appended(
    plan: list[tuple[str, list[AnyEvent], bool]],
) -> None:
    """Any mix of commands, some of which fail after they wrote: exactly the others are there, in order, and chained."""

    def command(stream: str, events: list[AnyEvent], fails: bool) -> Callable[[Tx], None]:
        def run(tx: Tx) -> None:
            tx.append(stream, events, actor="service")
            if fails:
                raise ValueError("on purpose")

        return run

    with tempfile.TemporaryDirectory() as folder, open_store(Path(folder)) as store:
        futures = [store.writer._submit(command(*each)) for each in plan]
        failed = [future.exception(30) is not None for future in futures]
        log, report = store.log.read(), store.log.verify()

    kept = [(stream, event) for stream, events, fails in plan for event in events if not fails]
    assert failed == [fails for _, _, fails in plan]
    assert [(e.stream, e.event) for e in log] == kept
    assert [e.seq for e in log] == list(range(1, len(kept) + 1))
    for stream in {e.stream for e in log}:
        versions = [e.version for e in log if e.stream == stream]
        assert versions == list(range(1, len(versions) + 1))
    assert report == VerifyReport(ok=True, seq=len(kept))


# ---------------------------------------------------------------- tampering


@dataclass(frozen=True)
class Original:
    """A log of twelve events on disk, to be copied and spoilt."""

    path: Path
    head: tuple[int, bytes]

    @contextlib.contextmanager
    def spoilt(self) -> Iterator[sqlite3.Connection]:
        """A connection to a copy; `check` looks at it afterwards."""
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder) / "copy.sqlite"
            shutil.copyfile(self.path, copy)
            connection = sqlite3.connect(copy, isolation_level=None)
            try:
                yield connection
            finally:
                connection.close()

    def check(self, connection: sqlite3.Connection, known: dict[int, bytes] | None = None) -> VerifyReport:
        """What the service says of the copy."""
        (path,) = {row[2] for row in connection.execute("PRAGMA database_list")}
        engine = open_engine(f"sqlite:///{path}")
        try:
            return Log(engine).verify(known)
        finally:
            engine.dispose()


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Original:
    folder = tmp_path_factory.mktemp("original")
    with open_store(folder) as store:
        for number in range(ROWS // 2):
            events = [opened(number), context(age_years=60.0 + number, history="胸痛")]
            store.writer.transact_sync(
                lambda tx, events=events, number=number: tx.append(  # type: ignore[misc]
                    f"case:{number % 3}", events, actor="service", at=NOW + timedelta(seconds=number)
                )
            )
        head = store.log.head()
    return Original(folder / "store.sqlite", head)


EDITS = {
    "stream": "'case:9'",
    "version": "version + 100",
    "at": "at + 1",
    "clock": "'other'",
    "actor": "'user:evil'",
    "type": "'case_closed'",
    "body": "CAST(replace(CAST(body AS TEXT), '\"', '\"\"') AS BLOB)",
    "hash": "zeroblob(32)",
}


@given(st.sampled_from(sorted(EDITS)), rows)
def test_an_edit_of_any_column_of_any_row_is_found(original: Original, column: str, row: int) -> None:
    """And the report names the row."""
    with original.spoilt() as connection:
        connection.execute(f"UPDATE log SET {column} = {EDITS[column]} WHERE seq = {row}")
        report = original.check(connection)

    assert (report.ok, report.bad_seq, report.seq) == (False, row, row - 1)


@given(rows, st.sampled_from(["body", "hash", "at", "actor"]), st.sampled_from(["'text'", "7", "x'00'"]))
def test_a_value_of_the_wrong_kind_is_found_and_stops_nothing(
    original: Original, row: int, column: str, value: str
) -> None:
    """SQLite takes anything anywhere; the walk reports it instead of falling over it."""
    with original.spoilt() as connection:
        connection.execute(f"UPDATE log SET {column} = {value} WHERE seq = {row}")
        assert original.check(connection).bad_seq == row


@given(rows, st.integers(1, 3), st.booleans())
def test_a_cut_is_found(original: Original, first: int, length: int, close_the_gap: bool) -> None:
    """In the middle, at the end; also where the rows behind it were moved up."""
    with original.spoilt() as connection:
        connection.execute("DELETE FROM log WHERE seq BETWEEN ? AND ?", (first, first + length - 1))
        if close_the_gap:
            connection.execute("UPDATE log SET seq = -(seq - ?) WHERE seq > ?", (length, first))
            connection.execute("UPDATE log SET seq = -seq WHERE seq < 0")
        assert original.check(connection).bad_seq == first


@given(rows, rows)
def test_an_exchange_of_two_rows_is_found(original: Original, one: int, other: int) -> None:
    """Though each row for itself is as it was."""
    with original.spoilt() as connection:
        for old, new in ((one, -1), (other, one), (-1, other)):
            connection.execute("UPDATE log SET seq = ? WHERE seq = ?", (new, old))
        report = original.check(connection)

    assert report.ok == (one == other)
    assert report.bad_seq == (None if one == other else min(one, other))


@given(st.sampled_from(["seq = seq + 1", "seq = seq - 1", "hash = zeroblob(32)"]))
def test_a_head_row_that_says_something_else_is_found(original: Original, change: str) -> None:
    """The rows alone may be fine; then the end is not theirs."""
    with original.spoilt() as connection:
        connection.execute(f"UPDATE log_head SET {change}")
        assert original.check(connection).bad_seq == ROWS + 1
        connection.execute("DELETE FROM log_head")
        report = original.check(connection)

    assert (report.ok, report.reason is not None and "no head row" in report.reason) == (False, True)


def recompute(connection: sqlite3.Connection) -> None:
    """Make every hash fit what is stored, as somebody with time and the source would."""
    last = START
    columns = "seq, stream, version, at, clock, actor, type, body"
    seq = 0
    for seq, *facts, body in connection.execute(f"SELECT {columns} FROM log ORDER BY seq").fetchall():
        last = link_hash(last, seq, facts, body)
        connection.execute("UPDATE log SET hash = ? WHERE seq = ?", (last, seq))
    connection.execute("UPDATE log_head SET seq = ?, hash = ?", (seq, last))


@given(rows, st.booleans())
def test_a_head_kept_elsewhere_shows_a_chain_that_was_made_anew(
    original: Original, row: int, cut: bool
) -> None:
    """Within the machine nothing can show it; that is why the head leaves the machine."""
    with original.spoilt() as connection:
        connection.execute(
            f"DELETE FROM log WHERE seq >= {row}" if cut else f"UPDATE log SET at = 0 WHERE seq = {row}"
        )
        recompute(connection)
        alone = original.check(connection)
        with_head = original.check(connection, dict([original.head]))

    assert (alone.ok, with_head.ok) == (True, False)


def test_an_untouched_log_fits_its_own_head(original: Original) -> None:
    """Neither the chain nor a head kept elsewhere raises a false alarm."""
    with original.spoilt() as connection:
        assert original.check(connection, dict([original.head])) == VerifyReport(ok=True, seq=ROWS)


def test_a_log_without_its_head_row_is_not_written_to(original: Original) -> None:
    """Nobody knows then where its end is."""
    with tempfile.TemporaryDirectory() as folder:
        shutil.copyfile(original.path, Path(folder) / "store.sqlite")
        connection = sqlite3.connect(Path(folder) / "store.sqlite", isolation_level=None)
        connection.execute("DELETE FROM log_head")
        connection.close()
        with open_store(Path(folder)) as store, pytest.raises(CommitFailed):
            store.writer.transact_sync(lambda tx: tx.append("case:0", [opened(1)], actor="service"))
