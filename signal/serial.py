"""Two recordings of one patient, lead by lead: what changed beyond measuring error. Values and flags, no judgement.

Every difference is the later value minus the earlier one; exchanging the two turns every sign and nothing else, to the
bit. What may not be compared says why.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]
Bools = NDArray[np.bool_]

RATE_HZ: Final = 500.0
R_AT: Final = 210
"""Sample of R in a median beat."""

# A change counts where it is larger than this.
AMPLITUDE_MV: Final[dict[str, float]] = {
    "stj_mv": 0.05,  # decision order: within ±50 µV of the old value is `chronic` [E]
    "st60_mv": 0.05,  # likewise
    "st80_mv": 0.05,  # likewise
    "t_mv": 0.15,  # posture and breathing move T by less [E]
    "q_mv": 0.10,  # [E]
    "r_mv": 0.40,  # electrodes put on anew move R and S by less [E]
    "s_mv": 0.40,  # [E]
}
RELATIVE: Final[dict[str, float]] = {"t_mv": 0.30, "q_mv": 0.30, "r_mv": 0.30, "s_mv": 0.30}
"""… and than this share of the larger of the two [E]."""
T_POLARITY_MV: Final = 0.05  # both T are at least so large where they turned over [E]
INTERVAL: Final[dict[str, float]] = {
    "rate_bpm": 15.0,  # [E]
    "pr_ms": 25.0,  # twice the SD of a difference of two, by the 8 to 10 ms that SIG-4 allows one [E of K]
    "qrs_ms": 20.0,  # likewise, 5 to 10 ms [E of K]
    "qtc_ms": 60.0,  # ICH E14: a change to be concerned about [K]
    "axis_deg": 30.0,  # posture and breathing stay below [E]
}
QRS_CORRELATION: Final = 0.90  # a QRS less like the old one has another shape [E]
ST_T_CORRELATION: Final = 0.85  # likewise [E]
MIN_ST_T_MV: Final = 0.03  # root mean square of ST-T in a lead: below it its shape is noise [E]
MAX_SHIFT_S: Final = 0.06  # R of the two differs by no more [E]
ST_AT_S: Final = {"stj_mv": 0.0, "st60_mv": 0.06, "st80_mv": 0.08}
ST_T_S: Final = 0.30  # ST-T is compared this far behind J [E]
EDGE_S: Final = 0.02  # around the QRS of both, for the alignment [E]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class MeasuredBeat:
    """What is known of one of the recordings."""

    leads: tuple[str, ...]
    usable: Bools
    """Shape ``(leads,)``."""
    beat_mv: Floats
    """Median beat at 500 Hz, ``(leads, samples)``, R at sample 210, PR baseline at 0."""
    qrs_on: int
    qrs_off: int
    amplitudes: Mapping[str, Floats] = field(default_factory=dict)
    """By the names of `AMPLITUDE_MV`, shape ``(leads,)`` each; NaN is unknown."""
    intervals: Mapping[str, float | None] = field(default_factory=dict)
    """By the names of `INTERVAL`."""
    electrode_set: str = "standard"
    reversal: str | None = None
    """Suspected reversal by its rule; such a recording is not compared."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LeadChange:
    """One lead, later minus earlier; None is unknown and never counts as unchanged."""

    change_mv: dict[str, float | None]
    """By the names of `AMPLITUDE_MV`, each recording measured at its own borders."""
    aligned_mv: dict[str, float | None]
    """ST of the aligned beats at the later of the two J, and 60 and 80 ms behind it: free of moved borders."""
    t_polarity_changed: bool
    qrs_correlation: float | None
    st_t_correlation: float | None
    rms_mv: float
    """Of the difference from QRS onset to the end of ST-T."""
    exceeds: tuple[str, ...]
    """What changed by more than measuring error: names of `AMPLITUDE_MV`, t_polarity, qrs_shape, st_t_shape."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Comparison:
    """Later against earlier recording."""

    compared: bool
    reason: str | None = None
    """Why not: electrode_sets_differ, reversed_leads, no_beat, no_common_lead."""
    shift_ms: float | None = None
    """By how much R of the later beat lies later."""
    leads: dict[str, LeadChange] = field(default_factory=dict)
    changes: dict[str, float | None] = field(default_factory=dict)
    """By the names of `INTERVAL`; the axis in −180…180."""
    exceeds: tuple[str, ...] = ()


def compare(earlier: MeasuredBeat, later: MeasuredBeat) -> Comparison:
    """Compare two recordings of one patient.

    Parameters
    ----------
    earlier, later : median beats with their measurements

    Returns
    -------
    Comparison
        With the reason where they may not be compared. Never an exception for odd numbers.
    """
    if earlier.electrode_set != later.electrode_set:
        return Comparison(compared=False, reason="electrode_sets_differ")
    if earlier.reversal is not None or later.reversal is not None:
        return Comparison(compared=False, reason="reversed_leads")
    if not (_sound(earlier) and _sound(later)) or earlier.beat_mv.shape[1] != later.beat_mv.shape[1]:
        return Comparison(compared=False, reason="no_beat")
    names, rows_a, rows_b = _common(earlier, later)
    if not names:
        return Comparison(compared=False, reason="no_common_lead")
    a, b = _numbers(earlier.beat_mv)[rows_a], _numbers(later.beat_mv)[rows_b]
    shift = _shift(a, b, min(earlier.qrs_on, later.qrs_on), max(earlier.qrs_off, later.qrs_off))
    half = 0.5 * shift
    first, second = _moved(a, -half), _moved(b, half)
    on = math.floor(min(earlier.qrs_on + half, later.qrs_on - half))
    j = math.ceil(max(earlier.qrs_off + half, later.qrs_off - half))
    leads = _by_lead(earlier, later, names, (rows_a, rows_b), (first, second), (max(on, 0), j))
    changes = {key: _interval(key, earlier.intervals.get(key), later.intervals.get(key)) for key in INTERVAL}
    beyond = tuple(key for key, v in changes.items() if v is not None and abs(v) > INTERVAL[key])
    return Comparison(
        compared=True, shift_ms=1000.0 * shift / RATE_HZ, leads=leads, changes=changes, exceeds=beyond
    )


def _sound(beat: MeasuredBeat) -> bool:
    x = np.asarray(beat.beat_mv)
    inside = x.ndim == 2 and 0 <= beat.qrs_on < beat.qrs_off < x.shape[1] - round(0.1 * RATE_HZ)
    return inside and x.shape[0] == len(beat.leads) == np.asarray(beat.usable).size


def _common(a: MeasuredBeat, b: MeasuredBeat) -> tuple[list[str], list[int], list[int]]:
    """Leads that both have and may rest on, in an order that does not depend on which comes first."""
    good_a, good_b = np.asarray(a.usable, dtype=bool), np.asarray(b.usable, dtype=bool)
    names = [
        name
        for i, name in enumerate(a.leads)
        if good_a[i] and name in b.leads and good_b[b.leads.index(name)]
    ]
    names = sorted(dict.fromkeys(names))
    return names, [a.leads.index(name) for name in names], [b.leads.index(name) for name in names]


def _numbers(x: Floats) -> Floats:
    y: Floats = np.nan_to_num(np.asarray(x, dtype=np.float64), nan=0.0, posinf=0.0, neginf=0.0)
    return np.clip(y, -100.0, 100.0)


def _shift(a: Floats, b: Floats, on: int, off: int) -> float:
    """Samples by which `b` lies later: least squares of the QRS over all leads together, parabola at the top."""
    reach = round(MAX_SHIFT_S * RATE_HZ)
    edge = round(EDGE_S * RATE_HZ)
    span = np.arange(on - edge - reach, off + edge + reach)
    wide = np.stack([a, b])[:, :, np.clip(span, 0, a.shape[1] - 1)]
    core = np.zeros_like(wide)
    core[:, :, : -2 * reach] = wide[:, :, reach:-reach]
    first, second = (
        np.correlate(w.ravel(), c.ravel()[: -2 * reach], "valid")
        - 0.5 * np.correlate((w * w).sum(axis=0), np.ones(span.size - 2 * reach), "valid")
        for w, c in ((wide[0], core[1]), (wide[1], core[0]))
    )
    # Both directions added: the sum does not depend on who comes first, down to the last bit.
    c = second + first[::-1]
    top = np.flatnonzero(c == c.max())
    if top.size != 1 or top[0] in (0, c.size - 1):
        return float(top[0] + top[-1]) / 2 - reach if top.size < c.size else 0.0
    k = int(top[0])
    left, middle, right = float(c[k - 1]), float(c[k]), float(c[k + 1])
    return (k - reach) + 0.5 * (right - left) / (2.0 * middle - (left + right))


def _moved(x: Floats, by: float) -> Floats:
    """Trace at ``t + by`` samples, by Lagrange's cubic through four samples; the ends repeat."""
    if by == 0.0:
        return x
    sign = 1 if by > 0 else -1
    whole = int(abs(by))
    u = abs(by) - whole
    # Counted from the sample behind, in the direction of the move: equal for both directions.
    weights = (
        -u * (u - 1) * (u - 2) / 6,
        (u + 1) * (u - 1) * (u - 2) / 2,
        -(u + 1) * u * (u - 2) / 2,
        (u + 1) * u * (u - 1) / 6,
    )
    at = np.arange(x.shape[1])
    taken = [x[:, np.clip(at + sign * (whole + k), 0, x.shape[1] - 1)] for k in (-1, 0, 1, 2)]
    moved: Floats = sum(w * part for w, part in zip(weights, taken, strict=True))  # type: ignore[assignment]
    return moved


