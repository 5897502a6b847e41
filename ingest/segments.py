"""Write-ahead files for live streams: what has been synced here survives a crash.

One writer a process appends to numbered files in one folder. A record is, little-endian: ``uint32`` length of the
rest, ``uint32`` CRC-32 of the rest, then ``uint8`` kind, ``uint8`` length of the stream's id, the id, the payload.
A torn record ends its file; files are never appended to after a restart.
"""

import os
import re
import struct
import threading
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import BinaryIO, Final

from greenchannel.ingest.errors import SegmentBufferFull

ROTATE_BYTES: Final = 16 * 2**20
MAX_WAITING_BYTES: Final = 64 * 2**20
MAX_RECORD_BYTES: Final = 8 * 2**20
_HEAD: Final = struct.Struct("<II")
_NAME: Final = re.compile(r"segment-(\d{12})\.log")


class Kind(IntEnum):
    """What a record is."""

    HELLO = 1
    """The hello of a stream, as JSON."""
    FRAME = 2
    """One binary frame as it came."""
    END = 3
    """The strip is assembled and stored elsewhere; nothing of the stream is needed any more."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SegmentRecord:
    """One record read back."""

    kind: Kind
    stream_id: str
    payload: bytes


class SegmentWriter:
    """Appends records, in memory at first; `sync` brings them to the disk. Safe to use from several threads.

    Parameters
    ----------
    folder
        Made where it does not exist. The files in it are synced first: what `read_all` gives of them is durable.
    rotate_bytes
        Size at which the next file is begun.
    max_waiting_bytes
        What may wait for a `sync` that cannot succeed (a full disk) before `append` refuses.
    """

    def __init__(
        self, folder: Path, *, rotate_bytes: int = ROTATE_BYTES, max_waiting_bytes: int = MAX_WAITING_BYTES
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._rotate_bytes = rotate_bytes
        self._max_waiting_bytes = max_waiting_bytes
        self._buffer_lock = threading.Lock()  # guards the four below; held for moments only
        self._waiting: list[tuple[str, bytes]] = []
        self._waiting_bytes = 0
        self._position = 0
        self._finished: set[str] = set()
        self._disk_lock = threading.Lock()  # guards the rest; held while the disk works
        self._durable = 0
        self._file: BinaryIO | None = None
        self._size = 0
        self._streams: dict[int, set[str]] = {}
        old = _segments(folder)
        for number, path in old:
            # What a process wrote and did not live to sync is read back all the same, until the power fails.
            _sync_file(path)
            self._streams[number] = set()
            for record in _read_segment(path):
                self._streams[number].add(record.stream_id)
                self._note(record.kind, record.stream_id)
        if old:
            _sync_folder(folder)
        self._number = max(self._streams, default=0)

    def append(self, kind: Kind, stream_id: str, payload: bytes = b"") -> int:
        """Take one record; it is durable once `sync` has returned at least the position given back here.

        Raises
        ------
        SegmentBufferFull
            Where too much is waiting because the disk takes nothing.
        ValueError
            For an id or a payload that is too long.
        """
        name = stream_id.encode()
        if not 0 < len(name) <= 255 or len(payload) > MAX_RECORD_BYTES - 512:
            raise ValueError(
                f"expected an id of 1 to 255 bytes, got {len(name)}, with {len(payload)} bytes of payload"
            )
        begin = bytes((kind, len(name))) + name
        crc = zlib.crc32(payload, zlib.crc32(begin))
        data = b"".join((_HEAD.pack(len(begin) + len(payload), crc), begin, payload))
        with self._buffer_lock:
            if self._waiting_bytes + len(data) > self._max_waiting_bytes:
                raise SegmentBufferFull(self._max_waiting_bytes, self._waiting_bytes + len(data))
            self._waiting.append((stream_id, data))
            self._waiting_bytes += len(data)
            self._position += 1
            self._note(kind, stream_id)
            return self._position

    def _note(self, kind: Kind, stream_id: str) -> None:
        if kind is Kind.END:
            self._finished.add(stream_id)
        else:
            self._finished.discard(stream_id)

    def sync(self) -> int:
        """Bring everything appended so far to the disk; the position that is durable now.

        Raises
        ------
        OSError
            Where the disk refuses. Nothing is lost: the next `sync` writes the same records to a new file.
        """
        with self._disk_lock:
            with self._buffer_lock:
                batch, self._waiting = self._waiting, []
                position = self._position
            if batch:
                try:
                    self._write(batch)
                except OSError:
                    # After a failed fsync nobody knows what the file holds: leave it, write all of it again.
                    self._close_file()
                    if (
                        not self._size
                    ):  # nothing in it was said to be there: a full disk must not fill with these
                        self._drop_file()
                    with self._buffer_lock:
                        self._waiting = batch + self._waiting
                    raise
                with self._buffer_lock:
                    self._waiting_bytes -= sum(len(data) for _, data in batch)
            self._durable = position
            return position

    def forget(self, stream_id: str) -> None:
        """The strip of `stream_id` is stored elsewhere: write that down, and remove the files nobody needs.

        Files go from the oldest on, each once all its streams are finished, so that the record of an end never goes
        before what it ends.
        """
        self.append(Kind.END, stream_id)
        self.sync()
        with self._disk_lock:
            with self._buffer_lock:
                finished = set(self._finished)
            for number in sorted(self._streams):
                if not self._streams[number] <= finished:
                    break
                if number == self._number:
                    self._close_file()
                (self._folder / _file_name(number)).unlink(missing_ok=True)
                del self._streams[number]
            if not self._streams:
                with self._buffer_lock:
                    self._finished &= {name for name, _ in self._waiting}

    def close(self) -> None:
        """Sync and let go of the file."""
        self.sync()
        with self._disk_lock:
            self._close_file()

    def _write(self, batch: list[tuple[str, bytes]]) -> None:
        if self._file is not None and self._size >= self._rotate_bytes:
            self._close_file()
        if self._file is None:
            self._number += 1
            self._file = (self._folder / _file_name(self._number)).open("xb")
            self._size = 0
            self._streams[self._number] = set()
            _sync_folder(self._folder)
        self._streams[self._number].update(name for name, _ in batch)
        data = b"".join(data for _, data in batch)
        self._file.write(data)
        self._file.flush()
        os.fsync(self._file.fileno())
        self._size += len(data)

    def _drop_file(self) -> None:
        """Remove the newest file; the disk may refuse that too."""
        try:
            (self._folder / _file_name(self._number)).unlink(missing_ok=True)
        except OSError:
            return
        self._streams.pop(self._number, None)

    def _close_file(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            try:
                file.close()
            except OSError:
                # Closing flushes what a full disk refused before; those records are kept in memory.
                return


def read_all(folder: Path) -> Iterator[SegmentRecord]:
    """Every whole record in `folder`, in the order of appending; a torn or damaged tail ends its file silently.

    After a failed sync the same record may come twice; frames are the same however often they come.
    """
    for _, path in _segments(folder):
        yield from _read_segment(path)


def _segments(folder: Path) -> list[tuple[int, Path]]:
    found = ((_NAME.fullmatch(path.name), path) for path in folder.iterdir()) if folder.is_dir() else ()
    return sorted((int(match[1]), path) for match, path in found if match)


def _file_name(number: int) -> str:
    return f"segment-{number:012d}.log"


def _read_segment(path: Path) -> Iterator[SegmentRecord]:
    kinds = {int(kind) for kind in Kind}
    with path.open("rb") as file:
        while len(head := file.read(_HEAD.size)) == _HEAD.size:
            length, crc = _HEAD.unpack(head)
            if not 2 < length <= MAX_RECORD_BYTES:
                return
            body = file.read(length)
            if len(body) < length or zlib.crc32(body) != crc or body[0] not in kinds:
                return
            name = body[2 : 2 + body[1]].decode(errors="replace")
            yield SegmentRecord(kind=Kind(body[0]), stream_id=name, payload=body[2 + body[1] :])


def _sync_file(path: Path) -> None:
    with path.open("r+b") as file:
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    """Make a new file's name durable too. Systems on which folders cannot be opened do it by themselves."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
