"""What a clinic's computer and a doctor's browser do, as a program: the public interface and nothing else.

Every call is safe to repeat, so a cut line or a restarted service costs time and never a record.
"""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from types import TracebackType
from typing import Any, Self

import httpx
import websockets

API = "/api/v1"
STOW = "/dicom-web/studies"
PAUSE_S = 0.15  # between two tries


class Refusal(Exception):
    """The service said no, and would say no again."""

    def __init__(self, status: int, problem: Mapping[str, Any]) -> None:
        super().__init__(f"{status} {problem.get('code')}: {problem.get('detail')}")
        self.status = status
        self.problem = problem


class Client:
    """One device or one person at the service.

    Parameters
    ----------
    base : str
        ``http://host:port``.
    token : str, optional
        A device's; people sign in.
    patience_s : float
        How long a call is tried again while the service is away.
    """

    def __init__(self, base: str, *, token: str | None = None, patience_s: float = 20.0) -> None:
        self.base = base.rstrip("/")
        self._token = token
        self._patience_s = patience_s
        headers = {"Authorization": f"Bearer {token}"} if token else {"Origin": self.base}
        self._http = httpx.AsyncClient(base_url=self.base, headers=headers, timeout=10.0, trust_env=False)
        self.tries = 0

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.aclose()

    # ------------------------------------------------------------ calls

    async def call(self, method: str, path: str, *, api: str = API, **request: Any) -> Any:
        """One request until it is answered; raises `Refusal`, or the last network error when patience ends."""
        loop = asyncio.get_running_loop()
        end = loop.time() + self._patience_s
        while True:
            self.tries += 1
            try:
                answer = await self._http.request(method, api + path, **request)
                if answer.status_code < 500:
                    break
            except httpx.TransportError:
                if loop.time() > end:
                    raise
            if loop.time() > end:
                break
            await asyncio.sleep(PAUSE_S)
        if answer.is_error:
            with contextlib.suppress(ValueError):
                raise Refusal(answer.status_code, answer.json())
            raise Refusal(answer.status_code, {"code": "no_problem_document", "detail": answer.text[:200]})
        return answer.json() if answer.content else None

    async def sign_in(self, user: str, password: str) -> Any:
        """Start a session; its cookie is kept."""
        return await self.call("POST", "/session", json={"user": user, "password": password})

    async def send_ecg(self, data: bytes, **fields: Any) -> Any:
        """One file with its fields."""
        params = {name: str(value) for name, value in fields.items() if value is not None}
        return await self.call("POST", "/ecgs", content=data, params=params)

    async def send_images(self, objects: Sequence[bytes]) -> str:
        """One study by STOW-RS; gives its UID."""
        head = b"--gc\r\nContent-Type: application/dicom\r\n\r\n"
        content = b"".join(head + one + b"\r\n" for one in objects) + b"--gc--\r\n"
        kind = 'multipart/related; type="application/dicom"; boundary=gc'
        answer = await self.call("POST", STOW, api="", content=content, headers={"Content-Type": kind})
        return str(answer["00081190"]["Value"][0]).rpartition("/")[2]

    async def act(self, path: str, **body: Any) -> Any:
        """A command of a person."""
        return await self.call("POST", path, json=body)

    async def milestone(self, case_id: str, milestone: str, at: str, source: str) -> Any:
        """One reported time. The key is the fact itself, so that a repeat is no second report."""
        return await self.call(
            "POST",
            f"/cases/{case_id}/milestones",
            json={"milestone": milestone, "at": at, "source": source},
            headers={"Idempotency-Key": f"{milestone}-{at}-{source}"},
        )

    # ------------------------------------------------------------ sockets

    def _socket(self, path: str) -> "websockets.connect":
        headers = {"Authorization": f"Bearer {self._token}"} if self._token else {"Origin": self.base}
        cookies = "; ".join(f"{name}={value}" for name, value in self._http.cookies.items())
        if cookies:
            headers["Cookie"] = cookies
        address = self.base.replace("http", "ws", 1) + API + path
        origin = headers.pop("Origin", None)
        return websockets.connect(
            address,
            additional_headers=headers,
            origin=websockets.Origin(origin) if origin else None,
            compression=None,
            max_size=8 * 1024 * 1024,
            proxy=None,
        )

    @contextlib.asynccontextmanager
    async def live(self, after: int | None = None) -> AsyncIterator[AsyncIterator[dict[str, Any]]]:
        """The messages of the live board."""
        async with self._socket("/live" + (f"?after={after}" if after is not None else "")) as socket:

            async def messages() -> AsyncIterator[dict[str, Any]]:
                async for text in socket:
                    yield json.loads(text)

            yield messages()

    async def stream(
        self, hello: Mapping[str, Any], frames: list[bytes], *, pause_s: float = 0.0
    ) -> list[Any]:
        """Send a recording as a live stream, coming back after every cut, until all of it is durable.

        `frames` begin with ``uint32 sequence, uint32 first_sample, uint16 samples``. Returns the server's messages.
        """
        loop = asyncio.get_running_loop()
        end = loop.time() + self._patience_s + pause_s * len(frames)
        heard: list[Any] = []
        while True:
            with contextlib.suppress(OSError, websockets.WebSocketException):
                async with self._socket("/stream") as socket:
                    await socket.send(json.dumps(dict(hello)))
                    answer = json.loads(await socket.recv())
                    heard.append(answer)
                    if "error" in answer:
                        raise Refusal(400, answer["error"])
                    if await self._send_rest(socket, frames, int(answer["resume_from"]), pause_s, heard):
                        return heard
            if loop.time() > end:
                raise TimeoutError(f"the stream was not durable within {self._patience_s} s")
            await asyncio.sleep(PAUSE_S)

    @staticmethod
    async def _send_rest(
        socket: websockets.ClientConnection,
        frames: list[bytes],
        resume_from: int,
        pause_s: float,
        heard: list[Any],
    ) -> bool:
        async def hear() -> bool:
            async for text in socket:
                message = json.loads(text)
                heard.append(message)
                if message.get("type") == "analysis" and not message.get("provisional"):
                    return True
            return False

        hearing = asyncio.create_task(hear())
        try:
            for frame in frames:
                if _last_sample(frame) > resume_from:
                    await socket.send(frame)
                    if pause_s:
                        await asyncio.sleep(pause_s)
            return await hearing
        finally:
            hearing.cancel()


def _last_sample(frame: bytes) -> int:
    return int.from_bytes(frame[4:8], "little") + int.from_bytes(frame[8:10], "little")
