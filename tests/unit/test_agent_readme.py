"""The agent's README names what there is."""

import re

from tests.require import ROOT


def test_the_agents_readme_names_each_of_its_modules() -> None:
    """And none that is not there."""
    room = ROOT / "src" / "greenchannel" / "agent"
    rows = [
        line
        for line in (room / "README.md").read_text(encoding="utf-8").splitlines()
        if line.startswith("| `")
    ]
    named = {name for row in rows for name in re.findall(r"`([a-z_]+\.[a-z]+)`", row.split("|")[1])}
    there = {path.name for path in room.iterdir() if path.suffix in (".py", ".js", ".html", ".css")}

    assert named == there - {"__init__.py"}
