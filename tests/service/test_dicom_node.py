"""The DICOM node, asked by other people's programs: pynetdicom's and DCMTK's."""

import asyncio
import shutil
import subprocess
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.filebase import DicomBytesIO
from pynetdicom import AE, evt
from pynetdicom.sop_class import (  # type: ignore[attr-defined]
    CTImageStorage,
    GeneralECGWaveformStorage,
    StorageCommitmentPushModel,
    TwelveLeadECGWaveformStorage,
    Verification,
)

from greenchannel.service.desk import Desk
from greenchannel.service.imaging import dicom_peers
from greenchannel.service.imaging.dicom_node import Received
from greenchannel.service.imaging.dicom_peers import no_delay, peers_of
from greenchannel.settings import SettingsError
from tests.desk_world import World, dicom
from tests.imaging_files import ROOT_UID, ct
from tests.require import require_or_skip
from tests.service.commitment_call import NO_DELAY, ask

CALLERS = "CTVAN=yinzhao, XRAY=jishi"


def tell(
    tmp_path: Path, story: Callable[[World, Desk], Awaitable[None]], callers: str = CALLERS, **more: Any
) -> None:
    """Play a story at a desk with a node."""
    world = World(folder=tmp_path)
    world.settings = replace(world.settings, dicom_port=0, dicom_callers=callers, **more)

    async def play() -> None:
        async with world.desk() as desk:
            await story(world, desk)

    asyncio.run(play())


def associate(desk: Desk, *classes: str, title: str = "CTVAN", called: str = "GREENCHANNEL") -> Any:
    entity = AE(ae_title=title)
    for one in classes:
        entity.add_requested_context(one)
    return entity.associate("127.0.0.1", desk.dicom.port or 0, ae_title=called, evt_handlers=NO_DELAY)


def send(association: Any, data: bytes) -> Any:
    return association.send_c_store(dcmread(DicomBytesIO(data)))


def test_objects_are_stored_and_safe_when_success_is_said(tmp_path: Path) -> None:
    """In the site of the title; several in one association are a whole study when the caller says good-bye."""

    async def story(world: World, desk: Desk) -> None:
        def call() -> list[int]:
            association = associate(desk, CTImageStorage, Verification)
            codes = [association.send_c_echo().Status]
            codes += [send(association, ct(number)).Status for number in (1, 2, 3, 3)]
            association.release()
            return codes

        assert await asyncio.to_thread(call) == [0] * 5
        study = await desk.images.study(f"{ROOT_UID}.1")
        assert (study.site, study.instances) == ("yinzhao", 3)
        async with asyncio.timeout(10):
            while not (await desk.images.study(study.study_uid)).settled:
                await asyncio.sleep(0.01)
        kept = dcmread(DicomBytesIO(await desk.images.bytes_of(f"{ROOT_UID}.1.1.2")))
        assert kept.PixelData == dcmread(DicomBytesIO(ct(2))).PixelData
        # the same by another way is the same
        again = await desk.images.receive(ct(2), source="device:ecg-yinzhao", site_id="yinzhao")
        assert again.state == "duplicate"

    tell(tmp_path, story)


def test_nobody_unknown_is_let_in(tmp_path: Path) -> None:
    """Another title, or a call of another node, is turned away; and where nobody is named, everybody."""

    async def story(world: World, desk: Desk) -> None:
        def call() -> list[bool]:
            tries = [
                associate(desk, Verification, title="STRANGER"),
                associate(desk, Verification, called="OTHER"),
                associate(desk, Verification),
            ]
            known = [one.is_established for one in tries]
            tries[2].release()
            return known

        assert await asyncio.to_thread(call) == [False, False, bool(desk.dicom.peers)]

    tell(tmp_path / "some", story)
    tell(tmp_path / "none", story, callers="")


def test_a_title_is_not_taken_from_another_address(tmp_path: Path) -> None:
    """Where its address is named; by name or number; a name that is found nowhere is no address."""

    async def story(world: World, desk: Desk) -> None:
        def call() -> list[bool]:
            titles = ("CTVAN", "XRAY", "LOST", "NEAR", "FREE")
            tries = [associate(desk, Verification, title=title) for title in titles]
            known = [one.is_established for one in tries]
            for one in tries:
                if one.is_established:
                    one.release()
            return known

        assert await asyncio.to_thread(call) == [False, True, False, True, True]

    callers = (
        "CTVAN=yinzhao@10.0.0.5:1, XRAY=jishi@127.0.0.1:1, LOST=jishi@-:1, NEAR=jishi@localhost:1, FREE=jishi"
    )
    tell(tmp_path, story, callers=callers)


