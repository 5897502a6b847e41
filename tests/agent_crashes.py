"""A spool whose process is killed at the n-th thing it asks of the disk: one child for each n, all from one program.

Run as ``python -m tests.agent_crashes FOLDER``; prints, for each n, what the child had been told was taken.
"""

import json
import os
import signal
import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from greenchannel.agent import spool as spool_module
from greenchannel.agent.agent import now
from greenchannel.agent.spool import Spool
from greenchannel.agent.watcher import Watcher

ECGS: Final = {f"{number}.scp": bytes([number]) * (3000 + number) for number in range(3)}


class Countdown:
    """Kills this process when it was asked often enough."""

    def __init__(self, steps: int) -> None:
        self.left = steps

    def around(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, after one more step."""

        def stepped(*given: Any, **named: Any) -> Any:
            self.left -= 1
            if self.left < 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return function(*given, **named)

        return stepped


class Connection(sqlite3.Connection):
    """A connection that counts its statements."""

    countdown: Countdown | None = None

    def execute(self, *given: Any) -> sqlite3.Cursor:
        step = super().execute
        if Connection.countdown is not None:
            return Connection.countdown.around(step)(*given)  # type: ignore[no-any-return]
        return step(*given)


def life(folder: Path, steps: int, told: int) -> None:
    """Look into the folder, take what is there, move it away; die at a step."""
    countdown = Countdown(steps)
    connect = sqlite3.connect
    Connection.countdown = countdown
    spool_module.sqlite3.connect = lambda *a, **n: connect(*a, **n, factory=Connection)  # type: ignore[attr-defined]
    for name in ("open", "fsync", "replace", "rename", "unlink"):
        setattr(os, name, countdown.around(getattr(os, name)))
    spool = Spool(folder / "spool", now)
    seconds = iter(range(1000))
    watcher = Watcher(
        spool, folder / "watch", done=folder / "done", steady_s=lambda: float(next(seconds)), settle_s=1.0
    )
    for _ in range(4):
        watcher.look()
        os.write(told, (json.dumps([item.sha256 for item in spool.items()]) + "\n").encode())
    os._exit(0)


def main(root: Path) -> None:
    """A child for each number of steps, until one lives to the end."""
    steps = 0
    while True:
        folder = root / str(steps)
        (folder / "watch").mkdir(parents=True)
        (folder / "done").mkdir()
        for name, data in ECGS.items():
            (folder / "watch" / name).write_bytes(data)
        ours, theirs = os.pipe()
        pid = os.fork()
        if pid == 0:
            try:
                life(folder, steps, theirs)
            finally:
                os._exit(70)
        os.close(theirs)
        with open(ours, encoding="utf-8") as answers:
            lines = answers.read().splitlines()
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        print(json.dumps({"steps": steps, "status": status, "told": json.loads(lines[-1]) if lines else []}))
        if status != -signal.SIGKILL:
            return
        steps += 1


if __name__ == "__main__":
    main(Path(sys.argv[1]))
