"""The vocabulary of the log: one frozen record for each thing that can happen.

An event is never changed once it is in the log; its field names are part of the stored format. New facts get new
fields with defaults or new records. Events carry pseudonyms only: no name, phone or identity number.
Everything that the service shows is a fold over `Envelope`s.
"""

from datetime import datetime
from typing import Annotated, Any

import msgspec


def _snake(name: str) -> str:
    return "".join("_" + c.lower() if c.isupper() else c for c in name).lstrip("_")


class Event(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag=_snake):
    """Base of all events. The wire and storage name is the class name in snake case."""


# Checked when read, and so when written: the log reads back each event before it takes it.
Aware = Annotated[datetime, msgspec.Meta(tz=True)]


class ClockReading(msgspec.Struct, frozen=True, kw_only=True):
    """An instant together with the clock it was read from."""

    at: Aware  # corrected where an offset is known
    clock: str  # "server", "device:<id>", "person", "paper"
    raw: Aware | None = None  # what the clock itself said, where that differs
    offset_s: float | None = None  # clock minus server, as estimated; None: never compared
    uncertainty_s: float | None = None  # half width; None: unknown
    zone_assumed: bool = False  # what was read has no zone, that of its site was taken


# ---------------------------------------------------------------- case


class CaseOpened(Event, frozen=True, kw_only=True):
    """A patient episode begins."""

    case_id: str
    site: str
    patient: str  # pseudonym
    arrival_mode: int | None = None  # national codes 1-4, None unknown
    note: str | None = None  # shown beside the case, e.g. that its date was not reported


class ContextEntered(Event, frozen=True, kw_only=True):
    """What a person or a file said of the patient; None changes nothing."""

    age_years: float | None = None
    sex: str | None = None
    chest_pain: bool | None = None
    onset: ClockReading | None = None
    vitals: dict[str, Any] | None = None  # numbers only
    history: str | None = None  # no longer written: free text is sealed beside the log
    history_given: bool | None = None
    arrival_mode: int | None = None
    note: str | None = None  # what a file says otherwise than a person, and was not taken
    from_file: tuple[str, ...] = ()  # which of `age_years` and `sex` a file said
    disputed: tuple[
        str, ...
    ] = ()  # which of them files of the case say differently: unknown, until a person says it


class StreamStarted(Event, frozen=True, kw_only=True):
    """A device began to send a live ECG."""

    ecg_id: str
    stream_id: str
    device: str
    leads: tuple[str, ...]
    rate_hz: float
    started: ClockReading | None = None
    hello_mac: str | None = None  # of what tells one recording from another, under the patient's own key


class StreamEndedEmpty(Event, frozen=True, kw_only=True):
    """A live ECG ended without one sample: nothing of it will come any more."""

    ecg_id: str


class ProvisionalReading(Event, frozen=True, kw_only=True):
    """The tier of a running stream changed. Findings as in the analyze object."""

    ecg_id: str
    tier: str
    findings: list[dict[str, Any]]
    until_sample: int


class EcgReceived(Event, frozen=True, kw_only=True):
    """The original bytes of one ECG are durable."""

    ecg_id: str
    sha256: str
    size_bytes: int
    way: str  # "upload" or "stream"
    format: str  # "dicom", "wfdb", "stream", …; of a paper ECG "jpeg", "png", "heic", "pdf"
    device: str | None
    leads: tuple[str, ...]  # none of a paper ECG
    rate_hz: float | None  # None: a paper ECG has no samples
    duration_s: float | None
    electrode_set: str = "standard"
    acquired: ClockReading | None = None
    acquired_raw: str | None = None  # as the file has it, kept even where it is nonsense
    acquired_problem: str | None = None  # why `acquired` is unknown: "missing", "dead_clock", "future"
    sent: ClockReading | None = None  # start of the upload or of the stream
    received_at: Aware | None = (
        None  # None: with this event; given where it is carried over from another case
    )


class EcgAnalysed(Event, frozen=True, kw_only=True):
    """The final reading of one ECG; the whole analyze object is kept under its own hash beside the log."""

    ecg_id: str
    tier: str
    findings: list[dict[str, Any]]
    acceptable: bool
    bad_leads: tuple[str, ...]
    advice: list[dict[str, str]]  # prompts to the clinic: {"zh", "en"}
    software: str
    rules: str
    analysis_sha256: str
    analysed_at: Aware | None = (
        None  # None: with this event; given where it is carried over from another case
    )


