"""The rules for ST elevation: STE-1 over contiguous leads, its confidence, and the right ventricle.

A rule is a function from a `Context` and the findings so far to new findings; it never changes or removes one.
A new rule is one function here or in a module of its own, and one line in `RULES`.
"""

from collections.abc import Callable
from typing import Final

import msgspec

from greenchannel.triage import report
from greenchannel.triage.context import Context
from greenchannel.triage.contiguity import Run, runs
from greenchannel.triage.criteria import EVIDENCE_ORDER, Profile
from greenchannel.triage.downgrades import downgrades
from greenchannel.triage.finding import Evidence, Finding, Tier
from greenchannel.triage.localise import localise

Rule = Callable[[Context, tuple[Finding, ...]], tuple[Finding, ...]]

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
    value_uv = ctx.stj_uv.get(lead)
    slack_uv = ctx.criteria.limits.rounding_uv.value
    return value_uv is not None and value_uv >= profile.threshold_uv[lead] - slack_uv


def elevation(ctx: Context, profile: Profile) -> Elevation | None:
    """Evaluate STE-1 for one kind of patient; None where it does not fire."""
    limits = ctx.criteria.limits
    found = runs(
        {lead: qualifies(ctx, lead, profile) for lead in ctx.stj_uv},
        at_least=int(limits.contiguous_leads.value),
        bridge=int(limits.bridged_leads.value),
    )
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
        borderline=best_uv < limits.borderline_margin_uv.value - limits.rounding_uv.value,
        reciprocal=_reciprocal(ctx, leads),
    )


def _reciprocal(ctx: Context, elevated: set[str]) -> tuple[Evidence, ...]:
    """Depressions opposite the elevated leads (STE-RECIP), in anatomical order. Their absence says nothing."""
    depth_uv: dict[str, float] = {}
    for row in ctx.criteria.reciprocal:
        if elevated & set(row.elevation):
            for lead in row.depression:
                depth_uv[lead] = min(row.depth_uv, depth_uv.get(lead, row.depth_uv))
    slack_uv = ctx.criteria.limits.rounding_uv.value
    return tuple(
        _evidence(ctx, lead, -depth_uv[lead], rule="STE-RECIP")
        for lead in EVIDENCE_ORDER
        if lead in depth_uv and lead in ctx.stj_uv and ctx.stj_uv[lead] <= -depth_uv[lead] + slack_uv
    )


def _evidence(ctx: Context, lead: str, threshold_uv: float, *, rule: str) -> Evidence:
    value_mv = ctx.stj_uv[lead] / 1000.0
    return Evidence(lead=lead, quantity="stj_mv", value=value_mv, threshold=threshold_uv / 1000.0, rule=rule)


def _support(ctx: Context, found: Elevation) -> tuple[str, ...]:
    """What makes up for a borderline pair (MEAS-5): a reciprocal depression, or a third lead.

    The third lead may stand in any contiguous set, not only in that of the pair: the reading that misses less.
    """
    third = len(found.leads) >= ctx.criteria.limits.borderline_leads.value
    return (("STE-RECIP",) if found.reciprocal else ()) + (("third_lead",) if third else ())


def _tier(ctx: Context, found: Elevation) -> Tier:
    return Tier.URG if found.borderline and not _support(ctx, found) else Tier.ACT


def strictest(ctx: Context) -> Elevation | None:
    """STE-1 under the strictest profile for which it fires, of those that the patient may be."""
    return next((found for profile in ctx.profiles if (found := elevation(ctx, profile))), None)


