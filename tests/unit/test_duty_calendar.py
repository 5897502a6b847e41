"""Working days, weekends and holidays, and what cannot be known yet."""

from datetime import date, timedelta

import pytest

from greenchannel.alerts.duty_calendar import calendar_of, chinese_calendar

CALENDAR = chinese_calendar()
LAST = max(CALENDAR.years)


def test_days_off_and_the_weekends_that_are_worked_for_them() -> None:
    """Notice for 2026: 4 January, 14 and 28 February, 9 May, 20 September and 10 October are worked."""
    working = [date(2026, 1, 4), date(2026, 2, 14), date(2026, 2, 28), date(2026, 5, 9), date(2026, 9, 20)]
    for day in (*working, date(2026, 10, 10)):
        assert day.weekday() >= 5 and CALENDAR.kinds(day) == {"working"}, day
    for day in (date(2026, 1, 1), date(2026, 2, 16), date(2026, 2, 23), date(2026, 10, 7)):
        assert CALENDAR.kinds(day) == {"holiday"}, day
    assert CALENDAR.kinds(date(2026, 3, 2)) == {"working"}
    assert CALENDAR.kinds(date(2026, 3, 7)) == {"weekend"}


def test_a_year_without_its_notice_is_unknown_and_never_without_holidays() -> None:
    """A weekday may turn out a holiday, a Saturday may be worked; even 1 January is not settled."""
    year = LAST + 1
    for number in range(365):
        day = date(year, 1, 1) + timedelta(days=number)
        assert not CALENDAR.known(day)
        assert {"working", "holiday"} <= CALENDAR.kinds(day), day
    assert date(2007, 10, 1).year not in CALENDAR.years


def test_the_end_of_december_waits_for_the_notice_of_the_year_to_come() -> None:
    """New Year's days off may begin in December. The claim of the table is held against every notice there is."""
    assert CALENDAR.known(date(LAST, 12, 24)) and not CALENDAR.known(date(LAST, 12, 25))
    assert CALENDAR.known(date(LAST - 1, 12, 31))
    december = [
        day
        for table in CALENDAR.years.values()
        for day in (*table.holidays, *table.working)
        if day.month == 12
    ]
    assert december and min(day.day for day in december) >= 25


def test_a_site_adds_a_year_and_days_of_its_own() -> None:
    """The notice of a year the library does not have yet, and the hospital's own day."""
    year = LAST + 1
    calendar = calendar_of(
        f"""
        [[year]]
        year = {year}
        source = "国办发明电"
        holidays = [{LAST}-12-31, {year}-01-01]
        working = [{LAST}-12-26]
        [[day]]
        date = {LAST}-06-06
        kind = "holiday"
        zh = "建院纪念日"
        """.encode()
    )

    assert calendar.kinds(date(year, 1, 1)) == {"holiday"}
    assert calendar.kinds(date(LAST, 12, 31)) == {"holiday"}
    assert calendar.kinds(date(LAST, 12, 26)) == {"working"}
    assert calendar.kinds(date(year, 3, 3)) <= {"working", "weekend"}
    assert calendar.kinds(date(LAST, 6, 6)) == {"holiday"}
    assert not calendar.known(date(year, 12, 30))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[day]]\ndate = 2026-06-06\nkind = 'party'", "party"),
        ("[[year]]\nyear = 2027\nsource = 'x'\nholidays = [2029-01-01]", "days of 2027"),
        ("[[year]]\nyear = 2027\nsource = 'x'\nholidays = [2027-01-01]\nworking = [2027-01-01]", "as both"),
        ("[[day]]\ndate = 2026-06-06\nkind = 'holiday'\n" * 2, "twice"),
        ("holiday = 1", "holiday"),
        ("[[", "Invalid"),
    ],
)
def test_a_file_that_does_not_fit_is_refused_in_words(text: str, said: str) -> None:
    """Nothing is taken of it."""
    with pytest.raises(ValueError, match=said):
        calendar_of(text.encode())
