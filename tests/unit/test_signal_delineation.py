"""From each lead's own borders to those over all leads, and T by its tangent, written out (MEAS-1, MEAS-6)."""

import math
from dataclasses import astuple

import numpy as np
import pytest
from numpy.typing import NDArray

from greenchannel.signal.delineation import Waves, independent, waves
from greenchannel.signal.leads import LIMB, STANDARD_12
from greenchannel.signal.qrs_borders import end_of_steepness, slope_borders, slope_mv_s, supported
from tests.drawn_beats import Floats, Singles, drawn, own_borders

ALL = np.ones(12, dtype=bool)


def tangent_written_out(y: Singles, peak: float, off: float) -> tuple[float, float]:
    """End of T by the tangent to its steepest slope, and its height above the level behind it; NaN and 0 without T."""
    if math.isnan(peak):
        return math.nan, 0.0
    n = y.size
    end = min(off, n - 1.0)
    smooth = np.convolve(y.astype(float), np.full(7, 1 / 7), mode="same")
    level_at = int(min(end + 5, n - 2))
    level_end = min(level_at + 20, n - 1)
    level = float(y[level_at + 1 : level_end + 1].astype(float).mean())
    falls = {
        at: (smooth[at + 3] - smooth[at - 3]) / 6
        for at in range(math.ceil(peak), math.floor(end) + 1)
        if at + 6 < n
    }
    height = abs(float(y[int(min(peak, n - 1))]) - level)
    if not falls:
        return off, height
    at = max(falls, key=lambda k: abs(falls[k]))
    meets = at - (smooth[at] - level) / falls[at] if falls[at] else -math.inf
    return (meets if at <= meets <= end + 25 else off), height


def middle(values: list[float]) -> float:
    """Median of what is known."""
    known = [value for value in values if not math.isnan(value)]
    return float(np.median(known)) if known else math.nan


