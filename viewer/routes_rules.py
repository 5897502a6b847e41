"""The rules as people read them, version by version, and what the quantities of evidence are called."""

import hashlib
from functools import cache
from typing import Any, Final

import msgspec
from fastapi import APIRouter, Request
from starlette.responses import Response

from greenchannel.triage.critical_lists import DEFAULT, LISTS, rules_named
from greenchannel.triage.quantities import QUANTITIES
from greenchannel.triage.rule_set import NEWEST, versions
from greenchannel.triage.rules_page import as_json
from greenchannel.viewer.access import require
from greenchannel.viewer.front import PREFIX, Here, Who
from greenchannel.viewer.problems import Problem

router = APIRouter(tags=["rules"])

# Asked for anew each time and nearly always answered by 304: a version of the rules never changes, but an update of the
# software may say more of it.
_CACHING: Final = "private, no-cache"


@router.get("/rules", summary="The versions of the rules")
async def published(request: Request, front: Here, who: Who) -> Response:
    """Oldest first; `newest` is the one by which ECGs are read now."""
    require(who, "rules")
    return _kept(request, *_versions())


@router.get("/quantities", summary="What the quantities of evidence are called")
async def quantities(request: Request, front: Here, who: Who) -> Response:
    """By wire name, with the unit, the digits and whether a sign is written."""
    require(who, "rules")
    return _kept(request, *_quantities())


@router.get("/rules/{version}", summary="One version of the rules")
async def one(version: str, request: Request, front: Here, who: Who) -> Response:
    """Every rule in both languages, with its numbers and where they come from."""
    require(who, "rules")
    known = _known()
    if version not in known:
        raise Problem(
            404,
            "there is no such version of the rules",
            zh="没有这个版本的规则",
            expected=f"one of {' '.join(known)}",
            got=version[:40],
        )
    return _kept(request, *_rules(version))


@cache
def _known() -> tuple[str, ...]:
    """All versions, each by itself and with every list of critical values that fits it."""
    return (*versions(), *(f"{NEWEST}+{chosen}" for chosen in LISTS if chosen != DEFAULT))


@cache
def _versions() -> tuple[bytes, str]:
    known = [{"version": name, "rules": f"{PREFIX}/rules/{name}"} for name in versions()]
    return _encoded({"newest": NEWEST, "versions": known})


@cache
def _quantities() -> tuple[bytes, str]:
    return _encoded({"quantities": list(QUANTITIES.values())})


@cache
def _rules(version: str) -> tuple[bytes, str]:
    """Only for a version that there is: what people ask for otherwise must not fill the memory."""
    return _encoded(as_json(rules_named(version)))


def _encoded(content: Any) -> tuple[bytes, str]:
    body = msgspec.json.encode(content)
    return body, f'"{hashlib.sha256(body).hexdigest()[:32]}"'


def _kept(request: Request, body: bytes, etag: str) -> Response:
    """The body, or 304 where the caller holds it."""
    headers = {"ETag": etag, "Cache-Control": _CACHING}
    held = [one.strip().removeprefix("W/") for one in request.headers.get("if-none-match", "").split(",")]
    if etag in held or "*" in held:
        return Response(status_code=304, headers=headers)
    return Response(body, media_type="application/json", headers=headers)
