"""A drill in real browsers: the word and the hatching on every page, below what is real, until somebody ends it."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.admin_county import with_admin
from tests.browser.people import SOON_MS, People, width_beyond
from tests.served import served

pytestmark = pytest.mark.browser


@pytest.fixture
def people(browser: Browser, tmp_path: Path) -> Iterator[People]:
    """As everywhere, and an administrator."""
    with served(tmp_path / "county", settle=with_admin, contacts_localhost="true") as county:
        yield People(browser=browser, county=county)


def hatched(page: Page, of: str) -> bool:
    """Does this element have the hatched border?"""
    image = page.locator(of).first.evaluate("element => getComputedStyle(element).borderImageSource")
    return "repeating-linear-gradient" in str(image)


def test_a_drill_is_started_seen_as_one_by_everybody_and_ended(people: People) -> None:
    """The head of duty starts it; doctor, clinic and cath lab see the word on row, case and ECG, in the title too."""
    head = people.enter("zhao")
    head.get_by_test_id("drill-link").click(timeout=SOON_MS)
    head.get_by_test_id("drill-site").select_option("yinzhao", timeout=SOON_MS)
    head.get_by_test_id("drill-start").click()
    expect(head.get_by_test_id("drill-start")).to_contain_text("呼叫")
    head.get_by_test_id("drill-start").click()
    one = head.locator(".drill-one")
    expect(one).to_contain_text("【演练】阴赵卫生院", timeout=SOON_MS)
    case_id = (one.get_attribute("data-testid") or "").removeprefix("drill-")

    doctor = people.enter("chen")
    row = doctor.get_by_test_id(f"row-{case_id}")
    expect(row).to_contain_text("【演练】阴赵卫生院", timeout=SOON_MS)
    expect(row.get_by_test_id("drill-word")).to_have_text("演练")
    assert hatched(doctor, f'[data-testid="row-{case_id}"]')
    expect(doctor.get_by_test_id("drill-bar")).to_contain_text("不是真实患者")
    expect(doctor.get_by_test_id("alert-banner")).to_contain_text("【演练】", timeout=SOON_MS)

    real = people.infarction(seed=4)
    expect(doctor.get_by_test_id(f"row-{real}")).to_be_visible(timeout=SOON_MS)
    rows = doctor.locator("[data-case]").evaluate_all("all => all.map(one => one.dataset.case)")
    assert rows.index(real) < rows.index(case_id)
    expect(doctor.get_by_test_id("alert-banner")).not_to_contain_text("【演练】", timeout=SOON_MS)
    expect(doctor.get_by_test_id(f"row-{real}").get_by_test_id("drill-word")).to_have_count(0)

    doctor.goto(f"/case/{case_id}")
    expect(doctor.get_by_test_id("drill-bar")).to_contain_text("演练 · 不是真实患者", timeout=SOON_MS)
    assert hatched(doctor, ".app.drill > main")
    doctor.goto(f"/case/{real}")
    expect(doctor.get_by_test_id(f"case-{real}")).to_be_visible(timeout=SOON_MS)
    expect(doctor.locator(".app.drill")).to_have_count(0)
    people.ask("chen", "POST", f"/cases/{case_id}/green-channel")

    clinic = people.enter("wang", phone=True)
    expect(clinic.get_by_test_id("drill-bar")).to_be_visible(timeout=SOON_MS)
    expect(clinic.locator(".clinic-card").first).to_have_attribute(
        "data-testid", f"case-{real}", timeout=SOON_MS
    )
    assert width_beyond(clinic) <= 0
    clinic.get_by_test_id(f"row-{case_id}").get_by_role("button").click()
    practice = clinic.get_by_test_id(f"case-{case_id}")
    expect(practice.get_by_test_id("drill-no-again")).to_be_visible(timeout=SOON_MS)
    expect(practice.get_by_test_id("again")).to_have_count(0)
    cath = people.enter("cath", phone=True)
    mine = cath.get_by_test_id(f"tasks-{case_id}")
    expect(mine).to_contain_text("【演练】", timeout=SOON_MS)
    expect(mine).to_have_class(re.compile(r"\bdrill\b"))
    assert width_beyond(cath) <= 0

    head.get_by_test_id("drill-end").click()
    expect(one).to_have_count(0, timeout=SOON_MS)
    expect(clinic.get_by_test_id("drill-bar")).to_have_count(0, timeout=SOON_MS)
    doctor.goto(f"/case/{case_id}")
    expect(doctor.get_by_test_id("drill-bar")).to_contain_text("演练已结束", timeout=SOON_MS)
    expect(doctor).to_have_title(re.compile("演练"), timeout=SOON_MS)
    assert people.errors == []


def test_only_who_may_is_offered_to_start_one(people: People) -> None:
    """A doctor who is not head of duty is told who may; the page fits a phone in both languages."""
    doctor = people.enter("chen", phone=True)
    expect(doctor.get_by_test_id("drill-link")).to_have_count(0)
    doctor.goto("/drill")
    expect(doctor.get_by_test_id("drill-page")).to_contain_text("当班主任", timeout=SOON_MS)
    expect(doctor.get_by_test_id("drill-start")).to_have_count(0)
    for _ in range(2):
        assert width_beyond(doctor) <= 0
        doctor.get_by_test_id("lang").click()
    assert people.errors == []
