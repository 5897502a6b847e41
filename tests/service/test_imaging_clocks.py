"""The clocks of studies in the running desk: due times that survive a stop, rings that leave the house, once each."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from greenchannel.alerts.case import Case
from greenchannel.alerts.imaging.audit import audit
from greenchannel.events import (
    AlertEscalated,
    AlertExhausted,
    ImageCriticalOverdue,
    ImageCriticalTold,
    ImageDetected,
    ImageReadingGone,
    ImageStudyReceived,
    image_stream,
)
from greenchannel.service.callers import Caller
from greenchannel.service.desk import Desk
from greenchannel.service.errors import NotFound
from greenchannel.service.unsettled import UnsettledReadings
from tests.delivery_world import Ward, play
from tests.desk_world import World, dicom
from tests.imaging_files import ROOT_UID, ct

UID = f"{ROOT_UID}.1"
NOWHERE = "https://gateway.example/sms"
RAD = Caller(kind="user", id="rad", name="周医生", role="radiologist", sites=None)


async def stat(desk: Desk, **more: Any) -> str:
    """A STAT head CT: its clock runs for 30 minutes. Gives the case."""
    data = ct(1, RequestedProcedurePriority="STAT", **more)
    got = await desk.images.receive(data, source="device:ecg-yinzhao", site_id="yinzhao")
    return got.case_id


def of_study(desk: Desk, kind: type[Any]) -> list[Any]:
    return [one.event for one in desk.log.read_stream(image_stream(UID)) if isinstance(one.event, kind)]


def people(ward: Ward) -> None:
    ward.desk.accounts.add_user("rad", "周医生", "radiologist", "a long enough password")
    for name in ("rad", "zhao", "wang"):
        ward.webhook(name, "sms", NOWHERE)


async def pass_minutes(ward: Ward, minutes: float) -> None:
    ward.world.pass_time(minutes * 60)
    while await ward.desk.duty.fire_due():
        pass


def sent(ward: Ward) -> list[tuple[str, str]]:
    return sorted((row.kind, row.person) for row in ward.rows().values() if row.kind.startswith("image"))


def test_a_stat_study_rings_the_radiologist_then_the_head_then_tells_the_clinic(tmp_path: Path) -> None:
    """At once, at 15, 24 and 30 minutes, on every channel, each ring one delivery."""

    async def story(ward: Ward) -> None:
        people(ward)
        await stat(ward.desk)
        counts = [len(sent(ward))]
        for minutes in (15, 9, 6):
            await pass_minutes(ward, minutes)
            counts.append(len(sent(ward)))

        assert [one.step for one in of_study(ward.desk, AlertEscalated)] == [1, 2, 3]
        assert len(of_study(ward.desk, AlertExhausted)) == 1
        assert counts == [1, 2, 4, 7]
        assert [kind for kind, who in sent(ward) if who == "zhao"] == ["image_due", "image_over"]
        assert sent(ward).count(("image_late", "wang")) == 1

    play(tmp_path, story)


def test_the_report_stops_the_clock_and_goes_to_the_clinic(tmp_path: Path) -> None:
    """After it nobody is rung for the report; a critical result is urgent, and rings on until it was said back."""

    async def story(ward: Ward) -> None:
        people(ward)
        case_id = await stat(ward.desk)
        await ward.desk.image_readings.sign(
            UID,
            RAD,
            findings="高密度影",
            impression="脑出血",
            critical=["intracranial_haemorrhage"],
            provisional=False,
            template=None,
        )
        (ring,) = [row for row in ward.rows().values() if row.kind == "image_due"]
        assert ring.state == "cancelled"  # it had not left the house
        await pass_minutes(ward, 14)
        assert sent(ward) == [("image_critical", "wang"), ("image_due", "rad")]
        await pass_minutes(ward, 2)
        assert {one for one in sent(ward) if one[0] == "image_untold"} == {
            ("image_untold", "rad"),
            ("image_untold", "zhao"),
        }
        assert [one.times for one in of_study(ward.desk, ImageCriticalOverdue)] == [1]
        assert of_study(ward.desk, AlertEscalated) == []
        kinds = [envelope.event.__struct_config__.tag for envelope in ward.desk.case(case_id).history]
        assert kinds.count("image_result_returned") == 1

    play(tmp_path, story)


def test_a_stop_in_the_middle_loses_no_share_of_a_clock(tmp_path: Path) -> None:
    """What fell due while nobody ran is made up for at the start, once, in one ring."""
    world = World(folder=tmp_path)

    async def go() -> None:
        async with world.desk() as desk:
            desk.accounts.add_user("rad", "周医生", "radiologist", "a long enough password")
            await stat(desk)
        world.pass_time(25 * 60)
        async with world.desk() as desk:
            while await desk.duty.fire_due():
                pass
            assert [(one.step, one.passed) for one in of_study(desk, AlertEscalated)] == [(2, (1,))]
            while await desk.duty.fire_due():
                pass
            assert len(of_study(desk, AlertEscalated)) == 1

    asyncio.run(go())


def test_the_auditor_misses_a_share_whose_due_time_was_lost(tmp_path: Path) -> None:
    """It reads the log by itself: also of what was written before its first look, and of what came since."""

    async def story(ward: Ward) -> None:
        people(ward)
        await stat(ward.desk)
        await ward.desk.auditor.look()
        before = ward.desk.auditor.missed
        ward.world.pass_time(16 * 60)
        await ward.desk.auditor.look()
        lost = ward.desk.auditor.missed
        while await ward.desk.duty.fire_due():
            pass
        await ward.desk.auditor.look()

        assert (before, lost, ward.desk.auditor.missed) == (0, 1, 0)
        await ward.desk.image_readings.sign(
            UID, RAD, findings="x", impression="y", critical=["free_air"], provisional=False, template=None
        )
        ward.world.pass_time(16 * 60)
        again = UnsettledReadings(ward.desk._engine).look()  # as after a start
        assert [one.kind for one in audit(again, ward.world.clock.now(), 15.0)] == ["untold"]

    play(tmp_path, story)


def test_after_a_start_the_auditor_knows_of_a_provisional_report_that_was_told(tmp_path: Path) -> None:
    """Its critical result was said back after the signature; that somebody confirms it is still to come, and the due
    time was lost."""

    async def story(ward: Ward) -> None:
        people(ward)
        await stat(ward.desk)
        signed = await ward.desk.image_readings.sign(
            UID, RAD, findings="x", impression="y", critical=["free_air"], provisional=True, template=None
        )
        told = ImageCriticalTold(
            call_id="k_1",
            person="rad",
            report_ids=(signed.signed[0].report_id,),
            to_role="clinic",
            to_person="wang",
            way="phone",
            told_at=ward.world.clock.now(),
            reached=True,
            read_back="膈下游离气体",
            read_back_right=True,
        )
        await ward.desk.image_readings.tell_critical(UID, RAD, told)
        ward.world.pass_time(24 * 3600 + 60)
        again = UnsettledReadings(ward.desk._engine).look()  # as after a start
        assert [one.kind for one in audit(again, ward.world.clock.now(), 15.0)] == ["unconfirmed"]
        await ward.desk.auditor.look()
        assert ward.desk.auditor.missed == 1

    play(tmp_path, story)


def test_the_auditor_misses_the_reading_of_a_study_that_was_never_wanted(tmp_path: Path) -> None:
    """It has come, and no clock was begun: said by a running auditor, and by one that has just started. A structured
    report wants none."""

    async def story(ward: Ward) -> None:
        people(ward)
        case_id = await stat(ward.desk)
        await ward.desk.auditor.look()
        received = [ImageStudyReceived(study_uid=f"1.2.{one}", modality=one) for one in ("CT", "SR")]
        await ward.write(case_id, *received)
        assert {one.study_uid for one in ward.desk.image_readings.all()} == {UID}
        ward.world.pass_time(10)
        await ward.desk.auditor.look()
        assert ward.desk.auditor.missed == 0  # within the grace
        ward.world.pass_time(10)
        await ward.desk.auditor.look()
        assert ward.desk.auditor.missed == 1
        after_a_start = UnsettledReadings(ward.desk._engine)
        after_a_start.look()
        assert [one.study_uid for one in after_a_start.unwanted] == ["1.2.CT"]

    play(tmp_path, story)


def test_an_alert_of_a_study_is_none_of_its_case(tmp_path: Path) -> None:
    """An ECG that comes meanwhile rings the cardiologist as ever: the two calls do not know each other."""

    async def story(ward: Ward) -> None:
        people(ward)
        case_id = await stat(ward.desk)
        before: Case = ward.desk.case(case_id)
        answer = await ward.world.send(ward.desk, dicom(), patient_ref="P1")
        for _ in range(1000):
            case = ward.desk.book.cases[case_id]
            if case.alert is not None:
                break
            await asyncio.sleep(0.01)

        assert (before.alert, answer.case_id) == (None, case_id)
        assert case.alert is not None and {one.person for one in case.alert.people} == {"chen"}

    play(tmp_path, story)


def test_a_detector_moves_a_study_forward_and_rings_nobody(tmp_path: Path) -> None:
    """And only where the site has enabled it."""

    async def story(ward: Ward) -> None:
        people(ward)
        for study in (1, 2, 3):
            data = ct(1, study=study, patient_id=f"P{study}")
            await ward.desk.images.receive(data, source="device:ecg-yinzhao", site_id="yinzhao")
            ward.world.pass_time(1)
        before = sent(ward)
        for study, status in ((2, "silent"), (3, "enabled")):
            said = ImageDetected(plugin="head_blood", version="1", status=status, raised=True)
            await ward.desk.image_readings.detected(f"{ROOT_UID}.{study}", said)
        lower = ImageDetected(plugin="head_blood", version="1", status="enabled", raised=False)
        await ward.desk.image_readings.detected(
            f"{ROOT_UID}.3", lower
        )  # looked at again: it stays where it is
        rows = await ward.desk.image_readings.worklist(RAD, ward.world.clock.now())

        assert [row.study.study_uid[-1] for row in rows] == ["3", "1", "2"]
        assert sent(ward) == before

    play(tmp_path, story)


def test_what_is_no_image_wants_no_report(tmp_path: Path) -> None:
    """A structured report stands in no worklist."""

    async def story(ward: Ward) -> None:
        source = {"source": "device:ecg-yinzhao", "site_id": "yinzhao"}
        await ward.desk.images.receive(ct(1, study=1, Modality="SR"), **source)

        assert await ward.desk.image_readings.worklist(RAD, ward.world.clock.now()) == []

    play(tmp_path, story)


def test_a_ct_whose_first_object_was_its_dose_report_is_read_all_the_same(tmp_path: Path) -> None:
    """When it has come in, it is looked at again what it is."""

    async def story(ward: Ward) -> None:
        source = {"source": "device:ecg-yinzhao", "site_id": "yinzhao"}
        await ward.desk.images.receive(ct(1, series=2, Modality="SR"), **source)
        await ward.desk.images.receive(ct(1), **source)
        await ward.desk.images.finish({UID: None}, source="device:ecg-yinzhao")
        rows = await ward.desk.image_readings.worklist(RAD, ward.world.clock.now())

        assert [(row.study.study_uid, row.facts.modality) for row in rows] == [(UID, "CT")]

    play(tmp_path, story)


def test_an_erased_patients_study_rings_nobody(tmp_path: Path) -> None:
    """Its clock ends with it, and the auditor misses nothing."""

    async def story(ward: Ward) -> None:
        people(ward)
        case_id = await stat(ward.desk)
        admin = Caller(kind="user", id="admin", name="x", role="admin", sites=None)
        await ward.desk.answers.erase_patient(case_id, admin, "患者要求")
        before = len(sent(ward))
        for _ in range(4):
            await pass_minutes(ward, 30)
        await ward.desk.auditor.look()

        assert len(sent(ward)) == before
        assert await ward.desk.image_readings.worklist(RAD, ward.world.clock.now()) == []
        assert ward.desk.auditor.missed == 0

    play(tmp_path, story)


def test_a_study_of_an_erased_patient_that_comes_again_is_read_anew(tmp_path: Path) -> None:
    """The old report goes in the erasing command; the study waits again, its clock rings, the auditor watches it."""

    async def story(ward: Ward) -> None:
        people(ward)
        readings = ward.desk.image_readings
        case_id = await stat(ward.desk)
        await readings.sign(
            UID, RAD, findings="旧所见", impression="旧意见", critical=[], provisional=True, template=None
        )
        await readings.share(UID, RAD, "jishi", "转诊")
        admin = Caller(kind="user", id="admin", name="x", role="admin", sites=None)
        await ward.desk.answers.erase_patient(case_id, admin, "患者要求")
        assert len(of_study(ward.desk, ImageReadingGone)) == 1
        with pytest.raises(NotFound):
            readings.reading(UID)
        assert await readings.worklist(RAD, ward.world.clock.now(), reported=True) == []

        await stat(ward.desk)
        now = ward.world.clock.now()
        (row,) = await readings.worklist(RAD, now)
        assert (row.reading.state, row.reading.signed, row.reading.sites) == ("waiting", (), ("yinzhao",))
        assert await readings.worklist(RAD, now, reported=True) == []
        again = UnsettledReadings(ward.desk._engine).look()  # as after a start
        assert [(one.study_uid, one.state) for one in again] == [(UID, "waiting")]
        await pass_minutes(ward, 16)
        assert [one.step for one in of_study(ward.desk, AlertEscalated)] == [1]

    play(tmp_path, story)
