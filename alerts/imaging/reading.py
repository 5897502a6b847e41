"""The reading of one study as it stands: a fold over the events of its stream."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

import msgspec

from greenchannel.alerts.alert_state import Alert, fold_alerts
from greenchannel.events import (
    AlertDelivered,
    Envelope,
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
    ImageResultSeen,
    ImageShared,
    ImageStudyMoved,
    study_of,
)

_ENABLED: Final = "enabled"  # the status of a detector whose word moves a study


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody has written and not signed."""

    person: str
    at: datetime
    findings: str
    impression: str
    template: str | None
    critical: tuple[str, ...] = ()
    provisional: bool = False
    sealed: str | None = None  # given: its texts are in there


class Signed(msgspec.Struct, frozen=True, kw_only=True):
    """A signed text: the report, or an addendum to it."""

    report_id: str
    seq: int
    person: str
    at: datetime
    findings: str
    impression: str  # of an addendum its whole text
    critical: tuple[str, ...]
    provisional: bool
    template: str | None
    addendum: str | None = None  # why it was added; None: it is the report
    sealed: str | None = None  # given: its texts are in there
    moved_at: datetime | None = None  # signed for another case: when the study was moved to this one

    @property
    def due_from(self) -> datetime:
        """Since when those who care for the patient can, and must, be told."""
        return self.moved_at or self.at


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """A critical result told, or tried to be told."""

    call_id: str
    at: datetime  # when it was written down
    said: ImageCriticalTold

    @property
    def closed(self) -> bool:
        """Did somebody hear it and say it back right?"""
        words = bool(self.said.read_back) or self.said.sealed is not None
        return self.said.reached and self.said.read_back_right and words


