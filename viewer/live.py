"""The fan-out of `/live`: each change is encoded once, whoever listens.

A client that keeps up gets the finished frame at once (`frames.py`). Backpressure is decided here: where a client's
transport is full, it has a queue of its own, emptied by its own task, so that nobody waits for anybody. Above
`LOW_MARK_BYTES` waiting, the samples of running streams are left out for this client; events never are. Above the high
mark (`Settings.live_client_bytes`, 256 KB) the client is closed with 4408 and comes back with ``after=SEQ``, which is
cheaper for both than a queue without end. The first snapshot does not count: its rows are one text, shared by all
clients of equal rights. What a returning client missed is its own and ends at the high mark.

A fault in here is logged, and every client is let go: a mark after a lost event would say what is not true. They come
back and get a snapshot.
"""

import asyncio
import contextlib
import functools
from collections import deque
from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec
import structlog

from greenchannel.alerts.case import Case
from greenchannel.clock import Clock, rfc3339
from greenchannel.events import Envelope, ImageReportDrafted, study_of
from greenchannel.service.hub import Hub
from greenchannel.viewer.access import RightsClass
from greenchannel.viewer.board import Board
from greenchannel.viewer.frames import WriteFrame, text_frame
from greenchannel.viewer.places import BOARD_KEEPS
from greenchannel.viewer.wire import CaseRows, change_message

logger = structlog.get_logger(__name__)

LOW_MARK_BYTES: Final = 64 * 1024

Change = tuple[Envelope, Case | None]


class Client:
    """One connected page or program: what waits for it, and what it asked for."""

    def __init__(self, rights: RightsClass, high_mark_bytes: int) -> None:
        self.rights = rights
        self.watching: frozenset[str] = frozenset()  # ids of running ECGs
        self.too_slow = asyncio.Event()
        self.write_frame: WriteFrame | None = None  # the short way, where the connection has one
        self._high_mark_bytes = high_mark_bytes
        self._on_its_way = False  # a message was taken off the queue and may wait for the transport
        self._waiting: deque[tuple[tuple[str, ...], int]] = deque()
        self._waiting_bytes = 0
        self._something = asyncio.Event()

    def put(self, text: str, size: int, frame: bytes | None = None) -> None:
        """Send one message that must arrive, or queue it; above the high mark the client is given up instead.

        `frame` is the same message as bytes for the socket; nothing that is queued is overtaken by it.
        """
        if self.too_slow.is_set():
            return
        free = not self._waiting and not self._on_its_way
        if free and frame is not None and self.write_frame is not None and self.write_frame(frame):
            return
        if self._waiting_bytes + size > self._high_mark_bytes:
            self.give_up()
            return
        self._waiting.append(((text,), size))
        self._waiting_bytes += size
        self._something.set()

    def give_up(self) -> None:
        """Send nothing more: the connection ends, and the client comes back."""
        self._waiting.clear()
        self._waiting_bytes = 0
        self.too_slow.set()

    def put_first(self, *parts: str) -> None:
        """Queue what a new client begins with, whatever its size. Parts may be shared; they are joined when sent."""
        self._waiting.append((parts, 0))
        self._something.set()

    def put_wave(self, text: str, size: int, frame: bytes | None = None) -> None:
        """Send or queue samples, unless the client is behind already."""
        if self._waiting_bytes + size <= LOW_MARK_BYTES:
            self.put(text, size, frame)

    async def next(self) -> str:
        """Wait for the next message. Asking again says that the one before is on the wire."""
        self._on_its_way = False
        while not self._waiting:
            self._something.clear()
            await self._something.wait()
        parts, size = self._waiting.popleft()
        self._waiting_bytes -= size
        self._on_its_way = True
        return "".join(parts)


