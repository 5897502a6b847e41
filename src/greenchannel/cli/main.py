"""`greenchannel`: which command lives where. Nothing heavy is imported here."""

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
        group: Any = typer.main.get_group(import_module(module).app)
        return group.commands[cmd_name]


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
    app()
