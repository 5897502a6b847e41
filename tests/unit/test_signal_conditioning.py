"""What conditioning does to ST: nothing at the edges, nothing after a tall R, nothing after a pulse."""

import numpy as np
import pytest
from scipy.interpolate import CubicSpline

from greenchannel.signal import baseline, grid, mains
from greenchannel.signal.leads import STANDARD_12
from greenchannel.signal.measure import measure
from greenchannel.signal.quality import LeadReasons
from greenchannel.signal.recording import Recording
from greenchannel.signal.strip import condition
from greenchannel.signal.synthesis import synthesize


def cut(recording: Recording, start_s: float, length_s: float) -> Recording:
    """A part of a recording."""
    first, last = (round(at * recording.rate_hz) for at in (start_s, start_s + length_s))
    return Recording(
        samples_mv=recording.samples_mv[:, first:last], leads=recording.leads, rate_hz=recording.rate_hz
    )


def st_of_beats(
    recording: Recording, offset_s: float
) -> dict[int, np.ndarray[tuple[int], np.dtype[np.float32]]]:
    """Level 90 to 110 ms after R minus the PR level of each whole beat, by its instant in 20-ms steps."""
    strip = condition(recording, LeadReasons(recording.leads))
    x = strip.samples_mv
    # The last beat has no knot behind it and is measured only where there are too few others.
    whole = [r for r in strip.classes.r[:-1] if r > 60 and r + 150 < x.shape[1]]
    return {
        round((r / 500 + offset_s) * 50): x[:, r + 45 : r + 56].mean(axis=1)
        - x[:, r - 30 : r - 25].mean(axis=1)
        for r in whole
    }


@pytest.mark.parametrize("start_s", [7.13, 9.0, 11.51])
def test_the_edges_of_a_strip_do_not_move_st(start_s: float) -> None:
    """A beat at the edge of ten seconds has the ST it has in the middle of thirty, within 10 µV, under wander."""
    long = synthesize(duration_s=30, wander_mv=0.3, scenario="extensive_anterior_high_lateral_stemi", seed=2)
    whole, part = st_of_beats(long, 0.0), st_of_beats(cut(long, start_s, 10), start_s)
    shared = [(at, near) for at in part for near in (at - 1, at, at + 1) if near in whole]
    assert len(shared) >= 10
    for at, near in shared:
        assert np.abs(part[at] - whole[near]).max() <= 0.010


def test_the_edges_of_a_strip_do_not_move_the_measurement() -> None:
    """STJ of a ten-second cut equals that of the whole within 10 µV wherever the cut begins."""
    long = synthesize(duration_s=30, wander_mv=0.4, scenario="extensive_anterior_high_lateral_stemi", seed=2)
    whole = measure(long)
    for start_s in (3.0, 3.37, 8.81, 14.2):
        part = measure(cut(long, start_s, 10))
        for name in STANDARD_12:
            assert part.leads[name].stj_mv == pytest.approx(whole.leads[name].stj_mv, abs=0.010)


def pulses(height_mv: float, width_s: float, rate_hz: float = 500.0) -> Recording:
    """Ten rectangular pulses, one a second, in two leads."""
    t = np.arange(round(10 * rate_hz)) / rate_hz
    one = np.where((t % 1.0 >= 0.4) & (t % 1.0 < 0.4 + width_s), height_mv, 0.0)
    return Recording(
        samples_mv=np.array([one, 0.7 * one], dtype=np.float32), leads=("V2", "V5"), rate_hz=rate_hz
    )


def test_a_pulse_leaves_neither_offset_nor_slope() -> None:
    """After 3 mV for 100 ms the trace lies within 100 µV of zero and runs flatter than 300 µV/s (SIG-2)."""
    recording = pulses(3.0, 0.1)
    strip = condition(recording, LeadReasons(recording.leads))
    for beat in range(1, 9):
        after = strip.samples_mv[0, beat * 500 + 260 : beat * 500 + 400]
        assert np.abs(after).max() <= 0.1
        assert abs(np.polyfit(np.arange(after.size) / 500, after, 1)[0]) <= 0.3


