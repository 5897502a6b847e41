"""The published case by five people in five browsers at once, each doing their own part by hand."""

import re
from datetime import date
from pathlib import Path
from typing import cast

import pytest
from playwright.sync_api import Browser, Page, expect

from greenchannel.county import devices
from greenchannel.county.story import MAIN, at
from tests.browser.people import SOON_MS, People
from tests.browser.story_county import StoryCounty, story_county
from tests.served import Served

pytestmark = pytest.mark.browser

DAY = date(2026, 3, 2)
UNKNOWN = re.compile("未知|unknown")
MINUTES = {
    "FMC_TO_WIRE": 49,
    "DOOR_TO_WIRE": 29,
    "FMC_TO_DISPATCH": 3,
    "DISPATCH_TO_DOOR": 17,
    "DOOR_TO_CATHLAB": 5,
    "CATHLAB_TO_ANGIO": 11,
    "ANGIO_TO_WIRE": 13,
}
# As a link of the pages does it.
FOLLOW = """(path) => {
  const link = document.body.appendChild(document.createElement("a"));
  link.href = path;
  link.click();
  link.remove();
}"""
NEVER_SAID = ("ONSET", "ECG1_ACQ", "SPOKE_OUT", "CONSENT_SIGN", "PUNCT_OK", "ASPIRIN")


def send(clinic: Page) -> None:
    """The village doctor sends the machine's file, with what he knows."""
    ecg = devices.as_dicom(devices.simulated(MAIN, seed=1605), age_years=61.0, sex="male")
    clinic.get_by_test_id("send-file").set_input_files(
        {"name": "1605.dcm", "mimeType": "application/dicom", "buffer": ecg}
    )
    clinic.get_by_test_id("send-age").fill("61")
    clinic.get_by_test_id("send-sex-male").check(force=True)
    clinic.get_by_test_id("send-chest_pain-yes").check(force=True)
    clinic.get_by_test_id("send").click()


def do(page: Page, kind: str) -> None:
    """Take a task on one's own page, and finish it."""
    page.get_by_test_id(f"task-accept-{kind}").click(timeout=SOON_MS)
    page.get_by_test_id(f"task-done-{kind}").click(timeout=SOON_MS)
    expect(page.get_by_test_id(f"task-done-{kind}")).to_have_count(0, timeout=SOON_MS)


def test_five_roles_in_five_browsers_bring_the_patient_to_the_wire(browser: Browser, tmp_path: Path) -> None:
    """49 minutes, 29 from the door, 3 + 17 + 5 + 11 + 13; what nobody said stays unknown on all five pages."""
    with story_county(tmp_path / "county", at(DAY, "16:05:00")) as county:
        people = People(browser=browser, county=cast(Served, county))
        clinic, doctor = people.enter("wang", phone=True), people.enter("chen")
        dispatch, emergency, lab = (people.enter(user, phone=True) for user in ("dispatch", "ed", "cath"))
        everybody = {"wang": clinic, "chen": doctor, "dispatch": dispatch, "ed": emergency, "cath": lab}
        for page in everybody.values():
            page.evaluate("window.untouched = true")

        send(clinic)
        expect(doctor.get_by_test_id("alert-banner")).to_be_visible(timeout=SOON_MS)
        row = doctor.locator("li[data-case]").first
        expect(row).to_contain_text("广泛前壁")
        case_id = row.get_attribute("data-case") or ""
        clinic.get_by_test_id("open-case").first.click()
        clinic.get_by_test_id("taps").locator("summary").click(timeout=SOON_MS)
        clinic.get_by_test_id("tap-FMC").click(timeout=SOON_MS)
        expect(clinic.get_by_test_id("milestone-FMC").first).to_contain_text("16:05:00", timeout=SOON_MS)

        turn(county, "16:05:40")
        row.get_by_test_id("ack").click()
        expect(doctor.get_by_test_id("alert-banner")).to_be_hidden(timeout=SOON_MS)
        turn(county, "16:08")
        row.get_by_test_id("open-green").click()
        do(dispatch, "dispatch_ambulance")
        emergency.get_by_test_id("tasks-link").click()
        turn(county, "16:25")
        do(emergency, "receive_patient")
        for minute, kind in (
            ("16:30", "patient_in_cathlab"),
            ("16:41", "start_angiography"),
            ("16:54", "pass_wire"),
        ):
            turn(county, minute)
            do(lab, kind)

        for page in everybody.values():
            look(page, case_id)
        lines = people.ask("quality", "GET", f"/cases/{case_id}")["history"]
        acted = {line["actor"].removeprefix("user:") for line in lines if line["actor"].startswith("user:")}
        assert set(everybody) <= acted
        assert people.errors == []


def turn(county: StoryCounty, minute: str) -> None:
    """The county's clock stands at this minute."""
    county.clock.jump_to(at(DAY, minute))


def look(page: Page, case_id: str) -> None:
    """The page of the case as this person sees it, reached without loading the pages anew."""
    page.evaluate(FOLLOW, f"/case/{case_id}")
    for interval, minutes in MINUTES.items():
        shown = page.get_by_test_id(f"interval-{interval}").first
        expect(shown).to_have_text(re.compile(rf"(?<!\d){minutes}(?!\d)"), timeout=SOON_MS)
    for milestone in NEVER_SAID:
        expect(page.get_by_test_id(f"milestone-{milestone}").first).to_contain_text(UNKNOWN)
    assert page.evaluate("window.untouched") is True
