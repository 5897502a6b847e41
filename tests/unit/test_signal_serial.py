"""Comparison of two recordings of one patient."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from greenchannel.signal.serial import AMPLITUDE_MV, INTERVAL, Comparison, MeasuredBeat, compare

LEADS = ("I", "II", "V1", "V2", "V5")
T_S = (np.arange(540) - 210) / 500.0


def bump(centre_s: float, width_s: float) -> np.ndarray:
    return np.exp(-0.5 * ((T_S - centre_s) / width_s) ** 2)


def beat(
    *,
    later_by_s: float = 0.0,
    st_mv: float = 0.0,
    t_mv: float = 0.3,
    qrs_on: int = 190,
    qrs_off: int = 232,
    seed: int | None = None,
    **rest: object,
) -> MeasuredBeat:
    """A beat with R at ``later_by_s``, an ST plateau and a T; the first lead is the largest."""
    size = np.array([1.0, 0.8, -0.6, 0.5, 0.9])[:, None]
    trace = size * (bump(later_by_s, 0.012) - 0.3 * bump(later_by_s + 0.025, 0.008))
    plateau = (
        1 / (1 + np.exp(-(T_S - later_by_s - 0.03) / 0.003)) / (1 + np.exp((T_S - later_by_s - 0.2) / 0.02))
    )
    trace = trace + st_mv * plateau + t_mv * bump(later_by_s + 0.26, 0.04)
    if seed is not None:
        trace = trace + 0.05 * np.random.default_rng(seed).normal(size=trace.shape)
    amplitudes = {"stj_mv": np.full(5, st_mv), "st60_mv": np.full(5, st_mv), "t_mv": np.full(5, t_mv)}
    amplitudes |= {"r_mv": np.full(5, 1.0), "q_mv": np.zeros(5), "s_mv": np.full(5, -0.3)}
    made: dict[str, object] = {
        "leads": LEADS,
        "usable": np.ones(5, dtype=bool),
        "beat_mv": trace.astype(np.float32),
        "qrs_on": qrs_on,
        "qrs_off": qrs_off,
        "amplitudes": amplitudes,
        "intervals": {"rate_bpm": 70.0, "pr_ms": 160.0, "qrs_ms": 90.0, "qtc_ms": 410.0, "axis_deg": 40.0},
    }
    return MeasuredBeat(**(made | rest))  # type: ignore[arg-type]


def negated(c: Comparison) -> Comparison:
    """The comparison with every sign turned."""

    def turn(values: dict[str, float | None]) -> dict[str, float | None]:
        return {key: None if v is None else -v for key, v in values.items()}

    leads = {}
    for name, lead in c.leads.items():
        values = {f: getattr(lead, f) for f in lead.__dataclass_fields__}
        values |= {"change_mv": turn(lead.change_mv), "aligned_mv": turn(lead.aligned_mv)}
        leads[name] = type(lead)(**values)
    shift = None if c.shift_ms is None else -c.shift_ms
    return Comparison(
        compared=c.compared,
        reason=c.reason,
        shift_ms=shift,
        leads=leads,
        changes=turn(c.changes),
        exceeds=c.exceeds,
    )


def test_a_recording_compared_with_itself_has_not_changed() -> None:
    """Every difference is 0, every correlation 1, and nothing exceeds measuring error."""
    a = beat(seed=1)
    c = compare(a, a)
    assert c.compared and c.shift_ms == 0.0 and c.exceeds == ()
    assert set(c.changes.values()) == {0.0}
    for lead in c.leads.values():
        assert {v for v in lead.aligned_mv.values()} == {0.0}
        assert lead.rms_mv == 0.0 and lead.exceeds == () and not lead.t_polarity_changed
        assert lead.qrs_correlation == pytest.approx(1.0) and lead.st_t_correlation == pytest.approx(1.0)


BEATS = st.builds(
    beat,
    later_by_s=st.floats(-0.02, 0.02),
    st_mv=st.floats(-0.4, 0.4),
    t_mv=st.floats(-0.6, 0.6),
    qrs_on=st.integers(180, 195),
    qrs_off=st.integers(225, 250),
    seed=st.one_of(st.none(), st.integers(0, 50)),
)


@given(BEATS, BEATS)
def test_exchanging_the_two_turns_every_sign_and_nothing_else(a: MeasuredBeat, b: MeasuredBeat) -> None:
    """compare(a, b) is minus compare(b, a), to the last bit."""
    assert compare(a, b) == negated(compare(b, a))


@given(BEATS)
def test_no_beat_differs_from_itself(a: MeasuredBeat) -> None:
    """compare(a, a) is zero."""
    c = compare(a, a)
    assert c == negated(c)
    assert all(lead.rms_mv == 0.0 and lead.exceeds == () for lead in c.leads.values())


@pytest.mark.parametrize("shift_s", [0.0, 0.0007, -0.0031, 0.0102, 0.0251])
def test_a_beat_that_was_placed_otherwise_is_put_right(shift_s: float) -> None:
    """R placed a few milliseconds aside is found to a fifth of a millisecond, and leaves no difference in ST."""
    c = compare(
        beat(),
        beat(later_by_s=shift_s, qrs_on=190 + round(500 * shift_s), qrs_off=232 + round(500 * shift_s)),
    )
    assert c.shift_ms == pytest.approx(1000 * shift_s, abs=0.2)
    assert all(abs(v or 0.0) < 0.01 for lead in c.leads.values() for v in lead.aligned_mv.values())
    assert all(lead.exceeds == () for lead in c.leads.values())


@pytest.mark.parametrize(("new_mv", "flag"), [(0.04, False), (0.06, True), (-0.06, True), (0.15, True)])
def test_st_within_50_microvolts_is_unchanged(new_mv: float, flag: bool) -> None:
    """The decision order's ±50 µV: measured at the own borders or at common ones, either is enough to exceed it."""
    c = compare(beat(), beat(st_mv=new_mv))
    for lead in c.leads.values():
        assert lead.aligned_mv["st60_mv"] == pytest.approx(new_mv, abs=0.005)
        assert lead.change_mv["stj_mv"] == pytest.approx(new_mv)
        assert ("stj_mv" in lead.exceeds) is flag


