"""Rate, QTm and axis: where they are known and where not."""

import numpy as np
import pytest

from greenchannel.signal.intervals import frontal_axis_deg, heart_rate_bpm, modified_qt

AREAS = {"I": 30.0, "II": 25.0, "III": -5.0, "aVF": 10.0}
AXIS = 21.0517


def test_the_rate_is_that_of_the_mean_rr() -> None:
    """Four beats in 2.4 s are 75 a minute, however they are spaced; one beat has no rate."""
    assert heart_rate_bpm(np.array([100, 600, 900, 1300])) == pytest.approx(75.0)
    assert heart_rate_bpm(np.array([100, 600])) == pytest.approx(60.0)
    assert heart_rate_bpm(np.array([100])) is None
    assert heart_rate_bpm(np.array([], dtype=np.int64)) is None


def test_a_qrs_of_just_120_ms_is_broad() -> None:
    """QTm is told from there on, to a millionth of a millisecond."""
    assert modified_qt(400.0, 120.0) == 341.8
    assert modified_qt(400.12345678, 120.0) == 341.923457


def test_only_usable_leads_give_the_axis() -> None:
    """I with aVF, with II for aVF, II with III for both; with none of these pairs there is no axis."""
    for pair in ({"I", "aVF"}, {"I", "II"}, {"II", "III"}, {"I", "III", "aVF"}, {"II", "III", "aVF"}):
        assert frontal_axis_deg(AREAS, pair) == pytest.approx(AXIS, abs=1e-3)
    for pair in (set(), {"I"}, {"II"}, {"I", "III"}, {"II", "aVF"}, {"III", "aVF"}):
        assert frontal_axis_deg(AREAS, pair) is None
    assert frontal_axis_deg({"I": 30.0}, {"I", "aVF"}) is None


def test_an_area_that_is_too_small_has_no_direction() -> None:
    """From 0.1 mV·ms on there is one."""
    assert frontal_axis_deg({"I": 0.1, "aVF": 0.0}, {"I", "aVF"}) == 0.0
    assert frontal_axis_deg({"I": -0.08, "aVF": 0.059}, {"I", "aVF"}) is None
