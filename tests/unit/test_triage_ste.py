"""ST elevation: thresholds, neighbours, the borderline, the unknown and what holds a proposal back."""

import numpy as np
import pytest

from greenchannel.signal.measure import measure
from greenchannel.signal.measurements import Measurements
from greenchannel.signal.quality import message
from greenchannel.signal.synthesis import synthesize
from greenchannel.triage.finding import Finding, Patient, Tier
from greenchannel.triage.reading import read
from greenchannel.triage.report import reason_words
from greenchannel.triage.rule_set import RULES
from tests.triage_measurements import measured

MAN = Patient(age_years=61, sex="male")
FEW_BEATS = message("few_beats")
NEIGHBOUR = {
    "aVL": "I", "I": "aVL", "II": "aVF", "aVF": "III", "III": "aVF",
    "V1": "V2", "V2": "V3", "V3": "V2", "V4": "V5", "V5": "V4", "V6": "V5",
    "V7": "V8", "V8": "V9", "V9": "V8", "V3R": "V4R", "V4R": "V5R", "V5R": "V4R",
}  # fmt: skip
PLAIN = ("I", "II", "III", "aVL", "aVF", "V1", "V4", "V5", "V6")

# The STE-1 table once more, written out by hand: leads, sex, ages, threshold in µV.
ROWS = [
    (("V2", "V3"), "male", (18, 39.9), 250),
    (("V2", "V3"), "male", (40, 90), 200),
    (("V2", "V3"), "female", (18, 39.9, 40, 90), 150),
    (PLAIN, "male", (18, 29.9, 30, 39.9, 40, 90), 100),
    (PLAIN, "female", (18, 90), 100),
    (("V7", "V8", "V9"), "male", (18, 39.9), 100),
    (("V7", "V8", "V9"), "male", (40, 90), 50),
    (("V7", "V8", "V9"), "female", (18, 90), 50),
    (("V3R", "V4R", "V5R"), "male", (18, 29.9), 100),
    (("V3R", "V4R", "V5R"), "male", (30, 90), 50),
    (("V3R", "V4R", "V5R"), "female", (18, 90), 50),
]
CELLS = [(lead, sex, age_years, uv) for leads, sex, ages, uv in ROWS for age_years in ages for lead in leads]


def ste(finding_id: str, findings: tuple[Finding, ...]) -> Finding | None:
    """The finding of one rule, or None where it did not fire."""
    return next((finding for finding in findings if finding.id == finding_id), None)


@pytest.mark.parametrize(("lead", "sex", "age_years", "uv"), CELLS)
def test_the_threshold_of_every_cell_fires_at_its_value(
    lead: str, sex: str, age_years: float, uv: int
) -> None:
    """1 µV below nothing fires; at the threshold, also as a 32-bit number, and 1 µV above it does."""
    patient = Patient(age_years=age_years, sex=sex)
    for offset_uv, fires in ((-1, False), (-0.01, False), (0, True), (1, True)):
        for value in ((uv + offset_uv) / 1000, float(np.float32((uv + offset_uv) / 1000))):
            levels = {lead: value, NEIGHBOUR[lead]: 0.9}
            # Nothing else may make a pair with the neighbour: its other side stays at 0.
            found = ste("STE-1", read(measured(levels), patient).findings)
            assert (found is not None) is fires, (offset_uv, value)


@pytest.mark.parametrize(
    "pair",
    [
        ("aVL", "I"), ("I", "II"), ("II", "aVF"), ("aVF", "III"), ("V5R", "V4R"), ("V4R", "V3R"), ("V3R", "V1"),
        ("V1", "V2"), ("V2", "V3"), ("V3", "V4"), ("V4", "V5"), ("V5", "V6"), ("V6", "V7"), ("V7", "V8"),
        ("V8", "V9"),
    ],
)  # fmt: skip
def test_neighbours_make_a_finding(pair: tuple[str, str]) -> None:
    """Each two neighbours of the limb and the chest chain; −aVR bridges I and II. Each pair has a wall's name."""
    levels = dict.fromkeys(pair, 0.4)
    reading = read(measured(levels, leads=NEIGHBOUR), MAN)
    assert reading.tier is Tier.ACT
    assert {one.lead for one in reading.findings[0].evidence} == set(pair)
    assert reading.findings[0].territories


