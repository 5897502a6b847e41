"""The quality pages over HTTP: who may ask, what a clinic sees, and what a refused question says."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from tests.service.viewer_house import House, ecg_file, house

Story = Callable[[House], Awaitable[None]]
PAGES = ("overview", "groups", "cases", "delays", "charts", "loop", "gaps")


def tell(story: Story, folder: Path) -> None:
    """One running service for one story."""

    async def run() -> None:
        async with house(folder) as here:
            await story(here)

    asyncio.run(run())


async def send(here: House, device: str, seed: int) -> str:
    """A machine of a clinic sends an ECG; gives the case."""
    sent = await here.http.post(
        "/api/v1/ecgs",
        content=ecg_file(st_mv=0.4, seed=seed),
        params={"chest_pain": "yes", "arrival_mode": "2", "name": "王建国"},
        headers=here.device(device),
    )
    assert sent.status_code == 201, sent.text
    return str(sent.json()["case_id"])


def test_a_clinic_counts_its_own_and_nobody_is_named(tmp_path: Path) -> None:
    """Quality staff and administrators count the network, doctors have no such page, and no answer holds a name."""

    async def story(here: House) -> None:
        ours, theirs = await send(here, "ecg-1", 1), await send(here, "ecg-2", 2)
        seen = {}
        for user in ("quality", "boss", "village", "cardiologist"):
            headers = await here.person(user)
            for page in PAGES:
                answer = await here.http.get(f"/api/v1/quality/{page}", headers=headers)
                assert answer.status_code == (403 if user == "cardiologist" else 200), (
                    user,
                    page,
                    answer.text,
                )
                assert "王建国" not in answer.text
                if page == "cases" and user != "cardiologist":
                    seen[user] = {one["case_id"] for one in answer.json()["cases"]}
        assert seen == {"quality": {ours, theirs}, "boss": {ours, theirs}, "village": {ours}}
        village = await here.person("village")
        assert (await here.http.get(f"/api/v1/quality/form/{ours}", headers=village)).status_code == 200
        assert (await here.http.get(f"/api/v1/quality/form/{theirs}", headers=village)).status_code == 404
        assert (await here.http.get("/api/v1/quality/overview")).status_code == 401

    tell(story, tmp_path)


def test_a_blank_is_no_reason_to_know_a_name(tmp_path: Path) -> None:
    """Quality staff open who the patient is with a reason that somebody can read in the access log."""

    async def story(here: House) -> None:
        case_id = await send(here, "ecg-1", 1)
        headers = await here.person("quality")
        named = {}
        for reason in ("", " ", "\u3000", "复核身份"):
            page = await here.http.get(f"/api/v1/cases/{case_id}", params={"reason": reason}, headers=headers)
            assert page.status_code == 200
            named[reason] = "王建国" in page.text
        assert named == {"": False, " ": False, "\u3000": False, "复核身份": True}

    tell(story, tmp_path)


def test_a_question_that_cannot_be_is_refused_with_what_was_expected(tmp_path: Path) -> None:
    """An edition, a grouping, a metric, a set or a month that there is not: 4xx with a code."""

    async def story(here: House) -> None:
        headers = await here.person("quality")
        for query in (
            "overview?standard=none",
            "overview?by=weather",
            "overview?from=2026-13",
            "overview?from=2026-02&to=2026-01",
            "groups?metric=none",
            "cases?metric=none",
            "cases?set=none",
            "delays?against_from=yesterday&against_to=today",
        ):
            answer = await here.http.get(f"/api/v1/quality/{query}", headers=headers)
            assert 400 <= answer.status_code < 500, query
            assert answer.headers["content-type"].startswith("application/problem+json"), query
            assert answer.json()["code"], query

    tell(story, tmp_path)


def test_what_quality_staff_enter_fills_the_gap_and_the_first_value_stays(tmp_path: Path) -> None:
    """The form shows the corrected time, marked; the case keeps both."""

    async def story(here: House) -> None:
        case_id = await send(here, "ecg-1", 1)
        headers = await here.person("quality")

        async def field() -> dict[str, object]:
            form = (await here.http.get(f"/api/v1/quality/form/{case_id}", headers=headers)).json()
            return next(one for part in form["sections"] for one in part["fields"] if one["id"] == "fmc_at")

        async def enter(at: str, **more: str) -> None:
            told = {"milestone": "FMC", "at": at, "source": "quality", **more}
            answer = await here.http.post(f"/api/v1/cases/{case_id}/milestones", json=told, headers=headers)
            assert answer.status_code < 300, answer.text

        row = (await here.http.get(f"/api/v1/cases/{case_id}", headers=headers)).json()
        assert (await field())["value"] is None
        await enter(row["opened_at"])
        first = await field()
        assert first["value"] == row["opened_at"] and not first["corrected"]
        later = row["opened_at"].replace("Z", "+00:00")
        await enter(later[:14] + "00:00.000+00:00", note="病历记录")
        assert (await field())["corrected"]
        page = (await here.http.get(f"/api/v1/cases/{case_id}", headers=headers)).json()
        fmc = next(one for one in page["timeline"]["milestones"] if one["id"] == "FMC")
        assert len(fmc["values"]) == 2

    tell(story, tmp_path)
