"""Median beats of real people for `train_reversal`, and swaps made of them.

No recording has a known swap: all are made by `greenchannel.signal.electrodes.apply`, and what the recordings hold as
they are is taken for rightly connected.
"""

import csv
import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from greenchannel.ingest.reader import read_path
from greenchannel.signal import electrodes, reversal
from greenchannel.signal.electrodes import Floats
from greenchannel.signal.leads import STANDARD_12
from greenchannel.signal.measure import measure

LEG_NOISE_MV = 0.01  # the legs differ by so much (RMS, below 40 Hz) in the simulation of LEAD-3 [E]
LEFT_OUT = ("E00015", "JS45546")  # a malformed header; a tachycardia without measurable beats
# A label with one of these is not "sinus rhythm and nothing else".
SICK = re.compile(
    "fibrill|flutter|premature|block|pac|wandering|conduction|low qrs|prolonged|hypertrophy|overload|enlargement|"
    "deviation|ventricular|abnormal|nonspecific|t wave|infarct|stemi|scar|ischemia|inver|s t |old "
)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Beat:
    """A median beat of a person, twelve leads in the usual order."""

    name: str
    person: str
    label: str
    mv: Floats
    p: tuple[float, float] | None
    qrs: tuple[int, int]
    t_off: float | None
    usable: np.ndarray[Any, np.dtype[np.bool_]]

    @property
    def clean(self) -> bool:
        """Sinus rhythm or health, and nothing else, by the source's label."""
        label = self.label.lower()
        return ("sinus" in label or "healthy" in label) and SICK.search(label) is None


def load(folder: Path) -> list[Beat]:
    """The median beats of all persons' recordings."""
    with (folder / "index.csv").open(encoding="utf-8") as file:
        rows = [
            row for row in csv.DictReader(file) if row["format"] == "wfdb" and int(row["n_leads"] or 0) >= 12
        ]
    beats = []
    for row in (row for row in rows if row["record"] not in LEFT_OUT):
        recording = read_path(folder / (row["path"] + ".hea")).recording
        found = measure(recording)
        if found.median is None or set(STANDARD_12) - set(recording.leads):
            print(row["record"], "not measured", file=sys.stderr)
            continue
        at = [recording.leads.index(name) for name in STANDARD_12]
        on, off = (round(s * 500) for s in (found.median.qrs_on_s, found.median.qrs_off_s))
        whole = [b for b in found.beats if b.qrs_on_s is not None]
        p_on = _middle((b.p_on_s or np.nan) - (b.qrs_on_s or 0) for b in whole)
        p_off = _middle((b.p_off_s or np.nan) - (b.qrs_on_s or 0) for b in whole)
        t_off = _middle((b.t_off_s or np.nan) - (b.qrs_on_s or 0) for b in whole)
        beats.append(
            Beat(
                name=f"{row['set']}/{row['record']}",
                person=row["patient"],
                label=row["label"],
                mv=np.asarray(found.median.samples_mv, dtype=np.float64)[at],
                p=None if p_on is None or p_off is None else (on + p_on * 500, on + p_off * 500),
                qrs=(on, off),
                t_off=None if t_off is None else on + t_off * 500,
                usable=np.array([found.leads[name].usable for name in STANDARD_12]),
            )
        )
    return beats


def halves(beats: list[Beat]) -> tuple[list[Beat], list[Beat]]:
    """Half A, on which methods and constants were chosen, and half B; no person is in both.

    A is LUDB below 100 and every second person of the other sets.
    """
    others = sorted({beat.person for beat in beats if not beat.person.startswith("ludb-")})
    first = {person for i, person in enumerate(others) if i % 2 == 0}
    first |= {beat.person for beat in beats if beat.person.startswith("ludb-") and int(beat.person[5:]) < 100}
    return [b for b in beats if b.person in first], [b for b in beats if b.person not in first]


def _middle(values: Iterable[float]) -> float | None:
    """The median of what is known; None where that is less than half."""
    all_ = np.array(list(values))
    known = all_[np.isfinite(all_)]
    return float(np.median(known)) if known.size and 2 * known.size >= all_.size else None


def named(beat: Beat, swap: tuple[str, str] | None) -> reversal.Reversal | None:
    """What `reversal.find` says of the beat with a swap made."""
    mv = beat.mv if swap is None else reversal.apply(STANDARD_12, beat.mv, swap)
    if swap is not None and "RL" in swap:
        smooth = np.array([0.1, 0.2, 0.4, 0.5, 0.4, 0.2, 0.1])
        noise: Floats = np.random.default_rng(len(beat.name)).normal(size=(mv.shape[1],))
        noise = np.convolve(noise, smooth, mode="same")
        # The electrode of the arm now reads the right leg, which differs from the left one by the noise.
        mv = mv + np.outer(_LEG[swap[0]], LEG_NOISE_MV * noise)
    return reversal.find(STANDARD_12, mv, p=beat.p, qrs=beat.qrs, t_off=beat.t_off, usable=beat.usable)


_LEG = {
    name: np.array([*(form[i] for form in electrodes.LIMB_FORM.values()), *(-1 / 3,) * 6])
    for i, name in enumerate(("RA", "LA"))
}
