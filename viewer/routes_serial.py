"""Earlier ECGs of the same patient, and one of them compared with the present one."""

import asyncio
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query
from starlette.responses import Response

from greenchannel.alerts.case import Case
from greenchannel.alerts.ecg_state import Ecg
from greenchannel.clock import rfc3339
from greenchannel.service.before import Past, instant_of, past_ecgs, recordings_of, set_of
from greenchannel.service.callers import Caller
from greenchannel.service.errors import NotFound
from greenchannel.triage.comparison import measured_beat
from greenchannel.viewer import serial_json, wire
from greenchannel.viewer.access import require
from greenchannel.viewer.directory import Directory
from greenchannel.viewer.front import Front, Here, Who, answer

router = APIRouter(prefix="/ecgs", tags=["ECGs"])

MOST_PREVIOUS: Final = 50
"""Earlier ECGs that one answer names; nobody lays more side by side."""


@router.get("/{ecg_id}/previous", summary="Earlier ECGs of the same patient")
async def previous(ecg_id: str, front: Here, who: Who) -> Response:
    """The newest first, of the cases that the caller may see, each once whatever formats it came in."""
    require(who, "look")
    case, ecg = _found(front, ecg_id, who)
    await front.directory.refresh()
    past = past_ecgs(case, ecg_id, _visible(front, who))
    shown = past[:MOST_PREVIOUS]
    for case_id in dict.fromkeys((case.case_id, *(one.case.case_id for one in shown))):
        front.look(who, "look_previous", case_id, ecg_id)
    at = instant_of(ecg)
    return answer(
        {
            "ecg_id": ecg_id,
            "case_id": case.case_id,
            "at": None if at is None else rfc3339(at),
            "total": len(past),
            "previous": [_summary(one, case, ecg, front.directory) for one in shown],
        }
    )


@router.get("/{ecg_id}/serial", summary="What changed since another ECG of the same patient")
async def compared(
    ecg_id: str, front: Here, who: Who, other_id: Annotated[str, Query(alias="with", max_length=64)]
) -> Response:
    """The later of the two against the earlier, lead by lead; whichever is named first. 404 for another patient's."""
    require(who, "waveform")
    case, ecg = _found(front, ecg_id, who)
    known = {one.ecg.ecg_id: one for one in recordings_of(case.patient, _visible(front, who))}
    own, other = known.get(ecg_id), known.get(other_id)
    if own is None or other is None or own is other:
        raise NotFound("other ECG of this patient", other_id)
    await front.directory.refresh()
    for one, against in ((own, other_id), (other, ecg_id)):
        front.look(who, "look_serial", one.case.case_id, f"{one.ecg.ecg_id} {against}")
    earlier, later = sorted((own, other), key=lambda one: (one.at, one.ecg.ecg_id))
    read = [await front.desk.analysis(one.ecg.ecg_id) for one in (earlier, later)]
    content = await asyncio.to_thread(_content, earlier, later, *read)
    names = front.directory
    heads = {
        "earlier": _summary(earlier, case, ecg, names),
        "later": _summary(later, case, ecg, names),
    }
    return answer({"ecg_id": ecg_id, "with": other_id, **heads, **content})


def _content(
    earlier: Past, later: Past, first: dict[str, Any] | None, second: dict[str, Any] | None
) -> dict[str, Any]:
    beats = [
        None if analysis is None else measured_beat(analysis, electrode_set=set_of(one.ecg))
        for one, analysis in ((earlier, first), (later, second))
    ]
    old, new = beats
    if first is None or second is None:
        found = serial_json.not_compared("not_analysed")
    elif old is None or new is None:
        found = serial_json.not_compared("no_beat")
    else:
        found = serial_json.comparison(old, new)
    return {
        **found,
        "beats": {"earlier": serial_json.beat(old), "later": serial_json.beat(new)},
        "r_s": {
            name: [] if analysis is None else analysis["fiducials"]["r_s"]
            for name, analysis in (("earlier", first), ("later", second))
        },
    }


def _summary(past: Past, case: Case, beside: Ecg, names: Directory) -> dict[str, Any]:
    """One recording of the list; `case` and `beside` are those that it is held against."""
    ecg, reading = past.ecg, past.ecg.reading
    acquired = ecg.acquired
    return {
        "ecg_id": ecg.ecg_id,
        "case_id": past.case.case_id,
        "same_case": past.case.case_id == case.case_id,
        "site": names.site(past.case.site),
        "at": rfc3339(past.at),
        "at_source": "received" if acquired is None else acquired.clock,
        "offset_s": None if acquired is None else acquired.offset_s,
        "uncertainty_s": None if acquired is None else acquired.uncertainty_s,
        "device": ecg.device,
        "format": ecg.format,
        "tier": ecg.tier,
        "acceptable": ecg.acceptable,
        "leads": ecg.leads,
        "electrode_set": set_of(ecg),
        "same_placement": set_of(ecg) == set_of(beside),
        "not_analysed": ecg.not_analysed,
        "reading": None if reading is None else wire.reading(ecg, reading, names),
    }


def _visible(front: Front, who: Caller) -> list[Case]:
    return [case for case in front.desk.cases() if who.may_see(case.site)]


def _found(front: Front, ecg_id: str, who: Caller) -> tuple[Case, Ecg]:
    case = front.case_of_ecg(ecg_id, who)
    ecg = case.ecg(ecg_id)
    if ecg is None:
        raise NotFound("ECG", ecg_id)
    return case, ecg
