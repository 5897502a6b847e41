"""A body that is refused is not read to its end, and its sender still reads why."""

import asyncio
import contextlib
import json
from pathlib import Path

import pytest

from greenchannel.viewer import unread
from tests.service.test_dicom_web_given import tell
from tests.service.viewer_house import House

MEGABYTE = bytes(2**20)


async def _connected(here: House) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    host, _, port = here.origin.removeprefix("http://").partition(":")
    return await asyncio.open_connection(host, int(port))


def _head(path: str, token: dict[str, str], *more: str) -> bytes:
    lines = [f"POST {path} HTTP/1.1", "Host: x", *(f"{k}: {v}" for k, v in token.items()), *more, "", ""]
    return "\r\n".join(lines).encode()


async def _answer(reader: asyncio.StreamReader) -> tuple[bytes, dict[str, str]]:
    head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 20)
    length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
    return head, json.loads(await reader.readexactly(length))


@pytest.mark.parametrize(
    ("path", "length"),
    [
        ("/api/v1/session", f"Content-Length: {10 * 2**30}"),
        ("/api/v1/ecgs", f"Content-Length: {10 * 2**30}"),
        ("/dicom-web/studies", f"Content-Length: {10 * 2**30}"),
        ("/api/v1/session", "Transfer-Encoding: chunked"),
        ("/api/v1/session", "Content-Length: 5\r\nTransfer-Encoding: chunked"),
    ],
)
def test_of_ten_gigabytes_that_were_refused_little_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str, length: str
) -> None:
    """The answer comes whole while the sender goes on sending; soon the line is closed under it."""
    monkeypatch.setattr(unread, "MOST_BYTES", 8 * 2**20)

    async def story(here: House) -> None:
        reader, writer = await _connected(here)
        kind = "Content-Type: multipart/related; type=application/dicom; boundary=b0"
        writer.write(_head(path, here.device(), kind, length))
        sent_mb = 0
        with contextlib.suppress(ConnectionError):
            for sent_mb in range(1, 1000):
                chunked = "chunked" in length
                writer.write(b"100000\r\n" + MEGABYTE + b"\r\n" if chunked else MEGABYTE)
                await asyncio.wait_for(writer.drain(), 30)
                if sent_mb == 1:
                    head, document = await _answer(reader)
                    assert b" 413 " in head.splitlines()[0] or b" 400 " in head.splitlines()[0], head
                    assert b"connection: close" in head.lower()
                    assert document["code"] and document["zh"]
        assert 1 <= sent_mb < 100, "the line was closed long before a gigabyte"
        writer.close()

    tell(tmp_path, story)


def test_a_body_a_little_too_large_is_answered_though_it_is_sent_first(tmp_path: Path) -> None:
    """A sender that writes all of its body before it reads: the reason is there, then the end of the line."""

    async def story(here: House) -> None:
        reader, writer = await _connected(here)
        writer.write(_head("/api/v1/session", {}, f"Content-Length: {3 * 2**20}") + 3 * MEGABYTE)
        await asyncio.wait_for(writer.drain(), 30)
        head, document = await _answer(reader)
        assert b" 413 " in head.splitlines()[0]
        assert document["code"] == "too_large"
        assert await asyncio.wait_for(reader.read(), 30) == b""
        writer.close()

    tell(tmp_path, story)


def test_a_small_body_that_nobody_read_leaves_the_line_open(tmp_path: Path) -> None:
    """Refused before it was read; the next request goes the same way."""

    async def story(here: House) -> None:
        reader, writer = await _connected(here)
        for _ in range(2):
            writer.write(_head("/dicom-web/studies", {}, "Content-Length: 1000") + bytes(1000))
            head, _ = await _answer(reader)
            assert b" 401 " in head.splitlines()[0]
            assert b"connection: close" not in head.lower()
        writer.close()

    tell(tmp_path, story)


def test_a_body_that_is_announced_in_two_ways_ends_the_line(tmp_path: Path) -> None:
    """Whoever stands between may see another request in what comes behind it; here none is answered."""

    async def story(here: House) -> None:
        reader, writer = await _connected(here)
        both = ("Content-Length: 64", "Transfer-Encoding: chunked")
        hidden = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
        writer.write(_head("/dicom-web/studies", {}, *both) + b"0\r\n\r\n" + hidden)
        head, _ = await _answer(reader)
        assert b" 401 " in head.splitlines()[0]
        assert b"connection: close" in head.lower()
        assert await asyncio.wait_for(reader.read(), 30) == b""
        writer.close()

    tell(tmp_path, story)
