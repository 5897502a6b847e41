"""From a device's last sample to the alert on a board, with N live 18-lead streams on the real service.

The service runs in its own process with real sockets, durable segments and a log on SQLite with `synchronous=FULL`.
N minus the probes are quiet background streams, each read every second. The probes are infarctions; the delay runs
from sending the frame that completes the deciding second to the `alert_opened` on a `/live` client. The load comes
from this process on the same machine, so both share its cores.
"""

import argparse
import asyncio
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass, field
from typing import Any, Final

import websockets

from benchmarks.harness import Json, load_1min, quantiles, save, show
from benchmarks.stream_devices import FRAME, RATE_HZ, Device, start_spread, steps_cached
from greenchannel.county.client import Client

MUST_P99_MS, AIM_P99_MS = 50, 10
PROBE: Final = "inferior_posterior_rv_stemi"
QUIET: Final = "baseline_sinus"
PROBE_S: Final = 6.0
READABLE_S: Final = 5  # the first reading of a stream comes when it is this long
MOST_STREAMS: Final = 2000
LATE_MS: Final = 1000.0  # a second that is read or confirmed later than this is late
_TICKS: Final = os.sysconf("SC_CLK_TCK")


@dataclass(kw_only=True)
class Board:
    """A doctor's page: when each event reached it."""

    alerts: dict[str, float] = field(default_factory=dict)  # case id → instant of alert_opened
    readings: dict[str, int] = field(default_factory=dict)  # case id → sample of the reading that rang
    rang: asyncio.Event = field(default_factory=asyncio.Event)

    async def watch(self, client: Client, ready: asyncio.Event) -> None:
        """Listen until cancelled; a closed connection is taken up again."""
        after: int | None = None
        while True:
            with contextlib.suppress(websockets.ConnectionClosed):
                async with client.live(after) as messages:
                    async for message in messages:
                        after = message["seq"]
                        ready.set()
                        self.take(message)

    def take(self, message: dict[str, Any]) -> None:
        """Note when an alert came, and which reading rang."""
        if message["type"] == "alert_opened":
            self.alerts.setdefault(message["case_id"], time.perf_counter())
        elif message["type"] == "provisional_reading" and message["data"]["tier"] == "ACT":
            self.readings.setdefault(message["case_id"], int(message["data"]["until_sample"]))


@dataclass(frozen=True, kw_only=True)
class Options:
    """What may be set otherwise than the service has it; None: as it has it."""

    plain: bool = False  # asyncio's own loop
    sync_s: float | None = None
    threads: int | None = None
    start_over_s: float | None = (
        None  # within which all background streams begin; None: 2 and a hundredth of each
    )


class Service:
    """The service's process."""

    def __init__(self, folder: str, options: Options) -> None:
        words = [sys.executable, "-m", "benchmarks.stream_service", folder]
        words += ["--plain"] if options.plain else []
        extra = {} if options.sync_s is None else {"GREENCHANNEL_SEGMENT_SYNC_S": str(options.sync_s)}
        extra |= {} if options.threads is None else {"GREENCHANNEL_ANALYSIS_THREADS": str(options.threads)}
        self.process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=os.environ | extra)
        assert self.process.stdout is not None
        self.told: dict[str, str] = json.loads(self.process.stdout.readline())

    def cpu_s(self) -> float:
        """Seconds of processor time it has used."""
        with open(f"/proc/{self.process.pid}/stat", encoding="ascii") as stat:
            parts = stat.read().rpartition(")")[2].split()
        return (int(parts[11]) + int(parts[12])) / _TICKS

    def end(self) -> None:
        """Stop it, the hard way where it does not."""
        self.process.terminate()
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


