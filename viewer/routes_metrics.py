"""Intervals and shares against a named edition of a standard, each number with the ids of its cases."""

import asyncio
from datetime import date, datetime, time
from typing import Annotated, Any, Final

import msgspec
from fastapi import APIRouter, Query
from starlette.responses import Response

from greenchannel.alerts.order import NATIONAL_ZONE
from greenchannel.alerts.quality.answers import MetricsAnswer, Question
from greenchannel.alerts.quality.groups import GROUPINGS
from greenchannel.alerts.quality.metrics import editions, exclusions, metrics
from greenchannel.clock import can_be
from greenchannel.viewer.access import require
from greenchannel.viewer.directory import Directory
from greenchannel.viewer.front import Here, Who, answer
from greenchannel.viewer.problems import Problem

router = APIRouter(prefix="/metrics", tags=["quality"])

NONE: Final = "none"  # no exclusions
SITES_OF: Final = ("clinic", "referring")  # groupings whose keys are sites
PEOPLE_OF: Final = ("doctor", "reader")


@router.get("", summary="Intervals and shares against an edition of a standard")
async def asked(
    front: Here,
    who: Who,
    standard: Annotated[str | None, Query(max_length=32)] = None,
    metric: Annotated[str | None, Query(max_length=1000)] = None,
    start: Annotated[str | None, Query(alias="from", max_length=40)] = None,
    end: Annotated[str | None, Query(alias="to", max_length=40)] = None,
    by: Annotated[str | None, Query(max_length=64)] = None,
    exclusions: Annotated[str | None, Query(max_length=200)] = None,
    cases: bool = True,
    trend: bool = True,
) -> Response:
    """Cases that began from `from` on and before `to`: a day of the national zone, or an instant.

    `standard`: an edition (all where it is left out). `metric`, `by`, `exclusions`: names, parted by commas.
    `exclusions` is "none" for no exclusions, and left out those of the edition. `cases=0` leaves the ids out. A clinic
    sees its own cases counted.
    """
    require(who, "metrics")
    first, last = instant(start, "from"), instant(end, "to")
    if first is not None and last is not None and last <= first:
        raise Problem(
            422,
            "a period ends after it begins",
            code="bad_period",
            zh="结束时间应晚于开始时间",
            expected=f"to after {start}",
            got=end or "",
        )
    question = Question(
        edition=standard,
        metrics=_names(metric),
        start=first,
        end=last,
        by=_names(by),
        exclusions=None if exclusions is None else () if exclusions == NONE else _names(exclusions),
        cases=cases,
        trend=trend,
    )
    await front.directory.refresh()
    found = await asyncio.to_thread(front.desk.quality.answer, question, who.sites)
    return answer(await asyncio.to_thread(to_json, found, front.directory))


@router.get("/editions", summary="Editions, metrics, exclusions and groupings")
async def offered(who: Who) -> Response:
    """With definitions, targets and sources."""
    require(who, "metrics")
    found = {
        "editions": [msgspec.to_builtins(row) for row in editions().values()],
        "metrics": [_full(row) for row in metrics().values()],
        "exclusions": [msgspec.to_builtins(row) for row in exclusions().values()],
        "groupings": list(GROUPINGS),
    }
    return answer(found)


def to_json(found: MetricsAnswer, names: Directory) -> dict[str, Any]:
    """An answer as it stands on the wire; groups that are sites or people come with what these are called."""
    question = found.question
    keys = {cell.key for one in found.metrics for cell in one.groups if cell.key is not None}
    asked = _full(question)
    start, end = asked.pop("start"), asked.pop("end")
    return {
        "question": asked | {"from": start, "to": end},
        "cases": found.cases,
        "names": _called(question.by, keys, names),
        "metrics": [_full(one) for one in found.metrics],
    }


def _full(row: msgspec.Struct) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.to_builtins(row)
    return found


def _called(by: tuple[str, ...], keys: set[str], names: Directory) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for place, grouping in enumerate(by):
        for part in {key.split("|")[place] if len(by) > 1 else key for key in keys} - {""}:
            if grouping in SITES_OF:
                site = names.site(part)
                found[part] = {"zh": site["name_zh"], "en": site["name_en"]}
            elif grouping in PEOPLE_OF:
                name = names.person(part)["name"] or part
                found[part] = {"zh": name, "en": name}
    return found


def _names(given: str | None) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name.strip() for name in (given or "").split(",") if name.strip()))


def instant(given: str | None, name: str) -> datetime | None:
    """A day as its first instant in the national zone, or an instant with its offset; None where nothing is given.

    Raises `Problem` 422 for anything else.
    """
    if not given:
        return None
    try:
        if len(given) == len("2026-03-02"):
            found = datetime.combine(date.fromisoformat(given), time(), NATIONAL_ZONE)
        else:
            found = datetime.fromisoformat(
                given.replace(" ", "+")
            )  # a plus that the address turned into a space
    except ValueError:
        found = None
    if found is None or found.utcoffset() is None or not can_be(found):
        raise Problem(
            422,
            f"{name} is neither a day nor an instant",
            code="bad_instant",
            zh=f"{name} 应为日期或带时区的时间",
            expected="2026-03-02 or 2026-03-02T16:05:00+08:00",
            got=given,
        )
    return found
