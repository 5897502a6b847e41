"""The case page in real browsers: the proposal, who was called, one tap, the arrival, the outcome that goes back."""

import re

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.people import SOON_MS, People, width_beyond
from tests.receiver import receiver

pytestmark = pytest.mark.browser


def assert_fits_a_phone(page: Page) -> None:
    """In both languages nothing is wider than 360 px."""
    page.set_viewport_size({"width": 360, "height": 740})
    for _ in range(2):
        assert width_beyond(page) <= 0, page.url
        page.get_by_test_id("lang").first.click()


def test_what_is_proposed_is_sent_when_a_doctor_opens_it_and_not_before(people: People) -> None:
    """The tasks are listed as prepared; the lab has none, and has them once the button was pressed."""
    lab = people.enter("cath")
    expect(lab.get_by_test_id("tasks-none")).to_be_visible(timeout=SOON_MS)
    case_id = people.infarction()
    doctor = people.enter("chen")
    doctor.goto(f"/case/{case_id}")
    proposal = doctor.get_by_test_id("proposal")
    expect(proposal).to_contain_text("待医师确认", timeout=SOON_MS)
    expect(proposal).to_contain_text("尚未发送")
    expect(doctor.get_by_test_id("prepared-tasks")).to_contain_text("导管室准备就绪")
    expect(lab.get_by_test_id("tasks-none")).to_be_visible()
    assert_fits_a_phone(doctor)

    bystander = people.enter("ccu")
    bystander.goto(f"/case/{case_id}")
    expect(bystander.get_by_test_id("proposal")).to_contain_text("等待医师确认", timeout=SOON_MS)
    expect(bystander.get_by_test_id("open-green")).to_have_count(0)

    proposal.get_by_test_id("open-green").click()
    expect(lab.get_by_test_id(f"tasks-{case_id}")).to_be_visible(timeout=SOON_MS)
    expect(proposal).to_be_hidden(timeout=SOON_MS)
    expect(bystander.get_by_test_id("new-tasks")).to_contain_text("新任务 1 项", timeout=SOON_MS)
    assert people.errors == []


def test_everybody_sees_who_was_reached_and_on_which_channel(people: People) -> None:
    """The doctor has seen it on the board, the telephone does not get through and says why."""
    with receiver() as gateway:
        gateway.statuses = [403]
        people.ask("chen", "PUT", "/me/contacts/phone", {"address": f"{gateway.base}/x"})
        doctor = people.enter("chen")
        case_id = people.infarction()
        doctor.goto(f"/case/{case_id}")
        called = doctor.get_by_test_id("called-chen")
        expect(called).to_have_attribute("data-state", "seen", timeout=SOON_MS)
        expect(called).to_contain_text("一线")
        expect(called).to_contain_text("值班台 ◉ 已看到")
    doctor.get_by_test_id("ack").first.click()
    expect(called).to_have_attribute("data-state", "acknowledged", timeout=SOON_MS)
    expect(doctor.get_by_test_id("alert-people")).to_be_visible()
    doctor.get_by_test_id("alert-people").locator("summary").click()
    expect(doctor.get_by_test_id("follow-up")).to_contain_text("否则再次呼叫")
    assert people.errors == []


def test_a_tap_is_a_time_and_an_arrival_is_on_the_others_pages(people: People) -> None:
    """Dispatch says by a tap that the ambulance was sent, and when it will be there; the lab reads it on its page."""
    case_id = people.infarction()
    people.ask("chen", "POST", f"/cases/{case_id}/green-channel")
    lab = people.enter("cath", phone=True)
    dispatch = people.enter("dispatch", phone=True)
    expect(dispatch.get_by_test_id("task-dispatch_ambulance")).to_be_visible(timeout=SOON_MS)
    dispatch.get_by_test_id(f"tasks-{case_id}").get_by_test_id("open-case").click()
    dispatch.get_by_test_id("tap-AMB_DISPATCH").click(timeout=SOON_MS)
    expect(dispatch.get_by_test_id("tap-AMB_DISPATCH")).to_have_count(0, timeout=SOON_MS)
    expect(dispatch.get_by_test_id("milestone-AMB_DISPATCH")).not_to_contain_text("未知")

    dispatch.get_by_test_id("eta-correct").click()
    dispatch.get_by_test_id("eta-minutes").fill("25")
    dispatch.get_by_test_id("eta-save").click()
    expect(dispatch.get_by_test_id("eta-hub")).to_contain_text("24 分", timeout=SOON_MS)
    expect(lab.get_by_test_id("eta-hub")).to_contain_text("预计到院", timeout=SOON_MS)
    assert_fits_a_phone(dispatch)
    assert_fits_a_phone(lab)
    assert people.errors == []


