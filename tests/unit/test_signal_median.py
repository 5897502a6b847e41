"""Which beats make a median beat, and which beat lies in their middle."""

import numpy as np
import pytest
from numpy.typing import NDArray

from greenchannel.signal.beats import Classes
from greenchannel.signal.median import choose, median_beat, middle

Singles = NDArray[np.float32]
N, REACH = 5000, 250


def classes(r: list[int], label: list[int] | None = None) -> Classes:
    """Beats at R."""
    return Classes(
        r=np.array(r, dtype=np.int64),
        label=np.array(label or [0] * len(r), dtype=np.int64),
        shape=np.zeros((1, 56), dtype=np.float32),
        shape_r=23,
        spikes=np.zeros(0, dtype=np.int64),
    )


def chosen(r: list[int], label: list[int] | None = None, number: int = 0) -> list[int]:
    """R of the beats that are chosen."""
    found = choose(classes(r, label), number, N, REACH, None)
    assert found.shape == (len(r), 1)
    return [at for at, good in zip(r, found[:, 0], strict=True) if good]


def test_a_beat_must_lie_whole_within_the_strip() -> None:
    """300 ms before R and the reach of QT behind it, while three such beats remain."""
    inner = [1000, 1500, 2000]
    assert chosen([149, *inner, 4900]) == inner
    assert chosen([150, *inner, 4900]) == [150, *inner]
    assert chosen([*inner, 4749, 4900]) == [*inner, 4749]
    assert chosen([*inner, 4750, 4900]) == inner


def test_the_last_beat_is_left_out_while_three_others_remain() -> None:
    """It has no baseline knot behind it."""
    assert chosen([500, 1000, 1500, 2000]) == [500, 1000, 1500]
    assert chosen([500, 1000, 1500]) == [500, 1000, 1500]


def test_beats_of_one_class_alone_are_chosen() -> None:
    """Each class has its own."""
    r, label = [300, 700, 1100, 1500, 1900, 2300, 2700], [0, 1, 0, 1, 0, 1, 0]
    assert chosen(r, label) == [300, 1100, 1900]
    assert chosen(r, label, 1) == [700, 1500, 2300]
    assert chosen(r, label, 2) == []


def test_of_fewer_than_three_any_that_shows_its_qrs_and_st_will_do() -> None:
    """120 ms before R and 250 ms behind it; where not even that is there, all that there are."""
    assert chosen([59, 60, 2000]) == [60, 2000]
    assert chosen([2000, 4874, 4875]) == [2000, 4874]
    assert chosen([20, 4990]) == [20, 4990]
    assert chosen([20, 60]) == [60]


def test_of_a_long_recording_64_beats_spread_over_all_of_it_are_chosen() -> None:
    """The first and the last one among them; 64 are all taken."""
    r = list(range(200, 200 + 5 * 201, 5))
    found = chosen(r)
    assert len(found) == 64 and (found[0], found[-1]) == (200, 1195)
    assert max(np.diff(found)) <= 20
    assert len(chosen(r[:65])) == 64 and chosen(r[:65]) == r[:64]
    assert len(chosen(r[:66])) == 64 and len(set(chosen(r[:66]))) == 64


def test_a_missing_sample_costs_its_lead_that_beat() -> None:
    """From 300 ms before R to the reach of QT behind it, the last sample not included."""
    r = [500, 1000, 1500, 2000, 2500]
    for at, without in (
        (849, []),
        (850, [1000]),
        (1000, [1000]),
        (1249, [1000]),
        (1250, []),
        (1300, []),
        (1350, [1500]),
    ):
        valid = np.ones((2, N), dtype=bool)
        valid[1, at] = False
        found = choose(classes(r), 0, N, REACH, valid)
        assert found[:, 0].tolist() == [True, True, True, True, False]
        assert [one for one, good in zip(r[:4], found[:4, 1], strict=True) if not good] == without


def test_at_the_edges_only_samples_of_the_strip_can_be_missing() -> None:
    """Of a beat that the strip cuts off what is there counts."""
    valid = np.ones((1, N), dtype=bool)
    assert choose(classes([70, 4860]), 0, N, REACH, valid).all()
    valid[0, 0] = valid[0, -1] = False
    assert not choose(classes([70, 4860]), 0, N, REACH, valid).any()
    valid[:] = True
    valid[0, 1:5] = False
    assert choose(classes([70, 2000]), 0, N, REACH, valid)[:, 0].tolist() == [False, True]


def middle_written_out(stack: Singles) -> NDArray[np.float64]:
    """Two steps of Huber's location from the median of three means."""
    x = stack.astype(float)
    centre = np.median([x[k::3].mean(axis=0) for k in range(3)], axis=0)
    bound = (
        2.0 * np.abs(x - centre)[..., ::4].mean(axis=(0, 2)) * np.ceil(x.shape[2] / 4) * 4 / x.shape[2] + 1e-6
    )
    for _ in range(2):
        centre = centre + np.clip(x - centre, -bound[:, None], bound[:, None]).mean(axis=0)
    result: NDArray[np.float64] = centre
    return result


@pytest.mark.parametrize("count", [3, 4, 5, 9, 20])
def test_the_middle_is_hubers_location(count: int) -> None:
    """With a bad beat among them no further off than its bounded steps."""
    rng = np.random.default_rng(count)
    stack = (rng.standard_normal((count, 3, 540)) * [[[0.01], [0.1], [1.0]]]).astype(np.float32)
    assert middle(stack) == pytest.approx(middle_written_out(stack), abs=1e-5)
    stack[1] += 5
    assert middle(stack) == pytest.approx(middle_written_out(stack), abs=1e-4)
    same = np.repeat(stack[:1], count, axis=0)
    assert middle(same) == pytest.approx(stack[0], abs=1e-6)


def test_of_two_beats_the_middle_is_their_mean() -> None:
    """And of one itself."""
    stack = np.arange(12, dtype=np.float32).reshape(2, 2, 3) ** 2
    assert middle(stack) == pytest.approx(stack.mean(axis=0))
    assert np.array_equal(middle(stack[:1]), stack[0])


def test_a_few_microvolts_of_one_beat_are_not_lost() -> None:
    """Where all but one beat agree the bound is still a thousandth of a microvolt, and two steps go by no more."""
    stack = np.zeros((4, 1, 540), dtype=np.float32)
    stack[0, 0, 1] = 1.0  # not among every fourth sample: the usual distance is 0
    assert middle(stack)[0, 1] == pytest.approx(0.3125e-6, rel=0.01)


def test_the_median_beat_is_cut_420_ms_before_r_to_660_ms_behind_it() -> None:
    """Each lead from its own chosen beats; a lead without any is 0."""
    x = (np.arange(3 * N) / 1000).reshape(3, N).astype(np.float32)
    r = [500, 1000, 1600, 2400]
    every = np.array([[True], [True], [False], [True]])
    median, stack = median_beat(x, classes(r), every)
    assert stack.shape == (3, 3, 540)
    assert np.array_equal(stack[1], x[:, 790:1330])
    assert median == pytest.approx(middle(stack))
    some = np.array([[True, True, False], [True, False, False], [False, False, False], [True, True, False]])
    median, stack = median_beat(x, classes(r), some)
    assert stack.shape == (3, 3, 540) and not median[2].any()
    assert median[0] == pytest.approx(middle(stack)[0])
    assert median[1] == pytest.approx((x[1, 290:830] + x[1, 2190:2730]) / 2)
