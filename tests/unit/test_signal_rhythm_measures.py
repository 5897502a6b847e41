"""RR, pauses, early and broad beats, pacing and the waves of a trace, by numbers that can be checked on paper."""

import math
from itertools import accumulate

import numpy as np
import pytest
from numpy.typing import NDArray

from greenchannel.signal import rhythm_measures as measures

Floats = NDArray[np.float64]
RATE_HZ = 125.0


def at(*rr_s: float) -> Floats:
    """Beats this far apart, the first at half a second."""
    return np.array(list(accumulate(rr_s, initial=0.5)))


def own(r: Floats) -> NDArray[np.int64]:
    """All of the dominant class."""
    return np.zeros(r.size, dtype=np.int64)


def test_rr_and_their_spread() -> None:
    """Mean, extremes, SDNN with one degree of freedom less, RMSSD, and successive differences over the mean."""
    r = at(0.8, 0.8, 1.2, 0.8)
    m = measures.intervals(r, own(r))
    assert (m["rr_mean_s"], m["rr_min_s"], m["rr_max_s"]) == pytest.approx((0.9, 0.8, 1.2))
    assert m["rate_bpm"] == pytest.approx(66.6667, abs=1e-3)
    assert (m["sdnn_ms"], m["rmssd_ms"]) == pytest.approx((200.0, 326.599), abs=1e-2)
    assert m["irregularity"] == pytest.approx(0.8 / 3 / 0.9)
    assert m["irregular_share"] == pytest.approx(2 / 3) and m["dominant_share"] == 1.0


def test_two_beats_have_a_rate_and_three_a_spread() -> None:
    """One has neither, and four differences are asked for where pairs of them are looked at."""
    assert math.isnan(measures.intervals(at(), own(at()))["rate_bpm"])
    assert measures.intervals(np.zeros(0), own(np.zeros(0)))["dominant_share"] == 0.0
    assert measures.intervals(at(), own(at()))["dominant_share"] == 1.0
    two = measures.intervals(at(0.8), own(at(0.8)))
    assert two["rate_bpm"] == pytest.approx(75.0) and "sdnn_ms" not in two and math.isnan(two["irregularity"])
    three = measures.intervals(at(0.8, 1.0), own(at(0.8, 1.0)))
    assert three["sdnn_ms"] == pytest.approx(141.42, abs=0.01) and three["rmssd_ms"] == pytest.approx(200.0)
    assert "poincare_cells" not in measures.intervals(at(1, 1, 1), own(at(1, 1, 1)))
    assert measures.intervals(at(1, 1, 1, 1), own(at(1, 1, 1, 1)))["poincare_cells"] == 0.5


@pytest.mark.parametrize("beats", [7, 8, 9, 10, 14])
@pytest.mark.parametrize("odd", [0, 1, 2, 3, -1, -2, -3])
def test_ectopic_beats_do_not_make_a_rhythm_irregular(beats: int, odd: int) -> None:
    """Where four differences between three dominant beats each are left, those alone count."""
    rng = np.random.default_rng(beats)
    r = at(*rng.uniform(0.6, 1.2, beats - 1))
    label = own(r)
    label[odd] = 1
    mean = (r[-1] - r[0]) / (beats - 1)
    triples = list(zip(r, r[1:], r[2:], strict=False))
    steps = [c - 2 * b + a for a, b, c in triples]
    pure = [s for k, s in enumerate(steps) if not label[k : k + 3].any()]
    steps = pure if len(pure) >= 4 else steps
    m = measures.intervals(r, label)
    assert m["irregularity"] == pytest.approx(np.mean(np.abs(steps)) / mean)
    assert m["irregular_share"] == pytest.approx(np.mean([abs(s) > max(0.04, 0.05 * mean) for s in steps]))
    assert m["dominant_share"] == pytest.approx((beats - 1) / beats)


@pytest.mark.parametrize(
    ("rr", "by", "share"),
    [(0.6, 0.041, 1.0), (0.6, 0.039, 0.0), (1.0, 0.045, 0.0), (1.0, 0.049, 0.0), (1.0, 0.053, 1.0)],
)
def test_a_difference_is_large_from_40_ms_and_5_percent(rr: float, by: float, share: float) -> None:
    """Of the mean RR, whichever is more."""
    r = at(rr, rr + by, rr, rr + by, rr)
    assert measures.intervals(r, own(r))["irregular_share"] == share


