"""What the detector finds and is no beat: T waves of broad beats, noise between rare beats, hum."""

from typing import Any

import numpy as np
import pytest

from greenchannel.signal.beats import classify
from greenchannel.signal.leads import STANDARD_12
from greenchannel.signal.measure import measure
from greenchannel.signal.measurements import Measurements
from greenchannel.signal.pruning import lost_in_noise, t_waves
from greenchannel.signal.recording import Recording
from greenchannel.signal.synthesis import Simulated, simulate


def noisy(**rest: Any) -> Simulated:
    """A person's strip at clinical noise."""
    return simulate(**({"variation": 1.0, "emg_mv": 0.025, "wander_mv": 0.5, "mains_mv": 0.1} | rest))


def told(strip: Simulated) -> tuple[int, int, Measurements]:
    """Beats of the strip that were missed, and what was told beside them; its ends do not count."""
    made = measure(strip.recording)
    truth = np.array([beat.r_s for beat in strip.truth.beats])
    inside = truth[(truth > 0.2) & (truth < 9.8)]
    r = np.array([at for at in made.r_s if 0.2 < at < 9.8])
    missed = sum(np.abs(r - at).min(initial=9) > 0.1 for at in inside)
    return int(missed), int(sum(np.abs(truth - at).min() > 0.1 for at in r)), made


@pytest.mark.parametrize("report_spikes", [False, True])
@pytest.mark.parametrize(("bpm", "seed"), [(60, 1), (60, 5), (75, 1), (75, 14), (90, 6), (100, 4), (120, 7)])
def test_t_waves_of_paced_beats_are_no_beats(bpm: float, seed: int, report_spikes: bool) -> None:
    """However large, and with or without the device's own pulses."""
    strip = noisy(
        seed=seed,
        rhythm="paced",
        heart_rate_bpm=bpm,
        report_spikes=report_spikes,
    )
    missed, extra, made = told(strip)
    assert missed == 0 and extra == 0
    assert made.heart_rate_bpm == pytest.approx(bpm, rel=0.06)


@pytest.mark.parametrize("seed", [1, 4, 6, 7, 14])
@pytest.mark.parametrize("bpm", [75, 110, 130])
def test_bigeminy_has_two_beats_where_it_has_two(bpm: float, seed: int) -> None:
    """An early broad beat upon T is a beat, its T wave is none, and the narrow beats are the dominant ones."""
    strip = noisy(
        seed=seed,
        rhythm="bigeminy",
        heart_rate_bpm=bpm,
    )
    missed, extra, made = told(strip)
    assert (missed, extra) == (0, 0)
    assert (made.qrs_ms or 200.0) < 120.0


@pytest.mark.parametrize("seed", [0, 1, 2, 3])
@pytest.mark.parametrize("bpm", [75, 110, 130])
def test_tall_t_waves_are_no_beats(bpm: float, seed: int) -> None:
    """As of high potassium or of the first minutes of an infarction."""
    strip = noisy(
        seed=seed,
        territory="anterior",
        stj_mv=0.3,
        tall_t=True,
        heart_rate_bpm=bpm,
    )
    assert told(strip)[:2] == (0, 0)


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("bpm", [12, 15, 20])
def test_noise_between_rare_beats_is_no_beat(bpm: float, seed: int) -> None:
    """Two or three beats in ten seconds stand far above what lies between them."""
    assert (
        told(
            noisy(
                seed=seed,
                heart_rate_bpm=bpm,
            )
        )[1]
        == 0
    )


def test_small_beats_between_bursts_of_interference_stay_beats() -> None:
    """They are alike: not what is largest decides but what comes back."""
    rng = np.random.default_rng(0)
    half = 0.002 * rng.standard_normal((2, 2500)).astype(np.float32)
    shape = np.exp(-((np.arange(-12, 13) / 3.0) ** 2)).astype(np.float32)
    at = np.arange(150, 2400, 200)
    for place in at:
        half[:, place - 12 : place + 13] += shape
    half[:, 240:260] += 20 * rng.standard_normal((2, 20)).astype(np.float32)
    coarse = np.sort(np.append(at, 250))
    made = classify(half, coarse, np.ones(2, dtype=np.float32), np.zeros(0, dtype=np.int64))
    assert np.abs(made.r[:, None] - (2 * at + 1)).min(axis=0).max() <= 2


@pytest.mark.parametrize("phase", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("hz", [50.0, 60.0])
def test_hum_alone_has_no_beats(hz: float, phase: float) -> None:
    """Whatever the detector took for beats goes with it."""
    t = np.arange(5000) / 500
    rows = [(1 + 0.1 * k) * np.sin(2 * np.pi * hz * t + phase) for k in range(12)]
    made = measure(Recording(samples_mv=np.array(rows, dtype=np.float32), leads=STANDARD_12, rate_hz=500.0))
    assert made.r_s == () and made.rhythm == "unknown"


def test_electrical_alternans_keeps_every_beat() -> None:
    """Broad beats of one shape that take turns in size, as close as T waves are: the same shape is the same wave."""
    wide = np.zeros((12, 3, 76), dtype=np.float32)
    wave = np.exp(-(((np.arange(76) - 33) / 14.0) ** 2)) - np.exp(-(((np.arange(76) - 52) / 12.0) ** 2))
    wide += wave * np.array([1.0, -0.6, 0.8])[:, None]
    wide[1::2] *= 0.7
    wide -= wide.mean(axis=2, keepdims=True)
    at = np.arange(12) * 100
    none = np.zeros(0, dtype=np.int64)
    assert not t_waves(wide, at, none).any()
    # The same places with another, smoother shape: those are T waves.
    other = np.exp(-(((np.arange(76) - 38) / 17.0) ** 2)) * np.array([-0.5, -0.4, 0.3])[:, None]
    wide[1::2] = other - other.mean(axis=1, keepdims=True)
    assert t_waves(wide, at, none).tolist() == [False, True] * 6


def test_without_a_vote_nothing_is_called_silent() -> None:
    """Windows without a usable lead tell nothing."""
    wide = np.zeros((3, 2, 76), dtype=np.float32)
    assert not lost_in_noise(wide, np.full(3, -1), 0).any()
    assert lost_in_noise(wide, np.full(3, -1), 2).all()
