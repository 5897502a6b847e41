"""DICOM ECG objects (PS3.3 A.34): 12-lead, General and Ambulatory."""

import io
import logging
import re
import struct
import threading
import warnings
import zlib
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Final

from greenchannel.ingest.dicom_group import Item, best_group
from greenchannel.ingest.dicom_tags import DEFLATED, NotPlain, inflated, plain_tags
from greenchannel.ingest.errors import IngestError
from greenchannel.ingest.parsed import DAYS_A_YEAR, ParsedEcg, age_between, plausible_age, sex_of
from greenchannel.ingest.scaling import ranges_without_samples
from greenchannel.signal.recording import Recording

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

ECG_CLASSES: Final = {
    "1.2.840.10008.5.1.4.1.1.9.1.1": "12-lead ECG",
    "1.2.840.10008.5.1.4.1.1.9.1.2": "General ECG",
    "1.2.840.10008.5.1.4.1.1.9.1.3": "Ambulatory ECG",
    "1.2.840.10008.5.1.4.1.1.9.1.4": "General 32-bit ECG",
}
_BIG_ENDIAN: Final = "1.2.840.10008.1.2.2"
_MAX_STATEMENTS: Final = 100
_DAYS: Final = {"Y": DAYS_A_YEAR, "M": DAYS_A_YEAR / 12, "W": 7.0, "D": 1.0}

# What pydicom lets out when its input is broken; it parses values when they are asked for, so it may come anywhere.
_PYDICOM_RAISES: Final = (
    ArithmeticError, AssertionError, AttributeError, EOFError, LookupError, OSError, RuntimeError, TypeError,
    ValueError, struct.error, zlib.error,
)  # fmt: skip

# Warning filters belong to the whole process: two threads that set them aside must not cross.
_quiet = threading.Lock()


def looks_like_dicom(data: bytes) -> bool:
    """Whether `data` is a DICOM file, or the bare data set that some devices write without its preamble."""
    if data[128:132] == b"DICM":
        return True
    # group 0008, a plausible first element, then either a VR of two capitals or a short length
    return (
        data[:2] == b"\x08\x00"
        and data[3:4] == b"\x00"
        and bool(re.match(rb"(?:[A-Z]{2}|[\x00-\xff]{2}\x00\x00)", data[4:8], re.DOTALL))
    )


def read_dicom(data: bytes) -> ParsedEcg:
    """Make one ECG of a DICOM file.

    Files that keep to the letter of the standard are read straight; pydicom reads all others, and finds what is wrong
    with those that break it.

    Raises
    ------
    IngestError
        ``malformed``, ``unsupported`` (also for an image), ``truncated`` or ``too_large``.
    """
    try:
        return read_plain(data)
    except (NotPlain, IngestError, ArithmeticError, LookupError, TypeError, ValueError):
        pass  # and with it what that reading held
    return read_by_pydicom(data)


def read_plain(data: bytes) -> ParsedEcg:
    """As `read_dicom`, for files that keep to the letter of the standard.

    Raises
    ------
    NotPlain, IngestError, ArithmeticError, LookupError, TypeError, ValueError
        Where only pydicom can tell.
    """
    tags = plain_tags(data)
    if tags.get("SOPClassUID") not in ECG_CLASSES:  # only pydicom knows the names of all others
        raise NotPlain
    return _ecg(tags, "<", has_preamble=True)


def read_by_pydicom(data: bytes) -> ParsedEcg:
    """As `read_dicom`, for any file."""
    # Half a second of import that only an odd file pays for.
    from pydicom.errors import BytesLengthException, InvalidDicomError

    # Its warnings quote values, so they may hold a patient's name: they must not reach a log.
    logging.getLogger("pydicom").setLevel(logging.ERROR)
    try:
        with _quiet, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return _ecg(*_read(data), has_preamble=data[128:132] == b"DICM")
    except (InvalidDicomError, BytesLengthException, *_PYDICOM_RAISES) as error:
        # The text of these errors may quote a patient's name; their kind can't.
        raise IngestError(
            "malformed", "the DICOM file cannot be read", "a DICOM ECG", f"a {type(error).__name__}"
        ) from error


def _read(data: bytes) -> "tuple[Dataset, str]":
    """The data set by pydicom, and the byte order of its waveform."""
    from pydicom import dcmread
    from pydicom.filereader import read_dataset

    if data[128:132] != b"DICM":
        return dcmread(io.BytesIO(data), force=True), "<"
    stream = io.BytesIO(data)
    stream.seek(132)
    meta = read_dataset(stream, False, True, stop_when=lambda tag, _vr, _length: tag.group != 2)
    syntax = str(meta.get("TransferSyntaxUID", ""))
    if syntax == DEFLATED:
        # Not left to pydicom, which unpacks without a bound.
        return read_dataset(io.BytesIO(inflated(data, stream.tell())), False, True), "<"
    return dcmread(io.BytesIO(data)), ">" if syntax == _BIG_ENDIAN else "<"


