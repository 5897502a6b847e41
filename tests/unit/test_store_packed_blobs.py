"""Blobs are packed before they are sealed, and nobody who reads them notices."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from greenchannel.ingest.packing import MAGIC, pack, unpack
from greenchannel.ingest.wfdb_write import write_wfdb_zip
from greenchannel.signal.leads import STANDARD_12
from greenchannel.signal.recording import Recording
from greenchannel.store.blobs import AS_THEY_ARE, BlobDamaged, Blobs, Packing
from tests.store_world import Store, open_store


def _strip() -> bytes:
    steps = np.cumsum(np.random.default_rng(1).integers(-3, 4, (12, 3000)), axis=1)
    recording = Recording(samples_mv=(steps / 400).astype(np.float32), leads=STANDARD_12, rate_hz=500.0)
    return write_wfdb_zip(recording, lsb_mv=0.0025, age_years=None, sex=None, acquired=None)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(tmp_path) as opened:
        yield opened


def _blobs(store: Store, packing: Packing) -> Blobs:
    return Blobs(store.folder / "blobs", store.engine, store.vault(), packing)


def _kept(store: Store, blobs: Blobs, data: bytes) -> tuple[str, str]:
    """Hash and owner of bytes that were stored."""
    staged = blobs.stage(data)
    patient = store.writer.transact_sync(lambda tx: store.vault().patient_for(tx, "s1", None))
    store.writer.transact_sync(lambda tx: blobs.link(tx, staged, patient))
    return staged.sha256, patient


def test_a_strip_takes_less_than_half_on_disk_and_comes_back(store: Store) -> None:
    """Its hash is that of the original, and so is what it says of its size."""
    data = _strip()
    blobs = _blobs(store, Packing(pack, unpack))
    sha256, patient = _kept(store, blobs, data)
    (file,) = (path for path in (store.folder / "blobs").rglob("*") if path.is_file())
    assert file.stat().st_size < 0.45 * len(data)
    assert blobs.get(sha256, patient) == data
    assert blobs.stage(data).size_bytes == len(data)


@pytest.mark.parametrize("data", [_strip(), MAGIC + b"by accident", pack(b"a" * 500), b""])
def test_blobs_of_before_there_was_packing_are_read(store: Store, data: bytes) -> None:
    """Even those that begin as packed ones do."""
    sha256, patient = _kept(store, _blobs(store, AS_THEY_ARE), data)
    assert _blobs(store, Packing(pack, unpack)).get(sha256, patient) == data


def test_a_packing_that_does_not_come_back_is_damage_and_never_other_bytes(store: Store) -> None:
    """Whatever unpacks to something else than what was given is refused, with both hashes."""
    sha256, patient = _kept(store, _blobs(store, Packing(pack, unpack)), _strip())
    wrong = Packing(pack, lambda kept: unpack(kept)[:-1] + b"x")
    with pytest.raises(BlobDamaged, match=f"expected bytes with SHA-256 {sha256}, got "):
        _blobs(store, wrong).get(sha256, patient)
