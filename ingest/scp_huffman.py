"""The Huffman code of SCP-ECG (clause 5.5 and annex C): bits to integers and back, without a loop over samples.

A code word can only be found after the one before it. So the word that would begin at every bit is looked up at once,
which gives for each bit where the next word begins; that step is doubled some times, a short loop takes the long
strides, and the words between are filled in.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from greenchannel.ingest.errors import IngestError

DEFAULT: Final = 19999
"""Number of tables that stands for the default one."""

_ROW: Final = struct.Struct("<BBBhI")
"""Bits of the prefix, bits of the whole code, 0 to switch the table, value, code with its first bit lowest."""

_WINDOW_BITS: Final = 16
_DOUBLINGS: Final = 6
"""Strides of 64 words."""

# Beyond what any device writes; what is announced is bounded before it is built.  [O]
_MAX_TABLES: Final = 16
_MAX_ROWS: Final = 4096
_MAX_LONG_ROWS: Final = 16
_MAX_EXTRA_BITS: Final = 32
_MAX_NODES: Final = 2_200_000

_ESCAPE: Final = 9
"""Ones that lead in a value of 8 bits (then a 0) or of 16 bits (then a 1) in the default table."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Table:
    """One table; row `i` of each array is code `i`, and the last row stands for no code at all."""

    lookup: NDArray[np.int16]
    """Row by the next 16 bits, shape (65536,)."""
    prefix_bits: NDArray[np.int32]
    total_bits: NDArray[np.int32]
    value: NDArray[np.int32]
    switch_to: NDArray[np.int32]
    """Index of the table to go on with, −1 to stay."""
    long_rows: tuple[tuple[int, int, int], ...]
    """Row, bits and code of prefixes above 16 bits."""


def read_tables(body: bytes) -> tuple[Table, ...]:
    """The tables of section 2; none where the samples are not coded.

    Raises
    ------
    IngestError
        ``malformed`` or ``too_large``.
    """
    if len(body) < 2:
        return ()
    count = int.from_bytes(body[:2], "little")
    if count == DEFAULT:
        return (default_table(),)
    if count > _MAX_TABLES:
        raise IngestError(
            "too_large", "there are too many Huffman tables", f"at most {_MAX_TABLES}", str(count)
        )
    tables = []
    at = 2
    for _ in range(count):
        rows = int.from_bytes(body[at : at + 2], "little")
        if not 0 < rows <= _MAX_ROWS:
            raise IngestError("malformed", "a Huffman table is empty or huge", f"1 to {_MAX_ROWS}", str(rows))
        if at + 2 + rows * _ROW.size > len(body):
            raise IngestError(
                "malformed", "a Huffman table is cut off", f"{rows} codes", f"{len(body)} bytes"
            )
        tables.append(_make_table(list(_ROW.iter_unpack(body[at + 2 : at + 2 + rows * _ROW.size])), count))
        at += 2 + rows * _ROW.size
    return tuple(tables)


@cache
def default_table() -> Table:
    """The table of clause 5.5.6: n ones, a zero and the sign for ±n up to 8; then 8 or 16 bits as they are."""
    rows = [(1, 1, 1, 0, 0)]
    for size in range(1, _ESCAPE):
        ones = (1 << size) - 1
        rows += [(size + 2, size + 2, 1, size, ones), (size + 2, size + 2, 1, -size, ones | 1 << (size + 1))]
    ones = (1 << _ESCAPE) - 1
    rows += [(10, 18, 1, 0, ones), (10, 26, 1, 0, ones | 1 << _ESCAPE)]
    return _make_table(rows, 1)


