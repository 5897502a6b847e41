"""What all benchmarks share: on which machine, how samples become quantiles, where results go."""

import json
import os
import platform
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

import numpy as np

ROOT: Final = Path(__file__).resolve().parent.parent
RESULTS: Final = Path(__file__).resolve().parent / "results"
_PACKAGES: Final = (
    "greenchannel", "numpy", "scipy", "neurokit2", "pydicom", "wfdb", "fastapi", "uvicorn", "uvloop", "websockets",
    "sqlalchemy", "msgspec",
)  # fmt: skip

Json = dict[str, Any]


def data_folder() -> Path | None:
    """Real recordings: ``GREENCHANNEL_TEST_DATA``, or ``../shared/data`` beside the repository; None without."""
    folder = Path(os.environ.get("GREENCHANNEL_TEST_DATA") or ROOT.parent / "shared" / "data")
    return folder if (folder / "index.csv").is_file() else None


def load_1min() -> float | None:
    """How many processes wanted a core in the last minute; None where the system does not say."""
    return round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None


_LOAD_AT_START: Final = (
    load_1min()
)  # before the first run of this process; ours is in what is told at the end


def machine() -> Json:
    """Processor, memory, system, and how busy the machine was before and is now."""
    cpu = next(
        (
            line.partition(":")[2].strip()
            for line in _lines("/proc/cpuinfo")
            if line.startswith(("model name", "Model"))
        ),
        platform.processor(),
    )
    memory_kb = next(
        (line.split()[1] for line in _lines("/proc/meminfo") if line.startswith("MemTotal")), None
    )
    return {
        "cpu": cpu,
        "cores": os.cpu_count(),
        "memory_gb": None if memory_kb is None else round(int(memory_kb) / 2**20, 1),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "load_1min_before": _LOAD_AT_START,
        "load_1min_after": load_1min(),
    }


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text(encoding="utf-8").splitlines()
    except OSError:
        return []


def versions() -> dict[str, str | None]:
    """Installed versions of what is measured."""
    found: dict[str, str | None] = {}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = None
    return found


def quantiles(values: Sequence[float], digits: int = 3) -> Json:
    """Count, smallest, median, 95th and 99th percentile and largest of `values`; None each where there is none."""
    names = ("min", "p50", "p95", "p99", "max")
    if not values:
        return {"n": 0, **dict.fromkeys(names)}
    at = np.percentile(np.asarray(values, dtype=float), (0, 50, 95, 99, 100))
    return {"n": len(values), **{name: round(float(v), digits) for name, v in zip(names, at, strict=True)}}


def interleaved(work: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    """Milliseconds of every run, one of each after the other: what disturbs the machine disturbs all alike."""
    times: dict[str, list[float]] = {name: [] for name in work}
    for _ in range(rounds):
        for name, run in work.items():
            start = time.perf_counter()
            run()
            times[name].append((time.perf_counter() - start) * 1000)
    return times


def save(name: str, results: Json) -> Path:
    """Write ``results/<name>.json`` beside machine, date and versions."""
    RESULTS.mkdir(exist_ok=True)
    whole = {
        "benchmark": name,
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine(),
        "versions": versions(),
        **results,
    }
    path = RESULTS / f"{name}.json"
    path.write_text(json.dumps(whole, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


def show(title: str, rows: Sequence[Mapping[str, object]]) -> None:
    """Print rows of equal keys as a Markdown table."""
    print(f"\n## {title}")
    if not rows:
        print("nothing")
        return
    head = list(rows[0])
    print("| " + " | ".join(head) + " |")
    print("|" + "---|" * len(head))
    for row in rows:
        print("| " + " | ".join("" if row.get(key) is None else str(row[key]) for key in head) + " |")
