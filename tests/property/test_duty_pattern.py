"""Patterns as shifts: they cover exactly what they say, on days of 23 and of 25 hours too."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from greenchannel.alerts.duty_calendar import KINDS, DutyCalendar, Kind, chinese_calendar
from greenchannel.alerts.duty_pattern import Pattern, expand, patterns_of
from greenchannel.alerts.wall_clock import instant

BERLIN, SHANGHAI = "Europe/Berlin", "Asia/Shanghai"
ZONES = st.sampled_from([BERLIN, SHANGHAI, "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca"])
HOURS = st.lists(st.integers(0, 24 * 4 - 1), min_size=1, max_size=6, unique=True)
FIRST_DAYS = st.dates(date(2025, 1, 1), date(2026, 11, 20))  # later days wait for the notice of 2027


def clock(quarter: int) -> str:
    return f"{quarter // 4:02}:{quarter % 4 * 15:02}"


@given(HOURS, ZONES, FIRST_DAYS, st.integers(1, 40), st.integers(1, 3))
def test_shifts_that_share_a_day_cover_it_without_gap_or_overlap(
    quarters: list[int], zone: str, first: date, number: int, people: int
) -> None:
    """Cut a day at any wall times: every expansion is one unbroken chain from the first beginning to the last end."""
    cuts = sorted(quarters)
    patterns = [
        Pattern(
            name=f"p{number}",
            role="first",
            people=tuple(f"d{n}" for n in range(people)),
            begins=clock(begins),
            ends=clock(ends),
            zone=zone,
        )
        for number, (begins, ends) in enumerate(zip(cuts, [*cuts[1:], cuts[0]], strict=True))
    ]
    last = first + timedelta(days=number - 1)

    found = expand(patterns, chinese_calendar(), first, last)

    assert found.undecided == ()
    assert all(one.end == other.start for one, other in pairwise(found.shifts))
    begins = datetime.combine(first, time(cuts[0] // 4, cuts[0] % 4 * 15))
    assert found.shifts[0].start == instant(begins, ZoneInfo(zone))
    assert found.shifts[-1].end == instant(begins + timedelta(days=number), ZoneInfo(zone))
    assert len({one.id for one in found.shifts}) == len(found.shifts)


@given(ZONES, FIRST_DAYS, st.lists(st.sampled_from(KINDS), min_size=1, max_size=3, unique=True))
def test_every_day_belongs_to_exactly_one_variant(zone: str, first: date, kinds: list[Kind]) -> None:
    """A pattern for some kinds of days and one for the others are together the pattern for all."""
    rest = tuple(kind for kind in KINDS if kind not in kinds)
    last = first + timedelta(days=30)

    def starts(name: str, days: tuple[Kind, ...]) -> list[datetime]:
        pattern = Pattern(
            name=name, role="first", people=("a",), begins="08:00", ends="08:00", zone=zone, days=days
        )
        return [one.start for one in expand([pattern], chinese_calendar(), first, last).shifts]

    chosen = starts("some", tuple(kinds))
    others = starts("rest", rest) if rest else []
    assert sorted(chosen + others) == starts("all", KINDS)


@given(
    st.datetimes(datetime(2025, 1, 1), datetime(2027, 1, 1)),  # noqa: DTZ001 - wall times
    st.timedeltas(timedelta(0), timedelta(hours=4)),
    ZONES,
)
def test_a_later_wall_time_is_never_an_earlier_instant(wall: datetime, more: timedelta, zone: str) -> None:
    """Also where clocks jump; and an instant that clocks do show is given back as it was."""
    there = ZoneInfo(zone)
    found = instant(wall, there)
    assert instant(wall + more, there) >= found
    shown = found.astimezone(there).replace(tzinfo=None)
    assert shown == wall or not _shown(wall, there)


def _shown(wall: datetime, there: ZoneInfo) -> bool:
    return wall.replace(tzinfo=there).astimezone(UTC).astimezone(there).replace(tzinfo=None) == wall


def test_the_days_of_23_and_of_25_hours() -> None:
    """Berlin 2026: the night of 28 March has 11 hours, that of 24 October 13; the day after begins when it ends."""
    night = Pattern(name="n", role="first", people=("a",), begins="20:00", ends="08:00", zone=BERLIN)
    for day, hours in ((date(2026, 3, 28), 11), (date(2026, 10, 24), 13), (date(2026, 10, 25), 12)):
        (shift,) = expand([night], chinese_calendar(), day, day).shifts
        assert shift.end - shift.start == timedelta(hours=hours)
        assert shift.end.astimezone(ZoneInfo(BERLIN)).hour == 8
    early = Pattern(name="e", role="first", people=("a",), begins="02:00", ends="02:30", zone=BERLIN)
    assert expand([early], chinese_calendar(), date(2026, 3, 29), date(2026, 3, 29)).shifts == ()


def test_a_pattern_of_a_site_goes_by_the_clocks_there() -> None:
    """Unless it names a zone; one of the network by those of the network."""
    one = Pattern(name="p", role="first", people=("a",), begins="08:00", ends="20:00")
    hours = []
    for pattern in (
        one,
        replace(one, site="east"),
        replace(one, site="east", zone=SHANGHAI),
        replace(one, site="x"),
    ):
        found = expand([pattern], chinese_calendar(), date(2026, 3, 2), date(2026, 3, 2), {"east": BERLIN})
        hours.append(found.shifts[0].start.hour)
    assert hours == [0, 7, 0, 0]


def test_a_worked_saturday_has_the_shift_of_a_working_day() -> None:
    """调休: 14 February 2026 is a Saturday that is worked, 16 February a Monday that is not."""
    day = Pattern(name="d", role="first", people=("a",), begins="08:00", ends="17:00", days=("working",))
    found = expand([day], chinese_calendar(), date(2026, 2, 13), date(2026, 2, 18))
    assert [one.id for one in found.shifts] == ["pattern-d-20260213", "pattern-d-20260214"]


def test_an_unknown_year_gives_no_shift_that_depends_on_it_and_says_so() -> None:
    """A pattern for every kind of day is certain; one for working days alone is named, day by day."""
    year = max(chinese_calendar().years) + 1
    always = Pattern(name="all", role="first", people=("a",), begins="20:00", ends="08:00")
    some = Pattern(name="some", role="second", people=("b",), begins="08:00", ends="17:00", days=("working",))
    found = expand([always, some], chinese_calendar(), date(year, 5, 3), date(year, 5, 9))

    assert [one.role for one in found.shifts] == ["first"] * 7
    assert [one.pattern for one in found.undecided] == ["some"] * 7
    assert all({"working", "holiday"} <= set(one.kinds) for one in found.undecided)
    nothing = DutyCalendar(years={})
    assert expand([some], nothing, date(2026, 3, 2), date(2026, 3, 2)).undecided


def test_people_take_turns_by_the_day_and_by_the_week() -> None:
    """Counted from the anchor, also backwards, whatever span is asked for."""
    daily = Pattern(name="d", role="first", people=("a", "b", "c"), begins="08:00", ends="08:00")
    weekly = Pattern(name="w", role="first", people=("a", "b"), begins="08:00", ends="08:00", turn="week")
    assert [daily.person(daily.anchor + timedelta(days=n)) for n in range(-1, 4)] == ["c", "a", "b", "c", "a"]
    assert [weekly.person(weekly.anchor + timedelta(days=n)) for n in (-1, 0, 6, 7, 14)] == list("baaba")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("begins = '25:00'", "such as 08:00"),
        ("zone = 'Mars/Olympus'", "time zone"),
        ("days = []", "days among"),
        ("people = []", "people"),
        ("turn = 'year'", "turn"),
        ("nonsense = 1", "nonsense"),
    ],
)
def test_a_pattern_that_cannot_be_is_refused_in_words(line: str, said: str) -> None:
    """Each line replaces a good one."""
    good = {"name": "'x'", "role": "'first'", "people": "['a']", "begins": "'08:00'", "ends": "'20:00'"}
    key, _, value = line.partition(" = ")
    text = "[[pattern]]\n" + "\n".join(f"{name} = {value}" for name, value in (good | {key: value}).items())
    with pytest.raises(ValueError, match=said):
        patterns_of(text.encode())


def test_a_span_of_years_is_refused() -> None:
    """Nobody plans that far, and a typing error in a year must not fill the table."""
    with pytest.raises(ValueError, match="at most 400 days"):
        expand([], chinese_calendar(), date(2026, 1, 1), date(2036, 1, 1))
