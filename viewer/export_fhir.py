"""One case as a FHIR R4 Bundle: the patient, the episode, ECGs with their samples, readings, times, facts, studies.

What is unknown is not there: a day without an hour is a date, a time that nobody gave is no resource, and the machine's
reading is preliminary and says so. Codes of our own have systems that begin with `SYSTEM`; everything else is LOINC,
MDC, UCUM, DICOM or HL7.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import NAMESPACE_OID, uuid5

from greenchannel.alerts.case import Case
from greenchannel.alerts.ecg_state import Ecg, SignedReading
from greenchannel.alerts.milestones import MilestoneValue, codes
from greenchannel.alerts.quality.record_of import may_be_true, was_set
from greenchannel.alerts.timeline import Entry, FactEntry, timeline
from greenchannel.clock import rfc3339
from greenchannel.events import ClockReading
from greenchannel.ingest.fhir_observation_write import ECG_CODE, ecg_observation
from greenchannel.ingest.writers import fitting_step, step_of
from greenchannel.service.imaging.records import ImageStudy
from greenchannel.signal.recording import Recording
from greenchannel.viewer.words import SHOWN_ZONE, Word

Json = dict[str, Any]

SYSTEM: Final = "urn:greenchannel:"
MEDIA: Final = "application/fhir+json"
_HL7: Final = "http://terminology.hl7.org/CodeSystem/"
_EMERGENCY: Final = {"system": f"{_HL7}v3-ActCode", "code": "EMER", "display": "emergency"}
_DRILL: Final = {"system": f"{_HL7}v3-ActReason", "code": "HTEST", "display": "test health data"}
_EXAM: Final = [{"coding": [{"system": f"{_HL7}observation-category", "code": "procedure"}]}]
_CARDIAC: Final = [{"coding": [{"system": f"{_HL7}v2-0074", "code": "EC"}]}]  # electrocardiac
_DICOM: Final = "http://dicom.nema.org/resources/ontology/DCM"
_NOT_REVIEWED: Final = "自动分析，未经医生审核 / automatic analysis, not reviewed by a doctor"


@dataclass(frozen=True, kw_only=True, slots=True)
class Told:
    """What a bundle is made of besides the case."""

    site: Word
    people: Mapping[str, str | None]  # names by id
    person: (
        Mapping[str, Any] | None
    )  # name and telephone; None where the reader may not know who the patient is
    recordings: Mapping[str, Recording]  # by ECG; one without is on paper, or holds no sample
    studies: Sequence[ImageStudy]


def bundle(case: Case, told: Told, made_at: datetime) -> Json:
    """A Bundle of type "collection"; the same case has the same references each time."""
    return {
        "resourceType": "Bundle",
        "identifier": _identifier("case", case.case_id),
        "type": "collection",
        "timestamp": rfc3339(made_at),
        "entry": [
            {"fullUrl": _url(case, kind, key), "resource": _marked(case, resource)}
            for kind, key, resource in _resources(case, told)
        ],
    }


def _resources(case: Case, told: Told) -> Iterator[tuple[str, str, Json]]:
    yield "patient", "", _patient(case, told)
    yield "encounter", "", _encounter(case, told)
    for ecg in case.distinct_ecgs:
        yield "ecg", ecg.ecg_id, _ecg(case, ecg, told.recordings.get(ecg.ecg_id))
        if ecg.final_tier is not None:
            yield "machine", ecg.ecg_id, _machine(case, ecg)
        for number, reading in enumerate(ecg.readings):
            yield "reading", str(reading.seq), _reading(case, ecg, reading, number, told)
    times = timeline(case)
    for entry in times.entries:
        if entry.valid is not None and may_be_true(entry.valid, case.opened_at):
            yield "time", f"{entry.spec.id} {entry.key or ''}", _time(case, entry, entry.valid)
    for fact in times.facts:
        if fact.valid is not None:
            yield "fact", fact.spec.id, _fact(case, fact)
    for study in told.studies:
        yield "study", study.study_uid, _study(case, study)


def _url(case: Case, kind: str, key: str) -> str:
    return f"urn:uuid:{uuid5(NAMESPACE_OID, f'greenchannel {case.case_id} {kind} {key}')}"


def _marked(case: Case, resource: Json) -> Json:
    """Practice says so in each part of it."""
    return resource | {"meta": {"tag": [_DRILL]}} if case.is_drill else resource


def _identifier(kind: str, value: str) -> Json:
    return {"system": SYSTEM + kind, "value": value}


def _of(case: Case) -> Json:
    """What every resource but the patient refers to."""
    return {
        "subject": {"reference": _url(case, "patient", "")},
        "encounter": {"reference": _url(case, "encounter", "")},
    }


def _patient(case: Case, told: Told) -> Json:
    made: Json = {
        "resourceType": "Patient",
        "identifier": [_identifier("patient", case.patient)],
        "gender": case.context.sex or "unknown",
    }
    person = told.person or {}
    if person.get("name"):
        made["name"] = [{"text": person["name"]}]
    if person.get("phone"):
        made["telecom"] = [{"system": "phone", "value": person["phone"]}]
    return made


def _encounter(case: Case, told: Told) -> Json:
    period = {"start": rfc3339(case.opened_at)}
    if case.closed_at is not None:
        period["end"] = rfc3339(case.closed_at)
    return {
        "resourceType": "Encounter",
        "identifier": [_identifier("case", case.case_id)],
        "status": "in-progress" if case.state == "open" else "finished",
        "class": _EMERGENCY,
        "subject": {"reference": _url(case, "patient", "")},
        "period": period,
        "serviceProvider": {
            "identifier": _identifier("site", case.site),
            "display": f"{told.site.zh} / {told.site.en}",
        },
    }


def _acquired(case: Case, ecg: Ecg) -> datetime | None:
    """When it was recorded; None where no clock told that, or one that was never set."""
    if ecg.acquired is None or not was_set(ecg.acquired, case.opened_at):
        return None
    return ecg.acquired.at


def _ecg(case: Case, ecg: Ecg, recording: Recording | None) -> Json:
    acquired = _acquired(case, ecg)
    made: Json = {"resourceType": "Observation", "status": "final", "code": ECG_CODE}
    if recording is not None:
        step_mv = step_of(recording)
        made = ecg_observation(
            recording,
            subject="",
            acquired=acquired,
            age_years=case.context.age_years,
            lsb_mv=fitting_step(recording) if step_mv is None else step_mv,
        )
    else:
        made["dataAbsentReason"] = {
            "coding": [{"system": f"{_HL7}data-absent-reason", "code": "unsupported"}],
            "text": ecg.not_analysed or "unknown",
        }
        if acquired is not None:
            made["effectiveDateTime"] = rfc3339(acquired)
    made |= _of(case) | {"identifier": [_identifier("ecg", ecg.ecg_id)], "category": _EXAM}
    if ecg.received_at is not None:
        made["issued"] = rfc3339(ecg.received_at)
    if ecg.device is not None:
        made["device"] = {"identifier": _identifier("device", ecg.device), "display": ecg.device}
    return made


def _report(case: Case, ecg: Ecg, at: datetime | None) -> Json:
    made: Json = {"resourceType": "DiagnosticReport", "category": _CARDIAC, "code": ECG_CODE, **_of(case)}
    if (acquired := _acquired(case, ecg)) is not None:
        made["effectiveDateTime"] = rfc3339(acquired)
    if at is not None:
        made["issued"] = rfc3339(at)
    return made | {"result": [{"reference": _url(case, "ecg", ecg.ecg_id)}]}


def _tier(tier: str) -> list[Json]:
    return [{"coding": [{"system": f"{SYSTEM}tier", "code": tier}]}]


def _machine(case: Case, ecg: Ecg) -> Json:
    """What the machine found, in both languages; nobody has looked at it."""
    assert ecg.final_tier is not None
    said = [f"{one['zh']} / {one['en']}" for one in ecg.final_findings if one.get("zh") and one.get("en")]
    return _report(case, ecg, ecg.analysed_at) | {
        "status": "preliminary",
        "performer": [{"display": f"greenchannel {ecg.software or ''}".strip()}],
        "conclusion": "\n".join([_NOT_REVIEWED, *said]),
        "conclusionCode": _tier(ecg.final_tier),
    }


def _reading(case: Case, ecg: Ecg, reading: SignedReading, number: int, told: Told) -> Json:
    """What a doctor signed; a later one of the same ECG amends the one before it."""
    lines = [reading.text]
    if reading.advice is not None:
        lines.append(f"处理建议 / advice: {reading.advice}")
    if reading.withdraws:
        lines.append("先前建议已撤回 / earlier advice is withdrawn")
    return _report(case, ecg, reading.at) | {
        "identifier": [_identifier("reading", f"{case.case_id}-{reading.seq}")],
        "status": "amended" if number else "final",
        "performer": [
            {
                "identifier": _identifier("person", reading.person),
                "display": told.people.get(reading.person) or reading.person,
            }
        ],
        "conclusion": "\n".join(lines),
        "conclusionCode": _tier(reading.tier),
    }


def _instant(time: ClockReading) -> str:
    """As exact as it was told: a day, or a part of one, is a date."""
    return rfc3339(time.at) if time.told is None else f"{time.at.astimezone(SHOWN_ZONE):%Y-%m-%d}"


def _observation(case: Case, kind: str, code: str, words: Word) -> Json:
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": {
            "coding": [{"system": SYSTEM + kind, "code": code, "display": words.en}],
            "text": f"{words.zh} / {words.en}",
        },
        **_of(case),
    }


def _time(case: Case, entry: Entry, value: MilestoneValue) -> Json:
    """The value of a milestone that stands, with its source; the others are counted in the note."""
    spec, time = entry.spec, value.time
    made = _observation(case, "milestone", spec.id, Word(spec.zh, spec.en))
    made |= {
        "status": "amended" if value.correction else "final",
        "effectiveDateTime": _instant(time),
        "valueDateTime": _instant(time),
        "issued": rfc3339(value.recorded_at),
        "performer": [{"display": value.source}],
    }
    notes = [f"clock: {time.clock}"]
    if time.told is not None:
        notes.append(f"told: {time.told}")
    notes.append(
        "uncertainty: unknown" if time.uncertainty_s is None else f"uncertainty: ±{time.uncertainty_s:g} s"
    )
    if len(entry.values) > 1:
        notes.append(f"values given in all: {len(entry.values)}")
    made["note"] = [{"text": "; ".join(notes)}]
    if entry.key is not None:
        made["method"] = {"text": entry.key}
    if value.code is not None:
        said = codes(spec.id).get(value.code)
        coding = {"system": f"{SYSTEM}milestone:{spec.id}", "code": value.code}
        if said is not None:  # else it is of another version, and its words are not known here
            coding["display"] = said.en
        made["component"] = [{"code": made["code"], "valueCodeableConcept": {"coding": [coding]}}]
    return made


def _fact(case: Case, entry: FactEntry) -> Json:
    assert entry.valid is not None
    made = _observation(case, "fact", entry.spec.id, Word(entry.spec.zh, entry.spec.en))
    return made | {
        "status": "amended" if entry.valid.correction else "final",
        "issued": rfc3339(entry.valid.recorded_at),
        "performer": [{"display": entry.valid.source}],
        "valueCodeableConcept": {
            "coding": [{"system": f"{SYSTEM}fact:{entry.spec.id}", "code": entry.valid.code}]
        },
    }


def _study(case: Case, study: ImageStudy) -> Json:
    made: Json = {
        "resourceType": "ImagingStudy",
        "identifier": [{"system": "urn:dicom:uid", "value": f"urn:oid:{study.study_uid}"}],
        "status": "available",
        "modality": [{"system": _DICOM, "code": one} for one in study.modalities],
        **_of(case),
        "numberOfInstances": study.instances,
    }
    if study.study_at is not None:
        made["started"] = rfc3339(study.study_at)
    return made
