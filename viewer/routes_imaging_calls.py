"""What studies call for now, small enough to be asked by every page every few seconds: no study is opened for it."""

import asyncio
from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from greenchannel.alerts import roster
from greenchannel.alerts.imaging import calling, clock, receipts
from greenchannel.alerts.imaging.critical import critical_results, told_by
from greenchannel.alerts.imaging.reading import Reading
from greenchannel.clock import rfc3339
from greenchannel.service.callers import Caller
from greenchannel.viewer.access import may, require
from greenchannel.viewer.front import Front, Here, Who, answer

router = APIRouter(prefix="/imaging", tags=["imaging"])

MOST = 100


@router.get(
    "/calls", summary="Studies that call the asking person, and critical results that nobody was told"
)
async def calls(front: Here, who: Who) -> Response:
    """Of the caller's sites, without names. `due`: studies for whose report the caller was rung; `untold`: critical
    results that nobody has said back, with `mine` where the caller must see to it. `key` names the present call: one
    that was silenced is heard again under the next. `owed`: no page of the caller has said on the line yet that it has
    this ring. Both the most urgent first."""
    require(who, "image_report")
    await front.directory.refresh()
    desk = front.desk.image_readings
    seen = [one for one in desk.open() if desk.may_see(one.study_uid, who)]
    due = sorted(
        (one for one in seen if calling.calls_for_report(one, who.id)), key=lambda one: one.clock.due_at
    )
    untold = sorted((one for one in seen if one.untold), key=lambda one: min(map(told_by, one.untold)))
    watching = await asyncio.to_thread(_watching, front, who, untold) if untold else frozenset[str]()
    return answer(
        {
            "now": rfc3339(front.desk.clock.now()),
            "due": [_due(front, one, who) for one in due[:MOST]],
            "untold": [_untold(front, one, who, watching) for one in untold[:MOST]],
        }
    )


def _watching(front: Front, who: Caller, untold: list[Reading]) -> frozenset[str]:
    """The sites of which the caller must see to what is overdue: a radiologist of all, the head of duty of theirs."""
    sites = {one.site for one in untold if one.site is not None}
    if may(who, "image_read"):
        return frozenset(sites)
    now = front.desk.clock.now()
    heads = {site: roster.on_duty(front.desk.watch.shifts(now, site), now, "head") for site in sites}
    return frozenset(site for site, head in heads.items() if head == who.id)


def _about(front: Front, reading: Reading) -> dict[str, Any]:
    return {
        "study_uid": reading.study_uid,
        "case_id": reading.case_id,
        "site": None if reading.site is None else front.directory.site(reading.site),
    }


def _due(front: Front, reading: Reading, who: Caller) -> dict[str, Any]:
    return _about(front, reading) | {
        "key": calling.report_call(reading),
        "alert_id": None if reading.alert is None else reading.alert.alert_id,
        "owed": receipts.owes_receipt(reading, who.id) is not None,
        "tier": clock.tier_of(reading.clock),
        "due_at": rfc3339(reading.clock.due_at),
        "claimed_by": front.directory.maybe_person(reading.claimed_by),
    }


def _untold(front: Front, reading: Reading, who: Caller, watching: frozenset[str]) -> dict[str, Any]:
    codes = dict.fromkeys(code for one in reading.untold for code in one.critical)
    rows = critical_results()
    named = [
        {"id": c, "zh": rows[c].zh if c in rows else c, "en": rows[c].en if c in rows else c} for c in codes
    ]
    return _about(front, reading) | {
        "key": calling.untold_call(reading),
        "critical": named,
        "due_at": rfc3339(min(map(told_by, reading.untold))),
        "overdue": any(one.report_id in reading.overdue for one in reading.untold),
        "signed_at": rfc3339(max(one.at for one in reading.untold)),
        "mine": calling.calls_for_telling(reading, who.id, {who.id} if reading.site in watching else ()),
    }
