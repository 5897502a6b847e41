"""The signal files of a WFDB record: bytes to integers, as signal(5) describes the formats."""

from collections.abc import Callable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from greenchannel.ingest.errors import IngestError

Integers = NDArray[np.signedinteger[Any]]


def _plain(dtype: str) -> Callable[[memoryview, int], Integers]:
    def decode(data: memoryview, count: int) -> Integers:
        return np.frombuffer(data, dtype=dtype, count=count)

    return decode


def _offset_binary_8(data: memoryview, count: int) -> Integers:
    return np.frombuffer(data, dtype="u1", count=count).astype(np.int16) - np.int16(128)


def _offset_binary_16(data: memoryview, count: int) -> Integers:
    return (np.frombuffer(data, dtype="<u2", count=count) ^ np.uint16(0x8000)).view(np.int16)


def _three_bytes(data: memoryview, count: int) -> Integers:
    wide = np.zeros((count, 4), dtype=np.uint8)
    wide[:, 1:] = np.frombuffer(data, dtype="u1", count=3 * count).reshape(count, 3)
    return wide.view("<i4").reshape(count) >> 8


def _two_in_three_bytes(data: memoryview, count: int) -> Integers:
    used = np.frombuffer(data, dtype="u1", count=packed_bytes(212, count)).astype(np.int16)
    padded = np.zeros(-(-count // 2) * 3, dtype=np.int16)
    padded[: used.size] = used
    low, both, high = padded[0::3], padded[1::3], padded[2::3]
    pairs = np.stack((low | (both & 0x0F) << 8, high | (both & 0xF0) << 4), axis=1).reshape(-1)[:count]
    return np.where(pairs >= 2048, pairs - np.int16(4096), pairs)


# format → (decoder, bits a sample, the integer that means "no sample")
_FORMATS: Final[dict[int, tuple[Callable[[memoryview, int], Integers], int, int]]] = {
    16: (_plain("<i2"), 16, -(2**15)),
    61: (_plain(">i2"), 16, -(2**15)),
    80: (_offset_binary_8, 8, -(2**7)),
    160: (_offset_binary_16, 16, -(2**15)),
    212: (_two_in_three_bytes, 12, -(2**11)),
    24: (_three_bytes, 24, -(2**23)),
    32: (_plain("<i4"), 32, -(2**31)),
}


def check_format(number: int) -> None:
    """Raise ``unsupported`` for a format that is not read here."""
    if number not in _FORMATS:
        known = " ".join(str(n) for n in _FORMATS)
        raise IngestError("unsupported", "the signal format is not read", f"one of {known}", str(number))


def packed_bytes(number: int, count: int) -> int:
    """Bytes that `count` samples take in this format."""
    return (count * _FORMATS[number][1] + 7) // 8


def samples_in(number: int, size_bytes: int) -> int:
    """Samples that `size_bytes` can hold in this format."""
    return size_bytes * 8 // _FORMATS[number][1]


def missing_value(number: int) -> int:
    """The integer that means "no sample" in this format."""
    return _FORMATS[number][2]


def decode(number: int, data: memoryview, count: int) -> Integers:
    """The first `count` samples of `data`, shape ``(count,)``; the caller has checked that they are there."""
    return _FORMATS[number][0](data, count)
