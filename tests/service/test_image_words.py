"""What people write and say about images is the patient's: it is read as long as the patient is, and then nowhere."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx

from greenchannel.assembly import build, listen, running
from greenchannel.events import ImageReportSigned, image_stream
from greenchannel.settings import Settings
from tests.service.test_imaging_http import REPORT, TOLD, post, send, tell
from tests.service.viewer_house import House, ecg_file

STAT = "急诊要求优先的原因甲乙丙"
DRAFT = "草稿里的所见丁戊己"
FINDINGS = "所见文字庚辛壬"
IMPRESSION = "意见文字子丑寅"
ADDED = "补充文字卯辰巳"
SAID_BACK = "复述文字午未申"
NOTED = "备注文字酉戌亥"
SHARED = "转诊原因天地玄黄"
WORDS = (STAT, DRAFT, FINDINGS, IMPRESSION, ADDED, SAID_BACK, NOTED, SHARED)


def found_in(folder: Path) -> dict[str, list[str]]:
    """In which files of a folder, as they lie on the disk, each of the words stands."""
    files = [one for one in folder.rglob("*") if one.is_file()]
    assert any(one.suffix.startswith(".db") or "sqlite" in one.name for one in files), files
    said = {one: one.read_bytes() for one in files}
    return {
        word: [one.name for one, data in said.items() if word.encode() in data or _escaped(word) in data]
        for word in WORDS
    }


def _escaped(word: str) -> bytes:
    return word.encode("unicode_escape")


async def later(folder: Path, story: Callable[[House], Awaitable[None]]) -> None:
    """The service started anew on the same folder."""
    desk = build(Settings(data_dir=folder, port=0))
    sock = listen(desk.settings)
    origin = f"http://127.0.0.1:{sock.getsockname()[1]}"
    async with running(desk, sock), httpx.AsyncClient(base_url=origin, timeout=20.0) as http:
        await story(House(desk=desk, http=http, origin=origin, tokens={}, seq=desk.hub.seq))


async def page_of(here: House, uid: str, who: dict[str, str]) -> dict[str, Any]:
    answer = await here.http.get(f"/api/v1/imaging/studies/{uid}", headers=who)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_words_about_images_are_read_until_their_patient_is_erased_and_stand_nowhere_then(
    tmp_path: Path,
) -> None:
    """Not in the database and its write-ahead file, not in the files of images, not in the noted looks; the log is
    whole, and a service that starts anew reads the words from it."""
    folder = tmp_path / "data"
    uid = ""

    async def write(here: House) -> None:
        nonlocal uid
        await here.http.post("/api/v1/ecgs?patient_ref=P1", content=ecg_file(), headers=here.device())
        uid = await send(here)
        rad, clinic = await here.person("rad"), await here.person("village")
        assert (await post(here, clinic, uid, "stat", {"reason": STAT}))[0] == 200
        await post(here, rad, uid, "claim")
        drafted = {"findings": DRAFT, "impression": "___"}
        assert (await post(here, rad, uid, "draft", drafted))[1]["draft"]["findings"] == DRAFT
        versions = here.desk.image_readings.reading(uid).version
        await post(here, rad, uid, "draft", drafted)
        assert (
            here.desk.image_readings.reading(uid).version == versions
        )  # the same again is not written again
        signed = REPORT | {"findings": FINDINGS, "impression": IMPRESSION}
        assert (await post(here, rad, uid, "report", signed))[0] == 201
        await post(here, rad, uid, "addendum", {"text": ADDED, "reason": "addition"})
        await post(here, rad, uid, "critical", TOLD | {"read_back": SAID_BACK, "note": NOTED})
        assert (await post(here, clinic, uid, "share", {"site": "jishi", "reason": SHARED}))[0] == 200

    async def read(here: House) -> None:
        rad, boss = await here.person("rad"), await here.person("boss")
        page = await page_of(here, uid, rad)
        state = page["reading"]
        assert state["stat_reason"] == STAT
        assert [one["findings"] for one in state["signed"]] == [FINDINGS, ""]
        assert [one["impression"] for one in state["signed"]] == [IMPRESSION, ADDED]
        assert (state["calls"][0]["read_back"], state["calls"][0]["note"]) == (SAID_BACK, NOTED)
        assert state["untold"] == []
        case = (await here.http.get(f"/api/v1/cases/{page['case_id']}", headers=rad)).json()
        assert case["images"][0]["reading"]["signed"][0]["impression"] == IMPRESSION
        report = await here.http.get(f"/api/v1/imaging/studies/{uid}/report.dcm", headers=rad)
        assert IMPRESSION.encode() in report.content
        assert found_in(folder) == {word: [] for word in WORDS}

        answer = await here.http.post(
            f"/api/v1/cases/{page['case_id']}/erase", headers=boss, json={"reason": "本人要求"}
        )
        assert answer.status_code == 204
        assert (await here.http.get(f"/api/v1/imaging/studies/{uid}", headers=rad)).status_code == 404
        assert here.desk.log.verify().ok
        stream = here.desk.log.read_stream(image_stream(uid))
        (signed,) = [one.event for one in stream if isinstance(one.event, ImageReportSigned)]
        assert (signed.findings, signed.impression) == ("", "")
        assert signed.sealed is not None
        exported = await here.http.get("/api/v1/export/cases", headers=boss)
        assert exported.status_code == 200, exported.text
        assert not any(word in exported.text for word in WORDS)

    tell(folder, write)
    asyncio.run(later(folder, read))
    assert found_in(folder) == {word: [] for word in WORDS}
