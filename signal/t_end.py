"""The end of T by the tangent, lead by lead (MEAS-6)."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from greenchannel.signal import limits
from greenchannel.signal.grid import Floats
from greenchannel.signal.qrs_waves import stretch

_RATE: Final = limits.ANALYSIS_RATE_HZ

Doubles = NDArray[np.float64]


def tangent_ends(beats_mv: Floats, lead: Doubles) -> tuple[Doubles, Doubles]:
    """Where the tangent to the last slope of T meets the level behind it, and the height of T above that level.

    Parameters
    ----------
    beats_mv : float32 array ``(beats, leads, samples)``
    lead : array ``(beats, leads, 8)``, borders of each lead

    Returns
    -------
    arrays ``(beats, leads)``; NaN, and 0 for the height, without a T
    """
    n = beats_mv.shape[2]
    tangent, height = np.full(lead.shape[:2], np.nan), np.zeros(lead.shape[:2])
    with_t = ~np.isnan(lead[..., 6])
    peaks, offs = lead[..., 6], np.minimum(lead[..., 7], n - 1.0)
    low = np.maximum(np.where(with_t, peaks, n).min(axis=1).astype(np.int64) - 8, 0)
    high = np.where(with_t, offs, -n).max(axis=1).astype(np.int64) + round(limits.T_LEVEL_TO_S * _RATE) + 1
    high = np.minimum(high, n)
    with_t &= (high - low >= 24)[:, None]
    rows = np.flatnonzero(with_t)
    if rows.size == 0:
        return tangent, height
    beat = rows // lead.shape[1]
    y, size = stretch(beats_mv, low.tolist(), np.maximum(high - 1, low).tolist())
    y, size, start = y[rows], size[rows], low[beat]
    peak, off = peaks[with_t], offs[with_t]
    sums = np.cumsum(y, axis=1, dtype=np.float64)
    smooth = (sums[:, 7:] - sums[:, :-7]) / 7  # column k stands for sample k + 4
    slope = smooth[:, 6:] - smooth[:, :-6]  # over 6 samples around sample k + 7
    column = np.arange(slope.shape[1])
    grid = column + (start + 7)[:, None]
    inside = (grid >= peak[:, None]) & (grid <= off[:, None]) & (column < (size - 13)[:, None])
    steepest = np.where(inside, np.abs(slope), -1.0).argmax(axis=1)
    here = np.arange(rows.size)
    level_at = np.minimum(off + (limits.T_LEVEL_FROM_S * _RATE - start), size - 2.0).astype(np.int64)
    level_end = np.minimum(level_at + round((limits.T_LEVEL_TO_S - limits.T_LEVEL_FROM_S) * _RATE), size - 1)
    level = (sums[here, level_end] - sums[here, level_at]) / np.maximum(level_end - level_at, 1)
    at = steepest + start + 7.0
    fall = slope[here, steepest] / 6
    value = smooth[here, steepest + 3] - level
    end = at - value / np.where(fall == 0, np.nan, fall)  # without a slope there is no tangent
    fits = inside.any(axis=1) & (end >= at) & (end <= off + limits.T_LEVEL_TO_S * _RATE)
    tangent[with_t] = np.where(fits, end, lead[..., 7][with_t])
    top = np.minimum(peak - start, size - 1.0).astype(np.int64)
    height[with_t] = np.abs(y[here, top] - level)
    return tangent, height
