"""One DICOM object as it came: what the rest of the service may know of it, without its pixels.

Everything but the identifiers may be missing, and is None then. A value that cannot be read is unknown, and costs
nothing else: an object is only refused where it could not be found again, or is no DICOM at all.
"""

import hashlib
import io
import logging
import re
import threading
import warnings
from datetime import date, datetime, time, timedelta, timezone
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

import msgspec

from greenchannel.ingest.dicom_ecg import looks_like_dicom
from greenchannel.ingest.dicom_tags import DEFLATED, EXPLICIT, IMPLICIT, inflated
from greenchannel.ingest.errors import IngestError, shown
from greenchannel.ingest.imaging.charset import charset_of
from greenchannel.ingest.imaging.values import PYDICOM_RAISES, Getter
from greenchannel.ingest.imaging.whole import Early, Pixels, pixels_of
from greenchannel.ingest.parsed import DAYS_A_YEAR, Sex, age_between, plausible_age, sex_of

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

BIG_ENDIAN: Final = "1.2.840.10008.1.2.2"
MAX_REF: Final = 128  # of a patient's or an order's number, as `ingest.fields` takes it  [E]
MAX_REASONS: Final = 16  # [E]
_DIRECTORY: Final = "1.2.840.10008.1.3.10"
_UID: Final = re.compile(
    r"[0-9]+(?:\.[0-9]+)*"
)  # PS3.5 9.1, without its ban of leading zeros: many write them
_DAYS: Final = {"Y": DAYS_A_YEAR, "M": DAYS_A_YEAR / 12, "W": 7.0, "D": 1.0}

# Warning filters belong to the whole process: two threads that set them aside must not cross.
_quiet = threading.Lock()

YesNo = Literal["yes", "no", "unknown"]


class ImageInstance(msgspec.Struct, frozen=True, kw_only=True):
    """One object. Lengths in mm; `orientation` and `position` in the patient's coordinates (PS3.3 C.7.6.2)."""

    sop_uid: str
    series_uid: str
    study_uid: str
    sop_class: str
    transfer_syntax: str
    content_sha256: (
        str  # of transfer syntax and data set, without the head of the file: the same by every way in
    )

    modality: str | None = None
    body_part: str | None = None
    study_description: str | None = None
    series_description: str | None = None
    protocol: str | None = None
    series_number: int | None = None
    instance_number: int | None = None
    laterality: str | None = None
    view_position: str | None = None

    rows: int | None = None
    cols: int | None = None
    frames: int | None = None  # None: it has no pixels
    photometric: str | None = None
    samples: int | None = None  # per pixel
    bits_allocated: int | None = None
    bits_stored: int | None = None
    spacing: tuple[float, float] | None = None  # from row to row, from column to column
    slice_thickness: float | None = None
    orientation: tuple[float, ...] | None = None  # six: along a row, along a column
    position: tuple[float, float, float] | None = None
    windows: tuple[tuple[float, float], ...] = ()  # centre and width, the sender's own, in his order
    contrast: YesNo = "unknown"  # "no": the file says that there is none; silence is unknown

    patient_id: str | None = None
    patient_name: str | None = None
    sex: Sex | None = None
    birth_date: date | None = None
    age_years: float | None = None
    accession: str | None = None
    referrer: str | None = None
    institution: str | None = None
    station: str | None = None

    study_date: date | None = None
    study_time: time | None = None  # by the wall clock of the machine, without a zone
    study_at: datetime | None = None  # aware; None where the file names no zone

    priority: str | None = None  # as (0040,1003) or, of old files, (0032,000C) has it: STAT, HIGH, ROUTINE, …
    reasons: tuple[str, ...] = ()  # free text: why it was asked for

    study_instances: int | None = None  # how many the sender says there are  (0020,1208)
    series_instances: int | None = None  # (0020,1209)

    decodable: bool = False
    undecodable: str | None = None  # why: "no_pixels", "short_pixels", "no_decoder", "unknown_syntax"
    burned_in: YesNo = "unknown"
    private_tags: int = 0

    charset_assumed: str | None = None  # "utf-8", "gb18030": of its texts, where it names none or another
    charset_doubtful: bool = False  # its texts may be in another charset than it says


