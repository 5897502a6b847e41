"""Left ventricular hypertrophy: its voltages, and the elevation of V1 to V3 that it accounts for (MIM-LVH)."""

from typing import Final

from greenchannel.triage.context import Context, falls_to, reaches
from greenchannel.triage.finding import Evidence, Tier
from greenchannel.triage.hit import Hit, Hits
from greenchannel.triage.rule_set import STE_LEADS, Numbers
from greenchannel.triage.shape import r_uv, s_uv

_RIGHT: Final = ("V1", "V2", "V3")
_ANTERIOR: Final = ("V2", "V3", "V4")


def hypertrophy(ctx: Context, n: Numbers, hits: Hits) -> Hit | None:
    """Any of the voltage criteria. An unknown age counts as young, an unknown sex as male: fewer are called large."""
    woman = ctx.patient.sex == "female"
    grown = ctx.patient.age_years is not None and ctx.patient.age_years >= n.sokolow_from_years
    r = {lead: r_uv(values) for lead, values in ctx.leads.items()}
    s = {lead: s_uv(values) for lead, values in ctx.leads.items()}
    left = max((r[lead] or 0.0 for lead in ("V5", "V6") if lead in r), default=None)
    deepest = max((uv for uv in s.values() if uv is not None), default=None)
    sums = (
        ("sokolow_mv", _sum(s.get("V1"), left) if grown else None, n.sokolow_uv),
        ("ravl_mv", r.get("aVL"), n.ravl_uv),
        ("cornell_mv", _sum(r.get("aVL"), s.get("V3")), n.cornell_female_uv if woman else n.cornell_male_uv),
        ("peguero_mv", _sum(deepest, s.get("V4")), n.peguero_female_uv if woman else n.peguero_male_uv),
    )
    # Cornell's sum must exceed its limit; the others reach theirs.
    evidence = tuple(
        Evidence(lead=None, quantity=name, value=uv / 1000.0, threshold=limit_uv / 1000.0, rule="MIM-LVH",
                 relation=">" if name == "cornell_mv" else ">=")
        for name, uv, limit_uv in sums
        if uv is not None and (uv > limit_uv if name == "cornell_mv" else reaches(uv, limit_uv))
    )  # fmt: skip
    return Hit(tier=Tier.FLAG, evidence=evidence) if evidence else None


def _sum(a_uv: float | None, b_uv: float | None) -> float | None:
    return None if a_uv is None or b_uv is None else a_uv + b_uv


def explained_by_hypertrophy(ctx: Context, hit: Hit) -> bool:
    """Is there no elevation left when V1 to V3 must stand the test of Armstrong 2012?

    There STJ has to be a quarter of R + S, and either three neighbours are elevated or T is inverted in front.
    """
    n = ctx.numbers("MIM-LVH")
    shown = [one.lead for one in hit.evidence if one.rule == "STE-1" and one.lead is not None]
    runs = ctx.contiguous(shown, [lead for lead in STE_LEADS if lead in ctx.leads])
    inverted = any(falls_to(ctx.uv(lead, "t_mv"), -n.t_uv) for lead in _ANTERIOR)
    many = {lead for run in runs if len(run.leads) >= n.leads for lead in run.leads}
    left = [
        lead
        for lead in shown
        if lead not in _RIGHT or (reaches(_share(ctx, lead), n.share) and (inverted or lead in many))
    ]
    return not ctx.contiguous(left, [lead for lead in STE_LEADS if lead in ctx.leads])


def _share(ctx: Context, lead: str) -> float | None:
    """STJ to R + S."""
    stj, r, s = ctx.uv(lead), r_uv(ctx.leads[lead]), s_uv(ctx.leads[lead])
    return None if stj is None or r is None or s is None or r + s == 0.0 else stj / (r + s)
