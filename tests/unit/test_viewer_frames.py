"""The short way of a message to a socket: the same bytes, never ahead of what waits."""

import asyncio

import pytest
from websockets.frames import Frame, Opcode

from greenchannel.viewer.access import RightsClass
from greenchannel.viewer.frames import text_frame
from greenchannel.viewer.live import Client

ALL = RightsClass(sites=None)


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 65535, 65536, 70000])
def test_a_frame_is_what_the_library_would_send(size: int) -> None:
    """At every form of the length, byte for byte."""
    payload = ("测" * size).encode()[:size]
    assert text_frame(payload) == Frame(Opcode.TEXT, payload).serialize(mask=False)


def test_a_free_connection_gets_the_frame_at_once() -> None:
    """Nothing is queued, no task is woken."""
    client, written = Client(ALL, 1000), list[bytes]()

    def write(frame: bytes) -> bool:
        written.append(frame)
        return True

    client.write_frame = write
    client.put("one", 3, b"1")
    assert written == [b"1"] and not client._waiting


def test_nothing_overtakes_what_waits_or_is_on_its_way() -> None:
    """A full transport sends everything the long way until the queue is empty and its last message is written."""

    async def play() -> None:
        client, written, free = Client(ALL, 1000), list[bytes](), [False]

        def write(frame: bytes) -> bool:
            if free[0]:
                written.append(frame)
            return free[0]

        client.write_frame = write
        client.put("one", 3, b"1")
        free[0] = True
        client.put("two", 3, b"2")  # one waits: not ahead of it
        assert await client.next() == "one"
        client.put("three", 5, b"3")  # two waits
        assert await client.next() == "two" and await client.next() == "three"
        client.put("four", 4, b"4")  # three may wait for the transport still
        assert await client.next() == "four"
        waiting = asyncio.create_task(client.next())
        await asyncio.sleep(0)
        client.put("five", 4, b"5")
        assert written == [b"5"] and not waiting.done()
        waiting.cancel()

    asyncio.run(play())


def test_a_full_connection_is_given_up_above_the_high_mark() -> None:
    """As before: the frame changes nothing about back-pressure."""
    client = Client(ALL, 10)
    client.write_frame = lambda frame: False
    client.put("x" * 8, 8, b"x")
    assert not client.too_slow.is_set()
    client.put("x" * 8, 8, b"x")
    assert client.too_slow.is_set()
