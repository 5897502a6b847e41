"""Laws of triage: what may never happen, whatever was measured."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from greenchannel.triage.finding import Patient, Tier
from greenchannel.triage.reading import read
from greenchannel.triage.rule_set import STE_LEADS
from greenchannel.triage.worklist import Place, explain, place
from tests.triage_measurements import measured

LEVEL_UV = st.sampled_from(
    [-120, -60, -50, -49, 0, 40, 49, 50, 99, 100, 124, 125, 149, 150, 199, 200, 249, 250, 400]
)
LEVELS = st.dictionaries(st.sampled_from(STE_LEADS), LEVEL_UV, min_size=4)
DEAD = st.sets(st.sampled_from(STE_LEADS), max_size=4)
PATIENTS = st.builds(
    Patient,
    age_years=st.sampled_from([None, 5, 17.9, 18, 29, 30, 39, 40, 61, 200]),
    sex=st.sampled_from([None, "male", "female", "?"]),
    chest_pain=st.sampled_from([None, True, False]),
)
QRS_MS = st.sampled_from([None, 90.0, 120.0, 160.0])
BOOLS = st.booleans()


def mv(levels_uv: dict[str, int]) -> dict[str, float]:
    """The same levels in mV."""
    return {lead: level / 1000 for lead, level in levels_uv.items()}


@given(LEVELS, DEAD, PATIENTS, QRS_MS, st.data())
def test_more_elevation_in_a_usable_lead_never_lowers_the_tier(
    levels_uv: dict[str, int], dead: set[str], patient: Patient, qrs_ms: float | None, data: st.DataObject
) -> None:
    """Raising a lead that was not itself the reciprocal depression keeps the tier or raises it."""
    free = sorted(lead for lead in levels_uv if lead not in dead and levels_uv[lead] > -50)
    if not free:
        return
    lead = data.draw(st.sampled_from(free))
    raised = levels_uv | {lead: levels_uv[lead] + data.draw(st.sampled_from([1, 25, 60, 300]))}
    before = read(measured(mv(levels_uv), leads=(), dead=dead, qrs_ms=qrs_ms), patient)
    after = read(measured(mv(raised), leads=(), dead=dead, qrs_ms=qrs_ms), patient)
    assert after.tier.rank <= before.tier.rank


@given(LEVELS, DEAD, PATIENTS, QRS_MS)
def test_poor_quality_never_hides(
    levels_uv: dict[str, int], dead: set[str], patient: Patient, qrs_ms: float | None
) -> None:
    """The same findings with the same tiers, and the wish for a new recording beside them."""
    good = read(measured(mv(levels_uv), leads=(), dead=dead, qrs_ms=qrs_ms), patient)
    poor = read(measured(mv(levels_uv), leads=(), dead=dead, qrs_ms=qrs_ms, acceptable=False), patient)
    assert [f for f in poor.findings if f.id != "SIG-5"] == [f for f in good.findings if f.id != "SIG-5"]
    assert "SIG-5" in {finding.id for finding in poor.findings}
    assert poor.tier is (good.tier if good.tier is not Tier.NONE else Tier.REC)


@given(LEVELS, DEAD, PATIENTS, QRS_MS)
def test_evidence_rests_on_usable_leads_and_meets_its_threshold(
    levels_uv: dict[str, int], dead: set[str], patient: Patient, qrs_ms: float | None
) -> None:
    """Each value shown is the one measured, in a usable lead, on the right side of its threshold."""
    reading = read(measured(mv(levels_uv), leads=(), dead=dead, qrs_ms=qrs_ms), patient)
    for finding in reading.findings:
        assert finding.en
        assert finding.zh
        for one in finding.evidence:
            assert one.lead not in dead
            if one.lead is not None and one.quantity == "stj_mv":
                assert abs(one.value - levels_uv[one.lead] / 1000) < 1e-12
            side = 1 if one.relation in (">=", ">") else -1
            assert side * (one.value - one.threshold) >= -1e-6
        if any(one.rule == "STE-1" for one in finding.evidence):
            assert finding.territories


@given(LEVELS, DEAD, PATIENTS)
def test_losing_a_lead_that_is_no_evidence_keeps_the_tier_or_raises_it(
    levels_uv: dict[str, int], dead: set[str], patient: Patient
) -> None:
    """What a finding rests on is all it needs: any other lead may come off."""
    before = read(measured(mv(levels_uv), leads=(), dead=dead), patient)
    used = {one.lead for finding in before.findings for one in finding.evidence}
    for lead in set(levels_uv) - used - dead:
        after = read(measured(mv(levels_uv), leads=(), dead=dead | {lead}), patient)
        assert after.tier.rank <= before.tier.rank or before.tier in (Tier.NONE, Tier.FLAG)


CASES = st.builds(
    lambda tier, answered, pain, minutes, number: (tier, answered, pain, minutes, f"case-{number}"),
    st.sampled_from(list(Tier)),
    BOOLS,
    st.sampled_from([None, True, False]),
    st.integers(0, 3000),
    st.integers(0, 99),
)
NOW = datetime(2026, 3, 3, tzinfo=UTC)
Case = tuple[Tier, bool, bool | None, int, str]


def key(case: Case, now: datetime = NOW) -> Place:
    """The place of a case that was opened so many minutes before `NOW`."""
    tier, answered, pain, minutes, case_id = case
    return place(
        tier=tier,
        answered=answered,
        patient=Patient(chest_pain=pain),
        opened_at=NOW - timedelta(minutes=minutes),
        case_id=case_id,
        now=now,
    )


@given(CASES, CASES)
def test_two_cases_never_tie(one: Case, other: Case) -> None:
    """The order is total and antisymmetric."""
    if one[4] != other[4]:
        assert (key(one) < key(other)) != (key(other) < key(one))
    assert all(explain(key(one), Patient()))


@given(st.lists(CASES, unique_by=lambda case: case[4]), st.data())
def test_an_update_moves_its_own_case_only(cases: list[Case], data: st.DataObject) -> None:
    """Answering one case leaves the order of all others as it was."""
    if not cases:
        return
    chosen = data.draw(st.sampled_from(cases))
    updated = [(c[0], True, *c[2:]) if c is chosen else c for c in cases]
    before = [c[4] for c in sorted(cases, key=key) if c[4] != chosen[4]]
    after = [c[4] for c in sorted(updated, key=key) if c[4] != chosen[4]]
    assert before == after


@given(CASES, st.sampled_from([None, True, False]))
def test_nobody_who_came_later_stays_ahead(case: Case, pain_of_later: bool | None) -> None:
    """An unanswered case stands before all of its tier that came an hour later, whatever is known of them."""
    tier, _, pain, minutes, name = case
    if minutes <= 60:  # no head start is longer
        return
    now = NOW + timedelta(days=2)
    assert key((tier, False, pain, minutes, name), now) < key((tier, False, pain_of_later, 0, "later"), now)
