"""Beats of one shape belong together: classes, the dominant one, and the instant that stands for each beat.

Shapes are compared at 250 Hz over all leads together. A beat is moved to where it correlates best with its class, and
the whole class then so that R is the peak of the spatial magnitude.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from greenchannel.signal import kernels, limits, pruning
from greenchannel.signal.grid import Bools, Floats
from greenchannel.signal.qrs import Ints

HALF_HZ: Final = limits.ANALYSIS_RATE_HZ / 2
FROM, TO = round(0.092 * HALF_HZ), round(0.132 * HALF_HZ)  # the window of shape around a beat
WIDTH: Final = FROM + TO
LAG: Final = round(0.04 * HALF_HZ)  # beats are looked for this far around where the detector put them
Doubles = NDArray[np.float64]

R_FROM, R_TO = round(0.06 * HALF_HZ), round(0.10 * HALF_HZ)  # R lies no further from the detector's place


@dataclass(frozen=True, kw_only=True, slots=True)
class Classes:
    """Beats sorted by shape; class 0 is the dominant one."""

    r: Ints
    """R of each beat in samples at 500 Hz, rising, shape ``(beats,)``."""
    label: Ints
    """Class of each beat; -1 where it resembles none."""
    shape: Floats
    """Mean QRS of class 0 at 250 Hz, each lead in units of its own QRS, shape ``(leads, samples)``."""
    shape_r: int
    """Sample of `shape` that is R."""
    spikes: Ints
    """What was found as a beat and is a pacing spike, in samples at 500 Hz."""


def windows(x: Floats, centres: Ints, before: int, after: int) -> Floats:
    """Cut ``[centre - before, centre + after)`` around each centre: ``(beats, leads, samples)``; edges repeat."""
    if x.dtype == np.float32 and centres.size and (fast := kernels.loaded) is not None:
        cut: Floats = fast.beats.windows(np.ascontiguousarray(x), centres, before, after)
        return cut
    n, width = x.shape[1], before + after
    if centres.size and centres.min() >= before and centres.max() + after <= n:
        x = np.ascontiguousarray(x)
        lead, step = x.strides
        every: Floats = np.ndarray((n - width + 1, x.shape[0], width), x.dtype, x, 0, (step, lead, step))
        return every[centres - before]
    out = np.empty((centres.size, x.shape[0], width), dtype=x.dtype)
    for row, centre in zip(out, centres.tolist(), strict=True):
        first, last = centre - before, centre + after
        if first >= 0 and last <= n:
            row[:] = x[:, first:last]
        else:
            row[:] = x[:, np.minimum(np.maximum(np.arange(first, last), 0), n - 1)]
    return out


def classify(half: Floats, coarse: Ints, weights: Floats, spikes: Ints) -> Classes:
    """Group beats by the correlation of their QRS over all leads, and align each with its class.

    Parameters
    ----------
    half : array ``(leads, samples)`` at 250 Hz
    coarse : array ``(beats,)``, rising, where the detector put them, in samples of `half`
    weights : array ``(leads,)``, reciprocal size of each lead's QRS, 0 for leads without a vote
    spikes : array ``(spikes,)``, rising, pacing spikes in samples at 500 Hz
    """
    wide = windows(half, coarse, FROM + LAG, TO + LAG)
    wide = _weighed(wide, weights)
    no_beat = pruning.t_waves(wide, coarse, spikes)
    if no_beat.any():
        wide, coarse = wide[~no_beat], coarse[~no_beat]
    place, label, found = _groups(wide, coarse)
    no_beat = pruning.lost_in_noise(wide, label, int(np.count_nonzero(weights)))
    if no_beat.any():
        place, label, found = _groups(wide[~no_beat], coarse[~no_beat])
    return _dominant_first(place, label, found, 2 * half.shape[1])


def _weighed(wide: Floats, weights: Floats) -> Floats:
    """Beats in units of each lead's QRS, without the mean of each lead; what is given is overwritten."""
    if (fast := kernels.of(wide)) is not None:
        weighed: Floats = fast.beats.weighed(wide, weights)
        return weighed
    wide *= weights[:, None]
    wide -= (wide.sum(axis=2) * np.float32(1 / wide.shape[2]))[..., None]
    return wide


