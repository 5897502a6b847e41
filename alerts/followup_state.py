"""What somebody has to see to later in one case: a fold over its events, and the table of kinds."""

from datetime import datetime, timedelta
from functools import cache

import msgspec

from greenchannel.alerts.tables import read_table
from greenchannel.events import Envelope, FollowUpDone, FollowUpOverdue, FollowUpPlanned


class FollowUpKind(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One kind of ``closed_loop.toml``; the fields are explained there."""

    id: str
    after_h: float
    least_h: float = 0.0
    role: str
    may_do: tuple[str, ...]
    zh: str
    en: str
    results: tuple[str, ...]
    at_once: tuple[str, ...] = ()
    automatic: tuple[str, ...] = ()
    source: str
    mark: str


class Result(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One thing that may have come of a follow-up."""

    id: str
    zh: str
    en: str


class FollowUp(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to see to, and what came of it."""

    followup_id: str
    kind: str
    role: str
    about: str | None  # the alert, channel or ECG
    planned_at: datetime
    due_at: datetime
    overdue_at: datetime | None = None  # when the log said so
    done_at: datetime | None = None
    done_by: str | None = None
    result: str | None = None

    @property
    def earliest_at(self) -> datetime:
        """From when on it may be said what came of it; what the table's `at_once` lists may be said at any time."""
        kind = kinds().get(self.kind)
        return self.planned_at if kind is None else self.due_at - timedelta(hours=kind.after_h - kind.least_h)

    def overdue(self, now: datetime) -> bool:
        """Whether its time has passed and nobody has seen to it."""
        return self.done_at is None and (self.overdue_at is not None or now >= self.due_at)


@cache
def kinds() -> dict[str, FollowUpKind]:
    """All kinds by id."""
    return {row.id: row for row in read_table("closed_loop", "kind", FollowUpKind)}


@cache
def results() -> dict[str, Result]:
    """All results by id."""
    return {row.id: row for row in read_table("closed_loop", "result", Result)}


def fold_followups(followups: tuple[FollowUp, ...], envelope: Envelope) -> tuple[FollowUp, ...]:
    """Return the follow-ups of a case after one event; planned twice, or done twice, the first time counts."""
    replace, at = msgspec.structs.replace, envelope.at
    match envelope.event:
        case FollowUpPlanned() as e if all(one.followup_id != e.followup_id for one in followups):
            planned = FollowUp(
                followup_id=e.followup_id,
                kind=e.kind,
                role=e.role,
                about=e.about,
                planned_at=at,
                due_at=e.due_at,
            )
            return (*followups, planned)
        case FollowUpOverdue() as e:
            return tuple(
                replace(one, overdue_at=at)
                if one.followup_id == e.followup_id and one.overdue_at is None and one.done_at is None
                else one
                for one in followups
            )
        case FollowUpDone() as e:
            return tuple(
                replace(one, done_at=at, done_by=e.person, result=e.result)
                if one.followup_id == e.followup_id and one.done_at is None
                else one
                for one in followups
            )
        case _:
            return followups
