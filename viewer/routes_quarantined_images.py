"""Images among what was refused: what one is, how it looks, and on a reason whose it says that it is."""

from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from greenchannel.clock import rfc3339
from greenchannel.ingest.imaging.instance import ImageInstance
from greenchannel.ingest.imaging.pixels import render
from greenchannel.service.errors import NotFound
from greenchannel.service.imaging.threads import in_images
from greenchannel.viewer.access import require
from greenchannel.viewer.front import Front, Here, Who, answer
from greenchannel.viewer.routes_cases import Reason

router = APIRouter(prefix="/admin/quarantine", tags=["administration"])

PREVIEW = (512, 512)


@router.get("/{file_id}/image", summary="What image a refused file is")
async def image(file_id: str, front: Here, who: Who) -> Response:
    """`image` is null where the file is none. Without names; `here`: the case that has the study it names, if any."""
    require(who, "quarantine")
    found = await front.desk.quarantined.image(file_id)
    return answer({"image": None if found is None else await _image(front, found[0])})


@router.get("/{file_id}/preview", summary="A picture of a refused image")
async def preview(file_id: str, front: Here, who: Who) -> Response:
    """Its first frame, in a window of its own; 404 where it is no image, 415 where it cannot be shown. The look is
    noted."""
    require(who, "quarantine")
    found = await front.desk.quarantined.image(file_id)
    if found is None:
        raise NotFound("image in quarantine", file_id)
    front.look(who, "look_quarantined_image", file_id, found[0].study_uid)
    body = await in_images(render, found[1], 0, size=PREVIEW)
    return Response(body, media_type="image/jpeg", headers={"Cache-Control": "no-store"})


@router.post("/{file_id}/patient", summary="Whose a refused image says that it is")
async def patient(file_id: str, body: Reason, front: Here, who: Who) -> Response:
    """To ask the clinic by; noted with the reason."""
    require(who, "quarantine")
    found = await front.desk.quarantined.image(file_id)
    if found is None:
        raise NotFound("image in quarantine", file_id)
    one = found[0]
    front.look(who, "look_quarantined_patient", file_id, body.reason)
    return answer(
        {
            "name": one.patient_name,
            "number": one.patient_id,
            "sex": one.sex,
            "birth_date": None if one.birth_date is None else one.birth_date.isoformat(),
            "institution": one.institution,
        }
    )


async def _image(front: Front, one: ImageInstance) -> dict[str, Any]:
    try:
        study = await front.desk.images.study(one.study_uid)
    except NotFound:
        study = None
    await front.directory.refresh()
    return {
        "study_uid": one.study_uid,
        "sop_uid": one.sop_uid,
        "modality": one.modality,
        "body_part": one.body_part,
        "study_date": None if one.study_date is None else one.study_date.isoformat(),
        "study_at": None if one.study_at is None else rfc3339(one.study_at),
        "rows": one.rows,
        "cols": one.cols,
        "frames": one.frames,
        "numbered": one.patient_id is not None,
        "shown": one.decodable,
        "here": None
        if study is None
        else {"case_id": study.case_id, "site": front.directory.site(study.site)},
    }
