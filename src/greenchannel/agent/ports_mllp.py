"""The MLLP port: HL7 v2 messages with an ECG go into the spool, and only then is it acknowledged."""

import contextlib
import logging
import re
import selectors
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
STALLED_S: Final = 30.0  # within a message nothing more has come: whoever sent it has died  [E]
MOST_CONNECTIONS: Final = 16
_ROOM_WITHIN_S: Final = 5.0  # so long a new connection waits for one to end,  [E]
_ROOM_EVERY_S: Final = 0.1  # and so often it asks
_SPARED_S: Final = 1.0  # a connection that has been idle for less is not ended for another's sake  [E]
_CHUNK: Final = 64 * 1024


class MllpPort:
    """The port while it is open. Raises `OSError` where it is taken."""

    def __init__(self, spool: Spool, address: Address, now: Callable[[], datetime]) -> None:
        self._server = _Server(address, lambda sock, idle: _serve(sock, spool, now, idle))
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

    def __init__(self, address: Address, serve: Callable[[socket.socket, "_Idle"], None]) -> None:
        self._serve = serve
        self._room = threading.BoundedSemaphore(MOST_CONNECTIONS)
        self._waiting = threading.BoundedSemaphore(MOST_CONNECTIONS)
        self._door = threading.Lock()
        self._idle = _Idle()
        if ":" in address.host:
            self.address_family = socket.AF_INET6
        super().__init__((address.host, address.port), socketserver.BaseRequestHandler)

    def finish_request(self, request: object, client_address: object) -> None:
        """One connection, from its beginning to its end."""
        assert isinstance(request, socket.socket)
        if not (self._room.acquire(blocking=False) or self._makes_room()):
            return  # closed: the sender comes again
        try:
            with contextlib.suppress(OSError):
                self._serve(request, self._idle)
        finally:
            self._room.release()

    def _makes_room(self) -> bool:
        """Wait for a place, and end an idle connection for it; only so many wait, and one after the other is served."""
        if not self._waiting.acquire(blocking=False):
            return False
        try:
            give_up_s = time.monotonic() + _ROOM_WITHIN_S
            with self._door:
                while time.monotonic() < give_up_s:
                    self._idle.end_one()
                    if self._room.acquire(timeout=_ROOM_EVERY_S):
                        return True
            return False
        finally:
            self._waiting.release()


class _Idle:
    """The connections on which no message is under way: whoever has the most patience does not keep others out."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._since_s: dict[socket.socket, float] = {}

    def begins(self, sock: socket.socket, since_s: float) -> None:
        with self._lock:
            self._since_s[sock] = since_s

    def ends(self, sock: socket.socket) -> bool:
        """Something has come; False where the connection was ended before that."""
        with self._lock:
            return self._since_s.pop(sock, None) is not None

    def end_one(self) -> None:
        """Close the connection that has been idle for longest, where one has been for a while."""
        with self._lock:
            sock, since_s = min(self._since_s.items(), key=lambda each: each[1], default=(None, 0.0))
            if sock is not None and time.monotonic() - since_s >= _SPARED_S:
                del self._since_s[sock]
                with contextlib.suppress(OSError):
                    sock.shutdown(socket.SHUT_RDWR)


def _serve(sock: socket.socket, spool: Spool, now: Callable[[], datetime], idle: _Idle) -> None:
    frames, begun_s = mllp.Frames(), None
    idle_since_s = time.monotonic()
    sock.settimeout(IDLE_S)
    while data := _next(sock, idle, since_s=None if frames.within else idle_since_s):
        try:
            frames, messages = frames.feed(data)
        except IngestError as error:
            sock.sendall(_ack(b"", "AR", str(error), now))
            return  # where a frame ends is no longer known
        if messages:
            idle_since_s = time.monotonic()  # what is no message is no sign of life
        for message in messages:
            code, text = _taken(message, spool)
            sock.sendall(_ack(message, code, text, now))
        if not frames.within:
            begun_s = None
            left_s = idle_since_s + IDLE_S - time.monotonic()
            if left_s <= 0:
                return
            sock.settimeout(left_s)
            continue
        begun_s = time.monotonic() if begun_s is None or messages else begun_s
        left_s = begun_s + MESSAGE_S - time.monotonic()
        if left_s <= 0:
            return
        sock.settimeout(min(left_s, STALLED_S))


def _next(sock: socket.socket, idle: _Idle, *, since_s: float | None) -> bytes:
    """What comes next, empty at the end. Between messages a connection is idle, and may be ended for another's sake;
    what has begun to come is read to its end and answered. `since_s`: when the last message came, None within one."""
    if since_s is not None:
        idle.begins(sock, since_s)
        with (
            selectors.DefaultSelector() as waiting
        ):  # plain select() has no place for the 1,025th file of a process
            waiting.register(sock, selectors.EVENT_READ)
            waiting.select(sock.gettimeout())
        if not idle.ends(sock):
            return b""
    return sock.recv(_CHUNK)


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
