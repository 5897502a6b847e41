"""Numbers that can be checked on paper: QT corrections, the axis, waves of a drawn complex."""

import math

import numpy as np
import pytest

from greenchannel.signal.intervals import corrected_qt, frontal_axis_deg, modified_qt
from greenchannel.signal.qrs_waves import qrs_waves
from greenchannel.signal.synthesis import limb_table


def test_golden_vector_of_the_qt_corrections() -> None:
    """QT 400 ms at RR 0.8 s gives 447.2, 430.9, 430.8 and 426.3 ms (clinical specification, golden vectors)."""
    c = corrected_qt(400.0, 0.8)
    assert (c.bazett_ms, c.fridericia_ms) == pytest.approx((447.2, 430.9), abs=0.05)
    assert (c.framingham_ms, c.hodges_ms) == pytest.approx((430.8, 426.25), abs=0.051)


ON, OFF = 100, 145


def drawn(rows: list[list[float]]) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    """Median beats whose QRS runs from sample ON through the given knots to OFF, zero elsewhere."""
    x = np.zeros((len(rows), 400), dtype=np.float32)
    for i, knots in enumerate(rows):
        x[i, ON : OFF + 1] = np.interp(np.linspace(0, 1, OFF - ON + 1), np.linspace(0, 1, len(knots)), knots)
    return x


def test_equal_areas_in_one_and_avf_give_49_degrees() -> None:
    """Net area I = aVF is an axis of 49.1° (clinical specification, golden vectors)."""
    assert frontal_axis_deg({"I": 20.0, "aVF": 20.0}, {"I", "aVF"}) == pytest.approx(49.1, abs=0.05)


@pytest.mark.parametrize("axis_deg", [-80.0, -30.0, 0.0, 45.0, 90.0, 170.0])
def test_the_axis_is_the_same_from_any_two_limb_leads(axis_deg: float) -> None:
    """I with II, I with aVF, II with III: each pair gives the axis of the vector."""
    one, two = (30 * math.cos(math.radians(axis_deg - lead)) for lead in (0.0, 60.0))
    for pair in ({"I", "II"}, {"I", "aVF"}, {"II", "III"}):
        assert frontal_axis_deg(limb_table(one, two), pair) == pytest.approx(axis_deg, abs=0.01)


def test_no_axis_without_two_limb_leads() -> None:
    """One limb lead alone has no axis: None, not 0; nor have two without any area."""
    assert frontal_axis_deg({"I": 20.0}, {"I"}) is None
    assert frontal_axis_deg({"I": 0.0, "aVF": 0.0}, {"I", "aVF"}) is None


def test_a_broad_qrs_takes_its_share_off_qt() -> None:
    """QTm is QT less 48.5 % of a QRS of 120 ms or more; a narrow one has none."""
    assert modified_qt(450.0, 140.0) == pytest.approx(382.1)
    assert modified_qt(450.0, 119.9) is None
    assert modified_qt(None, 140.0) is None


def test_waves_have_their_signs() -> None:
    """qRs, QS and rS complexes: Q and S negative, R positive, a missing wave 0.0."""
    found = qrs_waves(
        drawn([[0, -0.2, 1.0, -0.4, 0, 0], [0, -0.8, -1.2, -0.5, 0, 0], [0, 0.3, -1.5, -0.9, 0, 0]])[None],
        [ON],
        [OFF],
    )
    assert found["q_mv"] == pytest.approx([-0.2, -1.2, 0.0], abs=0.05)
    assert found["r_mv"] == pytest.approx([1.0, 0.0, 0.3], abs=0.05)
    assert found["s_mv"] == pytest.approx([-0.4, 0.0, -1.5], abs=0.05)
    assert found["qrs_pp_mv"] == pytest.approx([1.4, 1.2, 1.8], abs=0.08)


def test_a_second_r_has_its_own_name() -> None:
    """rsR′s′ of a right bundle branch block: R, S, R′ and S′ in their order, each with its duration."""
    found = qrs_waves(drawn([[0, 0.3, -0.5, 0.9, -0.3, 0, 0]])[None], [ON], [OFF])
    names = ("r_mv", "s_mv", "r2_mv", "s2_mv")
    assert [found[name][0] for name in names] == pytest.approx([0.3, -0.5, 0.9, -0.3], abs=0.09)
    assert found["q_mv"][0] == 0.0
    durations = [found[name][0] for name in ("r_ms", "s_ms", "r2_ms", "s2_ms")]
    assert all(10 <= ms <= 30 for ms in durations) and sum(durations) <= (OFF - ON) * 2


def test_durations_are_those_of_the_drawn_waves() -> None:
    """A Q of 30 ms before an R of 40 ms, each within 4 ms; R peaks 50 ms after the onset."""
    x = np.zeros((1, 400), dtype=np.float32)
    x[0, ON : ON + 16] = -0.4 * np.sin(np.pi * np.arange(16) / 15)
    x[0, ON + 15 : ON + 36] = 1.2 * np.sin(np.pi * np.arange(21) / 20)
    found = qrs_waves(x[None], [ON], [OFF])
    assert found["q_ms"][0] == pytest.approx(30, abs=4)
    assert found["r_ms"][0] == pytest.approx(40, abs=4)
    assert found["r_peak_ms"][0] == pytest.approx(50, abs=2)


def test_what_is_smaller_or_shorter_than_a_wave_is_none() -> None:
    """25 µV are no wave, nor are 4 ms (SIG-4: 30 µV for 6 ms)."""
    x = drawn([[0, 0, 1.0, 0, 0, 0], [0, -0.025, 1.0, 0, 0, 0]])
    x[0, ON + 3 : ON + 5] = -0.5
    assert qrs_waves(x[None], [ON], [OFF])["q_mv"] == pytest.approx([0.0, 0.0])


def test_st_elevation_is_no_r_wave() -> None:
    """A QS complex that climbs into an elevated ST has no R."""
    x = drawn([[0, -0.8, -1.0, -0.5, 0.1, 0.4]])
    x[0, OFF + 1 : 200] = 0.4
    assert qrs_waves(x[None], [ON], [OFF])["r_mv"][0] == 0.0


def test_a_notch_at_the_end_of_the_qrs_has_its_peak() -> None:
    """An end-QRS notch of 0.2 mV is found as a notch, a slurred descent as a slur, a smooth one as neither."""
    notched = [0, 0.3, 1.5, 0.7, 0.1, 0.2, 0.2, 0.1, 0]
    slurred = [0, 0.3, 1.5, 0.75, 0.3, 0.27, 0.24, 0.21, 0]
    smooth = [0, 0.3, 1.5, 0.7, 0.0, 0.0, 0.0, 0.0, 0]
    found = qrs_waves(drawn([notched, slurred, smooth])[None], [ON], [OFF])
    assert found["jp_mv"][0] == pytest.approx(0.2, abs=0.02) and found["j_slur"][0] == 0
    assert found["jp_mv"][1] == pytest.approx(0.28, abs=0.05) and found["j_slur"][1] == 1
    assert math.isnan(found["jp_mv"][2]) and found["j_slur"][2] == 0
