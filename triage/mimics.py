"""What imitates an infarction (MIM), or is a conduction to which its criteria do not apply. Each is shown for itself;
what it lowers stands in its row, and `explains` says whether it accounts for just this elevation.
"""

from collections.abc import Callable
from typing import Final

from greenchannel.triage.aneurysm import aneurysm, explained_by_aneurysm
from greenchannel.triage.brugada import brugada
from greenchannel.triage.conduction import RULE_OF
from greenchannel.triage.context import Context, falls_to, reaches, shown_whole
from greenchannel.triage.finding import Evidence, Tier
from greenchannel.triage.hit import Hit, Hits, Rule
from greenchannel.triage.hypertrophy import explained_by_hypertrophy, hypertrophy
from greenchannel.triage.lad_scores import lad4_of
from greenchannel.triage.rule_set import STE_LEADS, Numbers
from greenchannel.triage.shape import all_concave, concave

_ANTERIOR: Final = ("V1", "V2", "V3")
_RIGHTWARD: Final = ("aVR", "V1")


def _conducted(rule_id: str) -> Rule:
    def rule(ctx: Context, n: Numbers, hits: Hits) -> Hit | None:
        if ctx.conduction.rule != rule_id:
            return None
        more = ("strict criteria met", "符合严格标准") if ctx.conduction.strict else None
        tier = ctx.rules.rules[rule_id].tier
        if rule_id == "MIM-LBBB" and ctx.newly(rule_id):
            tier, more = Tier.URG, ("new since the earlier ECG", "较前次心电图新发")
        return Hit(tier=tier, evidence=ctx.conduction.evidence, more=more)

    return rule


CONDUCTION: Final[dict[str, Rule]] = {rule_id: _conducted(rule_id) for rule_id in RULE_OF.values()}


def elevated(hit: Hit) -> tuple[str, ...]:
    """The leads on which an STE-1 rests."""
    return tuple(one.lead for one in hit.evidence if one.rule == "STE-1" and one.lead is not None)


def early_repolarisation(ctx: Context, n: Numbers, hits: Hits) -> Hit | None:
    """A notch or slur at the end of the QRS in contiguous inferior or lateral leads (MIM-ER)."""
    leads = [lead for lead in STE_LEADS if lead in ctx.leads and lead not in _ANTERIOR]
    high = [lead for lead in leads if reaches(ctx.uv(lead, "jp_mv"), n.jp_uv)]
    found = ctx.contiguous(high, leads)
    qrs_ms = ctx.measurements.qrs_ms
    if not found or qrs_ms is None or qrs_ms >= n.qrs_ms:
        return None
    return Hit(
        tier=Tier.FLAG,
        evidence=tuple(ctx.shown("MIM-ER", lead, "jp_mv", n.jp_uv) for run in found for lead in run.leads),
    )


def _early_explains(ctx: Context, hit: Hit) -> bool:
    """Concave throughout, nothing opposite, and the LAD formula far from an occlusion; unknown is not far."""
    score = lad4_of(ctx)
    opposite = any(one.rule == "STE-RECIP" for one in hit.evidence)
    low = score is not None and score < ctx.numbers("MIM-ER").lad4
    return low and not opposite and all_concave(ctx, elevated(hit))


