"""Kernels of what the samples alone tell: levels, faults of leads, the segments of a monitor's filters.

A *screen* says where there is certainly nothing to find; whatever comes near is left to numpy.
"""

from typing import Any, Final

import numpy as np

from greenchannel.signal import lead_off, limits, sample_levels, sample_quality
from greenchannel.signal.kernel_compiler import F1, F2, FLOAT, INT, exact, kernel, within

_F32: Final = np.float32
_LAGS: Final = tuple(sample_levels.STEP_LAGS[:, 0].tolist())
_LONG_LAGS: Final = tuple(sample_levels.STEP_LONG_LAGS[:, 0].tolist())
_BEAT_BLOCKS: Final = sample_levels.STEP_BEAT_BLOCKS
_HOP: Final = lead_off.HOP_BLOCKS
_WIDTH: Final = round(lead_off.WINDOW_S / lead_off.HOP_S)
_SECOND: Final = sample_quality.SECOND_BLOCKS


@within
def unknown(row: Any) -> int:
    """How many samples are NaN, infinite or beyond a volt."""
    most = _F32(limits.MAX_BODY_MV)
    wrong = 0
    for at in range(row.size):
        wrong += not (abs(row[at]) <= most)
    return wrong


@within
def product(a: Any, b: Any) -> Any:
    """Sum of products."""
    total = _F32(0.0)
    for at in range(a.size):
        total += a[at] * b[at]
    return total


@exact(F2)
def levelled(x: Any) -> Any:
    """Samples without the mean of every 64th of their lead; are all of them known?"""
    leads, n = x.shape
    out = np.empty((leads, n), np.float32)
    wrong = 0
    for lead in range(leads):
        row, to = x[lead], out[lead]
        total, count = 0.0, 0
        for at in range(0, n, limits.OFFSET_STRIDE):
            total += np.float64(row[at])
            count += 1
        offset = _F32(total / count)
        wrong += unknown(row)
        for at in range(n):
            to[at] = row[at] - offset
    return out, wrong == 0


@kernel(F2, INT)
def means(x: Any, per: int) -> Any:
    """Mean of each `per` samples, ``(leads, blocks)``; what is left over is left out."""
    leads, n = x.shape
    blocks = n // per
    out = np.empty((leads, blocks), np.float32)
    share = _F32(1.0 / per)
    if per == 10:  # as at 500 Hz: written out it takes a third of the time
        for lead in range(leads):
            row, to = x[lead], out[lead]
            for block in range(blocks):
                k = block * 10
                five = (row[k] + row[k + 1]) + (row[k + 2] + row[k + 3]) + row[k + 4]
                to[block] = (
                    five + ((row[k + 5] + row[k + 6]) + (row[k + 7] + row[k + 8]) + row[k + 9])
                ) * share
        return out
    for lead in range(leads):
        row = x[lead]
        for block in range(blocks):
            total = _F32(0.0)
            for at in range(block * per, block * per + per):
                total += row[at]
            out[lead, block] = total * share
    return out


@exact(F2)
def bends(level: Any) -> Any:
    """How much means bend, ``(leads, blocks - 2)``."""
    leads, blocks = level.shape
    out = np.empty((leads, blocks - 2), np.float32)
    for lead in range(leads):
        row, to = level[lead], out[lead]
        for at in range(blocks - 2):
            to[at] = abs((row[at + 2] + row[at]) - _F32(2.0) * row[at + 1])
    return out


