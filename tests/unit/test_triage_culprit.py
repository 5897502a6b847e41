"""The possible culprit of an anterior or inferior infarction: every step at its number, and never a decision."""

import pytest

from greenchannel.triage.culprit import TABLE, load
from greenchannel.triage.finding import Earlier, Finding, Patient, Tier
from greenchannel.triage.reading import Reading, read
from greenchannel.triage.report import explain
from greenchannel.triage.rule_set import RuleSetError
from tests.triage_measurements import measured

MAN = Patient(age_years=61, sex="male")
FRONT = {"V1": 0.2, "V2": 0.4, "V3": 0.4, "V4": 0.3}


def reading(
    stj_mv: dict[str, float], dead: tuple[str, ...] = (), earlier: tuple[Earlier, ...] = ()
) -> Reading:
    return read(measured(stj_mv, dead=dead), MAN, earlier=earlier)


def ste_1(stj_mv: dict[str, float], dead: tuple[str, ...] = (), **more: tuple[Earlier, ...]) -> Finding:
    return next(one for one in reading(stj_mv, dead, **more).findings if one.id == "STE-1")


def culprit(stj_mv: dict[str, float], dead: tuple[str, ...] = ()) -> str:
    """In English, without the steps."""
    words = ste_1(stj_mv, dead).culprit
    assert words is not None
    return words[0].split(" (")[0]


def front(iii_avf_mv: float = 0.0, s_mv: float = 0.0, **more: float) -> dict[str, float]:
    """Anterior elevation with this sum of III and aVF; V1 = 0.2, so V6 makes up S."""
    return FRONT | {"III": iii_avf_mv / 2, "aVF": iii_avf_mv / 2, "aVR": s_mv, "V6": 0.2} | more


@pytest.mark.parametrize(
    ("stj_mv", "vessel"),
    [
        (front(-0.25), "LAD proximal to D1"),
        (front(-0.249, 0.0), "LAD proximal to S1"),
        (front(-0.05, 0.0), "LAD proximal to S1"),
        (front(-0.05, -0.001), "LAD distal to S1, proximal to D1"),
        (front(-0.049), "distal LAD"),
        (front(0.2, II=0.1), "distal LAD, wrapping around the apex"),
        (front(0.19, II=0.0), "distal LAD"),
    ],
)
def test_the_place_in_the_lad_follows_the_inferior_leads(stj_mv: dict[str, float], vessel: str) -> None:
    """Engelen, Fiol, Bayés de Luna: at each number and just beside it."""
    assert culprit(stj_mv) == vessel


def back(i_mv: float = 0.0, ii_mv: float = 0.2, iii_mv: float = 0.3, **more: float) -> dict[str, float]:
    """Inferior elevation; V1 to V3 are 0 where nothing is said."""
    return {"I": i_mv, "II": ii_mv, "III": iii_mv, "aVF": 0.25} | more


@pytest.mark.parametrize(
    ("stj_mv", "vessel"),
    [
        (back(-0.05), "proximal RCA"),
        (back(-0.05, V3=-0.15), "RCA"),  # 0.15 / 0.3 is not below one half
        (back(-0.05, V3=-0.149), "proximal RCA"),
        (back(0.05), "LCx"),
        (back(-0.049, 0.3), "LCx"),
        (
            back(0.049, 0.299, V1=-0.25, V2=-0.25, V3=-0.349),
            "RCA",
        ),  # 0.849 of depression over as much elevation
        (back(0.0, 0.299, V1=-0.25, V2=-0.25, V3=-0.351), "LCx"),
    ],
)
def test_the_vessel_of_an_inferior_infarction_follows_lead_i_then_ii_and_iii_then_the_chest(
    stj_mv: dict[str, float], vessel: str
) -> None:
    """Fiol 2004: at each number and just beside it."""
    assert culprit(stj_mv) == vessel


@pytest.mark.parametrize(
    ("stj_mv", "said"),
    [
        (back(0.05, V3=-0.361), "cross-check agrees: LCx"),
        (back(-0.05, V3=-0.361), "cross-check differs: LCx"),
        (back(-0.05, V6=0.1), "cross-check differs: LCx by V6"),
        (back(-0.1, aVL=-0.1), "cross-check agrees: RCA by I, aVL"),
    ],
)
def test_the_cross_check_is_said(stj_mv: dict[str, float], said: str) -> None:
    """Vives-Borrás 2019."""
    words = ste_1(stj_mv).culprit
    assert words is not None
    assert said in words[0]


