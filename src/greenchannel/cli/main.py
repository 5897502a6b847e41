"""`greenchannel`: which command lives where. Nothing heavy is imported here."""

import sys
from importlib import import_module
from typing import Any, Final

import typer
from typer.core import TyperGroup

# Command → module that holds it. A module has an `app`; one with a single command is that command.
COMMANDS: Final = {
    "demo": "greenchannel.cli.serving",
    "serve": "greenchannel.cli.serving",
    "engine": "greenchannel.cli.serving",
    "analyze": "greenchannel.cli.analyze",
    "convert": "greenchannel.cli.convert",
    "agent": "greenchannel.cli.agent",
    "simulate": "greenchannel.cli.simulate",
    "rules": "greenchannel.cli.rules",
    "user": "greenchannel.cli.administration",
    "device": "greenchannel.cli.administration",
    "site": "greenchannel.cli.administration",
    "roster": "greenchannel.cli.roster",
    "images": "greenchannel.cli.images",
    "export": "greenchannel.cli.export",
    "audit": "greenchannel.cli.operation",
    "doctor": "greenchannel.cli.operation",
    "kernels": "greenchannel.cli.operation",
}


class LazyGroup(TyperGroup):
    """A group whose commands are imported when they are asked for."""

    def list_commands(self, ctx: Any) -> list[str]:
        """All commands in the order they are shown."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Import one command; None where there is none of this name."""
        module = COMMANDS.get(cmd_name)
        if module is None:
            return None
        try:
            group: Any = typer.main.get_group(import_module(module).app)
        except ModuleNotFoundError as error:
            return _not_installed(cmd_name, error)
        return group.commands[cmd_name]


def _said(error: ModuleNotFoundError) -> str:
    """What to install for it; raises it again where it is no other package that is missing."""
    if error.name is None or error.name.partition(".")[0] == "greenchannel":
        raise error
    return (
        f"此命令需要服务端软件包({error.name} 未安装):pip install 'greenchannel[server]'\n"
        f"this command needs the packages of the service ({error.name} is not installed): "
        "pip install 'greenchannel[server]'"
    )


def _not_installed(name: str, error: ModuleNotFoundError) -> Any:
    """A command that only says what it needs: the others, and the list of all, work without it."""
    said = _said(error)
    absent = typer.Typer(add_completion=False)

    @absent.command(
        name,
        help="需要服务端软件包 / needs the packages of the service",
        context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
    )
    def say() -> None:
        typer.echo(said, err=True)
        raise typer.Exit(2)

    return typer.main.get_command(absent)


app = typer.Typer(
    cls=LazyGroup,
    name="greenchannel",
    help="Real-time ECG triage for chest-pain networks. 胸痛网络实时心电分诊。",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.callback()
def greenchannel() -> None:
    """Real-time ECG triage for chest-pain networks. 胸痛网络实时心电分诊。"""


def main() -> None:
    """The command `greenchannel`."""
    try:
        app()
    except ModuleNotFoundError as error:
        sys.exit(_said(error))
