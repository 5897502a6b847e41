"""Equivalents of ST elevation: the golden vectors, and what decides their tiers beside their own numbers."""

import msgspec
import pytest

from greenchannel.signal.leads import STANDARD_18
from greenchannel.triage.finding import Evidence, Finding, Patient, Tier
from greenchannel.triage.formulas import lad3, lad4, simplified
from greenchannel.triage.reading import Reading, read
from greenchannel.triage.rule_set import RULES, Numbers
from tests.rule_cases.equivalents_anterior import distorted, scarred, subtle
from tests.rule_cases.equivalents_blocks import bifascicular, left_block
from tests.rule_cases.kinds import MAN, Given
from tests.triage_measurements import measured


def reading(given: Given) -> Reading:
    """What the newest set says."""
    return read(given.made, given.patient, earlier=given.earlier)


def found(given: Given, rule: str) -> Finding | None:
    """The finding of one rule."""
    return next((one for one in reading(given).findings if one.id == rule), None)


def tier(given: Given, rule: str) -> Tier | None:
    """Its tier, None where the rule is silent."""
    one = found(given, rule)
    return None if one is None else one.tier


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (lad3(2, 420, 10), 23.912),
        (lad4(2, 420, 15, 10), 19.019),
        (lad3(2.5, 390, 20), 19.480),
        (lad4(2.5, 390, 25, 20), 13.800),
        (lad3(2, 400, 8), 23.384),
        (lad4(2, 400, 12, 8), 18.968),
    ],
)
def test_the_formulas_give_the_golden_values(value: float, expected: float) -> None:
    """Clinical specification, golden vectors: to the last printed digit."""
    assert value == pytest.approx(expected, abs=5e-4)


def test_the_simplified_formula_weighs_qt_in_boxes_of_paper() -> None:
    """QT of 400 ms is 10 mm of paper at 25 mm/s."""
    assert simplified(10, 15, 400, 2) == pytest.approx(13.0)


@pytest.mark.parametrize(
    ("st60", "qtc", "qrs2", "r4", "three", "four"),
    [
        (2.0, 420.0, 15.0, 10.0, Tier.URG, Tier.URG),
        (2.5, 390.0, 25.0, 20.0, None, None),
        (2.0, 400.0, 12.0, 8.0, None, Tier.URG),
    ],
)
def test_the_golden_recordings_read_as_the_specification_says(
    st60: float, qtc: float, qrs2: float, r4: float, three: Tier | None, four: Tier | None
) -> None:
    """Positive by both, by neither, and by the four-variable formula alone."""
    given = subtle(st60_mm=st60, qtc_ms=qtc, qrs_v2_mm=qrs2, r_v4_mm=r4)
    assert (tier(given, "EQV-LAD3"), tier(given, "EQV-LAD4")) == (three, four)


def test_where_the_formulas_disagree_the_one_of_four_variables_is_trusted() -> None:
    """The three-variable one alone is only noted; where the other cannot be computed it is urgent."""
    tall = subtle(qrs_v2_mm=30.0)
    assert (tier(tall, "EQV-LAD3"), tier(tall, "EQV-LAD4")) == (Tier.FLAG, None)
    assert tier(subtle(qrs_v2_mm=None), "EQV-LAD3") is Tier.URG


def test_the_formulas_show_what_went_into_them() -> None:
    """In millimetres, as on paper; QT of a slow heart is not corrected."""
    one = found(subtle(), "EQV-LAD4")
    assert one is not None
    assert "ST60 V3 2.0 mm, QTc 420.0 ms, QRS V2 15.0 mm, R V4 10.0 mm" in one.en
    slow = found(subtle(heart_rate_bpm=55.0, qt_ms=440.0, qtc_ms=400.0), "EQV-LAD4")
    assert slow is not None
    assert "QTc 440.0 ms" in slow.en


@pytest.mark.parametrize(("stj_uv", "expected"), [(390.0, None), (400.0, Tier.URG)])
def test_a_quarter_of_s_is_out_of_proportion(stj_uv: float, expected: Tier | None) -> None:
    """Golden vector: S −1.6 mV, J 0.39 mV is −0.244 and negative, 0.40 mV positive."""
    given = left_block({"V2": stj_uv})
    assert tier(given, "EQV-MSC") is expected
    one = found(given, "EQV-MSC")
    if one is not None:
        assert one.evidence[1].value == pytest.approx(-0.25)


