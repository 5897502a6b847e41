"""GE MUSE ECGs in XML (``RestingECG``, restecg.dtd): base64 of 16-bit samples, eight leads of twelve."""

import base64
import binascii
import re
import zlib
from datetime import datetime
from typing import Final

import numpy as np
from numpy.typing import NDArray

from greenchannel.ingest.bounds import MAX_CHANNELS
from greenchannel.ingest.errors import IngestError, shown
from greenchannel.ingest.lead_names import lead_of_name
from greenchannel.ingest.parsed import ParsedEcg, age_between, plausible_age, sex_of
from greenchannel.ingest.scaling import MV_PER_UNIT
from greenchannel.ingest.xml_fields import (
    counted,
    decimal,
    filters_of,
    identifiers_of,
    moment,
    recording_of,
    statements_of,
    without_missing,
    years,
)
from greenchannel.ingest.xml_safe import Node, parse_xml, root_name
from greenchannel.signal.leads import STANDARD_12

_UNITS: Final = {"MICROVOLTS": "uv", "MILLIVOLTS": "mv", "VOLTS": "v", "NANOVOLTS": "nv"}
_SAMPLE_BYTES: Final = 2
# HighPassFilter is written in hundredths of a hertz (56 for 0.56 Hz); LowPassFilter and ACFilter in hertz.  [K]
_HIGH_PASS_STEP_HZ: Final = 0.01
# Fields whose meaning GE has not published; readers disagree whether they shift the samples.
_UNEXPLAINED: Final = ("LeadTimeOffset", "LeadOffsetFirstSample", "FirstSampleBaseline")


def looks_like_muse_xml(data: bytes) -> bool:
    """Whether the root element is ``RestingECG``."""
    return root_name(data) == "RestingECG"


def read_muse_xml(data: bytes) -> ParsedEcg:
    """Make one ECG of a MUSE file: its rhythm strip; III, aVR, aVL and aVF are computed from I and II.

    Raises
    ------
    IngestError
        ``malformed``, ``unsupported``, ``truncated``, ``too_large`` or ``empty_body``.
    """
    tolerated: list[str] = []
    root = parse_xml(data, tolerated)
    if root.name != "RestingECG":
        raise IngestError("malformed", "the XML is no MUSE ECG", "RestingECG", shown(root.name))
    strip = _strip(root, tolerated)
    base, exponent = decimal(strip.word("SampleBase")), decimal(strip.word("SampleExponent") or "0")
    # Exponents that are no small integer would overflow, and are none that a device writes.
    known = base is not None and exponent is not None and abs(exponent) <= 6
    rate_hz = base * 10.0**exponent if known and base is not None and exponent is not None else None
    filters = filters_of(
        (decimal(strip.word("HighPassFilter")) or 0.0) * _HIGH_PASS_STEP_HZ,
        decimal(strip.word("LowPassFilter")),
        decimal(strip.word("ACFilter")),
    )
    if strip.findall("PaceSpikes"):
        tolerated.append("the device reports pacing pulses in a form that is not published; left out")
    patient, test = root.find("PatientDemographics") or root, root.find("TestDemographics") or root
    acquired = _time(test.word("AcquisitionDate"), test.word("AcquisitionTime"), tolerated)
    return ParsedEcg(
        recording=recording_of(
            _rows(strip, tolerated), rate_hz=rate_hz, acquired=acquired, filters=filters, tolerated=tolerated
        ),
        format="muse_xml",
        age_years=_age(patient, acquired, tolerated),
        sex=sex_of(patient.word("Gender")),
        acquired=acquired,
        identifiers=identifiers_of(
            (patient.word("PatientLastName"), patient.word("PatientFirstName")), patient.word("PatientID")
        ),
        device_statements=_statements(root, tolerated),
        filters=filters,
        tolerated=tuple(tolerated),
    )


def _strip(root: Node, tolerated: list[str]) -> Node:
    """The rhythm waveform with most leads, then the longest; all others are noted."""
    waveforms = root.findall("Waveform")
    rhythms = [one for one in waveforms if one.word("WaveformType").lower() != "median"]
    if not rhythms:
        kinds = " ".join(one.word("WaveformType") for one in waveforms)
        raise IngestError("malformed", "the file has no rhythm strip", "a Waveform of Rhythm", shown(kinds))

    def rank(waveform: Node) -> tuple[int, float]:
        leads = waveform.findall("LeadData")
        return len(leads), decimal(leads[0].word("LeadSampleCountTotal")) or 0.0 if leads else 0.0

    best = max(rhythms, key=rank)
    for waveform in waveforms:
        if waveform is not best:
            tolerated.append(f"the waveform {shown(waveform.word('WaveformType'), 30)} is left out")
    return best


def _rows(strip: Node, tolerated: list[str]) -> dict[str, NDArray[np.float64]]:
    """Rows in mV by lead, in the usual order: those that are stored, and of the limb leads those that follow."""
    channels = strip.findall("LeadData")
    if len(channels) > MAX_CHANNELS:
        raise IngestError(
            "malformed", "there are too many leads", f"at most {MAX_CHANNELS}", str(len(channels))
        )
    steps: dict[str, NDArray[np.float64]] = {}
    step_mv: dict[str, float] = {}
    for index, channel in enumerate(channels):
        lead = lead_of_name(channel.word("LeadID"))
        if lead is None or lead in steps:
            tolerated.append(f"channel {index + 1} is no lead known here, or comes twice; left out")
            continue
        steps[lead] = _steps(channel, lead, tolerated)
        step_mv[lead] = _step_mv(channel, lead)
    _derive(steps, step_mv)
    order = [lead for lead in STANDARD_12 if lead in steps] + [
        lead for lead in steps if lead not in STANDARD_12
    ]
    return {lead: steps[lead] * step_mv[lead] for lead in order}


