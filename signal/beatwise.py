"""Where the waves of each single beat lie: the median beat's borders, moved towards what the beat itself shows.

A reader marks the top of the P and of the T that is on the paper, beat by beat, and so do LUDB's cardiologists; the
median beat says about where to look and how tall the wave is. A tall wave's top counts as it stands; the top of a wave
that hardly rises counts for little, since noise makes it. The borders of P and the end of T are moved by a linear
reading of the 180 ms around them, in units of the wave's height.
"""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from greenchannel.signal import kernels
from greenchannel.signal.grid import Bools, Floats

Doubles = NDArray[np.float64]

# All [E]: chosen on LUDB below 100 with median borders from the delineator's cross-validation by record.
STEP: Final = 2  # every so many samples is looked at,
TAPS: Final = 44  # so many in all:
BEFORE: Final = STEP * TAPS // 2  # from so many samples before a border
_TOPS: Final = 10  # taps, to either side: a top is looked for within 40 ms
_SMOOTH: Final = (1, 2, 3, 2, 1)  # weights of the taps of which a top is the highest mean
_TOP_FLOOR_MV: Final = (0.015, 0.03)  # a P and a T of this height go half as far to their top …
_TOP_SHARE: Final = 0.78  # … as the tallest, which go so much of the way
FLOOR_MV: Final = np.float32(0.1)  # what the unit of the reading exceeds the wave's height by
MOST: Final = 12.0  # samples: no border is moved further
_READING: Final = (
    # Samples to move by for each unit of the mean of each 16 ms, and what is added always:
    ((-0.42, -0.11, 1.15, 8.79, 13.71, -2.02, -19.32, -6.25, 1.70, -1.52, 4.29), 2.08),  # P onset
    ((-2.32, -3.91, 2.13, 0.74, 8.53, 8.95, -6.95, -5.17, -1.47, -0.59, 0.06), -1.45),  # P end
    ((-6.81, 3.17, 7.70, 4.86, 5.22, 0.48, -4.18, -2.98, -1.59, -1.85, -4.04), -2.79),  # T end
)
_LEVEL: Final = np.array([-4, 0, 4])  # samples whose mean is a level of the median beat
_AT_ONCE: Final = 64  # beats worked on together: more leave the processor's cache

# Of `delineator.COLUMNS`:
SEEN: Final = np.array([0, 2, 7, 1, 6])  # P onset, P end, T end; peaks of P and of T
_LEVELS: Final = np.array([1, 6, 0, 5, 2, 7])  # peaks, onsets and ends of P and of T
BORDER_OF: Final = np.array([0, 0, 1])  # whose borders are read: P, P, T


