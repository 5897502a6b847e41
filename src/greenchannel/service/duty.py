"""The shell of duty: fires what is due. Whether it was fired is asked elsewhere, see `auditor.py`."""

import asyncio
import contextlib
import functools
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta

import msgspec
import structlog
from sqlalchemy import Engine

from greenchannel.alerts import alert_deadlines, escalation
from greenchannel.alerts.case import Case
from greenchannel.clock import Clock
from greenchannel.events import AnyEvent
from greenchannel.service.casework import Casework
from greenchannel.service.ids import new_id
from greenchannel.service.keeping import keep_running
from greenchannel.service.watch import Watch
from greenchannel.store import deadlines
from greenchannel.store.deadlines import Deadline
from greenchannel.store.errors import CommitFailed, WriterClosed
from greenchannel.store.writer import Tx, Writer

logger = structlog.get_logger(__name__)

BATCH = 100
AGAIN_AFTER = timedelta(seconds=2)  # a due time that failed


class Duty:
    """Looks up due times and acts on each exactly once: taking a deadline and its events are one commit."""

    def __init__(
        self,
        *,
        engine: Engine,
        writer: Writer,
        casework: Casework,
        clock: Clock,
        poll_s: float,
        watch: Watch,
        others: Mapping[str, Callable[[Tx, Deadline], None]] | None = None,
    ) -> None:
        """`others` act on due times that are no case's, by their kind."""
        self._engine = engine
        self._writer = writer
        self._casework = casework
        self._clock = clock
        self._poll_s = poll_s
        self._watch = watch
        self._others = dict(others or {})
        self.looked_s = time.monotonic()  # the end of the last look that came through

    def also(self, others: Mapping[str, Callable[[Tx, Deadline], None]]) -> None:
        """Have more kinds of due times acted on."""
        self._others |= others

    async def run(self) -> None:
        """Until cancelled; duty never ends by an error."""
        await keep_running("due times", self.fire_due, self._poll_s)

    async def fire_due(self) -> int:
        """Act on everything that is due now; returns how many. One that fails keeps no other from its turn."""
        due = await asyncio.to_thread(deadlines.due, self._engine, self._clock.now(), BATCH)
        # Handed over together, in their order: each has its own savepoint, and the writer commits them at once.
        ends = await asyncio.gather(*map(self._act, due), return_exceptions=True)
        for deadline, failed in zip(due, ends, strict=True):
            if isinstance(failed, BaseException):
                logger.critical("a due time failed", kind=deadline.kind, id=deadline.id, exc_info=failed)
                await self._put_off(deadline)
        self.looked_s = time.monotonic()
        return len(due)

    def next_due(self) -> datetime | None:
        """When something is due next; None: nothing waits. For who turns the clock by hand."""
        return deadlines.next_due(self._engine)

    async def _put_off(self, deadline: Deadline) -> None:
        """One that fails comes again a little later, behind those that may succeed: many of them would keep all others
        from their turn."""
        again_at = self._clock.now() + AGAIN_AFTER
        with contextlib.suppress(CommitFailed, WriterClosed):  # the database is away: all of them wait
            await self._writer.transact(lambda tx: tx.put_off_deadline(deadline.id, again_at))

    async def protect_old_alerts(self, cases: Iterable[Case]) -> None:
        """Alerts that were opened before alerts rang on, and wait still, begin a round that does."""
        for case in tuple(cases):
            alert = case.alert
            if alert is None or alert.repeat_s or not escalation.waits(case, alert):
                continue
            await self._casework.change(case.case_id, self._begin_anew, "service")

    def _begin_anew(self, case: Case, now: datetime) -> list[AnyEvent]:
        alert = case.alert
        if alert is None or alert.repeat_s or not escalation.waits(case, alert):
            return []
        plan = self._watch.plan(alert.tier, now, case.site)
        return escalation.rearm(alert, plan, reason="louder", settings=self._watch.settings)

    async def _act(self, deadline: Deadline) -> None:
        await self._writer.transact(functools.partial(self._fire, deadline=deadline))

    def _fire(self, tx: Tx, deadline: Deadline) -> None:
        if not tx.take_deadline(deadline.id, due_by=tx.now):
            return
        other = self._others.get(deadline.kind)
        if other is not None:
            other(tx, deadline)
            return
        if deadline.kind not in alert_deadlines.KINDS:
            raise ValueError(f"expected a kind of due time that is known, got {deadline.kind}")
        case_id = deadline.stream.partition(":")[2]
        case = self._casework.current(tx, case_id)
        planned = alert_deadlines.Deadline(
            id=deadline.id,
            due_at=deadline.due_at,
            kind=deadline.kind,
            stream=deadline.stream,
            payload=msgspec.json.decode(deadline.payload),
        )
        events = alert_deadlines.on_due(
            case,
            planned,
            tx.now,
            plan_of=lambda tier: self._watch.plan(tier, tx.now, case.site),
            new_alert_id=new_id("a"),
            channels_of=self._watch.channels_of,
            settings=self._watch.settings,
        )
        if events:
            self._casework.write(tx, case, case_id, events, "service")
