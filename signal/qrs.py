"""Where the beats are: one detector over all usable leads together, at 125 Hz.

Band energy in the manner of Pan and Tompkins (IEEE Trans Biomed Eng 1985;32:230), summed over leads
with weights that trust a lead by how much its peaks stand out from what lies between them, so that a
dead, noisy or saturated lead cannot outvote the rest.
"""

from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from greenchannel.signal import kernels, limits
from greenchannel.signal.grid import Bools, Floats

Ints = NDArray[np.int64]
Doubles = NDArray[np.float64]

STEP: Final = 4
"""Samples of the analysis grid in one of the detector's."""
RATE_HZ: Final = limits.ANALYSIS_RATE_HZ / STEP

NOISE_CREST: Final = 3.4  # 98th percentile over median of the absolute value of Gaussian noise: 2.33 / 0.67
GOLDEN: Final = np.float32(
    2 * np.cos(0.2 * np.pi)
)  # ``z² + 1.618 z + 1`` is zero at 50 Hz, for 125 samples/s
LAG: Final = 3  # the second difference over ±3 samples is largest at 20 Hz and zero at 0
SCALE: Final = np.float32(1 / 8.5)  # brings the band's gain at 12 Hz to 1


def halved(x: Floats) -> Floats:
    """Mean of each two neighbouring samples, at half the rate; an odd last sample is left out."""
    n = x.shape[-1] // 2 * 2
    y: Floats = np.add(x[..., 0:n:2], x[..., 1:n:2])
    y *= np.float32(0.5)
    return y


def halves(x: Floats) -> tuple[Floats, Floats]:
    """Means of two and of four neighbouring samples: the trace at half and at a quarter of its rate."""
    if (fast := kernels.of(x)) is not None:
        half, slow = fast.strip.halves(x)
        return half, slow
    half = halved(x)
    return half, halved(half)


def qrs_band(slow: Floats) -> Floats:
    """The QRS band of a trace at 125 Hz, about 6 to 25 Hz without wander, T waves and mains; 0 at both ends.

    Parameters
    ----------
    slow : array ``(leads, samples)`` at 125 Hz
    """
    band = np.zeros_like(slow)
    smooth = slow[:, 1:-1] * GOLDEN
    smooth += slow[:, :-2]
    smooth += slow[:, 2:]
    inner = band[:, LAG + 1 : -LAG - 1]
    np.add(smooth[:, LAG:-LAG], smooth[:, LAG:-LAG], out=inner)
    inner -= smooth[:, : -2 * LAG]
    inner -= smooth[:, 2 * LAG :]
    inner *= SCALE
    return band


