"""Files as they are kept: smaller, and back to the last byte.

Samples of 16 bits within a file, as WFDB and DICOM have them, are coded lead by lead (`lead_codec`); all else goes
through zstd. What gets no smaller is kept as it is. Every packing is undone once and compared before it is believed.

```
head     magic and version, how it is kept, size of the original, CRC-32 of all that follows
body     the original; or one zstd frame; or the blocks of samples and a zstd frame of what stands around them
```
"""

import io
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from itertools import pairwise
from typing import Final, NamedTuple

import numpy as np
import zstandard

from greenchannel.ingest.bounds import MAX_UNPACKED_BYTES
from greenchannel.ingest.dicom_tags import NotPlain, Tags, plain_tags
from greenchannel.ingest.errors import IngestError
from greenchannel.ingest.lead_codec import Damaged, decode, encode
from greenchannel.ingest.lead_names import lead_of_code, lead_of_name
from greenchannel.ingest.scaling import MISSING
from greenchannel.ingest.wfdb_header import header_lines, is_segmented, parse_header

__all__ = ["Damaged", "pack", "unpack"]

MAGIC: Final = b"\x89gcPack\x01"
"""The last byte is the version."""

_HEAD: Final = struct.Struct("<8sBQI")
_BLOCK: Final = struct.Struct("<QIHI")  # start, samples, leads, bytes of its code
_AS_IT_IS, _SQUEEZED, _BLOCKS = 0, 1, 2
_LEVEL: Final = 6
_TRIED_BYTES: Final = 2**16
_WORTH_IT: Final = 0.95
_MOST_AT_ONCE: Final = 2**20  # samples of one code: what takes no more than a few MiB on the way
_PACKED_ALREADY: Final = re.compile(rb"\xff\xd8\xff|\x89PNG|%PDF|\x1f\x8b|....ftyp", re.DOTALL)


class Block(NamedTuple):
    """Samples of 16 bits, little-endian, the leads taking turns."""

    start: int  # byte of the first sample
    samples: int
    leads: tuple[str | None, ...]

    @property
    def stop(self) -> int:
        """Byte behind the last sample."""
        return self.start + 2 * self.samples * len(self.leads)


def pack(data: bytes) -> bytes:
    """The bytes under which a file is kept; never more than 21 above its own."""
    for kind, body in _ways(data):
        if len(body) < _WORTH_IT * len(data):
            packed = _whole(kind, data, body)
            if unpack(packed) == data:
                return packed
    return _whole(_AS_IT_IS, data, data)


def unpack(packed: bytes) -> bytes:
    """The file that was given to `pack`; bytes that never went through it come back as they are.

    Raises
    ------
    Damaged
        Where a byte is missing, too many or other than it was.
    """
    if packed[:7] != MAGIC[:7]:
        return packed
    if len(packed) < _HEAD.size or packed[:8] != MAGIC:
        raise Damaged(f"expected a packed file of version {MAGIC[7]}, got one that begins {packed[:8].hex()}")
    _, kind, size, checksum = _HEAD.unpack_from(packed)
    body = memoryview(packed)[_HEAD.size :]
    if zlib.crc32(body) != checksum:
        raise Damaged(f"expected a packed file with CRC-32 {checksum:08x}, got another: cut off or changed")
    if kind == _AS_IT_IS:
        data = bytes(body)
    elif kind == _SQUEEZED:
        data = _unsqueezed(body, size)
    elif kind == _BLOCKS:
        data = _joined(body, size)
    else:
        raise Damaged(f"expected a kind of packing from 0 to {_BLOCKS}, got {kind}")
    if len(data) != size:
        raise Damaged(f"expected a packed file of {size} bytes, got {len(data)}")
    return data


def _whole(kind: int, data: bytes, body: bytes) -> bytes:
    return _HEAD.pack(MAGIC, kind, len(data), zlib.crc32(body)) + body


def _ways(data: bytes) -> Iterator[tuple[int, bytes]]:
    """How `data` may be kept, the best first."""
    blocks = find_blocks(data)
    if blocks:
        yield _BLOCKS, _cut(data, blocks)
    if _PACKED_ALREADY.match(data):
        return
    tried = data[:_TRIED_BYTES]
    if len(tried) == len(data) or len(_squeezed(tried)) < _WORTH_IT * len(tried):
        yield _SQUEEZED, _squeezed(data)


