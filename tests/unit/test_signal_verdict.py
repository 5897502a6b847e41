"""Each look at quality with its limit, and the verdict that follows from what was found (SIG-5)."""

import numpy as np
import pytest
from numpy.typing import NDArray

from greenchannel.signal.leads import STANDARD_12, STANDARD_18
from greenchannel.signal.quality import (
    LeadReasons,
    judge,
    limb_contradiction,
    look_at_beats,
    look_at_noise,
    look_at_samples,
    look_at_wander,
)
from greenchannel.signal.quality_words import WORDS, message, together
from greenchannel.signal.synthesis import limb_table

Singles = NDArray[np.float32]
LIMB_6 = STANDARD_12[:6]


def named(reasons: LeadReasons) -> list[tuple[str, str | None]]:
    """Codes and leads of what was noted."""
    return [(one.code, one.lead) for one in reasons.messages()]


def mask(*rows: int, count: int = 12) -> NDArray[np.bool_]:
    """True for some leads."""
    return np.isin(np.arange(count), rows)


def test_what_takes_the_amplitudes_and_what_only_the_evidence() -> None:
    """No signal: not even measured, and nothing else is said of it; tremor: measured, no evidence; wander: named."""
    reasons = LeadReasons(("I", "II", "V1"))
    reasons.add("wander", mask(0, count=3))
    reasons.add("baseline_disagree", mask(0, count=3))
    assert reasons.usable.tolist() == [True, True, True] and reasons.measurable.all()
    reasons.add("hf_noise", mask(1, count=3))
    assert reasons.usable.tolist() == [True, False, True] and reasons.measurable.all()
    for code in ("lead_missing", "lead_broken", "lead_flat", "saturation"):
        alone = LeadReasons(("I", "II", "V1"))
        alone.add(code, mask(2, count=3))
        alone.add("steps", mask(1, 2, count=3))
        assert alone.measurable.tolist() == [True, True, False] and alone.usable.tolist() == [
            True,
            False,
            False,
        ]
        assert named(alone) == [("steps", "II"), (code, "V1")]
    reasons.add("hf_noise", mask(2, count=3))
    assert named(reasons) == [
        ("wander", "I"),
        ("baseline_disagree", "I"),
        ("hf_noise", "II"),
        ("hf_noise", "V1"),
    ]


def test_a_message_names_its_lead_in_both_languages() -> None:
    """And fills in what it is told."""
    one = message("lead_flat", "V4")
    assert (
        (one.code, one.lead) == ("lead_flat", "V4") and one.en.startswith("V4: ") and one.zh.startswith("V4 ")
    )
    wall = message("territory_unreadable", None, en="inferior", zh="下壁")
    assert wall.lead is None and "the inferior wall" in wall.en and wall.zh.startswith("下壁导联")
    assert all("{" not in text for code in WORDS for text in (message(code, "I", en="x", zh="y").en,))


def test_every_fault_of_the_samples_has_its_code() -> None:
    """A lead without samples, one at the rail, one that jumps, one without a heart."""
    t = np.arange(5000) / 500
    beat = np.exp(-(((t % 0.8 - 0.4) / 0.02) ** 2))
    x = np.outer(np.linspace(0.5, 1.5, 12), beat) + 0.005 * np.random.default_rng(0).standard_normal(
        (12, 5000)
    )
    x[0] = np.nan
    x[1, 2000:2300] = 5.0
    x[2, 2571:] += 1.2
    x[3] = 0.002 * x[3]
    reasons = LeadReasons(STANDARD_12)
    look_at_samples(x.astype(np.float32), 500.0, reasons)
    assert named(reasons) == [
        ("lead_missing", "I"),
        ("saturation", "II"),
        ("steps", "III"),
        ("lead_flat", "aVR"),
    ]


def noisy(size_mv: float, quiet: int, n: int = 1000) -> list[tuple[str, str | None]]:
    """What is said of a sine of 100 Hz of this RMS, of which so many samples are quiet; the second lead is still."""
    x = np.array(
        [size_mv * np.sqrt(2) * np.sin(2 * np.pi * 0.2 * np.arange(n)), np.zeros(n)], dtype=np.float32
    )
    reasons = LeadReasons(("V1", "V2"))
    look_at_noise(x, np.arange(n) < quiet, reasons)
    return named(reasons)


