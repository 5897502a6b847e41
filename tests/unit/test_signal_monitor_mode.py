"""A recording that went through the filters of a monitor is told from one made for diagnosis by its samples alone."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import signal

from greenchannel.ingest.reader import read_path
from greenchannel.signal.monitor_mode import MonitorEvidence, _mean, looks_monitored
from greenchannel.signal.synthesis import simulate, synthesize

Samples = NDArray[np.float32]


def judge(samples_mv: NDArray[np.floating], rate_hz: float = 500.0) -> MonitorEvidence:
    """The evidence of all leads."""
    x = np.ascontiguousarray(samples_mv, dtype=np.float32)
    return looks_monitored(x, rate_hz, np.ones(x.shape[0], dtype=np.bool_))


def strip(rate_hz: float = 500.0, noise_mv: float = 0.01, seed: int = 1) -> Samples:
    """Ten seconds of twelve leads, simulated as a diagnostic device records them."""
    return synthesize(rate_hz=rate_hz, noise_mv=noise_mv, wander_mv=0.1, seed=seed).samples_mv


def monitor(
    samples_mv: Samples, rate_hz: float, order: int = 2, high_hz: float = 40.0
) -> NDArray[np.float64]:
    """What a monitor makes of it: 0.5 Hz of the first order and a low-pass, in steps of 5 µV."""
    low = signal.butter(1, 0.5, "high", fs=rate_hz, output="sos")
    high = signal.butter(order, high_hz, "low", fs=rate_hz, output="sos")
    y = signal.sosfilt(high, signal.sosfilt(low, samples_mv - samples_mv[:, :1], axis=1), axis=1)
    return np.asarray(np.round(y / 0.005) * 0.005)


@pytest.mark.parametrize("rate_hz", [250.0, 500.0, 1000.0])
@pytest.mark.parametrize("noise_mv", [0.0, 0.005, 0.025])
def test_a_diagnostic_strip_is_no_monitor(rate_hz: float, noise_mv: float) -> None:
    """Unfiltered leads are not marked at any rate, quiet or noisy, finely or coarsely stored."""
    x = strip(rate_hz, noise_mv)
    assert not judge(x, rate_hz).monitored
    assert not judge(np.round(x / 0.005) * 0.005, rate_hz).monitored
    assert judge(x, rate_hz).high_cut_hz is None


@pytest.mark.parametrize("rate_hz", [250.0, 500.0, 1000.0])
@pytest.mark.parametrize("noise_mv", [0.0, 0.005, 0.025])
@pytest.mark.parametrize(("order", "high_hz"), [(2, 40.0), (3, 40.0), (4, 40.0), (2, 35.0)])
def test_a_monitor_is_marked(rate_hz: float, noise_mv: float, order: int, high_hz: float) -> None:
    """A low-pass at 40 Hz or the 35 Hz of a muscle filter is seen, and about where it cuts."""
    found = judge(monitor(strip(rate_hz, noise_mv), rate_hz, order, high_hz), rate_hz)
    assert found.monitored and found.margin is not None and found.margin > 0
    assert found.high_cut_hz is not None and 20 < found.high_cut_hz < 55


def test_a_hundred_and_fifty_hertz_is_diagnostic() -> None:
    """The low-pass that a diagnostic device has is not marked."""
    sos = signal.butter(2, 150, "low", fs=500, output="sos")
    assert not judge(signal.sosfilt(sos, strip(), axis=1)).monitored


def test_a_level_far_from_zero_had_no_high_pass() -> None:
    """An offset that lasts over the strip excludes a high-pass of a monitor; without it none is excluded."""
    x = strip()
    assert judge(x + np.float32(0.8)).low_cut is False
    assert judge(monitor(x, 500.0)).low_cut is not False


def test_only_usable_leads_count() -> None:
    """Leads that are not usable have no part in it, whatever they hold."""
    x = np.array(monitor(strip(), 500.0), dtype=np.float32)
    usable = np.ones(12, dtype=np.bool_)
    usable[[2, 9]] = False
    alone = looks_monitored(x, 500.0, usable)
    x[2], x[9] = np.nan, np.random.default_rng(0).normal(0, 1, 5000)
    assert looks_monitored(x, 500.0, usable) == alone
    assert alone.monitored


def test_a_gap_does_not_change_the_answer() -> None:
    """Two seconds without samples, in all leads or in one, leave the verdict as it was."""
    for x, marked in ((strip(), False), (np.array(monitor(strip(), 500.0), dtype=np.float32), True)):
        for rows in (slice(None), slice(4, 5)):
            gap = np.array(x)
            gap[rows, 2000:3000] = np.nan
            found = judge(gap)
            assert found.monitored is marked and found.margin is not None


@pytest.mark.parametrize("shape", [(12, 1), (1, 60), (12, 600), (1, 5000), (12, 40000)])
@pytest.mark.parametrize("value", [0.0, np.nan, np.inf, 1e30, 5.0])
def test_nothing_is_said_where_there_is_no_heart(shape: tuple[int, int], value: float) -> None:
    """Short, empty and absurd strips are no monitor, the score is unknown, and no error is raised."""
    found = judge(np.full(shape, value))
    assert not found.monitored and found.margin is None


@pytest.mark.parametrize("rate_hz", [250.0, 500.0])
@pytest.mark.parametrize("lsb_mv", [0.0, 0.005])
def test_a_trace_without_noise_is_no_monitor(rate_hz: float, lsb_mv: float) -> None:
    """Nothing is between the beats that a filter could have taken away: nothing is said."""
    for seed in range(6):
        x = simulate(variation=1.0, seed=seed, rate_hz=rate_hz, lsb_mv=lsb_mv).recording.samples_mv
        told = looks_monitored(x, rate_hz, np.ones(12, dtype=np.bool_))
        assert (told.monitored, told.margin) == (False, None)


def test_a_rate_too_low_to_tell_says_nothing() -> None:
    """At 125/s the frequencies that would tell were never recorded."""
    assert judge(strip(125.0), 125.0).margin is None


@pytest.mark.data
def test_real_recordings_are_told_apart(data_dir: Path) -> None:
    """Of LUDB numbers above 100, at most one is marked as it is, and at most one is missed behind 40 Hz."""
    false, missed = 0, 0
    for number in range(101, 200, 2):
        recording = read_path(data_dir / f"ludb/data/{number}.hea").recording
        false += judge(recording.samples_mv).monitored
        missed += not judge(monitor(recording.samples_mv, 500.0)).monitored
    assert false <= 1
    assert missed <= 1


@pytest.mark.parametrize("count", [1, 3, 7, 1000])
def test_a_mean_is_that_of_numpy(count: int) -> None:
    """To the bit, along rows and columns."""
    x = np.random.default_rng(count).normal(size=(count, count % 13 + 1)).astype(np.float32)
    assert np.array_equal(_mean(x, 0), x.mean(axis=0))
    assert np.array_equal(_mean(x, 1), x.mean(axis=1))
