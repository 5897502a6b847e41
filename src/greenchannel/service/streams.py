"""The shell around live devices: frames to disk and acknowledged, rolling readings, the strip ended in time."""

import asyncio
import contextlib
import functools
import hashlib
import hmac
from collections import deque
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any
from weakref import WeakValueDictionary

import msgspec
import structlog

from greenchannel.clock import Clock
from greenchannel.events import StreamStarted
from greenchannel.ingest import device_clock
from greenchannel.ingest.device_hello import is_nameless, kept_hello, recording_facts
from greenchannel.ingest.device_stream import AckLedger, Hello, Refused, StreamState, parse_hello
from greenchannel.ingest.errors import IngestError
from greenchannel.ingest.segments import Kind, SegmentWriter, read_all
from greenchannel.service.book import CaseBook
from greenchannel.service.callers import Caller
from greenchannel.service.casework import Casework
from greenchannel.service.errors import Conflict, Forbidden
from greenchannel.service.hub import Hub
from greenchannel.service.ids import new_id
from greenchannel.service.intake import Intake
from greenchannel.service.live_stream import OVER, LiveStream, Running, StreamOrigin, wave_message
from greenchannel.service.reading_process import ReadingProcess
from greenchannel.service.rolling import RollingReader
from greenchannel.service.stored_streams import OVERLAP_S, StoredStreams, StreamWho, answer_of
from greenchannel.service.strip import Strips
from greenchannel.service.watch import Watch
from greenchannel.settings import Settings
from greenchannel.signal.recording import Recording
from greenchannel.store.blobs import Blobs
from greenchannel.store.errors import PatientKeyMissing
from greenchannel.store.vault import Vault
from greenchannel.store.writer import Tx, Writer

logger = structlog.get_logger(__name__)

# Acknowledgements come at least once a second, and no oftener than this but for a second that is complete.
TELL_APART_S = 0.4
ALL_EVERY_S = 0.5  # so often it is looked who is to be told, also where nothing came
STUCK_FACTOR = 4  # silent times that a device may only repeat itself before it counts as silent
MOST_EMPTY, MOST_BEGUN = 32, 2000  # streams of one device without a sample: for longer than this, and in all
EMPTY_AFTER = timedelta(seconds=10)
SYNCS_APART_S = 0.008  # what completes a second within it shares a sync
SHUT_OUT_EVERY_S = 2.0  # devices whose tokens were taken away are looked for
TRY_AGAIN_S = 1.0  # after an attempt to end a stream has failed; twice as long after each further one,
TRY_AGAIN_MOST_S = 30.0  # up to this


