"""Delivers what stands in the outbox: a lane of its own for each channel, so that none waits for another."""

import asyncio
import contextlib
import functools
from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

import structlog
from sqlalchemy import Engine

from greenchannel.alerts import delivery
from greenchannel.alerts.channels import WEBPUSH, channels, outgoing
from greenchannel.alerts.delivery import Failed, Interrupted, Item, State
from greenchannel.alerts.messages import compose
from greenchannel.clock import Clock
from greenchannel.events import Envelope
from greenchannel.service.channels import by_apprise
from greenchannel.service.channels.addresses import WEBHOOK
from greenchannel.service.channels.senders import Senders, Sent
from greenchannel.service.delivery_results import DeliveryResults
from greenchannel.service.keeping import keep_running
from greenchannel.service.outbox import Outbox, item_of, put
from greenchannel.store import outbox_rows
from greenchannel.store.accounts import Accounts, Site
from greenchannel.store.contacts import Contacts
from greenchannel.store.outbox_rows import OutboxRow
from greenchannel.store.writer import CommitFailed, Tx, Writer

logger = structlog.get_logger(__name__)

_SAVE_AGAIN_S: Final = 1.0  # after a commit that failed
_URGENT: Final = tuple(name for name, kind in delivery.kinds().items() if kind.urgent)


class _Lane:
    """The queue of one channel. A key is known from the moment it is queued until its attempt is over."""

    def __init__(self, channel: str) -> None:
        self.spec = channels()[channel]
        self.queue: asyncio.Queue[str] = asyncio.Queue(self.spec.queue)
        self.known: set[str] = set()

    @property
    def room(self) -> int:
        """How many rows to look for: those that are known come first, and are passed over."""
        free = self.queue.maxsize - self.queue.qsize()
        return free + len(self.known) if free > 0 else 0

    def offer(self, key: str) -> None:
        """Queue a key that is not known, while there is room."""
        if key not in self.known and not self.queue.full():
            self.known.add(key)
            self.queue.put_nowait(key)


