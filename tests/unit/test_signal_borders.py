"""QRS borders from slopes, written out lead by lead, sample by sample (MEAS-1)."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from greenchannel.signal.qrs_borders import slope_borders, slope_mv_s, supported
from tests.drawn_beats import Singles, bump, drawn

WIDTH = 390  # samples that are looked at: R at 210 and 360 ms more
BEFORE, BEHIND = 155, 276  # 110 ms before R to 130 ms behind it: there the steepest slope lies


def lead_written_out(s: Singles, floor: float) -> tuple[float, float]:
    """Onset and offset of one lead's QRS from its slopes in mV/s; NaN for none."""
    size = np.abs(s)
    peak = float(size[BEFORE:BEHIND].max())
    core = [BEFORE + int(at) for at in np.flatnonzero(size[BEFORE:BEHIND] > 0.35 * peak)]

    def quiet(limit: float) -> list[int]:
        """How many samples up to each one are below the limit."""
        runs, run = [], 0
        for below in (size < limit).tolist():
            run = run + 1 if below else 0
            runs.append(run)
        return runs

    before = quiet(max(floor, 0.04 * peak))
    on = float(max((at for at in range(core[0]) if before[at] >= 8), default=math.nan))

    def first(limit: float) -> float:
        behind = quiet(limit)
        return next((at - 11.0 for at in range(core[-1] + 12, WIDTH) if behind[at] >= 12), WIDTH + 1.0)

    loose, strict = max(floor, 0.05 * peak), max(floor, min(3.0, 0.05 * peak))
    off = first(loose)
    if first(strict) - off <= 10:
        off = first(strict)
    if off - (-1 if math.isnan(on) else on) > 75:
        climb = max(floor, min(15.0, 0.2 * peak))
        for at in range(core[-1] + 12, WIDTH):
            part = s[at - 11 : at + 1]
            if part.max() - part.min() < loose and np.abs(part).max() < climb:
                off = min(off, at - 11.0)
                break
    return on, off if off <= WIDTH - 1 else math.nan


