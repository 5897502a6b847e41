"""Was this recording filtered as monitors do (0.5–40 Hz, SIG-1) and not as for diagnosis (0.05–150 Hz)?

A low-pass at 40 Hz leaves a skirt in the spectrum of the QRS and in that of the noise between the beats. The two
are told apart because they fall differently by themselves: a QRS by some 13 dB an octave from 20 Hz on, muscle noise
hardly at all. So one spectrum is taken of the steepest quarter second of every second, one of the quietest, and a
linear rule weighs how far each lies below its own level at 25–35 Hz. To every density the noise of a 5 µV converter
is added first: that is what hides a skirt in a file quantised after the filter, and now it hides it in all alike.

Bands near 50, 60, 100, 120 and 150 Hz are left out, for mains and notches say nothing of the device's mode.

A high-pass alone cannot be told reliably: a quiet baseline is no proof. What it does leave is a level that decays
to zero while the heart is silent, in all leads at one pace; where that is very clear, it is said.
"""

from dataclasses import dataclass
from functools import lru_cache
from math import exp, inf, isfinite, log
from typing import Final

import numpy as np
from numpy.typing import NDArray

from greenchannel.signal import kernels

_Floats = NDArray[np.float32]

SEGMENT_S: Final = 0.256  # holds a broad QRS; its lines lie 3.9 Hz apart [E]
STEP_S: Final = 0.010  # activity is the sum over leads of the change within this [E]
QRS_SEGMENTS: Final = 8  # of the steepest, one a second [E]
QUIET_SEGMENTS: Final = 6  # of the quietest, one a second [E]
MAX_LOOK_S: Final = 10.5  # of a longer recording its middle is looked at [E]
USED_BAND: Final = 0.46  # of the rate: above it the converter's own filter shows [E]
FLOOR_UV2_HZ: Final = 0.02  # a little over the noise of a 5 µV converter at 250/s, LSB² / (6 · rate) [E]
MIN_QRS_DB: Final = 10.0  # over 1 µV²/Hz at 21–27 Hz; real records have over 20, below it nothing is said [E]
MIN_NOISE_DB: Final = -15.0
"""Over 1 µV²/Hz at 27–33 Hz between the beats, that converter's noise taken along.  [E]

Below it there is no noise to have a skirt (real records have -14.1 and more, filtered ones -14.6): a made-up trace.
"""

# Spectral lines of each band, in units of 1 / SEGMENT_S:
# 13.7, 21.5, 27, 33, 39 | 72, 80, 88 | 109, 131, 139 Hz. The last three need a rate above 306/s.
_BANDS: Final = ((3, 4), (5, 6), (7,), (8, 9), (10,), (18, 19), (20, 21), (22, 23), (28,), (33, 34), (35, 36))
_NARROW: Final = 8
_KNEE: Final = 4  # bands from here on tell of the skirt in the noise


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rule:
    """Weights of levels in units of 10 dB. A positive sum means a monitor; the cut rows give ln(high cut in Hz)."""

    bands: tuple[int, ...]
    qrs: tuple[float, ...]  # each of `bands` against the level at 21–27 Hz, then that level
    noise: tuple[float, ...]  # those of `bands` from _KNEE on against the level at 27–33 Hz, then that level
    constant: float
    cut_qrs: tuple[float, ...]
    cut_noise: tuple[float, ...]
    cut_constant: float


# Regularised logistic regression; its constant leaves 0.2 % of the unfiltered development records marked. Developed
# on LUDB below 100 and half of the patients of PTB and of the CinC samples, as they are and through 150 and 100 Hz
# low-passes, against the same through 25–40 Hz Butterworth, FIR and moving-average filters, quantised to 0–5 µV [E].
_WIDE_RULE: Final = _Rule(
    bands=(2, 3, 4, 5, 6, 7, 8, 9, 10),
    qrs=(0.70, 1.67, -0.34, -3.71, 2.67, -3.90, -3.28, 0.52, -2.13, -6.40),
    noise=(0.96, -2.93, -1.90, -1.24, -0.11, 0.57, 0.91, -1.55),
    constant=-19.06,
    cut_qrs=(0.261, -0.286, 0.469, 0.235, -0.515, 0.169, 0.495, -0.487, -0.152, -0.093),
    cut_noise=(0.090, 0.141, -0.423, 0.171, 0.220, -0.105, 0.287, 0.358),
    cut_constant=3.759,
)
_NARROW_RULE: Final = _Rule(
    bands=(0, 3, 4, 5, 6, 7),
    qrs=(0.99, 2.50, 0.23, -4.58, 3.40, -7.83, -4.22),
    noise=(1.43, -3.27, -1.75, -1.02, -2.66),
    constant=-21.20,
    cut_qrs=(-0.127, -0.256, 0.457, 0.277, -0.542, 0.231, 0.088),
    cut_noise=(0.084, 0.153, -0.273, 0.128, 0.073),
    cut_constant=3.772,
)
MIN_KNOWN: Final = 0.5  # share of the leads that must be recorded where a segment is taken [E]
_BLIND: Final = 1e7  # activity where less is
_LN_CUT: Final = (log(10.0), log(60.0))  # an estimate stays within these, in Hz [E]

