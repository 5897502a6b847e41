"""The worklist, one case, and what people do with a case."""

import asyncio
import heapq
from datetime import date, datetime
from typing import Annotated, Any, ClassVar, Final, Literal

from fastapi import APIRouter, Header, Query
from pydantic import BaseModel, ConfigDict, Field, model_validator
from starlette.responses import Response

from greenchannel.alerts import timeline_json
from greenchannel.alerts.case import Case
from greenchannel.alerts.ecg_state import Ecg, SignedReading
from greenchannel.alerts.facts import facts
from greenchannel.alerts.milestones import (
    DEVICE_SOURCE,
    MACHINE_SOURCES,
    MilestoneSpec,
    codes,
    enterable,
    milestones,
    sources,
)
from greenchannel.alerts.next_milestones import is_tapped, next_of
from greenchannel.alerts.outcome_card import card
from greenchannel.alerts.timeline import timeline
from greenchannel.alerts.told_day import day_zones, told
from greenchannel.clock import EARLIEST, rfc3339
from greenchannel.events import ClockReading
from greenchannel.ingest.texts import seen
from greenchannel.service.callers import Caller
from greenchannel.service.errors import Forbidden
from greenchannel.viewer import history, imaging_json, loop_json, routes_reperfusion, wire
from greenchannel.viewer.access import may_name, require
from greenchannel.viewer.directory import Directory
from greenchannel.viewer.front import NOTHING, Front, Here, Who, answer
from greenchannel.viewer.instants import BEYOND_ZH, Instant, is_day
from greenchannel.viewer.problems import Problem

router = APIRouter(prefix="/cases", tags=["cases"])

MOST_ROWS: Final = 1000  # of one answer; a row has some kilobytes, and all of them are encoded at once
ROWS_BY_DEFAULT: Final = 200  # where not the board is asked for, which is as long as it is

Tier = Literal["ACT", "CRIT", "URG", "FLAG", "REC", "NONE"]


@router.get("", summary="The worklist")
async def worklist(
    front: Here,
    who: Who,
    tier: Tier | None = None,
    state: Literal["open", "closed", "merged"] | None = None,
    site: Annotated[str | None, Query(max_length=64)] = None,
    opened_from: Annotated[Instant | None, Query(alias="from")] = None,
    opened_to: Annotated[Instant | None, Query(alias="to")] = None,
    limit: Annotated[int | None, Query(ge=1, le=MOST_ROWS)] = None,
    before: Annotated[str | None, Query(max_length=64)] = None,
) -> Response:
    """Rows in worklist order, of the cases that the caller may see.

    Without `state`, `from` and `to`: what boards show, which is open cases, cases with an open alert, and cases whose
    last event is less than a day old. With one of them: all cases that fit, at most 200 unless `limit` says otherwise.
    `limit` takes those that were opened last; `next_before` of the answer, given as `before`, goes on with older ones.
    """
    require(who, "look")
    await front.directory.refresh()
    now, seq = front.desk.clock.now(), front.desk.hub.seq
    of_board = state is None and opened_from is None and opened_to is None
    shown = [
        case
        for case in (front.fanout.board(now) if of_board else front.desk.cases())
        if who.may_see(case.site)
        and (tier is None or case.tier == tier)
        and (state is None or case.state == state)
        and (site is None or case.site == site)
        and (opened_from is None or case.opened_at >= opened_from)
        and (opened_to is None or case.opened_at < opened_to)
    ]
    if before is not None:
        mark = _age(front.case(before, who))
        shown = [case for case in shown if _age(case) < mark]
    most = limit or (len(shown) if of_board else ROWS_BY_DEFAULT)
    newest = shown if len(shown) <= most else heapq.nlargest(most, shown, key=_age)
    next_before = min(newest, key=_age).case_id if len(newest) < len(shown) else None
    if of_board:
        rows = front.rows.rows(newest, now)
    else:  # none of them may be at hand, and to make many takes a while
        rows = await asyncio.to_thread(front.rows.rows, newest, now)
    return answer({"seq": seq, "cases": rows, "next_before": next_before})


def _age(case: Case) -> tuple[datetime, str]:
    """Sorts cases by when they were opened; no two are equal."""
    return case.opened_at, case.case_id


@router.get("/{case_id}", summary="One case")
async def one(
    case_id: str, front: Here, who: Who, reason: Annotated[str | None, Query(max_length=500)] = None
) -> Response:
    """With timeline, readings and history. Who the patient is, only for those who care for the patient; quality staff
    give a `reason`, which is written to the access log."""
    require(who, "look")
    case = front.case(case_id, who)
    return answer(await _page(front, case, who, reason))


