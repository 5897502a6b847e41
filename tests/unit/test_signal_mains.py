"""Mains is fitted piece by piece where the heart is quiet, as written out in complex numbers (SIG-3)."""

import math
from types import SimpleNamespace

import numpy as np
import pytest
from numpy.typing import NDArray

from greenchannel.signal import kernels
from greenchannel.signal.mains import remove_mains

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
PIECE = 50  # samples: a tenth of a second


def phasors(x: Floats) -> NDArray[np.complex128]:
    """Amplitude and phase of 50 and 60 Hz in each piece, fitted beside a cubic: ``(2, leads, pieces)``."""
    t = (np.arange(PIECE) - 24.5) / 500
    columns = [np.cos(2 * np.pi * 50 * t), np.sin(2 * np.pi * 50 * t), np.cos(2 * np.pi * 60 * t)]
    columns += [np.sin(2 * np.pi * 60 * t), *(t**power * 20**power for power in range(4))]
    count = x.shape[1] // PIECE
    pieces = x[:, : count * PIECE].reshape(-1, PIECE)
    found = np.linalg.lstsq(np.array(columns).T, pieces.T, rcond=None)[0].reshape(8, len(x), count)
    return np.array([found[0] - 1j * found[1], found[2] - 1j * found[3]])


def written_out(x: Floats, quiet: Bools) -> Floats:
    """The trace without mains."""
    count = x.shape[1] // PIECE
    if count < 4:
        return x
    share = [float(quiet[k * PIECE : (k + 1) * PIECE].mean()) for k in range(count)]
    good = [one == 1 for one in share]
    if sum(good) < 0.3 * count:
        good = [one >= 0.7 for one in share]
    if sum(good) < 4:
        good = [True] * count
    pairs = {
        by: sum(a and b for a, b in zip(good[by:], good, strict=False))
        for by in range(1, min(5, count - 1) + 1)
    }
    lag = next((by for by in pairs if pairs[by] >= min(4, sum(good) - 1)), max(pairs))
    rest = x.copy()
    for z, nominal_hz in zip(phasors(x) * good, (50.0, 60.0), strict=True):
        power = float((np.abs(z) ** 2).sum()) / sum(good)
        moved = (z[:, lag:] * z[:, :-lag].conj()).sum() / max(pairs[lag], 1)
        if abs(moved) < 0.5 * power or abs(moved) < 0.002**2 * len(x):
            continue
        turn = float(np.clip(np.angle(moved) / lag, -0.1 * np.pi, 0.1 * np.pi))
        still = z * np.exp(-1j * turn * np.arange(count))
        level = np.empty((len(x), count + 1), dtype=complex)
        for k in range(count):
            near = [m for m in range(max(k - 6, 0), min(k + 7, count)) if good[m]] or np.flatnonzero(
                good
            ).tolist()
            level[:, k] = still[:, near].mean(axis=1)
        level[:, count] = level[:, count - 1]
        slope = np.zeros_like(level)
        slope[:, 1:-1] = (level[:, 2:] - level[:, :-2]) / (2 * PIECE)
        tau = np.arange(PIECE) - 24.5
        for k in range(count + 1):
            wave = np.exp(1j * ((2 * np.pi * nominal_hz / 500 + turn / PIECE) * tau + turn * k))
            hum = ((level[:, k, None] + slope[:, k, None] * tau) * wave).real
            part = rest[:, k * PIECE : (k + 1) * PIECE]
            part -= hum[:, : part.shape[1]]
    return rest


def hum(hz: float, size_mv: float, n: int, leads: int, *, drift: float = 0.0, seed: int = 0) -> Floats:
    """Mains in each lead with a size and phase of its own."""
    rng = np.random.default_rng(seed)
    t = np.arange(n) / 500
    sizes, phases = rng.uniform(0.3, 1.7, (leads, 1)), rng.uniform(0, 6, (leads, 1))
    waves: Floats = size_mv * sizes * (1 + drift * t) * np.sin(2 * np.pi * hz * t + phases)
    return waves


def heart(n: int, leads: int, every: int, seed: int = 0) -> tuple[Floats, Bools]:
    """A spike with a T wave every so many samples, and where it is quiet."""
    rng = np.random.default_rng(seed)
    phase = np.arange(n) % every
    beat = np.exp(-(((phase - 60) / 5) ** 2)) + 0.3 * np.exp(-(((phase - 200) / 30) ** 2))
    x: Floats = rng.uniform(-1, 1, (leads, 1)) * beat + 0.01 * rng.standard_normal((leads, n))
    return x, np.abs(phase - 60) > 30


