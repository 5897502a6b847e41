"""A relay between an agent and its server that drops connections at random bytes, or does not answer at all."""

import contextlib
import random
import socket
import threading
import time
from typing import Final, Self

_CHUNK: Final = 1024


class CutRelay:
    """Listens on a port of its own for as long as the block lasts.

    Parameters
    ----------
    port
        Of the server.
    cut
        Share of the connections that are cut after some bytes, in either direction.
    refuse
        Share of the connections that are closed at once.
    seed
        Of the dice.
    """

    def __init__(self, port: int, *, cut: float, refuse: float, seed: int, most_bytes: int = 40_000) -> None:
        self._server_port = port
        self._cut, self._refuse, self._most_bytes = cut, refuse, most_bytes
        self._dice = random.Random(seed)
        self._lock = threading.Lock()
        self.cuts = 0
        self.connections = 0
        self.carried_bytes = 0
        self.good = False  # from then on nothing is cut

    def __enter__(self) -> Self:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listening.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listening.close()

    @property
    def base(self) -> str:
        """Address of the near end."""
        return f"http://127.0.0.1:{self.port}"

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._listening.accept()
                with self._lock:
                    self.connections += 1
                    refused = not self.good and self._dice.random() < self._refuse
                    budget = None
                    if not self.good and self._dice.random() < self._cut:
                        budget = self._dice.randint(1, self._most_bytes)
                if refused:
                    self._drop(near)
                    continue
                threading.Thread(target=self._relay, args=(near, budget), daemon=True).start()

    def _relay(self, near: socket.socket, budget: int | None) -> None:
        try:
            far = socket.create_connection(("127.0.0.1", self._server_port), timeout=5)
        except OSError:  # the server is dead just now
            self._drop(near)
            return
        far.settimeout(None)
        left = [budget]
        back = threading.Thread(target=self._copy, args=(far, near, left), daemon=True)
        back.start()
        self._copy(near, far, left)
        back.join()
        for sock in (near, far):
            with contextlib.suppress(OSError):
                sock.close()

    def _copy(self, source: socket.socket, target: socket.socket, left: list[int | None]) -> None:
        """Until the end, or until both directions together have used up what is `left`."""
        with contextlib.suppress(OSError):
            while data := source.recv(_CHUNK):
                with self._lock:
                    budget = left[0]
                    if budget is not None:
                        data = data[:budget]
                        left[0] = budget - len(data)
                    self.carried_bytes += len(data)
                target.sendall(data)
                if left[0] == 0:
                    with self._lock:
                        self.cuts += 1
                        left[0] = -1
                    self._drop(source)
                    self._drop(target)
                    return
                if left[0] is not None and left[0] < 0:
                    return
        for sock in (source, target):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    @staticmethod
    def _drop(sock: socket.socket) -> None:
        """Without a word, as a radio does."""
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
            sock.shutdown(socket.SHUT_RDWR)
        with contextlib.suppress(OSError):
            sock.close()


class SlowRelay(CutRelay):
    """A thin line that is never cut: so many bytes a second towards the server."""

    def __init__(self, port: int, *, bytes_per_s: float) -> None:
        super().__init__(port, cut=0.0, refuse=0.0, seed=0)
        self._bytes_per_s = bytes_per_s

    def _copy(self, source: socket.socket, target: socket.socket, left: list[int | None]) -> None:
        with contextlib.suppress(OSError):
            source.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            while data := source.recv(_CHUNK):
                time.sleep(len(data) / self._bytes_per_s)
                target.sendall(data)
        for sock in (source, target):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