class _Read(NamedTuple):
    dataset: "Dataset"
    syntax: str
    starts_at: int  # byte at which the data set begins


def read_instance(data: bytes) -> ImageInstance:
    """What a DICOM file says of itself.

    Parameters
    ----------
    data
        A file as PS3.10 has it, or a bare data set.

    Raises
    ------
    IngestError
        ``empty_body``; ``unknown_format``: no DICOM; ``malformed``: it cannot be read, or names no study, series or
        object; ``unsupported``: a directory of files; ``truncated`` or ``too_large``: a deflated one.
    """
    if not data:
        raise IngestError("empty_body", "nothing was sent", "a DICOM object")
    if not looks_like_dicom(data):
        raise IngestError("unknown_format", "this is no DICOM object", "a DICOM object", shown(data[:8]))
    logging.getLogger("pydicom").setLevel(logging.ERROR)
    try:
        with _quiet, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            read = _read(data)
        content = hashlib.sha256(read.syntax.encode() + b"\0")  # takes long; nobody waits for it
        content.update(memoryview(data)[read.starts_at :])
        with _quiet, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return _instance(read, data, content.hexdigest())
    except IngestError:
        raise
    except Exception as error:
        if not isinstance(error, PYDICOM_RAISES) and not type(error).__module__.startswith("pydicom"):
            raise
        # The text of these errors may quote a patient's name; their kind can't.
        raise IngestError(
            "malformed", "the DICOM object cannot be read", "a DICOM object", f"a {type(error).__name__}"
        ) from error


def _read(data: bytes) -> _Read:
    from pydicom import dcmread
    from pydicom.filereader import read_dataset

    if data[128:132] != b"DICM":
        dataset = dcmread(io.BytesIO(data), stop_before_pixels=True, force=True)
        implicit, little = dataset.original_encoding
        return _Read(dataset, IMPLICIT if implicit else EXPLICIT if little else BIG_ENDIAN, 0)
    syntax, starts_at = head_of(data)
    if syntax == DEFLATED:
        # Not left to pydicom, which unpacks without a bound.
        unpacked = io.BytesIO(inflated(data, starts_at))
        return _Read(read_dataset(unpacked, False, True, stop_when=_pixels), syntax, starts_at)
    return _Read(dcmread(io.BytesIO(data), stop_before_pixels=True), syntax or IMPLICIT, starts_at)


def head_of(data: bytes) -> tuple[str, int]:
    """The transfer syntax that the head of a file names, "" for none, and the byte at which the data set begins."""
    from pydicom.filereader import read_dataset

    stream = io.BytesIO(data)
    stream.seek(132)
    head = read_dataset(stream, False, True, stop_when=lambda tag, _vr, _length: tag.group != 2)
    return str(head.get("TransferSyntaxUID", "")), stream.tell()


def _pixels(tag: Any, _vr: Any, _length: Any) -> bool:
    return bool(tag in (0x7FE00008, 0x7FE00009, 0x7FE00010))


