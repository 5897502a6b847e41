"""A second that brings nothing new costs no reading; one that does gets one at once."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from greenchannel.ingest.device_stream import encode_frame
from greenchannel.service import reading_process, rolling
from greenchannel.service.live_stream import LiveStream
from greenchannel.service.reading_process import ReadingProcess, Window
from greenchannel.settings import Settings
from greenchannel.signal.recording import Recording
from greenchannel.signal.synthesis import simulate
from greenchannel.triage.finding import Patient
from greenchannel.triage.rule_set import NEWEST
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
    """A quiet stream is read within three seconds of its ST's rising, and rings once its window shows it."""
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
            assert rung <= 16  # by then more beats of the window have it than have not
            case = desk.case(stream.answer["case_id"])
            assert len(case.alerts) == 1

    asyncio.run(play())


def test_more_that_is_known_of_the_patient_is_a_reason_to_read() -> None:
    """Age, sex and pain decide; the minutes since the onset alone do not."""
    known = Patient(age_years=61.0, onset_h=2.0)

    assert rolling.timeless(known) == rolling.timeless(Patient(age_years=61.0, onset_h=2.1))
    assert rolling.timeless(known) != rolling.timeless(Patient(age_years=61.0, chest_pain=True, onset_h=2.0))


def waiting(measured: int, standing: object, until: int = 10_000) -> Any:
    """A stream as the choice sees it; at 500 Hz."""
    made: Any = type("Stream", (), {})()
    made.measured_until, made.readable_until, made.standing = measured, until, standing
    made.analysed_until = measured
    made.hello = type("Hello", (), {"rate_hz": 500.0})
    made.reading = made.looking = made.given_up = made.finishing = False
    return made


def test_a_stream_with_news_is_read_before_one_that_is_only_due() -> None:
    """Never read, then changed or late, then to be made anew; among equals who waits longest."""
    order = rolling.RollingReader._priority
    due, late = waiting(4500, object()), waiting(3900, object())
    changed, new, longer = waiting(9000, None), waiting(0, None, until=2500), waiting(8000, None)

    assert sorted([due, changed, late, longer, new], key=order) == [new, late, longer, changed, due]


@pytest.mark.parametrize(
    ("there", "under_way", "streams", "chosen"),
    [
        (True, 0, ["due", "due"], ["due"]),
        (True, 1, ["due", "due"], []),
        (True, 1, ["due", "changed"], ["changed"]),
        (True, 1, ["due", "late"], ["late"]),
        (True, 0, ["due", "changed", "new"], ["new", "changed"]),
        (True, 2, ["new"], []),
        (False, 0, ["due", "due"], ["due"]),
        (False, 1, ["new"], []),
    ],
)
def test_the_last_place_at_the_process_is_left_to_what_may_be_an_infarction(
    there: bool, under_way: int, streams: list[str], chosen: list[str]
) -> None:
    """Two windows with the process, one in a thread where there is none."""
    kinds = {
        "due": lambda: waiting(5000, object()),
        "late": lambda: waiting(3900, object()),
        "changed": lambda: waiting(9000, None),
        "new": lambda: waiting(0, None, until=2500),
    }
    nothing: Any = None
    process: Any = type("Process", (), {"is_there": there})()
    reader = rolling.RollingReader(
        intake=nothing,
        writer=nothing,
        casework=nothing,
        book=nothing,
        watch=nothing,
        at_once=1,
        process=process,
    )
    names = {}
    for kind in streams:
        running = kinds[kind]()
        names[id(running)] = kind
        reader._fresh[running] = None
    reader._under_way = under_way

    assert [names[id(running)] for running in reader.choose()] == chosen
    assert reader._under_way == under_way + len(chosen)


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


