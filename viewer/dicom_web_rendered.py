"""Pictures for pages (PS3.18 10.4.1.1.3, 8.3.5): rendered frames and thumbnails, JPEG or PNG."""

from typing import Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from greenchannel.ingest.imaging.pixels import MEDIA_TYPES, QUALITY, Kind, render
from greenchannel.ingest.imaging.windows import Window
from greenchannel.service.errors import NotFound
from greenchannel.service.imaging.records import StoredInstance
from greenchannel.viewer.dicom_web_accept import choose_picture
from greenchannel.viewer.dicom_web_front import (
    KEPT,
    accepted,
    beside,
    instance_of,
    instances_of,
    look,
    study_of,
)
from greenchannel.viewer.dicom_web_retrieve import INSTANCE, SERIES, STUDY, frame_numbers
from greenchannel.viewer.front import Front, Here, Who
from greenchannel.viewer.problems import Problem

router = APIRouter(tags=["images"])

THUMBNAIL: Final = (128, 128)
MOST_SIDE: Final = 8_192  # of a picture that is asked for  [E]
_FUNCTIONS: Final = {"linear": "LINEAR", "linear-exact": "LINEAR_EXACT", "sigmoid": "SIGMOID"}


@router.get(INSTANCE + "/rendered", summary="A picture of an object")
async def rendered_instance(
    study: str, series: str, instance: str, request: Request, front: Here, who: Who
) -> Response:
    """Of several frames the first. ``window=centre,width[,function]``, ``viewport=width,height``, ``quality``;
    ours: ``invert=true``. It is never enlarged."""
    found = await study_of(front, who, study)
    one = await instance_of(front, found, series, instance)
    look(front, who, "look_images", found)
    return await _picture(front, request, one, 0, None)


@router.get(INSTANCE + "/frames/{frames}/rendered", summary="A picture of one frame")
async def rendered_frame(
    study: str, series: str, instance: str, frames: str, request: Request, front: Here, who: Who
) -> Response:
    """As `rendered_instance`; of one frame, counted from 1."""
    found = await study_of(front, who, study)
    one = await instance_of(front, found, series, instance)
    look(front, who, "look_images", found)
    return await _picture(front, request, one, _one_frame(frames, one), None)


@router.get(SERIES + "/rendered", summary="A picture of a series")
async def rendered_series(study: str, series: str, request: Request, front: Here, who: Who) -> Response:
    """As `rendered_instance`, of the object in its middle."""
    found = await study_of(front, who, study)
    one = middle(await instances_of(front, found, series))
    look(front, who, "look_images", found)
    return await _picture(front, request, one, 0, None)


@router.get(STUDY + "/rendered", summary="A picture of a study")
async def rendered_study(study: str, request: Request, front: Here, who: Who) -> Response:
    """As `rendered_series`, of its first series with pictures."""
    found = await study_of(front, who, study)
    one = middle(first_series(await instances_of(front, found)))
    look(front, who, "look_images", found)
    return await _picture(front, request, one, 0, None)


@router.get(INSTANCE + "/thumbnail", summary="A small picture of an object")
async def thumbnail_instance(
    study: str, series: str, instance: str, request: Request, front: Here, who: Who
) -> Response:
    """At most 128 pixels wide and high, or as `viewport` says."""
    found = await study_of(front, who, study)
    one = await instance_of(front, found, series, instance)
    look(front, who, "look_images", found)
    return await _picture(front, request, one, 0, THUMBNAIL)


@router.get(INSTANCE + "/frames/{frames}/thumbnail", summary="A small picture of one frame")
async def thumbnail_frame(
    study: str, series: str, instance: str, frames: str, request: Request, front: Here, who: Who
) -> Response:
    """As `thumbnail_instance`."""
    found = await study_of(front, who, study)
    one = await instance_of(front, found, series, instance)
    look(front, who, "look_images", found)
    return await _picture(front, request, one, _one_frame(frames, one), THUMBNAIL)


