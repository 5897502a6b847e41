"""The clock of a study as a plan of the alert engine: rung at shares of its time until a report is signed.

To claim a study is no answer: the clock asks for a written report. What is rung at each share stands in ``clock.toml``;
steps, repeats and exhaustion are the engine's own (`alerts.escalation`, `alerts.alert_deadlines`).
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Final

import msgspec

from greenchannel.alerts import alert_deadlines, escalation
from greenchannel.alerts.alert_deadlines import Deadline
from greenchannel.alerts.alert_state import open_alert
from greenchannel.alerts.escalation_plan import EVERYBODY, LIVE, PHONE
from greenchannel.alerts.imaging import critical, receipts
from greenchannel.alerts.imaging.reading import Reading, Signed
from greenchannel.alerts.tables import read_document, read_table
from greenchannel.events import (
    AlertAcknowledged,
    AlertEscalated,
    AlertOpened,
    AlertRearmed,
    AlertSent,
    AnyEvent,
    Envelope,
    ImageAddendumSigned,
    ImageConfirmationOverdue,
    ImageCriticalOverdue,
    ImageReadingWanted,
    ImageReportSigned,
    ImageStudyMoved,
    PlanStep,
    Ring,
)

_FILE: Final = "imaging/clock"
_PREFIX: Final = "image_"
STEP: Final = _PREFIX + alert_deadlines.STEP
REPEAT: Final = _PREFIX + alert_deadlines.REPEAT
RECEIPT: Final = _PREFIX + alert_deadlines.RECEIPT
UNTOLD: Final = "image_critical_untold"
UNCONFIRMED: Final = "image_unconfirmed"
KINDS: Final = (STEP, REPEAT, RECEIPT, UNTOLD, UNCONFIRMED)
"""Kinds of due times of a study's stream."""


class People(msgspec.Struct, frozen=True, kw_only=True):
    """Who can be rung for a study now, and where."""

    radiologists: tuple[str, ...] = ()
    head: str | None = None  # of the duty roster
    channels: Mapping[str, Sequence[str]] = {}


