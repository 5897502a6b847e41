"""The analyze object: its keys, its units, and that it is plain JSON."""

import json
import re
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np
import pytest

from greenchannel.signal.leads import STANDARD_12
from greenchannel.signal.measurements import GlobalBeat, LeadBeat, Measurements, MedianBeat, QualityMessage
from greenchannel.signal.recording import Recording
from greenchannel.signal.synthesis import synthesize
from greenchannel.triage.finding import Patient
from greenchannel.triage.interpretation import Interpretation, interpret, software_version, to_json
from greenchannel.triage.reading import read
from greenchannel.triage.rule_set import RULES
from tests.triage_measurements import measured

# The keys of each object on the wire, in their order.
TOP = "source sha256 leads rate_hz duration_s patient tier findings measurements fiducials quality version"
FINDING = "id tier en zh territories evidence downgraded_by restored_by"
EVIDENCE = "lead quantity value threshold rule"
MEASURED = "heart_rate_bpm pr_ms qrs_ms qt_ms qtc_fridericia_ms axis_deg rhythm leads"
LEAD = "stj_mv st20_mv st40_mv st60_mv st80_mv q_mv r_mv s_mv t_mv p_mv"
BEAT = "p_on_s p_off_s qrs_on_s qrs_off_s t_peak_s t_off_s"
LEAD_BEAT = "p_on_s p_peak_s p_off_s qrs_on_s qrs_off_s t_on_s t_peak_s t_off_s"

RECORDING = Recording(samples_mv=np.zeros((12, 5000), np.float32), leads=STANDARD_12, rate_hz=500.0)


def interpreted(measurements: Measurements, patient: Patient | None = None) -> Interpretation:
    """An interpretation of measurements made by hand."""
    patient = patient or Patient(age_years=61, sex="male")
    return Interpretation(
        recording=RECORDING,
        patient=patient,
        measurements=measurements,
        reading=read(measurements, patient),
    )


def wire(interpretation: Interpretation) -> dict[str, Any]:
    """The analyze object after a round trip through strict JSON."""
    made = to_json(interpretation, source="a.dcm", sha256="ab")
    read_back: dict[str, Any] = json.loads(json.dumps(made, allow_nan=False))
    assert read_back == made, "plain JSON values only"
    return made


def with_beats(measurements: Measurements) -> Measurements:
    """The same with one beat in which some positions were not found."""
    beat = GlobalBeat(p_on_s=None, p_off_s=None, qrs_on_s=0.56, qrs_off_s=0.66, t_peak_s=0.86, t_off_s=None)
    in_lead = LeadBeat(
        p_on_s=None, p_peak_s=0.45, p_off_s=0.5, qrs_on_s=0.56, qrs_off_s=0.65, t_on_s=None, t_peak_s=0.8,
        t_off_s=0.9,
    )  # fmt: skip
    names = {name: getattr(measurements, name) for name in Measurements.__dataclass_fields__}
    return Measurements(**names | {"beats": (beat,), "lead_beats": {"V2": (in_lead,)}})


def test_every_key_is_there_in_its_order() -> None:
    """The keys of the published object come first; further ones follow."""
    message = QualityMessage(code="wander", lead="V6", en="wanders", zh="漂移")
    made = wire(interpreted(with_beats(measured({"V2": 0.42, "V3": 0.4}, messages=(message,)))))
    assert list(made)[:12] == TOP.split()
    assert list(made["patient"]) == ["age_years", "sex"]
    assert list(made["findings"][0])[:8] == FINDING.split()
    assert list(made["findings"][0]["evidence"][0])[:5] == EVIDENCE.split()
    assert list(made["measurements"])[:8] == MEASURED.split()
    assert list(made["measurements"]["leads"]["V2"])[:10] == LEAD.split()
    assert made["measurements"]["leads"]["V2"]["usable"] is True
    assert list(made["fiducials"]) == ["r_s", "beats", "leads"]
    assert list(made["fiducials"]["beats"][0]) == BEAT.split()
    assert list(made["fiducials"]["leads"]["V2"][0]) == LEAD_BEAT.split()
    assert list(made["quality"])[:4] == ["acceptable", "bad_leads", "reversal", "messages"]
    assert made["quality"]["messages"] == [{"code": "wander", "lead": "V6", "en": "wanders", "zh": "漂移"}]
    assert made["version"] == {"software": software_version(), "rules": RULES.version}


