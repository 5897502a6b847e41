"""Build the wheel and compare what it carries with what git has.

A folder behind a link is easily left out by a build tool, in silence, and a file deleted long ago easily comes along.
Exit status 1 where a file is missing or superfluous, or where the page is not in it.
"""

import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = Path("src", "greenchannel")
ROOMS = ("ingest", "signal", "triage", "alerts", "viewer")


def in_git() -> set[str]:
    """Files that belong into the wheel, by their name in it; files not yet added to git count too."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", PACKAGE.as_posix(), *ROOMS],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    paths = [Path(name) for name in listed.split("\0") if name]
    present = [path for path in paths if (ROOT / path).is_file() and not (ROOT / path).is_symlink()]
    named = {
        path.relative_to("src") if path.is_relative_to("src") else Path("greenchannel", path)
        for path in present
    }
    return {path.as_posix() for path in named if not path.is_relative_to("greenchannel/viewer/web")}


def in_wheel(folder: Path) -> set[str]:
    """Build a wheel into `folder`; return the files of the package in it."""
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        check=True,
    )
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        return {name for name in archive.namelist() if name.startswith("greenchannel/")}


def main() -> int:
    expected = in_git()
    with tempfile.TemporaryDirectory() as folder:
        carried = in_wheel(Path(folder))
    page = {name for name in carried if name.startswith("greenchannel/viewer/static/")}
    problems = [f"in git, not in the wheel: {name}" for name in sorted(expected - carried)]
    problems += [f"in the wheel, not in git: {name}" for name in sorted(carried - page - expected)]
    if "greenchannel/viewer/static/index.html" not in page:
        problems.append("the wheel has no page: expected greenchannel/viewer/static/index.html")
    print("\n".join(problems) or f"wheel: {len(carried)} files, {len(page)} of them the page; as in git")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