def _by_lead(
    earlier: MeasuredBeat,
    later: MeasuredBeat,
    names: list[str],
    rows: tuple[list[int], list[int]],
    aligned: tuple[Floats, Floats],
    borders: tuple[int, int],
) -> dict[str, LeadChange]:
    """The changes of every common lead."""
    (first, second), (on, j) = aligned, borders
    width = first.shape[1]
    end = min(j + round(ST_T_S * RATE_HZ), width)
    difference = second - first
    rms = np.sqrt(np.einsum("ls,ls->l", difference[:, on:end], difference[:, on:end]) / max(end - on, 1))
    qrs, st_t = (
        _alike(first[:, on:j], second[:, on:j]),
        _alike(first[:, j:end], second[:, j:end], MIN_ST_T_MV),
    )
    st = {key: j + round(after * RATE_HZ) for key, after in ST_AT_S.items()}
    levels = {
        key: difference[:, at].tolist() if at < width else [None] * len(names) for key, at in st.items()
    }
    old = {key: _of(earlier.amplitudes.get(key), rows[0]) for key in AMPLITUDE_MV}
    new = {key: _of(later.amplitudes.get(key), rows[1]) for key in AMPLITUDE_MV}
    made = {}
    for i, name in enumerate(names):
        pairs = {key: (old[key][i], new[key][i]) for key in AMPLITUDE_MV}
        own = {key: _minus(*pair) for key, pair in pairs.items()}
        level = {key: values[i] for key, values in levels.items()}
        t_old, t_new = pairs["t_mv"]
        turned = t_old * t_new < 0 and min(abs(t_old), abs(t_new)) >= T_POLARITY_MV
        beyond = [key for key in AMPLITUDE_MV if _beyond(key, pairs[key], level.get(key))]
        beyond += ["t_polarity"] * turned + ["qrs_shape"] * (qrs[i] < QRS_CORRELATION)
        beyond += ["st_t_shape"] * (st_t[i] < ST_T_CORRELATION)
        made[name] = LeadChange(
            change_mv=own,
            aligned_mv=level,
            t_polarity_changed=turned,
            qrs_correlation=_known(qrs[i]),
            st_t_correlation=_known(st_t[i]),
            rms_mv=float(rms[i]),
            exceeds=tuple(beyond),
        )
    return made


