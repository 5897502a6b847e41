"""Each step of the beat detector, written out sample by sample."""

import math
from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from greenchannel.signal.qrs import (
    box,
    detect,
    halved,
    halves,
    highest_around,
    lead_weights,
    qrs_band,
    qrs_energy,
)

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]


def test_halving_takes_the_mean_of_two() -> None:
    """An odd last sample is left out; of one trace as of several."""
    assert halved(np.array([[1, 3, 6, 8, 9]], dtype=np.float32)).tolist() == [[2, 7]]
    assert halved(np.array([1, 3, 6, 8, 9], dtype=np.float32)).tolist() == [2, 7]


def gain(hz: float) -> float:
    """Of the QRS band for a sine."""
    t = np.arange(1000) / 125
    return float(np.abs(qrs_band(np.sin(2 * np.pi * hz * t + 0.3)[None].astype(np.float32)))[0, 50:-50].max())


def test_the_band_passes_the_qrs_alone() -> None:
    """About 1 at 12 Hz, nothing at 0 and 50 Hz, little of T and wander."""
    assert gain(12.0) == pytest.approx(1.0, abs=0.06)
    assert gain(50.0) < 1e-3 and gain(0.3) < 1e-2 and gain(2.0) < 0.1 and gain(35.0) < 0.6


def test_the_band_is_written_out() -> None:
    """A second difference over ±3 of three samples weighed 1, 1.618, 1, by 8.5; 0 at four samples of either end."""
    rng = np.random.default_rng(1)
    for n in (1, 3, 5, 8, 9, 10, 40):
        x = rng.standard_normal((2, n)).astype(np.float32)
        smooth = np.zeros((2, n))
        smooth[:, 1:-1] = x[:, :-2] + x[:, 2:] + 2 * math.cos(math.pi / 5) * x[:, 1:-1]
        expected = np.zeros((2, n))
        for at in range(4, n - 4):
            expected[:, at] = (2 * smooth[:, at] - smooth[:, at - 3] - smooth[:, at + 3]) / 8.5
        assert qrs_band(x) == pytest.approx(expected, abs=1e-5)


def test_leads_are_trusted_by_how_much_their_peaks_stand_out() -> None:
    """Crest less that of noise, within 0.05 and 12; none for what is small or not usable; they sum to 1."""
    rng = np.random.default_rng(2)
    drawn = 0.05 * rng.standard_normal((7, 1250))
    for row, height in enumerate((0.0, 0.1, 0.3, 1.0, 3.0)):
        drawn[row, ::40] += height
    drawn[5] *= 0.2 / 0.5
    drawn[6] = 0.0
    drawn[6, ::40] = 3.0
    band: Singles = drawn.astype(np.float32)
    usable = np.array([True, True, True, True, False, True, True])
    ordered = np.sort(np.abs(band[:, ::2]), axis=1)  # every second sample tells all
    scale, middle = ordered[:, int(0.98 * 624)], ordered[:, 312]
    crest = np.clip(scale / np.maximum(middle, 1e-6) - 3.4, 0.05, 12.0) * usable * (scale >= 0.03)
    got_scale, got = lead_weights(band, usable)
    assert got_scale == pytest.approx(np.maximum(scale, 0.03))
    assert got == pytest.approx(crest / crest.sum(), abs=1e-6)
    assert got[0] > 0 and got[4] == 0 and got[6] == got.max() and scale[5] > 0.03
    faint = (band / scale[:, None] * 0.0299).astype(np.float32)
    assert not lead_weights(faint, usable)[1].any()
    level = np.full((1, 9), 0.03, dtype=np.float32)
    assert lead_weights(level, np.array([True]))[1].tolist() == [1.0]
    assert not lead_weights(band, np.zeros(7, dtype=bool))[1].any()