def test_a_t_wave_that_turned_over_is_named() -> None:
    """From +0.3 to −0.2 mV: polarity, amplitude and shape of ST-T are all beyond error."""
    c = compare(beat(t_mv=0.3), beat(t_mv=-0.2))
    for lead in c.leads.values():
        assert lead.t_polarity_changed and {"t_mv", "t_polarity", "st_t_shape"} <= set(lead.exceeds)
        assert lead.change_mv["t_mv"] == pytest.approx(-0.5)
    assert not compare(beat(t_mv=0.03), beat(t_mv=-0.03)).leads["I"].t_polarity_changed


def test_unknown_stays_unknown() -> None:
    """What one of the two does not know has no difference and counts as neither changed nor unchanged."""
    a = beat(amplitudes={"stj_mv": np.full(5, math.nan)}, intervals={"pr_ms": None, "qtc_ms": math.nan})
    c = compare(a, beat())
    assert set(c.changes) == set(INTERVAL) and set(c.changes.values()) == {None}
    assert set(c.leads["I"].change_mv) == set(AMPLITUDE_MV) and set(c.leads["I"].change_mv.values()) == {None}


@pytest.mark.parametrize(
    ("old", "new", "change"), [(170.0, -170.0, 20.0), (-170.0, 170.0, -20.0), (10.0, 60.0, 50.0)]
)
def test_the_axis_turns_the_short_way(old: float, new: float, change: float) -> None:
    """170° to −170° is 20°, not 340°."""
    c = compare(beat(intervals={"axis_deg": old}), beat(intervals={"axis_deg": new}))
    assert c.changes["axis_deg"] == pytest.approx(change)
    assert ("axis_deg" in c.exceeds) is (abs(change) > INTERVAL["axis_deg"])


def test_what_may_not_be_compared_says_why() -> None:
    """Other electrodes, a suspected reversal, no beat, no lead in common."""
    a = beat()
    assert compare(a, beat(electrode_set="posterior_right")).reason == "electrode_sets_differ"
    assert compare(beat(reversal="LEAD-1"), a).reason == "reversed_leads"
    assert compare(a, beat(qrs_on=300, qrs_off=290)).reason == "no_beat"
    assert compare(a, beat(beat_mv=np.zeros((4, 540)))).reason == "no_beat"
    assert compare(a, beat(beat_mv=np.zeros((5, 500)))).reason == "no_beat"
    assert compare(a, beat(usable=np.zeros(5, dtype=bool))).reason == "no_common_lead"
    assert not compare(a, beat(leads=("V3", "V4", "V6", "aVR", "aVL"))).compared


def test_only_leads_that_both_may_rest_on_are_compared() -> None:
    """A bad lead on either side drops out; the order of the leads does not matter."""
    a = beat(usable=np.array([True, True, False, True, True]))
    b = beat()
    back = MeasuredBeat(
        leads=LEADS[::-1],
        usable=b.usable,
        beat_mv=b.beat_mv[::-1],
        qrs_on=b.qrs_on,
        qrs_off=b.qrs_off,
        amplitudes={key: v[::-1] for key, v in b.amplitudes.items()},
        intervals=b.intervals,
    )
    c = compare(a, back)
    assert set(c.leads) == {"I", "II", "V2", "V5"}
    assert all(lead.rms_mv == 0.0 for lead in c.leads.values())


@pytest.mark.parametrize("value", [math.nan, 0.0, math.inf, 1e30])
def test_odd_beats_raise_nothing(value: float) -> None:
    """NaN, silence and huge numbers are compared without an exception; a shape that is none has no correlation."""
    c = compare(beat(), beat(beat_mv=np.full((5, 540), value)))
    assert c.compared and c.leads["I"].qrs_correlation is None


def test_the_callers_arrays_stay_as_they_were() -> None:
    """Comparing changes nothing of what it was given."""
    a, b = beat(seed=2), beat(seed=3)
    before = a.beat_mv.copy(), b.beat_mv.copy()
    compare(a, b)
    np.testing.assert_array_equal(a.beat_mv, before[0])
    np.testing.assert_array_equal(b.beat_mv, before[1])
