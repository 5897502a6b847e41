"""Images that are asked for stand in the worklist of the site's machines until they have come."""

import asyncio
from pathlib import Path
from typing import Any

from pydicom.dataset import Dataset
from pynetdicom import AE
from pynetdicom.sop_class import ModalityWorklistInformationFind  # type: ignore[attr-defined]

from tests.imaging_files import ct, related
from tests.service.viewer_house import House, ecg_file, house

MWL = ModalityWorklistInformationFind


def worklist(here: House, title: str, **keys: Any) -> list[Dataset]:
    """What a machine is told."""
    entity = AE(ae_title=title)
    entity.add_requested_context(MWL)
    association = entity.associate("127.0.0.1", here.desk.dicom.port or 0, ae_title="GREENCHANNEL")
    asked, step = Dataset(), Dataset()
    step.Modality = keys.pop("Modality", "CT")
    step.ScheduledProcedureStepStartDate = keys.pop("Date", "")
    asked.PatientName = asked.PatientID = asked.AccessionNumber = ""
    for keyword, value in keys.items():
        setattr(asked, keyword, value)
    asked.ScheduledProcedureStepSequence = [step]
    found = [one for status, one in association.send_c_find(asked, MWL) if status.Status == 0xFF00 and one]
    association.release()
    return found


def test_what_is_asked_for_is_in_the_worklist_until_it_has_come(tmp_path: Path) -> None:
    """For the machines of its site alone; the images that come under its number lie in the case it was asked for."""

    async def play() -> None:
        callers = "CTVAN=yinzhao@127.0.0.1:1, OTHER=jishi@127.0.0.1:2"
        async with house(tmp_path, dicom_port=0, dicom_callers=callers) as here:
            sent = await here.http.post(
                "/api/v1/ecgs?patient_ref=P1&name=王小明&sex=male", content=ecg_file(), headers=here.device()
            )
            case_id = sent.json()["case_id"]
            who = await here.person("village")
            body = {
                "case_id": case_id, "patient_ref": "P1", "modality": "CT", "body_part": "HEAD",
                "reason": "外伤, GCS 13", "priority": "STAT",
            }  # fmt: skip
            made = await here.http.post("/api/v1/imaging/orders", json=body, headers=who)
            assert made.status_code == 201, made.text
            order = made.json()
            (step,) = await asyncio.to_thread(worklist, here, "CTVAN")
            assert (step.PatientID, str(step.PatientName), step.PatientSex) == ("P1", "王小明", "M")
            assert (step.StudyInstanceUID, step.RequestedProcedurePriority) == (order["study_uid"], "STAT")
            assert step.ReasonForTheRequestedProcedure == "外伤, GCS 13"
            for keys in ({"Modality": "MR"}, {"PatientName": "Li*"}, {"Date": "20200101-20200102"}):
                assert await asyncio.to_thread(worklist, here, "CTVAN", **keys) == []
            assert await asyncio.to_thread(worklist, here, "OTHER") == []

            came, kind = related(
                [ct(1, StudyInstanceUID=order["study_uid"], AccessionNumber=order["accession"])]
            )
            stored = await here.http.post(
                "/dicom-web/studies", content=came, headers=here.device() | {"Content-Type": kind}
            )
            assert stored.status_code == 200, stored.text
            assert (await here.desk.images.study(order["study_uid"])).case_id == case_id
            assert await asyncio.to_thread(worklist, here, "CTVAN") == []
            path = "/api/v1/imaging/orders?site=yinzhao&settled=true"
            (one,) = (await here.http.get(path, headers=who)).json()["orders"]
            assert (one["accession"], one["state"]) == (order["accession"], "come")

    asyncio.run(play())


def test_a_request_names_the_right_patient_and_can_be_taken_back(tmp_path: Path) -> None:
    """Another's number is refused; another site knows nothing of it; what is taken back is in no worklist."""

    async def play() -> None:
        async with house(tmp_path) as here:
            ids = [
                (
                    await here.http.post(
                        f"/api/v1/ecgs?patient_ref={ref}", content=ecg_file(seed=seed), headers=here.device()
                    )
                ).json()["case_id"]
                for seed, ref in ((1, "P1"), (2, "P2"))
            ]
            who, other = await here.person("village"), await here.person("other")
            body = {"case_id": ids[0], "patient_ref": "P2", "modality": "DX"}
            wrong = await here.http.post("/api/v1/imaging/orders", json=body, headers=who)
            assert (wrong.status_code, wrong.json()["code"]) == (409, "identity_conflict")
            right = await here.http.post(
                "/api/v1/imaging/orders", json=body | {"patient_ref": "P1"}, headers=who
            )
            accession = right.json()["accession"]
            assert (
                await here.http.post("/api/v1/imaging/orders", json=body, headers=other)
            ).status_code == 404
            url = f"/api/v1/imaging/orders/{accession}/cancel"
            assert (await here.http.post(url, json={}, headers=other)).status_code == 404
            listed = await here.http.get("/api/v1/imaging/orders?site=yinzhao", headers=who)
            assert [one["accession"] for one in listed.json()["orders"]] == [accession]
            assert (
                await here.http.get("/api/v1/imaging/orders?site=yinzhao", headers=other)
            ).status_code == 404
            for _ in range(2):
                assert (await here.http.post(url, json={"note": "转院"}, headers=who)).status_code == 204
            assert await here.desk.images.search("study", {}) == []
            listed = await here.http.get("/api/v1/imaging/orders?site=yinzhao", headers=who)
            assert listed.json() == {"orders": []}
            settled = await here.http.get("/api/v1/imaging/orders?site=yinzhao&settled=true", headers=who)
            assert [one["state"] for one in settled.json()["orders"]] == ["cancelled"]
            sites = (await here.http.get("/api/v1/imaging/members", headers=who)).json()["members"]
            assert [(one["id"], one["own"]) for one in sites] == [("jishi", False), ("yinzhao", True)]
            kinds = [type(one.event).__name__ for one in await here.desk.history(ids[0])]
            assert (kinds.count("ImageOrdered"), kinds.count("ImageOrderCancelled")) == (1, 1)

    asyncio.run(play())
