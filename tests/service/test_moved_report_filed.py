"""A report that lies in its study as an object goes to another patient only once it is confirmed for him."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from greenchannel.service.imaging.report_filing import ReportFiling
from greenchannel.store import chore_rows
from greenchannel.store.engine import reading
from tests.service.test_image_moving import CONFIRMED, ecg, move
from tests.service.test_imaging_http import REPORT, post, send, tell
from tests.service.viewer_house import House


def test_a_filed_report_is_withdrawn_where_its_study_moves_and_filed_anew_when_confirmed(
    tmp_path: Path,
) -> None:
    """Nothing of it is left in the study, nor under the key of the patient before."""

    async def reports(here: House, uid: str, number: int) -> None:
        async with asyncio.timeout(60):
            while sum(one.made_here for one in await here.desk.images.instances(uid)) != number:
                await asyncio.sleep(0.1)

    async def story(here: House) -> None:
        wrong, right = await ecg(here, "P1", "王小明", 1), await ecg(here, "P2", "赵建国", 2)
        uid = await send(here)
        rad, doctor = await here.person("rad"), await here.person("cardiologist")
        await post(here, rad, uid, "report", REPORT)
        await reports(here, uid, 1)
        status, answer = await move(here, doctor, wrong, uid, right)
        assert status == 200, answer
        assert (await here.desk.images.study(uid)).made_here == 0
        assert not any(one.made_here for one in await here.desk.images.instances(uid))

        status, page = await post(here, rad, uid, "addendum", CONFIRMED)
        assert status == 201, page
        await reports(here, uid, 1)
        (one,) = [one for one in await here.desk.images.instances(uid) if one.made_here]
        assert one.patient == (await here.desk.images.study(uid)).patient

    tell(tmp_path, story)


def test_a_report_that_is_written_while_its_study_moves_is_not_filed_to_the_other_patient(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would lie under the other one's number with the name, and the findings, of the one before."""

    async def story(here: House) -> None:
        wrong, right = await ecg(here, "P1", "王小明", 1), await ecg(here, "P2", "赵建国", 2)
        uid = await send(here)
        rad, doctor = await here.person("rad"), await here.person("cardiologist")
        (filing,) = [one for one in here.desk.parts if isinstance(one, ReportFiling)]
        loop, write, moved = asyncio.get_running_loop(), filing._write, asyncio.Event()

        def while_it_moves(*given: Any) -> bytes:
            data = write(*given)
            if not moved.is_set():
                work = move(here, doctor, wrong, uid, right)
                assert asyncio.run_coroutine_threadsafe(work, loop).result(20)[0] == 200
                loop.call_soon_threadsafe(moved.set)
            return data

        monkeypatch.setattr(filing, "_write", while_it_moves)
        await post(here, rad, uid, "report", REPORT)
        async with asyncio.timeout(20):
            await moved.wait()
            while await asyncio.to_thread(_waits, here):
                await asyncio.sleep(0.05)
        assert not any(one.made_here for one in await here.desk.images.instances(uid))

    tell(tmp_path, story)


def _waits(here: House) -> bool:
    with reading(here.desk.images._engine) as connection:
        return bool(chore_rows.due(connection, "report", here.desk.clock.now(), 10))
