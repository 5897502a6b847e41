"""When to ring, whom next, and when to stop."""

import msgspec
import pytest

from greenchannel.alerts.alert_deadlines import STEP, Deadline, deadlines, on_due
from greenchannel.alerts.commands import (
    acknowledge,
    analysed,
    decline,
    open_green_channel,
    provisional,
    sign_reading,
    stand_down,
)
from greenchannel.alerts.escalation import call, open_events, settled, should_alert
from greenchannel.alerts.escalation_plan import EVERYBODY, default_settings, plan_for
from greenchannel.events import (
    AlertAcknowledged,
    AlertEscalated,
    AlertExhausted,
    AlertOpened,
    AlertRaised,
    AlertSent,
    CaseClosed,
    PlanStep,
    ProvisionalReading,
    StreamStarted,
)
from greenchannel.triage.finding import Tier
from tests.alerts_log import PLAN, T0, Log, read, seconds


def ringing(tier: str = "ACT", plan: tuple[PlanStep, ...] = PLAN) -> tuple[Log, list[Deadline]]:
    """A case whose first ECG has just rung, and the due times of its steps."""
    log = Log()
    log.ecg()
    log.extend(analysed(log.case, read("e_1", tier), alert_id="a_1", plan=plan))
    return log, [d for e in log.envelopes for d in deadlines(e, log.case) if d.kind == STEP]


def due(log: Log, deadline: Deadline) -> list[str]:
    """Let a deadline fall due; return who was rung, and "!" for exhaustion."""
    log.now_s = max(log.now_s, (deadline.due_at - T0).total_seconds())
    events = on_due(log.case, deadline, log.now)
    log.extend(events)
    return [
        e.person if isinstance(e, AlertSent) else "!" for e in events if not isinstance(e, AlertEscalated)
    ]


@pytest.mark.parametrize(
    ("tier", "pages"), [("ACT", True), ("CRIT", True), ("URG", False), ("REC", False), ("NONE", False)]
)
def test_only_act_and_crit_ring(tier: str, pages: bool) -> None:
    """All others wait in the worklist."""
    assert should_alert(Log().case, tier) is pages
    log, _ = ringing(tier)
    assert (log.case.alert is not None) is pages


def test_an_unanswered_alert_climbs_to_everybody_and_the_clinic() -> None:
    """First, second and first again, head, everybody; then the clinic is told."""
    log, waiting = ringing()
    assert [(d.id, (d.due_at - T0).total_seconds()) for d in waiting] == [
        ("a_1:1", 60),
        ("a_1:2", 120),
        ("a_1:3", 180),
    ]
    assert [due(log, d) for d in waiting] == [["bo", "anna"], ["chen"], ["anna", "bo", "chen", "!"]]
    alert = log.case.alert
    assert alert is not None and alert.open and alert.exhausted and alert.next_due_at is None
    assert {(p.person, p.role, p.step, p.rings) for p in alert.people} == {
        ("anna", "first", 0, 3),
        ("bo", "second", 1, 2),
        ("chen", "head", 2, 2),
    }


def test_a_deadline_before_its_time_or_delivered_again_does_nothing() -> None:
    """Only its due time and the case decide."""
    log, (first, *_) = ringing()
    assert on_due(log.case, first, seconds(59)) == []
    assert due(log, first) == ["bo", "anna"]
    assert due(log, first) == []


def test_a_step_that_was_passed_over_is_still_rung() -> None:
    """After a restart the later deadline may come first; nobody is left out and nobody is rung for it twice."""
    log, waiting = ringing()
    assert due(log, waiting[1]) == ["bo", "anna", "chen"]
    assert due(log, waiting[0]) == []


def test_an_answer_stops_the_escalation() -> None:
    """An answer by somebody who was never rung does too."""
    for person in ("anna", "eve"):
        log, waiting = ringing()
        log.extend(acknowledge(log.case, "a_1", person), at_s=30)
        assert [due(log, d) for d in waiting] == [[], [], []]
        alert = log.case.alert
        assert alert is not None and (alert.state, alert.acknowledged_by) == ("acknowledged", person)


def test_the_end_of_the_case_stops_the_escalation() -> None:
    """However the case came to its end."""
    log, waiting = ringing()
    log.add(CaseClosed(reason="x"))
    assert [due(log, d) for d in waiting] == [[], [], []]


