"""Signing over HTTP: templates, two people at once, what an amendment keeps, a disagreement with its reason."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from tests.service.viewer_house import PASSWORD, House, ecg_file, house

Story = Callable[[House], Awaitable[None]]


def tell(story: Story, folder: Path, **settings: Any) -> None:
    async def run() -> None:
        async with house(folder, **settings) as here:
            here.desk.accounts.add_user("second", "林医生", "cardiologist", PASSWORD)
            await story(here)

    asyncio.run(run())


async def sent(here: House) -> str:
    answer = await here.http.post("/api/v1/ecgs", content=ecg_file(st_mv=0.4), headers=here.device())
    return str(answer.json()["ecg_id"])


async def sign(here: House, ecg_id: str, who: dict[str, str], **body: Any) -> Any:
    given = {"text": "广泛前壁心肌梗死", "tier": "ACT"} | body
    return await here.http.post(f"/api/v1/ecgs/{ecg_id}/reading", headers=who, json=given)


def test_the_second_of_two_who_sign_at_once_is_told_by_name(tmp_path: Path) -> None:
    """Nothing of hers is written; once she has seen the first, hers amends it, and the first is kept."""

    async def story(here: House) -> None:
        ecg_id = await sent(here)
        first, second = await here.person("cardiologist"), await here.person("second")
        one, two = await asyncio.gather(
            sign(here, ecg_id, first, after=0),
            sign(here, ecg_id, second, after=0, text="前间壁心肌梗死"),
        )
        won, lost = (one, two) if one.status_code == 200 else (two, one)
        assert (won.status_code, lost.status_code) == (200, 409)
        winner = won.json()["case"]["reading"]
        refusal = lost.json()
        assert refusal["code"] == "reading_changed"
        assert winner["name"] in refusal["zh"] and winner["name"] in refusal["detail"]
        loser = second if won is one else first
        again = await sign(here, ecg_id, loser, after=winner["seq"], text="前间壁、高侧壁心肌梗死")
        reading = again.json()["case"]["reading"]
        assert reading["text"] == "前间壁、高侧壁心肌梗死"
        kept = {key: winner[key] for key in ("at", "tier", "text", "person", "name")}
        assert reading["amends"] == kept | {"readings": 2}
        case_id = again.json()["case"]["case_id"]
        page = (await here.http.get(f"/api/v1/cases/{case_id}", headers=first)).json()
        assert [one["text"] for one in page["readings"]] == [winner["text"], "前间壁、高侧壁心肌梗死"]

    tell(story, tmp_path)


def test_an_answer_that_was_lost_may_be_asked_for_again(tmp_path: Path) -> None:
    """The same words by the same person are no second reading and no conflict."""

    async def story(here: House) -> None:
        ecg_id, doctor = await sent(here), await here.person("cardiologist")
        for _ in range(2):
            answer = await sign(here, ecg_id, doctor, after=0, agrees=True)
            assert answer.status_code == 200 and answer.json()["case"]["reading"]["amends"] is None

    tell(story, tmp_path)


def test_disagreeing_needs_a_reason_and_keeps_it(tmp_path: Path) -> None:
    """422 without one; with one it stands in the reading. A blank left in the text is refused, too."""

    async def story(here: House) -> None:
        ecg_id, doctor = await sent(here), await here.person("cardiologist")
        for body, code in (
            ({"agrees": False}, "reason_required"),
            ({"agrees": False, "reason": "  "}, "reason_required"),
            ({"advice": "按方案用药 ___ mg"}, "blank_left"),
            ({"text": "急性___心肌梗死"}, "blank_left"),
        ):
            answer = await sign(here, ecg_id, doctor, **({"tier": "FLAG"} | body))
            assert (answer.status_code, answer.json()["code"]) == (422, code)
            assert answer.json()["zh"] != answer.json()["detail"]
        said = await sign(here, ecg_id, doctor, tier="FLAG", agrees=False, reason="早期复极")
        reading = said.json()["case"]["reading"]
        assert (reading["agrees"], reading["reason"]) == (False, "早期复极")

    tell(story, tmp_path)


def test_templates_are_for_those_who_sign(tmp_path: Path) -> None:
    """What fits the machine's reading first; the site's file beside it; 403 and 404 as everywhere."""

    async def story(here: House) -> None:
        ecg_id, doctor = await sent(here), await here.person("cardiologist")
        path = f"/api/v1/ecgs/{ecg_id}/templates"
        offered = (await here.http.get(path, headers=doctor)).json()
        assert offered["readings"][0]["id"] == "stemi" and "STE-1" in offered["readings"][0]["fits"]
        assert offered["advice"][0]["of_site"] and offered["advice"][0]["id"] == "antiplatelet"
        assert {"mimic", "missed"} <= {one["id"] for one in offered["reasons"]}
        for who, status in (("village", 403), ("quality", 403)):
            assert (await here.http.get(path, headers=await here.person(who))).status_code == status
        none = await here.http.get("/api/v1/ecgs/e_none/templates", headers=doctor)
        assert none.status_code == 404

    tell(story, tmp_path, templates_file=Path("docs/examples/site-templates.toml").resolve())
