"""Rounds of an alert: nothing followed the answer, nobody answered at all, no board had the ring, nobody read."""

from importlib.resources import files

from greenchannel.alerts.alert_deadlines import (
    FOLLOW_UP,
    READING,
    RECEIPT,
    REPEAT,
    STEP,
    Deadline,
    deadlines,
    on_due,
)
from greenchannel.alerts.auditor import audit
from greenchannel.alerts.commands import (
    acknowledge,
    analysed,
    claim,
    decline,
    delivered,
    hand_over,
    merge,
    seen,
    sign_reading,
    split,
    unreachable,
)
from greenchannel.alerts.escalation_plan import default_settings, plan_for, settings_of
from greenchannel.alerts.escalation_table import Phase
from greenchannel.alerts.roster import Shift
from greenchannel.events import (
    AlertEscalated,
    AlertExhausted,
    AlertOpened,
    AlertRearmed,
    AlertSent,
    AlertUnreachable,
    PlanStep,
    ReadingOverdue,
    Ring,
)
from greenchannel.triage.rule_set import RULES
from tests.alerts_log import PLAN, T0, Log, due_times, read, seconds

FAR = """
[[site]]
id = "far"
[[site.step]]
after_s = 0.0
role = "head"
[[site.step]]
after_s = 30.0
role = "everybody"
"""
EVE = tuple(
    PlanStep(after_s=s, role=role, people=people, channels=("live",))
    for s, role, people in ((0.0, "first", ("eve",)), (180.0, "everybody", ("eve", "chen")))
)


class Story:
    """A case that rings, and the due times that come one after the other, as the service lets them come."""

    def __init__(self, tier: str = "ACT", plan: tuple[PlanStep, ...] = PLAN) -> None:
        self.log = Log()
        self.plan = plan
        self.now_plan = plan
        self.waiting: dict[str, Deadline] = {}
        self.taken: list[str] = []
        self.looked = 0
        self.log.ecg()
        self.log.extend(analysed(self.log.case, read("e_1", tier), alert_id="a_1", plan=plan))

    def plan_due_times(self) -> None:
        for envelope in self.log.envelopes[self.looked :]:
            for one in deadlines(envelope, self.log.case):
                if one.id not in self.taken:
                    self.waiting[one.id] = one
        self.looked = len(self.log.envelopes)

    def until(
        self, s: float, *, kinds: tuple[str, ...] = (STEP, RECEIPT, REPEAT, FOLLOW_UP, READING)
    ) -> list[str]:
        """Let all come that falls due up to `s`; return what was written, in words."""
        words: list[str] = []
        while True:
            self.plan_due_times()
            coming = [d for d in self.waiting.values() if d.due_at <= seconds(s) and d.kind in kinds]
            if not coming:
                self.log.now_s = max(self.log.now_s, s)
                return words
            one = min(coming, key=lambda d: (d.due_at, d.id))
            self.taken.append(self.waiting.pop(one.id).id)
            self.log.now_s = max(self.log.now_s, (one.due_at - T0).total_seconds())
            events = on_due(
                self.log.case, one, self.log.now, plan_of=lambda _: self.now_plan, new_alert_id="a_2"
            )
            self.log.extend(events)
            words += [word for event in events if (word := in_words(event))]


def in_words(event: object) -> str:
    match event:
        case AlertSent() as e:
            return f"{e.person}" if e.channel == "live" else f"{e.person}/{e.channel}"
        case AlertEscalated() as e:
            return f"again{e.repeat}" if e.repeat else f"step{e.step}"
        case AlertUnreachable() as e:
            return f"gone:{e.person}"
        case AlertRearmed() as e:
            return f"round{e.round}"
        case AlertExhausted():
            return "!"
        case ReadingOverdue():
            return "overdue"
        case AlertOpened() as e:
            return f"open:{e.tier}"
        case _:
            return ""


# ---------------------------------------------------------------- nothing followed


