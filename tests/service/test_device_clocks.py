"""Clocks of devices: every contact counts, a jump keeps its two sides apart, and bad clocks are reported weekly."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from greenchannel.cli.main import app
from greenchannel.clock import ManualClock
from greenchannel.ingest.device_clock import ClockOffset
from greenchannel.service.desk import Desk
from tests.desk_world import START, World, device, dicom, run
from tests.service.viewer_house import house

DEVICE = "ecg-yinzhao"


def clock_of(world: World) -> ManualClock:
    assert isinstance(world.clock, ManualClock)
    return world.clock


async def contact(world: World, desk: Desk, off_s: float) -> None:
    """The device says its time."""
    now = world.clock.now()
    await desk.intake.note_device_clock(DEVICE, now + timedelta(seconds=off_s), now, device())


async def live(world: World, desk: Desk, offsets_s: list[float], every: timedelta) -> None:
    for off_s in offsets_s:
        clock_of(world).move_to(world.clock.now() + every)
        await contact(world, desk, off_s)


def test_the_report_is_made_on_monday_once_and_names_the_worst_first(tmp_path: Path) -> None:
    """A jump of an hour on Thursday: one event, the level, when and how much; the next week has a due time."""
    world = World(folder=tmp_path)

    async def story() -> None:
        async with world.desk() as desk:
            await live(world, desk, [0.0, 0.2, -0.1, 3600.0, 3600.1], timedelta(hours=20))
            clock_of(world).move_to(datetime(2026, 3, 8, 22, 1, tzinfo=UTC))  # Monday 06:01 in China
            await desk.duty.fire_due()
            await desk.duty.fire_due()
            found = desk.clock_reports.of_week("2026-W10")
            assert found is not None
            worst = found["devices"][0]
            assert (found["final"], found["bad"]) == (True, 1)
            assert (worst["device"], worst["level"], len(worst["jumps"])) == (DEVICE, "jumped", 1)
            jump = worst["jumps"][0]
            assert abs(jump["by_s"] - 3600) <= jump["uncertainty_s"]
            assert (jump["after"], jump["before"]) == (
                (START + timedelta(hours=60)).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
                (START + timedelta(hours=80)).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            )
            assert {row["level"] for row in found["devices"][1:]} == {"never_compared"}
            assert desk.clock_reports.weeks == ["2026-W10"]

        async with world.desk() as again:  # the due time of the next week outlives a restart
            clock_of(world).move_to(datetime(2026, 3, 15, 22, 1, tzinfo=UTC))
            await again.duty.fire_due()
            assert again.clock_reports.weeks == ["2026-W11", "2026-W10"]

    asyncio.run(story())


def test_a_time_read_before_a_jump_is_corrected_by_the_clock_as_it_was(tmp_path: Path) -> None:
    """Recorded at true 12:00 with the clock an hour fast, sent after it was set right: at 12:00, both readings kept."""
    world = World(folder=tmp_path)

    async def story() -> None:
        async with world.desk() as desk:
            await live(world, desk, [3600.0, 3600.0, 3600.0], timedelta(hours=1))
            recorded = world.clock.now() - timedelta(minutes=85)
            either = world.clock.now() + timedelta(minutes=1)
            await live(world, desk, [0.0, 0.0], timedelta(hours=1))
            said = recorded + timedelta(hours=1)
            answer = await world.send(desk, dicom(acquired=said), patient_ref="17")
            time = desk.case(answer.case_id).ecgs[0].acquired
            assert time is not None and time.uncertainty_s is not None
            assert abs((time.at - recorded).total_seconds()) <= time.uncertainty_s < 60
            assert (time.raw, time.offset_s) == (said, 3600.0)

            # An hour later by the clock it may have been read on either side: the uncertainty says so.
            said = either + timedelta(hours=1)
            answer = await world.send(desk, dicom(seed=2, acquired=said), patient_ref="18")
            time = desk.case(answer.case_id).ecgs[0].acquired
            assert time is not None and time.uncertainty_s is not None
            assert abs((time.at - either).total_seconds()) <= time.uncertainty_s
            assert time.uncertainty_s > 3600

    asyncio.run(story())


@pytest.mark.parametrize("off_s", [0.0, 90.0 * 86400])
def test_an_agent_in_touch_every_ten_seconds_fills_no_log(tmp_path: Path, off_s: float) -> None:
    """Twenty hours over a line that became slow, set rightly or never: the first, and one in six hours."""

    async def story(world: World, desk: Desk) -> None:
        every = timedelta(seconds=10)
        noted = 0
        for k in range(7200):
            clock_of(world).move_to(world.clock.now() + every)
            measured = ClockOffset(
                offset_s=off_s + 1e-6 * k,
                uncertainty_s=0.05 if k == 0 else 3.0,
                measured_at=world.clock.now(),
            )
            noted += await desk.agent_clocks.note(device(), measured)
        assert noted == 4

        clock_of(world).move_to(world.clock.now() + every)
        moved = ClockOffset(offset_s=off_s + 60.0, uncertainty_s=3.0, measured_at=world.clock.now())
        assert await desk.agent_clocks.note(device(), moved)

    run(tmp_path, story)


def test_the_clock_of_a_clinics_computer_is_in_the_report_too(tmp_path: Path) -> None:
    """Beside that of the machine it sends for, under a name that says which is which."""

    async def story(world: World, desk: Desk) -> None:
        measured = ClockOffset(offset_s=600.0, uncertainty_s=0.1, measured_at=world.clock.now())
        assert await desk.agent_clocks.note(device(), measured)
        found = desk.clock_reports.of_week(None)
        assert found is not None
        rows = {row["device"]: row for row in found["devices"]}
        assert rows[DEVICE]["level"] == "never_compared"
        assert rows[f"agent:{DEVICE}"]["level"] not in ("ok", "never_compared")
        assert rows[f"agent:{DEVICE}"]["name"].endswith("clinic's computer") and found["bad"] == 1

    run(tmp_path, story)


def test_a_clock_that_was_never_set_and_a_dead_battery_lead_the_report(tmp_path: Path) -> None:
    """Years off corrects nothing, and is the first to be told of; a file of 1970 tells of the battery."""
    world = World(folder=tmp_path)

    async def story() -> None:
        async with world.desk() as desk:
            await contact(world, desk, -20 * 365 * 86400.0)
            dead = datetime(2000, 1, 1, 0, 3, tzinfo=UTC)
            await world.send(desk, dicom(acquired=dead), device("jishi"), patient_ref="17")
            found = desk.clock_reports.of_week(None)
            assert found is not None
            first, second = found["devices"][:2]
            assert (first["device"], first["level"]) == (DEVICE, "unset")
            assert (second["device"], second["level"]) == ("ecg-jishi", "dead_battery")
            assert second["dead_dates"][0]["raw"].startswith("2000-01-01")
            assert desk.book.device_clocks == {}

    asyncio.run(story())


def test_only_quality_and_the_administrator_see_the_report(tmp_path: Path) -> None:
    """Over HTTP, with the weeks there are; a week that is none is refused in words."""

    async def story() -> None:
        async with house(tmp_path) as place:
            path = "/api/v1/devices/clocks"
            for user, status in (("boss", 200), ("quality", 200), ("village", 403), ("cardiologist", 403)):
                assert (await place.http.get(path, headers=await place.person(user))).status_code == status
            boss = await place.person("boss")
            found = (await place.http.get(path, headers=boss)).json()
            assert {row["level"] for row in found["devices"]} == {"never_compared"}
            wrong = await place.http.get(f"{path}?week=2026-99", headers=boss)
            assert (wrong.status_code, wrong.json()["code"]) == (422, "bad_week")
            none = await place.http.get(f"{path}?week=1999-W01", headers=boss)
            assert (none.status_code, none.json()["code"]) == (404, "no_report")

    asyncio.run(story())


def test_the_command_line_reads_the_same_from_the_log(tmp_path: Path) -> None:
    """A week without a report of its own is folded from the contacts up to its end."""
    world = World(folder=tmp_path)

    async def story() -> None:
        async with world.desk() as desk:
            await live(world, desk, [90.0, 90.2, 89.9], timedelta(hours=20))

    asyncio.run(story())
    told = CliRunner().invoke(
        app, ["device", "clocks", "--week", "2026-W10", "--json", "--data", str(tmp_path)]
    )
    assert told.exit_code == 0, told.output
    found = json.loads(told.stdout)
    assert (found["week"], found["final"]) == ("2026-W10", False)
    assert (found["devices"][0]["device"], found["devices"][0]["level"]) == (DEVICE, "off")
    lines = CliRunner().invoke(app, ["device", "clocks", "--week", "2026-W10", "--data", str(tmp_path)])
    assert "off\t+89.7 ± 11.2 s\t" in lines.stdout
    bad = CliRunner().invoke(app, ["device", "clocks", "--week", "2026-99", "--data", str(tmp_path)])
    assert bad.exit_code == 2
