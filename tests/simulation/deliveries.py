"""The lanes of one process: a row of the outbox is taken, sent, and its outcome noted.

Mirrored: `Delivery.look`, `_work`, `attempt`, `_renew` and `_save_surely`. Real: what is decided in the store,
`Delivery._take` and `_finish`.
"""

import functools
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from greenchannel.alerts import delivery as core
from greenchannel.alerts.channels import channels, outgoing
from greenchannel.alerts.delivery import Item, State
from greenchannel.service.channels.senders import Sent
from greenchannel.service.delivery import Delivery
from greenchannel.settings import Settings
from greenchannel.store.errors import CommitFailed
from greenchannel.store.outbox_rows import OutboxRow
from tests.simulation import memory_rows
from tests.simulation.agenda import ms_of
from tests.simulation.memory_store import MemoryTx

if TYPE_CHECKING:
    from tests.simulation.process import Process

POLL_MS: Final = round(Settings(data_dir=Path()).delivery_poll_s * 1000)
SAVE_AGAIN_MS: Final = 1_000
_URGENT: Final = frozenset(name for name, kind in core.kinds().items() if kind.urgent)
_LEASE_S: Final = core.number("lease_s")
_RENEW_MS: Final = round(_LEASE_S * 1000 / 3)


class _Lane:
    def __init__(self, channel: str) -> None:
        self.spec = channels()[channel]
        self.queue: deque[str] = deque()
        self.known: set[str] = set()
        self.busy = 0


class Deliveries:
    """What one process sends."""

    def __init__(self, process: "Process", delivery: Delivery) -> None:
        self._process = process
        self._world = process.world
        self._delivery = delivery
        self._lanes = {name: _Lane(name) for name in outgoing()}
        self._under_way: dict[str, int] = {}
        self._looked_ms = process.world.agenda.now_ms
        self._look_ms: int | None = None
        self._renews = False

    # ------------------------------------------------------------ whose turn it is

    def wake_if_asked(self) -> None:
        """A commit of this process has added rows: nobody waits for the next look."""
        if self._delivery._asked:
            self._delivery._asked = False
            self._look_at(self._world.agenda.now_ms + 1)

    def arm(self) -> None:
        """Look when the next row has its turn."""
        turn_ms = self._world.store.next_turn_ms()
        if turn_ms is not None:
            self._look_at(
                self._process.poll(self._looked_ms, POLL_MS, turn_ms - max(self._process.offset_ms, 0))
            )

    def _look_at(self, at_ms: int) -> None:
        if self._look_ms is None or at_ms < self._look_ms:
            self._look_ms = at_ms
            self._process.later(at_ms - self._world.agenda.now_ms, self._look, at_ms)

    def _look(self, at_ms: int) -> None:
        if at_ms != self._look_ms:
            return
        self._look_ms, self._looked_ms = None, self._world.agenda.now_ms
        if not self._world.weather.away:
            rows = self._world.store.turns(ms_of(self._process.clock.now()), self._world.agenda.now_ms)
            for row in sorted(rows, key=lambda row: (row.kind not in _URGENT, row.next_at, row.key)):
                lane = self._lanes[row.channel]
                if row.key not in lane.known and len(lane.queue) < lane.spec.queue:
                    lane.known.add(row.key)
                    lane.queue.append(row.key)
                    self._work(lane)
        self.arm()

    # ------------------------------------------------------------ one attempt

    def _work(self, lane: _Lane) -> None:
        while lane.queue and lane.busy < lane.spec.at_once:
            lane.busy += 1
            key = lane.queue.popleft()
            take = functools.partial(self._take, key=key)
            self._process.submit(take, functools.partial(self._taken, lane, key))

    def _take(self, tx: MemoryTx, key: str) -> tuple[OutboxRow | None, Item | None]:
        real: Any = tx
        return self._delivery._take(real, key)

    def _taken(self, lane: _Lane, key: str, result: Any, error: BaseException | None) -> None:
        row, item = (None, None) if result is None else result
        if row is None or item is None or item.state is not State.SENDING:
            self._over(lane, key)
            return
        self._world.promises.took(self._process, row, item)
        self._under_way[key] = item.fence
        self._renew_soon()
        if self._process.dies_at("took"):
            return
        if self._process.frozen:
            self._process.later(0, self._send, lane, row, item)
        else:
            self._send(lane, row, item)

    def _send(self, lane: _Lane, row: OutboxRow, item: Item) -> None:
        answered = functools.partial(self._answered, lane, row, item)
        self._world.network.send(self._process, row, item, answered)
        self._process.dies_at("sent")

    def _answered(self, lane: _Lane, row: OutboxRow, item: Item, sent: Sent) -> None:
        if not self._process.dies_at("answered"):
            self._save(lane, row, item, sent, True)

    def _save(self, lane: _Lane, row: OutboxRow, item: Item, sent: Sent, tell: bool) -> None:
        finish = functools.partial(self._finish, row=row, item=item, sent=sent, tell=tell)
        self._process.submit(finish, functools.partial(self._saved, lane, row, item, sent, tell))

    def _finish(self, tx: MemoryTx, row: OutboxRow, item: Item, sent: Sent, tell: bool) -> Item | None:
        real: Any = tx
        newest = tx.store.outbox[row.key].fence
        after = self._delivery._finish(real, row.key, item.fence, sent, tell)
        if after is not None and newest != item.fence:
            self._world.promises.broken("newest_attempt_speaks", f"{row.key}: {item.fence} after {newest}")
        return after

    def _saved(
        self,
        lane: _Lane,
        row: OutboxRow,
        item: Item,
        sent: Sent,
        tell: bool,
        result: Any,
        error: BaseException | None,
    ) -> None:
        if error is not None:
            tell = tell and isinstance(error, CommitFailed)
            away_ms = max(self._world.weather.away_until_ms - self._world.agenda.now_ms, 1)
            wait_ms = -(-away_ms // SAVE_AGAIN_MS) * SAVE_AGAIN_MS
            self._process.later(wait_ms, self._save, lane, row, item, sent, tell)
            return
        self._under_way.pop(row.key, None)
        if not self._process.dies_at("noted"):
            self._over(lane, row.key)

    def _over(self, lane: _Lane, key: str) -> None:
        lane.busy -= 1
        lane.known.discard(key)
        self._work(lane)

    # ------------------------------------------------------------ leases

    def _renew_soon(self) -> None:
        if not self._renews:
            self._renews = True
            self._process.later(_RENEW_MS, self._renew)

    def _renew(self) -> None:
        self._renews = False
        if self._under_way:
            fences = dict(self._under_way)
            self._process.submit(
                lambda tx: memory_rows.renew(tx, fences, _LEASE_S), lambda result, error: None
            )
            self._renew_soon()
