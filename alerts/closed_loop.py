"""The closed loop: no upload ends without an answer, and no cancelled alert without a second look.

Pure: a case and a `now` in, events out. A follow-up is planned where an alert is cancelled. What an upload waits for is
its reading, so nothing is written for it until its time has passed without one: then it is planned and overdue at once,
and stays on the list until somebody has answered. Due times are rows, found again after a restart.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import msgspec

from greenchannel.alerts.alert_deadlines import Deadline
from greenchannel.alerts.case import Case
from greenchannel.alerts.ecg_state import Ecg
from greenchannel.alerts.followup_state import FollowUp, kinds
from greenchannel.alerts.green_channel import person_of
from greenchannel.alerts.refusal import Refused, no_such
from greenchannel.alerts.tables import read_value
from greenchannel.clock import rfc3339
from greenchannel.events import (
    AnyEvent,
    CaseClosed,
    EcgReceived,
    Envelope,
    FollowUpDone,
    FollowUpOverdue,
    FollowUpPlanned,
    GreenChannelStoodDown,
)

FOLLOW_UP = "follow_up"  # the kind of its due times
FEEDBACK_SENT = "FEEDBACK_SENT"


@cache
def feedback_kind() -> str:
    """The kind of an upload that nobody has answered."""
    return read_value("closed_loop", "feedback", str)


@cache
def cancelled_kinds() -> tuple[str, ...]:
    """The kinds that every cancelled alert gets."""
    return read_value("closed_loop", "cancelled", tuple[str, ...])


@cache
def _treated() -> frozenset[str]:
    return frozenset(read_value("closed_loop", "treated", tuple[str, ...]))


def _delay(kind: str) -> timedelta:
    return timedelta(hours=kinds()[kind].after_h)


# ---------------------------------------------------------------- what follows from what was decided


def follows(case: Case, events: Sequence[AnyEvent], now: datetime) -> list[AnyEvent]:
    """Return what the service adds: follow-ups of an alert that these events cancel, and the end of those answered.

    `case` is as it is with the events.
    """
    planned: list[AnyEvent] = []
    if case.is_drill:
        return planned
    for event in events:
        if isinstance(event, GreenChannelStoodDown):
            planned += _plan(case, event.channel_id, now)
        elif isinstance(event, CaseClosed) and closed_as_not_acute(case):
            planned += _plan(case, None, now)
    return [*planned, *_answered(case)]


def closed_as_not_acute(case: Case) -> bool:
    """Whether a case that rang ended without what it rang for: no vessel opened, no lysis, no outcome known."""
    return (
        case.state == "closed"
        and case.alert is not None
        and not any(value.milestone in _treated() for value in case.values)
    )


def _plan(case: Case, channel_id: str | None, now: datetime) -> list[AnyEvent]:
    """The follow-ups of a cancelled alert, once for each alert; of a channel without one, for the channel."""
    about = channel_id if case.alert is None else case.alert.alert_id
    if about is None or any(one.about == about for one in case.followups):
        return []
    return [
        FollowUpPlanned(
            followup_id=f"f_{case.case_id}_{about}_{kind}",
            kind=kind,
            role=kinds()[kind].role,
            due_at=now + _delay(kind),
            about=about,
        )
        for kind in cancelled_kinds()
    ]


def _answered(case: Case) -> list[AnyEvent]:
    """The end of each feedback that was overdue and has come now."""
    done: list[AnyEvent] = []
    for one in case.followups:
        ecg = None if one.about is None or one.kind != feedback_kind() else case.ecg(one.about)
        if one.done_at is None and ecg is not None and (came := fed_back(case, ecg)) is not None:
            result, person = came
            done.append(FollowUpDone(followup_id=one.followup_id, person=person, result=result))
    return done


def fed_back(case: Case, ecg: Ecg) -> tuple[str, str] | None:
    """How an upload was answered to the clinic, and by whom; None while it was not.

    By a signed reading of it or of the same recording in another format, by the outcome sent later, or, where nothing
    could be read on it, by a later ECG of the case.
    """
    for one in _same_recording(case, ecg):
        if one.readings:
            return "reading_back", one.readings[0].person
        if one.read_before_at is not None:
            return "reading_back", "service"
    received_at = ecg.received_at
    if received_at is None:
        return None
    for value in case.values:
        if value.milestone == FEEDBACK_SENT and value.time.at >= received_at:
            return "outcome_back", person_of(value.actor)
    later = (e for e in case.current_ecgs if e.received_at is not None and e.received_at > received_at)
    if ecg.acceptable is False and any(one.acceptable is not False for one in later):
        return "recorded_again", "service"
    return None


def _same_recording(case: Case, ecg: Ecg) -> Iterator[Ecg]:
    """The ECG, those that it repeats, and those that repeat it."""
    yield ecg
    for one in case.current_ecgs:
        repeats = one.same_as is not None and one.only_repeats and one.same_as.ecg_id == ecg.ecg_id
        repeated = ecg.same_as is not None and ecg.only_repeats and ecg.same_as.ecg_id == one.ecg_id
        if repeats or repeated:
            yield one


# ---------------------------------------------------------------- due times


def deadlines(envelope: Envelope, case: Case) -> list[Deadline]:
    """Return the due times that one event sets: of an upload that should be answered, of a planned follow-up."""
    if case.is_drill:
        return []
    match envelope.event:
        case EcgReceived() as e:
            due_at = (e.received_at or envelope.at) + _delay(feedback_kind())
            return [_deadline(envelope, f"{case.case_id}:{e.ecg_id}:feedback", due_at, {"ecg_id": e.ecg_id})]
        case FollowUpPlanned() as e if e.kind != feedback_kind():
            return [_deadline(envelope, e.followup_id, e.due_at, {"followup_id": e.followup_id})]
        case _:
            return []


def _deadline(envelope: Envelope, id: str, due_at: datetime, payload: dict[str, Any]) -> Deadline:
    return Deadline(id=id, due_at=due_at, kind=FOLLOW_UP, stream=envelope.stream, payload=payload)


def on_due(case: Case, payload: Mapping[str, Any], due_at: datetime) -> list[AnyEvent]:
    """Return what a due time does: nothing where it was seen to, or where the ECG is in another case by now."""
    if "followup_id" in payload:
        known = find(case, str(payload["followup_id"]))
        late = known is not None and known.done_at is None and known.overdue_at is None
        return [FollowUpOverdue(followup_id=known.followup_id)] if known is not None and late else []
    ecg_id = str(payload["ecg_id"])
    followup_id = _feedback_id(case, ecg_id)
    if not any(ecg.ecg_id == ecg_id for ecg in unanswered(case)) or find(case, followup_id) is not None:
        return []
    planned = FollowUpPlanned(
        followup_id=followup_id,
        kind=feedback_kind(),
        role=kinds()[feedback_kind()].role,
        due_at=due_at,
        about=ecg_id,
    )
    return [planned, FollowUpOverdue(followup_id=followup_id)]


def _feedback_id(case: Case, ecg_id: str) -> str:
    return f"f_{case.case_id}_{ecg_id}"


def unanswered(case: Case) -> list[Ecg]:
    """The uploads of a case that nobody has answered; of a merged case none, they are in the other one; of a drill
    none."""
    if case.state == "merged" or case.is_drill:
        return []
    return [e for e in case.current_ecgs if e.received_at is not None and fed_back(case, e) is None]


# ---------------------------------------------------------------- the list


class Open(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that waits to be seen to, as of an instant."""

    followup_id: (
        str | None
    )  # None: an upload whose time has not come, or that came before there was this list
    kind: str
    role: str
    about: str | None
    earliest_at: datetime
    due_at: datetime
    overdue: bool