def pericarditis(ctx: Context, n: Numbers, hits: Hits) -> Hit | None:
    """Concave elevation in many leads, II over III, depression in aVR and V1 alone, PR depressed.

    A depressed aVL, or III over II, speaks against it. A high ST/T in V6 alone is found beside anterior infarctions,
    too: it is shown as support and does not stand in for the PR depression.
    """
    high = [lead for lead in STE_LEADS if reaches(ctx.uv(lead), n.ste_uv) and concave(ctx.leads[lead])]
    low = [lead for lead in ctx.leads if falls_to(ctx.uv(lead), -n.depth_uv)]
    second, third = ctx.uv("II"), ctx.uv("III")
    if len(high) < n.leads or second is None or third is None or second <= third:
        return None
    if any(lead not in _RIGHTWARD for lead in low) or falls_to(ctx.uv("aVL"), -n.avl_uv):
        return None
    pr = [lead for lead in STE_LEADS if reaches(ctx.uv(lead, "baseline_tp_mv"), n.pr_depression_uv)]
    st, t = ctx.uv("V6"), ctx.uv("V6", "t_mv")
    ratio = st / t if st is not None and t is not None and t > 0 else None
    ginzton = reaches(ratio, n.st_t_ratio)
    if len(pr) < n.pr_leads:
        return None
    evidence = [ctx.shown("MIM-PERI", lead, "stj_mv", n.ste_uv) for lead in high]
    evidence += [ctx.shown("MIM-PERI", lead, "baseline_tp_mv", n.pr_depression_uv) for lead in pr]
    if ginzton and ratio is not None:
        evidence.append(
            Evidence(lead="V6", quantity="st_t_ratio", value=ratio, threshold=n.st_t_ratio, rule="MIM-PERI")
        )
    more = ("supported by ST/T in V6", "V6的ST/T比值支持") if ginzton else None
    return Hit(tier=Tier.FLAG, evidence=tuple(evidence), more=more)


def tachycardia(ctx: Context, n: Numbers, hits: Hits) -> Hit | None:
    """So fast that P and T fall upon ST (MIM-TACHY)."""
    rate = ctx.measurements.heart_rate_bpm
    if rate is None or not reaches(rate, n.rate_bpm):
        return None
    return Hit(tier=Tier.FLAG, evidence=(shown_whole("MIM-TACHY", "heart_rate_bpm", rate, n.rate_bpm),))


def false_positive_risk(ctx: Context, n: Numbers, hits: Hits) -> Hit | None:
    """How much beside an elevation speaks for a false alarm (MIM-CLIN). It is shown and lowers nothing."""
    base = hits.get("STE-1")
    if base is None or ctx.child:
        return None
    signs = {
        ("no chest pain", "无胸痛"): ctx.patient.chest_pain is False,
        ("concave ST", "ST段凹面向上"): all_concave(ctx, elevated(base)),
        ("nothing reciprocal", "无对应性压低"): not any(one.rule == "STE-RECIP" for one in base.evidence),
        (f"younger than {n.age_years:g}", f"年龄<{n.age_years:g}岁"): ctx.patient.age_years is not None
        and ctx.patient.age_years < n.age_years,
    }
    held = [words for words, holds in signs.items() if holds]
    if len(held) < n.signs:
        return None
    return Hit(
        tier=Tier.FLAG,
        evidence=(shown_whole("MIM-CLIN", "sign_count", len(held), n.signs),),
        more=(", ".join(en for en, _ in held), "、".join(zh for _, zh in held)),
    )


RULES: Final[dict[str, Rule]] = {
    "MIM-LVH": hypertrophy,
    "MIM-ER": early_repolarisation,
    "MIM-PERI": pericarditis,
    "MIM-BRUG": brugada,
    "MIM-TACHY": tachycardia,
    "MIM-CLIN": false_positive_risk,
    "EQV-LVA": aneurysm,
}


def _right_leads_alone(ctx: Context, hit: Hit) -> bool:
    """Brugada's pattern accounts for V1 to V3 and for no other lead."""
    return set(elevated(hit)) <= set(_ANTERIOR)


_EXPLAINS: Final[dict[str, Callable[[Context, Hit], bool]]] = {
    "MIM-LVH": explained_by_hypertrophy,
    "MIM-ER": _early_explains,
    "MIM-BRUG": _right_leads_alone,
    "EQV-LVA": explained_by_aneurysm,
}


def explains(rule_id: str, ctx: Context, hit: Hit, found: Hit) -> bool:
    """Does a mimic that was found account for this very elevation? Most do for any.

    Of Brugada's patterns (`found`) only type 1 does; type 2 is no more than noted.
    """
    if rule_id == "MIM-BRUG" and found.tier is Tier.FLAG:
        return False
    test = _EXPLAINS.get(rule_id)
    return test is None or test(ctx, hit)
