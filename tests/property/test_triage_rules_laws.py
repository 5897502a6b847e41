"""Laws of all rules at once, over lead measurements of every kind: what may never happen, whatever was measured."""

import math
from dataclasses import replace
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from greenchannel.signal.measurements import LeadMeasurement, Measurements
from greenchannel.triage.electrode_sets import Beside
from greenchannel.triage.finding import Patient, Tier
from greenchannel.triage.quantities import QUANTITIES
from greenchannel.triage.reading import read
from greenchannel.triage.report import explain
from greenchannel.triage.rule_set import RULES, STE_LEADS, rule_set, versions
from tests.triage_measurements import measured

LEADS = (*STE_LEADS, "aVR")
MV = st.sampled_from([None, -1.2, -0.3, -0.15, -0.08, -0.05, 0.0, 0.0, 0.05, 0.12, 0.3, 0.6, 1.4])
MS = st.sampled_from([None, 0.0, 18.0, 30.0, 45.0, 90.0])
FIELDS: dict[str, st.SearchStrategy[Any]] = {
    name: MS if name.endswith("_ms") else MV
    for name in LeadMeasurement._fields
    if name not in ("usable", "j_slur", "t_low_last", "p_low_last")
}
ONE_LEAD = st.fixed_dictionaries(FIELDS)
PATIENTS = st.builds(
    Patient,
    age_years=st.sampled_from([None, 9.0, 25.0, 45.0, 70.0]),
    sex=st.sampled_from([None, "male", "female"]),
    chest_pain=st.sampled_from([None, True, False]),
    shock=st.sampled_from([None, True]),
    potassium_mmol_l=st.sampled_from([None, 2.2, 4.0, 7.5]),
)


@st.composite
def recordings(draw: st.DrawFn) -> Measurements:
    """Twelve to eighteen leads with any waves, any conduction and rhythm."""
    waves = {lead: draw(ONE_LEAD) for lead in draw(st.lists(st.sampled_from(LEADS), min_size=5, unique=True))}
    qt_ms = draw(st.sampled_from([None, 380.0, 520.0, 600.0]))
    return measured(
        leads=waves,
        dead=draw(st.sets(st.sampled_from(sorted(waves)), max_size=3)),
        waves=waves,
        qrs_ms=draw(st.sampled_from([None, 92.0, 130.0, 160.0])),
        rhythm={
            "name": draw(st.sampled_from(["sinus", "atrial_flutter", "ventricular_tachycardia", "unknown"])),
            "paced_share": draw(st.sampled_from([None, 0.0, 1.0])),
        },
        heart_rate_bpm=draw(st.sampled_from([None, 30.0, 75.0, 150.0, 230.0])),
        pr_ms=draw(st.sampled_from([None, 90.0, 160.0])),
        qt_ms=qt_ms,
        qtc_bazett_ms=qt_ms,
        qtc_fridericia_ms=qt_ms,
        axis_deg=draw(st.sampled_from([None, -60.0, 30.0, 110.0])),
        st_reliable=draw(st.booleans()),
    )


@given(recordings(), recordings(), recordings(), PATIENTS)
def test_leads_of_other_recordings_and_corrected_ones_never_break_a_reading(
    made: Measurements, other: Measurements, undone: Measurements, patient: Patient
) -> None:
    """Every evidence of a lead of another recording names it, and no other does."""
    own = set(made.leads)
    others = {
        lead: Beside(ecg_id="e-other", values=values)
        for lead, values in other.leads.items()
        if lead not in own and values.usable
    }
    for finding in read(made, patient, others=others, corrected=undone).findings:
        for one in finding.evidence:
            if one.trace != "corrected":
                assert (one.trace == "e-other") is (one.lead in others), (finding.id, one)


@given(recordings(), PATIENTS, st.sampled_from(versions()))
def test_evidence_is_measured_in_usable_leads_and_stands_on_its_side(
    made: Measurements, patient: Patient, version: str
) -> None:
    """Value as measured, finite threshold, known quantity, words in both languages, known reasons."""
    rules = rule_set(version)
    for finding in read(made, patient, rules).findings:
        assert finding.en and finding.zh
        assert all(explain(finding))
        for one in finding.evidence:
            assert one.lead is None or (
                made.leads[one.lead].usable and one.lead not in made.quality.bad_leads
            )
            assert math.isfinite(one.value) and math.isfinite(one.threshold), one
            assert one.quantity in QUANTITIES, one.quantity
            if one.lead is not None and hasattr(made.leads[one.lead], one.quantity):
                own = getattr(made.leads[one.lead], one.quantity)
                assert own is not None and (one.value == own or one.quantity.endswith("_ms"))
            side = 1 if one.relation in (">=", ">") else -1
            assert side * (one.value - one.threshold) >= -1e-6, one
        known = {"MEAS-5", "demographics_missing", "age_under_18", *rules.rules}
        assert set(finding.downgraded_by) <= known


@given(recordings(), PATIENTS)
def test_poor_quality_adds_and_hides_nothing(made: Measurements, patient: Patient) -> None:
    """The same findings with the same tiers, and the wish for a new recording beside them."""
    poor = replace(made, quality=replace(made.quality, acceptable=False))
    before = [one for one in read(made, patient).findings if one.id != "SIG-5"]
    after = read(poor, patient)
    assert [one for one in after.findings if one.id != "SIG-5"] == before
    assert any(one.id == "SIG-5" for one in after.findings)


@given(recordings(), PATIENTS)
def test_what_lowers_hides_nothing(made: Measurements, patient: Patient) -> None:
    """Without any rule that lowers, the same findings stand, each at least as urgent."""
    plain = {name: msgspec.structs.replace(row, lowers=()) for name, row in RULES.rules.items()}
    free = read(made, patient, msgspec.structs.replace(RULES, rules=plain))
    lowered = {(one.id, one.evidence): one.tier for one in read(made, patient).findings}
    for one in free.findings:
        if one.id == "CV-1":  # it stands beside what is still a proposal
            continue
        assert (one.id, one.evidence) in lowered
        assert lowered[one.id, one.evidence].rank >= one.tier.rank


@given(recordings(), PATIENTS)
def test_a_child_has_no_adult_st_rule(made: Measurements, patient: Patient) -> None:
    """No equivalent, no proposal; and never silence."""
    child = msgspec.structs.replace(patient, age_years=9.0)
    reading = read(made, child)
    assert reading.tier.rank <= Tier.URG.rank
    assert not any(one.tier is Tier.ACT or one.id.startswith("EQV") for one in reading.findings)


@given(recordings(), PATIENTS, st.sampled_from(["pain", "shock", "troponin"]))
def test_context_never_hides(made: Measurements, patient: Patient, more: str) -> None:
    """What is added of a patient's danger keeps the tier or raises it."""
    told = {"pain": {"chest_pain": True}, "shock": {"shock": True}, "troponin": {"troponin_raised": True}}[
        more
    ]
    before, after = read(made, patient), read(made, msgspec.structs.replace(patient, **told))
    assert after.tier.rank <= before.tier.rank
