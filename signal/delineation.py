"""Borders over all leads from those of each lead, and the end of T by the tangent (MEAS-1, MEAS-6).

The global QRS runs from the earliest onset to the latest offset over leads; a border that stands alone
is an outlier and does not count. ST begins at the global offset or up to 12 ms before it. Positions are
samples of the median beat at 500 Hz; NaN stands for a border that was not found.
"""

import math
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from greenchannel.signal import limits
from greenchannel.signal.amplitudes import Borders
from greenchannel.signal.grid import Bools, Floats
from greenchannel.signal.leads import LIMB
from greenchannel.signal.qrs_borders import end_of_steepness, slope_borders, slope_mv_s, supported

_RATE: Final = limits.ANALYSIS_RATE_HZ

Doubles = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, slots=True)
class Waves:
    """Borders of one class of beats, over all leads and in each."""

    qrs_on: int
    qrs_off: int
    j: float
    """Where ST begins: the QRS of most leads has passed into it. At the QRS offset or a little before."""
    p_on: float
    p_off: float
    t_peak: float
    t_off: float
    """By the tangent, the median over leads with a clear T."""
    lead: Doubles
    """Each lead's own, ``(leads, 8)`` in the order of `delineator.COLUMNS`."""
    lead_t_tangent: Doubles
    """End of T of each lead by the tangent, ``(leads,)``."""

    @property
    def without_p(self) -> "Waves":
        """The same without P."""
        lead = self.lead.copy()
        lead[:, :3] = np.nan
        return replace(self, p_on=float("nan"), p_off=float("nan"), lead=lead)

    @property
    def borders(self) -> Borders:
        """What amplitudes are measured between."""
        return Borders(
            on=self.qrs_on,
            off=self.qrs_off,
            j=self.j,
            p_on=self.p_on,
            t_off=self.t_off,
            lead=self.lead,
            t_tangent=self.lead_t_tangent,
        )


def independent(leads: tuple[str, ...], usable: Bools) -> Bools:
    """Leads with information of their own, shape ``(leads,)``: any two limb leads, of which the others are sums."""
    return _independent(leads, tuple(usable.tolist()))


@lru_cache(maxsize=256)
def _independent(leads: tuple[str, ...], usable: tuple[bool, ...]) -> Bools:
    own = [name for name, good in zip(leads, usable, strict=True) if good and name in LIMB]
    two = sorted(own, key=LIMB.index)[:2]
    mask = np.array([name not in LIMB or name in two for name in leads])
    mask.flags.writeable = False
    return mask


def waves(beat_mv: Floats, lead: Doubles, leads: tuple[str, ...], usable: Bools) -> Waves | None:
    """Borders of a median beat over all leads; None where no usable lead has a QRS.

    Parameters
    ----------
    beat_mv : float32 array ``(leads, samples)``
    lead : array ``(leads, 8)``, each lead's own borders
    leads : names
    usable : array ``(leads,)``
    """
    known = usable & ~np.isnan(lead[:, 3]) & ~np.isnan(lead[:, 4])
    if not known.any():
        return None
    first, last = lead[known, 3].min(), lead[known, 4].max()
    part = beat_mv[:, int(first) : int(last) + 2]
    size = part.max(axis=1) - part.min(axis=1)
    votes = known & (size >= limits.MIN_WAVE_MV)
    speak = votes & independent(leads, votes) & (size >= limits.CLEAR_QRS_MV)
    if np.count_nonzero(speak) < limits.LEAD_SUPPORT:
        speak = votes if votes.any() else known
    own = independent(leads, usable)
    p_on, p_off = supported(lead[speak, 0], 1), supported(lead[speak, 2], -1)
    slope = slope_mv_s(beat_mv)
    learned = supported(lead[speak, 3], 1), supported(lead[speak, 4], -1)
    by_slope = slope_borders(slope, usable, own)
    if abs(by_slope[1] - learned[1]) > limits.OFFSET_APART_S * _RATE:
        # So far apart the learned one has taken ST along, or a late R′ or S of a fast broad rhythm for ST.
        learned = learned[0], by_slope[1]
    on, off = _both(learned, by_slope, p_off)
    j = end_of_steepness(slope, usable & own, learned[1])
    off = min(max(off, j), j + limits.QRS_BEYOND_J_S * _RATE)
    if not limits.MIN_BORDERS_S * _RATE <= off - on <= limits.MAX_QRS_S * _RATE:
        return None
    tangent, height = _tangent_ends(beat_mv, lead)
    strong = usable & (height >= limits.QT_MIN_T_MV)
    vote = strong if strong.any() else usable
    return Waves(
        qrs_on=round(on),
        qrs_off=round(off),
        j=j,
        p_on=p_on,
        p_off=p_off,
        t_peak=_median(lead[vote, 6]),
        t_off=_median(tangent[vote]),
        lead=lead,
        lead_t_tangent=tangent,
    )


