"""Critical values on whole strips: which rhythms ring, and which must not."""

from pathlib import Path

import numpy as np
import pytest

from greenchannel.ingest.reader import read_path
from greenchannel.signal.leads import STANDARD_12
from greenchannel.signal.measure import measure
from greenchannel.signal.recording import Recording
from greenchannel.signal.synthesis import limb_table, simulate
from greenchannel.triage.finding import Finding, Patient, Tier
from greenchannel.triage.reading import read
from tests.rule_cases.critical_strips import tachycardia
from tests.rule_cases.st_elevation import earlier
from tests.triage_measurements import measured

ADULT = Patient(age_years=61, sex="male")


def critical(recording: Recording, patient: Patient = ADULT) -> dict[str, Finding]:
    """The critical values of a strip that are about more than ST."""
    found = read(measure(recording), patient).findings
    return {one.id: one for one in found if one.id.startswith("CV-") and one.id != "CV-1"}


def made(rhythm: str, seed: int = 0, bpm: float = 75.0, **more: float) -> Recording:
    """A simulated strip with a little noise."""
    told = {"emg_mv": 0.01, "wander_mv": 0.1, "variation": 1.0} | more
    return simulate(rhythm=rhythm, seed=seed, heart_rate_bpm=bpm, **told).recording  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("rhythm", "rule"),
    [
        ("ventricular_tachycardia", "CV-3"),
        ("asystole", "CV-14"),
        ("av_block_3", "CV-7"),
        ("sinus_pause", "CV-8"),
    ],
)
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_critical_rhythm_rings(rhythm: str, rule: str, seed: int) -> None:
    """As CRIT."""
    found = critical(made(rhythm, seed))
    assert list(found) == [rule]
    assert found[rule].tier is Tier.CRIT


def test_ventricular_fibrillation_rings_in_most_strips() -> None:
    """A few simulated ones pass for beats; none rings as something harmless."""
    found = [critical(made("ventricular_fibrillation", seed)) for seed in range(6)]
    assert sum("CV-2" in one for one in found) >= 5


@pytest.mark.parametrize("rhythm", ["sinus", "atrial_fibrillation", "atrial_flutter", "ectopics", "bigeminy"])
@pytest.mark.parametrize("bpm", [55, 75, 100])
def test_other_rhythms_do_not(rhythm: str, bpm: float) -> None:
    """Nothing critical in them."""
    for seed in range(2):
        assert critical(made(rhythm, seed, bpm)) == {}


def twisting(bpm: float, turn_s: float, seed: int = 0) -> Recording:
    """Wide waves whose axis turns about the baseline, as in torsade."""
    rng = np.random.default_rng(seed)
    t, rr = np.arange(5000) / 500.0, 60.0 / bpm
    onset = np.cumsum(rr * rng.uniform(0.92, 1.08, 60))[:, None]

    def side(angle: float) -> np.ndarray:
        size = 1.2 * np.sin(np.pi * onset / turn_s + angle)
        wave = np.exp(-0.5 * ((t - onset) / (0.18 * rr)) ** 2)
        back = np.exp(-0.5 * ((t - onset - 0.45 * rr) / (0.2 * rr)) ** 2)
        total: np.ndarray = (size * (wave - 0.5 * back)).sum(axis=0)
        return total

    one, two = limb_table(1.0, 0.0), limb_table(0.0, 1.0)
    limbs = [one[name] * side(0.0) + two[name] * side(0.7) for name in STANDARD_12[:6]]
    x = np.stack([*limbs, *(side(a) for a in (0.3, 1.0, 1.4, 0.2, 0.5, 0.9))])
    return Recording(
        samples_mv=(x + rng.normal(0.0, 0.01, x.shape)).astype(np.float32), leads=STANDARD_12, rate_hz=500.0
    )