def test_an_answer_that_nothing_follows_rings_again() -> None:
    """Five minutes after it, with the roster of then, and whoever had it is rung as well."""
    story = Story()
    story.until(10)
    story.log.extend(acknowledge(story.log.case, "a_1", "anna"))
    story.now_plan = EVE
    assert story.until(309) == []
    assert story.until(310) == ["round2", "eve", "anna"]
    alert = story.log.case.alert
    assert alert is not None and (alert.open, alert.round, alert.step) == (True, 2, 0)
    assert alert.held_by is None and alert.acknowledged_at is None
    assert [(one.person, one.round) for one in alert.earlier_answers] == [("anna", 1)]
    assert story.until(310 + 180, kinds=(STEP,)) == ["step1", "eve", "chen", "!"]


def test_a_signed_reading_follows_an_answer() -> None:
    """Then nobody is rung anew, however long it takes."""
    story = Story()
    story.log.extend(acknowledge(story.log.case, "a_1", "anna"), at_s=10)
    story.log.extend(sign_reading(story.log.case, "e_1", "anna", text="STEMI", tier="ACT"), at_s=300)
    assert story.until(9999) == []


def test_who_takes_it_over_has_the_whole_time() -> None:
    """A hand-over moves the question, a claim by another as well; a second answer does not."""
    story = Story()
    story.log.extend(acknowledge(story.log.case, "a_1", "anna"), at_s=10)
    story.log.extend(acknowledge(story.log.case, "a_1", "bo"), at_s=100)
    story.plan_due_times()
    assert story.waiting["a_1:follow"].due_at == seconds(310)
    story.log.extend(hand_over(story.log.case, "a_1", "anna", "bo"), at_s=200)
    assert story.until(310) == []
    story.log.extend(claim(story.log.case, "a_1", "chen"), at_s=490)
    assert story.until(789) == []
    assert story.until(790) == ["round2", "anna", "chen"]


def test_who_declined_is_rung_in_the_next_round() -> None:
    """They may be free by then."""
    story = Story()
    story.log.extend(decline(story.log.case, "a_1", "anna"), at_s=5)
    story.log.extend(acknowledge(story.log.case, "a_1", "bo"), at_s=10)
    assert story.until(310) == ["round2", "anna", "bo"]


def test_an_outranked_alert_is_silent() -> None:
    """The newest alert speaks for the patient."""
    story = Story("CRIT")
    story.log.extend(acknowledge(story.log.case, "a_1", "anna"), at_s=10)
    story.log.ecg("e_2", at_s=100)
    story.log.extend(analysed(story.log.case, read("e_2", "ACT"), alert_id="a_3", plan=PLAN))
    story.log.extend(acknowledge(story.log.case, "a_3", "anna"), at_s=110)
    assert story.until(409) == []
    assert story.until(410) == ["round2", "anna"]
    assert [alert.round for alert in story.log.case.alerts] == [1, 2]


def test_a_merge_carries_the_question_over() -> None:
    """Who answered in the one case, and did nothing, is asked in the other; whoever had it last has it."""
    story, other = Story(), Log(case_id="c_2")
    story.log.extend(acknowledge(story.log.case, "a_1", "anna"), at_s=10)
    story.log.extend(hand_over(story.log.case, "a_1", "anna", "bo"), at_s=20)
    merged, carried = merge(story.log.case, other.case)
    story.log.extend(merged, at_s=30)
    other.extend(carried, at_s=30)
    old, new = story.log.case.alert, other.case.alert
    assert old is not None and new is not None and old.phase is not Phase.FOLLOWED
    assert (new.held_by, new.follow_up_at) == ("bo", seconds(90))  # who was given it has not taken it
    assert story.until(9999) == []


