"""A report that lies in its study as an object goes to another patient only once it is confirmed for him."""

import asyncio
import io
from pathlib import Path
from typing import Any

import pydicom

from greenchannel.alerts.imaging.reading import Reading
from greenchannel.service.imaging.report_filing import ReportFiling
from greenchannel.store.chore_rows import Chore
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
        study = await here.desk.images.study(uid)
        assert (study.made_here, study.modalities) == (0, ("CT",))
        assert not any(one.made_here for one in await here.desk.images.instances(uid))

        status, page = await post(here, rad, uid, "addendum", CONFIRMED)
        assert status == 201, page
        await reports(here, uid, 1)
        (one,) = [one for one in await here.desk.images.instances(uid) if one.made_here]
        assert one.patient == (await here.desk.images.study(uid)).patient

    tell(tmp_path, story)


def test_a_report_written_while_its_study_moves_is_not_filed_under_the_name_of_the_patient_before(
    tmp_path: Path,
) -> None:
    """The study leaves between the reading of its patient and the commit of the object."""

    async def story(here: House) -> None:
        wrong, right = await ecg(here, "P1", "王小明", 1), await ecg(here, "P2", "赵建国", 2)
        uid = await send(here)
        (part,) = [one for one in here.desk.parts if isinstance(one, ReportFiling)]
        await part.stop()
        rad, doctor = await here.person("rad"), await here.person("cardiologist")
        loop, write = asyncio.get_running_loop(), part._write
        written: list[bytes] = []

        def slowly(*given: Any) -> bytes:
            data = write(*given)
            if not written:
                moved = asyncio.run_coroutine_threadsafe(move(here, doctor, wrong, uid, right), loop)
                assert moved.result(60)[0] == 200
            written.append(data)
            return data

        part._write = slowly  # type: ignore[assignment]
        await post(here, rad, uid, "report", REPORT)
        for _ in range(2):
            await part.step()
        assert len(written) == 1
        assert not any(one.made_here for one in await here.desk.images.instances(uid))

    tell(tmp_path, story)


def test_a_report_whose_study_has_moved_is_not_filed_before_that_is_known(tmp_path: Path) -> None:
    """The rows are of the other patient already, and the reading as it is known says nothing of the move yet; a
    signature that is not known yet is waited for as well."""

    async def story(here: House) -> None:
        wrong, right = await ecg(here, "P1", "王小明", 1), await ecg(here, "P2", "赵建国", 2)
        uid = await send(here)
        (part,) = [one for one in here.desk.parts if isinstance(one, ReportFiling)]
        await part.stop()
        rad, doctor = await here.person("rad"), await here.person("cardiologist")
        readings, book = here.desk.image_readings, here.desk.image_readings._book.image_readings
        unsigned = readings.reading(uid)
        await post(here, rad, uid, "report", REPORT)
        signed = readings.reading(uid)

        async def step(known: Reading) -> list[bool]:
            now, book[uid] = book[uid], known
            await part.step()
            book[uid] = now
            return [one.made_here for one in await here.desk.images.instances(uid)]

        part._put_off = at_once  # type: ignore[method-assign]
        assert not any(await step(unsigned))
        assert (await move(here, doctor, wrong, uid, right))[0] == 200
        assert not any(await step(signed))
        assert (await move(here, doctor, right, uid, wrong))[0] == 200
        assert not any(await step(readings.reading(uid)))

    tell(tmp_path, story)


def test_what_was_signed_of_the_patient_before_is_filed_in_its_confirmation_alone(tmp_path: Path) -> None:
    """Also where it was still to be filed when the study moved."""

    async def story(here: House) -> None:
        wrong, right = await ecg(here, "P1", "王小明", 1), await ecg(here, "P2", "赵建国", 2)
        uid = await send(here)
        (part,) = [one for one in here.desk.parts if isinstance(one, ReportFiling)]
        await part.stop()
        rad, doctor = await here.person("rad"), await here.person("cardiologist")
        await post(here, rad, uid, "report", REPORT)
        assert (await move(here, doctor, wrong, uid, right))[0] == 200
        assert (await post(here, rad, uid, "addendum", CONFIRMED))[0] == 201
        await part.step()
        (one,) = [one for one in await here.desk.images.instances(uid) if one.made_here]
        report = pydicom.dcmread(io.BytesIO(await here.desk.images.bytes_of(one.sop_uid)))
        assert (report.PatientID, report.VerificationFlag) == ("P2", "VERIFIED")

    tell(tmp_path, story)


async def at_once(chore: Chore) -> None:
    """It comes again without a wait."""
