"""Kernels of the beats: cut out, compared by shape, their middle, how they agree with it."""

import math
from typing import Any, Final

import numpy as np

from greenchannel.signal import beats, limits, median, pruning
from greenchannel.signal.kernel_compiler import F1, F2, F3, I1, INT, exact, kernel, within
from greenchannel.signal.kernels_samples import product

_F32: Final = np.float32
_WIDTH: Final = beats.WIDTH
_LAG: Final = beats.LAG
_LAGS: Final = 2 * beats.LAG + 1
_FROM, _TO = beats.FROM, beats.TO
_WIDE: Final = _WIDTH + 2 * _LAG
_NEAR: Final = slice(beats.FROM - beats.R_FROM, beats.FROM + beats.R_TO)
_SPAN, _BAND, _MARGIN = pruning.SPAN, pruning.BAND, pruning.MARGIN
_CLASSES: Final = limits.MAX_CLASSES
_GROUPS: Final = median.GROUPS
_STEPS: Final = median.STEPS


@exact(F2, I1, INT, INT)
def windows(x: Any, centres: Any, before: int, after: int) -> Any:
    """``[centre - before, centre + after)`` around each centre: ``(beats, leads, samples)``; edges repeat."""
    leads, n = x.shape
    out = np.empty((centres.size, leads, before + after), x.dtype)
    for beat in range(centres.size):
        first = centres[beat] - before
        inside = first >= 0 and centres[beat] + after <= n
        for lead in range(leads):
            row, to = x[lead], out[beat, lead]
            if inside:
                to[:] = row[first : first + to.size]
            else:
                for k in range(to.size):
                    to[k] = row[min(max(first + k, 0), n - 1)]
    return out


@kernel(F3, F1)
def weighed(cut: Any, weights: Any) -> Any:
    """Beats in units of each lead's QRS, without the mean of each lead."""
    out = np.empty(cut.shape, np.float32)
    for beat in range(cut.shape[0]):
        for lead in range(cut.shape[1]):
            row, to, weight = cut[beat, lead], out[beat, lead], weights[lead]
            total = _F32(0.0)
            for k in range(row.size):
                to[k] = row[k] * weight
                total += to[k]
            total *= _F32(1.0 / row.size)
            for k in range(row.size):
                to[k] -= total
    return out


@within
def _match(
    wide: Any, sizes: Any, chosen: Any, template: Any, fits: Any, fit: Any, lag: Any, same: Any
) -> int:
    """How well each chosen beat fits a template at its best lag; how many have its shape and about its size."""
    leads = wide.shape[1]
    inner = np.empty(template.shape, np.float32)
    power = _F32(0.0)
    for lead in range(leads):
        row, to = template[lead], inner[lead]
        total = _F32(0.0)
        for k in range(_WIDTH):
            total += row[k]
        total *= _F32(1.0 / _WIDTH)
        for k in range(_WIDTH):
            to[k] = row[k] - total
            power += to[k] * to[k]
    own = math.sqrt(np.float64(power)) + 1e-12
    by = _F32(own)
    most, found = _F32(limits.CLASS_ENERGY_RATIO), 0
    least = _F32(1.0 / limits.CLASS_ENERGY_RATIO)
    for beat in chosen:
        best = 0
        for at in range(_LAGS):
            along = _F32(0.0)
            for lead in range(leads):
                along += product(wide[beat, lead, at : at + _WIDTH], inner[lead])
            fits[beat, at] = along / (sizes[beat, at] * by)
            best = at if fits[beat, at] > fits[beat, best] else best
        lag[beat], fit[beat] = best, fits[beat, best]
        ratio = sizes[beat, best] * _F32(1 / own)
        same[beat] = fit[beat] >= _F32(limits.CLASS_CORRELATION) and least < ratio < most
        found += same[beat]
    return found


@within
def _aligned(wide: Any, chosen: Any, same: Any, lag: Any, found: int, mean: Any) -> None:
    """Mean of the beats of one shape, each cut at its own lag."""
    mean[:] = _F32(0.0)
    for beat in chosen:
        if same[beat]:
            for lead in range(mean.shape[0]):
                row, to = wide[beat, lead, lag[beat] : lag[beat] + _WIDTH], mean[lead]
                for k in range(_WIDTH):
                    to[k] += row[k]
    mean *= _F32(1.0 / found)


@within
def _peak(template: Any) -> int:
    """Where a class's spatial magnitude is largest, in samples of its shape."""
    away = np.zeros(_WIDTH, np.float32)
    for lead in range(template.shape[0]):
        row = template[lead]
        last = row[_WIDTH - 3] + row[_WIDTH - 2] + row[_WIDTH - 1]
        level = (row[0] + row[1] + row[2] + last) * _F32(1 / 6)
        for k in range(_NEAR.start, _NEAR.stop):
            far = row[k] - level
            away[k] += far * far
    best = _NEAR.start
    for k in range(_NEAR.start, _NEAR.stop):
        best = k if away[k] > away[best] else best
    return best