class Move(msgspec.Struct, frozen=True, kw_only=True):
    """A person found that the study is of another case."""

    at: datetime
    actor: str
    from_case_id: str
    to_case_id: str
    signed: int  # how many texts were signed before it
    calls: int  # how many calls were made before it: they told somebody of another patient


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """One study's reading after the event `seq`."""

    study_uid: str
    site: str | None
    case_id: str | None
    wanted_at: datetime
    clock: ImageReadingWanted  # the newest
    seq: int
    version: int
    stat_by: str | None = None
    stat_reason: str | None = None
    stat_sealed: str | None = None  # given: the reason is in there
    claimed_by: str | None = None
    claimed_at: datetime | None = None
    detected: tuple[ImageDetected, ...] = ()  # the newest word of each detector
    raised: tuple[ImageDetected, ...] = ()  # of each enabled detector that raised it, the newest such word
    drafts: tuple[Draft, ...] = ()  # of each person the newest
    signed: tuple[Signed, ...] = ()  # the report, then its addenda
    calls: tuple[Call, ...] = ()
    overdue: tuple[str, ...] = ()  # ids of what was not told in time
    overdue_times: int = 0
    overdue_at: tuple[tuple[str, datetime], ...] = ()  # of each of these ids when that was said last
    unconfirmed_said_at: datetime | None = None  # when it was said last that its report waits to be confirmed
    seen_by: tuple[tuple[str, str, datetime], ...] = ()  # person, report id, when
    alerts: tuple[Alert, ...] = ()
    heard: tuple[
        tuple[str, datetime], ...
    ] = ()  # person, when a page of theirs last said that it has the ring
    gone: bool = False  # there is nothing to be read any more
    shared_with: tuple[str, ...] = ()  # sites that may use study and result beside its own
    moves: tuple[Move, ...] = ()  # from case to case, oldest first

    @property
    def sites(self) -> tuple[str, ...]:
        """Whose it is: the site's own, and those that it was shared with."""
        return self.shared_with if self.site is None else (self.site, *self.shared_with)

    @property
    def report(self) -> Signed | None:
        """The report; None while there is none."""
        return self.signed[0] if self.signed else None

    @property
    def state(self) -> str:
        """ "waiting", "claimed", "provisional" or "final"."""
        if self.report is None:
            return "waiting" if self.claimed_by is None else "claimed"
        before = self.moves[-1].signed if self.moves else 0
        asked = self.report.provisional or before > 0
        confirmed = any(one.addendum == "confirmation" for one in self.signed[max(before, 1) :])
        return "provisional" if asked and not confirmed else "final"

    @property
    def carried(self) -> tuple[Signed, ...]:
        """What was signed for another case and is not confirmed for this one."""
        signed = self.signed[: self.moves[-1].signed] if self.moves else ()
        return signed if self.state == "provisional" else ()

    @property
    def needs_another(self) -> bool:
        """Must another person than its writer confirm the report? Not where its study alone was moved."""
        confirmed = any(one.addendum == "confirmation" for one in self.signed)
        return self.report is not None and self.report.provisional and not confirmed

    @property
    def is_open(self) -> bool:
        """Whether somebody still has to do something: report, confirm, or tell."""
        return not self.gone and (self.state != "final" or bool(self.untold))

    @property
    def critical(self) -> tuple[str, ...]:
        """Every critical result that any signed text names, each once."""
        return tuple(dict.fromkeys(code for one in self.signed for code in one.critical))

    @property
    def untold(self) -> tuple[Signed, ...]:
        """Signed texts with critical results that nobody has heard and said back."""
        if self.gone:
            return ()
        made = self.calls[self.moves[-1].calls :] if self.moves else self.calls
        told = {name for call in made if call.closed for name in call.said.report_ids}
        return tuple(one for one in self.signed if one.critical and one.report_id not in told)

    def draft_of(self, person: str) -> Draft | None:
        """What this person has written and not signed."""
        return next((one for one in self.drafts if one.person == person), None)

    @property
    def standing(self) -> tuple[ImageDetected, ...]:
        """What holds of each detector: a later look, in silence or of another version, never lowers what was raised."""
        raised = {one.plugin: one for one in self.raised}
        return tuple(raised.get(one.plugin, one) for one in self.detected)

    @property
    def alert(self) -> Alert | None:
        """The call for its report."""
        return self.alerts[-1] if self.alerts else None

    def alert_of(self, alert_id: str) -> Alert | None:
        """The alert of this id, or None."""
        return next((one for one in self.alerts if one.alert_id == alert_id), None)


