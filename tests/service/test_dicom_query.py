"""Query and retrieve, asked by other people's programs: pynetdicom, DCMTK and Orthanc, in both directions."""

import asyncio
import contextlib
import io
import json
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pydicom
import pytest
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset
from pynetdicom import AE, build_role, evt
from pynetdicom.sop_class import (  # type: ignore[attr-defined]
    CTImageStorage,
)

from greenchannel.service.callers import Caller
from greenchannel.service.imaging.destinations import Destination
from greenchannel.service.imaging.dicom_peers import no_delay
from greenchannel.service.imaging.forward_ways import Sent, send
from greenchannel.store.forward_rows import Due
from tests.imaging_files import ROOT_UID, ct
from tests.service.dicom_calls import CALLER, FIND, GET, MOVE, STUDY, asked, associate, stow, taken, tell
from tests.service.viewer_house import House

ORTHANC_STARTS_S = 30.0


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def test_a_node_finds_what_its_own_site_may_see(tmp_path: Path) -> None:
    """Studies, series and images with what was asked for; nothing of another site; the search is noted."""

    async def story(here: House) -> None:
        await stow(here, *[ct(number) for number in (1, 2, 3)])
        await stow(here, ct(1, study=2, patient_id="P2"), name="ecg-2")

        def call(*questions: Dataset) -> list[list[Dataset]]:
            association = associate(here, FIND)
            answers = [
                [found for status, found in association.send_c_find(one, FIND) if status.Status == 0xFF00]
                for one in questions
            ]
            association.release()
            return answers

        studies, series, images, others, nothing, numbered = await asyncio.to_thread(
            call,
            asked(
                PatientName="wang*",
                StudyDate="20260301-20260303",
                StudyInstanceUID="",
                PatientID="",
                StudyID="",
            ),
            asked("SERIES", StudyInstanceUID=STUDY, Modality="CT", SeriesInstanceUID=""),
            asked("IMAGE", StudyInstanceUID=STUDY, SOPInstanceUID="", InstanceNumber=""),
            asked(StudyInstanceUID=f"{ROOT_UID}.2"),
            asked(PatientName="Nobody"),
            asked(PatientID="?1", StudyInstanceUID=""),
        )
        (study,) = studies
        assert (study.StudyInstanceUID, study.PatientID, str(study.PatientName)) == (
            STUDY,
            "P1",
            "Wang^Xiao Ming",
        )
        assert (study.StudyID, study.RetrieveAETitle) == (None, "GREENCHANNEL") or study.StudyID == ""
        assert [one.SeriesInstanceUID for one in series] == [f"{STUDY}.1"]
        assert sorted(int(one.InstanceNumber) for one in images) == [1, 2, 3]
        assert (others, nothing) == ([], [])
        assert [one.StudyInstanceUID for one in numbered] == [STUDY]
        owner = Caller(kind="user", id="other", name="other", role="clinic", sites=frozenset({"jishi"}))
        await here.desk.image_readings.share(f"{ROOT_UID}.2", owner, "yinzhao", "转诊")
        (shared,) = await asyncio.to_thread(call, asked(StudyInstanceUID=f"{ROOT_UID}.2", PatientID=""))
        assert [one.PatientID for one in shared] == ["P2"]
        here.desk.access.flush()
        entries = [one for one in here.desk.access.entries() if one.action == "search_images"]
        assert (entries[0].actor, entries[0].detail) == (
            "device:dicom-CTVAN",
            "by PatientName, StudyDate: 1 found",
        )

    tell(tmp_path, story, CALLER)


def test_priors_are_fetched_by_get_and_by_move(tmp_path: Path) -> None:
    """C-GET over the same association, decoded where only that is taken; C-MOVE to where the caller listens."""
    port = free_port()

    async def story(here: House) -> None:
        path = get_testdata_file("MR_small_jpeg_ls_lossless.dcm")
        assert isinstance(path, str)
        jls = Path(path).read_bytes()
        head = pydicom.dcmread(io.BytesIO(jls), stop_before_pixels=True)
        await stow(here, *[ct(number) for number in (1, 2)], jls)

        def get() -> list[Dataset]:
            got: list[Dataset] = []
            handlers = [(evt.EVT_C_STORE, taken(got))]
            roles = [build_role(one, scp_role=True) for one in (CTImageStorage, head.SOPClassUID)]
            association = associate(
                here, GET, CTImageStorage, head.SOPClassUID, evt_handlers=handlers, ext_neg=roles
            )
            for uid in (STUDY, head.StudyInstanceUID):
                statuses = list(association.send_c_get(asked(StudyInstanceUID=uid), GET))
                assert statuses[-1][0].Status == 0
            statuses = list(
                association.send_c_get(asked(PatientID="P*"), GET)
            )  # a part of a number is nobody
            assert statuses[-1][0].Status == 0
            association.release()
            return got

        got = await asyncio.to_thread(get)
        assert [one.SOPInstanceUID for one in got] == [f"{STUDY}.1.1", f"{STUDY}.1.2", head.SOPInstanceUID]
        assert got[0].PixelData == pydicom.dcmread(io.BytesIO(ct(1))).PixelData
        assert got[2].PixelData == pydicom.dcmread(io.BytesIO(jls)).pixel_array.tobytes()

        def move(to: str) -> tuple[list[str], int]:
            stored: list[Dataset] = []
            entity = AE(ae_title="CTVAN")
            entity.add_supported_context(CTImageStorage)
            handlers: list[Any] = [(evt.EVT_C_STORE, taken(stored)), (evt.EVT_CONN_OPEN, no_delay)]
            server = entity.start_server(("127.0.0.1", port), block=False, evt_handlers=handlers)
            association = associate(here, MOVE)
            statuses = list(association.send_c_move(asked(StudyInstanceUID=STUDY), to, MOVE))
            association.release()
            assert server is not None
            server.shutdown()
            return [one.SOPInstanceUID for one in stored], statuses[-1][0].Status

        assert await asyncio.to_thread(move, "CTVAN") == ([f"{STUDY}.1.1", f"{STUDY}.1.2"], 0)
        assert await asyncio.to_thread(move, "NOBODY") == ([], 0xA801)
        assert await asyncio.to_thread(move, "XRAY") == ([], 0xA801)  # of another site

    tell(tmp_path, story, f"CTVAN=yinzhao@127.0.0.1:{port}, XRAY=jishi@127.0.0.1:1")


