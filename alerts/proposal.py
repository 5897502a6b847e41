"""What the machine proposes: to open the green channel. Its tasks are prepared and not sent; a person opens, or nobody.

Pure: a case and the events that were just decided on it in, events out.
"""

from collections.abc import Iterable
from functools import cache

import msgspec

from greenchannel.alerts.case import Case
from greenchannel.alerts.green_channel import TaskTemplate, template, templates
from greenchannel.alerts.tables import read_value
from greenchannel.events import AlertOpened, AlertRaised, AnyEvent, GreenChannelProposed


@cache
def proposing_tiers() -> tuple[str, ...]:
    """The tiers of an ECG for which the channel is proposed; a critical value alone is none of them."""
    return read_value("tasks", "proposing_tiers", tuple[str, ...])


def follows(case: Case, events: Iterable[AnyEvent]) -> list[AnyEvent]:
    """Return the proposal that goes with an alert; nothing where the episode has had one, or the channel was opened.

    Parameters
    ----------
    case : Case
        As it is with the events.
    events : iterable of event
        Those that were just decided on it.
    """
    if case.channel.proposal is not None or case.channel.state != "closed" or case.state != "open":
        return []
    for event in events:
        if isinstance(event, AlertOpened | AlertRaised) and event.tier in proposing_tiers():
            kinds = tuple(row.kind for row in templates() if row.exists_in(case.arrival_mode))
            return [GreenChannelProposed(ecg_id=event.ecg_id, rules=event.rules, tasks=kinds)]
    return []


class Prepared(msgspec.Struct, frozen=True, kw_only=True):
    """What is proposed, with the tasks that opening would give out."""

    stands: bool  # a person may still take it up
    tasks: tuple[TaskTemplate, ...]


def prepared(case: Case) -> Prepared | None:
    """Return the proposal of a case; None where nothing was proposed.

    It stands until a person has opened the channel, ended the case, or read that ECG as one that asks for no channel.
    """
    proposal = case.channel.proposal
    if proposal is None:
        return None
    ecg = case.ecg(proposal.ecg_id)
    signed = None if ecg is None else ecg.reading
    read_otherwise = signed is not None and signed.tier not in proposing_tiers()
    stands = case.state == "open" and case.channel.state == "closed" and not read_otherwise
    rows = (template(kind) for kind in proposal.tasks)
    return Prepared(stands=stands, tasks=tuple(row for row in rows if row is not None))
