"""Borders of the QRS over all leads from the slopes of a median beat (MEAS-1).

Slopes lead by lead, then the outermost border that other leads confirm: a border that stands alone is an outlier.
Positions are samples of the median beat at 500 Hz; NaN stands for a border that was not found.
"""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from greenchannel.signal import kernels, limits
from greenchannel.signal.delineator import PRE
from greenchannel.signal.grid import Bools, Floats

_RATE: Final = limits.ANALYSIS_RATE_HZ
_WIDTH: Final = PRE + round(
    0.36 * _RATE
)  # of the beat that is looked at: the longest QRS and a quiet stretch
_BLOCK: Final = round(0.02 * _RATE)
NEAR: Final = slice(PRE - round(0.11 * _RATE), PRE + round(0.13 * _RATE) + 1)
_EARLY: Final = (PRE - round(0.05 * _RATE)) // _BLOCK
_LONG_ON, _LONG_OFF = round(limits.QUIET_ON_S * _RATE), round(limits.QUIET_OFF_S * _RATE)
_GRID: Final = np.arange(_WIDTH)
J_EARLIER, J_LATER = round(limits.J_EARLIER_S * _RATE), round(limits.J_LATER_S * _RATE)
ST_FROM, ST_TO = round(limits.J_LEVEL_FROM_S * _RATE), round(limits.J_LEVEL_TO_S * _RATE)

_SIDES: Final = np.array([1, -1])  # of onsets the first counts, of ends the last

Doubles = NDArray[np.float64]
Ints = NDArray[np.int64]


def supported(borders: Doubles, sign: int | Ints) -> Doubles:
    """The earliest (`sign` 1) or latest (-1) border that enough other leads confirm; NaN where there is none.

    Parameters
    ----------
    borders : array ``(..., leads)``
    sign : one for all, or an array ``(..., 1)``

    Returns
    -------
    array ``(...,)``
    """
    rows = np.sort(sign * borders, axis=-1).reshape(-1, borders.shape[-1]).tolist()
    value = np.array([_first_supported([at for at in row if not math.isnan(at)]) for row in rows])
    told: Doubles = value.reshape(borders.shape[:-1]) * (sign if isinstance(sign, int) else sign[..., 0])
    return told


def _first_supported(ordered: list[float]) -> float:
    """The first of some rising borders that enough others confirm. Plain numbers: a dozen are too few for arrays."""
    if not ordered:
        return math.nan
    need = min(limits.LEAD_SUPPORT, len(ordered))
    apart = (last - first for first, last in zip(ordered, ordered[need - 1 :], strict=False))
    close = (k for k, far in enumerate(apart) if far <= limits.LEAD_SUPPORT_S * _RATE)
    # Where the leads scatter (a notch in some, none in others) only the very first is taken for an outlier.
    first = next(close, min(1, len(ordered) - 1))
    # However they scatter, as many leads as confirm a border are no outliers when they lie beyond it.
    return min(ordered[first], ordered[need - 1])


def slope_borders(slope: Floats, usable: Bools, independent: Bools) -> tuple[Doubles, Doubles]:
    """QRS onset and offset over all leads of each beat, arrays ``(...,)``; NaN where no usable lead has a QRS.

    Parameters
    ----------
    slope : float32 array ``(..., leads, samples)``, of `slope_mv_s`
    usable : array ``(..., leads)``
    independent : array ``(..., leads)``
        False for limb leads that are computed from others: their noise is the others' noise, and they
        would confirm each other's errors.
    """
    shape, leads = slope.shape[:-1], slope.shape[-2]
    slope, usable, independent = slope.reshape(-1, slope.shape[-1]), usable.ravel(), independent.ravel()
    steep = np.abs(slope)
    peak = steep[:, NEAR].max(axis=1)
    floor = np.maximum(limits.MIN_SLOPE_MV_S, limits.NOISE_SLOPES * _noise(steep))
    votes = usable & (peak > limits.FAINT_QRS * floor)
    voted = votes.reshape(-1, leads).any(axis=1)
    if not voted.all():
        # A fast broad rhythm is never quiet: there the steepest slope alone sets the floor.
        busy = np.repeat(~voted, leads)
        floor = np.where(busy, np.minimum(floor, limits.BUSY_FLOOR * peak), floor)
        votes |= busy & usable & (floor > limits.MIN_SLOPE_MV_S)
    clear = (votes & (peak > limits.CLEAR_QRS * floor) & independent).reshape(-1, leads)
    enough = clear.sum(axis=1) >= limits.LEAD_SUPPORT
    speak = np.flatnonzero(np.where(enough[:, None], clear, votes.reshape(-1, leads)))
    borders = np.full((2, *shape), np.nan)
    if speak.size:
        borders.reshape(2, -1)[:, speak] = _of_rows(slope[speak], steep[speak], peak[speak], floor[speak])
    on, off = supported(borders, _SIDES.reshape(2, *[1] * len(shape)))
    return on, off


