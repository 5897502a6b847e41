"""A start that finds something it cannot read starts all the same."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from greenchannel.triage.interpretation import interpret
from tests.desk_world import World, dicom


def test_an_ecg_that_cannot_be_read_keeps_the_service_from_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is kept and confirmed; the next start is ready and reads the others; a start with the fault gone reads it."""
    world = World(folder=tmp_path)
    broken = {"everything"}

    def fails(recording: Any, patient: Any, rules: Any, **more: Any) -> Any:
        if "everything" in broken or patient.sex in broken:
            raise ArithmeticError("a fault of the measurement")
        return interpret(recording, patient, rules, **more)

    monkeypatch.setattr("greenchannel.service.intake.interpret", fails)

    async def send() -> list[str]:
        async with world.desk() as desk:
            one = await world.send(desk, dicom(sex="male"), patient_ref="a")
            two = await world.send(desk, dicom(seed=2, sex="female"), patient_ref="b")
            assert (one.state, two.state) == ("received", "received")
            return [one.ecg_id, two.ecg_id]

    async def tiers(ids: list[str]) -> list[str | None]:
        async with world.desk() as desk:
            assert desk.ready
            found = [desk.case_of_ecg(ecg_id).ecg(ecg_id) for ecg_id in ids]
            return [ecg.tier if ecg is not None else None for ecg in found]

    ids = asyncio.run(send())
    broken.symmetric_difference_update({"everything", "male"})
    assert asyncio.run(tiers(ids)) == [None, "ACT"]
    broken.clear()
    assert asyncio.run(tiers(ids)) == ["ACT", "ACT"]
