"""Where the QRS passes into ST: the J at which ST is measured, written out sample by sample."""

import numpy as np
import pytest
from numpy.typing import NDArray

from greenchannel.signal.qrs_borders import end_of_steepness, slope_mv_s
from tests.drawn_beats import Singles, drawn


def written_out(slope: Singles, speak: NDArray[np.bool_], near: float) -> float:
    """J in fractions of a sample."""
    rows = [row.astype(float) for row, good in zip(slope, speak, strict=True) if good]
    first, last = round(near) - 14, min(round(near) + 16, 389)
    level = slice(round(near) + 8, round(near) + 24)
    if first < 0 or min(level.stop, 390) - level.start < 4:
        return near
    rests = []
    for row in rows:
        share = row / max(
            np.abs(row[155:276]).max(), 1.5
        )  # of its steepest slope within 110 ms and 130 ms of R
        rests.append(np.abs(share - share[level].mean()))
    few = min(4, len(rests))  # the second to the fourth largest
    third = np.sort(rests, axis=0)[-few : -1 if few > 1 else None].mean(axis=0)
    least = max(0.04, 3.0 * third[level].mean())
    sure = [at for at in range(first, last) if third[at] / least > 3.0]
    start = sure[-1] + 1 if sure else first
    return start + sum(float(np.clip(third[at] / least - 0.5, 0, 1)) for at in range(start, last))


@pytest.mark.parametrize("noise_mv", [0.0, 0.003, 0.01, 0.03])
@pytest.mark.parametrize("seed", range(5))
def test_j_is_that_of_the_rule(seed: int, noise_mv: float) -> None:
    """For any number of leads and wherever it is looked for, in silence and in noise, under ST that climbs."""
    rng = np.random.default_rng(seed)
    for broad in (0.8, 1.0, 1.8):
        beat = drawn(seed, broad=broad, noise_mv=noise_mv)
        beat += (rng.uniform(0, 8, (12, 1)) * np.clip((np.arange(540) - 225) / 500, 0, 0.3)).astype(
            np.float32
        )
        slope = slope_mv_s(beat)
        for near in (233.4, 225.0, 241.5, 260.0, 219.5 + 12 * broad):
            for count in (1, 2, 3, 4, 12):
                speak = np.arange(12) < count
                assert end_of_steepness(slope, speak, near) == pytest.approx(
                    written_out(slope, speak, near), abs=2e-3
                )


@pytest.mark.parametrize(
    ("near", "answered"), [(13.4, False), (14.0, True), (377.0, True), (378.0, True), (379.0, False)]
)
def test_at_the_edge_j_is_where_it_was_looked_for(near: float, answered: bool) -> None:
    """Where no 28 ms lie before, or fewer than 8 ms of ST behind, the place itself is the answer."""
    slope = np.random.default_rng(3).normal(0, 10, (12, 390)).astype(np.float32)
    speak = np.ones(12, dtype=bool)
    assert (end_of_steepness(slope, speak, near) != near) == answered
    assert end_of_steepness(slope, speak, near) == pytest.approx(written_out(slope, speak, near), abs=2e-3)


def test_the_steepest_slope_is_that_of_110_ms_before_to_130_ms_behind_r() -> None:
    """What is steeper elsewhere is none of the QRS."""
    slope = np.random.default_rng(8).normal(0, 1, (3, 390)).astype(np.float32)
    slope[:, 205:215] = 40.0
    for at in (154, 155, 275, 276):
        other = slope.copy()
        other[:, at] = 200.0
        found, speak = end_of_steepness(other, np.ones(3, dtype=bool), 230.0), np.ones(3, dtype=bool)
        assert found == pytest.approx(written_out(other, speak, 230.0), abs=2e-3)


def test_a_flat_lead_has_its_j_where_the_window_begins() -> None:
    """Without any slope nothing is QRS; a slope under 1.5 mV/s is measured against that much."""
    flat = np.zeros((3, 390), dtype=np.float32)
    assert end_of_steepness(flat, np.ones(3, dtype=bool), 230.0) == 216.0
    faint = flat.copy()
    faint[:, 220] = 0.12  # 0.08 of 1.5 mV/s: twice the limit
    faint[:, 218] = 0.048  # 0.8 of it
    assert end_of_steepness(faint, np.ones(3, dtype=bool), 230.0) == pytest.approx(217.3, abs=1e-3)


@pytest.mark.parametrize(("at", "seen"), [(388, True), (389, False)])
def test_j_is_looked_for_up_to_the_last_slope_but_one(at: int, seen: bool) -> None:
    """At the end of what is looked at a step in the last but one sample puts J off, one in the last does not."""
    slope = np.zeros((3, 390), dtype=np.float32)
    slope[:, 205:215] = slope[:, at] = 100.0
    found = end_of_steepness(slope, np.ones(3, dtype=bool), 377.0)
    # The step is a fifth of the level of five samples: 0.8 of the steepest remains, the limit is 3 × 0.32.
    assert found == pytest.approx(363.0 + (0.8 / 0.96 - 0.5 if seen else 0.0), abs=1e-3)
