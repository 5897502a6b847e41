"""A time of which only the day is known, or the day and one of the seven parts that the national form has."""

from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import cache

from greenchannel.alerts.refusal import Refused
from greenchannel.alerts.tables import read_value
from greenchannel.events import ClockReading

_DAY = (0, 24)


@cache
def day_zones() -> dict[str, tuple[int, int]]:
    """The parts of a day by name, each from and up to a full hour."""
    names = read_value("milestones", "day_zones", tuple[str, ...])
    return {name: (int(name.partition("-")[0]), int(name.partition("-")[2])) for name in names}


def told(day: date, zone: str | None, zone_of_site: tzinfo, now: datetime) -> ClockReading:
    """Return the middle of what was told, with its half width as the uncertainty, marked with what was told.

    What was told cannot lie after `now`: a part of the day that is still going on ends there.

    Parameters
    ----------
    zone : str or None
        One of the national form's, such as "6-8"; None: the day alone is known.
    zone_of_site : tzinfo
        Where the day was a day.

    Raises
    ------
    Refused
        There is no such part of a day, or all of it is yet to come.
    """
    if zone is not None and zone not in day_zones():
        names = ", ".join(day_zones())
        raise Refused(
            "unknown_zone",
            f"发病时段应为 {names} 之一，收到 {zone}",
            f"expected one of {names}, got {zone}",
            422,
        )
    first, last = _DAY if zone is None else day_zones()[zone]
    begins, ends = _at(day, first, zone_of_site), _at(day, last, zone_of_site)
    if begins > now:
        raise Refused(
            "future_time",
            f"时间不能晚于现在，收到 {day.isoformat()} {zone or ''}".rstrip(),
            f"expected a time no later than {now.isoformat()}, got {day.isoformat()} {zone or ''}".rstrip(),
            422,
        )
    ends = min(ends, now)
    half = (ends - begins) / 2
    said = day.isoformat() if zone is None else f"{day.isoformat()} {zone}"
    return ClockReading(at=begins + half, clock="person", uncertainty_s=half.total_seconds(), told=said)


def _at(day: date, hour: int, zone: tzinfo) -> datetime:
    if hour == 24:
        day, hour = day + timedelta(days=1), 0
    return datetime.combine(day, time(hour), zone).astimezone(UTC)
