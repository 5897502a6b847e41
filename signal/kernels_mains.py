"""Kernels that fit and subtract mains hum; see `mains`."""

import math
from typing import Any, Final

import numpy as np

from greenchannel.signal import limits, mains
from greenchannel.signal.kernel_compiler import B1, F2, kernel, within

_F32: Final = np.float32
_RATE: Final = limits.ANALYSIS_RATE_HZ
_FIT: Final = np.ascontiguousarray(mains.fit().T)
_PIECE: Final = mains.PIECE
_AROUND: Final = mains.AROUND


@within
def _weighted(quiet: Any, weight: Any) -> None:
    """Which pieces count: those outside of the QRS, or where these are few, those that touch one a little."""
    count = weight.size
    whole = 0
    inside = np.empty(count, np.int64)
    for piece in range(count):
        inside[piece] = np.count_nonzero(quiet[piece * _PIECE : (piece + 1) * _PIECE])
        whole += inside[piece] == _PIECE
    least = np.float64(_PIECE) if whole >= limits.MAINS_FEW * count else limits.MAINS_QUIET * _PIECE
    chosen = 0
    for piece in range(count):
        weight[piece] = _F32(1.0) if inside[piece] >= least else _F32(0.0)
        chosen += inside[piece] >= least
    if chosen < limits.MAINS_PAIRS:
        weight[:] = _F32(1.0)


@within
def _turn(vector: Any, weight: Any) -> Any:
    """Is there mains to be taken off, and how far does its phase move from piece to piece?"""
    leads, count = vector.shape[1:]
    power, chosen = 0.0, 0.0
    for k in range(2):
        for lead in range(leads):
            for piece in range(count):
                power += np.float64(vector[k, lead, piece] * vector[k, lead, piece])
    for piece in range(count):
        chosen += np.float64(weight[piece])
    power /= chosen
    lag, pairs = 0, -1.0
    enough = min(np.float64(limits.MAINS_PAIRS), chosen - 1)
    while pairs < enough and lag < min(limits.MAINS_LAGS, count - 1):
        lag += 1
        pairs = 0.0
        for piece in range(count - lag):
            pairs += np.float64(weight[piece + lag] * weight[piece])
    along, across = 0.0, 0.0
    for lead in range(leads):
        cos, sin = vector[0, lead], vector[1, lead]
        for piece in range(count - lag):
            along += np.float64(cos[piece + lag] * cos[piece] + sin[piece + lag] * sin[piece])
            across += np.float64(cos[piece + lag] * sin[piece] - sin[piece + lag] * cos[piece])
    along, across = along / max(pairs, 1.0), across / max(pairs, 1.0)
    hum = math.sqrt(along * along + across * across)
    if hum < limits.MAINS_COHERENCE * power or hum < limits.MAINS_MIN_MV**2 * leads:
        return False, 0.0
    most = 2 * math.pi * limits.MAINS_OFFSET_HZ * _PIECE / _RATE
    return True, min(max(math.atan2(across, along) / lag, -most), most)


@within
def _near_sums(values: Any, sums: Any, near: Any) -> None:
    """Sum of each piece and its neighbours; `sums` is room for one more."""
    count = values.size
    sums[0] = 0.0
    for piece in range(count):
        sums[piece + 1] = sums[piece] + np.float64(values[piece])
    for piece in range(count):
        near[piece] = sums[min(piece + _AROUND + 1, count)] - sums[max(piece - _AROUND, 0)]


@within
def _subtract(x: Any, out: Any, vector: Any, weight: Any, turn: float, nominal_hz: float) -> None:
    """Enter into `out` samples without a sinusoid that has the amplitude of the pieces around each instant."""
    leads = x.shape[0]
    count = weight.size
    cos, sin = np.empty(count + 1, np.float32), np.empty(count + 1, np.float32)
    for piece in range(count + 1):
        cos[piece], sin[piece] = _F32(math.cos(turn * piece)), _F32(math.sin(turn * piece))
    waves = np.empty((4, _PIECE), np.float32)
    for k in range(_PIECE):
        tau = k - (_PIECE - 1) / 2
        phase = (2 * math.pi * nominal_hz / _RATE + turn / _PIECE) * tau
        waves[0, k], waves[1, k] = _F32(math.cos(phase)), _F32(math.sin(phase))
        waves[2, k], waves[3, k] = _F32(tau * math.cos(phase)), _F32(tau * math.sin(phase))
    w0, w1, w2, w3 = waves[0], waves[1], waves[2], waves[3]
    sums, share, near = np.empty(count + 1), np.empty(count), np.empty(count)
    still, level = np.empty(count, np.float32), np.empty((2, count + 1), np.float32)
    _near_sums(weight, sums, share)
    chosen = sums[count]
    for lead in range(leads):
        for k in range(2):
            for piece in range(count):
                a, b = vector[0, lead, piece], vector[1, lead, piece]
                still[piece] = a * cos[piece] - b * sin[piece] if k == 0 else b * cos[piece] + a * sin[piece]
            _near_sums(still, sums, near)
            for piece in range(count):
                lonely = share[piece] < 1.0  # no quiet piece anywhere near: the mean of all
                mean = sums[count] / chosen if lonely else near[piece] / share[piece]
                level[k, piece] = _F32(mean)
            level[k, count] = level[k, count - 1]
        for piece in range(count + 1):
            inner = 0 < piece < count
            by = _F32(0.5 / _PIECE) if inner else _F32(0.0)
            after, before = min(piece + 1, count), max(piece - 1, 0)
            a, b, c, s = level[0, piece], level[1, piece], cos[piece], sin[piece]
            da, db = (level[0, after] - level[0, before]) * by, (level[1, after] - level[1, before]) * by
            p0, p1, p2, p3 = a * c + b * s, b * c - a * s, da * c + db * s, db * c - da * s
            first = piece * _PIECE
            row, to = x[lead, first : first + _PIECE], out[lead, first : first + _PIECE]
            for k in range(row.size):
                to[k] = row[k] - (p0 * w0[k] + p1 * w1[k] + p2 * w2[k] + p3 * w3[k])


@kernel(F2, B1)
def without_mains(x: Any, quiet: Any) -> Any:
    """Samples without 50 and 60 Hz; was there any?"""
    leads, n = x.shape
    count = n // _PIECE
    weight = np.empty(count, np.float32)
    _weighted(quiet, weight)
    vectors = np.empty((4, leads, count), np.float32)
    f0, f1, f2, f3 = _FIT[0], _FIT[1], _FIT[2], _FIT[3]
    for lead in range(leads):
        for piece in range(count):
            part = x[lead, piece * _PIECE : (piece + 1) * _PIECE]
            a, b, c, d = _F32(0.0), _F32(0.0), _F32(0.0), _F32(0.0)
            for k in range(_PIECE):
                a += part[k] * f0[k]
                b += part[k] * f1[k]
                c += part[k] * f2[k]
                d += part[k] * f3[k]
            vectors[0, lead, piece], vectors[1, lead, piece] = a * weight[piece], b * weight[piece]
            vectors[2, lead, piece], vectors[3, lead, piece] = c * weight[piece], d * weight[piece]
    out, hum = np.empty((leads, n), np.float32), False
    for number in range(2):
        vector = vectors[2 * number : 2 * number + 2]
        there, turn = _turn(vector, weight)
        if there and hum:
            _subtract(out, out, vector, weight, turn, limits.MAINS_HZ[number])
        elif there:
            _subtract(x, out, vector, weight, turn, limits.MAINS_HZ[number])
            hum = True
    return out, hum
