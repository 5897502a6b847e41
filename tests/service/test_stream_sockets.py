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

from greenchannel.ingest.errors import IngestError
from greenchannel.service.desk import Desk
from greenchannel.viewer import stream_socket
from tests.desk_world import World, device
from tests.stream_world import frames, hello, strip


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
    world = World(folder=tmp_path)
    recording, _ = strip()

    async def play() -> None:
        async with world.desk() as desk:
            live = await desk.streams.open(hello(recording), device())
            writing = asyncio.create_task(written(live))
            await asyncio.sleep(0)
            world.pass_time(61)
            heard = await writing
            assert all(message.get("type") != "analysis" for message in heard.messages)

    asyncio.run(play())


def test_a_connection_that_another_has_replaced_ends_with_the_reason(tmp_path: Path) -> None:
    """Also where its device never sends a frame on it again."""
    world = World(folder=tmp_path)
    recording, steps = strip()

    async def play() -> None:
        async with world.desk() as desk:
            first = await desk.streams.open(hello(recording), device())
            first.receive(frames(steps)[0])
            writing = asyncio.create_task(written(first))
            await asyncio.sleep(0)
            await desk.streams.open(hello(recording), device())
            with pytest.raises(IngestError) as refused:
                await writing
            assert refused.value.code == "stale_session"

    asyncio.run(play())


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
    world = World(folder=tmp_path)
    recording, steps = strip()

    async def play() -> None:
        async with world.desk() as desk:
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

    asyncio.run(play())


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