def _derive(steps: dict[str, NDArray[np.float64]], step_mv: dict[str, float]) -> None:
    """Put the limb leads in that follow from I and II. Halves of a step are exact in double precision."""
    if (
        not {"I", "II"} <= steps.keys()
        or step_mv["I"] != step_mv["II"]
        or len(steps["I"]) != len(steps["II"])
    ):
        return
    one, two = steps["I"], steps["II"]
    derived = {"III": two - one, "aVR": (one + two) / -2, "aVL": one - two / 2, "aVF": two - one / 2}
    for lead, row in derived.items():
        if lead not in steps:
            # The sum above gives −0 where both are 0; it prints oddly and means nothing.
            steps[lead] = row + 0.0
            step_mv[lead] = step_mv["I"]


def _steps(channel: Node, lead: str, tolerated: list[str]) -> NDArray[np.float64]:
    """Stored integers of one lead, NaN where there is none."""
    size = channel.word("LeadSampleSize") or str(_SAMPLE_BYTES)
    if decimal(size) != _SAMPLE_BYTES:
        raise IngestError("unsupported", f"the sample size of {lead} is not read", "2 bytes", shown(size, 20))
    text = re.sub(r"\s+", "", channel.word("WaveFormData"))
    try:
        body = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise IngestError("malformed", f"lead {lead} is not in base64", "base64", "other text") from error
    announced = decimal(channel.word("LeadByteCountTotal"))
    if announced is not None and len(body) < announced:
        raise IngestError("truncated", f"lead {lead} is too short", f"{announced:g} bytes", str(len(body)))
    _check_crc(channel, body, lead, tolerated)
    count = len(body) // _SAMPLE_BYTES
    raw = np.frombuffer(body, dtype="<i2", count=count).astype(np.float64)
    for name in _UNEXPLAINED:
        if decimal(channel.word(name) or "0") != 0:
            tolerated.append(f"lead {lead} has a {name}, which is not applied")
    if channel.word("LeadOff").upper() == "TRUE":
        tolerated.append(f"the device says that the electrode of lead {lead} is off")
    values = counted(raw, channel.word("LeadSampleCountTotal"), lead, tolerated)
    return without_missing(values, lead, tolerated)


def _check_crc(channel: Node, body: bytes, lead: str, tolerated: list[str]) -> None:
    """CRC-32 of the bytes of the samples; 0 stands for none."""
    crc = decimal(channel.word("LeadDataCRC32"))
    if crc and crc % 2**32 != zlib.crc32(body):
        tolerated.append(f"the checksum of lead {lead} does not match its samples")


def _step_mv(channel: Node, lead: str) -> float:
    per_bit, unit = (
        decimal(channel.word("LeadAmplitudeUnitsPerBit")),
        channel.word("LeadAmplitudeUnits").upper(),
    )
    mv_per_unit = MV_PER_UNIT.get(_UNITS.get(unit, unit).lower())
    if mv_per_unit is None:
        raise IngestError(
            "unsupported", f"the unit of lead {lead} is not read", " ".join(_UNITS), shown(unit, 20)
        )
    if not per_bit:
        raise IngestError("malformed", f"lead {lead} has no amplitude of a step", "units per bit", "none")
    return per_bit * mv_per_unit


def _time(day: str, clock: str, tolerated: list[str]) -> datetime | None:
    """MUSE writes MM-DD-YYYY; some exports YYYY-MM-DD. Never with a zone."""
    american = re.fullmatch(r"(\d{1,2})[-/](\d{1,2})[-/](\d{4})", day, re.ASCII)
    if american is not None:
        day = f"{american[3]}{american[1]:0>2}{american[2]:0>2}"
    parts = re.fullmatch(r"(\d{1,2}):(\d{2})(?::(\d{2}))?", clock, re.ASCII)
    clock = f"{parts[1]:0>2}{parts[2]}{parts[3] or '00'}" if parts is not None else clock
    if not day or not clock:
        return None
    return moment(day.replace("-", "").replace("/", "") + clock, "the acquisition's date and time", tolerated)


def _age(patient: Node, acquired: datetime | None, tolerated: list[str]) -> float | None:
    age_years, note = plausible_age(years(patient.word("PatientAge"), patient.word("AgeUnits")))
    tolerated += [note] if note else []
    if age_years is not None or patient.word("PatientAge"):
        return age_years
    return age_between(_time(patient.word("DateofBirth"), "00:00", []), acquired)


def _statements(root: Node, tolerated: list[str]) -> tuple[str, ...]:
    """The machine's own diagnosis; the other one may have been edited by a person."""
    machine, edited = _lines(root.find("OriginalDiagnosis")), _lines(root.find("Diagnosis"))
    if machine and edited != machine:
        tolerated.append("the diagnosis as it was edited differs from the device's; left out")
    return statements_of(machine or edited)


def _lines(diagnosis: Node | None) -> list[str]:
    """Pieces up to one that is marked as the end of its line make one statement."""
    lines: list[str] = []
    pieces: list[str] = []
    for statement in diagnosis.findall("DiagnosisStatement") if diagnosis is not None else ():
        pieces.append(statement.word("StmtText"))
        if any(flag.text.strip() == "ENDSLINE" for flag in statement.findall("StmtFlag")):
            lines.append(" ".join(piece for piece in pieces if piece))
            pieces = []
    return [line for line in [*lines, " ".join(pieces)] if line]
