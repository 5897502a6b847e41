"""People, devices, sites, shifts: who may knock, and who is on duty."""

import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from greenchannel.store import passwords
from greenchannel.store.accounts import Accounts, AlreadyExists, Device, Site, UnknownAccount, User
from tests.store_world import NOW, Store, open_store


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    # The same algorithm, but quick; the true cost is looked at in a test of its own.
    monkeypatch.setattr(passwords, "_hasher", PasswordHash((Argon2Hasher(1, 8, 1),)))
    passwords._nobodys_hash.cache_clear()
    with open_store(tmp_path) as store:
        yield store
    passwords._nobodys_hash.cache_clear()


@pytest.fixture
def accounts(store: Store) -> Accounts:
    accounts = Accounts(store.engine)
    accounts.add_site("s1", "东村卫生室", "East Village", "clinic", distance_km=58.5, phone="120")
    accounts.add_site("hub", "县医院", "County Hospital", "hub")
    return accounts


def test_sites_are_kept(accounts: Accounts) -> None:
    """What was entered comes back; a site that is closed stays known."""
    accounts.disable_site("hub")

    assert accounts.site("s1") == Site(
        id="s1",
        name_zh="东村卫生室",
        name_en="East Village",
        kind="clinic",
        distance_km=58.5,
        phone="120",
        timezone="Asia/Shanghai",
    )
    assert [(site.id, site.disabled) for site in accounts.sites()] == [("hub", True), ("s1", False)]
    assert accounts.site("s9") is None


def test_people_are_tied_to_sites_to_none_or_to_all(accounts: Accounts) -> None:
    """No site and every site are not the same."""
    tied = accounts.add_user("li", "李医生", "clinic", "pw", frozenset({"s1"}))
    nowhere = accounts.add_user("new", "新", "admin", "pw", frozenset())
    everywhere = accounts.add_user("wu", "吴主任", "cardiologist", "pw")

    assert tied == User(id="li", name="李医生", role="clinic", sites=frozenset({"s1"}))
    assert accounts.users() == [tied, nowhere, everywhere]
    assert [user.sites for user in accounts.users()] == [frozenset({"s1"}), frozenset(), None]
    assert accounts.user("wu") == everywhere
    assert accounts.user("nobody") is None


def test_only_the_right_password_of_a_person_in_use_opens(accounts: Accounts) -> None:
    """Wrong, empty, unknown, disabled: None, and nothing tells them apart."""
    li = accounts.add_user("li", "李", "reader", "correct horse")

    assert accounts.check_password("li", "correct horse") == li
    for user, password in (("li", "wrong"), ("li", ""), ("nobody", "correct horse"), ("", "")):
        assert accounts.check_password(user, password) is None
    accounts.set_password("li", "another")
    assert accounts.check_password("li", "correct horse") is None
    assert accounts.check_password("li", "another") == li
    accounts.disable_user("li")
    assert accounts.check_password("li", "another") is None


