"""A regular train of P waves, and whether the ventricles follow it: what complete AV block shows.

QRS and T are taken away by the median beat of each class. What is left is looked at from the side of its largest
spread, where P waves stand up as humps of one sign; a comb of equal distances then seeks the train. It serves regular
ventricles that no plain P precedes: that gate is `worth_looking`, since the search costs some milliseconds.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from greenchannel.signal import kernels
from greenchannel.signal.arrhythmia import WITHOUT_P, Rhythm

Floats = NDArray[np.floating]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

# [E]: chosen on simulated blocks and seen on all real records at hand, none held out; one of these has a block.
PERIOD_S: Final = (0.4, 1.5)  # between two P waves: 40 to 150/min [K]
SLOW_BPM: Final = 60.0  # an escape rhythm is slower [K] …
FASTEST_BPM: Final = 100.0  # … and an accelerated one than this; above, no PR is looked for [E]
STEADY_CV: Final = 0.10  # an escape rhythm is regular; CV-7 asks for 5 % [E]
P_PLAIN: Final = (
    0.60  # P windows before the beats so alike mean that the ventricles follow (as `arrhythmia`) [E]
)
STEP: Final = 4  # one sample at 125 Hz is the mean of so many at 500 Hz
RATE_HZ: Final = 500.0 / STEP
QRS_BEFORE_S: Final = 0.08  # of R: where the subtraction begins …
QRS_HIDES_S: Final = (0.06, 0.08)  # around R nothing of P can be seen beside what is left of the QRS [E]
NARROW_S: Final = 0.056  # a P is smoothed over so long …
BROAD_S: Final = 0.256  # … against the level of so long [E]
CLIP: Final = 4.0  # times the usual size: whatever is larger is no P but a rest of QRS or T [E]
TOLERANCE_S: Final = 0.032  # a P may come so much off the comb in the search [E]
REACH_S: Final = 0.064  # and so much when each is placed [E]
PERIOD_STEP: Final = 0.5  # samples of 8 ms: over half a strip the comb drifts by no more than the tolerance …
PHASE_STEP: Final = 2  # … and stands no further off at its beginning
SPREAD: Final = 0.05  # periods this share around a peak of the autocorrelation are tried [E]
CANDIDATES: Final = 4
ALMOST_BEST: Final = (
    0.85  # a shorter period with this share of the best score is the train, the longer its multiple
)
LEAST_S: Final = 4.0  # a shorter strip holds too few P waves [E]
ONSET_S: Final = 0.04  # from the QRS onset to R, about: PR need not be right, only alike [E]
LEAST_P: Final = 6  # P waves in sight
SEEN_HEIGHT: Final = 0.5  # of their median height: such a place holds a P [E]
LEAST_SEEN: Final = 0.75  # share of the places in sight that hold one [E]
CLEAR: Final = 0.45  # what stands between the P waves is lower than they by this share of their height [E]
LOCKED_S: Final = 0.06  # PR of conducted beats lie within this, either side [E]


@dataclass(frozen=True, kw_only=True, slots=True)
class AtrialTrain:
    """A regular train of P waves."""

    atrial_bpm: float
    dissociation: float  # share of the beats whose PR differs from the most common one by more than 60 ms
    seen: float  # share of its places outside the QRS at which a P stands
    p_s: tuple[float, ...]  # where each P is expected or found, from the first sample


def seek(
    samples_mv: Floats,
    r: Ints,
    label: Ints,
    beats_mv: Mapping[int, Floats],
    usable: Bools,
    *,
    r_at: int,
    rhythm: Rhythm,
    pr_ms: float | None,
) -> AtrialTrain | None:
    """The train of P waves where the ventricles may be on their own; see `atrial_train` and `worth_looking`."""
    if not worth_looking(r, rhythm=rhythm, pr_ms=pr_ms):
        return None
    return atrial_train(samples_mv, r, label, beats_mv, usable, r_at=r_at)


def worth_looking(r: Ints, *, rhythm: Rhythm, pr_ms: float | None) -> bool:
    """May these ventricles be on their own? They are regular, no plain P precedes them, they are slow or have no PR.

    Parameters
    ----------
    r : array ``(beats,)``, R in samples at 500 Hz
    pr_ms : of the dominant beat, None where unknown
    """
    coherence, mean_s = rhythm.p_coherence, rhythm.rr_mean_s
    if r.size < 4 or mean_s is None or (coherence is not None and coherence >= P_PLAIN):
        return False
    if rhythm.name in WITHOUT_P or rhythm.name == "paced" or mean_s <= 60.0 / FASTEST_BPM:
        return False
    if pr_ms is not None and mean_s <= 60.0 / SLOW_BPM:
        return False
    return rhythm.sdnn_ms is not None and rhythm.sdnn_ms <= STEADY_CV * mean_s * 1000.0


def atrial_train(
    samples_mv: Floats, r: Ints, label: Ints, beats_mv: Mapping[int, Floats], usable: Bools, *, r_at: int
) -> AtrialTrain | None:
    """The train of P waves of a strip; None where there is none or it cannot be told.

    Parameters
    ----------
    samples_mv : array ``(leads, samples)`` at 500 Hz without wander; not changed
    r, label : arrays ``(beats,)``
        R in samples, rising, and the class of each beat, −1 for none.
    beats_mv : the median beat of each class, ``(leads, samples)``
    usable : array ``(leads,)``
    r_at : the sample of R in the median beats
    """
    good = np.flatnonzero(usable)
    if good.size == 0 or r.size < 3 or samples_mv.shape[1] < LEAST_S * RATE_HZ * STEP:
        return None
    x = _coarse(samples_mv[good])
    at = np.asarray(r) / STEP
    skip = r_at - STEP * round(QRS_BEFORE_S * RATE_HZ)
    _subtract(x, at, label, {k: _coarse(beat[good], skip) for k, beat in beats_mv.items()})
    dark = _dark(x.shape[1], at)
    trace = _p_like(x, dark)
    comb = None if trace is None else _comb(trace, dark)
    return None if trace is None or comb is None else _train(trace, dark, at, *comb)


def _coarse(x: Floats, first: int = 0) -> NDArray[np.float64]:
    """Means of four samples, beginning with sample `first`; what no heart makes is 0."""
    n = (x.shape[1] - first) // STEP * STEP
    tame = np.clip(np.nan_to_num(x[:, first : first + n].astype(np.float64)), -100.0, 100.0)
    made: NDArray[np.float64] = tame.reshape(x.shape[0], -1, STEP).mean(axis=2)
    return made


def _subtract(x: Floats, at: Floats, label: Ints, beats: Mapping[int, Floats]) -> None:
    """Take QRS and T of each class off, in place, fading out at the end. `beats` begin `QRS_BEFORE_S` before R."""
    n = x.shape[1]
    for centre, kind in zip(np.rint(at).astype(int).tolist(), label.tolist(), strict=True):
        if kind not in beats:
            continue
        beat = beats[kind]
        size = beat.shape[1]
        fade = np.minimum(1.0, np.arange(size, 0, -1) / 8.0)
        first = centre - round(QRS_BEFORE_S * RATE_HZ)
        low, high = max(first, 0), min(first + size, n)
        if low < high:
            x[:, low:high] -= (beat * fade)[:, low - first : high - first]


def _dark(n: int, at: Floats) -> Bools:
    """Where the QRS hides whatever the atria do."""
    dark = np.zeros(n, dtype=bool)
    for low, high in zip(at - QRS_HIDES_S[0] * RATE_HZ, at + QRS_HIDES_S[1] * RATE_HZ, strict=True):
        dark[max(int(low), 0) : max(int(high) + 1, 0)] = True
    return dark


def _box(x: Floats, width_s: float) -> NDArray[np.float64]:
    """Running mean over an odd number of samples; the edges repeat."""
    half = round(width_s * RATE_HZ) // 2
    padded = np.pad(x, ((0, 0), (half + 1, half)), mode="edge")
    total = np.cumsum(padded, axis=1)
    made: NDArray[np.float64] = (total[:, 2 * half + 1 :] - total[:, : -(2 * half + 1)]) / (2 * half + 1)
    return made


def _p_like(x: Floats, dark: Bools) -> NDArray[np.float64] | None:
    """One trace in which P waves stand up, in units of its usual size: the leads from the side of largest spread."""
    y = _box(x, NARROW_S) - _box(x, BROAD_S)
    seen = y[:, ~dark]
    if seen.shape[1] < RATE_HZ:
        return None
    size = np.abs(seen).mean(axis=1, keepdims=True) + 1e-9
    bounded = np.clip(seen, -CLIP * size, CLIP * size)
    side = np.linalg.eigh(bounded @ bounded.T)[1][:, -1]
    trace = side @ np.clip(y, -CLIP * size, CLIP * size)
    scale = float(np.sqrt(np.mean(trace[~dark] ** 2)))
    if not scale > 1e-6:
        return None
    trace = trace / scale
    upright = float(np.mean(trace[~dark] ** 3)) >= 0.0  # P waves are humps in a quiet trace
    trace = trace if upright else -trace
    trace[dark] = 0.0
    return np.asarray(trace)


def _comb(trace: Floats, dark: Bools) -> tuple[float, float] | None:
    """Period and first place of the comb, in samples, that meets the highest humps."""
    reach = round(TOLERANCE_S * RATE_HZ)
    crest = np.lib.stride_tricks.sliding_window_view(np.pad(trace, reach), 2 * reach + 1).max(axis=1)
    shown = (~dark).astype(np.float64)
    low, high = (round(s * RATE_HZ) for s in PERIOD_S)
    lags = np.arange(low, min(high + 1, trace.size // 3))
    if lags.size < 3:
        return None
    together = np.correlate(np.pad(trace, (0, high)), trace, "valid")[lags]
    alike = together / np.maximum(
        np.correlate(np.pad(shown, (0, high)), shown, "valid")[lags], 0.1 * trace.size
    )
    peaks = np.flatnonzero((alike[1:-1] >= alike[:-2]) & (alike[1:-1] > alike[2:]) & (alike[1:-1] > 0.0)) + 1
    best = sorted(peaks[np.argsort(-alike[peaks])][:CANDIDATES].tolist())
    found = [_phase(crest, shown, float(period)) for k in best for period in _around(float(lags[k]))]
    if not found:
        return None
    top = max(score for score, _, _ in found)
    near = [one for one in found if one[0] >= ALMOST_BEST * top]
    shortest = min(period for _, period, _ in near)
    _, period, first = max(one for one in near if one[1] <= (1.0 + 2.0 * SPREAD) * shortest)
    return period, first


def _around(period: float) -> NDArray[np.float64]:
    return np.arange(period * (1.0 - SPREAD), period * (1.0 + SPREAD), PERIOD_STEP)


def _phase(crest: Floats, shown: Floats, period: float) -> tuple[float, float, float]:
    """The best first place of a comb of this period: mean height of what it meets in sight, period, place."""
    if kernels.loaded is not None:
        best_score, place = kernels.loaded.waves.phase(crest, shown, period)
        return best_score, period, place
    phases = np.arange(0, int(period), PHASE_STEP)
    teeth = np.arange(int(crest.size / period) + 1) * period
    places = np.rint(phases[:, None] + teeth).astype(int)
    inside = places < crest.size
    places = np.where(inside, places, 0)
    weight = shown[places] * inside
    score = (crest[places] * weight).sum(axis=1) / np.maximum(weight.sum(axis=1), 0.5 * teeth.size)
    best = int(score.argmax())
    return float(score[best]), period, float(phases[best])


def _train(trace: Floats, dark: Bools, at: Floats, period: float, first: float) -> AtrialTrain | None:
    """Each P in its place, and what the beats make of them; None where they do not stand out."""
    places = np.arange(first, trace.size, period)
    height, found = _placed(trace, dark, places)
    seen = ~np.isnan(height)
    if np.count_nonzero(seen) < LEAST_P:
        return None
    middle = float(np.median(height[seen]))
    share = float((height[seen] >= SEEN_HEIGHT * middle).mean())
    between = [np.nanmedian(h) for shift in (1 / 3, 1 / 2, 2 / 3)
               if not np.isnan(h := _placed(trace, dark, places + shift * period)[0]).all()]  # fmt: skip
    if share < LEAST_SEEN or not between or max(between) > (1.0 - CLEAR) * middle:
        return None
    onset = at - ONSET_S * RATE_HZ
    before = np.searchsorted(found, onset) - 1
    held = before >= 0
    pr = onset[held] - found[before[held]]
    return AtrialTrain(
        atrial_bpm=60.0 * RATE_HZ / period,
        dissociation=_dissociation(pr, period),
        seen=share,
        p_s=tuple((found / RATE_HZ).tolist()),
    )


def _placed(trace: Floats, dark: Bools, places: Floats) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Height and position of the highest hump near each place; NaN and the place itself where it is out of sight."""
    reach = round(REACH_S * RATE_HZ)
    window = np.rint(places).astype(int)[:, None] + np.arange(-reach, reach + 1)
    inside = (window >= 0) & (window < trace.size)
    window = np.clip(window, 0, trace.size - 1)
    values = np.where(inside & ~dark[window], trace[window], -math.inf)
    centre_dark = ~inside[:, reach] | dark[window[:, reach]]
    best = values.argmax(axis=1)
    height = np.where(centre_dark, math.nan, values[np.arange(places.size), best])
    return height, np.where(centre_dark, places, window[np.arange(places.size), best])


def _dissociation(pr: Floats, period: float) -> float:
    """Share of the beats outside the best window of PR, on the circle of one period."""
    if pr.size < 3:
        return 0.0
    apart = np.abs((pr[:, None] - pr + period / 2.0) % period - period / 2.0)
    return 1.0 - float((apart <= LOCKED_S * RATE_HZ).sum(axis=1).max()) / pr.size
