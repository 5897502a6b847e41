"""The quality book: records of all cases, kept beside the log, and the answers counted from them.

The hub says which cases changed; their records are made when somebody asks, and written down every few seconds. What
was not written before a stop is made again from the cases at the next start, so the tables need no promise of their
own. All methods but `start` may be called from any thread.
"""

import asyncio
import threading
from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import islice
from typing import Final

import msgspec
import structlog
from sqlalchemy import Engine

from greenchannel.alerts.case import Case
from greenchannel.alerts.quality.answers import MetricsAnswer, Question
from greenchannel.alerts.quality.columns import Columns, Packed, layout_name, pack
from greenchannel.alerts.quality.counter import Counter
from greenchannel.alerts.quality.engine import answer_of, check
from greenchannel.alerts.quality.record import CaseRecord
from greenchannel.alerts.quality.record_of import SiteFacts, at_site, record_of
from greenchannel.service.hub import Change, Hub
from greenchannel.store import quality_rows
from greenchannel.store.accounts import Accounts
from greenchannel.store.quality_rows import QualityRow

logger = structlog.get_logger(__name__)

WRITE_EVERY_S: Final = 5.0
MADE_AT_ONCE: Final = 1_000  # at a start on empty tables all cases wait: they need not be in memory twice

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(CaseRecord).decode


class QualityBook:
    """Answers from records as of the hub's newest event."""

    def __init__(self, *, engine: Engine, accounts: Accounts, hub: Hub) -> None:
        self._engine = engine
        self._accounts = accounts
        self._hub = hub
        self._waiting: dict[str, Case] = {}  # changed, and not in the counter yet
        self._unwritten: dict[str, QualityRow] = {}
        self._seq = 0  # the newest event of which the change is in `_waiting`, or was
        self._lock = threading.Lock()  # of the three above; held for moments
        self._counting = threading.Lock()  # of the counter; one answer at a time
        self._writing = threading.Lock()  # of the rows; taken before `_counting`
        self._counter: Counter | None = None

    async def start(self) -> None:
        """Take up what was written before; once the hub has begun."""
        known = await asyncio.to_thread(self._written)
        with self._lock:
            self._seq = self._hub.seq
            self._waiting = {case.case_id: case for case in self._hub.cases.values() if case.seq > known}
        self._hub.subscribe(self._changed)

    def _written(self) -> int:
        known = quality_rows.head(self._engine, layout_name())
        if known == 0:
            quality_rows.clear(self._engine)
        return known

    def _changed(self, changes: list[Change]) -> None:
        with self._lock:
            self._waiting |= {case.case_id: case for _, case in changes if case is not None}
            self._seq = changes[-1][0].seq

    async def write(self) -> None:
        """Write down what changed; called again and again."""
        await asyncio.to_thread(self.flush)

    async def write_last(self) -> None:
        """Write at a stop, which nothing holds up: the next start makes what could not be written."""
        try:
            await self.write()
        except Exception:
            logger.exception("records were not written at the stop")

    # ------------------------------------------------------------ questions

    def answer(self, question: Question, sites: frozenset[str] | None = None) -> MetricsAnswer:
        """Answer a question about the cases of these sites (None: all); raises `Refused`."""
        check(question)
        self._load()
        with self._counting:
            return answer_of(self._counted(), question, sites)

    def records(
        self,
        sites: frozenset[str] | None = None,
        start: datetime | None = None,
        end: datetime | None = None,
    ) -> Sequence[CaseRecord]:
        """The records of cases of these sites that began from `start` on and before `end`, oldest first."""
        self.flush()
        known = self._sites()
        bodies = quality_rows.bodies(self._engine, sites, start, end)
        return [at_site(record, known.get(record.site)) for record in map(_decode, bodies)]

    def record(self, case_id: str) -> CaseRecord | None:
        """The record of one case as it stands now; None where there is none."""
        case = self._hub.cases.get(case_id)
        return None if case is None else record_of(case, self._sites().get(case.site))

    # ------------------------------------------------------------ keeping

    def flush(self) -> int:
        """Write down what changed; return how many records that were."""
        written = 0
        with self._writing:
            while True:
                seq = self._take_in()
                with self._lock:
                    rows, self._unwritten = self._unwritten, {}
                if rows:
                    self._write(rows, seq)
                written += len(rows)
                if seq is not None:
                    return written

    def _write(self, rows: dict[str, QualityRow], seq: int | None) -> None:
        try:
            quality_rows.replace(self._engine, rows.values(), seq, layout_name())
        except Exception:
            with self._lock:  # what came meanwhile is newer
                self._unwritten = rows | self._unwritten
            raise

    def _take_in(self) -> int | None:
        """Make the records of some that changed; return the event up to which all are made, None while more wait."""
        with self._counting:
            with self._lock:
                cases = [self._waiting.pop(case_id) for case_id in list(islice(self._waiting, MADE_AT_ONCE))]
                seq = None if self._waiting else self._seq
            self._make(cases)
            return seq

    def _load(self) -> None:
        """The first to ask reads all numbers; nobody writes meanwhile, so that none is between table and memory."""
        if self._counter is not None:
            return
        with self._writing, self._counting:
            if self._counter is None:
                columns = Columns(self._sites())
                columns.load(quality_rows.numbers(self._engine))
                counter = Counter(columns)
                with self._lock:
                    unwritten = tuple(self._unwritten.values())
                for row in unwritten:
                    into(counter, row)
                self._counter = counter

    def _counted(self) -> Counter:
        """The counter as of now."""
        assert self._counter is not None
        with self._lock:
            cases, self._waiting = self._waiting, {}
        self._make(cases.values())
        self._counter.at_sites(self._sites())
        return self._counter

    def _make(self, cases: Iterable[Case]) -> None:
        listed, rows = list(cases), {}
        for case in listed:
            try:
                rows[case.case_id] = row_of(case)
            except Exception:
                logger.exception("no record", case_id=case.case_id)
                with self._lock:  # nothing is counted without it; what came meanwhile is newer
                    self._waiting = {one.case_id: one for one in listed} | self._waiting
                raise
        with self._lock:
            self._unwritten |= rows
        if self._counter is not None:
            for row in rows.values():
                into(self._counter, row)

    def _sites(self) -> dict[str, SiteFacts]:
        return {one.id: SiteFacts(town=one.town, kind=one.kind) for one in self._accounts.sites()}


def row_of(case: Case) -> QualityRow:
    """The rows of a case; a site may change its town, so that is joined when somebody asks."""
    record = record_of(case, None)
    if record is None:
        return QualityRow(case_id=case.case_id, site=case.site, began_at=case.opened_at, body=None)
    packed = pack(record)
    return QualityRow(
        case_id=case.case_id,
        site=case.site,
        began_at=record.began_at,
        body=_encode(record),
        numbers=packed.numbers,
        labels=packed.labels,
    )


def into(counter: Counter, row: QualityRow) -> None:
    """Have a counter count the rows of a case in place of what it knew of it."""
    if row.body is None:
        counter.drop(row.case_id)
    else:
        counter.put(Packed(case_id=row.case_id, numbers=row.numbers, labels=row.labels))
