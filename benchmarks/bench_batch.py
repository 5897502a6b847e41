"""Many 12-lead ECGs: how many a second and core, on one core and on two, against neurokit2 in the same minutes.

A batch is the whole reading of 256 ECGs, by the batch form of the core where there is one; the table says which. Two
cores are two processes, each with a batch of its own, begun together: the time runs from first start to last end.
"""

import argparse
import tempfile
from pathlib import Path
from typing import Final

import numpy as np

from benchmarks import rivals
from benchmarks.bench_interpret import about, verdict
from benchmarks.harness import Json, quantiles, save, show
from benchmarks.records import RATE_HZ, stack
from benchmarks.rival_worker import batch_form

RIVAL: Final = "neurokit2 ecg_process ×12"
RIVAL_ECGS: Final = 2  # of the rival in each round: it takes half a second for one
ONE: Final = "one process"
FASTER: Final = "times faster than neurokit2 an ECG, one core"
EACH_SECOND: Final = "ECGs a second on one core"
TWO_CORES: Final = "two cores against one"
GOALS: Final = {FASTER: (300.0, 1500.0), EACH_SECOND: (600.0, 2000.0), TWO_CORES: (1.6, 1.8)}


def _one(worker: rivals.Worker, path: Path, ecgs: int) -> tuple[float, float, Json]:
    """ms of wall and of processor an ECG, and the whole answer."""
    told = worker.run("batch", path, RATE_HZ, 1)
    if "error" in told:
        raise RuntimeError(f"the batch failed: {told['error']}")
    return told["ms"][0] / ecgs, told["cpu_ms"][0] / ecgs, told


def _two(workers: tuple[rivals.Worker, rivals.Worker], path: Path, ecgs: int) -> float:
    """ms an ECG while two processes read a batch each."""
    for worker in workers:
        worker.ask("batch", path, RATE_HZ, 1)
    told = [worker.answer() for worker in workers]
    if any("error" in one for one in told):
        raise RuntimeError(f"the batch failed: {told}")
    ms: float = (max(one["ended"] for one in told) - min(one["began"] for one in told)) * 1000
    return ms / (2 * ecgs)


def _measure(
    ecgs: int, rounds: int, folder: Path, installed: rivals.Installed, blas_threads: int | None
) -> Json:
    ours = installed.python[rivals.OURS]
    pair = (
        rivals.Worker(rivals.OURS, ["batch"], ours, blas_threads=blas_threads),
        rivals.Worker(rivals.OURS, ["batch"], ours, blas_threads=blas_threads),
    )
    rival, failed = rivals.start([RIVAL] if RIVAL in installed.pipelines else [], installed)
    times: dict[str, list[float]] = {
        name: [] for name in (ONE, f"{ONE}, CPU", "two processes", RIVAL, f"{RIVAL}, CPU")
    }
    last: dict[str, Json] = {}
    try:
        for worker in pair:
            if (why := worker.wait()) is not None:
                raise RuntimeError(f"ours does not start: {why}")
        samples, sources = stack(ecgs)
        path = folder / "batch.npy"
        np.save(path, samples)
        singles = [folder / f"{number}.npy" for number in range(min(ecgs, RIVAL_ECGS * (rounds + 1)))]
        for number, single in enumerate(singles):
            np.save(single, samples[number])
        for number in range(rounds + 1):  # the first round warms and does not count
            wall, cpu, last[rivals.OURS] = _one(pair[0], path, ecgs)
            both = _two(pair, path, ecgs)
            theirs: list[float] = []
            theirs_cpu: list[float] = []
            for worker in rival.values():
                for turn in range(RIVAL_ECGS):
                    told = worker.run(RIVAL, singles[(number * RIVAL_ECGS + turn) % len(singles)], RATE_HZ, 1)
                    last[worker.package] = told
                    theirs += told.get("ms", [])
                    theirs_cpu += told.get("cpu_ms", [])
            if number:
                times[ONE].append(wall)
                times[f"{ONE}, CPU"].append(cpu)
                times["two processes"].append(both)
                times[RIVAL] += theirs
                times[f"{RIVAL}, CPU"] += theirs_cpu
        processes = about({rivals.OURS: pair[0], **rival}, last)
    finally:
        for worker in (*pair, *rival.values()):
            worker.close()
    return {"sources": sources, "samples_ms_an_ecg": times, "processes": processes, "not_measured": failed}


def _goals(times: dict[str, list[float]]) -> list[Json]:
    """Each goal by medians, by minima, and by the processor's least time where that says something."""
    one, cpu, two, rival, rival_cpu = (
        quantiles(times[name], 6) for name in (ONE, f"{ONE}, CPU", "two processes", RIVAL, f"{RIVAL}, CPU")
    )
    told: dict[str, list[float]] = {name: [] for name in GOALS}
    for ours, theirs, key in ((one, rival, "p50"), (one, rival, "min"), (cpu, rival_cpu, "min")):
        if theirs["n"]:
            told[FASTER].append(theirs[key] / ours[key])
        told[EACH_SECOND].append(1000 / ours[key])
    told[TWO_CORES] = [one[key] / two[key] for key in ("p50", "min")]
    columns = ("by medians", "by minima", "by least CPU")
    return [
        {"goal": name, "must": must, "aim": aim}
        | {
            column: round(told[name][at], 2) if at < len(told[name]) else None
            for at, column in enumerate(columns)
        }
        | {"reached": verdict(told[name], must, aim) if told[name] else "not measured"}
        for name, (must, aim) in GOALS.items()
    ]


def run(ecgs: int = 256, rounds: int = 3, *, blas_threads: int | None = None) -> Json:
    """Measure, print, save."""
    installed = rivals.ensure()
    with tempfile.TemporaryDirectory() as folder:
        told = _measure(ecgs, rounds, Path(folder), installed, blas_threads)
    times = told["samples_ms_an_ecg"]
    rows = []
    for name, values in times.items():
        q = quantiles(values, 4)
        if q["n"]:
            rows.append(
                {
                    "what": name,
                    "rounds": q["n"],
                    "min ms an ECG": q["min"],
                    "median ms an ECG": q["p50"],
                    "ECGs/s (medians)": round(1000 / q["p50"], 1),
                    "ECGs/s (minima)": round(1000 / q["min"], 1),
                }
            )
    goals = _goals(times)
    sources = ", ".join(f"{count} {source}" for source, count in told["sources"].items())
    show(f"Batches of {ecgs} 12-lead ECGs ({sources}), 10 s at 500 Hz, by: {batch_form()}", rows)
    show("Goals of the batch", goals)
    show("The processes", told["processes"])
    for name, why in {**installed.missing, **told["not_measured"]}.items():
        if name == rivals.PIPELINES[RIVAL]:
            print(f"not measured: {name}: {why}")
    told["our_blas_threads"] = "as the product sets them" if blas_threads is None else blas_threads
    results: Json = {"ecgs": ecgs, "form": batch_form(), "rows": rows, "goals": goals, **told}
    save("batch", results)
    return results


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ecgs", type=int, default=256)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--blas-threads", type=int, help="of ours; otherwise as the product sets them")
    given = parser.parse_args()
    run(given.ecgs, given.rounds, blas_threads=given.blas_threads)


if __name__ == "__main__":
    main()
