"""Where ECGs are, and what was read from them."""

import hashlib
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from greenchannel.store import ecg_rows
from greenchannel.store.ecg_rows import AnalysisDamaged, EcgRow
from tests.store_world import NOW, Store, open_store

SHA = "a" * 64


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(tmp_path) as store:
        yield store


def add(store: Store, number: int, patient: str = "p_1", site: str = "s1", sha256: str = SHA) -> EcgRow:
    return store.writer.transact_sync(
        lambda tx: ecg_rows.add_ecg(
            tx,
            ecg_id=f"e{number}",
            case_id=f"c{number % 2}",
            site=site,
            patient=patient,
            sha256=sha256,
            received_at=NOW + timedelta(seconds=number),
        )
    )


def test_the_same_bytes_are_found_again(store: Store) -> None:
    """For the same patient they are the same ECG; for another patient of the site they are a conflict to look at."""
    first = add(store, 1)
    add(store, 2, patient="p_2")
    run = store.writer.transact_sync

    assert run(lambda tx: ecg_rows.find_same(tx, "s1", "p_1", SHA)) == first
    assert run(lambda tx: ecg_rows.find_same(tx, "s1", "p_3", SHA)) is None
    assert run(lambda tx: ecg_rows.find_same(tx, "s2", "p_1", SHA)) is None
    assert run(lambda tx: ecg_rows.find_same_bytes_at_site(tx, "s1", SHA)) == first
    assert run(lambda tx: ecg_rows.find_same_bytes_at_site(tx, "s2", SHA)) is None


def test_an_analysis_is_kept_under_its_own_hash(store: Store) -> None:
    """The same again is one; under a false name it is refused; changed later it is not handed out."""
    body = b'{"tier":"red"}'
    sha256 = hashlib.sha256(body).hexdigest()
    add(store, 1)
    for _ in range(2):
        store.writer.transact_sync(lambda tx: ecg_rows.put_analysis(tx, sha256, body))
    store.writer.transact_sync(lambda tx: ecg_rows.set_analysis(tx, "e1", sha256))

    row = ecg_rows.get_ecg(store.engine, "e1")
    assert row is not None
    assert row.analysis_sha256 == sha256
    assert ecg_rows.get_analysis(store.engine, sha256) == body
    assert ecg_rows.get_analysis(store.engine, SHA) is None
    with pytest.raises(ValueError, match="expected an analysis"):
        store.writer.transact_sync(lambda tx: ecg_rows.put_analysis(tx, SHA, body))
    with store.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE analyses SET body = x'7b7d'")
    with pytest.raises(AnalysisDamaged):
        ecg_rows.get_analysis(store.engine, sha256)


def test_an_ecg_that_was_never_entered_has_no_row_and_takes_no_analysis(store: Store) -> None:
    """Unknown is None when asked for, and an error when something is to be done with it."""
    assert ecg_rows.get_ecg(store.engine, "e9") is None
    with pytest.raises(LookupError, match="e9"):
        store.writer.transact_sync(lambda tx: ecg_rows.set_analysis(tx, "e9", SHA))
    with pytest.raises(LookupError, match="e9"):
        store.writer.transact_sync(lambda tx: ecg_rows.move_ecg(tx, "e9", "c1", "p_1"))
