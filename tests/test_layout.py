"""The folders stay as `docs/decisions/0001-folder-called-signal.md` wants them."""

import ast
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

from tests.require import ROOT

ROOMS = ("ingest", "signal", "triage", "alerts", "viewer")
PACKAGE = ROOT / "src" / "greenchannel"
MOST_LINES = 500


@cache
def tracked() -> tuple[Path, ...]:
    """Files that git knows, or would take; every file of ours where this is no clone."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    paths = (ROOT / name for name in listed.split("\0") if name)
    return tuple(path for path in paths if path.is_file() and not path.is_symlink())


def modules() -> list[Path]:
    return [path for path in tracked() if path.suffix == ".py"]


def test_each_room_is_linked_into_the_package() -> None:
    """src/greenchannel/<room> leads to the folder at the top."""
    for room in ROOMS:
        link = PACKAGE / room
        assert link.is_symlink(), f"expected a link at {link}"
        assert (ROOT / room).resolve() == link.resolve()
        assert link.readlink() == Path("..", "..", room), "the link must be relative"


def test_no_room_is_a_classic_package() -> None:
    """An __init__.py in signal/ would hide the standard library's module; its neighbours keep the rule too."""
    found = [path for room in (*ROOMS, "tests") for path in (ROOT / room).rglob("__init__.py")]

    assert [path for path in found if "node_modules" not in path.parts] == []


def test_no_folder_of_tests_is_called_signal() -> None:
    """tests/signal would replace the standard library's module under pytest."""
    assert not (ROOT / "tests" / "signal").exists()


def test_no_module_is_named_like_one_of_the_standard_library() -> None:
    """A script's own folder comes first on the path: email.py beside it would hide email."""
    own = [path for path in modules() if path.stem != "__main__" and not path.stem.startswith("__init")]

    assert [path.name for path in own if path.stem in sys.stdlib_module_names] == []


def test_a_shell_in_the_root_can_run_asyncio() -> None:
    """The folder signal/ does not hide the module signal, even with the root first on the path."""
    code = "import asyncio, signal; asyncio.run(asyncio.sleep(0)); print(signal.SIGTERM.name)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)

    assert (done.stdout.strip(), done.returncode) == ("SIGTERM", 0), done.stderr


def test_every_test_file_holds_a_test_that_pytest_collects() -> None:
    """A file of tests in a class called test_qrs, say, would be passed over in silence."""
    files = [path for path in modules() if path.name.startswith("test_")]

    assert files
    assert [path.name for path in files if not _collected(path)] == []


def test_test_files_have_names_of_their_own() -> None:
    """Two test files of one name cannot be told apart in a report."""
    names = [path.name for path in modules() if path.name.startswith("test_")]

    assert sorted(set(names)) == sorted(names)


def test_no_source_file_is_too_long_to_read() -> None:
    """Nobody reads a file of more than 500 lines; one that a script writes is not for reading."""
    written = ROOT / "viewer" / "web" / "src" / "openapi.d.ts"
    sources = [
        path for path in tracked() if path.suffix in {".py", ".ts", ".tsx", ".css"} and path != written
    ]
    lines = {path.relative_to(ROOT).as_posix(): path.read_text().count("\n") for path in sources}

    assert {name: count for name, count in lines.items() if count > MOST_LINES} == {}


def test_no_file_names_a_registry_or_a_folder_of_one_machine() -> None:
    """A clone must install anywhere, from whichever mirror the place has."""
    # Spelled in parts, or this file would be found first.
    hosts = ["pypi" + r"\.org", "npmjs" + r"\.(org|com)", "python" + "hosted", "yarn" + r"pkg\.com"]
    folders = [r"(?<![\w.])/" + name + "/" for name in ("work", "root", "home", "Users")]
    mirrors = ["art" + "ifactory", "--extra-" + "index-url", '"resol' + 'ved":']
    unwanted = re.compile("|".join([*hosts, *folders, *mirrors]))
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:80]}"
        for path in tracked()
        for number, line in enumerate(_text(path).splitlines(), start=1)
        if unwanted.search(line)
    ]

    assert found == []


def _text(path: Path) -> str:
    content = path.read_bytes()
    return "" if b"\0" in content else content.decode()


def _collected(path: Path) -> bool:
    tree = ast.parse(path.read_text())
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    if any(isinstance(node, functions) and node.name.startswith("test_") for node in tree.body):
        return True
    # A Hypothesis state machine is collected through its TestCase.
    targets = [target for node in tree.body if isinstance(node, ast.Assign) for target in node.targets]
    return any(isinstance(target, ast.Name) and target.id.startswith("Test") for target in targets)


def test_every_decision_has_a_number_of_its_own() -> None:
    """In the name of its file, and as its heading."""
    decisions = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    numbers = [path.name[:4] for path in decisions]
    assert len(set(numbers)) == len(numbers), numbers
    for path in decisions:
        assert path.read_text(encoding="utf-8").startswith(f"# {int(path.name[:4])}. "), path.name
