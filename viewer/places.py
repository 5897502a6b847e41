"""Where a case stands in the worklist, whether a board shows it at all, and when either changes by itself.

All of it is a pure function of the case and the hour. `triage.worklist` has the order; here is what a case brings to
it: the tier that counts, and whether somebody has answered.
"""

from datetime import datetime, timedelta
from typing import Final, NamedTuple

from greenchannel.alerts.alert_state import Alert
from greenchannel.alerts.case import Case
from greenchannel.alerts.ecg_state import Ecg, tier_rank
from greenchannel.alerts.outcome_card import told
from greenchannel.service.before import patient_of
from greenchannel.triage import worklist
from greenchannel.triage.finding import Tier

Order = tuple[int | str, ...]

BOARD_KEEPS: Final = timedelta(hours=24)
"""How long a board shows a case that is over, from its last event on."""

UNREAD_OUTCOME_KEEPS: Final = timedelta(days=30)
"""How long where the clinic was sent the outcome and has not read it: a clinic may be shut for a week."""


class Standing(NamedTuple):
    """What decides a case's place, without the hour."""

    tier: (
        Tier | None
    )  # None: an ECG waits for its reading, and nothing that was read is as urgent as it may be
    answered: bool
    waits_since: datetime


def standing(case: Case) -> Standing:
    """What a case brings to its place."""
    unread = unread_ecgs(case)
    tier = None if case.tier is None else known_tier(case.tier)
    if unread and (tier is None or tier.rank > worklist.NOT_READ_AS.rank):
        since = min((_begun(ecg) or case.opened_at for ecg in unread), default=case.opened_at)
        return Standing(None, False, since)
    return Standing(Tier.NONE if tier is None else tier, is_answered(case), case.opened_at)


def known_tier(tier: str) -> Tier:
    """The tier of this name; one of a newer version counts as an unread ECG does."""
    return Tier(tier) if tier in set(Tier) else worklist.NOT_READ_AS


def unread_ecgs(case: Case) -> list[Ecg]:
    """The ECGs that are there, or on their way, and that neither the machine nor a person has read."""
    return [ecg for ecg in case.current_ecgs if ecg.tier is None and not ecg.readings and is_there(ecg)]


def is_there(ecg: Ecg) -> bool:
    """Is there something to read, now or soon? Not where a stream ended before its first sample."""
    return ecg.received_at is not None or ecg.live


def is_answered(case: Case) -> bool:
    """No alert is open, and a person has looked at what gives the case its tier after the machine had read it."""
    if has_open_alert(case):
        return False
    ecg = case.worst_ecg
    if ecg is None or tier_rank(case.tier) < tier_rank(ecg.tier):
        return bool(case.alerts)  # what rang for more than any reading says, and was answered
    return _signed(ecg) or any(_acknowledged(alert, ecg) for alert in case.alerts)


def has_open_alert(case: Case) -> bool:
    """Somebody is being called, whatever the state of the case; a drill that is over calls nobody."""
    return any(alert.open for alert in case.alerts) and not (case.is_drill and case.state == "closed")


def _signed(ecg: Ecg) -> bool:
    read_at = ecg.settled_at
    return any(read_at is None or reading.at >= read_at for reading in ecg.readings)


def _acknowledged(alert: Alert, ecg: Ecg) -> bool:
    """Did who answered this alert answer for this ECG? A later ECG joins an alert that was answered before it came."""
    answered_at, read_at = alert.acknowledged_at, ecg.settled_at
    if answered_at is None or ecg.ecg_id not in alert.ecg_ids or tier_rank(alert.tier) > tier_rank(ecg.tier):
        return False
    rang = ecg.ecg_id == alert.ecg_ids[0]  # maybe before its final reading, by a provisional one
    return rang or (read_at is not None and answered_at >= read_at)


def _begun(ecg: Ecg) -> datetime | None:
    return ecg.received_at if ecg.received_at is not None else ecg.stream_started_at


# ---------------------------------------------------------------- the place


def is_live(case: Case) -> bool:
    """Something may still be expected of somebody: the case is open, or an alert of it is."""
    return case.state == "open" or has_open_alert(case)


def place_of(case: Case, now: datetime) -> worklist.Place:
    """Where the case stands at `now`; the place of one that is over does not depend on the hour."""
    tier, answered, since = standing(case)
    return worklist.place(
        tier=tier,
        answered=answered,
        patient=patient_of(case, case.opened_at),  # as it was then: the place must not change by the hour
        opened_at=case.opened_at,
        case_id=case.case_id,
        now=now if is_live(case) else since,
        waits_since=since,
    )


def order_of(case: Case, now: datetime) -> Order:
    """The row's `order`: compared element by element, the smallest is topmost. Drills come behind all real cases, those
    that are over last."""
    key = place_of(case, now)
    group = 2 * int(not is_live(case)) + int(case.is_drill)
    return (group, *(part if isinstance(part, str) else int(part) for part in key))


# ---------------------------------------------------------------- the board


def on_board(case: Case, now: datetime) -> bool:
    """Does the board show it: open, or with an open alert, or with an event of the last day or an outcome unread?"""
    return case.state == "open" or has_open_alert(case) or now < _gone_at(case)


def _gone_at(case: Case) -> datetime:
    """Until when a case that is over is shown."""
    sent, seen = told(case)
    unread = sent is not None and seen is None and case.state == "closed" and not case.is_drill
    return case.last_event_at + (UNREAD_OUTCOME_KEEPS if unread else BOARD_KEEPS)


def changes_at(case: Case) -> datetime | None:
    """The one instant at which time alone moves the case up, or takes it off the board; None where there is none."""
    if not is_live(case):
        return _gone_at(case)
    tier, answered, since = standing(case)
    return worklist.moves_up_at(tier=tier, answered=answered, waits_since=since)
