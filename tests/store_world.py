"""A store on disk for tests: a fresh database, a clock that stands still, a writer that runs."""

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from sqlalchemy import Engine

from greenchannel.clock import ManualClock
from greenchannel.events import ContextEntered, EcgOpened
from greenchannel.store.engine import migrate, open_engine
from greenchannel.store.log import Log
from greenchannel.store.vault import Vault
from greenchannel.store.writer import Writer

NOW = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
MASTER_KEY = bytes(range(32))


@dataclass(frozen=True, kw_only=True)
class Store:
    """All that a test of the store needs."""

    folder: Path
    clock: ManualClock
    engine: Engine
    writer: Writer
    log: Log

    def vault(self) -> Vault:
        """The vault of this database under the key of the tests."""
        return Vault(self.engine, MASTER_KEY)


@contextlib.contextmanager
def open_store(folder: Path) -> Iterator[Store]:
    """A store in `folder`, new or as it was left there; its writer runs until the end of the block."""
    database = folder / "store.sqlite"
    if not database.exists():
        shutil.copyfile(_empty_database(), database)
    engine = open_engine(f"sqlite:///{database}")
    clock = ManualClock(NOW)
    writer = Writer(engine, clock)
    writer.start()
    try:
        yield Store(folder=folder, clock=clock, engine=engine, writer=writer, log=Log(engine))
    finally:
        writer.close()
        engine.dispose()


@cache
def _empty_database() -> Path:
    """Migrated once for the whole run; each store takes a copy."""
    path = Path(tempfile.mkdtemp(prefix="greenchannel-store-")) / "empty.sqlite"
    engine = open_engine(f"sqlite:///{path}")
    migrate(engine)
    engine.dispose()  # the last connection to close empties the write-ahead file into the database
    return path


def opened(number: int) -> EcgOpened:
    """Some event that can be told from others."""
    return EcgOpened(ecg_id=f"e{number}")


def context(**fields: object) -> ContextEntered:
    """An event with values of many kinds."""
    return ContextEntered(**fields)  # type: ignore[arg-type]
