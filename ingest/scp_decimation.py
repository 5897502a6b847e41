"""The samples that a device left out between the QRS complexes (SCP-ECG, clauses 5.7 to 5.9 and annex C)."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Plan:
    """How a lead of `count` samples comes from fewer stored values; all arrays have shape (count,)."""

    stored: int
    """Number of stored values."""
    lower: NDArray[np.int64]
    upper: NDArray[np.int64]
    """Stored values between which each sample lies; equal where it is one of them."""
    share: NDArray[np.float64]
    """How far it is from the lower to the upper one, 0 to 1."""

    def apply(self, values: NDArray[np.int64]) -> NDArray[np.float64]:
        """The samples, in the unit of the stored values."""
        return values[self.lower] * (1 - self.share) + values[self.upper] * self.share


class Plans:
    """The ways in which writers store a lead of `count` samples, the most likely first; made when they are asked for.

    Parameters
    ----------
    areas
        First and last sample of the protected areas, counted from 0; in them every sample is stored. They may reach
        beyond the lead.
    factor
        Between them each run of so many samples is stored as their mean.
    """

    def __init__(self, count: int, areas: tuple[tuple[int, int], ...], factor: int) -> None:
        self._count, self._factor = count, factor
        self._ways = [(areas, True), (areas, False)] + ([((), True)] if areas else [])
        self._made: list[Plan] = []

    def __iter__(self) -> Iterator[Plan]:
        for index, (areas, each_of_rest) in enumerate(self._ways):
            if index == len(self._made):
                self._made.append(_plan(self._count, areas, self._factor, each_of_rest))
            yield self._made[index]


def _plan(count: int, areas: tuple[tuple[int, int], ...], factor: int, each_of_rest: bool) -> Plan:
    """One way: what does not make a whole run at the end of a stretch is stored as it is, or as one value more.

    Reading follows annex C: the first and the last half run of a stretch repeat its first and last value, and from
    run to run goes a straight line.
    """
    edges = np.zeros(count + 1, dtype=np.int64)
    for first, last in areas:
        low, high = max(first, 0), min(last, count - 1)
        if low <= high:
            edges[low] += 1
            edges[high + 1] -= 1
    free = np.cumsum(edges[:-1]) == 0
    turns = np.flatnonzero(np.diff(free)) + 1
    starts, stops = np.r_[0, turns], np.r_[turns, count]
    length = np.repeat(stops - starts, stops - starts)
    offset = np.arange(count) - np.repeat(starts, stops - starts)
    in_runs = free & (offset < length // factor * factor)
    kept = ~free | (offset % factor == 0) | (~in_runs if each_of_rest else False)
    place = np.cumsum(kept) - 1
    base = place - np.where(in_runs, offset // factor, 0)
    past = np.where(in_runs, offset - factor // 2, 0)
    highest = np.where(in_runs, length // factor - 1, 0)
    lower = np.clip(past // factor, 0, highest)
    upper = np.clip(past // factor + 1, 0, highest)
    share = np.where(upper > lower, (past % factor) / factor, 0.0)
    return Plan(stored=int(kept.sum()), lower=base + lower, upper=base + upper, share=share)
