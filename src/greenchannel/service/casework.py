"""How a case changes: read it inside the transaction, decide, append, set the due times. Nowhere else."""

from collections.abc import Callable, Sequence
from datetime import datetime

import msgspec

from greenchannel.alerts import alert_deadlines, closed_loop, consequences, drill
from greenchannel.alerts import case as case_fold
from greenchannel.alerts.case import Case
from greenchannel.alerts.escalation_plan import EscalationSettings
from greenchannel.events import AnyEvent, Envelope, case_stream
from greenchannel.service.book import CaseBook
from greenchannel.service.errors import NotFound
from greenchannel.store.writer import Tx, Writer

Decision = Callable[[Case, datetime], Sequence[AnyEvent]]


class Casework:
    """Joins the writer to the warm book. The book changes only after a commit (`following.py`); decisions see what is
    not yet committed, since several commands share one commit, and what another process has just written."""

    def __init__(self, writer: Writer, book: CaseBook, settings: EscalationSettings) -> None:
        self.writer = writer
        self._settings = settings
        self.book = book
        self.on_write: list[Callable[[Tx, Envelope, Case], None]] = []
        """Told of each event as it is written, with the case right after it, within the same transaction: what one of
        them raises undoes the command."""
        self.on_erase: list[Callable[[Tx, str], None]] = []
        """Told of each patient (pseudonym) who is erased, in that transaction, while rows and key are still there."""
        self.on_move: list[Callable[[Tx, Case, Sequence[str], Case | None, str, str], None]] = []
        """Move these studies, in this transaction: from a case to another one (None: to a new one, of this id), by this
        actor."""

    def current(self, tx: Tx, case_id: str) -> Case:
        """The case as of this transaction; raises `NotFound`."""
        case, stream = self.book.cases.get(case_id), case_stream(case_id)
        if case is None or tx.version(stream) != case.version:
            for envelope in tx.read_stream(stream, after=case.version if case else 0):
                case = case_fold.fold(case, envelope)
        if case is None:
            raise NotFound("case", case_id)
        return case

    def write(self, tx: Tx, case: Case | None, case_id: str, events: Sequence[AnyEvent], actor: str) -> Case:
        """Append `events` to the case and arm the due times that follow from them."""
        envelopes = tx.append(
            case_stream(case_id), events, actor=actor, expected_version=case.version if case else 0
        )
        for envelope in envelopes:
            case = case_fold.fold(case, envelope)
            for listener in self.on_write:
                listener(tx, envelope, case)
            due_times = (
                *alert_deadlines.deadlines(envelope, case, self._settings),
                *closed_loop.deadlines(envelope, case),
                *drill.deadlines(envelope, case),
            )
            for deadline in due_times:
                tx.set_deadline(
                    deadline.id,
                    due_at=deadline.due_at,
                    kind=deadline.kind,
                    stream=deadline.stream,
                    payload=msgspec.json.encode(deadline.payload),
                )
        if case is None:
            raise NotFound("case", case_id)
        more = consequences.follows(case, events, tx.now)
        return self.write(tx, case, case_id, more, "service") if more else case

    async def change(self, case_id: str, decide: Decision, actor: str) -> Case:
        """Run one decision on one case; what it refuses with reaches the caller and leaves no trace."""

        def command(tx: Tx) -> Case:
            case = self.current(tx, case_id)
            events = decide(case, tx.now)
            return self.write(tx, case, case_id, events, actor) if events else case

        return await self.writer.transact(command)
