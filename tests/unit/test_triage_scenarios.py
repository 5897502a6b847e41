"""What a doctor on duty would expect where several rules meet: blocks, earlier recordings, swaps, doubt, odd input."""

import math
from typing import Any

import pytest

from greenchannel.signal.measurements import Measurements
from greenchannel.triage.electrode_sets import beside
from greenchannel.triage.finding import Earlier, Finding, Patient, Tier
from greenchannel.triage.reading import read
from tests.triage_measurements import measured

MAN = Patient(age_years=61, sex="male", chest_pain=True)
LEADS = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")
INFERIOR = {"II": 0.3, "III": 0.3, "aVF": 0.3}


def before(stj_mv: dict[str, float] | None = None, **told: Any) -> Earlier:
    """An ECG of another episode a month ago, with nothing in it but what is said."""
    given: dict[str, Any] = {
        "ecg_id": "o",
        "same_episode": False,
        "age_days": 30.0,
        "tier": Tier.NONE,
        "rules": (),
        "version": "2",
    }
    return Earlier(stj_mv=dict.fromkeys(LEADS, 0.0) | (stj_mv or {}), **(given | told))


MINUTES: dict[str, Any] = {"same_episode": True, "age_days": 0.01}


def left_block(stj_mv: dict[str, float] | None = None) -> Measurements:
    """rS in V1 to V3, broad R on the left."""
    down = {"r_mv": 0.2, "q_mv": 0.0, "s_mv": -2.0, "s2_mv": 0.0, "r2_mv": 0.0, "qrs_area_mv_ms": -80.0}
    up = {
        "r_mv": 1.0,
        "r_ms": 90.0,
        "q_mv": 0.0,
        "s_mv": 0.0,
        "s2_mv": 0.0,
        "r2_mv": 0.2,
        "qrs_area_mv_ms": 60.0,
    }
    waves = dict.fromkeys(("V1", "V2", "V3"), down) | dict.fromkeys(("I", "aVL", "V5", "V6"), up)
    return measured(stj_mv, qrs_ms=150.0, waves=waves)


def found(made: Measurements, patient: Patient = MAN, **more: Any) -> dict[str, Finding]:
    """The findings by id."""
    return {one.id: one for one in read(made, patient, **more).findings}


def flat(levels: dict[str, float], **more: Any) -> Measurements:
    """These J levels with a horizontal ST."""
    return measured(levels, waves={lead: {"st_slope_mv": 0.0} for lead in levels}, **more)


def test_a_new_left_block_is_urgent_and_an_old_one_is_noted() -> None:
    """New against the last earlier ECG; without one nobody knows."""
    assert found(left_block(), earlier=(before(),))["MIM-LBBB"].tier is Tier.URG
    assert found(left_block(), earlier=(before(rules=("MIM-LBBB",)),))["MIM-LBBB"].tier is Tier.FLAG
    assert found(left_block())["MIM-LBBB"].tier is Tier.FLAG
    for version in ("1", "", "99"):  # rules that did not look for it say nothing of it
        assert found(left_block(), earlier=(before(version=version),))["MIM-LBBB"].tier is Tier.FLAG


def test_a_block_lowers_no_change_within_the_episode() -> None:
    """An infarction of minutes ago that has turned into a block, and ST that rises within one, stay urgent."""
    acute = before({"V2": 0.5, "V3": 0.5}, tier=Tier.ACT, rules=("STE-1",), **MINUTES)
    assert found(left_block(), earlier=(acute,))["STE-RESOLVED"].tier is Tier.URG
    rising = found(left_block({"V2": 0.3, "V3": 0.3}), earlier=(before(rules=("MIM-LBBB",), **MINUTES),))
    assert (rising["STE-SERIAL"].tier, rising["STE-1"].tier) == (Tier.URG, Tier.FLAG)


def test_elevation_within_a_block_is_not_called_an_infarction() -> None:
    """The standard criteria do not apply: the levels are noted, and the sentence says why."""
    one = found(left_block({"V2": 0.3, "V3": 0.3}))["STE-1"]
    assert one.tier is Tier.FLAG
    assert "心肌梗死" not in one.zh
    assert "标准ST段抬高标准不适用" in one.zh


