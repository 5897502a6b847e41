"""The segment that loses the time comes first, and chance does not."""

import statistics
from collections import Counter
from functools import cache

import msgspec
import pytest

from greenchannel.alerts.quality import bottlenecks as core
from greenchannel.alerts.quality.bottlenecks import (
    ALWAYS,
    Ranking,
    believe,
    bottlenecks,
    default_settings,
)
from greenchannel.alerts.quality.segments import segments
from greenchannel.alerts.quality.slow_groups import slow_groups
from tests.quality_months import PLANTABLE, SHAPES, Planted, months, planted_for

SETTINGS = msgspec.structs.replace(default_settings(), draws=200)


@cache
def ranked(seed: int, segment: str | None, shape: str = "shift") -> Ranking:
    planted = None if segment is None else Planted(segment, 10.0, shape)
    return bottlenecks(*months(seed, planted=planted), settings=SETTINGS)


@pytest.mark.parametrize("segment", ["leaving", "consent", "preparing"])
def test_a_planted_delay_of_ten_minutes_is_first(segment: str) -> None:
    """Its excess is about what was planted, and it is likely to be first."""
    found = ranked(3, segment).rows[0]

    assert (found.segment, found.rank) == (segment, 1)
    assert found.excess_min is not None and 5 < found.excess_min < 16
    assert found.probability_first is not None and found.probability_first > 0.5
    assert found.case_ids != ()


def test_consent_is_not_also_blamed_on_the_lab_that_waited_for_it() -> None:
    """What consent holds up is measured without it."""
    rows = {row.segment: row for row in ranked(3, "consent").rows}

    assert rows["door_to_lab"].without_consent
    assert rows["door_to_lab"].excess_min is not None and rows["door_to_lab"].excess_min < 5


def test_consent_and_door_in_door_out_are_always_in_the_list() -> None:
    """Also where no case has either, as where all walked in."""
    assert {row.segment for row in bottlenecks((), ()).rows} >= set(ALWAYS)


def test_nothing_slow_is_said_to_be_nothing() -> None:
    """In a month like those before, most of the belief is that no segment is slower."""
    quiet = [ranked(seed, None).probability_none for seed in range(1, 7)]

    assert sorted(quiet)[2] > 0.5


def test_the_probabilities_of_being_first_and_of_none_are_one_together() -> None:
    """Somebody is first, or nobody is slow."""
    found = ranked(3, "leaving")
    shares = [row.probability_first for row in found.rows if row.probability_first is not None]

    assert sum(shares) + found.probability_none == pytest.approx(1.0)


def test_the_same_records_give_the_same_ranking() -> None:
    """A committee that opens the page again sees the same numbers."""
    assert bottlenecks(*months(4), settings=SETTINGS) == bottlenecks(*months(4), settings=SETTINGS)


def test_few_cases_convince_less_than_many() -> None:
    """The same excess with ten times the variance is believed less."""
    sure, doubtful = believe(10.0, 2.0, SETTINGS), believe(10.0, 40.0, SETTINGS)

    assert sure.slow > 0.9
    assert doubtful.slow < 0.5


def test_the_clinic_that_is_slow_explains_the_segment() -> None:
    """A delay in one clinic alone is found under its name."""
    now, before = months(5, cases=60)
    slow, _ = months(5, cases=60, planted=Planted("leaving", 30.0))
    site = Counter(one.site for one in now if one.arrival_mode == 2).most_common(1)[0][0]
    mixed = tuple(other if one.site == site else one for one, other in zip(now, slow, strict=True))
    found = slow_groups("leaving", mixed, before, by=("site",), settings=SETTINGS)

    assert found[0].group == site
    assert found[0].share is not None and found[0].share > 0.5


@pytest.mark.soak
def test_a_planted_delay_is_first_in_95_of_100_months(capsys: pytest.CaptureFixture[str]) -> None:
    """Thirty STEMI a month; the settings were chosen on other months (1 to 200)."""
    hits: Counter[str] = Counter()
    tries: Counter[str] = Counter()
    for seed in range(1001, 1201):
        planted = planted_for(seed)
        tries[planted.segment] += 1
        hits[planted.segment] += (
            bottlenecks(*months(seed, planted=planted)).rows[0].segment == planted.segment
        )
    each = {name: f"{hits[name]}/{n}" for name, n in tries.items()}
    with capsys.disabled():
        print(f"\nfirst in {hits.total()} of {tries.total()} months: {each}")

    assert hits.total() >= 0.95 * tries.total()


@pytest.mark.soak
def test_what_half_of_the_patients_meet_is_found_and_what_few_meet_mostly(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Every segment alike, however few meet it: six known cases in a month are too few for any method."""
    hits: Counter[str] = Counter()
    tries: Counter[str] = Counter()
    for seed in (*range(1001, 1201), *range(2001, 2201)):
        segment, shape = PLANTABLE[seed % len(PLANTABLE)], SHAPES[seed % len(SHAPES)]
        found = bottlenecks(*months(seed, planted=Planted(segment, 10.0, shape)))
        met = "half" if {2} & {*segments()[segment].modes} else "few"
        tries[met] += 1
        hits[met] += found.rows[0].segment == segment
    with capsys.disabled():
        print(
            f"\nall {hits.total()}/{tries.total()}", {name: f"{hits[name]}/{n}" for name, n in tries.items()}
        )

    assert hits["half"] >= 0.95 * tries["half"]
    assert hits["few"] >= 0.75 * tries["few"]


def test_a_long_period_is_drawn_from_few_and_as_sure_as_from_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """The interval is as narrow as that of all its cases, or a province's year would fill the memory."""
    here, before = months(6, cases=360)
    rows = {}
    for most in (10_000, 60):
        monkeypatch.setattr(core, "MANY", most)
        rows[most] = {row.segment: row for row in bottlenecks(here, before, settings=SETTINGS).rows}
    pairs = [(all_of, rows[60][name]) for name, all_of in rows[10_000].items() if all_of.cases > 100]
    widths = [
        ((few.high_min or 0) - (few.low_min or 0)) / ((whole.high_min or 0) - (whole.low_min or 0))
        for whole, few in pairs
    ]
    assert len(widths) > 5
    assert [few.excess_min for _, few in pairs] == [whole.excess_min for whole, _ in pairs]
    assert 0.8 < statistics.median(widths) < 1.25  # two hundred draws know a width to a tenth
    assert all(0.5 < one < 2.0 for one in widths), widths
