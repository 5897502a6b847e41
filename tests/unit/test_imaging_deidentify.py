"""Images that leave without their patient: what goes, what stays, what does not leave at all."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom.datadict import tag_for_keyword
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, SecondaryCaptureImageStorage

from greenchannel.ingest.errors import IngestError
from greenchannel.ingest.imaging.deidentify import PROFILE, deidentify, privacy_of

FILES = Path(pydicom.__file__).parent / "data" / "test_files"
KEY = b"0123456789abcdef"
SECRETS = (
    "王小明",
    "WANG",
    "440106",
    "13800138000",
    "2026",
    "19610507",
    "Dr. Li",
    "Guangxi",
    "SCANNER7",
    "secret-private",
)


def image(**changes: Any) -> FileDataset:
    """A small CT slice with names in every corner."""
    ds = FileDataset(io.BytesIO(), {}, file_meta=FileMetaDataset(), preamble=b"WANG".ljust(128, b"\0"))
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds.file_meta.SourceApplicationEntityTitle = "SCANNER7"
    ds.SpecificCharacterSet = "ISO_IR 192"
    ds.SOPClassUID, ds.SOPInstanceUID = CTImageStorage, "1.2.3.2026.1"
    ds.StudyInstanceUID, ds.SeriesInstanceUID, ds.FrameOfReferenceUID = (
        "1.2.3.2026",
        "1.2.3.2026.0",
        "1.2.3.2026.9",
    )
    ds.PatientName, ds.PatientID, ds.PatientBirthDate, ds.PatientAge = "王小明", "440106", "19610507", "065Y"
    ds.PatientTelephoneNumbers = "13800138000"
    ds.StudyDate, ds.SeriesDate, ds.AcquisitionDateTime, ds.StudyTime = (
        "20260507",
        "20260507",
        "20260507101112",
        "101112",
    )
    ds.ReferringPhysicianName, ds.InstitutionName, ds.StationName = "Dr. Li", "Guangxi", "SCANNER7"
    ds.StudyDescription, ds.Modality, ds.AccessionNumber = "HEAD of WANG", "CT", "440106"
    ds.ImageComments = "WANG"
    request = Dataset()
    request.RequestedProcedureDescription, request.PatientName = "for WANG", "WANG"
    step = Dataset()
    step.ScheduledPerformingPhysicianName = "Dr. Li"
    ds.ReferencedStudySequence = Sequence([request])
    derived = Dataset()
    derived.ReferencedSOPClassUID, derived.ReferencedSOPInstanceUID = CTImageStorage, "1.2.3.2026.7"
    derived.PurposeOfReferenceCodeSequence = Sequence([step])
    ds.SourceImageSequence = Sequence([derived])
    ds.private_block(0x0011, "ACME secret-private", create=True).add_new(0x01, "LO", "secret-private")
    ds.Rows = ds.Columns = 4
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 16, 15, 0
    ds.PixelData = np.arange(16, dtype="<u2").tobytes()
    for name, value in changes.items():
        setattr(ds, name, value)
    return ds


def written(ds: FileDataset) -> bytes:
    """The file."""
    out = io.BytesIO()
    ds.save_as(out, enforce_file_format=True)
    return out.getvalue()


def test_no_secret_is_left_anywhere_in_the_file() -> None:
    """Names, numbers, dates and stations are in no byte of it: header, nested items, private elements, preamble."""
    data = written(image())
    assert all(one.encode() in data for one in SECRETS)

    left = [one for one in SECRETS if one.encode() in deidentify(data, key=KEY).data]

    assert left == []


def test_pixels_and_geometry_are_unchanged() -> None:
    """Only the header is touched."""
    before = image(PixelSpacing="0.5\\0.5", WindowCenter="40")
    after = pydicom.dcmread(io.BytesIO(deidentify(written(before), key=KEY).data))

    assert after.PixelData == before.PixelData
    assert after.PixelSpacing == [0.5, 0.5]
    assert after.WindowCenter == 40


def test_it_says_what_it_is() -> None:
    """PS3.15 asks for the mark and the method."""
    after = pydicom.dcmread(io.BytesIO(deidentify(written(image()), key=KEY).data))

    assert after.PatientIdentityRemoved == "YES"
    assert after.DeidentificationMethodCodeSequence[0].CodeValue == "113100"
    assert after.LongitudinalTemporalInformationModified == "REMOVED"
    assert after.PatientID == after.PatientName != ""
    assert after.StudyDate == ""
    assert "SeriesDate" not in after


def test_under_one_key_a_study_stays_together_and_under_another_it_is_somebody_else() -> None:
    """The same UIDs and the same patient come out alike, in references too."""
    one = pydicom.dcmread(io.BytesIO(deidentify(written(image()), key=KEY).data))
    other = pydicom.dcmread(
        io.BytesIO(deidentify(written(image(SOPInstanceUID="1.2.3.2026.7")), key=KEY).data)
    )
    foreign = pydicom.dcmread(io.BytesIO(deidentify(written(image()), key=KEY[::-1]).data))

    assert one.StudyInstanceUID == other.StudyInstanceUID != "1.2.3.2026"
    assert one.SOPInstanceUID != other.SOPInstanceUID
    assert one.SourceImageSequence[0].ReferencedSOPInstanceUID == other.SOPInstanceUID
    assert one.SourceImageSequence[0].ReferencedSOPClassUID == CTImageStorage
    assert one.PatientID == other.PatientID
    assert foreign.StudyInstanceUID != one.StudyInstanceUID
    assert foreign.PatientID != one.PatientID


def test_the_report_counts_what_was_done_and_names_nobody() -> None:
    """Keywords and counts, never values."""
    done = deidentify(written(image()), key=KEY)
    told = repr((done.by_keyword, done.texts_left, done.removed, done.privacy.burned_in_reason))

    assert done.private == 2
    assert done.by_keyword["PatientTelephoneNumbers"] == 1
    assert done.uids >= 5
    assert [one for one in SECRETS if one in told] == []


@pytest.mark.parametrize(
    ("changes", "burned_in"),
    [
        ({"BurnedInAnnotation": "YES"}, "yes"),
        ({"BurnedInAnnotation": "NO", "Modality": "US"}, "no"),
        ({"Modality": "US"}, "yes"),
        ({"SOPClassUID": SecondaryCaptureImageStorage}, "yes"),
        ({"SeriesDescription": "Dose Report"}, "yes"),
        ({}, "unknown"),
    ],
)
def test_burned_in_text_is_told_from_the_header(changes: dict[str, str], burned_in: str) -> None:
    """Unknown is unknown; what usually carries text counts as carrying it."""
    assert privacy_of(image(**changes)).burned_in == burned_in


def coded(meaning: str, value: str = "1234") -> Sequence:
    """A code as a procedure has it."""
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = value, "99LOCAL", meaning
    return Sequence([code])


@pytest.mark.parametrize(
    ("element", "text"),
    [
        ("CodeMeaning", "Zhang San 13800001111"),
        ("CodeMeaning", "CT head, SAN ZHANG"),
        ("CodeMeaning", "head of zhangsan"),
        ("CodeMeaning", "头颅（张三）"),
        ("CodeMeaning", "ask mrs zhang"),
        ("CodeMeaning", "call 139-1234-5678"),
        ("CodeMeaning", "no. 4401-0612"),
        ("CodeValue", "ZHANG_SAN"),
        ("BodyPartExamined", "ZHANG SAN"),
        ("BodyPartExamined", "44010612"),
        ("SoftwareVersions", "1.0 of Zhang"),
    ],
)
def test_a_name_or_number_of_the_patient_stays_in_no_text(element: str, text: str) -> None:
    """Typed into a procedure's code or a coded value: what the profile keeps is searched, however deep it stands."""
    nested = element.startswith("Code")
    more = {"ProcedureCodeSequence": coded("CT head")} if nested else {element: text}
    before = image(PatientName="Zhang^San=张^三", PatientID="44010612", **more)
    if nested:
        setattr(before.ProcedureCodeSequence[0], element, text)
    done = deidentify(written(before), key=KEY)
    after = pydicom.dcmread(io.BytesIO(done.data))

    assert text.encode() not in done.data
    assert done.by_keyword[element] == 1
    assert after.Modality == "CT"
    assert after.PhotometricInterpretation == "MONOCHROME2"


