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
    used = np.frombuffer(data, dtype="u1", count=packed_bytes(212, count))
    if used.size % 3:
        used = np.concatenate((used, np.zeros(-used.size % 3, dtype=np.uint8)))
    low, both, high = used[0::3].astype(np.int16), used[1::3].astype(np.int16), used[2::3].astype(np.int16)
    pairs = np.empty((low.size, 2), dtype=np.int16)
    # Twelve bits to the top of a word, and back with their sign.
    pairs[:, 0] = (both << 12 | low << 4) >> 4
    pairs[:, 1] = ((both & 0xF0) << 8 | high << 4) >> 4
    return pairs.reshape(-1)[:count]


def _three_in_two_words(data: memoryview, count: int) -> Integers:
    """Format 310: two words of 16 bits hold a sample each, and in their upper five bits the halves of a third."""
    words = np.zeros(-(-count // 3) * 2, dtype=np.uint16)
    used = np.frombuffer(data, dtype="<u2", count=packed_bytes(310, count) // 2)
    words[: used.size] = used
    first, second = words[0::2], words[1::2]
    third = (first >> 11) | (second >> 11) << 5
    return _ten_bits((first >> 1, second >> 1, third), count)


def _three_in_one_word(data: memoryview, count: int) -> Integers:
    """Format 311: a word of 32 bits holds three samples, the first in its lowest bits."""
    padded = np.zeros(-(-count // 3) * 4, dtype=np.uint8)
    used = np.frombuffer(data, dtype="u1", count=packed_bytes(311, count))
    padded[: used.size] = used
    words = padded.view("<u4")
    return _ten_bits((words, words >> 10, words >> 20), count)


def _ten_bits(parts: tuple[NDArray[Any], NDArray[Any], NDArray[Any]], count: int) -> Integers:
    whole = np.stack(parts, axis=1).reshape(-1)[:count] & 0x3FF
    return np.where(whole >= 512, whole.astype(np.int16) - np.int16(1024), whole.astype(np.int16))


# format → (decoder, bits a sample, the integer that means "no sample")
_FORMATS: Final[dict[int, tuple[Callable[[memoryview, int], Integers], int, int]]] = {
    16: (_plain("<i2"), 16, -(2**15)),
    61: (_plain(">i2"), 16, -(2**15)),
    80: (_offset_binary_8, 8, -(2**7)),
    160: (_offset_binary_16, 16, -(2**15)),
    212: (_two_in_three_bytes, 12, -(2**11)),
    24: (_three_bytes, 24, -(2**23)),
    32: (_plain("<i4"), 32, -(2**31)),
    310: (_three_in_two_words, 10, -(2**9)),
    311: (_three_in_one_word, 10, -(2**9)),
    # first differences, to be summed by whoever knows where each signal begins; nothing in it means "no sample"
    8: (_plain("i1"), 8, -(2**63)),
}

_THREE_IN_FOUR: Final = {310: (0, 2, 4), 311: (0, 2, 3)}
"""Bytes that are left for one or two samples behind the last whole group of three in four bytes."""

DIFFERENCES: Final = 8
"""The format whose numbers are differences."""


def check_format(number: int) -> None:
    """Raise ``unsupported`` for a format that is not read here."""
    if number not in _FORMATS:
        known = " ".join(str(n) for n in _FORMATS)
        raise IngestError("unsupported", "the signal format is not read", f"one of {known}", str(number))


def packed_bytes(number: int, count: int) -> int:
    """Bytes that `count` samples take in this format."""
    if number in _THREE_IN_FOUR:
        return count // 3 * 4 + _THREE_IN_FOUR[number][count % 3]
    return (count * _FORMATS[number][1] + 7) // 8


def samples_in(number: int, size_bytes: int) -> int:
    """Samples that `size_bytes` can hold in this format."""
    if number in _THREE_IN_FOUR:
        rest = _THREE_IN_FOUR[number]
        return size_bytes // 4 * 3 + sum(0 < needed <= size_bytes % 4 for needed in rest)
    return size_bytes * 8 // _FORMATS[number][1]


def missing_value(number: int) -> int:
    """The integer that means "no sample" in this format."""
    return _FORMATS[number][2]


def decode(number: int, data: memoryview, count: int) -> Integers:
    """The first `count` samples of `data`, shape ``(count,)``; the caller has checked that they are there."""
    return _FORMATS[number][0](data, count)
