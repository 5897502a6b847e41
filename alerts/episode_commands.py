"""What a person may do when cases and episodes do not match: merge two, or split one. Pure decisions."""

import hashlib
from collections.abc import Iterable, Sequence
from typing import Any

from greenchannel.alerts.alert_commands import find_ecg, require_unmerged
from greenchannel.alerts.alert_state import Alert
from greenchannel.alerts.case import Case
from greenchannel.alerts.channel_commands import require_open
from greenchannel.alerts.drill import require_real
from greenchannel.alerts.ecg_state import Ecg, tier_rank
from greenchannel.alerts.escalation import call
from greenchannel.alerts.escalation_plan import EscalationSettings
from greenchannel.alerts.escalation_table import Phase
from greenchannel.alerts.facts import carried as carried_facts
from greenchannel.alerts.milestones import MilestoneValue
from greenchannel.alerts.record_commands import require_answered, require_read
from greenchannel.alerts.refusal import Refused
from greenchannel.events import (
    AlertAcknowledged,
    AlertHandedOver,
    AlertOpened,
    AlertRaised,
    AlertWithheld,
    AnyEvent,
    CaseMerged,
    CaseOpened,
    CaseSplit,
    ClockReading,
    ContextEntered,
    EcgAnalysed,
    EcgNotAnalysed,
    EcgReceived,
    IdentityChecked,
    MilestoneRecorded,
    PatientDoubted,
    PlanStep,
    SameRecordingFound,
)

MOVED_NOTE = "病例合并或拆分时带入 / carried over when cases were merged or split"

# Times that the log set and that do not go over as they are: those of alerts go with the alert, the onset with what was
# said of the patient, and a cancelled channel stays where it was.
_NOT_CARRIED = frozenset({"ALERT_SENT", "ALERT_ACK", "GREEN_CANCEL", "ONSET"})
_MACHINE_SOURCES = frozenset({"device", "server"})


def merge(case: Case, into: Case) -> tuple[list[AnyEvent], list[AnyEvent]]:
    """A person found that `case` is the same episode as `into`.

    Returns the events of `case` and those of `into`. Both are kept; `into` gets the ECGs with the machine's readings,
    their times and the answered alert, every time that people gave, and what was said of the patient where `into` says
    nothing. Signed readings stay where they were signed, for nobody else may sign them.

    An open green channel never leaves the board: `case` may have one only where `into` has one too.
    """
    if case.merged_into == into.case_id:
        return [], []
    _require_other(case, into)
    require_real(case, into)
    require_open(case)
    require_answered(case)
    require_read(case.ecgs)
    if case.channel.state == "open" and into.channel.state != "open":
        raise Refused(
            "channel_open",
            "该病例的绿色通道已开通，请反向合并：将另一病例并入本病例",
            "expected a case without an open green channel, got one that has it: merge the other way round",
            409,
        )
    carried = [*_context(case, into), *_carry(case, case.current_ecgs, into), *_times_of_people(case, into)]
    carried += carried_facts(case.facts, into.facts, MOVED_NOTE)
    return [CaseMerged(into_case_id=into.case_id)], carried


def split(
    case: Case, ecg_ids: Iterable[str], *, new_case_id: str, patient: str, into: Case | None = None
) -> tuple[list[AnyEvent], list[AnyEvent]]:
    """A person found that these ECGs belong to another episode, of `patient` (a pseudonym).

    Returns the events of `case` and those of the other case, which gets the ECGs with the machine's readings,
    their times and the answered alert. It is a new one, or `into`, an open case of the same site. `case` may be closed,
    and stays so.
    """
    moved = tuple(find_ecg(case, ecg_id) for ecg_id in dict.fromkeys(ecg_ids))
    if not moved:
        raise Refused("no_ecgs", "须选择要拆分的心电图", "expected at least one ECG, got none", 422)
    require_real(case, *(() if into is None else (into,)))
    require_unmerged(case)  # whose an ECG is may come out after the case has ended, too
    require_answered(case)
    gone = [ecg.ecg_id for ecg in moved if ecg.moved_to is not None]
    if gone:
        raise Refused("ecg_moved", "心电图已拆分", f"expected ECGs of this case, got moved ones: {gone}", 409)
    require_read(moved)
    empty = [ecg.ecg_id for ecg in moved if ecg.received_at is None]
    if empty:
        raise Refused(
            "ecg_empty", "心电图没有内容", f"expected received ECGs, got empty streams: {empty}", 409
        )
    if case.channel.state == "open" and len(moved) == len(case.current_ecgs):
        raise Refused(
            "channel_open",
            "绿色通道已开通，不能移走全部心电图",
            "expected an ECG to stay in a case whose green channel is open, got all of them",
            409,
        )
    ids = tuple(ecg.ecg_id for ecg in moved)
    if into is not None:
        _require_other(case, into)
        carried = _carry(case, moved, into, apart_as=into.patient, apart_in=into.case_id)
        return [CaseSplit(ecg_ids=ids, new_case_id=into.case_id)], carried
    opened = CaseOpened(case_id=new_case_id, site=case.site, patient=patient, arrival_mode=case.arrival_mode)
    carried = _carry(case, moved, None, apart_as=patient, apart_in=new_case_id)
    return [CaseSplit(ecg_ids=ids, new_case_id=new_case_id)], [opened, *carried]


