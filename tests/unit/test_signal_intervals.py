"""Numbers that can be checked on paper: QT corrections, the axis, waves of a drawn complex."""

import math

import numpy as np
import pytest

from greenchannel.signal.delineation import QrsBorders
from greenchannel.signal.intervals import corrected_qt, frontal_axis_deg
from greenchannel.signal.repolarisation import qrs_waves
from greenchannel.signal.synthetic import limb_table


def test_golden_vector_of_the_qt_corrections() -> None:
    """QT 400 ms at RR 0.8 s gives 447.2, 430.9, 430.8 and 426.3 ms (clinical specification, golden vectors)."""
    c = corrected_qt(400.0, 0.8)
    assert (c.bazett_ms, c.fridericia_ms) == pytest.approx((447.2, 430.9), abs=0.05)
    assert (c.framingham_ms, c.hodges_ms) == pytest.approx((430.8, 426.25), abs=0.051)


def box_qrs(rows: list[list[float]]) -> tuple[np.ndarray[tuple[int, int], np.dtype[np.float64]], QrsBorders]:
    """Median beats whose QRS runs from sample 100 through the given knots to sample 145, zero elsewhere."""
    x = np.zeros((len(rows), 400))
    for i, knots in enumerate(rows):
        x[i, 100:146] = np.interp(np.linspace(0, 1, 46), np.linspace(0, 1, len(knots)), knots)
    nothing = np.full(len(rows), np.nan)
    return x, QrsBorders(on=100, off=145, lead_on=nothing, lead_off=nothing)


def test_equal_areas_in_one_and_avf_give_49_degrees() -> None:
    """Net area I = aVF is an axis of 49.1° (clinical specification, golden vectors)."""
    x, qrs = box_qrs([[0, 1, 0], [0, 1, 0]])
    axis = frontal_axis_deg(("I", "aVF"), x, qrs, {"I", "aVF"})
    assert axis == pytest.approx(49.1, abs=0.05)


@pytest.mark.parametrize("axis_deg", [-80.0, -30.0, 0.0, 45.0, 90.0, 170.0])
def test_the_axis_is_the_same_from_any_two_limb_leads(axis_deg: float) -> None:
    """I with II, I with aVF, II with III: each pair gives the axis of the vector."""
    one, two = (math.cos(math.radians(axis_deg - lead)) for lead in (0.0, 60.0))
    table = limb_table(one, two)
    names = tuple(table)
    x, qrs = box_qrs([[0, table[name], 0] for name in names])
    for pair in ({"I", "II"}, {"I", "aVF"}, {"II", "III"}):
        assert frontal_axis_deg(names, x, qrs, pair) == pytest.approx(axis_deg, abs=0.01)


def test_no_axis_without_two_limb_leads() -> None:
    """One limb lead alone has no axis: None, not 0."""
    x, qrs = box_qrs([[0, 1, 0]])
    assert frontal_axis_deg(("I",), x, qrs, {"I"}) is None


def test_waves_have_their_signs() -> None:
    """qRs, QS and rS complexes: Q and S negative, R positive, a missing wave 0.0."""
    x, qrs = box_qrs([[0, -0.2, 1.0, -0.4, 0, 0], [0, -0.8, -1.2, -0.5, 0, 0], [0, 0.3, -1.5, -0.9, 0, 0]])
    q, r, s = qrs_waves(x, qrs)
    assert q == pytest.approx([-0.2, -1.2, 0.0], abs=0.05)
    assert r == pytest.approx([1.0, 0.0, 0.3], abs=0.05)
    assert s == pytest.approx([-0.4, 0.0, -1.5], abs=0.05)


def test_st_elevation_is_no_r_wave() -> None:
    """A QS complex that climbs into an elevated ST has no R."""
    x, qrs = box_qrs([[0, -0.8, -1.0, -0.5, 0.1, 0.4]])
    x[0, 146:200] = 0.4
    _, r, _ = qrs_waves(x, qrs)
    assert r[0] == 0.0
