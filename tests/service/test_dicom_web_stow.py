"""STOW-RS at a running service: what is stored, what is refused and why, and that the case shows it."""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from greenchannel.ingest.imaging.instance import ImageInstance, read_instance
from greenchannel.service.imaging.threads import in_detectors
from greenchannel.viewer import dicom_web_stow
from greenchannel.viewer.dicom_web_front import beside
from tests.desk_world import dicom
from tests.imaging_files import ROOT_UID, ct, related
from tests.service.viewer_house import House, ecg_file, house

STUDIES = "/dicom-web/studies"


def tell(tmp_path: Path, story: Callable[[House], Awaitable[None]], **settings: Any) -> None:
    """Play a story at a running service."""

    async def play() -> None:
        async with house(tmp_path, **settings) as here:
            await story(here)

    asyncio.run(play())


async def stow(here: House, parts: list[bytes], path: str = STUDIES, name: str = "ecg-1") -> httpx.Response:
    body, kind = related(parts)
    headers = here.device(name) | {"Content-Type": kind}
    return await here.http.post(path, content=body, headers=headers)


def test_what_was_sent_lies_beside_the_ecg(tmp_path: Path) -> None:
    """One answer for each object with the address of it; the case names the study; again is as good as once."""

    async def story(here: House) -> None:
        ecg = await here.http.post(
            "/api/v1/ecgs?patient_ref=P1", content=ecg_file(), headers=here.device("ecg-1")
        )
        parts = [ct(number) for number in range(1, 4)]
        first, again = await stow(here, parts), await stow(here, parts)

        assert (first.status_code, again.status_code) == (200, 200), first.text
        stored = first.json()["00081199"]["Value"]
        assert [one["00081155"]["Value"][0] for one in stored] == [f"{ROOT_UID}.1.1.{n}" for n in (1, 2, 3)]
        assert stored[0]["00081190"]["Value"][0].endswith(
            f"/series/{ROOT_UID}.1.1/instances/{ROOT_UID}.1.1.1"
        )
        who = await here.person("cardiologist")
        page = (await here.http.get(f"/api/v1/cases/{ecg.json()['case_id']}", headers=who)).json()
        (study,) = page["images"]
        assert (study["study_uid"], study["instances"], study["complete"]) == (f"{ROOT_UID}.1", 3, None)
        assert (study["modalities"], study["description"], study["settled"]) == (["CT"], "头颅平扫", True)

    tell(tmp_path, story)


def test_each_object_is_answered_for_by_itself(tmp_path: Path) -> None:
    """Some stored, some not: 202, and why; all refused for one reason: that reason, and nothing else."""

    async def story(here: House) -> None:
        mixed = await stow(here, [ct(1), b"no image", ct(2, patient_id="P2")])
        assert mixed.status_code == 202
        assert len(mixed.json()["00081199"]["Value"]) == 1
        failed = mixed.json()["00081198"]["Value"]
        assert [one["00000902"]["Value"][0].split(":")[0] for one in failed] == [
            "unknown_format",
            "identity_conflict",
        ]
        assert failed[1]["00081155"]["Value"] == [f"{ROOT_UID}.1.1.2"]
        wrong = await stow(here, [ct(2, patient_id="P2")])
        assert (wrong.status_code, wrong.json()["code"]) == (409, "identity_conflict")
        nothing = await stow(here, [b"no image"])
        assert (nothing.status_code, nothing.json()["code"]) == (415, "unknown_format")
        other = await stow(here, [ct(3)], f"{STUDIES}/{ROOT_UID}.7")
        assert (other.status_code, other.json()["code"]) == (422, "bad_field")
        assert {file.reason for file in here.desk.quarantine.list()} == {
            "unknown_format",
            "identity_conflict",
        }

    tell(tmp_path, story)


def test_bodies_that_are_none_are_refused(tmp_path: Path) -> None:
    """Another kind, no boundary, cut off, nothing in it, too large, nobody known: each with its reason."""

    async def story(here: House) -> None:
        body, kind = related([ct(1)])
        device = here.device("ecg-1")

        async def status(content: bytes, headers: dict[str, str]) -> tuple[int, str]:
            got = await here.http.post(STUDIES, content=content, headers=headers)
            return got.status_code, got.json()["code"]

        assert (await status(body, device | {"Content-Type": "text/plain"}))[0] == 415
        assert await status(body, device | {"Content-Type": "multipart/related"}) == (422, "malformed")
        assert await status(body[:-20], device | {"Content-Type": kind}) == (422, "truncated")
        assert await status(b"--b0--\r\n", device | {"Content-Type": kind}) == (400, "empty_body")
        assert (await status(body, {"Content-Type": kind}))[0] == 401
        large, _ = related([ct(1, size=1024)])
        assert await status(large, device | {"Content-Type": kind}) == (413, "too_large")

    tell(tmp_path, story, max_image_bytes=1_000_000)