def noise_written_out(s: Singles) -> float:
    """Slope of the noise: the third quietest of nine blocks of 20 ms before the QRS."""
    blocks = [float(np.sqrt((s[at : at + 10].astype(float) ** 2).mean())) for at in range(0, 180, 10)]
    return sorted(blocks)[len(blocks) // 4]


def supported_written_out(borders: list[float], sign: int) -> float:
    """The outermost border that two others confirm within 10 ms."""
    at = sorted(sign * border for border in borders if not math.isnan(border))
    if not at:
        return math.nan
    need = min(3, len(at))
    close = [at[k] for k in range(len(at) - need + 1) if at[k + need - 1] - at[k] <= 5]
    return sign * min(close[0] if close else at[1], at[need - 1])


def written_out(slope: Singles, usable: NDArray[np.bool_], own: NDArray[np.bool_]) -> tuple[float, float]:
    """Borders over all leads."""
    peaks = [float(np.abs(s[BEFORE:BEHIND]).max()) for s in slope]
    floors = [max(1.5, 4.5 * noise_written_out(s)) for s in slope]
    rows = range(len(slope))
    votes = [row for row in rows if usable[row] and peaks[row] > 4 * floors[row]]
    if not votes:
        floors = [min(floor, 0.1 * peak) for floor, peak in zip(floors, peaks, strict=True)]
        votes = [row for row in rows if usable[row] and floors[row] > 1.5]
    clear = [row for row in votes if own[row] and peaks[row] > 8 * floors[row]]
    if len(clear) >= 3:
        votes = clear
    found = [lead_written_out(slope[row], floors[row]) for row in votes]
    return supported_written_out([on for on, _ in found], 1), supported_written_out(
        [off for _, off in found], -1
    )


def assert_as_written(
    beat: Singles, usable: list[int] | None = None, own: list[int] | None = None
) -> tuple[float, float]:
    """The borders are those of the rules, and are returned."""
    slope = slope_mv_s(beat)
    good, alone = (
        np.isin(np.arange(len(beat)), range(len(beat)) if rows is None else rows) for rows in (usable, own)
    )
    expected = written_out(slope, good, alone)
    assert slope_borders(slope, good, alone) == pytest.approx(expected, nan_ok=True)
    return expected


@pytest.mark.parametrize("noise_mv", [0.0, 0.003, 0.008, 0.02, 0.06])
@pytest.mark.parametrize("broad", [0.8, 1.0, 1.7, 2.6])
def test_borders_are_those_of_the_rules(broad: float, noise_mv: float) -> None:
    """Narrow and broad complexes, silent and noisy, all leads, few of them, one of them, none."""
    for seed in range(4):
        beat = drawn(seed, broad=broad, noise_mv=noise_mv)
        assert_as_written(beat)
        assert_as_written(beat, own=[0, 1, 6, 7, 8])
        assert_as_written(beat, usable=[2, 5], own=[1, 2])
        assert_as_written(beat[seed : seed + 1])
    assert all(map(math.isnan, assert_as_written(drawn(), usable=[])))


@pytest.mark.parametrize("seed", range(8))
def test_leads_of_different_noise_and_size_have_floors_of_their_own(seed: int) -> None:
    """Faint leads beside tall ones, noise from nothing to more than the QRS, climbing ST, slopes that never rest."""
    rng = np.random.default_rng(seed)
    beat = drawn(seed, leads=24, broad=rng.uniform(0.7, 2.5), noise_mv=0)
    beat = beat * rng.choice([0.03, 0.1, 0.3, 1, 3], (24, 1)) + rng.choice(
        [0, 0.002, 0.01, 0.05], (24, 1)
    ) * (rng.standard_normal(beat.shape))
    ramp = np.clip((np.arange(540) - rng.uniform(220, 260)) / 500, 0, 0.3)
    beat = (beat + rng.choice([0, 2.0, 4.0, 8.0, 14.0], (24, 1)) * ramp).astype(np.float32)
    for count in (1, 2, 3, 4, 6, 12):
        assert_as_written(beat[:count])
        assert_as_written(beat[24 - count :], own=list(range(0, count, 2)))
    assert_as_written(beat)


@pytest.mark.parametrize("seed", range(6))
def test_a_rhythm_that_never_rests_has_the_borders_of_the_rules(seed: int) -> None:
    """Broad waves one into the other: no lead has a quiet stretch, and the steepest slope sets the floor."""
    rng = np.random.default_rng(seed)
    at = np.arange(540)
    rows = [
        rng.uniform(0.3, 2) * bump(210, rng.uniform(30, 120))
        + size * np.sin(at / rng.uniform(6, 25) + rng.uniform(0, 6))
        for size in rng.uniform(0.05, 0.5, 12)
    ]
    beat = np.array(rows, dtype=np.float32)
    assert_as_written(beat)
    for row in beat:
        assert_as_written(row[None])


def slopes(*parts: tuple[int, int, float], leads: int = 3) -> Singles:
    """Slopes in mV/s, 0 but for these parts ``(first, end, slope)``."""
    x = np.zeros((leads, WIDTH), dtype=np.float32)
    for first, end, level in parts:
        x[:, first:end] = level
    return x


def found(*parts: tuple[int, int, float]) -> tuple[float, float]:
    """Onset and offset of three equal leads with these slopes, which are those of the rules."""
    x, good = slopes(*parts), np.ones(3, dtype=bool)
    on, off = slope_borders(x, good, good)
    at = float(on), float(off)
    assert at == pytest.approx(written_out(x, good, good), nan_ok=True)
    return at


TALL, SMALL = (205, 215, 100.0), (205, 215, 20.0)


def test_the_steepest_slope_lies_110_ms_before_to_130_ms_behind_r() -> None:
    """What is steeper elsewhere sets no limit and is no part of the QRS."""
    for at in (153, 154, 155, 156, 273, 274, 275, 276, 277):
        found(SMALL, (215, 240, 3.0), (at, at + 1, 100.0))
        found((at, at + 3, 100.0), (215, 240, 3.0))


def test_a_lead_speaks_from_four_times_the_floor_and_clearly_from_eight() -> None:
    """The floor is 1.5 mV/s, or 4.5 times the noise; where nothing rests a tenth of the steepest slope."""
    assert math.isnan(found((205, 215, 6.0))[0]) and found((205, 215, 6.1)) == (204, 215)
    noise = (0, 200, 1.0)
    assert math.isnan(found(noise, (205, 215, 15.0))[0]) and found(noise, (205, 215, 16.0)) == (204, 215)
    x = np.concatenate([slopes((205, 215, 12.0)), slopes((195, 225, 7.0))])
    good = np.ones(6, dtype=bool)
    assert np.array_equal(slope_borders(x, good, good), (194, 225))
    x[:3] *= np.float32(1.01)
    assert np.array_equal(slope_borders(x, good, good), (204, 215))


def test_a_slope_that_just_reaches_a_limit_is_not_below_it() -> None:
    """35 % of the steepest is no core, 1.5 mV/s no quiet; 3 mV/s behind a tall QRS belongs to it, for 20 ms."""
    assert found((180, 181, 7.0), SMALL) == (204, 215) and found((180, 181, 7.1), SMALL) == (179, 215)
    assert found((185, 205, 1.5), SMALL) == (184, 215) and found((185, 205, 1.49), SMALL) == (204, 215)
    assert found(SMALL, (215, 230, 1.5)) == (204, 230) and found(SMALL, (215, 230, 1.49)) == (204, 215)
    assert found(TALL, (215, 223, 3.0)) == (204, 223) and found(TALL, (215, 223, 2.99)) == (204, 215)
    assert found(TALL, (215, 225, 3.0)) == (204, 225) and found(TALL, (215, 226, 3.0)) == (204, 215)
    assert found(TALL, (215, 230, 5.0)) == (204, 230) and found(TALL, (215, 230, 4.99)) == (204, 215)


def test_a_qrs_of_more_than_150_ms_may_be_st_that_climbs_steadily() -> None:
    """Slower than 15 mV/s and 20 % of the steepest, and changing by less than what is quiet."""
    for end, off in ((279, 279), (280, 215)):
        assert found(TALL, (215, end, 6.0)) == (204, off)
    assert found(TALL, (215, 300, 15.0)) == (204, 300) and found(TALL, (215, 300, 14.9)) == (204, 215)
    assert found((205, 215, 50.0), (215, 300, -10.0)) == (204, 300)
    assert found((205, 215, 50.0), (215, 300, -9.9)) == (204, 215)
    ripple = tuple((at, at + 1, 11.0) for at in range(216, 300, 2))
    assert found(TALL, (215, 300, 6.0), *ripple) == (204, 300)
    assert found(TALL, (215, 300, 6.1), *ripple) == (204, 215)


def test_a_border_that_stands_alone_does_not_count() -> None:
    """The earliest onset that two others follow within 10 ms; of scattered ones the second; no more than the third."""
    assert supported(np.array([100.0, 111, 112, 114]), 1) == 111
    assert supported(np.array([100.0, 102, 105, 114]), 1) == 100
    assert supported(np.array([100.0, 102, 105.5, 107]), 1) == 102
    assert supported(np.array([100.0, 110, 120, 130]), 1) == 110
    assert supported(np.array([100.0, 110, 120, 121, 122]), 1) == 120
    assert supported(np.array([100.0, 110, 120, 130, 131, 132]), 1) == 120
    assert supported(np.array([250.0, 239, 238, math.nan, 236]), -1) == 239
    assert supported(np.array([250.0, 240]), -1) == 240 and supported(np.array([250.0, 246]), -1) == 250
    assert supported(np.array([math.nan, 7.0]), 1) == 7
    assert math.isnan(supported(np.array([math.nan]), 1))


def test_the_slope_of_a_line_is_its_slope() -> None:
    """1 mV in a second everywhere but at both ends, whose two samples are 0, of the first 390 samples."""
    line = (np.arange(540) / 500)[None].astype(np.float32)
    slope = slope_mv_s(line)
    assert slope.shape == (1, WIDTH)
    assert slope[0, 2:-2] == pytest.approx(1.0, abs=1e-3) and not slope[0, [0, 1, -2, -1]].any()
    pulse = np.zeros((1, 540), dtype=np.float32)
    pulse[0, 100] = 1.0
    assert slope_mv_s(pulse)[0, 97:104] * 6 / 500 == pytest.approx([0, 1, 1, 0, -1, -1, 0], abs=1e-5)


def test_beats_in_company_have_the_borders_that_they_have_alone() -> None:
    """An ordinary beat, a faint one and one that is never quiet, with leads of their own each."""
    beats = np.stack([drawn(1), drawn(2, noise_mv=0.0) * np.float32(0.2), drawn(3, noise_mv=0.3)])
    slope = slope_mv_s(beats)
    usable = np.random.default_rng(4).random((3, 12)) < 0.8
    own = np.arange(12) > np.array([[0], [3], [1]])
    on, off = slope_borders(slope, usable, own)
    for k in range(3):
        assert (on[k], off[k]) == pytest.approx(slope_borders(slope[k], usable[k], own[k]), nan_ok=True)


def test_a_single_border_stands_for_itself() -> None:
    """There is nothing to confirm it and nothing it could be an outlier of."""
    assert supported(np.array([190.0, math.nan, math.nan]), 1) == 190.0
    assert supported(np.array([math.nan, 230.0]), -1) == 230.0


def test_a_beat_that_never_rests_has_its_borders_beside_a_quiet_one_too() -> None:
    """Its floor is a tenth of its steepest slope, whatever other beats are answered together with it."""
    restless, quiet = slopes((0, 200, 5.0), (205, 215, 80.0)), slopes(TALL)
    good = np.ones((2, 3), dtype=bool)
    assert np.array_equal(slope_borders(restless, good[0], good[0]), (204, 215))
    for order in ([restless, quiet], [quiet, restless]):
        on, off = slope_borders(np.stack(order), good, good)
        assert on.tolist() == [204, 204] and off.tolist() == [215, 215]
