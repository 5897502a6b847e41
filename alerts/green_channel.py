"""The chest-pain green channel of one case: open or not, and the duty of each role."""

from datetime import datetime
from functools import cache

import msgspec

from greenchannel.alerts.tables import read_table
from greenchannel.events import (
    Envelope,
    GreenChannelOpened,
    GreenChannelProposed,
    GreenChannelStoodDown,
    Task,
    TaskAccepted,
    TaskDone,
)


class TaskTemplate(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One row of ``tasks.toml``."""

    kind: str
    role: str
    zh: str
    en: str
    done_milestone: str | None = None
    may_accept: tuple[str, ...]  # roles
    modes: tuple[int, ...] = (1, 2, 3, 4)  # national arrival codes in which the duty exists
    due_interval: str | None = None  # of intervals.toml: its target says when the duty should be done

    def exists_in(self, arrival_mode: int | None) -> bool:
        """Whether a case of this arrival mode has the duty; with the mode unknown it has all."""
        return arrival_mode is None or arrival_mode in self.modes


class TaskState(msgspec.Struct, frozen=True, kw_only=True):
    """One duty of one role, and how far it is."""

    task_id: str
    kind: str
    role: str
    given_at: datetime
    accepted_at: datetime | None = None
    accepted_by: str | None = None
    done_at: datetime | None = None
    done_by: str | None = None
    cancelled_at: datetime | None = None  # stood down before it was done

    @property
    def state(self) -> str:
        """How far it is: "given", "accepted", "done", "cancelled"."""
        if self.done_at is not None:
            return "done"
        if self.cancelled_at is not None:
            return "cancelled"
        return "given" if self.accepted_at is None else "accepted"


class Proposal(msgspec.Struct, frozen=True, kw_only=True):
    """What the machine proposed, once for an episode."""

    at: datetime
    ecg_id: str
    rules: tuple[str, ...]
    tasks: tuple[str, ...]  # kinds


class GreenChannel(msgspec.Struct, frozen=True, kw_only=True):
    """The newest green channel of a case, with its tasks."""

    state: str = "closed"  # "closed", "open", "stood_down"
    channel_id: str | None = None
    opened_at: datetime | None = None
    opened_by: str | None = None
    stood_down_at: datetime | None = None
    stood_down_by: str | None = None
    reason: str | None = None
    tasks: tuple[TaskState, ...] = ()
    proposal: Proposal | None = None

    def task(self, task_id: str) -> TaskState | None:
        """The task of this id, or None."""
        return next((task for task in self.tasks if task.task_id == task_id), None)


@cache
def templates() -> tuple[TaskTemplate, ...]:
    """All task templates in the order they are shown."""
    return read_table("tasks", "task", TaskTemplate)


def template(kind: str) -> TaskTemplate | None:
    """The template of one kind; None for a kind that the table no longer has."""
    return next((row for row in templates() if row.kind == kind), None)


def tasks_of(channel_id: str, arrival_mode: int | None) -> tuple[Task, ...]:
    """The tasks given out with a channel. Their ids follow from the channel's, so that no more ids are needed.

    With the arrival mode unknown, all duties are given out.
    """
    return tuple(
        Task(task_id=f"t_{channel_id}_{row.kind}", kind=row.kind, role=row.role)
        for row in templates()
        if row.exists_in(arrival_mode)
    )


def person_of(actor: str) -> str:
    """The user id of an actor "user:<id>"; any other actor as it stands."""
    return actor.removeprefix("user:")


def fold_channel(channel: GreenChannel, envelope: Envelope) -> GreenChannel:
    """Return the channel after one event; events that do not concern it change nothing."""
    match envelope.event:
        case GreenChannelProposed() as e if channel.proposal is None:
            proposed = Proposal(at=envelope.at, ecg_id=e.ecg_id, rules=e.rules, tasks=e.tasks)
            return msgspec.structs.replace(channel, proposal=proposed)
        case GreenChannelOpened() as opened:
            return GreenChannel(
                state="open",
                channel_id=opened.channel_id,
                opened_at=envelope.at,
                opened_by=person_of(envelope.actor),
                tasks=tuple(
                    TaskState(task_id=task.task_id, kind=task.kind, role=task.role, given_at=envelope.at)
                    for task in opened.tasks
                ),
                proposal=channel.proposal,
            )
        case GreenChannelStoodDown() as down if down.channel_id == channel.channel_id:
            return msgspec.structs.replace(
                channel,
                state="stood_down",
                stood_down_at=envelope.at,
                stood_down_by=person_of(envelope.actor),
                reason=down.reason,
                tasks=tuple(
                    task
                    if task.done_at is not None
                    else msgspec.structs.replace(task, cancelled_at=envelope.at)
                    for task in channel.tasks
                ),
            )
        case TaskAccepted() | TaskDone():
            tasks = tuple(_fold_task(task, envelope) for task in channel.tasks)
            return msgspec.structs.replace(channel, tasks=tasks)
        case _:
            return channel


def _fold_task(task: TaskState, envelope: Envelope) -> TaskState:
    event = envelope.event
    if isinstance(event, TaskAccepted) and event.task_id == task.task_id and task.accepted_at is None:
        return msgspec.structs.replace(task, accepted_at=envelope.at, accepted_by=event.person)
    if isinstance(event, TaskDone) and event.task_id == task.task_id and task.done_at is None:
        return msgspec.structs.replace(task, done_at=envelope.at, done_by=event.person)
    return task