async def _page(front: Front, case: Case, who: Caller, reason: str | None) -> dict[str, Any]:
    await front.directory.refresh()
    names = front.directory
    named = may_name(who, reason)
    front.look(who, "look_case", case.case_id, reason)
    identity = await front.desk.identity(case.case_id) if named else None
    if named:
        front.look(who, "look_identity", case.case_id, reason)
    now, times = front.desk.clock.now(), timeline(case)
    signed = sorted(
        ((ecg, one) for ecg in case.current_ecgs for one in ecg.readings), key=lambda pair: pair[1].seq
    )
    return {
        **wire.case_row(case, names, now),
        "timeline": timeline_json.to_json(times, names.actor_name),
        "followups": loop_json.followups(case, names, now),
        "outcome": loop_json.outcome(card(case, times), names),
        "reperfusion": routes_reperfusion.short(front.desk.reperfusion.of(case)),
        "readings": [wire.reading(ecg, one, names) for ecg, one in signed],
        "advice": [
            {
                "ecg_id": ecg.ecg_id,
                "at": rfc3339(one.at),
                "name": names.person(one.person)["name"],
                "text": one.advice,
                **_seen(ecg, one, names),
            }
            for ecg, one in signed
            if one.advice is not None
        ],
        "identity": None
        if identity is None
        else {key: identity.get(key) for key in ("name", "phone", "id_number", "callback_phone", "history")}
        | {"vitals": case.context.vitals},
        "images": [
            imaging_json.on_case(front, study, who, named=named)
            for study in await front.desk.images.of_case(case, front.desk.hub.cases)
        ],
        "history": [history.line(envelope, names) for envelope in case.history],
    }


def _seen(ecg: Ecg, signed: SignedReading, names: Directory) -> dict[str, Any]:
    """The proof that the clinic has read one advice: when, and who said so."""
    look = ecg.seen_of(signed)
    return {
        "seen_at": None if look is None else rfc3339(look.at),
        "seen_by": None if look is None else names.person(look.person),
    }


@router.get("/{case_id}/forms", summary="The milestones that the caller's role may enter")
async def forms(case_id: str, front: Here, who: Who) -> Response:
    """Those that the case's arrival mode has; `one_tap`: the press may be the time, `next`: what likely comes next."""
    case = front.case(case_id, who)
    rows = [row for row in _enterable(who) if row.exists_in(case.arrival_mode)]
    known = {value.milestone for value in case.values}
    way = "stream" if any(ecg.way == "stream" for ecg in case.current_ecgs) else "upload"
    role = "clinic" if who.kind == "device" else who.role
    come = next_of(rows, known, role=role, arrival_mode=case.arrival_mode, way=way)
    return answer(
        {
            "milestones": [
                {
                    "id": row.id,
                    "zh": row.zh,
                    "en": row.en,
                    "key": row.key,
                    "known": row.id in known,
                    "one_tap": is_tapped(row, role),
                    "next": row.id in come,
                    "codes": [{"id": one.id, "zh": one.zh, "en": one.en} for one in codes(row.id).values()],
                    "day_told": row.day_told,
                }
                for row in rows
            ],
            "day_zones": list(day_zones()),
            "facts": [spec.id for spec in facts().values() if who.role in spec.enter],
        }
    )


# ---------------------------------------------------------------- commands


PRINTABLE: Final = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$"
"""What a person may write: no control characters but tab and line break. Not every database could store them."""


SOURCE: Final = r"^[A-Za-z][A-Za-z0-9_.:-]{0,31}$"  # a name such as ed, gps, published_report; shown on pages


