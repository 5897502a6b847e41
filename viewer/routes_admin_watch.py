"""Administration: who can be reached, which rules hold where, what could not be read, and what administrators did."""

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import Field
from starlette.responses import Response

from greenchannel.clock import rfc3339
from greenchannel.service.administration import CHANGE
from greenchannel.service.errors import NotFound
from greenchannel.store.quarantine import QuarantinedFile
from greenchannel.triage.critical_lists import LISTS
from greenchannel.triage.rule_set import NEWEST
from greenchannel.viewer.access import require
from greenchannel.viewer.front import NOTHING, PREFIX, Front, Here, Who, answer
from greenchannel.viewer.routes_cases import Given, Reason

router = APIRouter(prefix="/admin", tags=["administration"])


class SiteList(Given):
    """Which list; null: that of the service's configuration."""

    critical_list: Annotated[str, Field(min_length=1, max_length=64)] | None


class Take(Given):
    """Where the file goes: a site, or a case of it."""

    site: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    case_id: Annotated[str, Field(min_length=1, max_length=64)] | None = None


# ---------------------------------------------------------------- channels


@router.get("/channels", summary="Who can be reached by what")
async def channels(front: Here, who: Who) -> Response:
    """Everybody in use, each with the channels as `GET /duty/channels` has them."""
    require(who, "administer")
    people = [one for one in await asyncio.to_thread(front.desk.accounts.users) if not one.disabled]
    now = front.desk.clock.now()
    rows = []
    for one in people:
        health = await front.desk.going_on_duty.health(one.id, now)
        rows.append({"name": one.name, "role": one.role, **health})
    return answer({"people": rows})


@router.post("/users/{user_id}/channels/{channel}/test", summary="Send a test message to a person")
async def test_channel(user_id: str, channel: str, front: Here, who: Who) -> Response:
    """What became of it is in the list a little later. Within a minute no second one is sent."""
    require(who, "administer")
    if await asyncio.to_thread(front.desk.accounts.user, user_id) is None:
        raise NotFound("person", user_id)
    sent = await front.desk.going_on_duty.test(user_id, channel)
    await front.desk.administration.note(who.actor, "channel_test", f"{user_id}: {channel}")
    return answer({"sent": sent})


# ---------------------------------------------------------------- rules


@router.get("/rules", summary="Which rules hold at which site")
async def rules(front: Here, who: Who) -> Response:
    """The version by which ECGs of each site are read, with the lists of critical values that may be chosen for it; and
    whom an alert of the site rings when, which is set in the service's configuration."""
    require(who, "administer")
    escalation = front.desk.watch.settings
    own = {one.id for one in escalation.site}

    def found() -> list[dict[str, Any]]:
        return [
            {
                "site": one.id,
                "name_zh": one.name_zh,
                "name_en": one.name_en,
                "version": (version := front.desk.intake.rules_of(one.id).version),
                "rules": f"{PREFIX}/rules/{version}",
                "chosen_list": front.desk.site_rules.chosen(one.id),
                "own_steps": one.id in own,
                "steps": [
                    {
                        "after_s": step.after_s,
                        "role": step.role,
                        "again": list(step.again),
                        "call": list(step.call),
                    }
                    for step in escalation.steps_of(one.id)
                ],
            }
            for one in front.desk.accounts.sites()
            if not one.disabled
        ]

    return answer(
        {
            "newest": NEWEST,
            "critical_list": front.desk.settings.critical_list,
            "lists": [{"name": one.name, "zh": one.zh, "en": one.en} for one in LISTS.values()],
            "paging_tiers": list(escalation.paging_tiers),
            "waiting_s": dict(escalation.waiting_s),
            "follow_up_s": escalation.follow_up_s,
            "repeat_s": list(escalation.repeat_s),
            "sites": await asyncio.to_thread(found),
        }
    )


@router.put("/rules/{site_id}", status_code=NOTHING, summary="Choose a site's list of critical values")
async def follow_list(site_id: str, body: SiteList, front: Here, who: Who) -> Response:
    """The next ECG is read by it; what was read before keeps the version by which it was."""
    require(who, "administer")
    await front.desk.administration.follow_list(who, site_id, body.critical_list)
    return Response(status_code=NOTHING)


# ---------------------------------------------------------------- quarantine


def _file(front: Front, one: QuarantinedFile) -> dict[str, Any]:
    settled = one.settled
    return {
        "id": one.id,
        "at": rfc3339(one.at),
        "actor": one.actor,
        "name": front.directory.actor_name(one.actor),
        "reason": one.reason,
        "detail": one.detail,
        "size_bytes": one.size_bytes,
        "whole": one.kept_bytes >= one.size_bytes,
        "file": f"{PREFIX}/quarantine/{one.id}",
        "settled": None
        if settled is None
        else {
            "at": rfc3339(settled.at),
            "actor": settled.actor,
            "name": front.directory.actor_name(settled.actor),
            "what": settled.what,
            "reason": settled.reason,
            "ecg_id": settled.ecg_id,
            "study_uid": settled.study_uid,
        },
    }


@router.get("/quarantine", summary="What could not be read, and what was done with it")
async def quarantined(front: Here, who: Who) -> Response:
    """Newest first."""
    require(who, "quarantine")
    await front.directory.refresh()
    files = await asyncio.to_thread(front.desk.quarantine.list)
    return answer({"files": [_file(front, one) for one in files]})


@router.post("/quarantine/{file_id}/take", summary="Try again to read one")
async def take(file_id: str, body: Take, front: Here, who: Who) -> Response:
    """As an upload of `site`, or into the case `case_id`, whose site it then is. Refused again, it waits on."""
    require(who, "quarantine")
    site = body.site
    if body.case_id is not None:
        site = front.case(body.case_id, who).site
    got = await front.desk.quarantined.take(
        who, file_id, site=site, case_id=body.case_id, images=front.desk.images
    )
    return answer(
        {
            "ecg_id": got.ecg_id,
            "study_uid": got.study_uid,
            "case_id": got.case_id,
            "state": got.state,
            "duplicate": got.duplicate,
        }
    )


@router.post("/quarantine/{file_id}/discard", summary="It is of no use")
async def discard(file_id: str, body: Reason, front: Here, who: Who) -> Response:
    """With the reason; the bytes stay until newer ones need the room."""
    require(who, "quarantine")
    await front.directory.refresh()
    return answer({"file": _file(front, await front.desk.quarantined.discard(who, file_id, body.reason))})


# ---------------------------------------------------------------- what was done


@router.get("/changes", summary="What administrators did")
async def changes(front: Here, who: Who) -> Response:
    """Newest first, from the access log."""
    require(who, "administer")
    await front.directory.refresh()
    return answer(
        {
            "changes": [
                {
                    "seq": one.seq,
                    "at": rfc3339(one.at),
                    "actor": one.actor,
                    "name": front.directory.actor_name(one.actor),
                    "what": one.action.removeprefix(CHANGE),
                    "detail": one.detail,
                    "case_id": one.case_id,
                }
                for one in await front.desk.administration.changes()
            ]
        }
    )
