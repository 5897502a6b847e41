"""The vault: pseudonyms, names under a key per patient, erasure that leaves nothing to read."""

import os
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import update

from greenchannel.store import schema
from greenchannel.store.vault import (
    MasterKeyError,
    PatientKeyMissing,
    Vault,
    load_or_make_master_key,
)
from tests.store_world import MASTER_KEY, Store, open_store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(tmp_path) as store:
        yield store


def patient(store: Store, site: str = "s1", ref: str | None = "77") -> str:
    return store.writer.transact_sync(lambda tx: store.vault().patient_for(tx, site, ref))


def put(store: Store, pseudonym: str, **data: str) -> None:
    store.writer.transact_sync(lambda tx: store.vault().put_personal(tx, pseudonym, data))


def erase(store: Store, pseudonym: str) -> None:
    store.writer.transact_sync(lambda tx: store.vault().erase(tx, pseudonym))


def bytes_on_disk(store: Store) -> bytes:
    return b"".join(path.read_bytes() for path in store.folder.glob("store.sqlite*"))


def test_a_sites_number_always_leads_to_the_same_pseudonym(store: Store) -> None:
    """Same site and number: same; another site or number: another; no number: always a new one."""
    first = patient(store)

    assert first.startswith("p_")
    assert patient(store) == first
    others = [
        patient(store, ref="78"),
        patient(store, site="s2"),
        patient(store, ref=None),
        patient(store, ref=None),
    ]
    assert len({first, *others}) == 5


@pytest.mark.parametrize("written", ["\uff17\uff17", "\u202d77\u202c", "77\u200b", "\ufeff77 "])
def test_a_number_is_what_it_shows_however_it_was_typed_or_copied(store: Store, written: str) -> None:
    """Full-width digits and marks that show nothing make no second patient, whichever was first."""
    assert patient(store, ref=written) == patient(store, ref="77") == patient(store, ref=written)
    assert patient(store, ref="77\u00b2") != patient(store, ref="772")


def test_a_number_that_was_kept_as_it_was_written_goes_on(store: Store) -> None:
    """Of a patient who was entered before numbers were compared by what they show."""
    vault, wide = store.vault(), "\uff17\uff17"
    first = patient(store)
    mac = vault._mac("s1", wide)
    store.writer.transact_sync(lambda tx: tx.conn.execute(update(schema.patients).values(ref_mac=mac)))
    assert patient(store, ref=wide) == first != patient(store)


def test_what_is_known_of_a_person_grows(store: Store) -> None:
    """New fields are added, given ones replaced; nothing known is None."""
    pseudonym = patient(store)
    assert store.vault().personal(pseudonym) is None

    put(store, pseudonym, name="王芳", phone="1")
    put(store, pseudonym, phone="2")

    assert store.vault().personal(pseudonym) == {"name": "王芳", "phone": "2"}
    assert store.vault().personal("p_nobody") is None


def test_neither_names_nor_numbers_are_on_disk_in_the_clear(store: Store) -> None:
    """The database file and its write-ahead file hold sealed bytes only."""
    put(store, patient(store, ref="MRN-0815-4711"), name="Wang Fang the Patient")

    assert b"Wang Fang" not in bytes_on_disk(store)
    assert b"0815" not in bytes_on_disk(store)


def test_an_erased_patient_cannot_be_read_and_the_number_is_new_again(store: Store) -> None:
    """Erasure destroys the key; the pseudonym stays in the log, but leads nowhere."""
    pseudonym = patient(store)
    put(store, pseudonym, name="王芳")
    erase(store, pseudonym)

    assert store.vault().personal(pseudonym) is None
    assert patient(store) != pseudonym
    with pytest.raises(PatientKeyMissing):
        put(store, pseudonym, name="again")
    with pytest.raises(PatientKeyMissing):
        erase(store, pseudonym)


def test_the_sealed_bytes_are_overwritten(store: Store) -> None:
    """After `scrub` neither the wrapped key nor the sealed name is anywhere in the database's files."""
    pseudonym = patient(store)
    put(store, pseudonym, name="王芳")
    with store.engine.connect() as connection:
        wrapped = connection.exec_driver_sql("SELECT wrapped_key FROM patient_keys").scalar_one()
        sealed = connection.exec_driver_sql("SELECT sealed FROM personal_data").scalar_one()
    assert wrapped in bytes_on_disk(store)

    erase(store, pseudonym)
    assert store.vault().scrub()

    assert wrapped not in bytes_on_disk(store)
    assert sealed not in bytes_on_disk(store)


def test_scrubbing_does_not_wait_long_for_a_reader(store: Store) -> None:
    """It says that it could not, and can be asked again."""
    patient(store)
    with store.engine.connect() as reader:
        reader.exec_driver_sql("SELECT count(*) FROM patients").scalar_one()
        patient(store, ref="2")
        assert store.vault().scrub() is False
    assert store.vault().scrub() is True


def test_another_master_key_is_refused_at_once(store: Store) -> None:
    """Not only when the first name is asked for."""
    Vault(store.engine, bytes(32))  # an empty database fits any key
    patient(store)

    with pytest.raises(MasterKeyError, match="got another"):
        Vault(store.engine, bytes(32))
    with pytest.raises(MasterKeyError, match="32 bytes"):
        Vault(store.engine, MASTER_KEY[:16])


def test_the_master_key_is_made_once_for_all_who_ask_at_once(tmp_path: Path) -> None:
    """Eight at the same moment get the same key; the file is its owner's alone and nothing is left beside it."""
    path = tmp_path / "master.key"
    keys: list[bytes] = []
    threads = [threading.Thread(target=lambda: keys.append(load_or_make_master_key(path))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)

    assert keys == [path.read_bytes()] * 8
    assert len(keys[0]) == 32
    assert [entry.name for entry in tmp_path.iterdir()] == ["master.key"]
    if os.name == "posix":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_damaged_master_key_is_refused_and_not_replaced(tmp_path: Path) -> None:
    """A new key in its place would make every name unreadable without a word."""
    path = tmp_path / "master.key"
    path.write_bytes(b"short")

    with pytest.raises(MasterKeyError, match="expected 32 bytes"):
        load_or_make_master_key(path)
    assert path.read_bytes() == b"short"
