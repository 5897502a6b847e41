"""How long a study may wait for its report, from when, and at which shares of that time it is said (IMG-3)."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import cache
from importlib.resources import files
from typing import Literal

import msgspec

from greenchannel.clock import check_aware
from greenchannel.triage.imaging.facts import Setting, StudyFacts
from greenchannel.triage.imaging.words import Priority, critical_in, priority_of


class ClockRule(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename={"since": "from"}
):
    """One row of ``clocks.toml``; the fields are explained there."""

    id: str
    zh: str
    en: str
    minutes: float
    since: Literal["arrival", "receipt"]
    source: str
    mark: str
    modality: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    setting: tuple[Setting, ...] = ()
    critical: bool = False


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    version: str
    escalate_at: tuple[float, ...]
    not_read: tuple[str, ...]
    most_before_receipt_min: float
    clock: tuple[ClockRule, ...]


class ImageClock(msgspec.Struct, frozen=True, kw_only=True):
    """The clock of one study."""

    rule: ClockRule
    started_at: datetime
    due_at: datetime
    arrival_unknown: (
        bool  # a clock that fits runs from the arrival, which is not known: it may be later than it looks
    )

    def share_at(self, share: float) -> datetime:
        """When this share of the time is over."""
        return self.started_at + (self.due_at - self.started_at) * share


@cache
def _file() -> _File:
    text = (files("greenchannel") / "triage/imaging/clocks.toml").read_text(encoding="utf-8")
    return msgspec.toml.decode(text, type=_File)


def rules() -> tuple[ClockRule, ...]:
    """All clocks of the table."""
    return _file().clock


def escalate_at() -> tuple[float, ...]:
    """At which shares of its time an unread study is escalated, rising; the last is 1."""
    return _file().escalate_at


def is_read(modalities: Iterable[str]) -> bool:
    """Is there anything in a study that a person reads as an image? Of one that says nothing it is assumed."""
    said = tuple(modalities)
    return not said or any(one not in _file().not_read for one in said)


def clock_of(facts: StudyFacts) -> ImageClock:
    """The clock that holds for a study: of all that fit, the one that runs out first.

    An arrival in the future, or longer ago than the table believes, is taken as unknown: a time is never invented.
    """
    running = [_running(rule, facts) for rule in rules() if _fits(rule, facts)]
    first = min(running, key=lambda one: (one.due_at, one.rule.id))
    return msgspec.structs.replace(first, arrival_unknown=any(one.arrival_unknown for one in running))


def _fits(rule: ClockRule, facts: StudyFacts) -> bool:
    said = {word.id for word in critical_in(facts.texts)}
    critical = facts.marked_stat or priority_of(facts.requested_priority) is Priority.STAT or bool(said)
    return (
        (not rule.modality or facts.modality in rule.modality)
        and (not rule.words or bool(said.intersection(rule.words)))
        and (not rule.setting or facts.setting in rule.setting)
        and (critical or not rule.critical)
    )


def _running(rule: ClockRule, facts: StudyFacts) -> ImageClock:
    received = check_aware(facts.received_at)
    arrived = facts.arrived_at if rule.since == "arrival" else None
    if arrived is not None:
        believed = (
            timedelta(0)
            <= received - check_aware(arrived)
            <= timedelta(minutes=_file().most_before_receipt_min)
        )
        arrived = arrived if believed else None
    started = received if arrived is None else arrived
    return ImageClock(
        rule=rule,
        started_at=started,
        due_at=started + timedelta(minutes=rule.minutes),
        arrival_unknown=rule.since == "arrival" and arrived is None,
    )
