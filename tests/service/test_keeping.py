"""Background work goes on whatever fails in it, and the house is swept."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from greenchannel.service.errors import Conflict, NotFound
from greenchannel.service.keeping import Housekeeping, keep_running
from tests.desk_world import World, dicom, person


def test_work_that_fails_is_tried_again() -> None:
    """Two failures in a row end nothing; the third turn does its work."""
    turns: list[int] = []
    done = asyncio.Event()

    async def step() -> None:
        turns.append(len(turns))
        if len(turns) < 3:
            raise OSError("the disk is full")
        done.set()

    async def play() -> None:
        running = asyncio.create_task(keep_running("a test", step, 0.0))
        await asyncio.wait_for(done.wait(), 5)
        running.cancel()

    asyncio.run(play())
    assert len(turns) >= 3


def test_a_reading_that_failed_is_made_at_the_next_turn(tmp_path: Path) -> None:
    """An ECG whose first reading went wrong is read without a restart, and rings."""
    world = World(folder=tmp_path)

    async def play() -> None:
        async with world.desk() as desk:
            whole = desk.intake.read

            async def broken(*_: object) -> None:
                raise MemoryError

            desk.intake.read = broken  # type: ignore[method-assign, assignment]
            case_id = (await world.send(desk, dicom())).case_id
            desk.intake.read = whole  # type: ignore[method-assign]
            await desk._read_again()
            assert desk.case(case_id).tier is None
            world.pass_time(16)
            await desk._read_again()
            await asyncio.sleep(0)

            assert desk.book.cases[case_id].tier == "ACT"
            assert len(desk.book.cases[case_id].alerts) == 1

    asyncio.run(play())


def test_an_alert_is_handed_only_to_who_may_answer_it(tmp_path: Path) -> None:
    """Quality staff and unknown people cannot hold it; the second reader can."""
    world = World(folder=tmp_path)

    async def play() -> None:
        async with world.desk() as desk:
            case = desk.case((await world.send(desk, dicom())).case_id)
            assert case.alert is not None
            alert_id = case.alert.alert_id
            await desk.answers.acknowledge(alert_id, person("chen"))
            with pytest.raises(Conflict, match="may not answer"):
                await desk.answers.hand_over(alert_id, person("chen"), "quality")
            with pytest.raises(NotFound):
                await desk.answers.hand_over(alert_id, person("chen"), "nobody")
            after = await desk.answers.hand_over(alert_id, person("chen"), "lin")

            assert after.alert is not None and after.alert.held_by == "lin"

    asyncio.run(play())


def test_the_sweep_takes_what_nobody_will_ask_for(tmp_path: Path) -> None:
    """Due times taken a month ago go; those that wait, and the originals, stay."""
    world = World(folder=tmp_path)

    async def play() -> None:
        async with world.desk() as desk:
            answer = await world.send(desk, dicom())
            world.pass_time(200)
            while await desk.duty.fire_due():
                pass
            world.pass_time(timedelta(days=31).total_seconds())
            house = Housekeeping(writer=desk._writer, blobs=desk._blobs, clock=world.clock)
            await desk._writer.transact(
                lambda tx: tx.set_deadline(
                    "later", due_at=tx.now + timedelta(days=1), kind="test", stream="case:x", payload=b"{}"
                )
            )
            keys, due, sent = await desk._writer.transact(house._rows)

            assert due == 4 and keys == 0 and sent == 0
            assert await desk._writer.transact(lambda tx: tx.take_deadline("later"))
            assert await desk.original(answer.ecg_id)

    asyncio.run(play())
