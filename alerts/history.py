"""What happened in a case, in words: the title of each event, and what it was about."""

from functools import cache
from typing import NamedTuple

from greenchannel.alerts.facts import facts
from greenchannel.alerts.green_channel import template
from greenchannel.alerts.milestones import milestones
from greenchannel.alerts.tables import read_value
from greenchannel.events import AnyEvent, FactRecorded, MilestoneRecorded, TaskAccepted, TaskDone


class Title(NamedTuple):
    """A short text in both languages."""

    zh: str
    en: str


@cache
def _titles() -> dict[str, dict[str, str]]:
    return read_value("history", "title", dict[str, dict[str, str]])


def type_name(event: AnyEvent) -> str:
    """The event's name on the wire: ``alert_opened``."""
    return str(event.__struct_config__.tag)


def describe(event: AnyEvent) -> Title:
    """Return the title of an event, with the milestone or the task that it is about."""
    name = type_name(event)
    row = _titles().get(name, {"zh": name, "en": name})
    about = _about(event)
    if about is None:
        return Title(row["zh"], row["en"])
    return Title(f"{row['zh']}：{about.zh}", f"{row['en']}: {about.en}")


def _about(event: AnyEvent) -> Title | None:
    if isinstance(event, MilestoneRecorded):
        spec = milestones().get(event.milestone)
        return Title(spec.zh, spec.en) if spec is not None else None
    if isinstance(event, FactRecorded):
        fact = facts().get(event.fact)
        return Title(fact.zh, fact.en) if fact is not None else None
    if isinstance(event, TaskAccepted | TaskDone):
        # A task's id ends with its kind.
        kinds = (template(event.task_id.split("_", n)[-1]) for n in range(event.task_id.count("_") + 1))
        task = next((row for row in kinds if row is not None), None)
        return Title(task.zh, task.en) if task is not None else None
    return None