def test_what_a_doctor_signed_stands_on_the_case_and_what_failed_does_not(people: People) -> None:
    """The tier of the ECG is the doctor's, the advice outlives a later reading without one, and a code whose call
    was lost is not shown as if it were recorded; a thumbnail that could not be read is read again."""
    case_id = people.infarction()
    ecg_id = people.ask("chen", "GET", f"/cases/{case_id}")["ecg_id"]
    first = {"text": "早期复极", "tier": "FLAG", "agrees": False, "reason": "与去年相同"}
    people.ask("chen", "POST", f"/ecgs/{ecg_id}/reading", first | {"advice": "平卧,家属陪同", "after": 0})
    seq = people.ask("chen", "GET", f"/cases/{case_id}")["ecgs"][0]["signed_seq"]
    people.ask("chen", "POST", f"/ecgs/{ecg_id}/reading", first | {"text": "早期复极,同前", "after": seq})
    doctor = people.enter("chen")
    lost: list[str] = []

    def lose_the_first(route: Route) -> None:
        lost.append(route.request.url)
        if len(lost) == 1:
            route.abort()
        else:
            route.continue_()

    doctor.route("**/waveform?*", lose_the_first)
    doctor.goto(f"/case/{case_id}")
    expect(doctor.get_by_test_id("case-advice")).to_contain_text("平卧", timeout=SOON_MS)
    link = doctor.get_by_test_id(f"ecg-link-{ecg_id}")
    link.scroll_into_view_if_needed()
    expect(link.locator(".tier-flag")).to_be_visible()
    expect(link).to_contain_text("自动分析")
    expect(link.get_by_role("img")).to_have_attribute("aria-label", re.compile("V"), timeout=SOON_MS)
    assert len(lost) == 2

    doctor.route("**/milestones", lambda route: route.abort())
    diagnosis = doctor.get_by_test_id("tap-DX")
    if not diagnosis.is_visible():
        doctor.get_by_test_id("taps").locator("summary").click()
    diagnosis.select_option("STEMI")
    expect(doctor.get_by_test_id("trouble")).to_be_visible(timeout=SOON_MS)
    expect(diagnosis).to_have_value("")
    assert people.errors == []


def test_the_outcome_goes_back_to_the_clinic_and_its_reading_comes_back(people: People) -> None:
    """Entered with its code, sent by a press; the clinic is told on its own page and says that it has read it."""
    case_id = people.infarction()
    ccu = people.enter("ccu")
    ccu.goto(f"/case/{case_id}")
    expect(ccu.get_by_test_id("outcome")).to_have_attribute("data-state", "unknown", timeout=SOON_MS)
    ccu.get_by_test_id("milestone-which").select_option("OUTCOME")
    ccu.get_by_test_id("milestone-code").select_option("discharged")
    ccu.get_by_test_id("milestone-save").click()
    outcome = ccu.get_by_test_id("outcome")
    expect(outcome).to_have_attribute("data-state", "ready", timeout=SOON_MS)
    expect(outcome).to_contain_text("出院")
    ccu.get_by_test_id("feedback-send").click()
    expect(outcome).to_have_attribute("data-state", "sent", timeout=SOON_MS)

    clinic = people.enter("wang", phone=True)
    clinic.get_by_test_id("feedback-new").get_by_role("link").click(timeout=SOON_MS)
    clinic.get_by_test_id("feedback-seen").click(timeout=SOON_MS)
    expect(outcome).to_have_attribute("data-state", "seen", timeout=SOON_MS)
    assert_fits_a_phone(clinic)
    clinic.goto("/clinic")
    expect(clinic.get_by_test_id(f"case-{case_id}")).to_be_visible(timeout=SOON_MS)
    expect(clinic.get_by_test_id("feedback-new")).to_have_count(0)
    assert people.errors == []


def test_a_long_unbroken_word_makes_no_case_page_wider_than_a_phone(people: People) -> None:
    """In a reading, in advice, in why a case was closed."""
    word = "W" * 300
    case_id = people.infarction(seed=31, name="N" * 100, history=word)
    case = people.ask("chen", "GET", f"/cases/{case_id}")
    people.ask("chen", "POST", f"/alerts/{case['alert']['alert_id']}/ack")
    ecg_id = case["ecgs"][0]["ecg_id"]
    reading = {"text": word, "tier": "ACT", "advice": word}
    people.ask("chen", "POST", f"/ecgs/{ecg_id}/reading", reading)
    people.ask("chen", "POST", f"/cases/{case_id}/close", {"reason": word})
    for user in ("chen", "wang"):
        page = people.enter(user, phone=True)
        page.goto(f"/case/{case_id}")
        expect(page.get_by_test_id(f"case-{case_id}")).to_contain_text("WWWW", timeout=SOON_MS)
        for details in page.locator("main summary").all():
            details.click()
        assert_fits_a_phone(page)
    assert people.errors == []
