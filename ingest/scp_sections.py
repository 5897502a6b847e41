"""The container of SCP-ECG (EN 1064, ISO 11073-91064, clauses 5.2 and 5.3): sections, each with its checksum."""

import binascii
import struct
from dataclasses import dataclass
from typing import Final

from greenchannel.ingest.errors import IngestError

RECORD_HEADER: Final = struct.Struct("<HI")
"""Checksum of all that follows, and the number of bytes of the whole record."""

SECTION_HEADER: Final = struct.Struct("<HHIBB6s")
"""Checksum of all that follows, number, bytes with this header, version of the section, of the protocol, reserved."""

POINTER: Final = struct.Struct("<HII")
"""Number of a section, its bytes, and where it begins, counted from 1."""

SIGNATURE: Final = b"SCPECG"
"""In the reserved bytes of section 0, since version 1.3."""

LONG_TERM: Final = 12
"""The section of version 3 that holds long-term strips."""

# A lead's data take 65,535 bytes at most, so the sections that are read are far smaller; see `_is_bad`.  [O]
_MAX_CHECKED_BYTES: Final = 8 * 2**20
_MAX_POINTERS: Final = 256


@dataclass(frozen=True, kw_only=True, slots=True)
class Sections:
    """What stands between the section headers."""

    version: int
    """Ten times the version of the protocol: 10, 13, 20, 30."""

    bodies: dict[int, bytes]
    """Each section without its header, by number; sections that are absent or empty are left out."""

    cut: dict[int, str]
    """Sections that reach beyond the end of the file, with what is there."""

    bad_checksums: frozenset[int]
    """Sections whose checksum does not match."""

    def get(self, number: int) -> bytes:
        """The body of a section; no bytes where there is none."""
        return self.bodies.get(number, b"")

    def need(self, number: int, what: str) -> bytes:
        """The body of a section without which there is no ECG.

        Raises
        ------
        IngestError
            ``truncated`` or ``malformed``.
        """
        if number in self.cut:
            raise IngestError(
                "truncated",
                f"section {number} ({what}) reaches beyond the end",
                "a whole section",
                self.cut[number],
            )
        if number not in self.bodies:
            raise IngestError("malformed", f"section {number} ({what}) is missing", "the section", "none")
        return self.bodies[number]


def checksum(data: bytes | memoryview) -> int:
    """CRC-CCITT, polynomial x¹⁶ + x¹² + x⁵ + 1 from all ones (clause 5.2.7)."""
    return binascii.crc_hqx(data, 0xFFFF)


def seems_scp(data: bytes) -> bool:
    """Whether `data` begins as a record does: the signature, or a section 0 that points to itself."""
    if data[16:22] == SIGNATURE:
        return True
    if len(data) < 32 or data[8:10] != b"\0\0" or data[22:24] != b"\0\0" or data[10:14] != data[24:28]:
        return False
    size = int.from_bytes(data[10:14], "little")
    # One device counts from 0.
    return 26 <= size <= 16 + 10 * _MAX_POINTERS and (size - 16) % 10 == 0 and data[28:32] in (_SIX, _SEVEN)


_SIX: Final = (6).to_bytes(4, "little")
_SEVEN: Final = (7).to_bytes(4, "little")


