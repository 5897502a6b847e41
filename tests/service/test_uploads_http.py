"""Resumable upload over a real connection: cuts, repeats, joins, checksums, and everything that is refused."""

import asyncio
import hashlib
import random
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final

import pytest

from tests.service.bad_place import refused
from tests.service.viewer_house import House, ecg_file, house
from tests.tus_client import BODY, PATH, Sender, checksum, metadata

ECG: Final = ecg_file(st_mv=0.4)
CUTS: Final = 40


def tell(tmp_path: Path, story: Callable[[House, Sender], Awaitable[None]], **settings: Any) -> None:
    """Play a story at a running service."""

    async def play() -> None:
        async with house(tmp_path, **settings) as here:
            await story(here, Sender(http=here.http, token=here.tokens["ecg-1"]))

    asyncio.run(play())


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Poll, within a bound."""
    async with asyncio.timeout(20):
        while not await condition():
            await asyncio.sleep(0.005)


def test_what_came_before_a_cut_is_kept(tmp_path: Path) -> None:
    """All of it; and the next body goes on from there. The answer and the bytes are those of `POST /ecgs`."""

    async def story(here: House, sender: Sender) -> None:
        created = await sender.create(len(ECG), Upload_Metadata=metadata(patient_ref="p1", filename="a.zip"))
        url = created.headers["location"]
        assert created.status_code == 201 and url.startswith(f"{here.origin}{PATH}/u_"), created.text
        dice, offset = random.Random(3), 0
        for _ in range(CUTS):
            sent = dice.randint(0, len(ECG) // CUTS)
            await sender.cut(url, offset, ECG[offset:], sent)
            offset += sent

            async def there(wanted: int = offset) -> bool:
                return bool((await sender.status(url))["offset"] == wanted)

            await until(there)
        head = await sender.head(url)
        assert head.headers["upload-offset"] == str(offset) and head.headers["cache-control"] == "no-store"
        last = await sender.patch(url, offset, ECG[offset:])
        assert last.status_code == 204 and last.headers["upload-offset"] == str(len(ECG)), last.text

        plain = (await sender.call("POST", "/api/v1/ecgs?patient_ref=p1", content=ECG)).json()
        status = await sender.status(url)
        assert plain == status["answer"] | {"duplicate": True} and not status["answer"]["duplicate"]
        assert status["answer"]["ecg_id"] == last.headers["greenchannel-ecg-id"]
        assert status["answer"]["sha256"] == hashlib.sha256(ECG).hexdigest()
        assert last.headers["greenchannel-state"] == "analysed" and status["state"] == "taken"
        file = await sender.call("GET", f"/api/v1/ecgs/{plain['ecg_id']}/file")
        assert file.content == ECG

    tell(tmp_path, story)


def test_a_field_that_cannot_be_kept_is_named_at_the_end_of_an_upload(tmp_path: Path) -> None:
    """And costs no ECG: neither at its beginning nor at its end."""

    async def story(here: House, sender: Sender) -> None:
        said = metadata(age="old", sex="x", callback_phone="无")
        sent = await sender.create(len(ECG), content=ECG, Upload_Metadata=said)
        assert sent.status_code == 201, sent.text
        assert sent.headers["greenchannel-dropped"] == "age,sex"
        status = await sender.status(sent.headers["location"])
        assert status["answer"]["dropped"] == ["age", "sex"]

    tell(tmp_path, story)


def test_repeats_change_nothing(tmp_path: Path) -> None:
    """A lost answer, the last body once more, the same file in another upload: one ECG, one answer."""

    async def story(here: House, sender: Sender) -> None:
        url = (await sender.create(len(ECG))).headers["location"]
        assert (await sender.patch(url, 0, ECG[:500])).status_code == 204
        again = await sender.patch(url, 0, ECG[:500])
        assert refused(again, 409, code="offset_mismatch")["expected"] == "Upload-Offset: 500"
        assert again.headers["upload-offset"] == "500" and again.headers["tus-resumable"] == "1.0.0"
        first = await sender.patch(url, 500, ECG[500:])
        seq = here.desk.book.seq
        second = await sender.patch(url, len(ECG), b"")
        other = await sender.create(len(ECG), content=ECG)
        assert (first.status_code, second.status_code, other.status_code) == (204, 204, 201)
        for answer in (second, other, await sender.head(url)):
            assert answer.headers["greenchannel-ecg-id"] == first.headers["greenchannel-ecg-id"]
        assert second.headers["greenchannel-duplicate"] == "false"
        assert other.headers["greenchannel-duplicate"] == "true" and here.desk.book.seq == seq

    tell(tmp_path, story)


def test_parts_sent_apart_become_one(tmp_path: Path) -> None:
    """In the order of the final upload, once all are whole; a part alone is no ECG."""

    async def story(here: House, sender: Sender) -> None:
        half = len(ECG) // 2
        one = (await sender.create(half, Upload_Concat="partial")).headers["location"]
        two = await sender.create(len(ECG) - half, content=ECG[half:], Upload_Concat="partial")
        parts = f"final;{one} {two.headers['location']}"
        early = await sender.call("POST", PATH, headers={"Upload-Concat": parts})
        refused(early, 409, code="parts_unfinished")
        assert (await sender.patch(one, 0, ECG[:half])).status_code == 204
        assert here.desk.cases() == []
        final = await sender.call("POST", PATH, headers={"Upload-Concat": parts})
        assert final.status_code == 201 and final.headers["greenchannel-state"] == "analysed", final.text
        head = await sender.head(final.headers["location"])
        assert head.headers["upload-concat"] == parts and head.headers["upload-length"] == str(len(ECG))
        refused(await sender.patch(final.headers["location"], len(ECG), b""), 403, code="upload_final")
        assert (
            await sender.call("GET", f"/api/v1/ecgs/{head.headers['greenchannel-ecg-id']}/file")
        ).content == ECG

    tell(tmp_path, story)


@pytest.mark.parametrize("algorithm", ["sha1", "sha256", "md5"])
def test_a_body_that_does_not_match_its_checksum_is_not_kept(tmp_path: Path, algorithm: str) -> None:
    """Nor is one that was cut; the right one is."""

    async def story(here: House, sender: Sender) -> None:
        url = (await sender.create(len(ECG))).headers["location"]
        right = checksum(algorithm, hashlib.new(algorithm, ECG[:1000]).digest())
        spoilt = await sender.patch(url, 0, ECG[1:1001], **right)
        assert refused(spoilt, 460, code="checksum_mismatch")["title"] == "Checksum Mismatch"
        assert spoilt.headers["upload-offset"] == "0"
        await sender.cut(url, 0, ECG[:1000], 900, **right)
        assert (await sender.head(url)).headers["upload-offset"] == "0"
        assert (await sender.patch(url, 0, ECG[:1000], **right)).headers["upload-offset"] == "1000"

    tell(tmp_path, story)


def test_a_sender_who_comes_back_is_not_kept_waiting_by_its_old_line(tmp_path: Path) -> None:
    """The old request ends with 423; what it had brought is kept, and the new one goes on from there."""

    async def story(here: House, sender: Sender) -> None:
        url = (await sender.create(len(ECG))).headers["location"]
        async with sender.half(url, 0, ECG, 3000) as old:

            async def holds() -> bool:
                return here.desk.uploads.turns.busy(url.rpartition("/")[2])

            await until(holds)
            offset = int((await sender.head(url)).headers["upload-offset"])
            assert 0 <= offset <= 3000
            assert (await old.readline()).startswith(b"HTTP/1.1 423")
            assert (await sender.patch(url, offset, ECG[offset:])).headers["greenchannel-ecg-id"]

    tell(tmp_path, story)


def test_a_line_that_says_nothing_more_is_taken_for_cut(tmp_path: Path) -> None:
    """What came is kept, before that too: a checkpoint each second."""

    async def story(here: House, sender: Sender) -> None:
        url = (await sender.create(len(ECG))).headers["location"]
        async with sender.half(url, 0, ECG, 3000) as old:
            assert (await old.readline()).startswith(b"HTTP/1.1 408")
            assert (await sender.status(url))["offset"] == 3000

    tell(tmp_path, story, upload_idle_s=0.0)


def test_what_is_given_up_is_gone(tmp_path: Path) -> None:
    """204, then 404, and no file is left; also where a proxy lets only POST pass."""

    async def story(here: House, sender: Sender) -> None:
        for way in ("DELETE", "POST"):
            url = (await sender.create(9, content=b"12345")).headers["location"]
            override = {"X-HTTP-Method-Override": "DELETE"} if way == "POST" else {}
            assert (await sender.call(way, url, headers=override)).status_code == 204
            refused(await sender.call("GET", url), 404)
            assert (await sender.head(url)).status_code == 404
        assert list((tmp_path / "uploads").iterdir()) == []
        url = (await sender.create(9)).headers["location"]
        headers = {"X-HTTP-Method-Override": "PATCH", "Upload-Offset": "0"} | BODY
        assert (await sender.call("POST", url, headers=headers, content=b"123")).headers[
            "upload-offset"
        ] == "3"
        refused(await sender.call("POST", url), 405)

    tell(tmp_path, story)


def test_what_nobody_goes_on_with_is_forgotten(tmp_path: Path) -> None:
    """410 from the instant that was said, 404 once it was swept; due times stand in the database."""

    async def story(here: House, sender: Sender) -> None:
        created = await sender.create(9)
        assert created.headers["upload-expires"].endswith(" GMT")
        url = created.headers["location"]
        refused(await sender.patch(url, 0, b"123"), 410, code="upload_expired")
        assert (await sender.head(url)).status_code == 410
        await here.desk.uploads.sweep()
        refused(await sender.call("GET", url), 404)
        assert list((tmp_path / "uploads").iterdir()) == []

    tell(tmp_path, story, upload_kept_s=0.0)


def test_options_say_what_is_spoken(tmp_path: Path) -> None:
    """To everybody."""

    async def story(here: House, sender: Sender) -> None:
        said = (await here.http.options(PATH)).headers
        assert (said["tus-version"], said["tus-resumable"]) == ("1.0.0", "1.0.0")
        assert "creation-with-upload" in said["tus-extension"] and "sha1" in said["tus-checksum-algorithm"]
        assert int(said["tus-max-size"]) == here.desk.settings.max_upload_bytes

    tell(tmp_path, story)


def test_small_pieces_over_a_bad_line_are_the_whole(tmp_path: Path) -> None:
    """Pieces of any size, every third of them cut at any byte; what was acknowledged is there at each contact."""

    async def story(here: House, sender: Sender) -> None:
        for seed in range(2):
            data = ecg_file(st_mv=0.4, seed=seed)
            answer = await sender.send(data, random.Random(seed), 8000, patient_ref=f"p{seed}")
            file = await sender.call("GET", f"/api/v1/ecgs/{answer['ecg_id']}/file")
            assert file.content == data
        assert sender.cuts > 10

    tell(tmp_path, story)
