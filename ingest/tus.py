"""Resumable upload by tus 1.0.0: the state of one upload as a value, and what each request does to it.

No I/O and no clock: a shell reads the headers, brings `now`, writes what it is told to write, and makes it durable in
this order: the bytes (fdatasync), the row that says how many they are (commit), the answer. So a row never says more
than the disk holds, and an answer never says more than the row.

```
receiving ──all bytes──► complete ──taken in──► taken
    │                        └────refused────► refused
    └──expired, terminated──► gone
```
A partial upload stays complete until it expires; it is only ever joined into a final one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from email.utils import format_datetime
from typing import Final, Literal

from greenchannel.ingest.bounds import MAX_BYTES_OF
from greenchannel.ingest.errors import IngestError
from greenchannel.ingest.tus_body import Patch, beyond
from greenchannel.ingest.tus_headers import Checksum, Concat

State = Literal["receiving", "complete", "taken", "refused"]

KEPT: Final = timedelta(hours=24)  # an upload of which nothing was heard; a clinic's night without power  [O]
ANSWER_KEPT: Final = timedelta(days=7)  # how long an agent may still ask what became of it  [O]
MOST_OPEN: Final = 256  # uploads that one sender may have under way  [O]


IMAGES: Final = "images"
"""The word ``content`` of an upload that is a study; see `holds_images`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """How much is taken, and for how long it is kept."""

    most_bytes: int
    kept: timedelta = KEPT
    answer_kept: timedelta = ANSWER_KEPT
    most_open: int = MOST_OPEN
    most_study_bytes: int = 0  # of a study as an archive; 0: none is taken

    def of(self, metadata: Mapping[str, str]) -> int:
        """The most bytes of what the sender says it is; what it is, is seen from the bytes once they are there."""
        if holds_images(metadata):
            return self.most_study_bytes
        return min(self.most_bytes, MAX_BYTES_OF[declared_kind(metadata)])


@dataclass(frozen=True, kw_only=True, slots=True)
class Upload:
    """One upload as its row has it."""

    upload_id: str
    owner: str  # the only one who may know of it
    length: int
    offset: int  # bytes that are durable
    metadata: str  # the header as it came; HEAD gives it back
    concat: str  # "", "partial", or "final;" and the ids of its parts
    state: State
    created_at: datetime
    expires_at: datetime

    @property
    def partial(self) -> bool:
        """Is it only a part of a final upload?"""
        return self.concat == "partial"

    @property
    def final(self) -> bool:
        """Was it joined from parts?"""
        return self.concat.startswith("final;")

    @property
    def awaits_intake(self) -> bool:
        """Are all bytes there, and nobody has said yet what became of them?"""
        return self.state == "complete" and not self.partial


def holds_images(metadata: Mapping[str, str]) -> bool:
    """Does the sender say that it is a study of images, as one archive?"""
    return metadata.get("content", "").strip().lower() == IMAGES


def declared_kind(metadata: Mapping[str, str]) -> str:
    """The key of `bounds.MAX_BYTES_OF` that the sender's ``filetype`` stands for."""
    filetype = (metadata.get("filetype") or metadata.get("content_type") or "").lower()
    if filetype.startswith("image/"):
        return "photograph"
    return "pdf" if filetype == "application/pdf" else "ecg"


# ---------------------------------------------------------------- creation


def create(
    *,
    upload_id: str,
    owner: str,
    length: int,
    metadata: str,
    concat: Concat,
    most_bytes: int,
    under_way: int,
    limits: Limits,
    now: datetime,
) -> Upload:
    """A new upload without a byte.

    Parameters
    ----------
    most_bytes : that this kind of content may have
    under_way : uploads of this owner that are not finished

    Raises
    ------
    IngestError
        ``empty_body``, ``too_large`` or ``too_many_uploads``.
    """
    if length == 0:
        raise IngestError("empty_body", "nothing will be sent", "at least one byte", "Upload-Length: 0")
    check_length(length, most_bytes)
    if under_way >= limits.most_open:
        raise IngestError(
            "too_many_uploads",
            "too many uploads are under way",
            expected=f"at most {limits.most_open} of one sender",
            got=str(under_way),
        )
    return Upload(
        upload_id=upload_id,
        owner=owner,
        length=length,
        offset=0,
        metadata=metadata,
        concat=concat.header,
        state="receiving",
        created_at=now,
        expires_at=now + limits.kept,
    )


