"""The cardiologists' marks of LUDB: waves of every lead, and the beats they add up to."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np
import wfdb

from benchmarks.accuracy_scoring import Wave
from greenchannel.signal.leads import STANDARD_12

RATE_HZ: Final = 500
ENOUGH_LEADS: Final = 6  # a beat is sure, and has borders over all leads, where half of the leads are marked
SAME_BEAT_S: Final = 0.12  # QRS peaks of different leads this close are one beat
P_REACH_S: Final = 0.35  # a P belongs to the QRS behind it within this
T_REACH_S: Final = 0.55  # a T belongs to the QRS before it within this
KINDS: Final = ("p", "qrs", "t")
_SYMBOLS: Final = {"p": "p", "N": "qrs", "t": "t"}

WHOLE: Final = ("p_on", "p_off", "qrs_on", "qrs_off", "t_off")


@dataclass(frozen=True, kw_only=True)
class Marks:
    """Marks of one record; the first and the last beats of a strip are not marked."""

    waves: dict[str, dict[str, tuple[Wave, ...]]]  # lead → p, qrs, t → onset, peak, offset in s
    span_s: dict[str, tuple[float, float]]  # lead → first and last mark
    sure_s: tuple[float, ...]  # beats that half of the leads are marked in
    unsure_s: tuple[float, ...]  # beats marked in fewer

    @property
    def first_s(self) -> float:
        """The first mark of any lead."""
        return min(first for first, _ in self.span_s.values())

    @property
    def last_s(self) -> float:
        """The last mark of any lead."""
        return max(last for _, last in self.span_s.values())


@cache
def read_marks(path: Path) -> Marks:
    """Marks of one record; `path` is its header, or its name without an ending."""
    waves: dict[str, dict[str, tuple[Wave, ...]]] = {}
    span: dict[str, tuple[float, float]] = {}
    for lead in STANDARD_12:
        told = wfdb.rdann(str(path.with_suffix("")), lead.lower())
        at = (np.asarray(told.sample, dtype=float) / RATE_HZ).tolist()
        symbols = list(told.symbol)
        found: dict[str, list[Wave]] = {kind: [] for kind in KINDS}
        for i, symbol in enumerate(symbols):
            whole = symbols[i - 1 : i] == ["("] and symbols[i + 1 : i + 2] == [")"]
            if symbol in _SYMBOLS and whole:
                found[_SYMBOLS[symbol]].append((at[i - 1], at[i], at[i + 1]))
        waves[lead] = {kind: tuple(of) for kind, of in found.items()}
        span[lead] = at[0], at[-1]
    sure, unsure = _beats(waves)
    return Marks(waves=waves, span_s=span, sure_s=sure, unsure_s=unsure)


def _beats(waves: dict[str, dict[str, tuple[Wave, ...]]]) -> tuple[tuple[float, ...], tuple[float, ...]]:
    peaks = sorted(peak for of in waves.values() for _, peak, _ in of["qrs"] if peak is not None)
    groups: list[list[float]] = []
    for peak in peaks:
        if groups and peak - groups[-1][-1] < SAME_BEAT_S:
            groups[-1].append(peak)
        else:
            groups.append([peak])
    sure = tuple(float(np.median(group)) for group in groups if len(group) >= ENOUGH_LEADS)
    unsure = tuple(float(np.median(group)) for group in groups if len(group) < ENOUGH_LEADS)
    return sure, unsure


def borders(marks: Marks, at_s: float) -> dict[str, float]:
    """Borders over all leads of the beat at `at_s`, by the names of `WHOLE`.

    They are the second-outermost of the leads' marks, since the outermost one is often a slip; a wave marked in
    fewer than six leads has none.
    """
    found: dict[str, list[Wave]] = {kind: [] for kind in KINDS}
    for of in marks.waves.values():
        near = [wave for wave in of["qrs"] if abs((wave[1] or 0.0) - at_s) <= SAME_BEAT_S]
        if not near:
            continue
        on, _, off = min(near, key=lambda wave: abs((wave[1] or 0.0) - at_s))
        found["qrs"].append((on, None, off))
        found["p"] += [w for w in of["p"] if 0 < (on or 0.0) - (w[1] or 0.0) < P_REACH_S][-1:]
        found["t"] += [w for w in of["t"] if 0 < (w[1] or 0.0) - (off or 0.0) < T_REACH_S][:1]
    result: dict[str, float] = {}
    for kind, of_kind in found.items():
        if len(of_kind) >= ENOUGH_LEADS:
            result[f"{kind}_on"] = sorted(wave[0] or 0.0 for wave in of_kind)[1]
            result[f"{kind}_off"] = sorted(wave[2] or 0.0 for wave in of_kind)[-2]
    return {name: result[name] for name in WHOLE if name in result}
