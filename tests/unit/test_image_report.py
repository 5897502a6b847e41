"""The report of a study on paper and as a structured report."""

import io
import shutil
import subprocess
from datetime import date
from pathlib import Path
from typing import Any

import pydicom
import pytest

from greenchannel.alerts.imaging import commands
from greenchannel.alerts.imaging.reading import Reading
from greenchannel.events import ImageCriticalTold, ImageStudyMoved
from greenchannel.viewer.image_report_content import StudyHead, content
from greenchannel.viewer.image_report_pages import pages
from greenchannel.viewer.image_report_sr import Image, document
from greenchannel.viewer.words import Word
from tests.imaging_log import STUDY, ImageLog, minutes
from tests.pdf_paths import texts_of

SIGNED: dict[str, Any] = {
    "report_id": "r_1",
    "findings": "左侧基底节区见团片状高密度影。",
    "impression": "左侧基底节区脑出血。",
    "critical": (),
    "provisional": False,
    "template": None,
}
NAMES = {"rad1": "赵医生", "rad2": "吴医生", "clinic1": "孙村医"}
HEAD = StudyHead(
    study_uid=STUDY,
    modalities=("CT",),
    body_part="HEAD",
    description="头颅CT平扫",
    study_date=date(2026, 3, 2),
    received_at=minutes(0),
    instances=29,
    expected=30,
    reasons=("突发头痛，脑出血待排",),
    patient_name="邴鹭夔",
    patient_id="P-17",
    pseudonym="p_7f3a",
    sex="male",
    age_years=61.0,
)
IMAGES = [Image("1.2.3.1", "1.2.840.10008.5.1.4.1.1.2", f"1.2.3.1.{n}") for n in range(3)]


def reading(
    *, provisional: bool = False, told: bool = False, addendum: bool = False, added_by: str = "rad1"
) -> Reading:
    log = ImageLog()
    log.now = minutes(20)
    log.add(
        commands.sign(
            log.reading,
            "rad1",
            report_id="r_1",
            findings="左侧基底节区见团片状高密度影。\n中线结构右移约 4 mm。",
            impression="左侧基底节区脑出血，约 22 mL。",
            critical=("intracranial_haemorrhage",),
            provisional=provisional,
            template=None,
        )
    )
    if told:
        said = ImageCriticalTold(
            call_id="k_1",
            person="rad1",
            report_ids=("r_1",),
            to_role="clinic",
            to_person="clinic1",
            way="phone",
            told_at=minutes(20),
            reached=True,
            read_back="左侧脑出血二十二毫升",
            read_back_right=True,
        )
        log.add(commands.tell_critical(log.reading, said, log.now))
    if addendum:
        log.add(
            commands.addendum(
                log.reading,
                added_by,
                report_id="r_2",
                text="与既往片比较无变化",
                reason="addition",
                critical=(),
            )
        )
    return log.reading


def printed(one: Reading, *, english: bool = False, head: StudyHead = HEAD) -> str:
    said = content(
        one,
        head,
        names=NAMES,
        site=Word("阴赵卫生院", "Yinzhao Clinic"),
        network=Word("县胸痛中心", "County chest pain centre"),
        printed_at=minutes(30),
        printed_by="赵医生",
        english=english,
    )
    return texts_of(pages(said)).replace("\n", "")  # words may be parted where a line ends


@pytest.mark.parametrize("english", [False, True])
def test_the_paper_says_who_found_what_and_that_it_was_told(english: bool) -> None:
    """The radiologist's words as they were signed, the critical result, the read-back, and who it was."""
    text = printed(reading(told=True, addendum=True), english=english)

    for said in ("左侧基底节区脑出血", "左侧脑出血二十二毫升", "邴鹭夔", "赵医生", "与既往片比较无变化"):
        assert said in text
    assert ("29/30" in text) and (("incomplete" if english else "不完整") in text)


def test_a_provisional_report_and_an_untold_result_say_so() -> None:
    """Nobody takes the first for final, nor the second for told."""
    text = printed(reading(provisional=True))

    assert "临时报告" in text and "尚未完成通知与复述" in text
    assert "正式报告" not in text


def test_a_report_that_was_signed_for_another_patient_says_so_until_it_is_confirmed() -> None:
    """On paper and in the structured report, which is another object than the one of the other patient."""
    log = ImageLog()
    before = reading()
    log.add(commands.sign(log.reading, "rad1", **SIGNED))
    log.add([ImageStudyMoved(study_uid=STUDY, from_case_id="c_1", to_case_id="c_2")])

    assert "尚未为本患者重新确认" in printed(log.reading)
    assert "尚未为本患者重新确认" not in printed(before)
    files = [document(one, HEAD, IMAGES, names=NAMES, network="x") for one in (before, log.reading)]
    first, moved = [pydicom.dcmread(io.BytesIO(one)) for one in files]
    assert (moved.VerificationFlag, first.VerificationFlag) == ("UNVERIFIED", "VERIFIED")
    assert moved.SOPInstanceUID != first.SOPInstanceUID


def test_without_the_right_to_the_name_a_pseudonym_stands_there() -> None:
    """And no number of the patient."""
    text = printed(reading(), head=StudyHead(study_uid=STUDY, pseudonym="p_7f3a"))

    assert "p_7f3a" in text and "邴鹭夔" not in text and "P-17" not in text


