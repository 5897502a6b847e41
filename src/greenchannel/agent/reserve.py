"""A little room on the spool's disk that is kept for the day on which the disk is full."""

import contextlib
import os
import shutil
from pathlib import Path
from typing import Final

BYTES: Final = (
    2 * 1024 * 1024
)  # the rows of many ECGs; SQLite's write-ahead log grows by a page for each change  [E]
_ROOM: Final = 4 * BYTES  # free on the disk, or the reserve is not laid again  [E]


class Reserve:
    """One file of no content. What is in the spool already can still be sent once it has been given up."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "reserve.bin"

    def lay(self) -> None:
        """Take the room, where there is plenty."""
        with contextlib.suppress(OSError):
            if self._path.exists() or not self.is_plenty():
                return
            unfinished = self._path.with_suffix(".tmp")
            unfinished.touch(mode=0o600)
            unfinished.write_bytes(os.urandom(BYTES))  # zeros might take no room on the disk
            os.replace(unfinished, self._path)

    def is_plenty(self) -> bool:
        """Is there room for many more? Raises `OSError`."""
        return shutil.disk_usage(self._path.parent).free >= _ROOM

    def leaves(self, size_bytes: int) -> bool:
        """Would so much more leave as much room as the reserve takes? Once it has been given up, no ECG may eat it."""
        try:
            return self._path.exists() or shutil.disk_usage(self._path.parent).free >= size_bytes + BYTES
        except OSError:
            return True  # the disk will say

    def give_up(self) -> int:
        """Leave the room to others; gives how many bytes that was."""
        try:
            size = self._path.stat().st_size
            self._path.unlink()
        except OSError:
            return 0
        return size
