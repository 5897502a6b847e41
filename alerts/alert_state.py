"""One alert and its states: a fold over its events. The table of transitions is drawn in ``README.md``."""

from datetime import datetime, timedelta
from enum import StrEnum

import msgspec

from greenchannel.alerts.ecg_state import tier_rank
from greenchannel.events import (
    AlertAcknowledged,
    AlertDeclined,
    AlertDelivered,
    AlertEscalated,
    AlertExhausted,
    AlertHandedOver,
    AlertOpened,
    AlertRaised,
    AlertSent,
    Envelope,
    Event,
    PlanStep,
)


class AlertState(StrEnum):
    """Whether somebody has answered. Exhaustion does not change it: an exhausted alert still waits for an answer."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"


# State × event → next state. An event that is not listed for a state is written down and changes nothing.
# What is decided in each state stands in `escalation.py` and `alert_commands.py`.
TRANSITIONS: dict[tuple[AlertState, type[Event]], AlertState] = {
    (AlertState.OPEN, AlertAcknowledged): AlertState.ACKNOWLEDGED,
}

ALERT_EVENTS = (
    AlertRaised,
    AlertSent,
    AlertDelivered,
    AlertAcknowledged,
    AlertDeclined,
    AlertHandedOver,
    AlertEscalated,
    AlertExhausted,
)


class AlertPerson(msgspec.Struct, frozen=True, kw_only=True):
    """One person of an alert on one channel."""

    person: str
    channel: str
    role: str | None = None  # roster role of the step that rang the person; None: answered without being rung
    step: int | None = None  # the step that rang the person first
    rings: int = 0
    sent_at: datetime | None = None  # the first ring
    delivered_at: datetime | None = None
    acknowledged_at: datetime | None = None
    declined_at: datetime | None = None
    decline_reason: str | None = None


class Alert(msgspec.Struct, frozen=True, kw_only=True):
    """One call for somebody to look, with the plan that was frozen when it opened."""

    alert_id: str
    tier: str  # the highest that it has been raised to
    rules: tuple[str, ...]
    ecg_ids: tuple[str, ...]  # the ECG that opened it, then those that raised it
    plan: tuple[PlanStep, ...]
    opened_at: datetime
    state: AlertState = AlertState.OPEN
    step: int = 0  # the last step that fell due
    exhausted: bool = False
    exhausted_at: datetime | None = None
    acknowledged_at: datetime | None = None
    acknowledged_by: str | None = None  # the first who answered
    held_by: str | None = None  # who has it now, after hand-overs
    people: tuple[AlertPerson, ...] = ()

    @property
    def open(self) -> bool:
        """Whether it still waits for an answer."""
        return self.state is AlertState.OPEN

    @property
    def next_due_at(self) -> datetime | None:
        """When the next step falls due; None once somebody answered or no step is left."""
        if not self.open or self.step + 1 >= len(self.plan):
            return None
        return self.opened_at + timedelta(seconds=self.plan[self.step + 1].after_s)

    def has_answered(self, person: str) -> bool:
        """Whether this person has acknowledged it."""
        return any(p.person == person and p.acknowledged_at is not None for p in self.people)

    def has_declined(self, person: str) -> bool:
        """Whether this person has declined it."""
        return any(p.person == person and p.declined_at is not None for p in self.people)


def open_alert(opened: AlertOpened, at: datetime) -> Alert:
    """The alert as it is right after its opening."""
    return Alert(
        alert_id=opened.alert_id,
        tier=opened.tier,
        rules=opened.rules,
        ecg_ids=(opened.ecg_id,),
        plan=opened.plan,
        opened_at=at,
    )


def fold_alerts(alerts: tuple[Alert, ...], envelope: Envelope) -> tuple[Alert, ...]:
    """Return the alerts of a case, oldest first, after one event."""
    event = envelope.event
    if isinstance(event, AlertOpened):
        return (*alerts, open_alert(event, envelope.at))
    if not isinstance(event, ALERT_EVENTS):
        return alerts
    return tuple(_fold_alert(a, envelope) if a.alert_id == event.alert_id else a for a in alerts)


def _fold_alert(alert: Alert, envelope: Envelope) -> Alert:
    replace, at = msgspec.structs.replace, envelope.at
    event = envelope.event
    alert = replace(alert, state=TRANSITIONS.get((alert.state, type(event)), alert.state))
    match event:
        case AlertRaised() as e:
            return replace(
                alert,
                tier=min(alert.tier, e.tier, key=tier_rank),
                rules=tuple(dict.fromkeys((*alert.rules, *e.rules))),
                ecg_ids=tuple(dict.fromkeys((*alert.ecg_ids, e.ecg_id))),
            )
        case AlertSent() as e:
            return _sent(alert, e, at)
        case AlertDelivered() as e:
            return _mark(alert, e.person, e.channel, delivered_at=at)
        case AlertAcknowledged() as e:
            alert = _mark(alert, e.person, None, acknowledged_at=at)
            if alert.acknowledged_at is not None:
                return alert
            return replace(alert, acknowledged_at=at, acknowledged_by=e.person, held_by=e.person)
        case AlertDeclined() as e:
            return _mark(alert, e.person, None, declined_at=at, decline_reason=e.reason)
        case AlertHandedOver() as e:
            return replace(alert, held_by=e.to_person)
        case AlertEscalated() as e:
            return replace(alert, step=e.step)
        case AlertExhausted() if not alert.exhausted:
            return replace(alert, exhausted=True, exhausted_at=at)
        case _:
            return alert


def _sent(alert: Alert, sent: AlertSent, at: datetime) -> Alert:
    role = alert.plan[sent.step].role if 0 <= sent.step < len(alert.plan) else None
    known = next((p for p in alert.people if (p.person, p.channel) == (sent.person, sent.channel)), None)
    if known is None:
        person = AlertPerson(
            person=sent.person, channel=sent.channel, role=role, step=sent.step, rings=1, sent_at=at
        )
        return msgspec.structs.replace(alert, people=(*alert.people, person))
    again = msgspec.structs.replace(
        known,
        rings=known.rings + 1,
        role=known.role if known.sent_at is not None else role,
        step=known.step if known.sent_at is not None else sent.step,
        sent_at=known.sent_at if known.sent_at is not None else at,
    )
    return msgspec.structs.replace(alert, people=tuple(again if p is known else p for p in alert.people))


def _mark(alert: Alert, person: str, channel: str | None, **marks: datetime | str | None) -> Alert:
    """Set marks that are not set yet, on all channels of a person or on one. A person who was not rung is added."""
    if not any(p.person == person and channel in (None, p.channel) for p in alert.people):
        new = AlertPerson(person=person, channel=channel or "live")
        alert = msgspec.structs.replace(alert, people=(*alert.people, new))
    people = []
    for entry in alert.people:
        if entry.person == person and channel in (None, entry.channel):
            unset = {name: value for name, value in marks.items() if getattr(entry, name) is None}
            entry = msgspec.structs.replace(entry, **unset)
        people.append(entry)
    return msgspec.structs.replace(alert, people=tuple(people))
