"""Images that were filed to the wrong patient go to the right one, and with them everything that hangs on them."""

import io
import socket
from pathlib import Path
from typing import Any

import pydicom

from greenchannel.events import ImageStudyMoved, image_stream
from greenchannel.service.imaging.giving import giving_of
from greenchannel.store import image_rows
from greenchannel.store.engine import reading
from tests.imaging_files import ROOT_UID, ct, related
from tests.service.test_image_forwarding import PACS, until
from tests.service.test_image_report_filed import archive
from tests.service.test_imaging_http import REPORT, TOLD, post, send, tell, waiting
from tests.service.viewer_house import House, ecg_file

CONFIRMED = {"text": "已核对患者，报告适用于本患者。", "reason": "confirmation"}


async def ecg(here: House, number: str, name: str, seed: int) -> str:
    """An ECG of a numbered patient with a name; gives its case."""
    address = f"/api/v1/ecgs?patient_ref={number}&name={name}"
    answer = await here.http.post(address, content=ecg_file(seed=seed), headers=here.device())
    assert answer.status_code in (200, 201, 202), answer.text
    return str(answer.json()["case_id"])


async def case_of(here: House, case_id: str, who: dict[str, str]) -> dict[str, Any]:
    answer = await here.http.get(f"/api/v1/cases/{case_id}", headers=who)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def found_by(here: House, who: dict[str, str], **filters: str) -> list[str]:
    """The studies that a search gives."""
    answer = await here.http.get("/dicom-web/studies", params=filters, headers=who)
    assert answer.status_code in (200, 204), answer.text
    found = answer.json() if answer.status_code == 200 else []
    return [one["0020000D"]["Value"][0] for one in found]


async def move(here: House, who: dict[str, str], case_id: str, uid: str, into: str | None = None) -> Any:
    body = {"study_uids": [uid]} | ({"into": into} if into else {})
    answer = await here.http.post(f"/api/v1/cases/{case_id}/split", headers=who, json=body)
    return answer.status_code, answer.json()


async def images(here: House, case_id: str, who: dict[str, str]) -> list[str]:
    return [one["study_uid"] for one in (await case_of(here, case_id, who))["images"]]


def names(case: dict[str, Any], milestone: str) -> list[Any]:
    return [
        value
        for one in case["timeline"]["milestones"]
        if one["id"] == milestone
        for value in one["values"]
        if value["valid"]
    ]


