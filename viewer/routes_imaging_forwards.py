"""What became of images that are sent on to other archives, and trying again what was not taken."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import Field
from starlette.responses import Response

from greenchannel.service.errors import NotFound
from greenchannel.service.imaging.giving import giving_of
from greenchannel.viewer.access import require
from greenchannel.viewer.dicom_web_front import look, study_of
from greenchannel.viewer.front import Here, Who, answer
from greenchannel.viewer.routes_cases import Given
from greenchannel.viewer.wire import maybe

router = APIRouter(prefix="/imaging", tags=["images"])


class Again(Given):
    """What is to be tried again."""

    study_uid: Annotated[str, Field(pattern=r"^[0-9.]{1,64}$")] | None = None


@router.get("/forwards", summary="How many images wait for which archive")
async def forwards(front: Here, who: Who) -> Response:
    """By destination: what waits, was taken, was refused, since when the oldest, and why."""
    require(who, "administer")
    forwarding = giving_of(front.desk).forwarding
    counted = [row | {"oldest_at": maybe(row["oldest_at"])} for row in await forwarding.summary()]
    return answer(
        {
            "destinations": [
                {
                    "name": to.name,
                    "way": to.way,
                    "sites": list(to.sites),
                    "states": [row for row in counted if row["destination"] == to.name],
                }
                for to in forwarding.to
            ]
        }
    )


@router.post("/forwards/{destination}/again", summary="Try again what was not taken")
async def again(destination: str, body: Again, front: Here, who: Who) -> Response:
    """All of a destination, or one study: what was refused, and what waits for a later try."""
    require(who, "administer")
    forwarding = giving_of(front.desk).forwarding
    if destination not in {to.name for to in forwarding.to}:
        raise NotFound("destination", destination[:64])
    return answer({"objects": await forwarding.again(destination, body.study_uid)})


@router.get("/studies/{study}/forwards", summary="Receipts of a study that was sent on")
async def of_study(study: str, front: Here, who: Who) -> Response:
    """Each object with its state, its receipt, and why the newest try failed."""
    found = await study_of(front, who, study)
    look(front, who, "look_image_forwards", found)
    rows = await giving_of(front.desk).forwarding.of_study(study)
    return answer(
        {
            "study_uid": study,
            "objects": [
                {
                    "destination": row.destination,
                    "sop_uid": row.sop_uid,
                    "state": row.state,
                    "attempts": row.attempts,
                    "next_at": maybe(row.next_at) if row.state == "waiting" else None,
                    "reason": row.reason,
                    "receipt": row.receipt,
                    "ended_at": maybe(row.ended_at),
                }
                for row in rows
            ],
        }
    )
