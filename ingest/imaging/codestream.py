"""What an encoded frame says of its own size, before a decoder believes it.

A decoder allocates what the codestream announces, whatever Rows and Columns say. So the two are compared first: JPEG
and JPEG-LS by their frame header (SOF), JPEG 2000 by its SIZ segment (ISO/IEC 10918-1, 14495-1, 15444-1).
"""

import struct
from typing import Final

import msgspec

_SOF: Final = frozenset(
    {0xC0, 0xC1, 0xC2, 0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF, 0xF7}
)  # C4, C8 and CC are no frame headers; F7 is that of JPEG-LS
_ALONE: Final = frozenset({0x01, 0xD8, *range(0xD0, 0xD8)})  # markers without a length
_SOS, _EOI = 0xDA, 0xD9
_SIZ: Final = b"\xff\x4f\xff\x51"
_JP2: Final = b"\x00\x00\x00\x0cjP  "


class Announced(msgspec.Struct, frozen=True, kw_only=True):
    """The size of one encoded frame."""

    rows: int
    columns: int
    components: int
    precision_bits: int


def announced(frame: bytes) -> Announced | None:
    """The size in the header of a JPEG, JPEG-LS or JPEG 2000 codestream; None where it has none that can be read."""
    start = frame.find(_SIZ, 0, 4096) if frame.startswith(_JP2) else 0
    if frame[start : start + 4] == _SIZ:
        return _of_siz(frame, start + 4)
    if frame[:2] == b"\xff\xd8":
        return _of_sof(frame)
    return None


def _of_siz(frame: bytes, at: int) -> Announced | None:
    head = frame[at : at + 39]
    if len(head) < 39:
        return None
    right, bottom, left, top = struct.unpack_from(">IIII", head, 4)
    (components,) = struct.unpack_from(">H", head, 36)
    if right <= left or bottom <= top:
        return None
    return Announced(
        rows=bottom - top, columns=right - left, components=components, precision_bits=(head[38] & 0x7F) + 1
    )


def _of_sof(frame: bytes) -> Announced | None:
    at = 2
    while at + 4 <= len(frame):
        if frame[at] != 0xFF:
            return None
        marker = frame[at + 1]
        if marker == 0xFF:  # fill
            at += 1
            continue
        if marker in _ALONE:
            at += 2
            continue
        if marker in (_SOS, _EOI):
            return None
        (length,) = struct.unpack_from(">H", frame, at + 2)
        if marker in _SOF:
            if at + 10 > len(frame):
                return None
            bits, rows, columns, components = struct.unpack_from(">BHHB", frame, at + 4)
            return Announced(rows=rows, columns=columns, components=components, precision_bits=bits)
        at += 2 + max(2, length)
    return None
