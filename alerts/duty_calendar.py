"""Working day, weekend or holiday: what a day is for the duty roster, and when that cannot be known yet."""

from collections.abc import Mapping
from datetime import date, timedelta
from functools import cache
from typing import Annotated, Final, Literal

import msgspec
from holidays import country_holidays
from holidays.countries.china import ChinaStaticHolidays

from greenchannel.alerts.tables import read_value

Kind = Literal["working", "weekend", "holiday"]
KINDS: Final[tuple[Kind, ...]] = ("working", "weekend", "holiday")
_SATURDAY: Final = 5

Year = Annotated[int, msgspec.Meta(ge=1950, le=2200)]


class YearTable(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one year's notice says: the days off, and the days at a weekend that are worked."""

    year: Year
    source: str  # where it is said
    holidays: tuple[date, ...] = ()
    working: tuple[date, ...] = ()


class OwnDay(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A day that is different at one place, such as the founding day of a hospital."""

    date: date
    kind: Kind
    zh: str = ""
    en: str = ""


class DutyCalendar(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of days. Build it by `chinese_calendar` or `calendar_of`."""

    years: Mapping[int, YearTable]
    own: Mapping[date, OwnDay] = msgspec.field(default_factory=dict)

    def kinds(self, day: date) -> frozenset[Kind]:
        """What a day can be: one kind where it is known, several where its year's notice is not.

        A weekday of an unknown year may turn out a holiday, a Saturday may be worked; neither is taken for settled.
        """
        own = self.own.get(day)
        if own is not None:
            return frozenset({own.kind})
        table = self.years.get(day.year)
        said: Kind | None = None
        if table is not None and day in table.holidays:
            said = "holiday"
        elif table is not None and day in table.working:
            said = "working"
        elif self._next_year_says(day):
            said = "holiday" if day in self.years[day.year + 1].holidays else "working"
        if said is not None:
            return frozenset({said})
        if not self.known(day):
            return frozenset(KINDS if day.weekday() >= _SATURDAY else ("working", "holiday"))
        return frozenset({"weekend" if day.weekday() >= _SATURDAY else "working"})

    def known(self, day: date) -> bool:
        """Is everything there that decides what this day is?"""
        if day in self.own:
            return True
        late = day.month == 12 and day.day >= read_value("duty_calendar", "december_from", int)
        return day.year in self.years and (not late or day.year + 1 in self.years)

    def _next_year_says(self, day: date) -> bool:
        table = self.years.get(day.year + 1)
        return table is not None and (day in table.holidays or day in table.working)


@cache
def chinese_calendar() -> DutyCalendar:
    """The days of the People's Republic of China, for the years of which the library has the notice."""
    first = read_value("duty_calendar", "first_year", int)
    announced = sorted(year for year in ChinaStaticHolidays.special_public_holidays if year >= first)
    return DutyCalendar(years={year: _table(year) for year in announced})


def _table(year: int) -> YearTable:
    found = country_holidays("CN", years=[year], language="zh_CN")
    return YearTable(
        year=year,
        source=f"国务院办公厅关于{year}年部分节假日安排的通知 (holidays.China)",
        holidays=tuple(sorted(day for day in found if day.year == year)),
        working=tuple(sorted(day for day in found.weekend_workdays if day.year == year)),
    )


class _File(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    national: bool = True  # the days of the country hold here too
    year: tuple[YearTable, ...] = ()
    day: tuple[OwnDay, ...] = ()


def calendar_of(toml: bytes) -> DutyCalendar:
    """The calendar of a site's own file: ``[[year]]`` tables beside those of the country, and ``[[day]]`` rows.

    Raises
    ------
    ValueError
        It is no TOML, a key is missing or unknown, a value does not fit, or something is said twice.
    """
    said = msgspec.toml.decode(toml, type=_File)
    years = {one.year: one for one in said.year}
    own = {one.date: one for one in said.day}
    if len(years) < len(said.year) or len(own) < len(said.day):
        raise ValueError("expected every year and every day once, got one of them twice")
    for table in said.year:
        _check(table)
    national = chinese_calendar().years if said.national else {}
    return DutyCalendar(years={**national, **years}, own=own)


def _check(table: YearTable) -> None:
    first, last = date(table.year - 1, 12, 1), date(table.year, 12, 31)
    for day in (*table.holidays, *table.working):
        if not first <= day <= last:
            raise ValueError(f"expected days of {table.year} or of the December before, got {day}")
    twice = set(table.holidays) & set(table.working)
    if twice:
        raise ValueError(f"expected a day as holiday or as working, got {min(twice)} as both")


def days(first: date, last: date) -> list[date]:
    """All days from the first to the last, both included; none where `last` is earlier."""
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]
