"""Q, R, S, R′ and S′ of each lead, the notch or slur at the end of the QRS, all leads of many beats at once.

A wave is a stretch of one sign between the global borders that reaches 30 µV for 6 ms (SIG-4). The first positive
one is R; what is negative before it is Q (all of a QS complex, too), behind it S; a second positive one is R′.
"""

from collections.abc import Iterator, Sequence
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
Ints = NDArray[np.int64]


def qrs_waves(beats_mv: Floats, on: Sequence[int], off: Sequence[int]) -> dict[str, Doubles]:
    """Amplitudes and durations of the waves of the QRS, by the field of `LeadMeasurement`.

    Parameters
    ----------
    beats_mv : float32 array ``(beats, leads, samples)``, the baseline of MEAS-2 at 0
    on, off : global borders of each beat, in samples

    Returns
    -------
    dict of arrays ``(beats × leads,)``
        ``q ≤ 0``, ``r ≥ 0``, ``s ≤ 0`` in mV, 0 for a wave that is not there; durations in ms.
    """
    # The last 8 ms before J belong to no wave: there ST elevation would pass for an R and depression for an S.
    y, size = stretch(
        beats_mv, on, [max(last - _END, first + 4) for first, last in zip(on, off, strict=True)]
    )
    table, last_top = _named(_stretches(y, size), len(y))
    found = dict(zip(_NAMES, table, strict=True))
    found["r_peak_ms"] = np.where(last_top >= 0, last_top * _MS, np.nan)
    found["qrs_pp_mv"] = (y.max(axis=1) - y.min(axis=1)).astype(np.float64)
    found["jp_mv"], found["j_slur"] = _end_of_qrs(beats_mv, on, off, last_top)
    return found


def stretch(beats_mv: Floats, first: Sequence[int], last: Sequence[int]) -> tuple[Floats, Ints]:
    """Samples of each beat from its first to its last one, ``(rows, longest)``, and of how many a row consists.

    A shorter row goes on with its last value.
    """
    count, leads, n = beats_mv.shape
    size = [min(b, n - 1) - a + 1 for a, b in zip(first, last, strict=True)]
    if count == 1:
        y = beats_mv[0, :, first[0] : first[0] + size[0]]
    else:
        y = np.empty((count, leads, max(size)), dtype=beats_mv.dtype)
        for part, beat, at, length in zip(y, beats_mv, first, size, strict=True):
            part[:, :length] = beat[:, at : at + length]
            part[:, length:] = beat[:, at + length - 1, None]
        y = y.reshape(count * leads, -1)
    return y, np.array(size).repeat(leads)


def _named(stretches: Iterator[tuple[int, int, float, int, int]], count: int) -> tuple[Doubles, Ints]:
    """Amplitudes of Q, R, S, R′, S′ and their durations, ``(10, rows)``, and where each row's last R or R′ peaks."""
    rows = [[0.0] * 10 for _ in range(count)]
    last_top = [-1] * count
    for number, plus, height, length, at in stretches:
        row = rows[number]
        if plus > 0:
            place = 3 if row[2] else 1
            if height > row[place]:
                row[place] = height
                last_top[number] = at
        else:
            place = 0 if not row[1] else 2 if not row[3] else 4
            row[place] = min(row[place], height)
        row[5 + place] += length * _MS
    return np.array(rows).T, np.array(last_top)


def _stretches(y: Floats, size: Ints) -> Iterator[tuple[int, int, float, int, int]]:
    """Row, sign, extreme, samples and place of the extreme of every stretch of one sign, in order."""
    rows, n = y.shape
    level = np.float32(limits.MIN_WAVE_MV)
    sign = (y > level).astype(np.int8)
    sign -= y < -level
    sign[np.arange(n) >= size[:, None]] = 0
    starts = np.ones((rows, n), dtype=np.bool_)
    np.not_equal(sign[:, 1:], sign[:, :-1], out=starts[:, 1:])
    at = np.flatnonzero(starts)
    length = np.empty_like(at)
    np.subtract(at[1:], at[:-1], out=length[:-1])
    length[-1] = rows * n - at[-1]
    kind, flat = sign.ravel()[at], y.ravel()
    extreme = np.where(kind > 0, np.maximum.reduceat(flat, at), np.minimum.reduceat(flat, at))
    there = np.flatnonzero(np.repeat(extreme, length) == flat)
    peak = there[np.searchsorted(there, at)]
    # A slope that still moves away from zero where the QRS ends leads into a moved ST: no wave.
    row, place = np.divmod(peak, n)
    real = (kind != 0) & (length >= _LEAST) & (place < size[row] - 1)
    columns = (row[real], kind[real], extreme[real], length[real], place[real])
    return zip(*(column.tolist() for column in columns), strict=True)


def _end_of_qrs(
    beats_mv: Floats, on: Sequence[int], off: Sequence[int], last_top: Ints
) -> tuple[Doubles, Doubles]:
    """Notch or slur on the last descent of the QRS (Macfarlane et al., JACC 2015;66:470): Jp, and is it a slur.

    A notch is a rise behind the tallest R, its peak Jp no higher than half of that; a slur a stretch there in which
    the descent slows down to `limits.SLUR_SLOWS` of its steepest for `limits.SLUR_S`. Either has to come down again by
    the end of the look: what stays is a raised ST.
    """
    jp, slur = np.full(last_top.size, np.nan), np.zeros(last_top.size)
    y, size = stretch(beats_mv, on, [last + _BEYOND for last in off])
    grid = np.arange(y.shape[1])
    width = np.subtract(off, on).repeat(beats_mv.shape[1])[:, None]
    main = np.where(grid <= width, y, -np.inf).argmax(axis=1)
    r = y[np.arange(last_top.size), main]
    rows = np.flatnonzero((last_top >= 0) & (r >= 2 * limits.NOTCH_MV) & (main + 6 <= size))
    if rows.size == 0:
        return jp, slur
    top, y, r, size = main[rows], y[rows], r[rows], size[rows, None]
    here, grid = np.arange(rows.size), grid[1:]
    after = y[here, size[:, 0] - 1] + limits.NOTCH_FALL_MV
    inside = grid < size
    step = np.where(inside, y[:, 1:] - y[:, :-1], np.inf)
    behind = grid > top[:, None]
    below = behind & inside & (y[:, 1:] < 0.5 * r[:, None]) & (y[:, 1:] >= limits.NOTCH_MV)
    if not below.any():
        return jp, slur
    rising = below & (step > limits.NOTCH_STEP_MV)
    first = rising.argmax(axis=1)
    peak = np.where(grid > first[:, None], y[:, 1:], -np.inf).max(axis=1)
    notch = rising.any(axis=1) & (peak < 0.5 * r) & (peak >= limits.NOTCH_MV)
    notch &= (peak - y[here, first] >= limits.NOTCH_RISE_MV) & (peak >= after)
    falling = np.where(behind, step, 0.0)
    steepest = falling.argmin(axis=1)
    slow = (
        below & (step > limits.SLUR_SLOWS * falling[here, steepest][:, None]) & (grid > steepest[:, None] + 1)
    )
    slow &= grid < width[rows]
    onset = y[here, slow.argmax(axis=1) + 1]
    slurred = ~notch & (np.count_nonzero(slow, axis=1) >= _SLUR) & (onset >= after)
    jp[rows] = np.where(notch, peak, np.where(slurred, onset, np.nan))
    slur[rows] = slurred
    return jp, slur
