"""Real infarctions and healthy people: what the criteria say of them, by lead and millivolt, and why.

Nothing is tuned to these records. The rule that places J was chosen on LUDB records below 100 and is tested on the
others (`tests/unit/test_signal_real.py`). These are five people: they say nothing about sensitivity or specificity.
"""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from greenchannel.ingest.reader import read_path
from greenchannel.signal.leads import CABRERA_CHAIN, CHEST_CHAIN, STANDARD_12
from greenchannel.signal.recording import Recording
from greenchannel.signal.synthesis import synthesize
from greenchannel.triage.finding import Patient, Tier
from greenchannel.triage.interpretation import Interpretation, interpret
from greenchannel.triage.rule_set import RULES
from tests.acceptance.independent_st import stj_mv

# Folder, record, age, and the J levels of V1 to V4 in mV, read once more by hand from the median beat.
# PTB patient 223, a man of 56, antero-septal infarction three days old: V4 alone reaches its 0.10 mV; V2 and V3, at
# 0.16 and 0.15 mV, stay below the 0.20 mV that hold for a man of 40 and over. PTB patient 004, a man of 69, four days
# after: V1 to V4 all stay below. One lead is no pair of neighbours, so STE-1 does not fire on any of the four.
INFARCTIONS = [
    ("ptb-10s/patient223_s0445_re", 56, (0.05, 0.16, 0.15, 0.12), ("V4",)),
    ("ptb-10s/patient223_s0446_re", 56, (0.06, 0.16, 0.16, 0.13), ("V4",)),
    ("cinc-12lead/records/S0006", 69, (0.09, 0.15, 0.12, 0.08), ()),
    ("cinc-12lead/records/S0007", 69, (0.09, 0.155, 0.125, 0.085), ()),
]
HEALTHY = [
    ("patient214_s0436_re", 35, "male"),
    ("patient234_s0460_re", 34, "male"),
    ("patient236_s0462_re", 25, "female"),
    ("patient236_s0463_re", 25, "female"),
    ("patient236_s0464_re", 25, "female"),
    ("patient238_s0466_re", 29, "male"),
    ("patient240_s0468_re", 28, "male"),
    ("patient242_s0471_re", 28, "female"),
    ("patient244_s0473_re", 44, "male"),
    ("patient246_s0478_re", 54, "male"),
    ("patient248_s0481_re", 64, "male"),
]
STEMI = "extensive_anterior_high_lateral_stemi"


def interpreted(path: Path, age_years: float, sex: str) -> Interpretation:
    """A record read and interpreted; its own age and sex must be those that this file speaks of."""
    parsed = read_path(path.with_name(path.name + ".hea"))
    assert (parsed.age_years, parsed.sex) in {(age_years, sex), (None, None)}
    return interpret(parsed.recording, Patient(age_years=age_years, sex=sex))


def thresholds_mv(age_years: float, sex: str) -> dict[str, float]:
    """The STE-1 threshold of each lead for this patient, looked up in the table of criteria."""
    (profile,) = [profile for profile in RULES.profiles if profile.fits(age_years, sex)]
    return {lead: uv / 1000 for lead, uv in profile.threshold_uv.items()}


def reaching(levels_mv: dict[str, float], limits_mv: dict[str, float]) -> tuple[str, ...]:
    """The leads whose level is at their threshold or above it."""
    return tuple(lead for lead in STANDARD_12 if lead in limits_mv and levels_mv[lead] >= limits_mv[lead])


def neighbours(leads: tuple[str, ...]) -> list[tuple[str, str]]:
    """Pairs of these leads that stand side by side; −aVR, which never qualifies, is passed over."""
    pairs = []
    for chain in (CABRERA_CHAIN, CHEST_CHAIN):
        names = [name for name in chain if name != "-aVR"]
        pairs += [(a, b) for a, b in pairwise(names) if a in leads and b in leads]
    return pairs


