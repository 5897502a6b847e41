"""The service as a process of its own that may be killed: one county in a folder, one port, many lives.

Importing everything takes seconds, so it is done once, by a nursery: a process that holds no thread and no file of the
service and forks a new life of it when asked. Each life opens the folder, migrates, folds the log, listens and serves
through `greenchannel.assembly` as `greenchannel serve` does. SIGKILL ends it as it would end any process.
"""

import asyncio
import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, Any

import httpx

from greenchannel.clock import SystemClock
from greenchannel.county import cast
from greenchannel.county.fast_clock import FastClock
from greenchannel.settings import load
from greenchannel.store.accounts import Accounts
from greenchannel.store.engine import migrate, open_engine
from tests.require import ROOT

Settle = Callable[[Accounts, datetime], dict[str, str]]
# A life that is killed while it starts its reading process leaves a child that finds an empty pipe and says so; that
# is how the child ends, not a fault of the service. Nothing else of that shape is passed over.
_ORPHANED_AT_START = re.compile(
    r"""Traceback \(most recent call last\):
  File "<string>", line 1, in <module>
  File "[^"\n]*/multiprocessing/spawn\.py", line \d+, in spawn_main
(?:    .*\n)+  File "[^"\n]*/multiprocessing/spawn\.py", line \d+, in _main
    .*= reduction\.pickle\.load\(from_parent\)
(?:    .*\n)*EOFError: Ran out of input
"""
)
_TRACEBACK = re.compile(r"Traceback \(most recent call last\):\n(?:.*\n){0,60}")
READY_WITHIN_S = 60.0  # two cores shared by many say nothing about the code
POLL_S = 0.01


class Served:
    """One county and the life of the service that runs on it now.

    Parameters
    ----------
    folder
        Kept from life to life.
    settle
        Enters sites, people and machines as of an instant, and gives the machines' tokens; None: the demo's county.
    clock
        Of all lives; None: the system's.
    settings
        Of the service, by name.
    """

    def __init__(
        self, folder: Path, *, settle: Settle | None = None, clock: FastClock | None = None, **settings: Any
    ) -> None:
        self.folder = folder
        self.port = _free_port()
        self.base = f"http://127.0.0.1:{self.port}"
        self.tokens = _settle(
            folder, settle or _demo_county, datetime.now(UTC) if clock is None else clock.now()
        )
        self.pid: int | None = None
        self.lives = 0
        given = {name: str(value) for name, value in settings.items()}
        self._settings = given | {"data_dir": str(folder), "port": str(self.port)}
        self._clock = None if clock is None else (clock.start.isoformat(), clock.speed, clock.begun_s)
        self._nursery = subprocess.Popen(
            [sys.executable, "-m", "tests.served"],
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / "src")))},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    # ------------------------------------------------------------ one life

    def begin(self) -> None:
        """Start a life; it is not ready yet."""
        assert self.pid is None, "expected the life before to have ended"
        self.pid = int(self._ask({"begin": self._settings, "log": str(self.log), "clock": self._clock}))
        self.lives += 1

    def start(self) -> None:
        """Start a life and wait until it is ready."""
        self.begin()
        self.wait_ready()

    def wait_ready(self) -> None:
        """Poll `/readyz`; raises `TimeoutError` with the end of the service's log."""
        end = time.monotonic() + READY_WITHIN_S
        with httpx.Client(base_url=self.base, timeout=5.0, trust_env=False) as http:
            while time.monotonic() < end:
                with contextlib.suppress(httpx.TransportError):
                    if http.get("/readyz").status_code == 200:
                        return
                time.sleep(POLL_S)
        raise TimeoutError(f"not ready within {READY_WITHIN_S:g} s; its log ends with:\n{self.log_end()}")

    def kill(self) -> None:
        """`kill -9`, and wait until the process is gone."""
        assert self._end(signal.SIGKILL) == -signal.SIGKILL, self.log_end()

    def stop(self) -> None:
        """Ask it to stop, as a restart of the machine does; it must end by itself."""
        status = self._end(signal.SIGTERM)
        assert status == 0, f"expected exit status 0, got {status}; the log ends with:\n{self.log_end()}"

    def _end(self, number: signal.Signals) -> int:
        assert self.pid is not None
        os.kill(self.pid, number)
        pid, self.pid = self.pid, None
        return int(self._ask({"wait": pid}))

    # ------------------------------------------------------------ around it

    @property
    def log(self) -> Path:
        """What all lives print."""
        return self.folder.parent / f"{self.folder.name}.log"

    def log_end(self) -> str:
        """The newest of it."""
        return self.log.read_text(encoding="utf-8")[-4000:] if self.log.exists() else "nothing"

    def faults(self) -> list[str]:
        """The tracebacks that its lives printed, as `faults_in` reads them."""
        return faults_in(self.log.read_text(encoding="utf-8"))

    def rss_mb(self) -> float:
        """Memory that the present life holds."""
        status = Path(f"/proc/{self.pid}/status").read_text(encoding="ascii")
        return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS")) / 1024

    def close(self) -> None:
        """End everything."""
        if self.pid is not None:
            self._end(signal.SIGKILL)
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
def served(
    folder: Path, *, settle: Settle | None = None, clock: FastClock | None = None, **settings: Any
) -> Iterator[Served]:
    """A county, and a first life that is ready."""
    one = Served(folder, settle=settle, clock=clock, **settings)
    try:
        one.start()
        yield one
    finally:
        one.close()


