"""A virtual clock that runs evenly, and faster than a real one: the same in all processes of one machine."""

import asyncio
import time
from collections.abc import Callable
from datetime import datetime, timedelta

from greenchannel.clock import check_aware


class FastClock:
    """Virtual time, counted from one real moment.

    Processes that are given the same three numbers share the clock, and one that is killed and started anew finds it
    where it would have been.

    Parameters
    ----------
    start
        The virtual instant at `begun_s`, aware.
    speed
        Virtual seconds in a real one.
    begun_s
        Real seconds, by `monotonic`; None: now.
    monotonic
        Real seconds that all processes count alike.
    """

    name = "virtual"

    def __init__(
        self,
        start: datetime,
        speed: float,
        begun_s: float | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        if not 0 < speed < float("inf"):
            raise ValueError(f"expected a speed above 0, got {speed!r}")
        self.start, self.speed = check_aware(start), speed
        self._monotonic = monotonic
        self.begun_s = monotonic() if begun_s is None else begun_s

    def now(self) -> datetime:
        """The virtual instant."""
        return self.start + timedelta(seconds=self.passed_s())

    def passed_s(self) -> float:
        """Virtual seconds since the start."""
        return (self._monotonic() - self.begun_s) * self.speed

    async def sleep(self, virtual_s: float) -> None:
        """Wait so many virtual seconds."""
        await asyncio.sleep(max(0.0, virtual_s) / self.speed)

    async def sleep_until(self, passed_s: float) -> None:
        """Wait until so many virtual seconds have passed since the start."""
        await self.sleep(passed_s - self.passed_s())