def _cut(data: bytes, blocks: list[Block]) -> bytes:
    """Each block in pieces, and what stands around them."""
    around, codes, at = [], [], 0
    for block in blocks:
        around.append(data[at : block.start])
        at = block.stop
        count = len(block.leads)
        step = max(_MOST_AT_ONCE // count, 1)
        for first in range(0, block.samples, step):
            samples = min(step, block.samples - first)
            start = block.start + 2 * first * count
            rows = np.frombuffer(data, "<i2", samples * count, start).reshape(samples, count).T
            rows = np.ascontiguousarray(rows, dtype=np.int16)
            missing = rows == MISSING if rows.min() == MISSING else None
            code = encode(rows, block.leads, missing)
            codes.append(_BLOCK.pack(start, samples, count, len(code)) + code)
    around.append(data[at:])
    return struct.pack("<I", len(codes)) + b"".join(codes) + _squeezed(b"".join(around))


def _joined(body: memoryview, size: int) -> bytes:
    """Undo `_cut`."""
    if len(body) < 4 or size > MAX_UNPACKED_BYTES:
        raise Damaged(f"expected blocks of a file of up to {MAX_UNPACKED_BYTES} bytes, got {size}")
    at = 4
    pieces: list[tuple[int, bytes]] = []
    for _ in range(struct.unpack_from("<I", body)[0]):
        if at + _BLOCK.size > len(body):
            raise Damaged("expected another block of samples, got the end")
        start, samples, count, length = _BLOCK.unpack_from(body, at)
        at += _BLOCK.size
        rows, missing = decode(bytes(body[at : at + length]))
        at += length
        if rows.shape != (count, samples) or rows.dtype != np.int16:
            raise Damaged(f"expected {count} leads of {samples} samples, got {rows.shape}")
        if missing is not None:
            rows[missing] = MISSING
        pieces.append((start, np.ascontiguousarray(rows.T, dtype="<i2").tobytes()))
    rest = _unsqueezed(body[at:], size - sum(len(piece) for _, piece in pieces))
    out, here, taken = [], 0, 0
    for start, piece in pieces:
        out += [rest[taken : taken + start - here], piece]
        taken += start - here
        here = start + len(piece)
    out.append(rest[taken:])
    return b"".join(out)


def _squeezed(data: bytes) -> bytes:
    squeezed: bytes = zstandard.ZstdCompressor(level=_LEVEL).compress(data)
    return squeezed


def _unsqueezed(data: memoryview, size: int) -> bytes:
    unpacked = b""
    try:
        if zstandard.get_frame_parameters(data).content_size == size:
            unpacked = zstandard.ZstdDecompressor().decompress(data)
    except zstandard.ZstdError as error:
        raise Damaged(f"expected a zstd frame, got none: {error}") from error
    if len(unpacked) != size:
        raise Damaged(f"expected a zstd frame of {size} bytes, got another")
    return unpacked


def find_blocks(data: bytes) -> list[Block]:
    """Where a file holds samples of 16 bits, in order and apart from each other; none where it is not known."""
    if data[:4] == b"PK\x03\x04":
        found = list(_in_archive(data))
    elif data[128:132] == b"DICM":
        found = list(_in_dicom(data))
    else:
        return []
    found.sort(key=lambda block: block.start)
    apart = all(one.stop <= other.start for one, other in pairwise(found))
    return found if apart and all(block.samples > 0 and block.stop <= len(data) for block in found) else []


def _in_archive(data: bytes) -> Iterator[Block]:
    """Signal files of format 16 in a stored archive, as several parts of an upload and strips are kept."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            places = {
                info.filename: (_content_start(data, info.header_offset), info.file_size)
                for info in archive.infolist()
                if info.compress_type == zipfile.ZIP_STORED and info.compress_size == info.file_size
            }
        for start, size in list(places.values()):
            lines = header_lines(data[start : start + size])
            if lines is None or is_segmented(lines):
                continue
            signals = parse_header(lines).signals
            for name in dict.fromkeys(signal.file for signal in signals):
                group = [signal for signal in signals if signal.file == name]
                if name in places and all(signal.format == 16 for signal in group):
                    start, size = places[name]
                    skipped = group[0].offset_bytes
                    leads = tuple(lead_of_name(signal.name) for signal in group)
                    yield Block(start + skipped, max(size - skipped, 0) // (2 * len(group)), leads)
    except (zipfile.BadZipFile, IngestError, LookupError, OSError, RuntimeError, ValueError, struct.error):
        return


def _content_start(data: bytes, header_offset: int) -> int:
    """Where the content of an archive's member begins, by its own header."""
    name, extra = struct.unpack_from("<HH", data, header_offset + 26)
    start: int = header_offset + 30 + name + extra
    return start


def _in_dicom(data: bytes) -> Iterator[Block]:
    try:
        tags = plain_tags(data)
        for group in (tags.get("WaveformSequence") if tags.is_of(data) else None) or ():
            place = group.place("WaveformData")
            channels = group.get("ChannelDefinitionSequence") or ()
            if place is None or group.get("WaveformBitsAllocated") != 16 or not channels:
                continue
            leads = tuple(_lead(channel) for channel in channels)
            yield Block(place[0], (place[1] - place[0]) // (2 * len(leads)), leads)
    except (NotPlain, IngestError):
        return


def _lead(channel: Tags) -> str | None:
    for source in channel.get("ChannelSourceSequence") or ():
        return lead_of_code(source.get("CodeValue", ""), source.get("CodingSchemeDesignator", ""))
    return None