def test_an_old_hash_is_renewed_when_its_owner_signs_in(
    accounts: Accounts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stronger parameters reach those who sign in, without asking them for anything."""
    accounts.add_user("li", "李", "reader", "pw")
    stronger = PasswordHash((Argon2Hasher(2, 16, 1),))
    monkeypatch.setattr(passwords, "_hasher", stronger)

    assert accounts.check_password("li", "pw") is not None
    monkeypatch.setattr(
        stronger, "verify_and_update", lambda password, stored: (stronger.verify(password, stored), None)
    )
    with accounts._engine.connect() as connection:
        stored = connection.exec_driver_sql("SELECT password_hash FROM users").scalar_one()
    assert "m=16,t=2" in stored


def test_a_check_takes_as_long_for_a_person_who_does_not_exist() -> None:
    """Else a clock would tell who has an account. In time of the processor, which other work does not take."""
    stored = passwords.hash_password("pw")
    passwords.password_fits("warm", None)

    def least_s(of: str | None) -> float:
        spans = []
        for _ in range(3):
            start = time.process_time()
            assert passwords.password_fits("wrong", of) == (False, None)
            spans.append(time.process_time() - start)
        return min(spans)

    assert 0.5 < least_s(None) / least_s(stored) < 2.0


def test_a_session_ends_by_time_by_closing_and_with_its_owner(accounts: Accounts) -> None:
    """The token is worth something only while all three hold."""
    li = accounts.add_user("li", "李", "clinic", "pw", frozenset({"s1"}))
    hour = timedelta(hours=1)
    first, second = accounts.open_session("li", NOW, hour), accounts.open_session("li", NOW, hour)

    assert first != second
    assert accounts.session_user(first, NOW + hour - timedelta(microseconds=1)) == li
    assert accounts.session_user(first, NOW + hour) is None
    assert accounts.session_user("forged", NOW) is None
    accounts.close_session(first)
    assert accounts.session_user(first, NOW) is None
    assert accounts.session_user(second, NOW) == li
    accounts.disable_user("li")
    assert accounts.session_user(second, NOW) is None


def test_a_session_in_use_goes_on_but_not_for_ever(accounts: Accounts) -> None:
    """Each use moves its end on, up to the longest that it may last; one that has ended does not come back."""
    li = accounts.add_user("li", "李", "reader", "pw")
    ttl, most = timedelta(hours=12), timedelta(hours=30)
    token = accounts.open_session("li", NOW, ttl)

    def renew(hours: float) -> datetime | None:
        return accounts.renew_session(token, NOW + timedelta(hours=hours), ttl, most)

    assert renew(11) == NOW + timedelta(hours=23)
    assert accounts.session_user(token, NOW + timedelta(hours=22)) == li
    assert renew(22) == NOW + most
    assert accounts.session_user(token, NOW + most) is None
    assert renew(30) is None
    assert accounts.renew_session("never given out", NOW, ttl, most) is None


def test_a_new_password_ends_the_sessions_and_old_ones_are_forgotten(
    accounts: Accounts, store: Store
) -> None:
    """Whoever had the old password is out; sessions that ran out do not pile up."""
    accounts.add_user("li", "李", "reader", "pw")
    token = accounts.open_session("li", NOW, timedelta(hours=1))
    accounts.set_password("li", "another")
    assert accounts.session_user(token, NOW) is None

    accounts.open_session("li", NOW, timedelta(hours=1))
    accounts.open_session("li", NOW + timedelta(hours=2), timedelta(hours=1))
    with store.engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM sessions").scalar_one() == 1


def test_a_device_is_known_by_its_token_alone(accounts: Accounts, store: Store) -> None:
    """The token is given once; the database holds only its hash; a disabled device is nobody."""
    device, token = accounts.add_device("d1", "s1", "12 leads")
    other, _ = accounts.add_device("d2", "s1", "18 leads")

    assert device == Device(id="d1", site="s1", name="12 leads")
    assert accounts.device_for_token(token) == accounts.device("d1") == device
    assert accounts.device_for_token(token[:-1]) is None
    assert accounts.devices() == [device, other]
    for path in store.folder.glob("store.sqlite*"):
        assert token.encode() not in path.read_bytes()
    accounts.disable_device("d1")
    assert accounts.device_for_token(token) is None
    assert accounts.device("d1") == Device(id="d1", site="s1", name="12 leads", disabled=True)


def test_shifts_that_touch_a_span_are_found(accounts: Accounts) -> None:
    """A shift that ends where the span begins is not in it, nor one that begins where it ends."""
    accounts.add_user("li", "李", "cardiologist", "pw")
    hours = [NOW + timedelta(hours=h) for h in range(5)]
    for number, (start, end) in enumerate([(0, 1), (0, 4), (1, 2), (2, 3)]):
        accounts.add_shift(f"h{number}", "first", "li", hours[start], hours[end])

    assert [shift.id for shift in accounts.shifts_between(hours[1], hours[2])] == ["h1", "h2"]
    accounts.remove_shift("h1")
    assert accounts.shift("h1") is None
    assert [shift.id for shift in accounts.shifts_between(hours[0], hours[4])] == ["h0", "h2", "h3"]


def test_what_cannot_be_is_refused_and_says_what_was_expected(accounts: Accounts) -> None:
    """Wrong roles, kinds, zones, ids, times, unknown sites and people, and ids that are taken."""
    accounts.add_user("li", "李", "reader", "pw")
    accounts.add_user("q", "质控", "quality", "pw")
    soon = NOW + timedelta(hours=1)
    for message, attempt in (
        ("site of a clinic", lambda: accounts.add_user("x", "x", "clinic", "pw")),
        ("null for every site", lambda: accounts.add_user("x", "x", "reader", "pw", frozenset())),
        ("may answer alerts", lambda: accounts.add_shift("x", "first", "q", NOW, soon)),
        ("role among", lambda: accounts.add_user("x", "x", "king", "pw")),
        ("password", lambda: accounts.add_user("x", "x", "reader", "")),
        ("printable", lambda: accounts.add_user("", "x", "reader", "pw")),
        ("kind among", lambda: accounts.add_site("x", "x", "x", "ship")),
        ("time zone", lambda: accounts.add_site("x", "x", "x", "hub", timezone="Mars/Olympus")),
        ("end after", lambda: accounts.add_shift("x", "first", "li", NOW, NOW)),
        ("role among", lambda: accounts.add_shift("x", "fifth", "li", NOW, soon)),
    ):
        with pytest.raises(ValueError, match=message):
            attempt()
    with pytest.raises(UnknownAccount, match="site"):
        accounts.add_user("x", "x", "clinic", "pw", frozenset({"s9"}))
    with pytest.raises(UnknownAccount, match="user"):
        accounts.add_shift("x", "first", "nobody", NOW, soon)
    with pytest.raises(UnknownAccount, match="devices"):
        accounts.disable_device("d9")
    with pytest.raises(AlreadyExists, match="'li' is taken"):
        accounts.add_user("li", "另一位", "reader", "pw")
    assert [user.id for user in accounts.users()] == ["li", "q"]


def test_a_device_may_not_bear_the_name_of_anothers_computer(accounts: Accounts) -> None:
    """The clock of a clinic's computer is known as agent: and its device's id."""
    with pytest.raises(ValueError, match="agent:"):
        accounts.add_device("agent:ecg-east", "east", "x")
