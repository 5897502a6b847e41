"""The body of one request of tus, piece by piece: what has come, and how much of it is kept. Pure, as `tus` is."""

import hashlib
from dataclasses import dataclass, field, replace
from typing import Any

from greenchannel.ingest.errors import IngestError
from greenchannel.ingest.tus_headers import Checksum


@dataclass(frozen=True, kw_only=True, slots=True)
class Patch:
    """One body that is coming in."""

    start: int
    received: int
    most: int  # bytes that are still missing
    checksum: Checksum | None
    hash: Any = field(default=None, compare=False)  # of hashlib; never changed, copied

    @classmethod
    def at(cls, offset: int, *, most: int, checksum: Checksum | None) -> "Patch":
        """Nothing has come yet."""
        hasher = None if checksum is None else hashlib.new(checksum.algorithm, usedforsecurity=False)
        return cls(start=offset, received=0, most=most, checksum=checksum, hash=hasher)

    @property
    def end(self) -> int:
        """Offset after what has come so far."""
        return self.start + self.received


def take(patch: Patch, chunk: bytes) -> Patch:
    """More of the body came; raises ``too_large`` beyond the announced length: then nothing of the body is kept."""
    received = patch.received + len(chunk)
    if received > patch.most:
        raise beyond(patch.most, f"at least {received}")
    hasher = patch.hash
    if hasher is not None:
        hasher = hasher.copy()
        hasher.update(chunk)
    return replace(patch, received=received, hash=hasher)


def kept(patch: Patch, *, whole: bool) -> int:
    """The offset up to which bytes are kept once the body has ended, `whole` or cut.

    What a cut left is kept, but not where the sender wants it compared: the checksum of a body says nothing about its
    beginning.

    Raises
    ------
    IngestError
        ``checksum_mismatch``: nothing of the body is kept.
    """
    if patch.checksum is None:
        return patch.end
    if not whole:
        return patch.start
    found = patch.hash.digest()
    if found != patch.checksum.digest:
        raise IngestError(
            "checksum_mismatch",
            "the body is not what was sent",
            expected=f"{patch.checksum.algorithm} {patch.checksum.digest.hex()}",
            got=found.hex(),
        )
    return patch.end


def beyond(missing: int, got: str) -> IngestError:
    """The refusal of a body that is longer than the upload said."""
    return IngestError(
        "too_large", "the body goes beyond the announced length", f"at most {missing} bytes more", got
    )
