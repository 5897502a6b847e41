"""Whole-number samples of several leads, coded without loss.

Each lead is told by what is smallest: its own differences of order 0 to 3, or, for the four leads that follow from I
and II, what Einthoven's and Goldberger's laws leave over, which is rounding. Leads whose remainders are about as large
share one table of codes (zstd). All arithmetic is modulo 2¹⁶ or 2³², so any numbers come back exactly.

```
head     magic and version, CRC-32 of all that follows, flags, leads, samples, rows of I and II
modes    a byte a lead: the order, or 4 to 7 for what is left of III, aVR, aVL, aVF
planes   a byte a lead: how often eight bits were split off; a byte: how large the remainders are
parts    each a length and a zstd frame: missing samples as bits, planes, remainders by their size, large remainders
```
"""

import struct
import zlib
from collections.abc import Sequence
from threading import local
from typing import Any, Final

import numpy as np
import zstandard
from numpy.typing import NDArray

MAGIC: Final = b"gcL\x01"
"""The last byte is the version."""

_HEAD: Final = struct.Struct("<4sIBHIHH")
_LENGTH: Final = struct.Struct("<I")
_HAS_MISSING, _IS_WIDE, _WAS_WIDE = 1, 2, 4  # 32 bits: as coded, as given
_NO_ROW: Final = 0xFFFF
_ORDERS: Final = 4
_FROM_LIMBS: Final[dict[str | None, int]] = {"III": 0, "aVR": 1, "aVL": 2, "aVF": 3}
_LARGE: Final = 255  # a remainder of this and more stands apart
_MOST_LARGE: Final = 1 / 16  # where more of a lead's are large, a plane of eight bits is split off
_LEVEL: Final = 1  # the tables gain nothing from a longer search,
_HASH_LOG: Final = 12  # and from a table of repeats that no longer fits a core's first cache, they lose time
_STRETCHES, _STRETCH = 8, 64  # the samples from which the order is chosen
_MAX_VALUES: Final = 2**26

Steps = NDArray[np.signedinteger[Any]]
"""Of 16 or 32 bits."""

_here = local()  # the coder of zstd is not to be shared between threads


class Damaged(ValueError):
    """The bytes are not what was coded: cut off, changed, or of another version."""


def encode(steps: Steps, leads: Sequence[str | None], missing: NDArray[np.bool_] | None = None) -> bytes:
    """Code samples.

    Parameters
    ----------
    steps
        Shape ``(leads, samples)``; the type comes back too.
    leads
        Wire names, as far as they are known: only used to foretell limb leads from I and II.
    missing
        Shape as `steps`: where no sample is. What `steps` has there comes back as 0.
    """
    count, samples = steps.shape
    if count >= _NO_ROW or steps.size > _MAX_VALUES:
        raise ValueError(f"expected up to {_NO_ROW - 1} leads and {_MAX_VALUES} samples, got {steps.shape}")
    row_i, row_ii = (leads.index(name) if name in leads else _NO_ROW for name in ("I", "II"))
    flags = _WAS_WIDE if steps.dtype == np.int32 else 0
    if flags and (not steps.size or (steps.min() >= -(2**15) and steps.max() < 2**15)):
        steps = steps.astype(np.int16)
    flags |= (_IS_WIDE if steps.dtype == np.int32 else 0) | (_HAS_MISSING if missing is not None else 0)
    parts: list[bytes] = []
    if missing is not None:
        parts.append(_squeezed(np.packbits(missing).tobytes()))
        steps = _held(steps, missing)
    modes, rest = _remainders(steps, leads, row_i, row_ii)
    folded = rest << 1  # 0 -1 1 -2 … become 0 1 2 3 …
    np.bitwise_xor(folded, np.right_shift(rest, 8 * rest.itemsize - 1, out=rest), out=folded)
    folded = folded.view(np.uint32 if flags & _IS_WIDE else np.uint16)
    planes = np.zeros(count, dtype=np.uint8)
    large = folded >= _LARGE
    # Few in all are few in every lead, which is the rule.
    while np.count_nonzero(large) > _MOST_LARGE * samples:
        many = np.count_nonzero(large, axis=1) > _MOST_LARGE * samples
        if not many.any():
            break
        planes[many] += 1
        parts.append(_squeezed((folded[many] & 0xFF).astype(np.uint8).tobytes()))
        folded[many] >>= 8
        large = folded >= _LARGE
    small = folded.astype(np.uint8)
    small[large] = _LARGE
    sizes = _sizes(small)
    parts += [_squeezed(small[sizes == size].data) for size in np.unique(sizes)]
    parts.append(_squeezed(folded[large].astype("<u4").tobytes()))
    body = modes.tobytes() + planes.tobytes() + sizes.tobytes()
    body += b"".join(_LENGTH.pack(len(part)) + part for part in parts)
    tail = _HEAD.pack(MAGIC, 0, flags, count, samples, row_i, row_ii)[8:] + body
    return MAGIC + _LENGTH.pack(zlib.crc32(tail)) + tail


