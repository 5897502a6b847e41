"""Beats sorted by shape and put in line, written out beat by beat and lag by lag."""

import math
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from greenchannel.signal import kernels
from greenchannel.signal.beats import Classes, _dominant_first, _groups, classify, windows

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]
NO_SPIKES = np.zeros(0, dtype=np.int64)
Match = dict[
    int, tuple[float, int, float, float]
]  # of each beat: fit, lag, fine lag, size over the template's


class Written:
    """The rules in loops. Times in samples at 250 Hz: a shape is 23 + 33 of them, a beat is looked for 10 around."""

    def __init__(self, half: Singles, coarse: Sequence[int], weights: Floats) -> None:
        at = [np.clip(np.arange(c - 33, c + 43), 0, half.shape[1] - 1) for c in coarse]
        beats = [half[:, index].astype(float) * weights[:, None] for index in at]
        self.beats = [beat - beat.mean(axis=1, keepdims=True) for beat in beats]

    def match(self, some: Sequence[int], template: Floats) -> Match:
        """Each beat at its best lag against a template."""
        shape = template - template.mean(axis=1, keepdims=True)
        own, found = float(np.linalg.norm(shape)) + 1e-12, {}
        for beat in some:
            cuts = [self.beats[beat][:, lag : lag + 56] for lag in range(21)]
            sizes = [math.sqrt(max(float((cut**2).sum()), 1e-12)) for cut in cuts]
            fits = [float((cut * shape).sum()) / size / own for cut, size in zip(cuts, sizes, strict=True)]
            lag = int(np.argmax(fits))
            left, right = fits[max(lag - 1, 0)], fits[min(lag + 1, 20)]
            vertex = 0.5 * (left - right) / min(left + right - 2 * fits[lag], -1e-6)
            found[beat] = fits[lag], lag, lag - 10 + vertex, sizes[lag] / own
        return found

    def mean(self, lags: dict[int, int]) -> Floats:
        """Mean of beats each cut at its own lag."""
        result: Floats = np.mean([self.beats[beat][:, lag : lag + 56] for beat, lag in lags.items()], axis=0)
        return result

    def lost(self, classes: Sequence[Sequence[int]]) -> set[int]:
        """Beats with less than an eighth of the largest band energy, unless three of them are alike.

        Three that are alike and as smooth as P waves are lost as well, where the large ones are all of one class.
        """

        def largest(x: Floats) -> float:
            power = (x**2).sum(axis=0)
            return math.sqrt(max(power[at : at + 26].mean() for at in range(power.size - 25)))

        def smooth(beat: Floats) -> bool:
            shape = beat[:, 10:66] - beat[:, 10:66].mean(axis=1, keepdims=True)
            return largest(beat[:, 10:-6] - beat[:, 6:-10]) < 0.95 * math.sqrt(float((shape**2).sum()) / 56)

        power = [float((beat[:, ::4] ** 2).sum()) for beat in self.beats]
        if min(power) * 16 > max(power):
            return set()
        sums = [beat[:, 1:] + beat[:, :-1] for beat in self.beats]
        energy = [largest(2 * x[:, 6:-6] - x[:, :-12] - x[:, 12:]) for x in sums]
        small = {beat for beat, one in enumerate(energy) if 8 * one < max(energy)}
        alike = [members for c in classes if len(members := small & set(c)) >= 3]
        large = set(range(len(energy))) - small
        one_class = len(large) > 1 and any(large <= set(c) for c in classes)
        if alike and not (one_class and all(smooth(self.beats[b]) for members in alike for b in members)):
            return set()
        return small


def same(match: Match) -> dict[int, int]:
    """The beats of the template's shape and about its size, and their lags."""
    return {beat: lag for beat, (fit, lag, _, ratio) in match.items() if fit >= 0.85 and 0.4 < ratio < 2.5}


