"""Gaps of the roster: at every instant either somebody is on duty or a gap says that nobody is."""

from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from greenchannel.alerts.coverage import Gap, gaps
from greenchannel.alerts.roster import Shift, on_duty

T0 = datetime(2026, 3, 2, tzinfo=UTC)
ROLES = ("first", "second", "head")
HOURS = st.integers(-30, 60)


def at(hours: float, zone: timezone = UTC) -> datetime:
    return (T0 + timedelta(hours=hours)).astimezone(zone)


@st.composite
def rosters(draw: st.DrawFn) -> list[Shift]:
    """Shifts of any length, overlapping, in any order, in the zones of whoever entered them."""
    shifts = []
    for number in range(draw(st.integers(0, 12))):
        start, zone = draw(HOURS), timezone(timedelta(hours=draw(st.sampled_from([0, 8, -3]))))
        end = at(start + draw(st.integers(1, 30)), zone)
        shifts.append(
            Shift(person=f"p{number}", role=draw(st.sampled_from(ROLES)), start=at(start, zone), end=end)
        )
    return shifts


@given(rosters(), st.integers(0, 24), st.integers(0, 30))
def test_at_every_instant_somebody_is_there_or_a_gap_says_that_nobody_is(
    shifts: list[Shift], begin: int, hours: int
) -> None:
    """Both never, neither never; the gaps of a role lie apart and within the span, in order."""
    start, end = at(begin), at(begin + hours)
    found = gaps(shifts, ROLES, start, end)

    assert found == sorted(found, key=lambda gap: (gap.start, ROLES.index(gap.role)))
    for role in ROLES:
        own = [gap for gap in found if gap.role == role]
        assert all(start <= gap.start < gap.end <= end for gap in own)
        assert all(before.end < after.start for before, after in pairwise(own))
        for half in range(2 * hours):
            instant = at(begin + half / 2)
            nobody = on_duty(shifts, instant, role) is None
            assert nobody == any(gap.start <= instant < gap.end for gap in own)


def test_a_short_shift_within_a_long_one_ends_nothing() -> None:
    """Somebody helps for two hours; who is on duty all day stays on duty."""
    shifts = [
        Shift(person="all day", role="first", start=at(0), end=at(24)),
        Shift(person="helps", role="first", start=at(2), end=at(4)),
    ]
    assert gaps(shifts, ("first",), at(0), at(30)) == [Gap(role="first", start=at(24), end=at(30))]


def test_a_roster_without_anybody_is_one_gap_for_each_role() -> None:
    assert gaps([], ("first",), at(0), at(24)) == [Gap(role="first", start=at(0), end=at(24))]


def test_a_span_that_ends_before_it_begins_is_refused() -> None:
    with pytest.raises(ValueError, match="ends after it begins"):
        gaps([], ROLES, at(1), at(0))
