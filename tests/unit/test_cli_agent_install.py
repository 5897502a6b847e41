"""`greenchannel agent install` makes a service of the agent as it was described."""

import shlex
import sys
from itertools import pairwise
from pathlib import Path

import pytest
from typer.testing import CliRunner

from greenchannel.agent import running
from greenchannel.agent.agent import Options
from greenchannel.cli import agent as cli

BASE = ["agent", "install", "--server", "https://heart.example", "--token-file", "t", "--spool", "s"]


def command(*options: str) -> list[str]:
    """The command line that the service would run."""
    done = CliRunner().invoke(cli.app, [*BASE, *options, "--print-service"])
    assert done.exit_code == 0, done.output
    (line,) = (line for line in done.output.splitlines() if line.startswith("ExecStart="))
    return shlex.split(line.removeprefix("ExecStart="))


@pytest.mark.skipif(sys.platform == "win32", reason="there it is a task")
def test_what_is_said_of_reading_page_and_settling_reaches_the_service() -> None:
    """Each option of the agent that changes what it does; without them the service has them as they are by default."""
    said = command("--no-ref-from-file", "--no-judge", "--settle-s", "5.5", "--page-port", "9000")
    pairs = list(pairwise(said))

    assert {"--no-ref-from-file", "--no-judge"} <= set(said) and "--no-page" not in said
    assert ("--settle-s", "5.5") in pairs and ("--page-port", "9000") in pairs
    quiet = command("--no-page")
    assert "--no-page" in quiet and "--page-port" not in quiet
    plain = command()
    assert not {"--no-ref-from-file", "--no-judge", "--no-page"} & set(plain)
    assert ("--spool", str(Path("s").resolve())) in list(pairwise(plain))


@pytest.mark.skipif(sys.platform == "win32", reason="there it is a task")
def test_the_service_is_a_command_that_the_agent_understands(monkeypatch: pytest.MonkeyPatch) -> None:
    """All of its words, as the agent's own command reads them."""
    heard: list[tuple[Options, running.Faces]] = []

    def run(options: Options, faces: running.Faces) -> int:
        heard.append((options, faces))
        return 0

    monkeypatch.setattr(running, "run_until_stopped", run)
    words = command("--no-ref-from-file", "--no-judge", "--settle-s", "5.5", "--page-port", "9000")
    done = CliRunner().invoke(cli.app, words[words.index("agent") :])

    assert done.exit_code == 0, done.output
    ((options, faces),) = heard
    assert (options.patient_ref_from_file, options.judged, options.settle_s) == (False, False, 5.5)
    assert faces.page_port == 9000 and not faces.screen
