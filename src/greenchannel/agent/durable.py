"""Files that are on disk when a call returns, on any system."""

import contextlib
import errno
import os
import sqlite3
from pathlib import Path
from typing import Final

_OWNER_ALONE: Final = 0o600
_NO_ROOM: Final = {
    errno.ENOSPC,
    getattr(errno, "EDQUOT", errno.ENOSPC),
}  # Windows knows no quota by that name


def write_durable(path: Path, data: bytes) -> None:
    """Make `path` hold `data`, whole or not at all, whatever happens in between; where it fails nothing is left."""
    unfinished = path.with_name(path.name + ".tmp")
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_BINARY", 0)
    try:
        descriptor = os.open(unfinished, flags, _OWNER_ALONE)
        with open(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(unfinished, path)
    except OSError:
        with contextlib.suppress(OSError):
            unfinished.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def is_full(error: BaseException) -> bool:
    """Did something fail for want of room on the disk?"""
    if isinstance(error, sqlite3.OperationalError):
        return "full" in str(error)
    return isinstance(error, OSError) and error.errno in _NO_ROOM


def make_folder(path: Path) -> None:
    """A folder that only its owner may look into, where the system knows of such a thing."""
    path.mkdir(parents=True, exist_ok=True, mode=0o700)
    sync_folder(path.parent)


def sync_folder(path: Path) -> None:
    """Make the names in a folder durable. Windows opens no folder as a file, and keeps names by its journal."""
    with contextlib.suppress(OSError):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
