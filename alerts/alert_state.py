"""One alert and its phases: a fold over its events. What is decided in which phase stands in `escalation_table.py`."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Final

import msgspec

from greenchannel.alerts.ecg_state import tier_rank
from greenchannel.alerts.escalation_table import WAITING, Phase
from greenchannel.events import (
    AlertAcknowledged,
    AlertDeclined,
    AlertDelivered,
    AlertEscalated,
    AlertExhausted,
    AlertHandedOver,
    AlertOpened,
    AlertRaised,
    AlertRearmed,
    AlertSeen,
    AlertSent,
    AlertUnreachable,
    CaseClosed,
    CaseSplit,
    Envelope,
    Event,
    GreenChannelOpened,
    GreenChannelStoodDown,
    PlanStep,
    ReadingSigned,
    Ring,
)


class AlertState(StrEnum):
    """Whether somebody has answered, as it stands on the wire."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"


ACTS = (ReadingSigned, GreenChannelOpened, GreenChannelStoodDown, CaseClosed)
"""What may follow an answer: a reading of an ECG that the alert is about, or what concerns the whole case. To look at
the trace is not yet an act; a merge carries the question over."""

NO_REPEATS: Final[Mapping[str, str]] = MappingProxyType({})

# Phase × event → next phase. An event that is not listed for a phase is written down and changes nothing.
TRANSITIONS: Final[dict[tuple[Phase, type[Event]], Phase]] = {
    **{(phase, AlertRearmed): Phase.RINGING for phase in (Phase.RINGING, Phase.EXHAUSTED, Phase.ANSWERED)},
    (Phase.RINGING, AlertExhausted): Phase.EXHAUSTED,
    (Phase.RINGING, AlertAcknowledged): Phase.ANSWERED,
    (Phase.EXHAUSTED, AlertAcknowledged): Phase.ANSWERED,
    **{(Phase.ANSWERED, act): Phase.FOLLOWED for act in (*ACTS, CaseSplit)},
}

ALERT_EVENTS = (
    AlertRaised,
    AlertRearmed,
    AlertSent,
    AlertDelivered,
    AlertSeen,
    AlertUnreachable,
    AlertAcknowledged,
    AlertDeclined,
    AlertHandedOver,
    AlertEscalated,
    AlertExhausted,
)


class AlertPerson(msgspec.Struct, frozen=True, kw_only=True):
    """One person of an alert on one channel. Rings are counted over all rounds, all else is of the present one."""

    person: str
    channel: str
    role: str | None = None  # roster role of the step that rang the person; None: answered without being rung
    step: int | None = None  # the step that rang the person first
    rings: int = 0
    sent_at: datetime | None = None  # the first ring of the round
    rung_at: datetime | None = None  # the last
    delivered_at: datetime | None = None
    seen_at: datetime | None = None
    acknowledged_at: datetime | None = None
    declined_at: datetime | None = None
    decline_reason: str | None = None
    unreachable_at: datetime | None = None
    unreachable_reason: str | None = None

    @property
    def dead(self) -> bool:
        """Whether nothing is to be hoped for here: declined, or the channel gave up and nothing came through."""
        lost = self.unreachable_at is not None and self.delivered_at is None and self.seen_at is None
        return lost or self.declined_at is not None


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """An answer of an earlier round, after which nothing followed."""

    person: str
    at: datetime
    round: int


