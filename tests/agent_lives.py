"""Many clinics' agents as processes that may be killed, on a clock that may run fast.

As with `tests.served`, a nursery imports everything once and forks each life; SIGKILL ends it as it would end any
process. The agent is the product's, unchanged; what runs fast is the process's time: its clocks tell more seconds, and
its waits take fewer.
"""

import contextlib
import datetime as datetimes
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from greenchannel.agent.agent import Options, now
from greenchannel.agent.item import Item
from greenchannel.agent.spool import Spool
from greenchannel.county.fast_clock import FastClock
from tests.require import ROOT


class AgentNursery:
    """Starts and ends the lives of agents."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.agent_lives"],
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / "src")))},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self._lock = threading.Lock()

    def ask(self, request: dict[str, Any]) -> int:
        """One request, one number."""
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None and stdout is not None
        with self._lock:
            stdin.write(json.dumps(request).encode() + b"\n")
            stdin.flush()
            answer = stdout.readline()
        if not answer:
            raise RuntimeError("the agents' nursery has ended")
        return int(answer)

    def close(self) -> None:
        """End it; its agents must have ended."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        self._process.wait(timeout=30)


class ClinicAgent:
    """One clinic's agent over one folder: `watch`, `spool`, `done` and the token lie in it."""

    def __init__(
        self, nursery: AgentNursery, folder: Path, token: str, *, moves: bool = False, judged: bool = False
    ) -> None:
        self._nursery = nursery
        self.watch, self.spool, self.done = folder / "watch", folder / "spool", folder / "done"
        self.watch.mkdir(parents=True)
        self._token_file = folder / "token"
        self._token_file.write_text(token + "\n", encoding="utf-8")
        self.log = folder / "agent.log"
        self._moves, self._judged = moves, judged
        self.pid: int | None = None
        self.lives = 0

    def start(self, server: str, clock: FastClock | None = None) -> None:
        """Begin a life at the near end of a link."""
        assert self.pid is None
        self.pid = self._nursery.ask(
            {
                "begin": {
                    "server": server,
                    "token_file": str(self._token_file),
                    "spool": str(self.spool),
                    "watch": str(self.watch),
                    "done": str(self.done) if self._moves else None,
                    "judged": self._judged,
                },
                "log": str(self.log),
                "clock": None if clock is None else (clock.start.isoformat(), clock.speed, clock.begun_s),
            }
        )
        self.lives += 1

    def kill(self) -> None:
        """`kill -9`, and wait until it is gone."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """Ask it to end; it must do so by itself."""
        status = self._end(signal.SIGTERM)
        assert status == 0, f"expected exit status 0, got {status}:\n{self.log_text()[-3000:]}"

    def _end(self, number: signal.Signals) -> int:
        assert self.pid is not None
        pid, self.pid = self.pid, None
        os.kill(pid, number)
        return self._nursery.ask({"wait": pid})

    def items(self) -> list[Item]:
        """What is in the spool, seen in a copy, as after a power cut."""
        with tempfile.TemporaryDirectory() as folder:
            for name in ("spool.sqlite", "spool.sqlite-wal"):
                with contextlib.suppress(FileNotFoundError):
                    shutil.copy(self.spool / name, folder)
            spool = Spool(Path(folder), now)
            try:
                return spool.items()
            finally:
                spool.close()

    def log_text(self) -> str:
        """All that it printed."""
        return self.log.read_text(encoding="utf-8") if self.log.exists() else ""


@contextlib.contextmanager
def agents(folder: Path, tokens: dict[str, str], *, judged: int = 0) -> Iterator[dict[str, ClinicAgent]]:
    """An agent for each token's owner, none of them started: every second moves what it took, the first ones judge."""
    nursery = AgentNursery()
    made = {
        name: ClinicAgent(nursery, folder / name, token, moves=number % 2 == 1, judged=number < judged)
        for number, (name, token) in enumerate(tokens.items())
    }
    try:
        yield made
    finally:
        for agent in made.values():
            if agent.pid is not None:
                agent.kill()
        nursery.close()


# ---------------------------------------------------------------- the nursery


def nursery(requests: IO[bytes], answers: IO[bytes]) -> None:
    """Fork a life for each ``begin``, reap it at ``wait``; end with the requests, and all lives with them."""
    from greenchannel.agent import running  # noqa: F401 - so that every life has it already

    living: set[int] = set()
    for line in requests:
        request = json.loads(line)
        if "begin" in request:
            pid = os.fork()
            if pid == 0:
                _live(request["begin"], Path(request["log"]), request["clock"])
            living.add(pid)
            answer = pid
        else:
            answer = os.waitstatus_to_exitcode(os.waitpid(request["wait"], 0)[1])
            living.discard(request["wait"])
        answers.write(f"{answer}\n".encode())
        answers.flush()
    for pid in living:  # the test itself was killed
        os.kill(pid, signal.SIGKILL)


def _live(options: dict[str, Any], log: Path, clock: tuple[str, float, float] | None) -> None:
    """One life of an agent, from the fork to its end; never comes back."""
    status = 1
    try:
        out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        nothing = os.open(os.devnull, os.O_RDONLY)
        for old, new in ((nothing, 0), (out, 1), (out, 2)):
            os.dup2(old, new)
        if clock is not None:
            start, speed, begun_s = clock
            _run_fast(FastClock(datetimes.datetime.fromisoformat(start), speed, begun_s))
        from greenchannel.agent.running import Faces, run_until_stopped

        paths = {
            name: Path(options[name]) if options[name] else None
            for name in ("token_file", "spool", "watch", "done")
        }
        status = run_until_stopped(Options(**options | paths), Faces(page_port=None, screen=False))
    finally:
        if status:
            traceback.print_exc()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def _run_fast(clock: FastClock) -> None:
    """Let this process live on `clock`: what its modules ask for the time, and how long its threads wait."""
    real_monotonic, real_wait = time.monotonic, threading.Condition.wait

    def wait(condition: threading.Condition, timeout: float | None = None) -> bool:
        return real_wait(condition, None if timeout is None else timeout / clock.speed)

    for module in ("greenchannel.agent.agent", "greenchannel.agent.running"):
        setattr(sys.modules[module], "now", clock.now)  # noqa: B010 - mypy would say that nobody may do this
    setattr(time, "monotonic", lambda: real_monotonic() * clock.speed)  # noqa: B010
    setattr(threading.Condition, "wait", wait)  # noqa: B010


if __name__ == "__main__":
    nursery(sys.stdin.buffer, sys.stdout.buffer)
