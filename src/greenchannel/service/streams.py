"""The shell around live devices: frames to disk and acknowledged, rolling readings, the strip read in the end."""

import asyncio
import contextlib
import functools
from collections.abc import Coroutine
from datetime import timedelta
from typing import Any

import msgspec
import structlog

from greenchannel.clock import Clock
from greenchannel.events import StreamStarted
from greenchannel.ingest import device_clock
from greenchannel.ingest.device_stream import AckLedger, Hello, StreamState, parse_hello
from greenchannel.ingest.errors import IngestError
from greenchannel.ingest.parsed import ParsedEcg
from greenchannel.ingest.segments import Kind, SegmentWriter, read_all
from greenchannel.ingest.wfdb_write import write_wfdb_zip
from greenchannel.service.book import CaseBook
from greenchannel.service.callers import Caller
from greenchannel.service.casework import Casework
from greenchannel.service.duty import STREAM_IDLE, Duty
from greenchannel.service.errors import Conflict, Forbidden
from greenchannel.service.hub import Hub
from greenchannel.service.ids import new_id
from greenchannel.service.intake import Arrival, Intake
from greenchannel.service.live_stream import LiveStream, Running, StreamOrigin, wave_message
from greenchannel.service.rolling import RollingReader
from greenchannel.service.watch import Watch
from greenchannel.settings import Settings
from greenchannel.signal.recording import Recording
from greenchannel.store.blobs import Blobs
from greenchannel.store.deadlines import Deadline
from greenchannel.store.writer import Tx, Writer

logger = structlog.get_logger(__name__)

