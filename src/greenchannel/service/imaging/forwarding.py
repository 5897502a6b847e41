"""Images go on to the hospital's archives: each object until it was taken, over restarts and outages, with a receipt.

What is new is found in the database, what is due is a row with an instant. A process that dies between the other
side's answer and our commit sends the object once more; archives take it as the same by its UID.
"""

import asyncio
import contextlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import structlog
from sqlalchemy import Engine

from greenchannel.clock import Clock
from greenchannel.service.errors import NotFound
from greenchannel.service.imaging.archive import ImageArchive
from greenchannel.service.imaging.destinations import NUMBERS, Destination, next_try
from greenchannel.service.imaging.forward_ways import Failed, Outcome, Refused, Sent, send
from greenchannel.service.imaging.renaming import names_another
from greenchannel.service.keeping import keep_running
from greenchannel.store import forward_rows
from greenchannel.store.engine import reading
from greenchannel.store.forward_rows import NAMES_ANOTHER, Due, Forward
from greenchannel.store.writer import Tx, Writer

logger = structlog.get_logger(__name__)

POLL_S: Final = 1.0
_OVERLAP: Final = timedelta(minutes=10)  # looked at again: instants of commits are not in their order
_AT_ONCE: Final = 2_000


class Forwarding:
    """Sends while the desk serves; nothing where no destination is named."""

    def __init__(
        self,
        to: Sequence[Destination],
        *,
        title: str,
        images: ImageArchive,
        engine: Engine,
        writer: Writer,
        clock: Clock,
    ) -> None:
        self.to = tuple(to)
        self._title = title
        self._images = images
        self._engine = engine
        self._writer = writer
        self._clock = clock
        self._looked_at: dict[str, datetime] = {}
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Begin: one task for each destination, so that none waits for another's outage."""
        for to in self.to:
            name = f"images to {to.name}"

            async def work(to: Destination = to) -> None:
                while await self.step(to):
                    pass

            self._tasks.append(asyncio.create_task(keep_running(name, work, POLL_S), name=name))

    async def stop(self) -> None:
        """End; what is under way is sent once more at the next start."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []

    async def step(self, to: Destination) -> bool:
        """Find what is new, send one batch of what is due; True where there was any."""
        await self._find_new(to)
        now = self._clock.now()

        def look() -> list[Due]:
            with reading(self._engine) as connection:
                return forward_rows.due(connection, to.name, now, NUMBERS.batch)

        batch = await asyncio.to_thread(look)
        if not batch:
            return False
        held = await asyncio.to_thread(self._of_others, {one.study_uid for one in batch})
        going = [one for one in batch if one.study_uid not in held]
        sent: dict[str, Outcome] = {}
        if going:  # there is nothing to be asked of a peer for none
            sent |= await asyncio.to_thread(send, to, going, self._images.bytes_of_sync, self._title)
        sent |= {one.sop_uid: Refused(reason=NAMES_ANOTHER) for one in batch if one.study_uid in held}
        await self._writer.transact(lambda tx: _write(tx, to, batch, sent))
        moved = await asyncio.to_thread(self._of_others, {one.study_uid for one in going})
        if moved:  # while they were on their way
            await self._writer.transact(lambda tx: _moved(tx, moved))
        taken = sum(isinstance(outcome, Sent) for outcome in sent.values())
        if taken < len(batch):
            loud = max(one.attempts for one in batch) + 1 >= NUMBERS.loud_after
            say = logger.error if loud else logger.warning
            reasons = sorted({one.reason for one in sent.values() if isinstance(one, (Failed, Refused))})
            say("images were not taken", to=to.name, taken=taken, of=len(batch), why=reasons[:5])
        return taken > 0

    def _of_others(self, study_uids: Iterable[str]) -> set[str]:
        """Of these the studies that a person moved to a patient whom their files do not name: another archive would
        file them to the wrong one."""
        found = set()
        for uid in study_uids:
            with contextlib.suppress(NotFound):  # erased meanwhile
                text = self._images.study_sync(uid).text
                if names_another(text):
                    found.add(uid)
        return found

    async def _find_new(self, to: Destination) -> None:
        now = self._clock.now()
        last = self._looked_at.get(to.name)
        since = None if last is None else last - _OVERLAP

        def command(tx: Tx) -> int:
            return forward_rows.add_new(
                tx, to.name, sites=to.sites, not_from=to.actor, since=since, most=_AT_ONCE
            )

        def is_any() -> bool:
            with reading(self._engine) as connection:
                return forward_rows.any_new(
                    connection, to.name, sites=to.sites, not_from=to.actor, since=since
                )

        while await asyncio.to_thread(is_any):
            if await self._writer.transact(command) < _AT_ONCE:
                break
        self._looked_at[to.name] = now

    # ------------------------------------------------------------ for people

    async def of_study(self, study_uid: str) -> list[Forward]:
        """What became of each object of a study."""

        def look() -> list[Forward]:
            with reading(self._engine) as connection:
                return forward_rows.of_study(connection, study_uid)

        return await asyncio.to_thread(look)

    async def summary(self) -> list[dict[str, Any]]:
        """How many objects wait, were taken, were refused, by destination."""

        def look() -> list[dict[str, Any]]:
            with reading(self._engine) as connection:
                return forward_rows.summary(connection)

        return await asyncio.to_thread(look)

    async def again(self, destination: str, study_uid: str | None = None) -> int:
        """Try at once what waits or was refused; gives the number of objects."""
        return await self._writer.transact(lambda tx: forward_rows.again(tx, destination, study_uid))


def _moved(tx: Tx, study_uids: Iterable[str]) -> None:
    for uid in study_uids:
        forward_rows.moved(tx, uid, names_another=True)


def _write(tx: Tx, to: Destination, batch: Sequence[Due], sent: Mapping[str, Outcome]) -> None:
    for one in batch:
        tries = one.attempts + 1
        match sent.get(one.sop_uid):
            case Sent(receipt=receipt):
                values: dict[str, Any] = {
                    "state": "sent",
                    "receipt": receipt,
                    "reason": None,
                    "ended_at": tx.now,
                }
            case Refused(reason=reason):
                values = {"state": "refused", "reason": reason[:200], "ended_at": tx.now}
            case Failed(reason=reason):
                values = {"reason": reason[:200], "next_at": next_try(tx.now, tries)}
            case _:  # its file is gone, or its patient was erased and the row with it
                values = {"reason": "no_file", "next_at": next_try(tx.now, tries)}
        forward_rows.put(tx, to.name, one.sop_uid, attempts=tries, **values)
