"""Keeps book and hub at the end of the log, whoever wrote it: this process, or another on the same database.

What this process commits comes at once, in the writer's thread. What another commits is found by a look at the head
row every `Settings.follow_poll_s`; and where an own commit comes behind events of another, these are read first, so
book, hub and boards see one order without gaps.
"""

import asyncio
import threading
from collections.abc import Sequence
from typing import Final

import structlog

from greenchannel.events import Envelope
from greenchannel.service.book import CaseBook
from greenchannel.service.hub import Hub
from greenchannel.store.log import Log
from greenchannel.store.writer import Writer

logger = structlog.get_logger(__name__)

PAGE: Final = 1_000  # events taken at once where much was missed


class Following:
    """Joins the log to the book and the hub. Nothing else changes either of them after the start."""

    def __init__(self, *, log: Log, writer: Writer, book: CaseBook, hub: Hub) -> None:
        self._log = log
        self._book = book
        self._hub = hub
        self._lock = threading.Lock()  # the writer's thread and the look take turns: one order for all
        self.of_others = 0  # events that another process wrote; the metrics show it
        writer.on_commit(self.committed)

    def committed(self, envelopes: Sequence[Envelope]) -> None:
        """Called in the writer's thread after each commit of this process."""
        with self._lock:
            if envelopes[0].seq > self._book.seq + 1:
                self._read(until=envelopes[0].seq - 1)
            fresh = [envelope for envelope in envelopes if envelope.seq > self._book.seq]
            if fresh:  # else the look was quicker than the writer
                self._hub.post(self._book.apply(fresh))

    async def look(self) -> int:
        """Take in what others have committed since; returns how many events that were."""
        return await asyncio.to_thread(self.catch_up)

    def catch_up(self) -> int:
        """As `look`, in any thread. Also mends a book that missed a commit of its own."""
        if self._log.head()[0] <= self._book.seq:
            return 0
        with self._lock:
            return self._read(until=None)

    def _read(self, until: int | None) -> int:
        before = self._book.seq
        while until is None or self._book.seq < until:
            limit = PAGE if until is None else min(PAGE, until - self._book.seq)
            envelopes = self._log.read(self._book.seq, limit)
            if not envelopes:
                break
            self._hub.post(self._book.apply(envelopes))
        found = self._book.seq - before
        self.of_others += found
        return found
