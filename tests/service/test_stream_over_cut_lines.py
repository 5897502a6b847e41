"""A live stream over real sockets whose line is cut in the middle of frames has the analysis of its file."""

import asyncio
import json
import random
from pathlib import Path
from typing import Any

from greenchannel.county import devices
from greenchannel.county.client import Client
from greenchannel.county.links import ConnectionFate, LinkProfile
from greenchannel.county.relay import Relay
from greenchannel.ingest.scaling import int16_to_mv
from greenchannel.ingest.wfdb_write import write_wfdb_zip
from greenchannel.signal.recording import Recording
from tests.county_actors import STREAMED, hello, steps_of
from tests.served import served

ANSWERED_BYTES = 4000  # handshake, hello and its answer, with room
CUTS = 8
SEED = 5


def test_a_stream_over_a_line_that_is_cut_has_the_analysis_of_its_file(tmp_path: Path) -> None:
    """Eight cuts, each wherever it falls; then the same strip as a file from another clinic: one analysis."""
    recording = devices.simulated(STREAMED, seed=88, leads=18)
    steps = steps_of(recording)
    whole = Recording(
        samples_mv=int16_to_mv(steps, devices.LSB_MV),
        leads=recording.leads,
        rate_hz=recording.rate_hz,
        electrode_set=recording.electrode_set,
    )
    file = write_wfdb_zip(whole, lsb_mv=devices.LSB_MV, age_years=67.0, sex="female", acquired=None)
    frames = devices.as_frames(recording)
    dice = random.Random(SEED)
    line_bytes = sum(map(len, frames))

    async def play() -> tuple[list[Any], Any, Any, int]:
        # The first is cut within the hello, the others behind its answer; what is acknowledged is not sent again.
        budgets = [300, *(dice.randint(ANSWERED_BYTES, line_bytes // 3) for _ in range(CUTS - 1))]
        line = Relay(
            "127.0.0.1",
            service.port,
            LinkProfile(),
            fate_of_connection=lambda _: ConnectionFate(
                refused=False, cut_after_bytes=budgets.pop(0) if budgets else None
            ),
        )
        async with (
            line.open() as near,
            Client(near, token=service.tokens["ecg-jishi"], patience_s=60) as jishi,
        ):
            heard = await jishi.stream(hello(recording, "cut"), frames, pause_s=0.02)
        async with (
            Client(service.base, token=service.tokens["ecg-jishi"]) as jishi,
            Client(service.base, token=service.tokens["ecg-yinzhao"]) as yinzhao,
        ):
            sent = await yinzhao.send_ecg(file, age=67, sex="female", chest_pain="yes")
            streamed_id = next(message["ecg_id"] for message in heard if "ecg_id" in message)
            streamed = await jishi.call("GET", f"/ecgs/{streamed_id}")
            uploaded = await yinzhao.call("GET", f"/ecgs/{sent['ecg_id']}")
            return heard, streamed["analysis"], uploaded["analysis"], line.counts["cut"]

    with served(tmp_path / "county") as service:
        heard, streamed, uploaded, cuts = asyncio.run(play())
        assert service.faults() == []
    assert cuts >= CUTS // 2
    assert sum("resume_from" in message for message in heard) >= cuts - 1
    assert streamed is not None and uploaded is not None
    for analysis in (streamed, uploaded):
        for key in ("source", "sha256"):
            del analysis[key]
    assert json.dumps(streamed, sort_keys=True) == json.dumps(uploaded, sort_keys=True)