def test_tremor_is_noise_of_more_than_50_uv_in_what_is_quiet() -> None:
    """The trace less its mean over 10 ms, which a sine of 100 Hz passes as it is, in more than 0.2 s."""
    assert noisy(0.0505, 500) == [("hf_noise", "V1")] and noisy(0.0495, 500) == []
    assert noisy(0.0505, 1000) == [("hf_noise", "V1")] and noisy(0.0495, 1000) == []
    assert noisy(0.5, 102) == [] and noisy(0.5, 103) == [("hf_noise", "V1")]
    rng = np.random.default_rng(5)
    for _ in range(40):
        x, quiet = 0.056 * rng.standard_normal((3, 400)).astype(np.float32), rng.random(400) < 0.5
        rest = [[y[k] - y[k - 2 : k + 3].mean() for k in range(2, 398) if quiet[k]] for y in x.astype(float)]
        expected = [bool(np.sqrt(np.mean(np.square(row))) > 0.05) for row in rest]
        reasons = LeadReasons(("V1", "V2", "V3"))
        look_at_noise(x, quiet, reasons)
        assert (~reasons.usable).tolist() == expected


def wandering(*knots_mv: float, every: int = 500, seconds: list[float] | None = None) -> list[str]:
    """Codes for a lead with such knots of its baseline, and such means over a second."""
    at = 100 + every * np.arange(len(knots_mv))
    slow = np.repeat(np.array(seconds or [0.0] * 10), 125)[None]
    reasons = LeadReasons(("V1",))
    look_at_wander(at, np.array([knots_mv], dtype=np.float32), slow.astype(np.float32), reasons)
    return [code for code, _ in named(reasons)]


def test_wander_is_told_from_half_a_millivolt_and_forbids_the_lead_from_four() -> None:
    """Highest less lowest knot."""
    assert wandering(0.1, -0.3, 0.19) == [] and wandering(0.1, -0.3, 0.21) == ["wander"]
    assert wandering(0.25, -0.25) == []
    assert wandering(2.0, -1.98) == ["wander"] and wandering(2.0, -2.02) == ["wander_large"]
    assert wandering(2.0, -2.0) == ["wander"]
    assert wandering(3.0) == []


def test_wander_counts_within_ten_seconds() -> None:
    """A drift over longer is no swing: of any knots ten seconds apart the most."""
    assert wandering(*np.linspace(0, 0.9, 21)) == [] and wandering(*np.linspace(0, 1.1, 21)) == ["wander"]
    assert wandering(0.0, *([0.3] * 9), 0.6) == ["wander"] and wandering(0.0, *([0.3] * 10), 0.6) == []
    assert wandering(*([0.0] * 30), 4.1, 0, 0) == ["wander_large"] and wandering(4.1, *([0.0] * 30)) == [
        "wander_large"
    ]


def test_wander_is_seen_in_the_means_of_seconds_as_well() -> None:
    """A breath that each knot meets at the same point."""
    assert wandering(0, 0, seconds=[0.1, 0.59, 0.3]) == [] and wandering(0, 0, seconds=[0.1, 0.61, 0.3]) == [
        "wander"
    ]
    assert wandering(0, 0, seconds=[0.0] * 9 + [0.3] + [0.6] * 10) == []
    assert wandering(0, 0, seconds=[0.0] * 11 + [0.6] * 8) == ["wander"]
    assert wandering(0, 0, seconds=[0.0] * 10 + [4.1] + [0.0] * 9) == ["wander_large"]
    short = LeadReasons(("V1",))
    look_at_wander(np.array([10, 60]), np.array([[0.0, 0.6]]), np.ones((1, 124), dtype=np.float32), short)
    assert named(short) == [("wander", "V1")]


def unstable(stack: Singles, median: Singles, window: slice) -> list[bool]:
    """Which leads are, as written out: by the median of the correlations, and of what is left."""
    leads = []
    for row in range(len(median)):
        b = median[row, window][::2].astype(float)
        fits, rests = [], []
        for beat in stack[:, row]:
            a = beat[window][::2].astype(float)
            fits.append(np.corrcoef(a, b)[0, 1])
            rests.append(np.std(a - b))
        leads.append(bool(np.median(fits) < 0.9 and np.median(rests) > 0.05))
    return leads


