"""Did what should have happened happen? An independent look at the folded cases, with none of the engine's code path.

It does not ask the deadlines, for they may be what is broken; it reads the cases and the clock.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Literal

import msgspec

from greenchannel.alerts.alert_state import Alert
from greenchannel.alerts.case import Case
from greenchannel.alerts.ecg_state import Ecg, tier_rank
from greenchannel.alerts.escalation_plan import EscalationSettings, default_settings
from greenchannel.triage.finding import Tier

Kind = Literal[
    "step",
    "ring",
    "exhaustion",
    "repeat",
    "follow_up",
    "alert",
    "analysis",
    "reading",
    "untold",
    "unconfirmed",
    "uncalled",
]


class Missed(msgspec.Struct, frozen=True, kw_only=True):
    """Something that was due and is not in the log."""

    kind: Kind
    case_id: str
    due_at: datetime
    late_s: float  # how long ago it was due
    alert_id: str | None = None
    step: int | None = None
    ecg_id: str | None = None
    drill: bool = False


def audit(cases: Iterable[Case], now: datetime, settings: EscalationSettings | None = None) -> list[Missed]:
    """Return what is overdue by more than the grace, the oldest first.

    "step": a step of an open alert; "ring": nobody of the first step was rung; "exhaustion": the clinic was not told;
    "repeat": everybody should have been rung again; "follow_up": nothing followed an answer, and nobody was asked;
    "alert": an ECG of a paging tier without an alert; "analysis": an ECG that nothing has read; "reading": one that
    was to be read by a person, and nobody was told that it was not.
    """
    settings = settings or default_settings()
    found = [
        msgspec.structs.replace(missed, drill=case.is_drill)
        for case in cases
        for missed in _audit_case(case, now, settings)
    ]
    return sorted((m for m in found if m.late_s > settings.grace_s), key=lambda m: (m.due_at, m.case_id))


def _audit_case(case: Case, now: datetime, settings: EscalationSettings) -> Iterator[Missed]:
    if case.state == "merged":
        return
    for alert in case.alerts:
        if alert.open and (case.closed_at is None or alert.opened_at > case.closed_at):
            yield from audit_alert(case.case_id, alert, now)
    newest = case.alerts[-1] if case.alerts else None
    if newest is not None and newest.follow_up_at is not None and case.state == "open":
        yield _missed("follow_up", case.case_id, newest.follow_up_at, now, alert_id=newest.alert_id)
    for ecg in case.current_ecgs:
        yield from _audit_ecg(case, ecg, now, settings)


def _audit_ecg(case: Case, ecg: Ecg, now: datetime, settings: EscalationSettings) -> Iterator[Missed]:
    covered = any(tier_rank(alert.tier) <= tier_rank(ecg.tier) for alert in case.alerts)
    read_at = ecg.settled_at or ecg.stream_started_at
    withheld = ecg.alert_withheld_at is not None  # the same recording had been read before
    if ecg.tier in settings.paging_tiers and not (covered or withheld) and read_at is not None:
        yield _missed("alert", case.case_id, read_at, now, ecg_id=ecg.ecg_id)
    if ecg.received_at is not None and ecg.awaits_machine:
        due_at = ecg.received_at + timedelta(seconds=settings.analysis_s)
        yield _missed("analysis", case.case_id, due_at, now, ecg_id=ecg.ecg_id)
    waits = case.state == "open" and ecg.tier in settings.waiting_s and not ecg.only_repeats
    if waits and not ecg.was_read and ecg.overdue_at is None and ecg.received_at is not None:
        due_at = ecg.received_at + timedelta(seconds=settings.waiting_s[Tier(str(ecg.tier))])
        yield _missed("reading", case.case_id, max(due_at, read_at or due_at), now, ecg_id=ecg.ecg_id)


def audit_alert(case_id: str, alert: Alert, now: datetime) -> Iterator[Missed]:
    """What was due of one alert that waits for its answer, however little ago."""
    for step, planned in enumerate(alert.plan):
        if step > alert.step:
            due_at = alert.round_began_at + timedelta(seconds=planned.after_s)
            yield _missed("step", case_id, due_at, now, alert_id=alert.alert_id, step=step)
    if alert.plan[0].people and not any(entry.sent_at is not None for entry in alert.people):
        yield _missed("ring", case_id, alert.round_began_at, now, alert_id=alert.alert_id, step=0)
    if not alert.exhausted:
        due_at = alert.round_began_at + timedelta(seconds=alert.plan[-1].after_s)
        yield _missed("exhaustion", case_id, due_at, now, alert_id=alert.alert_id, step=len(alert.plan) - 1)
    elif alert.repeat_s and alert.all_rung_at is not None:
        after_s = alert.repeat_s[min(alert.repeats, len(alert.repeat_s) - 1)]
        due_at = alert.all_rung_at + timedelta(seconds=after_s)
        yield _missed("repeat", case_id, due_at, now, alert_id=alert.alert_id)


def _missed(
    kind: Kind,
    case_id: str,
    due_at: datetime,
    now: datetime,
    *,
    alert_id: str | None = None,
    step: int | None = None,
    ecg_id: str | None = None,
) -> Missed:
    return Missed(
        kind=kind,
        case_id=case_id,
        due_at=due_at,
        late_s=(now - due_at).total_seconds(),
        alert_id=alert_id,
        step=step,
        ecg_id=ecg_id,
    )
