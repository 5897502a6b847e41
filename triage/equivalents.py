"""Equivalents of ST elevation: occlusions that the contiguous leads of STE-1 do not show (EQV).

Those of the anterior wall and those within blocks have modules of their own.
"""

from typing import Final

from greenchannel.signal.leads import STANDARD_12
from greenchannel.triage.context import Context, falls_to, reaches, shown_whole
from greenchannel.triage.finding import Evidence, Tier
from greenchannel.triage.hit import Hit, Hits, Rule, Words
from greenchannel.triage.rule_set import Numbers
from greenchannel.triage.shape import (
    above,
    below,
    r_over_s,
    r_uv,
    ratio,
    skew,
    slope_uv,
    t_ends_upright,
    t_over_qrs,
)
from greenchannel.triage.st_elevation import qualifies

CHEST: Final = ("V1", "V2", "V3", "V4", "V5", "V6")
_SEPTAL: Final = ("V1", "V2", "V3")
_FRONT: Final = ("V1", "V2", "V3", "V4")
_SIDE: Final = ("V5", "V6")
_BACK: Final = ("V7", "V8", "V9")


def posterior(ctx: Context, n: Numbers, hits: Hits) -> Hit | None:
    """Depression of V1 to V3 under an upright T, or deepest in V1 to V4, mirrors the posterior wall (EQV-POST)."""
    low = [lead for lead in _FRONT if falls_to(ctx.uv(lead), -n.depth_uv)]
    if len(low) < n.leads or above(ctx.measurements.heart_rate_bpm, n.rate_bpm) or _right_hypertrophy(ctx, n):
        return None
    upright = [lead for lead in low if lead in _SEPTAL and t_ends_upright(ctx.leads[lead], n.t_uv)]
    evidence: list[Evidence] = []
    if len(upright) >= n.leads:
        evidence += [ctx.shown("EQV-POST", lead, "stj_mv", -n.depth_uv, "<=") for lead in upright]
        evidence += [ctx.shown("EQV-POST", lead, "t_high_mv", n.t_uv) for lead in upright]
    evidence += _deepest_in_front(ctx, low, n)
    if not evidence:
        return None
    back = _elevated_behind(ctx)
    deep = [lead for lead in upright if falls_to(ctx.uv(lead), -n.deep_uv) and _horizontal(ctx, lead, n)]
    certain = len(deep) >= n.leads
    if certain:
        evidence += [ctx.shown("EQV-POST", lead, "stj_mv", -n.deep_uv, "<=") for lead in deep]
        evidence += [ctx.shown("EQV-POST", lead, "st_slope_mv", n.slope_uv, "<=") for lead in deep]
    return Hit(
        tier=Tier.ACT if back or certain else Tier.URG,
        territories=("posterior",),
        evidence=(*back, *dict.fromkeys(evidence)),
        more=_mirrored_q(ctx, n),
    )


def _right_hypertrophy(ctx: Context, n: Numbers) -> bool:
    """A tall R in V1 that outweighs S, and a right axis: its strain depresses V1 to V3 as well."""
    v1 = ctx.leads.get("V1")
    return (
        v1 is not None
        and reaches(r_uv(v1), n.rvh_r_uv)
        and above(r_over_s(v1), n.rvh_r_over_s)
        and above(ctx.measurements.axis_deg, n.rvh_axis_deg)
    )


def _deepest_in_front(ctx: Context, low: list[str], n: Numbers) -> list[Evidence]:
    """Depression of V1 to V4 deeper than in V5 and V6, of which one at least can be read, by more than a tolerance."""
    beside = {lead: uv for lead in _SIDE if (uv := ctx.uv(lead)) is not None}
    if not beside:
        return []
    limit_uv = min(ctx.stj_uv[lead] for lead in low) + n.margin_uv
    if not all(reaches(uv, limit_uv) for uv in beside.values()):
        return []
    return [ctx.shown("EQV-POST", lead, "stj_mv", -n.depth_uv, "<=") for lead in low] + [
        ctx.shown("EQV-POST", lead, "stj_mv", limit_uv) for lead in beside
    ]


def _elevated_behind(ctx: Context) -> tuple[Evidence, ...]:
    """V7 to V9 at their thresholds of STE-1 for every patient this one may be, in contiguous leads."""
    strictest = ctx.profiles[0]
    high = [lead for lead in _BACK if qualifies(ctx, lead, strictest)]
    return tuple(
        ctx.shown("EQV-POST", lead, "stj_mv", strictest.threshold_uv[lead])
        for run in ctx.contiguous(high, _BACK)
        for lead in run.leads
    )


def _horizontal(ctx: Context, lead: str, n: Numbers) -> bool:
    slope = slope_uv(ctx.leads[lead])
    return reaches(slope, -n.slope_uv) and falls_to(slope, n.slope_uv)


