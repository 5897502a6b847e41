"""Paper ECGs: a photograph or a PDF that a clinic sends for want of a file. Kept and shown, never measured.

Nothing of it is decoded here, so nothing of it can be a bomb: the structure is walked, and what the shown copy may
hold is copied out.
"""

from dataclasses import dataclass, field
from typing import Final, Literal

from greenchannel.ingest.bounds import MAX_BYTES_OF
from greenchannel.ingest.errors import IngestError
from greenchannel.ingest.paper_heic import looks_like_heic, shown_heic
from greenchannel.ingest.paper_jpeg import shown_jpeg
from greenchannel.ingest.paper_pdf import shown_pdf
from greenchannel.ingest.paper_png import PNG_MAGIC, shown_png

Kind = Literal["jpeg", "png", "heic", "pdf"]

MEDIA_TYPES: Final[dict[str, str]] = {
    "jpeg": "image/jpeg",
    "png": "image/png",
    "heic": "image/heic",
    "pdf": "application/pdf",
}
_SHOWN: Final = {"jpeg": shown_jpeg, "png": shown_png, "heic": shown_heic, "pdf": shown_pdf}


@dataclass(frozen=True, kw_only=True, slots=True)
class Paper:
    """A paper ECG, with the little that is known of it. What stands on the paper is for a person to read, and a
    photograph's own time and place are nobody's: a telephone may forward a picture days later."""

    format: Kind
    acquired: None = None
    acquired_has_zone: bool = False
    age_years: None = None
    sex: None = None
    identifiers: dict[str, str] = field(default_factory=dict)


def paper_kind(data: bytes) -> Kind | None:
    """What kind of picture the bytes are by their beginning; None for anything else."""
    if data[:3] == b"\xff\xd8\xff":
        return "jpeg"
    if data[:8] == PNG_MAGIC:
        return "png"
    if data[:5] == b"%PDF-":
        return "pdf"
    return "heic" if looks_like_heic(data) else None


def read_paper(data: bytes) -> Paper:
    """A paper ECG of which a copy can be shown.

    Raises
    ------
    IngestError
        ``unknown_format`` for anything else than a picture, ``too_large``, ``truncated``, ``malformed`` or
        ``unsupported``.
    """
    kind = paper_kind(data)
    if kind is None:
        raise IngestError("unknown_format", "this is no picture of an ECG", "JPEG, PNG, HEIC or PDF")
    most = MAX_BYTES_OF["pdf" if kind == "pdf" else "photograph"]
    if len(data) > most:
        raise IngestError("too_large", "the picture is too large", f"at most {most} bytes", str(len(data)))
    shown_copy(data)
    return Paper(format=kind)


def shown_copy(data: bytes) -> bytes:
    """The picture without where and by whom it was taken, thumbnails, comments and whatever follows its end.

    Raises
    ------
    IngestError
        As `read_paper`.
    """
    kind = paper_kind(data)
    if kind is None:
        raise IngestError("unknown_format", "this is no picture of an ECG", "JPEG, PNG, HEIC or PDF")
    return _SHOWN[kind](data)
