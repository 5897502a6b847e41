"""A rule set: the clinical numbers and rules of one version, as frozen records, checked when they are loaded.

Each version is a folder of tables in `rule_sets/`; together they are one set. A published version never changes: an ECG
that was read by it can be read so again. A broken table is loud: `load` raises `RuleSetError`, and importing this
module loads the newest version.
"""

from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files
from itertools import pairwise
from typing import Any, Final, get_args

import msgspec

from greenchannel.signal.leads import CABRERA_CHAIN, CHEST_CHAIN, STANDARD_18
from greenchannel.triage.finding import Tier
from greenchannel.triage.rule_rows import (
    Ageing,
    Limits,
    Reciprocal,
    RuleRow,
    Section,
    Sex,
    SteThreshold,
    Text,
    TierName,
)

SEXES: Final[tuple[Sex, ...]] = ("male", "female")
STE_LEADS: Final = tuple(name for name in STANDARD_18 if name != "aVR")
"""Leads in which an ST elevation counts; aVR does not."""

EVIDENCE_ORDER: Final = (*(name for name in CABRERA_CHAIN if name != "-aVR"), *CHEST_CHAIN)
"""Leads of the STE rules in anatomical order: along the limbs, then along the chest."""

NEWEST: Final = "2"
"""The version by which ECGs are read."""

_FOLDER: Final = files("greenchannel") / "triage/rule_sets"


class RuleSetError(ValueError):
    """A table of rules is not complete or contradicts itself."""


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of adult for whom the STE-1 thresholds are constant."""

    sex: Sex
    age_from_years: float
    age_below_years: float | None
    threshold_uv: dict[str, float]  # for every lead of `STE_LEADS`

    def fits(self, age_years: float | None, sex: str | None) -> bool:
        """Could a patient of this age and sex be of this profile? None fits every profile."""
        if sex is not None and sex != self.sex:
            return False
        return age_years is None or (
            self.age_from_years <= age_years
            and (self.age_below_years is None or age_years < self.age_below_years)
        )


class Numbers:
    """The numbers of one rule, each an attribute that carries its unit: ``n.depth_uv``."""

    def __init__(self, rule: str, values: Mapping[str, float]) -> None:
        self.__dict__.update(values)  # real attributes: hundreds of them are read for each ECG
        self._rule = rule

    def __getattr__(self, name: str) -> float:
        """Asked only for what the table does not have."""
        raise RuleSetError(f"{self._rule}: expected a number {name}, the table has none")


class _File(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The tables of one version as they are written."""

    rules_version: Text
    ste_threshold: tuple[SteThreshold, ...]
    reciprocal: tuple[Reciprocal, ...]
    limits: Limits
    tier: tuple[TierName, ...]
    ageing: tuple[Ageing, ...]
    rule: tuple[RuleRow, ...]


class RuleSet(msgspec.Struct, frozen=True, kw_only=True):
    """One version of the rules, ready for use. `profiles` run from the strictest to the most sensitive."""

    version: str
    profiles: tuple[Profile, ...]
    thresholds: tuple[SteThreshold, ...]  # as written, for people to read
    reciprocal: tuple[Reciprocal, ...]
    limits: Limits
    tier_names: dict[Tier, TierName]
    ageing: dict[Tier, Ageing]
    rules: dict[str, RuleRow]  # by id, in the order of the tables
    numbers: dict[str, Numbers]  # by the rule's id

    def of(self, section: Section) -> tuple[RuleRow, ...]:
        """The rules of one section, in the order of the tables."""
        return tuple(row for row in self.rules.values() if row.section == section)


def load(*texts: str) -> RuleSet:
    """Read the tables of one version, each written in TOML.

    Raises
    ------
    RuleSetError
        Where a key is missing, unknown or of the wrong kind; where the thresholds leave a lead, sex or adult age
        out or give it twice; where the tiers are not all named in order; where a rule stands twice or its texts name
        a number that it has not.
    """
    try:
        table = msgspec.convert(_joined([msgspec.toml.decode(text) for text in texts]), type=_File)
    except (msgspec.ValidationError, msgspec.DecodeError) as error:
        raise RuleSetError(f"expected a table of rules, got: {error}") from error
    _check_tiers(table)
    for row in table.reciprocal:
        _check_leads("reciprocal", (*row.elevation, *row.depression), STE_LEADS)
    _check_rules(table.rule)
    return RuleSet(
        version=table.rules_version,
        profiles=_profiles(table),
        thresholds=table.ste_threshold,
        reciprocal=table.reciprocal,
        limits=table.limits,
        tier_names={row.tier: row for row in table.tier},
        ageing={row.tier: row for row in table.ageing},
        rules={row.id: row for row in table.rule},
        numbers={
            row.id: Numbers(row.id, {name: number.value for name, number in row.numbers.items()})
            for row in table.rule
        },
    )


