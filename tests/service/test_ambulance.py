"""The ambulance at the desk: a receiver that drives for a case, restarts in between, nothing kept too long."""

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from typer.testing import CliRunner

from greenchannel.alerts.timeline import timeline
from greenchannel.cli.main import app
from greenchannel.clock import ManualClock
from greenchannel.events import EtaGiven
from greenchannel.service.ambulances import Said
from greenchannel.service.callers import Caller
from greenchannel.service.desk import Desk
from greenchannel.service.errors import NotFound
from greenchannel.store import schema
from greenchannel.store.engine import reading
from tests.desk_world import START, World, device, dicom, person
from tests.service.viewer_house import PASSWORD, ecg_file, house
from tests.unit.test_alerts_ambulance import CLINIC_M, HUB_M, LAT, WHOLE, drive, place

GPS = Caller(kind="device", id="gps-1", name="gps", role="device", sites=frozenset({"hub"}))
SLOW_S = -420.0  # the receiver's clock, minus ours
DRIVEN = {10 * k: one for k, one in enumerate(drive(*WHOLE))}  # by second


def settle(desk: Desk) -> None:
    """Where the sites are, and a receiver of the hub."""
    for site, at_m in (("yinzhao", CLINIC_M), ("hub", HUB_M)):
        where = place(at_m)
        desk.accounts.place_site(site, where.lat, where.lon, 200.0)
    if desk.accounts.device("gps-1") is None:
        desk.accounts.add_device("gps-1", "hub", "GPS of ambulance 1")


async def send(world: World, desk: Desk, case_id: str, s: float, **more: Any) -> Any:
    """The receiver's position of second `s`, by its slow clock, with what that clock says."""
    assert isinstance(world.clock, ManualClock)
    world.clock.move_to(START + timedelta(seconds=60 + s))
    slow = world.clock.now() + timedelta(seconds=SLOW_S)
    given: dict[str, Any] = {
        "lat": DRIVEN[round(s)].lat,
        "lon": DRIVEN[round(s)].lon,
        "at": slow,
        "accuracy_m": 8.0,
    }
    return await desk.ambulances.position(case_id, GPS, Said(**(given | {"device_clock": slow} | more)))


def seconds_of(case: Any) -> dict[str, float]:
    """Milestone by gps → seconds of the drive."""
    begun = START + timedelta(seconds=60)
    return {v.milestone: (v.time.at - begun).total_seconds() for v in case.values if v.source == "gps"}


def test_a_drive_with_a_slow_receiver_and_two_restarts_gives_the_true_times(tmp_path: Path) -> None:
    """Seven minutes slow, killed at the clinic and on the way back: the same times, clock and offset kept."""
    world = World(folder=tmp_path)
    lives = (range(0, 1000, 10), range(1000, 1900, 10), range(1900, 2480, 10))
    case_id = ""

    async def live(instants: range) -> Any:
        nonlocal case_id
        async with world.desk() as desk:
            if not case_id:
                settle(desk)
                case_id = (await world.send(desk, dicom(), arrival_mode=2)).case_id
                await desk.ambulances.bind(case_id, person("dispatch"), "gps-1")
            for s in instants:
                await send(world, desk, case_id, float(s))
            return desk.book.cases[case_id]

    for instants in lives:
        case = asyncio.run(live(instants))
    times = seconds_of(case)
    truth = {"AMB_DEPART": 80.0, "AMB_SCENE": 846.7, "SPOKE_OUT": 1482.5, "HUB_DOOR": 2345.0}
    errors = {name: times[name] - truth[name] for name in truth}
    print(f"\nreceiver {-SLOW_S:.0f} s slow, positions every 10 s, errors in s: {errors}")

    assert set(times) == set(truth) and all(abs(error) <= 12.5 for error in errors.values())
    for value in case.values:
        if value.source == "gps":
            assert (value.time.clock, value.time.offset_s) == ("device:gps-1", SLOW_S)
            assert value.time.raw == value.time.at + timedelta(seconds=SLOW_S)
            assert value.time.uncertainty_s is not None
    told = [one for one in case.history if isinstance(one.event, EtaGiven)]
    assert {one.event.place for one in told if isinstance(one.event, EtaGiven)} == {"scene", "hub"}
    assert 0 < len(told) < 25