def _of_rows(slope: Floats, steep: Floats, peak: Floats, floor: Floats) -> tuple[Doubles, Doubles]:
    """QRS onset and offset of each row ``(rows, samples)``, NaN where there is none."""
    core = steep[:, NEAR] > limits.QRS_CORE * peak[:, None]
    first = NEAR.start + core.argmax(axis=1)
    last = NEAR.stop - 1 - core[:, ::-1].argmax(axis=1)
    short, long = _highest_of_last(steep)
    below = short < np.maximum(floor, limits.ONSET_SLOPE_FRACTION * peak)[:, None]
    on = np.where(below & (first[:, None] > _GRID), _GRID, -1).max(axis=1).astype(np.float64)
    off = _offsets(slope, long, floor, peak, last, on)
    on[on < 0] = np.nan
    off[off > _WIDTH - 1] = np.nan
    return on, off


def end_of_steepness(slope: Floats, speak: Bools, near: float) -> float:
    """Where the QRS of most leads has passed into ST, in fractions of a sample: the J at which ST is measured.

    The slope of ST that follows is taken off, so that an ST segment that climbs ends no later, and the third largest
    of the leads' rests counts (with the second and the fourth), each as a share of its steepest slope.

    Parameters
    ----------
    slope : float32 array ``(leads, samples)``, of `slope_mv_s`
    speak : array ``(leads,)``, the leads that count
    near : J as the delineator has it; the end is looked for around it
    """
    if speak.any() and (fast := kernels.of(slope)) is not None:
        end: float = fast.waves.end_of_steepness(slope, speak, near)
        return end
    rows = slope[speak]
    first, last = round(near) - J_EARLIER, min(round(near) + J_LATER, rows.shape[1] - 1)
    level = rows[:, round(near) + ST_FROM : round(near) + ST_TO]
    if first < 0 or level.shape[1] < 4:
        return near
    rows = rows * (1 / np.maximum(np.abs(rows[:, NEAR]).max(axis=1), limits.MIN_SLOPE_MV_S))[:, None]
    level = rows[:, round(near) + ST_FROM : round(near) + ST_TO]
    part = rows[:, first : round(near) + ST_TO] - (level.sum(axis=1) / level.shape[1])[:, None]
    np.abs(part, out=part)
    part.sort(axis=0)
    # The third largest with its neighbours: no change of ranks is a jump.
    few = min(limits.LEAD_SUPPORT + 1, len(part))
    rest = part[-few : len(part) - min(limits.LEAD_SUPPORT - 2, few - 1)].mean(axis=0)
    noise = float(rest[round(near) + ST_FROM - first :].sum()) / level.shape[1]
    least = max(limits.J_STEEPNESS, limits.J_NOISE * noise)
    rest = rest[: last - first] / least
    # A bump that just reaches the limit counts half, and no limit is a cliff: noise moves J a little, never far.
    sure = np.flatnonzero(rest > limits.J_SURE)
    start = int(sure[-1]) + 1 if sure.size else 0
    tail = np.minimum(np.maximum(rest[start:] - 0.5, 0.0), 1.0)
    return first + start + float(tail.sum())


