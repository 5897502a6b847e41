"""Q, R, S, R′ and S′ of each lead, the notch or slur at the end of the QRS, all leads at once.

A wave is a stretch of one sign between the global borders that reaches 30 µV for 6 ms (SIG-4). The first positive
one is R; what is negative before it is Q (all of a QS complex, too), behind it S; a second positive one is R′.
"""

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from greenchannel.signal import limits
from greenchannel.signal.grid import Floats

_RATE: Final = limits.ANALYSIS_RATE_HZ
_MS: Final = 1000 / _RATE
_LEAST: Final = round(limits.MIN_WAVE_S * _RATE)
_END: Final = round(limits.QRS_TAIL_S * _RATE)

_BEYOND: Final = round(limits.NOTCH_BEYOND_J_S * _RATE)
_SLUR: Final = round(limits.SLUR_S * _RATE)
_NAMES: Final = ("q_mv", "r_mv", "s_mv", "r2_mv", "s2_mv", "q_ms", "r_ms", "s_ms", "r2_ms", "s2_ms")

Doubles = NDArray[np.float64]


def qrs_waves(beat_mv: Floats, on: int, off: int) -> dict[str, Doubles]:
    """Amplitudes and durations of the waves of the QRS, by the field of `LeadMeasurement`.

    Parameters
    ----------
    beat_mv : float32 array ``(leads, samples)``, the baseline of MEAS-2 at 0
    on, off : global borders in samples

    Returns
    -------
    dict of arrays ``(leads,)``
        ``q ≤ 0``, ``r ≥ 0``, ``s ≤ 0`` in mV, 0 for a wave that is not there; durations in ms.
    """
    # The last 8 ms before J belong to no wave: there ST elevation would pass for an R and depression for an S.
    last = max(off - _END, on + 4)
    y = beat_mv[:, on : last + 1]
    leads = y.shape[0]
    table, last_top = _named(_stretches(y), leads)
    found = dict(zip(_NAMES, table, strict=True))
    found["r_peak_ms"] = np.where(last_top >= 0, last_top * _MS, np.nan)
    found["qrs_pp_mv"] = (y.max(axis=1) - y.min(axis=1)).astype(np.float64)
    found["jp_mv"], found["j_slur"] = _end_of_qrs(beat_mv, on, off, last_top)
    return found


def _named(
    stretches: Iterator[tuple[int, int, float, int, int]], leads: int
) -> tuple[Doubles, NDArray[np.int64]]:
    """Amplitudes of Q, R, S, R′, S′ and their durations, ``(10, leads)``, and where each lead's last R or R′ peaks."""
    rows = [[0.0] * 10 for _ in range(leads)]
    last_top = [-1] * leads
    for lead, plus, height, length, at in stretches:
        row = rows[lead]
        if plus > 0:
            place = 3 if row[2] else 1
            if height > row[place]:
                row[place] = height
                last_top[lead] = at
        else:
            place = 0 if not row[1] else 2 if not row[3] else 4
            row[place] = min(row[place], height)
        row[5 + place] += length * _MS
    return np.array(rows).T, np.array(last_top)


def _stretches(y: Floats) -> Iterator[tuple[int, int, float, int, int]]:
    """Lead, sign, extreme, samples and place of the extreme of every stretch of one sign, in order."""
    leads, n = y.shape
    level = np.float32(limits.MIN_WAVE_MV)
    sign = (y > level).astype(np.int8)
    sign -= y < -level
    starts = np.ones((leads, n), dtype=np.bool_)
    np.not_equal(sign[:, 1:], sign[:, :-1], out=starts[:, 1:])
    at = np.flatnonzero(starts)
    length = np.empty_like(at)
    np.subtract(at[1:], at[:-1], out=length[:-1])
    length[-1] = leads * n - at[-1]
    kind, flat = sign.ravel()[at], y.ravel()
    extreme = np.where(kind > 0, np.maximum.reduceat(flat, at), np.minimum.reduceat(flat, at))
    there = np.flatnonzero(np.repeat(extreme, length) == flat)
    peak = there[np.searchsorted(there, at)]
    # A slope that still moves away from zero where the QRS ends leads into a moved ST: no wave.
    real = (kind != 0) & (length >= _LEAST) & (peak % n < n - 1)
    lead, place = at[real] // n, peak[real] % n
    columns = (lead, kind[real], extreme[real], length[real], place)
    return zip(*(column.tolist() for column in columns), strict=True)


def _end_of_qrs(beat_mv: Floats, on: int, off: int, last_top: NDArray[np.int64]) -> tuple[Doubles, Doubles]:
    """Notch or slur on the last descent of the QRS (Macfarlane et al., JACC 2015;66:470): Jp, and is it a slur.

    A notch is a rise within the lower half of the descent from R, its peak Jp; a slur a stretch there in which
    the descent slows down to `limits.SLUR_SLOWS` of its steepest for `limits.SLUR_S`.
    """
    leads = beat_mv.shape[0]
    jp, slur = np.full(leads, np.nan), np.zeros(leads)
    stop = min(off + _BEYOND, beat_mv.shape[1] - 1)
    rows = np.flatnonzero(last_top >= 0)
    top = last_top[rows]
    y = beat_mv[rows, on : stop + 1]
    r = y[np.arange(rows.size), top]
    tall = (r >= 2 * limits.NOTCH_MV) & (top + 6 <= y.shape[1])
    if not tall.any():
        return jp, slur
    rows, top, y, r = rows[tall], top[tall], y[tall], r[tall]
    here, grid = np.arange(rows.size), np.arange(1, y.shape[1])
    step = y[:, 1:] - y[:, :-1]
    behind = grid > top[:, None]
    below = behind & (y[:, 1:] < 0.5 * r[:, None]) & (y[:, 1:] >= limits.NOTCH_MV)
    if not below.any():
        return jp, slur
    rising = below & (step > limits.NOTCH_STEP_MV)
    first = rising.argmax(axis=1)
    peak = np.where(grid > first[:, None], y[:, 1:], -np.inf).max(axis=1)
    notch = rising.any(axis=1) & (peak < 0.5 * r) & (peak >= limits.NOTCH_MV)
    notch &= peak - y[here, first] >= limits.NOTCH_RISE_MV
    falling = np.where(behind, step, 0.0)
    steepest = falling.argmin(axis=1)
    slow = (
        below & (step > limits.SLUR_SLOWS * falling[here, steepest][:, None]) & (grid > steepest[:, None] + 1)
    )
    slow &= grid < off - on
    slurred = ~notch & (np.count_nonzero(slow, axis=1) >= _SLUR)
    jp[rows] = np.where(notch, peak, np.where(slurred, y[here, slow.argmax(axis=1) + 1], np.nan))
    slur[rows] = slurred
    return jp, slur
