"""The MLLP port: HL7 v2 messages with an ECG go into the spool, and only then is it acknowledged."""

import contextlib
import logging
import re
import socket
import socketserver
import threading
import time
import uuid
from collections.abc import Callable
from datetime import datetime
from typing import Final

from greenchannel.agent.ports import NOT_DURABLE, Address, take
from greenchannel.agent.spool import Spool
from greenchannel.ingest import mllp
from greenchannel.ingest.errors import IngestError

logger = logging.getLogger(__name__)

IDLE_S: Final = 600.0  # a connection on which nothing comes  [E]
MESSAGE_S: Final = 300.0  # from the first byte of a message to its last  [E]
MOST_CONNECTIONS: Final = 16
_CHUNK: Final = 64 * 1024


class MllpPort:
    """The port while it is open. Raises `OSError` where it is taken."""

    def __init__(self, spool: Spool, address: Address, now: Callable[[], datetime]) -> None:
        self._server = _Server(address, lambda sock: _serve(sock, spool, now))
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(target=self._server.serve_forever, name="mllp", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Close it; a message that is not whole was not acknowledged."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(timeout=5.0)


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = False

    def __init__(self, address: Address, serve: Callable[[socket.socket], None]) -> None:
        self._serve = serve
        self._room = threading.BoundedSemaphore(MOST_CONNECTIONS)
        if ":" in address.host:
            self.address_family = socket.AF_INET6
        super().__init__((address.host, address.port), socketserver.BaseRequestHandler)

    def finish_request(self, request: object, client_address: object) -> None:
        """One connection, from its beginning to its end."""
        assert isinstance(request, socket.socket)
        if not self._room.acquire(blocking=False):
            return  # closed at once: the sender comes again
        try:
            with contextlib.suppress(OSError):
                self._serve(request)
        finally:
            self._room.release()


def _serve(sock: socket.socket, spool: Spool, now: Callable[[], datetime]) -> None:
    frames, begun_s = mllp.Frames(), None
    sock.settimeout(IDLE_S)
    while data := sock.recv(_CHUNK):
        try:
            frames, messages = frames.feed(data)
        except IngestError as error:
            sock.sendall(_ack(b"", "AR", str(error), now))
            return  # where a frame ends is no longer known
        for message in messages:
            code, text = _taken(message, spool)
            sock.sendall(_ack(message, code, text, now))
        if not frames.within:
            begun_s = None
            sock.settimeout(IDLE_S)
            continue
        begun_s = time.monotonic() if begun_s is None or messages else begun_s
        left_s = begun_s + MESSAGE_S - time.monotonic()
        if left_s <= 0:
            return
        sock.settimeout(left_s)


def _taken(message: bytes, spool: Spool) -> tuple[mllp.Code, str]:
    """Take one message; gives what to answer."""
    refused = mllp.refusal_of(message)
    if refused is not None:
        return refused
    number = re.sub(r"[^\w.-]+", "_", mllp.control_id(message))[:60] or "message"
    try:
        take(spool, message, name=f"{number}.hl7", way="mllp")
    except NOT_DURABLE as error:
        logger.exception("a message could not be kept")
        return "AE", f"cannot be kept at present ({type(error).__name__}); please send it again"
    return "AA", ""


def _ack(message: bytes, code: mllp.Code, text: str, now: Callable[[], datetime]) -> bytes:
    return mllp.frame(mllp.acknowledgement(message, code, text, at=now(), number=uuid.uuid4().hex[:20]))
