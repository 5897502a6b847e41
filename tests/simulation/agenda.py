"""Time and chance of a simulated day: what comes when, one seeded dice for all that is open, the history of it all."""

import hashlib
import heapq
import math
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, Final, TypeVar

T = TypeVar("T")

T0: Final = datetime(2026, 3, 2, tzinfo=UTC)
MS: Final = timedelta(milliseconds=1)
SECOND: Final = 1_000  # all times of the simulation are whole milliseconds since T0
MINUTE: Final = 60 * SECOND
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR


def instant(ms: int) -> datetime:
    """The instant `ms` milliseconds after the day began."""
    return T0 + timedelta(milliseconds=ms)


def ms_of(at: datetime) -> int:
    """How many milliseconds after the beginning of the day an instant lies."""
    return (at - T0) // MS


class Dice(Random):
    """Everything that may go one way or the other. One for a day, so that its seed is the day."""

    def chance(self, p: float) -> bool:
        """True in the share `p` of all cases."""
        return self.random() < p

    def between(self, low_ms: int, high_ms: int) -> int:
        """A number of milliseconds, all alike."""
        return low_ms + int(self.random() * (high_ms - low_ms + 1))

    def spread(self, low_ms: int, high_ms: int) -> int:
        """A number of milliseconds, short ones as often as long ones."""
        return int(math.exp(math.log(low_ms) + self.random() * (math.log(high_ms) - math.log(low_ms))))

    def pick(self, several: Sequence[T]) -> T:
        """One of them."""
        return several[int(self.random() * len(several))]

    def weighed(self, weights: dict[str, float]) -> str:
        """One of the names, by their weights."""
        at = self.random() * sum(weights.values())
        for name, weight in weights.items():
            at -= weight
            if at < 0:
                return name
        return next(reversed(weights))


class Agenda:
    """The virtual clock: what was put in comes in the order of its time, and of its entry."""

    def __init__(self, seed: int) -> None:
        self.dice = Dice(seed)
        self.now_ms = 0
        self._heap: list[tuple[int, int, Callable[..., None], tuple[Any, ...]]] = []
        self._entries = 0

    def at(self, ms: int, do: Callable[..., None], *args: Any) -> None:
        """Have `do` called at an instant; at once, after what waits for now, where that is over."""
        self._entries += 1
        heapq.heappush(self._heap, (max(ms, self.now_ms), self._entries, do, args))

    def after(self, ms: int, do: Callable[..., None], *args: Any) -> None:
        """Have `do` called in `ms` milliseconds."""
        self._entries += 1
        heapq.heappush(self._heap, (self.now_ms + ms, self._entries, do, args))

    def run(self, until_ms: int) -> None:
        """Let time pass."""
        heap, pop = self._heap, heapq.heappop
        while heap and heap[0][0] <= until_ms:
            self.now_ms, _, do, args = pop(heap)
            do(*args)
        self.now_ms = until_ms


class History:
    """All that happened, as a digest; as lines too where somebody wants to read it."""

    def __init__(self, agenda: Agenda, *, keep: bool) -> None:
        self.lines: list[str] = []
        self._agenda = agenda
        self._keep = keep
        self._hash = hashlib.blake2b(digest_size=16)

    def note(self, what: str) -> None:
        """Write down what happens now."""
        line = f"{self._agenda.now_ms} {what}\n"
        self._hash.update(line.encode())
        if self._keep:
            self.lines.append(line)

    @property
    def digest(self) -> str:
        """The same for the same history alone."""
        return self._hash.hexdigest()
