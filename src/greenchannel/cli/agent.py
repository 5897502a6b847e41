"""`greenchannel agent`: on the clinic's computer."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from greenchannel.agent.installing import Service

app = typer.Typer(add_completion=False)
agent = typer.Typer(
    help="The clinic's agent: sends what the ECG machine leaves, whatever the line does. 诊所代理程序",
)
app.add_typer(agent, name="agent", invoke_without_command=True)

Server = Annotated[str | None, typer.Option(metavar="URL", help="The service, as https://heart.example")]
TokenFile = Annotated[
    Path | None, typer.Option(metavar="F", help="File with this clinic's token (greenchannel device add)")
]
Watch = Annotated[
    Path | None, typer.Option(metavar="DIR", help="Folder in which the ECG machine leaves files")
]
SpoolDir = Annotated[Path | None, typer.Option(metavar="DIR", help="Folder of the agent's own; keep it")]
Done = Annotated[
    Path | None, typer.Option(metavar="DIR", help="Move files here once they are safe; by default they stay")
]
Ca = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Certificates to trust instead of the system's")
]
Mllp = Annotated[
    str | None,
    typer.Option(metavar="[HOST:]PORT", help="Take HL7 v2 messages; on this computer alone without HOST"),
]
Dicom = Annotated[
    str | None, typer.Option(metavar="[HOST:]PORT", help="Take DICOM ECGs (extra agent-dicom); as --mllp")
]
AeTitle = Annotated[str, typer.Option("--ae-title", metavar="AET", help="Our own title as a DICOM node")]
AeFrom = Annotated[
    list[str] | None,
    typer.Option("--ae-from", metavar="AET", help="Title that may send; several times for several"),
]
RefFromFile = Annotated[
    bool, typer.Option(help="Take the patient's number from the file where nobody said one")
]
Judged = Annotated[bool, typer.Option(help="Read each ECG here first, so that urgent ones are sent first")]
Paged = Annotated[bool, typer.Option(help="The local page, on this computer alone")]
PagePort = Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one")]
Settle = Annotated[
    float, typer.Option(min=0.0, max=600.0, help="A file is complete when it stays the same for so long")
]
SystemWide = Annotated[
    bool, typer.Option("--system", help="For the machine, not for this user alone (Linux)")
]


@agent.callback()
def run(
    context: typer.Context,
    server: Server = None,
    token_file: TokenFile = None,
    watch: Watch = None,
    spool: SpoolDir = None,
    done: Done = None,
    ca: Ca = None,
    mllp: Mllp = None,
    dicom: Dicom = None,
    ae_title: AeTitle = "GREENCHANNEL",
    ae_from: AeFrom = None,
    ref_from_file: RefFromFile = True,
    judge: Judged = True,
    page: Paged = True,
    page_port: PagePort = 8766,
    screen: Annotated[bool, typer.Option(help="The states live in a terminal")] = True,
    settle_s: Settle = 2.0,
) -> None:
    """Run the agent until it is told to stop."""
    if context.invoked_subcommand is not None:
        return
    from greenchannel.agent.agent import Options
    from greenchannel.agent.ports import address_of
    from greenchannel.agent.running import Faces, run_until_stopped

    if server is None or token_file is None or spool is None:
        raise typer.BadParameter("expected --server, --token-file and --spool")
    options = Options(
        server=server,
        token_file=token_file,
        spool=spool,
        watch=watch,
        done=done,
        ca_file=ca,
        patient_ref_from_file=ref_from_file,
        judged=judge,
        settle_s=settle_s,
    )
    try:
        faces = Faces(
            page_port=page_port if page else None,
            screen=screen,
            mllp=None if mllp is None else address_of(mllp),
            dicom=None if dicom is None else address_of(dicom),
            ae_title=ae_title,
            ae_from=tuple(ae_from or ()),
        )
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    raise typer.Exit(run_until_stopped(options, faces))


@agent.command()
def pair(
    server: Annotated[str, typer.Option(metavar="URL", help="The service, as https://heart.example")],
    code: Annotated[str, typer.Option(help="The digits on the administrator's page", prompt=True)],
    token_file: Annotated[Path, typer.Option(metavar="F", help="Where this clinic's token is put")],
    ca: Ca = None,
    replace: Annotated[bool, typer.Option("--replace", help="In place of the token that is there")] = False,
) -> None:
    """Take this clinic's token for a code of the administrator, once, and put it into the token file."""
    from greenchannel.agent import pairing
    from greenchannel.agent.link import BadServer

    if token_file.exists() and not replace:
        typer.echo(f"已有令牌文件 {token_file} 没有改动;要替换请加 --replace", err=True)
        typer.echo(f"{token_file} is there already and was left as it is; --replace puts another", err=True)
        raise typer.Exit(2)
    try:
        paired = pairing.pair(server, code, token_file, ca_file=ca)
    except BadServer as error:
        raise typer.BadParameter(str(error)) from error
    except pairing.NotPaired as error:
        typer.echo(error.zh, err=True)
        typer.echo(error.en, err=True)
        raise typer.Exit(1) from error
    typer.echo(f"{paired.device} {paired.name} · {paired.site}: {token_file}")


