"""The rows of a rule set: what the tables in `rule_sets/` may hold, and nothing else."""

from typing import Annotated, Literal

import msgspec

from greenchannel.triage.finding import Tier

Sex = Literal["male", "female"]
Mark = Literal["S", "K", "E", "O"]
"""S checked against a published text, K from the literature, E our choice, O official text."""
Section = Literal["quality", "critical", "conduction", "st_elevation", "equivalent", "mimic", "guard"]
Conducted = Literal["narrow", "rbbb", "lbbb", "paced", "preexcited", "wide", "unknown"]
Text = Annotated[str, msgspec.Meta(min_length=1)]
Amount = Annotated[float, msgspec.Meta(gt=0)]


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
    """The single numbers that several rules share; each name carries its unit."""

    borderline_margin_uv: Limit
    borderline_leads: Limit
    contiguous_leads: Limit
    bridged_leads: Limit
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


class Number(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One number of a rule. Source and mark are the rule's own where they are not given."""

    value: float
    source: Text | None = None
    mark: Mark | None = None


class RuleRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One rule: what it is called, what it asks, how urgent it may be, and its numbers.

    `formula`, `formula_zh`, `why` and `why_zh` may hold the numbers by name in braces, as in ``STJ ≥ {ste_uv} µV``,
    so that what is printed is what decides.
    """

    id: Text
    section: Section
    tier: Tier  # the most urgent it can give; of a mimic or a guard, what it lowers a proposal to
    en: Text
    zh: Text
    leads: Text
    formula: Text
    formula_zh: Text
    source: Text
    mark: Mark
    conduction: tuple[Conducted, ...] = ()  # where it speaks; empty: everywhere
    lowers: tuple[str, ...] = ()  # rules, or whole sections, whose proposals it lowers
    restorable: bool = False  # a reciprocal depression, a distorted terminal QRS or evolution undoes it
    why: Text | None = None  # of a mimic or a guard: what the finding's sentence says of it
    why_zh: Text | None = None
    numbers: dict[str, Number] = {}

    def filled(self, text: str) -> str:
        """A text of the row with its numbers in place."""
        return text.format_map({name: f"{number.value:g}" for name, number in self.numbers.items()})