@within
def _sizes(wide: Any) -> Any:
    """Size of each beat at each lag over all leads, ``(beats, lags)``."""
    count, leads = wide.shape[:2]
    out, power = np.empty((count, _LAGS), np.float32), np.empty(_WIDE, np.float32)
    sums = np.zeros(_WIDE + 1)
    for beat in range(count):
        power[:] = _F32(0.0)
        for lead in range(leads):
            row = wide[beat, lead]
            for k in range(_WIDE):
                power[k] += row[k] * row[k]
        for k in range(_WIDE):
            sums[k + 1] = sums[k] + np.float64(power[k])
        for at in range(_LAGS):
            out[beat, at] = math.sqrt(max(sums[at + _WIDTH] - sums[at], 1e-12))
    return out


@within
def _largest(power: Any, size: int) -> float:
    """Root of the largest mean over some samples."""
    best, total = 0.0, 0.0
    for k in range(size):
        total += np.float64(power[k])
        if k >= _SPAN:
            total -= np.float64(power[k - _SPAN])
        best = max(best, total) if k >= _SPAN - 1 else best
    return math.sqrt(max(best, 1e-12) / _SPAN)


@kernel(F3)
def energies(wide: Any) -> Any:
    """Size of each beat in the band of the QRS."""
    count, leads, n = wide.shape
    out, power, size = np.empty(count), np.empty(n, np.float32), n - 1 - 2 * _BAND
    for beat in range(count):
        power[:] = _F32(0.0)
        for lead in range(leads):
            row = wide[beat, lead]
            for k in range(size):
                middle = row[k + _BAND + 1] + row[k + _BAND]
                sides = (row[k + 1] + row[k]) + (row[k + 2 * _BAND + 1] + row[k + 2 * _BAND])
                bend = _F32(2.0) * middle - sides
                power[k] += bend * bend
        out[beat] = _largest(power, size)
    return out


@kernel(F3)
def speeds(wide: Any) -> Any:
    """How fast each beat's vector moves, over 16 ms."""
    count, leads, n = wide.shape
    out, power, size = np.empty(count), np.empty(n, np.float32), n - 16
    for beat in range(count):
        power[:] = _F32(0.0)
        for lead in range(leads):
            row = wide[beat, lead]
            for k in range(size):
                move = row[k + 10] - row[k + 6]
                power[k] += move * move
        out[beat] = _largest(power, size)
    return out


@kernel(F3)
def areas(wide: Any) -> Any:
    """Size of each beat, slow waves included."""
    count, leads, n = wide.shape
    out, size = np.empty(count), n - 2 * _MARGIN
    for beat in range(count):
        power = 0.0
        for lead in range(leads):
            row = wide[beat, lead, _MARGIN : _MARGIN + size]
            total, square = _F32(0.0), _F32(0.0)
            for k in range(size):
                total += row[k]
            total /= _F32(size)
            for k in range(size):
                square += (row[k] - total) * (row[k] - total)
            power += np.float64(square)
        out[beat] = math.sqrt(power / size + 1e-12)
    return out


@kernel(F3, I1)
def groups(wide: Any, coarse: Any) -> Any:
    """Place at 500 Hz and class of each beat, mean and sample of R of each class; how many classes."""
    count, leads = wide.shape[:2]
    sizes = _sizes(wide)
    fits, fit = np.empty((count, _LAGS), np.float32), np.empty(count, np.float32)
    lag, same = np.empty(count, np.int64), np.zeros(count, np.bool_)
    label, place = np.full(count, -1), np.empty(count)
    templates, peaks = np.empty((_CLASSES, leads, _WIDTH), np.float32), np.empty(_CLASSES, np.int64)
    for beat in range(count):
        place[beat] = 2.0 * coarse[beat]
    free, classes = np.arange(count), 0
    mean = np.empty((leads, _WIDTH), np.float32)
    while free.size and classes < _CLASSES:
        mean[:] = _F32(0.0)
        for beat in free:
            for lead in range(leads):
                row, to = wide[beat, lead, _LAG : _LAG + _WIDTH], mean[lead]
                for k in range(_WIDTH):
                    to[k] += row[k]
        mean *= _F32(1.0 / free.size)
        found = _match(wide, sizes, free, mean, fits, fit, lag, same)
        if found < free.size:
            # The beat most like the mean of what is left is the seed; the class's own mean replaces it.
            seed = free[0]
            for beat in free:
                seed = beat if fit[beat] > fit[seed] else seed
            mean[:] = wide[seed, :, _LAG : _LAG + _WIDTH]
            found = _match(wide, sizes, free, mean, fits, fit, lag, same)
        if not found:
            break
        _aligned(wide, free, same, lag, found, mean)
        found = _match(wide, sizes, free, mean, fits, fit, lag, same)
        if not found:
            break
        _aligned(wide, free, same, lag, found, mean)
        templates[classes] = mean
        peaks[classes] = _peak(mean)
        left, rest = np.empty(free.size - found, np.int64), 0
        for beat in free:
            if not same[beat]:
                left[rest] = beat
                rest += 1
                continue
            best = lag[beat]
            before, after = fits[beat, max(best - 1, 0)], fits[beat, min(best + 1, 2 * _LAG)]
            bend = min(before + after - _F32(2.0) * fit[beat], _F32(-1e-6))
            vertex = min(max(_F32(0.5) * (before - after) / bend, _F32(-0.5)), _F32(0.5))
            label[beat] = classes
            place[beat] += 2.0 * ((best - _LAG + np.float64(vertex)) + (peaks[classes] - _FROM))
        free = left
        classes += 1
    return place, label, templates, peaks, classes