@pytest.mark.parametrize("stj_mv", [back(-0.05, V3=-0.36), back(-0.05, V6=0.099), back(-0.1, aVL=-0.099)])
def test_below_its_numbers_the_cross_check_is_silent(stj_mv: dict[str, float]) -> None:
    """Neither agrees nor differs."""
    words = ste_1(stj_mv).culprit
    assert words is not None
    assert "cross-check" not in words[0]


def test_a_high_v1_favours_a_place_before_the_first_septal_branch() -> None:
    """Above 0.25 mV, not at it."""
    words = [ste_1(front(-0.3, V1=v1)).culprit for v1 in (0.25, 0.251)]
    assert [said is not None and "before S1" in said[0] for said in words] == [False, True]


@pytest.mark.parametrize(("rules", "said"), [((), True), (("MIM-RBBB",), False)])
def test_a_new_right_block_favours_a_place_before_the_first_septal_branch(
    rules: tuple[str, ...], said: bool
) -> None:
    """New against the last ECG; one that was there before says nothing."""
    right = {"q_mv": 0.0, "r_mv": 0.05, "s_mv": -0.05, "r2_mv": 0.5, "r_peak_ms": 90.0}
    left = {"q_mv": 0.0, "r_mv": 1.0, "s_mv": -0.3, "s_ms": 60.0, "s2_ms": 0.0}
    made = measured(front(-0.3), qrs_ms=140.0, waves={"V1": right, "I": left})
    before = Earlier(
        ecg_id="a", same_episode=False, age_days=30, tier=Tier.NONE, stj_mv={}, rules=rules, version="2"
    )
    found = next(one for one in read(made, MAN, earlier=(before,)).findings if one.id == "STE-1")
    assert found.culprit is not None
    assert ("before S1" in found.culprit[0]) is said


def test_the_steps_are_printed_in_both_languages_in_place_of_the_usual_culprit() -> None:
    """With the values and the numbers they were held against."""
    en, zh = explain(ste_1(front(-0.3)))
    assert "possible culprit: LAD proximal to D1 (D = −(ST III + ST aVF) = +0.30 mV ≥ 0.25 mV)" in en
    assert "可能罪犯血管:左前降支D1近段(D = −(ST III + ST aVF) = +0.30 mV ≥ 0.25 mV)" in zh
    assert "左旋支" not in explain(ste_1(back(-0.06)))[1].split("可能罪犯血管:")[1].split("(")[0]


@pytest.mark.parametrize(
    ("stj_mv", "dead"),
    [
        (front(-0.1), ("V6",)),
        (front(-0.3), ("III",)),
        (back(-0.05), ("I",)),
        (back(0.0), ("V2",)),
        ({"V5": 0.2, "V6": 0.2, "I": 0.15, "aVL": 0.15}, ()),
    ],
)
def test_where_a_lead_is_missing_or_another_wall_is_meant_the_usual_culprit_stands(
    stj_mv: dict[str, float], dead: tuple[str, ...]
) -> None:
    """A step whose lead cannot be read is not guessed."""
    found = ste_1(stj_mv, dead)
    assert found.culprit is None
    assert "possible culprit: " in explain(found)[0]


def test_a_lead_that_no_step_needs_may_be_missing() -> None:
    """D alone decides here."""
    assert culprit(front(-0.3), dead=("V6", "aVR")) == "LAD proximal to D1"


def test_the_culprit_decides_nothing() -> None:
    """Tiers and findings are the same where it cannot be told; a child has none."""
    told, untold = reading(back(-0.06)), reading(back(-0.06) | {"V1": 0.0}, dead=("V1",))
    assert [one.tier for one in told.findings if one.id == "STE-1"] == [Tier.ACT]
    assert [one.tier for one in untold.findings if one.id == "STE-1"] == [Tier.ACT]
    child = read(measured(back(-0.06)), Patient(age_years=9, sex="male"))
    assert all(one.culprit is None for one in child.findings)


def test_every_number_has_a_source_and_a_mark_and_a_broken_table_is_loud() -> None:
    """The table is checked when it is loaded."""
    for group in (TABLE.lad, TABLE.inferior):
        assert all(getattr(group, name).source for name in group.__struct_fields__)
    with pytest.raises(RuleSetError, match="LOC-LAD"):
        load("[lad]\n[inferior]\n")
