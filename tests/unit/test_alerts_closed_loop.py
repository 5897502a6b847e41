"""The closed loop: what is planned, what falls due, what ends it, and what the clinic is told."""

from datetime import datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from greenchannel.alerts import closed_loop, commands, outcome_card
from greenchannel.alerts.alert_deadlines import Deadline
from greenchannel.alerts.case import Case
from greenchannel.alerts.consequences import follows
from greenchannel.alerts.episode_commands import merge, split
from greenchannel.alerts.followup_state import kinds, results
from greenchannel.alerts.milestones import codes
from greenchannel.events import (
    AnyEvent,
    FollowUpDone,
    FollowUpOverdue,
    FollowUpPlanned,
    MilestoneRecorded,
    SameRecordingFound,
)
from tests.alerts_log import PLAN, Log, read, reading, seconds

DAY_S = 86400.0


def act(log: Log, events: list[AnyEvent], at_s: float | None = None, actor: str = "service") -> Case:
    """Write events with all that follows from them, as the service does."""
    case = log.extend(events, at_s=at_s, actor=actor)
    more = follows(case, events, log.now)
    case = log.extend(more)
    assert follows(case, more, log.now) == []
    return case


def rung(tier: str = "ACT") -> Log:
    """A case whose alert was answered."""
    log = Log()
    log.ecg()
    act(log, commands.analysed(log.case, read(tier=tier), alert_id="a_1", plan=PLAN))
    act(log, commands.acknowledge(log.case, "a_1", "anna"), at_s=30)
    return log


def waiting(case: Case) -> list[tuple[str, float]]:
    """Kind and hours from the log's beginning of what was planned."""
    return [
        (one.kind, (one.due_at - seconds(0)) / timedelta(hours=1))
        for one in case.followups
        if one.done_at is None
    ]


def test_a_stand_down_plans_a_day_and_a_month() -> None:
    """Once for the alert, however often the channel is opened and stood down."""
    log = rung()
    for number in (1, 2):
        act(log, commands.open_green_channel(log.case, "anna", channel_id=f"g_{number}"), at_s=3600)
        act(log, commands.stand_down(log.case, "no infarction"))

    assert waiting(log.case) == [("cancelled_24h", 25.0), ("cancelled_30d", 721.0)]
    assert (
        sum(isinstance(one.event, FollowUpPlanned) for one in log.envelopes) == 2
    )  # or the due times would move


@pytest.mark.parametrize("ended_by", [None, "WIRE", "LYSIS_START", "OUTCOME"])
def test_an_alert_that_is_closed_as_not_acute_is_cancelled(ended_by: str | None) -> None:
    """Where a vessel was opened, lysis given, or the outcome is known, nothing was cancelled."""
    log = rung()
    if ended_by is not None:
        log.add(MilestoneRecorded(milestone=ended_by, time=reading(60), source="cathlab"))
    act(log, commands.close_case(log.case, "early repolarisation"), at_s=3600)

    expected = [("cancelled_24h", 25.0), ("cancelled_30d", 721.0)]
    assert waiting(log.case) == (expected if ended_by is None else [])


def test_a_stand_down_and_a_closing_plan_together_what_one_does() -> None:
    """The second finds it planned; a case that never rang plans nothing."""
    log = rung()
    act(log, commands.open_green_channel(log.case, "anna", channel_id="g_1"))
    act(log, commands.stand_down(log.case, "no"))
    act(log, commands.close_case(log.case, "no"))
    quiet = Log()
    quiet.ecg()
    act(quiet, commands.analysed(quiet.case, read(tier="NONE"), alert_id="a", plan=PLAN))
    act(quiet, commands.close_case(quiet.case, "nothing"))

    assert len(log.case.followups) == 2
    assert quiet.case.followups == ()


def test_a_channel_without_an_alert_is_followed_up_too() -> None:
    """Opened by hand on a telephone call, and stood down."""
    log = Log()
    act(log, commands.open_green_channel(log.case, "anna", channel_id="g_1"))
    act(log, commands.stand_down(log.case, "no"))

    assert [one.about for one in log.case.followups] == ["g_1", "g_1"]


