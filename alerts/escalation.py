"""The decisions of the escalation: when to ring, whom next, and when to tell the clinic that nobody has answered.

Pure: a case and a `now` in, events out. What is done in which phase stands in `escalation_table.py`; here is what that
means in events. The shell appends them to the log and keeps the due times (`alert_deadlines.py`).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from greenchannel.alerts.alert_state import Alert
from greenchannel.alerts.case import Case
from greenchannel.alerts.ecg_state import tier_rank
from greenchannel.alerts.escalation_plan import EVERYBODY, LIVE, EscalationSettings, default_settings
from greenchannel.alerts.escalation_table import Action, Phase, Row, Trigger, row
from greenchannel.events import (
    AlertDeclined,
    AlertEscalated,
    AlertExhausted,
    AlertOpened,
    AlertRaised,
    AlertRearmed,
    AlertSent,
    AlertUnreachable,
    AnyEvent,
    PlanStep,
    Ring,
)

Plan = tuple[PlanStep, ...]
ChannelsOf = Callable[[str], Sequence[str]]
"""Every channel of a person."""

_NOBODY: Plan = (PlanStep(after_s=0.0, role=EVERYBODY, people=(), channels=()),)


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


def _louder(alert: Alert, tier: str, settings: EscalationSettings) -> bool:
    """Whether an ECG pages now, while the alert that waits is about one that could wait."""
    return alert.open and alert.tier not in settings.paging_tiers and tier in settings.paging_tiers


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
    plan: Plan,
    settings: EscalationSettings | None = None,
) -> list[AnyEvent]:
    """Return what an ECG of `tier` does to the alerts of its case: open one, raise or ring the one that is there anew,
    or nothing."""
    settings = settings or default_settings()
    if tier not in settings.paging_tiers:
        return []
    alert = case.alert
    said_before = alert is not None and ecg_id in alert.ecg_ids and tier_rank(tier) >= tier_rank(alert.tier)
    if said_before:
        return []
    rules = tuple(dict.fromkeys(str(f["id"]) for f in findings if f.get("tier") in settings.paging_tiers))
    if should_alert(case, tier, settings):
        return open_events(
            alert_id=alert_id, tier=tier, ecg_id=ecg_id, rules=rules, plan=plan, settings=settings
        )
    assert alert is not None  # with no alert, should_alert is true for every paging tier
    raised = AlertRaised(alert_id=alert.alert_id, tier=tier, ecg_id=ecg_id, rules=rules)
    if not _louder(alert, tier, settings):
        return _act(row(alert.phase, Trigger.LATER_ECG), {Action.RAISE: lambda: [raised]})
    return rearm(alert, plan, reason="louder", raised=raised, settings=settings)


def open_events(
    *,
    alert_id: str,
    tier: str,
    ecg_id: str,
    rules: tuple[str, ...],
    plan: Plan,
    settings: EscalationSettings | None = None,
) -> list[AnyEvent]:
    """Return the opening of an alert and its first ring. A plan of one step is exhausted as it opens: nobody is
    there."""
    plan, settings = plan or _NOBODY, settings or default_settings()
    opened = AlertOpened(
        alert_id=alert_id,
        tier=tier,
        ecg_id=ecg_id,
        rules=rules,
        plan=plan,
        follow_up_s=settings.follow_up_s,
        receipt_s=settings.receipt_s,
        repeat_s=settings.repeat_s,
    )
    trigger = Trigger.PAGING_ECG if len(plan) > 1 else Trigger.PAGING_ECG_NOBODY
    doing: dict[Action, Callable[[], Sequence[AnyEvent]]] = {
        Action.OPEN: lambda: [opened],
        Action.RING_FIRST: lambda: ring(alert_id, plan[0].all_rings, 0),
        Action.TELL_CLINIC: lambda: [AlertExhausted(alert_id=alert_id)],
    }
    return _act(row(Phase.NONE, trigger), doing)


_REARMED_BY: Final[Mapping[str, tuple[Trigger, Trigger]]] = {
    "louder": (Trigger.LOUDER_ECG, Trigger.LOUDER_ECG_NOBODY),
    "nothing_followed": (Trigger.FOLLOW_UP_DUE, Trigger.FOLLOW_UP_DUE_NOBODY),
    "not_taken": (Trigger.FOLLOW_UP_DUE, Trigger.FOLLOW_UP_DUE_NOBODY),
    "handed_back": (Trigger.HANDED_BACK, Trigger.HANDED_BACK_NOBODY),
}


def rearm(
    alert: Alert,
    plan: Plan,
    *,
    reason: str,
    raised: AlertRaised | None = None,
    declined: AlertDeclined | None = None,
    channels_of: ChannelsOf | None = None,
    settings: EscalationSettings | None = None,
) -> list[AnyEvent]:
    """Return a new round of an alert: the plan of now from its first step, and whoever had it is rung as well.

    Parameters
    ----------
    reason
        "louder", "nothing_followed", "not_taken" by who was given it, or "handed_back" by them.
    declined
        By whom it was handed back: who is not rung in this round.
    channels_of
        Of a person who stands in no plan; without it, the board.
    """
    plan, settings = plan or _NOBODY, settings or default_settings()
    trigger = _REARMED_BY[reason][0 if len(plan) > 1 else 1]
    again = AlertRearmed(
        alert_id=alert.alert_id,
        round=alert.round + 1,
        plan=plan,
        reason=reason,
        follow_up_s=settings.follow_up_s,
        receipt_s=settings.receipt_s,
        repeat_s=settings.repeat_s,
    )
    rings = tuple(
        dict.fromkeys(
            [
                *plan[0].all_rings,
                *_rings_of(alert.held_by, plan),
                *_all_rings(alert.held_by, channels_of),
                *_all_rings(alert.acknowledged_by, channels_of),
            ]
        )
    )
    skip = frozenset[str]() if declined is None else frozenset({declined.person})
    doing: dict[Action, Callable[[], Sequence[AnyEvent]]] = {
        Action.RAISE: lambda: [] if raised is None else [raised],
        Action.REARM: lambda: [again],
        Action.RING_FIRST: lambda: ring(alert.alert_id, rings, 0, skip),
        Action.NOTE: lambda: [] if declined is None else [declined],
        Action.TELL_CLINIC: lambda: [AlertExhausted(alert_id=alert.alert_id)],
    }
    return _act(row(alert.phase, trigger), doing)


def _rings_of(person: str | None, plan: Plan) -> list[Ring]:
    return [one for step in plan for one in step.all_rings if one.person == person]


def _all_rings(person: str | None, channels_of: ChannelsOf | None) -> list[Ring]:
    """The board of a person, and every other channel that they have."""
    if person is None:
        return []
    channels = () if channels_of is None else channels_of(person)
    return [Ring(person=person, channel=one) for one in dict.fromkeys((LIVE, *channels))]


# ---------------------------------------------------------------- nobody has answered yet


def waits(case: Case, alert: Alert) -> bool:
    """Whether the alert still has to be brought to somebody: unanswered, and its case was not ended after it opened."""
    return alert.open and (case.closed_at is None or alert.opened_at > case.closed_at)


def take_steps(alert: Alert, to_step: int, now: Plan = ()) -> list[AnyEvent]:
    """Return the steps of an alert up to `to_step`, because they fell due.

    With the plan of `now` the step that calls everybody also calls who has come on duty since the alert opened.
    """
    sends, last = _steps(alert, to_step, frozenset(), now)
    trigger = Trigger.LAST_STEP_DUE if last else Trigger.STEP_DUE
    return _take(alert, trigger, [], sends)


def decline(alert: Alert, noted: AnyEvent, person: str) -> list[AnyEvent]:
    """Return the next step, because a person who was rung cannot take it."""
    sends, last = _steps(alert, alert.step + 1, frozenset({person}))
    trigger = Trigger.LAST_DECLINED if last else Trigger.DECLINED
    return _take(alert, trigger, [noted], sends)


def unreached(alert: Alert, noted: Sequence[AlertUnreachable]) -> list[AnyEvent]:
    """Return what follows when channels gave up: the next step, where with them nobody of the present one is left."""
    gone = {Ring(person=one.person, channel=one.channel) for one in noted}
    if alert.phase is Phase.RINGING and not _still_rings(alert, gone):
        sends, last = _steps(alert, alert.step + 1, frozenset())
    else:
        sends, last = [], False
    trigger = Trigger.LAST_UNREACHED if last else Trigger.UNREACHED
    return _take(alert, trigger, noted, sends)


def ring_all_again(alert: Alert, plan: Plan) -> list[AnyEvent]:
    """Return one more ring of everybody who is on duty now, to an alert that nobody has answered."""
    rings = (plan or alert.plan)[-1].all_rings
    again = AlertEscalated(alert_id=alert.alert_id, step=alert.step, repeat=alert.repeats + 1)
    sends: list[AnyEvent] = [again, *ring(alert.alert_id, rings, alert.step)]
    return _act(row(alert.phase, Trigger.REPEAT_DUE), {Action.RING_ALL_AGAIN: lambda: sends})


def _still_rings(alert: Alert, gone: set[Ring]) -> bool:
    """Whether a ring of the present step may still reach somebody."""
    rung = [
        (one, entry)
        for one in alert.plan[alert.step].all_rings
        if (entry := alert.entry(one)) is not None and entry.sent_at is not None
    ]
    return any(one not in gone and not entry.dead for one, entry in rung)


def _steps(
    alert: Alert, to_step: int, declined: frozenset[str], now: Plan = ()
) -> tuple[list[AnyEvent], bool]:
    """The steps up to `to_step`, and on until somebody is rung or no step is left; and whether the last was among them.

    A step that was passed over, because its due time came late, is still rung. People who declined are not rung again.
    """
    skip = declined | {entry.person for entry in alert.people if entry.declined_at is not None}
    last = len(alert.plan) - 1
    events: list[AnyEvent] = []
    rung = False
    for step in range(alert.step + 1, last + 1):
        if step > to_step and rung:
            return events, False
        rings = alert.plan[step].all_rings
        if now and alert.plan[step].role == EVERYBODY:
            rings = tuple(dict.fromkeys((*rings, *now[-1].all_rings)))
        sends = ring(alert.alert_id, rings, step, skip)
        rung = bool(sends)
        events += [AlertEscalated(alert_id=alert.alert_id, step=step), *sends]
    return events, True


def ring(
    alert_id: str, rings: Iterable[Ring], step: int, skip: frozenset[str] = frozenset()
) -> list[AlertSent]:
    """Return one ring of each person on each channel, but for those to be passed over."""
    return [
        AlertSent(alert_id=alert_id, person=one.person, channel=one.channel, step=step)
        for one in rings
        if one.person not in skip
    ]


# ---------------------------------------------------------------- the table at work


def _take(
    alert: Alert, trigger: Trigger, noted: Sequence[AnyEvent], sends: Sequence[AnyEvent]
) -> list[AnyEvent]:
    doing: dict[Action, Callable[[], Sequence[AnyEvent]]] = {
        Action.NOTE: lambda: noted,
        Action.TAKE_STEPS: lambda: sends,
        Action.TELL_CLINIC: lambda: [AlertExhausted(alert_id=alert.alert_id)],
    }
    return _act(row(alert.phase, trigger), doing)


def _act(decided: Row, doing: Mapping[Action, Callable[[], Sequence[AnyEvent]]]) -> list[AnyEvent]:
    return [event for action in decided.actions for event in doing[action]()]