def assert_as_written(x: Floats, quiet: Bools) -> bool:
    """The answer equals the rules; whether anything was taken off is returned."""
    samples = x.astype(np.float32)
    cleaned, expected = remove_mains(samples, quiet), written_out(samples.astype(float), quiet)
    assert cleaned == pytest.approx(expected, abs=3e-5)
    return cleaned is not samples


@pytest.mark.parametrize("hz", [49.3, 50.0, 50.2, 59.8])
def test_the_hum_is_taken_off_as_written(hz: float) -> None:
    """Of either frequency and beside it, growing and steady, in any length, under a heart fast and slow."""
    for seed, (n, every) in enumerate(((3023, 350), (1249, 401), (260, 130))):
        x, quiet = heart(n, 3, every, seed)
        assert_as_written(x + hum(hz, 0.2, n, 3, drift=0.2, seed=seed), quiet)
        assert_as_written(x + hum(hz, 0.05, n, 3, seed=seed) + hum(60.1, 0.1, n, 3, seed=seed + 1), quiet)


def test_hum_without_a_quiet_piece_near_is_the_mean_of_all() -> None:
    """Three quiet pieces in ten seconds serve everywhere."""
    x = hum(50.1, 0.3, 5000, 2)
    for quiet_at in ((100, 350), (2400, 2550), (4700, 4999)):
        quiet = np.zeros(5000, dtype=bool)
        quiet[slice(*quiet_at)] = True
        assert assert_as_written(x, quiet)


def test_the_phase_is_followed_over_the_qrs_of_a_fast_rhythm() -> None:
    """Where no two pieces are quiet side by side it is followed to the next that is, up to half a second away."""
    for every in (100, 150, 200, 250):
        quiet = np.arange(5000) % every < 50
        x = hum(50.1, 0.3, 5000, 2)
        assert assert_as_written(x, quiet)
        assert np.abs(remove_mains(x.astype(np.float32), quiet)).max() < 0.02


def test_a_piece_that_is_quiet_for_the_most_part_counts_where_there_are_few_others() -> None:
    """Beats at 200/min leave hardly a tenth of a second quiet; hum goes as it does at any other rate."""
    quiet = np.abs(np.arange(5000) % 150 - 60) > 38
    x = hum(50.0, 0.1, 5000, 2)
    assert assert_as_written(x, quiet)
    assert np.abs(remove_mains(x.astype(np.float32), quiet)).max() < 0.005


@pytest.mark.parametrize(("n", "taken"), [(199, False), (200, True)])
def test_less_than_four_pieces_are_left_alone(n: int, taken: bool) -> None:
    """0.4 s are the least."""
    assert assert_as_written(hum(50.0, 0.3, n, 2), np.ones(n, dtype=bool)) == taken


@pytest.mark.parametrize("pieces", [0, 1, 3, 4])
def test_where_hardly_anything_is_quiet_the_hum_itself_was_taken_for_beats(pieces: int) -> None:
    """Fewer than four quiet pieces: all count, and the hum goes."""
    quiet = np.arange(1000) < 50 * pieces
    assert assert_as_written(hum(60.0, 0.3, 1000, 2), quiet)


@pytest.mark.parametrize(("size_mv", "taken"), [(0.00195, False), (0.00205, True)])
def test_hum_under_two_microvolts_is_left_alone(size_mv: float, taken: bool) -> None:
    """Peak, as the mean over leads of its square."""
    t = np.arange(5000) / 500
    x = size_mv * np.array([np.sin(2 * np.pi * 50 * t), np.cos(2 * np.pi * 50 * t)])
    assert assert_as_written(x, np.ones(5000, dtype=bool)) == taken
    one_sided = x * [[math.sqrt(2)], [0]]
    assert assert_as_written(one_sided, np.ones(5000, dtype=bool)) == taken


@pytest.mark.parametrize(("share", "taken"), [(0.45, False), (0.55, True)])
def test_hum_is_what_goes_on_from_piece_to_piece(share: float, taken: bool) -> None:
    """Half of the power at the frequency must keep its phase."""
    t = np.arange(5000) / 500
    sign = np.repeat(np.where(np.arange(100) % 2, 1, -1), PIECE)
    # Two hums of which one turns over from each piece to the next: their powers add, their products subtract.
    steady, turning = math.sqrt((1 + share) / 2), math.sqrt((1 - share) / 2)
    x = 0.1 * (steady * np.sin(2 * np.pi * 50 * t) + turning * sign * np.cos(2 * np.pi * 50 * t))
    assert assert_as_written(x[None], np.ones(5000, dtype=bool)) == taken


