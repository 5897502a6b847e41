"""Resampling, spectral bands, mains and baseline. All zero phase, over whole arrays of ``(leads, samples)``.

Baseline: a cubic spline through the PR segment of every dominant beat, no high-pass. Any linear
high-pass that removes breathing (0.2-0.5 Hz) either bends ST after a tall QRS or, made zero phase,
needs several seconds of future and past that a 10-s strip does not have at its edges. The spline
touches the trace only through levels measured where the heart is silent, and the level it leaves
in front of each QRS is zero by construction, which is the reference of MEAS-2.

Mains: a sinusoid is fitted on QRS-free samples around each instant and subtracted. The QRS takes no
part in the fit, so a tall R cannot ring into ST (SIG-3).
"""

from fractions import Fraction

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from greenchannel.signal import limits

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


def to_analysis_grid(samples_mv: NDArray[np.float32], rate_hz: float) -> tuple[Floats, Bools]:
    """Bring samples to 500 Hz, sample 0 staying at the same instant.

    Missing samples (NaN, infinite, beyond a volt) are bridged by a line for the filters alone; the
    second array says where a sample was really recorded, and nothing is measured elsewhere.

    Parameters
    ----------
    samples_mv : array ``(leads, samples)`` in mV
    rate_hz : samples per second

    Returns
    -------
    samples_mv, valid : arrays ``(leads, samples at 500 Hz)``
        Each lead's median is taken off.
    """
    x = samples_mv.astype(np.float64)
    valid = np.asarray(np.abs(x) <= limits.MAX_BODY_MV, dtype=np.bool_)  # False for NaN as well
    positions = np.arange(x.shape[1])
    for row in np.flatnonzero(~valid.all(axis=1)):
        there = valid[row]
        x[row] = np.interp(positions, positions[there], x[row, there]) if there.any() else 0.0
    x -= np.partition(x, x.shape[1] // 2, axis=1)[:, x.shape[1] // 2, None]
    ratio = Fraction(limits.ANALYSIS_RATE_HZ / rate_hz).limit_denominator(1000)
    if ratio == 1:
        return x, valid
    from scipy.signal import resample_poly  # half a second to import, and most recordings do not need it

    y = np.asarray(
        resample_poly(x, ratio.numerator, ratio.denominator, axis=1, padtype="line"), dtype=np.float64
    )
    source = np.arange(y.shape[1]) * ratio.denominator // ratio.numerator
    # The interpolation kernel reaches ten input samples to either side.
    clear = valid if valid.all() else ~dilate(~valid, 10)
    return y, clear[:, np.minimum(source, x.shape[1] - 1)]


def dilate(mask: Bools, reach: int) -> Bools:
    """Widen every True stretch along the last axis by `reach` samples to both sides."""
    counts = np.cumsum(np.pad(mask, [(0, 0)] * (mask.ndim - 1) + [(reach + 1, reach)]), axis=-1)
    inside: NDArray[np.int64] = counts[..., 2 * reach + 1 :] - counts[..., : -2 * reach - 1]
    return np.asarray(inside > 0, dtype=np.bool_)


class Spectrum:
    """One forward transform of a strip, from which every band is cut.

    The strip is continued on both sides by its point reflection, so that a band shows no step there.
    """

    def __init__(self, x: Floats) -> None:
        self._n = x.shape[1]
        self._pad = min(self._n - 1, int(limits.ANALYSIS_RATE_HZ)) // 4 * 4
        # The pivot is a mean over 20 ms: a single noisy sample would put a step into every band.
        near = min(10, self._n)
        left = 2 * x[:, :near].mean(axis=1, keepdims=True) - x[:, self._pad : 0 : -1]
        right = 2 * x[:, -near:].mean(axis=1, keepdims=True) - x[:, -2 : -self._pad - 2 : -1]
        total = self._n + 2 * self._pad
        self._size = 4 * int(scipy.fft.next_fast_len(-(-total // 4), real=True))
        # What fills up to a fast length runs on from the right end back to the left one.
        ramp = np.linspace(0.0, 1.0, self._size - total, endpoint=False)
        fill = right[:, -1:] + (left[:, :1] - right[:, -1:]) * ramp
        self._bins = scipy.fft.rfft(np.concatenate([left, x, right, fill], axis=1), axis=1)
        self._hz = np.arange(self._bins.shape[1]) * (limits.ANALYSIS_RATE_HZ / self._size)

    def band(self, edges_hz: tuple[float, float, float, float], *, step: int = 1) -> Floats:
        """The strip between raised-cosine edges ``(stop, pass, pass, stop)``, every `step`-th sample (1 or 4)."""
        keep = self._size // (2 * step) + 1
        hz = self._hz[:keep]
        low, low_pass, high_pass, high = edges_hz
        rise = np.clip((hz - low) / (low_pass - low), 0.0, 1.0)
        fall = np.clip((high - hz) / (high - high_pass), 0.0, 1.0)
        gain = np.sin(0.5 * np.pi * rise) ** 2 * np.sin(0.5 * np.pi * fall) ** 2
        y = scipy.fft.irfft(self._bins[:, :keep] * (gain / step), self._size // step, axis=1)
        start = self._pad // step
        return np.asarray(y[:, start : start + -(-self._n // step)], dtype=np.float64)

    def above(self, edge_hz: float) -> Floats:
        """The strip above `edge_hz`: noise, where no QRS is."""
        gain = np.clip((self._hz - 0.9 * edge_hz) / (0.2 * edge_hz), 0.0, 1.0)
        y = scipy.fft.irfft(self._bins * gain, self._size, axis=1)
        return np.asarray(y[:, self._pad : self._pad + self._n], dtype=np.float64)


def _box(x: Floats, half: int) -> Floats:
    """Sum over ``2·half + 1`` samples along the last axis, fewer at the ends."""
    n = x.shape[-1]
    reach = min(half, n - 1)
    sums = np.cumsum(x, axis=-1)
    total = np.empty_like(sums)
    total[..., : n - reach] = sums[..., reach:]
    total[..., n - reach :] = sums[..., -1:]
    total[..., reach + 1 :] -= sums[..., : n - reach - 1]
    return total


def remove_mains(x: Floats, quiet: Bools) -> Floats:
    """Subtract 50 and 60 Hz where they are present, fitted on quiet samples only (SIG-3).

    Parameters
    ----------
    x : array ``(leads, samples)`` at 500 Hz, mV
    quiet : array ``(samples,)``
        True outside every QRS.

    Notes
    -----
    Locally weighted least squares of a sinusoid with slowly drifting amplitude and phase, at the frequency
    the grid really has.
    """
    # Only fast changes are fitted: the trace less its mean over 22 ms; quiet shrinks by that kernel's reach.
    weight = (~dilate(~quiet, 6)).astype(np.float64)
    if weight.sum() < limits.ANALYSIS_RATE_HZ / 5:
        return x
    half = 5
    width = 2 * half + 1
    kernel_sum = np.cumsum(np.pad(x, ((0, 0), (half + 1, half)), mode="edge"), axis=1)
    fast = x - (kernel_sum[:, width:] - kernel_sum[:, :-width]) / width
    weight[:half] = weight[-half:] = 0.0  # the mean lacks a side there
    fast *= weight
    window = int(limits.MAINS_WINDOW_S * limits.ANALYSIS_RATE_HZ / 2)
    seconds = np.arange(x.shape[1]) / limits.ANALYSIS_RATE_HZ
    cleaned = x
    # The stronger one first, and off the fitted samples too: it would leak into the fit of the other.
    strength = [float(_mains(fast, weight, hz, window)[1].sum()) for hz in limits.MAINS_HZ]
    for _, nominal_hz in sorted(zip(strength, limits.MAINS_HZ, strict=True), reverse=True):
        mains_hz, amplitude = _mains(fast, weight, nominal_hz, window)
        omega = 2 * np.pi * mains_hz / limits.ANALYSIS_RATE_HZ
        passed = 1 - (1 + 2 * np.cos(omega * np.arange(1, half + 1)).sum()) / width
        present = amplitude >= limits.MAINS_MIN_MV * passed
        if not present.any():
            continue
        phase = (2 * np.pi * mains_hz) * seconds
        cos, sin = np.cos(phase), np.sin(phase)
        # The normal equations are the same for every lead.
        cc, ss, cs = (
            _box(weight * cos * cos, window),
            _box(weight * sin * sin, window),
            _box(weight * cos * sin, window),
        )
        scale = 1 / (passed * np.maximum(cc * ss - cs * cs, (0.05 * window) ** 2))
        rows = fast[present]
        xc, xs = _box(rows * cos, window), _box(rows * sin, window)
        cleaned = cleaned.copy() if cleaned is x else cleaned
        mains = xc * ((ss * cos - cs * sin) * scale) + xs * ((cc * sin - cs * cos) * scale)
        cleaned[present] -= mains
        fast[present] -= mains * (passed * weight)
    return cleaned


def _mains(fast: Floats, weight: Floats, nominal_hz: float, window: int) -> tuple[float, Floats]:
    """True frequency of the mains near a nominal one, and its RMS amplitude in each lead.

    The frequency comes from how the phase moves from one block of `window` samples to the next.
    """
    count = max(fast.shape[1] // window, 1)
    length = min(fast.shape[1], window)
    used = count * length
    block = fast[:, :used].reshape(fast.shape[0], count, length)
    phase = np.arange(used).reshape(count, length) * (2 * np.pi * nominal_hz / limits.ANALYSIS_RATE_HZ)
    vector = np.einsum("lbs,bs->lb", block, np.cos(phase)) - 1j * np.einsum(
        "lbs,bs->lb", block, np.sin(phase)
    )
    samples = np.maximum(weight[:used].reshape(count, length).sum(axis=1), 0.1 * length)
    vector *= 2 / samples
    amplitude: Floats = np.sqrt((np.abs(vector) ** 2).mean(axis=1))
    turn = float(np.angle((vector[:, 1:] * vector[:, :-1].conj()).sum()))
    offset_hz = turn / (2 * np.pi * length / limits.ANALYSIS_RATE_HZ)
    return nominal_hz + float(np.clip(offset_hz, -limits.MAINS_OFFSET_HZ, limits.MAINS_OFFSET_HZ)), amplitude


def spline_baseline(knot_samples: NDArray[np.int64], knots_mv: Floats, n: int) -> Floats:
    """Baseline of every lead through its knots, flat before the first and after the last one.

    Parameters
    ----------
    knot_samples : array ``(knots,)``, rising, at least one
    knots_mv : array ``(leads, knots)``
    n : number of samples

    Returns
    -------
    array ``(leads, n)``
        A cubic spline (not-a-knot ends) from four knots on, a parabola or line from fewer.
    """
    inside = np.arange(knot_samples[0], knot_samples[-1] + 1)
    baseline = np.empty((knots_mv.shape[0], n))
    baseline[:, : knot_samples[0]] = knots_mv[:, :1]
    baseline[:, knot_samples[-1] :] = knots_mv[:, -1:]
    if len(knot_samples) > 1:
        from scipy.interpolate import CubicSpline  # costs a tenth of a second to import

        spline = CubicSpline(knot_samples, knots_mv, axis=1)
        baseline[:, inside] = spline(inside)
    return baseline
