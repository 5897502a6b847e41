"""What keeps background work going, and the work that keeps the house clean."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Final, Protocol

import structlog

from greenchannel.clock import Clock
from greenchannel.store import deadlines, outbox_rows
from greenchannel.store.blobs import Blobs
from greenchannel.store.writer import Tx, Writer

if TYPE_CHECKING:
    from greenchannel.service.book import CaseBook
    from greenchannel.service.intake import Intake

logger = structlog.get_logger(__name__)

IDEMPOTENCY_KEPT: Final = timedelta(days=30)  # far longer than any client tries again
DONE_DEADLINES_KEPT: Final = timedelta(days=30)
ENDED_DELIVERIES_KEPT: Final = timedelta(days=30)  # longer than any of their keys is asked for again

READING_IS_LATE: Final = timedelta(seconds=15)  # then its attempt has failed, and another is made


class Part(Protocol):
    """What runs beside the rest of a serving desk: started when all else is, stopped before it."""

    async def start(self) -> None:
        """Begin; quick."""

    async def stop(self) -> None:
        """End; what was accepted is finished."""


async def read_again(intake: "Intake", book: "CaseBook", clock: Clock) -> None:
    """Try once more what was received and should have been read by now."""
    late = clock.now() - READING_IS_LATE
    waiting = (
        ecg
        for case in tuple(book.cases.values())
        for ecg in case.ecgs
        if ecg.awaits_machine and ecg.received_at is not None and ecg.received_at < late
    )
    if any(waiting):
        await intake.read_what_was_left()


async def keep_running(name: str, step: Callable[[], Awaitable[object]], every_s: float) -> None:
    """Run `step` again and again until cancelled. What fails is said loudly and tried again at the next turn."""
    while True:
        try:
            await step()
        except Exception:
            logger.critical("background work failed, and goes on", work=name, exc_info=True)
        await asyncio.sleep(every_s)


class Housekeeping:
    """Removes what nobody will ask for again: staged files of repeats, old idempotency keys, due times long past."""

    def __init__(self, *, writer: Writer, blobs: Blobs, clock: Clock) -> None:
        self._writer = writer
        self._blobs = blobs
        self._clock = clock

    async def sweep(self) -> None:
        """One round."""
        files = await asyncio.to_thread(self._blobs.sweep)
        keys, due, sent = await self._writer.transact(self._rows)
        logger.info("swept", files=files, idempotency_keys=keys, due_times=due, deliveries=sent)

    @staticmethod
    def _rows(tx: Tx) -> tuple[int, int, int]:
        keys = tx.forget_before(tx.now - IDEMPOTENCY_KEPT)
        due = deadlines.forget_done_before(tx, tx.now - DONE_DEADLINES_KEPT)
        return keys, due, outbox_rows.forget_ended_before(tx, tx.now - ENDED_DELIVERIES_KEPT)
