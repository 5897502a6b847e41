"""Amplitudes, durations and areas of each lead on its median beat (MEAS-2 to MEAS-4), for all leads at once."""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from greenchannel.signal import limits
from greenchannel.signal.grid import Floats
from greenchannel.signal.qrs_waves import qrs_waves

_RATE: Final = limits.ANALYSIS_RATE_HZ
_MS: Final = 1000 / _RATE
_ST_AT: Final = np.array([round(ms / _MS) for ms in (20, 40, 60, 80)])

_BEHIND_J: Final = limits.ST_BEHIND_J_S * _RATE
_LINE_FROM: Final = round(limits.ST_LINE_FROM_S * _RATE)

Doubles = NDArray[np.float64]
Ints = NDArray[np.int64]


def _line() -> Doubles:
    """Weights that give a line's value at J and its slope from the samples it is fitted to, ``(2, samples)``."""
    at = _LINE_FROM + np.arange(float(round(limits.ST_LINE_S * _RATE)))
    weights: Doubles = np.linalg.pinv(np.stack([np.ones_like(at), at], axis=1))
    return weights


_LINE: Final = _line()


@dataclass(frozen=True, kw_only=True, slots=True)
class Borders:
    """Where the waves of a median beat lie, in its samples; NaN where a wave is not there."""

    on: int
    """Global QRS onset."""
    off: int
    """Global QRS offset."""
    j: float
    """Where ST begins, at the QRS offset or a little before."""
    p_on: float
    t_off: float
    lead: Doubles
    """Each lead's own, ``(leads, 8)`` in the order of `delineator.COLUMNS`."""
    t_tangent: Doubles
    """End of T of each lead by the tangent, ``(leads,)``."""


def baseline(median_mv: Floats, qrs_on: int) -> Floats:
    """B of MEAS-2 for each row: the mean from QRSon − 20 to QRSon − 4 ms."""
    first = max(qrs_on - round(limits.BASELINE_FROM_S * _RATE), 0)
    last = max(qrs_on - round(limits.BASELINE_TO_S * _RATE), first + 1)
    level: Floats = median_mv[:, first:last].sum(axis=1) * np.float32(1 / (last - first))
    return level


def st_levels(median_mv: Floats, j: float, off: int) -> Doubles:
    """ST at J, and 20, 40, 60 and 80 ms behind the QRS offset, shape ``(leads, 5)``.

    STJ is the level at J of the straight line through the 32 ms of ST that begin 12 ms behind it: what is left of
    the QRS, in some leads longer than in others, has no part in it, and a J a few milliseconds off moves it by the
    slope of ST alone.
    The later levels are single samples smoothed over 6 ms.

    Parameters
    ----------
    median_mv : float32 array ``(leads, samples)``
    j : where ST begins
    off : the QRS offset
    """
    at = np.minimum(off + _ST_AT, median_mv.shape[1] - 2)
    levels = np.empty((median_mv.shape[0], 5))
    first = min(int(j), median_mv.shape[1] - _LINE_FROM - _LINE.shape[1])
    part = median_mv[:, first + _LINE_FROM : first + _LINE_FROM + _LINE.shape[1]]
    # Its value half way to where readers see the QRS end.
    behind = min(max(0.5 * (off - j), 0.0), _BEHIND_J)
    levels[:, 0] = part @ (_LINE[0] + (j - int(j) + behind) * _LINE[1])
    levels[:, 1:] = (median_mv[:, at - 1] + median_mv[:, at] + median_mv[:, at + 1]) / 3
    return levels


def tp_level(median_mv: Floats, p_on: float, t_off: float, rr_s: float) -> Doubles:
    """Level of the 30 ms before P, shape ``(leads,)``; NaN without a P, or where T still runs there."""
    unknown = np.full(median_mv.shape[0], np.nan)
    if math.isnan(p_on):
        return unknown
    last = int(p_on) - int(0.006 * _RATE)
    first = last - int(0.03 * _RATE)
    if first < 0 or first < t_off - rr_s * _RATE:
        return unknown
    return np.asarray(median_mv[:, first:last].sum(axis=1, dtype=np.float64) / (last - first))