@pytest.mark.parametrize("count", [2, 3, 4, 7])
def test_beats_that_differ_from_their_median_are_unstable(count: int) -> None:
    """Correlation under 0.9 and more than 50 µV of rest in most of three beats or more."""
    rng, seen = np.random.default_rng(count), []
    for _ in range(60):
        median = (rng.choice([0.05, 0.1, 0.3]) * rng.standard_normal((5, 100))).astype(np.float32)
        stack = median + rng.uniform(0.0, 0.2, (count, 5, 1)) * rng.standard_normal((count, 5, 100))
        stack = (stack + rng.uniform(-1, 1, (count, 5, 1))).astype(np.float32)
        reasons = LeadReasons(STANDARD_12[:5])
        look_at_beats(stack, median, slice(20, 80), reasons)
        assert (~reasons.usable).tolist() == (
            unstable(stack, median, slice(20, 80)) if count > 2 else [False] * 5
        )
        seen += reasons.usable.tolist()
    assert count == 2 or 20 < sum(seen) < 280


def left_over(size_mv: float, wander_mv: float, count: int, levelled: bool = True) -> list[str]:
    """Codes for a lead of so much wander, whose ST lies this much higher and lower in turn from beat to beat."""
    median = np.zeros((2, 100), dtype=np.float32)
    median[:, 20:30] = 1.0
    stack = np.repeat(median[None], count, axis=0)
    # 30 to 55 % of the way from the QRS to the end of T: samples 38 to 53 of 20 to 80.
    stack[:, 0, 38:54] += size_mv * (-1.0) ** np.arange(count)[:, None]
    reasons = LeadReasons(("V1", "V2"))
    reasons.wander_mv, reasons.levelled = np.array([wander_mv, 0.0], dtype=np.float32), levelled
    look_at_beats(stack, median, slice(20, 80), reasons)
    return [code for code, _ in named(reasons)]


def test_wander_forbids_a_lead_by_what_the_spline_leaves_of_it() -> None:
    """A standard error of ST of more than 50 µV, from 1 mV of wander on; fewer than three beats tell nothing."""
    for count in (4, 16):
        edge = 0.05 * count**0.5
        assert left_over(1.02 * edge, 1.1, count) == ["wander_large"]
        assert left_over(0.98 * edge, 1.1, count) == []
        assert left_over(1.02 * edge, 0.9, count) == []
    assert left_over(9.0, 1.1, 2) == []


def test_wander_that_no_spline_took_off_forbids_a_lead() -> None:
    """From half a millivolt on, unless the beats do not resemble each other: then it is the heart that is unsteady."""
    assert left_over(0.0, 0.51, 4, levelled=False) == ["wander_large"]
    assert left_over(0.0, 0.49, 4, levelled=False) == []
    stack = np.random.default_rng(3).standard_normal((5, 2, 100)).astype(np.float32)
    reasons = LeadReasons(("V1", "V2"))
    reasons.wander_mv = np.array([1.0, 1.0], dtype=np.float32)
    look_at_beats(stack, np.median(stack, axis=0), slice(20, 80), reasons)
    assert named(reasons) == [("unstable_beats", "V1"), ("unstable_beats", "V2")]


def test_the_samples_tell_how_far_a_lead_wanders() -> None:
    """Highest less lowest mean over a second, before any beat is known."""
    x = 0.005 * np.random.default_rng(0).standard_normal((12, 5000))
    x[3] += np.linspace(0.0, 2.0, 5000)
    reasons = LeadReasons(STANDARD_12)
    look_at_samples(x.astype(np.float32), 500.0, reasons)
    assert reasons.wander_mv[3] == pytest.approx(1.8, abs=0.01) and reasons.wander_mv[5] < 0.01
    assert not reasons.levelled


def test_of_two_sizes_of_wander_the_larger_is_told() -> None:
    """Once for each lead."""
    reasons = LeadReasons(("V1", "V2"))
    reasons.add("wander", mask(0, 1, count=2))
    reasons.add("wander_large", mask(1, count=2))
    assert named(reasons) == [("wander", "V1"), ("wander_large", "V2")]
    assert reasons.found("wander", "steps").tolist() == [True, True]
    assert reasons.found("steps").tolist() == [False, False]


def copied(*pairs: tuple[int, int, float]) -> list[str | None]:
    """Leads named as copies in a strip of noise where some rows are others, times a factor."""
    x = np.random.default_rng(2).standard_normal((12, 2500)).astype(np.float32)
    for to, of, factor in pairs:
        x[to] = factor * x[of]
    reasons = LeadReasons(STANDARD_12)
    look_at_samples(x, 500.0, reasons)
    quality = judge(reasons, [], True)
    found = [one.lead for one in quality.messages if one.code == "lead_copied"]
    assert quality.acceptable == (not found)
    return found


