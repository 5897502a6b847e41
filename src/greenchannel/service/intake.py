"""From bytes to a finding on the board: an ECG is made durable, placed in its case, read, and alerted on."""

import asyncio
import functools
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import msgspec
import structlog
from sqlalchemy import Engine

from greenchannel.alerts import commands
from greenchannel.alerts.case import Case
from greenchannel.alerts.milestones import future_tolerance_s
from greenchannel.clock import Clock
from greenchannel.events import (
    EcgAnalysed,
    IdentityConflictRaised,
)
from greenchannel.ingest import device_clock
from greenchannel.ingest.bundle import bundle, content_sha256
from greenchannel.ingest.device_clock import ClockOffset
from greenchannel.ingest.fields import UploadFields, take_fields
from greenchannel.ingest.paper import Paper
from greenchannel.ingest.parsed import ParsedEcg
from greenchannel.ingest.reader import read_ecg
from greenchannel.service import before, paper_ecgs
from greenchannel.service.arrival import Arrival, UploadAnswer
from greenchannel.service.book import CaseBook
from greenchannel.service.callers import Caller
from greenchannel.service.casework import Casework
from greenchannel.service.device_times import DeviceTimes
from greenchannel.service.episodes import Episodes, FileFacts
from greenchannel.service.errors import Conflict, Forbidden
from greenchannel.service.identity import Identity
from greenchannel.service.ids import new_id
from greenchannel.service.readings import KnownEcg, ReadEcg, read_files, to_the_clinic
from greenchannel.service.watch import Watch
from greenchannel.signal.heart_shape import shape_of
from greenchannel.signal.recording import Recording
from greenchannel.store import ecg_rows, print_rows
from greenchannel.store.accounts import Accounts
from greenchannel.store.blobs import Blobs, StagedBlob
from greenchannel.store.vault import Vault
from greenchannel.store.writer import Tx, Writer
from greenchannel.triage.electrode_sets import truly_named
from greenchannel.triage.finding import Patient
from greenchannel.triage.interpretation import interpret, to_json
from greenchannel.triage.rule_set import RuleSet

__all__ = ["Arrival", "Intake", "UploadAnswer", "to_the_clinic"]

T = TypeVar("T")
Also = Callable[[Tx, UploadAnswer], None]
logger = structlog.get_logger(__name__)

LOOKS = 3  # for the same recording, where others arrive meanwhile
READING_WAIT_S = 2.0  # an answer waits this long for the reading; the reading itself goes on