def test_a_merge_into_a_case_that_was_seen_to_keeps_the_question() -> None:
    """The other case's alert was as urgent, and signed; this one's was answered alone: it is asked about there."""
    story, other = Story(), Log(case_id="c_2")
    other.ecg("e_7")
    other.extend(analysed(other.case, read("e_7"), alert_id="a_7", plan=PLAN))
    other.extend(acknowledge(other.case, "a_7", "anna"), at_s=5)
    other.extend(sign_reading(other.case, "e_7", "anna", text="early repolarisation", tier="NONE"), at_s=6)
    story.log.extend(acknowledge(story.log.case, "a_1", "anna"), at_s=10)
    _, carried = merge(story.log.case, other.case)
    other.extend(carried, at_s=30)
    alert = other.case.alert
    assert alert is not None and (alert.alert_id, alert.ecg_ids) == ("a_1", ("e_1",))
    assert alert.follow_up_at == seconds(330)


def test_a_merge_into_a_case_that_waits_makes_its_question_about_both() -> None:
    """The alert there was answered and nothing followed: it stays the one question, and a reading of either ends it."""
    story, other = Story(), Log(case_id="c_2")
    other.ecg("e_7")
    other.extend(analysed(other.case, read("e_7"), alert_id="a_7", plan=PLAN))
    other.extend(acknowledge(other.case, "a_7", "anna"), at_s=5)
    story.log.extend(acknowledge(story.log.case, "a_1", "bo"), at_s=10)
    _, carried = merge(story.log.case, other.case)
    other.extend(carried, at_s=30)
    alert = other.case.alert
    assert alert is not None and (alert.alert_id, alert.ecg_ids) == ("a_7", ("e_7", "e_1"))
    assert alert.follow_up_at == seconds(305)


def test_reading_another_ecg_of_the_case_is_no_answer_and_follows_nothing() -> None:
    """The alert is about the infarction; the quiet ECG of before says nothing of it."""
    story = Story()
    story.log.ecg("e_0")
    story.log.extend(analysed(story.log.case, read("e_0", "NONE"), alert_id="a_3", plan=PLAN))
    story.log.extend(sign_reading(story.log.case, "e_0", "anna", text="quiet", tier="NONE"), at_s=5)
    alert = story.log.case.alert
    assert alert is not None and alert.phase is Phase.RINGING
    story.log.extend(acknowledge(story.log.case, "a_1", "anna"), at_s=10)
    story.log.extend(sign_reading(story.log.case, "e_0", "anna", text="still quiet", tier="NONE"), at_s=20)
    alert = story.log.case.alert
    assert alert is not None and alert.follow_up_at == seconds(310)
    story.log.extend(sign_reading(story.log.case, "e_1", "anna", text="STEMI", tier="ACT"), at_s=30)
    alert = story.log.case.alert
    assert alert is not None and alert.phase is Phase.FOLLOWED


def test_who_is_given_an_alert_takes_it_or_it_rings() -> None:
    """As long as the first reader has; taking it gives them the whole time."""
    story = Story()
    story.log.extend(acknowledge(story.log.case, "a_1", "anna"), at_s=10)
    story.log.extend(hand_over(story.log.case, "a_1", "anna", "bo"), at_s=20)
    alert = story.log.case.alert
    assert alert is not None and (alert.given_to, alert.follow_up_at) == ("bo", seconds(80))
    assert story.until(80) == ["round2", "anna", "bo"]
    assert [e.event.reason for e in story.log.envelopes if isinstance(e.event, AlertRearmed)] == ["not_taken"]


def test_who_takes_what_was_given_has_the_whole_time() -> None:
    """To act, as whoever answers has."""
    story = Story()
    story.log.extend(acknowledge(story.log.case, "a_1", "anna"), at_s=10)
    story.log.extend(hand_over(story.log.case, "a_1", "anna", "bo"), at_s=20)
    story.log.extend(acknowledge(story.log.case, "a_1", "bo"), at_s=25)
    alert = story.log.case.alert
    assert alert is not None and (alert.given_to, alert.follow_up_at) == (None, seconds(320))
    assert story.until(319) == []


