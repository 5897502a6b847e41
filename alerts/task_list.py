"""The tasks of a role over many cases: what its page shows, with when each should be done."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import cache

import msgspec

from greenchannel.alerts.case import Case
from greenchannel.alerts.ecg_state import tier_rank
from greenchannel.alerts.green_channel import TaskState, template
from greenchannel.alerts.reperfusion_case import times_of
from greenchannel.alerts.timeline import IntervalSpec, interval_specs


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """One open task of one case."""

    case: Case
    task: TaskState
    due_at: datetime | None  # None: no target, or its beginning is not known

    def age_s(self, now: datetime) -> float:
        """How long ago it was given out."""
        return (now - self.task.given_at).total_seconds()


@cache
def _intervals() -> dict[str, IntervalSpec]:
    return {row.id: row for row in interval_specs()}


def open_tasks(cases: Iterable[Case], role: str | None = None) -> list[Listed]:
    """Return the tasks that are not done, of open cases whose channel is open; the most urgent tier first, then the
    oldest, those of drills behind all others.

    Parameters
    ----------
    role : str, optional
        Only what a person of this role may take.
    """
    found = [
        Listed(case=case, task=task, due_at=due_at(case, task))
        for case in cases
        if case.state == "open" and case.channel.state == "open"
        for task in case.tasks
        if task.state in ("given", "accepted") and (role is None or role in may_take(task))
    ]
    return sorted(
        found,
        key=lambda one: (
            one.case.is_drill,
            tier_rank(one.case.tier),
            one.task.given_at,
            one.case.case_id,
        ),
    )


def shown_state(case: Case, task: TaskState) -> str:
    """How far a task is, as people read it: with its case what is not done has ended, and is cancelled.

    Nothing is written for it: should the case be open again, because it rings once more, its tasks go on.
    """
    ended = case.state != "open" and task.state in ("given", "accepted")
    return "cancelled" if ended else task.state


def may_take(task: TaskState) -> tuple[str, ...]:
    """The roles that may take a task."""
    row = template(task.kind)
    return (task.role,) if row is None else row.may_accept


def due_at(case: Case, task: TaskState) -> datetime | None:
    """When a task should be done, by the target of the interval that it ends."""
    row = template(task.kind)
    spec = None if row is None or row.due_interval is None else _intervals()[row.due_interval]
    target_min = None if spec is None else spec.target_for(case.arrival_mode)
    if spec is None or target_min is None or case.arrival_mode not in (None, *spec.modes):
        return None
    begun = times_of(case, (spec.start,)).get(spec.start)
    return None if begun is None else begun.at + timedelta(minutes=target_min)
