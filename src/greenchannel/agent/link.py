"""The way to the server: one connection of the standard library's HTTP client, kept open, never followed elsewhere."""

import http.client
import ssl
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from greenchannel.ingest.agent_answers import Reply, Trouble, trouble

TIMEOUT_S: Final = 30.0  # without a byte  [E]
IDLE_S: Final = 4.0  # a connection that rested longer may have been closed by the other side  [E]
_MOST_ANSWER: Final = 4 * 2**20
_TOKEN_BYTES: Final = 4096


class LinkDown(Exception):
    """There was no answer; `trouble` says why."""

    def __init__(self, trouble: Trouble) -> None:
        super().__init__(trouble.en)
        self.trouble = trouble


class BadServer(ValueError):
    """The address of the server is none."""


class Link:
    """Requests to one server, one after the other.

    Parameters
    ----------
    server
        Address, as ``https://heart.example:8765``; a path before ``/api/v1`` is kept.
    token_file
        Read anew for each request, so that a new token needs no restart.
    ca_file
        Certificates to trust instead of the system's.
    signed
        With the token; only who has none yet asks without.
    """

    def __init__(
        self,
        server: str,
        token_file: Path,
        *,
        ca_file: Path | None = None,
        timeout_s: float = TIMEOUT_S,
        signed: bool = True,
    ) -> None:
        parts = urlsplit(server if "://" in server else f"http://{server}")
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.query:
            raise BadServer(f"expected an address such as https://heart.example, got {server}")
        self._secure = parts.scheme == "https"
        self._host, self._port = parts.hostname, parts.port
        self._base = f"{parts.path.rstrip('/')}/api/v1"
        self._token_file = Path(token_file)
        self._signed = signed
        self._timeout_s = timeout_s
        self._tls = ssl.create_default_context(cafile=None if ca_file is None else str(ca_file))
        self._connection: http.client.HTTPConnection | None = None
        self._rested_since_s = 0.0

    def request(
        self, method: str, path: str, headers: Mapping[str, str] | None = None, body: bytes | None = None
    ) -> Reply:
        """Ask, and read the whole answer; raises `LinkDown`.

        Nothing is sent twice by itself, but where a connection that had rested turns out to be closed before anything
        came back, what may be repeated is.
        """
        rested = self._connection is not None
        if rested and time.monotonic() - self._rested_since_s > IDLE_S:
            self.close()
            rested = False
        try:
            return self._ask(method, path, headers or {}, body)
        except (http.client.RemoteDisconnected, ConnectionError) as error:
            self.close()
            if not (rested and method != "POST"):
                raise _down(error) from error
        except (OSError, http.client.HTTPException, ValueError) as error:
            self.close()
            raise _down(error) from error
        try:
            return self._ask(method, path, headers or {}, body)
        except (OSError, http.client.HTTPException, ValueError) as error:
            self.close()
            raise _down(error) from error

    def close(self) -> None:
        """Hang up."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _ask(self, method: str, path: str, headers: Mapping[str, str], body: bytes | None) -> Reply:
        said = {"User-Agent": "greenchannel-agent", **headers}
        if self._signed:
            said["Authorization"] = f"Bearer {self._token()}"
        connection = self._connection = self._connection or self._connected()
        connection.request(method, self._base + path, body=body, headers=said)
        answer = connection.getresponse()
        content = answer.read(_MOST_ANSWER)
        if not answer.isclosed():  # longer than anything of ours
            self.close()
        self._rested_since_s = time.monotonic()
        found = {name.lower(): value for name, value in answer.getheaders()}
        if answer.will_close:
            self.close()
        return Reply(status=answer.status, headers=found, body=content)

    def _connected(self) -> http.client.HTTPConnection:
        if self._secure:
            return http.client.HTTPSConnection(
                self._host, self._port, timeout=self._timeout_s, context=self._tls
            )
        return http.client.HTTPConnection(self._host, self._port, timeout=self._timeout_s)

    def _token(self) -> str:
        with self._token_file.open("rb") as file:
            return file.read(_TOKEN_BYTES).decode("utf-8-sig").strip()


def _down(error: Exception) -> LinkDown:
    if isinstance(error, ssl.SSLCertVerificationError):
        return LinkDown(trouble("link", "bad_certificate", got=error.verify_message))
    cut = isinstance(error, http.client.RemoteDisconnected | http.client.IncompleteRead)
    if isinstance(error, http.client.HTTPException) and not cut:
        return LinkDown(trouble("link", "not_our_server", got=type(error).__name__))
    return LinkDown(trouble("link", "no_network", got=f"{type(error).__name__}: {error}"[:200]))
