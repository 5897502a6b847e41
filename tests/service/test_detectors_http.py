"""Detectors and privacy over HTTP: cards for all who read, silent runs and exports for administrators alone."""

import asyncio
import io
import json
import zipfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pydicom

from greenchannel.events import ImageDetected
from greenchannel.service.administration import CHANGE
from greenchannel.service.imaging.detecting import detecting_of
from tests.imaging_files import ROOT_UID, ct, related
from tests.service.viewer_house import PASSWORD, House, house

API = "/api/v1"
STUDY = f"{ROOT_UID}.1"


def tell(tmp_path: Path, story: Callable[[House], Awaitable[None]], **settings: Any) -> None:
    """Play a story at a running service that has a radiologist."""

    async def play() -> None:
        async with house(tmp_path, **settings) as here:
            here.desk.accounts.add_user("rad", "周医生", "radiologist", PASSWORD)
            await story(here)

    asyncio.run(play())


async def send(here: House, images: list[bytes]) -> None:
    body, kind = related(images)
    headers = here.device("ecg-1") | {"Content-Type": kind}
    answer = await here.http.post("/dicom-web/studies", content=body, headers=headers)
    assert answer.status_code == 200, answer.text


def test_each_detector_shows_its_card_and_the_banner(tmp_path: Path) -> None:
    """What it is for, what it misses, where it looks; no rate."""

    async def story(here: House) -> None:
        answer = await here.http.get(f"{API}/imaging/detectors", headers=await here.person("rad"))
        told = answer.json()

        assert told["banner"]["zh"] == "未经验证，仅用于排序"
        assert {one["name"] for one in told["detectors"]} >= {"head_blood", "chest_pneumothorax"}
        assert all(one["limits"]["zh"] and one["intended_use"]["en"] for one in told["detectors"])
        assert "%" not in answer.text

    tell(tmp_path, story)


def test_what_looks_in_silence_is_shown_to_administrators_alone(tmp_path: Path) -> None:
    """Not in the worklist of those who read; counted for those who decide whether it may order."""

    async def story(here: House) -> None:
        await detecting_of(here.desk).stop()  # what it would say itself comes whenever it does
        await send(here, [ct(1), ct(2)])
        said = ImageDetected(plugin="head_blood", version="1", status="silent", raised=True)
        await here.desk.image_readings.detected(STUDY, said)
        rad, admin = await here.person("rad"), await here.person("boss")
        worklist = (await here.http.get(f"{API}/imaging/worklist", headers=rad)).json()
        assert worklist["studies"][0]["detected"] == []
        assert (await here.http.get(f"{API}/admin/imaging/detectors", headers=rad)).status_code == 403
        runs = (await here.http.get(f"{API}/admin/imaging/detectors", headers=admin)).json()["runs"]
        (one,) = [run for run in runs if run["detector"] == "head_blood"]
        assert (one["looked"], one["raised"], one["status"]) == (1, 1, "silent")

    tell(tmp_path, story, detectors="head_blood=enabled")


def test_a_hint_reaches_who_reads_with_its_numbers_and_the_banner(tmp_path: Path) -> None:
    """A wide heart moves no study up: beside the study is the one place where it is said; in both languages."""

    async def story(here: House) -> None:
        await send(here, [ct(1)])
        value = {"quantity": "cardiothoracic_ratio", "value": 0.58, "threshold": 0.5, "relation": ">"}
        for plugin, raised, reason, values in (
            ("cardiothoracic_ratio", False, None, [value]),
            ("head_blood", None, "gap", []),
        ):
            said = ImageDetected(
                plugin=plugin,
                version="1",
                status="enabled",
                raised=raised,
                reason=reason,
                evidence={"instances": 1, "values": values},
            )
            await here.desk.image_readings.detected(STUDY, said)
        answer = await here.http.get(f"{API}/imaging/studies/{STUDY}", headers=await here.person("rad"))
        hint, blood = answer.json()["detected"]
        assert hint["banner"]["zh"] == "未经验证，仅用于排序"
        assert hint["said"]["zh"] == "仅作提示，不改变排序（未经验证，仅用于排序）"
        (shown,) = hint["evidence"]
        assert shown["name"] == {"zh": "心胸比", "en": "cardiothoracic ratio"}
        assert (shown["value"], shown["relation"], shown["threshold"]) == (0.58, ">", 0.5)
        assert blood["said"] == {
            "zh": "未分析：层间有缺口，缺少层面",
            "en": "not analysed: a gap between slices: some are missing",
        }

    tell(tmp_path, story)


def test_cards_and_silent_runs_walk_through_no_readings(tmp_path: Path) -> None:
    """They are counted as they come: a county has a hundred thousand studies, and the loop serves ECGs."""

    async def story(here: House) -> None:
        await detecting_of(here.desk).stop()
        await send(here, [ct(1)])
        for raised, reason in ((None, "gap"), (True, None)):
            said = ImageDetected(
                plugin="head_blood", version="1", status="silent", raised=raised, reason=reason
            )
            await here.desk.image_readings.detected(STUDY, said)
        here.desk.image_readings.all = Mock(side_effect=AssertionError)  # type: ignore[method-assign]
        admin = await here.person("boss")
        for path in ("imaging/detectors", "admin/imaging/detectors"):
            answer = await here.http.get(f"{API}/{path}", headers=admin)
            assert answer.status_code == 200, answer.text
        (one,) = [run for run in answer.json()["runs"] if run["detector"] == "head_blood"]
        assert (one["looked"], one["raised"], one["not_analysed"]) == (1, 1, {})

    tell(tmp_path, story, detectors="head_blood=silent")


