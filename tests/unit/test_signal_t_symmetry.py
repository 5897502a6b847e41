"""How even the two sides of a T wave are."""

from dataclasses import replace

import numpy as np
import pytest

from greenchannel.signal.leads import STANDARD_12
from greenchannel.signal.measure import measure
from greenchannel.signal.synthesis import simulate
from greenchannel.signal.t_symmetry import t_skew
from tests.rule_cases.t_waves import triangle

V3 = STANDARD_12.index("V3")


@pytest.mark.parametrize("skew", [1.0, 1.1, 1.3, 1.8])
@pytest.mark.parametrize("height_mv", [0.8, -0.4])
def test_a_triangle_has_the_skew_it_was_drawn_with(skew: float, height_mv: float) -> None:
    """Upright or inverted, small or large."""
    beat = triangle(skew, leads={"V3": height_mv})
    assert t_skew(beat, V3, upright=height_mv > 0, qt_ms=None) == pytest.approx(skew, rel=1e-6)


def test_a_t_that_falls_slowly_is_as_skewed_as_one_that_climbs_slowly() -> None:
    """The measure asks for symmetry, not for its direction."""
    beat = triangle(1.6, leads={"V3": 0.5})
    turned = np.ascontiguousarray(beat.samples_mv[:, ::-1])
    mirrored = replace(beat, samples_mv=turned, qrs_on_s=0.02, qrs_off_s=0.1)
    assert t_skew(mirrored, V3, upright=True, qt_ms=None) == pytest.approx(1.6, rel=1e-6)


def test_a_t_cut_off_or_absent_has_no_skew() -> None:
    """Unknown, never an exception: a flat lead, a T beyond the end, the wrong sign, QT of nothing."""
    beat = triangle(1.0, leads={"V3": 0.5})
    assert t_skew(beat, V3 + 1, upright=True, qt_ms=None) is None
    assert t_skew(beat, V3, upright=False, qt_ms=None) is None
    assert t_skew(replace(beat, samples_mv=beat.samples_mv[:, :255]), V3, upright=True, qt_ms=None) is None
    assert t_skew(replace(beat, samples_mv=beat.samples_mv[:, :160]), V3, upright=True, qt_ms=None) is None
    assert t_skew(beat, V3, upright=True, qt_ms=0.0) is None
    unknown = np.full_like(beat.samples_mv, np.nan)
    assert t_skew(replace(beat, samples_mv=unknown), V3, upright=True, qt_ms=None) is None


def test_what_follows_t_is_not_taken_for_it() -> None:
    """A larger wave behind QT, such as the next P or QRS, is not looked at."""
    beat = triangle(1.2, leads={"V3": 0.5})
    samples = beat.samples_mv.copy()
    samples[V3, 400:440] = 2.0
    assert t_skew(replace(beat, samples_mv=samples), V3, upright=True, qt_ms=480.0) == pytest.approx(
        1.2, rel=1e-6
    )


def test_an_ischaemic_t_of_the_simulator_is_more_even_than_a_usual_one() -> None:
    """Tall and inverted T waves there are drawn symmetric, the others are not."""
    found = []
    for simulated in (simulate(), simulate(tall_t=True), simulate(inverted_t=True)):
        made = measure(simulated.recording)
        assert made.median is not None
        upright = (made.leads["V3"].t_mv or 0.0) > 0
        found.append(t_skew(made.median, V3, upright=upright, qt_ms=made.qt_ms) or 9.0)
    usual, tall, inverted = found
    assert tall < 1.05 < usual
    assert inverted < 1.05
