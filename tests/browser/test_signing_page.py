"""Signing in real browsers: three taps, the keyboard alone, two people at once; and the trace on paper."""

import re

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from tests.browser.people import SOON_MS, People, width_beyond
from tests.pdf_paths import pages_of
from tests.service.viewer_house import beats

pytestmark = pytest.mark.browser

WITHIN_MM = 0.1


def at_the_ecg(people: People, user: str, ecg_id: str, *, phone: bool = False, lang: str = "zh") -> Page:
    """A doctor with the ECG on the screen and the form below it."""
    page = people.enter(user, phone=phone, lang=lang)
    page.goto(f"/ecg/{ecg_id}")
    expect(page.get_by_test_id("sign-open")).to_be_visible(timeout=SOON_MS)
    return page


def infarction(people: People) -> tuple[str, str]:
    """A case and its ECG."""
    case_id = people.infarction()
    return case_id, str(people.ask("chen", "GET", f"/cases/{case_id}")["ecg_id"])


def readings(people: People, case_id: str) -> list[tuple[str, str]]:
    """Text and tier of each signed reading."""
    page = people.ask("chen", "GET", f"/cases/{case_id}")
    return [(one["text"], one["tier"]) for one in page["readings"]]


def test_a_reading_is_signed_in_three_taps_and_nothing_by_itself(people: People) -> None:
    """Open, take, sign on a phone; before the second tap there is nothing to sign."""
    case_id, ecg_id = infarction(people)
    doctor = at_the_ecg(people, "chen", ecg_id, phone=True)
    doctor.get_by_test_id("sign-open").click()
    expect(doctor.get_by_test_id("sign-take-stemi")).to_contain_text("心肌梗死", timeout=SOON_MS)
    expect(doctor.get_by_test_id("sign-send")).to_be_disabled()
    doctor.get_by_test_id("sign-take-stemi").click()
    for _ in range(2):
        assert width_beyond(doctor) <= 0
        doctor.get_by_test_id("lang").click()
    doctor.get_by_test_id("sign-send").click()
    expect(doctor.get_by_test_id("sign-open")).to_contain_text("更正", timeout=SOON_MS)
    assert [(tier, "急性" in text) for text, tier in readings(people, case_id)] == [("ACT", True)]
    assert people.errors == []


def test_the_second_who_signs_is_told_by_name_and_loses_nothing(people: People) -> None:
    """What she typed is there, also after a look elsewhere; signed as an amendment, the first is kept and shown."""
    case_id, ecg_id = infarction(people)
    first = at_the_ecg(people, "chen", ecg_id)
    second = at_the_ecg(people, "lin", ecg_id)
    for page in (first, second):
        page.get_by_test_id("sign-open").click()
        page.get_by_test_id("sign-take-own").click()
        page.get_by_test_id("sign-text").fill(f"{page is first} 前壁心肌梗死")
    first.get_by_test_id("sign-send").click()
    expect(first.get_by_test_id("sign-open")).to_be_visible(timeout=SOON_MS)
    told = second.get_by_test_id("sign-meanwhile")
    expect(told).to_contain_text("陈医生", timeout=SOON_MS)
    expect(second.get_by_test_id("sign-send")).to_be_disabled()
    second.get_by_test_id("sign-close").click()
    second.get_by_test_id("sign-open").click()
    expect(second.get_by_test_id("sign-text")).to_have_value("False 前壁心肌梗死")
    second.get_by_test_id("sign-seen").click()
    second.get_by_test_id("sign-send").click()
    expect(second.get_by_test_id("amends").first).to_contain_text("陈医生", timeout=SOON_MS)
    assert [text for text, _ in readings(people, case_id)] == ["True 前壁心肌梗死", "False 前壁心肌梗死"]
    assert people.errors == []


def test_a_doctor_disagrees_with_the_keyboard_alone(people: People) -> None:
    """S opens, typing and a reason, Ctrl+Enter signs; without the reason nothing goes out, Escape keeps the words."""
    case_id, ecg_id = infarction(people)
    doctor = at_the_ecg(people, "chen", ecg_id, lang="en")
    doctor.keyboard.press("s")
    expect(doctor.get_by_test_id("sign-take-own")).to_be_visible(timeout=SOON_MS)
    expect(doctor.get_by_test_id("sign-more")).to_be_visible(timeout=SOON_MS)
    doctor.keyboard.press("1")
    expect(doctor.get_by_test_id("sign-send")).to_be_focused()
    doctor.get_by_test_id("sign-text").focus()
    doctor.keyboard.press("Control+a")
    doctor.keyboard.type("Early repolarisation")
    doctor.get_by_test_id("sign-tier").focus()
    doctor.keyboard.type("FLAG")
    expect(doctor.get_by_test_id("sign-needs")).to_contain_text("why")
    doctor.keyboard.press("Control+Enter")
    doctor.get_by_test_id("sign-reason-mimic").focus()
    doctor.keyboard.press("Enter")
    doctor.keyboard.press("Escape")
    expect(doctor.get_by_test_id("sign-send")).to_have_count(0)
    doctor.keyboard.press("s")
    expect(doctor.get_by_test_id("sign-text")).to_have_value("Early repolarisation")
    doctor.keyboard.press("Control+Enter")
    expect(doctor.get_by_test_id("sign-open")).to_be_visible(timeout=SOON_MS)
    assert readings(people, case_id) == [("Early repolarisation", "FLAG")]
    assert people.errors == []


