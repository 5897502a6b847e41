"""The reading of studies as the running service asks and changes it: clocks, reports, critical results.

A study that comes in wants a reading, in the commit that takes it in; each change is decided on the reading as its own
transaction sees it.
"""

import asyncio
import functools
import heapq
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

import msgspec
import structlog

from greenchannel.alerts import roster
from greenchannel.alerts.alert_deadlines import Deadline as Due
from greenchannel.alerts.case import Case
from greenchannel.alerts.imaging import clock, commands, receipts
from greenchannel.alerts.imaging.clock import People
from greenchannel.alerts.imaging.commands import in_case
from greenchannel.alerts.imaging.reading import Reading, fold
from greenchannel.events import (
    AlertOpened,
    AnyEvent,
    Envelope,
    GreenChannelOpened,
    ImageCriticalTold,
    ImageDetected,
    ImageReadingGone,
    ImageStudyMoved,
    ImageStudyReceived,
    ImageStudySettled,
    image_stream,
    study_of,
)
from greenchannel.service.callers import Caller
from greenchannel.service.casework import Casework
from greenchannel.service.duty import Duty
from greenchannel.service.errors import NotFound
from greenchannel.service.ids import new_id
from greenchannel.service.imaging.archive import ImageArchive
from greenchannel.service.imaging.moving import StudyMoves
from greenchannel.service.imaging.reading_notices import ReadingNotices
from greenchannel.service.imaging.reading_rows import Row, urgency_of
from greenchannel.service.imaging.reading_words import ReadingWords, opened
from greenchannel.service.imaging.records import ImageStudy, StudyText
from greenchannel.service.imaging.report_wanted import want as want_report
from greenchannel.service.imaging.study_facts import facts_of, modality_of, wanted_of
from greenchannel.service.outbox import Outbox
from greenchannel.service.watch import Watch
from greenchannel.store import image_rows
from greenchannel.store.deadlines import Deadline
from greenchannel.store.errors import PatientKeyMissing
from greenchannel.store.vault import Vault
from greenchannel.store.writer import Tx
from greenchannel.triage.imaging.clocks import escalate_at, is_read
from greenchannel.triage.imaging.facts import StudyFacts
from greenchannel.triage.imaging.order import place

logger = structlog.get_logger(__name__)

RADIOLOGIST = "radiologist"
SERVICE = "service"
_ASKED_AT_ONCE = 200
MOST_REPORTED = 500

Decision = Callable[[Reading, datetime], Sequence[AnyEvent]]