def _joined(tables: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Several files as one table: lists are put behind each other, anything else may stand in one file alone."""
    whole: dict[str, Any] = {}
    for table in tables:
        for key, value in table.items():
            if key not in whole:
                whole[key] = value
            elif isinstance(value, list) and isinstance(whole[key], list):
                whole[key] = whole[key] + value
            else:
                raise RuleSetError(f"expected {key} in one file, got it in two")
    return whole


@cache
def rule_set(version: str = NEWEST) -> RuleSet:
    """A published version of the rules; `RuleSetError` names those there are where there is none of that name."""
    if version not in versions():
        raise RuleSetError(f"expected a rule set of {' '.join(versions())}, got {version}")
    found = load(*texts(version))
    if found.version != version:
        raise RuleSetError(f"expected version {version} in its folder, got {found.version}")
    return found


def texts(version: str) -> tuple[str, ...]:
    """The tables of a version as written."""
    folder = _FOLDER / f"v{version}"
    written = sorted(
        (one for one in folder.iterdir() if one.name.endswith(".toml")), key=lambda one: one.name
    )
    return tuple(one.read_text(encoding="utf-8") for one in written)


def versions() -> tuple[str, ...]:
    """All published versions, the oldest first."""
    found = [
        one.name.removeprefix("v") for one in _FOLDER.iterdir() if one.is_dir() and one.name.startswith("v")
    ]
    return tuple(sorted((name for name in found if name.isdigit()), key=int))


def _check_rules(rows: Iterable[RuleRow]) -> None:
    rows, seen = list(rows), set[str]()
    known = {row.id for row in rows} | set(get_args(Section))
    for row in rows:
        if row.id in seen:
            raise RuleSetError(f"expected each rule once, got {row.id} twice")
        seen.add(row.id)
        if row.lowers and (row.why is None or row.why_zh is None):
            raise RuleSetError(f"{row.id}: expected why and why_zh of what lowers a proposal")
        unknown = set(row.lowers) - known
        if unknown:
            raise RuleSetError(f"{row.id}: expected rules or sections to lower, got {sorted(unknown)}")
        for text in (row.formula, row.formula_zh, row.why or "", row.why_zh or ""):
            try:
                row.filled(text)
            except (KeyError, ValueError, IndexError) as error:
                raise RuleSetError(
                    f"{row.id}: expected its own numbers in braces, got {error} in {text!r}"
                ) from error


def _check_tiers(table: _File) -> None:
    named = [row.tier for row in table.tier]
    if named != list(Tier):
        raise RuleSetError(
            f"expected names for the tiers {' '.join(Tier)} in this order, got {' '.join(named)}"
        )
    aged = [row.tier for row in table.ageing]
    if len(set(aged)) != len(aged):
        raise RuleSetError(f"expected each tier once under ageing, got {' '.join(aged)}")
    for row in table.ageing:
        if row.to.rank >= row.tier.rank:
            raise RuleSetError(f"expected {row.tier} to move up with age, got a move to {row.to}")


def _check_leads(where: str, names: Iterable[str], allowed: tuple[str, ...]) -> None:
    unknown = [name for name in names if name not in allowed]
    if unknown:
        raise RuleSetError(f"{where}: expected leads of {' '.join(allowed)}, got {' '.join(unknown)}")


def _profiles(table: _File) -> tuple[Profile, ...]:
    """Cut the adult ages at every border of the table and look up each lead's threshold in each piece."""
    adult = table.limits.adult_from_years.value
    for row in table.ste_threshold:
        _check_leads("ste_threshold", row.leads, STE_LEADS)
    borders: set[float] = {adult}
    for row in table.ste_threshold:
        borders.add(row.age_from_years)
        if row.age_below_years is not None:
            borders.add(row.age_below_years)
    ends: list[float | None] = [*sorted(borders), None]
    profiles = [
        Profile(
            sex=sex,
            age_from_years=low,
            age_below_years=high,
            threshold_uv={lead: _threshold(table, lead, sex, low) for lead in STE_LEADS},
        )
        for low, high in pairwise(ends)
        if low is not None
        for sex in SEXES
    ]
    profiles.sort(key=lambda profile: -sum(profile.threshold_uv.values()))
    for stricter, other in pairwise(profiles):
        if any(stricter.threshold_uv[lead] < other.threshold_uv[lead] for lead in STE_LEADS):
            raise RuleSetError(
                f"expected thresholds that order the profiles, got {stricter.sex} from {stricter.age_from_years:g}"
                f" and {other.sex} from {other.age_from_years:g} each stricter in some lead"
            )
    return tuple(profiles)


def _threshold(table: _File, lead: str, sex: Sex, age_years: float) -> float:
    rows = [
        row
        for row in table.ste_threshold
        if lead in row.leads
        and row.sex == sex
        and row.age_from_years <= age_years
        and (row.age_below_years is None or age_years < row.age_below_years)
    ]
    if len(rows) != 1:
        raise RuleSetError(
            f"expected one STE-1 threshold for {lead}, {sex}, {age_years:g} years, got {len(rows)}"
        )
    return rows[0].threshold_uv


RULES: Final = rule_set()
"""The product's rule set."""
