"""Repeating events of a calendar: the wall times at which they begin, within bounds that no rule gets around."""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, tzinfo
from typing import Any, Final

import msgspec
from dateutil import rrule  # type: ignore[import-untyped]

from greenchannel.alerts.roster_words import Unreadable
from greenchannel.alerts.tables import read_value
from greenchannel.alerts.wall_clock import instant

_FREQUENCIES: Final = {
    "DAILY": rrule.DAILY,
    "WEEKLY": rrule.WEEKLY,
    "MONTHLY": rrule.MONTHLY,
    "YEARLY": rrule.YEARLY,
}
_PARTS: Final = {
    "FREQ", "INTERVAL", "COUNT", "UNTIL", "WKST", "BYDAY", "BYMONTH", "BYMONTHDAY", "BYSETPOS",
}  # fmt: skip
_NOT_WITH: Final = {"DAILY": {"BYSETPOS"}, "WEEKLY": {"BYSETPOS", "BYMONTHDAY"}}
_DAYS: Final = {
    "MO": rrule.MO,
    "TU": rrule.TU,
    "WE": rrule.WE,
    "TH": rrule.TH,
    "FR": rrule.FR,
    "SA": rrule.SA,
    "SU": rrule.SU,
}


class Budget:
    """What all rules of one file may cost together."""

    def __init__(self, meter_s: Callable[[], float]) -> None:
        """`meter_s` counts seconds up from any beginning."""
        self._meter_s = meter_s
        self._until_s = meter_s() + read_value("roster_ical", "patience_s", float)
        self._shifts = read_value("roster_ical", "most_shifts", int)
        self.steps = read_value("roster_ical", "most_steps", int)

    def take(self) -> None:
        """One more shift; raises `Unreadable` where these are too many."""
        self._shifts -= 1
        if self._shifts < 0:
            most = read_value("roster_ical", "most_shifts", int)
            raise Unreadable(
                f"重复日程过多，最多 {most} 个班次",
                f"expected at most {most} shifts with all repeats, got more",
                final=True,
            )

    def look(self) -> None:
        """Raises `Unreadable` where the rules have taken too long."""
        if self._meter_s() > self._until_s:
            raise Unreadable(
                "重复规则过于复杂",
                "expected rules that are worked out within seconds, got longer ones",
                final=True,
            )


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """A RRULE as it is read: dateutil's part of it, and what is held against each day here."""

    frequency: str
    interval: int
    count: int | None
    until: datetime | date | None  # aware, or as the event's own wall time, or a day
    expands: dict[str, Any]
    months: frozenset[int]
    month_days: frozenset[int]
    week_days: frozenset[int]

    @classmethod
    def of(cls, parts: dict[str, list[Any]]) -> "Rule":
        """The rule of a RRULE's parts, in upper case; raises `Unreadable` for what is not understood.

        Rules that repeat within a day are refused at once: no duty changes every second, and nothing in a calendar
        costs more to work out.
        """
        frequency = str(_only(parts, "FREQ", "")).upper()
        if frequency not in _FREQUENCIES:
            raise Unreadable(
                f"重复频率须为 {'、'.join(_FREQUENCIES)}，实为 {frequency or '空'}",
                f"expected FREQ among {', '.join(_FREQUENCIES)}, got {frequency or 'nothing'}",
            )
        strange = sorted(set(parts) - _PARTS | set(parts) & _NOT_WITH.get(frequency, set()))
        if strange:
            raise Unreadable(
                f"不支持的重复规则：{frequency} 与 {'、'.join(strange)}",
                f"expected a rule that can be read, got {frequency} with {', '.join(strange)}",
            )
        interval = int(_only(parts, "INTERVAL", 1))
        count = None if "COUNT" not in parts else int(_only(parts, "COUNT", 0))
        if interval < 1 or (count is not None and count < 1):
            raise Unreadable(
                "重复间隔与次数须至少为 1", "expected INTERVAL and COUNT of at least 1, got less"
            )
        months = frozenset(_number(parts, "BYMONTH", 1, 12))
        month_days = frozenset(_number(parts, "BYMONTHDAY", -31, 31))
        # The numbers of a month's weekdays go to five, those of a year's to 53.
        most = 53 if frequency == "YEARLY" and not months else 5
        week_days = [_weekday(str(one), most) for one in parts.get("BYDAY", ())]
        if frequency in ("DAILY", "WEEKLY") and any(one.n for one in week_days):
            raise Unreadable(
                "BYDAY 序号仅适用于按月或按年重复", "expected BYDAY without numbers in this rule"
            )
        expands: dict[str, Any] = {"wkst": _weekday(str(_only(parts, "WKST", "MO")), 0)}
        if frequency != "DAILY":
            expands |= {"byweekday": week_days or None, "bymonthday": sorted(month_days) or None}
            expands["bysetpos"] = _number(parts, "BYSETPOS", -366, 366) or None
        if frequency == "YEARLY":
            expands["bymonth"] = sorted(months) or None
        return cls(
            frequency=frequency,
            interval=interval,
            count=count,
            until=_only(parts, "UNTIL", None),
            expands=expands,
            months=frozenset() if frequency == "YEARLY" else months,
            month_days=month_days if frequency == "DAILY" else frozenset(),
            week_days=frozenset(one.weekday for one in week_days) if frequency == "DAILY" else frozenset(),
        )

    def fits(self, wall: datetime) -> bool:
        """Does a day pass what only narrows the rule?"""
        if self.months and wall.month not in self.months:
            return False
        if self.week_days and wall.weekday() not in self.week_days:
            return False
        return not self.month_days or bool({wall.day, wall.day - _length(wall) - 1} & self.month_days)

    def ends_before(self, wall: datetime, zone: tzinfo) -> bool:
        """Does the rule end before this beginning?"""
        until = self.until
        if until is None:
            return False
        if not isinstance(until, datetime):
            return wall.date() > until
        return wall > until if until.tzinfo is None else instant(wall, zone) > until


