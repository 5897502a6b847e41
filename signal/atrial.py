"""What the atria do: P waves that the beats agree on, fibrillatory waves, flutter, on a strip of 125 Hz."""

import math
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from greenchannel.signal import kernels

Floats = NDArray[np.floating]
Ints = NDArray[np.int64]

SLOW_RATE_HZ: Final = 125.0
"""Rate of the strip that `measure_rhythm` takes."""

# Chosen on LUDB below 100 and a patient-wise half of the CinC and PTB recordings, tested on the others, where [E].
P_WINDOW_S: Final = 0.24  # before the QRS onset, P is looked for here [E]
P_BEAT: Final = 0.5  # correlation of one beat's window with the mean of all [E]
F_BAND_HZ: Final = (4.0, 9.0)  # fibrillatory waves [K]
F_OF_HZ: Final = (1.5, 25.0)  # of what lies in this band …
FLUTTER_S: Final = (0.165, 0.275)  # cycle of flutter, with a margin for the grid [K]
FLUTTER_SEEN: Final = 0.05  # of the energy must have its counterpart outside the QRS [E]


def without_slope(size: int) -> Floats:
    """Matrix ``(size, size)`` that takes mean and slope off a stretch: the end of T before P is a slope."""
    base = np.stack([np.ones(size), np.linspace(-1.0, 1.0, size)])
    base /= np.sqrt((base * base).sum(axis=1, keepdims=True))
    made: Floats = (np.eye(size) - base.T @ base).astype(np.float32)
    return made


P_SIZE: Final = round(P_WINDOW_S * SLOW_RATE_HZ)
_P_SPAN: Final = np.arange(-P_SIZE, 0)
_NO_SLOPE: Final = without_slope(P_SIZE)


@lru_cache(maxsize=8)
def hann(n: int) -> Floats:
    """Hann's window, made once for each length."""
    made: Floats = np.hanning(n).astype(np.float32)
    made.setflags(write=False)
    return made


def p_evidence(x: Floats, onset_s: Floats, good: Ints) -> dict[str, float]:
    """Do the stretches before the dominant beats resemble each other? Mean correlation of every pair of them."""
    end = np.floor(onset_s * SLOW_RATE_HZ).astype(np.int64)
    end = end[(end >= P_SIZE) & (end <= x.shape[1])]
    if end.size < 3:
        return {"p_coherence": math.nan, "p_share": math.nan}
    if (fast := kernels.of(x)) is not None:
        return _agreement(fast.waves.p_correlations(x, end, good), end.size)
    rows = x if good.size == x.shape[0] else x[good]
    w = (rows[:, end[:, None] + _P_SPAN] @ _NO_SLOPE).transpose(1, 0, 2).reshape(end.size, -1)
    w = w / (np.sqrt(np.einsum("bs,bs->b", w, w)) + 1e-6)[:, None]
    return _agreement(w @ w.sum(axis=0), end.size)


def _agreement(total: Floats, beats: int) -> dict[str, float]:
    """What follows from the sums of the correlations of each beat with all, ``(beats,)``."""
    return {
        "p_coherence": float((total.sum() - beats) / (beats * (beats - 1))),
        "p_share": np.count_nonzero(total > P_BEAT * math.sqrt(max(float(total.sum()), 1e-9))) / beats,
    }