def _groups(wide: Floats, coarse: Ints) -> tuple[Doubles, Ints, list[tuple[Ints, Floats, int]]]:
    """Place at 500 Hz and class of each beat, and of each class its members, its mean and the sample of R in it."""
    if (fast := kernels.of(wide)) is not None:
        place, label, templates, peaks, classes = fast.beats.groups(wide, coarse)
        return (
            place,
            label,
            [(np.flatnonzero(label == k), templates[k], int(peaks[k])) for k in range(classes)],
        )
    size = _sizes(wide)
    count = coarse.size
    label = np.full(count, -1, dtype=np.int64)
    place = 2.0 * coarse.astype(np.float64)
    found: list[tuple[Ints, Floats, int]] = []
    free = np.arange(count)
    while free.size and len(found) < limits.MAX_CLASSES:
        some, sizes = (wide, size) if free.size == count else (wide[free], size[free])
        match = _Match(some, sizes, (some.sum(axis=0) * np.float32(1 / free.size))[:, LAG : LAG + WIDTH])
        same = match.same
        if not same.all():
            # The beat most like the mean of what is left is the seed; the class's own mean replaces it.
            match = _Match(some, sizes, some[int(match.fit.argmax()), :, LAG : LAG + WIDTH])
            same = match.same
        if not same.any():
            break
        match = _Match(some, sizes, _aligned_mean(some, same, match.lag))
        same = match.same
        if not same.any():
            break
        members = free[same]
        template = _aligned_mean(some, same, match.lag)
        peak = _r_of(template)
        label[members] = len(found)
        place[members] += 2.0 * (match.fine[same] + (peak - FROM))
        found.append((members, template, peak))
        free = free[~same]
    return place, label, found


def _sizes(wide: Floats) -> Floats:
    """Size of each beat at each lag over all leads, ``(beats, lags)``."""
    power = np.zeros((wide.shape[0], wide.shape[2] + 1))
    np.cumsum((wide * wide).sum(axis=1), axis=1, out=power[:, 1:])
    size: Floats = np.sqrt(np.maximum(power[:, WIDTH:] - power[:, :-WIDTH], 1e-12)).astype(np.float32)
    return size


class _Match:
    """How well each beat fits a template at its best lag."""

    def __init__(self, wide: Floats, sizes: Floats, template: Floats) -> None:
        count, leads, width = wide.shape
        lags = 2 * LAG + 1
        padded = np.zeros((leads, width + lags - 1), dtype=np.float32)
        inner = padded[:, lags - 1 : lags - 1 + WIDTH]
        np.subtract(template, (template.sum(axis=1) * np.float32(1 / WIDTH))[:, None], out=inner)
        own = math.sqrt(float(np.einsum("ls,ls->", inner, inner))) + 1e-12
        lead, step = padded.strides
        # Row k holds the template moved by k samples.
        shifted: Floats = np.ndarray(
            (lags, leads, width), padded.dtype, padded, (lags - 1) * step, (-step, lead, step)
        )
        product = wide.reshape(count, -1) @ shifted.reshape(lags, -1).T
        fit = product / (sizes * np.float32(own))
        rows = np.arange(count)
        best = fit.argmax(axis=1)
        self._fits, self._rows = fit, rows
        self.fit = fit[rows, best]
        self.lag = best
        self._ratio = sizes[rows, best] * (1 / own)

    @property
    def fine(self) -> Doubles:
        """Lag of each beat against its place, by the vertex of the parabola through three lags."""
        best, rows = self.lag, self._rows
        left = self._fits[rows, np.maximum(best - 1, 0)]
        right = self._fits[rows, np.minimum(best + 1, 2 * LAG)]
        bend = np.minimum(left + right - 2 * self.fit, -1e-6)
        return np.asarray(best - LAG + 0.5 * (left - right) / bend, dtype=np.float64)

    @property
    def same(self) -> Bools:
        """Which beats have the template's shape and about its size."""
        most = limits.CLASS_ENERGY_RATIO
        near = (self._ratio < most) & (self._ratio > 1 / most)
        return np.asarray((self.fit >= limits.CLASS_CORRELATION) & near)