class ReadingDesk:
    """Everything that people and due times do with the reading of studies."""

    def __init__(
        self,
        casework: Casework,
        vault: Vault,
        watch: Watch,
        duty: Duty,
        images: ImageArchive,
        outbox: Outbox,
    ) -> None:
        clock.check_shares(escalate_at())
        self._writer = casework.writer
        self.casework = casework
        self._book = casework.book
        self._vault = vault
        self._watch = watch
        self._images = images
        self._words = ReadingWords(vault)
        self._notices = ReadingNotices(outbox)
        casework.on_write.append(self.on_case)
        casework.on_erase.append(self.on_erase)
        casework.on_move.append(StudyMoves(vault, images.blobs, casework, self.moved).move)
        duty.also(dict.fromkeys(clock.KINDS, self.fire))

    # ------------------------------------------------------------ questions

    def reading(self, study_uid: str) -> Reading:
        """The reading of one study; raises `NotFound`, also for one of an erased patient."""
        found = self.known(study_uid)
        if found is None:
            raise NotFound("study", study_uid)
        return found

    def all(self) -> tuple[Reading, ...]:
        """The readings of all studies."""
        return tuple(self._book.image_readings.values())

    def open(self) -> tuple[Reading, ...]:
        """The readings in which somebody still has to do something."""
        return tuple(self._book.open_images.values())

    def known(self, study_uid: str) -> Reading | None:
        """As `reading`; None where the study is not one that is read."""
        found = self._book.image_readings.get(study_uid)
        return None if found is None or found.gone else found

    def sites_of(self, study_uid: str) -> tuple[str, ...]:
        """Whose the study is, also where nothing of it is read any more; none where it is not one that is read."""
        found = self._book.image_readings.get(study_uid)
        return () if found is None else found.sites

    def may_see(self, study_uid: str, caller: Caller, site: str | None = None) -> bool:
        """Is the study of one of the caller's sites, or shared with one? `site`: its own, where it is known."""
        reading = self.known(study_uid)
        sites = [*([] if site is None else [site]), *(() if reading is None else reading.sites)]
        return caller.sites is None or any(caller.may_see(one) for one in sites)

    def shared_with(self, sites: frozenset[str] | None) -> frozenset[str]:
        """The studies of others that these sites may see beside their own; None is all sites, which need none."""
        shared = self._book.shared_images
        return frozenset().union(*(tuple(shared.get(site, ())) for site in sites or ()))

    async def worklist(self, caller: Caller, now: datetime, *, reported: bool = False) -> list[Row]:
        """Studies that wait, first to be read first; with `reported` those that are reported, newest first.

        What still has something open (a provisional report, a critical result that was not told) stands in both. A
        critical result that nobody has said back stands above all: it is known, and a patient waits for a call.
        """
        if reported:
            return await asyncio.to_thread(self._reported, caller, now)
        found = [one for one in tuple(self._book.open_images.values()) if self.may_see(one.study_uid, caller)]
        rows = await asyncio.to_thread(self._rows, found, now)
        return sorted(rows, key=urgency_of)

    def _reported(self, caller: Caller, now: datetime) -> list[Row]:
        known = tuple(self._book.image_readings.values())
        known = tuple(one for one in known if one.report is not None and not one.gone)
        found = [one for one in known if self.may_see(one.study_uid, caller)]
        newest = heapq.nlargest(MOST_REPORTED, found, key=lambda one: one.signed[-1].seq)
        places = {one.study_uid: number for number, one in enumerate(newest)}
        return sorted(self._rows(newest, now), key=lambda row: places[row.reading.study_uid])

    async def row(self, reading: Reading, now: datetime) -> Row:
        """The line of one study; raises `NotFound` for one of an erased patient."""
        rows = await asyncio.to_thread(self._rows, [reading], now)
        if not rows:
            raise NotFound("study", reading.study_uid)
        return rows[0]

    def _rows(self, readings: Sequence[Reading], now: datetime) -> list[Row]:
        rows = list[Row]()
        for study, reading in self._opened(readings):
            facts = self._facts_of(study, reading)
            rows.append(Row(place(facts, now), reading, facts, study))
        return rows

    def with_words(self, readings: Sequence[Reading]) -> dict[str, Reading]:
        """By study the readings with their words opened, without those that are gone; for a thread that may wait."""
        return {study.study_uid: reading for study, reading in self._opened(readings)}

    def _opened(self, readings: Sequence[Reading]) -> Iterator[tuple[ImageStudy, Reading]]:
        by_uid = {one.study_uid: one for one in readings}
        uids = list(by_uid)
        for start in range(0, len(uids), _ASKED_AT_ONCE):
            chunk = uids[start : start + _ASKED_AT_ONCE]
            filters = {"StudyInstanceUID": ",".join(chunk)}
            for hit in self._images.search_sync("study", filters, limit=len(chunk)):
                yield hit.study, opened(by_uid[hit.study.study_uid], hit.study.text.text_key)

    def _facts_of(self, study: ImageStudy, reading: Reading) -> StudyFacts:
        return facts_of(
            study_uid=study.study_uid,
            site=study.site,
            modalities=study.modalities,
            received_at=study.received_at,
            text=study.text,
            case=self._book.cases.get(study.case_id),
            reading=reading,
        )

    # ------------------------------------------------------------ what people do

    async def claim(self, study_uid: str, caller: Caller, *, take_over: bool) -> Reading:
        """Take a study to read; raises `Refused` where another reads it, or it is reported."""
        return await self._change(
            study_uid, caller.actor, lambda one, _: commands.claim(one, caller.id, take_over=take_over)
        )

    async def release(self, study_uid: str, caller: Caller) -> Reading:
        """Give it back unread."""
        return await self._change(study_uid, caller.actor, lambda one, _: commands.release(one, caller.id))

    async def mark_stat(self, study_uid: str, caller: Caller, reason: str) -> Reading:
        """A clinician says that it is read first; its clock becomes shorter in the same commit."""

        def command(tx: Tx) -> Reading:
            one = self.current(tx, study_uid)
            events = commands.mark_stat(one, caller.id, reason)
            if events:
                self._write(tx, one, study_uid, events, caller.actor)
                self._want(tx, study_uid)
            return self.current(tx, study_uid)

        return await self._writer.transact(command)

    async def draft(
        self,
        study_uid: str,
        caller: Caller,
        *,
        findings: str,
        impression: str,
        template: str | None,
        critical: Sequence[str] = (),
        provisional: bool = False,
    ) -> Reading:
        """Keep what is written and ticked so far."""
        return await self._change(
            study_uid,
            caller.actor,
            lambda one, _: commands.draft(
                one,
                caller.id,
                findings=findings,
                impression=impression,
                template=template,
                critical=critical,
                provisional=provisional,
            ),
        )

    async def sign(
        self,
        study_uid: str,
        caller: Caller,
        *,
        findings: str,
        impression: str,
        critical: Sequence[str],
        provisional: bool,
        template: str | None,
        of_case: str | None = None,
    ) -> Reading:
        """Sign the report; the case has it in the same commit, its clinic is told. `of_case`: as its writer saw it."""
        report_id = new_id("ir")
        return await self._change(
            study_uid,
            caller.actor,
            lambda one, _: commands.sign(
                in_case(one, of_case),
                caller.id,
                report_id=report_id,
                findings=findings,
                impression=impression,
                critical=critical,
                provisional=provisional,
                template=template,
            ),
            returns=True,
        )

    async def addendum(
        self,
        study_uid: str,
        caller: Caller,
        *,
        text: str,
        reason: str,
        critical: Sequence[str],
        of_case: str | None = None,
    ) -> Reading:
        """Add to a signed report; `of_case` as in `sign`."""
        report_id = new_id("ir")
        return await self._change(
            study_uid,
            caller.actor,
            lambda one, _: commands.addendum(
                in_case(one, of_case),
                caller.id,
                report_id=report_id,
                text=text,
                reason=reason,
                critical=critical,
            ),
            returns=True,
        )

    async def tell_critical(
        self, study_uid: str, caller: Caller, said: ImageCriticalTold, of_case: str | None = None
    ) -> Reading:
        """Write down a call about a critical result; the same `call_id` again changes nothing."""
        return await self._change(
            study_uid, caller.actor, lambda one, at: commands.tell_critical(in_case(one, of_case), said, at)
        )

    async def seen(self, study_uid: str, caller: Caller) -> Reading:
        """The clinic looks at the newest result."""
        return await self._change(study_uid, caller.actor, lambda one, _: commands.seen(one, caller.id))

    async def on_page(self, study_uid: str, alert_id: str, caller: Caller, *, looked: bool) -> Reading:
        """A page of the caller has the ring for a report on its screen; with `looked` the study itself."""
        return await self._change(
            study_uid, caller.actor, lambda one, _: receipts.on_page(one, alert_id, caller.id, looked=looked)
        )

    async def share(
        self, study_uid: str, caller: Caller, site: str, reason: str, of_case: str | None = None
    ) -> Reading:
        """Let another member of the network use study and result; `of_case` as in `sign`."""
        return await self._change(
            study_uid,
            caller.actor,
            lambda one, _: commands.share(in_case(one, of_case), caller.id, site, reason),
        )

    async def detected(self, study_uid: str, said: ImageDetected) -> None:
        """Note what a detector said; a study that nobody reads has no use for it. The place follows by itself, the
        clock does not: a detector moves a study forward and rings nobody."""

        def command(tx: Tx) -> None:
            one = self._known(tx, study_uid)
            if one is not None and not one.gone and said not in one.detected:
                self._write(tx, one, study_uid, [said], SERVICE)

        await self._writer.transact(command)

    # ------------------------------------------------------------ within a command

    def current(self, tx: Tx, study_uid: str) -> Reading:
        """The reading as of this transaction; raises `NotFound`."""
        found = self._known(tx, study_uid)
        if found is None or found.gone:
            raise NotFound("study", study_uid)
        return found

    def _known(self, tx: Tx, study_uid: str) -> Reading | None:
        found, stream = self._book.image_readings.get(study_uid), image_stream(study_uid)
        if found is None or tx.version(stream) != found.version:
            for envelope in tx.read_stream(stream, after=found.version if found else 0):
                found = fold(found, envelope)
        return found

    async def _change(
        self, study_uid: str, actor: str, decide: Decision, *, returns: bool = False
    ) -> Reading:
        def command(tx: Tx) -> Reading:
            one = self.current(tx, study_uid)
            events = decide(self._words.opened_in(tx, one), tx.now)
            if not events:
                return one
            after = self._write(tx, one, study_uid, events, actor)
            row = image_rows.study_of(tx.conn, study_uid) if returns else None
            if row is not None:
                newest = after.signed[-1].report_id
                want_report(tx, study_uid=study_uid, report_id=newest, patient=row.patient)
            if returns and after.case_id is not None:
                case = self._case(tx, after.case_id)
                modality = None if row is None else modality_of(row.modalities.split("\\"))
                self.casework.write(tx, case, case.case_id, [commands.returned(after, modality)], actor)
            return after

        return await self._writer.transact(command)

    def _case(self, tx: Tx, case_id: str) -> Case:
        """The case, or the one that it was merged into."""
        case = self.casework.current(tx, case_id)
        while case.merged_into is not None:
            case = self.casework.current(tx, case.merged_into)
        return case

    def on_case(self, tx: Tx, envelope: Envelope, case: Case) -> None:
        """A study has come, or come further: it wants a reading, in the same commit."""
        if isinstance(envelope.event, ImageStudyReceived):
            # New here: what is known of it is of a patient who was erased.
            self._end(tx, envelope.event.study_uid)
        match envelope.event:
            case (ImageStudyReceived() | ImageStudySettled()) as e if not case.is_drill:
                self._want(tx, e.study_uid, case)
            # An emergency now: the clocks of its studies are shorter.
            case AlertOpened() | GreenChannelOpened():
                for one in tuple(self._book.open_images.values()):
                    if one.case_id == case.case_id and one.report is None:
                        self._want(tx, one.study_uid, case)
            case _:
                pass

    def on_erase(self, tx: Tx, patient: str) -> None:
        """A patient is erased: nobody is rung for the studies any more, and no reading of them is given."""
        for study_uid in image_rows.studies_of_patient(tx.conn, patient):
            self._end(tx, study_uid)

    def moved(self, tx: Tx, said: ImageStudyMoved, case: Case, actor: str) -> None:
        """A study was moved to a case: what was signed is asked for anew there, and its clock may be shorter."""
        reading = self._known(tx, said.study_uid)
        if reading is not None and not reading.gone:
            self._write(tx, reading, said.study_uid, [said], actor)
            self._want(tx, said.study_uid, case)

    def _end(self, tx: Tx, study_uid: str) -> None:
        reading = self._known(tx, study_uid)
        if reading is not None and not reading.gone:
            gone = [ImageReadingGone(reason="erased"), *clock.answered(reading, SERVICE)]
            self._write(tx, reading, study_uid, gone, SERVICE)

    def _want(self, tx: Tx, study_uid: str, case: Case | None = None) -> None:
        row = image_rows.study_of(tx.conn, study_uid)
        if row is None:
            return
        modalities = [one for one in row.modalities.split("\\") if one]
        reading = self._known(tx, study_uid)
        if (reading is None or reading.gone) and not is_read(modalities):
            return
        try:
            opened = self._vault.opener(tx.conn)(row.patient, row.sealed, row.study_uid)
        except PatientKeyMissing:
            return
        facts = facts_of(
            study_uid=study_uid,
            site=row.site,
            modalities=modalities,
            received_at=row.received_at,
            text=msgspec.convert(opened, StudyText),
            case=case or self._case(tx, row.case_id),
            reading=None if reading is None or reading.gone else reading,
        )
        people = self._people(tx, row.site)
        events = clock.want(reading, wanted_of(facts, row.case_id), tx.now, people, new_id("ia"))
        if events:
            self._write(tx, reading, study_uid, events, SERVICE)

    def _people(self, tx: Tx, site: str | None) -> People:
        shifts = self._watch.shifts(tx.now, site)
        head = roster.on_duty(shifts, tx.now, "head")
        radiologists = () if site is None else self._notices.of_role(tx, RADIOLOGIST, site)
        known = [*radiologists, *([] if head is None else [head])]
        return People(radiologists=radiologists, head=head, channels=self._notices.channels(tx, known))

    def _write(
        self, tx: Tx, reading: Reading | None, study_uid: str, events: Sequence[AnyEvent], actor: str
    ) -> Reading:
        version = reading.version if reading else 0
        events = self._words.sealed(tx, study_uid, events)
        for envelope in tx.append(image_stream(study_uid), events, actor=actor, expected_version=version):
            reading = fold(reading, envelope)
            if reading is None:
                raise NotFound("study", study_uid)
            for due in clock.deadlines(envelope, reading):
                tx.set_deadline(
                    due.id,
                    due_at=due.due_at,
                    kind=due.kind,
                    stream=due.stream,
                    payload=msgspec.json.encode(due.payload),
                )
            self._notices.on_event(tx, envelope, reading, functools.partial(self._people, tx, reading.site))
        if reading is None:
            raise NotFound("study", study_uid)
        return reading

    def fire(self, tx: Tx, deadline: Deadline) -> None:
        """A share of a clock is over, or a critical result is untold; in the taking command."""
        study_uid = study_of(deadline.stream)
        reading = None if study_uid is None else self._known(tx, study_uid)
        if study_uid is None or reading is None:
            raise ValueError(f"expected a due time of a study that is read, got {deadline.stream}")
        due = Due(
            id=deadline.id,
            due_at=deadline.due_at,
            kind=deadline.kind,
            stream=deadline.stream,
            payload=msgspec.json.decode(deadline.payload),
        )
        if image_rows.study_of(tx.conn, study_uid) is None:  # erased: nobody is rung for what is not there
            self._end(tx, study_uid)
            return
        events = clock.on_due(reading, due, tx.now, lambda: self._people(tx, reading.site))
        if events:
            self._write(tx, reading, study_uid, events, SERVICE)