def test_streams_are_read_in_another_process_and_go_on_when_it_dies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The readings are those of a thread; a process that is killed costs none of them and is made anew."""
    recording, steps = steps_of(24.0, territory="anterior", stj_mv=0.5)

    async def play(process: bool) -> dict[float, Any]:
        folder = tmp_path / str(process)
        folder.mkdir()
        world = World(folder=folder, settings=Settings(data_dir=Path("unset"), reading_process=process))
        async with world.desk() as desk:
            beside = desk.streams._process
            stream = await desk.streams.open(hello(recording), device())
            if process:
                assert beside._warming is not None
                await beside._warming
            said = await second_by_second(stream, steps, range(6))
            if process:
                assert beside._warming is not None
                child = beside._warming.result()
                os.kill(child, 9)
                await comes(lambda: not _alive(child))
            await read_again(stream, 3000)
            said |= await second_by_second(stream, steps, range(6, 8))
            if process:
                monkeypatch.setattr(beside, "_not_before", 0.0)
                beside.start()
                assert beside._warming is not None
                assert await beside._warming != child
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
        "    beside = ReadingProcess(None, at_once=1, wanted=True)\n"
        "    beside.start()\n"
        "    await beside._warming\n"
        "    print(beside._warming.result(), flush=True)\n"
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


class Beside(ReadingProcess):
    """A process that fails in its own way; what it was to read is read in a thread."""

    def __init__(self, fault: Callable[..., Any], *, at_start: bool = False) -> None:
        super().__init__(self._here, at_once=1, wanted=True)
        self.fault, self.at_start, self.read_here, self.made = fault, at_start, 0, 0

    async def _here(self, look: Callable[[], Any]) -> Any:
        self.read_here += 1
        return await asyncio.to_thread(look)

    def start(self) -> None:
        """Threads stand for the process."""
        if self._pool is None:
            self.made += 1
            pool: Any = Threads(self.fault)
            self._pool = pool
            self._warming = asyncio.get_running_loop().create_future()
            if self.at_start:
                self._warming.set_exception(RuntimeError("it cannot be warmed"))
            else:
                self._warming.set_result(2**22 + 1)  # no process has this number


class Threads(Executor):
    """Runs the fault in place of what it is given."""

    def __init__(self, fault: Callable[..., Any]) -> None:
        self._fault = fault
        self._threads = ThreadPoolExecutor(1)

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Any:
        """Whatever was asked for."""
        return self._threads.submit(self._fault)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """As asked."""
        self._threads.shutdown(wait=wait, cancel_futures=cancel_futures)


def window() -> Window:
    """Ten seconds of an infarction."""
    recording, steps = steps_of(10.0, territory="anterior", stj_mv=0.5)
    return Window(
        leads=recording.leads, rate_hz=500.0, lsb_mv=LSB_MV, begin_s=0, steps=steps, known=None, known_s=0,
        patient=Patient(), rules_version=NEWEST,
    )  # fmt: skip


def raising() -> None:
    raise ValueError("this window ends it")


@pytest.mark.parametrize(
    ("fault", "at_start", "made"),
    [
        pytest.param(raising, False, 1, id="one window raises there: only it is read here"),
        pytest.param(raising, True, 2, id="it cannot be warmed: another is tried"),
        pytest.param(lambda: time.sleep(0.5), False, 2, id="it hangs: another is tried"),
    ],
)
def test_whatever_ails_the_process_the_window_is_read(
    fault: Callable[..., Any], at_start: bool, made: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twice asked, twice read."""
    monkeypatch.setattr(reading_process, "PATIENCE_S", 0.05)

    async def play() -> None:
        beside = Beside(fault, at_start=at_start)
        for _ in range(2):
            found = await beside.read(window())
            assert found is not None and found.tier == "ACT"
        beside.stop()

        assert (beside.read_here, beside.made) == (2, made)

    asyncio.run(play())


def test_a_tier_that_could_not_be_written_is_read_again_a_second_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An alert that failed to be written is not confirmed away."""
    world = World(folder=tmp_path)
    recording, steps = steps_of(24.0, territory="anterior", stj_mv=0.5)

    async def play() -> None:
        async with world.desk() as desk:
            reader = desk.streams._rolling
            write = reader._write
            failed: list[bool] = []

            def once(*args: Any) -> None:
                if not failed:
                    failed.append(True)
                    raise OSError("no room")
                write(*args)

            monkeypatch.setattr(reader, "_write", once)
            stream = await desk.streams.open(hello(recording), device())
            await second_by_second(stream, steps, range(6))
            await comes(lambda: desk.case(stream.answer["case_id"]).alerts)

            assert failed

    asyncio.run(play())


def test_a_stream_that_stays_silent_after_a_restart_is_read(tmp_path: Path) -> None:
    """What came before the restart is durable, and is read though its device does not come back."""
    world = World(folder=tmp_path)
    recording, steps = steps_of(24.0, territory="anterior", stj_mv=0.5)

    async def play() -> None:
        killed = world.make()
        await killed.start()
        stream = await killed.streams.open(hello(recording), device())
        for first in range(0, 3000, PIECE):
            stream.receive(encode_frame(first // PIECE, first, steps[:, first : first + PIECE].T))
        for task in killed._tasks:
            task.cancel()
        await asyncio.to_thread(killed.streams._segments.close)  # what it has is on disk
        async with world.desk() as desk:
            await comes(lambda: desk.case(stream.answer["case_id"]).alerts)

    asyncio.run(play())
