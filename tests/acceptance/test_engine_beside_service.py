"""An engine beside the service, on one database: its boards show what the engine wrote, without a gap."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from greenchannel.events import AlertAcknowledged, AlertEscalated, AlertExhausted, Envelope
from greenchannel.store.engine import open_engine
from greenchannel.store.log import Log
from tests.county_actors import Board, County, Told
from tests.engines import Engines, engines
from tests.escalation_files import write_escalation_file
from tests.served import Served, served

POLL_S: Final = 0.1
SHOWN_WITHIN_S: Final = 5.0  # of a machine that many share; the benchmark measures how long it takes
APART_S: Final = 2.0  # of the steps
ENGINE: Final = "engine-1"


class Watched(Board):
    """A board that notes when each event came."""

    def __init__(self, client: Any) -> None:
        super().__init__(client, Told())
        self.came: dict[int, tuple[str, datetime, datetime]] = {}  # seq → type, written at, came at

    def _take(self, message: dict[str, Any]) -> None:
        super()._take(message)
        if message["type"] not in ("snapshot", "mark", "order_changed"):
            written = datetime.fromisoformat(message["at"])
            self.came[message["seq"]] = message["type"], written, datetime.now(UTC)


async def until(true: Callable[[], Awaitable[bool]], what: str) -> None:
    """Poll; raises `TimeoutError` with what was waited for."""
    try:
        async with asyncio.timeout(90):
            while not await true():
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise TimeoutError(f"expected {what}") from None


async def story(service: Served, beside: Engines) -> tuple[Watched, dict[str, Any], str, str]:
    """Two infarctions: nobody answers the first, the second is answered after the engine has escalated it."""
    async with County(service.base, service.tokens) as county:
        chen = await county.person("chen")
        board = Watched(chen)
        following = asyncio.create_task(board.follow_always())
        _, forgotten = await county.upload("ecg-liuzhuang", 1, patient_ref="forgotten", chest_pain="yes")

        async def exhausted() -> bool:
            return bool((await chen.call("GET", f"/cases/{forgotten}"))["alert"]["exhausted"])

        await until(exhausted, "the engine to climb to the end of the plan")
        await asyncio.to_thread(beside.kill, ENGINE)
        _, answered = await county.upload("ecg-yinzhao", 2, patient_ref="answered", chest_pain="yes")
        await asyncio.to_thread(beside.begin, ENGINE)

        async def climbed() -> bool:
            return int((await chen.call("GET", f"/cases/{answered}"))["alert"]["step"]) >= 1

        await until(climbed, "the engine to go on after it was killed")
        alert_id = (await chen.call("GET", f"/cases/{answered}"))["alert"]["alert_id"]
        await chen.act(f"/alerts/{alert_id}/ack")
        worklist = await chen.call("GET", "/cases")
        await until(lambda: _reached(board, worklist["seq"]), "the board to come to the end")
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
        newcomer = Board(chen, Told())
        await newcomer.follow(until_seq=worklist["seq"])
        assert newcomer.rows == board.rows == {row["case_id"]: row for row in worklist["cases"]}
        return board, worklist, forgotten, answered


async def _reached(board: Board, seq: int) -> bool:
    return (board.seq or 0) >= seq


def test_boards_show_what_an_engine_wrote(tmp_path: Path) -> None:
    """The service itself keeps no due times here: every step on its board was taken by the process beside it."""
    file = write_escalation_file(tmp_path, apart_s=APART_S)
    with (
        served(
            tmp_path / "county",
            escalation_file=file,
            mark_every_s=0.2,
            duty_poll_s=3600,
            follow_poll_s=POLL_S,
        ) as service,
        engines(service.folder, None, escalation_file=file) as beside,
    ):
        beside.begin(ENGINE)
        board, _, forgotten, answered = asyncio.run(story(service, beside))
        beside.wait_ready(ENGINE)
        beside.stop(ENGINE)
        service.stop()
        assert service.faults() == [] and beside.faults() == []
    events = _log(tmp_path / "county")
    steps = [(e.case_id, e.event.step, e.clock) for e in events if isinstance(e.event, AlertEscalated)]

    assert [(step, clock) for case_id, step, clock in steps if case_id == forgotten] == [
        (number, ENGINE) for number in (1, 2, 3)
    ]
    assert {clock for *_, clock in steps} == {ENGINE}
    assert [e.case_id for e in events if isinstance(e.event, AlertExhausted)].count(forgotten) == 1
    assert [e.case_id for e in events if isinstance(e.event, AlertAcknowledged)] == [answered]
    of_cases = [e.seq for e in events if e.case_id is not None]
    first = min(board.came)
    assert sorted(board.came) == [seq for seq in of_cases if seq >= first], "expected each event once, no gap"
    late = [came - at for kind, at, came in board.came.values() if kind == "alert_escalated"]
    assert max(late) < timedelta(seconds=SHOWN_WITHIN_S)
    print(
        f"{len(late)} steps of the engine on the service's board, the last after {max(late).total_seconds():.2f} s"
    )


def _log(folder: Path) -> list[Envelope]:
    engine = open_engine(f"sqlite:///{folder / 'greenchannel.sqlite'}")
    try:
        log = Log(engine)
        assert log.verify().ok
        return log.read()
    finally:
        engine.dispose()