def _ecg(dataset: Item, byte_order: str, *, has_preamble: bool) -> ParsedEcg:
    kind = str(dataset.get("SOPClassUID", ""))
    groups = dataset.get("WaveformSequence")
    if kind not in ECG_CLASSES and ("PixelData" in dataset or not groups):
        raise IngestError(
            "unsupported",
            "this DICOM file is not an ECG",
            " or ".join(ECG_CLASSES.values()),
            _class_name(kind),
        )
    tolerated = [] if has_preamble else ["the file has no DICOM preamble"]
    if kind not in ECG_CLASSES:
        tolerated.append(f"the object is no ECG class ({_class_name(kind)}) but holds ECG leads")
    if not groups:
        raise IngestError("malformed", "the object has no waveform", "a Waveform Sequence", "none")
    group = best_group(list(groups), byte_order, tolerated)
    acquired = _acquired(dataset, tolerated)
    age_years = _age(dataset, acquired, tolerated)
    has_zone = acquired is not None and acquired.utcoffset() is not None
    recording = Recording(
        samples_mv=group.samples_mv,
        leads=group.leads,
        rate_hz=group.rate_hz,
        started_at=acquired if has_zone else None,
        gaps=ranges_without_samples(group.samples_mv),
        low_cut_hz=group.filters.get("low_hz"),
        high_cut_hz=group.filters.get("high_hz"),
    )
    named = {"name": dataset.get("PatientName"), "patient_id": dataset.get("PatientID")}
    return ParsedEcg(
        recording=recording,
        format="dicom",
        age_years=age_years,
        sex=sex_of(str(dataset.get("PatientSex", "") or "")),
        acquired=acquired,
        acquired_has_zone=has_zone,
        identifiers={key: str(value) for key, value in named.items() if value},
        device_statements=_statements(dataset),
        filters=group.filters,
        tolerated=tuple(tolerated),
    )


def _class_name(uid: str) -> str:
    from pydicom.uid import UID

    return str(UID(uid).name)[:80] if uid else "no SOP class"


def _statements(dataset: Item) -> tuple[str, ...]:
    texts = (
        str(note.get("UnformattedTextValue", "") or "")
        for note in dataset.get("WaveformAnnotationSequence") or ()
    )
    return tuple(dict.fromkeys(text.strip() for text in texts if text.strip()))[:_MAX_STATEMENTS]


def _age(dataset: Item, acquired: datetime | None, tolerated: list[str]) -> float | None:
    match = re.fullmatch(r"(\d{1,3})([DWMY])", str(dataset.get("PatientAge", "") or "").strip())
    if match is not None:
        age_years, note = plausible_age(str(int(match[1]) * _DAYS[match[2]] / DAYS_A_YEAR))
        tolerated += [note] if note else []
        return age_years
    born = _parse_time(str(dataset.get("PatientBirthDate", "") or ""), "")
    return age_between(born, acquired)


_TIME_ATTRIBUTES: Final = (
    ("AcquisitionDateTime", ""),
    ("AcquisitionDate", "AcquisitionTime"),
    ("ContentDate", "ContentTime"),
    ("StudyDate", "StudyTime"),
)


def _acquired(dataset: Item, tolerated: list[str]) -> datetime | None:
    """Start of the acquisition; aware where the value itself or Timezone Offset From UTC gives a zone."""
    for date, time in _TIME_ATTRIBUTES:
        first, second = str(dataset.get(date, "") or ""), str(dataset.get(time, "") or "") if time else ""
        if not first or (time and not second):
            continue
        instant = _parse_time(first, second)
        if instant is None:
            tolerated.append(f"{date} {first[:30]!r} is not a time; ignored")
            continue
        if date in ("ContentDate", "StudyDate"):
            tolerated.append(f"the time of acquisition is missing; {date} and {time} are taken")
        zone = _zone(str(dataset.get("TimezoneOffsetFromUTC", "") or "").strip())
        return instant if instant.tzinfo is not None or zone is None else instant.replace(tzinfo=zone)
    return None


_STAMP: Final = re.compile(r"(\d{8})(\d{2})?(\d{2})?(\d{2})?(?:\.(\d{1,6}))?([+-]\d{4})?")


def _parse_time(date: str, time: str) -> datetime | None:
    """DICOM DT, or DA and TM; the year, month and day must be there."""
    match = _STAMP.fullmatch(date.strip().replace(".", "") + time.strip() if time else date.strip())
    if match is None:
        return None
    clock = "".join(part or "00" for part in match.group(2, 3, 4))
    try:
        instant = datetime.strptime(match[1] + clock, "%Y%m%d%H%M%S")  # noqa: DTZ007 - as written
    except ValueError:
        return None
    instant = instant.replace(microsecond=int((match[5] or "0").ljust(6, "0")))
    return instant.replace(tzinfo=_zone(match[6])) if match[6] else instant


def _zone(text: str) -> timezone | None:
    match = re.fullmatch(r"([+-])(\d{2})(\d{2})", text)
    if match is None or int(match[2]) > 14 or int(match[3]) > 59:
        return None
    minutes = int(match[2]) * 60 + int(match[3])
    return timezone(timedelta(minutes=-minutes if match[1] == "-" else minutes))
