"""Live streams at the desk: acknowledged only when durable, resumed, read as a file would be."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from greenchannel.events import StreamStarted
from greenchannel.ingest.errors import IngestError, SegmentBufferFull
from greenchannel.ingest.segments import Kind, read_all
from greenchannel.ingest.wfdb_write import write_wfdb_zip
from greenchannel.service import reading_process
from greenchannel.service.desk import Desk
from greenchannel.service.errors import Conflict, Forbidden
from greenchannel.service.live_stream import LiveStream
from greenchannel.signal.recording import Recording
from greenchannel.triage.finding import Patient
from greenchannel.triage.reading import read
from tests.desk_world import World, device
from tests.stream_world import LSB_MV, PIECE, frames, hello, strip, until_acked, until_final


async def upload(world: World, desk: Desk, recording: Recording) -> Any:
    """The same strip as a file, from another site, so that it is another case."""
    data = write_wfdb_zip(recording, lsb_mv=LSB_MV, age_years=61.0, sex="male", acquired=None)
    return await world.send(desk, data, device("jishi"), age=61, sex="male")


def test_a_stream_is_read_as_the_file_is(tmp_path: Path) -> None:
    """Cut, repeated and resumed on a second connection, the strip has the file's analysis to the last digit."""
    world = World(folder=tmp_path)
    recording, steps = strip()

    async def play() -> None:
        async with world.desk() as desk:
            pieces = frames(steps)
            first = await desk.streams.open(hello(recording), device())
            for piece in pieces[:20] + pieces[10:25]:
                first.receive(piece)
            second = await desk.streams.open(hello(recording), device())
            for piece in pieces[int(second.answer["resume_from"]) // PIECE :]:
                second.receive(piece)
            heard = await until_final(second)
            as_file = await upload(world, desk, recording)
            streamed = await desk.analysis(second.answer["ecg_id"])
            filed = await desk.analysis(as_file.ecg_id)
            assert streamed is not None and filed is not None
            for one in (streamed, filed):
                one.pop("sha256")

            assert streamed == filed
            assert streamed["tier"] == "ACT"
            assert max(m["acked"] for m in heard if "acked" in m) == steps.shape[1]
            case = desk.case(second.answer["case_id"])
            assert len(case.ecgs) == 1 and len(case.alerts) == 1

    asyncio.run(play())


def test_a_running_infarction_rings_before_its_last_byte(tmp_path: Path) -> None:
    """The first seconds are ACT provisionally and page the first reader; the final reading adds no ring."""
    world = World(folder=tmp_path)
    recording, steps = strip()

    async def play() -> None:
        async with world.desk() as desk:
            stream = await desk.streams.open(hello(recording), device())
            for piece in frames(steps)[:30]:
                stream.receive(piece)
            while True:
                message = await asyncio.wait_for(stream.messages.get(), 20)
                if message.get("type") == "analysis":
                    break
            await desk.duty.fire_due()
            assert message["provisional"] is True and message["tier"] == "ACT"
            await asyncio.sleep(0)
            case = desk.case(stream.answer["case_id"])
            while case.alert is None:
                await asyncio.sleep(0.01)
                case = desk.case(stream.answer["case_id"])
            assert case.ecgs[0].live
            for piece in frames(steps)[30:]:
                stream.receive(piece)
            await until_final(stream)

            assert len(desk.case(stream.answer["case_id"]).alerts) == 1

    asyncio.run(play())


def test_what_was_acknowledged_survives_a_kill(tmp_path: Path) -> None:
    """A desk that is never stopped leaves its segments; the next one knows every acknowledged sample."""
    world = World(folder=tmp_path)
    recording, steps = strip()

    async def some_acked(stream: LiveStream) -> int:
        acked = 0
        while acked == 0:
            acked = (await asyncio.wait_for(stream.messages.get(), 20)).get("acked", 0)
        return acked

    async def play() -> None:
        killed = world.make()
        await killed.start()
        stream = await killed.streams.open(hello(recording), device())
        for piece in frames(steps)[:17]:
            stream.receive(piece)
        acked = await some_acked(stream)
        for task in killed._tasks:
            task.cancel()
        async with world.desk() as desk:
            again = await desk.streams.open(hello(recording), device())

            assert again.answer["ecg_id"] == stream.answer["ecg_id"]
            assert again.answer["resume_from"] >= acked
            for piece in frames(steps)[again.answer["resume_from"] // PIECE :]:
                again.receive(piece)
            await until_final(again)
            assert (await desk.recording(again.answer["ecg_id"])).samples_mv.shape == steps.shape
        killed.streams._segments.close()
        killed._writer.close()
        await killed.intake.close()

    asyncio.run(play())


def test_a_device_that_stays_away_is_read_with_what_it_sent(tmp_path: Path) -> None:
    """A minute after the line broke, the half strip is stored and read; later frames are refused."""
    world = World(folder=tmp_path)
    recording, steps = strip()

    async def play() -> None:
        async with world.desk() as desk:
            stream = await desk.streams.open(hello(recording), device())
            for piece in frames(steps)[:30]:
                stream.receive(piece)
            stream.detach()
            while not desk.case(stream.answer["case_id"]).ecgs[0].sha256:
                world.pass_time(30)
                await asyncio.sleep(0.05)
            with pytest.raises(IngestError):
                stream.receive(frames(steps)[30])

            assert (await desk.recording(stream.answer["ecg_id"])).duration_s == pytest.approx(6.0)

    asyncio.run(play())


def test_a_hello_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    """Another device's name, another shape of a known stream, and no JSON: refused, and nothing is written."""
    world = World(folder=tmp_path)
    recording, _ = strip()

    async def play() -> None:
        async with world.desk() as desk:
            await desk.streams.open(hello(recording), device())
            seq = desk.book.seq
            with pytest.raises(Forbidden):
                await desk.streams.open(hello(recording, device="ecg-jishi"), device())
            with pytest.raises(Conflict):
                await desk.streams.open(hello(recording, rate_hz=250.0), device())
            with pytest.raises(IngestError):
                await desk.streams.open("no json", device())

            assert desk.book.seq == seq

    asyncio.run(play())


@pytest.mark.parametrize("stored", [True, False])
def test_a_stream_id_used_again_for_another_recording_is_refused(tmp_path: Path, stored: bool) -> None:
    """Another patient, another start or another step: nobody gets another patient's ids, and nothing is written."""
    world = World(folder=tmp_path)
    recording, steps = strip()
    first = hello(recording, stream_id="1", started_at="2026-03-02T16:04:00+08:00")
    others: list[dict[str, Any]] = [
        {"patient_ref": "B-2", "started_at": "2026-03-02T16:04:00+08:00"},
        {"patient_ref": None, "started_at": "2026-03-02T16:04:00+08:00"},
        {"started_at": "2026-04-02T16:04:00+08:00"},
        {"started_at": "2026-03-02T16:04:00+08:00", "lsb_mv": 0.005},
        {},
    ]

    async def play() -> None:
        async with world.desk() as desk:
            stream = await desk.streams.open(first, device())
            for piece in frames(steps) if stored else frames(steps)[:20]:
                stream.receive(piece)
            if stored:
                await until_final(stream)
            else:
                await until_acked(stream, 20 * PIECE)
            ids = (stream.answer["ecg_id"], stream.answer["case_id"])
        async with world.desk() as desk:
            seq = desk.book.seq
            for other in others:
                with pytest.raises(Conflict, match="choose a new stream_id") as refused:
                    await desk.streams.open(hello(recording, stream_id="1", **other), device())
                assert refused.value.code == "stream_changed"
            same_instant = hello(recording, stream_id="1", started_at="2026-03-02T08:04:00Z")
            again = await desk.streams.open(same_instant, device())

            assert desk.book.seq == seq
            assert (again.answer["ecg_id"], again.answer["case_id"]) == ids
            assert again.answer["resume_from"] == (steps.shape[1] if stored else 20 * PIECE)

    asyncio.run(play())


def test_two_hellos_at_once_are_one_stream(tmp_path: Path) -> None:
    """A device that knocks twice gets one case and one ECG, whichever hello was first."""
    world = World(folder=tmp_path)
    recording, _ = strip()

    async def play() -> None:
        async with world.desk() as desk:
            text = hello(recording, patient_ref=None)
            one, two = await asyncio.gather(*(desk.streams.open(text, device()) for _ in range(2)))
            events = [envelope.event for envelope in await desk.history(one.answer["case_id"])]

            assert one.answer["ecg_id"] == two.answer["ecg_id"]
            assert len(desk.cases()) == 1
            assert sum(isinstance(event, StreamStarted) for event in events) == 1

    asyncio.run(play())


def test_what_could_not_be_written_down_is_not_acknowledged_as_a_repeat(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The segments refuse a frame; sent again it is written, and only then acknowledged."""
    world = World(folder=tmp_path)
    recording, steps = strip()
    piece = frames(steps)[0]

    async def play() -> None:
        async with world.desk() as desk:
            stream = await desk.streams.open(hello(recording), device())
            with monkeypatch.context() as full:
                full.setattr(desk.streams._segments, "_max_waiting_bytes", 0)
                with pytest.raises(SegmentBufferFull):
                    stream.receive(piece)
            again = await desk.streams.open(hello(recording), device())
            assert again.answer["resume_from"] == 0
            again.receive(piece)
            await until_acked(again, PIECE)

            on_disk = [
                record.payload for record in read_all(tmp_path / "streams") if record.kind is Kind.FRAME
            ]
            assert on_disk == [piece]

    asyncio.run(play())


def test_a_rolling_reading_knows_what_the_case_knows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Age, sex and chest pain that came with an earlier ECG of the episode count, though the hello has none."""
    world = World(folder=tmp_path)
    recording, steps = strip()
    asked: list[Patient] = []

    def noted(measured: Any, patient: Patient, rules: Any) -> Any:
        asked.append(patient)
        return read(measured, patient, rules)

    monkeypatch.setattr(reading_process, "read", noted)

    async def play() -> None:
        async with world.desk() as desk:
            data = write_wfdb_zip(recording, lsb_mv=LSB_MV, age_years=None, sex=None, acquired=None)
            facts: dict[str, Any] = {"patient_ref": "A-1", "age": 61, "sex": "male", "chest_pain": "yes"}
            await world.send(desk, data, **facts)
            stream = await desk.streams.open(hello(recording, age=None, sex=None), device())
            for piece in frames(steps)[:30]:
                stream.receive(piece)
            while "provisional" not in await asyncio.wait_for(stream.messages.get(), 20):
                pass

            assert asked[0] == Patient(age_years=61.0, sex="male", chest_pain=True)

    asyncio.run(play())


def test_the_segments_do_not_say_who_the_patient_is(tmp_path: Path) -> None:
    """Name, phones and numbers of a hello go into the vault and nowhere else."""
    world = World(folder=tmp_path)
    recording, _ = strip()
    said = {
        "patient_ref": "REF-4711",
        "name": "Wang Xiaoming",
        "phone": "13800000001",
        "callback_phone": "13800000002",
        "id_number": "370829196501011234",
        "history": "told in confidence",
    }

    async def play() -> None:
        async with world.desk() as desk:
            stream = await desk.streams.open(hello(recording, **said), device())
            written = b"".join(path.read_bytes() for path in (tmp_path / "streams").iterdir())

            assert b"lsb_mv" in written
            assert not [value for value in said.values() if value.encode() in written]
            assert ((await desk.identity(stream.answer["case_id"])) or {})["name"] == "Wang Xiaoming"

    asyncio.run(play())


def test_a_device_whose_token_is_taken_away_is_shut_out_of_its_running_stream(tmp_path: Path) -> None:
    """Its next frame is refused; what came before is kept and read."""
    world = World(folder=tmp_path)
    recording, steps = strip()

    async def play() -> None:
        async with world.desk() as desk:
            stream = await desk.streams.open(hello(recording), device())
            pieces = frames(steps)
            for piece in pieces[:20]:
                stream.receive(piece)
            await until_acked(stream, 20 * PIECE)
            await desk.streams.shut_out_disabled()
            stream.receive(pieces[20])

            desk.accounts.disable_device(device().id)
            await desk.streams.shut_out_disabled()
            with pytest.raises(IngestError) as refused:
                stream.receive(pieces[21])

            assert refused.value.code == "stale_session"
            assert stream.running.state.high_water == 21 * PIECE

    asyncio.run(play())