@pytest.mark.parametrize(
    "pair", [("aVL", "II"), ("I", "III"), ("aVL", "V1"), ("V1", "V3"), ("V6", "I"), ("V2", "V5")]
)
def test_leads_apart_make_none(pair: tuple[str, str]) -> None:
    """Two elevated leads that are no neighbours are no finding."""
    assert read(measured(dict.fromkeys(pair, 0.4)), MAN).tier is Tier.NONE


def test_avr_does_not_count() -> None:
    """aVR neither qualifies nor makes a pair."""
    assert read(measured({"aVR": 0.9, "I": 0.4}), MAN).tier is Tier.NONE


def test_a_dead_lead_between_does_not_silence() -> None:
    """V2 and V4 are neighbours when V3 came off; V3 is no evidence and helps only to name the wall."""
    found = read(measured({"V2": 0.4, "V3": 5.0, "V4": 0.3}, dead=["V3"]), MAN).findings[0]
    assert found.tier is Tier.ACT
    assert [one.lead for one in found.evidence] == ["V2", "V4"]
    assert found.territories == ("anteroseptal",)


def test_a_lead_not_recorded_between_does_not_silence() -> None:
    """What was never recorded counts like what came off."""
    found = read(measured({"II": 0.3, "III": 0.3}, leads=["I", "II", "III", "V1"]), MAN).findings[0]
    assert found.territories == ("inferior",)


def test_two_dead_leads_between_part_the_set() -> None:
    """V2 and V5 without V3 and V4 are too far apart to be called neighbours."""
    assert read(measured({"V2": 0.4, "V5": 0.4}, dead=["V3", "V4"]), MAN).tier is Tier.NONE


def test_a_readable_lead_below_its_threshold_parts_the_set() -> None:
    """V3 was read and is not elevated: V2 and V4 are no neighbours."""
    assert read(measured({"V2": 0.4, "V3": 0.1, "V4": 0.4}), MAN).tier is Tier.NONE


def test_evidence_never_comes_from_an_unusable_lead() -> None:
    """Both leads must be usable; a level in a bad lead is not even looked at."""
    assert read(measured({"V2": 0.4, "V3": 0.4}, dead=["V3"]), MAN).tier is Tier.NONE


@pytest.mark.parametrize("level", [None, float("nan"), float("inf")])
def test_a_level_that_is_no_number_is_unknown(level: float | None) -> None:
    """Unknown is not 0: the lead is passed over, like one that came off."""
    found = read(measured({"V2": 0.4, "V3": level, "V4": 0.3}), MAN).findings[0]
    assert [one.lead for one in found.evidence] == ["V2", "V4"]


def test_a_borderline_pair_alone_is_urgent() -> None:
    """The weaker lead lies less than 25 µV above its threshold: URG, and the reading says why."""
    found = read(measured({"II": 0.3, "aVF": 0.124}), MAN).findings[0]
    assert (found.tier, found.downgraded_by, found.restored_by) == (Tier.URG, ("MEAS-5",), ())
    assert "临界" in found.zh
    assert "心肌梗死(ST段抬高型)" in found.zh


def test_25_microvolts_above_is_not_borderline() -> None:
    """The borderline ends at exactly 25 µV, also for 32-bit numbers."""
    found = read(measured({"II": 0.3, "aVF": float(np.float32(0.125))}), MAN).findings[0]
    assert (found.tier, found.downgraded_by) == (Tier.ACT, ())


def test_a_reciprocal_depression_restores() -> None:
    """A borderline pair with depression opposite proposes the green channel, and shows the depression."""
    found = read(measured({"III": 0.11, "aVF": 0.11, "aVL": -0.05}), MAN).findings[0]
    assert (found.tier, found.downgraded_by, found.restored_by) == (Tier.ACT, ("MEAS-5",), ("STE-RECIP",))
    mirrored = [one for one in found.evidence if one.rule == "STE-RECIP"]
    assert [(one.lead, one.value, one.threshold) for one in mirrored] == [("aVL", -0.05, -0.05)]


def test_a_third_lead_restores() -> None:
    """Three leads in one contiguous set or in two make up for a borderline pair; a lone one elsewhere does not."""
    found = read(measured({"II": 0.11, "aVF": 0.11, "III": 0.11}), MAN).findings[0]
    assert (found.tier, found.restored_by) == (Tier.ACT, ("third_lead",))
    two_pairs = read(measured({"II": 0.11, "aVF": 0.11, "V5": 0.11, "V6": 0.11}), MAN).findings[0]
    assert (two_pairs.tier, two_pairs.restored_by) == (Tier.ACT, ("third_lead",))
    lone = read(measured({"II": 0.11, "aVF": 0.11, "V5": 0.5}), MAN).findings[0]
    assert lone.tier is Tier.URG


