"""The vocabulary of the log: one frozen record for each thing that can happen.

An event is never changed once it is in the log; its field names are part of the stored format. New facts get new
fields with defaults or new records. Events carry pseudonyms only: no name, phone or identity number.
Everything that the service shows is a fold over `Envelope`s.
"""

from datetime import datetime
from typing import Final

import msgspec

from greenchannel.events.alert import (
    AlertAcknowledged,
    AlertDeclined,
    AlertDelivered,
    AlertEscalated,
    AlertExhausted,
    AlertHandedOver,
    AlertOpened,
    AlertRaised,
    AlertRearmed,
    AlertSeen,
    AlertSent,
    AlertUnreachable,
    PlanStep,
    ReadingOverdue,
    Ring,
)
from greenchannel.events.base import Aware, ClockReading, Event
from greenchannel.events.care import (
    CaseClosed,
    CaseMerged,
    CaseSplit,
    EtaGiven,
    FactRecorded,
    FollowUpDone,
    FollowUpOverdue,
    FollowUpPlanned,
    GreenChannelOpened,
    GreenChannelProposed,
    GreenChannelStoodDown,
    MilestoneRecorded,
    Task,
    TaskAccepted,
    TaskDone,
)
from greenchannel.events.case import (
    AdviceSeen,
    AlertWithheld,
    CaseOpened,
    ContextEntered,
    EcgAnalysed,
    EcgNotAnalysed,
    EcgOpened,
    EcgReceived,
    IdentityChecked,
    IdentityConflictRaised,
    PatientDoubted,
    ProvisionalReading,
    ReadingSigned,
    SameRecordingFound,
    StreamEndedEmpty,
    StreamStarted,
)
from greenchannel.events.duty import AuditorSpoke, ChannelTested, DutyStarted, RosterChanged, ShiftInDoubt
from greenchannel.events.image_reading import (
    ImageAddendumSigned,
    ImageClaimed,
    ImageConfirmationOverdue,
    ImageCriticalOverdue,
    ImageCriticalTold,
    ImageDetected,
    ImageMarkedStat,
    ImageReadingGone,
    ImageReadingWanted,
    ImageReleased,
    ImageReportDrafted,
    ImageReportSigned,
    ImageResultReturned,
    ImageResultSeen,
    ImageShared,
    image_stream,
    study_of,
)
from greenchannel.events.imaging import (
    ImageOrderCancelled,
    ImageOrdered,
    ImagePatientDoubted,
    ImageRefused,
    ImageStudyMoved,
    ImageStudyReceived,
    ImageStudySettled,
)
from greenchannel.events.system import ClockReportMade, DeviceClockMeasured, PatientErased

__all__ = [
    "AdviceSeen",
    "AlertAcknowledged",
    "AlertDeclined",
    "AlertDelivered",
    "AlertEscalated",
    "AlertExhausted",
    "AlertHandedOver",
    "AlertOpened",
    "AlertRaised",
    "AlertRearmed",
    "AlertSeen",
    "AlertSent",
    "AlertUnreachable",
    "AlertWithheld",
    "AnyEvent",
    "AuditorSpoke",
    "Aware",
    "CaseClosed",
    "CaseMerged",
    "CaseOpened",
    "CaseSplit",
    "ChannelTested",
    "ClockReading",
    "ClockReportMade",
    "ContextEntered",
    "DeviceClockMeasured",
    "DutyStarted",
    "EcgAnalysed",
    "EcgNotAnalysed",
    "EcgOpened",
    "EcgReceived",
    "Envelope",
    "EtaGiven",
    "Event",
    "FactRecorded",
    "FollowUpDone",
    "FollowUpOverdue",
    "FollowUpPlanned",
    "GreenChannelOpened",
    "GreenChannelProposed",
    "GreenChannelStoodDown",
    "IdentityChecked",
    "IdentityConflictRaised",
    "ImageAddendumSigned",
    "ImageClaimed",
    "ImageConfirmationOverdue",
    "ImageCriticalOverdue",
    "ImageCriticalTold",
    "ImageDetected",
    "ImageMarkedStat",
    "ImageOrderCancelled",
    "ImageOrdered",
    "ImagePatientDoubted",
    "ImageReadingGone",
    "ImageReadingWanted",
    "ImageRefused",
    "ImageReleased",
    "ImageReportDrafted",
    "ImageReportSigned",
    "ImageResultReturned",
    "ImageResultSeen",
    "ImageShared",
    "ImageStudyMoved",
    "ImageStudyReceived",
    "ImageStudySettled",
    "MilestoneRecorded",
    "PatientDoubted",
    "PatientErased",
    "PlanStep",
    "ProvisionalReading",
    "ReadingOverdue",
    "ReadingSigned",
    "Ring",
    "RosterChanged",
    "SameRecordingFound",
    "ShiftInDoubt",
    "StreamEndedEmpty",
    "StreamStarted",
    "Task",
    "TaskAccepted",
    "TaskDone",
    "case_stream",
    "image_stream",
    "study_of",
]

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
    | AlertSeen
    | AlertUnreachable
    | AlertRearmed
    | ReadingOverdue
    | GreenChannelProposed
    | EtaGiven
    | FollowUpPlanned
    | FollowUpDone
    | FollowUpOverdue
    | RosterChanged
    | DutyStarted
    | ChannelTested
    | ShiftInDoubt
    | AuditorSpoke
    | FactRecorded
    | ImageAddendumSigned
    | ImageClaimed
    | ImageConfirmationOverdue
    | ImageCriticalOverdue
    | ImageCriticalTold
    | ImageDetected
    | ImageMarkedStat
    | ImageReadingGone
    | ImageReadingWanted
    | ImageReleased
    | ImageReportDrafted
    | ImageReportSigned
    | ImageResultReturned
    | ImageResultSeen
    | ImageShared
    | ImageStudyMoved
    | ImageStudyReceived
    | ImageStudySettled
    | ImagePatientDoubted
    | ImageRefused
    | ImageOrdered
    | ImageOrderCancelled
)


_CASE: Final = "case:"


class Envelope(msgspec.Struct, frozen=True, kw_only=True):
    """One event in its place in the log."""

    seq: int  # 1, 2, 3 … without gaps
    stream: str  # "case:<id>", "image:<study>", "device:<id>", "system"
    version: int  # place within the stream, 1, 2, 3 …
    at: datetime  # server's instant of the append, aware, UTC
    clock: str  # name of the clock `at` was read from
    actor: str  # "user:<id>", "device:<id>", "service"
    event: AnyEvent

    @property
    def case_id(self) -> str | None:
        """The case this belongs to, or None for a stream of another kind."""
        return self.stream[len(_CASE) :] if self.stream.startswith(_CASE) else None


def case_stream(case_id: str) -> str:
    """Name of a case's stream."""
    return _CASE + case_id
