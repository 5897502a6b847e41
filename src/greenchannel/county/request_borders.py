"""Where one HTTP request ends and the next begins in the bytes of a connection: bytes in, pieces out, no I/O."""

from dataclasses import dataclass

import h11


@dataclass(frozen=True, kw_only=True, slots=True)
class Piece:
    """Bytes of one request."""

    data: bytes
    begins: bool
    """The first byte of the request is the first of these."""


class RequestBorders:
    """The client's side of one HTTP/1.1 connection, cut into requests.

    What follows an upgrade belongs to the request that asked for it; so does everything after bytes that are no HTTP.
    """

    def __init__(self) -> None:
        self._reader = h11.Connection(h11.SERVER)
        self._raw = False
        self._begun = False

    def feed(self, data: bytes) -> list[Piece]:
        """The same bytes, cut at the borders."""
        pieces: list[Piece] = []
        while data:
            size = len(data) if self._raw else self._to_border(data)
            pieces.append(Piece(data=data[:size], begins=not self._begun))
            self._begun = True
            data = data[size:]
            if data:
                self._next()
        if not self._raw and self._reader.their_state is h11.DONE:
            self._next()
        return pieces

    def _next(self) -> None:
        self._reader, self._begun = h11.Connection(h11.SERVER), False

    def _to_border(self, data: bytes) -> int:
        """How many of these bytes belong to the request under way."""
        try:
            self._reader.receive_data(data)
            while (event := self._reader.next_event()) not in (h11.NEED_DATA, h11.PAUSED):
                upgrade = isinstance(event, h11.Request) and any(
                    name == b"upgrade" for name, _ in event.headers
                )
                if upgrade or isinstance(event, h11.ConnectionClosed):
                    self._raw = True
                    return len(data)
        except h11.RemoteProtocolError:
            self._raw = True
            return len(data)
        ended = self._reader.their_state in (h11.DONE, h11.MUST_CLOSE)  # else what trails is half a head
        return len(data) - (len(self._reader.trailing_data[0]) if ended else 0)
