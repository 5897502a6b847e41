"""What follows by itself from what was decided on a case: written down with it, in the same transaction."""

from collections.abc import Sequence
from datetime import datetime

from greenchannel.alerts import closed_loop, proposal
from greenchannel.alerts.case import Case
from greenchannel.events import AnyEvent


def follows(case: Case, events: Sequence[AnyEvent], now: datetime) -> list[AnyEvent]:
    """Return what the service adds to `events`, which the case has taken already; nothing follows from that again."""
    return [*proposal.follows(case, events), *closed_loop.follows(case, events, now)]
