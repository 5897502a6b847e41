"""The desk: everything that people and devices can ask of the running service, one method each."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import msgspec
import structlog
from sqlalchemy import Engine

from greenchannel.alerts.case import Case
from greenchannel.alerts.channels import channels
from greenchannel.alerts.escalation_plan import EscalationSettings, default_settings
from greenchannel.alerts.task_texts import TaskTexts
from greenchannel.clock import Clock
from greenchannel.events import AnyEvent, Envelope, case_stream
from greenchannel.ingest.fields import UploadFields
from greenchannel.ingest.reader import read_ecg
from greenchannel.service import warm
from greenchannel.service.administration import Administration
from greenchannel.service.agent_clocks import AgentClocks
from greenchannel.service.ambulances import Ambulances
from greenchannel.service.answers import Answers
from greenchannel.service.auditor import Auditor
from greenchannel.service.book import CaseBook
from greenchannel.service.callers import Caller
from greenchannel.service.casework import Casework
from greenchannel.service.channels.senders import Senders
from greenchannel.service.clock_reports import CLOCK_REPORT, ClockReports
from greenchannel.service.corrections import Corrections
from greenchannel.service.delivery import Delivery
from greenchannel.service.delivery_results import DeliveryResults
from greenchannel.service.direct_alarm import DirectAlarm
from greenchannel.service.drills import DRILL_END, Drills
from greenchannel.service.duty import Duty
from greenchannel.service.errors import NotFound
from greenchannel.service.follow_ups import FOLLOW_UP, FollowUps
from greenchannel.service.following import Following
from greenchannel.service.going_on_duty import GoingOnDuty
from greenchannel.service.heartbeat import Heartbeat
from greenchannel.service.hub import Hub
from greenchannel.service.imaging.parts import DicomNode, ImageArchive, ReadingDesk, StudyIntake
from greenchannel.service.intake import Intake, UploadAnswer
from greenchannel.service.keeping import Housekeeping, Part, keep_running, read_again
from greenchannel.service.notices import Notices
from greenchannel.service.outbox import Outbox
from greenchannel.service.quality_book import WRITE_EVERY_S, QualityBook
from greenchannel.service.quarantine_desk import QuarantineDesk
from greenchannel.service.receipts import Receipts
from greenchannel.service.reperfusion_clock import ReperfusionClock
from greenchannel.service.roster_desk import RosterDesk
from greenchannel.service.roster_watch import RosterWatch
from greenchannel.service.signs import SignsOfLife
from greenchannel.service.site_rules import SiteRules
from greenchannel.service.streams import SHUT_OUT_EVERY_S, StreamDesk
from greenchannel.service.uploads import Uploads
from greenchannel.service.watch import Watch
from greenchannel.settings import Settings
from greenchannel.signal.recording import Recording
from greenchannel.store import ecg_rows
from greenchannel.store.access import AccessLog
from greenchannel.store.account_changes import AccountChanges
from greenchannel.store.accounts import Accounts
from greenchannel.store.blobs import BlobErased, Blobs
from greenchannel.store.contacts import Contacts
from greenchannel.store.engine import open_engine
from greenchannel.store.log import Log
from greenchannel.store.one_time_codes import OneTimeCodes
from greenchannel.store.quarantine import Quarantine
from greenchannel.store.upload_parts import Parts
from greenchannel.store.vault import Vault
from greenchannel.store.writer import Writer
from greenchannel.triage.electrode_sets import truly_named
from greenchannel.triage.reading_templates import Templates

logger = structlog.get_logger(__name__)

FLUSH_EVERY_S = 1.0
RESTART_S = 1.0
SWEEP_EVERY_S = 3600.0
READ_AGAIN_S = 10.0
SWEEP_UPLOADS_S = 10.0
COUNT_ROSTER_S = 60.0  # for the metrics; what must be said is a due time
FOLDED_AT_ONCE = 10_000


class Desk:
    """Owns the parts of the running service. Commands return the case as it is after them."""

    def __init__(
        self,
        *,
        settings: Settings,
        clock: Clock,
        engine: Engine,
        writer: Writer,
        log: Log,
        vault: Vault,
        blobs: Blobs,
        access: AccessLog,
        accounts: Accounts,
        quarantine: Quarantine,
        escalation: EscalationSettings | None = None,
        task_texts: TaskTexts | None = None,
        site_templates: Templates | None = None,
    ) -> None:
        self.settings = settings
        self.clock = clock
        self.log = log
        self.access = access
        self.accounts = accounts
        self.quarantine = quarantine
        self.task_texts = task_texts or TaskTexts()
        self.site_templates = site_templates
        self.hub = Hub()
        self.book = CaseBook()
        self._engine = engine
        self._writer = writer
        self._vault = vault
        self._blobs = blobs
        self.following = Following(log=log, writer=writer, book=self.book, hub=self.hub)
        self.escalation = escalation or default_settings()
        self._casework = Casework(writer, self.book, self.escalation)
        self.contacts = Contacts(engine, vault, channels())
        self.outbox = Outbox(self.contacts)
        self._casework.on_write.append(self.outbox.on_write)
        self.senders = Senders(
            key_file=settings.push_key(),
            vapid_subject=settings.vapid_subject,
            localhost=settings.contacts_localhost,
        )
        results = DeliveryResults(self._casework, self.book)
        self.delivery = Delivery(
            engine=engine,
            writer=writer,
            clock=clock,
            outbox=self.outbox,
            contacts=self.contacts,
            accounts=accounts,
            senders=self.senders,
            results=results,
            poll_s=settings.delivery_poll_s,
        )
        self.receipts = Receipts(
            engine=engine, writer=writer, contacts=self.contacts, outbox=self.outbox, results=results
        )
        self.going_on_duty = GoingOnDuty(
            writer=writer, book=self.book, contacts=self.contacts, accounts=accounts, outbox=self.outbox
        )
        self.watch = Watch(accounts, self.escalation, self.contacts)
        self.site_rules = SiteRules(accounts, settings.critical_list)
        self.intake = Intake(
            engine=engine,
            clock=clock,
            writer=writer,
            casework=self._casework,
            book=self.book,
            vault=vault,
            blobs=blobs,
            accounts=accounts,
            watch=self.watch,
            threads=settings.analysis_threads,
            rules_of=self.site_rules.of,
        )
        self.reperfusion = ReperfusionClock(self.hub, clock)
        self.agent_clocks = AgentClocks(writer, self.book)
        self._corrections = Corrections(
            writer=writer, casework=self._casework, vault=vault, blobs=blobs, watch=self.watch
        )
        self.ambulances = Ambulances(
            engine=engine,
            writer=writer,
            casework=self._casework,
            book=self.book,
            accounts=accounts,
            clock=clock,
            times=self.intake.times,
        )
        self.answers = Answers(
            book=self.book,
            casework=self._casework,
            writer=writer,
            accounts=accounts,
            corrections=self._corrections,
            watch=self.watch,
        )
        self.clock_reports = ClockReports(writer=writer, book=self.book, accounts=accounts, clock=clock)
        roles = tuple(dict.fromkeys(step.role for step in self.watch.settings.step))
        self.notices = Notices(
            writer=writer, outbox=self.outbox, accounts=accounts, watch=self.watch, clock=clock
        )
        roster_watch = RosterWatch(
            roles=roles, notify=self.notices.roster, reachable=self.going_on_duty.not_known_lost
        )
        self.roster = RosterDesk(engine=engine, writer=writer, clock=clock, watch=roster_watch)
        self.drills = Drills(
            casework=self._casework,
            writer=writer,
            intake=self.intake,
            watch=self.watch,
            accounts=accounts,
            clock=clock,
        )
        self.duty = Duty(
            engine=engine,
            writer=writer,
            casework=self._casework,
            clock=clock,
            poll_s=settings.duty_poll_s,
            watch=self.watch,
            others={
                CLOCK_REPORT: self.clock_reports.fire,
                FOLLOW_UP: FollowUps(self._casework).fire,
                DRILL_END: self.drills.fire,
                **self.roster.watch.handlers,
            },
        )
        self._housekeeping = Housekeeping(writer=writer, blobs=blobs, clock=clock)
        watching = open_engine(settings.url())  # of the watchers alone: a pool that is empty blinds nobody
        self._signs = SignsOfLife(
            engine=watching,
            folder=settings.data_dir,
            writer=writer,
            duty_looked_s=lambda: self.duty.looked_s,
            tasks=lambda: self._tasks,
        )
        self.auditor = Auditor(
            engine=watching,
            clock=clock,
            settings=self.watch.settings,
            signs=self._signs,
            direct=DirectAlarm(settings.auditor_alarm_url, settings.auditor_alarm_secret),
            every_s=settings.audit_every_s,
            alarm=self.notices.auditor,
        )
        self._watching = watching
        self.streams = StreamDesk(
            settings=settings,
            clock=clock,
            writer=writer,
            casework=self._casework,
            book=self.book,
            hub=self.hub,
            intake=self.intake,
            vault=vault,
            blobs=blobs,
            watch=self.watch,
        )
        self.uploads = Uploads(
            engine=engine,
            writer=writer,
            clock=clock,
            vault=vault,
            parts=Parts(
                settings.data_dir / "uploads", lambda upload_id: vault.upload_key(upload_id, "bytes")
            ),
            intake=self.intake,
            quarantine=quarantine,
            most_bytes=settings.max_upload_bytes,
            kept_s=settings.upload_kept_s,
            idle_s=settings.upload_idle_s,
        )
        self.administration = Administration(
            accounts=accounts,
            changes=AccountChanges(engine),
            codes=OneTimeCodes(engine),
            access=access,
            clock=clock,
            settings=settings,
            writer=writer,
            site_rules=self.site_rules,
        )
        self.quarantined = QuarantineDesk(
            quarantine=quarantine, intake=self.intake, administration=self.administration, clock=clock
        )
        self.quality = QualityBook(engine=engine, accounts=accounts, hub=self.hub)
        casework, intake = self._casework, self.intake
        self.images = ImageArchive(settings, clock, engine, writer, vault, casework, intake, quarantine)
        self.image_readings = ReadingDesk(casework, vault, self.watch, self.duty, self.images, self.outbox)
        self.uploads.take_studies(StudyIntake(settings, self.images, self.intake))
        self.dicom = DicomNode(settings, self.images, self.intake, engine, blobs)
        self.parts: list[Part] = [self.images, self.dicom]  # beside the rest: started last, stopped first
        self._tasks: list[asyncio.Task[None]] = []
        self._warming: asyncio.Task[None] | None = None
        self._heartbeat: Heartbeat | None = None
        self._serving = False
        self._started = False

    # ------------------------------------------------------------ life

    @property
    def ready(self) -> bool:
        """Started, able to commit and to store streams. What is overdue is the auditor's word: it takes no service
        away from anybody."""
        able = not self._writer.failing and not self.streams.failing
        return self._started and able and all(not task.done() for task in self._tasks)

    async def start(self, *, serving: bool = True) -> None:
        """Fold the log, take up what a stop left undone, begin to keep the due times.

        Without `serving` it is an engine beside a service on the same database: it keeps due times and audits, and
        leaves devices, people and files to the service.
        """
        self._serving = serving
        await asyncio.to_thread(self._fold_log)
        self.hub.start(self.book.seq, self.book.cases.values())
        self._writer.start()
        await self.duty.protect_old_alerts(self.book.cases.values())
        # Whoever waits for an answer comes first: what was not read yet may take long, and may hang.
        self._run(
            {
                "duty": self.duty.run(),
                "delivery": self.delivery.run(),
                "log of others": keep_running(
                    "log of others", self.following.look, self.settings.follow_poll_s
                ),
            }
        )
        self._signs.start()
        self.auditor.start()
        self._heartbeat = self._make_heartbeat()
        self._heartbeat.start()
        left = await self._begin_serving() if serving else 0
        self._run(self._serving_runners() if serving else {})
        for part in self.parts if serving else ():
            await part.start()
        self._started = True
        logger.info("started", events=self.book.seq, cases=len(self.book.cases), read_late=left)

    async def start_by_hand(self) -> None:
        """Fold the log and take commands; nothing happens by itself. For who turns the clock: `Duty.fire_due`."""
        await asyncio.to_thread(self._fold_log)
        self.hub.start(self.book.seq, self.book.cases.values())
        self._writer.start()

    def _run(self, runners: Mapping[str, Coroutine[Any, Any, None]]) -> None:
        self._tasks += [asyncio.create_task(runner, name=name) for name, runner in runners.items()]

    async def _begin_serving(self) -> int:
        await self.clock_reports.plan()
        await self.roster.start()
        await self.streams.start()
        await self.uploads.start()
        await self.quality.start()
        self._warming = asyncio.create_task(self.intake.in_pool(warm.read_once))
        return await self.intake.read_what_was_left()

    def _serving_runners(self) -> dict[str, Coroutine[Any, Any, None]]:
        works: tuple[tuple[str, Callable[[], Awaitable[object]], float], ...] = (
            ("streams", self.streams.run, RESTART_S),
            ("disabled devices", self.streams.shut_out_disabled, SHUT_OUT_EVERY_S),
            ("access log", lambda: asyncio.to_thread(self.access.flush), FLUSH_EVERY_S),
            ("housekeeping", self._housekeeping.sweep, SWEEP_EVERY_S),
            ("readings left over", self._read_again, READ_AGAIN_S),
            ("uploads", self.uploads.sweep, SWEEP_UPLOADS_S),
            ("ambulance positions", self.ambulances.sweep, SWEEP_EVERY_S),
            ("roster", self.roster.refresh, COUNT_ROSTER_S),
            ("quality records", self.quality.write, WRITE_EVERY_S),
        )
        return {name: keep_running(name, work, every_s) for name, work, every_s in works}

    def _make_heartbeat(self) -> Heartbeat:
        settings = self.settings
        return Heartbeat(
            url=settings.heartbeat_url if self._serving else settings.engine_heartbeat_url,
            every_s=settings.heartbeat_every_s,
            engine=self._watching,
            clock=self.clock,
            signs=self._signs,
            auditor=self.auditor,
            ready=lambda: self.ready,
        )

    async def stop(self) -> None:
        """Finish what was accepted; due times wait in the database."""
        self._started = False
        if self._heartbeat is not None:
            await asyncio.to_thread(self._heartbeat.stop)
        for part in reversed(self.parts if self._serving else []):
            await part.stop()
        await asyncio.to_thread(self.auditor.stop)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._warming is not None:
            await asyncio.gather(self._warming, return_exceptions=True)
        await self.senders.close()
        if self._serving:
            await self.streams.stop()
        await self.intake.close()
        await asyncio.to_thread(self._writer.close)
        await asyncio.to_thread(self.access.flush)
        if self._serving:
            await self.quality.write_last()
        await asyncio.to_thread(self._engine.dispose)

    def _fold_log(self) -> None:
        while envelopes := self.log.read(self.book.seq, FOLDED_AT_ONCE):
            self.book.apply(envelopes)

    async def _read_again(self) -> None:
        await read_again(self.intake, self.book, self.clock)

    # ------------------------------------------------------------ questions

    def case(self, case_id: str) -> Case:
        """One case as of the hub's sequence number; raises `NotFound`."""
        case = self.hub.cases.get(case_id)
        if case is None:
            raise NotFound("case", case_id)
        return case

    def cases(self) -> list[Case]:
        """All cases, in no order."""
        return list(self.hub.cases.values())

    def case_of_ecg(self, ecg_id: str) -> Case:
        """The case of an ECG; raises `NotFound`."""
        return self.case(self._case_id("ECG", ecg_id))

    def case_of_alert(self, alert_id: str) -> Case:
        """The case of an alert; raises `NotFound`."""
        return self.case(self._case_id("alert", alert_id))

    def case_of_task(self, task_id: str) -> Case:
        """The case of a task; raises `NotFound`."""
        return self.case(self._case_id("task", task_id))

    def case_of_followup(self, followup_id: str) -> Case:
        """The case of a follow-up; raises `NotFound`."""
        return self.case(self._case_id("follow-up", followup_id))

    def _case_id(self, what: str, thing_id: str) -> str:
        case_id = self.book.case_id_of(thing_id)
        if case_id is None:
            raise NotFound(what, thing_id)
        return case_id

    async def history(self, case_id: str) -> list[Envelope]:
        """Every event of a case, oldest first."""
        return await asyncio.to_thread(self.log.read_stream, case_stream(case_id))

    async def identity(self, case_id: str) -> dict[str, str] | None:
        """Name, phone and identity number; None where none was given or the patient was erased."""
        return await asyncio.to_thread(self._vault.personal, self.case(case_id).patient)

    async def analysis(self, ecg_id: str) -> dict[str, Any] | None:
        """The whole analyze object of an ECG; None while it is not read."""
        ecg = self.case_of_ecg(ecg_id).ecg(ecg_id)
        if ecg is None or ecg.analysis_sha256 is None:
            return None
        body = await asyncio.to_thread(ecg_rows.get_analysis, self._engine, ecg.analysis_sha256)
        found = None if body is None else msgspec.json.decode(body, type=dict[str, Any])
        if found is not None and self.case_of_ecg(ecg_id).is_drill:
            found["drill"] = True  # whatever is drawn of it says so
        return found

    async def original(self, ecg_id: str) -> bytes:
        """The original bytes of an ECG, unchanged; raises `NotFound` for a running stream and an erased patient."""
        case = self.case_of_ecg(ecg_id)
        ecg = case.ecg(ecg_id)
        if ecg is None or ecg.sha256 is None:
            raise NotFound("file of ECG", ecg_id)
        try:
            return await asyncio.to_thread(self._blobs.get, ecg.sha256, case.patient)
        except BlobErased:
            raise NotFound("file any more, its patient was erased: ECG", ecg_id) from None

    async def recording(self, ecg_id: str) -> Recording:
        """The samples of an ECG; of a running stream, those that came so far."""
        live = self.streams.recording_so_far(ecg_id)
        if live is not None:
            return live
        ecg = self.case_of_ecg(ecg_id).ecg(ecg_id)
        if ecg is not None and ecg.not_analysed is not None:
            raise NotFound("waveform of paper ECG", ecg_id)
        data = await self.original(ecg_id)
        found = (await asyncio.to_thread(read_ecg, [(None, data)])).recording
        told = None if ecg is None else ecg.electrode_set
        return truly_named(replace(found, electrode_set=told or found.electrode_set))

    # ------------------------------------------------------------ what comes in

    async def receive(
        self,
        files: Sequence[tuple[str | None, bytes]],
        fields: UploadFields,
        caller: Caller,
        *,
        upload_started_at: datetime,
    ) -> UploadAnswer:
        """Take one uploaded ECG; see `Intake.receive`."""
        return await self.intake.receive(files, fields, caller, upload_started_at=upload_started_at)

    async def enter_history(self, site: str, build: Callable[[str, str], Sequence[AnyEvent]]) -> Case:
        """Enter a case that is known as a whole; see `Corrections.enter_history`."""
        return await self._corrections.enter_history(site, build)
