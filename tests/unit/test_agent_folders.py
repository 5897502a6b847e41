"""The agent's folders are apart, or it neither starts nor touches anything."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from greenchannel.agent.agent import Options
from greenchannel.agent.folders import mixed_up
from greenchannel.agent.running import Faces, run_until_stopped
from greenchannel.cli.agent import app

MIXED = [
    ("w", "w", None),
    ("w/spool", "w", None),
    ("w/a/b/spool", "w", None),
    ("s", "s/watch", None),
    ("s", "w", "w"),
    ("s", "w", "w/done"),
    ("s", "w", "s"),
    ("s", "w", "s/done"),
    ("s", None, "s/done"),
    ("w/../w/spool", "w", None),
    ("to_w/spool", "w", None),
    ("s", "to_w", "w/done"),
    ("to_w", "w", None),
]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder `w` with an ECG in it, a link to it, and a token."""
    (tmp_path / "w").mkdir()
    (tmp_path / "w" / "a.scp").write_bytes(b"an ECG")
    (tmp_path / "s" / "watch").mkdir(parents=True)
    (tmp_path / "token").write_text("secret", encoding="utf-8")
    (tmp_path / "to_w").symlink_to(tmp_path / "w", target_is_directory=True)
    return tmp_path


def tree(place: Path) -> list[str]:
    """Everything that is there."""
    return sorted(path.relative_to(place).as_posix() for path in place.rglob("*"))


@pytest.mark.parametrize(("spool", "watch", "done"), MIXED)
def test_an_agent_whose_folders_lie_in_each_other_does_not_start(
    place: Path, capsys: pytest.CaptureFixture[str], spool: str, watch: str | None, done: str | None
) -> None:
    """It would move away or send its own spool; it says so in both languages and touches nothing."""
    before = tree(place)
    options = Options(
        server="http://127.0.0.1:9",
        token_file=place / "token",
        spool=place / spool,
        watch=None if watch is None else place / watch,
        done=None if done is None else place / done,
    )

    assert run_until_stopped(options, Faces(page_port=None, screen=False)) == 2
    said = capsys.readouterr().err
    assert "expected --" in said and "got " in said and "应在" in said and "实际为" in said
    assert tree(place) == before


def test_a_service_whose_folders_lie_in_each_other_is_not_installed(place: Path) -> None:
    """No folder is made, no unit is written."""
    before = tree(place)
    words = ["--server", "http://127.0.0.1:9", "--token-file", str(place / "token"), "--print-service"]
    words += ["--watch", str(place / "w"), "--spool", str(place / "w" / "spool")]
    found = CliRunner().invoke(app, ["agent", "install", *words])

    assert found.exit_code == 2 and "expected --spool outside of --watch" in found.output
    assert tree(place) == before


@pytest.mark.parametrize(
    ("spool", "watch", "done"),
    [("s", "w", None), ("s", "w", "d"), ("s", None, None), ("s", "w", "w-done"), ("d/s", "d/w", "d")],
)
def test_folders_that_are_apart_are_taken(
    place: Path, spool: str, watch: str | None, done: str | None
) -> None:
    """A name that begins like another is not in it; nor is what lies around both."""
    assert (
        mixed_up(
            spool=place / spool,
            watch=None if watch is None else place / watch,
            done=None if done is None else place / done,
            token_file=place / "token",
        )
        is None
    )


def test_what_a_link_hides_is_told(place: Path) -> None:
    """The message names the folder that was said and where it leads."""
    said = mixed_up(spool=place / "to_w" / "spool", watch=place / "w", done=None, token_file=place / "token")

    assert said is not None and f"{place / 'to_w' / 'spool'} ({place / 'w' / 'spool'})" in said


def test_a_token_among_the_ecgs_is_never_sent_as_one(place: Path) -> None:
    """It would go to the service as a file, and be moved away from where it is looked for."""
    token = place / "w" / "token.txt"
    said = mixed_up(spool=place / "s", watch=place / "w", done=None, token_file=token)

    assert said is not None and "expected --token-file outside of --watch" in said
