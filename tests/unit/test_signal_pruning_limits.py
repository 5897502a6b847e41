"""Each limit between a T wave and a beat, and between noise and a rare beat, on beats of known sizes."""

import numpy as np
import pytest
from numpy.typing import NDArray

from greenchannel.signal import pruning
from greenchannel.signal.pruning import lost_in_noise, t_waves

Singles = NDArray[np.float32]
NO_SPIKES = np.zeros(0, dtype=np.int64)
SHAPES = np.random.default_rng(3).standard_normal((3, 3, 76)).astype(np.float32)
"""Three windows of three leads that have nothing in common, at no lag: a QRS, its T wave, something else."""


def mixed(share: float, one: int = 0, other: int = 1) -> Singles:
    """A window whose correlation with the first of two is so much."""
    inner = SHAPES[:, :, 10:-10]
    flat = SHAPES - inner.mean(axis=2, keepdims=True)
    a, b = flat[one], flat[other]
    a, b = (part / np.sqrt((part[:, 10:-10] ** 2).sum()) for part in (a, b))
    b = b - (a[:, 10:-10] * b[:, 10:-10]).sum() * a
    b = b / np.sqrt((b[:, 10:-10] ** 2).sum())
    made: Singles = (share * a + np.sqrt(1 - share**2) * b).astype(np.float32)
    return made


def called_t(
    monkeypatch: pytest.MonkeyPatch,
    *,
    gaps: tuple[int, ...] = (100,) * 4,
    steep: tuple[float, float] = (0.5, 0.3),
    area: tuple[float, float] = (1.0, 1.0),
    energy: tuple[float, float] = (1.0, 0.5),
    spikes: tuple[int, ...] = (),
    alike: float = 0.0,
    first: float | None = None,
    last_unlike: bool = False,
) -> list[bool]:
    """Which of some followers are told to be T waves.

    Parameters
    ----------
    gaps : of each from its beat, in samples of 4 ms; beats come every 1.2 s
    steep, area, energy : of every beat and of its follower
    spikes : how far behind each beat a spike stands, in samples of 2 ms
    alike : correlation of a follower with its beat
    first : correlation with the followers of something that stands before the first beat
    last_unlike : the last follower has a shape of its own
    """
    at = np.array([[300 * k, 300 * k + gap] for k, gap in enumerate(gaps)], dtype=np.int64).ravel() + 1000
    wide = np.array([mixed(1.0), mixed(alike)] * len(gaps))
    if last_unlike:
        wide[-1] = mixed(1.0, 2)
    sizes = {"_steepness": steep, "_area": area, "_energy": energy}
    if first is not None:
        at, wide = np.append(800, at), np.concatenate([mixed(first, 1, 2)[None], wide])
    for name, (beat, follower) in sizes.items():
        values = np.array([beat, follower] * len(gaps))
        values = values if first is None else np.append(follower, values)
        monkeypatch.setattr(pruning, name, lambda _, values=values: values)
    pulses = np.sort(np.array([2 * place + by for place in at[::2] for by in spikes], dtype=np.int64))
    found = t_waves(wide, at, pulses if spikes else NO_SPIKES)
    if first is not None:
        assert not found[1::2].any()
        return [bool(found[0])]
    assert not found[::2].any()
    followers: list[bool] = found[1::2].tolist()
    return followers


def all_t(monkeypatch: pytest.MonkeyPatch, **of: tuple[float, float]) -> bool:
    """Whether four equal followers with these sizes are T waves, as they all are or none is."""
    found = called_t(monkeypatch, **of)  # type: ignore[arg-type]  # sizes
    assert all(found) or not any(found)
    return found[0]


