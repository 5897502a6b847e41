"""What would make the agent a service of the system."""

import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path, PurePosixPath

import pytest

from greenchannel.agent.installing import systemd, windows_task

COMMAND = [
    "/opt/a b/python",
    "-m",
    "greenchannel",
    "agent",
    "--server",
    "https://heart.example/100%",
    "--watch",
    "/ecg",
]


def test_a_unit_of_the_machine_may_write_into_the_agents_folders_alone() -> None:
    """And starts again after a fault, with the machine."""
    service = systemd(COMMAND, writable=[Path("/var/spool/gc")], system=True, home=Path("/root"))

    assert service.path == Path("/etc/systemd/system/greenchannel-agent.service")
    assert (
        'ExecStart="/opt/a b/python" -m greenchannel agent --server https://heart.example/100%% --watch /ecg'
        in (service.text)
    )
    assert "Restart=always" in service.text and "ReadWritePaths=/var/spool/gc" in service.text
    assert "WantedBy=multi-user.target" in service.text


def test_a_unit_of_a_user_stays_when_the_user_signs_out() -> None:
    """It is in the user's own folder, and lingers."""
    service = systemd(COMMAND, writable=[], system=False, home=Path("/srv/clinic"))

    assert service.path == Path("/srv/clinic/.config/systemd/user/greenchannel-agent.service")
    assert ("loginctl", "enable-linger") in service.commands
    assert all("--user" in command for command in service.commands if command[0] == "systemctl")


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd here")
def test_systemd_itself_finds_nothing_wrong(tmp_path: Path) -> None:
    """Where it is installed, it reads the unit."""
    command = [sys.executable, *COMMAND[1:]]
    service = systemd(command, writable=[tmp_path], system=True, home=tmp_path)
    path = tmp_path / service.path.name
    path.write_text(service.text, encoding="utf-8")
    done = subprocess.run(
        ["systemd-analyze", "verify", str(path)], capture_output=True, text=True, check=False
    )

    assert service.path.name not in done.stderr, done.stderr


def test_the_task_for_windows_is_xml_with_the_command_in_it() -> None:
    """Of the scheduler's own namespace; never run by us."""
    command = [
        r"C:\Program Files\gc\python.exe",
        "-m",
        "greenchannel",
        "agent",
        "--watch",
        r"C:\ECG & more\out",
    ]
    service = windows_task(command, folder=Path(PurePosixPath("/spool")))
    root = ET.fromstring(service.text.replace('encoding="UTF-16"', 'encoding="UTF-8"').encode())
    space = {"t": "http://schemas.microsoft.com/windows/2004/02/mit/task"}

    assert root.findtext(".//t:Command", namespaces=space) == command[0]
    assert root.findtext(".//t:Arguments", namespaces=space) == subprocess.list2cmdline(command[1:])
    assert root.findtext(".//t:ExecutionTimeLimit", namespaces=space) == "PT0S"
    assert service.commands[0][:2] == ("schtasks", "/Create")
