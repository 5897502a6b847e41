"""The clinic's agent says it is there: its clock against ours, and what became of the ECGs it sent, in one request."""

from datetime import datetime
from typing import Annotated, Any, Final

from fastapi import APIRouter
from pydantic import AwareDatetime, Field
from starlette.responses import Response

from greenchannel.alerts.case import Case
from greenchannel.alerts.ecg_state import Ecg
from greenchannel.clock import check_aware
from greenchannel.ingest.device_clock import MOST_OFFSET_S, ClockOffset
from greenchannel.service.errors import NotFound
from greenchannel.viewer.access import require
from greenchannel.viewer.front import Front, Here, Who, answer
from greenchannel.viewer.routes_cases import Given
from greenchannel.viewer.routes_ecgs import states
from greenchannel.viewer.wire import maybe, record_again

router = APIRouter(prefix="/contact", tags=["the clinic's agent"])

MOST_ECGS: Final = 100


class Contact(Given):
    """What an agent says."""

    agent_clock: AwareDatetime
    offset_s: Annotated[float, Field(ge=-MOST_OFFSET_S, le=MOST_OFFSET_S)] | None = None
    uncertainty_s: Annotated[float, Field(ge=0, le=3600)] | None = None
    ecgs: Annotated[dict[str, Annotated[int, Field(ge=0)]], Field(max_length=MOST_ECGS, default_factory=dict)]


@router.post("", summary="States of several ECGs, and the time")
async def contact(body: Contact, front: Here, who: Who) -> Response:
    """`ecgs` names ECGs, each with the `seq` that its sender knows, 0 for none; what has not changed since is left
    out. `received_at` and `server_time` are ours at the beginning and at the end, for an offset as NTP has it; one
    that the agent measured before may be said as `offset_s` (its clock minus ours) with `uncertainty_s`."""
    received_at = front.desk.clock.now()
    require(who, "look")
    if body.offset_s is not None and body.uncertainty_s is not None and who.kind == "device":
        measured = ClockOffset(
            offset_s=body.offset_s, uncertainty_s=body.uncertainty_s, measured_at=received_at
        )
        await front.desk.agent_clocks.note(who, measured)
    await front.directory.refresh()
    changed, gone = [], []
    for ecg_id, seq in body.ecgs.items():
        try:
            case = front.case_of_ecg(ecg_id, who)
        except NotFound:
            gone.append(ecg_id)
            continue
        ecg = case.ecg(ecg_id)
        if ecg is None:
            gone.append(ecg_id)
        elif case.seq > seq:
            front.look(who, "look_ecg", case.case_id, ecg_id)
            changed.append(_row(front, case, ecg))
    return answer(
        {
            "received_at": _precise(received_at),
            "server_time": _precise(front.desk.clock.now()),
            "ecgs": changed,
            "gone": gone,
        }
    )


def _row(front: Front, case: Case, ecg: Ecg) -> dict[str, Any]:
    advised = ecg.standing_advice
    return {
        "ecg_id": ecg.ecg_id,
        "case_id": case.case_id,
        "case_state": case.state,
        "seq": case.seq,
        "tier": ecg.tier,
        "not_analysed": ecg.not_analysed,
        "states": states(case, ecg),
        "record_again": record_again(case),
        "reading": None
        if ecg.reading is None
        else {
            "text": ecg.reading.text,
            "tier": ecg.reading.tier,
            "name": front.directory.person(ecg.reading.person)["name"],
        },
        "advice": None
        if advised is None
        else {
            "text": advised.advice,
            "at": maybe(advised.at),
            "name": front.directory.person(advised.person)["name"],
        },
    }


def _precise(instant: datetime) -> str:
    """To the microsecond: a millisecond is a part of what is to be measured."""
    return check_aware(instant).isoformat(timespec="microseconds")