class StreamDesk:
    """All running streams of this process."""

    def __init__(
        self,
        *,
        settings: Settings,
        clock: Clock,
        writer: Writer,
        casework: Casework,
        book: CaseBook,
        hub: Hub,
        intake: Intake,
        vault: Vault,
        blobs: Blobs,
        watch: Watch,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._writer = writer
        self._casework = casework
        self._book = book
        self._hub = hub
        self._intake = intake
        self._vault = vault
        self._folder = settings.data_dir / "streams"
        self._segments = SegmentWriter(self._folder)
        self._sync_failing = False
        self._idle = timedelta(seconds=settings.stream_idle_s)
        self._running: dict[str, Running] = {}
        self._begun: dict[str, datetime] = {}  # ECGs in the log, their hello not on disk: since when
        self._turns: WeakValueDictionary[tuple[str, str], asyncio.Lock] = WeakValueDictionary()
        self._tasks: set[asyncio.Task[None]] = set()
        self._second = asyncio.Event()  # some stream has completed a second
        self._disk = ThreadPoolExecutor(1, "greenchannel-segments")  # one that is warm, not whichever is free
        self._written: deque[tuple[int, Running]] = deque()  # frames that are not known to be durable
        self._stopping = False
        self._next_look: asyncio.TimerHandle | None = None
        self._strips = Strips(
            clock=clock, writer=writer, casework=casework, book=book, intake=intake, blobs=blobs
        )
        self._stored = StoredStreams(book, self._strips, self._segments, clock)
        at_once = max(settings.analysis_threads - 1, 1)
        self._process = ReadingProcess(intake.in_pool, at_once=at_once, wanted=settings.reading_process)
        self._rolling = RollingReader(
            intake=intake,
            writer=writer,
            casework=casework,
            book=book,
            watch=watch,
            at_once=at_once,
            process=self._process,
        )

    # ------------------------------------------------------------ life

    @property
    def failing(self) -> bool:
        """Can streams not be written, or some strip not be stored? It is tried again until it can.

        A strip that is stored and cannot be read is the auditor's word, as for any other ECG.
        """
        return self._sync_failing or any(
            running.failures and not self._strips.is_stored(running.origin.ecg_id)
            for running in self._running.values()
        )

    async def start(self) -> None:
        """Take up the streams that a stop cut off."""
        origins: dict[str, StreamOrigin] = {}
        frames: dict[str, list[bytes]] = {}
        for record in await asyncio.to_thread(lambda: list(read_all(self._folder))):
            if record.kind is Kind.HELLO:
                origins[record.stream_id] = msgspec.json.decode(record.payload, type=StreamOrigin)
            elif record.kind is Kind.FRAME:
                frames.setdefault(record.stream_id, []).append(record.payload)
            else:
                origins.pop(record.stream_id, None)
        for ecg_id, origin in origins.items():
            if self._strips.is_over(ecg_id):
                await asyncio.to_thread(self._segments.forget, ecg_id)
                continue
            running = self._make_running(origin)
            for frame in frames.get(ecg_id, []):
                for outcome in running.state.receive(frame):
                    if isinstance(outcome, Refused):
                        logger.error("a durable frame is not taken", ecg_id=ecg_id, error=str(outcome.error))
            running.ledger = AckLedger(running.state.resume_from)
            running.ledger.reached = running.state.high_water
            self._rolling.durable(running)
        for case in self._book.cases.values():
            for ecg in case.current_ecgs:
                if ecg.live and ecg.ecg_id not in origins:
                    self._begun[ecg.ecg_id] = self._clock.now()

    async def stop(self) -> None:
        """Bring everything that came to disk. What is not finished goes on after the next start."""
        self._stopping = True
        for running in self._running.values():
            if running.attached is not None:
                running.attached.detach()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._process.stop()
        await asyncio.to_thread(self._segments.close)
        self._disk.shutdown()

    async def run(self) -> None:
        """Until cancelled: sync, acknowledge, read, finish.

        By the clock, and at once where a stream has completed another second: an infarction does not wait for a timer.
        """
        loop = asyncio.get_running_loop()
        told_at, position = loop.time(), 0
        while True:
            self._second.clear()
            synced_at = loop.time()
            try:
                position = await loop.run_in_executor(self._disk, self._segments.sync)
                self._sync_failing = False
            except OSError as error:
                self._sync_failing = True
                logger.error("streams could not be written", error=str(error))
            # Also where the disk refuses: devices hear each second how far they are, if only that it is no further.
            now = loop.time()
            touched = self._became_durable(position)
            if now - told_at >= ALL_EVERY_S:
                told_at, touched = now, list(self._running.values())
            for running in touched:
                self._synced(running, position, now)
            self._read_what_is_due()
            self._end_what_is_silent()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._settings.segment_sync_s):
                    await self._second.wait()
            await asyncio.sleep(synced_at + SYNCS_APART_S - loop.time())

    def _became_durable(self, position: int) -> list[Running]:
        """The streams of which something was written up to `position`, and was not known to be on disk."""
        found: dict[Running, None] = {}
        while self._written and self._written[0][0] <= position:
            found[self._written.popleft()[1]] = None
        return list(found)

    def _synced(self, running: Running, position: int, now: float) -> None:
        acked = running.ledger.synced(position)
        self._rolling.durable(running)
        whole = acked // running.hello.rate_hz > running.acked_told // running.hello.rate_hz
        complete = running.state.complete and acked >= (running.state.end or 0)
        if whole or complete or now - running.told_at >= TELL_APART_S:
            running.tell({"acked": acked})
            running.acked_told, running.told_at = acked, now
        if complete:
            self._finish(running)

    def _read_what_is_due(self) -> None:
        if not self._stopping:
            for running in self._rolling.choose():
                self._spawn(self._rolling.read(running))
            due = self._rolling.choose_to_look()
            if due:
                self._spawn(self._rolling.look(due))
            elif self._next_look is None and (rest_s := self._rolling.look_rest_s()):
                self._next_look = asyncio.get_running_loop().call_later(rest_s, self._look_again)

    def _look_again(self) -> None:
        self._next_look = None
        self._read_what_is_due()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            logger.error("work on a stream failed", exc_info=error)
        self._read_what_is_due()  # a thread may be free for the next reading; it need not wait for the disk

    # ------------------------------------------------------------ a stream ends

    def _end_what_is_silent(self) -> None:
        """Nothing heard for too long, connected or not: what came is all that comes."""
        silent_since = self._clock.now() - self._idle
        stuck_since = silent_since - STUCK_FACTOR * self._idle  # nothing but repeats and hellos since then
        for running in list(self._running.values()):
            if running.heard_at <= silent_since or running.new_at <= stuck_since:
                running.given_up = running.given_up or not running.state.complete
            if running.given_up:
                self._finish(running)
        for ecg_id, since in self._begun.items():
            if since <= silent_since:
                self._begun[ecg_id] = self._clock.now()  # the next attempt, should this one fail
                self._spawn(self._end_unbegun(ecg_id))

    def _finish(self, running: Running) -> None:
        if not running.finishing and asyncio.get_running_loop().time() >= running.finish_after:
            running.attempt = self._spawn(self._end(running))
            running.attempt.add_done_callback(functools.partial(self._ended, running))

    async def _end(self, running: Running) -> None:
        await self._strips.finish(running)
        await asyncio.to_thread(self._segments.forget, running.origin.ecg_id)
        running.stored = True
        if running.attached is not None:
            running.attached.messages.put_nowait(OVER)  # where no reading was told: a strip without a sample
        self._running.pop(running.origin.ecg_id, None)
        self._rolling.forget(running)

    def _ended(self, running: Running, attempt: asyncio.Task[None]) -> None:
        """A strip is never left unread because one attempt went wrong."""
        if running.stored:
            running.failures = 0
            return
        wait_s = min(TRY_AGAIN_S * 2**running.failures, TRY_AGAIN_MOST_S)
        running.failures += 1
        running.finish_after = asyncio.get_running_loop().time() + wait_s
        logger.error(
            "a strip could not be stored and read", ecg_id=running.origin.ecg_id, failures=running.failures
        )

    async def _end_unbegun(self, ecg_id: str) -> None:
        """A start that a stop cut off before its hello was on disk, and whose device has not come back."""
        case_id = self._book.case_id_of(ecg_id) or ""
        ecg = self._book.cases[case_id].ecg(ecg_id)
        if ecg is None or ecg.device is None or ecg.stream_id is None:
            return
        async with self._turn(ecg.device, ecg.stream_id):
            if ecg_id in self._begun:
                await self._strips.end_empty(ecg_id, case_id)
                del self._begun[ecg_id]

    # ------------------------------------------------------------ a device comes and goes

    async def open(self, hello_text: str, caller: Caller) -> LiveStream:
        """Begin a stream or go on with it; raises `IngestError`, `Forbidden` or `Conflict`, changing nothing."""
        hello = parse_hello(hello_text)
        if caller.kind == "device" and hello.device not in (None, caller.id):
            raise Forbidden(
                "device_forbidden", "a device may stream only under its own name", "设备只能以自己的名义发送"
            )
        device = caller.id if caller.kind == "device" else hello.device or caller.id
        site = self._intake.site_of(hello.fields.site, caller)
        async with self._turn(device, hello.stream_id):
            known = await self._known(hello, device)
            running = self._running.get(known) if known else None
            if running is not None and running.given_up and running.attempt is not None:
                await asyncio.wait({running.attempt})  # it is being ended: come after that, not in between
                known = await self._known(hello, device)
                running = self._running.get(known) if known else None
            if known and self._strips.is_stored(known) and (running is None or running.given_up):
                return await self._stored.open(known, hello, StreamWho(device, site, caller.actor))
            await self._intake.note_device_clock(device, hello.device_clock, self._clock.now(), caller)
            if running is not None:
                if is_nameless(hello) and _are_two(hello, running.hello):
                    raise IngestError(
                        "stream_changed",
                        "age or sex differ from the first hello",
                        "a new stream_id",
                        hello.stream_id,
                    )
                return self._attach(running, OVERLAP_S if is_nameless(hello) else 0)
            self._check_empty(device)
            return self._attach(await self._begin(hello_text, hello, device, site, caller, known))

    def _check_empty(self, device: str) -> None:
        """A device that says hello again and again and sends nothing must not fill the board."""
        begun = [
            running
            for running in self._running.values()
            if running.origin.device == device and not running.state.high_water
        ]
        since = self._clock.now() - EMPTY_AFTER
        empty = sum(running.origin.started_at <= since for running in begun)
        if empty >= MOST_EMPTY or len(begun) >= MOST_BEGUN:
            raise IngestError(
                "too_many_uploads",
                "too many streams of this device have no sample yet",
                f"at most {MOST_EMPTY} for longer than {EMPTY_AFTER.total_seconds():g} s, {MOST_BEGUN} in all",
                f"{empty}, {len(begun)} and one more",
            )

    def _turn(self, device: str, stream_id: str) -> asyncio.Lock:
        """Hellos of one stream come one after the other."""
        return self._turns.setdefault((device, stream_id), asyncio.Lock())

    async def _known(self, hello: Hello, device: str) -> str | None:
        """The ECG of this stream; None for a new one. Raises `Conflict` where the id names another recording."""
        known = self._book.streams.get((device, hello.stream_id))
        if known is None:
            return None
        case_id, started = known
        if self._strips.is_over(started.ecg_id) and not self._strips.is_stored(started.ecg_id):
            return None  # it ended without a sample: its id is free again
        patient = self._book.cases[case_id].patient
        if not await self._writer.transact(lambda tx: self._same(tx, hello, started, patient)):
            raise Conflict(
                "stream_changed",
                f"stream {hello.stream_id} of this device is another recording: patient_ref, started_at, leads, "
                "rate_hz or lsb_mv differ from its first hello; choose a new stream_id for a new recording",
                "该 stream_id 已用于另一次记录(患者、开始时间、导联、采样率或分辨率不同),新的记录请使用新的 stream_id",
            )
        return started.ecg_id

    def _same(self, tx: Tx, hello: Hello, started: StreamStarted, patient: str) -> bool:
        if started.hello_mac is None:  # of a version that did not write it
            began_at = started.started.raw if started.started is not None else None
            facts = (hello.leads, hello.rate_hz, hello.started_at)
            return facts == (started.leads, started.rate_hz, began_at)
        try:
            key = self._vault.key_of(tx.conn, patient)
        except PatientKeyMissing:
            return False  # erased; nothing may be added to it
        return hmac.compare_digest(hello_mac(key, hello), started.hello_mac)

    async def _begin(
        self, text: str, hello: Hello, device: str, site: str, caller: Caller, known: str | None
    ) -> Running:
        now = self._clock.now()
        ecg_id = known or new_id("e")
        started = device_clock.judge_acquired(
            hello.started_at,
            received_at=now,
            offset=self._intake.offset_of(device),
            site_zone=self._intake.zone_of(site),
            clock=f"device:{device}",
        ).reading

        def command(tx: Tx) -> tuple[str, str]:
            if known is not None:
                case = self._casework.current(tx, self._book.case_id_of(known) or "")
                return case.case_id, case.patient
            patient, case_id, case = self._intake.episodes.place(
                tx, site=site, fields=hello.fields, actor=caller.actor
            )
            event = StreamStarted(
                ecg_id=ecg_id,
                stream_id=hello.stream_id,
                device=device,
                leads=hello.leads,
                rate_hz=hello.rate_hz,
                started=started,
                hello_mac=hello_mac(self._vault.key_of(tx.conn, patient), hello),
            )
            self._casework.write(tx, case, case_id, [event], caller.actor)
            return case_id, patient

        case_id, patient = await self._writer.transact(command)
        self._begun[ecg_id] = now
        origin = StreamOrigin(
            ecg_id=ecg_id,
            case_id=case_id,
            patient=patient,
            site=site,
            device=device,
            actor=caller.actor,
            started_at=now,
            hello=kept_hello(text),
        )
        self._segments.append(Kind.HELLO, ecg_id, msgspec.json.encode(origin))
        try:
            await asyncio.to_thread(self._segments.sync)
        except OSError as error:
            raise IngestError("not_durable", "the stream cannot be written at present") from error
        self._begun.pop(ecg_id, None)
        return self._make_running(origin)

    def _make_running(self, origin: StreamOrigin) -> Running:
        self._process.start()  # it is there when the stream is long enough to be read
        hello = parse_hello(origin.hello)
        running = Running(
            origin=origin,
            hello=hello,
            state=StreamState(hello, max_duration_s=self._settings.stream_max_s),
            ledger=AckLedger(),
            heard_at=self._clock.now(),
            new_at=self._clock.now(),
        )
        self._running[origin.ecg_id] = running
        return running

    def _attach(self, running: Running, overlap_s: int = 0) -> LiveStream:
        if running.attached is not None:
            running.attached.detach()
        if running.given_up:  # its end has failed so far, and the device is back
            running.given_up, running.failures, running.finish_after = False, 0, 0.0
            running.new_at = self._clock.now()  # it has its time anew
        running.heard_at = self._clock.now()
        answer = answer_of(running, running.ledger.acked, overlap_s, self._clock)
        stream = LiveStream(running, self._segments, self._clock, answer)
        running.attached = stream
        stream.when_detached(lambda: self._detached(running, stream))
        stream.on_samples(lambda first, stop: self._show(running, first, stop))
        stream.on_written(lambda position: self._written.append((position, running)))
        return stream

    def _detached(self, running: Running, stream: LiveStream) -> None:
        if running.attached is stream:
            running.attached = None
            running.heard_at = self._clock.now()

    async def shut_out_disabled(self) -> None:
        """Take no more from a device whose token was taken away; what came of its strip is read in its time."""
        disabled = await asyncio.to_thread(self._intake.disabled_devices)
        for running in self._running.values():
            if running.attached is not None and running.origin.device in disabled:
                running.attached.detach()

    # ------------------------------------------------------------ who looks

    def _show(self, running: Running, first: int, stop: int) -> None:
        rate_hz = running.hello.rate_hz
        if running.state.complete or stop // rate_hz > first // rate_hz:
            self._second.set()
        if self._hub.wave_wanted:
            self._hub.wave(running.origin.ecg_id, running.origin.case_id, wave_message(running, first, stop))

    def recording_so_far(self, ecg_id: str) -> Recording | None:
        """What has come of a running stream; None where it is none, or nothing came."""
        running = self._running.get(ecg_id)
        if running is None:
            return None
        try:
            return running.state.assemble()
        except IngestError:
            return None


def _are_two(one: Hello, other: Hello) -> bool:
    """Do two hellos name people who cannot be the same?"""
    said = [(one.fields.age_years, other.fields.age_years), (one.fields.sex, other.fields.sex)]
    return any(a is not None and b is not None and a != b for a, b in said)


def hello_mac(key: bytes, hello: Hello) -> str:
    """Which recording a hello begins, as it may stand in the log: whoever lacks the patient's key learns nothing."""
    return hmac.digest(key, b"greenchannel hello 1 " + recording_facts(hello), hashlib.sha256).hex()