def decode(data: bytes) -> tuple[Steps, NDArray[np.bool_] | None]:
    """What `encode` was given: samples of shape ``(leads, samples)``, 0 where none is, and where none is.

    Raises
    ------
    Damaged
        Where a byte is missing, too many or other than it was.
    """
    if len(data) < _HEAD.size or data[:4] != MAGIC:
        raise Damaged(f"expected coded samples of version {MAGIC[3]}, got bytes that begin {data[:4].hex()}")
    _, checksum, flags, count, samples, row_i, row_ii = _HEAD.unpack_from(data)
    if zlib.crc32(memoryview(data)[8:]) != checksum:
        raise Damaged(f"expected coded samples with CRC-32 {checksum:08x}, got others: cut off or changed")
    if count * samples > _MAX_VALUES:
        raise Damaged(f"expected at most {_MAX_VALUES} samples, got {count * samples}")
    at = _HEAD.size
    modes, planes, sizes = np.frombuffer(data, np.uint8, 3 * count, at).reshape(3, count)
    parts = _Parts(data, at + 3 * count)
    missing = None
    if flags & _HAS_MISSING:
        bits = np.frombuffer(parts.next(-(-count * samples // 8)), np.uint8)
        missing = np.unpackbits(bits, count=count * samples).astype(np.bool_).reshape(count, samples)
    lower: list[tuple[NDArray[np.intp], NDArray[np.uint8]]] = []
    for done in range(int(planes.max(initial=0))):
        rows = np.flatnonzero(planes > done)
        lower.append(
            (rows, np.frombuffer(parts.next(rows.size * samples), np.uint8).reshape(rows.size, samples))
        )
    size = 4 if flags & _IS_WIDE else 2
    folded = np.empty((count, samples), dtype=f"u{size}")
    for group in np.unique(sizes):
        rows = np.flatnonzero(sizes == group)
        folded[rows] = np.frombuffer(parts.next(rows.size * samples), np.uint8).reshape(rows.size, samples)
    large = folded == _LARGE
    folded[large] = np.frombuffer(parts.next(4 * int(np.count_nonzero(large))), "<u4")
    for rows, eight_bits in reversed(lower):
        folded[rows] = folded[rows] << 8 | eight_bits
    steps: Steps = (folded & 1).view(f"i{size}")
    np.negative(steps, out=steps)
    np.bitwise_xor(steps, np.right_shift(folded, 1, out=folded).view(steps.dtype), out=steps)
    _sum_up(steps, modes, row_i, row_ii)
    if flags & _WAS_WIDE:
        steps = steps.astype(np.int32)
    if missing is not None:
        steps[missing] = 0
    return steps, missing


def _remainders(
    steps: Steps, leads: Sequence[str | None], row_i: int, row_ii: int
) -> tuple[NDArray[np.uint8], Steps]:
    """How each lead is told, and what is left of it then."""
    seen = _some_of(steps)
    costs = _costs(seen)
    modes = np.argmin(costs, axis=0).astype(np.uint8)
    if _NO_ROW not in (row_i, row_ii):
        limbs = {row: _FROM_LIMBS[name] for row, name in enumerate(leads) if name in _FROM_LIMBS}
        rows = [row for row in limbs if row > max(row_i, row_ii)]
        if rows:
            told = [_foretold(limbs[row], seen[row_i], seen[row_ii]) for row in rows]
            shorter = _cost(seen[rows] - np.stack(told)) < costs[modes[rows], rows]
            for row in np.array(rows)[shorter]:
                modes[row] = _ORDERS + limbs[row]
    rest = _differences(steps, modes)
    for row in np.flatnonzero(modes >= _ORDERS):
        rest[row] = steps[row] - _foretold(int(modes[row]) - _ORDERS, steps[row_i], steps[row_ii])
    return modes, rest


def _differences(steps: Steps, modes: NDArray[np.uint8]) -> Steps:
    """Each row's differences of its own order."""
    own = modes[modes < _ORDERS]
    rest = steps.copy()
    for order in range(1, int(own.max(initial=0)) + 1):
        # All rows at once, though some need none: that is one pass through memory instead of one for each row.
        steps, before = np.empty_like(steps), steps
        steps[:, :1] = before[:, :1]
        np.subtract(before[:, 1:], before[:, :-1], out=steps[:, 1:])
        rows = modes == order
        rest[rows] = steps[rows]
    return rest


def _some_of(steps: Steps) -> Steps:
    """Stretches of the samples from which the order is chosen, shape ``(leads, stretches, samples)``."""
    samples = steps.shape[1]
    if samples <= 2 * _STRETCHES * _STRETCH:
        return steps[:, None]
    apart = samples // _STRETCHES
    return steps[:, : _STRETCHES * apart].reshape(len(steps), _STRETCHES, apart)[:, :, :_STRETCH]


def _costs(rows: Steps) -> NDArray[np.float64]:
    """What the differences of each order take of each row, shape ``(orders, leads)``."""
    ways: list[NDArray[Any]] = [rows.astype(np.float32)]
    for _ in range(1, _ORDERS):
        ways.append(ways[-1][:, :, 1:] - ways[-1][:, :, :-1])
    return np.stack([_cost(way) for way in ways])


def _cost(rows: NDArray[Any]) -> NDArray[np.float64]:
    """What each row of ``(leads, stretches, samples)`` takes, in its own measure: smaller is shorter."""
    sizes = np.abs(rows.astype(np.float32, copy=False)).reshape(len(rows), rows.shape[1] * rows.shape[2])
    costs: NDArray[np.float64] = sizes.sum(axis=1, dtype=np.float64)
    return costs


def _foretold(number: int, lead_i: Steps, lead_ii: Steps) -> Steps:
    """III, aVR, aVL or aVF of I and II, rounded down."""
    match number:
        case 0:
            return lead_ii - lead_i
        case 1:
            return -((lead_i + lead_ii) >> 1)
        case 2:
            return (2 * lead_i - lead_ii) >> 1
        case _:
            return (2 * lead_ii - lead_i) >> 1


def _sum_up(steps: Steps, modes: NDArray[np.uint8], row_i: int, row_ii: int) -> None:
    """Undo `_remainders`, in place."""
    for order in range(1, _ORDERS):
        rows = np.flatnonzero(modes == order)
        if rows.size:
            sums = steps[rows].astype(np.int32)  # twice as quick as 16 bits, and equal in the lower ones
            for _ in range(order):
                np.cumsum(sums, axis=1, dtype=np.int32, out=sums)
            steps[rows] = sums
    for row in np.flatnonzero(modes >= _ORDERS):
        if max(row_i, row_ii) >= len(steps):
            raise Damaged("expected leads I and II, from which others are told, got neither")
        steps[row] += _foretold(int(modes[row]) - _ORDERS, steps[row_i], steps[row_ii])


def _held(steps: Steps, missing: NDArray[np.bool_]) -> Steps:
    """Samples with the last one before each gap held through it, which costs least."""
    last = np.where(missing, 0, np.arange(steps.shape[1]))
    np.maximum.accumulate(last, axis=1, out=last)
    return np.take_along_axis(np.where(missing, 0, steps), last, axis=1)


def _sizes(small: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """For each lead, how many bits its remainders take about."""
    means = small.sum(axis=1, dtype=np.uint32) / max(small.shape[1], 1)
    sizes: NDArray[np.uint8] = np.ceil(np.log2(means + 1)).astype(np.uint8)
    return sizes


class _Parts:
    """The zstd frames, one after the other."""

    def __init__(self, data: bytes, at: int) -> None:
        self._data = memoryview(data)
        self._at = at

    def next(self, size: int) -> bytes:
        """The next part, which unpacks to `size` bytes."""
        if self._at + 4 > len(self._data):
            raise Damaged("expected another part of coded samples, got the end")
        length = _LENGTH.unpack_from(self._data, self._at)[0]
        start = self._at + 4
        self._at = start + length
        return _unsqueezed(bytes(self._data[start : self._at]), size)


def _squeezed(data: bytes | memoryview) -> bytes:
    squeezed: bytes = _coders()[0].compress(data)
    return squeezed


def _unsqueezed(data: bytes, size: int) -> bytes:
    unpacked = b""
    try:
        if zstandard.get_frame_parameters(data).content_size == size:
            unpacked = _coders()[1].decompress(data)
    except zstandard.ZstdError as error:
        raise Damaged(f"expected a part of coded samples, got none: {error}") from error
    if len(unpacked) != size:
        raise Damaged(f"expected a part of {size} bytes, got another")
    return unpacked


def _coders() -> tuple[zstandard.ZstdCompressor, zstandard.ZstdDecompressor]:
    """Those of this thread."""
    if not hasattr(_here, "coders"):
        how = zstandard.ZstdCompressionParameters.from_level(_LEVEL, hash_log=_HASH_LOG)
        _here.coders = zstandard.ZstdCompressor(compression_params=how), zstandard.ZstdDecompressor()
    coders: tuple[zstandard.ZstdCompressor, zstandard.ZstdDecompressor] = _here.coders
    return coders