def test_dcmtk_stores_finds_and_fetches(tmp_path: Path) -> None:
    """``storescu``, ``findscu`` and ``getscu`` of DCMTK."""
    programs = {
        name: shutil.which(name, path="/usr/bin:/usr/local/bin") for name in ("storescu", "findscu", "getscu")
    }
    if None in programs.values():
        pytest.skip("needs DCMTK: no storescu, findscu, getscu in /usr/bin")
    files = tmp_path / "files"
    files.mkdir()
    for number in (1, 2, 3):
        (files / f"{number}.dcm").write_bytes(ct(number))

    async def story(here: House) -> None:
        def call(name: str, *options: str) -> str:
            program = programs[name]
            assert program is not None
            who = ["-aet", "CTVAN", "-aec", "GREENCHANNEL", "127.0.0.1", str(here.desk.dicom.port)]
            done = subprocess.run(
                [program, *who, *options], capture_output=True, text=True, timeout=60, check=False
            )
            assert done.returncode == 0, done.stderr
            return done.stdout + done.stderr

        await asyncio.to_thread(call, "storescu", *[str(path) for path in sorted(files.iterdir())])
        told = await asyncio.to_thread(
            call,
            "findscu",
            "-S",
            "-k",
            "QueryRetrieveLevel=STUDY",
            "-k",
            "PatientName=Wang*",
            "-k",
            "StudyInstanceUID",
        )
        assert STUDY in told
        into = tmp_path / "got"
        into.mkdir()
        await asyncio.to_thread(
            call,
            "getscu",
            "-S",
            "-od",
            str(into),
            "-k",
            "QueryRetrieveLevel=STUDY",
            "-k",
            f"StudyInstanceUID={STUDY}",
        )
        got = sorted(
            (pydicom.dcmread(path) for path in into.iterdir()), key=lambda one: int(one.InstanceNumber)
        )
        assert [one.PixelData for one in got] == [
            pydicom.dcmread(io.BytesIO(ct(number))).PixelData for number in (1, 2, 3)
        ]

    tell(tmp_path / "data", story, CALLER)


def dicom_web_plugin() -> list[str]:
    """Orthanc's own plug-in for DICOMweb, where it is installed."""
    places = ("/usr/share/orthanc/plugins", "/usr/lib/orthanc", "/usr/lib/x86_64-linux-gnu")
    return [str(path) for place in places for path in sorted(Path(place).glob("libOrthancDicomWeb.so*"))][:1]


