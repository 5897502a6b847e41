"""Brugada's pattern in V1 and V2 (MIM-BRUG): type 1 coved, type 2 a broad R′."""

from typing import Final

import numpy as np

from greenchannel.signal.measurements import MedianBeat
from greenchannel.triage.context import Context, reaches
from greenchannel.triage.finding import Evidence, Tier
from greenchannel.triage.hit import Hit, Hits
from greenchannel.triage.rule_set import Numbers

_LEADS: Final = ("V1", "V2")


def brugada(ctx: Context, n: Numbers, hits: Hits) -> Hit | None:
    """Type 1: coved elevation that falls from J into a negative T. Type 2: the base of R′ is broad; only noted."""
    coved = [lead for lead in _LEADS if lead in ctx.leads and _coved(ctx, lead, n)]
    if coved:
        return Hit(tier=Tier.URG, evidence=tuple(_peak(ctx, lead, n) for lead in coved))
    if ctx.conduction.name != "narrow":
        return None
    bases = {lead: _base_ms(ctx, lead, n) for lead in _LEADS if lead in ctx.leads}
    broad = {lead: ms for lead, ms in bases.items() if ms is not None and reaches(ms, n.base_ms)}
    if not broad:
        return None
    return Hit(
        tier=Tier.FLAG,
        words=("Possible Brugada pattern, type 2", "可疑Brugada 2型"),
        evidence=tuple(
            Evidence(lead=lead, quantity="r2_base_ms", value=ms, threshold=n.base_ms, rule="MIM-BRUG")
            for lead, ms in broad.items()
        ),
    )


def _coved(ctx: Context, lead: str, n: Numbers) -> bool:
    stj, st40, st80, t = (ctx.uv(lead, name) for name in ("stj_mv", "st40_mv", "st80_mv", "t_mv"))
    if stj is None or st40 is None or st80 is None or t is None:
        return False
    notch = (
        ctx.uv(lead, "jp_mv") if ctx.conduction.name == "narrow" else None
    )  # in a block it is the end of R′
    peak = max(stj, notch or stj)
    return reaches(peak, n.stj_uv) and stj > st40 > st80 and t < 0.0


def _peak(ctx: Context, lead: str, n: Numbers) -> Evidence:
    """What reaches the limit: J itself, or the peak at J."""
    quantity = "stj_mv" if reaches(ctx.uv(lead), n.stj_uv) else "jp_mv"
    return ctx.shown("MIM-BRUG", lead, quantity, n.stj_uv)


def _base_ms(ctx: Context, lead: str, n: Numbers) -> float | None:
    """Base of the triangle of R′, a fixed depth below its peak, from the slopes of both its sides."""
    median = ctx.measurements.median
    if median is None or lead in ctx.traces or not reaches(ctx.uv(lead, "r2_mv"), n.r2_uv):
        return None  # of a lead of another recording there is no beat here
    return base_of(median, tuple(ctx.measurements.leads).index(lead), n.depth_uv / 1000.0)


def base_of(median: MedianBeat, row: int, depth_mv: float) -> float | None:
    """Width in ms of the triangle under the last positive peak of the QRS, `depth_mv` below it.

    The rising side is the steepest ascent before the peak, the falling one the mean slope of the 40 ms behind it
    (Chevallier, JACC 2011, takes the descending arm); None where either side does not slope.
    """
    on, off = round(median.qrs_on_s * median.rate_hz), round(median.qrs_off_s * median.rate_hz)
    reach = round(0.04 * median.rate_hz)
    y = median.samples_mv[row, on : off + 2 * reach].astype(np.float64)
    late = slice((off - on) // 2, off - on + reach)
    peak = late.start + int(y[late].argmax())
    if peak < 2 or peak + reach >= y.size:
        return None
    rise = float(np.diff(y[max(peak - reach, 0) : peak + 1]).max())
    fall = float(y[peak] - y[peak + reach]) / reach
    if rise <= 0.0 or fall <= 0.0:
        return None
    return (depth_mv / rise + depth_mv / fall) * 1000.0 / median.rate_hz
