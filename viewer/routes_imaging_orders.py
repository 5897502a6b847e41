"""Asking for images: what stands in the worklist of the van and of the X-ray room."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.responses import Response

from greenchannel.clock import rfc3339
from greenchannel.service.errors import NotFound
from greenchannel.service.imaging.giving import giving_of
from greenchannel.service.imaging.orders import Order, Priority, Wish
from greenchannel.viewer.access import require
from greenchannel.viewer.front import NOTHING, Here, Who, answer
from greenchannel.viewer.routes_cases import PRINTABLE, Given

router = APIRouter(prefix="/imaging", tags=["imaging"])

Text = Annotated[str, Field(min_length=1, max_length=500, pattern=PRINTABLE)]


class OrderBody(Given):
    """What is wanted. `patient_ref`: the patient's number at the site, under which the machine will send."""

    case_id: Annotated[str, Field(min_length=1, max_length=64, pattern=PRINTABLE)]
    patient_ref: Annotated[str, Field(min_length=1, max_length=64, pattern=PRINTABLE)]
    modality: Annotated[str, Field(pattern=r"^[A-Z]{2,4}$")]
    body_part: Annotated[str, Field(min_length=1, max_length=16, pattern=r"^[A-Z0-9 _]+$")] | None = None
    description: Annotated[str, Field(min_length=1, max_length=64, pattern=PRINTABLE)] | None = None
    reason: Text | None = None
    priority: Priority = "ROUTINE"


class CancelBody(Given):
    """Why it is not wanted any more."""

    note: Text | None = None


@router.post("/orders", status_code=201, summary="Ask for images of the patient of a case")
async def order(body: OrderBody, front: Here, who: Who) -> Response:
    """They stand in the worklist of the site's machines until they have come, for a week at most."""
    require(who, "send")
    case = front.case(body.case_id, who)
    fields = body.model_dump(exclude={"case_id"})
    made = await giving_of(front.desk).orders.order(case.case_id, case.site, who, Wish(**fields))
    return answer(_order(made), 201)


@router.get("/orders", summary="What a site waits for")
async def orders(
    front: Here, who: Who, site: Annotated[str, Query(min_length=1, max_length=64)], settled: bool = False
) -> Response:
    """The oldest first; with names, so for those who care for the patient. `settled`: of the last week also what has
    come or was taken back, the newest first."""
    require(who, "identity")
    if not who.may_see(site):
        raise NotFound("site", site)
    known = giving_of(front.desk).orders
    found = await (known.asked(site) if settled else known.waiting(site))
    for one in found:
        front.look(who, "look_image_order", one.case_id, one.accession)
    return answer({"orders": [_order(one) for one in found]})


@router.get("/members", summary="The sites of the network")
async def members(front: Here, who: Who) -> Response:
    """With whom a study may be shared, and for which site images may be asked: `own` are those that the caller sees."""
    require(who, "image_worklist")
    await front.directory.refresh()
    sites = [front.directory.site(site) for site in sorted(front.directory.site_names())]
    return answer(
        {
            "members": [
                {key: site[key] for key in ("id", "name_zh", "name_en")} | {"own": who.may_see(site["id"])}
                for site in sites
            ]
        }
    )


@router.post("/orders/{accession}/cancel", status_code=NOTHING, summary="Take a request back")
async def cancel(accession: str, body: CancelBody, front: Here, who: Who) -> Response:
    """Again changes nothing."""
    require(who, "send")
    await giving_of(front.desk).orders.cancel(accession[:16], who, body.note)
    return Response(status_code=NOTHING)


def _order(one: Order) -> dict[str, Any]:
    wish = one.wish
    return {
        "accession": one.accession,
        "state": one.state,
        "study_uid": one.study_uid,
        "case_id": one.case_id,
        "site": one.site,
        "ordered_at": rfc3339(one.ordered_at),
        "modality": wish.modality,
        "body_part": wish.body_part,
        "description": wish.description,
        "reason": wish.reason,
        "priority": wish.priority,
        "patient_ref": wish.patient_ref,
        "name": wish.name,
    }
