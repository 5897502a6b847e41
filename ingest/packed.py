"""Files made smaller for a thin link, and made whole again within bounds: nothing is lost, and the hash is the whole's.

The wire form is xz or zlib, which every platform's Python has. Samples that stand lead by lead in one time step, as
DICOM has them, become small where each is taken as the difference from the step before; the xz container carries that
filter itself, so whoever unpacks need not know of it.
"""

import lzma
import zlib
from collections.abc import Mapping
from typing import Any, Final, Literal, NamedTuple

from greenchannel.ingest.bounds import MAX_BYTES
from greenchannel.ingest.errors import IngestError, shown

Encoding = Literal["identity", "xz", "zlib"]
ENCODINGS: Final[tuple[Encoding, ...]] = ("identity", "xz", "zlib")

_SAMPLED_BYTES: Final = 96 * 1024  # from the middle of a file, by which the filter is chosen  [E]
_WORTH: Final = 0.98  # a wire form that saves less than this leaves the file as it is  [E]
_MEMORY_BYTES: Final = 48 * 2**20  # what unpacking may take beside its result: dictionaries up to 32 MiB  [E]
_CHUNK_BYTES: Final = 2**20
_THOROUGH_BYTES: Final = 2 * 2**20  # a longer file is packed fast: a clinic's computer is an old one  [E]

# Bytes of one time step: none, and 8, 12 or 18 leads of 16 bits.
_STEPS: Final = (None, 16, 24, 36)


class PackedFile(NamedTuple):
    """A file as it goes over the wire."""

    encoding: Encoding
    data: bytes


def pack(data: bytes) -> PackedFile:
    """The smallest of the wire forms that are tried; ``identity`` where none is worth its while."""
    if not data:
        return PackedFile("identity", data)
    middle = max(0, (len(data) - _SAMPLED_BYTES) // 2)
    sample = data[middle : middle + _SAMPLED_BYTES]
    step = min(_STEPS, key=lambda step: len(_xz(sample, step)))
    packed = _xz(data, step)
    return PackedFile("xz", packed) if len(packed) < _WORTH * len(data) else PackedFile("identity", data)


def unpack(encoding: str, data: bytes, most_bytes: int = MAX_BYTES) -> bytes:
    """The file that was packed.

    Parameters
    ----------
    encoding
        One of `ENCODINGS`; "" is ``identity``.
    most_bytes
        That the file may have. Nothing beyond it is ever held.

    Raises
    ------
    IngestError
        ``bad_field`` for another encoding, ``too_large``, ``malformed`` for bytes that are not what they are said to
        be, whether they break off, go on after the end, or need more memory than is given.
    """
    check_encoding(encoding)
    if encoding == "xz":
        return _unxz(data, most_bytes)
    if encoding == "zlib":
        return _inflated(data, most_bytes)
    if len(data) > most_bytes:
        raise _too_large(most_bytes)
    return data


def check_encoding(encoding: str) -> None:
    """Raise ``bad_field`` for what is none of `ENCODINGS`, "" apart."""
    if encoding and encoding not in ENCODINGS:
        raise IngestError(
            "bad_field",
            "the field encoding cannot be read",
            f"encoding: {' or '.join(ENCODINGS)}",
            shown(encoding),
        )


def _xz(data: bytes, step: int | None) -> bytes:
    last: dict[str, Any] = {"id": lzma.FILTER_LZMA2, "preset": 6 if len(data) <= _THOROUGH_BYTES else 1}
    filters: list[Mapping[str, Any]] = [last]
    if step is not None:
        filters = [{"id": lzma.FILTER_DELTA, "dist": step}, last | {"lc": 0, "lp": 1, "pb": 1}]
    return lzma.compress(data, format=lzma.FORMAT_XZ, check=lzma.CHECK_CRC32, filters=filters)


def _unxz(data: bytes, most_bytes: int) -> bytes:
    try:
        unpacker = lzma.LZMADecompressor(format=lzma.FORMAT_XZ, memlimit=_MEMORY_BYTES)
        found, size = [], 0
        feed = data
        while not unpacker.eof:
            piece = unpacker.decompress(feed, max_length=_CHUNK_BYTES)
            if not piece and unpacker.needs_input:
                raise _malformed("xz", "bytes that break off")
            feed = b""
            size += len(piece)
            if size > most_bytes:
                raise _too_large(most_bytes)
            found.append(piece)
    except lzma.LZMAError as error:
        raise _malformed("xz", str(error)) from error
    if unpacker.unused_data:
        raise _malformed("xz", f"{len(unpacker.unused_data)} bytes after the end")
    return b"".join(found)


def _inflated(data: bytes, most_bytes: int) -> bytes:
    unpacker = zlib.decompressobj()
    try:
        found = unpacker.decompress(data, most_bytes + 1)
    except zlib.error as error:
        raise _malformed("zlib", str(error)) from error
    if len(found) > most_bytes:
        raise _too_large(most_bytes)
    if not unpacker.eof:
        raise _malformed("zlib", "bytes that break off")
    if unpacker.unused_data:
        raise _malformed("zlib", f"{len(unpacker.unused_data)} bytes after the end")
    return found


def _too_large(most_bytes: int) -> IngestError:
    return IngestError(
        "too_large", "the file is too large once it is unpacked", f"at most {most_bytes} bytes", "more"
    )


def _malformed(encoding: str, got: str) -> IngestError:
    return IngestError(
        "malformed", f"the {encoding} form cannot be unpacked", f"a whole file in {encoding}", got[:120]
    )
