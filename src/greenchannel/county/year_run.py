"""One simulated year in one data folder: settled, filled, and its truth beside it."""

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final, Protocol

from greenchannel.clock import Clock, ManualClock
from greenchannel.county.year_fill import Filler
from greenchannel.county.year_map import HUB
from greenchannel.county.year_plan import Year
from greenchannel.county.year_settling import settle_year
from greenchannel.county.year_strips import Strips
from greenchannel.service.desk import Desk
from greenchannel.settings import Settings

TRUTH: Final = "county-truth.jsonl"
"""The file in the data folder; a line for each patient, in the order in which nothing more happened to them."""


class Build(Protocol):
    """The assembly's `build`."""

    def __call__(self, settings: Settings, clock: Clock | None = None, *, durable: bool = True) -> Desk: ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Filled:
    """What a filling came to."""

    patients: int
    cases: int
    events: int
    strips: int  # distinct ones, each read once
    refused: Counter[str]  # acts that the service did not let happen, with its code
    seconds: float  # of this machine


async def fill_folder(
    settings: Settings,
    year: Year,
    build: Build,
    *,
    until: datetime | None = None,
    variants: int | None = None,
    say: Callable[[date], None] | None = None,
) -> Filled:
    """Let a year happen in an empty data folder.

    Parameters
    ----------
    until
        Nothing happens after this instant; None: after the year's end.
    variants
        See `Strips`.
    say
        Told of each month that has passed.

    Raises
    ------
    FileExistsError
        There was a simulated year in the folder before.
    """
    begun_s = time.monotonic()
    clock = ManualClock(year.options.begins_at)
    desk = build(settings, clock, durable=False)
    settle_year(desk.accounts, year.county, year.options)
    await desk.start_by_hand()
    try:
        strips = Strips(seed=year.seed, intake=desk.intake, site=HUB, variants=variants)
        with (settings.data_dir / TRUTH).open("x", encoding="utf-8") as file:

            def write(line: dict[str, Any]) -> None:
                file.write(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n")

            filler = Filler(desk, clock, year, strips, write)
            await filler.fill(until, say)
        return Filled(
            patients=filler.patients,
            cases=len(desk.book.cases),
            events=desk.book.seq,
            strips=strips.distinct,
            refused=filler.refused,
            seconds=time.monotonic() - begun_s,
        )
    finally:
        await desk.stop()


def read_year_truth(folder: Path) -> Iterator[dict[str, Any]]:
    """The truth of a filled data folder."""
    with (folder / TRUTH).open(encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)