@pytest.mark.parametrize("mains_hz", [50.0, 60.0, 49.8])
def test_mains_removal_does_not_ring_after_a_tall_r(mains_hz: float) -> None:
    """A 5 mV R leaves less than 25 µV in ST when mains is taken off (SIG-3)."""
    t = np.arange(5000) / 500.0
    r_wave = 5.0 * np.clip(1 - np.abs(t % 0.8 - 0.4) / 0.02, 0, None)
    hum = 0.2 * np.sin(2 * np.pi * mains_hz * t + 1.0)
    x = np.array([r_wave + hum], dtype=np.float32)
    cleaned = mains.remove_mains(x, np.abs(t % 0.8 - 0.4) > 0.08)
    assert np.abs(cleaned - r_wave)[:, 250:-250].max() < 0.025
    assert np.abs(cleaned - r_wave).max() < 0.040  # the very ends are fitted from one side


def test_without_mains_nothing_is_touched() -> None:
    """Where there is no mains hum the samples stay as they are, to the last bit."""
    t = np.arange(5000) / 500.0
    x = np.array([2.0 * np.clip(1 - np.abs(t % 0.8 - 0.4) / 0.02, 0, None)], dtype=np.float32)
    assert mains.remove_mains(x, np.abs(t % 0.8 - 0.4) > 0.08) is x


@pytest.mark.parametrize("rate_hz", [125.0, 250.0, 257.0, 360.0, 1000.0, 2000.0])
def test_resampling_keeps_every_instant(rate_hz: float) -> None:
    """A slow sine sampled at any rate lies on the 500-Hz grid where it was, within 1 % of its height."""
    t = np.arange(round(8 * rate_hz)) / rate_hz
    wave = np.sin(2 * np.pi * 5 * t)[None].astype(np.float32)
    y, valid = grid.to_analysis_grid(wave, rate_hz)
    expected = np.sin(2 * np.pi * 5 * np.arange(y.shape[1]) / 500.0)
    error = y[0] - expected
    assert valid is None
    assert np.abs(error - np.median(error))[250:-250].max() < 0.01


def test_missing_samples_are_marked_and_bridged() -> None:
    """NaN becomes a line for the filters and False in the mask, at the native rate as after resampling."""
    samples = np.zeros((1, 1000), dtype=np.float32)
    samples[0, 300:400] = np.nan
    for rate_hz in (500.0, 250.0):
        x, valid = grid.to_analysis_grid(samples, rate_hz)
        assert np.isfinite(x).all() and valid is not None
        factor = 500 / rate_hz
        assert not valid[0, int(300 * factor) : int(400 * factor)].any()
        assert valid[0, : int(280 * factor)].all()


@pytest.mark.parametrize("count", [1, 2, 3, 4, 12, 200])
def test_the_baseline_is_the_spline_of_the_textbook(count: int) -> None:
    """Between its knots it is scipy's cubic spline with not-a-knot ends, beyond them it is level."""
    rng = np.random.default_rng(count)
    at = np.cumsum(rng.integers(200, 600, count))
    knots_mv = rng.standard_normal((3, count)).astype(np.float32)
    n = int(at[-1]) + 250
    got = baseline.spline(at, knots_mv, n)
    assert got.shape == (3, n)
    inside = np.arange(at[0], at[-1] + 1)
    expected = CubicSpline(at, knots_mv, axis=1)(inside) if count > 1 else knots_mv
    assert np.abs(got[:, at[0] : at[-1] + 1] - expected).max() < 1e-5
    assert (got[:, : at[0]] == knots_mv[:, :1]).all() and (got[:, at[-1] :] == knots_mv[:, -1:]).all()


def test_hum_that_drifts_is_followed() -> None:
    """Mains whose size changes by half within ten seconds, at 50.2 Hz, leaves less than 5 µV."""
    t = np.arange(5023) / 500.0
    hum = (0.1 + 0.005 * t) * np.sin(2 * np.pi * 50.2 * t)
    cleaned = mains.remove_mains(hum[None].astype(np.float32), np.abs(t % 0.8 - 0.4) > 0.08)
    assert np.abs(cleaned)[:, 100:-100].max() < 0.005
