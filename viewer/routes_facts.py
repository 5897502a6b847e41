"""What is known of a case beside its times: bypassed departments, the Killip class."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import Field
from starlette.responses import Response

from greenchannel.alerts.facts import facts
from greenchannel.service.errors import Forbidden
from greenchannel.viewer.access import require
from greenchannel.viewer.front import Here, Who, answer
from greenchannel.viewer.routes_cases import PRINTABLE, Given

router = APIRouter(tags=["cases"])


class Fact(Given):
    """One fact as its code; what changes another needs a note."""

    fact: Annotated[str, Field(min_length=1, max_length=32, pattern=PRINTABLE)]
    code: Annotated[str, Field(min_length=1, max_length=32, pattern=PRINTABLE)]
    note: Annotated[str, Field(min_length=1, max_length=500, pattern=PRINTABLE)] | None = None


@router.post("/cases/{case_id}/facts", summary="Say something of a case that is no time")
async def record_fact(case_id: str, body: Fact, front: Here, who: Who) -> Response:
    """What stands already changes nothing. Who may say which, the table says; the source is the role."""
    require(who, "milestone")
    front.case(case_id, who)
    spec = facts().get(body.fact)
    if spec is not None and who.role not in spec.enter:
        raise Forbidden("forbidden", f"the role {who.role} may not enter {body.fact}", "您的角色不能填写此项")
    case = await front.desk.answers.record_fact(
        case_id, who, fact=body.fact, code=body.code, source=str(who.role), note=body.note
    )
    return answer({"case": await front.row(case)})
