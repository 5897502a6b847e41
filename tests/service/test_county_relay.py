"""The relay before a service: each fault does what its name says, and a clean link changes no byte."""

import asyncio
import contextlib
import hashlib
import time
from collections.abc import AsyncIterator, Callable

import httpx
import pytest

from greenchannel.county.links import ConnectionFate, Fault, LinkProfile, RequestFate
from greenchannel.county.relay import Relay

CLEAN = LinkProfile()
BODY = bytes(range(256)) * 256


class Far:
    """A service that answers with the hash of what it was sent."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncIterator[int]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        async with server:
            yield server.sockets[0].getsockname()[1]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = next(
                    (
                        int(line[15:])
                        for line in head.split(b"\r\n")
                        if line.lower().startswith(b"content-length:")
                    ),
                    0,
                )
                self.bodies.append(await reader.readexactly(length))
                answer = hashlib.sha256(self.bodies[-1]).hexdigest().encode()
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 64\r\n\r\n" + answer)
                await writer.drain()
        writer.close()


def fated(*faults: Fault | None, **how: float) -> Callable[[int], RequestFate]:
    """These faults for the first requests, none for those after."""
    given = {"after_bytes": 5000, "answer_bytes": 20, "silent_s": 0.0} | how

    def fate(number: int) -> RequestFate:
        fault = faults[number] if number < len(faults) else None
        return RequestFate(fault=fault, **given)  # type: ignore[arg-type]

    return fate


async def through(relay: Relay, *bodies: bytes) -> list[str | int]:
    """Post each body; the answers' texts, the status of other answers, or the name of the error."""
    heard: list[str | int] = []
    async with (
        relay.open() as near,
        httpx.AsyncClient(base_url=near, timeout=10.0, trust_env=False) as http,
    ):
        for body in bodies:
            try:
                answer = await http.post("/", content=body)
                heard.append(answer.text if answer.status_code == 200 else answer.status_code)
            except httpx.TransportError:
                heard.append("lost")
    return heard


def run(
    profile: LinkProfile, *bodies: bytes, **fates: Callable[[int], object]
) -> tuple[Far, Relay, list[str | int]]:
    """What came to the far end, the relay afterwards, and what was heard."""

    async def play() -> tuple[Far, Relay, list[str | int]]:
        far = Far()
        async with far.open() as port:
            relay = Relay("127.0.0.1", port, profile, **fates)  # type: ignore[arg-type]
            return far, relay, await through(relay, *bodies)

    return asyncio.run(play())


def test_a_clean_link_changes_no_byte() -> None:
    """There and back, over one connection."""
    far, relay, heard = run(CLEAN, BODY, b"", BODY[:1000])

    assert far.bodies == [BODY, b"", BODY[:1000]]
    assert heard == [hashlib.sha256(body).hexdigest() for body in far.bodies]
    assert relay.counts["connections"] == 1 and relay.counts["requests"] == 3


@pytest.mark.parametrize(
    ("fault", "seen", "heard"),
    [
        (Fault.UNSENT, [], "lost"),
        (Fault.HALF, [], "lost"),
        (Fault.SILENT, [], "lost"),
        (Fault.UNHEARD, [BODY], "lost"),
        (Fault.HALF_HEARD, [BODY], "lost"),
        (Fault.GATEWAY, [], 502),
    ],
)
def test_each_fault_does_what_it_says(fault: Fault, seen: list[bytes], heard: str | int) -> None:
    """To one request; the next is whole."""
    body = b"" if fault is Fault.GATEWAY else BODY
    far, relay, answers = run(CLEAN, body, BODY, fate_of_request=fated(fault))

    assert far.bodies == [*seen, BODY]
    assert answers == [heard, hashlib.sha256(BODY).hexdigest()]
    assert relay.counts[fault] == 1


@pytest.mark.parametrize("fault", [Fault.HALF, Fault.SILENT])
def test_a_request_shorter_than_its_break_fails_all_the_same(fault: Fault) -> None:
    """The service has done it, and its answer is lost."""
    far, _, answers = run(CLEAN, b"short", fate_of_request=fated(fault))

    assert far.bodies == [b"short"] and answers == ["lost"]


