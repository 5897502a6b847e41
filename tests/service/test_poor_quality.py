"""Poor recordings are kept, read and sent back to the clinic with the leads' names, whatever else is wrong."""

import asyncio
from pathlib import Path

import pytest

from greenchannel.viewer.wire import record_again
from tests.desk_world import World, dicom


@pytest.mark.parametrize("dead", [("V1", "V2", "V3"), ("II", "V1", "V2", "V3", "V4", "V5", "V6")])
def test_the_clinic_is_told_what_to_record_again(tmp_path: Path, dead: tuple[str, ...]) -> None:
    """The reading is written, and its prompts are about these leads."""
    world = World(folder=tmp_path)

    async def play() -> None:
        async with world.desk() as desk:
            answer = await world.send(desk, dicom("baseline_sinus", dead_leads=dead))
            assert answer.state == "analysed"
            case = desk.case(answer.case_id)
            again = record_again(case)
            assert again is not None and set(dead) <= set(again["leads"])
            assert again["zh"] and again["en"]

    asyncio.run(play())
