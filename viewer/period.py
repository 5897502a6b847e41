"""From when until when something is asked for, as a query says it: days of the network's calendar, or instants."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from greenchannel.alerts.order import NATIONAL_ZONE
from greenchannel.alerts.quality.monthly_report import month_start
from greenchannel.clock import EARLIEST, LATEST, can_be
from greenchannel.viewer.instants import BEYOND, BEYOND_ZH, is_day
from greenchannel.viewer.problems import Problem
from greenchannel.viewer.words import SHOWN_ZONE

_LENGTH_OF_DAY: Final = len("2026-05-31")


@dataclass(frozen=True, kw_only=True, slots=True)
class Period:
    """`start` belongs to it, `end` does not."""

    start: datetime
    end: datetime

    def holds(self, at: datetime) -> bool:
        """Does an instant lie in it?"""
        return self.start <= at < self.end

    @property
    def name(self) -> str:
        """For file names: its first and its last day."""
        if self.start == EARLIEST and self.end == LATEST:
            return "all"
        first = "" if self.start == EARLIEST else f"{self.start.astimezone(SHOWN_ZONE):%Y%m%d}"
        last = (self.end - timedelta(microseconds=1)).astimezone(SHOWN_ZONE)
        return f"{first}-" if self.end == LATEST else f"{first}-{last:%Y%m%d}"


def instant(given: str | None, name: str) -> datetime | None:
    """A day as its first instant in the national zone, or an instant with its offset; None where nothing is given.

    Raises `Problem` 422 for anything else.
    """
    if not given:
        return None
    try:
        if len(given) == _LENGTH_OF_DAY:
            found = datetime.combine(date.fromisoformat(given), time(), NATIONAL_ZONE)
        else:
            found = datetime.fromisoformat(
                given.replace(" ", "+")
            )  # a plus that the address turned into a space
    except ValueError:
        found = None
    if found is None or found.utcoffset() is None or not can_be(found):
        raise Problem(
            422,
            f"{name} is neither a day nor an instant",
            code="bad_instant",
            zh=f"{name} 应为日期或带时区的时间",
            expected="2026-03-02 or 2026-03-02T16:05:00+08:00",
            got=given,
        )
    return found


def period(start: str | None, end: str | None) -> Period:
    """The period from ``from`` to ``to``: instants, or days of which the last one belongs to it, as people say
    "from the 1st to the 31st"; what is left out is as far away as can be. Raises `Problem` 422."""
    first = instant(start, "from") or EARLIEST
    last = instant(end, "to") or LATEST
    if end is not None and len(end) == _LENGTH_OF_DAY:
        last = min(last + timedelta(days=1), LATEST)
    if last <= first:
        raise Problem(
            422,
            "a period ends after it begins",
            code="bad_period",
            zh="结束时间应晚于开始时间",
            expected=f"to after {start}",
            got=str(end)[:40],
        )
    return Period(start=first, end=last)


def whole_months(span: Period) -> Period:
    """The period, where it begins and ends with a month; raises `Problem` 422.

    Records for research hold no day and no hour: who could choose a period by the day would learn both, by asking for
    one day alone, or twice with a day between.
    """
    for name, at, open_end in (("from", span.start, EARLIEST), ("to", span.end, LATEST)):
        wall = at.astimezone(SHOWN_ZONE)
        if at != open_end and at != month_start(f"{wall:%Y-%m}"):
            raise Problem(
                422,
                "records for research are told by whole months",
                code="whole_months",
                zh="研究数据只能按整月导出",
                expected=f"{name}: the {'first' if name == 'from' else 'last'} day of a month",
                got=f"{wall - timedelta(microseconds=name == 'to'):%Y-%m-%d %H:%M}",
            )
    return span


def month(text: str) -> Period:
    """A month such as 2026-05 of the network's calendar. Raises `Problem` 422."""
    try:
        if len(text) != len("2026-05"):
            raise ValueError
        first = date.fromisoformat(f"{text}-01")
    except ValueError:
        raise Problem(
            422,
            "month cannot be read",
            code="bad_period",
            zh="月份无法识别",
            expected="a month such as 2026-05",
            got=text[:40],
        ) from None
    if not (is_day(first) and is_day(first.replace(year=max(1, first.year - 1)))):
        expected = f"a month from {EARLIEST.year + 2} to {LATEST.year - 1}"
        raise Problem(
            422, "month lies beyond all that can be", code=BEYOND, zh=BEYOND_ZH, expected=expected, got=text
        )
    following = f"{first + timedelta(days=32):%Y-%m}"
    return Period(start=month_start(text).astimezone(UTC), end=month_start(following).astimezone(UTC))