@pytest.mark.parametrize(
    ("elevated", "depressed"),
    [
        (("III", "aVF"), "aVL"), (("III", "aVF"), "I"), (("aVL", "I"), "III"), (("aVL", "I"), "aVF"),
        (("V3", "V4"), "III"), (("II", "aVF"), "V2"), (("V1", "V2"), "V8"), (("V7", "V8"), "V2"),
    ],
)  # fmt: skip
def test_the_opposite_of_each_wall(elevated: tuple[str, str], depressed: str) -> None:
    """Depression counts from −0.05 mV on; 1 µV less is none, and its absence vetoes nothing."""
    for level, seen in ((-0.05, True), (-0.049, False)):
        levels = dict.fromkeys(elevated, 0.4) | {depressed: level}
        found = read(measured(levels, leads=NEIGHBOUR), MAN).findings[0]
        assert found.tier is Tier.ACT
        assert (depressed in {one.lead for one in found.evidence}) is seen


def test_unknown_demographics_do_not_matter_where_every_profile_agrees() -> None:
    """0.3 mV is above the highest threshold of the table."""
    found = read(measured({"V2": 0.3, "V3": 0.3}), Patient()).findings[0]
    assert (found.tier, found.downgraded_by) == (Tier.ACT, ())
    assert {one.threshold for one in found.evidence} == {0.25}


@pytest.mark.parametrize(
    "patient",
    [Patient(), Patient(sex="male"), Patient(age_years=30), Patient(age_years=-4), Patient(age_years=350)],
)
def test_unknown_demographics_that_matter_make_it_urgent(patient: Patient) -> None:
    """0.2 mV in V2 and V3 is enough for some of the possible patients only; an impossible age is unknown."""
    found = read(measured({"V2": 0.2, "V3": 0.2}), patient).findings[0]
    assert found.tier is Tier.URG
    assert "demographics_missing" in found.downgraded_by
    assert "年龄或性别缺失" in found.zh


def test_a_woman_of_unknown_age_has_one_threshold() -> None:
    """Her thresholds do not depend on her age, so nothing is missing."""
    found = read(measured({"V2": 0.2, "V3": 0.2}), Patient(sex="female")).findings[0]
    assert (found.tier, found.downgraded_by) == (Tier.ACT, ())


def test_an_unknown_word_for_sex_is_unknown() -> None:
    """Anything but male and female counts as unknown."""
    found = read(measured({"V2": 0.2, "V3": 0.2}), Patient(age_years=30, sex="O")).findings[0]
    assert "demographics_missing" in found.downgraded_by


def test_no_adult_rule_speaks_for_a_child() -> None:
    """Below 18 an elevation is URG and not called an infarction; at 18 the adult rules stand."""
    levels = measured({"V2": 0.6, "V3": 0.6})
    child = read(levels, Patient(age_years=17.9, sex="male"))
    assert (child.tier, child.findings[0].downgraded_by) == (Tier.URG, ("age_under_18",))
    assert "心肌梗死" not in child.zh
    assert "成人ST段抬高标准不适用" in child.zh
    assert read(levels, Patient(age_years=18, sex="male")).tier is Tier.ACT


def test_silence_about_a_child_is_urgent_too() -> None:
    """Where nothing is elevated the reading says that no adult rule was applied, and a person reads it soon."""
    child = read(measured(), Patient(age_years=9))
    assert (child.tier, child.findings[0].evidence) == (Tier.URG, ())
    assert child.zh.endswith("未予使用")


@pytest.mark.parametrize(
    ("made", "reason"),
    [
        (measured({"V2": 0.4, "V3": 0.4}, qrs_ms=120.0), "wide_qrs"),
        (measured({"V2": 0.4, "V3": 0.4}, qrs_ms=None), "qrs_unknown"),
        (measured({"V2": 0.4, "V3": 0.4}, messages=(FEW_BEATS,)), "MEAS-1"),
        (measured({"V2": 0.4, "V3": 0.4}, st_reliable=False), "st_unreliable"),
        (measured({"V2": 0.4, "V3": 0.4}, reversal="LEAD-1"), "lead_reversal"),
    ],
)
def test_what_holds_a_proposal_back_never_hides(made: Measurements, reason: str) -> None:
    """Whatever lowers ACT to URG keeps sentence and evidence."""
    found = read(made, MAN).findings[0]
    assert (found.id, found.tier, found.downgraded_by) == ("STE-1", Tier.URG, (reason,))
    assert found.zh.startswith("考虑急性前间壁心肌梗死(ST段抬高型),请结合临床及心肌损伤标志物。紧急复核,")
    assert len(found.evidence) == 2


