"""Turns: how much of one kind one caller may have under way. Whoever asks for more is told to come again."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Final

from greenchannel.viewer.problems import Problem

RETRY_AFTER_S: Final = 1


class Turns:
    """Counts what is under way by name; used within one event loop.

    Parameters
    ----------
    at_once : of one name, how many run
    most : of one name, how many run or wait
    """

    def __init__(self, *, at_once: int, most: int) -> None:
        self._at_once, self._most = at_once, most
        self._under_way: dict[str, int] = {}
        self._running: dict[str, asyncio.Semaphore] = {}

    @contextlib.asynccontextmanager
    async def of(self, name: str) -> AsyncIterator[None]:
        """Wait for a turn, and have it; raises `Problem` 429 at once where too many run or wait."""
        under_way = self._under_way.get(name, 0)
        if under_way >= self._most:
            raise Problem(
                429,
                "too many searches of one caller are under way",
                code="too_many_searches",
                zh="同一账号同时进行的检索过多,请稍后再试",
                expected=f"at most {self._most} at once",
                headers={"Retry-After": str(RETRY_AFTER_S)},
            )
        self._under_way[name] = under_way + 1
        running = self._running.setdefault(name, asyncio.Semaphore(self._at_once))
        try:
            async with running:
                yield
        finally:
            left = self._under_way[name] - 1
            if left:
                self._under_way[name] = left
            else:
                del self._under_way[name], self._running[name]