TELL_EVERY_S = 0.9  # acknowledgements come at least once a second
TRY_AGAIN_S = 1.0  # after work on a stream has failed


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
        blobs: Blobs,
        watch: Watch,
        duty: Duty,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._writer = writer
        self._casework = casework
        self._book = book
        self._hub = hub
        self._intake = intake
        self._blobs = blobs
        self._folder = settings.data_dir / "streams"
        self._segments = SegmentWriter(self._folder)
        self._running: dict[str, Running] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._second = asyncio.Event()  # some stream has completed a second, or a reading is done
        self._rolling = RollingReader(
            intake=intake, writer=writer, casework=casework, watch=watch, at_once=settings.analysis_threads
        )
        duty.on(STREAM_IDLE, self._idle)

    # ------------------------------------------------------------ life

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
            if self._is_stored(ecg_id):
                await asyncio.to_thread(self._segments.forget, ecg_id)
                continue
            running = self._make_running(origin)
            for frame in frames.get(ecg_id, []):
                running.state.receive(frame)
            running.ledger = AckLedger(running.state.resume_from)
            await self._wait_for_device(running)

    async def stop(self) -> None:
        """Bring everything that came to disk. What is not finished goes on after the next start."""
        for running in self._running.values():
            if running.attached is not None:
                running.attached.detach()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.to_thread(self._segments.close)

    async def run(self) -> None:
        """Until cancelled: sync, acknowledge, read, finish.

        By the clock, and at once where a stream has completed another second: an infarction does not wait for a timer.
        """
        loop = asyncio.get_running_loop()
        told_at = loop.time()
        while True:
            self._second.clear()
            try:
                position = await asyncio.to_thread(self._segments.sync)
            except OSError as error:
                logger.error("streams could not be written", error=str(error))
            else:
                once_a_second = loop.time() - told_at >= TELL_EVERY_S
                told_at = loop.time() if once_a_second else told_at
                for running in list(self._running.values()):
                    self._synced(running, position, once_a_second)
                self._read_some()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._settings.segment_sync_s):
                    await self._second.wait()

    def _synced(self, running: Running, position: int, always_tell: bool) -> None:
        before = running.ledger.acked
        acked = running.ledger.synced(position)
        if acked != before or always_tell:
            running.tell({"acked": acked})
        whole = running.state.complete and acked >= (running.state.end or 0)
        if whole and not running.finishing and asyncio.get_running_loop().time() >= running.finish_after:
            running.finishing = True
            self._spawn(self._finish(running), running)

    def _read_some(self) -> None:
        for running in self._rolling.choose(self._running.values()):
            self._spawn(self._rolling.read(running), running)

    def _spawn(self, work: Coroutine[Any, Any, None], running: Running) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(functools.partial(self._done, running))

    def _done(self, running: Running, task: asyncio.Task[None]) -> None:
        """What failed is said and tried again: a strip is never left unread because one attempt went wrong."""
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            logger.error("work on a stream failed", ecg_id=running.origin.ecg_id, exc_info=error)
            running.finish_after = asyncio.get_running_loop().time() + TRY_AGAIN_S
            if running.finishing and not running.state.complete:
                self._spawn(
                    self._wait_for_device(running), running
                )  # it was cut short: its due time comes again
            running.finishing = False
        self._second.set()  # a thread is free for the next reading

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
        await self._intake.note_device_clock(device, hello.device_clock, self._clock.now())
        known = self._ecg_of(device, hello.stream_id)
        running = self._running.get(known) if known else None
        if known and running is None and self._is_stored(known):
            return self._stored(known, hello, device, site, caller)
        if running is None:
            running = await self._begin(hello_text, hello, device, site, caller, known)
        elif (hello.leads, hello.rate_hz, hello.lsb_mv) != (
            running.hello.leads,
            running.hello.rate_hz,
            running.hello.lsb_mv,
        ):
            raise Conflict(
                "stream_changed",
                f"stream {hello.stream_id} began with other leads, rate or step than this hello has",
                "该数据流的导联、采样率或分辨率与开始时不同",
            )
        return await self._attach(running)

    async def _begin(
        self, text: str, hello: Hello, device: str, site: str, caller: Caller, known: str | None
    ) -> Running:
        now = self._clock.now()
        ecg_id = known or new_id("e")
        started = None
        if hello.started_at is not None:
            offset = self._intake.offset_of(device)
            started = device_clock.correct(hello.started_at, offset, clock=f"device:{device}")

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
            )
            self._casework.write(tx, case, case_id, [event], caller.actor)
            return case_id, patient

        case_id, patient = await self._writer.transact(command)
        origin = StreamOrigin(
            ecg_id=ecg_id,
            case_id=case_id,
            patient=patient,
            site=site,
            device=device,
            actor=caller.actor,
            started_at=now,
            hello=text,
        )
        self._segments.append(Kind.HELLO, ecg_id, msgspec.json.encode(origin))
        await asyncio.to_thread(self._segments.sync)
        return self._make_running(origin)

    def _make_running(self, origin: StreamOrigin) -> Running:
        hello = parse_hello(origin.hello)
        running = Running(
            origin=origin,
            hello=hello,
            state=StreamState(hello, max_duration_s=self._settings.stream_max_s),
            ledger=AckLedger(),
        )
        self._running[origin.ecg_id] = running
        return running

    async def _attach(self, running: Running) -> LiveStream:
        older = running.attached
        if older is not None:
            older.detach()
        if running.idle_deadline is not None:
            idle, running.idle_deadline = running.idle_deadline, None
            await self._writer.transact(lambda tx: tx.cancel_deadline(idle))
        stream = LiveStream(running, self._segments, self._answer(running, running.ledger.acked))
        running.attached = stream
        stream.when_detached(lambda: self._detached(running, stream))
        stream.on_samples(lambda first, stop: self._show(running, first, stop))
        return stream

    def _answer(self, running: Running, resume_from: int) -> dict[str, Any]:
        return {
            "resume_from": resume_from,
            "server_clock": self._clock.now().isoformat(timespec="milliseconds"),
            "ecg_id": running.origin.ecg_id,
            "case_id": running.origin.case_id,
        }

    def _stored(self, ecg_id: str, hello: Hello, device: str, site: str, caller: Caller) -> LiveStream:
        """A device that comes back after its strip was stored: everything is acknowledged, the reading told again."""
        case = self._book.cases[self._book.case_id_of(ecg_id) or ""]
        ecg = case.ecg(ecg_id)
        assert ecg is not None and ecg.duration_s is not None and ecg.rate_hz is not None
        total = round(ecg.duration_s * ecg.rate_hz)
        origin = StreamOrigin(
            ecg_id=ecg_id,
            case_id=case.case_id,
            patient=case.patient,
            site=site,
            device=device,
            actor=caller.actor,
            started_at=self._clock.now(),
            hello="",
        )
        running = Running(
            origin=origin, hello=hello, state=StreamState(hello), ledger=AckLedger(total), stored=True
        )
        stream = LiveStream(running, self._segments, self._answer(running, total))
        stream.messages.put_nowait({"acked": total})
        if ecg.analysed_at is not None:
            stream.messages.put_nowait(
                analysis_message(ecg.final_tier, list(ecg.final_findings), ecg.duration_s)
            )
        return stream

    def _detached(self, running: Running, stream: LiveStream) -> None:
        if running.attached is stream:
            running.attached = None
            if not running.finishing and self._running.get(running.origin.ecg_id) is running:
                self._spawn(self._wait_for_device(running), running)

    def _show(self, running: Running, first: int, stop: int) -> None:
        rate_hz = running.hello.rate_hz
        if running.state.complete or stop // rate_hz > first // rate_hz:
            self._second.set()
        if self._hub.wave_wanted:
            self._hub.wave(running.origin.ecg_id, running.origin.case_id, wave_message(running, first, stop))

    async def _wait_for_device(self, running: Running) -> None:
        """Write down when the strip is to be read although the device never came back."""
        idle = f"idle:{running.origin.ecg_id}:{new_id('d')}"
        running.idle_deadline = idle
        due_at = self._clock.now() + timedelta(seconds=self._settings.stream_idle_s)
        with contextlib.suppress(RuntimeError):  # the writer is closing: the next start sets it anew
            await self._writer.transact(
                lambda tx: tx.set_deadline(
                    idle,
                    due_at=due_at,
                    kind=STREAM_IDLE,
                    stream=f"case:{running.origin.case_id}",
                    payload=running.origin.ecg_id.encode(),
                )
            )

    async def _idle(self, deadline: Deadline) -> None:
        taken = await self._writer.transact(lambda tx: tx.take_deadline(deadline.id))
        running = self._running.get(deadline.payload.decode())
        if taken and running is not None and running.attached is None and not running.finishing:
            running.finishing = True
            self._spawn(self._finish(running), running)

    # ------------------------------------------------------------ the strip is whole

    async def _finish(self, running: Running) -> None:
        """Store the strip as a file, read it as a file, let go of its frames."""
        origin, hello = running.origin, running.hello
        try:
            recording = running.state.assemble()
        except IngestError as error:
            logger.warning("a stream ended without samples", ecg_id=origin.ecg_id, error=str(error))
        else:
            await self._store(running, recording)
            await self._intake.read(origin.ecg_id, origin.case_id, recording)
            ecg = self._book.cases[origin.case_id].ecg(origin.ecg_id)
            if ecg is not None:
                running.tell(analysis_message(ecg.final_tier, list(ecg.final_findings), recording.duration_s))
        logger.info("stream finished", ecg_id=origin.ecg_id, device=origin.device, leads=len(hello.leads))
        self._running.pop(origin.ecg_id, None)
        await asyncio.to_thread(self._segments.forget, origin.ecg_id)

    async def _store(self, running: Running, recording: Recording) -> None:
        origin, hello, fields = running.origin, running.hello, running.hello.fields
        data = write_wfdb_zip(
            recording, lsb_mv=hello.lsb_mv, age_years=fields.age_years, sex=fields.sex, acquired=None
        )
        staged = await asyncio.to_thread(self._blobs.stage, data)
        acquired = device_clock.judge_acquired(
            hello.started_at,
            received_at=self._clock.now(),
            offset=self._intake.offset_of(origin.device),
            site_zone=self._intake.zone_of(origin.site),
            clock=f"device:{origin.device}",
        )
        arrival = Arrival(
            parsed=ParsedEcg(recording=recording, format="wfdb"),
            staged=staged,
            size_bytes=len(data),
            way="stream",
            fields=fields,
            site=origin.site,
            device=origin.device,
            acquired=acquired,
            sent=None,
            actor=origin.actor,
            ecg_id=origin.ecg_id,
        )

        def command(tx: Tx) -> None:
            case = self._casework.current(tx, origin.case_id)
            ecg = case.ecg(origin.ecg_id)
            if ecg is None or ecg.sha256 is None:
                self._intake.add(tx, arrival, case, case.patient)

        await self._writer.transact(command)

    # ------------------------------------------------------------ questions

    def recording_so_far(self, ecg_id: str) -> Recording | None:
        """What has come of a running stream; None where it is none, or nothing came."""
        running = self._running.get(ecg_id)
        if running is None:
            return None
        try:
            return running.state.assemble()
        except IngestError:
            return None

    def _ecg_of(self, device: str, stream_id: str) -> str | None:
        for running in self._running.values():
            if running.origin.device == device and running.hello.stream_id == stream_id:
                return running.origin.ecg_id
        return self._book.streams.get((device, stream_id))

    def _is_stored(self, ecg_id: str) -> bool:
        case = self._book.cases.get(self._book.case_id_of(ecg_id) or "")
        ecg = case.ecg(ecg_id) if case else None
        return ecg is not None and ecg.sha256 is not None


def analysis_message(tier: str | None, findings: list[Any], until_s: float) -> dict[str, Any]:
    """The final reading as the device hears it."""
    return {"type": "analysis", "provisional": False, "tier": tier, "findings": findings, "until_s": until_s}
