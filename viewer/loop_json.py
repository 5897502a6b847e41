"""The closed loop on the wire: follow-ups, and the card that tells the clinic what became of the patient."""

from datetime import datetime
from typing import Any

from greenchannel.alerts import timeline_json
from greenchannel.alerts.case import Case
from greenchannel.alerts.closed_loop import Open, open_of
from greenchannel.alerts.followup_state import FollowUp, kinds, results
from greenchannel.alerts.milestones import MilestoneValue, codes
from greenchannel.alerts.outcome_card import Card
from greenchannel.clock import rfc3339
from greenchannel.viewer.directory import Directory

Json = dict[str, Any]


def followups(case: Case, names: Directory, now: datetime) -> list[Json]:
    """Every follow-up of a case: what was done, in the order it was planned, then what waits without a plan."""
    planned = [_followup(one, names, now) for one in case.followups]
    return planned + [waiting(one) for one in open_of(case, now) if one.followup_id is None]


def waiting(one: Open) -> Json:
    """One thing that waits."""
    return {
        "followup_id": one.followup_id,
        **_kind(one.kind, one.role),
        "about": one.about,
        "due_at": rfc3339(one.due_at),
        "earliest_at": rfc3339(one.earliest_at),
        "overdue": one.overdue,
        "done_at": None,
        "done_by": None,
        "result": None,
    }


def _followup(one: FollowUp, names: Directory, now: datetime) -> Json:
    said = None if one.result is None else results().get(one.result)
    return {
        "followup_id": one.followup_id,
        **_kind(one.kind, one.role),
        "about": one.about,
        "due_at": rfc3339(one.due_at),
        "earliest_at": rfc3339(one.earliest_at),
        "overdue": one.overdue(now),
        "done_at": None if one.done_at is None else rfc3339(one.done_at),
        "done_by": names.maybe_person(one.done_by),
        "result": None
        if one.result is None
        else {
            "id": one.result,
            "zh": one.result if said is None else said.zh,
            "en": one.result if said is None else said.en,
        },
    }


def _kind(kind: str, role: str) -> Json:
    row = kinds().get(kind)
    if row is None:  # of another version
        return {"kind": kind, "role": role, "zh": kind, "en": kind, "results": []}
    said = [results()[name] for name in row.results]
    return {
        "kind": kind,
        "role": role,
        "zh": row.zh,
        "en": row.en,
        "results": [
            {"id": one.id, "zh": one.zh, "en": one.en, "at_once": one.id in row.at_once} for one in said
        ],
    }


def outcome(card: Card, names: Directory) -> Json:
    """The card; what nobody has said is null."""
    return {
        "state": card.state,
        "outcome": _said(card.outcome, names),
        "diagnosis": _said(card.diagnosis, names),
        "sent": _said(card.sent, names),
        "seen": _said(card.seen, names),
        "milestones": [timeline_json.milestone_json(one, names.actor_name) for one in card.entries],
        "intervals": [timeline_json.interval_json(one) for one in card.intervals],
    }


def _said(value: MilestoneValue | None, names: Directory) -> Json | None:
    if value is None:
        return None
    code = codes(value.milestone).get(value.code or "")
    return {
        "at": rfc3339(value.time.at),
        "code": value.code,
        "zh": None if code is None else code.zh,
        "en": None if code is None else code.en,
        "note": value.note,
        "source": value.source,
        "actor": value.actor,
        "name": names.actor_name(value.actor),
    }
