"""Has a page the ring? A ring on the board counts as delivered once an open page of the person has said so. Pure.

As for ECG alerts a page that says nothing is not open, or not on the net. The clock of a study runs for hours, so each
ring wants a word of its own: what was on a screen at half of the time says nothing about the end of it.
"""

from datetime import datetime, timedelta

from greenchannel.alerts import escalation
from greenchannel.alerts.alert_state import Alert, AlertPerson
from greenchannel.alerts.escalation_plan import LIVE
from greenchannel.alerts.imaging.reading import Reading
from greenchannel.events import AlertDelivered, AlertSeen, AlertUnreachable, AnyEvent

NO_PAGE = "no_page"
"""Why a ring on the board was not delivered: no page of the person took it."""


def on_page(reading: Reading, alert_id: str, person: str, *, looked: bool) -> list[AnyEvent]:
    """A page of the person has the ring on its screen, or is heard; with `looked` the study is before their eyes.
    Nothing for who was not rung, and once for each ring."""
    alert = reading.alert_of(alert_id)
    entry = None if alert is None else _board(alert, person)
    if entry is None or reading.gone:
        return []
    found: list[AnyEvent] = []
    if not is_heard(reading, entry):
        found.append(AlertDelivered(alert_id=alert_id, person=person, channel=LIVE))
    if looked and entry.seen_at is None:
        found.append(AlertSeen(alert_id=alert_id, person=person, channel=LIVE))
    return found


def is_heard(reading: Reading, entry: AlertPerson) -> bool:
    """Has a page taken this person's last ring?"""
    heard_at = dict(reading.heard).get(entry.person)
    return heard_at is not None and entry.rung_at is not None and heard_at >= entry.rung_at


def owes_receipt(reading: Reading, person: str) -> str | None:
    """The alert whose ring no page of this person has said yet that it has; None where one has, or nobody was rung."""
    alert = reading.alert
    entry = None if alert is None or not alert.open else _board(alert, person)
    return None if alert is None or entry is None or is_heard(reading, entry) else alert.alert_id


def unheard(reading: Reading, alert: Alert, now: datetime) -> list[AlertUnreachable]:
    """The rings of this round that no page has taken in the time for it, of each person the last."""
    before = now - timedelta(seconds=alert.receipt_s or 0.0)
    return [
        AlertUnreachable(alert_id=alert.alert_id, person=one.person, channel=LIVE, reason=NO_PAGE)
        for one in alert.people
        if one.channel == LIVE and one.declined_at is None and one.unreachable_at is None
        if one.rung_at is not None and alert.round_began_at <= one.rung_at <= before
        if not is_heard(reading, one)
    ]


def on_receipt_due(reading: Reading, alert: Alert, now: datetime) -> list[AnyEvent]:
    """Say of whom no page took the ring. Of a critical study the next step follows at once where nobody of the present
    one is left to hope for; one that can wait has its steps at their shares, for a closed page is no reason to wake the
    head of duty."""
    silent = unheard(reading, alert, now)
    if not silent or not reading.clock.critical:
        return list(silent)
    return escalation.unreached(alert, silent)


def _board(alert: Alert, person: str) -> AlertPerson | None:
    return next((one for one in alert.people if (one.person, one.channel) == (person, LIVE)), None)
