"""Amplitudes, durations and areas of each lead on its median beat (MEAS-2 to MEAS-4), for many beats at once."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from greenchannel.signal import limits
from greenchannel.signal.grid import Floats
from greenchannel.signal.qrs_waves import qrs_waves

_RATE: Final = limits.ANALYSIS_RATE_HZ
_MS: Final = 1000 / _RATE
_ST_AT: Final = np.array([[round(ms / _MS)] for ms in (20, 40, 60, 80)])  # (levels, 1)

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


def baseline(beats_mv: Floats, qrs_on: Sequence[int]) -> Floats:
    """B of MEAS-2 for each lead: the mean from QRSon − 20 to QRSon − 4 ms, ``(beats, leads)``."""
    level = np.empty(beats_mv.shape[:2], dtype=np.float32)
    for row, beat, on in zip(level, beats_mv, qrs_on, strict=True):
        first = max(on - round(limits.BASELINE_FROM_S * _RATE), 0)
        last = max(on - round(limits.BASELINE_TO_S * _RATE), first + 1)
        np.multiply(beat[:, first:last].sum(axis=1), np.float32(1 / (last - first)), out=row)
    return level


def stj_levels(beats_mv: Floats, j: Sequence[float], off: Sequence[int]) -> Doubles:
    """ST at J, shape ``(beats, leads)``.

    It is the level at J of the straight line through the 32 ms of ST that begin 12 ms behind it: what is left of
    the QRS, in some leads longer than in others, has no part in it, and a J a few milliseconds off moves it by the
    slope of ST alone.

    Parameters
    ----------
    beats_mv : float32 array ``(beats, leads, samples)``
    j : where ST begins in each beat
    off : the QRS offset of each
    """
    latest = beats_mv.shape[2] - _LINE_FROM - _LINE.shape[1]
    parts = cut(beats_mv, [min(int(at), latest) + _LINE_FROM for at in j], _LINE.shape[1])
    # Its value half way to where readers see the QRS end.
    ahead = [
        at - int(at) + min(max(0.5 * (end - at), 0.0), _BEHIND_J) for at, end in zip(j, off, strict=True)
    ]
    weights = _LINE[0] + np.array(ahead)[:, None] * _LINE[1]
    levels: Doubles = np.matmul(parts, weights[..., None])[..., 0]
    return levels


def cut(beats_mv: Floats, first: Sequence[int], size: int) -> Floats:
    """So many samples of each beat from a sample of its own on, ``(beats, leads, size)``; of one beat a view."""
    if len(first) == 1:
        return beats_mv[:, :, first[0] : first[0] + size]
    parts = np.empty((*beats_mv.shape[:2], size), dtype=beats_mv.dtype)
    for part, beat, at in zip(parts, beats_mv, first, strict=True):
        part[:] = beat[:, at : at + size]
    return parts


def tp_level(beat_mv: Floats, p_on: float, t_off: float, rr_s: float) -> Doubles:
    """Level of the 30 ms before P, shape ``(leads,)``; NaN without a P, or where T still runs there."""
    unknown = np.full(beat_mv.shape[0], np.nan)
    if math.isnan(p_on):
        return unknown
    last = int(p_on) - int(0.006 * _RATE)
    first = last - int(0.03 * _RATE)
    if first < 0 or first < t_off - rr_s * _RATE:
        return unknown
    return np.asarray(beat_mv[:, first:last].sum(axis=1, dtype=np.float64) / (last - first))


def amplitudes(beats_mv: Floats, borders: Sequence[Borders], rr_s: Sequence[float]) -> dict[str, Doubles]:
    """All amplitudes of all leads, by the field of `LeadMeasurement`; NaN is unknown.

    Parameters
    ----------
    beats_mv : float32 array ``(beats, leads, samples)``, the baseline of MEAS-2 at 0
    borders : where the waves of each beat lie
    rr_s : median RR interval of each recording, NaN where unknown

    Returns
    -------
    dict of arrays ``(beats, leads)``
        Each beat is measured as if it were alone, to the bit.
    """
    count, leads, n = beats_mv.shape
    on, off = [b.on for b in borders], [b.off for b in borders]
    found = qrs_waves(beats_mv, on, off)
    tp = np.empty((count, leads))
    for level, beat, b, rr in zip(tp, beats_mv, borders, rr_s, strict=True):
        level[:] = tp_level(beat, b.p_on, b.t_off, rr)
    found["baseline_tp_mv"] = tp
    found["stj_mv"] = stj_levels(beats_mv, [b.j for b in borders], off)
    lead = np.array([b.lead for b in borders]).reshape(-1, 8)
    tangent = np.array([b.t_tangent for b in borders]).ravel()
    global_on, global_off = np.array([on, off]).repeat(leads, axis=1)
    found["qt_ms"] = (tangent - global_on) * _MS
    found |= _on_rows(beats_mv.reshape(-1, n), found["stj_mv"].ravel(), global_on, global_off, lead)
    return {name: values.reshape(count, leads) for name, values in found.items()}


def _on_rows(y: Floats, stj: Doubles, on: Ints, off: Ints, lead: Doubles) -> dict[str, Doubles]:
    """Levels and areas of each row ``(rows, samples)`` by its own borders; arrays ``(rows,)``."""
    n = y.shape[1]
    at = np.where(np.isnan(lead), -1.0, lead).T.astype(np.int64)
    p_on, p_peak, p_off, _, _, t_on, t_peak, t_off = at
    no_p, no_t = p_peak < 0, t_peak < 0
    p_peak, t_peak = _within(p_peak, 1, n - 2), _within(t_peak, 1, n - 2)
    later = np.minimum(off + _ST_AT, n - 2)
    middle = _within((off + t_peak) // 2, 1, n - 2)
    # T may end beyond the beat; from ST60 on there is no QRS left.
    st60 = np.minimum(off + _ST_AT[2], n - 2)
    t_end = _within(t_off, st60 + 1, n)
    p_begin = _within(p_on, 0, n - 2)
    p_end = _within(p_off, p_begin + 1, n)
    p_before = np.maximum(p_begin - 5, 0)
    to_off, to_st80, to_on, to_behind, to_t, to_t_end, to_p, to_p_end, to_before = _areas(
        y,
        [
            off,
            np.minimum(off + _ST_AT[-1], n),
            on,
            off + 1,
            _within(t_on, off, t_end),
            t_end,
            p_begin,
            p_end,
            p_before,
        ],
    )
    st20, st40, st60_mv, st80, t_mv, st_middle, p_top = _near(y, [*later, t_peak, middle, p_peak])
    before = (to_p - to_before) / (_MS * np.maximum(p_begin - p_before, 1))
    t_mv = _known(t_mv, no_t)
    found = {
        "st20_mv": st20,
        "st40_mv": st40,
        "st60_mv": st60_mv,
        "st80_mv": st80,
        "st_slope_mv": st80 - stj,
        "st_area_mv_ms": to_st80 - to_off,
        "qrs_area_mv_ms": to_behind - to_on,
        "t_mv": t_mv,
        "st_below_chord_mv": (stj + t_mv) / 2 - st_middle,
        "t_area_mv_ms": _known(to_t_end - to_t, no_t),
        "p_mv": _known(p_top - before, no_p),
        "p_area_mv_ms": _known(to_p_end - to_p - before * (p_end - p_begin) * _MS, no_p),
        "p_ms": _known((lead[:, 2] - lead[:, 0]) * _MS, no_p),
    }
    from_t = int(st60.min())
    _extremes(found, "t", y[:, from_t : int(t_end.max())], st60 - from_t, t_end - from_t, no_t)
    last_p = 1 if no_p.all() else int(p_end[~no_p].max())
    _extremes(found, "p", y[:, :last_p] - before[:, None], p_begin, p_end, no_p)
    return found


def _within(values: Ints, low: int | Ints, high: int | Ints) -> Ints:
    """Values held within limits, as `numpy.clip` does it, in a third of its time."""
    held: Ints = np.minimum(np.maximum(values, low), high)
    return held


def _areas(y: Floats, ends: Sequence[Ints]) -> Doubles:
    """Area of each row up to before its own samples, ``(ends, rows)``, in mV·ms."""
    rows, n = y.shape
    sums = np.zeros((rows, n + 1))
    np.cumsum(y, axis=1, out=sums[:, 1:])
    areas: Doubles = sums.ravel()[np.array(ends) + np.arange(0, rows * (n + 1), n + 1)]
    areas *= _MS
    return areas


def _near(y: Floats, at: Sequence[Ints]) -> Doubles:
    """Values of each row at its own samples, ``(at, rows)``, smoothed over 6 ms."""
    rows, n = y.shape
    flat, place = y.ravel(), np.array(at) + np.arange(0, rows * n, n)
    return np.asarray((flat[place - 1] + flat[place] + flat[place + 1]) / 3, dtype=np.float64)


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
