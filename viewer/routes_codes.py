"""The two doors that a one-time code opens: a device takes its token, a person chooses a password. Nobody is signed in
here; whoever tries wrong codes is let try a few times in a minute."""

from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import Field
from starlette.responses import Response

from greenchannel.service.administration import BadCode
from greenchannel.viewer.access import check_origin
from greenchannel.viewer.front import Front, Here, address_of, answer
from greenchannel.viewer.routes_cases import Given

router = APIRouter(tags=["one-time codes"])

Code = Annotated[str, Field(min_length=1, max_length=40)]


class Pairing(Given):
    """The digits that the administrator's page shows."""

    code: Code


class Joining(Given):
    """An invitation, and the password that the person chooses."""

    as_written = frozenset({"password"})

    code: Code
    password: Annotated[str, Field(min_length=1, max_length=1024)]


@router.post("/pairing", summary="A device takes its token for its code")
async def pair(body: Pairing, request: Request, front: Here) -> Response:
    """The code is used up by it. The token is in this answer and nowhere else."""
    _begin(request, front)
    try:
        device, token = await front.desk.administration.pair(body.code)
    except BadCode:
        front.gate.wrong_code(address_of(request.scope))
        raise
    await front.directory.refresh()
    return answer(
        {
            "device": device.id,
            "name": device.name,
            "site": front.directory.site(device.site),
            "token": token,
        }
    )


@router.post("/invitation", summary="Whose invitation a code is")
async def invitation(body: Pairing, request: Request, front: Here) -> Response:
    """The name to sign in with; the code is not used by this."""
    _begin(request, front)
    try:
        return answer({"user": await front.desk.administration.invited(body.code)})
    except BadCode:
        front.gate.wrong_code(address_of(request.scope))
        raise


@router.post("/join", summary="A person chooses a password with an invitation")
async def join(body: Joining, request: Request, front: Here) -> Response:
    """Then the person signs in as ever."""
    _begin(request, front)
    try:
        user = await front.desk.administration.come_in(body.code, body.password)
    except BadCode:
        front.gate.wrong_code(address_of(request.scope))
        raise
    front.leaving.look_again(f"user:{user.id}")
    return answer({"user": user.id})


def _begin(request: Request, front: Front) -> None:
    if "origin" in request.headers:  # a program may leave it out, a foreign page cannot
        check_origin(request.headers)
    front.gate.check_codes(address_of(request.scope))
