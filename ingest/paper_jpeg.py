"""A JPEG without its metadata: the segments that a picture needs are copied, nothing is decoded (ITU T.81, annex B)."""

import re
import struct
from collections.abc import Iterator
from typing import Final, NamedTuple

from greenchannel.ingest.bounds import MAX_PIXELS
from greenchannel.ingest.errors import IngestError

SOI, EOI, SOS, APP0, APP1, APP14 = 0xD8, 0xD9, 0xDA, 0xE0, 0xE1, 0xEE
_FRAMES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_NEEDED: Final = _FRAMES | {0xC4, 0xCC, SOS, 0xDB, 0xDC, 0xDD}  # tables, frames, scans, lines, restarts
_ALONE: Final = frozenset({0x01, *range(0xD0, 0xD8)})  # markers without a length
_NEXT_MARKER: Final = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
_ORIENTATION: Final = 0x0112


class Segment(NamedTuple):
    """One marker with what belongs to it."""

    marker: int
    payload: bytes  # without marker and length
    scan: bytes = b""  # of SOS: the compressed picture


def shown_jpeg(data: bytes) -> bytes:
    """The picture alone. How the telephone was held is kept, or an ECG would be shown lying on its side.

    Raises
    ------
    IngestError
        ``truncated``, ``malformed`` or ``too_large``.
    """
    head, body = [], []
    orientation, frames, scans = None, 0, 0
    for one in _segments(data):
        if one.marker == APP0 and one.payload[:5] == b"JFIF\0" and len(one.payload) >= 12:
            head.append(_segment(APP0, one.payload[:12] + b"\0\0"))  # without its thumbnail
        elif one.marker == APP1 and one.payload[:6] == b"Exif\0\0" and orientation is None:
            orientation = orientation_of(one.payload[6:])
        elif one.marker == APP14 and one.payload[:5] == b"Adobe":
            head.append(_segment(APP14, one.payload[:12]))  # says which colours these are
        elif one.marker in _NEEDED:
            frames += one.marker in _FRAMES
            scans += one.marker == SOS
            if one.marker in _FRAMES:
                _check_size(one.payload)
            body.append(_segment(one.marker, one.payload) + one.scan)
    if not frames or not scans:
        raise _bad("a frame and a scan", "none")
    if orientation is not None:
        head.append(_segment(APP1, b"Exif\0\0" + _exif(orientation)))
    return b"".join([b"\xff\xd8", *head, *body, b"\xff\xd9"])


def _segments(data: bytes) -> Iterator[Segment]:
    at = 2
    while True:
        if data[at : at + 1] != b"\xff":
            raise _cut(data) if at >= len(data) else _bad("a marker", f"0x{data[at]:02x} at byte {at}")
        while data[at : at + 1] == b"\xff":
            at += 1
        if at >= len(data):
            raise _cut(data)
        marker, at = data[at], at + 1
        if marker == EOI:
            return  # what follows is another picture, a film or a trailer of the telephone
        if marker in _ALONE:
            continue
        length = int.from_bytes(data[at : at + 2])
        if marker in (0, SOI) or (length < 2 and at + 2 <= len(data)):
            raise _bad("a segment", f"marker 0x{marker:02x} of length {length} at byte {at}")
        end = at + length
        if end > len(data):
            raise _cut(data)
        payload, scan = data[at + 2 : end], b""
        at = end
        if marker == SOS:
            found = _NEXT_MARKER.search(data, end)
            if found is None:
                raise _cut(data)
            at = found.start()
            scan = data[end:at]
        yield Segment(marker, payload, scan)


def orientation_of(tiff: bytes) -> int | None:
    """How the picture is to be turned, 1 to 8, from the TIFF inside an Exif segment; None where that is not said."""
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(tiff[:4])
    if order is None or len(tiff) < 8:
        return None
    (at,) = struct.unpack_from(order + "I", tiff, 4)
    if at + 2 > len(tiff):
        return None
    (count,) = struct.unpack_from(order + "H", tiff, at)
    for entry in range(at + 2, min(at + 2 + 12 * count, len(tiff) - 11), 12):
        tag, kind, _, value = struct.unpack_from(order + "HHIH", tiff, entry)
        if tag == _ORIENTATION:
            return value if kind == 3 and 1 <= value <= 8 else None
    return None


def _exif(orientation: int) -> bytes:
    return struct.pack("<2sHIHHHIHHI", b"II", 42, 8, 1, _ORIENTATION, 3, 1, orientation, 0, 0)


def _segment(marker: int, payload: bytes) -> bytes:
    return bytes((0xFF, marker)) + (len(payload) + 2).to_bytes(2) + payload


def _check_size(frame: bytes) -> None:
    if len(frame) < 6:
        raise _bad("a frame with its size", f"{len(frame)} bytes")
    height, width = struct.unpack_from(">HH", frame, 1)
    if height * width > MAX_PIXELS:
        raise IngestError(
            "too_large", "the picture has too many pixels", f"at most {MAX_PIXELS}", f"{width} x {height}"
        )


def _bad(expected: str, got: str) -> IngestError:
    return IngestError("malformed", "the JPEG file cannot be read", expected, got)


def _cut(data: bytes) -> IngestError:
    return IngestError(
        "truncated", "the JPEG file ends early", "an end-of-image marker", f"{len(data)} bytes"
    )
