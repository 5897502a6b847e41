"""Equivalents of the anterior wall: Wellens, the distorted terminal QRS, the formulas for a subtle occlusion (EQV)."""

from typing import Final

from greenchannel.triage.context import Context, falls_to, reaches, shown_whole
from greenchannel.triage.finding import Evidence, Tier
from greenchannel.triage.hit import Hit, Hits, Rule
from greenchannel.triage.lad_scores import elevated_in_front, inputs, lad3_of, lad4_of, simplified_of
from greenchannel.triage.rule_set import Numbers
from greenchannel.triage.shape import below, qs, r_uv, s_uv, skew

_FRONT: Final = ("V2", "V3", "V4")
_CORE: Final = ("V2", "V3")
_EMBOLISM: Final = ("III", "V1")


def wellens(ctx: Context, n: Numbers, hits: Hits) -> Hit | None:
    """T biphasic (A), or deeply and evenly inverted (B), in V2 and V3, while ST and R are kept (EQV-WELLENS)."""
    kinds = {lead: _wellens_type(ctx, lead, n) for lead in _FRONT}
    if not any(kinds.values()):
        return None
    embolism = "CV-13" in hits or all(falls_to(ctx.uv(lead, "t_mv"), -n.embolism_t_uv) for lead in _EMBOLISM)
    if "MIM-LVH" in hits or embolism:
        return None
    runs = ctx.contiguous([lead for lead, kind in kinds.items() if kind], _FRONT)
    found = [run.leads for run in runs if all(lead in run.leads for lead in _CORE if lead in ctx.leads)]
    if not found:
        return None
    rule, leads = "EQV-WELLENS", found[0]
    evidence: list[Evidence] = []
    for lead in leads:
        evidence.append(ctx.shown(rule, lead, "stj_mv", n.ste_uv, "<"))
        if kinds[lead] == "A":
            evidence.append(ctx.shown(rule, lead, "t_high_mv", n.first_uv))
            evidence.append(ctx.shown(rule, lead, "t_low_mv", -n.last_uv, "<="))
        else:
            evidence.append(ctx.shown(rule, lead, "t_mv", -n.deep_uv, "<="))
    kind = "A" if any(kinds[lead] == "A" for lead in leads) else "B"
    return Hit(
        tier=Tier.URG, territories=("anterior",), evidence=tuple(evidence), more=(f"type {kind}", f"{kind}型")
    )


def _wellens_type(ctx: Context, lead: str, n: Numbers) -> str | None:
    values = ctx.leads.get(lead)
    if values is None:
        return None
    biphasic = values.t_low_last and reaches(ctx.uv(lead, "t_high_mv"), n.first_uv)
    low = ctx.uv(lead, "t_low_mv") if biphasic else ctx.uv(lead, "t_mv")
    if not falls_to(low, -n.last_uv if biphasic else -n.deep_uv):
        return None
    broad_q = bool(values.q_mv) and reaches(values.q_ms, n.q_ms)
    kept = reaches(r_uv(values), n.r_uv) and not broad_q and not qs(values)
    if not kept or not below(ctx.uv(lead), n.ste_uv):
        return None
    if biphasic:
        return "A"
    return "B" if falls_to(skew(ctx, lead), n.t_skew) else None


def terminal_distortion(ctx: Context, n: Numbers, hits: Hits) -> Hit | None:
    """R of V2 or V3 passes into an elevated ST with neither S nor notch (EQV-TQRSD): early repolarisation has one."""
    leads = [lead for lead in _CORE if reaches(ctx.uv(lead), n.ste_uv) and _distorted(ctx, lead)]
    if not leads:
        return None
    evidence = [ctx.shown("EQV-TQRSD", lead, "stj_mv", n.ste_uv) for lead in leads]
    evidence += [ctx.shown("EQV-TQRSD", lead, "s_mv", 0.0) for lead in leads]
    together = "STE-1" in hits
    return Hit(
        tier=Tier.ACT if together else Tier.URG,
        territories=("anterior",),
        evidence=tuple(evidence),
        more=("beside ST elevation in contiguous leads", "合并相邻导联ST段抬高") if together else None,
    )


def _distorted(ctx: Context, lead: str) -> bool:
    values = ctx.leads[lead]
    if not r_uv(values) or s_uv(values) != 0.0:
        return False
    return values.jp_mv is None or values.j_slur


def lad_three(ctx: Context, n: Numbers, hits: Hits) -> Hit | None:
    """The three-variable formula (EQV-LAD3). Where the four-variable one disagrees, that is trusted: only a note."""
    found = elevated_in_front(ctx, "EQV-LAD3", hits)
    score = lad3_of(ctx) if found else None
    if score is None or not reaches(score, n.score):
        return None
    better = lad4_of(ctx)
    overruled = better is not None and not reaches(better, ctx.numbers("EQV-LAD4").score)
    return Hit(
        tier=Tier.FLAG if overruled else Tier.URG,
        territories=("anterior",),
        evidence=(*found, shown_whole("EQV-LAD3", "lad3_score", score, n.score)),
        more=inputs(ctx),
    )


def lad_four(ctx: Context, n: Numbers, hits: Hits) -> Hit | None:
    """The four-variable formula (EQV-LAD4): far above its cut-off a proposal."""
    found = elevated_in_front(ctx, "EQV-LAD4", hits)
    score = lad4_of(ctx) if found else None
    if score is None or not reaches(score, n.score):
        return None
    sure = reaches(score, n.act_score)
    return Hit(
        tier=Tier.ACT if sure else Tier.URG,
        territories=("anterior",),
        evidence=(*found, shown_whole("EQV-LAD4", "lad4_score", score, n.act_score if sure else n.score)),
        more=inputs(ctx),
    )


def lad_simple(ctx: Context, n: Numbers, hits: Hits) -> Hit | None:
    """The simplified formula (EQV-SIMPLE): it corroborates the two others."""
    found = elevated_in_front(ctx, "EQV-SIMPLE", hits)
    score = simplified_of(ctx) if found else None
    if score is None or not below(score, n.score):
        return None
    return Hit(
        tier=Tier.FLAG, evidence=(*found, shown_whole("EQV-SIMPLE", "simple_score", score, n.score, "<"))
    )


RULES: Final[dict[str, Rule]] = {
    "EQV-TQRSD": terminal_distortion,
    "EQV-WELLENS": wellens,
    "EQV-LAD4": lad_four,
    "EQV-LAD3": lad_three,
    "EQV-SIMPLE": lad_simple,
}
"""The distorted QRS stands first: where it is found the formulas are not asked."""
