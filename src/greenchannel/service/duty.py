"""The shells of duty: fires what is due, and independently asks whether it was fired."""

import asyncio
import functools
from collections.abc import Callable, Mapping

import msgspec
import structlog
from sqlalchemy import Engine

from greenchannel.alerts import alert_deadlines
from greenchannel.alerts.auditor import audit
from greenchannel.alerts.case import Case
from greenchannel.alerts.escalation_plan import EscalationSettings
from greenchannel.clock import Clock
from greenchannel.service.book import CaseBook
from greenchannel.service.casework import Casework
from greenchannel.service.ids import new_id
from greenchannel.service.keeping import keep_running
from greenchannel.service.watch import Watch
from greenchannel.store import deadlines
from greenchannel.store.deadlines import Deadline
from greenchannel.store.writer import Tx, Writer

logger = structlog.get_logger(__name__)

BATCH = 100


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

    async def run(self) -> None:
        """Until cancelled; duty never ends by an error."""
        await keep_running("due times", self.fire_due, self._poll_s)

    async def fire_due(self) -> int:
        """Act on everything that is due now; returns how many. One that fails keeps no other from its turn."""
        due = await asyncio.to_thread(deadlines.due, self._engine, self._clock.now(), BATCH)
        for deadline in due:
            (failed,) = await asyncio.gather(self._act(deadline), return_exceptions=True)
            if isinstance(failed, BaseException):
                logger.critical("a due time failed", kind=deadline.kind, id=deadline.id, exc_info=failed)
        return len(due)

    async def _act(self, deadline: Deadline) -> None:
        await self._writer.transact(functools.partial(self._fire, deadline=deadline))

    def _fire(self, tx: Tx, deadline: Deadline) -> None:
        if not tx.take_deadline(deadline.id):
            return
        other = self._others.get(deadline.kind)
        if other is not None:
            other(tx, deadline)
            return
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
            settings=self._watch.settings,
        )
        if events:
            self._casework.write(tx, case, case_id, events, "service")


class Auditor:
    """Asks of the cases themselves, not of the due times, whether what should have happened did."""

    def __init__(self, *, book: CaseBook, clock: Clock, settings: EscalationSettings, every_s: float) -> None:
        self._book = book
        self._settings = settings
        self._clock = clock
        self._every_s = every_s
        self.missed = 0  # how much is overdue right now; the metrics show it
        self._said: set[tuple[object, ...]] = set()

    async def run(self) -> None:
        """Until cancelled."""
        await keep_running("auditor", self.look, self._every_s)

    async def look(self) -> None:
        """One look over all cases that are not settled; each thing overdue is said once, and when it has gone."""
        cases = [case for case in tuple(self._book.cases.values()) if _unsettled(case)]
        missed = await asyncio.to_thread(audit, cases, self._clock.now(), self._settings)
        self.missed = len(missed)
        overdue = {(item.kind, item.case_id, item.alert_id, item.step, item.ecg_id): item for item in missed}
        for key, item in overdue.items():
            if key not in self._said:
                logger.critical(
                    "overdue",
                    what=item.kind,
                    case_id=item.case_id,
                    alert_id=item.alert_id,
                    late_s=item.late_s,
                )
        for kind, case_id, *_ in self._said - set(overdue):
            logger.warning("no longer overdue", what=kind, case_id=case_id)
        self._said = set(overdue)


def _unsettled(case: Case) -> bool:
    return case.state == "open" or (case.alert is not None and case.alert.open)