class Alert(msgspec.Struct, frozen=True, kw_only=True):
    """One call for somebody to look, with the plan that was frozen when it opened."""

    alert_id: str
    tier: str  # the highest that it has been raised to
    rules: tuple[str, ...]
    ecg_ids: tuple[str, ...]  # the ECG that opened it, then those that raised it
    plan: tuple[PlanStep, ...]
    opened_at: datetime
    round_began_at: datetime  # the plan's times count from here
    follow_up_s: float | None = None  # how long after an answer something must have followed; None: not asked
    receipt_s: float | None = None  # how long a board may take to say that it has the ring; None: not asked
    repeat_s: tuple[float, ...] = ()  # after exhaustion, until everybody is rung again; the last holds on
    phase: Phase = Phase.RINGING
    round: int = 1
    step: int = 0  # the last step that fell due
    repeats: int = 0
    exhausted: bool = False
    exhausted_at: datetime | None = None
    all_rung_at: datetime | None = None  # when everybody was rung last, after the last step
    acknowledged_at: datetime | None = None
    acknowledged_by: str | None = None  # the first who answered
    held_by: str | None = None  # who has it now, after hand-overs
    held_since: datetime | None = None
    people: tuple[AlertPerson, ...] = ()
    earlier_answers: tuple[Answer, ...] = ()

    @property
    def open(self) -> bool:
        """Whether it still waits for an answer."""
        return self.phase in WAITING

    @property
    def state(self) -> AlertState:
        """As it stands on the wire. An exhausted alert still waits for an answer."""
        return AlertState.OPEN if self.open else AlertState.ACKNOWLEDGED

    @property
    def next_due_at(self) -> datetime | None:
        """When the next step falls due; None once somebody answered or no step is left."""
        if not self.open or self.step + 1 >= len(self.plan):
            return None
        return self.step_due_at(self.step + 1)

    def step_due_at(self, step: int) -> datetime:
        """When a step of the plan falls due."""
        return self.round_began_at + timedelta(seconds=self.plan[step].after_s)

    @property
    def given_to(self) -> str | None:
        """Who was given it and has not taken it yet; None where whoever has it has said so."""
        if self.open or self.held_by is None or self.has_answered(self.held_by):
            return None
        return self.held_by

    @property
    def follow_up_at(self) -> datetime | None:
        """When something must have followed the answer; None where nothing is asked, or it has followed.

        Who was given it has as long to take it as the first who is rung has before the second is.
        """
        if self.phase is not Phase.ANSWERED or self.follow_up_s is None or self.held_since is None:
            return None
        after_s = self.follow_up_s
        if self.given_to is not None and len(self.plan) > 1:
            after_s = min(after_s, self.plan[1].after_s - self.plan[0].after_s)
        return self.held_since + timedelta(seconds=after_s)

    def repeat_after_s(self) -> float | None:
        """How long after the last ring of an exhausted alert everybody is rung again; None: never."""
        return self.repeat_s[min(self.repeats, len(self.repeat_s) - 1)] if self.repeat_s else None

    def entry(self, ring: Ring) -> AlertPerson | None:
        """What is known of one person on one channel."""
        return next((p for p in self.people if (p.person, p.channel) == (ring.person, ring.channel)), None)

    def has_answered(self, person: str) -> bool:
        """Whether this person has acknowledged it in this round."""
        return any(p.person == person and p.acknowledged_at is not None for p in self.people)

    def has_declined(self, person: str) -> bool:
        """Whether this person has declined it in this round."""
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
        round_began_at=at,
        follow_up_s=opened.follow_up_s,
        receipt_s=opened.receipt_s,
        repeat_s=opened.repeat_s,
    )


def fold_alerts(
    alerts: tuple[Alert, ...], envelope: Envelope, repeats: Mapping[str, str] = NO_REPEATS
) -> tuple[Alert, ...]:
    """Return the alerts of a case, oldest first, after one event.

    `repeats` says of ECGs that hold nothing but the samples of another which that is: signing one signs both.
    """
    event = envelope.event
    if isinstance(event, AlertOpened):
        return (*alerts, open_alert(event, envelope.at))
    if isinstance(event, CaseSplit):  # what is asked of ECGs that are gone is asked where they went
        gone = frozenset(event.ecg_ids)
        return tuple(_left(alert, event, gone) for alert in alerts)
    if isinstance(event, ReadingSigned):
        signed = {event.ecg_id, repeats.get(event.ecg_id, event.ecg_id)}
        return tuple(_moved(a, event) if signed.intersection(a.ecg_ids) else a for a in alerts)
    if isinstance(event, ACTS):
        return tuple(_moved(alert, event) for alert in alerts)
    if not isinstance(event, ALERT_EVENTS):
        return alerts
    return tuple(
        _fold_alert(_moved(a, event), envelope) if a.alert_id == event.alert_id else a for a in alerts
    )