def test_a_grid_is_no_further_off_than_half_a_hertz() -> None:
    """At 50.8 Hz the hum is followed as if it were at 50.5 Hz, at 49.2 as at 49.5."""
    quiet = np.ones(600, dtype=bool)
    for hz in (49.2, 50.8):
        assert_as_written(hum(hz, 0.2, 600, 2), quiet)


def rough(count: int, seed: int = 6) -> Floats:
    """So many pieces of hum in two leads under noise: in each piece amplitude and phase are a little different."""
    noise = 0.02 * np.random.default_rng(seed).standard_normal((2, count * PIECE))
    made: Floats = hum(50.1, 0.2, count * PIECE, 2) + noise
    return made


def quiet_for(*samples: int) -> Bools:
    """Of each piece so many samples are quiet."""
    rest: Bools = np.arange(PIECE) < np.array(samples)[:, None]
    return rest.ravel()


def quiet_at(count: int, *pieces: int) -> Bools:
    """These pieces are quiet, of the others no sample."""
    return quiet_for(*(PIECE if k in pieces else 0 for k in range(count)))


@pytest.mark.parametrize("samples", [
    [50] * 6 + [40] * 14,  # three in ten are enough
    [50] * 5 + [40] * 15,  # fewer are not: all of these count
    [50] * 3 + [35] * 8 + [34] * 9,  # 70 % of a piece are enough
    [50] * 4 + [0] * 16,  # four are enough …
    [50] * 3 + [0] * 17,  # … and of three none is chosen: all count
])  # fmt: skip
def test_the_pieces_that_count_are_the_quiet_ones(samples: list[int]) -> None:
    """Under noise each of them leaves its trace in what is taken off."""
    assert assert_as_written(rough(20), quiet_for(*samples))


@pytest.mark.parametrize(("count", "pieces"), [
    (20, (0, 1, 2, 3, 4)),  # four pairs of neighbours are enough
    (4, (0, 1, 2, 3)),  # and so are all that there are
    (20, (0, 1, 2, 3, 5, 7, 9, 11, 13, 15)),  # three are not, where there are many two apart
    (20, (0, 1, 2, 3, 4, 6, 8, 10, 12, 14)),  # four are, however many there are two apart
    (5, (0, 1, 3, 4)),  # with few no further apart than they are
    (30, (0, 10, 20, 25)),  # and with many no further than half a second
])  # fmt: skip
def test_the_phase_is_followed_between_the_nearest_pieces_of_which_there_are_four_pairs(
    count: int, pieces: tuple[int, ...]
) -> None:
    """Under noise each distance tells a little different turn."""
    assert assert_as_written(rough(count), quiet_at(count, *pieces))


def test_one_quiet_piece_near_tells_the_hum_there() -> None:
    """It may have another size than far away."""
    x = rough(40)
    x[:, 20 * PIECE :] *= 2.0
    quiet = quiet_at(40, 0, 1, 2, 3, 4, 30)
    assert assert_as_written(x, quiet)
    steady = hum(50.0, 0.1, 2000, 2) * np.where(np.arange(2000) < 1000, 1, 2)
    cleaned = remove_mains(steady.astype(np.float32), quiet)
    assert np.abs(cleaned[:, 1500:1550]).max() < 0.01


@pytest.mark.parametrize(("share", "taken"), [(0.45, False), (0.55, True)])
def test_half_of_the_power_goes_on_where_nothing_is_quiet_or_one_pair_is_near(
    share: float, taken: bool
) -> None:
    """All pieces count then as much as quiet ones, and one pair as much as many."""
    t = np.arange(5000) / 500
    wave, piece = np.sin(2 * np.pi * 50 * t), np.arange(5000) // PIECE
    turning = np.where(piece % 2, 1, -1) * np.cos(2 * np.pi * 50 * t)
    x = 0.1 * (math.sqrt((1 + share) / 2) * wave + math.sqrt((1 - share) / 2) * turning)
    assert assert_as_written(x[None], np.zeros(5000, dtype=bool)) == taken
    # Of four pieces two are near each other; the other two are larger, and make the rest of the power.
    size = np.where(np.isin(piece, (20, 25)), math.sqrt(share), math.sqrt(2 - share))
    assert assert_as_written((0.1 * size * wave)[None], quiet_at(100, 0, 10, 20, 25)) == taken


@pytest.mark.parametrize("hummed", [False, True])
def test_a_kernel_tells_whether_there_was_any_hum(hummed: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without any the trace is the same as before, not a copy."""
    x = rough(20).astype(np.float32)
    cleaned = 0 * x
    part = SimpleNamespace(without_mains=lambda x, quiet: (cleaned, hummed))
    monkeypatch.setattr(kernels, "loaded", SimpleNamespace(mains=part))
    assert remove_mains(x, np.ones(1000, dtype=bool)) is (cleaned if hummed else x)
