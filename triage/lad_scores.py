"""The formulas for a subtle occlusion of the LAD on one recording, and when they may be asked at all.

They were derived on recordings whose elevation might be early repolarisation; the row ``EQV-LAD4`` holds what was
left out there, for all three of them.
"""

from typing import Final

from greenchannel.triage.context import Context, falls_to, reaches
from greenchannel.triage.finding import Evidence
from greenchannel.triage.formulas import lad3, lad4, simplified
from greenchannel.triage.hit import Hits, Words
from greenchannel.triage.shape import below

_OWNER: Final = "EQV-LAD4"
_FRONT: Final = ("V2", "V3", "V4")
_CHEST: Final = ("V1", "V2", "V3", "V4", "V5", "V6")
_NEVER_LOW: Final = ("II", "III", "aVF", "V2", "V3", "V4", "V5", "V6")


def qt_for_formula_ms(ctx: Context) -> float | None:
    """QT after Bazett, of a slow heart as it is: there Bazett would shorten it."""
    m = ctx.measurements
    slow = below(m.heart_rate_bpm, ctx.numbers(_OWNER).uncorrected_bpm)
    return m.qt_ms if slow else m.qtc_bazett_ms


def lad3_of(ctx: Context) -> float | None:
    """The three-variable formula; None where one of its leads or QT is unknown."""
    st60, r4, qt = ctx.mm("V3", "st60_mv"), ctx.mm("V4", "r_mv"), qt_for_formula_ms(ctx)
    return None if st60 is None or r4 is None or qt is None else lad3(st60, qt, r4)


def lad4_of(ctx: Context) -> float | None:
    """The four-variable formula; None where one of its leads or QT is unknown."""
    st60, r4, qt = ctx.mm("V3", "st60_mv"), ctx.mm("V4", "r_mv"), qt_for_formula_ms(ctx)
    qrs2 = ctx.mm("V2", "qrs_pp_mv")
    return None if st60 is None or r4 is None or qt is None or qrs2 is None else lad4(st60, qt, qrs2, r4)


def simplified_of(ctx: Context) -> float | None:
    """The simplified formula, of QT as it is; None where one of its leads or QT is unknown."""
    st60, r4, qt = ctx.mm("V3", "st60_mv"), ctx.mm("V4", "r_mv"), ctx.measurements.qt_ms
    qrs2 = ctx.mm("V2", "qrs_pp_mv")
    return (
        None if st60 is None or r4 is None or qt is None or qrs2 is None else simplified(r4, qrs2, qt, st60)
    )


def elevated_in_front(ctx: Context, rule: str, hits: Hits) -> tuple[Evidence, ...]:
    """The elevations of V2 to V4 where the formulas may be asked; nothing where they may not.

    They are for a narrow QRS (the rows say so) without hypertrophy, and where nothing makes the occlusion plain: a
    high or convex ST, depression elsewhere, a distorted terminal QRS, Q waves, inverted T.
    """
    n = ctx.numbers(_OWNER)
    elevated = [lead for lead in _FRONT if reaches(ctx.uv(lead), n.ste_uv)]
    if not elevated or "MIM-LVH" in hits or "EQV-TQRSD" in hits or _old_q(hits):
        return ()
    if any(reaches(ctx.uv(lead), n.high_uv) for lead in _CHEST):
        return ()
    if any(falls_to(ctx.uv(lead), -n.depth_uv) for lead in _NEVER_LOW):
        return ()
    for lead in _FRONT:
        inverted = falls_to(ctx.uv(lead, "t_mv"), -n.t_uv) or falls_to(ctx.uv(lead, "t_low_mv"), -n.t_uv)
        if inverted or falls_to(ctx.uv(lead, "st_below_chord_mv"), -n.convex_uv):
            return ()
    return tuple(ctx.shown(rule, lead, "stj_mv", n.ste_uv) for lead in elevated)


def _old_q(hits: Hits) -> bool:
    """Does STE-Q show Q waves, or QS, in V2 to V4?"""
    found = hits.get("STE-Q")
    return found is not None and any(
        one.lead in _FRONT and one.quantity in ("q_mv", "q_ms") for one in found.evidence
    )


def inputs(ctx: Context) -> Words:
    """What went into the formulas, as it would be read off paper."""
    values = (
        ctx.mm("V3", "st60_mv"),
        qt_for_formula_ms(ctx),
        ctx.mm("V2", "qrs_pp_mv"),
        ctx.mm("V4", "r_mv"),
    )
    st60, qt, qrs2, r4 = ("?" if value is None else f"{value:.1f}" for value in values)
    return (
        f"ST60 V3 {st60} mm, QTc {qt} ms, QRS V2 {qrs2} mm, R V4 {r4} mm",
        f"V3的ST60 {st60} mm,QTc {qt} ms,V2的QRS {qrs2} mm,V4的R波 {r4} mm",
    )
