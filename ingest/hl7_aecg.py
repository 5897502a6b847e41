"""HL7 version 3 annotated ECGs (aECG, PORT_MT020001)."""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

import numpy as np
from numpy.typing import NDArray

from greenchannel.ingest.aecg_series import Sequences, on_one_axis
from greenchannel.ingest.bounds import MAX_CHANNELS
from greenchannel.ingest.errors import IngestError, shown
from greenchannel.ingest.lead_names import lead_of_name
from greenchannel.ingest.number_lists import sample_values
from greenchannel.ingest.parsed import ParsedEcg, age_between, plausible_age, sex_of
from greenchannel.ingest.scaling import MV_PER_UNIT
from greenchannel.ingest.xml_fields import (
    decimal,
    filters_of,
    identifiers_of,
    moment,
    recording_of,
    statements_of,
    years,
)
from greenchannel.ingest.xml_safe import Node, parse_xml, root_name

_REPORTED_AGE: Final = "21612-7"
"""LOINC: Reported Age.  [S]"""

_FILTER: Final = "MDC_ECG_CTL_VBL_ATTR_FILTER_"
_SECONDS: Final = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "μs": 1e-6}
# The age in the file and that of its day of birth may differ by the birthday; more is a contradiction.
_AGE_SLACK_YEARS: Final = 1.0


def looks_like_hl7_aecg(data: bytes) -> bool:
    """Whether the root element is ``AnnotatedECG``."""
    return root_name(data) == "AnnotatedECG"


def read_hl7_aecg(data: bytes) -> ParsedEcg:
    """Make one ECG of an aECG file: its rhythm series, all sequence sets of it on one time axis.

    Raises
    ------
    IngestError
        ``malformed``, ``unsupported``, ``too_large`` or ``empty_body``.
    """
    tolerated: list[str] = []
    root = parse_xml(data, tolerated)
    if root.name != "AnnotatedECG":
        raise IngestError("malformed", "the XML is no annotated ECG", "AnnotatedECG", shown(root.name))
    series = _series(root, tolerated)
    parts = [_sequences(one, tolerated) for one in series.findall("component/sequenceSet")]
    axis = on_one_axis([part for part in parts if part.rows_mv], tolerated)
    filters = _filters(series)
    acquired = axis.start
    if acquired is None:
        acquired = _effective(series, tolerated) or _effective(root, tolerated)
    subject = root.find("componentOf/timepointEvent/componentOf/subjectAssignment/subject/trialSubject")
    subject = subject or next(root.iter("trialSubject"), None) or Node("", {})
    person = subject.find("subjectDemographicPerson") or Node("", {})
    return ParsedEcg(
        recording=recording_of(
            axis.rows_mv, rate_hz=axis.rate_hz, acquired=acquired, filters=filters, tolerated=tolerated
        ),
        format="hl7_aecg",
        age_years=_age(root, person, acquired, tolerated),
        sex=sex_of(_attribute(person, "administrativeGenderCode", "code")),
        acquired=acquired,
        acquired_has_zone=acquired is not None and acquired.utcoffset() is not None,
        identifiers=identifiers_of(_name(person), _attribute(subject, "id", "extension")),
        device_statements=_statements(root, tolerated),
        filters=filters,
        tolerated=tuple(tolerated),
    )


def _attribute(node: Node, path: str, name: str) -> str:
    found = node.find(path)
    return found.attributes.get(name, "").strip() if found is not None else ""


def _series(root: Node, tolerated: list[str]) -> Node:
    """The rhythm series with most leads; the other series, and the beats derived from them, are noted."""
    every = root.findall("component/series")

    def rank(series: Node) -> tuple[bool, int]:
        sequences = series.findall("component/sequenceSet/component/sequence")
        return _attribute(series, "code", "code") == "RHYTHM", len(sequences)

    if not every:
        raise IngestError("malformed", "the file has no series of samples", "component/series", "none")
    best = max(every, key=rank)
    code = _attribute(best, "code", "code")
    if code != "RHYTHM":
        if code == "REPRESENTATIVE_BEAT":
            raise IngestError(
                "unsupported", "the file holds averaged beats alone", "a series RHYTHM", shown(code)
            )
        tolerated.append(f"the series is called {shown(code, 30)}; taken for a rhythm")
    for series in every:
        if series is not best:
            tolerated.append(f"a series {shown(_attribute(series, 'code', 'code'), 30)} is left out")
    if best.find("derivation/derivedSeries") is not None:
        tolerated.append("the derived series (averaged beats) is left out")
    return best


def _sequences(sequence_set: Node, tolerated: list[str]) -> Sequences:
    """One sequence set: its time and its leads in mV."""
    part = Sequences()
    sequences = sequence_set.findall("component/sequence")
    if len(sequences) > 2 * MAX_CHANNELS:
        raise IngestError(
            "malformed", "there are too many sequences", f"at most {2 * MAX_CHANNELS}", str(len(sequences))
        )
    for sequence in sequences:
        code, value = _attribute(sequence, "code", "code"), sequence.find("value") or Node("", {})
        if code in ("TIME_ABSOLUTE", "TIME_RELATIVE"):
            _read_time(part, code, value, tolerated)
            continue
        lead = lead_of_name(code)
        if lead is None or lead in part.rows_mv:
            tolerated.append(
                f"the sequence {shown(code, 40)} is no lead known here, or comes twice; left out"
            )
            continue
        part.rows_mv[lead] = _row_mv(value, lead)
    return part


