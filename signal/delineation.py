"""Borders of P, QRS and T on median beats: slopes for the QRS, tangents for T, level for P.

The global QRS runs from the earliest onset to the latest offset over leads; a border that stands alone
is an outlier and does not count (MEAS-1). J is the global offset. Positions are samples of the median
beat at 500 Hz; NaN stands for a border that was not found.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from greenchannel.signal import limits
from greenchannel.signal.filters import Bools, Floats

_RATE = limits.ANALYSIS_RATE_HZ


@dataclass(frozen=True, kw_only=True, slots=True)
class QrsBorders:
    """QRS onset and offset, over all leads and in each."""

    on: int
    off: int
    lead_on: Floats
    lead_off: Floats


@dataclass(frozen=True, kw_only=True, slots=True)
class Wave:
    """Onset, peak and offset of one wave: medians over leads, and each lead's own, shape ``(leads,)``."""

    on: float
    peak: float
    off: float
    lead_on: Floats
    lead_peak: Floats
    lead_off: Floats

    @property
    def present(self) -> bool:
        """Was the wave found at all?"""
        return bool(np.isfinite(self.peak))


def slope_mv_s(x: Floats) -> Floats:
    """Smoothed derivative along the last axis in mV/s: two differences of 4 and 2 samples, 0 at the ends."""
    d = np.zeros_like(x)
    d[..., 2:-2] = (x[..., 4:] - x[..., :-4] + x[..., 3:-1] - x[..., 1:-3]) * (_RATE / 6)
    return d


def smooth(x: Floats, half: int) -> Floats:
    """Mean over ``2·half + 1`` samples along the last axis, the ends repeated."""
    width = 2 * half + 1
    pad = [(0, 0)] * (x.ndim - 1) + [(half + 1, half)]
    sums = np.cumsum(np.pad(x, pad, mode="edge"), axis=-1)
    mean: Floats = (sums[..., width:] - sums[..., :-width]) / width
    return mean


def _runs(below: Bools, length: int) -> Bools:
    """True at n where `length` samples ending at n are all True."""
    counts = np.cumsum(np.pad(below, ((0, 0), (length, 0))), axis=1)
    full: Bools = counts[:, length:] - counts[:, :-length] == length
    return full


def _supported(borders: Floats, sign: int) -> float:
    """The earliest (`sign` 1) or latest (-1) border that enough other leads confirm."""
    ordered = np.sort(sign * borders[np.isfinite(borders)])
    if ordered.size == 0:
        return float("nan")
    need = min(limits.LEAD_SUPPORT, ordered.size)
    spread = ordered[need - 1 :] - ordered[: ordered.size - need + 1]
    close = np.flatnonzero(spread <= limits.LEAD_SUPPORT_S * _RATE)
    # Where the leads scatter (a notch in some, none in others) only the very first is taken for an outlier.
    value = ordered[close[0]] if close.size else ordered[1]
    # However they scatter, as many leads as confirm a border are no outliers when they lie beyond it.
    return float(sign * min(value, ordered[need - 1]))


def qrs_borders(slope: Floats, r: int, usable: Bools, independent: Bools) -> QrsBorders | None:
    """QRS borders from slopes; None where no usable lead has a QRS.

    A complex shorter than any ventricle takes is a pacing spike: it is blanked, and the QRS looked for behind it.

    Parameters
    ----------
    slope : array ``(leads, samples)`` in mV/s
    r : sample of R
    usable : array ``(leads,)``
    independent : array ``(leads,)``
        False for limb leads that are computed from others: their noise is the others' noise, and they
        would confirm each other's errors.
    """
    first = _borders(slope, r, usable, independent)
    if first is None or first.off - first.on >= limits.MIN_QRS_S * _RATE:
        return first
    blanked = slope.copy()
    blanked[:, max(first.on - 3, 0) : first.off + 3] = 0.0
    second = _borders(blanked, r, usable, independent)
    behind = second is not None and -0.02 * _RATE <= second.on - first.off <= 0.06 * _RATE
    wide = second is not None and second.off - second.on >= limits.MIN_QRS_S * _RATE
    return second if behind and wide else first


