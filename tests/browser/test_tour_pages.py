"""The tour and the page of help in a real browser: a sample that says so, and not one request for it."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Request, expect

from tests.browser.admin_county import with_admin
from tests.browser.people import SOON_MS, People, width_beyond
from tests.served import served

pytestmark = pytest.mark.browser

# What the frame around every page reads by its own clock, whatever the page shows.
READ_BY_EVERY_PAGE = ("/me", "/roster/now", "/imaging/calls")


@pytest.fixture
def people(browser: Browser, tmp_path: Path) -> Iterator[People]:
    """As everywhere, and an administrator."""
    with served(tmp_path / "county", settle=with_admin, contacts_localhost="true") as county:
        yield People(browser=browser, county=county)


def walk(page: Page) -> list[str]:
    """To the end of the tour, pressing what it asks for; gives what each step said."""
    said = []
    while True:
        expect(page.get_by_test_id("tour-mark")).to_contain_text(re.compile("示例|SAMPLE"))
        said.append(page.locator(".tour-says").text_content() or "")
        assert width_beyond(page) <= 0, said[-1]
        step = page.get_by_test_id("tour-step").text_content() or ""
        numbers = [int(number) for number in re.findall(r"\d+", step)]
        asked = page.locator(".tour-card .info")
        if asked.count():
            word = re.search("[“]([^”]+)[”]", asked.text_content() or "")
            assert word is not None
            page.get_by_test_id("tour-stage").get_by_role("button", name=word[1]).first.click()
        else:
            page.get_by_test_id("tour-next").click()
        if numbers[0] == numbers[1]:
            return said


def test_a_doctor_walks_through_the_sample_and_the_service_hears_nothing(people: People) -> None:
    """Acknowledged, channel opened, all in the browser; the tone is played; then the tour is known to be seen."""
    doctor = people.enter("chen")
    expect(doctor.get_by_test_id("first-time")).to_be_visible()
    doctor.goto("/help")
    expect(doctor.get_by_test_id("tour-start")).to_be_visible(timeout=SOON_MS)
    asked: list[str] = []

    def note(request: Request) -> None:
        read_anyway = request.method == "GET" and request.url.endswith(READ_BY_EVERY_PAGE)
        if "/api/" in request.url and not read_anyway:
            asked.append(f"{request.method} {request.url}")

    doctor.on("request", note)
    doctor.get_by_test_id("tour-start").click()
    expect(doctor.get_by_test_id("tour-step")).to_contain_text("1", timeout=SOON_MS)
    doctor.get_by_test_id("tour-next").click()
    doctor.get_by_test_id("tour-sound").click()
    expect(doctor.get_by_test_id("tour-sound-said")).not_to_be_empty()
    said = walk(doctor)
    assert len(said) == 7
    expect(doctor.get_by_test_id("tour")).to_have_count(0, timeout=SOON_MS)
    assert asked == []
    expect(doctor.get_by_test_id("first-time")).to_have_count(0)
    assert people.errors == []


@pytest.mark.parametrize("user", ["wang", "cath", "quality", "admin"])
def test_each_role_has_its_steps_on_a_phone(people: People, user: str) -> None:
    """In English; pressing elsewhere in the sample does nothing, and Esc ends it at any time."""
    page = people.enter(user, phone=True, lang="en")
    page.goto("/tour")
    expect(page.get_by_test_id("tour-step")).to_contain_text("Step 1", timeout=SOON_MS)
    assert len(walk(page)) >= 4
    page.goto("/tour")
    expect(page.get_by_test_id("tour-step")).to_contain_text("Step 1", timeout=SOON_MS)
    page.keyboard.press("ArrowRight")
    expect(page.get_by_test_id("tour-step")).to_contain_text("Step 2")
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("tour")).to_have_count(0, timeout=SOON_MS)
    assert people.errors == []


def test_help_says_whom_to_call(people: People) -> None:
    """The number of the hub, or of the clinic's own site; from the header and from the question mark."""
    people.ask("admin", "PATCH", "/admin/sites/yinzhao", {"fallback_phone": "0000-999"})
    clinic = people.enter("wang", phone=True)
    clinic.get_by_test_id("help-link").click()
    call = clinic.get_by_test_id("help-call")
    expect(call).to_have_attribute("href", "tel:0000-999", timeout=SOON_MS)
    for _ in range(2):
        assert width_beyond(clinic) <= 0
        clinic.get_by_test_id("lang").click()
    doctor = people.enter("chen")
    doctor.keyboard.press("?")
    doctor.get_by_test_id("help-more").click(timeout=SOON_MS)
    expect(doctor.get_by_test_id("help-call")).to_have_attribute("href", "tel:0000-120", timeout=SOON_MS)
    assert people.errors == []