def ring_split_off(
    before: Case,
    case: Case,
    ecg_id: str,
    *,
    alert_id: str,
    plan: tuple[PlanStep, ...],
    settings: EscalationSettings | None = None,
) -> list[AnyEvent]:
    """What an ECG does that was split off from the case `before`, where it was silent as a repeat, to `case`.

    Where what it repeats has come along it stays silent; otherwise nobody was ever rung for it.
    """
    was, now = find_ecg(before, ecg_id), find_ecg(case, ecg_id)
    if was.alert_withheld_at is None or now.alert_withheld_at is not None or now.final_tier is None:
        return []
    return call(
        case,
        ecg_id=ecg_id,
        tier=now.final_tier,
        findings=now.final_findings,
        alert_id=alert_id,
        plan=plan,
        settings=settings,
    )


def identity_checked(case: Case, note: str) -> list[AnyEvent]:
    """A person looked whose the ECGs of a case are, and says so; what was asked before waits no longer."""
    if not note.strip():
        raise Refused("note_required", "请说明核对结果", "expected what was found, got nothing", 422)
    return [IdentityChecked(note=note.strip())]


def _require_other(case: Case, into: Case) -> None:
    if case.case_id == into.case_id:
        raise Refused("same_case", "不能与自身合并", "expected another case, got the same", 409)
    if case.site != into.site:
        raise Refused(
            "other_site", "两个病例不属于同一机构", "expected two cases of one site, got two sites", 409
        )
    require_open(into)


def _carry(
    case: Case,
    ecgs: tuple[Ecg, ...],
    into: Case | None,
    *,
    apart_as: str | None = None,
    apart_in: str | None = None,
) -> list[AnyEvent]:
    """The ECGs as events of another case (None: a new one), with their times as they first were.

    `apart_as` is the patient to whom they are split off, to the case `apart_in`; None where the cases are one.

    A time of its own that is earlier stays the other case's valid one.
    """
    here = set() if into is None else {ecg.ecg_id for ecg in into.current_ecgs}
    here |= {ecg.ecg_id for ecg in ecgs}
    apart, other = apart_as is not None, apart_as not in (None, case.patient)
    events: list[AnyEvent] = [
        event for ecg in ecgs for event in (*_again(ecg), *_known_of(ecg, here, apart, other))
    ]
    ids = {ecg.ecg_id for ecg in ecgs}
    earliest: dict[tuple[str, str], MilestoneValue] = {}
    for value in case.values:
        name = (value.milestone, value.source)
        if value.ecg_id in ids and (name not in earliest or value.time.at < earliest[name].time.at):
            earliest[name] = value
    for name, value in earliest.items():
        held = [v.time.at for v in into.values if (v.milestone, v.source) == name] if into is not None else []
        if not held or value.time.at < min(held):
            events.append(_again_at(value))
    for alert in case.alerts:
        if about := [ecg_id for ecg_id in alert.ecg_ids if ecg_id in ids]:
            signed = any(ecg.readings for ecg in ecgs if ecg.ecg_id in about)
            # Neither the channel nor the end of the case comes along.
            ended = case.channel.state == "open" or case.state == "closed"
            followed_here = apart and ended and not signed
            goes_on = apart and not ids.issuperset(alert.ecg_ids)
            there = _name_there(alert, about[0], into, apart_in, goes_on=goes_on)
            events += _answered(alert, about, into, there, unfollowed=followed_here)
    return events


