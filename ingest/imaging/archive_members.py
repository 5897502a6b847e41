"""The objects of a study that comes as one archive: read one after the other, within bounds, whatever it announces."""

import io
import zipfile
import zlib
from collections.abc import Iterator
from typing import BinaryIO, Final, NamedTuple

from greenchannel.ingest.dicom_ecg import looks_like_dicom
from greenchannel.ingest.errors import IngestError

MAX_MEMBERS: Final = 20_000  # [E]
MAX_RATIO: Final = 400  # an empty picture goes to about a two-hundredth; a bomb to a thousandth  [E]
_SMALL: Final = 2**20  # below it nobody asks how much smaller it was  [E]
_PIECE: Final = 2**20
_HEAD_BYTES: Final = 136
_PACKINGS: Final = (
    zipfile.ZIP_STORED,
    zipfile.ZIP_DEFLATED,
)  # others have no bound on the memory that they take


class Member(NamedTuple):
    """One member: an object, or why it is none."""

    number: int  # place in the archive, from 1
    data: bytes | None
    problem: str | None  # a code of `IngestError`; None for what is passed over, such as a list of contents


def members(file: BinaryIO, *, most_bytes: int, most_object_bytes: int) -> Iterator[Member]:
    """The members of a zip archive. Names and folders in it mean nothing.

    Parameters
    ----------
    most_bytes, most_object_bytes
        Of all members together, and of one, when unpacked.

    Raises
    ------
    IngestError
        ``malformed``: it is no archive, or its list cannot be read; ``too_large``: more members, or more bytes.
        Members that were given out before it stay good.
    """
    try:
        archive = zipfile.ZipFile(file)
        infos = [info for info in archive.infolist() if not info.is_dir()]
    except (zipfile.BadZipFile, ValueError, OSError, EOFError, NotImplementedError, RecursionError) as error:
        raise IngestError(
            "malformed", "the archive cannot be read", "a zip archive", type(error).__name__
        ) from error
    if len(infos) > MAX_MEMBERS:
        raise IngestError("too_large", "too many members", f"at most {MAX_MEMBERS}", str(len(infos)))
    left = most_bytes
    with archive:
        for number, info in enumerate(infos, start=1):
            one = _read(archive, info, number, min(most_object_bytes, left))
            left -= len(one.data or b"")
            yield one
            if left <= 0:
                raise IngestError(
                    "too_large", "the archive unpacks to too much", f"at most {most_bytes} bytes", "more"
                )


def _read(archive: zipfile.ZipFile, info: zipfile.ZipInfo, number: int, most_bytes: int) -> Member:
    if info.flag_bits & 0x1 or info.compress_type not in _PACKINGS:
        return Member(number, None, "unsupported")
    if info.file_size > _SMALL and info.file_size > MAX_RATIO * max(info.compress_size, 1):
        return Member(number, None, "too_large")
    out = io.BytesIO()
    try:
        with archive.open(info) as stream:
            head = stream.read(_HEAD_BYTES)
            if not looks_like_dicom(head):
                return Member(number, None, None)
            out.write(head)
            while piece := stream.read(_PIECE):
                if out.tell() + len(piece) > most_bytes:
                    return Member(number, None, "too_large")
                out.write(piece)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, NotImplementedError, RuntimeError):
        return Member(number, None, "malformed")
    return Member(number, out.getvalue(), None)