def _both(learned: tuple[float, float], slope: tuple[float, float], p_off: float) -> tuple[float, float]:
    """The borders that both methods allow.

    The slopes lie nearer to where a QRS really begins and ends but stray where ST climbs or noise is strong; the
    learned ones hardly stray, but begin early, as people's marks do, and know few bundle branch blocks. So the
    slope's border counts within what the learned one allows; before the onset as far as P, or as the foot of a
    broad QRS goes.
    """
    on, off = learned
    earliest = max(on - limits.ONSET_EARLIER_S * _RATE, p_off if p_off < on else -np.inf)
    if slope[0] >= earliest:
        on = min(slope[0], on + limits.ONSET_LATER_S * _RATE)
    if not math.isnan(slope[1]):
        # The smoothed slope sees the end of the QRS a sample late.
        off = min(
            max(slope[1] - 1, off - limits.OFFSET_EARLIER_S * _RATE), off + limits.OFFSET_LATER_S * _RATE
        )
    return on, off


def _median(values: Doubles) -> float:
    known = sorted(value for value in values.tolist() if not math.isnan(value))
    count = len(known)
    return 0.5 * (known[(count - 1) // 2] + known[count // 2]) if count else float("nan")


def _tangent_ends(beat_mv: Floats, lead: Doubles) -> tuple[Doubles, Doubles]:
    """Where the tangent to the last slope of T meets the level behind it, and the height of T above that level.

    Parameters
    ----------
    beat_mv : float32 array ``(leads, samples)``
    lead : array ``(leads, 8)``, borders of each lead

    Returns
    -------
    arrays ``(leads,)``; NaN, and 0 for the height, without a T
    """
    count, n = beat_mv.shape
    tangent, height = np.full(count, np.nan), np.zeros(count)
    rows = np.flatnonzero(~np.isnan(lead[:, 6]))
    if rows.size == 0:
        return tangent, height
    peak, off = lead[rows, 6], np.minimum(lead[rows, 7], n - 1.0)
    low = max(int(peak.min()) - 8, 0)
    high = min(int(off.max()) + round(limits.T_LEVEL_TO_S * _RATE) + 1, n)
    if high - low < 24:
        return tangent, height
    y = beat_mv[rows, low:high]
    sums = np.cumsum(y, axis=1, dtype=np.float64)
    smooth = (sums[:, 7:] - sums[:, :-7]) / 7  # column k stands for sample k + 4
    slope = smooth[:, 6:] - smooth[:, :-6]  # over 6 samples around sample k + 7
    grid = np.arange(slope.shape[1]) + low + 7
    inside = (grid >= peak[:, None]) & (grid <= off[:, None])
    steepest = np.where(inside, np.abs(slope), -1.0).argmax(axis=1)
    here = np.arange(rows.size)
    level_at = np.minimum(off + (limits.T_LEVEL_FROM_S * _RATE - low), y.shape[1] - 2.0).astype(np.int64)
    level_end = np.minimum(
        level_at + round((limits.T_LEVEL_TO_S - limits.T_LEVEL_FROM_S) * _RATE), y.shape[1] - 1
    )
    level = (sums[here, level_end] - sums[here, level_at]) / np.maximum(level_end - level_at, 1)
    at = steepest + low + 7.0
    fall = slope[here, steepest] / 6
    value = smooth[here, steepest + 3] - level
    end = at - value / np.where(fall == 0, np.nan, fall)  # without a slope there is no tangent
    fits = inside.any(axis=1) & (end >= at) & (end <= off + limits.T_LEVEL_TO_S * _RATE)
    tangent[rows] = np.where(fits, end, lead[rows, 7])
    top = np.minimum(peak - low, y.shape[1] - 1.0).astype(np.int64)
    height[rows] = np.abs(y[here, top] - level)
    return tangent, height
