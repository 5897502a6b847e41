"""Can two descriptions be of one person? What one of the two does not say speaks against nobody.

Only what no spelling explains differs: a name in two scripts, in another order, with initials or without a part of it
is the same name, and a birthday with day and month exchanged the same birthday.
"""

import re
import tomllib
import unicodedata
from datetime import date
from pathlib import Path
from typing import Any, Final, Protocol

import msgspec

from greenchannel.service.episodes import AGE_CONTRADICTS_YEARS

_TABLE: Final[dict[str, Any]] = tomllib.loads(
    Path(__file__).with_name("person.toml").read_text(encoding="utf-8")
)
_NOBODY: Final = frozenset(_TABLE["nobody"])


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """What an object, a study or a case says of its patient; None: unknown."""

    name: str | None = None
    sex: str | None = None
    birth_date: date | None = None
    age_years: float | None = None


class _Says(Protocol):
    @property
    def patient_name(self) -> str | None: ...
    @property
    def sex(self) -> str | None: ...
    @property
    def birth_date(self) -> date | None: ...
    @property
    def age_years(self) -> float | None: ...


def person_of(said: _Says) -> Person:
    """Whom an object, or the sealed words of a study, say that it is of."""
    return Person(name=said.patient_name, sex=said.sex, birth_date=said.birth_date, age_years=said.age_years)


def differences(one: Person, other: Person) -> tuple[str, ...]:
    """In which of "name", "sex", "birth_date", "age_years" two descriptions cannot be of one person."""
    found = []
    if names_differ(one.name, other.name):
        found.append("name")
    if one.sex is not None and other.sex is not None and one.sex != other.sex:
        found.append("sex")
    births = [_birth(one.birth_date), _birth(other.birth_date)]
    if births[0] is not None and births[1] is not None:
        if not _one_birthday(births[0], births[1]):
            found.append("birth_date")
    elif (
        one.age_years is not None
        and other.age_years is not None
        and abs(one.age_years - other.age_years) > AGE_CONTRADICTS_YEARS
    ):
        found.append("age_years")
    return tuple(found)


def names_differ(one: str | None, other: str | None) -> bool:
    """Are two names, as DICOM or a person writes them, those of two people?

    The forms of a DICOM name (PS3.5 6.2.1.1: letters, ideographs, sounds) are compared each with those of its script.
    """
    pairs = [
        (mine, theirs)
        for mine in _forms(one)
        for theirs in _forms(other)
        if _is_latin(mine) == _is_latin(theirs)
    ]
    return bool(pairs) and not any(_alike(mine, theirs) for mine, theirs in pairs)


def _forms(name: str | None) -> list[list[str]]:
    """The words of each form of a name, folded; none of a name that is nobody's."""
    forms = []
    for form in (name or "").split("="):
        plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", form).casefold())
        bare = "".join(letter for letter in plain if not unicodedata.combining(letter))
        words = [word for word in re.split(r"[\W_]+", bare) if word]
        if words and "".join(words) not in _NOBODY:
            forms.append(words)
    return forms


def _is_latin(words: list[str]) -> bool:
    return all(ord(letter) < 0x0250 for word in words for letter in word)


def _alike(mine: list[str], theirs: list[str]) -> bool:
    if sorted("".join(mine)) == sorted("".join(theirs)):  # in any order, cut into words in any way
        return True
    fewer, more = sorted((mine, theirs), key=len)
    left = sorted(more, key=len)
    for word in sorted(fewer, key=len, reverse=True):  # whole words first, then initials
        fits = next((each for each in left if each == word), None) or next(
            (each for each in left if _initial(word, each)), None
        )
        if fits is None:
            return False
        left.remove(fits)
    return True


def _initial(one: str, other: str) -> bool:
    shorter, longer = sorted((one, other), key=len)
    return len(shorter) == 1 and shorter.isascii() and longer.startswith(shorter)


def _birth(day: date | None) -> date | None:
    return None if day is None or day.year <= _TABLE["no_birth_until_year"] else day


def _one_birthday(one: date, other: date) -> bool:
    if one == other or (one.year, one.month, one.day) == (other.year, other.day, other.month):
        return True
    guessed = any((day.month, day.day) == (1, 1) for day in (one, other))  # of an age that was asked
    return guessed and abs(one.year - other.year) <= AGE_CONTRADICTS_YEARS
