"""Images as they are kept: squeezed fast where that helps, and back to the last byte."""

from typing import Final

import zstandard

MAGIC: Final = b"\x89gcImg\x01"
_LEVEL: Final = 1  # a study must not wait for its packing  [E]
_TRIED_BYTES: Final = 2**16
_WORTH_IT: Final = 0.9
_MOST_BYTES: Final = 2**30


def pack(data: bytes) -> bytes:
    """The bytes under which an object is kept."""
    middle = len(data) // 2
    tried = data[middle : middle + _TRIED_BYTES]
    if len(_squeezed(tried)) > _WORTH_IT * len(tried):
        return data
    squeezed = _squeezed(data)
    return MAGIC + squeezed if len(squeezed) < _WORTH_IT * len(data) else data


def unpack(packed: bytes) -> bytes:
    """What was given to `pack`; raises `ValueError` for bytes that are damaged."""
    if not packed.startswith(MAGIC):
        return packed
    body = memoryview(packed)[len(MAGIC) :]
    try:
        size = zstandard.get_frame_parameters(body).content_size
        if not 0 < size <= _MOST_BYTES:
            raise ValueError(f"expected an object of up to {_MOST_BYTES} bytes, got {size}")
        data: bytes = zstandard.ZstdDecompressor().decompress(body)
    except zstandard.ZstdError as error:
        raise ValueError(f"expected a zstd frame, got none: {error}") from error
    return data


def _squeezed(data: bytes) -> bytes:
    squeezed: bytes = zstandard.ZstdCompressor(level=_LEVEL).compress(data)
    return squeezed
