"""Who is on duty, and the escalation plan that follows from it. Frozen into the alert when it opens."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cache
from itertools import pairwise

import msgspec

from greenchannel.alerts.tables import read_table, read_value
from greenchannel.clock import check_aware
from greenchannel.events import PlanStep
from greenchannel.triage.finding import Tier

EVERYBODY = "everybody"


class Shift(msgspec.Struct, frozen=True, kw_only=True):
    """One person's duty from `start` up to, not including, `end`."""

    person: str  # user id
    role: str  # roster role: "first", "second", "head"
    start: datetime  # aware
    end: datetime  # aware

    def covers(self, at: datetime) -> bool:
        """Whether `at` lies within the shift."""
        return self.start <= at < self.end


class StepRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One row of ``escalation.toml``: whom to ring, and how long after the opening of the alert."""

    after_s: float
    role: str
    again: tuple[str, ...] = ()  # roster roles of earlier steps that are rung once more


class EscalationSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The site's configuration of the escalation; checked on building."""

    paging_tiers: tuple[Tier, ...]
    channels: tuple[str, ...]
    everybody_roles: tuple[str, ...]
    grace_s: float  # how late a step may be before the auditor speaks
    analysis_s: float  # how long an ECG may be without a reading before the auditor speaks
    steps: tuple[StepRule, ...]

    def __post_init__(self) -> None:
        times = [step.after_s for step in self.steps]
        if not self.steps or self.steps[-1].role != EVERYBODY:
            raise ValueError(
                f'expected a last step with role "{EVERYBODY}", got {[s.role for s in self.steps]}'
            )
        if times[0] < 0 or any(a >= b for a, b in pairwise(times)):
            raise ValueError(f"expected after_s at or above 0 and rising from step to step, got {times}")
        if not self.channels:
            raise ValueError("expected at least one channel, got none")


@cache
def default_settings() -> EscalationSettings:
    """The configuration of ``escalation.toml``."""
    return EscalationSettings(
        paging_tiers=read_value("escalation", "paging_tiers", tuple[Tier, ...]),
        channels=read_value("escalation", "channels", tuple[str, ...]),
        everybody_roles=read_value("escalation", "everybody_roles", tuple[str, ...]),
        grace_s=read_value("escalation", "grace_s", float),
        analysis_s=read_value("escalation", "analysis_s", float),
        steps=read_table("escalation", "step", StepRule),
    )


class _SiteFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    paging_tiers: tuple[Tier, ...]
    channels: tuple[str, ...]
    everybody_roles: tuple[str, ...]
    grace_s: float
    analysis_s: float
    step: tuple[StepRule, ...]


def settings_of(toml: bytes) -> EscalationSettings:
    """The configuration that a site's own file says, of the form of ``escalation.toml``.

    Raises
    ------
    ValueError
        It is no TOML, a key is missing or unknown, or a value does not fit. Nothing is taken from the default: half a
        configuration would be somebody's guess about who is called.
    """
    said = msgspec.toml.decode(toml, type=_SiteFile)
    return EscalationSettings(
        paging_tiers=said.paging_tiers,
        channels=said.channels,
        everybody_roles=said.everybody_roles,
        grace_s=said.grace_s,
        analysis_s=said.analysis_s,
        steps=said.step,
    )


def on_duty(shifts: Iterable[Shift], at: datetime, role: str) -> str | None:
    """Return the person on duty in `role` at `at`, or None.

    Where shifts overlap, the one that began last holds: it is the newest decision about this hour.
    """
    at = check_aware(at)
    current = [shift for shift in shifts if shift.role == role and shift.covers(at)]
    return max(current, key=lambda shift: (shift.start, shift.person)).person if current else None


def everybody_on_duty(shifts: Iterable[Shift], at: datetime, roles: Sequence[str]) -> tuple[str, ...]:
    """All people of the given roster roles who are on duty at `at`, in the order of the roles, each once."""
    shifts, at = tuple(shifts), check_aware(at)
    people = [s.person for role in roles for s in shifts if s.role == role and s.covers(at)]
    return tuple(dict.fromkeys(people))


def plan_for(
    tier: str, shifts: Sequence[Shift], at: datetime, settings: EscalationSettings | None = None
) -> tuple[PlanStep, ...]:
    """Return the escalation plan of an alert of `tier` that opens at `at`; empty for a tier that does not page.

    A step with nobody on duty is left out, and the first step that is left starts at once. The last step is always
    "everybody", and falling due it exhausts the alert. With nobody on duty at all it is the only step and due at
    once: the clinic learns immediately that no doctor will answer.
    """
    settings = settings or default_settings()
    if tier not in settings.paging_tiers:
        return ()
    everybody = everybody_on_duty(shifts, at, settings.everybody_roles)
    steps = [
        PlanStep(after_s=rule.after_s, role=rule.role, people=people, channels=settings.channels)
        for rule in settings.steps[:-1]
        if (people := _people(rule, shifts, at))
    ]
    last = PlanStep(
        after_s=settings.steps[-1].after_s, role=EVERYBODY, people=everybody, channels=settings.channels
    )
    if not steps:
        now = msgspec.structs.replace(last, after_s=0.0)
        return (now, last) if everybody else (now,)
    return (msgspec.structs.replace(steps[0], after_s=0.0), *steps[1:], last)


def _people(rule: StepRule, shifts: Sequence[Shift], at: datetime) -> tuple[str, ...]:
    person = on_duty(shifts, at, rule.role)
    if person is None:
        return ()
    again = (on_duty(shifts, at, role) for role in rule.again)
    return tuple(dict.fromkeys([person, *(name for name in again if name is not None)]))
