"""All metrics in all groupings over ten years of a province: by a new process, after one more case, and from the log.

The log is written first, by the product's own writer. Then each part runs in a process of its own: `rebuild` folds the
log and writes the read model; `ask` starts on that and counts everything, then takes in one infarction after the other
and counts again.
"""

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any, Final

from benchmarks.harness import ROOT, Json, quantiles, save, show

PER_COMMAND: Final = 100  # cases
MUST_AIM: Final = {"new process": ("5", "1"), "one more case": ("0.2", "0.05"), "rebuild": ("600", "180")}


def write_log(database: Path, n: int) -> Json:
    """The log of `n` cases, and their sites."""
    from benchmarks.quality_cases import CLINICS, cases, site
    from greenchannel.clock import SystemClock
    from greenchannel.events import case_stream
    from greenchannel.store.accounts import Accounts
    from greenchannel.store.engine import migrate, open_engine
    from greenchannel.store.writer import Tx, Writer

    engine = open_engine(f"sqlite:///{database}")
    migrate(engine)
    accounts = Accounts(engine)
    for number in range(CLINICS):
        accounts.add_site(
            site(number), f"{number}号卫生院", f"Clinic {number}", "clinic", town=f"town-{number % 20}"
        )
    writer = Writer(engine, SystemClock())
    writer.start()
    since, events = time.perf_counter(), 0

    async def write() -> int:
        written = 0
        source: Iterator[Any] = cases(n)
        while part := list(islice(source, PER_COMMAND)):

            def command(tx: Tx, part: list[Any] = part) -> int:
                for case_id, steps in part:
                    for at, actor, event in steps:
                        tx.append(case_stream(case_id), [event], actor=actor, at=at)
                return sum(len(steps) for _, steps in part)

            written += await writer.transact(command)
        return written

    events = asyncio.run(write())
    writer.close()
    engine.dispose()
    return {"events": events, "write_s": round(time.perf_counter() - since, 1)}


def rebuild(database: Path) -> Json:
    """Fold the log and write the read model, as a start on empty tables does."""
    from greenchannel.alerts.quality.columns import layout_name
    from greenchannel.service.book import CaseBook
    from greenchannel.service.desk import FOLDED_AT_ONCE
    from greenchannel.service.quality_book import row_of
    from greenchannel.store import quality_rows
    from greenchannel.store.engine import open_engine
    from greenchannel.store.log import Log

    engine = open_engine(f"sqlite:///{database}")
    quality_rows.clear(engine)
    since = time.perf_counter()
    book, log = CaseBook(), Log(engine)
    while envelopes := log.read(book.seq, FOLDED_AT_ONCE):
        book.apply(envelopes)
    folded = time.perf_counter()
    quality_rows.replace(engine, map(row_of, book.cases.values()), book.seq, layout_name())
    ended = time.perf_counter()
    return {
        "cases": len(book.cases),
        "events": book.seq,
        "fold_s": round(folded - since, 2),
        "records_s": round(ended - folded, 2),
        "rebuild_s": round(ended - since, 2),
        "cpu_s": round(time.process_time(), 2),
    }


def ask(database: Path, more: int) -> Json:
    """Count everything from the read model, then again after each of `more` new infarctions."""
    from greenchannel.alerts.quality.answers import Question
    from greenchannel.alerts.quality.columns import Columns
    from greenchannel.alerts.quality.counter import Counter
    from greenchannel.alerts.quality.engine import answer_of
    from greenchannel.alerts.quality.record_of import SiteFacts
    from greenchannel.store import quality_rows
    from greenchannel.store.accounts import Accounts
    from greenchannel.store.engine import open_engine

    begun = time.perf_counter()
    engine = open_engine(f"sqlite:///{database}")
    columns = Columns({one.id: SiteFacts(town=one.town, kind=one.kind) for one in Accounts(engine).sites()})
    columns.load(quality_rows.numbers(engine))
    loaded = time.perf_counter()
    counter = Counter(columns)
    cells = counter.count_all()
    counted = time.perf_counter()
    known = {
        "cases": len(columns),
        "cells": cells,
        "load_s": round(loaded - begun, 3),
        "count_s": round(counted - loaded, 3),
        "cpu_s": round(time.process_time(), 3),  # from the start of the process: imports too
    }
    print(json.dumps(known), flush=True)  # the parent's clock stops here: everything is counted

    times, cpu_s = zip(*_one_more(counter, more), strict=True)
    since = time.perf_counter()
    whole = answer_of(counter, Question(edition="china", by=("clinic",)))
    return {
        "one_more_s": times,
        "one_more_cpu_s": cpu_s,
        "answer_china_by_clinic_with_ids_s": time.perf_counter() - since,
        "metrics": len(whole.metrics),
    }


