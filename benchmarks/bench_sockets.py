"""Processor time that one frame of a device costs, by the code that carries the socket.

18 leads, five frames a second, 3.6 kB each, real time, N streams. Where another Python with picows is named
(``GREENCHANNEL_BENCH_PICOWS=/path/to/python``), it is the limit; it is no dependency of ours.
"""

import argparse
import asyncio
import os
import subprocess
import sys
import time
from typing import Final

import websockets

from benchmarks.harness import ROOT, Json, save, show

FRAMES_PER_S: Final = 5
_FRAME: Final = bytes(12 + 100 * 18 * 2)


def servers() -> dict[str, list[str]]:
    """The ways that can be measured here, and how each is started."""
    here = [sys.executable, "-m", "benchmarks.socket_servers"]
    ways = {"FastAPI route": [*here, "route"], "raw ASGI": [*here, "asgi"]}
    other = os.environ.get("GREENCHANNEL_BENCH_PICOWS")
    if other:
        ways["picows alone"] = [other, "-m", "benchmarks.socket_servers", "picows"]
    return ways


def _cpu_s(pid: int) -> float:
    # In nanoseconds, where /proc/PID/stat counts hundredths of a second; of the one thread that there is.
    with open(f"/proc/{pid}/schedstat", encoding="ascii") as stat:
        return int(stat.read().split()[0]) / 1e9


async def _device(port: int, begin: float, phase: float, seconds: float) -> tuple[int, float]:
    """One stream; frames sent, and how late the worst of them left (s)."""
    frame = bytearray(_FRAME)
    late = 0.0
    async with websockets.connect(
        f"ws://127.0.0.1:{port}/stream", compression=None, proxy=None, open_timeout=30, close_timeout=1
    ) as socket:

        async def hear() -> None:
            async for _ in socket:
                continue

        hearing = asyncio.create_task(hear())
        total = round(seconds * FRAMES_PER_S)
        for number in range(total):
            due = begin + phase + number / FRAMES_PER_S
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            late = max(late, time.perf_counter() - due)
            frame[0:4] = number.to_bytes(4, "little")
            frame[4:8] = (number * 100).to_bytes(4, "little")
            frame[8:10] = (100).to_bytes(2, "little")
            await socket.send(bytes(frame))
        hearing.cancel()
    return total, late


async def _measure(pid: int, port: int, streams: int, seconds: float) -> Json:
    begin = time.perf_counter() + 1.0 + streams / 200  # time to connect
    devices = [
        asyncio.create_task(_device(port, begin, i / streams / FRAMES_PER_S, seconds)) for i in range(streams)
    ]
    # The first and the last second are left out: connecting and closing are no frames.
    await asyncio.sleep(max(0.0, begin + 1.0 - time.perf_counter()))
    cpu, since = _cpu_s(pid), time.perf_counter()
    await asyncio.sleep(seconds - 2.0)
    cpu, took = _cpu_s(pid) - cpu, time.perf_counter() - since
    done = await asyncio.gather(*devices)
    frames = streams * FRAMES_PER_S * took
    return {
        "streams": streams,
        "frames_per_s": streams * FRAMES_PER_S,
        "cpu_us_per_frame": round(1e6 * cpu / frames, 1),
        "cpu_percent": round(100 * cpu / took, 1),
        "worst_late_ms": round(1000 * max(late for _, late in done), 1),
    }


def measure_one(words: list[str], streams: int, seconds: float) -> Json:
    """Start a server, load it, end it."""
    environ = os.environ | {"PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=environ, cwd=ROOT)
    try:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        import uvloop

        return uvloop.run(_measure(process.pid, port, streams, seconds))
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def run(levels: tuple[int, ...] = (200,), seconds: float = 6.0, rounds: int = 1) -> Json:
    """Measure, print, save: the ways one after the other, `rounds` times over."""
    found: list[Json] = []
    for streams in levels:
        for number in range(rounds):
            for name, words in servers().items():
                found.append({"way": name, "round": number} | measure_one(words, streams, seconds))
    rows = []
    for streams in levels:
        for name in servers():
            runs = [one for one in found if one["way"] == name and one["streams"] == streams]
            costs = sorted(float(one["cpu_us_per_frame"]) for one in runs)
            rows.append(
                {
                    "way": name,
                    "streams": streams,
                    "frames/s": streams * FRAMES_PER_S,
                    "µs of CPU a frame, least": costs[0],
                    "median": costs[len(costs) // 2],
                    "CPU %": runs[0]["cpu_percent"],
                }
            )
    show("What a frame costs, by the code that carries the socket", rows)
    results: Json = {"seconds": seconds, "rounds": rounds, "rows": rows, "runs": found}
    save("sockets", results)
    return results


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--streams", type=int, nargs="+", default=[200, 500])
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    run(tuple(given.streams), given.seconds, given.rounds)


if __name__ == "__main__":
    main()
