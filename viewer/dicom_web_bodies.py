"""Bodies of STOW-RS on their way in: none stands still for long, and all together hold no more memory than is set.

Where there is no room for all, the one that holds most is broken off, not whoever comes next: a sender that keeps much
and says nothing keeps nobody out.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Final

from greenchannel.viewer.problems import Problem

ALL_TOGETHER: Final = 1.0  # objects of the largest size that may be held at once  [E]
RETRY_S: Final = 5  # [E]


class Body:
    """One body, as far as it is held."""

    def __init__(self, bodies: "Bodies", most_together_bytes: int, idle_s: float) -> None:
        self._bodies = bodies
        self._most_together_bytes = most_together_bytes
        self._idle_s = idle_s
        self._waits: asyncio.Timeout | None = None
        self.held_bytes = 0
        self.is_broken_off = False

    @property
    def waits(self) -> bool:
        """Is more of it waited for? What is being stored is not broken off."""
        return self._waits is not None

    async def pieces(self, stream: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """What comes, each with room for it.

        Raises
        ------
        Problem
            408: nothing came for too long. 503: there is no room.
        """
        while True:
            try:
                async with asyncio.timeout(self._idle_s) as self._waits:
                    piece = await anext(stream, None)
            except TimeoutError:
                raise no_room() if self.is_broken_off else _silent(self._idle_s) from None
            finally:
                self._waits = None
            if self.is_broken_off:
                raise no_room()
            if piece is None:
                return
            self.held_bytes += len(piece)
            self._bodies.make_room(self, self._most_together_bytes)
            yield piece

    def break_off(self) -> None:
        """Give its room back, at once where it waits."""
        self.is_broken_off = True
        self.held_bytes = 0
        if self._waits is not None and not self._waits.expired():
            self._waits.reschedule(asyncio.get_running_loop().time())


class Bodies:
    """All bodies of this process; for its one event loop."""

    def __init__(self) -> None:
        self._bodies: set[Body] = set()

    @contextmanager
    def body(self, *, most_together_bytes: int, idle_s: float) -> Iterator[Body]:
        """One more, until the end of the block."""
        body = Body(self, most_together_bytes, idle_s)
        self._bodies.add(body)
        try:
            yield body
        finally:
            self._bodies.discard(body)

    def make_room(self, grown: Body, most_bytes: int) -> None:
        """Break off what holds most until the rest has room; raises `Problem` 503 where that is the grown one."""
        while sum(body.held_bytes for body in self._bodies) > most_bytes:
            if not any(body.held_bytes for body in self._bodies if body is not grown):
                return  # alone it has bounds of its own, and would come again in vain
            may_end = [body for body in self._bodies if body is grown or body.waits]
            largest = max(may_end, key=lambda body: body.held_bytes)
            largest.break_off()
            if largest is grown:
                raise no_room()


def no_room() -> Problem:
    """Too much is under way; it comes again."""
    return Problem(
        503,
        "too many images are being received at once; what was stored is kept, send the rest again",
        code="busy",
        zh="同时接收的影像过多,已保存的仍保留,请稍后重发其余部分",
        headers={"Retry-After": str(RETRY_S)},
    )


def _silent(idle_s: float) -> Problem:
    return Problem(
        408,
        "nothing more of the body came; what was stored is kept, send the rest again",
        expected=f"something every {idle_s:g} s",
        headers={"Connection": "close"},
    )
