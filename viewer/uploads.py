"""The body of an upload, read piece by piece and never beyond its limit."""

from collections.abc import AsyncGenerator
from typing import Final

from fastapi import Request
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from greenchannel.ingest.bounds import MAX_MEMBERS
from greenchannel.viewer.problems import Problem

MULTIPART_EXTRA_BYTES: Final = 64 * 1024  # borders and fields of a form, beside its files
_MOST_FIELDS: Final = 64

Files = list[tuple[str | None, bytes]]


async def read_upload(request: Request, most_bytes: int) -> tuple[Files, dict[str, str]]:
    """The files of an upload, and the form fields beside them.

    Parameters
    ----------
    request
        One file as the body, of whatever content type; or ``multipart/form-data`` with one or more parts ``file``.
    most_bytes
        An announced length above it is refused before anything is read, a longer body as soon as it is longer.

    Raises
    ------
    Problem
        413, or 400 for a form that cannot be parsed.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    limit = most_bytes + (MULTIPART_EXTRA_BYTES if kind == "multipart/form-data" else 0)
    check_announced(request.headers.get("content-length"), limit)
    if kind != "multipart/form-data":
        body = b"".join([chunk async for chunk in _bounded(request, limit)])
        return [(request.query_params.get("filename"), body)], {}
    parser = MultiPartParser(
        request.headers,
        _bounded(request, limit),
        max_files=MAX_MEMBERS,
        max_fields=_MOST_FIELDS,
        max_part_size=limit,  # of a field: one that is too long is cut, and costs no ECG
    )
    try:
        form = await parser.parse()
    except (MultiPartException, KeyError, UnicodeDecodeError) as error:
        # A form without its boundary surfaces as KeyError.
        raise Problem(
            400,
            "the form cannot be parsed",
            code="malformed_form",
            expected="multipart/form-data with one or more parts called file",
            got=str(error)[:120],
        ) from error
    files: Files = []
    fields: dict[str, str] = {}
    try:
        for name, value in form.multi_items():
            if isinstance(value, UploadFile):
                files.append((value.filename or None, await value.read()))
            elif name == "file":
                files.append((None, value.encode()))
            else:
                fields[name] = value
    finally:
        await form.close()
    return files, fields


def check_announced(length: str | None, most_bytes: int) -> None:
    """Refuse a length that is announced as too large, or that is no number; raises `Problem`."""
    if length is None:
        return
    if not (length.isascii() and length.isdigit()):
        raise Problem(400, "the announced length is no number", expected="digits", got=length[:40])
    if len(length) > 18 or int(length) > most_bytes:
        raise _too_large(most_bytes, f"{length[:18]} bytes announced")


async def _bounded(request: Request, most_bytes: int) -> AsyncGenerator[bytes, None]:
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > most_bytes:
            raise _too_large(most_bytes, f"more than {most_bytes} bytes")
        yield chunk


def _too_large(most_bytes: int, got: str) -> Problem:
    # The answer goes out at once; what comes then is `unread`'s.
    return Problem(413, "the upload is too large", expected=f"at most {most_bytes} bytes", got=got)
