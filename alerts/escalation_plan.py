"""Whom to ring and when: the site's configuration, and the plan that an alert freezes when it opens."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from importlib.resources import files
from itertools import pairwise
from typing import Final

import msgspec

from greenchannel.alerts.roster import ROSTER_ROLES, Shift, everybody_on_duty, on_duty
from greenchannel.events import PlanStep, Ring
from greenchannel.triage.finding import Tier

EVERYBODY: Final = "everybody"
LIVE: Final = "live"  # a board that is open: everybody has it
PHONE: Final = "phone"  # a call: for those whom a page did not move


class StepRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One row of ``escalation.toml``: whom to ring, and how long after the opening of the alert."""

    after_s: float
    role: str
    again: tuple[str, ...] = ()  # roster roles of earlier steps that are rung once more
    call: tuple[str, ...] = ()  # roster roles of earlier steps that are telephoned


class SiteSteps(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The steps of one site, in place of the network's."""

    id: str
    step: tuple[StepRule, ...]

    def __post_init__(self) -> None:
        _check_steps(self.step)


class EscalationSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The configuration of the escalation, of the form of ``escalation.toml``; checked on building."""

    paging_tiers: tuple[Tier, ...]
    waiting_s: dict[Tier, float]  # of tiers that do not page: how long an ECG may wait in the worklist unread
    channels: tuple[str, ...]  # of a person of whom nothing else is known
    everybody_roles: tuple[str, ...]
    grace_s: float  # how late a step may be before the auditor speaks
    analysis_s: float  # how long an ECG may be without a reading before the auditor speaks
    follow_up_s: float  # how long after an answer something must have followed
    receipt_s: float  # how long a board may take to say that it has a ring
    repeat_s: tuple[float, ...]  # how long after the last ring everybody is rung again; the last holds on
    step: tuple[StepRule, ...]
    site: tuple[SiteSteps, ...] = ()

    def __post_init__(self) -> None:
        _check_steps(self.step)
        silenced = [tier.value for tier in (Tier.ACT, Tier.CRIT) if tier not in self.paging_tiers]
        if silenced:
            raise ValueError(f"expected ACT and CRIT among paging_tiers, got a file that silences {silenced}")
        _check_roles(self.everybody_roles)
        if not self.everybody_roles or self.grace_s <= 0 or self.analysis_s <= 0:
            raise ValueError(
                "expected everybody_roles, and grace_s and analysis_s above 0, got "
                f"{list(self.everybody_roles)}, {self.grace_s:g}, {self.analysis_s:g}"
            )
        if not self.channels:
            raise ValueError("expected at least one channel, got none")
        times = (*self.repeat_s, self.follow_up_s, self.receipt_s, *self.waiting_s.values())
        if not self.repeat_s or any(s <= 0 for s in times):
            raise ValueError(
                "expected follow_up_s, receipt_s, and each of repeat_s and waiting_s above 0, and at least one "
                f"repeat_s, got {self.follow_up_s:g}, {self.receipt_s:g}, {list(self.repeat_s)}, {self.waiting_s}"
            )
        both = set(self.paging_tiers) & set(self.waiting_s)
        if both:
            raise ValueError(f"expected a tier either to page or to wait, got both for {sorted(both)}")
        if len({site.id for site in self.site}) < len(self.site):
            raise ValueError(f"expected each site once, got {[site.id for site in self.site]}")

    def steps_of(self, site: str | None) -> tuple[StepRule, ...]:
        """The steps that hold for cases of a site."""
        return next((one.step for one in self.site if one.id == site), self.step)


def _check_steps(steps: Sequence[StepRule]) -> None:
    for step in steps:
        _check_roles((*([] if step.role == EVERYBODY else [step.role]), *step.again, *step.call))
    times = [step.after_s for step in steps]
    if not steps or steps[-1].role != EVERYBODY:
        raise ValueError(f'expected a last step with role "{EVERYBODY}", got {[s.role for s in steps]}')
    if times[0] < 0 or any(a >= b for a, b in pairwise(times)):
        raise ValueError(f"expected after_s at or above 0 and rising from step to step, got {times}")


def _check_roles(roles: Sequence[str]) -> None:
    unknown = [role for role in roles if role not in ROSTER_ROLES]
    if unknown:
        raise ValueError(f"expected roster roles of {', '.join(ROSTER_ROLES)}, got {', '.join(unknown)}")


@cache
def default_settings() -> EscalationSettings:
    """The configuration of ``escalation.toml``."""
    return settings_of((files("greenchannel") / "alerts" / "escalation.toml").read_bytes())


def settings_of(toml: bytes) -> EscalationSettings:
    """The configuration that a site's own file says, of the form of ``escalation.toml``.

    Raises
    ------
    ValueError
        It is no TOML, a key is missing or unknown, or a value does not fit. Nothing is taken from the default: half a
        configuration would be somebody's guess about who is called.
    """
    return msgspec.toml.decode(toml, type=EscalationSettings)


def plan_for(
    tier: str,
    shifts: Sequence[Shift],
    at: datetime,
    settings: EscalationSettings | None = None,
    *,
    site: str | None = None,
    channels: Mapping[str, Sequence[str]] | None = None,
) -> tuple[PlanStep, ...]:
    """Return the escalation plan of an alert of `tier` that opens at `at`; empty for a tier that never rings.

    A step with nobody to ring is left out, and the first step that is left starts at once. The last step is always
    "everybody", and falling due it exhausts the alert. With nobody on duty at all it is the only step and due at
    once: the clinic learns immediately that no doctor will answer.

    Parameters
    ----------
    shifts
        Of the site's roster; only those that cover `at` count.
    at
        Aware.
    site
        Whose steps hold; None: the network's.
    channels
        Of each person; whoever is not in it has those of the settings. A telephone is rung by the steps that call, and
        by the last.
    """
    settings = settings or default_settings()
    if tier not in (*settings.paging_tiers, *settings.waiting_s):
        return ()
    known = channels or {}
    rules = settings.steps_of(site)
    steps = [step for rule in rules[:-1] if (step := _step(rule, shifts, at, settings, known)) is not None]
    everybody = everybody_on_duty(shifts, at, settings.everybody_roles)
    last = PlanStep(
        after_s=rules[-1].after_s,
        role=EVERYBODY,
        people=everybody,
        channels=settings.channels,
        rings=tuple(ring for one in everybody for ring in _rings(one, settings, known, call=True)),
    )
    if not steps:
        now = msgspec.structs.replace(last, after_s=0.0)
        return (now, last) if everybody else (now,)
    return (msgspec.structs.replace(steps[0], after_s=0.0), *steps[1:], last)


def _step(
    rule: StepRule,
    shifts: Sequence[Shift],
    at: datetime,
    settings: EscalationSettings,
    known: Mapping[str, Sequence[str]],
) -> PlanStep | None:
    person = on_duty(shifts, at, rule.role)
    again = [who for role in rule.again if (who := on_duty(shifts, at, role)) is not None]
    called = [who for role in rule.call if (who := on_duty(shifts, at, role)) is not None]
    rung = [*([] if person is None else [person]), *again]
    people = tuple(dict.fromkeys([*rung, *called]))
    if not people:
        return None
    rings = [ring for one in rung for ring in _rings(one, settings, known, call=False)]
    rings += [Ring(person=one, channel=PHONE) for one in called if PHONE in known.get(one, ())]
    return PlanStep(
        after_s=rule.after_s,
        role=rule.role,
        people=people,
        channels=settings.channels,
        rings=tuple(dict.fromkeys(rings)),
    )


def _rings(
    person: str, settings: EscalationSettings, known: Mapping[str, Sequence[str]], *, call: bool
) -> list[Ring]:
    channels = known.get(person) or settings.channels
    return [Ring(person=person, channel=one) for one in channels if call or one != PHONE]
