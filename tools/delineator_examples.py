"""Beats for `tools/train_delineator.py`: those of LUDB with the cardiologists' marks, and many made from each.

Beats are cut by the product's own conditioning. From each record come single beats, means of few, medians; stretches
between borders made longer or shorter; R displaced; wide and paced complexes; P cut out and fibrillation laid over; ST
raised or lowered in the shapes of infarction, of which LUDB has none (plateau, climbing, domed: from the marked end of
QRS to the marked end of T); noise, wander, levels, sizes, polarity; few leads. The marks go along.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.accuracy_marks import read_marks
from greenchannel.ingest.reader import read_path
from greenchannel.signal import quality
from greenchannel.signal.beats import windows
from greenchannel.signal.delineator import POST, PRE
from greenchannel.signal.median import choose, median_beat
from greenchannel.signal.strip import condition

Array = NDArray[Any]
EXAMPLES = 80  # made of each record
MARGIN = 40  # samples cut beyond a median beat, so that time can be stretched
LEADS, WIDTH = 12, PRE + POST + 2 * MARGIN


@dataclass
class Record:
    """Beats of one record as the product cuts them, and where the cardiologists put their marks."""

    number: int
    path: Path
    leads: tuple[str, ...]
    r: Array
    label: Array
    rr_s: float
    beats_mv: Array  # (beats, leads, WIDTH)
    medians: dict[int, Array]  # class → (leads, PRE + POST)
    marks: Array  # (beats, leads, 8), samples from R; NaN where not marked
    there: Array  # (beats, leads, 2): is there a P, a T; NaN where nobody looked
    marked: Array  # (beats,): has marks

    @property
    def without_p(self) -> bool:
        return bool(np.nanmean(self.there[..., 0]) < 0.5)


def read_record(path: Path) -> Record:
    recording = read_path(path).recording
    reasons = quality.LeadReasons(recording.leads)
    strip = condition(recording, reasons)
    x, classes = strip.samples_mv, strip.classes
    told = read_marks(path)
    marks = np.full((classes.r.size, LEADS, 8), np.nan)
    there = np.full((classes.r.size, LEADS, 2), np.nan)
    for lead, name in enumerate(recording.leads):
        p, qrs, t = (np.array(told.waves[name][kind]).reshape(-1, 3) * 500 for kind in ("p", "qrs", "t"))
        for beat, r in enumerate(classes.r.tolist()):
            k = int(np.abs((qrs[:, 0] + qrs[:, 2]) / 2 - r).argmin()) if len(qrs) else 0
            if not len(qrs) or abs((qrs[k, 0] + qrs[k, 2]) / 2 - r) > 75:
                continue
            on, off = qrs[k, 0], qrs[k, 2]
            before = qrs[k - 1, 2] if k else -np.inf
            behind = qrs[k + 1, 0] if k + 1 < len(qrs) else np.inf
            marks[beat, lead, 3:5] = on - r, off - r
            own_p = p[(p[:, 1] > max(before, on - 200)) & (p[:, 1] < on + 5)]
            own_t = t[(t[:, 1] > off - 5) & (t[:, 1] < behind)]
            # Before the first marked QRS and behind the last, no mark does not mean no wave.
            if len(own_p) or k:
                there[beat, lead, 0] = bool(len(own_p))
            if len(own_t) or k + 1 < len(qrs):
                there[beat, lead, 1] = bool(len(own_t))
            if len(own_p):
                marks[beat, lead, :3] = own_p[-1] - r
            if len(own_t):
                marks[beat, lead, 5:] = own_t[0] - r
    rr = np.sort(np.diff(classes.r)) / 500
    rr_s = float(rr[rr.size // 2]) if rr.size else float("nan")
    medians = {}
    for number in range(int(classes.label.max()) + 1):
        chosen = choose(classes, number, x.shape[1], int(min(0.5, 0.6 * rr_s) * 500), strip.valid)
        if chosen.any():
            medians[number] = median_beat(x, classes, chosen)[0]
    return Record(
        number=int(path.stem), path=path, leads=recording.leads, r=classes.r, label=classes.label, rr_s=rr_s,
        beats_mv=windows(x, classes.r, PRE + MARGIN, POST + MARGIN), medians=medians, marks=marks, there=there,
        marked=np.isfinite(marks[..., 3]).any(axis=1),
    )  # fmt: skip


@dataclass
class Examples:
    x: Array  # (n, leads, PRE + POST) mV
    marks_ms: Array  # (n, leads, 8) from R
    there: Array  # (n, leads, 2)
    rr_s: Array  # (n,)
    record: Array  # (n,)


def example(record: Record, rng: np.random.Generator) -> tuple[Array, Array, Array, Array, float]:
    """One beat that never was, ``(leads, WIDTH)``, with marks in ms, waves, leads that are there and RR."""
    usable = np.flatnonzero(record.marked)
    beat = rng.choice(usable)
    same = usable[record.label[usable] == record.label[beat]]
    n = rng.choice([1, 2, 3, 4, 99], p=[0.3, 0.1, 0.1, 0.1, 0.4])
    some = same if n >= same.size else rng.choice(same, n, replace=False)
    stack = record.beats_mv[some]
    x = np.median(stack, axis=0) if some.size > 4 else stack.mean(axis=0)
    marks, there = 2 * np.nanmean(record.marks[some], axis=0), np.nanmean(record.there[some], axis=0)
    t = (np.arange(WIDTH) - PRE - MARGIN) * 2.0
    if rng.random() < 0.3:
        raise_st(x, marks, t, rng)
    paced = rng.random() < 0.08
    if rng.random() < (0.6 if paced else 0.16):
        fibrillate(x, marks, there, t, rng)
    x, marks, rr_s = warp(x, marks, record.rr_s, paced, rng)
    x = disturb(x * np.exp(rng.normal(0, 0.4) + rng.normal(0, 0.2, (LEADS, 1))), rng)
    present = np.ones(LEADS, dtype=np.bool_)
    if rng.random() < 0.3:
        present[rng.permutation(LEADS)[rng.integers(1, LEADS + 1) :]] = False
    x[~present], marks[~present], there[~present] = 0, np.nan, np.nan
    return x, marks, there, present, float("nan") if rng.random() < 0.1 else rr_s


def raise_st(x: Array, marks: Array, t: Array, rng: np.random.Generator) -> None:
    """ST raised here and lowered there, from the marked end of QRS to that of T, which stay."""
    height = np.exp(rng.uniform(np.log(0.05), np.log(0.8)))
    height *= np.clip(rng.normal(0, 0.6, LEADS) + rng.choice([-0.3, 0.5]), -1, 1)
    j = marks[:, 4]
    end = np.where(np.isfinite(marks[:, 7]), marks[:, 7], j + 250)
    part = (t - j[:, None]) / np.maximum(end - j, 60)[:, None]
    top = rng.uniform(0.45, 0.8)
    fall = 0.5 + 0.5 * np.cos(np.pi * np.clip((part - top) / (1 - top), 0, 1))
    at_j, shape = (
        (1.0, fall),
        (0.4, (0.4 + 0.6 * np.clip(part / top, 0, 1)) * fall),
        (0.5, (0.5 + 0.5 * np.sin(np.pi * np.clip(part, 0, 1))) * fall),
    )[rng.integers(3)]
    rise = np.clip((t - j[:, None]) / rng.uniform(10, 45) + 1, 0, 1)
    x += np.nan_to_num(height[:, None] * np.where(part < 0, at_j * rise, shape))
    marks[np.abs(height) > 0.1, 5:7] = np.nan  # where T begins and peaks is no longer known


def fibrillate(x: Array, marks: Array, there: Array, t: Array, rng: np.random.Generator) -> None:
    """P cut out and, mostly, waves of fibrillation laid over."""
    for lead in np.flatnonzero(np.isfinite(marks[:, 0])):
        first, last = (PRE + MARGIN + int(marks[lead, k] / 2) + d for k, d in ((0, -4), (2, 4)))
        first = max(first, 0)
        x[lead, first:last] = np.linspace(x[lead, first], x[lead, last], last - first)
    size = max(0.0, rng.uniform(-0.04, 0.08)) * np.exp(rng.normal(0, 0.4, LEADS)) * rng.choice([-1, 1], LEADS)
    phase = (
        2
        * np.pi
        * (rng.uniform(3.5, 9) * t / 1000 + rng.random() + 0.01 * np.cumsum(rng.normal(0, 1, WIDTH)))
    )
    x += size[:, None] * (np.sin(phase) + rng.uniform(0, 0.4) * np.sin(2 * phase + 1))
    marks[:, :3], there[:, 0] = np.nan, 0


def warp(
    x: Array, marks: Array, rr_s: float, paced: bool, rng: np.random.Generator
) -> tuple[Array, Array, float]:
    """Every stretch between borders by its own factor, R displaced; a wide complex behind a spike if `paced`."""
    usual = np.array([-190, -140, -90, -45, 50, 180, 280, 340.0])
    middle = np.nanmedian(marks, axis=0)
    k = np.where(np.isfinite(middle), middle, usual)
    old = np.array([-500, k[0], k[2], min(k[3], -8), 0, max(k[4], 8), k[6], k[7], 740.0])
    old = np.maximum.accumulate(old + 0.01 * np.arange(9))
    scale = np.clip(np.exp(rng.normal(0, 0.05)), 0.85, 1.15)
    factor = scale * np.exp(rng.normal(0, 1, 8) * np.array([0, 0.07, 0.14, 0.06, 0.06, 0.07, 0.07, 0]))
    if paced or rng.random() < 0.2:
        factor[3:5] *= rng.uniform(1.2 if paced else 1.0, 2.0 if paced else 1.9, 2)
    new = np.concatenate([[0], np.cumsum(np.diff(old) * factor)])
    new += -new[4] - 2 * np.clip(np.rint(rng.normal(0, 3)), -10, 10)
    t = (np.arange(PRE + POST) - PRE) * 2.0
    at = np.interp(t, new, old) / 2 + PRE + MARGIN
    low = np.clip(np.floor(at).astype(int), 0, WIDTH - 2)
    x = x[:, low] + (x[:, low + 1] - x[:, low]) * np.clip(at - low, 0, 1)
    there = np.isfinite(marks)
    marks[there] = np.interp(marks[there], old, new)
    marks[(marks < -415) | (marks > 655)] = np.nan
    if paced and np.isfinite(marks[:, 3]).any():
        first = int(PRE + (np.nanmin(marks[:, 3]) - rng.uniform(4, 40)) / 2)
        wide = int(rng.integers(2, 6))
        height = rng.normal(0, 1, (LEADS, 1)) * np.exp(rng.uniform(np.log(0.05), np.log(1.2)))
        if first > 5:
            x[:, first : first + wide] += height
            x[:, first + wide : first + wide + 30] -= (
                height * rng.uniform(0, 0.15) * np.exp(-np.arange(30) / 8)
            )
    return x, marks, rr_s * scale


def disturb(x: Array, rng: np.random.Generator) -> Array:
    """Noise, wander, level and polarity."""
    x = x * rng.choice([-1, 1], p=[0.25, 0.75]) * rng.choice([-1, 1], (LEADS, 1), p=[0.05, 0.95])
    noise = rng.normal(0, 1, x.shape)
    noise[:, 1:] += 0.5 * noise[:, :-1]
    x += (
        noise
        * rng.uniform(0, 0.015 if rng.random() < 0.6 else 0.003)
        * np.exp(rng.normal(0, 0.5, (LEADS, 1)))
    )
    t = (np.arange(PRE + POST) - PRE) / POST
    for shape in (t, np.sin(2 * np.pi * (0.6 * t + rng.random()))):
        if rng.random() < 0.5:
            x += rng.normal(0, 0.02, (LEADS, 1)) * shape
    level: Array = x + rng.normal(0, 0.2, (LEADS, 1))
    return level


def make_examples(records: Iterable[Record], rng: np.random.Generator) -> Examples:
    rows = [(*example(r, rng), r.number) for r in records for _ in range(EXAMPLES)]
    x, marks, there, _, rr, number = zip(*rows, strict=True)
    return Examples(
        np.array(x, dtype=np.float16), np.array(marks, dtype=np.float32), np.array(there, dtype=np.float32),
        np.array(rr), np.array(number),
    )  # fmt: skip
