"""The clinic's agent as a process of its own that may be killed, and its spool looked into between two lives."""

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from greenchannel.agent.agent import now
from greenchannel.agent.item import Item
from greenchannel.agent.spool import Spool
from tests.require import ROOT

WITHIN_S = 120.0


class AgentProcess:
    """An agent over one folder: `watch`, `spool` and the token's file lie in it.

    Parameters
    ----------
    python
        That starts it; another environment's for an installed wheel.
    """

    def __init__(
        self, folder: Path, server: str, token: str, *options: str, python: Path | None = None
    ) -> None:
        self.watch, self.spool = folder / "watch", folder / "spool"
        self.watch.mkdir(parents=True)
        token_file = folder / "token.txt"
        token_file.write_text(token + "\n", encoding="utf-8")
        self.log = folder / "agent.log"
        self._python = python
        self._command = [
            str(python or sys.executable), "-m", "greenchannel", "agent", "--server", server,
            "--token-file", str(token_file), "--watch", str(self.watch), "--spool", str(self.spool),
            "--settle-s", "0.1", "--page-port", "0", *options,
        ]  # fmt: skip
        self._process: subprocess.Popen[bytes] | None = None
        self.lives = 0

    def start(self) -> None:
        """Begin a life."""
        environment = dict(os.environ)
        if self._python is None:
            environment["PYTHONPATH"] = os.pathsep.join((str(ROOT), str(ROOT / "src")))
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command,
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                env=environment,
                cwd=self.watch.parent,
            )
        self.lives += 1

    def kill(self) -> None:
        """`kill -9`."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()
        self._process = None

    def stop(self) -> int:
        """Ask it to end; gives its exit status."""
        assert self._process is not None
        self._process.terminate()
        status = self._process.wait(timeout=30)
        self._process = None
        return status

    def close(self) -> None:
        """End it, if it runs."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                self.kill()

    def items(self) -> list[Item]:
        """What is in the spool, also while the agent works with it: seen in a copy, as after a power cut."""
        with tempfile.TemporaryDirectory() as folder:
            for name in ("spool.sqlite", "spool.sqlite-wal"):
                with contextlib.suppress(FileNotFoundError):
                    shutil.copy(self.spool / name, folder)
            spool = Spool(Path(folder), now)
            try:
                return spool.items()
            finally:
                spool.close()

    def all_taken(self, count: int) -> bool:
        """Are there so many ECGs in its book, all of them taken?"""
        items = self.items()
        return len(items) == count and all(item.stage == "taken" for item in items)

    def log_text(self) -> str:
        """All that it printed."""
        return self.log.read_text(encoding="utf-8") if self.log.exists() else ""


def until(done: Callable[[], bool], what: str, within_s: float = WITHIN_S) -> None:
    """Poll until something is so; raises `TimeoutError`."""
    end = time.monotonic() + within_s
    while not done():
        if time.monotonic() > end:
            raise TimeoutError(f"{what}: not within {within_s:g} s")
        time.sleep(0.05)
