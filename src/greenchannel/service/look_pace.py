"""How often the new seconds of running streams are looked at together.

A look at many streams costs little more than a look at one, so those that come within a while are gathered; but an
infarction waits for the look, so the while is short where the machine has time. It follows what a look takes: one that
waits for a processor, or has much to look at, is followed by a longer one.
"""

from typing import Final

LEAST_APART_S: Final = 0.01
"""From the begin of a look to that of the next, where looks take no time to speak of.  [E]"""

MOST_APART_S: Final = 0.05
"""A machine that is busy gathers for so long at most.  [E]"""

TIMES_TAKEN: Final = 4
"""Looks take no more than this part of the time, as long as they are not `MOST_APART_S` apart.  [E]"""


class LookPace:
    """When the next look may begin; all times in seconds of one monotonic clock."""

    def __init__(self) -> None:
        self._under_way = False
        self._began_s = self._next_s = float("-inf")

    def may_begin(self, now_s: float) -> bool:
        """Is none under way, and the last one long enough ago?"""
        return not self._under_way and now_s >= self._next_s

    def rest_s(self, now_s: float) -> float:
        """How long until one may begin; 0 where one may, or where the end of the one under way will tell."""
        return 0.0 if self._under_way else max(self._next_s - now_s, 0.0)

    def begin(self, now_s: float) -> None:
        """A look begins."""
        self._under_way, self._began_s = True, now_s

    def end(self, now_s: float) -> None:
        """It is over."""
        taken_s = now_s - self._began_s
        self._under_way = False
        self._next_s = self._began_s + min(max(TIMES_TAKEN * taken_s, LEAST_APART_S), MOST_APART_S)
