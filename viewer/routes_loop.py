"""The closed loop: what waits to be seen to, and what became of the patient."""

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.responses import Response

from greenchannel.alerts.case import Case
from greenchannel.alerts.closed_loop import open_of
from greenchannel.alerts.outcome_card import card
from greenchannel.alerts.tables import read_value
from greenchannel.clock import rfc3339
from greenchannel.viewer import loop_json
from greenchannel.viewer.access import require, visible
from greenchannel.viewer.directory import Directory
from greenchannel.viewer.front import Here, Who, answer
from greenchannel.viewer.routes_cases import PRINTABLE, Given, Nothing

router = APIRouter(tags=["closed loop"])


class Came(Given):
    """What came of a follow-up."""

    result: Annotated[str, Field(min_length=1, max_length=32, pattern=PRINTABLE)]


@router.get("/followups", summary="What waits to be seen to")
async def followups(
    front: Here,
    who: Who,
    overdue: Annotated[str | None, Query(max_length=5, pattern="^(|1|true|0|false)$")] = None,
    role: Annotated[str | None, Query(max_length=32)] = None,
    site: Annotated[str | None, Query(max_length=64)] = None,
) -> Response:
    """Of all cases that the caller may see, the one that is due longest first; no names of patients.

    With `overdue` (or `overdue=true`) only what is late, with `overdue=false` only what is not; `total` counts what a
    long list leaves out.
    """
    require(who, "followups")
    await front.directory.refresh()
    late = None if overdue is None else overdue in ("", "1", "true")
    cases = [case for case in front.desk.cases() if who.may_see(case.site) and site in (None, case.site)]
    now = front.desk.clock.now()

    def found() -> list[dict[str, Any]]:
        rows = [
            (one.due_at, case.case_id, loop_json.waiting(one) | _about(case, front.directory))
            for case in cases
            for one in open_of(case, now)
            if late in (None, one.overdue) and role in (None, one.role)
        ]
        return [row for _, _, row in sorted(rows, key=lambda each: each[:2])]

    rows = await asyncio.to_thread(found)
    most = read_value("closed_loop", "most_listed", int)
    return answer({"total": len(rows), "followups": rows[:most]})


def _about(case: Case, names: Directory) -> dict[str, Any]:
    """Which case it is of, without whose."""
    return {
        "case": {
            "case_id": case.case_id,
            "state": case.state,
            "site": names.site(case.site),
            "tier": case.tier,
            "opened_at": rfc3339(case.opened_at),
            "age_years": case.context.age_years,
            "sex": case.context.sex,
        }
    }


@router.post("/followups/{followup_id}/done", summary="What came of a follow-up")
async def done(followup_id: str, body: Came, front: Here, who: Who) -> Response:
    """`result` is one of the kind's codes; the same again changes nothing."""
    require(who, "followups")
    visible(front.desk.case_of_followup(followup_id), who)
    return answer(
        {"case": await front.row(await front.desk.answers.followup_done(followup_id, who, body.result))}
    )


@router.get("/cases/{case_id}/outcome", summary="What became of the patient")
async def outcome(case_id: str, front: Here, who: Who) -> Response:
    """Diagnosis, outcome, the times of the case, and whether the clinic was told and has read it."""
    require(who, "look")
    case = front.case(case_id, who)
    await front.directory.refresh()
    front.look(who, "look_outcome", case_id)
    return answer({"case_id": case_id, **loop_json.outcome(card(case), front.directory)})


@router.post("/cases/{case_id}/feedback", summary="Tell the clinic what became of the patient")
async def feedback(case_id: str, front: Here, who: Who, body: Nothing | None = None) -> Response:
    """Needs an outcome. Sent already and not changed since, nothing happens."""
    require(who, "feedback")
    front.case(case_id, who)
    return answer({"case": await front.row(await front.desk.answers.send_feedback(case_id, who))})


@router.post("/cases/{case_id}/feedback-seen", summary="The clinic has read what became of the patient")
async def feedback_seen(case_id: str, front: Here, who: Who, body: Nothing | None = None) -> Response:
    """The first look at what was sent last is kept."""
    require(who, "feedback_seen")
    front.case(case_id, who)
    return answer({"case": await front.row(await front.desk.answers.feedback_seen(case_id, who))})
