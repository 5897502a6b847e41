"""The green channel, the ambulance, the milestones, and the end of a case."""

import msgspec

from greenchannel.events.base import Aware, ClockReading, Event


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """One duty of one role once the channel is open. Texts come from the site's templates, by `kind`."""

    task_id: str
    kind: str
    role: str


class GreenChannelOpened(Event, frozen=True, kw_only=True):
    """A person opened the chest-pain green channel; all tasks are given out at once."""

    channel_id: str
    tasks: tuple[Task, ...]


class GreenChannelStoodDown(Event, frozen=True, kw_only=True):
    """A person cancelled the green channel."""

    channel_id: str
    reason: str


class TaskAccepted(Event, frozen=True, kw_only=True):
    """The role has taken the task."""

    task_id: str
    person: str


class TaskDone(Event, frozen=True, kw_only=True):
    """The task is finished."""

    task_id: str
    person: str


class MilestoneRecorded(Event, frozen=True, kw_only=True):
    """One value of one milestone from one source; another value of the same source is a correction with a note."""

    milestone: str
    time: ClockReading
    source: str
    key: str | None = None  # the person or dose, where the milestone repeats
    note: str | None = None
    correction: bool = False
    said_at: Aware | None = None  # None: with this event; given, with `said_by`, where it is carried over
    said_by: str | None = None  # the actor who entered it first
    code: str | None = None  # what it was, where the milestone's table has codes: a diagnosis, an outcome


class FactRecorded(Event, frozen=True, kw_only=True):
    """Something known of the case that is no time; anything else than what stood is a correction with a note."""

    fact: str
    code: str
    source: str
    note: str | None = None
    correction: bool = False
    said_at: Aware | None = None  # None: with this event; given, with `said_by`, where it is carried over
    said_by: str | None = None


class CaseClosed(Event, frozen=True, kw_only=True):
    """Nothing more is expected of this case."""

    reason: str


class CaseMerged(Event, frozen=True, kw_only=True):
    """A person found that this case is the same episode as another; both are kept."""

    into_case_id: str


class CaseSplit(Event, frozen=True, kw_only=True):
    """A person found that these ECGs belong to another case."""

    ecg_ids: tuple[str, ...]
    new_case_id: str


class GreenChannelProposed(Event, frozen=True, kw_only=True):
    """The machine proposes to open the green channel: its tasks are prepared, and not sent."""

    ecg_id: str
    rules: tuple[str, ...]
    tasks: tuple[str, ...]  # kinds


class EtaGiven(Event, frozen=True, kw_only=True):
    """When the ambulance is expected at a place; a later one takes the place of this one."""

    place: str  # "scene" or "hub"
    at: ClockReading
    source: str  # "gps", "dispatch", "person"
    withdrawn: bool = False  # a person takes back what people said of this place; `at` is what was taken back


class FollowUpPlanned(Event, frozen=True, kw_only=True):
    """Somebody has to see to something later."""

    followup_id: str
    kind: str
    role: str
    due_at: Aware
    about: str | None = None  # the alert, channel or ECG that it is about


class FollowUpDone(Event, frozen=True, kw_only=True):
    """It was seen to."""

    followup_id: str
    person: str
    result: str  # a code of the kind's table


class FollowUpOverdue(Event, frozen=True, kw_only=True):
    """It was not seen to in time; it stays on the list."""

    followup_id: str
