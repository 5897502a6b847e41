"""All rules over one recording: the findings, the highest tier, the prompts and the words.

The order is that of the specification: quality and swapped electrodes, critical rhythms (answered also on a poor
trace), conduction, ST elevation, mimics and equivalents, then what lowers and what restores. Quality adds findings
and never removes one. Where nothing fires the reading says just that.
"""

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from greenchannel.signal.measurements import Measurements, QualityMessage
from greenchannel.triage import (
    critical,
    culprit,
    equivalents,
    equivalents_anterior,
    equivalents_blocks,
    mimics,
    prompts,
    quality_rules,
    report,
    st_changes,
    st_elevation,
)
from greenchannel.triage.context import Context, context
from greenchannel.triage.electrode_sets import Beside
from greenchannel.triage.finding import Earlier, Evidence, Finding, Patient, Tier
from greenchannel.triage.hit import Hit, Hits, Rule
from greenchannel.triage.lowering import lower
from greenchannel.triage.prompts import Advice
from greenchannel.triage.rule_set import RULES, RuleSet

REGISTRY: Final[dict[str, Rule]] = {
    **quality_rules.RULES,
    **critical.RULES,
    **mimics.CONDUCTION,
    **st_elevation.RULES,
    **st_changes.RULES,
    **mimics.RULES,
    **equivalents.RULES,
    **equivalents_anterior.RULES,
    **equivalents_blocks.RULES,
    **st_changes.LATE,
}
"""Every rule by its id, in the order of evaluation: a later rule sees what the earlier ones found."""

CONCLUDING: Final[dict[str, Rule]] = {**critical.CONCLUDING}
"""Rules that look at what is left after everything was lowered."""

_NO_CHILD: Final = frozenset({"STE-RV", "STE-3", "STE-Q", "STE-SERIAL"})
"""Beside equivalents and mimics, the ST rules that are for adults alone; STE-1 speaks for a child itself."""

_TRACED: Final = ("st_elevation", "equivalent")


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """What the machine says of one recording, unconfirmed until a physician signs."""

    tier: Tier  # the highest of the findings
    findings: tuple[Finding, ...]  # the most urgent first, then in the order of the rules
    advice: tuple[Advice, ...]
    messages: tuple[QualityMessage, ...]  # every reason why a lead or the record may not be trusted
    rules_version: str
    en: str  # the most urgent finding in words
    zh: str


def read(
    measurements: Measurements,
    patient: Patient,
    rules: RuleSet = RULES,
    *,
    earlier: Iterable[Earlier] = (),
    corrected: Measurements | None = None,
    others: Mapping[str, Beside] | None = None,
) -> Reading:
    """Apply every rule to one recording.

    Parameters
    ----------
    measurements
        What the signal core measured.
    patient
        Age in years, sex, chest pain and more; None where unknown.
    rules
        The version of the rules.
    earlier
        Earlier recordings of the patient, of this episode or another.
    corrected
        What is measured with a suspected swap of electrodes undone.
    others
        Leads that other recordings of the episode have, with their electrodes moved; see `electrode_sets`.
    """
    ctx = context(measurements, patient, rules, earlier=earlier, corrected=corrected, others=others)
    hits = _both_ways(ctx)
    found = [report.finding(hit, rules) for hit in hits]
    found = [msgspec.structs.replace(one, culprit=culprit.possible(ctx, one)) for one in found]
    findings = tuple(sorted(found, key=lambda one: one.tier.rank))  # stable within a tier
    en, zh = report.summary(findings, rules)
    return Reading(
        tier=findings[0].tier if findings else Tier.NONE,
        findings=findings,
        advice=prompts.advice(ctx, findings),
        messages=measurements.quality.messages,
        rules_version=rules.version,
        en=en,
        zh=zh,
    )


def evaluate(ctx: Context) -> Hits:
    """What fires, before anything is lowered."""
    hits: Hits = {}
    _apply(REGISTRY, ctx, hits)
    return hits


def _apply(rules: dict[str, Rule], ctx: Context, hits: Hits) -> None:
    rows, numbers, conducted = ctx.rules.rules, ctx.rules.numbers, ctx.conduction.name
    for rule_id, rule in rules.items():
        row = rows.get(rule_id)
        if row is None or (row.conduction and conducted not in row.conduction):
            continue
        if ctx.child and (row.section in ("equivalent", "mimic") or rule_id in _NO_CHILD):
            continue
        hit = rule(ctx, numbers[rule_id], hits)
        if hit is not None:
            evidence = hit.evidence if not ctx.traces else tuple(_traced(ctx, one) for one in hit.evidence)
            hits[rule_id] = msgspec.structs.replace(
                hit, id=hit.id or rule_id, rule=rule_id, evidence=evidence
            )


def _traced(ctx: Context, one: Evidence) -> Evidence:
    """With the recording that the lead comes from, where that is another one."""
    trace = None if one.lead is None else ctx.traces.get(one.lead)
    return one if trace is None else msgspec.structs.replace(one, trace=trace)


def _both_ways(ctx: Context) -> list[Hit]:
    """The hits of the recording as it came and, where electrodes seem swapped, what they are with the swap undone.

    A proposal on both stays one; what shows on the corrected leads alone, or on another wall, is added as urgent at
    most.
    """
    hits = evaluate(ctx)
    other: Hits = {}
    if ctx.corrected is not None:
        other = lower(ctx.corrected, evaluate(ctx.corrected), act_when_corrected=True)
    hits = lower(ctx, hits, act_when_corrected=any(hit.tier is Tier.ACT for hit in other.values()))
    _apply(CONCLUDING, ctx, hits)
    found = list(hits.values())
    for rule_id, hit in other.items():
        own = hits.get(rule_id)
        if ctx.rules.rules[rule_id].section in _TRACED and (
            own is None
            or own.tier.rank > max(hit.tier.rank, Tier.URG.rank)
            or not set(hit.territories) <= set(own.territories)
        ):
            found.append(_corrected(hit))
    return found


def _corrected(hit: Hit) -> Hit:
    return msgspec.structs.replace(
        hit,
        tier=max(hit.tier, Tier.URG, key=lambda tier: tier.rank),
        evidence=tuple(msgspec.structs.replace(one, trace="corrected") for one in hit.evidence),
        downgraded_by=tuple(dict.fromkeys((*hit.downgraded_by, "lead_reversal"))),
        held_by=tuple(dict.fromkeys((*hit.held_by, "lead_reversal"))),
        more=("seen with the suspected swap of electrodes undone", "按纠正疑似接反后的导联判读"),
    )
