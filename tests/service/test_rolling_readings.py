"""Rolling readings look at what is there, whatever way it came."""

import asyncio
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from greenchannel.ingest.device_stream import GAP_BEFORE, encode_frame
from greenchannel.service.live_stream import LiveStream
from greenchannel.signal import rolling as windows
from greenchannel.signal.measure import measure
from greenchannel.signal.measurements import Measurements
from tests.desk_world import World, device
from tests.stream_world import PIECE, comes, frames, hello, strip


def piece(steps: NDArray[np.int16], first: int, flags: int = 0) -> bytes:
    """The frame that begins with a sample."""
    return encode_frame(first // PIECE, first, steps[:, first : first + PIECE].T, flags)


async def read_up_to(stream: LiveStream, second: int) -> None:
    """Wait for the reading of a second."""
    async with asyncio.timeout(20):
        while (await stream.messages.get()).get("until_s") != second:
            pass


def test_samples_that_come_late_into_an_announced_gap_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A gap that was read as one and is filled after all is none in the next reading; repeats change nothing."""
    world = World(folder=tmp_path)
    recording, steps = strip()
    read: list[Measurements | None] = []
    look = windows.read

    def noted(state: windows.Rolling) -> Any:
        found = look(state)
        read.append(found[0])
        return found

    async def play() -> None:
        async with world.desk() as desk:
            stream = await desk.streams.open(hello(recording), device())
            state = stream.running.state
            monkeypatch.setattr(windows, "read", noted)
            for first in range(0, 2000, PIECE):
                stream.receive(piece(steps, first))
            stream.receive(piece(steps, 2300, GAP_BEFORE))
            for first in range(2400, 3000, PIECE):
                stream.receive(piece(steps, first))
            await read_up_to(stream, 6)
            assert read[-1] == measure(state.excerpt(0, 3000))
            gap = read[-1]

            for first in (2200, 2000, 2100, 2000):
                stream.receive(piece(steps, first))
            for frame in frames(steps)[28:35]:
                stream.receive(frame)
            await read_up_to(stream, 7)
            assert read[-1] == measure(state.excerpt(0, 3500)) != gap
            assert np.isfinite(state.excerpt(0, 3500).samples_mv).all()
            assert stream.running.rewritten == 3

    asyncio.run(play())


def test_a_stream_goes_on_after_a_restart_where_its_readings_were(tmp_path: Path) -> None:
    """What readings rest on is no part of what is stored: it is made again from the samples."""
    world = World(folder=tmp_path)
    recording, steps = strip()

    async def play() -> None:
        async with world.desk() as desk:
            stream = await desk.streams.open(hello(recording), device())
            for frame in frames(steps)[:30]:
                stream.receive(frame)
            await read_up_to(stream, 6)
        async with world.desk() as desk:
            stream = await desk.streams.open(hello(recording), device())
            assert stream.running.known is None
            for frame in frames(steps)[30:40]:
                stream.receive(frame)
            await read_up_to(stream, 8)

            await comes(lambda: stream.running.analysed_until == 4000)

    asyncio.run(play())
