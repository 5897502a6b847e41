"""Ten-second 12-lead ECGs at 500 Hz for the benchmarks of speed: real ones of three sources, and simulated ones.

All pipelines get the same samples. Records of 1000 Hz are halved beforehand, for all alike; a longer record is cut.
"""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Final
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from benchmarks.harness import data_folder
from greenchannel.ingest.reader import read_path
from greenchannel.signal.leads import STANDARD_12
from greenchannel.signal.synthesis import synthesize

RATE_HZ: Final = 500
SAMPLES: Final = 10 * RATE_HZ
ONE_OF_EACH: Final = {
    "PTB": "ptb-10s/patient223_s0445_re",  # infarction, day 3
    "LUDB": "ludb/data/101",
    "CinC": "cinc-12lead/records/JS00001",  # fibrillation
}
_SETS: Final = {"ptb-10s": "PTB", "ludb": "LUDB", "cinc-12lead": "CinC"}

Samples = NDArray[np.float32]


def ten_seconds(path: Path) -> Samples | None:
    """Samples of a WFDB record in mV, shape ``(12, 5000)``; None where it is none of twelve leads and ten seconds."""
    try:
        recording = read_path(path.with_name(path.name + ".hea")).recording
    except (OSError, ValueError):
        return None
    step, rest = divmod(recording.rate_hz, RATE_HZ)
    if rest or step < 1 or any(lead not in recording.leads for lead in STANDARD_12):
        return None
    rows = [recording.leads.index(lead) for lead in STANDARD_12]
    cut = np.ascontiguousarray(recording.samples_mv[rows, :: int(step)][:, :SAMPLES])
    return cut if cut.shape[1] == SAMPLES and np.isfinite(cut).all() else None


def simulated(seed: int = 1) -> Samples:
    """A simulated infarction with noise, wander and mains, shape ``(12, 5000)``."""
    recording = synthesize(
        scenario="extensive_anterior_high_lateral_stemi",
        seed=seed,
        noise_mv=0.006,
        wander_mv=0.05,
        mains_mv=0.01,
    )
    return np.ascontiguousarray(
        recording.samples_mv[[recording.leads.index(lead) for lead in STANDARD_12], :SAMPLES]
    )


def one_of_each() -> dict[str, Samples]:
    """A simulated ECG, and a real one of each source where the data are."""
    found = {"simulated": simulated()}
    folder = data_folder()
    for name, record in ONE_OF_EACH.items():
        samples = None if folder is None else ten_seconds(folder / record)
        if samples is not None:
            found[name] = samples
    return found


def every_real() -> Iterator[tuple[str, Samples]]:
    """Source and samples of every fitting record, in an order that mixes the sources and is always the same."""
    folder = data_folder()
    if folder is None:
        return
    with (folder / "index.csv").open(encoding="utf-8", newline="") as file:
        rows = [
            row for row in csv.DictReader(file) if row["set"] in _SETS and row["format"].startswith("wfdb")
        ]
    for row in sorted(rows, key=lambda row: crc32(row["path"].encode())):
        samples = ten_seconds(folder / row["path"])
        if samples is not None:
            yield _SETS[row["set"]], samples


def stack(count: int) -> tuple[Samples, dict[str, int]]:
    """`count` ECGs, shape ``(count, 12, 5000)``, and how many of each source.

    Every real one once, then again until there are enough, a repeated one a thousandth larger so that no ECG is given
    twice; without the data simulated ones of different seeds.
    """
    real = list(every_real())
    if not real:
        return np.stack([simulated(seed) for seed in range(count)]), {"simulated": count}
    chosen = [
        (source, samples * np.float32(1 + 0.001 * (number // len(real))))
        for number in range(count)
        for source, samples in [real[number % len(real)]]
    ]
    counted = {
        source: sum(one == source for one, _ in chosen) for source in sorted({one for one, _ in chosen})
    }
    return np.stack([samples for _, samples in chosen]), counted