def fibrillation(trace: Floats, r: Floats, label: Ints) -> dict[str, float]:
    """Power of 4–9 Hz in a lead after the mean beat of each class was subtracted."""
    y, n = trace.copy(), trace.size
    rr = float(np.sort(r[1:] - r[:-1])[(r.size - 1) // 2])
    before, after = round(0.08 * SLOW_RATE_HZ), max(round(min(0.45, 0.7 * rr) * SLOW_RATE_HZ), 4)
    span = np.arange(-before, after)
    fade = np.clip(np.minimum(span + before + 1, after - span) / 6.0, 0.0, 1.0)
    at = np.round(r * SLOW_RATE_HZ).astype(np.int64)
    whole = (at >= before) & (at + after <= n)
    for number in sorted(set(label[whole].tolist()) - {-1}):
        where = at[whole & (label == number)][:, None] + span
        if where.shape[0] >= 3:
            y[where] -= y[where].mean(axis=0) * fade
    power = np.abs(np.fft.rfft((y - y.mean()) * hann(n))) ** 2
    a, b, c, d = (math.ceil(hz * n / SLOW_RATE_HZ) for hz in (*F_BAND_HZ, *F_OF_HZ))
    band, all_of_it = float(power[a:b].sum()), float(power[c:d].sum())
    # 0.375 is the mean square of the window.
    rms = math.sqrt(2.0 * band / (0.375 * n * n))
    return {"fibrillatory_share": band / max(all_of_it, 1e-9), "fibrillatory_mv": rms}


def flutter(x: Floats, rows: list[int], onset_s: Floats, qrs_s: float) -> dict[str, float]:
    """Does the loop of several leads outside the QRS repeat with a cycle of flutter, and is RR a multiple of it?

    P and T point into different directions, so that a sinus beat does not repeat itself within RR; flutter does.
    Autocorrelation at 62.5 Hz of the slopes of these rows, samples of the QRS weighing nothing.
    """
    rate, lag = SLOW_RATE_HZ / 2, 2
    low, high = (round(edge * rate) for edge in FLUTTER_S)
    size = math.ceil(((0.1 if math.isnan(qrs_s) else min(qrs_s, 0.16)) + 0.06) * rate) + lag
    start = np.floor((onset_s - 0.03) * rate).astype(np.int64)
    if (fast := kernels.of(x)) is not None:
        c = fast.waves.repeats(x, np.array(rows), start, size, lag, low, high, FLUTTER_SEEN)
    else:
        c = _repeats(x[rows], start, size, lag, low, high)
    if c.size == 0:
        return {}
    best = int(np.argmax(c[1:-1])) + 1
    if c[best] < max(c[best - 1], c[best + 1]):
        return {"flutter_match": 0.0}
    left, top, right = (float(v) for v in c[best - 1 : best + 2])
    bend = left - 2.0 * top + right
    cycle = (low - 1 + best + (0.5 * (left - right) / bend if bend < 0 else 0.0)) / rate
    whole = np.cos((2.0 * math.pi / cycle) * (onset_s[1:] - onset_s[:-1]))
    return {"flutter_match": top, "flutter_ratio": float(whole.mean()), "flutter_bpm": 60.0 / cycle}


def _repeats(x: Floats, start: Ints, size: int, lag: int, low: int, high: int) -> Floats:
    """Autocorrelation at lags from `low - 1` to `high + 1`; empty where the QRS leaves too little."""
    n = x.shape[1] // 2
    w = np.zeros(n + high + 1, dtype=np.float32)
    w[lag:n] = 1.0
    w[np.minimum(np.maximum(start[:, None] + np.arange(size), 0), n - 1)] = 0.0
    weight = float(w.sum())
    if weight < 0.2 * n:
        return np.zeros(0)
    y = x[:, : 2 * n : 2] + x[:, 1 : 2 * n : 2]
    # The zeros behind each lead part it from the next: one correlation serves all.
    d = np.zeros((x.shape[0], n + high + 1), dtype=np.float32)
    inner = d[:, lag:n]
    np.multiply(y[:, lag:] - y[:, :-lag], w[lag:n], out=inner)
    inner -= (inner.sum(axis=1) / weight)[:, None] * w[lag:n]
    flat, energy = d.ravel(), (d * d).sum(axis=0)
    shared = np.correlate(flat[low - 1 :], flat[: -(high + 1)], "valid")
    later = np.correlate(energy[low - 1 :], w[:n], "valid")
    sooner = np.correlate(w[low - 1 :], energy[:n], "valid")
    # Where hardly anything lies one cycle apart outside the QRS nothing can be said.
    least = FLUTTER_SEEN * float(energy.sum()) + 1e-9
    return np.where(np.minimum(later, sooner) > least, 2.0 * shared / (later + sooner + 1e-9), 0.0)