def _mirrored_q(ctx: Context, n: Numbers) -> Words | None:
    """R of V2 broad, or over S: the mirrored Q of the posterior wall. It supports, its absence says nothing."""
    v2 = ctx.leads.get("V2")
    if v2 is None or not (above(r_over_s(v2), n.support_r_over_s) or reaches(v2.r_ms, n.support_r_ms)):
        return None
    return "R of V2 broad or over S supports it", "V2导联R波增宽或R/S增大,支持该诊断"


def de_winter(ctx: Context, n: Numbers, hits: Hits) -> Hit | None:
    """J depressed, ST rising into a tall symmetric T, in contiguous chest leads (EQV-DEWINTER)."""
    # Behind a right bundle branch block depression of V1 to V3 is secondary.
    leads = [lead for lead in CHEST if lead in ctx.leads and not (_secondary(ctx) and lead in _SEPTAL)]
    rising = [lead for lead in leads if _rising(ctx, lead, n)]
    runs = ctx.contiguous(rising, leads) if rising else ()
    evidence = [
        one
        for run in runs
        for lead in run.leads
        for one in (
            ctx.shown("EQV-DEWINTER", lead, "stj_mv", -n.depth_uv, "<="),
            ctx.shown("EQV-DEWINTER", lead, "st_slope_mv", n.slope_uv, ">"),
            ctx.shown("EQV-DEWINTER", lead, "t_mv", n.t_uv),
            _of("EQV-DEWINTER", lead, "t_qrs_ratio", t_over_qrs(ctx.leads[lead]), n.t_over_qrs),
        )
    ]
    return Hit(tier=Tier.ACT, territories=("anterior",), evidence=tuple(evidence)) if evidence else None


def _secondary(ctx: Context) -> bool:
    return ctx.conduction.name == "rbbb"


def _rising(ctx: Context, lead: str, n: Numbers) -> bool:
    return (
        falls_to(ctx.uv(lead), -n.depth_uv)
        and above(slope_uv(ctx.leads[lead]), n.slope_uv)
        and reaches(ctx.uv(lead, "t_mv"), n.t_uv)
        and reaches(t_over_qrs(ctx.leads[lead]), n.t_over_qrs)
        and falls_to(skew(ctx, lead), n.t_skew)
    )


def _of(
    rule: str, lead: str, quantity: str, value: float | None, limit: float, relation: str = ">="
) -> Evidence:
    """A ratio of a lead, as evidence; it must be known."""
    assert value is not None  # nothing unknown fires
    return Evidence(lead=lead, quantity=quantity, value=value, threshold=limit, rule=rule, relation=relation)


def hyperacute_t(ctx: Context, n: Numbers, hits: Hits) -> Hit | None:
    """A T as tall as the QRS that begins on a high J (EQV-HATW). An unknown age may be old enough."""
    age, rule = ctx.patient.age_years, "EQV-HATW"
    if not below(ctx.measurements.qrs_ms, n.qrs_ms) or (age is not None and not above(age, n.age_years)):
        return None
    evidence: list[Evidence] = []
    for lead in CHEST:
        if not above(ctx.uv(lead), n.j_uv):
            continue
        j_t = ratio(ctx.uv(lead), ctx.uv(lead, "t_mv"))
        t_qrs = t_over_qrs(ctx.leads[lead])
        if above(j_t, n.j_over_t) and above(t_qrs, n.t_over_qrs):
            evidence += [
                ctx.shown(rule, lead, "stj_mv", n.j_uv, ">"),
                _of(rule, lead, "j_t_ratio", j_t, n.j_over_t, ">"),
                _of(rule, lead, "t_qrs_ratio", t_qrs, n.t_over_qrs, ">"),
            ]
    if not evidence:
        return None
    if age is None:
        unknown = (f"where older than {n.age_years:g}; age is missing", f"限{n.age_years:g}岁以上,年龄缺失")
        return Hit(tier=Tier.URG, evidence=tuple(evidence), more=unknown)
    return Hit(tier=Tier.URG, evidence=(*evidence, shown_whole(rule, "age_years", age, n.age_years, ">")))


