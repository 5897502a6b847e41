"""A device that comes back after its strip was stored: all is acknowledged, and the reading told again."""

from typing import Any, Final, NamedTuple

from greenchannel.clock import Clock
from greenchannel.ingest.device_hello import is_nameless
from greenchannel.ingest.device_stream import AckLedger, Hello, StreamState
from greenchannel.ingest.segments import SegmentWriter
from greenchannel.service.book import CaseBook
from greenchannel.service.live_stream import LiveStream, Running, StreamOrigin
from greenchannel.service.strip import Strips, analysis_message

OVERLAP_S: Final = 2
"""Samples that a recording of nobody and of no time must show again, before it counts as the one that is here.  [E]"""


class StreamWho(NamedTuple):
    """Who sends."""

    device: str
    site: str
    actor: str


class StoredStreams:
    """Connections of devices whose strips are files."""

    def __init__(self, book: CaseBook, strips: Strips, segments: SegmentWriter, clock: Clock) -> None:
        self._book = book
        self._strips = strips
        self._segments = segments
        self._clock = clock

    async def open(self, ecg_id: str, hello: Hello, who: StreamWho) -> LiveStream:
        """A connection that takes no new sample. Where the hello does not say whose recording it is, nothing is
        acknowledged before its last samples have shown that they are those of the strip."""
        case = self._book.cases[self._book.case_id_of(ecg_id) or ""]
        ecg = case.ecg(ecg_id)
        assert ecg is not None and ecg.duration_s is not None and ecg.rate_hz is not None
        total, now = round(ecg.duration_s * ecg.rate_hz), self._clock.now()
        origin = StreamOrigin(
            ecg_id=ecg_id,
            case_id=case.case_id,
            patient=case.patient,
            site=who.site,
            device=who.device,
            actor=who.actor,
            started_at=now,
            hello="",
        )
        told: list[dict[str, Any]] = [{"acked": total}]
        if ecg.analysed_at is not None:
            told.append(analysis_message(ecg.final_tier, list(ecg.final_findings), ecg.duration_s))
        state, overlap_s = StreamState(hello), 0
        if is_nameless(hello):
            steps = await self._strips.steps(ecg, case.patient, hello)
            state, overlap_s = StreamState.of_steps(hello, steps), OVERLAP_S
        running = Running(
            origin=origin,
            hello=hello,
            state=state,
            ledger=AckLedger(total),
            heard_at=now,
            new_at=now,
            stored=True,
        )
        stream = LiveStream(
            running, self._segments, self._clock, answer_of(running, total, overlap_s, self._clock)
        )
        if overlap_s:
            stream.untold = told
        else:
            for message in told:
                stream.messages.put_nowait(message)
        return stream


def answer_of(running: Running, acked: int, overlap_s: int, clock: Clock) -> dict[str, Any]:
    """What a hello is answered with."""
    return {
        "resume_from": max(0, acked - round(overlap_s * running.hello.rate_hz)),
        "server_clock": clock.now().isoformat(timespec="milliseconds"),
        "ecg_id": running.origin.ecg_id,
        "case_id": running.origin.case_id,
    }
