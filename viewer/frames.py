"""The short way to a socket: one frame of a WebSocket, made once and written as it is to every board.

Frames of a server are not masked, and compression is off, so a message is the same bytes for all. Through ASGI each
board would have its task woken, a dictionary made and the frame built anew: at 500 boards most of what an event
costs. The way is taken only while it is free: where the transport is full, or something waits already, the
message goes the long way, in its turn.
"""

from collections.abc import Callable, MutableMapping
from typing import Any, Final

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

EXTENSION: Final = "greenchannel.frames"
_TEXT: Final = 0x81  # the only frame of a text message
_SHORT, _MIDDLE = 126, 1 << 16

WriteFrame = Callable[[bytes], bool]


def text_frame(payload: bytes) -> bytes:
    """One whole text message as a server's frame (RFC 6455, 5.2)."""
    size = len(payload)
    if size < _SHORT:
        head = bytes((_TEXT, size))
    elif size < _MIDDLE:
        head = bytes((_TEXT, 126)) + size.to_bytes(2, "big")
    else:
        head = bytes((_TEXT, 127)) + size.to_bytes(8, "big")
    return head + payload


class FramingProtocol(WebSocketsSansIOProtocol):
    """uvicorn's own, which also tells the application how to write a frame: `EXTENSION` of the scope."""

    async def run_asgi(self) -> None:
        """Run the application on this connection."""
        extensions: MutableMapping[str, Any] = self.scope.setdefault("extensions", {})
        extensions[EXTENSION] = {"write": self.write_frame}
        await super().run_asgi()

    def write_frame(self, frame: bytes) -> bool:
        """Write one frame at once; False where the connection is full, closing, or not open yet."""
        free = self.writable.is_set() and self.handshake_complete and not self.close_sent
        if not free or self.disconnected or self.transport.is_closing():
            return False
        self.transport.write(frame)
        return True


def writer_of(scope: MutableMapping[str, Any]) -> WriteFrame | None:
    """How to write frames to the connection of a scope; None where its server has no such way."""
    found = scope.get("extensions", {}).get(EXTENSION)
    return None if found is None else found["write"]
