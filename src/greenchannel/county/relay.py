"""A bad link before a service: a relay of TCP connections that does to them what `links.py` says.

It may stand before any HTTP or WebSocket service: tests put it between a clinic and the service, and
`greenchannel simulate link` is one for trying out a device by hand.
"""

import asyncio
import contextlib
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from typing import Final

from greenchannel.county.links import (
    ConnectionFate,
    Fault,
    LinkProfile,
    Pipe,
    RequestFate,
    admit,
    connection_fate,
    outage,
    request_fate,
    waiting_s,
)
from greenchannel.county.request_borders import RequestBorders

READ_BYTES: Final = 4096
THIN_READ_S: Final = 0.1  # at most so much of a thin line's time in one piece, so that it flows evenly
LEAST_READ_BYTES: Final = 256
MOST_UNDER_WAY: Final = 256  # pieces; a reader that is ahead of its writer by so many waits
GATEWAY_ANSWER: Final = (
    b"HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/html\r\nContent-Length: 20\r\nConnection: close\r\n\r\n"
    b"<h1>Bad Gateway</h1>"
)


class Relay:
    """The near end of a link, at a port of its own.

    Parameters
    ----------
    host, port
        The service at the far end. May change while the relay is open.
    profile
        What the link is like; may change while the relay is open, but for its outages.
    seed
        Which connections and requests fail, and how.
    fate_of_connection, fate_of_request
        In place of what profile and seed say, for tests that want a certain course.
    """

    def __init__(
        self,
        host: str,
        port: int,
        profile: LinkProfile,
        *,
        seed: int = 0,
        fate_of_connection: Callable[[int], ConnectionFate] | None = None,
        fate_of_request: Callable[[int], RequestFate] | None = None,
    ) -> None:
        self.host, self.port = host, port
        self.profile = profile
        self.seed = seed
        self.down = False
        """True, as in an outage: every new connection is refused; `hang_up` ends the others."""
        self.counts: Counter[str] = Counter()
        """``connections``, ``requests``, ``bytes_forth``, ``bytes_back``, ``refused``, ``cut``, ``away`` (no service
        at the far end), ``outages``, and each `Fault`."""
        self.pipes = {"forth": Pipe(), "back": Pipe()}
        self._fate_of_connection = fate_of_connection or (
            lambda n: connection_fate(self.profile, self.seed, n)
        )
        self._fate_of_request = fate_of_request or (lambda n: request_fate(self.profile, self.seed, n))
        self._dice = random.Random(f"{seed}/jitter")
        self._lines: set[_Line] = set()

    @contextlib.asynccontextmanager
    async def open(self, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[str]:
        """Listen; gives the address of the near end, ``http://host:port``. All connections end with the block."""
        tasks: set[asyncio.Task[None]] = set()

        async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            tasks.add(task)
            try:
                await self._relay(reader, writer)
            except asyncio.CancelledError:
                writer.transport.abort()  # the block has ended: nobody waits for this task's result
            finally:
                tasks.discard(task)

        server = await asyncio.start_server(accept, host, port)
        tasks.add(asyncio.create_task(self._go_down_now_and_then()))
        try:
            near_host, near_port = server.sockets[0].getsockname()[:2]
            yield f"http://{near_host}:{near_port}"
        finally:
            server.close()
            for task in tuple(tasks):
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def hang_up(self) -> None:
        """Cut every connection now."""
        for line in tuple(self._lines):
            line.cut.set()

    async def _go_down_now_and_then(self) -> None:
        while (found := outage(self.profile, self.seed, self.counts["outages"])) is not None:
            await asyncio.sleep(found.after_s)
            self.counts["outages"] += 1
            self.down = True
            self.hang_up()
            await asyncio.sleep(found.length_s)
            self.down = False

    async def _relay(self, near_in: asyncio.StreamReader, near_out: asyncio.StreamWriter) -> None:
        number, self.counts["connections"] = self.counts["connections"], self.counts["connections"] + 1
        fate = self._fate_of_connection(number)
        if fate.refused or self.down:
            self.counts["refused"] += 1
            near_out.transport.abort()
            return
        try:
            far_in, far_out = await asyncio.open_connection(self.host, self.port)
        except OSError:
            self.counts["away"] += 1
            near_out.transport.abort()
            return
        line = _Line(self, fate, near_out, far_out)
        self._lines.add(line)
        try:
            await line.carry(near_in, far_in)
        finally:
            self._lines.discard(line)

    def next_request(self) -> RequestFate:
        """The fate of the request that begins now."""
        number, self.counts["requests"] = self.counts["requests"], self.counts["requests"] + 1
        return self._fate_of_request(number)

    def jitter(self) -> float:
        """From 0 to 1."""
        return self._dice.random()

    @property
    def read_bytes(self) -> int:
        """How much is taken at once."""
        rate_bit_s = self.profile.rate_bit_s
        if rate_bit_s is None:
            return READ_BYTES
        return min(READ_BYTES, max(LEAST_READ_BYTES, int(rate_bit_s / 8 * THIN_READ_S)))


class _Cut(Exception):
    """The line drops here."""


class _Line:
    """One connection through the relay."""

    def __init__(
        self,
        relay: Relay,
        fate: ConnectionFate,
        near_out: asyncio.StreamWriter,
        far_out: asyncio.StreamWriter,
    ) -> None:
        self.cut = asyncio.Event()
        self._relay = relay
        self._left = fate.cut_after_bytes
        self._near_out, self._far_out = near_out, far_out
        self._request: RequestFate | None = None
        self._request_left: int | None = None  # of the request's own bytes, until it breaks off
        self._answer_left: int | None = None
        self._queues = {
            way: asyncio.Queue[tuple[float, bytes, bool]](MOST_UNDER_WAY) for way in ("forth", "back")
        }  # when it arrives, what, and whether the line is cut behind it

    async def carry(self, near_in: asyncio.StreamReader, far_in: asyncio.StreamReader) -> None:
        """Carry both ways until one end closes or the line is cut."""
        tasks = [
            asyncio.create_task(one)
            for one in (
                self._read(near_in, "forth"),
                self._read(far_in, "back"),
                self._write(self._far_out, "forth"),
                self._write(self._near_out, "back"),
                self._until_cut(),
            )
        ]
        try:
            await asyncio.wait(tasks[2:], return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            results = await asyncio.gather(*tasks, return_exceptions=True)
            cut = any(isinstance(result, _Cut) for result in results)
            for writer in (self._near_out, self._far_out):
                if cut:
                    writer.transport.abort()
                else:
                    writer.close()
        for result in results:
            if isinstance(result, Exception) and not isinstance(result, _Cut | OSError):
                raise result

    async def _until_cut(self) -> None:
        await self.cut.wait()
        self._relay.counts["cut"] += 1
        raise _Cut

    # ------------------------------------------------------------ what is read goes down the pipe

    async def _read(self, source: asyncio.StreamReader, way: str) -> None:
        borders = RequestBorders()
        with contextlib.suppress(ConnectionError):
            while data := await source.read(self._relay.read_bytes):
                if way == "back":
                    await self._hear(data)
                    continue
                for piece in borders.feed(data):
                    if piece.begins:
                        await self._begin_request()
                    await self._say(piece.data)
        await self._put(b"", way)  # the end

    async def _begin_request(self) -> None:
        fate = self._request = self._relay.next_request()
        self._request_left = self._answer_left = None
        if fate.fault is None:
            return
        self._relay.counts[fate.fault] += 1
        match fate.fault:
            case Fault.UNSENT:
                await self._put(b"", "forth", cut=True)
            case Fault.GATEWAY:
                await self._put(GATEWAY_ANSWER, "back")
                await self._put(b"", "back")
                await asyncio.Event().wait()  # the request itself goes nowhere
            case Fault.HALF | Fault.SILENT:
                self._request_left = fate.after_bytes
            case Fault.UNHEARD:
                self._answer_left = 0
            case Fault.HALF_HEARD:
                self._answer_left = fate.answer_bytes

    async def _say(self, data: bytes) -> None:
        """Bytes of a request, as far as its fate lets them."""
        if self._request_left is not None:
            data, whole = data[: self._request_left], data
            self._request_left -= len(data)
            if len(data) < len(whole) or not self._request_left:
                await self._put(data, "forth")
                await self._silence()
                await self._put(b"", "forth", cut=True)
        await self._put(data, "forth")

    async def _hear(self, data: bytes) -> None:
        """Bytes of an answer, as far as the fate of its request lets them."""
        if self._request_left is not None:
            # A request shorter than what should have passed of it: then the answer is what breaks off.
            self._answer_left, self._request_left = 0, None
        if self._answer_left is not None:
            data, whole = data[: self._answer_left], data
            self._answer_left -= len(data)
            if len(data) < len(whole):
                await self._put(data, "back")
                await self._silence()
                await self._put(b"", "back", cut=True)
        await self._put(data, "back")

    async def _silence(self) -> None:
        if self._request is not None and self._request.fault is Fault.SILENT:
            await asyncio.sleep(self._request.silent_s)

    async def _put(self, data: bytes, way: str, *, cut: bool = False) -> None:
        """Send down the pipe; where the line is cut behind it this never returns: nothing more is carried."""
        relay = self._relay
        if self._left is not None:
            spent = len(data) >= self._left
            data = data[: self._left]
            self._left -= len(data)
            relay.counts["cut"] += spent and not cut
            cut = cut or spent
        await asyncio.sleep(waiting_s(relay.profile, relay.pipes[way], time.monotonic()))
        relay.pipes[way], passage = admit(
            relay.profile, relay.pipes[way], len(data), time.monotonic(), relay.jitter()
        )
        relay.counts[f"bytes_{way}"] += len(data)
        await self._queues[way].put((passage.arrives_s, data, cut))
        if cut:
            await asyncio.Event().wait()

    # ------------------------------------------------------------ what arrives is written

    async def _write(self, target: asyncio.StreamWriter, way: str) -> None:
        with contextlib.suppress(ConnectionError):
            while True:
                arrives_s, data, cut = await self._queues[way].get()
                await asyncio.sleep(max(0.0, arrives_s - time.monotonic()))
                if data:
                    target.write(data)
                    await target.drain()
                if cut:
                    raise _Cut
                if not data:
                    return
