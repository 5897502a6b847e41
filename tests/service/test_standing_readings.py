"""A second that brings nothing new costs no reading; one that does gets one at once."""

import asyncio
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from greenchannel.ingest.device_stream import encode_frame
from greenchannel.service import rolling
from greenchannel.service.live_stream import LiveStream
from greenchannel.settings import Settings
from greenchannel.signal.recording import Recording
from greenchannel.signal.synthesis import simulate
from tests.desk_world import World, device
from tests.stream_world import LSB_MV, PIECE, comes, hello


def steps_of(seconds: float, **traits: Any) -> tuple[Recording, NDArray[np.int16]]:
    """Somebody's strip in whole steps of the device."""
    recording = simulate(seed=3, duration_s=seconds, emg_mv=0.01, **traits).recording
    return recording, np.round(recording.samples_mv.astype(np.float64) / LSB_MV).astype(np.int16)


async def second_by_second(
    stream: LiveStream, steps: NDArray[np.int16], seconds: range
) -> dict[float, dict[str, Any]]:
    """Send one second after the other, each when the one before has been read; what was said of each."""
    said: dict[float, dict[str, Any]] = {}
    for second in seconds:
        for first in range(second * 500, (second + 1) * 500, PIECE):
            stream.receive(encode_frame(first // PIECE, first, steps[:, first : first + PIECE].T))
        if second + 1 < 5:
            continue
        async with asyncio.timeout(30):
            while second + 1 not in said:
                message = await stream.messages.get()
                if message.get("type") == "analysis":
                    said[message["until_s"]] = message
    return said


def test_quiet_seconds_are_confirmed_and_read_anew_after_ten(tmp_path: Path) -> None:
    """Each second is answered; a full reading stands behind it that is ten seconds old at most."""
    world = World(folder=tmp_path)
    recording, steps = steps_of(24.0)

    async def play() -> None:
        async with world.desk() as desk:
            stream = await desk.streams.open(hello(recording), device())
            said = await second_by_second(stream, steps, range(23))

        assert sorted(said) == list(range(5, 24))
        read_at = sorted({message["measured_until_s"] for message in said.values()})
        assert read_at[0] == 5
        assert len(read_at) <= 4
        assert all(
            message["until_s"] - message["measured_until_s"] <= rolling.REFRESH_S for message in said.values()
        )

    asyncio.run(play())


def test_the_second_in_which_an_infarction_begins_is_read_and_rings(tmp_path: Path) -> None:
    """A running stream that was quiet for seconds rings within three of its ST's rising."""
    world = World(folder=tmp_path)
    recording, well = steps_of(24.0)
    _, ill = steps_of(24.0, territory="anterior", stj_mv=0.5)
    steps = np.concatenate([well[:, : 9 * 500], ill[:, 9 * 500 :]], axis=1)

    async def play() -> None:
        async with world.desk() as desk:
            stream = await desk.streams.open(hello(recording), device())
            before = await second_by_second(stream, steps, range(9))
            assert {message["tier"] for message in before.values()} == {"NONE"}
            after = await second_by_second(stream, steps, range(9, 20))

            fresh = {second: one for second, one in after.items() if one["measured_until_s"] == second}
            assert min(fresh) <= 12
            rung = min(second for second, one in after.items() if one["tier"] == "ACT")
            assert rung <= 19
            case = desk.case(stream.answer["case_id"])
            assert len(case.alerts) == 1

    asyncio.run(play())


def test_a_stream_with_news_is_read_before_one_that_is_only_due() -> None:
    """Never read, then changed, then to be made anew; among equals who waits longest."""
    order = rolling.RollingReader._priority
    one: Any = type("Stream", (), {})

    def stream(measured: int, standing: object, until: int = 10_000) -> Any:
        made = one()
        made.measured_until, made.readable_until, made.standing = measured, until, standing
        made.hello = type("Hello", (), {"rate_hz": 500.0})
        return made

    due, changed, new = stream(1000, object()), stream(9000, None), stream(0, None, until=2500)
    longer = stream(8000, None)

    assert sorted([due, changed, longer, new], key=order) == [new, longer, changed, due]


def test_seconds_that_come_at_once_are_read(tmp_path: Path) -> None:
    """After a cut several seconds arrive together: nothing confirms them unseen."""
    world = World(folder=tmp_path)
    recording, steps = steps_of(24.0)

    async def play() -> None:
        async with world.desk() as desk:
            stream = await desk.streams.open(hello(recording), device())
            await second_by_second(stream, steps, range(6))
            for first in range(6 * 500, 10 * 500, PIECE):
                stream.receive(encode_frame(first // PIECE, first, steps[:, first : first + PIECE].T))
            async with asyncio.timeout(30):
                while True:
                    message = await stream.messages.get()
                    if message.get("type") == "analysis" and message["until_s"] == 10:
                        break

            assert message["measured_until_s"] == 10

    asyncio.run(play())


def test_a_look_at_samples_that_became_others_is_thrown_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Samples that come late into an announced gap while a second is looked at: the second is read."""
    world = World(folder=tmp_path)
    recording, steps = steps_of(24.0)

    async def play() -> None:
        async with world.desk() as desk:
            stream = await desk.streams.open(hello(recording), device())
            await second_by_second(stream, steps, range(6))
            running = stream.running
            compared = rolling._compared

            def late(looks: Any) -> Any:
                running.accepted(0)  # as if a sample before the second had come
                return compared(looks)

            monkeypatch.setattr(rolling, "_compared", late)
            said = await second_by_second(stream, steps, range(6, 7))

            assert said[7]["measured_until_s"] == 7

    asyncio.run(play())


async def read_again(stream: LiveStream, until: int) -> None:
    """Have the newest second read though the reading before it stands."""
    await comes(lambda: not stream.running.reading)
    stream.running.standing, stream.running.measured_until = None, 0
    await comes(lambda: stream.running.measured_until == until)


def test_streams_are_read_in_another_process_and_go_on_when_it_dies(tmp_path: Path) -> None:
    """The readings are those of a thread; a process that is killed costs none of them and is made anew."""
    recording, steps = steps_of(24.0, territory="anterior", stj_mv=0.5)

    async def play(process: bool) -> dict[float, Any]:
        folder = tmp_path / str(process)
        folder.mkdir()
        world = World(folder=folder, settings=Settings(data_dir=Path("unset"), reading_process=process))
        async with world.desk() as desk:
            beside = desk.streams._process
            if process:
                assert beside._warming is not None
                await beside._warming
            stream = await desk.streams.open(hello(recording), device())
            said = await second_by_second(stream, steps, range(6))
            if process:
                (child,) = beside._pool._processes.values()  # type: ignore[union-attr]
                child.kill()
                child.join()
            await read_again(stream, 3000)
            said |= await second_by_second(stream, steps, range(6, 8))
            if process:
                assert beside._warming is not None
                await beside._warming
                (again,) = beside._pool._processes.values()  # type: ignore[union-attr]
                assert again.pid != child.pid
            await read_again(stream, 4000)
            said |= await second_by_second(stream, steps, range(8, 9))
        return {one["measured_until_s"]: (one["tier"], one["findings"]) for one in said.values()}

    beside, within = asyncio.run(play(True)), asyncio.run(play(False))

    assert beside == within
    assert {6, 8} <= beside.keys()  # after the kill, and by the new process
    assert {tier for tier, _ in beside.values()} == {"ACT"}


def test_the_process_that_reads_ends_with_a_service_that_is_killed() -> None:
    """Whoever is killed leaves no process behind."""
    program = (
        "import asyncio\n"
        "from greenchannel.service.reading_process import ReadingProcess\n"
        "async def main():\n"
        "    beside = ReadingProcess(None, wanted=True)\n"
        "    beside.start()\n"
        "    await beside._warming\n"
        "    print(*beside._pool._processes, flush=True)\n"
        "    await asyncio.sleep(600)\n"
        "if __name__ == '__main__':\n"
        "    asyncio.run(main())\n"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        os.kill(child, 0)  # it is there
        parent.kill()

    until = time.monotonic() + 20
    while _alive(child):
        assert time.monotonic() < until, "the process outlived the one that made it"
        time.sleep(0.05)


def _alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"  # ended, and nobody has asked for it
