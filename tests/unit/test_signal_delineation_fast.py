"""Borders over all leads in fast rhythms, who has a say on them, and beats that are answered together."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from greenchannel.signal.busy_borders import busy_borders, climbs
from greenchannel.signal.delineation import Waves, independent, waves, waves_of_all
from greenchannel.signal.leads import STANDARD_12
from greenchannel.signal.qrs_borders import slope_borders, slope_mv_s
from tests.drawn_beats import SAMPLES, Floats, Singles, bump, drawn, own_borders

ALL = np.ones(12, dtype=bool)
OWN = independent(STANDARD_12, ALL)
SEED = 2  # of a beat whose onset by the bend lies well behind that by the slopes
FAST_S = 0.4
II = STANDARD_12.index("II")


def told(
    beat: Singles,
    lead: Floats,
    rr_s: float = math.nan,
    *,
    usable: NDArray[np.bool_] = ALL,
    leads: tuple[str, ...] = STANDARD_12,
) -> Waves:
    """The borders of a beat that has some."""
    found = waves(beat, lead, leads, usable, rr_s)
    assert found is not None
    return found


def quiet_beat() -> tuple[Singles, Floats]:
    """A beat without noise and its borders: learned onset at 187, offset at 232."""
    return drawn(SEED, noise_mv=0.0), own_borders(SEED, spread=0.0)


def climbing(by_mv: float = 0.04) -> tuple[Singles, Floats]:
    """The level before its QRS climbs by 40 µV within 16 ms, or by something else."""
    beat, lead = quiet_beat()
    beat += np.float32(by_mv / 4) * np.clip(np.arange(SAMPLES) - 160, 0, 30).astype(np.float32)
    return beat, lead


def never_quiet() -> tuple[Singles, Floats]:
    """Behind its QRS a tremor bends the trace without end; the level before it is flat."""
    beat, lead = quiet_beat()
    at = np.arange(SAMPLES)
    beat += (0.3 * np.sin(at / 2.5) * (at > 245)).astype(np.float32)
    return beat, lead


def test_a_fast_onset_is_the_middle_one_of_three() -> None:
    """Of the learned one 4 ms later, that of the slopes and that of the bend; never behind where the core begins."""
    beat, lead = quiet_beat()
    steep = float(slope_borders(slope_mv_s(beat), ALL, OWN)[0])
    bend = busy_borders(slope_mv_s(beat), OWN, FAST_S)
    assert steep < 190 < bend.core < bend.on
    for learned, expected in ((170.0, steep), (190.0, 192.0), (205.0, bend.core)):
        lead[:, 3] = learned
        assert told(beat, lead, FAST_S).qrs_on == expected


def test_a_fast_offset_is_the_later_one_of_bend_and_learned() -> None:
    """Both may take a late broad S for ST, neither ST for QRS."""
    beat, lead = quiet_beat()
    bend = busy_borders(slope_mv_s(beat), OWN, FAST_S)
    for learned, expected in ((232.0, bend.off), (245.0, 245.0)):
        lead[:, 4] = learned
        assert told(beat, lead, FAST_S).qrs_off == expected
    assert bend.off - told(beat, lead, FAST_S).j > 0.5, "else J would be the offset either way"


def test_a_fast_beat_without_borders_by_the_bend_has_the_ordinary_ones() -> None:
    """Where a tremor leaves no quiet stretch the QRS is that of slopes and learned borders, and no level is sure."""
    beat, lead = never_quiet()
    assert math.isnan(busy_borders(slope_mv_s(beat), OWN, FAST_S).off)
    assert climbs(beat, OWN, 187) < 0.001
    fast, slow = told(beat, lead, FAST_S), told(beat, lead, 0.8)
    assert (fast.qrs_on, fast.qrs_off, fast.j) == (slow.qrs_on, slow.qrs_off, slow.j)
    assert not fast.level_sure and fast.level_known and slow.level_sure


def test_in_a_fast_rhythm_a_climbing_level_is_not_sure() -> None:
    """From 120/min on it is not asked, nor is an even level doubted."""
    flat, steep = quiet_beat(), climbing()
    assert told(*flat, FAST_S).level_sure and told(*flat, 0.499).level_sure
    assert not told(*steep, FAST_S).level_sure and not told(*steep, 0.499).level_sure
    assert told(*steep, 0.5).level_sure and told(*steep, 0.8).level_sure
    assert told(*climbing(0.027), FAST_S).level_sure and not told(*climbing(0.033), FAST_S).level_sure


def test_a_half_second_between_beats_is_no_fast_rhythm() -> None:
    """At 0.5 s the borders are those of slow beats, just below they are those of fast ones."""
    beat, lead = quiet_beat()
    at_rest, limit, fast = (told(beat, lead, rr_s) for rr_s in (0.8, 0.5, 0.499))
    assert limit.qrs_on == at_rest.qrs_on < fast.qrs_on


def test_from_310_ms_between_beats_there_is_a_level() -> None:
    """Below, T of the beat before lies there: nothing to measure ST against."""
    beat, lead = quiet_beat()
    limit, below = told(beat, lead, 0.31), told(beat, lead, 0.309)
    assert limit.level_known and limit.level_sure
    assert not below.level_known and not below.level_sure
    assert told(beat, lead).level_known


def with_hump() -> tuple[Singles, Floats]:
    """T of the beat before, P of 200 µV from sample 115 to 165 and a QRS; the learned borders know no P."""
    shape = 0.4 * bump(50, 80) + 0.2 * bump(140, 50) + 1.2 * bump(200, 30) + 0.4 * bump(335, 100)
    sides = np.random.default_rng(5).uniform(0.6, 1.4, (12, 1))
    lead = own_borders(0, spread=0.0)
    lead[:, :3] = np.nan
    return (sides * shape).astype(np.float32), lead


def test_p_of_a_fast_beat_is_looked_for_as_a_hump() -> None:
    """Below 0.6 s between beats, where the learned borders have none; it belongs to every lead with a QRS."""
    beat, lead = with_hump()
    lead[3, 3], lead[4, 4] = np.nan, np.nan
    for rr_s in (0.45, 0.599):
        found = told(beat, lead, rr_s)
        assert [found.p_on, found.p_off] == pytest.approx([120, 160], abs=8)
        there = np.arange(12) != 3
        assert (found.lead[there, :3] == [found.p_on, found.lead[0, 1], found.p_off]).all()
        assert found.lead[0, 1] == pytest.approx(140, abs=2)
        assert np.isnan(found.lead[3, :3]).all()
        assert np.array_equal(found.lead[:, 3:], lead[:, 3:], equal_nan=True)
    for rr_s in (0.6, 0.8, math.nan):
        found = told(beat, lead, rr_s)
        assert math.isnan(found.p_on) and math.isnan(found.p_off) and np.isnan(found.lead[:, :3]).all()


def test_a_learned_p_is_kept_in_a_fast_rhythm() -> None:
    """The hump is asked only where there is none."""
    beat, lead = with_hump()
    lead[:, :3] = [110.0, 135.0, 170.0]
    found = told(beat, lead, 0.45)
    assert (found.p_on, found.p_off) == (110.0, 170.0)


def test_without_ii_no_hump_is_p() -> None:
    """II tells whether a P is conducted: it must be there and usable."""
    beat, lead = with_hump()
    flat, level = beat.copy(), lead.copy()
    flat[:, 80:180] = 0.0
    assert math.isnan(told(flat, level, 0.45).p_on)
    assert math.isnan(told(beat, lead, 0.45, usable=np.arange(12) != II).p_on)
    others = tuple("V9" if name == "II" else name for name in STANDARD_12)
    assert math.isnan(told(beat, lead, 0.45, leads=others).p_on)


@pytest.mark.parametrize("height", [0.03, 0.15])
def test_leads_of_just_30_or_150_uv_keep_smaller_ones_from_having_a_say(height: float) -> None:
    """P of the six leads that are just large enough begins at 120; smaller ones say 100 and are not asked."""
    beat, lead = np.zeros((12, SAMPLES), dtype=np.float32), own_borders(0, spread=0.0)
    beat[6:, 200:220], beat[:6, 200:220] = height, 0.8 * height
    lead[:6, 0] = 100.0
    assert told(beat, lead).p_on == 120.0
    beat[6:, 200:220] = 0.7 * height
    assert told(beat, lead).p_on == 100.0


@pytest.mark.parametrize(("jump", "asked"), [(233, True), (234, False)])
def test_a_lead_is_as_large_as_its_qrs(jump: int, asked: bool) -> None:
    """Up to a sample behind the latest end of a QRS, which here is at 232: what jumps later makes no lead large."""
    beat, lead = np.zeros((12, SAMPLES), dtype=np.float32), own_borders(0, spread=0.0)
    beat[:6, 200:220], beat[6:, jump:] = 0.1, 0.5
    lead[6:, 0] = 100.0
    assert told(beat, lead).p_on == (100.0 if asked else 120.0)


def test_an_onset_by_slopes_just_60_ms_early_counts() -> None:
    """Or just where P ends; a sample earlier it has strayed, and the learned one stays."""
    beat, lead = quiet_beat()
    steep = float(slope_borders(slope_mv_s(beat), ALL, OWN)[0])
    lead[:, 2] = np.nan
    for later, expected in ((30.0, steep), (31.0, steep + 31.0)):
        lead[:, 3] = steep + later
        assert told(beat, lead).qrs_on == expected
    lead[:, 3] = steep + 10.0
    for p_off, expected in ((steep, steep), (steep + 1.0, steep + 10.0)):
        lead[:, 2] = p_off
        assert told(beat, lead).qrs_on == expected


def same(one: Waves | None, other: Waves | None) -> bool:
    """Equal in all that a QRS and a P have."""
    if one is None or other is None:
        return one is other
    mine, theirs = ([w.qrs_on, w.qrs_off, w.j, w.p_on, w.p_off, w.t_peak, w.t_off] for w in (one, other))
    return np.array_equal(mine, theirs, equal_nan=True) and np.array_equal(
        one.lead, other.lead, equal_nan=True
    )


def test_beats_together_are_answered_as_if_alone() -> None:
    """One without any QRS, one whose QRS is too long, one of small leads and clear ones, in any order."""
    clear, lead = quiet_beat()
    nothing, long = lead.copy(), lead.copy()
    nothing[:, 3:5] = np.nan
    long[:, 3], long[:, 4] = 100.0, 300.0
    flat = np.zeros_like(clear)
    small = (0.1 / np.ptp(clear[:, 180:236], axis=1)[:, None] * clear).astype(np.float32)
    both = [(clear, lead), (clear, nothing), (flat, long), (small, lead), (clear, lead)]
    for order in ((0, 1, 2, 3, 4), (4, 3, 2, 1, 0), (2, 3, 0), (3, 0), (1, 2), (1,)):
        beats, borders = (np.stack([both[k][part] for k in order]) for part in (0, 1))
        together = waves_of_all(
            beats,
            borders,
            [STANDARD_12] * len(order),
            np.ones((len(order), 12), dtype=bool),
            [math.nan] * len(order),
        )
        for k, found in zip(order, together, strict=True):
            assert (found is None) == (k in (1, 2))
            assert same(found, waves(*both[k], STANDARD_12, ALL))
            assert found is None or found.p_on == 120.0
