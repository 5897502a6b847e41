"""Schiller ECGs in XML (``com.xiriuz.sema.xml.schillerEDI.SchillerEDI``), as SEMA and the carts export them."""

from datetime import datetime
from typing import Final

import numpy as np
from numpy.typing import NDArray

from greenchannel.ingest.bounds import MAX_CHANNELS
from greenchannel.ingest.errors import IngestError, shown
from greenchannel.ingest.lead_names import lead_of_name
from greenchannel.ingest.number_lists import sample_values
from greenchannel.ingest.parsed import ParsedEcg, age_between, sex_of
from greenchannel.ingest.scaling import MV_PER_UNIT
from greenchannel.ingest.xml_fields import (
    counted,
    decimal,
    filters_of,
    identifiers_of,
    moment,
    recording_of,
    statements_of,
)
from greenchannel.ingest.xml_safe import Node, parse_xml, root_name

_ROOT_END: Final = "SchillerEDI"
_FILTERS: Final = {"low_hz": "HIGHPASS_CUTOFF_FREQ", "high_hz": "LOWPASS_CUTOFF_FREQ", "notch_hz": "MAINS"}


def looks_like_schiller_xml(data: bytes) -> bool:
    """Whether the name of the root element ends in ``SchillerEDI``."""
    return (root_name(data) or "").endswith(_ROOT_END)


def read_schiller_xml(data: bytes) -> ParsedEcg:
    """Make one ECG of a Schiller file: its rhythm strip.

    Raises
    ------
    IngestError
        ``malformed``, ``unsupported``, ``truncated``, ``too_large`` or ``empty_body``.
    """
    tolerated: list[str] = []
    root = parse_xml(data, tolerated)
    if not root.name.endswith(_ROOT_END):
        raise IngestError("malformed", "the XML is no Schiller ECG", _ROOT_END, shown(root.name))
    event, strip = _strip(root, tolerated)
    rate = strip.find("resolution/samplerate") or Node("", {})
    exponent = decimal(rate.word("exponent") or "1")
    # The one exponent at hand is 1, with 500 for 500 Hz; what others mean is not published.
    if exponent not in (0, 1):
        raise IngestError("unsupported", "the form of the rate is not read", "exponent 1", f"{exponent}")
    filters = _filters(event)
    patient = root.find("patdata") or Node("", {})
    acquired = _acquired(root, tolerated)
    born = moment(patient.word("birthdate").replace("-", "")[:8], "the day of birth", tolerated)
    return ParsedEcg(
        recording=recording_of(
            _rows(strip, tolerated),
            rate_hz=decimal(rate.word("value")),
            acquired=acquired,
            filters=filters,
            tolerated=tolerated,
        ),
        format="schiller_xml",
        age_years=age_between(born, acquired),
        sex=sex_of(patient.word("gender")),
        acquired=acquired,
        acquired_has_zone=acquired is not None and acquired.utcoffset() is not None,
        identifiers=identifiers_of((patient.word("lastname"), patient.word("firstname")), patient.word("id")),
        device_statements=_statements(event),
        filters=filters,
        tolerated=tuple(tolerated),
    )


def _strip(root: Node, tolerated: list[str]) -> tuple[Node, Node]:
    """The rhythm strip with most leads, and the event that holds it; all other wave data is noted."""
    every = [(event, wave) for event in root.findall("eventdata/event") for wave in event.findall("wavedata")]
    rhythms = [pair for pair in every if pair[1].word("type").upper().startswith("ECG_RHYTHM")]
    if not rhythms:
        kinds = " ".join(wave.word("type") for _, wave in every)
        raise IngestError("malformed", "the file has no rhythm strip", "wave data ECG_RHYTHMS", shown(kinds))
    best = max(rhythms, key=lambda pair: len(pair[1].findall("channel")))
    for _, wave in every:
        if wave is not best[1]:
            tolerated.append(f"the wave data {shown(wave.word('type'), 30)} is left out")
    return best


def _rows(strip: Node, tolerated: list[str]) -> dict[str, NDArray[np.float64]]:
    channels = strip.findall("channel")
    if len(channels) > MAX_CHANNELS:
        raise IngestError(
            "malformed", "there are too many leads", f"at most {MAX_CHANNELS}", str(len(channels))
        )
    per_bit, unit = (
        decimal(strip.word("resolution/yres/unitperbit")),
        strip.word("resolution/yres/units").lower(),
    )
    if unit not in MV_PER_UNIT:
        raise IngestError("unsupported", "the unit of the samples is not read", "UV or MV", shown(unit, 20))
    if not per_bit:
        raise IngestError("malformed", "the amplitude of a step is not given", "units per bit", "none")
    rows: dict[str, NDArray[np.float64]] = {}
    for index, channel in enumerate(channels):
        lead = lead_of_name(channel.word("name"))
        if lead is None or lead in rows:
            tolerated.append(f"channel {index + 1} is no lead known here, or comes twice; left out")
            continue
        kind = channel.word("datastype").upper()
        if kind != "COMMASEPARATE":
            raise IngestError(
                "unsupported", f"the data of lead {lead} is not read", "COMMASEPARATE", shown(kind, 20)
            )
        values = sample_values(channel.word("data"), lead, commas=True)
        rows[lead] = counted(values, channel.word("samplecount"), lead, tolerated) * (
            per_bit * MV_PER_UNIT[unit]
        )
    return rows


def _filters(event: Node) -> dict[str, float]:
    """The filters of the stored samples (``filters_data``); those of screen and paper are others."""
    said = {one.word("name"): decimal(one.word("value")) for one in event.findall("filters_data/filter")}
    return filters_of(*(said.get(name) for name in _FILTERS.values()))


def _acquired(root: Node, tolerated: list[str]) -> datetime | None:
    """Date YYYYMMDD and time HHMMSSmmm."""
    start = root.find("examdescript/startdatetime") or Node("", {})
    day, clock = start.word("date").replace("-", ""), start.word("time").replace(":", "")
    if not day or not clock:
        return None
    fraction = "." + clock[6:].lstrip(".") if len(clock) > 6 else ""
    return moment(day + clock[:6] + fraction, "the start's date and time", tolerated)


def _statements(event: Node) -> tuple[str, ...]:
    """Every text of the interpretation, whatever its element is called; parameters of the program are none."""
    texts: list[str] = []
    for block in event.findall("textdata"):
        waiting = [child for child in block.children if child.name not in ("type", "datatype", "datastype")]
        while waiting:
            node = waiting.pop(0)
            if node.name != "parameters":
                texts += node.text.splitlines()
                waiting = node.children + waiting
    return statements_of(texts)
