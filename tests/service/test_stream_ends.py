"""How live streams end: in time, once, after a failure too, and never for a device that is still there."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from greenchannel.events import StreamEndedEmpty
from greenchannel.ingest.errors import IngestError, SegmentBufferFull
from greenchannel.service.desk import Desk
from greenchannel.store.blobs import Blobs
from tests.desk_world import World, device
from tests.stream_world import PIECE, comes, frames, hello, strip, until_acked, until_final

SENT = 30  # frames of a strip that is cut short


async def rounds(desk: Desk, monkeypatch: pytest.MonkeyPatch, number: int = 3) -> None:
    """Let the desk go so often through all that its streams and due times may need."""
    done = 0
    sync = desk.streams._segments.sync

    def counted() -> int:
        nonlocal done
        done += 1
        return sync()

    with monkeypatch.context() as watched:
        watched.setattr(desk.streams._segments, "sync", counted)
        await comes(lambda: done >= number)
    await desk.duty.fire_due()


class BadDisk:
    """Refuses to store originals, so many times."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, times: int) -> None:
        self.left = times
        stage = Blobs.stage

        def staged(blobs: Blobs, data: bytes) -> Any:
            if self.left > 0:
                self.left -= 1
                raise OSError(28, "No space left on device")
            return stage(blobs, data)

        monkeypatch.setattr(Blobs, "stage", staged)


@pytest.mark.parametrize("cut_short", [False, True])
def test_a_strip_that_could_not_be_stored_is_stored_after_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cut_short: bool
) -> None:
    """The disk refuses once, at the end of a whole strip or of one whose device fell silent: it is tried again."""
    world = World(folder=tmp_path)
    recording, steps = strip()
    disk = BadDisk(monkeypatch, 1)

    async def play() -> None:
        async with world.desk() as desk:
            stream = await desk.streams.open(hello(recording), device())
            for piece in frames(steps)[:SENT] if cut_short else frames(steps):
                stream.receive(piece)
            if cut_short:
                await until_acked(stream, SENT * PIECE)
                world.pass_time(61)
            await until_final(stream)

            assert disk.left == 0
            assert desk.case(stream.answer["case_id"]).ecgs[0].sha256
            await comes(lambda: not desk.streams._running)
            assert not desk.streams.failing and desk.ready

    asyncio.run(play())


def test_a_strip_that_cannot_be_stored_is_seen_from_outside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While it fails the service is not ready; a device that comes back meanwhile goes on where it was."""
    world = World(folder=tmp_path)
    recording, steps = strip()
    disk = BadDisk(monkeypatch, 1000)

    async def play() -> None:
        async with world.desk() as desk:
            stream = await desk.streams.open(hello(recording), device())
            for piece in frames(steps)[:SENT]:
                stream.receive(piece)
            await until_acked(stream, SENT * PIECE)
            stream.detach()
            world.pass_time(61)
            await comes(lambda: desk.streams.failing)
            assert not desk.ready
            again = await desk.streams.open(hello(recording), device())
            assert again.answer["resume_from"] == SENT * PIECE
            for piece in frames(steps)[SENT:]:
                again.receive(piece)
            await until_acked(again, steps.shape[1])
            await comes(lambda: desk.streams.failing)
            disk.left = 0
            await until_final(again)

            assert (await desk.recording(again.answer["ecg_id"])).samples_mv.shape == steps.shape
            await comes(lambda: desk.ready)

    asyncio.run(play())


def test_a_device_that_came_back_has_its_whole_minute_after_the_next_drop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A drop and a return in the same moment leave nothing behind that could end the stream before its time."""
    world = World(folder=tmp_path)
    recording, steps = strip()

    async def play() -> None:
        async with world.desk() as desk:
            stream = await desk.streams.open(hello(recording), device())
            stream.detach()
            stream = await desk.streams.open(hello(recording), device())
            await rounds(desk, monkeypatch)
            world.pass_time(57)
            for piece in frames(steps)[:SENT]:
                stream.receive(piece)
            stream.detach()
            world.pass_time(4)
            await rounds(desk, monkeypatch)
            ecg = desk.case(stream.answer["case_id"]).ecgs[0]
            assert ecg.live and not desk.streams._running[ecg.ecg_id].finishing
            world.pass_time(57)
            await comes(lambda: desk.case(stream.answer["case_id"]).ecgs[0].sha256)

    asyncio.run(play())


