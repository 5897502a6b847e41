"""The event-loop side of the log: the cases as of one sequence number, and who listens for what comes next."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any

from greenchannel.alerts.case import Case
from greenchannel.events import Envelope

Change = tuple[Envelope, Case | None]
Listener = Callable[[list[Change]], None]
WaveListener = Callable[[str, str, dict[str, Any]], None]

REMEMBERED = 5_000  # changes kept for clients that come back; an older one gets a snapshot


class Hub:
    """Holds the newest state that has been committed. All methods but `post` are for the event loop."""

    def __init__(self) -> None:
        self.seq = 0
        self.cases: dict[str, Case] = {}
        self._recent: deque[Change] = deque(maxlen=REMEMBERED)
        self._listeners: list[Listener] = []
        self._wave_listeners: list[WaveListener] = []
        self._loop: asyncio.AbstractEventLoop | None = None

    def start(self, seq: int, cases: Iterable[Case]) -> None:
        """Begin at the state that was folded from the log at start-up."""
        self.seq = seq
        self.cases = {case.case_id: case for case in cases}
        self._loop = asyncio.get_running_loop()

    def post(self, changes: list[Change]) -> None:
        """Called in the writer's thread after each commit."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._publish, changes)

    def _publish(self, changes: list[Change]) -> None:
        for envelope, case in changes:
            self.seq = envelope.seq
            if case is not None:
                self.cases[case.case_id] = case
        self._recent.extend(changes)
        for listener in tuple(self._listeners):
            listener(changes)

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` with every later change, in order; the answer ends it."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def missed(self, after: int) -> list[Change] | None:
        """What came after `after`; None where that is not known any more, or never was."""
        if after > self.seq:
            return None
        if after == self.seq:
            return []
        if not self._recent or self._recent[0][0].seq > after + 1:
            return None
        return [change for change in self._recent if change[0].seq > after]

    def on_wave(self, listener: WaveListener) -> Callable[[], None]:
        """Call `listener` with the samples of running streams; the answer ends it."""
        self._wave_listeners.append(listener)
        return lambda: self._wave_listeners.remove(listener)

    @property
    def wave_wanted(self) -> bool:
        """Does anybody listen for running streams?"""
        return bool(self._wave_listeners)

    def wave(self, ecg_id: str, case_id: str, message: dict[str, Any]) -> None:
        """Hand the newest samples of a running stream to whoever watches."""
        for listener in tuple(self._wave_listeners):
            listener(ecg_id, case_id, message)
