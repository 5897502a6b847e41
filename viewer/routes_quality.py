"""What the quality pages ask: where time is lost, in whose hands, and which cases say so. Times without names."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from starlette.responses import Response

from greenchannel.alerts.quality.record import CaseRecord
from greenchannel.service.callers import Caller
from greenchannel.service.errors import NotFound
from greenchannel.viewer import quality_charts, quality_delays, quality_gaps, quality_loop, quality_numbers
from greenchannel.viewer.access import require
from greenchannel.viewer.front import Front, Here, Who, answer
from greenchannel.viewer.quality_json import Frame
from greenchannel.viewer.quality_scope import Asked, Scope, frame_of, scope_of, span_of

router = APIRouter(prefix="/quality", tags=["quality"])

Text = Annotated[str, Query(max_length=64)]
Month = Annotated[str, Query(max_length=7)]
Mode = Annotated[int | None, Query(ge=1, le=4)]
Set = Annotated[str, Query(alias="set", pattern=f"^({'|'.join(quality_numbers.SETS)})$")]


def asked_of(
    standard: Text = "",
    from_month: Annotated[str, Query(alias="from", max_length=7)] = "",
    to_month: Annotated[str, Query(alias="to", max_length=7)] = "",
    by: Text = "",
    group: Text = "",
    hours: Text = "",
) -> Asked:
    """The view that the address of every page holds; what is left out, the service chooses."""
    return Asked(standard=standard, from_month=from_month, to_month=to_month, by=by, group=group, hours=hours)


View = Annotated[Asked, Depends(asked_of)]


async def _answered(front: Front, who: Caller, asked: Asked, page: Callable[[Scope, Frame], Any]) -> Response:
    """One page over the cases that the caller may see; counted beside the loop, since a province takes a while."""
    require(who, "metrics")
    await front.directory.refresh()
    now = front.desk.clock.now()
    standards = quality_numbers.standards()

    def counted() -> Any:
        records = records_for(front, who)
        scope = scope_of(asked, records, tuple(one.id for one in standards), now)
        return page(scope, frame_of(scope, standards, front.directory, now))

    return answer(await asyncio.to_thread(counted))


def records_for(front: Front, who: Caller) -> Sequence[CaseRecord]:
    """The records that a caller may count, oldest first."""
    return front.desk.quality.records(who.sites)


@router.get("/overview", summary="All metrics of an edition, the six of the first page before the others")
async def overview(front: Here, who: Who, asked: View) -> Response:
    """Each with its number, how many cases, what is missing, who is excluded and why, and month by month."""
    return await _answered(front, who, asked, quality_numbers.overview_of)


@router.get("/groups", summary="One metric, group by group")
async def groups(front: Here, who: Who, asked: View, metric: Text = "") -> Response:
    """`by` says which groups; the whole network stands beside them."""
    return await _answered(
        front,
        who,
        asked,
        lambda scope, frame: quality_numbers.groups_of(scope, frame, front.directory, metric),
    )


@router.get("/cases", summary="The cases behind a number")
async def cases(front: Here, who: Who, asked: View, metric: Text = "", set_: Set = "counted") -> Response:
    """The slowest first; without a metric all cases of the view, the newest first."""
    return await _answered(
        front,
        who,
        asked,
        lambda scope, frame: quality_numbers.cases_of(scope, frame, front.directory, metric, set_),
    )


@router.get("/delays", summary="Where the time goes, and which segment loses most")
async def delays(
    front: Here, who: Who, asked: View, mode: Mode = None, against_from: Month = "", against_to: Month = ""
) -> Response:
    """Against the best three months of the same group and hours, with how sure that is; with `against_from` and
    `against_to` also why the median is another than then. `mode` is an arrival mode: the way of one is drawn."""
    require(who, "metrics")
    against = span_of(against_from, against_to)
    return await _answered(
        front,
        who,
        asked,
        lambda scope, frame: quality_delays.delays_of(
            scope, frame, front.directory, mode=mode, against=against
        ),
    )


@router.get("/charts", summary="Control charts, those with signals first")
async def charts(front: Here, who: Who, asked: View) -> Response:
    """What was before the first month says what is usual; from then on each case is charted as it came."""
    return await _answered(
        front, who, asked, lambda scope, frame: quality_charts.charts_json(scope, frame, front.directory)
    )


@router.get("/loop", summary="What became of alerts, readings, recordings, clocks and transmissions")
async def loop(front: Here, who: Who, asked: View) -> Response:
    """Counts, and rates with their intervals by rule, clinic, reader, lead and device."""
    return await _answered(
        front, who, asked, lambda scope, frame: quality_loop.loop_of(scope, frame, front.directory)
    )


@router.get("/gaps", summary="What the national form lacks, by who can say it")
async def gaps(front: Here, who: Who, asked: View, owner: Text = "", field: Text = "") -> Response:
    """The list is of one owner or one field where these are given."""
    return await _answered(
        front,
        who,
        asked,
        lambda scope, frame: quality_gaps.gaps_of(
            scope.records, frame, front.directory, owner=owner, field=field
        ),
    )


@router.get("/form/{case_id}", summary="The national form of one case")
async def form(case_id: str, front: Here, who: Who) -> Response:
    """As the log fills it: what is required, what is missing and whose gap that is. 404 for a drill."""
    require(who, "metrics")
    case = front.case(case_id, who)
    await front.directory.refresh()
    record = await asyncio.to_thread(front.desk.quality.record, case.case_id)
    if record is None:
        raise NotFound("case", case_id)
    front.look(who, "look_form", case_id)
    return answer(quality_gaps.form_json(record, front.directory))