def _instance(read: _Read, data: bytes, content_sha256: str) -> ImageInstance:
    as_read = Getter(read.dataset)
    charset = charset_of(as_read)
    get = as_read.within(charset.codec)
    sop_class = get.text("SOPClassUID") or ""
    if sop_class == _DIRECTORY or "DirectoryRecordSequence" in read.dataset:
        raise IngestError("unsupported", "this is a directory of DICOM files", "an object", "a DICOMDIR")
    uids = [
        _uid(get, name) for name in ("SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID", "SOPClassUID")
    ]
    pixels = _pixels_of(read, data)
    has_pixels = get.whole("Rows") is not None and get.whole("Columns") is not None and pixels is not None
    if pixels is None and _is_picture(sop_class):
        # Cut off between two elements it would else take the place of the whole one.
        raise IngestError("truncated", "this object should hold a picture, and holds none", "pixels", "none")
    undecodable = _undecodable(read.syntax, has_pixels) or _short(get, pixels)
    study_date, study_time = get.day("StudyDate"), get.clock("StudyTime")
    return ImageInstance(
        sop_uid=uids[0],
        series_uid=uids[1],
        study_uid=uids[2],
        sop_class=uids[3],
        transfer_syntax=read.syntax,
        content_sha256=content_sha256,
        modality=get.code("Modality"),
        body_part=get.code("BodyPartExamined"),
        study_description=get.text("StudyDescription"),
        series_description=get.text("SeriesDescription"),
        protocol=get.text("ProtocolName"),
        series_number=get.whole("SeriesNumber"),
        instance_number=get.whole("InstanceNumber"),
        laterality=get.code("ImageLaterality") or get.code("Laterality"),
        view_position=get.code("ViewPosition"),
        **_picture(get, has_pixels),
        **_patient(get, study_date),
        accession=get.text("AccessionNumber", MAX_REF),
        referrer=get.text("ReferringPhysicianName", MAX_REF),
        institution=get.text("InstitutionName"),
        station=get.text("StationName", MAX_REF),
        study_date=study_date,
        study_time=study_time,
        study_at=_aware(study_date, study_time, get.text("TimezoneOffsetFromUTC")),
        **_request(get),
        study_instances=get.whole("NumberOfStudyRelatedInstances"),
        series_instances=get.whole("NumberOfSeriesRelatedInstances"),
        decodable=undecodable is None,
        undecodable=undecodable,
        burned_in=_yes_no(get.code("BurnedInAnnotation")),
        charset_assumed=charset.codec,
        charset_doubtful=charset.doubtful,
        private_tags=sum(1 for tag in read.dataset.keys() if tag.is_private),  # noqa: SIM118 - its items are no tags
    )


def _uid(get: Getter, name: str) -> str:
    found = (get.text(name) or "").strip("\0 ")
    if len(found) > 64 or not _UID.fullmatch(found):
        raise IngestError(
            "malformed", f"the object has no {name} by which it can be kept", "digits and dots", shown(found)
        )
    return found


def _picture(get: Getter, has_pixels: bool) -> dict[str, Any]:
    frames = get.whole("NumberOfFrames")
    orientation, position = get.numbers("ImageOrientationPatient"), get.numbers("ImagePositionPatient")
    spacing = get.numbers("PixelSpacing") or get.numbers("ImagerPixelSpacing") or ()
    centres, widths = get.numbers("WindowCenter") or (), get.numbers("WindowWidth") or ()
    return {
        "rows": get.whole("Rows"),
        "cols": get.whole("Columns"),
        "frames": (frames if frames is not None and frames > 0 else 1) if has_pixels else None,
        "photometric": get.code("PhotometricInterpretation"),
        "samples": get.whole("SamplesPerPixel"),
        "bits_allocated": get.whole("BitsAllocated"),
        "bits_stored": get.whole("BitsStored"),
        "spacing": spacing if len(spacing) == 2 and min(spacing) > 0 else None,
        "slice_thickness": get.number("SliceThickness"),
        "orientation": orientation if orientation is not None and len(orientation) == 6 else None,
        "position": position if position is not None and len(position) == 3 else None,
        "windows": tuple(zip(centres, widths, strict=False)),
        "contrast": "yes" if get.text("ContrastBolusAgent") else "unknown",
    }


def _patient(get: Getter, study_date: date | None) -> dict[str, Any]:
    born = get.day("PatientBirthDate")
    match = re.fullmatch(r"(\d{1,3})([DWMY])", get.text("PatientAge") or "")
    if match is not None:
        age_years, _ = plausible_age(str(int(match[1]) * _DAYS[match[2]] / DAYS_A_YEAR))
    else:
        age_years = age_between(born, study_date)
    return {
        "patient_id": get.text("PatientID", MAX_REF),
        "patient_name": get.text("PatientName", MAX_REF),
        "sex": sex_of(get.text("PatientSex") or ""),
        "birth_date": born,
        "age_years": age_years,
    }


