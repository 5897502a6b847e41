"""What the log knows of one ECG: a fold over its events, in whatever order they come."""

from datetime import datetime
from typing import Any

import msgspec

from greenchannel.alerts.green_channel import person_of
from greenchannel.alerts.tables import read_value
from greenchannel.events import (
    AdviceSeen,
    AlertWithheld,
    CaseSplit,
    ClockReading,
    EcgAnalysed,
    EcgNotAnalysed,
    EcgOpened,
    EcgReceived,
    Envelope,
    PatientDoubted,
    ProvisionalReading,
    ReadingOverdue,
    ReadingSigned,
    SameRecordingFound,
    StreamEndedEmpty,
    StreamStarted,
)
from greenchannel.triage.finding import Tier

UNKNOWN_TIER_RANK = len(Tier)
_RANKS = {tier.value: tier.rank for tier in Tier}  # asked for thousands of times for each board


def tier_rank(tier: str | None) -> int:
    """0 for the most urgent; an unread ECG and a tier of a newer version come after all known ones."""
    return UNKNOWN_TIER_RANK if tier is None else _RANKS.get(tier, UNKNOWN_TIER_RANK)


class SignedReading(msgspec.Struct, frozen=True, kw_only=True):
    """A doctor's reading. It stands beside the machine's and never hides it."""

    seq: int
    at: datetime
    person: str
    text: str
    tier: str
    advice: str | None = None
    agrees: bool | None = None  # with the automatic analysis; None: not said
    reason: str | None = None  # why not
    withdraws: bool = False  # the advice of earlier readings of the ECG

    @property
    def tells_clinic(self) -> bool:
        """Does it say what the clinic is to do, or not to do any more?"""
        return self.advice is not None or self.withdraws


