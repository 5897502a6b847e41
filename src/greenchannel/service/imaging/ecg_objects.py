"""ECGs that come by the ways of images: they are read as ECGs, and lie in the same case."""

import threading
from collections import OrderedDict
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
from greenchannel.store import ecg_rows
from greenchannel.store.blobs import BlobErased, BlobMissing, Blobs
from greenchannel.store.engine import reading
from greenchannel.store.errors import BlobError, PatientKeyMissing

LOOKED_AT: Final = 1_000  # newest ECGs of a site: a machine asks after minutes or hours  [E]
_REMEMBERED: Final = 20_000


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
    """Finds ECGs by the identifier of the object that they came as. No row has it: it stands in their bytes.

    From any thread; what was read once is remembered.
    """

    def __init__(self, engine: Engine, blobs: Blobs) -> None:
        self._engine = engine
        self._blobs = blobs
        self._known: OrderedDict[str, tuple[str, str] | None] = (
            OrderedDict()
        )  # by the bytes' hash: UID and class
        self._lock = threading.Lock()

    def class_of(self, sop_uid: str, site: str) -> str:
        """The SOP class of an ECG of a site, whose bytes can be read from disk now.

        Raises
        ------
        NotFound
            It is not among the newest `LOOKED_AT` of the site.
        BlobError
            It is there, and its bytes cannot be had.
        """
        with reading(self._engine) as connection:
            rows = ecg_rows.newest_of_site(connection, site, LOOKED_AT)
        for row in rows:
            named = self._named(row)
            if named is not None and named[0] == sop_uid:
                self._bytes(row)
                return named[1]
        raise NotFound("ECG", sop_uid)

    def _named(self, row: ecg_rows.EcgRow) -> tuple[str, str] | None:
        with self._lock:
            if row.sha256 in self._known:
                return self._known[row.sha256]
        try:
            data = self._bytes(row)
            one = read_instance(data) if looks_like_dicom(data) else None
        except (BlobError, NotFound):  # it may be mended
            return None
        except IngestError:
            one = None
        named = None if one is None else (one.sop_uid, one.sop_class)
        with self._lock:
            self._known[row.sha256] = named
            while len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
        return named

    def _bytes(self, row: ecg_rows.EcgRow) -> bytes:
        try:
            return self._blobs.get(row.sha256, row.patient)
        except (BlobErased, BlobMissing, PatientKeyMissing):
            raise NotFound("file of ECG", row.ecg_id) from None
