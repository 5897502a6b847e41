"""A PDF without the metadata of the photographs inside it.

Bytes are overwritten where they stand, so that every offset of the file still holds. What lies compressed or encrypted
inside cannot be seen this way, and stays.
"""

import re
from typing import Final

from greenchannel.ingest.errors import IngestError

_END: Final = b"%%EOF"
_TAIL_BYTES: Final = 4096  # scanners and mail programs append
_PHOTOGRAPH: Final = re.compile(rb"\xff\xd8(?=\xff[\xe0\xe1]..(?:JFIF|Exif)\0)", re.DOTALL)  # no chance hit
_BLANKED: Final = frozenset({0xE1, 0xED, 0xFE})  # Exif and XMP, Photoshop, comments
_SCAN: Final = 0xDA
_XMP: Final = re.compile(rb"<\?xpacket begin=[^>]{0,200}\?>(.*?)<\?xpacket end=", re.DOTALL)


def shown_pdf(data: bytes) -> bytes:
    """The document; Exif, XMP and comments of its photographs and readable XMP packets are blank.

    Raises
    ------
    IngestError
        ``truncated``: it has no end.
    """
    if _END not in data[-_TAIL_BYTES:]:
        raise IngestError("truncated", "the PDF file ends early", "%%EOF at its end", f"{len(data)} bytes")
    out = bytearray(data)
    for found in _PHOTOGRAPH.finditer(data):
        at = found.end()
        while at + 4 <= len(data) and data[at] == 0xFF and data[at + 1] != _SCAN:
            end = min(at + 2 + int.from_bytes(data[at + 2 : at + 4]), len(data))
            if data[at + 1] in _BLANKED and end > at + 4:
                out[at + 4 : end] = bytes(end - at - 4)
            at = max(end, at + 2)
    for found in _XMP.finditer(data):
        out[found.start(1) : found.end(1)] = b" " * (found.end(1) - found.start(1))
    return bytes(out)
