"""A body of several parts, however it is cut."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from greenchannel.ingest.errors import IngestError
from greenchannel.ingest.imaging.multipart import MultipartReader, parameters
from tests.imaging_files import related

PARTS = st.lists(st.binary(max_size=60) | st.just(b"\r\n--b0 but no border\r\n--b"), min_size=1, max_size=5)


@given(PARTS, st.lists(st.integers(1, 40), min_size=1, max_size=50), st.binary(max_size=10))
def test_any_cutting_gives_the_parts_of_the_whole(
    parts: list[bytes], cuts: list[int], preamble: bytes
) -> None:
    """Borders may lie across pieces; what looks like the beginning of one is content."""
    parts = [part.replace(b"\r\n--b0", b"\r\n--b1") for part in parts]
    body, content_type = related(parts)
    body = preamble.replace(b"-", b"") + b"\r\n" + body
    reader = MultipartReader(parameters(content_type)[1]["boundary"], 1000)
    got: list[bytes] = []
    at = 0
    while at < len(body):
        step = cuts[at % len(cuts)]
        got += [part.body for part in reader.feed(body[at : at + step])]
        at += step
    reader.finish()

    assert got == parts


@given(st.integers(0, 300))
def test_a_body_that_ends_early_says_so(length: int) -> None:
    """Whole parts were given out; that the last is missing is no secret."""
    body, _ = related([b"a" * 100, b"b" * 100])
    reader = MultipartReader("b0", 1000)
    list(reader.feed(body[: min(length, len(body) - 3)]))

    with pytest.raises(IngestError, match="truncated"):
        reader.finish()


def test_no_part_fills_the_memory() -> None:
    """A part beyond its bound ends the body while it comes."""
    reader = MultipartReader("b0", 1000)
    with pytest.raises(IngestError, match="too_large"):
        for _ in range(100):
            list(reader.feed(b"--b0\r\n\r\n" if _ == 0 else b"x" * 1000))
    assert len(reader._held) < 20_000
