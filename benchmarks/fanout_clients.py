"""Many boards in one process, as cheap as they can be: `python -m benchmarks.fanout_clients`.

One line of JSON on standard input says where and how many; a second one, ``{"seq": N, "visible": {user: [seq, …]}}``,
says that nothing more will be written. Standard output has a line when all are connected and one with what they found.

A board here is an `asyncio.Protocol`: it reads frames out of the socket's bytes, takes type, number and instant out of
each message, and keeps the row as the bytes it came in. Rows that are equal are kept once.
"""

import asyncio
import base64
import bisect
import hashlib
import json
import random
import resource
import secrets
import sys
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final, cast

import msgspec
import uvloop

from benchmarks.harness import Json, quantiles

TICK_S: Final = 0.02  # so often the process looks how late it is itself
AWAY_S: Final = (0.1, 3.0)
CONNECTS_APART_S: Final = 0.01
WITHIN_S: Final = 60.0
TEXT, CLOSE, PING, PONG = 1, 8, 9, 10


class Message(msgspec.Struct):
    """What is read of a message; the rest is passed over."""

    type: str
    seq: int = 0
    at: str | None = None
    case_id: str | None = None
    row: msgspec.Raw = msgspec.Raw(b"")
    cases: list[msgspec.Raw] | None = None


class Named(msgspec.Struct):
    """Whose a row is."""

    case_id: str


_message: Final = msgspec.json.Decoder(Message)
_named: Final = msgspec.json.Decoder(Named)
_kept: dict[bytes, bytes] = {}


def _keep(row: msgspec.Raw) -> bytes:
    text = bytes(row)
    return _kept.setdefault(text, text)


class Board:
    """What one client has seen, over all its connections."""

    def __init__(self, user: str) -> None:
        self.user = user
        self.seq: int | None = None
        self.rows: dict[str, bytes] = {}
        self.covered: list[tuple[str, int]] = []  # "to": a snapshot up to there; "one": an event
        self.late_ms: list[float] = []  # of events that were committed while it was connected
        self.replayed = 0
        self.doubled = 0
        self.marks_at_end = 0
        self.connections = 0

    def take(self, text: bytes | memoryview, live: bool, now: float) -> bool:
        """One message; True from the first on that ends what a new connection begins with."""
        message = _message.decode(text)
        if message.type == "mark":
            self.seq = max(self.seq or 0, message.seq)
            self.marks_at_end += 1
            return True
        if message.type == "snapshot":
            self.rows = {_named.decode(row).case_id: _keep(row) for row in message.cases or ()}
            self.seq = message.seq
            self.covered.append(("to", message.seq))
            return True
        assert message.case_id is not None
        self.rows[message.case_id] = _keep(message.row)
        if message.type == "order_changed":
            return live
        if self.seq is not None and message.seq <= self.seq:
            self.doubled += 1
        self.seq = message.seq
        self.covered.append(("one", message.seq))
        if live and message.at is not None:
            self.late_ms.append(1000 * (now - datetime.fromisoformat(message.at).timestamp()))
        else:
            self.replayed += 1
        return live

    def gaps(self, visible: list[int]) -> int:
        """How many events that it may see were neither sent to it in their turn nor covered by a snapshot."""
        at, missing = 0, 0
        for kind, seq in self.covered:
            place = bisect.bisect_left(visible, seq)
            if kind == "to":
                at = bisect.bisect_right(visible, seq)
            else:
                missing += max(0, place - at)
                at = max(at, min(place + 1, len(visible)))  # what came after the count is nobody's gap
        return missing + len(visible) - at

    def state(self) -> str:
        """The hash of all rows."""
        digest = hashlib.sha256()
        for case_id in sorted(self.rows):
            digest.update(case_id.encode() + b"\0" + self.rows[case_id] + b"\0")
        return digest.hexdigest()


class Connection(asyncio.Protocol):
    """One WebSocket; whatever ends it calls `ended`."""

    def __init__(self, board: Board, request: bytes, ended: Callable[[], None]) -> None:
        self._board = board
        self._request = request
        self._ended = ended
        self._bytes = bytearray()
        self._open = False
        self._live = False
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's is none by its class
        self.transport.write(self._request)

    def connection_lost(self, exc: Exception | None) -> None:
        self._ended()

    def data_received(self, data: bytes) -> None:
        now = time.time()
        self._bytes += data
        if not self._open:
            head, found, rest = bytes(self._bytes).partition(b"\r\n\r\n")
            if not found:
                return
            if not head.startswith(b"HTTP/1.1 101"):
                raise ConnectionError(head.decode("latin-1")[:200])
            self._open, self._bytes = True, bytearray(rest)
            self._board.connections += 1
        self._frames(now)

    def _frames(self, now: float) -> None:
        at, end = 0, len(self._bytes)
        view = memoryview(bytes(self._bytes))
        while end - at >= 2:
            kind, length, begins = view[at] & 0x0F, view[at + 1], at + 2
            if length >= 126:
                wide = 2 if length == 126 else 8
                if end - begins < wide:
                    break
                length = int.from_bytes(view[begins : begins + wide], "big")
                begins += wide
            if end - begins < length:
                break
            self._frame(kind, view[begins : begins + length], now)
            at = begins + length
        del self._bytes[:at]

    def _frame(self, kind: int, payload: memoryview, now: float) -> None:
        assert self.transport is not None
        if kind == TEXT:
            self._live = self._board.take(payload, self._live, now)
        elif kind == PING:
            self.transport.write(_masked(PONG, bytes(payload)))
        elif kind == CLOSE:
            self.transport.close()


