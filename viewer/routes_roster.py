"""The duty roster: who is on duty, swaps, calendars, and what is in doubt."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final

import msgspec
from fastapi import APIRouter, Query, Request
from pydantic import Field
from starlette.responses import Response

from greenchannel.alerts.roster_edit import DutyShift, of_site
from greenchannel.alerts.tables import read_value
from greenchannel.clock import rfc3339
from greenchannel.service.roster_changes import Changed, ImportRefused, shift_id_of
from greenchannel.service.roster_watch import problem_json, sentence
from greenchannel.store.accounts import SHIFT_ROLES
from greenchannel.viewer import problems
from greenchannel.viewer.access import may, require
from greenchannel.viewer.front import NOTHING, Front, Here, Who, address_of, answer, caller_of
from greenchannel.viewer.gate import bearer
from greenchannel.viewer.instants import Instant
from greenchannel.viewer.problems import Problem
from greenchannel.viewer.routes_cases import PRINTABLE, Given
from greenchannel.viewer.uploads import read_upload

router = APIRouter(tags=["roster"])

AHEAD: Final = timedelta(days=14)  # where nobody says how far
FEED_BEHIND: Final = timedelta(days=7)
FEED_AHEAD: Final = timedelta(days=90)
LONGEST: Final = timedelta(days=400)
MOST_BYTES: Final = read_value("roster_ical", "most_bytes", int)

Id = Annotated[str, Field(min_length=1, max_length=64, pattern=PRINTABLE)]
From = Annotated[Instant | None, Query(alias="from")]
To = Annotated[Instant | None, Query(alias="to")]


class NewShift(Given):
    """A person on duty."""

    person: Id
    role: Annotated[str, Field(max_length=16, pattern=PRINTABLE)]
    starts: Annotated[Instant, Field(alias="from")]
    ends: Annotated[Instant, Field(alias="to")]
    site: Id | None = None


class Swap(Given):
    """To whom, why, and which part; without a part all that is left of the shift."""

    to: Id
    reason: Annotated[str, Field(min_length=1, max_length=500, pattern=PRINTABLE)]
    starts: Annotated[Instant | None, Field(alias="from")] = None
    ends: Annotated[Instant | None, Field(alias="until")] = None


def _span(
    now: datetime, start: datetime | None, end: datetime | None, behind: timedelta, ahead: timedelta
) -> tuple[datetime, datetime]:
    first = start or now - behind
    last = end or max(first, now) + ahead
    if last <= first or last - first > LONGEST:
        raise Problem(
            422,
            "this is no span of the roster",
            code="bad_span",
            zh=f"时间范围有误，最长 {LONGEST.days} 天",
            expected=f"from before to, at most {LONGEST.days} days",
            got=f"{rfc3339(first)} to {rfc3339(last)}",
        )
    return first, last


def _shift(front: Front, shift: DutyShift) -> dict[str, Any]:
    return {
        "shift_id": shift.id,
        "role": shift.role,
        **front.directory.person(shift.person),
        "disabled": not front.directory.is_rung(shift.person, shift.site),
        "site": shift.site,
        "from": rfc3339(shift.start),
        "to": rfc3339(shift.end),
        "instead_of": shift.instead_of,
    }


def _changed(front: Front, done: Changed, status: int = 200) -> Response:
    def listed(shifts: Iterable[DutyShift]) -> list[dict[str, Any]]:
        return [_shift(front, one) for one in shifts]

    return answer(
        {
            "added": listed(done.added),
            "changed": listed(done.changed),
            "removed": listed(done.removed),
            "unchanged": done.unchanged,
            "warnings": [msgspec.to_builtins(one) for one in done.cautions],
        },
        status,
    )


# ---------------------------------------------------------------- who is on duty


@router.get("/roster", summary="Who is on duty when")
async def roster(front: Here, who: Who, start: From = None, end: To = None) -> Response:
    """The shifts of a span by role; without one, those of the next two weeks."""
    require(who, "roster")
    await front.directory.refresh()
    first, last = _span(front.desk.clock.now(), start, end, timedelta(0), AHEAD)
    shifts = await front.desk.roster.between(first, last)
    roles = {role: [_shift(front, one) for one in shifts if one.role == role] for role in SHIFT_ROLES}
    return answer({"from": rfc3339(first), "to": rfc3339(last), "roles": roles})


@router.get("/roster/now", summary="Who is on duty now")
async def on_duty_now(front: Here, who: Who) -> Response:
    """By role, for the network and for each site that has shifts of its own now; null where nobody is. Whose account
    is disabled, or may not answer alerts any more, is rung by none: they stand under `disabled`, not under `roles`."""
    require(who, "roster")
    await front.directory.refresh()
    now = front.desk.clock.now()
    shifts = await front.desk.roster.between(now, now + timedelta(microseconds=1))
    gone = [one for one in shifts if not front.directory.is_rung(one.person, one.site)]
    counted = [one for one in shifts if one not in gone]
    sites = sorted({one.site for one in shifts if one.site is not None})

    def roles(site: str | None) -> dict[str, Any]:
        return {role: _holder(front, of_site(counted, site, now), role) for role in SHIFT_ROLES}

    return answer(
        {
            "at": rfc3339(now),
            "roles": roles(None),
            "sites": {site: roles(site) for site in sites},
            "disabled": [_shift(front, one) for one in gone],
        }
    )


def _holder(front: Front, shifts: Iterable[DutyShift], role: str) -> dict[str, Any] | None:
    current = [one for one in shifts if one.role == role]
    # As `alerts.roster.on_duty`: the shift that began last holds.
    found = max(current, key=lambda one: (one.start, one.person), default=None)
    return None if found is None else _shift(front, found)


@router.get("/roster/problems", summary="What is in doubt ahead")
async def in_doubt(front: Here, who: Who) -> Response:
    """By the roster as it is now, with when each was first said; and what was said and is gone since."""
    require(who, "roster")
    await front.directory.refresh()
    now, view = front.desk.clock.now(), await front.desk.roster.view()
    found = []
    for problem in view.problems:
        known = [one for one in view.doubts if one.tells(problem, now)]
        person = None if problem.person is None else front.directory.person(problem.person)
        found.append(
            problem_json(problem)
            | sentence(problem)
            | {
                "name": None if person is None else person["name"],
                "said_at": rfc3339(min(one.said_at for one in known)) if known else None,
                "checks": sorted({check for one in known for check in one.checks}),
            }
        )
    gone = [
        problem_json(one.problem) | sentence(one.problem, gone=True) | {"said_at": rfc3339(one.said_at)}
        for one in view.doubts
        if not any(one.problem.overlaps(problem) for problem in view.problems)
    ]
    return answer({"at": rfc3339(now), "problems": found, "gone": gone})


# ---------------------------------------------------------------- changes


@router.post("/roster/shifts", summary="Put a person on duty", status_code=201)
async def add(body: NewShift, front: Here, who: Who) -> Response:
    """For administrators. Overlaps are allowed, and said in `warnings`."""
    require(who, "edit_roster")
    await front.directory.refresh()
    shift = DutyShift(
        id=shift_id_of(body.role, body.person, body.starts, body.site),
        role=body.role,
        person=body.person,
        start=body.starts.astimezone(UTC),
        end=body.ends.astimezone(UTC),
        site=body.site,
    )
    return _changed(front, await front.desk.roster.add(shift, who), 201)


@router.post("/roster/shifts/{shift_id}/swap", summary="Give a shift or a part of it away")
async def swap(shift_id: str, body: Swap, front: Here, who: Who) -> Response:
    """One's own; an administrator also those of others."""
    require(who, "give_shift")
    await front.directory.refresh()
    done = await front.desk.roster.swap(
        shift_id,
        body.to,
        start=body.starts,
        end=body.ends,
        reason=body.reason,
        caller=who,
        any_shift=may(who, "edit_roster"),
    )
    return _changed(front, done)


