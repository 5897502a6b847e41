"""What a clinician's words say: the priority of a request in any of its spellings, and critical indications in it."""

import re
from collections.abc import Iterable
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Any, Final

import msgspec

_NUMBER: Final = r"\s*(?:评分|score)?\s*[:：=为]?\s*(\d+(?:\.\d+)?)"


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
    number: str | None = None
    at_most: float | None = None


class _Negation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    zh: tuple[str, ...]
    en: tuple[str, ...]


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

    A word right behind a negation does not count; one that is to be ruled out does: it is why the study was made.
    """
    texts = tuple(texts)
    return tuple(word for word in table().keyword if any(_said(word, text) for text in texts))


def _said(word: Keyword, text: str) -> bool:
    patterns = _patterns(word.id)
    if any(pattern.search(text) for pattern in patterns["words"]):
        return True
    return any(
        word.at_most is not None and float(found.group(1)) <= word.at_most
        for pattern in patterns["numbers"]
        for found in pattern.finditer(text)
    )


@cache
def _patterns(keyword_id: str) -> dict[str, tuple[re.Pattern[str], ...]]:
    word = next(one for one in table().keyword if one.id == keyword_id)
    no_zh = "".join(f"(?<!{re.escape(one)})" for one in table().negation.zh)
    no_en = "".join(rf"(?<!\b{re.escape(one)}\s)" for one in table().negation.en)
    words = [re.compile(no_zh + re.escape(one)) for one in word.zh]
    words += [re.compile(rf"{no_en}\b{re.escape(one)}\b", re.IGNORECASE) for one in word.en]
    words += [re.compile(rf"(?<![A-Za-z]){re.escape(one)}(?![A-Za-z])") for one in word.cased]
    numbers = (
        [] if word.number is None else [re.compile(rf"(?<![A-Za-z]){word.number}{_NUMBER}", re.IGNORECASE)]
    )
    return {"words": tuple(words), "numbers": tuple(numbers)}


def described(words: Iterable[Keyword]) -> list[dict[str, Any]]:
    """As they stand on the wire."""
    return [{"id": word.id, "zh": word.name_zh, "en": word.name_en} for word in words]