def test_each_planned_follow_up_has_a_due_time_and_is_overdue_once() -> None:
    """Seen to before, or fired twice, it says nothing."""
    log = rung()
    act(log, commands.open_green_channel(log.case, "anna", channel_id="g_1"))
    act(log, commands.stand_down(log.case, "no"))
    due = [d for e in log.envelopes for d in closed_loop.deadlines(e, log.case) if "followup_id" in d.payload]
    assert [d.due_at for d in due] == [one.due_at for one in log.case.followups]
    day, month = due
    (overdue,) = closed_loop.on_due(log.case, day.payload, day.due_at)
    assert isinstance(overdue, FollowUpOverdue)
    act(log, [overdue], at_s=2 * DAY_S)

    assert closed_loop.on_due(log.case, day.payload, day.due_at) == []
    month_on = seconds(26 * DAY_S)
    act(
        log,
        commands.followup_done(log.case, month.id, "wang", role="clinic", result="well", now=month_on),
    )
    assert closed_loop.on_due(log.case, month.payload, month.due_at) == []
    assert [one.overdue for one in closed_loop.open_of(log.case, log.now) if one.followup_id] == [True]


def test_what_people_say_of_a_follow_up_is_checked() -> None:
    """Another role, another word, another result than before: refused in words; the same again gives nothing."""
    log = rung()
    act(log, commands.open_green_channel(log.case, "anna", channel_id="g_1"))
    act(log, commands.stand_down(log.case, "no"))
    first = log.case.followups[0].followup_id
    day_on = log.now + timedelta(days=1)

    def code(**given: str) -> str:
        said = {"followup_id": first, "role": "clinic", "result": "well"} | given
        with pytest.raises(commands.Refused) as refused:
            commands.followup_done(
                log.case, said["followup_id"], "wang", role=said["role"], result=said["result"], now=day_on
            )
        assert refused.value.zh and "expected" in refused.value.en
        return refused.value.code

    assert code(followup_id="f_other") == "no_such_followup"
    assert code(role="cathlab") == "wrong_role"
    assert code(result="fine") == "unknown_result"
    act(log, commands.followup_done(log.case, first, "wang", role="clinic", result="well", now=day_on))
    assert commands.followup_done(log.case, first, "li", role="clinic", result="well", now=day_on) == []
    assert code(result="died") == "followup_done"
    done = log.case.followups[0]
    assert (done.done_by, done.result, done.done_at) == ("wang", "well", log.now)


def test_a_second_look_is_not_ticked_off_with_the_first() -> None:
    """After 20 hours and after 25 days; what became of the patient is taken whenever it is known."""
    log = rung()
    act(log, commands.open_green_channel(log.case, "anna", channel_id="g_1"))
    act(log, commands.stand_down(log.case, "no"))
    begun = log.case.followups[0].planned_at
    for one, hours in zip(log.case.followups, (20, 25 * 24), strict=True):
        earliest = begun + timedelta(hours=hours)
        assert one.earliest_at == earliest

        def said(result: str, now: datetime, followup_id: str = one.followup_id) -> list[AnyEvent]:
            return commands.followup_done(
                log.case, followup_id, "wang", role="clinic", result=result, now=now
            )

        for result in ("well", "symptoms", "not_reached"):
            for now in (begun + timedelta(minutes=5), earliest - timedelta(seconds=1)):
                with pytest.raises(commands.Refused) as refused:
                    said(result, now)
                assert refused.value.code == "followup_early" and refused.value.zh
            assert said(result, earliest) != []
        for result in ("infarction", "other_disease", "died"):
            assert said(result, begun) != []


# ---------------------------------------------------------------- uploads


def due_of_upload(log: Log) -> Deadline:
    (due,) = [d for e in log.envelopes for d in closed_loop.deadlines(e, log.case) if "ecg_id" in d.payload]
    return due


def test_an_upload_that_nobody_answers_ends_on_the_list_and_leaves_it_when_somebody_does() -> None:
    """Whatever its tier; the signed reading ends it by itself, with who signed."""
    log = Log()
    log.ecg()
    act(log, commands.analysed(log.case, read(tier="NONE"), alert_id="a", plan=PLAN))
    due = due_of_upload(log)
    assert due.due_at == seconds(DAY_S)
    assert [(one.overdue, one.followup_id) for one in closed_loop.open_of(log.case, log.now)] == [
        (False, None)
    ]
    planned, overdue = closed_loop.on_due(log.case, due.payload, due.due_at)
    assert isinstance(planned, FollowUpPlanned) and isinstance(overdue, FollowUpOverdue)
    act(log, [planned, overdue], at_s=DAY_S)
    assert closed_loop.on_due(log.case, due.payload, due.due_at) == []
    assert [one.overdue for one in closed_loop.open_of(log.case, log.now)] == [True]
    signed = commands.sign_reading(log.case, "e_1", "anna", text="sinus", tier="NONE")
    act(log, signed, at_s=DAY_S + 60, actor="user:anna")

    done = log.envelopes[-1].event
    assert isinstance(done, FollowUpDone) and (done.person, done.result) == ("anna", "reading_back")
    assert closed_loop.open_of(log.case, log.now) == []


