"""The rules for ST elevation: STE-1 over contiguous leads, its confidence, and the right ventricle.

Which leads, from which level, for whom: the tables of the rule set say. What lowers an elevation stands in `lowering`.
"""

from typing import Final

import msgspec

from greenchannel.triage import report
from greenchannel.triage.context import Context, falls_to, reaches
from greenchannel.triage.contiguity import Run
from greenchannel.triage.finding import Evidence, Tier
from greenchannel.triage.hit import Hit, Hits, Rule
from greenchannel.triage.localise import localise
from greenchannel.triage.rule_set import EVIDENCE_ORDER, Numbers, Profile

INFERIOR: Final = ("II", "III", "aVF")
RIGHT: Final = ("V3R", "V4R", "V5R")


class Elevation(msgspec.Struct, frozen=True, kw_only=True):
    """STE-1 under one profile."""

    profile: Profile
    runs: tuple[Run, ...]
    borderline: bool  # the weaker lead of the best pair lies within the tolerance of a recorder (MEAS-5)
    reciprocal: tuple[Evidence, ...]

    @property
    def leads(self) -> tuple[str, ...]:
        """The qualifying leads, in anatomical order."""
        held = {lead for run in self.runs for lead in run.leads}
        return tuple(lead for lead in EVIDENCE_ORDER if lead in held)

    @property
    def territories(self) -> tuple[str, ...]:
        """The walls; an unreadable lead between two qualifying ones helps to name them."""
        return localise([lead for run in self.runs for lead in (*run.leads, *run.bridged)])


def qualifies(ctx: Context, lead: str, profile: Profile) -> bool:
    """Does this lead's J level reach its threshold? At the threshold it does; unreadable leads never do."""
    return reaches(ctx.stj_uv.get(lead), profile.threshold_uv[lead])


def elevation(ctx: Context, profile: Profile) -> Elevation | None:
    """Evaluate STE-1 for one kind of patient; None where it does not fire."""
    found = ctx.contiguous((lead for lead in ctx.stj_uv if qualifies(ctx, lead, profile)), ctx.stj_uv)
    if not found:
        return None
    best_uv = max(
        min(ctx.stj_uv[lead] - profile.threshold_uv[lead] for lead in pair)
        for run in found
        for pair in run.pairs
    )
    leads = {lead for run in found for lead in run.leads}
    return Elevation(
        profile=profile,
        runs=found,
        borderline=not reaches(best_uv, ctx.rules.limits.borderline_margin_uv.value),
        reciprocal=_reciprocal(ctx, leads),
    )


def _reciprocal(ctx: Context, elevated: set[str]) -> tuple[Evidence, ...]:
    """Depressions opposite the elevated leads (STE-RECIP), in anatomical order. Their absence says nothing."""
    depth_uv: dict[str, float] = {}
    for row in ctx.rules.reciprocal:
        if elevated & set(row.elevation):
            for lead in row.depression:
                depth_uv[lead] = min(row.depth_uv, depth_uv.get(lead, row.depth_uv))
    return tuple(
        ctx.shown("STE-RECIP", lead, "stj_mv", -depth_uv[lead], "<=")
        for lead in EVIDENCE_ORDER
        if lead in depth_uv and falls_to(ctx.stj_uv.get(lead), -depth_uv[lead])
    )


def _support(ctx: Context, found: Elevation) -> tuple[str, ...]:
    """What makes up for a borderline pair (MEAS-5): a reciprocal depression, a third lead, or a repeat of the ECG.

    The third lead may stand in any contiguous set, not only in that of the pair: the reading that misses less.
    """
    third = len(found.leads) >= ctx.rules.limits.borderline_leads.value
    support = {
        "STE-RECIP": bool(found.reciprocal),
        "third_lead": third,
        "repeat_ecg": _seen_before(ctx, found),
    }
    return tuple(name for name, holds in support.items() if holds)


def _seen_before(ctx: Context, found: Elevation) -> bool:
    """Did an earlier recording of this episode have the same leads at their thresholds? Then this is the repeat."""
    return any(
        one.same_episode
        and all(
            lead in one.stj_mv and reaches(one.stj_mv[lead] * 1000.0, found.profile.threshold_uv[lead])
            for lead in found.leads
        )
        for one in ctx.earlier
    )


def _tier(ctx: Context, found: Elevation) -> Tier:
    return Tier.URG if found.borderline and not _support(ctx, found) else Tier.ACT


def each_profile(ctx: Context) -> tuple[Elevation | None, ...]:
    """STE-1 for every kind of patient that this one may be, strictest first."""
    return tuple(elevation(ctx, profile) for profile in ctx.profiles)