def peak_of(template: Floats) -> int:
    """The sample of R: the largest magnitude above the level of both ends, 60 ms before to 100 ms behind the middle."""
    level = (template[:, :3].sum(axis=1) + template[:, -3:].sum(axis=1)) / 6
    return max(range(8, 48), key=lambda k: float(((template[:, k] - level) ** 2).sum()))


def narrow(template: Floats) -> bool:
    """Steep for no more than 36 ms."""
    speed = (np.diff(template, axis=1) ** 2).sum(axis=0)
    return int((speed > 0.04 * speed.max()).sum()) <= 9


def written_out(half: Singles, coarse: Sequence[int], weights: Floats) -> tuple[Classes, Floats, Floats]:
    """Classes by the rules; then R and the spikes before they are rounded to whole samples."""
    rules, free = Written(half, coarse, weights), list(range(len(coarse)))
    found: list[tuple[list[int], Floats]] = []
    place = 2.0 * np.array(coarse)
    while free and len(found) < 6:
        match = rules.match(free, rules.mean(dict.fromkeys(free, 10)))
        if len(same(match)) < len(free):
            seed = max(free, key=lambda beat: match[beat][0])
            match = rules.match(free, rules.beats[seed][:, 10:66])
        if not same(match):
            break
        match = rules.match(free, rules.mean(same(match)))
        members = same(match)
        if not members:
            break
        template = rules.mean(members)
        for beat in members:
            place[beat] += 2 * (match[beat][2] + peak_of(template) - 23)
        found.append((list(members), template))
        free = [beat for beat in free if beat not in members]
    lost_beats = rules.lost([members for members, _ in found])
    if lost_beats:
        return written_out(half, [c for beat, c in enumerate(coarse) if beat not in lost_beats], weights)
    n = 2 * half.shape[1]
    place = np.clip(place + 0.5, 0, n - 1)
    aligned = np.rint(place).astype(int)
    gap = np.append(np.diff(aligned), 2 * n - aligned[-1])
    spike = [
        len(found) > 1 and np.mean([gap[b] < 160 for b in members]) > 0.5 and narrow(template)
        for members, template in found
    ]
    if len(found) and sum(len(m) for (m, _), s in zip(found, spike, strict=True) if s) == len(coarse):
        spike = [False] * len(found)
    kept = [one for one, gone in zip(found, spike, strict=True) if not gone]
    lost = sorted(b for (members, _), gone in zip(found, spike, strict=True) if gone for b in members)
    before = (
        np.diff(aligned, prepend=aligned[0] - np.median(np.diff(aligned))) if len(coarse) > 1 else np.zeros(1)
    )
    most = max((len(members) for members, _ in kept), default=0)
    # One beat more or less is a matter of where the strip begins, among classes of three and more.
    count = {id(one): most if len(one[0]) >= max(most - 1, 3) else len(one[0]) for one in kept}
    kept.sort(key=lambda one: (-count[id(one)], -before[one[0]].mean()))
    label = {beat: number for number, (members, _) in enumerate(kept) for beat in members}
    first: dict[int, int] = {}
    for beat in (b for b in range(len(coarse)) if b not in lost):
        first.setdefault(int(aligned[beat]), beat)
    rest = [first[r] for r in sorted(first)]
    shape = kept[0][1] if kept else np.zeros((0, 56))
    classes = Classes(
        r=aligned[rest], label=np.array([label.get(b, -1) for b in rest]), shape=shape.astype(np.float32),
        shape_r=peak_of(shape) if kept else 23, spikes=np.sort(aligned[lost]),
    )  # fmt: skip
    return classes, place[rest], np.sort(place[lost])


def assert_as_written(half: Singles, coarse: Sequence[int], weights: Sequence[float]) -> Classes:
    """The classes equal the rules, and are returned."""
    given = np.array(weights, dtype=np.float32)
    found = classify(half, np.array(coarse, dtype=np.int64), given, NO_SPIKES)
    expected, r, spikes = written_out(half, coarse, given.astype(float))
    # Half way between two samples 32 bits may round to the other one.
    assert found.r == pytest.approx(r, abs=0.503, rel=0)
    assert found.spikes == pytest.approx(spikes, abs=0.503, rel=0)
    assert found.label.tolist() == expected.label.tolist()
    assert found.shape == pytest.approx(expected.shape, abs=1e-5) and found.shape_r == expected.shape_r
    return found


