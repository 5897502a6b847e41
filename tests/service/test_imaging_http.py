"""Reading studies at a running service: from the images to the report at the clinic."""

import asyncio
import io
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pydicom
import pytest

from greenchannel.service.imaging.reading_rows import Row
from greenchannel.viewer import imaging_json, routes_imaging
from tests.imaging_files import ROOT_UID, ct, related
from tests.pdf_paths import texts_of
from tests.service.viewer_house import PASSWORD, House, ecg_file, house

API = "/api/v1/imaging"
REPORT = {
    "findings": "左侧基底节区见团片状高密度影。",
    "impression": "左侧基底节区脑出血，约22 mL。",
    "critical": ["intracranial_haemorrhage"],
}
TOLD = {
    "to_role": "clinic",
    "to_person": "village",
    "reached": True,
    "read_back": "左侧基底节区脑出血",
    "read_back_right": True,
}


def tell(tmp_path: Path, story: Callable[[House], Awaitable[None]], **settings: Any) -> None:
    """Play a story at a running service that has two radiologists."""

    async def play() -> None:
        async with house(tmp_path, **settings) as here:
            for user, name in (("rad", "周医生"), ("rad2", "吴医生")):
                here.desk.accounts.add_user(user, name, "radiologist", PASSWORD)
            await story(here)

    asyncio.run(play())


async def send(here: House, study: int = 1, device: str = "ecg-1", **more: Any) -> str:
    """Send a study of two slices by STOW-RS; gives its UID."""
    body, kind = related([ct(number, study=study, **more) for number in (1, 2)])
    headers = here.device(device) | {"Content-Type": kind}
    answer = await here.http.post("/dicom-web/studies", content=body, headers=headers)
    assert answer.status_code == 200, answer.text
    return f"{ROOT_UID}.{study}"


async def waiting(here: House, who: dict[str, str], state: str = "open") -> list[str]:
    """The UIDs of the worklist, first to be read first."""
    answer = await here.http.get(f"{API}/worklist", headers=who, params={"state": state})
    assert answer.status_code == 200, answer.text
    return [one["study"]["study_uid"] for one in answer.json()["studies"]]


async def post(here: House, who: dict[str, str], uid: str, what: str, body: Any = None) -> Any:
    answer = await here.http.post(f"{API}/studies/{uid}/{what}", headers=who, json=body or {})
    return answer.status_code, answer.json()


def test_a_study_is_read_from_its_receipt_to_the_clinics_look(tmp_path: Path) -> None:
    """Claimed, drafted, signed with a critical result, told and said back; the clinic sees it on the case, and its
    look is kept."""

    async def story(here: House) -> None:
        await here.http.post("/api/v1/ecgs?patient_ref=P1", content=ecg_file(), headers=here.device())
        uid = await send(here)
        rad, clinic = await here.person("rad"), await here.person("village")
        assert await waiting(here, rad) == await waiting(here, clinic) == [uid]

        status, page = await post(here, rad, uid, "claim")
        assert (status, page["reading"]["claimed_by"]["name"]) == (200, "周医生")
        assert page["choices"]["templates"][0]["id"].startswith("head_ct")
        ticked = {"critical": ["intracranial_haemorrhage"], "provisional": True}
        status, page = await post(here, rad, uid, "draft", {"findings": "___"} | ticked)
        assert (status, page["draft"]["findings"]) == (200, "___")
        assert {name: page["draft"][name] for name in ticked} == ticked  # a reload of the form loses no tick
        status, page = await post(here, rad, uid, "report", REPORT)
        assert (status, page["reading"]["state"]) == (201, "final"), page
        assert len(page["reading"]["untold"]) == 1
        assert await waiting(here, rad) == [uid]  # a critical result that nobody was told stays in the list

        status, page = await post(
            here, rad, uid, "critical", TOLD | {"reached": False, "read_back_right": False}
        )
        assert len(page["reading"]["untold"]) == 1
        status, page = await post(here, rad, uid, "critical", TOLD)
        assert (status, page["reading"]["untold"]) == (201, [])
        assert await waiting(here, rad) == []
        assert await waiting(here, rad, "reported") == [uid]

        case = (await here.http.get(f"/api/v1/cases/{page['case_id']}", headers=clinic)).json()
        (image,) = case["images"]
        assert image["reading"]["signed"][0]["impression"] == REPORT["impression"]
        assert image["reading"]["calls"][1]["read_back"] == TOLD["read_back"]
        machine = (await here.http.get(f"/api/v1/cases/{page['case_id']}", headers=here.device())).json()
        assert (
            "signed" not in machine["images"][0]["reading"]
        )  # a device sees that there is one, and not what it says
        assert "image_result_returned" in [line["type"] for line in case["history"]]
        (report,) = [one for one in case["timeline"]["milestones"] if one["id"] == "CT_REPORT"]
        assert [one["source"] for one in report["values"] if one["valid"]] == ["radiologist"]
        status, page = await post(here, clinic, uid, "seen")
        assert [one["person"]["person"] for one in page["reading"]["seen"]] == ["village"]

    tell(tmp_path, story)


