"""`greenchannel analyze`: files in, findings out, with or without a service."""

import contextlib
import logging
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, NamedTuple

import msgspec
import typer

if TYPE_CHECKING:
    from greenchannel.ingest.parsed import ParsedEcg
    from greenchannel.triage.finding import Patient

logger = logging.getLogger(__name__)

app = typer.Typer(add_completion=False)

Sex = Literal["male", "female"]
YesNo = Literal["yes", "no"]

KNOWN_SUFFIXES: Final = (".hea", ".dcm", ".zip")
SIGNAL_SUFFIXES: Final = (".dat", ".mat")
FILES_AT_ONCE: Final = 8  # handed to a worker together
BEGIN_BYTES: Final = 64 * 1024  # by which a format is known
WORTH_KERNELS: Final = 1000  # fewer files for each process are read sooner than kernels are loaded
WORTH_A_POOL: Final = 4  # fewer files are read sooner than a second process starts


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """What the command line says of every patient; None: what the file says."""

    age_years: float | None = None
    sex: str | None = None
    chest_pain: bool | None = None
    plot: Path | None = None
    rules: str | None = None  # version; None: the newest


class Parsed(NamedTuple):
    """A file that was read."""

    ecg: "ParsedEcg"
    sha256: str


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
    rules: Annotated[
        str | None, typer.Option(help="Version of the rules, as 2 or 2+shanxi; the newest by default")
    ] = None,
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
        rules=None if rules is None else known_version(rules),
    )
    failed = False
    with progress(len(sources), "analyze") as advance:
        for result in in_processes(partial(read_one, options=options), sources, jobs):
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
    from greenchannel.ingest.formats import FORMATS

    if path.name.startswith(".") or path.suffix.lower() in SIGNAL_SUFFIXES:
        return False
    try:
        if not path.is_file():
            return False
        if path.suffix.lower() in KNOWN_SUFFIXES:
            return True
        with path.open("rb") as file:
            begin = file.read(BEGIN_BYTES)
        return any(one.looks_like(begin) for one in FORMATS)
    except OSError:  # reading it will say what is wrong
        return True


def in_processes(
    one: Callable[[Any], dict[str, Any]], sources: list[Any], jobs: int | None
) -> Iterator[dict[str, Any]]:
    """What `one` makes of each source, in its order, on `jobs` processes; all cores where that is None."""
    count = jobs or os.cpu_count() or 1
    with_kernels = len(sources) >= WORTH_KERNELS * count
    if count == 1 or len(sources) < WORTH_A_POOL:
        if with_kernels:
            turn_on_kernels()
        yield from map(one, sources)
        return
    begin = turn_on_kernels if with_kernels else None
    with ProcessPoolExecutor(min(count, len(sources)), initializer=begin) as pool:
        yield from pool.map(one, sources, chunksize=FILES_AT_ONCE)


def turn_on_kernels() -> None:
    """Compute with kernels, where they have been compiled (`greenchannel kernels`)."""
    from greenchannel.signal import kernels, measure  # noqa: F401 - kernels are part of the chain, which loads first

    kernels.turn_on()


def known_version(name: str) -> str:
    """A version of the rules; ends the command where there is none of that name."""
    from greenchannel.triage.critical_lists import rules_named
    from greenchannel.triage.rule_set import RuleSetError

    try:
        return rules_named(name).version
    except RuleSetError as error:
        raise typer.BadParameter(str(error)) from error


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
    from greenchannel.triage.critical_lists import rules_named
    from greenchannel.triage.interpretation import interpret, to_json
    from greenchannel.triage.rule_set import NEWEST

    found = parsed(source)
    if isinstance(found, dict):
        return found
    read = interpret(
        found.ecg.recording, patient_of(found.ecg, options), rules_named(options.rules or NEWEST)
    )
    result = to_json(read, source=str(source), sha256=found.sha256)
    if options.plot is not None:
        from greenchannel.viewer.ecg_paper import plot

        plot(read.recording, result, options.plot)
    return result


def parsed(source: Path) -> Parsed | dict[str, Any]:
    """A file as an ECG, or ``{"source", "error"}``."""
    from greenchannel.ingest.errors import IngestError
    from greenchannel.ingest.reader import content_sha256, files_of, read_ecg

    try:
        files = files_of(source)
        return Parsed(read_ecg(files), content_sha256(files))
    except IngestError as error:
        return _error(source, error.code, str(error))
    except OSError as error:
        code = "not_found" if isinstance(error, FileNotFoundError) else "unreadable"
        return _error(source, code, f"{error.strerror or error}: {source}")


def patient_of(ecg: "ParsedEcg", options: Options) -> "Patient":
    """What the file says of the patient, and over it what the command line says."""
    from greenchannel.triage.finding import Patient

    return Patient(
        age_years=options.age_years if options.age_years is not None else ecg.age_years,
        sex=options.sex or ecg.sex,
        chest_pain=options.chest_pain,
    )


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
def progress(total: int, what: str) -> Iterator[Any]:
    """A bar on a terminal's standard error; what goes to standard output is never mixed with it."""
    if total < WORTH_A_POOL or not sys.stderr.isatty():
        yield lambda: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=total)
        yield lambda: bar.advance(task)
