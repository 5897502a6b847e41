"""T wave alternans and the look of a silence: the measures behind CV-10 and CV-14."""

import numpy as np
import pytest

from greenchannel.signal.alternans import t_alternans_mv
from greenchannel.signal.arrhythmia import Rhythm
from greenchannel.signal.measure import measure
from greenchannel.signal.recording import Recording
from greenchannel.signal.silence import Silence, silence
from greenchannel.signal.synthesis import simulate

ON, PEAK = -20.0, 150.0  # samples at 500 Hz from R


def found(heights_mv: np.ndarray, label: np.ndarray | None = None, leads: int = 3) -> float | None:
    """Alternans of T waves of these heights; the first lead is the taller one by half."""
    r = 400 + 400 * np.arange(heights_mv.size)
    t = 4.0 * np.arange(r[-1] // 4 + 150)
    one = (heights_mv[:, None] * np.exp(-0.5 * ((t - r[:, None] - PEAK) / 20.0) ** 2)).sum(axis=0)
    x = np.stack([one * (1.5 if k == 0 else 1.0) for k in range(leads)]).astype(np.float32)
    kinds = np.zeros(r.size, dtype=np.int64) if label is None else label
    return t_alternans_mv(x, r, kinds, np.ones(leads, dtype=bool), qrs_on=ON, t_peak=PEAK)


def turns(size_mv: float, beats: int = 10) -> np.ndarray:
    """T of 0.3 mV, every second one higher."""
    made: np.ndarray = 0.3 + size_mv * (np.arange(beats) % 2)
    return made


def test_alternating_t_is_measured_in_the_second_lead() -> None:
    """By its whole difference from one beat to the next."""
    assert found(turns(0.15)) == pytest.approx(0.15, rel=0.05)


def test_what_does_not_take_turns_is_no_alternans() -> None:
    """Neither drift, nor chance, nor one odd beat."""
    assert found(0.3 + 0.03 * np.arange(10)) == 0.0
    assert found(np.array([0.3, 0.3, 0.3, 0.6, 0.3, 0.3, 0.3, 0.3])) == 0.0
    assert found(0.3 + 0.1 * np.random.default_rng(3).normal(size=10)) == 0.0


def test_too_few_neighbours_of_one_shape_are_unknown() -> None:
    """An ectopic beat between them turns the order about."""
    assert found(turns(0.15, 5)) is None
    assert found(turns(0.15, 9), np.array([0, 0, 0, 0, 1, 0, 0, 0, 0])) is None


def test_without_t_or_lead_it_is_unknown() -> None:
    """Unknown is None."""
    x, r = np.zeros((2, 1250), dtype=np.float32), np.arange(300, 4700, 400)
    label = np.zeros(r.size, dtype=np.int64)
    assert t_alternans_mv(x, r, label, np.ones(2, dtype=bool), qrs_on=ON, t_peak=np.nan) is None
    assert t_alternans_mv(x, r, label, np.zeros(2, dtype=bool), qrs_on=ON, t_peak=PEAK) is None


def test_sinus_rhythm_and_bigeminy_have_none() -> None:
    """In a measured strip."""
    for rhythm in ("sinus", "bigeminy", "atrial_fibrillation"):
        alternans = measure(simulate(rhythm=rhythm, emg_mv=0.01, variation=1.0).recording).t_alternans_mv
        assert alternans is None or alternans < 0.05


def pause(x: np.ndarray, usable: bool = True, pause_s: float = 10.0) -> Silence | None:
    """What is measured of a strip of three leads without a beat."""
    rhythm = Rhythm(name="asystole", longest_pause_s=pause_s)
    return silence(x, 500.0, (), np.full(3, usable), rhythm)


def test_hum_is_the_amplitude_of_the_mains_and_knows_no_drift() -> None:
    """50 and 60 Hz, to 6 %; breathing counts for the level alone."""
    t = np.arange(5000) / 500.0
    for hz in (50.0, 60.0):
        found = pause(np.tile(0.2 * np.sin(2 * np.pi * hz * t), (3, 1)))
        assert found is not None
        assert found.hum_mv == pytest.approx(0.2, rel=0.06)
    drift = np.tile(np.sin(2 * np.pi * 0.3 * t), (3, 1))
    found = pause(drift)
    assert found is not None
    assert found.hum_mv < 0.02
    assert found.level_mv == pytest.approx(0.7, rel=0.05)


def test_without_a_usable_lead_or_a_long_pause_nothing_is_measured() -> None:
    """Unknown is None."""
    x = np.ones((3, 5000))
    assert pause(x, usable=False) is None
    assert pause(x, pause_s=2.0) is None
    assert silence(x, 500.0, (), np.ones(3, dtype=bool), None) is None
    assert measure(simulate().recording).silence is None


def test_the_pause_between_two_beats_is_measured_without_them() -> None:
    """Half a second beside each beat is left out."""
    x = np.zeros((3, 5000))
    x[:, 500:600] = x[:, 2480:2500] = 1.0
    rhythm = Rhythm(name="sinus", longest_pause_s=3.9)
    found = silence(x, 500.0, (1.05, 4.97, 6.0, 8.0), np.ones(3, dtype=bool), rhythm)
    assert found == Silence(level_mv=0.0, hum_mv=0.0)


def test_cables_in_the_air_do_not_pass_for_a_heart_that_stands_still() -> None:
    """Either nothing usable is left, or what the filter takes away is told."""
    t = np.arange(5000) / 500.0
    noise = np.random.default_rng(0).normal(0.0, 0.006, (3, 5000))
    x = (0.3 * np.sin(2 * np.pi * 50.0 * t) + noise).astype(np.float32)
    made = measure(Recording(samples_mv=x, leads=("I", "II", "V1"), rate_hz=500.0))
    told = made.silence is not None and made.silence.hum_mv > 0.25
    assert made.rhythm != "asystole" or told
