"""Quarantine: what could not be read, for an admin to see."""

from datetime import timedelta
from pathlib import Path

import pytest

from greenchannel.store.quarantine import Quarantine
from tests.store_world import NOW


def keep(quarantine: Quarantine, data: bytes, minute: int = 0) -> str:
    at = NOW + timedelta(minutes=minute)
    return quarantine.keep(data, reason="truncated", detail="expected 10, got 3", actor="device:d1", at=at)


def test_refused_bytes_are_kept_as_they_came(tmp_path: Path) -> None:
    """With who sent them and why they were refused; newest first; outliving the process."""
    quarantine = Quarantine(tmp_path / "quarantine")
    old = keep(quarantine, b"line\none\x00\n")
    new = keep(quarantine, b"", minute=1)

    again = Quarantine(tmp_path / "quarantine")
    listed = again.list()

    assert [(file.id, file.at, file.size_bytes) for file in listed] == [
        (new, NOW + timedelta(minutes=1), 0),
        (old, NOW, 10),
    ]
    assert (listed[0].actor, listed[0].reason, listed[0].detail) == (
        "device:d1",
        "truncated",
        "expected 10, got 3",
    )
    assert (again.read(old), again.read(new)) == (b"line\none\x00\n", b"")


def test_the_oldest_make_room(tmp_path: Path) -> None:
    """The folder never holds more than it may; a file that is larger than all of it is cut."""
    quarantine = Quarantine(tmp_path / "quarantine", max_bytes=100_000)
    ids = [keep(quarantine, bytes(30_000), minute) for minute in range(5)]

    assert [file.id for file in quarantine.list()] == list(reversed(ids[-3:]))
    huge = keep(quarantine, bytes(1_000_000), 9)
    (only,) = quarantine.list()
    assert (only.id, only.size_bytes) == (huge, 1_000_000)
    assert len(quarantine.read(huge)) == only.kept_bytes < 100_000
    assert sum(path.stat().st_size for path in (tmp_path / "quarantine").iterdir()) <= 100_000


def test_many_tiny_files_cannot_fill_the_folder(tmp_path: Path) -> None:
    """Each counts as what it takes on disk."""
    quarantine = Quarantine(tmp_path / "quarantine", max_bytes=40_960)
    for minute in range(20):
        keep(quarantine, b"x", minute)

    assert len(quarantine.list()) == 10


def test_what_is_not_there_cannot_be_read(tmp_path: Path) -> None:
    """Removed, unknown, or the name of another file altogether."""
    quarantine = Quarantine(tmp_path / "quarantine")
    assert quarantine.list() == []
    (tmp_path / "secret.quarantined").write_bytes(b"{}\n")
    gone = keep(quarantine, b"x")
    quarantine.remove(gone)
    quarantine.remove(gone)

    for file_id in (gone, "q_1", "../secret", ""):
        with pytest.raises(LookupError):
            quarantine.read(file_id)
