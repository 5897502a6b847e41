"""Nobody is missed: due times fire once, across restarts too, and the auditor sees what did not happen."""

import asyncio
from pathlib import Path

from greenchannel.alerts.case import Case
from greenchannel.service.desk import Desk
from tests.desk_world import World, dicom, person


async def reach(desk: Desk, case_id: str) -> Case:
    """Fire what is due and take the case as of the last commit."""
    while await desk.duty.fire_due():
        pass
    await asyncio.sleep(0.02)
    return desk.case(case_id)


def rung(case: Case) -> list[str]:
    """Who was rung, in order, each once."""
    assert case.alert is not None
    return list(dict.fromkeys(entry.person for entry in case.alert.people))


def test_an_unanswered_alert_climbs_the_plan_to_its_end(tmp_path: Path) -> None:
    """Second reader at 60 s, head at 120 s, and at 180 s the clinic is told that nobody has answered."""
    world = World(folder=tmp_path)

    async def play() -> None:
        async with world.desk() as desk:
            case_id = (await world.send(desk, dicom())).case_id
            seen = [rung(desk.case(case_id))]
            for _ in range(3):
                world.pass_time(60)
                seen.append(rung(await reach(desk, case_id)))

            assert seen == [["chen"], ["chen", "lin"], ["chen", "lin", "zhao"], ["chen", "lin", "zhao"]]
            alert = desk.case(case_id).alert
            assert alert is not None and alert.exhausted

    asyncio.run(play())


def test_an_answer_stops_the_climb(tmp_path: Path) -> None:
    """After the acknowledgement nobody else is rung."""
    world = World(folder=tmp_path)

    async def play() -> None:
        async with world.desk() as desk:
            case_id = (await world.send(desk, dicom())).case_id
            alert = desk.case(case_id).alert
            assert alert is not None
            await desk.answers.acknowledge(alert.alert_id, person("chen"))
            world.pass_time(600)

            assert rung(await reach(desk, case_id)) == ["chen"]

    asyncio.run(play())


def test_a_due_time_is_kept_across_a_restart_and_fires_once(tmp_path: Path) -> None:
    """The alert opened before the stop escalates after it, and a second look-up adds nothing."""
    world = World(folder=tmp_path)

    async def before() -> str:
        async with world.desk() as desk:
            return str((await world.send(desk, dicom())).case_id)

    async def after(case_id: str) -> None:
        async with world.desk() as desk:
            world.pass_time(61)
            once = await reach(desk, case_id)
            version = once.version
            again = await reach(desk, case_id)

            assert rung(once) == ["chen", "lin"]
            assert again.version == version

    asyncio.run(after(asyncio.run(before())))


def test_the_auditor_speaks_where_the_engine_is_silent(tmp_path: Path) -> None:
    """With the due times lost, the overdue step is still found from the case itself."""
    world = World(folder=tmp_path)

    async def play() -> None:
        async with world.desk() as desk:
            await world.send(desk, dicom())
            for task in desk._tasks:
                task.cancel()
            world.pass_time(100)
            await desk.auditor.look()

            assert desk.auditor.missed > 0

    asyncio.run(play())