@pytest.mark.parametrize("bpm", [200, 240, 280])
@pytest.mark.parametrize("turn_s", [1.0, 1.6, 2.5])
def test_torsade_rings_as_such_or_as_fibrillation(bpm: float, turn_s: float) -> None:
    """Never as a tachycardia of one shape, nor as a disorder of T or potassium."""
    found = set(critical(twisting(bpm, turn_s, seed=int(bpm * turn_s))))
    assert found & {"CV-2", "CV-4"}
    assert found <= {"CV-2", "CV-4", "CV-6"}


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_fast_fibrillation_over_a_pathway_rings_and_over_the_node_does_not(seed: int) -> None:
    """Even where all its beats have one shape."""
    told = {"rhythm": "atrial_fibrillation", "heart_rate_bpm": 190, "seed": seed, "emg_mv": 0.01}
    found = {name: critical(simulate(conduction=name, **told).recording) for name in ("wpw", "narrow")}  # type: ignore[arg-type]
    assert list(found["wpw"]) == ["CV-6"]
    assert "CV-6" not in found["narrow"]


def test_a_tachycardia_is_said_to_fill_this_recording_and_no_more() -> None:
    """Ten seconds do not prove thirty."""
    given = tachycardia(170.0)
    found = next(one for one in read(given.made, given.patient).findings if one.id == "CV-3")
    assert found.zh == "危急值:室性心动过速:本次记录全程"
    slow = next(one for one in read(tachycardia(130.0).made, ADULT).findings if one.id == "CV-3")
    assert slow.tier is Tier.URG
    shocked = read(tachycardia(130.0).made, Patient(age_years=61, sex="male", shock=True))
    assert next(one for one in shocked.findings if one.id == "CV-3").tier is Tier.CRIT


def test_a_lead_that_is_off_never_alarms_as_asystole() -> None:
    """All electrodes off: nothing, floating, zero, a rail, humming, or off in the middle."""
    rng, t = np.random.default_rng(4), np.arange(5000) / 500.0
    heart = made("sinus").samples_mv
    zero, rail, gap, missing = np.zeros((12, 5000)), np.full((12, 5000), 5.0), heart.copy(), heart.copy()
    gap[:, 1500:4200], missing[:, 1500:4200] = 0.0, np.nan
    hum = 0.3 * np.sin(2 * np.pi * 50 * t) * rng.uniform(0.5, 1, (12, 1)) + rng.normal(0, 0.005, (12, 5000))
    quiet = np.concatenate([heart[:, :2500], heart[:, 2499:2500] + rng.normal(0, 0.002, (12, 2500))], axis=1)
    for x in (zero, rail, gap, missing, hum, quiet):
        off = Recording(samples_mv=np.asarray(x, dtype=np.float32), leads=STANDARD_12, rate_hz=500.0)
        assert not {"CV-14", "CV-8", "CV-7"} & critical(off).keys()
    loose = simulate(lead_off=("RA", "LA", "LL", "V1", "V2", "V3", "V4", "V5", "V6")).recording
    assert not {"CV-14", "CV-8", "CV-7"} & critical(loose).keys()


def test_a_new_right_bundle_branch_block_is_a_sign_of_embolism_an_old_one_is_not() -> None:
    """What is unknown to be new does not count, nor a reading by rules that never looked for the block."""
    block = {"r2_mv": 0.5, "r_mv": 0.2, "s_mv": -0.1, "r_peak_ms": 80.0, "t_mv": -0.2}
    waves = {
        "V1": block,
        "V2": {"t_mv": -0.2},
        "V3": {"t_mv": -0.2},
        "III": {"t_mv": -0.2},
        "I": {"s_mv": -0.1, "s_ms": 60.0},
        "V6": {"s_mv": -0.3, "s_ms": 60.0},
    }
    strip = measured(qrs_ms=140.0, waves=waves, heart_rate_bpm=80.0)

    def fires(*rules: str, known: bool = True, version: str = "2") -> bool:
        before = (earlier({}, rules=rules, version=version),) if known else ()
        return any(one.id == "CV-13" for one in read(strip, ADULT, earlier=before).findings)

    assert fires()
    assert not fires("MIM-RBBB")
    assert not fires(known=False)
    assert not fires(version="1")


@pytest.mark.data
def test_healthy_hearts_have_no_critical_value(data_dir: Path) -> None:
    """The controls of PTB and sinus rhythms of LUDB without an infarction."""
    for number in (1, 3, 5, 9, 11, 17, 27, 29, 35, 39):
        assert critical(read_path(data_dir / "ludb" / "data" / f"{number}.hea").recording) == {}
    for path in sorted((data_dir / "ptb-10s").glob("**/*.hea")):
        if "Healthy control" in path.read_text(encoding="utf-8"):
            assert critical(read_path(path).recording) == {}, path.name
