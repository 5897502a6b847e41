"""Looks at quality at their very limits, several leads at once, and what a suspected swap does to the verdict."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from greenchannel.signal import kernels
from greenchannel.signal.leads import STANDARD_12
from greenchannel.signal.quality import (
    LeadReasons,
    judge,
    limb_contradiction,
    look_at_beats,
    look_at_noise,
    look_at_wander,
)
from greenchannel.signal.reversal import Reversal
from greenchannel.signal.synthesis import limb_table

Singles = NDArray[np.float32]
LIMB_6 = STANDARD_12[:6]


def named(reasons: LeadReasons) -> list[tuple[str, str | None]]:
    """Codes and leads of what was noted."""
    return [(one.code, one.lead) for one in reasons.messages()]


@pytest.mark.parametrize(("n", "told"), [(104, False), (105, True)])
def test_tremor_is_looked_for_in_more_than_a_fifth_of_a_second(n: int, told: bool) -> None:
    """Two samples at either end of a strip have no 10 ms around them and do not count: 101 others are the least."""
    hum = np.sin(2 * np.pi * 0.2 * np.arange(n)).astype(np.float32)
    reasons = LeadReasons(("V1", "V2"))
    look_at_noise(np.array([hum, 0 * hum]), np.ones(n, dtype=bool), reasons)
    assert named(reasons) == ([("hf_noise", "V1")] if told else [])


def drifting(*knots_mv: list[float], samples: int = 1250) -> LeadReasons:
    """Reasons of leads with such knots of their baseline, one a second, and no wander in between."""
    reasons = LeadReasons(tuple(STANDARD_12[: len(knots_mv)]))
    knots = np.array(knots_mv, dtype=np.float32)
    slow = np.zeros((len(knots_mv), samples), dtype=np.float32)
    look_at_wander(100 + 500 * np.arange(knots.shape[1]), knots, slow, reasons)
    return reasons


def test_wander_within_ten_seconds_is_asked_of_each_lead() -> None:
    """A slow drift of one lead is no wander beside a lead that stands still, nor does it hide that of another."""
    drift, still = np.linspace(0.0, 0.9, 21).tolist(), [0.0] * 21
    swing = [0.0] * 10 + [0.6] + [0.0] * 10
    assert named(drifting(drift, still)) == []
    assert named(drifting(drift, swing, still)) == [("wander", "II")]
    assert drifting(drift, still).levelled


def test_less_than_a_second_has_no_mean_of_seconds() -> None:
    """Of several leads the knots alone tell."""
    assert named(drifting([0.0, 0.6], [0.0, 0.4], samples=124)) == [("wander", "I")]


def beats_with_st(
    size_mv: float, wander_mv: float, count: int, *, levelled: bool = True, where: slice = slice(38, 54)
) -> list[str]:
    """Codes for V1 with such wander, whose ST lies this much higher and lower in turn behind a tall QRS.

    The beat is looked at from sample 20 to 80.
    """
    median = np.zeros((2, 100), dtype=np.float32)
    median[:, 20:30] = 20.0
    stack = np.repeat(median[None], count, axis=0)
    stack[:, 0, where] += np.float32(size_mv) * ((-1.0) ** np.arange(count)[:, None]).astype(np.float32)
    reasons = LeadReasons(("V1", "V2"))
    reasons.wander_mv, reasons.levelled = np.array([wander_mv, 0.0], dtype=np.float32), levelled
    look_at_beats(stack, median, slice(20, 80), reasons)
    return [code for code, _ in named(reasons)]


def test_wander_of_just_one_or_half_a_millivolt_is_not_doubtful() -> None:
    """One where a spline took it off, half of one where none did."""
    assert beats_with_st(1.0, 1.0, 4) == [] and beats_with_st(1.0, 1.001, 4) == ["wander_large"]
    assert beats_with_st(0.0, 0.5, 4, levelled=False) == []
    assert beats_with_st(0.0, 0.501, 4, levelled=False) == ["wander_large"]


def test_a_standard_error_of_just_50_uv_is_borne() -> None:
    """1 mV over 400 beats."""
    assert beats_with_st(1.0, 1.1, 400) == []
    assert beats_with_st(1.001, 1.1, 400) == ["wander_large"]


@pytest.mark.parametrize(
    ("first", "end", "part"), [(38, 40, 1), (36, 38, 0), (38, 42, 2), (46, 52, 3), (50, 52, 1), (52, 54, 0)]
)
def test_st_is_looked_at_from_30_to_55_percent_of_the_way_to_the_end_of_t(
    first: int, end: int, part: int
) -> None:
    """Every second sample of 38 to 50 of a beat from 20 to 80: so many of seven move their mean."""
    edge = 0.05 * 4**0.5 * 7
    moved = [beats_with_st(by * edge / max(part, 1), 1.1, 4, where=slice(first, end)) for by in (1.02, 0.98)]
    assert moved == ([["wander_large"], []] if part else [[], []])


@pytest.mark.parametrize("level_mv", [0.0, 0.5, -3.0])
def test_beats_are_compared_whatever_level_they_lie_on(level_mv: float) -> None:
    """Correlation and rest are those of what is left without the means: beat and median have levels of their own."""
    at = np.arange(100)
    median = np.sin(2 * np.pi * at / 20).astype(np.float32)[None]
    other = np.cos(2 * np.pi * at / 20).astype(np.float32)
    for share, size_mv, unstable in (
        (0.46, 0.2, False),
        (0.51, 0.2, True),
        (0.6, 0.1, False),
        (1.0, 0.1, True),
    ):
        # Of two waves at right angles the correlation is 1 / √(1 + share²), the rest share · size / √2.
        beat = np.float32(size_mv) * (median + np.float32(share) * other)
        stack = np.repeat(beat[None], 3, axis=0) + np.float32(0.25)
        reasons = LeadReasons(("V1",))
        look_at_beats(stack, np.float32(size_mv) * median + np.float32(level_mv), slice(0, 80), reasons)
        assert (not reasons.usable[0]) == unstable, (share, size_mv)


def limb() -> Singles:
    """Ten seconds of six limb leads that agree."""
    one, two = np.random.default_rng(4).standard_normal((2, 5000))
    table = {name: 1.0 * row for name, row in limb_table(one, two).items()}
    return np.array([table[name] for name in LIMB_6], dtype=np.float32)


def test_samples_that_are_missing_are_left_out_with_kernels_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel knows nothing of gaps: it is asked only where there are none."""

    def power(x: Singles, rows: Any, relations: Any) -> Any:
        return np.ones(len(relations))

    monkeypatch.setattr(kernels, "loaded", SimpleNamespace(beats=SimpleNamespace(contradictions=power)))
    x, valid = limb(), np.ones((6, 5000), dtype=bool)
    valid[1, :3000] = False
    assert limb_contradiction(x, valid, LeadReasons(LIMB_6)) is None
    assert limb_contradiction(x, None, LeadReasons(LIMB_6)) == ""


def test_a_suspected_swap_is_named_with_its_rule() -> None:
    """And said, in both languages; it alone does not forbid the record."""
    swap = Reversal(rule="LEAD-1", swap=("RA", "LA"), en="the arms", zh="双臂", confident=True)
    found, without = (judge(LeadReasons(STANDARD_12), [], True, one) for one in (swap, None))
    assert found.reversal == "LEAD-1" and without.reversal is None
    assert [one.code for one in found.messages] == ["lead_reversal"] and without.messages == ()
    assert "the arms" in found.messages[0].en and "双臂" in found.messages[0].zh
    assert found.acceptable and without.acceptable
