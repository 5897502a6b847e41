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
    expect(ready).to_be_hidden(timeout=SOON_MS)
    expect(lab.get_by_test_id("tasks-done")).to_contain_text("1")
    tile = doctor.get_by_test_id("task-ready_cathlab")
    expect(tile).to_have_attribute("data-state", "done", timeout=SOON_MS)
    expect(tile).to_contain_text("导管室护士")
    expect(doctor.get_by_test_id("milestone-CATH_READY")).not_to_contain_text("未知", timeout=SOON_MS)
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
