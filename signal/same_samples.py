"""Laying one recording on another: by how much it is shifted, and what differs then."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from greenchannel.signal import limits

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

_RATE: Final = int(limits.ANALYSIS_RATE_HZ)
_EDGE: Final = 12  # samples at both ends that a resampling filter invents [E]
_STEPS: Final = 3  # of Newton's method for the part of a sample
_WHOLE: Final = 0.05  # a shift nearer to a whole sample is one [E]
_MOST_STEP_MV: Final = 0.02  # no device rounds more coarsely [E]


def overlap_of(
    x: NDArray[np.float32], y: NDArray[np.float32], there_x: Bools, there_y: Bools
) -> tuple[float, Floats, Floats, Bools] | None:
    """The part that two recordings share: ``(shift, first, second, there)``, None where nothing fits.

    Parameters
    ----------
    x, y : arrays ``(leads, samples)`` at one rate, the leads in one order
    there_x, there_y : arrays of the same shapes, where a sample was recorded

    Returns
    -------
    shift : of `y` against `x`, in samples; not always whole
    first, second : arrays ``(leads, samples shared)``
    there : of the same shape, where both have a sample
    """
    a, b = np.diff(x.astype(np.float64)), np.diff(y.astype(np.float64))
    if not a.any() or not b.any():
        return None
    size = fft.next_fast_len(a.shape[1] + b.shape[1], real=True)
    product = (fft.rfft(a, size) * fft.rfft(b, size).conj()).sum(axis=0)
    fit = fft.irfft(product, size)
    k = int(np.argmax(fit))
    lag = k if k < a.shape[1] else k - size
    first, second = _cut(x, y, lag)
    there = np.logical_and(*_cut(there_x, there_y, lag))
    if second.shape[1] <= 4 * _EDGE:
        return None
    part = _part_of_sample(first, second)
    if abs(part) > _WHOLE:
        second = _moved(second, part)
    else:
        part = 0.0
    inner = slice(_EDGE, -_EDGE)
    return lag - part, first[:, inner], second[:, inner], there[:, inner]


def _cut(x: NDArray[Any], y: NDArray[Any], lag: int) -> tuple[Floats, Floats]:
    start, end = max(0, lag), min(x.shape[1], y.shape[1] + lag)
    if end <= start:
        return np.zeros((x.shape[0], 0)), np.zeros((x.shape[0], 0))
    return x[:, start:end].astype(np.float64), y[:, start - lag : end - lag].astype(np.float64)


def _part_of_sample(first: Floats, second: Floats) -> float:
    """By which part of a sample `second` must be moved, by least squares over all leads."""
    total = 0.0
    for _ in range(_STEPS):
        moved = second if total == 0.0 else _moved(second, total)
        slope = np.gradient(moved, axis=1)
        away = first - moved
        away -= away.mean(axis=1, keepdims=True)
        slope -= slope.mean(axis=1, keepdims=True)
        power = float((slope * slope).sum())
        if power == 0.0:
            return 0.0
        total = float(np.clip(total + (away * slope).sum() / power, -1.0, 1.0))
    return total


def _moved(x: Floats, by: float) -> Floats:
    """The rows at ``t + by`` samples, by their spectrum; the ends are reflected."""
    n = x.shape[1]
    both = np.concatenate([x, x[:, ::-1]], axis=1)
    turn = np.exp(2j * np.pi * fft.rfftfreq(2 * n) * by)
    return fft.irfft(fft.rfft(both) * turn, 2 * n)[:, :n]


def without_above(x: Floats, limit_hz: float) -> Floats:
    """The rows without what is faster than a limit; the ends are reflected."""
    n = x.shape[1]
    spectrum = fft.rfft(np.concatenate([x, x[:, ::-1]], axis=1))
    spectrum[:, fft.rfftfreq(2 * n, 1 / _RATE) > limit_hz] = 0.0
    slow: Floats = fft.irfft(spectrum, 2 * n)[:, :n]
    return slow


def residual_mv(first: Floats, second: Floats, there: Bools) -> tuple[Floats, Floats]:
    """Root mean square of the difference of each lead, offset taken off: of all of it, and of its worst second."""
    away = np.where(there, second - first, np.nan)
    away -= np.nan_to_num(np.nanmedian(away, axis=1, keepdims=True))
    power = np.nan_to_num(away) ** 2
    seconds = -(-power.shape[1] // _RATE)
    starts = np.minimum(np.arange(seconds) * _RATE, max(power.shape[1] - _RATE, 0))
    counted = np.cumsum(np.pad(there, ((0, 0), (1, 0))), axis=1)
    summed = np.cumsum(np.pad(power, ((0, 0), (1, 0))), axis=1)
    ends = np.minimum(starts + _RATE, power.shape[1])
    n: NDArray[np.int64] = counted[:, ends] - counted[:, starts]
    each = (summed[:, ends] - summed[:, starts]) / np.maximum(n, _RATE // 4)  # a few samples tell nothing
    whole = power.sum(axis=1) / np.maximum(there.sum(axis=1), 1)
    return np.sqrt(whole), np.sqrt(each.max(axis=1))


def quantisation_mv(x: NDArray[np.float32]) -> Floats:
    """The step that the samples of each lead were rounded to: the smallest difference that comes, 0 for a lead of one
    value; never more than any device rounds to."""
    steps = np.zeros(len(x))
    for row, values in enumerate(x):
        there = np.unique(np.rint(values[np.isfinite(values)] * 1e5))  # in 10 nV: 32-bit numbers say no more
        if there.size > 1:
            steps[row] = np.diff(there).min() * 1e-5
    return np.minimum(steps, _MOST_STEP_MV)
