"""Several recordings of one patient at the desk: what has changed, and leads recorded with moved electrodes."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np

from greenchannel.clock import ManualClock
from greenchannel.ingest.dicom_ecg_write import write_dicom_ecg
from greenchannel.service.desk import Desk
from greenchannel.signal.leads import LIMB, STANDARD_12, STANDARD_18
from greenchannel.signal.recording import Recording
from greenchannel.signal.synthesis import simulate
from greenchannel.store.account_changes import AccountChanges
from greenchannel.store.engine import open_engine
from tests.desk_world import World, device, dicom, run, with_st


def file_of(recording: Recording) -> bytes:
    """As a DICOM file of a man of 61."""
    return write_dicom_ecg(recording, acquired=None, age_years=61.0, sex="male")


def test_a_second_ecg_is_compared_with_the_first(tmp_path: Path) -> None:
    """A quiet one, half an hour later an inferior elevation: the change is a finding of its own."""

    async def story(world: World, desk: Desk) -> None:
        first = await world.send(desk, file_of(simulate(seed=3).recording), patient_ref="A-1")
        assert isinstance(world.clock, ManualClock)
        world.clock.move_to(world.clock.now() + timedelta(minutes=30))
        later = simulate(seed=3, territory="inferior", stj_mv=0.3).recording
        second = await world.send(desk, file_of(later), patient_ref="A-1")

        assert second.case_id == first.case_id
        found = {one["id"]: one for one in desk.case(first.case_id).ecgs[1].findings}
        assert found["STE-1"]["tier"] == "ACT"
        assert {one["lead"] for one in found["STE-SERIAL"]["evidence"]} >= {"II", "III", "aVF"}
        assert all(one["value"] >= 0.1 for one in found["STE-SERIAL"]["evidence"] if one["relation"] == ">=")

    run(tmp_path, story)


def test_an_elevation_that_has_gone_stays_urgent(tmp_path: Path) -> None:
    """An artery that opened may close: the second ECG says so, whatever else it shows."""

    async def story(world: World, desk: Desk) -> None:
        sick = simulate(seed=4, territory="inferior", stj_mv=0.3).recording
        await world.send(desk, file_of(sick), patient_ref="A-1")
        assert isinstance(world.clock, ManualClock)
        world.clock.move_to(world.clock.now() + timedelta(minutes=20))
        answer = await world.send(desk, file_of(simulate(seed=4).recording), patient_ref="A-1")

        ecg = desk.case(answer.case_id).ecgs[1]
        assert ecg.final_tier == "URG"
        assert "STE-RESOLVED" in {one["id"] for one in ecg.findings}

    run(tmp_path, story)


def test_another_patient_is_never_compared_with(tmp_path: Path) -> None:
    """The same change between two people is none."""

    async def story(world: World, desk: Desk) -> None:
        await world.send(desk, file_of(simulate(seed=3).recording), patient_ref="A-1")
        later = simulate(seed=3, territory="inferior", stj_mv=0.3).recording
        answer = await world.send(desk, file_of(later), patient_ref="B-2")
        assert "STE-SERIAL" not in {one["id"] for one in desk.case(answer.case_id).ecgs[0].findings}

    run(tmp_path, story)


def test_moved_electrodes_are_read_by_their_true_names_and_together(tmp_path: Path) -> None:
    """V4 to V6 of the second file are V7 to V9; the leads of the first stand beside them, with their source."""

    async def story(world: World, desk: Desk) -> None:
        whole = simulate(leads=STANDARD_18, seed=5, territory="inferolateral", stj_mv=0.4).recording
        rows = dict(zip(whole.leads, whole.samples_mv, strict=True))

        def cut(*chest: str) -> Recording:
            samples = np.stack([rows[name] for name in (*LIMB, *chest)])
            return Recording(samples_mv=samples, leads=STANDARD_12, rate_hz=500.0)

        front = await world.send(desk, file_of(cut("V1", "V2", "V3", "V4", "V5", "V6")), patient_ref="A-1")
        back = await world.send(
            desk,
            file_of(cut("V1", "V2", "V3", "V7", "V8", "V9")),
            patient_ref="A-1",
            electrode_set="posterior",
        )

        assert back.case_id == front.case_id
        analysis = await desk.analysis(back.ecg_id)
        assert analysis is not None
        assert analysis["leads"][-3:] == ["V7", "V8", "V9"]
        assert (await desk.recording(back.ecg_id)).leads[-3:] == ("V7", "V8", "V9")
        assert analysis["tier"] == "ACT"
        assert "inferolateral" in {name for one in analysis["findings"] for name in one["territories"]}
        shown = [one for finding in analysis["findings"] for one in finding["evidence"]]
        assert {one["trace"] for one in shown if one["lead"] in ("V7", "V8", "V9")} == {None}
        assert {one["trace"] for one in shown if one["lead"] in ("V5", "V6")} == {front.ecg_id}

    run(tmp_path, story)


def test_what_is_said_of_the_patient_reaches_the_rules(tmp_path: Path) -> None:
    """A systolic pressure of 80 makes a diffuse depression with aVR elevated a proposal; without it is urgent."""

    async def story(world: World, desk: Desk) -> None:
        levels = {lead: -0.15 for lead in ("I", "II", "aVL", "aVF", "V3", "V4", "V5", "V6")} | {"aVR": 0.2}
        quiet = simulate(seed=6, st_shape="plateau").recording
        drawn = with_st(quiet, levels)
        told = await world.send(desk, file_of(drawn), patient_ref="A-1", vitals={"systolic": 80})
        silent = await world.send(desk, dicom("baseline_sinus"), patient_ref="B-2")
        found = {one["id"]: one["tier"] for one in desk.case(told.case_id).ecgs[0].findings}
        assert found.get("EQV-AVR") == "ACT"
        assert "EQV-AVR" not in {one["id"] for one in desk.case(silent.case_id).ecgs[0].findings}

    run(tmp_path, story)


def test_a_chosen_list_holds_from_the_next_ecg_on(tmp_path: Path) -> None:
    """What was read before keeps its version; a list that this version of the product does not have is no reason to
    read nothing."""
    fast = [simulate(seed=7, rhythm="sinus", heart_rate_bpm=bpm).recording for bpm in (190.0, 195.0, 200.0)]

    async def story(world: World, desk: Desk) -> None:
        versions, changes = [], AccountChanges(open_engine(world.settings.url()))
        for recording, chosen in zip(fast, (None, "shanxi", "a list of tomorrow"), strict=True):
            changes.change_site("yinzhao", critical_list=chosen)
            desk.site_rules.forget()
            sent = await world.send(desk, file_of(recording), patient_ref="A-1")
            versions.append((await desk.analysis(sent.ecg_id) or {})["version"]["rules"])
        assert versions == ["2", "2+shanxi", "2"]

    run(tmp_path, story)


def test_a_site_follows_its_list_of_critical_values(tmp_path: Path) -> None:
    """Two sites of one network read by two lists, and each reading says by which."""
    world = World(folder=tmp_path)
    world.settings = replace(world.settings, critical_list="consensus-2017, yinzhao=shanxi")
    fast = simulate(seed=7, rhythm="sinus", heart_rate_bpm=190.0).recording

    async def story() -> None:
        async with world.desk() as desk:
            ours = await world.send(desk, file_of(fast), patient_ref="A-1")
            theirs = await world.send(desk, file_of(fast), device("jishi"), patient_ref="B-2")
            by = {
                one.ecg_id: (await desk.analysis(one.ecg_id) or {})["version"]["rules"]
                for one in (ours, theirs)
            }
            assert list(by.values()) == ["2+shanxi", "2"]

    asyncio.run(story())
