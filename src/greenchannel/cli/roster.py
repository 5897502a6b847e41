"""`greenchannel roster`: shifts by hand, from patterns and calendars, swaps, and the look ahead.

Every change is written into the log with the name of whoever runs the command. The running service looks at the roster
right after it; without one that happens at the next start.
"""

import contextlib
import getpass
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy import Engine

from greenchannel.alerts.refusal import Refused
from greenchannel.alerts.roster_edit import Caution, DutyShift
from greenchannel.alerts.roster_problems import UNREACHABLE
from greenchannel.cli.data_folder import DEFAULT_DATA, DataOption, open_data
from greenchannel.clock import EARLIEST, LATEST, SystemClock, can_be
from greenchannel.service import roster_changes
from greenchannel.service.errors import ServiceError
from greenchannel.service.roster_changes import Changed, ImportRefused, OnlyTried
from greenchannel.service.roster_watch import RosterWatch, duty_shift, look_soon, sentence
from greenchannel.store import roster_rows
from greenchannel.store.accounts import SHIFT_ROLES
from greenchannel.store.engine import reading
from greenchannel.store.writer import Tx, Writer

app = typer.Typer(add_completion=False)
roster = typer.Typer(help="Who is on duty. 值班")
app.add_typer(roster, name="roster", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """A group of one, so that the command line finds it by its name."""


_LIST_DAYS = 14
_EXPORT_DAYS = 90

DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what it would do, and do nothing")]


# ---------------------------------------------------------------- by hand


@roster.command("add")
def roster_add(
    person: Annotated[str, typer.Argument(metavar="USER")],
    role: Annotated[str, typer.Option(help=", ".join(SHIFT_ROLES))],
    starts: Annotated[str, typer.Option("--from", help="As in 2026-05-01T21:00+08:00")],
    ends: Annotated[str, typer.Option("--to", help="As in 2026-05-02T08:00+08:00")],
    site: Annotated[str | None, typer.Option(help="For cases of this site alone")] = None,
    data: DataOption = DEFAULT_DATA,
) -> None:
    """Put a person on duty; prints the shift's id."""
    first, last = _instant("--from", starts), _instant("--to", ends)
    shift = DutyShift(
        id=roster_changes.shift_id_of(role, person, first, site),
        role=role,
        person=person,
        start=first,
        end=last,
        site=site,
    )
    done = _change(data, lambda tx: roster_changes.add_shift(tx, look_soon, shift=shift, actor=_who()))
    _warn(done.cautions)
    typer.echo(shift.id)


@roster.command("list")
def roster_list(
    days: Annotated[int, typer.Option(min=1, max=400, help="How far ahead")] = _LIST_DAYS,
    data: DataOption = DEFAULT_DATA,
) -> None:
    """The shifts of now and of the next two weeks: id, role, person, from, to, site."""
    now = datetime.now(UTC)
    with _opened(data) as engine, reading(engine) as connection:
        for one in roster_rows.between(connection, now, now + timedelta(days=days)):
            row = (
                one.id,
                one.role,
                one.person,
                one.starts_at.isoformat(),
                one.ends_at.isoformat(),
                one.site or "",
            )
            typer.echo("\t".join(row))


@roster.command("disable")
def roster_disable(
    shift: Annotated[str, typer.Argument(metavar="SHIFT", help="The id that `add` or `list` printed")],
    data: DataOption = DEFAULT_DATA,
) -> None:
    """Take a shift off the roster."""
    _change(data, lambda tx: roster_changes.remove_shift(tx, look_soon, shift_id=shift, actor=_who()))
    typer.echo(f"{shift} is off the roster")


@roster.command("swap")
def roster_swap(
    shift: Annotated[str, typer.Argument(metavar="SHIFT")],
    to: Annotated[str, typer.Option(help="Who takes it")],
    reason: Annotated[str, typer.Option(help="Why; kept in the log")],
    starts: Annotated[str | None, typer.Option("--from", help="Of a part of it")] = None,
    ends: Annotated[str | None, typer.Option("--until", help="Of a part of it")] = None,
    data: DataOption = DEFAULT_DATA,
) -> None:
    """Give a shift or a part of it to another person; prints the parts: id, role, person, from, to."""
    if not reason.strip():
        raise typer.BadParameter("--reason: expected a reason, got none")
    done = _change(
        data,
        lambda tx: roster_changes.swap_shift(
            tx,
            look_soon,
            shift_id=shift,
            to=to,
            start=None if starts is None else _instant("--from", starts),
            end=None if ends is None else _instant("--until", ends),
            reason=reason.strip(),
            actor=_who(),
        ),
    )
    _warn(done.cautions)
    for part in done.added:
        typer.echo(f"{part.id}\t{part.role}\t{part.person}\t{part.start.isoformat()}\t{part.end.isoformat()}")


# ---------------------------------------------------------------- calendars and patterns


@roster.command("export")
def roster_export(
    file: Annotated[Path, typer.Argument(metavar="FILE.ics", help="- for standard output")],
    starts: Annotated[str | None, typer.Option("--from", help="Default: now")] = None,
    ends: Annotated[str | None, typer.Option("--to", help="Default: 90 days later")] = None,
    data: DataOption = DEFAULT_DATA,
) -> None:
    """Write the roster as an iCalendar file."""
    from greenchannel.alerts.roster_ical_write import write_calendar

    now = datetime.now(UTC)
    first = now if starts is None else _instant("--from", starts)
    last = first + timedelta(days=_EXPORT_DAYS) if ends is None else _instant("--to", ends)
    with _opened(data) as engine, reading(engine) as connection:
        people = roster_rows.people(connection)
        shifts = [duty_shift(row) for row in roster_rows.between(connection, first, last)]
    written = write_calendar(shifts, {id: one.name for id, one in people.items()}, now)
    if str(file) == "-":
        sys.stdout.buffer.write(written)
        return
    file.write_bytes(written)
    typer.echo(f"{len(shifts)} shifts in {file}")


@roster.command("import")
def roster_import(
    file: Annotated[Path, typer.Argument(metavar="FILE.ics", exists=True, dir_okay=False)],
    site: Annotated[str | None, typer.Option(help="Whose roster it is; without it the network's")] = None,
    dry_run: DryRun = False,
    data: DataOption = DEFAULT_DATA,
) -> None:
    """Take an iCalendar file in: new events are added, changed ones moved, cancelled ones removed.

    With one fault in it nothing is taken, and all faults are listed.
    """
    content = file.read_bytes()

    def command(tx: Tx) -> Changed:
        read = roster_changes.read_file(tx.conn, content, site=site, now=tx.now)
        return roster_changes.import_calendar(tx, look_soon, read=read, actor=_who(), dry_run=dry_run)

    _tell(_change(data, command), dry_run)


@roster.command("plan")
def roster_plan(
    file: Annotated[Path, typer.Argument(metavar="PATTERNS.toml", exists=True, dir_okay=False)],
    first: Annotated[str, typer.Option("--from", help="First day, as in 2026-12-01")],
    last: Annotated[str, typer.Option("--to", help="Last day")],
    calendar: Annotated[
        Path | None, typer.Option(help="The site's own holidays and years", exists=True, dir_okay=False)
    ] = None,
    dry_run: DryRun = False,
    data: DataOption = DEFAULT_DATA,
) -> None:
    """Shifts from weekly patterns, over working days, weekends and holidays; again it changes nothing.

    Days of which nobody can say yet whether they are holidays are named, and the status is 1: these have no shift of a
    pattern that depends on it.
    """
    from greenchannel.alerts.duty_calendar import calendar_of, chinese_calendar
    from greenchannel.alerts.duty_pattern import expand, patterns_of

    with _opened(data) as engine, reading(engine) as connection:
        zones = roster_rows.sites(connection)
    try:
        known = chinese_calendar() if calendar is None else calendar_of(calendar.read_bytes())
        found = expand(
            patterns_of(file.read_bytes()), known, _day("--from", first), _day("--to", last), zones
        )
    except ValueError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error
    done = _change(
        data,
        lambda tx: roster_changes.import_shifts(
            tx, look_soon, shifts=found.shifts, actor=_who(), dry_run=dry_run
        ),
    )
    _tell(done, dry_run)
    for one in found.undecided:
        possible = " / ".join(one.kinds)
        typer.echo(f"{one.day}\t{one.pattern}\tunknown: {possible} 放假安排未公布", err=True)
    if found.undecided:
        raise typer.Exit(1)


# ---------------------------------------------------------------- the look ahead


@roster.command("check")
def roster_check(
    hours: Annotated[int, typer.Option(min=1, max=24 * 60, help="How far ahead")] = 48,
    role: Annotated[
        list[str] | None, typer.Option(help=f"Of {', '.join(SHIFT_ROLES)}; may be repeated")
    ] = None,
    data: DataOption = DEFAULT_DATA,
) -> None:
    """What is in doubt: role, from, to, what, person, site, when the service said it; status 1 where something is.

    Whether a person can be reached is known to the running service alone: here stands what it said last.
    """
    roles = tuple(role or SHIFT_ROLES)
    strange = [one for one in roles if one not in SHIFT_ROLES]
    if strange:
        raise typer.BadParameter(f"--role: expected one of {', '.join(SHIFT_ROLES)}, got {strange[0]!r}")
    now = datetime.now(UTC)
    end = now + timedelta(hours=hours)
    with _opened(data) as engine, reading(engine) as connection:
        found = RosterWatch(roles=roles).found(connection, now, end, now)
        doubts = roster_changes.said_before(connection, now)
    found += [
        one.problem
        for one in doubts
        if one.problem.problem == UNREACHABLE and one.problem.role in roles and one.problem.start < end
    ]
    for problem in found:
        said = [one.said_at for one in doubts if one.problem.overlaps(problem)]
        row = (
            problem.role,
            _minute(problem.start),
            _minute(problem.end),
            problem.problem,
            problem.person or "",
            problem.site or "",
            _minute(min(said)) if said else "",
            sentence(problem)["zh"],
        )
        typer.echo("\t".join(row))
    if found:
        raise typer.Exit(1)


# ---------------------------------------------------------------- all


@contextlib.contextmanager
def _opened(data: Path) -> Iterator[Engine]:
    _, engine = open_data(data)
    try:
        yield engine
    finally:
        engine.dispose()


def _change(data: Path, command: Callable[[Tx], Changed]) -> Changed:
    """Run one command in the log's own way, beside the service or without one; a refusal ends it with a sentence."""
    with _opened(data) as engine:
        writer = Writer(engine, SystemClock())
        writer.start()
        try:
            return writer.transact_sync(command)
        except OnlyTried as tried:
            return tried.changed
        except ImportRefused as refused:
            typer.echo(f"{refused.zh} / {refused.en}", err=True)
            _lines(str(one) for one in refused.wrong)
            raise typer.Exit(1) from refused
        except (Refused, ServiceError) as refused:
            typer.echo(f"{refused.zh} / {refused.en}", err=True)
            raise typer.Exit(1) from refused
        finally:
            writer.close()


def _tell(done: Changed, dry_run: bool) -> None:
    for sign, shifts in (("+", done.added), ("~", done.changed), ("-", done.removed)):
        for one in shifts:
            typer.echo(
                "\t".join((sign, one.role, one.person, _minute(one.start), _minute(one.end), one.site or ""))
            )
    _warn(done.cautions)
    new, changed, gone = len(done.added), len(done.changed), len(done.removed)
    counts = f"{new} new, {changed} changed, {gone} removed, {done.unchanged} as they were"
    typer.echo(counts + (" (nothing done)" if dry_run else ""))


def _warn(cautions: Sequence[Caution]) -> None:
    _lines(f"注意 {one.zh} / {one.en}" for one in cautions)


def _lines(lines: Iterable[str]) -> None:
    for line in lines:
        typer.echo(line, err=True)


def _who() -> str:
    """Under which name the log knows whoever runs a command here."""
    try:
        return f"cli:{getpass.getuser()}"
    except (OSError, KeyError):  # a system without names of its users
        return "cli"


def _minute(instant: datetime) -> str:
    return instant.astimezone().isoformat(timespec="minutes")


def _instant(option: str, text: str) -> datetime:
    try:
        instant: datetime | None = datetime.fromisoformat(text)
    except ValueError:
        instant = None
    if instant is None or instant.utcoffset() is None:
        raise typer.BadParameter(f"{option}: expected an instant with its offset, got {text!r}")
    if not can_be(instant):
        raise typer.BadParameter(
            f"{option}: expected an instant from {EARLIEST:%Y} to {LATEST:%Y}, got {text!r}"
        )
    return instant.astimezone(UTC)


def _day(option: str, text: str) -> date:
    try:
        day: date | None = date.fromisoformat(text)
    except ValueError:
        day = None
    if day is None or not EARLIEST.year <= day.year < LATEST.year:
        raise typer.BadParameter(f"{option}: expected a day such as 2026-12-01, got {text!r}")
    return day