def _context(case: Case, into: Case) -> list[AnyEvent]:
    """What was said of the patient here, where nobody said it there."""
    here, there = case.context, into.context

    def missing(name: str) -> Any:
        return getattr(here, name) if getattr(there, name) is None else None

    said = ContextEntered(
        age_years=missing("age_years"),
        sex=missing("sex"),
        chest_pain=missing("chest_pain"),
        onset=missing("onset"),
        vitals=missing("vitals"),
        history_given=missing("history_given"),
        arrival_mode=case.arrival_mode if into.arrival_mode is None else None,
        from_file=tuple(sorted(name for name in here.from_file if missing(name) is not None)),
        disputed=tuple(sorted(name for name in here.disputed if getattr(there, name) is None)),
    )
    return [said] if said != ContextEntered() else []


def _times_of_people(case: Case, into: Case) -> list[AnyEvent]:
    """Every time that a person gave, with who gave it when; of what people did (a task, the channel), the earliest."""
    there = {(v.milestone, v.key, v.source, v.time.at) for v in into.values}
    events: list[AnyEvent] = []
    for value in case.values:
        name = (value.milestone, value.key, value.source)
        stays = value.ecg_id is not None or (value.derived and value.milestone in _NOT_CARRIED)
        if stays or (*name, value.time.at) in there:
            continue
        if value.milestone == "GREEN_OPEN" and value.derived and case.channel.state != "open":
            continue
        machine = value.derived or (value.note == MOVED_NOTE and value.source in _MACHINE_SOURCES)
        held = [v.time.at for v in into.values if (v.milestone, v.key, v.source) == name]
        if not machine or not held or value.time.at < min(held):
            events.append(_again_at(value))
    return events


def _again_at(value: MilestoneValue) -> MilestoneRecorded:
    """A time as it was given first. Among what one source said in both cases the newest goes on standing."""
    return MilestoneRecorded(
        milestone=value.milestone,
        time=value.time,
        source=value.source,
        key=value.key,
        note=MOVED_NOTE if value.note is None else f"{value.note} ({MOVED_NOTE})",
        correction=True,
        said_at=value.recorded_at,
        said_by=value.actor,
        code=value.code,
    )


def _recorded(milestone: str, time: ClockReading, source: str, key: str | None = None) -> MilestoneRecorded:
    return MilestoneRecorded(
        milestone=milestone, time=time, source=source, key=key, note=MOVED_NOTE, correction=True
    )


def _name_there(alert: Alert, ecg_id: str, into: Case | None, apart_in: str | None, *, goes_on: bool) -> str:
    """The name of an alert in the other case: its own, but where it goes on here as well, was in a round before, or has
    been there. Due times bear its name, one that was taken is not set again, and two of one name would share theirs."""
    been_there = into is not None and into.alert_of(alert.alert_id) is not None
    if not (goes_on or been_there or alert.round > 1):
        return alert.alert_id
    case_id, before = (apart_in, 0) if into is None else (into.case_id, len(into.alerts))
    seed = f"{alert.alert_id} {case_id} {ecg_id} {before}"
    return f"a_{hashlib.sha256(seed.encode()).hexdigest()[:16]}"


def _answered(
    alert: Alert, about: Sequence[str], into: Case | None, name: str, *, unfollowed: bool
) -> list[AnyEvent]:
    """An answered alert in the other case, by its `name` there. Where that case has one as urgent nothing opens, and
    that one is about these ECGs too; unless nothing has followed this answer, and there something has: then this
    question stays asked. `unfollowed`: what followed it here is nothing there."""
    other = into.alert if into is not None else None
    if alert.acknowledged_at is None or alert.acknowledged_by is None:
        return []
    person = alert.acknowledged_by
    unfollowed = unfollowed or alert.phase is Phase.ANSWERED
    if other is not None:
        as_urgent = tier_rank(other.tier) <= tier_rank(alert.tier)
        if as_urgent and not unfollowed:
            return _raised(other.alert_id, alert, about)
        if other.open or (as_urgent and other.phase is Phase.ANSWERED):
            return _raised(other.alert_id, alert, about)
    time = ClockReading(at=alert.acknowledged_at, clock="server", offset_s=0.0, uncertainty_s=0.0)
    return [
        AlertOpened(
            alert_id=name,
            tier=alert.tier,
            ecg_id=about[0],
            rules=alert.rules,
            plan=alert.plan,
            # What has followed it once is asked no more.
            follow_up_s=alert.follow_up_s if unfollowed else None,
            receipt_s=alert.receipt_s,
            repeat_s=alert.repeat_s,
        ),
        *_raised(name, alert, about[1:]),
        AlertAcknowledged(alert_id=name, person=person),
        *_held(alert, name, person),
        _recorded("ALERT_ACK", time, "server", person),
    ]


