"""MFER's tags: a byte, a length as in BER, and the value."""

import re
from typing import Final, NamedTuple

from greenchannel.ingest.errors import IngestError

# ISO 22077-1, annex of tags. [K]
_NAMES: Final = {
    0x01: "ble", 0x02: "ver", 0x03: "txc", 0x04: "blk", 0x05: "chn", 0x06: "seq", 0x07: "pnt", 0x08: "wfm",
    0x09: "ldn", 0x0A: "dtp", 0x0B: "ivl", 0x0C: "sen", 0x0D: "off", 0x0E: "cmp", 0x0F: "ipd", 0x11: "flt",
    0x12: "nul", 0x15: "inf", 0x16: "nte", 0x17: "man", 0x1E: "wav", 0x3F: "att", 0x40: "pre", 0x41: "evt",
    0x42: "val", 0x43: "skw", 0x44: "cnd", 0x45: "rpt", 0x46: "sig", 0x67: "set", 0x80: "end", 0x81: "pnm",
    0x82: "pid", 0x83: "age", 0x84: "sex", 0x85: "tim", 0x86: "mss", 0x87: "uid", 0x88: "map",
}  # fmt: skip
_ATT: Final = 0x3F
_END: Final = 0x80
_FILLING: Final = re.compile(rb"\0*")
_INDEFINITE: Final = 0x80
MOST_TAGS: Final = 100_000
_DEEPEST: Final = 4


class Tag(NamedTuple):
    """One definition."""

    name: str
    code: int
    value: bytes
    channel: int | None = None
    """Index of the channel, of the tag ``att`` alone."""


def tags(data: bytes) -> list[Tag]:
    """The tags of `data` up to its end mark; those inside of a channel are in its value.

    Raises
    ------
    IngestError
        ``truncated`` or ``malformed``.
    """
    found: list[Tag] = []
    place = 0
    while place < len(data):
        if data[place] == 0:  # filling, or the end of a value without a length
            place = _next_tag(data, place)
            continue
        if data[place] == _END:
            break
        tag, place = _one(data, place, 0)
        found.append(tag)
        if len(found) > MOST_TAGS:
            raise IngestError("malformed", "there are too many tags", f"at most {MOST_TAGS}", "more")
    return found


def _next_tag(data: bytes, place: int) -> int:
    match = _FILLING.match(data, place)
    return match.end() if match is not None else place


def _one(data: bytes, place: int, depth: int) -> tuple[Tag, int]:
    code, channel = data[place], None
    place += 1
    if code == _ATT:
        channel = 0
        for _ in range(3):
            byte = data[place] if place < len(data) else 0
            channel, place = channel << 7 | byte & 0x7F, place + 1
            if not byte & 0x80:
                break
    length, place = _length(data, place)
    if length is None:
        stop, after = _end_of_contents(data, place, depth + 1)
    else:
        stop = after = place + length
    if stop > len(data):
        raise IngestError(
            "truncated", f"tag 0x{code:02x} is too short", f"{length} bytes", f"{len(data) - place} bytes"
        )
    return Tag(_NAMES.get(code, "unknown"), code, data[place:stop], channel), after


def _length(data: bytes, place: int) -> tuple[int | None, int]:
    if place >= len(data):
        raise IngestError("truncated", "the file ends in a tag", "a length", "nothing")
    first = data[place]
    if first < 0x80:
        return first, place + 1
    if first == _INDEFINITE:
        return None, place + 1
    count = first & 0x7F
    if count > 4:
        raise IngestError("malformed", "a length is too long", "at most 4 bytes", f"{count} bytes")
    return int.from_bytes(data[place + 1 : place + 1 + count], "big"), place + 1 + count


def _end_of_contents(data: bytes, place: int, depth: int) -> tuple[int, int]:
    """Where a value without a length ends, and where it goes on: two zero bytes in the place of a tag."""
    if depth > _DEEPEST:
        raise IngestError("malformed", "the tags are nested too deep", f"at most {_DEEPEST}", "more")
    for _ in range(MOST_TAGS):
        if place + 1 >= len(data):
            break
        if data[place] == 0:
            if data[place + 1] == 0:
                return place, place + 2
            place += 1
            continue
        _, place = _one(data, place, depth)
    raise IngestError("truncated", "a value without a length has no end", "two zero bytes", "none")
