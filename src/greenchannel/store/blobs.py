"""Original bytes, unchanged, under the SHA-256 of what they say; on disk packed without loss, then sealed.

Each file is sealed with a random key of its own. Each patient it belongs to holds that key under the patient's key, so
erasing one patient takes the bytes from this one alone. Two stagings of equal bytes make two files with two keys;
`Blobs.link` settles on one, and the other is an orphan, which `Blobs.sweep` removes.
"""

import contextlib
import hashlib
import os
import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import structlog
from cryptography.exceptions import InvalidTag
from sqlalchemy import Connection, Engine, bindparam, insert, select, update

from greenchannel.store import schema
from greenchannel.store.durable import fsync_folder, make_folder, write_all
from greenchannel.store.engine import reading, writing
from greenchannel.store.errors import BlobDamaged, BlobErased, BlobError, BlobMissing
from greenchannel.store.vault import KEY_BYTES, Vault, seal, seal_in_parts, unseal
from greenchannel.store.writer import Tx

logger = structlog.get_logger(__name__)

__all__ = ["BlobDamaged", "BlobErased", "BlobError", "BlobMissing", "Blobs", "StagedBlob"]

SAFE_AGE_S = 24 * 3600.0  # far longer than anything takes from staging to linking
_SWEPT_AT_ONCE = 200  # while the writers wait
_LINKS = select(schema.blob_keys.c.patient, schema.blob_keys.c.file, schema.blob_keys.c.wrapped_key).where(
    schema.blob_keys.c.sha256 == bindparam("sha256")
)
_ADD_LINK = insert(schema.blob_keys)


class Packing(NamedTuple):
    """How bytes become smaller before they are sealed, and come back."""

    pack: Callable[[bytes], bytes]
    unpack: Callable[[bytes], bytes]
    """Gives bytes that were never packed as they are; raises `ValueError` for those that are damaged."""


AS_THEY_ARE = Packing(pack=bytes, unpack=bytes)


@dataclass(frozen=True, kw_only=True, slots=True)
class StagedBlob:
    """Bytes that are on disk, and belong to nobody yet."""

    sha256: str  # of the bytes as they came
    size_bytes: int
    file: str  # name of the sealed file
    key: bytes = field(repr=False)  # opens the file


