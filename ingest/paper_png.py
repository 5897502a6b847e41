"""A PNG without its metadata: the chunks that a picture needs are copied (ISO/IEC 15948)."""

import struct
import zlib
from typing import Final

from greenchannel.ingest.bounds import MAX_PIXELS
from greenchannel.ingest.errors import IngestError

PNG_MAGIC: Final = b"\x89PNG\r\n\x1a\n"
_NEEDED: Final = frozenset(
    {b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND", b"gAMA", b"cHRM", b"sRGB", b"sBIT", b"bKGD", b"pHYs"}
)


def shown_png(data: bytes) -> bytes:
    """The picture alone: no text, no time, no Exif, no film, nothing after its end.

    Raises
    ------
    IngestError
        ``truncated``, ``malformed`` or ``too_large``.
    """
    out, at, pixels = [PNG_MAGIC], len(PNG_MAGIC), False
    while True:
        if at + 12 > len(data):
            raise _cut(data)
        (length,) = struct.unpack_from(">I", data, at)
        end = at + 12 + length
        if end > len(data):
            raise _cut(data)
        kind = data[at + 4 : at + 8]
        if zlib.crc32(data[at + 4 : end - 4]) != int.from_bytes(data[end - 4 : end]):
            raise IngestError(
                "malformed", "the PNG file is damaged", "a chunk with its checksum", repr(kind)[:20]
            )
        if (at == len(PNG_MAGIC)) != (kind == b"IHDR"):
            raise IngestError("malformed", "the PNG file cannot be read", "one IHDR, first", repr(kind)[:20])
        if kind == b"IHDR":
            _check_size(data[at + 8 : end - 4])
        pixels |= kind == b"IDAT"
        if kind in _NEEDED:
            out.append(data[at:end])
        at = end
        if kind == b"IEND":
            break
    if not pixels:
        raise IngestError("malformed", "the PNG file cannot be read", "a picture", "no IDAT")
    return b"".join(out)


def _check_size(header: bytes) -> None:
    if len(header) != 13:
        raise IngestError("malformed", "the PNG file cannot be read", "13 bytes of IHDR", str(len(header)))
    width, height = struct.unpack_from(">II", header)
    if width * height > MAX_PIXELS:
        raise IngestError(
            "too_large", "the picture has too many pixels", f"at most {MAX_PIXELS}", f"{width} x {height}"
        )


def _cut(data: bytes) -> IngestError:
    return IngestError("truncated", "the PNG file ends early", "its IEND chunk", f"{len(data)} bytes")
