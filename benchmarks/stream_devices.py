"""Simulated 18-lead devices that stream in real time, and what each of them saw happen when.

All instants are `time.perf_counter()` of this one process, so no two clocks are compared.
"""

import asyncio
import contextlib
import json
import random
import time
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import websockets

from greenchannel.county.client import API
from greenchannel.ingest.device_stream import LAST, encode_frame
from greenchannel.signal.leads import STANDARD_18
from greenchannel.signal.synthesis import synthesize

RATE_HZ: Final = 500
FRAME: Final = 100  # samples: five frames a second
LSB_MV: Final = 0.0025
LOOP_S: Final = 4  # five whole beats at 75/min, so the strip may be repeated without a seam


def steps_of(scenario: str) -> np.ndarray[Any, np.dtype[np.int16]]:
    """Four seconds of a scenario that fit their own beginning, shape ``(samples, leads)``."""
    strip = synthesize(leads=STANDARD_18, scenario=scenario, duration_s=12.0, noise_mv=0.006, seed=7)
    # From the middle: every beat has its neighbours there.
    cut = strip.samples_mv[:, LOOP_S * RATE_HZ : 2 * LOOP_S * RATE_HZ]
    return np.round(cut / LSB_MV).astype(np.int16).T


@dataclass(kw_only=True, eq=False)
class Device:
    """One stream, from its hello to its end."""

    name: str
    scenario: str
    seconds: float
    case_id: str | None = None
    began: float = 0.0
    sent: dict[int, float] = field(default_factory=dict)  # sample after the frame → instant of sending
    late_ms: list[float] = field(default_factory=list)  # how far behind its own plan the device sent
    acked: dict[int, float] = field(default_factory=dict)  # first sample not durable → instant heard
    provisional: dict[int, tuple[float, str]] = field(default_factory=dict)  # sample → instant, tier
    final: tuple[float, str] | None = None
    error: str | None = None

    async def run(self, address: str, token: str, stop: asyncio.Event) -> None:
        """Stream until the seconds are over or `stop` is set; then the strip ends, and its reading is waited for."""
        url = address.rstrip("/").replace("http", "ws", 1) + API + "/stream"
        headers = {"Authorization": f"Bearer {token}"}
        try:
            async with websockets.connect(
                url,
                additional_headers=headers,
                compression=None,
                proxy=None,
                open_timeout=30,
                close_timeout=1,
            ) as socket:
                await socket.send(json.dumps(self._hello()))
                answer = json.loads(await socket.recv())
                if "error" in answer:
                    self.error = str(answer["error"])
                    return
                self.case_id = answer["case_id"]
                hearing = asyncio.create_task(self._hear(socket))
                await self._send(socket, stop)
                if not stop.is_set():
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(asyncio.shield(hearing), 20.0)
                hearing.cancel()
        except (OSError, websockets.WebSocketException) as error:
            self.error = f"{type(error).__name__}: {error}"

    def _hello(self) -> dict[str, Any]:
        return {
            "stream_id": self.name,
            "leads": list(STANDARD_18),
            "rate_hz": float(RATE_HZ),
            "lsb_mv": LSB_MV,
            "age": 67,
            "sex": "female",
            "chest_pain": True,
            "electrode_set": "posterior_right",
        }

    async def _send(self, socket: websockets.ClientConnection, stop: asyncio.Event) -> None:
        steps = steps_cached(self.scenario)
        total = round(self.seconds * RATE_HZ / FRAME)
        self.began = time.perf_counter()
        for number in range(total):
            due = self.began + (number + 1) * FRAME / RATE_HZ  # a frame leaves when its last sample is there
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            if stop.is_set():
                return
            at = number * FRAME % len(steps)
            last = LAST if number == total - 1 else 0
            frame = encode_frame(number, number * FRAME, steps[at : at + FRAME], last)
            now = time.perf_counter()
            self.late_ms.append((now - due) * 1000)
            self.sent[(number + 1) * FRAME] = now
            await socket.send(frame)

    async def _hear(self, socket: websockets.ClientConnection) -> None:
        async for text in socket:
            now = time.perf_counter()
            message = json.loads(text)
            if "acked" in message:
                self.acked.setdefault(int(message["acked"]), now)
            elif message.get("type") == "analysis" and message["provisional"]:
                until = round(message["until_s"] * RATE_HZ)
                self.provisional.setdefault(until, (now, message["tier"]))
            elif message.get("type") == "analysis":
                self.final = (now, message["tier"])
                return

    def durable_ms(self) -> list[float]:
        """For each frame, from its sending to the word that it is on disk."""
        heard = sorted(self.acked.items())
        delays, at = [], 0
        for stop, sent in sorted(self.sent.items()):
            while at < len(heard) and heard[at][0] < stop:
                at += 1
            if at < len(heard):
                delays.append((heard[at][1] - sent) * 1000)
        return delays


_steps: dict[str, np.ndarray[Any, np.dtype[np.int16]]] = {}


def steps_cached(scenario: str) -> np.ndarray[Any, np.dtype[np.int16]]:
    """`steps_of`, made once."""
    if scenario not in _steps:
        _steps[scenario] = steps_of(scenario)
    return _steps[scenario]


async def start_spread(
    devices: list[Device], over_s: float, address: str, token: str, stop: asyncio.Event
) -> list[asyncio.Task[None]]:
    """Start devices at random instants within `over_s`, as real ones have no common clock."""
    chance = random.Random(1)
    begin = time.perf_counter()
    tasks = []
    offsets = sorted(chance.uniform(0.0, over_s) for _ in devices)
    for device, offset in zip(devices, offsets, strict=True):
        await asyncio.sleep(max(0.0, begin + offset - time.perf_counter()))
        tasks.append(asyncio.create_task(device.run(address, token, stop)))
    return tasks
