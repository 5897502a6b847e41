"""All rules over one recording: the findings, the highest tier, the prompts and the words.

Quality and lead reversal add findings; they never remove one. Where nothing fires the reading says just that.
"""

from collections.abc import Callable
from typing import Final

import msgspec

from greenchannel.signal.measurements import Measurements, QualityMessage
from greenchannel.triage import report
from greenchannel.triage.context import Context, context
from greenchannel.triage.criteria import CRITERIA, Criteria
from greenchannel.triage.ecg_rules import RIGHT, RULES, Rule, inferior
from greenchannel.triage.finding import Finding, Patient, Tier

POSTERIOR: Final = ("V7", "V8", "V9")


class Advice(msgspec.Struct, frozen=True, kw_only=True):
    """What the clinic is asked to do next."""

    id: str  # the rule that asks
    en: str
    zh: str


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """What the machine says of one recording, unconfirmed until a physician signs."""

    tier: Tier  # the highest of the findings
    findings: tuple[Finding, ...]  # the most urgent first, then in the order of the rules
    advice: tuple[Advice, ...]
    messages: tuple[QualityMessage, ...]  # every reason why a lead or the record may not be trusted
    rules_version: str
    en: str  # the most urgent finding in words
    zh: str


def readable(ctx: Context) -> bool:
    """Was there a QRS complex, and a J level in at least one usable lead?"""
    return bool(ctx.measurements.r_s) and bool(ctx.stj_uv)


def sig_5(ctx: Context, so_far: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """Ask for a new recording where quality is poor or nothing could be measured (SIG-5)."""
    if ctx.measurements.quality.acceptable and readable(ctx):
        return ()
    en, zh = report.quality_sentence(ctx.measurements.quality, readable=readable(ctx))
    return (Finding(id="SIG-5", tier=Tier.REC, en=en, zh=zh),)


def lead_reversal(ctx: Context, so_far: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """Say that leads seem swapped, and ask for a new recording (LEAD; the weak LEAD-4 is only said)."""
    found = ctx.measurements.quality.reversal
    if found is None:
        return ()
    en, zh = report.reversal_sentence(found)
    return (Finding(id=found, tier=Tier.FLAG if found == "LEAD-4" else Tier.REC, en=en, zh=zh),)


def more_leads(ctx: Context, so_far: tuple[Finding, ...]) -> tuple[Advice, ...]:
    """Every inferior elevation asks for the right and posterior leads that cannot be read yet (STE-RV)."""
    missing = [lead for lead in (*RIGHT, *POSTERIOR) if lead not in ctx.stj_uv]
    if inferior(ctx, so_far) is None or not missing:
        return ()
    en, zh = report.more_leads_sentence(missing)
    return (Advice(id="STE-RV", en=en, zh=zh),)


ALL_RULES: Final[tuple[Rule, ...]] = (*RULES, lead_reversal, sig_5)
PROMPTS: Final[tuple[Callable[[Context, tuple[Finding, ...]], tuple[Advice, ...]], ...]] = (more_leads,)


def read(measurements: Measurements, patient: Patient, criteria: Criteria = CRITERIA) -> Reading:
    """Apply every rule to one recording.

    Parameters
    ----------
    measurements
        What the signal core measured.
    patient
        Age in years, sex, chest pain; None where unknown.
    criteria
        The table of clinical numbers.
    """
    ctx = context(measurements, patient, criteria)
    found: tuple[Finding, ...] = ()
    for rule in ALL_RULES:
        found += rule(ctx, found)
    findings = tuple(sorted(found, key=lambda finding: finding.tier.rank))  # stable within a tier
    tier = findings[0].tier if findings else Tier.NONE
    en, zh = _words(findings, criteria)
    return Reading(
        tier=tier,
        findings=findings,
        advice=tuple(one for prompt in PROMPTS for one in prompt(ctx, findings)),
        messages=measurements.quality.messages,
        rules_version=criteria.rules_version,
        en=en,
        zh=zh,
    )


def _words(findings: tuple[Finding, ...], criteria: Criteria) -> tuple[str, str]:
    nothing = criteria.tier_names[Tier.NONE]
    if not findings:
        return nothing.en, nothing.zh
    first = findings[0]
    if first.tier is Tier.REC:  # poor quality alone must not read as if the rest had been cleared
        return f"{first.en}. {nothing.en}", f"{first.zh}。{nothing.zh}"
    return first.en, first.zh