def _free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def _settle(folder: Path, settle: Settle, now: datetime) -> dict[str, str]:
    folder.mkdir(parents=True)
    engine = open_engine(f"sqlite:///{folder / 'greenchannel.sqlite'}")
    migrate(engine)
    try:
        return settle(Accounts(engine), now)
    finally:
        engine.dispose()


def _demo_county(accounts: Accounts, now: datetime) -> dict[str, str]:
    tokens = cast.settle(accounts, now)
    for role, person in (("first", "chen"), ("second", "lin"), ("head", "zhao")):
        # The shift that began last holds: no change of shift falls into a test.
        accounts.add_shift(f"test-{role}", role, person, now, now + timedelta(days=1))
    return tokens


# ---------------------------------------------------------------- the nursery


def nursery(requests: IO[bytes], answers: IO[bytes]) -> None:
    """Fork a life for each ``begin``, reap it at ``wait``; end with the requests."""
    from greenchannel import assembly  # noqa: F401 - so that every life has it already

    for line in requests:
        request = json.loads(line)
        if "begin" in request:
            pid = os.fork()
            if pid == 0:
                _live(request["begin"], Path(request["log"]), request["clock"], request.get("engine"))
            answer = pid
        else:
            answer = os.waitstatus_to_exitcode(os.waitpid(request["wait"], 0)[1])
        answers.write(f"{answer}\n".encode())
        answers.flush()


def _live(
    settings: dict[str, Any],
    log: Path,
    clock: tuple[str, float, float] | None,
    engine: str | None = None,
) -> None:
    """One life of the service, or of an engine of this name beside it, from the fork to its end; never comes back."""
    from greenchannel.assembly import run_engine_until_stopped, run_until_stopped

    status = 1
    try:
        out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        nothing = os.open(os.devnull, os.O_RDONLY)
        for old, new in ((nothing, 0), (out, 1), (out, 2)):
            os.dup2(old, new)
        chosen, shared = load({}, **settings), None if clock is None else _clock(*clock)
        if engine is None:
            asyncio.run(run_until_stopped(chosen, shared))
        else:
            named = shared or SystemClock()
            named.name = engine  # the log says then which process wrote what
            asyncio.run(run_engine_until_stopped(chosen, named))
        status = 0
    finally:
        if status:
            traceback.print_exc()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def faults_in(log_text: str) -> list[str]:
    """The tracebacks in what a service printed, each with what follows; a child orphaned at its start is none."""
    return _TRACEBACK.findall(_ORPHANED_AT_START.sub("", log_text))


def _clock(start: str, speed: float, begun_s: float) -> FastClock:
    return FastClock(datetime.fromisoformat(start), speed, begun_s)


if __name__ == "__main__":
    nursery(sys.stdin.buffer, sys.stdout.buffer)