def amplitudes(beat_mv: Floats, borders: Borders, rr_s: float) -> dict[str, Doubles]:
    """All amplitudes of all leads, by the field of `LeadMeasurement`; NaN is unknown.

    Parameters
    ----------
    beat_mv : float32 array ``(leads, samples)``, the baseline of MEAS-2 at 0
    borders : where the waves lie
    rr_s : median RR interval, NaN where unknown

    Returns
    -------
    dict of arrays ``(leads,)``
    """
    leads, n = beat_mv.shape
    on, off = borders.on, borders.off
    rows = np.arange(leads)
    st = st_levels(beat_mv, borders.j, off)
    found = {f"st{name}_mv": st[:, k] for k, name in enumerate(("j", "20", "40", "60", "80"))}
    found["st_slope_mv"] = st[:, 4] - st[:, 0]
    sums = np.zeros((leads, n + 1))
    np.cumsum(beat_mv, axis=1, out=sums[:, 1:])
    sums *= _MS
    st_end = min(off + int(_ST_AT[-1]), n)
    found["st_area_mv_ms"] = sums[:, st_end] - sums[:, off]
    found["qrs_area_mv_ms"] = sums[:, off + 1] - sums[:, on]
    found["baseline_tp_mv"] = tp_level(beat_mv, borders.p_on, borders.t_off, rr_s)
    found |= qrs_waves(beat_mv, on, off)
    at = np.where(np.isnan(borders.lead), -1.0, borders.lead).T.astype(np.int64)
    p_on, p_peak, p_off, _, _, t_on, t_peak, t_off = at
    no_p, no_t = p_peak < 0, t_peak < 0
    p_peak, t_peak = _within(p_peak, 1, n - 2), _within(t_peak, 1, n - 2)
    found["t_mv"] = _known(_near(beat_mv, rows, t_peak), no_t)
    middle = _within((off + t_peak) // 2, 1, n - 2)
    chord = (st[:, 0] + found["t_mv"]) / 2
    found["st_below_chord_mv"] = chord - _near(beat_mv, rows, middle)
    # T may end beyond the beat; from ST60 on there is no QRS left.
    first = min(off + int(_ST_AT[2]), n - 2)
    end = _within(t_off, first + 1, n)
    _extremes(found, "t", beat_mv[:, first:], np.zeros(leads, dtype=np.int64), end - first, no_t)
    found["t_area_mv_ms"] = _known(sums[rows, end] - sums[rows, _within(t_on, off, end)], no_t)
    found["qt_ms"] = (borders.t_tangent - on) * _MS
    begin = _within(p_on, 0, n - 2)
    end = _within(p_off, begin + 1, n)
    level = (sums[rows, begin] - sums[rows, np.maximum(begin - 5, 0)]) / (
        _MS * np.maximum(np.minimum(begin, 5), 1)
    )
    found["p_mv"] = _known(_near(beat_mv, rows, p_peak) - level, no_p)
    reach = min(int(end.max()) if not no_p.all() else 1, n)
    _extremes(found, "p", beat_mv[:, :reach] - level[:, None], begin, end, no_p)
    found["p_area_mv_ms"] = _known(sums[rows, end] - sums[rows, begin] - level * (end - begin) * _MS, no_p)
    found["p_ms"] = _known((borders.lead[:, 2] - borders.lead[:, 0]) * _MS, no_p)
    return found


def _within(values: Ints, low: int | Ints, high: int | Ints) -> Ints:
    """Values held within limits, as `numpy.clip` does it, in a third of its time."""
    held: Ints = np.minimum(np.maximum(values, low), high)
    return held


def _near(y: Floats, rows: Ints, at: Ints) -> Doubles:
    """Value of each row at its own sample, smoothed over 6 ms."""
    return np.asarray((y[rows, at - 1] + y[rows, at] + y[rows, at + 1]) / 3, dtype=np.float64)


def _known(values: Doubles, unknown: NDArray[np.bool_]) -> Doubles:
    return np.where(unknown, np.nan, values)


def _extremes(
    found: dict[str, Doubles],
    wave: str,
    y: Floats | Doubles,
    first: Ints,
    end: Ints,
    unknown: NDArray[np.bool_],
) -> None:
    """Highest and lowest level of each row within ``[first, end)``, and whether the lowest comes last."""
    grid = np.arange(y.shape[1])
    inside = (grid >= first[:, None]) & (grid < end[:, None])
    rows = np.arange(y.shape[0])
    high = np.where(inside, y, -np.inf).argmax(axis=1)
    low = np.where(inside, y, np.inf).argmin(axis=1)
    found[f"{wave}_high_mv"] = _known(y[rows, high], unknown)
    found[f"{wave}_low_mv"] = _known(y[rows, low], unknown)
    found[f"{wave}_low_last"] = np.where(unknown, 0.0, low > high)