def test_an_address_is_the_same_in_both_forms() -> None:
    """IPv4 carried by IPv6 is no other address."""
    peer = peers_of("CTVAN=yinzhao@10.0.0.5:1")["CTVAN"]
    assert [peer.calls_from(one) for one in ("10.0.0.5", "::ffff:10.0.0.5", "10.0.0.6", "::1")] == [
        True, True, False, False,
    ]  # fmt: skip


def test_what_is_not_taken_is_said(tmp_path: Path) -> None:
    """Another patient, other bytes under the same name, no object: each its status; one too large ends the call."""

    async def story(world: World, desk: Desk) -> None:
        def call() -> list[int | None]:
            association = associate(desk, CTImageStorage)
            objects = [ct(1), ct(2, patient_id="P2"), ct(1, seed=5)]
            codes = [send(association, data).get("Status") for data in objects]
            broken = dcmread(DicomBytesIO(ct(4)))
            del broken.StudyInstanceUID
            codes.append(association.send_c_store(broken).get("Status"))
            codes.append(send(association, ct(5, size=1024)).get("Status"))
            association.abort()
            return codes

        assert await asyncio.to_thread(call) == [0, 0xC001, 0x0111, 0xC000, None]
        reasons = {file.reason for file in desk.quarantine.list()}
        assert reasons == {"identity_conflict", "other_bytes", "malformed"}

    tell(tmp_path, story, max_image_bytes=500_000)


def test_an_ecg_by_dicom_is_read_as_an_ecg(tmp_path: Path) -> None:
    """The same door; it goes to the ECGs, is analysed, and lies in the case of its patient."""

    async def story(world: World, desk: Desk) -> None:
        def call() -> int:
            association = associate(desk, TwelveLeadECGWaveformStorage)
            status = int(send(association, dicom()).Status)
            association.release()
            return status

        assert await asyncio.to_thread(call) == 0
        (case,) = desk.cases()
        assert case.ecgs[0].analysed_at is not None

    tell(tmp_path, story)


def test_a_machine_learns_which_of_its_objects_are_safe(tmp_path: Path) -> None:
    """By a call to its own address: those that are here, and those that are not; of other sites nothing."""
    results: list[tuple[int, Dataset]] = []

    def reported(event: Any) -> tuple[int, None]:
        results.append((event.event_type, event.event_information))
        return 0, None

    machine = AE(ae_title="CTVAN")
    machine.add_supported_context(StorageCommitmentPushModel, scu_role=True, scp_role=True)
    handlers: list[Any] = [(evt.EVT_N_EVENT_REPORT, reported), (evt.EVT_CONN_OPEN, no_delay)]
    server: Any = machine.start_server(("127.0.0.1", 0), block=False, evt_handlers=handlers)
    port = server.server_address[1]

    async def story(world: World, desk: Desk) -> None:
        await desk.images.receive(ct(1), source="x", site_id="yinzhao")
        await desk.images.receive(ct(1, study=2, patient_id="P2"), source="x", site_id="jishi")
        wanted = [f"{ROOT_UID}.1.1.1", f"{ROOT_UID}.1.1.2", f"{ROOT_UID}.2.1.1"]
        assert await asyncio.to_thread(ask, desk, *wanted) == 0
        async with asyncio.timeout(10):
            while not results:
                await asyncio.sleep(0.01)

    tell(tmp_path, story, callers=f"CTVAN=yinzhao@127.0.0.1:{port}, XRAY=jishi")
    server.shutdown()
    ((kind, said),) = results
    assert kind == 2 and said.TransactionUID == f"{ROOT_UID}.77"
    assert [one.ReferencedSOPInstanceUID for one in said.ReferencedSOPSequence] == [f"{ROOT_UID}.1.1.1"]
    assert [one.FailureReason for one in said.FailedSOPSequence] == [0x0112, 0x0112]


