"""QIDO-RS (PS3.18 10.6): searching for studies, series and objects, within the caller's own sites."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
from fastapi import APIRouter, Request
from pydicom.datadict import dictionary_VR, keyword_for_tag, tag_for_keyword
from starlette.responses import Response

from greenchannel.ingest.imaging.dicom_json import person
from greenchannel.service.imaging.giving import giving_of
from greenchannel.service.imaging.query import FILTERS
from greenchannel.service.imaging.records import Hit
from greenchannel.viewer.access import require
from greenchannel.viewer.dicom_web_accept import accepts_json
from greenchannel.viewer.dicom_web_front import DICOM_JSON, KEPT, accepted, base_of, instances_of, study_of
from greenchannel.viewer.front import Front, Here, Who
from greenchannel.viewer.problems import Problem

router = APIRouter(tags=["images"])

USUAL: Final = 100  # results where no limit is named  [E]
MOST: Final = 1_000  # [E]
_ABOUT_THE_ANSWER: Final = frozenset({"limit", "offset", "includefield", "fuzzymatching", "accept"})

Json = dict[str, Any]


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
    hits = await front.desk.images.search("study", {}, limit=MOST, sites=None, patient=found.patient)
    may_see = front.desk.image_readings.may_see
    hits = [
        hit
        for hit in hits
        if hit.study.study_uid != study and may_see(hit.study.study_uid, who, hit.study.site)
    ]
    giving_of(front.desk).looking.searched(who.actor, ["priors of a study"], len(hits))
    return await _answer(front, request, "study", hits, dict(KEPT))


async def _search(front: Front, who: Who, request: Request, level: str, given: Mapping[str, str]) -> Response:
    require(who, "file")
    accepts_json(accepted(request))
    filters, ignored = filters_of(request.query_params.multi_items())
    hits = await front.desk.images.search(
        level,
        {**filters, **given},
        limit=_number(request, "limit", USUAL, MOST),
        offset=_number(request, "offset", 0, 2**31),
        # Below one study its own door was passed: it may be one that was shared with the caller's site.
        sites=None if "StudyInstanceUID" in given else who.sites,
    )
    giving_of(front.desk).looking.searched(who.actor, {**filters, **given}, len(hits))
    headers = dict(KEPT)
    if ignored:
        headers["Warning"] = f'299 greenchannel: "not searched by: {", ".join(ignored)}"'
    return await _answer(front, request, level, hits, headers)


async def _answer(
    front: Front, request: Request, level: str, hits: Sequence[Hit], headers: Mapping[str, str]
) -> Response:
    if not hits:
        return Response(status_code=204, headers=headers)
    counts = (
        await giving_of(front.desk).series_counts([hit.study.study_uid for hit in hits])
        if level == "study"
        else {}
    )
    base = base_of(request)
    rows = [row_of(hit, base, counts.get(hit.study.study_uid)) for hit in hits]
    return Response(msgspec.json.encode(rows), media_type=DICOM_JSON, headers=headers)


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


# ---------------------------------------------------------------- results


def row_of(hit: Hit, base: str, series: int | None = None) -> Json:
    """One result, with the attributes of PS3.18 tables 10.6.3-3 to 10.6.3-5 that are known."""
    study = hit.study
    url = f"{base}/studies/{study.study_uid}"
    row = _of_study(hit, series)
    if hit.series is not None:
        url += f"/series/{hit.series.series_uid}"
        row |= _of_series(hit)
    if hit.instance is not None:
        url += f"/instances/{hit.instance.sop_uid}"
        row |= _of_instance(hit)
    row |= _element("InstanceAvailability", "ONLINE") | _element("RetrieveURL", url)
    return dict(sorted(row.items()))


def _of_study(hit: Hit, series: int | None) -> Json:
    study, text = hit.study, hit.study.text
    born = text.birth_date
    return (
        _element("SpecificCharacterSet", "ISO_IR 192")
        | _element("StudyDate", study.study_date)
        | _element("StudyTime", study.study_time)
        | _element("AccessionNumber", text.accession)
        | _element("ModalitiesInStudy", *study.modalities)
        | _element("ReferringPhysicianName", text.referrer)
        | _element("StudyDescription", text.description)
        | _element("PatientName", text.patient_name)
        | _element("PatientID", text.patient_id)
        | _element("PatientBirthDate", None if born is None else f"{born:%Y%m%d}")
        | _element("PatientSex", {"male": "M", "female": "F"}.get(text.sex or ""))
        | _element("StudyInstanceUID", study.study_uid)
        | _element("StudyID", None)
        | _element("NumberOfStudyRelatedSeries", series)
        | _element("NumberOfStudyRelatedInstances", study.instances + study.made_here)
    )


def _of_series(hit: Hit) -> Json:
    series = hit.series
    assert series is not None
    return (
        _element("Modality", series.modality)
        | _element("SeriesDescription", series.text.description)
        | _element("BodyPartExamined", series.body_part)
        | _element("SeriesInstanceUID", series.series_uid)
        | _element("SeriesNumber", series.number)
        | _element("NumberOfSeriesRelatedInstances", series.instances)
    )


def _of_instance(hit: Hit) -> Json:
    instance = hit.instance
    assert instance is not None
    facts = instance.facts
    return (
        _element("SOPClassUID", instance.sop_class)
        | _element("SOPInstanceUID", instance.sop_uid)
        | _element("InstanceNumber", instance.number)
        | _element("AvailableTransferSyntaxUID", instance.transfer_syntax)
        | _element("Rows", facts.rows)
        | _element("Columns", facts.cols)
        | _element("BitsAllocated", facts.bits_allocated)
        | _element("NumberOfFrames", facts.frames)
    )


_TAGS: Final[dict[str, tuple[str, str]]] = {}  # keyword: tag and VR, as they are asked for


def _element(keyword: str, *values: Any) -> Json:
    """One attribute; without a value where it is unknown."""
    known = _TAGS.get(keyword)
    if known is None:
        tag = tag_for_keyword(keyword)
        assert tag is not None
        known = _TAGS[keyword] = (f"{tag:08X}", dictionary_VR(tag))
    tag_text, vr = known
    said = [value for value in values if value is not None and value != ""]
    if not said:
        return {tag_text: {"vr": vr}}
    return {tag_text: {"vr": vr, "Value": [person(one) for one in said] if vr == "PN" else said}}
