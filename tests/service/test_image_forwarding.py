"""Images that are sent on to a hospital's archive: each until it was taken, over outages and restarts."""

import asyncio
import contextlib
import io
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pydicom
import pytest
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset
from pynetdicom import AE, evt
from pynetdicom.sop_class import CTImageStorage, MRImageStorage  # type: ignore[attr-defined]

from greenchannel.service.imaging.destinations import NUMBERS, destinations_of
from greenchannel.service.imaging.dicom_peers import no_delay
from greenchannel.service.imaging.giving import giving_of
from greenchannel.settings import SettingsError
from tests.imaging_files import ROOT_UID, ct, related
from tests.service.viewer_house import House, house

STUDY = f"{ROOT_UID}.1"
PACS = """[[to]]
name = "hospital"
way = "dicom"
title = "PACS"
host = "127.0.0.1"
port = {port}
"""


@pytest.fixture
def port() -> Iterator[int]:
    """A port that stays ours: nobody listens on it but an archive of the test, which may share it."""
    with socket.socket() as held:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.bind(("127.0.0.1", 0))
        yield int(held.getsockname()[1])


@contextlib.contextmanager
def archive(port: int, answers: Callable[[Dataset], int] = lambda _: 0) -> Iterator[list[Dataset]]:
    """A hospital's archive; what it has taken."""
    taken: list[Dataset] = []

    def take(event: Any) -> int:
        status = answers(event.dataset)
        if status == 0:
            taken.append(event.dataset)
        return status

    entity = AE(ae_title="PACS")
    for one in (CTImageStorage, MRImageStorage):
        entity.add_supported_context(one)
    handlers: list[Any] = [(evt.EVT_C_STORE, take), (evt.EVT_CONN_OPEN, no_delay)]
    server = entity.start_server(("127.0.0.1", port), block=False, evt_handlers=handlers)
    assert server is not None
    try:
        yield taken
    finally:
        server.shutdown()


async def stow(here: House, *parts: bytes, name: str = "ecg-1") -> None:
    body, kind = related(list(parts))
    sent = await here.http.post(
        "/dicom-web/studies", content=body, headers=here.device(name) | {"Content-Type": kind}
    )
    assert sent.status_code == 200, sent.text


async def states(here: House, study: str = STUDY) -> list[tuple[str, str | None, str | None]]:
    answer = await here.http.get(f"/api/v1/imaging/studies/{study}/forwards", headers=here.device())
    assert answer.status_code == 200, answer.text
    return [(one["state"], one["receipt"], one["reason"]) for one in answer.json()["objects"]]


async def until(ready: Callable[[], Any]) -> None:
    """Wait for what is to come, within a bound."""
    async with asyncio.timeout(20):
        while not (await ready() if asyncio.iscoroutinefunction(ready) else ready()):
            await asyncio.sleep(0.02)


@contextlib.asynccontextmanager
async def sending(folder: Path, text: str) -> AsyncIterator[House]:
    file = folder.parent / "forward.toml"
    file.write_text(text, encoding="utf-8")
    async with house(folder, image_forward_file=file) as here:
        yield here


def test_what_could_not_be_sent_is_sent_when_the_archive_is_back(tmp_path: Path, port: int) -> None:
    """The archive is away, the service is stopped and started, the archive comes back: each object once."""

    async def play() -> None:
        async with sending(tmp_path / "data", PACS.format(port=port)) as here:
            await stow(here, *[ct(number) for number in (1, 2, 3)])

            async def failed() -> bool:
                return [one[2] for one in await states(here)] == ["no_connection, ConnectionRefusedError"] * 3

            await until(failed)
        file = tmp_path / "forward.toml"
        with archive(port) as taken:
            async with house_again(tmp_path / "data", file) as desk:
                await giving_of(desk).forwarding.again("hospital")
                await until(lambda: len(taken) == 3)

                async def sent() -> bool:
                    rows = await giving_of(desk).forwarding.of_study(STUDY)
                    return [one.receipt for one in rows] == ["0x0000"] * 3

                await until(sent)
            assert len(taken) == 3
            assert taken[0].PixelData == pydicom.dcmread(io.BytesIO(ct(1))).PixelData

    asyncio.run(play())


