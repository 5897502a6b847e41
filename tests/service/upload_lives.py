"""Uploads at a desk without a network: one body, one life of the service, and the next."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Final

from greenchannel.events import EcgReceived
from greenchannel.ingest import tus
from greenchannel.ingest.tus_headers import Concat
from greenchannel.service.desk import Desk
from greenchannel.service.upload_answers import Outcome
from tests.desk_world import World, device, dicom
from tests.tus_client import metadata

ECG: Final = dicom()
PIECE: Final = 5000


async def begin(desk: Desk, length: int = len(ECG)) -> str:
    """A new upload of the clinic's device."""
    made = await desk.uploads.create(
        length=length, metadata=metadata(patient_ref="p1"), concat=Concat(), caller=device()
    )
    return made.upload_id


async def patch(desk: Desk, upload_id: str, content: bytes) -> tus.Upload:
    """One body, whole, at the upload's end; a whole file is not taken in yet."""

    async def chunks() -> AsyncIterator[bytes]:
        for at in range(0, len(content), 1000):
            yield content[at : at + 1000]

    async with desk.uploads.turn(upload_id) as over:
        upload, _ = await desk.uploads.get(upload_id, device())
        going = tus.begin(
            upload, offset=upload.offset, announced=len(content), checksum=None, now=desk.clock.now()
        )
        return await desk.uploads.take(upload, going, chunks(), over)


async def state(desk: Desk, upload_id: str) -> tuple[tus.Upload, Outcome | None]:
    return await desk.uploads.get(upload_id, device())


def received(desk: Desk) -> list[str]:
    """What came into cases, by its hash."""
    return [one.event.sha256 for one in desk.log.read() if isinstance(one.event, EcgReceived)]


def alone(tmp_path: Path, story: Callable[[Desk], Awaitable[None]]) -> None:
    """One life."""

    async def play() -> None:
        async with World(folder=tmp_path).desk() as desk:
            await story(desk)

    asyncio.run(play())


def in_lives(
    tmp_path: Path,
    first: Callable[[Desk], Awaitable[str]],
    between: Callable[[Path], None],
    second: Callable[[Desk, str], Awaitable[None]],
) -> None:
    """One life of the service, what happened to its disk, and the next life."""
    world = World(folder=tmp_path)

    async def play() -> None:
        async with world.desk() as desk:
            upload_id = await first(desk)
        between(tmp_path / "uploads" / f"{upload_id}.part")
        async with world.desk() as desk:
            await second(desk, upload_id)

    asyncio.run(play())


async def half(desk: Desk) -> str:
    upload_id = await begin(desk)
    assert (await patch(desk, upload_id, ECG[:PIECE])).offset == PIECE
    return upload_id


async def ends_whole(desk: Desk, upload_id: str, offset: int) -> None:
    """From `offset` on the rest is sent; the ECG is the one that was meant, once."""
    upload, _ = await state(desk, upload_id)
    assert upload.offset == offset
    whole = await patch(desk, upload_id, ECG[offset:])
    outcome = await desk.uploads.finish(whole)
    assert outcome.answer is not None and outcome.answer.sha256 == hashlib.sha256(ECG).hexdigest()
    assert await desk.original(outcome.answer.ecg_id) == ECG
    assert received(desk) == [outcome.answer.sha256]
