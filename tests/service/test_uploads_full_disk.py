"""Uploads where the disk takes nothing more: what was confirmed stays, and the sender goes on later."""

import errno
from pathlib import Path
from typing import Any

import pytest

from greenchannel.ingest.errors import IngestError
from greenchannel.service.desk import Desk
from greenchannel.store import upload_parts
from greenchannel.store.errors import CommitFailed
from tests.service.upload_lives import ECG, PIECE, alone, begin, ends_whole, half, patch, state


@pytest.mark.parametrize("what", ["write", "sync", "commit"])
def test_a_full_disk_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    """The body is refused as `disk_full`, what was confirmed stays, and later it goes on to the end."""

    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "no space left on device")

    write = upload_parts.write_at

    def some_then_full(descriptor: int, data: bytes, offset: int) -> None:
        if offset >= PIECE + 2000:
            write(descriptor, data[:10], offset)
            full()
        write(descriptor, data, offset)

    async def no_commit(*_: Any) -> None:
        cause = OSError(errno.ENOSPC, "no space left on device")
        raise CommitFailed("expected a commit") from cause

    async def story(desk: Desk) -> None:
        upload_id = await half(desk)
        if what == "write":
            monkeypatch.setattr(upload_parts, "write_at", some_then_full)
        elif what == "sync":
            monkeypatch.setattr(upload_parts, "sync_data", full)
        else:
            monkeypatch.setattr(desk.uploads.book, "change", no_commit)
        with pytest.raises(IngestError) as error:
            await patch(desk, upload_id, ECG[PIECE:])
        assert error.value.code == "disk_full"
        assert (tmp_path / "uploads" / f"{upload_id}.part").stat().st_size == PIECE
        monkeypatch.undo()
        await ends_whole(desk, upload_id, PIECE)

    alone(tmp_path, story)


def test_a_disk_that_is_full_when_the_file_is_whole_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All bytes were confirmed, so they are kept and taken in when there is room, by the sweep."""

    async def story(desk: Desk) -> None:
        upload_id = await begin(desk)
        whole = await patch(desk, upload_id, ECG)

        def full(*_: Any) -> None:
            raise OSError(errno.ENOSPC, "no space left on device")

        monkeypatch.setattr(type(desk.intake._blobs), "stage", full)
        with pytest.raises(IngestError) as error:
            await desk.uploads.finish(whole)
        assert error.value.code == "disk_full"
        await desk.uploads.sweep()
        assert (await state(desk, upload_id))[0].awaits_intake
        monkeypatch.undo()
        await desk.uploads.sweep()
        assert (await state(desk, upload_id))[0].state == "taken"

    alone(tmp_path, story)


def test_no_upload_begins_where_there_is_no_room_for_it(tmp_path: Path) -> None:
    """The log's own room is not given away; a refused upload leaves nothing."""

    async def story(desk: Desk) -> None:
        desk.uploads.free_bytes = lambda: len(ECG)
        with pytest.raises(IngestError) as error:
            await begin(desk)
        assert error.value.code == "disk_full" and not list((tmp_path / "uploads").glob("*"))

    alone(tmp_path, story)