def test_energy_is_the_root_of_the_mean_power_around() -> None:
    """Of each lead in its own unit and at most 4, weighed, over 13 samples; where nothing is recorded others tell."""
    rng = np.random.default_rng(3)
    band = rng.standard_normal((3, 60)).astype(np.float32)
    scale, weight = np.array([0.4, 1.0, 3.0], dtype=np.float32), np.array([0.6, 0.28, 0.12], dtype=np.float32)
    power = np.minimum((band.astype(float) / scale[:, None]) ** 2, 4.0)

    def root(total: Floats) -> Floats:
        padded = np.pad(total, 6, mode="edge")
        return np.sqrt([padded[at : at + 13].mean() for at in range(total.size)])

    assert qrs_energy(band, scale, weight, None) == pytest.approx(
        root(weight.astype(float) @ power), abs=1e-5
    )
    valid = rng.random((3, 60)) < 0.6
    told = np.maximum(weight @ valid, 0.2)
    assert qrs_energy(band, scale, weight, valid) == pytest.approx(
        root(weight @ (power * valid) / told), abs=1e-5
    )
    assert (power == 4).any() and (weight @ valid < 0.2).any()


@pytest.mark.parametrize("width", [1, 3, 13])
@pytest.mark.parametrize("size", [2, 5, 40])
def test_a_box_sums_what_lies_around(width: int, size: int) -> None:
    """Its end values repeated."""
    x = np.random.default_rng(width).standard_normal(size)
    padded = np.pad(x, width // 2, mode="edge")
    assert box(x, width) == pytest.approx(np.array([padded[at : at + width].sum() for at in range(size)]))


@pytest.mark.parametrize("reach", [0, 1, 2, 3, 4, 5, 6, 7, 12, 13])
def test_the_highest_around_is_the_highest_around(reach: int) -> None:
    """Within reach to either side, the ends included."""
    x = np.random.default_rng(reach).standard_normal(30)
    expected = [x[max(at - reach, 0) : at + reach + 1].max() for at in range(30)]
    assert highest_around(x, reach).tolist() == expected
    both = highest_around(np.array([x, -x]), reach)
    assert both[0].tolist() == expected and both[1].tolist() == highest_around(-x, reach).tolist()


def test_a_trace_at_half_and_a_quarter_of_its_rate_is_means_of_two_and_four() -> None:
    """Samples that make no whole mean are left out."""
    x = np.arange(2 * 11, dtype=np.float32).reshape(2, 11) ** 2
    half, slow = halves(x)
    assert half == pytest.approx((x[:, 0:10:2] + x[:, 1:10:2]) / 2)
    assert slow == pytest.approx(x[:, :8].reshape(2, 2, 4).mean(axis=2))


def level_written_out(energy: Floats) -> Floats:
    """Median over five blocks of two seconds of their maxima, a line from block to block."""
    count = max(energy.size // 250, 1)
    edges = [int(k * energy.size / count) for k in range(count)] + [energy.size]
    peaks = [energy[first:last].max() for first, last in pairwise(edges)]
    if count == 1:
        return np.full(energy.size, peaks[0])
    level = [np.median([peaks[min(max(k + by, 0), count - 1)] for by in range(-2, 3)]) for k in range(count)]
    middles = [(k + 0.5) * energy.size / count for k in range(count)]
    return np.asarray(np.interp(np.arange(energy.size), middles, level))


def detected_written_out(energy: Floats) -> list[int]:
    """Beats by the rules."""
    n = energy.size
    level = level_written_out(energy) if n >= 2 else np.zeros(1)
    if level.max() < 0.1:
        return []
    candidates = [
        at
        for at in range(5, n - 5)
        if energy[at] == energy[max(at - 12, 0) : at + 13].max() and energy[at - 1] != energy[at]
    ]
    relative = {at: energy[at] / max(level[at], 0.1) for at in candidates}

    def with_t(at: int, before: int) -> bool:
        """A hump 160 to 360 ms behind, of more than 13 % of the beat before."""
        return any(at + 20 <= t < at + 45 and energy[t] > 0.13 * energy[before] for t in candidates)

    kept: list[int] = []
    for at in (at for at in candidates if relative[at] > 0.3):
        gap_s = (at - kept[-1]) / 125 if kept else math.inf
        if gap_s < 0.2:
            kept[-1] = at if energy[at] > energy[kept[-1]] else kept[-1]
        elif (
            gap_s >= 0.36 or energy[at] >= 0.45 * energy[kept[-1]] or (gap_s >= 0.28 and with_t(at, kept[-1]))
        ):
            kept.append(at)
    if len(kept) < 3:
        return kept
    rr = np.diff(kept)
    usual = np.sort(rr)[rr.size // 2]
    for left, right in list(pairwise(kept)):
        inside = [at for at in candidates if left + 45 < at < right - 22.5 and relative[at] > 0.15]
        if right - left > 1.66 * usual and inside:
            kept.append(max(inside, key=lambda at: relative[at]))
    return sorted(kept)


def hills(places: list[float], heights: list[float], n: int, width: float = 4.0) -> Floats:
    """Energy with a smooth hill at each place."""
    t = np.arange(n)
    return np.array(
        sum(h * np.exp(-(((t - at) / width) ** 2)) for at, h in zip(places, heights, strict=True))
    )


@pytest.mark.parametrize("seed", range(40))
def test_beats_are_those_of_the_rules(seed: int) -> None:
    """Among hills of any height and distance, with pauses, in strips of one block and of many."""
    rng = np.random.default_rng(seed)
    n = int(rng.choice([120, 249, 250, 499, 500, 900, 1250, 3000]))
    places = (
        np.cumsum(rng.choice([18, 24, 26, 30, 44, 46, 60, 90, 100, 180], 200) + rng.integers(-2, 3, 200))
        - 10.0
    )
    places = places[places < n + 5]
    heights = rng.choice([0.02, 0.1, 0.16, 0.2, 0.28, 0.33, 0.43, 0.47, 0.9, 1.0, 1.1, 2.0], places.size)
    heights = heights * rng.uniform(0.97, 1.03, places.size) * np.exp(rng.uniform(-1, 1) * places / n)
    energy = hills(places.tolist(), heights.tolist(), n)
    assert detect(energy).tolist() == detected_written_out(energy)
    assert detect(energy * 0.1).tolist() == detected_written_out(energy * 0.1)
    noisy = energy + np.abs(0.02 * rng.standard_normal(n))
    assert detect(noisy).tolist() == detected_written_out(noisy)


BEATS = [100.0, 200, 300, 400, 500, 600, 700, 800, 900]


def beats(extra_at: float, height: float, *, without: float | None = None, n: int = 1000) -> list[int]:
    """What is detected of nine beats a second less 200 ms apart, of height 1, and something more."""
    places = [at for at in BEATS if at != without]
    energy = hills([*places, extra_at], [1.0] * len(places) + [height], n)
    return list(detect(energy).tolist())


@pytest.mark.parametrize(
    ("after", "height", "there"),
    [
        (44, 0.44, False),
        (44, 0.46, True),
        (45, 0.44, True),
        (30, 0.44, False),
        (30, 0.46, True),
        (46, 0.29, False),
    ],
)
def test_a_bump_soon_after_a_beat_is_its_t_wave(after: int, height: float, there: bool) -> None:
    """Within 360 ms and under 45 % of its height; later it is a beat from 30 % of the usual level on."""
    assert (500 + after in beats(500 + after, height)) == there


@pytest.mark.parametrize(("after", "both"), [(24, False), (25, True)])
def test_within_200_ms_there_is_one_beat(after: int, both: bool) -> None:
    """The higher one."""
    at = beats(500 + after, 1.1)
    assert 500 + after in at and (500 in at) == both


@pytest.mark.parametrize(
    ("at", "height", "there"),
    [
        (500, 0.16, True),
        (500, 0.14, False),
        (446, 0.2, True),
        (444, 0.2, False),
        (577, 0.2, True),
        (578, 0.2, False),
    ],
)
def test_a_long_pause_is_looked_at_again(at: int, height: float, there: bool) -> None:
    """With half the threshold, 360 ms behind the beat before and 180 ms before the next one."""
    assert (at in beats(at, height, without=500.0)) == there


def test_a_pause_is_long_from_1_66_times_the_usual_rr() -> None:
    """At 1.65 times it a small bump is none."""
    for last, there in ((465, False), (467, True)):
        energy = hills([100, 200, 300, last, last + 100, 380], [1, 1, 1, 1, 1, 0.2], 700)
        assert (380 in detect(energy).tolist()) == there
    assert detect(hills([100, 300, 200], [1, 1, 0.2], 400)).tolist() == [100, 300]


def test_the_very_ends_have_no_beats() -> None:
    """40 ms at either end; nor has a strip without energy any."""
    for at, there in ((4, False), (5, True), (494, True), (495, False)):
        assert (at in detect(hills([at, 250], [1.0, 1.0], 500)).tolist()) == there
    assert detect(np.zeros(500)).size == 0 and detect(np.ones(1)).size == 0 and detect(np.zeros(0)).size == 0
    assert detect(hills([250], [0.099], 500)).size == 0 and detect(hills([250], [0.1], 500)).tolist() == [250]
    plateau = hills([100, 250], [1.0, 1.0], 500)
    plateau[245:256] = 1.2
    assert detect(plateau).tolist() == [100, 245]


def told(heights: dict[int, float], n: int = 1000) -> list[int]:
    """What is detected where single samples have energy and all others none."""
    energy = np.zeros(n)
    energy[list(heights)] = list(heights.values())
    return list(detect(energy).tolist())


NINE = {int(at): 1.0 for at in BEATS}


def test_of_two_equally_high_within_200_ms_the_first_is_the_beat() -> None:
    """The second is what still follows it."""
    assert told(NINE | {520: 1.0}) == [int(at) for at in BEATS]


@pytest.mark.parametrize(
    ("at", "height", "there"),
    [
        (550, 0.3, False),  # just 30 % of the level are no beat,
        (550, 0.301, True),
        (544, 0.45, True),  # just 45 % of a beat no T wave
        (544, 0.449, False),
    ],
)
def test_a_beat_is_more_than_30_percent_of_the_level(at: int, height: float, there: bool) -> None:
    """And what is under 45 % of the beat soon before it is its T wave."""
    assert (at in told(NINE | {at: height})) == there


@pytest.mark.parametrize(
    ("after", "t_after", "t_height", "there"),
    [
        (35, 30, 0.131, True),  # 280 ms behind a beat
        (34, 30, 0.131, False),
        (35, 30, 0.13, False),  # T of just 13 % of the beat before tells nothing
        (35, 20, 0.131, True),  # it stands 160 …
        (35, 19, 0.131, False),
        (35, 44, 0.131, True),  # … to 360 ms behind the early beat
        (35, 45, 0.131, False),
    ],
)
def test_an_early_broad_beat_has_a_t_wave_of_its_own(
    after: int, t_after: int, t_height: float, there: bool
) -> None:
    """From 280 ms behind the beat before, though it is weak."""
    at = 500 + after
    heights = {k: v for k, v in NINE.items() if k != 600} | {at: 0.4, at + t_after: t_height}
    assert (at in told(heights)) == there


def test_what_stands_within_100_ms_of_something_higher_is_its_flank() -> None:
    """So it is no T wave, where the higher one behind it comes too late for one."""
    heights = {k: v for k, v in NINE.items() if k != 600} | {535: 0.4, 578: 0.14}
    assert (
        535 in told(heights) and 535 not in told(heights | {590: 0.2}) and 535 in told(heights | {591: 0.2})
    )


def test_a_pause_of_just_1_66_times_the_usual_rr_is_none() -> None:
    """It is not looked at again, and from there on for what is more than 15 % of the level."""
    for last, height, there in ((466, 0.2, False), (467, 0.2, True), (467, 0.15, False), (467, 0.151, True)):
        assert (380 in told({100: 1.0, 200: 1.0, 300: 1.0, last: 1.0, 380: height}, 700)) == there
