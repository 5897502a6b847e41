"""Administration: sites, devices and people. Every change stands in the access log with who and when."""

import asyncio
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import Field
from starlette.responses import Response

from greenchannel.clock import rfc3339
from greenchannel.service.administration import waiting
from greenchannel.store.accounts import ROLES, SITE_KINDS, Device, Site, User
from greenchannel.store.one_time_codes import DEVICE, USER, OneTimeCode
from greenchannel.viewer.access import require
from greenchannel.viewer.front import NOTHING, Front, Here, Who, answer
from greenchannel.viewer.routes_cases import PRINTABLE, Given, Reason
from greenchannel.viewer.wire import maybe

router = APIRouter(prefix="/admin", tags=["administration"])

Id = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")]
Name = Annotated[str, Field(min_length=1, max_length=120, pattern=PRINTABLE)]
Phone = Annotated[str, Field(pattern=r"^[0-9+()\- ]{3,32}$")]
Km = Annotated[float, Field(ge=0, le=2000)]


class NewSite(Given):
    """A clinic or a hospital."""

    id: Id
    name_zh: Name
    name_en: Name
    kind: Annotated[str, Field(max_length=16)] = "clinic"
    town: Name | None = None
    phone: Phone | None = None
    fallback_phone: Phone | None = None
    distance_km: Km | None = None


class SiteChange(Given):
    """What is not given stays as it is; null empties."""

    name_zh: Name | None = None
    name_en: Name | None = None
    kind: Annotated[str, Field(max_length=16)] | None = None
    town: Name | None = None
    phone: Phone | None = None
    fallback_phone: Phone | None = None
    distance_km: Km | None = None


class NewDevice(Given):
    """A machine or program of a site."""

    id: Id
    site: Annotated[str, Field(min_length=1, max_length=64)]
    name: Name


class NewUser(Given):
    """A person; `sites` null is every site."""

    id: Id
    name: Name
    role: Annotated[str, Field(max_length=32)]
    sites: Annotated[list[Annotated[str, Field(max_length=64)]], Field(max_length=200)] | None = None


class UserChange(Given):
    """What is not given stays as it is; `sites` null is every site."""

    name: Name | None = None
    role: Annotated[str, Field(max_length=32)] | None = None
    sites: Annotated[list[Annotated[str, Field(max_length=64)]], Field(max_length=200)] | None = None


def _code(made: OneTimeCode, code: str) -> dict[str, Any]:
    return {"code": code, "expires_at": rfc3339(made.expires_at)}


# ---------------------------------------------------------------- sites


def _site(site: Site) -> dict[str, Any]:
    return {
        "id": site.id,
        "name_zh": site.name_zh,
        "name_en": site.name_en,
        "kind": site.kind,
        "town": site.town,
        "phone": site.phone,
        "fallback_phone": site.fallback_phone,
        "distance_km": site.distance_km,
        "disabled": site.disabled,
    }


@router.get("/sites", summary="All sites, closed ones too")
async def sites(front: Here, who: Who) -> Response:
    """By id."""
    require(who, "administer")
    found = await asyncio.to_thread(front.desk.accounts.sites)
    return answer({"sites": [_site(one) for one in found], "kinds": list(SITE_KINDS)})


@router.post("/sites", status_code=201, summary="Enter a site")
async def add_site(body: NewSite, front: Here, who: Who) -> Response:
    """Its id stays for good: cases bear it."""
    require(who, "administer")
    given = body.model_dump(exclude={"id"})
    made = await front.desk.administration.add_site(who, body.id, **given)
    front.directory.forget()
    return answer({"site": _site(made)}, 201)


@router.patch("/sites/{site_id}", summary="Change a site")
async def change_site(site_id: str, body: SiteChange, front: Here, who: Who) -> Response:
    """Its cases show the new words from now on."""
    require(who, "administer")
    given = body.model_dump(exclude_unset=True)
    changed = await front.desk.administration.change_site(who, site_id, **given)
    front.directory.forget()
    return answer({"site": _site(changed)})


@router.post("/sites/{site_id}/close", status_code=NOTHING, summary="Take a site out of use")
async def close_site(site_id: str, body: Reason, front: Here, who: Who) -> Response:
    """Nothing of it is deleted. Its devices go on: an ECG that comes is never turned away for this."""
    require(who, "administer")
    await front.desk.administration.close_site(who, site_id, body.reason)
    front.directory.forget()
    return Response(status_code=NOTHING)


@router.post("/sites/{site_id}/use", status_code=NOTHING, summary="Put a site back in use")
async def use_site(site_id: str, front: Here, who: Who) -> Response:
    """As it was."""
    require(who, "administer")
    await front.desk.administration.use_site(who, site_id)
    front.directory.forget()
    return Response(status_code=NOTHING)


# ---------------------------------------------------------------- devices


@router.get("/devices", summary="All devices, revoked ones too")
async def devices(front: Here, who: Who) -> Response:
    """With when each was heard of last, how far its clock is off, and whether a code waits for it."""
    require(who, "administer")
    return answer(await asyncio.to_thread(_devices, front))


