"""The auditor's own view of the cases: read from the log by its own query, folded by itself, in its own thread."""

from typing import Any

from sqlalchemy import Connection, Engine, case, func, select

from greenchannel.alerts import case as case_fold
from greenchannel.alerts.case import Case
from greenchannel.events import Envelope
from greenchannel.store import rows, schema
from greenchannel.store.engine import reading
from greenchannel.store.schema import log

_ENDED = ("case_closed", "case_merged")
_PAGE = 2_000


class LogWentBack(Exception):
    """The log is shorter than it was: another file lies in its place, or its end was cut off."""


class UnsettledCases:
    """Cases that are open, or whose alert is. Neither the service's book nor its due times are asked."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._seq: int | None = None  # as far as was read; None: nothing yet
        self._cases: dict[str, Case] = {}

    def look(self) -> list[Case]:
        """All of them as of now, with what was written since the last look."""
        with reading(self._engine) as connection:
            head: int = connection.execute(select(schema.log_head.c.seq)).scalar_one()
            if self._seq is None:
                for stream in _streams(connection):
                    self._take(connection, rows.read_stream(connection, stream))
            elif head < self._seq:
                raise LogWentBack(f"expected {self._seq} events or more, the log says {head}")
            else:
                self._go_on(connection)
            self._seq = head
        self._cases = {case_id: one for case_id, one in self._cases.items() if _unsettled(one)}
        return list(self._cases.values())

    def _go_on(self, connection: Connection) -> None:
        after = self._seq
        query = rows.ENVELOPES.order_by(log.c.seq).limit(_PAGE)
        while envelopes := rows.to_envelopes(connection.execute(query.where(log.c.seq > after))):
            self._take(connection, envelopes)
            after = envelopes[-1].seq

    def _take(self, connection: Connection, envelopes: list[Envelope]) -> None:
        for envelope in envelopes:
            case_id = envelope.case_id
            if case_id is None:
                continue
            known = self._cases.get(case_id)
            if known is None and envelope.version > 1:  # it was settled, and is no more
                for earlier in rows.read_stream(connection, envelope.stream):
                    known = case_fold.fold(known, earlier) if earlier.version < envelope.version else known
            self._cases[case_id] = case_fold.fold(known, envelope)


def _streams(connection: Connection) -> list[str]:
    """The cases that have not ended, or in which an alert was opened behind the end."""
    ended = func.max(case((log.c.type.in_(_ENDED), log.c.seq), else_=0))
    alerted = func.max(case((log.c.type == "alert_opened", log.c.seq), else_=0))
    query: Any = (
        select(log.c.stream)
        .where(log.c.stream.like("case:%"))
        .group_by(log.c.stream)
        .having((ended == 0) | (alerted > ended))
    )
    return list(connection.execute(query).scalars())


def _unsettled(one: Case) -> bool:
    calls = one.alert is not None and one.alert.open and not one.is_drill  # a drill that is over calls nobody
    return one.state == "open" or calls
