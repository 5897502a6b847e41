"""What cannot be read of a calendar, in words; and the words by which it says a role and a person."""

from collections.abc import Mapping
from functools import cache
from typing import Final
from urllib.parse import unquote

import msgspec

from greenchannel.alerts.tables import read_value

OWN: Final = "@greenchannel"  # the end of a UID that we gave


class Unreadable(Exception):
    """Something in a calendar is not understood; `final` where nothing behind it is looked at any more."""

    def __init__(self, zh: str, en: str, *, final: bool = False) -> None:
        super().__init__(en)
        self.zh = zh
        self.en = en
        self.final = final


class Wrong(msgspec.Struct, frozen=True, kw_only=True):
    """One fault of a file, and where it is."""

    where: str  # SUMMARY and beginning of the event; "" for the whole file
    zh: str
    en: str

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        return f"{place}{self.zh} / {self.en}"


@cache
def _roles() -> Mapping[str, str]:
    words = read_value("roster_ical", "roles", dict[str, tuple[str, ...]])
    return {folded(word): role for role, said in words.items() for word in said}


def folded(text: str) -> str:
    """A name or a word as it is compared: without upper case and doubled spaces."""
    return " ".join(text.split()).casefold()


def role_of(text: str) -> str | None:
    """The roster role that a word says, or None."""
    return _roles().get(folded(text))


def split_title(title: str) -> tuple[str, str]:
    """The two sides of the colon in "role: name"; the name is empty where there is no colon."""
    before, _, after = title.replace("：", ":").partition(":")
    return before.strip(), after.strip()


class People:
    """Finds a person by what a calendar writes: an id, a mail address that begins with it, or the name."""

    def __init__(self, names: Mapping[str, str]) -> None:
        """`names` are the people's names by their ids."""
        self._ids = {folded(id): id for id in names}
        self._by_name: dict[str, list[str]] = {}
        for id, name in names.items():
            self._by_name.setdefault(folded(name), []).append(id)

    def by_address(self, address: str) -> str | None:
        """The person of an ATTENDEE."""
        scheme, colon, rest = address.partition(":")
        text = rest if colon and scheme.casefold() == "mailto" else address
        whole, local = folded(unquote(text)), folded(unquote(text.partition("@")[0]))
        return self._ids.get(whole) or self._ids.get(local)

    def by_name(self, name: str) -> str | None:
        """The person of a name or an id; None where nobody or more than one has it."""
        found = self._ids.get(folded(name))
        if found is not None:
            return found
        bearers = self._by_name.get(folded(name), [])
        return bearers[0] if len(bearers) == 1 else None
