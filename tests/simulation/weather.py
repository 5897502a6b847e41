"""What the store does to those who write: it is slow, fails, loses its answer, is full; and one writes at a time."""

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from tests.simulation.agenda import Agenda

if TYPE_CHECKING:
    from tests.simulation.process import Process
    from tests.simulation.world import World


class Weather:
    """How the store is now."""

    def __init__(self, agenda: Agenda) -> None:
        self._agenda = agenda
        self.away_until_ms = 0  # the disk is full, or the database is not there
        self.flaky_until_ms = 0
        self.slow_until_ms = 0
        self._failed = 0  # commits, one after the other

    @property
    def away(self) -> bool:
        """Nothing can be written."""
        return self._agenda.now_ms < self.away_until_ms

    @property
    def flaky(self) -> bool:
        """Commits fail now and then."""
        return self._agenda.now_ms < self.flaky_until_ms

    def latency_ms(self) -> int:
        """How long the next commit takes."""
        dice = self._agenda.dice
        return dice.between(100, 700) if self._agenda.now_ms < self.slow_until_ms else dice.between(1, 8)

    def fate(self) -> str:
        """What becomes of a commit: "ok", "fails", or "lost": it is made, and its answer does not come."""
        if self.away:
            return "fails"
        if not self.flaky or self._failed >= 2:
            self._failed = 0
            return "ok"
        fate = self._agenda.dice.weighed({"ok": 0.7, "fails": 0.2, "lost": 0.1})
        self._failed = 0 if fate == "ok" else self._failed + 1
        return fate


class Lock:
    """One process writes at a time. A process that stands still with it keeps the others waiting."""

    def __init__(self) -> None:
        self.holder: Process | None = None
        self._waiting: deque[tuple[Process, int, Callable[[], None]]] = deque()

    def take(self, process: "Process", again: Callable[[], None]) -> bool:
        """Get it, or have `again` called where it is free."""
        if self.holder is None:
            self.holder = process
            return True
        self._waiting.append((process, process.life, again))
        return False

    def free(self, process: "Process") -> None:
        """Let go of it, where this process has it."""
        if self.holder is not process:
            return
        self.holder = None
        waiting = list(self._waiting)
        self._waiting.clear()
        for other, life, again in waiting:
            if other.life == life:
                other.later(1, again)


class Able:
    """For how long the service was able to act: a process is up and moves, the store takes what it writes.

    All promises count by it: what nobody can do while everything is down is due the moment it is up again. What only
    the service does, the readings, counts by the time in which it serves and no commit fails: a reading that could not
    be written is made anew at a look every ten seconds, and may fail several times.
    """

    def __init__(self, world: "World") -> None:
        self._world = world
        self._marks: list[tuple[int, int, bool, bool]] = [
            (0, 0, False, False)
        ]  # since, able before, able, serving
        self._serving_ms: list[int] = [0]

    def update(self) -> None:
        """Something has changed."""
        world = self._world
        stuck = world.lock.holder is not None and world.lock.holder.frozen
        moving = [one for one in world.processes if one.up and not one.frozen]
        able = bool(moving) and not world.weather.away and not stuck
        serving = able and any(one.serving for one in moving) and not world.weather.flaky
        since_ms, before_ms, was, was_serving = self._marks[-1]
        if (able, serving) != (was, was_serving):
            now_ms = world.agenda.now_ms
            self._serving_ms.append(self._serving_ms[-1] + (now_ms - since_ms if was_serving else 0))
            self._marks.append((now_ms, before_ms + (now_ms - since_ms if was else 0), able, serving))

    @property
    def now(self) -> bool:
        """Can anybody act?"""
        return self._marks[-1][2]

    def since_ms(self, ms: int, *, serving: bool = False) -> int:
        """How much of the time since an instant somebody could act; with `serving`, the service itself."""
        return self._until(self._world.agenda.now_ms, serving) - self._until(max(ms, 0), serving)

    def _until(self, ms: int, serving: bool) -> int:
        for place in range(len(self._marks) - 1, -1, -1):
            since_ms, before_ms, able, serves = self._marks[place]
            if since_ms <= ms or place == 0:
                if serving:
                    return self._serving_ms[place] + (ms - since_ms if serves else 0)
                return before_ms + (ms - since_ms if able else 0)
        raise AssertionError("the first mark is at the beginning")