def test_a_decline_makes_the_next_step_due_at_once() -> None:
    """The person who declined is not rung again, and the step's own deadline finds nothing left to do."""
    log, waiting = ringing()
    events = decline(log.case, "a_1", "anna", "手术中")
    log.extend(events, at_s=5)
    assert [e.person for e in events if isinstance(e, AlertSent)] == ["bo"]
    assert [due(log, d) for d in waiting] == [[], ["chen"], ["bo", "chen", "!"]]


def test_when_everybody_has_declined_the_clinic_is_told_at_once() -> None:
    """Steps with nobody left in them are passed over."""
    log, _ = ringing()
    for person in ("anna", "bo", "chen"):
        log.extend(decline(log.case, "a_1", person))
    alert = log.case.alert
    assert alert is not None and alert.exhausted and alert.step == 3


def test_a_step_with_nobody_left_gives_way_to_the_next() -> None:
    """The second reader is the first, who has declined: the head is rung at once."""
    plan = (PLAN[0], PlanStep(after_s=60.0, role="second", people=("anna",), channels=("live",)), *PLAN[2:])
    log, _ = ringing(plan=plan)
    events = decline(log.case, "a_1", "anna")
    assert [e.person for e in events if isinstance(e, AlertSent)] == ["chen"]


def test_with_nobody_on_duty_the_clinic_is_told_as_the_alert_opens() -> None:
    """There is an alert, and it is exhausted: never silence."""
    for plan in (plan_for("ACT", (), T0), ()):
        log, waiting = ringing(plan=plan)
        alert = log.case.alert
        assert alert is not None and alert.open and alert.exhausted and waiting == []


def test_a_later_ecg_raises_the_open_alert_without_a_ring() -> None:
    """One alert for each episode."""
    log, _ = ringing("CRIT")
    log.ecg("e_2")
    events = analysed(log.case, read("e_2", "ACT"), alert_id="a_2", plan=PLAN)
    assert events[1:] == [AlertRaised(alert_id="a_1", tier="ACT", ecg_id="e_2", rules=("STE-1",))]
    alert = log.extend(events).alert
    assert alert is not None and (alert.tier, alert.ecg_ids) == ("ACT", ("e_1", "e_2"))


def test_the_same_ecg_confirmed_says_nothing_new() -> None:
    """A stream that rang as provisional does not speak again with its final reading; the same reading is no event."""
    log = Log()
    log.add(StreamStarted(ecg_id="e_1", stream_id="s", device="d", leads=("I",), rate_hz=500.0))
    early = ProvisionalReading(ecg_id="e_1", tier="ACT", findings=[], until_sample=2500)
    events = provisional(log.case, early, alert_id="a_1", plan=PLAN)
    assert isinstance(events[1], AlertOpened)
    log.extend(events)
    assert provisional(log.case, early, alert_id="a_2", plan=PLAN) == []
    log.ecg("e_1", way="stream")
    assert analysed(log.case, read("e_1", "ACT"), alert_id="a_2", plan=PLAN) == [read("e_1", "ACT")]
    log.add(read("e_1", "ACT"))
    assert analysed(log.case, read("e_1", "ACT"), alert_id="a_2", plan=PLAN) == []


def test_the_same_ecg_read_as_more_urgent_raises_the_alert() -> None:
    """A critical value in the stream that the final reading finds to be an infarction."""
    log, _ = ringing("CRIT")
    events = analysed(log.case, read("e_1", "ACT"), alert_id="a_2", plan=PLAN)
    assert events[1:] == [AlertRaised(alert_id="a_1", tier="ACT", ecg_id="e_1", rules=("STE-1",))]


def test_an_ecg_that_rises_above_an_answered_alert_rings_anew() -> None:
    """An answered critical value does not swallow an infarction; the same tier again does not ring."""
    log, _ = ringing("CRIT")
    log.extend(acknowledge(log.case, "a_1", "anna"))
    log.ecg("e_2")
    assert not should_alert(log.case, "CRIT")
    case = log.extend(analysed(log.case, read("e_2", "ACT"), alert_id="a_2", plan=PLAN))
    assert case.alert is not None and case.alert.alert_id == "a_2" and case.alert.open


