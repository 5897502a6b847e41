"""Resumable uploads: the shell around `ingest.tus`. Bytes to disk, rows to the database, whole files to the intake.

The order is the promise: bytes (fdatasync), row (commit), answer. What became of a whole file is written in the commit
that takes it in, so a crash at any moment leaves an upload that either was taken in once, or will be.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final, Literal

import structlog
from sqlalchemy import Engine

from greenchannel.clock import Clock
from greenchannel.ingest import tus
from greenchannel.ingest.errors import ABOUT_THE_BYTES, IngestError
from greenchannel.ingest.packed import check_encoding, unpack
from greenchannel.ingest.tus_body import Patch
from greenchannel.ingest.tus_headers import Concat, parse_metadata
from greenchannel.service.arrival import UploadAnswer
from greenchannel.service.callers import Caller
from greenchannel.service.errors import NotFound, ServiceError
from greenchannel.service.ids import new_id
from greenchannel.service.imaging.study_intake import StudyIntake
from greenchannel.service.intake import Intake
from greenchannel.service.upload_answers import Outcome, outcome_of, refusal_of
from greenchannel.service.upload_body import Body, BodyCut, out_of_room
from greenchannel.service.upload_book import UploadBook
from greenchannel.service.upload_turns import Turns
from greenchannel.store.errors import CommitFailed, PatientKeyMissing
from greenchannel.store.quarantine import Quarantine
from greenchannel.store.upload_parts import Parts, PartShort
from greenchannel.store.vault import Vault
from greenchannel.store.writer import Tx, Writer

logger = structlog.get_logger(__name__)

SPARE_BYTES: Final = 64 * 2**20  # left to the log, which must go on when nothing else can  [E]
_REFUSALS: Final = (IngestError, ServiceError, PatientKeyMissing)
_LATER: Final = frozenset({"not_durable", "disk_full"})  # no refusal: the bytes wait for better times


class Uploads:
    """Every upload that is under way, and for some days what became of it."""

    def __init__(
        self,
        *,
        engine: Engine,
        writer: Writer,
        clock: Clock,
        vault: Vault,
        parts: Parts,
        intake: Intake,
        quarantine: Quarantine,
        most_bytes: int,
        kept_s: float,
        idle_s: float,
    ) -> None:
        self._parts = parts
        self._intake = intake
        self._quarantine = quarantine
        self._clock = clock
        self._idle_s = idle_s
        self.limits = tus.Limits(most_bytes=most_bytes, kept=timedelta(seconds=kept_s))
        self.studies: StudyIntake | None = None
        self.book = UploadBook(engine, writer, vault)
        self.turns = Turns()
        self.free_bytes: Callable[[], int] = parts.free_bytes

    def take_studies(self, studies: StudyIntake) -> None:
        """Take studies of images too, as archives."""
        self.studies = studies
        self.limits = replace(self.limits, most_study_bytes=studies.most_bytes)

    # ------------------------------------------------------------ what the routes ask

    def turn(self, upload_id: str) -> AbstractAsyncContextManager[asyncio.Event]:
        """The turn on one upload; see `Turns`."""
        return self.turns.turn(upload_id)

    async def get(self, upload_id: str, caller: Caller) -> tuple[tus.Upload, Outcome | None]:
        """An upload of the caller's, and what became of it; raises `NotFound` for any other, ``upload_expired``."""
        upload, outcome = await self.book.get(upload_id)
        if upload.owner != caller.actor:
            raise NotFound("upload", upload_id)
        tus.check_there(upload, self._clock.now())
        return upload, outcome

    async def create(
        self, *, length: int | None, metadata: str, concat: Concat, caller: Caller
    ) -> tus.Upload:
        """Begin an upload, or join the parts of one; `length` is None for the latter.

        Raises
        ------
        IngestError, Forbidden, Conflict
            What would be refused at the end is refused at the beginning, as far as it can be known then.
        NotFound
            A part is not there.
        """
        now, words = self._clock.now(), parse_metadata(metadata)
        fields = self._intake.fields_of(words, caller)
        self._intake.check_sender(fields, caller)
        check_encoding(words.get("encoding", ""))
        parts = [(await self.get(part, caller))[0] for part in concat.final]
        if parts or length is None:
            length = tus.joined_length(parts, now)
        upload = tus.create(
            upload_id=new_id("u"),
            owner=caller.actor,
            length=length,
            metadata=metadata,
            concat=concat,
            most_bytes=self.limits.of(words),
            under_way=await self.book.under_way(caller.actor),
            limits=self.limits,
            now=now,
        )
        try:
            if await asyncio.to_thread(self.free_bytes) < length + SPARE_BYTES:
                raise OSError(28, "no space left beside what the log needs")
            if parts:
                sources = [(part.upload_id, part.length) for part in parts]
                await asyncio.to_thread(self._parts.join, upload.upload_id, sources)
                upload = tus.advance(upload, length, now, self.limits)
            else:
                await asyncio.to_thread(self._parts.make, upload.upload_id)
            await self.book.add(upload, caller)
        except (OSError, CommitFailed, PartShort) as error:
            await asyncio.to_thread(self._parts.remove, upload.upload_id)
            raise out_of_room(error) from error
        return upload

    async def take(
        self, upload: tus.Upload, patch: Patch, chunks: AsyncIterator[bytes], over: asyncio.Event
    ) -> tus.Upload:
        """Take a body in, within the turn; see `Body.take`. A whole upload is taken in by `finish`."""
        known = upload

        async def commit(offset: int) -> tus.Upload:
            nonlocal known
            now = self._clock.now()
            back = offset < known.offset
            new = tus.settle(known, offset) if back else tus.advance(known, offset, now, self.limits)
            await self.book.change(known, new)
            known = new
            return known

        try:
            with self._parts.opened(upload.upload_id, upload.offset) as file:
                return await Body(upload, file, commit, over, self._idle_s).take(patch, chunks)
        except PartShort as short:
            back = await self._settle(upload, short.size_bytes)
            raise IngestError(
                "offset_mismatch",
                "bytes of this upload were lost on our side",
                expected=f"Upload-Offset: {back.offset}",
                got=str(patch.start),
            ) from short
        except (BodyCut, IngestError):  # nobody may come back for what is whole
            if known.awaits_intake:
                await asyncio.gather(self.finish(known), return_exceptions=True)
            raise

    async def terminate(self, upload: tus.Upload) -> None:
        """Forget an upload, within the turn; raises ``upload_final`` where its bytes are about to be taken in."""
        tus.check_terminable(upload)
        await self._forget(upload)

    # ------------------------------------------------------------ whole files

    async def finish(self, upload: tus.Upload) -> Outcome:
        """Take a whole file in, within the turn, as `POST /ecgs` would; once, whatever crashes.

        Raises
        ------
        IngestError
            ``disk_full`` or ``not_durable``: the bytes are kept, and are taken in later.
        """
        caller = await self.book.caller(upload.upload_id)
        words = parse_metadata(upload.metadata)
        if tus.holds_images(words):
            return await self._finish_study(upload, caller, words)
        try:
            data = await asyncio.to_thread(self._parts.read, upload.upload_id, upload.length)
        except PartShort as short:
            await self._settle(upload, short.size_bytes)
            raise IngestError("not_durable", "bytes of this upload were lost on our side") from short
        try:
            most_bytes, packed = self.limits.of(words), data
            data = await asyncio.to_thread(unpack, words.get("encoding", ""), packed, most_bytes)
            _check_sha256(words, hashlib.sha256(data).hexdigest())
            answer = await self._receive(upload, caller, words, data)
        except (OSError, CommitFailed) as error:
            raise out_of_room(error) from error
        except _REFUSALS as error:
            if isinstance(error, IngestError) and error.code in _LATER:
                raise
            outcome = Outcome(refusal=refusal_of(error))
            await self._refuse(upload, caller, data, error, outcome)
        else:
            outcome = outcome_of(answer)
        await asyncio.to_thread(self._parts.remove, upload.upload_id)
        return outcome

    async def _finish_study(self, upload: tus.Upload, caller: Caller, words: dict[str, str]) -> Outcome:
        """Objects that were taken in before a crash are known when it is tried again."""
        try:
            if self.studies is None:
                raise IngestError("unsupported", "no images are taken here")
            if words.get("encoding", "").strip().lower() not in ("", "identity"):
                raise IngestError("unsupported", "an archive is packed already", "no encoding")
            with self._parts.reader(upload.upload_id, upload.length) as file:
                found = await asyncio.to_thread(lambda: hashlib.file_digest(file, "sha256").hexdigest())
                _check_sha256(words, found)
                outcome = Outcome(study=await self.studies.take(file, words, caller))
        except PartShort as short:
            await self._settle(upload, short.size_bytes)
            raise IngestError("not_durable", "bytes of this upload were lost on our side") from short
        except (OSError, CommitFailed) as error:
            raise out_of_room(error) from error
        except _REFUSALS as error:
            if isinstance(error, IngestError) and error.code in _LATER:
                raise
            outcome = Outcome(refusal=refusal_of(error))
        state: Literal["taken", "refused"] = "taken" if outcome.refusal is None else "refused"
        await self.book.change(upload, tus.answered(upload, state, self._clock.now(), self.limits), outcome)
        await asyncio.to_thread(self._parts.remove, upload.upload_id)
        return outcome

    async def _receive(
        self, upload: tus.Upload, caller: Caller, words: dict[str, str], data: bytes
    ) -> UploadAnswer:
        fields = self._intake.fields_of(words, caller)
        files = [(words.get("filename") or None, data)]

        def also(tx: Tx, answer: UploadAnswer) -> None:
            taken = tus.answered(upload, "taken", tx.now, self.limits)
            self.book.write(tx, upload, taken, outcome_of(answer))

        return await self._intake.receive(
            files, fields, caller, upload_started_at=upload.created_at, also=also
        )

    async def _refuse(
        self, upload: tus.Upload, caller: Caller, data: bytes, error: Exception, outcome: Outcome
    ) -> None:
        if isinstance(error, IngestError) and error.code in ABOUT_THE_BYTES:
            await asyncio.to_thread(
                lambda: self._quarantine.keep(
                    data, reason=error.code, detail=str(error), actor=caller.actor, at=self._clock.now()
                )
            )
        refused = tus.answered(upload, "refused", self._clock.now(), self.limits)
        await self.book.change(upload, refused, outcome)

    # ------------------------------------------------------------ the house

    async def start(self) -> None:
        """After a crash: files as long as their rows say, rows that never say more than their files, no orphans."""
        rows = await self.book.every()
        known = {upload.upload_id: upload for upload in rows}
        for upload_id in await asyncio.to_thread(self._parts.ids):
            if upload_id not in known or known[upload_id].state in ("taken", "refused"):
                await asyncio.to_thread(self._parts.remove, upload_id)
        for upload in rows:
            if upload.state in ("receiving", "complete"):
                size_bytes = await asyncio.to_thread(self._parts.size, upload.upload_id)
                if size_bytes != upload.offset:
                    await self._settle(upload, size_bytes)

    async def _settle(self, upload: tus.Upload, size_bytes: int) -> tus.Upload:
        settled = tus.settle(upload, size_bytes)
        if settled != upload:
            logger.critical(
                "confirmed bytes of an upload are gone",
                upload_id=upload.upload_id,
                confirmed=upload.offset,
                there=size_bytes,
            )
            await self.book.change(upload, settled)
        await asyncio.to_thread(self._parts.cut, settled.upload_id, settled.offset)
        return settled

    async def sweep(self) -> None:
        """One round: take in what waits for it, forget what is over."""
        for upload_id in await self.book.complete():
            if not self.turns.busy(upload_id):
                async with self.turn(upload_id):
                    upload, _ = await self.book.get(upload_id)
                    if upload.awaits_intake:
                        await asyncio.gather(self._finish_late(upload), return_exceptions=True)
        await self.forget_expired(self._clock.now())

    async def _finish_late(self, upload: tus.Upload) -> None:
        try:
            await self.finish(upload)
        except Exception:
            logger.critical("an upload was not taken in", upload_id=upload.upload_id, exc_info=True)
            raise

    async def forget_expired(self, now: datetime) -> int:
        """Forget the uploads that nobody went on with in time; gives their number."""
        gone = 0
        for upload in await self.book.due(now):
            if tus.expired(upload, now) and not self.turns.busy(upload.upload_id):
                async with self.turn(upload.upload_id):
                    current, _ = await self.book.get(
                        upload.upload_id
                    )  # somebody may have gone on with it since
                    if tus.expired(current, now):
                        await self._forget(current)
                        gone += 1
        return gone

    async def _forget(self, upload: tus.Upload) -> None:
        await self.book.remove(
            upload.upload_id
        )  # the row first: a file without a row is swept at the next start
        await asyncio.to_thread(self._parts.remove, upload.upload_id)


def _check_sha256(words: dict[str, str], found: str) -> None:
    """Raise ``checksum_mismatch`` where the sender said what the whole hashes to, and it does not."""
    said = words.get("sha256", "").strip().lower()
    if said and said != found:
        raise IngestError("checksum_mismatch", "the file is not what was sent", f"sha256 {said[:64]}", found)
