"""What is left of a body when its request has been answered: a bounded part of it is thrown away, then we hang up.

A server that goes on reading is kept busy by whoever sends what was refused long ago; one that closes at once resets
the connection, and the sender, who is still writing, never reads why. So the answer goes out at once and whole, and
what still comes is passed over for a little while.
"""

import asyncio
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import Message, Receive, Scope, Send

SMALL_BYTES: Final = 64 * 1024  # what is announced no larger is read to its end: the connection stays  [E]
MOST_BYTES: Final = 32 * 2**20  # thrown away behind an answer  [E]
MOST_S: Final = 10.0  # in all  [E]
QUIET_S: Final = 2.0  # nothing comes: whoever sent has read the answer, or is gone  [E]


class Unread:
    """The two ways of one request: use `receive` and `send` in place of those of the server."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._receive, self._send = receive, send
        headers = Headers(scope=scope)
        length = headers.get("content-length", "")
        # A length that is no number is refused; whatever follows it is no smaller than we like.
        announced = int(length) if length.isascii() and length.isdigit() and len(length) < 19 else None
        in_chunks = "transfer-encoding" in headers
        self._is_over = not length and not in_chunks
        self._is_small = announced is not None and announced <= SMALL_BYTES
        # RFC 9112 6.3: chunks count, whatever is announced beside them, and the connection ends with the answer: who
        # stands between us may have read another request in it.
        self._is_doubtful = bool(length) and in_chunks
        self._hangs_up = False

    async def receive(self) -> Message:
        """The next piece."""
        message = await self._receive()
        if not message.get("more_body", False):  # also where the sender is gone
            self._is_over = True
        return message

    async def send(self, message: Message) -> None:
        """A part of the answer; behind its last one the rest of the body is dealt with."""
        if message["type"] == "http.response.start":
            self._hangs_up = self._is_doubtful or not (self._is_over or self._is_small)
            if self._hangs_up:
                MutableHeaders(scope=message)["Connection"] = "close"
        elif self._hangs_up and not message.get("more_body", False):
            await self._send({**message, "more_body": True})
            await self._pass_over()
            message = {"type": "http.response.body", "body": b""}
        await self._send(message)

    async def _pass_over(self) -> None:
        left = MOST_BYTES
        try:
            async with asyncio.timeout(MOST_S):
                while left > 0 and not self._is_over:
                    message = await asyncio.wait_for(self.receive(), QUIET_S)
                    left -= len(message.get("body", b""))
        except TimeoutError:
            return


def server_receive(receive: Receive) -> Receive:
    """The server's own `receive` behind that of an `Unread`: what it holds of a body that was cut is found there."""
    around = getattr(receive, "__self__", None)
    return around._receive if isinstance(around, Unread) else receive