async def level(
    service: Service, streams: int, probes: int, pause_s: float, start_over_s: float | None = None
) -> Json:
    """One level of load; `pause_s` between the starts of two probes."""
    told = service.told
    steps_cached(PROBE), steps_cached(QUIET)
    alive = min(streams, max(1, round(PROBE_S / pause_s)))
    ready, stop, board = asyncio.Event(), asyncio.Event(), Board()
    mark = f"{time.time_ns()}"
    quiet = [
        Device(name=f"quiet-{mark}-{i}", scenario=QUIET, seconds=600.0)
        for i in range(max(0, streams - alive))
    ]
    async with Client(told["address"]) as person:
        await person.sign_in(told["user"], told["password"])
        watching = asyncio.create_task(board.watch(person, ready))
        await ready.wait()
        tasks = await start_spread(
            quiet, start_over_s or 2.0 + streams / 100, told["address"], told["token"], stop
        )
        await asyncio.sleep(6.5 if quiet else 0.0)  # every background stream is old enough to be read
        cpu, own, since = service.cpu_s(), time.process_time(), time.perf_counter()
        tested = [Device(name=f"probe-{mark}-{i}", scenario=PROBE, seconds=PROBE_S) for i in range(probes)]
        running = []
        for device in tested:
            running.append(asyncio.create_task(device.run(told["address"], told["token"], stop)))
            await asyncio.sleep(pause_s)
        await asyncio.wait(running, timeout=30.0)
        took = time.perf_counter() - since
        cpu, own = service.cpu_s() - cpu, time.process_time() - own
        await asyncio.sleep(0.5)
        stop.set()
        await asyncio.gather(*tasks, *running, return_exceptions=True)
        watching.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await watching
    return _judge(streams, tested, quiet, board, since, took) | {
        "service_cpu_percent": round(100 * cpu / took, 1),
        "load_generator_cpu_percent": round(100 * own / took, 1),
    }


def _judge(
    streams: int, tested: list[Device], quiet: list[Device], board: Board, since: float, took: float
) -> Json:
    delay, durable, reading, ringing, strip, first = [], [], [], [], [], []
    unseen = 0
    for device in tested:
        alert = board.alerts.get(device.case_id or "")
        until = board.readings.get(device.case_id or "")
        if device.final is not None:
            strip.append((device.final[0] - max(device.sent.values())) * 1000)
        if alert is not None and READABLE_S * RATE_HZ in device.sent:
            first.append((alert - device.sent[READABLE_S * RATE_HZ]) * 1000)
        if alert is None or until is None or until not in device.sent:
            unseen += 1
            continue
        delay.append((alert - device.sent[until]) * 1000)
        on_disk = min((at for stop, at in device.acked.items() if stop >= until), default=None)
        read = device.provisional.get(until)
        if on_disk is not None and read is not None:
            durable.append((on_disk - device.sent[until]) * 1000)
            reading.append((read[0] - on_disk) * 1000)
            ringing.append((alert - read[0]) * 1000)
    everyone = tested + quiet
    acks = [ms for device in everyone for ms in device.durable_ms()]
    late = [ms for device in everyone for ms in device.late_ms]
    whole = int(took)
    read_s = sum(since <= at <= since + whole for d in quiet for at, _ in d.provisional.values())
    seconds = [
        (at, d.provisional.get(stop))
        for d in quiet
        for stop, at in d.sent.items()
        if stop % RATE_HZ == 0 and stop >= READABLE_S * RATE_HZ and since <= at <= since + whole - 1
    ]
    late_s = sum(read is None or (read[0] - at) * 1000 > LATE_MS for at, read in seconds)
    waited = [(read[0] - at) * 1000 for at, read in seconds if read is not None]
    false = sum(tier != "NONE" for d in quiet for _, tier in d.provisional.values())
    return {
        "streams": streams,
        "probes": len(tested),
        "probes_without_alert_from_a_rolling_reading": unseen,
        "probes_without_any_alert": len(tested) - len(first),
        "errors": [d.error for d in everyone if d.error][:5],
        "seconds": round(took, 1),
        # Nobody is left out here: seconds that were skipped count, and probes that only the final reading rang.
        "first_readable_second_to_board_ms": quantiles(first, 1),
        "last_sample_to_board_ms": quantiles(delay, 1),
        "of_that_until_durable_ms": quantiles(durable, 1),
        "of_that_durable_to_read_ms": quantiles(reading, 1),
        "of_that_read_to_board_ms": quantiles(ringing, 1),
        "last_sample_of_strip_to_final_reading_ms": quantiles(strip, 1),
        "frame_to_acknowledged_ms": quantiles(acks, 1),
        "frames_acknowledged_later_than_1_s": sum(ms > 1000 for ms in acks),
        "background_readings_share": round(read_s / (len(quiet) * whole), 3) if quiet and whole else None,
        "background_seconds": len(seconds),
        "background_seconds_later_than_1_s_or_never": late_s,
        "background_second_to_answer_ms": quantiles(waited, 1),
        "background_readings_with_a_tier": false,
        "device_behind_its_plan_ms": quantiles(late, 1),
        "delays_ms": [round(ms, 1) for ms in delay],
    }


