"""Signed reports lie in their study as objects, and go on to the hospital's archive with it: each text once."""

import asyncio
import contextlib
import io
import socket
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pydicom
from pydicom.dataset import Dataset
from pynetdicom import AE, evt
from pynetdicom.sop_class import BasicTextSRStorage, CTImageStorage  # type: ignore[attr-defined]

from greenchannel.assembly import build, listen, running
from greenchannel.service.imaging.dicom_peers import no_delay
from greenchannel.service.imaging.report_filing import ReportFiling
from greenchannel.settings import Settings
from tests.imaging_files import ct
from tests.service.test_imaging_http import API, REPORT, post, send
from tests.service.viewer_house import PASSWORD, House, house

PACS = """[[to]]
name = "hospital"
way = "dicom"
title = "PACS"
host = "127.0.0.1"
port = {port}
"""
PART_TEN = {"Accept": "application/dicom; transfer-syntax=*"}


@contextlib.contextmanager
def archive() -> Iterator[tuple[int, list[Dataset]]]:
    """A hospital's archive: its port, and what it has taken."""
    taken: list[Dataset] = []

    def take(event: Any) -> int:
        taken.append(event.dataset)
        return 0

    entity = AE(ae_title="PACS")
    for one in (CTImageStorage, BasicTextSRStorage):
        entity.add_supported_context(one)
    handlers: list[Any] = [(evt.EVT_C_STORE, take), (evt.EVT_CONN_OPEN, no_delay)]
    server = entity.start_server(("127.0.0.1", 0), block=False, evt_handlers=handlers)
    assert server is not None and isinstance(server.socket, socket.socket)
    try:
        yield server.socket.getsockname()[1], taken
    finally:
        server.shutdown()


@contextlib.asynccontextmanager
async def with_radiologists(folder: Path, **settings: Any) -> AsyncIterator[House]:
    async with house(folder, **settings) as here:
        for user, name in (("rad", "周医生"), ("rad2", "吴医生")):
            here.desk.accounts.add_user(user, name, "radiologist", PASSWORD)
        yield here


async def series_of(here: House, uid: str, who: dict[str, str]) -> dict[str, tuple[str, int]]:
    """Of the modalities of a study the series and the number of its objects."""
    found = (await here.http.get(f"/dicom-web/studies/{uid}/series", headers=who)).json()
    return {
        one["00080060"]["Value"][0]: (one["0020000E"]["Value"][0], one["00201209"]["Value"][0])
        for one in found
    }


async def filed(here: House, uid: str, who: dict[str, str], number: int) -> list[Dataset]:
    """The reports of a study as WADO-RS gives them, once there are so many."""
    async with asyncio.timeout(20):
        while (series := (await series_of(here, uid, who)).get("SR", ("", 0)))[1] < number:
            await asyncio.sleep(0.05)
    assert series[1] == number
    path = f"/dicom-web/studies/{uid}/series/{series[0]}"
    listed = (await here.http.get(f"{path}/instances", headers=who)).json()
    found = []
    for one in listed:
        answer = await here.http.get(
            f"{path}/instances/{one['00080018']['Value'][0]}", headers=who | PART_TEN
        )
        assert answer.status_code == 200, answer.text
        found.append(pydicom.dcmread(io.BytesIO(answer.content)))
    return sorted(found, key=lambda one: int(one.InstanceNumber))


