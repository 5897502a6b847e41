"""Objects of a study that was moved are given under the patient it is of, and are else what they were."""

import io
from datetime import date
from pathlib import Path

import pydicom
import pytest
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset

from greenchannel.service.imaging.records import InFile, StudyText
from greenchannel.service.imaging.renaming import as_given
from tests.imaging_files import ct

MOVED = StudyText(
    patient_id="P2",
    patient_name="赵建国",
    sex="male",
    birth_date=date(1960, 5, 1),
    in_file=InFile(patient_id="P1"),
)


def test_an_object_of_a_study_that_nobody_moved_is_given_to_the_byte() -> None:
    data = ct(1)
    assert as_given(data, StudyText(patient_id="P2")) is data


@pytest.mark.parametrize(
    "name", ["JPEG2000.dcm", "MR_small_jpeg_ls_lossless.dcm", "CT_small.dcm", "SC_rgb_rle.dcm"]
)
def test_only_the_patient_is_another(name: str) -> None:
    path = get_testdata_file(name)
    assert isinstance(path, str)
    data = Path(path).read_bytes()
    before, after = [pydicom.dcmread(io.BytesIO(one)) for one in (data, as_given(data, MOVED))]
    assert (after.PatientID, str(after.PatientName), after.PatientSex) == ("P2", "赵建国", "M")
    assert after.PatientBirthDate == "19600501"
    assert after.PixelData == before.PixelData
    assert after.file_meta.TransferSyntaxUID == before.file_meta.TransferSyntaxUID
    left = [one for one in before if one.tag.group not in (0x0008, 0x0010)]
    assert [one.tag for one in left] == [one.tag for one in after if one.tag.group not in (0x0008, 0x0010)]
    assert [one.tag for one in after if one.tag.group == 0x0010] == [
        0x00100010, 0x00100020, 0x00100030, 0x00100040,
    ]  # fmt: skip


def test_of_an_unknown_patient_nothing_is_said() -> None:
    one = pydicom.dcmread(io.BytesIO(as_given(ct(1), StudyText(in_file=InFile(patient_id="P1")))))
    assert (one.PatientID, str(one.PatientName), one.PatientBirthDate, one.PatientSex) == ("", "", "", "")
    assert one.StudyDescription == "头颅平扫"


def test_the_patient_before_stands_in_no_sequence_of_the_copy_either() -> None:
    """What a machine notes of earlier names, the stay in the hospital and references to the patient go; the rest
    stays."""
    dataset = pydicom.dcmread(io.BytesIO(ct(1)))
    before, change, stay, series = Dataset(), Dataset(), Dataset(), Dataset()
    before.PatientName, before.PatientID = "Wang^Xiao", "P1-OLD"
    change.ModifiedAttributesSequence = [before]
    change.ReasonForTheAttributeModification = "CORRECT"
    stay.ReferencedSOPInstanceUID = "1.2.3.77"
    series.SeriesInstanceUID = "1.2.3.78"
    dataset.OriginalAttributesSequence = [change]
    dataset.ReferencedPatientSequence = [stay]
    dataset.ReferencedSeriesSequence = [series]
    dataset.AdmissionID = "BED-7"
    out = io.BytesIO()
    dataset.save_as(out)

    given = as_given(
        out.getvalue(), StudyText(patient_id="P2", patient_name="赵建国", in_file=InFile(patient_id="P1"))
    )

    assert not [word for word in (b"Wang", b"P1", b"BED-7", b"1.2.3.77") if word in given]
    image = pydicom.dcmread(io.BytesIO(given))
    assert (image.PatientID, str(image.PatientName)) == ("P2", "赵建国")
    assert image.OriginalAttributesSequence[0].ReasonForTheAttributeModification == "CORRECT"
    assert image.ReferencedSeriesSequence[0].SeriesInstanceUID == "1.2.3.78"
    assert image.PixelData == dataset.PixelData