def snapshot(database: Path, out: Path) -> Json:
    """Write every exact interval with its groups as plain columns, and time the same medians by `tabulate`."""
    import numpy as np

    from greenchannel.alerts.quality.columns import YES, Columns
    from greenchannel.alerts.quality.counter import Counter, same_count
    from greenchannel.alerts.quality.groups import GROUPINGS
    from greenchannel.alerts.quality.kept import Kept
    from greenchannel.alerts.quality.metrics import editions, exclusions, metrics
    from greenchannel.alerts.quality.tabulate import spread, tabulate, tabulate_kept
    from greenchannel.alerts.quality.verdicts import Status
    from greenchannel.store import quality_rows
    from greenchannel.store.engine import open_engine

    columns = Columns()
    columns.load(quality_rows.numbers(open_engine(f"sqlite:///{database}")))
    counter = Counter(columns)
    distinct = {same_count(row): row for row in metrics().values() if row.kind == "interval"}
    names = editions()["china"].exclusions
    groups = {name: counter.groups((name,)) for name in GROUPINGS}
    kept = [(number, counter.verdicts(row)) for number, row in enumerate(distinct.values())]
    parts: dict[str, list[Any]] = {name: [] for name in ("interval", "us", "gone", *groups)}
    for number, verdicts in kept:
        exact = np.flatnonzero(verdicts.status == Status.EXACT)
        rows = verdicts.rows[exact]
        parts["interval"].append(np.full(len(rows), number, np.int16))
        parts["us"].append(verdicts.us[exact])
        parts["gone"].append(np.logical_or.reduce(list(counter.left_out(names, rows).values())))
        for name, grouping in groups.items():
            parts[name].append(grouping.code[rows])
    columns_of: dict[str, Any] = {name: np.concatenate(found) for name, found in parts.items()}
    np.savez(out, **columns_of)
    gone = np.logical_or.reduce([columns.fact(exclusions()[name].fact) == YES for name in names])
    judged = [Kept.of(verdicts) for _, verdicts in kept]
    whole, alone = [], []
    for _ in range(3):
        begun = time.perf_counter()
        for one in judged:
            for grouping in groups.values():
                table = tabulate(one, grouping.code, grouping.filled)
                left = {name: values.but(gone) for name, values in one.ordered.items()}
                tabulate_kept(one, grouping.code, grouping.filled, table, gone, left)
        counted = time.perf_counter()
        for one in judged:
            part = one.ordered["exact"]
            for grouping in groups.values():
                spread(part, grouping.code, grouping.filled)
                spread(part.but(gone), grouping.code, grouping.filled)
        alone.append(round(1000 * (time.perf_counter() - counted)))
        whole.append(round(1000 * (counted - begun)))
    rows_n = sum(len(part) for part in parts["us"])
    return {"library": "tabulate", "rows": rows_n, "ms": alone, "with_counts_and_bounds_ms": whole}


