"""Where the time comes from. Every core takes `now`; only shells hold a `Clock`."""

import logging
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

_log: Final = logging.getLogger(__name__)

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


SLOWER: Final = 0.01
"""How much slower time passes while the machine's clock is behind: a second of that is made good in 100.  [E]"""
TOLD_FROM: Final = timedelta(seconds=1)
"""A set-back from which on the log says so; time servers move clocks by less every day.  [E]"""


class SteadyClock:
    """Goes forward with the machine's clock. Where that is set back it goes on, one percent slower, until the machine's
    clock has caught up; so no due time waits longer than it was to wait, and no event is older than the one before.

    Due times are instants: were the clock set back while an alert is open, its next step would come late by as much.
    From any thread.

    Parameters
    ----------
    wall : the machine's clock
    steady_s : seconds that nobody sets, from any beginning
    """

    name = "server"

    def __init__(
        self,
        wall: Callable[[], datetime] = lambda: datetime.now(UTC),
        steady_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._wall, self._steady_s = wall, steady_s
        self._lock = threading.Lock()
        self._last, self._last_s = wall(), steady_s()
        self._told = False
        self.ahead = timedelta(0)
        """By how much it was before the machine's clock when it was last asked."""

    def now(self) -> datetime:
        """The instant, aware, UTC."""
        with self._lock:
            wall, steady_s = self._wall(), self._steady_s()
            passed_s = max(0.0, steady_s - self._last_s)
            if wall < self._last + timedelta(seconds=passed_s):
                passed_s *= 1 - SLOWER
            now = max(wall, self._last + timedelta(seconds=passed_s))
            self._last, self._last_s, self.ahead = now, steady_s, now - wall
            self._tell()
            return now

    def _tell(self) -> None:
        if self.ahead >= TOLD_FROM and not self._told:
            _log.warning(
                "the machine's clock was set back by %.1f s: times go on without it until it has caught up",
                self.ahead.total_seconds(),
            )
        self._told = self.ahead >= TOLD_FROM


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