def beginnings(
    parts: dict[str, list[Any]], first: datetime, zone: tzinfo, last: datetime, budget: Budget
) -> Iterator[datetime]:
    """The wall times at which the event begins, `first` of all, up to the instant `last`.

    Raises
    ------
    Unreadable
        The rule cannot be read, or costs too much.
    """
    try:
        rule = Rule.of(parts)
        walls = iter(
            rrule.rrule(_FREQUENCIES[rule.frequency], dtstart=first, interval=rule.interval, **rule.expands)
        )
    except (ValueError, TypeError, OverflowError) as error:
        raise Unreadable(
            f"重复规则有误：{error}", f"expected a rule that can be read, got: {error}"
        ) from error
    left = rule.count
    end = last.astimezone(UTC)
    for step, wall in enumerate(_from(first, walls)):
        if step >= budget.steps:
            raise Unreadable(
                f"重复规则步数过多，最多 {budget.steps}",
                f"expected at most {budget.steps} repeats of a rule, got more",
            )
        budget.look()
        if wall != first and not rule.fits(wall):
            if instant(wall, zone) > end:
                return
            continue
        if rule.ends_before(wall, zone) or instant(wall, zone) > end or left == 0:
            return
        yield wall
        left = None if left is None else left - 1


def _from(first: datetime, walls: Iterator[datetime]) -> Iterator[datetime]:
    """The event's own beginning is its first, whether its rule falls on it or not."""
    yield first
    try:
        yield from (wall for wall in walls if wall > first)
    except (ValueError, IndexError, OverflowError) as error:  # of parts that do not go together
        raise Unreadable(
            f"重复规则有误：{error}", f"expected a rule that can be read, got: {error}"
        ) from error


def _only(parts: dict[str, list[Any]], name: str, default: Any) -> Any:
    values = parts.get(name)
    if values is None:
        return default
    if len(values) != 1:
        raise Unreadable(f"重复规则 {name} 须只有一个值", f"expected one {name} in a rule, got {len(values)}")
    return values[0]


def _number(parts: dict[str, list[Any]], name: str, least: int, most: int) -> list[int]:
    """The numbers of one part of a rule, never 0."""
    numbers = [int(one) for one in parts.get(name, ())]
    for one in numbers:
        if not least <= one <= most or one == 0:
            raise Unreadable(
                f"重复规则 {name} 超出范围：{one}",
                f"expected {name} from {least} to {most} and not 0, got {one}",
            )
    return numbers


def _weekday(text: str, most: int) -> Any:
    """A day such as MO, or with a number from -most to most such as -1FR."""
    name, number = text[-2:].upper(), text[:-2]
    if name not in _DAYS or (number and not 1 <= abs(int(number)) <= most):
        raise Unreadable(f"无法识别的星期：{text}", f"expected a day such as MO or -1FR, got {text}")
    return _DAYS[name](int(number)) if number else _DAYS[name]


def _length(wall: datetime) -> int:
    """Days of the month."""
    following = wall.replace(day=28).toordinal() + 4
    return date.fromordinal(following - date.fromordinal(following).day).day
