"""P of a fast beat at each of its limits, on beats whose size between two QRS is drawn sample by sample."""

import numpy as np
import pytest
from numpy.typing import NDArray

from greenchannel.signal.fast_p import fast_p
from tests.drawn_beats import SAMPLES

Floats = NDArray[np.float64]
SMOOTH = 8  # samples: over so many the size is a mean
BEGIN = 20
STEP_MV = 1 / 4096  # of all sizes: sums of them are exact


def sizes(*corners: tuple[int, float], sharp: dict[int, float] | None = None) -> Floats:
    """Size in mV from corner to corner by straight lines, 0 at the end, with some samples of their own."""
    at, heights = zip(*corners, strict=True)
    made: Floats = np.rint(np.interp(np.arange(at[-1] + 1), at, heights) / STEP_MV) * STEP_MV
    for k, height in (sharp or {}).items():
        made[k] = height
    return made


def p_of(
    size: Floats, *, begin: int = BEGIN, rr_s: float | None = None, ii: dict[int, float] | None = None
) -> tuple[int, ...] | None:
    """Onset, peak and end of P in one lead of that size, in samples of it; in II it is a dome, or 0 but for `ii`."""
    on = begin + size.size + SMOOTH
    off = on + 40
    beat = np.zeros((2, SAMPLES), dtype=np.float32)
    # Each sample is the one eight before it and what the mean over eight changes by.
    row = np.zeros(size.size + SMOOTH)
    row[1 : SMOOTH + 1] = size[0]
    for k in range(size.size - 1):
        row[k + SMOOTH + 1] = row[k + 1] + SMOOTH * (size[k + 1] - size[k])
    beat[0, begin:on] = row
    beat[1] = -((np.arange(SAMPLES) - 150) ** 2) / 500 if ii is None else 0.0
    for k, level in (ii or {}).items():
        beat[1, begin + SMOOTH // 2 + k] = level
    # The search begins 40 ms behind the end of the QRS before.
    rr = (on - (begin - (off - on) - 20)) / 500 if rr_s is None else rr_s
    found = fast_p(beat, np.array([True, False]), 1, on, off, rr)
    return None if found is None else tuple(at - begin - SMOOTH // 2 for at in found)


END = ((170, 0.0), (199, 0.0))
"""The end of a P that peaks at 140, in 200 samples."""


def test_p_goes_from_its_foot_behind_the_valley_to_where_it_has_nearly_gone() -> None:
    """From 12 % of its height above the valley to 24 % of its height."""
    assert p_of(sizes((0, 0.0), (60, 0.5), (100, 0.0625), (140, 0.25), *END)) == (104, 140, 163)


def test_a_sample_that_just_reaches_a_foot_is_p() -> None:
    """12 % of 0.78125 mV are 0.09375, 24 % are 0.1875."""
    feet = {101: 0.0625, 102: 0.09375, 103: 0.125, 159: 0.25, 160: 0.1875, 161: 0.125}
    tall = sizes((0, 0.0), (60, 0.5), (100, 0.0), (104, 0.25), (140, 0.78125), (158, 0.25), *END, sharp=feet)
    assert p_of(tall) == (101, 140, 161)


@pytest.mark.parametrize(("n", "there"), [(61, False), (62, True)])
def test_t_and_p_need_140_ms_between_two_qrs(n: int, there: bool) -> None:
    """Eight samples of them for the first mean."""
    size = sizes((0, 0.25), (9, 0.5), (20, 0.0), (37, 0.25), (50, 0.0), (n - 1, 0.0))
    assert (p_of(size) is not None) == there


@pytest.mark.parametrize(("begin", "rr_s"), [(BEGIN, None), (0, None), (0, 0.9)])
def test_t_peaks_16_ms_behind_where_it_is_looked_for(begin: int, rr_s: float | None) -> None:
    """What peaks earlier is the end of the QRS before; the search never begins before the beat does."""
    for t, there in ((7, False), (8, True)):
        size = sizes((0, 0.25), (t, 0.5), (60, 0.0), (90, 0.25), (120, 0.0), (199, 0.0))
        assert (p_of(size, begin=begin, rr_s=rr_s) is not None) == there


@pytest.mark.parametrize(("valley", "there"), [(16, False), (17, True)])
def test_the_valley_lies_more_than_32_ms_behind_the_beginning(valley: int, there: bool) -> None:
    """Nearer there is no room for T."""
    size = sizes((0, 0.25), (8, 0.5), (valley, 0.0), (60, 0.25), (90, 0.0), (150, 0.0))
    assert (p_of(size) is not None) == there


def test_where_the_beginning_is_lowest_there_is_no_valley() -> None:
    """A hump within 110 ms of the beginning has its valley between T and itself, or none."""
    corners = ((9, 0.5), (25, 0.0625), (50, 0.25), (75, 0.0), (120, 0.0))
    assert p_of(sizes((0, 0.0), *corners)) is None
    assert p_of(sizes((0, 0.125), *corners)) is not None


@pytest.mark.parametrize(("edge", "there"), [(84, False), (85, True)])
def test_the_valley_lies_within_110_ms_of_the_peak(edge: int, there: bool) -> None:
    """What is low earlier is not looked at."""
    size = sizes((0, 0.0), (60, 0.5), (edge - 1, 0.2), (edge + 1, 0.2), (140, 0.25), *END, sharp={edge: 0.0})
    assert (p_of(size) is not None) == there


@pytest.mark.parametrize(("apart", "peak"), [(8, 140), (9, 149)])
def test_of_two_tops_within_16_ms_the_higher_one_is_the_peak(apart: int, peak: int) -> None:
    """Further apart they are two humps, of which the last counts."""
    second, tip = 140 + apart, {140: 0.25}
    size = sizes(
        (0, 0.0), (60, 0.5), (100, 0.0), (130, 0.125), (second - 1, 0.125), (second, 0.1875), (second + 20, 0.0),
        (199, 0.0), sharp=tip,
    )  # fmt: skip
    found = p_of(size)
    assert found is not None and found[1] == peak


@pytest.mark.parametrize(("rise", "there"), [(185, False), (186, True)])
def test_a_top_is_the_highest_within_16_ms_behind_it_as_well(rise: int, there: bool) -> None:
    """The foot of the QRS that rises behind P makes it no hump from 16 ms on."""
    corners = ((0, 0.0), (80, 0.5), (140, 0.0), (177, 0.25), (182, 0.03), (199, 0.03))
    found = p_of(sizes(*corners, sharp={rise: 0.5, 199: 0.0}))
    assert (found is not None and found[1] == 177) == there


@pytest.mark.parametrize(("peak", "there"), [(79, False), (80, True), (177, True), (178, False)])
def test_p_peaks_45_to_240_ms_before_the_qrs(peak: int, there: bool) -> None:
    """In 200 means of 16 ms; what peaks earlier is T, later the QRS itself."""
    size = sizes((0, 0.25), (20, 0.5), (50, 0.0), (peak, 0.25), (peak + 18, 0.0), (199, 0.0))
    assert (p_of(size) is not None) == there


@pytest.mark.parametrize(("height", "there"), [(122, False), (123, True)])
def test_a_hump_of_less_than_30_uv_is_none(height: int, there: bool) -> None:
    """In steps of a quarter of a microvolt."""
    size = sizes((0, 0.0), (60, 0.5), (100, 0.0), (140, height * STEP_MV), *END)
    assert (p_of(size) is not None) == there


@pytest.mark.parametrize(("floor", "there"), [(0.375, True), (0.375 + STEP_MV, False), (0.5, False)])
def test_the_valley_is_no_higher_than_three_fifths_of_p(floor: float, there: bool) -> None:
    """Of 0.625 mV; else the two are one hump."""
    size = sizes((0, 0.0), (60, 0.875), (100, floor), (140, 0.625), *END)
    assert (p_of(size) is not None) == there


@pytest.mark.parametrize(("t", "there"), [(0.1875, True), (0.1875 - STEP_MV, False), (0.15, False)])
def test_t_stands_a_quarter_of_p_above_the_valley(t: float, there: bool) -> None:
    """Of 0.25 mV over a valley of 0.125; else the only hump is T."""
    size = sizes((0, 0.0), (60, t), (100, 0.125), (140, 0.25), *END)
    assert (p_of(size) is not None) == there


def test_a_p_that_rises_or_falls_within_a_sample_is_one() -> None:
    """The valley may be the sample before the peak, and is never one behind it."""
    falls = sizes((0, 0.0), (60, 0.5), (100, 0.0625), (140, 0.25), (141, 0.0), (199, 0.0))
    assert p_of(falls) == (104, 140, 141)
    rises = sizes((0, 0.0), (60, 0.5), (138, 0.1875), (139, 0.03125), (140, 0.25), *END)
    assert p_of(rises) == (139, 140, 163)


@pytest.mark.parametrize(("level_mv", "there"), [(-0.25, True), (-0.2495, False), (0.25, False)])
def test_a_conducted_p_stands_30_uv_above_the_line_between_its_feet_in_ii(
    level_mv: float, there: bool
) -> None:
    """Six ms behind its onset and 44 before its end, which lies 250 µV lower: the line passes 30 µV below the peak."""
    steep = {137: 0.0703125, 138: 0.1875, 139: 0.21875, 161: 0.0625, 162: 0.03125}
    size = sizes(
        (0, 0.0), (60, 0.5), (100, 0.0625), (137, 0.0625), (140, 0.25), (160, 0.0625), *END, sharp=steep
    )
    found = p_of(size, ii={162: level_mv})
    assert found == ((137, 140, 162) if there else None)
