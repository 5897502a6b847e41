"""The report of a study as a PDF and as a DICOM structured report."""

from dataclasses import replace
from typing import Any, Literal

from fastapi import APIRouter
from starlette.responses import Response

from greenchannel.alerts.imaging.reading import Reading
from greenchannel.service.callers import Caller
from greenchannel.service.errors import NotFound
from greenchannel.service.imaging.reading_words import opened
from greenchannel.service.imaging.records import ImageStudy
from greenchannel.service.imaging.threads import in_images
from greenchannel.viewer import image_report_content, image_report_pages, image_report_sr
from greenchannel.viewer.access import may_name, require
from greenchannel.viewer.front import Front, Here, Who
from greenchannel.viewer.image_report_content import StudyHead
from greenchannel.viewer.routes_imaging import Uid, reading_of
from greenchannel.viewer.words import Word

router = APIRouter(prefix="/imaging", tags=["imaging"])


@router.get("/studies/{study_uid}/report.pdf", summary="The report of a study as a PDF")
async def pdf(
    study_uid: Uid,
    front: Here,
    who: Who,
    lang: Literal["zh", "en"] = "zh",
    named: bool = True,
    reason: str | None = None,
) -> Response:
    """With the patient's name where the caller may know it, and not with `named=false`. 404 while none is signed."""
    require(who, "image_report")
    reading = _signed(front, study_uid, who)
    study = await front.desk.images.study(study_uid)
    reading = opened(reading, study.text.text_key)
    await front.directory.refresh()
    names, settings = front.directory, front.desk.settings
    head = await _head(front, reading, study, who, reason, named=named)
    site = names.site(study.site)

    def draw() -> bytes:
        said = image_report_content.content(
            reading,
            head,
            names=_names(front, reading),
            site=Word(site["name_zh"], site["name_en"]),
            network=Word(settings.network_zh, settings.network_en),
            printed_at=front.desk.clock.now(),
            printed_by=names.person(who.id)["name"] or who.name,
            english=lang == "en",
        )
        return image_report_pages.pages(said)

    return _file(await in_images(draw), "application/pdf", f"{reading.signed[-1].report_id}.pdf")


@router.get("/studies/{study_uid}/report.dcm", summary="The report of a study as a DICOM structured report")
async def dicom(
    study_uid: Uid, front: Here, who: Who, named: bool = True, reason: str | None = None
) -> Response:
    """A Basic Text SR in the study itself, the very object that lies there; without the name another of its own, as it
    is for whoever may not know it. The same report gives the same object. 404 while none is signed."""
    require(who, "image_report")
    reading = _signed(front, study_uid, who)
    study = await front.desk.images.study(study_uid)
    reading = opened(reading, study.text.text_key)
    await front.directory.refresh()
    head = await _head(front, reading, study, who, reason, named=named)
    images = [one for one in await front.desk.images.instances(study_uid) if not one.made_here]
    names, network = _names(front, reading), front.desk.settings.network_zh

    def write() -> bytes:
        if not (named and may_name(who, reason)):
            evidence = [image_report_sr.Image(one.series_uid, one.sop_class, one.sop_uid) for one in images]
            return image_report_sr.document(reading, head, evidence, names=names, network=network)
        try:
            return front.desk.images.bytes_of_sync(image_report_sr.filed_uid(reading))
        except NotFound:  # it is filed in a moment
            return image_report_sr.filed(reading, study, images, names, network=network)

    return _file(await in_images(write), "application/dicom", f"{reading.signed[-1].report_id}.dcm")


def _signed(front: Front, study_uid: str, who: Caller) -> Reading:
    reading = reading_of(front, study_uid, who)
    if reading.report is None:
        raise NotFound("report of study", study_uid)
    return reading


def _names(front: Front, reading: Reading) -> dict[str, str]:
    known = {one: front.directory.person(one)["name"] for one in image_report_content.people_of(reading)}
    return {one: name for one, name in known.items() if name}


async def _head(
    front: Front, reading: Reading, study: ImageStudy, who: Caller, reason: str | None, *, named: bool
) -> StudyHead:
    """The head for this reader; each look is noted, one at a name as such."""
    about = reading.case_id or study.study_uid
    front.look(who, "look_image_report", about, study.study_uid)
    if not (named and may_name(who, reason)):
        return image_report_content.head_of(study, named=False)
    front.look(who, "look_identity", about, reason)
    head = image_report_content.head_of(study)
    identity = await front.desk.identity(reading.case_id) if reading.case_id is not None else None
    name = None if identity is None else identity.get("name")
    return head if name is None else replace(head, patient_name=name)


def _file(data: bytes, media_type: str, name: str) -> Response:
    headers: dict[str, Any] = {
        "Content-Disposition": f'inline; filename="{name}"',
        "Cache-Control": "no-store",
    }
    return Response(data, media_type=media_type, headers=headers)
