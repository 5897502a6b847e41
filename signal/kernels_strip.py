"""Kernels of a whole strip at 500 Hz: half the rate, the detector, noise, spikes, the baseline."""

import math
from typing import Any, Final

import numpy as np

from greenchannel.signal import baseline, limits, pacing, qrs, quality
from greenchannel.signal.kernel_compiler import B1, F2, I1, INT, exact, exactly, kernel, within
from greenchannel.signal.kernels_samples import smallest

_F32: Final = np.float32
_RATE: Final = limits.ANALYSIS_RATE_HZ
_WIDTH: Final = int(limits.QRS_SMOOTH_S * qrs.RATE_HZ) | 1
_LEVEL: Final = int(limits.LEVEL_BLOCK_S * qrs.RATE_HZ)
_NEAR: Final = int(0.1 * qrs.RATE_HZ)
_EDGE: Final = int(limits.EDGE_S * qrs.RATE_HZ)
_T_FROM, _T_TO = (round(by * qrs.RATE_HZ) for by in limits.T_OF_EARLY_S)
_LAG: Final = qrs.LAG
_GOLDEN: Final = qrs.GOLDEN
_SCALE: Final = qrs.SCALE
_SPIKE, _SPIKE_FLAT = pacing.REACH, pacing.FAR
_SECOND: Final = quality.SECOND
_SECONDS: Final = quality.SECONDS
_KNOT: Final = baseline.width()
_QUIET: Final = baseline.QUIET


