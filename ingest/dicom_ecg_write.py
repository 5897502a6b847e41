"""A recording as a DICOM ECG object: 12-lead (PS3.3 A.34.3) where it fits, General ECG (A.34.4) otherwise."""

import hashlib
import io
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

import numpy as np

from greenchannel.ingest.lead_names import SCP_NUMBERS
from greenchannel.ingest.parsed import Sex
from greenchannel.ingest.scaling import MISSING, mv_to_int16
from greenchannel.signal.recording import Recording

if TYPE_CHECKING:
    from pydicom.dataset import Dataset, FileDataset

TWELVE_LEAD: Final = "1.2.840.10008.5.1.4.1.1.9.1.1"
GENERAL: Final = "1.2.840.10008.5.1.4.1.1.9.1.2"
# Limits of the two modules, PS3.3 A.34.3.4 and A.34.4.4  [O]
_TWELVE_LEAD_CHANNELS: Final = 13
_TWELVE_LEAD_SAMPLES: Final = 16384
_GENERAL_CHANNELS: Final = 24
_RATES_HZ: Final = (200.0, 1000.0)
# Root for UIDs that are made of a UUID (PS3.5 B.2): no registration is needed.
_UUID_ROOT: Final = "2.25."


def write_dicom_ecg(
    recording: Recording,
    *,
    acquired: datetime | None,
    age_years: float | None,
    sex: Sex | None,
    patient_id: str | None = None,
    name: str | None = None,
    lsb_mv: float = 0.0025,
) -> bytes:
    """Write `recording` as one multiplex group of 16-bit samples; NaN becomes the padding value.

    The same input gives the same bytes: the UIDs are made of the content. Samples that are whole steps of `lsb_mv`
    read back unchanged.

    Parameters
    ----------
    acquired
        Start of the acquisition; None leaves the attributes empty.
    lsb_mv
        One step, in mV.

    Raises
    ------
    ValueError
        For samples beyond 16 bits, more than 24 leads, or a rate that the ECG classes do not allow.
    """
    from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
    from pydicom.uid import UID, ExplicitVRLittleEndian

    low_hz, high_hz = _RATES_HZ
    if not low_hz <= recording.rate_hz <= high_hz:
        raise ValueError(f"expected a rate of {low_hz:g} to {high_hz:g} Hz, got {recording.rate_hz:g}")
    count, samples = recording.samples_mv.shape
    if count > _GENERAL_CHANNELS:
        raise ValueError(f"expected at most {_GENERAL_CHANNELS} leads, got {count}")
    fits = count <= _TWELVE_LEAD_CHANNELS and samples <= _TWELVE_LEAD_SAMPLES
    kind = TWELVE_LEAD if fits else GENERAL

    start = acquired if acquired is not None else recording.started_at
    steps = np.ascontiguousarray(mv_to_int16(recording.samples_mv, lsb_mv).T, dtype="<i2")
    seed = repr((recording.leads, recording.rate_hz, lsb_mv, start, age_years, sex, patient_id, name, kind))
    digest = hashlib.sha256(seed.encode() + steps.tobytes()).digest()

    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset = FileDataset("", Dataset(), file_meta=meta, preamble=b"\0" * 128)
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.SOPClassUID = kind
    dataset.SOPInstanceUID = _uid(digest, b"instance")
    dataset.StudyInstanceUID = _uid(digest, b"study")
    dataset.SeriesInstanceUID = _uid(digest, b"series")
    dataset.Modality = "ECG"
    dataset.Manufacturer = "greenchannel"
    dataset.SeriesNumber = dataset.InstanceNumber = 1
    for keyword in ("AccessionNumber", "ReferringPhysicianName", "StudyID", "PatientBirthDate"):
        setattr(dataset, keyword, "")
    _describe_patient(dataset, age_years, sex, patient_id, name)
    _describe_time(dataset, start)
    dataset.AcquisitionContextSequence = []
    dataset.WaveformSequence = [_group(recording, steps.tobytes(), samples, lsb_mv)]
    meta.MediaStorageSOPClassUID = UID(kind)
    meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    out = io.BytesIO()
    dataset.save_as(out, enforce_file_format=True)
    return out.getvalue()