def points(levels_uv: dict[str, float], **weights: float) -> float | None:
    """The points of Sgarbossa shown for these levels, with other weights on request."""
    row = RULES.rules["EQV-SGARB"]
    changed = {
        name: msgspec.structs.replace(row.numbers[name], value=value) for name, value in weights.items()
    }
    numbers = Numbers(row.id, {name: n.value for name, n in (row.numbers | changed).items()})
    rules = msgspec.structs.replace(RULES, numbers=RULES.numbers | {row.id: numbers})
    given = left_block(levels_uv)
    shown = [
        one.value
        for finding in read(given.made, given.patient, rules).findings
        for one in finding.evidence
        if one.quantity == "sgarbossa_points"
    ]
    return shown[0] if shown else None


def test_the_points_of_sgarbossa_add_up() -> None:
    """Five, three and two; two alone are too few."""
    a, b, c = {"V6": 100.0}, {"V2": -100.0}, {"V3": 500.0}
    assert points(a) == 5
    assert points(b) == 3
    assert points(c) is None
    assert points(a | b) == 8
    assert points(b | c) == 5
    assert points(a | b | c) == 10
    assert points(b | {"V3": 499.0}) == 3


def test_each_weight_of_sgarbossa_is_that_of_the_table() -> None:
    """Another weight gives other points, or none."""
    assert points({"V6": 100.0}, a_points=4) == 4
    assert points({"V2": -100.0}, b_points=2) is None
    assert points({"V3": 500.0}, c_points=3) == 3


def test_v7_to_v9_decide_a_posterior_infarction() -> None:
    """At their thresholds in two neighbours ACT; where the thresholds hang on an unknown age only urgent."""
    levels = {"V2": -0.06, "V3": -0.06, "V8": 0.05, "V9": 0.05}
    made = measured(levels, leads=STANDARD_18)
    assert tier(Given(made=made), "EQV-POST") is Tier.ACT
    assert tier(Given(made=measured(levels | {"V9": 0.04}, leads=STANDARD_18)), "EQV-POST") is Tier.URG
    assert tier(Given(made=made, patient=Patient(sex="male")), "EQV-POST") is Tier.URG
    assert tier(Given(made=made, patient=Patient(age_years=30, sex="male")), "EQV-POST") is Tier.URG


def test_a_posterior_infarction_without_v7_to_v9_asks_for_them() -> None:
    """The clinic is prompted, until they can be read."""
    levels = {"V2": -0.1, "V3": -0.1}
    assert "EQV-POST" in {one.id for one in reading(Given(made=measured(levels))).advice}
    behind = reading(Given(made=measured(levels, leads=STANDARD_18)))
    assert "EQV-POST" not in {one.id for one in behind.advice}


def test_depression_deepest_in_front_needs_v5_or_v6_to_compare_with() -> None:
    """Without either nobody knows where it is deepest; one is enough."""
    levels = {"V2": -0.1, "V3": -0.1}
    assert tier(Given(made=measured(levels, dead=("V5",))), "EQV-POST") is Tier.URG
    assert tier(Given(made=measured(levels, dead=("V5", "V6"))), "EQV-POST") is None


def test_shock_makes_a_left_main_pattern_a_proposal() -> None:
    """A pressure at the limit does not, nor an unknown one."""
    levels = dict.fromkeys(("I", "II", "V3", "V4", "V5", "V6"), -0.12) | {"aVR": 0.15}
    made = measured(levels)
    for patient, expected in (
        (MAN, Tier.URG),
        (Patient(age_years=61, sex="male", shock=True), Tier.ACT),
        (Patient(age_years=61, sex="male", shock=False, systolic_mmhg=90), Tier.URG),
        (Patient(age_years=61, sex="male", systolic_mmhg=85), Tier.ACT),
    ):
        assert tier(Given(made=made, patient=patient), "EQV-AVR") is expected


def test_an_unknown_age_may_be_old_enough_for_a_hyperacute_t() -> None:
    """The finding says that the age is missing."""
    waves = {"V3": {"t_mv": 1.2, "qrs_pp_mv": 1.2}}
    one = found(Given(made=measured({"V3": 0.5}, waves=waves), patient=Patient(sex="male")), "EQV-HATW")
    assert one is not None
    assert one.tier is Tier.URG
    assert "age is missing" in one.en


def test_a_distorted_terminal_qrs_beside_elevation_is_a_proposal() -> None:
    """With STE-1 ACT, alone urgent."""
    assert tier(distorted(), "EQV-TQRSD") is Tier.URG
    assert tier(distorted(250.0, v3_uv=250.0), "EQV-TQRSD") is Tier.ACT


