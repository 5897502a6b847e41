"""Rate, PR, QRS, QT and its corrections, the frontal axis and the basic rhythm (MEAS-6, MEAS-7)."""

import math
from dataclasses import dataclass

import numpy as np

from greenchannel.signal import limits
from greenchannel.signal.delineation import QrsBorders, Wave
from greenchannel.signal.filters import Floats
from greenchannel.signal.qrs import Ints

_RATE = limits.ANALYSIS_RATE_HZ


@dataclass(frozen=True, kw_only=True, slots=True)
class Corrected:
    """QT corrected for rate, in ms."""

    bazett_ms: float
    fridericia_ms: float
    framingham_ms: float
    hodges_ms: float


def corrected_qt(qt_ms: float, rr_s: float) -> Corrected:
    """The four corrections of MEAS-6.

    >>> c = corrected_qt(400.0, 0.8)
    >>> [round(v, 1) for v in (c.bazett_ms, c.fridericia_ms, c.framingham_ms, c.hodges_ms)]
    [447.2, 430.9, 430.8, 426.2]
    """
    return Corrected(
        bazett_ms=qt_ms / math.sqrt(rr_s),
        fridericia_ms=qt_ms / rr_s ** (1 / 3),
        framingham_ms=qt_ms + 154.0 * (1.0 - rr_s),
        hodges_ms=qt_ms + 1.75 * (60.0 / rr_s - 60.0),
    )


def rr_intervals_s(r: Ints) -> Floats:
    """Intervals between neighbouring beats, in seconds."""
    spacing: Floats = np.diff(r) / _RATE
    return spacing


def heart_rate_bpm(r: Ints) -> float | None:
    """Beats a minute from the mean RR interval, None with fewer than two beats."""
    return None if r.size < 2 else float(60.0 * _RATE * (r.size - 1) / (r[-1] - r[0]))


def frontal_axis_deg(
    leads: tuple[str, ...], median_mv: Floats, qrs: QrsBorders, readable: set[str]
) -> float | None:
    """Axis in degrees from net QRS areas, ``atan2(2/√3·aVF, I)``; None where no two limb leads give it.

    >>> round(math.degrees(math.atan2(2 / math.sqrt(3), 1.0)), 1)
    49.1
    """
    area = {
        name: float(median_mv[i, qrs.on : qrs.off + 1].sum() / _RATE)
        for i, name in enumerate(leads)
        if name in readable
    }
    one, two, three, avf = (area.get(name) for name in ("I", "II", "III", "aVF"))
    if one is None and two is not None and three is not None:
        one = two - three
    if avf is None and two is not None:
        if one is not None:
            avf = two - one / 2
        elif three is not None:
            avf = (two + three) / 2
    if one is None or avf is None or math.hypot(one, avf) < 1e-4:
        return None
    return math.degrees(math.atan2(2 / math.sqrt(3) * avf, one))


def rhythm(rr_s: Floats, p: Wave, p_upright: bool, qrs_on: int, dominant_share: float) -> str:
    """ "sinus", "irregular" or "unknown"; nothing is called sinus without a P before the beats.

    Parameters
    ----------
    rr_s : array of RR intervals
    p : P of the dominant beats; found only where the beats agree on it
    p_upright : is P positive in II, or in I where there is no II
    qrs_on : sample of the QRS onset in the same median beat
    dominant_share : share of all beats that belong to the dominant class
    """
    if rr_s.size < 2:
        return "unknown"
    variation = float(np.abs(np.diff(rr_s)).mean() / rr_s.mean())
    pr_s = (qrs_on - p.on) / _RATE
    conducted = p.present and limits.SINUS_PR_S[0] <= pr_s <= limits.SINUS_PR_S[1]
    if conducted and p_upright and variation <= limits.SINUS_RR and dominant_share >= 0.5:
        return "sinus"
    return "irregular" if variation > limits.IRREGULAR_RR else "unknown"
