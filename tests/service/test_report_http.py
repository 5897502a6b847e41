"""The report over HTTP: a PDF for who may see the trace, with the name for who may know it."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from tests.pdf_paths import pages_of, text_of
from tests.service.viewer_house import House, beats, ecg_file, house

Story = Callable[[House], Awaitable[None]]


def tell(story: Story, folder: Path) -> None:
    async def run() -> None:
        async with house(folder) as here:
            await story(here)

    asyncio.run(run())


async def sent(here: House) -> tuple[str, str]:
    answer = await here.http.post(
        "/api/v1/ecgs", content=ecg_file(st_mv=0.4), headers=here.device(), params={"name": "邴鹭夔"}
    )
    return str(answer.json()["ecg_id"]), str(answer.json()["case_id"])


def test_a_report_is_a_pdf_with_the_trace_and_the_name_by_rights(tmp_path: Path) -> None:
    """The doctor's has the name; that of quality staff and of a device a pseudonym, unless a reason is given."""

    async def story(here: House) -> None:
        ecg_id, case_id = await sent(here)
        path = f"/api/v1/ecgs/{ecg_id}/report"
        doctor, quality = await here.person("cardiologist"), await here.person("quality")

        async def letters(who: dict[str, str], **query: str) -> set[str]:
            answer = await here.http.get(path, headers=who, params=query)
            assert answer.status_code == 200, answer.text
            assert answer.headers["content-type"] == "application/pdf"
            assert answer.headers["cache-control"] == "no-store"
            assert {line.name.split()[0] for line in pages_of(answer.content)[0].marked("Trace")} == set(
                beats().leads
            )
            return set(text_of(answer.content))

        name = set("邴鹭夔")
        assert name <= await letters(doctor)
        assert name <= await letters(doctor, lang="en", form="12x1", paper="portrait", speed="50", gain="5")
        assert not name & await letters(doctor, named="false")
        assert not name & await letters(quality)
        assert name <= await letters(quality, reason="死亡病例讨论")
        assert not name & await letters(here.device())
        assert name <= await letters(await here.person("village"))
        await asyncio.to_thread(here.desk.access.flush)
        looks = [(one.actor, one.action) for one in here.desk.access.entries(case_id=case_id)]
        assert looks.count(("user:cardiologist", "look_report")) == 3
        assert looks.count(("user:quality", "look_identity")) == 1

    tell(story, tmp_path)


def test_who_signed_stands_in_the_report(tmp_path: Path) -> None:
    """Signed by name; before, that nobody has."""

    async def story(here: House) -> None:
        ecg_id, _ = await sent(here)
        doctor = await here.person("cardiologist")
        path = f"/api/v1/ecgs/{ecg_id}/report"
        before = text_of((await here.http.get(path, headers=doctor)).content)
        body = {"text": "广泛前壁心肌梗死窦性躁", "tier": "ACT"}
        assert (await here.http.post(f"/api/v1/ecgs/{ecg_id}/reading", headers=doctor, json=body)).is_success
        after = text_of((await here.http.get(path, headers=doctor)).content)
        assert "躁" not in before and set("躁王医生已签发") <= set(after)

    tell(story, tmp_path)


def test_what_may_not_or_cannot_be_reported_is_refused_in_words(tmp_path: Path) -> None:
    """401, 403, 404 as everywhere; a start beyond the end and unknown choices are 422."""

    async def story(here: House) -> None:
        ecg_id, _ = await sent(here)
        path = f"/api/v1/ecgs/{ecg_id}/report"
        doctor = await here.person("cardiologist")
        for who, query, status in (
            ({}, {}, 401),
            (await here.person("boss"), {}, 403),
            (await here.person("other"), {}, 404),
            (doctor, {"from_s": "10"}, 422),
            (doctor, {"form": "4x3"}, 422),
            (doctor, {"speed": "30"}, 422),
            (doctor, {"gain": "x"}, 422),
        ):
            answer = await here.http.get(path, headers=who, params=query)
            assert (answer.status_code, answer.json()["status"]) == (status, status), query
        later = await here.http.get(path, headers=doctor, params={"from_s": "4"})
        line = pages_of(later.content)[0].marked("Trace")[0]
        assert line.name.split()[1] == "4.000"

    tell(story, tmp_path)
