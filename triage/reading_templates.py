"""Sentences that a doctor may take for a reading and for advice, in the order in which they are offered.

Wording only, from `reading_templates.toml` and a site's own file; nothing is decided here, and nothing is signed by it.
What fired puts a template up front; all others stay there to be taken. The product's own table names no medicine: what
a site gives to patients stands in the site's file, which has rows such as::

    [[advice]]
    id = "antiplatelet"
    sites = ["yinzhao"]            # of cases of these sites; left out: of all
    zh = "按本中心方案：阿司匹林 ___ mg 嚼服（核对过敏史、出血史）"
    en = "By this centre's protocol: aspirin ___ mg, chewed (allergies and bleeding history checked)"
    tiers = ["ACT"]                # offered first where the reading has one of these
    source = "本中心流程 2026-01 / protocol of this centre, 2026-01"
    mark = "O"
"""

from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any, Final

import msgspec

from greenchannel.triage.finding import BLANK, Tier
from greenchannel.triage.localise import TERRITORIES, names_en, names_zh
from greenchannel.triage.rule_rows import Mark
from greenchannel.triage.rule_set import RULES

_LAST: Final = 1_000


class Template(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A sentence to take, with where it comes from."""

    id: str
    zh: str
    en: str
    source: str
    mark: Mark
    tier: Tier | None = None  # of a reading: what it is signed with
    tiers: tuple[Tier, ...] = ()  # of advice: for which readings it is offered first
    rules: tuple[str, ...] = ()  # findings that put it up front
    sites: tuple[str, ...] = ()  # none: of every site


class Templates(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Sentences for readings, for advice, and for why the machine was wrong."""

    reading: tuple[Template, ...] = ()
    advice: tuple[Template, ...] = ()
    reason: tuple[Template, ...] = ()

    def __post_init__(self) -> None:
        for kind, rows in (("reading", self.reading), ("advice", self.advice), ("reason", self.reason)):
            ids = [row.id for row in rows]
            if len(set(ids)) != len(ids):
                raise ValueError(f"expected {kind} templates with ids of their own, got {ids}")
            for row in rows:
                _check(kind, row)


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """A template with its blanks filled as far as the findings tell."""

    id: str
    zh: str
    en: str
    tier: Tier | None
    fits: tuple[str, ...]  # findings for which it stands up front
    of_site: bool
    source: str
    mark: Mark


class Offers(msgspec.Struct, frozen=True, kw_only=True):
    """What is offered for one ECG, the best fit first."""

    readings: tuple[Offer, ...]
    advice: tuple[Offer, ...]
    reasons: tuple[Offer, ...]


def templates_of(toml: bytes) -> Templates:
    """The templates of a file; raises `ValueError` where it does not fit, saying what was expected."""
    return msgspec.toml.decode(toml, type=Templates)


def offers(
    tier: str | None, findings: Sequence[Mapping[str, Any]], *, site: str, own: Templates | None = None
) -> Offers:
    """What a doctor is offered for an ECG.

    Parameters
    ----------
    tier, findings : of the automatic analysis; None and empty where there is none
    site : of the case
    own : the site file's templates; they stand before the product's where both fit as well
    """
    fired = [str(one["id"]) for one in findings]
    rows = [(row, True) for row in _of(own.reading if own else (), site)]
    rows += [(row, False) for row in TABLE.reading]
    advice = [(row, True) for row in _of(own.advice if own else (), site)]
    advice += [(row, False) for row in TABLE.advice]
    reasons = [(row, True) for row in _of(own.reason if own else (), site)]
    reasons += [(row, False) for row in TABLE.reason]
    return Offers(
        readings=tuple(_offer(row, mine, findings) for row, mine in sorted(rows, key=_by(fired, tier))),
        advice=tuple(_offer(row, mine, findings) for row, mine in sorted(advice, key=_by(fired, tier))),
        reasons=tuple(_offer(row, mine, ()) for row, mine in reasons),
    )


def _by(fired: Sequence[str], tier: str | None) -> Any:
    """Rows of the first finding first, then those of the same tier, then as the table has them."""

    def key(item: tuple[Template, bool]) -> tuple[int, int]:
        row, _ = item
        place = min((fired.index(rule) for rule in row.rules if rule in fired), default=_LAST)
        same = tier is not None and (row.tier == tier or tier in row.tiers)
        return place, 0 if same else 1

    return key


def _of(rows: Sequence[Template], site: str) -> list[Template]:
    return [row for row in rows if not row.sites or site in row.sites]


def _offer(row: Template, of_site: bool, findings: Sequence[Mapping[str, Any]]) -> Offer:
    fitting = [one for one in findings if one["id"] in row.rules]
    walls = [slug for one in fitting for slug in one["territories"] if slug in TERRITORIES]
    walls = list(dict.fromkeys(walls))
    rule = RULES.rules.get(str(fitting[0]["id"])) if fitting else None
    zh = {"walls": names_zh(walls) if walls else BLANK, "rule": rule.zh if rule else BLANK}
    en = {"walls": names_en(walls) if walls else BLANK, "rule": rule.en if rule else BLANK}
    return Offer(
        id=row.id,
        zh=_filled(row.zh, zh),
        en=_filled(row.en, en),
        tier=row.tier,
        fits=tuple(str(one["id"]) for one in fitting),
        of_site=of_site,
        source=row.source,
        mark=row.mark,
    )


def _filled(text: str, words: Mapping[str, str]) -> str:
    for name, word in words.items():
        text = text.replace(f"{{{name}}}", word)
    return text


def _check(kind: str, row: Template) -> None:
    if not all(text.strip() for text in (row.id, row.zh, row.en, row.source)):
        raise ValueError(f"expected words in the {kind} template {row.id!r}, got an empty text")
    if kind == "reading" and row.tier is None:
        raise ValueError(f"expected a tier in the reading template {row.id!r}, got none")
    unknown = [rule for rule in row.rules if rule not in RULES.rules]
    if unknown:
        raise ValueError(f"expected rules of version {RULES.version} in {row.id!r}, got {unknown}")


TABLE: Final = templates_of((files("greenchannel") / "triage/reading_templates.toml").read_bytes())
"""The product's own."""
