"""One service on one data folder: a second one would answer without knowing what the first has in mind."""

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from greenchannel.store.errors import FolderInUse

FILE = "serving.lock"


@contextlib.contextmanager
def sole(folder: Path) -> Iterator[None]:
    """Hold the folder for this process; whatever ends the process lets go of it.

    The lock is that of an empty SQLite file, which every system has.

    Raises
    ------
    FolderInUse
        Another service holds it.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    connection = sqlite3.connect(folder / FILE, timeout=0.0, isolation_level=None)
    try:
        try:
            connection.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as error:
            raise FolderInUse(folder) from error
        yield
    finally:
        connection.close()
