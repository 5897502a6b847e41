"""From when until when something is asked for, as a query says it: days of the network's calendar, or instants."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from greenchannel.clock import EARLIEST, LATEST, can_be
from greenchannel.viewer.instants import BEYOND, BEYOND_ZH, is_day
from greenchannel.viewer.problems import Problem
from greenchannel.viewer.words import SHOWN_ZONE

_LENGTH_OF_DAY: Final = len("2026-05-04")
_LENGTH_OF_MONTH: Final = len("2026-05")


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
        last = (self.end - timedelta(microseconds=1)).astimezone(SHOWN_ZONE)
        return f"{self.start.astimezone(SHOWN_ZONE):%Y%m%d}-{last:%Y%m%d}"


def period(start: str | None, end: str | None) -> Period:
    """The period of ``from`` and ``to``: days such as 2026-05-04 (the last one belongs to it) or instants with an
    offset; one that is left out is as far away as can be. Raises `Problem` 422."""
    first = EARLIEST if start is None else _instant(start, "from")
    last = LATEST if end is None else _instant(end, "to", next_day=True)
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


def month(text: str) -> Period:
    """A month such as 2026-05 of the network's calendar. Raises `Problem` 422."""
    try:
        if len(text) != _LENGTH_OF_MONTH:
            raise ValueError
        first = date.fromisoformat(f"{text}-01")
    except ValueError:
        raise _unreadable("month", "a month such as 2026-05", text) from None
    if not is_day(first):
        raise _beyond("month", text)
    following = (first + timedelta(days=32)).replace(day=1)
    return Period(start=_midnight(first), end=_midnight(following))


def _instant(text: str, name: str, *, next_day: bool = False) -> datetime:
    expected = "a day such as 2026-05-04 or an instant such as 2026-05-04T08:00:00+08:00"
    try:
        if len(text) == _LENGTH_OF_DAY:
            day = date.fromisoformat(text)
            if not is_day(day):
                raise _beyond(name, text)
            return _midnight(day + timedelta(days=next_day))
        at = datetime.fromisoformat(
            text.replace(" ", "+")
        )  # a plus of a query that was not escaped is a blank
    except (ValueError, OverflowError):
        raise _unreadable(name, expected, text) from None
    if at.tzinfo is None:
        raise _unreadable(name, f"{expected}, with its offset", text)
    if not can_be(at):
        raise _beyond(name, text)
    return at.astimezone(UTC)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), SHOWN_ZONE).astimezone(UTC)


def _unreadable(name: str, expected: str, got: str) -> Problem:
    return Problem(
        422,
        f"{name} cannot be read",
        code="bad_period",
        zh=f"参数 {name} 无法识别",
        expected=expected,
        got=got[:40],
    )


def _beyond(name: str, got: str) -> Problem:
    expected = f"{name} from {EARLIEST:%Y} to {LATEST:%Y}"
    return Problem(
        422, f"{name} lies beyond all that can be", code=BEYOND, zh=BEYOND_ZH, expected=expected, got=got
    )
