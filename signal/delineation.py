"""Borders over all leads from those of each lead, and the end of T by the tangent (MEAS-1, MEAS-6).

The global QRS runs from the earliest onset to the latest offset over leads; a border that stands alone
is an outlier and does not count. ST begins at the global offset or up to 12 ms before it. Positions are
samples of the median beat at 500 Hz; NaN stands for a border that was not found.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from greenchannel.signal import limits
from greenchannel.signal.amplitudes import Borders
from greenchannel.signal.busy_borders import Busy, busy_borders, climbs
from greenchannel.signal.fast_p import fast_p
from greenchannel.signal.grid import Bools, Floats
from greenchannel.signal.leads import LIMB
from greenchannel.signal.qrs_borders import end_of_steepness, slope_borders, slope_mv_s, supported
from greenchannel.signal.qrs_waves import stretch
from greenchannel.signal.t_end import tangent_ends

_RATE: Final = limits.ANALYSIS_RATE_HZ
_SIDES: Final = np.array([[[1]], [[-1]], [[1]], [[-1]]])  # the first of the onsets and the last of the ends

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
    level_sure: bool = True
    """Is the level before the QRS certain? In fast rhythms T and P may run into each other and into the QRS."""
    level_known: bool = True
    """Is there any level before the QRS that ST can be measured against?"""

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


def waves(
    beat_mv: Floats, lead: Doubles, leads: tuple[str, ...], usable: Bools, rr_s: float = math.nan
) -> Waves | None:
    """Borders of a median beat over all leads; None where no usable lead has a QRS.

    Parameters
    ----------
    beat_mv : float32 array ``(leads, samples)``
    lead : array ``(leads, 8)``, each lead's own borders
    leads : names
    usable : array ``(leads,)``
    rr_s : median RR interval; NaN where unknown
    """
    return waves_of_all(beat_mv[None], lead[None], [leads], usable[None], [rr_s])[0]


def waves_of_all(
    beats_mv: Floats, lead: Doubles, leads: Sequence[tuple[str, ...]], usable: Bools, rr_s: Sequence[float]
) -> list[Waves | None]:
    """As `waves`, for many beats of equally many leads; each is answered as if it were alone, to the bit.

    Parameters
    ----------
    beats_mv : float32 array ``(beats, leads, samples)``
    lead : array ``(beats, leads, 8)``
    leads : names, of each beat
    usable : array ``(beats, leads)``
    rr_s : median RR interval of each beat's strip; NaN where unknown
    """
    known = usable & ~np.isnan(lead[..., 3]) & ~np.isnan(lead[..., 4])
    told: list[Waves | None] = [None] * len(leads)
    there = np.flatnonzero(known.any(axis=1)).tolist()
    if len(there) < len(leads):
        beats_mv, lead, leads = beats_mv[there], lead[there], [leads[k] for k in there]
        rr_s = [rr_s[k] for k in there]
        usable, known = usable[there], known[there]
    found = _waves(beats_mv, lead, leads, usable, known, rr_s) if there else ()
    for k, one in zip(there, found, strict=True):
        told[k] = one
    return told


def _waves(
    beats_mv: Floats,
    lead: Doubles,
    leads: Sequence[tuple[str, ...]],
    usable: Bools,
    known: Bools,
    rr_s: Sequence[float],
) -> Iterator[Waves | None]:
    """Borders of beats that have a QRS in some usable lead, those of `known`."""
    own = _independent_of_each(leads, usable)
    speak = _speaking(beats_mv, lead, leads, known)
    learned = np.where(speak, lead[..., [0, 2, 3, 4]].transpose(2, 0, 1), np.nan)
    p_on, p_off, *qrs = supported(learned, _SIDES).tolist()
    slope = slope_mv_s(beats_mv)
    by_slope = [one.tolist() for one in slope_borders(slope, usable, own)]
    tangent, height = tangent_ends(beats_mv, lead)
    strong: Bools = usable & (height >= limits.QT_MIN_T_MV)
    vote = np.where(strong.any(axis=1, keepdims=True), strong, usable)
    t_peak, t_off = _medians(np.where(vote, [lead[..., 6], tangent], np.nan)).tolist()
    for k, learned_qrs in enumerate(zip(*qrs, strict=True)):
        voters, slopes = usable[k] & own[k], (by_slope[0][k], by_slope[1][k])
        busy = busy_borders(slope[k], voters, rr_s[k]) if rr_s[k] < limits.BUSY_RR_S else None
        borders = _qrs(learned_qrs, slopes, p_off[k], slope[k], voters, busy)
        if borders is None:
            yield None
            continue
        on, off, j = borders
        one = Waves(
            qrs_on=on,
            qrs_off=off,
            j=j,
            p_on=p_on[k],
            p_off=p_off[k],
            t_peak=t_peak[k],
            t_off=t_off[k],
            lead=lead[k],
            lead_t_tangent=tangent[k],
            level_known=not rr_s[k] < limits.LEVEL_RR_S,
            level_sure=busy is None or _sure(busy, beats_mv[k], voters, on, rr_s[k]),
        )
        late_p = math.isnan(one.p_on) and rr_s[k] < limits.P_FAST_RR_S
        yield _with_p(one, beats_mv[k], leads[k], usable[k], voters, rr_s[k]) if late_p else one


def _sure(busy: Busy, beat_mv: Floats, voters: Bools, on: int, rr_s: float) -> bool:
    """Is there a level before the QRS of a fast rhythm that ST can be measured against?"""
    told = not math.isnan(busy.off) and rr_s >= limits.LEVEL_RR_S
    return told and climbs(beat_mv, voters, on) <= limits.CLIMB_MV


def _with_p(
    one: Waves, beat_mv: Floats, leads: tuple[str, ...], usable: Bools, voters: Bools, rr_s: float
) -> Waves:
    """A fast beat with the P wave that stands as a hump of its own before it, where there is one."""
    witness = leads.index("II") if "II" in leads and usable[leads.index("II")] else None
    hump = fast_p(beat_mv, voters, witness, one.qrs_on, one.qrs_off, rr_s)
    if hump is None:
        return one
    lead = one.lead.copy()
    lead[~np.isnan(lead[:, 3]), :3] = hump
    return replace(one, p_on=float(hump.on), p_off=float(hump.off), lead=lead)


def _independent_of_each(leads: Sequence[tuple[str, ...]], usable: Bools) -> Bools:
    """`independent` of each beat, ``(beats, leads)``."""
    return np.array(
        [_independent(names, tuple(good)) for names, good in zip(leads, usable.tolist(), strict=True)]
    )


def _speaking(beats_mv: Floats, lead: Doubles, leads: Sequence[tuple[str, ...]], known: Bools) -> Bools:
    """Leads that have a say on the global borders, ``(beats, leads)``: of a clear QRS, or else of any."""
    first = np.where(known, lead[..., 3], np.inf).min(axis=1).astype(np.int64)
    last = np.where(known, lead[..., 4], -np.inf).max(axis=1).astype(np.int64)
    part, _ = stretch(beats_mv, first.tolist(), (last + 1).tolist())
    size = (part.max(axis=1) - part.min(axis=1)).reshape(known.shape)
    votes: Bools = known & (size >= limits.MIN_WAVE_MV)
    speak: Bools = votes & _independent_of_each(leads, votes) & (size >= limits.CLEAR_QRS_MV)
    few = speak.sum(axis=1) < limits.LEAD_SUPPORT
    if few.any():
        any_vote = votes.any(axis=1, keepdims=True)
        speak[few] = np.where(any_vote, votes, known)[few]
    return speak


def _qrs(
    learned: tuple[float, float],
    by_slope: tuple[float, float],
    p_off: float,
    slope: Floats,
    speak: Bools,
    busy: Busy | None,
) -> tuple[int, int, float] | None:
    """QRS onset, offset and J of a beat from what the methods say; None where they make no QRS."""
    if busy is not None and not math.isnan(busy.off):
        # Each may take a late broad S for ST, but hardly ever ST for QRS.
        on, off = _onset_of_three(learned[0], by_slope[0], busy), max(busy.off, learned[1])
        return _ended(on, off, end_of_steepness(slope, speak, off))
    if abs(by_slope[1] - learned[1]) > limits.OFFSET_APART_S * _RATE:
        # So far apart the learned one has taken ST along, or a late R′ or S of a fast broad rhythm for ST.
        learned = learned[0], by_slope[1]
    on, off = _both(learned, by_slope, p_off)
    return _ended(on, off, end_of_steepness(slope, speak, learned[1]))


def _ended(on: float, off: float, j: float) -> tuple[int, int, float] | None:
    """Onset, offset and J, the offset at J or a little behind; None where that is no QRS."""
    off = min(max(off, j), j + limits.QRS_BEYOND_J_S * _RATE)
    if not limits.MIN_BORDERS_S * _RATE <= off - on <= limits.MAX_QRS_S * _RATE:
        return None
    return round(on), round(off), j


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


def _onset_of_three(learned: float, by_slope: float, busy: Busy) -> float:
    """The onset in a fast rhythm: each method may take P along or begin within the QRS, but seldom two of them."""
    told = np.array([learned + limits.LEARNED_EARLY_S * _RATE, by_slope, busy.on])
    return min(float(_medians(told)), busy.core)


def _medians(values: Doubles) -> Doubles:
    """Median over the last axis of what is not NaN; NaN where all is."""
    middle = []
    for row in np.sort(values, axis=-1).reshape(-1, values.shape[-1]).tolist():
        known = [value for value in row if not math.isnan(value)]
        last = len(known) - 1
        middle.append(0.5 * (known[last // 2] + known[(last + 1) // 2]) if known else math.nan)
    return np.array(middle).reshape(values.shape[:-1])
