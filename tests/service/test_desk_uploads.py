"""Uploads at the desk: durable, once, in the right case, read and alerted on."""

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from greenchannel.ingest.errors import IngestError
from greenchannel.service.desk import Desk
from greenchannel.service.errors import Conflict, Forbidden, NotFound
from greenchannel.store.blobs import BlobErased
from tests.desk_world import World, device, dicom, person


def run(tmp_path: Path, story: Callable[[World, Desk], Coroutine[Any, Any, None]]) -> World:
    """Play `story` on a fresh desk."""
    world = World(folder=tmp_path)

    async def play() -> None:
        async with world.desk() as desk:
            await story(world, desk)

    asyncio.run(play())
    return world


def test_an_infarction_is_read_and_rings_the_first_reader(tmp_path: Path) -> None:
    """The uploaded STEMI is ACT, names its walls, and the one on duty is paged at once."""

    async def story(world: World, desk: Desk) -> None:
        answer = await world.send(desk, dicom(), patient_ref="A-1")
        case = desk.case(answer.case_id)

        assert (answer.state, answer.duplicate) == ("analysed", False)
        assert case.tier == "ACT"
        assert case.ecgs[0].findings[0]["territories"] == ["extensive_anterior", "high_lateral"]
        assert case.alert is not None and [p.person for p in case.alert.people] == ["chen"]

    run(tmp_path, story)


def test_the_same_bytes_again_are_the_same_ecg(tmp_path: Path) -> None:
    """Ten sendings give one ECG, one case and one alert."""

    async def story(world: World, desk: Desk) -> None:
        data = dicom()
        answers = [await world.send(desk, data, patient_ref="A-1") for _ in range(3)]
        together = await asyncio.gather(*(world.send(desk, data, patient_ref="A-1") for _ in range(7)))

        assert {a.ecg_id for a in [*answers, *together]} == {answers[0].ecg_id}
        assert [a.duplicate for a in [*answers, *together]] == [False] + 9 * [True]
        assert len(desk.cases()) == 1 and len(desk.cases()[0].alerts) == 1

    run(tmp_path, story)


def test_bytes_of_another_patient_of_the_site_are_a_conflict(tmp_path: Path) -> None:
    """A person must decide whose they are: it is shown on the case, once, and nothing else is changed."""

    async def story(world: World, desk: Desk) -> None:
        data = dicom()
        ours = await world.send(desk, data, patient_ref="A-1")
        seq = desk.hub.seq
        for _ in range(2):
            with pytest.raises(Conflict, match="another patient") as refused:
                await world.send(desk, data, patient_ref="B-2")

        assert refused.value.code == "identity_conflict"
        assert desk.hub.seq == seq + 1 and len(desk.cases()) == 1
        assert [known.existing_ecg_id for known in desk.case(ours.case_id).conflicts] == [ours.ecg_id]

    run(tmp_path, story)


def test_another_site_gets_new_ids_for_the_same_bytes(tmp_path: Path) -> None:
    """Nothing of the other site's case is disclosed, and both can read the original back."""

    async def story(world: World, desk: Desk) -> None:
        data = dicom()
        ours = await world.send(desk, data, patient_ref="A-1")
        theirs = await world.send(desk, data, device("jishi"), patient_ref="A-1")

        assert not theirs.duplicate and theirs.case_id != ours.case_id and theirs.ecg_id != ours.ecg_id
        assert await desk.original(ours.ecg_id) == await desk.original(theirs.ecg_id) == data

    run(tmp_path, story)


def test_an_episode_is_one_case_for_a_day(tmp_path: Path) -> None:
    """A second ECG within 24 hours joins the open case and does not ring again; after a day it is a new case."""

    async def story(world: World, desk: Desk) -> None:
        first = await world.send(desk, dicom(seed=1), patient_ref="A-1")
        world.pass_time(600)
        second = await world.send(desk, dicom(seed=2), patient_ref="A-1")
        world.pass_time(600)
        await desk.duty.fire_due()  # the alert has reached its end: nothing more happens to the case
        world.pass_time(25 * 3600)
        third = await world.send(desk, dicom(seed=3), patient_ref="A-1")

        assert first.case_id == second.case_id != third.case_id
        assert len(desk.case(first.case_id).alerts) == 1

    run(tmp_path, story)


def test_without_a_patient_every_ecg_is_a_case_of_its_own(tmp_path: Path) -> None:
    """Nobody is taken for somebody else."""

    async def story(world: World, desk: Desk) -> None:
        first = await world.send(desk, dicom(seed=1))
        second = await world.send(desk, dicom(seed=2))

        assert first.case_id != second.case_id

    run(tmp_path, story)