def test_the_order_is_that_of_img_1_and_a_clinician_may_say_stat(tmp_path: Path) -> None:
    """STAT and critical words before all others; who says STAT here moves the study and shortens its clock."""

    async def story(here: House) -> None:
        plain = await send(here, 1, patient_id="P1")
        later = await send(here, 2, patient_id="P2")
        words = await send(here, 3, patient_id="P3", RequestedProcedureDescription="主动脉夹层？")
        stat = await send(here, 4, patient_id="P4", RequestedProcedurePriority="STAT")
        rad, clinic = await here.person("rad"), await here.person("village")
        assert await waiting(here, rad) == [words, stat, plain, later]

        before = (await here.http.get(f"{API}/studies/{later}", headers=rad)).json()
        status, page = await post(here, clinic, later, "stat", {"reason": "意识障碍加重"})
        assert (status, page["band"], page["reading"]["stat_reason"]) == (200, "upper", "意识障碍加重")
        assert page["reading"]["clock"]["due_at"] < before["reading"]["clock"]["due_at"]
        assert await waiting(here, rad) == [
            later,
            words,
            stat,
            plain,
        ]  # of equal clocks the one that came first

    tell(tmp_path, story)


def test_an_urgent_ecg_makes_the_images_of_its_case_an_emergency(tmp_path: Path) -> None:
    """The clock of the study becomes that of an emergency, whichever of the two came first."""

    async def story(here: House) -> None:
        uid = await send(here)
        rad = await here.person("rad")
        before = (await here.http.get(f"{API}/studies/{uid}", headers=rad)).json()
        ecg = await here.http.post(
            "/api/v1/ecgs?patient_ref=P1", content=ecg_file(st_mv=0.4), headers=here.device()
        )
        assert ecg.json()["case_id"] == before["case_id"]
        for _ in range(200):
            after = (await here.http.get(f"{API}/studies/{uid}", headers=rad)).json()
            if after["setting"] == "emergency" and after["reading"]["clock"]["id"] != "routine":
                break
            await asyncio.sleep(0.05)
        assert (before["reading"]["clock"]["id"], after["reading"]["clock"]["id"]) == (
            "routine",
            "emergency_ct",
        )

    tell(tmp_path, story)


def test_who_may_not_is_told_so_and_nothing_leaks(tmp_path: Path) -> None:
    """A clinic signs nothing and sees no other clinic's study; a cardiologist reads, and signs no imaging report."""

    async def story(here: House) -> None:
        uid = await send(here)
        rad, clinic, other = [await here.person(one) for one in ("rad", "village", "other")]
        doctor = await here.person("cardiologist")
        for who in (clinic, doctor):
            assert (await post(here, who, uid, "report", REPORT))[0] == 403
        assert (await post(here, other, uid, "stat", {"reason": "x"}))[0] == 404
        assert (await here.http.get(f"{API}/studies/{uid}", headers=other)).status_code == 404
        assert await waiting(here, other) == []
        assert (await here.http.get(f"{API}/studies/{uid}", headers=here.device())).status_code == 403
        assert (await here.http.get(f"{API}/studies/1.2.3", headers=rad)).status_code == 404
        assert (await here.http.get(f"{API}/studies/{uid}/report.pdf", headers=rad)).status_code == 404
        quality = await here.person("quality")
        row = (await here.http.get(f"{API}/worklist", headers=quality)).json()["studies"][0]
        assert row["study"]["description"] is None and row["why"] is None

    tell(tmp_path, story)


