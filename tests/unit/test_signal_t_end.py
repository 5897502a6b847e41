"""The end of T by the tangent to its last slope, written out lead by lead (MEAS-6)."""

import math

import numpy as np
import pytest

from greenchannel.signal.t_end import tangent_ends
from tests.drawn_beats import SAMPLES, Floats, Singles, bump, drawn, own_borders


def written_out(y: Singles, peak: float, off: float) -> tuple[float, float]:
    """End of T and its height above the level behind it; NaN and 0 without a T."""
    if math.isnan(peak):
        return math.nan, 0.0
    n = y.size
    end = min(off, n - 1.0)
    smooth = np.convolve(y.astype(float), np.full(7, 1 / 7), mode="same")
    level_at = int(min(end + 5, n - 2))
    level = float(y[level_at + 1 : min(level_at + 20, n - 1) + 1].astype(float).mean())
    falls = {
        at: (smooth[at + 3] - smooth[at - 3]) / 6
        for at in range(math.ceil(peak), math.floor(end) + 1)
        if 7 <= at < n - 6
    }
    height = abs(float(y[int(min(peak, n - 1))]) - level)
    if not falls:
        return off, height
    at = max(falls, key=lambda k: abs(falls[k]))
    meets = at - (smooth[at] - level) / falls[at] if falls[at] else -math.inf
    return (meets if at <= meets <= end + 25 else off), height


def assert_as_written(beats: Singles, lead: Floats) -> tuple[Floats, Floats]:
    """Every lead of every beat equals the rule; the ends and heights are returned."""
    ends, heights = tangent_ends(beats, lead)
    for beat, row in np.ndindex(lead.shape[:2]):
        end, height = written_out(beats[beat, row], lead[beat, row, 6], lead[beat, row, 7])
        assert ends[beat, row] == pytest.approx(end, abs=1e-2, nan_ok=True)
        assert heights[beat, row] == pytest.approx(height, abs=1e-5)
    return ends, heights


@pytest.mark.parametrize("noise_mv", [0.0, 0.03])
def test_ends_and_heights_are_those_of_the_rule(noise_mv: float) -> None:
    """Of several beats at once, each with its own T: early, late, short, some without."""
    rng = np.random.default_rng(1)
    beats = np.stack([drawn(seed, noise_mv=noise_mv) for seed in range(6)])
    lead = np.stack([own_borders(seed, spread=6) for seed in range(6)])
    lead[..., 7] = lead[..., 6] + rng.uniform(2, 70, (6, 12))
    lead[rng.random((6, 12)) < 0.2, 5:] = np.nan
    assert_as_written(beats, lead)
    lead[2, :, 5:] = np.nan
    assert_as_written(beats, lead)
    assert_as_written(beats[3:4], lead[3:4])


def test_t_at_the_end_of_the_beat_is_read_on_what_there_is() -> None:
    """T that ends with the beat or beyond it has its level there."""
    rng = np.random.default_rng(2)
    for seed in range(8):
        beats, lead = drawn(seed, noise_mv=0.02)[None], own_borders(seed)[None]
        beats = np.roll(beats, 150, axis=2) if seed % 2 else beats
        lead[..., 6] = rng.uniform(440, 515, (1, 12))
        lead[..., 7] = lead[..., 6] + rng.uniform(-2, 60, (1, 12))
        assert_as_written(beats, lead)
        lead[..., 6:] = [520.0, 545.0]
        assert_as_written(beats, lead)
    lead[0, :6, 6:] = [
        [7.0, 90.0],
        [5.0, 60.0],
        [8.5, 80.0],
        [545.0, 548.0],
        [541.0, 539.0],
        [math.nan, 385.0],
    ]
    assert_as_written(beats, lead)


def test_t_that_is_steepest_at_its_end_or_at_its_top() -> None:
    """The tangent is laid at the very sample of the end or of the top, also at the beginning of the beat."""
    beats, lead = drawn(4, noise_mv=0)[None], own_borders(4, spread=0)[None]
    lead[..., 7] = np.arange(340, 364, 2)
    assert_as_written(beats, lead)
    falls = np.exp(-np.arange(SAMPLES) / 20).astype(np.float32)
    lead[..., 6], lead[..., 7] = np.arange(12), 60.0
    assert_as_written(np.broadcast_to(falls, (1, 12, SAMPLES)).copy(), lead)


def test_a_t_at_the_end_is_read_alike_in_company() -> None:
    """Behind the last sample of a beat nothing is steep, however long the rows of the others are."""
    beats = np.stack([drawn(1), drawn(2)])
    beats[0] = np.exp((np.arange(SAMPLES) - SAMPLES) / 4)
    lead = np.stack([own_borders(1), own_borders(2)])
    lead[0, :, 6], lead[0, :, 7] = 505.0, np.arange(528, 552, 2)
    assert_as_written(beats, lead)
    assert_as_written(beats[:1], lead[:1])


@pytest.mark.parametrize(("peak", "known"), [(524.9, True), (525.0, False)])
def test_48_ms_are_the_least_that_is_looked_at(peak: float, known: bool) -> None:
    """What the beat holds from 16 ms before the first peak on."""
    lead = own_borders(0)[None]
    lead[..., 6], lead[..., 7] = peak, 535.0
    assert np.isfinite(tangent_ends(drawn(0)[None], lead)[0]).all() == known


def test_without_a_t_there_is_no_end() -> None:
    """NaN and a height of 0, in every lead or in one."""
    lead = own_borders(0)[None]
    lead[..., 5:] = np.nan
    ends, heights = tangent_ends(drawn(0)[None], lead)
    assert np.isnan(ends).all() and not heights.any()


def test_a_level_trace_keeps_the_learned_end() -> None:
    """Without a slope there is no tangent."""
    beats = np.full((1, 2, SAMPLES), 0.25, dtype=np.float32)
    lead = own_borders(1, leads=2)[None]
    ends, heights = assert_as_written(beats, lead)
    assert ends == pytest.approx(lead[..., 7]) and not heights.any()


def test_the_height_of_t_has_no_sign() -> None:
    """0.4 mV up or down, above the level 10 to 50 ms behind its end, whatever that level is."""
    for sign in (-1, 1):
        y = sign * 0.4 * bump(335, 100) + 0.3
        y[:300] = 5.0
        y[412:] = -5.0  # further behind, it is no level of T
        lead = own_borders(0, leads=1, spread=0)[None]
        ends, heights = assert_as_written(y[None, None].astype(np.float32), lead)
        assert heights[0, 0] == pytest.approx(0.4, abs=1e-4)
        assert ends[0, 0] == pytest.approx(335 + 25 + 25 * 2 / math.pi, abs=1.5)
