"""Sets of whole numbers kept as half-open ranges."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator


class RangeSet:
    """Disjoint half-open ranges in order; ranges that touch are one."""

    def __init__(self) -> None:
        self._starts: list[int] = []
        self._stops: list[int] = []

    def __iter__(self) -> Iterator[tuple[int, int]]:
        return zip(self._starts, self._stops, strict=True)

    def __len__(self) -> int:
        return len(self._starts)

    @property
    def stop(self) -> int:
        """End of the last range, 0 where there is none."""
        return self._stops[-1] if self._stops else 0

    @property
    def count(self) -> int:
        """How many numbers are in the set."""
        return sum(self._stops) - sum(self._starts)

    @property
    def first_missing(self) -> int:
        """The least number from 0 on that is not in the set."""
        return self._stops[0] if self._starts and self._starts[0] <= 0 else 0

    def add(self, start: int, stop: int) -> None:
        """Put ``[start, stop)`` in; an empty range changes nothing."""
        if start >= stop:
            return
        if self._stops and start == self._stops[-1]:  # what goes on where the last one ends: nearly always
            self._stops[-1] = stop
            return
        first = bisect_left(self._stops, start)
        last = bisect_right(self._starts, stop)
        if first < last:
            start = min(start, self._starts[first])
            stop = max(stop, self._stops[last - 1])
        self._starts[first:last] = [start]
        self._stops[first:last] = [stop]

    def within(self, start: int, stop: int) -> Iterator[tuple[int, int]]:
        """The parts of ``[start, stop)`` that are in the set."""
        index = bisect_right(self._stops, start)
        while index < len(self._starts) and self._starts[index] < stop:
            yield max(start, self._starts[index]), min(stop, self._stops[index])
            index += 1

    def missing(self, start: int, stop: int) -> Iterator[tuple[int, int]]:
        """The parts of ``[start, stop)`` that are not in the set."""
        at = start
        for held_start, held_stop in self.within(start, stop):
            if at < held_start:
                yield at, held_start
            at = held_stop
        if at < stop:
            yield at, stop