def test_whoever_is_given_texts_of_a_study_stands_in_the_access_log(tmp_path: Path) -> None:
    """Not only who asks for the study: each act answers with its texts, the worklist with those of the requests."""

    async def story(here: House) -> None:
        uid = await send(here)
        await send(here, 2, patient_id="P2")
        rad = await here.person("rad")
        quality = await here.person("quality")  # sees no words
        await waiting(here, quality)
        await waiting(here, rad)
        here.desk.access.flush()
        (look,) = [one for one in here.desk.access.entries() if one.action == "look_image_worklist"]
        assert (look.actor, look.detail) == ("user:rad", "open: 2 of 2")

        for what in ("claim", "release"):
            assert (await post(here, rad, uid, what))[0] == 200
        here.desk.access.flush()
        looks = [one for one in here.desk.access.entries() if one.action == "look_image_report"]
        assert [(one.actor, one.detail) for one in looks] == [("user:rad", uid)] * 2

    tell(tmp_path, story)


def test_the_worklist_draws_no_more_lines_than_it_gives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The total is of all that wait."""
    drawn: list[str] = []
    line = imaging_json.line

    def counted(row: Row, *args: Any, **more: Any) -> dict[str, Any]:
        drawn.append(row.reading.study_uid)
        return line(row, *args, **more)

    monkeypatch.setattr(imaging_json, "line", counted)
    monkeypatch.setattr(routes_imaging, "MOST_LINES", 1)

    async def story(here: House) -> None:
        for study in (1, 2):
            await send(here, study, patient_id=f"P{study}")
        answer = await here.http.get(f"{API}/worklist", headers=await here.person("rad"))
        assert (answer.json()["total"], len(answer.json()["studies"]), len(drawn)) == (2, 1, 1)

    tell(tmp_path, story)


def test_what_cannot_be_is_refused_in_words(tmp_path: Path) -> None:
    """Another's study, a blank, an unknown critical result, a second report: a problem with its code."""

    async def story(here: House) -> None:
        uid = await send(here)
        rad, second = await here.person("rad"), await here.person("rad2")
        await post(here, rad, uid, "claim")
        assert [(await post(here, second, uid, "claim"))[1]["code"]] == ["claimed"]
        assert (await post(here, second, uid, "claim", {"take_over": True}))[0] == 200
        for what, body in (("draft", {"findings": "x"}), ("report", REPORT)):
            status, problem = await post(here, rad, uid, what, body)
            assert (status, problem["code"]) == (409, "claimed")
        bad = [
            (REPORT | {"impression": "___"}, "blank_left"),
            (REPORT | {"critical": ["x"]}, "no_such_critical_result"),
            (REPORT | {"impression": ""}, "text_needed"),
        ]
        for body, code in bad:
            status, problem = await post(here, second, uid, "report", body)
            assert (status // 100, problem["code"]) == (4, code)
        assert (await post(here, second, uid, "addendum", {"text": "x"}))[1]["code"] == "no_report"
        both = await asyncio.gather(*(post(here, who, uid, "report", REPORT) for who in (second, rad)))
        assert sorted(status for status, _ in both) == [201, 409]
        assert (await post(here, rad, uid, "report", REPORT))[1]["code"] == "already_reported"
        assert (await post(here, rad, uid, "addendum", {"text": "同意", "reason": "confirmation"}))[0] == 201

    tell(tmp_path, story)


def test_the_report_is_a_pdf_and_a_dicom_object(tmp_path: Path) -> None:
    """With the name for who cares for the patient, under a pseudonym where it is not wanted."""

    async def story(here: House) -> None:
        uid = await send(here)
        rad = await here.person("rad")
        await post(here, rad, uid, "report", REPORT)
        path = f"{API}/studies/{uid}/report"
        named = await here.http.get(f"{path}.pdf", headers=rad)
        unnamed = await here.http.get(f"{path}.pdf", headers=rad, params={"named": "false", "lang": "en"})
        assert named.headers["content-type"] == "application/pdf"
        text = texts_of(named.content).replace("\n", "")
        assert "脑出血" in text and "Wang" in text and "周医生" in text and "颅内出血" in text
        assert "Wang" not in texts_of(unnamed.content)
        sr = await here.http.get(f"{path}.dcm", headers=rad)
        found = pydicom.dcmread(io.BytesIO(sr.content))
        assert (found.StudyInstanceUID, found.Modality, str(found.PatientID)) == (uid, "SR", "P1")
        assert len(found.CurrentRequestedProcedureEvidenceSequence[0].ReferencedSeriesSequence) == 1

    tell(tmp_path, story)


def test_another_member_uses_the_result_without_a_second_examination(tmp_path: Path) -> None:
    """Shared with a reason, its report and its images are there for that site too; the case stays its own."""

    async def story(here: House) -> None:
        uid = await send(here)
        rad, clinic, other = [await here.person(one) for one in ("rad", "village", "other")]
        await post(here, rad, uid, "report", REPORT)
        images = f"/dicom-web/studies/{uid}/metadata"
        assert (await here.http.get(images, headers=other)).status_code == 404
        assert (await post(here, other, uid, "share", {"site": "jishi", "reason": "x"}))[0] == 404
        assert (await post(here, clinic, uid, "share", {"site": "nowhere", "reason": "x"}))[0] == 404
        status, page = await post(
            here, clinic, uid, "share", {"site": "jishi", "reason": "转诊，检查结果互认"}
        )
        assert (status, [one["id"] for one in page["reading"]["shared_with"]]) == (200, ["jishi"])

        assert await waiting(here, other, "reported") == [uid]
        assert (await here.http.get(f"{API}/studies/{uid}/report.pdf", headers=other)).status_code == 200
        assert (await here.http.get(images, headers=other)).status_code == 200
        for below in ("series", "instances"):
            found = await here.http.get(f"/dicom-web/studies/{uid}/{below}", headers=other)
            assert found.status_code == 200, below
            assert {one["0020000D"]["Value"][0] for one in found.json()} == {uid}
        for level in ("studies", "series", "instances", "studies?StudyDate=20260302&PatientID=P*"):
            found = await here.http.get(f"/dicom-web/{level}", headers=other)  # found as it may be read
            assert {one["0020000D"]["Value"][0] for one in found.json()} == {uid}, level
        nobody = await here.http.get("/dicom-web/studies?PatientID=Q*", headers=other)
        assert nobody.status_code == 204
        assert (await here.http.get(f"/api/v1/cases/{page['case_id']}", headers=other)).status_code == 404

    tell(tmp_path, story)


def test_a_restart_keeps_the_list_the_claim_and_the_report(tmp_path: Path) -> None:
    """All of it is in the log."""
    uids: list[str] = []

    async def before(here: House) -> None:
        uids.extend([await send(here, 1), await send(here, 2, patient_id="P2")])
        rad = await here.person("rad")
        await post(here, rad, uids[0], "claim")
        await post(here, rad, uids[1], "report", REPORT)

    async def after() -> None:
        from greenchannel.assembly import build
        from greenchannel.settings import Settings

        desk = build(Settings(data_dir=tmp_path))
        await desk.start_by_hand()
        first, second = (desk.image_readings.reading(uid) for uid in uids)
        assert (first.claimed_by, first.state, second.state) == ("rad", "claimed", "final")
        await desk.stop()

    tell(tmp_path, before)
    asyncio.run(after())