class _Step(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: str
    who: tuple[str, ...]
    who_critical: tuple[str, ...]
    call: bool = False


@cache
def _steps() -> tuple[_Step, ...]:
    return read_table(_FILE, "step", _Step)


def check_shares(shares: Sequence[float]) -> None:
    """Raise `ValueError` where the table has no step for each share: at the start, not when the first study comes."""
    if len(shares) != len(_steps()) - 1:
        raise ValueError(f"expected {len(_steps()) - 1} shares, as clock.toml has steps, got {list(shares)}")


def plan(
    wanted: ImageReadingWanted,
    now: datetime,
    people: People,
    claimant: str | None,
    span: tuple[datetime, datetime] | None = None,
) -> tuple[PlanStep, ...]:
    """The plan of a study's clock from `now` on: a step for the receipt, and one for each share of its time.

    `span`: of which the shares are taken, the clock's own where it is not said. A share that is over already is due at
    once; those that fall together are rung as one, see `want`.
    """
    begun, ends = span or (wanted.started_at, wanted.due_at)
    times = [now, *(begun + (ends - begun) * share for share in wanted.shares)]
    check_shares(wanted.shares)
    steps = _steps()
    return tuple(
        _step(step, max((at - now).total_seconds(), 0.0), wanted, people, claimant, last=step is steps[-1])
        for step, at in zip(steps, times, strict=True)
    )


def _span_of_shorter(wanted: ImageReadingWanted, now: datetime) -> tuple[datetime, datetime]:
    """Of which time the shares are taken where a clock becomes shorter, so that its steps never fall together.

    Where a share of it is over already they are taken of what is left; where all of it is over, of its length from now.
    """
    begun, ends = wanted.started_at, wanted.due_at
    if begun + (ends - begun) * wanted.shares[0] > now:
        return begun, ends
    return now, (ends if ends > now else now + (ends - begun))


def _step(
    step: _Step,
    after_s: float,
    wanted: ImageReadingWanted,
    people: People,
    claimant: str | None,
    *,
    last: bool,
) -> PlanStep:
    named = step.who_critical if wanted.critical else step.who
    rung = tuple(dict.fromkeys(one for word in named for one in _named(word, people, claimant)))
    rings = tuple(
        Ring(person=one, channel=channel)
        for one in rung
        for channel in (people.channels.get(one) or (LIVE,))
        if channel != PHONE or step.call
    )
    return PlanStep(
        after_s=after_s, role=EVERYBODY if last else step.name, people=rung, channels=(LIVE,), rings=rings
    )


def _named(word: str, people: People, claimant: str | None) -> tuple[str, ...]:
    if word == "radiologists":
        return people.radiologists
    if word == "head":
        return () if people.head is None else (people.head,)
    if word == "claimant":
        return people.radiologists if claimant is None else (claimant,)
    raise ValueError(f"expected claimant, radiologists or head, got {word!r}")


def tier_of(wanted: ImageReadingWanted) -> str:
    """What its alert is called."""
    return str(read_document(_FILE)["tier_critical" if wanted.critical else "tier_other"])


def want(
    reading: Reading | None, wanted: ImageReadingWanted, now: datetime, people: People, alert_id: str
) -> list[AnyEvent]:
    """Begin the clock of a study, or shorten it: only what makes it run out sooner, or critical, changes anything.

    `alert_id` is the name of the alert that begins; a clock that runs already keeps its own.
    """
    if reading is not None and reading.gone:
        reading = None  # it has come again, and is read as if it never had been
    if reading is not None and (reading.report is not None or not _sooner(reading.clock, wanted)):
        return []
    claimant = None if reading is None else reading.claimed_by
    span = None if reading is None else _span_of_shorter(wanted, now)
    steps = plan(wanted, now, people, claimant, span)
    receipt_s, repeat_s = float(read_document(_FILE)["receipt_s"]), tuple(read_document(_FILE)["repeat_s"])
    alert = None if reading is None else reading.alert
    opened: AnyEvent
    if alert is None:
        opened = AlertOpened(
            alert_id=alert_id,
            tier=tier_of(wanted),
            ecg_id=wanted.study_uid,
            rules=(wanted.clock,),
            plan=steps,
            receipt_s=receipt_s,
            repeat_s=repeat_s,
        )
    else:
        alert_id = alert.alert_id
        opened = AlertRearmed(
            alert_id=alert_id,
            round=alert.round + 1,
            plan=steps,
            reason="louder",
            receipt_s=receipt_s,
            repeat_s=repeat_s,
        )
    rung = escalation.ring(alert_id, steps[0].all_rings, 0)
    if isinstance(opened, AlertOpened):
        over = sum(step.after_s == 0 for step in steps) - 1
        if over > 0:  # it came late: one ring for all that is over
            begun = open_alert(opened, now)
            return [wanted, opened, *_as_one(rung, escalation.take_steps(begun, over, steps))]
    return [wanted, opened, *rung]


def _as_one(before: Sequence[AnyEvent], steps: Sequence[AnyEvent]) -> list[AnyEvent]:
    """Several steps that are over at once as the highest of them: everybody whom one of them names is rung once."""
    escalated = [one for one in steps if isinstance(one, AlertEscalated)]
    if not escalated or (len(escalated) == 1 and not before):
        return [*before, *steps]
    highest = escalated[-1]
    passed = tuple(dict.fromkeys([0] * bool(before) + [one.step for one in escalated[:-1]]))
    rings = dict.fromkeys(
        (one.person, one.channel) for one in (*before, *steps) if isinstance(one, AlertSent)
    )
    rest = [one for one in steps if not isinstance(one, AlertEscalated | AlertSent)]
    return [
        msgspec.structs.replace(highest, passed=passed),
        *(
            AlertSent(alert_id=highest.alert_id, person=person, channel=channel, step=highest.step)
            for person, channel in rings
        ),
        *rest,
    ]


def _sooner(before: ImageReadingWanted, after: ImageReadingWanted) -> bool:
    return after.due_at < before.due_at or (after.critical and not before.critical)


def answered(reading: Reading, person: str) -> list[AnyEvent]:
    """The report is there: nobody is rung for it any more."""
    alert = reading.alert
    return (
        [] if alert is None or not alert.open else [AlertAcknowledged(alert_id=alert.alert_id, person=person)]
    )


def deadlines(envelope: Envelope, reading: Reading) -> list[Deadline]:
    """The due times that one event of a study sets; `reading` is as it stands after the event."""
    event, stream = envelope.event, envelope.stream
    if isinstance(event, ImageReportSigned | ImageAddendumSigned):
        signed = reading.signed[-1]
        found = _untold_by(reading, stream, signed)
        if signed.provisional:
            found.append(
                _later(UNCONFIRMED, reading, stream, signed.report_id, envelope.at + confirm_within(), 1)
            )
        return found
    if isinstance(event, ImageStudyMoved):
        found = [one for signed in reading.signed for one in _untold_by(reading, stream, signed)]
        if reading.report is not None:
            name = reading.report.report_id
            found.append(_later(UNCONFIRMED, reading, stream, name, envelope.at + confirm_within(), 1))
        return found
    if isinstance(event, ImageCriticalOverdue):
        due_at = envelope.at + timedelta(seconds=critical.again_s())
        return [_later(UNTOLD, reading, stream, event.report_id, due_at, event.times + 1)]
    if isinstance(event, ImageConfirmationOverdue):
        due_at = envelope.at + confirm_within()
        return [_later(UNCONFIRMED, reading, stream, event.report_id, due_at, event.times + 1)]
    of_alert = alert_deadlines.of_alert(envelope, reading.alert_of)
    found = [msgspec.structs.replace(one, kind=_PREFIX + one.kind) for one in of_alert]
    return found + _last_receipt(envelope, reading)


def _last_receipt(envelope: Envelope, reading: Reading) -> list[Deadline]:
    """The look whether the last step, or a repeat, was heard: the engine has nobody to go on to and asks no more, but
    the log says also of these whether a page was open."""
    event = envelope.event
    alert = reading.alert_of(event.alert_id) if isinstance(event, AlertEscalated) else None
    if not isinstance(event, AlertEscalated) or alert is None or alert.receipt_s is None:
        return []
    if not event.repeat and event.step + 1 < len(alert.plan):
        return []
    name = f"{alert_deadlines.round_id(alert)}:{event.step}+{event.repeat}:receipt"
    due_at = envelope.at + timedelta(seconds=alert.receipt_s)
    payload = {"alert_id": alert.alert_id, "round": alert.round, "step": event.step}
    return [Deadline(id=name, due_at=due_at, kind=RECEIPT, stream=envelope.stream, payload=payload)]


def confirm_within() -> timedelta:
    """After what time a provisional report is to be confirmed, and after which it is said again that it is not."""
    return timedelta(hours=read_document(_FILE)["confirm_h"])


def _untold_by(reading: Reading, stream: str, signed: Signed) -> list[Deadline]:
    due_at = critical.told_by(signed)
    return [_later(UNTOLD, reading, stream, signed.report_id, due_at, 1)] if signed.critical else []


def _later(
    kind: str, reading: Reading, stream: str, report_id: str, due_at: datetime, times: int
) -> Deadline:
    """A duty of this case: one that began before its study was moved is another, and is asked for no more."""
    moves = len(reading.moves)
    payload = {"report_id": report_id, "times": times} | ({"moves": moves} if moves else {})
    name = kind.removeprefix(_PREFIX) + (f":moved{moves}" if moves else "")
    return Deadline(
        id=f"{report_id}:{name}:{times}", due_at=due_at, kind=kind, stream=stream, payload=payload
    )


def on_due(
    reading: Reading, deadline: Deadline, now: datetime, people_now: Callable[[], People]
) -> list[AnyEvent]:
    """Return what a due time does now; nothing where the report is signed, or the result was told."""
    if deadline.kind not in KINDS or now < deadline.due_at:
        return []
    if deadline.kind in (UNTOLD, UNCONFIRMED):
        report_id, times = deadline.payload["report_id"], deadline.payload["times"]
        if deadline.payload.get("moves", 0) != len(reading.moves):
            return []
        if deadline.kind == UNCONFIRMED:
            late = ImageConfirmationOverdue(report_id=report_id, due_at=deadline.due_at, times=times)
            unconfirmed = reading.report is not None and reading.report.report_id == report_id
            return [late] if unconfirmed and reading.state == "provisional" else []
        if all(one.report_id != report_id for one in reading.untold):
            return []
        return [ImageCriticalOverdue(report_id=report_id, due_at=deadline.due_at, times=times)]
    alert = reading.alert_of(deadline.payload["alert_id"])
    if alert is None or not alert.open or deadline.payload["round"] != alert.round:
        return []
    steps = alert.plan
    if len(steps) == len(_steps()) == len(reading.clock.shares) + 1:
        # Times as they were frozen, people as they are now: who came on since, and who has claimed it.
        fresh = plan(reading.clock, now, people_now(), reading.claimed_by)
        steps = tuple(
            msgspec.structs.replace(new, after_s=old.after_s) for old, new in zip(steps, fresh, strict=True)
        )
    # Else the table has got other steps since the clock began: it runs on as it was frozen.
    alert = msgspec.structs.replace(alert, plan=steps)
    over = max(one for one in range(len(steps)) if one == 0 or alert.step_due_at(one) <= now)
    plain = msgspec.structs.replace(deadline, kind=deadline.kind.removeprefix(_PREFIX))
    # Of a service that was away several steps may be over: they ring as one, whichever due time comes first.
    if deadline.kind == RECEIPT and over <= alert.step:
        return receipts.on_receipt_due(reading, alert, now)
    if deadline.kind == RECEIPT:
        together = _as_one([], escalation.take_steps(alert, over, steps))
        return [*receipts.unheard(reading, alert, now), *together]
    if deadline.kind == STEP:
        plain = msgspec.structs.replace(plain, payload=plain.payload | {"step": over})
        return _as_one([], alert_deadlines.of_waiting(alert, plain, now, steps))
    return alert_deadlines.of_waiting(alert, plain, now, steps)
