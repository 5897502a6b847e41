"""Other recordings of the patient: what is compared, and leads recorded with moved electrodes."""

from dataclasses import replace

import numpy as np
import pytest

from greenchannel.signal.leads import LIMB, STANDARD_12
from greenchannel.signal.measurements import LeadMeasurement
from greenchannel.signal.recording import Recording
from greenchannel.signal.synthesis import simulate
from greenchannel.triage.comparison import earlier_of
from greenchannel.triage.electrode_sets import Beside, beside, truly_named
from greenchannel.triage.finding import Patient, Tier
from greenchannel.triage.interpretation import interpret, to_json
from greenchannel.triage.reading import read
from tests.triage_measurements import measured

MAN = Patient(age_years=61, sex="male")


def recorded(electrode_set: str, leads: tuple[str, ...] = STANDARD_12) -> Recording:
    """A strip whose rows tell themselves apart."""
    rows = np.arange(len(leads), dtype=np.float32)[:, None] * np.ones((1, 500), dtype=np.float32)
    return Recording(samples_mv=rows, leads=leads, rate_hz=500.0, electrode_set=electrode_set)


@pytest.mark.parametrize(
    ("electrode_set", "names"),
    [
        ("standard", STANDARD_12),
        ("posterior", (*LIMB, "V1", "V2", "V3", "V7", "V8", "V9")),
        ("right", (*LIMB, "V1", "V2", "V3R", "V4R", "V5R")),
        ("posterior_right", (*LIMB, "V3R", "V4R", "V5R", "V7", "V8", "V9")),
    ],
)
def test_moved_cables_are_called_by_where_they_were(electrode_set: str, names: tuple[str, ...]) -> None:
    """Each lead keeps its samples; a place without a name here is left out."""
    found = truly_named(recorded(electrode_set))
    assert found.leads == names
    assert found.samples_mv[:, 0].tolist() == [float(i) for i in range(len(names))]


def test_a_file_that_names_the_moved_leads_itself_stays_as_it_is() -> None:
    """It knew where its cables were."""
    told = recorded("posterior", ("I", "II", "V4", "V7", "V8", "V9"))
    assert truly_named(told) is told


def test_eighteen_leads_in_three_recordings_are_one_reading() -> None:
    """Posterior and right leads come from their own recordings, with their own values, and say from which."""
    whole = simulate(
        leads=("V4R", "V3R", "V5R", "V7", "V8", "V9", *STANDARD_12), territory="inferoposterior", stj_mv=0.3
    )
    names = whole.recording.leads
    rows = {name: whole.recording.samples_mv[names.index(name)] for name in names}

    def cut(electrode_set: str, *chest: str) -> Recording:
        samples = np.stack([rows[name] for name in (*LIMB, *chest)])
        return Recording(samples_mv=samples, leads=STANDARD_12, rate_hz=500.0, electrode_set=electrode_set)

    standard = cut("standard", "V1", "V2", "V3", "V4", "V5", "V6")
    back = interpret(cut("posterior", "V1", "V2", "V3", "V7", "V8", "V9"), MAN)
    moved = to_json(back, source=None, sha256=None)
    others = beside(STANDARD_12, {"e-back": moved})
    assert set(others) == {"V7", "V8", "V9"}
    alone, joined = interpret(standard, MAN), interpret(standard, MAN, others=others)
    assert alone.measurements.leads == joined.measurements.leads
    shown = {one.lead: one for one in joined.reading.findings[0].evidence}
    assert {"V7", "V8", "V9"} <= set(shown)
    assert {shown[lead].trace for lead in ("V7", "V8", "V9")} == {"e-back"}
    assert shown["II"].trace is None
    assert shown["V8"].value == pytest.approx(back.measurements.leads["V8"].stj_mv, abs=1e-6)
    assert "inferoposterior" in joined.reading.findings[0].territories
    assert "inferoposterior" not in alone.reading.findings[0].territories


def test_a_lead_of_another_recording_must_be_usable_there() -> None:
    """Neither a lead marked bad nor one that the present recording has itself comes in."""
    analysis = to_json(interpret(simulate(dead_leads=("V5",)).recording, MAN), source=None, sha256=None)
    assert "V5" in analysis["quality"]["bad_leads"]
    assert set(beside((*LIMB, "V1", "V2", "V3"), {"e": analysis})) == {"V4", "V6"}


def test_evidence_of_another_recording_alone_fires_too() -> None:
    """V7 and V8 of the second recording are neighbours, and their threshold is their own."""
    others = {
        lead: Beside(ecg_id="e", values=LeadMeasurement(usable=True, stj_mv=0.08)) for lead in ("V7", "V8")
    }
    found = read(measured(), MAN, others=others).findings[0]
    assert (found.id, found.tier, found.territories) == ("STE-1", Tier.ACT, ("posterior",))


def test_an_earlier_recording_is_compared_by_its_usable_leads() -> None:
    """J levels, tier and rules; nothing of leads that could not be trusted, nothing of swapped ones."""
    strip = simulate(territory="inferior", stj_mv=0.3, dead_leads=("V3",)).recording
    analysis = to_json(interpret(strip, MAN), source=None, sha256=None)
    found = earlier_of(analysis, ecg_id="e", same_episode=True, age_days=0.5)
    assert (found.tier, found.same_episode, found.age_days) == (Tier.ACT, True, 0.5)
    assert "STE-1" in found.rules
    assert "V3" not in found.stj_mv
    assert found.stj_mv["II"] == pytest.approx(analysis["measurements"]["leads"]["II"]["stj_mv"])
    analysis["quality"]["reversal"] = "LEAD-1"
    assert earlier_of(analysis, ecg_id="e", same_episode=True, age_days=0.5).stj_mv == {}


def test_swapped_arms_are_read_both_ways() -> None:
    """A proposal that stands on the corrected leads as well stays one; what only they show is urgent at most."""
    swapped = simulate(territory="anterior", stj_mv=0.5, reversal="RA/LA", emg_mv=0.005).recording
    found = interpret(swapped, MAN)
    assert found.measurements.quality.reversal == "LEAD-1"
    assert found.corrected is not None
    first = found.reading.findings[0]
    assert (first.id, first.tier) == ("STE-1", Tier.ACT)
    assert "lead_reversal" in first.downgraded_by
    assert "corrected_leads" in first.restored_by
    hidden = read(
        replace(measured(reversal="LEAD-2")), MAN, corrected=measured({"II": 0.3, "III": 0.3, "aVF": 0.3})
    )
    one = next(one for one in hidden.findings if one.id == "STE-1")
    assert (one.tier, hidden.tier) == (Tier.URG, Tier.URG)
    assert {shown.trace for shown in one.evidence} == {"corrected"}