class Blobs:
    """The folder of sealed files, and the table of who may open which."""

    def __init__(self, folder: Path, engine: Engine, vault: Vault, packing: Packing = AS_THEY_ARE) -> None:
        self._folder = Path(folder)
        self._engine = engine
        self._vault = vault
        self._packing = packing

    def stage(self, data: bytes) -> StagedBlob:
        """Seal bytes and put them on disk; they are durable when this returns. From any thread, without a lock."""
        sha256 = hashlib.sha256(data).hexdigest()
        key = secrets.token_bytes(KEY_BYTES)
        file = f"{sha256}.{secrets.token_hex(8)}"
        path = self._path(file)
        make_folder(path.parent)
        temporary = path.with_name(f"{file}.part")
        write_all(temporary, *seal_in_parts(key, self._packed(data), f"blob:{sha256}"))
        temporary.rename(path)
        fsync_folder(path.parent)
        return StagedBlob(sha256=sha256, size_bytes=len(data), file=file, key=key)

    def staged(self, staged: StagedBlob) -> bytes:
        """The bytes of a staged file, which belongs to nobody yet."""
        kept = unseal(staged.key, self._path(staged.file).read_bytes(), f"blob:{staged.sha256}")
        return self._original(kept, staged.sha256)

    def _packed(self, data: bytes) -> bytes:
        """Smaller where that can be done: a fault in packing costs room, never a file."""
        try:
            return self._packing.pack(data)
        except Exception:
            logger.critical(
                "a file could not be packed, and is kept as it is", bytes=len(data), exc_info=True
            )
            return data

    def link(self, tx: Tx, staged: StagedBlob, patient: str) -> None:
        """Give a patient the staged bytes. Where equal bytes are stored already, those are taken.

        Raises
        ------
        BlobMissing
            Staged too long ago: the file was swept away.
        greenchannel.store.errors.PatientKeyMissing
            The patient is unknown or erased.
        """
        table = schema.blob_keys
        same = table.c.sha256 == staged.sha256
        links = tx.conn.execute(_LINKS, {"sha256": staged.sha256}).all()
        if any(row.patient == patient and self._path(row.file).exists() for row in links):
            return
        here = next((row for row in links if self._path(row.file).exists()), None)
        file, key = staged.file, staged.key
        if here is not None:
            file, key = here.file, self._blob_key(tx.conn, staged.sha256, here)
        if not self._path(file).exists():
            raise BlobMissing(
                f"expected the staged file of {staged.sha256}, it is gone: stage the bytes again"
            )
        wrapped = seal(self._vault.key_of(tx.conn, patient), key, _bound(staged.sha256, patient))
        if any(row.patient == patient for row in links):  # the file of the patient's own link was lost
            mend = update(table).where(same, table.c.patient == patient)
            tx.conn.execute(mend.values(file=file, wrapped_key=wrapped))
        else:
            new = {"sha256": staged.sha256, "patient": patient, "file": file, "wrapped_key": wrapped}
            tx.conn.execute(_ADD_LINK, new)

    def share(self, tx: Tx, sha256: str, patient: str, other: str) -> None:
        """Give `other` what `patient` has: an ECG moved to another case. Raises as `get` and `link` do."""
        row = self._link_of(tx.conn, sha256, patient)
        key = self._blob_key(tx.conn, sha256, row)
        self.link(tx, StagedBlob(sha256=sha256, size_bytes=0, file=row.file, key=key), other)

    def get(self, sha256: str, patient: str) -> bytes:
        """The bytes as they came.

        Raises
        ------
        BlobMissing
            The patient has no such bytes, or the file is gone.
        BlobErased
            The patient was erased.
        BlobDamaged
            The file holds something else.
        """
        with reading(self._engine) as connection:
            row = self._link_of(connection, sha256, patient)
            key = self._blob_key(connection, sha256, row)
        try:
            data = unseal(key, self._path(row.file).read_bytes(), f"blob:{sha256}")
        except FileNotFoundError as error:
            raise BlobMissing(f"expected the file {row.file}, it is gone") from error
        except (InvalidTag, ValueError) as error:  # ValueError: shorter than any sealed text
            raise BlobDamaged(
                f"expected the sealed bytes of {sha256}, got a file that does not open"
            ) from error
        return self._original(data, sha256)

    def _original(self, kept: bytes, sha256: str) -> bytes:
        """The bytes as they came; files of before there was packing, too, whatever they begin with."""
        reason = ""
        try:
            data = self._packing.unpack(kept)
        except ValueError as error:
            data, reason = kept, f": {error}"
        for one in (data, kept):
            found = hashlib.sha256(one).hexdigest()
            if found == sha256:
                return one
        raise BlobDamaged(f"expected bytes with SHA-256 {sha256}, got {found}{reason}")

    def sweep(self, older_than_s: float = SAFE_AGE_S) -> int:
        """Remove files that nobody can open, of erased patients too; gives their number.

        Parameters
        ----------
        older_than_s : float
            Age in s below which a file is left alone: somebody may be about to link it.
        """
        latest = time.time() - older_than_s
        old = [path for path in self._files() if _older(path, latest)]
        return sum(
            self._sweep_some(old[start : start + _SWEPT_AT_ONCE])
            for start in range(0, len(old), _SWEPT_AT_ONCE)
        )

    def _sweep_some(self, paths: list[Path]) -> int:
        # As a writer, so that no link can come between the question and the deed.
        with writing(self._engine) as connection:
            connection.execute(select(schema.log_head.c.id).with_for_update())
            asked = schema.blob_keys.c.file.in_([path.name for path in paths])
            linked = set(connection.execute(select(schema.blob_keys.c.file).where(asked)).scalars())
            orphans = [path for path in paths if path.name not in linked]
            for path in orphans:
                path.unlink(missing_ok=True)
        return len(orphans)

    def _link_of(self, connection: Connection, sha256: str, patient: str) -> Any:
        table = schema.blob_keys
        query = select(table.c.patient, table.c.file, table.c.wrapped_key)
        row = connection.execute(
            query.where(table.c.sha256 == sha256, table.c.patient == patient)
        ).one_or_none()
        if row is not None:
            return row
        known = select(schema.patients.c.patient).where(schema.patients.c.patient == patient)
        if connection.execute(known).one_or_none() is not None and not self._vault.has_key(
            connection, patient
        ):
            raise BlobErased(f"expected {sha256} of {patient}, the patient was erased")
        raise BlobMissing(f"expected {sha256} among the bytes of {patient}, it is not there")

    def _blob_key(self, connection: Connection, sha256: str, row: Any) -> bytes:
        key = self._vault.key_of(connection, row.patient)
        return unseal(key, row.wrapped_key, _bound(sha256, row.patient))

    def _path(self, file: str) -> Path:
        return self._folder / file[:2] / file

    def _files(self) -> Iterator[Path]:
        if self._folder.is_dir():
            for folder in self._folder.iterdir():
                yield from folder.iterdir()


def _bound(sha256: str, patient: str) -> str:
    return f"blob key:{sha256}:{patient}"


def _older(path: Path, latest: float) -> bool:
    with contextlib.suppress(FileNotFoundError):  # another sweep was here
        return os.stat(path).st_mtime <= latest
    return False