class Delivery:
    """Looks up rows whose turn it is, and makes their attempts: take, send, note the outcome."""

    def __init__(
        self,
        *,
        engine: Engine,
        writer: Writer,
        clock: Clock,
        outbox: Outbox,
        contacts: Contacts,
        accounts: Accounts,
        senders: Senders,
        results: DeliveryResults,
        poll_s: float,
    ) -> None:
        self._engine = engine
        self._writer = writer
        self._clock = clock
        self._outbox = outbox
        self._contacts = contacts
        self._accounts = accounts
        self._senders = senders
        self._results = results
        self._poll_s = poll_s
        self._lanes = {name: _Lane(name) for name in outgoing()}
        self._under_way: dict[str, int] = {}  # key → fence, of attempts of this process
        self._asked = False
        self._wake = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self.outcomes: Counter[tuple[str, str]] = Counter()  # (channel, outcome) → how many; for the metrics
        self.depth: Mapping[str, int] = {}  # rows that have not ended, by channel, as of the last look
        outbox.on_row(self._note_asked)
        writer.on_commit(self._committed)

    # ------------------------------------------------------------ life

    async def run(self) -> None:
        """Until cancelled; what was under way then may be tried by another at once."""
        self._loop = asyncio.get_running_loop()
        try:
            await asyncio.to_thread(self._warm)
        except Exception:  # then the first message waits
            logger.warning("the library of chats is not loaded yet", exc_info=True)
        async with asyncio.TaskGroup() as group:
            for name, lane in self._lanes.items():
                for number in range(lane.spec.at_once):
                    work = functools.partial(self._work, lane)
                    group.create_task(keep_running(f"delivery {name} {number}", work, 0.0))
            renewing = keep_running("leases of deliveries", self._renew, delivery.number("lease_s") / 3)
            group.create_task(renewing)
            group.create_task(self._look_again())

    def _warm(self) -> None:
        """Load what the first message would else wait for."""
        if any(one.form not in (WEBHOOK, WEBPUSH) for one in self._contacts.shown()):
            by_apprise.load()

    async def _look_again(self) -> None:
        while True:
            try:
                await self.look()
            except Exception:
                logger.critical("background work failed, and goes on", work="outbox", exc_info=True)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), self._poll_s)
            self._wake.clear()

    def _note_asked(self) -> None:
        self._asked = True

    def _committed(self, _envelopes: list[Envelope]) -> None:
        """In the writer's thread: rows came with this commit, so that nobody waits for the next look."""
        if self._asked and self._loop is not None and not self._loop.is_closed():
            self._asked = False
            self._loop.call_soon_threadsafe(self._wake.set)

    async def look(self) -> int:
        """Queue what is due; returns how many rows that were."""
        room = {name: lane.room for name, lane in self._lanes.items()}
        found, self.depth = await asyncio.to_thread(self._read, room)
        for channel, keys in found.items():
            lane = self._lanes.get(channel)
            for key in keys if lane is not None else ():
                assert lane is not None
                lane.offer(key)
        return sum(map(len, found.values()))

    async def deliver_due(self) -> int:
        """Make one attempt of each row whose turn it is, all at once, without the lanes; returns how many. For who
        turns the clock by hand."""
        room = {name: lane.spec.queue for name, lane in self._lanes.items()}
        found, self.depth = await asyncio.to_thread(self._read, room)
        keys = [key for named in found.values() for key in named]
        await asyncio.gather(*map(self.attempt, keys))
        return len(keys)

    def _read(self, room: Mapping[str, int]) -> tuple[dict[str, list[str]], dict[str, int]]:
        due = outbox_rows.due(self._engine, self._clock.now(), room, _URGENT)
        return due, outbox_rows.depth(self._engine)

    async def _renew(self) -> None:
        """What takes long stays ours while this process lives."""
        if self._under_way:
            fences, lease_s = dict(self._under_way), delivery.number("lease_s")
            await self._writer.transact(lambda tx: outbox_rows.renew(tx, fences, lease_s))

    # ------------------------------------------------------------ one attempt

    async def _work(self, lane: _Lane) -> None:
        key = await lane.queue.get()
        try:
            await self.attempt(key)
        finally:
            lane.known.discard(key)

    async def attempt(self, key: str) -> Item | None:
        """Make the next attempt of one row, where it is its turn; returns the row after it."""
        row, item = await self._writer.transact(lambda tx: self._take(tx, key))
        if row is None or item is None or item.state is not State.SENDING:
            return item
        self._under_way[key] = item.fence
        try:
            sent = await self._send(row)
        except asyncio.CancelledError:
            with contextlib.suppress(Exception):  # else its lease runs out
                await asyncio.shield(self._save(row, item, Sent(outcome=Interrupted())))
            raise
        finally:
            self._under_way.pop(key, None)
        return await self._save_surely(row, item, sent)

    def _take(self, tx: Tx, key: str) -> tuple[OutboxRow | None, Item | None]:
        row = outbox_rows.get(tx, key)
        if row is None:
            return None, None
        before = item_of(row)
        after = delivery.take(before, tx.now, lease_lost=row.lease_lost)
        if after == before:
            return None, before
        put(tx, after)
        if after.ended:
            self._ended(tx, row, after)
        return row, after

    async def _send(self, row: OutboxRow) -> Sent:
        try:
            addresses, site = await asyncio.to_thread(self._whereto, row)
            message = compose(
                row.kind,
                row.key,
                row.facts,
                site_zh=site.name_zh if site else "",
                site_en=site.name_en if site else "",
                public=channels()[row.channel].public,
            )
            return await self._senders.send(row.channel, addresses, message, row.key)
        except Exception as error:  # noqa: BLE001 - one delivery must not end its lane
            # Without its text: it may hold an address.
            logger.error("delivery_failed", channel=row.channel, kind=row.kind, error=type(error).__name__)
            return Sent(outcome=Failed(reason="error"))

    def _whereto(self, row: OutboxRow) -> tuple[list[Any], Site | None]:
        site = row.facts.get("site")
        return (
            self._contacts.addresses(row.person, row.channel),
            self._accounts.site(site) if isinstance(site, str) else None,
        )

    async def _save_surely(self, row: OutboxRow, item: Item, sent: Sent) -> Item | None:
        """Note an outcome, again and again where the database is away: what was sent must not be sent anew. Where it
        is not the database, the row is noted without what should follow from it."""
        self._under_way[row.key] = item.fence
        tell = True
        try:
            while True:
                try:
                    # Shielded: what waits in the writer's queue at a stop is still carried out.
                    return await asyncio.shield(self._save(row, item, sent, tell=tell))
                except Exception as error:
                    tell = tell and isinstance(error, CommitFailed)
                    logger.critical("an outcome was not noted", channel=row.channel, exc_info=True)
                    await asyncio.sleep(_SAVE_AGAIN_S)
        finally:
            self._under_way.pop(row.key, None)

    async def _save(self, row: OutboxRow, item: Item, sent: Sent, *, tell: bool = True) -> Item | None:
        after = await self._writer.transact(lambda tx: self._finish(tx, row.key, item.fence, sent, tell))
        if after is not None and not isinstance(sent.outcome, Interrupted):
            self.outcomes[row.channel, str(after.state) if after.ended else "retry"] += 1
        return after

    def _finish(self, tx: Tx, key: str, fence: int, sent: Sent, tell: bool) -> Item | None:
        if sent.gone:
            self._contacts.forget(tx, sent.gone)
        row = outbox_rows.get(tx, key)
        if row is None:
            return None
        before = item_of(row)
        after = delivery.finish(before, fence, sent.outcome, tx.now)
        if after == before:
            return None
        put(tx, after)
        if after.ended and tell:
            self._ended(tx, row, after)
        return after

    def _ended(self, tx: Tx, row: OutboxRow, after: Item) -> None:
        if row.called_off:
            self._outbox.say_over(tx, row, after)
        self._results.ended(tx, row, after)