def _aligned_mean(wide: Floats, same: Bools, lag: Ints) -> Floats:
    """Mean of the chosen beats, each cut at its own lag."""
    _, leads, width = wide.shape
    beat, lead, step = wide.strides
    every: Floats = np.ndarray(
        (len(wide), width - WIDTH + 1, leads, WIDTH), wide.dtype, wide, 0, (beat, step, lead, step)
    )
    chosen = np.flatnonzero(same)
    total: Floats = every[chosen, lag[chosen]].sum(axis=0)
    total *= np.float32(1 / chosen.size)
    return total


def _is_narrow(template: Floats) -> bool:
    """Is a shape steep for a time too short for any ventricle, as a blurred pacing spike is?"""
    speed = template[:, 1:] - template[:, :-1]
    speed = np.einsum("ls,ls->s", speed, speed)
    return bool(
        np.count_nonzero(speed > limits.STEEP_PART**2 * speed.max()) <= limits.SPIKE_WIDTH_S * HALF_HZ
    )


def _r_of(template: Floats) -> int:
    """Where a class's spatial magnitude is largest, in samples of its shape."""
    near = slice(FROM - R_FROM, FROM + R_TO)
    level = (template[:, :3].sum(axis=1) + template[:, -3:].sum(axis=1)) * np.float32(1 / 6)
    away = template[:, near] - level[:, None]
    return near.start + int(np.einsum("ls,ls->s", away, away).argmax())


def _dominant_first(place: Doubles, label: Ints, found: list[tuple[Ints, Floats, int]], n: int) -> Classes:
    """Number classes by how many beats they have; equal ones by how late their beats come (ectopics are early)."""
    # A sample at 250 Hz stands in the middle of two at 500 Hz.
    aligned = np.minimum(np.maximum(np.rint(place + 0.5), 0), n - 1).astype(np.int64)
    if not found:
        empty = np.zeros((0, WIDTH), dtype=np.float32)
        return Classes(r=aligned, label=label, shape=empty, shape_r=FROM, spikes=np.zeros(0, dtype=np.int64))
    beat = np.ones(aligned.size, dtype=np.bool_)
    if len(found) > 1:
        # A narrow shape so soon before a beat is the spike that made it.
        soon = np.zeros(aligned.size, dtype=np.bool_)
        soon[:-1] = aligned[1:] - aligned[:-1] < limits.SPIKE_TO_BEAT_S * limits.ANALYSIS_RATE_HZ
        for members, template, _ in found:
            if 2 * np.count_nonzero(soon[members]) > members.size and _is_narrow(template):
                beat[members] = False
    if not beat.any():
        beat[:] = True
    kept = [one for one in found if beat[one[0]].all()]
    order = list(range(len(kept)))
    if len(kept) > 1:
        gaps = aligned[1:] - aligned[:-1]
        before = np.concatenate([[np.median(gaps)], gaps])
        # Where they take turns, one more or less is a matter of where the strip begins.
        most = max(len(one[0]) for one in kept)
        equal = [len(one[0]) >= max(most - 1, limits.MIN_MEDIAN_BEATS) for one in kept]
        order.sort(key=lambda k: (-most if equal[k] else -len(kept[k][0]), -float(before[kept[k][0]].mean())))
    label = np.full_like(label, -1)
    for new, old in enumerate(order):
        label[kept[old][0]] = new
    _, shape, peak = kept[order[0]]
    r, label = aligned[beat], label[beat]
    if (r[1:] <= r[:-1]).any():
        r, first = np.unique(r, return_index=True)
        label = label[first]
    return Classes(r=r, label=label, shape=shape, shape_r=peak, spikes=np.sort(aligned[~beat]))