@contextlib.asynccontextmanager
async def house_again(folder: Path, file: Path) -> AsyncIterator[Any]:
    """The service once more on the same folder."""
    from greenchannel.assembly import build, listen, running
    from greenchannel.settings import Settings

    desk = build(Settings(data_dir=folder, port=0, image_forward_file=file))
    async with running(desk, listen(desk.settings)):
        yield desk


def test_what_is_refused_waits_for_a_person(tmp_path: Path, port: int) -> None:
    """It is not tried for ever, the reason is told, and it goes when it is let go; encoded pixels are decoded where
    only that is taken."""
    path = get_testdata_file("MR_small_jpeg_ls_lossless.dcm")
    assert isinstance(path, str)
    jls = Path(path).read_bytes()
    head = pydicom.dcmread(io.BytesIO(jls), stop_before_pixels=True)
    is_willing = False

    def answers(dataset: Dataset) -> int:
        return 0 if is_willing or dataset.Modality == "MR" else 0xC123

    async def play() -> None:
        nonlocal is_willing
        with archive(port, answers) as taken:
            async with sending(tmp_path / "data", PACS.format(port=port)) as here:
                await stow(here, ct(1), jls)

                async def ended() -> bool:
                    both = await states(here) + await states(here, head.StudyInstanceUID)
                    return [one[0] for one in both] == ["refused", "sent"]

                await until(ended)
                assert (await states(here))[0][2] == "0xC123"
                assert [one.Modality for one in taken] == ["MR"]
                assert taken[0].PixelData == pydicom.dcmread(io.BytesIO(jls)).pixel_array.tobytes()
                is_willing = True
                boss = await here.person("boss")
                summary = (await here.http.get("/api/v1/imaging/forwards", headers=boss)).json()
                assert {one["state"]: one["objects"] for one in summary["destinations"][0]["states"]} == {
                    "refused": 1, "sent": 1,
                }  # fmt: skip
                denied = await here.http.get("/api/v1/imaging/forwards", headers=await here.person("village"))
                assert denied.status_code == 403
                again = await here.http.post("/api/v1/imaging/forwards/hospital/again", json={}, headers=boss)
                assert again.json() == {"objects": 1}
                await until(lambda: len(taken) == 2)

    asyncio.run(play())


def test_images_go_on_by_stow_and_only_those_of_the_named_sites(tmp_path: Path) -> None:
    """To another service of ours, byte by byte."""

    async def play() -> None:
        async with house(tmp_path / "there") as there:
            token = tmp_path / "token"
            token.write_text(there.tokens["ecg-1"])
            text = f"""[[to]]
name = "county"
way = "stow"
sites = ["yinzhao"]
url = "{there.origin}/dicom-web"
token_file = "{token}"
"""
            async with sending(tmp_path / "data", text) as here:
                await stow(here, ct(1), ct(2))
                await stow(here, ct(1, study=2, patient_id="P2"), name="ecg-2")

                async def sent() -> bool:
                    return await states(here) == [("sent", "200", None)] * 2

                await until(sent)
                assert await there.desk.images.bytes_of(f"{STUDY}.1.2") == ct(2)
                assert len(await there.desk.images.search("study", {})) == 1

    asyncio.run(play())


def test_destinations_that_cannot_be_are_refused_at_the_start(tmp_path: Path) -> None:
    """With what is expected."""
    file = tmp_path / "forward.toml"
    for text in (
        "[[to]]\nname='a'\nway='dicom'",
        "[[to]]\nname='a'\nway='fax'",
        "nonsense",
        PACS.format(port=1) * 2,
    ):
        file.write_text(text)
        with pytest.raises(SettingsError):
            destinations_of(file)
    assert destinations_of(None) == ()
    assert list(NUMBERS.after_s) == sorted(NUMBERS.after_s)
