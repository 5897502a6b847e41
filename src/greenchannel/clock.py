"""Where the time comes from. Every core takes `now`; only shells hold a `Clock`."""

from datetime import UTC, datetime
from typing import Final, Protocol

EARLIEST: Final = datetime(1900, 1, 1, tzinfo=UTC)
LATEST: Final = datetime(2199, 12, 31, tzinfo=UTC)
"""Between the two lies every instant that is taken from outside. Beyond them lie slips of the pen, and instants that no
zone can shift: to show one would fail."""


class NaiveDatetimeError(ValueError):
    """A datetime without a zone was given where an instant was expected."""


def check_aware(instant: datetime) -> datetime:
    """Return `instant` in UTC; raise `NaiveDatetimeError` where it has no zone."""
    if instant.tzinfo is None or instant.utcoffset() is None:
        raise NaiveDatetimeError(f"expected a datetime with a zone, got {instant.isoformat()} without one")
    return instant.astimezone(UTC)


def can_be(instant: datetime) -> bool:
    """Whether an aware `instant` lies within `EARLIEST` and `LATEST`."""
    return EARLIEST <= instant <= LATEST


def nearest(instant: datetime) -> datetime:
    """Return `instant`, or the end of what can be where it lies beyond.

    For what machines say: a clock that was never set must not cost the message that it stands in. Both ends are so far
    off that everything which judges clocks takes them for nonsense.
    """
    return min(max(instant, EARLIEST), LATEST)


def rfc3339(instant: datetime) -> str:
    """Return `instant` as it stands on the wire: RFC 3339 in UTC, milliseconds kept."""
    return check_aware(instant).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Clock(Protocol):
    """A source of instants. `name` says which clock it is; it is written beside every time read from it."""

    @property
    def name(self) -> str: ...

    def now(self) -> datetime: ...


class SystemClock:
    """The clock of this machine, in UTC."""

    name = "server"

    def now(self) -> datetime:
        return datetime.now(UTC)


class ManualClock:
    """A clock that stands still until it is moved: for tests, and the base of the demo's story clock."""

    name = "manual"

    def __init__(self, start: datetime) -> None:
        self._now = check_aware(start)

    def now(self) -> datetime:
        return self._now

    def move_to(self, instant: datetime) -> None:
        """Go to `instant`; a clock never goes back, so an earlier one raises `ValueError`."""
        instant = check_aware(instant)
        if instant < self._now:
            raise ValueError(
                f"a clock never goes back: it is {self._now.isoformat()}, got {instant.isoformat()}"
            )
        self._now = instant
