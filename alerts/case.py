"""The case: everything the board shows of one patient episode, folded from its events.

`fold` is pure: the same events give the same case, in one go or one by one; events of other cases and events that
were already folded change nothing.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import msgspec

from greenchannel.alerts.alert_state import Alert, fold_alerts
from greenchannel.alerts.ecg_state import Ecg, fold_ecgs, tier_rank
from greenchannel.alerts.eta import Eta, fold_etas
from greenchannel.alerts.facts import FactValue, fold_facts
from greenchannel.alerts.followup_state import FollowUp, fold_followups
from greenchannel.alerts.green_channel import GreenChannel, TaskState, fold_channel, person_of
from greenchannel.alerts.milestones import MilestoneValue, derive
from greenchannel.events import (
    AlertEscalated,
    AlertExhausted,
    AlertOpened,
    AlertRearmed,
    AlertSent,
    AlertUnreachable,
    CaseClosed,
    CaseMerged,
    CaseOpened,
    ClockReading,
    ContextEntered,
    Envelope,
    FollowUpOverdue,
    FollowUpPlanned,
    IdentityChecked,
    IdentityConflictRaised,
    ImagePatientDoubted,
    ImageRefused,
    ImageResultReturned,
    ImageStudyMoved,
    ReadingOverdue,
)

BY_THE_CLOCK = (
    AlertSent,
    AlertEscalated,
    AlertExhausted,
    AlertUnreachable,
    AlertRearmed,
    ReadingOverdue,
    FollowUpPlanned,
    FollowUpOverdue,
)
"""What the service does because time passes. It does not prolong an episode: an alert that nobody answers rings on for
days, and an ECG of the day after is another one."""


class Context(msgspec.Struct, frozen=True, kw_only=True):
    """What was said of the patient; None where nobody said anything."""

    age_years: float | None = None
    sex: str | None = None
    chest_pain: bool | None = None
    onset: ClockReading | None = None
    vitals: dict[str, Any] | None = None
    history: str | None = None  # of events of before free text was sealed
    history_given: bool | None = None
    from_file: frozenset[str] = frozenset()  # which of age and sex nobody but a file said
    disputed: frozenset[str] = frozenset()  # which of them files said differently: unknown

    def after(self, said: ContextEntered) -> "Context":
        """What is known after more was said; what files say differently is unknown until a person says it."""
        names = ("age_years", "sex", "chest_pain", "onset", "vitals", "history", "history_given")
        new = {name: getattr(said, name) for name in names if getattr(said, name) is not None}
        disputed = (self.disputed - (new.keys() - set(said.from_file))) | set(said.disputed)
        from_file = (self.from_file - new.keys()) | set(said.from_file)
        return msgspec.structs.replace(
            self, **new | dict.fromkeys(disputed), from_file=from_file - disputed, disputed=disputed
        )


class IdentityConflict(msgspec.Struct, frozen=True, kw_only=True):
    """The same bytes came for another patient, or images name another one; a person must look."""

    at: datetime
    sha256: str
    existing_ecg_id: str | None = None  # None: it is about images
    ecg_id: str | None = None  # the ECG of this case, where both are kept
    study_uid: str | None = None  # of images: the study of this case
    differs: tuple[str, ...] = ()  # of images that were taken: in what; none: they were refused


class IdentityCheck(msgspec.Struct, frozen=True, kw_only=True):
    """A person looked whose the ECGs are."""

    at: datetime
    person: str
    note: str


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """One patient episode as it stands after the event `seq`."""

    case_id: str
    site: str
    patient: str  # pseudonym
    arrival_mode: int | None
    note: str | None
    opened_at: datetime
    last_event_at: datetime  # but for what time alone brought
    seq: int
    version: int
    state: str = "open"  # "open", "closed", "merged"
    closed_at: datetime | None = None
    close_reason: str | None = None
    merged_into: str | None = None
    context: Context = Context()
    ecgs: tuple[Ecg, ...] = ()
    alerts: tuple[Alert, ...] = ()  # oldest first; more than one only where an answered one was outranked
    channel: GreenChannel = GreenChannel()
    values: tuple[MilestoneValue, ...] = ()
    followups: tuple[FollowUp, ...] = ()
    facts: tuple[FactValue, ...] = ()  # all that was said, oldest first
    etas: tuple[Eta, ...] = ()  # all that was said, oldest first
    conflicts: tuple[IdentityConflict, ...] = ()
    identity_check: IdentityCheck | None = None  # the newest
    history: tuple[Envelope, ...] = ()
    drill_until: datetime | None = None  # given: no patient but a drill, which ends by then

    @property
    def is_drill(self) -> bool:
        """Whether it is practice: it says so wherever it is shown, and counts nowhere."""
        return self.drill_until is not None

    @property
    def current_ecgs(self) -> tuple[Ecg, ...]:
        """The ECGs of this case, without those that a person split off."""
        return tuple(ecg for ecg in self.ecgs if ecg.moved_to is None)

    @property
    def distinct_ecgs(self) -> tuple[Ecg, ...]:
        """The ECGs of this case without those that only repeat one of them, in another format, no more urgent."""
        here = {ecg.ecg_id: ecg for ecg in self.current_ecgs}
        return tuple(ecg for ecg in here.values() if not _repeats(ecg, here))

    @property
    def repeats(self) -> dict[str, str]:
        """ECGs that hold nothing but the samples of another ECG, and which that is."""
        return {
            ecg.ecg_id: ecg.same_as.ecg_id
            for ecg in self.ecgs
            if ecg.same_as is not None and ecg.only_repeats
        }

    def asks_identity(self, at: datetime) -> bool:
        """Does what was found at an instant still wait for a person to look whose it is?"""
        return self.identity_check is None or self.identity_check.at < at

    @property
    def worst_ecg(self) -> Ecg | None:
        """The ECG with the highest surviving machine tier; among equals the newest. None before any ECG."""
        ecgs = self.distinct_ecgs
        return min(reversed(ecgs), key=lambda ecg: tier_rank(ecg.tier)) if ecgs else None

    @property
    def tier(self) -> str | None:
        """The highest tier of any ECG's machine reading, and of any alert that no person has settled; None before both.

        A machine cannot take back what it rang for: where a stream's final reading is milder than the provisional one
        that paged somebody, the case keeps its tier until a person has signed or stood down. A signed reading's tier
        is shown beside this one and never takes its place.
        """
        worst = self.worst_ecg
        tiers = [worst.tier] if worst is not None else []
        tiers += [alert.tier for alert in self.alerts if not self._settled_by_a_person(alert)]
        return min(tiers, key=tier_rank, default=None)

    def _settled_by_a_person(self, alert: Alert) -> bool:
        stood_down_at = self.channel.stood_down_at
        if alert.open or (stood_down_at is not None and stood_down_at >= alert.opened_at):
            return not alert.open
        rang = [ecg for ecg in self.ecgs if ecg.ecg_id in alert.ecg_ids]
        return any(ecg.readings for ecg in rang) or all(ecg.moved_to is not None for ecg in rang)

    @property
    def alert(self) -> Alert | None:
        """The one alert that counts now: the newest."""
        return self.alerts[-1] if self.alerts else None

    @property
    def tasks(self) -> tuple[TaskState, ...]:
        """The tasks of the newest green channel."""
        return self.channel.tasks

    @property
    def diagnosed_at(self) -> datetime | None:
        """The first signed human reading of any of its ECGs."""
        return min((r.at for ecg in self.current_ecgs for r in ecg.readings), default=None)

    def ecg(self, ecg_id: str) -> Ecg | None:
        """The ECG of this id, or None."""
        return next((ecg for ecg in self.ecgs if ecg.ecg_id == ecg_id), None)

    def alert_of(self, alert_id: str) -> Alert | None:
        """The alert of this id, or None."""
        return next((alert for alert in self.alerts if alert.alert_id == alert_id), None)


def fold(case: Case | None, envelope: Envelope) -> Case:
    """Return the case after one more event of the log.

    Parameters
    ----------
    case : Case or None
        The case so far; None before its first event.
    envelope : Envelope
        The next event. One of another stream, or one that was folded already, changes nothing.

    Raises
    ------
    ValueError
        `case` is None and the event is not the opening of a case.
    """
    if case is None:
        return _opened(envelope)
    if envelope.case_id != case.case_id or envelope.seq <= case.seq:
        return case
    case = msgspec.structs.replace(
        case,
        values=(*case.values, *derive(envelope, case.ecgs, case.channel)),
        ecgs=fold_ecgs(case.ecgs, envelope),
        alerts=fold_alerts(case.alerts, envelope, case.repeats),
        channel=fold_channel(case.channel, envelope),
        followups=fold_followups(case.followups, envelope),
        etas=fold_etas(case.etas, envelope),
        facts=fold_facts(case.facts, envelope),
        history=(*case.history, envelope),
        last_event_at=case.last_event_at if isinstance(envelope.event, BY_THE_CLOCK) else envelope.at,
        seq=envelope.seq,
        version=envelope.version,
    )
    return _fold_rest(case, envelope)


def fold_all(envelopes: Iterable[Envelope]) -> Case:
    """Fold a log: the case that its first case event opens, unmoved by the events of all others.

    Raises
    ------
    ValueError
        There is no case event, or the first is not the opening of a case.
    """
    case: Case | None = None
    for envelope in envelopes:
        if case is not None or envelope.case_id is not None:
            case = fold(case, envelope)
    if case is None:
        raise ValueError("expected the events of a case, got none")
    return case


def _repeats(ecg: Ecg, here: Mapping[str, Ecg]) -> bool:
    original = None if ecg.same_as is None or not ecg.only_repeats else here.get(ecg.same_as.ecg_id)
    return original is not None and tier_rank(original.tier) <= tier_rank(ecg.tier)


def _opened(envelope: Envelope) -> Case:
    event = envelope.event
    if not isinstance(event, CaseOpened) or envelope.case_id != event.case_id:
        raise ValueError(
            f"expected case_opened as the first event of a case, got {type(event).__name__} in {envelope.stream}"
        )
    return Case(
        case_id=event.case_id,
        site=event.site,
        patient=event.patient,
        arrival_mode=event.arrival_mode,
        note=event.note,
        drill_until=event.drill_until,
        opened_at=envelope.at,
        last_event_at=envelope.at,
        seq=envelope.seq,
        version=envelope.version,
        history=(envelope,),
    )


def _fold_rest(case: Case, envelope: Envelope) -> Case:
    replace = msgspec.structs.replace
    match envelope.event:
        case ContextEntered() as e:
            mode = case.arrival_mode if e.arrival_mode is None else e.arrival_mode
            return replace(case, context=case.context.after(e), arrival_mode=mode)
        case IdentityConflictRaised() as e:
            conflict = IdentityConflict(
                at=envelope.at, sha256=e.sha256, existing_ecg_id=e.existing_ecg_id, ecg_id=e.ecg_id
            )
            return replace(case, conflicts=(*case.conflicts, conflict))
        case ImagePatientDoubted() | ImageRefused(reason="other_patient") as e:
            differs = e.differs if isinstance(e, ImagePatientDoubted) else ()
            conflict = IdentityConflict(
                at=envelope.at, sha256=e.sha256, study_uid=e.study_uid, differs=differs
            )
            return replace(case, conflicts=(*case.conflicts, conflict))
        case ImageStudyMoved() as e if e.from_case_id == case.case_id:
            return _without_study(case, e.study_uid)
        case IdentityChecked() as e:
            check = IdentityCheck(at=envelope.at, person=person_of(envelope.actor), note=e.note)
            return replace(case, identity_check=check)
        case AlertOpened() if case.state != "open":
            # Commands refuse to end what may still ring. Should one ring all the same, it must not ring unseen.
            return replace(case, state="open", closed_at=None, close_reason=None, merged_into=None)
        case CaseClosed() as e:
            return replace(case, state="closed", closed_at=envelope.at, close_reason=e.reason)
        case CaseMerged() as e:
            return replace(case, state="merged", closed_at=envelope.at, merged_into=e.into_case_id)
        case _:
            return case


def _without_study(case: Case, study_uid: str) -> Case:
    """The case after a study left it: nobody asks whose it is any more, and its result is no time of this case."""
    returned = {
        one.seq
        for one in case.history
        if isinstance(one.event, ImageResultReturned) and one.event.study_uid == study_uid
    }
    return msgspec.structs.replace(
        case,
        conflicts=tuple(one for one in case.conflicts if one.study_uid != study_uid),
        values=tuple(one for one in case.values if one.seq not in returned),
    )
