"""What people say of cases over HTTP: of what is named twice, of an erased patient, in words that show nothing."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from tests.service.viewer_house import House, ecg_file, house

Story = Callable[[House], Awaitable[None]]


def tell(story: Story, folder: Path) -> None:
    async def run() -> None:
        async with house(folder) as here:
            await story(here)

    asyncio.run(run())


async def answered(here: House, seed: int, patient_ref: str) -> tuple[str, str]:
    """A case with one ECG whose alert a doctor has answered: the ids of both."""
    answer = await here.http.post(
        "/api/v1/ecgs",
        content=ecg_file(st_mv=0.4, seed=seed),
        params={"patient_ref": patient_ref},
        headers=here.device(),
    )
    assert answer.status_code == 201, answer.text
    sent = answer.json()
    (alert,) = here.desk.case(sent["case_id"]).alerts
    await command(here, f"/alerts/{alert.alert_id}/ack", {})
    return sent["case_id"], sent["ecg_id"]


async def command(here: House, path: str, body: dict[str, Any], user: str = "cardiologist") -> Any:
    return await here.http.post(f"/api/v1{path}", json=body, headers=await here.person(user))


def test_an_ecg_that_is_named_twice_moves_once(tmp_path: Path) -> None:
    """A list of ids with one of them twice is carried out, and the bytes go along."""

    async def story(here: House) -> None:
        first, _ = await answered(here, 1, "17")
        second, ecg_id = await answered(here, 2, "18")
        assert (await command(here, f"/cases/{second}/merge", {"into": first})).status_code == 200
        answer = await command(here, f"/cases/{first}/split", {"ecg_ids": [ecg_id, ecg_id]})
        assert answer.status_code == 200, answer.text
        doctor = await here.person("cardiologist")
        found = (await here.http.get(f"/api/v1/ecgs/{ecg_id}", headers=doctor)).json()
        assert found["case_id"] not in (first, second)
        file = await here.http.get(f"/api/v1/ecgs/{ecg_id}/file", headers=doctor)
        assert file.content == ecg_file(st_mv=0.4, seed=2)

    tell(story, tmp_path)


def test_ecgs_of_an_erased_patient_are_not_moved_and_the_answer_says_why(tmp_path: Path) -> None:
    """Neither by a split nor by a merge in either direction: their bytes can be read by nobody any more."""

    async def story(here: House) -> None:
        erased, ecg_id = await answered(here, 1, "17")
        other, _ = await answered(here, 2, "18")
        assert (await command(here, f"/cases/{erased}/erase", {"reason": "asked"}, "boss")).status_code == 204
        for path, body in (
            (f"/cases/{erased}/split", {"ecg_ids": [ecg_id]}),
            (f"/cases/{erased}/split", {"ecg_ids": [ecg_id], "into": other}),
            (f"/cases/{erased}/merge", {"into": other}),
            (f"/cases/{other}/merge", {"into": erased}),
        ):
            answer = await command(here, path, body)
            assert (answer.status_code, answer.json()["code"]) == (409, "patient_erased"), path
        assert here.desk.case(erased).state == here.desk.case(other).state == "open"

    tell(story, tmp_path)


def test_an_ecg_of_another_patient_leaves_a_closed_case(tmp_path: Path) -> None:
    """Before, a case that was closed kept it for ever: no split, no merge, and no way to open the case again."""

    async def story(here: House) -> None:
        case_id, ecg_id = await answered(here, 1, "17")
        assert (await command(here, f"/cases/{case_id}/close", {"reason": "转诊"})).status_code == 200
        answer = await command(here, f"/cases/{case_id}/split", {"ecg_ids": [ecg_id]})
        assert answer.status_code == 200, answer.text
        left = answer.json()["case"]
        assert (left["state"], left["ecgs"]) == ("closed", [])
        moved = here.desk.case_of_ecg(ecg_id)
        assert moved.case_id != case_id and moved.state == "open"
        assert moved.alert is not None and moved.alert.follow_up_at is not None

    tell(story, tmp_path)


def test_words_that_show_nothing_are_none(tmp_path: Path) -> None:
    """No reading is signed and no channel stood down by them, and no mark turns around what stands beside it."""

    async def story(here: House) -> None:
        case_id, ecg_id = await answered(here, 1, "17")
        assert (await command(here, f"/cases/{case_id}/green-channel", {})).status_code == 200
        for nothing in ("\u200b\u200b", " \u202e ", "\u200d"):
            for path, body in (
                (f"/ecgs/{ecg_id}/reading", {"text": nothing, "tier": "NONE"}),
                (f"/cases/{case_id}/stand-down", {"reason": nothing}),
            ):
                answer = await command(here, path, body)
                assert (answer.status_code, answer.json()["code"]) == (422, "invalid"), (path, nothing)
        body = {"text": "\u202e前壁心肌梗死", "tier": "ACT"}
        answer = await command(here, f"/ecgs/{ecg_id}/reading", body)
        assert answer.json()["case"]["reading"]["text"] == "前壁心肌梗死"

    tell(story, tmp_path)


def test_a_history_of_any_length_costs_no_ecg(tmp_path: Path) -> None:
    """A form with a text of 200 KB beside the file: the text is cut and named, the ECG is taken."""

    async def story(here: House) -> None:
        answer = await here.http.post(
            "/api/v1/ecgs",
            data={"history": "胸痛" * 35_000, "age": "61"},
            files={"file": ("ecg.zip", ecg_file(st_mv=0.4))},
            headers=here.device(),
        )
        assert answer.status_code == 201, answer.text
        assert answer.json()["dropped"] == ["history"]

    tell(story, tmp_path)
