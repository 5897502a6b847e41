"""Fast rhythms, where T runs into P and P into the QRS: borders, the level of ST, and P."""

import math

import numpy as np
import pytest

from greenchannel.signal.busy_borders import busy_borders, climbs
from greenchannel.signal.delineator import POST, PRE
from greenchannel.signal.fast_p import fast_p
from greenchannel.signal.leads import STANDARD_12
from greenchannel.signal.measure import measure
from greenchannel.signal.measurements import Measurements
from greenchannel.signal.qrs_borders import slope_mv_s
from greenchannel.signal.quality_words import WORDS
from greenchannel.signal.synthesis import Simulated, simulate

CLINICAL = {"emg_mv": 0.025, "wander_mv": 0.5, "mains_mv": 0.1}
ALL = np.ones(12, dtype=bool)


def fast(seed: int, bpm: float, **rest: object) -> Simulated:
    return simulate(seed=seed, heart_rate_bpm=bpm, variation=1.0, **(CLINICAL | rest))  # type: ignore[arg-type]


def worst_mv(strip: Simulated, made: Measurements) -> float:
    """The largest error of STJ in a usable lead."""
    truth = strip.truth.stj_mv
    return max(abs(v.stj_mv - truth[n]) for n, v in made.leads.items() if v.usable and v.stj_mv is not None)


def codes(made: Measurements) -> set[str]:
    return {one.code for one in made.quality.messages}


@pytest.mark.parametrize("seed", [1, 2, 3, 6, 8])
@pytest.mark.parametrize(
    ("conduction", "bpm"), [("rbbb", 130), ("rbbb", 150), ("rbbb", 160), ("lbbb", 130), ("lbbb", 140)]
)
def test_fast_bundle_branch_block_keeps_its_j(conduction: str, bpm: float, seed: int) -> None:
    """The late slow part of the QRS is no ST, at any rate: within 60 µV, or it is said that the level is not sure."""
    strip = fast(seed, bpm, conduction=conduction)
    made = measure(strip.recording)
    assert worst_mv(strip, made) < 0.06 or "baseline_uncertain" in codes(made)
    assert made.qrs_ms is not None and made.qrs_ms > 115.0


@pytest.mark.parametrize("seed", [1, 4, 7, 9])
@pytest.mark.parametrize("bpm", [150, 160, 170, 180])
def test_infarction_in_tachycardia_is_measured_or_said_to_be_uncertain(bpm: float, seed: int) -> None:
    """0.3 mV in front: within 60 µV, or the message; up to 170/min it is measured."""
    strip = fast(seed, bpm, territory="anterior", stj_mv=0.3)
    made = measure(strip.recording)
    good = worst_mv(strip, made) < 0.06
    assert good or (bpm > 170 and "baseline_uncertain" in codes(made))


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("bpm", [200, 240, 280])
def test_from_195_a_minute_st_is_unknown_and_it_is_said_why(bpm: float, seed: int) -> None:
    """T of the beat before lies where the level should be: no elevation is invented, nor hidden without a word."""
    made = measure(fast(seed, bpm).recording)
    assert "baseline_uncertain" in codes(made)
    assert all(v.stj_mv is None and v.st80_mv is None and v.jp_mv is None for v in made.leads.values())
    assert made.qrs_ms is not None and made.qrs_ms < 130.0


def test_at_ordinary_rates_nothing_is_said_of_the_level() -> None:
    """The message belongs to fast rhythms alone."""
    for bpm in (60, 100, 125):
        made = measure(fast(3, bpm).recording)
        assert "baseline_uncertain" not in codes(made)
        assert made.leads["V2"].stj_mv is not None


def test_the_message_is_said_in_both_languages() -> None:
    """And is short enough for a page."""
    en, zh = WORDS["baseline_uncertain"]
    assert "baseline" in en or "level" in en
    assert "基线" in zh and len(en) < 120


@pytest.mark.parametrize("seed", [1, 3, 5, 9])
@pytest.mark.parametrize(
    ("bpm", "conduction"), [(105, "narrow"), (120, "narrow"), (110, "rbbb"), (110, "lbbb")]
)
def test_sinus_tachycardia_is_called_so(bpm: float, conduction: str, seed: int) -> None:
    """P as a second hump behind T gives the rhythm its name and PR, with bundle branch block as well."""
    strip = fast(seed, bpm, conduction=conduction)
    made = measure(strip.recording)
    assert made.rhythm != "ventricular_tachycardia"
    pr = [(b.qrs_on_s - b.p_on_s) * 1000 for b in strip.truth.beats if b.p_on_s is not None]
    if conduction == "narrow":
        assert made.rhythm in ("sinus", "junctional_or_unknown")
        assert made.pr_ms == pytest.approx(np.median(pr), abs=30)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("bpm", [115, 130, 150, 170])
def test_ventricular_tachycardia_is_never_called_sinus(bpm: float, seed: int) -> None:
    """Its T wave is one hump, and dissociated P waves leave none."""
    made = measure(fast(seed, bpm, rhythm="ventricular_tachycardia").recording)
    assert made.rhythm in ("ventricular_tachycardia", "unknown") and made.pr_ms is None


