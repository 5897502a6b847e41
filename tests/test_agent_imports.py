"""The clinic's agent runs where little is installed, on Windows too: what it may import, and what it may call."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

import pytest

from tests.require import ROOT

PACKAGE = ROOT / "src" / "greenchannel"

# What `pip install greenchannel` brings; matplotlib only draws, and the agent draws nothing.
BASE: Final = frozenset({"numpy", "scipy", "pydicom", "msgspec", "typer", "rich", "tzdata"})
OPTIONAL: Final = {"ports_dicom.py": frozenset({"pynetdicom"})}  # the extra [agent-dicom]

NOT_EVERYWHERE_MODULES: Final = frozenset(
    {
        "fcntl", "grp", "pwd", "posix", "pty", "resource", "spwd", "syslog", "termios", "tty", "uvloop", "curses",
        "readline", "msvcrt", "winreg", "winsound", "_winapi", "nt",
    }
)  # fmt: skip
NOT_EVERYWHERE: Final = {
    "os": {
        "fork", "forkpty", "kill", "killpg", "getuid", "geteuid", "getgid", "setuid", "setgid", "setsid", "nice",
        "fdatasync", "pread", "pwrite", "chown", "fchown", "fchmod", "mkfifo", "mknod", "statvfs", "sync", "wait",
        "waitpid", "uname", "getloadavg", "O_DIRECTORY", "O_SYNC", "O_DSYNC", "O_NOFOLLOW", "O_NONBLOCK", "sendfile",
        "posix_fallocate", "startfile", "sched_setaffinity", "getpgid", "link",
    },
    "signal": {
        "SIGKILL", "SIGHUP", "SIGUSR1", "SIGUSR2", "SIGQUIT", "SIGALRM", "SIGCHLD", "SIGPIPE", "SIGSTOP", "SIGCONT",
        "alarm", "setitimer", "pause", "sigwait", "pthread_kill", "pthread_sigmask", "set_wakeup_fd",
    },
    "socket": {"AF_UNIX", "SO_REUSEPORT", "fromfd", "socketpair", "sendmsg"},
    "time": {"clock_settime", "pthread_getcpuclockid"},
}  # fmt: skip
NOT_EVERYWHERE_CALLS: Final = frozenset({"add_signal_handler", "ProcessPoolExecutor", "SIGKILL", "fork"})


def own_files() -> list[Path]:
    """The agent's own modules."""
    return [
        *sorted((PACKAGE / "agent").rglob("*.py")),
        *sorted((ROOT / "ingest").glob("agent_*.py")),
        PACKAGE / "cli" / "agent.py",
        PACKAGE / "cli" / "main.py",
    ]


def imports(path: Path) -> Iterator[str]:
    """Full names that a module imports, anywhere in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def file_of(name: str) -> Path | None:
    """The file of one of our modules; None for a name within one, or a folder."""
    path = PACKAGE.joinpath(*name.split(".")[1:]).with_suffix(".py")
    return path.resolve() if name.startswith("greenchannel.") and path.is_file() else None


@cache
def reached() -> frozenset[Path]:
    """The agent's modules and all of ours that these import, and so on."""
    found: set[Path] = set()
    todo = [path.resolve() for path in own_files()]
    while todo:
        path = todo.pop()
        if path in found:
            continue
        found.add(path)
        if path.name == "main.py" and path.parent.name == "cli":
            continue  # it names the other commands, and loads none
        todo += [file for name in imports(path) if (file := file_of(name)) is not None]
    return frozenset(found)


def test_the_agent_needs_the_base_dependencies_alone() -> None:
    """Nothing of the extra [server] comes with it, on whatever way; pynetdicom in one module only."""
    standard = sys.stdlib_module_names
    wrong = {
        f"{path.name} imports {name}"
        for path in reached()
        for name in imports(path)
        if (top := name.split(".")[0]) not in standard | BASE | {"greenchannel"}
        and top not in OPTIONAL.get(path.name, frozenset())
    }

    assert len(reached()) > 40, "expected to follow the readers of all formats"
    assert wrong == set()


@pytest.mark.parametrize("path", sorted(reached()), ids=lambda path: path.name)
def test_what_the_agent_reaches_calls_nothing_of_one_system(path: Path) -> None:
    """No module and no name that Windows, Linux or a Raspberry Pi does not have."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    aliases = {
        alias.asname or alias.name: alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for alias in node.names
    }
    wrong = {name for name in imports(path) if name.split(".")[0] in NOT_EVERYWHERE_MODULES}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            if node.attr in NOT_EVERYWHERE_CALLS:
                wrong.add(node.attr)
            if isinstance(node.value, ast.Name):
                module = aliases.get(node.value.id, "")
                if node.attr in NOT_EVERYWHERE.get(module, ()):
                    wrong.add(f"{module}.{node.attr}")
        elif isinstance(node, ast.ImportFrom) and node.module in NOT_EVERYWHERE:
            wrong |= {alias.name for alias in node.names if alias.name in NOT_EVERYWHERE[node.module]}

    assert wrong == set()


def test_the_rules_would_notice() -> None:
    """The store's own way of making folders durable is such a call."""
    text = (PACKAGE / "store" / "durable.py").read_text(encoding="utf-8")

    assert "os.O_DIRECTORY" in text and "O_DIRECTORY" in NOT_EVERYWHERE["os"]


def test_the_agent_starts_without_what_the_service_needs() -> None:
    """Every module of it is imported where the packages of the extras cannot be."""
    names = sorted(
        "greenchannel.agent." + path.stem
        for path in (PACKAGE / "agent").glob("*.py")
        if path.stem != "__init__" and path.name not in OPTIONAL
    )
    code = (
        "import sys\n"
        "for name in ('fastapi', 'sqlalchemy', 'httpx', 'uvicorn', 'websockets', 'cryptography', 'structlog', "
        "'alembic', 'pwdlib', 'pynetdicom', 'fcntl', 'pwd', 'grp', 'resource', 'termios'):\n"
        "    sys.modules[name] = None\n"
        "import importlib\n"
        f"for name in {names!r} + ['greenchannel.cli.agent']:\n"
        "    importlib.import_module(name)\n"
        "print('all')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.stdout == "all\n", done.stderr
