"""The report of a study as a DICOM Basic Text SR, in the form of TID 2000 (Basic Diagnostic Imaging Report).

One document for each state of the report, under a UID that follows from it, so that asking twice gives the same
object; an addendum makes a new document that names those before it. Texts are UTF-8 (ISO_IR 192).
"""

import hashlib
import io
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from greenchannel.alerts.imaging.critical import critical_results
from greenchannel.alerts.imaging.reading import Reading, Signed
from greenchannel.service.imaging.records import ImageStudy, StoredInstance
from greenchannel.viewer.image_report_content import StudyHead, head_of
from greenchannel.viewer.words import SHOWN_ZONE

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

BASIC_TEXT_SR: Final = "1.2.840.10008.5.1.4.1.1.88.11"
_EXPLICIT: Final = "1.2.840.10008.1.2.1"
_SERIES_NUMBER: Final = 9_000
_MOST_LO: Final = 64

# PS3.16 TID 2000, CID 7000 and 7001.
_REPORT: Final = ("18748-4", "LN", "Diagnostic imaging report")
_LANGUAGE: Final = ("121049", "DCM", "Language of Content Item and Descendants")
_OBSERVER_TYPE: Final = ("121005", "DCM", "Observer Type")
_PERSON: Final = ("121006", "DCM", "Person")
_OBSERVER: Final = ("121008", "DCM", "Person Observer Name")
_FINDINGS: Final = (("121070", "DCM", "Findings"), ("121071", "DCM", "Finding"))
_IMPRESSIONS: Final = (("121072", "DCM", "Impressions"), ("121073", "DCM", "Impression"))
_ADDENDUM: Final = (("121078", "DCM", "Addendum"), ("121106", "DCM", "Comment"))
_CONCLUSIONS: Final = (("121076", "DCM", "Conclusions"), ("121077", "DCM", "Conclusion"))
Code = tuple[str, str, str]


class Image(NamedTuple):
    """One object that the report is about."""

    series_uid: str
    sop_class: str
    sop_uid: str


def document(
    reading: Reading,
    head: StudyHead,
    images: Sequence[Image],
    *,
    names: Mapping[str, str],
    network: str,
    filed: bool = False,
) -> bytes:
    """The newest state of a signed report as the bytes of a DICOM file.

    Parameters
    ----------
    images
        All objects of the study; they become the evidence.
    names
        Of the people who signed, by id.
    filed
        It lies in its study: of a patient whom the images do not name it names nobody, not even by pseudonym.

    Raises
    ------
    ValueError
        Nothing is signed, or its words are sealed.
    """
    from pydicom.dataset import FileDataset, FileMetaDataset
    from pydicom.uid import UID

    if reading.report is None or any(one.sealed is not None for one in reading.signed):
        raise ValueError("expected a signed report whose words are opened, got none")
    newest = reading.signed[-1]
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = UID(BASIC_TEXT_SR)
    meta.MediaStorageSOPInstanceUID = UID(_uid_of_text(reading, newest, head, filed))
    meta.TransferSyntaxUID = UID(_EXPLICIT)
    found: Any = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    found.SpecificCharacterSet = "ISO_IR 192"
    _patient_and_study(found, head, filed=filed)
    _document(found, reading, newest, images, names, network)
    found.SOPInstanceUID = meta.MediaStorageSOPInstanceUID
    if len(reading.signed) > 1:
        earlier = [
            Image("", BASIC_TEXT_SR, _uid_of_text(reading, one, head, filed)) for one in reading.signed[:-1]
        ]
        series = uid_of(reading.study_uid, "reports")
        found.PredecessorDocumentsSequence = [_of_study(reading.study_uid, {series: earlier})]
    found.ValueType = "CONTAINER"
    found.ConceptNameCodeSequence = [_code(_REPORT)]
    found.ContinuityOfContent = "SEPARATE"
    found.ContentSequence = _content(reading, names)
    written = io.BytesIO()
    found.save_as(written, enforce_file_format=True)
    return written.getvalue()