T = np.arange(-30.0, 40.0)


def shape_of(*parts: tuple[float, float, float]) -> Floats:
    """Sum of Gaussians ``(height, place, width)``, 70 samples, R at the thirtieth."""
    return np.array(sum(h * np.exp(-(((T - at) / width) ** 2)) for h, at, width in parts))


NARROW = np.array([shape_of((1, 0, 3), (-0.3, 7, 3)), shape_of((0.6, 1, 3), (-0.8, 6, 4))])
BROAD = np.array([shape_of((-1.2, 4, 9), (0.4, 22, 8)), shape_of((1.4, 0, 8))])
SPIKE = np.array([shape_of((1.5, 0, 1.2)), shape_of((-1.0, 0, 1.2))])


def trace(beats: Sequence[tuple[int, Floats]], n: int, noise_mv: float = 0.01, seed: int = 0) -> Singles:
    """A strip with shapes at their places."""
    x = noise_mv * np.random.default_rng(seed).standard_normal((2, n))
    for at, shape in beats:
        first, last = max(at - 30, 0), min(at + 40, n)
        x[:, first:last] += shape[:, first - at + 30 : last - at + 30]
    made: Singles = x.astype(np.float32)
    return made


@pytest.mark.parametrize("seed", range(12))
def test_classes_are_those_of_the_rules(seed: int) -> None:
    """Of normal beats, ectopics, spikes and shapes between them, of any size, found early or late, in noise."""
    rng = np.random.default_rng(seed)
    shapes, beats, at = [NARROW, BROAD, SPIKE, -NARROW, 0.6 * NARROW + 0.4 * BROAD], [], 20
    chance = rng.dirichlet([3, 1, 0.5, 0.5, 0.5])
    while at < 2400:
        kind = int(rng.choice(5, p=chance))
        beats.append((at, shapes[kind] * rng.choice([0.38, 0.45, 1, 1, 1, 1.3, 2.2, 2.7])))
        at += int(rng.choice([40, 76, 84, 150, 200]) if kind == 2 else rng.integers(120, 260))
    coarse = sorted({min(max(place + int(rng.integers(-9, 10)), 0), 2499) for place, _ in beats})
    half = trace(beats, 2500, float(rng.choice([0.005, 0.03, 0.15])), seed)
    assert_as_written(half, coarse, [1.0, 0.7])
    assert_as_written(half, coarse, [0.0, 1.5])
    assert_as_written(half, coarse[:1], [1.0, 1.0])
    assert_as_written(half, coarse[:2], [1.0, 1.0])


def test_r_is_the_peak_of_the_magnitude() -> None:
    """Wherever the detector put the beats within 40 ms, R stands at twice the peak's sample and a half, rounded."""
    half = trace([(at, NARROW) for at in (200, 400, 600, 800)], 1000, 0.0)
    for shift in (-9, 0, 9):
        found = assert_as_written(half, [at + shift for at in (200, 400, 600, 800)], [1.0, 1.0])
        assert found.label.tolist() == [0, 0, 0, 0]
        assert np.abs(found.r - np.array([402, 802, 1202, 1602])).max() <= 2


def test_beats_far_larger_or_smaller_are_no_beats_of_the_class() -> None:
    """Two and a half times the size, either way, is another class."""
    for size, alike in ((2.6, True), (3.3, False), (0.4, True), (0.36, False)):
        beats = [(at, NARROW * (size if at == 600 else 1.0)) for at in range(200, 2400, 200)]
        found = assert_as_written(trace(beats, 2500, 0.0), [at for at, _ in beats], [1.0, 1.0])
        assert (found.label[2] == 0) == alike


