"""How people are reached: one sealed address for each person and channel, of browsers several.

An address is a secret: it holds phone numbers and tokens. It is opened only to send; no list, event or log shows it.
"""

import base64
import secrets
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, Engine, delete, insert, select, update

from greenchannel.store import schema
from greenchannel.store.engine import reading, writing
from greenchannel.store.errors import UnknownAccount
from greenchannel.store.vault import Vault
from greenchannel.store.writer import Tx

LIVE = "live"  # every person has it, nobody enters it

_contacts, _users, _user_sites = schema.contacts, schema.users, schema.user_sites
_SHOWN = (
    _contacts.c.id,
    _contacts.c.person,
    _contacts.c.channel,
    _contacts.c.form,
    _contacts.c.by_person,
    _contacts.c.enabled,
    _contacts.c.created_at,
)


class Contact(msgspec.Struct, frozen=True, kw_only=True):
    """That there is an address, and of which form; not the address itself."""

    id: str
    person: str  # user id
    channel: str
    form: str  # "webhook", "webpush", or the scheme of an apprise URL
    by_person: bool  # entered by the person, else by an administrator
    enabled: bool
    created_at: datetime


class Entered(msgspec.Struct, frozen=True, kw_only=True):
    """When the addresses in use of one channel were entered."""

    oldest_at: datetime
    newest_at: datetime


class Address(msgspec.Struct, frozen=True, kw_only=True):
    """Where a channel delivers. Shown to nobody; its repr says nothing."""

    url: str
    secret: str | None = None  # of a webhook's signatures, "whsec_…"
    to: str | None = None  # the number that a gateway is to call
    p256dh: str | None = None  # of a browser: its public key
    auth: str | None = None  # of a browser: the secret shared with it

    def __repr__(self) -> str:
        return "Address(…)"


