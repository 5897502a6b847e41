"""The agent's spool keeps what it took: through kills at every step, torn files, a broken database, a full disk."""

import errno
import hashlib
import json
import os
import random
import shutil
import sqlite3
import subprocess
import sys
from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from greenchannel.agent.agent import now
from greenchannel.agent.item import Item, key_of
from greenchannel.agent.reserve import BYTES as RESERVE_BYTES
from greenchannel.agent.spool import BytesGone, Spool, SpoolBusy
from greenchannel.agent.watcher import Watcher
from tests.agent_crashes import ECGS
from tests.require import ROOT

HASHES = {hashlib.sha256(data).hexdigest(): data for data in ECGS.values()}


def look_again(folder: Path) -> Spool:
    """The next life: what the machine left is looked at anew."""
    spool = Spool(folder / "spool", now)
    seconds = iter(range(1000))
    watcher = Watcher(
        spool, folder / "watch", done=folder / "done", steady_s=lambda: float(next(seconds)), settle_s=1.0
    )
    for _ in range(4):
        watcher.look()
    return spool


def test_a_kill_at_any_step_loses_nothing_and_doubles_nothing(tmp_path: Path) -> None:
    """One child for each thing that is asked of disk or database; after each, the next life has all ECGs once."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.agent_crashes", str(tmp_path)],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / "src")))},
        capture_output=True,
        text=True,
        check=True,
    )
    lives: list[dict[str, Any]] = [json.loads(line) for line in done.stdout.splitlines()]

    assert lives[-1]["status"] == 0 and len(lives) > 50
    for life in lives:
        folder = tmp_path / str(life["steps"])
        spool = Spool(folder / "spool", now)
        after = Counter(item.sha256 for item in spool.items())
        assert set(life["told"]) <= set(after), f"step {life['steps']}: what was taken is gone"
        spool.close()
        spool = look_again(folder)
        items = spool.items()
        assert Counter(item.sha256 for item in items) == Counter(list(HASHES)), f"step {life['steps']}"
        assert all(spool.data(item) == HASHES[item.sha256] for item in items)
        assert (
            sorted(path.name for path in (folder / "spool" / "ecgs").iterdir() if path.suffix == ".tmp") == []
        )
        spool.close()
        shutil.rmtree(folder)


@pytest.fixture
def filled(tmp_path: Path) -> Path:
    """A spool of three ECGs as a power cut left it: the write-ahead log is still there."""
    spool = Spool(tmp_path / "live", now)
    for name, data in ECGS.items():
        spool.add(data, name=name, way="folder", fields={"patient_ref": name})
    shutil.copytree(tmp_path / "live", tmp_path / "cut")
    spool.close()
    assert (tmp_path / "cut" / "spool.sqlite-wal").stat().st_size > 0
    return tmp_path / "cut"


@pytest.mark.parametrize("file", ["spool.sqlite-wal", "spool.sqlite"])
@pytest.mark.parametrize("harm", ["short", "noise", "zeros", "gone"])
def test_a_torn_database_loses_no_ecg(filled: Path, tmp_path: Path, file: str, harm: str) -> None:
    """Cut at any place, overwritten, or gone: every ECG is there once, with what was known of its patient."""
    dice = random.Random(f"{file} {harm}")
    for number in range(12):
        folder = tmp_path / f"harmed-{number}"
        shutil.copytree(filled, folder)
        path = folder / file
        content = bytearray(path.read_bytes())
        place = dice.randrange(len(content))
        if harm == "short":
            path.write_bytes(content[:place])
        elif harm == "gone":
            path.unlink()
        else:
            length = dice.randint(1, 2000)
            content[place : place + length] = dice.randbytes(length) if harm == "noise" else bytes(length)
            path.write_bytes(content)
        spool = Spool(folder, now)
        items = spool.items()
        assert Counter(item.sha256 for item in items) == Counter(list(HASHES)), f"{harm} at {place}"
        assert {item.fields["patient_ref"]: spool.data(item) for item in items} == ECGS
        spool.close()


def test_a_description_that_is_gone_costs_the_words_and_not_the_ecg(filled: Path) -> None:
    """The bytes are an ECG still; the clinic is told what is missing."""
    (filled / "spool.sqlite").unlink()
    (filled / "spool.sqlite-wal").unlink()
    for path in (filled / "ecgs").glob("*.json"):
        path.write_bytes(path.read_bytes()[:10])
    spool = Spool(filled, now)

    assert Counter(item.sha256 for item in spool.items()) == Counter(list(HASHES))
    assert all(item.note for item in spool.items())
    spool.close()


def test_bytes_that_are_damaged_with_the_database_are_never_handed_out(filled: Path) -> None:
    """What the description says of the bytes holds when the rows are made anew; the same file once more heals it."""
    (filled / "spool.sqlite").write_bytes(b"no database")
    (filled / "spool.sqlite-wal").unlink()
    name, whole = next(iter(ECGS.items()))
    (path,) = (path for path in (filled / "ecgs").glob("*.ecg") if path.read_bytes() == whole)
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    spool = Spool(filled, now)
    items = {item.fields["patient_ref"]: item for item in spool.items()}

    assert spool.repaired and {name: item.sha256 for name, item in items.items()} == {
        name: hashlib.sha256(data).hexdigest() for name, data in ECGS.items()
    }
    with pytest.raises(BytesGone):
        spool.data(items[name])
    healed, new = spool.add(whole, name=name, way="folder", fields={"patient_ref": name})
    assert not new and spool.data(healed) == whole
    spool.close()


def test_two_agents_never_share_a_spool(tmp_path: Path) -> None:
    """The second is told so; when the first has ended, it may."""
    first = Spool(tmp_path / "spool", now)
    with pytest.raises(SpoolBusy):
        Spool(tmp_path / "spool", now)
    first.close()

    Spool(tmp_path / "spool", now).close()


def test_bytes_that_the_disk_lost_are_told_and_come_back_with_the_file(tmp_path: Path) -> None:
    """Never sent as something else; the same file once more heals it."""
    spool = Spool(tmp_path / "spool", now)
    item, _ = spool.add(b"an ECG", name="a", way="folder")
    (path,) = (tmp_path / "spool" / "ecgs").glob("*.ecg")
    path.write_bytes(b"an egg")
    with pytest.raises(BytesGone):
        spool.data(item)
    healed, new = spool.add(b"an ECG", name="a", way="folder")

    assert not new and healed.number == item.number and spool.data(healed) == b"an ECG"
    spool.close()


def test_a_full_disk_takes_nothing_and_forgets_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error reaches whoever hands the ECG over, so that nothing is acknowledged; later it is taken."""
    spool = Spool(tmp_path / "spool", now)
    spool.add(b"first", name="a", way="mllp")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises((OSError, sqlite3.Error)):
            spool.add(b"second", name="b", way="mllp")
    spool.add(b"second", name="b", way="mllp")

    assert [item.name for item in spool.items()] == ["a", "b"]
    spool.close()


