"""FHIR R4 Observation with SampledData, one component a lead; also inside of a Bundle. `docs/formats/fhir.md`."""

import contextlib
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from greenchannel.ingest.bounds import MAX_CHANNELS
from greenchannel.ingest.channels import (
    Channel,
    leads_of_labels,
    mv_per_unit,
    recording_of,
    scaled,
)
from greenchannel.ingest.errors import IngestError, shown
from greenchannel.ingest.mdc_leads import lead_of_mdc
from greenchannel.ingest.parsed import ParsedEcg, Sex, age_between, plausible_age, sex_of
from greenchannel.ingest.texts import numbers_of
from greenchannel.signal.recording import ELECTRODE_SETS

_SNIFFED_BYTES: Final = 1024
_MAX_BYTES: Final = 8 * 2**20
"""As objects JSON takes many times its length; this is some minutes of twelve leads."""
_MOST_NUMBERS: Final = 2_000_000
_NO_NUMBER: Final = frozenset({"E", "L", "U"})
LOINC_AGE: Final = "30525-0"
# R5 gives the interval with its unit (UCUM)
_MS: Final = {"ms": 1.0, "s": 1000.0, "us": 1e-3}
_MAX_STATEMENTS: Final = 100


def looks_like_fhir(data: bytes) -> bool:
    """Whether `data` is a JSON object that names a type of resource."""
    start = data[:_SNIFFED_BYTES].removeprefix(b"\xef\xbb\xbf").lstrip()
    return start.startswith(b"{") and b'"resourceType"' in data


def read_fhir(data: bytes) -> ParsedEcg:
    """Make one ECG of an Observation.

    Raises
    ------
    IngestError
        ``malformed`` (also for sampled data without a unit), ``unsupported``, ``truncated``, ``empty_body`` or
        ``too_large``.
    """
    if len(data) > _MAX_BYTES:
        raise IngestError("too_large", "the resource is too large", f"at most {_MAX_BYTES}", f"{len(data)}")
    try:
        resource = msgspec.json.decode(data.removeprefix(b"\xef\xbb\xbf"))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise IngestError(
            "malformed", "the JSON cannot be read", "a FHIR resource", str(error)[:80]
        ) from None
    observation, others = _observation(resource)
    tolerated: list[str] = []
    channels = _channels(observation, tolerated)
    method = str(_object(observation.get("method")).get("text", ""))
    acquired = _instant(observation, tolerated)
    age_years, sex, identifiers = _patient(observation, others, acquired)
    return ParsedEcg(
        recording=recording_of(
            channels,
            tolerated,
            started_at=acquired,
            electrode_set=method if method in ELECTRODE_SETS else "standard",
        ),
        format="fhir",
        age_years=age_years,
        sex=sex,
        acquired=acquired,
        acquired_has_zone=acquired is not None and acquired.utcoffset() is not None,
        identifiers=identifiers,
        device_statements=tuple(dict.fromkeys(_statements(observation)))[:_MAX_STATEMENTS],
        tolerated=tuple(dict.fromkeys(tolerated)),
    )


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _objects(value: Any) -> Iterator[dict[str, Any]]:
    return (each for each in value if isinstance(each, dict)) if isinstance(value, list) else iter(())


def _observation(resource: Any) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The Observation that holds samples, and the other resources beside or in it."""
    top = _object(resource)
    kind = top.get("resourceType")
    beside = (
        [_object(entry.get("resource")) for entry in _objects(top.get("entry"))]
        if kind == "Bundle"
        else [top]
    )
    with_samples = [
        each for each in beside if each.get("resourceType") == "Observation" and any(_sampled(each))
    ]
    if not with_samples:
        raise IngestError(
            "unsupported", "this FHIR resource is no ECG", "an Observation with SampledData", shown(kind, 40)
        )
    if len(with_samples) > 1:
        raise IngestError("unsupported", "there are several ECGs", "one Observation", f"{len(with_samples)}")
    one = with_samples[0]
    return one, [*_objects(one.get("contained")), *(each for each in beside if each is not one)]


def _sampled(observation: dict[str, Any]) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Each component with its sampled data; the Observation itself where it holds them."""
    for each in (observation, *_objects(observation.get("component"))):
        data = each.get("valueSampledData")
        if isinstance(data, dict):
            yield each, data


def _channels(observation: dict[str, Any], tolerated: list[str]) -> list[Channel]:
    parts = list(_sampled(observation))
    if len(parts) > MAX_CHANNELS:
        raise IngestError(
            "malformed", "there are too many components", f"at most {MAX_CHANNELS}", f"{len(parts)}"
        )
    found = leads_of_labels([_label(component) for component, _ in parts], tolerated)
    return [_channel(parts[index][1], lead, tolerated) for index, lead in found.items()]


def _label(component: dict[str, Any]) -> str:
    """The lead's name by a code, else by the words beside it."""
    code = _object(component.get("code"))
    codings = list(_objects(code.get("coding")))
    words = [str(code.get("text", "")), *(str(coding.get("display", "")) for coding in codings)]
    for word in (*(str(coding.get("code", "")) for coding in codings), *words):
        lead = lead_of_mdc(word)
        if lead is not None:
            return lead
    return next((word for word in words if word), "")


