"""Who computes with kernels: analyses of thousands of files, and nobody where it was not asked for."""

from collections.abc import Iterator
from typing import Any

import pytest
from typer.testing import CliRunner

from greenchannel.cli import analyze
from greenchannel.cli.main import app
from greenchannel.signal import kernels
from tests.two_paths import compiled


@pytest.fixture(autouse=True)
def numpy_alone() -> Iterator[None]:
    """Each test begins and ends without kernels."""
    kernels.turn_off()
    yield
    kernels.turn_off()


def read(files: int, monkeypatch: pytest.MonkeyPatch) -> int:
    """How often an analysis of so many files in one process turned kernels on; three are worth it here."""
    asked: list[bool] = []
    monkeypatch.setattr(analyze, "WORTH_KERNELS", 3)
    monkeypatch.setattr(analyze, "turn_on_kernels", lambda: asked.append(True))

    def one(source: int) -> dict[str, Any]:
        return {"source": source}

    assert [found["source"] for found in analyze.in_processes(one, list(range(files)), 1)] == list(
        range(files)
    )
    return len(asked)


@pytest.mark.parametrize(("files", "times"), [(1, 0), (2, 0), (3, 1), (10, 1)])
def test_kernels_are_loaded_for_many_files_alone(
    files: int, times: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A few files are read sooner than kernels are loaded."""
    assert read(files, monkeypatch) == times


def test_an_analysis_uses_kernels_that_are_there() -> None:
    """What it turns on are the kernels of this process."""
    with compiled():
        pass
    analyze.turn_on_kernels()

    assert kernels.loaded is not None


def test_the_command_says_where_kernels_are_kept() -> None:
    """`greenchannel kernels` compiles, or finds what it compiled before."""
    done = CliRunner().invoke(app, ["kernels"])

    assert done.exit_code == 0
    assert str(kernels.folder()) in done.output


def test_the_command_fails_where_kernels_are_forbidden(monkeypatch: pytest.MonkeyPatch) -> None:
    """With `GREENCHANNEL_KERNELS=off` it says so, and 1."""
    monkeypatch.setenv(kernels.VARIABLE, "off")
    done = CliRunner().invoke(app, ["kernels"])

    assert done.exit_code == 1
    assert "no kernels" in done.output