def filed(
    reading: Reading,
    study: ImageStudy,
    images: Sequence[StoredInstance],
    names: Mapping[str, str],
    *,
    network: str,
) -> bytes:
    """The report as it lies in its study: its head is what the images say, and nothing that was mended since, so that
    an archive files it with them. Raises as `document`."""
    evidence = [Image(one.series_uid, one.sop_class, one.sop_uid) for one in images]
    return document(reading, head_of(study), evidence, names=names, network=network, filed=True)


def filed_uid(reading: Reading) -> str:
    """The UID of the object that lies in the study for the newest text. Raises `IndexError` where nothing is signed."""
    return uid_of(reading.study_uid, reading.signed[-1].report_id, *_moved(reading))


def uid_of(*parts: str) -> str:
    """A UID that follows from what it is of (PS3.5 B.2: 2.25 and a number of 128 bits)."""
    digest = hashlib.sha256("\0".join(parts).encode()).digest()
    return f"2.25.{int.from_bytes(digest[:16], 'big')}"


def _uid_of_text(reading: Reading, signed: Signed, head: StudyHead, filed: bool) -> str:
    """Of the object of one text: those with and without what names the patient differ, so they are two objects."""
    named = filed or head.patient_name is not None or head.patient_id is not None
    return uid_of(
        reading.study_uid, signed.report_id, *(() if named else ("without name",)), *_moved(reading)
    )


def _moved(reading: Reading) -> tuple[str, ...]:
    """The same text of another patient is another object."""
    return (f"moved {len(reading.moves)}",) if reading.moves else ()


def _patient_and_study(found: Any, head: StudyHead, *, filed: bool) -> None:
    nobody = "" if filed else head.pseudonym
    found.PatientName = head.patient_name or nobody
    found.PatientID = head.patient_id or nobody
    found.PatientBirthDate = "" if head.birth_date is None else f"{head.birth_date:%Y%m%d}"
    found.PatientSex = {"male": "M", "female": "F"}.get(head.sex or "", "")
    found.StudyInstanceUID = head.study_uid
    at = None if head.study_at is None else head.study_at.astimezone(SHOWN_ZONE)
    day = head.study_date if at is None else at.date()
    found.StudyDate = "" if day is None else f"{day:%Y%m%d}"
    found.StudyTime = "" if at is None else f"{at:%H%M%S}"
    found.ReferringPhysicianName = ""
    found.StudyID = ""
    found.AccessionNumber = (head.accession or "")[:16]
    if head.description:
        found.StudyDescription = head.description[:_MOST_LO]


def _document(
    found: Any,
    reading: Reading,
    newest: Signed,
    images: Sequence[Image],
    names: Mapping[str, str],
    network: str,
) -> None:
    final = reading.state == "final"
    found.SOPClassUID = BASIC_TEXT_SR
    found.Modality = "SR"
    found.SeriesInstanceUID = uid_of(reading.study_uid, "reports")
    found.SeriesNumber = _SERIES_NUMBER
    found.SeriesDescription = "Report 影像诊断报告"
    found.ReferencedPerformedProcedureStepSequence = []
    found.Manufacturer = "greenchannel"
    found.InstanceNumber = len(reading.signed)
    found.TimezoneOffsetFromUTC = "+0800"
    found.ContentDate, found.ContentTime = _day(newest.at), _time(newest.at)
    found.CompletionFlag = "COMPLETE"
    found.PreliminaryFlag = "FINAL" if final else "PRELIMINARY"
    found.VerificationFlag = "VERIFIED" if final else "UNVERIFIED"
    if final:
        found.VerifyingObserverSequence = [_verifier(newest, names, network)]
    found.PerformedProcedureCodeSequence = []
    by_series: dict[str, list[Image]] = {}
    for image in images:
        by_series.setdefault(image.series_uid, []).append(image)
    if by_series:
        found.CurrentRequestedProcedureEvidenceSequence = [_of_study(reading.study_uid, by_series)]


