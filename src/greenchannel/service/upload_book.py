"""Uploads and their rows: what may name a patient is sealed in the row, and opened for its owner alone."""

import asyncio
from datetime import datetime
from typing import cast

import msgspec
from sqlalchemy import Engine

from greenchannel.ingest.tus import State, Upload
from greenchannel.service.callers import Caller
from greenchannel.service.errors import NotFound
from greenchannel.service.upload_answers import Outcome
from greenchannel.store import upload_rows
from greenchannel.store.upload_rows import UploadRow
from greenchannel.store.vault import Vault, seal, unseal
from greenchannel.store.writer import Tx, Writer

_SWEPT_AT_ONCE = 200


class UploadBook:
    """The table of uploads, in values of the core."""

    def __init__(self, engine: Engine, writer: Writer, vault: Vault) -> None:
        self._engine = engine
        self._writer = writer
        self._vault = vault

    async def get(self, upload_id: str) -> tuple[Upload, Outcome | None]:
        """One upload, and what became of it; raises `NotFound`."""
        row = await self._row(upload_id)
        outcome = None if row.answer is None else msgspec.json.decode(row.answer, type=Outcome)
        return self._upload(row), outcome

    async def caller(self, upload_id: str) -> Caller:
        """Who began it, with the rights of then; raises `NotFound`."""
        return msgspec.json.decode((await self._row(upload_id)).caller, type=Caller)

    async def under_way(self, owner: str) -> int:
        """How many uploads of this owner are not finished."""
        return await asyncio.to_thread(upload_rows.under_way, self._engine, owner)

    async def every(self) -> list[Upload]:
        """All uploads."""
        return [self._upload(row) for row in await asyncio.to_thread(upload_rows.every, self._engine)]

    async def complete(self) -> list[str]:
        """The uploads that wait to be taken in."""
        return [row.upload_id for row in await asyncio.to_thread(upload_rows.complete, self._engine)]

    async def due(self, now: datetime) -> list[Upload]:
        """Some uploads whose time is over."""
        rows = await asyncio.to_thread(upload_rows.due, self._engine, now, _SWEPT_AT_ONCE)
        return [self._upload(row) for row in rows]

    async def add(self, upload: Upload, caller: Caller) -> None:
        """Enter an upload; it is durable when this returns. Raises `CommitFailed`."""
        row = UploadRow(
            upload_id=upload.upload_id,
            owner=upload.owner,
            caller=msgspec.json.encode(caller),
            length_bytes=upload.length,
            durable_bytes=upload.offset,
            sealed_metadata=self._seal(upload),
            concat=upload.concat,
            state=upload.state,
            answer=None,
            created_at=upload.created_at,
            expires_at=upload.expires_at,
        )
        await self._writer.transact(lambda tx: upload_rows.add(tx, row))

    async def change(self, before: Upload, after: Upload, outcome: Outcome | None = None) -> None:
        """Write an upload as it is now. Raises `CommitFailed`, or `VersionConflict` where another was first."""
        await self._writer.transact(lambda tx: self.write(tx, before, after, outcome))

    def write(self, tx: Tx, before: Upload, after: Upload, outcome: Outcome | None) -> None:
        """The same as part of a command."""
        same = after.metadata == before.metadata
        upload_rows.change(
            tx,
            before.upload_id,
            was_bytes=before.offset,
            durable_bytes=after.offset,
            state=after.state,
            expires_at=after.expires_at,
            answer=None if outcome is None else msgspec.json.encode(outcome),
            sealed_metadata=None if same else self._seal(after),
        )

    async def remove(self, upload_id: str) -> None:
        """Forget an upload."""
        await self._writer.transact(lambda tx: upload_rows.remove(tx, upload_id))

    async def _row(self, upload_id: str) -> UploadRow:
        row = await asyncio.to_thread(upload_rows.get, self._engine, upload_id)
        if row is None:
            raise NotFound("upload", upload_id)
        return row

    def _upload(self, row: UploadRow) -> Upload:
        return Upload(
            upload_id=row.upload_id,
            owner=row.owner,
            length=row.length_bytes,
            offset=row.durable_bytes,
            metadata=unseal(self._key(row.upload_id), row.sealed_metadata, row.upload_id).decode(),
            concat=row.concat,
            state=cast(State, row.state),
            created_at=row.created_at,
            expires_at=row.expires_at,
        )

    def _seal(self, upload: Upload) -> bytes:
        return seal(self._key(upload.upload_id), upload.metadata.encode(), upload.upload_id)

    def _key(self, upload_id: str) -> bytes:
        return self._vault.upload_key(upload_id, "metadata")
