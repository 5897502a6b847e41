"""A detector looks at a series in a process of its own: it may take long, much memory, or fall over."""

import multiprocessing
import os
import threading
from collections.abc import Sequence
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path

import msgspec
import structlog

from greenchannel.service.imaging.detector_series import series_of
from greenchannel.triage.detectors.plugin import DetectorResult, Status, result, run
from greenchannel.triage.detectors.registry import detectors_with
from greenchannel.triage.detectors.volume import NotAnalysed

logger = structlog.get_logger(__name__)

_RESULTS = msgspec.json.Decoder(list[DetectorResult])


class DetectorProcess:
    """Looks at one series at a time; from a thread that may wait.

    `models` is the folder of the hospital's own models. Raises `ModelError`.
    """

    def __init__(self, models: Path | None = None) -> None:
        self._models = models
        self.detectors = detectors_with(models)
        self._running: BaseProcess | None = None
        self._stopped = False
        self._lock = threading.Lock()

    def look(self, files: Sequence[bytes], names: Sequence[str], limit_s: float) -> list[DetectorResult]:
        """What these detectors say, in silence; "not analysed" where they fail or take longer than `limit_s`."""
        context = multiprocessing.get_context("spawn")  # a fork would take locks of other threads along
        ours, theirs = context.Pipe()
        process = context.Process(target=_child, args=(theirs, list(names), self._models), daemon=True)
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
            ours.send(len(files))
            for data in files:
                ours.send_bytes(data)
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


def _child(connection: Connection, names: list[str], models: Path | None) -> None:
    """In the process: read the series, let each detector look, send what they say."""
    if hasattr(os, "nice"):
        os.nice(10)  # ECGs come first
    detectors = detectors_with(models)
    coming = (connection.recv_bytes() for _ in range(connection.recv()))  # one at a time, for the memory
    try:
        series = series_of(coming)
    except NotAnalysed as error:
        for _ in coming:  # who sends hears the answer when all is sent
            pass
        said = [result(detectors[name].card, Status.SILENT, reason=error.code) for name in names]
    else:
        said = [run(detectors[name], series, Status.SILENT) for name in names]
    connection.send_bytes(msgspec.json.encode(said))
