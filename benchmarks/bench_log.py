"""Appending to the log: SQLite with `synchronous=FULL` and the hash chain, against bare sqlite3 inserts.

Both write the same bytes to a fresh file with the same pragmas. At 50 events a second one caller of each waits for its
commit, in turn. Flat out a thousand callers come at once, whom the writer takes into shared commits; bare sqlite3
commits as many rows at a time as the writer may.
"""

import argparse
import asyncio
import sqlite3
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec

from benchmarks.harness import Json, quantiles, save, show
from greenchannel.clock import SystemClock
from greenchannel.events import ClockReading, MilestoneRecorded
from greenchannel.store.engine import migrate, open_engine
from greenchannel.store.log import Log
from greenchannel.store.writer import MOST_PER_COMMIT, Tx, Writer

PER_S: Final = 50.0
EVENT: Final = MilestoneRecorded(
    milestone="FMC", time=ClockReading(at=datetime(2026, 3, 2, 8, 5, tzinfo=UTC), clock="person"), source="clinic"
)  # fmt: skip


def bare(path: Path) -> sqlite3.Connection:
    """A table like the log's, with the log's pragmas and nothing else."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute(
        "CREATE TABLE log (seq INTEGER PRIMARY KEY, stream TEXT, version INTEGER, at INTEGER, clock TEXT, "
        "actor TEXT, type TEXT, body BLOB, hash BLOB)"
    )
    return connection


def _rows(start: int, count: int) -> list[tuple[object, ...]]:
    body = msgspec.json.encode(EVENT, order="sorted")
    return [
        (n, f"case:c{n % 50}", n, 1789000000, "server", "user:u", "milestone_recorded", body, bytes(32))
        for n in range(start, start + count)
    ]


def _insert(connection: sqlite3.Connection, rows: list[tuple[object, ...]]) -> None:
    connection.execute("BEGIN IMMEDIATE")
    connection.executemany("INSERT INTO log VALUES (?,?,?,?,?,?,?,?,?)", rows)
    connection.execute("COMMIT")


async def _paced(
    writer: Writer, connection: sqlite3.Connection, count: int
) -> tuple[list[float], list[float]]:
    """Milliseconds of `count` appends of each, 50 a second each, in turn: both meet the same disk."""
    ours, rival = [], []
    begin = time.perf_counter()

    def command(tx: Tx) -> object:
        return tx.append("case:c1", [EVENT], actor="user:u")

    for number in range(2 * count):
        await asyncio.sleep(max(0.0, begin + number / (2 * PER_S) - time.perf_counter()))
        start = time.perf_counter()
        if number % 2:
            _insert(connection, _rows(number, 1))
            rival.append((time.perf_counter() - start) * 1000)
        else:
            await writer.transact(command)
            ours.append((time.perf_counter() - start) * 1000)
    return ours, rival


async def _many_callers(writer: Writer, flat: int) -> tuple[float, list[float]]:
    """Events a second with a thousand callers at once, and how long each of them waited (ms)."""
    times: list[float] = []

    async def one(number: int) -> None:
        start = time.perf_counter()
        await writer.transact(lambda tx: tx.append(f"case:c{number % 50}", [EVENT], actor="user:u"))
        times.append((time.perf_counter() - start) * 1000)

    since = time.perf_counter()
    for first in range(0, flat, 1000):
        await asyncio.gather(*(one(n) for n in range(first, min(flat, first + 1000))))
    return flat / (time.perf_counter() - since), times


async def _many_events(writer: Writer, flat: int) -> float:
    """Events a second where a command appends as many as a commit may hold."""

    def command(tx: Tx) -> object:
        return tx.append("case:c2", [EVENT] * MOST_PER_COMMIT, actor="user:u")

    commands = max(1, flat // MOST_PER_COMMIT)
    since = time.perf_counter()
    for _ in range(commands):
        await writer.transact(command)
    return commands * MOST_PER_COMMIT / (time.perf_counter() - since)


def _bare_flat_out(connection: sqlite3.Connection, flat: int) -> float:
    """The rival's events a second, as many in a commit."""
    start, since = 1 << 40, time.perf_counter()
    for first in range(start, start + flat, MOST_PER_COMMIT):
        _insert(connection, _rows(first, min(MOST_PER_COMMIT, start + flat - first)))
    return flat / (time.perf_counter() - since)


def measure(folder: Path, count: int, flat: int) -> Json:
    """Both on fresh files; our chain is verified afterwards."""
    engine = open_engine(f"sqlite:///{folder / 'ours.sqlite'}")
    migrate(engine)
    writer = Writer(engine, SystemClock())
    writer.start()
    connection = bare(folder / "bare.sqlite")

    async def ours() -> Json:
        paced, rival = await _paced(writer, connection, count)
        rate, waited = await _many_callers(writer, flat)
        return {
            "ours_ms": paced,
            "rival_ms": rival,
            "ours_per_s": rate,
            "ours_waited_ms": waited,
            "ours_in_one_command_per_s": await _many_events(writer, flat),
        }

    told = asyncio.run(ours())
    rival_per_s = _bare_flat_out(connection, flat)
    since = time.perf_counter()
    report = Log(engine).verify()
    told |= {
        "rival_per_s": rival_per_s,
        "verified": report.ok,
        "verified_events_per_s": report.seq / (time.perf_counter() - since),
    }
    connection.close()
    writer.close()
    engine.dispose()
    return told


def run(seconds: float = 8.0, flat: int = 4000) -> Json:
    """Measure, print, save."""
    with tempfile.TemporaryDirectory() as folder:
        found = measure(Path(folder), round(seconds * PER_S), flat)
    ours, rival, waited = (quantiles(found[key]) for key in ("ours_ms", "rival_ms", "ours_waited_ms"))
    rows = [
        {
            "store": store,
            "50/s: min ms": q["min"],
            "p50": q["p50"],
            "p99": q["p99"],
            "max": q["max"],
            "flat out, events/s": round(per_s),
            f"{MOST_PER_COMMIT} in one command, events/s": batched,
        }
        for store, q, per_s, batched in (
            ("log with hash chain", ours, found["ours_per_s"], round(found["ours_in_one_command_per_s"])),
            ("bare sqlite3", rival, found["rival_per_s"], None),
        )
    ]
    show("Appending to the log, SQLite WAL with synchronous=FULL", rows)
    results: Json = {
        "event_bytes": len(msgspec.json.encode(EVENT)),
        "rows": rows,
        "of_1000_callers_at_once_ms": waited,
        "verified": found["verified"],
        "verified_events_per_s": round(found["verified_events_per_s"]),
    }
    save("log", results)
    return results


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--flat", type=int, default=20_000)
    given = parser.parse_args()
    run(given.seconds, given.flat)


if __name__ == "__main__":
    main()
