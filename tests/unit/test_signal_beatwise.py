"""Borders of single beats: the top that a beat shows, order, and what stays as it is."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from greenchannel.ingest.reader import read_path
from greenchannel.signal.beatwise import heights, refine
from greenchannel.signal.measure import measure

Doubles = NDArray[np.float64]

# Samples from R: P, QRS and T of the beats below.
BORDERS = np.array([-100.0, -80, -60, -25, 25, 80, 140, 190])


def _bell(n: int, centre: float, half_width: float) -> Doubles:
    away = np.clip((np.arange(n) - centre) / half_width, -1, 1)
    bell: Doubles = 0.5 + 0.5 * np.cos(np.pi * away)
    return bell


def _strip(r: list[int], late: list[int], leads: int = 2, n: int = 5000) -> NDArray[np.float32]:
    """Beats whose P and T lie `late` samples behind their usual places; every second lead is upside down."""
    y = np.zeros(n)
    for at, by in zip(r, late, strict=True):
        y += 0.12 * _bell(n, at - 80 + by, 22) + 0.4 * _bell(n, at + 140 + by, 60) + _bell(n, at, 20)
    return np.array([y * (-1) ** k for k in range(leads)], dtype=np.float32)


def _placed(r: list[int], leads: int = 2) -> Doubles:
    return np.array([[at + BORDERS] * leads for at in r])


def _height(beats: int, leads: int = 2) -> NDArray[np.float32]:
    return np.array([[[0.12, 0.4], [-0.12, -0.4]] * leads] * beats, dtype=np.float32)[:, :leads]


def test_heights_are_signed_and_those_of_the_waves() -> None:
    """P of 0.12 mV and T of 0.4 mV, upright and upside down."""
    beat = _strip([210], [0], n=540)
    told = heights(beat, np.array([BORDERS + 210] * 2))
    assert told == pytest.approx(np.array([[0.12, 0.4], [-0.12, -0.4]]), abs=0.02)


def test_peaks_follow_the_beat() -> None:
    """A P and a T 20 ms late are given most of the way later; QRS and T onset stay."""
    r = [1000, 1500, 2000]
    late = [0, 10, -10]
    moved = refine(_strip(r, late), None, _placed(r), _height(3)) - _placed(r)
    for beat, by in enumerate(late):
        assert moved[beat, :, 1] == pytest.approx(0.77 * by, abs=1)
        assert moved[beat, :, 6] == pytest.approx(0.77 * by, abs=1)
    assert not moved[..., 3:6].any()
    assert (moved[1, :, [0, 2, 7]] > moved[2, :, [0, 2, 7]]).all()


def test_polarity_and_level_change_nothing() -> None:
    """A lead upside down has the same borders, and so has one at another level."""
    r = [1000, 1500]
    moved = refine(_strip(r, [4, -6]), None, _placed(r), _height(2))
    np.testing.assert_array_equal(moved[:, 0], moved[:, 1])
    lifted = refine(_strip(r, [4, -6]) + np.float32(0.5), None, _placed(r), _height(2))
    np.testing.assert_allclose(lifted, moved, atol=1e-3)


def test_top_of_a_faint_wave_counts_for_little() -> None:
    """Where the median beat has hardly a wave, the top of one beat moves hardly anything."""
    r = [1000]
    moved = refine(_strip(r, [10]), None, _placed(r), _height(1) * np.float32(0.02)) - _placed(r)
    assert (np.abs(moved[..., [1, 6]]) < 1).all()


def test_what_was_not_recorded_or_lies_at_the_edge_moves_nothing() -> None:
    """A missing sample near T keeps T where it is, in its lead alone; so does the end of the strip."""
    r = [1000, 4860]
    x, at = _strip(r, [10, 0]), _placed(r)
    valid = np.ones(x.shape, dtype=np.bool_)
    valid[1, 1150] = False
    moved = refine(x, valid, at, _height(2)) - at
    assert moved[0, 0, 6] > 4
    assert not moved[0, 1, 6:].any()
    assert not moved[1, :, 6:].any()
    assert moved[0, 1, 1] > 4


def test_unknown_borders_stay_unknown_and_order_is_kept() -> None:
    """NaN stays NaN, and on noise of any size P stays before the QRS and T behind it."""
    rng = np.random.default_rng(1)
    r = list(range(300, 4700, 400))
    x = rng.normal(0, 3, (4, 5000)).astype(np.float32)
    at = _placed(r, 4)
    at[0] = np.nan
    at[1, :, :3] = np.nan
    height = rng.normal(0, 0.2, (len(r), 4, 2)).astype(np.float32)
    moved = refine(x, None, at, height)
    np.testing.assert_array_equal(np.isnan(moved), np.isnan(at))
    known = moved[2:]
    assert (np.diff(known[..., :4], axis=-1) >= 0).all()
    assert (np.diff(known[..., 4:], axis=-1) >= 0).all()
    assert (np.abs(moved - at)[~np.isnan(at)] <= 40).all()


def test_many_beats_are_answered_as_few_and_nothing_is_changed() -> None:
    """Thousands of beats, one lead: each as in a strip of its own company; the arguments stay."""
    r = list(range(300, 299_000, 250))
    late = [k % 7 - 3 for k in range(len(r))]
    x, at = _strip(r[:40], late[:40], 1, 12_000), _placed(r, 1)
    x = np.tile(x, 25)
    before = x.copy(), at.copy()
    moved = refine(x, None, at, _height(len(r), 1))
    np.testing.assert_array_equal(x, before[0])
    np.testing.assert_array_equal(at, before[1])
    few = refine(x, None, at[:40], _height(40, 1))
    np.testing.assert_allclose(moved[:40], few, atol=1e-3)
    assert refine(x, None, at[:0], _height(1, 1)[:0]).shape == (0, 1, 8)
    assert refine(x[:, :80], None, at[:1], _height(1, 1)).shape == (1, 1, 8)


@pytest.mark.data
def test_beats_of_a_real_strip_keep_their_order(data_dir: Path) -> None:
    """In every lead and beat of a real recording P comes before the QRS and T behind it."""
    m = measure(read_path(data_dir / "ludb" / "data" / "1.hea").recording)
    for beats in m.lead_beats.values():
        for beat in beats:
            told = [at for at in beat if at is not None]
            assert told == sorted(told)
