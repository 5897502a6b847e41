"""From a file on disk to a whole `ParsedEcg` in mV, against wfdb-python and pydicom.

Every set is read as a batch by each in turn, round after round, so that what disturbs the machine disturbs all alike; a
set's ratio is that of the sums over its files. wfdb gives physical units (`rdrecord`); pydicom gives what its
`waveform_array` makes of the first group, either with nothing else looked at, or with every element decoded, which is
what "read in full" means for a library that decodes when asked. Ours reads what the file says as well: patient, times,
filters, statements, and what was tolerated.
"""

import argparse
import time
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Final

import pydicom
import wfdb

from benchmarks.harness import Json, data_folder, save, show
from greenchannel.ingest.reader import read_path

SETS: Final = {
    "LUDB, format 16": "ludb/data/*.hea",
    "PTB, format 16": "ptb-10s/*.hea",
    "challenges, .mat at byte 24": "cinc-12lead/records/*.hea",
    "MIT-BIH, format 212, 2 leads": "wfdb-annotated/*.hea",
}
MOST: Final = 40

Read = Callable[[Path], object]


def _wfdb(path: Path) -> object:
    return wfdb.rdrecord(str(path.with_suffix(""))).p_signal


def _pydicom(path: Path) -> object:
    return pydicom.dcmread(path).waveform_array(0)


def _pydicom_in_full(path: Path) -> object:
    dataset = pydicom.dcmread(path)
    for _ in dataset.iterall():
        pass
    return dataset.waveform_array(0)


def measured(paths: Sequence[Path], readers: dict[str, Read], rounds: int) -> Json:
    """Milliseconds a file by each reader, and how many times the first is quicker than each other.

    By the clock on the wall the quickest round counts, by that of the processor, which other programs do not move, the
    median.
    """
    times: dict[str, list[list[float]]] = {name: [[] for _ in paths] for name in readers}
    spent: dict[str, list[list[float]]] = {name: [[] for _ in paths] for name in readers}
    for _ in range(rounds):
        for name, read in readers.items():
            for at, path in enumerate(paths):
                start, began = time.perf_counter(), time.process_time()
                read(path)
                spent[name][at].append((time.process_time() - began) * 1000)
                times[name][at].append((time.perf_counter() - start) * 1000)
    least = {name: sum(map(min, each)) / len(paths) for name, each in times.items()}
    middle = {name: sum(map(median, each)) / len(paths) for name, each in spent.items()}
    ours, *rivals = readers
    return {
        "files": len(paths),
        "rounds": rounds,
        "min_ms": {name: round(value, 3) for name, value in least.items()},
        "processor_median_ms": {name: round(value, 3) for name, value in middle.items()},
        "times_quicker_min": {name: round(least[name] / least[ours], 1) for name in rivals},
        "times_quicker_processor_median": {name: round(middle[name] / middle[ours], 1) for name in rivals},
    }


def _readable(paths: Sequence[Path], readers: Sequence[Read]) -> list[Path]:
    """Those that every reader takes: malformed samples are no race."""
    taken = []
    for path in paths:
        try:
            for read in readers:
                read(path)
        except (ArithmeticError, AttributeError, LookupError, OSError, TypeError, ValueError):
            continue
        taken.append(path)
    return taken


def run(rounds: int = 7) -> None:
    """Measure all sets, print a table and keep the numbers."""
    folder = data_folder()
    if folder is None:
        print("parse: no folder of recordings, nothing is measured")
        return
    results: Json = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, pattern in SETS.items():
            both: dict[str, Read] = {"ours": read_path, "wfdb": _wfdb}
            paths = _readable(sorted(folder.glob(pattern))[:MOST], list(both.values()))
            results[name] = measured(paths, both, rounds)
        three: dict[str, Read] = {
            "ours": read_path,
            "pydicom": _pydicom,
            "pydicom, every element": _pydicom_in_full,
        }
        paths = _readable(sorted((folder / "ecg-formats" / "dicom").glob("*.dcm")), list(three.values()))
        results["DICOM of five devices"] = measured(paths, three, rounds)
    save("parse", {"sets": results})
    show(
        "From file to ECG, ms a file (least on the wall / median of the processor)",
        [
            {
                "set": name,
                "files": one["files"],
                "reader": reader,
                "ms": f"{one['min_ms'][reader]} / {one['processor_median_ms'][reader]}",
                "ours is quicker": _ratio(one, reader),
            }
            for name, one in results.items()
            for reader in one["min_ms"]
        ],
    )


def _ratio(one: Json, reader: str) -> str | None:
    if reader == "ours":
        return None
    return f"{one['times_quicker_min'][reader]}× / {one['times_quicker_processor_median'][reader]}×"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7, help="how often each file is read by each")
    run(parser.parse_args().rounds)


if __name__ == "__main__":
    main()