def test_a_reported_study_goes_to_the_patient_it_is_of_and_its_reader_confirms_it_anew(
    tmp_path: Path,
) -> None:
    """The case, the searches, the worklist, the clock of the report and the duty to tell follow; the bytes stay."""

    async def story(here: House) -> None:
        wrong, right = await ecg(here, "P1", "王小明", 1), await ecg(here, "P2", "赵建国", 2)
        uid = await send(here)
        rad, doctor, clinic = [await here.person(one) for one in ("rad", "cardiologist", "village")]
        await post(here, rad, uid, "report", REPORT)
        await post(here, rad, uid, "critical", TOLD)
        assert await waiting(here, rad) == []
        assert len(names(await case_of(here, wrong, clinic), "CT_REPORT")) == 1
        sop = f"{ROOT_UID}.1.1.1"
        before = await here.desk.images.bytes_of(sop)

        assert (await move(here, clinic, wrong, uid, right))[0] == 403
        assert (await move(here, doctor, right, uid))[0] == 404  # not a study of this case
        assert (await move(here, doctor, wrong, uid, wrong))[0] == 409
        status, answer = await move(here, doctor, wrong, uid, right)
        assert status == 200, answer
        assert (await move(here, doctor, wrong, uid, right))[0] == 404  # it has left

        assert (await images(here, wrong, clinic), await images(here, right, clinic)) == ([], [uid])
        assert await here.desk.images.bytes_of(sop) == before
        assert (
            await found_by(here, rad, PatientID="P1") == await found_by(here, rad, PatientName="Wang*") == []
        )
        assert (
            await found_by(here, rad, PatientID="P2")
            == await found_by(here, rad, PatientName="赵建国")
            == [uid]
        )
        given = await here.http.get(f"/dicom-web/studies/{uid}/metadata", headers=rad)
        shown = {one["00100020"]["Value"][0]: one["00100010"]["Value"][0] for one in given.json()}
        assert shown == {"P2": {"Alphabetic": "赵建国"}}
        one_object = f"/dicom-web/studies/{uid}/series/{ROOT_UID}.1.1/instances/{sop}"
        given = await here.http.get(
            one_object, headers=rad | {"Accept": "application/dicom; transfer-syntax=*"}
        )
        assert given.status_code == 200, given.text
        image, original = [pydicom.dcmread(io.BytesIO(one)) for one in (given.content, before)]
        assert (image.PatientID, str(image.PatientName)) == ("P2", "赵建国")
        assert image.PixelData == original.PixelData
        assert (original.PatientID, image.StudyDescription) == ("P1", original.StudyDescription)
        page = (await here.http.get(f"/api/v1/imaging/studies/{uid}", headers=rad)).json()
        state = page["reading"]
        assert (page["case_id"], state["state"], len(state["untold"]), state["seen"]) == (
            right,
            "provisional",
            1,
            [],
        )
        assert state["moved"]["from_case_id"] == wrong
        assert state["moved"]["by"] == "王医生"
        assert state["moved"]["carried"] == [state["signed"][0]["report_id"]]
        assert page["study"]["names_other"] is True
        assert await waiting(here, rad) == [uid]
        for case_id in (wrong, right):
            history = (await case_of(here, case_id, clinic))["history"]
            (line,) = [one for one in history if one["type"] == "image_study_moved"]
            assert line["actor"] == "user:cardiologist"
        assert names(await case_of(here, wrong, clinic), "CT_REPORT") == []

        status, page = await post(here, rad, uid, "addendum", CONFIRMED)
        assert (status, page["reading"]["state"], page["reading"]["moved"]["carried"]) == (201, "final", [])
        await post(here, rad, uid, "critical", TOLD)
        assert await waiting(here, rad) == []
        assert len(names(await case_of(here, right, clinic), "CT_REPORT")) == 1
        assert names(await case_of(here, wrong, clinic), "CT_REPORT") == []

    tell(tmp_path, story)


def test_the_wrong_patient_erased_takes_nothing_of_a_moved_study_and_the_right_one_takes_all(
    tmp_path: Path,
) -> None:
    async def story(here: House) -> None:
        wrong, right = await ecg(here, "P1", "王小明", 1), await ecg(here, "P2", "赵建国", 2)
        uid = await send(here)
        rad, doctor, boss = [await here.person(one) for one in ("rad", "cardiologist", "boss")]
        await post(here, rad, uid, "report", REPORT)
        await move(here, doctor, wrong, uid, right)
        answer = await here.http.post(f"/api/v1/cases/{wrong}/erase", headers=boss, json={"reason": "要求"})
        assert answer.status_code == 204
        assert len(await here.desk.images.bytes_of(f"{ROOT_UID}.1.1.1")) > 0
        assert await images(here, right, doctor) == [uid]
        page = (await here.http.get(f"/api/v1/imaging/studies/{uid}", headers=rad)).json()
        assert page["reading"]["signed"][0]["impression"] == REPORT["impression"]
        await here.http.post(f"/api/v1/cases/{right}/erase", headers=boss, json={"reason": "要求"})
        with reading(here.desk.images._engine) as connection:
            assert image_rows.study_of(connection, uid) is None
            assert image_rows.instances_of(connection, uid) == []
        assert (await here.http.get(f"/api/v1/imaging/studies/{uid}", headers=doctor)).status_code == 404

    tell(tmp_path, story)


