"""Amplitudes of each lead on its median beat: ST from J, Q, R, S, T and P with their signs (MEAS-2, MEAS-3)."""

import numpy as np

from greenchannel.signal import limits
from greenchannel.signal.delineation import QrsBorders, Wave, smooth
from greenchannel.signal.filters import Bools, Floats
from greenchannel.signal.measurements import LeadMeasurement

_RATE = limits.ANALYSIS_RATE_HZ
_ST_MS = (0, 20, 40, 60, 80)


def baseline(median_mv: Floats, qrs_on: int) -> Floats:
    """B of MEAS-2 for each row: the mean from QRSon - 20 to QRSon - 4 ms."""
    first = max(qrs_on - round(limits.BASELINE_FROM_S * _RATE), 0)
    last = max(qrs_on - round(limits.BASELINE_TO_S * _RATE), first + 1)
    level: Floats = median_mv[..., first:last].mean(axis=-1)
    return level


def st_levels(median_mv: Floats, j: int) -> Floats:
    """ST at J, J+20, J+40, J+60 and J+80 ms, shape ``(leads, 5)``: single samples smoothed over 6 ms.

    J itself is taken from J on, never from before it: a mean across J would mix the QRS in.
    """
    near = smooth(median_mv, 1)
    last = median_mv.shape[1] - 1
    at = [min(j + round(ms * _RATE / 1000), last) for ms in _ST_MS]
    levels = near[:, at]
    levels[:, 0] = median_mv[:, at[0] : at[0] + 2].mean(axis=1)
    return levels


def tp_level(median_mv: Floats, p_on: float, t_off: float, rr_s: float) -> Floats | None:
    """Level of the 30 ms before P, shape ``(leads,)``; None without a P, or where T still runs there."""
    if not np.isfinite(p_on):
        return None
    last = int(p_on) - int(0.006 * _RATE)
    first = last - int(0.03 * _RATE)
    if first < 0 or (np.isfinite(t_off) and first < t_off - rr_s * _RATE):
        return None
    level: Floats = median_mv[:, first:last].mean(axis=1)
    return level


def qrs_waves(median_mv: Floats, qrs: QrsBorders) -> tuple[Floats, Floats, Floats]:
    """Q, R and S of each lead in mV: ``q ≤ 0``, ``r ≥ 0``, ``s ≤ 0``; 0.0 for a wave below 30 µV.

    The last 8 ms before J belong to no wave, for there ST elevation would pass for an R and depression for an S.
    A QS complex (no R) counts as Q.
    """
    end = max(qrs.off - int(0.008 * _RATE), qrs.on + 4)
    y = median_mv[:, qrs.on : end + 1]
    rows = np.arange(y.shape[0])
    top = y.argmax(axis=1)
    interior = top < y.shape[1] - 1
    r = np.where(interior, y[rows, top], 0.0)
    r[r < limits.MIN_WAVE_MV] = 0.0
    grid = np.arange(y.shape[1])
    none = (r == 0.0)[:, None]
    q = np.where(none | (grid < top[:, None]), y, 0.0).min(axis=1)
    after = np.where(~none & (grid > top[:, None]), y, 0.0)
    bottom = after.argmin(axis=1)
    # A slope that is still falling where the QRS ends leads into a depressed ST: no S.
    s = np.where(bottom < y.shape[1] - 1, after[rows, bottom], 0.0)
    q[q > -limits.MIN_WAVE_MV] = 0.0
    s[s > -limits.MIN_WAVE_MV] = 0.0
    return q, r, s


def _at(median_mv: Floats, where: Floats) -> list[float | None]:
    """Value of each row at its own sample; None where the sample is NaN."""
    y = smooth(median_mv, 1)
    return [float(y[i, int(at)]) if np.isfinite(at) else None for i, at in enumerate(where)]


def lead_measurements(
    leads: tuple[str, ...],
    median_mv: Floats,
    qrs: QrsBorders,
    p: Wave,
    t: Wave,
    rr_s: float,
    usable: Bools,
    measured: Bools,
) -> dict[str, LeadMeasurement]:
    """All amplitudes of all leads.

    Parameters
    ----------
    leads : names, one for each row
    median_mv : array ``(leads, samples)``, the baseline of MEAS-2 at 0
    qrs, p, t : borders on this median beat
    rr_s : median RR interval
    usable : array ``(leads,)``, may evidence rest on the lead
    measured : array ``(leads,)``, has the lead a median beat at all; amplitudes are None elsewhere
    """
    st = st_levels(median_mv, qrs.off)
    q, r, s = qrs_waves(median_mv, qrs)
    tp = tp_level(median_mv, p.on, t.off, rr_s)
    t_mv, p_mv = _at(median_mv, t.lead_peak), _at(median_mv, p.lead_peak)
    result = {}
    for i, name in enumerate(leads):
        if not measured[i]:
            result[name] = LeadMeasurement(usable=False)
            continue
        result[name] = LeadMeasurement(
            usable=bool(usable[i]),
            stj_mv=float(st[i, 0]),
            st20_mv=float(st[i, 1]),
            st40_mv=float(st[i, 2]),
            st60_mv=float(st[i, 3]),
            st80_mv=float(st[i, 4]),
            q_mv=float(q[i]),
            r_mv=float(r[i]),
            s_mv=float(s[i]),
            t_mv=t_mv[i],
            p_mv=p_mv[i],
            baseline_tp_mv=float(tp[i]) if tp is not None else None,
        )
    return result
