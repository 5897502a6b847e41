"""Kernels of what follows the median beats: borders of single beats, J, what the atria do, alternans."""

import math
from typing import Any, Final

import numpy as np

from greenchannel.signal import atrial, beatwise, limits, p_train, qrs_borders
from greenchannel.signal.kernel_compiler import B1, B2, D1, D3, F2, F3, FLOAT, I1, INT, exact, kernel

_F32: Final = np.float32
_RATE: Final = limits.ANALYSIS_RATE_HZ
_BEFORE: Final = beatwise.BEFORE
_STEP: Final = beatwise.STEP
_TAPS: Final = beatwise.TAPS
_SEEN: Final = tuple(beatwise.SEEN.tolist())
_BORDER_OF: Final = tuple(beatwise.BORDER_OF.tolist())
_ALWAYS: Final = tuple(_F32(value) for value in beatwise.ALWAYS[:, 0])
_MOST: Final = _F32(beatwise.MOST)
_TOP_MOVES: Final = beatwise.TOP_MOVES
_TOP_FLOOR: Final = tuple(_F32(value) for value in beatwise.TOP_FLOOR[:, 0])
_NEAR: Final = qrs_borders.NEAR
_EARLIER, _LATER = qrs_borders.J_EARLIER, qrs_borders.J_LATER
_ST_FROM, _ST_TO = qrs_borders.ST_FROM, qrs_borders.ST_TO
_P_SIZE: Final = atrial.P_SIZE
_SLOPE: Final = np.linspace(-1.0, 1.0, _P_SIZE).astype(np.float32)
_SLOPE_POWER: Final = _F32((np.linspace(-1.0, 1.0, _P_SIZE) ** 2).sum())


