"""Mains hum is fitted where the heart is quiet and subtracted everywhere; nothing can ring (SIG-3).

A tenth of a second holds whole cycles of 50 and of 60 Hz. In each such piece outside the QRS a sinusoid of either
frequency is fitted beside a cubic, which takes the T wave and the wander. How its phase moves from piece to piece gives
the frequency that the grid really has, the pieces around each instant its amplitude there.
"""

import math
from functools import lru_cache
from typing import Final

import numpy as np

from greenchannel.signal import kernels, limits
from greenchannel.signal.grid import Bools, Floats

PIECE: Final = 50  # samples: 5 cycles of 50 Hz, 6 of 60 Hz
_PIECE_S: Final = PIECE / limits.ANALYSIS_RATE_HZ
AROUND: Final = round(limits.MAINS_WINDOW_S / _PIECE_S / 2)  # pieces to either side that share one amplitude


@lru_cache(maxsize=1)
def fit() -> Floats:
    """Least squares of cosine and sine of both frequencies beside a cubic: ``(samples, 4)``."""
    t = (np.arange(PIECE) - (PIECE - 1) / 2) / limits.ANALYSIS_RATE_HZ
    waves = [f(2 * np.pi * hz * t) for hz in limits.MAINS_HZ for f in (np.cos, np.sin)]
    cubic = [(t / t[-1]) ** power for power in range(4)]
    return np.asarray(np.linalg.pinv(np.array(waves + cubic).T)[:4].T, dtype=np.float32)


def remove_mains(x: Floats, quiet: Bools) -> Floats:
    """Subtract 50 and 60 Hz where they are present.

    Parameters
    ----------
    x : array ``(leads, samples)`` at 500 Hz, mV
    quiet : array ``(samples,)``
        True outside every QRS.

    Returns
    -------
    array of the same shape
        `x` itself where there is no mains to be taken off.
    """
    count = x.shape[1] // PIECE
    if count < 4:
        return x
    if (fast := kernels.of(x)) is not None:
        cleaned, hum = fast.mains.without_mains(x, quiet)
        return cleaned if hum else x
    pieces = quiet[: count * PIECE].reshape(count, PIECE)
    quiet_pieces = pieces.all(axis=1)
    if np.count_nonzero(quiet_pieces) < limits.MAINS_FEW * count:
        quiet_pieces = pieces.sum(axis=1) >= limits.MAINS_QUIET * PIECE
    weight = np.asarray(quiet_pieces, dtype=np.float32)
    if np.count_nonzero(weight) < limits.MAINS_PAIRS:
        weight[:] = 1.0  # what was taken for a QRS everywhere may be the hum itself
    fitted = x[:, : count * PIECE].reshape(-1, PIECE) @ fit()
    vectors: Floats = np.multiply(fitted.reshape(x.shape[0], count, 4).transpose(2, 0, 1), weight)
    for number, nominal_hz in enumerate(limits.MAINS_HZ):
        # Cosine and sine of each piece, one behind the other: ``(2, leads, pieces)``.
        vector: Floats = vectors[2 * number : 2 * number + 2]
        turn = _turn(vector, weight)
        if turn is not None:
            x = x - _hum(vector, weight, turn, nominal_hz, x.shape[1])
    return x


def _turn(vector: Floats, weight: Floats) -> float | None:
    """How far the phase moves from piece to piece, in radians; None where there is no mains to be taken off."""
    flat = vector.ravel()
    power = float(flat @ flat) / float(weight.sum())
    # In a fast rhythm no two neighbours are quiet: then the nearest that are.
    lag, pairs = 1, float(weight[1:] @ weight[:-1])
    enough = min(limits.MAINS_PAIRS, float(weight.sum()) - 1)
    while pairs < enough and lag < min(limits.MAINS_LAGS, weight.size - 1):
        lag += 1
        pairs = float(weight[lag:] @ weight[:-lag])
    pairs = max(pairs, 1.0)
    later, earlier = vector[..., lag:].reshape(2, -1), vector[..., :-lag].reshape(2, -1)
    along = float(later[0] @ earlier[0] + later[1] @ earlier[1]) / pairs
    # The sine counts backwards: cos(ωt + φ) is cos φ cos ωt − sin φ sin ωt.
    across = float(later[0] @ earlier[1] - later[1] @ earlier[0]) / pairs
    hum = math.hypot(along, across)
    # Noise has no phase that goes on from one piece to the next.
    if hum < limits.MAINS_COHERENCE * power or hum < limits.MAINS_MIN_MV**2 * vector.shape[1]:
        return None
    most = 2 * math.pi * limits.MAINS_OFFSET_HZ * _PIECE_S
    return min(max(math.atan2(across, along) / lag, -most), most)


def _hum(vector: Floats, weight: Floats, turn: float, nominal_hz: float, n: int) -> Floats:
    """The mains of every lead, shape ``(leads, n)``.

    Parameters
    ----------
    vector : cosine and sine of each piece ``(2, leads, pieces)``, 0 where it has no weight
    weight : array ``(pieces,)``
    turn : how far the phase moves from piece to piece, in radians
    """
    leads, count = vector.shape[1:]
    spin = turn * np.arange(count + 1)
    cos, sin = np.cos(spin).astype(np.float32), np.sin(spin).astype(np.float32)
    still = np.empty((2 * leads + 1, count), dtype=np.float32)  # as if the phase stood still; last the weight
    np.subtract(vector[0] * cos[:-1], vector[1] * sin[:-1], out=still[:leads])
    np.add(vector[1] * cos[:-1], vector[0] * sin[:-1], out=still[leads:-1])
    still[-1] = weight
    sums = np.zeros((2 * leads + 1, count + 2 * AROUND + 1))
    middle = sums[:, AROUND + 1 : AROUND + 1 + count]
    np.cumsum(still, axis=1, out=middle)
    sums[:, AROUND + 1 + count :] = middle[:, -1:]
    near = sums[:, 2 * AROUND + 1 :] - sums[:, : -2 * AROUND - 1]
    lonely = near[-1] < 1.0  # no quiet piece anywhere near: the mean of all
    if lonely.any():
        near[:, lonely] = middle[:, -1:]
    level = np.empty(
        (2, leads, count + 1), dtype=np.float32
    )  # one more than whole pieces, for the rest of the strip
    np.divide(near[:-1].reshape(2, leads, count), near[-1], out=level[..., :-1], casting="same_kind")
    level[..., -1] = level[..., -2]
    slope = np.zeros_like(level)
    np.subtract(level[..., 2:], level[..., :-2], out=slope[..., 1:-1])
    slope *= np.float32(0.5 / PIECE)
    tau = np.arange(PIECE) - (PIECE - 1) / 2
    phase = (2 * np.pi * nominal_hz / limits.ANALYSIS_RATE_HZ + turn / PIECE) * tau
    wave = np.array([np.cos(phase), np.sin(phase)])
    parts = np.empty((leads, count + 1, 4), dtype=np.float32)
    for k, part in enumerate((level, slope)):
        parts[..., 2 * k] = part[0] * cos + part[1] * sin
        parts[..., 2 * k + 1] = part[1] * cos - part[0] * sin
    hum = parts.reshape(-1, 4) @ np.concatenate([wave, tau * wave]).astype(np.float32)
    return hum.reshape(leads, -1)[:, :n]
