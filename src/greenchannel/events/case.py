"""The case, its ECGs, and whose they are."""

from typing import Any

from greenchannel.events.base import Aware, ClockReading, Event


class CaseOpened(Event, frozen=True, kw_only=True):
    """A patient episode begins."""

    case_id: str
    site: str
    patient: str  # pseudonym
    arrival_mode: int | None = None  # national codes 1-4, None unknown
    note: str | None = None  # shown beside the case, e.g. that its date was not reported
    drill_until: Aware | None = None  # given: no patient but a drill, which ends by then


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
    read_before_at: Aware | None = None  # a person had signed a reading of it in the case it is carried from


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
    agrees: bool | None = None  # with the automatic analysis; None: not said
    reason: str | None = None  # why not
    withdraws: bool = False  # the advice of earlier readings of this ECG does not hold any more


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
