"""`greenchannel demo`: the whole story on this machine, in a folder that is thrown away."""

import asyncio
import contextlib
import logging
import os
import shutil
import sys
import tempfile
import webbrowser
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import structlog

from greenchannel.alerts.golden import published_case
from greenchannel.alerts.timeline import timeline
from greenchannel.county import cast
from greenchannel.county.report import timeline_text
from greenchannel.county.story import Story, at
from greenchannel.county.story_clock import StoryClock
from greenchannel.service.desk import Desk
from greenchannel.settings import Settings

Serve = Callable[..., Coroutine[Any, Any, None]]


@dataclass(frozen=True, kw_only=True, slots=True)
class DemoOptions:
    """What the command line may say."""

    host: str = "127.0.0.1"
    port: int = 8765
    speed: float = 1.0  # twice as fast at 2
    once: bool = False  # stop at the end and print the timeline
    browser: bool = True  # open the page where there is a display
    data: Path | None = None  # real recordings to send beside the simulated ones


def real_data() -> Path | None:
    """Where development machines keep real recordings; None on all others."""
    named = os.environ.get("GREENCHANNEL_TEST_DATA")
    beside = Path(__file__).resolve().parents[3].parent / "shared" / "data"
    folder = Path(named) if named else beside
    return folder if folder.is_dir() else None


class Demo:
    """One run: a county in a temporary folder, a story clock, and the story beside the service."""

    def __init__(self, options: DemoOptions) -> None:
        self._options = options
        self._zone = ZoneInfo(cast.ZONE)
        self._day = datetime.now(UTC).astimezone(self._zone).date()
        self.clock = StoryClock(at(self._day, "16:03"))
        self.folder = Path(tempfile.mkdtemp(prefix="greenchannel-demo-"))
        self.settings = Settings(data_dir=self.folder, host=options.host, port=options.port, duty_poll_s=0.1)
        self._tokens: dict[str, str] = {}

    def settle(self, desk: Desk) -> None:
        """Enter the county's people before the service starts."""
        self._tokens = cast.settle(desk.accounts, self.clock.now(), _PEOPLE)

    async def play(self, desk: Desk, address: str) -> None:
        """The story; ends with it under ``--once``, otherwise waits to be stopped."""
        await desk.enter_history(
            "yinzhao",
            lambda case_id, patient: published_case(
                self._day, self._zone, case_id=case_id, site="yinzhao", patient=patient
            ),
        )
        story = Story(
            address=address,
            tokens=self._tokens,
            clock=self.clock,
            hub=desk.hub,
            day=self._day,
            speed=self._options.speed,
            data=self._options.data,
        )
        desk.answers.before_act = story.before_act
        self._say(
            f"\n  greenchannel demo   {address}\n  演示:病人与账号均为模拟   patients and accounts are simulated\n"
        )
        if self._options.browser and has_display():
            webbrowser.open(address)
        case_id = await story.play()
        desk.answers.before_act = None
        self.clock.run_on()
        case = desk.case(case_id)
        self._say(timeline_text(timeline(case), self._zone, address + f"case/{case_id}"))
        if not self._options.once:
            self._say(
                "\n  故事已结束,页面仍可使用;按 Ctrl-C 结束   the story has ended; Ctrl-C stops the service\n"
            )
            await asyncio.Event().wait()

    @staticmethod
    def _say(text: str) -> None:
        print(text, flush=True)

    def clean_up(self) -> None:
        """Throw the county away."""
        shutil.rmtree(self.folder, ignore_errors=True)


_PEOPLE = (*cast.USERS, cast.RADIOLOGIST, cast.ADMIN)


def has_display() -> bool:
    """Whether a page can be opened here."""
    if sys.platform in ("darwin", "win32"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def run(options: DemoOptions, run_loop: Callable[[Coroutine[Any, Any, None]], None], serve: Serve) -> None:
    """Play the demo until its end or Ctrl-C, with the assembly's `run` and `run_until_stopped`."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    demo = Demo(replace(options, data=options.data or real_data()))
    try:
        with contextlib.suppress(KeyboardInterrupt):
            run_loop(serve(demo.settings, demo.clock, demo.play, prepare=demo.settle, demo_users=_PEOPLE))
    finally:
        demo.clean_up()
