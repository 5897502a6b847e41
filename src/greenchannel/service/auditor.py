"""The auditor: did what should have happened happen? A thread of its own, with a database connection of its own.

It trusts nothing that could be what is broken: not the event loop, not the warm book, not the due times, not the
writer. It reads the log by its own query, folds the cases itself, compares them with the clock, and looks at the
service from outside. What it finds goes out at once by a way of its own (`direct_alarm.py`), and into the log.
"""

import asyncio
import hashlib
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from datetime import datetime
from typing import Final

import msgspec
import structlog
from sqlalchemy import Engine

from greenchannel.alerts import drill
from greenchannel.alerts.auditor import Missed, audit
from greenchannel.alerts.escalation_plan import EscalationSettings
from greenchannel.alerts.imaging.audit import audit as audit_images
from greenchannel.alerts.imaging.audit import audit_unwanted
from greenchannel.alerts.wellness import Unwell, limits, unwell
from greenchannel.clock import Clock
from greenchannel.events import AuditorSpoke
from greenchannel.service.direct_alarm import DirectAlarm
from greenchannel.service.signs import SignsOfLife
from greenchannel.service.unsettled import UnsettledCases, UnsettledReadings
from greenchannel.store.writer import Tx, Writer

logger = structlog.get_logger(__name__)

STREAM: Final = "system"
SCOPE: Final = "auditor"  # of the idempotency keys: two processes may find the same
_MISSED_ZH: Final = {
    "step": "预警升级未执行",
    "ring": "预警未呼叫任何人",
    "exhaustion": "无人应答未告知诊室",
    "alert": "危急心电图未预警",
    "analysis": "心电图未分析",
    "repeat": "无人应答的预警未再次呼叫",
    "follow_up": "应答后无处理，未再次呼叫",
    "reading": "心电图超时未审核，未提示",
    "untold": "影像危急值未告知，未提示",
    "unconfirmed": "影像临时报告未确认，未提示",
    "uncalled": "影像检查待报告，未呼叫任何人",
}
_MISSED_EN: Final = {
    "step": "an alert was not escalated",
    "ring": "an alert rang nobody",
    "exhaustion": "a clinic was not told that nobody has answered",
    "alert": "an ECG that pages has no alert",
    "analysis": "an ECG was not read",
    "repeat": "an alert that nobody answered was not rung again",
    "follow_up": "nothing followed an answer, and nobody was rung again",
    "reading": "an ECG was not read by a person in time, and nobody was told",
    "untold": "a critical imaging result was not said back, and nobody was told",
    "unconfirmed": "a provisional imaging report was not confirmed, and nobody was told",
    "uncalled": "a study waits for its report, and nobody is called for it",
}


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that the auditor has to say, as long as it lasts."""

    key: str  # the same in every process
    event: AuditorSpoke
    zh: str
    en: str

    @property
    def text(self) -> str:
        """For people, without a name of any patient."""
        return f"绿色通道审计报警：{self.zh}。Auditor: {self.en}."


class _Said(msgspec.Struct, frozen=True, kw_only=True):
    """What was said of one thing that lasts."""

    event: AuditorSpoke
    said_s: float  # the last time, by `time.monotonic`
    times: int  # that it was said again


class Auditor:
    """Looks every few seconds until it is stopped. `alarm` gets each text once; it must not wait for anything."""

    def __init__(
        self,
        *,
        engine: Engine,
        clock: Clock,
        settings: EscalationSettings,
        signs: SignsOfLife,
        direct: DirectAlarm,
        every_s: float,
        alarm: Callable[[str, str], None] | None = None,
    ) -> None:
        """`engine` is the auditor's own and is closed with it."""
        self.alarm = alarm
        self.missed = 0  # how much is overdue right now; the metrics show it
        self.unwell: tuple[Unwell, ...] = ()  # what was wrong with the service at the last look
        self.looked_s = time.monotonic()  # the end of the last look
        self._engine = engine
        self._clock = clock
        self._settings = settings
        self._signs = signs
        self._direct = direct
        self._every_s = every_s
        self._cases = UnsettledCases(engine)
        self._readings = UnsettledReadings(engine)
        self._said: dict[str, _Said] = {}  # what lasts
        self._since: dict[str, datetime] = {}  # when a fault was first seen
        self._unwritten: dict[str, Notice] = {}
        self._writer: Writer | None = None
        self._one_look = threading.Lock()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="greenchannel-auditor", daemon=True)

    def start(self) -> None:
        """Begin to look, the first time after one interval: what a start takes up needs a moment."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread, waiting for a look that runs."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()
        self._direct.close()
        if self._writer is not None:
            self._writer.close()
        self._engine.dispose()

    def _run(self) -> None:
        while not self._stop.wait(self._every_s):
            try:
                self.look_now()
            except Exception:
                logger.critical("the auditor's look failed, and is made again", exc_info=True)

    async def look(self) -> None:
        """As `look_now`, for the event loop."""
        await asyncio.to_thread(self.look_now)

    def look_now(self) -> None:
        """One look at all cases and studies that are not settled and at the service; what lasts is said once."""
        with self._one_look:
            now = self._clock.now()
            found = list(unwell(self._signs.look()))
            try:
                missed = audit(self._cases.look(), now, self._settings)
                missed += audit_images(self._readings.look(), now, self._settings.grace_s)
                came = [(one.case_id, one.at) for one in self._readings.unwanted]
                missed += audit_unwanted(came, now, self._settings.grace_s)
            except Exception as error:
                logger.critical("the auditor cannot read the log", exc_info=True)
                missed = []
                if all(one.kind != "database" for one in found):
                    what = type(error).__name__
                    found.append(
                        Unwell(
                            kind="look", zh=f"审计无法读取日志：{what}", en=f"the log cannot be read: {what}"
                        )
                    )
            else:
                self.missed = len(missed)  # of a look that failed nothing is known: what it was stands
            self.unwell = tuple(found)
            self._tell([*self._of_service(found, now), *map(_of_missed, missed)])
            self._write_down()
            self.looked_s = time.monotonic()

    # ------------------------------------------------------------ what is said

    def _of_service(self, found: Iterable[Unwell], now: datetime) -> list[Notice]:
        notices: list[Notice] = []
        since: dict[str, datetime] = {}
        for one in found:
            what = one.kind if one.name is None else f"{one.kind}: {one.name}"
            since[what] = self._since.get(what, now)
            event = AuditorSpoke(what=what, case_id=None, due_at=since[what])
            notices.append(Notice(key=_key(event), event=event, zh=one.zh, en=one.en))
        self._since = since
        return notices

    def _tell(self, notices: list[Notice]) -> None:
        now_s = time.monotonic()
        lasting: dict[str, _Said] = {}
        for notice in notices:
            before = self._said.get(notice.key)
            if before is not None and now_s - before.said_s < limits().repeat_s:
                lasting[notice.key] = before
                continue
            times = 0 if before is None else before.times + 1
            lasting[notice.key] = _Said(event=notice.event, said_s=now_s, times=times)
            event = notice.event
            logger.critical(
                "overdue" if event.case_id is not None else "unwell",
                what=event.what,
                case_id=event.case_id,
                alert_id=event.alert_id,
                since=event.due_at.isoformat(),
                said=notice.en,
            )
            self._direct.say(f"{notice.key}-{times}", notice.text)
            if before is None:
                self._unwritten[notice.key] = notice
                self._hand_over(notice)
        for key in self._said.keys() - lasting.keys():
            gone = self._said[key].event
            logger.warning("no longer so", what=gone.what, case_id=gone.case_id, alert_id=gone.alert_id)
        self._said = lasting

    def _hand_over(self, notice: Notice) -> None:
        if self.alarm is None:
            return
        try:
            self.alarm(notice.key, notice.text)
        except Exception:
            logger.critical("the auditor's alarm failed", exc_info=True)

    # ------------------------------------------------------------ what is written down

    def _write_down(self) -> None:
        """Into the log, by a writer of its own: the service's may be what hangs. Nobody waits for it."""
        if not self._unwritten:
            return
        if self._writer is None:
            self._writer = Writer(self._engine, self._clock)
            self._writer.start()
        for key, notice in tuple(self._unwritten.items()):
            del self._unwritten[key]
            self._writer.submit(_speak(notice)).add_done_callback(self._written(notice))

    def _written(self, notice: Notice) -> Callable[[Future[None]], None]:
        def done(future: Future[None]) -> None:
            if not future.cancelled() and future.exception() is not None:
                self._unwritten[notice.key] = notice  # the next look tries again

        return done