def test_one_dead_lead_does_not_silence_the_infarction(tmp_path: Path) -> None:
    """With V3 off the other leads still raise ACT, and the clinic is told which lead to mend."""

    async def story(world: World, desk: Desk) -> None:
        answer = await world.send(desk, dicom(dead_leads=("V3",)))
        case = desk.case(answer.case_id)

        assert case.tier == "ACT"
        assert case.ecgs[0].bad_leads == ("V3",)
        assert "V3" not in {e["lead"] for f in case.ecgs[0].findings for e in f["evidence"]}

    run(tmp_path, story)


def test_what_cannot_be_read_changes_nothing(tmp_path: Path) -> None:
    """Broken bytes, a foreign site, a foreign device and a case of nobody leave the log as it was."""

    async def story(world: World, desk: Desk) -> None:
        seq = desk.hub.seq
        with pytest.raises(IngestError):
            await world.send(desk, b"")
        with pytest.raises(IngestError):
            await world.send(desk, dicom()[:3000])
        with pytest.raises(Forbidden):
            await world.send(desk, dicom(), site="jishi")
        with pytest.raises(Forbidden):
            await world.send(desk, dicom(), device="ecg-jishi")
        with pytest.raises(NotFound):
            await world.send(desk, dicom(), case_id="c_unknown")

        assert desk.hub.seq == seq and desk.cases() == []

    run(tmp_path, story)


def test_a_received_ecg_is_read_after_a_restart(tmp_path: Path) -> None:
    """A stop between receipt and reading costs no reading and no alert."""
    world = World(folder=tmp_path)

    async def interrupted() -> str:
        async with world.desk() as desk:

            async def cut(*_: object) -> None:
                return None

            desk.intake.read = cut  # type: ignore[method-assign, assignment]
            answer = await world.send(desk, dicom())
            assert answer.state == "received"
            return str(answer.case_id)

    async def again(case_id: str) -> None:
        async with world.desk() as desk:
            case = desk.case(case_id)
            assert case.tier == "ACT" and case.alert is not None

    case_id = asyncio.run(interrupted())
    asyncio.run(again(case_id))


def test_people_act_once_however_often_they_press(tmp_path: Path) -> None:
    """Acknowledging and opening twice is once; the milestone with the same key changes nothing."""

    async def story(world: World, desk: Desk) -> None:
        answer = await world.send(desk, dicom(), patient_ref="A-1", arrival_mode=2)
        alert = desk.case(answer.case_id).alert
        assert alert is not None
        chen = person("chen")
        for _ in range(2):
            await desk.acknowledge(alert.alert_id, chen)
            await desk.open_green_channel(answer.case_id, chen)
        versions = desk.case(answer.case_id).version
        given: dict[str, Any] = {"milestone": "FMC", "at": world.clock.now(), "source": "clinic"}
        rest: dict[str, Any] = {"key": None, "note": None, "idempotency_key": "k1"}
        _, created = await desk.record_milestone(answer.case_id, person("wang"), **given, **rest)
        _, again = await desk.record_milestone(answer.case_id, person("wang"), **given, **rest)

        assert (created, again) == (True, False)
        case = desk.case(answer.case_id)
        assert case.version == versions + 1
        assert case.channel.state == "open" and len(case.tasks) >= 6

    run(tmp_path, story)


def test_a_split_ecg_keeps_its_bytes_in_the_new_case(tmp_path: Path) -> None:
    """After a person has split two patients apart, each original is still to be had."""

    async def story(world: World, desk: Desk) -> None:
        first = await world.send(desk, dicom(seed=1), patient_ref="A-1")
        data = dicom(seed=2)
        second = await world.send(desk, data, patient_ref="A-1")
        alert = desk.case(first.case_id).alert
        assert alert is not None
        await desk.acknowledge(alert.alert_id, person("chen"))
        await desk.split(first.case_id, person("chen"), [second.ecg_id])

        assert desk.case_of_ecg(second.ecg_id).case_id != first.case_id
        assert await desk.original(second.ecg_id) == data

    run(tmp_path, story)


def test_an_erased_patient_cannot_be_read_and_the_log_stays_whole(tmp_path: Path) -> None:
    """Name and original are gone for ever; the case, its timeline and the hash chain are there."""

    async def story(world: World, desk: Desk) -> None:
        answer = await world.send(desk, dicom(), patient_ref="A-1", name="张三")
        assert (await desk.identity(answer.case_id) or {})["name"] == "张三"
        await desk.erase_patient(answer.case_id, person("quality"), "at the patient's request")
        with pytest.raises(BlobErased):
            await desk.original(answer.ecg_id)

        assert await desk.identity(answer.case_id) is None
        assert desk.case(answer.case_id).tier == "ACT"
        assert desk.log.verify().ok

    run(tmp_path, story)
