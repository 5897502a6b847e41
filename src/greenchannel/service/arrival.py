"""An ECG whose bytes are complete, before it has a place; and what its sender is told."""

from dataclasses import dataclass
from datetime import datetime

from greenchannel.events import ClockReading, EcgReceived
from greenchannel.ingest.device_clock import ClockOffset, JudgedTime
from greenchannel.ingest.fields import UploadFields
from greenchannel.ingest.paper import Paper
from greenchannel.ingest.parsed import ParsedEcg
from greenchannel.service.same_recordings import Look
from greenchannel.store.blobs import StagedBlob
from greenchannel.triage.electrode_sets import true_leads


@dataclass(frozen=True, kw_only=True, slots=True)
class UploadAnswer:
    """What the sender of an ECG is told."""

    ecg_id: str
    case_id: str
    sha256: str
    state: str  # "received", "analysed"; of a paper ECG "not_analysed"
    duplicate: bool
    same_as: str | None = None  # the earlier ECG that has the same samples in other bytes
    dropped: tuple[str, ...] = ()  # names of the fields that could not be kept, or not whole


@dataclass(frozen=True, kw_only=True, slots=True)
class Arrival:
    """One ECG whose bytes are complete, before it has a place."""

    parsed: ParsedEcg | Paper
    staged: StagedBlob
    size_bytes: int
    way: str
    fields: UploadFields
    site: str
    device: str | None
    acquired: JudgedTime
    sent: ClockReading | None
    actor: str
    ecg_id: str | None = None  # a stream has its id from its start
    look: Look | None = None  # for the same recording among those that came before
    drill_until: datetime | None = None  # given: it opens a drill
    measured: ClockOffset | None = None  # how far the device's own clock is off, as it said beside the ECG

    def received(self, ecg_id: str) -> EcgReceived:
        """The event of its arrival."""
        recording = self.parsed.recording if isinstance(self.parsed, ParsedEcg) else None
        in_file = "standard" if recording is None else recording.electrode_set
        electrode_set = self.fields.electrode_set or in_file
        return EcgReceived(
            ecg_id=ecg_id,
            sha256=self.staged.sha256,
            size_bytes=self.size_bytes,
            way=self.way,
            format="stream" if self.way == "stream" else self.parsed.format,
            device=self.device,
            leads=() if recording is None else true_leads(recording.leads, electrode_set)[0],
            rate_hz=None if recording is None else recording.rate_hz,
            duration_s=None if recording is None else recording.duration_s,
            electrode_set=electrode_set,
            acquired=self.acquired.reading,
            acquired_raw=None if self.acquired.raw is None else self.acquired.raw.isoformat(),
            acquired_problem=self.acquired.problem,
            sent=self.sent,
        )