def test_who_is_given_an_alert_may_give_it_back_at_once() -> None:
    """It rings anew, and not at the one who declined; the one who had it before is rung as well."""
    story = Story()
    story.log.extend(acknowledge(story.log.case, "a_1", "eve"), at_s=10)
    story.log.extend(hand_over(story.log.case, "a_1", "eve", "bo"), at_s=20)
    events = decline(story.log.case, "a_1", "bo", "in theatre", plan=PLAN)
    story.log.extend(events, at_s=22)
    assert [e.person for e in events if isinstance(e, AlertSent)] == ["anna", "eve"]
    alert = story.log.case.alert
    assert alert is not None and alert.phase is Phase.RINGING and alert.has_declined("bo")
    assert "bo" not in story.until(82, kinds=(STEP,))


def test_who_declined_is_asked_anew_when_everybody_is_rung_again() -> None:
    """Their boards sound, and they may decline again."""
    story = Story()
    story.until(180, kinds=(STEP,))
    story.log.extend(decline(story.log.case, "a_1", "anna"), at_s=181)
    assert story.until(360, kinds=(REPEAT,))[0] == "again1"
    alert = story.log.case.alert
    assert alert is not None and not alert.has_declined("anna")
    assert decline(story.log.case, "a_1", "anna") != []


def test_who_took_an_alert_and_stands_in_no_plan_is_rung_on_every_channel() -> None:
    """Nothing followed: the telephone of whoever took it rings too."""
    story = Story()
    story.log.extend(acknowledge(story.log.case, "a_1", "eve"), at_s=10)
    (due,) = [d for d in due_times(story.log.envelopes) if d.kind == FOLLOW_UP]
    events = on_due(
        story.log.case,
        due,
        seconds(310),
        plan_of=lambda _: PLAN,
        channels_of=lambda _: ("live", "sms", "phone"),
    )
    rings = [(e.person, e.channel) for e in events if isinstance(e, AlertSent)]
    assert rings == [("anna", "live"), ("eve", "live"), ("eve", "sms"), ("eve", "phone")]


def test_the_last_step_calls_who_has_come_on_duty_since() -> None:
    """The plan is that of the opening; everybody is everybody."""
    story = Story()
    story.until(120, kinds=(STEP,))
    story.now_plan = EVE
    rung = story.until(180, kinds=(STEP,))
    assert {"anna", "bo", "chen", "eve"} <= set(rung)


def test_a_split_takes_the_question_along() -> None:
    """The case that the ECG has left asks nothing more."""
    story = Story()
    story.log.extend(acknowledge(story.log.case, "a_1", "anna"), at_s=10)
    story.log.ecg("e_2")
    story.log.extend(analysed(story.log.case, read("e_2", "NONE"), alert_id="a_3", plan=PLAN))
    here, there = split(story.log.case, ["e_1"], new_case_id="c_2", patient="p_2")
    story.log.extend(here, at_s=30)
    assert story.log.case.alert is not None and story.log.case.alert.follow_up_at is None
    assert [type(one) for one in there if isinstance(one, AlertOpened)] == [AlertOpened]


def test_an_ecg_that_was_read_before_it_was_merged_is_read() -> None:
    """Its reading stays where it was signed; nobody is asked for another, and the auditor misses none."""
    story, other = Story("URG"), Log(case_id="c_2")
    story.log.extend(sign_reading(story.log.case, "e_1", "anna", text="LBBB", tier="FLAG"), at_s=100)
    _, carried = merge(story.log.case, other.case)
    other.extend(carried, at_s=200)
    due = [d for d in due_times(other.envelopes) if d.kind == READING]
    assert len(due) == 1 and on_due(other.case, due[0], seconds(700), new_alert_id="a_9") == []
    assert audit([other.case], seconds(9999)) == []


def test_an_ecg_that_waits_no_more_is_not_overdue() -> None:
    """It was read again, as something that may wait for ever."""
    story = Story("URG")
    story.log.extend(analysed(story.log.case, read("e_1", "NONE"), alert_id="a_9", plan=PLAN), at_s=50)
    assert story.until(700) == []


