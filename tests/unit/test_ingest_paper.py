"""Paper ECGs: what is taken, and what the shown copy no longer says."""

import io
import struct
from collections.abc import Callable
from typing import Any, Final

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from greenchannel.ingest.bounds import MAX_BYTES_OF
from greenchannel.ingest.errors import IngestError
from greenchannel.ingest.paper import Paper, paper_kind, read_paper, shown_copy
from tests.pictures import PLACE, box, chunk, heic, jpeg, pdf, png

ALL: Final[dict[str, Callable[[], bytes]]] = {"jpeg": jpeg, "png": png, "pdf": pdf, "heic": heic}
MADE: Final = {name: make() for name, make in ALL.items()}


def pixels(data: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image.convert("RGB"))


@pytest.mark.parametrize("kind", ALL)
def test_a_picture_is_taken_and_its_shown_copy_says_no_place(kind: str) -> None:
    """Neither Exif, nor texts, nor what follows its end; the original is not touched."""
    data = MADE[kind]
    before = bytes(data)
    assert read_paper(data) == Paper(format=paper_kind(data) or "pdf") and paper_kind(data) == kind
    copy = shown_copy(data)
    assert PLACE in data and data == before
    assert PLACE not in copy and b"Zhang San" not in copy and paper_kind(copy) == kind
    assert shown_copy(copy) == copy


@pytest.mark.parametrize("given", [{}, {"progressive": True}, {"quality": 95, "subsampling": 0}])
def test_a_photograph_looks_as_before(given: dict[str, Any]) -> None:
    """Pixel for pixel, turned as the telephone was held, and that alone is left of its Exif."""
    data = jpeg(orientation=6, **given)
    copy = shown_copy(data)
    np.testing.assert_array_equal(pixels(copy), pixels(data))
    with Image.open(io.BytesIO(copy)) as image:
        assert (
            dict(image.getexif()) == {0x0112: 6} and "comment" not in image.info and not image.info.get("xmp")
        )
    with Image.open(io.BytesIO(shown_copy(jpeg(orientation=None)))) as image:
        assert dict(image.getexif()) == {}


def test_grey_and_four_colour_photographs_look_as_before() -> None:
    """What says which colours these are is kept."""
    for mode in ("L", "CMYK"):
        out = io.BytesIO()
        Image.new(mode, (20, 10), 90).save(out, "JPEG", comment=PLACE)
        copy = shown_copy(out.getvalue())
        np.testing.assert_array_equal(pixels(copy), pixels(out.getvalue()))
        assert PLACE not in copy


def test_a_screenshot_looks_as_before() -> None:
    """Its chunks are the same, but for those that tell something."""
    np.testing.assert_array_equal(pixels(shown_copy(MADE["png"])), pixels(MADE["png"]))


def test_documents_and_heic_keep_every_offset() -> None:
    """What is taken out is overwritten where it stood; the picture inside is as it was."""
    for kind in ("pdf", "heic"):
        assert len(shown_copy(MADE[kind])) == len(MADE[kind])
    assert b"picture data" in shown_copy(MADE["heic"])
    photo = MADE["pdf"][MADE["pdf"].index(b"\xff\xd8") :]
    shown = shown_copy(MADE["pdf"])[MADE["pdf"].index(b"\xff\xd8") :]
    np.testing.assert_array_equal(pixels(shown), pixels(photo))


@pytest.mark.parametrize("kind", ALL)
def test_a_picture_that_was_cut_is_refused(kind: str) -> None:
    """A messenger that gave up half-way: told, so that it is sent again."""
    data = MADE[kind]
    for size in (len(data) // 2, len(data) // 4):
        with pytest.raises(IngestError) as error:
            read_paper(data[:size])
        assert error.value.code in ("truncated", "malformed") and error.value.expected


def test_pictures_that_lie_are_refused() -> None:
    """Too large in bytes or pixels, damaged, a film, no picture at all."""
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0))
    magic = b"\x89PNG\r\n\x1a\n"
    huge = jpeg().replace(struct.pack(">HH", 40, 60), struct.pack(">HH", 60_000, 60_000))
    flipped = bytearray(MADE["png"])
    flipped[60] ^= 1
    bad = {
        b"\xff\xd8\xff" + bytes(MAX_BYTES_OF["photograph"]): "too_large",
        magic + head: "too_large",
        huge: "too_large",
        bytes(flipped): "malformed",
        magic + chunk(b"IDAT", b""): "malformed",
        b"\xff\xd8\xff\xd9": "malformed",
        b"\xff\xd8\xff\xe0\x00\x01": "malformed",
        box(b"ftyp", b"heic\0\0\0\0") + box(b"moov", b""): "unsupported",
        box(b"ftyp", b"heic\0\0\0\0") + box(b"mdat", b""): "malformed",
        b"an ECG in words": "unknown_format",
    }
    for data, code in bad.items():
        with pytest.raises(IngestError) as error:
            read_paper(data)
        assert error.value.code == code, data[:20]


@given(
    kind=st.sampled_from(sorted(ALL)),
    cut=st.integers(0, 4000),
    changes=st.dictionaries(st.integers(0, 4000), st.integers(0, 255), max_size=6),
)
def test_whatever_comes_is_shown_or_refused(kind: str, cut: int, changes: dict[int, int]) -> None:
    """Nothing but `IngestError`, and no copy larger than what came, but for the few bytes of its orientation."""
    data = bytearray(MADE[kind][: len(MADE[kind]) - cut % len(MADE[kind])])
    for at, value in changes.items():
        data[at % len(data)] = value
    try:
        copy = shown_copy(bytes(data))
    except IngestError:
        return
    assert len(copy) <= len(data) + 40
