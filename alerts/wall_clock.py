"""Times of the day to instants: the same wall time of the same day is always the same instant, also on the days when
clocks are put forward or back. So a shift that ends where the next begins leaves neither gap nor overlap."""

from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final

_SECOND: Final = timedelta(seconds=1)


def instant(wall: datetime, zone: tzinfo) -> datetime:
    """The instant at which clocks in `zone` show `wall`, in UTC.

    A time that comes twice (clocks are put back) is the first of the two. One that never comes (clocks are put
    forward) is the instant of the jump: whatever is said for the missing hour begins, or ends, there. Later wall times
    are thus never earlier instants.

    Parameters
    ----------
    wall : datetime
        Without a zone.
    """
    before = wall.replace(tzinfo=zone, fold=0)
    after = wall.replace(tzinfo=zone, fold=1)
    first, second = before.astimezone(UTC), after.astimezone(UTC)
    if second >= first:  # the usual day, or a time that comes twice
        return first
    return _jump(second, first, zone)


def _jump(early: datetime, late: datetime, zone: tzinfo) -> datetime:
    """The first instant after `early` at which the offset has changed; both in UTC."""
    was = early.astimezone(zone).utcoffset()
    while late - early > _SECOND:
        middle = early + (late - early) / 2
        middle = middle.replace(microsecond=0) if middle.replace(microsecond=0) > early else middle
        if middle.astimezone(zone).utcoffset() == was:
            early = middle
        else:
            late = middle
    return late
