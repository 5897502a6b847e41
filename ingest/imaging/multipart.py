"""A body of several parts (RFC 2046, RFC 2387), taken as it comes: bytes in, whole parts out.

One part at a time is held, and none beyond its bound; what stands in front of the first border and behind the last is
passed over, as the RFC says.
"""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from greenchannel.ingest.errors import IngestError

MAX_HEAD_BYTES: Final = 16 * 2**10  # of the headers of one part  [E]
MAX_PARTS: Final = 20_000  # [E]
# RFC 2046 has 70 characters at most; Orthanc names one of 73.
_BOUNDARY: Final = re.compile(r"[0-9A-Za-z'()+_,\-./:=? ]{0,199}[0-9A-Za-z'()+_,\-./:=?]")


class Part(NamedTuple):
    """One part."""

    headers: dict[str, str]  # names in lower case
    body: bytes


class MultipartReader:
    """Feed it pieces of any size, then `finish`.

    Parameters
    ----------
    boundary
        As the content type names it.
    most_bytes
        Of one part's body.

    Raises
    ------
    IngestError
        ``malformed``: the boundary is none, or a part has no head; ``too_large``: a part or its head, too many parts.
        ``truncated``, by `finish`: the last border did not come.
    """

    def __init__(self, boundary: str, most_bytes: int) -> None:
        if not _BOUNDARY.fullmatch(boundary):
            raise IngestError("malformed", "the content type names no boundary", "boundary=…")
        self._border = b"\r\n--" + boundary.encode("ascii")
        self._most_bytes = most_bytes
        self._held = bytearray(b"\r\n")  # so that a border at the very beginning is one like all others
        self._looked = 0  # as far as no border begins
        self._state = "before"
        self._parts = 0

    @property
    def held_bytes(self) -> int:
        """How much of a part that is not whole is held."""
        return len(self._held)

    def drop(self) -> None:
        """Give back what is held, whoever still knows the reader."""
        self._held = bytearray()
        self._state = "done"

    def feed(self, piece: bytes) -> Iterator[Part]:
        """The parts that have become whole with one more piece."""
        self._held += piece
        while self._state != "done":
            at = self._held.find(self._border, self._looked)
            if at < 0:
                self._wait()
                return
            behind = at + len(self._border)
            if len(self._held) < behind + 2:
                self._looked = at
                return
            part = self._part(at) if self._state == "part" else None
            last = self._held[behind : behind + 2] == b"--"
            self._state = "done" if last else "part"
            self._held = self._held[behind:]  # and not cut in front: that would keep the room of a large part
            self._looked = 0
            if part is not None:
                yield part
        self._held.clear()

    def finish(self) -> None:
        """Say that nothing more comes."""
        if self._state != "done":
            raise IngestError("truncated", "the body ends within a part", "the last border")

    def _wait(self) -> None:
        keep = len(self._border) - 1
        if self._state == "before":
            del self._held[: max(len(self._held) - keep, 0)]
            return
        if len(self._held) > self._most_bytes + MAX_HEAD_BYTES + keep:
            raise self._too_large()
        self._looked = max(len(self._held) - keep, 0)

    def _part(self, stop: int) -> Part:
        """The part that begins what is held, and ends there; its body is copied once."""
        raw = self._held
        self._parts += 1
        if self._parts > MAX_PARTS:
            raise IngestError("too_large", "too many parts", f"at most {MAX_PARTS}", "more")
        # Blanks behind the border, then the headers, then an empty line.
        start = raw.find(b"\r\n", 0, stop + 2)
        head_stop = min(MAX_HEAD_BYTES, stop + 4)
        end = start if raw[start : start + 4] == b"\r\n\r\n" else raw.find(b"\r\n\r\n", 0, head_stop)
        if start < 0 or end < 0 or raw[:start].strip(b" \t"):
            raise IngestError("malformed", "a part of the body has no head", "headers and an empty line")
        if stop - end - 4 > self._most_bytes:
            raise self._too_large()
        with memoryview(raw) as view:
            body = bytes(view[end + 4 : stop])
        headers = {}
        for line in raw[start:end].decode("latin-1").split("\r\n"):
            name, colon, value = line.partition(":")
            if colon:
                headers[name.strip().lower()] = value.strip()
        return Part(headers, body)

    def _too_large(self) -> IngestError:
        return IngestError(
            "too_large", "a part of the body is too large", f"at most {self._most_bytes} bytes", "more"
        )


def parameters(content_type: str) -> tuple[str, dict[str, str]]:
    """The kind of a content type in lower case, and its parameters."""
    kind, _, rest = content_type.partition(";")
    found = re.findall(r'([\w-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;]+))', rest)
    return kind.strip().lower(), {name.lower(): quoted or bare for name, quoted, bare in found}