def assert_measured_twice_alike(found: Interpretation) -> dict[str, float]:
    """Every usable lead agrees with the independent measurement within 25 µV or 5 % (IEC 60601-2-25)."""
    measured = found.measurements
    again = stj_mv(found.recording, measured)
    levels = {}
    for lead, values in measured.leads.items():
        if lead in STANDARD_12 and values.usable:
            assert values.stj_mv == pytest.approx(again[lead], abs=0.025, rel=0.05), lead
            levels[lead] = float(values.stj_mv or 0.0)
    return levels


@pytest.mark.data
@pytest.mark.parametrize(("record", "age_years", "said", "reached"), INFARCTIONS)
def test_a_real_infarction_is_measured_and_its_tier_follows_from_the_table(
    data_dir: Path, record: str, age_years: float, said: tuple[float, ...], reached: tuple[str, ...]
) -> None:
    """Days old and below the guideline limit at J: no two neighbours reach it, so no rule fires."""
    found = interpreted(data_dir / record, age_years, "male")
    levels = assert_measured_twice_alike(found)
    for lead, level in zip(("V1", "V2", "V3", "V4"), said, strict=True):
        assert levels[lead] == pytest.approx(level, abs=0.025), lead
    limits = thresholds_mv(age_years, "male")
    assert (limits["V2"], limits["V3"], limits["V4"]) == (0.20, 0.20, 0.10)
    assert reaching(levels, limits) == reached
    assert neighbours(reached) == []
    # What the days have left, Q waves, may be noted.
    assert {one.id for one in found.reading.findings} <= {"STE-Q"}
    assert found.reading.tier is (Tier.FLAG if found.reading.findings else Tier.NONE)
    if not found.reading.findings:
        # The machine says what that means, and what it does not.
        assert "does not exclude an infarction" in found.reading.en
        assert "不能排除心肌梗死" in found.reading.zh


@pytest.mark.data
@pytest.mark.parametrize(("record", "age_years"), [row[:2] for row in INFARCTIONS])
def test_only_the_limit_held_it_back(data_dir: Path, record: str, age_years: float) -> None:
    """The same trace twice as tall reaches the limits in V2 and V3; then it is ACT, or URG where the QRS is wide."""
    recording = interpreted(data_dir / record, age_years, "male").recording
    taller_mv = np.multiply(recording.samples_mv, np.float32(2.0))
    taller = Recording(samples_mv=taller_mv, leads=recording.leads, rate_hz=recording.rate_hz)
    found = interpret(taller, Patient(age_years=age_years, sex="male"))
    finding = found.reading.findings[0]
    assert {"V2", "V3"} <= {one.lead for one in finding.evidence}
    # Twice as tall is a large ventricle, too, and may be wide: these may lower it, nothing else.
    assert set(finding.downgraded_by) <= {"wide_qrs", "MIM-LVH"}
    assert finding.tier is (Tier.URG if finding.downgraded_by and not finding.restored_by else Tier.ACT)


@pytest.mark.data
@pytest.mark.parametrize(("name", "age_years", "sex"), HEALTHY)
def test_no_healthy_control_proposes_the_channel(
    data_dir: Path, name: str, age_years: float, sex: str
) -> None:
    """Their levels agree with a second measurement, no two neighbouring leads reach the limit, and none is ACT."""
    found = interpreted(data_dir / "ptb-10s" / name, age_years, sex)
    levels = assert_measured_twice_alike(found)
    pairs = neighbours(reaching(levels, thresholds_mv(age_years, sex)))
    assert pairs == []
    assert found.reading.tier is not Tier.ACT


@pytest.mark.data
def test_a_j_wave_is_not_taken_for_st(data_dir: Path) -> None:
    """A healthy man of 64 with a notch behind a tall R: J lies behind the notch, the level there below the limits.

    PTB patient 248. On the notch's falling side, 10 ms earlier, V3 to V5 are at 0.21, 0.18 and 0.12 mV and would reach
    all three limits; a person reads early repolarisation: concave, T 1 mV tall, nothing reciprocal.
    """
    found = interpreted(data_dir / "ptb-10s" / "patient248_s0481_re", 64, "male")
    levels = {lead: float(values.stj_mv or 0) for lead, values in found.measurements.leads.items()}
    limits = thresholds_mv(64, "male")
    assert reaching(levels, limits) in (("V4",), ())
    assert max(levels["V2"], levels["V3"]) < limits["V3"]
    assert min(levels[lead] for lead in ("II", "III", "aVF")) > -0.05