def test_a_narrow_qrs_holds_nothing_back() -> None:
    """The guard begins at 120 ms, and other messages on quality hold nothing back."""
    wander = message("wander", "V2")
    made = measured({"V2": 0.4, "V3": 0.4}, qrs_ms=119.9, messages=(wander,))
    found = read(made, MAN).findings[0]
    assert (found.tier, found.downgraded_by) == (Tier.ACT, ())


def test_two_beats_alone_never_propose_the_green_channel() -> None:
    """A strip with two beats shows its elevation with URG, and asks for a new recording (MEAS-1)."""
    strip = synthesize(
        scenario="extensive_anterior_high_lateral_stemi", duration_s=2.6, heart_rate_bpm=50, noise_mv=0.01
    )
    reading = read(measure(strip), MAN)
    assert reading.tier is Tier.URG
    assert reading.findings[0].downgraded_by == ("MEAS-1",)
    assert {"STE-1", "SIG-5"} <= {finding.id for finding in reading.findings}


def test_an_inferior_elevation_asks_for_more_leads() -> None:
    """Right and posterior leads that cannot be read are asked for by name; where all are there, none is."""
    levels = {"II": 0.2, "III": 0.2, "aVF": 0.2}
    (advice,) = read(measured(levels), MAN).advice
    assert advice.zh == "下壁ST段抬高:请加做V3R V4R V5R V7 V8 V9导联"
    (fewer,) = read(measured(levels, leads=NEIGHBOUR, dead=["V8"]), MAN).advice
    assert "record V8 as well" in fewer.en
    assert read(measured(levels, leads=NEIGHBOUR), MAN).advice == ()
    assert read(measured({"V2": 0.4, "V3": 0.4}), MAN).advice == ()


def test_the_right_ventricle_by_a_right_chest_lead() -> None:
    """V4R at its threshold beside an inferior elevation: a finding of its own, as urgent, with the warning."""
    levels = {"II": 0.2, "III": 0.2, "aVF": 0.2, "V4R": 0.05}
    found = ste("STE-RV", read(measured(levels, leads=NEIGHBOUR), MAN).findings)
    assert found is not None
    assert (found.tier, found.territories) == (Tier.ACT, ("right_ventricular",))
    assert "避免使用硝酸酯类药物" in found.zh
    young = read(measured(levels, leads=NEIGHBOUR), Patient(age_years=25, sex="male"))
    assert ste("STE-RV", young.findings) is None


def test_the_right_ventricle_by_limb_leads() -> None:
    """III above II and V1 from 0.05 mV on; equal leads say nothing."""
    assert ste("STE-RV", read(measured({"II": 0.2, "III": 0.3, "aVF": 0.2, "V1": 0.05}), MAN).findings)
    assert not ste("STE-RV", read(measured({"II": 0.3, "III": 0.3, "aVF": 0.3, "V1": 0.05}), MAN).findings)
    assert not ste("STE-RV", read(measured({"II": 0.0, "III": 0.3, "V1": 0.05}), MAN).findings)


def test_every_reason_to_hold_back_has_words() -> None:
    """What a finding may name in `downgraded_by` can be said in both languages."""
    lowering = [row.id for row in RULES.rules.values() if row.lowers]
    for name in ("MEAS-5", "demographics_missing", *lowering):
        assert all(reason_words(name, RULES)), name


def test_evidence_says_what_was_measured_and_by_which_rule() -> None:
    """Lead, quantity by its wire name, value, threshold and rule, for the elevation and for what is opposite."""
    made = measured({"III": 0.2, "aVF": 0.15, "aVL": -0.1})
    found = ste("STE-1", read(made, MAN).findings)
    assert found is not None
    shown = [(one.lead, one.quantity, one.value, one.threshold, one.rule) for one in found.evidence]
    assert shown == [
        ("aVF", "stj_mv", 0.15, 0.1, "STE-1"),
        ("III", "stj_mv", 0.2, 0.1, "STE-1"),
        ("aVL", "stj_mv", -0.1, -0.05, "STE-RECIP"),
    ]


