"""Signed reports lie in their study as objects of their own, so that whoever asks for the study has them.

What is to be filed is a row that is written in the commit of the signature and goes in that of the object: each text
once, whatever dies in between. How the object is written is the caller's, see `Write`.
"""

import asyncio
import contextlib
import functools
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Final, Protocol

import msgspec
import structlog
from sqlalchemy import Engine

from greenchannel.alerts.imaging.reading import Reading
from greenchannel.ingest.imaging.instance import read_instance
from greenchannel.service.desk import Desk
from greenchannel.service.errors import NotFound
from greenchannel.service.imaging.reading_words import opened
from greenchannel.service.imaging.records import ImageStudy, StoredInstance
from greenchannel.service.imaging.report_wanted import Wanted
from greenchannel.service.imaging.threads import in_images
from greenchannel.service.keeping import keep_running
from greenchannel.store import chore_rows
from greenchannel.store.chore_rows import Chore
from greenchannel.store.engine import reading
from greenchannel.store.writer import Tx, Writer

logger = structlog.get_logger(__name__)

POLL_S: Final = 1.0
AGAIN_S: Final = (5.0, 30.0, 300.0, 3600.0)  # after a try in vain; the last is repeated  [E]
_AT_ONCE: Final = 20


class Write(Protocol):
    """Writes a report as the bytes of a DICOM file; under the same UIDs whenever it is asked."""

    def __call__(
        self,
        reading: Reading,
        study: ImageStudy,
        images: Sequence[StoredInstance],
        names: Mapping[str, str],
    ) -> bytes:
        """`reading` ends with the text that is written; `images` are what it is about; `names` of people by id."""


class ReportFiling:
    """Runs beside a serving desk."""

    def __init__(self, desk: Desk, engine: Engine, writer: Writer, write: Write) -> None:
        self._images = desk.images
        self._readings = desk.image_readings
        self._accounts = desk.accounts
        self._clock = desk.clock
        self._engine = engine
        self._writer = writer
        self._write = write
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin with what was left."""
        work = keep_running("reports as objects", self.step, POLL_S)
        self._task = asyncio.create_task(work, name="reports as objects")

    async def stop(self) -> None:
        """End; what was not filed is after the next start."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def step(self) -> None:
        """File what is due. One that fails keeps no other from its turn."""
        now = self._clock.now()

        def look() -> list[Chore]:
            with reading(self._engine) as connection:
                return chore_rows.due(connection, "report", now, _AT_ONCE)

        for chore in await asyncio.to_thread(look):
            try:
                await self._file(chore)
            except Exception:
                logger.critical("a report could not be filed, and is tried again", id=chore.id, exc_info=True)
                again_s = AGAIN_S[min(chore.attempts, len(AGAIN_S) - 1)]
                again_at = self._clock.now() + timedelta(seconds=again_s)
                again = functools.partial(chore_rows.put_off, chore=chore, next_at=again_at)
                await self._writer.transact(again)

    async def _file(self, chore: Chore) -> None:
        wanted = msgspec.json.decode(chore.payload, type=Wanted)
        known = self._readings.known(wanted.study_uid)
        try:
            study = await self._images.study(wanted.study_uid)
        except NotFound:
            study = None
        carried = () if known is None else known.carried
        if known is None or study is None or wanted.report_id in {one.report_id for one in carried}:
            # Erased, or signed of another patient: what is not confirmed of this one is not filed as his.
            await self._writer.transact(lambda tx: chore_rows.done(tx, chore.id))
            return
        ids = [one.report_id for one in known.signed]
        texts = known.signed[: ids.index(wanted.report_id) + 1]
        known = opened(msgspec.structs.replace(known, signed=texts), study.text.text_key)
        stored = await self._images.instances(study.study_uid)
        users = await asyncio.to_thread(self._accounts.users)
        names = {one.id: one.name for one in users}
        images = [one for one in stored if not one.made_here]
        data = await in_images(self._write, known, study, images, names)
        one = await in_images(read_instance, data)

        def may(tx: Tx) -> bool:
            if self._moved_since(tx, known):  # it names the patient before, and is looked at anew
                return False
            return chore_rows.done(tx, chore.id)

        await self._images.add_made_here(data, one, may)

    def _moved_since(self, tx: Tx, known: Reading) -> bool:
        """Was the study moved to another case while its report was written?"""
        try:
            return self._readings.current(tx, known.study_uid).moves != known.moves
        except NotFound:  # erased meanwhile, and the row with it
            return True
