"""Images on the wrong patient's case are moved to the right one on the page, and their report is confirmed anew."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.image_files import stow
from tests.browser.people import SOON_MS, People, width_beyond
from tests.browser.test_image_story import with_radiologist
from tests.imaging_files import ROOT_UID, ct
from tests.served import served

pytestmark = pytest.mark.browser

LEAST_PX = 44.0  # of what a finger must hit
STUDY = f"{ROOT_UID}.1"
REPORT = {
    "findings": "左侧基底节区高密度影。",
    "impression": "脑出血。",
    "critical": ["intracranial_haemorrhage"],
}


@pytest.fixture
def people(browser: Browser, tmp_path: Path) -> Iterator[People]:
    """The people of a county whose hospital has a radiologist."""
    with served(tmp_path / "county", settle=with_radiologist) as county:
        yield People(browser=browser, county=county)


def test_a_doctor_moves_a_reported_study_to_the_right_case(people: People, tmp_path: Path) -> None:
    """Chosen beside the ECG, sent to another case of the site; there it says that its report is not confirmed."""
    wrong = people.infarction(patient_ref="P1", seed=1)
    right = people.infarction(patient_ref="P2", seed=2)
    stow(people, [ct(number, size=64) for number in (1, 2)])
    people.ask("rad", "POST", f"/imaging/studies/{STUDY}/report", REPORT)

    page = people.enter("chen")
    page.goto(f"/case/{wrong}")
    expect(page.get_by_test_id("image-result")).to_contain_text("脑出血", timeout=SOON_MS)
    page.get_by_test_id("move-out-open").click()
    expect(page.get_by_test_id("move-send")).to_be_disabled()
    page.get_by_test_id(f"move-{STUDY}").check()
    page.get_by_test_id("move-target").select_option(right)
    page.get_by_test_id("move-out").screenshot(path=tmp_path / "move-form.png")
    page.get_by_test_id("move-send").click()
    expect(page.get_by_test_id("image-result")).to_have_count(0, timeout=SOON_MS)
    expect(page.get_by_test_id(f"move-{STUDY}")).to_have_count(0)

    page.goto(f"/case/{right}")
    expect(page.get_by_test_id("report-carried")).to_contain_text("陈医生", timeout=SOON_MS)
    expect(page.get_by_test_id("names-other")).to_be_visible()
    page.screenshot(path=tmp_path / "moved-case.png", full_page=True)

    reader = people.enter("rad", phone=True, lang="en")
    expect(reader.get_by_test_id(f"work-{STUDY}")).to_be_visible(timeout=SOON_MS)
    reader.goto(f"/study/{STUDY}?lang=en")
    expect(reader.get_by_test_id("report-carried")).to_contain_text("not confirmed anew", timeout=SOON_MS)
    expect(reader.get_by_test_id("critical-untold")).to_be_visible()
    assert width_beyond(reader) == 0
    reader.screenshot(path=tmp_path / "moved-study-phone.png", full_page=True)
    reader.get_by_test_id("addendum").click()
    reader.get_by_test_id("addendum-reason").select_option("confirmation")
    reader.get_by_test_id("addendum-text").fill("已核对患者,报告适用。")
    reader.get_by_test_id("addendum-sign").click()
    expect(reader.get_by_test_id("report-carried")).to_have_count(0, timeout=SOON_MS)

    reader.goto(f"/case/{right}?lang=en")
    reader.get_by_test_id("move-out-open").click()
    expect(reader.get_by_test_id(f"move-{STUDY}")).to_be_visible(timeout=SOON_MS)
    box = reader.get_by_test_id(f"move-{STUDY}").locator("xpath=..").bounding_box()
    assert box is not None
    assert box["height"] >= LEAST_PX
    reader.get_by_test_id("move-out").screenshot(path=tmp_path / "move-form-phone.png")
    assert width_beyond(reader) == 0
    assert people.errors == []