def test_a_machine_learns_that_its_ecg_is_safe(tmp_path: Path) -> None:
    """ECGs are kept apart from images, and are as safe; of another site, of another class, damaged: they are not."""
    data = dicom()
    sop_uid = str(dcmread(DicomBytesIO(data)).SOPInstanceUID)

    async def story(world: World, desk: Desk) -> None:
        def store() -> int:
            association = associate(desk, TwelveLeadECGWaveformStorage)
            status = int(send(association, data).Status)
            association.release()
            return status

        def reason(title: str = "CTVAN", sop_class: str = TwelveLeadECGWaveformStorage) -> int | None:
            said = desk.dicom._commitment.result("1.2", [(sop_class, sop_uid)], desk.dicom.peers[title])
            return None if "ReferencedSOPSequence" in said else int(said.FailedSOPSequence[0].FailureReason)

        assert await asyncio.to_thread(reason) == 0x0112
        assert await asyncio.to_thread(store) == 0
        assert await asyncio.to_thread(reason) is None
        assert await asyncio.to_thread(reason, "XRAY") == 0x0112
        assert await asyncio.to_thread(reason, "CTVAN", GeneralECGWaveformStorage) == 0x0119
        (kept,) = [path for path in (world.settings.data_dir / "blobs").rglob("*") if path.is_file()]
        kept.write_bytes(b"spoilt")
        assert await asyncio.to_thread(reason) == 0x0110
        kept.unlink()
        assert await asyncio.to_thread(reason) == 0x0112

    tell(tmp_path, story)


@pytest.mark.parametrize("kind", [1, 4])
def test_a_message_that_announces_gigabytes_ends_the_call(tmp_path: Path, kind: int) -> None:
    """Nothing of it is awaited; others are served."""

    async def story(world: World, desk: Desk) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", desk.dicom.port or 0)
        writer.write(bytes([kind, 0]) + (2**32 - 10).to_bytes(4) + bytes(100))
        async with asyncio.timeout(20):
            while await reader.read(1000):
                pass
        writer.close()

        def call() -> int:
            association = associate(desk, Verification)
            status = int(association.send_c_echo().Status)
            association.release()
            return status

        assert await asyncio.to_thread(call) == 0

    tell(tmp_path, story)


@pytest.mark.parametrize(
    "begun", [b"\x01", b"\x01\x00\x00\x00\x01\x00half", b"\x04\x00\x00\x00\x10\x00half of an object"]
)
def test_a_line_cut_within_a_message_is_let_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, begun: bytes
) -> None:
    """It holds its thread and its place no longer than a line may be quiet; the other side has said nothing."""
    monkeypatch.setattr(dicom_peers, "QUIET_S", 0.05)

    async def story(world: World, desk: Desk) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", desk.dicom.port or 0)
        writer.write(begun)
        async with asyncio.timeout(20):
            while await reader.read(1000):
                pass
        writer.close()

    tell(tmp_path, story)


def test_dcmtk_stores_with_us(tmp_path: Path) -> None:
    """`echoscu` and `storescu` say success."""
    require_or_skip("dcmtk", present=shutil.which("storescu") is not None, reason="no storescu on the path")
    files = []
    for number in range(1, 6):
        files.append(tmp_path / f"{number}.dcm")
        files[-1].write_bytes(ct(number))

    async def story(world: World, desk: Desk) -> None:
        where = ["-aet", "CTVAN", "-aec", "GREENCHANNEL", "127.0.0.1", str(desk.dicom.port)]

        def call(*command: str) -> int:
            return subprocess.run([*command], capture_output=True, timeout=60, check=False).returncode

        assert await asyncio.to_thread(call, "echoscu", *where) == 0
        assert await asyncio.to_thread(call, "storescu", *where, *map(str, files)) == 0
        assert (await desk.images.study(f"{ROOT_UID}.1")).instances == 5

    tell(tmp_path / "desk", story)


def test_many_callers_together_do_not_fill_the_memory() -> None:
    """The largest of what is under way is broken off, and comes again; who has sent whole objects may go on."""

    class Caller:
        aborted = False

        def abort(self) -> None:
            self.aborted = True

    received = Received(1_000_000)
    small, large, other = (Caller() for _ in range(3))

    def more(caller: Caller, size: int) -> None:
        received.more(SimpleNamespace(assoc=caller, data=bytes(size)))

    more(small, 300_000)
    more(large, 950_000)
    more(other, 800_000)
    assert not (small.aborted or large.aborted or other.aborted)
    more(large, 1_000)
    assert (small.aborted, large.aborted, other.aborted) == (False, True, False)
    for _ in range(5):
        more(small, 500_000)
        received.whole(SimpleNamespace(assoc=small))
    assert not small.aborted


def test_peers_are_read_from_one_line() -> None:
    """A title, its site, and an address where there is one; what is no such line is refused at the start."""
    peers = peers_of("CT VAN=yinzhao@10.0.0.5:11112,XRAY=jishi")

    assert (peers["CT VAN"].site, peers["CT VAN"].host, peers["CT VAN"].port) == (
        "yinzhao",
        "10.0.0.5",
        11112,
    )
    assert peers["XRAY"].port is None
    for wrong in ("XRAY", "XRAY=", "A=b@c", "A=b@c:99999"):
        with pytest.raises(SettingsError):
            peers_of(wrong)
