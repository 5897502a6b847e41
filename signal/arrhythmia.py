"""Rhythm of a strip: intervals, ectopy, P, fibrillatory and flutter waves, pacing, and what there is without a QRS.

Every number is a measure; the name follows from the table below, and nothing is called sinus without a P wave. A
strip of ten seconds shows eight to fifteen beats, so measures that want minutes (entropy, spectra of RR) are not here.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from greenchannel.signal import atrial
from greenchannel.signal import rhythm_measures as measures
from greenchannel.signal.rhythm_measures import BLOCK
from greenchannel.signal.rhythm_name import IRREGULAR, P_NONE, QUIET_MV, RUN_BPM, broad_chaos, name, unsure

Floats = NDArray[np.floating]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

P_PLAIN: Final = 0.60  # above it, in a regular rhythm, nobody looks for fibrillation [E]
ONSET_S: Final = 0.055  # QRS onset before R where nobody says [E]
ONSET_MOST_S: Final = 0.2  # no QRS begins longer before its R
LATEST_S: Final = 1e6  # a beat later than that is none
TAME_MV: Final = 100.0  # whatever is larger was made by no heart …
MANY: Final = 1e5  # … where so many samples are so large


NAMES: Final = (
    "sinus", "atrial_fibrillation", "atrial_flutter", "paced", "ventricular_tachycardia", "ventricular_fibrillation",
    "asystole", "supraventricular_tachycardia", "junctional_or_unknown", "irregular", "unknown",
)  # fmt: skip
"""What a rhythm may be called."""

WITHOUT_P: Final = frozenset(
    {"atrial_fibrillation", "atrial_flutter", "ventricular_tachycardia", "ventricular_fibrillation"}
)
"""Rhythms in which nothing before a QRS is its P wave."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Rhythm:
    """The name of a rhythm and the numbers behind it; None is unknown. Shares lie in 0…1, correlations in −1…1."""

    name: str
    """sinus, atrial_fibrillation, atrial_flutter, paced, ventricular_tachycardia, ventricular_fibrillation,
    asystole, supraventricular_tachycardia, junctional_or_unknown, irregular or unknown."""
    beats: int = 0
    rate_bpm: float | None = None
    rr_mean_s: float | None = None
    rr_min_s: float | None = None
    rr_max_s: float | None = None
    sdnn_ms: float | None = None
    rmssd_ms: float | None = None
    irregularity: float | None = None  # mean |ΔRR| / mean RR; without ectopic beats where enough remain
    irregular_share: float | None = None  # of |ΔRR| above 40 ms and 5 %
    poincare_cells: float | None = None  # different cells of (ΔRR, next ΔRR) for each pair
    longest_pause_s: float | None = None
    pause_open: bool = False  # the longest pause touches an end of the strip: it lasted at least so long
    ectopic_share: float | None = None  # of beats that are early, or wide while the dominant one is not
    bigeminy: bool = False
    wide_run_beats: int = 0  # longest run of wide beats, whatever the dominant one is
    wide_run_bpm: float | None = None
    p_coherence: float | None = None  # mean correlation of the stretches before the dominant beats, all leads
    p_share: float | None = None  # of the dominant beats that have the common P
    fibrillatory_share: float | None = (
        None  # 4–9 Hz, of the power after cancellation; only where P is not plain
    )
    fibrillatory_mv: float | None = None  # its root mean square in that lead
    flutter_match: float | None = None
    flutter_ratio: float | None = None
    flutter_bpm: float | None = None  # atrial rate, if it is flutter
    paced_share: float | None = None  # of beats with a spike before the ventricle
    paced_atrium_share: float | None = None
    activity_mv: float | None = (
        None  # largest peak to peak of any second and lead, in fast or doubtful rhythms
    )
    dominant_hz: float | None = None
    concentration: float | None = None
    smoothness: float | None = None  # of the slopes: low where a narrow QRS sticks out
    leakage: float | None = None
    organisation: float | None = None
    modulation: float | None = None  # spread of the seconds' size over its median; torsade modulates


