"""A calendar file as shifts: bytes in, planned shifts or a list of what is wrong out.

Reads what Google, Outlook and Apple write: time zones of their own, floating times, days without a time, repeating
events with exceptions and moved repeats. A repeat begins and ends at the same wall times as the first one, so that a
night's duty ends at eight also when clocks were changed in between.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, datetime, timedelta, tzinfo
from typing import Any, Final
from zoneinfo import ZoneInfo

import icalendar
import msgspec

from greenchannel.alerts.roster_edit import Caution
from greenchannel.alerts.roster_ical_fields import (
    attendees,
    by_sequence,
    cancelled,
    categories,
    label,
    newest_of,
    text,
    value,
)
from greenchannel.alerts.roster_ical_repeat import Budget, beginnings
from greenchannel.alerts.roster_words import People, Unreadable, Wrong, role_of, split_title
from greenchannel.alerts.tables import read_value
from greenchannel.alerts.wall_clock import instant
from greenchannel.clock import check_aware

_DAY: Final = timedelta(days=1)
_LONGEST_UID: Final = 255


class Planned(msgspec.Struct, frozen=True, kw_only=True):
    """One shift that a calendar asks for."""

    uid: str
    occurrence: (
        datetime | None
    )  # which repeat, by its first planned beginning; None: the event does not repeat
    role: str
    person: str
    start: datetime
    end: datetime
    site: str | None


class Series(msgspec.Struct, frozen=True, kw_only=True):
    """What a calendar says of one UID."""

    uid: str
    planned: tuple[Planned, ...]
    whole: bool  # the event itself is there, not only single repeats of it: what it does not name is gone
    cancelled: bool = False  # all of it
    dropped: tuple[datetime, ...] = ()  # single repeats that were cancelled


class Read(msgspec.Struct, frozen=True, kw_only=True):
    """A whole calendar. With anything in `wrong` nothing of it may be taken."""

    series: tuple[Series, ...]
    wrong: tuple[Wrong, ...]
    notes: tuple[Caution, ...]
    start: datetime  # of the span in which repeats were worked out
    end: datetime


class _Moment(msgspec.Struct, frozen=True, kw_only=True):
    wall: datetime  # as clocks in `zone` show it
    zone: tzinfo
    day_only: bool = False

    @property
    def instant(self) -> datetime:
        return instant(self.wall, self.zone)


def read_calendar(
    data: bytes,
    *,
    people: Mapping[str, str],
    sites: Iterable[str],
    zone: ZoneInfo,
    now: datetime,
    site: str | None = None,
    meter_s: Callable[[], float] = time.perf_counter,
) -> Read:
    """Read a calendar file.

    Parameters
    ----------
    people
        Names by user id.
    sites
        Ids of the sites in use.
    zone
        Of times without one, and of days.
    site
        Whose roster it is, for events that do not say so themselves; None: the network's.
    meter_s
        Counts seconds, for the bound on what rules may cost.
    """
    return _Reading(people, frozenset(sites), zone, check_aware(now), site, Budget(meter_s)).read(data)


class _Reading:
    """The state of one reading: what was found wrong so far, and what is left to spend."""

    def __init__(
        self,
        people: Mapping[str, str],
        sites: frozenset[str],
        zone: ZoneInfo,
        now: datetime,
        site: str | None,
        budget: Budget,
    ) -> None:
        self._people = People(people)
        self._sites = sites
        self._zone: tzinfo = zone
        self._site = site
        self._budget = budget
        self._start = now - _DAY * read_value("roster_ical", "behind_days", int)
        self._end = now + _DAY * read_value("roster_ical", "ahead_days", int)
        self._wrong: list[Wrong] = []
        self._notes: dict[str, Caution] = {}

    def read(self, data: bytes) -> Read:
        series: list[Series] = []
        try:
            for uid, events in self._events(data).items():
                with_this = self._series_or_none(uid, events)
                if with_this is not None:
                    series.append(with_this)
        except Unreadable as error:
            self._wrong.append(Wrong(where="", zh=error.zh, en=error.en))
        most = read_value("roster_ical", "most_told", int)
        return Read(
            series=() if self._wrong else tuple(series),
            wrong=tuple(self._wrong[:most]),
            notes=tuple(self._notes.values()),
            start=self._start,
            end=self._end,
        )

    # ------------------------------------------------------------ the file

    def _events(self, data: bytes) -> dict[str, list[Any]]:
        """The events of a file by UID; raises `Unreadable` for a file that is none, or too large."""
        _check_size(data)
        try:
            calendars = icalendar.Calendar.from_ical(data.removeprefix(b"\xef\xbb\xbf"), multiple=True)
        except (ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError) as error:
            raise Unreadable(
                "不是可读取的 iCalendar 文件", f"expected an iCalendar file, got: {str(error)[:120]}"
            ) from error
        if not calendars or any(one.name != "VCALENDAR" for one in calendars):
            raise Unreadable("不是 iCalendar 文件", "expected a VCALENDAR, got none")
        grouped: dict[str, list[Any]] = {}
        for calendar in calendars:
            self._take_zone(calendar)
            cancels = str(calendar.get("METHOD", "")).upper() == "CANCEL"
            for event in calendar.walk("VEVENT"):
                if cancels:
                    event["STATUS"] = "CANCELLED"
                given = event.get("UID", "")
                uid = "" if isinstance(given, list) else str(given).strip()
                if not uid or len(uid) > _LONGEST_UID or not uid.isprintable():
                    self._say(
                        event,
                        "须有一个 UID，且不可过长",
                        f"expected one UID of 1 to {_LONGEST_UID} characters",
                    )
                    continue
                grouped.setdefault(uid, []).append(event)
        if not grouped and not self._wrong:
            raise Unreadable("日历中没有日程", "expected events, got a calendar without any")
        return grouped

    def _take_zone(self, calendar: Any) -> None:
        """The zone that a whole calendar says it is in, where it says one that exists."""
        name = str(calendar.get("X-WR-TIMEZONE", "")).strip()
        if name:
            try:
                self._zone = ZoneInfo(name)
            except (KeyError, ValueError, OSError):
                self._note("zone", f"未知的日历时区：{name}", f"the calendar's zone {name!r} is not known")

    # ------------------------------------------------------------ one UID

    def _series_or_none(self, uid: str, events: list[Any]) -> Series | None:
        """All that is said of one UID; None, and a line in the list, where it cannot be read."""
        try:
            return self._series(uid, events)
        except Unreadable as error:
            if error.final:
                raise
            self._say(events[0], error.zh, error.en)
            if len(self._wrong) >= read_value("roster_ical", "most_told", int):
                raise Unreadable(
                    "错误过多，其余未检查", "too many faults, the rest was not looked at"
                ) from error
            return None

    def _series(self, uid: str, events: list[Any]) -> Series:
        mains = [event for event in events if "RECURRENCE-ID" not in event]
        # Of two of one repeat the later in order of SEQUENCE overwrites the other.
        moved = {self._repeat_id(one): one for one in by_sequence(events) if "RECURRENCE-ID" in one}
        main = newest_of(mains)
        if main is None:
            return self._of_repeats(uid, moved)
        if cancelled(main):
            return Series(uid=uid, planned=(), whole=True, cancelled=True)
        starts = list(self._starts(main))
        if starts == [None]:
            self._budget.take()
            return Series(uid=uid, planned=(self._planned(main, uid, None),), whole=True)
        begin, length = self._moment(main, "DTSTART"), self._length(main)
        template = self._planned(main, uid, None)
        planned = []
        for wall in starts:
            assert wall is not None
            at = instant(wall, begin.zone)
            if at in moved or not self._start <= at <= self._end:
                continue
            self._budget.take()
            planned.append(
                msgspec.structs.replace(
                    template, occurrence=at, start=at, end=length.after(wall, begin.zone, at)
                )
            )
        others = self._of_repeats(uid, moved)
        return Series(uid=uid, planned=(*planned, *others.planned), whole=True, dropped=others.dropped)

    def _of_repeats(self, uid: str, moved: Mapping[datetime, Any]) -> Series:
        """Single repeats that were moved, given to another, or cancelled."""
        kept = {at: event for at, event in moved.items() if not cancelled(event)}
        for _ in kept:
            self._budget.take()
        return Series(
            uid=uid,
            planned=tuple(self._planned(event, uid, at) for at, event in kept.items()),
            whole=False,
            dropped=tuple(at for at in moved if at not in kept),
        )

    def _repeat_id(self, event: Any) -> datetime:
        at = self._moment(event, "RECURRENCE-ID").instant
        if str(event["RECURRENCE-ID"].params.get("RANGE", "")):
            raise Unreadable(
                "不支持 RANGE=THISANDFUTURE", "expected RECURRENCE-ID of one repeat, got a RANGE"
            )
        return at

    def _starts(self, event: Any) -> Iterator[datetime | None]:
        """Wall times of all beginnings; a single None for an event that does not repeat."""
        if "EXRULE" in event:
            raise Unreadable("不支持 EXRULE", "expected EXDATE instead of EXRULE")
        rule, added = event.get("RRULE"), [moment.wall for moment in self._moments(event, "RDATE")]
        if rule is None and not added:
            yield None
            return
        begin = self._moment(event, "DTSTART")
        if isinstance(rule, list):
            raise Unreadable("一个日程只能有一条重复规则", f"expected one RRULE, got {len(rule)}")
        walls = {begin.wall, *added}
        if rule is not None:
            if not isinstance(rule, icalendar.vRecur):
                raise Unreadable(
                    "重复规则无法读取", f"expected a RRULE that can be read, got {str(rule)[:80]}"
                )
            parts = {
                str(key).upper(): value if isinstance(value, list) else [value] for key, value in rule.items()
            }
            walls |= set(beginnings(parts, begin.wall, begin.zone, self._end, self._budget))
        left_out = list(self._moments(event, "EXDATE"))
        days = {moment.wall.date() for moment in left_out if moment.day_only}
        instants = {moment.instant for moment in left_out if not moment.day_only}
        yield from sorted(
            wall for wall in walls if wall.date() not in days and instant(wall, begin.zone) not in instants
        )

    # ------------------------------------------------------------ one event

    def _planned(self, event: Any, uid: str, occurrence: datetime | None) -> Planned:
        begin = self._moment(event, "DTSTART")
        role, person = self._role(event), self._person(event)
        start = begin.instant
        return Planned(
            uid=uid,
            occurrence=occurrence,
            role=role,
            person=person,
            start=start,
            end=self._length(event).after(begin.wall, begin.zone, start),
            site=self._own_site(event),
        )

    def _length(self, event: Any) -> "_Length":
        begin = self._moment(event, "DTSTART")
        if "DTEND" in event:
            end = self._moment(event, "DTEND")
            # In the zone of the beginning, so that repeats end at the same wall time.
            wall = (
                end.wall
                if end.zone is begin.zone
                else end.instant.astimezone(begin.zone).replace(tzinfo=None)
            )
            length = _bounded(_Length(wall=wall - begin.wall))
            single = end.instant
        elif "DURATION" in event:
            found = value(event, "DURATION")
            if not isinstance(found, timedelta):
                raise Unreadable("DURATION 无法读取", "expected a DURATION such as PT12H")
            # RFC 5545: days are wall time, hours are exact.
            length = _bounded(_Length(wall=found) if found % _DAY == timedelta(0) else _Length(exact=found))
            single = length.after(begin.wall, begin.zone, begin.instant)
        elif begin.day_only:
            length = _Length(wall=_DAY)
            single = length.after(begin.wall, begin.zone, begin.instant)
        else:
            raise Unreadable("缺少结束时间", "expected DTEND or DURATION, got neither")
        if single <= begin.instant:
            raise Unreadable("结束时间须晚于开始时间", "expected an end after the beginning, got none")
        return length

    def _role(self, event: Any) -> str:
        title, _ = split_title(text(event, "SUMMARY"))
        said = [text(event, "X-GREENCHANNEL-ROLE"), title, *categories(event)]
        roles = [role for role in (role_of(word) for word in said if word) if role is not None]
        if not roles:
            raise Unreadable(
                f"无法识别值班角色：{title or '空'}",
                f'expected a role such as "first: name" or 一线: name, got {title or "nothing"}',
            )
        return roles[0]

    def _person(self, event: Any) -> str:
        _, name = split_title(text(event, "SUMMARY"))
        named = self._people.by_name(name) if name else None
        addresses = [str(one) for one in attendees(event)]
        found = {person for one in addresses if (person := self._people.by_address(one)) is not None}
        if named is not None and named in found:
            found = {named}
        if len(found) > 1:
            raise Unreadable(
                f"一个班次只能有一人：{'、'.join(sorted(found))}",
                f"expected one person, got {', '.join(sorted(found))}",
            )
        if found and named is not None and named not in found:
            raise Unreadable(
                f"标题写的是 {named}，参与者是 {min(found)}",
                f"the title says {named}, the attendee is {min(found)}",
            )
        if not found and named is None:
            given = ", ".join([name, *addresses] if name else addresses) or "nobody"
            raise Unreadable(f"没有这个人：{given}", f"expected a person who is known, got {given}")
        return named if named is not None else min(found)

    def _own_site(self, event: Any) -> str | None:
        said = text(event, "X-GREENCHANNEL-SITE")
        if not said:
            return self._site
        if said not in self._sites:
            raise Unreadable(f"没有这个机构：{said}", f"expected a site that is known, got {said}")
        return said

    # ------------------------------------------------------------ times

    def _moment(self, event: Any, name: str) -> _Moment:
        found = value(event, name)
        if not isinstance(found, date):
            raise Unreadable(f"缺少 {name}", f"expected {name} as a time, got {str(found)[:40] or 'nothing'}")
        return self._of_value(found, event[name].params, name)

    def _moments(self, event: Any, name: str) -> Iterator[_Moment]:
        given = event.get(name, [])
        for line in given if isinstance(given, list) else [given]:
            if isinstance(line, icalendar.vBroken) or not hasattr(line, "dts"):
                raise Unreadable(f"{name} 无法读取", f"expected {name} as times, got {str(line)[:80]}")
            for one in line.dts:
                if not isinstance(one.dt, date):
                    raise Unreadable(f"{name} 不支持时段", f"expected {name} as times, got a period")
                yield self._of_value(one.dt, line.params, name)

    def _of_value(self, given: date, params: Any, name: str) -> _Moment:
        if not 1970 <= given.year <= 2200:
            raise Unreadable(
                f"{name} 年份有误：{given.year}", f"expected a year from 1970 to 2200, got {given.year}"
            )
        if not isinstance(given, datetime):
            self._note(
                "day",
                f"全天日程按 {self._zone} 的零点起算",
                f"days without a time begin at midnight, {self._zone}",
            )
            return _Moment(wall=datetime(given.year, given.month, given.day), zone=self._zone, day_only=True)  # noqa: DTZ001
        if given.tzinfo is not None:
            return _Moment(wall=given.replace(tzinfo=None, fold=0), zone=given.tzinfo)
        said = params.get("TZID")
        if said is not None:
            raise Unreadable(
                f"{name} 时区未知：{said}", f"expected a time zone that is known in {name}, got {said}"
            )
        self._note(
            "floating", f"未注明时区的时间按 {self._zone}", f"times without a zone were taken as {self._zone}"
        )
        return _Moment(wall=given.replace(fold=0), zone=self._zone)

    # ------------------------------------------------------------ words

    def _say(self, event: Any, zh: str, en: str) -> None:
        self._wrong.append(Wrong(where=label(event), zh=zh, en=en))

    def _note(self, code: str, zh: str, en: str) -> None:
        self._notes.setdefault(code, Caution(code=code, zh=zh, en=en))


class _Length(msgspec.Struct, frozen=True, kw_only=True):
    """How long an event lasts: by the clocks on the wall, or exactly."""

    wall: timedelta | None = None
    exact: timedelta | None = None

    def after(self, wall: datetime, zone: tzinfo, at: datetime) -> datetime:
        """The end of an event that begins at this wall time, which is the instant `at`."""
        if self.exact is not None:
            return at + self.exact
        assert self.wall is not None
        return instant(wall + self.wall, zone)


def _bounded(length: _Length) -> _Length:
    """The same; raises `Unreadable` for one that nobody can be on duty, before it is added to anything."""
    longest = timedelta(seconds=read_value("roster_watch", "longest_shift_s", float))
    if (length.wall or length.exact or timedelta(0)) > longest + _DAY:  # of wall time; to the second later on
        raise Unreadable(
            f"一个班次最长 {longest / _DAY:.0f} 天", f"expected a shift of at most {longest / _DAY:.0f} days"
        )
    return length


def _check_size(data: bytes) -> None:
    """Before anything is read: reading alone costs microseconds a byte."""
    most, events = read_value("roster_ical", "most_bytes", int), read_value("roster_ical", "most_events", int)
    if len(data) > most:
        raise Unreadable(f"文件过大，最多 {most} 字节", f"expected at most {most} bytes, got {len(data)}")
    found = data.upper().count(b"BEGIN:V")
    if found > 2 * events:
        raise Unreadable(
            f"日程过多，最多 {events}", f"expected at most {events} events, got {found} components"
        )
