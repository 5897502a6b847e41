"""A calendar laid over the roster: what is new, moved, gone, swapped meanwhile."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from greenchannel.alerts.roster_edit import DutyShift, give
from greenchannel.alerts.roster_ical import read_calendar
from greenchannel.alerts.roster_import import Merge, merge
from tests.roster_calendars import GOOGLE, LI, SPAN, calendar, event, ics

NOW = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
DAILY = "RRULE:FREQ=DAILY;COUNT=4"


def laid(data: bytes, roster: list[DutyShift], now: datetime = NOW) -> Merge:
    found = read_calendar(
        data, people={"li": "李医生", "wang": "王医生"}, sites=[], zone=ZoneInfo("Asia/Shanghai"), now=now
    )
    assert found.wrong == (), [str(one) for one in found.wrong]
    return merge(found.series, roster, start=found.start, end=found.end)


def days(shifts: tuple[DutyShift, ...]) -> list[int]:
    return sorted(one.start.day for one in shifts)


def test_the_same_file_again_changes_nothing_today_and_next_month() -> None:
    """Also when the span of repeats has moved on: what is behind it stays."""
    roster = list(laid(ics(GOOGLE), []).added)
    assert len(roster) == 7 and len({one.id for one in roster}) == 7
    for later in (0, 10, 25, 60):
        again = laid(ics(GOOGLE), roster, NOW + timedelta(days=later))
        assert again.empty, later
    assert laid(ics(GOOGLE), roster).unchanged == 7


def test_a_changed_event_moves_its_shift_which_keeps_its_id() -> None:
    """Other hours, another person, or both."""
    roster = list(laid(calendar(event(*SPAN, LI)), []).added)
    found = laid(
        calendar(event("DTSTART:20260303T000000Z", "DTEND:20260303T060000Z", "SUMMARY:first: 王医生")), roster
    )
    ((was, now),) = found.changed
    assert (was, now.id) == (roster[0], roster[0].id)
    assert (now.person, now.start, now.end - now.start) == (
        "wang",
        datetime(2026, 3, 3, tzinfo=UTC),
        timedelta(hours=6),
    )
    assert not found.added and not found.removed


def test_a_cancelled_event_goes_and_a_cancelled_repeat_alone() -> None:
    """And cancelling what never was changes nothing."""
    roster = list(laid(calendar(event(*SPAN, LI, DAILY)), []).added)
    assert days(tuple(roster)) == [2, 3, 4, 5]
    off = event("DTSTART:20260304T000000Z", "STATUS:CANCELLED", "RECURRENCE-ID:20260304T000000Z", LI)
    assert days(laid(calendar(off), roster).removed) == [4]
    assert days(laid(calendar(event(*SPAN, LI, DAILY), off), roster).removed) == [4]
    assert days(laid(calendar(event(*SPAN, LI, "STATUS:CANCELLED")), roster).removed) == [2, 3, 4, 5]
    assert laid(calendar(event(*SPAN, LI, "STATUS:CANCELLED", uid="never@x")), roster).empty


def test_a_rule_that_became_shorter_or_stopped_repeating_takes_its_shifts_along() -> None:
    """What a whole event does not name any more is gone; what the file does not speak of stays."""
    roster = list(laid(calendar(event(*SPAN, LI, DAILY), event(*SPAN, LI, uid="other@x")), []).added)
    shorter = laid(calendar(event(*SPAN, LI, "RRULE:FREQ=DAILY;COUNT=2")), roster)
    assert days(shorter.removed) == [4, 5] and shorter.unchanged == 2
    left_out = laid(calendar(event(*SPAN, LI, DAILY, "EXDATE:20260303T000000Z")), roster)
    assert days(left_out.removed) == [3]
    single = laid(calendar(event(*SPAN, LI)), roster)
    assert days(single.removed) == [2, 3, 4, 5] and days(single.added) == [2]
    repeats = laid(calendar(event(*SPAN, LI, DAILY)), list(laid(calendar(event(*SPAN, LI)), []).added))
    assert days(repeats.removed) == [2] and days(repeats.added) == [2, 3, 4, 5]


def test_a_swap_survives_the_same_file_and_yields_to_a_changed_one() -> None:
    """The row as it was is kept for this; what is undone is said."""
    (shift,) = laid(calendar(event(*SPAN, LI)), []).added
    done = give(shift, "wang", start=None, end=None, now=NOW, new_id=iter(["p1", "p2"]).__next__)
    roster = [done.replaced, *done.in_force]
    assert laid(calendar(event(*SPAN, LI)), roster).empty
    moved = laid(calendar(event(SPAN[0], "DTEND:20260302T130000Z", LI)), roster)
    ((was, now),) = moved.changed
    assert was.replaced_by == "p1" and now.replaced_by is None and now.person == "li"
    assert [one.code for one in moved.cautions] == ["swap_undone"]
