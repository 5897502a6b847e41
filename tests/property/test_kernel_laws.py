"""Laws of the compiled kernels: each answers as numpy alone does, whatever the samples are."""

from collections.abc import Iterator
from functools import partial

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from greenchannel.signal import (
    alternans,
    atrial,
    baseline,
    beats,
    beatwise,
    grid,
    kernels,
    mains,
    median,
    monitor_mode,
    p_train,
    pacing,
    pruning,
    qrs,
    qrs_borders,
    quality,
    sample_quality,
    strip,
)
from greenchannel.signal.leads import ALL
from greenchannel.signal.measure import measure
from greenchannel.signal.rolling import edge, push, read, start
from tests.property.test_signal_rolling import SECONDS, stream, window, with_gaps
from tests.two_paths import assert_alike, both

Floats = NDArray[np.float32]
some = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
seeds = st.integers(0, 2**32 - 1)
KINDS = ("heart", "noise", "constant", "huge", "steps", "rail", "gaps")


@pytest.fixture(autouse=True)
def numpy_alone() -> Iterator[None]:
    """Each law begins and ends without kernels."""
    kernels.turn_off()
    yield
    kernels.turn_off()


def trace(seed: int, kind: str, leads: int, n: int, rate_hz: float) -> Floats:
    """Samples of one kind, ``(leads, n)`` in mV."""
    draw = np.random.default_rng(seed)
    t = np.arange(n) / rate_hz
    rr_s = draw.uniform(0.3, 1.4)
    beat = (t % rr_s) - rr_s / 2
    size = draw.uniform(-1.5, 1.5, (leads, 1))
    x = size * np.exp(-((beat / 0.015) ** 2)) + 0.3 * size * np.exp(-(((beat - 0.25) / 0.05) ** 2))
    x += draw.uniform(0, 0.1) * np.sin(2 * np.pi * draw.choice([50.0, 60.0, 0.3]) * t)
    x += draw.normal(0, draw.uniform(0.001, 0.05), (leads, n))
    if kind == "noise":
        x = draw.normal(0, 0.3, (leads, n))
    elif kind == "constant":
        x[draw.integers(leads) :] = draw.uniform(-3, 3)
    elif kind == "huge":
        x *= 10.0 ** draw.uniform(1, 7)
    elif kind == "steps":
        x[draw.integers(leads), draw.integers(n) :] += draw.uniform(-4, 4)
    elif kind == "rail":
        x = np.clip(x, -0.4, draw.uniform(0.2, 0.6))
    elif kind == "gaps":
        first = int(draw.integers(n))
        x[draw.integers(leads) :, first : first + int(draw.integers(1, n))] = np.nan
    return x.astype(np.float32)


@st.composite
def traces(draw: st.DrawFn, *, grid_only: bool = False) -> tuple[Floats, float]:
    """Samples and their rate; on the analysis grid nothing is missing."""
    rate_hz = 500.0 if grid_only else draw(st.sampled_from([100.0, 128.0, 250.0, 500.0, 1000.0, 2000.0]))
    kind = draw(st.sampled_from(KINDS[:3] + KINDS[4:6] if grid_only else KINDS))
    n = int(draw(st.floats(2.5, 12.0)) * rate_hz)
    return trace(draw(seeds), kind, draw(st.integers(1, 21)), n, rate_hz), rate_hz


@some
@given(traces())
def test_the_faults_of_samples_are_the_same(given_: tuple[Floats, float]) -> None:
    """Flat, saturated, stepped and copied leads are those that numpy finds."""
    x, rate_hz = given_
    alone, fast = both(lambda: sample_quality.look(x, rate_hz, names=ALL[: len(x)]))

    # A swing is what is left of sums as large as the trace.
    rounding = 1e-5 * max(1.0, float(np.nanmax(np.abs(x), initial=0.0)))
    assert_alike(alone, fast, most=rounding, most_mv=rounding)


@some
@given(traces())
def test_the_grid_and_the_look_for_monitors_are_the_same(given_: tuple[Floats, float]) -> None:
    """Samples on the grid have the same bits; the logit of a monitor is the same within rounding."""
    x, rate_hz = given_
    alone, fast = both(lambda: grid.to_analysis_grid(x, rate_hz))

    assert np.array_equal(alone[0], fast[0])
    usable = np.ones(len(x), dtype=np.bool_)
    assert_alike(*both(lambda: monitor_mode.looks_monitored(x, rate_hz, usable)), most=1e-4)


