"""What falls due because of an alert, when, and what it does then.

A due time that comes twice, late or out of order does no harm: what it decides hangs on the folded case alone.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import msgspec

from greenchannel.alerts.alert_state import Alert
from greenchannel.alerts.case import Case
from greenchannel.alerts.ecg_state import Ecg, tier_rank
from greenchannel.alerts.escalation import (
    ChannelsOf,
    Plan,
    open_events,
    rearm,
    ring_all_again,
    settled,
    take_steps,
    unreached,
    waits,
)
from greenchannel.alerts.escalation_plan import LIVE, EscalationSettings, default_settings
from greenchannel.events import (
    AlertAcknowledged,
    AlertEscalated,
    AlertExhausted,
    AlertHandedOver,
    AlertOpened,
    AlertRearmed,
    AlertUnreachable,
    AnyEvent,
    EcgAnalysed,
    EcgNotAnalysed,
    Envelope,
    ProvisionalReading,
    ReadingOverdue,
)

STEP = "alert_step"  # a step of the plan
RECEIPT = "alert_receipt"  # has any board of the step said that it has the ring?
REPEAT = "alert_repeat"  # everybody once more
FOLLOW_UP = "alert_follow_up"  # has anything followed the answer?
READING = "reading_due"  # an ECG that waits in the worklist
KINDS = (STEP, RECEIPT, REPEAT, FOLLOW_UP, READING)

PlanOf = Callable[[str], Plan]
"""The plan of now for a tier."""


class Deadline(msgspec.Struct, frozen=True, kw_only=True):
    """Something that must be decided at an instant; kept in a row, found again after a restart."""

    id: str  # derived from what it is for, so that setting it twice is setting it once
    due_at: datetime
    kind: str
    stream: str  # of the case
    payload: dict[str, Any]


# ---------------------------------------------------------------- what an event sets


def deadlines(envelope: Envelope, case: Case, settings: EscalationSettings | None = None) -> list[Deadline]:
    """Return the due times that one event of a case sets; `case` is as it stands after the event."""
    event = envelope.event
    if envelope.case_id != case.case_id:
        return []
    if isinstance(event, EcgAnalysed | EcgNotAnalysed | ProvisionalReading):
        return _of_reading(envelope, case, event.ecg_id, settings or default_settings())
    return of_alert(envelope, case.alert_of)


def of_alert(envelope: Envelope, alert_of: Callable[[str], Alert | None]) -> list[Deadline]:
    """Return the due times that one event of an alert sets; `alert_of` gives alerts as they stand after the event."""
    event = envelope.event

    def alert(alert_id: str) -> Alert:
        found = alert_of(alert_id)
        if found is None:
            raise ValueError(f"expected the alert {alert_id} in {envelope.stream}, got none")
        return found

    match event:
        case AlertOpened() | AlertRearmed():
            return _of_round(envelope, alert(event.alert_id))
        case AlertEscalated(repeat=0):
            return _of_step(envelope, alert(event.alert_id), event.step)
        case AlertExhausted() | AlertEscalated():
            return _of_repeat(envelope, alert(event.alert_id))
        case AlertAcknowledged() | AlertHandedOver():
            return _of_answer(envelope, alert(event.alert_id))
        case _:
            return []


def round_id(alert: Alert) -> str:
    """The name of an alert's present round; of the first it is the alert's own."""
    return alert.alert_id if alert.round == 1 else f"{alert.alert_id}:r{alert.round}"


def _deadline(
    envelope: Envelope, alert: Alert, kind: str, name: str, due_at: datetime, **more: Any
) -> Deadline:
    payload = {"alert_id": alert.alert_id, "round": alert.round, **more}
    return Deadline(
        id=f"{round_id(alert)}:{name}", due_at=due_at, kind=kind, stream=envelope.stream, payload=payload
    )


def _of_round(envelope: Envelope, alert: Alert) -> list[Deadline]:
    steps = [
        _deadline(envelope, alert, STEP, f"{step}", alert.step_due_at(step), step=step)
        for step in range(1, len(alert.plan))
    ]
    return steps + _of_step(envelope, alert, 0)


def _of_step(envelope: Envelope, alert: Alert, step: int) -> list[Deadline]:
    """The look whether a step was heard; after the last there is nobody to go on to."""
    if alert.receipt_s is None or step + 1 >= len(alert.plan):
        return []
    due_at = envelope.at + timedelta(seconds=alert.receipt_s)
    return [_deadline(envelope, alert, RECEIPT, f"{step}:receipt", due_at, step=step)]


def _of_repeat(envelope: Envelope, alert: Alert) -> list[Deadline]:
    after_s = alert.repeat_after_s()
    if after_s is None:
        return []
    due_at, repeat = envelope.at + timedelta(seconds=after_s), alert.repeats + 1
    return [_deadline(envelope, alert, REPEAT, f"again:{repeat}", due_at, repeat=repeat)]


def _of_answer(envelope: Envelope, alert: Alert) -> list[Deadline]:
    """One for a round; a hand-over moves it. A second answer in the round finds `follow_up_at` where it was."""
    due_at = alert.follow_up_at
    return [] if due_at is None else [_deadline(envelope, alert, FOLLOW_UP, "follow", due_at)]


def _of_reading(envelope: Envelope, case: Case, ecg_id: str, settings: EscalationSettings) -> list[Deadline]:
    ecg = case.ecg(ecg_id)
    due_at = None if ecg is None else reading_due_at(ecg, settings)
    if due_at is None:
        return []
    payload = {"ecg_id": ecg_id}
    return [
        Deadline(
            id=f"{case.case_id}:{ecg_id}:reading",
            due_at=due_at,
            kind=READING,
            stream=envelope.stream,
            payload=payload,
        )
    ]


def reading_due_at(ecg: Ecg, settings: EscalationSettings) -> datetime | None:
    """When an ECG that waits in the worklist must have been read; None for a tier that does not wait, or without a
    beginning."""
    begun_at = ecg.received_at if ecg.received_at is not None else ecg.stream_started_at
    wait_s = {tier.value: s for tier, s in settings.waiting_s.items()}.get(ecg.tier or "")
    return None if begun_at is None or wait_s is None else begun_at + timedelta(seconds=wait_s)


def rings_at(case: Case, settings: EscalationSettings) -> datetime | None:
    """When what waits unread in the worklist will ring: the earliest of the case's ECGs. None where nothing waits, or
    where an alert has brought it to somebody already."""
    waiting = [ecg for ecg in case.distinct_ecgs if _waits_unread(case, ecg, settings)]
    due = [
        at
        for ecg in waiting
        if not _is_handled(case, ecg, settings) and (at := reading_due_at(ecg, settings))
    ]
    return min(due, default=None)


# ---------------------------------------------------------------- what is due


def on_due(
    case: Case,
    deadline: Deadline,
    now: datetime,
    *,
    plan_of: PlanOf | None = None,
    new_alert_id: str | None = None,
    channels_of: ChannelsOf | None = None,
    settings: EscalationSettings | None = None,
) -> list[AnyEvent]:
    """Return what a due time does now; nothing where it was done, or nobody waits for it any more.

    Parameters
    ----------
    plan_of
        The roster of now, for what rings anew; without it the frozen plan holds.
    new_alert_id
        Of an alert that may have to open, where an ECG was left unread.
    channels_of
        Of whoever took an alert and stands in no plan.
    """
    if deadline.kind not in KINDS or now < deadline.due_at:
        return []
    if deadline.kind == READING:
        return _unread(case, deadline, plan_of, new_alert_id, settings or default_settings())
    alert = case.alert_of(deadline.payload["alert_id"])
    if alert is None or deadline.payload.get("round", 1) != alert.round:
        return []
    if deadline.kind == FOLLOW_UP:
        return _nothing_followed(case, alert, now, plan_of, channels_of, settings)
    if not waits(case, alert):
        return []
    plan_now = alert.plan if plan_of is None else plan_of(alert.tier)
    return of_waiting(alert, deadline, now, plan_now)


def of_waiting(alert: Alert, deadline: Deadline, now: datetime, plan_now: Plan) -> list[AnyEvent]:
    """Return what a due time of this round does for an alert that waits for its answer."""
    match deadline.kind:
        case "alert_step":
            step = deadline.payload["step"]
            return take_steps(alert, step, plan_now) if step > alert.step else []
        case "alert_receipt":
            return _no_receipt(alert, deadline.payload["step"], now)
        case _:
            done = deadline.payload["repeat"] <= alert.repeats
            return [] if done else ring_all_again(alert, plan_now)


def _nothing_followed(
    case: Case,
    alert: Alert,
    now: datetime,
    plan_of: PlanOf | None,
    channels_of: ChannelsOf | None,
    settings: EscalationSettings | None,
) -> list[AnyEvent]:
    """The newest alert of a case speaks for the patient; an older one that was outranked is silent."""
    due_at = alert.follow_up_at
    if due_at is None or now < due_at or alert is not case.alert or case.state != "open":
        return []
    plan = alert.plan if plan_of is None else plan_of(alert.tier)
    reason = "nothing_followed" if alert.given_to is None else "not_taken"
    return rearm(alert, plan, reason=reason, channels_of=channels_of, settings=settings)


def _no_receipt(alert: Alert, step: int, now: datetime) -> list[AnyEvent]:
    """Boards of this step that have said nothing are not open, or not on the net. One that was rung anew since then
    has its time before it."""
    rung_before = now - timedelta(seconds=alert.receipt_s or 0.0)
    silent = [
        AlertUnreachable(alert_id=alert.alert_id, person=one.person, channel=one.channel, reason="no_receipt")
        for one in alert.plan[step].all_rings
        if one.channel == LIVE and (entry := alert.entry(one)) is not None
        if entry.delivered_at is None and entry.seen_at is None and not entry.dead
        if entry.rung_at is not None and entry.rung_at <= rung_before
    ]
    return unreached(alert, silent) if silent else []


def _unread(
    case: Case,
    deadline: Deadline,
    plan_of: PlanOf | None,
    new_alert_id: str | None,
    settings: EscalationSettings,
) -> list[AnyEvent]:
    """An ECG was to be read by now. Where no alert has brought it to anybody, one opens."""
    ecg = case.ecg(deadline.payload["ecg_id"])
    if ecg is None or not _waits_unread(case, ecg, settings):
        return []
    overdue = ReadingOverdue(ecg_id=ecg.ecg_id, due_at=deadline.due_at)
    if ecg.tier is None or _is_handled(case, ecg, settings) or plan_of is None or new_alert_id is None:
        return [overdue]
    rules = tuple(dict.fromkeys(str(f["id"]) for f in ecg.findings if f.get("tier") == ecg.tier))
    opened = open_events(
        alert_id=new_alert_id,
        tier=ecg.tier,
        ecg_id=ecg.ecg_id,
        rules=rules,
        plan=plan_of(ecg.tier),
        settings=settings,
    )
    return [overdue, *opened]


def _waits_unread(case: Case, ecg: Ecg, settings: EscalationSettings) -> bool:
    """Does it wait in the worklist, and has nobody read it, nor its time run out?"""
    settled_or_late = ecg.was_read or ecg.moved_to is not None or ecg.overdue_at is not None
    return (
        not settled_or_late
        and case.state == "open"
        and ecg.tier is not None
        and ecg.tier in settings.waiting_s
        and ecg.ecg_id in {one.ecg_id for one in case.distinct_ecgs}
    )


def _is_handled(case: Case, ecg: Ecg, settings: EscalationSettings) -> bool:
    """Does an alert bring it to somebody: one that is open, or one as urgent that somebody still has to follow up?"""
    alert = case.alert
    if alert is None:
        return False
    return alert.open or (tier_rank(alert.tier) <= tier_rank(ecg.tier) and not settled(case, alert, settings))
