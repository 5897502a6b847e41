"""The auditor's own view of cases and studies: read from the log by its own query, folded by itself, in its own
thread."""

from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Connection, Engine, case, func, select

from greenchannel.alerts import case as case_fold
from greenchannel.alerts.case import Case
from greenchannel.alerts.imaging import reading as image_fold
from greenchannel.alerts.imaging.reading import Reading
from greenchannel.events import (
    Envelope,
    ImageStudyReceived,
    ImageStudySettled,
    case_stream,
    image_stream,
    study_of,
)
from greenchannel.store import rows, schema
from greenchannel.store.engine import reading
from greenchannel.store.schema import log
from greenchannel.triage.imaging.clocks import is_read

_ENDED = ("case_closed", "case_merged")
_CAME = ("image_study_received", "image_study_settled")
_SIGNED = ("image_report_signed", "image_addendum_signed")
_TOLD_WITHIN = timedelta(
    days=7
)  # after a start, older untold results and provisional reports are the due times' alone to remember
_PAGE = 2_000
_ASKED_AT_ONCE = 500


class Came(NamedTuple):
    """A study that has come."""

    study_uid: str
    case_id: str
    at: datetime


class LogWentBack(Exception):
    """The log is shorter than it was: another file lies in its place, or its end was cut off."""


class UnsettledReadings:
    """Studies that wait for a report, or for its confirmation, or whose critical result nobody has said back."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._seq: int | None = None  # as far as was read; None: nothing yet
        self._readings: dict[str, Reading] = {}
        self._came: dict[str, Came] = {}  # studies that want a reading, as long as none was seen to be wanted
        self.unwanted: tuple[Came, ...] = ()
        """As of the last look: studies that have come, are no drill, and that nobody is to read."""

    def look(self) -> list[Reading]:
        """All of them as of now, with what was written since the last look."""
        with reading(self._engine) as connection:
            head: int = connection.execute(select(schema.log_head.c.seq)).scalar_one()
            if self._seq is None:
                for stream in _open_studies(connection):
                    self._take(connection, rows.read_stream(connection, stream))
            else:
                query = rows.ENVELOPES.where(log.c.seq > self._seq, log.c.stream.like("image:%"))
                self._take(connection, rows.to_envelopes(connection.execute(query.order_by(log.c.seq))))
            self._look_for_unwanted(connection)
            self._seq = head
        self._readings = {uid: one for uid, one in self._readings.items() if one.is_open}
        return list(self._readings.values())

    def _take(self, connection: Connection, envelopes: list[Envelope]) -> None:
        for envelope in envelopes:
            study_uid = study_of(envelope.stream)
            if study_uid is None:
                continue
            known = self._readings.get(study_uid)
            if known is None and envelope.version > 1:  # it was settled, and is no more
                known = image_fold.fold_all(
                    earlier
                    for earlier in rows.read_stream(connection, envelope.stream)
                    if earlier.version < envelope.version
                )
            found = image_fold.fold(known, envelope)
            if found is not None:
                self._readings[study_uid] = found

    def _look_for_unwanted(self, connection: Connection) -> None:
        query = rows.ENVELOPES.where(log.c.type.in_(_CAME)).order_by(log.c.seq)
        if self._seq is not None:
            query = query.where(log.c.seq > self._seq)
        elif (newest := connection.execute(select(func.max(log.c.at))).scalar_one()) is not None:
            query = query.where(log.c.at >= newest - _TOLD_WITHIN)
        for envelope in rows.to_envelopes(connection.execute(query)):
            event = envelope.event
            if isinstance(event, ImageStudyReceived):
                modalities: tuple[str, ...] = () if event.modality is None else (event.modality,)
            elif isinstance(event, ImageStudySettled):
                modalities = event.modalities
            else:
                continue
            if is_read(modalities):
                self._came[event.study_uid] = Came(event.study_uid, envelope.case_id or "", envelope.at)
        waiting = list(self._came)
        for start in range(0, len(waiting), _ASKED_AT_ONCE):
            streams = {image_stream(study_uid): study_uid for study_uid in waiting[start:][:_ASKED_AT_ONCE]}
            there = select(log.c.stream).where(log.c.stream.in_(streams)).distinct()
            for stream in connection.execute(there).scalars():
                del self._came[streams[stream]]
        self._came = {uid: one for uid, one in self._came.items() if not _is_drill(connection, one.case_id)}
        self.unwanted = tuple(self._came.values())


def _is_drill(connection: Connection, case_id: str) -> bool:
    known: Case | None = None
    for envelope in rows.read_stream(connection, case_stream(case_id)):
        known = case_fold.fold(known, envelope)
    return known is not None and known.is_drill


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


def _open_studies(connection: Connection) -> list[str]:
    """The studies without a report, and all of the last days: whether there is something to tell or to confirm, their
    own words say."""
    newest = connection.execute(select(func.max(log.c.at))).scalar_one()
    if newest is None:
        return []
    signed = func.max(case((log.c.type.in_(_SIGNED), log.c.seq), else_=0))
    wanted = func.max(
        case((log.c.type == "image_reading_wanted", log.c.seq), else_=0)
    )  # anew, after an erasure
    lately = func.max(log.c.at) >= newest - _TOLD_WITHIN
    query: Any = (
        select(log.c.stream)
        .where(log.c.stream.like("image:%"))
        .group_by(log.c.stream)
        .having((signed < wanted) | lately)
    )
    return list(connection.execute(query).scalars())


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