def test_the_same_position_again_changes_nothing_and_a_bad_one_is_kept_with_its_reason(
    tmp_path: Path,
) -> None:
    """Sent twice by a gateway that heard no answer; a wild one; a coarse one."""
    world = World(folder=tmp_path)

    async def story() -> None:
        async with world.desk() as desk:
            settle(desk)
            case_id = (await world.send(desk, dicom(), arrival_mode=2)).case_id
            await desk.ambulances.bind(case_id, person("dispatch"), "gps-1")
            first = await send(world, desk, case_id, 0.0)
            again = await send(world, desk, case_id, 0.0)
            wild = await send(world, desk, case_id, 10.0, lat=LAT + 1)
            coarse = await send(world, desk, case_id, 20.0, accuracy_m=5000.0)
            assert [one.reason for one in (first, again, wild, coarse)] == [
                None,
                "duplicate",
                "jump",
                "inaccurate",
            ]
            rows, bound = await desk.ambulances.newest(case_id)
            assert [row.unused for row in rows] == [None, "jump", "inaccurate"]
            assert [one.device for one in bound] == ["gps-1"]
            assert seconds_of(desk.book.cases[case_id]) == {}

    asyncio.run(story())


def test_a_drive_of_before_the_binding_gives_no_times_and_one_begun_shortly_before_does(
    tmp_path: Path,
) -> None:
    """A gateway sends the whole last drive late; after a restart it is still another drive."""
    world = World(folder=tmp_path)
    case_id = ""

    async def said(desk: Desk, s: float, at_s: float) -> Any:
        """The position of second `s` of the drive, as of `at_s` seconds after the case was opened."""
        assert isinstance(world.clock, ManualClock)
        at = START + timedelta(seconds=at_s)
        world.clock.move_to(max(world.clock.now(), at))
        one = DRIVEN[round(s)]
        given = Said(lat=one.lat, lon=one.lon, at=at, accuracy_m=8.0, device_clock=world.clock.now())
        return await desk.ambulances.position(case_id, GPS, given)

    async def bound() -> None:
        nonlocal case_id
        async with world.desk() as desk:
            settle(desk)
            case_id = (await world.send(desk, dicom(), arrival_mode=2)).case_id
            await desk.ambulances.bind(case_id, person("dispatch"), "gps-1")
            of_before = [await said(desk, float(s), s - 3 * 3600.0) for s in range(0, 2480, 10)]
            assert {one.reason for one in of_before} == {"early"}
            case = desk.book.cases[case_id]
            assert seconds_of(case) == {} and not case.etas

    async def driving() -> None:
        async with world.desk() as desk:
            taken = [await said(desk, float(s), s - 600.0) for s in range(0, 2480, 10)]
            assert {one.reason for one in taken} == {None}
            times = seconds_of(desk.book.cases[case_id])
            assert set(times) == {"AMB_DEPART", "AMB_SCENE", "SPOKE_OUT", "HUB_DOOR"}

    asyncio.run(bound())
    asyncio.run(driving())


def test_a_receiver_bound_twice_to_a_case_drives_for_it_since_the_first(tmp_path: Path) -> None:
    """Dispatch presses again an hour later; what a gateway still holds of the drive counts."""
    world = World(folder=tmp_path)

    async def story() -> None:
        async with world.desk() as desk:
            settle(desk)
            case_id = (await world.send(desk, dicom(), arrival_mode=2)).case_id
            await desk.ambulances.bind(case_id, person("dispatch"), "gps-1")
            _, first = await desk.ambulances.newest(case_id)
            assert isinstance(world.clock, ManualClock)
            world.clock.move_to(START + timedelta(hours=1))
            await desk.ambulances.bind(case_id, person("dispatch"), "gps-1")
            _, again = await desk.ambulances.newest(case_id)
            assert again == first

    asyncio.run(story())


def test_a_failed_commit_leaves_no_track_behind(tmp_path: Path) -> None:
    """What is not on disk has not happened: the next position is judged by the rows alone."""
    world = World(folder=tmp_path)

    async def story() -> None:
        async with world.desk() as desk:
            settle(desk)
            case_id = (await world.send(desk, dicom(), arrival_mode=2)).case_id
            await desk.ambulances.bind(case_id, person("dispatch"), "gps-1")
            for s in range(0, 80, 10):
                await send(world, desk, case_id, float(s))
            write = desk._casework.write

            def failing(*given: object) -> object:
                write(*given)  # type: ignore[arg-type]
                raise OSError("the disk is gone")

            desk._casework.write = failing  # type: ignore[method-assign, assignment]
            with pytest.raises(OSError, match="gone"):
                for s in range(80, 120, 10):
                    await send(world, desk, case_id, float(s))
            desk._casework.write = write  # type: ignore[method-assign]
            for s in range(100, 200, 10):
                await send(world, desk, case_id, float(s))
            assert set(seconds_of(desk.book.cases[case_id])) == {"AMB_DEPART"}

    asyncio.run(story())