@router.delete("/roster/shifts/{shift_id}", summary="Take a shift off the roster")
async def remove(shift_id: str, front: Here, who: Who) -> Response:
    """For administrators."""
    require(who, "edit_roster")
    await front.directory.refresh()
    return _changed(front, await front.desk.roster.remove(shift_id, who))


@router.post("/roster/import", summary="Take an iCalendar file in")
async def take(
    request: Request,
    front: Here,
    who: Who,
    site: Annotated[str | None, Query(max_length=64)] = None,
    dry_run: bool = False,
) -> Response:
    """For administrators: the body is the file. All of it, or with one fault nothing; then `faults` lists them."""
    require(who, "edit_roster")
    await front.directory.refresh()
    files, _ = await read_upload(request, MOST_BYTES)
    if len(files) != 1:
        raise Problem(422, "one calendar at a time", expected="one file", got=f"{len(files)}")
    try:
        done = await front.desk.roster.take(files[0][1], who, site=site, dry_run=dry_run)
    except ImportRefused as refused:
        document = problems.of(refused).document()
        faults = [msgspec.to_builtins(one) for one in refused.wrong]
        return Response(
            msgspec.json.encode(document | {"faults": faults}),
            status_code=refused.status,
            media_type=problems.MEDIA_TYPE,
        )
    return _changed(front, done)


# ---------------------------------------------------------------- calendar programs


@router.get("/roster.ics", summary="The roster as an iCalendar file")
async def calendar(
    request: Request,
    front: Here,
    start: From = None,
    end: To = None,
    token: Annotated[str | None, Query(max_length=512)] = None,
) -> Response:
    """With a session, or with the token of `POST /roster/feed` as a bearer or in the address."""
    await _reader(request, front, token)
    first, last = _span(front.desk.clock.now(), start, end, FEED_BEHIND, FEED_AHEAD)
    data = await front.desk.roster.calendar(first, last)
    return Response(
        data,
        media_type="text/calendar; charset=utf-8",
        headers={"Cache-Control": "no-store", "Content-Disposition": 'inline; filename="roster.ics"'},
    )


async def _reader(request: Request, front: Front, token: str | None) -> None:
    given = token or bearer(request.headers)
    if given is not None and await front.desk.roster.feed_owner(given) is not None:
        return
    if given is not None:
        # No person's token: a device's may not read the roster, and a wrong one counts as a failed attempt.
        require(await front.gate.device(given, address_of(request.scope)), "roster")
    require(await caller_of(request), "roster")


@router.post("/roster/feed", summary="A token for one's own calendar program", status_code=201)
async def feed(front: Here, who: Who) -> Response:
    """Shown this once; the one before is worth nothing from now on. It reads the roster and nothing else."""
    require(who, "roster")
    token = await front.desk.roster.give_feed_token(who)
    return answer({"token": token, "path": f"/api/v1/roster.ics?token={token}"}, 201)


@router.delete("/roster/feed", summary="End it", status_code=NOTHING)
async def end_feed(front: Here, who: Who) -> Response:
    """The token is worth nothing from now on."""
    require(who, "roster")
    await front.desk.roster.end_feed(who)
    return Response(status_code=NOTHING)
