"""The story of the demo in a real browser: what a visitor sees and does."""

import re

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser

UNKNOWN = re.compile("未知|unknown")
SOON_MS = 20_000
STORY_MS = 180_000  # the story takes 45 s at this pace, on a machine that may do other things


def sign_in(page: Page, address: str, user: str) -> list[str]:
    """Sign in as one of the demo's people; gives the list that page errors go to."""
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(f"{address}/login")
    page.get_by_test_id(f"demo-login-{user}").click()
    expect(page.get_by_test_id("connection")).to_be_visible(timeout=SOON_MS)
    return errors


def test_a_visitor_answers_opens_the_channel_and_sees_the_wire(page: Page, demo: str) -> None:
    """The alert comes without a reload; acknowledged and opened by the visitor, the case page ends at 49 and 29."""
    errors = sign_in(page, demo, "chen")
    page.evaluate("window.untouched = true")
    banner = page.get_by_test_id("alert-banner")
    expect(banner).to_be_visible(timeout=SOON_MS)
    row = page.locator('[data-testid^="row-"]').first

    expect(row).to_contain_text("广泛前壁")
    expect(row).to_contain_text("mV")
    expect(row).to_contain_text("STE-1")
    page.get_by_test_id("ack").first.click()
    expect(banner).to_be_hidden(timeout=SOON_MS)
    assert page.evaluate("window.untouched") is True

    case_id = (row.get_attribute("data-testid") or "").removeprefix("row-")  # the click may leave the board
    page.get_by_test_id("open-green").first.click()
    if "/case/" not in page.url:
        page.goto(f"{demo}/case/{case_id}")
    expect(page.get_by_test_id("interval-FMC_TO_WIRE").first).to_contain_text("49", timeout=STORY_MS)
    shown = {
        "DOOR_TO_WIRE": "29",
        "FMC_TO_DISPATCH": "3",
        "DISPATCH_TO_DOOR": "17",
        "DOOR_TO_CATHLAB": "5",
        "CATHLAB_TO_ANGIO": "11",
        "ANGIO_TO_WIRE": "13",
    }
    for interval, minutes in shown.items():
        expect(page.get_by_test_id(f"interval-{interval}").first).to_have_text(re.compile(rf"\b{minutes}\b"))
    for milestone in ("ONSET", "ECG1_ACQ", "SPOKE_OUT", "CONSENT_SIGN", "PUNCT_OK", "ASPIRIN"):
        expect(page.get_by_test_id(f"milestone-{milestone}").first).to_contain_text(UNKNOWN)
    expect(page.get_by_test_id("milestone-GREEN_OPEN").first).to_contain_text("16:08:00")
    assert errors == []


def test_without_a_hand_the_story_ends_and_reads_in_english(page: Page, demo: str) -> None:
    """Simulated staff act in the visitor's place; the board and the case page are complete in English on a phone."""
    page.set_viewport_size({"width": 360, "height": 740})
    errors = sign_in(page, demo, "quality")
    page.get_by_test_id("lang").first.click()
    page.get_by_test_id("board-link").click()
    row = page.locator('[data-testid^="row-"]').first
    expect(row).to_contain_text("extensive anterior", ignore_case=True, timeout=SOON_MS)
    case_id = (row.get_attribute("data-testid") or "").removeprefix("row-")
    page.goto(f"{demo}/case/{case_id}")

    expect(page.get_by_test_id("interval-FMC_TO_WIRE").first).to_contain_text("49", timeout=STORY_MS)
    expect(page.get_by_test_id("interval-DOOR_TO_WIRE").first).to_contain_text("29")
    expect(page.get_by_test_id("milestone-ONSET").first).to_contain_text("unknown", ignore_case=True)
    wider = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wider <= 0, f"the page is {wider} px wider than the phone"
    assert errors == []


def test_a_radiologist_finds_a_ct_to_read_and_an_x_ray_with_its_report(page: Page, demo: str) -> None:
    """Of one patient; the report stands with the case, and the CT waits for the visitor without a clock in minutes."""
    errors = sign_in(page, demo, "rad")
    page.goto(f"{demo}/imaging")
    waiting = page.locator('[data-testid^="work-"]', has_text="Head CT")
    expect(waiting).to_be_visible(timeout=SOON_MS)
    waiting.locator("a").first.click()
    pane = page.get_by_test_id("pane")
    expect(pane).to_have_attribute("data-drawn", re.compile(r"\d+"), timeout=SOON_MS)
    page.get_by_test_id("claim").click()
    expect(page.get_by_test_id("report-panel")).to_contain_text("周医生")
    expect(page.get_by_test_id("report-panel")).to_contain_text("常规影像报告")
    page.goto(f"{demo}/imaging")
    page.get_by_test_id("imaging-reported").click()
    reported = page.locator('[data-testid^="work-"]', has_text="Chest PA")
    expect(reported).to_be_visible(timeout=SOON_MS)
    reported.locator("a").first.click()
    expect(page.get_by_test_id("image-report")).to_contain_text("不作诊断")
    expect(pane).to_have_attribute("data-drawn", "0", timeout=SOON_MS)
    page.get_by_test_id("open-case").click()
    expect(page.locator("main")).to_contain_text("Head CT")
    expect(page.locator("main")).to_contain_text("Chest PA")
    assert errors == []