def _devices(front: Front) -> dict[str, Any]:
    desk, now = front.desk, front.desk.clock.now()
    clocks = {row["device"]: row for row in (desk.clock_reports.of_week(None) or {"devices": []})["devices"]}
    codes = desk.administration.codes_of(DEVICE)
    sent = _last_ecgs(front)
    rows = []
    for one in desk.accounts.devices():
        clock, code = clocks.get(one.id), codes.get(one.id)
        contact = None if clock is None else clock["last_contact_at"]
        rows.append(
            {
                **_device(one),
                "last_ecg_at": maybe(sent.get(one.id)),
                "last_contact_at": contact,
                "clock_level": None if clock is None else clock["level"],
                "offset_s": None if clock is None else clock["offset_s"],
                "uncertainty_s": None if clock is None else clock["uncertainty_s"],
                "paired_at": None if code is None else maybe(code.used_at),
                "code_until": rfc3339(code.expires_at) if code is not None and waiting(code, now) else None,
            }
        )
    return {"devices": rows}


def _device(device: Device) -> dict[str, Any]:
    return {"id": device.id, "site": device.site, "name": device.name, "disabled": device.disabled}


def _last_ecgs(front: Front) -> dict[str, datetime]:
    """When an ECG of each device came last."""
    last: dict[str, datetime] = {}
    for case in front.desk.cases():
        for ecg in case.ecgs:
            if ecg.device is not None and ecg.received_at is not None:
                last[ecg.device] = max(ecg.received_at, last.get(ecg.device, ecg.received_at))
    return last


@router.post("/devices", status_code=201, summary="Enter a device")
async def add_device(body: NewDevice, front: Here, who: Who) -> Response:
    """The answer has the code with which it is paired, this once."""
    require(who, "administer")
    made, code = await front.desk.administration.add_device(who, body.id, body.site, body.name)
    return answer({"device": body.id, **_code(made, code)}, 201)


@router.post("/devices/{device_id}/pairing", status_code=201, summary="A new code for a device")
async def pairing_code(device_id: str, front: Here, who: Who) -> Response:
    """Good once and for a quarter of an hour; the one before is taken back. One that was revoked may be paired anew."""
    require(who, "administer")
    made, code = await front.desk.administration.pairing_code(who, device_id)
    return answer({"device": device_id, **_code(made, code)}, 201)


@router.post("/devices/{device_id}/revoke", status_code=NOTHING, summary="Take a device's token back")
async def revoke(device_id: str, body: Reason, front: Here, who: Who) -> Response:
    """It is refused from now on; a stream that runs is ended and read."""
    require(who, "administer")
    await front.desk.administration.revoke_device(who, device_id, body.reason)
    return Response(status_code=NOTHING)


# ---------------------------------------------------------------- people


def _user(user: User) -> dict[str, Any]:
    return {
        "id": user.id,
        "name": user.name,
        "role": user.role,
        "sites": None if user.sites is None else sorted(user.sites),
        "disabled": user.disabled,
    }


@router.get("/users", summary="All people, disabled ones too")
async def users(front: Here, who: Who) -> Response:
    """With whether an invitation waits."""
    require(who, "administer")

    def found() -> list[dict[str, Any]]:
        now, codes = front.desk.clock.now(), front.desk.administration.codes_of(USER)
        return [
            {
                **_user(one),
                "code_until": rfc3339(code.expires_at)
                if (code := codes.get(one.id)) is not None and waiting(code, now)
                else None,
            }
            for one in front.desk.accounts.users()
        ]

    return answer({"users": await asyncio.to_thread(found), "roles": list(ROLES)})


@router.post("/users", status_code=201, summary="Enter a person")
async def add_user(body: NewUser, front: Here, who: Who) -> Response:
    """The answer has the code with which the person chooses a password, this once."""
    require(who, "administer")
    made, code = await front.desk.administration.add_user(who, body.id, body.name, body.role, body.sites)
    front.directory.forget()
    return answer({"user": body.id, **_code(made, code)}, 201)


@router.patch("/users/{user_id}", summary="Change name, role or sites of a person")
async def change_user(user_id: str, body: UserChange, front: Here, who: Who) -> Response:
    """Who loses or gains a right signs in anew."""
    require(who, "administer")
    given: dict[str, Any] = body.model_dump(exclude_unset=True)
    if "sites" in given:
        given["every_site"] = given["sites"] is None
        given["sites"] = None if given["sites"] is None else frozenset(given["sites"])
    changed = await front.desk.administration.change_user(who, user_id, **given)
    _signed_out(front, user_id)
    return answer({"user": _user(changed)})


@router.post("/users/{user_id}/disable", status_code=NOTHING, summary="Nobody signs in as this person")
async def disable_user(user_id: str, body: Reason, front: Here, who: Who) -> Response:
    """Who is signed in is out at once. 409 for the last administrator."""
    require(who, "administer")
    await front.desk.administration.disable_user(who, user_id, body.reason)
    _signed_out(front, user_id)
    return Response(status_code=NOTHING)


@router.post("/users/{user_id}/use", status_code=NOTHING, summary="Put an account back in use")
async def use_user(user_id: str, front: Here, who: Who) -> Response:
    """With the password that was."""
    require(who, "administer")
    await front.desk.administration.use_user(who, user_id)
    front.directory.forget()
    return Response(status_code=NOTHING)


@router.post("/users/{user_id}/reset", status_code=201, summary="A new password for a person")
async def reset_user(user_id: str, front: Here, who: Who) -> Response:
    """The old one and all sessions end now; the answer has the code with which the next one is chosen."""
    require(who, "administer")
    made, code = await front.desk.administration.reset_user(who, user_id)
    _signed_out(front, user_id)
    return answer({"user": user_id, **_code(made, code)}, 201)


def _signed_out(front: Front, user_id: str) -> None:
    front.directory.forget()
    front.leaving.look_again(f"user:{user_id}")
