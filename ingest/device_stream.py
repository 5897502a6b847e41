"""The decoder of a live device: frames in, outcomes out, no I/O.

A sample's identity is its absolute index. However the strip is cut into frames, in whatever order they come, however
often, and over however many connections, the assembled recording is the same to the last bit.

A gap that a device announces is settled when the frame that announces it comes: sockets keep the order, so everything
before has come by then. Samples that turn up in it all the same are taken.
"""

import struct
from collections import deque
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from greenchannel.ingest.bounds import MAX_VALUES
from greenchannel.ingest.device_hello import Hello, parse_hello
from greenchannel.ingest.errors import IngestError
from greenchannel.ingest.ranges import RangeSet
from greenchannel.ingest.scaling import MISSING, int16_to_mv, ranges_where, ranges_without_samples
from greenchannel.signal.recording import Recording

__all__ = [
    "Accepted", "AckLedger", "Conflict", "Ended", "Gap", "Hello", "Outcome", "Refused", "Repeated", "StreamState",
    "encode_frame", "parse_hello", "stop_of",
]  # fmt: skip

HEAD: Final = struct.Struct("<IIHH")  # sequence, first_sample, samples, flags
LAST, GAP_BEFORE, PACE_PULSE, LEAD_OFF = 1, 2, 4, 8

