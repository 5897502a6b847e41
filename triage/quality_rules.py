"""Quality and swapped electrodes: both ask for a new recording, and neither removes what the leads show."""

from typing import Final

from greenchannel.triage import report
from greenchannel.triage.context import Context
from greenchannel.triage.finding import Tier
from greenchannel.triage.hit import Hit, Hits, Rule
from greenchannel.triage.rule_set import Numbers


def readable(ctx: Context) -> bool:
    """Was there a QRS complex, and a J level in at least one usable lead?"""
    return bool(ctx.measurements.r_s) and bool(ctx.stj_uv)


def sig_5(ctx: Context, n: Numbers, hits: Hits) -> Hit | None:
    """Ask for a new recording where quality is poor or nothing could be measured (SIG-5)."""
    quality = ctx.measurements.quality
    if quality.acceptable and readable(ctx):
        return None
    return Hit(tier=Tier.REC, words=report.quality_sentence(quality, readable=readable(ctx)))


def lead_reversal(ctx: Context, n: Numbers, hits: Hits) -> Hit | None:
    """Say that leads seem swapped, and ask for a new recording (LEAD; the weak LEAD-4 is only said)."""
    found = ctx.measurements.quality.reversal
    if found is None:
        return None
    tier = Tier.FLAG if found == "LEAD-4" else Tier.REC
    return Hit(id=found, tier=tier, words=report.reversal_sentence(found))


RULES: Final[dict[str, Rule]] = {"LEAD": lead_reversal, "SIG-5": sig_5}
