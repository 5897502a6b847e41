"""Engine processes on one data folder, any of which may be killed at any moment; see `tests.served` for the service."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from greenchannel.county.fast_clock import FastClock
from tests.require import ROOT
from tests.served import POLL_S, READY_WITHIN_S, faults_in


class Engines:
    """Lives of engines, by name; the name is that of their clock, so the log says who wrote what."""

    def __init__(self, folder: Path, clock: FastClock | None, **settings: Any) -> None:
        self.folder = folder
        self.pids: dict[str, int] = {}
        self.lives = 0
        self._ready_before: dict[str, int] = {}
        self._settings = {name: str(value) for name, value in settings.items()} | {"data_dir": str(folder)}
        self._clock = None if clock is None else (clock.start.isoformat(), clock.speed, clock.begun_s)
        self._nursery = subprocess.Popen(
            [sys.executable, "-m", "tests.served"],
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / "src")))},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    @property
    def log(self) -> Path:
        """What all lives print."""
        return self.folder.parent / f"{self.folder.name}-engines.log"

    def begin(self, name: str) -> None:
        """Start a life."""
        assert name not in self.pids
        request = {"begin": self._settings, "log": str(self.log), "clock": self._clock, "engine": name}
        self._ready_before[name] = self._ready_lines(name)
        self.pids[name] = int(self._ask(request))
        self.lives += 1

    def wait_ready(self, name: str) -> None:
        """Until the newest life of this name says that it is ready."""
        end = time.monotonic() + READY_WITHIN_S
        while time.monotonic() < end:
            if self.log.exists() and self._ready_lines(name) > self._ready_before.get(name, 0):
                return
            time.sleep(POLL_S)
        raise TimeoutError(f"not ready within {READY_WITHIN_S:g} s; the log ends with:\n{self.log_end()}")

    def _ready_lines(self, name: str) -> int:
        lines = self.log.read_text(encoding="utf-8").splitlines() if self.log.exists() else []
        return sum("engine ready" in line and name in line for line in lines)

    def kill(self, name: str) -> None:
        """`kill -9`, and wait until it is gone."""
        assert self._end(name, signal.SIGKILL) == -signal.SIGKILL, self.log_end()

    def stop(self, name: str) -> None:
        """Ask it to stop; it must end by itself."""
        status = self._end(name, signal.SIGTERM)
        assert status == 0, f"expected exit status 0, got {status}; the log ends with:\n{self.log_end()}"

    def _end(self, name: str, number: signal.Signals) -> int:
        pid = self.pids.pop(name)
        os.kill(pid, number)
        return int(self._ask({"wait": pid}))

    def log_end(self) -> str:
        """The newest that they printed."""
        return self.log.read_text(encoding="utf-8")[-4000:] if self.log.exists() else "nothing"

    def faults(self) -> list[str]:
        """The tracebacks among it."""
        return faults_in(self.log.read_text(encoding="utf-8"))

    def close(self) -> None:
        """End everything."""
        for name in tuple(self.pids):
            self._end(name, signal.SIGKILL)
        for pipe in (self._nursery.stdin, self._nursery.stdout):
            if pipe is not None:
                pipe.close()
        self._nursery.wait(timeout=READY_WITHIN_S)

    def _ask(self, request: dict[str, Any]) -> str:
        stdin, stdout = self._nursery.stdin, self._nursery.stdout
        assert stdin is not None and stdout is not None
        stdin.write(json.dumps(request).encode() + b"\n")
        stdin.flush()
        answer = stdout.readline().decode()
        if not answer:
            raise RuntimeError("the nursery has ended")
        return answer


@contextlib.contextmanager
def engines(folder: Path, clock: FastClock | None = None, **settings: Any) -> Iterator[Engines]:
    """A nursery of engines for the length of a block."""
    made = Engines(folder, clock, **settings)
    try:
        yield made
    finally:
        made.close()