def left_main(ctx: Context, n: Numbers, hits: Hits) -> Hit | None:
    """aVR elevated over widespread depression (EQV-AVR): rarely an occlusion, so a proposal in shock alone."""
    rule = "EQV-AVR"
    if not reaches(ctx.uv("aVR"), n.ste_uv):
        return None
    low = [
        lead
        for lead in STANDARD_12
        if falls_to(ctx.uv(lead), -n.depth_uv) and not (_secondary(ctx) and lead in _SEPTAL)
    ]
    if len(low) < n.leads:
        return None
    evidence = [
        ctx.shown(rule, lead, "stj_mv", n.ste_uv) for lead in ("aVR", "V1") if reaches(ctx.uv(lead), n.ste_uv)
    ]
    evidence += [ctx.shown(rule, lead, "stj_mv", -n.depth_uv, "<=") for lead in low]
    systolic = ctx.patient.systolic_mmhg
    if systolic is not None and below(systolic, n.systolic_mmhg):
        evidence.append(shown_whole(rule, "systolic_mmhg", systolic, n.systolic_mmhg, "<"))
        return Hit(tier=Tier.ACT, evidence=tuple(evidence))
    shock = ctx.patient.shock is True
    return Hit(
        tier=Tier.ACT if shock else Tier.URG,
        evidence=tuple(evidence),
        more=("with shock", "合并休克") if shock else None,
    )


def aslanger(ctx: Context, n: Numbers, hits: Hits) -> Hit | None:
    """III elevated without II and aVF, V4 to V6 depressed, V1 over V2: inferior and subendocardial (EQV-ASLANGER)."""
    rule = "EQV-ASLANGER"
    if not reaches(ctx.uv("III"), n.ste_uv) or not all(
        below(ctx.uv(lead), n.ste_uv) for lead in ("II", "aVF")
    ):
        return None
    low = [
        lead
        for lead in ("V4", "V5", "V6")
        if falls_to(ctx.uv(lead), -n.depth_uv) and t_ends_upright(ctx.leads[lead], n.t_uv)
    ]
    first, second = ctx.uv("V1"), ctx.uv("V2")
    if not low or second is None or not above(second, -n.depth_uv) or not above(first, second):
        return None
    return Hit(
        tier=Tier.URG,
        territories=("inferior",),
        evidence=(
            ctx.shown(rule, "III", "stj_mv", n.ste_uv),
            *(ctx.shown(rule, lead, "stj_mv", n.ste_uv, "<") for lead in ("II", "aVF")),
            *(ctx.shown(rule, lead, "stj_mv", -n.depth_uv, "<=") for lead in low),
            *(ctx.shown(rule, lead, "t_high_mv", n.t_uv) for lead in low),
            ctx.shown(rule, "V2", "stj_mv", -n.depth_uv, ">"),
            ctx.shown(rule, "V1", "stj_mv", second, ">"),
        ),
    )


def south_african_flag(ctx: Context, n: Numbers, hits: Hits) -> Hit | None:
    """aVL, I and V2 elevated, III depressed: a diagonal branch, in leads that are no neighbours (EQV-SAFLAG)."""
    rule = "EQV-SAFLAG"
    high = {"aVL": n.avl_uv, "I": n.i_uv, "V2": n.v2_uv}
    if not all(reaches(ctx.uv(lead), uv) for lead, uv in high.items()) or not falls_to(
        ctx.uv("III"), -n.iii_uv
    ):
        return None
    deep = falls_to(ctx.uv("III"), -n.deep_uv)
    return Hit(
        tier=Tier.ACT if deep else Tier.URG,
        territories=("high_lateral",),
        evidence=(
            *(ctx.shown(rule, lead, "stj_mv", uv) for lead, uv in high.items()),
            ctx.shown(rule, "III", "stj_mv", -(n.deep_uv if deep else n.iii_uv), "<="),
        ),
    )


def swirl(ctx: Context, n: Numbers, hits: Hits) -> Hit | None:
    """V1 and aVR elevated, V5 and V6 depressed, without the widespread depression of EQV-AVR (EQV-SWIRL)."""
    rule = "EQV-SWIRL"
    if "MIM-LVH" in hits or "EQV-AVR" in hits:
        return None
    high = reaches(ctx.uv("V1"), n.v1_uv) and reaches(ctx.uv("aVR"), n.avr_uv)
    if not high or not all(falls_to(ctx.uv(lead), -n.depth_uv) for lead in _SIDE):
        return None
    return Hit(
        tier=Tier.URG,
        territories=("septal",),
        evidence=(
            ctx.shown(rule, "V1", "stj_mv", n.v1_uv),
            ctx.shown(rule, "aVR", "stj_mv", n.avr_uv),
            *(ctx.shown(rule, lead, "stj_mv", -n.depth_uv, "<=") for lead in _SIDE),
        ),
    )


RULES: Final[dict[str, Rule]] = {
    "EQV-POST": posterior,
    "EQV-DEWINTER": de_winter,
    "EQV-HATW": hyperacute_t,
    "EQV-AVR": left_main,
    "EQV-ASLANGER": aslanger,
    "EQV-SAFLAG": south_african_flag,
    "EQV-SWIRL": swirl,
}