def _raised(alert_id: str, alert: Alert, about: Sequence[str]) -> list[AnyEvent]:
    return [AlertRaised(alert_id=alert_id, tier=alert.tier, ecg_id=one, rules=alert.rules) for one in about]


def _held(alert: Alert, name: str, person: str) -> list[AnyEvent]:
    """Who has it now, where that is not who answered."""
    if alert.held_by in (None, person):
        return []
    return [AlertHandedOver(alert_id=name, person=person, to_person=str(alert.held_by))]


def _known_of(ecg: Ecg, here: set[str], apart: bool, other_patient: bool) -> list[AnyEvent]:
    """What other ECGs say of this one, as it is once a person has put these ECGs together.

    Split off (`apart`) from what it repeats, it is silent no longer, and of `other_patient` it is no repeat.
    Who moved it to the patient it fits has answered the doubt.
    """
    events: list[AnyEvent] = []
    same, asked = ecg.same_as, ecg.doubt
    if same is not None:
        events.append(
            SameRecordingFound(
                ecg_id=ecg.ecg_id,
                of_ecg_id=same.ecg_id,
                of_case_id=same.case_id,
                of_format=same.format,
                same_patient=same.ecg_id in here or (same.same_patient and not other_patient),
                overlap_s=same.overlap_s,
                shift_s=same.shift_s,
            )
        )
        silent = ecg.alert_withheld_at is not None and (same.ecg_id in here or not apart)
        if silent and ecg.final_tier is not None:
            events.append(AlertWithheld(ecg_id=ecg.ecg_id, of_ecg_id=same.ecg_id, tier=ecg.final_tier))
    if asked is not None and asked.own_ecg_id in here and asked.like_ecg_id not in here:
        events.append(
            PatientDoubted(
                ecg_id=ecg.ecg_id,
                like_ecg_id=asked.like_ecg_id,
                like_case_id=asked.like_case_id,
                own_ecg_id=asked.own_ecg_id,
                like_distance=asked.like_distance,
                own_distance=asked.own_distance,
            )
        )
    return events


def _again(ecg: Ecg) -> list[AnyEvent]:
    if (
        ecg.received_at is None
        or ecg.sha256 is None
        or ecg.size_bytes is None
        or ecg.way is None
        or ecg.format is None
    ):
        return []  # a stream of which nothing came
    received = EcgReceived(
        ecg_id=ecg.ecg_id,
        sha256=ecg.sha256,
        size_bytes=ecg.size_bytes,
        way=ecg.way,
        format=ecg.format,
        device=ecg.device,
        leads=ecg.leads,
        rate_hz=ecg.rate_hz,
        duration_s=ecg.duration_s,
        electrode_set=ecg.electrode_set or "standard",
        acquired=ecg.acquired,
        sent=ecg.sent,
        received_at=ecg.received_at,
        read_before_at=min((one.at for one in ecg.readings), default=ecg.read_before_at),
    )
    if ecg.not_analysed is not None and ecg.final_tier is not None:
        said = EcgNotAnalysed(
            ecg_id=ecg.ecg_id,
            tier=ecg.final_tier,
            reason=ecg.not_analysed,
            findings=list(ecg.final_findings),
            said_at=ecg.not_analysed_at,
        )
        return [received, said]
    if ecg.final_tier is None or ecg.software is None or ecg.rules is None or ecg.analysis_sha256 is None:
        return [received]
    analysed = EcgAnalysed(
        ecg_id=ecg.ecg_id,
        tier=ecg.final_tier,
        findings=list(ecg.final_findings),
        acceptable=bool(ecg.acceptable),
        bad_leads=ecg.bad_leads,
        advice=list(ecg.machine_advice),
        software=ecg.software,
        rules=ecg.rules,
        analysis_sha256=ecg.analysis_sha256,
        analysed_at=ecg.analysed_at,
    )
    return [received, analysed]
