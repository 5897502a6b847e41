"""A sender by the tus protocol over a bad line: it can hang up in the middle of a body, and believes only answers."""

import asyncio
import base64
import contextlib
import random
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

import httpx

BODY: Final = {"Content-Type": "application/offset+octet-stream"}
PATH: Final = "/api/v1/uploads"


def metadata(**fields: str) -> str:
    """An `Upload-Metadata` header."""
    return ",".join(f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in fields.items())


def checksum(algorithm: str, digest: bytes) -> dict[str, str]:
    """An `Upload-Checksum` header."""
    return {"Upload-Checksum": f"{algorithm} {base64.b64encode(digest).decode()}"}


@dataclass(kw_only=True)
class Sender:
    """One device at one service.

    Parameters
    ----------
    http : with the base address
    token : of the device
    patience_s : how long a service that is away is waited for
    """

    http: httpx.AsyncClient
    token: str
    patience_s: float = 60.0
    cuts: int = 0
    refusals: list[int] = field(default_factory=list)

    @property
    def headers(self) -> dict[str, str]:
        """Of every request."""
        return {"Authorization": f"Bearer {self.token}", "Tus-Resumable": "1.0.0"}

    async def call(self, method: str, url: str, **request: Any) -> httpx.Response:
        """One request, without patience."""
        given = request.pop("headers", {})
        return await self.http.request(method, url, headers=self.headers | given, **request)

    async def create(self, length: int, *, content: bytes | None = None, **headers: str) -> httpx.Response:
        """Begin an upload; header names with underscores."""
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        body = BODY if content is not None else {}
        return await self.call(
            "POST", PATH, headers={"Upload-Length": str(length)} | body | given, content=content
        )

    async def patch(self, url: str, offset: int, content: Any, **headers: str) -> httpx.Response:
        """Go on with an upload."""
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.call(
            "PATCH", url, headers={"Upload-Offset": str(offset)} | BODY | given, content=content
        )

    async def head(self, url: str) -> httpx.Response:
        """How far it is."""
        return await self.call("HEAD", url)

    async def status(self, url: str) -> dict[str, Any]:
        """What `GET` says; it disturbs nobody."""
        answer = await self.call("GET", url)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    @contextlib.asynccontextmanager
    async def half(self, url: str, offset: int, content: bytes, sent: int, **headers: str) -> Any:
        """A body of which `sent` bytes are sent while the block lasts; then the line is cut. Gives the reader."""
        parts = urlsplit(str(self.http.base_url.join(url)))
        assert parts.hostname is not None and parts.port is not None
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        lines = [f"PATCH {parts.path} HTTP/1.1", f"Host: {parts.netloc}"]
        known = self.headers | BODY | {"Upload-Offset": str(offset), "Content-Length": str(len(content))}
        lines += [f"{name}: {value}" for name, value in (known | given).items()]
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        try:
            writer.write("\r\n".join([*lines, "", ""]).encode() + content[:sent])
            await writer.drain()
            yield reader
        finally:
            self.cuts += 1
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def cut(self, url: str, offset: int, content: bytes, sent: int, **headers: str) -> None:
        """Hang up after `sent` bytes."""
        with contextlib.suppress(OSError):
            async with self.half(url, offset, content, sent, **headers):
                pass

    # ------------------------------------------------------------ a whole file

    async def send(self, data: bytes, dice: random.Random, most_piece: int, **fields: str) -> dict[str, Any]:
        """A file in pieces of any size, every third cut, through whatever happens to the service; its answer.

        Asserts at each contact that what was acknowledged is still there.
        """
        created = await self._patiently("POST", PATH, {"Upload-Length": str(len(data))} | _metadata(fields))
        assert created.status_code == 201, created.text
        url, promised = created.headers["location"], 0
        while True:
            head = await self._patiently("HEAD", url, {})
            assert head.status_code == 200, head.status_code
            offset = int(head.headers["upload-offset"])
            assert promised <= offset <= len(data), f"{promised} acknowledged, {offset} there"
            status = await self._status_patiently(url)
            if status["answer"] is not None:
                answer: dict[str, Any] = status["answer"]
                return answer
            assert status["problem"] is None, status
            piece = data[offset : offset + dice.randint(1, most_piece)]
            if piece and dice.random() < 0.33:
                await self.cut(url, offset, piece, dice.randint(0, len(piece)))
                continue
            with contextlib.suppress(httpx.TransportError):
                answered = await self.patch(url, offset, piece)
                if answered.status_code == 204:
                    promised = int(answered.headers["upload-offset"])
                else:
                    self.refusals.append(answered.status_code)
                    assert answered.status_code in (409, 423, 503), answered.text

    async def _status_patiently(self, url: str) -> dict[str, Any]:
        answer = await self._patiently("GET", url, {})
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def _patiently(self, method: str, url: str, headers: dict[str, str]) -> httpx.Response:
        async with asyncio.timeout(self.patience_s):
            while True:
                with contextlib.suppress(httpx.TransportError):
                    answer = await self.call(method, url, headers=headers)
                    if answer.status_code < 500:
                        return answer
                await asyncio.sleep(0.02)


def _metadata(fields: dict[str, str]) -> dict[str, str]:
    return {"Upload-Metadata": metadata(**fields)} if fields else {}