def _speak(notice: Notice) -> Callable[[Tx], None]:
    def command(tx: Tx) -> None:
        digest = hashlib.sha256(notice.key.encode()).digest()
        if tx.recall(SCOPE, notice.key) is None:  # another process, or another life, may have said it
            tx.append(STREAM, [notice.event], actor="service")
            tx.remember(SCOPE, notice.key, digest, b"")

    return command


def _of_missed(one: Missed) -> Notice:
    event = AuditorSpoke(
        what=one.kind,
        case_id=one.case_id,
        due_at=one.due_at,
        alert_id=one.alert_id,
        step=one.step,
        ecg_id=one.ecg_id,
    )
    which = ", ".join(
        f"{name} {value}"
        for name, value in (
            ("case", one.case_id), ("alert", one.alert_id), ("step", one.step), ("ECG", one.ecg_id)
        )
        if value is not None
    )  # fmt: skip
    late = round(one.late_s)
    zh = f"{_MISSED_ZH[one.kind]}，已逾期 {late} 秒（{which}）"
    en = f"{_MISSED_EN[one.kind]}, {late} s late ({which})"
    return Notice(
        key=_key(event),
        event=event,
        zh=drill.mark_zh(zh) if one.drill else zh,
        en=drill.mark_en(en) if one.drill else en,
    )


def _key(event: AuditorSpoke) -> str:
    """Of what it says, and since when: the same in every process, another where it comes again."""
    return f"auditor-{hashlib.sha256(msgspec.json.encode(event, order='sorted')).hexdigest()[:32]}"
