"""The roster and the follow-ups in real browsers: who is on duty, a shift given away, doubts, what is closed."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.people import SOON_MS, People, width_beyond

pytestmark = pytest.mark.browser


def test_everybody_sees_who_is_on_duty_and_a_doctor_gives_a_shift_away(people: People) -> None:
    """In the head of every page; after the gift the roster names the other, and whom it was taken from may see it."""
    clinic = people.enter("wang", phone=True)
    expect(clinic.get_by_test_id("on-duty-now")).to_contain_text("一线 陈医生", timeout=SOON_MS)
    assert width_beyond(clinic) <= 0

    doctor = people.enter("chen")
    doctor.get_by_test_id("roster-link").click()
    shifts = doctor.get_by_test_id("my-shift")
    expect(shifts.first).to_be_visible(timeout=SOON_MS)
    before = shifts.count()
    doctor.get_by_test_id("give-shift").last.click()
    doctor.get_by_test_id("give-to").select_option("zhao", timeout=SOON_MS)
    expect(doctor.get_by_test_id("give-send")).to_be_disabled()
    doctor.get_by_test_id("give-reason").fill("孩子发烧")
    doctor.get_by_test_id("give-send").click()
    expect(doctor.get_by_test_id("given").first).to_contain_text("已转给 赵主任", timeout=SOON_MS)
    expect(shifts).to_have_count(before - 1, timeout=SOON_MS)
    doctor.set_viewport_size({"width": 360, "height": 740})
    for _ in range(2):
        assert width_beyond(doctor) <= 0
        doctor.get_by_test_id("lang").click()
    assert people.errors == []


def test_who_keeps_the_roster_sees_what_is_in_doubt(people: People) -> None:
    """An empty time ahead and who cannot be reached, in words; a doctor is not shown it."""
    quality = people.enter("quality")
    quality.goto("/roster")
    expect(quality.get_by_test_id("roster-problems")).to_contain_text("无人值班", timeout=SOON_MS)
    expect(quality.get_by_test_id("unreachable-chen")).to_contain_text("联系不上", timeout=SOON_MS)
    people.ask("chen", "POST", "/duty/start", {"sound": True})
    quality.reload()
    expect(quality.get_by_test_id("now-first")).to_contain_text("能联系上", timeout=SOON_MS)

    doctor = people.enter("chen")
    doctor.goto("/roster")
    expect(doctor.get_by_test_id("roster-now")).to_be_visible(timeout=SOON_MS)
    expect(doctor.get_by_test_id("roster-problems")).to_have_count(0)
    assert people.errors == []


def test_a_follow_up_is_closed_by_who_saw_to_it(people: People) -> None:
    """Of a channel that was stood down the clinic has two; what came of one is said, and it is gone from the list."""
    case_id = people.infarction()
    people.ask("chen", "POST", f"/cases/{case_id}/green-channel")
    people.ask("chen", "POST", f"/cases/{case_id}/stand-down", {"reason": "早期复极"})
    clinic = people.enter("wang", phone=True)
    clinic.get_by_test_id("followups-link").click()
    one = clinic.get_by_test_id(f"followup-cancelled_24h-{case_id}")
    expect(one).to_contain_text("24小时", timeout=SOON_MS)
    expect(one).to_contain_text(re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d 前"))
    for _ in range(2):
        assert width_beyond(clinic) <= 0
        clinic.get_by_test_id("lang").click()
    expect(one.locator("option[value=well]")).to_be_disabled()  # a day has not passed
    one.get_by_test_id("followup-result").select_option("infarction")
    one.get_by_test_id("followup-save").click()
    expect(one).to_have_count(0, timeout=SOON_MS)
    expect(clinic.get_by_test_id(f"followup-cancelled_30d-{case_id}")).to_be_visible()
    assert people.errors == []
