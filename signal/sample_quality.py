"""What the samples alone tell of a lead, before any beat is looked for (SIG-5): missing, off, at the rail, jumping.

Nearly all of it is decided on means over 20 ms, which hold no mains, and on how much they bend (their second
difference), which holds no wander. A lead is off where its bend does not know of the beats the other leads show:
zero, or as large between them as in them. So a pause or an asystole with all electrodes on is no lead off, and a small
QRS is none either, for it stands out of its own noise. A lead that is off for 1.4 s is told.

Only leads that the means make suspicious are looked at sample by sample.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from greenchannel.signal import limits

_Floats = NDArray[np.float32]
_Bools = NDArray[np.bool_]
_Ints = NDArray[np.intp]

MISSING_FRACTION: Final = 0.5  # SIG-5 [E]

BLOCK_S: Final = 0.020  # one period of 50 Hz [K]
WINDOW_S: Final = 1.0  # SIG-5 [E]
HOP_S: Final = 0.2  # so that 1.4 s without electrode hold two whole windows [E]
HOP_BLOCKS: Final = round(HOP_S / BLOCK_S)

# Beats, from the bends of all leads that have peaks at all.
PEAKY: Final = 2.0  # mean square over squared mean of the bends: noise has 1.57 [E]
BEND_CAP: Final = 8.0  # times a lead's mean: a single jump is no more than a beat [E]
BEAT_FRACTION: Final = 0.35  # of the way from the median to the top 2 % [E]
BEAT_CONTRAST: Final = 4.0  # top over median; of 200 real records the least is 7 [E]
MIN_BEAT_BLOCKS: Final = 3  # in a window that is judged [E]
MIN_REST_BLOCKS: Final = 15  # likewise [E]

# Lead off. Noise has a ratio of 1 and 1.57 peaks in the mean; 99 of 100 real leads have a ratio over 1.5.
OFF_RATIO: Final = 1.4  # mean bend in the beats over that between them, in a window or over the strip [E]
OFF_PEAKY: Final = 2.3  # and no more peaks than this [E]
DEAD_WINDOWS: Final = 2  # 1.2 s in which nothing moves are enough [E]
OFF_WINDOWS: Final = 4  # 1.6 s where there is noise in place of beats [E]
OFF_SHARE: Final = (
    0.7  # and in the beats no more than this share of the bend that the lead's beats have on the whole [E]
)
LIVE_SMOOTH: Final = 1.5  # mean step from 20 ms to 20 ms over the mean bend: noise has 0.6, 60 Hz 0.9 [E]
LIVE_SLOPE_MV: Final = 0.06  # and a mean step of this size, which no drift has [E]
DEAD_BEND_MV: Final = 0.003  # mean bend of a lead in which nothing moves, in the beats or without any [E]
FLAT_PP_MV: Final = 0.020  # SIG-5 [E]
ACTIVE_BEND_MV: Final = 0.008  # without beats (fibrillation): the leads that are on bend as much [E]
EQUAL_BEND_MV: Final = 1e-5  # equal samples, but for rounding of their means
EQUAL_S: Final = 3.0  # no living lead repeats one value for so long, beats or none [E]

# Rails.
RAIL_S: Final = 0.1  # SIG-5 [E]
RAIL_RUN_S: Final = 0.008  # several shorter stays count together, if each lasts so long [E]
RAIL_MIN_MV: Final = 0.7  # a shelf nearer to the mean of the rest is no rail [E]
RAIL_TOLERANCE_MV: Final = 0.002  # [E]
RAIL_ABS_MV: Final = 10.0  # SIG-5 [E]
RAIL_BLOCK: Final = 0.5  # share of the highest or lowest 20 ms that is at the extreme itself [E]

# Steps.
STEP_MV: Final = 0.3  # SIG-5 [E]
STEP_REACH: Final = 7  # blocks to either side for the first look, 150 ms [E]
STEP_LAGS: Final = (15, 5, 3)  # and for the next: the new level stays for 0.3 s [E]
STEP_LONG_LAGS: Final = (25, 45)  # likewise where a beat comes at the same time [E]
STEP_BEAT_MV: Final = 0.5  # and by as much there: wander and T waves reach further in so long a time [E]
STEP_BEAT_BLOCKS: Final = 3  # "at the same time" [E]


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleFaults:
    """Each an array ``(leads,)``: True where the lead has that fault. A lead that is missing has no other."""

    missing: _Bools
    flat: _Bools
    saturated: _Bools
    steps: _Bools


def _over_windows(blocks: _Floats) -> _Floats:
    """Sums over all windows and, last, over the strip, ``(rows, windows)``; a part shorter than a hop is left out."""
    rows, hops = blocks.shape[0], blocks.shape[1] // HOP_BLOCKS
    width = min(round(WINDOW_S / HOP_S), hops)
    parts = blocks[:, : hops * HOP_BLOCKS].reshape(rows * hops, HOP_BLOCKS) @ _mean_of(HOP_BLOCKS)
    sums = np.zeros((rows, hops + 1))
    np.cumsum(parts.reshape(rows, hops), axis=1, out=sums[:, 1:])
    out = np.empty((rows, hops - width + 2), dtype=np.float32)
    np.subtract(sums[:, width:], sums[:, : hops + 1 - width], out=out[:, :-1], casting="same_kind")
    out[:, -1] = sums[:, -1]
    out *= np.float32(HOP_BLOCKS)
    return out


def _blocks_of_windows(blocks: int) -> _Floats:
    """Blocks in each window and, last, in the strip."""
    hops = blocks // HOP_BLOCKS
    width = min(round(WINDOW_S / HOP_S), hops)
    length = np.full(hops - width + 2, width * HOP_BLOCKS, dtype=np.float32)
    length[-1] = hops * HOP_BLOCKS
    return length


@lru_cache(maxsize=16)
def _mean_of(count: int) -> _Floats:
    return np.full(count, 1 / count, dtype=np.float32)


def look(samples_mv: _Floats, rate_hz: float, valid: _Bools | None = None) -> SampleFaults:
    """Name the faults that need no beats to be known.

    Parameters
    ----------
    samples_mv : array ``(leads, samples)`` in mV
        At the rate of the recording.
    rate_hz : samples per second
    valid : array ``(leads, samples)``, optional
        Which samples were recorded. None: all of them; those that are not finite or beyond a volt are found here.
    """
    leads, n = samples_mv.shape
    per = max(round(BLOCK_S * rate_hz), 1)
    blocks = n // per
    with np.errstate(invalid="ignore", over="ignore"):
        top, bottom = samples_mv.max(axis=1, initial=-np.inf), samples_mv.min(axis=1, initial=np.inf)
        size = top.max(initial=0.0) - bottom.min(initial=0.0)
        if valid is None and not size <= limits.MAX_BODY_MV:  # NaN as well
            valid = np.abs(samples_mv) <= limits.MAX_BODY_MV
    missing = np.zeros(leads, dtype=np.bool_)
    x, gaps = samples_mv, None
    if valid is not None and not valid.all():
        missing = np.count_nonzero(valid, axis=1) < (1 - MISSING_FRACTION) * n
        x = _bridged(samples_mv, valid)
        gaps = np.asarray(~valid[:, : blocks * per].reshape(leads, blocks, per).all(axis=2), dtype=np.bool_)
        top, bottom = x.max(axis=1, initial=-np.inf), x.min(axis=1, initial=np.inf)
    if blocks < HOP_BLOCKS + 2 or leads == 0:
        none = np.zeros(leads, dtype=np.bool_)
        return SampleFaults(missing=missing, flat=none, saturated=none, steps=none)
    means = (x[:, : blocks * per].reshape(-1, per) @ _mean_of(per)).reshape(leads, blocks)
    bends = np.abs(means[:, 2:] + means[:, :-2] - 2 * means[:, 1:-1])
    beats = _beats(bends)
    flat = _flat(top - bottom, means, bends, beats, gaps)
    saturated = _saturated(x, means, (top, bottom), per, rate_hz, valid)
    steps = _steps(x, means, beats, per)
    on = ~missing
    return SampleFaults(missing=missing, flat=flat & on, saturated=saturated & on, steps=steps & on)


def _bridged(samples_mv: _Floats, valid: _Bools) -> _Floats:
    """A copy in which a line bridges every gap; a lead without samples is zero."""
    x, at = np.array(samples_mv, dtype=np.float32), np.arange(samples_mv.shape[1])
    for row in np.flatnonzero(~valid.all(axis=1)):
        there = valid[row]
        x[row] = np.interp(at, at[there], x[row, there]) if there.any() else 0.0
    return x


def _beats(bends: _Floats) -> _Floats | None:
    """1.0 in blocks with a QRS, 0.0 elsewhere, ``(blocks − 2,)``; None where no beats stand out."""
    average = _mean_of(bends.shape[1])
    scale = bends @ average + np.float32(1e-7)
    square = np.einsum("ij,ij->i", bends, bends) / bends.shape[1]
    weight = np.minimum(np.maximum(square / (scale * scale) - PEAKY, 0), 1)
    if not weight.sum() > 0.5:
        return None
    activity = weight @ np.minimum(bends / scale[:, None], BEND_CAP)
    order = np.sort(activity)
    middle, high = order[order.size // 2], order[-max(order.size // 50, 1)]
    if not high > BEAT_CONTRAST * middle:
        return None
    loud = activity > middle + BEAT_FRACTION * (high - middle)
    near: _Floats = loud.astype(np.float32)
    near[1:][loud[:-1]] = near[:-1][loud[1:]] = 1
    return near


def _flat(
    size_mv: _Floats, means: _Floats, bends: _Floats, beats: _Floats | None, gaps: _Bools | None
) -> _Bools:
    """Leads that are off for a second or more, ``(leads,)``."""
    length = _blocks_of_windows(bends.shape[1])
    whole = None if gaps is None else _over_windows(gaps[:, 1:-1].astype(np.float32)) == 0
    if beats is None:
        return _flat_without_beats(size_mv, _over_windows(bends), length, whole)
    leads = bends.shape[0]
    sums = _over_windows(np.concatenate([bends, bends * beats, beats[None]]))
    total, within, inside = sums[:leads], sums[leads:-1], sums[-1]
    outside, between = length - inside, total - within
    judged = (inside >= MIN_BEAT_BLOCKS) & (outside >= MIN_REST_BLOCKS)
    # Means are compared without dividing: no window need hold both kinds of blocks.
    in_beats, elsewhere, tiny = within * outside, between * inside, DEAD_BEND_MV * inside * outside
    maybe = (in_beats < OFF_RATIO * elsewhere + tiny) & judged
    flat = _repeats(total, length, whole)
    if not maybe.any():
        return flat
    noise = _over_windows(bends * bends) * length < OFF_PEAKY * total * total
    noise &= in_beats < OFF_RATIO * elsewhere
    still = np.maximum(in_beats, elsewhere) < tiny
    # A broad rhythm has no quiet between its beats, but it moves far and smoothly, as neither noise nor drift does.
    slope = _over_windows(np.abs(means[:, 1:-1] - means[:, :-2]))
    lively = (slope > LIVE_SMOOTH * total) & (slope > LIVE_SLOPE_MV * length)
    off = ((noise & ~lively) | still) & judged
    off &= ~off.all(axis=0) | (leads == 1)  # where no lead shows it, there was no beat
    flat |= off[:, -1]
    off = off[:, :-1] if whole is None else (off & whole)[:, :-1]
    # A broad ectopic beat and its T wave bend alike, but more than a lead without electrode does.
    usual = within[:, -1:] / np.maximum(inside[-1], 1)
    off &= within[:, :-1] < OFF_SHARE * usual * inside[:-1]
    dead = off & still[:, :-1]
    # One ectopic beat may be invisible in one lead, and alone in every window of its pause.
    return np.asarray(flat | _lasts(dead, DEAD_WINDOWS) | _lasts(off, OFF_WINDOWS), dtype=np.bool_)


def _lasts(off: _Bools, windows: int) -> _Bools:
    """Leads that are off for so many windows one after the other; for all of them, where there are fewer."""
    windows = min(windows, off.shape[1])
    if windows == 0:
        return np.zeros(off.shape[0], dtype=np.bool_)
    run = off[:, : off.shape[1] - windows + 1].copy()
    for k in range(1, windows):
        run &= off[:, k : k + run.shape[1]]
    return np.asarray(run.any(axis=1))


def _repeats(total: _Floats, length: _Floats, whole: _Bools | None) -> _Bools:
    """Leads with one value for so long that no electrode can be behind it."""
    equal = (total < EQUAL_BEND_MV * length)[:, :-1]
    if whole is not None:
        equal &= whole[:, :-1]
    if not equal.any():
        return np.zeros(equal.shape[0], dtype=np.bool_)
    needed = min(round((EQUAL_S - WINDOW_S) / HOP_S) + 1, equal.shape[1])
    counts = np.cumsum(np.pad(equal, ((0, 0), (1, 0))), axis=1)
    return np.asarray((counts[:, needed:] - counts[:, :-needed] == needed).any(axis=1), dtype=np.bool_)


def _flat_without_beats(size_mv: _Floats, total: _Floats, length: _Floats, whole: _Bools | None) -> _Bools:
    """As `_flat`, where no beats are seen: off is what never moves, or is still while most other leads quiver."""
    flat = (size_mv < FLAT_PP_MV) | _repeats(total, length, whole)
    mean_bend = (total / length)[:, :-1]
    still = (mean_bend < DEAD_BEND_MV) & (np.median(mean_bend, axis=0) > ACTIVE_BEND_MV)
    if whole is not None:
        still &= whole[:, :-1]
    return np.asarray(flat | still.any(axis=1), dtype=np.bool_)


def _saturated(
    x: _Floats, means: _Floats, ends: tuple[_Floats, _Floats], per: int, rate_hz: float, valid: _Bools | None
) -> _Bools:
    """Leads that stay at their extreme, or beyond `RAIL_ABS_MV`, for `RAIL_S`, ``(leads,)``."""
    leads, blocks = means.shape
    top, bottom = ends[0][:, None], ends[1][:, None]
    at = np.arange(leads)
    whole = x[:, : blocks * per].reshape(leads, blocks, per)
    highest, lowest = means.argmax(axis=1), means.argmin(axis=1)
    high, low = means[at, highest], means[at, lowest]
    # A lead is suspicious where most of its extreme block is at the extreme; the rest of it decides in `_shelf`.
    needed = RAIL_BLOCK * per
    upper = np.count_nonzero(whole[at, highest] >= top - RAIL_TOLERANCE_MV, axis=1) >= needed
    lower = np.count_nonzero(whole[at, lowest] <= bottom + RAIL_TOLERANCE_MV, axis=1) >= needed
    railed = np.zeros(leads, dtype=np.bool_)
    for row in np.flatnonzero((upper | lower) & (top[:, 0] - bottom[:, 0] > RAIL_MIN_MV)).tolist():
        known = x[row] if valid is None else x[row, valid[row]]
        if upper[row]:
            railed[row] = _shelf(known, known >= top[row] - RAIL_TOLERANCE_MV, rate_hz)
        if lower[row] and not railed[row]:
            railed[row] = _shelf(known, known <= bottom[row] + RAIL_TOLERANCE_MV, rate_hz)
    if max(float(high.max()), -float(low.min())) > RAIL_ABS_MV:
        long = max(int(RAIL_S / BLOCK_S), 1)
        beyond = np.pad(np.abs(means) > RAIL_ABS_MV, ((0, 0), (1, 0))).cumsum(axis=1)
        railed |= (beyond[:, long:] - beyond[:, :-long] == long).any(axis=1)
    return railed


def _shelf(x: _Floats, extreme: _Bools, rate_hz: float) -> bool:
    """Does this lead stay at its extreme for so long as no heart does?"""
    needed = RAIL_S * rate_hz
    stay = int(np.count_nonzero(extreme))
    if stay < needed or stay > 0.98 * x.size:
        return False
    at = np.flatnonzero(extreme)
    rest = (float(x.sum(dtype=np.float64)) - float(x[at].sum(dtype=np.float64))) / (x.size - stay)
    if abs(float(x[at[0]]) - rest) < RAIL_MIN_MV:
        return False
    breaks = np.flatnonzero(np.diff(at) > 1)
    runs = np.diff(np.concatenate([[-1], breaks, [at.size - 1]]))
    return bool(runs.max() >= needed or runs[runs >= max(RAIL_RUN_S * rate_hz, 3)].sum() >= needed)


def _steps(x: _Floats, means: _Floats, beats: _Floats | None, per: int) -> _Bools:
    """Leads whose level jumps between two neighbouring samples and stays, ``(leads,)``."""
    stepped = np.zeros(x.shape[0], dtype=np.bool_)
    reach, count = STEP_REACH, means.shape[1]
    if count <= 2 * reach + 1 or per < 2:  # below 75 Hz a step is no more than a sample
        return stepped
    near = means[:, reach + 1 : count - reach + 1] - means[:, reach - 1 : count - reach - 1]
    far = means[:, 2 * reach :] - means[:, : -2 * reach]
    likely = np.flatnonzero(near * far > STEP_MV * STEP_MV)
    likely = likely[np.abs(near.ravel()[likely]) > STEP_MV]
    row, at = np.divmod(likely, far.shape[1])
    at += reach
    for lag in STEP_LAGS if row.size else ():
        stays = _shift(means, row, at, lag) > STEP_MV
        row, at = row[stays], at[stays]
    if row.size and beats is not None:
        # A QRS before a raised ST segment jumps and stays for a while; a step that comes with it stays for longer.
        busy = np.convolve(beats, _mean_of(2 * STEP_BEAT_BLOCKS + 1), "same") > 1e-3
        stays = ~busy[np.minimum(at - 1, beats.size - 1)]
        stays |= np.minimum(*(_shift(means, row, at, lag) for lag in STEP_LONG_LAGS)) > STEP_BEAT_MV
        row, at = row[stays], at[stays]
    if row.size:
        stepped[row[_jumps(x, row, at, per)]] = True
    return stepped


def _shift(means: _Floats, row: _Ints, at: _Ints, lag: int) -> _Floats:
    """Change of level over so many blocks to either side, in the direction of the change beside each candidate."""
    flat, start, last = means.ravel(), row * means.shape[1], means.shape[1] - 1
    shift: _Floats = flat[start + np.minimum(at + lag, last)] - flat[start + np.maximum(at - lag, 0)]
    shift *= np.sign(flat[start + at + 1] - flat[start + at - 1])
    return shift


def _jumps(x: _Floats, row: _Ints, block: _Ints, per: int) -> _Bools:
    """Where is a jump between neighbours in or beside a block, with two levels around it, and no spike?"""
    begin, gap = (block - 1) * per, max(per // 5, 2)
    moves = np.diff(x[row[:, None], begin[:, None] + np.arange(3 * per)], axis=1)
    at = np.abs(moves).argmax(axis=1)
    here, jump = begin + at, moves[np.arange(at.size), at]
    sign = np.sign(jump)

    def level(offsets: _Ints) -> _Floats:
        at = np.minimum(np.maximum(here[:, None] + offsets, 0), x.shape[1] - 1)
        return np.asarray(x[row[:, None], at], dtype=np.float32)

    found = np.abs(jump) > STEP_MV
    found &= (level(np.array([gap + 1])) - level(np.array([-gap])))[:, 0] * sign > STEP_MV
    if found.any():
        after, before = np.arange(gap + 1, 2 * per), np.arange(1 - 2 * per, 1 - gap)
        found &= (np.median(level(after), axis=1) - np.median(level(before), axis=1)) * sign > STEP_MV
    return np.asarray(found, dtype=np.bool_)