def test_report_and_addendum_lie_in_the_study_and_go_on_with_it(tmp_path: Path) -> None:
    """A provisional one says that nobody has verified it, the confirmation names it; both reach the archive from which
    the study came. No image is counted for it, and a machine does not read it."""

    async def play() -> None:
        file = tmp_path / "forward.toml"
        with archive() as (port, taken):
            file.write_text(PACS.format(port=port))
            async with with_radiologists(tmp_path / "data", image_forward_file=file) as here:
                rad, second = await here.person("rad"), await here.person("rad2")
                # As the archive itself has sent it: nothing of it goes back but the report.
                for number in (1, 2):
                    await here.desk.images.receive(
                        ct(number), source="device:dicom-PACS", site_id="yinzhao", way="dicom"
                    )
                uid = str(pydicom.dcmread(io.BytesIO(ct(1))).StudyInstanceUID)
                status, page = await post(here, rad, uid, "report", REPORT | {"provisional": True})
                assert status == 201, page
                (first,) = await filed(here, uid, rad, 1)
                assert (first.VerificationFlag, first.PreliminaryFlag) == ("UNVERIFIED", "PRELIMINARY")
                assert (str(first.PatientID), first.StudyInstanceUID) == ("P1", uid)
                text = {"text": "同意上述诊断。", "reason": "confirmation", "critical": []}
                status, page = await post(here, second, uid, "addendum", text)
                assert status == 201, page
                first, final = await filed(here, uid, rad, 2)
                assert final.VerificationFlag == "VERIFIED"
                (before,) = final.PredecessorDocumentsSequence[0].ReferencedSeriesSequence
                assert before.ReferencedSOPSequence[0].ReferencedSOPInstanceUID == first.SOPInstanceUID
                evidence = final.CurrentRequestedProcedureEvidenceSequence[0].ReferencedSeriesSequence
                assert sum(len(one.ReferencedSOPSequence) for one in evidence) == 2  # the images alone

                given = await here.http.get(f"{API}/studies/{uid}/report.dcm", headers=rad)
                assert pydicom.dcmread(io.BytesIO(given.content)) == final
                row = (await here.http.get(f"/dicom-web/studies?StudyInstanceUID={uid}", headers=rad)).json()
                assert row[0]["00201208"]["Value"] == [4] and row[0]["00080061"]["Value"] == ["CT", "SR"]
                assert page["study"]["instances"] == 2
                series = (await series_of(here, uid, rad))["SR"][0]
                machine = await here.http.get(
                    f"/dicom-web/studies/{uid}/series/{series}", headers=here.device()
                )
                assert machine.status_code == 404
                async with asyncio.timeout(20):
                    while len(taken) < 2:
                        await asyncio.sleep(0.05)
                assert [one.SOPInstanceUID for one in taken] == [first.SOPInstanceUID, final.SOPInstanceUID]

    asyncio.run(play())


def test_a_report_is_filed_once_by_the_next_life_of_the_service(tmp_path: Path) -> None:
    """The service went right after the signature, then the disk was full for once: it comes again, and there is one."""

    async def play() -> None:
        async with with_radiologists(tmp_path / "data") as here:
            (part,) = [one for one in here.desk.parts if isinstance(one, ReportFiling)]
            await part.stop()  # it dies before it does anything
            rad = await here.person("rad")
            uid = await send(here)
            assert (await post(here, rad, uid, "report", REPORT))[0] == 201
            assert "SR" not in await series_of(here, uid, rad)
        desk = build(Settings(data_dir=tmp_path / "data", port=0))
        (part,) = [one for one in desk.parts if isinstance(one, ReportFiling)]
        stage, tries = desk.images.blobs.stage, 0

        def full(data: bytes) -> Any:
            nonlocal tries
            tries += 1
            if tries == 1:
                raise OSError(28, "No space left on device")
            return stage(data)

        desk.images.blobs.stage = full  # type: ignore[method-assign]
        async with running(desk, listen(desk.settings)):
            async with asyncio.timeout(30):
                while len(await desk.images.instances(uid)) < 3:
                    await asyncio.sleep(0.05)
            await part.step()
            (one,) = [one for one in await desk.images.instances(uid) if one.made_here]
            study = await desk.images.study(uid)
            assert (study.instances, study.made_here) == (2, 1)
            assert tries == 2
            assert pydicom.dcmread(io.BytesIO(await desk.images.bytes_of(one.sop_uid))).Modality == "SR"

    asyncio.run(play())


def test_of_a_patient_whom_the_images_do_not_name_the_report_names_nobody(tmp_path: Path) -> None:
    """Not by our pseudonym either, which an archive would take for a number of its own."""

    async def play() -> None:
        async with with_radiologists(tmp_path / "data") as here:
            rad = await here.person("rad")
            uid = await send(here, patient_id=None, name=None)
            assert (await post(here, rad, uid, "report", REPORT))[0] == 201
            (one,) = await filed(here, uid, rad, 1)
            assert (str(one.PatientID or ""), str(one.PatientName or "")) == ("", "")

    asyncio.run(play())