class LiveFanout:
    """Joins the hub to its clients. All methods are for the event loop."""

    def __init__(
        self,
        *,
        hub: Hub,
        clock: Clock,
        rows: CaseRows,
        mark_every_s: float,
        client_bytes: int,
        sites_of_study: Callable[[str], Collection[str]] | None = None,
    ) -> None:
        """`sites_of_study`: whose a study is, so that their pages hear that its reading has changed."""
        self._hub = hub
        self._clock = clock
        self._rows = rows
        self._mark_every_s = mark_every_s
        self._client_bytes = client_bytes
        self._sites_of_study = sites_of_study
        self._clients: dict[RightsClass, set[Client]] = {}
        self._board = Board(hub)
        self._listening = False
        self._lost_seq = -1  # who knows the log no further may have missed an event
        self._snapshots: dict[RightsClass, tuple[int, str]] = {}  # edition of the names, rows
        self._watchers = 0
        self._stop_waves: Callable[[], None] | None = None
        self._ticking: asyncio.Task[None] | None = None

    @property
    def clients(self) -> int:
        """How many are connected."""
        return sum(len(group) for group in self._clients.values())

    def board(self, now: datetime) -> list[Case]:
        """The cases that boards show at `now`, of all sites."""
        if not self._listening:
            self._listening = True
            self._hub.subscribe(self._on_changes)
        with self._all_or_snapshot():
            self._turn(now)
        return self._board.cases(now)

    def attach(self, rights: RightsClass, after: int | None) -> Client:
        """A new client, with the snapshot or what it missed already in its queue.

        Nothing is awaited in here, so no change can fall between the two.
        """
        client = Client(rights, self._client_bytes)
        now = self._clock.now()
        cases = [case for case in self.board(now) if rights.may_see(case.site)]
        missed = None if after is None else self._missed(rights, after, len(cases), now)
        if missed is None:
            client.put_first(*self._snapshot(rights, cases, now))
        else:
            for text in missed:
                client.put_first(text)
            client.put_first(self._mark())
        if not self._clients:
            self._ticking = asyncio.get_running_loop().create_task(self._tick())
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
        if not self._clients and self._ticking is not None:
            self._ticking.cancel()
            self._ticking = None

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

    def _on_changes(self, changes: list[Change]) -> None:
        with self._all_or_snapshot():
            now = self._clock.now()
            self._board.take((case for _, case in changes if case is not None), now)
            for envelope, case in changes:
                if case is not None:
                    self._to_all(case, functools.partial(self._encode, envelope, case, now))
            self._say_images([envelope for envelope, _ in changes], now)

    @contextlib.contextmanager
    def _all_or_snapshot(self) -> Iterator[None]:
        """Whatever goes wrong inside: no client may take what it holds for everything."""
        try:
            yield
        except Exception:
            logger.exception(
                "fan-out failed, every client is let go", seq=self._hub.seq, clients=self.clients
            )
            self._lost_seq = self._hub.seq
            self._board.reset()
            self._snapshots.clear()
            for group in self._clients.values():
                for client in group:
                    client.give_up()

    def _on_wave(self, ecg_id: str, case_id: str, message: dict[str, Any]) -> None:
        case = self._hub.cases.get(case_id)
        if case is None:
            return
        encoded = msgspec.json.encode(message)
        text, frame = encoded.decode(), text_frame(encoded)
        for rights, group in self._clients.items():
            if rights.may_see(case.site):
                for client in group:
                    if ecg_id in client.watching:
                        client.put_wave(text, len(text), frame)

    def _to_all(self, case: Case, encode: Callable[[], str]) -> None:
        self._outdate(case)
        groups = [group for rights, group in self._clients.items() if rights.may_see(case.site)]
        if groups:
            text = encode()
            payload = text.encode()
            size, frame = len(payload), text_frame(payload)
            for group in groups:
                for client in group:
                    client.put(text, size, frame)

    def _say_images(self, envelopes: Sequence[Envelope], now: datetime) -> None:
        """Readings of studies have changed: no more is said than that, for what of them a page shows is its own to ask.
        Of one commit each page hears it once; drafts are their writers' own."""
        if self._sites_of_study is None or not self._clients:
            return
        uids = dict.fromkeys(
            uid
            for envelope in envelopes
            if not isinstance(envelope.event, ImageReportDrafted)
            and (uid := study_of(envelope.stream)) is not None
        )
        sites = {site for uid in uids for site in self._sites_of_study(uid)}
        if not uids:
            return
        said = {"type": "images_changed", "seq": envelopes[-1].seq, "server_time": rfc3339(now)}
        encoded = msgspec.json.encode(said)
        text, frame = encoded.decode(), text_frame(encoded)
        for rights, group in self._clients.items():
            if rights.sites is None or not rights.sites.isdisjoint(sites):
                for client in group:
                    client.put(text, len(text), frame)

    def _outdate(self, case: Case) -> None:
        for rights in [rights for rights in self._snapshots if rights.may_see(case.site)]:
            del self._snapshots[rights]

    async def _tick(self) -> None:
        """Marks, and the rows whose place changed by the passing of time alone."""
        while True:
            await asyncio.sleep(self._mark_every_s)
            with self._all_or_snapshot():
                self._turn(self._clock.now())
                mark = self._mark()
                frame = text_frame(mark.encode())
                for group in self._clients.values():
                    for client in group:
                        client.put(mark, len(mark), frame)

    def _turn(self, now: datetime) -> None:
        moved, left = self._board.turn(now)
        for case in moved:
            self._to_all(case, functools.partial(self._move, case, self._hub.seq, now))
        for case in left:  # whoever has it on the screen may keep it
            self._outdate(case)
            self._rows.forget(case.case_id)

    # ------------------------------------------------------------ messages

    def _missed(self, rights: RightsClass, after: int, shown: int, now: datetime) -> list[str] | None:
        """What a client missed, or None where the snapshot is shorter or the only way.

        What moved by the hour comes first, under the number that the client holds: the events after it lead the
        number on, and whoever is cut off in between asks again from there.
        """
        missed = self._hub.missed(after)
        if missed is None or after <= self._lost_seq:
            return None
        moved = [case for case in self._board.moved_since(after, now) if rights.may_see(case.site)]
        visible = [(e, case) for e, case in missed if case is not None and rights.may_see(case.site)]
        count = len(moved) + len(visible)
        if count and (count >= shown or (visible and visible[0][0].at <= now - BOARD_KEEPS)):
            return None
        texts: list[str] = []
        size = 0
        for encode in (
            *(functools.partial(self._move, case, after, now) for case in moved),
            *(functools.partial(self._encode, *one, now) for one in visible),
        ):
            texts.append(encode())
            size += len(texts[-1])
            if size > self._client_bytes:
                return None
        return texts

    def _move(self, case: Case, seq: int, now: datetime) -> str:
        row = self._rows.row(case, now)
        return change_message(seq, now, "order_changed", case.case_id, "service", row, {})

    def _encode(self, envelope: Envelope, case: Case, now: datetime) -> str:
        row = self._rows.row(case, now)
        data = msgspec.to_builtins(envelope.event)
        kind = data.pop("type")
        return change_message(envelope.seq, envelope.at, kind, case.case_id, envelope.actor, row, data)

    def _mark(self) -> str:
        mark = {"type": "mark", "seq": self._hub.seq, "server_time": rfc3339(self._clock.now())}
        return msgspec.json.encode(mark).decode()

    def _snapshot(self, rights: RightsClass, cases: list[Case], now: datetime) -> tuple[str, str, str]:
        """Its head, its rows, its end; the rows are made once for all clients of these rights."""
        known = self._snapshots.get(rights)
        if known is None or known[0] != self._rows.edition:
            rows = msgspec.json.encode(self._rows.rows(cases, now)).decode()
            known = self._snapshots[rights] = (self._rows.edition, rows)
        head = {"type": "snapshot", "seq": self._hub.seq, "server_time": rfc3339(now)}
        return f'{msgspec.json.encode(head).decode()[:-1]},"cases":', known[1], "}"


@contextlib.contextmanager
def attached(fanout: LiveFanout, rights: RightsClass, after: int | None) -> Iterator[Client]:
    """A client for the length of a block."""
    client = fanout.attach(rights, after)
    try:
        yield client
    finally:
        fanout.detach(client)