def test_positions_never_enter_the_log_and_are_forgotten(tmp_path: Path) -> None:
    """After a day, and at once with the patient's key; the times of the case stay."""
    world = World(folder=tmp_path)

    async def story() -> None:
        async with world.desk() as desk:
            settle(desk)
            case_id = (await world.send(desk, dicom(), arrival_mode=2)).case_id
            await desk.ambulances.bind(case_id, person("dispatch"), "gps-1")
            for s in range(0, 200, 10):
                await send(world, desk, case_id, float(s))

            def rows() -> int:
                with reading(desk._engine) as connection:
                    return len(connection.execute(select(schema.ambulance_positions)).all())

            with reading(desk._engine) as connection:
                bodies = [bytes(body) for (body,) in connection.execute(select(schema.log.c.body))]
            assert not any(b'"lat"' in body or b"33.4" in body or b"115.3" in body for body in bodies)
            assert rows() == 20
            world.pass_time(23 * 3600)
            await desk.ambulances.sweep()
            assert rows() == 20
            world.pass_time(2 * 3600)
            assert await desk.ambulances.sweep() == 20 and rows() == 0
            await desk.ambulances.bind(case_id, person("dispatch"), "gps-1")
            where = place(0.0)
            said = Said(lat=where.lat, lon=where.lon, at=None, accuracy_m=None, device_clock=None)
            await desk.ambulances.position(case_id, person("dispatch"), said)
            await desk.answers.erase_patient(case_id, person("quality"), "asked")
            assert rows() == 0 and set(seconds_of(desk.book.cases[case_id])) == {"AMB_DEPART"}
            with pytest.raises(NotFound):
                await desk.ambulances.check_bound(case_id, GPS)

    asyncio.run(story())


def test_only_the_receiver_that_drives_for_a_case_sends_its_positions(tmp_path: Path) -> None:
    """Not bound: as if there were no case; bound to another since: again; people of dispatch may, the clinic not."""

    async def story() -> None:
        async with house(tmp_path) as house_:
            accounts = house_.desk.accounts
            accounts.add_user("dispatch", "调度", "dispatch", PASSWORD)
            accounts.add_site("hub", "县医院", "County Hospital", "hub", lat=LAT, lon=115.3)
            _, token = accounts.add_device("gps-1", "hub", "GPS")
            gps = {"Authorization": f"Bearer {token}"}
            sent = [
                await house_.http.post("/api/v1/ecgs", content=ecg_file(seed=seed), headers=house_.device())
                for seed in (1, 2)
            ]
            one, two = (f"/api/v1/cases/{answer.json()['case_id']}/ambulance" for answer in sent)
            dispatch, clinic = await house_.person("dispatch"), await house_.person("village")
            body = {"lat": LAT, "lon": 115.4, "accuracy_m": 12.0}

            async def post(path: str, headers: dict[str, str], **given: Any) -> int:
                answer = await house_.http.post(f"{path}/position", json=body | given, headers=headers)
                return answer.status_code

            assert await post(one, gps) == 404
            assert await post(one, house_.device()) == 404
            bound = await house_.http.post(one, json={"device": "gps-1"}, headers=dispatch)
            assert bound.status_code == 200, bound.text
            assert await post(one, gps) == 200 and await post(two, gps) == 404
            await house_.http.post(two, json={"device": "gps-1"}, headers=dispatch)
            assert await post(one, gps) == 404 and await post(two, gps) == 200
            assert await post(one, dispatch) == 200 and await post(one, clinic) == 403
            for bad in ({"lat": 91}, {"lon": "x"}, {"accuracy_m": -1}, {"at": 1789000000}, {"speed": 3}):
                assert await post(one, dispatch, **bad) == 422
            for headers, status in ((clinic, 403), (gps, 403), (dispatch, 200)):
                assert (await house_.http.get(one, headers=headers)).status_code == status
            seen = (await house_.http.get(two, headers=dispatch)).json()
            assert [row["source"] for row in seen["positions"]] == ["device:gps-1"]
            assert (await house_.http.post(one, json={"device": "x"}, headers=dispatch)).status_code == 404

    asyncio.run(story())


