"""The house of a simulated day: sites, people, their channels, and the roster, as tables in memory.

Mirrored: the questions of `store.contacts.Contacts` and `store.accounts.Accounts` that the escalation asks. Plans are
made of them by the real `service.watch.Watch`.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from itertools import count
from types import SimpleNamespace
from typing import Final

from greenchannel.alerts.channels import LIVE, channels
from greenchannel.alerts.roster_edit import DutyShift, give
from greenchannel.service.roster_watch import duty_shift, row_of
from greenchannel.store.accounts import Shift, User
from tests.simulation.agenda import HOUR, Dice, instant
from tests.simulation.memory_store import MemoryTx, Store

SITES: Final = ("north", "south", "west")
DOCTORS: Final = ("du", "han", "li", "ma", "song", "wei", "xu", "zhou")
ROSTER_ROLES: Final = ("first", "second", "head")
_OTHERS: Final = {"cathlab": ("cai", "cui"), "ed": ("er",), "ccu": ("chu",), "dispatch": ("dai",)}
_MORE_CHANNELS: Final = ("webpush", "wecom", "sms", "phone")
_ORDER: Final = {name: place for place, name in enumerate(channels())}


class House:
    """Who there is, how they are reached, who is on duty."""

    def __init__(self, store: Store, dice: Dice) -> None:
        self.disabled: set[str] = set()
        self.shifts: dict[str, Shift] = {}
        self.role_of = dict.fromkeys(DOCTORS, "cardiologist")
        self.role_of |= {person: role for role, people in _OTHERS.items() for person in people}
        self.clinics = {site: f"clinic_{site}" for site in SITES}
        self.role_of |= dict.fromkeys(self.clinics.values(), "clinic")
        self._store = store
        self._numbers = count(1)
        for person in self.role_of:
            doctor = person in DOCTORS
            for channel in _MORE_CHANNELS if doctor else ("wecom",):
                if not doctor or dice.chance(
                    {"webpush": 0.4, "wecom": 0.35, "sms": 0.4, "phone": 0.7}[channel]
                ):
                    store.contacts[f"k_{person}_{channel}"] = person, channel
        self._fill_roster(dice)

    # ------------------------------------------------------------ the roster

    def _fill_roster(self, dice: Dice) -> None:
        """Three shifts in each of two days, three roles each; every person once at most in a shift."""
        for number in range(7):
            start_ms = (8 * number - 4) * HOUR
            people = list(DOCTORS)
            dice.shuffle(people)
            for role, person in zip(ROSTER_ROLES, people, strict=False):
                self._enter(person, role, start_ms, start_ms + 8 * HOUR)

    def _enter(self, person: str, role: str, start_ms: int, end_ms: int, site: str | None = None) -> None:
        id = f"s_{next(self._numbers)}"
        self.shifts[id] = Shift(
            id=id, role=role, person=person, starts_at=instant(start_ms), ends_at=instant(end_ms), site=site
        )

    def in_force(self, at: datetime) -> list[Shift]:
        """The shifts that hold at an instant."""
        return [
            one
            for one in self.shifts.values()
            if one.replaced_by is None and one.starts_at <= at < one.ends_at
        ]

    def on_duty(self, at: datetime, site: str | None = None) -> list[str]:
        """Who has a shift at an instant; with `site`, of the network or of it."""
        found = [one for one in self.in_force(at) if site is None or one.site in (None, site)]
        return list(dict.fromkeys(one.person for one in found))

    def drop(self, shift: Shift) -> None:
        """A shift that nobody has any more: a gap."""
        del self.shifts[shift.id]

    def swap(self, shift: Shift, to: str, now: datetime) -> None:
        """Give what is left of a shift to another, as the roster's page does; raises `Refused`."""
        given = give(duty_shift(shift), to, start=None, end=None, now=now, new_id=self._shift_id)
        changed: Sequence[DutyShift] = (given.replaced, given.given, *given.kept)
        self.shifts.update({one.id: row_of(one) for one in changed})

    def _shift_id(self) -> str:
        return f"s_{next(self._numbers)}"

    # ------------------------------------------------------------ as `Accounts`

    def shifts_between(self, start: datetime, end: datetime) -> list[Shift]:
        """Shifts in force that have any part in the span, by their beginning."""
        found = [
            one
            for one in self.shifts.values()
            if one.replaced_by is None and one.starts_at < end and one.ends_at > start
        ]
        return sorted(found, key=lambda one: (one.starts_at, one.id))

    def users(self) -> list[User]:
        """Everybody, as far as the watch asks."""
        return [
            User(id=one, name=one, role=self.role_of[one], sites=None, disabled=one in self.disabled)
            for one in sorted(self.role_of)
        ]

    def site(self, site: str) -> SimpleNamespace:
        """What a site is called."""
        return SimpleNamespace(id=site, name_zh=site, name_en=site)


class MemoryContacts:
    """As `Contacts`: the addresses in the store, of the people of the house."""

    def __init__(self, house: House, store: Store) -> None:
        self._house = house
        self._store = store

    def channels_of(self, people: Collection[str]) -> Mapping[str, tuple[str, ...]]:
        """For each of `people` the channels with an address, the board first, the telephone last."""
        found: dict[str, list[str]] = {person: [] for person in people}
        for person, channel in self._store.contacts.values():
            if person in found:
                found[person].append(channel)
        return {person: (LIVE, *sorted(named, key=_ORDER.__getitem__)) for person, named in found.items()}

    def channels_in(self, tx: MemoryTx, people: Collection[str]) -> Mapping[str, tuple[str, ...]]:
        """The same, within a command."""
        return self.channels_of(people)

    def of_role(self, tx: MemoryTx, role: str, site: str) -> list[str]:
        """The people of a role who may see a site, by id."""
        house = self._house
        if role == "clinic":
            return [house.clinics[site]]
        return sorted(one for one, has in house.role_of.items() if has == role and one not in house.disabled)

    def on_duty(self, tx: MemoryTx, at: datetime, site: str) -> frozenset[str]:
        """Everybody who has a shift of the network or of a site."""
        return frozenset(self._house.on_duty(at, site))

    def addresses(self, person: str, channel: str) -> list[str]:
        """The contacts of a person on a channel; none of one who is disabled."""
        if person in self._house.disabled:
            return []
        return [id for id, has in self._store.contacts.items() if has == (person, channel)]

    def forget(self, tx: MemoryTx, contact_ids: Collection[str]) -> None:
        """Forget addresses that are no more."""
        contacts = self._store.contacts
        for id in contact_ids:
            if (had := contacts.pop(id, None)) is not None:
                tx.store.undo(lambda id=id, had=had: contacts.__setitem__(id, had))  # type: ignore[misc]
