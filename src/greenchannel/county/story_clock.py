"""The demo's virtual clock: runs fast between the steps of a story and stands still at each human one."""

import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta

from greenchannel.clock import check_aware


class StoryClock:
    """Story time. It never goes back; it waits at `hold` until it is sent on.

    Parameters
    ----------
    start : datetime
        First story instant, aware.
    monotonic : callable
        Real seconds, for tests.
    """

    name = "story"

    def __init__(self, start: datetime, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._anchor = check_aware(start)
        self._anchor_s = monotonic()
        self._goal = self._anchor
        self._rate = 0.0  # story seconds in a real second

    def now(self) -> datetime:
        """The story's instant."""
        with self._lock:
            return self._now()

    def _now(self) -> datetime:
        passed = timedelta(seconds=(self._monotonic() - self._anchor_s) * self._rate)
        return min(self._anchor + passed, self._goal)

    def run_to(self, goal: datetime, within_s: float) -> None:
        """Go to `goal` evenly within so many real seconds, then stand still there. A goal already past is no move."""
        goal = check_aware(goal)
        with self._lock:
            here = self._now()
            self._anchor, self._anchor_s = here, self._monotonic()
            self._goal = max(goal, here)
            story_s = (self._goal - here).total_seconds()
            self._rate = story_s / within_s if within_s > 0 else float("inf")
            if within_s <= 0:
                self._anchor, self._rate = self._goal, 0.0

    def run_on(self) -> None:
        """From here on go as a real clock does, without a goal."""
        with self._lock:
            self._anchor, self._anchor_s = self._now(), self._monotonic()
            self._goal = datetime.max.replace(tzinfo=self._anchor.tzinfo)
            self._rate = 1.0

    def jump_to(self, goal: datetime) -> None:
        """Be at `goal` now."""
        self.run_to(goal, 0.0)
