"""What the DICOMweb routes share: whose study it is, who looked at it, addresses, and answers in parts."""

import functools
import re
import secrets
from collections.abc import AsyncIterator, Callable
from typing import Any, Final, TypeVar

from fastapi import Request
from starlette.responses import Response, StreamingResponse

from greenchannel.service.callers import Caller
from greenchannel.service.errors import NotFound
from greenchannel.service.imaging.giving import giving_of
from greenchannel.service.imaging.records import ImageStudy, StoredInstance
from greenchannel.service.imaging.threads import in_images
from greenchannel.viewer.access import may, require
from greenchannel.viewer.dicom_web_accept import Wanted, wanted
from greenchannel.viewer.front import Front

DICOM_JSON: Final = "application/dicom+json"
KEPT: Final = {"Cache-Control": "no-store"}

Answer = TypeVar("Answer")

_UID: Final = re.compile(r"[0-9.]{1,64}")


def look(front: Front, who: Caller, action: str, study: ImageStudy) -> None:
    """Note in the access log that somebody looks at a study."""
    giving_of(front.desk).looking.looked(who.actor, action, study)


async def study_of(front: Front, who: Caller, study_uid: str) -> ImageStudy:
    """A study that the caller may see; raises `NotFound` as if there were none, `Forbidden` for the role."""
    require(who, "file")
    if not _UID.fullmatch(study_uid):
        raise NotFound("study", study_uid[:64])
    study = await front.desk.images.study(study_uid)
    if not front.desk.image_readings.may_see(
        study_uid, who, study.site
    ):  # its own site, or shared with the caller's
        raise NotFound("study", study_uid)
    return study


async def instances_of(
    front: Front, study: ImageStudy, series_uid: str | None = None, *, who: Caller | None = None
) -> list[StoredInstance]:
    """The objects of a study or series; raises `NotFound` for a series that is not there.

    Reports of ours are among them where `who` is said, and may read reports.
    """
    found = await front.desk.images.instances(study.study_uid, series_uid)
    found = [one for one in found if _is_for(who, one)]
    if not found and series_uid is not None:
        raise NotFound("series", series_uid[:64])
    return found


async def instance_of(
    front: Front, study: ImageStudy, series_uid: str, sop_uid: str, *, who: Caller | None = None
) -> StoredInstance:
    """One object of a series of the study, as `instances_of` gives them; raises `NotFound`."""
    if not _UID.fullmatch(sop_uid):
        raise NotFound("image", sop_uid[:64])
    found = await front.desk.images.instance(sop_uid)
    here = (found.study_uid, found.series_uid) == (study.study_uid, series_uid)
    if not here or not _is_for(who, found):
        raise NotFound("image", sop_uid)
    return found


def _is_for(who: Caller | None, one: StoredInstance) -> bool:
    return not one.made_here or (who is not None and may(who, "image_report"))


def base_of(request: Request) -> str:
    """The address of the DICOMweb service as the client has reached it."""
    path = request.url.path
    return f"{request.url.scheme}://{request.url.netloc}{path[: path.index('/dicom-web')]}/dicom-web"


def url_of(base: str, one: StoredInstance) -> str:
    """The address of an object."""
    return f"{base}/studies/{one.study_uid}/series/{one.series_uid}/instances/{one.sop_uid}"


def accepted(request: Request) -> list[Wanted]:
    """What the client can take."""
    return wanted(request.headers.get("accept"), request.query_params.get("accept"))


async def beside(make: Callable[..., Answer], *given: Any, **named: Any) -> Answer:
    """Do in a thread what takes a while."""
    return await in_images(functools.partial(make, *given, **named))


def in_parts(media: str, parts: AsyncIterator[tuple[str, str | None, bytes]]) -> Response:
    """``multipart/related`` of parts, each with its content type, its address and its body, sent as they come."""
    boundary = secrets.token_hex(16)

    async def pieces() -> AsyncIterator[bytes]:
        async for kind, location, body in parts:
            head = f"--{boundary}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n"
            if location is not None:
                head += f"Content-Location: {location}\r\n"
            yield head.encode("ascii") + b"\r\n"
            yield body
            yield b"\r\n"
        yield f"--{boundary}--\r\n".encode("ascii")

    content_type = f'multipart/related; type="{media}"; boundary={boundary}'
    return StreamingResponse(pieces(), headers=KEPT | {"Content-Type": content_type})
