"""Depression and T inversion, old infarction, what changed since an earlier recording (STE-3, STE-Q, STE-SERIAL)."""

from typing import Final

from greenchannel.signal.leads import STANDARD_12, STANDARD_18
from greenchannel.triage.context import Context, falls_to, reaches, shown_whole
from greenchannel.triage.finding import Earlier, Evidence, Tier
from greenchannel.triage.hit import Hit, Hits, Rule
from greenchannel.triage.rule_set import STE_LEADS, Numbers
from greenchannel.triage.shape import qs, r_over_s, r_uv, slope_uv

_SEPTAL: Final = ("V1", "V2", "V3")
_STRAIN: Final = ("I", "aVL", "V4", "V5", "V6")
_SECONDARY: Final = ("lbbb", "paced", "preexcited")
_NO_T: Final = ("aVR", "V1")
"""In these a negative T is usual."""


def ste_3(ctx: Context, n: Numbers, hits: Hits) -> Hit | None:
    """Horizontal or downsloping depression, or inverted T, in contiguous leads (STE-3).

    Secondary changes are only noted: those of a left block, pacing and pre-excitation, of digoxin, and of hypertrophy
    in the left leads that show its strain. What an earlier recording showed as well is not new.
    """
    skipped = _SEPTAL if ctx.conduction.name == "rbbb" else ()
    leads = [lead for lead in STANDARD_18 if lead in ctx.leads and lead not in skipped]
    depressed = [lead for lead in leads if lead != "aVR" and _depressed(ctx, lead, n)]
    inverted = [lead for lead in leads if lead not in _NO_T and _inverted(ctx, lead, n)]
    evidence = tuple(
        ctx.shown("STE-3", lead, "stj_mv", -n.depth_uv, "<=")
        for run in ctx.contiguous(depressed, leads)
        for lead in run.leads
    ) + tuple(
        ctx.shown("STE-3", lead, "t_mv", -n.t_uv, "<")
        for run in ctx.contiguous(inverted, leads)
        for lead in run.leads
    )
    if not evidence:
        return None
    strain = "MIM-LVH" in hits and {one.lead for one in evidence} <= set(_STRAIN)
    secondary = strain or ctx.conduction.name in _SECONDARY or ctx.patient.digoxin is True
    return Hit(tier=Tier.FLAG if secondary or _old(ctx, evidence, n) else Tier.URG, evidence=evidence)


def _depressed(ctx: Context, lead: str, n: Numbers) -> bool:
    return falls_to(ctx.uv(lead), -n.depth_uv) and falls_to(slope_uv(ctx.leads[lead]), n.upsloping_uv)


def _inverted(ctx: Context, lead: str, n: Numbers) -> bool:
    t_uv, ratio = ctx.uv(lead, "t_mv"), r_over_s(ctx.leads[lead])
    return t_uv is not None and t_uv < -n.t_uv and ratio is not None and ratio > n.r_over_s


def _old(ctx: Context, evidence: tuple[Evidence, ...], n: Numbers) -> bool:
    """Did the last recording of another episode, old and not read as acute, have the same depressions?

    A depression that was none then is new, however small the difference.
    """
    before = _last_quiet(ctx, n.least_days)
    if before is None or any(one.quantity != "stj_mv" for one in evidence):
        return False
    return all(
        _same(before, one, n.same_uv) and falls_to(before.stj_mv[one.lead or ""] * 1000.0, -n.depth_uv)
        for one in evidence
    )


def _last_quiet(ctx: Context, least_days: float) -> Earlier | None:
    """The last recording of another episode, if it is old enough and was not read as acute."""
    before = next((one for one in ctx.earlier if not one.same_episode), None)
    if before is None or before.age_days < least_days or before.tier.rank <= Tier.URG.rank:
        return None
    return before


def _same(earlier: Earlier, one: Evidence, within_uv: float) -> bool:
    old_mv = earlier.stj_mv.get(one.lead or "")
    return old_mv is not None and falls_to(abs(one.value - old_mv) * 1000.0, within_uv)


def ste_q(ctx: Context, n: Numbers, hits: Hits) -> Hit | None:
    """Pathological Q waves (STE-Q): they date an infarction and block nothing."""
    evidence = [
        ctx.shown("STE-Q", lead, "q_mv", 0.0, "<")
        if qs(ctx.leads[lead])
        else Evidence(
            lead=lead, quantity="q_ms", value=ctx.leads[lead].q_ms or 0.0, threshold=n.v2_v3_ms, rule="STE-Q"
        )
        for lead in ("V2", "V3")
        if lead in ctx.leads
        and (qs(ctx.leads[lead]) or (_has_q(ctx, lead) and reaches(ctx.leads[lead].q_ms, n.v2_v3_ms)))
    ]
    elsewhere = [lead for lead in STANDARD_12 if lead in ctx.leads and lead not in (*_SEPTAL, "aVR")]
    deep = [
        lead
        for lead in elsewhere
        if qs(ctx.leads[lead])
        or (reaches(ctx.leads[lead].q_ms, n.elsewhere_ms) and falls_to(ctx.uv(lead, "q_mv"), -n.elsewhere_uv))
    ]
    for run in ctx.contiguous(deep, elsewhere):
        evidence += [one for lead in run.leads for one in _q_shown(ctx, lead, n)]
    evidence += [
        Evidence(
            lead=lead, quantity="r_ms", value=ctx.leads[lead].r_ms or 0.0, threshold=n.r_ms, rule="STE-Q"
        )
        for lead in ("V1", "V2")
        if lead in ctx.leads and ctx.conduction.name == "narrow" and _posterior_r(ctx, lead, n)
    ]
    return Hit(tier=Tier.FLAG, evidence=tuple(evidence)) if evidence else None


