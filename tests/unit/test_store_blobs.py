"""Original bytes: unchanged under their hash, for those patients they belong to."""

import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from greenchannel.store import ecg_rows
from greenchannel.store.blobs import BlobDamaged, BlobErased, BlobMissing, Blobs, StagedBlob
from greenchannel.store.vault import PatientKeyMissing
from greenchannel.store.writer import Tx
from tests.store_world import Store, open_store

DATA = b"an original ECG file" * 100


@dataclass(frozen=True)
class Archive:
    """Blobs, and patients to own them."""

    store: Store
    blobs: Blobs

    def patient(self) -> str:
        return self.store.writer.transact_sync(lambda tx: self.store.vault().patient_for(tx, "s1", None))

    def link(self, staged: StagedBlob, patient: str) -> None:
        self.store.writer.transact_sync(lambda tx: self.blobs.link(tx, staged, patient))

    def erase(self, patient: str) -> None:
        self.store.writer.transact_sync(lambda tx: self.store.vault().erase(tx, patient))

    def files(self) -> list[Path]:
        return [path for path in (self.store.folder / "blobs").rglob("*") if path.is_file()]


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    with open_store(tmp_path) as store:
        yield Archive(store, Blobs(tmp_path / "blobs", store.engine, store.vault()))


def test_bytes_come_back_as_they_came_and_lie_sealed(archive: Archive) -> None:
    """The hash is of the original; the file on disk shows nothing of it."""
    patient = archive.patient()
    staged = archive.blobs.stage(DATA)
    archive.link(staged, patient)
    archive.link(staged, patient)

    assert archive.blobs.get(staged.sha256, patient) == DATA
    (file,) = archive.files()
    assert b"original" not in file.read_bytes()
    assert "key" not in repr(staged)


def test_bytes_are_for_their_patient_alone(archive: Archive) -> None:
    """Another patient of the same service has no way to them, nor has anyone to bytes only staged."""
    owner, other = archive.patient(), archive.patient()
    staged = archive.blobs.stage(DATA)
    with pytest.raises(BlobMissing):
        archive.blobs.get(staged.sha256, owner)
    archive.link(staged, owner)

    for stranger in (other, "p_nobody"):
        with pytest.raises(BlobMissing):
            archive.blobs.get(staged.sha256, stranger)


def test_equal_bytes_of_two_patients_are_stored_once_and_erased_apart(archive: Archive) -> None:
    """The second link takes the file that is there; erasing the first owner leaves the second's bytes readable."""
    first, second = archive.patient(), archive.patient()
    one, two = archive.blobs.stage(DATA), archive.blobs.stage(DATA)
    archive.link(one, first)
    archive.link(two, second)
    assert archive.blobs.sweep(older_than_s=-1) == 1
    assert len(archive.files()) == 1

    archive.erase(first)

    with pytest.raises(BlobErased):
        archive.blobs.get(one.sha256, first)
    assert archive.blobs.get(one.sha256, second) == DATA
    archive.erase(second)
    assert archive.blobs.sweep(older_than_s=-1) == 1
    assert archive.files() == []


def test_nothing_is_linked_to_a_patient_who_was_erased(archive: Archive) -> None:
    """An upload that was under way when its patient was erased fails."""
    patient = archive.patient()
    staged = archive.blobs.stage(DATA)
    archive.erase(patient)

    with pytest.raises(PatientKeyMissing):
        archive.link(staged, patient)


def test_equal_bytes_staged_at_once_are_safe(archive: Archive) -> None:
    """Eight uploads of one file for eight patients: each reads the same bytes, one file is enough."""
    patients = [archive.patient() for _ in range(8)]

    def upload(patient: str) -> None:
        archive.link(archive.blobs.stage(DATA), patient)

    threads = [threading.Thread(target=upload, args=(patient,)) for patient in patients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    archive.blobs.sweep(older_than_s=-1)

    sha256 = archive.blobs.stage(DATA).sha256
    assert {archive.blobs.get(sha256, patient) for patient in patients} == {DATA}


def test_sweeping_leaves_young_and_linked_files(archive: Archive) -> None:
    """What was staged a moment ago may be linked the next; what was left in the middle goes with age."""
    patient = archive.patient()
    kept = archive.blobs.stage(DATA)
    archive.link(kept, patient)
    young = archive.blobs.stage(b"young")
    (archive.store.folder / "blobs" / young.file[:2] / "torn.part").write_bytes(b"half")

    assert archive.blobs.sweep() == 0
    for path in archive.files():
        os.utime(path, (0, 0))
    assert archive.blobs.sweep() == 2
    assert archive.blobs.get(kept.sha256, patient) == DATA
    with pytest.raises(BlobMissing, match="stage the bytes again"):
        archive.link(young, patient)


def test_a_changed_file_is_not_handed_out(archive: Archive) -> None:
    """One flipped bit, a short file, a file that is gone: an error that says so, and the bytes can be sent again."""
    patient = archive.patient()
    staged = archive.blobs.stage(DATA)
    archive.link(staged, patient)
    (file,) = archive.files()
    sealed = file.read_bytes()
    for damaged in (sealed[:40] + bytes([sealed[40] ^ 1]) + sealed[41:], sealed[:-1], b"", b"x" * 13):
        file.write_bytes(damaged)
        with pytest.raises(BlobDamaged):
            archive.blobs.get(staged.sha256, patient)
    file.unlink()
    with pytest.raises(BlobMissing, match="gone"):
        archive.blobs.get(staged.sha256, patient)

    archive.link(archive.blobs.stage(DATA), patient)

    assert archive.blobs.get(staged.sha256, patient) == DATA


def test_bytes_of_an_ecg_that_moves_go_with_it(archive: Archive) -> None:
    """A person found that they are another patient's: then erasing that patient leaves nothing with the first."""
    wrong, right = archive.patient(), archive.patient()
    staged = archive.blobs.stage(DATA)
    archive.link(staged, wrong)

    def move(tx: Tx) -> None:
        ecg_rows.add_ecg(tx, ecg_id="e1", case_id="c1", site="s1", patient=wrong, sha256=staged.sha256)
        archive.blobs.share(tx, staged.sha256, wrong, right)
        ecg_rows.move_ecg(tx, "e1", "c2", right)

    archive.store.writer.transact_sync(move)

    moved = ecg_rows.get_ecg(archive.store.engine, "e1")
    assert moved is not None
    assert (moved.case_id, moved.patient) == ("c2", right)
    assert archive.blobs.get(staged.sha256, right) == DATA
    with pytest.raises(BlobMissing):
        archive.blobs.get(staged.sha256, wrong)
    archive.erase(right)
    assert archive.blobs.sweep(older_than_s=-1) == 1


def test_a_second_ecg_of_the_same_bytes_keeps_the_key(archive: Archive) -> None:
    """Moving one of two leaves the other readable."""
    first, second = archive.patient(), archive.patient()
    staged = archive.blobs.stage(DATA)
    archive.link(staged, first)

    def move(tx: Tx) -> None:
        for ecg_id in ("e1", "e2"):
            ecg_rows.add_ecg(tx, ecg_id=ecg_id, case_id="c1", site="s1", patient=first, sha256=staged.sha256)
        archive.blobs.share(tx, staged.sha256, first, second)
        ecg_rows.move_ecg(tx, "e1", "c2", second)

    archive.store.writer.transact_sync(move)

    assert archive.blobs.get(staged.sha256, first) == archive.blobs.get(staged.sha256, second) == DATA