def _left(alert: Alert, event: CaseSplit, gone: frozenset[str]) -> Alert:
    """What remains of an alert once ECGs have left its case: it is about those that stay, or asked there no more."""
    if gone.issuperset(alert.ecg_ids):
        return _moved(alert, event)
    stay = tuple(ecg_id for ecg_id in alert.ecg_ids if ecg_id not in gone)
    return msgspec.structs.replace(alert, ecg_ids=stay) if gone.intersection(alert.ecg_ids) else alert


def _moved(alert: Alert, event: Event) -> Alert:
    phase = TRANSITIONS.get((alert.phase, type(event)), alert.phase)
    return alert if phase is alert.phase else msgspec.structs.replace(alert, phase=phase)


def _fold_alert(alert: Alert, envelope: Envelope) -> Alert:
    replace, at = msgspec.structs.replace, envelope.at
    match envelope.event:
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
        case AlertSeen() as e:
            return _mark(alert, e.person, e.channel, seen_at=at)
        case AlertUnreachable() as e:
            return _mark(alert, e.person, e.channel, unreachable_at=at, unreachable_reason=e.reason)
        case AlertAcknowledged() as e:
            alert = _mark(alert, e.person, None, acknowledged_at=at)
            if alert.acknowledged_at is not None:
                return alert
            return replace(
                alert, acknowledged_at=at, acknowledged_by=e.person, held_by=e.person, held_since=at
            )
        case AlertDeclined() as e:
            return _mark(alert, e.person, None, declined_at=at, decline_reason=e.reason)
        case AlertHandedOver() as e:
            return replace(alert, held_by=e.to_person, held_since=at)
        case AlertEscalated(repeat=0) as e:
            return replace(alert, step=e.step)
        case AlertEscalated():
            return replace(alert, repeats=alert.repeats + 1, all_rung_at=at)
        case AlertExhausted() if not alert.exhausted:
            return replace(alert, exhausted=True, exhausted_at=at, all_rung_at=at)
        case AlertRearmed() as e:
            return _rearmed(alert, e, at)
        case _:
            return alert


def _rearmed(alert: Alert, rearmed: AlertRearmed, at: datetime) -> Alert:
    """The next round: all is as in the beginning, but what was rung and answered before is kept."""
    answers = alert.earlier_answers
    if alert.acknowledged_at is not None and alert.acknowledged_by is not None:
        said = Answer(person=alert.acknowledged_by, at=alert.acknowledged_at, round=alert.round)
        answers = (*answers, said)
    people = tuple(
        AlertPerson(person=p.person, channel=p.channel, role=p.role, step=p.step, rings=p.rings)
        for p in alert.people
    )
    return msgspec.structs.replace(
        alert,
        round=rearmed.round,
        plan=rearmed.plan or alert.plan,
        follow_up_s=alert.follow_up_s if rearmed.follow_up_s is None else rearmed.follow_up_s,
        receipt_s=alert.receipt_s if rearmed.receipt_s is None else rearmed.receipt_s,
        repeat_s=rearmed.repeat_s or alert.repeat_s,
        round_began_at=at,
        step=0,
        repeats=0,
        exhausted=False,
        exhausted_at=None,
        all_rung_at=None,
        acknowledged_at=None,
        acknowledged_by=None,
        held_by=None,
        held_since=None,
        people=people,
        earlier_answers=answers,
    )


def _sent(alert: Alert, sent: AlertSent, at: datetime) -> Alert:
    role = alert.plan[sent.step].role if 0 <= sent.step < len(alert.plan) else None
    known = alert.entry(Ring(person=sent.person, channel=sent.channel))
    if known is None:
        person = AlertPerson(
            person=sent.person,
            channel=sent.channel,
            role=role,
            step=sent.step,
            rings=1,
            sent_at=at,
            rung_at=at,
        )
        return msgspec.structs.replace(alert, people=(*alert.people, person))
    again = msgspec.structs.replace(
        known,
        rings=known.rings + 1,
        role=known.role if known.sent_at is not None else role,
        step=known.step if known.sent_at is not None else sent.step,
        sent_at=known.sent_at if known.sent_at is not None else at,
        rung_at=at,
        unreachable_at=None,  # it is tried anew
        unreachable_reason=None,
        declined_at=None,  # and asked anew
        decline_reason=None,
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
