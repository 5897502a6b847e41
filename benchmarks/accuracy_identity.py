"""How often a person is asked whose ECG this is: rightly, and without need.

Persons are divided in two by their name: on one half the numbers of `triage/patient_doubt.toml` were chosen, the
figures of the other half are what is reported. A person has two recordings: real ones of two days where there are, else
the halves of one real record with the electrodes put on anew, else two simulated strips of one heart.

Run: ``python -m benchmarks.accuracy_identity``.
"""

import csv
import hashlib
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from benchmarks.harness import data_folder
from greenchannel.ingest.errors import IngestError
from greenchannel.ingest.reader import read_path
from greenchannel.signal.heart_shape import shape_of
from greenchannel.signal.leads import LIMB, PRECORDIAL, STANDARD_12
from greenchannel.signal.measure import measure
from greenchannel.signal.recording import Recording
from greenchannel.signal.same_recording import same_samples
from greenchannel.signal.synthesis import simulate
from greenchannel.triage.patient_doubt import LIMITS, doubt

SEED: Final = 20261129
HEARTS: Final = 300  # simulated
OTHERS: Final = 200  # patients of the site whose recordings are looked at
DRAWS: Final = 20  # wrong patients drawn for each recording
PLACE: Final = 0.25  # a chest electrode lies so far towards its neighbour, SD as a share of the distance [E]
GAIN: Final = 0.06  # SD of the size, by breath and posture [E]
SETS: Final = ("ludb", "ptb-10s", "ptb-diagnostic", "cinc-12lead")
TURN_DEG: Final = 5.0  # SD of the axis, by posture [E]


class Pair(NamedTuple):
    """Two recordings of one person, as shapes."""

    person: str
    kind: str  # "days", "halves", "simulated"
    first: bytes
    second: bytes


@dataclass(kw_only=True)
class Count:
    """Of how many how many."""

    found: int = 0
    of: int = 0

    def __str__(self) -> str:
        return f"{self.found}/{self.of}" + (f" ({100 * self.found / self.of:.1f} %)" if self.of else "")


def put_on_anew(recording: Recording, rng: np.random.Generator) -> Recording:
    """The same heart with chest electrodes a little elsewhere, another breath and another posture."""
    x = np.array(recording.samples_mv, dtype=np.float64)
    row = {name: k for k, name in enumerate(recording.leads)}
    chest = [row[name] for name in PRECORDIAL]
    moved = x.copy()
    for k, at in enumerate(chest):
        share = float(np.clip(rng.normal(0.0, PLACE), -0.6, 0.6))
        beside = chest[min(k + 1, 5)] if share > 0 else chest[max(k - 1, 0)]
        moved[at] = x[at] + abs(share) * (x[beside] - x[at])
    angle = np.deg2rad(rng.normal(0.0, TURN_DEG))
    across, down = x[row["I"]], (x[row["II"]] - x[row["I"]] / 2) * 2 / np.sqrt(3)
    one = np.cos(angle) * across - np.sin(angle) * down
    two = (np.sin(angle) * across + np.cos(angle) * down) * np.sqrt(3) / 2 + one / 2
    limb = (one, two, two - one, -(one + two) / 2, one - two / 2, two - one / 2)
    for name, trace in zip(LIMB, limb, strict=True):
        moved[row[name]] = trace
    moved *= np.exp(rng.normal(0.0, GAIN))
    return Recording(samples_mv=moved.astype(np.float32), leads=recording.leads, rate_hz=recording.rate_hz)


def _shape(recording: Recording) -> bytes | None:
    return shape_of(measure(recording), recording.leads)


def _halves(recording: Recording) -> tuple[Recording, Recording]:
    n = recording.samples_mv.shape[1] // 2
    first, second = (
        Recording(samples_mv=part, leads=recording.leads, rate_hz=recording.rate_hz)
        for part in (recording.samples_mv[:, :n], recording.samples_mv[:, n:])
    )
    return first, second


