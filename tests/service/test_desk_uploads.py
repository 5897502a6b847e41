"""Uploads at the desk: durable, once, in the right case, read and alerted on."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from greenchannel.alerts.refusal import Refused
from greenchannel.alerts.timeline import timeline
from greenchannel.alerts.timeline_json import to_json
from greenchannel.events import ContextEntered
from greenchannel.ingest.dicom_ecg_write import write_dicom_ecg
from greenchannel.ingest.errors import IngestError
from greenchannel.service.desk import Desk
from greenchannel.service.errors import Conflict, Forbidden, NotFound
from greenchannel.signal.synthetic import synthesize
from greenchannel.store.blobs import BlobErased
from greenchannel.viewer.wire import record_again
from tests.desk_world import STEMI, World, device, dicom, person


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
        assert case.ecgs[0].bad_leads == ("V3",) and case.ecgs[0].acceptable
        told = record_again(case)
        assert told is not None and told["leads"] == ["V3"]
        assert "V3 电极脱落,请重新连接后再做一份" in told["zh"] and "V3" in told["en"]
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


def test_a_file_of_a_monitor_is_urgent_and_the_clinic_is_told(tmp_path: Path) -> None:
    """0.5–40 Hz as the file has it: ST is not reliable, and the diagnostic mode is asked for."""

    async def story(world: World, desk: Desk) -> None:
        ecg = replace(synthesize(scenario=STEMI, seed=1, noise_mv=0.005), low_cut_hz=0.5, high_cut_hz=40.0)
        answer = await world.send(desk, write_dicom_ecg(ecg, acquired=None, age_years=61.0, sex="male"))
        case = desk.case(answer.case_id)
        told = record_again(case)

        assert case.tier == "URG" and "st_unreliable" in case.ecgs[0].findings[0]["downgraded_by"]
        assert told is not None and "监护模式" in told["zh"]

    run(tmp_path, story)


# ---------------------------------------------------------------- merged, split, closed


async def merged(world: World, desk: Desk) -> tuple[Any, Any]:
    """Two cases of a site, of two patient numbers, the first merged into the second."""
    first = await world.send(desk, dicom(seed=1), patient_ref="A-1")
    second = await world.send(desk, dicom(seed=2), patient_ref="B-2")
    for answer in (first, second):
        alert = desk.case(answer.case_id).alert
        assert alert is not None
        await desk.acknowledge(alert.alert_id, person("chen"))
    world.pass_time(60)
    await desk.merge(first.case_id, person("chen"), second.case_id)
    return first, second


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
            desk.close_case(case.case_id, chen, "done"),
            desk.split(case.case_id, chen, ecg_ids),
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
            if isinstance(result, dict):
                waiting.append(True)
                await goes_on.wait()
            return result

        desk.intake.in_pool = slow  # type: ignore[method-assign]
        sending = asyncio.create_task(world.send(desk, dicom(), patient_ref="A-1"))
        while not waiting:
            await asyncio.sleep(0.001)
        ecg_id = desk.case(old.case_id).ecgs[-1].ecg_id
        await desk.sign_reading(ecg_id, chen, text="another patient's", tier="NONE", advice=None)
        await desk.split(old.case_id, chen, [ecg_id])
        goes_on.set()
        await sending
        new = desk.case_of_ecg(ecg_id)

        assert new.case_id != old.case_id
        assert new.alert is not None and desk.case(old.case_id).alert is None

    run(tmp_path, story)


# ---------------------------------------------------------------- what is said, and by whom


def test_a_file_does_not_outweigh_a_person(tmp_path: Path) -> None:
    """The age that was typed stays, in the reading too, and the contradiction is said once; a gap is filled."""

    async def story(world: World, desk: Desk) -> None:
        first = await world.send(desk, dicom(seed=1, sex=None), patient_ref="A-1", age="35", name="张三")
        later = dicom(seed=2, age_years=61.0, sex="female", name="Zhang^San")
        await world.send(desk, later, patient_ref="A-1")
        await world.send(desk, dicom(seed=3, age_years=61.0, sex="female"), patient_ref="A-1")
        case = desk.case(first.case_id)
        notes = [e.event.note for e in case.history if isinstance(e.event, ContextEntered) and e.event.note]
        analysis = await desk.analysis(case.ecgs[1].ecg_id)

        assert (case.context.age_years, case.context.sex) == (35.0, "female")
        assert analysis is not None and analysis["patient"]["age_years"] == 35.0
        assert len(notes) == 1 and "61" in notes[0] and "35" in notes[0]
        assert (await desk.identity(first.case_id) or {})["name"] == "张三"

    run(tmp_path, story)


def test_the_log_holds_no_free_text(tmp_path: Path) -> None:
    """Story and remarks are sealed under the patient's key; the log has the numbers, and that there is a story."""

    async def story(world: World, desk: Desk) -> None:
        vitals = {"sbp_mmhg": 95, "note": "李四之妻", "phone": 13800000000, "李四": 1}
        answer = await world.send(
            desk, dicom(seed=1), patient_ref="A-1", history="李四村医转诊", vitals=vitals
        )
        await world.send(desk, dicom(seed=2), patient_ref="A-1", history="再次胸痛")
        case = desk.case(answer.case_id)
        logged = msgspec.json.encode(desk.log.read()).decode()

        assert (case.context.vitals, case.context.history_given) == ({"sbp_mmhg": 95}, True)
        assert not any(word in logged for word in ("李四", "胸痛", "13800000000"))
        told = (await desk.identity(answer.case_id) or {})["history"].splitlines()
        assert told == ["李四村医转诊", "note: 李四之妻", "phone: 13800000000", "李四: 1", "再次胸痛"]

    run(tmp_path, story)


