"""A county in this process whose clock stands where a test puts it: for what people do at a known minute."""

import asyncio
import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from greenchannel.assembly import build, listen, running
from greenchannel.county import cast
from greenchannel.county.story_clock import StoryClock
from greenchannel.service.desk import Desk
from greenchannel.settings import Settings

WITHIN_S = 60.0


@dataclass(kw_only=True)
class StoryCounty:
    """The running service; its clock is turned from the test's thread."""

    base: str
    clock: StoryClock
    desk: Desk
    tokens: dict[str, str]


@contextlib.contextmanager
def story_county(folder: Path, start: datetime) -> Iterator[StoryCounty]:
    """The demo's people and a clock that stands at `start`; the service has a thread of its own."""
    clock = StoryClock(start)
    made: list[StoryCounty] = []
    loop = asyncio.new_event_loop()
    begun, stop = threading.Event(), asyncio.Event()

    async def live() -> None:
        desk = build(Settings(data_dir=folder, port=0, duty_poll_s=0.1, mark_every_s=0.3), clock)
        tokens = cast.settle(desk.accounts, start)
        sock = listen(desk.settings)
        async with running(desk, sock):
            base = f"http://127.0.0.1:{sock.getsockname()[1]}"
            made.append(StoryCounty(base=base, clock=clock, desk=desk, tokens=tokens))
            begun.set()
            await stop.wait()

    def work() -> None:
        try:
            loop.run_until_complete(live())
        finally:
            begun.set()
            loop.close()

    thread = threading.Thread(target=work, name="county")
    thread.start()
    try:
        assert begun.wait(WITHIN_S) and made, "the service did not start"
        yield made[0]
    finally:
        if thread.is_alive():
            loop.call_soon_threadsafe(stop.set)
        thread.join(WITHIN_S)