@pytest.mark.parametrize(
    ("told", "tier"),
    [
        ({"stj_mv": {"V5": -0.01, "V6": -0.01}}, Tier.URG),  # none then: new
        ({"stj_mv": {"V5": -0.07, "V6": -0.07}}, Tier.FLAG),
        ({"stj_mv": {"V5": -0.07, "V6": -0.07}, "tier": Tier.URG}, Tier.URG),  # read as acute then
        ({"stj_mv": {"V5": -0.07, "V6": -0.07}, "age_days": 2.0}, Tier.URG),
        ({"stj_mv": {"V5": -0.07, "V6": -0.07}, "same_episode": True}, Tier.URG),
    ],
)
def test_a_depression_is_old_only_if_it_was_one(told: dict[str, Any], tier: Tier) -> None:
    """In the last ECG of another episode, a week old or more and not read as acute."""
    assert found(flat({"V5": -0.08, "V6": -0.08}), earlier=(before(**told),))["STE-3"].tier is tier


@pytest.mark.parametrize(
    ("made", "tier"),
    [
        (flat({"II": -0.3, "III": -0.3, "aVF": -0.3}), Tier.URG),
        (flat({"V5": -0.3, "V6": -0.3}), Tier.FLAG),
    ],
)
def test_hypertrophy_explains_its_strain_and_no_other_depression(made: Measurements, tier: Tier) -> None:
    """Only the left leads show strain."""
    tall = {
        lead: one._replace(r_mv=1.5, s_mv=0.0, q_mv=0.0) if lead == "aVL" else one
        for lead, one in made.leads.items()
    }
    grown = measured(qrs_ms=92.0)
    grown = type(grown)(**{name: getattr(made, name) for name in made.__dataclass_fields__} | {"leads": tall})
    assert found(grown)["STE-3"].tier is tier


def test_a_depression_beside_a_right_block_counts_outside_v1_to_v3() -> None:
    """The block explains the leads in front of it."""
    right = {"q_mv": 0.0, "r_mv": 0.05, "s_mv": -0.05, "r2_mv": 0.5, "r_peak_ms": 90.0, "st_slope_mv": 0.0}
    left = {"q_mv": 0.0, "r_mv": 1.0, "s_mv": -0.3, "s_ms": 60.0, "s2_ms": 0.0, "st_slope_mv": 0.0}
    waves = {
        "V1": right,
        "I": left,
        "V5": left,
        "V6": left,
        "V2": {"st_slope_mv": 0.0},
        "V3": {"st_slope_mv": 0.0},
    }
    lateral = measured({"V5": -0.2, "V6": -0.2}, qrs_ms=140.0, waves=waves)
    front = measured({"V2": -0.2, "V3": -0.2}, qrs_ms=140.0, waves=waves)
    assert found(lateral)["STE-3"].tier is Tier.URG
    assert "STE-3" not in found(front)


def test_what_changed_within_the_episode_is_not_chronic() -> None:
    """An old ECG with the same levels does not outweigh a quiet one of minutes ago."""
    levels = {"V2": 0.3, "V3": 0.3, "V4": 0.2}
    old = before(levels, tier=Tier.FLAG)
    assert found(measured(levels), earlier=(old,))["STE-1"].tier is Tier.URG
    both = found(measured(levels), earlier=(old, before(**MINUTES)))
    assert both["STE-1"].tier is Tier.ACT
    assert "STE-CHRONIC" not in both


def test_a_newer_ecg_outweighs_an_older_one() -> None:
    """Chronic is what the last other episode showed, not any."""
    levels = {"V2": 0.3, "V3": 0.3, "V4": 0.2}
    between = before(levels, tier=Tier.ACT, age_days=20.0)
    assert (
        found(measured(levels), earlier=(before(levels, tier=Tier.FLAG), between))["STE-1"].tier is Tier.ACT
    )


def test_a_repeat_confirms_a_borderline_elevation() -> None:
    """The same leads at their thresholds in an earlier recording of this episode (MEAS-5)."""
    levels = {"II": 0.11, "aVF": 0.11}
    assert found(measured(levels))["STE-1"].tier is Tier.URG
    again = found(measured(levels), earlier=(before(levels, tier=Tier.URG, rules=("STE-1",), **MINUTES),))[
        "STE-1"
    ]
    assert (again.tier, again.restored_by) == (Tier.ACT, ("repeat_ecg",))


def test_a_right_ventricle_that_depends_on_age_or_sex_is_urgent_not_silent() -> None:
    """V4R at 0.07 mV is one for most men and all women."""
    levels = INFERIOR | {"aVL": -0.1, "V3R": 0.07, "V4R": 0.07}
    assert found(measured(levels))["STE-RV"].tier is Tier.ACT
    doubtful = found(measured(levels), Patient(sex="male"))["STE-RV"]
    assert doubtful.tier is Tier.URG
    assert "demographics_missing" in doubtful.downgraded_by
    assert found(measured(INFERIOR | {"V1": 0.1, "III": 0.4}), Patient())["STE-RV"].tier is Tier.ACT


