"""WADO-RS (PS3.18 10.4): objects, frames, values and metadata of images, to whoever may see the patient's files."""

from collections import OrderedDict
from collections.abc import AsyncIterator, Sequence
from typing import Any, Final

import msgspec
from fastapi import APIRouter, Request
from starlette.responses import Response

from greenchannel.ingest.errors import IngestError
from greenchannel.ingest.imaging.dicom_json import bulk_value, metadata
from greenchannel.ingest.imaging.pixel_source import PixelSource
from greenchannel.ingest.imaging.transcode import to_explicit
from greenchannel.service.errors import NotFound
from greenchannel.service.imaging.records import ImageStudy, StoredInstance
from greenchannel.service.imaging.renaming import as_given
from greenchannel.viewer.dicom_web_accept import (
    DICOM,
    EXPLICIT,
    OCTETS,
    Choice,
    accepts_json,
    choose_frames,
    choose_object,
    not_acceptable,
)
from greenchannel.viewer.dicom_web_front import (
    DICOM_JSON,
    KEPT,
    accepted,
    base_of,
    beside,
    in_parts,
    instance_of,
    instances_of,
    look,
    study_of,
    url_of,
)
from greenchannel.viewer.front import Front, Here, Who
from greenchannel.viewer.problems import Problem

router = APIRouter(tags=["images"])

STUDY: Final = "/studies/{study}"
SERIES: Final = STUDY + "/series/{series}"
INSTANCE: Final = SERIES + "/instances/{instance}"
MOST_FRAMES: Final = 2_000  # of one request  [E]
METADATA_BYTES: Final = 32 * 2**20  # kept, as they were made  [E]

Parts = AsyncIterator[tuple[str, str | None, bytes]]


# ---------------------------------------------------------------- objects


@router.get(STUDY, summary="All objects of a study")
async def study_objects(study: str, request: Request, front: Here, who: Who) -> Response:
    """As they came with ``transfer-syntax=*``, else in Explicit VR Little Endian."""
    found = await study_of(front, who, study)
    choice = choose_object(accepted(request), alone=False)
    instances = await instances_of(front, found, who=who)
    look(front, who, "look_image_files", found)
    return await _objects(front, request, found, instances, choice)


@router.get(SERIES, summary="All objects of a series")
async def series_objects(study: str, series: str, request: Request, front: Here, who: Who) -> Response:
    """As `study_objects`."""
    found = await study_of(front, who, study)
    choice = choose_object(accepted(request), alone=False)
    instances = await instances_of(front, found, series, who=who)
    look(front, who, "look_image_files", found)
    return await _objects(front, request, found, instances, choice)


@router.get(INSTANCE, summary="One object")
async def instance_object(
    study: str, series: str, instance: str, request: Request, front: Here, who: Who
) -> Response:
    """As `study_objects`; with ``Accept: application/dicom`` the object alone, without parts."""
    found = await study_of(front, who, study)
    choice = choose_object(accepted(request), alone=True)
    one = await instance_of(front, found, series, instance, who=who)
    look(front, who, "look_image_files", found)
    if choice.is_multipart:
        return await _objects(front, request, found, [one], choice)
    body, syntax = await _object(front, found, one, choice)
    return Response(body, media_type=f"{DICOM}; transfer-syntax={syntax}", headers=KEPT)


async def _objects(
    front: Front,
    request: Request,
    study: ImageStudy,
    instances: Sequence[StoredInstance],
    choice: Choice,
) -> Response:
    if not instances:
        raise NotFound("image", "any")
    base = base_of(request)
    first = await _object(
        front, study, instances[0], choice
    )  # what cannot be given is said before the answer begins

    async def parts() -> Parts:
        for number, one in enumerate(instances):
            body, syntax = first if number == 0 else await _object(front, study, one, choice)
            yield f"{DICOM}; transfer-syntax={syntax}", url_of(base, one), body

    return in_parts(DICOM, parts())


async def _object(front: Front, study: ImageStudy, one: StoredInstance, choice: Choice) -> tuple[bytes, str]:
    """The bytes of an object as they are given, and their transfer syntax."""
    data = await _bytes(front, study, one)
    if choice.syntax in (None, one.transfer_syntax):
        return data, one.transfer_syntax
    if choice.syntax != EXPLICIT:
        raise not_acceptable(f"transfer-syntax=*, {EXPLICIT} or {one.transfer_syntax}")
    try:
        return await beside(to_explicit, data), EXPLICIT
    except IngestError as error:
        if error.code != "unsupported":
            raise
        raise not_acceptable(f"transfer-syntax=* or {one.transfer_syntax}") from error


async def _bytes(front: Front, study: ImageStudy, one: StoredInstance) -> bytes:
    """As they came; of a study that a person moved, under the patient that it is of."""
    data = await front.desk.images.bytes_of(one.sop_uid)
    return data if study.text.in_file is None else await beside(as_given, data, study.text)


# ---------------------------------------------------------------- frames and values


@router.get(INSTANCE + "/frames/{frames}", summary="Frames of an object, counted from 1")
async def frames_of(
    study: str, series: str, instance: str, frames: str, request: Request, front: Here, who: Who
) -> Response:
    """``1``, or a list ``1,2,5``. As they are encoded where that is accepted, else decoded and little endian."""
    found = await study_of(front, who, study)
    one = await instance_of(front, found, series, instance, who=who)
    numbers = frame_numbers(frames)
    look(front, who, "look_images", found)
    source = await beside(PixelSource, await front.desk.images.bytes_of(one.sop_uid))
    if max(numbers) > source.frame_count:
        raise NotFound("frame", str(max(numbers)))
    choice = choose_frames(
        accepted(request), source.transfer_syntax, is_encoded=source.is_encapsulated, alone=len(numbers) == 1
    )
    return await _frames(source, numbers, choice, f"{url_of(base_of(request), one)}/frames")


