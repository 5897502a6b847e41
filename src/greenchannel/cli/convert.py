"""`greenchannel convert`: one ECG from any format that is read into any that is written."""

import os
from pathlib import Path
from typing import Annotated, Literal

import typer

app = typer.Typer(add_completion=False)

Target = Literal["dicom", "wfdb", "scp", "aecg", "csv", "fhir"]


@app.callback()
def _group() -> None:
    """Keep this module's command under its own name."""


@app.command()
def convert(
    source: Annotated[Path, typer.Argument(metavar="IN", help="An ECG file of any format that is read")],
    target: Annotated[Path, typer.Argument(metavar="OUT", help="The file to write")],
    to: Annotated[
        Target | None, typer.Option(help="Format; by the ending of OUT where it is not given")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Write over OUT where it exists")] = False,
) -> None:
    """Write an ECG in another format. Samples keep the device's own step where the format can hold it."""
    from greenchannel.cli.analyze import parsed
    from greenchannel.ingest.writers import WRITERS, fitting_step, step_of

    name: str | None = to or next(
        (key for key, each in WRITERS.items() if each.suffix == target.suffix.lower()), None
    )
    if name is None:
        endings = " ".join(each.suffix for each in WRITERS.values())
        raise typer.BadParameter(
            f"the format is not clear: give --to, or an OUT that ends in one of {endings}"
        )
    if target.exists() and not force:
        raise typer.BadParameter(f"{target} exists; --force writes over it")
    read = parsed(source)
    if isinstance(read, dict):
        typer.echo(f"{source}: {read['error']['message']}", err=True)
        raise typer.Exit(1)
    step_mv = step_of(read.ecg.recording)
    if step_mv is None:
        step_mv = fitting_step(read.ecg.recording)
        if name != "csv":
            typer.echo(f"samples are of no whole step; rounded to {step_mv * 1000:g} uV", err=True)
    try:
        data = WRITERS[name].write(read.ecg, step_mv)
        _store(target, data)
    except (ValueError, OSError) as error:
        typer.echo(f"{target}: {error}", err=True)
        raise typer.Exit(1) from None
    for note in read.ecg.tolerated:
        typer.echo(f"note: {note}", err=True)
    recording = read.ecg.recording
    typer.echo(
        f"{target}: {name}, {len(recording.leads)} leads, {recording.duration_s:g} s, {len(data)} bytes"
    )


def _store(target: Path, data: bytes) -> None:
    """Whole or not at all."""
    beside = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        beside.write_bytes(data)
        beside.replace(target)
    finally:
        beside.unlink(missing_ok=True)
