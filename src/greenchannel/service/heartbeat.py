"""A sign of life to an outside address, while the service is well, and only then: silence is the alarm.

Once a day, and at the first beat of each life, it carries the heads of both hash chains, so that somebody outside can
see that an end was cut off or a chain computed anew: ``greenchannel audit verify --known SEQ:HASH``.
"""

import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

import httpx
import structlog
from sqlalchemy import Engine

from greenchannel.alerts.wellness import unwell, why_silent
from greenchannel.clock import Clock
from greenchannel.service.auditor import Auditor
from greenchannel.service.signs import SignsOfLife
from greenchannel.store.access import AccessLog
from greenchannel.store.log import Log

logger = structlog.get_logger(__name__)

HEADS_EVERY: Final = timedelta(days=1)
TIMEOUT_S: Final = 10.0


class Heartbeat:
    """Beats from a thread of its own. The address is a secret of the receiver's and stands in no log."""

    def __init__(
        self,
        *,
        url: str | None,
        every_s: float,
        engine: Engine,
        clock: Clock,
        signs: SignsOfLife,
        auditor: Auditor,
        ready: Callable[[], bool],
    ) -> None:
        self._url = url
        self._every_s = every_s
        self._engine = engine
        self._clock = clock
        self._signs = signs
        self._auditor = auditor
        self._ready = ready
        self._heads_at: datetime | None = None
        self._silent: tuple[str, ...] = ()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="greenchannel-heartbeat", daemon=True)

    def start(self) -> None:
        """Begin to beat; nothing happens where no address is set."""
        if self._url is not None:
            self._thread.start()

    def stop(self) -> None:
        """End the thread."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self.beat()
            except Exception as error:  # noqa: BLE001 - its text may hold the address
                logger.error("the heartbeat was not taken", error=type(error).__name__)
            self._stop.wait(self._every_s)

    def reasons(self) -> tuple[str, ...]:
        """Why no beat may go out now; nothing where all is well."""
        return why_silent(
            unwell(self._signs.look()),
            ready=self._ready(),
            missed=self._auditor.missed,
            look_age_s=time.monotonic() - self._auditor.looked_s,
        )

    def beat(self) -> bool:
        """One beat, unless the service is unwell; says whether one went out and was taken."""
        reasons = self.reasons()
        if reasons != self._silent:
            self._silent = reasons
            if reasons:
                logger.critical("the heartbeat is silent", why=reasons)
            else:
                logger.warning("the heartbeat goes on")
        if reasons or self._url is None:
            return False
        now = self._clock.now()
        heads_due = self._heads_at is None or now - self._heads_at >= HEADS_EVERY
        url = httpx.URL(self._url)
        if heads_due:
            url = url.copy_merge_params(self._heads())
        answer = httpx.get(url, timeout=TIMEOUT_S, trust_env=False)
        if not answer.is_success:
            logger.error("the heartbeat was refused", status=answer.status_code)
            return False
        if heads_due:
            self._heads_at = now
        return True

    def _heads(self) -> dict[str, str]:
        seq, head = Log(self._engine).head()
        access_seq, access_head = AccessLog(self._engine).head()
        return {"head": f"{seq}:{head.hex()}", "access_head": f"{access_seq}:{access_head.hex()}"}
