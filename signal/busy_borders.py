"""Borders of a QRS in a fast rhythm, where T runs into P and P into QRS and the trace is never quiet.

There the slopes of T and P are no smaller than those of a late broad S, and the learned borders lie outside of what was
learned (few recordings beyond 120/min). But T and P bend slowly: the change of the slopes over 24 ms tells a QRS from
them at any rate.
"""

import math
from typing import Final, NamedTuple

import numpy as np

from greenchannel.signal import limits
from greenchannel.signal.delineator import PRE
from greenchannel.signal.grid import Bools, Floats

_RATE: Final = limits.ANALYSIS_RATE_HZ
_STEP: Final = round(limits.BEND_S / 2 * _RATE)
_SMOOTH: Final = round(limits.BEND_SMOOTH_S * _RATE)
_QUIET_ON, _QUIET_OFF = (round(by * _RATE) for by in limits.BUSY_QUIET_S)
_NEAR: Final = round(limits.BUSY_PEAK_S * _RATE)
_MARGIN: Final = _STEP + _SMOOTH // 2
_HALF_LEAST: Final = (
    _NEAR + _QUIET_OFF
)  # samples to either side in which a QRS and what surrounds it can be told apart
_HALF_MOST: Final = PRE - _MARGIN - 2  # the slope is 0 at the very beginning


class Busy(NamedTuple):
    """Borders by the bend of the trace, in samples of the median beat; NaN where they cannot be told."""

    on: float
    off: float
    core: float
    """The inner part of the QRS begins here: the onset lies no later."""


def busy_borders(slope: Floats, speak: Bools, rr_s: float) -> Busy:
    """QRS onset and offset over all leads from how the trace bends.

    Parameters
    ----------
    slope : float32 array ``(leads, samples)``, of `qrs_borders.slope_mv_s`
    speak : array ``(leads,)``, usable leads with information of their own
    rr_s : median RR interval
    """
    half = min(max(round(rr_s * _RATE / 2), _HALF_LEAST), _HALF_MOST)
    rows = slope[speak, PRE - half - _MARGIN : PRE + half + _MARGIN]
    if rows.shape[0] == 0:
        return Busy(math.nan, math.nan, math.nan)
    bend = rows[:, 2 * _STEP :] - rows[:, : -2 * _STEP]
    bend *= bend
    # The size of most of the beat is that of T, P and noise. A lead with far more of it than others has noise.
    rest = np.sort(bend, axis=1)[:, int(limits.BUSY_REST * bend.shape[1])]
    bend = bend[rest <= limits.BUSY_NOISY_LEAD**2 * np.sort(rest)[rest.size // 2]]
    sums = np.zeros(bend.shape[1] + 1)
    np.cumsum(bend.sum(axis=0), out=sums[1:])
    size = np.sqrt(np.maximum(sums[_SMOOTH:] - sums[:-_SMOOTH], 0.0))
    near = size[half - _NEAR : half + _NEAR]
    peak = float(near.max())
    core = half - _NEAR + np.flatnonzero(near >= limits.BUSY_CORE * peak)
    level = float(np.sort(size)[int(limits.BUSY_REST * size.size)])
    times, share = limits.BUSY_ON
    on = _loud_for(size[core[0] :: -1] > max(times * level, share * peak), _QUIET_ON)
    times, share = limits.BUSY_OFF
    off = _loud_for(size[core[-1] :] > max(times * level, share * peak), _QUIET_OFF)
    first = PRE - half
    return Busy(
        first + int(core[0]) - on + limits.BUSY_ON_LEAD_S * _RATE,
        first + int(core[-1]) + off - limits.BUSY_OFF_LEAD_S * _RATE,
        first + float(core[0]),
    )


def _loud_for(loud: Bools, long: int) -> float:
    """How many samples pass before it is quiet for `long`; NaN where it never is."""
    at = np.flatnonzero(loud)
    ends = np.append(at, loud.size)
    gap = np.flatnonzero(ends[1:] - ends[:-1] > long)
    return float(ends[gap[0]]) + 1.0 if gap.size else math.nan


def climbs(beat_mv: Floats, speak: Bools, on: int) -> float:
    """By how much the level just before a QRS changes within 16 ms, in mV: the second largest of the leads.

    Parameters
    ----------
    beat_mv : float32 array ``(leads, samples)``
    speak : array ``(leads,)``
    on : the QRS onset
    """
    last = on - round(limits.BASELINE_TO_S * _RATE)
    width = round(limits.CLIMB_S / 2 * _RATE)
    if last < 2 * width or not speak.any():
        return math.inf
    rows = beat_mv[speak, last - 2 * width : last]
    change = np.abs(rows[:, width:].sum(axis=1) - rows[:, :width].sum(axis=1)) / width
    return float(np.sort(change)[-min(2, change.size)])