def test_only_what_lies_opposite_is_reciprocal() -> None:
    """A depression in aVL says nothing of an anterior elevation."""
    found = ste("STE-1", read(measured({"V2": 0.3, "V3": 0.3, "aVL": -0.1}), MAN).findings)
    assert found is not None
    assert {one.rule for one in found.evidence} == {"STE-1"}


def test_a_clear_elevation_needs_no_restoring() -> None:
    """`restored_by` speaks of the borderline alone, whatever is opposite and however many leads there are."""
    found = ste("STE-1", read(measured({"II": 0.3, "III": 0.3, "aVF": 0.3, "aVL": -0.1}), MAN).findings)
    assert found is not None
    assert (found.downgraded_by, found.restored_by) == ((), ())


def test_borderline_under_one_profile_and_clear_under_another() -> None:
    """0.21 mV in V2 and V3, sex unknown: borderline in a man, ACT in a woman, so both reasons are said."""
    found = ste("STE-1", read(measured({"V2": 0.21, "V3": 0.21}), Patient(age_years=61)).findings)
    assert found is not None
    assert (found.tier, found.downgraded_by) == (Tier.URG, ("MEAS-5", "demographics_missing"))


@pytest.mark.parametrize(("levels", "fired"), [({"V2": 0.4, "V3": 0.4}, True), ({}, False)])
def test_a_childs_finding_has_its_rule_its_reason_and_its_words(
    levels: dict[str, float], fired: bool
) -> None:
    """Both the finding and the silence carry the rule, `age_under_18` and the sentence that fits."""
    (found,) = read(measured(levels), Patient(age_years=9, sex="male")).findings
    assert (found.id, found.downgraded_by) == ("STE-1", ("age_under_18",))
    assert found.en.endswith("ST elevation in contiguous leads, urgent over-read") is fired
    assert found.territories == (("anteroseptal",) if fired else ())


def test_the_right_ventricle_is_as_urgent_as_the_wall_beside_it() -> None:
    """STE-RV takes over tier, downgrades and what restored them, and shows its own rule on every evidence."""
    levels = {"III": 0.115, "aVF": 0.115, "V1": 0.05, "aVL": -0.1}
    for qrs_ms, tier, down in ((92.0, Tier.ACT, ("MEAS-5",)), (130.0, Tier.URG, ("MEAS-5", "wide_qrs"))):
        found = ste("STE-RV", read(measured(levels, qrs_ms=qrs_ms), MAN).findings)
        assert found is not None
        assert (found.tier, found.downgraded_by, found.restored_by) == (tier, down, ("STE-RECIP",))
        assert [(one.lead, one.threshold, one.rule) for one in found.evidence] == [
            ("III", 0.0, "STE-RV"),
            ("V1", 0.05, "STE-RV"),
        ]
        assert "avoid nitrates" in found.en and "硝酸酯" in found.zh


def test_a_right_chest_lead_is_evidence_of_its_own() -> None:
    """V4R at its threshold beside an inferior elevation, with II above III."""
    made = measured({"II": 0.3, "III": 0.2, "aVF": 0.25, "V4R": 0.05}, leads=NEIGHBOUR)
    found = ste("STE-RV", read(made, MAN).findings)
    assert found is not None
    assert [(one.lead, one.value, one.rule) for one in found.evidence] == [("V4R", 0.05, "STE-RV")]


def test_the_limb_leads_alone_can_speak_for_the_right_ventricle() -> None:
    """Nothing but II, III, aVF and V1 is needed; equal levels in II and III say nothing."""
    four = ("II", "III", "aVF", "V1")
    above = measured({"II": 0.2, "III": 0.3, "aVF": 0.25, "V1": 0.06}, leads=four)
    equal = measured({"II": 0.3, "III": 0.3, "aVF": 0.3, "V1": 0.06}, leads=four)
    assert ste("STE-RV", read(above, MAN).findings) is not None
    assert ste("STE-RV", read(equal, MAN).findings) is None
    three = measured({"II": 0.2, "III": 0.3, "V1": 0.06}, leads=("II", "III", "V1"))
    assert ste("STE-RV", read(three, MAN).findings) is not None


def test_a_weak_suspicion_of_swapped_leads_is_only_said() -> None:
    """LEAD-4 has little specificity: the proposal stays ACT and the suspicion stands beside it."""
    reading = read(measured({"V2": 0.4, "V3": 0.4}, reversal="LEAD-4"), MAN)
    assert (reading.tier, reading.findings[0].downgraded_by) == (Tier.ACT, ())
    assert ste("LEAD-4", reading.findings) is not None
