"""What the clinic is asked to do next: leads to record, a repeat."""

from collections.abc import Callable
from typing import Final

import msgspec

from greenchannel.triage import report
from greenchannel.triage.context import Context
from greenchannel.triage.finding import Finding, Tier
from greenchannel.triage.st_elevation import RIGHT, inferior

POSTERIOR: Final = ("V7", "V8", "V9")
_REPEAT_TIERS: Final = (Tier.URG, Tier.FLAG, Tier.NONE)


class Advice(msgspec.Struct, frozen=True, kw_only=True):
    """What the clinic is asked to do next."""

    id: str  # the rule that asks
    en: str
    zh: str


Findings = tuple[Finding, ...]


def _advice(rule: str, words: tuple[str, str]) -> Advice:
    return Advice(id=rule, en=words[0], zh=words[1])


def more_leads(ctx: Context, findings: Findings) -> Advice | None:
    """Every inferior elevation asks for the right and posterior leads that cannot be read yet (STE-RV)."""
    missing = [lead for lead in (*RIGHT, *POSTERIOR) if lead not in ctx.stj_uv]
    if not missing or not any(inferior(ctx, one.evidence) for one in findings if one.id == "STE-1"):
        return None
    return _advice("STE-RV", report.more_leads_sentence(missing))


def posterior_leads(ctx: Context, findings: Findings) -> Advice | None:
    """A depression that may mirror the posterior wall asks for V7–V9 (EQV-POST)."""
    missing = [lead for lead in POSTERIOR if lead not in ctx.stj_uv]
    if not missing or not any(one.id == "EQV-POST" for one in findings):
        return None
    return _advice("EQV-POST", report.posterior_leads_sentence(missing))


def repeat(ctx: Context, findings: Findings) -> Advice | None:
    """Pain, or a doubtful finding of ischaemia, without a proposal: record again soon (STE-SERIAL, MEAS-5)."""
    row = ctx.row("STE-SERIAL")
    tier = min(
        (one.tier for one in findings if one.tier is not Tier.REC), key=lambda t: t.rank, default=Tier.NONE
    )
    if row is None or tier not in _REPEAT_TIERS:
        return None
    sections = {one.id: ctx.row(one.id) for one in findings}
    doubtful = any(r is not None and r.section in ("st_elevation", "equivalent") for r in sections.values())
    if not (ctx.patient.chest_pain or doubtful):
        return None
    n = ctx.numbers("STE-SERIAL")
    soon = any("MEAS-5" in one.downgraded_by for one in findings) or tier is Tier.URG
    return _advice(
        "STE-SERIAL",
        report.repeat_sentence(n.soon_min if soon else n.repeat_min, n.repeat_min, n.repeat_max_min),
    )


PROMPTS: Final[tuple[Callable[[Context, Findings], Advice | None], ...]] = (
    more_leads,
    posterior_leads,
    repeat,
)


def advice(ctx: Context, findings: Findings) -> tuple[Advice, ...]:
    """All prompts that apply."""
    return tuple(one for prompt in PROMPTS if (one := prompt(ctx, findings)) is not None)
