"""The report of one ECG as a PDF."""

import asyncio
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import BeforeValidator
from starlette.responses import Response

from greenchannel.alerts.case import Case
from greenchannel.service.callers import Caller
from greenchannel.service.errors import NotFound
from greenchannel.viewer import report_content, report_pages
from greenchannel.viewer.access import may_name, require
from greenchannel.viewer.front import Front, Here, Who
from greenchannel.viewer.problems import Problem

router = APIRouter(prefix="/ecgs", tags=["ECGs"])


def _whole(value: object) -> object:
    """A number of the query is text; what is no number stays what it is and is refused."""
    return int(value) if isinstance(value, str) and value.isdecimal() else value


@router.get("/{ecg_id}/report", summary="The report as a PDF, with the trace in its true size")
async def report(
    ecg_id: str,
    front: Here,
    who: Who,
    lang: Literal["zh", "en"] = "zh",
    form: Literal["auto", "3x4+1R", "6x2", "12x1", "18", "cabrera"] = "auto",
    paper: Literal["landscape", "portrait"] = "landscape",
    speed: Annotated[Literal[25, 50], BeforeValidator(_whole)] = 25,
    gain: Annotated[Literal[5, 10, 20], BeforeValidator(_whole)] = 10,
    from_s: Annotated[float, Query(ge=0, le=1e6)] = 0.0,
    named: bool = True,
    reason: Annotated[str | None, Query(max_length=500)] = None,
) -> Response:
    """With the name of the patient only where the caller may know it (quality staff give a `reason`), and not with
    `named=false`; then a pseudonym stands in its place. Every report is written to the access log."""
    require(who, "waveform")
    case = front.case_of_ecg(ecg_id, who)
    ecg = case.ecg(ecg_id)
    if ecg is None:
        raise NotFound("ECG", ecg_id)
    recording = await front.desk.recording(ecg_id)
    if from_s >= recording.duration_s:
        raise Problem(
            422,
            f"the recording ends at {recording.duration_s:g} s",
            code="beyond_end",
            zh=f"起点超出记录：全长 {recording.duration_s:g} 秒",
            expected=f"from_s below {recording.duration_s:g}",
            got=f"{from_s:g}",
        )
    analysis = await front.desk.analysis(ecg_id)
    person_name = await _name(front, case, who, reason) if named else None
    front.look(who, "look_report", case.case_id, ecg_id)
    await front.directory.refresh()
    names = front.directory
    settings = front.desk.settings
    printed_by = names.person(who.id)["name"] or who.name

    def draw() -> bytes:
        said = report_content.content(
            case,
            ecg,
            recording,
            analysis,
            names={one: names.person(one)["name"] for one in report_content.people_of(ecg.readings)},
            site=names.site(case.site),
            network=(settings.network_zh, settings.network_en),
            person_name=person_name,
            printed_at=front.desk.clock.now(),
            printed_by=printed_by,
            english=lang == "en",
        )
        return report_pages.pages(
            said, recording, analysis, form=form, paper=paper, speed=speed, gain=gain, from_s=from_s
        )

    headers: dict[str, Any] = {
        "Content-Disposition": f'inline; filename="{ecg_id}.pdf"',
        "Cache-Control": "no-store",
    }
    return Response(await asyncio.to_thread(draw), media_type="application/pdf", headers=headers)


async def _name(front: Front, case: Case, who: Caller, reason: str | None) -> str | None:
    """The patient's name for who may know it; the look is noted."""
    if not may_name(who, reason):
        return None
    identity = await front.desk.identity(case.case_id)
    front.look(who, "look_identity", case.case_id, reason)
    return None if identity is None else identity.get("name")