def ste_1(ctx: Context, so_far: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """ST elevation at J in contiguous leads (STE-1, STE-2, MEAS-5).

    With age or sex unknown each profile the patient may have is evaluated: ACT needs ACT under all of them, anything
    less is URG. Shown are the thresholds of the strictest profile that fires.
    """
    each = [elevation(ctx, profile) for profile in ctx.profiles]
    found = next((one for one in each if one is not None), None)
    if ctx.child:
        return (_child(ctx, found),)
    if found is None:
        return ()
    tiers = {Tier.NONE if one is None else _tier(ctx, one) for one in each}
    reasons: list[str] = ["MEAS-5"] if found.borderline else []
    if len(tiers) > 1:
        reasons.append("demographics_missing")
    reasons += downgrades(ctx)
    restored = _support(ctx, found) if found.borderline else ()
    held = [reason for reason in reasons if not (reason == "MEAS-5" and restored)]
    en, zh = report.ste_sentence(found.territories, held, ctx.criteria)
    return (
        Finding(
            id="STE-1",
            tier=Tier.URG if held else Tier.ACT,
            en=en,
            zh=zh,
            territories=found.territories,
            evidence=_ste_evidence(ctx, found),
            downgraded_by=tuple(reasons),
            restored_by=restored,
        ),
    )


def _ste_evidence(ctx: Context, found: Elevation) -> tuple[Evidence, ...]:
    thresholds = found.profile.threshold_uv
    own = tuple(_evidence(ctx, lead, thresholds[lead], rule="STE-1") for lead in found.leads)
    return own + found.reciprocal


def _child(ctx: Context, found: Elevation | None) -> Finding:
    """Below 18 no adult ST rule speaks, so a person must, and soon: also where none of them would have fired."""
    en, zh = report.child_sentence(fired=found is not None, criteria=ctx.criteria)
    return Finding(
        id="STE-1",
        tier=Tier.URG,
        en=en,
        zh=zh,
        territories=() if found is None else found.territories,
        evidence=() if found is None else _ste_evidence(ctx, found),
        downgraded_by=("age_under_18",),
    )


def inferior(ctx: Context, so_far: tuple[Finding, ...]) -> Finding | None:
    """The STE-1 finding among `so_far` where it rests on contiguous inferior leads, for an adult."""
    if ctx.child:
        return None
    for finding in so_far:
        shown = {one.lead for one in finding.evidence if one.rule == "STE-1"}
        if len(shown & set(INFERIOR)) >= ctx.criteria.limits.contiguous_leads.value:
            return finding
    return None


def ste_rv(ctx: Context, so_far: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """Right ventricular infarction beside an inferior one (STE-RV). It is as urgent as the inferior finding."""
    base = inferior(ctx, so_far)
    found = strictest(ctx)
    if base is None or found is None:
        return ()
    thresholds = found.profile.threshold_uv
    evidence = tuple(
        _evidence(ctx, lead, thresholds[lead], rule="STE-RV")
        for lead in RIGHT
        if qualifies(ctx, lead, found.profile)
    )
    evidence += _right_by_limb_leads(ctx)
    if not evidence:
        return ()
    en, zh = report.right_ventricle_sentence()
    return (
        Finding(
            id="STE-RV",
            tier=base.tier,
            en=en,
            zh=zh,
            territories=("right_ventricular",),
            evidence=evidence,
            downgraded_by=base.downgraded_by,
            restored_by=base.restored_by,
        ),
    )


def _right_by_limb_leads(ctx: Context) -> tuple[Evidence, ...]:
    """III above II together with V1 elevated, for recordings without right chest leads."""
    limits = ctx.criteria.limits
    v1_uv = limits.right_ventricle_v1_uv.value
    if not {"II", "III", "V1"} <= ctx.stj_uv.keys():
        return ()
    if ctx.stj_uv["III"] <= ctx.stj_uv["II"] or ctx.stj_uv["V1"] < v1_uv - limits.rounding_uv.value:
        return ()
    return (
        _evidence(ctx, "III", ctx.stj_uv["II"], rule="STE-RV"),
        _evidence(ctx, "V1", v1_uv, rule="STE-RV"),
    )


RULES: Final[tuple[Rule, ...]] = (ste_1, ste_rv)
"""In the order of evaluation; a later rule sees what the earlier ones found."""
