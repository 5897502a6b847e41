"""The store in memory: what the tables hold, with transactions that are undone by a journal.

Mirrored: `store.writer.Tx`, `store.deadlines` and `store.log`, statement by statement; `test_memory_store.py` holds
them against the real ones. The database's own clock is the agenda's.
"""

import heapq
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import msgspec

from greenchannel.events import AnyEvent, Envelope
from greenchannel.store.deadlines import Deadline
from greenchannel.store.errors import VersionConflict
from greenchannel.store.outbox_rows import OutboxRow
from tests.simulation.agenda import ms_of

Command = Callable[["MemoryTx"], Any]


class Lease(msgspec.Struct, frozen=True):
    """Until when an attempt is its process's own, by the database's clock; None: nobody's."""

    until_ms: int | None


class Store:
    """All rows. Only `MemoryTx` changes them, and each change knows how it is taken back."""

    def __init__(self) -> None:
        self.log: list[Envelope] = []
        self.streams: dict[str, list[Envelope]] = {}
        self.deadlines: dict[str, Deadline] = {}
        self.taken: dict[str, datetime] = {}  # deadline → when
        self.outbox: dict[str, OutboxRow] = {}
        self.leases: dict[str, Lease] = {}
        self.of_alert: dict[str, list[str]] = {}  # alert → keys of the outbox, oldest first
        self.remembered: dict[tuple[str, str], tuple[bytes, bytes]] = {}
        self.ecgs: dict[str, tuple[str, str]] = {}  # sha256 → ECG, case
        self.episodes: dict[str, int] = {}  # patient → the number of the newest
        self.contacts: dict[str, tuple[str, str]] = {}  # contact → person, channel
        self.now_ms: Callable[[], int] = lambda: 0  # the database's own clock
        self._undo: list[Callable[[], None]] = []
        self._due: list[tuple[int, str]] = []
        self._due_ms: dict[str, int] = {}
        self._turns: list[tuple[int, str]] = []
        self.stirred = False  # something may be due sooner than it was
        self._committed = 0  # length of the log that is on disk
        self.twice: list[str] = []  # due times that more than one command got
        self._fired: set[str] = set()
        self._firing: list[str] = []
        self.asked: list[OutboxRow] = []  # rows that this transaction added

    # ------------------------------------------------------------ transactions

    def carry_out(
        self, commands: Sequence[Command], now: datetime, clock: str
    ) -> list[tuple[Any, BaseException | None]]:
        """Run commands one after the other, each behind a savepoint of its own; nothing is committed yet."""
        done: list[tuple[Any, BaseException | None]] = []
        for command in commands:
            mark = len(self._undo)
            try:
                done.append((command(MemoryTx(self, now, clock)), None))
            except Exception as error:  # noqa: BLE001 - it is the caller's
                self._back_to(mark)
                done.append((None, error))
        return done

    def commit(self) -> tuple[list[Envelope], list[OutboxRow]]:
        """Make it last; gives the new events, and the new rows of the outbox."""
        self._undo.clear()
        for id in self._firing:
            (self.twice.append if id in self._fired else self._fired.add)(id)
        self._firing.clear()
        events, self._committed = self.log[self._committed :], len(self.log)
        asked, self.asked = self.asked, []
        return events, asked

    def roll_back(self) -> None:
        """Take all back since the last commit."""
        self._back_to(0)

    def _back_to(self, mark: int) -> None:
        while len(self._undo) > mark:
            self._undo.pop()()

    def undo(self, back: Callable[[], None]) -> None:
        """Remember how a change is taken back."""
        self._undo.append(back)

    # ------------------------------------------------------------ the log, as `store.log.Log` shows it

    def head(self) -> tuple[int, bytes]:
        """The newest sequence number; its hash is nobody's business here."""
        return self._committed, b""

    def read(self, after: int, limit: int) -> list[Envelope]:
        """Events of the log, by their sequence number."""
        return self.log[after : min(after + limit, self._committed)]

    # ------------------------------------------------------------ what is due

    def note_due(self, deadline: Deadline) -> None:
        """Find it again at its time."""
        self.stirred = True
        self._due_ms[deadline.id] = due_ms = ms_of(deadline.due_at)
        heapq.heappush(self._due, (due_ms, deadline.id))

    def _waits(self, due_ms: int, id: str) -> bool:
        return id in self.deadlines and id not in self.taken and self._due_ms[id] == due_ms

    def next_due_ms(self) -> int | None:
        """When the first of the due times that wait is due."""
        while self._due and not self._waits(*self._due[0]):
            heapq.heappop(self._due)
        return self._due[0][0] if self._due else None

    def due(self, now_ms: int, limit: int) -> list[Deadline]:
        """Up to `limit` due times that are due and not taken, the longest overdue first."""
        found: list[tuple[int, str]] = []
        while len(found) < limit and (first := self.next_due_ms()) is not None and first <= now_ms:
            one = heapq.heappop(self._due)
            if one not in found:
                found.append(one)
        for one in found:
            heapq.heappush(self._due, one)
        return [self.deadlines[id] for _, id in found]

    # ------------------------------------------------------------ whose turn it is

    def note_turn(self, ms: int, key: str) -> None:
        """Look at a row of the outbox again at an instant."""
        self.stirred = True
        heapq.heappush(self._turns, (ms, key))

    def turn_ms(self, key: str) -> int | None:
        """When a row may be taken next; None where it has ended."""
        row = self.outbox.get(key)
        if row is None or row.ended_at is not None:
            return None
        return ms_of(row.next_at) if row.state == "waiting" else self.leases[key].until_ms

    def next_turn_ms(self) -> int | None:
        """When the first row that waits or is leased has its turn."""
        while self._turns and self.turn_ms(self._turns[0][1]) != self._turns[0][0]:
            heapq.heappop(self._turns)
        return self._turns[0][0] if self._turns else None

    def turns(self, next_by_ms: int, lease_by_ms: int) -> list[OutboxRow]:
        """The rows whose turn it is: what waits by the clock of a process, what is leased by that of the database."""
        by_ms = max(next_by_ms, lease_by_ms)
        found: list[tuple[int, str]] = []
        while self._turns and self._turns[0][0] <= by_ms:
            one = heapq.heappop(self._turns)
            if self.turn_ms(one[1]) == one[0] and one not in found:
                found.append(one)
        for one in found:
            heapq.heappush(self._turns, one)
        rows = [self.outbox[key] for _, key in found]
        return [
            row
            for row, (ms, _) in zip(rows, found, strict=True)
            if ms <= (next_by_ms if row.state == "waiting" else lease_by_ms)
        ]


