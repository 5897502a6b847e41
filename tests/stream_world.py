"""What a live device sends to a desk, and what it hears."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from greenchannel.ingest.device_stream import LAST, encode_frame
from greenchannel.service.live_stream import LiveStream
from greenchannel.signal.recording import Recording
from greenchannel.signal.synthesis import synthesize
from tests.desk_world import STEMI

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


async def comes(fact: Callable[[], Any]) -> None:
    """Wait until something is so."""
    async with asyncio.timeout(20):
        while not fact():
            await asyncio.sleep(0.01)


async def until_acked(stream: LiveStream, sample: int) -> None:
    """Wait until everything before this sample is durable."""
    async with asyncio.timeout(20):
        while (await stream.messages.get()).get("acked", 0) < sample:
            pass