class Intake:
    """Receives whole ECGs. Nothing is answered before it is on disk; the same bytes again are the same thing."""

    def __init__(
        self,
        *,
        engine: Engine,
        clock: Clock,
        writer: Writer,
        casework: Casework,
        book: CaseBook,
        vault: Vault,
        blobs: Blobs,
        accounts: Accounts,
        watch: Watch,
        threads: int,
        rules_of: Callable[[str], RuleSet],
    ) -> None:
        self._engine = engine
        self.rules_of = rules_of
        self._clock = clock
        self._writer = writer
        self._casework = casework
        self._book = book
        self._vault = vault
        self._blobs = blobs
        self._accounts = accounts
        self._watch = watch
        self.episodes = Episodes(vault=vault, casework=casework, cases=book.cases)
        self.times = DeviceTimes(clock=clock, writer=writer, book=book, accounts=accounts)
        self.identity = Identity(
            engine=engine, clock=clock, blobs=blobs, vault=vault, casework=casework, episodes=self.episodes
        )
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="greenchannel-reading")
        self._readings: set[asyncio.Task[None]] = set()

    async def close(self) -> None:
        """Finish the readings that run."""
        await asyncio.gather(*self._readings, return_exceptions=True)
        self._pool.shutdown()

    # ------------------------------------------------------------ receive

    async def receive(
        self,
        files: Sequence[tuple[str | None, bytes]],
        fields: UploadFields,
        caller: Caller,
        *,
        upload_started_at: datetime,
        also: Also | None = None,
        drill_until: datetime | None = None,
    ) -> UploadAnswer:
        """Take one uploaded ECG. Raises `IngestError`, `Forbidden`, `Conflict` or `NotFound`, changing nothing.

        With `drill_until` it opens a case of its own that is a drill.

        `also` is written in the same commit: whoever must know what became of the bytes knows it exactly then.
        """
        self.check_sender(fields, caller)
        parsed = await self.in_pool(lambda: read_files(files))
        staged = await asyncio.to_thread(self._blobs.stage, bundle(files))
        arrival = self._arrival(parsed, staged, fields, caller, upload_started_at)
        arrival = replace(arrival, drill_until=drill_until)
        placed = await self._placed(arrival, also)
        if isinstance(parsed, Paper):
            return placed
        return replace(placed, state=await self._read_soon(placed.ecg_id, placed.case_id, parsed.recording))

    def _arrival(
        self,
        parsed: ParsedEcg | Paper,
        staged: StagedBlob,
        fields: UploadFields,
        caller: Caller,
        upload_started_at: datetime,
    ) -> Arrival:
        site = self.site_of(fields.site, caller)
        device = self._device_of(fields.device, caller)
        measured = None
        if caller.kind == "device" and fields.device_clock is not None:
            measured = device_clock.estimate_offset(fields.device_clock, received_at=upload_started_at)
        offset = self.times.offset_with(device, measured)
        return Arrival(
            parsed=parsed,
            staged=staged,
            size_bytes=staged.size_bytes,
            way="upload",
            fields=fields,
            site=site,
            device=device,
            acquired=self.times.acquired(parsed, fields, caller, device, offset, self.zone_of(site)),
            sent=self.times.sent(fields, caller, device, offset, upload_started_at),
            actor=caller.actor,
            measured=measured,
        )

    async def receive_known(
        self, known: KnownEcg, fields: UploadFields, caller: Caller, *, upload_started_at: datetime
    ) -> tuple[str, str]:
        """As `receive`, of a file that is stored and read already; gives the ids of ECG and case.

        For simulated counties, in which many patients have the same strip: it is compared with no earlier ECG.
        """
        arrival = self._arrival(known.parsed, known.staged, fields, caller, upload_started_at)

        def command(tx: Tx) -> tuple[str, str]:
            ecg_id, case_id = self._place(tx, arrival)
            self._write_reading(tx, ecg_id, case_id, known.read)
            return ecg_id, case_id

        return await self._writer.transact(command)

    def know(self, data: bytes, patient: Patient, site: str) -> KnownEcg:
        """Store a file, and read it as that of a patient of whom nothing earlier is known. From any thread."""
        parsed = read_ecg([(None, data)])
        staged = self._blobs.stage(data)
        found = interpret(truly_named(parsed.recording), patient, self.rules_of(site))
        analysis = to_json(found, source=None, sha256=staged.sha256)
        body = msgspec.json.encode(analysis, order="sorted")
        read = ReadEcg(analysis=analysis, body=body, shape=None, doubted=None)
        return KnownEcg(parsed=parsed, staged=staged, read=read)

    async def _placed(self, arrival: Arrival, also: Also | None) -> UploadAnswer:
        for last in (*[False] * (LOOKS - 1), True):
            arrival = await self.looked_for(arrival)
            place = functools.partial(self._receive, arrival=arrival, also=also, last=last)
            placed = await self._writer.transact(place)
            if isinstance(placed, Conflict):
                raise placed
            if placed is not None:
                return placed
        raise AssertionError("the last look decides")

    async def looked_for(self, arrival: Arrival) -> Arrival:
        """The arrival with what was found of it among the ECGs that came before."""
        try:
            look = await self.in_pool(lambda: self.identity.look(arrival, arrival.look))
        except Exception:  # it is taken in, whatever becomes of the comparison
            logger.critical("an ECG was not compared with earlier ones", actor=arrival.actor, exc_info=True)
            return arrival
        return replace(arrival, look=look)

    def _receive(
        self, tx: Tx, arrival: Arrival, also: Also | None, last: bool
    ) -> UploadAnswer | Conflict | None:
        """Where it is now; a conflict is returned, since what it writes must be kept. None: look once more."""
        same = self._same(tx, arrival)
        if isinstance(same, Conflict):
            return same
        if same is None and not last and self.identity.must_look_again(tx, arrival, arrival.look):
            return None
        ids = self._place(tx, arrival) if same is None else (same.ecg_id, same.case_id)
        twin = self._casework.current(tx, ids[1]).ecg(ids[0])
        answer = UploadAnswer(
            ecg_id=ids[0],
            case_id=ids[1],
            sha256=arrival.staged.sha256,
            state="not_analysed" if isinstance(arrival.parsed, Paper) else "received",
            duplicate=same is not None,
            same_as=None if twin is None or twin.same_as is None else twin.same_as.ecg_id,
            dropped=arrival.fields.dropped or (),
        )
        if also is not None:
            also(tx, answer)
        return answer

    def _place(self, tx: Tx, arrival: Arrival) -> tuple[str, str]:
        parsed = arrival.parsed
        facts = FileFacts(
            age_years=parsed.age_years, sex=parsed.sex, name=parsed.identifiers.get("name") or None
        )
        original = self.identity.original(tx, arrival.look)
        patient, case_id, case = self.episodes.place(
            tx,
            site=arrival.site,
            fields=arrival.fields,
            actor=arrival.actor,
            facts=facts,
            join=self.identity.joins(tx, arrival.site, arrival.fields, facts, original),
            repeated=None if original is None else original.case.case_id,
            drill_until=arrival.drill_until,
        )
        ecg_id = self.add(tx, arrival, case, patient)
        if arrival.device is not None and arrival.measured is not None:
            self.times.write(tx, arrival.device, arrival.measured)
        return ecg_id, case_id

    def add(self, tx: Tx, arrival: Arrival, case: Case, patient: str) -> str:
        """Write the row, the key and the event of one ECG into its case."""
        ecg_id = arrival.ecg_id or new_id("e")
        self._blobs.link(tx, arrival.staged, patient)
        ecg_rows.add_ecg(
            tx,
            ecg_id=ecg_id,
            case_id=case.case_id,
            site=arrival.site,
            patient=patient,
            sha256=arrival.staged.sha256,
        )
        case = self._casework.write(tx, case, case.case_id, [arrival.received(ecg_id)], arrival.actor)
        if not case.is_drill:  # or a real ECG could be taken for a repeat of practice
            case = self.identity.keep(
                tx, ecg_id=ecg_id, case=case, arrival=arrival, look=arrival.look, actor="service"
            )
        if isinstance(arrival.parsed, Paper):
            said = paper_ecgs.not_analysed(ecg_id, arrival.parsed.format)
            plan, settings = self._watch.plan(said.tier, tx.now, case.site), self._watch.settings
            events = commands.not_analysed(case, said, alert_id=new_id("a"), plan=plan, settings=settings)
            self._casework.write(tx, case, case.case_id, events, "service")
        return ecg_id

    def _same(self, tx: Tx, arrival: Arrival) -> ecg_rows.EcgRow | Conflict | None:
        """The ECG that these bytes already are, at this site; a `Conflict` where it is another patient's.

        Raises `Conflict` where the sender names another case than the one the ECG is in.
        """
        sha256, fields = arrival.staged.sha256, arrival.fields
        there = ecg_rows.find_same_bytes_at_site(tx, arrival.site, sha256)
        if there is None:
            return None
        if fields.patient_ref is not None:  # the same file without a name is no other patient's
            patient = self._vault.patient_for(tx, arrival.site, fields.patient_ref)
            same = ecg_rows.find_same(tx, arrival.site, patient, sha256)
            if same is None and self.episodes.is_of(tx, patient, there.case_id):
                same = there
            if same is None:
                return self._conflict(tx, there, arrival)
            there = same
        if fields.case_id is not None:
            named = self.episodes.of_site(tx, arrival.site, fields.case_id).case_id
            if named != there.case_id:
                raise Conflict(
                    "ecg_in_other_case",
                    f"these bytes are already ECG {there.ecg_id} of case {there.case_id}, not of case {named}",
                    f"同一份心电图已归入病例 {there.case_id},而不是病例 {named},请人工核对",
                )
        return there

    def _conflict(self, tx: Tx, there: ecg_rows.EcgRow, arrival: Arrival) -> Conflict:
        """Show it on the case that has the bytes, once; the sender is refused."""
        case = self._casework.current(tx, there.case_id)
        if not any(known.sha256 == there.sha256 for known in case.conflicts):
            raised = IdentityConflictRaised(sha256=there.sha256, existing_ecg_id=there.ecg_id)
            self._casework.write(tx, case, case.case_id, [raised], arrival.actor)
        return Conflict(
            "identity_conflict",
            f"these bytes are already ECG {there.ecg_id} of another patient of this site; a person must decide whose "
            "they are",
            f"同一份心电图已归入本机构另一位患者({there.ecg_id}),请人工核对身份",
        )

    # ------------------------------------------------------------ who, where, when

    def fields_of(self, values: Mapping[str, object], caller: Caller) -> UploadFields:
        """What stands beside an ECG: what cannot be kept of it is left out and named. See `take_fields`."""
        person = caller.kind == "user"
        return take_fields(values, now=self._clock.now(), person=person, ahead_s=future_tolerance_s())

    def check_sender(self, fields: UploadFields, caller: Caller) -> None:
        """Raise `Forbidden` or `Conflict` where `receive` would, of whatever bytes."""
        self.site_of(fields.site, caller)
        self._device_of(fields.device, caller)

    def site_of(self, named: str | None, caller: Caller) -> str:
        """The site an ECG comes from: the caller's own, or the one it names among those it may see."""
        if named is None:
            if caller.sites is not None and len(caller.sites) == 1:
                return next(iter(caller.sites))
            raise Conflict(
                "site_missing", "expected the field site: the caller has several", "请填写机构 site"
            )
        if self._accounts.site(named) is None or not caller.may_see(named):
            raise Forbidden("site_forbidden", "the caller may not send for this site", "无权以该机构名义上传")
        return named

    @staticmethod
    def _device_of(named: str | None, caller: Caller) -> str | None:
        if caller.kind == "device":
            if named is not None and named != caller.id:
                raise Forbidden(
                    "device_forbidden",
                    "a device may send only under its own name",
                    "设备只能以自己的名义上传",
                )
            return caller.id
        return named

    async def note_device_clock(
        self,
        device: str | None,
        reading: datetime | None,
        received_at: datetime,
        caller: Caller | None = None,
    ) -> None:
        """Write down how far a device's clock is off; see `DeviceTimes.note`."""
        await self.times.note(device, reading, received_at, caller)

    def disabled_devices(self) -> frozenset[str]:
        """Those whose tokens are worth nothing any more."""
        return frozenset(device.id for device in self._accounts.devices() if device.disabled)

    def zone_of(self, site: str) -> ZoneInfo:
        """The site's time zone."""
        return self.times.zone_of(site)

    def offset_of(self, device: str | None) -> ClockOffset | None:
        """The newest estimate of a device's clock; None where it was never compared."""
        return self.times.offset_of(device)

    # ------------------------------------------------------------ read

    async def _read_soon(self, ecg_id: str, case_id: str, recording: Recording) -> str:
        """Start the reading; wait a little, so that the answer mostly carries it. Gives the state reached."""
        if self.is_read(case_id, ecg_id):
            return "analysed"
        task = asyncio.create_task(self.read(ecg_id, case_id, recording))
        self._readings.add(task)
        task.add_done_callback(self._readings.discard)
        await asyncio.wait({task}, timeout=READING_WAIT_S)
        return "analysed" if self.is_read(case_id, ecg_id) else "received"

    def is_read(self, case_id: str, ecg_id: str) -> bool:
        """Has this ECG its final reading?"""
        case = self._book.cases.get(self._book.case_id_of(ecg_id) or case_id)
        return case is not None and any(ecg.ecg_id == ecg_id and ecg.analysed_at for ecg in case.ecgs)

    async def read(self, ecg_id: str, case_id: str, recording: Recording) -> None:
        """Measure and judge one ECG, write its final reading and ring where it must."""
        case = self._book.cases[self._book.case_id_of(ecg_id) or case_id]
        sha256 = next(ecg.sha256 for ecg in case.ecgs if ecg.ecg_id == ecg_id)
        try:
            read = await self.in_pool(lambda: self._interpret(ecg_id, case, recording, sha256))
        except Exception:
            logger.critical("an ECG could not be read", ecg_id=ecg_id, exc_info=True)
            raise
        await self._writer.transact(lambda tx: self._write_reading(tx, ecg_id, case_id, read))

    def patient(self, case: Case) -> Patient:
        """What the rules may know of a case's patient now."""
        return before.patient_of(case, self._clock.now())

    def _interpret(self, ecg_id: str, case: Case, recording: Recording, sha256: str | None) -> ReadEcg:
        """The analyze object, with what earlier and other recordings of the patient say."""
        ecg = case.ecg(ecg_id)
        told = recording.electrode_set if ecg is None else ecg.electrode_set or recording.electrode_set
        named = truly_named(replace(recording, electrode_set=told))
        found = interpret(
            named,
            self.patient(case),
            self.rules_of(case.site),
            earlier=before.earlier_ecgs(case, ecg_id, list(self._book.cases.values()), self._analysis),
            others=before.other_leads(case, ecg_id, named.leads, self._analysis),
        )
        shape = shape_of(found.measurements, found.recording.leads)
        analysis = to_json(found, source=None, sha256=sha256)
        return ReadEcg(
            analysis=analysis,
            body=msgspec.json.encode(analysis, order="sorted"),
            shape=shape,
            doubted=self.identity.doubted(case, ecg_id, shape),
        )

    def _analysis(self, sha256: str) -> dict[str, Any] | None:
        body = ecg_rows.get_analysis(self._engine, sha256)
        return None if body is None else msgspec.json.decode(body, type=dict[str, Any])

    def _write_reading(self, tx: Tx, ecg_id: str, case_id: str, read: ReadEcg) -> None:
        analysis, body = read.analysis, read.body
        # A person may have moved it while it was being read: it rings where it is now.
        case = self._casework.current(tx, ecg_rows.case_of(tx, ecg_id) or case_id)
        if any(ecg.ecg_id == ecg_id and ecg.analysed_at for ecg in case.ecgs):
            return  # read already, by the restart's sweep
        analysis_sha256 = content_sha256([(None, body)])
        ecg_rows.put_analysis(tx, analysis_sha256, body)
        ecg_rows.set_analysis(tx, ecg_id, analysis_sha256)
        quality = analysis["quality"]
        said = analysis["advice"] + to_the_clinic(quality)
        reading = EcgAnalysed(
            ecg_id=ecg_id,
            tier=analysis["tier"],
            findings=analysis["findings"],
            acceptable=quality["acceptable"],
            bad_leads=tuple(quality["bad_leads"]),
            advice=[{"zh": one["zh"], "en": one["en"]} for one in said],
            software=analysis["version"]["software"] or "unknown",
            rules=analysis["version"]["rules"],
            analysis_sha256=analysis_sha256,
        )
        if (
            case.is_drill and case.state != "open"
        ):  # it was ended before it was read: practice rings nobody afterwards
            self._casework.write(tx, case, case.case_id, [reading], "service")
            return
        rings = reading.tier in self._watch.settings.paging_tiers
        plan = self._watch.plan(reading.tier, tx.now, case.site) if rings else ()
        events = commands.analysed(
            case,
            reading,
            alert_id=new_id("a"),
            plan=plan,
            settings=self._watch.settings,
            original=self.identity.read_before(tx, case, ecg_id),
        )
        if read.shape is not None:
            print_rows.set_shape(tx, ecg_id, read.shape)
        if events and read.doubted is not None:
            events.append(read.doubted)
        if events:
            self._casework.write(tx, case, case.case_id, events, "service")

    async def read_what_was_left(self) -> int:
        """After a restart: read what was received and not read. Returns how many.

        One that cannot be read keeps neither the others nor the service from their work; the auditor goes on naming
        it, and the next start tries again.
        """
        left = [
            (ecg.ecg_id, ecg.sha256, case)
            for case in list(self._book.cases.values())
            for ecg in case.current_ecgs
            if ecg.sha256 and ecg.awaits_machine and self._book.case_id_of(ecg.ecg_id) == case.case_id
        ]
        for ecg_id, sha256, case in left:
            (failed,) = await asyncio.gather(self._read_left(ecg_id, sha256, case), return_exceptions=True)
            if isinstance(failed, BaseException):
                logger.critical("an ECG of before the start was not read", ecg_id=ecg_id, exc_info=failed)
        return len(left)

    async def _read_left(self, ecg_id: str, sha256: str, case: Case) -> None:
        data = await asyncio.to_thread(self._blobs.get, sha256, case.patient)
        parsed = await self.in_pool(functools.partial(read_ecg, [(None, data)]))
        await self.read(ecg_id, case.case_id, parsed.recording)

    async def in_pool(self, function: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._pool, function)