def test_a_device_that_is_connected_and_silent_is_read_with_what_it_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A minute after its last frame: it hears the reading, and what it sends later is refused, not taken and lost."""
    world = World(folder=tmp_path)
    recording, steps = strip()
    pieces = frames(steps)

    async def play() -> None:
        async with world.desk() as desk:
            stream = await desk.streams.open(hello(recording), device())
            for piece in pieces[:SENT]:
                stream.receive(piece)
            world.pass_time(59)
            await rounds(desk, monkeypatch)
            stream.receive(pieces[SENT - 1])  # a repeat is a sign of life
            world.pass_time(59)
            await rounds(desk, monkeypatch)
            assert desk.case(stream.answer["case_id"]).ecgs[0].live
            world.pass_time(2)
            await until_final(stream)
            again = await desk.streams.open(hello(recording), device())
            again.receive(pieces[SENT - 1])

            assert again.answer["resume_from"] == SENT * PIECE
            for socket in (stream, again):
                with pytest.raises(IngestError) as refused:
                    socket.receive(pieces[SENT])
                assert refused.value.code == "stale_session"
            assert (await desk.recording(stream.answer["ecg_id"])).duration_s == pytest.approx(6.0)

    asyncio.run(play())


def test_a_stream_without_a_sample_ends_and_frees_its_id(tmp_path: Path) -> None:
    """The case says so, its ECG is live no more, and the next hello begins a new ECG, whoever's it is."""
    world = World(folder=tmp_path)
    recording, steps = strip()

    async def play() -> None:
        async with world.desk() as desk:
            stream = await desk.streams.open(hello(recording), device())
            case_id = stream.answer["case_id"]
            world.pass_time(61)
            await comes(lambda: not desk.case(case_id).ecgs[0].live)
            assert isinstance((await desk.history(case_id))[-1].event, StreamEndedEmpty)
            other = await desk.streams.open(hello(recording, patient_ref="B-2"), device())
            for piece in frames(steps):
                other.receive(piece)
            await until_final(other)

            assert other.answer["ecg_id"] != stream.answer["ecg_id"]
            assert other.answer["case_id"] != case_id

    asyncio.run(play())


@pytest.mark.parametrize("restarted", [False, True])
def test_a_start_that_was_cut_off_does_not_stay_live(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, restarted: bool
) -> None:
    """The log has the start and the segments have no hello: without its device it ends, at once or after a restart."""
    world = World(folder=tmp_path)
    recording, _ = strip()

    async def begin(desk: Desk) -> str:
        with monkeypatch.context() as full:
            full.setattr(desk.streams._segments, "_max_waiting_bytes", 0)
            with pytest.raises(SegmentBufferFull):
                await desk.streams.open(hello(recording), device())
        await comes(desk.cases)
        return desk.cases()[0].case_id

    async def ends(desk: Desk, case_id: str) -> None:
        assert desk.case(case_id).ecgs[0].live
        world.pass_time(61)
        await comes(lambda: not desk.case(case_id).ecgs[0].live)

    async def play() -> None:
        async with world.desk() as desk:
            case_id = await begin(desk)
            if not restarted:
                await ends(desk, case_id)
        async with world.desk() as desk:
            if restarted:
                await ends(desk, case_id)

    asyncio.run(play())


def test_a_start_that_was_cut_off_goes_on_when_its_device_is_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same hello again is the same ECG of the same case."""
    world = World(folder=tmp_path)
    recording, steps = strip()

    async def play() -> None:
        async with world.desk() as desk:
            with monkeypatch.context() as full:
                full.setattr(desk.streams._segments, "_max_waiting_bytes", 0)
                with pytest.raises(SegmentBufferFull):
                    await desk.streams.open(hello(recording), device())
            stream = await desk.streams.open(hello(recording), device())
            for piece in frames(steps):
                stream.receive(piece)
            await until_final(stream)

            assert len(desk.cases()) == 1 and len(desk.cases()[0].ecgs) == 1

    asyncio.run(play())
