"""The local page: what became of each ECG, on this computer alone, with nothing from elsewhere.

It listens on the loopback address. A page of somebody else in the same browser could still ask for it under a name of
its own that leads here, so the name by which it was asked must be a local one; and what changes something must come
with a header that no foreign page may set.
"""

import contextlib
import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from typing import Any, Final, Protocol
from urllib.parse import urlsplit

import msgspec

from greenchannel.agent.bell import bell_wav

OWN_HEADER: Final = "X-Greenchannel-Agent"
_FILES: Final = {
    "/": ("page.html", "text/html; charset=utf-8"),
    "/page.js": ("page.js", "text/javascript; charset=utf-8"),
    "/page.css": ("page.css", "text/css; charset=utf-8"),
}
_SAFE: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; media-src 'self'; "
        "img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
}
_MOST_WAIT_S: Final = 10.0  # for a request that does not come to its end


class Shown(Protocol):
    """What the page asks of the agent."""

    def seen(self) -> dict[str, Any]: ...
    def send_again(self, number: int) -> None: ...
    def put_aside(self, number: int) -> None: ...
    def advice_heard(self, number: int) -> None: ...
    def try_now(self) -> None: ...


class Page:
    """The page while it is up; port 0 takes a free one. Raises `OSError` where the port is taken."""

    def __init__(self, agent: Shown, port: int) -> None:
        self._server = _Server(("127.0.0.1", port), _handler(agent))
        self.port = self._server.server_port
        self.address = f"http://127.0.0.1:{self.port}/"
        self._thread = threading.Thread(target=self._server.serve_forever, name="page", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Take it down."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(timeout=5.0)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    # Two agents must never share a port; Windows would let them where this is set.
    allow_reuse_address = False

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A browser that hung up is no fault."""


def local_host(host: str | None, port: int) -> bool:
    """Is this what a browser on this computer calls the page, and not a foreign name that leads here?"""
    return host in {f"127.0.0.1:{port}", f"localhost:{port}"}


def own_origin(origin: str | None, host: str | None) -> bool:
    """Does a request that names its page come from this one?"""
    return origin is None or urlsplit(origin).netloc == host


def _handler(agent: Shown) -> type[BaseHTTPRequestHandler]:
    acts: Mapping[str, Callable[[int], None]] = {
        "/again": agent.send_again,
        "/aside": agent.put_aside,
        "/heard": agent.advice_heard,
        "/now": lambda _: agent.try_now(),
    }

    class Handler(BaseHTTPRequestHandler):
        """One request."""

        timeout = _MOST_WAIT_S
        protocol_version = "HTTP/1.1"
        server_version = "greenchannel-agent"
        sys_version = ""

        def do_GET(self) -> None:
            """The page, its parts, and what it shows."""
            self._end_with_this()
            if not self._is_local():
                return
            path = urlsplit(self.path).path
            if path in _FILES:
                name, kind = _FILES[path]
                self._say(200, files("greenchannel.agent").joinpath(name).read_bytes(), kind)
            elif path == "/state":
                self._say(200, msgspec.json.encode(agent.seen()), "application/json")
            elif path == "/favicon.ico":
                self._say(204, b"", "image/x-icon")
            elif path == "/bell.wav":
                self._say(200, bell_wav(), "audio/wav")
            else:
                self._say(404, b"not here", "text/plain")

        def do_POST(self) -> None:
            """What a person asks for."""
            self._end_with_this()
            if not self._is_local():
                return
            parts = urlsplit(self.path)
            act = acts.get(parts.path)
            if self.headers.get(OWN_HEADER) != "1" or not own_origin(
                self.headers.get("Origin"), self.headers.get("Host")
            ):
                self._say(403, b"expected a request of this page itself", "text/plain")
            elif act is None:
                self._say(404, b"not here", "text/plain")
            else:
                word = parts.query.removeprefix("number=")
                try:
                    act(int(word) if word.isdigit() and len(word) < 18 else 0)
                    self._say(200, b"{}", "application/json")
                except KeyError:
                    self._say(404, b"no such ECG", "text/plain")

        def _end_with_this(self) -> None:
            """A body is never read: what stands in it must not be taken for the next request."""
            if (
                self.command != "GET"
                or "Content-Length" in self.headers
                or "Transfer-Encoding" in self.headers
            ):
                self.close_connection = True

        def _is_local(self) -> bool:
            if isinstance(self.server, _Server) and local_host(
                self.headers.get("Host"), self.server.server_port
            ):
                return True
            self._say(403, b"expected to be asked by a local name", "text/plain")
            return False

        def _say(self, status: int, content: bytes, kind: str) -> None:
            with contextlib.suppress(OSError):
                self.send_response(status)
                for name, value in {
                    **_SAFE,
                    "Content-Type": kind,
                    "Content-Length": str(len(content)),
                }.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing: the page asks each second."""

    return Handler
