"""Live streams at the desk: acknowledged only when durable, resumed, read as a file would be."""

import asyncio
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from greenchannel.ingest.device_stream import LAST, encode_frame
from greenchannel.ingest.errors import IngestError
from greenchannel.ingest.wfdb_write import write_wfdb_zip
from greenchannel.service.desk import Desk
from greenchannel.service.errors import Conflict, Forbidden
from greenchannel.service.live_stream import LiveStream
from greenchannel.signal.recording import Recording
from greenchannel.signal.synthetic import synthesize
from tests.desk_world import STEMI, World, device

LSB_MV = 0.0025
PIECE = 100


def strip() -> tuple[Recording, NDArray[np.int16]]:
    """An infarction as a device has it: whole steps of 2.5 µV."""
    exact = synthesize(scenario=STEMI, seed=3, noise_mv=0.005)
    steps = np.round(exact.samples_mv.astype(np.float64) / LSB_MV).astype(np.int16)
    samples_mv = (steps * np.float64(LSB_MV)).astype(np.float32)
    return Recording(samples_mv=samples_mv, leads=exact.leads, rate_hz=exact.rate_hz), steps


def hello(recording: Recording, **given: Any) -> str:
    """The first message."""
    facts = {
        "leads": list(recording.leads),
        "rate_hz": recording.rate_hz,
        "lsb_mv": LSB_MV,
        "stream_id": "s-1",
    }
    return json.dumps(facts | {"patient_ref": "A-1", "age": 61, "sex": "male"} | given)


def frames(steps: NDArray[np.int16]) -> list[bytes]:
    """The strip cut evenly."""
    total = steps.shape[1]
    return [
        encode_frame(number, first, steps[:, first : first + PIECE].T, LAST if first + PIECE >= total else 0)
        for number, first in enumerate(range(0, total, PIECE))
    ]


async def until_final(stream: LiveStream) -> list[dict[str, Any]]:
    """Messages up to the final reading."""
    heard = []
    while True:
        heard.append(await asyncio.wait_for(stream.messages.get(), 20))
        if heard[-1].get("provisional") is False:
            return heard


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

    async def until_acked(stream: LiveStream) -> int:
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
        acked = await until_acked(stream)
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