def _borders(slope: Floats, r: int, usable: Bools, independent: Bools) -> QrsBorders | None:
    """One look for the borders, see `qrs_borders`."""
    steep = np.abs(slope)
    grid = np.arange(slope.shape[1])
    near = (grid >= r - int(0.11 * _RATE)) & (grid <= r + int(0.13 * _RATE))
    peak = steep[:, near].max(axis=1)
    block = int(0.02 * _RATE)
    early = steep[:, : max(r - int(0.05 * _RATE), block)]
    early = early[:, : early.shape[1] // block * block].reshape(slope.shape[0], -1, block)
    noise = np.sort(np.sqrt((early**2).mean(axis=2)), axis=1)[:, early.shape[1] // 4]
    floor = np.maximum(limits.MIN_SLOPE_MV_S, limits.NOISE_SLOPES * noise)
    votes = usable & (peak > limits.FAINT_QRS * floor)
    if not votes.any():
        # A fast broad rhythm is never quiet: there the steepest slope alone sets the floor.
        floor = np.minimum(floor, limits.BUSY_FLOOR * peak)
        votes = usable & (floor > limits.MIN_SLOPE_MV_S)
    if not votes.any():
        return None
    clear = votes & (peak > limits.CLEAR_QRS * floor) & independent
    speak = clear if clear.sum() >= limits.LEAD_SUPPORT else votes
    core = (steep > 0.35 * peak[:, None]) & near
    first, last = core.argmax(axis=1), slope.shape[1] - 1 - core[:, ::-1].argmax(axis=1)
    quiet_on = int(limits.QUIET_ON_S * _RATE)
    below = _runs(steep < np.maximum(floor, limits.ONSET_SLOPE_FRACTION * peak)[:, None], quiet_on)
    on = np.where(below & (grid < first[:, None]), grid, -1).max(axis=1).astype(float)
    off = _offsets(slope, floor, peak, last, on)
    on[(on < 0) | ~votes] = np.nan
    off[(off > slope.shape[1] - 1) | ~votes] = np.nan
    start = _supported(np.where(speak, on, np.nan), 1)
    end = _supported(np.where(speak, off, np.nan), -1)
    if not (np.isfinite(start) and np.isfinite(end)) or end - start < 0.02 * _RATE:
        return None
    if end - start > limits.MAX_QRS_S * _RATE:
        return None
    return QrsBorders(on=int(start), off=int(end), lead_on=on, lead_off=off)


def _offsets(slope: Floats, floor: Floats, peak: Floats, last: NDArray[np.int64], on: Floats) -> Floats:
    """QRS offset of each lead: the first lasting quiet behind the steep part; beyond the array where there is none.

    Parameters
    ----------
    slope : array ``(leads, samples)`` in mV/s
    floor : array ``(leads,)``, the slope of noise
    peak : array ``(leads,)``, the steepest slope
    last : array ``(leads,)``, sample at which the steep part ends
    on : array ``(leads,)``, the onsets
    """
    steep, grid = np.abs(slope), np.arange(slope.shape[1])
    length = int(limits.QUIET_OFF_S * _RATE)

    def first(good: Bools) -> Floats:
        reached = good & (grid >= last[:, None] + length)
        found: Floats = np.where(reached, grid, slope.shape[1] + length).min(axis=1) - length + 1.0
        return found

    share = limits.OFFSET_SLOPE_FRACTION * peak
    loose = np.maximum(floor, share)
    off = first(_runs(steep < loose[:, None], length))
    # A share of a tall QRS is steeper than the fall of a J wave. Far behind, it is ST that climbs.
    strict = np.maximum(floor, np.minimum(limits.OFFSET_MAX_SLOPE_MV_S, share))
    later = first(_runs(steep < strict[:, None], length))
    off = np.where(later - off <= limits.OFFSET_SECOND_LOOK_S * _RATE, later, off)
    late = off - on > limits.LATE_OFFSET_S * _RATE
    if late.any():
        # An ST segment that climbs into T is never quiet, but its slope hardly changes.
        past = np.pad(slope, ((0, 0), (length - 1, 0)), mode="edge")
        past = np.lib.stride_tricks.sliding_window_view(past, length, axis=1)
        high, low = past.max(axis=2), past.min(axis=2)
        climb = np.maximum(floor, np.minimum(limits.STEADY_MAX_SLOPE_MV_S, limits.STEADY_FRACTION * peak))
        steady = (high - low < loose[:, None]) & (np.maximum(high, -low) < climb[:, None])
        off = np.where(late, np.minimum(first(steady), off), off)
    return off


def _nothing(leads: int) -> Wave:
    empty = np.full(leads, np.nan)
    nan = float("nan")
    return Wave(on=nan, peak=nan, off=nan, lead_on=empty, lead_peak=empty.copy(), lead_off=empty.copy())


def _median(values: Floats) -> float:
    known = values[np.isfinite(values)]
    return float(np.median(known)) if known.size else float("nan")


def t_wave(median_mv: Floats, qrs: QrsBorders, rr_s: float, usable: Bools) -> Wave:
    """T of each lead: the tallest deflection from the level before the next P, its ends by tangents.

    Parameters
    ----------
    median_mv : array ``(leads, samples)``, the baseline of MEAS-2 at 0
    qrs : borders of this median beat
    rr_s : median RR interval
    usable : array ``(leads,)``
    """
    leads, n = median_mv.shape
    start = qrs.off + int(0.06 * _RATE)
    limit = min(int(qrs.on + min(limits.MAX_QT_S, limits.MAX_QT_RR * rr_s) * _RATE), n - 1)
    if limit - start < int(0.1 * _RATE):
        return _nothing(leads)
    y = smooth(median_mv, 6)[:, start:limit]
    level = np.sort(y[:, -int(0.03 * _RATE) :], axis=1)[:, int(0.015 * _RATE)]
    deviation = y - level[:, None]
    rows = np.arange(leads)
    grid = np.arange(y.shape[1])
    # Where ST stays away from the level, T is what stands out from the line of ST to the end.
    ramp = deviation[:, :1] * (1 - grid / (y.shape[1] - 1))
    peak = np.argmax(np.abs(deviation - 0.5 * ramp), axis=1)
    height = deviation[rows, peak]
    there = (
        usable & (np.abs(height) >= limits.MIN_T_MV) & (peak > 0) & (peak < y.shape[1] - int(0.03 * _RATE))
    )
    toward = slope_mv_s(y) * np.sign(height)[:, None]
    fall = np.where(grid > peak[:, None], -toward, -np.inf).argmax(axis=1)
    rise = np.where(grid < peak[:, None], toward, -np.inf).argmax(axis=1)
    fall_slope, rise_slope = toward[rows, fall], toward[rows, rise]
    with np.errstate(divide="ignore", invalid="ignore"):
        off = fall - deviation[rows, fall] * np.sign(height) / fall_slope * _RATE
        base = 0.5 * ramp[rows, rise]
        on = rise - (deviation[rows, rise] - base) * np.sign(height) / rise_slope * _RATE
    off = np.where(there & (fall_slope < 0), np.clip(off, peak, y.shape[1] + 0.04 * _RATE), np.nan)
    on = np.where(there & (rise_slope > 0), np.clip(on, 0, peak), np.nan)
    lead_peak = np.where(there, peak, np.nan) + start
    strong = there & (np.abs(height) >= limits.QT_MIN_T_MV)
    vote = strong if strong.any() else there
    return Wave(
        on=_median(on[vote]) + start,
        peak=_median(lead_peak[vote]),
        off=_median(off[vote]) + start,
        lead_on=on + start,
        lead_peak=lead_peak,
        lead_off=off + start,
    )


def p_wave(
    median_mv: Floats, stack_mv: Floats, qrs: QrsBorders, t_off: float, rr_s: float, usable: Bools
) -> Wave:
    """P before the QRS, or nothing where the beats do not agree on one (fibrillation, dissociation).

    Parameters
    ----------
    median_mv : array ``(leads, samples)``
    stack_mv : array ``(beats, leads, samples)``, the beats of the median
    qrs : borders of this median beat
    t_off : sample of the T offset, NaN where unknown
    rr_s : median RR interval
    usable : array ``(leads,)``
    """
    leads = median_mv.shape[0]
    reach_s = min(limits.P_WINDOW_S, limits.P_WINDOW_RR * rr_s)
    start = max(qrs.on - int(reach_s * _RATE), 0)
    if np.isfinite(t_off):
        start = max(start, int(t_off - rr_s * _RATE) + int(0.01 * _RATE))
    end = qrs.on - int(0.008 * _RATE)
    if end - start < int(0.09 * _RATE) or not usable.any():
        return _nothing(leads)
    y = smooth(median_mv, 4)[:, start:end]
    # Against the line from what lies before P (the tail of T, maybe) to the PR segment.
    width = end - start
    before = y[:, : int(0.02 * _RATE)].mean(axis=1, keepdims=True)
    after = y[:, -int(0.012 * _RATE) :].mean(axis=1, keepdims=True)
    deviation = y - (before + (after - before) * np.arange(width) / width)
    spatial = np.sqrt((deviation[usable] ** 2).mean(axis=0))
    peak = int(spatial.argmax())
    margin = int(0.02 * _RATE)
    tall = np.abs(deviation[:, peak]) >= limits.MIN_WAVE_MV
    if not margin <= peak < width - margin // 2 or (tall & usable).sum() < min(2, usable.sum()):
        return _nothing(leads)
    if _agreement(stack_mv[:, usable, start:end], deviation[usable]) < limits.P_CONSISTENCY:
        return _nothing(leads)
    reach = int(0.05 * _RATE)
    low, high = max(peak - reach, 0), min(peak + reach, width)
    lead_peak = np.abs(deviation[:, low:high]).argmax(axis=1) + low
    height = np.abs(deviation[np.arange(leads), lead_peak])
    lead_on, lead_off = _edges(np.abs(deviation), lead_peak)
    there = usable & (height >= limits.MIN_WAVE_MV)
    return Wave(
        on=_supported(np.where(there, lead_on, np.nan), 1) + start,
        peak=float(peak + start),
        off=_supported(np.where(there, lead_off, np.nan), -1) + start,
        lead_on=np.where(there, lead_on + start, np.nan),
        lead_peak=np.where(there, lead_peak + start, np.nan),
        lead_off=np.where(there, lead_off + start, np.nan),
    )


def _agreement(beats: Floats, template: Floats) -> float:
    """Median over beats of the correlation of their P windows with the median's, all leads together."""
    ramp = np.linspace(-1.0, 1.0, beats.shape[-1])
    ramp /= np.sqrt(ramp @ ramp)
    beats = smooth(beats, 4)
    parts = []
    for x in (beats, template[None]):
        x = x - x.mean(axis=-1, keepdims=True)
        x = x - (x @ ramp)[..., None] * ramp
        flat = x.reshape(x.shape[0], -1)
        parts.append(flat / (np.sqrt(np.einsum("bs,bs->b", flat, flat))[:, None] + 1e-12))
    return float(np.median(parts[0] @ parts[1][0]))


def _edges(height: Floats, peak: NDArray[np.int64]) -> tuple[Floats, Floats]:
    """Where each row falls, left and right of its peak, to the share of its height that ends a P, or into noise."""
    grid = np.arange(height.shape[1])
    block = int(0.02 * _RATE)
    blocks = height[:, : height.shape[1] // block * block].reshape(height.shape[0], -1, block)
    noise = np.sqrt((blocks**2).mean(axis=2)).min(axis=1)
    tall = height[np.arange(height.shape[0]), peak]
    level = np.minimum(np.maximum(limits.P_EDGE_FRACTION * tall, limits.P_EDGE_NOISE * noise), 0.4 * tall)
    low = height < level[:, None]
    reach = int(limits.P_REACH_S * _RATE)
    on = np.where(low & (grid < peak[:, None]), grid, np.maximum(peak - reach, 0)[:, None]).max(axis=1)
    far = np.minimum(peak + reach, height.shape[1])
    off = np.where(low & (grid > peak[:, None]), grid, far[:, None]).min(axis=1)
    return on.astype(float), off.astype(float)
