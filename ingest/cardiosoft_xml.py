"""GE CardioSoft and CASE ECGs in XML (``CardiologyXML``)."""

from datetime import datetime
from typing import Final

import numpy as np
from numpy.typing import NDArray

from greenchannel.ingest.bounds import MAX_CHANNELS
from greenchannel.ingest.errors import IngestError, shown
from greenchannel.ingest.lead_names import lead_of_name
from greenchannel.ingest.number_lists import sample_values
from greenchannel.ingest.parsed import ParsedEcg, age_between, plausible_age, sex_of
from greenchannel.ingest.xml_fields import (
    counted,
    decimal,
    filters_of,
    identifiers_of,
    moment,
    recording_of,
    statements_of,
    years,
)
from greenchannel.ingest.xml_safe import Node, parse_xml, root_name

_ROOT: Final = "CardiologyXML"
# What else holds samples: averaged beats, their loops, and everything since the electrodes were put on.
_LEFT_OUT: Final = ("MedianSamples", "VectorLoops", "FullDisclosure")


def looks_like_cardiosoft_xml(data: bytes) -> bool:
    """Whether the root element is ``CardiologyXML``."""
    return root_name(data) == _ROOT


def read_cardiosoft_xml(data: bytes) -> ParsedEcg:
    """Make one ECG of a CardioSoft file: its strip of all leads.

    Raises
    ------
    IngestError
        ``malformed``, ``unsupported``, ``truncated``, ``too_large`` or ``empty_body``.
    """
    tolerated: list[str] = []
    root = parse_xml(data, tolerated)
    if root.name != _ROOT:
        raise IngestError("malformed", "the XML is no CardioSoft ECG", _ROOT, shown(root.name))
    strips = list(root.iter("StripData"))
    if not strips:
        kind = root.word("ObservationType")
        raise IngestError("unsupported", "the file has no rhythm strip", "StripData", shown(kind, 40))
    strip = max(strips, key=lambda one: len(one.findall("WaveformData")))
    if len(strips) > 1:
        tolerated.append(f"of {len(strips)} strips one is taken")
    for name in _LEFT_OUT:
        if next(root.iter(name), None) is not None:
            tolerated.append(f"{name} is left out")
    filters = _filters(root.find("FilterSetting") or Node("", {}))
    patient = root.find("PatientInfo") or Node("", {})
    acquired = _time(root.find("ObservationDateTime"), "the observation's date and time", tolerated)
    return ParsedEcg(
        recording=recording_of(
            _rows(strip, tolerated),
            rate_hz=decimal(strip.word("SampleRate")),
            acquired=acquired,
            filters=filters,
            tolerated=tolerated,
        ),
        format="cardiosoft_xml",
        age_years=_age(patient, acquired, tolerated),
        sex=sex_of(patient.word("Gender")),
        acquired=acquired,
        identifiers=identifiers_of(
            (patient.word("Name/FamilyName"), patient.word("Name/GivenName")), patient.word("PID")
        ),
        device_statements=statements_of(
            [text.text for text in root.findall("Interpretation/Diagnosis/DiagnosisText")]
        ),
        filters=filters,
        tolerated=tuple(tolerated),
    )


def _rows(strip: Node, tolerated: list[str]) -> dict[str, NDArray[np.float64]]:
    resolution = strip.find("Resolution") or Node("", {})
    uv_per_step = decimal(resolution.text)
    unit = resolution.attributes.get("units", "uVperLsb")
    if unit.lower() != "uvperlsb":
        raise IngestError("unsupported", "the unit of the samples is not read", "uVperLsb", shown(unit, 20))
    if not uv_per_step:
        raise IngestError("malformed", "the amplitude of a step is not given", "a Resolution", "none")
    channels = strip.findall("WaveformData")
    if len(channels) > MAX_CHANNELS:
        raise IngestError(
            "malformed", "there are too many leads", f"at most {MAX_CHANNELS}", str(len(channels))
        )
    rows: dict[str, NDArray[np.float64]] = {}
    for index, channel in enumerate(channels):
        lead = lead_of_name(channel.attributes.get("lead", ""))
        if lead is None or lead in rows:
            tolerated.append(f"channel {index + 1} is no lead known here, or comes twice; left out")
            continue
        values = sample_values(channel.text, lead, commas=True)
        values = counted(values, strip.word("ChannelSampleCountTotal"), lead, tolerated)
        rows[lead] = values * (uv_per_step * 1e-3)
    return rows


def _filters(said: Node) -> dict[str, float]:
    notch_hz = next((hz for hz in (50.0, 60.0) if said.word(f"Filter{hz:.0f}Hz").lower() == "yes"), None)
    return filters_of(decimal(said.word("HighPass")), decimal(said.word("LowPass")), notch_hz)


def _time(said: Node | None, what: str, tolerated: list[str]) -> datetime | None:
    """Year, month, day and the clock as elements of their own; the clock may be missing."""
    if said is None or not said.word("Year"):
        return None
    clock = "".join(said.word(name).zfill(2) for name in ("Hour", "Minute", "Second"))
    day = said.word("Year").zfill(4) + said.word("Month").zfill(2) + said.word("Day").zfill(2)
    return moment(day + clock, what, tolerated)


def _age(patient: Node, acquired: datetime | None, tolerated: list[str]) -> float | None:
    age = patient.find("Age")
    if age is not None and age.text.strip():
        age_years, note = plausible_age(years(age.text.strip(), age.attributes.get("units", "")))
        tolerated += [note] if note else []
        return age_years
    return age_between(_time(patient.find("BirthDateTime"), "the day of birth", tolerated), acquired)