def test_a_study_leaves_without_its_patient_and_the_access_log_knows(tmp_path: Path) -> None:
    """With a reason, by an administrator; what may carry a name in its pixels stays."""

    async def story(here: House) -> None:
        await send(here, [ct(1), ct(2, BurnedInAnnotation="YES")])
        rad, admin = await here.person("rad"), await here.person("boss")
        path = f"{API}/admin/imaging/studies/{STUDY}/deidentified"
        assert (await here.http.post(path, headers=rad, json={"reason": "teaching"})).status_code == 403
        assert (await here.http.post(path, headers=admin, json={})).status_code == 422
        answer = await here.http.post(path, headers=admin, json={"reason": "teaching"})
        assert answer.status_code == 200, answer.text
        with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
            report = json.loads(archive.read("report.json"))
            (name,) = [one for one in archive.namelist() if one.endswith(".dcm")]
            image = pydicom.dcmread(io.BytesIO(archive.read(name)))
        assert (len(report["written"]), len(report["refused"])) == (1, 1)
        assert image.PatientIdentityRemoved == "YES"
        assert b"Xiao Ming" not in answer.content
        assert STUDY.encode() not in answer.content
        noted = [
            one for one in here.desk.access.newest_of(CHANGE) if one.action.endswith("images_deidentified")
        ]
        assert ["teaching" in (one.detail or "") for one in noted] == [True]

    tell(tmp_path, story)


def test_a_lost_and_a_damaged_file_are_told_and_keep_no_other_from_leaving(tmp_path: Path) -> None:
    async def story(here: House) -> None:
        await send(here, [ct(1), ct(2), ct(3)])
        stored = await here.desk.images.instances(STUDY)
        files = {one.number: next(tmp_path.rglob(f"images/*/{one.sha256}.*")) for one in stored}
        files[1].unlink()
        files[2].write_bytes(files[2].read_bytes()[:-1] + b"x")
        path = f"{API}/admin/imaging/studies/{STUDY}/deidentified"
        answer = await here.http.post(path, headers=await here.person("boss"), json={"reason": "teaching"})
        assert answer.status_code == 200, answer.text
        with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
            report = json.loads(archive.read("report.json"))
        assert len(report["written"]) == 1
        assert [(one["number"], one["code"]) for one in report["refused"]] == [
            (1, "file_gone"),
            (2, "file_damaged"),
        ]

    tell(tmp_path, story)


def test_pictures_that_may_carry_a_name_are_warned_of(tmp_path: Path) -> None:
    """Counted by what the headers say; unknown is unknown."""

    async def story(here: House) -> None:
        await send(here, [ct(1), ct(2, BurnedInAnnotation="YES")])
        told = await here.http.get(f"{API}/imaging/studies/{STUDY}/privacy", headers=await here.person("rad"))
        assert told.json()["burned_in"] == {"yes": 1, "no": 0, "unknown": 1}
        assert (told.json()["images"], told.json()["with_private_elements"]) == (2, 0)

    tell(tmp_path, story)


def test_a_picture_of_a_kind_that_carries_text_is_warned_of_though_it_says_nothing(tmp_path: Path) -> None:
    """Ultrasound machines print the name into the picture, and seldom say so."""

    async def story(here: House) -> None:
        uid = f"{ROOT_UID}.1.77"
        await send(here, [ct(1), ct(2, Modality="US", SeriesInstanceUID=uid)])
        told = await here.http.get(f"{API}/imaging/studies/{STUDY}/privacy", headers=await here.person("rad"))
        assert told.json()["burned_in"] == {"yes": 0, "no": 0, "unknown": 2}
        assert told.json()["usually_burned_in"] == 1

    tell(tmp_path, story)


def test_what_was_said_in_silence_stands_beside_the_report_and_no_reader_sees_it(tmp_path: Path) -> None:
    """Study by study; the report's words for quality staff, who may read reports; of enabled detectors nothing."""

    async def story(here: House) -> None:
        await send(here, [ct(1)])
        for plugin, status in (("head_blood", "silent"), ("chest_pneumothorax", "enabled")):
            said = ImageDetected(plugin=plugin, version="1", status=status, raised=True)
            await here.desk.image_readings.detected(STUDY, said)
        rad = await here.person("rad")
        report = {"findings": "高密度影", "impression": "脑出血", "critical": ["intracranial_haemorrhage"]}
        await here.http.post(f"{API}/imaging/studies/{STUDY}/report", headers=rad, json=report)

        path = f"{API}/admin/imaging/detected"
        told = {}
        for name in ("quality", "boss"):
            answer = await here.http.get(path, headers=await here.person(name))
            (told[name],) = answer.json()["results"]
        assert told["quality"]["detected"]["plugin"] == "head_blood"
        assert [told[name]["signed"][0]["impression"] for name in ("quality", "boss")] == ["脑出血", None]
        assert told["boss"]["signed"][0]["critical"][0]["zh"] == "颅内出血"
        hidden = await here.http.get(f"{path}?raised=false", headers=await here.person("quality"))
        assert hidden.json()["results"] == []
        for name in ("rad", "village", "cardiologist"):
            assert (await here.http.get(path, headers=await here.person(name))).status_code == 403

    tell(tmp_path, story)
