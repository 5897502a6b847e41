"""What is known of the clocks of devices."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from greenchannel.viewer.access import require
from greenchannel.viewer.front import Here, Who, answer
from greenchannel.viewer.problems import Problem

router = APIRouter(prefix="/devices", tags=["devices"])


@router.get("/clocks", summary="The weekly report of device clocks, the worst first")
async def clocks(front: Here, who: Who, week: Annotated[str | None, Query(max_length=8)] = None) -> Response:
    """Of a week that is over as it was made then; of the week that runs (without `week`) as it stands."""
    require(who, "device_clocks")
    reports = front.desk.clock_reports
    try:
        found = await asyncio.to_thread(reports.of_week, week)
    except ValueError:
        raise Problem(
            422,
            "no such week",
            code="bad_week",
            zh="周次有误",
            expected="an ISO week such as 2026-W48",
            got=week or "",
        ) from None
    if found is None:
        raise Problem(
            404,
            "there is no report of this week",
            code="no_report",
            zh="没有该周的报告",
            expected=" ".join(reports.weeks) or "a week that is over",
            got=week or "",
        )
    return answer(found | {"weeks": reports.weeks})
