"""What an answered alert becomes where its ECGs go different ways: asked in each case, and lost in none."""

from collections.abc import Callable

import pytest

from greenchannel.alerts.alert_deadlines import FOLLOW_UP, on_due
from greenchannel.alerts.auditor import audit
from greenchannel.alerts.commands import (
    Refused,
    accept_task,
    acknowledge,
    analysed,
    close_case,
    done_task,
    merge,
    open_green_channel,
    sign_reading,
    split,
    stand_down,
)
from greenchannel.events import AlertOpened
from tests.alerts_log import PLAN, Log, due_times, read, seconds


def rung() -> Log:
    """A case whose first ECG has rung."""
    log = Log()
    log.ecg()
    log.extend(analysed(log.case, read("e_1"), alert_id="a_1", plan=PLAN))
    return log


def test_a_split_of_one_of_two_ecgs_asks_in_both_cases() -> None:
    """One answer was about both: each case has its own question from then on, with a due time of its own."""
    story, other = rung(), Log(case_id="c_2")
    story.ecg("e_2")
    story.extend(analysed(story.case, read("e_2", "ACT"), alert_id="a_3", plan=PLAN))
    story.extend(acknowledge(story.case, "a_1", "anna"), at_s=10)
    here, there = split(story.case, ["e_2"], new_case_id="c_2", patient="p_2")
    other.extend(there[1:], at_s=30)  # this log has opened its case
    story.extend(here, at_s=30)
    stays, goes = story.case.alert, other.case.alert
    assert stays is not None and goes is not None
    assert (stays.ecg_ids, stays.follow_up_at) == (("e_1",), seconds(310))
    assert (goes.ecg_ids, goes.follow_up_at) == (("e_2",), seconds(330))
    due = {log.case.case_id: {d.id for d in due_times(log.envelopes)} for log in (story, other)}
    assert due["c_2"] and not due["c_1"] & due["c_2"]
    # What is left leaves, too: nothing is asked of a case without its ECGs.
    here, there = split(story.case, ["e_1"], new_case_id="c_3", patient="p_3")
    story.extend(here, at_s=40)
    assert story.case.alert is not None and story.case.alert.follow_up_at is None
    assert [one.alert_id for one in there if isinstance(one, AlertOpened)] == ["a_1"]


def test_an_ecg_that_leaves_an_open_channel_is_asked_about() -> None:
    """The channel stays with the other patient, so nothing has followed for this one; a signed ECG is asked no more."""
    for signed in (False, True):
        story, other = rung(), Log(case_id="c_2")
        story.ecg("e_2")
        story.extend(analysed(story.case, read("e_2", "ACT"), alert_id="a_3", plan=PLAN))
        story.extend(acknowledge(story.case, "a_1", "anna"), at_s=10)
        story.extend(open_green_channel(story.case, "anna", channel_id="g_1"), at_s=12)
        if signed:
            said = sign_reading(story.case, "e_2", "anna", text="前壁", tier="ACT")
            story.extend(said, at_s=14)
        here, there = split(story.case, ["e_2"], new_case_id="c_2", patient="p_2")
        other.extend(there[1:], at_s=30)
        story.extend(here, at_s=30)
        assert story.case.alert is not None and story.case.alert.follow_up_at is None
        assert other.case.alert is not None
        assert other.case.alert.follow_up_at == (None if signed else seconds(330))


def test_an_ecg_that_was_merged_after_both_were_seen_to_has_its_alert_when_it_is_split_off() -> None:
    """Nothing opened when the cases were joined; found to be another's after all, it is not without an alert."""
    story, other, third = rung(), Log(case_id="c_2"), Log(case_id="c_3")
    other.ecg("e_7")
    other.extend(analysed(other.case, read("e_7"), alert_id="a_7", plan=PLAN))
    other.extend(acknowledge(other.case, "a_7", "anna"), at_s=5)
    other.extend(open_green_channel(other.case, "anna", channel_id="g_7"), at_s=6)
    story.extend(acknowledge(story.case, "a_1", "anna"), at_s=10)
    story.extend(open_green_channel(story.case, "anna", channel_id="g_1"), at_s=12)
    _, carried = merge(story.case, other.case)
    other.extend(carried, at_s=30)
    assert [alert.alert_id for alert in other.case.alerts] == ["a_7"]
    _, there = split(other.case, ["e_1"], new_case_id="c_3", patient="p_3")
    third.extend(there[1:], at_s=40)
    assert third.case.alert is not None and third.case.alert.ecg_ids == ("e_1",)
    assert third.case.alert.follow_up_at == seconds(340)
    assert audit([third.case], seconds(300)) == []


