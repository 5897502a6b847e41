"""What a rule is tested with: a recording on which it fires, near misses, and a probe for each of its numbers."""

from collections.abc import Callable
from dataclasses import dataclass, field

from greenchannel.signal.measurements import Measurements
from greenchannel.triage.finding import Earlier, Patient, Tier

MAN = Patient(age_years=61, sex="male")


@dataclass(frozen=True, kw_only=True)
class Given:
    """What a reading starts from."""

    made: Measurements
    patient: Patient = MAN
    earlier: tuple[Earlier, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Probe:
    """One number of a rule: the deciding value is laid at the number, and one step to its wrong side.

    `at` makes a recording whose deciding value is the one given, in the unit of the number's name.
    """

    number: str
    at: Callable[[float], Given]
    fires_from: bool = True  # at the number and above; False: at the number and below
    fires_at: bool = True  # False: the number itself does not fire ("<", ">")
    step: float = 1.0  # 1 µV, 1 ms; for a ratio or a score give a smaller one
    tier: Tier | None = (
        None  # fires means: with this tier (for numbers that decide the tier); None: fires at all
    )
    lowers_ste_1: bool = False  # fires means: this rule lowers STE-1 (for numbers of a mimic's effect)
    said: str | None = None  # fires means: the English words have this in them


@dataclass(frozen=True, kw_only=True)
class RuleCase:
    """One rule of the newest set."""

    rule: str  # as in the table
    fires: Given
    tier: Tier
    misses: dict[str, Given]  # what was changed → the rule must not fire; at least one
    probes: tuple[Probe, ...] = ()  # one or more for each number of the row
    finding: str | None = None  # id on the wire where it is not the rule's
    unprobed: dict[str, str] = field(default_factory=dict)  # number → why no probe is possible (a text only)