def _beyond(key: str, pair: tuple[float, float], aligned: float | None) -> bool:
    """Is a change larger than measuring error, at the beats' own borders or at the common one?"""
    size = max(AMPLITUDE_MV[key], RELATIVE.get(key, 0.0) * max(abs(pair[0]), abs(pair[1])))
    return abs(pair[1] - pair[0]) > size or (aligned is not None and abs(aligned) > size)


def _alike(a: Floats, b: Floats, least_mv: float = 1e-3) -> list[float]:
    """Correlation of each row; NaN where one of them has no shape."""
    a, b = a - a.mean(axis=1, keepdims=True), b - b.mean(axis=1, keepdims=True)
    size = np.einsum("ls,ls->l", a, a), np.einsum("ls,ls->l", b, b)
    shaped = np.minimum(*size) >= least_mv**2 * a.shape[1]
    fit = np.einsum("ls,ls->l", a, b) / np.sqrt(np.maximum(size[0] * size[1], 1e-30))
    values: list[float] = np.where(shaped, np.clip(fit, -1.0, 1.0), math.nan).tolist()
    return values


def _of(values: Floats | None, rows: list[int]) -> list[float]:
    """The rows of an amplitude, NaN where there is none."""
    given = [] if values is None else np.asarray(values, dtype=np.float64).ravel().tolist()
    return [given[row] if row < len(given) else math.nan for row in rows]


def _minus(old: float, new: float) -> float | None:
    return _known(new - old)


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _interval(key: str, old: float | None, new: float | None) -> float | None:
    if old is None or new is None or not (math.isfinite(old) and math.isfinite(new)):
        return None
    change = new - old
    if key == "axis_deg" and abs(change) > 180.0:
        # Half a turn keeps its sign, so that exchanging the two turns it.
        change = math.copysign(360.0 - math.fmod(abs(change), 360.0), -change)
    return change
