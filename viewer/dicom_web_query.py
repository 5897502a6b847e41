"""QIDO-RS (PS3.18 10.6): searching for studies, series and objects, within the caller's own sites."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Final

from fastapi import APIRouter, Depends, Request
from pydicom.datadict import keyword_for_tag, tag_for_keyword
from starlette.responses import Response

from greenchannel.service.imaging.giving import giving_of
from greenchannel.service.imaging.query import FILTERS
from greenchannel.service.imaging.records import Hit
from greenchannel.service.imaging.searching import Search
from greenchannel.service.imaging.threads import in_searches
from greenchannel.viewer.access import require
from greenchannel.viewer.dicom_web_accept import accepts_json
from greenchannel.viewer.dicom_web_front import (
    DICOM_JSON,
    KEPT,
    accepted,
    base_of,
    instances_of,
    study_of,
)
from greenchannel.viewer.dicom_web_rows import rows_of
from greenchannel.viewer.front import Front, Here, Who, credential_of, front_of
from greenchannel.viewer.problems import Problem


async def _credential_has_room(request: Request) -> AsyncIterator[None]:
    """Before anybody asks whose credential it is: who asks too much at once costs next to nothing."""
    async with front_of(request).asking.of(credential_of(request)):
        yield


router = APIRouter(tags=["images"], dependencies=[Depends(_credential_has_room)])

USUAL: Final = 100  # results where no limit is named  [E]
MOST: Final = 1_000  # [E]
_ABOUT_THE_ANSWER: Final = frozenset({"limit", "offset", "includefield", "fuzzymatching", "accept"})


@router.get("/studies", summary="Search for studies")
async def search_studies(request: Request, front: Here, who: Who) -> Response:
    """By attributes as keywords or tags: ``PatientName=WANG*&StudyDate=20260301-20260302&ModalitiesInStudy=CT``."""
    return await _search(front, who, request, "study", {})


@router.get("/series", summary="Search for series")
async def search_series(request: Request, front: Here, who: Who) -> Response:
    """Of all studies."""
    return await _search(front, who, request, "series", {})


@router.get("/instances", summary="Search for objects")
async def search_instances(request: Request, front: Here, who: Who) -> Response:
    """Of all studies."""
    return await _search(front, who, request, "instance", {})


@router.get("/studies/{study}/series", summary="Search for series of a study")
async def search_series_of(study: str, request: Request, front: Here, who: Who) -> Response:
    """404 where there is no such study."""
    await study_of(front, who, study)
    return await _search(front, who, request, "series", {"StudyInstanceUID": study})


@router.get("/studies/{study}/instances", summary="Search for objects of a study")
async def search_instances_of(study: str, request: Request, front: Here, who: Who) -> Response:
    """404 where there is no such study."""
    await study_of(front, who, study)
    return await _search(front, who, request, "instance", {"StudyInstanceUID": study})


@router.get("/studies/{study}/series/{series}/instances", summary="Search for objects of a series")
async def search_instances_of_series(
    study: str, series: str, request: Request, front: Here, who: Who
) -> Response:
    """404 where there is no such series."""
    await instances_of(front, await study_of(front, who, study), series, who=who)
    return await _search(
        front, who, request, "instance", {"StudyInstanceUID": study, "SeriesInstanceUID": series}
    )


@router.get("/studies/{study}/priors", summary="Other studies of the patient of a study (ours)")
async def search_priors(study: str, request: Request, front: Here, who: Who) -> Response:
    """Of the very patient of that site: a number of a patient alone means somebody else in another clinic."""
    found = await study_of(front, who, study)
    accepts_json(accepted(request))
    may_see = front.desk.image_readings.may_see
    asked = Search(level="study", filters={}, limit=MOST, patient=found.patient)
    return await _answer(
        front,
        who,
        request,
        asked,
        by=["priors of a study"],
        only=lambda hit: hit.study.study_uid != study and may_see(hit.study.study_uid, who, hit.study.site),
    )


async def _search(front: Front, who: Who, request: Request, level: str, given: Mapping[str, str]) -> Response:
    require(who, "file")
    accepts_json(accepted(request))
    filters, ignored = filters_of(request.query_params.multi_items())
    readings = front.desk.image_readings
    asked = Search(
        level=level,
        filters={**filters, **given},
        limit=_number(request, "limit", USUAL, MOST),
        offset=_number(request, "offset", 0, 2**31),
        # Below one study its own door was passed.
        sites=None if "StudyInstanceUID" in given else who.sites,
        shared=() if "StudyInstanceUID" in given else readings.shared_with(who.sites),
    )
    headers = dict(KEPT)
    if ignored:
        headers["Warning"] = f'299 greenchannel: "not searched by: {", ".join(ignored)}"'
    return await _answer(front, who, request, asked, headers=headers)


async def _answer(
    front: Front,
    who: Who,
    request: Request,
    asked: Search,
    *,
    headers: Mapping[str, str] = KEPT,
    by: Sequence[str] | None = None,
    only: Callable[[Hit], bool] | None = None,
) -> Response:
    """Search, note it, and write the answer, all in one thread beside the loop."""
    base = base_of(request)

    def work() -> tuple[int, bytes]:
        hits = front.desk.images.found(asked)
        if only is not None:
            hits = [hit for hit in hits if only(hit)]
        return len(hits), rows_of(hits, base) if hits else b""

    async with front.searching.of(who.actor):
        found, body = await in_searches(work)
    giving_of(front.desk).looking.searched(who.actor, asked.filters if by is None else by, found)
    if not found:
        return Response(status_code=204, headers=headers)
    return Response(body, media_type=DICOM_JSON, headers=headers)


def _number(request: Request, name: str, unsaid: int, most: int) -> int:
    text = request.query_params.get(name)
    if text is None:
        return unsaid
    if not (text.isascii() and text.isdigit() and len(text) < 11):
        raise Problem(400, f"{name} is no number", expected="0 or more", got=text[:40])
    return min(int(text), most)


def filters_of(items: Sequence[tuple[str, str]]) -> tuple[dict[str, str], list[str]]:
    """The attributes that are searched by, by keyword, and the names of those that are passed over.

    Raises
    ------
    Problem
        400 for a name that is neither an attribute nor a parameter.
    """
    filters: dict[str, str] = {}
    ignored: list[str] = []
    for name, value in items:
        if name in _ABOUT_THE_ANSWER:
            continue
        keyword = _keyword(name)
        if keyword in FILTERS:
            filters[keyword] = f"{filters[keyword]}\\{value}" if keyword in filters else value
        elif value.strip(" *?"):
            ignored.append(keyword)
    return filters, ignored


def _keyword(name: str) -> str:
    """The keyword of an attribute that is named by keyword or tag; of one within a sequence, its whole path."""
    if name in FILTERS:
        return name
    found = []
    for part in name.split("."):
        is_tag = len(part) == 8 and all(letter in "0123456789abcdefABCDEF" for letter in part)
        keyword = (keyword_for_tag(int(part, 16)) or part.upper()) if is_tag else part
        if not is_tag and tag_for_keyword(part) is None:
            raise Problem(
                400, "there is no such attribute", expected="a keyword or a tag of DICOM", got=name[:64]
            )
        found.append(keyword)
    return ".".join(found)
