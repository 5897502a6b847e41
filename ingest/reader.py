"""Bytes become one ECG: what kind of file it is, is seen from its content, never from its name alone."""

import io
import os
import re
import struct
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from greenchannel.ingest.bounds import MAX_BYTES, MAX_HEADER_BYTES, MAX_MEMBERS, MAX_UNPACKED_BYTES
from greenchannel.ingest.bundle import base_name, content_sha256
from greenchannel.ingest.dicom_ecg import looks_like_dicom
from greenchannel.ingest.errors import IngestError
from greenchannel.ingest.formats import FORMATS
from greenchannel.ingest.parsed import ParsedEcg
from greenchannel.ingest.wfdb_header import header_lines, is_segmented
from greenchannel.ingest.wfdb_segments import read_record, record_files

__all__ = ["content_sha256", "files_of", "read_ecg", "read_path"]

ACCEPTED: Final = (
    "a DICOM, SCP-ECG, XML, EDF, ISHNE, MFER, HL7 v2, FHIR or CSV file, a WFDB header with its signal files, "
    "or a zip of one of them"
)

_OTHER_FORMATS: Final = (
    (re.compile(rb"%PDF-"), "PDF"),
    (re.compile(rb"\x89PNG|\xff\xd8\xff|GIF8|BM|II\*\0|MM\0\*"), "an image"),
    (re.compile(rb"\x89HDF"), "HDF5"),
    (re.compile(rb"\x1f\x8b|7z\xbc\xaf|Rar!"), "an archive other than zip"),
    (re.compile(rb"(?:\xef\xbb\xbf)?\s*<|\xff\xfe<\0|\xfe\xff\0<"), "XML of another kind"),
)
_PIECE_BYTES: Final = 2**20
_MOST_ENTRIES: Final = 4 * MAX_MEMBERS
_MOST_DIRECTORY_BYTES: Final = 2**20

# Bad zip structures surface as any of these, by the member that is broken.
_ZIP_RAISES: Final = (
    zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError, ValueError, RuntimeError, LookupError,
    OverflowError,
)  # fmt: skip


def read_ecg(files: Sequence[tuple[str | None, bytes]]) -> ParsedEcg:
    """Read one ECG from the files of one upload.

    Parameters
    ----------
    files
        Name, where there is one, and content of each part: one DICOM file, one zip archive, or a WFDB header with
        its signal files.

    Raises
    ------
    IngestError
        For whatever cannot be read; no other exception leaves this function.
    """
    _check_size(files)
    if len(files) == 1 and zipfile_magic(files[0][1]):
        files = _unzip(files[0][1])
    if len(files) == 1:
        for one in FORMATS:
            if one.looks_like(files[0][1]):
                return one.read(files[0][1])
    headers = [(name, lines) for name, data in files if (lines := header_lines(data)) is not None]
    if len(headers) > 1:
        # Annotation and text files may look like a header; then the name decides between them.
        named = [(name, lines) for name, lines in headers if (name or "").lower().endswith(".hea")]
        headers = named or headers
    if len(headers) > 1:
        headers = [(name, lines) for name, lines in headers if is_segmented(lines)] or headers
    if len(headers) == 1:
        name, lines = headers[0]
        parts = {base_name(part or "part"): data for part, data in files if part is None or part != name}
        return read_record(lines, parts)
    if len(headers) > 1:
        raise IngestError("unsupported", "there are several records", "one record", f"{len(headers)} headers")
    raise _unknown(files)


def read_path(path: Path) -> ParsedEcg:
    """Read one ECG from disk, as `read_ecg` does; `files_of` says which files belong to it.

    Raises
    ------
    IngestError
        As `read_ecg`.
    OSError
        Where the path cannot be read.
    """
    return read_ecg(files_of(path))


def files_of(path: Path) -> list[tuple[str | None, bytes]]:
    """The files that make up the ECG at `path`.

    For a WFDB header (``100.hea``), a record's stem (``100``) or one of its signal files, these are the header and
    the signal files beside it; anything else is one file.

    Raises
    ------
    IngestError
        ``too_large``, or what is wrong with the header.
    OSError
        Where a file cannot be read.
    """
    header = path if path.is_file() else path.with_name(path.name + ".hea")
    if path.suffix.lower() in (".dat", ".mat") and path.with_suffix(".hea").is_file():
        header = path.with_suffix(".hea")
    data = _read_bounded(header if header.is_file() else path)
    lines = None if looks_like_dicom(data) or zipfile_magic(data) else header_lines(data)
    files: list[tuple[str | None, bytes]] = [(header.name, data)]
    if lines is not None:
        files += record_files(lines, lambda name: _beside(header, name))
    return files


