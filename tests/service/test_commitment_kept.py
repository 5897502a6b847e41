"""A machine that asked whether its objects are safe is told, whatever is away meanwhile: it, or the service."""

import asyncio
import socket
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
    StorageCommitmentPushModel,
    TwelveLeadECGWaveformStorage,
)
from sqlalchemy import select

from greenchannel.service.callers import Caller
from greenchannel.service.desk import Desk
from greenchannel.service.imaging import commitment, ecg_objects
from greenchannel.store import schema_giving
from greenchannel.store.ecg_rows import EcgRow
from greenchannel.store.engine import open_engine, reading
from tests.desk_world import World, device, dicom
from tests.imaging_files import ROOT_UID, ct
from tests.service.commitment_call import NO_DELAY, ask


async def until(ready: Callable[[], Any]) -> None:
    async with asyncio.timeout(20):
        while not ready():
            await asyncio.sleep(0.02)


def waiting(world: World) -> list[int]:
    """Of each request that waits how often it was tried."""
    engine = open_engine(world.settings.url())
    with reading(engine) as connection:
        found = connection.execute(select(schema_giving.image_chores.c.attempts)).scalars().all()
    engine.dispose()
    return list(found)


def test_a_machine_that_was_away_is_told_by_the_next_life_of_the_service(tmp_path: Path) -> None:
    """Once, and of what holds then: an object that came after it had asked is safe, too."""
    results: list[Dataset] = []

    def reported(event: Any) -> tuple[int, None]:
        results.append(event.event_information)
        return 0, None

    with socket.socket() as held:  # nobody listens there, and nobody else takes it
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.bind(("127.0.0.1", 0))
        port = int(held.getsockname()[1])
        world = World(folder=tmp_path)
        callers = f"CTVAN=yinzhao@127.0.0.1:{port}"
        world.settings = replace(world.settings, dicom_port=0, dicom_callers=callers)
        first, second = f"{ROOT_UID}.1.1.1", f"{ROOT_UID}.1.1.2"

        async def play() -> None:
            async with world.desk() as desk:
                await desk.images.receive(ct(1), source="x", site_id="yinzhao")
                assert await asyncio.to_thread(ask, desk, first, second) == 0
                await until(lambda: waiting(world) == [1])
                assert await asyncio.to_thread(ask, desk, first, second) == 0  # again is no second request
                assert waiting(world) == [1]
                await desk.images.receive(ct(2), source="x", site_id="yinzhao")
            machine = AE(ae_title="CTVAN")
            machine.add_supported_context(StorageCommitmentPushModel, scu_role=True, scp_role=True)
            handlers: list[Any] = [(evt.EVT_N_EVENT_REPORT, reported), *NO_DELAY]
            server: Any = machine.start_server(("127.0.0.1", port), block=False, evt_handlers=handlers)
            world.pass_time(60)
            async with world.desk():
                await until(lambda: waiting(world) == [])
            server.shutdown()

        asyncio.run(play())
    (said,) = results
    assert said.TransactionUID == f"{ROOT_UID}.77"
    assert [one.ReferencedSOPInstanceUID for one in said.ReferencedSOPSequence] == [first, second]
    assert "FailedSOPSequence" not in said


def test_a_machine_that_is_away_is_looked_for_once_for_all_that_it_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each look may take half a minute, in which the requests of other machines would wait behind them."""
    looks = 0

    def connect(*given: Any, **named: Any) -> Any:
        nonlocal looks
        looks += 1
        raise ConnectionRefusedError("away")

    monkeypatch.setattr(commitment, "socket", SimpleNamespace(create_connection=connect))
    world = World(folder=tmp_path)
    callers = "CTVAN=yinzhao@127.0.0.1:11112"
    world.settings = replace(world.settings, dicom_port=0, dicom_callers=callers)

    async def play() -> None:
        async with world.desk() as desk:
            for number in (1, 2, 3):
                assert await asyncio.to_thread(ask, desk, f"{ROOT_UID}.1.1.1", transaction=number) == 0
                await until(lambda: waiting(world) == [1] * number)  # noqa: B023 - it is over in this round
            before = looks
            world.pass_time(60)
            await until(lambda: waiting(world) == [2] * 3)
            assert looks == before + 1
            world.pass_time(8 * 24 * 3600)
            await until(lambda: waiting(world) == [])  # given up, each of them

    asyncio.run(play())


def test_an_ecg_is_found_however_many_came_after_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also in the next life, without a file being read again; after the erasure of its patient nothing tells of it."""
    monkeypatch.setattr(ecg_objects, "READ_AT_ONCE", 2)
    world = World(folder=tmp_path)
    world.settings = replace(world.settings, dicom_port=0, dicom_callers="CTVAN=yinzhao")
    files = [dicom(seed=seed) for seed in range(1, 6)]
    uids = [str(dcmread(DicomBytesIO(one)).SOPInstanceUID) for one in files]
    assert len(set(uids)) == len(uids)

    def reason(desk: Desk, uid: str) -> int | None:
        wanted = [(TwelveLeadECGWaveformStorage, uid)]
        said = desk.dicom._commitment.result("1.2", wanted, desk.dicom.peers["CTVAN"])
        return None if "ReferencedSOPSequence" in said else int(said.FailedSOPSequence[0].FailureReason)

    async def life(story: Callable[[Desk], Awaitable[None]]) -> None:
        async with world.desk() as desk:
            await story(desk)

    async def sends(desk: Desk) -> None:
        for number, one in enumerate(files):
            world.pass_time(60)
            await world.send(desk, one, device(), patient_ref=f"P{number}")
        assert await asyncio.to_thread(reason, desk, uids[0]) is None  # the oldest
        assert await asyncio.to_thread(reason, desk, "1.2.3") == 0x0112

    async def asks(desk: Desk) -> None:
        read = 0
        objects = desk.dicom._commitment._ecgs
        get = objects._bytes

        def counted(row: EcgRow) -> bytes:
            nonlocal read
            read += 1
            return get(row)

        monkeypatch.setattr(objects, "_bytes", counted)
        assert await asyncio.to_thread(reason, desk, uids[0]) is None
        assert await asyncio.to_thread(reason, desk, "1.2.3") == 0x0112
        assert read == 1  # the very file, to see that it can be read
        case_id = next(one.case_id for one in desk.cases() if len(one.ecgs) == 1)
        admin = Caller(kind="user", id="zhao", name="赵", role="admin", sites=None)
        await desk.answers.erase_patient(case_id, admin, "患者要求")
        engine = open_engine(world.settings.url())
        with reading(engine) as connection:
            left = connection.execute(select(schema_giving.ecg_objects.c.sop_uid)).scalars().all()
        engine.dispose()
        assert len(left) == len(uids) - 1

    asyncio.run(life(sends))
    asyncio.run(life(asks))
