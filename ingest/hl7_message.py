"""The text of an HL7 v2 message: charset, segments, fields, escapes and times (HL7 v2.5.1, chapter 2)."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from itertools import islice
from typing import Final, NamedTuple

from greenchannel.ingest.errors import IngestError, shown
from greenchannel.ingest.texts import charset_of

# Table 0211, and what is written in its stead
_CHARSETS: Final = {
    "ASCII": "ascii", "8859/1": "latin-1", "8859/15": "iso8859-15", "UNICODE UTF-8": "utf-8", "UTF-8": "utf-8",
    "UTF8": "utf-8", "GB 18030-2000": "gb18030", "GB18030": "gb18030", "GB 18030": "gb18030", "GBK": "gb18030",
    "GB2312": "gb18030", "CNS 11643-1992": "gb18030", "BIG-5": "big5", "ISO IR87": "iso2022_jp",
}  # fmt: skip
_STAMP: Final = re.compile(r"(\d{8})(\d{2})?(\d{2})?(\d{2})?(?:\.(\d{1,6})\d*)?([+-]\d{4})?")
_MOST_SEGMENTS: Final = 200_000
_MOST_FIELDS: Final = 400
_MOST_PARTS: Final = 1000
_MOST_BYTES: Final = 32 * 2**20


class Segment(NamedTuple):
    """One line of a message."""

    name: str
    fields: tuple[str, ...]

    def field(self, number: int) -> str:
        """Field by its number in the standard, from 1; "" where it is not there."""
        return self.fields[number] if number < len(self.fields) else ""


@dataclass(frozen=True, slots=True)
class Message:
    """A message in segments."""

    segments: tuple[Segment, ...]
    component: str
    repetition: str
    escape: str
    subcomponent: str
    charset: str
    tolerated: tuple[str, ...]

    def components(self, field: str) -> list[str]:
        """Parts of a field, at least one."""
        return field.split(self.component, _MOST_PARTS)

    def repetitions(self, field: str) -> list[str]:
        """Values of a field, at least one."""
        return field.split(self.repetition, _MOST_PARTS)

    def unescaped(self, text: str) -> str:
        """`text` with HL7's escapes as the characters they mean; highlighting is dropped."""
        if not self.escape or self.escape not in text:
            return text
        mark = re.escape(self.escape)
        known = {
            "F": "|",
            "S": self.component,
            "T": self.subcomponent,
            "R": self.repetition,
            "E": self.escape,
        }

        def character(match: re.Match[str]) -> str:
            word = match[1]
            if word in known:
                return known[word]
            if word == ".br":
                return "\n"
            if re.fullmatch(r"X(?:[0-9A-Fa-f]{2})+", word):
                return bytes.fromhex(word[1:]).decode(self.charset, errors="replace")
            return ""

        return re.sub(f"{mark}([^{mark}\\r\\n]{{1,200}}){mark}", character, text)


def parse_message(data: bytes) -> Message:
    """Take a message apart.

    Raises
    ------
    IngestError
        ``malformed``.
    """
    if len(data) > _MOST_BYTES:
        raise IngestError("too_large", "the message is too large", f"at most {_MOST_BYTES}", f"{len(data)}")
    body = data.removeprefix(b"\xef\xbb\xbf").strip(b"\x0b\x1c\r\n\t ")
    head = re.split(rb"[\r\n]", body, maxsplit=1)[0].decode("latin-1")
    separator, marks = head[3:4], head[4:8]
    fields = head.split(separator) if separator else []
    if len(fields) < 9 or len(set(marks[:3])) < 3:
        raise IngestError(
            "malformed", "the message header is too short", "MSH|^~\\&|… with a type", shown(head, 40)
        )
    tolerated: list[str] = []
    charset = _charset(fields[17] if len(fields) > 17 else "", marks[1:2], body, tolerated)
    text = body.decode(charset, errors="replace")
    lines = [match[0] for match in islice(re.finditer(r"[^\r\n]+", text), _MOST_SEGMENTS + 1)]
    if len(lines) > _MOST_SEGMENTS:
        raise IngestError(
            "malformed", "there are too many segments", f"at most {_MOST_SEGMENTS}", f"{len(lines)}"
        )
    segments: list[Segment] = []
    for line in lines:
        parts = tuple(line.split(separator, _MOST_FIELDS))
        # MSH-1 is the separator itself, so the fields of the first segment are one further on.
        segments.append(
            Segment(parts[0].strip(), (parts[0], separator, *parts[1:]) if not segments else parts)
        )
    return Message(
        tuple(segments), marks[0], marks[1], marks[2], marks[3:4] or "&", charset, tuple(tolerated)
    )


def _charset(field: str, repetition: str, body: bytes, tolerated: list[str]) -> str:
    word = field.split(repetition)[0].strip().upper()
    named = _CHARSETS.get(word)
    if word and named is None:
        tolerated.append(f"the charset {shown(word, 20)} is not known here; guessed")
    charset, _ = charset_of(body, named)
    if named is not None and charset != named:
        tolerated.append(f"the message is not in {word}, which it names; read as {charset}")
    return charset


def instant_of(text: str) -> datetime | None:
    """A time stamp (TS, DTM) that has at least a day; aware where it has an offset."""
    match = _STAMP.fullmatch(text.strip())
    if match is None:
        return None
    clock = "".join(part or "00" for part in match.group(2, 3, 4))
    try:
        instant = datetime.strptime(match[1] + clock, "%Y%m%d%H%M%S")  # noqa: DTZ007 - as written
    except ValueError:
        return None
    instant = instant.replace(microsecond=int((match[5] or "0").ljust(6, "0")))
    if match[6] is None:
        return instant
    minutes = int(match[6][1:3]) * 60 + int(match[6][3:])
    if minutes > 14 * 60:
        return instant
    return instant.replace(tzinfo=timezone(timedelta(minutes=-minutes if match[6][0] == "-" else minutes)))
