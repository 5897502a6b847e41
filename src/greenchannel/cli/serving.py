"""`greenchannel serve` and `greenchannel demo`."""

import os
import threading
from pathlib import Path
from typing import Annotated

import typer

from greenchannel.cli.data_folder import DEFAULT_DATA

app = typer.Typer(add_completion=False)

NO_ADMINISTRATOR = """\
There is no administrator yet. 尚无管理员。
Make one first:  greenchannel user add NAME --role admin --data {folder}
"""

NO_SERVICE = "expected the data of a service in {folder}, there is none 该目录中没有服务数据\n"


@app.command()
def serve(
    data: Annotated[
        Path | None, typer.Option(help="Data folder; ./data where nothing says otherwise")
    ] = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535)] = None,
    database: Annotated[
        str | None, typer.Option(metavar="URL", help="Instead of SQLite in the folder")
    ] = None,
    config: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="TOML file of settings")
    ] = None,
) -> None:
    """Run the service until it is told to stop."""
    from greenchannel import assembly, settings
    from greenchannel.signal import kernels
    from greenchannel.store.accounts import Accounts
    from greenchannel.store.engine import migrate, open_engine
    from greenchannel.store.errors import FolderInUse

    try:
        chosen = settings.load(
            file=config,
            data_dir=data if data is not None or "GREENCHANNEL_DATA_DIR" in os.environ else DEFAULT_DATA,
            host=host,
            port=port,
            database_url=database,
        )
    except settings.SettingsError as error:
        raise typer.BadParameter(str(error)) from error
    chosen.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    engine = open_engine(chosen.url())
    migrate(engine)
    users = Accounts(engine).users()
    engine.dispose()
    if not any(user.role == "admin" and not user.disabled for user in users):
        typer.echo(NO_ADMINISTRATOR.format(folder=chosen.data_dir), err=True, nl=False)
        raise typer.Exit(2)
    told = os.environ.get(kernels.VARIABLE)
    if told is None:
        os.environ[kernels.VARIABLE] = "auto"  # for the process that reads running streams
    # The service answers before it computes faster.
    threading.Thread(target=kernels.turn_on, daemon=True).start()
    try:
        assembly.run(assembly.run_until_stopped(chosen))
    except settings.SettingsError as error:
        raise _bad_file(error) from error
    except FolderInUse as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error
    except OSError as error:
        typer.echo(f"cannot listen on {chosen.host} port {chosen.port}: {error.strerror or error}", err=True)
        raise typer.Exit(1) from error
    finally:
        if told is None:
            os.environ.pop(kernels.VARIABLE, None)


@app.command()
def engine(
    data: Annotated[Path | None, typer.Option(help="Data folder of the service")] = None,
    database: Annotated[
        str | None, typer.Option(metavar="URL", help="Instead of SQLite in the folder")
    ] = None,
    config: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="TOML file of settings")
    ] = None,
) -> None:
    """Keep the due times and audit beside a running service, on the same database; any number may run."""
    from greenchannel import assembly, settings

    try:
        chosen = settings.load(
            file=config,
            data_dir=data if data is not None or "GREENCHANNEL_DATA_DIR" in os.environ else DEFAULT_DATA,
            database_url=database,
        )
    except settings.SettingsError as error:
        raise typer.BadParameter(str(error)) from error
    if chosen.database_url is None and not (chosen.data_dir / "greenchannel.sqlite").is_file():
        typer.echo(NO_SERVICE.format(folder=chosen.data_dir), err=True, nl=False)
        raise typer.Exit(2)
    try:
        assembly.run(assembly.run_engine_until_stopped(chosen))
    except settings.SettingsError as error:
        raise _bad_file(error) from error


def _bad_file(error: ValueError) -> typer.Exit:
    """Say in one line what of a site's file does not fit; who starts the service needs no more of it."""
    typer.echo(f"cannot start 无法启动: {' '.join(str(error).split())}", err=True)
    return typer.Exit(2)


@app.command()
def demo(
    host: Annotated[str, typer.Option(help="Address to listen on")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535)] = 8765,
    speed: Annotated[float, typer.Option(min=0.1, max=1000.0, help="Twice as fast at 2")] = 1.0,
    once: Annotated[bool, typer.Option("--once", help="Stop at the end of the story")] = False,
    browser: Annotated[bool, typer.Option(help="Open the page where there is a display")] = True,
    data: Annotated[Path | None, typer.Option(help="Folder of real recordings to send as well")] = None,
    county: Annotated[
        bool, typer.Option("--county", help="No story: a large county with months behind it")
    ] = False,
    months: Annotated[float, typer.Option(min=0.1, max=120, help="With --county: how many")] = 12.0,
    scale: Annotated[float, typer.Option(min=0.001, max=10, help="With --county: of its patients")] = 0.25,
    clinics: Annotated[int, typer.Option(min=1, max=500, help="With --county")] = 113,
    seed: Annotated[int, typer.Option(min=0, help="With --county: the same gives the same")] = 1,
) -> None:
    """The whole story on this machine: a county, its devices, and a page to take part in."""
    from greenchannel import assembly
    from greenchannel.county import year_demo
    from greenchannel.county.demo import DemoOptions, run

    if county:
        chosen = year_demo.CountyOptions(
            host=host,
            port=port,
            months=months,
            scale=scale,
            clinics=clinics,
            seed=seed,
            once=once,
            browser=browser,
        )
        year_demo.run(chosen, assembly.run, assembly.run_until_stopped, assembly.build)
        return
    options = DemoOptions(host=host, port=port, speed=speed, once=once, browser=browser, data=data)
    run(options, assembly.run, assembly.run_until_stopped)