@exact(F2)
def halves(x: Any) -> Any:
    """Means of two and of four neighbouring samples."""
    leads, n = x.shape
    half, slow = np.empty((leads, n // 2), np.float32), np.empty((leads, n // 2 // 2), np.float32)
    for lead in range(leads):
        row, to, slower = x[lead], half[lead], slow[lead]
        for at in range(to.size):
            to[at] = (row[2 * at] + row[2 * at + 1]) * _F32(0.5)
        for at in range(slower.size):
            slower[at] = (to[2 * at] + to[2 * at + 1]) * _F32(0.5)
    return half, slow


@exactly
def _band(slow: Any, band: Any, smooth: Any) -> None:
    """The QRS band of one lead; `smooth` is room for as many samples."""
    n = slow.size
    band[:] = _F32(0.0)
    if n < 2 * _LAG + 3:
        return
    for at in range(n - 2):
        smooth[at] = slow[at + 1] * _GOLDEN + slow[at] + slow[at + 2]
    for at in range(_LAG, n - 2 - _LAG):
        band[at + 1] = ((smooth[at] + smooth[at]) - smooth[at - _LAG] - smooth[at + _LAG]) * _SCALE


@exactly
def _boxed(power: Any, energy: Any) -> None:
    """Root of the mean power around each sample."""
    n, half = power.size, _WIDTH // 2
    if n == 0:
        return
    sums = np.empty(n + _WIDTH)
    total = 0.0
    for at in range(n + _WIDTH):
        total += np.float64(power[min(max(at - half - 1, 0), n - 1)])
        sums[at] = total
    for at in range(n):
        energy[at] = math.sqrt(max((sums[at + _WIDTH] - sums[at]) / _WIDTH, 0.0))


@exactly
def _leveled(energy: Any, level: Any) -> None:
    """Level of QRS peaks around each sample: the median over five blocks of their maxima."""
    size = energy.size
    count = max(size // _LEVEL, 1)
    length = size / count
    peaks, middle, place = np.empty(count), np.empty(count), np.empty(count)
    for block in range(count):
        first = int(block * length)
        last = int((block + 1) * length) if block + 1 < count else size
        high = energy[first]
        for at in range(first, last):
            high = max(high, energy[at])
        peaks[block] = high
        place[block] = block * length + 0.5 * size / count
    if count == 1:
        level[:] = peaks[0]
        return
    five = np.empty(5)
    for block in range(count):
        for k in range(5):
            five[k] = peaks[min(max(block + k - 2, 0), count - 1)]
        five.sort()
        middle[block] = five[2]
    block = 0
    for at in range(size):
        if at <= place[0]:
            level[at] = middle[0]
        elif at >= place[count - 1]:
            level[at] = middle[count - 1]
        else:
            while place[block + 1] <= at:
                block += 1
            slope = (middle[block + 1] - middle[block]) / (place[block + 1] - place[block])
            level[at] = slope * (at - place[block]) + middle[block]


@exactly
def _has_t(peak: int, beat: float, candidates: Any, energy: Any) -> bool:
    found = False
    for at in candidates:
        found |= peak + _T_FROM <= at < peak + _T_TO and energy[at] > limits.T_OF_EARLY * beat
    return found


@exactly
def _looked_back(chosen: Any, candidates: Any, relative: Any) -> Any:
    """With what half the threshold finds in pauses that are long for this strip."""
    if chosen.size < 3:
        return chosen
    spacing = chosen[1:] - chosen[:-1]
    limit = limits.SEARCH_BACK_RR * np.sort(spacing)[spacing.size // 2]
    guard = limits.T_WAVE_S * qrs.RATE_HZ
    out, count = np.empty(2 * chosen.size, np.int64), 0
    for k in range(chosen.size):
        out[count] = chosen[k]
        count += 1
        if k + 1 < chosen.size and spacing[k] > limit:
            best, highest = -1, 0.0
            for c in range(candidates.size):
                at = candidates[c]
                inside = at > chosen[k] + guard and at < chosen[k + 1] - guard / 2
                if inside and relative[c] > max(limits.SEARCH_BACK_FRACTION, highest):
                    best, highest = c, relative[c]
            if best >= 0:
                out[count] = candidates[best]
                count += 1
    return out[:count].copy()


@exactly
def _detected(energy: Any) -> Any:
    """Coarse positions of all QRS complexes in the energy of a strip."""
    size = energy.size
    if size < 2:
        return np.empty(0, np.int64)
    level = np.empty(size)
    _leveled(energy, level)
    if level.max() < 0.1:
        return np.empty(0, np.int64)
    candidates, relative = np.empty(size, np.int64), np.empty(size)
    found = 0
    before = False
    for at in range(size):
        here = energy[at]
        top = here > 0
        if top:
            for k in range(max(at - _NEAR, 0), min(at + _NEAR + 1, size)):
                if energy[k] > here:
                    top = False
                    break
        if top and not before and _EDGE <= at < size - _EDGE:
            candidates[found], relative[found] = at, here / max(level[at], 0.1)
            found += 1
        before = top
    candidates, relative = candidates[:found], relative[:found]
    kept, count = np.empty(2 * found + 1, np.int64), 0
    for k in range(found):
        if not relative[k] > limits.QRS_FRACTION:
            continue
        at = candidates[k]
        if count:
            last = kept[count - 1]
            gap_s = (at - last) / qrs.RATE_HZ
            if gap_s < limits.REFRACTORY_S:
                if energy[at] > energy[last]:
                    kept[count - 1] = at
                continue
            weak = gap_s < limits.T_WAVE_S and energy[at] < limits.T_WAVE_FRACTION * energy[last]
            if weak and not (gap_s >= limits.EARLY_BEAT_S and _has_t(at, energy[last], candidates, energy)):
                continue
        kept[count] = at
        count += 1
    return _looked_back(kept[:count].copy(), candidates, relative)


@kernel(F2, B1)
def coarse(slow: Any, usable: Any) -> Any:
    """Where the detector puts beats, and what each lead weighs in comparing shapes; where all samples are known."""
    leads, n = slow.shape
    band, smooth = np.empty((leads, n), np.float32), np.empty(n, np.float32)
    scale, weight = np.empty(leads, np.float32), np.zeros(leads, np.float32)
    order = np.empty((n + 1) // 2, np.float32)
    last = order.size - 1
    least = _F32(limits.MIN_QRS_MV)
    total = _F32(0.0)
    for lead in range(leads):
        row = band[lead]
        _band(slow[lead], row, smooth)
        for at in range(order.size):
            order[at] = abs(row[2 * at])
        high = smallest(order, int(0.98 * last))
        middle = smallest(order, last // 2)
        scale[lead] = max(high, least)
        if usable[lead] and high >= least:
            crest = high / max(middle, _F32(1e-6))
            weight[lead] = min(max(crest - _F32(qrs.NOISE_CREST), _F32(0.05)), _F32(12.0))
            total += weight[lead]
    power = np.zeros(n, np.float32)
    most = _F32(0.0)
    for lead in range(leads):
        if total > 0:
            weight[lead] /= total
        most = max(most, weight[lead])
        by, share, row = _F32(1.0) / scale[lead], weight[lead], band[lead]
        for at in range(n):
            value = row[at] * by
            power[at] += share * min(value * value, _F32(4.0))
    energy = np.empty(n)
    _boxed(power, energy)
    for lead in range(leads):
        weight[lead] = _F32(1.0) / scale[lead] if weight[lead] > _F32(0.1) * most else _F32(0.0)
    return _detected(energy), weight


@kernel(F2, B1)
def noise(x: Any, quiet: Any) -> Any:
    """RMS of what is left above some 40 Hz outside the QRS, ``(leads,)``."""
    leads, n = x.shape
    out, counts = np.empty(leads, np.float32), np.empty(n - 4, np.float32)
    count = _F32(0.0)
    for at in range(n - 4):
        counts[at] = _F32(1.0) if quiet[at + 2] else _F32(0.0)
        count += counts[at]
    for lead in range(leads):
        row = x[lead]
        total = _F32(0.0)
        for at in range(n - 4):
            sides = (row[at + 1] + row[at + 3] + row[at] + row[at + 4]) * _F32(0.2)
            fast = row[at + 2] * _F32(0.8) - sides
            total += fast * fast * counts[at]
        out[lead] = math.sqrt(total / count)
    return out


@exactly
def _spiky(x: Any, at: int) -> bool:
    """Do two leads come and go here within a few milliseconds, and lies the tallest of them beyond as it was?"""
    leads, last = x.shape[0], x.shape[1] - 1
    best, tallest = 0, _F32(-1.0)
    found: Any = 0
    for lead in range(leads):
        row = x[lead]
        near, far = row[at] - row[at - _SPIKE], row[at + _SPIKE] - row[at]
        size = min(abs(near), abs(far)) if near * far < 0 else _F32(0.0)
        found += size >= _F32(limits.SPIKE_SHARE_MV)
        best, tallest = (lead, size) if size > tallest else (best, tallest)
    if found < min(2, leads):
        return False
    row = x[best]
    for side in (-1, 1):
        near = row[min(max(at + side * _SPIKE, 0), last)]
        far = row[min(max(at + side * _SPIKE_FLAT, 0), last)]
        if abs(far - near) > _F32(limits.SPIKE_FLAT) * abs(row[at] - near):
            return False
    return True


@exact(F2, B1)
def no_spike(x: Any, usable: Any) -> bool:
    """Screen: does nothing in a usable lead come and go within a few milliseconds, and in a second lead?"""
    leads, n = x.shape
    up, down = _F32(limits.SPIKE_MV), _F32(-limits.SPIKE_MV)
    for lead in range(leads):
        if usable[lead]:
            row = x[lead]
            for begin in range(_SPIKE, n - _SPIKE, 256):
                end, found = min(begin + 256, n - _SPIKE), 0
                for at in range(begin, end):
                    near, far = row[at] - row[at - _SPIKE], row[at + _SPIKE] - row[at]
                    found += ((near >= up) & (far <= down)) | ((near <= down) & (far >= up))
                if found:
                    for at in range(begin, end):
                        near, far = row[at] - row[at - _SPIKE], row[at + _SPIKE] - row[at]
                        sharp = (near >= up and far <= down) or (near <= down and far >= up)
                        if sharp and _spiky(x, at):
                            return False
    return True


@kernel(F2, INT)
def onset(shape: Any, shape_r: int) -> int:
    """Onset of the dominant QRS in its mean shape; -1 where there is none."""
    leads, n = shape.shape
    speed = np.zeros(n - 2, np.float32)
    for lead in range(leads):
        row = shape[lead]
        for at in range(n - 2):
            move = row[at + 2] - row[at]
            speed[at] += move * move
    steep = 0
    for at in range(n - 2):
        speed[at] = math.sqrt(speed[at])
        steep = at if speed[at] > speed[steep] else steep
    ordered = np.sort(speed[: 3 * _QUIET])
    level = _F32(max(limits.KNOT_SPEED * np.float64(speed[steep]), 1.5 * np.float64(ordered[_QUIET])))
    found, quiet = -1, 0
    for at in range(min(steep, shape_r) + 1):
        quiet = quiet + 1 if speed[at] < level else 0
        found = at + 1 if quiet >= _QUIET else found
    return found


@exact(F2, I1)
def levels(x: Any, at: Any) -> Any:
    """Mean of the eight samples behind each knot: ``(leads, knots)``."""
    leads = x.shape[0]
    out = np.empty((leads, at.size), np.float32)
    for lead in range(leads):
        for knot in range(at.size):
            row = x[lead, at[knot] : at[knot] + _KNOT]
            first, last = (row[0] + row[1]) + (row[2] + row[3]), (row[4] + row[5]) + (row[6] + row[7])
            out[lead, knot] = (first + last) * _F32(1.0 / _KNOT)
    return out


@kernel(F2)
def swings(slow: Any) -> Any:
    """Largest change of means over a second within ten seconds, ``(leads,)``; 0 without a whole second."""
    leads = slow.shape[0]
    count = slow.shape[1] // _SECOND
    out = np.zeros(leads, np.float32)
    for lead in range(leads):
        high = low = _F32(0.0)
        for second in range(count):
            total = _F32(0.0)
            for at in range(second * _SECOND, (second + 1) * _SECOND):
                total += slow[lead, at]
            total *= _F32(1.0 / _SECOND)
            first = second % _SECONDS == 0
            high = total if first else max(high, total)
            low = total if first else min(low, total)
            out[lead] = max(out[lead], high - low)
    return out


@within
def _bends(length: Any, rise: Any, bend: Any, middle: Any) -> None:
    """Second derivatives of a not-a-knot spline at its knots, for one lead; see `baseline`."""
    inner = length.size - 1
    if inner < 1:
        bend[:] = 0.0
        return
    if inner == 1:
        bend[:] = 6 * (rise[1] - rise[0]) / (3 * (length[0] + length[1]))
        return
    h = length
    first, last = h[0] / h[1], h[inner] / h[inner - 1]
    for k in range(inner):
        middle[k] = 2 * (h[k] + h[k + 1])
        bend[k + 1] = 6 * (rise[k + 1] - rise[k])
    middle[0] += h[0] * (1 + first)
    middle[inner - 1] += h[inner] * (1 + last)
    for k in range(1, inner):
        above = h[k] - (h[0] * first if k == 1 else 0.0)
        below = h[k] - (h[inner] * last if k == inner - 1 else 0.0)
        share = below / middle[k - 1]
        middle[k] -= share * above
        bend[k + 1] -= share * bend[k]
    bend[inner] /= middle[inner - 1]
    for k in range(inner - 2, -1, -1):
        above = h[k + 1] - (h[0] * first if k == 0 else 0.0)
        bend[k + 1] = (bend[k + 1] - above * bend[k + 2]) / middle[k]
    bend[0] = (1 + first) * bend[1] - first * bend[2]
    bend[inner + 1] = (1 + last) * bend[inner] - last * bend[inner - 1]


@kernel(I1, F2, INT)
def spline(at: Any, knots_mv: Any, n: int) -> Any:
    """Baseline of every lead through its knots, flat before the first and after the last one."""
    leads, knots = knots_mv.shape
    out = np.empty((leads, n), np.float32)
    length, rise = np.empty(max(knots - 1, 0)), np.empty(max(knots - 1, 0))
    bend, middle = np.empty(knots), np.empty(knots)
    for k in range(knots - 1):
        length[k] = np.float64(at[k + 1] - at[k])
    for lead in range(leads):
        value, row = knots_mv[lead], out[lead]
        row[: at[0]] = value[0]
        row[at[knots - 1] :] = value[knots - 1]
        for k in range(knots - 1):
            rise[k] = (np.float64(value[k + 1]) - np.float64(value[k])) / length[k]
        if knots > 1:
            _bends(length, rise, bend, middle)
        for k in range(knots - 1):
            start, slope = np.float64(value[k]), rise[k] - length[k] / 6 * (2 * bend[k] + bend[k + 1])
            half, sixth = bend[k] / 2, (bend[k + 1] - bend[k]) / (6 * length[k])
            piece = row[at[k] : at[k + 1]]
            for t in range(piece.size):
                far = np.float64(t)
                piece[t] = _F32(start + far * (slope + far * (half + far * sixth)))
    return out