def test_an_alert_in_its_second_round_is_asked_about_where_it_goes() -> None:
    """Its first due time was taken; under the same name the next would be, too, and nobody would ring."""
    for ways in ("merge", "split"):
        log, other = rung(), Log(case_id="c_2")
        log.extend(acknowledge(log.case, "a_1", "anna"), at_s=10)
        (due,) = (d for d in due_times(log.envelopes) if d.kind == FOLLOW_UP)
        log.extend(on_due(log.case, due, seconds(310)), at_s=310)
        log.extend(acknowledge(log.case, "a_1", "bo"), at_s=320)
        if ways == "merge":
            _, there = merge(log.case, other.case)
        else:
            _, (_, *there) = split(log.case, ["e_1"], new_case_id="c_2", patient="p_2")
        other.extend(there, at_s=330)
        assert other.case.alert is not None and other.case.alert.follow_up_at == seconds(630)
        new = [d.id for d in due_times(other.envelopes) if d.kind == FOLLOW_UP]
        assert new and due.id not in new


def test_an_ecg_that_comes_back_is_asked_about_under_another_name() -> None:
    """Two alerts of one name in a case: due times would look at the older one, of which nothing is asked."""
    log, other = rung(), Log(case_id="c_2")
    log.ecg("e_2")
    log.extend(analysed(log.case, read("e_2", "NONE"), alert_id="a_3", plan=PLAN))
    log.extend(acknowledge(log.case, "a_1", "anna"), at_s=10)
    here, there = split(log.case, ["e_1"], new_case_id="c_2", patient="p_2")
    log.extend(here, at_s=20)
    other.extend(there[1:], at_s=20)
    _, back = split(other.case, ["e_1"], new_case_id="c_1", patient="p_1", into=log.case)
    log.extend(back, at_s=30)
    alert = log.case.alert
    assert alert is not None and alert.follow_up_at == seconds(330)
    assert log.case.alert_of(alert.alert_id) == alert


def test_a_merged_case_takes_no_act_that_is_of_the_case_it_went_to() -> None:
    """From a page that still shows it: the wire would be a time of a case that nobody looks at, and a stand-down end
    nothing."""
    log, other = rung(), Log(case_id="c_2")
    other.ecg("e_7")
    other.extend(analysed(other.case, read("e_7"), alert_id="a_7", plan=PLAN))
    other.extend(open_green_channel(other.case, "anna", channel_id="g_7"), at_s=6)
    log.extend(open_green_channel(log.case, "anna", channel_id="g_1"), at_s=12)
    task = next(task for task in log.case.tasks if task.kind == "pass_wire")
    gone, _ = merge(log.case, other.case)
    case = log.extend(gone, at_s=30)
    acts: tuple[Callable[[], object], ...] = (
        lambda: done_task(case, task.task_id, "cath", role="cathlab"),
        lambda: accept_task(case, task.task_id, "cath", role="cathlab"),
        lambda: stand_down(case, "not a STEMI"),
        lambda: open_green_channel(case, "anna", channel_id="g_9"),
    )
    for act in acts:
        with pytest.raises(Refused) as refusal:
            act()
        assert (refusal.value.code, refusal.value.status) == ("case_merged", 409)


def test_an_ecg_leaves_a_closed_case_which_stays_closed() -> None:
    """Whose it is may come out late. Unread, it is asked about where it goes."""
    log, other = rung(), Log(case_id="c_2")
    log.ecg("e_2")
    log.extend(analysed(log.case, read("e_2", "ACT"), alert_id="a_3", plan=PLAN))
    log.extend(acknowledge(log.case, "a_1", "anna"), at_s=10)
    log.extend(close_case(log.case, "transferred"), at_s=20)
    here, there = split(log.case, ["e_2"], new_case_id="c_2", patient="p_2")
    case = log.extend(here, at_s=30)
    other.extend(there[1:], at_s=30)
    assert (case.state, [ecg.ecg_id for ecg in case.current_ecgs]) == ("closed", ["e_1"])
    assert other.case.state == "open" and other.case.alert is not None
    assert other.case.alert.follow_up_at == seconds(330)
    assert audit([case, other.case], seconds(320)) == []