def _read_time(part: Sequences, code: str, value: Node, tolerated: list[str]) -> None:
    head = _attribute(value, "head", "value")
    if code == "TIME_ABSOLUTE":
        part.start = moment(head, "the time of the first sample", tolerated)
    else:
        unit = _attribute(value, "head", "unit") or "s"
        part.offset_s = (decimal(head) or 0.0) * _SECONDS.get(unit, 1.0)
    unit = _attribute(value, "increment", "unit") or "s"
    if unit not in _SECONDS:
        raise IngestError(
            "unsupported", "the unit of the time is not read", " ".join(_SECONDS), shown(unit, 20)
        )
    part.rate_hz = _rate_hz(_attribute(value, "increment", "value"), _SECONDS[unit])


def _rate_hz(text: str, second: float) -> float | None:
    """Samples per second of an increment that was rounded or cut for printing: a whole number where one fits."""
    increment = decimal(text)
    if increment is None or increment <= 0:
        return None
    digits = len(text.lower().partition("e")[0].partition(".")[2])
    rate_hz = 1.0 / (increment * second)
    slack = 10.0**-digits / increment if "e" not in text.lower() else 1e-9
    whole = round(rate_hz) if rate_hz < 1e6 else 0
    if whole and abs(whole - rate_hz) <= slack * rate_hz:
        return float(whole)
    return float(f"{rate_hz:.10g}")


def _row_mv(value: Node, lead: str) -> NDArray[np.float64]:
    """``origin + scale × digits``, each in its unit."""
    numbers = []
    for name in ("scale", "origin"):
        number, unit = decimal(_attribute(value, name, "value")), _attribute(value, name, "unit").lower()
        if number is None and name == "origin":
            number, unit = 0.0, unit or "uv"
        if unit not in MV_PER_UNIT:
            raise IngestError(
                "unsupported", f"the unit of lead {lead} is not read", "uV or mV", shown(unit, 20)
            )
        if not number and name == "scale":
            raise IngestError("malformed", f"lead {lead} has no amplitude of a step", "a scale", "none")
        numbers.append((number or 0.0) * MV_PER_UNIT[unit])
    digits = value.find("digits")
    values = sample_values(digits.text if digits is not None else "", lead, commas=False)
    with np.errstate(over="ignore"):
        return values * numbers[0] + numbers[1]


def _effective(node: Node, tolerated: list[str]) -> datetime | None:
    """The beginning of a period, or its centre where that is all that is said."""
    for path in ("effectiveTime/low", "effectiveTime/center", "effectiveTime"):
        said = _attribute(node, path, "value")
        if said:
            return moment(said, "the time of the ECG", tolerated)
    return None


def _filters(series: Node) -> dict[str, float]:
    said: dict[str, float] = {}
    for variable in series.findall("controlVariable/controlVariable"):
        kind = _attribute(variable, "code", "code").removeprefix(_FILTER)
        for part in variable.findall("component/controlVariable"):
            if _attribute(part, "code", "code") in (f"{_FILTER}CUTOFF_FREQ", f"{_FILTER}NOTCH_FREQ"):
                hertz = decimal(_attribute(part, "value", "value"))
                if hertz is not None and _attribute(part, "value", "unit").lower() == "hz":
                    said[kind] = hertz
    return filters_of(said.get("HIGH_PASS"), said.get("LOW_PASS"), said.get("NOTCH"))


def _name(person: Node) -> list[str]:
    name = person.find("name")
    if name is None:
        return []
    return [name.text, *(part.text for part in name.children)]


def _age(root: Node, person: Node, acquired: datetime | None, tolerated: list[str]) -> float | None:
    """The reported age, else that of the day of birth; noted where both are given and contradict each other."""
    born = moment(_attribute(person, "birthTime", "value"), "the day of birth", tolerated)
    by_birth = age_between(born, acquired)
    for observation in root.findall("controlVariable/relatedObservation"):
        if _attribute(observation, "code", "code") == _REPORTED_AGE:
            unit = {"a": "years", "mo": "m", "wk": "w"}.get(_attribute(observation, "value", "unit"), "")
            unit = unit or _attribute(observation, "value", "unit")
            age_years, note = plausible_age(years(_attribute(observation, "value", "value"), unit))
            tolerated += [note] if note else []
            if age_years is not None:
                if by_birth is not None and abs(by_birth - age_years) > _AGE_SLACK_YEARS:
                    tolerated.append(
                        f"the age is given as {age_years:g}, by the day of birth it is {by_birth:g}"
                    )
                return age_years
    return by_birth


def _statements(root: Node, tolerated: list[str]) -> tuple[str, ...]:
    """Rhythm and interpretation as annotated by a device; annotations by persons are noted."""
    texts: list[str] = []
    for annotations in root.iter("annotationSet"):
        found = list(_texts(annotations))
        author = annotations.find("author/assignedEntity/assignedAuthorType")
        person = author is not None and author.find("assignedPerson") is not None
        if found and person:
            tolerated.append("an interpretation by a person is left out")
        elif found:
            texts += found
    return statements_of(texts)


def _texts(annotations: Node) -> Iterator[str]:
    for annotation in annotations.iter("annotation"):
        code, value = _attribute(annotation, "code", "code"), annotation.find("value")
        if value is None or not code.startswith(("MDC_ECG_INTERPRETATION", "MDC_ECG_RHY")):
            continue
        yield (
            value.text.strip() or value.attributes.get("displayName", "") or value.attributes.get("code", "")
        )
