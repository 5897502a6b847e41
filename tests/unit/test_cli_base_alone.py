"""A clinic's computer has the base alone: what needs the service's packages says so, and the rest works."""

import subprocess
import sys

import pytest

BARE = """
import sys
for name in ("sqlalchemy", "fastapi", "structlog", "cryptography", "zstandard"):
    sys.modules[name] = None
from greenchannel.cli.main import main
sys.argv = ["greenchannel", *sys.argv[1:]]
main()
"""


def bare(*arguments: str) -> subprocess.CompletedProcess[str]:
    """The command line where the packages of the service are not installed."""
    return subprocess.run(
        [sys.executable, "-c", BARE, *arguments], capture_output=True, text=True, check=False, timeout=60
    )


def test_the_list_of_commands_needs_nothing() -> None:
    """It names all of them, with those that are not here marked."""
    done = bare("--help")
    assert done.returncode == 0, done.stderr
    assert "agent" in done.stdout and "needs the packages of the service" in done.stdout


@pytest.mark.parametrize("command", [("serve", "--port", "1"), ("user", "add", "boss", "--role", "admin")])
def test_a_command_of_the_service_says_what_to_install(command: tuple[str, ...]) -> None:
    """In both languages, with an exit status and no traceback."""
    done = bare(*command)
    assert (done.returncode, done.stdout) == (2, "")
    assert "pip install 'greenchannel[server]'" in done.stderr and "此命令" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_study_can_be_sent_with_the_base_alone() -> None:
    """The van's computer needs no more."""
    done = bare("agent", "send-study", "--help")
    assert done.returncode == 0, done.stderr
    assert "--token-file" in done.stdout