def _verifier(signed: Signed, names: Mapping[str, str], network: str) -> "Dataset":
    one = _item()
    one.VerifyingObserverName = names.get(signed.person, signed.person)
    one.VerifyingObserverIdentificationCodeSequence = []
    one.VerifyingOrganization = network[:_MOST_LO]
    one.VerificationDateTime = f"{_day(signed.at)}{_time(signed.at)}+0800"
    made: Dataset = one
    return made


def _of_study(study_uid: str, by_series: Mapping[str, Sequence[Image]]) -> "Dataset":
    study = _item()
    study.StudyInstanceUID = study_uid
    series = []
    for series_uid, images in by_series.items():
        one = _item()
        one.SeriesInstanceUID = series_uid
        one.ReferencedSOPSequence = []
        for image in images:
            reference = _item()
            reference.ReferencedSOPClassUID = image.sop_class
            reference.ReferencedSOPInstanceUID = image.sop_uid
            one.ReferencedSOPSequence.append(reference)
        series.append(one)
    study.ReferencedSeriesSequence = series
    made: Dataset = study
    return made


# ---------------------------------------------------------------- the content tree


def _content(reading: Reading, names: Mapping[str, str]) -> list["Dataset"]:
    """The observer of the document is who signed its newest text; a section by another names its own (TID 2000)."""
    report, newest = reading.signed[0], reading.signed[-1]

    def by(one: Signed) -> list["Dataset"]:
        return [] if one.person == newest.person else _observer(one.person, names)

    tree = [
        _coded("HAS CONCEPT MOD", _LANGUAGE, ("zh-CN", "RFC5646", "Chinese (China)")),
        *_observer(newest.person, names),
        _section(_FINDINGS, [report.findings], by(report)),
        _section(_IMPRESSIONS, [report.impression], by(report)),
    ]
    rows = [critical_results().get(code) for code in reading.critical]
    told = [f"危急值 Critical: {row.zh} / {row.en}" for row in rows if row is not None]
    if told:
        tree.append(_section(_CONCLUSIONS, told))
    tree += [_section(_ADDENDUM, [one.impression], by(one)) for one in reading.signed[1:]]
    return tree


def _observer(person: str, names: Mapping[str, str]) -> list["Dataset"]:
    return [
        _coded("HAS OBS CONTEXT", _OBSERVER_TYPE, _PERSON),
        _named("HAS OBS CONTEXT", _OBSERVER, names.get(person, person)),
    ]


def _section(names: tuple[Code, Code], texts: Sequence[str], observer: Sequence["Dataset"] = ()) -> "Dataset":
    one = _item()
    one.RelationshipType = "CONTAINS"
    one.ValueType = "CONTAINER"
    one.ConceptNameCodeSequence = [_code(names[0])]
    one.ContinuityOfContent = "SEPARATE"
    one.ContentSequence = list(observer)
    for text in texts:
        part = _item()
        part.RelationshipType = "CONTAINS"
        part.ValueType = "TEXT"
        part.ConceptNameCodeSequence = [_code(names[1])]
        part.TextValue = text
        one.ContentSequence.append(part)
    made: Dataset = one
    return made


def _coded(relation: str, name: Code, value: Code) -> "Dataset":
    one = _item()
    one.RelationshipType = relation
    one.ValueType = "CODE"
    one.ConceptNameCodeSequence = [_code(name)]
    one.ConceptCodeSequence = [_code(value)]
    made: Dataset = one
    return made


def _named(relation: str, name: Code, person: str) -> "Dataset":
    one = _item()
    one.RelationshipType = relation
    one.ValueType = "PNAME"
    one.ConceptNameCodeSequence = [_code(name)]
    one.PersonName = person
    made: Dataset = one
    return made


def _code(code: Code) -> "Dataset":
    one = _item()
    one.CodeValue, one.CodingSchemeDesignator, one.CodeMeaning = code
    made: Dataset = one
    return made


def _item() -> Any:
    from pydicom.dataset import Dataset

    return Dataset()


def _day(at: datetime) -> str:
    return f"{at.astimezone(SHOWN_ZONE):%Y%m%d}"


def _time(at: datetime) -> str:
    return f"{at.astimezone(SHOWN_ZONE):%H%M%S}"
