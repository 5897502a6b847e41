"""Uploads through crashes and restarts: nothing confirmed is lost, nothing is taken in twice."""

import asyncio
import os
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from greenchannel.ingest import tus
from greenchannel.ingest.errors import IngestError
from greenchannel.ingest.tus_headers import Concat
from greenchannel.service.desk import Desk
from greenchannel.store import upload_parts
from tests.desk_world import World, device
from tests.service.upload_lives import (
    ECG,
    PIECE,
    alone,
    begin,
    ends_whole,
    half,
    in_lives,
    patch,
    received,
    state,
)
from tests.tus_client import metadata


def test_a_file_longer_than_its_row_is_cut_to_it(tmp_path: Path) -> None:
    """Bytes were written and the service died before their row: nobody was told of them."""

    def longer(path: Path) -> None:
        path.write_bytes(path.read_bytes() + b"never confirmed")

    async def after(desk: Desk, upload_id: str) -> None:
        assert (tmp_path / "uploads" / f"{upload_id}.part").stat().st_size == PIECE
        await ends_whole(desk, upload_id, PIECE)

    in_lives(tmp_path, half, longer, after)


@pytest.mark.parametrize("left", [0, 17, PIECE - 1])
def test_a_row_never_says_more_than_its_file(tmp_path: Path, left: int) -> None:
    """A disk that lost what it had promised: the row goes back, and the sender sends it again."""

    async def after(desk: Desk, upload_id: str) -> None:
        await ends_whole(desk, upload_id, left)

    in_lives(tmp_path, half, lambda path: os.truncate(path, left), after)


def test_a_file_that_is_gone_begins_anew_and_one_of_nobody_goes(tmp_path: Path) -> None:
    """After a start the folder holds what the rows say, and nothing else."""

    def gone(path: Path) -> None:
        path.unlink()
        path.with_name("u_nobody.part").write_bytes(b"x")

    async def after(desk: Desk, upload_id: str) -> None:
        assert [path.name for path in (tmp_path / "uploads").iterdir()] == [f"{upload_id}.part"]
        await ends_whole(desk, upload_id, 0)

    in_lives(tmp_path, half, gone, after)


def test_a_whole_file_that_was_not_taken_in_before_the_crash_is_taken_in_after_it(tmp_path: Path) -> None:
    """Once, without its sender; who asks later is told as if nothing had been."""

    async def whole(desk: Desk) -> str:
        upload_id = await begin(desk)
        assert (await patch(desk, upload_id, ECG)).awaits_intake
        return upload_id

    async def after(desk: Desk, upload_id: str) -> None:
        await desk.uploads.sweep()
        upload, outcome = await state(desk, upload_id)
        assert upload.state == "taken" and outcome is not None and outcome.answer is not None
        assert not outcome.answer.duplicate and received(desk) == [outcome.answer.sha256]
        await desk.uploads.sweep()
        assert len(received(desk)) == 1 and not list((tmp_path / "uploads").iterdir())

    in_lives(tmp_path, whole, lambda path: None, after)


def test_what_was_taken_in_just_before_the_crash_is_not_taken_in_again(tmp_path: Path) -> None:
    """The answer stands in the same commit; only the file was left, and goes."""

    async def taken(desk: Desk) -> str:
        upload_id = await begin(desk)
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(upload_parts.Parts, "remove", lambda parts, upload: None)
            await desk.uploads.finish(await patch(desk, upload_id, ECG))
        return upload_id

    async def after(desk: Desk, upload_id: str) -> None:
        assert not list((tmp_path / "uploads").iterdir()) and len(received(desk)) == 1
        upload, outcome = await state(desk, upload_id)
        assert outcome is not None and outcome.answer is not None and upload.metadata == ""

    in_lives(tmp_path, taken, lambda path: None, after)


def test_bytes_are_on_disk_before_their_row_and_the_row_before_the_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The order is the promise."""
    order: list[Any] = []
    sync = upload_parts.sync_data

    async def story(desk: Desk) -> None:
        upload_id = await begin(desk)
        transact = desk.uploads.book._writer.transact

        def synced(descriptor: int) -> None:
            sync(descriptor)
            order.append("on disk")

        async def committed(function: Any) -> Any:
            result = await transact(function)
            order.append("row")
            return result

        monkeypatch.setattr(upload_parts, "sync_data", synced)
        monkeypatch.setattr(desk.uploads.book._writer, "transact", committed)
        await patch(desk, upload_id, ECG[:PIECE])
        order.append("answer")
        monkeypatch.undo()

    alone(tmp_path, story)
    assert order == ["on disk", "row", "answer"]


def test_due_times_are_found_again_after_a_restart(tmp_path: Path) -> None:
    """An upload of before the crash expires when it was said to; one that is whole never does."""
    world = World(folder=tmp_path)

    async def play() -> None:
        async with world.desk() as desk:
            expiring, whole = await half(desk), await begin(desk)
            await patch(desk, whole, ECG)
        world.pass_time(25 * 3600.0)
        async with world.desk() as desk:
            await desk.uploads.sweep()
            assert await desk.uploads.forget_expired(desk.clock.now()) == 0
            assert [one.upload_id for one in await desk.uploads.book.every()] == [whole] != [expiring]

    asyncio.run(play())


def test_what_is_whole_is_taken_in_whoever_hangs_up(tmp_path: Path) -> None:
    """All bytes came and the body did not end: another request came, or the line was cut. Nobody has to come back."""

    async def story(desk: Desk) -> None:
        upload_id = await begin(desk)

        async def chunks() -> AsyncIterator[bytes]:
            yield ECG
            await asyncio.Event().wait()

        async with desk.uploads.turn(upload_id) as over:
            upload, _ = await state(desk, upload_id)
            going = tus.begin(upload, offset=0, announced=None, checksum=None, now=desk.clock.now())
            asyncio.get_running_loop().call_later(0.05, over.set)
            with pytest.raises(IngestError) as error:
                await desk.uploads.take(upload, going, chunks(), over)
        assert error.value.code == "upload_taken_over"
        assert (await state(desk, upload_id))[0].state == "taken" and len(received(desk)) == 1

    alone(tmp_path, story)


def test_an_upload_that_went_on_while_it_was_swept_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What counts is the row as it is when it would go, not as it was when the sweep began."""

    async def story(desk: Desk) -> None:
        upload_id = await half(desk)
        upload, _ = await state(desk, upload_id)

        async def stale(now: Any) -> list[tus.Upload]:
            return [replace(upload, expires_at=now)]

        monkeypatch.setattr(desk.uploads.book, "due", stale)
        assert await desk.uploads.forget_expired(desk.clock.now()) == 0
        await ends_whole(desk, upload_id, PIECE)

    alone(tmp_path, story)


def test_a_row_does_not_show_who_the_patient_is(tmp_path: Path) -> None:
    """What stands beside the bytes is sealed, as the bytes are."""

    async def story(desk: Desk) -> None:
        await desk.uploads.create(
            length=9, metadata=metadata(name="Zhang San"), concat=Concat(), caller=device()
        )

    alone(tmp_path, story)
    for path in tmp_path.glob("greenchannel.sqlite*"):
        assert metadata(name="Zhang San").encode() not in path.read_bytes()