def test_equal_classes_are_ranked_by_how_late_their_beats_come() -> None:
    """An early beat is the ectopic one, also when there are as many of them."""
    beats = [(200, NARROW), (300, BROAD), (550, NARROW), (650, BROAD), (900, NARROW), (1000, BROAD)]
    found = assert_as_written(trace(beats, 1200), [at for at, _ in beats], [1.0, 1.0])
    assert found.label.tolist() == [0, 1, 0, 1, 0, 1]


@pytest.mark.parametrize(("ahead", "gone"), [(78, True), (79, False), (82, False)])
def test_a_narrow_shape_just_before_a_beat_is_its_spike(ahead: int, gone: bool) -> None:
    """Within 320 ms, before most of its beats."""
    beats = sorted(
        [(at, BROAD) for at in range(300, 2300, 250)] + [(at - ahead, SPIKE) for at in range(300, 2300, 250)]
    )
    found = assert_as_written(trace(beats, 2500, 0.002), [at for at, _ in beats], [1.0, 1.0])
    assert (found.spikes.size == 8) == gone


def test_just_320_ms_before_a_beat_a_narrow_shape_is_no_spike() -> None:
    """It is a beat of its own from there on."""
    late = np.array([shape_of((1.5, 0.3, 1.2)), shape_of((-1.0, 0.3, 1.2))])
    beats = sorted(
        [(at, BROAD) for at in range(300, 2300, 250)] + [(at - 79, late) for at in range(300, 2300, 250)],
        key=lambda one: one[0],
    )
    found = assert_as_written(trace(beats, 2500, 0.0), [at for at, _ in beats], [1.0, 1.0])
    ahead = set(np.diff(found.r)[::2].tolist())
    assert ahead <= {160, 161}  # R lies between two samples, and processors round it differently
    assert found.spikes.size == 0


def test_a_strip_of_spikes_alone_keeps_its_beats() -> None:
    """Were all of them spikes there would be no beat left."""
    beats = [(at, SPIKE * (1 if k % 2 else -1)) for k, at in enumerate(range(200, 2300, 70))]
    found = assert_as_written(trace(beats, 2500, 0.002), [at for at, _ in beats], [1.0, 1.0])
    assert found.r.size == len(beats) and found.spikes.size == 0


def test_leads_without_a_vote_leave_beats_without_a_class() -> None:
    """Nothing to compare: R is where the detector put it."""
    found = assert_as_written(trace([(200, NARROW), (500, NARROW)], 800), [201, 500], [0.0, 0.0])
    assert found.label.tolist() == [-1, -1] and found.r.tolist() == [402, 1000]


def test_two_beats_that_fall_onto_one_place_are_one() -> None:
    """The detector may see one beat twice."""
    half = trace([(at, NARROW) for at in (200, 400, 600)], 800, 0.0)
    found = assert_as_written(half, [200, 396, 404, 600], [1.0, 1.0])
    assert found.r.size == found.label.size == 3


def test_windows_repeat_the_ends() -> None:
    """Of a strip that a window leaves, at either end or at one alone."""
    x = np.arange(20, dtype=np.float32).reshape(2, 10)
    assert windows(x, np.array([5, 9]), 2, 3)[:, 0].tolist() == [[3, 4, 5, 6, 7], [7, 8, 9, 9, 9]]
    cut = windows(x, np.array([0, 2, 5, 7, 9]), 2, 3)
    assert cut[:, 0].tolist() == [
        [0, 0, 0, 1, 2],
        [0, 1, 2, 3, 4],
        [3, 4, 5, 6, 7],
        [5, 6, 7, 8, 9],
        [7, 8, 9, 9, 9],
    ]
    assert np.array_equal(cut[:, 1], cut[:, 0] + 10)


def test_windows_of_a_part_of_a_longer_trace_are_those_of_a_copy() -> None:
    """Rows that do not follow each other in memory are cut all the same."""
    x = np.random.default_rng(2).standard_normal((3, 90)).astype(np.float32)
    at = np.array([10, 31, 45])
    assert windows(x[:, 20:80], at, 10, 15).tobytes() == windows(x[:, 20:80].copy(), at, 10, 15).tobytes()


