"""The line between a clinic's browser and the service, which a test takes down, and on which it loses answers."""

import contextlib
import socket
import threading
from typing import Final, Self

_CHUNK: Final = 16384


class Line:
    """A relay in front of the service, with an address of its own, for as long as the block lasts."""

    def __init__(self, port: int) -> None:
        self._server_port = port
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._lose: bytes | None = None
        self.lost = 0  # answers that the service gave and nobody got

    def __enter__(self) -> Self:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.base = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listening.close()
        with self._lock:
            left = list(self._open)
        for sock in left:
            _drop(sock)

    def lose_answer_to(self, request: str) -> None:
        """The next request that begins so reaches the service; its answer is thrown away with the connection."""
        self._lose = request.encode("ascii")

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._listening.accept()
                threading.Thread(target=self._relay, args=(near,), daemon=True).start()

    def _relay(self, near: socket.socket) -> None:
        try:
            far = socket.create_connection(("127.0.0.1", self._server_port), timeout=5)
        except OSError:  # the service has gone before its browser
            return _drop(near)
        far.settimeout(None)
        with self._lock:
            self._open |= {near, far}
        doomed = threading.Event()
        back = threading.Thread(target=self._answers, args=(far, near, doomed), daemon=True)
        back.start()
        with contextlib.suppress(OSError):
            while data := near.recv(_CHUNK):
                if self._lose is not None and data.startswith(self._lose):
                    self._lose = None
                    doomed.set()
                far.sendall(data)
        _drop(far)
        back.join()
        _drop(near)
        with self._lock:
            self._open -= {near, far}

    def _answers(self, far: socket.socket, near: socket.socket, doomed: threading.Event) -> None:
        with contextlib.suppress(OSError):
            while data := far.recv(_CHUNK):
                # It comes when the service has committed: from here on the sender cannot know.
                if doomed.is_set():
                    self.lost += 1
                    break
                near.sendall(data)
        _drop(near)


def _drop(sock: socket.socket) -> None:
    with contextlib.suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)
    with contextlib.suppress(OSError):
        sock.close()
