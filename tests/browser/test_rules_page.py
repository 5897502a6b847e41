"""From a finding to the rule that made it, in a real browser."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.test_story import SOON_MS, sign_in

pytestmark = pytest.mark.browser


def narrow_enough(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"))


def test_a_finding_leads_to_its_rule_and_the_page_of_rules_is_searched_by_keyboard(
    page: Page, demo: str
) -> None:
    """The rule stands in view and has the focus; a slash goes to the filter, which takes id, term and lead."""
    errors = sign_in(page, demo, "chen")
    row = page.locator('[data-testid^="row-"]').first
    expect(row).to_contain_text("STE-1", timeout=SOON_MS)
    page.goto(f"{demo}/case/{(row.get_attribute('data-testid') or '').removeprefix('row-')}")
    link = page.get_by_test_id("rule-STE-1").first
    expect(link).to_have_attribute("href", re.compile(r"^/rules/\d+#STE-1$"), timeout=SOON_MS)
    link.click()

    rule = page.locator("article#STE-1")
    expect(rule).to_be_in_viewport(timeout=SOON_MS)
    expect(rule).to_be_focused()
    expect(rule).to_contain_text("ST段抬高型心肌梗死图形")
    expect(rule).to_contain_text("ST-elevation MI pattern")
    page.keyboard.press("/")
    expect(page.get_by_test_id("rules-filter")).to_be_focused()
    page.keyboard.type("高钾")
    expect(page.locator("article.rule")).to_have_count(1)
    expect(page.locator("article.rule")).to_contain_text("CV-12")
    page.keyboard.press("Escape")
    expect(rule).to_be_attached()
    page.get_by_test_id("rules-version").select_option("1")
    expect(page.get_by_test_id("rules-old")).to_be_visible()
    assert page.url.endswith("/rules/1#STE-1")
    assert errors == []


def test_the_rules_are_complete_in_english_on_a_phone(page: Page, demo: str) -> None:
    """From the board's own link, without anything wider than the phone; an unknown version names those there are."""
    page.set_viewport_size({"width": 360, "height": 740})
    errors = sign_in(page, demo, "quality")
    page.get_by_test_id("lang").first.click()
    page.get_by_test_id("rules-link").click()

    expect(page.locator("article#EQV-DEWINTER")).to_contain_text("De Winter pattern", timeout=SOON_MS)
    expect(page.locator("article#EQV-DEWINTER")).to_contain_text("µV")
    expect(page.locator("#thresholds")).to_contain_text("≥ 0.25 mV")
    assert narrow_enough(page)
    page.goto(f"{demo}/rules/99")
    expect(page.locator(".trouble")).to_contain_text("no such version", timeout=SOON_MS)
    assert errors == []
