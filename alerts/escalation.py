"""The decisions of the escalation: when to ring, whom next, and when to tell the clinic that nobody has answered.

Pure: a case and a `now` in, events out. The shell appends them to the log and keeps the deadlines; a deadline that is
delivered twice, late or out of order does no harm, because what it decides hangs on the folded case alone.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

import msgspec

from greenchannel.alerts.alert_state import Alert
from greenchannel.alerts.case import Case
from greenchannel.alerts.ecg_state import tier_rank
from greenchannel.alerts.roster import EVERYBODY, EscalationSettings, default_settings
from greenchannel.events import (
    AlertEscalated,
    AlertExhausted,
    AlertOpened,
    AlertRaised,
    AlertSent,
    AnyEvent,
    Envelope,
    PlanStep,
)

ALERT_STEP = "alert_step"  # the one kind of deadline of this room


class Deadline(msgspec.Struct, frozen=True, kw_only=True):
    """Something that must be decided at an instant; kept in a row, found again after a restart."""

    id: str  # derived from what it is for, so that setting it twice is setting it once
    due_at: datetime
    kind: str
    stream: str  # of the case
    payload: dict[str, Any]


# ---------------------------------------------------------------- does somebody have to look?


def should_alert(case: Case, tier: str, settings: EscalationSettings | None = None) -> bool:
    """Whether an ECG of `tier` opens a new alert, that is, rings.

    One alert for each episode: while one waits for its answer, a later ECG only raises it. After the answer a new one
    opens where the tier has risen above what was answered, or where the answered one was settled as harmless.
    """
    if tier not in (settings or default_settings()).paging_tiers:
        return False
    alert = case.alert
    if alert is None:
        return True
    return not alert.open and (tier_rank(tier) < tier_rank(alert.tier) or settled(case, alert, settings))


def settled(case: Case, alert: Alert, settings: EscalationSettings | None = None) -> bool:
    """Whether a person has closed the matter of an answered alert.

    That is so when the green channel was stood down after the alert had opened, or when the newest signed reading of
    its ECGs says a tier that does not page. What comes after that is news.
    """
    stood_down_at = case.channel.stood_down_at
    if case.channel.state == "stood_down" and stood_down_at is not None and stood_down_at >= alert.opened_at:
        return True
    readings = [r for e in case.ecgs if e.ecg_id in alert.ecg_ids for r in e.readings]
    if not readings:
        return False
    newest = max(readings, key=lambda reading: reading.seq)
    return newest.tier not in (settings or default_settings()).paging_tiers


def call(
    case: Case,
    *,
    ecg_id: str,
    tier: str,
    findings: Iterable[Mapping[str, Any]],
    alert_id: str,
    plan: tuple[PlanStep, ...],
    settings: EscalationSettings | None = None,
) -> list[AnyEvent]:
    """Return what an ECG of `tier` does to the alerts of its case: open one, raise the open one, or nothing."""
    settings = settings or default_settings()
    if tier not in settings.paging_tiers:
        return []
    alert = case.alert
    said_before = alert is not None and ecg_id in alert.ecg_ids and tier_rank(tier) >= tier_rank(alert.tier)
    if said_before:
        return []
    rules = tuple(dict.fromkeys(str(f["id"]) for f in findings if f.get("tier") in settings.paging_tiers))
    if should_alert(case, tier, settings):
        return open_events(alert_id=alert_id, tier=tier, ecg_id=ecg_id, rules=rules, plan=plan)
    assert alert is not None  # with no alert, should_alert is true for every paging tier
    return [AlertRaised(alert_id=alert.alert_id, tier=tier, ecg_id=ecg_id, rules=rules)]


def open_events(
    *, alert_id: str, tier: str, ecg_id: str, rules: tuple[str, ...], plan: tuple[PlanStep, ...]
) -> list[AnyEvent]:
    """Return the opening of an alert and its first ring. A plan of one step is exhausted as it opens: nobody is
    there."""
    plan = plan or (PlanStep(after_s=0.0, role=EVERYBODY, people=(), channels=()),)
    opened = AlertOpened(alert_id=alert_id, tier=tier, ecg_id=ecg_id, rules=rules, plan=plan)
    events: list[AnyEvent] = [opened, *_ring(alert_id, plan, 0, skip=())]
    if len(plan) == 1:
        events.append(AlertExhausted(alert_id=alert_id))
    return events


# ---------------------------------------------------------------- nobody has answered yet


def waits(case: Case, alert: Alert) -> bool:
    """Whether the alert still has to be brought to somebody: unanswered, and its case was not ended after it opened."""
    return alert.open and (case.closed_at is None or alert.opened_at > case.closed_at)


def deadlines(envelope: Envelope, case: Case) -> list[Deadline]:
    """Return the deadlines that one event sets: for the opening of an alert, one for each step after the first."""
    event = envelope.event
    if not isinstance(event, AlertOpened) or envelope.case_id != case.case_id:
        return []
    return [
        Deadline(
            id=f"{event.alert_id}:{step}",
            due_at=envelope.at + timedelta(seconds=planned.after_s),
            kind=ALERT_STEP,
            stream=envelope.stream,
            payload={"alert_id": event.alert_id, "step": step},
        )
        for step, planned in enumerate(event.plan)
        if step > 0
    ]


def on_due(case: Case, deadline: Deadline, now: datetime) -> list[AnyEvent]:
    """Return what a deadline does now: the steps that fell due; nothing when they were taken or somebody answered."""
    if deadline.kind != ALERT_STEP or now < deadline.due_at:
        return []
    alert = case.alert_of(deadline.payload["alert_id"])
    step = deadline.payload["step"]
    if alert is None or not waits(case, alert) or step <= alert.step:
        return []
    return escalate(alert, step)


def escalate(alert: Alert, to_step: int, declined: frozenset[str] = frozenset()) -> list[AnyEvent]:
    """Return the steps of an open alert up to `to_step`, and on until somebody is rung or no step is left.

    A step that was passed over, because its deadline came late, is still rung. People who declined are not rung again.
    The last step exhausts the alert.
    """
    skip = declined | {entry.person for entry in alert.people if entry.declined_at is not None}
    last = len(alert.plan) - 1
    events: list[AnyEvent] = []
    rung = False
    for step in range(alert.step + 1, last + 1):
        if step > to_step and rung:
            break
        sends = _ring(alert.alert_id, alert.plan, step, skip)
        rung = bool(sends)
        events += [AlertEscalated(alert_id=alert.alert_id, step=step), *sends]
        if step == last and not alert.exhausted:
            events.append(AlertExhausted(alert_id=alert.alert_id))
    return events


def _ring(alert_id: str, plan: tuple[PlanStep, ...], step: int, skip: Iterable[str]) -> list[AlertSent]:
    skip = frozenset(skip)
    return [
        AlertSent(alert_id=alert_id, person=person, channel=channel, step=step)
        for person in plan[step].people
        if person not in skip
        for channel in plan[step].channels
    ]
