"""FHIR Observations with SampledData: what is read, what is refused, what is written."""

import json
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import numpy as np
import pytest

from greenchannel.ingest.errors import IngestError
from greenchannel.ingest.fhir_observation import read_fhir
from greenchannel.ingest.fhir_observation_write import write_fhir
from greenchannel.ingest.mdc_leads import lead_of_mdc, mdc_of_lead
from greenchannel.ingest.reader import read_ecg
from greenchannel.signal.leads import ALL, STANDARD_12, STANDARD_18
from greenchannel.signal.recording import Recording

MDC = "urn:iso:std:iso:11073:10101"


def _component(code: str, data: str, **changes: Any) -> dict[str, Any]:
    sampled = {
        "origin": {"value": 100, "unit": "uV"},
        "period": 2,
        "factor": 2.5,
        "dimensions": 1,
        "data": data,
    }
    return {"code": {"coding": [{"system": MDC, "code": code}]}, "valueSampledData": sampled | changes}


def _observation(*components: dict[str, Any], **more: Any) -> bytes:
    return json.dumps({"resourceType": "Observation", "component": list(components)} | more).encode()


def _refused(data: bytes, code: str) -> IngestError:
    with pytest.raises(IngestError) as caught:
        read_ecg([(None, data)])
    assert caught.value.code == code
    return caught.value


def test_numbers_are_scaled_and_moved() -> None:
    """Origin + factor x number, in the origin's unit; E, L and U are no samples; the period gives the rate."""
    parsed = read_ecg(
        [("x.json", _observation(_component("131330", "0 -40 E 1e1"), _component("2:259", "L U 0 4")))]
    )
    np.testing.assert_array_equal(
        parsed.recording.samples_mv,
        np.array([[0.1, 0, np.nan, 0.125], [np.nan, np.nan, 0.1, 0.11]], np.float32),
    )
    assert (parsed.format, parsed.recording.leads, parsed.recording.rate_hz) == ("fhir", ("II", "V1"), 500.0)
    assert parsed.tolerated == ("samples beyond the range of the device (L, U) are taken as none",)


def test_patient_time_and_notes_are_read_from_a_bundle() -> None:
    """The Patient stands beside the Observation; the age follows from the birth date."""
    patient = {
        "resourceType": "Patient", "gender": "female", "birthDate": "1960-05-02",
        "identifier": [{"value": "P-7"}], "name": [{"family": "王", "given": ["力生"]}],
    }  # fmt: skip
    observation = json.loads(
        _observation(
            _component("131329", "0 1"),
            effectiveDateTime="2026-05-01T16:05:09+08:00",
            note=[{"text": "窦性心律"}],
            interpretation=[{"text": "normal ECG"}],
        )
    )
    bundle = {"resourceType": "Bundle", "entry": [{"resource": patient}, {"resource": observation}]}
    parsed = read_fhir(json.dumps(bundle).encode())
    assert (parsed.age_years, parsed.sex) == (65.0, "female")
    assert parsed.identifiers == {"name": "王 力生", "patient_id": "P-7"}
    assert parsed.acquired == datetime(2026, 5, 1, 8, 5, 9, tzinfo=UTC)
    assert parsed.acquired_has_zone
    assert parsed.recording.started_at == parsed.acquired
    assert parsed.device_statements == ("normal ECG", "窦性心律")


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (_observation(_component("131329", "0", origin={"value": 2048})), "malformed"),
        (_observation(_component("131329", "0", origin={"value": 0, "unit": "mmHg"})), "unsupported"),
        (_observation(_component("131329", "0", period=0)), "malformed"),
        (_observation(_component("131329", "0", period="2")), "malformed"),
        (_observation(_component("131329", "0", factor=0)), "malformed"),
        (_observation(_component("131329", "0", dimensions=2)), "unsupported"),
        (_observation(_component("131329", "0 x")), "malformed"),
        (_observation(_component("131329", " ")), "empty_body"),
        (_observation(_component("150456", "0")), "malformed"),
        (_observation(), "unsupported"),
        (b'{"resourceType": "Patient"}', "unsupported"),
        (b'{"resourceType": "Observation", ', "malformed"),
        (b'{"resourceType": ' + b"[" * 100_000, "malformed"),
    ],
)
def test_what_has_no_unit_no_rate_or_no_lead_is_refused(data: bytes, code: str) -> None:
    """The standard's own example gives no unit: its amplitude is anybody's guess, so it is refused."""
    assert _refused(data, code).expected


def test_every_lead_has_a_code_that_leads_back() -> None:
    """By number, by number in its partition, and by name."""
    for lead in ALL:
        number, name = mdc_of_lead(lead)
        assert lead_of_mdc(number) == lead_of_mdc(name) == lead
        assert lead_of_mdc(f"2:{int(number) - 131072}") == lead
    assert mdc_of_lead("III") == ("131389", "MDC_ECG_ELEC_POTL_III")


def _recording(leads: tuple[str, ...], **more: Any) -> Recording:
    steps = np.random.default_rng(5).integers(-900, 900, (len(leads), 60))
    samples_mv = (steps / 400).astype(np.float32)
    samples_mv[:, 5:9] = np.nan
    return Recording(samples_mv=samples_mv, leads=leads, rate_hz=500.0, gaps=((5, 9),), **more)


@pytest.mark.parametrize("leads", [STANDARD_12, STANDARD_18])
def test_what_is_written_comes_back(leads: tuple[str, ...]) -> None:
    """Leads, samples, gaps, electrode set, patient, instant and device statements."""
    start = datetime(2026, 5, 1, 16, 5, 0, 250000, tzinfo=timezone(timedelta(hours=8)))
    recording = _recording(leads, electrode_set="posterior_right")
    data = write_fhir(
        recording,
        acquired=start,
        age_years=61.5,
        sex="male",
        patient_id="p-1",
        name="王 力生",
        statements=("ST↑",),
    )
    parsed = read_ecg([(None, data)])
    np.testing.assert_array_equal(parsed.recording.samples_mv, recording.samples_mv)
    assert (parsed.recording.leads, parsed.recording.rate_hz, parsed.recording.gaps) == (
        leads,
        500.0,
        ((5, 9),),
    )
    assert parsed.recording.electrode_set == "posterior_right"
    assert (parsed.age_years, parsed.sex, parsed.acquired) == (61.5, "male", start)
    assert parsed.identifiers == {"name": "王 力生", "patient_id": "p-1"}
    assert parsed.device_statements == ("ST↑",)
    assert parsed.tolerated == ()


def test_a_time_without_a_zone_is_written_as_a_date() -> None:
    """FHIR has no such time, and a zone that nobody knows is not made up."""
    acquired = datetime(2026, 5, 1, 16, 5)  # noqa: DTZ001 - as a file has it
    written = json.loads(write_fhir(_recording(("II",)), acquired=acquired, age_years=None, sex=None))
    assert written["effectiveDateTime"] == date(2026, 5, 1).isoformat()