def strictest(ctx: Context) -> Elevation | None:
    """STE-1 under the strictest profile for which it fires, of those that the patient may be."""
    return next((found for found in each_profile(ctx) if found is not None), None)


def ste_1(ctx: Context, n: Numbers, hits: Hits) -> Hit | None:
    """ST elevation at J in contiguous leads (STE-1, STE-2, MEAS-5).

    With age or sex unknown each profile the patient may have is evaluated: ACT needs ACT under all of them, anything
    less is URG. Shown are the thresholds of the strictest profile that fires.
    """
    each, found = each_profile(ctx), strictest(ctx)
    if ctx.child:
        return _child(ctx, found)
    if found is None:
        return None
    tiers = {Tier.NONE if one is None else _tier(ctx, one) for one in each}
    reasons = (("MEAS-5",) if found.borderline else ()) + (
        ("demographics_missing",) if len(tiers) > 1 else ()
    )
    restored = _support(ctx, found) if found.borderline else ()
    held = tuple(reason for reason in reasons if not (reason == "MEAS-5" and restored))
    return Hit(
        tier=Tier.URG if held else Tier.ACT,
        territories=found.territories,
        evidence=_ste_evidence(ctx, found),
        downgraded_by=reasons,
        restored_by=restored,
        held_by=held,
    )


def _ste_evidence(ctx: Context, found: Elevation) -> tuple[Evidence, ...]:
    thresholds = found.profile.threshold_uv
    own = tuple(ctx.shown("STE-1", lead, "stj_mv", thresholds[lead]) for lead in found.leads)
    return own + found.reciprocal


def _child(ctx: Context, found: Elevation | None) -> Hit:
    """Below 18 no adult ST rule speaks, so a person must, and soon: also where none of them would have fired."""
    return Hit(
        tier=Tier.URG,
        words=report.child_sentence(fired=found is not None, rules=ctx.rules),
        territories=() if found is None else found.territories,
        evidence=() if found is None else _ste_evidence(ctx, found),
        downgraded_by=("age_under_18",),
    )


def inferior(ctx: Context, evidence: tuple[Evidence, ...]) -> bool:
    """Does an STE-1 finding with this evidence rest on contiguous inferior leads, in an adult?"""
    shown = {one.lead for one in evidence if one.rule == "STE-1"}
    return not ctx.child and len(shown & set(INFERIOR)) >= ctx.rules.limits.contiguous_leads.value


def ste_rv(ctx: Context, n: Numbers, hits: Hits) -> Hit | None:
    """Right ventricular infarction beside an inferior one (STE-RV). It is as urgent as the inferior finding."""
    base = hits.get("STE-1")
    if base is None or not inferior(ctx, base.evidence):
        return None
    each = [_right_chest(ctx, profile) for profile in ctx.profiles]
    limb = _right_by_limb_leads(ctx)
    evidence = next((shown for shown in each if shown), ()) + limb
    if not evidence:
        return None
    # Right leads that reach the threshold of some of those whom the patient may be.
    doubt = () if limb or all(each) else ("demographics_missing",)
    return Hit(
        tier=Tier.URG if doubt else base.tier,
        words=report.right_ventricle_sentence(),
        territories=("right_ventricular",),
        evidence=evidence,
        downgraded_by=tuple(dict.fromkeys((*base.downgraded_by, *doubt))),
        restored_by=base.restored_by,
        held_by=tuple(dict.fromkeys((*base.held_by, *doubt))),
    )


def _right_chest(ctx: Context, profile: Profile) -> tuple[Evidence, ...]:
    return tuple(
        ctx.shown("STE-RV", lead, "stj_mv", profile.threshold_uv[lead])
        for lead in RIGHT
        if qualifies(ctx, lead, profile)
    )


def _right_by_limb_leads(ctx: Context) -> tuple[Evidence, ...]:
    """III above II together with V1 elevated, for recordings without right chest leads."""
    v1_uv = ctx.rules.limits.right_ventricle_v1_uv.value
    if not {"II", "III", "V1"} <= ctx.stj_uv.keys():
        return ()
    if ctx.stj_uv["III"] <= ctx.stj_uv["II"] or not reaches(ctx.stj_uv["V1"], v1_uv):
        return ()
    return (
        ctx.shown("STE-RV", "III", "stj_mv", ctx.stj_uv["II"], ">"),
        ctx.shown("STE-RV", "V1", "stj_mv", v1_uv),
    )


RULES: Final[dict[str, Rule]] = {"STE-1": ste_1, "STE-RV": ste_rv}
"""By id, in the order of evaluation; a later rule sees what the earlier ones found."""