def own_written_out(leads: tuple[str, ...], usable: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Chest leads and the first two usable limb leads."""
    two = [name for name in LIMB if name in leads and usable[leads.index(name)]][:2]
    return np.array([name not in LIMB or name in two for name in leads])


def written_out(
    beat: Singles, lead: Floats, leads: tuple[str, ...], usable: NDArray[np.bool_]
) -> Waves | None:
    """Borders over all leads by their rules."""
    rows = [k for k in range(len(leads)) if usable[k] and not np.isnan(lead[k, 3:5]).any()]
    if not rows:
        return None
    part = beat[:, int(lead[rows, 3].min()) : int(lead[rows, 4].max()) + 2]
    size = np.ptp(part, axis=1)
    votes = [k for k in rows if size[k] >= 0.03]
    alone = own_written_out(leads, np.isin(np.arange(len(leads)), votes))
    speak = [k for k in votes if alone[k] and size[k] >= 0.15]
    if len(speak) < 3:
        speak = votes or rows
    own = own_written_out(leads, usable)
    slope = slope_mv_s(beat)
    p_on, p_off, learned_on, learned_off = (
        float(supported(lead[speak, column], sign)) for column, sign in ((0, 1), (2, -1), (3, 1), (4, -1))
    )
    on, off = learned_on, learned_off
    steep_on, steep_off = (float(one) for one in slope_borders(slope, usable, own))
    if abs(steep_off - learned_off) > 15:
        off = learned_off = steep_off
    earliest = max(learned_on - 30, p_off) if p_off < learned_on else learned_on - 30
    if steep_on >= earliest:
        on = min(steep_on, learned_on + 7)
    if not math.isnan(steep_off):
        off = min(max(steep_off - 1, learned_off - 7), learned_off + 6)
    j = end_of_steepness(slope, usable & own, learned_off)
    off = min(max(off, j), j + 6)
    if not 10 <= off - on <= 140:
        return None
    ends = [tangent_written_out(y, at[6], at[7]) for y, at in zip(beat, lead, strict=True)]
    strong = [k for k in range(len(leads)) if usable[k] and ends[k][1] >= 0.1]
    vote = strong or [k for k in range(len(leads)) if usable[k]]
    return Waves(
        qrs_on=round(on), qrs_off=round(off), j=j, p_on=p_on, p_off=p_off, lead=lead,
        t_peak=middle([lead[k, 6] for k in vote]), t_off=middle([ends[k][0] for k in vote]),
        lead_t_tangent=np.array([end for end, _ in ends]),
    )  # fmt: skip


def assert_as_written(
    beat: Singles, lead: Floats, usable: NDArray[np.bool_] = ALL, leads: tuple[str, ...] = STANDARD_12
) -> Waves | None:
    """Every border equals the rules, and the answer is returned."""
    expected, found = written_out(beat, lead, leads, usable), waves(beat, lead, leads, usable)
    assert (found is None) == (expected is None)
    if found is not None and expected is not None:
        for one, other in zip(astuple(found), astuple(expected), strict=True):
            assert one == pytest.approx(other, abs=1e-2, nan_ok=True)
    return found


@pytest.mark.parametrize("noise_mv", [0.0, 0.03])
@pytest.mark.parametrize("seed", range(3))
def test_borders_are_those_of_the_rules(seed: int, noise_mv: float) -> None:
    """Learned borders early, late and scattered, some leads without P, T or QRS, some not usable."""
    rng = np.random.default_rng(seed)
    for spread, broad in ((1.0, 1.0), (4.0, 1.0), (8.0, 1.6), (3.0, 0.8)):
        beat, lead = drawn(seed, broad=broad, noise_mv=noise_mv), own_borders(seed, spread=spread)
        for shift in (0, -25, -12, -6, 6, 12, 25):
            moved = lead.copy()
            moved[:, 3] += shift
            moved[:, 4] -= shift * rng.choice([-1, 1])
            moved[:, 4] = np.maximum(moved[:, 4], moved[:, 3] + 1)
            assert_as_written(beat, moved)
            moved[rng.random(12) < 0.3, :3] = np.nan
            moved[rng.random(12) < 0.3, 5:] = np.nan
            assert_as_written(beat, moved, rng.random(12) < 0.7)
            moved[rng.random(12) < 0.5, 3] = np.nan
            moved[rng.random(12) < 0.2, 4] = np.nan
            assert_as_written(beat, moved, rng.random(12) < 0.5)


@pytest.mark.parametrize("p_off", [170.0, 187.0])
def test_where_learned_borders_and_slopes_differ_each_has_its_limits(p_off: float) -> None:
    """Onsets 60 ms early to 14 ms late and not before P, offsets 14 ms early to 12 ms late, by single samples."""
    beat, lead = drawn(2, noise_mv=0), own_borders(2, spread=0)
    lead[:, 2] = p_off
    for shift in range(-40, 46):
        lead[:, 3] = min(187.0 + shift, 205)
        lead[:, 4] = max(232.0 + shift, 212)
        assert_as_written(beat, lead)


def test_a_lead_of_just_30_or_150_uv_is_large_enough() -> None:
    """The first votes where no other can, the second among the clear ones."""
    for height in (0.03, 0.15):
        beat, lead = np.zeros((12, 540), dtype=np.float32), own_borders(0, spread=0)
        beat[:6, 200:220], beat[6:, 200:220] = height, 0.8 * height
        lead[:6, 3] -= 20
        found = assert_as_written(beat, lead)
        assert found is not None and found.qrs_on < 180


@pytest.mark.parametrize("seed", range(5))
def test_small_leads_speak_where_no_clear_ones_do(seed: int) -> None:
    """From 150 µV a lead votes, unless fewer than three do; under 30 µV it never does while another can."""
    rng = np.random.default_rng(seed)
    beat, lead = drawn(seed, noise_mv=0), own_borders(seed, spread=6)
    size = np.ptp(beat[:, 180:236], axis=1)[:, None]
    for heights in (
        (0.1, 0.14, 0.16, 0.2),
        (0.02, 0.028, 0.033, 0.05),
        (0.02, 0.029),
        (0.028, 0.032, 0.14, 0.16),
    ):
        small = (beat / size * rng.choice(heights, (12, 1))).astype(np.float32)
        assert_as_written(small, lead)
        assert_as_written(small, lead, rng.random(12) < 0.6)


def test_the_ends_of_t_are_those_of_the_tangent() -> None:
    """T that ends with the beat or beyond it, that has no slope, that is steepest at its end, is upside down."""
    rng = np.random.default_rng(2)
    for seed in range(12):
        beat, lead = drawn(seed, noise_mv=0.02), own_borders(seed)
        lead[:, 6] = rng.uniform(300, 535, 12)
        lead[:, 7] = lead[:, 6] + rng.uniform(-2, 60, 12)
        assert_as_written(beat, lead)
        assert_as_written(
            np.roll(beat, 150, axis=1) if seed % 2 else beat, lead + rng.uniform(0, 5, lead.shape)
        )
        lead[:, 6:] = [[520.0, 545.0]]
        assert_as_written(beat, lead)
        lead[:, 6:] = [[530.0, 535.0]]
        found = waves(beat, lead, STANDARD_12, ALL)
        assert found is not None and np.isnan(found.lead_t_tangent).all()
        for peak, known in ((524.9, True), (525.0, False)):  # 48 ms are the least that is looked at
            lead[:, 6] = peak
            found = waves(beat, lead, STANDARD_12, ALL)
            assert found is not None and np.isfinite(found.lead_t_tangent).all() == known
        lead[:, 6], lead[:, 7] = 335.0, rng.integers(337, 370, 12)
        assert_as_written(beat, lead)
    lead[:, 6:] = [[335.0, 385.0]]
    lead[:6, 6:] = [[7.0, 90.0], [5.0, 60.0], [8.5, 80.0], [545.0, 548.0], [541.0, 539.0], [math.nan, 385.0]]
    assert_as_written(drawn(4, noise_mv=0.05), lead)
    lead[:, 6] = np.nan
    assert_as_written(drawn(4, noise_mv=0.05), lead)
    level = drawn(1)
    level[:, 260:] = 0.25
    assert_as_written(level, own_borders(1))


def test_a_strong_t_alone_votes_on_qt() -> None:
    """QT is the median over the leads with a T of 100 µV; without any over all usable ones."""
    beat, lead = drawn(3, noise_mv=0), own_borders(3, spread=0)
    lead[:, 7] += np.arange(12)
    height = np.abs(beat[:, 335])
    for tall in (3, 8, 0):
        scaled = beat.copy()
        scaled[:, 270:] *= (np.where(np.arange(12) < tall, 0.104, 0.092) / height)[:, None].astype(np.float32)
        found = assert_as_written(scaled, lead)
        assert found is not None
        assert found.t_off == pytest.approx(float(np.median(found.lead_t_tangent[: tall or 12])))


@pytest.mark.parametrize(("width", "there"), [(17.0, False), (18.0, True), (148.0, True), (149.0, False)])
def test_a_qrs_is_neither_shorter_than_20_nor_longer_than_280_ms(width: float, there: bool) -> None:
    """What is shorter or longer has no borders. Without any slope J lies 16 ms before the learned end of the QRS."""
    lead = own_borders(0, spread=0)
    lead[:, 3], lead[:, 4], lead[:, 5:] = 202.0, 202.0 + width, np.nan
    found = assert_as_written(np.zeros((12, 540), dtype=np.float32), lead)
    assert (found is not None) == there
    assert found is None or found.qrs_off - found.qrs_on == width - 8


def test_two_limb_leads_have_information_of_their_own() -> None:
    """The first two usable of I, II, III, aVR, aVL, aVF, and every chest lead."""
    names = ("aVF", "V2", "III", "I", "X")
    assert independent(names, np.ones(5, dtype=bool)).tolist() == [False, True, True, True, True]
    assert independent(names, np.array([True, True, True, False, True])).tolist() == [
        True,
        True,
        True,
        False,
        True,
    ]
    assert independent(names, np.zeros(5, dtype=bool)).tolist() == [False, True, False, False, True]


def test_without_p_the_p_is_gone_and_nothing_else() -> None:
    """P of all and of each lead unknown, QRS and T as they were."""
    found = waves(drawn(), own_borders(), STANDARD_12, ALL)
    assert found is not None
    bare = found.without_p
    assert math.isnan(bare.p_on) and math.isnan(bare.p_off) and np.isnan(bare.lead[:, :3]).all()
    assert np.array_equal(bare.lead[:, 3:], found.lead[:, 3:]) and not np.isnan(found.lead).any()
    assert (bare.qrs_on, bare.qrs_off, bare.j, bare.t_off) == (
        found.qrs_on,
        found.qrs_off,
        found.j,
        found.t_off,
    )
    between = bare.borders
    assert (between.on, between.off, between.j) == (found.qrs_on, found.qrs_off, found.j)
    assert (
        between.lead is bare.lead
        and between.t_tangent is bare.lead_t_tangent
        and between.t_off == found.t_off
    )