# ---------------------------------------------------------------- nobody answers


def test_an_exhausted_alert_rings_on() -> None:
    """Everybody again after three minutes, five, ten, and ten for ever; whoever is on duty by then."""
    story = Story()
    story.until(180, kinds=(STEP,))
    story.now_plan = EVE
    assert story.until(359, kinds=(REPEAT,)) == []
    assert story.until(360, kinds=(REPEAT,)) == ["again1", "eve", "chen"]
    assert story.until(660, kinds=(REPEAT,)) == ["again2", "eve", "chen"]
    assert story.until(1260, kinds=(REPEAT,)) == ["again3", "eve", "chen"]
    assert story.until(1860, kinds=(REPEAT,)) == ["again4", "eve", "chen"]
    story.log.extend(acknowledge(story.log.case, "a_1", "eve"))
    assert story.until(2159) == []


def test_with_nobody_on_duty_whoever_comes_on_duty_is_rung() -> None:
    """An alert that opened to an empty roster is not forgotten."""
    story = Story(plan=())
    assert story.log.case.alert is not None and story.log.case.alert.exhausted
    story.now_plan = EVE
    assert story.until(180) == ["again1", "eve", "chen"]


def test_ringing_does_not_prolong_an_episode() -> None:
    """What happened last is what a person or a device did."""
    story = Story()
    story.until(5000)
    assert story.log.case.last_event_at == T0


# ---------------------------------------------------------------- nobody is reached


def test_boards_that_say_nothing_make_the_next_step_due() -> None:
    """Twenty seconds after a ring that no board has: the second reader is not kept waiting for the minute."""
    story = Story()
    assert story.until(19) == []
    assert story.until(20) == ["gone:anna", "step1", "bo", "anna"]
    assert story.until(40) == ["gone:bo", "gone:anna", "step2", "chen"]
    assert story.until(60) == ["gone:chen", "step3", "anna", "bo", "chen", "!"]


def test_a_board_that_has_it_holds_the_step() -> None:
    """Then the plan's own times count."""
    story = Story()
    story.log.extend(delivered(story.log.case, "a_1", "anna"), at_s=2)
    assert story.until(59) == []
    assert story.until(60, kinds=(STEP,)) == ["step1", "bo", "anna"]


def test_one_channel_that_works_holds_the_step() -> None:
    """A person is out of reach only where all of their channels are."""
    rings = (Ring(person="anna", channel="live"), Ring(person="anna", channel="wecom"))
    plan = (PlanStep(after_s=0.0, role="first", people=("anna",), channels=(), rings=rings), *PLAN[1:])
    story = Story(plan=plan)
    assert story.until(20) == ["gone:anna"]
    events = unreachable(story.log.case, "a_1", "anna", "wecom", "refused")
    assert [in_words(e) for e in events] == ["gone:anna", "step1", "bo", "anna"]
    story.log.extend(events, at_s=30)
    assert unreachable(story.log.case, "a_1", "eve", "live", "refused") == []
    entry = story.log.case.alerts[0].entry(rings[1])
    assert entry is not None and (entry.unreachable_reason, entry.unreachable_at) == ("refused", seconds(30))


def test_what_is_seen_was_delivered() -> None:
    """Once each, and only by somebody who was rung there."""
    story = Story()
    story.log.extend(seen(story.log.case, "a_1", "anna"), at_s=3)
    entry = story.log.case.alerts[0].people[0]
    assert entry.delivered_at == entry.seen_at == seconds(3) and entry.acknowledged_at is None
    assert seen(story.log.case, "a_1", "anna") == seen(story.log.case, "a_1", "chen") == []
    assert story.until(59) == []


# ---------------------------------------------------------------- what waits in the worklist


def test_an_urgent_ecg_that_nobody_reads_rings_after_ten_minutes() -> None:
    """Once, with its own tier; the first ten minutes are silent."""
    story = Story("URG")
    assert story.until(599) == []
    assert story.until(600, kinds=(READING,)) == ["overdue", "open:URG", "anna"]
    assert story.log.case.ecgs[0].overdue_at == seconds(600)
    assert story.until(660, kinds=(READING, STEP)) == ["step1", "bo", "anna"]


