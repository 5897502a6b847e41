"""Pacing spikes in the samples: excursions of a few milliseconds that come back at once, in several leads together.

Devices that filter at 150 Hz blur a spike to some 6 ms; what their own circuits detected comes with the recording.
"""

from typing import Final

import numpy as np

from greenchannel.signal import kernels, limits
from greenchannel.signal.grid import Bools, Floats
from greenchannel.signal.qrs import Ints

_RATE: Final = limits.ANALYSIS_RATE_HZ
REACH: Final = round(limits.SPIKE_REACH_S * _RATE)
FAR: Final = round(limits.SPIKE_FLAT_S * _RATE)


def spikes(x: Floats, usable: Bools, *, told: Ints) -> Ints:
    """Samples at which a pacing spike stands.

    Parameters
    ----------
    x : float32 array ``(leads, samples)`` at 500 Hz
    usable : array ``(leads,)``
    told : what the device itself reported

    Returns
    -------
    array ``(spikes,)``, rising
    """
    if (fast := kernels.of(x)) is not None and fast.strip.no_spike(x, usable):
        return told
    step = x[:, REACH:] - x[:, :-REACH]
    up, down = step >= limits.SPIKE_MV, step <= -limits.SPIKE_MV
    # Away from both sides, in the same direction.
    there = up[:, :-REACH] & down[:, REACH:]
    there |= down[:, :-REACH] & up[:, REACH:]
    if not there.any():
        return told
    candidates = np.flatnonzero(there[usable].any(axis=0))
    if candidates.size == 0:
        return told
    near = np.minimum(np.abs(step[:, candidates]), np.abs(step[:, candidates + REACH]))
    near *= step[:, candidates] * step[:, candidates + REACH] < 0
    enough = np.count_nonzero(near >= limits.SPIKE_SHARE_MV, axis=0) >= min(2, x.shape[0])
    several, near = candidates[enough], near[:, enough]
    at, lead, height = several + REACH, near.argmax(axis=0), near.max(axis=0)
    sharp = _sharp(x, at, lead)
    at, height = at[sharp], height[sharp]
    if at.size == 0:
        return told
    # Of neighbours the tallest is the spike.
    starts = np.concatenate([[0], np.flatnonzero(at[1:] - at[:-1] > 3 * REACH) + 1])
    if starts.size > limits.MOST_SPIKES_HZ * x.shape[1] / _RATE:
        return told  # interference, no pacemaker
    top = np.repeat(np.maximum.reduceat(height, starts), np.diff(starts, append=at.size))
    tops = np.flatnonzero(height == top)
    seen = at[tops[np.searchsorted(tops, starts)]]
    return np.union1d(seen, told)


def _sharp(x: Floats, at: Ints, lead: Ints) -> Bools:
    """Has it come and gone at once? The flanks of a narrow R go on falling, beyond a spike the trace is as it was."""
    last = x.shape[1] - 1
    top = x[lead, at]
    sharp = np.ones(at.size, dtype=np.bool_)
    for side in (-1, 1):
        near, far = (x[lead, np.minimum(np.maximum(at + side * by, 0), last)] for by in (REACH, FAR))
        sharp &= np.abs(far - near) <= limits.SPIKE_FLAT * np.abs(top - near)
    return sharp


def without_spikes(x: Floats, spikes: Ints) -> Floats:
    """The trace with every pacing spike bridged by a line, or `x` itself where there is none."""
    if spikes.size == 0:
        return x
    x = x.copy()
    reach = round(limits.SPIKE_BRIDGE_S * _RATE)
    for at in spikes.tolist():
        first, last = max(at - reach, 0), min(at + reach, x.shape[1] - 1)
        share = np.linspace(0, 1, last - first + 1, dtype=np.float32)
        x[:, first : last + 1] = x[:, first, None] * (1 - share) + x[:, last, None] * share
    return x