def test_an_ecg_does_not_wait_for_images(tmp_path: Path) -> None:
    """Pictures that are drawn and detectors that look, many and long: an ECG is taken in, a case shown meanwhile."""
    hold = threading.Event()

    async def story(here: House) -> None:
        busy = [asyncio.create_task(beside(hold.wait)) for _ in range(100)]
        busy += [asyncio.create_task(in_detectors(hold.wait)) for _ in range(100)]
        try:
            async with asyncio.timeout(30):
                ecg = await here.http.post(
                    "/api/v1/ecgs?patient_ref=P1", content=ecg_file(), headers=here.device("ecg-1")
                )
                assert ecg.status_code in (200, 201), ecg.text
                who = await here.person("cardiologist")
                page = await here.http.get(f"/api/v1/cases/{ecg.json()['case_id']}", headers=who)
                assert page.status_code == 200
        finally:
            hold.set()
            await asyncio.gather(*busy)

    tell(tmp_path, story)


def test_objects_are_read_beside_the_event_loop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Good ones, refused ones, ECGs: a large one holds up nobody."""
    reads = 0

    def read(data: bytes) -> ImageInstance:
        nonlocal reads
        reads += 1
        with pytest.raises(RuntimeError):  # there is none in this thread
            asyncio.get_running_loop()
        return read_instance(data)

    monkeypatch.setattr(dicom_web_stow, "read_instance", read)

    async def story(here: House) -> None:
        sent = await stow(here, [ct(1), ct(1, study=2)], f"{STUDIES}/{ROOT_UID}.1")
        assert sent.status_code == 202, sent.text
        assert (await stow(here, [dicom(patient_id="P1"), b"no image"])).status_code == 202
        assert reads == 5

    tell(tmp_path, story)


def test_an_ecg_among_the_images_is_read_as_an_ecg(tmp_path: Path) -> None:
    """In the same case as the images of its patient."""

    async def story(here: House) -> None:
        sent = await stow(here, [ct(1), dicom(patient_id="P1")])
        assert sent.status_code == 200, sent.text
        assert len(sent.json()["00081199"]["Value"]) == 2
        ecgs = [ecg for case in here.desk.cases() for ecg in case.ecgs]
        assert len(ecgs) == 1
        (hit,) = await here.desk.images.search("instance", {})
        assert hit.instance is not None and hit.instance.sop_uid == f"{ROOT_UID}.1.1.1"

    tell(tmp_path, story)


async def stands_still(here: House, body: bytes, kind: str) -> tuple[int, str, bytes]:
    """A sender whose line stays open behind the last byte but some; what it is answered: status, head, rest."""
    url = httpx.URL(here.origin)
    reader, writer = await asyncio.open_connection(url.host, url.port)
    given = here.device("ecg-1") | {"Content-Type": kind, "Content-Length": str(len(body)), "Host": url.host}
    head = "".join(f"{name}: {value}\r\n" for name, value in given.items())
    try:
        writer.write(f"POST {STUDIES} HTTP/1.1\r\n{head}\r\n".encode() + body[:-100])
        said = (await reader.readuntil(b"\r\n\r\n")).decode()
        length = int(said.lower().split("content-length: ")[1].split("\r\n")[0])
        document = await reader.readexactly(length)
        if "connection: close" in said.lower():
            assert await reader.read() == b""  # the line is closed
        return int(said.split()[1]), said.lower(), document
    finally:
        writer.close()


def test_a_body_that_stands_still_is_ended(tmp_path: Path) -> None:
    """The sender is told, what was whole is kept, and its line is closed."""

    async def story(here: House) -> None:
        body, kind = related([ct(1), ct(2)])
        async with asyncio.timeout(30):
            status, head, document = await stands_still(here, body, kind)
        assert (status, b'"timeout"' in document, "connection: close" in head) == (408, True, True)
        assert (await here.desk.images.study(f"{ROOT_UID}.1")).instances == 1

    tell(tmp_path, story, upload_idle_s=0.2)


def test_senders_that_hold_much_and_say_nothing_keep_nobody_out(tmp_path: Path) -> None:
    """All bodies together have one bound; the largest is broken off and told to come again, a small one is taken."""

    async def story(here: House) -> None:
        large, kind = related([ct(1, size=600)])
        async with asyncio.timeout(30):
            sent = [asyncio.create_task(stands_still(here, large, kind)) for _ in range(4)]
            waiting = set(sent)
            while len(waiting) > 1:
                _, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            taken = await stow(here, [ct(1, study=2)])
            assert taken.status_code == 200, taken.text
        for task in set(sent) - waiting:
            status, head, document = task.result()
            assert (status, b'"busy"' in document, "retry-after: 5" in head) == (503, True, True)
        for task in waiting:
            task.cancel()
        await asyncio.gather(*sent, return_exceptions=True)

    tell(tmp_path, story, max_image_bytes=1_000_000)
