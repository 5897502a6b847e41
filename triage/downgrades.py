"""What keeps a proposal to open the green channel back: it lowers ACT to URG and never hides the elevation.

A new reason is one function, one row of `DOWNGRADES` and its words in `report.REASONS`.
"""

from collections.abc import Callable
from typing import Final

from greenchannel.triage.context import Context


def st_unreliable(ctx: Context) -> bool:
    """The recording was filtered as for monitoring: its ST segment cannot be trusted (SIG-1)."""
    return not ctx.measurements.quality.st_reliable


def reversal(ctx: Context) -> bool:
    """The leads seem to be swapped (LEAD). LEAD-4 has little specificity and is only said."""
    return ctx.measurements.quality.reversal not in (None, "LEAD-4")


def few_beats(ctx: Context) -> bool:
    """Fewer than three beats of one shape: what was measured may be chance (MEAS-1)."""
    return any(message.code == "few_beats" for message in ctx.measurements.quality.messages)


def wide_qrs(ctx: Context) -> bool:
    """STE-1 applies without bundle branch block, pacing and pre-excitation.

    Interim [E]: until each of these has its own rules, any wide QRS counts as one of them.
    """
    qrs_ms = ctx.measurements.qrs_ms
    return qrs_ms is not None and qrs_ms >= ctx.criteria.limits.wide_qrs_from_ms.value


def qrs_unknown(ctx: Context) -> bool:
    """A QRS of unknown width does not pass for a narrow one: a broad fast rhythm has no borders either."""
    return ctx.measurements.qrs_ms is None


def flutter(ctx: Context) -> bool:
    """Flutter waves lie upon ST and pass for elevation (MIM-TACHY)."""
    return ctx.measurements.rhythm == "atrial_flutter"


DOWNGRADES: Final[tuple[tuple[str, Callable[[Context], bool]], ...]] = (
    ("st_unreliable", st_unreliable),
    ("lead_reversal", reversal),
    ("MEAS-1", few_beats),
    ("wide_qrs", wide_qrs),
    ("qrs_unknown", qrs_unknown),
    ("atrial_flutter", flutter),
)
"""Each reason's wire name and its test, in the order in which they are shown."""


def downgrades(ctx: Context) -> tuple[str, ...]:
    """The reasons that hold for this recording."""
    return tuple(name for name, holds in DOWNGRADES if holds(ctx))
