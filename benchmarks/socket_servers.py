"""Three ways to take a device's frames, alike but for the code that carries the socket; each with uvloop.

`python -m benchmarks.socket_servers route|asgi|picows`: takes binary frames on ``/stream``, decodes the head,
counts, and answers once a second what it has. Prints its port. The service's own endpoint is measured by
`bench_stream`, where it also writes to disk and reads.
"""

import asyncio
import importlib
import struct
import sys
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

_HEAD = struct.Struct("<IIHH")
Message = MutableMapping[str, Any]


class Counter:
    """The work that is the same for all: the head of a frame, and an answer each fifth frame."""

    def __init__(self) -> None:
        self.next_sample = 0
        self._frames = 0

    def take(self, frame: bytes | memoryview) -> str | None:
        """What to answer to this frame, if anything."""
        _, first, samples, _ = _HEAD.unpack_from(frame)
        self.next_sample = first + samples
        self._frames += 1
        return None if self._frames % 5 else f'{{"acked": {self.next_sample}}}'


async def asgi(
    scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
) -> None:
    """The bare ASGI application."""
    if scope["type"] != "websocket":
        return
    counter = Counter()
    await receive()
    await send({"type": "websocket.accept"})
    while True:
        message = await receive()
        if message["type"] == "websocket.disconnect":
            return
        answer = counter.take(message["bytes"])
        if answer is not None:
            await send({"type": "websocket.send", "text": answer})


def route() -> Any:
    """The same as a route of FastAPI."""
    from fastapi import FastAPI, WebSocket, WebSocketDisconnect

    app = FastAPI()

    @app.websocket("/stream")
    async def stream(socket: WebSocket) -> None:
        counter = Counter()
        await socket.accept()
        try:
            while True:
                answer = counter.take(await socket.receive_bytes())
                if answer is not None:
                    await socket.send_text(answer)
        except WebSocketDisconnect:
            return

    return app


async def serve_asgi(app: Any) -> None:
    """uvicorn as the service runs it."""
    import uvicorn

    config = uvicorn.Config(
        app,
        host="127.0.0.1",
        port=0,
        loop="none",
        lifespan="off",
        ws="websockets-sansio",
        ws_per_message_deflate=False,
        log_config=None,
        access_log=False,
        backlog=2048,
    )
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    print(server.servers[0].sockets[0].getsockname()[1], flush=True)
    await task


async def serve_picows() -> None:
    """picows alone: the limit, without HTTP beside it."""
    picows = importlib.import_module("picows")  # no dependency of ours: only there in another Python

    class Listener(picows.WSListener):  # type: ignore[misc, name-defined]
        def on_ws_connected(self, transport: Any) -> None:
            self.counter = Counter()

        def on_ws_frame(self, transport: Any, frame: Any) -> None:
            if frame.msg_type == picows.WSMsgType.BINARY:
                answer = self.counter.take(frame.get_payload_as_memoryview())
                if answer is not None:
                    transport.send(picows.WSMsgType.TEXT, answer.encode())
            elif frame.msg_type == picows.WSMsgType.CLOSE:
                transport.disconnect()

    server = await picows.ws_create_server(lambda request: Listener(), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


def main() -> None:
    import uvloop

    kind = sys.argv[1]
    uvloop.run(serve_picows() if kind == "picows" else serve_asgi(route() if kind == "route" else asgi))


if __name__ == "__main__":
    main()
