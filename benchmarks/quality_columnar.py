"""The same medians by a columnar library: DuckDB and polars on an exported snapshot, against `tabulate`.

``python -m benchmarks.bench_quality --part snapshot --database DB --out FILE.npz`` writes the snapshot: one row for
each case and distinct interval, already judged, with the group of each grouping. This module then runs under an
interpreter that has duckdb, polars and numpy, no part of the product: ``python quality_columnar.py FILE.npz``.
"""

import importlib
import json
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np


def by_duckdb(snapshot: dict[str, Any], groupings: list[str]) -> Callable[[], int]:
    """Count, mean and quartiles of every interval by every grouping, with and without who is left out."""
    duckdb: Any = importlib.import_module("duckdb")
    connection = duckdb.connect()
    connection.execute("SET threads = 1")
    connection.register("source", snapshot)
    connection.execute("CREATE TABLE minutes AS SELECT * FROM source")
    wanted = "interval, count(*), avg(us), quantile_cont(us, [0.25, 0.5, 0.75])"

    def run() -> int:
        cells = 0
        for name in groupings:
            for where in ("", "WHERE NOT gone"):
                query = f'SELECT {wanted}, "{name}" FROM minutes {where} GROUP BY interval, "{name}"'
                cells += len(connection.execute(query).fetchall())
        return cells

    return run


def by_polars(snapshot: dict[str, Any], groupings: list[str]) -> Callable[[], int]:
    """The same."""
    polars: Any = importlib.import_module("polars")
    frame = polars.DataFrame(snapshot)
    us = polars.col("us")
    wanted = [us.len().alias("n"), us.mean().alias("mean")]
    wanted += [us.quantile(part, "linear").alias(f"q{part}") for part in (0.25, 0.5, 0.75)]

    def run() -> int:
        cells = 0
        for name in groupings:
            for part in (frame, frame.filter(~polars.col("gone"))):
                cells += part.group_by("interval", name).agg(wanted).height
        return cells

    return run


def main() -> None:
    """Print the milliseconds of three rounds of each library as JSON."""
    with np.load(sys.argv[1]) as file:
        snapshot = {name: file[name] for name in file.files}
    groupings = [name for name in snapshot if name not in ("interval", "us", "gone")]
    for name, make in (("duckdb", by_duckdb), ("polars", by_polars)):
        since = time.perf_counter()
        run = make(snapshot, groupings)
        ready = time.perf_counter()
        times = []
        for _ in range(3):
            begun = time.perf_counter()
            cells = run()
            times.append(round(1000 * (time.perf_counter() - begun)))
        told = {
            "library": name,
            "rows": len(snapshot["us"]),
            "cells": cells,
            "load_ms": round(1000 * (ready - since)),
        }
        print(json.dumps(told | {"ms": times}))


if __name__ == "__main__":
    main()
