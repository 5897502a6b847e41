"""Codes that are good once: who comes in with one, and why one is refused."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from greenchannel.store import passwords
from greenchannel.store.account_changes import AccountChanges
from greenchannel.store.accounts import Accounts
from greenchannel.store.errors import AccountError, CodeRefused, LastAdmin, UnknownAccount
from greenchannel.store.one_time_codes import DEVICE, USER, OneTimeCodes
from tests.store_world import NOW, Store, open_store

HOUR = timedelta(hours=1)


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    monkeypatch.setattr(passwords, "_hasher", PasswordHash((Argon2Hasher(1, 8, 1),)))
    passwords._nobodys_hash.cache_clear()
    with open_store(tmp_path) as store:
        yield store
    passwords._nobodys_hash.cache_clear()


@pytest.fixture
def accounts(store: Store) -> Accounts:
    accounts = Accounts(store.engine)
    accounts.add_site("s1", "东村卫生室", "East Village", "clinic")
    accounts.add_user("boss", "管理员", "admin", "pw")
    accounts.add_user("li", "李医生", "clinic", "pw", frozenset({"s1"}))
    return accounts


def refused(attempt: object) -> str:
    assert callable(attempt)
    with pytest.raises(CodeRefused) as error:
        attempt()
    return error.value.reason


def test_a_device_is_paired_once_and_its_old_token_is_dead(accounts: Accounts, store: Store) -> None:
    """The code gives a token; a second time, or as an invitation, it gives none, and says why."""
    codes = OneTimeCodes(store.engine)
    _, old = accounts.add_device("d1", "s1", "12 leads")
    _, code = codes.give(DEVICE, "d1", now=NOW, ttl=HOUR, by="user:boss")
    assert len(code) == 8 and code.isdigit()

    device, token = codes.pair(f"{code[:4]} {code[4:]}", NOW)

    assert accounts.device_for_token(token) == device
    assert accounts.device_for_token(old) is None
    assert refused(lambda: codes.pair(code, NOW)) == "used"
    assert refused(lambda: codes.come_in(code, "x", NOW)) == "unknown"
    for path in store.folder.glob("store.sqlite*"):
        assert token.encode() not in path.read_bytes() and code.encode() not in path.read_bytes()


def test_a_code_that_is_late_taken_back_or_of_elsewhere_changes_nothing(
    accounts: Accounts, store: Store
) -> None:
    """Each is refused by its own word, and the device keeps the token it has."""
    codes = OneTimeCodes(store.engine)
    _, token = accounts.add_device("d1", "s1", "12 leads")
    _, first = codes.give(DEVICE, "d1", now=NOW, ttl=HOUR, by="user:boss")
    _, second = codes.give(DEVICE, "d1", now=NOW, ttl=HOUR, by="user:boss")

    assert refused(lambda: codes.pair(first, NOW)) == "withdrawn"
    assert refused(lambda: codes.pair(second, NOW + HOUR)) == "expired"
    assert refused(lambda: codes.pair("00000000" if second != "00000000" else "1", NOW)) == "unknown"
    assert refused(lambda: codes.pair("", NOW)) == "unknown"
    codes.withdraw(DEVICE, "d1", NOW)
    assert refused(lambda: codes.pair(second, NOW)) == "withdrawn"
    assert accounts.device_for_token(token) is not None


def test_a_disabled_device_is_in_use_again_once_it_is_paired(accounts: Accounts, store: Store) -> None:
    """What was taken back by disabling never comes back: the token is another."""
    codes = OneTimeCodes(store.engine)
    _, old = accounts.add_device("d1", "s1", "12 leads")
    accounts.disable_device("d1")
    _, code = codes.give(DEVICE, "d1", now=NOW, ttl=HOUR, by="user:boss")
    device, token = codes.pair(code, NOW)

    assert not device.disabled
    assert (accounts.device_for_token(old), accounts.device_for_token(token)) == (None, device)


def test_a_person_chooses_a_password_with_an_invitation(accounts: Accounts, store: Store) -> None:
    """Who was signed in is out; a person who is disabled is not let in by a code of before."""
    codes = OneTimeCodes(store.engine)
    session = accounts.open_session("li", NOW, HOUR)
    _, code = codes.give(USER, "li", now=NOW, ttl=HOUR, by="user:boss")
    assert codes.come_in(code, "a new one", NOW).id == "li"
    assert accounts.session_user(session, NOW) is None
    assert accounts.check_password("li", "pw") is None
    assert accounts.check_password("li", "a new one") is not None

    _, late = codes.give(USER, "li", now=NOW, ttl=HOUR, by="user:boss")
    accounts.disable_user("li")
    assert refused(lambda: codes.come_in(late, "another", NOW)) == "withdrawn"
    with pytest.raises(AccountError, match="disabled"):
        codes.give(USER, "li", now=NOW, ttl=HOUR, by="user:boss")
    with pytest.raises(AccountError, match="exists"):
        codes.give(DEVICE, "d9", now=NOW, ttl=HOUR, by="user:boss")


def test_what_is_known_of_the_newest_code_of_each(accounts: Accounts, store: Store) -> None:
    """Whether it waits, and when it was used; never the code."""
    codes = OneTimeCodes(store.engine)
    accounts.add_device("d1", "s1", "12 leads")
    codes.give(DEVICE, "d1", now=NOW, ttl=HOUR, by="user:boss")
    _, code = codes.give(DEVICE, "d1", now=NOW + HOUR, ttl=HOUR, by="user:boss")
    known = codes.newest(DEVICE)["d1"]
    assert known.waits(NOW + HOUR) and not known.waits(NOW + 2 * HOUR)
    codes.pair(code, NOW + HOUR)
    assert codes.newest(DEVICE)["d1"].used_at == NOW + HOUR


def test_the_last_administrator_stays(accounts: Accounts, store: Store) -> None:
    """Neither disabled nor given another role; with a second one both may be."""
    changes = AccountChanges(store.engine)
    for attempt in (
        lambda: accounts.disable_user("boss"),
        lambda: changes.change_user("boss", role="quality"),
    ):
        with pytest.raises(LastAdmin, match="最后一位管理员"):
            attempt()
    user = accounts.user("boss")
    assert user is not None and (user.role, user.disabled) == ("admin", False)
    accounts.add_user("second", "二", "admin", "pw")
    accounts.disable_user("boss")
    with pytest.raises(LastAdmin):
        accounts.disable_user("second")
    changes.use_user("boss")
    changes.change_user("second", role="quality")


def test_an_administrator_who_has_yet_to_choose_a_password_is_no_second_one(
    accounts: Accounts, store: Store
) -> None:
    """An invitation may never be taken up, and a reset account is shut until it is: neither opens a door today."""
    accounts.add_user("new", "新", "admin", None)
    assert accounts.check_password("new", "!") is None
    with pytest.raises(LastAdmin):
        accounts.disable_user("boss")
    with pytest.raises(LastAdmin):
        AccountChanges(store.engine).change_user("boss", role="quality")
    codes = OneTimeCodes(store.engine)
    _, code = codes.give(USER, "new", now=NOW, ttl=HOUR, by="user:boss")
    codes.come_in(code, "a password", NOW)
    accounts.disable_user("boss")
    AccountChanges(store.engine).use_user("boss")
    accounts.set_password("new", None)
    with pytest.raises(LastAdmin):
        accounts.disable_user("boss")
    accounts.disable_user("new")


def test_who_gets_another_role_signs_in_anew(accounts: Accounts, store: Store) -> None:
    """A name alone ends no session; a site does."""
    changes = AccountChanges(store.engine)
    accounts.add_site("s2", "西村卫生室", "West Village", "clinic")
    token = accounts.open_session("li", NOW, HOUR)
    assert changes.change_user("li", name="李四").name == "李四"
    assert accounts.session_user(token, NOW) is not None
    changed = changes.change_user("li", sites=frozenset({"s1", "s2"}))
    assert changed.sites == frozenset({"s1", "s2"})
    assert accounts.session_user(token, NOW) is None
    with pytest.raises(ValueError, match="site of a clinic"):
        changes.change_user("li", every_site=True)
    with pytest.raises(UnknownAccount, match="site"):
        changes.change_user("li", sites=frozenset({"s9"}))
    assert accounts.user("li") == changed


def test_a_site_is_changed_field_by_field_and_may_be_put_back_in_use(
    accounts: Accounts, store: Store
) -> None:
    """What is not given stays; an empty name or half a place is refused."""
    changes = AccountChanges(store.engine)
    changed = changes.change_site(
        "s1", phone="0000-1", fallback_phone="0000-120", town="东村镇", distance_km=12.5
    )
    assert (changed.name_zh, changed.phone, changed.fallback_phone) == ("东村卫生室", "0000-1", "0000-120")
    assert (changed.town, changed.distance_km) == ("东村镇", 12.5)
    assert changes.change_site("s1", phone=None).phone is None
    for message, given in (
        ("text for name_zh", {"name_zh": " "}),
        ("kind among", {"kind": "ship"}),
        ("together", {"lat": 30.0}),
        ("fields of", {"disabled": True}),
    ):
        with pytest.raises(ValueError, match=message):
            changes.change_site("s1", **given)
    with pytest.raises(UnknownAccount):
        changes.change_site("s9", town="x")
    accounts.disable_site("s1")
    changes.use_site("s1")
    site = accounts.site("s1")
    assert site is not None and not site.disabled
