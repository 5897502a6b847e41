"""ECGs that come by the ways of images: they are read as ECGs, and lie in the same case."""

from datetime import datetime

from greenchannel.ingest.dicom_ecg import ECG_CLASSES
from greenchannel.ingest.fields import UploadFields
from greenchannel.ingest.imaging.instance import ImageInstance
from greenchannel.service.callers import Caller
from greenchannel.service.imaging.records import Received
from greenchannel.service.intake import Intake


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