def test_a_number_or_a_template_never_takes_the_place_of_ones_own_words(people: People) -> None:
    """With the focus off the field a number adds its sentence behind them, and one press has them back alone."""
    _, ecg_id = infarction(people)
    doctor = at_the_ecg(people, "chen", ecg_id)
    doctor.get_by_test_id("sign-open").click()
    doctor.get_by_test_id("sign-take-own").click(timeout=SOON_MS)
    text = doctor.get_by_test_id("sign-text")
    text.fill("下壁ST段抬高,请复查右室导联")
    text.blur()
    doctor.keyboard.press("1")
    expect(doctor.get_by_test_id("sign-added")).to_be_visible()
    expect(text).to_have_value(re.compile("^下壁ST段抬高,请复查右室导联\n."))
    expect(doctor.get_by_test_id("sign-send")).not_to_be_focused()
    doctor.get_by_test_id("sign-back").click()
    expect(text).to_have_value("下壁ST段抬高,请复查右室导联")
    doctor.get_by_test_id("sign-more").click()
    doctor.get_by_test_id("sign-take-own").click()
    expect(text).to_have_value("下壁ST段抬高,请复查右室导联")
    assert people.errors == []


def test_a_blank_of_the_sites_advice_is_filled_before_it_is_signed(people: People) -> None:
    """The blank is selected, so that a number takes its place; then it goes to the clinic as the doctor wrote it."""
    _, ecg_id = infarction(people)
    doctor = at_the_ecg(people, "chen", ecg_id)
    doctor.get_by_test_id("sign-open").click()
    doctor.get_by_test_id("sign-take-stemi").click(timeout=SOON_MS)
    doctor.get_by_test_id("sign-advice").fill("按方案 ___ mg")
    expect(doctor.get_by_test_id("sign-send")).to_be_disabled()
    doctor.get_by_test_id("sign-advise-rest").click()
    doctor.keyboard.type("300")
    expect(doctor.get_by_test_id("sign-advice")).to_have_value(re.compile("按方案 300 mg;平卧"))
    expect(doctor.get_by_test_id("sign-send")).to_be_enabled()
    assert people.errors == []


def test_the_browser_prints_the_trace_in_true_size(people: People) -> None:
    """One A4 sheet; the paths that Chromium's printer got are within 0.1 mm of the samples that were sent."""
    _, ecg_id = infarction(people)
    doctor = at_the_ecg(people, "chen", ecg_id)
    expect(doctor.get_by_test_id("report-print")).to_be_attached(timeout=SOON_MS)
    (sheet,) = pages_of(doctor.pdf(prefer_css_page_size=True, print_background=True))
    assert (sheet.width_mm, sheet.height_mm) == pytest.approx((297.0, 210.0), abs=0.2)
    long = max(sheet.lines, key=lambda line: len(line.points_mm))
    samples = beats(st_mv=0.4, seed=1).lead("II").astype(np.float64)
    assert len(long.points_mm) == samples.size
    moved = long.points_mm - long.points_mm[0]
    sent = np.round(samples / 0.0025) * 0.0025
    x, y = np.arange(samples.size) / 500 * 25, (sent - sent[0]) * 10
    assert np.hypot(moved[:, 0] - x, moved[:, 1] - y).max() <= WITHIN_MM
    assert people.errors == []


def test_the_report_opens_from_the_page(people: People) -> None:
    """The link asks for the arrangement that was chosen; a clinic has it, too."""
    _, ecg_id = infarction(people)
    doctor = at_the_ecg(people, "chen", ecg_id)
    doctor.get_by_test_id("report").locator("summary").click()
    doctor.get_by_test_id("report-form").select_option("cabrera")
    href = doctor.get_by_test_id("report-open").get_attribute("href") or ""
    answer = doctor.request.get(href)
    assert answer.status == 200 and answer.headers["content-type"] == "application/pdf"
    lines = pages_of(answer.body())[0].marked("Trace")
    assert lines[0].name.startswith("aVL ")
    assert people.errors == []
