"""Beats and borders against the cardiologists of LUDB, between their first and their last mark of each record."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
import wfdb
from numpy.typing import NDArray

from benchmarks.harness import Json
from greenchannel.ingest.reader import read_path
from greenchannel.signal.leads import canonical
from greenchannel.signal.measure import measure
from greenchannel.signal.measurements import Measurements

RATE_HZ: Final = 500
TOLERANCE_S: Final = 0.150  # a beat is found within this; as AAMI EC57 has it
ENOUGH_LEADS: Final = 6  # a reference beat is one that half of the twelve leads are marked in
LEADS: Final = ("i", "ii", "iii", "avr", "avl", "avf", "v1", "v2", "v3", "v4", "v5", "v6")
_SYMBOLS: Final = {"p": "p", "N": "qrs", "t": "t"}
GLOBAL: Final = ("p_on", "p_off", "qrs_on", "qrs_off", "t_off")
SINGLE: Final = ("p_on", "p_peak", "p_off", "qrs_on", "qrs_off", "t_on", "t_peak", "t_off")

P_MARKED: Final = ("in no lead", "in one to five leads", "in six or more leads")

Wave = tuple[float, float, float]  # onset, peak, offset in s
Marks = dict[str, dict[str, list[Wave]]]  # lead → p, qrs, t → waves


@dataclass(kw_only=True)
class Score:
    """What was counted, record by record: patients are what a confidence interval is drawn over."""

    records: int = 0
    unmeasured: list[str] = field(default_factory=list)
    hits: int = 0
    missed: int = 0
    extra: int = 0
    missed_in: list[str] = field(default_factory=list)
    extra_in: list[str] = field(default_factory=list)
    whole: dict[str, list[list[float]]] = field(default_factory=lambda: {name: [] for name in GLOBAL})
    single: dict[str, list[list[float]]] = field(default_factory=lambda: {name: [] for name in SINGLE})
    p_given: dict[str, dict[str, int]] = field(
        default_factory=lambda: {marked: {"ours": 0, "none of ours": 0} for marked in P_MARKED}
    )


def read_marks(path: Path) -> tuple[Marks, float, float]:
    """Waves by lead, and the instants of the first and the last mark of any lead."""
    marks: Marks = {}
    first, last = np.inf, -np.inf
    for lead in LEADS:
        told = wfdb.rdann(str(path), lead)
        at = np.asarray(told.sample, dtype=float) / RATE_HZ
        symbols = list(told.symbol)
        first, last = min(first, float(at[0])), max(last, float(at[-1]))
        waves: dict[str, list[Wave]] = {"p": [], "qrs": [], "t": []}
        for i, symbol in enumerate(symbols):
            whole = symbols[i - 1 : i] == ["("] and symbols[i + 1 : i + 2] == [")"]
            if symbol in _SYMBOLS and whole:
                waves[_SYMBOLS[symbol]].append((float(at[i - 1]), float(at[i]), float(at[i + 1])))
        marks[lead] = waves
    return marks, first, last


def reference_beats(marks: Marks) -> tuple[list[float], list[float]]:
    """Instants of the beats that half of the leads are marked in, and of those marked in fewer."""
    peaks = sorted(peak for waves in marks.values() for _, peak, _ in waves["qrs"])
    groups: list[list[float]] = []
    for peak in peaks:
        if groups and peak - groups[-1][-1] < 0.12:
            groups[-1].append(peak)
        else:
            groups.append([peak])
    sure = [float(np.median(group)) for group in groups if len(group) >= ENOUGH_LEADS]
    unsure = [float(np.median(group)) for group in groups if len(group) < ENOUGH_LEADS]
    return sure, unsure


def _near(waves: Sequence[Wave], at: float, within_s: float) -> Wave | None:
    found = [wave for wave in waves if abs(wave[1] - at) <= within_s]
    return min(found, key=lambda wave: abs(wave[1] - at)) if found else None


def _count_beats(score: Score, name: str, m: Measurements, sure: list[float], unsure: list[float],
                 first: float, last: float) -> None:  # fmt: skip
    free = list(m.r_s)
    missed = 0
    for at in sure:
        near = [r for r in free if abs(r - at) <= TOLERANCE_S]
        if near:
            free.remove(min(near, key=lambda r: abs(r - at)))
        else:
            missed += 1
    extra = [r for r in free if first <= r <= last and not any(abs(r - at) <= TOLERANCE_S for at in unsure)]
    score.hits += len(sure) - missed
    score.missed += missed
    score.extra += len(extra)
    score.missed_in += [name] * missed
    score.extra_in += [name] * len(extra)


def _waves_of(marks: Marks, r: float) -> dict[str, list[tuple[str, Wave]]]:
    """The marked waves of the beat at `r`, lead by lead: its QRS, the P before it, the T behind it."""
    found: dict[str, list[tuple[str, Wave]]] = {"p": [], "qrs": [], "t": []}
    for lead, waves in marks.items():
        qrs = _near(waves["qrs"], r, 0.12)
        if qrs is None:
            continue
        found["qrs"].append((lead, qrs))
        before = [w for w in waves["p"] if 0 < qrs[0] - w[1] < 0.35]
        behind = [w for w in waves["t"] if 0 < w[1] - qrs[2] < 0.55]
        if before:
            found["p"].append((lead, before[-1]))
        if behind:
            found["t"].append((lead, behind[0]))
    return found


def _outermost(waves: list[tuple[str, Wave]]) -> tuple[float, float] | None:
    """Second-outermost onset and offset over the leads: the outermost one is often a slip. None under six leads."""
    if len(waves) < ENOUGH_LEADS:
        return None
    return sorted(w[0] for _, w in waves)[1], sorted(w[2] for _, w in waves)[-2]


def _compare_borders(score: Score, m: Measurements, marks: Marks) -> None:
    whole: dict[str, list[float]] = {name: [] for name in GLOBAL}
    single: dict[str, list[float]] = {name: [] for name in SINGLE}
    rows = {lead.lower(): beats for lead, beats in m.lead_beats.items()}
    for number, (r, beat) in enumerate(zip(m.r_s, m.beats, strict=True)):
        waves = _waves_of(marks, r)
        if len(waves["qrs"]) < ENOUGH_LEADS:
            continue
        marked = P_MARKED[0 if not waves["p"] else 1 if len(waves["p"]) < ENOUGH_LEADS else 2]
        score.p_given[marked]["none of ours" if beat.p_on_s is None else "ours"] += 1
        for kind in ("p", "qrs", "t"):
            outer = _outermost(waves[kind])
            for side, reference in zip(("on", "off"), outer or (), strict=False):
                ours = getattr(beat, f"{kind}_{side}_s", None)
                if f"{kind}_{side}" in whole and ours is not None:
                    whole[f"{kind}_{side}"].append((ours - reference) * 1000)
            for lead, wave in waves[kind]:
                row = rows.get(lead)
                if row is None:
                    continue
                for part, reference in zip(("on", "peak", "off"), wave, strict=True):
                    ours = getattr(row[number], f"{kind}_{part}_s", None)
                    if f"{kind}_{part}" in single and ours is not None:
                        single[f"{kind}_{part}"].append((ours - reference) * 1000)
    for name, values in whole.items():
        score.whole[name].append(values)
    for name, values in single.items():
        score.single[name].append(values)


def score_records(folder: Path) -> Score:
    """Every record of ``ludb/data``."""
    score = Score()
    for header in sorted((folder / "ludb" / "data").glob("*.hea"), key=lambda path: int(path.stem)):
        recording = read_path(header).recording
        assert all(canonical(lead) in recording.leads for lead in LEADS)
        m = measure(recording)
        marks, first, last = read_marks(header.with_suffix(""))
        score.records += 1
        if not m.beats:
            score.unmeasured.append(header.stem)
        sure, unsure = reference_beats(marks)
        _count_beats(score, header.stem, m, sure, unsure, first, last)
        _compare_borders(score, m, marks)
    return score


def bias(records: list[list[float]], seed: int = 20260302) -> Json:
    """Mean ± SD over all beats (ms), and the 95 % interval of the mean from drawing records anew."""
    kept = [np.asarray(values) for values in records if values]
    if not kept:
        return {"n": 0, "records": 0, "bias_ms": None, "sd_ms": None, "ci95_ms": None, "median_ms": None}
    everything: NDArray[np.float64] = np.concatenate(kept)
    sums, counts = np.array([v.sum() for v in kept]), np.array([v.size for v in kept])
    drawn = np.random.default_rng(seed).integers(0, len(kept), (2000, len(kept)))
    means = sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1)
    low, high = np.percentile(means, (2.5, 97.5))
    return {
        "n": int(everything.size),
        "records": len(kept),
        "bias_ms": round(float(everything.mean()), 1),
        "sd_ms": round(float(everything.std()), 1),
        "ci95_ms": [round(float(low), 1), round(float(high), 1)],
        "median_ms": round(float(np.median(everything)), 1),
    }