class Disk:
    """A disk with so much room for files; rows are SQLite's own, and have theirs by `max_page_count`."""

    def __init__(self, patch: pytest.MonkeyPatch, folder: Path, room: int) -> None:
        self.folder, self.room = folder, room
        patch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=self.free))
        patch.setattr(os, "replace", self._replace)

    @property
    def used(self) -> int:
        return sum(path.stat().st_size for path in self.folder.rglob("*") if "sqlite" not in path.name)

    @property
    def free(self) -> int:
        return self.room - self.used

    def _replace(self, source: Path, target: Path) -> None:
        if self.free < 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        Path(source).rename(target)


def test_an_ecg_that_finds_the_disk_full_takes_the_room_of_what_the_server_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Delivered bytes go for it, with what was written of their patient; what waits and the reserve stay."""
    spool = Spool(tmp_path, now)
    disk = Disk(monkeypatch, tmp_path, room=RESERVE_BYTES + 2_500_000)
    sent, _ = spool.add(bytes(1_000_000), name="a", way="folder")
    waiting, _ = spool.add(bytes(1_000_001), name="b", way="folder")
    spool.change(sent.number, stage="taken", sent_at=now())

    spool.add(bytes(1_000_002), name="c", way="mllp")
    assert len(spool.data(waiting)) == 1_000_001 and spool.trouble is None
    with pytest.raises(BytesGone):
        spool.data(sent)
    assert {path.stem for path in (tmp_path / "ecgs").iterdir()} == {
        item.key for item in spool.items() if item.number != sent.number
    }

    with pytest.raises(OSError, match="No space"):
        spool.add(bytes(1_000_003), name="d", way="mllp")
    assert "No space" in (spool.trouble or "") and [item.name for item in spool.items()] == ["a", "b", "c"]
    spool.change(waiting.number, failures=1)
    assert spool.trouble is not None, "a row that was taken says nothing of ECGs"
    assert not list((tmp_path / "ecgs").glob("*.tmp")) and (tmp_path / "reserve.bin").exists()
    disk.room += 100_000_000
    assert spool.trouble is None
    spool.close()


def test_no_ecg_eats_the_reserve_once_it_was_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is for the rows of what is in the spool: those can still be sent and followed."""
    spool = Spool(tmp_path, now)
    waiting, _ = spool.add(bytes(1_000_000), name="a", way="folder")
    Disk(monkeypatch, tmp_path, room=RESERVE_BYTES + 1_100_000)

    assert spool.make_room() == 1 and not (tmp_path / "reserve.bin").exists()
    with pytest.raises(OSError, match="No space"):
        spool.add(bytes(1_000_001), name="b", way="folder")
    for number in range(2000):
        spool.change(waiting.number, failures=number)
    spool.close()


