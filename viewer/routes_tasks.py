"""The page of a role: its open tasks over all cases that a person sees."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.responses import Response

from greenchannel.alerts.case import Case
from greenchannel.alerts.task_list import Listed, open_tasks
from greenchannel.clock import rfc3339
from greenchannel.viewer import wire
from greenchannel.viewer.access import may, require
from greenchannel.viewer.directory import Directory
from greenchannel.viewer.front import Here, Who, answer

router = APIRouter(tags=["duty"])

Switch = Annotated[str | None, Query(max_length=5, pattern="^(|1|true|0|false)$")]


@router.get("/tasks", summary="Open tasks")
async def tasks(front: Here, who: Who, mine: Switch = None, names: Switch = None) -> Response:
    """Of all cases that the caller may see, the most urgent first; with `mine` those that the caller's role may take.

    Nothing tells whose they are, but with `names`, for roles that may know it: each look is then written down.
    """
    require(who, "task")
    await front.directory.refresh()
    now = front.desk.clock.now()
    cases = [case for case in front.desk.cases() if who.may_see(case.site)]
    found = open_tasks(cases, who.role if _on(mine) else None)
    known: dict[str, str | None] = {}
    if _on(names) and may(who, "identity"):
        for case_id in dict.fromkeys(one.case.case_id for one in found):
            front.look(who, "look_identity", case_id)
            known[case_id] = (await front.desk.identity(case_id) or {}).get("name")
    rows = [
        {
            **wire.task_json(one.task, one.case, front.directory),
            "age_s": one.age_s(now),
            "due_at": wire.maybe(one.due_at),
            "left_s": None if one.due_at is None else (one.due_at - now).total_seconds(),
            "case": _case(one, front.directory, known.get(one.case.case_id)),
        }
        for one in found
    ]
    return answer({"role": who.role, "server_time": rfc3339(now), "tasks": rows})


def _on(switch: str | None) -> bool:
    return switch in ("", "1", "true")


def _case(listed: Listed, names: Directory, name: str | None) -> dict[str, Any]:
    case: Case = listed.case
    headline = wire.headline_of(case)
    about = {
        "case_id": case.case_id,
        "drill": wire.drill_json(case),
        "site": names.site(case.site),
        "tier": case.tier,
        "headline_zh": headline.zh,
        "headline_en": headline.en,
        "arrival_mode": case.arrival_mode,
        "age_years": case.context.age_years,
        "sex": case.context.sex,
        "chest_pain": case.context.chest_pain,
        "name": name,
        "opened_at": wire.maybe(case.channel.opened_at),
        "opened_by": names.maybe_person(case.channel.opened_by),
        **wire.etas(case),
    }
    return wire.marked(case, about)
