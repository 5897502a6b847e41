"""The report of a study as a PDF and as a DICOM structured report."""

from datetime import date
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
    """A Basic Text SR in the study itself; the same report gives the same object. 404 while none is signed."""
    require(who, "image_report")
    reading = _signed(front, study_uid, who)
    study = await front.desk.images.study(study_uid)
    reading = opened(reading, study.text.text_key)
    await front.directory.refresh()
    head = await _head(front, reading, study, who, reason, named=named)
    images = [
        image_report_sr.Image(one.series_uid, one.sop_class, one.sop_uid)
        for one in await front.desk.images.instances(study_uid)
    ]

    def write() -> bytes:
        return image_report_sr.document(
            reading, head, images, names=_names(front, reading), network=front.desk.settings.network_zh
        )

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
    text, knows = study.text, named and may_name(who, reason)
    name = None
    if knows:
        front.look(who, "look_identity", about, reason)
        identity = await front.desk.identity(reading.case_id) if reading.case_id is not None else None
        name = text.patient_name if identity is None else identity.get("name") or text.patient_name
    return StudyHead(
        study_uid=study.study_uid,
        modalities=study.modalities,
        body_part=text.body_part,
        description=text.description if knows else None,
        study_at=study.study_at,
        study_date=None if study.study_date is None else _day(study.study_date),
        received_at=study.received_at,
        accession=text.accession if knows else None,
        instances=study.instances,
        expected=study.expected,
        reasons=text.reasons if knows else (),
        patient_name=name,
        patient_id=text.patient_id if knows else None,
        pseudonym=study.patient,
        sex=text.sex,
        birth_date=text.birth_date if knows else None,
        age_years=text.age_years,
    )


def _day(text: str) -> date:
    return date(int(text[:4]), int(text[4:6]), int(text[6:8]))


def _file(data: bytes, media_type: str, name: str) -> Response:
    headers: dict[str, Any] = {
        "Content-Disposition": f'inline; filename="{name}"',
        "Cache-Control": "no-store",
    }
    return Response(data, media_type=media_type, headers=headers)
