"""`greenchannel audit verify`, `greenchannel doctor` and `greenchannel kernels`."""

import contextlib
import os
import shutil
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, NamedTuple

import typer

from greenchannel.cli.data_folder import DEFAULT_DATA, DataOption, open_data

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from greenchannel.store.access import AccessLog
    from greenchannel.store.log import Log, VerifyReport

app = typer.Typer(add_completion=False)
audit = typer.Typer(help="The hash chains. 审计")
app.add_typer(audit, name="audit", no_args_is_help=True)

HASH_BYTES: Final = 32
NOT_COVERED: Final = (
    "not covered: the roster's shifts, people, sites, devices, addresses, originals and other tables beside the log"
    " 未核对：值班表、人员、机构、设备、联系地址、原始文件等日志以外的表"
)
ROOM_BYTES = 1024**3  # free space under which the doctor warns


KnownOption = Annotated[
    list[str] | None,
    typer.Option(
        metavar="SEQ:HASH", help="A head that was kept elsewhere, as the heartbeat carries it; repeatable"
    ),
]


@audit.command("verify")
def verify(
    data: DataOption = DEFAULT_DATA, known: KnownOption = None, known_access: KnownOption = None
) -> None:
    """Walk along both chains, of the log and of the access log, and look at the analyses that the log names; 1 where
    something is not as it was written.

    Only a head that was kept elsewhere shows an end that was cut off, or a chain that was computed anew. Tables beside
    the log are not covered: the last line says which.
    """
    from sqlalchemy.exc import DBAPIError

    from greenchannel.store.access import AccessLog
    from greenchannel.store.log import Log

    heads, access_heads = _heads(known), _heads(known_access)
    try:
        _, engine = open_data(data)
        log, access = Log(engine), AccessLog(engine)
        sound = [
            _say("log", log.verify(heads), log),
            _say("access log", access.verify(access_heads), access),
        ]
        sound.append(_analyses(engine, sound[0]))
        typer.echo(NOT_COVERED)
        engine.dispose()
    except DBAPIError as error:
        typer.echo(f"the database cannot be read 数据库无法读取: {error.orig}", err=True)
        raise typer.Exit(1) from error
    if not all(sound):
        raise typer.Exit(1)


def _say(name: str, report: "VerifyReport", chain: "Log | AccessLog") -> bool:
    if report.ok:
        typer.echo(f"{name}: {report.seq} entries, unbroken, head {report.seq}:{chain.head()[1].hex()}")
    else:
        place = f"{name}: broken at {report.bad_seq}: {report.reason}"
        typer.echo(f"{place} 记录链在第 {report.bad_seq} 条断开", err=True)
    return report.ok


def _analyses(engine: "Engine", log_is_sound: bool) -> bool:
    from greenchannel.store.analyses import verify_analyses

    if not log_is_sound:
        typer.echo(
            "analyses: not looked at, the log that names them is broken 记录链已断开，未核对分析结果",
            err=True,
        )
        return False
    count, bad = verify_analyses(engine)
    for one in bad:
        typer.echo(
            f"analyses: entry {one.seq} of the log, {one.ecg_id}: {one.reason} 分析结果与记录不符", err=True
        )
    if not bad:
        typer.echo(f"analyses: {count} readings, each as the log has it")
    return not bad


def _heads(given: list[str] | None) -> dict[int, bytes]:
    """Heads as they were told; ends the command with 2 where one cannot be read."""
    return dict(_head(text) for text in given or ())


def _head(text: str) -> tuple[int, bytes]:
    seq, _, told = text.partition(":")
    with contextlib.suppress(ValueError):
        head = int(seq), bytes.fromhex(told)
        if head[0] >= 0 and len(head[1]) == HASH_BYTES:
            return head
    raise typer.BadParameter(
        f"expected SEQ:HASH with {2 * HASH_BYTES} hexadecimal digits, got {text!r} 应为“序号:哈希”"
    )


@app.command("kernels")
def compile_kernels() -> None:
    """Compile the core's kernels for this machine, once for each version; needs the extra [fast]. Takes a minute.

    From then on a service and an analysis of many files compute with them.
    """
    import logging

    from greenchannel.signal import kernels, measure  # noqa: F401 - kernels are part of the chain, which loads first

    logging.basicConfig(format="%(message)s")
    if not kernels.turn_on(compiling=True):
        typer.echo(f"no kernels: {kernels.VARIABLE} is off, or the reason stands above", err=True)
        raise typer.Exit(1)
    typer.echo(f"compiled in {kernels.folder()}")


class Check(NamedTuple):
    """One thing the doctor looked at."""

    name: str
    fine: bool
    said: str


@app.command()
def doctor(data: DataOption = DEFAULT_DATA) -> None:
    """Look at this machine and at the data, and say what is wrong; 1 where something is."""
    checks = [check for look in (_software, _page, _folder) for check in look(data)]
    for check in checks:
        typer.echo(f"{'ok ' if check.fine else 'BAD'}  {check.name}: {check.said}")
    if not all(check.fine for check in checks):
        raise typer.Exit(1)


def _software(data: Path) -> Iterator[Check]:
    yield Check("version", True, version("greenchannel"))
    yield from (_importable(name) for name in ("numpy", "scipy", "matplotlib", "fastapi", "uvicorn"))


def _importable(name: str) -> Check:
    from importlib.util import find_spec

    found = find_spec(name) is not None
    return Check(name, found, "installed" if found else "missing: install greenchannel[server]")


def _page(data: Path) -> Iterator[Check]:
    from greenchannel.viewer.static_page import page_folder

    built = (page_folder() / "index.html").is_file()
    yield Check("page", built, "built" if built else "not built: run make setup, or install a wheel")


def _folder(data: Path) -> Iterator[Check]:
    if not data.is_dir():
        yield Check("data", True, f"{data} does not exist yet; the service makes it")
        return
    yield Check("writable", os.access(data, os.W_OK), str(data))
    free = shutil.disk_usage(data).free
    yield Check("free space", free >= ROOM_BYTES, f"{free / 1024**3:.1f} GiB")
    key = data / "master.key"
    if key.is_file():
        private = key.stat().st_mode & 0o077 == 0
        yield Check("master key", private, "private" if private else "others can read it: chmod 600")
    if (data / "greenchannel.sqlite").is_file():
        yield from _database(data)


def _database(data: Path) -> Iterator[Check]:
    from datetime import UTC, datetime, timedelta

    from greenchannel.store.access import AccessLog
    from greenchannel.store.accounts import Accounts
    from greenchannel.store.log import Log

    _, engine = open_data(data)
    chains: tuple[tuple[str, Callable[[], object]], ...] = (
        ("log", Log(engine).verify),
        ("access log", AccessLog(engine).verify),
    )
    for name, walk in chains:
        report = walk()
        yield Check(name, bool(getattr(report, "ok", False)), f"{getattr(report, 'seq', 0)} entries")
    accounts = Accounts(engine)
    admins = [one for one in accounts.users() if one.role == "admin" and not one.disabled]
    yield Check("administrator", bool(admins), f"{len(admins)}")
    now = datetime.now(UTC)
    on_duty = accounts.shifts_between(now, now + timedelta(seconds=1))
    yield Check(
        "on duty",
        any(one.role == "first" for one in on_duty),
        ", ".join(s.person for s in on_duty) or "nobody",
    )
    engine.dispose()