def moved(shape: tuple[tuple[float, float, float], ...], by: float) -> Floats:
    """A lead of such Gaussians so much of a sample later."""
    return shape_of(*((height, at + by, width) for height, at, width in shape))


def test_beats_are_put_in_line_within_a_sample() -> None:
    """Beats that come at any fraction of a sample of 4 ms: R is the nearest of 2 ms, by the vertex of the fit."""
    rng = np.random.default_rng(5)
    leads = ((1.0, 0.0, 3.0), (-0.3, 7.0, 3.0)), ((0.6, 1.0, 3.0), (-0.8, 6.0, 4.0))
    at = np.arange(60, 3_000, 60)
    late = rng.uniform(-0.5, 0.5, at.size)
    beats = [
        (k, np.array([moved(lead, by) for lead in leads])) for k, by in zip(at.tolist(), late, strict=True)
    ]
    found = assert_as_written(trace(beats, 3_100, 0.0), at.tolist(), [1.0, 1.0])
    assert not found.label.any()
    assert found.r - found.r.mean() == pytest.approx(2 * (at + late) - (2 * (at + late)).mean(), abs=0.75)


@pytest.mark.parametrize("at", [-18, -13, 22, 28])
def test_r_lies_near_the_middle_of_the_beat(at: int) -> None:
    """From 60 ms before to 100 ms behind it; a taller peak beyond is not R."""
    shape = np.array([shape_of((1.0, 0, 2.5), (1.3, at, 2.5)), shape_of((0.6, 0, 2.5), (0.8, at, 2.5))])
    found = assert_as_written(trace([(k, shape) for k in (200, 400, 600)], 800, 0.0), [200, 400, 600], [1, 1])
    assert abs(found.shape_r - 23 - (at if at in (-13, 22) else 0)) <= 1


@pytest.mark.parametrize("sign", [-1, 1])
@pytest.mark.parametrize("taller", [0.99, 1.01])
def test_r_is_the_larger_of_two_peaks_whatever_the_area(sign: int, taller: float) -> None:
    """Size is taken from the level at both ends of the beat, and that of a beat with much area is not 0."""
    shape = np.array([sign * shape_of((0.9, 18, 4), (1.0, -10, 1.5), (-taller, 0, 1.5)), 0 * T])
    found = assert_as_written(trace([(k, shape) for k in (200, 400, 600)], 800, 0.0), [200, 400, 600], [1, 1])
    assert found.shape_r == 23 + (0 if taller > 1 else -10)


def test_r_lies_within_the_strip() -> None:
    """Also of a beat whose R is just cut off, and of what was found at its first sample."""
    wide = (0.9, -9, 4), (-0.9, 0, 4), (0.9, 9, 4)
    late = np.array([shape_of(*wide, (1.1, 24, 2)), shape_of(*wide, (-1.1, 24, 2))])
    places = (200, 400, 600, 776)
    found = assert_as_written(trace([(at, late) for at in places], 800, 0.0), places, [1.0, 1.0])
    assert found.label.tolist() == [0, 0, 0, 0] and found.r[-1] == 1599
    nothing = classify(trace([], 800), np.array([0, 500]), np.zeros(2, dtype=np.float32), NO_SPIKES)
    assert nothing.r.tolist() == [0, 1000]


def test_a_t_wave_that_the_detector_took_for_a_beat_is_dropped() -> None:
    """Smooth, weaker and always so far behind a broad beat; the beats keep their places."""
    t_wave = np.array([shape_of((0.9, 0, 16)), shape_of((-0.6, 0, 16))])
    places = list(range(300, 2300, 250))
    strip = trace([one for at in places for one in ((at, BROAD), (at + 85, t_wave))], 2500, 0.002)
    coarse = np.array(sorted([*places, *(at + 85 for at in places)]))
    weights = np.array([1, 1], dtype=np.float32)
    found = classify(strip, coarse, weights, NO_SPIKES)
    alone = classify(strip, np.array(places), weights, NO_SPIKES)
    assert found.r.tolist() == alone.r.tolist() and found.label.tolist() == alone.label.tolist()