class EcgNotAnalysed(Event, frozen=True, kw_only=True):
    """The machine does not read this ECG; a person must. Findings as in the analyze object."""

    ecg_id: str
    tier: str
    reason: str  # "paper"
    findings: list[dict[str, Any]]
    said_at: Aware | None = None  # None: with this event; given where it is carried over from another case


class EcgOpened(Event, frozen=True, kw_only=True):
    """A person looked at the ECG for the first time."""

    ecg_id: str


class ReadingSigned(Event, frozen=True, kw_only=True):
    """A doctor's reading; the newest is the valid one, earlier ones stay."""

    ecg_id: str
    text: str
    tier: str
    advice: str | None = None


class AdviceSeen(Event, frozen=True, kw_only=True):
    """The clinic has read the advice."""

    ecg_id: str


class IdentityConflictRaised(Event, frozen=True, kw_only=True):
    """The same bytes, or the same samples in another format, came for another patient of the same site; a person must
    look."""

    sha256: str
    existing_ecg_id: str
    ecg_id: str | None = None  # the ECG of this case, where both are kept; None: what came was refused


class SameRecordingFound(Event, frozen=True, kw_only=True):
    """An ECG holds the samples of an earlier one of the same site, in other bytes. Both are kept."""

    ecg_id: str
    of_ecg_id: str
    of_case_id: str
    of_format: str | None
    same_patient: bool  # False: it was sent for another patient than the earlier one
    overlap_s: float
    shift_s: float  # where its first sample lies on the time axis of the earlier one


class AlertWithheld(Event, frozen=True, kw_only=True):
    """An ECG of a paging tier does not ring: it is the recording that was read before, and is no news."""

    ecg_id: str
    of_ecg_id: str
    tier: str


class PatientDoubted(Event, frozen=True, kw_only=True):
    """An ECG fits another patient's and none of its own patient's; a person must look. Nothing is moved."""

    ecg_id: str
    like_ecg_id: str
    like_case_id: str
    own_ecg_id: str  # the nearest of its own patient's
    like_distance: float  # of `signal.heart_shape`
    own_distance: float


class IdentityChecked(Event, frozen=True, kw_only=True):
    """A person looked whose the ECGs of a case are; what was asked before is answered."""

    note: str


# ---------------------------------------------------------------- alert


class PlanStep(msgspec.Struct, frozen=True, kw_only=True):
    """One step of an escalation plan, frozen when the alert opens."""

    after_s: float  # from the opening of the alert
    role: str
    people: tuple[str, ...]  # user ids
    channels: tuple[str, ...]  # "live", later more


class AlertOpened(Event, frozen=True, kw_only=True):
    """Somebody must look now."""

    alert_id: str
    tier: str
    ecg_id: str
    rules: tuple[str, ...]
    plan: tuple[PlanStep, ...]


class AlertRaised(Event, frozen=True, kw_only=True):
    """A later ECG of the episode confirms or raises an open alert; it does not ring again."""

    alert_id: str
    tier: str
    ecg_id: str
    rules: tuple[str, ...]


class AlertSent(Event, frozen=True, kw_only=True):
    """The alert was handed to one channel of one person."""

    alert_id: str
    person: str
    channel: str
    step: int


class AlertDelivered(Event, frozen=True, kw_only=True):
    """The person's device said that it has the alert."""

    alert_id: str
    person: str
    channel: str


class AlertAcknowledged(Event, frozen=True, kw_only=True):
    """A person answered; escalation stops."""

    alert_id: str
    person: str


class AlertDeclined(Event, frozen=True, kw_only=True):
    """A person on the plan cannot take it; the next step is due now."""

    alert_id: str
    person: str
    reason: str | None = None


class AlertHandedOver(Event, frozen=True, kw_only=True):
    """The person who had acknowledged gave it to another."""

    alert_id: str
    person: str
    to_person: str


class AlertEscalated(Event, frozen=True, kw_only=True):
    """A step of the plan fell due with nobody having answered."""

    alert_id: str
    step: int