@within
def smallest(values: Any, rank: int) -> Any:
    """The number of this rank (0 the smallest); `values` is put in another order and holds no NaN."""
    low, high = 0, values.size - 1
    while low < high:
        pivot = values[(low + high) // 2]
        left, right = low, high
        while left <= right:
            while values[left] < pivot:
                left += 1
            while values[right] > pivot:
                right -= 1
            if left <= right:
                values[left], values[right] = values[right], values[left]
                left += 1
                right -= 1
        if rank <= right:
            high = right
        elif rank >= left:
            low = left
        else:
            break
    return values[rank]


@kernel(F2)
def beats(bend: Any) -> Any:
    """1.0 in blocks with a QRS; is there any, or do none stand out?"""
    leads, count = bend.shape
    activity, near = np.zeros(count, np.float32), np.zeros(count, np.float32)
    most, peaky, cap = _F32(1.0), _F32(sample_quality.PEAKY), _F32(sample_quality.BEND_CAP)
    weights = _F32(0.0)
    for lead in range(leads):
        row = bend[lead]
        total, square = _F32(0.0), _F32(0.0)
        for at in range(count):
            total += row[at]
            square += row[at] * row[at]
        scale = total * _F32(1.0 / count) + _F32(1e-7)
        weight = min(max(square / _F32(count) / (scale * scale) - peaky, _F32(0.0)), most)
        weights += weight
        if weight > 0:
            by = _F32(1.0) / scale
            for at in range(count):
                activity[at] += weight * min(row[at] * by, cap)
    if not weights > _F32(0.5):
        return near, False
    order = activity.copy()
    high = smallest(order, count - max(count // 50, 1))
    middle = smallest(order, count // 2)
    if not high > _F32(sample_quality.BEAT_CONTRAST) * middle:
        return near, False
    level = middle + _F32(sample_quality.BEAT_FRACTION) * (high - middle)
    for at in range(count):
        if activity[at] > level:
            near[max(at - 1, 0) : at + 2] = _F32(1.0)
    return near, True


@kernel(F2, F1)
def all_on(bend: Any, beat: Any) -> bool:
    """Screen: is no lead off, in no second, by how it bends in the beats and between them?"""
    leads, count = bend.shape
    hops = count // _HOP
    width = min(_WIDTH, hops)
    windows = hops - width + 2
    sums = np.zeros((4, hops + 1))  # bends, those in beats, their squares, blocks in beats
    less, more = 1.0 - 1e-3, 1.0 + 1e-3
    dead = lead_off.DEAD_BEND_MV
    for lead in range(leads):
        for hop in range(hops):
            total, inside, square, blocks = 0.0, 0.0, 0.0, 0.0
            for at in range(hop * _HOP, hop * _HOP + _HOP):
                value, here = np.float64(bend[lead, at]), np.float64(beat[at])
                total += value
                inside += value * here
                square += value * value
                blocks += here
            sums[0, hop + 1] = sums[0, hop] + total
            sums[1, hop + 1] = sums[1, hop] + inside
            sums[2, hop + 1] = sums[2, hop] + square
            sums[3, hop + 1] = sums[3, hop] + blocks
        for window in range(windows):
            first, last = (window, window + width) if window < windows - 1 else (0, hops)
            length = np.float64((last - first) * _HOP)
            total, within_beats = sums[0, last] - sums[0, first], sums[1, last] - sums[1, first]
            square, inside = sums[2, last] - sums[2, first], sums[3, last] - sums[3, first]
            if total < lead_off.EQUAL_BEND_MV * length * more:
                return False
            if inside < lead_off.MIN_BEAT_BLOCKS * less or length - inside < lead_off.MIN_REST_BLOCKS * less:
                continue
            in_beats, elsewhere = within_beats * (length - inside), (total - within_beats) * inside
            tiny = dead * inside * (length - inside)
            noise = square * length < lead_off.OFF_PEAKY * total * total * more
            noise &= in_beats < lead_off.OFF_RATIO * elsewhere * more
            still = max(in_beats, elsewhere) < tiny * more
            if noise or still:
                return False
    return True


@kernel(F2, F2, F1, F1, INT, FLOAT)
def none_railed(x: Any, level: Any, top: Any, bottom: Any, per: int, rate_hz: float) -> bool:
    """Screen: does no lead stay at its extreme for most of 20 ms and long enough in all?"""
    leads, blocks = level.shape
    near = _F32(sample_levels.RAIL_TOLERANCE_MV * 1.01)
    beyond = _F32(sample_levels.RAIL_ABS_MV * 0.99)
    for lead in range(leads):
        row = level[lead]
        high = low = 0
        for at in range(1, blocks):
            high = at if row[at] > row[high] else high
            low = at if row[at] < row[low] else low
        if row[high] > beyond or -row[low] > beyond:
            return False
        # Where means nearly tie, another order of summing may choose another block: all such are looked at.
        slack = _F32(1e-5) * max(abs(row[high]), abs(row[low]), _F32(1.0))
        for block in range(blocks):
            upper, lower = row[block] >= row[high] - slack, row[block] <= row[low] + slack
            if not (upper or lower):
                continue
            high_count, low_count = 0, 0
            for at in range(block * per, block * per + per):
                high_count += x[lead, at] >= top[lead] - near
                low_count += x[lead, at] <= bottom[lead] + near
            needed = sample_levels.RAIL_BLOCK * per
            if (upper and high_count >= needed) or (lower and low_count >= needed):
                stay_high, stay_low, samples = 0, 0, x[lead]
                for at in range(samples.size):
                    stay_high += samples[at] >= top[lead] - near
                    stay_low += samples[at] <= bottom[lead] + near
                if max(stay_high, stay_low) >= sample_levels.RAIL_S * rate_hz * 0.99:
                    return False
                break
    return True


@within
def _shifted(row: Any, at: int, lags: Any, sign: Any, least: Any) -> bool:
    """Has the level changed by so much over each of these lags?"""
    last = row.size - 1
    far = True
    for lag in lags:
        far &= (row[min(at + lag, last)] - row[max(at - lag, 0)]) * sign > least
    return far


@kernel(F2, F2, F1, INT)
def no_steps(x: Any, level: Any, beat: Any, per: int) -> bool:
    """Screen: does no lead jump and stay at its new level? Behind a beat it has to stay for longer."""
    leads, blocks = level.shape
    reach, step = sample_levels.STEP_REACH, _F32(sample_levels.STEP_MV * 0.999)
    long_step = _F32(sample_levels.STEP_BEAT_MV * 0.999)
    busy = np.zeros(beat.size, np.bool_)
    for at in range(beat.size):
        if beat[at] > 0:
            busy[max(at - _BEAT_BLOCKS, 0) : at + _BEAT_BLOCKS + 1] = True
    for lead in range(leads):
        row = level[lead]
        for at in range(reach, blocks - reach):
            near, far = row[at + 1] - row[at - 1], row[at + reach] - row[at - reach]
            if abs(near) <= step or near * far <= step * step:
                continue
            sign = _F32(1.0) if near > 0 else _F32(-1.0)
            if not _shifted(row, at, _LAGS, sign, step):
                continue
            if busy[min(at - 1, beat.size - 1)] and not _shifted(row, at, _LONG_LAGS, sign, long_step):
                continue
            for k in range((at - 1) * per, (at + 2) * per - 1):
                if abs(x[lead, k + 1] - x[lead, k]) > step:
                    return False
    return True


@kernel(F2)
def none_copied(level: Any) -> bool:
    """Screen: does no lead move as another one does, as it is or upside down?"""
    leads, blocks = level.shape
    moves = np.empty((leads, blocks - 1), np.float32)
    power = np.empty(leads, np.float32)
    for lead in range(leads):
        row, to = level[lead], moves[lead]
        for at in range(blocks - 1):
            to[at] = row[at + 1] - row[at]
        power[lead] = product(to, to)
    share = _F32(limits.COPY_SHARE * 1.5)
    for one in range(leads):
        for other in range(one):
            both = power[one] + power[other]
            if both - _F32(2.0) * abs(product(moves[one], moves[other])) <= share * both + _F32(1e-12):
                return False
    return True


@kernel(F2)
def swing(level: Any) -> Any:
    """Highest less lowest mean over a second, ``(leads,)``; 0 within less than two."""
    leads, blocks = level.shape
    count = blocks // _SECOND
    out = np.zeros(leads, np.float32)
    if count < 2:
        return out
    share = _F32(1.0 / _SECOND)
    for lead in range(leads):
        high, low = _F32(-np.inf), _F32(np.inf)
        for second in range(count):
            total = _F32(0.0)
            for at in range(second * _SECOND, second * _SECOND + _SECOND):
                total += level[lead, at]
            total *= share
            high, low = max(high, total), min(low, total)
        out[lead] = high - low
    return out


@exact(F2, INT, INT)
def coarse_moves(x: Any, step: int, reach: int) -> Any:
    """How much all leads move in `step` samples, the same over `reach` steps, the largest mean of a lead, their sum."""
    leads, n = x.shape
    size = (n + step - 1) // step
    moves, busy = np.zeros(size - 1, np.float32), np.empty(size - 1 - reach, np.float32)
    offset = _F32(0.0)
    for lead in range(leads):
        row = x[lead]
        before = row[0]
        total = before
        for at in range(size - 1):
            value = row[(at + 1) * step]
            moves[at] += abs(value - before)
            total += value
            before = value
        offset = max(offset, abs(total / _F32(size)))
    sums = np.empty(size - 1, np.float32)
    total = _F32(0.0)
    for at in range(size - 1):
        total += moves[at]
        sums[at] = total
    for at in range(size - 1 - reach):
        busy[at] = sums[at + reach] - sums[at]
    return moves, busy, offset, total
