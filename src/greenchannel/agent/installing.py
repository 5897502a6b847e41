"""The agent as a service of the system: what is written where, and which commands make it run. Updates nothing.

Pure texts but for `install` and `uninstall`. The unit for systemd is what this was tried with; the task for Windows is
written from Microsoft's description of its schema and was never run.
"""

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple
from xml.sax.saxutils import escape

from greenchannel.agent.durable import write_durable

NAME: Final = "greenchannel-agent"


class Service(NamedTuple):
    """A file, and what to run once it is there."""

    path: Path
    text: str
    commands: tuple[tuple[str, ...], ...]
    undo: tuple[tuple[str, ...], ...]


def systemd(command: Sequence[str], *, writable: Sequence[Path], system: bool, home: Path) -> Service:
    """A unit of systemd: of this user, or of the machine (`system`, written by its administrator).

    Parameters
    ----------
    command
        With absolute paths; the agent runs without a terminal.
    writable
        Folders of the agent's; a unit of the machine may write nowhere else.
    """
    folder = Path("/etc/systemd/system") if system else home / ".config" / "systemd" / "user"
    hardening = [
        "NoNewPrivileges=yes",
        "ProtectSystem=strict",
        *(f"ReadWritePaths={_unit_word(str(path))}" for path in writable),
        "PrivateTmp=yes",
    ]
    lines = [
        "[Unit]",
        "Description=greenchannel: sends the ECGs of this clinic",
        "Wants=network-online.target",
        "After=network-online.target",
        "",
        "[Service]",
        f"ExecStart={' '.join(_unit_word(word) for word in command)}",
        "Restart=always",
        "RestartSec=5",
        "UMask=0077",
        *(hardening if system else []),
        "",
        "[Install]",
        f"WantedBy={'multi-user.target' if system else 'default.target'}",
        "",
    ]
    control = ("systemctl",) if system else ("systemctl", "--user")
    unit = f"{NAME}.service"
    linger = () if system else (("loginctl", "enable-linger"),)  # or it would end when its user signs out
    return Service(
        folder / unit,
        "\n".join(lines),
        ((*control, "daemon-reload"), (*control, "enable", "--now", unit), *linger),
        ((*control, "disable", "--now", unit),),
    )


def windows_task(command: Sequence[str], *, folder: Path) -> Service:
    """A task for the Task Scheduler of Windows 10 and later, started with the machine, as the local service account.

    Not tried on Windows.
    """
    arguments = subprocess.list2cmdline(list(command[1:]))
    text = f"""<?xml version="1.0" encoding="UTF-16"?>
<Task version="1.2" xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task">
  <RegistrationInfo><Description>greenchannel: sends the ECGs of this clinic</Description></RegistrationInfo>
  <Triggers><BootTrigger><Enabled>true</Enabled></BootTrigger></Triggers>
  <Principals>
    <Principal id="Author"><UserId>S-1-5-19</UserId><RunLevel>LeastPrivilege</RunLevel></Principal>
  </Principals>
  <Settings>
    <MultipleInstancesPolicy>IgnoreNew</MultipleInstancesPolicy>
    <DisallowStartIfOnBatteries>false</DisallowStartIfOnBatteries>
    <StopIfGoingOnBatteries>false</StopIfGoingOnBatteries>
    <StartWhenAvailable>true</StartWhenAvailable>
    <ExecutionTimeLimit>PT0S</ExecutionTimeLimit>
    <RestartOnFailure><Interval>PT1M</Interval><Count>999</Count></RestartOnFailure>
  </Settings>
  <Actions Context="Author">
    <Exec><Command>{escape(command[0])}</Command><Arguments>{escape(arguments)}</Arguments></Exec>
  </Actions>
</Task>
"""
    path = folder / f"{NAME}.xml"
    return Service(
        path,
        text,
        (
            ("schtasks", "/Create", "/TN", NAME, "/XML", str(path)),
            ("schtasks", "/Run", "/TN", NAME),
        ),
        (("schtasks", "/End", "/TN", NAME), ("schtasks", "/Delete", "/TN", NAME, "/F")),
    )


def install(service: Service) -> list[tuple[str, ...]]:
    """Write the file of a unit and run its commands; gives those that could not be run, for a person to run."""
    service.path.parent.mkdir(parents=True, exist_ok=True)
    write_durable(service.path, service.text.encode())
    return _run(service.commands)


def uninstall(service: Service) -> list[tuple[str, ...]]:
    """Stop the service and remove its file; spool and token stay. Gives the commands that could not be run."""
    left = _run(service.undo)
    service.path.unlink(missing_ok=True)
    return left


def _run(commands: Sequence[tuple[str, ...]]) -> list[tuple[str, ...]]:
    left = []
    for command in commands:
        there = shutil.which(command[0])
        if there is None or subprocess.run([there, *command[1:]], check=False).returncode != 0:
            left.append(command)
    return left


def _unit_word(word: str) -> str:
    """One word of a command line as systemd reads it (systemd.service, "Command lines")."""
    plain = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return f'"{plain}"' if not plain or any(sign in plain for sign in " \t'\";") else plain
