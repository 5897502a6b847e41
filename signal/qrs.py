"""Where the beats are: one detector over all usable leads together.

Band energy in the manner of Pan and Tompkins (IEEE Trans Biomed Eng 1985;32:230), summed over leads
with weights that trust a lead by how much its peaks stand out from what lies between them, so that a
dead, noisy or saturated lead cannot outvote the rest.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter1d, uniform_filter1d

from greenchannel.signal import limits
from greenchannel.signal.filters import Bools, Floats, Spectrum

Ints = NDArray[np.int64]

_STEP = 4  # the energy is computed at 125 Hz
_ENERGY_RATE_HZ = limits.ANALYSIS_RATE_HZ / _STEP
_NOISE_CREST = 3.4  # 98th percentile over median of the absolute value of Gaussian noise: 2.33 / 0.67


def lead_weights(band: Floats, usable: Bools) -> tuple[Floats, Floats]:
    """Scale and trust of each lead from its band-passed trace ``(leads, samples)``; weights sum to 1 or 0."""
    ordered = np.sort(np.abs(band), axis=1)
    last = band.shape[1] - 1
    scale = ordered[:, int(0.98 * last)]
    crest = scale / np.maximum(ordered[:, last // 2], 1e-6)
    weight = np.clip(crest - _NOISE_CREST, 0.05, 12.0) * usable * (scale >= limits.MIN_QRS_MV)
    total = weight.sum()
    return np.maximum(scale, limits.MIN_QRS_MV), weight / total if total > 0 else weight


def qrs_energy(band: Floats, valid: Bools, usable: Bools) -> Floats:
    """Root of the weighted QRS energy over leads at 125 Hz, about 1 at a typical QRS; 0 where no lead can tell."""
    scale, weight = lead_weights(band, usable)
    weights = weight[:, None] * valid
    present = weights.sum(axis=0)
    # A burst may count as much as a strong QRS, never more.
    power = np.minimum((band / scale[:, None]) ** 2, 4.0)
    power = np.einsum("ls,ls->s", weights, power) / np.maximum(present, 0.2)
    width = int(limits.QRS_SMOOTH_S * _ENERGY_RATE_HZ) | 1
    smoothed = np.asarray(uniform_filter1d(power, width, mode="nearest"), dtype=np.float64)
    return np.sqrt(np.maximum(smoothed, 0.0))


def _local_level(energy: Floats) -> Floats:
    """Level of QRS peaks around each sample: the median over five blocks of their maxima."""
    block = int(limits.LEVEL_BLOCK_S * _ENERGY_RATE_HZ)
    count = max(energy.size // block, 1)
    edges = np.linspace(0, energy.size, count + 1).astype(int)
    peaks = np.maximum.reduceat(energy, edges[:-1])
    around = np.clip(np.arange(count)[:, None] + np.arange(-2, 3), 0, count - 1)
    level = np.median(peaks[around], axis=1)
    centres = (edges[:-1] + edges[1:]) / 2
    return np.asarray(np.interp(np.arange(energy.size), centres, level), dtype=np.float64)


def _keep_one_per_beat(peaks: Ints, heights: Floats) -> list[int]:
    """Indices into `peaks` that survive the refractory time and the look for T waves."""
    kept: list[int] = []
    for i in range(len(peaks)):
        if kept:
            gap_s = (peaks[i] - peaks[kept[-1]]) / _ENERGY_RATE_HZ
            if gap_s < limits.REFRACTORY_S:
                if heights[i] > heights[kept[-1]]:
                    kept[-1] = i
                continue
            if gap_s < limits.T_WAVE_S and heights[i] < limits.T_WAVE_FRACTION * heights[kept[-1]]:
                continue
        kept.append(i)
    return kept


def _search_back(chosen: Ints, candidates: Ints, relative: Floats) -> Ints:
    """Look again, with half the threshold, into pauses that are long for this strip."""
    if len(chosen) < 3:
        return chosen
    spacing = np.diff(chosen)
    limit = limits.SEARCH_BACK_RR * np.median(spacing)
    guard = limits.T_WAVE_S * _ENERGY_RATE_HZ
    found = []
    for left, right in zip(chosen[:-1][spacing > limit], chosen[1:][spacing > limit], strict=True):
        inside = (candidates > left + guard) & (candidates < right - guard / 2)
        inside &= relative > limits.SEARCH_BACK_FRACTION
        if inside.any():
            options = candidates[inside]
            found.append(options[np.argmax(relative[inside])])
    return np.unique(np.concatenate([chosen, np.array(found, dtype=np.int64)]))


def detect(spectrum: Spectrum, valid: Bools, usable: Bools) -> Ints:
    """Coarse positions of all QRS complexes, in samples at 500 Hz.

    Parameters
    ----------
    spectrum : of the strip at 500 Hz
    valid : array ``(leads, samples)``, where a sample was recorded
    usable : array ``(leads,)``, which leads may vote
    """
    band = spectrum.band(limits.QRS_BAND_HZ, step=_STEP)
    energy = qrs_energy(band, valid[:, ::_STEP], usable)
    level = _local_level(energy)
    if level.max() < 0.1:
        return np.zeros(0, dtype=np.int64)
    reach = int(0.1 * _ENERGY_RATE_HZ)
    is_peak = (energy == maximum_filter1d(energy, 2 * reach + 1, mode="nearest")) & (energy > 0)
    is_peak[1:] &= ~is_peak[:-1]  # one sample of a plateau
    edge = int(limits.EDGE_S * _ENERGY_RATE_HZ)  # a QRS that the strip cuts off has no peak of its own
    is_peak[:edge] = is_peak[is_peak.size - edge :] = False
    candidates = np.flatnonzero(is_peak)
    relative = energy[candidates] / np.maximum(level[candidates], 0.1)
    strong = relative > limits.QRS_FRACTION
    peaks = candidates[strong]
    peaks = peaks[_keep_one_per_beat(peaks, energy[peaks])]
    return _search_back(peaks, candidates, relative) * _STEP


def refine(coarse: Ints, shape: Floats, weights: Floats) -> Ints:
    """Move each beat to the peak of the spatial magnitude within 70 ms, in samples at 500 Hz.

    Parameters
    ----------
    coarse : array ``(beats,)``
    shape : array ``(leads, samples)``, wander and noise taken off
    weights : array ``(leads,)``, reciprocal scale of each lead, 0 for one that has no vote
    """
    if coarse.size == 0:
        return coarse
    reach = int(0.07 * limits.ANALYSIS_RATE_HZ)
    magnitude = np.einsum("ls,l->s", shape**2, weights**2)
    index = np.clip(coarse[:, None] + np.arange(-reach, reach + 1), 0, magnitude.size - 1)
    best = index[np.arange(coarse.size), np.argmax(magnitude[index], axis=1)]
    return np.unique(best)
