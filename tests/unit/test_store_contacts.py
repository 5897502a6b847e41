"""Addresses: sealed, one for each channel, and never shown."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from greenchannel.alerts.channels import channels
from greenchannel.store.accounts import Accounts
from greenchannel.store.contacts import Address, Contacts
from greenchannel.store.engine import reading
from greenchannel.store.errors import MasterKeyError, UnknownAccount
from greenchannel.store.vault import Vault
from tests.store_world import NOW, Store, open_store

TOKEN = "a-token-that-nobody-may-see"
PUSH = Address(url="https://push.example/1", p256dh="p", auth="a")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(tmp_path) as made:
        accounts = Accounts(made.engine)
        accounts.add_user("chen", "陈医生", "cardiologist", "a password")
        accounts.add_user("lin", "林医生", "reader", "a password")
        yield made


def contacts(store: Store) -> Contacts:
    return Contacts(store.engine, store.vault(), channels())


def test_the_board_is_first_and_the_telephone_last(store: Store) -> None:
    """In the order of the table, whatever was entered first; the board needs no address."""
    made = contacts(store)
    for channel in ("phone", "dingtalk", "webpush"):
        made.set("chen", channel, "webhook", Address(url="https://a.example"), now=NOW, by_person=False)

    assert made.channels_of(["chen", "lin", "nobody"]) == {
        "chen": ("live", "webpush", "dingtalk", "phone"),
        "lin": ("live",),
        "nobody": ("live",),
    }


def test_an_address_is_not_to_be_found_in_the_database(store: Store) -> None:
    """Neither in the file nor in the words for it."""
    address = Address(url=f"dingtalk://{TOKEN}", to="13800001234")
    made = contacts(store)
    contact = made.set("chen", "dingtalk", "dingtalk", address, now=NOW, by_person=False)
    with reading(store.engine) as connection:
        rows = repr(connection.execute(text("SELECT * FROM contacts")).all())
    files = b"".join(path.read_bytes() for path in store.folder.glob("store.sqlite*"))

    for secret in (TOKEN, "13800001234"):
        assert secret not in rows and secret.encode() not in files
        assert (
            secret not in repr(address) and secret not in repr(contact) and secret not in repr(made.shown())
        )
    assert made.addresses("chen", "dingtalk") == [(contact, address)]


def test_a_second_address_takes_the_place_of_the_first(store: Store) -> None:
    """One for each channel; of browsers several, and the same one again is one."""
    made = contacts(store)
    for url in ("https://one.example", "https://two.example"):
        made.set("chen", "sms", "webhook", Address(url=url), now=NOW, by_person=True)
    for url in ("https://push.example/1", "https://push.example/2", "https://push.example/1"):
        push = Address(url=url, p256dh="p", auth="a")
        made.set("chen", "webpush", "webpush", push, now=NOW, by_person=True, several=True)

    assert [address.url for _, address in made.addresses("chen", "sms")] == ["https://two.example"]
    assert len(made.addresses("chen", "webpush")) == 2


def test_what_is_off_is_not_used(store: Store) -> None:
    """An address that is disabled, and every address of a person who is."""
    made = contacts(store)
    contact = made.set("chen", "webpush", "webpush", PUSH, now=NOW, by_person=True, several=True)
    made.enable(contact.id, False, person="chen")
    assert (made.addresses("chen", "webpush"), made.channels_of(["chen"])["chen"]) == ([], ("live",))

    made.enable(contact.id, True)
    assert len(made.addresses("chen", "webpush")) == 1
    Accounts(store.engine).disable_user("chen")
    assert made.addresses("chen", "webpush") == []


def test_nobody_changes_the_address_of_another(store: Store) -> None:
    """It does not exist for them."""
    made = contacts(store)
    contact = made.set("chen", "webpush", "webpush", PUSH, now=NOW, by_person=True, several=True)
    with pytest.raises(UnknownAccount):
        made.remove(contact.id, person="lin")
    with pytest.raises(UnknownAccount):
        made.enable(contact.id, False, person="lin")
    with pytest.raises(UnknownAccount):
        made.set("nobody", "sms", "webhook", Address(url="https://a.example"), now=NOW, by_person=False)
    made.remove(contact.id, person="chen")

    assert made.shown() == []


def test_another_master_key_opens_nothing(store: Store) -> None:
    """It says so, instead of giving noise."""
    contacts(store).set("chen", "webpush", "webpush", PUSH, now=NOW, by_person=True, several=True)
    other = Contacts(store.engine, Vault(store.engine, b"x" * 32), channels())
    with pytest.raises(MasterKeyError):
        other.addresses("chen", "webpush")


def test_a_role_is_asked_for_by_the_site_that_it_sees(store: Store) -> None:
    """Those of every site and those of this one; no one who is disabled."""
    accounts = Accounts(store.engine)
    accounts.add_site("yinzhao", "阴赵", "Yinzhao", "clinic")
    accounts.add_site("jishi", "姬石", "Jishi", "clinic")
    for name, site in (("wang", "yinzhao"), ("sun", "jishi"), ("old", "yinzhao")):
        accounts.add_user(name, name, "clinic", "a password", frozenset({site}))
    accounts.disable_user("old")

    assert store.writer.transact_sync(lambda tx: Contacts.of_role(tx, "clinic", "yinzhao")) == ["wang"]
    assert store.writer.transact_sync(lambda tx: Contacts.of_role(tx, "cardiologist", "jishi")) == ["chen"]