def test_a_distorted_terminal_qrs_restores_what_hypertrophy_lowers() -> None:
    """The elevation of V2 and V3 stands again, and says by what."""
    large = {"aVL": {"q_mv": 0.0, "r_mv": 1.3, "s_mv": 0.0}}
    deep = {"q_mv": 0.0, "r_mv": 0.2, "s_mv": -2.0, "t_mv": 0.5}
    sharp = {"q_mv": 0.0, "r_mv": 2.0, "s_mv": 0.0, "t_mv": 0.5}
    levels = {"V2": 0.25, "V3": 0.25}
    lowered = reading(Given(made=measured(levels, waves=large | {"V2": deep, "V3": deep})))
    assert lowered.tier is Tier.URG
    one = found(Given(made=measured(levels, waves=large | {"V2": deep, "V3": sharp})), "STE-1")
    assert one is not None
    assert one.tier is Tier.ACT
    assert "MIM-LVH" in one.downgraded_by
    assert "EQV-TQRSD" in one.restored_by


def test_a_slur_at_the_end_of_the_qrs_is_no_notch() -> None:
    """The specification names the notch alone."""
    assert tier(distorted(jp_mv=0.2, j_slur=True), "EQV-TQRSD") is Tier.URG
    assert tier(distorted(jp_mv=0.2, j_slur=False), "EQV-TQRSD") is None


def test_an_aneurysm_lowers_the_elevation_of_v1_to_v4_and_no_other() -> None:
    """Large T keeps it, elevation elsewhere keeps it, a reciprocal depression restores it."""
    ste = found(scarred(), "STE-1")
    assert ste is not None
    assert (ste.tier, ste.downgraded_by) == (Tier.URG, ("EQV-LVA",))
    assert tier(scarred(0.4), "STE-1") is Tier.ACT
    assert tier(scarred(V5=0.2), "STE-1") is Tier.URG
    assert tier(scarred(V5=0.2, V6=0.2), "STE-1") is Tier.ACT
    restored = found(scarred(III=-0.1), "STE-1")
    assert restored is not None
    assert (restored.tier, restored.restored_by) == (Tier.ACT, ("STE-RECIP",))


def test_an_inverted_t_counts_as_none_for_an_aneurysm() -> None:
    """Positive T alone: −0.9 of QRS is not large."""
    assert tier(scarred(-0.9), "EQV-LVA") is Tier.FLAG


def test_symptoms_decide_how_urgent_two_blocked_fascicles_are() -> None:
    """Pain or other symptoms urgent, unknown a note, none silent."""
    for patient, expected in (
        (Patient(chest_pain=True), Tier.URG),
        (Patient(symptoms=True, chest_pain=False), Tier.URG),
        (Patient(), Tier.FLAG),
        (Patient(chest_pain=False), Tier.FLAG),
        (Patient(symptoms=False), None),
    ):
        assert tier(bifascicular(patient=patient), "EQV-RBLA") is expected


def test_v1_to_v3_do_not_count_behind_a_right_bundle_branch_block() -> None:
    """Six depressed leads of which two are secondary are four."""
    levels = dict.fromkeys(("I", "II", "V2", "V3", "V5", "V6"), -0.12) | {"aVR": 0.15}
    block = {"V1": {"r_mv": 0.8, "r_peak_ms": 90.0}, "I": {"s_ms": 60.0}}
    assert tier(Given(made=measured(levels)), "EQV-AVR") is Tier.URG
    assert tier(Given(made=measured(levels, waves=block, qrs_ms=140.0)), "EQV-AVR") is None


def test_no_equivalent_speaks_for_a_child() -> None:
    """They are rules for adults."""
    child = Patient(age_years=12, sex="male")
    for given in (distorted(), subtle(), scarred(), left_block({"V6": 120.0}), bifascicular()):
        ids = {one.id for one in read(given.made, child).findings}
        assert not {one for one in ids if one.startswith("EQV-")}


def test_evidence_of_a_ratio_names_its_lead_and_relation() -> None:
    """SAFE-5: values against thresholds."""
    one = found(left_block({"V2": 500.0}), "EQV-MSC")
    assert one is not None
    assert one.evidence[1] == Evidence(
        lead="V2", quantity="st_s_ratio", value=-0.3125, threshold=-0.25, rule="EQV-MSC", relation="<="
    )
