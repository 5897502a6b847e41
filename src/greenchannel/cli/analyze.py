"""`greenchannel analyze`: files in, findings out, with or without a service."""

import contextlib
import logging
import os
import sys
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import msgspec
import typer

logger = logging.getLogger(__name__)

app = typer.Typer(add_completion=False)

Sex = Literal["male", "female"]
YesNo = Literal["yes", "no"]

KNOWN_SUFFIXES: Final = (".hea", ".dcm", ".zip")
SIGNAL_SUFFIXES: Final = (".dat", ".mat")
FILES_AT_ONCE: Final = 8  # handed to a worker together
WORTH_A_POOL: Final = 4  # fewer files are read sooner than a second process starts


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """What the command line says of every patient; None: what the file says."""

    age_years: float | None = None
    sex: str | None = None
    chest_pain: bool | None = None
    plot: Path | None = None


@app.callback()
def _group() -> None:
    """Keep this module's command under its own name."""


@app.command()
def analyze(
    paths: Annotated[list[Path], typer.Argument(metavar="FILE...", help="ECG files, or folders of them")],
    age: Annotated[float | None, typer.Option(min=0, max=130, help="Years; overrides the file")] = None,
    sex: Annotated[Sex | None, typer.Option(help="Overrides the file")] = None,
    chest_pain: Annotated[YesNo | None, typer.Option(help="Has the patient chest pain?")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line")] = False,
    plot: Annotated[Path | None, typer.Option(help="Draw the one file into OUT.png or OUT.pdf")] = None,
    jobs: Annotated[int | None, typer.Option(min=1, help="Processes; all cores by default")] = None,
) -> None:
    """Read ECG files and say what the rules say, in the order given. Needs no server."""
    sources = list(expand(paths))
    if plot is not None and (len(sources) != 1 or plot.suffix.lower() not in (".png", ".pdf")):
        raise typer.BadParameter("--plot takes one ECG and a name ending in .png or .pdf")
    options = Options(
        age_years=age,
        sex=sex,
        chest_pain=None if chest_pain is None else chest_pain == "yes",
        plot=plot,
    )
    failed = False
    with _progress(len(sources)) as advance:
        for result in run(sources, options, jobs or os.cpu_count() or 1):
            failed = failed or "error" in result
            _write(result, as_json)
            advance()
    if failed:
        raise typer.Exit(1)


def expand(paths: Iterable[Path]) -> Iterator[Path]:
    """Each path as it stands; a folder becomes the ECGs in it and below, by name."""
    for path in paths:
        if path.is_dir():
            inside = sorted(entry for entry in path.rglob("*") if _is_ecg(entry))
            yield from inside or [path]
        else:
            yield path


def _is_ecg(path: Path) -> bool:
    """Is this entry of a folder a file worth reading? A record's signal files belong to its header."""
    from greenchannel.ingest.dicom_ecg import looks_like_dicom

    if path.name.startswith(".") or path.suffix.lower() in SIGNAL_SUFFIXES:
        return False
    try:
        if not path.is_file():
            return False
        if path.suffix.lower() in KNOWN_SUFFIXES:
            return True
        with path.open("rb") as file:
            return looks_like_dicom(file.read(132))
    except OSError:  # reading it will say what is wrong
        return True


def run(sources: list[Path], options: Options, jobs: int) -> Iterator[dict[str, Any]]:
    """The analyze object of each source in its order, or ``{"source", "error"}``."""
    if jobs == 1 or len(sources) < WORTH_A_POOL:
        yield from (read_one(source, options) for source in sources)
        return
    with ProcessPoolExecutor(min(jobs, len(sources))) as pool:
        yield from pool.map(read_one, sources, [options] * len(sources), chunksize=FILES_AT_ONCE)


def read_one(source: Path, options: Options) -> dict[str, Any]:
    """Read one ECG; what cannot be read becomes an error with its code.

    A fault of ours in one file must not cost the thousands after it: it becomes an error too, and its trace goes to
    standard error.
    """
    try:
        return _read_one(source, options)
    except Exception as error:
        logger.exception("fault of ours in %s", source)
        return _error(source, "internal_error", type(error).__name__)


def _read_one(source: Path, options: Options) -> dict[str, Any]:
    from greenchannel.ingest.errors import IngestError
    from greenchannel.ingest.reader import content_sha256, files_of, read_ecg
    from greenchannel.triage.finding import Patient
    from greenchannel.triage.interpretation import interpret, to_json

    try:
        files = files_of(source)
        parsed = read_ecg(files)
    except IngestError as error:
        return _error(source, error.code, str(error))
    except OSError as error:
        code = "not_found" if isinstance(error, FileNotFoundError) else "unreadable"
        return _error(source, code, f"{error.strerror or error}: {source}")
    patient = Patient(
        age_years=options.age_years if options.age_years is not None else parsed.age_years,
        sex=options.sex or parsed.sex,
        chest_pain=options.chest_pain,
    )
    result = to_json(interpret(parsed.recording, patient), source=str(source), sha256=content_sha256(files))
    if options.plot is not None:
        from greenchannel.viewer.ecg_paper import plot

        plot(parsed.recording, result, options.plot)
    return result


def _error(source: Path, code: str, message: str) -> dict[str, Any]:
    return {"source": str(source), "error": {"code": code, "message": message}}


def _write(result: dict[str, Any], as_json: bool) -> None:
    if as_json:
        line = msgspec.json.encode(result).decode()
    else:
        from greenchannel.cli.summary import summary

        line = summary(result)
    with contextlib.suppress(BrokenPipeError):  # `| head` has seen enough
        sys.stdout.write(f"{line}\n")
        return
    sys.stdout = open(os.devnull, "w")  # noqa: SIM115 - or the interpreter complains again at its end
    raise typer.Exit(1)


@contextlib.contextmanager
def _progress(total: int) -> Iterator[Any]:
    """A bar on a terminal's standard error; what goes to standard output is never mixed with it."""
    if total < WORTH_A_POOL or not sys.stderr.isatty():
        yield lambda: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("analyze", total=total)
        yield lambda: bar.advance(task)