@pytest.mark.data
@pytest.mark.parametrize(
    ("record", "qrs_ms"), [("ptb-10s/patient224_s0447_re", 150), ("cinc-12lead/records/E00005", 130)]
)
def test_the_terminal_wave_of_a_right_bundle_branch_block_is_no_st(
    data_dir: Path, record: str, qrs_ms: float
) -> None:
    """J lies behind the broad terminal R of V1 and S of I, so neither passes for elevation or depression."""
    found = interpret(read_path(data_dir / f"{record}.hea").recording, Patient(age_years=60, sex="female"))
    assert found.measurements.qrs_ms == pytest.approx(qrs_ms, abs=15)
    assert found.reading.tier is not Tier.ACT
    assert all(abs(found.measurements.leads[lead].stj_mv or 0) < 0.12 for lead in ("I", "aVL", "V6"))


@pytest.mark.data
def test_a_ventricular_tachycardia_is_no_st_finding(data_dir: Path) -> None:
    """Where the QRS has no borders there is no level at J, and no rule speaks of ST."""
    path = data_dir / "cinc-12lead" / "records" / "JS45546.hea"
    found = interpret(read_path(path).recording, Patient(age_years=60, sex="male"))
    assert "STE-1" not in {
        finding.id for finding in found.reading.findings if finding.tier in (Tier.ACT, Tier.CRIT)
    }


def broken(recording: Recording, lead: str, fault: str) -> Recording:
    """The recording with one lead off, drowned in noise, or at the rail of its amplifier."""
    samples = recording.samples_mv.copy()
    row, n = recording.leads.index(lead), samples.shape[1]
    if fault == "flat":
        samples[row] = 0.0
    elif fault == "noise":
        samples[row] += np.asarray(np.random.default_rng(7).normal(0.0, 0.4, n), dtype=np.float32)
    else:
        samples[row] = np.where(np.arange(n) % 700 < 350, np.float32(5.0), np.float32(-5.0))
    return Recording(samples_mv=samples, leads=recording.leads, rate_hz=recording.rate_hz)


@pytest.mark.parametrize("fault", ["flat", "noise", "saturation"])
@pytest.mark.parametrize("lead", ["V1", "V2", "V3", "V4", "V5", "V6", "I", "aVL"])
def test_one_dead_lead_does_not_silence_the_others(lead: str, fault: str) -> None:
    """ACT stays, its evidence comes from the other leads alone, and the dead lead is named to the clinic."""
    whole = synthesize(scenario=STEMI, noise_mv=0.01, wander_mv=0.2, seed=2)
    found = interpret(broken(whole, lead, fault), Patient(age_years=61, sex="male"))
    assert found.measurements.quality.bad_leads == (lead,)
    assert any(message.lead == lead for message in found.reading.messages)
    (finding,) = [one for one in found.reading.findings if one.id == "STE-1"]
    assert finding.tier is found.reading.tier is Tier.ACT
    shown = {one.lead for one in finding.evidence if one.rule == "STE-1"}
    expected = {"I", "aVL", "V1", "V2", "V3", "V4", "V5", "V6"} - {lead}
    # High lateral leads are neighbours of each other alone: without one the other stands without a pair.
    assert expected - {"I", "aVL"} <= shown <= expected


@pytest.mark.data
@pytest.mark.parametrize("lead", STANDARD_12)
def test_a_dead_lead_does_not_lose_j(data_dir: Path, lead: str) -> None:
    """In a real infarction any one lead comes off: it is named, J moves by 20 ms at most, the tier stays."""
    for record, age_years, _, _ in INFARCTIONS[:2]:
        whole = interpreted(data_dir / record, age_years, "male")
        found = interpret(broken(whole.recording, lead, "flat"), whole.patient)
        assert found.measurements.quality.bad_leads == (lead,)
        assert found.measurements.qrs_ms == pytest.approx(whole.measurements.qrs_ms, abs=20)
        assert found.reading.tier is whole.reading.tier
