"""A small simulated county with months behind it, filled once in a test run: for whoever needs many cases at once."""

import asyncio
import fcntl
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest

from greenchannel import assembly
from greenchannel.county.year_plan import Year, YearOptions, make_year
from greenchannel.county.year_run import Filled, fill_folder
from greenchannel.settings import Settings

SEED = 14
SMALL = YearOptions(begin=date(2026, 3, 2), months=3.0, clinics=10, scale=0.02, stemi_share=0.2)
"""Ten clinics, three months, one patient in five with an infarction: some 165 patients."""
VARIANTS = 2


@dataclass(frozen=True, kw_only=True, slots=True)
class FilledCounty:
    """A filled data folder; whoever changes it takes a copy."""

    folder: Path
    year: Year


def fill(folder: Path, options: YearOptions = SMALL, variants: int | None = VARIANTS) -> tuple[Year, Filled]:
    """Let a year happen in a new folder."""
    year = make_year(SEED, options)
    settings = Settings(data_dir=folder, reading_process=False)
    return year, asyncio.run(fill_folder(settings, year, assembly.build, variants=variants))


@pytest.fixture(scope="session")
def filled_county(tmp_path_factory: pytest.TempPathFactory) -> FilledCounty:
    """The small county, not to be changed. All workers of a run share it."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if base.name.startswith("popen-") else base
    folder = shared / "filled-county"
    with (shared / "filled-county.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            beside = shared / "filled-county.part"
            shutil.rmtree(beside, ignore_errors=True)
            fill(beside)
            beside.rename(folder)
    return FilledCounty(folder=folder, year=make_year(SEED, SMALL))


@pytest.fixture
def filled_folder(filled_county: FilledCounty, tmp_path: Path) -> Iterator[Path]:
    """A data folder with the small county, for one test alone."""
    copy = tmp_path / "county"
    shutil.copytree(filled_county.folder, copy)
    yield copy
    shutil.rmtree(copy, ignore_errors=True)
