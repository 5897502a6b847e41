"""Which room may import which; see the picture in docs/architecture.md."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.require import ROOT

PACKAGE = ROOT / "src" / "greenchannel"

# Each part of the package, and which others it may import. "triage.finding" allows that module alone.
MAY_IMPORT: dict[str, frozenset[str]] = {
    "signal": frozenset(),
    "clock": frozenset(),
    "events": frozenset({"clock"}),
    "ingest": frozenset({"signal", "events", "clock"}),
    "triage": frozenset({"signal", "events", "clock"}),
    "alerts": frozenset({"triage.finding", "events", "clock"}),
    "store": frozenset({"events", "clock"}),
    "county": frozenset(
        {"ingest", "signal", "triage", "alerts", "store", "service", "events", "clock", "settings"}
    ),
    "service": frozenset({"ingest", "signal", "triage", "alerts", "store", "events", "clock", "settings"}),
    "viewer": frozenset(
        {"ingest", "signal", "triage", "alerts", "store", "service", "events", "clock", "settings"}
    ),
    "agent": frozenset({"ingest", "signal", "triage", "events", "clock"}),
    "settings": frozenset(),
    "late": frozenset(),
}
# The command line and the assembly know every part; nothing else may know the viewer.
KNOW_ALL = {"cli", "assembly", "__main__"}
SLOW_TO_LOAD = ("fastapi", "sqlalchemy", "matplotlib", "wfdb", "uvicorn")


def parts() -> list[str]:
    here = [path for path in PACKAGE.iterdir() if path.is_dir() or path.suffix == ".py"]
    return sorted({path.stem for path in here} - {"__init__", "__pycache__"})


def sources(part: str) -> list[Path]:
    folder = PACKAGE / part
    found = folder.rglob("*.py") if folder.is_dir() else iter([PACKAGE / f"{part}.py"])
    return [path for path in found if "web" not in path.relative_to(PACKAGE).parts]


def imported(path: Path) -> Iterator[str]:
    """Names of ours that a module imports anywhere, without the leading ``greenchannel.``."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        yield from (name.removeprefix("greenchannel.") for name in names if name.startswith("greenchannel."))


@pytest.mark.parametrize("part", parts())
def test_a_part_imports_only_what_stands_before_it_in_the_flow(part: str) -> None:
    """The rooms stand in the order the data flow, and nobody looks ahead."""
    if part in KNOW_ALL:
        return
    allowed = MAY_IMPORT[part] | {part}
    wrong = [
        f"{path.relative_to(PACKAGE)} imports {name}"
        for path in sources(part)
        for name in imported(path)
        if not any(name == other or name.startswith(f"{other}.") for other in allowed)
    ]

    assert wrong == []


def test_signal_needs_numpy_and_scipy_alone() -> None:
    """Nothing that reads, writes or asks the time comes into the room of pure arrays; one module knows the compiler."""
    pure = {"numpy", "scipy", "greenchannel", "__future__"} | {
        name
        for name in sys.stdlib_module_names
        if name not in {"socket", "sqlite3", "asyncio", "subprocess", "time"}
    }
    wrong = {
        f"{path.name} imports {name}"
        for path in sources("signal")
        for node in ast.walk(ast.parse(path.read_text()))
        for name in _top_level(node)
        if name not in pure
    }

    assert wrong == {"kernel_compiler.py imports numba"}


@pytest.mark.skipif(not (PACKAGE / "cli" / "main.py").exists(), reason="there is no command line yet")
def test_the_command_line_starts_without_the_slow_libraries() -> None:
    """`greenchannel --help` answers at once: what a command needs is loaded when it runs."""
    code = f"import sys, greenchannel.cli.main; print(*(m for m in {SLOW_TO_LOAD!r} if m in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)

    assert done.stdout.split() == []


def _top_level(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name.split(".")[0] for alias in node.names]
    if isinstance(node, ast.ImportFrom) and node.module is not None:
        return [node.module.split(".")[0]]
    return []
