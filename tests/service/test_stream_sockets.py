"""A device's connection ends when its stream does, and nothing of it stays behind."""

import asyncio
import gc
import json
import weakref
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from greenchannel.ingest.device_stream import GAP_BEFORE, StreamState, encode_frame, parse_hello
from greenchannel.ingest.errors import IngestError
from greenchannel.service.desk import Desk
from greenchannel.service.streams import MOST_EMPTY, STUCK_FACTOR
from greenchannel.viewer import stream_socket
from tests.desk_world import World, device, run
from tests.stream_world import PIECE, comes, frames, hello, strip, until_acked, until_final


class Heard:
    """What a connection sends, where its socket would be."""

    def __init__(self) -> None:
        self.messages: list[Any] = []

    async def send_json(self, content: Any) -> None:
        self.messages.append(content)


async def written(live: Any) -> Heard:
    """Let a connection say what it has to, until it ends; raises what it ends with."""
    heard = Heard()
    socket: Any = heard
    async with asyncio.timeout(20):
        await stream_socket._write(socket, live)
    return heard


def test_a_connection_without_a_sample_ends_with_its_stream(tmp_path: Path) -> None:
    """A minute of silence: no reading is to come, and the socket does not stay for it."""
    recording, _ = strip()

    async def story(world: World, desk: Desk) -> None:
        live = await desk.streams.open(hello(recording), device())
        writing = asyncio.create_task(written(live))
        await asyncio.sleep(0)
        world.pass_time(61)
        heard = await writing
        assert all(message.get("type") != "analysis" for message in heard.messages)

    run(tmp_path, story)


def test_a_connection_that_another_has_replaced_ends_with_the_reason(tmp_path: Path) -> None:
    """Also where its device never sends a frame on it again."""
    recording, steps = strip()

    async def story(world: World, desk: Desk) -> None:
        first = await desk.streams.open(hello(recording), device())
        first.receive(frames(steps)[0])
        writing = asyncio.create_task(written(first))
        await asyncio.sleep(0)
        await desk.streams.open(hello(recording), device())
        with pytest.raises(IngestError) as refused:
            await writing
        assert refused.value.code == "stale_session"

    run(tmp_path, story)


@pytest.fixture
def no_collector() -> Iterator[None]:
    """Only counts of references free anything."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("no_collector")
@pytest.mark.parametrize("last", [None, b"no frame"])
def test_a_connection_that_is_gone_leaves_no_cycle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, last: bytes | None
) -> None:
    """Cut, or refused: the strip must not wait for the collector, which comes seldom in a service."""
    recording, steps = strip()

    async def story(world: World, desk: Desk) -> None:
        connections = []
        opened = desk.streams.open

        async def open_it(text: str, caller: Any) -> Any:
            live = await opened(text, caller)
            connections.append(weakref.ref(live))
            return live

        monkeypatch.setattr(desk.streams, "open", open_it)
        await connection(desk, hello(recording), [*frames(steps)[:3], *([last] if last else [])])
        await asyncio.sleep(0.2)
        assert len(connections) == 1 and connections[0]() is None

    run(tmp_path, story)


async def connection(desk: Desk, first: str, then: list[bytes]) -> list[dict[str, Any]]:
    """One connection through the real code, without a network; gives what it answered."""
    incoming: list[dict[str, Any]] = [
        {"type": "websocket.connect"},
        {"type": "websocket.receive", "text": first},
        *({"type": "websocket.receive", "bytes": frame} for frame in then),
    ]
    said: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        await asyncio.sleep(0)
        return incoming.pop(0) if incoming else {"type": "websocket.disconnect"}

    async def send(message: Any) -> None:
        if "text" in message:
            said.append(json.loads(message["text"]))

    async def known(*_: Any) -> Any:
        return device()

    front: Any = SimpleNamespace(desk=desk, gate=SimpleNamespace(device=known))
    scope = {"type": "websocket", "subprotocols": ["bearer.token"], "client": ("127.0.0.1", 1), "headers": []}
    await stream_socket.stream(front, scope, receive, send)
    return said


# ---------------------------------------------------------------- another recording under the same id


def nameless(recording: Any, **given: Any) -> str:
    """A hello that says neither whose recording it is nor when it began."""
    return json.dumps({**json.loads(hello(recording)), "patient_ref": None, **given})


async def refused(live: Any, frame: bytes) -> str:
    with pytest.raises(IngestError) as error:
        live.receive(frame)
    return error.value.code


def other_samples(steps: Any) -> Any:
    """Somebody else's."""
    return steps[:, ::-1] + 7


