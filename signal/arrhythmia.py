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

Floats = NDArray[np.floating]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


# [E]: chosen on LUDB below 100, a patient-wise half of the CinC and PTB recordings and simulated rhythms. There are few
# recordings of flutter and tachycardia, none of ventricular fibrillation: numbers for these are little tested.
IRREGULAR: Final = 0.10  # mean successive difference over mean RR; atrial fibrillation lies above [E]
IRREGULAR_SHARE: Final = 0.40  # of successive differences that exceed both of the next two numbers [E]
DIFFERENCE_S: Final = 0.04
DIFFERENCE_RR: Final = 0.05
PURE_STEPS: Final = 4  # as many differences between neighbours of the dominant class are enough [E]
CELL_S: Final = 0.04  # cell of the Poincaré plot of differences [K Sarkar 2008 uses 25 to 40 ms]
PREMATURE: Final = 0.80  # of the median RR [K]
WIDE_MS: Final = 120.0  # [K]
NARROW_MS: Final = 100.0  # below it no rhythm is ventricular, however its trace undulates [E]
RUN_BEATS: Final = 3  # CV-3 [K]
RUN_BPM: Final = 100.0  # CV-3 [K]
ALTERNATING_BEATS: Final = 6  # beats of strict alternation that make bigeminy [E]
P_CLEAR: Final = 0.35  # mean correlation of the beats' P windows; a consistent P lies above [E]
P_PLAIN: Final = 0.60  # above it, in a regular rhythm, nobody looks for fibrillation [E]
P_REGULAR: Final = 0.50  # a sinus rhythm may be irregular with ectopic beats where P is so consistent [E]
P_NONE: Final = 0.15  # no common P at all [E]
PR_S: Final = (0.09, 0.40)  # [K]
PR_WIDE_S: Final = 0.12  # a shorter "PR" of a fast wide rhythm is the foot of its QRS [E]
ONSET_S: Final = 0.055  # QRS onset before R where nobody says [E]
F_SHARE: Final = 0.28  # … fibrillation has at least this much in V1 [E]
FLUTTER_MATCH: Final = 0.40  # autocorrelation of the loop of several leads outside the QRS [E]
FLUTTER_MATCH_FIXED: Final = 0.60  # and where every RR has the same length [E]
FLUTTER_RATIO: Final = 0.60  # mean cosine of 2π·RR/cycle: RR are whole numbers of cycles [E]
FLUTTER_BPM: Final = (230.0, 350.0)  # [K]
PACED_BEFORE_S: Final = (-0.02, 0.12)  # spike to R of a paced ventricle (R lies late in a wide QRS) [E]
PACED_ATRIUM_S: Final = (0.12, 0.35)  # spike to R of a paced atrium [E]
PACED_SHARE: Final = 0.5  # of the beats [E]
SVT_BPM: Final = 150.0  # narrow, regular, no P before the beats [E]
JUNCTIONAL_BPM: Final = 130.0  # [E]
VT_BPM: Final = 120.0  # a regular wide rhythm without sinus P from here; below, P may hide [E, K has 100]
DOUBTFUL_SHARE: Final = 0.5  # fewer of the beats in the dominant class: the template is in doubt [E]
VF_BAND_HZ: Final = (2.0, 9.0)  # CV-2
LEAKAGE_HIGH: Final = 0.406  # Kuo & Dillman 1978 [K], CV-2
LEAKAGE_LOW: Final = 0.625  # … where amplitude is low
VF_BROAD_MS: Final = 160.0  # beats that are broader, irregular, one wave beside the other, are none [E]
VF_FASTEST_HZ: Final = (3.0, 9.0)  # and the waves come this fast [E]
LOW_MV: Final = 0.4  # peak to peak, in place of "half the last QRS", which is not known here [E]
VF_MIN_MV: Final = 0.15  # fine fibrillation is larger [E]
CONCENTRATION: Final = 0.5  # of the power within 0.5 Hz of the peak: one wave repeats [E]
SMOOTH: Final = 0.20  # mean slope over its 98th percentile: no narrow QRS sticks out [E]
ORGANISED: Final = 0.80  # autocorrelation at one cycle; tachycardia above, fibrillation below [E]
QUIET_MV: Final = 0.10  # asystole: nothing reaches it peak to peak [K Kerber 1997]
_BLOCK: Final = 125  # samples of one look at activity
_BLOCK_NO_SLOPE: Final = atrial.without_slope(_BLOCK)


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
    qrs_ms: Mapping[int, float] | Floats,
    slow_mv: Floats,
    leads: tuple[str, ...],
    usable: Bools,
    duration_s: float,
    pr_ms: float = math.nan,
    p_upright: bool = False,
    p_seen: Bools | None = None,
    spikes_s: tuple[float, ...] | None = None,
    onset_s: float = math.nan,
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
    p_seen : array ``(beats,)``, optional
        A P before each beat, where the core looked for it; else it is looked for here.
    spikes_s : pacing spikes; None: nobody looked for them
    onset_s : from the dominant class's QRS onset to its R; NaN: unknown

    Returns
    -------
    Rhythm
        Never an exception for odd numbers: what cannot be measured is None.
    """
    r, label, p_seen = _beats(r_s, label, p_seen)
    x = _tame(np.asarray(slow_mv, dtype=np.float32))
    good = np.flatnonzero(np.asarray(usable, dtype=bool)[: x.shape[0]])
    width = _widths(qrs_ms, label)
    onset = onset_s if 0.0 < onset_s < 0.2 else ONSET_S
    m: dict[str, float] = {"beats": r.size, "wide": width[-1], "pr": pr_ms / 1000}
    m |= _intervals(r, label) | _pause(r, duration_s) | _ectopy(r, label, width) | _pacing(r, spikes_s)
    if x.shape[1] >= 2 * _BLOCK and good.size:
        if r.size >= 3:
            m |= atrial.p_evidence(x, r[label == 0] - onset, good)
            if not (m["p_coherence"] >= P_PLAIN and m["irregularity"] <= IRREGULAR):
                m |= atrial.fibrillation(x[_rows(leads, good, ("V1", "II"))[0]], r, label)
            m |= atrial.flutter(x[_rows(leads, good, ("II", "V1", "V5", "III"))], r - onset, width[-1] / 1000)
        if _unsure(m) or m["rate_bpm"] >= RUN_BPM or _broad_chaos(m):
            m |= _activity(x[_rows(leads, good, ("II", "V1", "V5"))] if r.size else x[good])
    if p_seen is not None and r.size:
        m["p_share"] = float(p_seen[label == 0].mean()) if (label == 0).any() else math.nan
    name = _name(m, p_upright)
    return Rhythm(
        name=name,
        beats=r.size,
        wide_run_beats=int(m["wide_run_beats"]),
        pause_open=bool(m["pause_open"]),
        bigeminy=bool(m["bigeminy"]),
        **{key: _known(m.get(key, math.nan)) for key in _VALUES},
    )


_APART: Final = ("name", "beats", "wide_run_beats", "pause_open", "bigeminy")
_VALUES: Final = tuple(field for field in Rhythm.__dataclass_fields__ if field not in _APART)


def _unsure(m: dict[str, float]) -> bool:
    """Is there no dominant beat to rely on?"""
    return m["beats"] < 3 or m["dominant_share"] < DOUBTFUL_SHARE or math.isnan(m["wide"])


def _broad_chaos(m: dict[str, float]) -> bool:
    """Is what was taken for beats broad and without any order? Fibrillation may look like that to a detector."""
    return (
        m["wide"] >= VF_BROAD_MS and m["irregularity"] > IRREGULAR and m["irregular_share"] >= IRREGULAR_SHARE
    )


def _known(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def _tame(x: Floats) -> Floats:
    """The strip itself, or where it holds what no heart makes, a copy without that."""
    if float(np.vdot(x, x)) < 1e9:
        return x
    return np.clip(np.nan_to_num(x, nan=0.0, posinf=0.0, neginf=0.0), -100.0, 100.0)


def _beats(r_s: Floats, label: Ints, p_seen: Bools | None) -> tuple[NDArray[np.float64], Ints, Bools | None]:
    """Beats in rising order with a class each, whatever came."""
    r = np.asarray(r_s, dtype=np.float64).ravel()
    classes = np.full(r.size, -1, dtype=np.int64)
    given = np.asarray(label).ravel()[: r.size]
    classes[: given.size] = given
    seen = None if p_seen is None or len(p_seen) != r.size else np.asarray(p_seen, dtype=bool)
    at = r.tolist()
    if not at or (at[0] >= 0.0 and at[-1] < 1e6 and all(a < b for a, b in pairwise(at))):
        return r, classes, seen
    where = np.flatnonzero((r >= 0.0) & (r < 1e6))
    where = where[np.unique(r[where], return_index=True)[1]]
    return r[where], classes[where], None if seen is None else seen[where]


def _widths(qrs_ms: Mapping[int, float] | Floats, label: Ints) -> list[float]:
    """QRS of each beat in ms, NaN where unknown, and behind them that of the dominant class."""
    if isinstance(qrs_ms, Mapping):
        table = {k: float(v) for k, v in qrs_ms.items()}
    else:
        table = dict(enumerate(np.asarray(qrs_ms, dtype=np.float64).ravel().tolist()))
    return [table.get(k, math.nan) if k >= 0 else math.nan for k in [*label.tolist(), 0]]


def _rows(leads: tuple[str, ...], good: Ints, wanted: tuple[str, ...]) -> list[int]:
    """Rows of the wanted leads that are usable; the first usable one where there is none of them."""
    allowed = set(good.tolist())
    found = [leads.index(name) for name in wanted if name in leads and leads.index(name) in allowed]
    return found or [int(good[0])]


def _intervals(r: Floats, label: Ints) -> dict[str, float]:
    """RR and how irregular they are. Plain numbers: for so few an array costs more."""
    own = [k == 0 for k in label.tolist()]
    m = {"dominant_share": sum(own) / max(len(own), 1)}
    m |= {"rate_bpm": math.nan, "irregularity": math.nan, "irregular_share": math.nan}
    at = r.tolist()
    rr = [b - a for a, b in pairwise(at)]
    if not rr:
        return m
    mean = (at[-1] - at[0]) / len(rr)
    m |= {"rr_mean_s": mean, "rr_min_s": min(rr), "rr_max_s": max(rr), "rate_bpm": 60.0 / mean}
    if len(rr) < 2:
        return m
    step = [b - a for a, b in pairwise(rr)]
    m["sdnn_ms"] = 1000.0 * math.sqrt(sum((v - mean) ** 2 for v in rr) / (len(rr) - 1))
    m["rmssd_ms"] = 1000.0 * math.sqrt(sum(v * v for v in step) / len(step))
    pure = [v for i, v in enumerate(step) if own[i] and own[i + 1] and own[i + 2]]
    step = pure if len(pure) >= PURE_STEPS else step
    large = max(DIFFERENCE_S, DIFFERENCE_RR * mean)
    m["irregularity"] = sum(map(abs, step)) / len(step) / mean
    m["irregular_share"] = sum(abs(v) > large for v in step) / len(step)
    if len(step) >= 3:
        cell = [round(v / CELL_S) for v in step]
        m["poincare_cells"] = len(set(pairwise(cell))) / (len(cell) - 1)
    return m


def _pause(r: Floats, duration_s: float) -> dict[str, float]:
    """The longest stretch without a beat, the ends of the strip included."""
    gaps = [b - a for a, b in pairwise([0.0, *r.tolist(), duration_s])]
    return {"longest_pause_s": max(gaps), "pause_open": max(gaps) in (gaps[0], gaps[-1])}


def _ectopy(r: Floats, label: Ints, width: list[float]) -> dict[str, float]:
    """Early and wide beats, their alternation and the longest run of wide ones."""
    m = {"wide_run_beats": 0.0, "wide_run_bpm": math.nan, "bigeminy": 0.0, "ectopic_share": math.nan}
    if r.size < 3:
        return m
    at = r.tolist()
    rr = [b - a for a, b in pairwise(at)]
    limit = PREMATURE * sorted(rr)[len(rr) // 2]
    foreign = [k != 0 for k in label.tolist()]
    wide = [w >= WIDE_MS for w in width[:-1]]
    other = [f and w >= max(WIDE_MS, width[-1] + 20.0) for f, w in zip(foreign, width, strict=False)]
    stranger = [a or b < limit for a, b in zip(other, [math.inf, *rr], strict=True)]
    m["ectopic_share"] = sum(stranger) / len(stranger)
    # In bigeminy the median RR may be the short one: alternation of shapes tells as well.
    turns = max(_longest([a != b for a, b in pairwise(flags)])[0] for flags in (stranger, foreign))
    m["bigeminy"] = float(turns + 1 >= ALTERNATING_BEATS)
    length, start = _longest(wide)
    if length >= RUN_BEATS:
        m["wide_run_beats"] = length
        m["wide_run_bpm"] = 60.0 * (length - 1) / (at[start + length - 1] - at[start])
    return m


def _longest(flags: list[bool]) -> tuple[int, int]:
    """Length and start of the longest run of True."""
    best, start = (0, 0), 0
    for i, flag in enumerate(flags):
        if not flag:
            start = i + 1
        elif i + 1 - start > best[0]:
            best = (i + 1 - start, start)
    return best


def _pacing(r: Floats, spikes_s: tuple[float, ...] | None) -> dict[str, float]:
    if r.size == 0 or spikes_s is None:
        return {}
    ahead = r[:, None] - np.asarray(spikes_s, dtype=np.float64)
    windows = {"paced_share": PACED_BEFORE_S, "paced_atrium_share": PACED_ATRIUM_S}
    return {k: float(((ahead > a) & (ahead <= b)).any(axis=1).mean()) for k, (a, b) in windows.items()}


def _activity(x: Floats) -> dict[str, float]:
    """What the trace does where no QRS can be relied on: size, frequency, and how alike its waves are."""
    n = x.shape[1] // _BLOCK * _BLOCK
    blocks = x[:, :n].reshape(x.shape[0], -1, _BLOCK) @ _BLOCK_NO_SLOPE
    height = blocks.max(axis=2) - blocks.min(axis=2)
    m = {"activity_mv": float(height.max())}
    lead = int(np.argmax(np.sort(height, axis=1)[:, height.shape[1] // 2]))
    ordered = np.sort(height[lead])
    middle = float(ordered[ordered.size // 2])
    spread = float(ordered[-1 - ordered.size // 10] - ordered[ordered.size // 10])
    m |= {"size": middle, "modulation": spread / max(middle, 1e-6)}
    if middle < 1e-3:
        return m
    y = blocks[lead].ravel()
    # Half a period, from mean size over mean slope; what is left of the trace plus itself half a period later [K].
    half = int(math.pi * float(np.abs(y).sum()) / max(float(np.abs(y[1:] - y[:-1]).sum()), 1e-9) + 0.5)
    half = min(max(half, 1), y.size // 4)
    late, soon = y[half:], y[:-half]
    m["leakage"] = float(np.abs(late + soon).sum() / max(float((np.abs(late) + np.abs(soon)).sum()), 1e-9))
    power = np.abs(np.fft.rfft((x - x.mean(axis=1, keepdims=True)) * atrial.hann(x.shape[1]))) ** 2
    total = power.sum(axis=0)
    step = atrial.SLOW_RATE_HZ / x.shape[1]
    first, last = math.ceil(1.0 / step), int(25.0 / step)
    peak = first + int(np.argmax(total[first:last]))
    reach = int(0.5 / step)
    near = float(total[max(first, peak - reach) : peak + reach + 1].sum())
    m |= {"dominant_hz": peak * step, "concentration": near / float(total[first:].sum())}
    slope = x[:, 1:] - x[:, :-1]
    speed = np.sort(np.einsum("ls,ls->s", slope, slope)) ** 0.5
    m["smoothness"] = float(speed.mean()) / max(float(speed[int(0.98 * speed.size)]), 1e-9)
    # Autocorrelation of the lead near one period of that frequency.
    y, period = x[lead] - x[lead].mean(), atrial.SLOW_RATE_HZ / (peak * step)
    length = 1 << (2 * y.size - 1).bit_length()
    c = np.fft.irfft(np.abs(np.fft.rfft(y, length)) ** 2, length)
    k = np.arange(max(int(0.8 * period), 2), max(int(1.25 * period), 2) + 2)
    m["organisation"] = float((c[k] / (1.0 - k / y.size)).max() / max(float(c[0]), 1e-9))
    return m


def _name(m: dict[str, float], p_upright: bool) -> str:
    """The first rhythm of the table that the measures bear out."""

    def at(key: str) -> float:
        return m.get(key, math.nan)  # NaN meets no threshold

    size, hz = at("size"), at("dominant_hz")
    if m["beats"] == 0 and at("activity_mv") < QUIET_MV:
        return "asystole"
    chaotic = at("leakage") < (LEAKAGE_LOW if size < LOW_MV else LEAKAGE_HIGH) and size >= VF_MIN_MV
    if _unsure(m) and chaotic and VF_BAND_HZ[0] <= hz <= VF_BAND_HZ[1]:
        alike = at("organisation") >= ORGANISED and at("concentration") >= CONCENTRATION
        return "ventricular_tachycardia" if alike else "ventricular_fibrillation"
    if max(at("paced_share"), at("paced_atrium_share")) >= PACED_SHARE:
        return "paced"
    if _broad_chaos(m) and at("leakage") < LEAKAGE_LOW and VF_FASTEST_HZ[0] <= hz <= VF_FASTEST_HZ[1]:
        return "ventricular_fibrillation"
    if m["beats"] < 3:
        return "unknown"
    rate, wide, coherent = at("rate_bpm"), at("wide") >= WIDE_MS, at("p_coherence")
    irregular = at("irregularity") > IRREGULAR and at("irregular_share") >= IRREGULAR_SHARE
    upright = PR_S[0] <= at("pr") <= PR_S[1] and p_upright
    conducted = upright and not coherent < P_CLEAR
    one_wave = at("concentration") >= CONCENTRATION and at("smoothness") >= SMOOTH
    one_wave = one_wave and not at("wide") < NARROW_MS and (not irregular or at("organisation") >= ORGANISED)
    broad = wide and not irregular and not (conducted and at("pr") >= PR_WIDE_S)
    if (one_wave and rate >= RUN_BPM) or (broad and rate >= VT_BPM):
        return "ventricular_tachycardia"
    # RR of one and the same length are a multiple of something soon: then the waves must be the more alike.
    varied = at("rr_max_s") - at("rr_min_s") > 30.0 / at("flutter_bpm")
    alike = at("flutter_match") >= (FLUTTER_MATCH if varied else FLUTTER_MATCH_FIXED)
    if (
        alike
        and at("flutter_ratio") >= FLUTTER_RATIO
        and FLUTTER_BPM[0] <= at("flutter_bpm") <= FLUTTER_BPM[1]
    ):
        return "atrial_flutter"
    weak = coherent < P_CLEAR and not upright and at("fibrillatory_share") >= F_SHARE
    if irregular and (coherent < P_NONE or weak):
        return "atrial_fibrillation"
    if conducted and (not irregular or coherent >= P_REGULAR):
        return "sinus"
    if irregular:
        return "irregular"
    if conducted or wide or m["dominant_share"] < DOUBTFUL_SHARE:
        return "unknown"
    if rate >= SVT_BPM:
        return "supraventricular_tachycardia"
    return "junctional_or_unknown" if rate <= JUNCTIONAL_BPM else "unknown"