def _make_table(rows: list[tuple[int, int, int, int, int]], tables: int) -> Table:
    lookup = np.full(1 << _WINDOW_BITS, len(rows), dtype=np.int16)
    prefix_bits, total_bits, values, switch = [], [], [], []
    for first, second, stay, value, _ in rows:
        prefix, total = min(first, second), max(first, second)  # some writers exchange the two
        if not 1 <= prefix <= 32 or total - prefix > _MAX_EXTRA_BITS:
            raise IngestError(
                "malformed", "a Huffman code is too long", "32 bits and 32 more", f"{prefix}/{total}"
            )
        if stay == 0 and not 1 <= value <= tables:
            raise IngestError("malformed", "a code leads to no table", f"1 to {tables}", str(value))
        prefix_bits.append(prefix)
        total_bits.append(total if stay else prefix)
        values.append(value)
        switch.append(-1 if stay else value - 1)
    long_rows = []
    # The longest first: whoever reads bit by bit stops at the shortest code that fits.
    for row in sorted(range(len(rows)), key=lambda index: -prefix_bits[index]):
        bits = prefix_bits[row]
        code = int(f"{rows[row][4] & ((1 << bits) - 1):0{bits}b}"[::-1], 2)
        if bits > _WINDOW_BITS:
            long_rows.append((row, bits, code))
        else:
            free = _WINDOW_BITS - bits
            lookup[code << free : (code + 1) << free] = row
    if len(long_rows) > _MAX_LONG_ROWS:
        raise IngestError(
            "too_large", "too many long codes", f"at most {_MAX_LONG_ROWS}", str(len(long_rows))
        )
    return Table(
        lookup=lookup,
        prefix_bits=np.array([*prefix_bits, 0], dtype=np.int32),
        total_bits=np.array([*total_bits, 0], dtype=np.int32),
        value=np.array([*values, 0], dtype=np.int32),
        switch_to=np.array([*switch, -1], dtype=np.int32),
        long_rows=tuple(long_rows),
    )


def decode(data: bytes, count: int, tables: Sequence[Table]) -> tuple[NDArray[np.int64], int]:
    """The first `count` values of a bit stream, shape (count,), and how many bits are left over.

    Raises
    ------
    IngestError
        ``truncated`` where the stream ends before, ``malformed`` where the bits are no code.
    """
    bits = len(data) * 8
    # No code is shorter than a bit, so a count that the bytes cannot hold is refused before anything is made.
    if count > bits:
        raise IngestError(
            "truncated", "a lead's samples are cut off", f"{count} samples", f"{len(data)} bytes"
        )
    if len(tables) * (bits + 1) > _MAX_NODES:
        raise IngestError("too_large", "a lead is too long for its tables", f"{_MAX_NODES} bits", str(bits))
    raw = np.frombuffer(data + bytes(16), dtype=np.uint8)
    rows, following, start = _all_words(raw, bits, tables)
    path = _walk(following, start, count)
    of_table, at = np.divmod(path, bits + 1)
    row = rows[path]
    values = np.zeros(count, dtype=np.int64)
    ends = np.zeros(count, dtype=np.int64)
    for index, table in enumerate(tables):
        chosen = np.flatnonzero(of_table == index)
        if ((row[chosen] == len(table.value) - 1) & (at[chosen] < bits)).any():
            raise IngestError("malformed", "the bits of a lead are no Huffman code", "a code", "another")
        values[chosen] = table.value[row[chosen]] + _extra(raw, at[chosen], row[chosen], table)
        ends[chosen] = at[chosen] + table.total_bits[row[chosen]]
    whole = int(np.count_nonzero((at < bits) & (ends <= bits)))
    if whole < count:
        raise IngestError("truncated", "a lead's samples are cut off", f"{count} samples", str(whole))
    return values, bits - int(ends[-1]) if count else bits