def test_a_study_moved_to_a_new_case_is_of_nobody_known_and_more_of_it_follows_it(tmp_path: Path) -> None:
    """Its files name the patient it was taken from: that number finds it no longer, and teaches the archive nothing."""

    async def story(here: House) -> None:
        wrong = await ecg(here, "P1", "王小明", 1)
        uid = await send(here)
        doctor = await here.person("cardiologist")
        assert (await move(here, doctor, wrong, uid))[0] == 200
        assert await images(here, wrong, doctor) == []
        study = await here.desk.images.study(uid)
        assert (study.text.patient_id, study.text.patient_name) == (None, None)
        assert study.case_id != wrong

        body, kind = related([ct(3)])
        headers = here.device() | {"Content-Type": kind}
        answer = await here.http.post("/dicom-web/studies", content=body, headers=headers)
        assert answer.status_code == 200, answer.text
        assert (await here.desk.images.instance(f"{ROOT_UID}.1.1.3")).patient == study.patient
        assert await found_by(here, doctor, PatientID="P1") == []
        for strange in (ct(4, patient_id="P9", name="Qian^Wu"), ct(5, patient_id="P9")):  # a namesake's, too
            stranger, kind = related([strange])
            answer = await here.http.post(
                "/dicom-web/studies", content=stranger, headers=here.device() | {"Content-Type": kind}
            )
            assert answer.status_code == 409

        # Back again: whom its files name is right after all.
        assert (await move(here, doctor, study.case_id, uid, wrong))[0] == 200
        assert await found_by(here, doctor, PatientID="P1") == [uid]
        stream = here.desk.log.read_stream(image_stream(uid))
        moved = [one.event for one in stream if isinstance(one.event, ImageStudyMoved)]
        assert [(one.from_case_id, one.to_case_id) for one in moved] == [
            (wrong, study.case_id),
            (study.case_id, wrong),
        ]

    tell(tmp_path, story)


def test_ecgs_and_studies_leave_in_one_act(tmp_path: Path) -> None:
    """Both are in the same new case afterwards; a study that is not there undoes the whole."""

    async def story(here: House) -> None:
        case_id = await ecg(here, "P1", "王小明", 1)
        assert await ecg(here, "P1", "王小明", 5) == case_id
        uid = await send(here)
        doctor = await here.person("cardiologist")
        ecgs = [one["ecg_id"] for one in (await case_of(here, case_id, doctor))["ecgs"]]
        address = f"/api/v1/cases/{case_id}/split"
        body = {"ecg_ids": ecgs[:1], "study_uids": ["1.2.3"]}
        assert (await here.http.post(address, headers=doctor, json=body)).status_code == 404
        assert len((await case_of(here, case_id, doctor))["ecgs"]) == 2
        body = {"ecg_ids": ecgs[:1], "study_uids": [uid]}
        answer = await here.http.post(address, headers=doctor, json=body)
        assert answer.status_code == 200, answer.text
        there = (await here.desk.images.study(uid)).case_id
        assert there != case_id
        moved = await case_of(here, there, doctor)
        assert [one["ecg_id"] for one in moved["ecgs"]] == ecgs[:1]
        assert [one["study_uid"] for one in moved["images"]] == [uid]
        assert (await here.http.post(address, headers=doctor, json={})).status_code == 422

    tell(tmp_path, story)


def test_a_moved_study_whose_files_name_another_is_not_sent_on(tmp_path: Path) -> None:
    """Another archive would file it to whom the files name; a person sees why it waits. Moved back it goes by
    itself."""
    file = tmp_path / "forward.toml"
    with socket.socket() as away:  # an archive that nobody serves
        away.bind(("127.0.0.1", 0))
        file.write_text(PACS.format(port=away.getsockname()[1]), encoding="utf-8")

        async def story(here: House) -> None:
            wrong, right = await ecg(here, "P1", "王小明", 1), await ecg(here, "P2", "赵建国", 2)
            uid = await send(here)
            await move(here, await here.person("cardiologist"), wrong, uid, right)
            forwarding = giving_of(here.desk).forwarding
            await forwarding.again("hospital")

            async def refused() -> bool:
                rows = await forwarding.of_study(uid)
                said = [(one.state, one.reason) for one in rows]
                return said == [("refused", "names_another_patient")] * 2

            await until(refused)
            await move(here, await here.person("cardiologist"), right, uid, wrong)

            async def waits() -> bool:
                rows = await forwarding.of_study(uid)
                return [one.state for one in rows] == ["waiting"] * 2 and all(
                    one.reason not in (None, "names_another_patient") for one in rows
                )

            await until(waits)  # it was tried, and nobody answers

        tell(tmp_path / "data", story, image_forward_file=file)