def read_sections(data: bytes, tolerated: list[str]) -> Sections:
    """Take a record apart.

    Raises
    ------
    IngestError
        ``truncated`` or ``malformed``, where the pointers themselves cannot be read.
    """
    start = RECORD_HEADER.size
    if len(data) < start + SECTION_HEADER.size:
        raise IngestError(
            "truncated", "the record has no pointers", f"{start + SECTION_HEADER.size} bytes", str(len(data))
        )
    _, _, size, _, protocol, _ = SECTION_HEADER.unpack_from(data, start)
    version = protocol or data[start + 8]
    if size > len(data) - start:
        raise IngestError("truncated", "section 0 is cut off", f"{size} bytes", str(len(data) - start))
    if size < SECTION_HEADER.size + POINTER.size:
        raise IngestError("malformed", "section 0 points to nothing", "pointers", f"{size} bytes")
    _note_record(data, tolerated)
    bodies: dict[int, bytes] = {}
    cut: dict[int, str] = {}
    bad: set[int] = set()
    seen = {0}
    pointers = data[start + SECTION_HEADER.size : start + min(size, 16 + POINTER.size * _MAX_POINTERS)]
    for offset in range(0, len(pointers) - POINTER.size + 1, POINTER.size):
        number, length, index = POINTER.unpack_from(pointers, offset)
        if number > LONG_TERM or length <= SECTION_HEADER.size or index == 0:
            continue
        if number in seen:
            tolerated += [f"section {number} comes twice; the first is read"] if number else []
            continue
        seen.add(number)
        at = _begin(data, number, index, tolerated)
        if at is None:
            continue
        if at + length > len(data):
            cut[number] = f"{max(len(data) - at, 0)} of {length} bytes"
            tolerated.append(f"section {number} reaches beyond the end of the file")
            continue
        said = int.from_bytes(data[at + 4 : at + 8], "little")
        if said != length:
            tolerated.append(f"section {number} has {length} bytes by its pointer and {said} by itself")
            length = min(length, said) if said > SECTION_HEADER.size else length
        if _is_bad(data, at, length, number, tolerated):
            bad.add(number)
        bodies[number] = data[at + SECTION_HEADER.size : at + length]
    return Sections(version=version, bodies=bodies, cut=cut, bad_checksums=frozenset(bad))


def _begin(data: bytes, number: int, index: int, tolerated: list[str]) -> int | None:
    """Where the header of section `number` stands; None where it is not there, which is noted."""
    for at in (index - 1, index):
        if data[at + 2 : at + 4] == number.to_bytes(2, "little"):
            if at == index:
                tolerated.append(f"the pointer to section {number} counts from 0")
            return at
    if index + 3 > len(data):
        return index - 1
    tolerated.append(f"section {number} is not where its pointer says; left out")
    return None


def _note_record(data: bytes, tolerated: list[str]) -> None:
    stored, said = RECORD_HEADER.unpack_from(data)
    if data[16:22] != SIGNATURE:
        tolerated.append("section 0 lacks its signature")
    if said > len(data):
        tolerated.append(f"the record announces {said} bytes, the file has {len(data)}")
        return
    if said < len(data):
        tolerated.append(f"there are {len(data) - said} bytes more than the record announces")
    if 2 < said <= _MAX_CHECKED_BYTES and checksum(memoryview(data)[2:said]) != stored:
        tolerated.append("the checksum of the record does not match")


def _is_bad(data: bytes, at: int, length: int, number: int, tolerated: list[str]) -> bool:
    # Overlapping sections of 64 MiB would take seconds to sum up, and none that is read is that large.
    if length > _MAX_CHECKED_BYTES:
        tolerated.append(f"the checksum of section {number} was not checked: {length} bytes")
        return True
    if checksum(memoryview(data)[at + 2 : at + length]) == int.from_bytes(data[at : at + 2], "little"):
        return False
    tolerated.append(f"the checksum of section {number} does not match")
    return True


def make_record(bodies: dict[int, bytes], version: int) -> bytes:
    """A whole record: section 0 with pointers to sections 1 to 11, and the sections, all with their checksums."""
    numbers = range(1, 12)
    sections = {number: _make_section(number, bodies[number], version) for number in bodies}
    table_size = SECTION_HEADER.size + POINTER.size * (len(numbers) + 1)
    pointers = POINTER.pack(0, table_size, RECORD_HEADER.size + 1)
    at = RECORD_HEADER.size + table_size
    for number in numbers:
        length = len(sections.get(number, b""))
        pointers += POINTER.pack(number, length, at + 1 if length else 0)
        at += length
    first = _make_section(0, pointers, version, SIGNATURE)
    body = at.to_bytes(4, "little") + first + b"".join(sections[number] for number in sorted(sections))
    return checksum(body).to_bytes(2, "little") + body


def _make_section(number: int, body: bytes, version: int, reserved: bytes = b"") -> bytes:
    body += b"\0" * (len(body) % 2)  # sections have an even number of bytes
    head = SECTION_HEADER.pack(
        0, number, SECTION_HEADER.size + len(body), version, version, reserved.ljust(6, b"\0")
    )
    return checksum(head[2:] + body).to_bytes(2, "little") + head[2:] + body
