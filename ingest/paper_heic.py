"""A HEIC photograph without its metadata: the items that are no picture are overwritten (ISO/IEC 14496-12, 23008-12).

Bytes are overwritten where they stand, so that every offset of the file still holds. How the telephone was held is a
property of the picture itself and stays.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

from greenchannel.ingest.errors import IngestError

_BRANDS: Final = frozenset({b"heic", b"heix", b"heim", b"heis", b"mif1"})
_PICTURES: Final = frozenset({b"hvc1", b"grid", b"iden", b"iovl"})
_BLANKED: Final = frozenset({b"uuid", b"free", b"skip", b"udta"})
_MOST_ITEMS: Final = 10_000


class Box(NamedTuple):
    """One box: its type, and where its content lies."""

    kind: bytes
    start: int
    end: int


def looks_like_heic(data: bytes) -> bool:
    """Does the file say that it holds still pictures in HEVC?"""
    if data[4:8] != b"ftyp":
        return False
    brands = {data[at : at + 4] for at in range(8, min(int.from_bytes(data[:4]), 256), 4) if at != 12}
    return bool(brands & _BRANDS) and b"avif" not in brands


def shown_heic(data: bytes) -> bytes:
    """The file with everything blank that is no picture.

    Raises
    ------
    IngestError
        ``truncated``, ``malformed``, or ``unsupported`` for a film.
    """
    out = bytearray(data)
    metas = []
    for box in _boxes(data, 0, len(data)):
        if box.kind == b"moov":
            raise _refused("unsupported", "a single photograph", "a film")
        if box.kind == b"meta":
            metas.append(box)
        elif box.kind in _BLANKED:
            out[box.start : box.end] = bytes(box.end - box.start)
    if len(metas) != 1:
        raise _refused("malformed", "one table of items", str(len(metas)))
    inside = {box.kind: box for box in _boxes(data, metas[0].start + 4, metas[0].end)}
    if not {b"iinf", b"iloc"} <= inside.keys():
        raise _refused("malformed", "items and their places", "neither or one")
    try:
        kinds = dict(_kinds(data, inside[b"iinf"]))
        idat = inside.get(b"idat")
        for item, start, end in _extents(data, inside[b"iloc"], idat.start if idat else None):
            if end > len(data):
                raise _refused("truncated", f"{end} bytes", f"{len(data)} bytes")
            if kinds.get(item) not in _PICTURES:
                out[start:end] = bytes(end - start)
    except (IndexError, OverflowError):
        raise _refused("malformed", "a table of items", "one that ends early") from None
    return bytes(out)


class _Reader:
    """Numbers of a box, one after the other; raises `IndexError` beyond its end."""

    def __init__(self, data: bytes, box: Box) -> None:
        self._data, self._at, self._end = data, box.start, box.end

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size))

    def take(self, size: int) -> bytes:
        if self._at + size > self._end:
            raise IndexError("beyond the box")
        self._at += size
        return self._data[self._at - size : self._at]

    @property
    def at(self) -> int:
        return self._at


def _boxes(data: bytes, start: int, end: int) -> Iterator[Box]:
    while start < end:
        if start + 8 > end:
            raise _refused("truncated", "a box", f"{end - start} bytes")
        size, head = int.from_bytes(data[start : start + 4]), 8
        if size == 1:
            size, head = int.from_bytes(data[start + 8 : start + 16]), 16
        elif size == 0:
            size = end - start
        if size < head:
            raise _refused("malformed", "the size of a box", str(size))
        if start + size > end:
            raise _refused("truncated", f"a box of {size} bytes", f"{end - start} bytes")
        yield Box(data[start + 4 : start + 8], start + head, start + size)
        start += size


def _kinds(data: bytes, iinf: Box) -> Iterator[tuple[int, bytes]]:
    """Id and type of each item."""
    reader = _Reader(data, iinf)
    version = reader.number(4) >> 24
    reader.number(2 if version == 0 else 4)
    for box in _boxes(data, reader.at, iinf.end):
        entry = _Reader(data, box)
        version = entry.number(4) >> 24
        if version < 2:
            raise _refused("unsupported", "items with a type", f"version {version}")
        item = entry.number(2 if version == 2 else 4)
        entry.number(2)
        yield item, entry.take(4)


def _extents(data: bytes, iloc: Box, idat: int | None) -> Iterator[tuple[int, int, int]]:
    """Item, first and last byte of every piece."""
    reader = _Reader(data, iloc)
    version = reader.number(4) >> 24
    sizes, more = reader.number(1), reader.number(1)
    offset_size, length_size, base_size = sizes >> 4, sizes & 15, more >> 4
    index_size = more & 15 if version in (1, 2) else 0
    for _ in range(min(reader.number(2 if version < 2 else 4), _MOST_ITEMS)):
        item = reader.number(2 if version < 2 else 4)
        method = reader.number(2) & 15 if version in (1, 2) else 0
        reader.number(2)
        base = reader.number(base_size)
        if method > 1 or (method == 1 and idat is None):
            raise _refused("unsupported", "items in the file itself", f"construction {method}")
        origin = base + (idat or 0 if method == 1 else 0)
        for _ in range(reader.number(2)):
            reader.number(index_size)
            start = origin + reader.number(offset_size)
            length = reader.number(length_size)
            yield item, start, start + length if length else len(data)


def _refused(code: str, expected: str, got: str) -> IngestError:
    message = "the HEIC file cannot be shown; a JPEG of the photograph can"
    return IngestError(code, message, expected, got)
