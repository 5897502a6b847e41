"""A data set as it came over the network, made a file: the head that PS3.10 7.1 asks for, and the bytes unchanged."""

import struct
from typing import Final

IMPLEMENTATION: Final = "1.2.826.0.1.3680043.8.498.1"
"""Who wrote the head; a class UID of ours under pydicom's free root."""


def file_of(dataset: bytes, *, sop_class: str, sop_uid: str, transfer_syntax: str) -> bytes:
    """The file of a data set."""
    elements = b"".join(
        (
            b"\x02\x00\x01\x00OB\x00\x00\x02\x00\x00\x00\x00\x01",
            _uid(0x0002, sop_class),
            _uid(0x0003, sop_uid),
            _uid(0x0010, transfer_syntax),
            _uid(0x0012, IMPLEMENTATION),
        )
    )
    length = b"\x02\x00\x00\x00UL\x04\x00" + struct.pack("<I", len(elements))
    return b"".join((bytes(128), b"DICM", length, elements, dataset))


def _uid(element: int, uid: str) -> bytes:
    value = uid.encode("ascii")
    value += b"\0" * (len(value) % 2)
    return struct.pack("<HH2sH", 2, element, b"UI", len(value)) + value
