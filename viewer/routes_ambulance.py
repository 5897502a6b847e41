"""The ambulance of a case: positions from a receiver or a phone, and when people say that it will be there."""

from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter
from pydantic import Field
from starlette.responses import Response

from greenchannel.clock import rfc3339
from greenchannel.service.ambulances import Said
from greenchannel.service.callers import Caller
from greenchannel.store.ambulance_rows import PositionRow
from greenchannel.viewer import wire
from greenchannel.viewer.access import require
from greenchannel.viewer.front import Front, Here, Who, answer
from greenchannel.viewer.instants import Instant, MachineInstant
from greenchannel.viewer.routes_cases import Given

router = APIRouter(prefix="/cases", tags=["ambulance"])

UNUSED: Final = {  # why a position was not used: Chinese, English
    "inaccurate": ("定位精度太差，未采用", "the receiver itself says that it is too inaccurate"),
    "future": ("定位时间晚于现在，未采用", "its time is yet to come"),
    "old": ("定位时间过早，未采用", "it is too old"),
    "early": ("早于该接收机绑定本病例，未采用", "it is from before the sender drove for this case"),
    "late": ("晚到的定位，未采用", "a later one was there before it"),
    "duplicate": ("重复的定位", "it was there already"),
    "jump": ("定位跳变，未采用", "nothing on wheels gets there so fast"),
}


class Position(Given):
    """Where the ambulance is, WGS 84."""

    lat: Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False)]
    lon: Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)]
    at: MachineInstant | None = None
    accuracy_m: Annotated[float, Field(ge=0, le=1e6, allow_inf_nan=False)] | None = None
    device_clock: MachineInstant | None = None


class Arrival(Given):
    """When it will be at a place; null takes back what people said."""

    place: Literal["scene", "hub"]
    at: Instant | None


class Receiver(Given):
    """Which device drives for the case."""

    device: Annotated[str, Field(min_length=1, max_length=64)]


@router.post("/{case_id}/ambulance", summary="This receiver drives for the case")
async def bind(case_id: str, body: Receiver, front: Here, who: Who) -> Response:
    """From now on, and for no other case; with its token it may send positions of this one."""
    require(who, "ambulance")
    front.case(case_id, who)
    case = await front.desk.ambulances.bind(case_id, who, body.device)
    front.look(who, "bind_ambulance", case_id, body.device)
    return answer({"case": await front.row(case)})


@router.post("/{case_id}/ambulance/position", summary="Where the ambulance is")
async def position(case_id: str, body: Position, front: Here, who: Who) -> Response:
    """By the receiver that drives for the case, or by dispatch's phone page. `at` left out is now, on the server.

    What is not used is kept with its reason all the same. Positions are forgotten after a day and never enter the log.
    """
    require(who, "ambulance_position")
    await _check(front, case_id, who)
    said = Said(
        lat=body.lat,
        lon=body.lon,
        at=body.at,
        accuracy_m=body.accuracy_m,
        device_clock=body.device_clock,
    )
    taken = await front.desk.ambulances.position(case_id, who, said)
    zh, en = UNUSED.get(taken.reason or "", (None, None))
    return answer(
        {
            "used": taken.reason is None,
            "reason": taken.reason,
            "zh": zh,
            "en": en,
            "recorded": taken.recorded,
            **wire.etas(taken.case),
            "server_time": rfc3339(front.desk.clock.now()),
        }
    )


async def _check(front: Front, case_id: str, who: Caller) -> None:
    if who.kind == "device":
        await front.desk.ambulances.check_bound(case_id, who)
        front.desk.case(case_id)
    else:
        front.case(case_id, who)


@router.post("/{case_id}/ambulance/eta", summary="When it will be there, said by a person")
async def eta(case_id: str, body: Arrival, front: Here, who: Who) -> Response:
    """Stands before what positions say until it is withdrawn (`at: null`)."""
    require(who, "ambulance_eta")
    front.case(case_id, who)
    case = await front.desk.ambulances.eta(case_id, who, body.place, body.at)
    return answer({"case": await front.row(case), **wire.etas(case)})


@router.get("/{case_id}/ambulance", summary="Where the ambulance is and was, and when it will be there")
async def ambulance(case_id: str, front: Here, who: Who) -> Response:
    """The last positions, the oldest first, with why one was not used."""
    require(who, "ambulance")
    case = front.case(case_id, who)
    rows, bindings = await front.desk.ambulances.newest(case_id)
    front.look(who, "look_ambulance", case_id)
    return answer(
        {
            "case_id": case_id,
            "devices": [{"device": one.device, "bound_at": rfc3339(one.bound_at)} for one in bindings],
            "positions": [_position(row) for row in rows],
            **wire.etas(case),
        }
    )


def _position(row: PositionRow) -> dict[str, Any]:
    return {
        "lat": row.lat,
        "lon": row.lon,
        "at": rfc3339(row.at),
        "raw_at": rfc3339(row.raw_at),
        "received_at": rfc3339(row.received_at),
        "accuracy_m": row.accuracy_m,
        "offset_s": row.offset_s,
        "uncertainty_s": row.uncertainty_s,
        "source": row.source,
        "unused": row.unused,
    }