def _channel(data: dict[str, Any], lead: str, tolerated: list[str]) -> Channel:
    if data.get("dimensions", 1) != 1:
        raise IngestError("unsupported", f"{lead} has several dimensions", "1", shown(data["dimensions"], 20))
    text = data.get("data")
    if not isinstance(text, str) or not text.strip():
        raise IngestError("empty_body", f"lead {lead} has no data", "numbers and E, L or U", shown(text, 20))
    period_ms = _number(data, "period")
    if period_ms is None and _number(data, "interval") is not None:
        unit = str(data.get("intervalUnit", "ms"))
        period_ms = (_number(data, "interval") or 0.0) * _MS.get(unit, 0.0)
        tolerated.append("the interval has its unit, as in FHIR R5")
    if period_ms is None or not 0 < period_ms < 1e6:
        raise IngestError("malformed", f"lead {lead} has no period", "milliseconds above 0", f"{period_ms}")
    origin = _object(data.get("origin"))
    unit = str(origin.get("code") or origin.get("unit") or "")
    factor_mv = mv_per_unit(unit, lead)
    values = _values(text, lead)
    if np.isnan(values).any() and any(letter in text for letter in "LU"):
        tolerated.append("samples beyond the range of the device (L, U) are taken as none")
    step_mv, start_mv = (
        (_number(data, "factor", 1.0) or 0.0) * factor_mv,
        (_number(origin, "value") or 0.0) * factor_mv,
    )
    rate_hz = 1000.0 / period_ms
    whole = float(round(rate_hz))
    rate_hz = whole if abs(rate_hz - whole) < 1e-6 * rate_hz else rate_hz
    return Channel(lead, rate_hz, scaled(values, step_mv, start_mv, lead))


def _values(text: str, lead: str) -> NDArray[np.float64]:
    words = text.split(None, _MOST_NUMBERS)
    if len(words) > _MOST_NUMBERS:
        raise IngestError(
            "too_large", f"lead {lead} has too many samples", f"at most {_MOST_NUMBERS}", "more"
        )
    return numbers_of(words, _NO_NUMBER, f"the data of {lead}")


def _number(holder: dict[str, Any], name: str, default: float | None = None) -> float | None:
    value = holder.get(name, default)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e12:
        raise IngestError("malformed", f"{name} is no number", "a number", shown(value, 20))
    return float(value)


def _instant(observation: dict[str, Any], tolerated: list[str]) -> datetime | None:
    period = _object(observation.get("effectivePeriod"))
    text = observation.get("effectiveDateTime") or period.get("start") or observation.get("effectiveInstant")
    if text is None:
        return None
    try:
        # A date alone, or a year, is no start of a recording.
        if len(str(text)) < len("2026-01-01T00:00"):
            raise ValueError
        return datetime.fromisoformat(str(text))
    except ValueError:
        tolerated.append(f"the time {shown(text, 30)} is no instant; taken as unknown")
        return None


def _patient(
    observation: dict[str, Any], others: list[dict[str, Any]], acquired: datetime | None
) -> tuple[float | None, Sex | None, dict[str, str]]:
    subject = _object(observation.get("subject"))
    patient = next((each for each in others if each.get("resourceType") == "Patient"), {})
    names = next(_objects(patient.get("name")), {})
    given = names.get("given")
    parts = [str(names.get("family", "")), *(map(str, given) if isinstance(given, list) else ())]
    numbers = next(_objects(patient.get("identifier")), _object(subject.get("identifier")))
    named = {
        "name": str(
            names.get("text") or " ".join(part for part in parts if part) or subject.get("display") or ""
        ),
        "patient_id": str(numbers.get("value") or subject.get("reference") or "").removeprefix("Patient/"),
    }
    born = None
    with contextlib.suppress(ValueError):  # unknown, or a year alone
        born = datetime.combine(date.fromisoformat(str(patient.get("birthDate"))), datetime.min.time())
    age_years = _age(observation)
    return (
        age_between(born, acquired) if age_years is None else age_years,
        sex_of(str(patient.get("gender", ""))),
        {key: value[:200] for key, value in named.items() if value and not value.startswith("#")},
    )


def _age(observation: dict[str, Any]) -> float | None:
    for component in _objects(observation.get("component")):
        codings = _objects(_object(component.get("code")).get("coding"))
        if any(coding.get("code") == LOINC_AGE for coding in codings):
            quantity = _object(component.get("valueQuantity"))
            if str(quantity.get("code", quantity.get("unit", "a"))) in ("a", "years", "year"):
                return plausible_age(str(quantity.get("value", "")))[0]
    return None


def _statements(observation: dict[str, Any]) -> Iterator[str]:
    for concept in _objects(observation.get("interpretation")):
        yield from (str(concept["text"]) for _ in (1,) if concept.get("text"))
    for note in _objects(observation.get("note")):
        yield from (str(note["text"]) for _ in (1,) if note.get("text"))
    if isinstance(observation.get("valueString"), str):
        yield observation["valueString"]