@router.get(SERIES + "/thumbnail", summary="A small picture of a series")
async def thumbnail_series(study: str, series: str, request: Request, front: Here, who: Who) -> Response:
    """As `thumbnail_instance`, of the object in its middle."""
    found = await study_of(front, who, study)
    one = middle(await instances_of(front, found, series))
    look(front, who, "look_images", found)
    return await _picture(front, request, one, 0, THUMBNAIL)


@router.get(STUDY + "/thumbnail", summary="A small picture of a study")
async def thumbnail_study(study: str, request: Request, front: Here, who: Who) -> Response:
    """As `thumbnail_series`, of its first series with pictures."""
    found = await study_of(front, who, study)
    one = middle(first_series(await instances_of(front, found)))
    look(front, who, "look_images", found)
    return await _picture(front, request, one, 0, THUMBNAIL)


def first_series(instances: list[StoredInstance]) -> list[StoredInstance]:
    """The objects of the first series that has pictures."""
    pictures = [one for one in instances if one.facts.decodable]
    return [one for one in pictures if one.series_uid == pictures[0].series_uid]


def middle(instances: list[StoredInstance]) -> StoredInstance:
    """The picture that stands for a series: the middle one; raises `NotFound` where none can be shown."""
    pictures = [one for one in instances if one.facts.decodable]
    if not pictures:
        raise NotFound("picture", "any")
    return pictures[len(pictures) // 2]


def _one_frame(text: str, one: StoredInstance) -> int:
    numbers = frame_numbers(text)
    if len(numbers) != 1:
        raise Problem(400, "a picture is of one frame", expected="one number", got=text[:60])
    if numbers[0] > (one.facts.frames or 0):
        raise NotFound("frame", text)
    return numbers[0] - 1


async def _picture(
    front: Front, request: Request, one: StoredInstance, frame: int, size: tuple[int, int] | None
) -> Response:
    query = request.query_params
    kind: Kind = "png" if choose_picture(accepted(request)) == "png" else "jpeg"
    window = _window(query.get("window"))
    size = _size(query.get("viewport")) or size
    quality = _quality(query.get("quality"), QUALITY if size != THUMBNAIL else 75)
    data = await front.desk.images.bytes_of(one.sop_uid)
    body = await beside(
        render,
        data,
        frame,
        window=window,
        invert=query.get("invert") == "true",
        size=size,
        kind=kind,
        quality=quality,
    )
    return Response(body, media_type=MEDIA_TYPES[kind], headers=KEPT)


def _numbers(text: str) -> list[float]:
    try:
        return [float(piece) for piece in text.split(",")]
    except ValueError:
        return []


def _window(text: str | None) -> Window | None:
    if text is None:
        return None
    values, _, function = text.rpartition(",")
    named = _FUNCTIONS.get(function.strip().lower().replace("_", "-"))
    numbers = _numbers(values if named else text)
    if len(numbers) != 2:
        raise Problem(
            400,
            "the window cannot be read",
            expected="centre,width[,linear|linear-exact|sigmoid]",
            got=text[:60],
        )
    return Window(center=numbers[0], width=numbers[1], function=named or "LINEAR")  # type: ignore[arg-type]


def _size(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    numbers = _numbers(text)
    if len(numbers) != 2 or not all(1 <= number <= MOST_SIDE for number in numbers):
        raise Problem(
            400, "the viewport cannot be read", expected=f"width,height of 1 to {MOST_SIDE}; no part of the picture",
            got=text[:60],
        )  # fmt: skip
    return int(numbers[0]), int(numbers[1])


def _quality(text: str | None, unsaid: int) -> int:
    if text is None:
        return unsaid
    if not (text.isascii() and text.isdigit() and len(text) <= 3 and 1 <= int(text) <= 100):
        raise Problem(400, "the quality cannot be read", expected="1 to 100", got=text[:60])
    return int(text)
