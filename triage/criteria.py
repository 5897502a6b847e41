"""The clinical numbers of `criteria.toml` as frozen records, checked when they are loaded.

A broken table is loud: `load` raises `CriteriaError`, and importing this module loads the product's own table.
"""

from collections.abc import Iterable
from importlib.resources import files
from itertools import pairwise
from typing import Annotated, Final, Literal

import msgspec

from greenchannel.signal.leads import CABRERA_CHAIN, CHEST_CHAIN, STANDARD_18
from greenchannel.triage.finding import Tier

Sex = Literal["male", "female"]
Mark = Literal["S", "K", "E", "O"]
Text = Annotated[str, msgspec.Meta(min_length=1)]
Amount = Annotated[float, msgspec.Meta(gt=0)]

SEXES: Final[tuple[Sex, ...]] = ("male", "female")
STE_LEADS: Final = tuple(name for name in STANDARD_18 if name != "aVR")
"""Leads in which an ST elevation counts; aVR does not."""


class CriteriaError(ValueError):
    """The table of clinical criteria is not complete or contradicts itself."""


class SteThreshold(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One cell of the STE-1 table."""

    leads: tuple[str, ...]
    sex: Sex
    age_from_years: Annotated[float, msgspec.Meta(ge=0)]
    threshold_uv: Amount
    source: Text
    mark: Mark
    age_below_years: float | None = None  # None: no upper end


class Reciprocal(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Elevation in one of these leads is mirrored by depression in one of those (STE-RECIP)."""

    elevation: tuple[str, ...]
    depression: tuple[str, ...]
    depth_uv: Amount
    source: Text
    mark: Mark


class Limit(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One number and where it comes from."""

    value: Amount
    source: Text
    mark: Mark


class Limits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The single numbers; each name carries its unit."""

    borderline_margin_uv: Limit
    borderline_leads: Limit
    contiguous_leads: Limit
    bridged_leads: Limit
    rounding_uv: Limit
    adult_from_years: Limit
    age_up_to_years: Limit
    wide_qrs_from_ms: Limit
    right_ventricle_v1_uv: Limit


class TierName(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a tier is called."""

    tier: Tier
    en: Text
    zh: Text


class Ageing(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An unanswered case of `tier` joins the end of the unanswered cases of `to` after `after_s` seconds."""

    tier: Tier
    after_s: Amount
    to: Tier
    source: Text
    mark: Mark


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


class _File(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The table as it is written."""

    rules_version: Text
    ste_threshold: tuple[SteThreshold, ...]
    reciprocal: tuple[Reciprocal, ...]
    limits: Limits
    tier: tuple[TierName, ...]
    ageing: tuple[Ageing, ...]


class Criteria(msgspec.Struct, frozen=True, kw_only=True):
    """All criteria, ready for the rules. `profiles` run from the strictest to the most sensitive."""

    rules_version: str
    profiles: tuple[Profile, ...]
    reciprocal: tuple[Reciprocal, ...]
    limits: Limits
    tier_names: dict[Tier, TierName]
    ageing: dict[Tier, Ageing]


def load(text: str) -> Criteria:
    """Read a table of criteria written in TOML.

    Raises
    ------
    CriteriaError
        Where a key is missing, unknown or of the wrong kind; where the thresholds leave a lead, sex or adult age
        out or give it twice; where the tiers are not all named in order.
    """
    try:
        table = msgspec.toml.decode(text, type=_File)
    except (msgspec.ValidationError, msgspec.DecodeError) as error:
        raise CriteriaError(f"expected a table of criteria, got: {error}") from error
    _check_tiers(table)
    for row in table.reciprocal:
        _check_leads("reciprocal", (*row.elevation, *row.depression), STE_LEADS)
    return Criteria(
        rules_version=table.rules_version,
        profiles=_profiles(table),
        reciprocal=table.reciprocal,
        limits=table.limits,
        tier_names={row.tier: row for row in table.tier},
        ageing={row.tier: row for row in table.ageing},
    )


def _check_tiers(table: _File) -> None:
    named = [row.tier for row in table.tier]
    if named != list(Tier):
        raise CriteriaError(
            f"expected names for the tiers {' '.join(Tier)} in this order, got {' '.join(named)}"
        )
    aged = [row.tier for row in table.ageing]
    if len(set(aged)) != len(aged):
        raise CriteriaError(f"expected each tier once under ageing, got {' '.join(aged)}")
    for row in table.ageing:
        if row.to.rank >= row.tier.rank:
            raise CriteriaError(f"expected {row.tier} to move up with age, got a move to {row.to}")


def _check_leads(where: str, names: Iterable[str], allowed: tuple[str, ...]) -> None:
    unknown = [name for name in names if name not in allowed]
    if unknown:
        raise CriteriaError(f"{where}: expected leads of {' '.join(allowed)}, got {' '.join(unknown)}")


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
            raise CriteriaError(
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
        raise CriteriaError(
            f"expected one STE-1 threshold for {lead}, {sex}, {age_years:g} years, got {len(rows)}"
        )
    return rows[0].threshold_uv


CRITERIA: Final = load((files("greenchannel") / "triage/criteria.toml").read_text(encoding="utf-8"))
"""The product's criteria."""

EVIDENCE_ORDER: Final = (*(name for name in CABRERA_CHAIN if name != "-aVR"), *CHEST_CHAIN)
"""Leads of the STE rules in anatomical order: along the limbs, then along the chest."""
