"""`greenchannel rules`: the rule sets, and what a change of rules would change in an archive."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from greenchannel.cli.analyze import (
    Options,
    Sex,
    expand,
    in_processes,
    known_version,
    parsed,
    patient_of,
    progress,
)

if TYPE_CHECKING:
    from greenchannel.cli.archive import Archived
    from greenchannel.signal.recording import Recording
    from greenchannel.triage.finding import Patient

app = typer.Typer(add_completion=False)
rules = typer.Typer(no_args_is_help=True, add_completion=False)
app.add_typer(rules, name="rules", help="Rule sets, and what a change of rules would change")


@app.callback()
def _group() -> None:
    """Keep this module's commands under their own names."""


@rules.command("list")
def list_versions() -> None:
    """The published versions; the newest reads ECGs."""
    from greenchannel.triage.rule_set import NEWEST, rule_set, versions

    for version in versions():
        mark = "  (in use)" if version == NEWEST else ""
        typer.echo(f"{version}  {len(rule_set(version).rules)} rules{mark}")


@rules.command("show")
def show(
    version: Annotated[str | None, typer.Argument(help="The newest by default")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object")] = False,
) -> None:
    """Every rule with its leads, formula, numbers, sources and marks."""
    from greenchannel.triage.critical_lists import rules_named
    from greenchannel.triage.rule_set import NEWEST
    from greenchannel.triage.rules_page import as_json as to_object
    from greenchannel.triage.rules_page import markdown

    found = rules_named(known_version(version or NEWEST))
    typer.echo(msgspec.json.encode(to_object(found)).decode() if as_json else markdown(found))


@rules.command("compare")
def compare(
    old: Annotated[str, typer.Argument(help="A version")],
    new: Annotated[str, typer.Argument(help="Another version")],
    paths: Annotated[
        list[Path] | None, typer.Argument(metavar="FILE...", help="ECG files, or folders")
    ] = None,
    data: Annotated[
        Path | None, typer.Option("--data", help="A service's data folder: its whole archive")
    ] = None,
    age: Annotated[float | None, typer.Option(min=0, max=130, help="Years; overrides the files")] = None,
    sex: Annotated[Sex | None, typer.Option(help="Overrides the files")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line")] = False,
    jobs: Annotated[int | None, typer.Option(min=1, help="Processes; all cores by default")] = None,
) -> None:
    """Read an archive by two versions and report every ECG whose tier changes. Each is measured once.

    An ECG is read by itself: what other recordings of the patient say is left out on both sides.
    """
    for version in (old, new):
        known_version(version)
    one, sources = _work(paths or [], data, Options(age_years=age, sex=sex), old, new)
    changed = failed = 0
    with progress(len(sources), "compare") as advance:
        for result in in_processes(one, sources, jobs):
            failed += "error" in result
            changed += "error" not in result and result["old"]["tier"] != result["new"]["tier"]
            for line in _lines(result, as_json):
                typer.echo(line)
            advance()
    typer.echo(f"{len(sources)} ECGs, {changed} changed tier, {failed} not readable", err=True)
    if failed:
        raise typer.Exit(1)


def _work(
    paths: list[Path], data: Path | None, options: Options, old: str, new: str
) -> tuple[Callable[[Any], dict[str, Any]], list[Any]]:
    """What to do, and with what: files, or the ECGs of an archive."""
    if (data is None) == (not paths):
        raise typer.BadParameter("expected files or --data, one of the two")
    if data is None:
        return partial(of_file, options=options, old=old, new=new), list(expand(paths))
    from greenchannel.cli.archive import archived

    return partial(of_archive, old=old, new=new), archived(data)


def _lines(result: dict[str, Any], as_json: bool) -> Iterator[str]:
    if "error" in result:
        yield (
            msgspec.json.encode(result).decode()
            if as_json
            else f"{result['source']}: {result['error']['message']}"
        )
    elif result["old"]["tier"] != result["new"]["tier"]:
        if as_json:
            yield msgspec.json.encode(result).decode()
        else:
            old, new = result["old"], result["new"]
            told = (f"{one['tier']} ({', '.join(one['findings'])})" for one in (old, new))
            yield f"{result['source']}: {' → '.join(told)}"


def of_file(source: Path, *, options: Options, old: str, new: str) -> dict[str, Any]:
    """The tier and the ids of what fired, by both versions; or ``{"source", "error"}``."""
    found = parsed(source)
    if isinstance(found, dict):
        return found
    told = _by_two(found.ecg.recording, patient_of(found.ecg, options), old, new)
    return {"source": str(source), "sha256": found.sha256, **told}


def of_archive(one: "Archived", *, old: str, new: str) -> dict[str, Any]:
    """The same for an ECG of the archive, with what its case knows of the patient."""
    from greenchannel.cli.archive import load

    source = f"{one.case_id}/{one.ecg_id}"
    found = load(one)
    if isinstance(found, dict):
        return {"source": source, "error": found}
    recording = replace(found.recording, electrode_set=one.electrode_set)
    return {"source": source, "sha256": one.sha256, **_by_two(recording, one.who, old, new)}


def _by_two(recording: "Recording", patient: "Patient", old: str, new: str) -> dict[str, Any]:
    from greenchannel.triage.critical_lists import rules_named
    from greenchannel.triage.interpretation import interpret, reread

    first = interpret(recording, patient, rules_named(old))
    both = {"old": first, "new": reread(first, rules_named(new))}
    return {
        name: {
            "rules": one.reading.rules_version,
            "tier": one.reading.tier.value,
            "findings": [finding.id for finding in one.reading.findings],
        }
        for name, one in both.items()
    }