@exact(F3)
def middle(stack: Any) -> Any:
    """The beat in the middle of a stack of three and more, by Huber's location; see `median`."""
    count, leads, n = stack.shape
    out = np.empty((leads, n), np.float32)
    means, total, share = np.empty((_GROUPS, n), np.float32), np.empty(n, np.float32), _F32(1.0 / count)
    for lead in range(leads):
        centre = out[lead]
        for group in range(_GROUPS):
            mean, members = means[group], 0
            mean[:] = _F32(0.0)
            for beat in range(group, count, _GROUPS):
                row = stack[beat, lead]
                members += 1
                for k in range(n):
                    mean[k] += row[k]
            mean *= _F32(1.0 / members)
        a, b, c = means[0], means[1], means[2]
        for k in range(n):
            centre[k] = max(min(a[k], b[k]), min(max(a[k], b[k]), c[k]))
        far = _F32(0.0)
        for beat in range(count):
            row = stack[beat, lead]
            for k in range(0, n, 4):
                far += abs(row[k] - centre[k])
        bound = far * _F32(limits.HUBER_BOUND * 4 / (count * n)) + _F32(1e-6)
        for _ in range(_STEPS):
            total[:] = _F32(0.0)
            for beat in range(count):
                row = stack[beat, lead]
                for k in range(n):
                    total[k] += max(min(row[k] - centre[k], bound), -bound)
            for k in range(n):
                centre[k] += total[k] * share
    return out


@within
def _spread(row: Any, start: int, room: Any) -> Any:
    """Mean of every second sample and the sum of their squares about it; the samples themselves go into `room`."""
    width = room.size
    total, square = _F32(0.0), _F32(0.0)
    for k in range(width):
        room[k] = row[start + 2 * k]
        total += room[k]
        square += room[k] * room[k]
    mean = total / _F32(width)
    return mean, square - _F32(width) * mean * mean


@kernel(F3, F2, INT, INT)
def alike(stack: Any, beat_mv: Any, start: int, stop: int) -> Any:
    """Correlation of each beat with the median beat and RMS of what is left, of every second sample."""
    count, leads = stack.shape[:2]
    fit, rest = np.empty((count, leads), np.float32), np.empty((count, leads), np.float32)
    width = (stop - start + 1) // 2
    own, mine = np.empty(width, np.float32), np.empty(width, np.float32)
    for lead in range(leads):
        mean_b, bb = _spread(beat_mv[lead], start, mine)
        for beat in range(count):
            mean_a, aa = _spread(stack[beat, lead], start, own)
            ab = _F32(0.0)
            for k in range(width):
                ab += own[k] * mine[k]
            ab -= _F32(width) * mean_a * mean_b
            fit[beat, lead] = ab / (_F32(math.sqrt(max(aa * bb, _F32(0.0)))) + _F32(1e-12))
            rest[beat, lead] = math.sqrt(max(aa + bb - _F32(2.0) * ab, _F32(0.0)) / _F32(width))
    return fit, rest


@kernel(F2, I1, F2)
def contradictions(x: Any, rows: Any, relations: Any) -> Any:
    """Variance of each relation that limb leads should hold, of every fourth sample."""
    out = np.empty(relations.shape[0], np.float32)
    n = (x.shape[1] + 3) // 4
    rest = np.empty(n, np.float32)
    for relation in range(out.size):
        rest[:] = _F32(0.0)
        for k in range(rows.size):
            share, row = relations[relation, k], x[rows[k]]
            if share != 0:
                for at in range(n):
                    rest[at] += share * row[4 * at]
        total, square = _F32(0.0), _F32(0.0)
        for at in range(n):
            total += rest[at]
            square += rest[at] * rest[at]
        mean = total / _F32(n)
        out[relation] = square / _F32(n) - mean * mean
    return out