class AlertExhausted(Event, frozen=True, kw_only=True):
    """The last step passed without an answer; the clinic is told to use its fallback."""

    alert_id: str


# ---------------------------------------------------------------- green channel


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """One duty of one role once the channel is open. Texts come from the site's templates, by `kind`."""

    task_id: str
    kind: str
    role: str


class GreenChannelOpened(Event, frozen=True, kw_only=True):
    """A person opened the chest-pain green channel; all tasks are given out at once."""

    channel_id: str
    tasks: tuple[Task, ...]


class GreenChannelStoodDown(Event, frozen=True, kw_only=True):
    """A person cancelled the green channel."""

    channel_id: str
    reason: str


class TaskAccepted(Event, frozen=True, kw_only=True):
    """The role has taken the task."""

    task_id: str
    person: str


class TaskDone(Event, frozen=True, kw_only=True):
    """The task is finished."""

    task_id: str
    person: str


# ---------------------------------------------------------------- milestones, end


class MilestoneRecorded(Event, frozen=True, kw_only=True):
    """One value of one milestone from one source; another value of the same source is a correction with a note."""

    milestone: str
    time: ClockReading
    source: str
    key: str | None = None  # the person or dose, where the milestone repeats
    note: str | None = None
    correction: bool = False
    said_at: Aware | None = None  # None: with this event; given, with `said_by`, where it is carried over
    said_by: str | None = None  # the actor who entered it first


class CaseClosed(Event, frozen=True, kw_only=True):
    """Nothing more is expected of this case."""

    reason: str


class CaseMerged(Event, frozen=True, kw_only=True):
    """A person found that this case is the same episode as another; both are kept."""

    into_case_id: str


class CaseSplit(Event, frozen=True, kw_only=True):
    """A person found that these ECGs belong to another case."""

    ecg_ids: tuple[str, ...]
    new_case_id: str


# ---------------------------------------------------------------- device, system


class DeviceClockMeasured(Event, frozen=True, kw_only=True):
    """The offset of a device's clock against the server's, estimated at one contact."""

    device: str
    offset_s: float  # device minus server
    uncertainty_s: float


class ClockReportMade(Event, frozen=True, kw_only=True):
    """The clocks of all devices as they stood after a week, the worst first."""

    week: str  # ISO, "2026-W48"
    starts: Aware
    ends: Aware
    devices: list[dict[str, Any]]  # as `ingest.clock_report` gives them


class PatientErased(Event, frozen=True, kw_only=True):
    """The key of a patient was destroyed; names and original files of this patient cannot be read any more."""

    patient: str
    reason: str


AnyEvent = (
    CaseOpened
    | ContextEntered
    | StreamStarted
    | StreamEndedEmpty
    | ProvisionalReading
    | EcgReceived
    | EcgAnalysed
    | EcgNotAnalysed
    | EcgOpened
    | ReadingSigned
    | AdviceSeen
    | IdentityConflictRaised
    | SameRecordingFound
    | AlertWithheld
    | PatientDoubted
    | IdentityChecked
    | AlertOpened
    | AlertRaised
    | AlertSent
    | AlertDelivered
    | AlertAcknowledged
    | AlertDeclined
    | AlertHandedOver
    | AlertEscalated
    | AlertExhausted
    | GreenChannelOpened
    | GreenChannelStoodDown
    | TaskAccepted
    | TaskDone
    | MilestoneRecorded
    | CaseClosed
    | CaseMerged
    | CaseSplit
    | DeviceClockMeasured
    | ClockReportMade
    | PatientErased
)


class Envelope(msgspec.Struct, frozen=True, kw_only=True):
    """One event in its place in the log."""

    seq: int  # 1, 2, 3 … without gaps
    stream: str  # "case:<id>", "device:<id>", "system"
    version: int  # place within the stream, 1, 2, 3 …
    at: datetime  # server's instant of the append, aware, UTC
    clock: str  # name of the clock `at` was read from
    actor: str  # "user:<id>", "device:<id>", "service"
    event: AnyEvent

    @property
    def case_id(self) -> str | None:
        """The case this belongs to, or None for a stream of another kind."""
        kind, _, name = self.stream.partition(":")
        return name if kind == "case" else None


def case_stream(case_id: str) -> str:
    """Name of a case's stream."""
    return f"case:{case_id}"