def _uid(digest: bytes, part: bytes) -> str:
    return _UUID_ROOT + str(int.from_bytes(hashlib.sha256(digest + part).digest()[:16], "big"))


def _describe_patient(
    dataset: "FileDataset", age_years: float | None, sex: Sex | None, patient_id: str | None, name: str | None
) -> None:
    dataset.PatientName = name or ""
    dataset.PatientID = patient_id or ""
    dataset.PatientSex = {"male": "M", "female": "F", None: ""}[sex]
    if age_years is not None:
        # AS has three digits: children below two years in months, as it is done in paediatrics
        months = round(age_years * 12)
        dataset.PatientAge = f"{months:03d}M" if age_years < 2 else f"{int(age_years):03d}Y"


def _describe_time(dataset: "FileDataset", start: datetime | None) -> None:
    stamp = "" if start is None else f"{start:%Y%m%d%H%M%S}.{start.microsecond:06d}"
    offset: timedelta | None = None if start is None else start.utcoffset()
    if offset is not None:
        minutes = int(offset.total_seconds()) // 60
        zone = f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02d}{abs(minutes) % 60:02d}"
        dataset.TimezoneOffsetFromUTC = zone
        stamp += zone
    dataset.AcquisitionDateTime = stamp
    for keyword in ("Study", "Content"):
        setattr(dataset, f"{keyword}Date", stamp[:8])
        setattr(dataset, f"{keyword}Time", stamp[8:14])


def _group(recording: Recording, body: bytes, samples: int, lsb_mv: float) -> "Dataset":
    from pydicom.dataset import Dataset
    from pydicom.valuerep import DSfloat

    group = Dataset()
    group.WaveformOriginality = "ORIGINAL"
    group.NumberOfWaveformChannels = len(recording.leads)
    group.NumberOfWaveformSamples = samples
    group.SamplingFrequency = DSfloat(recording.rate_hz, auto_format=True)
    group.MultiplexGroupLabel = "RHYTHM"
    group.ChannelDefinitionSequence = [_channel(lead, lsb_mv, recording) for lead in recording.leads]
    group.WaveformBitsAllocated = 16
    group.WaveformSampleInterpretation = "SS"
    group.add_new("WaveformPaddingValue", "OW", MISSING.to_bytes(2, "little", signed=True))
    group.add_new("WaveformData", "OW", body)
    return group


def _channel(lead: str, lsb_mv: float, recording: Recording) -> "Dataset":
    from pydicom.dataset import Dataset
    from pydicom.valuerep import DSfloat

    channel = Dataset()
    channel.ChannelLabel = lead
    channel.ChannelSourceSequence = [_code(f"2:{SCP_NUMBERS[lead]}", "MDC", f"Lead {lead}")]
    channel.ChannelSensitivity = DSfloat(lsb_mv, auto_format=True)
    channel.ChannelSensitivityUnitsSequence = [_code("mV", "UCUM", "millivolt")]
    channel.ChannelSensitivityCorrectionFactor = 1
    channel.ChannelBaseline = 0
    channel.ChannelSampleSkew = 0
    channel.WaveformBitsStored = 16
    if recording.low_cut_hz is not None:
        channel.FilterLowFrequency = DSfloat(recording.low_cut_hz, auto_format=True)
    if recording.high_cut_hz is not None:
        channel.FilterHighFrequency = DSfloat(recording.high_cut_hz, auto_format=True)
    return channel


def _code(value: str, scheme: str, meaning: str) -> "Dataset":
    from pydicom.dataset import Dataset

    item = Dataset()
    item.CodeValue = value
    item.CodingSchemeDesignator = scheme
    item.CodeMeaning = meaning
    return item
