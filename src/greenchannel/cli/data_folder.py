"""The data of a service, opened by an administration command beside the running service or without one."""

from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy import Engine

from greenchannel.settings import Settings, load
from greenchannel.store.engine import migrate, open_engine

DEFAULT_DATA = Path("data")

DataOption = Annotated[
    Path, typer.Option("--data", envvar="GREENCHANNEL_DATA_DIR", help="The service's data folder")
]


def open_data(folder: Path, *, create: bool = False) -> tuple[Settings, Engine]:
    """Settings and database of a data folder; ends the command where there is none and none may be made."""
    settings = load(data_dir=folder)
    if settings.database_url is None and not create and not (folder / "greenchannel.sqlite").is_file():
        typer.echo(f"expected the data of a service in {folder}, there is none", err=True)
        raise typer.Exit(2)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    engine = open_engine(settings.url())
    migrate(engine)
    return settings, engine
