"""A critical result that was signed and that nobody has heard yet: first in the list, and before the clinic's eyes."""

import json
from pathlib import Path
from typing import Any, cast

from websockets.asyncio.client import connect

from greenchannel.events import AlertDelivered, AlertSeen, AlertUnreachable, image_stream
from tests.service.test_imaging_http import API, REPORT, TOLD, post, send, tell, waiting
from tests.service.test_viewer_sockets import read, until
from tests.service.viewer_house import House


def test_an_untold_critical_result_stands_above_everything_that_waits(tmp_path: Path) -> None:
    """Also above STAT, the first signed first; told, it is gone, and a provisional report stands last."""

    async def story(here: House) -> None:
        first, second, third = [await send(here, n, patient_id=f"P{n}") for n in (1, 2, 3)]
        stat = await send(here, 4, patient_id="P4", RequestedProcedurePriority="STAT")
        rad = await here.person("rad")
        for uid in (third, second):
            await post(here, rad, uid, "report", REPORT)
        await post(here, rad, first, "report", REPORT | {"critical": [], "provisional": True})

        assert await waiting(here, rad) == [third, second, stat, first]
        await post(here, rad, third, "critical", TOLD)
        assert await waiting(here, rad) == [second, stat, first]

    tell(tmp_path, story)


async def calls(here: House, who: dict[str, str]) -> dict[str, Any]:
    answer = await here.http.get(f"{API}/calls", headers=who)
    assert answer.status_code == 200, answer.text
    return cast("dict[str, Any]", answer.json())


def test_a_stat_study_calls_its_radiologists_on_the_page_until_one_has_it(tmp_path: Path) -> None:
    """Nobody has a telephone or a gateway here: the page is what rings. Others are not called."""

    async def story(here: House) -> None:
        await send(here, 1, patient_id="P1")
        uid = await send(here, 2, patient_id="P2", RequestedProcedurePriority="STAT")
        rad, second, clinic = [await here.person(one) for one in ("rad", "rad2", "village")]
        (due,) = (await calls(here, rad))["due"]
        assert (due["study_uid"], due["tier"], due["site"]["id"]) == (uid, "CRIT", "yinzhao")
        assert (await calls(here, clinic))["due"] == []

        await post(here, rad, uid, "claim")
        assert [len((await calls(here, one))["due"]) for one in (rad, second)] == [1, 0]
        await post(here, rad, uid, "report", REPORT)
        assert (await calls(here, rad))["due"] == []

    tell(tmp_path, story)


def test_an_untold_critical_result_is_before_the_eyes_of_its_clinic_and_its_signer(tmp_path: Path) -> None:
    """With what it is and which case; no other clinic sees it, and once told it is gone."""

    async def story(here: House) -> None:
        uid = await send(here)
        rad, second, clinic, other = [await here.person(one) for one in ("rad", "rad2", "village", "other")]
        status, page = await post(here, rad, uid, "report", REPORT)
        assert status == 201
        (seen,) = (await calls(here, clinic))["untold"]
        assert (seen["case_id"], seen["critical"][0]["zh"], seen["mine"]) == (
            page["case_id"],
            "颅内出血",
            False,
        )
        mine = [[one["mine"] for one in (await calls(here, who))["untold"]] for who in (rad, second, other)]
        assert mine == [[True], [False], []]
        assert (await here.http.get(f"{API}/calls", headers=here.device())).status_code == 403

        await post(here, rad, uid, "critical", TOLD)
        assert (await calls(here, clinic))["untold"] == []

    tell(tmp_path, story)


def test_a_call_is_about_the_texts_that_were_told_and_no_later_one(tmp_path: Path) -> None:
    """An addendum that is signed while the telephone rings was not spoken of: with two that wait, it is said which.
    One without a critical result opens nothing again."""

    async def story(here: House) -> None:
        uid = await send(here)
        rad = await here.person("rad")

        async def add(critical: list[str]) -> Any:
            body = {"text": "另见双侧气胸。", "reason": "addition", "critical": critical}
            return (await post(here, rad, uid, "addendum", body))[1]["reading"]

        await post(here, rad, uid, "report", REPORT)
        reading = await add(["tension_pneumothorax"])
        first, second = [one["report_id"] for one in reading["untold"]]
        status, problem = await post(here, rad, uid, "critical", TOLD)
        assert (status, problem["code"]) == (422, "report_ids_needed")
        status, page = await post(here, rad, uid, "critical", TOLD | {"report_ids": [first]})
        assert status == 201, page
        assert [one["report_id"] for one in page["reading"]["untold"]] == [second]
        assert page["reading"]["calls"][0]["report_ids"] == [first]
        status, page = await post(here, rad, uid, "critical", TOLD)  # the only one that is left
        assert page["reading"]["untold"] == [] and page["reading"]["calls"][1]["report_ids"] == [second]

        assert (await add([]))["untold"] == []
        assert len((await add(["tension_pneumothorax"]))["untold"]) == 1

    tell(tmp_path, story)


def rung(here: House, uid: str) -> list[tuple[str, str]]:
    """What the log says of rings on boards."""
    return [
        (str(envelope.event.__struct_config__.tag), envelope.event.person)
        for envelope in here.desk.log.read_stream(image_stream(uid))
        if isinstance(envelope.event, AlertDelivered | AlertSeen | AlertUnreachable)
    ]


def test_an_open_page_hears_of_a_study_at_once_and_the_log_says_whose_page_took_the_ring(
    tmp_path: Path,
) -> None:
    """A frame on the line, no asking every few seconds; another clinic's page hears nothing, and may say nothing."""

    async def story(here: House) -> None:
        rad, second, other = [await here.person(one) for one in ("rad", "rad2", "other")]
        async with (
            connect(here.ws("live"), additional_headers=rad) as page,
            connect(here.ws("live"), additional_headers=other) as foreign,
        ):
            await read(page), await read(foreign)
            uid = await send(here, RequestedProcedurePriority="STAT")
            await until(page, "images_changed")
            (due,) = (await calls(here, rad))["due"]
            assert due["owed"] is True
            said = json.dumps({"type": "delivered", "alert_id": due["alert_id"], "study_uid": uid})
            for line in (page, page, foreign):
                await line.send(said)
            await until(page, "images_changed")
            for line in (page, foreign):
                await line.send(json.dumps({"type": "ping"}))
                _, before = await until(line, "mark")
                assert "images_changed" not in [one["type"] for one in before]

        assert rung(here, uid) == [("alert_delivered", "rad")]
        mine = [[one["owed"] for one in (await calls(here, who))["due"]] for who in (rad, second)]
        assert mine == [[False], [True]]
        shown = (await here.http.get(f"{API}/studies/{uid}", headers=rad)).json()["reading"]["rung"]
        assert [(one["person"]["person"], one["arrived"]) for one in shown] == [("rad", True), ("rad2", None)]

    tell(tmp_path, story)
