"""Drills: practice with real alerts, marked wherever it is shown; started and ended by an administrator or the head of
duty."""

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import Field
from starlette.responses import Response

from greenchannel.alerts import drill
from greenchannel.alerts.case import Case
from greenchannel.clock import rfc3339
from greenchannel.viewer.access import require
from greenchannel.viewer.directory import Directory
from greenchannel.viewer.front import Here, Who, answer
from greenchannel.viewer.routes_cases import Given
from greenchannel.viewer.wire import marked

router = APIRouter(prefix="/drills", tags=["drills"])


class NewDrill(Given):
    """Where, what and for how long."""

    site: Annotated[str, Field(min_length=1, max_length=64)]
    scenario: Annotated[str, Field(max_length=64)] | None = None
    minutes: Annotated[float, Field(gt=0, le=1440)] | None = None


@router.get("", summary="Drills that are under way, and whether one may be started")
async def drills(front: Here, who: Who) -> Response:
    """Of the sites that the caller sees: everybody is told that a drill is one."""
    require(who, "look")
    await front.directory.refresh()
    now = front.desk.clock.now()
    running = [case for case in drill.running(front.fanout.board(now), now) if who.may_see(case.site)]
    may = await front.desk.drills.may_start(who)
    sites = await asyncio.to_thread(front.desk.accounts.sites) if may else []
    return answer(
        {
            "may_start": may,
            "drills": [_drill(case, front.directory) for case in running],
            "sites": [
                {"id": one.id, "name_zh": one.name_zh, "name_en": one.name_en}
                for one in sites
                if not one.disabled and who.may_see(one.id)
            ],
            "scenarios": [
                {"name": one.name, "zh": one.zh, "en": one.en} for one in drill.scenarios().values()
            ],
            "default_min": drill.number("default_min"),
            "least_min": drill.number("least_min"),
            "most_min": drill.number("most_min"),
        }
    )


def _drill(case: Case, names: Directory) -> dict[str, Any]:
    assert case.drill_until is not None
    opened_by = case.history[0].actor
    row = {
        "case_id": case.case_id,
        "site": names.site(case.site),
        "started_at": rfc3339(case.opened_at),
        "started_by": names.actor_name(opened_by),
        "ends_at": rfc3339(case.drill_until),
    }
    return marked(case, row)


@router.post("", status_code=201, summary="Start a drill")
async def start(body: NewDrill, front: Here, who: Who) -> Response:
    """A synthetic ECG comes in as an upload of the site, and rings who is on duty."""
    require(who, "drill")
    now = front.desk.clock.now()
    running = drill.running(front.desk.cases(), now)
    scenario = body.scenario or next(iter(drill.scenarios()))
    case_id = await front.desk.drills.start(who, body.site, running, scenario=scenario, minutes=body.minutes)
    await front.desk.administration.note(who.actor, "drill_start", f"{body.site}: {scenario}", case_id)
    return answer({"case": await front.row(front.desk.case(case_id))}, 201)


@router.post("/{case_id}/end", summary="End a drill")
async def end(case_id: str, front: Here, who: Who) -> Response:
    """Whatever of it is unanswered or open; who was rung hears that it is over. 409 for a real case."""
    require(who, "drill")
    case = await front.desk.drills.end(who, front.case(case_id, who))
    await front.desk.administration.note(who.actor, "drill_end", case.site, case_id)
    return answer({"case": await front.row(case)})
