"""A recording as a FHIR R4 Observation with SampledData, one component a lead."""

from datetime import datetime
from typing import Any, Final

import msgspec
import numpy as np

from greenchannel.ingest.fhir_observation import LOINC_AGE
from greenchannel.ingest.mdc_leads import mdc_of_lead
from greenchannel.ingest.parsed import Sex
from greenchannel.ingest.scaling import MISSING, mv_to_int16
from greenchannel.ingest.texts import one_line
from greenchannel.signal.recording import Recording

LOINC: Final = "http://loinc.org"
MDC: Final = "urn:iso:std:iso:11073:10101"
UCUM: Final = "http://unitsofmeasure.org"
ECG_CODE: Final = {"coding": [{"system": LOINC, "code": "11524-6", "display": "EKG study"}]}  # [K]
_UV_PER_MV: Final = 1000.0


def write_fhir(
    recording: Recording,
    *,
    acquired: datetime | None,
    age_years: float | None,
    sex: Sex | None,
    patient_id: str | None = None,
    name: str | None = None,
    statements: tuple[str, ...] = (),
    lsb_mv: float = 0.0025,
) -> bytes:
    """JSON of one Observation; samples that are whole steps of `lsb_mv` read back unchanged, NaN as ``E``.

    The patient stands in it as a contained resource with name, number and sex; the age is a component, since a birth
    date is not known. FHIR has no time without a zone: of such a one only the date is written.

    Parameters
    ----------
    acquired
        Start of the acquisition; the recording's own `started_at` is used where it is None.
    statements
        What the device that recorded it says, as notes.
    lsb_mv
        One step, in mV.

    Raises
    ------
    ValueError
        For samples beyond 16 bits at this step.
    """
    patient: dict[str, Any] = {"resourceType": "Patient", "id": "patient"}
    if patient_id:
        patient["identifier"] = [{"value": one_line(patient_id)}]
    if name:
        patient["name"] = [{"text": one_line(name)}]
    if sex is not None:
        patient["gender"] = sex
    observation = ecg_observation(
        recording,
        subject="#patient",
        acquired=acquired if acquired is not None else recording.started_at,
        age_years=age_years,
        statements=statements,
        lsb_mv=lsb_mv,
    )
    return msgspec.json.encode(observation | {"contained": [patient]})


def ecg_observation(
    recording: Recording,
    *,
    subject: str,
    acquired: datetime | None,
    age_years: float | None,
    statements: tuple[str, ...] = (),
    lsb_mv: float = 0.0025,
) -> dict[str, Any]:
    """The Observation as values, of a patient who is described elsewhere.

    Parameters
    ----------
    subject
        Reference to the Patient.
    acquired
        Start of the acquisition; None where nobody knows it. The rest is as in `write_fhir`.
    """
    steps = mv_to_int16(recording.samples_mv, lsb_mv)
    observation: dict[str, Any] = {
        "resourceType": "Observation",
        "status": "final",
        "code": ECG_CODE,
        "subject": {"reference": subject},
    }
    if acquired is not None:
        zoned = acquired.utcoffset() is not None
        observation["effectiveDateTime"] = acquired.isoformat() if zoned else acquired.date().isoformat()
    if any(text.strip() for text in statements):
        observation["note"] = [{"text": text} for text in statements if text.strip()]
    if recording.electrode_set != "standard":
        observation["method"] = {"text": recording.electrode_set}
    observation["component"] = [
        _component(lead, row, lsb_mv, recording.rate_hz)
        for lead, row in zip(recording.leads, steps, strict=True)
    ]
    if age_years is not None:
        observation["component"].append(
            {
                "code": {"coding": [{"system": LOINC, "code": LOINC_AGE, "display": "Age"}]},
                "valueQuantity": {"value": age_years, "unit": "a", "system": UCUM, "code": "a"},
            }
        )
    return observation


def _component(
    lead: str, row: "np.ndarray[Any, np.dtype[np.int16]]", lsb_mv: float, rate_hz: float
) -> dict[str, Any]:
    code, name = mdc_of_lead(lead)
    words = np.where(row == MISSING, "E", row.astype(str))
    return {
        "code": {"coding": [{"system": MDC, "code": code, "display": name}], "text": lead},
        "valueSampledData": {
            "origin": {"value": 0, "unit": "uV", "system": UCUM, "code": "uV"},
            "period": 1000.0 / rate_hz,
            "factor": lsb_mv * _UV_PER_MV,
            "dimensions": 1,
            "data": " ".join(words.tolist()),
        },
    }
