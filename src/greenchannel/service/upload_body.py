"""The body of a request becomes durable bytes of an upload: written as it comes, promised once it is on disk."""

import asyncio
import errno
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Final

from greenchannel.ingest import tus
from greenchannel.ingest.errors import IngestError
from greenchannel.ingest.tus_body import Patch, kept, take
from greenchannel.store.errors import CommitFailed
from greenchannel.store.upload_parts import PartFile

CHECKPOINT_S: Final = 1.0  # at the latest; a killed service loses no more than this of a thin link  [E]
CHECKPOINT_BYTES: Final = 2**20
FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
NOTHING_KEPT: Final = frozenset({"too_large", "checksum_mismatch"})

Commit = Callable[[int], Awaitable[tus.Upload]]
"""Write the row: so many bytes are durable, which may be fewer than before."""


class BodyCut(Exception):
    """The line was cut, or nothing came any more."""


class Body:
    """Takes one body into one open file.

    Parameters
    ----------
    upload : as its row has it
    file : open at the upload's offset
    commit : raises `CommitFailed` where the database takes nothing
    over : set when another request wants the upload
    idle_s : after so long without a byte the line is taken for cut
    """

    def __init__(
        self, upload: tus.Upload, file: PartFile, commit: Commit, over: asyncio.Event, idle_s: float
    ) -> None:
        self._upload = upload
        self._file = file
        self._commit = commit
        self._over = over
        self._idle_s = idle_s
        self._checked_at = time.monotonic()

    async def take(self, patch: Patch, chunks: AsyncIterator[bytes]) -> tus.Upload:
        """Take the body to its end; the upload as its row has it then.

        Raises
        ------
        IngestError
            ``too_large`` and ``checksum_mismatch``: nothing of this body is kept. ``disk_full``, ``not_durable`` and
            ``upload_taken_over``: what is durable is kept.
        BodyCut
            The line was cut; what came is kept, unless it was to be compared with a checksum.
        """
        try:
            patch, end = await self._write(patch, chunks)
            offset = kept(patch, whole=end is None)
        except IngestError as error:
            if error.code in NOTHING_KEPT:
                await self._back_to(patch.start)
            raise
        except OSError as error:
            raise await self._no_room(error) from error
        await self._keep(offset)
        if end is not None:
            raise end
        return self._upload

    async def _write(
        self, patch: Patch, chunks: AsyncIterator[bytes]
    ) -> tuple[Patch, BodyCut | IngestError | None]:
        """What came, and why it ended where it did not end by itself."""
        over = asyncio.ensure_future(self._over.wait())
        coming: asyncio.Future[bytes | None] | None = None
        heard_at = time.monotonic()
        try:
            while True:
                coming = coming or asyncio.ensure_future(_next(chunks))
                waiting: set[asyncio.Future[Any]] = {coming, over}
                await asyncio.wait(waiting, timeout=CHECKPOINT_S, return_when=asyncio.FIRST_COMPLETED)
                if coming.done():
                    try:
                        chunk = coming.result()
                    except BodyCut as cut:
                        return patch, cut
                    if chunk is None:
                        return patch, None
                    coming, heard_at = None, time.monotonic()
                    patch = take(patch, chunk)
                    await asyncio.to_thread(self._file.write, chunk)
                elif over.done():
                    return patch, _taken_over()
                elif time.monotonic() - heard_at > self._idle_s:
                    return patch, BodyCut()
                if patch.checksum is None and self._is_due():
                    await self._keep(self._file.offset)
        finally:
            for task in (over, coming):
                if task is not None:
                    task.cancel()

    def _is_due(self) -> bool:
        new = self._file.offset - self._upload.offset
        late = time.monotonic() - self._checked_at >= CHECKPOINT_S
        # All bytes may be here and the body still go on: whether it may is known at its end alone.
        return new > 0 and self._file.offset < self._upload.length and (late or new >= CHECKPOINT_BYTES)

    async def _keep(self, offset: int) -> None:
        """Bytes first, then the row."""
        try:
            if offset < self._file.offset:
                await asyncio.to_thread(self._file.cut, offset)
            await asyncio.to_thread(self._file.sync)
            self._upload = await self._commit(offset)
            self._checked_at = time.monotonic()
        except (OSError, CommitFailed) as error:
            raise await self._no_room(error) from error

    async def _back_to(self, start: int) -> None:
        """As if the body had never come."""
        await asyncio.to_thread(self._file.cut, start)
        if self._upload.offset != start:
            await self._keep(start)

    async def _no_room(self, error: Exception) -> IngestError:
        """What is durable stays, what is not goes; the row is right as it is."""
        await asyncio.to_thread(self._file.cut, self._upload.offset)
        return out_of_room(error)


def out_of_room(error: Exception) -> IngestError:
    """The refusal where bytes or their row cannot be written: ``disk_full``, else ``not_durable``."""
    cause = error.__cause__ if isinstance(error, CommitFailed) else error
    full = isinstance(cause, OSError) and cause.errno in FULL
    full |= "database or disk is full" in str(cause)
    message = "there is no room for more bytes" if full else "nothing can be written at present"
    return IngestError(
        "disk_full" if full else "not_durable", message, "what was confirmed is kept; go on later"
    )


async def _next(chunks: AsyncIterator[bytes]) -> bytes | None:
    return await anext(chunks, None)


def _taken_over() -> IngestError:
    return IngestError(
        "upload_taken_over",
        "another request goes on with this upload",
        "one request at a time",
        "a newer one",
    )