# The high-pass: said only where it is beyond doubt; it never decides on `monitored`.
OFFSET_MV: Final = 0.3  # no high-pass from 0.3 Hz on leaves a mean like this over a whole strip [E]
OFFSET_MIN_S: Final = 8.0  # in a shorter strip it might be the filter's own start [E]
DECAY_FIT: Final = 0.95  # correlation of the slope between the beats with the level there [E]
DECAY_LEADS: Final = 8  # six limb leads are two independent ones, and two agree by chance [E]
DECAY_PER_S: Final = (1.0, 9.0)  # 2π · 0.16 Hz … 2π · 1.4 Hz [E]


@dataclass(frozen=True, slots=True, kw_only=True)
class MonitorEvidence:
    """What the samples tell of the filters they went through."""

    monitored: bool
    """The low-pass of a monitor is seen. False also where nothing can be said: then `margin` is None."""

    high_cut_hz: float | None
    """Rough estimate of the −3 dB point where `monitored`, within some 10 Hz; None: none is seen."""

    low_cut: bool | None
    """True: a high-pass of about 0.5 Hz shows beyond doubt; False: it certainly is none; None: cannot be told."""

    margin: float | None
    """Logit of the low-pass rule: positive is a monitor, the size tells how sure it is. None: no QRS to judge by."""

    decay_per_s: float | None
    """Pace at which levels between the beats run to zero, 3.1/s behind a first-order 0.5 Hz high-pass."""

    decay_fit: float | None
    """Correlation −1…1 behind `decay_per_s`, over the leads."""


_NOTHING: Final = MonitorEvidence(
    monitored=False, high_cut_hz=None, low_cut=None, margin=None, decay_per_s=None, decay_fit=None
)


@dataclass(frozen=True, slots=True, eq=False)
class _Tables:
    """What depends on the rate alone."""

    width: int  # samples of a segment
    transform: _Floats  # (width, 2 + 2 lines): level, slope per second, cosines, sines
    gather: _Floats  # (2 lines, bands)
    weights: _Floats  # (2 bands, 2): densities of QRS and noise in dB to margin and ln(cut)
    constant: tuple[float, float]


@lru_cache(maxsize=8)
def _tables(rate_hz: float) -> _Tables:
    width = 2 * round(SEGMENT_S / 2 * rate_hz)
    wide = _BANDS[-1][-1] < USED_BAND * width
    bands = _BANDS if wide else _BANDS[:_NARROW]
    lines = [line for band in bands for line in band]
    at = np.arange(width)
    window = np.hanning(width + 1)[:width, None]
    turns = 2 * np.pi * at[:, None] * np.array(lines) / width
    waves = np.concatenate([np.cos(turns), np.sin(turns)], axis=1) * window
    waves -= waves.mean(axis=0)  # takes off the level of the segment
    waves *= np.sqrt(2e6 / rate_hz / (window**2).sum())  # squares are µV²/Hz
    centred = (at - (width - 1) / 2) / rate_hz
    fit = np.stack([np.full(width, 1 / width), centred / (centred @ centred)], axis=1)
    gather = np.zeros((2 * len(lines), len(bands)))
    for column, band in enumerate(bands):
        for line in band:
            row = lines.index(line)
            gather[[row, len(lines) + row], column] = 1 / len(band)
    rule = _WIDE_RULE if wide else _NARROW_RULE
    return _Tables(
        width=width,
        transform=np.concatenate([fit, waves], axis=1).astype(np.float32),
        gather=gather.astype(np.float32),
        weights=_per_band(rule, len(bands)),
        constant=(rule.constant, rule.cut_constant),
    )