def _beside(header: Path, name: str) -> bytes | None:
    path = header.with_name(name)
    return _read_bounded(path) if path.is_file() else None


def zipfile_magic(data: bytes) -> bool:
    """Whether `data` begins as a zip archive does."""
    return data[:4] in (b"PK\x03\x04", b"PK\x05\x06")


def _check_size(files: Sequence[tuple[str | None, bytes]]) -> None:
    total = sum(len(data) for _, data in files)
    if total == 0:
        raise IngestError("empty_body", "nothing was sent", ACCEPTED, "0 bytes")
    if total > MAX_BYTES:
        raise IngestError("too_large", "the upload is too large", f"at most {MAX_BYTES} bytes", str(total))
    if len(files) > MAX_MEMBERS:
        raise IngestError("too_large", "there are too many files", f"at most {MAX_MEMBERS}", str(len(files)))


def _read_bounded(path: Path) -> bytes:
    with path.open("rb", buffering=0) as file:
        size = os.fstat(file.fileno()).st_size
        data = b""
        # What is no plain file says nothing of its size; a buffer of the bound would be made for each small one.
        while size <= MAX_BYTES and len(data) <= MAX_BYTES:
            piece = file.read(size - len(data) + 1 if len(data) <= size else _PIECE_BYTES)
            if not piece:
                return data
            data = data + piece if data else piece
    raise IngestError(
        "too_large", "the file is too large", f"at most {MAX_BYTES} bytes", str(max(size, len(data)))
    )


def _unzip(data: bytes) -> list[tuple[str | None, bytes]]:
    """The members of an archive by their last names, after its own directory has been checked against the bounds."""
    _check_directory(data)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = [
                info
                for info in archive.infolist()
                if not info.is_dir()
                and not base_name(info.filename).startswith(".")
                and "__MACOSX" not in info.filename
            ]
            _check_members(members)
            # ZipFile.open never yields more than the directory announces.
            return [(base_name(info.filename), archive.read(info)) for info in members]
    except _ZIP_RAISES as error:
        raise IngestError(
            "malformed", "the zip archive cannot be read", "a zip archive", str(error)[:120]
        ) from error


def _check_directory(data: bytes) -> None:
    """Raise ``too_large`` for a directory that takes long to read, before it is read."""
    at = data.rfind(b"PK\x05\x06")
    if not 0 <= at <= len(data) - 22:
        return
    entries, size = struct.unpack_from("<HI", data, at + 10)
    # Folders, and what Macs add beside each file, are entries too.
    if entries > _MOST_ENTRIES or size > _MOST_DIRECTORY_BYTES:
        raise IngestError(
            "too_large", "the archive has too many files", f"at most {MAX_MEMBERS}", f"{entries} entries"
        )


def _check_members(members: list[zipfile.ZipInfo]) -> None:
    if not members:
        raise IngestError("empty_body", "the archive is empty", ACCEPTED, "no file")
    if len(members) > MAX_MEMBERS:
        raise IngestError(
            "too_large", "the archive has too many files", f"at most {MAX_MEMBERS}", str(len(members))
        )
    total = sum(info.file_size for info in members)
    if total > MAX_UNPACKED_BYTES:
        raise IngestError(
            "too_large", "the archive unpacks to too much", f"at most {MAX_UNPACKED_BYTES} bytes", str(total)
        )
    for info in members:
        if info.flag_bits & 0x1:
            raise IngestError("unsupported", "the archive is encrypted", "no password", info.filename[:80])
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise IngestError(
                "unsupported",
                "the compression is not read",
                "stored or deflated",
                f"method {info.compress_type}",
            )
    names = [base_name(info.filename) for info in members]
    if len(set(names)) != len(names):
        raise IngestError(
            "unsupported", "two members have one name", "one record", " ".join(sorted(names))[:80]
        )


def _unknown(files: Sequence[tuple[str | None, bytes]]) -> IngestError:
    data = files[0][1]
    if len(files) > 1:
        return IngestError(
            "unknown_format", "no file among them is an ECG header", ACCEPTED, f"{len(files)} files"
        )
    for pattern, name in _OTHER_FORMATS:
        if pattern.match(data):
            return IngestError("unsupported", f"this looks like {name}, which is not read", ACCEPTED, name)
    if len(data) > MAX_HEADER_BYTES or b"\0" in data[:1024]:
        return IngestError(
            "unknown_format",
            "the content is of no format known here",
            ACCEPTED,
            f"bytes that begin {data[:8].hex(' ')}",
        )
    return IngestError(
        "unknown_format", "the content is of no format known here", ACCEPTED, f"{len(data)} bytes"
    )
