"""HL7 v2 over MLLP: frames from bytes, and the acknowledgement of a message. Pure.

A frame is ``<VT> message <FS><CR>`` (HL7 v2 transport, minimal lower layer protocol, release 1). An acknowledgement
says ``AA`` for what was taken, ``AE`` for what could not be kept now or has no ECG, ``AR`` for what is none of ours.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from greenchannel.clock import check_aware
from greenchannel.ingest.errors import IngestError
from greenchannel.ingest.hl7_message import Message, Segment, parse_message
from greenchannel.ingest.hl7_oru import attachment_of
from greenchannel.ingest.hl7_waveform import WAVEFORM_TYPES

Code = Literal["AA", "AE", "AR"]

MOST_BYTES: Final = 32 * 2**20  # of one message; what `hl7_message` reads
_MOST_BETWEEN: Final = 4096  # bytes outside a frame: line breaks, but no flood  [E]
_VT: Final = b"\x0b"
_END: Final = b"\x1c\r"
_PART: Final = 64 * 1024
_VERSION: Final = re.compile(r"2(\.\d){0,2}")


@dataclass(frozen=True, slots=True)
class Frames:
    """What has come of a connection and is no whole frame yet."""

    parts: tuple[bytes, ...] = ()  # of the message that has begun; empty where none has
    size: int = 0
    between: int = 0  # bytes outside frames, since the last one

    @property
    def within(self) -> bool:
        """Has a message begun?"""
        return bool(self.parts)

    def feed(self, data: bytes) -> tuple["Frames", list[bytes]]:
        """More bytes came: gives the new state, and the messages that are whole now.

        Raises
        ------
        IngestError
            ``too_large``, or ``malformed`` where bytes come outside of frames: nobody speaks MLLP there.
        """
        state, messages = self, []
        while data:
            if not state.within:
                state, data = state._begun(data)
                continue
            last = state.parts[-1]
            end = (last[-1:] + data).find(_END) - len(last[-1:])
            if end < -1 or (end == -1 and not last):
                state, data = state._longer(data), b""
                continue
            whole = b"".join(state.parts)
            messages.append(whole[:-1] if end < 0 else whole + data[:end])
            state, data = Frames(), data[end + len(_END) :]
        return state, messages

    def _begun(self, data: bytes) -> tuple["Frames", bytes]:
        """Outside of a frame: to where one begins."""
        start = data.find(_VT)
        outside = data if start < 0 else data[:start]
        between = self.between + len(outside)
        if between > _MOST_BETWEEN or outside.strip(b"\r\n\0 \x1c"):
            raise IngestError(
                "malformed", "these bytes are in no MLLP frame", "0x0B first", outside[:20].hex(" ")
            )
        if start < 0:
            return Frames(between=between), b""
        return Frames(parts=(b"",)), data[start + 1 :]

    def _longer(self, data: bytes) -> "Frames":
        size = self.size + len(data)
        if size > MOST_BYTES:
            raise IngestError(
                "too_large", "the message is too large", f"at most {MOST_BYTES} bytes", f"{size} and more"
            )
        *whole, last = self.parts
        parts = (*whole, last + data) if len(last) < _PART else (*whole, last, data)
        return Frames(parts=parts, size=size)


def frame(message: bytes) -> bytes:
    """A message as it goes over the line."""
    return _VT + message + _END


def refusal_of(data: bytes) -> tuple[Code, str] | None:
    """Why a message is not taken; None for one that brings an ECG, be it readable here or not."""
    try:
        message = parse_message(data)
    except IngestError as error:
        return "AR", str(error)
    kind = message.components(message.segments[0].field(9))
    if kind[0] != "ORU" or (len(kind) > 1 and kind[1] not in ("R01", "")):
        return "AR", f"expected ORU^R01, got {'^'.join(kind)[:20]}"
    results = [segment for segment in message.segments if segment.name == "OBX"]
    types = {segment.field(2) for segment in results}
    if not types & ({"ED"} | WAVEFORM_TYPES):
        return "AE", "expected an OBX of type ED, NA or MA with an ECG"
    if not types & WAVEFORM_TYPES:
        return _broken(message, [segment for segment in results if segment.field(2) == "ED"])
    return None


def _broken(message: Message, attachments: list[Segment]) -> tuple[Code, str] | None:
    """Why no attachment can be unpacked, which its sender alone can mend; None where one can."""
    why = ""
    for segment in attachments:
        try:
            attachment_of(message, segment)
        except IngestError as error:
            why = why or str(error)
        else:
            return None
    return "AE", why


def control_id(data: bytes) -> str:
    """The message's own number, "" where it has none."""
    head = _head(data)
    return head[9] if len(head) > 9 else ""


def acknowledgement(data: bytes, code: Code, text: str, *, at: datetime, number: str) -> bytes:
    """The acknowledgement of a message, also of one that cannot be read.

    Parameters
    ----------
    text
        For a person; empty where all is well.
    number
        The acknowledgement's own.
    """
    head = _head(data) or ["MSH", "^~\\&"]
    separator = data.lstrip(b"\xef\xbb\xbf\r\n ")[3:4].decode("latin-1") or "|"
    marks = head[1] if len(head[1]) >= 4 else "^~\\&"

    def field(index: int) -> str:
        return head[index] if len(head) > index else ""

    version = field(11).split(marks[0])[0]
    msh = [
        "MSH", marks, field(4), field(5), field(2), field(3), f"{check_aware(at):%Y%m%d%H%M%S+0000}", "",
        f"ACK{marks[0]}R01", number, field(10) or "P", version if _VERSION.fullmatch(version) else "2.5", "", "", "",
        "", "", "UNICODE UTF-8",
    ]  # fmt: skip
    said = _escaped(text, separator, marks)
    msa = ["MSA", code, field(9), said]
    lines = [separator.join(msh), separator.join(msa)]
    return ("\r".join(lines) + "\r").encode()


def _head(data: bytes) -> list[str]:
    """The fields of the header segment, the separator itself not among them; empty where there is none."""
    line = re.split(rb"[\r\n]", data.lstrip(b"\xef\xbb\xbf\r\n "), maxsplit=1)[0][:2000]
    text = line.decode("utf-8", errors="replace")
    return text.split(text[3]) if text.startswith("MSH") and len(text) > 8 else []


def _escaped(text: str, separator: str, marks: str) -> str:
    names = {marks[2]: "E", separator: "F", marks[0]: "S", marks[3]: "T", marks[1]: "R"}
    plain = re.sub(r"[\r\n]+", " ", text)[:200]
    return "".join(f"{marks[2]}{names[sign]}{marks[2]}" if sign in names else sign for sign in plain)
