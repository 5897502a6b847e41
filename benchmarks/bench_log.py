"""Appending to the log: SQLite with `synchronous=FULL` and the hash chain, against bare sqlite3 inserts.

Both write the same bytes to a fresh file with the same pragmas. *Paced* is one caller at 50 events a second, each
waiting for its commit. *Flat out* is many callers at once, whom the writer takes into shared commits; bare sqlite3
commits as many rows at a time as the writer may.
"""

import argparse
import asyncio
import sqlite3
import tempfile
import time
from collections.abc import Callable
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


def paced(append: Callable[[], object], count: int) -> list[float]:
    """Milliseconds of each of `count` appends, 50 a second."""
    times = []
    begin = time.perf_counter()
    for number in range(count):
        time.sleep(max(0.0, begin + number / PER_S - time.perf_counter()))
        start = time.perf_counter()
        append()
        times.append((time.perf_counter() - start) * 1000)
    return times


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


def measure_bare(folder: Path, count: int, flat: int) -> Json:
    """The rival."""
    connection = bare(folder / "bare.sqlite")
    number = iter(range(1, 1 << 62))
    times = paced(lambda: _insert(connection, _rows(next(number), 1)), count)
    start, since = next(number), time.perf_counter()
    for first in range(start, start + flat, MOST_PER_COMMIT):
        _insert(connection, _rows(first, min(MOST_PER_COMMIT, start + flat - first)))
    rate = flat / (time.perf_counter() - since)
    connection.close()
    return {"ms": times, "per_s": rate, "flat_ms": []}


async def _flat_out(writer: Writer, flat: int) -> tuple[float, list[float]]:
    times: list[float] = []

    async def one(number: int) -> None:
        start = time.perf_counter()
        await writer.transact(lambda tx: tx.append(f"case:c{number % 50}", [EVENT], actor="user:u"))
        times.append((time.perf_counter() - start) * 1000)

    since = time.perf_counter()
    for first in range(0, flat, 1000):  # a thousand callers at once
        await asyncio.gather(*(one(n) for n in range(first, min(flat, first + 1000))))
    return flat / (time.perf_counter() - since), times


def measure_ours(folder: Path, count: int, flat: int) -> Json:
    """The writer with everything that belongs to it, and the chain verified afterwards."""
    engine = open_engine(f"sqlite:///{folder / 'ours.sqlite'}")
    migrate(engine)
    writer = Writer(engine, SystemClock())
    writer.start()

    def command(tx: Tx) -> object:
        return tx.append("case:c1", [EVENT], actor="user:u")

    async def all_of_it() -> tuple[list[float], float, list[float], float]:
        times = []
        begin = time.perf_counter()
        for number in range(count):
            await asyncio.sleep(max(0.0, begin + number / PER_S - time.perf_counter()))
            start = time.perf_counter()
            await writer.transact(command)
            times.append((time.perf_counter() - start) * 1000)
        rate, flat_times = await _flat_out(writer, flat)

        def many(tx: Tx) -> object:
            return tx.append("case:c2", [EVENT] * MOST_PER_COMMIT, actor="user:u")

        since = time.perf_counter()
        for _ in range(max(1, flat // MOST_PER_COMMIT)):
            await writer.transact(many)
        batched = max(1, flat // MOST_PER_COMMIT) * MOST_PER_COMMIT / (time.perf_counter() - since)
        return times, rate, flat_times, batched

    times, rate, flat_times, batched = asyncio.run(all_of_it())
    since = time.perf_counter()
    report = Log(engine).verify()
    verified = time.perf_counter() - since
    writer.close()
    engine.dispose()
    return {
        "ms": times,
        "per_s": rate,
        "flat_ms": flat_times,
        "one_command_per_s": batched,
        "verified_ok": report.ok,
        "verify_s": round(verified, 3),
    }


def run(seconds: float = 8.0, flat: int = 4000) -> Json:
    """Measure, print, save."""
    count = round(seconds * PER_S)
    with tempfile.TemporaryDirectory() as folder:
        # Halves of both, one after the other, so that a busy minute meets both.
        halves = [
            (
                measure_ours(Path(folder, name), count // 2, flat // 2),
                measure_bare(Path(folder, name), count // 2, flat // 2),
            )
            for name in _folders(Path(folder))
        ]
    rows = []
    for label, which in (("log with hash chain", 0), ("bare sqlite3", 1)):
        paced_ms = [ms for half in halves for ms in half[which]["ms"]]
        q = quantiles(paced_ms)
        flat_q = quantiles([ms for half in halves for ms in half[which]["flat_ms"]])
        rows.append(
            {
                "store": label,
                "50/s: min ms": q["min"],
                "p50": q["p50"],
                "p99": q["p99"],
                "max": q["max"],
                "flat out, events/s": round(max(half[which]["per_s"] for half in halves)),
                "of 1000 callers p50 ms": flat_q["p50"],
                "p99 ms": flat_q["p99"],
                f"{MOST_PER_COMMIT} in one command, events/s": (
                    round(max(half[which]["one_command_per_s"] for half in halves)) if which == 0 else None
                ),
            }
        )
    show("Appending to the log, SQLite WAL with synchronous=FULL", rows)
    results: Json = {
        "event_bytes": len(msgspec.json.encode(EVENT)),
        "rows": rows,
        "verified": all(half[0]["verified_ok"] for half in halves),
        "verify_s": [half[0]["verify_s"] for half in halves],
    }
    save("log", results)
    return results


def _folders(folder: Path) -> list[str]:
    names = ["first", "second"]
    for name in names:
        (folder / name).mkdir()
    return names


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--flat", type=int, default=20_000)
    given = parser.parse_args()
    run(given.seconds, given.flat)


if __name__ == "__main__":
    main()