def _read() -> Floats:
    """Weights of the taps in the reading of each border, ``(3, taps, 1)``; a level counts nothing."""
    bins = np.array([reading for reading, _ in _READING])
    bins = (bins - bins.mean(axis=1, keepdims=True)) * (bins.shape[1] / TAPS)
    return np.repeat(bins, TAPS // bins.shape[1], axis=1)[..., None].astype(np.float32)


def _smoothed() -> Floats:
    """Weights of the taps in the means among which a top is looked for, ``(taps, 2 · _TOPS + 1)``."""
    weights = np.zeros((TAPS, 2 * _TOPS + 1), dtype=np.float32)
    first = TAPS // 2 - _TOPS - len(_SMOOTH) // 2
    for k in range(2 * _TOPS + 1):
        weights[first + k : first + k + len(_SMOOTH), k] = np.array(_SMOOTH) / sum(_SMOOTH)
    return weights


def _top_moves() -> Doubles:
    """By how many samples the tallest wave goes to a top at each tap; not at all to the edge, since that is no top."""
    moves = np.arange(-_TOPS, _TOPS + 1.0) * (STEP * _TOP_SHARE)
    moves[[0, -1]] = 0.0
    return moves


READ: Final = _read()
ALWAYS: Final = np.array([[always] for _, always in _READING], dtype=np.float32)
SMOOTHED: Final = _smoothed()
TOP_MOVES: Final = _top_moves()
TOP_FLOOR: Final = np.array(_TOP_FLOOR_MV, dtype=np.float32)[:, None] ** 2


def heights(beat_mv: Floats, borders: Doubles) -> Floats:
    """Height of P and of T in every lead of a median beat, above the line through their borders; signed.

    Parameters
    ----------
    beat_mv : float32 array ``(..., leads, samples)`` in mV, at any level
    borders : array ``(..., leads, 8)``, samples of it, see `delineator.COLUMNS`; NaN where a wave is not there

    Returns
    -------
    float32 array ``(..., leads, 2)`` in mV; any number where a wave is not there
    """
    n = beat_mv.shape[-1]
    at = np.fmax(np.fmin(borders.reshape(-1, 8), n - 5.0), 4.0).astype(np.int64)[:, _LEVELS, None] + _LEVEL
    at += np.arange(0, beat_mv.size, n)[:, None, None]
    level = beat_mv.ravel()[at].sum(axis=2) * np.float32(1 / 3)
    told: Floats = level[:, :2] - (level[:, 2:4] + level[:, 4:]) * np.float32(0.5)
    return told.reshape(*borders.shape[:-1], 2)


def refine(x: Floats, valid: Bools | None, at: Doubles, height_mv: Floats) -> Doubles:
    """Borders of every beat in every lead, each moved by what the beat itself shows.

    Where the samples around a border are not all in the strip, or were not recorded, it stays.

    Parameters
    ----------
    x : float32 array ``(leads, samples)``, mV at 500 Hz
    valid : array ``(leads, samples)``, False where nothing was recorded; None where all was
    at : array ``(beats, leads, 8)``, samples of `x`: the borders of the median beat at each beat; NaN is unknown
    height_mv : float32 array ``(beats, leads, 2)``, `heights` of the class of each beat

    Returns
    -------
    array ``(beats, leads, 8)``
        Of each beat and lead in order: P before QRS before T.
    """
    out = at.copy()
    if x.shape[1] < 2 * BEFORE:
        return out
    x = np.ascontiguousarray(x)
    fast = kernels.of(x) if valid is None and at.size else None
    if fast is not None:
        return np.concatenate(
            [
                _refined(fast, x, at[first : first + _AT_ONCE], height_mv[first : first + _AT_ONCE])
                for first in range(0, at.shape[0], _AT_ONCE)
            ]
        )
    gaps = None
    if valid is not None:
        gaps = np.zeros((x.shape[0], x.shape[1] + 1), dtype=np.int32)
        np.cumsum(~valid, axis=1, out=gaps[:, 1:])
    for first in range(0, at.shape[0], _AT_ONCE):
        some = slice(first, first + _AT_ONCE)
        columns = out[some].reshape(-1, 8).T
        seen = columns[SEEN]
        p_on, p_off, t_off, p_peak, t_peak = seen
        seen += _moves(x, gaps, seen, height_mv[some].reshape(-1, 2).T)
        # P stays in its order and before the QRS, T behind its onset.
        np.minimum(p_off, columns[3], out=p_off)
        np.minimum(p_peak, p_off, out=p_peak)
        np.minimum(p_on, p_peak, out=p_on)
        np.maximum(t_peak, columns[5], out=t_peak)
        np.maximum(t_off, t_peak, out=t_off)
        columns[SEEN] = seen
    return out


def _refined(fast: Any, x: Floats, at: Doubles, height_mv: Floats) -> Doubles:
    """As `refine`, with kernels before and behind the products."""
    at, height_mv = np.ascontiguousarray(at), np.ascontiguousarray(height_mv)
    view, told = fast.waves.around(x, at)
    borders = np.matmul(view[:3], READ)[..., 0]
    moved: Doubles = fast.waves.moved(at, told, borders, view[3:] @ SMOOTHED, height_mv)
    return moved


def _moves(x: Floats, gaps: NDArray[np.int32] | None, seen: Doubles, height_mv: Floats) -> Doubles:
    """By how many samples to move what is read, ``(5, beats · leads)``; 0 where nothing can be told."""
    leads, n = x.shape
    start = seen - (BEFORE - 0.5)
    held = np.minimum(np.fmax(start, 0.0), n - 2.0 * BEFORE)  # NaN goes to 0
    told = held == start
    place = held.astype(np.int64).reshape(5, -1, leads)
    lead = np.arange(leads)
    if gaps is not None:
        told &= (gaps[lead, place + 2 * BEFORE] == gaps[lead, place]).reshape(told.shape)
    place += lead * n
    step = x.itemsize
    around: Floats = np.ndarray((x.size - 2 * BEFORE + 1, TAPS), np.float32, x, 0, (step, STEP * step))
    view = around[place.ravel()].reshape(5, -1, TAPS)
    sign, size = np.sign(height_mv), np.abs(height_mv)
    moves = np.empty(seen.shape)
    borders = np.matmul(view[:3], READ)[..., 0]
    borders *= (sign / (size + FLOOR_MV))[BORDER_OF]
    borders += ALWAYS
    np.minimum(np.maximum(borders, -MOST, out=borders), MOST, out=moves[:3])
    top = ((view[3:] @ SMOOTHED) * sign[..., None]).argmax(axis=-1)
    size *= size
    np.multiply(TOP_MOVES[top], size / (size + TOP_FLOOR), out=moves[3:])
    moves *= told
    return moves
