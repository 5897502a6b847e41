"""The table of the escalation and what the events fold to: held against each other, row by row."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from greenchannel.alerts.alert_deadlines import FOLLOW_UP, REPEAT, STEP, Deadline, on_due
from greenchannel.alerts.alerting_page import ACTIONS, PHASES, TRIGGERS, markdown
from greenchannel.alerts.commands import (
    acknowledge,
    analysed,
    close_case,
    decline,
    hand_over,
    open_green_channel,
    sign_reading,
    unreachable,
)
from greenchannel.alerts.escalation import call, open_events
from greenchannel.alerts.escalation_table import TABLE, Action, Phase, Trigger
from greenchannel.alerts.refusal import Refused
from greenchannel.events import (
    AlertAcknowledged,
    AlertDeclined,
    AlertEscalated,
    AlertExhausted,
    AlertHandedOver,
    AlertOpened,
    AlertRaised,
    AlertRearmed,
    AlertSent,
    AlertUnreachable,
    AnyEvent,
    PlanStep,
)
from tests.alerts_log import PLAN, Log, due_times, read, seconds

SHORT = (PLAN[0], PLAN[3])  # the first reader, then everybody
NOBODY: tuple[PlanStep, ...] = ()

WRITES: dict[Action, tuple[type[Any], ...]] = {
    Action.OPEN: (AlertOpened,),
    Action.RAISE: (AlertRaised,),
    Action.REARM: (AlertRearmed,),
    Action.RING_FIRST: (AlertSent,),
    Action.TAKE_STEPS: (AlertEscalated, AlertSent),
    Action.RING_ALL_AGAIN: (AlertEscalated, AlertSent),
    Action.TELL_CLINIC: (AlertExhausted,),
    Action.NOTE: (AlertAcknowledged, AlertDeclined, AlertHandedOver, AlertUnreachable),
}


def in_phase(phase: Phase, tier: str, plan: tuple[PlanStep, ...]) -> Log:
    """A case whose alert is in a phase."""
    log = Log()
    log.ecg()
    if phase is Phase.NONE:
        return log
    log.extend(open_events(alert_id="a_1", tier=tier, ecg_id="e_1", rules=(), plan=plan))
    if phase is Phase.EXHAUSTED:
        due(log, STEP, len(plan) - 1)
    if phase in (Phase.ANSWERED, Phase.FOLLOWED):
        log.extend(acknowledge(log.case, "a_1", "anna"), at_s=10)
    if phase is Phase.FOLLOWED:
        log.extend(sign_reading(log.case, "e_1", "anna", text="STEMI", tier="ACT"), at_s=20)
    alert = log.case.alert
    assert alert is not None and alert.phase is phase
    return log


def planned(log: Log) -> list[Deadline]:
    return due_times(log.envelopes)


def due(log: Log, kind: str, step: int | None = None, plan: tuple[PlanStep, ...] = PLAN) -> None:
    """Let the due time of this kind come, or one of the same shape where none was set."""
    found = [d for d in planned(log) if d.kind == kind and step in (None, d.payload.get("step"))]
    payload = {"alert_id": "a_1", "round": 1, "step": step, "repeat": 1}
    deadline = (
        found[-1]
        if found
        else Deadline(id="x", due_at=log.now, kind=kind, stream="case:c_1", payload=payload)
    )
    log.now_s = max(log.now_s, (deadline.due_at - seconds(0)).total_seconds())
    log.extend(on_due(log.case, deadline, log.now, plan_of=lambda _: plan, new_alert_id="a_9"))


def ecg(log: Log, tier: str, plan: tuple[PlanStep, ...] = PLAN) -> None:
    log.ecg("e_2")
    log.extend(call(log.case, ecg_id="e_2", tier=tier, findings=[], alert_id="a_2", plan=plan))


def act(log: Log) -> None:
    log.extend(sign_reading(log.case, "e_1", "anna", text="STEMI", tier="ACT"), actor="user:anna")


def told(log: Log, decide: Callable[[Any], list[AnyEvent]]) -> None:
    try:
        log.extend(decide(log.case))
    except Refused as refused:
        assert refused.code in ("not_held", "held")


def hand_back(log: Log, plan: tuple[PlanStep, ...]) -> None:
    """Whom the alert was given to declines, where it was given to anybody."""
    alert = log.case.alert
    if alert is not None and alert.given_to is not None:
        told(log, lambda c: decline(c, "a_1", "bo", plan=plan))


# What brings each trigger about: the tier and plan of the alert that is there, and the act.
Cause = tuple[str, tuple[PlanStep, ...], Callable[[Log], None]]
CAUSES: dict[Trigger, Cause] = {
    Trigger.PAGING_ECG: ("CRIT", PLAN, lambda log: ecg(log, "ACT")),
    Trigger.PAGING_ECG_NOBODY: ("CRIT", PLAN, lambda log: ecg(log, "ACT", NOBODY)),
    Trigger.LATER_ECG: ("ACT", PLAN, lambda log: ecg(log, "ACT")),
    Trigger.LOUDER_ECG: ("URG", PLAN, lambda log: ecg(log, "ACT")),
    Trigger.LOUDER_ECG_NOBODY: ("URG", PLAN, lambda log: ecg(log, "ACT", NOBODY)),
    Trigger.STEP_DUE: ("ACT", PLAN, lambda log: due(log, STEP, 1)),
    Trigger.LAST_STEP_DUE: ("ACT", PLAN, lambda log: due(log, STEP, 3)),
    Trigger.DECLINED: ("ACT", PLAN, lambda log: told(log, lambda c: decline(c, "a_1", "anna"))),
    Trigger.LAST_DECLINED: ("ACT", SHORT, lambda log: told(log, lambda c: decline(c, "a_1", "anna"))),
    Trigger.UNREACHED: (
        "ACT",
        PLAN,
        lambda log: told(log, lambda c: unreachable(c, "a_1", "anna", "live", "x")),
    ),
    Trigger.LAST_UNREACHED: (
        "ACT",
        SHORT,
        lambda log: told(log, lambda c: unreachable(c, "a_1", "anna", "live", "x")),
    ),
    Trigger.REPEAT_DUE: ("ACT", PLAN, lambda log: due(log, REPEAT)),
    Trigger.ANSWER: ("ACT", PLAN, lambda log: told(log, lambda c: acknowledge(c, "a_1", "bo"))),
    Trigger.HANDED_OVER: ("ACT", PLAN, lambda log: told(log, lambda c: hand_over(c, "a_1", "anna", "bo"))),
    Trigger.HANDED_BACK: ("ACT", PLAN, lambda log: hand_back(log, PLAN)),
    Trigger.HANDED_BACK_NOBODY: ("ACT", PLAN, lambda log: hand_back(log, (PLAN[3],))),
    Trigger.ACTED: ("ACT", PLAN, act),
    Trigger.FOLLOW_UP_DUE: ("ACT", PLAN, lambda log: due(log, FOLLOW_UP)),
    Trigger.FOLLOW_UP_DUE_NOBODY: ("ACT", PLAN, lambda log: due(log, FOLLOW_UP, plan=NOBODY)),
}

# Rows that no history reaches: there is no alert to be answered; a person who acts has answered first; an alert that
# ranks below what pages is outranked by any ECG that does.
ELSEWHERE = {
    *((Phase.NONE, trigger) for trigger in Trigger if trigger not in (Trigger.PAGING_ECG, Trigger.PAGING_ECG_NOBODY)),
    *((phase, t) for phase in (Phase.RINGING, Phase.EXHAUSTED)
      for t in (Trigger.ACTED, Trigger.PAGING_ECG, Trigger.PAGING_ECG_NOBODY)),
    *((phase, t) for phase in (Phase.ANSWERED, Phase.FOLLOWED)
      for t in (Trigger.LOUDER_ECG, Trigger.LOUDER_ECG_NOBODY)),
}  # fmt: skip


def test_the_table_has_an_answer_to_everything() -> None:
    """Each phase × each trigger, once."""
    assert set(TABLE) == {(phase, trigger) for phase in Phase for trigger in Trigger}
    assert set(CAUSES) == set(Trigger)


@pytest.mark.parametrize(("phase", "trigger"), sorted(set(TABLE) - ELSEWHERE))
def test_what_the_table_says_is_what_the_events_fold_to(phase: Phase, trigger: Trigger) -> None:
    """The phase after, and the kinds of events written, in the order of the actions."""
    decided = TABLE[phase, trigger]
    tier, plan, cause = CAUSES[trigger]
    log = in_phase(phase, tier, plan)
    if trigger.startswith("handed_back") and phase in (Phase.ANSWERED, Phase.FOLLOWED):
        log.extend(hand_over(log.case, "a_1", "anna", "bo"))
    before = len(log.envelopes)
    cause(log)
    alert = log.case.alert
    assert alert is not None and alert.phase is decided.next
    ours = tuple(kind for kinds in WRITES.values() for kind in kinds)
    written = [type(e.event) for e in log.envelopes[before:] if isinstance(e.event, ours)]
    nobody = trigger.endswith("_nobody")
    for action in decided.actions:
        if action is Action.RING_FIRST and nobody and not (written and written[0] is AlertSent):
            continue  # there is nobody to ring
        assert written and written[0] in WRITES[action], (action, written)
        while written and written[0] in WRITES[action]:
            written.pop(0)
    assert written == []


def test_the_end_of_a_case_follows_an_answer_too() -> None:
    """As a signed reading does, and the opening of the green channel."""
    ends: tuple[Callable[[Log], list[AnyEvent]], ...] = (
        lambda log: close_case(log.case, "x"),
        lambda log: open_green_channel(log.case, "anna", channel_id="g"),
    )
    for end in ends:
        log = Log()
        log.ecg()
        log.extend(analysed(log.case, read(), alert_id="a_1", plan=PLAN))
        log.extend(acknowledge(log.case, "a_1", "anna"))
        log.extend(end(log))
        assert log.case.alert is not None and log.case.alert.phase is Phase.FOLLOWED


def test_the_page_is_what_the_tables_say() -> None:
    """`python -m tools.alerting_page` writes it; each phase, trigger and action has its words."""
    page = Path(__file__).parents[2] / "docs" / "alerting.md"
    assert page.read_text(encoding="utf-8") == markdown()
    assert (set(PHASES), set(TRIGGERS), set(ACTIONS)) == (set(Phase), set(Trigger), set(Action))
