"""Uploads at the desk: durable, once, in the right case, read and alerted on."""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from greenchannel.alerts.timeline import timeline
from greenchannel.alerts.timeline_json import to_json
from greenchannel.events import ContextEntered
from greenchannel.ingest.dicom_ecg_write import write_dicom_ecg
from greenchannel.ingest.errors import IngestError
from greenchannel.service.desk import Desk
from greenchannel.service.errors import Conflict, Forbidden, NotFound
from greenchannel.signal.synthesis import synthesize
from greenchannel.viewer.wire import record_again
from tests.desk_world import STEMI, World, device, dicom, person, run
from tests.stream_world import comes


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


def test_a_received_ecg_is_read_after_a_restart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stop between receipt and reading costs no reading and no alert."""
    world = World(folder=tmp_path)

    async def interrupted() -> str:
        async with world.desk() as desk:

            async def cut(*_: object) -> None:
                return None

            monkeypatch.setattr(desk.intake, "read", cut)
            answer = await world.send(desk, dicom())
            assert answer.state == "received"
            return str(answer.case_id)

    async def again(case_id: str) -> None:
        async with world.desk() as desk:
            case = desk.case(case_id)
            assert case.tier == "ACT" and case.alert is not None

    case_id = asyncio.run(interrupted())
    asyncio.run(again(case_id))


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


def test_files_that_say_different_ages_make_the_age_unknown_until_a_person_says_it(tmp_path: Path) -> None:
    """Two people under one number: an infarction is not read as the child's whose file came first."""
    world = World(folder=tmp_path)

    async def play() -> None:
        async with world.desk() as desk:
            child = dicom("baseline_sinus", age_years=11.0)
            first = await world.send(desk, child, patient_ref="000001")
            assert desk.case(first.case_id).context.age_years == 11.0
            second = await world.send(desk, dicom(age_years=60.0), patient_ref="000001", chest_pain="yes")
            await comes(lambda: desk.case(first.case_id).alert)
            case = desk.case(first.case_id)
            assert second.case_id == first.case_id
            assert case.context.age_years is None and case.context.disputed == {"age_years"}
            assert case.alert is not None and case.alert.tier == "ACT"
            assert "age 11 and 60" in str([e.event for e in case.history])

            await world.send(desk, dicom(seed=5, age_years=11.0), patient_ref="000001")
            assert desk.case(first.case_id).context.age_years is None
            await world.send(desk, dicom(seed=6, age_years=60.0), patient_ref="000001", age=60)
            assert desk.case(first.case_id).context.age_years == 60.0
            assert not desk.case(first.case_id).context.disputed

    asyncio.run(play())