def _all_words(
    raw: NDArray[np.uint8], bits: int, tables: Sequence[Table]
) -> tuple[NDArray[np.int16], NDArray[np.intp], int]:
    """For each table and bit: the row of the code that begins there, and the node of the next value; the first node.

    A node is ``table × (bits + 1) + bit``; bit `bits` is the end, which leads to itself.
    """
    size = bits // 8
    wide = raw.astype(np.uint32)
    triple = wide[:size] << 16 | wide[1 : size + 1] << 8 | wide[2 : size + 2]
    shifts = np.arange(8, dtype=np.uint32)
    window = ((triple[:, None] >> (8 - shifts)) & 0xFFFF).ravel().astype(np.intp)
    here = np.arange(bits + 1)
    switched = any((table.switch_to >= 0).any() for table in tables)
    all_rows, all_next = [], []
    for index, table in enumerate(tables):
        none = len(table.value) - 1
        row = np.full(bits + 1, none, dtype=np.int16)
        np.take(table.lookup, window, out=row[:-1])
        if table.long_rows:
            octet = _octets(raw, np.arange(size))
            for number, length, code in table.long_rows:
                word = (octet[:, None] >> (64 - length - shifts).astype(np.uint64)) & np.uint64(
                    (1 << length) - 1
                )
                row[:-1][(row[:-1] == none) & (word.ravel() == code)] = number
        # Where there is no code, and at the end, one goes to the end.
        following = np.minimum(np.take(np.append(table.total_bits[:-1], bits), row) + here, bits)
        if switched:
            switch = table.switch_to[row]
            following += np.where(switch < 0, index, switch) * (bits + 1)
        all_next.append(following)
        all_rows.append(row)
    if not switched:
        return all_rows[0], all_next[0], 0
    rows, following = np.concatenate(all_rows), np.concatenate(all_next)
    switches = np.concatenate(
        [table.switch_to[row] >= 0 for table, row in zip(tables, all_rows, strict=True)]
    )
    landing = np.where(switches, following, np.arange(len(rows)))
    for _ in range(
        bits.bit_length()
    ):  # each code takes a bit at least, so this ends at a value or at the end
        landing = landing[landing]
    return rows, landing[following], int(landing[0])


def _walk(following: NDArray[np.intp], start: int, count: int) -> NDArray[np.int64]:
    """The nodes of the first `count` values."""
    strides = [following]
    for _ in range(min(_DOUBLINGS, count.bit_length())):
        strides.append(np.take(strides[-1], strides[-1]))
    longest = strides.pop()
    node, nodes = start, []
    for _ in range(-(-count >> len(strides))):
        nodes.append(node)
        node = int(longest[node])
    path = np.array(nodes, dtype=np.int64)
    for stride in reversed(strides):
        both = np.empty((len(path), 2), dtype=np.int64)
        both[:, 0], both[:, 1] = path, stride[path]
        path = both.ravel()
    return path[:count]


def _octets(raw: NDArray[np.uint8], at: NDArray[np.int64]) -> NDArray[np.uint64]:
    """The 64 bits from each of the bytes `at`, first bit highest."""
    octet = np.zeros(len(at), dtype=np.uint64)
    for place in range(8):
        octet = octet << np.uint64(8) | raw[at + place].astype(np.uint64)
    return octet


def _extra(
    raw: NDArray[np.uint8], at: NDArray[np.int64], row: NDArray[np.int16], table: Table
) -> NDArray[np.int64]:
    """What stands behind each prefix, in two's complement; 0 where nothing does."""
    extra = np.zeros(len(at), dtype=np.int64)
    width = (table.total_bits - table.prefix_bits)[row].astype(np.int64)
    some = np.flatnonzero((width > 0) & (at < 8 * (len(raw) - 16)))
    if not some.size:
        return extra
    first = np.minimum(at[some] + table.prefix_bits[row[some]], 8 * (len(raw) - 16))
    width = width[some]
    octet = _octets(raw, first >> 3)
    found = ((octet << (first & 7).astype(np.uint64)) >> (64 - width).astype(np.uint64)).astype(np.int64)
    extra[some] = np.where(found >> (width - 1), found - (np.int64(1) << width), found)
    return extra


def encode(values: NDArray[np.int64]) -> bytes:
    """Values within 16 bits by the default table, filled up with zeros to an even number of bytes."""
    size = np.abs(values)
    small, short = size < _ESCAPE, (values >= -128) & (values < 128)
    ones = (np.int64(1) << np.where(small, size, _ESCAPE)) - 1
    code = np.where(small, ones << 2 | (values < 0), np.where(short, ones << 9, (ones << 1 | 1) << 16))
    code = np.where(small, np.where(size == 0, 0, code), code | values & np.where(short, 0xFF, 0xFFFF))
    length = np.where(small, np.where(size == 0, 1, size + 2), np.where(short, 18, 26))
    place = length[:, None] - 1 - np.arange(26)
    matrix = (code[:, None] >> np.maximum(place, 0)) & 1
    data = np.packbits(matrix[place >= 0].astype(np.uint8)).tobytes()
    return data + b"\0" * (len(data) % 2)