def test_only_the_coved_pattern_of_brugada_lowers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Type 2 is noted."""
    monkeypatch.setattr(
        "greenchannel.triage.brugada._base_ms", lambda ctx, lead, n: 200.0 if lead == "V1" else None
    )
    seen = found(measured({"V1": 0.2, "V2": 0.3}))
    assert seen["MIM-BRUG"].tier is Tier.FLAG
    assert (seen["STE-1"].tier, seen["STE-1"].downgraded_by) == (Tier.ACT, ())


def test_shock_keeps_a_diffuse_depression_a_proposal_at_any_rate() -> None:
    """Such patients are tachycardic."""
    levels = dict.fromkeys(("I", "II", "aVL", "aVF", "V3", "V4", "V5", "V6"), -0.15) | {"aVR": 0.2}
    shocked = Patient(age_years=61, sex="male", shock=True)
    assert found(measured(levels, heart_rate_bpm=150.0), shocked)["EQV-AVR"].tier is Tier.ACT


def test_a_ventricular_rhythm_proposes_no_green_channel() -> None:
    """It is critical for itself."""
    made = measured(INFERIOR | {"aVL": -0.2}, rhythm={"name": "ventricular_tachycardia"})
    assert found(made)["STE-1"].tier is Tier.URG


def test_a_swap_shows_both_walls() -> None:
    """As recorded and with the swap undone, each with its leads."""
    made, undone = (
        measured({"I": 0.3, "aVL": 0.3}, reversal="LEAD-6"),
        measured({"V1": 0.3, "V2": 0.4, "V3": 0.4}),
    )
    findings = read(made, MAN, corrected=undone).findings
    walls = {one.territories: one.tier for one in findings if one.id == "STE-1"}
    assert walls == {("high_lateral",): Tier.ACT, ("anteroseptal",): Tier.URG}


@pytest.mark.parametrize("quality", [{"st_reliable": False}, {"reversal": "LEAD-5"}])
def test_leads_of_a_recording_that_cannot_propose_are_not_joined(quality: dict[str, Any]) -> None:
    """Filtered as for monitoring, or with swapped electrodes."""
    leads = {"V7": {"usable": True, "stj_mv": 0.2}, "V8": {"usable": True, "stj_mv": 0.2}}
    trusted = {"bad_leads": [], "st_reliable": True, "reversal": None}
    assert set(beside(LEADS, {"a": {"quality": trusted, "measurements": {"leads": leads}}})) == {"V7", "V8"}
    assert beside(LEADS, {"a": {"quality": trusted | quality, "measurements": {"leads": leads}}}) == {}


@pytest.mark.parametrize("odd", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_unknown(odd: float) -> None:
    """In a patient, a whole value or a wave: the same as not measured, and never a crash."""
    levels = dict.fromkeys(("I", "II", "aVL", "aVF", "V3", "V4", "V5", "V6"), -0.15) | {"aVR": 0.2}
    plain = found(measured(levels), Patient(age_years=61, sex="male"))
    assert found(measured(levels), Patient(age_years=61, sex="male", systolic_mmhg=odd)) == plain
    unknown = found(measured(levels, heart_rate_bpm=None, qrs_ms=None))
    assert found(measured(levels, heart_rate_bpm=odd, qrs_ms=odd)) == unknown
    wave = {"V2": {"q_mv": odd, "r_mv": 0.0, "s_mv": odd, "t_mv": odd}}
    none = {"V2": {"q_mv": None, "r_mv": 0.0, "s_mv": None, "t_mv": None}}
    assert found(measured(levels, waves=wave)) == found(measured(levels, waves=none))
    assert "MIM-PACE" not in found(measured(rhythm={"paced_share": odd if odd != math.inf else math.nan}))


def test_a_depressed_avl_speaks_against_pericarditis() -> None:
    """From the tolerance of a recorder on."""
    high = dict.fromkeys(("I", "II", "aVF", "V3", "V4", "V5", "V6"), 0.15) | {"II": 0.2, "V1": -0.1}
    waves = {lead: {"st_below_chord_mv": 0.05, "baseline_tp_mv": 0.08} for lead in high}
    assert "MIM-PERI" in found(measured(high, waves=waves))
    assert "MIM-PERI" not in found(measured(high | {"aVL": -0.03}, waves=waves))