MAX_DURATION_S: Final = 3600.0
MAX_HOLE_S: Final = 300.0
# Memory is taken for gaps too. A strip may have as long a gap as may be announced while that is 8 MB, a minute of
# gaps in any case, and then four times as many missing samples as it has samples.  [E]
FREE_VALUES: Final = 4 * 2**20
FREE_GAPS_S: Final = 60.0
MOST_GAPS: Final = 4
"""How far beyond the newest sample a frame may lie: it bounds what a lying frame can make us allocate.  [O]"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Accepted:
    """New samples ``[first, stop)`` are in the strip. They must be written down before they are acknowledged."""

    first: int
    stop: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Repeated:
    """Samples ``[first, stop)`` were here already, and are the same."""

    first: int
    stop: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Conflict:
    """Samples ``[first, stop)`` were here already with other values; the first ones are kept."""

    first: int
    stop: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Gap:
    """Before the frame, ``[first, stop)`` is not here (yet). `final`: the device says that it never will be."""

    first: int
    stop: int
    final: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Ended:
    """The last frame came, and everything before `stop` is here or is never to come."""

    stop: int


class Placed(NamedTuple):
    """A frame that may be taken, and where it belongs."""

    first: int
    stop: int
    flags: int
    steps: NDArray[np.int16]  # shape ``(samples, leads)``
    in_line: bool  # it goes on where the strip ends, and says nothing else
    known: bool  # it would change nothing
    differs: bool  # samples that are here come again with other values


@dataclass(frozen=True, kw_only=True, slots=True)
class Refused:
    """The frame changed nothing, and the connection is to be closed with this error."""

    error: IngestError


Outcome = Accepted | Repeated | Conflict | Gap | Ended | Refused


def encode_frame(sequence: int, first_sample: int, steps: NDArray[np.int16], flags: int = 0) -> bytes:
    """One binary frame as a device sends it; `steps` has the shape ``(samples, leads)``."""
    return (
        HEAD.pack(sequence, first_sample, len(steps), flags)
        + np.ascontiguousarray(steps, dtype="<i2").tobytes()
    )


def first_of(frame: bytes) -> int:
    """The first sample that a frame says it has; 0 where it is too short to say so."""
    return int(HEAD.unpack_from(frame)[1]) if len(frame) >= HEAD.size else 0


def stop_of(frame: bytes) -> int:
    """One past the last sample that a frame says it has; 0 where it is too short to say so."""
    if len(frame) < HEAD.size:
        return 0
    _, first, samples, _ = HEAD.unpack_from(frame)
    return int(first + samples)


class StreamState:
    """Everything that is known of one live strip.

    Parameters
    ----------
    hello
        What the device said.
    max_duration_s, max_hole_s
        Bounds on the strip, and on how far a frame may lie beyond the newest sample.
    """

    def __init__(
        self, hello: Hello, *, max_duration_s: float = MAX_DURATION_S, max_hole_s: float = MAX_HOLE_S
    ) -> None:
        self.hello = hello
        self._max_samples = min(int(max_duration_s * hello.rate_hz), MAX_VALUES // len(hello.leads))
        self._max_hole = int(max_hole_s * hello.rate_hz)
        least = int(FREE_GAPS_S * hello.rate_hz)
        self._free_gaps = max(least, min(self._max_hole, FREE_VALUES // len(hello.leads)))
        self._strip = np.full((0, len(hello.leads)), MISSING, dtype=np.int16)
        self._held = RangeSet()
        self._settled = RangeSet()  # held, or announced as never to come
        self._paced = RangeSet()
        self._off = RangeSet()
        self._end: int | None = None
        self._ended = False

    @classmethod
    def of_steps(cls, hello: Hello, steps: NDArray[np.int16]) -> "StreamState":
        """The state of a whole strip, of shape ``(leads, samples)``, as it was stored."""
        state = cls(hello)
        state._strip = np.ascontiguousarray(steps.T)
        for first, stop in ranges_where((steps != MISSING).any(axis=0)):
            state._held.add(first, stop)
        state._settled.add(0, steps.shape[1])
        state._end, state._ended = steps.shape[1], True
        return state

    # ------------------------------------------------------------ what is known

    @property
    def high_water(self) -> int:
        """One past the newest sample that is here."""
        return self._held.stop

    @property
    def end(self) -> int | None:
        """Length of the strip in samples, once the device has said so."""
        return self._end

    @property
    def resume_from(self) -> int:
        """First sample that is not here and may still come: where a device goes on after a reconnect."""
        stop = self.high_water if self._end is None else self._end
        return min(self._settled.first_missing, stop)

    @property
    def complete(self) -> bool:
        """Whether the device has said where the strip ends, and nothing of it is still to come."""
        return self._end is not None and self.resume_from >= self._end

    @property
    def pace_ranges(self) -> tuple[tuple[int, int], ...]:
        """Ranges within which the device reported pacing pulses; it does not say where."""
        return tuple(self._paced)

    @property
    def lead_off_ranges(self) -> tuple[tuple[int, int], ...]:
        """Ranges in which the device reported a lead off."""
        return tuple(self._off)

    # ------------------------------------------------------------ frames

    def place(self, frame: bytes, *, replayed: bool = False) -> Placed:
        """Where a frame belongs in the strip. Asking changes nothing.

        Parameters
        ----------
        replayed
            It was taken before, and is durable: it is not measured by the bound on gaps again.

        Raises
        ------
        IngestError
            Where the frame is to be refused.
        """
        first, flags, steps = self._parse(frame)
        stop = first + len(steps)
        self._check_place(first, stop, bool(flags & LAST))
        if not replayed:
            self._check_gaps(first, stop)
        # Nothing at or after `first` is here, and what is just before it is.
        in_line = first == self._held.stop and not flags
        known = not (flags or in_line) and next(self._held.missing(first, stop), None) is None
        differs = not in_line and self._differs(first, steps)
        return Placed(
            first=first, stop=stop, flags=flags, steps=steps, in_line=in_line, known=known, differs=differs
        )

    def receive(self, frame: bytes) -> list[Outcome]:
        """Take one binary frame again; what it changed, in order."""
        try:
            placed = self.place(frame, replayed=True)
        except IngestError as error:
            return [Refused(error=error)]
        return self.take(placed)

    def take(self, placed: Placed) -> list[Outcome]:
        """Take a frame that was placed just before, with nothing taken in between; what it changed, in order."""
        first, stop, flags, steps = placed.first, placed.stop, placed.flags, placed.steps
        if placed.in_line and self._end is None:
            self._grow(stop)
            self._strip[first:stop] = steps
            self._held.add(first, stop)
            self._settled.add(first, stop)
            return [Accepted(first=first, stop=stop)]
        outcomes: list[Outcome] = []
        hole = self._hole_before(first)
        if hole is not None:
            outcomes.append(Gap(first=hole, stop=first, final=bool(flags & GAP_BEFORE)))
            if flags & GAP_BEFORE:
                self._settled.add(hole, first)
        outcomes += self._store(first, steps)
        if flags & PACE_PULSE:
            self._paced.add(first, stop)
        if flags & LEAD_OFF:
            self._off.add(first, stop)
        if flags & LAST:
            self._end = stop
        if self.complete and not self._ended:
            self._ended = True
            outcomes.append(Ended(stop=self._end or 0))
        return outcomes

    def _parse(self, frame: bytes) -> tuple[int, int, NDArray[np.int16]]:
        if len(frame) < HEAD.size:
            raise IngestError(
                "bad_frame", "the frame is too short", f"at least {HEAD.size} bytes", f"{len(frame)} bytes"
            )
        _, first, samples, flags = HEAD.unpack_from(frame)
        leads = len(self.hello.leads)
        expected = HEAD.size + samples * leads * 2
        if len(frame) != expected:
            raise IngestError(
                "bad_frame",
                "the frame's length does not fit its head",
                f"{expected} bytes for {samples} samples of {leads} leads",
                f"{len(frame)} bytes",
            )
        if samples == 0 and not flags & LAST:
            raise IngestError(
                "bad_frame", "the frame is empty", "samples, or the last-frame flag", "0 samples"
            )
        steps = np.frombuffer(frame, dtype="<i2", offset=HEAD.size).reshape(samples, leads)
        return first, flags, steps

    def _hole_before(self, first: int) -> int | None:
        """Start of the hole that ends at `first`, or None where the sample before it is here."""
        holes = list(self._held.missing(0, first))
        return holes[-1][0] if holes and holes[-1][1] == first else None

    def _check_place(self, first: int, stop: int, last: bool) -> None:
        if stop > self._max_samples:
            raise IngestError(
                "bad_frame",
                "the strip grows too long",
                f"at most {self._max_samples} samples",
                f"sample {stop}",
            )
        if first - self.high_water > self._max_hole:
            raise IngestError(
                "bad_frame",
                "the frame lies too far beyond the newest sample",
                f"first_sample of at most {self.high_water + self._max_hole}",
                str(first),
            )
        if self._end is not None and (stop > self._end or (last and stop != self._end)):
            raise IngestError(
                "bad_frame", "the strip has ended before", f"samples before {self._end}", f"sample {stop}"
            )
        if last and stop < self.high_water:
            raise IngestError(
                "bad_frame",
                "the last frame ends before the newest sample",
                f"{self.high_water} or more",
                str(stop),
            )

    def _check_gaps(self, first: int, stop: int) -> None:
        held = self._held.count
        gaps = max(stop, self.high_water) - held - max(stop - first, 0)
        if gaps > self._free_gaps + MOST_GAPS * held:
            raise IngestError(
                "bad_frame",
                "the strip would be little else than gaps",
                f"at most {self._free_gaps} samples and {MOST_GAPS} times those that are here",
                f"{gaps} that are not",
            )

    def differs(self, frame: bytes) -> bool:
        """Has a frame other values for samples that are here? Also of one that reaches beyond the end."""
        first, _, steps = self._parse(frame)
        return self._differs(first, steps)

    def _differs(self, first: int, steps: NDArray[np.int16]) -> bool:
        return any(
            not np.array_equal(self._strip[start:until], steps[start - first : until - first])
            for start, until in self._held.within(first, first + len(steps))
        )

    def _store(self, first: int, steps: NDArray[np.int16]) -> list[Outcome]:
        stop = first + len(steps)
        outcomes: list[Outcome] = []
        for start, until in self._held.within(first, stop):
            same = np.array_equal(self._strip[start:until], steps[start - first : until - first])
            outcomes.append(Repeated(first=start, stop=until) if same else Conflict(first=start, stop=until))
        fresh = list(self._held.missing(first, stop))
        if fresh:
            self._grow(stop)
        for start, until in fresh:
            self._strip[start:until] = steps[start - first : until - first]
            outcomes.append(Accepted(first=start, stop=until))
        self._held.add(first, stop)
        self._settled.add(first, stop)
        return outcomes

    def _grow(self, stop: int) -> None:
        size = len(self._strip)
        if stop <= size:
            return
        new = np.full(
            (min(max(stop, 2 * size, 4096), self._max_samples), self._strip.shape[1]), MISSING, dtype=np.int16
        )
        new[:size] = self._strip
        self._strip = new

    # ------------------------------------------------------------ samples

    def steps(self, first: int, stop: int) -> NDArray[np.int16]:
        """A copy of the raw samples ``[first, stop)``, shape ``(leads, samples)``; −32768 where none is here."""
        stop = min(stop, self.high_water if self._end is None else self._end)
        out = np.full((self._strip.shape[1], max(stop - first, 0)), MISSING, dtype=np.int16)
        held = self._strip[first:stop]
        out[:, : len(held)] = held.T
        return out

    def excerpt(self, first: int, stop: int) -> Recording:
        """The samples ``[first, stop)`` as a recording: what a rolling reading looks at.

        Raises
        ------
        IngestError
            ``empty_body`` where there is not one sample.
        """
        steps = self.steps(first, stop)
        if not (steps != MISSING).any():
            raise IngestError("empty_body", "the strip has no samples", "at least one sample", "none")
        samples_mv = int16_to_mv(steps, self.hello.lsb_mv)
        return Recording(
            samples_mv=samples_mv,
            leads=self.hello.leads,
            rate_hz=self.hello.rate_hz,
            started_at=self.hello.started_at if first == 0 else None,
            gaps=ranges_without_samples(samples_mv),
            electrode_set=self.hello.fields.electrode_set or "standard",
        )

    def assemble(self) -> Recording:
        """The whole strip as it is now; what is not here is NaN and stands in `Recording.gaps`.

        The samples are those that `greenchannel.ingest.wfdb_write.write_wfdb_zip` and the reader give back.

        Raises
        ------
        IngestError
            ``empty_body`` where there is not one sample.
        """
        return self.excerpt(0, self.high_water if self._end is None else self._end)


class AckLedger:
    """Which sample may be acknowledged: never one that is not on disk.

    The shell calls `appended` after it has given a frame to the write-ahead segments, and `synced` after these have
    reached the disk.
    """

    def __init__(self, durable: int = 0) -> None:
        self.acked = durable
        """First sample that is not durable: what the device is told."""
        self.reached = durable
        """One past the newest sample that is durable, whatever is missing before it."""
        self._waiting: deque[tuple[int, int, int]] = deque()

    def appended(self, position: int, resume_from: int, high_water: int = 0) -> None:
        """Everything before sample `resume_from` has been written up to `position`, not yet to the disk; with holes,
        everything before `high_water`."""
        self._waiting.append((position, resume_from, max(high_water, resume_from)))

    def synced(self, position: int) -> int:
        """Everything up to `position` is on disk; the new value of `acked`, which never goes back."""
        while self._waiting and self._waiting[0][0] <= position:
            _, resume_from, high_water = self._waiting.popleft()
            self.acked = max(self.acked, resume_from)
            self.reached = max(self.reached, high_water)
        return self.acked
