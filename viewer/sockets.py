"""What both WebSockets share: ASGI messages, and how a refusal ends a connection."""

import asyncio
from typing import Any, Final

import msgspec
from starlette.types import Receive, Send

from greenchannel.viewer.problems import Problem

# HTTP's answers as close codes of the private range.
BAD_REQUEST, UNAUTHENTICATED, FORBIDDEN, SLOW, CONFLICT = 4400, 4401, 4403, 4408, 4409
INTERNAL: Final = 1011

_CODES: Final = {401: UNAUTHENTICATED, 403: FORBIDDEN, 409: CONFLICT, 429: UNAUTHENTICATED, 500: INTERNAL}
_CLOSE_WITHIN_S: Final = 5.0


class Disconnected(Exception):
    """The other side has gone."""


class Socket:
    """One accepted WebSocket of an ASGI server."""

    def __init__(self, receive: Receive, send: Send) -> None:
        self._receive = receive
        self._send = send

    async def accept(self, subprotocol: str | None = None) -> None:
        """Take the connection; raises `Disconnected`."""
        message = await self._receive()
        if message["type"] != "websocket.connect":
            raise Disconnected
        await self.send_raw({"type": "websocket.accept", "subprotocol": subprotocol})

    async def next(self) -> str | bytes:
        """The next message; raises `Disconnected`."""
        message = await self._receive()
        if message["type"] == "websocket.disconnect":
            raise Disconnected
        text: str | None = message.get("text")
        if text is not None:
            return text
        data: bytes = message.get("bytes") or b""
        return data

    async def send_text(self, text: str) -> None:
        """Send one message; waits while the transport is full, raises `Disconnected` when it is gone."""
        await self.send_raw({"type": "websocket.send", "text": text})

    async def send_json(self, content: Any) -> None:
        """Send one message as JSON."""
        await self.send_text(msgspec.json.encode(content).decode())

    async def send_raw(self, message: dict[str, Any]) -> None:
        """Send one ASGI message; raises `Disconnected` when the other side has gone."""
        try:
            await self._send(message)
        except OSError as error:  # ASGI: a send on a closed connection raises a kind of it
            raise Disconnected from error

    async def close(self, code: int, reason: str = "") -> None:
        """End the connection; one whose transport is full is not waited for longer than a few seconds."""
        closing = self.send_raw({"type": "websocket.close", "code": code, "reason": reason[:120]})
        try:
            await asyncio.wait_for(closing, _CLOSE_WITHIN_S)
        except (Disconnected, TimeoutError):
            return

    async def refuse(self, problem: Problem) -> None:
        """Say why, and close with the code that belongs to the problem's status."""
        try:
            await asyncio.wait_for(self.send_json({"error": problem.document()}), _CLOSE_WITHIN_S)
        except (Disconnected, TimeoutError):
            return
        await self.close(_CODES.get(problem.status, BAD_REQUEST), problem.code)


async def first_of(*tasks: "asyncio.Task[None]", timeout_s: float | None = None) -> bool:
    """Wait until one of the tasks ends, and raise what it raised; False where the time ran out before."""
    done, _ = await asyncio.wait(tasks, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
    for task in done:
        task.result()
    return bool(done)


async def cancel(*tasks: "asyncio.Task[None]") -> None:
    """End tasks and wait until they have ended; what they raised was seen, or does not matter any more."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
