"""`greenchannel demo --county`: a county with months behind it, in a folder that is thrown away."""

import asyncio
import contextlib
import logging
import shutil
import tempfile
import webbrowser
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import structlog

from greenchannel.county.demo import Serve, has_display
from greenchannel.county.year_map import ZONE
from greenchannel.county.year_plan import CLINICS, Year, YearOptions, make_year
from greenchannel.county.year_run import TRUTH, Build, Filled, fill_folder
from greenchannel.county.year_settling import accounts_of
from greenchannel.county.year_table import year_table
from greenchannel.service.desk import Desk
from greenchannel.settings import Settings


@dataclass(frozen=True, kw_only=True, slots=True)
class CountyOptions:
    """What the command line may say."""

    host: str = "127.0.0.1"
    port: int = 8765
    months: float = 12.0
    scale: float = 0.25
    clinics: int = CLINICS
    seed: int = 1
    once: bool = False  # fill, say what there is, and end
    browser: bool = True


def year_until(day: date, options: CountyOptions) -> Year:
    """The year that ends with the midnight before a local day. Raises `ValueError` as `YearOptions` does."""
    days = max(1, round(options.months * year_table().month_d))
    chosen = YearOptions(
        begin=day - timedelta(days=days), months=options.months, clinics=options.clinics, scale=options.scale
    )
    return make_year(options.seed, chosen)


def run(
    options: CountyOptions,
    run_loop: Callable[[Coroutine[Any, Any, None]], None],
    serve: Serve,
    build: Build,
) -> None:
    """Fill and serve until Ctrl-C, with the assembly's `run`, `run_until_stopped` and `build`."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    year = year_until(datetime.now(UTC).astimezone(ZONE).date(), options)
    folder = Path(tempfile.mkdtemp(prefix="greenchannel-county-"))
    settings = Settings(data_dir=folder, host=options.host, port=options.port)
    try:
        with contextlib.suppress(KeyboardInterrupt):
            _say(
                f"\n  正在模拟{options.months:g}个月   simulating {options.months:g} months, {options.clinics} clinics"
            )
            run_loop(_fill(settings, year, build))
            if not options.once:
                run_loop(serve(settings, None, _opened(options), demo_users=accounts_of(year.county)))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


async def _fill(settings: Settings, year: Year, build: Build) -> None:
    filled = await fill_folder(settings, year, build, say=lambda day: _say(f"  {day:%Y-%m}"))
    _say(summary(filled, year, settings.data_dir / TRUTH))


def summary(filled: Filled, year: Year, truth: Path) -> str:
    """What there is now, in a few lines."""
    lines = [
        f"{filled.patients} patients, {filled.cases} cases, {filled.events} events in {filled.seconds:.0f} s",
        f"{filled.strips} distinct strips, each read once",
        f"planted: {year.county.slow} slow at the first ECG, the cath lab slow in {year.slow_month}",
        f"truth: {truth}",
    ]
    if filled.refused:
        lines.append(
            "refused: " + ", ".join(f"{what} {many}" for what, many in sorted(filled.refused.items()))
        )
    return "\n".join(f"  {line}" for line in lines)


def _opened(options: CountyOptions) -> Callable[[Desk, str], Coroutine[Any, Any, None]]:
    async def wait(_desk: Desk, address: str) -> None:
        _say(f"\n  greenchannel demo --county   {address}")
        _say("  质控员 quality officer:  quality1   demo-quality1")
        _say("  演示:病人与账号均为模拟   patients and accounts are simulated;  Ctrl-C\n")
        if options.browser and has_display():
            webbrowser.open(address)
        await asyncio.Event().wait()

    return wait


def _say(text: str) -> None:
    print(text, flush=True)
