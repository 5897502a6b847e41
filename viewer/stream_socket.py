"""`/stream`: a live device. The protocol itself is decided behind `LiveStream`; here are the socket and its limits."""

import asyncio
from typing import Final

from starlette.datastructures import Headers
from starlette.types import Receive, Scope, Send

from greenchannel.service.callers import Caller
from greenchannel.service.live_stream import OVER, LiveStream
from greenchannel.viewer.access import require
from greenchannel.viewer.front import Front, address_of
from greenchannel.viewer.problems import REFUSALS, Problem, of
from greenchannel.viewer.sockets import Disconnected, Socket, cancel, first_of

SUBPROTOCOL: Final = "bearer."
HELLO_WITHIN_S: Final = 10.0
MOST_FRAME_BYTES: Final = 256 * 1024  # far above any device's frame, far below what hurts
SILENT_AFTER_S: Final = 15.0  # a finished stream that has nothing more to say
NORMAL: Final = 1000


async def stream(front: Front, scope: Scope, receive: Receive, send: Send) -> None:
    """One connection of a device, from its acceptance to its end. A lost connection leaves the stream to be resumed."""
    socket = Socket(receive, send)
    token_protocol = next((p for p in scope.get("subprotocols", ()) if p.startswith(SUBPROTOCOL)), None)
    try:
        await socket.accept(token_protocol)
        try:
            caller = await _caller(front, scope, token_protocol)
            require(caller, "stream")
            live = await front.desk.streams.open(await _hello(socket), caller)
            try:
                await socket.send_json(live.answer)
                await _serve(socket, live)
            finally:
                live.detach()
        except (Problem, *REFUSALS) as error:
            # The trace leads through the frames to the tasks whose trace it is: a cycle, on which the strip hangs.
            await socket.refuse(of(error.with_traceback(None)))
    except Disconnected as gone:
        gone.with_traceback(None)


async def _caller(front: Front, scope: Scope, token_protocol: str | None) -> Caller:
    address = address_of(scope)
    if token_protocol is not None:
        return await front.gate.device(token_protocol.removeprefix(SUBPROTOCOL), address)
    return await front.caller(Headers(scope=scope), address, changes=True)


async def _hello(socket: Socket) -> str:
    try:
        hello = await asyncio.wait_for(socket.next(), HELLO_WITHIN_S)
    except TimeoutError:
        raise Problem(
            400, "no hello came", code="bad_hello", expected=f"a JSON hello within {HELLO_WITHIN_S:g} s"
        ) from None
    if isinstance(hello, bytes):
        raise Problem(
            400,
            "the first message must be the hello",
            code="bad_hello",
            expected="a JSON text",
            got=f"{len(hello)} bytes",
        )
    return hello


async def _serve(socket: Socket, live: LiveStream) -> None:
    hearing = asyncio.create_task(_hear(socket, live))
    writing = asyncio.create_task(_write(socket, live))
    try:
        await first_of(hearing, writing)
    finally:
        await cancel(hearing, writing)
    await socket.close(NORMAL)


async def _hear(socket: Socket, live: LiveStream) -> None:
    """Take frames until the device goes, or one is refused."""
    while True:
        frame = await socket.next()
        if isinstance(frame, str):
            raise _bad_frame("expected binary frames", "a binary frame", "a text")
        if len(frame) > MOST_FRAME_BYTES:
            raise _bad_frame(
                "the frame is too large", f"at most {MOST_FRAME_BYTES} bytes", f"{len(frame)} bytes"
            )
        live.receive(frame)


async def _write(socket: Socket, live: LiveStream) -> None:
    """Send what the stream has to say, until the final reading has been told, or nothing is to come."""
    while True:
        if live.messages.empty() and live.done:
            try:  # a timer for each message would cost as much as the message
                message = await asyncio.wait_for(live.messages.get(), SILENT_AFTER_S)
            except TimeoutError:
                return  # a strip without a reading
        else:
            message = await live.messages.get()
        if message is OVER:
            live.check_attached()
            return
        await socket.send_json(message)
        if message.get("type") == "analysis" and not message.get("provisional"):
            return


def _bad_frame(detail: str, expected: str, got: str) -> Problem:
    return Problem(400, detail, code="bad_frame", expected=expected, got=got)
