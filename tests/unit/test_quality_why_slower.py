"""Why a period was slower: the part of who came, the part of each segment, and what nothing explains."""

from functools import cache

import msgspec
import pytest

from greenchannel.alerts.quality.why_slower import WhySlower, compare_periods, default_settings
from tests.quality_months import Planted, months

SETTINGS = msgspec.structs.replace(default_settings(), draws=60)


@cache
def slower() -> WhySlower:
    """Ninety cases of a time with half an hour more until the clinic was left, against a year."""
    now, before = months(11, cases=90, before=4, planted=Planted("leaving", 30.0))
    return compare_periods(before, now, settings=SETTINGS)


def test_the_slow_segment_is_the_largest_part() -> None:
    """Half of the patients were transferred, so half of their half hour is in the median of all."""
    found = slower().parts[0]

    assert (found.kind, found.name) == ("segment", "leaving")
    assert found.change_min is not None and 8 < found.change_min < 22
    assert found.low_min is not None and found.low_min > 0


def test_parts_and_rest_are_the_change() -> None:
    """What does not add up is shown, not spread over the parts."""
    found = slower()
    assert found.change_min is not None and found.rest_min is not None

    assert sum(part.change_min or 0.0 for part in found.parts) + found.rest_min == pytest.approx(
        found.change_min
    )


def test_more_patients_from_far_away_are_a_matter_of_mix() -> None:
    """The same clinics at the same pace, but no more patients who walk in: no segment is to blame."""
    _, before = months(12, before=8, cases=60)
    half = len(before) // 2
    now = tuple(one for one in before[half:] if one.arrival_mode == 2)
    found = compare_periods(before[:half], now, settings=SETTINGS)
    mix = next(part for part in found.parts if part.name == "mode")
    assert mix.change_min is not None and found.change_min is not None

    assert mix.change_min > 10
    assert found.parts[0] == mix
    assert found.shifts[0].by == "mode"


def test_consent_and_door_in_door_out_stand_beside_the_sum() -> None:
    """They lie within other segments: shown, and not added."""
    assert {part.name for part in slower().beside} >= {"consent", "dido"}


def test_two_empty_periods_have_no_change() -> None:
    """Unknown is None, and not nought."""
    found = compare_periods((), (), settings=SETTINGS)

    assert (found.change_min, found.rest_min, found.median_now_min) == (None, None, None)
    assert all(part.change_min is None for part in found.parts)


def test_the_same_records_give_the_same_answer() -> None:
    """The bootstrap has a seed."""
    now, before = months(13, before=2)

    assert compare_periods(before, now, settings=SETTINGS) == compare_periods(before, now, settings=SETTINGS)
