"""Levels that no heart holds: the rail of a device, and steps from one level to another (SIG-5).

Only leads that their means over 20 ms make suspicious are looked at sample by sample.
"""

from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from greenchannel.signal import kernels

_Floats = NDArray[np.float32]
_Bools = NDArray[np.bool_]
_Ints = NDArray[np.intp]

BLOCK_S: Final = 0.020  # one period of 50 Hz [K]

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
STEP_LAGS: Final = np.array([[15], [5], [3]])  # and for the next: the new level stays for 0.3 s [E]
STEP_LONG_LAGS: Final = np.array([[25], [45]])  # likewise where a beat comes at the same time [E]
STEP_BEAT_MV: Final = 0.5  # and by as much there: wander and T waves reach further in so long a time [E]
STEP_BEAT_BLOCKS: Final = 3  # "at the same time" [E]
STEP_BEAT_RATE_HZ: Final = 200.0  # below this a QRS jumps from sample to sample itself [E]
STEP_MOVES: Final = 2.0  # times the median move around; a sine has 1.4 [E]


@lru_cache(maxsize=16)
def mean_of(count: int) -> _Floats:
    """What makes the mean of so many numbers, by a product, ``(count,)``."""
    return np.full(count, 1 / count, dtype=np.float32)


def saturated(
    x: _Floats, means: _Floats, ends: tuple[_Floats, _Floats], per: int, rate_hz: float, valid: _Bools | None
) -> _Bools:
    """Leads that stay at their extreme, or beyond `RAIL_ABS_MV`, for `RAIL_S`, ``(leads,)``.

    Parameters
    ----------
    x : array ``(leads, samples)``, without gaps and without a large offset
    means : array ``(leads, blocks)``, over `per` samples each
    ends : arrays ``(leads,)``, the highest and the lowest sample
    per : samples of a block
    rate_hz : samples per second
    valid : array ``(leads, samples)``; None where every sample was recorded
    """
    fast = kernels.of(x)
    if fast is not None and fast.samples.none_railed(x, means, ends[0], ends[1], per, rate_hz):
        return np.zeros(x.shape[0], dtype=np.bool_)
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


def steps(x: _Floats, means: _Floats, beats: _Floats | None, per: int, rate_hz: float) -> _Bools:
    """Leads whose level jumps between two neighbouring samples and stays, ``(leads,)``.

    Parameters
    ----------
    x : array ``(leads, samples)``, without gaps
    means : array ``(leads, blocks)``, over `per` samples each
    beats : array ``(blocks - 2,)``, 1 in a QRS; None where no beats are known
    per : samples of a block
    rate_hz : samples per second
    """
    stepped = np.zeros(x.shape[0], dtype=np.bool_)
    reach, count = STEP_REACH, means.shape[1]
    if count <= 2 * reach + 1 or per < 2:  # below 75 Hz a step is no more than a sample
        return stepped
    fast = kernels.of(x) if beats is not None and rate_hz >= STEP_BEAT_RATE_HZ else None
    if fast is not None and fast.samples.no_steps(x, means, beats, per):
        return stepped
    near = means[:, reach + 1 : count - reach + 1] - means[:, reach - 1 : count - reach - 1]
    far = means[:, 2 * reach :] - means[:, : -2 * reach]
    likely = np.flatnonzero(near * far > STEP_MV * STEP_MV)
    likely = likely[np.abs(near.ravel()[likely]) > STEP_MV]
    row, at = np.divmod(likely, far.shape[1])
    at += reach
    if row.size:
        stays = (_shifts(means, row, at, STEP_LAGS) > STEP_MV).all(axis=0)
        row, at = row[stays], at[stays]
    if row.size and (beats is not None or rate_hz < STEP_BEAT_RATE_HZ):
        # A QRS before a raised ST segment jumps and stays for a while; a step that comes with it stays for longer.
        longer = (_shifts(means, row, at, STEP_LONG_LAGS) > STEP_BEAT_MV).all(axis=0)
        stays = np.ones(row.size, dtype=np.bool_)
        if beats is not None:
            busy = np.convolve(beats, np.ones(2 * STEP_BEAT_BLOCKS + 1), "same") > 0.5
            stays = ~busy[np.minimum(at - 1, beats.size - 1)]
        stays = stays & longer if rate_hz < STEP_BEAT_RATE_HZ else stays | longer
        row, at = row[stays], at[stays]
    if row.size:
        stepped[row[_jumps(x, row, at, per)]] = True
    return stepped


def _shifts(means: _Floats, row: _Ints, at: _Ints, lags: _Ints) -> _Floats:
    """Change of level over so many blocks to either side, in the direction of the change beside each candidate.

    Parameters
    ----------
    lags : array ``(lags, 1)``

    Returns
    -------
    array ``(lags, candidates)``
    """
    flat, start, last = means.ravel(), row * means.shape[1], means.shape[1] - 1
    shifts: _Floats = flat[start + np.minimum(at + lags, last)] - flat[start + np.maximum(at - lags, 0)]
    shifts *= np.sign(flat[start + at + 1] - flat[start + at - 1])
    return shifts


def _jumps(x: _Floats, row: _Ints, block: _Ints, per: int) -> _Bools:
    """Where is a jump between neighbours in or beside a block, with two levels around it, and no spike?"""
    begin, gap = (block - 1) * per, max(per // 5, 2)
    near = x[row[:, None], begin[:, None] + np.arange(3 * per)]
    moves = near[:, 1:] - near[:, :-1]
    at = np.abs(moves).argmax(axis=1)
    here, jump = begin + at, moves[np.arange(at.size), at]
    sign = np.sign(jump)

    def level(offsets: _Ints) -> _Floats:
        at = np.minimum(np.maximum(here[:, None] + offsets, 0), x.shape[1] - 1)
        return np.asarray(x[row[:, None], at], dtype=np.float32)

    # A QRS jumps seldom so far from sample to sample: medians are for what is left.
    found = np.abs(jump) > STEP_MV
    if found.any():
        found &= (level(np.array([gap + 1])) - level(np.array([-gap])))[:, 0] * sign > STEP_MV
    if found.any():
        # Strong mains jumps at every sample.
        found &= np.abs(jump) > STEP_MOVES * _median(np.abs(moves))
        after, before = np.arange(gap + 1, 2 * per), np.arange(1 - 2 * per, 1 - gap)
        found &= (_median(level(after)) - _median(level(before))) * sign > STEP_MV
    return np.asarray(found, dtype=np.bool_)


def _median(x: _Floats) -> _Floats:
    """Median of each row: that of `numpy.median`, which takes three times as long for so few numbers."""
    ordered, last = np.sort(x, axis=1), x.shape[1] - 1
    middle: _Floats = 0.5 * (ordered[:, last // 2] + ordered[:, (last + 1) // 2])
    return middle
