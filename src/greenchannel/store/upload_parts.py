"""The bytes of uploads that are under way: one file each, as long as what came, and on disk when `sync` returns.

What a file holds may name a patient, and belongs to no patient yet. So it is enciphered under a key of the upload
(AES in counter mode: as long as the plain bytes, so that it can be gone on with at any byte); whether it is whole is
the checksums' to say. The file is gone once the bytes are an ECG of somebody.
"""

import contextlib
import io
import os
import shutil
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CTR

from greenchannel.store.durable import fsync_folder, make_folder

_SUFFIX: Final = ".part"
_BLOCK: Final = 16
sync_data: Callable[[int], None] = getattr(os, "fdatasync", os.fsync)  # not everywhere


class PartShort(Exception):
    """The file holds fewer bytes than its row says: somebody cut it, or the disk lied."""

    def __init__(self, upload_id: str, size_bytes: int) -> None:
        super().__init__(f"upload {upload_id} has a file of {size_bytes} bytes only")
        self.size_bytes = size_bytes


def write_at(descriptor: int, data: bytes, offset: int) -> None:
    """All of `data`; raises `OSError` where the disk is full, with some of it written or nothing."""
    rest = memoryview(data)
    while rest:
        written = os.pwrite(descriptor, rest, offset)
        rest, offset = rest[written:], offset + written


class PartFile:
    """One open file. Nothing of it is promised before `sync`.

    Each act holds a lock, so that closing waits for one that still runs in another thread, and none comes after it.
    """

    def __init__(self, descriptor: int, key: bytes, offset: int) -> None:
        self._descriptor = descriptor
        self._key = key
        self._lock = threading.Lock()
        self.offset = offset

    def write(self, data: bytes) -> None:
        """Add bytes at the end."""
        with self._lock:
            write_at(self._open(), _cipher(self._key, data, self.offset), self.offset)
            self.offset += len(data)

    def sync(self) -> None:
        """Return when all that was written is on disk."""
        with self._lock:
            sync_data(self._open())

    def cut(self, offset: int) -> None:
        """Forget what lies beyond `offset`."""
        with self._lock:
            os.ftruncate(self._open(), offset)
            self.offset = offset

    def close(self) -> None:
        """Close the file; bytes that were not synced may stay or go."""
        with self._lock:
            os.close(self._open())
            self._descriptor = -1

    def _open(self) -> int:
        if self._descriptor < 0:
            raise ValueError("expected an open file, this one was closed")
        return self._descriptor


class PartReader(io.RawIOBase):
    """The plain bytes of a file, a piece at a time: it may be larger than the memory."""

    def __init__(self, path: Path, key: bytes, length: int) -> None:
        self._file = path.open("rb")
        self._key = key
        self._length = length
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._length}[whence]
        self._at = max(start + offset, 0)
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer)
        wanted = max(min(len(view), self._length - self._at), 0)
        self._file.seek(self._at)
        data = _cipher(self._key, self._file.read(wanted), self._at)
        view[: len(data)] = data
        self._at += len(data)
        return len(data)

    def close(self) -> None:
        self._file.close()
        super().close()


class Parts:
    """The folder of these files.

    Parameters
    ----------
    folder : made when it is needed
    key_of : the key for the bytes of an upload
    """

    def __init__(self, folder: Path, key_of: Callable[[str], bytes]) -> None:
        self._folder = Path(folder)
        self._key_of = key_of

    def make(self, upload_id: str) -> None:
        """An empty file, its name on disk; raises `FileExistsError`."""
        make_folder(self._folder)
        os.close(os.open(self._path(upload_id), os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        fsync_folder(self._folder)

    @contextlib.contextmanager
    def opened(self, upload_id: str, offset: int) -> Iterator[PartFile]:
        """The file, to go on with at `offset`; what lay beyond was never promised, and goes.

        Raises
        ------
        PartShort
            There are fewer bytes, or no file.
        """
        try:
            descriptor = os.open(self._path(upload_id), os.O_RDWR)
        except FileNotFoundError:
            raise PartShort(upload_id, 0) from None
        file = PartFile(descriptor, self._key_of(upload_id), offset)
        try:
            size_bytes = os.fstat(descriptor).st_size
            if size_bytes < offset:
                raise PartShort(upload_id, size_bytes)
            if size_bytes > offset:
                file.cut(offset)
            yield file
        finally:
            file.close()

    def read(self, upload_id: str, length: int) -> bytes:
        """The first `length` bytes; raises `PartShort` where there are fewer."""
        data = b""
        with contextlib.suppress(FileNotFoundError), self._path(upload_id).open("rb") as file:
            data = file.read(length)
        if len(data) < length:
            raise PartShort(upload_id, len(data))
        return _cipher(self._key_of(upload_id), data, 0)

    def reader(self, upload_id: str, length: int) -> "PartReader":
        """The first `length` bytes as a file to be read in any order; raises `PartShort` where there are fewer."""
        if self.size(upload_id) < length:
            raise PartShort(upload_id, self.size(upload_id))
        return PartReader(self._path(upload_id), self._key_of(upload_id), length)

    def join(self, upload_id: str, parts: Sequence[tuple[str, int]]) -> None:
        """A new file of the bytes of others, each with its length, on disk when this returns."""
        self.make(upload_id)
        with self.opened(upload_id, 0) as file:
            for part, length in parts:
                file.write(self.read(part, length))
            file.sync()

    def size(self, upload_id: str) -> int:
        """Bytes of a file; 0 where there is none."""
        with contextlib.suppress(FileNotFoundError):
            return self._path(upload_id).stat().st_size
        return 0

    def cut(self, upload_id: str, offset: int) -> None:
        """Leave `offset` bytes of a file that has more, or make an empty one where it is gone."""
        if not self._path(upload_id).exists():
            self.make(upload_id)
        with self.opened(upload_id, offset) as file:
            file.sync()

    def remove(self, upload_id: str) -> None:
        """Forget a file; nothing happens where it is gone already."""
        self._path(upload_id).unlink(missing_ok=True)

    def ids(self) -> list[str]:
        """The uploads that have a file."""
        return [path.name.removesuffix(_SUFFIX) for path in self._folder.glob(f"*{_SUFFIX}")]

    def free_bytes(self) -> int:
        """Room on the disk."""
        make_folder(self._folder)
        return shutil.disk_usage(self._folder).free

    def _path(self, upload_id: str) -> Path:
        return self._folder / f"{upload_id}{_SUFFIX}"


def _cipher(key: bytes, data: bytes, offset: int) -> bytes:
    """Encipher or decipher bytes that begin at `offset`: both are one in counter mode."""
    block, within = divmod(offset, _BLOCK)
    context = Cipher(AES(key), CTR(block.to_bytes(_BLOCK))).encryptor()
    context.update(bytes(within))
    return context.update(data)
