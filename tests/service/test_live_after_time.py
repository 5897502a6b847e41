"""A board that was away while a case moved up by the hour alone comes back to the same worklist as a new board."""

import asyncio
import json
import random
from datetime import timedelta
from pathlib import Path

from greenchannel.clock import ManualClock
from greenchannel.settings import Settings
from greenchannel.viewer.access import RightsClass
from greenchannel.viewer.directory import Directory
from greenchannel.viewer.front import Front
from greenchannel.viewer.live import LiveFanout
from greenchannel.viewer.wire import CaseRows
from tests.desk_world import STEMI, World, dicom, person
from tests.service.live_rows import Rows, rows_of


def test_a_case_that_moved_up_while_the_board_was_away_is_told(tmp_path: Path) -> None:
    """Nothing happened to the case but time: its row comes again before the first mark."""
    world = World(folder=tmp_path)

    async def play() -> None:
        async with world.desk() as desk:
            for number in range(3):  # the first is to be recorded again, within ten minutes
                dead = () if number else ("V1", "V2", "V3")
                data = dicom("baseline_sinus", seed=number, dead_leads=dead)
                await world.send(desk, data, patient_ref=f"p-{number}")
            assert isinstance(world.clock, ManualClock)
            fanout = LiveFanout(
                hub=desk.hub,
                clock=world.clock,
                rows=CaseRows(Directory(desk.accounts)),
                mark_every_s=60.0,
                client_bytes=1_000_000,
            )
            rights = RightsClass(sites=None)
            away = fanout.attach(rights, None)
            before, seq = await rows_of(away, {})
            fanout.detach(away)
            world.clock.move_to(world.clock.now() + timedelta(minutes=11))
            back, new = fanout.attach(rights, seq), fanout.attach(rights, None)
            after, _ = await rows_of(back, before)
            fresh, _ = await rows_of(new, {})
            assert after == fresh
            assert [case_id for case_id in after if after[case_id] != before[case_id]] == list(before)[:1]
            for client in (back, new):
                fanout.detach(client)

    asyncio.run(play())


def test_whoever_looks_and_whenever_has_the_same_board(tmp_path: Path) -> None:
    """Hours pass, cases move up and close, boards are cut off in between: all end on the rows of the worklist."""
    # Duty writes when it likes; here boards are compared at given instants.
    world = World(
        folder=tmp_path, settings=Settings(data_dir=tmp_path, reading_process=False, duty_poll_s=1e6)
    )
    dice = random.Random(20260302)

    async def play() -> None:
        async with world.desk() as desk:
            assert isinstance(world.clock, ManualClock)
            front = Front.of(desk)
            rights = RightsClass(sites=None)
            steady, returning = (front.fanout.attach(rights, None) for _ in range(2))
            boards: list[Rows] = []
            for client in (steady, returning):
                boards.append((await rows_of(client, {}))[0])
            seq = desk.hub.seq
            for number in range(24):
                for _ in range(dice.randrange(3)):
                    dead = dice.choice([(), ("V1", "V2", "V3")])
                    kind = dice.choice(["baseline_sinus", STEMI])
                    await world.send(desk, dicom(kind, seed=dice.randrange(10**6), dead_leads=dead))
                world.clock.move_to(world.clock.now() + timedelta(minutes=dice.randrange(1, 20)))
                if closable := [case for case in desk.cases() if case.state == "open" and not case.alerts]:
                    await desk.answers.close_case(dice.choice(closable).case_id, person("wang"), "over")
                now = world.clock.now()
                front.fanout.board(now)  # as the next tick does
                front.fanout.mark(steady)
                boards[0], _ = await rows_of(steady, boards[0])
                if number % 3 == 0:
                    front.fanout.detach(returning)
                    returning = front.fanout.attach(rights, seq)
                    boards[1], seq = await rows_of(returning, boards[1])
                    newcomer = front.fanout.attach(rights, None)
                    fresh, _ = await rows_of(newcomer, {})
                    front.fanout.detach(newcomer)
                    asked = front.rows.rows(front.fanout.board(now), now)
                    worklist = [json.loads(bytes(row)) for row in asked]
                    assert [*fresh.values()] == worklist
                    assert boards[0] == boards[1] == fresh
                    assert sorted(worklist, key=lambda row: row["order"]) == worklist
            assert {row["state"] for row in fresh.values()} == {"open", "closed"}
            for client in (steady, returning):
                front.fanout.detach(client)

    asyncio.run(play())


def test_a_board_that_was_away_for_more_than_a_day_begins_anew(tmp_path: Path) -> None:
    """What has left the board in the meantime is on neither; what is open is on both."""
    world = World(folder=tmp_path)

    async def play() -> None:
        async with world.desk() as desk:
            assert isinstance(world.clock, ManualClock)
            sent = [await world.send(desk, dicom("baseline_sinus", seed=n)) for n in range(6)]
            front = Front.of(desk)
            rights = RightsClass(sites=None)
            away = front.fanout.attach(rights, None)
            before, seq = await rows_of(away, {})
            front.fanout.detach(away)
            await desk.answers.close_case(sent[0].case_id, person("wang"), "over")
            world.clock.move_to(world.clock.now() + timedelta(hours=25))
            back, new = front.fanout.attach(rights, seq), front.fanout.attach(rights, None)
            after, _ = await rows_of(back, before)
            fresh, _ = await rows_of(new, {})
            assert after == fresh and sent[0].case_id not in fresh and len(fresh) == 5
            for client in (back, new):
                front.fanout.detach(client)

    asyncio.run(play())
