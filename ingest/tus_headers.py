"""The headers of tus 1.0.0, from words to values. Whatever does not fit raises `IngestError`; nothing else does."""

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from greenchannel.ingest.bounds import MAX_MEMBERS
from greenchannel.ingest.errors import IngestError, shown

VERSION: Final = "1.0.0"
EXTENSIONS: Final = (
    "creation",
    "creation-with-upload",
    "checksum",
    "expiration",
    "termination",
    "concatenation",
)
ALGORITHMS: Final[Mapping[str, int]] = {"sha1": 20, "sha256": 32, "md5": 16}
"""Checksums that are taken, with the bytes of each; sha1 is the one that the extension asks for."""

BODY_TYPE: Final = "application/offset+octet-stream"
MAX_METADATA: Final = 16 * 1024  # characters; a history of 4,000 characters in base64, and everything else
MAX_KEYS: Final = 64
_MOST_DIGITS: Final = 15
_KEY: Final = re.compile(r"[!-+\--~]+")  # printable, without space and comma
_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Checksum:
    """What the body of one request must hash to."""

    algorithm: str
    digest: bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class Concat:
    """What ``Upload-Concat`` says; neither of both for an upload that stands alone."""

    partial: bool = False
    final: tuple[str, ...] = ()  # ids of the parts, in their order

    @property
    def header(self) -> str:
        """The value as HEAD gives it back; empty for neither."""
        return "partial" if self.partial else f"final;{' '.join(self.final)}" if self.final else ""


def check_version(value: str | None) -> None:
    """Raise ``tus_version`` for any ``Tus-Resumable`` but ours."""
    if value != VERSION:
        raise IngestError(
            "tus_version",
            "this version of the protocol is not spoken here",
            expected=f"Tus-Resumable: {VERSION}",
            got="no such header" if value is None else shown(value),
        )


def check_body_type(value: str | None) -> None:
    """Raise ``body_type`` for a body that does not say it is one of tus."""
    if (value or "").partition(";")[0].strip().lower() != BODY_TYPE:
        raise IngestError(
            "body_type",
            "the body is not announced as a piece of an upload",
            expected=f"Content-Type: {BODY_TYPE}",
            got="no such header" if value is None else shown(value),
        )


def parse_number(name: str, value: str | None) -> int:
    """A header that must be a whole number of bytes; raises ``bad_tus_header``."""
    if value is None:
        raise _bad(name, "a whole number of bytes", "no such header")
    if not (value.isascii() and value.isdigit() and len(value) <= _MOST_DIGITS):
        raise _bad(name, "a whole number of bytes", shown(value))
    return int(value)


def parse_metadata(header: str | None) -> dict[str, str]:
    """``Upload-Metadata``: names, each with its value in base64 of UTF-8; a name alone has the value "".

    Raises
    ------
    IngestError
        ``bad_tus_header``; the error names the key and never the value, which may be a patient's name.
    """
    found: dict[str, str] = {}
    if header is None or not header.strip():
        return found
    if len(header) > MAX_METADATA:
        raise _bad("Upload-Metadata", f"at most {MAX_METADATA} characters", str(len(header)))
    for pair in header.split(","):
        key, _, encoded = pair.strip().partition(" ")
        if not _KEY.fullmatch(key):
            raise _bad("Upload-Metadata", "pairs of a name and base64, joined by commas", shown(key, 20))
        if key in found:
            raise _bad("Upload-Metadata", "each name once", shown(key, 20))
        try:
            found[key] = base64.b64decode(encoded.strip(), validate=True).decode("utf-8")
        except (binascii.Error, ValueError):  # ValueError: letters beyond ASCII, bytes that are no UTF-8
            raise _bad("Upload-Metadata", f"base64 of UTF-8 after {key[:20]}", "something else") from None
    if len(found) > MAX_KEYS:
        raise _bad("Upload-Metadata", f"at most {MAX_KEYS} names", str(len(found)))
    return found


def parse_checksum(header: str | None) -> Checksum | None:
    """``Upload-Checksum``: an algorithm and the digest in base64; None where the request has none.

    Raises
    ------
    IngestError
        ``checksum_algorithm`` for one that is not known, ``bad_tus_header`` for a digest that is none.
    """
    if header is None:
        return None
    algorithm, _, encoded = header.strip().partition(" ")
    if algorithm not in ALGORITHMS:
        raise IngestError(
            "checksum_algorithm",
            "this checksum cannot be compared",
            expected=" or ".join(ALGORITHMS),
            got=shown(algorithm, 20),
        )
    try:
        digest = base64.b64decode(encoded.strip(), validate=True)
    except (binascii.Error, ValueError):
        digest = b""
    if len(digest) != ALGORITHMS[algorithm]:
        raise _bad("Upload-Checksum", f"base64 of {ALGORITHMS[algorithm]} bytes", shown(encoded, 60))
    return Checksum(algorithm=algorithm, digest=digest)


def parse_concat(header: str | None) -> Concat:
    """``Upload-Concat``: ``partial``, or ``final;`` and the addresses of the parts; raises ``bad_tus_header``."""
    if header is None:
        return Concat()
    kind, _, rest = header.strip().partition(";")
    if kind == "partial" and not rest.strip():
        return Concat(partial=True)
    parts = tuple(_id_of(address) for address in rest.split())
    if kind != "final" or not parts:
        raise _bad("Upload-Concat", "partial, or final; and the addresses of the parts", shown(header))
    if len(parts) > MAX_MEMBERS:
        raise _bad("Upload-Concat", f"at most {MAX_MEMBERS} parts", str(len(parts)))
    return Concat(final=parts)


def _id_of(address: str) -> str:
    try:
        name = urlsplit(address).path.rstrip("/").rpartition("/")[2]
    except ValueError:  # such as an address in brackets that do not close
        name = ""
    if not _ID.fullmatch(name):
        raise _bad("Upload-Concat", "the address of an upload", shown(address))
    return name


def _bad(header: str, expected: str, got: str) -> IngestError:
    return IngestError("bad_tus_header", f"the header {header} cannot be read", f"{header}: {expected}", got)