def test_a_reminder_is_nothing_that_happened_to_the_patient() -> None:
    """It keeps no episode open and brings no old case back to the boards."""
    log = Log()
    log.ecg()
    before = log.case.last_event_at
    due = due_of_upload(log)
    act(log, closed_loop.on_due(log.case, due.payload, due.due_at), at_s=DAY_S)

    assert log.case.last_event_at == before


def test_a_reading_in_time_leaves_nothing_due() -> None:
    """Of the ECG itself, or of the same recording in another format."""
    log = Log()
    log.ecg()
    log.ecg("e_2")
    log.add(
        SameRecordingFound(
            ecg_id="e_2",
            of_ecg_id="e_1",
            of_case_id=log.case_id,
            of_format="dicom",
            same_patient=True,
            overlap_s=10.0,
            shift_s=0.0,
        )
    )
    act(log, commands.sign_reading(log.case, "e_1", "anna", text="sinus", tier="NONE"))

    assert closed_loop.open_of(log.case, log.now) == []
    assert closed_loop.on_due(log.case, {"ecg_id": "e_2"}, seconds(DAY_S)) == []


def test_a_poor_record_is_answered_by_the_next_one() -> None:
    """The machine's word to record again reached the clinic, and it did."""
    log = Log()
    log.ecg()
    poor = msgspec.structs.replace(read(tier="REC"), acceptable=False)
    act(log, commands.analysed(log.case, poor, alert_id="a", plan=PLAN))
    assert len(closed_loop.unanswered(log.case)) == 1
    log.ecg("e_2", at_s=120)
    act(log, commands.sign_reading(log.case, "e_2", "anna", text="sinus", tier="NONE"))

    assert closed_loop.unanswered(log.case) == []


def test_a_moved_ecg_waits_where_it_is_now() -> None:
    """Split off or merged, it is due in one case alone, at the time it always was."""
    log = rung()
    ours, theirs = split(log.case, ["e_1"], new_case_id="c_2", patient="p_2")
    other = Log(case_id="c_2")
    log.extend(ours, at_s=600)
    other.extend(theirs[1:], at_s=600)
    assert closed_loop.unanswered(log.case) == []
    assert [ecg.ecg_id for ecg in closed_loop.unanswered(other.case)] == ["e_1"]
    assert due_of_upload(other).due_at == due_of_upload(log).due_at
    assert due_of_upload(other).id != due_of_upload(log).id

    third = Log(case_id="c_3")
    ours, theirs = merge(other.case, third.case)
    other.extend(ours)
    third.extend(theirs, at_s=700)
    assert closed_loop.unanswered(other.case) == []
    assert [ecg.ecg_id for ecg in closed_loop.unanswered(third.case)] == ["e_1"]


STEPS = ("open", "stand_down", "reopen", "close", "sign_none", "sign_act", "wire", "day", "month", "second")


@given(st.lists(st.sampled_from(STEPS), max_size=12))
def test_every_cancelled_alert_has_both_and_nothing_waits_unseen(steps: list[str]) -> None:
    """Whatever people do in whatever order: cancelled means planned, and what is late is on the list."""
    log = rung()
    for number, step in enumerate(steps):
        case, at_s = log.case, log.now_s + 60
        try:
            if step in ("open", "reopen"):
                act(log, commands.open_green_channel(case, "anna", channel_id=f"g_{number}"), at_s)
            elif step == "stand_down":
                act(log, commands.stand_down(case, "no"), at_s)
            elif step == "close":
                act(log, commands.close_case(case, "over"), at_s)
            elif step == "wire":
                act(log, [MilestoneRecorded(milestone="WIRE", time=reading(60), source="cathlab")], at_s)
            elif step == "second":
                log.ecg(f"e_{number + 10}", at_s=at_s)
            elif step.startswith("sign"):
                tier = step.removeprefix("sign_").upper()
                act(log, commands.sign_reading(case, "e_1", "anna", text=step, tier=tier), at_s)
            else:
                log.now_s += DAY_S if step == "day" else 30 * DAY_S
                for envelope in tuple(log.envelopes):
                    for due in closed_loop.deadlines(envelope, log.case):
                        if due.due_at <= log.now:
                            act(log, closed_loop.on_due(log.case, due.payload, due.due_at))
        except commands.Refused:
            pass
    case = log.case
    planned = [one.kind for one in case.followups if one.about == "a_1"]
    cancelled = case.channel.stood_down_at is not None or closed_loop.closed_as_not_acute(case)
    if cancelled:
        assert planned == list(closed_loop.cancelled_kinds())
    assert len(planned) in (0, 2)
    listed = {one.about for one in closed_loop.open_of(case, log.now)}
    assert {ecg.ecg_id for ecg in closed_loop.unanswered(case)} <= listed
    ids = [one.followup_id for one in case.followups]
    assert len(set(ids)) == len(ids)