def lead_weights(band: Floats, usable: Bools) -> tuple[Floats, Floats]:
    """Scale and trust of each lead from its band ``(leads, samples)``; weights sum to 1 or 0."""
    # Every second sample tells all: the band ends at 25 Hz.
    ordered = np.sort(np.abs(band[:, ::2]), axis=1)
    last = ordered.shape[1] - 1
    scale = ordered[:, int(0.98 * last)]
    crest = scale / np.maximum(ordered[:, last // 2], 1e-6)
    weight = np.minimum(np.maximum(crest - NOISE_CREST, 0.05), 12.0) * usable * (scale >= limits.MIN_QRS_MV)
    total = weight.sum()
    return np.maximum(scale, limits.MIN_QRS_MV), (weight / total if total > 0 else weight).astype(np.float32)


def qrs_energy(band: Floats, scale: Floats, weight: Floats, valid: Bools | None) -> Doubles:
    """Root of the weighted QRS energy over leads, about 1 at a typical QRS; 0 where no lead can tell."""
    power = band * (1 / scale)[:, None]
    power *= power
    # A burst may count as much as a strong QRS, never more.
    np.minimum(power, np.float32(4.0), out=power)
    if valid is None:
        total = weight @ power
    else:
        power *= valid
        total = (weight @ power) / np.maximum(weight @ valid.astype(np.float32), 0.2)
    width = int(limits.QRS_SMOOTH_S * RATE_HZ) | 1
    return np.sqrt(np.maximum(box(total.astype(np.float64), width) / width, 0.0))


def box(x: Doubles, width: int) -> Doubles:
    """Sum over `width` samples (odd) around each sample of one row, its end values repeated."""
    half = width // 2
    padded = np.empty(x.size + width)
    padded[: half + 1], padded[half + 1 : half + 1 + x.size], padded[half + 1 + x.size :] = x[0], x, x[-1]
    sums = np.cumsum(padded)
    return np.asarray(sums[width:] - sums[:-width])


def highest_around(x: Doubles, reach: int) -> Doubles:
    """Largest value of each row within `reach` samples to either side, by doubling windows."""
    n = x.shape[-1]
    size, window = 1, np.full((*x.shape[:-1], n + 2 * reach), -np.inf)
    window[..., reach : reach + n] = x
    total = 2 * reach + 1
    while 2 * size <= total:
        window = np.maximum(window[..., :-size], window[..., size:])
        size *= 2
    rest = total - size
    highest: Doubles = np.maximum(window[..., : window.shape[-1] - rest], window[..., rest:])
    return highest


def _local_level(energy: Doubles) -> Doubles:
    """Level of QRS peaks around each sample: the median over five blocks of their maxima."""
    first, middle, around, everywhere = _blocks(energy.size)
    peaks = np.maximum.reduceat(energy, first)
    if first.size == 1:
        return np.full(energy.size, peaks[0])
    level = peaks[around]
    level.sort(axis=1)
    interpolated: Doubles = np.interp(everywhere, middle, level[:, 2])
    return interpolated


@lru_cache(maxsize=16)
def _blocks(size: int) -> tuple[Ints, Doubles, Ints, Doubles]:
    """Blocks of so many samples: first sample and middle of each, it and its neighbours; and all samples."""
    count = max(size // int(limits.LEVEL_BLOCK_S * RATE_HZ), 1)
    edges = np.arange(count, dtype=np.float64) * (size / count)
    around = np.minimum(np.maximum(np.arange(count)[:, None] + np.arange(-2, 3), 0), count - 1)
    middle = np.asarray(edges + 0.5 * size / count, dtype=np.float64)
    return edges.astype(np.int64), middle, around, np.arange(size, dtype=np.float64)


def _keep_one_per_beat(
    peaks: list[int], heights: list[float], candidates: Ints, energy: Doubles
) -> list[int]:
    """Indices into `peaks` that survive the refractory time and the look for T waves."""
    kept: list[int] = []
    for i in range(len(peaks)):
        if kept:
            gap_s = (peaks[i] - peaks[kept[-1]]) / RATE_HZ
            if gap_s < limits.REFRACTORY_S:
                if heights[i] > heights[kept[-1]]:
                    kept[-1] = i
                continue
            weak = gap_s < limits.T_WAVE_S and heights[i] < limits.T_WAVE_FRACTION * heights[kept[-1]]
            early = gap_s >= limits.EARLY_BEAT_S
            if weak and not (early and _has_t(peaks[i], heights[kept[-1]], candidates, energy)):
                continue
        kept.append(i)
    return kept


def _has_t(peak: int, beat: float, candidates: Ints, energy: Doubles) -> bool:
    """Does a weak peak have a T wave behind it? Then it is an early broad beat; a T wave is followed by silence."""
    first, last = (peak + round(by * RATE_HZ) for by in limits.T_OF_EARLY_S)
    behind = candidates[np.searchsorted(candidates, first) : np.searchsorted(candidates, last)]
    return bool((energy[behind] > limits.T_OF_EARLY * beat).any())


def _search_back(chosen: Ints, candidates: Ints, relative: Doubles) -> Ints:
    """Look again, with half the threshold, into pauses that are long for this strip."""
    if len(chosen) < 4:
        return chosen  # of two distances none is long beside the usual one, the larger
    spacing = chosen[1:] - chosen[:-1]
    limit = limits.SEARCH_BACK_RR * np.sort(spacing)[spacing.size // 2]
    long = spacing > limit
    if not long.any():
        return chosen
    guard = limits.T_WAVE_S * RATE_HZ
    found = []
    for left, right in zip(chosen[:-1][long], chosen[1:][long], strict=True):
        inside = (candidates > left + guard) & (candidates < right - guard / 2)
        inside &= relative > limits.SEARCH_BACK_FRACTION
        if inside.any():
            options = candidates[inside]
            found.append(options[np.argmax(relative[inside])])
    return np.unique(np.concatenate([chosen, np.array(found, dtype=np.int64)]))


def detect(energy: Doubles) -> Ints:
    """Coarse positions of all QRS complexes in the energy of a strip, in its samples at 125 Hz."""
    if energy.size == 0:
        return np.zeros(0, dtype=np.int64)
    level = _local_level(energy)
    if level.max() < 0.1:
        return np.zeros(0, dtype=np.int64)
    is_peak = energy == highest_around(energy, int(0.1 * RATE_HZ))
    is_peak[1:] &= ~is_peak[:-1]  # one sample of a plateau
    edge = int(limits.EDGE_S * RATE_HZ)  # a QRS that the strip cuts off has no peak of its own
    is_peak[:edge] = is_peak[is_peak.size - edge :] = False
    candidates = np.flatnonzero(is_peak)
    relative = energy[candidates] / np.maximum(level[candidates], 0.1)
    peaks = candidates[relative > limits.QRS_FRACTION]
    kept = _keep_one_per_beat(peaks.tolist(), energy[peaks].tolist(), candidates, energy)
    return _search_back(peaks[kept], candidates, relative)