def test_a_lead_that_shows_another_one_is_a_fault_of_wiring() -> None:
    """As it is or upside down; both are named and the record is to be repeated. Limb leads may be equal."""
    assert copied() == []
    assert copied((7, 6, 1.0)) == ["V1", "V2"] and copied((9, 1, -1.0)) == ["II", "V4"]
    assert copied(*((k, 0, 1.0) for k in range(1, 12))) == list(STANDARD_12)
    assert copied((1, 0, 1.0)) == [] and copied((3, 0, -1.0)) == []
    assert copied((7, 6, 0.5)) == [] and copied((7, 6, 0.98)) == []


def test_where_no_lead_was_recorded_nothing_is_said_of_a_heartbeat() -> None:
    """Nobody looked for one."""
    for code in ("lead_missing", "lead_broken", "lead_copied"):
        reasons = LeadReasons(("I", "II"))
        reasons.add(code, mask(0, 1, count=2))
        assert "no_qrs" not in [one.code for one in judge(reasons, ["no_qrs"], True).messages]
        one_left = LeadReasons(("I", "II"))
        one_left.add(code, mask(0, count=2))
        assert "no_qrs" in [one.code for one in judge(one_left, ["no_qrs"], True).messages]
    off = LeadReasons(("I", "II"))
    off.add("lead_flat", mask(0, 1, count=2))
    assert "no_qrs" in [one.code for one in judge(off, ["no_qrs"], True).messages]


def test_what_is_said_of_several_leads_is_said_once() -> None:
    """With all their names, in the order they came."""
    some = [
        message("lead_flat", "V1"),
        message("steps", "V2"),
        message("lead_flat", "V3"),
        message("few_beats"),
    ]
    assert together(some) == [
        (
            "V1, V3: the electrode is off; reconnect it and record again",
            "V1、V3 电极脱落,请重新连接后再做一份",
        ),
        (message("steps", "V2").en, message("steps", "V2").zh),
        (message("few_beats").en, message("few_beats").zh),
    ]
    assert together([]) == [] and len(together([some[0], some[0]])) == 1


def limb(wrong: str | None = None, size_mv: float = 0.0, n: int = 5000) -> Singles:
    """Six limb leads of which one is off by a sine of this RMS, around a level of its own."""
    rng = np.random.default_rng(4)
    one, two = rng.standard_normal((2, n))
    table = {name: row + 0.3 * k for k, (name, row) in enumerate(limb_table(one, two).items())}
    if wrong is not None:
        table[wrong] = table[wrong] + size_mv * np.sqrt(2) * np.sin(2 * np.pi * np.arange(n) / 40)
    return np.array([table[name] for name in LIMB_6], dtype=np.float32)


@pytest.mark.parametrize("wrong", LIMB_6)
def test_a_limb_lead_at_fault_is_named(wrong: str) -> None:
    """The one lead that explains which of the four relations break, from 20 µV on."""
    assert limb_contradiction(limb(), None, LeadReasons(LIMB_6)) is None
    assert limb_contradiction(limb(wrong, 0.3), None, LeadReasons(LIMB_6)) == wrong
    if wrong.startswith("aV"):
        assert limb_contradiction(limb(wrong, 0.0205), None, LeadReasons(LIMB_6)) == wrong
        assert limb_contradiction(limb(wrong, 0.0195), None, LeadReasons(LIMB_6)) is None


def test_where_no_single_lead_explains_it_none_is_named() -> None:
    """Two at fault, or only I, II and III to compare."""
    x = limb("aVR", 0.3)
    x[4] += 0.3 * np.sin(np.arange(5000) / 9)
    assert limb_contradiction(x, None, LeadReasons(LIMB_6)) == ""
    x[0] += 0.3 * np.sin(np.arange(5000) / 5)
    x[5] += 0.3 * np.sin(np.arange(5000) / 7)
    assert limb_contradiction(x, None, LeadReasons(LIMB_6)) == ""
    assert limb_contradiction(limb("II", 0.0205)[:3], None, LeadReasons(LIMB_6[:3])) == ""
    assert limb_contradiction(limb("II", 0.0195)[:3], None, LeadReasons(LIMB_6[:3])) is None
    without = LeadReasons(LIMB_6)
    without.add("hf_noise", mask(5, count=6))
    assert limb_contradiction(limb("aVR", 0.3), None, without) is None
    assert limb_contradiction(limb("III", 0.3), None, without) == ""


