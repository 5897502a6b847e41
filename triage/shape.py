"""What several rules ask of the shape of a lead, from its measured waves."""

from greenchannel.signal.measurements import LeadMeasurement
from greenchannel.signal.t_symmetry import t_skew
from greenchannel.triage.context import Context, falls_to, reaches


def r_uv(lead: LeadMeasurement) -> float | None:
    """The taller of R and R′ in µV, 0 where there is none; None where the QRS was not measured."""
    return None if lead.r_mv is None else max(lead.r_mv, lead.r2_mv or 0.0) * 1000.0


def qs(lead: LeadMeasurement) -> bool:
    """Is the whole QRS negative?"""
    return lead.r_mv == 0.0 and lead.q_mv is not None and lead.q_mv < 0.0


def s_uv(lead: LeadMeasurement) -> float | None:
    """Depth of the deepest S, S′ or QS in µV, positive; None where the QRS was not measured."""
    if lead.s_mv is None:
        return None
    deepest = min(lead.s_mv, lead.s2_mv or 0.0, (lead.q_mv or 0.0) if qs(lead) else 0.0)
    return -deepest * 1000.0


def r_over_s(lead: LeadMeasurement) -> float | None:
    """R to S; infinite without an S, None where the QRS was not measured or has neither."""
    r, s = r_uv(lead), s_uv(lead)
    if r is None or s is None or (r == 0.0 and s == 0.0):
        return None
    return float("inf") if s == 0.0 else r / s


def concave(lead: LeadMeasurement) -> bool | None:
    """Does ST lie below the chord from J to the T peak (MEAS-4)? None where it is unknown."""
    return None if lead.st_below_chord_mv is None else lead.st_below_chord_mv > 0.0


def slope_uv(lead: LeadMeasurement) -> float | None:
    """ST80 − STJ in µV (MEAS-4)."""
    return None if lead.st_slope_mv is None else lead.st_slope_mv * 1000.0


def all_concave(ctx: Context, leads: tuple[str, ...]) -> bool:
    """Is ST known to be concave in each of these leads?"""
    return bool(leads) and all(concave(ctx.leads[lead]) is True for lead in leads)


def above(value: float | None, limit: float) -> bool:
    """Is a value over a limit, not just at it? The unknown never is."""
    return value is not None and not falls_to(value, limit)


def below(value: float | None, limit: float) -> bool:
    """Is a value under a limit, not just at it? The unknown never is."""
    return value is not None and not reaches(value, limit)


def ratio(part: float | None, whole: float | None) -> float | None:
    """One over the other; None where either is unknown or there is nothing to divide by."""
    return None if part is None or not whole else part / whole


def t_over_qrs(lead: LeadMeasurement) -> float | None:
    """T to the whole height of QRS, signed as T."""
    return ratio(lead.t_mv, lead.qrs_pp_mv)


def down_uv(lead: LeadMeasurement) -> float | None:
    """Depth of the deepest of Q, S and S′ in µV, positive; None where the QRS was not measured."""
    if lead.q_mv is None or lead.s_mv is None:
        return None
    return -min(lead.q_mv, lead.s_mv, lead.s2_mv or 0.0) * 1000.0


def polarity(lead: LeadMeasurement) -> int:
    """1 where R outweighs Q and S, −1 where they outweigh R; 0 where it is unknown, or height and net area disagree."""
    up, down = r_uv(lead), down_uv(lead)
    if up is None or down is None or up == down:
        return 0
    sign = 1 if up > down else -1
    area = lead.qrs_area_mv_ms
    return sign if area is None or area * sign > 0.0 else 0


def t_ends_upright(lead: LeadMeasurement, least_uv: float) -> bool:
    """Does T rise to at least this and not end in as deep an inversion?"""
    if lead.t_high_mv is None or not reaches(lead.t_high_mv * 1000.0, least_uv):
        return False
    return not (lead.t_low_last and lead.t_low_mv is not None and falls_to(lead.t_low_mv * 1000.0, -least_uv))


def skew(ctx: Context, lead: str) -> float | None:
    """The longer side of T over the shorter one, 1 for a symmetric T; None where it is unknown."""
    m, values = ctx.measurements, ctx.leads.get(lead)
    if m.median is None or values is None or lead not in m.leads or not values.t_mv:
        return None
    row = tuple(m.leads).index(lead)
    return t_skew(m.median, row, upright=values.t_mv > 0.0, qt_ms=m.qt_ms)