@some
@given(traces(grid_only=True))
def test_the_detector_finds_the_same_beats(given_: tuple[Floats, float]) -> None:
    """Halves have the same bits; beats and the leads' weights are the same."""
    x, _ = given_
    alone, fast = both(lambda: qrs.halves(x))
    assert np.array_equal(alone[0], fast[0]) and np.array_equal(alone[1], fast[1])
    usable = np.ones(len(x), dtype=np.bool_)

    assert_alike(*both(lambda: strip._coarse(alone[1], None, usable)), most=1e-5)


@some
@given(traces(grid_only=True), seeds)
def test_mains_noise_and_spikes_are_the_same(given_: tuple[Floats, float], seed: int) -> None:
    """What is taken off, what is left above 40 Hz, and pacing spikes."""
    x, _ = given_
    quiet = np.random.default_rng(seed).random(x.shape[1] // 100 + 1).repeat(100)[: x.shape[1]] > 0.3
    quiet[:100] = True
    usable = np.ones(len(x), dtype=np.bool_)

    assert_alike(*both(lambda: mains.remove_mains(x, quiet)), most=3e-6)
    assert_alike(*both(lambda: quality._noise_mv(x, quiet, int(np.count_nonzero(quiet[2:-2])))), most=1e-5)
    assert_alike(*both(lambda: pacing.spikes(x, usable, told=np.zeros(0, dtype=np.int64))))


@some
@given(seeds, st.integers(1, 21), st.integers(1, 20), st.integers(600, 6000))
def test_the_baseline_runs_through_the_same_places(seed: int, leads: int, knots: int, n: int) -> None:
    """Levels of knots and their spline."""
    draw = np.random.default_rng(seed)
    at = np.sort(draw.choice(n - 20, knots, replace=False)).astype(np.int64)
    x = draw.normal(0, 1, (leads, n)).astype(np.float32).cumsum(axis=1, dtype=np.float32) * np.float32(0.01)
    alone, fast = both(lambda: baseline.levels(x, at))

    assert np.array_equal(alone, fast)
    far = float(np.abs(baseline.spline(at, alone, n)).max())  # knots beside each other swing far
    assert_alike(*both(lambda: baseline.spline(at, alone, n)), most=3e-7 * max(1.0, far))
    assert_alike(*both(lambda: quality._swings(x)), most=1e-5)


@some
@given(seeds, st.integers(1, 21), st.integers(1, 30), st.floats(0.01, 3.0))
def test_beats_are_cut_and_sorted_alike(seed: int, leads: int, count: int, noise: float) -> None:
    """Windows have the same bits; classes and places are the same."""
    draw = np.random.default_rng(seed)
    n = 150 * (count + 1)
    shape = draw.normal(0, 1, (2, leads, 60)).cumsum(axis=2)
    half = draw.normal(0, noise, (leads, n))
    coarse = (np.arange(1, count + 1) * 150 + draw.integers(-6, 7, count)).astype(np.int64)
    for at in coarse:
        half[:, at - 30 : at + 30] += shape[int(draw.random() < 0.3)]
    x, weights = half.astype(np.float32), np.full(leads, 0.3, dtype=np.float32)
    alone, fast = both(lambda: beats.windows(x, coarse, beats.FROM + beats.LAG, beats.TO + beats.LAG))
    assert np.array_equal(alone, fast)
    wide = beats._weighed(alone.copy(), weights)

    assert_alike(*both(lambda: beats._weighed(alone.copy(), weights)), most=1e-5)
    assert_alike(*both(lambda: beats._groups(wide, coarse)), most=1e-4)
    for size in (pruning._energy, pruning._steepness, pruning._area):
        assert_alike(*both(partial(size, wide)), most=1e-5)


@some
@given(seeds, st.integers(3, 40), st.integers(1, 21))
def test_the_middle_and_what_lies_about_it_are_the_same(seed: int, count: int, leads: int) -> None:
    """The median beat, and how the beats agree with it."""
    draw = np.random.default_rng(seed)
    stack = (draw.normal(0, 1, (leads, 540)) + draw.standard_t(2, (count, leads, 540)) * 0.1).astype(
        np.float32
    )
    middle = median.middle(stack)

    assert_alike(*both(lambda: median.middle(stack)), most=2e-6)
    assert_alike(*both(lambda: quality._alike(stack, middle, slice(150, 420, 2))), most=2e-5)


@some
@given(seeds, st.integers(1, 21), st.integers(1, 150))
def test_borders_of_single_beats_move_alike(seed: int, leads: int, count: int) -> None:
    """Also where borders are unknown or lie outside of the strip."""
    draw = np.random.default_rng(seed)
    x = draw.normal(0, 0.2, (leads, 3000)).astype(np.float32)
    at = draw.uniform(-60, 3060, (count, leads, 1)) + np.array([-90.0, -70, -50, -20, 25, 70, 120, 160])
    at[draw.random(at.shape) < 0.1] = np.nan
    height = draw.normal(0, 0.2, (count, leads, 2)).astype(np.float32)

    assert_alike(*both(lambda: beatwise.refine(x, None, at, height)), most=1e-4)


@some
@given(traces(grid_only=True), st.floats(0.3, 1.2))
def test_what_the_atria_do_is_the_same(given_: tuple[Floats, float], rr_s: float) -> None:
    """P, flutter and alternans, on a strip of 125 Hz."""
    slow = qrs.halves(given_[0])[1]
    onset_s = np.arange(0.4, slow.shape[1] / 125.0 - 0.5, rr_s)
    good = np.arange(0, len(slow), 2)
    assume(np.ptp(slow[good], axis=1).max() > 0.01)  # of a line nothing is left but rounding
    r = np.round(onset_s * 500.0).astype(np.int64) + 20

    assert_alike(*both(lambda: atrial.p_evidence(slow, onset_s, good)), most=2e-5)
    assert_alike(*both(lambda: atrial.flutter(slow, good.tolist()[:4], onset_s, 0.1)), most=2e-3)
    usable = np.arange(len(slow)) % 2 == 0
    told = both(
        lambda: alternans.t_alternans_mv(
            slow, r, np.zeros(r.size, dtype=np.int64), usable, qrs_on=-20.0, t_peak=120.0
        )
    )
    assert told[0] == told[1]


@some
@given(seeds, st.integers(1, 21))
def test_the_end_of_steepness_is_the_same(seed: int, leads: int) -> None:
    """J lies where numpy puts it, within a thousandth of a sample."""
    draw = np.random.default_rng(seed)
    beat = draw.normal(0, 0.01, (leads, 540))
    beat += draw.uniform(-2, 2, (leads, 1)) * np.exp(-(((np.arange(540) - 210) / draw.uniform(5, 20)) ** 2))
    slope = qrs_borders.slope_mv_s(beat.astype(np.float32))
    speak = draw.random(leads) < 0.8
    speak[0] = True

    near = float(draw.uniform(215, 260))
    assert_alike(*both(lambda: qrs_borders.end_of_steepness(slope, speak, near)), most=1e-3)


@some
@given(seeds, st.integers(300, 1300), st.floats(30.0, 250.0))
def test_a_comb_has_the_same_phase(seed: int, n: int, period: float) -> None:
    """The best first place of a comb of P waves."""
    draw = np.random.default_rng(seed)
    crest, shown = draw.random(n), (draw.random(n) > 0.2).astype(np.float64)

    assert_alike(*both(lambda: p_train._phase(crest, shown, period)), most=1e-9)


@pytest.mark.parametrize("which", range(3))
def test_a_stream_is_read_as_a_file_with_kernels_too(which: int) -> None:
    """To the bit, however it was cut into packets, at any second: a service that reads streams has them on."""
    names, x = stream(which, 500.0, 12)
    x = with_gaps(x, [(0.55, 0.02, True)])
    assert kernels.turn_on(compiling=True)
    for until_s in (5, 9, SECONDS):
        stop = edge(until_s, 500.0)
        state = start(names, 500.0)
        for first in range(0, stop, 137):
            state = push(state, x[:, first : min(first + 137, stop)])
        assert read(state)[0] == measure(window(x, names, 500.0, until_s))
