"""What can be seen of the running service from a thread beside it. Every look here is bounded in time."""

import asyncio
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from sqlalchemy import Engine, select

from greenchannel.alerts.wellness import Signs, limits
from greenchannel.store import schema
from greenchannel.store.engine import reading
from greenchannel.store.writer import Writer

PROBE_FILE: Final = ".writable"
PROBE_BYTES: Final = 4096
LOCKED_AFTER_S: Final = (
    2.0  # that the lock of writers is waited for; nobody holds it for longer than a commit
)


class SignsOfLife:
    """Looks at the parts of one process. All methods but `start` are for threads outside the event loop."""

    def __init__(
        self,
        *,
        engine: Engine,
        folder: Path,
        writer: Writer,
        duty_looked_s: Callable[[], float],
        tasks: Callable[[], Iterable["asyncio.Task[None]"]],
    ) -> None:
        """`engine` is the watcher's own; `duty_looked_s` gives an instant of `time.monotonic`."""
        self._engine = engine
        self._folder = folder
        self._writer = writer
        self._duty_looked_s = duty_looked_s
        self._tasks = tasks
        self._loop: asyncio.AbstractEventLoop | None = None
        self._file: tuple[int, int] | None = None  # device and number of the database's file

    def start(self) -> None:
        """Called in the event loop that is watched."""
        self._loop = asyncio.get_running_loop()
        self._file = self._database_file()

    def look(self) -> Signs:
        """One look; takes seconds at most, where something hangs."""
        return Signs(
            loop_answers=self._loop_answers(),
            duty_silent_s=time.monotonic() - self._duty_looked_s(),
            dead_tasks=tuple(sorted(task.get_name() for task in self._tasks() if task.done())),
            commits=not self._writer.failing,
            database=self.database_fault(),
            disk=self._disk_fault(),
        )

    def database_fault(self) -> str | None:
        """Why the database can be read or written no more: its file is gone or another, or somebody holds its lock."""
        try:
            if self._file is not None and self._database_file() != self._file:
                return "its file is not the one that was opened"
            with reading(self._engine) as connection:
                connection.execute(select(schema.log_head.c.seq)).one()
            path = self._engine.url.database
            if self._engine.dialect.name == "sqlite" and path is not None:
                _take_and_leave_the_lock(path)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is what was asked for
            return _short(error)
        return None

    def _database_file(self) -> tuple[int, int] | None:
        path = self._engine.url.database
        if self._engine.dialect.name != "sqlite" or path is None:
            return None
        try:
            found = os.stat(path)
        except FileNotFoundError:
            return -1, -1
        return found.st_dev, found.st_ino

    def _loop_answers(self) -> bool:
        if self._loop is None:
            return True
        answered = threading.Event()
        try:
            self._loop.call_soon_threadsafe(answered.set)
        except RuntimeError:  # closed: the service has ended
            return False
        return answered.wait(limits().loop_answers_within_s)

    def _disk_fault(self) -> str | None:
        probe = self._folder / PROBE_FILE
        try:
            with probe.open("wb") as file:
                file.write(bytes(PROBE_BYTES))
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            return error.strerror or type(error).__name__
        return None


def _take_and_leave_the_lock(path: str) -> None:
    """Begin a write and end it: raises where another has held the lock for too long. Nothing is written."""
    connection = sqlite3.connect(
        f"file:{path}?mode=rw", uri=True, timeout=LOCKED_AFTER_S, isolation_level=None
    )
    try:
        connection.execute("BEGIN IMMEDIATE").close()
        connection.execute("ROLLBACK").close()
    finally:
        connection.close()


def _short(error: Exception) -> str:
    """The driver's own words, without the statement."""
    inner = getattr(error, "orig", None) or error
    return str(inner).splitlines()[0][:200] if str(inner) else type(inner).__name__