class Given(BaseModel):
    """A body of one command; what is not known is refused."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    as_written: ClassVar[frozenset[str]] = frozenset()  # fields of which every sign counts

    @model_validator(mode="before")
    @classmethod
    def _as_seen(cls, given: Any) -> Any:
        """Words of marks that show nothing are none; nor may a mark turn around what stands beside them."""
        if not isinstance(given, dict):
            return given
        return {
            name: seen(value) if isinstance(value, str) and name not in cls.as_written else value
            for name, value in given.items()
        }


class Nothing(Given):
    """An empty body."""


class Reason(Given):
    """Why."""

    reason: Annotated[str, Field(min_length=1, max_length=500, pattern=PRINTABLE)]


class Into(Given):
    """The case that takes this one."""

    into: Annotated[str, Field(min_length=1, max_length=64)]


class Ecgs(Given):
    """ECGs and studies of images that belong to another case; one of them at least."""

    ecg_ids: Annotated[list[Annotated[str, Field(max_length=64)]], Field(max_length=100)] = Field(
        default_factory=list
    )
    study_uids: Annotated[
        list[Annotated[str, Field(max_length=64, pattern=r"^[0-9.]+$")]], Field(max_length=100)
    ] = Field(default_factory=list)
    into: Annotated[str, Field(min_length=1, max_length=64)] | None = None


class Note(Given):
    """What was found."""

    note: Annotated[str, Field(min_length=1, max_length=500, pattern=PRINTABLE)]


class Day(Given):
    """A time of which only the day is known, or the day and a part of it."""

    date: Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$")]
    zone: Annotated[str, Field(min_length=1, max_length=8, pattern=PRINTABLE)] | None = None


class Milestone(Given):
    """One value of one milestone."""

    milestone: Annotated[str, Field(min_length=1, max_length=64)]
    at: Instant | Day | None = None
    source: Annotated[str, Field(pattern=SOURCE)] | None = None
    key: Annotated[str, Field(min_length=1, max_length=64, pattern=PRINTABLE)] | None = None
    note: Annotated[str, Field(min_length=1, max_length=500, pattern=PRINTABLE)] | None = None
    code: Annotated[str, Field(min_length=1, max_length=32, pattern=PRINTABLE)] | None = None


async def _row(front: Front, case: Case, status: int = 200) -> Response:
    return answer({"case": await front.row(case)}, status)


@router.post("/{case_id}/green-channel", summary="Open the chest-pain green channel")
async def open_green_channel(case_id: str, front: Here, who: Who, body: Nothing | None = None) -> Response:
    """A person's act; opening an open one changes nothing."""
    require(who, "open_channel")
    front.case(case_id, who)
    return await _row(front, await front.desk.answers.open_green_channel(case_id, who))


@router.post("/{case_id}/stand-down", summary="Stand the green channel down")
async def stand_down(case_id: str, body: Reason, front: Here, who: Who) -> Response:
    """With a reason; the channel's history stays."""
    require(who, "stand_down")
    front.case(case_id, who)
    return await _row(front, await front.desk.answers.stand_down(case_id, who, body.reason))


@router.post("/{case_id}/milestones", summary="Enter a time")
async def record_milestone(
    case_id: str,
    body: Milestone,
    front: Here,
    who: Who,
    idempotency_key: Annotated[str | None, Header(max_length=200)] = None,
) -> Response:
    """201 for a new value, 200 for the same request again. What the role may enter, `forms` says.

    Without `at` the press is the time, by the server's clock, and a second press changes nothing. Where only the day of
    the onset is known, or the day and a part of it, `at` is ``{"date", "zone"?}``. Without `source` it is the role's.
    """
    require(who, "milestone")
    known = front.case(case_id, who)
    _check_enterable(body.milestone, who)
    source = body.source or _own_source(who)
    _check_source(source, body.milestone, body.key, who, known)
    case, created = await front.desk.answers.record_milestone(
        case_id,
        who,
        milestone=body.milestone,
        at=_day(body.at, front, known.site) if isinstance(body.at, Day) else body.at,
        source=source,
        key=body.key,
        note=body.note,
        code=body.code,
        idempotency_key=idempotency_key,
    )
    return await _row(front, case, 201 if created else 200)


def _own_source(who: Caller) -> str:
    if who.kind == "device":
        raise Problem(
            422,
            "a device says whose the time is",
            code="source_required",
            zh="须说明时间来源",
            expected="a source such as device or clinic",
            got="none",
        )
    return who.role


def _day(said: Day, front: Front, site: str) -> ClockReading:
    try:
        day = date.fromisoformat(said.date)
    except ValueError:
        raise Problem(
            422,
            "there is no such day",
            code="bad_date",
            zh="没有这一天",
            expected="a day such as 2026-03-02",
            got=said.date,
        ) from None
    if not is_day(day):
        raise Problem(
            422,
            "no onset can be on this day",
            code="bad_date" if day.year <= EARLIEST.year else "future_time",
            zh=BEYOND_ZH,
            expected="a day such as 2026-03-02",
            got=said.date,
        )
    return told(day, said.zone, front.desk.intake.zone_of(site), front.desk.clock.now())


RECORDED_BY_DEVICES: Final = "DEV"  # in the milestone table's column `by`


