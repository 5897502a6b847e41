"""One request at a time on one upload, and the newest wins.

A device whose line was cut comes back while the service may still wait for the rest of its last body. Whoever comes
asks the one before to end: that one keeps what it has, and only then the next learns how far the upload is.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator


class _Line:
    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.here = 0  # who holds the turn or waits for it
        self.over = asyncio.Event()


class Turns:
    """The lines before the uploads that somebody works on now."""

    def __init__(self) -> None:
        self._lines: dict[str, _Line] = {}

    @contextlib.asynccontextmanager
    async def turn(self, upload_id: str) -> AsyncIterator[asyncio.Event]:
        """Wait for the turn; the event is set when somebody else wants it."""
        line = self._lines.setdefault(upload_id, _Line())
        line.here += 1
        line.over.set()
        try:
            async with line.lock:
                line.over = asyncio.Event()
                if line.here > 1:  # those who wait came later
                    line.over.set()
                yield line.over
        finally:
            line.here -= 1
            if line.here == 0:
                del self._lines[upload_id]

    def busy(self, upload_id: str) -> bool:
        """Does somebody work on it?"""
        return upload_id in self._lines
