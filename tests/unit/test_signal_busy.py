"""Borders of the QRS by the bend of the trace, and P as a second hump, written out (fast rhythms)."""

import math
from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from greenchannel.signal.busy_borders import busy_borders, climbs
from greenchannel.signal.delineator import PRE
from greenchannel.signal.fast_p import fast_p
from tests.drawn_beats import SAMPLES, Singles, bump, drawn

Bools = NDArray[np.bool_]
WIDTH = PRE + 180  # samples of a beat that have a slope


def quiet_after(loud: list[bool], long: int) -> float:
    """Samples until it is quiet for so many of them; NaN where it never is."""
    places = [k for k, one in enumerate(loud) if one]
    return next((a + 1.0 for a, b in pairwise([*places, len(loud)]) if b - a > long), math.nan)


def borders_written_out(slope: Singles, speak: Bools, rr_s: float) -> tuple[float, float, float]:
    """Onset, offset and the beginning of the core by the rules; samples of 2 ms."""
    half = min(max(round(rr_s * 250), 56), PRE - 8 - 2)
    rows = slope[speak].astype(float)
    if not len(rows):
        return math.nan, math.nan, math.nan
    part = rows[:, PRE - half - 8 : PRE + half + 8]
    bend = (part[:, 12:] - part[:, :-12]) ** 2
    rest = np.array([np.sort(row)[int(0.2 * row.size)] for row in bend])
    total = bend[rest <= 9.0 * np.sort(rest)[rest.size // 2]].sum(axis=0)
    size = np.sqrt([total[k : k + 5].sum() for k in range(total.size - 4)])
    near = range(half - 40, half + 40)
    peak = max(size[k] for k in near)
    core = [k for k in near if size[k] >= 0.35 * peak]
    level = float(np.sort(size)[int(0.2 * size.size)])
    on = quiet_after([one > max(3.0 * level, 0.10 * peak) for one in size[core[0] :: -1]], 12)
    off = quiet_after([one > max(2.0 * level, 0.04 * peak) for one in size[core[-1] :]], 16)
    first = PRE - half
    return first + core[0] - on + 6, first + core[-1] + off - 5, float(first + core[0])


def slope_of(beats: Singles) -> Singles:
    """Any smooth slope will do; that of the samples around."""
    made: Singles = np.gradient(beats.astype(float), axis=1)[:, :WIDTH].astype(np.float32) * np.float32(500)
    return made


@pytest.mark.parametrize("noise_mv", [0.0, 0.004, 0.03])
@pytest.mark.parametrize("rr_s", [0.2, 0.224, 0.31, 0.4, 0.49, 0.9])
def test_borders_by_the_bend_are_those_of_the_rules(rr_s: float, noise_mv: float) -> None:
    """Of narrow and broad beats, in all leads and in some, with one or several leads full of noise."""
    rng = np.random.default_rng(round(100 * rr_s))
    for seed in range(6):
        beat = drawn(seed, broad=float(rng.uniform(0.7, 2.0)), noise_mv=noise_mv)
        beat += 0.4 * bump(PRE - rr_s * 500 + 125, 100).astype(np.float32)
        loud = rng.random(12) < 0.3
        beat[loud] += rng.choice([0.02, 0.3]) * rng.standard_normal((int(loud.sum()), SAMPLES)).astype(
            np.float32
        )
        for speak in (np.ones(12, dtype=bool), rng.random(12) < 0.5):
            slope = slope_of(beat)
            found = busy_borders(slope, speak, rr_s)
            assert found == pytest.approx(borders_written_out(slope, speak, rr_s), abs=1e-6, nan_ok=True)


def test_borders_do_not_depend_on_the_size_of_the_beat() -> None:
    """A thousandth of it has the same ones."""
    slope = slope_of(drawn(5))
    every = np.ones(12, dtype=bool)
    small = busy_borders(slope * np.float32(0.001), every, 0.4)
    assert small == pytest.approx(busy_borders(slope, every, 0.4), nan_ok=True) and not math.isnan(small.off)


def test_without_leads_no_border_is_told() -> None:
    """NaN, all three."""
    assert all(math.isnan(one) for one in busy_borders(slope_of(drawn()), np.zeros(12, dtype=bool), 0.4))


@pytest.mark.parametrize("on", [9, 10, 11, 100, 186])
def test_the_level_climbs_by_what_two_leads_at_least_show(on: int) -> None:
    """Means of 8 ms against the 8 ms before, up to 4 ms before the QRS; the second largest of the leads."""
    beat = drawn(3, noise_mv=0.05)
    for speak in (np.ones(12, dtype=bool), np.arange(12) < 2, np.arange(12) < 1):
        last = on - 2
        if last < 8:
            assert climbs(beat, speak, on) == math.inf
            continue
        rows = beat[speak].astype(float)
        change = np.abs(rows[:, last - 4 : last].mean(axis=1) - rows[:, last - 8 : last - 4].mean(axis=1))
        assert climbs(beat, speak, on) == pytest.approx(np.sort(change)[-2:][0], abs=1e-5)


def p_written_out(
    beat: Singles, speak: Bools, witness: int | None, on: int, off: int, rr_s: float
) -> tuple[int, int, int] | None:
    """Onset, peak and end of P by the rules; samples of 2 ms."""
    begin = max(round(on - rr_s * 500) + (off - on) + 20, 0)
    if witness is None or not speak.any() or on - begin < 70:
        return None
    rows = beat[speak, begin:on].astype(float)
    smooth = np.array([rows[:, k + 1 : k + 9].mean(axis=1) for k in range(on - begin - 8)])
    size = np.sqrt(((smooth - smooth[-1]) ** 2).mean(axis=1))
    n = size.size
    peaks = [
        k
        for k in range(max(n - 120, 0), n - 22)
        if size[k] == size[max(k - 8, 0) : k + 9].max() and size[k] >= 0.03
    ]
    if not peaks:
        return None
    peak = peaks[-1]
    left = max(peak - 55, 0)
    valley = left + int(size[left : peak + 1].argmin())
    height, floor = size[peak], size[valley]
    if floor > 0.6 * height or valley <= 16:
        return None
    t = int(size[:valley].argmax())
    if t < 8 or size[t] < floor + 0.25 * height:
        return None
    rising = [k for k in range(valley, peak) if size[k] < floor + 0.12 * (height - floor)]
    falling = [k for k in range(peak, n) if size[k] < 0.24 * height]
    if not rising or not falling:
        return None
    p_on, top, p_off = (begin + 4 + k for k in (rising[-1], peak, falling[0]))
    lead = beat[witness].astype(float)
    chord = lead[p_on] + (lead[p_off] - lead[p_on]) * (top - p_on) / (p_off - p_on)
    return (p_on, top, p_off) if lead[top] - chord >= 0.03 else None


def test_p_of_a_fast_beat_is_that_of_the_rules() -> None:
    """Humps of all sizes and distances before the QRS: two, one, none, merged, faint, upside down."""
    rng, seen = np.random.default_rng(7), []
    for trial in range(240):
        plain = trial % 2 == 0  # T and P that can be told apart, or anything
        rr_s, on = (
            float(rng.uniform(0.45, 0.7) if plain else rng.uniform(0.3, 0.9)),
            int(rng.integers(150, 200)),
        )
        off = on + int(rng.integers(30, 60))
        sides = rng.uniform(0.3, 1.5, (8, 2)) * np.where(rng.random((8, 2)) < 0.05, -1, 1)
        t_at = on - rr_s * 500 + (off - on) + (rng.uniform(45, 70) if plain else rng.uniform(20, 110))
        p_at = on - (rng.uniform(30, 80) if plain else rng.uniform(15, 130))
        t = rng.choice([0.05, 0.15, 0.3] if plain else [0.0, 0.4]) * bump(t_at, rng.uniform(50, 90))
        p = rng.choice([0.05, 0.15, 0.3] if plain else [0.0, 0.03, 0.3]) * bump(p_at, rng.uniform(30, 70))
        beat = sides @ np.stack([t, p]) + rng.choice([0.0, 0.004]) * rng.standard_normal((8, SAMPLES))
        made, speak = beat.astype(np.float32), rng.random(8) < 0.7
        expected = p_written_out(made, speak, 1, on, off, rr_s)
        assert fast_p(made, speak, 1, on, off, rr_s) == expected
        seen.append(expected is not None)
        assert fast_p(made, speak, None, on, off, rr_s) is None
        assert fast_p(made, speak & False, 1, on, off, rr_s) is None
    assert 20 < sum(seen) < 200