def test_an_ecg_after_a_settled_alert_rings_anew() -> None:
    """Once a person has stood it down, or signed it as harmless, what comes later is news."""
    log, _ = ringing()
    log.extend(open_green_channel(log.case, "anna", channel_id="g_1"))
    assert not should_alert(log.case, "ACT")
    log.extend(stand_down(log.case, "非心梗"))
    assert should_alert(log.case, "ACT")
    other, _ = ringing()
    other.extend(sign_reading(other.case, "e_1", "anna", text="早期复极", tier="FLAG"), actor="user:anna")
    assert should_alert(other.case, "ACT")
    other.ecg("e_2")
    case = other.extend(analysed(other.case, read("e_2", "ACT"), alert_id="a_2", plan=PLAN))
    assert [alert.alert_id for alert in case.alerts] == ["a_1", "a_2"]


def test_other_events_set_no_deadline() -> None:
    """Only the opening of an alert does."""
    log, _ = ringing()
    assert [deadlines(e, log.case) for e in log.envelopes if not isinstance(e.event, AlertOpened)] == [
        [],
        [],
        [],
        [],
    ]
    assert AlertExhausted(alert_id="a_1") not in [e.event for e in log.envelopes]
    assert not any(isinstance(e.event, AlertAcknowledged) for e in log.envelopes)


def test_the_newest_signed_reading_settles_an_alert_or_not() -> None:
    """Harmless after alarming settles it, alarming after harmless does not, whatever the letters of the tiers."""
    for tiers, closed in ((("ACT", "NONE"), True), (("NONE", "ACT"), False), (("CRIT", "FLAG"), True)):
        log, _ = ringing()
        for number, tier in enumerate(tiers):
            log.extend(sign_reading(log.case, "e_1", "anna", text=f"reading {number}", tier=tier))
        alert = log.case.alert
        assert alert is not None
        assert settled(log.case, alert) is closed
        assert should_alert(log.case, "ACT") is closed


def test_a_channel_stood_down_and_opened_again_settles_nothing() -> None:
    """What counts is that it is stood down now."""
    log, _ = ringing()
    log.extend(open_green_channel(log.case, "anna", channel_id="g_1"), at_s=10)
    log.extend(stand_down(log.case, "no infarction"), at_s=20)
    log.extend(open_green_channel(log.case, "anna", channel_id="g_2"), at_s=30)
    alert = log.case.alert
    assert alert is not None and not settled(log.case, alert)


def test_a_site_that_pages_more_tiers_is_heard() -> None:
    """With URG among the paging tiers, URG rings, and a reading of URG does not settle an alert."""
    wide = msgspec.structs.replace(
        default_settings(), paging_tiers=(Tier.ACT, Tier.CRIT, Tier.URG), waiting_s={}
    )
    empty = Log()
    empty.ecg()
    said = {"ecg_id": "e_1", "tier": "URG", "findings": [], "alert_id": "a_1", "plan": PLAN}
    assert call(empty.case, **said) == []  # type: ignore[arg-type]  # the fields of `call`
    assert isinstance(call(empty.case, settings=wide, **said)[0], AlertOpened)  # type: ignore[arg-type]
    log, _ = ringing()
    log.extend(sign_reading(log.case, "e_1", "anna", text="look again", tier="URG"))
    assert should_alert(log.case, "ACT") is True
    assert should_alert(log.case, "ACT", wide) is False
    again = {"ecg_id": "e_2", "tier": "ACT", "findings": [], "alert_id": "a_2", "plan": PLAN}
    assert isinstance(call(log.case, **again)[0], AlertOpened)  # type: ignore[arg-type]
    assert isinstance(call(log.case, settings=wide, **again)[0], AlertRaised)  # type: ignore[arg-type]


def test_an_alert_without_a_plan_tells_the_clinic_at_once() -> None:
    """Its one step is everybody, at once, with nobody there."""
    opened, told = open_events(alert_id="a", tier="ACT", ecg_id="e", rules=(), plan=())
    assert isinstance(opened, AlertOpened) and isinstance(told, AlertExhausted)
    assert opened.plan == (PlanStep(after_s=0.0, role=EVERYBODY, people=(), channels=()),)


def test_a_deadline_says_for_what_and_for_which_case_it_is() -> None:
    """Kind, stream and payload are all that is found again after a restart."""
    _, (first, *_) = ringing()
    assert (first.kind, first.stream, first.payload) == (
        "alert_step",
        "case:c_1",
        {"alert_id": "a_1", "round": 1, "step": 1},
    )
