"""What people set right at the desk: once, in one transaction, and nothing is lost by it."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from greenchannel.alerts.refusal import Refused
from greenchannel.service.desk import Desk
from greenchannel.service.errors import Conflict, NotFound
from greenchannel.service.readings import ReadEcg
from tests.desk_world import World, dicom, person, run


async def merged(world: World, desk: Desk) -> tuple[Any, Any]:
    """Two cases of a site, of two patient numbers, the first merged into the second."""
    first = await world.send(desk, dicom(seed=1), patient_ref="A-1")
    second = await world.send(desk, dicom(seed=2), patient_ref="B-2")
    for answer in (first, second):
        alert = desk.case(answer.case_id).alert
        assert alert is not None
        await desk.answers.acknowledge(alert.alert_id, person("chen"))
    world.pass_time(60)
    await desk.answers.merge(first.case_id, person("chen"), second.case_id)
    return first, second


def test_people_act_once_however_often_they_press(tmp_path: Path) -> None:
    """Acknowledging and opening twice is once; the milestone with the same key changes nothing."""

    async def story(world: World, desk: Desk) -> None:
        answer = await world.send(desk, dicom(), patient_ref="A-1", arrival_mode=2)
        alert = desk.case(answer.case_id).alert
        assert alert is not None
        chen = person("chen")
        for _ in range(2):
            await desk.answers.acknowledge(alert.alert_id, chen)
            await desk.answers.open_green_channel(answer.case_id, chen)
        versions = desk.case(answer.case_id).version
        given: dict[str, Any] = {"milestone": "FMC", "at": world.clock.now(), "source": "clinic"}
        rest: dict[str, Any] = {"key": None, "note": None, "idempotency_key": "k1"}
        _, created = await desk.answers.record_milestone(answer.case_id, person("wang"), **given, **rest)
        _, again = await desk.answers.record_milestone(answer.case_id, person("wang"), **given, **rest)

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
        await desk.answers.acknowledge(alert.alert_id, person("chen"))
        await desk.answers.split(first.case_id, person("chen"), [second.ecg_id])

        assert desk.case_of_ecg(second.ecg_id).case_id != first.case_id
        assert await desk.original(second.ecg_id) == data

    run(tmp_path, story)


def test_an_erased_patient_cannot_be_read_and_the_log_stays_whole(tmp_path: Path) -> None:
    """Name and original are gone for ever; the case, its timeline and the hash chain are there."""

    async def story(world: World, desk: Desk) -> None:
        answer = await world.send(desk, dicom(), patient_ref="A-1", name="张三")
        assert (await desk.identity(answer.case_id) or {})["name"] == "张三"
        await desk.answers.erase_patient(answer.case_id, person("quality"), "at the patient's request")
        with pytest.raises(NotFound, match="erased"):
            await desk.original(answer.ecg_id)

        assert await desk.identity(answer.case_id) is None
        assert desk.case(answer.case_id).tier == "ACT"
        assert desk.log.verify().ok

    run(tmp_path, story)


def test_after_a_merge_the_patients_next_ecg_joins_the_case_that_goes_on(tmp_path: Path) -> None:
    """By patient number and by the old case's id; the same bytes under the old number are no other patient's."""

    async def story(world: World, desk: Desk) -> None:
        first, second = await merged(world, desk)
        third = await world.send(desk, dicom(seed=3), patient_ref="A-1")
        fourth = await world.send(desk, dicom(seed=4), case_id=first.case_id, patient_ref="A-1")
        again = await world.send(desk, dicom(seed=1), patient_ref="A-1")
        named = await world.send(desk, dicom(seed=1), case_id=first.case_id)

        assert {third.case_id, fourth.case_id, again.case_id} == {second.case_id}
        assert (again.ecg_id, again.duplicate, named.ecg_id) == (first.ecg_id, True, first.ecg_id)
        assert len(desk.cases()) == 2

    run(tmp_path, story)


def test_a_carried_ecg_keeps_its_instants(tmp_path: Path) -> None:
    """Received and analysed when it was, not when the cases were merged."""

    async def story(world: World, desk: Desk) -> None:
        first, second = await merged(world, desk)
        before, after = (desk.case(one.case_id).ecg(first.ecg_id) for one in (first, second))

        assert before is not None and after is not None
        assert (after.received_at, after.analysed_at) == (before.received_at, before.analysed_at)
        assert after.received_at == world.clock.now() - timedelta(seconds=60)

    run(tmp_path, story)


def test_the_same_bytes_for_another_case_are_a_conflict(tmp_path: Path) -> None:
    """The answer never is another case than the one the sender names."""

    async def story(world: World, desk: Desk) -> None:
        first = await world.send(desk, dicom(seed=1), patient_ref="A-1")
        second = await world.send(desk, dicom(seed=2), patient_ref="B-2")
        seq = desk.hub.seq
        with pytest.raises(Conflict) as refused:
            await world.send(desk, dicom(seed=1), case_id=second.case_id)
        with pytest.raises(NotFound):
            await world.send(desk, dicom(seed=1), case_id="c_unknown")

        assert refused.value.code == "ecg_in_other_case"
        assert (await world.send(desk, dicom(seed=1), case_id=first.case_id)).duplicate
        assert desk.hub.seq == seq

    run(tmp_path, story)


def test_no_case_ends_while_an_ecg_is_unread(tmp_path: Path) -> None:
    """Neither closed nor merged nor split; after the reading it rings in the case that is still there."""

    async def story(world: World, desk: Desk) -> None:
        goes_on, read = asyncio.Event(), desk.intake.read

        async def slow(ecg_id: str, case_id: str, recording: Any) -> None:
            await goes_on.wait()
            await read(ecg_id, case_id, recording)

        desk.intake.read = slow  # type: ignore[method-assign]
        sending = asyncio.create_task(world.send(desk, dicom(), patient_ref="A-1"))
        while not desk.cases():
            await asyncio.sleep(0)
        (case,) = desk.cases()
        chen, ecg_ids = person("chen"), [case.ecgs[0].ecg_id]
        for command in (
            desk.answers.close_case(case.case_id, chen, "done"),
            desk.answers.split(case.case_id, chen, ecg_ids),
        ):
            with pytest.raises(Refused) as refused:
                await command
            assert (refused.value.code, refused.value.status) == ("ecg_unread", 409)
        goes_on.set()
        await sending

        assert desk.case(case.case_id).alert is not None

    run(tmp_path, story)


def test_an_ecg_that_was_moved_while_it_was_read_rings_where_it_is(tmp_path: Path) -> None:
    """A signed one may be split off before the machine has read it."""

    async def story(world: World, desk: Desk) -> None:
        goes_on, in_pool = asyncio.Event(), desk.intake.in_pool
        chen = person("chen")
        await world.send(desk, dicom("baseline_sinus", seed=5), patient_ref="A-1")
        (old,) = desk.cases()
        waiting: list[bool] = []

        async def slow(function: Callable[[], Any]) -> Any:
            result = await in_pool(function)
            if isinstance(result, ReadEcg):
                waiting.append(True)
                await goes_on.wait()
            return result

        desk.intake.in_pool = slow  # type: ignore[method-assign]
        sending = asyncio.create_task(world.send(desk, dicom(), patient_ref="A-1"))
        while not waiting:
            await asyncio.sleep(0.001)
        ecg_id = desk.case(old.case_id).ecgs[-1].ecg_id
        await desk.answers.sign_reading(ecg_id, chen, text="another patient's", tier="NONE", advice=None)
        await desk.answers.split(old.case_id, chen, [ecg_id])
        goes_on.set()
        await sending
        new = desk.case_of_ecg(ecg_id)

        assert new.case_id != old.case_id
        assert new.alert is not None and desk.case(old.case_id).alert is None

    run(tmp_path, story)


# ---------------------------------------------------------------- what is said, and by whom


def test_no_patient_is_erased_while_an_ecg_is_unread(tmp_path: Path) -> None:
    """What it shows would reach nobody; read, the patient can be erased, and once more changes nothing."""

    async def story(world: World, desk: Desk) -> None:
        whole = desk.intake.read

        async def later(*_: object) -> None:
            return None

        desk.intake.read = later  # type: ignore[method-assign, assignment]
        case_id = (await world.send(desk, dicom())).case_id
        with pytest.raises(Refused) as refused:
            await desk.answers.erase_patient(case_id, person("quality"), "asked")
        assert refused.value.code == "ecg_unread"
        desk.intake.read = whole  # type: ignore[method-assign]
        await desk.intake.read_what_was_left()
        await desk.answers.erase_patient(case_id, person("quality"), "asked")
        seq = desk.book.seq
        await desk.answers.erase_patient(case_id, person("quality"), "asked")

        assert desk.book.seq == seq

    run(tmp_path, story)


def test_a_merge_brings_the_name_and_an_erasure_takes_all_of_it(tmp_path: Path) -> None:
    """Who goes on can call back; erased, neither case tells who it was, and the next ECG is a new case."""

    async def story(world: World, desk: Desk) -> None:
        quiet = dicom("baseline_sinus", seed=1)
        first = await world.send(desk, quiet, patient_ref="A-1", callback_phone="0000-7", name="张三")
        second = await world.send(desk, dicom("baseline_sinus", seed=2), patient_ref="B-2")
        await desk.answers.merge(first.case_id, person("chen"), second.case_id)
        known = await desk.identity(second.case_id) or {}
        assert (known["name"], known["callback_phone"], known["patient_ref"]) == ("张三", "0000-7", "B-2")

        await desk.answers.erase_patient(second.case_id, person("quality"), "asked")
        assert await desk.identity(first.case_id) is None
        assert await desk.identity(second.case_id) is None
        again = await world.send(desk, dicom("baseline_sinus", seed=3), patient_ref="A-1")
        assert again.case_id not in (first.case_id, second.case_id)

    run(tmp_path, story)


def test_an_open_channel_keeps_its_case(tmp_path: Path) -> None:
    """It is not closed before its end has come, nor emptied by a split."""

    async def story(world: World, desk: Desk) -> None:
        answer = await world.send(desk, dicom(), arrival_mode=2)
        chen = person("chen")
        await desk.answers.open_green_channel(answer.case_id, chen)
        for attempt in (
            desk.answers.close_case(answer.case_id, chen, "over"),
            desk.answers.split(answer.case_id, chen, [answer.ecg_id]),
        ):
            with pytest.raises(Refused) as refused:
                await attempt
            assert refused.value.code == "channel_open"
        await desk.answers.stand_down(answer.case_id, chen, "no infarction")

        assert (await desk.answers.close_case(answer.case_id, chen, "over")).state == "closed"

    run(tmp_path, story)


def test_a_clock_that_was_never_set_corrects_nothing(tmp_path: Path) -> None:
    """An offset of years is no offset: the next file's own time is judged as it stands."""

    async def story(world: World, desk: Desk) -> None:
        await world.send(desk, dicom(seed=1), device_clock="2199-12-31T00:00:00Z")

        assert desk.intake.offset_of("ecg-yinzhao") is None

    run(tmp_path, story)
