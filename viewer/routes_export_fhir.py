"""One case as a FHIR R4 Bundle, for other programs. Every export is noted."""

import asyncio
from typing import Annotated

import msgspec
from fastapi import APIRouter, Query
from starlette.responses import Response

from greenchannel.alerts.case import Case
from greenchannel.service.callers import Caller
from greenchannel.service.errors import NotFound
from greenchannel.signal.recording import Recording
from greenchannel.viewer import export_fhir
from greenchannel.viewer.access import may, may_name, require
from greenchannel.viewer.front import Front, Here, Who
from greenchannel.viewer.routes_export import attachment, note
from greenchannel.viewer.words import Word

router = APIRouter(prefix="/export", tags=["exports"])


@router.get("/fhir", summary="One case as a FHIR R4 Bundle")
async def fhir(
    front: Here,
    who: Who,
    case: Annotated[str, Query(max_length=64)],
    reason: Annotated[str | None, Query(max_length=500)] = None,
) -> Response:
    """Patient, Encounter, ECGs with their samples, readings, times, facts and studies. Name and telephone are in it for
    those alone who care for the patient, and for quality staff who give a `reason`, which is written down."""
    require(who, "export_case")
    found = front.case(case, who)
    note(front, who, "fhir", reason or "", found.case_id)
    await front.directory.refresh()
    told = export_fhir.Told(
        site=front.directory.site_names().get(found.site, Word(found.site, found.site)),
        people={
            one.person: front.directory.person(one.person)["name"]
            for ecg in found.ecgs
            for one in ecg.readings
        },
        person=await _person(front, found, who, reason),
        recordings=await _recordings(front, found),
        studies=await front.desk.images.of_case(found, front.desk.hub.cases)
        if may(who, "image_worklist")
        else (),
    )
    now = front.desk.clock.now()
    data = await asyncio.to_thread(lambda: msgspec.json.encode(export_fhir.bundle(found, told, now)))
    return attachment(data, export_fhir.MEDIA, Word(f"病例_{case}", f"case_{case}"), "json")


async def _person(front: Front, case: Case, who: Caller, reason: str | None) -> dict[str, str | None] | None:
    if not may_name(who, reason):
        return None
    front.look(who, "look_identity", case.case_id, reason)
    identity = await front.desk.identity(case.case_id)
    return None if identity is None else {key: identity.get(key) for key in ("name", "phone")}


async def _recordings(front: Front, case: Case) -> dict[str, Recording]:
    """The samples of each ECG that has some."""
    found = {}
    for ecg in case.distinct_ecgs:
        if ecg.not_analysed is None and (ecg.sha256 is not None or ecg.way == "stream"):
            try:
                found[ecg.ecg_id] = await front.desk.recording(ecg.ecg_id)
            except NotFound:
                continue  # a stream that ended without a sample
    return found