async def _frames(source: PixelSource, numbers: Sequence[int], choice: Choice, url: str) -> Response:
    decode = choice.syntax == EXPLICIT
    syntax = EXPLICIT if decode else source.transfer_syntax
    give = source.native_frame if decode else source.encoded_frame
    kind = f"{choice.media}; transfer-syntax={syntax}"
    first = await beside(give, numbers[0] - 1)
    if not choice.is_multipart:
        return Response(first, headers=KEPT | {"Content-Type": kind})

    async def parts() -> Parts:
        yield kind, f"{url}/{numbers[0]}", first
        for number in numbers[1:]:
            yield kind, f"{url}/{number}", await beside(give, number - 1)

    return in_parts(choice.media, parts())


def frame_numbers(text: str) -> list[int]:
    """Frame numbers of a request; raises `Problem`."""
    pieces = text.split(",")
    if len(pieces) > MOST_FRAMES or not all(
        piece.isascii() and piece.isdigit() and len(piece) < 7 for piece in pieces
    ):
        raise Problem(
            400, "the frames cannot be read", expected=f"up to {MOST_FRAMES} numbers from 1 on", got=text[:60]
        )
    numbers = [int(piece) for piece in pieces]
    if min(numbers) < 1:
        raise Problem(400, "frames are counted from 1", expected="1 or more", got=text[:60])
    return numbers


@router.get(INSTANCE + "/bulkdata/{path:path}", summary="A large value of an object")
async def bulkdata(
    study: str, series: str, instance: str, path: str, request: Request, front: Here, who: Who
) -> Response:
    """By its link in the metadata; of the pixels all frames, as they are encoded."""
    found = await study_of(front, who, study)
    one = await instance_of(front, found, series, instance, who=who)
    look(front, who, "look_images", found)
    data = await front.desk.images.bytes_of(one.sop_uid)
    value = await beside(bulk_value, data, path.split("/"))
    if value is None:
        source = await beside(PixelSource, data)
        choice = choose_frames(
            accepted(request), source.transfer_syntax, is_encoded=source.is_encapsulated, alone=False
        )
        numbers = range(1, source.frame_count + 1)
        if source.is_encapsulated or choice.syntax is None:
            return await _frames(source, numbers, choice, f"{url_of(base_of(request), one)}/frames")
        value = await beside(lambda: b"".join(source.native_frame(number - 1) for number in numbers))

    async def parts() -> Parts:
        yield OCTETS, None, value

    if any(wish.media == OCTETS and not wish.is_multipart for wish in accepted(request)):
        return Response(value, media_type=OCTETS, headers=KEPT)
    return in_parts(OCTETS, parts())


# ---------------------------------------------------------------- metadata


class _Kept:
    """Metadata as they were made: an object never changes, and reading one takes milliseconds.

    Whoever asks is asked for his right before; of an erased patient no object is found any more. What comes after it
    under the same identifier is of another pseudonym, and read anew.
    """

    def __init__(self) -> None:
        self._made: OrderedDict[tuple[str, ...], bytes] = OrderedDict()
        self._size = 0

    def get(self, key: tuple[str, ...]) -> bytes | None:
        made = self._made.get(key)
        if made is not None:
            self._made.move_to_end(key)
        return made

    def put(self, key: tuple[str, ...], made: bytes) -> None:
        if key in self._made:
            return
        self._made[key] = made
        self._size += len(made)
        while self._size > METADATA_BYTES:
            _, old = self._made.popitem(last=False)
            self._size -= len(old)


@router.get(STUDY + "/metadata", summary="All but the large values of a study")
async def study_metadata(study: str, request: Request, front: Here, who: Who) -> Response:
    """One data set for each object, in DICOM's JSON."""
    found = await study_of(front, who, study)
    instances = await instances_of(front, found, who=who)
    look(front, who, "look_images", found)
    return await _metadata(front, request, found, instances)


@router.get(SERIES + "/metadata", summary="All but the large values of a series")
async def series_metadata(study: str, series: str, request: Request, front: Here, who: Who) -> Response:
    """As `study_metadata`."""
    found = await study_of(front, who, study)
    instances = await instances_of(front, found, series, who=who)
    look(front, who, "look_images", found)
    return await _metadata(front, request, found, instances)


@router.get(INSTANCE + "/metadata", summary="All but the large values of an object")
async def instance_metadata(
    study: str, series: str, instance: str, request: Request, front: Here, who: Who
) -> Response:
    """As `study_metadata`."""
    found = await study_of(front, who, study)
    one = await instance_of(front, found, series, instance, who=who)
    look(front, who, "look_images", found)
    return await _metadata(front, request, found, [one])


async def _metadata(
    front: Front, request: Request, study: ImageStudy, instances: Sequence[StoredInstance]
) -> Response:
    accepts_json(accepted(request))
    state: Any = request.app.state
    if not hasattr(state, "image_metadata"):
        state.image_metadata = _Kept()
    kept: _Kept = state.image_metadata
    base = base_of(request)
    made: list[bytes] = []
    text = study.text
    moved = () if text.in_file is None else (str(msgspec.structs.replace(text, text_key=None)),)
    for one in instances:
        key = (base, one.sop_uid, one.sha256, one.patient, *moved)
        body = kept.get(key)
        if body is None:
            data = await _bytes(front, study, one)
            body = msgspec.json.encode(await beside(metadata, data, url_of(base, one)))
            kept.put(key, body)
        made.append(body)
    return Response(b"[" + b",".join(made) + b"]", media_type=DICOM_JSON, headers=KEPT)