def test_a_persons_word_on_the_arrival_stands_until_it_is_taken_back(tmp_path: Path) -> None:
    """On the row of every board; a device may not say it, a time of tomorrow cannot be."""

    async def story() -> None:
        async with house(tmp_path) as place_:
            place_.desk.accounts.add_user("dispatch", "调度", "dispatch", PASSWORD)
            sent = await place_.http.post("/api/v1/ecgs", content=ecg_file(), headers=place_.device())
            path = f"/api/v1/cases/{sent.json()['case_id']}/ambulance/eta"
            dispatch = await place_.person("dispatch")
            soon = place_.desk.clock.now() + timedelta(minutes=25)

            async def say(at: Any, headers: dict[str, str] = dispatch) -> Any:
                body = {"place": "hub", "at": None if at is None else at.isoformat()}
                return await place_.http.post(path, json=body, headers=headers)

            said = (await say(soon)).json()["case"]["eta"]
            assert said["scene"] is None and said["hub"]["source"] == "dispatch"
            assert (await say(soon, place_.device())).status_code == 403
            late = await say(soon + timedelta(days=1))
            assert (late.status_code, late.json()["code"]) == (422, "bad_eta") and late.json()["zh"]
            assert (await say(None)).json()["eta"]["hub"] is None

    asyncio.run(story())


def test_a_person_cannot_speak_in_the_name_of_the_positions(tmp_path: Path) -> None:
    """The source gps is a machine's; quality staff correct it in their own name, and that stands."""
    world = World(folder=tmp_path)

    async def story() -> None:
        async with world.desk() as desk:
            settle(desk)
            case_id = (await world.send(desk, dicom(), device(), arrival_mode=2)).case_id
            await desk.ambulances.bind(case_id, person("dispatch"), "gps-1")
            for s in range(0, 920, 10):
                await send(world, desk, case_id, float(s))
            true = START + timedelta(seconds=900)
            case, created = await desk.answers.record_milestone(
                case_id,
                person("quality"),
                milestone="AMB_SCENE",
                at=true,
                source="quality",
                key=None,
                note=None,
                idempotency_key=None,
            )
            scene = next(one for one in timeline(case).entries if one.spec.id == "AMB_SCENE")
            assert created and len(scene.values) == 2
            assert scene.valid is not None and scene.valid.time.at == true

    asyncio.run(story())

    async def over_http() -> None:
        async with house(tmp_path / "house") as place_:
            place_.desk.accounts.add_user("dispatch", "调度", "dispatch", PASSWORD)
            sent = await place_.http.post("/api/v1/ecgs", content=ecg_file(), headers=place_.device())
            body = {
                "milestone": "HUB_DOOR",
                "at": place_.desk.clock.now().isoformat(),
                "source": "gps",
            }
            path = f"/api/v1/cases/{sent.json()['case_id']}/milestones"
            refused = await place_.http.post(path, json=body, headers=await place_.person("dispatch"))
            assert (refused.status_code, refused.json()["code"]) == (403, "source_forbidden")

    asyncio.run(over_http())


def test_the_command_line_says_where_a_site_is(tmp_path: Path) -> None:
    """With the site or later; half a place and a place off the earth are refused in a sentence."""
    runner = CliRunner()

    def site(*words: str) -> Any:
        return runner.invoke(app, ["site", *words, "--data", str(tmp_path / "data")])

    added = site("add", "hub", "--zh", "县医院", "--en", "Hospital", "--kind", "hub", "--lat", "33.4",
                 "--lon", "115.3", "--radius-m", "250")  # fmt: skip
    assert added.exit_code == 0, added.output
    assert "33.40000,115.30000,250.0" in site("list").stdout
    assert site("place", "hub", "--lat", "33.5", "--lon", "115.3").exit_code == 0
    assert "33.50000,115.30000," in site("list").stdout
    for words in (
        ("add", "a", "--zh", "甲", "--en", "A", "--lat", "33.4"),
        ("add", "b", "--zh", "乙", "--en", "B", "--lat", "133.4", "--lon", "115"),
        ("place", "hub", "--lat", "33.4", "--lon", "115.3", "--radius-m", "1"),
        ("place", "nowhere", "--lat", "33.4", "--lon", "115.3"),
    ):
        refused = site(*words)
        assert refused.exit_code == 1 and "expected" in refused.output