@pytest.mark.parametrize(("steep", "t"), [(0.94, True), (0.96, False)])
def test_a_broad_beat_moves_at_95_percent_of_its_size_at_most(
    steep: float, t: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only such a beat has a T wave that looks like one; the T wave is broader still."""
    assert all_t(monkeypatch, steep=(steep, 0.3)) == t


@pytest.mark.parametrize(("ratio", "t"), [(0.84, True), (0.86, False)])
def test_t_is_no_steeper_than_85_percent_of_its_beat(
    ratio: float, t: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever its size in the band of the QRS."""
    assert all_t(monkeypatch, steep=(0.5, 0.5 * ratio)) == t


@pytest.mark.parametrize(("energy", "t"), [(1.07, True), (1.09, False)])
def test_t_has_no_more_than_108_percent_of_the_energy(
    energy: float, t: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the band of the QRS, where a broad beat has little."""
    assert all_t(monkeypatch, energy=(1.0, energy)) == t


@pytest.mark.parametrize(("area", "t"), [(1.04, True), (1.06, False)])
def test_t_is_no_larger_than_its_beat(area: float, t: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """By more than a twentieth."""
    assert all_t(monkeypatch, area=(1.0, area)) == t


@pytest.mark.parametrize(("area", "t"), [(0.53, True), (0.52, False), (0.45, False), (0.64, True)])
def test_t_is_smooth_for_its_size(area: float, t: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Energy over size, at most 1.9 times that of its beat: a narrow beat behind a broad one has more."""
    assert all_t(monkeypatch, area=(1.0, area), energy=(1.0, 1.0), steep=(0.5, 0.1)) == t


@pytest.mark.parametrize(("gap", "t"), [(110, True), (125, True), (126, False), (150, False)])
def test_t_comes_within_half_a_second(gap: int, t: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the middle of its QRS."""
    assert called_t(monkeypatch, gaps=(gap,) * 4) == [t] * 4


@pytest.mark.parametrize(
    ("ratio", "spikes", "t"),
    [(1.14, (0,), True), (1.16, (0,), False), (1.0, (0,), True), (0.84, (), True), (1.0, (), False)],
)
def test_behind_a_paced_beat_t_may_be_steeper(
    ratio: float, spikes: tuple[int, ...], t: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Up to 115 %: what has no spike of its own was not made by the pacemaker."""
    assert called_t(monkeypatch, steep=(0.5, 0.5 * ratio), spikes=spikes) == [t] * 4


@pytest.mark.parametrize(
    ("spike", "paced"), [(20, True), (22, False), (-80, True), (-82, False), (-66, True)]
)
def test_a_spike_makes_the_beat_from_40_ms_before_to_160_ms_behind_it(
    spike: int, paced: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It stands up to 160 ms before the middle of its QRS and 40 ms behind it."""
    assert called_t(monkeypatch, steep=(0.5, 0.5), spikes=(spike,)) == [paced] * 4


NARROW = (1.2, 0.6)


@pytest.mark.parametrize(("energy", "t"), [(0.59, True), (0.61, False), (0.5, True), (0.7, False)])
def test_a_tall_t_behind_a_narrow_beat_is_weaker(
    energy: float, t: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has no more than three fifths of the energy."""
    assert called_t(monkeypatch, gaps=(60,) * 4, steep=NARROW, energy=(1.0, energy)) == [t] * 4


@pytest.mark.parametrize(("gap", "t"), [(69, True), (70, False), (80, False), (60, True)])
def test_a_tall_t_behind_a_narrow_beat_comes_soon(gap: int, t: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before 280 ms: an ectopic beat comes no sooner."""
    assert called_t(monkeypatch, gaps=(gap,) * 4, steep=NARROW) == [t] * 4


@pytest.mark.parametrize(("gap", "t"), [(106, True), (94, True), (107, False), (93, False)])
def test_t_waves_stand_where_they_always_stand(gap: int, t: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Within 25 ms of the middle distance from their beats; what stands elsewhere and looks different is none."""
    found = called_t(monkeypatch, gaps=(100, 100, 100, 100, gap), last_unlike=True)
    assert found == [True, True, True, True, t]


def test_three_t_waves_are_the_least(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two may be anything."""
    assert called_t(monkeypatch, gaps=(100,) * 3) == [True] * 3
    assert called_t(monkeypatch, gaps=(100,) * 2) == [False] * 2


@pytest.mark.parametrize(("alike", "t"), [(0.8, True), (0.92, True), (0.94, False), (0.97, False)])
def test_t_has_not_the_shape_of_its_beat(alike: float, t: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """From a correlation of 0.93 on it is the same wave, as in alternans."""
    assert called_t(monkeypatch, alike=alike) == [t] * 4


@pytest.mark.parametrize(("first", "t"), [(0.7, False), (0.79, False), (0.82, True), (0.95, True)])
def test_a_t_wave_without_a_beat_before_it_is_known_by_its_shape(
    first: float, t: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A correlation of 0.8 with the others: its beat stood before the strip, or was missed."""
    assert called_t(monkeypatch, first=first) == [t]


def windows(*sizes: float) -> Singles:
    """Windows of one shape with these root mean squares, in units of a QRS."""
    sign = np.where(np.random.default_rng(2).random((2, 76)) < 0.5, -1, 1)
    made: Singles = (np.array(sizes)[:, None, None] * sign).astype(np.float32)
    return made


@pytest.mark.parametrize(("size", "silent"), [(0.017, True), (0.0195, True), (0.0205, False), (0.024, False)])
def test_where_hardly_anything_moves_nothing_was_left_of_a_beat(size: float, silent: bool) -> None:
    """Two hundredths of a QRS."""
    assert lost_in_noise(windows(size, size, size), np.full(3, -1), 2).tolist() == [silent] * 3


@pytest.mark.parametrize(("times", "lost"), [(7.0, False), (7.9, False), (8.1, True), (9.5, True)])
def test_what_is_eight_times_smaller_than_a_rare_beat_is_none(times: float, lost: bool) -> None:
    """Where no three of them have one shape."""
    found = lost_in_noise(windows(1.0, 1 / times, 1.0), np.full(3, -1), 2)
    assert found.tolist() == [False, lost, False]
