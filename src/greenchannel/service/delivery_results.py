"""What became of deliveries, told to the case or to the person's duty; within the command that notes it."""

from collections.abc import Callable, Sequence

import structlog

from greenchannel.alerts import commands
from greenchannel.alerts.case import Case
from greenchannel.alerts.channels import channels
from greenchannel.alerts.delivery import Item, State
from greenchannel.alerts.refusal import Refused
from greenchannel.events import AnyEvent, ChannelTested
from greenchannel.service.book import CaseBook
from greenchannel.service.casework import Casework
from greenchannel.service.errors import NotFound
from greenchannel.store.outbox_rows import OutboxRow
from greenchannel.store.writer import Tx

logger = structlog.get_logger(__name__)

SERVICE = "service"
Decide = Callable[[Case, str], Sequence[AnyEvent]]


def duty_stream(person: str) -> str:
    """The stream of one person's duty."""
    return f"duty:{person}"


class DeliveryResults:
    """Writes the events that follow from outcomes and receipts."""

    def __init__(self, casework: Casework, book: CaseBook) -> None:
        self._casework = casework
        self._book = book

    def ended(self, tx: Tx, row: OutboxRow, after: Item) -> None:
        """A delivery is over: sent, given up or cancelled."""
        if row.kind == "test":
            self.tested(tx, row, after.state is State.SENT, after.reason)
        elif row.kind == "alert" and after.state is State.GIVEN_UP:
            self.unreachable(tx, row, after.reason or "error")
        elif row.kind == "alert" and after.state is State.SENT and channels()[row.channel].arrived:
            self.delivered(tx, row)

    def tested(self, tx: Tx, row: OutboxRow, ok: bool, reason: str | None) -> None:
        """A test message came through, or did not."""
        event = ChannelTested(
            person=row.person, channel=row.channel, ok=ok, reason=None if ok else reason or "error"
        )
        tx.append(duty_stream(row.person), [event], actor=SERVICE)

    def delivered(self, tx: Tx, row: OutboxRow) -> None:
        """The person has the alert."""
        self.on_case(
            tx, row, lambda case, alert: commands.delivered(case, alert, row.person, row.channel), SERVICE
        )

    def unreachable(self, tx: Tx, row: OutboxRow, reason: str) -> None:
        """The person will not hear of the alert on this channel."""
        self.on_case(
            tx,
            row,
            lambda case, alert: commands.unreachable(case, alert, row.person, row.channel, reason),
            SERVICE,
        )

    def on_case(self, tx: Tx, row: OutboxRow, decide: Decide, actor: str, *, as_loud: bool = False) -> None:
        """Let a command decide on the case of a row. Where the case refuses, the row is noted all the same: else it
        would be sent again and again. What became of a ring of an earlier round changes nothing; unless, with
        `as_loud`, the alert is no louder now than the ring said.
        """
        if row.alert_id is None:
            return
        case_id = self._book.case_id_of(row.alert_id) or row.case_id
        if case_id is None:
            return
        try:
            case = self._casework.current(tx, case_id)
            alert = case.alert_of(row.alert_id)
            earlier = alert is not None and alert.round != row.facts.get("round", 1)
            if earlier and not (as_loud and alert is not None and alert.tier == row.facts.get("tier")):
                return
            events = decide(case, row.alert_id)
        except (Refused, NotFound) as error:
            logger.warning("outcome_refused", channel=row.channel, code=error.code)
            return
        if events:
            self._casework.write(tx, case, case.case_id, events, actor)