def test_the_log_of_the_rows_stays_within_the_reserve(tmp_path: Path) -> None:
    """However often a row is changed: each look at a state is one."""
    spool = Spool(tmp_path, now)
    item, _ = spool.add(b"an ECG", name="a" * 200, way="folder")
    log, largest = tmp_path / "spool.sqlite-wal", 0
    for number in range(3000):
        spool.change(item.number, failures=number)
        largest = max(largest, log.stat().st_size)
    spool.close()

    assert 0 < largest < RESERVE_BYTES / 2


def test_a_start_on_a_full_disk_gives_up_the_reserve(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bytes without a row get one with its help; and where even that is too little, the agent starts without."""
    spool = Spool(tmp_path, now)
    spool.add(b"first", name="a", way="folder")
    key = key_of(hashlib.sha256(b"orphan").hexdigest(), None)
    (tmp_path / "ecgs" / f"{key}.ecg").write_bytes(b"orphan")
    spool.close()
    inserted = Spool._insert

    def full(self: Spool, item: Item) -> Item:
        if (tmp_path / "reserve.bin").exists() or never:
            raise sqlite3.OperationalError("database or disk is full")
        return inserted(self, item)

    monkeypatch.setattr(Spool, "_insert", full)
    never = True
    spool = Spool(tmp_path, now)
    assert [item.name for item in spool.items()] == ["a"]
    spool.close()
    never = False
    spool = Spool(tmp_path, now)
    assert len(spool.items()) == 2
    spool.close()


def test_only_its_owner_may_read_the_spool(tmp_path: Path) -> None:
    """Patients' data lies in the folder, in the rows and in what SQLite keeps beside them."""
    spool = Spool(tmp_path / "spool", now)
    spool.add(b"an ECG", name="a", way="folder")
    found = {path.name: path.stat().st_mode & 0o077 for path in (tmp_path / "spool").rglob("*")}
    spool.close()

    assert {"spool.sqlite", "spool.sqlite-wal"} <= found.keys()
    assert set(found.values()) == {0}


def test_bytes_stay_until_the_server_has_had_them_for_a_week(tmp_path: Path) -> None:
    """What is waiting or was refused stays for good."""
    from datetime import timedelta

    instant = [now()]
    spool = Spool(tmp_path / "spool", lambda: instant[0])
    taken, _ = spool.add(b"taken", name="a", way="folder")
    refused, _ = spool.add(b"refused", name="b", way="folder")
    spool.change(taken.number, stage="taken", sent_at=instant[0])
    spool.change(refused.number, stage="refused")

    assert spool.forget_old() == 0
    instant[0] += timedelta(days=8)
    assert spool.forget_old() == 1
    assert spool.data(refused) == b"refused" and len(spool.items()) == 2
    instant[0] += timedelta(days=90)
    spool.forget_old()
    assert [item.name for item in spool.items()] == ["b"]
    spool.close()