def _check_source(source: str, milestone: str, key: str | None, who: Caller, case: Case) -> None:
    """A machine's word is taken from that machine alone: a device speaks for itself where devices record, and else, as
    the clinic's computer, for the people who work at it. Quality staff correct what a device or the server said, and
    only what it said."""
    if source not in sources():
        raise Problem(
            422,
            "nobody gives times by this source",
            code="unknown_source",
            zh="没有这个时间来源",
            expected=" ".join(sorted(sources() - MACHINE_SOURCES)),
            got=source,
        )
    of_devices = RECORDED_BY_DEVICES in milestones()[milestone].by
    machine = source in MACHINE_SOURCES
    if who.kind == "device" and (source == DEVICE_SOURCE) != of_devices:
        expected = f"the source {DEVICE_SOURCE}" if of_devices else "a person as its source"
        raise Forbidden(
            "source_forbidden",
            f"a device enters {milestone} with {expected}, got {source}",
            "来源与该时间点不符",
        )
    if machine and who.kind != "device" and (who.role != "quality" or source == "gps"):
        raise Forbidden(
            "source_forbidden",
            f"a person may not enter a time of the source {source}",
            "不能以设备名义填写时间",
        )
    if source in ("server", "gps") and who.kind == "device":
        raise Forbidden(
            "source_forbidden",
            f"a device may not enter a time of the source {source}",
            "不能以服务器或定位的名义填写时间",
        )
    said = {(value.milestone, value.key, value.source) for value in case.values}
    if machine and who.kind != "device" and (milestone, key, source) not in said:
        raise Problem(
            422,
            f"no machine has said a time of {milestone} by the source {source}: there is nothing to correct",
            code="nothing_to_correct",
            zh="该来源没有记录过这个时间，无可更正",
            expected="the source quality",
            got=source,
        )


def _enterable(who: Caller) -> tuple[MilestoneSpec, ...]:
    """What a person's role may enter; a device's token is the clinic's computer too."""
    if who.kind != "device":
        return enterable(who.role)
    at_clinic = {row.id for row in enterable("clinic")}
    return tuple(row for row in milestones().values() if row.id in at_clinic or RECORDED_BY_DEVICES in row.by)


def _check_enterable(milestone: str, who: Caller) -> None:
    mine = [row.id for row in _enterable(who)]
    if milestone in mine:
        return
    if milestone not in milestones():
        raise Problem(
            422,
            "there is no such milestone",
            code="unknown_milestone",
            zh="没有这个时间点",
            expected=" ".join(mine),
            got=milestone,
        )
    raise Forbidden("forbidden", f"the role {who.role} may not enter {milestone}", "您的角色不能填写此时间点")


@router.post("/{case_id}/close", summary="Close a case")
async def close(case_id: str, body: Reason, front: Here, who: Who) -> Response:
    """Nothing more is expected of it."""
    require(who, "close")
    front.case(case_id, who)
    return await _row(front, await front.desk.answers.close_case(case_id, who, body.reason))


@router.post("/{case_id}/merge", summary="The same episode as another case")
async def merge(case_id: str, body: Into, front: Here, who: Who) -> Response:
    """Both are kept; the answer is the case that was merged."""
    require(who, "join")
    front.case(case_id, who)
    front.case(body.into, who)
    return await _row(front, await front.desk.answers.merge(case_id, who, body.into))


@router.post("/{case_id}/split", summary="Some ECGs or studies belong to another case")
async def split(case_id: str, body: Ecgs, front: Here, who: Who) -> Response:
    """They move to a new case, or into the open case `into` of the same site; the answer is the case they left. What
    was signed of a study stands as unconfirmed until its reader, or another, confirms it for the other patient."""
    require(who, "join" if body.ecg_ids or not body.study_uids else "move_images")
    front.case(case_id, who)
    if body.into is not None:
        front.case(body.into, who)
    return await _row(
        front, await front.desk.answers.split(case_id, who, body.ecg_ids, body.into, body.study_uids)
    )


@router.post("/{case_id}/identity-checked", summary="A person looked whose the ECGs are")
async def identity_checked(case_id: str, body: Note, front: Here, who: Who) -> Response:
    """What was asked before waits no longer; the note is kept. It moves nothing: that is what merge and split do."""
    require(who, "check_identity")
    front.case(case_id, who)
    return await _row(front, await front.desk.answers.identity_checked(case_id, who, body.note))


@router.post("/{case_id}/erase", summary="Make a patient unreadable for ever", tags=["administration"])
async def erase(case_id: str, body: Reason, front: Here, who: Who) -> Response:
    """Destroys the key of this case's patient: names and original files are gone, the log keeps that it was done."""
    require(who, "erase")
    front.case(case_id, who)
    front.look(who, "erase_patient", case_id)
    await front.desk.answers.erase_patient(case_id, who, body.reason)
    return Response(status_code=NOTHING)
