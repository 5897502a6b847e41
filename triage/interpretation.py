"""From a recording to the object that `greenchannel analyze --json` prints."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from math import isfinite
from typing import Any, Final

import msgspec
import numpy as np

from greenchannel.signal.arrhythmia import Rhythm
from greenchannel.signal.correction import corrected
from greenchannel.signal.measure import measure, measure_batch
from greenchannel.signal.measurements import GlobalBeat, LeadBeat, LeadMeasurement, Measurements, MedianBeat
from greenchannel.signal.recording import Recording
from greenchannel.triage.electrode_sets import Beside, truly_named
from greenchannel.triage.finding import Earlier, Finding, Patient
from greenchannel.triage.reading import Reading, read
from greenchannel.triage.report import explain
from greenchannel.triage.rule_set import RULES, SEXES, RuleSet

Json = dict[str, Any]

_DIGITS: Final = 6
"""Digits kept after the point: a microsecond, a nanovolt. What is dropped is the rounding of 32-bit samples."""

_MEDIAN_DIGITS: Final = 4
"""Digits kept in drawn samples: 0.1 µV."""

_LEAD_FIELDS: Final = tuple(name for name in LeadMeasurement._fields if name != "usable")
_MEASURED: Final = ("heart_rate_bpm", "pr_ms", "qrs_ms", "qt_ms", "qtc_fridericia_ms", "axis_deg")
_MEASURED_TOO: Final = (
    "qtc_bazett_ms", "qtc_framingham_ms", "qtc_hodges_ms", "qtm_ms", "p_ms", "p_axis_deg", "t_axis_deg",
)  # fmt: skip


class Interpretation(msgspec.Struct, frozen=True, kw_only=True):
    """A recording with what was measured and what the rules say of it."""

    recording: Recording
    patient: Patient
    measurements: Measurements
    reading: Reading
    corrected: Measurements | None = (
        None  # with a suspected swap of electrodes undone; the original stands beside it
    )


def interpret(
    recording: Recording,
    patient: Patient,
    rules: RuleSet = RULES,
    *,
    earlier: Sequence[Earlier] = (),
    others: Mapping[str, Beside] | None = None,
) -> Interpretation:
    """Measure a recording and apply every rule to it.

    Parameters
    ----------
    recording
        With electrodes at other places than its lead names say, it is read by the true names (`truly_named`).
    patient
        None where unknown.
    rules
        The version of the rules.
    earlier, others
        What is known from other recordings; see `read`.
    """
    recording = truly_named(recording)
    return _interpreted(recording, patient, measure(recording), rules, earlier, others)


def interpret_batch(
    recordings: Sequence[Recording], patients: Sequence[Patient], rules: RuleSet = RULES
) -> list[Interpretation]:
    """Interpret many recordings, each with its patient; the same as `interpret` of each."""
    named = [truly_named(recording) for recording in recordings]
    measured = measure_batch(named)
    return [_interpreted(*one, rules) for one in zip(named, patients, measured, strict=True)]


def reread(found: Interpretation, rules: RuleSet) -> Interpretation:
    """The same recording by another version of the rules, without measuring it again."""
    reading = read(found.measurements, found.patient, rules, corrected=found.corrected)
    return msgspec.structs.replace(found, reading=reading)


def _interpreted(
    recording: Recording,
    patient: Patient,
    measurements: Measurements,
    rules: RuleSet,
    earlier: Sequence[Earlier] = (),
    others: Mapping[str, Beside] | None = None,
) -> Interpretation:
    undone = corrected(recording, measurements)
    other = None if undone is None else undone[1]
    return Interpretation(
        recording=recording,
        patient=patient,
        measurements=measurements,
        reading=read(measurements, patient, rules, earlier=earlier, corrected=other, others=others),
        corrected=other,
    )


def to_json(interpretation: Interpretation, *, source: str | None, sha256: str | None) -> Json:
    """The analyze object: plain values only, every key always there, unknown and non-finite numbers as None.

    Parameters
    ----------
    source
        The name the file was given by.
    sha256
        Hash of its bytes, in hexadecimal.
    """
    recording, measurements = interpretation.recording, interpretation.measurements
    patient, reading = interpretation.patient, interpretation.reading
    return {
        "source": source,
        "sha256": sha256,
        "leads": list(recording.leads),
        "rate_hz": _number(recording.rate_hz),
        "duration_s": _number(recording.duration_s),
        "patient": {
            "age_years": _number(patient.age_years),
            "sex": patient.sex if patient.sex in SEXES else None,
        },
        "tier": reading.tier.value,
        "findings": [finding_json(one) for one in reading.findings],
        "measurements": _measurements(measurements),
        "fiducials": _fiducials(measurements),
        "quality": {
            "acceptable": measurements.quality.acceptable,
            "bad_leads": list(measurements.quality.bad_leads),
            "reversal": measurements.quality.reversal,
            "messages": [
                {"code": one.code, "lead": one.lead, "en": one.en, "zh": one.zh} for one in reading.messages
            ],
            "st_reliable": measurements.quality.st_reliable,
        },
        "version": {"software": software_version(), "rules": reading.rules_version},
        "summary": {"en": reading.en, "zh": reading.zh},
        "advice": [{"id": one.id, "en": one.en, "zh": one.zh} for one in reading.advice],
        "median": _median(measurements.median, recording.leads),
        "corrected": None if interpretation.corrected is None else _corrected(interpretation),
        "rhythm": None if measurements.rhythm_detail is None else _rhythm(measurements.rhythm_detail),
    }


@cache
def software_version() -> str | None:
    """The installed version of this software; None when it runs without having been installed."""
    try:
        return version("greenchannel")
    except PackageNotFoundError:
        return None


def _number(value: float | None, digits: int = _DIGITS) -> float | int | None:
    if value is None or not isfinite(value):
        return None
    return value if isinstance(value, int) else round(float(value), digits)  # a bool is an int and stays one


def finding_json(finding: Finding) -> Json:
    """One finding as it stands in the analyze object."""
    explanation_en, explanation_zh = explain(finding)
    return {
        "id": finding.id,
        "tier": finding.tier.value,
        "en": finding.en,
        "zh": finding.zh,
        "territories": list(finding.territories),
        "evidence": [
            {
                "lead": one.lead,
                "quantity": one.quantity,
                "value": _number(one.value),
                "threshold": _number(one.threshold),
                "rule": one.rule,
                "relation": one.relation,
                "trace": one.trace,
            }
            for one in finding.evidence
        ],
        "downgraded_by": list(finding.downgraded_by),
        "restored_by": list(finding.restored_by),
        "explanation": {"en": explanation_en, "zh": explanation_zh},
    }


def _numbers(record: object, names: Iterable[str]) -> Json:
    return {name: _number(getattr(record, name)) for name in names}


def _measurements(measurements: Measurements) -> Json:
    leads = {
        lead: _numbers(values, _LEAD_FIELDS) | {"usable": values.usable}
        for lead, values in measurements.leads.items()
    }
    return {
        **_numbers(measurements, _MEASURED),
        "rhythm": measurements.rhythm,
        "leads": leads,
        **_numbers(measurements, _MEASURED_TOO),
    }


def _corrected(interpretation: Interpretation) -> Json:
    """What would have been measured with the suspected swap undone."""
    swap = interpretation.measurements.reversal_detail
    assert swap is not None and interpretation.corrected is not None  # the one rests on the other
    return {"swap": list(swap.swap), "measurements": _measurements(interpretation.corrected)}


def _rhythm(detail: Rhythm) -> Json:
    """The numbers behind the name of the rhythm; shares and correlations have no unit."""
    values = {one.name: getattr(detail, one.name) for one in fields(detail)}
    return {name: _number(value) if isinstance(value, float) else value for name, value in values.items()}


def _positions(beats: Sequence[GlobalBeat | LeadBeat], kind: type[GlobalBeat | LeadBeat]) -> list[Json]:
    """Records of positions only, in the order of the wire."""
    table = np.array([tuple(beat) for beat in beats], dtype=np.float64).reshape(-1, len(kind._fields))
    return [
        {name: value if isfinite(value) else None for name, value in zip(kind._fields, row, strict=True)}
        for row in np.round(table, _DIGITS).tolist()
    ]


def _fiducials(measurements: Measurements) -> Json:
    return {
        "r_s": [_number(position_s) for position_s in measurements.r_s],
        "beats": _positions(measurements.beats, GlobalBeat),
        "leads": {lead: _positions(beats, LeadBeat) for lead, beats in measurements.lead_beats.items()},
    }


def _median(median: MedianBeat | None, leads: tuple[str, ...]) -> Json | None:
    if median is None:
        return None
    rows = zip(leads, np.round(median.samples_mv.astype(np.float64), _MEDIAN_DIGITS).tolist(), strict=True)
    return {
        **_numbers(median, ("rate_hz", "qrs_on_s", "qrs_off_s")),
        "samples_mv": {lead: [sample if isfinite(sample) else None for sample in row] for lead, row in rows},
    }
