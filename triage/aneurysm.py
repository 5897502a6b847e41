"""Elevation that stayed behind an old anterior infarction: an aneurysm of the left ventricle (EQV-LVA)."""

from typing import Final

from greenchannel.triage.context import Context, falls_to, reaches, shown_whole
from greenchannel.triage.finding import Evidence, Tier
from greenchannel.triage.hit import Hit, Hits
from greenchannel.triage.rule_set import STE_LEADS, Numbers
from greenchannel.triage.shape import above, qs

_FRONT: Final = ("V1", "V2", "V3", "V4")


def aneurysm(ctx: Context, n: Numbers, hits: Hits) -> Hit | None:
    """QS in front, elevation, and T small against QRS: not acute. It fires where the ratios do not say acute.

    T shrinks within hours as well: where the pain is known to be older, the ratios say nothing.
    """
    rule, base = "EQV-LVA", hits.get("STE-1")
    if base is None or ctx.child or above(ctx.patient.onset_h, n.onset_h):
        return None
    shown = {one.lead for one in base.evidence if one.rule == "STE-1"}
    scarred = [lead for lead in _FRONT if lead in ctx.leads and qs(ctx.leads[lead])]
    if not shown & set(_FRONT) or len(scarred) < n.leads:
        return None
    t_uv = {lead: ctx.uv(lead, "t_mv") for lead in _FRONT}
    qrs_uv = {lead: ctx.uv(lead, "qrs_pp_mv") for lead in _FRONT}
    # A positive T alone counts; what is unknown must not lower anything.
    t = {lead: max(uv, 0.0) for lead, uv in t_uv.items() if uv is not None}
    qrs = {lead: uv for lead, uv in qrs_uv.items() if uv}
    if len(t) < len(_FRONT) or len(qrs) < len(_FRONT):
        return None
    whole, each = sum(t.values()) / sum(qrs.values()), {lead: t[lead] / qrs[lead] for lead in _FRONT}
    if not falls_to(whole, n.sum_ratio) or any(reaches(one, n.any_ratio) for one in each.values()):
        return None
    return Hit(
        tier=Tier.FLAG,
        evidence=(
            *(ctx.shown(rule, lead, "r_mv", 0.0, "<=") for lead in scarred),
            shown_whole(rule, "t_qrs_ratio", whole, n.sum_ratio, "<="),
            *(
                Evidence(
                    lead=lead,
                    quantity="t_qrs_ratio",
                    value=one,
                    threshold=n.any_ratio,
                    rule=rule,
                    relation="<",
                )
                for lead, one in each.items()
            ),
        ),
    )


def explained_by_aneurysm(ctx: Context, hit: Hit) -> bool:
    """Is no contiguous elevation left without that of V1 to V4?"""
    left = [one.lead for one in hit.evidence if one.rule == "STE-1" and one.lead not in (None, *_FRONT)]
    return not ctx.contiguous(
        [lead for lead in left if lead is not None], [a for a in STE_LEADS if a in ctx.leads]
    )
