"""Connections that must end because the rights of their person have: told at once, not at the next look."""

import asyncio
import contextlib
from collections.abc import Iterator


class Leaving:
    """Who is connected, and a word to each connection of a person."""

    def __init__(self) -> None:
        self._open: dict[str, set[asyncio.Event]] = {}

    @contextlib.contextmanager
    def watched(self, actor: str) -> Iterator[asyncio.Event]:
        """One connection of an actor, for the length of a block; the event is set where its rights may have changed."""
        event = asyncio.Event()
        events = self._open.setdefault(actor, set())
        events.add(event)
        try:
            yield event
        finally:
            events.discard(event)
            if not events and self._open.get(actor) is events:
                del self._open[actor]

    def look_again(self, actor: str) -> None:
        """Have every connection of an actor look anew whether it may stay."""
        for event in self._open.get(actor, ()):
            event.set()
