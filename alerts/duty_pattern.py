"""Weekly duty as a pattern: who takes turns in a role, at which hours, on which kinds of days; and its shifts."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Final, Literal
from zoneinfo import ZoneInfo

import msgspec

from greenchannel.alerts.duty_calendar import KINDS, DutyCalendar, Kind, days
from greenchannel.alerts.roster_edit import DutyShift
from greenchannel.alerts.wall_clock import instant

MOST_DAYS: Final = 400  # of one expansion
NETWORK_ZONE: Final = "Asia/Shanghai"
_WEEK: Final = 7
_NAME: Final = r"^[A-Za-z0-9_-]{1,24}$"


class Pattern(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One line of a roster that repeats."""

    name: Annotated[str, msgspec.Meta(pattern=_NAME)]  # its shifts are found again by it
    role: str  # of the roster
    people: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]  # in the order of their turns
    begins: str  # wall time, "08:00"
    ends: str  # wall time; not after `begins`: on the next day
    days: tuple[Kind, ...] = KINDS  # on which kinds of days it begins
    turn: Literal["day", "week"] = "day"  # how long one person's turn is
    anchor: date = date(2024, 1, 1)  # a Monday: the turn of the first person begins here
    zone: str | None = None  # None: that of its site, else of the network
    site: str | None = None  # None: of the whole network

    def __post_init__(self) -> None:
        wall_time(self.begins)
        wall_time(self.ends)
        if not self.days:
            raise ValueError(f"expected days among {', '.join(KINDS)}, got none in pattern {self.name}")
        try:
            ZoneInfo(self.zone or NETWORK_ZONE)
        except (KeyError, ValueError, OSError) as error:
            raise ValueError(f"expected the name of a time zone, got {self.zone!r}") from error

    def person(self, day: date) -> str:
        """Whose turn it is on a day."""
        passed = (day - self.anchor).days
        return self.people[(passed if self.turn == "day" else passed // _WEEK) % len(self.people)]

    def span(self, day: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
        """Beginning and end of the shift that begins on a day, in UTC."""
        begins, ends = wall_time(self.begins), wall_time(self.ends)
        last = day if ends > begins else day + timedelta(days=1)
        return instant(datetime.combine(day, begins), zone), instant(datetime.combine(last, ends), zone)


class Undecided(msgspec.Struct, frozen=True, kw_only=True):
    """A day on which nobody can say yet whether a pattern holds: its year's holidays are not announced."""

    pattern: str
    day: date
    kinds: tuple[Kind, ...]  # that it may turn out to be


class Expansion(msgspec.Struct, frozen=True, kw_only=True):
    """The shifts of patterns over some days, and the days that could not be decided."""

    shifts: tuple[DutyShift, ...]
    undecided: tuple[Undecided, ...]


def wall_time(text: str) -> time:
    """``"08:00"`` as a time of the day; raises `ValueError` for anything else."""
    try:
        found = datetime.strptime(text, "%H:%M").time()  # noqa: DTZ007 - a wall time has no zone
    except ValueError:
        raise ValueError(f"expected a time such as 08:00, got {text!r}") from None
    return found


class _File(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    pattern: Annotated[tuple[Pattern, ...], msgspec.Meta(min_length=1, max_length=200)]


def patterns_of(toml: bytes) -> tuple[Pattern, ...]:
    """The ``[[pattern]]`` tables of a file.

    Raises
    ------
    ValueError
        It is no TOML, a key is missing or unknown, a value does not fit, or a name comes twice.
    """
    found = msgspec.toml.decode(toml, type=_File).pattern
    names = [one.name for one in found]
    if len(set(names)) < len(names):
        raise ValueError(f"expected patterns of different names, got {', '.join(names)}")
    return found


def expand(
    patterns: Iterable[Pattern],
    calendar: DutyCalendar,
    first: date,
    last: date,
    zones: Mapping[str, str] | None = None,
) -> Expansion:
    """All shifts that begin on the days from `first` to `last`, both included.

    A shift's id comes from the pattern's name and the day, so the same days expanded again give the same shifts. On a
    day of which the calendar does not know whether it is a holiday, a pattern that holds on every kind of day it can
    be has its shift; one that holds on some of them has none, and the day is named.

    Parameters
    ----------
    zones
        Time zones of the sites, for patterns of a site that name none.

    Raises
    ------
    ValueError
        More than `MOST_DAYS` days.
    """
    span = days(first, last)
    if len(span) > MOST_DAYS:
        raise ValueError(f"expected at most {MOST_DAYS} days, got {len(span)}")
    shifts: list[DutyShift] = []
    undecided: list[Undecided] = []
    for pattern in patterns:
        zone = ZoneInfo(pattern.zone or (zones or {}).get(pattern.site or "", NETWORK_ZONE))
        for day in span:
            possible = calendar.kinds(day)
            if possible <= frozenset(pattern.days):
                shifts += _shift(pattern, day, zone)
            elif possible & frozenset(pattern.days):
                undecided.append(Undecided(pattern=pattern.name, day=day, kinds=tuple(sorted(possible))))
    return Expansion(
        shifts=tuple(sorted(shifts, key=lambda one: (one.start, one.id))),
        undecided=tuple(sorted(undecided, key=lambda one: (one.day, one.pattern))),
    )


def _shift(pattern: Pattern, day: date, zone: ZoneInfo) -> Sequence[DutyShift]:
    start, end = pattern.span(day, zone)
    if end <= start:  # all of it lies in the hour that clocks leave out
        return ()
    name = f"pattern-{pattern.name}-{day:%Y%m%d}"
    return (
        DutyShift(
            id=name,
            role=pattern.role,
            person=pattern.person(day),
            start=start.astimezone(UTC),
            end=end.astimezone(UTC),
            site=pattern.site,
        ),
    )
