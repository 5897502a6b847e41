"""`greenchannel images`: images of files, beside the running service or without one."""

import json
import os
import secrets
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, Final

import typer

app = typer.Typer(add_completion=False)
images = typer.Typer(no_args_is_help=True, add_completion=False)
app.add_typer(images, name="images", help="De-identify images; try detectors on a series. 影像")

MOST_BYTES: Final = 1 << 30  # of one file  [E]

Sources = Annotated[list[Path], typer.Argument(metavar="IN...", help="DICOM files, or folders of them")]


@app.callback()
def _group() -> None:
    """Keep this module's commands under their own names."""


@images.command()
def deidentify(
    sources: Sources,
    out: Annotated[Path, typer.Option("--out", help="A folder that is not there yet, or is empty")],
    key_file: Annotated[
        Path | None,
        typer.Option(
            "--key-file",
            help="At least 16 bytes; gives the same pseudonyms in a later export. Without it nobody keeps one",
        ),
    ] = None,
    burned_in_seen: Annotated[
        bool,
        typer.Option(
            "--burned-in-seen", help="Somebody has looked at the pixels of images that may carry text"
        ),
    ] = False,
) -> None:
    """Write images without their patient (DICOM PS3.15 Annex E, Basic Profile), and `report.json` beside them.

    Pixels are not changed. What cannot go is left out and said in the report; then the exit status is 1.
    """
    from greenchannel.ingest.errors import IngestError
    from greenchannel.ingest.imaging.deidentify import METHOD
    from greenchannel.ingest.imaging.deidentify import deidentify as without_patient
    from greenchannel.service.imaging.leaving import told

    if out.exists() and any(out.iterdir()):
        raise typer.BadParameter(f"{out} is not empty")
    key = key_file.read_bytes().strip() if key_file else secrets.token_bytes(32)
    if len(key) < 16:
        raise typer.BadParameter(f"expected a key of at least 16 bytes, got {len(key)}")
    out.mkdir(parents=True, exist_ok=True)
    written: list[dict[str, Any]] = []
    refused: list[dict[str, Any]] = []
    for number, path in enumerate(_files(sources), start=1):
        try:
            done = without_patient(_bytes(path), key=key, burned_in_seen=burned_in_seen)
        except (
            IngestError
        ) as error:  # the report leaves with the images: a file's own name may be the patient's
            refused.append({"number": number, "code": error.code, "message": error.message, "got": error.got})
            typer.echo(f"{path}: {error.message}", err=True)
            continue
        name = f"{done.sop_uid}.dcm"
        (out / name).write_bytes(done.data)
        written.append(told(name, done))
    report = {"method": METHOD, "written": written, "refused": refused}
    (out / "report.json").write_text(json.dumps(report, ensure_ascii=False, indent=1), encoding="utf-8")
    typer.echo(f"{out}: {len(written)} images, {len(refused)} refused; see report.json")
    if refused or not written:
        raise typer.Exit(1)


@images.command()
def detect(
    sources: Sources,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a detector")] = False,
) -> None:
    """Let every detector look at one series. Not validated: nothing that is said here is a finding."""
    import msgspec

    from greenchannel.service.imaging.detector_series import series_of
    from greenchannel.triage.detectors.plugin import BANNER, Status, result, run
    from greenchannel.triage.detectors.registry import DETECTORS
    from greenchannel.triage.detectors.volume import NotAnalysed

    typer.echo(f"{BANNER.zh} / {BANNER.en}", err=True)
    for detector in DETECTORS.values():
        try:
            said = run(detector, series_of(_bytes(path) for path in _files(sources)), Status.UNVALIDATED)
        except NotAnalysed as error:
            said = result(detector.card, Status.UNVALIDATED, reason=error.code)
        if as_json:
            typer.echo(json.dumps(msgspec.to_builtins(said), ensure_ascii=False))
            continue
        typer.echo(f"{said.plugin}: {said.said.en}")
        for one in said.evidence:
            typer.echo(
                f"  {one.quantity} {one.value:g} {one.relation} {one.threshold:g}  {one.place or ''}".rstrip()
            )


def _files(sources: Sequence[Path]) -> Iterator[Path]:
    for source in sources:
        if source.is_dir():
            for folder, _, names in sorted(os.walk(source)):
                yield from (Path(folder) / name for name in sorted(names))
        else:
            yield source


def _bytes(path: Path) -> bytes:
    from greenchannel.ingest.errors import IngestError

    try:
        if path.stat().st_size > MOST_BYTES:
            raise IngestError("too_large", "too large for one image", f"at most {MOST_BYTES} bytes")
        return path.read_bytes()
    except OSError as error:
        raise IngestError("malformed", "this file cannot be read", got=type(error).__name__) from None
