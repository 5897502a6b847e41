"""`greenchannel simulate`: synthetic ECGs, clinics that send them, and bad links."""

import asyncio
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from greenchannel.cli.data_folder import DEFAULT_DATA

if TYPE_CHECKING:
    from greenchannel.county.plan import PlanOptions

app = typer.Typer(add_completion=False)
simulate = typer.Typer(help="Synthetic devices, clinics and links. 模拟设备、诊所与网络")
app.add_typer(simulate, name="simulate", no_args_is_help=True)

Seed = Annotated[int, typer.Option(min=0, help="The same seed gives the same county")]
Clinics = Annotated[int, typer.Option(min=1, max=500)]
Ecgs = Annotated[int, typer.Option(min=0)]
SpanS = Annotated[float, typer.Option(min=0.001, help="Over how many seconds the ECGs are recorded")]
Ways = Annotated[str | None, typer.Option(help="What machines leave, by commas; a wrong name lists them all")]
Begin = Annotated[
    str | None,
    typer.Option(
        metavar="INSTANT",
        help="When the plan begins; the same instant gives the same bytes",
    ),
]


@simulate.callback()
def _group() -> None:
    """Synthetic devices, clinics and links. 模拟设备、诊所与网络"""


@simulate.command()
def ecg(
    out: Annotated[Path, typer.Argument(help="The file to write: .dcm or .zip (a WFDB record)")],
    scenario: Annotated[
        str, typer.Option(help="What the heart does; a wrong name lists them all")
    ] = "baseline_sinus",
    leads: Annotated[Literal["12", "18"], typer.Option()] = "12",
    seed: Annotated[int, typer.Option(min=0)] = 1,
    age: Annotated[float | None, typer.Option(min=0, max=130)] = None,
    sex: Annotated[Literal["male", "female"] | None, typer.Option()] = None,
) -> None:
    """Write ten seconds of a synthetic heart as a clinic's machine would leave it."""
    from greenchannel.county.devices import LSB_MV, simulated
    from greenchannel.ingest.dicom_ecg_write import write_dicom_ecg
    from greenchannel.ingest.wfdb_write import write_wfdb_zip
    from greenchannel.signal.synthesis import SCENARIOS

    if out.suffix.lower() not in (".dcm", ".zip"):
        raise typer.BadParameter(f"expected a name ending in .dcm or .zip, got {out.name}")
    if scenario not in SCENARIOS:
        raise typer.BadParameter(f"expected a scenario of {' '.join(SCENARIOS)}, got {scenario}")
    recording = simulated(scenario, seed=seed, leads=int(leads))
    if out.suffix.lower() == ".dcm":
        data = write_dicom_ecg(recording, acquired=None, age_years=age, sex=sex)
    else:
        data = write_wfdb_zip(recording, lsb_mv=LSB_MV, age_years=age, sex=sex, acquired=None)
    out.write_bytes(data)


@simulate.command()
def settle(
    keys: Annotated[Path, typer.Argument(help="File to write tokens and passwords to")],
    data: Annotated[Path, typer.Option(help="The service's data folder")] = DEFAULT_DATA,
    seed: Seed = 1,
    clinics: Clinics = 3,
    ways: Ways = None,
) -> None:
    """Enter the simulated county's sites, machines and doctors into a service's data folder."""
    from greenchannel import settings
    from greenchannel.county.plan import make_plan
    from greenchannel.county.settling import settle as enter
    from greenchannel.county.settling import write_keys
    from greenchannel.store.accounts import Accounts
    from greenchannel.store.engine import migrate, open_engine
    from greenchannel.store.errors import AlreadyExists

    if keys.exists():
        raise typer.BadParameter(f"expected a file that is not there yet, got {keys}")
    plan = make_plan(seed, _options(clinics, 0, 1.0, ways))
    data.mkdir(parents=True, exist_ok=True, mode=0o700)
    engine = open_engine(settings.load(data_dir=data).url())
    migrate(engine)
    try:
        write_keys(enter(Accounts(engine), plan, datetime.now(UTC)), keys)
    except AlreadyExists as error:
        raise typer.BadParameter(f"expected a folder without a simulated county, got: {error}") from error
    finally:
        engine.dispose()