def fold(reading: Reading | None, envelope: Envelope) -> Reading | None:
    """Return the reading after one more event of the log; events of other streams, and those folded already, change
    nothing. None until a reading is wanted."""
    event, at = envelope.event, envelope.at
    study_uid = study_of(envelope.stream)
    if study_uid is None:
        return reading
    if reading is None:
        return _wanted(envelope, event) if isinstance(event, ImageReadingWanted) else None
    if study_uid != reading.study_uid or envelope.version <= reading.version:
        return reading
    reading = msgspec.structs.replace(
        reading, seq=envelope.seq, version=envelope.version, alerts=fold_alerts(reading.alerts, envelope)
    )
    replace = msgspec.structs.replace
    match event:
        case ImageReadingWanted() if (
            reading.gone
        ):  # sent again after its patient was erased: nothing is left of before
            return _wanted(envelope, event)
        case ImageReadingWanted():
            return replace(reading, clock=event, case_id=event.case_id or reading.case_id)
        case ImageMarkedStat() if reading.stat_by is None:
            return replace(reading, stat_by=event.person, stat_reason=event.reason, stat_sealed=event.sealed)
        case ImageDetected():
            after = replace(reading, detected=_newest(reading.detected, event))
            raises = event.status == _ENABLED and event.raised is True
            return replace(after, raised=_newest(reading.raised, event)) if raises else after
        case ImageClaimed():
            return replace(reading, claimed_by=event.person, claimed_at=at)
        case ImageReleased():
            return replace(reading, claimed_by=None, claimed_at=None)
        case ImageReportDrafted():
            draft = Draft(
                person=event.person,
                at=at,
                findings=event.findings,
                impression=event.impression,
                template=event.template,
                critical=event.critical,
                provisional=event.provisional,
                sealed=event.sealed,
            )
            kept = tuple(one for one in reading.drafts if one.person != event.person)
            return replace(reading, drafts=(*kept, draft))
        case ImageCriticalTold():
            return replace(reading, calls=(*reading.calls, Call(call_id=event.call_id, at=at, said=event)))
        case ImageCriticalOverdue():
            ids = tuple(dict.fromkeys((*reading.overdue, event.report_id)))
            others = tuple(pair for pair in reading.overdue_at if pair[0] != event.report_id)
            said = (*others, (event.report_id, at))
            return replace(reading, overdue=ids, overdue_times=event.times, overdue_at=said)
        case ImageConfirmationOverdue():
            return replace(reading, unconfirmed_said_at=at)
        case AlertDelivered(channel="live"):
            others = tuple(pair for pair in reading.heard if pair[0] != event.person)
            return replace(reading, heard=(*others, (event.person, at)))
        case ImageReadingGone():
            return replace(reading, gone=True)
        case ImageStudyMoved():
            return _moved(reading, event, envelope)
        case ImageShared():
            return replace(reading, shared_with=tuple(dict.fromkeys((*reading.shared_with, event.site))))
        case ImageResultSeen():
            return replace(reading, seen_by=(*reading.seen_by, (event.person, event.report_id, at)))
        case ImageReportSigned() | ImageAddendumSigned():
            return replace(reading, drafts=(), signed=(*reading.signed, _signed(event, envelope)))
        case _:
            return reading


def fold_all(envelopes: Iterable[Envelope]) -> Reading | None:
    """Fold the events of one stream."""
    reading: Reading | None = None
    for envelope in envelopes:
        reading = fold(reading, envelope)
    return reading


def _newest(said: tuple[ImageDetected, ...], event: ImageDetected) -> tuple[ImageDetected, ...]:
    return (*(one for one in said if one.plugin != event.plugin), event)


def _wanted(envelope: Envelope, event: ImageReadingWanted) -> Reading:
    return Reading(
        study_uid=event.study_uid,
        site=event.site,
        case_id=event.case_id,
        wanted_at=envelope.at,
        clock=event,
        seq=envelope.seq,
        version=envelope.version,
    )


def _moved(reading: Reading, event: ImageStudyMoved, envelope: Envelope) -> Reading:
    """What was signed, told, seen and shared was so for another patient: it stays written, and is asked for anew."""
    move = Move(
        at=envelope.at,
        actor=envelope.actor,
        from_case_id=event.from_case_id,
        to_case_id=event.to_case_id,
        signed=len(reading.signed),
        calls=len(reading.calls),
    )
    return msgspec.structs.replace(
        reading,
        case_id=event.to_case_id,
        moves=(*reading.moves, move),
        signed=tuple(msgspec.structs.replace(one, moved_at=envelope.at) for one in reading.signed),
        overdue=(),
        overdue_times=0,
        overdue_at=(),
        unconfirmed_said_at=None,
        seen_by=(),
        shared_with=(),
    )


def _signed(event: ImageReportSigned | ImageAddendumSigned, envelope: Envelope) -> Signed:
    at, seq = envelope.at, envelope.seq
    if isinstance(event, ImageAddendumSigned):
        return Signed(
            report_id=event.report_id,
            seq=seq,
            person=event.person,
            at=at,
            findings="",
            impression=event.text,
            critical=event.critical,
            provisional=False,
            template=None,
            addendum=event.reason,
            sealed=event.sealed,
        )
    return Signed(
        report_id=event.report_id,
        seq=seq,
        person=event.person,
        at=at,
        findings=event.findings,
        impression=event.impression,
        critical=event.critical,
        provisional=event.provisional,
        template=event.template,
        sealed=event.sealed,
    )
