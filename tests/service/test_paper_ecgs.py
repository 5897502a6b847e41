"""Paper ECGs: kept, shown to a reader at once, never measured, and nobody learns where the clinic's telephone was."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest

from greenchannel.alerts.escalation_plan import default_settings
from greenchannel.events import EcgAnalysed
from greenchannel.service.desk import Desk
from greenchannel.service.errors import NotFound
from greenchannel.viewer.places import is_answered
from tests.desk_world import World, dicom, person
from tests.pictures import PLACE, heic, jpeg, pdf, png
from tests.service.bad_place import refused
from tests.service.viewer_house import House, house
from tests.tus_client import Sender, metadata

KINDS: Final[dict[str, tuple[Callable[[], bytes], str]]] = {
    "jpeg": (jpeg, "image/jpeg"),
    "png": (png, "image/png"),
    "heic": (heic, "image/heic"),
    "pdf": (pdf, "application/pdf"),
}


def alone(tmp_path: Path, story: Callable[[World, Desk], Awaitable[None]]) -> None:
    """One life of a desk."""
    world = World(folder=tmp_path)

    async def play() -> None:
        async with world.desk() as desk:
            await story(world, desk)

    asyncio.run(play())


@pytest.mark.parametrize("kind", KINDS)
def test_a_picture_of_an_ecg_is_for_a_reader(tmp_path: Path, kind: str) -> None:
    """URG, not analysed, with a warning in both languages; no waveform, no measurement, the original as it came."""
    data = KINDS[kind][0]()

    async def story(world: World, desk: Desk) -> None:
        sent = await world.send(desk, data, patient_ref="p1")
        assert (sent.state, sent.duplicate) == ("not_analysed", False)
        case = desk.case(sent.case_id)
        (ecg,) = case.ecgs
        assert (case.tier, ecg.state, ecg.format, ecg.leads) == ("URG", "not_analysed", kind, ())
        assert (ecg.rate_hz, ecg.duration_s, ecg.acceptable, ecg.analysed_at) == (None, None, None, None)
        (finding,) = ecg.findings
        assert "核对纸上的姓名和时间" in finding["zh"] and "check name and time" in finding["en"]
        assert await desk.analysis(sent.ecg_id) is None and await desk.original(sent.ecg_id) == data
        with pytest.raises(NotFound):
            await desk.recording(sent.ecg_id)
        assert not any(isinstance(one.event, EcgAnalysed) for one in desk.log.read())
        assert b"".join(path.read_bytes() for path in (tmp_path / "blobs").rglob("*.*")).find(PLACE) < 0

    alone(tmp_path, story)


def test_the_same_picture_again_is_the_same(tmp_path: Path) -> None:
    """Nothing new is written, after a restart too; and the restart reads nothing and reports nothing overdue."""
    world, data = World(folder=tmp_path), jpeg()

    async def play() -> None:
        async with world.desk() as desk:
            first = await world.send(desk, data, patient_ref="p1")
        world.pass_time(300.0)  # its clock in the worklist has not run out
        async with world.desk() as desk:
            seq = desk.book.seq
            again = await world.send(desk, data, patient_ref="p1")
            assert (again.ecg_id, again.duplicate, again.state) == (first.ecg_id, True, "not_analysed")
            await desk._read_again()
            await desk.auditor.look()
            assert desk.book.seq == seq and desk.auditor.missed == 0

    asyncio.run(play())


def test_a_reader_opens_and_signs_it_like_any_ecg(tmp_path: Path) -> None:
    """What is signed stands beside it; then the case can be closed."""

    async def story(world: World, desk: Desk) -> None:
        sent = await world.send(desk, jpeg(), patient_ref="p1", acquired_at="2026-03-02T16:00:00+08:00")
        await desk.answers.ecg_opened(sent.ecg_id, person("chen"))
        case = await desk.answers.sign_reading(
            sent.ecg_id, person("chen"), text="窦性心律", tier="NONE", advice="复查心电图"
        )
        assert case.ecgs[0].state == "diagnosed"
        assert (await desk.answers.close_case(sent.case_id, person("chen"), "done")).state == "closed"

    alone(tmp_path, story)


def test_it_stands_beside_measured_ecgs_of_the_episode(tmp_path: Path) -> None:
    """It is no earlier recording to compare with, and hides nothing: the most urgent one leads."""

    async def story(world: World, desk: Desk) -> None:
        paper = await world.send(desk, jpeg(), patient_ref="p1")
        measured = await world.send(desk, dicom(), patient_ref="p1")
        case = desk.case(paper.case_id)
        assert measured.case_id == paper.case_id and case.tier == "ACT"
        assert case.worst_ecg is not None and case.worst_ecg.ecg_id == measured.ecg_id

    alone(tmp_path, story)


def test_it_moves_with_its_case(tmp_path: Path) -> None:
    """Merged or split off it stays what it is, with the time at which it was left to a person."""

    async def story(world: World, desk: Desk) -> None:
        one = await world.send(desk, jpeg(1), patient_ref="p1")
        two = await world.send(desk, jpeg(2), patient_ref="p2")
        said_at = desk.case(two.case_id).ecgs[0].not_analysed_at
        world.pass_time(60.0)
        await desk.answers.merge(two.case_id, person("chen"), one.case_id)
        moved = desk.case(one.case_id).ecg(two.ecg_id)
        assert moved is not None and (moved.state, moved.not_analysed_at) == ("not_analysed", said_at)
        await desk.answers.split(one.case_id, person("chen"), [two.ecg_id])
        split = desk.case_of_ecg(two.ecg_id)
        assert (
            split.case_id != one.case_id
            and split.tier == "URG"
            and len(desk.case(one.case_id).current_ecgs) == 1
        )

    alone(tmp_path, story)


def test_where_urgent_readings_page_a_picture_pages_too(tmp_path: Path) -> None:
    """By the same settings as any ECG, once; by default URG does not ring, and waits at its place in the list."""
    paging = msgspec.structs.replace(default_settings(), paging_tiers=("ACT", "CRIT", "URG"), waiting_s={})
    world = World(folder=tmp_path, escalation=paging)

    async def play() -> None:
        async with world.desk() as desk:
            for _ in range(2):
                sent = await world.send(desk, jpeg(), patient_ref="p1")
            case = desk.case(sent.case_id)
            assert [(alert.tier, alert.ecg_ids) for alert in case.alerts] == [("URG", (sent.ecg_id,))]
            await desk.answers.acknowledge(case.alerts[0].alert_id, person("chen"))
            assert is_answered(desk.case(sent.case_id))
        world.escalation = None
        async with world.desk() as desk:
            sent = await world.send(desk, jpeg(2), patient_ref="p2")
            assert desk.case(sent.case_id).alerts == ()

    asyncio.run(play())


# ---------------------------------------------------------------- over HTTP


def test_the_shown_copy_is_all_that_a_browser_gets(tmp_path: Path) -> None:
    """By POST and by tus; with the warning, a look in the access log, and 404 for whoever may not see it."""

    async def story(here: House) -> None:
        sender = Sender(http=here.http, token=here.tokens["ecg-1"])
        doctor, quality, other = [await here.person(one) for one in ("cardiologist", "quality", "other")]
        for kind, (make, media_type) in KINDS.items():
            data = make()
            made = await sender.create(
                len(data), content=data, Upload_Metadata=metadata(filetype=media_type, patient_ref=kind)
            )
            assert made.status_code == 201 and made.headers["greenchannel-state"] == "not_analysed", made.text
            plain = await sender.call("POST", f"/api/v1/ecgs?patient_ref={kind}", content=data)
            assert plain.status_code == 200 and plain.json()["duplicate"]
            ecg_id = made.headers["greenchannel-ecg-id"]
            told: dict[str, Any] = (await here.http.get(f"/api/v1/ecgs/{ecg_id}", headers=doctor)).json()
            assert told["analysis"] is None and told["paper"]["kind"] == kind
            assert "姓名" in told["paper"]["zh"] and "name" in told["paper"]["en"]
            shown = await here.http.get(told["paper"]["shown"], headers=doctor)
            assert shown.status_code == 200 and shown.headers["content-type"] == media_type
            assert PLACE not in shown.content and PLACE in data
            way = "inline" if kind in ("jpeg", "png") else "attachment"
            assert shown.headers["content-disposition"].startswith(way)
            assert shown.headers["cache-control"] == "no-store"
            refused(await here.http.get(told["paper"]["shown"], headers=quality), 403)
            refused(await here.http.get(told["paper"]["shown"], headers=other), 404)
            refused(await here.http.get(f"/api/v1/ecgs/{ecg_id}/waveform", headers=doctor), 404)
            assert (await here.http.get(f"/api/v1/ecgs/{ecg_id}/file", headers=doctor)).content == data
        rows = (await here.http.get("/api/v1/cases", headers=doctor)).json()["cases"]
        assert {(row["tier"], row["ecgs"][0]["not_analysed"]) for row in rows} == {("URG", "paper")}
        assert all("核对" in row["headline_zh"] and "check name" in row["headline_en"] for row in rows)

    async def play() -> None:
        async with house(tmp_path) as here:
            await story(here)

    asyncio.run(play())


def test_a_measured_ecg_has_no_picture(tmp_path: Path) -> None:
    """404, whoever asks."""

    async def play() -> None:
        async with house(tmp_path) as here:
            sent = await here.http.post("/api/v1/ecgs", content=dicom(), headers=here.device())
            shown = await here.http.get(f"/api/v1/ecgs/{sent.json()['ecg_id']}/shown", headers=here.device())
            refused(shown, 404)
            told = await here.http.get(f"/api/v1/ecgs/{sent.json()['ecg_id']}", headers=here.device())
            assert told.json()["paper"] is None

    asyncio.run(play())
