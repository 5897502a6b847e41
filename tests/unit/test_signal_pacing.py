"""Pacing spikes, written out sample by sample, and what is no spike."""

import numpy as np
import pytest
from numpy.typing import NDArray

from greenchannel.signal.pacing import spikes, without_spikes

Singles = NDArray[np.float32]
NONE = np.zeros(0, dtype=np.int64)
ALL = np.ones(3, dtype=bool)


def written_out(x: Singles, usable: NDArray[np.bool_], told: list[int]) -> list[int]:
    """Where spikes stand by the rules."""
    n, last = x.shape[1], x.shape[1] - 1
    kept: list[list[tuple[int, float]]] = []
    for at in range(3, n - 3):
        before, behind = (np.float32(1) * (x[:, at] - x[:, at + side]) for side in (-3, 3))
        away = (before * behind > 0) * np.minimum(np.abs(before), np.abs(behind))
        tall = away[usable & (away > 0)] >= 0.4
        if not tall.any() or (away >= 0.1).sum() < min(2, len(x)):
            continue
        row = x[away.argmax()]
        sides = [(row[max(at - 3, 0)], row[max(at - 7, 0)]), (row[min(at + 3, last)], row[min(at + 7, last)])]
        if any(abs(far - near) > 0.35 * abs(row[at] - near) for near, far in sides):
            continue
        if kept and at - kept[-1][-1][0] <= 9:
            kept[-1].append((at, float(away.max())))
        else:
            kept.append([(at, float(away.max()))])
    if len(kept) > 5 * n / 500:
        return told
    return sorted({max(group, key=lambda one: one[1])[0] for group in kept} | set(told))


def found(x: Singles, usable: NDArray[np.bool_] = ALL, told: list[int] | None = None) -> list[int]:
    """Where spikes are found, which is where the rules have them."""
    at = spikes(x, usable, told=np.array(told or [], dtype=np.int64)).tolist()
    assert at == written_out(x, usable, told or [])
    return list(at)


def with_spikes(*at: int, mv: float = 1.0, n: int = 1000, leads: int = 3) -> Singles:
    """Spikes of 2 ms in every lead, the first the tallest."""
    x = np.zeros((leads, n), dtype=np.float32)
    x[:, list(at)] = mv * np.linspace(1, 0.5, leads)[:, None]
    return x


@pytest.mark.parametrize("seed", range(10))
def test_spikes_are_those_of_the_rules(seed: int) -> None:
    """Among random edges, pulses and steps of all sizes and widths, in noise."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(300, 2000))
    x = 0.02 * rng.standard_normal((4, n))
    for _ in range(int(rng.integers(1, n // 60))):
        at, width = int(rng.integers(0, n)), int(rng.integers(1, 8))
        x[:, at : at + width] += rng.uniform(-1, 1) * rng.uniform(0, 1.4, (4, 1))
        if rng.random() < 0.3:
            x[:, at:] += rng.uniform(-0.3, 0.3)
    for usable in (np.ones(4, dtype=bool), rng.random(4) < 0.6):
        found(x.astype(np.float32), usable)
        found(x.astype(np.float32), usable, [77, 200])


def test_a_spike_is_found_where_it_stands() -> None:
    """Upwards or downwards, at either end of the strip, beside what the device told."""
    assert found(with_spikes(300, 700)) == [300, 700]
    assert found(with_spikes(300, mv=-1.0), told=[300, 500]) == [300, 500]
    assert found(with_spikes(3, 996)) == [3, 996]
    assert found(with_spikes(2, 997)) == []
    assert found(with_spikes(8, 991)) == [8, 991]
    assert found(with_spikes(12, n=100)) == [12]
    for n in (1, 3, 6, 23, 24, 99):
        assert found(with_spikes(n // 2, n=n), told=[0]) == [0]


def test_a_spike_has_400_uv_in_some_lead_and_100_in_another() -> None:
    """That is enough, and a microvolt less is not."""
    x = with_spikes(300, mv=0.0)
    x[1, 300] = 0.4
    assert found(x) == []
    x[2, 300] = 0.1
    assert found(x) == [300]
    x[2, 300] = 0.099
    assert found(x) == []
    x[:, 300] = [-0.1, -0.4, 0]
    assert found(x) == [300]
    x[1, 300] = -0.399
    assert found(x) == []
    assert found(x[1:2] * 2, ALL[:1]) == [300]
    assert found(with_spikes(300), np.array([False, True, True])) == [300]
    assert found(with_spikes(300), ~ALL, told=[5]) == [5]


def test_a_spike_comes_back_to_where_it_came_from() -> None:
    """7 samples away the trace has moved on by no more than 35 % of the spike's height."""
    for side in (-1, 1):
        for level, there in ((0.34, True), (0.35, True), (0.36, False)):
            x = with_spikes(300)
            part = slice(300 + 4, None) if side > 0 else slice(None, 300 - 3)
            x[:, part] += level * np.linspace(1, 0.5, 3)[:, None]
            assert (found(x) == [300]) == there


@pytest.mark.parametrize(("at", "end"), [(5, 0), (994, 999)])
def test_at_the_ends_of_the_strip_the_last_samples_tell(at: int, end: int) -> None:
    """Where the trace has moved on by half of the spike's height at the very end, it does not come back."""
    x = with_spikes(at)
    assert found(x) == [at]
    x[:, end] = 0.5 * x[:, at]
    assert found(x) == []


def test_a_lead_that_climbs_bears_no_witness() -> None:
    """The second lead has to come back as well."""
    x = np.zeros((3, 1000), dtype=np.float32)
    x[0, 300] = 1.0
    x[1] = 0.05 * np.arange(1000)
    assert found(x) == []
    x[1, 300] += 0.3
    assert found(x) == [300]


def test_of_neighbours_the_tallest_is_the_spike() -> None:
    """Up to 18 ms apart they are one."""
    for apart, count in ((9, 1), (10, 2)):
        x = with_spikes(300)
        x[:, 300 + apart] = 1.5 * x[:, 300]
        assert found(x) == ([300 + apart] if count == 1 else [300, 300 + apart])


def test_what_fires_more_than_five_times_a_second_is_no_pacemaker() -> None:
    """Ten spikes in two seconds are believed, eleven are interference."""
    assert len(found(with_spikes(*range(50, 950, 90)))) == 10
    assert found(with_spikes(*range(50, 951, 90)), told=[9]) == [9]


def test_a_spike_is_bridged_by_a_line() -> None:
    """From 10 ms before to 10 ms behind it; the samples that were given stay as they are."""
    x = np.tile(np.arange(100, dtype=np.float32), (2, 1))
    spiked = x.copy()
    spiked[:, 46:55] += 5
    before = spiked.copy()
    assert without_spikes(spiked, np.array([50])) == pytest.approx(x, abs=1e-4)
    assert np.array_equal(spiked, before)
    assert without_spikes(x, NONE) is x
    spiked[:, 45] += 5
    assert without_spikes(spiked, np.array([50]))[0, 45:56] == pytest.approx(
        np.linspace(50, 55, 11), abs=1e-4
    )
    edge = np.zeros((1, 20), dtype=np.float32)
    edge[0, 1], edge[0, 18] = 3.0, 3.0
    assert without_spikes(edge, np.array([1]))[0, :8].tolist() == [0, 0, 0, 0, 0, 0, 0, 0]
    assert not without_spikes(edge, np.array([1, 18])).any()