def real_records() -> Iterator[tuple[str, Recording]]:
    """Person and recording of every real 12-lead record; none where there are no data."""
    folder = data_folder()
    if folder is None:
        return
    with (folder / "index.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["set"] in SETS]
    for row in rows:
        path = folder / row["path"]
        try:
            recording = read_path(path if path.exists() else Path(f"{path}.hea")).recording
        except IngestError:
            continue
        if set(STANDARD_12) <= set(recording.leads):
            yield row["patient"], recording


def real_pairs(rng: np.random.Generator) -> Iterator[Pair]:
    """Of every person with a real record: recordings of several days, or the halves of the one there is."""
    by_person: defaultdict[str, list[Recording]] = defaultdict(list)
    for person, recording in real_records():
        if not any(same_samples(recording, known) for known in by_person[person]):
            by_person[person].append(recording)
    for person, recordings in by_person.items():
        shapes = [shape for one in recordings if (shape := _shape(one)) is not None]
        if len(shapes) > 1:
            yield from (Pair(person, "days", a, b) for k, a in enumerate(shapes) for b in shapes[k + 1 :])
            continue
        first, second = _halves(recordings[0])
        a, b = _shape(first), _shape(put_on_anew(second, rng))
        if a is not None and b is not None:
            yield Pair(person, "halves", a, b)


def simulated_pairs(rng: np.random.Generator) -> Iterator[Pair]:
    """Two strips of each of many hearts: another rate, noise, electrodes put on anew."""
    for seed in range(HEARTS):
        age, sex = float(rng.uniform(30, 85)), ("male", "female")[seed % 2]
        first, second = (
            simulate(
                seed=SEED + seed,
                variation=1.0,
                age_years=age,
                sex=sex,
                heart_rate_bpm=float(rng.uniform(55, 105)),
                white_mv=0.008,
                emg_mv=0.01,
                wander_mv=0.05,
            ).recording
            for _ in range(2)
        )
        a, b = _shape(first), _shape(put_on_anew(second, rng))
        if a is not None and b is not None:
            yield Pair(f"simulated-{seed}", "simulated", a, b)


def half_of(person: str) -> str:
    """Which half a person belongs to."""
    return "chosen on" if hashlib.sha256(person.encode()).digest()[0] % 2 else "reported"


def score(pairs: list[Pair], rng: np.random.Generator) -> dict[tuple[str, str], Count]:
    """By what was asked and the kind of pair: warnings where the patient was right, and where it was wrong."""
    counts: defaultdict[tuple[str, str], Count] = defaultdict(Count)
    first_of = {pair.person: pair.first for pair in pairs}
    people = sorted(first_of)
    for pair in pairs:
        strangers = [person for person in people if person != pair.person]
        drawn = rng.choice(strangers, min(OTHERS, len(strangers)), replace=False).tolist()
        right = doubt(pair.second, [pair.first], [first_of[person] for person in drawn])
        _count(counts["needless", pair.kind], right is not None)
        for wrong in rng.choice(strangers, min(DRAWS, len(strangers)), replace=False).tolist():
            rest = [person for person in drawn if person != wrong][: OTHERS - 1]
            others = [pair.first, *(first_of[person] for person in rest)]
            asked = doubt(pair.second, [first_of[wrong]], others)
            _count(counts["asked", pair.kind], asked is not None)
            _count(counts["named the right one", pair.kind], asked is not None and asked.other == 0)
    return counts


def _count(count: Count, found: bool) -> None:
    count.found += found
    count.of += 1


def pairs_of_all() -> list[Pair]:
    """Every pair, real ones first."""
    rng = np.random.default_rng(SEED)
    return [*real_pairs(rng), *simulated_pairs(rng)]


def main() -> None:
    """Print both halves."""
    rng = np.random.default_rng(SEED)
    pairs = pairs_of_all()
    limits = {name: getattr(LIMITS, name).value for name in ("fits", "differs", "times")}
    sys.stdout.write(f"limits {limits}\n")
    for half in ("chosen on", "reported"):
        mine = [pair for pair in pairs if half_of(pair.person) == half]
        for real in (True, False):
            some = [pair for pair in mine if (pair.kind != "simulated") == real]
            sys.stdout.write(f"{half}: {len({p.person for p in some})} persons, {len(some)} pairs\n")
            for (asked, kind), count in sorted(score(some, rng).items()):
                sys.stdout.write(f"  {kind:10} {asked:20} {count}\n")


if __name__ == "__main__":
    main()
