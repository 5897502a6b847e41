"""ECGs that come by the ways of images: they are read as ECGs, and lie in the same case."""

import functools
from datetime import datetime
from typing import Final

from sqlalchemy import Engine

from greenchannel.ingest.dicom_ecg import ECG_CLASSES, looks_like_dicom
from greenchannel.ingest.errors import IngestError
from greenchannel.ingest.fields import UploadFields
from greenchannel.ingest.imaging.instance import ImageInstance, read_instance
from greenchannel.service.callers import Caller
from greenchannel.service.errors import NotFound
from greenchannel.service.imaging.records import Received
from greenchannel.service.intake import Intake
from greenchannel.store import ecg_object_rows
from greenchannel.store.blobs import BlobErased, BlobMissing, Blobs
from greenchannel.store.ecg_object_rows import Named
from greenchannel.store.ecg_rows import EcgRow
from greenchannel.store.engine import reading
from greenchannel.store.errors import BlobError, PatientKeyMissing
from greenchannel.store.writer import Writer

READ_AT_ONCE: Final = 100  # ECGs between two commits  [E]


def is_ecg(one: ImageInstance) -> bool:
    """Is this object an ECG?"""
    return one.sop_class in ECG_CLASSES


async def take_ecg(
    intake: Intake,
    data: bytes,
    one: ImageInstance,
    caller: Caller,
    *,
    site: str,
    case_id: str | None,
    started_at: datetime,
) -> Received:
    """Take an ECG in by its intake; raises as `Intake.receive` does."""
    fields = UploadFields(site=site, case_id=case_id, patient_ref=one.patient_id)
    got = await intake.receive([(None, data)], fields, caller, upload_started_at=started_at)
    return Received(
        study_uid=one.study_uid,
        series_uid=one.series_uid,
        sop_uid=one.sop_uid,
        sop_class=one.sop_class,
        case_id=got.case_id,
        sha256=got.sha256,
        state="duplicate" if got.duplicate else "new",
    )


class EcgObjects:
    """Finds ECGs by the identifier of the object that they came as: it stands in their bytes, and is written down once
    they were read. From any thread that may wait."""

    def __init__(self, engine: Engine, blobs: Blobs, writer: Writer) -> None:
        self._engine = engine
        self._blobs = blobs
        self._writer = writer

    def class_of(self, sop_uid: str, site: str) -> str:
        """The SOP class of an ECG of a site, whose bytes can be read from disk now.

        Raises
        ------
        NotFound
            The site has none, or its bytes are gone.
        BlobError
            It is there, and its bytes cannot be had.
        """
        known = self._known(sop_uid, site)
        after: tuple[datetime, str] | None = None
        while not known:
            with reading(self._engine) as connection:
                rows = ecg_object_rows.unread(connection, site, after, READ_AT_ONCE)
            if not rows:
                raise NotFound("ECG", sop_uid)
            after = rows[-1].received_at, rows[-1].ecg_id
            named = [one for one in map(self._named, rows) if one is not None]
            if named:
                self._writer.transact_sync(functools.partial(ecg_object_rows.put, rows=named))
                known = self._known(sop_uid, site)
        row, sop_class = known[0]
        self._bytes(row)
        return sop_class

    def _known(self, sop_uid: str, site: str) -> list[tuple[EcgRow, str]]:
        with reading(self._engine) as connection:
            return ecg_object_rows.found(connection, site, sop_uid)

    def _named(self, row: EcgRow) -> Named | None:
        try:
            data = self._bytes(row)
            one = read_instance(data) if looks_like_dicom(data) else None
        except (BlobError, NotFound):  # it may be mended
            return None
        except IngestError:
            one = None
        if one is None:
            return Named(ecg_id=row.ecg_id, sop_uid=None, sop_class=None)
        return Named(ecg_id=row.ecg_id, sop_uid=one.sop_uid, sop_class=one.sop_class)

    def _bytes(self, row: EcgRow) -> bytes:
        try:
            return self._blobs.get(row.sha256, row.patient)
        except (BlobErased, BlobMissing, PatientKeyMissing):
            raise NotFound("file of ECG", row.ecg_id) from None