@pytest.mark.parametrize("seed", [0, 2, 6, 10])
def test_a_dissociated_p_wave_has_no_pr(seed: int) -> None:
    """In complete block P stands before some beats by chance."""
    assert measure(fast(seed, 80, rhythm="av_block_3").recording).pr_ms is None
    assert measure(fast(seed, 80, rhythm="av_block_2_1").recording).pr_ms is not None


def beat(*bumps: tuple[float, float, float]) -> np.ndarray:
    """A median beat of twelve leads from raised cosines (start and length in s from R, mV)."""
    t = (np.arange(PRE + POST) - PRE) / 500
    y = np.zeros(t.size)
    for start, length, size in bumps:
        inside = (t >= start) & (t <= start + length)
        y[inside] += size / 2 * (1 - np.cos(2 * np.pi * (t[inside] - start) / length))
    sides = np.random.default_rng(5).uniform(0.6, 1.4, 12)[:, None]
    made: np.ndarray = (sides * y).astype(np.float32)
    return made


RR_S = 0.40
T_OF_BEFORE = (0.10 - RR_S, 0.18, 0.4)
T = (0.10, 0.18, 0.4)


def test_borders_by_the_bend_are_those_of_the_waves() -> None:
    """T before and behind do not touch them; within 10 and 6 ms."""
    made = beat(T_OF_BEFORE, T, (-0.05, 0.06, -0.3), (-0.03, 0.08, 1.5), (0.02, 0.06, -0.8))
    found = busy_borders(slope_mv_s(made), ALL, RR_S)
    assert (found.on - PRE) / 500 == pytest.approx(-0.05, abs=0.01)
    assert (found.off - PRE) / 500 == pytest.approx(0.08, abs=0.006)
    assert found.on < found.core < PRE


def test_no_border_is_told_where_noise_is_as_steep_as_a_qrs() -> None:
    """Nor without a lead; and one noisy lead among quiet ones changes nothing."""
    made = beat(T_OF_BEFORE, T, (-0.03, 0.08, 1.5))
    rng = np.random.default_rng(1)
    noisy = made + 0.4 * rng.standard_normal(made.shape).astype(np.float32)
    found = busy_borders(slope_mv_s(noisy), ALL, RR_S)
    assert math.isnan(found.off) or math.isnan(found.on) or found.off - found.on > 90
    assert math.isnan(busy_borders(slope_mv_s(made), np.zeros(12, dtype=bool), RR_S).off)
    quiet = busy_borders(slope_mv_s(made), ALL, RR_S)
    made[3] = noisy[3]
    assert busy_borders(slope_mv_s(made), ALL, RR_S)[:2] == pytest.approx(quiet[:2], abs=1)


def test_a_level_that_climbs_is_seen() -> None:
    """By what it changes within 16 ms, in the second of the leads; without room or leads it is infinite."""
    made = np.zeros((12, PRE + POST), dtype=np.float32)
    made[:] = np.arange(PRE + POST) * 0.005
    assert climbs(made, ALL, PRE) == pytest.approx(4 * 0.005, abs=1e-5)
    made[1:] = 0.0
    assert climbs(made, ALL, PRE) == 0.0
    assert climbs(made, ALL, 5) == math.inf
    assert climbs(made, np.zeros(12, dtype=bool), PRE) == math.inf


def test_p_is_the_second_of_two_humps() -> None:
    """One hump alone is T; a negative one in II is no conducted P; without II nobody says."""
    on, off, rr_s, witness = PRE - 20, PRE + 30, 0.5, STANDARD_12.index("II")
    qrs = (-0.03, 0.08, 1.5)
    both = beat((0.10 - rr_s, 0.18, 0.4), (-0.20, 0.10, 0.15), qrs)
    found = fast_p(both, ALL, witness, on, off, rr_s)
    assert found is not None
    assert (found.peak - PRE) / 500 == pytest.approx(-0.15, abs=0.008)
    assert found.on < found.peak < found.off < on
    assert fast_p(beat((0.10 - rr_s, 0.18, 0.4), qrs), ALL, witness, on, off, rr_s) is None
    assert fast_p(beat((-0.20, 0.10, 0.15), qrs), ALL, witness, on, off, rr_s) is None
    upside_down = beat((0.10 - rr_s, 0.18, 0.4), (-0.20, 0.10, -0.15), qrs)
    assert fast_p(upside_down, ALL, witness, on, off, rr_s) is None
    assert fast_p(both, ALL, None, on, off, rr_s) is None
    assert fast_p(both, ALL, witness, on, off, 0.2) is None


@pytest.mark.parametrize("fill", [np.nan, 0.0, 1e30])
def test_odd_samples_raise_nothing(fill: float) -> None:
    """NaN, silence and huge values."""
    made = np.full((12, PRE + POST), fill, dtype=np.float32)
    with np.errstate(all="ignore"):
        busy_borders(slope_mv_s(made), ALL, RR_S)
        climbs(made, ALL, PRE)
        fast_p(made, ALL, 1, PRE - 20, PRE + 30, RR_S)
