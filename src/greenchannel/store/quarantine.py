"""Bytes that could not be read, kept where an admin sees them and nothing else touches them.

One file each: a line of JSON that says what it is, then the bytes. They belong to no patient, so they are under no
patient's key; only the owner of the data folder can read them, and the oldest go when the room is full.
"""

import secrets
import threading
from datetime import datetime
from pathlib import Path

import msgspec

from greenchannel.clock import check_aware
from greenchannel.store.durable import make_folder, write_all
from greenchannel.store.schema import instant_us

MAX_BYTES = 1024**3
_SUFFIX = ".quarantined"
_LEAST_BYTES = 4096  # what the smallest file takes on disk
_Paths = list[Path]  # named here: within the class `list` is the method


class QuarantinedFile(msgspec.Struct, frozen=True, kw_only=True):
    """One refused input."""

    id: str
    at: datetime
    actor: str  # who sent it
    reason: str  # short, for a program
    detail: str  # what was expected and what came, for a person
    size_bytes: int  # as it came
    kept_bytes: int  # less where it was larger than the whole quarantine
    settled: "Settled | None" = None  # None: nobody has seen to it yet


class Settled(msgspec.Struct, frozen=True, kw_only=True):
    """What a person did with a refused input."""

    at: datetime
    actor: str
    what: str  # "taken" as an ECG or an image, or "discarded"
    reason: str | None = None
    ecg_id: str | None = None  # what it became
    study_uid: str | None = None  # the study that it went into


class Quarantine:
    """A folder of refused inputs with a limit on its size."""

    def __init__(self, folder: Path, max_bytes: int = MAX_BYTES) -> None:
        self._folder = Path(folder)
        self._max_bytes = max_bytes
        self._lock = threading.Lock()

    def keep(
        self,
        data: bytes,
        *,
        reason: str,
        detail: str,
        actor: str,
        at: datetime,
        size_bytes: int | None = None,
    ) -> str:
        """Keep bytes and give the id to find them by; the oldest make room. `size_bytes`: where `data` begin more."""
        at = check_aware(at)
        kept = data[: max(self._max_bytes - _LEAST_BYTES, 0)]
        file_id = f"q_{instant_us(at):017d}_{secrets.token_hex(4)}"  # so that names sort by time
        what = QuarantinedFile(
            id=file_id,
            at=at,
            actor=actor,
            reason=reason,
            detail=detail,
            size_bytes=len(data) if size_bytes is None else size_bytes,
            kept_bytes=len(kept),
        )
        content = msgspec.json.encode(what) + b"\n" + kept
        with self._lock:
            make_folder(self._folder)
            self._make_room(len(content))
            temporary = self._folder / f".{file_id}"
            write_all(temporary, content)
            temporary.rename(self._path(file_id))
        return file_id

    def list(self) -> list[QuarantinedFile]:
        """What is there, newest first."""
        return [_read(path)[0] for path in reversed(self._paths())]

    def read(self, file_id: str) -> bytes:
        """The bytes of one; raises `LookupError` where it is not there any more."""
        return _read(self._there(file_id))[1]

    def what(self, file_id: str) -> QuarantinedFile:
        """What is known of one; raises `LookupError` where it is not there any more."""
        return _read(self._there(file_id))[0]

    def settle(self, file_id: str, settled: Settled) -> QuarantinedFile:
        """Note what was done with one; its bytes stay until newer ones need the room.

        Raises `LookupError` where it is not there any more, and `ValueError` where it was seen to before.
        """
        with self._lock:
            path = self._there(file_id)
            what, data = _read(path)
            if what.settled is not None:
                raise ValueError(f"expected a file that waits, {file_id!r} was {what.settled.what}")
            after = msgspec.structs.replace(what, settled=settled)
            temporary = self._folder / f".{file_id}"
            temporary.unlink(missing_ok=True)  # of a try that was cut off
            write_all(temporary, msgspec.json.encode(after) + b"\n" + data)
            temporary.rename(path)
        return after

    def remove(self, file_id: str) -> None:
        """Forget one; nothing happens where it is gone already."""
        for path in self._paths():
            if path.stem == file_id:
                path.unlink(missing_ok=True)

    def _there(self, file_id: str) -> Path:
        path = next((path for path in self._paths() if path.stem == file_id), None)
        if path is None:
            raise LookupError(f"expected a file in quarantine, there is none called {file_id!r}")
        return path

    def _make_room(self, size_bytes: int) -> None:
        paths = self._paths()
        sizes = [_room(path.stat().st_size) for path in paths]
        used = sum(sizes) + _room(size_bytes)
        for path, size in zip(paths, sizes, strict=True):
            if used <= self._max_bytes:
                break
            path.unlink(missing_ok=True)
            used -= size

    def _paths(self) -> _Paths:
        """Oldest first."""
        return sorted(self._folder.glob(f"q_*{_SUFFIX}"))

    def _path(self, file_id: str) -> Path:
        return self._folder / f"{file_id}{_SUFFIX}"


def _room(size_bytes: int) -> int:
    return max(size_bytes, _LEAST_BYTES)


def _read(path: Path) -> tuple[QuarantinedFile, bytes]:
    head, _, data = path.read_bytes().partition(b"\n")
    return msgspec.json.decode(head, type=QuarantinedFile), data