def test_without_i_ii_and_iii_nothing_can_be_checked() -> None:
    """Nor where fewer than a second of them was recorded."""
    for row in range(3):
        without = LeadReasons(LIMB_6)
        without.add("hf_noise", mask(row, count=6))
        assert limb_contradiction(limb("aVR", 0.3), None, without) is None
    valid = np.zeros((6, 5000), dtype=bool)
    for recorded, answer in ((496, None), (500, "aVR")):
        valid[:] = False
        valid[:, :recorded] = True
        assert limb_contradiction(limb("aVR", 0.3), valid, LeadReasons(LIMB_6)) == answer
    valid[:] = True
    x = limb()
    x[2, 1000:1400] += 9.0
    valid[4, 1000:1400] = False
    assert limb_contradiction(x, valid, LeadReasons(LIMB_6)) is None
    turned = tuple(reversed(LIMB_6))
    assert limb_contradiction(limb("aVL", 0.3)[::-1], None, LeadReasons(turned)) == "aVL"


def verdict(
    *bad: str, leads: tuple[str, ...] = STANDARD_12, codes: tuple[str, ...] = ()
) -> tuple[bool, list[str]]:
    """Acceptable or not, and the codes beyond those of the leads."""
    reasons = LeadReasons(leads)
    reasons.add("hf_noise", np.array([name in bad for name in leads]))
    quality = judge(reasons, list(codes), True)
    assert quality.bad_leads == tuple(name for name in leads if name in bad) and quality.reversal is None
    return quality.acceptable, [one.code for one in quality.messages if one.code != "hf_noise"]


def test_two_bad_leads_are_borne_and_three_are_not() -> None:
    """Each named; with three the record is to be repeated."""
    assert verdict() == (True, []) and verdict("V1", "V6") == (True, [])
    assert verdict("V1", "V6", "aVR") == (False, ["too_many_bad_leads"])


def test_a_wall_with_one_readable_lead_left_is_blind() -> None:
    """If it had two or more; of a wall with one recorded lead nothing is expected."""
    assert verdict("III", "aVF") == (False, ["territory_unreadable"])
    assert verdict("V7", leads=STANDARD_18) == (True, [])
    assert verdict("V7", "V8", leads=STANDARD_18) == (False, ["territory_unreadable"])
    assert verdict("V1", leads=("V1", "V2", "I")) == (False, ["territory_unreadable"])
    assert verdict("V1", leads=("V1", "I")) == (True, [])
    assert verdict("V1", leads=("V1",)) == (False, [])


@pytest.mark.parametrize("code", ["too_short", "low_rate", "no_qrs", "no_borders", "few_beats", "einthoven"])
def test_what_forbids_a_record(code: str) -> None:
    """Is said, and the record is to be repeated; monitor mode is said alone."""
    assert verdict(codes=(code,)) == (False, [code])
    assert verdict(codes=("monitor_mode", code)) == (False, ["monitor_mode", code])
    assert verdict(codes=("monitor_mode",)) == (True, ["monitor_mode"])
    assert judge(LeadReasons(STANDARD_12), [], False).st_reliable is False


@pytest.mark.parametrize(
    ("dead", "blind"),
    [
        (("V2", "V3"), "V2–V3"), (("V1", "V2"), "V1–V2"), (("V5", "V6"), "V5–V6"), (("V1", "V3"), "V1–V3"),
        (("V4", "V6"), "V4–V6"), (("V2",), None), (("V1", "V4"), None), (("V3", "V6"), None), (("I", "V2"), None),
    ],
)  # fmt: skip
def test_neighbours_without_a_readable_one_are_a_blind_wall(dead: tuple[str, ...], blind: str | None) -> None:
    """An elevation needs two contiguous leads: what lies there could never show, so it is recorded again."""
    reasons = LeadReasons(STANDARD_12)
    reasons.add("lead_flat", np.array([name in dead for name in STANDARD_12]))
    found = judge(reasons, [], True)
    told = [one.zh for one in found.messages if one.code == "territory_unreadable"]
    assert found.acceptable is (blind is None)
    assert len(told) == (blind is not None)
    if blind is not None and blind not in ("V5–V6",):
        assert blind in told[0]
