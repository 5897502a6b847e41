"""What is counted: editions, metrics and exclusions as they stand in ``editions.toml``, and of whom they are asked."""

from functools import cache
from typing import Literal

import msgspec

from greenchannel.alerts.quality.record import CaseRecord
from greenchannel.alerts.quality.tables import read_table, read_value

Statistic = Literal["mean", "median"]
Kind = Literal["interval", "before", "fact"]


class Edition(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One edition of a standard."""

    id: str
    zh: str
    en: str
    statistic: Statistic  # by which it judges
    monthly: bool = False
    exclusions: tuple[str, ...] = ()
    source: str
    mark: str


class Exclusion(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What may be left out: cases of which this fact is said."""

    id: str
    fact: str
    zh: str
    en: str
    source: str
    mark: str


class Population(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of whom a metric is asked; None and empty ask nothing."""

    diagnosis: tuple[str, ...] = ()
    modes: tuple[int, ...] = ()
    reperfusion: tuple[str, ...] = ()
    chest_pain: bool | None = None
    way: str | None = None
    age_from: float | None = None  # years
    has: tuple[str, ...] = ()  # milestones that must be known


class Metric(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    rename={"start": "from", "end": "to"},
):
    """One metric of one edition; the fields are explained in the table."""

    id: str
    edition: str
    label: str
    zh: str
    en: str
    kind: Kind = "interval"
    start: str | None = None
    end: str | None = None
    yes: tuple[str, ...] = ()  # facts
    early_counts: bool = False  # an end before the start is no error: it was done before it was due
    population: Population
    target_min: float | None = None
    below: bool = False  # met only if shorter than that
    target_share: float | None = None
    source: str
    mark: str

    @property
    def endpoints(self) -> tuple[str, ...]:
        """Its two milestones; none of a metric of facts."""
        return tuple(name for name in (self.start, self.end) if name is not None)

    @property
    def judged(self) -> bool:
        """Whether there is anything to be met; else it is only reported."""
        return self.kind != "interval" or self.target_min is not None


class Reperfused(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename={"way": "is"}):
    """What known milestones say of the way of reperfusion."""

    way: str
    has: tuple[str, ...]


@cache
def editions() -> dict[str, Edition]:
    """All editions by id, in the order they are offered."""
    return {row.id: row for row in read_table("editions", "edition", Edition)}


@cache
def exclusions() -> dict[str, Exclusion]:
    """All that may be left out, by id."""
    return {row.id: row for row in read_table("editions", "exclusion", Exclusion)}


@cache
def metrics() -> dict[str, Metric]:
    """All metrics by id, in the order they are shown."""
    return {row.id: row for row in read_table("editions", "metric", Metric)}


def metrics_of(edition: str | None) -> tuple[Metric, ...]:
    """The metrics of one edition; None: of all."""
    return tuple(row for row in metrics().values() if edition in (None, row.edition))


@cache
def wilson_z() -> float:
    """The quantile of the normal distribution by which intervals of shares are drawn."""
    return read_value("editions", "wilson_z", float)


@cache
def counted_milestones() -> tuple[str, ...]:
    """The milestones that any metric needs, in order."""
    needed = {name for row in metrics().values() for name in (*row.endpoints, *row.population.has)}
    return tuple(sorted(needed))


@cache
def counted_facts() -> tuple[str, ...]:
    """The facts that any metric or exclusion needs, in order."""
    asked = {name for row in metrics().values() for name in row.yes}
    return tuple(sorted(asked | {row.fact for row in exclusions().values()}))


@cache
def reperfusion_rules() -> tuple[Reperfused, ...]:
    """What known milestones say, the first that fits."""
    return read_table("editions", "reperfusion", Reperfused)


def reperfusion_of(record: CaseRecord) -> str | None:
    """How a case was reperfused: as somebody said, else as its milestones say; None: unknown."""
    said = record.facts.get("REPERFUSION")
    if said is not None:
        return said
    return next(
        (row.way for row in reperfusion_rules() if all(name in record.times for name in row.has)), None
    )
