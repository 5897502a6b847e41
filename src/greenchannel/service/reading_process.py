"""Running streams are read in a process of their own, so that the one that takes frames is free of it.

What goes over is a window of samples; what comes back is its reading. Nothing is kept there: a process that dies takes
no state along. Until it is there, and whenever it is not, windows are read by a thread of this process.
"""

import asyncio
import contextlib
import multiprocessing
import os
import signal
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from multiprocessing.connection import wait
from typing import Any, Final

import numpy as np
import structlog
from numpy.typing import NDArray

from greenchannel.ingest.scaling import int16_to_mv
from greenchannel.service import collecting, warm
from greenchannel.signal import rolling as windows
from greenchannel.signal.cases import Known
from greenchannel.signal.standing import Standing
from greenchannel.triage.finding import Patient
from greenchannel.triage.interpretation import finding_json
from greenchannel.triage.reading import read
from greenchannel.triage.rule_set import rule_set

logger = structlog.get_logger(__name__)

PATIENCE_S: Final = 10.0  # a process that takes longer for a window and the one before it hangs  [E]
STARTS_APART_S: Final = 10.0  # one that dies at its start is not made anew at once  [E]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Window:
    """The newest seconds of a stream, and what is known of it."""

    leads: tuple[str, ...]
    rate_hz: float
    lsb_mv: float
    begin_s: int  # the stream's second that `steps` begins with
    steps: NDArray[np.int16]  # ``(leads, samples)``
    known: Known | None
    known_s: int  # up to which second the window reached that `known` was seen in
    patient: Patient
    rules_version: str


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class WindowReading:
    """What it says, and what later seconds may be held against."""

    tier: str
    findings: list[dict[str, Any]]
    standing: Standing | None
    known: Known | None
    known_s: int


def read_window(window: Window) -> WindowReading | None:
    """Read one window; None where it holds no sample at all."""
    state = windows.start(window.leads, window.rate_hz, at_s=window.begin_s)
    state = windows.push(state, int16_to_mv(window.steps, window.lsb_mv))
    measured, state = windows.read(replace(state, known=window.known, known_s=window.known_s))
    if measured is None:
        return None
    reading = read(measured, window.patient, rule_set(window.rules_version))
    return WindowReading(
        tier=reading.tier.value,
        findings=[finding_json(finding) for finding in reading.findings],
        standing=windows.standing(state, measured),
        known=state.known,
        known_s=state.known_s,
    )


class ReadingProcess:
    """The process beside this one; whatever ails it, a window is read.

    Parameters
    ----------
    in_thread : reads a window in this process
    at_once : windows that are read in threads at the same time, however many were with a process that died
    wanted : False: there is no such process, and all is read in threads
    """

    def __init__(
        self,
        in_thread: Callable[[Callable[[], WindowReading | None]], Awaitable[WindowReading | None]],
        *,
        at_once: int,
        wanted: bool,
    ) -> None:
        self._threads = asyncio.Semaphore(at_once)
        self._in_thread = in_thread
        self._wanted = wanted
        self._pool: ProcessPoolExecutor | None = None
        self._warming: asyncio.Future[int] | None = None
        self._not_before = 0.0  # by the event loop's clock

    def start(self) -> None:
        """Begin to make the process where it is not there; nobody waits for it."""
        loop = asyncio.get_running_loop()
        if not self._wanted or self._pool is not None or loop.time() < self._not_before:
            return
        self._not_before = loop.time() + STARTS_APART_S
        context = multiprocessing.get_context("spawn")  # a fork would take locks of other threads along
        self._pool = ProcessPoolExecutor(1, context, initializer=_begin)
        self._warming = loop.run_in_executor(self._pool, _warm)

    @property
    def is_there(self) -> bool:
        """Would a window be read there now?"""
        return self._pool is not None and self._warming is not None and self._warming.done()

    async def read(self, window: Window) -> WindowReading | None:
        """Read one window, wherever that can be done now."""
        self.start()
        pool, warming = self._pool, self._warming
        if pool is None or warming is None or not self.is_there:
            return await self._in_turn(window)
        try:
            warming.result()
            reading = asyncio.get_running_loop().run_in_executor(pool, read_window, window)
            return await asyncio.wait_for(reading, PATIENCE_S)
        except Exception as error:
            logger.exception("a running stream could not be read in its process, and is read here")
            if isinstance(error, BrokenProcessPool | TimeoutError) or warming.exception() is not None:
                self._give_up(pool)
        return await self._in_turn(window)

    async def _in_turn(self, window: Window) -> WindowReading | None:
        async with self._threads:
            return await self._in_thread(lambda: read_window(window))

    def _give_up(self, pool: ProcessPoolExecutor) -> None:
        """End a process that died, hangs or cannot be used; another is made after a while."""
        if self._pool is pool:
            self._pool = None
            self._end(pool)

    def _end(self, pool: ProcessPoolExecutor) -> None:
        pool.shutdown(wait=False, cancel_futures=True)
        warming, self._warming = self._warming, None
        if warming is not None and warming.done() and warming.exception() is None:
            with contextlib.suppress(OSError):  # it is gone already
                os.kill(warming.result(), signal.SIGTERM)

    def stop(self) -> None:
        """End it."""
        self._wanted = False
        pool, self._pool = self._pool, None
        if pool is not None:
            self._end(pool)


def _warm() -> int:
    """Everything that a first reading makes; the number of the process."""
    warm.read_once()
    collecting.settle()
    return os.getpid()


def _begin() -> None:
    """The process ends with the one that made it, also where that one was killed."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def watch() -> None:
        wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
