"""Heart rate, QT and its corrections, the frontal axis (MEAS-6, MEAS-7)."""

import math
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from greenchannel.signal import limits
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


def heart_rate_bpm(r: Ints) -> float | None:
    """Beats a minute from the mean RR interval, None with fewer than two beats."""
    return None if r.size < 2 else float(60.0 * _RATE * (r.size - 1) / (r[-1] - r[0]))


def modified_qt(qt_ms: float | None, qrs_ms: float) -> float | None:
    """QTm of MEAS-6 for a broad QRS: QT less 48.5 % of the QRS (Bogossian 2014); None for a narrow one.

    >>> modified_qt(450.0, 140.0)
    382.1
    """
    if qt_ms is None or qrs_ms < limits.BROAD_QRS_MS:
        return None
    return round(qt_ms - limits.QTM_SHARE * qrs_ms, 6)


def frontal_axis_deg(areas: Mapping[str, float], usable: AbstractSet[str]) -> float | None:
    """Axis in degrees from net areas by lead, ``atan2(2/√3·aVF, I)`` (MEAS-7); None where no two limb leads give it.

    >>> round(frontal_axis_deg({"I": 1.0, "aVF": 1.0}, {"I", "aVF"}), 1)
    49.1
    """
    one, two, three, avf = (areas.get(name) if name in usable else None for name in ("I", "II", "III", "aVF"))
    if one is None and two is not None and three is not None:
        one = two - three
    if avf is None and one is not None and two is not None:
        avf = two - one / 2
    if one is None or avf is None or math.hypot(one, avf) < limits.AXIS_MIN_MV_MS:
        return None
    return math.degrees(math.atan2(2 / math.sqrt(3) * avf, one))
