"""One recording as stream and file, at the same moment, and in a third format."""

import asyncio
from pathlib import Path

from greenchannel.ingest.csv_ecg_write import write_csv
from greenchannel.ingest.dicom_ecg_write import write_dicom_ecg
from greenchannel.ingest.scp_write import write_scp
from greenchannel.ingest.wfdb_write import write_wfdb_zip
from greenchannel.service.desk import Desk
from tests.desk_world import World, device, run
from tests.stream_world import frames, hello, strip, until_final

STEP_MV = 0.005


def test_a_file_of_a_stream_is_the_same_recording(tmp_path: Path) -> None:
    """Rounded to another step, the file joins the stream's case, says so, and nobody is rung again."""

    async def story(world: World, desk: Desk) -> None:
        recording, steps = strip()
        stream = await desk.streams.open(hello(recording), device())
        for piece in frames(steps):
            stream.receive(piece)
        await until_final(stream)
        data = write_dicom_ecg(recording, acquired=None, age_years=61.0, sex="male", lsb_mv=STEP_MV)
        answer = await world.send(desk, data)

        assert (answer.case_id, answer.same_as) == (stream.answer["case_id"], stream.answer["ecg_id"])
        case = desk.case(answer.case_id)
        copy = case.ecgs[1].same_as
        assert copy is not None and (copy.format, copy.same_patient) == ("stream", True)
        assert len(case.alerts) == 1 and case.alerts[0].ecg_ids == (stream.answer["ecg_id"],)

    run(tmp_path, story)


def test_formats_that_come_at_the_same_moment_are_one_recording(tmp_path: Path) -> None:
    """Each is looked for among those that came while it was being read; all name the one that was first."""

    async def story(world: World, desk: Desk) -> None:
        recording, _ = strip()
        files = (
            write_dicom_ecg(recording, acquired=None, age_years=61.0, sex="male"),
            write_scp(recording, acquired=None, age_years=61.0, sex="male", lsb_mv=STEP_MV),
            write_csv(recording, acquired=None, age_years=61.0, sex="male"),
            write_wfdb_zip(recording, lsb_mv=STEP_MV, age_years=61.0, sex="male", acquired=None),
        )
        answers = await asyncio.gather(*(world.send(desk, data, patient_ref="A-1") for data in files))

        (first,) = (answer.ecg_id for answer in answers if answer.same_as is None)
        assert {answer.same_as for answer in answers} == {None, first}
        assert len({answer.ecg_id for answer in answers}) == len(files)
        (case,) = desk.cases()
        assert len(case.alerts) == 1
        assert case.worst_ecg is not None and case.worst_ecg.ecg_id == first

    run(tmp_path, story)


def test_an_erased_patients_recording_is_found_no_more(tmp_path: Path) -> None:
    """Print and shape go with the key; the same strip is then a new patient's."""

    async def story(world: World, desk: Desk) -> None:
        recording, _ = strip()
        first = await world.send(
            desk, write_dicom_ecg(recording, acquired=None, age_years=61.0, sex="male"), patient_ref="A-1"
        )
        await desk.answers.erase_patient(first.case_id, device(), "asked for it")
        again = await world.send(desk, write_csv(recording, acquired=None, age_years=61.0, sex="male"))

        assert again.same_as is None and again.case_id != first.case_id

    run(tmp_path, story)