def test_words_that_only_look_alike_stay() -> None:
    """A short name is within many words; a study of a Mr. Li still says iliac."""
    before = image(PatientName="Li^A", PatientID="17", ProcedureCodeSequence=coded("CT iliac artery 17"))
    after = pydicom.dcmread(io.BytesIO(deidentify(written(before), key=KEY).data))

    assert after.ProcedureCodeSequence[0].CodeMeaning == "CT iliac artery 17"


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_texts_that_stay_are_listed_with_their_sequences() -> None:
    """Also a coded value that is no code: somebody has to look at each before the file leaves."""
    before = image(ProcedureCodeSequence=coded("for the old woman"), BodyPartExamined="her left leg")

    assert deidentify(written(before), key=KEY).texts_left == (
        "BodyPartExamined",
        "ProcedureCodeSequence.CodeMeaning",
    )


def test_a_picture_that_may_carry_a_name_does_not_leave_before_somebody_looked() -> None:
    """Its pixels are not cleaned."""
    data = written(image(Modality="US"))
    with pytest.raises(IngestError, match="somebody must look"):
        deidentify(data, key=KEY)

    assert deidentify(data, key=KEY, burned_in_seen=True).privacy.burned_in == "yes"


def test_reports_and_documents_do_not_leave() -> None:
    """Free text cannot be cleaned by a table."""
    with pytest.raises(IngestError, match="unsupported"):
        deidentify(written(image(SOPClassUID="1.2.840.10008.5.1.4.1.1.88.11")), key=KEY)