def check_length(length: int, most_bytes: int) -> None:
    """Raise ``too_large`` above the limit."""
    if length > most_bytes:
        raise IngestError("too_large", "the upload is too large", f"at most {most_bytes} bytes", str(length))


def joined_length(parts: Sequence[Upload], now: datetime) -> int:
    """How long the final upload of these parts is.

    Raises
    ------
    IngestError
        ``parts_unfinished`` where one is no part or misses bytes, ``upload_expired``.
    """
    for part in parts:
        check_there(part, now)
        if not part.partial or part.state != "complete":
            raise IngestError(
                "parts_unfinished",
                "these uploads cannot be joined",
                expected="partial uploads with all their bytes",
                got=f"{part.upload_id} with {part.offset} of {part.length} bytes"
                if part.partial
                else f"{part.upload_id}, which is not partial",
            )
    return sum(part.length for part in parts)


# ---------------------------------------------------------------- bytes


def begin(
    upload: Upload,
    *,
    offset: int,
    announced: int | None,
    checksum: Checksum | None,
    now: datetime,
) -> Patch:
    """A body begins at `offset`; `announced` is its length, None where it is not known.

    Raises
    ------
    IngestError
        ``upload_expired``, ``upload_final``, ``offset_mismatch`` or ``too_large``.
    """
    check_there(upload, now)
    if upload.final:
        raise IngestError(
            "upload_final", "nothing can be added to a final upload", "a part", "Upload-Concat: final"
        )
    if offset != upload.offset:
        raise IngestError(
            "offset_mismatch",
            "the body does not go on where the upload ends",
            expected=f"Upload-Offset: {upload.offset}",
            got=str(offset),
        )
    missing = upload.length - upload.offset
    if announced is not None and announced > missing:
        raise beyond(missing, f"{announced} bytes announced")
    return Patch.at(offset, most=missing, checksum=checksum)


def advance(upload: Upload, offset: int, now: datetime, limits: Limits) -> Upload:
    """The upload once its bytes up to `offset` are durable."""
    if not upload.offset <= offset <= upload.length:
        raise ValueError(f"expected an offset from {upload.offset} to {upload.length}, got {offset}")
    complete = offset == upload.length and upload.state == "receiving"
    return replace(
        upload,
        offset=offset,
        state="complete" if complete else upload.state,
        expires_at=max(upload.expires_at, now + limits.kept),
    )


def settle(upload: Upload, size_bytes: int) -> Upload:
    """The upload as its file bears it after a crash: bytes that no row promised are to be cut off, and where the file
    is shorter than its row, the row goes back."""
    if upload.state in ("taken", "refused") or size_bytes >= upload.offset:
        return upload
    return replace(upload, offset=size_bytes, state="receiving")


# ---------------------------------------------------------------- the end


def answered(upload: Upload, state: Literal["taken", "refused"], now: datetime, limits: Limits) -> Upload:
    """The upload once it is known what became of its bytes. What was said beside them, maybe a name, is forgotten."""
    return replace(upload, state=state, metadata="", expires_at=now + limits.answer_kept)


def check_there(upload: Upload, now: datetime) -> None:
    """Raise ``upload_expired`` where nobody kept the upload alive."""
    if expired(upload, now):
        raise IngestError(
            "upload_expired",
            "the upload was kept for as long as was said",
            expected=f"a request before {upload.expires_at.isoformat()}",
            got=now.isoformat(),
        )


def expired(upload: Upload, now: datetime) -> bool:
    """May it be forgotten? Not while all its bytes wait to be taken in."""
    return upload.expires_at <= now and not upload.awaits_intake


def check_terminable(upload: Upload) -> None:
    """Raise ``upload_final`` where all bytes were confirmed and are about to be taken in."""
    if upload.awaits_intake:
        raise IngestError(
            "upload_final", "all bytes have come and are being taken in", "an unfinished upload", upload.state
        )


def headers(upload: Upload, concat_base: str) -> dict[str, str]:
    """What the protocol says of an upload. `concat_base` goes before the ids of the parts of a final one."""
    found = {"Upload-Offset": str(upload.offset), "Upload-Length": str(upload.length)}
    if upload.metadata:
        found["Upload-Metadata"] = upload.metadata
    if upload.partial:
        found["Upload-Concat"] = upload.concat
    elif upload.final:
        parts = upload.concat.partition(";")[2].split()
        found["Upload-Concat"] = f"final;{' '.join(concat_base + part for part in parts)}"
    if upload.state == "receiving" or upload.partial:
        found["Upload-Expires"] = format_datetime(upload.expires_at, usegmt=True)
    return found