@contextlib.contextmanager
def orthanc(
    folder: Path, ours: int, dicom: int, web: tuple[str, dict[str, str]] | None = None
) -> Iterator[str]:
    """An Orthanc that knows our node; its address. The running test is skipped where there is none.

    `web`: our address for DICOMweb, and the headers that it is asked with.
    """
    program = shutil.which("Orthanc", path="/usr/sbin:/usr/bin:/usr/local/sbin")
    if program is None:
        pytest.skip("needs Orthanc: none in /usr/sbin")
    http = free_port()
    folder.mkdir()
    settings = folder / "orthanc.json"
    settings.write_text(
        json.dumps(
            {
                "StorageDirectory": str(folder / "db"), "HttpPort": http, "DicomPort": dicom, "DicomAet": "ORTHANC",
                "DicomCheckCalledAet": False, "AuthenticationEnabled": False, "DicomAlwaysAllowStore": True,
                "RemoteAccessAllowed": False, "Plugins": [] if web is None else dicom_web_plugin(),
                "DicomWeb": {} if web is None else {"Servers": {"us": {"Url": web[0], "HttpHeaders": web[1]}}},
                "DicomModalities": {"us": ["GREENCHANNEL", "127.0.0.1", ours]},
            }
        )
    )  # fmt: skip
    running = subprocess.Popen([program, str(settings)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    base = f"http://127.0.0.1:{http}"
    try:
        until = time.monotonic() + ORTHANC_STARTS_S
        while True:
            with contextlib.suppress(httpx.HTTPError):
                httpx.get(f"{base}/system", trust_env=False)
                break
            assert running.poll() is None
            assert time.monotonic() < until
            time.sleep(0.05)
        yield base
    finally:
        running.terminate()
        running.wait(20)


def test_orthanc_is_a_peer_in_both_directions(tmp_path: Path) -> None:
    """It stores with us, finds what we have, and has us send it what it asks for."""
    dicom = free_port()

    async def story(here: House) -> None:
        assert here.desk.dicom.port is not None
        await stow(here, *[ct(number, study=2) for number in (1, 2)])

        def play() -> list[str]:
            with (
                orthanc(tmp_path / "orthanc", here.desk.dicom.port or 0, dicom) as base,
                httpx.Client(base_url=base, timeout=60.0, trust_env=False) as http,
            ):
                echo = http.post("/modalities/us/echo", json={})
                assert echo.status_code == 200, echo.text
                ids = [http.post("/instances", content=ct(number)).json()["ID"] for number in (1, 2, 3)]
                stored = http.post("/modalities/us/store", json=ids)
                assert stored.json()["FailedInstancesCount"] == 0
                query = {
                    "Level": "Study",
                    "Query": {"PatientName": "Wang*", "StudyInstanceUID": f"{ROOT_UID}.2"},
                }
                answer = http.post("/modalities/us/query", json=query).json()["ID"]
                assert http.get(f"/queries/{answer}/answers").json() == ["0"]
                moved = http.post(f"/queries/{answer}/answers/0/retrieve", content="ORTHANC")
                assert moved.status_code == 200, moved.text
                found = http.post(
                    "/tools/find",
                    json={
                        "Level": "Instance",
                        "Query": {"StudyInstanceUID": f"{ROOT_UID}.2"},
                        "Expand": True,
                    },
                )
                return sorted(one["MainDicomTags"]["SOPInstanceUID"] for one in found.json())

        assert await asyncio.to_thread(play) == [f"{ROOT_UID}.2.1.1", f"{ROOT_UID}.2.1.2"]
        assert (await here.desk.images.study(STUDY)).instances == 3

    tell(tmp_path / "data", story, f"ORTHANC=yinzhao@127.0.0.1:{dicom}")


def test_orthanc_is_a_peer_over_dicom_web(tmp_path: Path) -> None:
    """It stores with us by STOW-RS, finds what we have by QIDO-RS, fetches it by WADO-RS; and we send on to it."""
    if not dicom_web_plugin():
        pytest.skip("needs Orthanc's plug-in for DICOMweb")

    async def story(here: House) -> None:
        await stow(here, *[ct(number, study=2) for number in (1, 2)])
        web = (f"{here.origin}/dicom-web/", here.device())

        def play() -> list[str]:
            with (
                orthanc(tmp_path / "orthanc", 1, free_port(), web) as base,
                httpx.Client(base_url=base, timeout=60.0, trust_env=False) as http,
            ):
                ids = [http.post("/instances", content=ct(number)).json()["ID"] for number in (1, 2, 3)]
                stored = http.post("/dicom-web/servers/us/stow", json={"Resources": ids, "Synchronous": True})
                assert stored.status_code == 200, stored.text
                found = http.post(
                    "/dicom-web/servers/us/qido",
                    json={"Uri": "/studies", "Arguments": {"PatientName": "Wang*"}},
                )
                assert len(found.json()) == 2, found.text
                fetched = http.post(
                    "/dicom-web/servers/us/retrieve",
                    json={"Resources": [{"Study": f"{ROOT_UID}.2"}], "Synchronous": True},
                )
                assert fetched.status_code == 200, fetched.text
                wanted = {"Level": "Instance", "Query": {"StudyInstanceUID": f"{ROOT_UID}.2"}, "Expand": True}
                there = http.post("/tools/find", json=wanted).json()
                forward = Destination(name="o", way="stow", url=f"{base}/dicom-web")
                due = Due(
                    sop_uid=f"{ROOT_UID}.3.1.1", study_uid=f"{ROOT_UID}.3", attempts=0, sop_class=CTImageStorage,
                    transfer_syntax="1.2.840.10008.1.2.1",
                )  # fmt: skip
                sent = send(forward, [due], lambda _: ct(1, study=3), "GREENCHANNEL")
                assert sent == {due.sop_uid: Sent(receipt="200")}
                wanted["Query"] = {"SOPInstanceUID": due.sop_uid}
                assert len(http.post("/tools/find", json=wanted).json()) == 1
                return sorted(one["MainDicomTags"]["SOPInstanceUID"] for one in there)

        assert await asyncio.to_thread(play) == [f"{ROOT_UID}.2.1.1", f"{ROOT_UID}.2.1.2"]
        assert (await here.desk.images.study(STUDY)).instances == 3

    tell(tmp_path / "data", story, "")
