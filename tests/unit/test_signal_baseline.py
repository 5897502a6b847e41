"""Where the baseline is taken: in the PR segment of each dominant beat, written out sample by sample."""

from types import SimpleNamespace

import numpy as np
import pytest
from numpy.typing import NDArray

from greenchannel.signal import kernels
from greenchannel.signal.baseline import knots, levels, spline, width
from greenchannel.signal.beats import Classes

Singles = NDArray[np.float32]
SHAPE_R = 23  # of a shape of 56 samples at 250 Hz


def classes(
    shape: Singles, r: list[int], label: list[int] | None = None, *, shape_r: int = SHAPE_R
) -> Classes:
    """Beats at R, of one class unless told otherwise."""
    return Classes(
        r=np.array(r, dtype=np.int64),
        label=np.array(label if label is not None else [0] * len(r), dtype=np.int64),
        shape=shape.astype(np.float32),
        shape_r=shape_r,
        spikes=np.zeros(0, dtype=np.int64),
    )


def onset_written_out(shape: Singles, shape_r: int) -> int | None:
    """Behind the last three slow samples before the steepest one: the onset, in samples of the shape's velocity."""
    speed = [
        float(np.sqrt(((shape[:, at + 2] - shape[:, at]).astype(float) ** 2).sum()))
        for at in range(shape.shape[1] - 2)
    ]
    steep = speed.index(max(speed))
    limit = max(0.06 * speed[steep], 1.5 * sorted(speed[:9])[3])
    for at in range(min(steep, shape_r), 1, -1):
        if all(speed[k] < limit for k in (at, at - 1, at - 2)):
            return at + 1
    return None


def shapes(seed: int) -> Singles:
    """A random QRS in two leads with some noise before it."""
    rng = np.random.default_rng(seed)
    t = np.arange(56.0)
    x = np.zeros((2, 56))
    for row in x:
        for _ in range(3):
            row += rng.uniform(-1, 1) * np.exp(-(((t - rng.uniform(17, 40)) / rng.uniform(1.5, 6)) ** 2))
    made: Singles = (x + rng.choice([0, 0.003, 0.02, 0.1]) * rng.standard_normal(x.shape)).astype(np.float32)
    return made


def test_the_knot_lies_20_ms_before_the_onset_of_the_mean_qrs() -> None:
    """Of many random shapes, steepest before and behind R; where none is quiet there are no knots."""
    found = 0
    for seed in range(200):
        shape = shapes(seed)
        for shape_r in (17, SHAPE_R, 30):
            onset = onset_written_out(shape, shape_r)
            at = knots(classes(shape, [400, 900], shape_r=shape_r), 2000)
            expected = [] if onset is None else [r - 2 * (shape_r - onset) - 10 for r in (400, 900)]
            assert at.tolist() == expected
            found += bool(expected)
    assert 100 < found < 600


STEP = np.where(np.arange(56) < 20, 0.0, np.minimum(np.arange(56.0) - 19, 5.0))[None].astype(np.float32)
"""Flat to sample 19, then steep: the velocity is 0 to sample 17, so the onset is 18 and a knot 20 samples before R."""


def test_only_knots_whose_eight_samples_exist_count() -> None:
    """A level is the mean of 8 samples: the first may be the strip's first, the last its last."""
    assert width() == 8
    assert knots(classes(STEP, [19, 20, 21, 988, 1012, 1013]), 1000).tolist() == [0, 1, 968, 992]


def test_knots_are_those_of_the_dominant_beats_while_these_are_half_of_all() -> None:
    """Where most beats belong to no dominant class all beats carry a knot."""
    r = [100, 200, 300, 400]
    assert knots(classes(STEP, r, [0, 1, 0, -1]), 1000).tolist() == [80, 280]
    assert knots(classes(STEP, r, [0, 1, 1, -1]), 1000).tolist() == [80, 180, 280, 380]
    assert knots(classes(STEP, [*r, 500], [0, 1, 1, 0, 1]), 1000).tolist() == [80, 180, 280, 380, 480]
    assert knots(classes(STEP[:0], r), 1000).size == 0


def test_a_level_is_the_mean_of_eight_samples() -> None:
    """Of each lead, from the knot on."""
    x = np.arange(200, dtype=np.float32).reshape(2, 100) ** 2
    expected = [[(row[at : at + 8]).mean() for at in (0, 31, 92)] for row in x]
    assert levels(x, np.array([0, 31, 92])) == pytest.approx(np.array(expected))


def test_levels_of_a_part_of_a_longer_trace_are_those_of_a_copy() -> None:
    """Rows that do not follow each other in memory are read all the same."""
    x = np.random.default_rng(2).standard_normal((3, 900)).astype(np.float32)
    at = np.array([0, 40, 391])
    assert levels(x[:, 200:600], at).tobytes() == levels(x[:, 200:600].copy(), at).tobytes()


@pytest.mark.parametrize("count", [2, 3, 4, 5, 6])
def test_a_cubic_is_its_own_spline(count: int) -> None:
    """Knots on a line, a parabola or a cubic give it back, also between knots far from each other."""
    at = np.array([10, 700, 2300, 2500, 3800, 4100])[:count]
    t = np.arange(at[0], at[-1] + 1) / 1000
    curve = [1 + 2 * t, t * t - t, t**3 - 3 * t * t + 1][: count - 1 if count < 4 else 3]
    knots_mv = np.array([row[at - at[0]] for row in curve], dtype=np.float32)
    got = spline(at, knots_mv, int(at[-1]) + 40)
    assert np.abs(got[:, at[0] : at[-1] + 1] - np.array(curve)).max() < 2e-4
    assert (got[:, : at[0]] == knots_mv[:, :1]).all() and (got[:, at[-1] :] == knots_mv[:, -1:]).all()


def test_knots_any_distance_apart_are_joined() -> None:
    """A pause of 1023, 1024 or 1025 samples, or of ten seconds, is bridged by the same line."""
    for far in (1023, 1024, 1025, 5000):
        at = np.array([5, 5 + far])
        got = spline(at, np.array([[0.0, 1.0]], dtype=np.float32), far + 9)
        assert got[0, 5 : 6 + far] == pytest.approx(np.arange(far + 1) / far, abs=1e-5)


@pytest.mark.parametrize(("onset", "at"), [(18, [380, 880]), (0, [344, 844]), (1, [346, 846]), (-1, [])])
def test_a_kernel_tells_the_onset_in_samples_or_none(
    onset: int, at: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the first sample of the shape on; what is negative stands for no onset, and then there are no knots."""
    strip = SimpleNamespace(onset=lambda shape, shape_r: onset)
    monkeypatch.setattr(kernels, "loaded", SimpleNamespace(strip=strip))
    assert knots(classes(STEP, [400, 900]), 2000).tolist() == at
