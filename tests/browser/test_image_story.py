"""One case with an ECG, a head CT and its report, played in the browser by clinic, radiologist and cardiologist."""

import io
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pydicom
import pytest
from playwright.sync_api import Browser, Page, expect

from greenchannel.county import cast
from greenchannel.store.accounts import Accounts
from tests.browser.image_files import stow
from tests.browser.people import SOON_MS, People
from tests.browser.test_every_page import AXE, in_both_themes_and_languages
from tests.served import served

pytestmark = [pytest.mark.browser, pytest.mark.data]

BLANK = "___"


def with_radiologist(accounts: Accounts, now: datetime) -> dict[str, str]:
    """The demo's people and a radiologist, each place of the roster held for a day."""
    tokens = cast.settle(accounts, now, (*cast.USERS, cast.RADIOLOGIST))
    for role, person in (("first", "chen"), ("second", "lin"), ("head", "zhao")):
        accounts.add_shift(f"test-{role}", role, person, now, now + timedelta(days=1))
    return tokens


@pytest.fixture
def people(browser: Browser, tmp_path: Path) -> Iterator[People]:
    """The people of a county whose hospital has a radiologist."""
    with served(
        tmp_path / "county", settle=with_radiologist, contacts_localhost="true", delivery_poll_s=0.05
    ) as county:
        yield People(browser=browser, county=county)


def sent(people: People, data_dir: Path) -> tuple[str, str]:
    """A clinic sends an ECG and a head CT of one patient; gives the case and the study."""
    files = sorted((data_dir / "dicom-images" / "head-ct-ge").glob("*.dcm"))
    first = pydicom.dcmread(files[0], stop_before_pixels=True)
    case_id = people.infarction(patient_ref=str(first.PatientID))
    stow(people, [one.read_bytes() for one in files])
    return case_id, str(first.StudyInstanceUID)


def write_and_sign(page: Page) -> None:
    """Take a template, fill its blanks, name the critical result, sign."""
    expect(page.get_by_test_id("report-sign")).to_be_disabled()
    page.get_by_test_id("report-template").select_option("head_ct_haemorrhage")
    for name in ("report-findings", "report-impression"):
        expect(page.get_by_test_id(name)).to_have_value(re.compile(BLANK))
        expect(page.get_by_test_id("report-sign")).to_be_disabled()
        written = page.get_by_test_id(name).input_value()
        page.get_by_test_id(name).fill(written.replace(BLANK, "右"))
    page.get_by_test_id("report-template").select_option("chest_xray_free")
    page.get_by_test_id("template-leave").click()  # what was written is not written over unasked
    page.get_by_test_id(
        "report-impression"
    ).click()  # the hand has been elsewhere since: the next press counts
    page.get_by_test_id("report-sign").click()
    page.get_by_test_id("unticked-tick").click()  # the text is of a bleeding, the tick was forgotten
    expect(page.get_by_test_id("critical-intracranial_haemorrhage")).to_be_checked()
    page.get_by_test_id("report-provisional").check()
    page.wait_for_load_state("networkidle")
    page.reload()
    expect(page.get_by_test_id("report-findings")).to_have_value(re.compile("右"), timeout=SOON_MS)
    expect(page.get_by_test_id("critical-intracranial_haemorrhage")).to_be_checked()
    expect(page.get_by_test_id("report-provisional")).to_be_checked()
    page.get_by_test_id("report-provisional").uncheck()
    page.get_by_test_id("report-sign").click()
    expect(page.get_by_test_id("image-report")).to_contain_text("脑出血", timeout=SOON_MS)


def tell(page: Page) -> None:
    """A call that reaches nobody changes nothing; one that is said back right ends the duty."""
    expect(page.get_by_test_id("critical-untold")).to_be_visible(timeout=SOON_MS)
    page.get_by_test_id("call-reached").uncheck()
    page.get_by_test_id("call-send").click()
    expect(page.get_by_test_id("critical-call")).to_have_count(1, timeout=SOON_MS)
    expect(page.get_by_test_id("critical-untold")).to_be_visible()
    page.get_by_test_id("call-reached").check()
    page.get_by_test_id("call-read-back").fill("右侧脑出血,马上转运")
    page.get_by_test_id("call-right").check()
    page.get_by_test_id("call-send").click()
    expect(page.get_by_test_id("critical-told")).to_be_visible(timeout=SOON_MS)
    expect(page.get_by_test_id("critical-untold")).to_have_count(0)


