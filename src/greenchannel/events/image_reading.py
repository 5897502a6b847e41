"""Reading a study of images: its clock, who has it, the report, critical results, what went back.

They stand on a stream of the study's own, `image_stream`; `ImageResultReturned` alone stands on its case. What a person
wrote or said stands in `sealed`, under a key that goes with the patient (`service/imaging/reading_words.py`); in events
of before in clear.
"""

from typing import Any, Final

from greenchannel.events.base import Aware, Event

_IMAGE: Final = "image:"


def image_stream(study_uid: str) -> str:
    """Name of the stream on which the reading of a study is written."""
    return _IMAGE + study_uid


def study_of(stream: str) -> str | None:
    """The study of a stream; None for a stream of another kind."""
    return stream[len(_IMAGE) :] if stream.startswith(_IMAGE) else None


class ImageReadingWanted(Event, frozen=True, kw_only=True):
    """A study waits to be read; again where its clock became shorter."""

    study_uid: str
    site: str | None  # None: unknown
    case_id: str | None
    clock: str  # a row of the table of clocks
    started_at: Aware
    due_at: Aware
    arrival_unknown: bool
    critical: bool  # STAT, or a critical indication of the request
    shares: tuple[float, ...]  # of the time, at which it is escalated; rising, the last is 1


class ImageMarkedStat(Event, frozen=True, kw_only=True):
    """A clinician said that it must be read first, whatever the request says."""

    person: str
    reason: str
    sealed: str | None = None  # its words, where they do not stand in clear


class ImageDetected(Event, frozen=True, kw_only=True):
    """What a detector said of the study, or why it said nothing; it may only raise the order."""

    plugin: str
    version: str
    status: str  # "unvalidated", "silent", "enabled": as the site had it then
    raised: bool | None  # None: not analysed
    reason: str | None = None
    evidence: dict[str, Any] | None = None  # numbers with their units in the names


class ImageClaimed(Event, frozen=True, kw_only=True):
    """A person reads it now; its clock runs on."""

    person: str


class ImageReleased(Event, frozen=True, kw_only=True):
    """Whoever had it gave it back unread."""

    person: str


class ImageReportDrafted(Event, frozen=True, kw_only=True):
    """A report that is not signed: for its writer alone, and no result."""

    person: str
    findings: str
    impression: str
    template: str | None = None
    critical: tuple[str, ...] = ()  # codes of critical results, ticked so far
    provisional: bool = False
    sealed: str | None = None  # its words, where they do not stand in clear


class ImageReportSigned(Event, frozen=True, kw_only=True):
    """The report of a study; what comes later is an addendum."""

    report_id: str
    person: str
    findings: str
    impression: str
    critical: tuple[str, ...]  # codes of critical results
    provisional: bool  # written in the time of the clock, to be confirmed
    template: str | None = None
    sealed: str | None = None  # its words, where they do not stand in clear


class ImageAddendumSigned(Event, frozen=True, kw_only=True):
    """What a doctor adds to a signed report, which stays as it is."""

    report_id: str
    person: str
    text: str
    reason: str  # a code: "addition", "correction", "confirmation"
    critical: tuple[str, ...] = ()  # codes that this adds
    sealed: str | None = None  # its words, where they do not stand in clear


class ImageCriticalTold(Event, frozen=True, kw_only=True):
    """A critical result was told to somebody who can act, or it was tried."""

    call_id: str
    person: str  # who told
    report_ids: tuple[str, ...]  # the reports and addenda that were told
    to_role: str
    to_person: str | None  # user id; None: somebody without an account
    way: str  # "phone", "in_person", "video"
    told_at: Aware
    reached: bool
    read_back: str | None = None  # what the other side said back
    read_back_right: bool = False
    note: str | None = None
    sealed: str | None = None  # its words, where they do not stand in clear


class ImageCriticalOverdue(Event, frozen=True, kw_only=True):
    """A critical result was not told and read back in time."""

    report_id: str
    due_at: Aware
    times: int  # 1 for the first time


class ImageConfirmationOverdue(Event, frozen=True, kw_only=True):
    """A provisional report was not confirmed in time."""

    report_id: str
    due_at: Aware
    times: int  # 1 for the first time


class ImageResultSeen(Event, frozen=True, kw_only=True):
    """Somebody of the clinic has the result before their eyes."""

    person: str
    report_id: str


class ImageShared(Event, frozen=True, kw_only=True):
    """Another member of the network may use the study and its result: nobody has to be examined twice."""

    person: str
    site: str
    reason: str
    sealed: str | None = None  # its words, where they do not stand in clear


class ImageReadingGone(Event, frozen=True, kw_only=True):
    """There is nothing to be read any more: the patient was erased."""

    reason: str  # "erased"


class ImageResultReturned(Event, frozen=True, kw_only=True):
    """On the case: a report or an addendum of one of its studies is there."""

    study_uid: str
    report_id: str
    critical: bool
    addendum: bool
    provisional: bool
    modality: str | None = None
