"""`greenchannel agent`: on the clinic's computer."""

from pathlib import Path
from typing import Annotated

import typer

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


@agent.callback()
def run(
    context: typer.Context,
    server: Server = None,
    token_file: TokenFile = None,
    watch: Watch = None,
    spool: SpoolDir = None,
    done: Done = None,
    ca: Ca = None,
    ref_from_file: Annotated[
        bool, typer.Option(help="Take the patient's number from the file where nobody said one")
    ] = True,
    judge: Annotated[
        bool, typer.Option(help="Read each ECG here first, so that urgent ones are sent first")
    ] = True,
    settle_s: Annotated[
        float, typer.Option(min=0.0, max=600.0, help="A file is complete when it stays the same for so long")
    ] = 2.0,
) -> None:
    """Run the agent until it is told to stop."""
    if context.invoked_subcommand is not None:
        return
    from greenchannel.agent.agent import Options
    from greenchannel.agent.running import run_until_stopped

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
    raise typer.Exit(run_until_stopped(options))
