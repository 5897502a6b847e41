"""What a clinician's words say: the priority of a request in any of its spellings, and critical indications in it."""

import re
import unicodedata
from collections.abc import Iterable
from enum import StrEnum
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any, Final

import msgspec

_NUMBER: Final = r"\s*(?:评分|总分|score)?\s*(?:[:=<≤为是]|低于|of|was)*\s*(\d+(?:\.\d+)?)"
_PARTS: Final = re.compile(r"(?<![a-z])e\s?([1-4])[\s,+]*v\s?([1-5t])[\s,+]*m\s?([1-6])(?!\d)", re.IGNORECASE)
_COUNT: Final = r"(?:(?<!\d)\d{1,2}|[一二三四五六七八九十两半数几]+)"


class Priority(StrEnum):
    """As a request says it; the highest first."""

    STAT = "STAT"
    HIGH = "HIGH"
    ROUTINE = "ROUTINE"
    LOW = "LOW"


class Keyword(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One indication of ``order.toml`` and the words that say it."""

    id: str
    zh: tuple[str, ...]
    en: tuple[str, ...]
    name_zh: str
    name_en: str
    cased: tuple[str, ...] = ()
    not_behind: tuple[str, ...] = ()
    not_before: tuple[str, ...] = ()
    parts: bool = False
    number: str | None = None
    at_most: float | None = None


class _Negation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    zh: tuple[str, ...]
    en: tuple[str, ...]
    between_zh: tuple[str, ...]
    between_en: tuple[str, ...]
    history: tuple[str, ...]
    called_history: str


class _Past(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    units_zh: tuple[str, ...]
    units_en: tuple[str, ...]
    since_zh: tuple[str, ...]
    before_zh: tuple[str, ...]
    before_en: tuple[str, ...]
    behind_zh: tuple[str, ...]


class _Joined(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    behind_min: float


class Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All of ``order.toml``."""

    version: str
    head_start_min: dict[str, float]
    joins_after_min: dict[str, float]
    joined: _Joined
    priority: dict[Priority, tuple[str, ...]]
    negation: _Negation
    past: _Past
    keyword: tuple[Keyword, ...]


@cache
def table() -> Table:
    """The table, checked on reading."""
    text = (files("greenchannel") / "triage/imaging/order.toml").read_text(encoding="utf-8")
    return msgspec.toml.decode(text, type=Table)


@cache
def _spellings() -> dict[str, Priority]:
    return {word: priority for priority, words in table().priority.items() for word in words}


def priority_of(written: str | None) -> Priority | None:
    """What a request's priority means; None where it says nothing that the table knows.

    DICOM (0040,1003), (0074,1200) and (0000,0700), HL7 ORC-7/OBR-27 and FHIR, in one table (IMG-2).
    """
    if written is None:
        return None
    return _spellings().get(re.sub(r"[\s_-]+", "", written).upper())


def critical_in(texts: Iterable[str]) -> tuple[Keyword, ...]:
    """The critical indications that a clinician wrote, each once, in the order of the table.

    A word behind a negation does not count, nor what was months ago; one that is to be ruled out does: it is why the
    study was made.
    """
    return _critical_in(tuple(texts))


@lru_cache(maxsize=8_192)  # a worklist asks for the same texts at every look
def _critical_in(texts: tuple[str, ...]) -> tuple[Keyword, ...]:
    plain = [_plain(text) for text in texts]
    return tuple(word for word in table().keyword if any(_said(word, text) for text in plain))


def _plain(text: str) -> str:
    """One width, one blank, and none of the hyphens between words."""
    joined = re.sub(r"_+|(?<=\w)-(?=\w)", " ", unicodedata.normalize("NFKC", text))
    return re.sub(r"\s+", " ", joined)


def _said(word: Keyword, text: str) -> bool:
    words, cased = _patterns(word.id)
    found = [one.span() for one in words.finditer(text)]
    if cased is not None:
        found += [one.span() for one in cased.finditer(text) if not _otherwise(word, text, *one.span())]
    return any(not _taken_back(text, *span) for span in found) or _counted(word, text)


def _counted(word: Keyword, text: str) -> bool:
    """A number that is an indication, as GCS 8 or E2V2M4; who cannot speak for a tube has 1 for V."""
    if word.number is None or word.at_most is None:
        return False
    pattern = re.compile(rf"(?<![A-Za-z]){word.number}{_NUMBER}", re.IGNORECASE)
    sums = [float(one.group(1)) for one in pattern.finditer(text)]
    if word.parts:
        sums += [sum(int(n) if n.isdigit() else 1 for n in one.groups()) for one in _PARTS.finditer(text)]
    return any(one <= word.at_most for one in sums)


def _otherwise(word: Keyword, text: str, start: int, end: int) -> bool:
    """Do the words around it give it another meaning?"""
    before, behind = text[:start].rstrip().lower(), text[end:].lstrip().lower()
    return any(re.search(rf"(?<![a-z]){re.escape(one)}$", before) for one in word.not_behind) or any(
        re.match(rf"{re.escape(one)}(?![a-z])", behind) for one in word.not_before
    )


def _taken_back(text: str, start: int, end: int) -> bool:
    """Was the word denied, or is it told of a time long gone?"""
    before, behind = _around()
    history, rest = table().negation.called_history, text[end:].lstrip()
    denied = rest.startswith(history) and _history().search(text[:start])
    return bool(denied or before.search(text[:start]) or behind.match(text[end:]))


@cache
def _around() -> tuple[re.Pattern[str], re.Pattern[str]]:
    """What takes a word back right before it, and right behind it."""
    no, past = table().negation, table().past
    before = [
        rf"{_zh(no.zh)}\s?(?:{_zh(no.between_zh)}\s?)*",
        rf"\b{_en(no.en)}\s(?:{_en(no.between_en)}\s)*",
        rf"{_zh(past.before_zh)}\s?",
        rf"\b{_en(past.before_en)}\s",
        rf"{_COUNT}余?多?\s?{_zh(past.units_zh)}余?前\s?[曾患有因行]*\s?",
    ]
    behind = [
        rf"\s?{_zh(past.behind_zh)}",
        rf"\s?{_zh(past.since_zh)}\s?约?\s?{_COUNT}余?多?\s?{_zh(past.units_zh)}(?!\s?\d)",
        rf"\s{_COUNT}\s{_en(past.units_en)}\sago\b",
    ]
    return (
        re.compile(rf"(?:{'|'.join(before)})$", re.IGNORECASE),
        re.compile(rf"(?:{'|'.join(behind)})", re.IGNORECASE),
    )


@cache
def _history() -> re.Pattern[str]:
    """A denial that reaches over other words of its clause, to a word that is called a history."""
    return re.compile(rf"{_zh(table().negation.history)}[^\s,;.:。！!?但有伴]{{0,20}}$")


@cache
def _patterns(keyword_id: str) -> tuple[re.Pattern[str], re.Pattern[str] | None]:
    """How the words of an indication are found, and those that count in one spelling only."""
    word = next(one for one in table().keyword if one.id == keyword_id)
    words = re.compile(rf"{_zh(word.zh)}|\b{_en(word.en)}\b", re.IGNORECASE)
    if not word.cased:
        return words, None
    return words, re.compile(rf"(?<![A-Za-z])(?:{'|'.join(map(re.escape, word.cased))})(?![A-Za-z])")


def _zh(words: Iterable[str]) -> str:
    """Any of them, also with blanks between the characters."""
    spaced = (r"\s?".join(map(re.escape, word)) for word in words)
    return f"(?:{'|'.join(spaced)})"


def _en(words: Iterable[str]) -> str:
    return f"(?:{'|'.join(map(re.escape, words))})"


def described(words: Iterable[Keyword]) -> list[dict[str, Any]]:
    """As they stand on the wire."""
    return [{"id": word.id, "zh": word.name_zh, "en": word.name_en} for word in words]
