"""The page of a role in a real browser: what one person opens is on the others' pages at once."""

import pytest
from playwright.sync_api import expect

from tests.browser.people import SOON_MS, People, width_beyond

pytestmark = pytest.mark.browser


def test_a_task_is_taken_and_done_by_a_tap_on_ones_own_page(people: People) -> None:
    """The lab begins on its tasks; what the doctor opens comes without a reload, and the case shows who did it."""
    case_id = people.infarction()
    lab = people.enter("cath", phone=True)
    expect(lab.get_by_test_id("tasks-none")).to_be_visible(timeout=SOON_MS)
    assert lab.url.endswith("/tasks")

    doctor = people.enter("chen")
    doctor.goto(f"/case/{case_id}")
    doctor.get_by_test_id("open-green").first.click()
    group = lab.get_by_test_id(f"tasks-{case_id}")
    ready = group.get_by_test_id("task-ready_cathlab")
    expect(ready).to_have_attribute("data-state", "given", timeout=SOON_MS)
    expect(group).to_contain_text("阴赵卫生院")
    expect(group).to_contain_text("男\u00a061")
    expect(lab.get_by_test_id("tasks-badge")).to_have_text("4")

    ready.get_by_test_id("task-accept-ready_cathlab").click()
    expect(ready).to_have_attribute("data-state", "accepted", timeout=SOON_MS)
    ready.get_by_test_id("task-done-ready_cathlab").click()
    expect(ready).to_have_attribute("data-state", "done", timeout=SOON_MS)
    expect(ready.get_by_test_id("task-ticked-ready_cathlab")).to_contain_text("已完成")
    expect(lab.get_by_test_id("tasks-done")).to_contain_text("1")
    tile = doctor.get_by_test_id("task-ready_cathlab")
    expect(tile).to_have_attribute("data-state", "done", timeout=SOON_MS)
    expect(tile).to_contain_text("导管室护士")
    expect(doctor.get_by_test_id("milestone-CATH_READY")).not_to_contain_text("未知", timeout=SOON_MS)
    assert people.errors == []


def test_taps_that_go_on_at_one_place_do_one_task(people: People) -> None:
    """Eight taps of a gloved hand: what was meant is done and stays there, ticked; no other task, no other patient."""
    cases = [people.infarction(), people.infarction(seed=2)]
    for case_id in cases:
        people.ask("chen", "POST", f"/cases/{case_id}/green-channel")
    lab = people.enter("cath", phone=True)
    group = lab.locator("section.task-case").first
    act = group.get_by_test_id("task-done-ready_cathlab")
    act.wait_for(timeout=SOON_MS)
    act.scroll_into_view_if_needed()
    place = act.bounding_box()
    assert place is not None

    def tap(times: int) -> None:
        for _ in range(times):
            lab.mouse.click(place["x"] + place["width"] / 2, place["y"] + place["height"] / 2)
            lab.wait_for_timeout(450)

    tap(8)
    tick = group.get_by_test_id("task-ticked-ready_cathlab").bounding_box()
    assert tick is not None
    assert abs(tick["y"] + tick["height"] - place["y"] - place["height"]) <= 2
    done = [
        (case_id, task["kind"])
        for case_id in cases
        for task in people.ask("chen", "GET", f"/cases/{case_id}")["tasks"]
        if task["state"] == "done"
    ]
    assert [kind for _, kind in done] == ["ready_cathlab"]

    first = done[0][0]
    wire = lab.get_by_test_id(f"tasks-{first}").get_by_test_id("task-done-pass_wire")
    wire.click()
    asked = lab.get_by_test_id("task-early-pass_wire")
    expect(asked).to_contain_text("患者到达导管室")
    assert width_beyond(lab) <= 0
    assert all(
        task["state"] == "given" or task["kind"] == "ready_cathlab"
        for task in people.ask("chen", "GET", f"/cases/{first}")["tasks"]
        if task["role"] == "cathlab"
    )
    asked.get_by_test_id("task-early-sure-pass_wire").click()
    expect(lab.get_by_test_id("task-ticked-pass_wire")).to_be_visible(timeout=SOON_MS)
    assert people.errors == []


def test_a_stand_down_reaches_who_has_tasks_with_its_reason(people: People) -> None:
    """What was cancelled stands first, with who and why, in both languages and on a phone."""
    case_id = people.infarction()
    people.ask("chen", "POST", f"/cases/{case_id}/green-channel")
    lab = people.enter("cath", phone=True)
    expect(lab.get_by_test_id(f"tasks-{case_id}")).to_be_visible(timeout=SOON_MS)
    people.ask("chen", "POST", f"/cases/{case_id}/stand-down", {"reason": "复核为早期复极"})

    cancelled = lab.get_by_test_id("tasks-cancelled")
    expect(cancelled).to_contain_text("复核为早期复极", timeout=SOON_MS)
    expect(cancelled).to_contain_text("陈医生")
    expect(lab.get_by_test_id(f"tasks-{case_id}")).to_be_hidden(timeout=SOON_MS)
    assert width_beyond(lab) <= 0
    lab.get_by_test_id("lang").click()
    expect(cancelled).to_contain_text("Cancelled: do not go on")
    assert width_beyond(lab) <= 0
    assert people.errors == []


def test_who_looks_at_the_case_has_seen_its_alert(people: People) -> None:
    """The board alone has it delivered; the case on the screen has it seen."""
    doctor = people.enter("chen")
    case_id = people.infarction()
    expect(doctor.get_by_test_id("alert-banner")).to_be_visible(timeout=SOON_MS)

    def seen() -> list[bool]:
        alert = people.ask("chen", "GET", f"/cases/{case_id}")["alert"]
        return [one["seen_at"] is not None for one in alert["people"] if one["person"] == "chen"]

    assert seen() == [False]
    doctor.get_by_test_id("alert-banner").get_by_role("link").click()
    doctor.wait_for_url(f"**/case/{case_id}")
    for _ in range(100):
        if seen() == [True]:
            break
        doctor.wait_for_timeout(100)
    assert seen() == [True]
    assert people.errors == []
