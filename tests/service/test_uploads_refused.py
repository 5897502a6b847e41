"""Resumable uploads that are refused: each as a problem document, and nothing has changed."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Final

import pytest

from tests.service.bad_place import refused
from tests.service.viewer_house import House, ecg_file, house
from tests.tus_client import BODY, PATH, Sender, metadata

ECG: Final = ecg_file(st_mv=0.4)


def tell(tmp_path: Path, story: Callable[[House, Sender], Awaitable[None]]) -> None:
    """Play a story at a running service."""

    async def play() -> None:
        async with house(tmp_path) as here:
            await story(here, Sender(http=here.http, token=here.tokens["ecg-1"]))

    asyncio.run(play())


def test_what_may_not_begin_is_refused_before_a_byte(tmp_path: Path) -> None:
    """Credentials, rights, sites, fields, sizes, versions: each as a problem, and nothing is written."""

    async def story(here: House, sender: Sender) -> None:
        quality, village = await here.person("quality"), await here.person("village")
        device = {"Upload-Length": "9", "Tus-Resumable": "1.0.0"}
        own = device | here.device()
        photograph = own | {
            "Upload-Metadata": metadata(filetype="image/png"),
            "Upload-Length": str(21 * 2**20),
        }
        cases: list[tuple[dict[str, str], int, str]] = [
            (device, 401, "unauthenticated"),
            (device | quality, 403, "forbidden"),
            ({**device, "Cookie": village["Cookie"]}, 403, "foreign_origin"),
            (own | {"Tus-Resumable": "0.2.2"}, 412, "tus_version"),
            (own | {"Upload-Length": "much"}, 400, "bad_tus_header"),
            (own | {"Upload-Length": "0"}, 400, "empty_body"),
            (own | {"Upload-Length": str(2**40)}, 413, "too_large"),
            (own | {"Upload-Metadata": "a *"}, 400, "bad_tus_header"),
            (own | {"Upload-Metadata": metadata(case_id="a b")}, 422, "bad_field"),
            (own | {"Upload-Metadata": metadata(site="jishi")}, 403, "site_forbidden"),
            (own | {"Upload-Metadata": metadata(device="ecg-2")}, 403, "device_forbidden"),
            (own | {"Upload-Concat": "final;/uploads/u_none"}, 404, "not_found"),
            (photograph, 413, "too_large"),
        ]
        for headers, status, code in cases:
            refused(await here.http.post(PATH, headers=headers), status, code=code)
        beyond = await here.http.post(PATH, headers=own | BODY, content=b"ten bytes.")
        refused(beyond, 413, code="too_large")
        refused(await here.http.post(PATH, headers=own, content=b"123"), 415, code="body_type")
        assert here.desk.book.seq == here.seq and not (tmp_path / "uploads").exists()
        assert (await here.http.post(PATH, headers=device | village)).status_code == 201

    tell(tmp_path, story)


def test_what_may_not_go_on_is_refused_and_changes_nothing(tmp_path: Path) -> None:
    """Another's upload, a body that is none, one that is too long whether it says so or not."""

    async def story(here: House, sender: Sender) -> None:
        url = (await sender.create(9, content=b"1234")).headers["location"]
        stranger = Sender(http=here.http, token=here.tokens["ecg-2"])
        for asked in (stranger.patch(url, 4, b"5"), stranger.call("DELETE", url), stranger.call("GET", url)):
            refused(await asked, 404, code="not_found")
        assert (await stranger.head(url)).status_code == 404
        refused(await sender.patch(url, 4, b"5", Content_Type="text/plain"), 415, code="body_type")
        refused(await sender.patch(url, 4, b"5", Tus_Resumable="2"), 412, code="tus_version")
        refused(await sender.patch(url, 4, b"5", Upload_Checksum="crc x"), 400, code="checksum_algorithm")
        refused(await sender.patch(url, 4, b"567890"), 413, code="too_large")

        async def growing() -> AsyncIterator[bytes]:
            for _ in range(3):
                yield b"56"

        refused(await sender.patch(url, 4, growing()), 413, code="too_large")
        assert (await sender.status(url))["offset"] == 4

    tell(tmp_path, story)


BAD: Final = {
    "noise": (bytes(range(256)) * 40, {}, 415, "unknown_format"),
    "half a file": (ECG[:3000], {}, 422, "malformed"),
    "other bytes": (ECG, {"sha256": "0" * 64}, 460, "checksum_mismatch"),
    "no such case": (ECG, {"case_id": "c_none"}, 404, "not_found"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_file_that_cannot_be_taken_is_refused_as_elsewhere(tmp_path: Path, name: str) -> None:
    """With the last body, again when asked again, and in what GET says; what could not be read is in quarantine."""
    content, fields, status, code = BAD[name]

    async def story(here: House, sender: Sender) -> None:
        url = (await sender.create(len(content), Upload_Metadata=metadata(**fields))).headers["location"]
        for offset, body in ((0, content), (len(content), b"")):
            answer = await sender.patch(url, offset, body)
            document = refused(answer, status, code=code)
            assert answer.headers["upload-offset"] == str(len(content))
        assert (await sender.status(url))["problem"] == document
        assert (await sender.head(url)).headers["greenchannel-problem"] == code
        kept = [file.reason for file in here.desk.quarantine.list()]
        assert kept == ([code] if status in (415, 422) else [])
        if status == 415:
            plain = await sender.call("POST", "/api/v1/ecgs", content=content)
            assert plain.json() == document

    tell(tmp_path, story)


def test_the_same_bytes_for_another_patient_are_for_a_person_to_decide(tmp_path: Path) -> None:
    """409 as by `POST /ecgs`, shown on the case, once."""

    async def story(here: House, sender: Sender) -> None:
        await sender.create(len(ECG), content=ECG, Upload_Metadata=metadata(patient_ref="p1"))
        other = await sender.create(len(ECG), content=ECG, Upload_Metadata=metadata(patient_ref="p2"))
        refused(other, 409, code="identity_conflict")
        refused(await sender.patch(other.headers["location"], len(ECG), b""), 409, code="identity_conflict")
        (case,) = here.desk.cases()
        assert len(case.conflicts) == 1

    tell(tmp_path, story)