def _q_shown(ctx: Context, lead: str, n: Numbers) -> tuple[Evidence, ...]:
    """Depth and width of a Q; of a QS only that it is one."""
    if qs(ctx.leads[lead]):
        return (ctx.shown("STE-Q", lead, "q_mv", 0.0, "<"),)
    width = ctx.leads[lead].q_ms or 0.0
    return (
        ctx.shown("STE-Q", lead, "q_mv", -n.elsewhere_uv, "<="),
        Evidence(lead=lead, quantity="q_ms", value=width, threshold=n.elsewhere_ms, rule="STE-Q"),
    )


def _has_q(ctx: Context, lead: str) -> bool:
    return bool(ctx.leads[lead].q_mv)


def _posterior_r(ctx: Context, lead: str, n: Numbers) -> bool:
    """A broad R over S with an upright T in V1 or V2 mirrors a posterior Q."""
    t_uv = ctx.uv(lead, "t_mv")
    return (
        reaches(ctx.leads[lead].r_ms, n.r_ms)
        and reaches(r_over_s(ctx.leads[lead]), n.r_over_s)
        and t_uv is not None
        and t_uv > 0.0
        and bool(r_uv(ctx.leads[lead]))
    )


def ste_serial(ctx: Context, n: Numbers, hits: Hits) -> Hit | None:
    """ST has risen, or sunk, in contiguous leads since an earlier recording of this episode (STE-SERIAL)."""
    for one in ctx.earlier:
        if not one.same_episode:
            continue
        change_uv = {
            lead: uv - one.stj_mv[lead] * 1000.0 for lead, uv in ctx.stj_uv.items() if lead in one.stj_mv
        }
        for sign, relation in ((1.0, ">="), (-1.0, "<=")):
            moved = [lead for lead, uv in change_uv.items() if reaches(sign * uv, n.change_uv)]
            if sign < 0:
                # What sinks back from an elevation towards the baseline is not a new depression.
                moved = [lead for lead in moved if falls_to(ctx.stj_uv[lead], -n.depth_uv)]
            leads = [lead for run in ctx.contiguous(moved, change_uv) for lead in run.leads]
            if leads:
                evidence = _changes("STE-SERIAL", leads, change_uv, sign * n.change_uv, relation)
                return Hit(tier=Tier.URG, evidence=evidence)
    return None


def _changes(
    rule: str, leads: list[str], change_uv: dict[str, float], limit_uv: float, relation: str
) -> tuple[Evidence, ...]:
    return tuple(
        Evidence(
            lead=lead,
            quantity="stj_change_mv",
            value=change_uv[lead] / 1000.0,
            threshold=limit_uv / 1000.0,
            rule=rule,
            relation=relation,
        )
        for lead in STE_LEADS
        if lead in leads
    )


def ste_resolved(ctx: Context, n: Numbers, hits: Hits) -> Hit | None:
    """An elevation of an earlier recording of this episode is gone: an artery may have opened, and may close again."""
    if "STE-1" in hits or not ctx.stj_uv:
        return None
    gone = [
        one
        for one in ctx.earlier
        if one.same_episode and "STE-1" in one.rules and one.tier.rank <= Tier.URG.rank
    ]
    if not gone:
        return None
    change_uv = {
        lead: uv - gone[0].stj_mv[lead] * 1000.0 for lead, uv in ctx.stj_uv.items() if lead in gone[0].stj_mv
    }
    fallen = [lead for lead, uv in change_uv.items() if falls_to(uv, -n.change_uv)]
    leads = [lead for run in ctx.contiguous(fallen, change_uv) for lead in run.leads]
    if not leads:
        return None  # the leads came off, or the elevation is what it was and only its threshold was close
    return Hit(tier=Tier.URG, evidence=_changes("STE-RESOLVED", leads, change_uv, -n.change_uv, "<="))


def ste_chronic(ctx: Context, n: Numbers, hits: Hits) -> Hit | None:
    """Every elevated lead was as high in the last ECG of another episode, a week old or more and not read as acute.

    What has changed within this episode is not chronic, whatever an old ECG shows.
    """
    base, before = hits.get("STE-1"), _last_quiet(ctx, n.least_days)
    if base is None or before is None or ctx.child or "STE-SERIAL" in hits:
        return None
    shown = [one for one in base.evidence if one.rule == "STE-1"]
    if not all(_same(before, one, n.same_uv) for one in shown):
        return None
    return Hit(
        tier=Tier.FLAG, evidence=(shown_whole("STE-CHRONIC", "age_days", before.age_days, n.least_days),)
    )


RULES: Final[dict[str, Rule]] = {
    "STE-SERIAL": ste_serial,
    "STE-RESOLVED": ste_resolved,
    "STE-CHRONIC": ste_chronic,
    "STE-Q": ste_q,
}
"""STE-3 stands behind the mimics, since hypertrophy explains it: see `LATE`."""

LATE: Final[dict[str, Rule]] = {"STE-3": ste_3}
