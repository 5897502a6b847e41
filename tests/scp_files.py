"""SCP-ECG files made for tests byte by byte from the standard, by other means than the product's own writer."""

import math
import random
import struct
from collections.abc import Mapping, Sequence


def crc(data: bytes) -> int:
    """CRC-CCITT bit by bit."""
    value = 0xFFFF
    for byte in data:
        value ^= byte << 8
        for _ in range(8):
            value = (value << 1 ^ 0x1021 if value & 0x8000 else value << 1) & 0xFFFF
    return value


def section(number: int, body: bytes, version: int = 20, reserved: bytes = bytes(6)) -> bytes:
    """A section with its header."""
    rest = struct.pack("<HIBB", number, 16 + len(body), version, version) + reserved + body
    return struct.pack("<H", crc(rest)) + rest


def record(bodies: Mapping[int, bytes], version: int = 20) -> bytes:
    """A file of these sections."""
    pointers, rest = b"", b""
    count = max(12, *(number + 1 for number in bodies))
    at = 6 + 16 + 10 * count
    for number in range(1, count):
        made = section(number, bodies[number], version) if number in bodies else b""
        pointers += struct.pack("<HII", number, len(made), at + len(rest) + 1 if made else 0)
        rest += made
    first = struct.pack("<HII", 0, 16 + 10 * count, 7) + pointers
    whole = section(0, first, version, b"SCPECG") + rest
    whole = struct.pack("<I", len(whole) + 6) + whole
    return struct.pack("<H", crc(whole)) + whole


def tag(number: int, value: bytes) -> bytes:
    """A field of section 1."""
    return struct.pack("<BH", number, len(value)) + value


def patient(*tags: bytes) -> bytes:
    """Section 1: the fields and the end."""
    return b"".join(tags) + tag(255, b"")


def device(language: int) -> bytes:
    """Tag 14 with a language code."""
    return tag(14, bytes(16) + bytes([language]) + bytes(20))


def leads(spans: Sequence[tuple[int, int, int]], subtracted: bool = False) -> bytes:
    """Section 3: first sample, last sample and number of each lead."""
    flags = len(spans) << 3 | 0x04 | subtracted
    return bytes((len(spans), flags & 0xFF)) + b"".join(struct.pack("<IIB", *span) for span in spans)


def samples(
    chunks: Sequence[bytes], nv: int = 2500, interval_us: int = 2000, difference: int = 0, bimodal: int = 0
) -> bytes:
    """Section 5 or 6."""
    sizes = struct.pack(f"<{len(chunks)}H", *map(len, chunks))
    return struct.pack("<HHBB", nv, interval_us, difference, bimodal) + sizes + b"".join(chunks)


def words(values: Sequence[int]) -> bytes:
    """Samples as they are, 16 bits each."""
    return struct.pack(f"<{len(values)}h", *values)


def differences(values: Sequence[int], order: int) -> list[int]:
    """First or second differences; the first values stay."""
    if order == 0:
        return list(values)
    if order == 1:
        return [value - values[i - 1] if i else value for i, value in enumerate(values)]
    return [v - 2 * values[i - 1] + values[i - 2] if i > 1 else v for i, v in enumerate(values)]


def default_code(value: int) -> str:
    """The bits of a value in the default table, as the standard prints it."""
    if value == 0:
        return "0"
    if abs(value) <= 8:
        return "1" * abs(value) + "0" + ("1" if value < 0 else "0")
    if -128 <= value < 128:
        return "1111111110" + f"{value & 0xFF:08b}"
    return "1111111111" + f"{value & 0xFFFF:016b}"


def packed(bits: str) -> bytes:
    """Bits as bytes, filled up with zeros to an even number."""
    bits += "0" * (-len(bits) % 16)
    return int("1" + bits, 2).to_bytes(len(bits) // 8 + 1, "big")[1:]


def coded(values: Sequence[int], order: int = 0) -> bytes:
    """A lead by the default table."""
    return packed("".join(default_code(value) for value in differences(values, order)))


DEFAULT_TABLE = struct.pack("<H", 19999)


def table(rows: Sequence[tuple[str, int, int, int]]) -> bytes:
    """One Huffman table of section 2; prefix as bits, bits that follow, 0 to switch, value."""
    made = b"".join(
        struct.pack("<BBBhI", len(prefix), len(prefix) + extra, stay, value, int(prefix[::-1], 2))
        for prefix, extra, stay, value in rows
    )
    return struct.pack("<H", len(rows)) + made


def simple(chunks: Sequence[bytes], count: int, numbers: Sequence[int] = (1, 2), **changes: int) -> bytes:
    """A file of uncoded or coded leads without a word about the patient."""
    bodies = {1: patient(), 3: leads([(1, count, n) for n in numbers]), 6: samples(chunks, **changes)}
    return record(bodies)


def with_reference(decimated: int) -> tuple[bytes, list[int]]:
    """A lead of 400 samples with three beats, of which the second is of another kind."""
    beat = [round(300 * math.exp(-(((i - 40) / 6) ** 2))) * 2 for i in range(100)]
    slow = [i // 40 * 4 for i in range(400)]
    whole = list(slow)
    zones = []
    for kind, fiducial in ((0, 81), (1, 201), (0, 321)):
        first, last = fiducial - 40, fiducial + 39
        zones.append((kind, first, fiducial, last))
        for number in range(first, last + 1):
            # fiducial 41 of the beat upon the fiducial of the strip, both counted from 1
            whole[number - 1] += beat[41 + number - fiducial - 1] if kind == 0 else 0
    areas = [(f - 20, f + 19) for _, _, f, _ in zones]
    stored: list[int] = slow
    if decimated > 1:
        stored, at = [], 0
        for first, last in [*areas, (401, 400)]:
            runs = [slow[i : i + decimated] for i in range(at, first - 1, decimated)]
            stored += [sum(run) // len(run) for run in runs]
            stored += slow[first - 1 : last]
            at = last
    section4 = struct.pack("<HHH", 200, 41, 3)
    section4 += b"".join(struct.pack("<HIII", *zone) for zone in zones)
    section4 += b"".join(struct.pack("<II", *area) for area in areas)
    data = record({
        1: patient(), 2: DEFAULT_TABLE, 3: leads([(1, 400, 2)], subtracted=True), 4: section4,
        5: samples([coded([v // 2 for v in beat], 2)], nv=5000, interval_us=2000, difference=2),
        6: samples([coded(stored, 1)], interval_us=2000 * decimated, difference=1,
                       bimodal=int(decimated > 1)),
    })  # fmt: skip
    return data, whole


def wave(seed: int, count: int) -> list[int]:
    """Steps of a strip that wanders like an ECG without beats."""
    value, drawn = 0, random.Random(seed)
    return [value := value + drawn.randint(-12, 12) for _ in range(count)]
