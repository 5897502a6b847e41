"""Bring samples to the analysis grid of 500 Hz: what was not recorded is bridged and remembered, the rest resampled.

Resampling is a windowed-sinc filter evaluated only at the instants of the grid, each output from its nearest input
samples, so that a piece of a recording gives the same values as the whole, but for the reach of the filter at its ends.
"""

import math
from fractions import Fraction
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from greenchannel.signal import kernels, limits

Floats = NDArray[np.float32]
Bools = NDArray[np.bool_]

# glibc gives memory back to the system whenever so much is free at its end, and takes each page anew from it: up to
# half of the time of a reading. Freeing one large array raises both limits for the process (mallopt(3), "dynamic").
_KEPT_BYTES: Final = 30 << 20  # glibc follows up to 32 MiB; elsewhere this does nothing
np.empty(_KEPT_BYTES, dtype=np.uint8)  # made and freed at once, on purpose

_REACH: Final = 10  # input samples (of the slower rate) that the filter reaches to either side [E]
_KAISER: Final = 6.0  # side lobes below −60 dB [K Kaiser 1974]
_BLOCK: Final = 32  # outputs computed by one product, at least
_LARGEST_TABLE: Final = 400_000  # numbers; a ratio of rates that needs more is evaluated instant by instant
_FINEST: Final = 10_000  # rates are taken as fractions with at most this denominator


def to_analysis_grid(samples_mv: Floats, rate_hz: float) -> tuple[Floats, Bools | None]:
    """Bring samples to 500 Hz, sample 0 staying at the same instant.

    Missing samples (NaN, infinite, beyond a volt) are bridged by a line for the filters alone; the
    second array says where a sample was really recorded, and nothing is measured elsewhere.

    Parameters
    ----------
    samples_mv : array ``(leads, samples)`` in mV
    rate_hz : samples per second

    Returns
    -------
    samples_mv : float32 array ``(leads, samples at 500 Hz)``
        A constant is taken off each lead.
    valid : array of the same shape, or None where every sample was recorded
    """
    if rate_hz == limits.ANALYSIS_RATE_HZ and (fast := kernels.of(samples_mv)) is not None:
        level, known = fast.samples.levelled(samples_mv)
        if known:
            return level, None
    lowest, highest = float(samples_mv.min()), float(samples_mv.max())  # NaN if any is
    if lowest >= -limits.MAX_BODY_MV and highest <= limits.MAX_BODY_MV:
        x, valid = samples_mv, None
    else:
        x, valid = _bridged(samples_mv, rate_hz)
    x = x - x[:, :: limits.OFFSET_STRIDE].mean(axis=1, dtype=np.float64, keepdims=True).astype(np.float32)
    if rate_hz == limits.ANALYSIS_RATE_HZ:
        return x, valid
    y = resample(x, rate_hz, limits.ANALYSIS_RATE_HZ)
    if valid is None or valid.all():
        return y, None
    source = np.floor(np.arange(y.shape[1]) * (rate_hz / limits.ANALYSIS_RATE_HZ)).astype(np.int64)
    clear = ~dilate(~valid, round(_REACH * max(1.0, rate_hz / limits.ANALYSIS_RATE_HZ)))
    return y, clear[:, np.minimum(source, x.shape[1] - 1)]


def _bridged(samples_mv: Floats, rate_hz: float) -> tuple[Floats, Bools]:
    """Samples without what cannot come from a body, and where they could."""
    valid = np.asarray(np.abs(samples_mv) <= limits.MAX_BODY_MV, dtype=np.bool_)  # False for NaN as well
    x = samples_mv.copy()
    positions = np.arange(x.shape[1])
    for row in np.flatnonzero(~valid.all(axis=1)):
        there = valid[row]
        x[row] = np.interp(positions, positions[there], x[row, there]) if there.any() else 0.0
        valid[row] |= _short_gaps(there, round(limits.SHORT_GAP_S * rate_hz))
    return x, valid


def _short_gaps(there: Bools, most: int) -> Bools:
    """True in gaps of up to so many samples with samples on both sides: the line across them is as good."""
    edges = np.diff(np.concatenate([[1], there.astype(np.int8), [1]]))
    first, last = np.flatnonzero(edges == -1), np.flatnonzero(edges == 1)
    short = (last - first <= most) & (first > 0) & (last < there.size)
    bridged = np.zeros(there.size + 1, dtype=np.int8)
    bridged[first[short]] = 1
    bridged[last[short]] -= 1
    return np.asarray(np.cumsum(bridged[:-1]) > 0)


def dilate(mask: Bools, reach: int) -> Bools:
    """Widen every True stretch along the last axis by `reach` samples to both sides."""
    counts = np.cumsum(np.pad(mask, [(0, 0)] * (mask.ndim - 1) + [(reach + 1, reach)]), axis=-1)
    inside: NDArray[np.int64] = counts[..., 2 * reach + 1 :] - counts[..., : -2 * reach - 1]
    return np.asarray(inside > 0, dtype=np.bool_)