def test_another_patient_under_the_same_nameless_id_is_not_taken_into_the_strip(tmp_path: Path) -> None:
    """A counter that began anew: two seconds must come again as they were, and what differs is refused."""
    recording, steps = strip()
    first, second = frames(steps), frames(other_samples(steps))

    async def story(world: World, desk: Desk) -> None:
        live = await desk.streams.open(nameless(recording), device())
        for frame in first[:20]:
            live.receive(frame)
        await until_acked(live, 20 * PIECE)
        live.detach()
        again = await desk.streams.open(nameless(recording), device())
        resume = again.answer["resume_from"]
        assert resume == 20 * PIECE - round(2 * recording.rate_hz)
        assert await refused(again, second[resume // PIECE]) == "stream_changed"
        assert await refused(again, second[0]) == "stream_changed"
        again.receive(first[resume // PIECE])
        again.receive(first[20])
        assert again.running.state.high_water == 21 * PIECE

        with pytest.raises(IngestError, match="age or sex differ"):
            await desk.streams.open(nameless(recording, age=70), device())

    run(tmp_path, story)


def test_a_nameless_strip_that_is_stored_acknowledges_nothing_to_another_patient(tmp_path: Path) -> None:
    """The reading of one is never told as that of another; the device that lost the last word hears it again."""
    recording, steps = strip()
    first, second = frames(steps), frames(other_samples(steps))

    async def story(world: World, desk: Desk) -> None:
        live = await desk.streams.open(nameless(recording), device())
        for frame in first:
            live.receive(frame)
        await until_final(live)
        await comes(lambda: not desk.streams._running)

        stranger = await desk.streams.open(nameless(recording), device())
        assert stranger.messages.empty()
        assert await refused(stranger, second[-1]) == "stream_changed"
        beyond = encode_frame(0, steps.shape[1], other_samples(steps)[:, :PIECE].T)
        assert await refused(stranger, beyond) == "stale_session", "it has shown nothing"
        stranger.receive(first[-1])  # a part of what is asked for is too little
        assert stranger.messages.empty()

        same = await desk.streams.open(nameless(recording), device())
        for frame in first[same.answer["resume_from"] // PIECE :]:
            same.receive(frame)
        assert same.messages.get_nowait() == {"acked": steps.shape[1]}
        assert same.messages.get_nowait()["type"] == "analysis"

    run(tmp_path, story)


# ---------------------------------------------------------------- what must not stop a reading, or the service


def test_a_lost_frame_does_not_end_the_readings(tmp_path: Path) -> None:
    """The hole is read as one once it is three seconds old; the device is asked for it all the same."""
    recording, steps = strip()

    async def story(world: World, desk: Desk) -> None:
        live = await desk.streams.open(hello(recording), device())
        pieces = frames(steps)
        lost = round(5.4 * recording.rate_hz) // PIECE
        for number, frame in enumerate(pieces[:-1]):
            if number != lost:
                live.receive(frame)
            await asyncio.sleep(0)
        await comes(lambda: live.running.analysed_until > (lost + 1) * PIECE)
        assert live.running.ledger.acked == lost * PIECE

    run(tmp_path, story)


def test_a_strip_of_gaps_is_refused() -> None:
    """Forty bytes must not make the service set memory aside for minutes."""
    recording, steps = strip()
    state = StreamState(parse_hello(hello(recording)))
    rate_hz = int(recording.rate_hz)
    state.take(state.place(encode_frame(0, 0, steps[:, :1].T)))
    state.take(
        state.place(encode_frame(1, 290 * rate_hz, steps[:, :1].T, GAP_BEFORE))
    )  # an outage of minutes
    far = encode_frame(2, 580 * rate_hz, steps[:, :1].T, GAP_BEFORE)
    with pytest.raises(IngestError, match="little else than gaps"):
        state.place(far)
    assert state.place(far, replayed=True).stop == 580 * rate_hz + 1, "what is durable is not measured again"
    fast = StreamState(parse_hello(hello(recording, rate_hz=8000.0)))
    with pytest.raises(IngestError, match="little else than gaps"):
        fast.place(encode_frame(0, 100 * 8000, steps[:, :1].T, GAP_BEFORE))


def test_a_strip_that_was_stored_with_a_hole_is_still_the_same_recording() -> None:
    """What comes into the hole differs from nothing; other samples beside it do."""
    recording, steps = strip()
    holed = steps.copy()
    holed[:, 500:1000] = -32768
    state = StreamState.of_steps(parse_hello(hello(recording)), holed)

    assert not state.differs(encode_frame(0, 500, steps[:, 500:1000].T))
    assert not state.differs(encode_frame(0, 400, steps[:, 400:1100].T))
    assert state.differs(encode_frame(0, 400, steps[:, 400:1100].T + 1))


def test_a_device_cannot_fill_the_board_with_streams_of_nothing(tmp_path: Path) -> None:
    """Many may begin at once; so many stay without a sample, and those that have one do not count."""
    recording, steps = strip()

    async def story(world: World, desk: Desk) -> None:
        for number in range(MOST_EMPTY):
            await desk.streams.open(hello(recording, stream_id=f"s-{number}"), device())
        await desk.streams.open(hello(recording, stream_id="at-once"), device())
        world.pass_time(11)
        with pytest.raises(IngestError, match="no sample yet"):
            await desk.streams.open(hello(recording, stream_id="one-more"), device())
        for number in (0, 1):
            again = await desk.streams.open(hello(recording, stream_id=f"s-{number}"), device())
            again.receive(frames(steps)[0])
        await desk.streams.open(hello(recording, stream_id="one-more"), device())

    run(tmp_path, story)


def test_a_device_that_only_repeats_itself_keeps_no_strip_open_for_ever(tmp_path: Path) -> None:
    """A sign of life holds a strip for some minutes; then what came is read."""
    recording, steps = strip()

    async def story(world: World, desk: Desk) -> None:
        live = await desk.streams.open(hello(recording), device())
        for frame in frames(steps)[:30]:
            live.receive(frame)
        await until_acked(live, 30 * PIECE)
        for _ in range(4 + STUCK_FACTOR):
            world.pass_time(50)
            if live.running.given_up:
                break
            live.receive(frames(steps)[0])
            await asyncio.sleep(0.2)
        await until_final(live)

    run(tmp_path, story)


def test_a_device_hears_how_far_it_is_while_the_disk_refuses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Never further than what is durable, and still each second."""
    recording, steps = strip()

    async def story(world: World, desk: Desk) -> None:
        live = await desk.streams.open(hello(recording), device())
        pieces = frames(steps)
        for frame in pieces[:10]:
            live.receive(frame)
        await until_acked(live, 10 * PIECE)

        def full() -> int:
            raise OSError(28, "No space left on device")

        with monkeypatch.context() as patch:
            patch.setattr(desk.streams._segments, "sync", full)
            await comes(lambda: desk.streams._sync_failing)
            live.receive(pieces[10])
            while not live.messages.empty():
                live.messages.get_nowait()
            async with asyncio.timeout(20):
                told = [await live.messages.get() for _ in range(3)]
        assert told == 3 * [{"acked": 10 * PIECE}]
        await until_acked(live, 11 * PIECE)

    run(tmp_path, story)