def _masked(kind: int, payload: bytes) -> bytes:
    key = secrets.token_bytes(4)
    return (
        bytes([0x80 | kind, 0x80 | len(payload)]) + key + bytes(b ^ key[i % 4] for i, b in enumerate(payload))
    )


class Crowd:
    """All boards, cut off at random, each coming back behind what it has."""

    def __init__(self, told: Json) -> None:
        self._host, self._port = told["host"], int(told["port"])
        self._cookies: dict[str, str] = told["cookies"]
        self._drops_per_s = float(told["drops_per_s"])
        self._dice = random.Random(told["seed"])
        self._connected: dict[Board, Connection] = {}
        self._coming: set[asyncio.Task[None]] = set()
        self._over = False
        self.boards = [Board(user) for user, count in told["clients"].items() for _ in range(count)]
        self.drops = 0
        self.lag_ms: list[float] = []

    async def connect_all(self) -> None:
        """One after the other, so that the service is not asked for everything in one moment."""
        for board in self.boards:
            await self._connect(board)
            await asyncio.sleep(CONNECTS_APART_S)
        await self._until(lambda board: board.seq is not None)

    async def _connect(self, board: Board) -> None:
        loop = asyncio.get_running_loop()
        after = "" if board.seq is None else f"?after={board.seq}"
        key = base64.b64encode(self._dice.randbytes(16)).decode()
        origin = f"http://{self._host}:{self._port}"
        request = (
            f"GET /api/v1/live{after} HTTP/1.1\r\nHost: {self._host}:{self._port}\r\nOrigin: {origin}\r\n"
            f"Cookie: {self._cookies[board.user]}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n"
        ).encode()
        _, made = await loop.create_connection(
            lambda: Connection(board, request, lambda: self._lost(board)), self._host, self._port
        )
        self._connected[board] = made

    def _lost(self, board: Board) -> None:
        self._connected.pop(board, None)
        if not self._over:
            task = asyncio.get_running_loop().create_task(self._come_back(board))
            self._coming.add(task)
            task.add_done_callback(self._coming.discard)

    async def _come_back(self, board: Board) -> None:
        await asyncio.sleep(self._dice.uniform(*AWAY_S))
        await self._connect(board)

    async def drop(self) -> None:
        """Cut connections at random until cancelled."""
        while True:
            await asyncio.sleep(self._dice.expovariate(self._drops_per_s))
            if self._connected:
                victim = self._dice.choice(list(self._connected.values()))
                if victim.transport is not None and not victim.transport.is_closing():
                    self.drops += 1
                    victim.transport.abort()

    async def tick(self) -> None:
        """How late this process is itself, until cancelled."""
        while True:
            due = time.perf_counter() + TICK_S
            await asyncio.sleep(TICK_S)
            self.lag_ms.append(1000 * (time.perf_counter() - due))

    async def _until(self, true: Callable[[Board], bool]) -> None:
        async with asyncio.timeout(WITHIN_S):
            while not all(map(true, self.boards)):
                await asyncio.sleep(0.05)

    async def come_to_end(self, seq: int) -> None:
        """Everybody is back, has all up to `seq`, and has heard two marks more: places that the hour moved too."""
        await self._until(lambda board: board in self._connected and (board.seq or 0) >= seq)
        for board in self.boards:
            board.marks_at_end = 0
        await self._until(lambda board: board.marks_at_end >= 2)
        self._over = True

    def found(self, visible: dict[str, list[int]]) -> Json:
        """What all of them saw."""
        late = [ms for board in self.boards for ms in board.late_ms]
        used = resource.getrusage(resource.RUSAGE_SELF)
        return {
            "late_ms": quantiles(late, 1),
            "events_live": len(late),
            "events_replayed": sum(board.replayed for board in self.boards),
            "snapshots": sum(kind == "to" for board in self.boards for kind, _ in board.covered),
            "drops": self.drops,
            "connections": sum(board.connections for board in self.boards),
            "states": {
                user: sorted({board.state() for board in self.boards if board.user == user})
                for user in self._cookies
            },
            "gaps": sum(board.gaps(visible[board.user]) for board in self.boards),
            "doubled": sum(board.doubled for board in self.boards),
            "own_lag_ms": quantiles(self.lag_ms, 1),
            "cpu_s": round(used.ru_utime + used.ru_stime, 1),
        }


async def main() -> None:
    loop = asyncio.get_running_loop()
    crowd = Crowd(json.loads(await loop.run_in_executor(None, sys.stdin.readline)))
    await crowd.connect_all()
    print(json.dumps({"connected": len(crowd.boards)}), flush=True)
    ticking, dropping = loop.create_task(crowd.tick()), loop.create_task(crowd.drop())
    told: dict[str, Any] = json.loads(await loop.run_in_executor(None, sys.stdin.readline))
    for task in (ticking, dropping):
        task.cancel()
    await crowd.come_to_end(told["seq"])
    print(json.dumps(crowd.found(told["visible"])), flush=True)


if __name__ == "__main__":
    uvloop.run(main())