# ---------------------------------------------------------------- whose clock, and what a time is worth


def test_only_a_device_moves_its_own_clock(tmp_path: Path) -> None:
    """What a person says of a device's clock is no measurement, and a refused upload leaves none."""

    async def story(world: World, desk: Desk) -> None:
        fast = (world.clock.now() + timedelta(minutes=7)).isoformat()
        wang = replace(person("wang"), sites=frozenset({"yinzhao"}))
        await world.send(desk, dicom(seed=1), wang, device="ecg-yinzhao", device_clock=fast)
        with pytest.raises(NotFound):
            await world.send(desk, dicom(seed=2), case_id="c_unknown", device_clock=fast)
        await desk.intake.note_device_clock(
            "ecg-yinzhao", datetime.fromisoformat(fast), world.clock.now(), wang
        )
        assert desk.book.device_clocks == {}

        acquired = world.clock.now() + timedelta(minutes=6)
        answer = await world.send(desk, dicom(seed=3, acquired=acquired), device_clock=fast)
        assert desk.book.device_clocks["ecg-yinzhao"].offset_s == 420.0
        reading = desk.case(answer.case_id).ecgs[0].acquired
        assert reading is not None and reading.at == world.clock.now() - timedelta(minutes=1)

    run(tmp_path, story)


@pytest.mark.parametrize("year", [1970, 2099])
def test_times_that_cannot_be_are_refused_or_unknown(tmp_path: Path, year: int) -> None:
    """A person is told; of a device the time is unknown, and the sending counts from when we saw it begin."""

    async def story(world: World, desk: Desk) -> None:
        wang = replace(person("wang"), sites=frozenset({"yinzhao"}))
        nonsense = f"{year}-01-01T08:00:00+00:00"
        for name in ("acquired_at", "onset_at", "sent_at"):
            with pytest.raises(IngestError) as refused:
                await world.send(desk, dicom(), wang, **{name: nonsense})
            assert refused.value.code == "bad_field"
        with pytest.raises(IngestError):
            await world.send(desk, dicom(), onset_at=nonsense)
        assert desk.cases() == []

        answer = await world.send(desk, dicom(), acquired_at=nonsense, sent_at=nonsense)
        (ecg,) = desk.case(answer.case_id).ecgs
        assert ecg.acquired is None and ecg.sent is not None
        assert (ecg.sent.at, ecg.sent.clock) == (world.clock.now(), world.clock.name)
        known = {value.milestone for value in desk.case(answer.case_id).values}
        assert "ECG1_ACQ" not in known and "ONSET" not in known

    run(tmp_path, story)


def test_a_time_without_a_zone_is_marked_on_the_timeline(tmp_path: Path) -> None:
    """The site's zone was taken; the first ECG is timed by its end."""

    async def story(world: World, desk: Desk) -> None:
        local = datetime(2026, 3, 2, 16, 0)  # noqa: DTZ001 - a file's time
        answer = await world.send(desk, dicom(acquired=local))
        shown = to_json(timeline(desk.case(answer.case_id)), lambda actor: None)
        (value,) = next(one for one in shown["milestones"] if one["id"] == "ECG1_ACQ")["values"]

        assert (value["at"], value["zone_assumed"]) == ("2026-03-02T08:00:10.000Z", True)

    run(tmp_path, story)
