"""A server on this machine that takes what the service sends: it keeps each request, and answers as it is told."""

import contextlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import msgspec

WAIT_S = 30.0  # two cores shared by many say nothing about the code


@dataclass(frozen=True, kw_only=True)
class Request:
    """One request as it came."""

    path: str
    headers: dict[str, str]  # names in small letters
    body: bytes

    @property
    def json(self) -> Any:
        """The body, where it is JSON."""
        return msgspec.json.decode(self.body)


@dataclass(kw_only=True)
class Receiver:
    """The server's side: what came, and how it answers."""

    base: str
    requests: list[Request] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)  # of the next answers; 200 once they are used up
    headers: dict[str, str] = field(default_factory=dict)
    hold: Callable[[Request], bool] = field(default=lambda request: False)  # whether it is never answered
    came: threading.Condition = field(default_factory=threading.Condition)
    ended: threading.Event = field(default_factory=threading.Event)

    def wait_for(self, number: int) -> list[Request]:
        """The requests, once there are so many."""
        with self.came:
            assert self.came.wait_for(lambda: len(self.requests) >= number, WAIT_S), (
                f"expected {number} requests, got {len(self.requests)}"
            )
            return list(self.requests)

    @property
    def ids(self) -> list[str]:
        """The keys of what came, in order."""
        return [request.headers["webhook-id"] for request in self.requests]


@contextlib.contextmanager
def receiver() -> Iterator[Receiver]:
    """A receiver that runs for the length of the block."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", "0")))
            headers = {name.lower(): value for name, value in self.headers.items()}
            request = Request(path=self.path, headers=headers, body=body)
            with made.came:
                made.requests.append(request)
                status = made.statuses.pop(0) if made.statuses else 200
                made.came.notify_all()
            if made.hold(request):
                made.ended.wait(WAIT_S)
                self.close_connection = True
                return
            self.send_response(status)
            for name, value in made.headers.items():
                self.send_header(name, value)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Says nothing."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 512  # a burst of connections is no fault of the sender

    server = Server(("127.0.0.1", 0), Handler)
    made = Receiver(base=f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield made
    finally:
        made.ended.set()
        server.shutdown()
        server.server_close()
        thread.join()