def test_values_are_those_measured() -> None:
    """Tier, evidence and walls as the rules gave them; unknown stays null."""
    made = wire(interpreted(measured({"V2": float(np.float32(0.31)), "V3": 0.4})))
    assert (made["source"], made["sha256"], made["rate_hz"], made["duration_s"]) == (
        "a.dcm",
        "ab",
        500.0,
        10.0,
    )
    assert made["patient"] == {"age_years": 61, "sex": "male"}
    assert (made["tier"], made["findings"][0]["territories"]) == ("ACT", ["anteroseptal"])
    assert made["findings"][0]["evidence"][0] == {
        "lead": "V2", "quantity": "stj_mv", "value": 0.31, "threshold": 0.2, "rule": "STE-1", "relation": ">=",
        "trace": None,
    }  # fmt: skip
    assert made["measurements"]["pr_ms"] is None
    assert made["fiducials"]["r_s"] == [0.6, 1.4]
    assert made["median"] is None


def test_the_unknown_is_null() -> None:
    """No source, an age and levels that are no number, a word that is no sex."""
    made = to_json(
        interpreted(
            measured({"V2": float("nan"), "V3": float("inf")}, r_s=()),
            Patient(age_years=float("nan"), sex="O"),
        ),
        source=None,
        sha256=None,
    )
    json.dumps(made, allow_nan=False)
    assert (made["source"], made["sha256"]) == (None, None)
    assert made["patient"] == {"age_years": None, "sex": None}
    assert made["measurements"]["leads"]["V2"]["stj_mv"] is None
    assert made["measurements"]["leads"]["V3"]["stj_mv"] is None
    assert made["tier"] == "REC"
    assert "不能排除" in made["summary"]["zh"]


def test_the_median_beat_is_there_for_drawing() -> None:
    """One rounded row for each lead by name, with its borders."""
    median = MedianBeat(
        rate_hz=500.0,
        samples_mv=np.array([(0.123456, float("nan"))] * 12, dtype=np.float32),
        qrs_on_s=0.1,
        qrs_off_s=0.2,
    )
    made = wire(interpreted(measured(median=median)))
    assert list(made["median"]) == ["rate_hz", "qrs_on_s", "qrs_off_s", "samples_mv"]
    assert made["median"]["samples_mv"]["V6"] == [0.1235, None]
    assert list(made["median"]["samples_mv"]) == list(STANDARD_12)


def test_the_software_version_is_that_of_the_installation() -> None:
    """Nothing is written by hand; without an installation it is unknown."""
    try:
        expected = version("greenchannel")
    except PackageNotFoundError:
        assert software_version() is None
    else:
        assert software_version() == expected
        assert re.match(r"\d+\.\d+", expected)


@pytest.mark.parametrize("level_mv", [0.0, 0.7])
def test_a_recording_without_a_heartbeat_asks_for_a_new_one(level_mv: float) -> None:
    """From samples to the object: flat leads give REC, never NONE."""
    flat = Recording(samples_mv=np.full((12, 5000), level_mv, np.float32), leads=STANDARD_12, rate_hz=500.0)
    made = wire(interpret(flat, Patient()))
    assert made["tier"] == "REC"
    assert made["quality"]["acceptable"] is False


def test_from_samples_to_the_golden_sentence() -> None:
    """A simulated extensive anterior and high lateral infarction, with V3 off: named, ACT, and V3 no evidence."""
    strip = synthesize(scenario="extensive_anterior_high_lateral_stemi", dead_leads=("V3",))
    made = wire(interpret(strip, Patient(age_years=61, sex="male")))
    found = made["findings"][0]
    assert (made["tier"], found["territories"]) == ("ACT", ["extensive_anterior", "high_lateral"])
    assert "广泛前壁、高侧壁" in found["zh"]
    assert "V3" not in {one["lead"] for one in found["evidence"]}
    assert made["quality"]["bad_leads"] == ["V3"]
    assert made["measurements"]["leads"]["V3"]["usable"] is False
    assert set(made["median"]["samples_mv"]) == set(STANDARD_12)


def test_a_simulated_heart_without_elevation_fires_nothing() -> None:
    """A plain strip: NONE, in the words that promise nothing."""
    made = wire(interpret(synthesize(), Patient()))
    assert (made["tier"], made["findings"]) == ("NONE", [])
    assert "不能排除" in made["summary"]["zh"]