@agent.command()
def send_study(
    source: Annotated[Path, typer.Argument(exists=True, help="Folder with DICOM files, or a zip archive")],
    server: Annotated[str, typer.Option(metavar="URL", help="The service, as https://heart.example")],
    token_file: Annotated[
        Path,
        typer.Option(
            metavar="F", help="File with this van's token", exists=True, dir_okay=False, readable=True
        ),
    ],
    spool: Annotated[Path, typer.Option(metavar="DIR", help="Folder of the agent's own; keep it")],
    case_id: Annotated[str | None, typer.Option(metavar="CASE", help="The case it belongs to")] = None,
    ca: Ca = None,
) -> None:
    """Send one study of images, whatever the line does; after a power cut the same command goes on."""
    from greenchannel.agent.link import BadServer, Link
    from greenchannel.agent.study_sender import NoStudy, StudyRefused, StudySender

    words = {} if case_id is None else {"case_id": case_id}
    try:
        link = Link(server, token_file, ca_file=ca)
    except BadServer as error:
        raise typer.BadParameter(str(error)) from error
    try:
        study = StudySender(link=link, folder=spool, say=lambda text: typer.echo(text, err=True)).send(
            source, **words
        )
    except NoStudy as error:
        typer.echo(f"{source} 中没有 DICOM 文件 / {error}", err=True)
        raise typer.Exit(2) from error
    except StudyRefused as error:
        typer.echo(f"未被接收:{error.problem.get('zh', '')} / refused: {error}", err=True)
        raise typer.Exit(1) from error
    finally:
        link.close()
    refused = len(study["refused"])
    typer.echo(
        f"新 {study['new']} · 重复 {study['duplicate']} · 未收 {refused} / "
        f"new {study['new']}, here already {study['duplicate']}, not taken {refused}: {' '.join(study['case_ids'])}"
    )
    raise typer.Exit(1 if refused else 0)


@agent.command()
def install(
    server: Annotated[str, typer.Option(metavar="URL")],
    token_file: Annotated[Path, typer.Option(metavar="F")],
    spool: Annotated[Path, typer.Option(metavar="DIR")],
    watch: Watch = None,
    done: Done = None,
    ca: Ca = None,
    mllp: Mllp = None,
    dicom: Dicom = None,
    ae_title: AeTitle = "GREENCHANNEL",
    ae_from: AeFrom = None,
    ref_from_file: RefFromFile = True,
    judge: Judged = True,
    page: Paged = True,
    page_port: PagePort = 8766,
    settle_s: Settle = 2.0,
    system: SystemWide = False,
    print_service: Annotated[
        bool, typer.Option("--print-service", help="Only print what would be written and run")
    ] = False,
) -> None:
    """Have the system start the agent, now and whenever the machine starts."""
    from greenchannel.agent import installing
    from greenchannel.agent.folders import mixed_up

    wrong = mixed_up(spool=spool, watch=watch, done=done, token_file=token_file)
    if wrong is not None:
        typer.echo(wrong, err=True)
        raise typer.Exit(2)
    said: list[tuple[str, Any]] = [
        ("--server", server), ("--token-file", token_file.resolve()), ("--spool", spool.resolve()),
        ("--watch", watch and watch.resolve()), ("--done", done and done.resolve()), ("--ca", ca and ca.resolve()),
        ("--mllp", mllp), ("--dicom", dicom), ("--ae-title", ae_title if dicom else None),
        *(("--ae-from", title) for title in ae_from or ()),
        ("--page-port", page_port if page else None), ("--settle-s", settle_s),
    ]  # fmt: skip
    command = [sys.executable, "-m", "greenchannel", "agent", "--no-screen"]
    switches = {"--no-ref-from-file": ref_from_file, "--no-judge": judge, "--no-page": page}
    command += [switch for switch, on in switches.items() if not on]
    command += [word for name, value in said if value is not None for word in (name, str(value))]
    writable = [path.resolve() for path in (spool, done) if path is not None]
    if done is not None and watch is not None:
        writable.append(watch.resolve())  # files are moved out of it
    service = _service(command, writable, spool, system)
    if print_service:
        _print(service)
        return
    for path in (spool, done):
        if path is not None:
            path.mkdir(parents=True, exist_ok=True)
    if sys.platform == "win32":
        service.path.write_text(service.text, encoding="utf-16")
        typer.echo(f"Written: {service.path}. Run as an administrator (not tried on Windows by us):")
        _say(service.commands)
        return
    left = installing.install(service)
    typer.echo(f"Written: {service.path}")
    if left:
        typer.echo("These could not be run here; run them yourself:")
        _say(left)
        raise typer.Exit(1)


@agent.command()
def uninstall(
    spool: Annotated[Path, typer.Option(metavar="DIR", help="The agent's folder; it stays")],
    system: SystemWide = False,
) -> None:
    """Stop the service and forget it. The spool stays, with all that is in it."""
    from greenchannel.agent import installing

    service = _service(["greenchannel"], [], spool, system)
    if sys.platform == "win32":
        typer.echo("Run as an administrator (not tried on Windows by us):")
        _say(service.undo)
        return
    left = installing.uninstall(service)
    typer.echo(f"Removed: {service.path}; {spool} stays")
    if left:
        typer.echo("These could not be run here; run them yourself:")
        _say(left)
        raise typer.Exit(1)


def _service(command: list[str], writable: list[Path], spool: Path, system: bool) -> "Service":
    from greenchannel.agent import installing

    if sys.platform == "win32":
        return installing.windows_task(command, folder=spool.resolve())
    return installing.systemd(command, writable=writable, system=system, home=Path.home())


def _print(service: "Service") -> None:
    typer.echo(f"# {service.path}")
    typer.echo(service.text)
    _say(service.commands)


def _say(commands: "list[tuple[str, ...]] | tuple[tuple[str, ...], ...]") -> None:
    from subprocess import list2cmdline

    for command in commands:
        typer.echo(f"  {list2cmdline(command)}")