def _one_more(counter: Any, more: int) -> Iterator[tuple[float, float]]:
    """Seconds by the wall and of the processor until everything is counted anew: a new case, then the same changed."""
    from benchmarks.quality_cases import cases
    from greenchannel.alerts.case import fold
    from greenchannel.events import Envelope, case_stream
    from greenchannel.service.quality_book import into, row_of

    drawn = (one for one in cases(more * 20, seed=2) if len(one[1]) > 15)
    for case_id, steps in islice(drawn, more):
        case = None
        for number, (at, actor, event) in enumerate(steps, start=1):
            case = fold(
                case,
                Envelope(
                    seq=10**9 + number, stream=case_stream(case_id), version=number, at=at, clock="server",
                    actor=actor, event=event,
                ),
            )  # fmt: skip
            if number in (len(steps) - 2, len(steps)):  # without its diagnosis, and closed
                since, cpu = time.perf_counter(), time.process_time()
                into(counter, row_of(case))
                counter.count_all()
                yield time.perf_counter() - since, time.process_time() - cpu


def _part(name: str, database: Path, *options: str) -> tuple[list[Json], float]:
    """Run a part in a new process: what it printed, and seconds from its start to the first line."""
    since = time.perf_counter()
    command = [
        sys.executable,
        "-m",
        "benchmarks.bench_quality",
        "--part",
        name,
        "--database",
        str(database),
        *options,
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline()]
        first_s = time.perf_counter() - since
        lines += process.stdout.readlines()
    if process.returncode:
        raise RuntimeError(f"part {name} ended with {process.returncode}")
    return [json.loads(line) for line in lines], first_s


def measure(database: Path, n: int, rounds: int, more: int) -> Json:
    """All parts over `n` cases; a log that is there is not written again."""
    written: Json = {}
    if not database.exists():
        (written,), _ = _part("write", database, "--cases", str(n))
    (rebuilt,), _ = _part("rebuild", database)
    asked = [_part("ask", database, "--more", str(more)) for _ in range(rounds)]
    return {
        "written": written,
        "rebuild": rebuilt,
        "new_process_s": [round(first_s, 3) for _, first_s in asked],
        "asked": [lines[0] for lines, _ in asked],
        "answer_china_by_clinic_with_ids_s": [
            round(lines[1]["answer_china_by_clinic_with_ids_s"], 3) for lines, _ in asked
        ],
        **{
            name: quantiles([one for lines, _ in asked for one in lines[1][name]], digits=4)
            for name in ("one_more_s", "one_more_cpu_s")
        },
        "database_mb": round(database.stat().st_size / 1e6),
    }


def run(n: int = 5_000, rounds: int = 1, more: int = 10, database: Path | None = None) -> Json:
    """Measure, print, save."""
    with tempfile.TemporaryDirectory() as folder:
        found = measure(database or Path(folder) / "quality.sqlite", n, rounds, more)
    n = found["rebuild"]["cases"]
    values = {  # by the wall, and of the processor: on a busy machine they differ
        "new process": (max(found["new_process_s"]), max(one["cpu_s"] for one in found["asked"])),
        "one more case": (found["one_more_s"]["max"], found["one_more_cpu_s"]["max"]),
        "rebuild": (found["rebuild"]["rebuild_s"], found["rebuild"].get("cpu_s")),
    }
    rows = [
        {"what": name, "s (worst)": wall, "CPU s": cpu, "must": MUST_AIM[name][0], "aim": MUST_AIM[name][1]}
        for name, (wall, cpu) in values.items()
    ]
    cells = found["asked"][0]["cells"]
    show(f"All metrics, all groupings: {n} cases, {found['rebuild']['events']} events, {cells} cells", rows)
    results: Json = {"cases": n, "rows": rows, **found}
    save("quality", results)
    return results


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--more", type=int, default=20)
    parser.add_argument("--part", choices=("write", "rebuild", "ask", "snapshot"))
    parser.add_argument("--out", type=Path)
    parser.add_argument("--database", type=Path)
    given = parser.parse_args()
    if given.part is None:
        run(given.cases, given.rounds, given.more, given.database)
        return
    parts = {
        "write": lambda: write_log(given.database, given.cases),
        "rebuild": lambda: rebuild(given.database),
        "ask": lambda: ask(given.database, given.more),
        "snapshot": lambda: snapshot(given.database, given.out),
    }
    print(json.dumps(parts[given.part]()))


if __name__ == "__main__":
    main()
