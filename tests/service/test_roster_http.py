"""The roster over HTTP: who may see and change it, swaps, calendars, feeds, what is in doubt."""

import asyncio
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from greenchannel.alerts.tables import read_value
from greenchannel.events import RosterChanged
from greenchannel.viewer import directory
from tests.roster_calendars import calendar, event
from tests.service.viewer_house import PASSWORD, House, house

Story = Callable[[House], Coroutine[Any, Any, None]]
DAY = timedelta(days=1)
# Whole seconds, and so far ahead that no test meets it.
MONDAY = (datetime.now(UTC) + 3 * DAY).replace(hour=0, minute=0, second=0, microsecond=0)


def tell(story: Story, folder: Path) -> None:
    async def play() -> None:
        async with house(folder) as here:
            here.desk.accounts.add_user("second", "张医生", "reader", PASSWORD)
            here.desk.accounts.add_user("east", "东医生", "reader", PASSWORD, frozenset({"jishi"}))
            await story(here)

    asyncio.run(play())


def at(hours: float) -> str:
    return (MONDAY + timedelta(hours=hours)).isoformat()


def compact(hours: float) -> str:
    return f"{MONDAY + timedelta(hours=hours):%Y%m%dT%H%M%SZ}"


async def entered(here: House, boss: dict[str, str], **given: Any) -> httpx.Response:
    body = {"person": "cardiologist", "role": "first", "from": at(0), "to": at(12)} | given
    return await here.http.post("/api/v1/roster/shifts", json=body, headers=boss)


def changes(here: House) -> list[tuple[str, str, RosterChanged]]:
    """What the log says of the roster: actor, what, and the event."""
    found = [(one.actor, one.event) for one in here.desk.log.read_stream("roster")]
    return [(actor, one.change, one) for actor, one in found if isinstance(one, RosterChanged)]


def refused(answer: httpx.Response, status: int, code: str) -> None:
    assert answer.status_code == status, answer.text
    document = answer.json()
    assert document["code"] == code and document["detail"] and document["zh"]


def test_an_administrator_enters_and_removes_and_all_people_read(tmp_path: Path) -> None:
    """By role, with names; devices and strangers see nothing, nobody else changes anything."""

    async def story(here: House) -> None:
        boss, clinic = await here.person("boss"), await here.person("village")
        made = await entered(here, boss)
        assert made.status_code == 201
        (shift,) = made.json()["added"]
        assert (shift["person"], shift["name"], shift["role"]) == ("cardiologist", "王医生", "first")
        span = {"from": at(-1), "to": at(24)}
        for reader in (boss, clinic, await here.person("quality")):
            seen = (await here.http.get("/api/v1/roster", params=span, headers=reader)).json()
            assert [one["shift_id"] for one in seen["roles"]["first"]] == [shift["shift_id"]]
            assert seen["roles"]["second"] == [] and seen["roles"]["head"] == []
        assert (await here.http.get("/api/v1/roster")).status_code == 401
        refused(await here.http.get("/api/v1/roster", headers=here.device()), 403, "forbidden")
        doctor = await here.person("cardiologist")
        path = f"/api/v1/roster/shifts/{shift['shift_id']}"
        for who in (clinic, doctor):
            refused(await entered(here, who), 403, "forbidden")
            refused(await here.http.delete(path, headers=who), 403, "forbidden")
            refused(
                await here.http.post("/api/v1/roster/import", content=b"x", headers=who), 403, "forbidden"
            )
        assert (await here.http.delete(path, headers=boss)).json()["removed"][0] == shift
        refused(await here.http.delete(path, headers=boss), 404, "not_found")
        assert [(actor, what) for actor, what, _ in changes(here)] == [
            ("user:boss", "added"),
            ("user:boss", "removed"),
        ]

    tell(story, tmp_path)