@simulate.command()
def plan(
    seed: Seed = 1,
    clinics: Clinics = 3,
    ecgs: Ecgs = 20,
    span_s: SpanS = 3600.0,
    ways: Ways = None,
    begin: Begin = None,
) -> None:
    """Print the truth about every ECG of a seed, one JSON object a line, and send nothing."""
    import json
    from zoneinfo import ZoneInfo

    from greenchannel.county.machines import make_ecg
    from greenchannel.county.plan import make_plan
    from greenchannel.county.settling import ZONE

    made = make_plan(seed, _options(clinics, ecgs, span_s, ways))
    begun = _instant(begin) or datetime.now(UTC)
    for planned in made.ecgs:
        typer.echo(json.dumps(make_ecg(made, planned, begun, ZoneInfo(ZONE)).truth, ensure_ascii=False))


@simulate.command()
def clinics(
    truth: Annotated[Path, typer.Option(help="File to write the truth to, a line of JSON an ECG")],
    server: Annotated[str | None, typer.Option(metavar="URL", help="The service")] = None,
    keys: Annotated[Path | None, typer.Option(help="What `simulate settle` wrote")] = None,
    folders: Annotated[
        Path | None,
        typer.Option(help="In place of a service: leave files in a folder for each clinic's agent"),
    ] = None,
    seed: Seed = 1,
    clinics: Clinics = 3,
    ecgs: Ecgs = 20,
    span_s: SpanS = 3600.0,
    ways: Ways = None,
    begin: Begin = None,
    speed: Annotated[
        float, typer.Option(min=0.01, max=1e6, help="Plan and links run so many times as fast")
    ] = 1.0,
    link: Annotated[
        str, typer.Option(help="Between clinics and service; a wrong name lists them all")
    ] = "clean",
    staff: Annotated[bool, typer.Option(help="Doctors at the hub answer, late or never")] = True,
    patience_s: Annotated[float, typer.Option(min=0.0, help="How long one ECG is tried")] = 300.0,
) -> None:
    """Play a county: each clinic sends its ECGs at their times, over its own link."""
    from greenchannel.county import county_run
    from greenchannel.county.links import profile_named
    from greenchannel.county.plan import make_plan
    from greenchannel.county.settling import read_keys

    if (server is None) == (folders is None):
        raise typer.BadParameter("expected either --server or --folders")
    if server is not None and keys is None:
        raise typer.BadParameter(
            "expected --keys beside --server; `greenchannel simulate settle` writes them"
        )
    if truth.exists():
        raise typer.BadParameter(f"expected a file that is not there yet, got {truth}")
    made = make_plan(seed, _options(clinics, ecgs, span_s, ways, streams=folders is None))
    begun = _instant(begin)
    try:
        run = county_run.CountyRun(
            plan=made,
            server=server,
            keys=None if keys is None else read_keys(keys),
            folders=folders,
            profile=profile_named(link),
            speed=speed,
            staff=staff,
            patience_s=patience_s,
            begun=begun,
        )
        tally = asyncio.run(run.play(truth))
    except (ValueError, OSError) as error:
        raise typer.BadParameter(str(error)) from error
    typer.echo(run.summary(tally), err=True)
    sys.exit(1 if tally.refused or tally.given_up else 0)


@simulate.command()
def link(
    to: Annotated[str, typer.Option(metavar="URL", help="The service at the far end")],
    profile: Annotated[str, typer.Option(help="A wrong name lists them all")] = "village",
    host: Annotated[str, typer.Option(help="Address of the near end")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535)] = 9001,
    seed: Seed = 1,
) -> None:
    """Be a bad link before a service until stopped: for trying out a device or an agent by hand."""
    from greenchannel.county.county_run import far_end, serve_link
    from greenchannel.county.links import profile_named

    try:
        there, chosen = far_end(to), profile_named(profile)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    try:
        asyncio.run(serve_link(there, chosen, seed, host, port, typer.echo))
    except OSError as error:
        typer.echo(f"cannot listen on {host} port {port}: {error.strerror or error}", err=True)
        raise typer.Exit(1) from error
    except KeyboardInterrupt:
        pass


def _instant(text: str | None) -> datetime | None:
    from greenchannel.ingest.fields import parse_instant

    if text is None:
        return None
    instant = parse_instant(text)
    if instant is None:
        raise typer.BadParameter(f"expected an instant such as 2026-05-01T08:00:00+08:00, got {text}")
    return instant


def _options(
    clinics: int, ecgs: int, span_s: float, ways: str | None, *, streams: bool = True
) -> "PlanOptions":
    from greenchannel.county.plan import STREAM, WAYS, PlanOptions

    chosen = tuple(ways.split(",")) if ways else tuple(way for way in WAYS if streams or way != STREAM)
    try:
        return PlanOptions(clinics=clinics, ecgs=ecgs, span_s=span_s, ways=chosen)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