def test_a_long_report_goes_on_on_the_next_page() -> None:
    """Nothing is cut off, and every page has its number."""
    log = ImageLog()
    findings = "\n".join(
        f"第{n}节：未见异常密度影，形态自然，边缘光整，周围脂肪间隙清晰。" for n in range(120)
    )
    log.add(
        commands.sign(
            log.reading,
            "rad1",
            report_id="r_1",
            findings=findings,
            impression="见上",
            critical=(),
            provisional=False,
            template=None,
        )
    )
    text = printed(log.reading)

    assert "第119节" in text and "共 4 页" in text


def test_the_structured_report_is_read_back_by_pydicom() -> None:
    """Final and verified by name, the texts in Chinese, the images as evidence, a UID that follows from the report."""
    one = reading(told=True)
    data = document(one, HEAD, IMAGES, names=NAMES, network="县胸痛中心")
    found = pydicom.dcmread(io.BytesIO(data))

    assert (found.StudyInstanceUID, found.Modality, found.VerificationFlag) == (STUDY, "SR", "VERIFIED")
    assert str(found.PatientName) == "邴鹭夔"
    assert str(found.VerifyingObserverSequence[0].VerifyingObserverName) == "赵医生"
    texts = [part.TextValue for item in found.ContentSequence for part in item.get("ContentSequence", [])]
    assert texts[:2] == [one.signed[0].findings, one.signed[0].impression]
    evidence = found.CurrentRequestedProcedureEvidenceSequence[0].ReferencedSeriesSequence[0]
    assert len(evidence.ReferencedSOPSequence) == 3
    assert document(one, HEAD, IMAGES, names=NAMES, network="县胸痛中心") == data


def test_with_and_without_the_name_it_is_two_objects() -> None:
    """One UID never stands for two files: an archive would keep the first. The one before is named alike."""
    unnamed_head = StudyHead(study_uid=STUDY, pseudonym="p_7f3a")

    def made(one: Reading, head: StudyHead) -> pydicom.Dataset:
        return pydicom.dcmread(io.BytesIO(document(one, head, IMAGES, names=NAMES, network="x")))

    named, unnamed = made(reading(), HEAD), made(reading(), unnamed_head)
    later = made(reading(addendum=True), unnamed_head)

    assert named.SOPInstanceUID != unnamed.SOPInstanceUID == unnamed.file_meta.MediaStorageSOPInstanceUID
    before = later.PredecessorDocumentsSequence[0].ReferencedSeriesSequence[0].ReferencedSOPSequence[0]
    assert before.ReferencedSOPInstanceUID == unnamed.SOPInstanceUID


def test_a_provisional_document_is_not_verified_and_an_addendum_names_the_one_before() -> None:
    """So that no archive takes either for the whole."""
    early = pydicom.dcmread(
        io.BytesIO(document(reading(provisional=True), HEAD, IMAGES, names=NAMES, network="x"))
    )
    later = pydicom.dcmread(
        io.BytesIO(document(reading(addendum=True), HEAD, IMAGES, names=NAMES, network="x"))
    )

    assert (early.PreliminaryFlag, early.VerificationFlag) == ("PRELIMINARY", "UNVERIFIED")
    assert "VerifyingObserverSequence" not in early
    before = later.PredecessorDocumentsSequence[0].ReferencedSeriesSequence[0].ReferencedSOPSequence[0]
    assert before.ReferencedSOPInstanceUID == early.SOPInstanceUID != later.SOPInstanceUID


def observers(item: pydicom.Dataset) -> list[str]:
    """Whom a document, or one of its sections, names as the observer itself."""
    return [str(one.PersonName) for one in item.ContentSequence if one.ValueType == "PNAME"]


def test_an_addendum_of_another_doctor_names_each_for_what_they_wrote() -> None:
    """The document is its signer's; what the first doctor found stays the first doctor's."""
    one = reading(addendum=True, added_by="rad2")
    found = pydicom.dcmread(io.BytesIO(document(one, HEAD, IMAGES, names=NAMES, network="x")))

    assert str(found.VerifyingObserverSequence[0].VerifyingObserverName) == "吴医生"
    assert observers(found) == ["吴医生"]
    by = {
        part.TextValue: observers(section) or observers(found)
        for section in found.ContentSequence
        for part in section.get("ContentSequence", [])
        if part.ValueType == "TEXT"
    }
    assert by[one.signed[0].findings] == by[one.signed[0].impression] == ["赵医生"]
    assert by[one.signed[1].impression] == ["吴医生"]


@pytest.mark.skipif(shutil.which("dsrdump") is None, reason="DCMTK's dsrdump is not here")
@pytest.mark.parametrize("added_by", [None, "rad1", "rad2"])
def test_dcmtk_reads_the_structured_report_without_a_complaint(tmp_path: Path, added_by: str | None) -> None:
    """A second toolkit checks the modules and the content tree by the rules of the SOP class."""
    file = tmp_path / "report.dcm"
    file.write_bytes(
        document(
            reading(told=True, addendum=added_by is not None, added_by=added_by or "rad1"),
            HEAD,
            IMAGES,
            names=NAMES,
            network="县胸痛中心",
        )
    )
    ran = subprocess.run(
        ["dsrdump", "+Pl", str(file)], capture_output=True, encoding="utf-8", timeout=20, check=False
    )

    assert ran.returncode == 0, ran.stderr
    # Its checker of value representations does not know UTF-8, and says so of every such object.
    assert [
        line for line in ran.stderr.splitlines() if "Specific Character Set: ISO_IR 192" not in line
    ] == []
    assert "左侧基底节区脑出血" in ran.stdout
