"""The outcome card: what became of the patient, sent to the clinic that saw the patient first, and read there."""

from datetime import datetime
from functools import cache

import msgspec

from greenchannel.alerts.case import Case
from greenchannel.alerts.milestones import MilestoneValue
from greenchannel.alerts.refusal import Refused
from greenchannel.alerts.tables import read_value
from greenchannel.alerts.timeline import Entry, Interval, Timeline, timeline
from greenchannel.events import AnyEvent, ClockReading, MilestoneRecorded

OUTCOME, DX = "OUTCOME", "DX"
SENT, SEEN = "FEEDBACK_SENT", "FEEDBACK_SEEN"
AGAIN = "转归更新后再次反馈 / sent again, the outcome was changed"
SEEN_AGAIN = "已阅更新后的反馈 / the changed outcome was read"


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """All of it; None is what nobody has said."""

    outcome: MilestoneValue | None
    diagnosis: MilestoneValue | None
    sent: MilestoneValue | None  # the newest sending
    seen: MilestoneValue | None  # the newest look that came after it
    entries: tuple[Entry, ...]
    intervals: tuple[Interval, ...]

    @property
    def state(self) -> str:
        """How far it is: "unknown" outcome, "ready" to be sent, "changed" since it was, "sent", "seen"."""
        if self.outcome is None:
            return "unknown"
        if self.sent is None:
            return "ready"
        if self.outcome.seq > self.sent.seq:
            return "changed"
        return "sent" if self.seen is None else "seen"


@cache
def _shown(name: str) -> tuple[str, ...]:
    return read_value("closed_loop", name, tuple[str, ...])


def card(case: Case, times: Timeline | None = None) -> Card:
    """Return the card of a case as it stands; `times` is its timeline, where that is at hand."""
    times = times or timeline(case)
    valid = {entry.spec.id: entry.valid for entry in times.entries}
    sent, seen = told(case)
    names, spans = _shown("card_milestones"), _shown("card_intervals")
    return Card(
        outcome=valid.get(OUTCOME),
        diagnosis=valid.get(DX),
        sent=sent,
        seen=seen,
        entries=tuple(entry for name in names for entry in times.entries if entry.spec.id == name),
        intervals=tuple(one for name in spans for one in times.intervals if one.spec.id == name),
    )


def told(case: Case) -> tuple[MilestoneValue | None, MilestoneValue | None]:
    """Return the newest sending to the clinic and the newest look that came after it."""
    sent = max((v for v in case.values if v.milestone == SENT), key=lambda v: v.seq, default=None)
    looks = [v for v in case.values if v.milestone == SEEN and sent is not None and v.seq > sent.seq]
    return sent, max(looks, key=lambda v: v.seq, default=None)


def send_feedback(case: Case, *, role: str, now: datetime) -> list[AnyEvent]:
    """The card goes to the clinic's page; nothing where it is there as it stands.

    Raises `Refused` while nobody has said what became of the patient.
    """
    found = card(case)
    if found.state == "unknown":
        raise Refused(
            "no_outcome",
            "尚未记录转归，不能反馈",
            "expected a case with an outcome, got one whose outcome nobody has said",
            409,
        )
    if found.state in ("sent", "seen"):
        return []
    return [_stamp(SENT, role, now, AGAIN if found.state == "changed" else None)]


def feedback_seen(case: Case, *, role: str, now: datetime) -> list[AnyEvent]:
    """The clinic has read the card; nothing where it had read what was sent last."""
    found = card(case)
    if found.sent is None:
        raise Refused(
            "no_feedback",
            "尚无转归反馈",
            "expected a case whose outcome was sent to the clinic, got one where nothing was sent",
            409,
        )
    if found.seen is not None:
        return []
    before = any(value.milestone == SEEN for value in case.values)
    return [_stamp(SEEN, role, now, SEEN_AGAIN if before else None)]


def _stamp(milestone: str, role: str, now: datetime, note: str | None) -> MilestoneRecorded:
    time = ClockReading(at=now, clock="server", offset_s=0.0, uncertainty_s=0.0)
    return MilestoneRecorded(
        milestone=milestone, time=time, source=role, note=note, correction=note is not None
    )