def measure_rhythm(
    *,
    r_s: Floats,
    label: Ints,
    qrs_ms: Mapping[int, float],
    slow_mv: Floats,
    leads: tuple[str, ...],
    usable: Bools,
    duration_s: float,
    pr_ms: float = math.nan,
    p_upright: bool = False,
    spikes_s: tuple[float, ...] | None = None,
    onset_s: float = math.nan,
    missing_s: measures.Missing = (),
) -> Rhythm:
    """Measure and name the rhythm of one strip.

    Parameters
    ----------
    r_s, label : arrays ``(beats,)``
        R positions and classes: 0 the dominant one, −1 none.
    qrs_ms : QRS of each class, by number; NaN where unknown
    slow_mv : array ``(leads, samples)``
        The strip at `atrial.SLOW_RATE_HZ`, without wander and mains; not changed.
    usable : array ``(leads,)``
        Electrode on and trustworthy. Silence counts as asystole in usable leads alone.
    pr_ms, p_upright : PR of the dominant class (NaN: unknown); is its P positive in II
    spikes_s : pacing spikes; None: nobody looked for them
    onset_s : from the dominant class's QRS onset to its R; NaN: unknown
    missing_s : where no usable lead was recorded: neither a pause nor an RR interval goes across

    Returns
    -------
    Rhythm
        Never an exception for odd numbers: what cannot be measured is None.
    """
    r, label = _beats(r_s, label)
    x = _tame(np.asarray(slow_mv, dtype=np.float32))
    good = np.flatnonzero(np.asarray(usable, dtype=bool)[: x.shape[0]])
    width = [qrs_ms.get(k, math.nan) if k >= 0 else math.nan for k in [*label.tolist(), 0]]
    m: dict[str, float] = {"beats": r.size, "wide": width[-1], "pr": pr_ms / 1000}
    m |= measures.intervals(*measures.unbroken(r, label, missing_s))
    m |= measures.pause(r, duration_s, missing_s)
    m |= measures.ectopy(r, label, width) | measures.pacing(r, spikes_s)
    if x.shape[1] >= 2 * BLOCK and good.size:
        onset = r - (onset_s if 0.0 < onset_s < ONSET_MOST_S else ONSET_S)
        m |= _waves(x, r, label, onset, leads, good, m)
    return Rhythm(
        name=name(m, p_upright),
        beats=r.size,
        wide_run_beats=int(m["wide_run_beats"]),
        pause_open=bool(m["pause_open"]),
        bigeminy=bool(m["bigeminy"]),
        **{key: _known(m.get(key, math.nan)) for key in _VALUES},
    )


def _waves(
    x: Floats,
    r: Floats,
    label: Ints,
    onset: Floats,
    leads: tuple[str, ...],
    good: Ints,
    told: dict[str, float],
) -> dict[str, float]:
    """What lies outside of the QRS: P, the waves of fibrillation and flutter, and all that moves where that is needed.

    Parameters
    ----------
    x : array ``(leads, samples)``
    r, label, onset : arrays ``(beats,)``
    good : rows of the usable leads, at least one
    told : what the beats alone have told
    """
    m: dict[str, float] = {}
    if r.size >= 3:
        m |= atrial.p_evidence(x, onset[label == 0], good)
        if not (m["p_coherence"] >= P_PLAIN and told["irregularity"] <= IRREGULAR):
            m |= atrial.fibrillation(x[_rows(leads, good, ("V1", "II"))[0]], r, label)
        m |= atrial.flutter(x, _rows(leads, good, ("II", "V1", "V5", "III")), onset, told["wide"] / 1000)
    if unsure(told) or told["rate_bpm"] >= RUN_BPM or broad_chaos(told):
        seen = (
            x[_rows(leads, good, ("II", "V1", "V5"))] if r.size else measures.mostly_quiet(x[good], QUIET_MV)
        )
        m |= measures.activity(seen)
    return m


def without_p(rhythm: Rhythm) -> bool:
    """Is what stands before the QRS not its P wave: a wave of the rhythm itself, or a P that goes its own way?

    Then no PR is measured. Windows before the beats that do not resemble each other hold no P that leads to them.
    """
    apart = rhythm.p_coherence is not None and rhythm.p_coherence < P_NONE
    return rhythm.name in WITHOUT_P or apart


_APART: Final = ("name", "beats", "wide_run_beats", "pause_open", "bigeminy")
_VALUES: Final = tuple(field for field in Rhythm.__dataclass_fields__ if field not in _APART)


def _known(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def _tame(x: Floats) -> Floats:
    """The strip itself, or where it holds what no heart makes, a copy without that."""
    if float(np.vdot(x, x)) < TAME_MV**2 * MANY:
        return x
    return np.clip(np.nan_to_num(x, nan=0.0, posinf=0.0, neginf=0.0), -TAME_MV, TAME_MV)


def _beats(r_s: Floats, label: Ints) -> tuple[NDArray[np.float64], Ints]:
    """Beats in rising order with a class each, whatever came."""
    r = np.asarray(r_s, dtype=np.float64).ravel()
    classes = np.full(r.size, -1, dtype=np.int64)
    given = np.asarray(label).ravel()[: r.size]
    classes[: given.size] = given
    at = r.tolist()
    if not at or (at[0] >= 0.0 and at[-1] < LATEST_S and all(a < b for a, b in pairwise(at))):
        return r, classes
    where = np.flatnonzero((r >= 0.0) & (r < LATEST_S))
    where = where[np.unique(r[where], return_index=True)[1]]
    return r[where], classes[where]


def _rows(leads: tuple[str, ...], good: Ints, wanted: tuple[str, ...]) -> list[int]:
    """Rows of the wanted leads that are usable; the first usable one where there is none of them."""
    allowed = set(good.tolist())
    found = [leads.index(name) for name in wanted if name in leads and leads.index(name) in allowed]
    return found or [int(good[0])]
