"""DICOM ECG objects (PS3.3 A.34): 12-lead, General and Ambulatory."""

import io
import logging
import math
import re
import struct
import threading
import warnings
import zlib
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from greenchannel.ingest.bounds import MAX_CHANNELS, MAX_VALUES
from greenchannel.ingest.errors import IngestError
from greenchannel.ingest.lead_names import lead_of_code, lead_of_name
from greenchannel.ingest.parsed import ParsedEcg, plausible_age, sex_of
from greenchannel.ingest.scaling import MISSING, MV_PER_UNIT, ranges_without_samples
from greenchannel.signal.recording import MAX_RATE_HZ, Recording

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

ECG_CLASSES: Final = {
    "1.2.840.10008.5.1.4.1.1.9.1.1": "12-lead ECG",
    "1.2.840.10008.5.1.4.1.1.9.1.2": "General ECG",
    "1.2.840.10008.5.1.4.1.1.9.1.3": "Ambulatory ECG",
    "1.2.840.10008.5.1.4.1.1.9.1.4": "General 32-bit ECG",
}
_TYPES: Final = {(8, "SB"): "i1", (8, "UB"): "u1", (16, "SS"): "i2", (16, "US"): "u2", (32, "SL"): "i4"}
_DEFLATED: Final = "1.2.840.10008.1.2.1.99"
_BIG_ENDIAN: Final = "1.2.840.10008.1.2.2"
_MAX_STATEMENTS: Final = 100
_DAYS_A_YEAR: Final = 365.25
_DAYS: Final = {"Y": _DAYS_A_YEAR, "M": _DAYS_A_YEAR / 12, "W": 7.0, "D": 1.0}

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

    Raises
    ------
    IngestError
        ``malformed``, ``unsupported`` (also for an image), ``truncated`` or ``too_large``.
    """
    # Half a second of import that only a DICOM file pays for.
    from pydicom.errors import BytesLengthException, InvalidDicomError

    # Its warnings quote values, so they may hold a patient's name: they must not reach a log.
    logging.getLogger("pydicom").setLevel(logging.ERROR)
    try:
        with _quiet, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return _read(data)
    except (InvalidDicomError, BytesLengthException, *_PYDICOM_RAISES) as error:
        # The text of these errors may quote a patient's name; their kind can't.
        raise IngestError(
            "malformed", "the DICOM file cannot be read", "a DICOM ECG", f"a {type(error).__name__}"
        ) from error


def _read(data: bytes) -> ParsedEcg:
    from pydicom import dcmread
    from pydicom.filereader import read_dataset

    has_preamble = data[128:132] == b"DICM"
    syntax = ""
    if has_preamble:
        stream = io.BytesIO(data)
        stream.seek(132)
        meta = read_dataset(stream, False, True, stop_when=lambda tag, _vr, _length: tag.group != 2)
        syntax = str(meta.get("TransferSyntaxUID", ""))
    if syntax == _DEFLATED:
        raise IngestError(
            "unsupported", "deflated DICOM is not read", "an uncompressed transfer syntax", syntax
        )
    dataset = dcmread(io.BytesIO(data), force=not has_preamble)
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
    group = _best_group(list(groups), ">" if syntax == _BIG_ENDIAN else "<", tolerated)
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


@dataclass(frozen=True, kw_only=True, slots=True)
class _Group:
    samples_mv: NDArray[np.float32]
    leads: tuple[str, ...]
    rate_hz: float
    filters: dict[str, float]


def _best_group(groups: "list[Dataset]", byte_order: str, tolerated: list[str]) -> _Group:
    """Decode the multiplex group to be read: the rhythm strip with most leads, then the longest."""

    def rank(group: "Dataset") -> tuple[bool, int, float]:
        derived = str(group.get("WaveformOriginality", "")).upper() == "DERIVED"
        label = str(group.get("MultiplexGroupLabel", "")).upper()
        median = any(word in label for word in ("MEDIAN", "TEMPLATE", "AVERAGE"))
        leads = sum(_lead(channel) is not None for channel in group.get("ChannelDefinitionSequence") or ())
        seconds = float(group.NumberOfWaveformSamples) / float(group.SamplingFrequency)
        return not (derived or median), leads, seconds

    order = sorted(range(len(groups)), key=lambda index: rank(groups[index]), reverse=True)
    for index in sorted(order[1:]):
        label = str(groups[index].get("MultiplexGroupLabel", "") or "without a label")
        tolerated.append(f"multiplex group {index + 1} ({label}) is left out")
    return _decode_group(groups[order[0]], byte_order, tolerated)


def _decode_group(group: "Dataset", byte_order: str, tolerated: list[str]) -> _Group:
    channels = list(group.ChannelDefinitionSequence)
    count, samples = int(group.NumberOfWaveformChannels), int(group.NumberOfWaveformSamples)
    rate_hz = float(group.SamplingFrequency)
    if not 0 < count <= MAX_CHANNELS or len(channels) != count:
        raise IngestError(
            "malformed", "the number of channels is wrong", f"{count}", f"{len(channels)} definitions"
        )
    if not 0 < samples * count <= MAX_VALUES:
        raise IngestError(
            "too_large" if samples > 0 else "malformed",
            "the number of samples is out of bounds",
            f"1 to {MAX_VALUES} in all",
            str(samples * count),
        )
    if not 0 < rate_hz <= MAX_RATE_HZ:
        raise IngestError(
            "malformed", "the rate is out of bounds", f"above 0, at most {MAX_RATE_HZ:g} Hz", f"{rate_hz:g}"
        )
    raw, missing = _integers(group, samples, count, byte_order, tolerated)
    rows: dict[str, NDArray[np.float32]] = {}
    for index, channel in enumerate(channels):
        lead = _lead(channel)
        if lead is None or lead in rows:
            tolerated.append(f"channel {index + 1} is no lead known here, or comes twice; left out")
            continue
        row = _millivolts(channel, raw[:, index], lead, tolerated)
        row[missing[:, index]] = np.nan
        rows[lead] = row
    if not rows:
        raise IngestError(
            "malformed", "no channel is an ECG lead", "coded or named leads", f"{count} channels"
        )
    return _Group(
        samples_mv=np.stack(list(rows.values())),
        leads=tuple(rows),
        rate_hz=rate_hz,
        filters=_filters(channels),
    )


def _integers(
    group: "Dataset", samples: int, count: int, byte_order: str, tolerated: list[str]
) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """Stored integers and where none was recorded, both of shape ``(samples, channels)``."""
    bits, form = int(group.WaveformBitsAllocated), str(group.WaveformSampleInterpretation)
    if (bits, form) not in _TYPES:
        known = " ".join(f"{b}/{f}" for b, f in _TYPES)
        raise IngestError(
            "unsupported", "the sample form is not read", f"one of {known}", f"{bits}/{form}"[:40]
        )
    dtype = np.dtype(byte_order + _TYPES[bits, form])
    body = bytes(group.WaveformData)
    needed = samples * count * dtype.itemsize
    if len(body) < needed:
        raise IngestError("truncated", "the waveform is too short", f"{needed} bytes", f"{len(body)} bytes")
    raw = np.frombuffer(body, dtype=dtype, count=samples * count).reshape(samples, count)
    missing = np.zeros(raw.shape, dtype=np.bool_)
    padding = group.get("WaveformPaddingValue")
    if isinstance(padding, bytes) and len(padding) >= dtype.itemsize:
        value = np.frombuffer(padding, dtype=dtype, count=1)[0]
        missing = raw == value
        others = raw[~missing]
        # Some writers put 0 there, which every lead passes through; a value amid the samples can't mark anything.
        if others.size and others.min() < value < others.max():
            missing[:] = False
            tolerated.append(f"the padding value {value} lies amid the samples; not taken for missing ones")
    elif (bits, form) == (16, "SS") and (raw == MISSING).any():
        missing = raw == MISSING
        tolerated.append(f"no padding value is given; {MISSING} is taken as no sample")
    stored = group.ChannelDefinitionSequence[0].get("WaveformBitsStored")
    if stored and form in ("SB", "SS") and 1 < int(stored) < bits:
        top = 1 << (int(stored) - 1)
        if raw[~missing].min(initial=0) >= 0 and top <= raw[~missing].max(initial=0) < 2 * top:
            tolerated.append(f"{int(stored)} bits are stored without their sign extended")
            raw = np.where(raw >= top, raw - 2 * top, raw)
    return raw, missing


def _millivolts(
    channel: "Dataset", raw: NDArray[Any], lead: str, tolerated: list[str]
) -> NDArray[np.float32]:
    sensitivity = channel.get("ChannelSensitivity")
    if sensitivity is None:
        raise IngestError("malformed", f"lead {lead} has no sensitivity", "Channel Sensitivity", "none")
    units = channel.get("ChannelSensitivityUnitsSequence")
    unit = str(units[0].CodeValue) if units else "uV"
    if not units:
        tolerated.append(f"lead {lead} has no unit; taken as uV")
    if unit.lower() not in MV_PER_UNIT:
        raise IngestError(
            "unsupported", f"the unit of lead {lead} is not one of voltage", "uV or mV", unit[:20]
        )
    correction = _number(channel, "ChannelSensitivityCorrectionFactor", 1.0)
    baseline = _number(channel, "ChannelBaseline", 0.0)
    step_mv = float(sensitivity) * correction * MV_PER_UNIT[unit.lower()]
    # PS3.3 C.10.9.1.4.1: the baseline is an offset in the unit of the sensitivity, not in steps.
    row = raw * np.float64(step_mv) + baseline * MV_PER_UNIT[unit.lower()]
    samples_mv = row.astype(np.float32)
    if step_mv == 0 or not np.isfinite(samples_mv).all():
        raise IngestError(
            "malformed", f"the sensitivity of {lead} gives no amplitudes", "mV a step", f"{step_mv:g}"
        )
    return samples_mv


def _number(item: "Dataset", keyword: str, default: float) -> float:
    value = item.get(keyword)
    return default if value is None or value == "" else float(value)


def _lead(channel: "Dataset") -> str | None:
    for source in channel.get("ChannelSourceSequence") or ():
        lead = lead_of_code(str(source.get("CodeValue", "")), str(source.get("CodingSchemeDesignator", "")))
        lead = lead or lead_of_name(str(source.get("CodeMeaning", "")))
        if lead is not None:
            return lead
    return lead_of_name(str(channel.get("ChannelLabel", "")))


def _filters(channels: "list[Dataset]") -> dict[str, float]:
    """What the device says it cut away; where its channels differ, the narrowest pass band."""
    keywords = (
        ("low_hz", "FilterLowFrequency", max),
        ("high_hz", "FilterHighFrequency", min),
        ("notch_hz", "NotchFilterFrequency", max),
    )
    found: dict[str, float] = {}
    for key, keyword, narrowest in keywords:
        said = [_number(channel, keyword, 0.0) for channel in channels]
        known = [value for value in said if 0 < value < math.inf]
        if known:
            found[key] = narrowest(known)
    return found


def _statements(dataset: "Dataset") -> tuple[str, ...]:
    texts = (
        str(note.get("UnformattedTextValue", "") or "")
        for note in dataset.get("WaveformAnnotationSequence") or ()
    )
    return tuple(dict.fromkeys(text.strip() for text in texts if text.strip()))[:_MAX_STATEMENTS]


def _age(dataset: "Dataset", acquired: datetime | None, tolerated: list[str]) -> float | None:
    match = re.fullmatch(r"(\d{1,3})([DWMY])", str(dataset.get("PatientAge", "") or "").strip())
    if match is not None:
        age_years, note = plausible_age(str(int(match[1]) * _DAYS[match[2]] / _DAYS_A_YEAR))
        tolerated += [note] if note else []
        return age_years
    born = _parse_time(str(dataset.get("PatientBirthDate", "") or ""), "")
    if born is None or acquired is None:
        return None
    days = (acquired.replace(tzinfo=None) - born).days
    return float(int(days / _DAYS_A_YEAR)) if 0 <= days <= 130 * _DAYS_A_YEAR else None


_TIME_ATTRIBUTES: Final = (
    ("AcquisitionDateTime", ""),
    ("AcquisitionDate", "AcquisitionTime"),
    ("ContentDate", "ContentTime"),
    ("StudyDate", "StudyTime"),
)


def _acquired(dataset: "Dataset", tolerated: list[str]) -> datetime | None:
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