class MemoryTx:
    """What one command may do, as `store.writer.Tx` offers it."""

    def __init__(self, store: Store, now: datetime, clock: str) -> None:
        self.store = store
        self.conn = store
        self.now = now
        self._clock = clock

    # ------------------------------------------------------------ the log

    def version(self, stream: str) -> int:
        """The newest version of a stream; 0 where it has none."""
        return len(self.store.streams.get(stream, ()))

    def read_stream(self, stream: str, after: int = 0) -> list[Envelope]:
        """The events of one stream with a version above `after`."""
        return self.store.streams.get(stream, [])[after:]

    def append(
        self, stream: str, events: Sequence[AnyEvent], *, actor: str, expected_version: int | None = None
    ) -> list[Envelope]:
        """Add events to the end of a stream and of the log; raises `VersionConflict`."""
        log, own = self.store.log, self.store.streams.setdefault(stream, [])
        seq, version = len(log), len(own)
        if expected_version is not None and expected_version != version:
            raise VersionConflict(stream, expected_version, version)
        envelopes = [
            Envelope(
                seq=seq + place,
                stream=stream,
                version=version + place,
                at=self.now,
                clock=self._clock,
                actor=actor,
                event=event,
            )
            for place, event in enumerate(events, start=1)
        ]

        def back() -> None:
            del log[seq:]
            del own[version:]

        self.store.undo(back)
        log += envelopes
        own += envelopes
        return envelopes

    # ------------------------------------------------------------ due times

    def set_deadline(self, id: str, *, due_at: datetime, kind: str, stream: str, payload: bytes) -> bool:
        """Set or move one that waits; False, and nothing is changed, for one that was taken."""
        store = self.store
        if id in store.taken:
            return False
        before = store.deadlines.get(id)
        deadline = Deadline(id=id, due_at=due_at, kind=kind, stream=stream, payload=payload)
        self._put(id, deadline)
        store.undo(lambda: self._put(id, before))
        return True

    def _put(self, id: str, deadline: Deadline | None) -> None:
        if deadline is None:
            self.store.deadlines.pop(id, None)
        else:
            self.store.deadlines[id] = deadline
            self.store.note_due(deadline)

    def take_deadline(self, id: str, due_by: datetime | None = None) -> bool:
        """True for exactly one command."""
        store = self.store
        deadline = store.deadlines.get(id)
        if deadline is None or id in store.taken or (due_by is not None and deadline.due_at > due_by):
            return False
        store.taken[id] = self.now
        store._firing.append(id)

        def back() -> None:
            del store.taken[id]
            store._firing.pop()
            store.note_due(deadline)

        store.undo(back)
        return True

    # ------------------------------------------------------------ idempotency

    def remember(self, scope: str, key: str, request_sha256: bytes, answer: bytes) -> None:
        """Keep the answer to a request under its key; raises `ValueError` for a key that is known."""
        if (scope, key) in self.store.remembered:
            raise ValueError(f"expected a new key of {scope}, got {key} again")
        self.store.remembered[scope, key] = request_sha256, answer
        self.store.undo(lambda: self.store.remembered.pop((scope, key)) and None)

    def recall(self, scope: str, key: str) -> tuple[bytes, bytes] | None:
        """SHA-256 of the first request under this key, and its answer; None where the key is new."""
        return self.store.remembered.get((scope, key))

    # ------------------------------------------------------------ ECGs and episodes

    def note_episode(self, patient: str, number: int) -> None:
        """Keep which of a patient's episodes is the newest."""
        before = self.store.episodes.get(patient)
        self.store.episodes[patient] = number
        self.store.undo(lambda: self._put_episode(patient, before))

    def _put_episode(self, patient: str, number: int | None) -> None:
        if number is None:
            self.store.episodes.pop(patient)
        else:
            self.store.episodes[patient] = number

    def add_ecg(self, sha256: str, ecg_id: str, case_id: str) -> None:
        """Keep which ECG some bytes are."""
        self.store.ecgs[sha256] = ecg_id, case_id
        self.store.undo(lambda: self.store.ecgs.pop(sha256) and None)
