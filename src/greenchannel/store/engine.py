"""The database: how it is opened, how one writes to it and reads from it, how it is brought to its newest form.

SQLite has one writer at a time and lets the others poll. So that nobody starves behind the log's writer thread, the
writers of this process stand in line before they ask SQLite: each release gives the turn to whoever waited.
"""

import contextlib
import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from typing import Any, Final
from weakref import WeakKeyDictionary

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, create_engine, event, make_url

BUSY_TIMEOUT_MS = 10_000  # only other processes are waited for this way
_WRITES = "greenchannel_writes"

# No values in the text of an error: they would reach logs and problem documents.
_ENGINE: dict[str, Any] = {"pool_size": 10, "max_overflow": 30, "hide_parameters": True}

_PRAGMAS = (
    f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}",  # first: the switch to WAL may have to wait as well
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
    "PRAGMA secure_delete = ON",  # a destroyed key is overwritten, not only forgotten
)


class _Line:
    """A fair lock. `_next` is held while waiting for `_turn`, so the last holder cannot overtake who waits."""

    def __init__(self) -> None:
        self._next = threading.Lock()
        self._turn = threading.Lock()
        self._holder: int | None = None

    @contextlib.contextmanager
    def turn(self) -> Iterator[None]:
        me = threading.get_ident()
        if self._holder == me:
            raise RuntimeError("expected no write within a write: use the connection of the one that is open")
        with self._next:
            self._turn.acquire()
        self._holder = me
        try:
            yield
        finally:
            self._holder = None
            self._turn.release()


_lines: WeakKeyDictionary[Engine, _Line] = WeakKeyDictionary()


_PATIENCE_S: Final = 10.0


def open_engine(url: str, *, durable: bool = True) -> Engine:
    """An engine with the settings the log needs.

    Parameters
    ----------
    url : str
        ``sqlite:///path`` of a file; it is made, readable by its owner alone, where it does not exist.
    durable : bool
        False: a power cut may take what was committed last, or the file. For invented data alone.

    Raises
    ------
    ValueError
        For a SQLite database in memory: it is not durable, and each connection would have its own.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite":
        engine = create_engine(parsed, **_ENGINE)
    else:
        if parsed.database in (None, "", ":memory:"):
            raise ValueError(f"expected the path of a database file, got {url!r}")
        assert parsed.database is not None
        # SQLite gives the -wal and -shm files the mode of the file itself. A file that is there is not opened: closing
        # it would let go of the locks that other connections of this process hold on it, and another process could
        # take the write-ahead file away under them.
        with contextlib.suppress(FileExistsError):
            os.close(os.open(parsed.database, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        engine = create_engine(parsed, **_ENGINE)
        event.listen(engine, "connect", _prepare_sqlite)
        if not durable:
            event.listen(engine, "connect", _prepare_in_haste)
        event.listen(engine, "begin", _begin_sqlite)
    _lines[engine] = _Line()
    return engine


def _prepare_sqlite(connection: sqlite3.Connection, _record: Any) -> None:
    connection.isolation_level = None  # the driver's own BEGIN comes too late for a consistent read
    until = time.monotonic() + _PATIENCE_S
    for pragma in _PRAGMAS:
        _execute_patiently(connection, pragma, until)


def _prepare_in_haste(connection: sqlite3.Connection, _record: Any) -> None:
    connection.execute("PRAGMA synchronous = OFF").close()


def _execute_patiently(connection: sqlite3.Connection, pragma: str, until: float) -> None:
    """SQLite does not wait for another process that turns the write-ahead log on at the same time: it fails at once."""
    while True:
        try:
            connection.execute(pragma).close()
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > until:
                raise
            time.sleep(0.01)
        else:
            return


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get(_WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextlib.contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A transaction that writes: committed at the end of the block, rolled back where it raises.

    One at a time per engine; a second one in the same thread raises `RuntimeError` instead of waiting for ever.
    """
    with (
        _lines[engine].turn(),
        engine.connect().execution_options(**{_WRITES: True}) as connection,
        connection.begin(),
    ):
        yield connection


@contextlib.contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A connection whose reads all see the database as it was at the first of them."""
    with engine.connect() as connection:
        if connection.dialect.name == "postgresql":
            connection = connection.execution_options(isolation_level="REPEATABLE READ")
        yield connection


def migrate(engine: Engine) -> None:
    """Bring the tables to the newest form, all steps in one transaction; two processes may do so at once."""
    config = Config()
    config.set_main_option("script_location", "greenchannel.store:migrations")
    with writing(engine) as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
