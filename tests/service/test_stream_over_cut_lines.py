"""A live stream over real sockets whose line is cut in the middle of frames has the analysis of its file."""

import asyncio
import contextlib
import json
import random
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from greenchannel.county import devices
from greenchannel.county.client import Client
from greenchannel.ingest.scaling import int16_to_mv
from greenchannel.ingest.wfdb_write import write_wfdb_zip
from greenchannel.signal.recording import Recording
from tests.county_actors import STREAMED, hello, steps_of
from tests.served import served

CUTS = 8
SEED = 5


class CutLine:
    """A relay that lets a given number of bytes of each connection through to the service, then drops the line."""

    def __init__(self, port: int, budgets: list[int]) -> None:
        self._port = port
        self._budgets = budgets
        self.cuts = 0

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncIterator[str]:
        """The address of the near end."""
        server = await asyncio.start_server(self._relay, "127.0.0.1", 0)
        async with server:
            yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"

    async def _relay(self, near_in: asyncio.StreamReader, near_out: asyncio.StreamWriter) -> None:
        far_in, far_out = await asyncio.open_connection("127.0.0.1", self._port)
        budget = self._budgets.pop(0) if self._budgets else None
        forth = asyncio.create_task(self._copy(near_in, far_out, budget))
        back = asyncio.create_task(self._copy(far_in, near_out, None))
        await asyncio.wait({forth, back}, return_when=asyncio.FIRST_COMPLETED)
        cut = forth.done() and not forth.result()
        self.cuts += cut
        for task in (forth, back):
            task.cancel()
        await asyncio.gather(forth, back, return_exceptions=True)
        for writer in (near_out, far_out):
            if cut:
                writer.transport.abort()
            else:
                writer.close()

    @staticmethod
    async def _copy(source: asyncio.StreamReader, target: asyncio.StreamWriter, budget: int | None) -> bool:
        """Copy until the end, True; or until the budget is spent, False."""
        with contextlib.suppress(ConnectionError):
            while data := await source.read(4096):
                if budget is not None and len(data) >= budget:
                    target.write(data[:budget])
                    await target.drain()
                    return False
                budget = None if budget is None else budget - len(data)
                target.write(data)
                await target.drain()
        return True


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
        # The first is cut within the hello, the others anywhere; what is acknowledged is not sent again.
        line = CutLine(service.port, [300, *(dice.randint(1000, line_bytes // 3) for _ in range(CUTS - 1))])
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
            return heard, streamed["analysis"], uploaded["analysis"], line.cuts

    with served(tmp_path / "county") as service:
        heard, streamed, uploaded, cuts = asyncio.run(play())
        assert "Traceback" not in service.log.read_text(encoding="utf-8"), service.log_end()
    assert cuts >= CUTS // 2
    assert sum("resume_from" in message for message in heard) >= cuts - 1
    assert streamed is not None and uploaded is not None
    for analysis in (streamed, uploaded):
        for key in ("source", "sha256"):
            del analysis[key]
    assert json.dumps(streamed, sort_keys=True) == json.dumps(uploaded, sort_keys=True)