def _request(get: Getter) -> dict[str, Any]:
    """The priority and the reasons, of the object itself and of the request that it answers (CLINICAL IMG-2)."""
    own = get.code("RequestedProcedurePriority") or get.code("StudyPriorityID")
    texts = [
        get.text("ReasonForTheRequestedProcedure"),
        get.text("ReasonForStudy"),
        get.text("RequestedProcedureDescription"),
        get.text("AdmittingDiagnosesDescription"),
    ]
    for item in get.items("RequestAttributesSequence"):
        own = own or item.code("RequestedProcedurePriority")
        texts += [item.text("ReasonForTheRequestedProcedure"), item.text("RequestedProcedureDescription")]
    for name in ("ReasonForRequestedProcedureCodeSequence", "ReasonForVisitCodeSequence"):
        texts += [item.text("CodeMeaning") for item in get.items(name)]
    return {"priority": own, "reasons": tuple(dict.fromkeys(one for one in texts if one))[:MAX_REASONS]}


def _pixels_of(read: _Read, data: bytes) -> Pixels | None:
    """Where the pixels stand; raises ``truncated`` where the file ends within an element."""
    if read.syntax == DEFLATED:
        data, at = inflated(data, read.starts_at), 0
    else:
        at = read.starts_at
    explicit = data[at + 4 : at + 6].isalpha() and data[at + 4 : at + 6].isupper()  # whatever the head says
    try:
        return pixels_of(data, at, explicit=explicit, big_endian=read.syntax == BIG_ENDIAN)
    except Early:
        raise IngestError(
            "truncated", "the object ends in the middle of an element", "its end", f"{len(data)} bytes of it"
        ) from None


def _is_picture(sop_class: str) -> bool:
    from pydicom.uid import UID

    return UID(sop_class).name.endswith("Image Storage")


def _short(get: Getter, pixels: Pixels | None) -> str | None:
    """Whether uncompressed pixels are fewer than the picture has."""
    names = ("Rows", "Columns", "SamplesPerPixel", "BitsAllocated")
    sizes = [get.whole(name) for name in names]
    if pixels is None or pixels.length is None or any(size is None or size < 0 for size in sizes):
        return None
    rows, cols, samples, bits = (size or 0 for size in sizes)
    frames = max(get.whole("NumberOfFrames") or 1, 1)
    if get.code("PhotometricInterpretation") in ("YBR_FULL_422", "YBR_PARTIAL_422"):
        samples = 2
    return "short_pixels" if pixels.length * 8 < rows * cols * samples * bits * frames else None


def _undecodable(syntax: str, has_pixels: bool) -> str | None:
    """Why no decoder that is installed here reads the pixels."""
    from pydicom.pixels.decoders.base import get_decoder
    from pydicom.uid import UID

    if not has_pixels:
        return "no_pixels"
    if syntax == DEFLATED:
        return None
    try:
        return None if get_decoder(UID(syntax)).is_available else "no_decoder"
    except NotImplementedError:
        return "unknown_syntax"


def _yes_no(code: str | None) -> YesNo:
    return "yes" if code == "YES" else "no" if code == "NO" else "unknown"


def _aware(day: date | None, at: time | None, offset: str | None) -> datetime | None:
    match = re.fullmatch(r"([+-])(\d{2})(\d{2})", offset or "")
    if day is None or at is None or match is None or int(match[2]) > 14 or int(match[3]) > 59:
        return None
    minutes = (int(match[2]) * 60 + int(match[3])) * (-1 if match[1] == "-" else 1)
    return datetime.combine(day, at, timezone(timedelta(minutes=minutes)))