def slope_mv_s(beat_mv: Floats) -> Floats:
    """Smoothed derivative of a median beat around its QRS in mV/s: two differences of 4 and 2 samples.

    Parameters
    ----------
    beat_mv : float32 array ``(..., samples)``, R at sample `delineator.PRE`

    Returns
    -------
    float32 array ``(..., samples)``
        The first part of the beat, as far as a QRS may reach; 0 at both ends.
    """
    x = beat_mv[..., :_WIDTH]
    d = np.zeros(x.shape, dtype=x.dtype)
    inner = d[..., 2:-2]
    np.subtract(x[..., 4:], x[..., :-4], out=inner)
    inner += x[..., 3:-1]
    inner -= x[..., 1:-3]
    inner *= np.float32(_RATE / 6)
    return d


def _noise(steep: Floats) -> Floats:
    """Slope of the noise of each lead before the QRS: the lower quartile of blocks of 20 ms."""
    blocks = steep[:, : _EARLY * _BLOCK].reshape(-1, _EARLY, _BLOCK)
    power = np.einsum("lbs,lbs->lb", blocks, blocks)
    power.sort(axis=1)
    return np.asarray(np.sqrt(power[:, _EARLY // 4] / _BLOCK))


def _highest_of_last(steep: Floats) -> tuple[Floats, Floats]:
    """Largest of the last `_LONG_ON` and of the last `_LONG_OFF` samples; infinite where there are not so many."""
    size, run = 1, steep
    while 2 * size <= _LONG_ON:
        run, size = np.maximum(run[:, size:], run[:, :-size]), 2 * size
    found = []
    for length in (_LONG_ON, _LONG_OFF):
        rest = length - size
        part = np.maximum(run[:, rest:], run[:, : run.shape[1] - rest]) if rest else run
        whole = np.full_like(steep, np.inf)
        whole[:, length - 1 :] = part
        found.append(whole)
    return found[0], found[1]


def _offsets(slope: Floats, long: Floats, floor: Floats, peak: Floats, last: Ints, on: Doubles) -> Doubles:
    """QRS offset of each lead: the first lasting quiet behind the steep part; beyond the array where there is none.

    Parameters
    ----------
    slope, long : arrays ``(leads, samples)`` in mV/s, and the largest size of it in the last `_LONG_OFF` samples
    floor : array ``(leads,)``, the slope of noise
    peak : array ``(leads,)``, the steepest slope
    last : array ``(leads,)``, sample at which the steep part ends
    on : array ``(leads,)``, the onsets
    """
    after = last[:, None] + _LONG_OFF <= _GRID

    def first(good: Bools, after: Bools) -> Doubles:
        good &= after
        found = good.argmax(axis=1)
        return np.where(good[np.arange(found.size), found], found - _LONG_OFF + 1.0, _WIDTH + 1.0)

    share = limits.OFFSET_SLOPE_FRACTION * peak
    loose = np.maximum(floor, share)
    off = first(long < loose[:, None], after)
    # A share of a tall QRS is steeper than the fall of a J wave. Far behind, it is ST that climbs.
    strict = np.maximum(floor, np.minimum(limits.OFFSET_MAX_SLOPE_MV_S, share))
    if (strict < loose).any():
        later = first(long < strict[:, None], after)
        off = np.where(later - off <= limits.OFFSET_SECOND_LOOK_S * _RATE, later, off)
    late = np.flatnonzero(off - on > limits.LATE_OFFSET_S * _RATE)
    if late.size:
        # An ST segment that climbs into T is never quiet, but its slope hardly changes.
        high, low = _highest_of_last(slope[late])[1], -_highest_of_last(-slope[late])[1]
        climb = np.maximum(floor, np.minimum(limits.STEADY_MAX_SLOPE_MV_S, limits.STEADY_FRACTION * peak))[
            late
        ]
        steady = (high - low < loose[late, None]) & (np.maximum(high, -low) < climb[:, None])
        off[late] = np.minimum(first(steady, after[late]), off[late])
    return off
