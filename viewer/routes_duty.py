"""What the people on duty answer: alerts and tasks; and the quarantine, for an admin."""

import asyncio
from typing import Annotated

from fastapi import APIRouter
from pydantic import Field
from starlette.responses import Response

from greenchannel.clock import rfc3339
from greenchannel.service.errors import NotFound
from greenchannel.viewer.access import require, visible
from greenchannel.viewer.front import Front, Here, Who, answer
from greenchannel.viewer.routes_cases import PRINTABLE, Given, Nothing

router = APIRouter(tags=["duty"])


class MaybeReason(Given):
    """Why, if the person says so."""

    reason: Annotated[str, Field(max_length=500, pattern=PRINTABLE)] | None = None


class To(Given):
    """The person who takes over."""

    to: Annotated[str, Field(min_length=1, max_length=64)]


def _check_alert(front: Front, alert_id: str, who: Who) -> None:
    require(who, "answer_alert")
    visible(front.desk.case_of_alert(alert_id), who)


@router.post("/alerts/{alert_id}/ack", summary="I have it")
async def acknowledge(alert_id: str, front: Here, who: Who, body: Nothing | None = None) -> Response:
    """Stops the escalation; again changes nothing."""
    _check_alert(front, alert_id, who)
    return answer({"case": await front.row(await front.desk.answers.acknowledge(alert_id, who))})


@router.post("/alerts/{alert_id}/claim", summary="I take it over")
async def claim(alert_id: str, front: Here, who: Who, body: Nothing | None = None) -> Response:
    """Answered or not."""
    _check_alert(front, alert_id, who)
    return answer({"case": await front.row(await front.desk.answers.claim(alert_id, who))})


@router.post("/alerts/{alert_id}/decline", summary="I cannot take it")
async def decline(alert_id: str, front: Here, who: Who, body: MaybeReason | None = None) -> Response:
    """The next step comes at once."""
    _check_alert(front, alert_id, who)
    case = await front.desk.answers.decline(alert_id, who, body.reason if body else None)
    return answer({"case": await front.row(case)})


@router.post("/alerts/{alert_id}/handover", summary="Somebody else takes it")
async def hand_over(alert_id: str, body: To, front: Here, who: Who) -> Response:
    """From the one who answered to another."""
    _check_alert(front, alert_id, who)
    return answer({"case": await front.row(await front.desk.answers.hand_over(alert_id, who, body.to))})


@router.post("/alerts/{alert_id}/silence", summary="My own device is quiet")
async def silence(alert_id: str, front: Here, who: Who, body: Nothing | None = None) -> Response:
    """The device is quiet for two minutes at most. The escalation goes on, so nothing of the case changes."""
    _check_alert(front, alert_id, who)
    case = front.desk.case_of_alert(alert_id)
    front.look(who, "silence", case.case_id, alert_id)
    return answer({"case": await front.row(case)})


@router.post("/tasks/{task_id}/accept", summary="My role takes the task")
async def accept(task_id: str, front: Here, who: Who, body: Nothing | None = None) -> Response:
    """The first one is kept."""
    require(who, "task")
    visible(front.desk.case_of_task(task_id), who)
    return answer({"case": await front.row(await front.desk.answers.accept_task(task_id, who))})


@router.post("/tasks/{task_id}/done", summary="The task is finished")
async def done(task_id: str, front: Here, who: Who, body: Nothing | None = None) -> Response:
    """Its milestone is recorded with it."""
    require(who, "task")
    visible(front.desk.case_of_task(task_id), who)
    return answer({"case": await front.row(await front.desk.answers.done_task(task_id, who))})


# ---------------------------------------------------------------- quarantine


@router.get("/quarantine", summary="What could not be read", tags=["administration"])
async def quarantined(front: Here, who: Who) -> Response:
    """Newest first, with the reason."""
    require(who, "quarantine")
    files = await asyncio.to_thread(front.desk.quarantine.list)
    return answer(
        {
            "files": [
                {
                    "id": one.id,
                    "at": rfc3339(one.at),
                    "actor": one.actor,
                    "reason": one.reason,
                    "detail": one.detail,
                    "size_bytes": one.size_bytes,
                }
                for one in files
            ]
        }
    )


@router.get("/quarantine/{file_id}", summary="The bytes of one", tags=["administration"])
async def quarantined_bytes(file_id: str, front: Here, who: Who) -> Response:
    """As they came."""
    require(who, "quarantine")
    try:
        data = await asyncio.to_thread(front.desk.quarantine.read, file_id)
    except LookupError:
        raise NotFound("file in quarantine", file_id) from None
    return Response(
        data,
        media_type="application/octet-stream",
        headers={"Content-Disposition": "attachment", "Cache-Control": "no-store"},
    )
