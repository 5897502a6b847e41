"""What a trace does where no QRS can be relied on: size, frequency, and how alike its waves are, written out."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from greenchannel.signal.rhythm_measures import activity, mostly_quiet

Floats = NDArray[np.float64]
RATE_HZ = 125.0


def seconds(x: Floats) -> list[Floats]:
    """Whole seconds ``(leads, 125)`` of a strip, each without its mean and slope."""
    t, parts = np.arange(125.0), []
    for first in range(0, x.shape[1] - 124, 125):
        part = x[:, first : first + 125]
        slope, level = np.polyfit(t, part.T, 1)
        parts.append(part - level[:, None] - slope[:, None] * t)
    return parts


def upper_median(values: Floats) -> float:
    return float(np.sort(values)[values.size // 2])


def written_out(x: Floats) -> dict[str, float]:
    """The measures by their rules."""
    parts = seconds(x)
    height = np.array([np.ptp(part, axis=1) for part in parts]).T
    lead = int(np.argmax([upper_median(row) for row in height]))
    ordered, tenth = np.sort(height[lead]), height.shape[1] // 10
    means = np.array([x[:, k : k + 125].mean(axis=1) for k in range(0, x.shape[1] - 124, 125)])
    m = {"activity_mv": float(height.max()), "live_mv": upper_median(means.std(axis=0))}
    m["size"] = upper_median(height[lead])
    m["modulation"] = float(ordered[-1 - tenth] - ordered[tenth]) / m["size"]
    y = np.concatenate([part[lead] for part in parts])
    half = int(math.pi * np.abs(y).sum() / np.abs(np.diff(y)).sum() + 0.5)
    half = min(half, y.size // 4)
    m["leakage"] = float(np.abs(y[half:] + y[:-half]).sum() / (np.abs(y[half:]) + np.abs(y[:-half])).sum())
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(x.shape[1]) / (x.shape[1] - 1))
    total = np.zeros(x.shape[1] // 2 + 1)
    for row in x:
        total += np.abs(np.fft.rfft((row - row.mean()) * window)) ** 2
    hz = np.arange(total.size) * RATE_HZ / x.shape[1]
    seen = (hz >= 1.0) & (np.arange(total.size) < int(25.0 * x.shape[1] / RATE_HZ))
    peak = int(np.where(seen, total, -1.0).argmax())
    reach = int(0.5 * x.shape[1] / RATE_HZ)
    near = (np.abs(np.arange(total.size) - peak) <= reach) & (hz >= 1.0)
    m |= {"dominant_hz": float(hz[peak]), "concentration": float(total[near].sum() / total[hz >= 1.0].sum())}
    speed = np.sort(np.sqrt((np.diff(x, axis=1) ** 2).sum(axis=0)))
    m["smoothness"] = float(speed.mean() / speed[int(0.98 * speed.size)])
    y, n = x[lead] - x[lead].mean(), x.shape[1]
    period = RATE_HZ / hz[peak]
    lags = range(int(0.8 * period), int(1.25 * period) + 2)
    alike = [float((y[lag:] * y[: n - lag]).sum() / (1 - lag / n)) for lag in lags]
    return m | {"organisation": max(alike) / float((y * y).sum())}


def assert_as_written(x: Floats) -> dict[str, float]:
    """Every measure equals its rule, and they are returned."""
    told, rules = activity(x.astype(np.float32)), written_out(x.astype(np.float32).astype(float))
    assert told == pytest.approx(rules, rel=2e-3, abs=1e-4)
    return told


def wave(hz: float, size_mv: float = 0.5, n: int = 1250) -> Floats:
    return np.asarray(size_mv * np.sin(2 * np.pi * hz * np.arange(n) / RATE_HZ + 0.3))


@pytest.mark.parametrize("n", [250, 600, 1250, 2700])
@pytest.mark.parametrize("seed", range(3))
def test_every_measure_is_what_its_rule_says(seed: int, n: int) -> None:
    """Of waves of any rate that grow and fade, in noise, on a moving line, in strips of whole seconds and others."""
    rng = np.random.default_rng(seed)
    t = np.arange(n) / RATE_HZ
    x = 0.02 * rng.standard_normal((4, n)) + 0.3 * rng.standard_normal((4, 1)) * t
    for hz in rng.uniform(0.7, 14.0, 3):
        grows = 1 + 0.8 * np.sin(2 * np.pi * rng.uniform(0.05, 0.4) * t + rng.uniform(0, 6))
        x += rng.uniform(0.05, 0.6, (4, 1)) * grows * wave(hz, 1.0, n)
    assert_as_written(x)
    assert_as_written(x[:1])


@pytest.mark.parametrize("hz", [1.0, 1.7, 5.0, 12.0, 24.8])
def test_one_wave_that_repeats_has_its_rate(hz: float) -> None:
    """All of its power lies there, it is its own opposite half a period later and itself a period later."""
    m = assert_as_written(np.stack([wave(hz), 0.5 * wave(hz), 0.2 * wave(hz)]))
    assert m["dominant_hz"] == pytest.approx(hz, abs=0.1) and m["concentration"] > 0.9
    if 2.0 < hz < 20.0:
        assert m["activity_mv"] == pytest.approx(1.0, abs=0.15) and m["leakage"] < 0.2
        assert m["organisation"] > 0.93 and m["modulation"] < 0.05


def test_waves_are_compared_with_themselves_near_one_cycle_of_the_strip() -> None:
    """From 0.8 to 1.25 cycles of the dominant rate: a lead that repeats itself later than that is not organised."""
    m = assert_as_written(np.stack([wave(125 / 34, 0.5), *[wave(5.0, 0.4)] * 6]))
    assert m["dominant_hz"] == pytest.approx(5.0, abs=0.05) and m["organisation"] < 0.95


def test_the_slowest_waves_of_a_short_strip_are_turned_by_a_quarter_of_it() -> None:
    """Half a period of 1 Hz is just that of two seconds; another level of the trace changes nothing."""
    m = assert_as_written(np.cos(2 * np.pi * np.arange(250) / 125)[None])
    assert m["leakage"] < 0.1
    square = np.sign(np.cos(2 * np.pi * (np.arange(250) + 0.5) / 125))  # looks as if it were slower
    assert_as_written((square + wave(9.0, 0.02, 250))[None])
    x = wave(6.0, 0.5, 250)[None]
    high = activity((x + 300.0).astype(np.float32))
    assert high["concentration"] == pytest.approx(activity(x.astype(np.float32))["concentration"], abs=1e-3)


def test_a_wave_just_slower_than_1_hz_is_not_the_dominant_one_of_a_short_strip() -> None:
    """Where no line of the spectrum lies at 1 Hz."""
    m = assert_as_written((wave(0.83, 0.5, 600) + wave(6.0, 0.35, 600))[None])
    assert m["dominant_hz"] == pytest.approx(6.0, abs=0.2)


@pytest.mark.parametrize("hz", [0.5, 0.97, 25.2, 40.0])
def test_waves_slower_than_1_or_faster_than_25_hz_are_not_the_dominant_ones(hz: float) -> None:
    """A faint one between is."""
    m = assert_as_written((wave(hz, 1.0, 12_500) + wave(6.0, 0.1, 12_500))[None])
    assert m["dominant_hz"] == pytest.approx(6.0, abs=0.1)


def test_a_trace_that_moves_by_less_than_a_microvolt_has_no_waves() -> None:
    """Its size and drift are told; a little more has a rate."""
    size_mv = activity(wave(5.0)[None].astype(np.float32))["size"]
    moves = (wave(5.0)[None] / size_mv).astype(np.float32)  # by 1 mV
    still = activity(np.float32(0.00099) * moves)
    assert set(still) == {"activity_mv", "live_mv", "size", "modulation"}
    assert still["size"] == pytest.approx(0.00099, abs=1e-5)
    assert activity(np.float32(0.00101) * moves)["dominant_hz"] == pytest.approx(5.0, abs=0.1)
    nothing = activity(np.zeros((2, 500), dtype=np.float32))
    assert nothing == {"activity_mv": 0.0, "live_mv": 0.0, "size": 0.0, "modulation": 0.0}


def test_a_burst_makes_the_size_of_no_trace() -> None:
    """The usual second counts, and the largest one for activity; one in ten may be anything at all."""
    x = np.zeros((2, 1250))
    x[0] = wave(5.0, 0.2)
    x[1, 500:600] = 3.0 * np.hanning(100)
    m = assert_as_written(x)
    assert m["activity_mv"] > 1.0 and m["size"] == pytest.approx(0.45, abs=0.02)
    x[0, 500:625] *= 5
    assert activity(x.astype(np.float32))["modulation"] < 0.05


def quiet_rows(x: Floats, quiet_mv: float = 0.1) -> int:
    """How many leads are left."""
    return len(mostly_quiet(x.astype(np.float32), quiet_mv))


def test_quiet_leads_speak_where_they_are_most() -> None:
    """Three of four; of two and two all are kept."""
    x = 0.001 * np.random.default_rng(1).standard_normal((4, 500))
    assert quiet_rows(x) == 4
    x[2] += wave(3.0, 0.3, 500)
    assert quiet_rows(x) == 3 and np.ptp(mostly_quiet(x.astype(np.float32), 0.1)) < 0.02
    x[3] += wave(3.0, 0.3, 500)
    assert quiet_rows(x) == 4


@pytest.mark.parametrize(("size_mv", "left"), [(0.099, 3), (0.101, 2)])
def test_a_lead_is_quiet_whose_every_second_stays_below_the_limit(size_mv: float, left: int) -> None:
    """From peak to peak, whatever it drifts; what is no whole second at the end is not looked at."""
    x = np.zeros((3, 600))
    x[0] = 2.0 * np.arange(600) / RATE_HZ
    moves = wave(8.0, 1.0, 125)
    x[1, 250:375] = size_mv * moves / np.ptp(seconds(moves[None])[0])
    x[2, 510:] = 5.0
    assert quiet_rows(x) == left