# ---------------------------------------------------------------- the card


def outcome_said(log: Log, code: str, at_s: float, note: str | None = None) -> None:
    act(
        log,
        commands.record_milestone(
            log.case,
            milestone="OUTCOME",
            time=reading(at_s),
            source="ccu",
            code=code,
            note=note,
            now=seconds(at_s),
        ),
        at_s,
    )


def test_the_card_is_sent_once_read_once_and_anew_after_a_change() -> None:
    """Unknown, ready, sent, seen; a corrected outcome is sent and read again, and the first stays."""
    log = rung()

    def state() -> str:
        return outcome_card.card(log.case).state

    assert state() == "unknown"
    for early in (outcome_card.send_feedback, outcome_card.feedback_seen):
        with pytest.raises(commands.Refused):
            early(log.case, role="x", now=log.now)
    outcome_said(log, "discharged", 7200)
    assert state() == "ready"
    act(log, outcome_card.send_feedback(log.case, role="cardiologist", now=log.now))
    assert state() == "sent" and outcome_card.send_feedback(log.case, role="ccu", now=log.now) == []
    act(log, outcome_card.feedback_seen(log.case, role="clinic", now=seconds(7300)), at_s=7300)
    assert state() == "seen" and outcome_card.feedback_seen(log.case, role="clinic", now=log.now) == []
    outcome_said(log, "died", 8000, note="died on the ward")
    assert state() == "changed"
    act(log, outcome_card.send_feedback(log.case, role="cardiologist", now=seconds(8100)), at_s=8100)
    assert state() == "sent"
    act(log, outcome_card.feedback_seen(log.case, role="clinic", now=seconds(8200)), at_s=8200)
    found = outcome_card.card(log.case)

    assert found.state == "seen" and found.outcome is not None and found.outcome.code == "died"
    assert [v.code for v in log.case.values if v.milestone == "OUTCOME"] == ["discharged", "died"]
    assert closed_loop.unanswered(log.case) == []


def test_a_code_is_one_of_its_milestone_or_refused() -> None:
    """The form's diagnoses and outcomes; other milestones have none; another code alone is a correction."""
    assert set(codes("DX")) >= {
        "STEMI",
        "NSTEMI",
        "UA",
        "dissection",
        "PE",
        "other_cardiac",
        "other",
        "unclear",
    }
    assert set(codes("OUTCOME")) == {"discharged", "transferred", "ward", "died"}
    log = Log()

    def said(milestone: str, code: str | None, note: str | None = None) -> list[AnyEvent]:
        return commands.record_milestone(
            log.case,
            milestone=milestone,
            time=reading(0),
            source="cardiologist",
            code=code,
            note=note,
            now=log.now,
        )

    for milestone, code, expected in (("DX", "flu", "unknown_code"), ("WIRE", "STEMI", "code_not_used")):
        with pytest.raises(commands.Refused) as refused:
            said(milestone, code)
        assert refused.value.code == expected
    log.extend(said("DX", "STEMI"))
    assert said("DX", "STEMI") == [] and said("DX", None) == []
    with pytest.raises(commands.Refused) as refused:
        said("DX", "UA")
    assert refused.value.code == "note_required"
    (changed,) = said("DX", "UA", "troponin negative")
    assert isinstance(changed, MilestoneRecorded) and changed.correction


def test_the_table_is_whole() -> None:
    """Every result that a kind names has words; a day is 24 hours, a month 30 days."""
    for kind in kinds().values():
        assert set(kind.results) | set(kind.automatic) <= set(results())
        assert kind.role in kind.may_do and kind.mark in "SKOED" and kind.source
    assert [kinds()[name].after_h for name in closed_loop.cancelled_kinds()] == [24.0, 720.0]