def resample(
    x: Floats, from_hz: float, to_hz: float, *, before: Floats | None = None, behind: Floats | None = None
) -> Floats:
    """Resample rows by a windowed sinc; the trace is continued beyond its ends by its point reflection.

    Parameters
    ----------
    x : array ``(leads, samples)``
    from_hz, to_hz : rates
    before, behind : arrays ``(leads, reach)``, optional
        The samples beside `x` where they are known, as many as `reach` says: the trace is then continued by them.

    Returns
    -------
    float32 array ``(leads, ceil(samples · to_hz / from_hz))``
    """
    up, down = _ratio(from_hz, to_hz)
    n_out = -(-x.shape[1] * up // down)
    half = _half(up, down)
    if up * (down + 2 * half) > _LARGEST_TABLE:
        padded = _continued(x, half + 1, half + 2, before, behind)
        return _at_instants(padded, half + 1, half, (up, down), n_out)
    taps, outputs, inputs = _block(up, down)
    blocks = -(-n_out // outputs)
    padded = _continued(x, half, blocks * inputs + 2 * half - half - x.shape[1], before, behind)
    step = padded.strides[1]
    frames = np.lib.stride_tricks.as_strided(
        padded,
        (x.shape[0], blocks, inputs + 2 * half),
        (padded.strides[0], inputs * step, step),
        writeable=False,
    )
    return np.ascontiguousarray((frames @ taps).reshape(x.shape[0], -1)[:, :n_out])


def reach(from_hz: float, to_hz: float) -> int:
    """How many input samples `resample` looks at to either side of an output."""
    return _half(*_ratio(from_hz, to_hz)) + 1


def _ratio(from_hz: float, to_hz: float) -> tuple[int, int]:
    """Outputs and inputs of the shortest stretch that holds whole numbers of both."""
    ratio = Fraction(to_hz).limit_denominator(_FINEST) / Fraction(from_hz).limit_denominator(_FINEST)
    return ratio.numerator, ratio.denominator


def _half(up: int, down: int) -> int:
    """Input samples that the filter reaches to either side."""
    return math.ceil(_REACH * max(1.0, down / up))


@lru_cache(maxsize=16)
def _block(up: int, down: int) -> tuple[Floats, int, int]:
    """The filters of a block of outputs as one matrix ``(inputs + 2·half, outputs)``, and both numbers.

    Output m of a block stands at input ``m·down/up``; the frame begins `half` inputs before the block.
    """
    times = max(1, -(-_BLOCK // up))
    outputs, inputs, half = up * times, down * times, _half(up, down)
    place = np.arange(outputs) * (down / up)
    away = np.arange(inputs + 2 * half)[:, None] - half - place[None]
    return _kernel(away, max(1.0, down / up), half, axis=0), outputs, inputs


def _kernel(away: NDArray[np.float64], slower: float, half: int, *, axis: int) -> Floats:
    """Windowed sinc at distances in input samples; the taps along `axis` sum to 1."""
    inside = np.maximum(1.0 - (away / half) ** 2, 0.0)
    shape = np.sinc(away / slower) * np.i0(_KAISER * np.sqrt(inside)) * (inside > 0)
    return np.asarray(shape / shape.sum(axis=axis, keepdims=True), dtype=np.float32)


def _continued(x: Floats, left: int, right: int, before: Floats | None, behind: Floats | None) -> Floats:
    """Rows with their neighbours, or else their point reflection; what is short is repeated by its end values."""
    n = x.shape[1]
    reflected, after = min(left, n - 1), min(right, n - 1)
    out = np.empty((x.shape[0], left + n + right), dtype=np.float32)
    out[:, left : left + n] = x
    out[:, left - reflected : left] = 2 * x[:, :1] - x[:, reflected:0:-1]
    out[:, left + n : left + n + after] = 2 * x[:, -1:] - x[:, -2 : -after - 2 : -1]
    out[:, : left - reflected] = out[:, left - reflected : left - reflected + 1]
    out[:, left + n + after :] = out[:, left + n + after - 1 : left + n + after]
    if before is not None:
        out[:, :left] = before[:, -left:]
    if behind is not None:
        known = min(right, behind.shape[1])
        out[:, left + n : left + n + known] = behind[:, :known]
    return out


def _at_instants(padded: Floats, pad: int, half: int, ratio: tuple[int, int], n_out: int) -> Floats:
    """Resampled rows where the ratio of rates is no small fraction: each instant has a filter of its own."""
    up, down = ratio
    y = np.empty((padded.shape[0], n_out), dtype=np.float32)
    for start in range(0, n_out, 4096):
        place = np.arange(start, min(start + 4096, n_out), dtype=np.int64) * down
        first, share = place // up, (place % up) / up
        reach = np.arange(2 * half) - half + 1
        taps = _kernel(reach[None] - share[:, None], max(1.0, down / up), half, axis=1)
        y[:, start : start + place.size] = np.einsum(
            "lnk,nk->ln", padded[:, first[:, None] + reach + pad], taps
        )
    return y
