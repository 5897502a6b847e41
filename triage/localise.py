"""From leads to the names of walls (clinical specification, section 5).

The walls and their sets of leads stand in `territories.toml`. The longest set wins and uses its leads up; the
search then goes on with the rest, so an extensive anterior elevation with one in I and aVL gets two names. A lead
that is left over alone beside a named wall (V2 of V2–V6) adds none: it stays in the evidence.
"""

from collections.abc import Iterable
from importlib.resources import files
from typing import Annotated, Final

import msgspec

from greenchannel.triage.rule_set import STE_LEADS, RuleSetError


class Territory(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One wall of the heart: its names, its usual culprit, and the sets of leads that show it."""

    slug: Annotated[str, msgspec.Meta(pattern=r"^[a-z_]+$")]
    en: Annotated[str, msgspec.Meta(min_length=1)]
    zh: Annotated[str, msgspec.Meta(min_length=1)]
    culprit_en: Annotated[str, msgspec.Meta(min_length=1)]
    culprit_zh: Annotated[str, msgspec.Meta(min_length=1)]
    full: tuple[str, ...]  # sets of the specification, leads separated by blanks
    partial: tuple[str, ...]  # our names for what no full set covers


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    territory: tuple[Territory, ...]


def load(text: str) -> dict[str, Territory]:
    """Read a table of territories by slug; `RuleSetError` where it is broken."""
    try:
        rows = msgspec.toml.decode(text, type=_File).territory
    except (msgspec.ValidationError, msgspec.DecodeError) as error:
        raise RuleSetError(f"expected a table of territories, got: {error}") from error
    seen: dict[frozenset[str], str] = {}
    for row in rows:
        for pattern in (*row.full, *row.partial):
            leads = frozenset(pattern.split())
            if not leads or not leads <= set(STE_LEADS):
                raise RuleSetError(f"{row.slug}: expected leads of {' '.join(STE_LEADS)}, got {pattern!r}")
            if leads in seen:
                raise RuleSetError(f"expected one name for {pattern!r}, got {seen[leads]} and {row.slug}")
            seen[leads] = row.slug
    if len({row.slug for row in rows}) != len(rows):
        raise RuleSetError(f"expected each slug once, got {[row.slug for row in rows]}")
    return {row.slug: row for row in rows}


TERRITORIES: Final = load((files("greenchannel") / "triage/territories.toml").read_text(encoding="utf-8"))
"""The product's territories by slug, in the order in which names are joined."""


def _patterns(rows: Iterable[Territory], kind: str) -> tuple[tuple[frozenset[str], str], ...]:
    found = [(frozenset(text.split()), row.slug) for row in rows for text in getattr(row, kind)]
    return tuple(sorted(found, key=lambda item: -len(item[0])))  # stable: an earlier row wins between equals


_STAGES: Final = (_patterns(TERRITORIES.values(), "full"), _patterns(TERRITORIES.values(), "partial"))


def localise(leads: Iterable[str]) -> tuple[str, ...]:
    """Slugs of the walls that these qualifying leads show, in the order of the table.

    `leads` may hold an unreadable lead that lies between two qualifying ones: it helps to name, never as evidence.
    """
    rest = frozenset(leads)
    named: set[str] = set()
    for patterns in _STAGES:
        for wanted, slug in patterns:  # longest first, so one pass is the greedy search
            if wanted <= rest:
                named.add(slug)
                rest -= wanted
    return tuple(slug for slug in TERRITORIES if slug in named)


def names_en(slugs: Iterable[str]) -> str:
    """``extensive anterior and high lateral``."""
    return " and ".join(TERRITORIES[slug].en for slug in slugs)


def names_zh(slugs: Iterable[str]) -> str:
    """``广泛前壁、高侧壁``."""
    return "、".join(TERRITORIES[slug].zh for slug in slugs)


def culprits(slugs: Iterable[str]) -> tuple[str, str]:
    """The usual culprits in English and Chinese, each once; for people to read, never an input of a decision."""
    rows = [TERRITORIES[slug] for slug in slugs]
    en = dict.fromkeys(row.culprit_en for row in rows)
    zh = dict.fromkeys(row.culprit_zh for row in rows)
    return "; ".join(en), "、".join(zh)
