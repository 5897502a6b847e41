"""A board that was away while a case moved up by the hour alone comes back to the same worklist as a new board."""

import asyncio
from datetime import timedelta
from pathlib import Path

from greenchannel.clock import ManualClock
from greenchannel.viewer.access import RightsClass
from greenchannel.viewer.directory import Directory
from greenchannel.viewer.live import LiveFanout
from greenchannel.viewer.wire import CaseRows
from tests.desk_world import World, dicom
from tests.service.live_rows import rows_of


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