@exact(F2, D3)
def around(x: Any, at: Any) -> Any:
    """Every second sample about each border, ``(5, beats · leads, taps)``; is all of it in the strip?"""
    leads, n = x.shape
    rows = at.shape[0] * leads
    view, told = np.empty((5, rows, _TAPS), np.float32), np.empty((5, rows), np.bool_)
    for column in range(5):
        for row in range(rows):
            start = at[row // leads, row % leads, _SEEN[column]] - (_BEFORE - 0.5)
            held = min(max(0.0, start), n - 2.0 * _BEFORE)
            told[column, row] = held == start
            first, samples, to = int(held), x[row % leads], view[column, row]
            for k in range(_TAPS):
                to[k] = samples[first + _STEP * k]
    return view, told


@exact(D3, B2, F2, F3, F3)
def moved(at: Any, told: Any, borders: Any, tops: Any, height_mv: Any) -> Any:
    """Borders of every beat, each moved by what was read of it; `told` says where that counts."""
    out = at.copy()
    beats, leads = at.shape[:2]
    new = np.empty(5)
    for row in range(beats * leads):
        beat, lead = row // leads, row % leads
        line = out[beat, lead]
        for column in range(5):
            wave = _BORDER_OF[column] if column < 3 else column - 3
            high = height_mv[beat, lead, wave]
            sign = _F32(1.0) if high > 0 else _F32(-1.0) if high < 0 else _F32(0.0)
            size = abs(high)
            if column < 3:
                by = borders[column, row] * (sign / (size + beatwise.FLOOR_MV)) + _ALWAYS[column]
                move = np.float64(min(max(by, -_MOST), _MOST))
            else:
                best, values = 0, tops[wave, row]
                for k in range(1, values.size):
                    best = k if values[k] * sign > values[best] * sign else best
                size *= size
                move = _TOP_MOVES[best] * np.float64(size / (size + _TOP_FLOOR[wave]))
            new[column] = line[_SEEN[column]] + (move if told[column, row] else 0.0)
        p_on, p_off, t_off, p_peak, t_peak = new[0], new[1], new[2], new[3], new[4]
        # P stays in its order and before the QRS, T behind its onset; NaN stays.
        p_off = np.minimum(p_off, line[3])
        p_peak = np.minimum(p_peak, p_off)
        p_on = np.minimum(p_on, p_peak)
        t_peak = np.maximum(t_peak, line[5])
        t_off = np.maximum(t_off, t_peak)
        line[0], line[2], line[7], line[1], line[6] = p_on, p_off, t_off, p_peak, t_peak
    return out


@kernel(F2, B1, FLOAT)
def end_of_steepness(slope: Any, speak: Any, near: float) -> float:
    """Where the QRS of most leads has passed into ST, in fractions of a sample; see `qrs_borders`."""
    leads, n = slope.shape
    place = int(np.rint(near))
    first, last = place - _EARLIER, min(place + _LATER, n - 1)
    width = min(place + _ST_TO, n) - (place + _ST_FROM)
    if first < 0 or width < 4:
        return near
    size = min(place + _ST_TO, n) - first
    count = 0
    high = np.zeros((limits.LEAD_SUPPORT + 1, size), np.float32)  # the largest of each sample, falling
    for lead in range(leads):
        if not speak[lead]:
            continue
        row = slope[lead]
        peak, level = _F32(limits.MIN_SLOPE_MV_S), _F32(0.0)
        for at in range(_NEAR.start, _NEAR.stop):
            peak = max(peak, abs(row[at]))
        by = _F32(1.0) / peak
        for at in range(place + _ST_FROM, place + _ST_FROM + width):
            level += row[at] * by
        level /= _F32(width)
        for at in range(size):
            value = abs(row[first + at] * by - level)
            for rank in range(high.shape[0]):
                if value > high[rank, at]:
                    high[rank, at], value = value, high[rank, at]
        count += 1
    few = min(limits.LEAD_SUPPORT + 1, count)
    begin = min(limits.LEAD_SUPPORT - 2, few - 1)
    rest = np.zeros(size, np.float32)
    for rank in range(begin, few):
        for at in range(size):
            rest[at] += high[rank, at]
    noise = _F32(0.0)
    for at in range(size):
        rest[at] /= _F32(few - begin)
        noise += rest[at] if at >= place + _ST_FROM - first else _F32(0.0)
    least = _F32(max(limits.J_STEEPNESS, limits.J_NOISE * np.float64(noise) / width))
    start, tail = 0, 0.0
    for at in range(last - first):
        rest[at] /= least
        start = at + 1 if rest[at] > _F32(limits.J_SURE) else start
    for at in range(start, last - first):
        tail += np.float64(min(max(rest[at] - _F32(0.5), _F32(0.0)), _F32(1.0)))
    return first + start + tail


@kernel(F2, I1, I1)
def p_correlations(x: Any, end: Any, good: Any) -> Any:
    """Correlation of the stretch before each beat with all such stretches, ``(beats,)``."""
    beats, width = end.size, good.size * _P_SIZE
    w = np.empty((beats, width), np.float32)
    total = np.zeros(width, np.float32)
    for beat in range(beats):
        power = _F32(0.0)
        row = w[beat]
        for lead in range(good.size):
            part = x[good[lead], end[beat] - _P_SIZE : end[beat]]
            to = row[lead * _P_SIZE : (lead + 1) * _P_SIZE]
            level, slope = _F32(0.0), _F32(0.0)
            for k in range(_P_SIZE):
                level += part[k]
                slope += part[k] * _SLOPE[k]
            level, slope = level / _F32(_P_SIZE), slope / _SLOPE_POWER
            for k in range(_P_SIZE):
                to[k] = part[k] - level - slope * _SLOPE[k]
                power += to[k] * to[k]
        by = _F32(1.0) / (_F32(math.sqrt(power)) + _F32(1e-6))
        for k in range(width):
            row[k] *= by
            total[k] += row[k]
    out = np.empty(beats, np.float32)
    for beat in range(beats):
        row, own = w[beat], _F32(0.0)
        for k in range(width):
            own += row[k] * total[k]
        out[beat] = own
    return out


@kernel(F2, I1, I1, INT, INT, INT, INT, FLOAT)
def repeats(x: Any, rows: Any, start: Any, size: int, lag: int, low: int, high: int, seen: float) -> Any:
    """Autocorrelation of the slopes outside the QRS, at half the rate, at lags from `low - 1` to `high + 1`.

    Empty where the QRS leaves too little.
    """
    n = x.shape[1] // 2
    w = np.zeros(n + high + 1, np.float32)
    w[lag:n] = _F32(1.0)
    for at in start:
        for k in range(at, at + size):
            w[min(max(k, 0), n - 1)] = _F32(0.0)
    weight = _F32(0.0)
    for at in range(n):
        weight += w[at]
    lags = high - low + 3
    if weight < 0.2 * n:
        return np.empty(0)
    d, energy = np.zeros(n + high + 1, np.float32), np.zeros(n + high + 1, np.float32)
    shared, out = np.zeros(lags), np.empty(lags)
    for one in rows:
        row = x[one]
        total = _F32(0.0)
        for at in range(lag, n):
            sooner = row[2 * (at - lag)] + row[2 * (at - lag) + 1]
            d[at] = ((row[2 * at] + row[2 * at + 1]) - sooner) * w[at]
            total += d[at]
        total /= weight
        for at in range(lag, n):
            d[at] -= total * w[at]
            energy[at] += d[at] * d[at]
        for k in range(lags):
            along, late = _F32(0.0), d[low - 1 + k :]
            for at in range(n):
                along += d[at] * late[at]
            shared[k] += np.float64(along)
    whole = _F32(0.0)
    for at in range(n):
        whole += energy[at]
    least = seen * np.float64(whole) + 1e-9
    for k in range(lags):
        later, sooner, late_e, late_w = _F32(0.0), _F32(0.0), energy[low - 1 + k :], w[low - 1 + k :]
        for at in range(n):
            later += late_e[at] * w[at]
            sooner += late_w[at] * energy[at]
        enough = min(later, sooner) > least
        out[k] = 2.0 * shared[k] / (np.float64(later) + np.float64(sooner) + 1e-9) if enough else 0.0
    return out


@exact(F2, I1, I1, I1)
def alternation(x: Any, rows: Any, top: Any, level: Any) -> Any:
    """Of each lead the least difference of a T from its neighbours where every second is higher, else 0."""
    out = np.empty(rows.size, np.float32)
    for k in range(rows.size):
        row = x[rows[k]]
        least, turns, before = _F32(np.inf), True, _F32(0.0)
        for beat in range(1, top.size - 1):
            left = row[top[beat - 1]] - row[level[beat - 1]]
            here = row[top[beat]] - row[level[beat]]
            right = row[top[beat + 1]] - row[level[beat + 1]]
            apart = here - _F32(0.5) * (left + right)
            turns = turns and (beat == 1 or apart * before < 0)
            before = apart
            least = min(least, abs(apart))
        out[k] = least if turns else _F32(0.0)
    return out


@exact(D1, D1, FLOAT)
def phase(crest: Any, shown: Any, period: float) -> Any:
    """The best first place of a comb of this period: mean height of what it meets in sight, and the place."""
    teeth = int(crest.size / period) + 1
    best, place = -np.inf, 0.0
    first = 0.0
    while first < int(period):
        total, weight = 0.0, 0.0
        for tooth in range(teeth):
            at = int(np.rint(first + tooth * period))
            if at < crest.size:
                total += crest[at] * shown[at]
                weight += shown[at]
        score = total / max(weight, 0.5 * teeth)
        if score > best:
            best, place = score, first
        first += p_train.PHASE_STEP
    return best, place
