"""Several files as one: a zip archive that is the same, byte for byte, whoever makes it and whenever."""

import hashlib
import io
import zipfile
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Final

from greenchannel.ingest.errors import IngestError

_EPOCH: Final = (1980, 1, 1, 0, 0, 0)  # the earliest date that a zip archive can hold


def make_zip(members: Sequence[tuple[str, bytes]]) -> bytes:
    """An uncompressed archive of `members` in their order, without dates, owners or modes of this machine."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for name, data in members:
            info = zipfile.ZipInfo(name, date_time=_EPOCH)
            info.create_system = 3
            info.external_attr = 0o644 << 16
            archive.writestr(info, data)
    return out.getvalue()


def bundle(files: Sequence[tuple[str | None, bytes]]) -> bytes:
    """The bytes under which an upload is kept and known: one file as it is, several as one archive.

    The order in which the parts were sent makes no difference.

    Raises
    ------
    IngestError
        ``empty_body`` for no file, ``malformed`` where two parts have one name.
    """
    if not files:
        raise IngestError("empty_body", "nothing was sent", "one ECG file", "no file")
    if len(files) == 1:
        return files[0][1]
    nameless = sorted(data for name, data in files if not name)
    members = [(base_name(name), data) for name, data in files if name]
    members += [(f"part{number}", data) for number, data in enumerate(nameless, start=1)]
    members.sort()
    names = [name for name, _ in members]
    if len(set(names)) != len(names):
        raise IngestError("malformed", "two files have one name", "each name once", " ".join(names)[:80])
    return make_zip(members)


def content_sha256(files: Sequence[tuple[str | None, bytes]]) -> str:
    """The identity of an upload: SHA-256 of its `bundle`, in hexadecimal."""
    return hashlib.sha256(bundle(files)).hexdigest()


def base_name(name: str) -> str:
    """The last part of a file name as any system writes it; ``part`` where nothing is left."""
    return PurePosixPath(name.replace("\\", "/")).name or "part"