def test_the_wait_is_that_of_the_worklist() -> None:
    """The place there moves up at the same time as the ring comes."""
    waits = {tier: row.after_s for tier, row in RULES.ageing.items() if tier in default_settings().waiting_s}
    assert waits == default_settings().waiting_s


def test_an_urgent_ecg_that_was_read_is_silent() -> None:
    """A signed reading is what its clock waits for."""
    story = Story("URG")
    story.log.extend(sign_reading(story.log.case, "e_1", "anna", text="LBBB", tier="FLAG"), at_s=500)
    assert story.until(9999) == []


def test_an_unread_ecg_of_a_case_that_was_answered_is_listed_and_does_not_ring() -> None:
    """Somebody has the patient."""
    story = Story()
    story.log.extend(delivered(story.log.case, "a_1", "anna"))
    story.log.extend(acknowledge(story.log.case, "a_1", "anna"), at_s=10)
    story.log.extend(sign_reading(story.log.case, "e_1", "anna", text="STEMI", tier="ACT"), at_s=20)
    story.log.ecg("e_2", at_s=100)
    story.log.extend(analysed(story.log.case, read("e_2", "URG"), alert_id="a_3", plan=PLAN))
    assert story.until(700) == ["overdue"]
    assert len(story.log.case.alerts) == 1


def test_an_infarction_makes_an_overdue_alert_loud() -> None:
    """It waits for an answer about an ECG that could wait; now it begins anew, with the roster of now."""
    story = Story("URG")
    story.until(600, kinds=(READING,))
    story.log.ecg("e_2", at_s=620)
    events = analysed(story.log.case, read("e_2", "ACT"), alert_id="a_3", plan=EVE)
    assert [in_words(e) for e in events[2:]] == ["round2", "eve"]
    story.log.extend(events)
    alert = story.log.case.alert
    assert alert is not None and (alert.alert_id, alert.tier, alert.round) == ("a_2", "ACT", 2)


# ---------------------------------------------------------------- plans


def test_a_person_is_rung_on_all_channels_and_telephoned_by_the_second_step() -> None:
    """As the specification has it: 60 s second reader, and a phone call to the first."""
    shifts = [Shift(person=p, role=p, start=seconds(-1), end=seconds(1)) for p in ("first", "second", "head")]
    channels = {"first": ("live", "wecom", "phone"), "second": ("live", "phone")}
    plan = plan_for("ACT", shifts, T0, channels=channels)
    rung = [[f"{r.person}/{r.channel}" for r in step.rings] for step in plan]
    assert rung[0] == ["first/live", "first/wecom"]
    assert rung[1] == ["second/live", "first/live", "first/wecom", "first/phone"]
    assert rung[2] == ["head/live"]
    assert rung[3] == ["first/live", "first/wecom", "first/phone", "second/live", "second/phone", "head/live"]


def test_without_a_second_reader_the_first_is_telephoned_all_the_same() -> None:
    """The step that calls them has somebody to ring."""
    shifts = [Shift(person=p, role=p, start=seconds(-1), end=seconds(1)) for p in ("first", "head")]
    plan = plan_for("ACT", shifts, T0, channels={"first": ("live", "phone")})
    assert [(step.after_s, [f"{r.person}/{r.channel}" for r in step.rings]) for step in plan[:3]] == [
        (0.0, ["first/live"]),
        (60.0, ["first/live", "first/phone"]),
        (120.0, ["head/live"]),
    ]


def test_a_site_has_steps_of_its_own() -> None:
    """Times are site configuration."""
    text = (files("greenchannel") / "alerts" / "escalation.toml").read_text(encoding="utf-8")
    settings = settings_of((text + FAR).encode())
    assert settings.steps_of("far")[0].role == "head" and settings.steps_of("near") == default_settings().step
