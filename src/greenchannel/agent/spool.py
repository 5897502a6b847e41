"""The agent's spool: nothing that was taken is lost, whatever the power does.

Of each ECG there are two files, ``KEY.json`` (what is known of it) and ``KEY.ecg`` (its bytes, unchanged), and a row in
SQLite (write-ahead log, synchronous FULL). The order is the promise: description, bytes, row; who hands an ECG over is
told that it was taken after the row's commit. The bytes under their final name are whole, for they were renamed. So a
start finds bytes without a row, where the power went in between, and gives them one; and where the database itself is
broken, it is put aside and made anew from the files: the server knows by the content what it has already.

One process works with a spool. SQLite's exclusive lock holds the others off, and goes with the process.
"""

import contextlib
import errno
import hashlib
import os
import sqlite3
import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec

from greenchannel.agent.durable import is_full, make_folder, write_durable
from greenchannel.agent.item import Item, key_of
from greenchannel.agent.reserve import Reserve

T = TypeVar("T")
KEPT: Final = timedelta(days=7)  # bytes of an ECG that the server has; the row stays  [E]
ROWS_KEPT: Final = timedelta(days=90)  # [E]

TRIED_ANEW: Final[dict[str, Any]] = {
    "stage": "waiting",
    "put_aside": False,
    "trouble": None,
    "failures": 0,
    "due_at": None,
    "upload_url": None,
    "offset": 0,
    "wire_sha256": "",
}
"""What changes of a refused ECG that is to be sent once more."""

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS items (
  number INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL UNIQUE, open INTEGER NOT NULL, body BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS items_open ON items (open);
CREATE TABLE IF NOT EXISTS sightings (
  path TEXT PRIMARY KEY, size_bytes INTEGER NOT NULL, mtime_ns INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS sources (path TEXT PRIMARY KEY, number INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
"""


class SpoolBusy(Exception):
    """Another agent works with this spool."""


class BytesGone(Exception):
    """The bytes of an ECG in the spool are not those that were taken: the disk has lost or changed them."""


class Spool:
    """The spool in one folder; may be used from any thread.

    Raises
    ------
    SpoolBusy
        At the start.
    """

    def __init__(self, folder: Path, now: Callable[[], datetime]) -> None:
        self.folder = Path(folder)
        self.now = now
        self._lock = threading.RLock()
        self._files = self.folder / "ecgs"
        make_folder(self.folder)
        make_folder(self._files)
        self.changed = threading.Condition()  # notified after each change; for those who show or wait
        self.changes = 0
        self._rows_trouble: str | None = None  # why the disk took no row at the newest attempt,
        self._bytes_trouble: str | None = None  # and why no ECG
        self._reserve = Reserve(self.folder)
        try:
            self._db, self.repaired = self._opened()
        except sqlite3.OperationalError:
            if not self._reserve.give_up():
                raise
            self._db, self.repaired = self._opened()
        try:
            self._adopt()
        except sqlite3.OperationalError:
            self._reserve.give_up()
            # Where that is too little the next start will do it; what has a row is sent.
            with contextlib.suppress(sqlite3.OperationalError):
                self._adopt()
        self._reserve.lay()

    @property
    def trouble(self) -> str | None:
        """Why the disk takes nothing; None where the newest ECG and the newest change were taken."""
        if self._bytes_trouble is not None:
            with contextlib.suppress(OSError):
                if self._reserve.is_plenty():
                    self._bytes_trouble = None  # somebody has made room, and the machine may not come again
        return self._bytes_trouble or self._rows_trouble

    # ------------------------------------------------------------ in

    def add(
        self,
        data: bytes,
        *,
        name: str,
        way: str,
        fields: dict[str, str] | None = None,
        note: str | None = None,
    ) -> tuple[Item, bool]:
        """Take an ECG; when this returns it is durable. The same again is the same thing: gives it, and False."""
        fields = fields or {}
        sha256 = hashlib.sha256(data).hexdigest()
        key = key_of(sha256, fields.get("patient_ref"))
        with self._lock:
            known = self._by_key(key) or self._nameless(sha256, fields.get("patient_ref"))
            if known is not None:
                return self._healed(known, data), False
            item = Item(
                number=0,
                key=key,
                sha256=sha256,
                size_bytes=len(data),
                name=name,
                way=way,
                found_at=self.now(),
                fields=fields,
                note=note,
            )
            try:
                kept = self._keep(item, data)
            except (OSError, sqlite3.OperationalError) as error:
                self._bytes_trouble = str(error)
                if not (is_full(error) and self._drop_delivered()):
                    raise
                kept = self._keep(item, data)  # where the disk is full of what the server has
            self._bytes_trouble = None
            return kept, True

    def _keep(self, item: Item, data: bytes) -> Item:
        if not self._reserve.leaves(len(data)):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        try:
            write_durable(self._description(item.key), msgspec.json.encode(item))
            write_durable(self._bytes(item.key), data)
            return self._insert(item)
        except (OSError, sqlite3.OperationalError):
            with contextlib.suppress(OSError):
                self._bytes(item.key).unlink(missing_ok=True)
                self._description(item.key).unlink(missing_ok=True)
            raise

    def _nameless(self, sha256: str, patient_ref: str | None) -> Item | None:
        """The ECG of these bytes that came without a number and was then said to be this patient's."""
        known = self._by_key(key_of(sha256, None))
        return known if known is not None and known.fields.get("patient_ref") == patient_ref else None

    def _healed(self, item: Item, data: bytes) -> Item:
        """The same ECG once more: where the disk had lost its bytes and they are still wanted, here they are."""
        if item.stage == "taken":
            return item
        try:
            self.data(item)
        except BytesGone:
            write_durable(self._bytes(item.key), data)
            return self.change(item.number, stage="found", trouble=None, failures=0, due_at=None)
        return item

    def data(self, item: Item) -> bytes:
        """The bytes as they were taken; raises `BytesGone`."""
        try:
            data = self._bytes(item.key).read_bytes()
        except FileNotFoundError:
            raise BytesGone(f"{item.name}: its bytes are gone from the spool") from None
        if hashlib.sha256(data).hexdigest() != item.sha256:
            raise BytesGone(f"{item.name}: its bytes in the spool are not those that were taken")
        return data

    # ------------------------------------------------------------ rows

    def items(self) -> list[Item]:
        """All, the oldest first."""
        with self._lock:
            rows = self._db.execute("SELECT number, body FROM items ORDER BY number").fetchall()
        return [_item(number, body) for number, body in rows]

    def open_items(self) -> list[Item]:
        """Those with which there is something to do."""
        with self._lock:
            rows = self._db.execute(
                "SELECT number, body FROM items WHERE open = 1 ORDER BY number"
            ).fetchall()
        return [_item(number, body) for number, body in rows]

    def get(self, number: int) -> Item:
        """One; raises `KeyError`."""
        with self._lock:
            row = self._db.execute("SELECT number, body FROM items WHERE number = ?", (number,)).fetchone()
        if row is None:
            raise KeyError(number)
        return _item(*row)

    def change(self, number: int, *, more_fields: dict[str, str] | None = None, **changes: Any) -> Item:
        """Change what is known of one ECG, durably; gives it as it is then.

        Parameters
        ----------
        more_fields
            Fields that nobody has said yet; one that is there stays as it is.
        """
        with self._lock:
            item = self.get(number)
            item = msgspec.structs.replace(item, fields=(more_fields or {}) | item.fields)
            item = msgspec.structs.replace(item, **changes)
            self._write(
                "UPDATE items SET open = ?, body = ? WHERE number = ?",
                (_is_open(item), msgspec.json.encode(item), number),
            )
        self._tell()
        return item

    def left_again(self, number: int, data: bytes, fields: dict[str, str], note: str | None) -> Item:
        """The same file once more, perhaps with more beside it; somebody wants something of it."""
        with self._lock:
            item = self._healed(self.get(number), data)
            if item.put_aside:
                self.change(number, put_aside=False)
            return self.amend(number, fields, note)

    def amend(self, number: int, fields: dict[str, str], note: str | None) -> Item:
        """What came to be known of an ECG after it was taken; not among its fields where the server has it already."""
        with self._lock:
            item = self.get(number)
            new = {name: word for name, word in fields.items() if item.fields.get(name) != word}
            changes: dict[str, Any] = {}
            if new:
                changes["amended"] = True
                if item.stage != "taken":
                    changes["fields"] = item.fields | new
                # Perhaps for what is known better now; a word for another patient is not for this ECG.
                if item.stage == "refused" and not (item.fields.get("patient_ref") and "patient_ref" in new):
                    changes |= TRIED_ANEW
            if note and note not in (item.note or ""):
                changes["note"] = "; ".join(each for each in (item.note, note) if each)
            return self.change(number, **changes) if changes else item

    # ------------------------------------------------------------ sightings and facts

    def sighting(self, path: str) -> tuple[int, int] | None:
        """Size and time at which a file of the watched folder was taken; None where it was not."""
        with self._lock:
            row = self._db.execute(
                "SELECT size_bytes, mtime_ns FROM sightings WHERE path = ?", (path,)
            ).fetchone()
        return None if row is None else (row[0], row[1])

    def note_sighting(self, path: str, size_bytes: int, mtime_ns: int) -> None:
        """A file was taken as it stands there."""
        with self._lock:
            self._write("INSERT OR REPLACE INTO sightings VALUES (?, ?, ?)", (path, size_bytes, mtime_ns))

    def forget_sightings(self, there: set[str]) -> None:
        """Forget the files that are no longer there."""
        with self._lock:
            known = {row[0] for row in self._db.execute("SELECT path FROM sightings")}
            for path in known - there:
                self._write("DELETE FROM sightings WHERE path = ?", (path,))

    def sources(self) -> dict[str, int]:
        """The files of the watched folder from which ECGs were taken, also those that have gone, and their numbers."""
        with self._lock:
            return dict(self._db.execute("SELECT path, number FROM sources").fetchall())

    def note_source(self, path: str, number: int) -> None:
        """An ECG was taken from this file, the newest one that had its name."""
        with self._lock:
            self._write("INSERT OR REPLACE INTO sources VALUES (?, ?)", (path, number))

    def fact(self, name: str, kind: type[T]) -> T | None:
        """What was noted under a name; None where nothing was, or something of another kind."""
        with self._lock:
            row = self._db.execute("SELECT value FROM facts WHERE name = ?", (name,)).fetchone()
        if row is None:
            return None
        try:
            return msgspec.json.decode(row[0], type=kind)
        except msgspec.ValidationError:
            return None

    def note_fact(self, name: str, value: Any) -> None:
        """Note something, durably."""
        with self._lock:
            self._write("INSERT OR REPLACE INTO facts VALUES (?, ?)", (name, msgspec.json.encode(value)))
        self._tell()

    # ------------------------------------------------------------ the house

    def make_room(self) -> int:
        """The disk is full: let go of the bytes that the server has, or of the reserve; gives how many files went.

        What is in the spool can then still be sent, for each step of that is noted here.
        """
        return self._drop_delivered() or int(self._reserve.give_up() > 0)

    def _drop_delivered(self) -> int:
        """Let go of the bytes that the server has; gives how many ECGs that were."""
        delivered = [item for item in self.items() if item.stage == "taken"]
        return sum(self._drop(item) for item in delivered)

    def _drop(self, item: Item) -> bool:
        there = self._bytes(item.key).exists()
        self._bytes(item.key).unlink(missing_ok=True)
        self._description(item.key).unlink(missing_ok=True)
        return there

    def forget_old(self) -> int:
        """Remove the bytes of what the server has had for a week, and rows after a season; gives how many bytes went.

        What the server has not, and what it refused, stays.
        """
        self._reserve.lay()
        removed, now = 0, self.now()
        for item in self.items():
            if item.stage != "taken" or item.sent_at is None:
                continue
            age = now - item.sent_at
            if age > KEPT:
                removed += self._drop(item)
            if age > ROWS_KEPT:
                with self._lock:
                    self._write("DELETE FROM items WHERE number = ?", (item.number,))
                    self._write("DELETE FROM sources WHERE number = ?", (item.number,))
        return removed

    def close(self) -> None:
        """Close the database."""
        with self._lock:
            self._db.close()

    def _opened(self) -> tuple[sqlite3.Connection, bool]:
        path = self.folder / "spool.sqlite"
        try:
            return self._connect(path), False
        except sqlite3.OperationalError as error:
            if "locked" in str(error):
                raise SpoolBusy(
                    f"expected a spool of its own, another agent works with {self.folder}"
                ) from error
            raise
        except sqlite3.DatabaseError:  # broken beyond SQLite's own repair
            stamp = self.now().strftime("%Y%m%dT%H%M%S")
            for suffix in ("", "-wal", "-shm"):
                with contextlib.suppress(FileNotFoundError):
                    broken = path.with_name(path.name + suffix)
                    broken.rename(broken.with_name(f"damaged-{stamp}-{broken.name}"))
            return self._connect(path), True

    def _connect(self, path: Path) -> sqlite3.Connection:
        path.touch(mode=0o600)  # SQLite gives what it keeps beside it the same mode
        with contextlib.suppress(OSError):
            path.chmod(0o600)
        db = sqlite3.connect(path, timeout=2.0, isolation_level=None, check_same_thread=False)
        try:
            db.execute("PRAGMA locking_mode=EXCLUSIVE")
            db.execute("PRAGMA journal_mode=WAL")
            db.execute("PRAGMA synchronous=FULL")
            db.execute("PRAGMA wal_autocheckpoint=200")  # pages: the log stays below half of the reserve
            if db.execute("PRAGMA quick_check").fetchone()[0] != "ok":
                raise sqlite3.DatabaseError("the database is damaged")
            db.executescript(_SCHEMA)
            db.execute("BEGIN IMMEDIATE")
            db.execute("COMMIT")
            for (body,) in db.execute("SELECT body FROM items"):
                msgspec.json.decode(body, type=Item)
        except msgspec.MsgspecError as error:
            db.close()
            raise sqlite3.DatabaseError("a row cannot be read") from error
        except BaseException:
            db.close()
            raise
        return db

    def _adopt(self) -> None:
        """Give a row to each ECG whose bytes are whole and that has none; remove what never became one."""
        for path in self._files.glob("*.tmp"):
            path.unlink(missing_ok=True)
        for path in sorted(self._files.glob("*.ecg"), key=lambda path: path.stat().st_mtime_ns):
            if self._by_key(path.stem) is None:
                self._insert(self._described(path))
        for path in self._files.glob("*.json"):
            if not self._bytes(path.stem).exists() and self._by_key(path.stem) is None:
                path.unlink(missing_ok=True)

    def _described(self, path: Path) -> Item:
        data = path.read_bytes()
        try:
            described = msgspec.json.decode(self._description(path.stem).read_bytes(), type=Item)
        except (OSError, msgspec.MsgspecError):
            described = Item(
                number=0,
                key=path.stem,
                sha256="",
                size_bytes=0,
                name=path.name,
                way="folder",
                found_at=self.now(),
                note="what was known of it is lost; only its bytes are left",
            )
        there = hashlib.sha256(data).hexdigest()
        proven = path.stem in (key_of(there, described.fields.get("patient_ref")), key_of(there, None))
        if (
            described.sha256 and not proven
        ):  # the disk has changed them: `data` says so, and never hands them out
            return msgspec.structs.replace(described, key=path.stem)
        return msgspec.structs.replace(described, key=path.stem, sha256=there, size_bytes=len(data))

    def _insert(self, item: Item) -> Item:
        with self._lock, self._transaction():
            cursor = self._db.execute(
                "INSERT INTO items (key, open, body) VALUES (?, ?, ?)",
                (item.key, _is_open(item), msgspec.json.encode(item)),
            )
            number = cursor.lastrowid
        assert number is not None
        self._tell()
        return msgspec.structs.replace(item, number=number)

    def _by_key(self, key: str) -> Item | None:
        with self._lock:
            row = self._db.execute("SELECT number, body FROM items WHERE key = ?", (key,)).fetchone()
        return None if row is None else _item(*row)

    def _write(self, statement: str, values: tuple[Any, ...]) -> None:
        with self._transaction():
            self._db.execute(statement, values)

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        try:
            self._db.execute("BEGIN IMMEDIATE")
            yield
            self._db.execute("COMMIT")
        except BaseException as error:
            if isinstance(error, sqlite3.OperationalError):
                self._rows_trouble = str(error)
            if self._db.in_transaction:  # SQLite ends one by itself where the disk is full
                self._db.execute("ROLLBACK")
            raise
        self._rows_trouble = None

    def _tell(self) -> None:
        with self.changed:
            self.changes += 1
            self.changed.notify_all()

    def _bytes(self, key: str) -> Path:
        return self._files / f"{key}.ecg"

    def _description(self, key: str) -> Path:
        return self._files / f"{key}.json"


def _item(number: int, body: bytes) -> Item:
    return msgspec.structs.replace(msgspec.json.decode(body, type=Item), number=number)


def _is_open(item: Item) -> bool:
    return item.stage in ("found", "waiting") or (item.stage == "taken" and item.poll_at is not None)
