"""One running stream: its decoder, what of it is durable, and the socket that is attached to it now."""

import asyncio
import base64
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import msgspec

from greenchannel.clock import Clock
from greenchannel.ingest.device_stream import Accepted, AckLedger, Hello, StreamState, first_of, stop_of
from greenchannel.ingest.errors import IngestError
from greenchannel.ingest.ranges import RangeSet
from greenchannel.ingest.segments import Kind, SegmentWriter
from greenchannel.signal.cases import Known
from greenchannel.signal.standing import Standing
from greenchannel.triage.finding import Patient


class StreamOrigin(msgspec.Struct, frozen=True, kw_only=True):
    """Where a stream belongs; written beside its hello, so that a restart can finish it."""

    ecg_id: str
    case_id: str
    patient: str
    site: str
    device: str
    actor: str
    started_at: datetime  # server's instant of the first hello
    hello: str  # what `kept_hello` leaves of it


@dataclass(kw_only=True, slots=True, eq=False)
class Running:
    """A stream whose strip is not stored yet. It outlives its sockets."""

    origin: StreamOrigin
    hello: Hello
    state: StreamState
    ledger: AckLedger
    heard_at: datetime  # of the device, by the desk's clock
    new_at: datetime  # samples that were not here yet came
    attached: "LiveStream | None" = None
    readable_until: int = (
        0  # last sample on the grid of whole seconds that is durable; 0: too few are for a reading
    )
    measured_until: int = 0  # sample up to which a rolling reading was made
    analysed_until: int = 0  # sample up to which there is one, or was found to stand
    standing: Standing | None = None  # what the newest reading says to later seconds; None: they must be read
    read_for: Patient | None = None  # what that reading knew of the patient
    reading_told: dict[str, Any] | None = None  # the newest reading, as the device was told it
    looking: bool = False
    known: Known | None = None  # of filters and cables, which need not be looked at in every reading
    known_s: int = 0  # up to which second the window reached that told it
    rolled_until: int = 0  # sample up to which they have looked, a reading under way among them
    rewritten: int = 0  # how often samples came before that one, within a gap that the device had announced
    acked_told: int = 0  # what the device was told last,
    told_at: float = 0.0  # and when, by the event loop's clock
    provisional_tier: str | None = None
    reading: bool = False
    given_up: bool = False  # silent for too long: what came is the strip, and nothing more is taken
    attempt: "asyncio.Task[None] | None" = None  # at storing and reading the strip
    failures: int = 0  # of such attempts, one after the other
    finish_after: float = 0.0  # by the event loop's clock: not before then, after an attempt that failed
    stored: bool = False  # the strip is a file now; whatever is sent again changes nothing

    @property
    def finishing(self) -> bool:
        """Is the strip being stored and read at this moment?"""
        return self.attempt is not None and not self.attempt.done()

    def accepted(self, first: int) -> None:
        """New samples begin at `first`; readings that went past it are made from what is there now."""
        if first < self.rolled_until:
            self.known = self.standing = None
            self.rewritten += 1

    def tell(self, message: dict[str, Any]) -> None:
        """Hand a message to the device, where one is connected."""
        if self.attached is not None:
            self.attached.messages.put_nowait(message)


OVER: Final[dict[str, Any]] = {}
"""Among a stream's messages: no more come."""


class LiveStream:
    """One socket's view of a stream. The newest socket counts; frames from an older one are refused."""

    def __init__(
        self, running: Running, segments: SegmentWriter, clock: Clock, answer: dict[str, Any]
    ) -> None:
        self.answer = answer
        self.messages: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.running = running
        # Of a stored strip whose hello names nobody: told once its last samples have come again as they were.
        self.untold: list[dict[str, Any]] = []
        self._shown = RangeSet()
        self._segments = segments
        self._clock = clock
        self._on_detach: list[Any] = []
        self._on_samples: list[Any] = []
        self._on_written: list[Any] = []

    @property
    def done(self) -> bool:
        """Is the whole strip durable?"""
        state = self.running.state
        return self.running.stored or (state.complete and self.running.ledger.acked >= (state.end or 0))

    def check_attached(self) -> None:
        """Raise `IngestError` where this connection is not the stream's any more, and its strip is not stored."""
        if self.running.attached is not self and not self.running.stored:
            raise _stale("a newer connection has taken over this stream, or its device was disabled")

    def when_detached(self, callback: Any) -> None:
        """Have `callback` called once when this socket goes."""
        self._on_detach.append(callback)

    def on_samples(self, callback: Any) -> None:
        """Have `callback(first, stop)` called for new samples."""
        self._on_samples.append(callback)

    def on_written(self, callback: Any) -> None:
        """Have `callback(position)` called whenever a frame waits to become durable."""
        self._on_written.append(callback)

    def receive(self, frame: bytes) -> None:
        """Take one frame; raises `IngestError` where it is refused, having changed nothing."""
        running = self.running
        if running.stored and not running.given_up:
            self._check_repeat(frame)
            return
        if running.given_up or running.attached is not self:
            raise _stale("a newer connection has taken over this stream, or it was silent for too long")
        placed = running.state.place(frame)
        if placed.differs:
            raise _changed()
        running.heard_at = self._clock.now()
        if placed.known:
            return
        running.new_at = running.heard_at
        # Written first: a frame that the decoder held while the segments refused it would be a repeat ever after,
        # and acknowledged without being on disk.
        position = self._segments.append(Kind.FRAME, running.origin.ecg_id, frame)
        outcomes = running.state.take(placed)
        running.ledger.appended(position, running.state.resume_from, running.state.high_water)
        for callback in self._on_written:
            callback(position)
        for outcome in outcomes:
            if isinstance(outcome, Accepted):
                running.accepted(outcome.first)
                for callback in self._on_samples:
                    callback(outcome.first, outcome.stop)

    def _check_repeat(self, frame: bytes) -> None:
        """Of a stored strip only what is in it can come again; more is another recording."""
        total, stop = self.running.ledger.acked, stop_of(frame)
        if self.untold:
            if self.running.state.differs(frame):
                raise _changed()
            self._shown.add(first_of(frame), min(stop, total))
            if next(self._shown.missing(self.answer["resume_from"], total), None) is None:
                while self.untold:
                    self.messages.put_nowait(self.untold.pop(0))
                return  # what it has beyond the end is not acknowledged
        if stop > total:
            raise _stale(f"the strip was stored with {total} samples and takes no more")

    def detach(self) -> None:
        """The socket is gone, or its stream is another's; the stream waits for the device to come back."""
        for callback in self._on_detach:
            callback()
        self._on_detach.clear()
        self.messages.put_nowait(OVER)


def _changed() -> IngestError:
    return IngestError(
        "stream_changed",
        "samples that are here already came again with other values: this is another recording",
        "a new stream_id for a new recording",
        "the stream_id of one that is here",
    )


def _stale(message: str) -> IngestError:
    return IngestError("stale_session", message, "a hello on a new connection first", "a frame")


def wave_message(running: Running, first: int, stop: int) -> dict[str, Any]:
    """New samples for those who watch, lead by lead."""
    steps = running.state.steps(first, stop)
    return {
        "type": "wave",
        "ecg_id": running.origin.ecg_id,
        "case_id": running.origin.case_id,
        "rate_hz": running.hello.rate_hz,
        "leads": list(running.hello.leads),
        "first_sample": first,
        "lsb_mv": running.hello.lsb_mv,
        "samples": base64.b64encode(steps.astype("<i2").tobytes()).decode(),
    }