def test_who_is_on_duty_now(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """For the network, and for a site that has its own; nobody is null, and so is who is disabled."""
    monkeypatch.setattr(directory, "REFRESH_AFTER_S", 0.0)  # people are read anew for each request

    async def story(here: House) -> None:
        doctor = await here.person("cardiologist")
        now = datetime.now(UTC).replace(microsecond=0)
        spans = {"from": (now - DAY / 24).isoformat(), "to": (now + DAY / 24).isoformat()}
        made = await entered(here, await here.person("boss"), person="east", site="jishi", **spans)
        assert made.status_code == 201 and made.json()["warnings"] == []
        seen = (await here.http.get("/api/v1/roster/now", headers=doctor)).json()
        assert seen["roles"]["first"]["person"] == "cardiologist" and seen["roles"]["head"] is None
        assert seen["sites"]["jishi"]["first"]["name"] == "东医生"
        me = (await here.http.get("/api/v1/me", headers=await here.person("east"))).json()
        assert me["on_duty"] and me["shift"]["role"] == "first"
        assert (await here.http.get("/api/v1/me", headers=doctor)).json()["on_duty"]
        given = {"to": "second", "reason": "手术"}
        assert (
            await here.http.post("/api/v1/roster/shifts/s1/swap", json=given, headers=doctor)
        ).status_code == 200
        assert not (await here.http.get("/api/v1/me", headers=doctor)).json()["on_duty"]
        seen = (await here.http.get("/api/v1/roster/now", headers=doctor)).json()
        assert seen["roles"]["first"]["person"] == "second" and seen["disabled"] == []
        here.desk.accounts.disable_user("second")
        seen = (await here.http.get("/api/v1/roster/now", headers=doctor)).json()
        assert seen["roles"]["first"] is None, "no alert rings who is disabled"
        assert [(one["person"], one["disabled"]) for one in seen["disabled"]] == [("second", True)]

    tell(story, tmp_path)


def test_what_cannot_be_entered(tmp_path: Path) -> None:
    """Roles, people, sites, times; each says why, and nothing is written."""

    async def story(here: House) -> None:
        boss = await here.person("boss")
        here.desk.accounts.add_user("gone", "离职", "reader", PASSWORD)
        here.desk.accounts.disable_user("gone")
        for given, status, code in (
            ({"role": "tea"}, 422, "no_such_role"),
            ({"person": "nobody"}, 422, "no_such_person"),
            ({"person": "village"}, 422, "not_for_duty"),
            ({"person": "quality"}, 422, "not_for_duty"),
            ({"person": "gone"}, 422, "person_disabled"),
            ({"person": "east"}, 422, "not_their_site"),
            ({"person": "east", "site": "yinzhao"}, 422, "not_their_site"),
            ({"site": "moon"}, 422, "no_such_site"),
            ({"to": at(0)}, 422, "bad_times"),
            ({"to": at(24 * 365 * 400)}, 422, "invalid"),
            ({"to": at(24 * 40)}, 422, "bad_times"),
            ({"from": at(24 * 800), "to": at(24 * 800 + 8)}, 422, "bad_times"),
            ({"from": at(0).replace("00:00+", "00:00.5+")}, 422, "bad_times"),
            ({"from": 1767225600}, 422, "invalid"),
            ({"from": "2026-03-02T08:00:00"}, 422, "invalid"),
            ({"note": "x"}, 422, "invalid"),
        ):
            refused(await entered(here, boss, **given), status, code)
        assert changes(here) == []
        assert (await entered(here, boss)).status_code == 201
        refused(await entered(here, boss), 409, "shift_exists")

    tell(story, tmp_path)


def test_a_person_gives_away_a_part_of_the_own_shift_and_no_other(tmp_path: Path) -> None:
    """With a reason, kept in the log with who and when; an overlap or a second role is a warning."""

    async def story(here: House) -> None:
        boss, doctor = await here.person("boss"), await here.person("cardiologist")
        (shift,) = (await entered(here, boss)).json()["added"]
        path = f"/api/v1/roster/shifts/{shift['shift_id']}/swap"
        part = {"to": "second", "reason": "孩子发烧", "from": at(2), "until": at(4)}
        refused(
            await here.http.post(path, json=part, headers=await here.person("second")), 403, "not_your_shift"
        )
        refused(await here.http.post(path, json=part, headers=await here.person("village")), 403, "forbidden")
        refused(await here.http.post(path, json=part | {"reason": " "}, headers=doctor), 422, "invalid")
        refused(
            await here.http.post(path, json=part | {"to": "village"}, headers=doctor), 422, "not_for_duty"
        )
        refused(await here.http.post(path, json=part | {"to": "east"}, headers=doctor), 422, "not_their_site")
        refused(
            await here.http.post(path, json=part | {"until": at(13)}, headers=doctor), 422, "not_in_shift"
        )
        await entered(here, boss, person="second", role="head", **{"from": at(3), "to": at(9)})
        done = (await here.http.post(path, json=part, headers=doctor)).json()
        assert [(one["person"], one["from"][11:13], one["to"][11:13]) for one in done["added"]] == [
            ("cardiologist", "00", "02"),
            ("second", "02", "04"),
            ("cardiologist", "04", "12"),
        ]
        assert [one["code"] for one in done["warnings"]] == ["two_roles"]
        actor, what, swapped = changes(here)[-1]
        assert (actor, what, swapped.person) == ("user:cardiologist", "swapped", "second")
        assert (swapped.instead_of, swapped.reason) == ("cardiologist", "孩子发烧")
        assert (swapped.starts, swapped.ends) == (MONDAY + timedelta(hours=2), MONDAY + timedelta(hours=4))
        refused(await here.http.post(path, json=part, headers=doctor), 409, "shift_replaced")
        refused(await here.http.delete(path.removesuffix("/swap"), headers=boss), 409, "shift_replaced")
        given = f"/api/v1/roster/shifts/{done['added'][1]['shift_id']}/swap"
        assert (
            await here.http.post(given, json=part | {"to": "cardiologist"}, headers=boss)
        ).status_code == 200

    tell(story, tmp_path)


def test_a_calendar_is_tried_taken_and_given_back(tmp_path: Path) -> None:
    """Dry first, then done, then again without a change; what comes out goes into an empty roster as it was."""
    span = (f"DTSTART:{compact(0)}", f"DTEND:{compact(12)}")
    file = calendar(
        event(*span, "SUMMARY:一线：王医生", "RRULE:FREQ=DAILY;COUNT=3"),
        event(*span, "SUMMARY:second: 张医生", uid="2@x"),
    )

    async def story(here: House) -> None:
        boss, params = await here.person("boss"), {"from": at(-1), "to": at(100)}
        path = "/api/v1/roster/import"
        tried = (await here.http.post(path, params={"dry_run": True}, content=file, headers=boss)).json()
        assert len(tried["added"]) == 4 and changes(here) == []
        done = (await here.http.post(path, content=file, headers=boss)).json()
        assert done == tried and [what for _, what, _ in changes(here)] == ["imported"] * 4
        again = (await here.http.post(path, files={"file": ("r.ics", file)}, headers=boss)).json()
        assert again["unchanged"] == 4 and not (again["added"] or again["changed"] or again["removed"])
        assert len(changes(here)) == 4

        out = await here.http.get("/api/v1/roster.ics", params=params, headers=boss)
        assert out.headers["content-type"] == "text/calendar; charset=utf-8"
        roles = (await here.http.get("/api/v1/roster", params=params, headers=boss)).json()["roles"]
        for shift in (one for role in roles.values() for one in role):
            gone = await here.http.delete(f"/api/v1/roster/shifts/{shift['shift_id']}", headers=boss)
            assert gone.status_code == 200
        back = (await here.http.post(path, content=out.content, headers=boss)).json()
        assert len(back["added"]) == 4
        assert (await here.http.get("/api/v1/roster", params=params, headers=boss)).json()["roles"] == roles

    tell(story, tmp_path)


def test_a_broken_calendar_is_refused_as_a_whole_with_a_list(tmp_path: Path) -> None:
    """Unknown people and roles, a person who may not, a bomb, one too large, none at all."""
    span = (f"DTSTART:{compact(0)}", f"DTEND:{compact(12)}")
    good = event(*span, "SUMMARY:first: 王医生", uid="good@x")
    unknown = [event(*span, f"SUMMARY:{title}", uid=title) for title in ("first: 陌生人", "tea: 王医生")]

    async def story(here: House) -> None:
        boss, path = await here.person("boss"), "/api/v1/roster/import"
        answer = await here.http.post(path, content=calendar(good, *unknown), headers=boss)
        refused(answer, 422, "bad_roster")
        assert [one["where"].split(" 2")[0] for one in answer.json()["faults"]] == [
            "first: 陌生人",
            "tea: 王医生",
        ]
        assert all(one["zh"] and one["en"] for one in answer.json()["faults"])
        may_not = calendar(good, event(*span, "SUMMARY:second: 李医生", uid="v@x"))
        answer = await here.http.post(path, content=may_not, headers=boss)
        refused(answer, 422, "bad_roster")
        assert "may answer alerts" in answer.json()["faults"][0]["en"]
        bomb = event(*span, "SUMMARY:first: 王医生", "RRULE:FREQ=SECONDLY;UNTIL=21260101T000000Z")
        refused(await here.http.post(path, content=calendar(bomb), headers=boss), 422, "bad_roster")
        refused(await here.http.post(path, content=b"", headers=boss), 422, "bad_roster")
        large = b" " * (read_value("roster_ical", "most_bytes", int) + 1)
        refused(await here.http.post(path, content=large, headers=boss), 413, "too_large")
        refused(
            await here.http.post(path, params={"site": "moon"}, content=calendar(good), headers=boss),
            404,
            "not_found",
        )
        assert changes(here) == []

    tell(story, tmp_path)


def test_a_calendar_program_reads_with_its_own_token_and_nothing_else(tmp_path: Path) -> None:
    """In the address or as a bearer; a newer token, its end, or a disabled person stops it; a device's is none."""

    async def story(here: House) -> None:
        doctor = await here.person("cardiologist")
        path = "/api/v1/roster.ics"
        first = (await here.http.post("/api/v1/roster/feed", headers=doctor)).json()
        assert (await here.http.get(first["path"])).content.startswith(b"BEGIN:VCALENDAR")
        bearer = {"Authorization": f"Bearer {first['token']}"}
        assert (await here.http.get(path, headers=bearer)).status_code == 200
        assert (await here.http.get("/api/v1/roster", headers=bearer)).status_code == 401
        assert (await here.http.get("/api/v1/cases", headers=bearer)).status_code == 401
        second = (await here.http.post("/api/v1/roster/feed", headers=doctor)).json()
        assert (await here.http.get(first["path"])).status_code == 401
        assert (await here.http.get(second["path"])).status_code == 200
        assert (await here.http.delete("/api/v1/roster/feed", headers=doctor)).status_code == 204
        assert (await here.http.get(second["path"])).status_code == 401
        third = (await here.http.post("/api/v1/roster/feed", headers=doctor)).json()
        here.desk.accounts.disable_user("cardiologist")
        assert (await here.http.get(third["path"])).status_code == 401
        assert (await here.http.get(path)).status_code == 401
        refused(await here.http.get(path, headers=here.device()), 403, "forbidden")
        refused(await here.http.post("/api/v1/roster/feed", headers=here.device()), 403, "forbidden")

    tell(story, tmp_path)


def test_what_is_in_doubt_is_listed_counted_and_gone_when_filled(tmp_path: Path) -> None:
    """The house has a first reader for a day, nobody else: said at the start, and told with names and times."""

    async def story(here: House) -> None:
        boss = await here.person("boss")
        here.desk.roster.watch.reachable = lambda person, now: True  # nobody in this house has a telephone
        await here.desk.roster.refresh()
        seen = (await here.http.get("/api/v1/roster/problems", headers=boss)).json()
        assert [(one["role"], one["problem"]) for one in seen["problems"]] == [
            ("second", "empty"),
            ("head", "empty"),
            ("first", "empty"),
        ]
        assert all(one["said_at"] and one["zh"] and one["en"] for one in seen["problems"])
        assert {one["problem"] for one in seen["gone"]} <= {"unreachable"}
        assert "greenchannel_roster_problems 3.0" in (await here.http.get("/metrics")).text
        now = datetime.now(UTC).replace(microsecond=0)
        spans = {"from": (now - DAY).isoformat(), "to": (now + 9 * DAY).isoformat()}
        assert (await entered(here, boss, person="second", role="second", **spans)).status_code == 201
        seen = (await here.http.get("/api/v1/roster/problems", headers=boss)).json()
        assert [one["role"] for one in seen["problems"]] == ["head", "first"]
        assert "greenchannel_roster_problems 2.0" in (await here.http.get("/metrics")).text
        refused(await here.http.get("/api/v1/roster/problems", headers=here.device()), 403, "forbidden")

    tell(story, tmp_path)


def test_a_span_that_cannot_be(tmp_path: Path) -> None:
    """Backwards, longer than a year and a bit, or a bare number."""

    async def story(here: House) -> None:
        boss = await here.person("boss")
        for path in ("/api/v1/roster", "/api/v1/roster.ics"):
            for params, code in (
                ({"from": at(1), "to": at(0)}, "bad_span"),
                ({"from": at(0), "to": at(24 * 500)}, "bad_span"),
                ({"from": "1767225600"}, "invalid"),
            ):
                refused(await here.http.get(path, params=params, headers=boss), 422, code)

    tell(story, tmp_path)