def test_a_place_where_nothing_moves_is_of_no_class() -> None:
    """It does not spoil the others."""
    half = trace([(at, NARROW) for at in (200, 400, 600)], 1000, 0.0)
    found = classify(half, np.array([200, 400, 600, 800]), np.array([1, 1], dtype=np.float32), NO_SPIKES)
    assert found.r.size == 3 and not found.label.any()


def test_spikes_come_before_most_of_their_beats() -> None:
    """A narrow shape of which only half stand soon before a beat is a beat of its own."""
    places = list(range(300, 2300, 250))
    shapes = [(at, BROAD) for at in places] + [
        (at - (70 if k % 2 else 120), SPIKE) for k, at in enumerate(places)
    ]
    beats = sorted(shapes, key=lambda one: one[0])
    found = assert_as_written(trace(beats, 2500, 0.002), [at for at, _ in beats], [1.0, 1.0])
    assert found.spikes.size == 0


@pytest.mark.parametrize(("first", "dominant"), [(0, 0), (1, 1)])
def test_where_two_shapes_take_turns_one_more_or_less_does_not_count(first: int, dominant: int) -> None:
    """A strip that begins and ends with the early shape has one more of it: the late one leads, if there are three."""
    beats = [
        (300, BROAD),
        (550, NARROW),
        (650, BROAD),
        (900, NARROW),
        (1000, BROAD),
        (1250, NARROW),
        (1350, BROAD),
    ]
    beats = beats[2 * first :]
    found = assert_as_written(trace(beats, 1500), [at for at, _ in beats], [1.0, 1.0])
    assert [int(one) for one in found.label] == [1 - dominant, dominant] * (len(beats) // 2) + [1 - dominant]


@pytest.mark.parametrize(("ahead", "spikes"), [(159, 4), (160, 0), (161, 0)])
def test_a_spike_stands_less_than_320_ms_before_its_beat(ahead: int, spikes: int) -> None:
    """At that distance in samples of 2 ms, and from there on, a narrow shape is a beat of its own."""
    beats = np.arange(1000, 5000, 1000)
    place = np.sort(np.concatenate([beats, beats - ahead])) - 0.5
    label = np.tile([1, 0], 4)
    late, early = (shape[:, 7:63].astype(np.float32) for shape in (BROAD, SPIKE))
    members = [(np.flatnonzero(label == k), shape, 23) for k, shape in enumerate((late, early))]
    found = _dominant_first(place, label, members, 6000)
    assert found.spikes.size == spikes and set(np.diff(found.r).tolist()) == (
        {1000} if spikes else {ahead, 1000 - ahead}
    )


def test_kernels_cut_and_group_what_they_can_take(monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows of 32 bits only; the members of each class are those with its number."""
    shapes, label = np.zeros((2, 2, 56), dtype=np.float32), np.array([0, 1, 0, -1])
    cut = np.ones((1, 1, 6), dtype=np.float32)
    part = SimpleNamespace(
        windows=lambda x, centres, before, after: cut,
        groups=lambda wide, coarse: (2.0 * coarse, label, shapes, np.array([23, 24]), 2),
    )
    monkeypatch.setattr(kernels, "loaded", SimpleNamespace(beats=part))
    x: NDArray[Any] = np.arange(20.0)[None]
    at = np.array([9])
    assert windows(x.astype(np.float32), at, 2, 4) is cut
    assert windows(x, at, 2, 4).tolist() == [[[7, 8, 9, 10, 11, 12]]]
    _, _, found = _groups(np.zeros((4, 2, 76), dtype=np.float32), np.arange(4) * 300)
    assert [(one.tolist(), peak) for one, _, peak in found] == [([0, 2], 23), ([1], 24)]