def test_what_is_no_dicom_is_refused() -> None:
    """With what was met."""
    with pytest.raises(IngestError, match="unknown_format"):
        deidentify(b"no image", key=KEY)


def test_private_elements_and_faces_are_warned_of() -> None:
    """A head's slices show a face."""
    privacy = privacy_of(image(BodyPartExamined="HEAD"))

    assert privacy.private_elements == 2
    assert privacy.private_creators == ("ACME secret-private",)
    assert privacy.face


def test_the_table_names_real_elements_and_each_once() -> None:
    """A misspelt keyword would protect nothing."""
    lists = [
        getattr(PROFILE, name).keywords
        for name in ("emptied_instants", "emptied_names", "replaced_uids", "dummies", "emptied", "removed")
    ]
    every = [keyword for keywords in lists for keyword in keywords]

    assert [one for one in every if tag_for_keyword(one) is None] == []
    assert len(every) == len(set(every))
    assert len(every) > 350


@pytest.mark.filterwarnings("ignore::UserWarning")  # what pydicom thinks of its broken ones
@pytest.mark.parametrize("path", sorted(FILES.glob("*.dcm")), ids=lambda path: path.name)
def test_files_of_other_makers_come_out_with_the_same_pixels_or_do_not_leave(path: Path) -> None:
    """Compressed ones stay compressed; plans, reports and broken files are refused."""
    data = path.read_bytes()
    try:
        done = deidentify(data, key=KEY, burned_in_seen=True)
    except IngestError as error:
        assert error.code in {"malformed", "unsupported", "unknown_format", "truncated"}
        return
    before, after = (pydicom.dcmread(io.BytesIO(one)) for one in (data, done.data))

    assert after.get("PixelData") == before.get("PixelData")
    assert after.file_meta.TransferSyntaxUID == before.file_meta.TransferSyntaxUID
    assert after.SOPInstanceUID != before.get("SOPInstanceUID")
    assert [one for one in after.iterall() if one.tag.is_private] == []


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_most_images_of_other_makers_leave() -> None:
    """A refusal is the exception, or nobody would use it."""
    left = 0
    for name in (
        "CT_small",
        "MR_small_RLE",
        "MR_small_implicit",
        "JPEG2000",
        "SC_rgb_jpeg",
        "image_dfl",
        "JPGExtended",
    ):
        deidentify((FILES / f"{name}.dcm").read_bytes(), key=KEY, burned_in_seen=True)
        left += 1

    assert left == 7


def test_an_error_quotes_nothing_of_the_file() -> None:
    """Refusals stand in a report that leaves with the images."""
    data = written(image())
    for cut in range(200, len(data), 97):
        try:
            deidentify(data[:cut], key=KEY)
        except IngestError as error:
            assert [one for one in SECRETS if one in str(error)] == []


def test_what_somebody_said_in_structured_content_goes_whole() -> None:
    """Table E.1-1 replaces the content sequence: in it stand sentences, with names that are not the patient's."""
    said = Dataset()
    said.ValueType, said.TextValue = "TEXT", "called Dr. Zhao of Hongqi"
    inner = Dataset()
    inner.ContentSequence = Sequence([said])
    done = deidentify(written(image(ContentSequence=Sequence([inner]))), key=KEY)
    assert b"Zhao" not in done.data and b"Hongqi" not in done.data
    assert done.by_keyword["ContentSequence"] == 1 and not any("TextValue" in one for one in done.texts_left)