def test_a_case_with_ecg_ct_and_report_is_played_by_three(people: People, data_dir: Path) -> None:
    """The clinic sees that it waits, the radiologist reads, signs and tells, the others have the result on the case."""
    case_id, study_uid = sent(people, data_dir)

    clinic = people.enter("wang", phone=True)
    clinic.goto(f"/case/{case_id}")
    expect(clinic.get_by_test_id("image-waits")).to_be_visible(timeout=SOON_MS)
    clinic.get_by_test_id(f"study-link-{study_uid}").click()
    clinic.get_by_test_id("stat").click()
    clinic.get_by_test_id("stat-reason").fill("突发意识障碍")
    clinic.get_by_test_id("stat-sure").click()
    expect(clinic.get_by_test_id("stat-by")).to_contain_text("突发意识障碍", timeout=SOON_MS)

    reader = people.enter("rad")
    expect(reader).to_have_url(re.compile("/imaging$"))
    expect(reader.get_by_test_id(f"work-{study_uid}")).to_contain_text("STAT", timeout=SOON_MS)
    expect(reader.get_by_test_id("image-call")).to_be_visible(
        timeout=SOON_MS
    )  # rung, without any outside contact
    reader.get_by_test_id(f"work-{study_uid}").locator("a").click()
    expect(reader.get_by_test_id("image-call")).to_have_count(0)  # it is looked at
    expect(reader.get_by_test_id("pane")).to_have_attribute("data-drawn", "13", timeout=SOON_MS)
    reader.get_by_test_id("claim").click()
    expect(reader.get_by_test_id("claimed-by")).to_contain_text("周医生", timeout=SOON_MS)
    write_and_sign(reader)
    doctor = people.enter("chen")
    expect(doctor.get_by_test_id(f"row-{case_id}").get_by_test_id("row-untold")).to_contain_text(
        "颅内出血", timeout=SOON_MS
    )
    clinic.goto("/clinic")
    expect(clinic.get_by_test_id("clinic-untold")).to_contain_text("颅内出血", timeout=SOON_MS)
    expect(clinic.get_by_test_id("clinic-untold")).to_contain_text("危急值未告知")
    clinic.get_by_test_id("image-call-away").click()
    expect(clinic.get_by_test_id("image-call")).to_have_count(0)
    expect(clinic.get_by_test_id("clinic-untold")).to_be_visible()
    tell(reader)
    clinic.reload()
    expect(clinic.get_by_test_id("send-another")).to_be_visible(timeout=SOON_MS)
    expect(clinic.get_by_test_id("clinic-untold")).to_have_count(0)
    reader.goto("/imaging")
    expect(reader.get_by_test_id(f"work-{study_uid}")).to_have_count(0)
    reader.get_by_test_id("imaging-reported").click()
    expect(reader.get_by_test_id(f"work-{study_uid}")).to_be_visible(timeout=SOON_MS)

    doctor.goto(f"/case/{case_id}")
    expect(doctor.get_by_test_id("image-result")).to_contain_text("脑出血", timeout=SOON_MS)
    expect(doctor.get_by_test_id("image-result")).to_contain_text("颅内出血")
    doctor.get_by_test_id(f"study-link-{study_uid}").click()
    expect(doctor.get_by_test_id("pane")).to_have_attribute("data-drawn", "13", timeout=SOON_MS)
    expect(doctor.get_by_test_id("report-form")).to_have_count(0)
    doctor.get_by_test_id("image-seen").click()
    expect(doctor.get_by_test_id("result-seen")).to_contain_text("陈医生", timeout=SOON_MS)

    clinic.goto(f"/case/{case_id}")
    expect(clinic.get_by_test_id("image-result")).to_contain_text("脑出血", timeout=SOON_MS)
    clinic.get_by_test_id("image-seen").click()
    expect(clinic.get_by_test_id("image-was-seen")).to_have_count(2, timeout=SOON_MS)
    assert people.errors == []


def test_the_study_page_warns_of_what_may_name_the_patient(people: People) -> None:
    """Text in the pixels, stated or usual for such pictures, and private elements; by a line beside the picture."""
    made = []
    for number, kind in enumerate(("CT", "US"), start=1):
        one = pydicom.dcmread(Path(pydicom.__file__).parent / "data" / "test_files" / "CT_small.dcm")
        one.Modality = kind
        one.SeriesInstanceUID, one.SOPInstanceUID = f"1.2.826.77.{number}", f"1.2.826.77.{number}.1"
        out = io.BytesIO()
        one.save_as(out)
        made.append(out.getvalue())
    stow(people, made)
    reader = people.enter("rad")
    reader.goto(f"/study/{one.StudyInstanceUID}")
    line = reader.get_by_test_id("privacy")
    expect(line).to_contain_text("1 / 2 幅未注明,但此类图像", timeout=SOON_MS)
    expect(line).to_contain_text("1 / 2 幅未注明有无烧录文字")
    expect(line).to_contain_text("2 / 2 幅含私有标签")


@pytest.mark.parametrize("phone", [False, True])
def test_the_worklist_and_the_form_have_no_serious_fault(
    people: People, data_dir: Path, *, phone: bool
) -> None:
    """axe-core with the rules of WCAG 2.2 AA, and the width, in both languages and themes."""
    _, study_uid = sent(people, data_dir)
    reader = people.enter("rad", phone=phone)
    expect(reader.get_by_test_id(f"work-{study_uid}")).to_be_visible(timeout=SOON_MS)
    axe = AXE.read_text(encoding="utf-8")
    reader.evaluate(axe)
    found = in_both_themes_and_languages(reader, "worklist", phone=phone)
    reader.goto(f"/study/{study_uid}")
    reader.get_by_test_id("claim").click()
    expect(reader.get_by_test_id("report-form")).to_be_visible(timeout=SOON_MS)
    reader.evaluate(axe)
    assert found + in_both_themes_and_languages(reader, "form", phone=phone) == []
