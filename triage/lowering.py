"""What keeps a proposal to open the green channel back: it lowers ACT to URG and never hides the elevation.

Two kinds lower a proposal: guards, because the recording cannot bear it, and what was found beside it, a mimic or a
conduction in which the standard criteria do not apply. Which sections of rules each lowers, to which tier, and
whether a reciprocal depression, a distorted terminal QRS or evolution undoes it, stands in its row. A new guard is
one function here, one row of its rule set and its entry in `GUARDS`; a mimic needs its rule alone.
"""

from collections.abc import Callable
from typing import Final

import msgspec

from greenchannel.triage import mimics
from greenchannel.triage.context import Context
from greenchannel.triage.finding import Tier
from greenchannel.triage.hit import Hit, Hits
from greenchannel.triage.rule_rows import RuleRow


def st_unreliable(ctx: Context) -> bool:
    """The recording was filtered as for monitoring: its ST segment cannot be trusted (SIG-1)."""
    return not ctx.measurements.quality.st_reliable


def reversal(ctx: Context) -> bool:
    """The leads seem to be swapped (LEAD). LEAD-4 has little specificity and is only said."""
    return ctx.measurements.quality.reversal not in (None, "LEAD-4")


def _told(ctx: Context, code: str) -> bool:
    return any(message.code == code for message in ctx.measurements.quality.messages)


def few_beats(ctx: Context) -> bool:
    """Fewer than three beats of one shape: what was measured may be chance (MEAS-1)."""
    return _told(ctx, "few_beats")


def baseline_uncertain(ctx: Context) -> bool:
    """P lies upon T: no quiet stretch before the QRS tells where ST is measured from."""
    return _told(ctx, "baseline_uncertain")


def wide_qrs(ctx: Context) -> bool:
    """STE-1 applies to narrow QRS and right bundle branch block; what is wide and has no name is neither."""
    return ctx.conduction.name == "wide"


def qrs_unknown(ctx: Context) -> bool:
    """A QRS of unknown width does not pass for a narrow one: a broad fast rhythm has no borders either."""
    return ctx.measurements.qrs_ms is None


def ventricular_rhythm(ctx: Context) -> bool:
    """Beats that begin in the ventricles have an ST of their own; the rhythm itself is what is critical."""
    return ctx.measurements.rhythm in ("ventricular_tachycardia", "ventricular_fibrillation")


def flutter(ctx: Context) -> bool:
    """Flutter waves lie upon ST and pass for elevation (version 1; MIM-TACHY since)."""
    return ctx.measurements.rhythm == "atrial_flutter"


GUARDS: Final[dict[str, Callable[[Context], bool]]] = {
    "st_unreliable": st_unreliable,
    "lead_reversal": reversal,
    "MEAS-1": few_beats,
    "baseline_uncertain": baseline_uncertain,
    "wide_qrs": wide_qrs,
    "qrs_unknown": qrs_unknown,
    "ventricular_rhythm": ventricular_rhythm,
    "atrial_flutter": flutter,
}


def lower(ctx: Context, hits: Hits, *, act_when_corrected: bool) -> Hits:
    """The hits with everything in its place that lowers them.

    Parameters
    ----------
    act_when_corrected
        With the suspected swap of electrodes undone a proposal stands, too: then the swap holds nothing back.
    """
    lowered: Hits = {}
    for rule_id, hit in hits.items():
        row = ctx.rules.rules[rule_id]
        if ctx.child or hit.tier.rank > Tier.URG.rank or row.section not in ("st_elevation", "equivalent"):
            lowered[rule_id] = hit
            continue
        lowered[rule_id] = _lowered(ctx, hit, row, hits, act_when_corrected)
    if "STE-RV" in lowered and "STE-1" in lowered:
        lowered["STE-RV"] = _as_the_wall_beside(lowered["STE-RV"], lowered["STE-1"])
    return lowered


def _as_the_wall_beside(right: Hit, inferior: Hit) -> Hit:
    """STE-RV is as urgent as its STE-1, for the same reasons; its own doubts stay."""
    return msgspec.structs.replace(
        right,
        tier=max(right.tier, inferior.tier, key=lambda tier: tier.rank),
        downgraded_by=tuple(dict.fromkeys((*inferior.downgraded_by, *right.downgraded_by))),
        held_by=tuple(dict.fromkeys((*inferior.held_by, *right.held_by))),
        restored_by=inferior.restored_by,
    )


def _lowered(ctx: Context, hit: Hit, row: RuleRow, hits: Hits, act_when_corrected: bool) -> Hit:
    reasons = [
        one
        for one in ctx.rules.rules.values()
        if (row.id in one.lowers or row.section in one.lowers) and _holds(ctx, one, hit, hits)
    ]
    support = _support(hit, hits)
    tier, held, restored = hit.tier, list(hit.held_by), list(hit.restored_by)
    for one in reasons:
        if one.restorable and support:
            restored += support
        elif one.id == "lead_reversal" and act_when_corrected:
            restored.append("corrected_leads")
        else:
            held.append(one.id)
            tier = max(tier, one.tier, key=lambda t: t.rank)
    return msgspec.structs.replace(
        hit,
        tier=tier,
        downgraded_by=tuple(dict.fromkeys((*hit.downgraded_by, *(one.id for one in reasons)))),
        held_by=tuple(dict.fromkeys(held)),
        restored_by=tuple(dict.fromkeys(restored)),
    )


def _holds(ctx: Context, row: RuleRow, hit: Hit, hits: Hits) -> bool:
    if row.section == "guard":
        return GUARDS[row.id](ctx)
    return row.id in hits and mimics.explains(row.id, ctx, hit, hits[row.id])


def _support(hit: Hit, hits: Hits) -> tuple[str, ...]:
    """What restores a proposal that a mimic lowers: STE-RECIP, EQV-TQRSD, STE-SERIAL."""
    found = ["STE-RECIP"] if any(one.rule == "STE-RECIP" for one in hit.evidence) else []
    raised = set(mimics.elevated(hit))
    for name in ("EQV-TQRSD", "STE-SERIAL"):
        # What sank elsewhere says nothing of this elevation.
        shown = hits[name].evidence if name in hits else ()
        if any(one.lead in raised and one.relation == ">=" for one in shown):
            found.append(name)
    return tuple(found)