def test_what_was_written_or_told_of_the_patient_before_is_not_taken_for_the_other(tmp_path: Path) -> None:
    """A study moves while its reader writes, or is on the phone: who sees whom is said beside, and nothing is kept."""

    async def story(here: House) -> None:
        wrong, right = await ecg(here, "P1", "王小明", 1), await ecg(here, "P2", "赵建国", 2)
        uid = await send(here)
        rad, doctor = await here.person("rad"), await here.person("cardiologist")
        before = {"case_id": wrong}
        assert (await post(here, rad, uid, "claim"))[1]["case_id"] == wrong
        assert (await move(here, doctor, wrong, uid, right))[0] == 200
        status, said = await post(here, rad, uid, "report", REPORT | before)
        assert (status, said["code"]) == (409, "study_moved")
        status, page = await post(here, rad, uid, "report", REPORT | {"case_id": right})
        assert (status, page["reading"]["state"]) == (201, "final")

        assert (await move(here, doctor, right, uid, wrong))[0] == 200
        now_of_other = {"case_id": right}
        for what, body in (("addendum", CONFIRMED), ("critical", TOLD)):
            status, said = await post(here, rad, uid, what, body | now_of_other)
            assert (status, said["code"]) == (409, "study_moved")
        given = {"site": "jishi", "reason": "转诊"}
        status, said = await post(here, doctor, uid, "share", given | now_of_other)
        assert (status, said["code"]) == (409, "study_moved")
        page = (await here.http.get(f"/api/v1/imaging/studies/{uid}", headers=rad)).json()
        assert (page["reading"]["state"], len(page["reading"]["untold"])) == ("provisional", 1)
        assert page["reading"]["shared_with"] == []
        for what, body in (("addendum", CONFIRMED), ("critical", TOLD)):
            assert (await post(here, rad, uid, what, body | before))[0] == 201

    tell(tmp_path, story)


def test_what_still_comes_of_a_moved_study_under_the_case_before_follows_it(tmp_path: Path) -> None:
    """The van names the case that it knew when it began to send: nothing of the study is refused for that."""

    async def story(here: House) -> None:
        wrong, right = await ecg(here, "P1", "王小明", 1), await ecg(here, "P2", "赵建国", 2)
        third = await ecg(here, "P3", "孙丽", 3)
        uid = await send(here)
        doctor = await here.person("cardiologist")

        async def more(number: int, case_id: str, patient: str = "P1") -> Any:
            body, kind = related([ct(number, patient_id=patient)])
            return await here.http.post(
                f"/dicom-web/studies?case_id={case_id}",
                content=body,
                headers=here.device() | {"Content-Type": kind},
            )

        assert (await more(3, right)).status_code == 409  # nobody has moved it yet
        assert (await move(here, doctor, wrong, uid, right))[0] == 200
        assert (await more(4, wrong)).status_code == 200
        assert (await more(5, third)).status_code == 409
        assert (await more(6, wrong, "P3")).status_code == 409
        assert (await move(here, doctor, right, uid, third))[0] == 200
        for number, before in ((7, wrong), (8, right)):
            assert (await more(number, before)).status_code == 200
        study = await here.desk.images.study(uid)
        here_now = await here.desk.images.instances(uid)
        assert (study.case_id, study.instances) == (third, 5)
        assert {one.patient for one in here_now} == {study.patient}

    tell(tmp_path, story)


def test_a_study_that_is_moved_back_is_sent_on_and_one_sent_before_it_moved_says_where_it_lies(
    tmp_path: Path,
) -> None:
    """Held while its files name another; taken under a patient whom it is not of, a person must have it put right."""
    file = tmp_path / "forward.toml"
    with archive() as (port, taken):
        file.write_text(PACS.format(port=port), encoding="utf-8")

        async def story(here: House) -> None:
            wrong, right = await ecg(here, "P1", "王小明", 1), await ecg(here, "P2", "赵建国", 2)
            doctor, forwarding = await here.person("cardiologist"), giving_of(here.desk).forwarding
            uid = await send(here)

            async def are(state: str, reason: str | None) -> None:
                async def so() -> bool:
                    rows = await forwarding.of_study(uid)
                    return [(one.state, one.reason) for one in rows] == [(state, reason)] * len(rows) != []

                await until(so)

            await are("sent", None)
            await move(here, doctor, wrong, uid, right)
            await are("sent", "names_another_patient")
            body, kind = related([ct(3)])
            headers = here.device() | {"Content-Type": kind}
            await here.http.post("/dicom-web/studies", content=body, headers=headers)

            async def held() -> bool:
                return sorted(one.state for one in await forwarding.of_study(uid)) == [
                    "refused",
                    "sent",
                    "sent",
                ]

            await until(held)
            await move(here, doctor, right, uid, wrong)
            await are("sent", None)
            assert len(taken) == 3

        tell(tmp_path / "data", story, image_forward_file=file)
