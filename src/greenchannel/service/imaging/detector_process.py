"""A detector looks at a series in a process of its own: it may take long, much memory, or fall over."""

import contextlib
import multiprocessing
import os
import threading
from collections.abc import Iterable, Sequence
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Final

import msgspec
import structlog

from greenchannel.service.imaging.detector_series import series_of
from greenchannel.triage.detectors.plugin import DetectorResult, Status, result, run
from greenchannel.triage.detectors.registry import detectors_with
from greenchannel.triage.detectors.volume import NotAnalysed

logger = structlog.get_logger(__name__)

MOST_MEMORY: Final = 4_000_000_000  # bytes of addresses in the process: 2000 slices are 2 GB  [E]
_END: Final = b""  # behind the last file

_RESULTS = msgspec.json.Decoder(list[DetectorResult])


class DetectorProcess:
    """Looks at one series at a time; from a thread that may wait.

    `models` is the folder of the hospital's own models; `most_memory` bounds the process, in bytes, where the system
    can. Raises `ModelError`.
    """

    def __init__(self, models: Path | None = None, *, most_memory: int = MOST_MEMORY) -> None:
        self._most_memory = most_memory
        self._models = models
        self.detectors = detectors_with(models)
        self._running: BaseProcess | None = None
        self._stopped = False
        self._lock = threading.Lock()

    def look(self, files: Iterable[bytes], names: Sequence[str], limit_s: float) -> list[DetectorResult]:
        """What these detectors say, in silence; "not analysed" where they fail or take longer than `limit_s`.

        Files are taken one at a time; what is raised in doing so goes to the caller.
        """
        context = multiprocessing.get_context("spawn")  # a fork would take locks of other threads along
        ours, theirs = context.Pipe()
        process = context.Process(
            target=_child, args=(theirs, list(names), self._models, self._most_memory), daemon=True
        )
        with self._lock:
            if self._stopped:
                return self._all(names, "failed")
            process.start()
            self._running = process
        theirs.close()
        late = threading.Event()

        def end() -> None:
            late.set()
            process.kill()

        timer = threading.Timer(limit_s, end)
        timer.start()
        try:
            for data in files:
                ours.send_bytes(data)
            ours.send_bytes(_END)
            return _RESULTS.decode(ours.recv_bytes())
        except (EOFError, OSError, msgspec.DecodeError) as error:
            logger.warning(
                "detectors gave no answer", names=list(names), late=late.is_set(), error=str(error)
            )
            return self._all(names, "took_too_long" if late.is_set() else "failed")
        finally:
            timer.cancel()
            ours.close()
            process.kill()
            process.join()
            with self._lock:
                self._running = None

    @property
    def stopped(self) -> bool:
        """It looks at nothing more."""
        return self._stopped

    def stop(self) -> None:
        """End what is running, and look at nothing more."""
        with self._lock:
            self._stopped = True
            if self._running is not None:
                self._running.kill()

    def _all(self, names: Sequence[str], reason: str) -> list[DetectorResult]:
        return [result(self.detectors[name].card, Status.SILENT, reason=reason) for name in names]


def _child(connection: Connection, names: list[str], models: Path | None, most_memory: int) -> None:
    """In the process: read the series, let each detector look, send what they say."""
    if hasattr(os, "nice"):
        os.nice(10)  # ECGs come first
    detectors = detectors_with(models)
    _bound(most_memory)
    coming = iter(connection.recv_bytes, _END)  # one at a time, for the memory
    try:
        series = series_of(coming)
    except NotAnalysed as error:
        for _ in coming:  # who sends hears the answer when all is sent
            pass
        said = [result(detectors[name].card, Status.SILENT, reason=error.code) for name in names]
    else:
        said = [run(detectors[name], series, Status.SILENT) for name in names]
    connection.send_bytes(msgspec.json.encode(said))


def _bound(most_memory: int) -> None:
    """No more addresses than this for the process, where the system has such a limit."""
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource  # not on every system

        resource.setrlimit(resource.RLIMIT_AS, (most_memory, most_memory))
