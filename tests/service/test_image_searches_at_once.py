"""One caller asks a thousand times at once: it is told to come again, and nobody else waits for it."""

import asyncio
import threading
from collections import Counter
from pathlib import Path

import pytest

from greenchannel.service.imaging import searching
from greenchannel.service.imaging.records import Hit
from greenchannel.service.imaging.searching import Search
from tests.imaging_files import ct
from tests.service.test_dicom_web_given import stow, tell
from tests.service.viewer_house import House, ecg_file

STUDIES = "/dicom-web/studies"


def test_who_asks_too_much_at_once_is_told_to_come_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While its searches hang: 429 with Retry-After beyond the bound, also by a second session of the account; another
    account's search waits for a thread and is answered; an ECG is taken meanwhile. Then all is as before."""
    hold, began = threading.Event(), threading.Semaphore(0)
    search = searching.search

    def slow(engine: object, vault: object, asked: Search) -> list[Hit]:
        began.release()
        assert hold.wait(60)
        return search(engine, vault, asked)  # type: ignore[arg-type]

    async def story(here: House) -> None:
        await stow(here, ct(1))
        first, again, other = [await here.person(one) for one in ("village", "village", "cardiologist")]
        monkeypatch.setattr(searching, "search", slow)
        asked = [
            asyncio.create_task(here.http.get(STUDIES, headers=who)) for who in [first] * 100 + [again] * 100
        ]
        refused: list[asyncio.Task[object]] = []
        while len(refused) < 184:
            done, rest = await asyncio.wait(asked, return_when=asyncio.FIRST_COMPLETED)
            refused += done
            asked = list(rest)
        for task in refused:
            answer = task.result()
            assert (answer.status_code, answer.json()["code"]) == (429, "too_many_searches")  # type: ignore[attr-defined]
            assert int(answer.headers["retry-after"]) >= 1  # type: ignore[attr-defined]
        assert began.acquire(timeout=10) and began.acquire(timeout=10)
        assert not began.acquire(blocking=False)  # two run at once

        sent = await here.http.post(
            "/api/v1/ecgs", content=ecg_file(), headers=here.device(), params={"patient_ref": "P9"}
        )
        assert sent.status_code == 201, sent.text
        waiting = asyncio.create_task(here.http.get(STUDIES, headers=other))
        hold.set()
        answers = [*await asyncio.gather(*asked), await waiting]
        assert Counter(one.status_code for one in answers) == {200: 17}
        assert (await here.http.get(STUDIES, headers=first)).status_code == 200
        assert (await here.http.get(STUDIES, headers=again)).status_code == 200

    tell(tmp_path, story)


def test_a_thousand_without_a_name_are_refused_before_anybody_is_looked_up(tmp_path: Path) -> None:
    """By where they come from; none of them gets more than that it is not known, or too many."""

    async def story(here: House) -> None:
        answers = await asyncio.gather(*(here.http.get(STUDIES) for _ in range(300)))
        assert {one.status_code for one in answers} <= {401, 429}

    tell(tmp_path, story)