def run(
    levels: tuple[int, ...] = (1, 20),
    probes: int = 12,
    options: Options = Options(),
    name: str = "stream",
) -> Json:
    """Measure, print, save."""
    if max(levels) > MOST_STREAMS:
        raise ValueError(f"expected at most {MOST_STREAMS} streams, got {max(levels)}")
    found: list[Json] = []
    for streams in levels:
        before = load_1min()
        # A fresh database for each, so that the rows of one level are no load of the next.
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            service = Service(folder, options)
            try:
                # With one stream, one probe at a time.
                pause_s = max(0.5, (PROBE_S + 0.5) / streams)
                told = asyncio.run(level(service, streams, probes, pause_s, options.start_over_s))
                found.append(told | {"load_1min_before": before, "load_1min_after": load_1min()})
            finally:
                service.end()
    show(
        f"Last sample to board (must p99 ≤ {MUST_P99_MS} ms, aim ≤ {AIM_P99_MS} ms at 200 streams)",
        [_row(result) for result in found],
    )
    results: Json = {
        "must_p99_ms": MUST_P99_MS,
        "aim_p99_ms": AIM_P99_MS,
        "frames_per_s": RATE_HZ / FRAME,
        "options": asdict(options),
        "levels": found,
    }
    save(name, results)
    return results


def _row(result: Json) -> dict[str, Any]:
    def three(key: str) -> str:
        q = result[key]
        return "–" if not q["n"] else f"{q['p50']:.0f} / {q['p95']:.0f} / {q['p99']:.0f}"

    return {
        "streams": result["streams"],
        "probes": result["probes"],
        "alerts": result["last_sample_to_board_ms"]["n"],
        "p50 / p95 / p99 ms": three("last_sample_to_board_ms"),
        "from second 5": f"{three('first_readable_second_to_board_ms')} "
        f"({result['first_readable_second_to_board_ms']['n']})",
        "until durable": three("of_that_until_durable_ms"),
        "durable to read": three("of_that_durable_to_read_ms"),
        "read to board": three("of_that_read_to_board_ms"),
        "strip's end to final": three("last_sample_of_strip_to_final_reading_ms"),
        "frame to ack": three("frame_to_acknowledged_ms"),
        "seconds answered": result["background_readings_share"],
        "of them late": f"{result['background_seconds_later_than_1_s_or_never']} of {result['background_seconds']}",
        "second to answer": three("background_second_to_answer_ms"),
        "CPU %": result["service_cpu_percent"],
        "devices' CPU %": result["load_generator_cpu_percent"],
        "load before, after": f"{result['load_1min_before']}, {result['load_1min_after']}",
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--streams", type=int, nargs="+", default=[1, 20, 100, 200])
    parser.add_argument("--probes", type=int, default=20)
    parser.add_argument("--plain", action="store_true", help="without uvloop")
    parser.add_argument("--sync-s", type=float, help="another segment_sync_s")
    parser.add_argument("--name", default="stream", help="file name of the results")
    parser.add_argument("--threads", type=int, help="another analysis_threads")
    parser.add_argument("--start-over-s", type=float, help="within which all background streams begin")
    given = parser.parse_args()
    options = Options(
        plain=given.plain, sync_s=given.sync_s, threads=given.threads, start_over_s=given.start_over_s
    )
    run(tuple(given.streams), given.probes, options, given.name)


if __name__ == "__main__":
    main()
