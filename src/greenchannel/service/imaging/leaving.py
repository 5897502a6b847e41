"""A study leaves the house without its patient: a zip of de-identified images and a report."""

import asyncio
import json
import secrets
import tempfile
import zipfile
from typing import IO, Any, Final

import structlog

from greenchannel.ingest.errors import IngestError
from greenchannel.ingest.imaging.deidentify import METHOD, Deidentified, deidentify
from greenchannel.service.errors import NotFound
from greenchannel.service.imaging.archive import ImageArchive
from greenchannel.store.errors import BlobError

logger = structlog.get_logger(__name__)

_EPOCH: Final = (1980, 1, 1, 0, 0, 0)  # a zip tells no time of the export
_IN_MEMORY: Final = 32 * 1024 * 1024
_KEY_BYTES: Final = 32
_UNREADABLE: Final = {
    True: ("file_gone", "the file of this image is not here any more"),
    False: ("file_damaged", "the file of this image does not open"),
}


async def without_patient(
    images: ImageArchive, study_uid: str, *, burned_in_seen: bool
) -> tuple[IO[bytes], dict[str, Any]]:
    """The zip, open at its beginning, and the report that is in it.

    The key of the pseudonyms is made for this export and kept nowhere: nobody can find the way back, and no two
    exports can be joined. Raises `NotFound` where there is no such study.
    """
    await images.study(study_uid)
    stored = await images.instances(study_uid)
    sop_uids = [one.sop_uid for one in stored]
    return await asyncio.to_thread(_packed, images, study_uid, sop_uids, burned_in_seen)


def _packed(
    images: ImageArchive, study_uid: str, sop_uids: list[str], burned_in_seen: bool
) -> tuple[IO[bytes], dict[str, Any]]:
    key = secrets.token_bytes(_KEY_BYTES)
    report: dict[str, Any] = {"method": METHOD, "written": [], "refused": []}
    out = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 - the caller sends and closes it
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for number, sop_uid in enumerate(sop_uids, start=1):
            try:
                done = deidentify(images.bytes_of_sync(sop_uid), key=key, burned_in_seen=burned_in_seen)
            except IngestError as error:
                report["refused"].append({"number": number, "code": error.code, "message": error.message})
                continue
            except (BlobError, NotFound) as error:  # one file that is lost or damaged keeps no other here
                logger.error("an image could not be given away", study=study_uid, why=type(error).__name__)
                code, message = _UNREADABLE[isinstance(error, NotFound)]
                report["refused"].append({"number": number, "code": code, "message": message})
                continue
            name = f"{done.sop_uid}.dcm"
            archive.writestr(zipfile.ZipInfo(name, _EPOCH), done.data)
            report["written"].append(told(name, done))
        text = json.dumps(report, ensure_ascii=False, indent=1)
        archive.writestr(zipfile.ZipInfo("report.json", _EPOCH), text)
    out.seek(0)
    return out, report


def told(name: str, done: Deidentified) -> dict[str, Any]:
    """What the report says of one image: counts and keywords, never a value of the old one."""
    return {
        "file": name,
        "removed": done.removed,
        "emptied": done.emptied,
        "dummies": done.dummies,
        "uids": done.uids,
        "private": done.private,
        "elements": done.by_keyword,
        "texts_left": list(done.texts_left),
        "burned_in": done.privacy.burned_in,
        "burned_in_reason": done.privacy.burned_in_reason,
        "face": done.privacy.face,
    }
