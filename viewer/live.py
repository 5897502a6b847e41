"""The fan-out of `/live`: each change is encoded once, whoever listens.

Backpressure is decided here. Every client has a queue of its own, emptied by its own task, so that nobody waits for
anybody. Above `LOW_MARK_BYTES` waiting, the samples of running streams are left out for this client; events never
are. Above the high mark (`Settings.live_client_bytes`, 256 KB) the client is closed with 4408 and comes back with
``after=SEQ``, which is cheaper for both than a queue without end. The first snapshot does not count.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, Final

import msgspec

from greenchannel.alerts.case import Case
from greenchannel.clock import Clock, rfc3339
from greenchannel.events import Envelope
from greenchannel.service.hub import Hub
from greenchannel.viewer.access import RightsClass
from greenchannel.viewer.wire import CaseRows, change_message, in_order, order_of

LOW_MARK_BYTES: Final = 64 * 1024

Change = tuple[Envelope, Case | None]


class Client:
    """One connected page or program: what waits for it, and what it asked for."""

    def __init__(self, rights: RightsClass, high_mark_bytes: int) -> None:
        self.rights = rights
        self.watching: frozenset[str] = frozenset()  # ids of running ECGs
        self.too_slow = asyncio.Event()
        self._high_mark_bytes = high_mark_bytes
        self._waiting: deque[tuple[str, int]] = deque()
        self._waiting_bytes = 0
        self._something = asyncio.Event()

    def put(self, text: str, size: int) -> None:
        """Queue one message that must arrive; above the high mark the client is given up instead."""
        if self.too_slow.is_set():
            return
        if self._waiting_bytes + size > self._high_mark_bytes:
            self._waiting.clear()
            self.too_slow.set()
            return
        self._waiting.append((text, size))
        self._waiting_bytes += size
        self._something.set()

    def put_first(self, text: str) -> None:
        """Queue the snapshot, which may be larger than the high mark."""
        self._waiting.append((text, 0))
        self._something.set()

    def put_wave(self, text: str, size: int) -> None:
        """Queue samples, unless the client is behind already."""
        if self._waiting_bytes + size <= LOW_MARK_BYTES:
            self.put(text, size)

    async def next(self) -> str:
        """Wait for the next message."""
        while not self._waiting:
            self._something.clear()
            await self._something.wait()
        text, size = self._waiting.popleft()
        self._waiting_bytes -= size
        return text


class LiveFanout:
    """Joins the hub to its clients. All methods are for the event loop."""

    def __init__(
        self, *, hub: Hub, clock: Clock, rows: CaseRows, mark_every_s: float, client_bytes: int
    ) -> None:
        self._hub = hub
        self._clock = clock
        self._rows = rows
        self._mark_every_s = mark_every_s
        self._client_bytes = client_bytes
        self._clients: dict[RightsClass, set[Client]] = {}
        self._snapshots: dict[RightsClass, tuple[int, msgspec.Raw]] = {}
        self._watchers = 0
        self._stop_waves: Callable[[], None] | None = None
        self._stop_changes: Callable[[], None] | None = None
        self._ticking: asyncio.Task[None] | None = None

    @property
    def clients(self) -> int:
        """How many are connected."""
        return sum(len(group) for group in self._clients.values())

    def attach(self, rights: RightsClass, after: int | None) -> Client:
        """A new client, with the snapshot or what it missed already in its queue.

        Nothing is awaited in here, so no change can fall between the two.
        """
        client = Client(rights, self._client_bytes)
        if not self._clients:
            self._begin()
        missed = None if after is None else self._missed(rights, after)
        if missed is None:
            client.put_first(self._snapshot(rights))
        else:
            for text in missed:
                client.put_first(text)
            client.put_first(self._mark())
        self._clients.setdefault(rights, set()).add(client)
        return client

    def detach(self, client: Client) -> None:
        """Forget a client."""
        self.watch(client, None)
        group = self._clients[client.rights]
        group.discard(client)
        if not group:
            del self._clients[client.rights]
            self._snapshots.pop(client.rights, None)
        if not self._clients:
            self._end()

    def watch(self, client: Client, ecg_id: str | None) -> None:
        """Send the samples of one running stream to this client from now on; None: of no stream."""
        wanted = frozenset() if ecg_id is None else frozenset({ecg_id})
        self._watchers += bool(wanted) - bool(client.watching)
        client.watching = wanted
        if self._watchers and self._stop_waves is None:
            self._stop_waves = self._hub.on_wave(self._on_wave)
        elif not self._watchers and self._stop_waves is not None:
            self._stop_waves()
            self._stop_waves = None

    def mark(self, client: Client) -> None:
        """Say at once how far this client is."""
        text = self._mark()
        client.put(text, len(text))

    # ------------------------------------------------------------ from the hub

    def _begin(self) -> None:
        self._stop_changes = self._hub.subscribe(self._on_changes)
        self._ticking = asyncio.get_running_loop().create_task(self._tick())

    def _end(self) -> None:
        if self._stop_changes is not None:
            self._stop_changes()
        if self._ticking is not None:
            self._ticking.cancel()
        self._stop_changes = self._ticking = None

    def _on_changes(self, changes: list[Change]) -> None:
        self._snapshots.clear()
        for envelope, case in changes:
            if case is not None:
                self._to_all(case, self._encode(envelope, case))

    def _on_wave(self, ecg_id: str, case_id: str, message: dict[str, Any]) -> None:
        case = self._hub.cases.get(case_id)
        if case is None:
            return
        text = msgspec.json.encode(message).decode()
        for rights, group in self._clients.items():
            if rights.may_see(case.site):
                for client in group:
                    if ecg_id in client.watching:
                        client.put_wave(text, len(text))

    def _to_all(self, case: Case, text: str) -> None:
        size = len(text.encode())
        for rights, group in self._clients.items():
            if rights.may_see(case.site):
                for client in group:
                    client.put(text, size)

    async def _tick(self) -> None:
        """Marks, and the rows whose place changed by the passing of time alone."""
        while True:
            await asyncio.sleep(self._mark_every_s)
            for case, text in self._moved_up():
                self._snapshots.clear()
                self._to_all(case, text)
            mark = self._mark()
            for group in self._clients.values():
                for client in group:
                    client.put(mark, len(mark))

    def _moved_up(self) -> list[tuple[Case, str]]:
        now = self._clock.now()
        return [(case, self._move(case, now)) for case, _ in self._rows.moved(self._hub.cases.values(), now)]

    # ------------------------------------------------------------ messages

    def _missed(self, rights: RightsClass, after: int) -> list[str] | None:
        """What a client missed, or None where the snapshot is shorter or the only way."""
        missed = self._hub.missed(after)
        if missed is None:
            return None
        visible = [(e, case) for e, case in missed if case is not None and rights.may_see(case.site)]
        cases = [case for case in self._hub.cases.values() if rights.may_see(case.site)]
        now = self._clock.now()
        moved = [case for case in cases if order_of(case, case.last_event_at) != order_of(case, now)]
        if len(visible) + len(moved) >= len(cases) and after != self._hub.seq:
            return None
        # A place that the hour alone changed after a case's last event, the client may not know.
        return [self._encode(*one) for one in visible] + [self._move(case, now) for case in moved]

    def _move(self, case: Case, now: datetime) -> str:
        row = self._rows.row(case, now)
        return change_message(self._hub.seq, now, "order_changed", case.case_id, "service", row, {})

    def _encode(self, envelope: Envelope, case: Case) -> str:
        row = self._rows.row(case, self._clock.now())
        data = msgspec.to_builtins(envelope.event)
        kind = data.pop("type")
        return change_message(envelope.seq, envelope.at, kind, case.case_id, envelope.actor, row, data)

    def _mark(self) -> str:
        mark = {"type": "mark", "seq": self._hub.seq, "server_time": rfc3339(self._clock.now())}
        return msgspec.json.encode(mark).decode()

    def _snapshot(self, rights: RightsClass) -> str:
        now = self._clock.now()
        known = self._snapshots.get(rights)
        if known is None or known[0] != self._hub.seq:
            cases = (case for case in self._hub.cases.values() if rights.may_see(case.site))
            rows = msgspec.json.encode([self._rows.row(case, now) for case in in_order(cases, now)])
            known = self._snapshots[rights] = (self._hub.seq, msgspec.Raw(rows))
        snapshot = {
            "type": "snapshot",
            "seq": self._hub.seq,
            "server_time": rfc3339(now),
            "cases": known[1],
        }
        return msgspec.json.encode(snapshot).decode()


@contextlib.contextmanager
def attached(fanout: LiveFanout, rights: RightsClass, after: int | None) -> Iterator[Client]:
    """A client for the length of a block."""
    client = fanout.attach(rights, after)
    try:
        yield client
    finally:
        fanout.detach(client)