@pytest.mark.parametrize(("by", "cells"), [((0.05, 0.03), 0.25), ((0.021, 0.0), 0.5), ((0.021, 0.019), 0.5)])
def test_cells_of_the_poincare_plot_are_40_ms_wide(by: tuple[float, float], cells: float) -> None:
    """Pairs of successive differences in one cell are alike; counted are the different ones, for each pair."""
    rr = list(accumulate([by[0], by[1], by[0], by[1], by[0]], initial=0.6))
    r = at(*rr)
    assert measures.intervals(r, own(r))["poincare_cells"] == cells


@pytest.mark.parametrize(
    ("r", "duration_s", "pause_s", "is_open"),
    [
        ([], 6.0, 6.0, True),
        ([4.0, 5.0], 6.0, 4.0, True),
        ([1.0, 4.0], 5.0, 3.0, False),
        ([1.0, 2.0], 5.0, 3.0, True),
        ([1.0, 3.0], 5.0, 2.0, True),  # as long at the end: it may have lasted longer
    ],
)
def test_the_longest_pause_and_whether_it_ends(
    r: list[float], duration_s: float, pause_s: float, is_open: bool
) -> None:
    """The ends of the strip count as beats that nobody saw."""
    told = measures.pause(np.array(r), duration_s)
    assert (told["longest_pause_s"], told["pause_open"]) == (pause_s, is_open)


def ectopy(r: Floats, label: list[int], width: list[float], dominant_ms: float = 90.0) -> dict[str, float]:
    return measures.ectopy(r, np.array(label), [*width, dominant_ms])


@pytest.mark.parametrize(("before_s", "early"), [(0.79, 1), (0.81, 0)])
def test_a_beat_is_early_below_80_percent_of_the_median_rr(before_s: float, early: int) -> None:
    """Whatever its shape; of an even number of RR the longer of the middle ones is the median."""
    r = at(1.0, 1.0, before_s, 1.2, 0.9)
    assert ectopy(r, [0] * 6, [90.0] * 6)["ectopic_share"] == pytest.approx(early / 6)
    even = at(1.0, before_s, 1.2, 0.9)
    assert ectopy(even, [0] * 5, [90.0] * 5)["ectopic_share"] == pytest.approx(early / 5)


def test_just_80_percent_is_not_early() -> None:
    """Nor does a strip of two beats say anything."""
    r = np.array([0.0, 1.0, 1.8, 2.8])
    assert ectopy(r, [0] * 4, [90.0] * 4)["ectopic_share"] == 0.0
    two = ectopy(r[:2], [0, 0], [90.0] * 2)
    assert math.isnan(two["ectopic_share"]) and two["bigeminy"] == 0.0
    assert ectopy(r[:3], [0] * 3, [90.0] * 3)["ectopic_share"] == 0.0


@pytest.mark.parametrize(
    ("width_ms", "dominant_ms", "label", "ectopic"),
    [
        (120.0, 90.0, 1, True),
        (119.9, 90.0, 1, False),
        (130.0, 110.0, 1, True),  # 20 ms broader than the dominant one
        (129.9, 110.0, 1, False),
        (160.0, 90.0, 0, False),
        (120.0, 90.0, -1, True),
        (math.nan, 90.0, 1, False),
    ],
)
def test_a_beat_of_another_shape_and_broad_is_ectopic(
    width_ms: float, dominant_ms: float, label: int, ectopic: bool
) -> None:
    """From 120 ms on, and broader than the others are."""
    r = at(1, 1, 1, 1)
    told = ectopy(r, [0, 0, label, 0, 0], [90, 90, width_ms, 90, 90], dominant_ms)
    assert told["ectopic_share"] == pytest.approx(0.2 * ectopic)


