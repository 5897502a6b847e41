"""The README of a room names what there is in it."""

import re
from fnmatch import fnmatch
from pathlib import Path

import pytest

from tests.require import ROOT

ROOMS = (
    "ingest",
    "signal",
    "triage",
    "triage/detectors",
    "alerts",
    "alerts/quality",
    "viewer",
    "src/greenchannel/county",
    "src/greenchannel/service",
    "src/greenchannel/store",
    "benchmarks",
)


def is_of(room: Path, path: Path) -> bool:
    """Is there no README nearer to it, and is it no page or numbered step?"""
    inner = (one for one in path.parents if one != room and one.is_relative_to(room))
    return not any((one / "README.md").exists() or one.name in ("web", "migrations") for one in inner)


@pytest.mark.parametrize("room", ROOMS)
def test_a_readme_names_each_module_of_its_room(room: str) -> None:
    """By its name, by a pattern, or by the folder in which it lies."""
    folder = ROOT / room
    named = set(re.findall(r"`([^`\s]+)`", (folder / "README.md").read_text(encoding="utf-8")))
    patterns = {one.replace("….py", "*.py") for one in named}

    def is_named(module: str) -> bool:
        return (
            module.removesuffix(".py") in named
            or any(fnmatch(module, one) for one in patterns)
            or any(f"{one}/" in named for one in module.split("/")[:-1])
        )

    modules = [
        path.relative_to(folder).as_posix()
        for path in sorted(folder.rglob("*.py"))
        if path.name != "__init__.py" and is_of(folder, path)
    ]
    assert modules
    assert [one for one in modules if not is_named(one)] == []