def _per_band(rule: _Rule, count: int) -> _Floats:
    """The weights of `rule`, which belong to differences of levels, rearranged to belong to the levels in dB."""
    skirt = [band for band in rule.bands if band >= _KNEE]
    features = np.zeros((len(rule.qrs) + len(rule.noise), 2 * count))
    for row, band in enumerate(rule.bands):
        features[row, band] += 1
        features[row, [1, 2]] -= 0.5
    features[len(rule.bands), [1, 2]] = 0.5
    for row, band in enumerate(skirt, start=len(rule.qrs)):
        features[row, count + band] += 1
        features[row, [count + 2, count + 3]] -= 0.5
    features[-1, [count + 2, count + 3]] = 0.5
    both = np.array([rule.qrs + rule.noise, rule.cut_qrs + rule.cut_noise])
    return np.asarray((both @ features).T / 10, dtype=np.float32)


def _segments(x: _Floats, rate_hz: float, width: int) -> tuple[list[int], int, float]:
    """Where the steepest and then the quietest segments begin, how many are steep ones, the largest mean of a lead."""
    step, second = max(round(STEP_S * rate_hz), 1), round(1 / STEP_S)
    size, reach = -(-x.shape[1] // step) - 1, width // step
    count = size // second
    if count == 0 or x.shape[1] < width or size <= reach:
        return [], 0, 0.0
    moves, busy, offset = _moves(x, step, reach)
    steep = moves[: count * second].reshape(count, second)
    peaks = steep.argmax(axis=1) + np.arange(0, count * second, second)
    peaks = peaks[np.argsort(-moves[peaks], kind="stable")[:QRS_SEGMENTS]]
    seconds = max(busy.size // second, 1)
    calm = busy[: seconds * second].reshape(seconds, -1)
    lulls = calm.argmin(axis=1) + np.arange(0, seconds * second, second)
    lulls = lulls[np.argsort(busy[lulls], kind="stable")[:QUIET_SEGMENTS]]
    peaks, lulls = peaks[moves[peaks] >= 0], lulls[busy[lulls] < _BLIND / 2]
    if peaks.size == 0 or lulls.size == 0:
        return [], 0, 0.0
    starts = np.concatenate([peaks * step + (step // 2 - width // 2), (lulls + 1) * step])
    return np.minimum(np.maximum(starts, 0), x.shape[1] - width).tolist(), peaks.size, offset


def _moves(x: _Floats, step: int, reach: int) -> tuple[_Floats, NDArray[np.floating], float]:
    """How much all leads move in `step` samples, over `reach` of these steps, and the largest mean of a lead."""
    if (fast := kernels.of(x)) is not None:
        moves, busy, offset, all_of_it = fast.samples.coarse_moves(x, step, reach)
        if isfinite(all_of_it):
            return moves, busy, float(offset)
    coarse = np.ascontiguousarray(x[:, ::step])
    moves = np.add.reduce(np.abs(coarse[:, 1:] - coarse[:, :-1]), axis=0)
    total = np.cumsum(moves)
    if not isfinite(total[-1]):
        coarse, moves, total = _known_moves(coarse, reach)
    return moves, total[reach:] - total[:-reach], float(np.abs(_mean(coarse, 1)).max())


def _known_moves(coarse: _Floats, reach: int) -> tuple[_Floats, _Floats, NDArray[np.float64]]:
    """For a strip with missing samples: itself without them, its moves (−1 near a gap), their sum (huge in a gap)."""
    known = np.isfinite(coarse)
    filled = np.where(known, coarse, np.float32(0))
    pairs = known[:, 1:] & known[:, :-1]
    share = pairs.mean(axis=0)
    moves = np.add.reduce(np.abs(filled[:, 1:] - filled[:, :-1]) * pairs, axis=0)
    blind = share < 0
    if share.size > 2 * reach:
        blind = np.convolve(share < MIN_KNOWN, np.ones(2 * reach + 1), "same") > 0
    moves = np.where(blind, np.float32(-1), moves / np.maximum(share, MIN_KNOWN))
    return filled, moves.astype(np.float32), np.cumsum(np.where(blind, _BLIND, np.minimum(moves, 1e3)))


def looks_monitored(samples_mv: _Floats, rate_hz: float, usable: NDArray[np.bool_]) -> MonitorEvidence:
    """Look for the filters of a monitor in the samples alone.

    Parameters
    ----------
    samples_mv : array ``(leads, samples)`` in mV
        At the rate of the recording; NaN where nothing was recorded.
    rate_hz : samples per second
        Below about 196/s nothing is said: the band that would tell was never recorded.
    usable : array ``(leads,)``
        The leads to look at.
    """
    x = samples_mv if usable.all() else samples_mv[usable]
    longest = round(MAX_LOOK_S * rate_hz)
    if x.shape[1] > longest:
        begin = (x.shape[1] - longest) // 2
        x = x[:, begin : begin + longest]
    leads = x.shape[0]
    if leads == 0 or _BANDS[_NARROW - 1][-1] / SEGMENT_S >= USED_BAND * rate_hz:
        return _NOTHING
    told = _tables(rate_hz)
    with np.errstate(invalid="ignore", over="ignore"):
        starts, steep, offset_mv = _segments(x, rate_hz, told.width)
        if not starts:
            return _NOTHING
        lines = np.concatenate([x[:, at : at + told.width] for at in starts]) @ told.transform
        if not isfinite(lines.sum()):
            lines = _without_gaps(lines, leads)
        power = np.add.reduce(np.square(lines[:, 2:]).reshape(len(starts), leads, -1), axis=1) @ told.gather
        power /= leads
        power += FLOOR_UV2_HZ
        # The mean of logarithms: one spoilt segment among many does not count for all.
        loud_db = 10 * np.log10(power)
        levels_db = np.concatenate([_mean(loud_db[:steep], 0), _mean(loud_db[steep:], 0)])
        margin, cut = (levels_db @ told.weights).tolist()
        decay_per_s, fit = _decay(_mean(lines[steep * leads :, :2].reshape(-1, leads, 2), 0))
    margin, cut = margin + told.constant[0], cut + told.constant[1]
    noise_db = _mean(levels_db[loud_db.shape[1] + 2 : loud_db.shape[1] + 4], 0)
    known = isfinite(margin) and isfinite(cut)
    if not known or _mean(levels_db[1:3], 0) < MIN_QRS_DB or noise_db < MIN_NOISE_DB:
        return _NOTHING
    monitored = margin > 0
    return MonitorEvidence(
        monitored=monitored,
        high_cut_hz=exp(min(max(cut, _LN_CUT[0]), _LN_CUT[1])) if monitored else None,
        low_cut=_low_cut(x.shape[1] / rate_hz, leads, offset_mv, decay_per_s, fit),
        margin=margin,
        decay_per_s=decay_per_s,
        decay_fit=fit,
    )


def _mean(x: _Floats, axis: int) -> _Floats:
    """Mean over an axis, to the bit that of `numpy.mean`, in a third of its time."""
    mean: _Floats = np.add.reduce(x, axis=axis) / np.float32(x.shape[axis])
    return mean


def _without_gaps(lines: _Floats, leads: int) -> _Floats:
    """Segments of a lead with missing samples count as zero, and the other leads there for as much more."""
    known = np.isfinite(lines).all(axis=1).reshape(-1, leads)
    share = np.maximum(np.count_nonzero(known, axis=1), 1) / leads
    filled = np.where(known[:, :, None], lines.reshape(-1, leads, lines.shape[1]), np.float32(0))
    return np.asarray(filled / np.sqrt(share)[:, None, None], dtype=np.float32).reshape(lines.shape)


def _decay(level_slope: _Floats) -> tuple[float | None, float | None]:
    """Pace and correlation with which silent levels run to zero; array ``(leads, 2)``, level and slope."""
    (size, along), (_, steepness) = (level_slope.T @ level_slope).tolist()
    if not (0 < size < inf and 0 < steepness < inf):
        return None, None
    return -along / size, -along / (size * steepness) ** 0.5


def _low_cut(
    duration_s: float, leads: int, offset_mv: float, decay_per_s: float | None, fit: float | None
) -> bool | None:
    """What can be said of the high-pass; see `MonitorEvidence.low_cut`."""
    if duration_s >= OFFSET_MIN_S and offset_mv > OFFSET_MV:
        return False
    if decay_per_s is None or fit is None or leads < DECAY_LEADS:
        return None
    return True if fit > DECAY_FIT and DECAY_PER_S[0] < decay_per_s < DECAY_PER_S[1] else None