@pytest.mark.parametrize(("beats", "there"), [(5, 0.0), (6, 1.0)])
def test_six_beats_that_take_turns_are_bigeminy(beats: int, there: float) -> None:
    """By their shape, or because every second one is early."""
    r = at(*[1.0] * (beats - 1))
    assert ectopy(r, [0, 1] * (beats // 2) + [0] * (beats % 2), [90.0] * beats)["bigeminy"] == there
    early = at(1.2, *[0.6, 1.2, 0.6, 1.2, 0.6][: beats - 1])
    assert ectopy(early, [0] * (beats + 1), [90.0] * (beats + 1))["bigeminy"] == there


def test_a_run_is_three_broad_beats_and_the_first_of_equal_ones() -> None:
    """With its length and rate; 119.9 ms are not broad, and two are no run (CV-3)."""
    r = at(1, 0.5, 0.5, 1, 1, 0.4, 0.4, 1)
    wide = [90.0, 120, 120, 120, 90, 120, 120, 120, 90]
    told = ectopy(r, [0] * 9, wide)
    assert (told["wide_run_beats"], told["wide_run_bpm"]) == pytest.approx((3, 120.0))
    wide[1] = 119.9
    told = ectopy(r, [0] * 9, wide)
    assert (told["wide_run_beats"], told["wide_run_bpm"]) == pytest.approx((3, 150.0))
    wide[5] = 119.9
    told = ectopy(r, [0] * 9, wide)
    assert told["wide_run_beats"] == 0 and math.isnan(told["wide_run_bpm"])
    assert ectopy(at(0.5, 0.5, 0.5), [0] * 4, [150.0] * 4)["wide_run_beats"] == 4


@pytest.mark.parametrize(
    ("spike_s", "ventricle", "atrium"),
    [
        (0.02, 0, 0),
        (0.019, 1, 0),
        (-0.12, 1, 0),
        (-0.121, 0, 1),
        (-0.35, 0, 1),
        (-0.351, 0, 0),
    ],
)
def test_a_spike_paces_the_ventricle_or_the_atrium(spike_s: float, ventricle: int, atrium: int) -> None:
    """From 120 ms before R to 20 ms behind it the ventricle, up to 350 ms before it the atrium."""
    told = measures.pacing(np.array([0.0, 2.0]), (spike_s,))
    assert told == {"paced_share": ventricle / 2, "paced_atrium_share": atrium / 2}


def test_one_spike_of_several_is_enough() -> None:
    """Each beat has its own."""
    told = measures.pacing(np.array([1.0, 2.0]), (0.95, 1.95))
    assert told == {"paced_share": 1.0, "paced_atrium_share": 0.0}


def test_without_spikes_nothing_is_paced_and_without_a_look_nothing_known() -> None:
    """Nor is anything without a beat."""
    r = np.array([1.0])
    assert measures.pacing(r, ()) == {"paced_share": 0.0, "paced_atrium_share": 0.0}
    assert measures.pacing(r, None) == {} and measures.pacing(r[:0], (1.0,)) == {}


def test_what_lies_between_beats_ends_where_something_is_missing() -> None:
    """Both sides of a gap may have lasted longer, as the ends of the strip may; what only touches it did not."""
    r = np.array([1.0, 2.0, 3.0, 4.0])
    whole = [(0.0, 1.0, True), (1.0, 2.0, False), (2.0, 3.0, False), (3.0, 4.0, False), (4.0, 5.0, True)]
    assert measures.stretches(r, 5.0) == whole
    within = [(2.0, 2.25, True), (2.5, 3.0, True)]
    assert measures.stretches(r, 5.0, ((2.25, 2.5),)) == whole[:2] + within + whole[3:]
    behind = measures.stretches(r, 5.0, ((2.0, 2.5),))  # from a beat on
    assert behind == [*whole[:2], (2.0, 2.0, True), (2.5, 3.0, True), *whole[3:]]
    before = measures.stretches(r, 5.0, ((2.5, 3.0),))  # up to a beat
    assert before == [*whole[:2], (2.0, 2.5, True), (3.0, 3.0, True), *whole[3:]]


def test_the_most_beats_without_a_gap_between_them_are_taken() -> None:
    """With their classes; a gap parts them at its middle, however near to it they stand."""
    r = np.array([1.0, 2.0, 3.0, 4.0, 5.0, 5.8, 7.2, 8.0, 9.0])
    label = np.arange(9)
    every, classes = measures.unbroken(r, label, ())
    assert every.tolist() == r.tolist() and classes.tolist() == label.tolist()
    most, classes = measures.unbroken(r, label, ((6.0, 7.0),))
    assert most.tolist() == [1.0, 2.0, 3.0, 4.0, 5.0, 5.8] and classes.tolist() == [0, 1, 2, 3, 4, 5]
    most, classes = measures.unbroken(r, label, ((2.2, 2.6), (9.2, 9.4)))
    assert most.tolist() == r[2:].tolist() and classes.tolist() == [2, 3, 4, 5, 6, 7, 8]
