"""Instants at the edge of what a datetime can hold, on every way in: told in both languages, never a fault of ours."""

import asyncio
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from greenchannel.cli.main import app
from tests.service.viewer_house import PASSWORD, House, ecg_file, house

EXTREMES = (
    "0001-01-01T00:00:00Z",
    "0001-01-01T00:00:00+14:00",
    "1899-12-31T23:59:59Z",
    "2200-01-01T00:00:00Z",
    "9999-12-31T23:59:59Z",
    "9999-12-31T23:59:59-14:00",
)
DAYS = ("0001-01-01", "1900-01-01", "2199-12-31", "9999-12-31")
SOON = "2027-01-01T08:00:00+08:00"


def calendar(begin: str, end: str) -> bytes:
    """One shift of a calendar file."""
    lines = ("BEGIN:VCALENDAR", "VERSION:2.0", "BEGIN:VEVENT", "UID:u1", f"DTSTART:{begin}", end)
    more = ("SUMMARY:first: cardiologist", "END:VEVENT", "END:VCALENDAR", "")
    return "\r\n".join((*lines, *more)).encode()


def requests(case_id: str, extreme: str) -> list[tuple[str, str, str, dict[str, Any]]]:
    """Who, method, path and the rest of every call that takes an instant."""
    case, milestone = f"cases/{case_id}", {"milestone": "HUB_DOOR", "source": "quality"}
    shift = {"person": "cardiologist", "role": "first", "from": SOON, "to": SOON}
    return [
        ("quality", "POST", f"{case}/milestones", {"json": milestone | {"at": extreme}}),
        ("quality", "GET", "cases", {"params": {"from": extreme}}),
        ("quality", "GET", "cases", {"params": {"to": extreme}}),
        ("dispatch", "POST", f"{case}/ambulance/eta", {"json": {"place": "hub", "at": extreme}}),
        ("boss", "POST", "roster/shifts", {"json": shift | {"from": extreme}}),
        ("boss", "POST", "roster/shifts", {"json": shift | {"to": extreme}}),
        ("boss", "POST", "roster/shifts/s1/swap", {"json": {"to": "x", "reason": "r", "from": extreme}}),
        ("boss", "POST", "roster/shifts/s1/swap", {"json": {"to": "x", "reason": "r", "until": extreme}}),
        ("boss", "GET", "roster", {"params": {"from": extreme}}),
        ("boss", "GET", "roster", {"params": {"to": extreme}}),
        ("boss", "GET", "roster.ics", {"params": {"from": extreme}}),
        ("boss", "GET", "roster.ics", {"params": {"from": SOON, "to": extreme}}),
        ("device", "POST", "ecgs", {"params": {"onset_at": extreme}, "content": ecg_file(seed=9)}),
    ]


async def _headers(place: House) -> dict[str, dict[str, str]]:
    place.desk.accounts.add_user("dispatch", "调度", "dispatch", PASSWORD)
    people = {name: await place.person(name) for name in ("quality", "boss", "dispatch")}
    return people | {"device": place.device()}


def test_no_instant_is_a_fault_of_ours(tmp_path: Path) -> None:
    """Each is refused with 422, in both languages, a day of an onset, too; beside an ECG it is left out, and named."""

    async def story() -> None:
        async with house(tmp_path) as place:
            headers = await _headers(place)
            sent = await place.http.post("/api/v1/ecgs", content=ecg_file(), headers=place.device())
            case_id = sent.json()["case_id"]
            for extreme in EXTREMES:
                for who, method, path, more in requests(case_id, extreme):
                    got = await place.http.request(method, f"/api/v1/{path}", headers=headers[who], **more)
                    if path == "ecgs":
                        assert got.status_code in {200, 201}, got.text  # the same bytes come again and again
                        assert got.json()["dropped"] == ["onset_at"]
                        continue
                    assert got.status_code == 422, (extreme, method, path, got.text)
                    assert got.json()["zh"] and got.json()["detail"]
            for day, zone in product(DAYS, ({}, {"zone": "19-24"})):
                body = {"milestone": "ONSET", "at": {"date": day, **zone}}
                path = f"/api/v1/cases/{case_id}/milestones"
                got = await place.http.post(path, json=body, headers=headers["quality"])
                assert got.status_code == 422 and got.json()["zh"], (day, got.text)

    asyncio.run(story())


def test_a_clock_of_a_machine_that_was_never_set_costs_neither_ecg_nor_position(tmp_path: Path) -> None:
    """Its time is unknown, and the rest is taken; a contact of the agent is answered."""

    async def story() -> None:
        async with house(tmp_path) as place:
            headers = await _headers(place)
            for seed, (extreme, field) in enumerate(
                product(EXTREMES, ("device_clock", "acquired_at", "sent_at", "seen_at"))
            ):
                got = await place.http.post(
                    "/api/v1/ecgs",
                    params={field: extreme},
                    content=ecg_file(seed=seed + 20),
                    headers=place.device(),
                )
                assert got.status_code == 201, (extreme, field, got.text)
                ecg = place.desk.case(got.json()["case_id"]).current_ecgs[0]
                assert field != "acquired_at" or ecg.acquired is None
            case_id = got.json()["case_id"]
            for extreme, field in product(EXTREMES, ("at", "device_clock")):
                body = {"lat": 30.0, "lon": 110.0, field: extreme}
                path = f"/api/v1/cases/{case_id}/ambulance/position"
                taken = await place.http.post(path, json=body, headers=headers["dispatch"])
                assert taken.status_code == 200, (extreme, field, taken.text)
                assert field != "at" or not taken.json()["used"]
            for extreme in EXTREMES:
                body = {"agent_clock": extreme}
                told = await place.http.post("/api/v1/contact", json=body, headers=place.device())
                assert told.status_code == 200

    asyncio.run(story())


def test_a_calendar_of_absurd_lengths_is_refused_with_its_faults(tmp_path: Path) -> None:
    """No DURATION overflows, and none keeps the roster silent for centuries."""

    async def story() -> None:
        async with house(tmp_path) as place:
            boss = await place.person("boss")
            for begin, end in (
                ("20270101T000000Z", "DURATION:P400000W"),
                ("20270101T000000Z", "DURATION:P99999999W"),
                ("20270101T000000Z", "DURATION:PT99999999999999H"),
                ("20270101T000000Z", "DURATION:P9999999999999999999W"),
                ("20270101T000000Z", "DTEND:21990101T000000Z"),
                ("21990101T000000Z", "DURATION:PT12H"),
                ("99991231T235959Z", "DURATION:PT12H"),
                ("00010101T000000Z", "DTEND:20270101T000000Z"),
            ):
                got = await place.http.post(
                    "/api/v1/roster/import", content=calendar(begin, end), headers=boss
                )
                assert (got.status_code, got.json()["code"]) == (422, "bad_roster"), (begin, end, got.text)
                assert got.json()["faults"]

    asyncio.run(story())


@pytest.mark.parametrize("extreme", EXTREMES)
def test_the_command_line_says_what_it_expects(tmp_path: Path, extreme: str) -> None:
    """Status 2 and the option's name."""
    words = ["roster", "add", "li", "--role", "first", "--data", str(tmp_path)]
    for given in (("--from", extreme, "--to", SOON), ("--from", SOON, "--to", extreme)):
        done = CliRunner().invoke(app, [*words, *given])
        assert done.exit_code == 2 and extreme in done.output, done.output