def open_of(case: Case, now: datetime) -> list[Open]:
    """Return all that waits in a case, planned or not; what is overdue is so by `now`, whatever fired."""
    planned = [
        Open(
            followup_id=one.followup_id,
            kind=one.kind,
            role=one.role,
            about=one.about,
            earliest_at=one.earliest_at,
            due_at=one.due_at,
            overdue=one.overdue(now),
        )
        for one in case.followups
        if one.done_at is None
    ]
    known = {one.about for one in case.followups}
    kind = kinds()[feedback_kind()]
    for ecg in unanswered(case):
        if ecg.ecg_id not in known and ecg.received_at is not None:
            due_at = ecg.received_at + _delay(kind.id)
            planned.append(
                Open(
                    followup_id=None,
                    kind=kind.id,
                    role=kind.role,
                    about=ecg.ecg_id,
                    earliest_at=ecg.received_at,
                    due_at=due_at,
                    overdue=now >= due_at,
                )
            )
    return planned


# ---------------------------------------------------------------- what people say


def find(case: Case, followup_id: str) -> FollowUp | None:
    """The follow-up of this id, or None."""
    return next((one for one in case.followups if one.followup_id == followup_id), None)


def followup_done(
    case: Case, followup_id: str, person: str, *, role: str, result: str, now: datetime
) -> list[AnyEvent]:
    """A person of a role that may says what came of it; the same again gives nothing. Closed cases take it too.

    Not before its earliest time, but for a death and the like: a second look that is ticked off at once is none.
    """
    known = find(case, followup_id)
    if known is None:
        raise no_such("followup", "随访", followup_id)
    kind = kinds().get(known.kind)
    may_do = (known.role,) if kind is None else kind.may_do
    if role not in may_do:
        raise Refused(
            "wrong_role",
            "您的角色不能处理该随访",
            f"expected one of the roles {', '.join(may_do)}, got {role}",
            403,
        )
    if kind is not None and result not in kind.results:
        codes = ", ".join(kind.results)
        raise Refused(
            "unknown_result",
            f"随访结果应为 {codes} 之一，收到 {result}",
            f"expected one of {codes}, got {result}",
            422,
        )
    if known.done_at is not None:
        if known.result == result:
            return []
        raise Refused(
            "followup_done",
            "该随访已完成",
            f"expected a follow-up that waits, got one that is done ({known.result})",
            409,
        )
    if now < known.earliest_at and (kind is None or result not in kind.at_once):
        earliest = rfc3339(known.earliest_at)
        raise Refused(
            "followup_early",
            f"随访时间未到，最早 {earliest}",
            f"expected a follow-up from {earliest} on, got one at {rfc3339(now)}",
            409,
        )
    return [FollowUpDone(followup_id=followup_id, person=person, result=result)]