def new_secret() -> str:
    """A secret for signatures in the form of Standard Webhooks."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


class Contacts:
    """The table of contacts; from any thread.

    Parameters
    ----------
    order : sequence of str
        The channels in the order in which they are rung.
    """

    def __init__(self, engine: Engine, vault: Vault, order: Iterable[str]) -> None:
        self._engine = engine
        self._vault = vault
        self._order = {name: place for place, name in enumerate(order)}

    # ------------------------------------------------------------ questions

    def channels_of(self, people: Collection[str]) -> Mapping[str, tuple[str, ...]]:
        """For each of `people` the channels that have an enabled address, the board first, the telephone last."""
        with reading(self._engine) as connection:
            return self._channels(connection, people)

    def channels_in(self, tx: Tx, people: Collection[str]) -> Mapping[str, tuple[str, ...]]:
        """As `channels_of`, as of this transaction."""
        return self._channels(tx.conn, people)

    def _channels(self, connection: Connection, people: Collection[str]) -> Mapping[str, tuple[str, ...]]:
        query = (
            select(_contacts.c.person, _contacts.c.channel)
            .distinct()
            .where(_contacts.c.person.in_(people), _contacts.c.enabled)
        )
        found: dict[str, set[str]] = {person: set() for person in people}
        for person, channel in connection.execute(query):
            found[person].add(channel)
        last = len(self._order)
        return {
            person: (LIVE, *sorted(named, key=lambda name: (self._order.get(name, last), name)))
            for person, named in found.items()
        }

    def entered(self, person: str) -> Mapping[str, Entered]:
        """When the addresses in use of a person were entered, by channel; the board has none."""
        with reading(self._engine) as connection:
            return self._entered(connection, person)

    def entered_in(self, tx: Tx, person: str) -> Mapping[str, Entered]:
        """As `entered`, as of this transaction."""
        return self._entered(tx.conn, person)

    @staticmethod
    def _entered(connection: Connection, person: str) -> Mapping[str, Entered]:
        query = select(_contacts.c.channel, _contacts.c.created_at).where(
            _contacts.c.person == person, _contacts.c.enabled
        )
        found: dict[str, list[datetime]] = {}
        for channel, created_at in connection.execute(query):
            found.setdefault(channel, []).append(created_at)
        return {name: Entered(oldest_at=min(at), newest_at=max(at)) for name, at in found.items()}

    def shown(self, person: str | None = None) -> list[Contact]:
        """All contacts, or those of one person, by person and channel."""
        query = select(*_SHOWN).order_by(_contacts.c.person, _contacts.c.channel, _contacts.c.created_at)
        if person is not None:
            query = query.where(_contacts.c.person == person)
        with reading(self._engine) as connection:
            return [Contact(**row) for row in connection.execute(query).mappings()]

    def addresses(self, person: str, channel: str) -> list[tuple[Contact, Address]]:
        """Where this channel reaches the person now; none for a person who is disabled."""
        query = (
            select(*_SHOWN, _contacts.c.sealed)
            .join(_users, _users.c.id == _contacts.c.person)
            .where(
                _contacts.c.person == person,
                _contacts.c.channel == channel,
                _contacts.c.enabled,
                ~_users.c.disabled,
            )
            .order_by(_contacts.c.created_at)
        )
        with reading(self._engine) as connection:
            rows = [dict(row) for row in connection.execute(query).mappings()]
        return [(contact, address) for contact, address in map(self._opened, rows)]

    def _opened(self, row: dict[str, Any]) -> tuple[Contact, Address]:
        sealed = row.pop("sealed")
        contact = Contact(**row)
        plain = self._vault.open_contact(contact.id, sealed)
        return contact, msgspec.json.decode(plain, type=Address)

    @staticmethod
    def of_role(tx: Tx, role: str, site: str) -> list[str]:
        """The people of a role who may see a site, by id."""
        sees = _users.c.all_sites | _users.c.id.in_(
            select(_user_sites.c.user).where(_user_sites.c.site == site)
        )
        query = select(_users.c.id).where(_users.c.role == role, ~_users.c.disabled, sees)
        return [str(row.id) for row in tx.conn.execute(query.order_by(_users.c.id))]

    @staticmethod
    def on_duty(tx: Tx, at: datetime, site: str) -> frozenset[str]:
        """Everybody who has a shift in force at an instant, of the network or of this site, whatever the role."""
        table = schema.shifts
        here = table.c.site.is_(None) | (table.c.site == site)
        query = select(table.c.person).where(
            table.c.starts_at <= at, table.c.ends_at > at, table.c.replaced_by.is_(None), here
        )
        return frozenset(str(row.person) for row in tx.conn.execute(query))

    # ------------------------------------------------------------ changes

    def set(
        self,
        person: str,
        channel: str,
        form: str,
        address: Address,
        *,
        now: datetime,
        by_person: bool,
        several: bool = False,
    ) -> Contact:
        """Enter an address, in place of the one that was there; of a channel with `several`, beside others.

        Raises
        ------
        UnknownAccount
            There is no such person.
        """
        contact = Contact(
            id=f"k_{secrets.token_hex(8)}",
            person=person,
            channel=channel,
            form=form,
            by_person=by_person,
            enabled=True,
            created_at=now,
        )
        slot = self._vault.contact_mac(address.url.encode()) if several else ""
        sealed = self._vault.seal_contact(contact.id, msgspec.json.encode(address))
        row = msgspec.structs.asdict(contact) | {"slot": slot, "sealed": sealed}
        same = (_contacts.c.person == person) & (_contacts.c.channel == channel) & (_contacts.c.slot == slot)
        with writing(self._engine) as connection:
            if connection.execute(select(_users.c.id).where(_users.c.id == person)).one_or_none() is None:
                raise UnknownAccount(f"expected a user that exists, there is none called {person!r}")
            connection.execute(delete(_contacts).where(same))
            connection.execute(insert(_contacts).values(**row))
        return contact

    def enable(self, contact_id: str, enabled: bool, *, person: str | None = None) -> None:
        """Use an address, or do not; `person`: only where it is this person's. Raises `UnknownAccount`."""
        with writing(self._engine) as connection:
            found = connection.execute(
                update(_contacts).where(*_which(contact_id, person)).values(enabled=enabled)
            )
            _require_one(found.rowcount, contact_id)

    def remove(self, contact_id: str, *, person: str | None = None) -> None:
        """Forget an address; `person`: only where it is this person's. Raises `UnknownAccount`."""
        with writing(self._engine) as connection:
            found = connection.execute(delete(_contacts).where(*_which(contact_id, person)))
            _require_one(found.rowcount, contact_id)

    @staticmethod
    def forget(tx: Tx, contact_ids: Collection[str]) -> None:
        """Forget addresses that are no more, within a command."""
        tx.conn.execute(delete(_contacts).where(_contacts.c.id.in_(contact_ids)))


def _which(contact_id: str, person: str | None) -> list[ColumnElement[bool]]:
    own = [] if person is None else [_contacts.c.person == person]
    return [_contacts.c.id == contact_id, *own]


def _require_one(changed: int, contact_id: str) -> None:
    if changed != 1:
        raise UnknownAccount(f"expected a contact that exists, there is none called {contact_id!r}")
