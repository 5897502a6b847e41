"""Signing in and out, and who one is."""

import asyncio
from datetime import datetime, timedelta
from importlib.metadata import version
from typing import Annotated, Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from greenchannel.clock import rfc3339
from greenchannel.service.callers import Caller
from greenchannel.viewer.access import SESSION_COOKIE, check_origin
from greenchannel.viewer.front import NOTHING, Front, Here, Who, address_of, answer
from greenchannel.viewer.gate import person, session_token

router = APIRouter(tags=["session"])

_AHEAD = timedelta(days=2)


class SignIn(BaseModel):
    """A person's name and password."""

    model_config = ConfigDict(extra="forbid")

    user: Annotated[str, Field(min_length=1, max_length=64)]
    password: Annotated[str, Field(min_length=1, max_length=1024)]


@router.post("/session", summary="Sign in; sets the session's cookie")
async def sign_in(body: SignIn, request: Request, front: Here) -> Response:
    """Answers as `GET /me`."""
    if "origin" in request.headers:  # a program may leave it out, a foreign page cannot
        check_origin(request.headers)
    settings = front.desk.settings
    ttl = timedelta(seconds=settings.session_ttl_s)
    user, token = await front.gate.sign_in(body.user, body.password, address_of(request.scope), ttl)
    ends_at = front.desk.clock.now() + ttl
    response = answer(await _me(front, person(user), ends_at))
    _keep(response, token, ends_at, front)
    return response


@router.delete("/session", status_code=NOTHING, summary="Sign out")
async def sign_out(request: Request, front: Here, who: Who) -> Response:
    """Ends this session alone, with the lines that it has opened."""
    token = session_token(request.headers)
    if token is not None:
        await front.gate.sign_out(token)
        front.leaving.look_again(who.actor)
    response = Response(status_code=NOTHING)
    response.delete_cookie(SESSION_COOKIE, path="/", httponly=True, samesite="strict")
    return response


@router.get("/me", summary="Who is signed in, and who is on duty")
async def me(request: Request, front: Here, who: Who) -> Response:
    """The signed-in person or the device of the token. A page that is open asks again and again, and keeps its session
    by that: a board that somebody watches does not fall silent at the end of some hours."""
    settings, token, ends_at = front.desk.settings, session_token(request.headers), None
    if token is not None and who.kind == "user":
        ttl, most = (timedelta(seconds=s) for s in (settings.session_ttl_s, settings.session_most_s))
        ends_at = await front.gate.renew(token, ttl, most)
    response = answer(await _me(front, who, ends_at))
    if token is not None and ends_at is not None:
        _keep(response, token, ends_at, front)
    return response


def _keep(response: Response, token: str, ends_at: datetime, front: Front) -> None:
    settings = front.desk.settings
    response.set_cookie(
        SESSION_COOKIE,
        token,
        max_age=max(0, int((ends_at - front.desk.clock.now()).total_seconds())),
        path="/",
        secure=settings.secure_cookie,
        httponly=True,
        samesite="strict",
    )


@router.get("/demo", summary="The people of the demo")
async def demo(front: Here) -> Response:
    """Needs no sign-in; outside the demo nobody is listed."""
    users = [
        {
            "user": one.user,
            "password": one.password,
            "name_zh": one.name_zh,
            "name_en": one.name_en,
            "role": one.role,
        }
        for one in front.demo_users
    ]
    return answer({"demo": bool(users), "users": users})


async def _me(front: Front, who: Caller, ends_at: datetime | None) -> dict[str, Any]:
    await front.directory.refresh()
    now = front.desk.clock.now()
    shifts = await asyncio.to_thread(front.desk.accounts.shifts_between, now, now + _AHEAD)
    own = next((s for s in shifts if s.person == who.id and s.starts_at <= now < s.ends_at), None)
    role = own.role if own else "first"
    site = own.site if own else None
    following = next((s for s in shifts if s.role == role and s.site == site and s.starts_at > now), None)
    return {
        "user": {
            "id": who.id,
            "name": who.name,
            "role": who.role,
            "sites": None if who.sites is None else sorted(who.sites),
        },
        "on_duty": own is not None,
        "shift": None
        if own is None
        else {"role": own.role, "from": rfc3339(own.starts_at), "to": rfc3339(own.ends_at)},
        "next_shift": None
        if following is None
        else {**front.directory.person(following.person), "from": rfc3339(following.starts_at)},
        "fallback": front.directory.fallback(
            next(iter(who.sites)) if who.sites and len(who.sites) == 1 else None
        ),
        "demo": bool(front.demo_users),
        "demo_users": [{"user": one.user, "name": one.name_zh, "role": one.role} for one in front.demo_users],
        "session_ends_at": None if ends_at is None else rfc3339(ends_at),
        "server_time": rfc3339(now),
        "version": version("greenchannel"),
    }
