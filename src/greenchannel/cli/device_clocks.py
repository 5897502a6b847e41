"""`greenchannel device clocks`: which devices' clocks are wrong, from the log alone."""

import json
from datetime import UTC, datetime
from typing import Annotated, Any, Final

import typer
from sqlalchemy import Engine

from greenchannel.cli.data_folder import DEFAULT_DATA, DataOption, open_data
from greenchannel.events import ClockReportMade
from greenchannel.ingest.clock_history import ClockHistory
from greenchannel.ingest.clock_report import report, week_bounds, week_of
from greenchannel.service.book import fold_clocks
from greenchannel.service.clock_reports import ZONE, as_json, devices_of
from greenchannel.store.accounts import Accounts
from greenchannel.store.log import Log

_KINDS: Final = ("device_clock_measured", "ecg_received")
_PAGE: Final = 10_000


def clocks(
    week: Annotated[
        str | None, typer.Option(help="ISO week such as 2026-W48; without it the week that runs")
    ] = None,
    as_jsonl: Annotated[bool, typer.Option("--json", help="One JSON object")] = False,
    data: DataOption = DEFAULT_DATA,
) -> None:
    """Clocks of all devices, the worst first: level, offset, drift, jumps, dates of dead batteries, last contact."""
    now = datetime.now(UTC)
    wanted = week or week_of(now, ZONE)
    try:
        week_bounds(wanted, ZONE)
    except ValueError as error:
        raise typer.BadParameter(f"--week: {error}") from None
    _, engine = open_data(data, create=False)
    try:
        found = _of_week(engine, wanted, now)
    finally:
        engine.dispose()
    if as_jsonl:
        typer.echo(json.dumps(found, ensure_ascii=False))
        return
    typer.echo(f"{found['week']}\t{found['from']} … {found['to']}\t{'final' if found['final'] else 'so far'}")
    for row in found["devices"]:
        typer.echo("\t".join(_cells(row)))


def _of_week(engine: Engine, week: str, now: datetime) -> dict[str, Any]:
    """The report as it was made; of a week without one, from the contacts up to its end."""
    starts, ends = week_bounds(week, ZONE)
    log, accounts = Log(engine), Accounts(engine)
    for envelope in log.read_kinds(("clock_report_made",), before=now):
        if isinstance(envelope.event, ClockReportMade) and envelope.event.week == week:
            return as_json(week, starts, ends, envelope.event.devices, final=True)
    histories: dict[str, ClockHistory] = {}
    last = 0
    while page := log.read_kinds(_KINDS, before=min(ends, now), after=last, limit=_PAGE):
        last = page[-1].seq
        for envelope in page:
            fold_clocks(histories, envelope)
    rows = report(devices_of(accounts, histories), histories, starts=starts, ends=ends, now=min(ends, now))
    return as_json(week, starts, ends, rows, final=False)


def _cells(row: dict[str, Any]) -> list[str]:
    jumps = [f"{one['by_s']:+.1f} s after {one['after']}, before {one['before']}" for one in row["jumps"]]
    if row["suspected_jump"] is not None:
        jumps.append(f"suspected at {row['suspected_jump']['at']}")
    dead = [f"{one['raw']} (seen {one['seen_at']})" for one in row["dead_dates"]]
    return [
        row["device"],
        row["site"],
        row["level"],
        _number(row["offset_s"], row["uncertainty_s"], "s"),
        _number(row["drift_ppm"], row["drift_uncertainty_ppm"], "ppm"),
        "; ".join(jumps),
        "; ".join(dead),
        row["last_contact_at"] or "never",
    ]


def _number(value: float | None, half_width: float | None, unit: str) -> str:
    return "unknown" if value is None else f"{value:+.1f} ± {half_width:.1f} {unit}"