def test_a_silent_line_says_nothing_before_it_drops() -> None:
    """For as long as its fate says."""
    begun = time.monotonic()
    _, _, answers = run(CLEAN, BODY, fate_of_request=fated(Fault.SILENT, silent_s=0.3))

    assert answers == ["lost"] and time.monotonic() - begun >= 0.3


def test_a_connection_is_cut_after_its_bytes() -> None:
    """Counted both ways; a new connection goes on."""
    cuts = iter([30_000, None, None])
    far, relay, answers = run(
        CLEAN,
        BODY,
        BODY,
        fate_of_connection=lambda _: ConnectionFate(refused=False, cut_after_bytes=next(cuts)),
    )

    assert answers == ["lost", hashlib.sha256(BODY).hexdigest()] and far.bodies == [BODY]
    assert relay.counts["cut"] == 1 and relay.counts["bytes_forth"] >= 30_000


def test_a_refused_connection_reaches_nobody() -> None:
    """Nor does one while the link is down."""
    far, relay, answers = run(
        CLEAN, BODY, fate_of_connection=lambda _: ConnectionFate(refused=True, cut_after_bytes=None)
    )

    assert answers == ["lost"] and far.bodies == [] and relay.counts["refused"] == 1


def test_a_link_that_goes_down_cuts_and_comes_back() -> None:
    """`hang_up` ends what is under way; while `down`, nothing new gets through."""

    async def play() -> tuple[list[str], list[bytes]]:
        far, said = Far(), []
        async with far.open() as port:
            relay = Relay("127.0.0.1", port, CLEAN)
            async with relay.open() as near, httpx.AsyncClient(base_url=near, trust_env=False) as http:
                said.append((await http.post("/", content=b"1")).text)
                relay.down = True
                relay.hang_up()
                with pytest.raises(httpx.TransportError):
                    await http.post("/", content=b"2")
                relay.down = False
                said.append((await http.post("/", content=b"3")).text)
        return said, far.bodies

    said, bodies = asyncio.run(play())
    assert bodies == [b"1", b"3"] and said == [hashlib.sha256(body).hexdigest() for body in bodies]


def test_an_outage_ends_by_itself() -> None:
    """What is sent meanwhile is lost, and what is sent afterwards arrives."""

    async def play() -> tuple[list[str], Relay]:
        said: list[str] = []
        async with Far().open() as port:
            relay = Relay("127.0.0.1", port, LinkProfile(down_every_s=0.05, down_s=(0.05, 0.1)), seed=1)
            async with relay.open() as near:
                while relay.counts["outages"] < 3 or relay.down:
                    async with httpx.AsyncClient(base_url=near, trust_env=False) as http:
                        with contextlib.suppress(httpx.TransportError):
                            said.append((await http.post("/", content=b"1")).text)
                    await asyncio.sleep(0.005)
        return said, relay

    said, relay = asyncio.run(play())
    assert set(said) == {hashlib.sha256(b"1").hexdigest()} and relay.counts["outages"] >= 3
    assert relay.counts["refused"] > 0


def test_a_service_that_is_away_is_a_line_that_drops() -> None:
    """And is counted apart."""

    async def play() -> tuple[Relay, list[str | int]]:
        async with Far().open() as port:
            relay = Relay("127.0.0.1", port, CLEAN)
        return relay, await through(relay, b"x")

    relay, answers = asyncio.run(play())
    assert answers == ["lost"] and relay.counts["away"] == 1


def test_a_thin_line_takes_its_time() -> None:
    """64 KiB at 1 Mbit/s with 50 ms each way are never faster than the line; and the bytes are right."""
    begun = time.monotonic()
    thin = LinkProfile(rate_bit_s=1e6, burst_bytes=1500, delay_s=0.05)
    _, _, answers = run(thin, BODY)

    assert answers == [hashlib.sha256(BODY).hexdigest()]
    assert time.monotonic() - begun >= (len(BODY) - 1500) * 8 / 1e6 + 0.1
