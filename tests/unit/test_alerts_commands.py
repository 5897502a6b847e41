"""What people may do to a case, and what is refused."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from functools import partial
from typing import Any

import pytest

from greenchannel.alerts import commands as do
from greenchannel.alerts.case import Case
from greenchannel.alerts.escalation import waits
from greenchannel.alerts.history import describe
from greenchannel.alerts.task_list import open_tasks, shown_state
from greenchannel.alerts.timeline import timeline
from greenchannel.events import (
    AlertAcknowledged,
    AlertHandedOver,
    AlertRaised,
    AlertWithheld,
    AnyEvent,
    CaseClosed,
    CaseMerged,
    CaseOpened,
    ClockReading,
    ContextEntered,
    EcgOpened,
    GreenChannelOpened,
    MilestoneRecorded,
    ReadingSigned,
    SameRecordingFound,
    StreamEndedEmpty,
    StreamStarted,
    TaskAccepted,
    TaskDone,
)
from tests.alerts_log import PLAN, Log, read, reading, seconds


def ringing() -> Log:
    log = Log()
    log.ecg(acquired=reading(-60, "device:d"))
    log.extend(do.analysed(log.case, read(), alert_id="a_1", plan=PLAN), at_s=1)
    return log


def assert_refused(code: str, status: int, call: Callable[[], Any]) -> None:
    """The command is refused with this code, in both languages."""
    with pytest.raises(do.Refused) as caught:
        call()
    assert (caught.value.code, caught.value.status) == (code, status)
    assert caught.value.zh and caught.value.en.startswith("expected")


def assert_once(log: Log, command: Callable[[Case], list[AnyEvent]]) -> list[AnyEvent]:
    """The command gives events once, and nothing when it is given again."""
    events = command(log.case)
    assert events
    log.extend(events)
    assert command(log.case) == []
    return events


@pytest.mark.parametrize(("overlap_s", "rings"), [(9.95, False), (9.0, False), (8.9, True)])
def test_what_holds_more_than_was_read_before_is_no_repeat(overlap_s: float, rings: bool) -> None:
    """An ECG of ten seconds whose samples came before but for the last second: it rings, and counts by itself."""
    log = ringing()
    log.ecg("e_2")
    same = SameRecordingFound(
        ecg_id="e_2",
        of_ecg_id="e_1",
        of_case_id=log.case_id,
        of_format="scp",
        same_patient=True,
        overlap_s=overlap_s,
        shift_s=0.0,
    )
    log.add(same)
    second = read("e_2", "CRIT")
    log.add(read("e_1", "CRIT", "f" * 64))
    events = do.analysed(log.case, second, alert_id="a_2", plan=PLAN, original=log.case.ecg("e_1"))
    log.extend(events)

    assert any(isinstance(event, AlertWithheld) for event in events) is not rings
    assert any(isinstance(event, AlertRaised) for event in events) is rings
    assert [ecg.ecg_id for ecg in log.case.distinct_ecgs] == (["e_1", "e_2"] if rings else ["e_1"])


def test_what_was_done_once_is_not_done_again() -> None:
    """Opening, delivery, answer, hand-over, decline, signature, advice, channel, tasks, stand-down and end."""
    log = ringing()
    assert_once(log, lambda c: do.open_ecg(c, "e_1"))
    assert_once(log, lambda c: do.delivered(c, "a_1", "anna"))
    assert_once(log, lambda c: do.decline(c, "a_1", "anna"))
    assert_once(log, lambda c: do.acknowledge(c, "a_1", "bo"))
    assert_once(log, lambda c: do.acknowledge(c, "a_1", "chen"))
    assert_once(log, lambda c: do.hand_over(c, "a_1", "bo", "chen"))
    log.extend(
        do.sign_reading(log.case, "e_1", "bo", text="STEMI", tier="ACT", advice=" 转院 "), actor="user:bo"
    )
    assert do.sign_reading(log.case, "e_1", "bo", text="STEMI", tier="ACT", advice="转院") == []
    assert_once(log, lambda c: do.advice_seen(c, "e_1"))
    assert_once(log, lambda c: do.open_green_channel(c, "bo", channel_id="g_1"))
    task_id = log.case.tasks[0].task_id
    assert_once(log, lambda c: do.accept_task(c, task_id, "bo", role="cardiologist"))
    assert_once(log, lambda c: do.done_task(c, task_id, "bo", role="cardiologist"))
    assert_once(log, lambda c: do.stand_down(c, "非心梗"))
    assert_once(log, lambda c: do.close_case(c, "出院"))
    assert all(describe(e.event).zh != describe(e.event).en for e in log.envelopes)


def test_opening_the_channel_answers_the_alert() -> None:
    """Who opens it has looked; an alert that was answered is not answered again."""
    log = ringing()
    events = do.open_green_channel(log.case, "anna", channel_id="g_1")
    assert events[0] == AlertAcknowledged(alert_id="a_1", person="anna")
    assert isinstance(events[1], GreenChannelOpened)
    case = log.extend(events, actor="user:anna", at_s=9)
    assert (case.channel.opened_by, case.channel.opened_at) == ("anna", seconds(9))
    other = ringing()
    other.extend(do.acknowledge(other.case, "a_1", "bo"))
    assert len(do.open_green_channel(other.case, "anna", channel_id="g_1")) == 1


def test_signing_opens_the_trace_and_answers_the_alert() -> None:
    """A signature is an answer."""
    log = ringing()
    events = do.sign_reading(log.case, "e_1", "anna", text="STEMI", tier="ACT")
    assert [type(e) for e in events] == [EcgOpened, AlertAcknowledged, ReadingSigned]


def test_newer_advice_is_to_be_read_again() -> None:
    """The clinic confirms each advice."""
    log = ringing()
    assert_refused("no_advice", 409, lambda: do.advice_seen(log.case, "e_1"))
    for advice in ("转院", "先溶栓"):
        log.extend(do.sign_reading(log.case, "e_1", "anna", text="STEMI", tier="ACT", advice=advice))
        assert_once(log, lambda c: do.advice_seen(c, "e_1"))


def test_advice_that_is_taken_back_is_to_be_read_as_such() -> None:
    """The clinic confirms that it holds no more. What was never given is not taken back, and new advice replaces it."""
    log = ringing()
    corrected: dict[str, Any] = {"text": "主动脉夹层", "tier": "ACT"}

    def sign(**given: Any) -> ReadingSigned:
        events = do.sign_reading(log.case, "e_1", "anna", **given)
        log.extend(events, actor="user:anna")
        (signed,) = [event for event in events if isinstance(event, ReadingSigned)]
        return signed

    assert not sign(text="STEMI", tier="ACT", withdraws=True).withdraws
    assert not sign(text="STEMI", tier="ACT", advice="阿司匹林").withdraws
    assert_once(log, lambda c: do.advice_seen(c, "e_1"))
    assert sign(**corrected, withdraws=True).withdraws
    ecg = log.case.ecgs[0]
    assert ecg.standing_advice is None
    assert ecg.told == ecg.readings[-1]
    assert_once(log, lambda c: do.advice_seen(c, "e_1"))
    assert do.sign_reading(log.case, "e_1", "anna", **corrected, withdraws=True) == []
    assert not sign(**corrected, advice="禁用抗凝", withdraws=True).withdraws
    newest = log.case.ecgs[0].standing_advice
    assert newest is not None and newest.advice == "禁用抗凝"


def test_advice_that_came_meanwhile_is_not_read_by_a_press_on_the_one_before() -> None:
    """The press names the advice that was on the screen."""
    log = ringing()
    seqs = []
    for advice in ("转院", "先溶栓"):
        log.extend(do.sign_reading(log.case, "e_1", "anna", text="STEMI", tier="ACT", advice=advice))
        seqs.append(log.case.ecgs[0].readings[-1].seq)
    first, second = seqs
    assert_refused("advice_changed", 409, lambda: do.advice_seen(log.case, "e_1", of=first))
    assert_once(log, lambda c: do.advice_seen(c, "e_1", of=second))


def test_claiming_takes_the_alert_from_who_had_it() -> None:
    """On an open alert it is an answer; from another it is an answer and a hand-over."""
    log = ringing()
    assert_once(log, lambda c: do.claim(c, "a_1", "anna"))
    events = assert_once(log, lambda c: do.claim(c, "a_1", "bo"))
    assert events[-1] == AlertHandedOver(alert_id="a_1", person="anna", to_person="bo")
    alert = log.case.alert
    assert alert is not None and (alert.acknowledged_by, alert.held_by) == ("anna", "bo")


def test_only_who_has_the_alert_gives_it_on() -> None:
    """And only who was rung can decline."""
    log = ringing()
    assert_refused("not_rung", 409, lambda: do.decline(log.case, "a_1", "eve"))
    assert_refused("not_held", 409, lambda: do.hand_over(log.case, "a_1", "anna", "bo"))
    log.extend(do.acknowledge(log.case, "a_1", "anna"))
    assert_refused("not_held", 409, lambda: do.hand_over(log.case, "a_1", "bo", "chen"))
    assert_refused("held", 409, lambda: do.decline(log.case, "a_1", "anna"))
    assert do.decline(log.case, "a_1", "bo") == []


def test_delivery_to_a_board_that_was_not_rung_is_no_event() -> None:
    """The board shows all alerts; only the people who were rung count."""
    assert do.delivered(ringing().case, "a_1", "eve") == []


def test_tasks_belong_to_roles() -> None:
    """Another role is refused, another person of the role may finish, and finishing takes what nobody took."""
    log = ringing()
    log.extend(do.open_green_channel(log.case, "anna", channel_id="g_1"))
    door = next(t.task_id for t in log.case.tasks if t.kind == "receive_patient")
    assert_refused("wrong_role", 403, lambda: do.done_task(log.case, door, "anna", role="cardiologist"))
    events = assert_once(log, lambda c: do.done_task(c, door, "eve", role="ed"))
    assert events == [TaskAccepted(task_id=door, person="eve"), TaskDone(task_id=door, person="eve")]
    lab = next(t.task_id for t in log.case.tasks if t.kind == "ready_cathlab")
    log.extend(do.accept_task(log.case, lab, "kim", role="cathlab"))
    assert_refused("task_taken", 409, lambda: do.accept_task(log.case, lab, "lee", role="cathlab"))
    assert do.done_task(log.case, lab, "lee", role="cathlab") == [TaskDone(task_id=lab, person="lee")]
    log.extend(do.stand_down(log.case, "误开"))
    assert_refused("channel_not_open", 409, lambda: do.done_task(log.case, lab, "lee", role="cathlab"))


def test_the_arrival_mode_decides_which_tasks_are_given() -> None:
    """A walk-in needs no ambulance; with the mode unknown all are given."""
    kinds = {}
    for mode in (2, 3, None):
        log = Log(arrival_mode=mode)
        kinds[mode] = {t.kind for t in log.extend(do.open_green_channel(log.case, "a", channel_id="g")).tasks}
    assert "dispatch_ambulance" not in kinds[3] and kinds[2] == kinds[None] > kinds[3]


def test_a_channel_that_was_stood_down_may_be_opened_anew() -> None:
    """With new tasks, and the reason of the first kept in the history."""
    log = Log()
    assert_refused("channel_not_open", 409, lambda: do.stand_down(log.case, "x"))
    log.extend(do.open_green_channel(log.case, "a", channel_id="g_1"))
    assert_refused("reason_required", 422, lambda: do.stand_down(log.case, "  "))
    log.extend(do.stand_down(log.case, "误开"))
    case = log.extend(do.open_green_channel(log.case, "a", channel_id="g_2"))
    assert case.channel.state == "open" and case.channel.reason is None
    assert all("g_2" in task.task_id for task in case.tasks)


def record(log: Log, **more: Any) -> list[AnyEvent]:
    fields: dict[str, Any] = {"milestone": "FMC", "time": reading(-300), "source": "clinic", "now": log.now}
    return do.record_milestone(log.case, **{**fields, **more})


def test_a_milestone_from_the_same_source_again_is_a_correction() -> None:
    """It needs a note; the same instant is nothing new; another source adds its own value."""
    log = Log()
    log.extend(record(log))
    assert record(log) == []
    assert_refused("note_required", 422, lambda: record(log, time=reading(-240), note=" "))
    (event,) = record(log, time=reading(-240), note="看错表")
    assert isinstance(event, MilestoneRecorded) and event.correction
    (other,) = record(log, time=reading(-200), source="ed")
    assert isinstance(other, MilestoneRecorded) and not other.correction


def test_a_milestone_that_cannot_be_is_refused() -> None:
    """An unknown name, a time of the future or without a zone, a missing source, a key where nothing repeats."""
    log = Log()
    assert_refused("no_such_milestone", 404, lambda: record(log, milestone="TEA"))
    assert_refused("future_time", 422, lambda: record(log, time=reading(301)))
    assert len(record(log, time=reading(300))) == 1
    naive = reading(0).__class__(at=seconds(0).replace(tzinfo=None), clock="person")
    assert_refused("naive_time", 422, lambda: record(log, time=naive))
    assert_refused("source_required", 422, lambda: record(log, source=" "))
    assert_refused("key_not_used", 422, lambda: record(log, key="1"))
    assert len(record(log, milestone="ASPIRIN", key="300 mg")) == 1


def test_an_unknown_id_is_not_found() -> None:
    """Whatever it should name."""
    case = ringing().case
    assert_refused("no_such_ecg", 404, lambda: do.open_ecg(case, "x"))
    assert_refused("no_such_alert", 404, lambda: do.acknowledge(case, "x", "anna"))
    assert_refused("no_such_task", 404, lambda: do.done_task(case, "x", "anna", role="ed"))
    assert_refused("text_required", 422, lambda: do.sign_reading(case, "e_1", "a", text=" ", tier="ACT"))
    assert_refused("unknown_tier", 422, lambda: do.sign_reading(case, "e_1", "a", text="x", tier="normal"))


def test_a_case_that_still_rings_does_not_end() -> None:
    """Neither closed, merged nor split before somebody has answered."""
    log, other = ringing(), Log(case_id="c_2")
    assert_refused("alert_open", 409, lambda: do.close_case(log.case, "x"))
    assert_refused("alert_open", 409, lambda: do.merge(log.case, other.case))
    assert_refused("alert_open", 409, lambda: do.split(log.case, ["e_1"], new_case_id="c_3", patient="p_2"))


def test_a_merge_carries_the_ecgs_with_their_first_times() -> None:
    """The other case has the tier, the answered alert and the times as they were; nothing rings again."""
    log, other = ringing(), Log(case_id="c_2")
    log.extend(do.acknowledge(log.case, "a_1", "anna"), at_s=20)
    other.ecg("e_5", at_s=100)
    gone, came = do.merge(log.case, other.case)
    assert log.extend(gone).merged_into == "c_2" and do.merge(log.case, other.case) == ([], [])
    case = other.extend(came, at_s=500)
    assert case.tier == "ACT" and case.alert is not None and not case.alert.open
    found = {e.spec.id: e.valid.time.at for e in timeline(case).entries if e.valid is not None}
    assert (found["ECG_RECEIVED"], found["ECG_ALGO"]) == (seconds(0), seconds(1))
    assert (found["ALERT_ACK"], found["ECG1_ACQ"]) == (seconds(20), seconds(-50))
    carried = case.ecg("e_1")
    assert carried is not None and (carried.received_at, carried.analysed_at) == (seconds(0), seconds(1))


def test_nothing_ends_while_an_ecg_is_live_or_unread() -> None:
    """What it shows would ring where nobody looks, or in the wrong case; an empty stream and a signature free it."""
    other = Log(case_id="c_2")
    unread = Log()
    unread.ecg("e_1")
    live = Log()
    live.add(StreamStarted(ecg_id="e_1", stream_id="s", device="d", leads=("I",), rate_hz=500.0))
    for log, code in ((unread, "ecg_unread"), (live, "ecg_live")):
        case = log.case
        assert_refused(code, 409, partial(do.close_case, case, "x"))
        assert_refused(code, 409, partial(do.merge, case, other.case))
        assert_refused(code, 409, partial(do.split, case, ["e_1"], new_case_id="c_3", patient="p"))
    live.add(StreamEndedEmpty(ecg_id="e_1"))
    unread.extend(do.sign_reading(unread.case, "e_1", "anna", text="x", tier="NONE"))
    for log in (live, unread):
        assert log.extend(do.close_case(log.case, "x")).state == "closed"


def test_an_empty_stream_stays_where_it_is() -> None:
    """There is nothing to move to another case."""
    log = Log()
    log.add(StreamStarted(ecg_id="e_1", stream_id="s", device="d", leads=("I",), rate_hz=500.0))
    case = log.add(StreamEndedEmpty(ecg_id="e_1"))
    assert_refused("ecg_empty", 409, lambda: do.split(case, ["e_1"], new_case_id="c_3", patient="p"))


@pytest.mark.parametrize("end", [CaseClosed(reason="x"), CaseMerged(into_case_id="c_2")])
def test_an_alert_that_opens_in_an_ended_case_opens_the_case(end: AnyEvent) -> None:
    """Should one ring all the same, it must not ring unseen: the case is open, and its history says how it went."""
    log = Log()
    log.ecg("e_1")
    log.add(end)
    case = log.extend(do.analysed(log.case, read(), alert_id="a_1", plan=PLAN), at_s=9)
    assert (case.state, case.closed_at, case.merged_into) == ("open", None, None)
    assert case.alert is not None and waits(case, case.alert)
    assert end in [envelope.event for envelope in case.history]


def test_a_wire_of_the_day_before_ends_no_green_channel() -> None:
    """A slip of the pen: what the channel was opened for has not come. With one of this day the case closes, and what
    nobody has done of its tasks is shown to have ended, and is on no list."""
    log = ringing()
    log.extend(do.acknowledge(log.case, "a_1", "chen"), at_s=4)
    log.extend(do.open_green_channel(log.case, "chen", channel_id="g_1"), at_s=5)

    def wire(at_s: float, source: str) -> list[AnyEvent]:
        return do.record_milestone(log.case, milestone="WIRE", time=reading(at_s), source=source, now=log.now)

    log.extend(wire(-86400, "cathlab"))
    assert_refused("channel_open", 409, lambda: do.close_case(log.case, "x"))
    assert open_tasks([log.case])
    log.extend(wire(0, "cardiologist"))
    case = log.extend(do.close_case(log.case, "x"))
    assert case.state == "closed" and open_tasks([case]) == []
    assert {shown_state(case, task) for task in case.tasks} == {"cancelled"}


def test_an_open_green_channel_is_merged_into_never_away() -> None:
    """409 with the way out, unless the other case has one too."""
    log, other = ringing(), Log(case_id="c_2")
    log.extend(do.open_green_channel(log.case, "chen", channel_id="g_1"), at_s=5)
    assert_refused("channel_open", 409, lambda: do.merge(log.case, other.case))
    other.extend(do.open_green_channel(other.case, "chen", channel_id="g_2"), at_s=8)
    _, came = do.merge(log.case, other.case)
    case = other.extend(came, at_s=500)
    assert case.channel.channel_id == "g_2"
    assert valid_at(case, "GREEN_OPEN") == seconds(5)


def valid_at(case: Case, name: str, key: str | None = None) -> datetime | None:
    """The instant that stands for a milestone."""
    found = next(e for e in timeline(case).entries if (e.spec.id, e.key) == (name, key))
    return None if found.valid is None else found.valid.time.at


def test_a_merge_carries_what_people_said_and_when_they_said_it() -> None:
    """Times by hand go over with source, person and a note; the newest word of a source stands, in whichever case."""
    log, other = ringing(), Log(case_id="c_2", arrival_mode=None)
    log.extend(do.acknowledge(log.case, "a_1", "anna"), at_s=2)
    log.add(ContextEntered(age_years=61.0, sex="male", onset=reading(-600)), actor="user:wang", at_s=3)
    for name, value_s, said_s in (("FMC", -300, 10), ("SPOKE_DOOR", -310, 40)):
        for at in (log, other):
            at_s = said_s if at is log else 20
            time = reading(value_s if at is log else value_s - 60)
            events = do.record_milestone(at.case, milestone=name, time=time, source="clinic", now=log.now)
            at.extend(events, actor="user:wang", at_s=at_s)
    dose = do.record_milestone(
        log.case, milestone="ASPIRIN", time=reading(30), source="clinic", key="300 mg", now=log.now
    )
    log.extend(dose, actor="user:wang", at_s=50)
    other.add(ContextEntered(age_years=62.0), actor="user:li", at_s=60)
    _, came = do.merge(log.case, other.case)
    case = other.extend(came, actor="user:li", at_s=500)

    assert (case.context.age_years, case.context.sex, case.arrival_mode) == (62.0, "male", 2)
    assert (valid_at(case, "ONSET"), valid_at(case, "ASPIRIN", "300 mg")) == (seconds(-600), seconds(30))
    assert (valid_at(case, "FMC"), valid_at(case, "SPOKE_DOOR")) == (seconds(-360), seconds(-310))
    given = [value for value in case.values if value.milestone == "ASPIRIN"]
    assert [(v.source, v.actor, v.recorded_at) for v in given] == [("clinic", "user:wang", seconds(50))]
    assert given[0].note is not None and "合并" in given[0].note


def test_a_merge_keeps_earlier_times_and_raises_an_alert_that_rings() -> None:
    """The other case was received first, and waits for its answer at a lower tier."""
    early = Log(case_id="c_2")
    early.ecg("e_9", at_s=-30)
    early.extend(do.analysed(early.case, read("e_9", "CRIT"), alert_id="a_9", plan=PLAN))
    log = ringing()
    log.extend(do.acknowledge(log.case, "a_1", "anna"))
    _, came = do.merge(log.case, early.case)
    case = early.extend(came, at_s=500)
    assert case.alert is not None and case.alert.open
    assert (case.alert.alert_id, case.alert.tier, len(case.alerts)) == ("a_9", "ACT", 1)
    found = {e.spec.id: e.valid.time.at for e in timeline(case).entries if e.valid is not None}
    assert found["ECG_RECEIVED"] == seconds(-30)


def test_a_split_moves_the_ecgs_to_a_new_case() -> None:
    """The old case no longer counts them; a moved ECG cannot be moved again."""
    log = ringing()
    log.extend(do.acknowledge(log.case, "a_1", "anna"))
    log.ecg("e_2")
    log.add(read("e_2", "NONE"))
    gone, came = do.split(log.case, ["e_1"], new_case_id="c_9", patient="p_2")
    case = log.extend(gone)
    assert case.tier == "NONE" and [e.ecg_id for e in case.current_ecgs] == ["e_2"]
    opened, *rest = came
    assert opened == CaseOpened(case_id="c_9", site="s_1", patient="p_2", arrival_mode=2)
    new = Log(case_id="c_9").extend(rest)
    assert new.tier == "ACT" and new.alert is not None and not new.alert.open
    assert_refused("ecg_moved", 409, lambda: do.split(case, ["e_1"], new_case_id="c", patient="p"))
    assert_refused("no_ecgs", 422, lambda: do.split(case, [], new_case_id="c", patient="p"))


def test_a_time_of_another_age_is_refused() -> None:
    """A slip of the pen by years, or an instant that no zone can shift, never enters the log."""
    log = ringing()
    for wrong in (
        datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=14))),
        datetime(1900, 1, 1, tzinfo=UTC),
        log.case.opened_at - timedelta(days=40),
    ):
        time = ClockReading(at=wrong, clock="person")
        given: dict[str, Any] = {"milestone": "HUB_DOOR", "time": time, "source": "ed", "now": log.now}
        assert_refused("too_early", 422, partial(do.record_milestone, log.case, **given))