class AdviceLook(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody of the clinic said that the advice was read."""

    seq: int
    at: datetime
    person: str


class SameAs(msgspec.Struct, frozen=True, kw_only=True):
    """The earlier ECG that holds the same samples."""

    ecg_id: str
    case_id: str  # where it was then
    format: str | None
    same_patient: bool
    overlap_s: float
    shift_s: float


class PatientDoubt(msgspec.Struct, frozen=True, kw_only=True):
    """Why a person should ask whose an ECG is."""

    at: datetime
    like_ecg_id: str
    like_case_id: str  # where it was then
    own_ecg_id: str
    like_distance: float
    own_distance: float


class Ecg(msgspec.Struct, frozen=True, kw_only=True):
    """One ECG of a case. Every field but the id is None until its event has come."""

    ecg_id: str
    sha256: str | None = None
    size_bytes: int | None = None
    way: str | None = None  # "upload" or "stream"
    format: str | None = None
    device: str | None = None
    leads: tuple[str, ...] = ()
    rate_hz: float | None = None
    duration_s: float | None = None
    electrode_set: str | None = None
    acquired: ClockReading | None = None
    sent: ClockReading | None = None
    received_at: datetime | None = None
    stream_id: str | None = None
    stream_started_at: datetime | None = None
    ended_empty_at: datetime | None = None
    provisional_tier: str | None = None
    provisional_findings: tuple[dict[str, Any], ...] = ()
    provisional_until_sample: int | None = None
    final_tier: str | None = None
    final_findings: tuple[dict[str, Any], ...] = ()
    acceptable: bool | None = None
    bad_leads: tuple[str, ...] = ()
    machine_advice: tuple[dict[str, str], ...] = ()
    software: str | None = None
    rules: str | None = None
    analysis_sha256: str | None = None
    analysed_at: datetime | None = None
    not_analysed: str | None = None  # why the machine reads nothing: "paper"
    not_analysed_at: datetime | None = None
    opened_at: datetime | None = None
    opened_by: str | None = None
    read_before_at: datetime | None = None  # by a person, in the case that it came from
    overdue_at: datetime | None = None  # it was to be read by a person before
    readings: tuple[SignedReading, ...] = ()
    advice_seen_at: datetime | None = None
    advice_seen_seq: int | None = None
    advice_looks: tuple[AdviceLook, ...] = ()
    same_as: SameAs | None = None
    alert_withheld_at: datetime | None = None  # it did not ring: the same recording had been read
    doubt: PatientDoubt | None = None
    moved_to: str | None = None  # the case that a person split it off to

    @property
    def was_read(self) -> bool:
        """Whether a person has signed a reading of it, here or in the case that it came from."""
        return bool(self.readings) or self.read_before_at is not None

    @property
    def tier(self) -> str | None:
        """The final tier; before there is one, the provisional; None while nothing was read."""
        return self.final_tier if self.final_tier is not None else self.provisional_tier

    @property
    def findings(self) -> tuple[dict[str, Any], ...]:
        """The findings that belong to `tier`."""
        return self.final_findings if self.final_tier is not None else self.provisional_findings

    @property
    def told(self) -> SignedReading | None:
        """The newest reading that told the clinic what to do, or took that back."""
        return next((one for one in reversed(self.readings) if one.tells_clinic), None)

    @property
    def standing_advice(self) -> SignedReading | None:
        """The newest reading whose advice holds; None where there was none, or it was taken back."""
        return None if self.told is None or self.told.advice is None else self.told

    def seen_of(self, reading: SignedReading) -> AdviceLook | None:
        """Who was the first to read the advice of one reading, after it was signed; None while nobody has."""
        return next((look for look in self.advice_looks if look.seq > reading.seq), None)

    @property
    def only_repeats(self) -> bool:
        """Whether all but a margin of it is in the earlier ECG that holds its samples; False where it is not known."""
        if self.same_as is None or self.duration_s is None:
            return False
        return self.same_as.overlap_s >= read_value("repeats", "covered", float) * self.duration_s

    @property
    def live(self) -> bool:
        """Whether it is a stream whose bytes have not been assembled yet."""
        return self.stream_id is not None and self.received_at is None and self.ended_empty_at is None

    @property
    def awaited(self) -> bool:
        """Whether it may still have to ring: it is live, or neither the machine nor a person has read it."""
        unread = self.awaits_machine and not self.readings
        return self.moved_to is None and (self.live or unread)

    @property
    def awaits_machine(self) -> bool:
        """Whether its bytes are there and the machine still has to read them."""
        return self.received_at is not None and self.settled_at is None

    @property
    def settled_at(self) -> datetime | None:
        """When the machine had said what it has to say: its reading, or that a person must read."""
        return self.analysed_at if self.analysed_at is not None else self.not_analysed_at

    @property
    def provisional(self) -> bool:
        """Whether `tier` may still change as the stream goes on."""
        return self.final_tier is None and self.provisional_tier is not None

    @property
    def reading(self) -> SignedReading | None:
        """The valid signed reading: the newest."""
        return self.readings[-1] if self.readings else None

    @property
    def state(self) -> str:
        """How far it is: "streaming", "received", "analysed" or "not_analysed", "opened", "diagnosed", "advised"."""
        if self.advice_seen_at is not None:
            return "advised"
        if self.readings:
            return "diagnosed"
        if self.opened_at is not None:
            return "opened"
        if self.analysed_at is not None:
            return "analysed"
        if self.not_analysed is not None:
            return "not_analysed"
        return "streaming" if self.live else "received"


ECG_EVENTS = (
    StreamStarted,
    StreamEndedEmpty,
    ProvisionalReading,
    EcgReceived,
    EcgAnalysed,
    EcgNotAnalysed,
    EcgOpened,
    ReadingSigned,
    AdviceSeen,
    SameRecordingFound,
    AlertWithheld,
    PatientDoubted,
    ReadingOverdue,
)


def fold_ecgs(ecgs: tuple[Ecg, ...], envelope: Envelope) -> tuple[Ecg, ...]:
    """Return the ECGs of a case after one event. An ECG takes its place in the list with its first event."""
    event = envelope.event
    if isinstance(event, CaseSplit):
        moved = {ecg_id: event.new_case_id for ecg_id in event.ecg_ids}
        return tuple(
            msgspec.structs.replace(ecg, moved_to=moved.get(ecg.ecg_id, ecg.moved_to)) for ecg in ecgs
        )
    if not isinstance(event, ECG_EVENTS):
        return ecgs
    known = next((ecg for ecg in ecgs if ecg.ecg_id == event.ecg_id), None)
    if known is None:
        return (*ecgs, _fold_ecg(Ecg(ecg_id=event.ecg_id), envelope))
    return tuple(_fold_ecg(ecg, envelope) if ecg is known else ecg for ecg in ecgs)


def _fold_ecg(ecg: Ecg, envelope: Envelope) -> Ecg:
    replace, at = msgspec.structs.replace, envelope.at
    match envelope.event:
        case StreamStarted() as e:
            # What the assembled strip says of itself outweighs the hello of its stream.
            if ecg.received_at is None:
                ecg = replace(ecg, way="stream", device=e.device, leads=e.leads, rate_hz=e.rate_hz)
            return replace(ecg, stream_id=e.stream_id, stream_started_at=at)
        case StreamEndedEmpty():
            return replace(ecg, ended_empty_at=at)
        case ProvisionalReading() as e:
            if ecg.provisional_until_sample is not None and e.until_sample < ecg.provisional_until_sample:
                return ecg
            return replace(
                ecg,
                provisional_tier=e.tier,
                provisional_findings=tuple(e.findings),
                provisional_until_sample=e.until_sample,
            )
        case EcgReceived() as e:
            return _received(ecg, e, at)
        case EcgAnalysed() as e:
            return replace(
                ecg,
                final_tier=e.tier,
                final_findings=tuple(e.findings),
                acceptable=e.acceptable,
                bad_leads=e.bad_leads,
                machine_advice=tuple(e.advice),
                software=e.software,
                rules=e.rules,
                analysis_sha256=e.analysis_sha256,
                analysed_at=(e.analysed_at or at) if ecg.analysed_at is None else ecg.analysed_at,
            )
        case EcgNotAnalysed() as e:
            first_said = (e.said_at or at) if ecg.not_analysed_at is None else ecg.not_analysed_at
            return replace(
                ecg,
                not_analysed=e.reason,
                not_analysed_at=first_said,
                final_tier=e.tier,
                final_findings=tuple(e.findings),
            )
        case EcgOpened() if ecg.opened_at is None:
            return replace(ecg, opened_at=at, opened_by=person_of(envelope.actor))
        case ReadingSigned() as e:
            signed = SignedReading(
                seq=envelope.seq,
                at=at,
                person=person_of(envelope.actor),
                text=e.text,
                tier=e.tier,
                advice=e.advice,
                agrees=e.agrees,
                reason=e.reason,
                withdraws=e.withdraws,
            )
            return replace(ecg, readings=(*ecg.readings, signed))
        case ReadingOverdue() if ecg.overdue_at is None:
            return replace(ecg, overdue_at=at)
        case SameRecordingFound() | AlertWithheld() | PatientDoubted() as e:
            return _doubted(ecg, e, at)
        case AdviceSeen():
            first = at if ecg.advice_seen_at is None else ecg.advice_seen_at
            look = AdviceLook(seq=envelope.seq, at=at, person=person_of(envelope.actor))
            return replace(
                ecg,
                advice_seen_at=first,
                advice_seen_seq=envelope.seq,
                advice_looks=(*ecg.advice_looks, look),
            )
        case _:
            return ecg


def _doubted(ecg: Ecg, event: SameRecordingFound | AlertWithheld | PatientDoubted, at: datetime) -> Ecg:
    """What other ECGs say of whose, and which, recording this is."""
    match event:
        case SameRecordingFound() as e:
            known = SameAs(
                ecg_id=e.of_ecg_id,
                case_id=e.of_case_id,
                format=e.of_format,
                same_patient=e.same_patient,
                overlap_s=e.overlap_s,
                shift_s=e.shift_s,
            )
            return msgspec.structs.replace(ecg, same_as=known)
        case AlertWithheld():
            return msgspec.structs.replace(ecg, alert_withheld_at=at)
        case PatientDoubted() as e:
            asked = PatientDoubt(
                at=at,
                like_ecg_id=e.like_ecg_id,
                like_case_id=e.like_case_id,
                own_ecg_id=e.own_ecg_id,
                like_distance=e.like_distance,
                own_distance=e.own_distance,
            )
            return msgspec.structs.replace(ecg, doubt=asked)


def _received(ecg: Ecg, event: EcgReceived, at: datetime) -> Ecg:
    return msgspec.structs.replace(
        ecg,
        sha256=event.sha256,
        size_bytes=event.size_bytes,
        way=event.way,
        format=event.format,
        device=event.device,
        leads=event.leads,
        rate_hz=event.rate_hz,
        duration_s=event.duration_s,
        electrode_set=event.electrode_set,
        acquired=event.acquired,
        sent=event.sent,
        received_at=(event.received_at or at) if ecg.received_at is None else ecg.received_at,
        read_before_at=event.read_before_at or ecg.read_before_at,
    )
