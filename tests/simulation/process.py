"""One process of the service, or an engine beside it: its parts are the real ones, joined over the store in memory.

Real: `CaseBook`, `Following`, `Casework`, `Outbox`, `DeliveryResults`, `FollowUps`, `Watch`, the commands of `Duty`,
`Delivery` and `Receipts`. Mirrored: the writer's queue and its commit (`Writer._run`), the polling of `Duty.run` and
of `Following.look`, and that a start folds the whole log. A look that would find nothing changes nothing, and is left
out.

A process may be killed between any two of its steps, or stand still for a while and go on as if nothing had been.
"""

import functools
from collections import deque
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from greenchannel.alerts.case import Case
from greenchannel.alerts.escalation_plan import default_settings
from greenchannel.events import AnyEvent, Envelope
from greenchannel.service.casework import Casework
from greenchannel.service.delivery import Delivery
from greenchannel.service.delivery_results import DeliveryResults
from greenchannel.service.duty import BATCH, Duty
from greenchannel.service.follow_ups import FOLLOW_UP, FollowUps
from greenchannel.service.following import Following
from greenchannel.service.hub import Change
from greenchannel.service.outbox import Outbox
from greenchannel.service.receipts import Receipts
from greenchannel.service.watch import Watch
from greenchannel.settings import Settings
from greenchannel.store.errors import CommitFailed
from tests.simulation.agenda import instant, ms_of
from tests.simulation.deliveries import Deliveries
from tests.simulation.memory_store import Command, MemoryTx

if TYPE_CHECKING:
    from tests.simulation.world import World

Done = Callable[[Any, BaseException | None], None]

STAGES: Final = ("looked", "decided", "committed", "took", "sent", "answered", "noted")
"""Where a process may be killed: due times looked up; commands carried out and not committed; committed and nobody
told; a delivery taken and not sent; sent, no answer yet; answered and not noted; noted."""

_SETTINGS: Final = Settings(data_dir=Path())  # as they are where nobody sets them
DUTY_POLL_MS: Final = round(_SETTINGS.duty_poll_s * 1000)
FOLLOW_POLL_MS: Final = round(_SETTINGS.follow_poll_s * 1000)
_FOLD_MS: Final = (300, 1_500)  # how long a start takes to fold the log


class MemoryWriter:
    """Whom the writer tells of its commits."""

    def __init__(self) -> None:
        self.listeners: list[Callable[[list[Envelope]], None]] = []

    def on_commit(self, callback: Callable[[list[Envelope]], None]) -> None:
        """As `Writer.on_commit`."""
        self.listeners.append(callback)


class ProcessClock:
    """The machine's clock: it may be off, and jump."""

    def __init__(self, process: "Process") -> None:
        self.name = process.name
        self._process = process

    def now(self) -> datetime:
        """As the machine says."""
        return instant(self._process.world.agenda.now_ms + self._process.offset_ms)


class MemoryHub:
    """Hands what came to the boards of this process."""

    def __init__(self, process: "Process") -> None:
        self._process = process

    def post(self, changes: list[Change]) -> None:
        """As `Hub.post`."""
        if self._process.serving:
            self._process.world.boards.publish(changes)


class Process:
    """One operating-system process, through all its lives."""

    def __init__(self, world: "World", name: str, *, serving: bool) -> None:
        self.world = world
        self.name = name
        self.serving = serving
        self.life = 0
        self.up = False
        self.offset_ms = 0
        self.frozen_until_ms = 0
        self.dies: tuple[str, int] | None = None  # at which stage, and how many more of them it outlives
        self.stalls: tuple[str, int] | None = None  # at which stage, and for how long

    # ------------------------------------------------------------ life

    def start(self) -> None:
        """Fold the log; then take up the work."""
        self.life += 1
        self.later(self.world.dice.between(*_FOLD_MS), self._begin)

    def _begin(self) -> None:
        world = self.world
        writer: Any = MemoryWriter()
        store: Any = world.store
        contacts: Any = world.contacts
        accounts: Any = world.house
        self.clock = ProcessClock(self)
        self.book = world.promises.folded_book()
        hub: Any = MemoryHub(self)
        self.following = Following(log=store, writer=writer, book=self.book, hub=hub)
        self.casework = Casework(writer, self.book, default_settings())
        outbox = Outbox(contacts)
        self.casework.on_write.append(outbox.on_write)
        results = DeliveryResults(self.casework, self.book)
        delivery = Delivery(
            engine=store,
            writer=writer,
            clock=self.clock,
            outbox=outbox,
            contacts=contacts,
            accounts=accounts,
            senders=None,  # type: ignore[arg-type]
            results=results,
            poll_s=0.5,
        )
        self.receipts = Receipts(
            engine=store, writer=writer, contacts=contacts, outbox=outbox, results=results
        )
        self.watch = Watch(accounts, default_settings(), contacts)
        self.duty = Duty(
            engine=store,
            writer=writer,
            casework=self.casework,
            clock=self.clock,
            poll_s=DUTY_POLL_MS / 1000,
            watch=self.watch,
            others={FOLLOW_UP: FollowUps(self.casework).fire},
        )
        self._listeners = writer.listeners
        self._queue: deque[tuple[Command, Done]] = deque()
        self._writing = False
        self._looked_ms = self._followed_ms = world.agenda.now_ms
        self._look_ms: int | None = None
        self._follow_ms: int | None = None
        self._acting = 0
        self.deliveries = Deliveries(self, delivery)
        self.up = True
        world.history.note(f"{self.name} is up")
        world.able.update()
        world.promises.started()
        if self.serving:
            world.service_is_up()
        self.arm()

    def kill(self, where: str) -> None:
        """It is gone, with all that was only in its memory; what it held of the store is free."""
        world = self.world
        world.history.note(f"{self.name} killed, {where}")
        self.dies = self.stalls = None
        self.up = False
        self.life += 1
        self.frozen_until_ms = 0
        world.promises.killed(where)
        world.lock.free(self)
        world.able.update()
        if self.serving:
            world.service_is_gone()
        world.agenda.after(world.dice.spread(2_000, 90_000), self._again, self.life)

    def _again(self, life: int) -> None:
        if life == self.life:
            self.start()

    def freeze(self, ms: int) -> None:
        """Stand still, and go on then."""
        self.frozen_until_ms = self.world.agenda.now_ms + ms
        self.world.able.update()
        self.world.agenda.after(ms, self.world.able.update)

    @property
    def frozen(self) -> bool:
        """Does it stand still?"""
        return self.world.agenda.now_ms < self.frozen_until_ms

    def dies_at(self, stage: str) -> bool:
        """Is it killed here? It may also fall asleep here."""
        if self.stalls is not None and self.stalls[0] == stage:
            self.freeze(self.stalls[1])
            self.stalls = None
        if self.dies is None or self.dies[0] != stage:
            return False
        left = self.dies[1] - 1
        self.dies = stage, left
        if left < 0:
            self.kill(stage)
        return left < 0

    def later(self, ms: int, do: Callable[..., None], *args: Any) -> None:
        """Have `do` called in this life, and not while the process stands still."""
        self.world.agenda.after(ms, self._run, self.life, do, args)

    def _run(self, life: int, do: Callable[..., None], args: tuple[Any, ...]) -> None:
        if life != self.life:
            return
        if self.world.agenda.now_ms < self.frozen_until_ms:
            self.world.agenda.at(self.frozen_until_ms, self._run, life, do, args)
            return
        do(*args)

    # ------------------------------------------------------------ the writer

    def submit(self, command: Command, done: Done) -> None:
        """Have a command carried out by the writer; `done` gets its result, or why not."""
        self._queue.append((command, done))
        if not self._writing:
            self._writing = True
            self.later(1, self._open)

    def _open(self) -> None:
        if not self.world.lock.take(self, self._open):
            return
        batch = list(self._queue)
        self._queue.clear()
        now = self.clock.now()
        self.later(self.world.weather.latency_ms(), self._commit, batch, now)

    def _commit(self, batch: Sequence[tuple[Command, Done]], now: datetime) -> None:
        world, store = self.world, self.world.store
        ends = store.carry_out([command for command, _ in batch], now, self.clock.name)
        fate = world.weather.fate()
        if self.dies_at("decided"):
            store.roll_back()
            return
        if fate == "fails":
            store.roll_back()
        else:
            events, asked = store.commit()
            world.committed(self, events, asked)
        if self.dies_at("committed"):
            return
        world.lock.free(self)
        self._writing = False
        if fate != "ok":
            ends = [(None, CommitFailed(f"expected a commit of {len(batch)} commands, got: {fate}"))] * len(
                batch
            )
            self.follow_soon()  # where it was committed after all
        elif events:
            for listener in self._listeners:
                listener(events)
        life = self.life
        for (_, done), (result, error) in zip(batch, ends, strict=True):
            world.promises.ended(error)
            done(result, error)
            if self.life != life:
                return
        self.deliveries.wake_if_asked()
        if self._queue and not self._writing:
            self._writing = True
            self.later(1, self._open)

    def change(
        self, tx: MemoryTx, case_id: str, decide: Callable[[Case], Sequence[AnyEvent]], actor: str
    ) -> Case:
        """As the command of `Casework.change`."""
        real: Any = tx
        case = self.casework.current(real, case_id)
        events = decide(case)
        return self.casework.write(real, case, case_id, events, actor) if events else case

    # ------------------------------------------------------------ due times, and the log of others

    def arm(self) -> None:
        """Look when the next due time and the next delivery come."""
        if not self.up:
            return
        due_ms = self.world.store.next_due_ms()
        if due_ms is not None and not self._acting:
            at_ms = self.poll(self._looked_ms, DUTY_POLL_MS, due_ms - self.offset_ms)
            if self._look_ms is None or at_ms < self._look_ms:
                self._look_ms = at_ms
                self.later(at_ms - self.world.agenda.now_ms, self._look, at_ms)
        self.deliveries.arm()

    def poll(self, last_ms: int, every_ms: int, wanted_ms: int) -> int:
        """The first turn of a loop that is not before `wanted_ms`, nor in the past, nor while the store is away."""
        at_ms = max(wanted_ms, self.world.agenda.now_ms + 1, self.world.weather.away_until_ms)
        return last_ms + -(-(at_ms - last_ms) // every_ms) * every_ms

    def _look(self, at_ms: int) -> None:
        if at_ms != self._look_ms:
            return
        self._look_ms, self._looked_ms = None, self.world.agenda.now_ms
        due = self.world.store.due(ms_of(self.clock.now()), BATCH)
        if self.world.weather.away or not due:
            self.arm()
            return
        if self.dies_at("looked"):
            return
        self._acting = len(due)
        for deadline in due:
            fire: Any = functools.partial(self.duty._fire, deadline=deadline)
            self.submit(fire, self._acted)

    def _acted(self, result: Any, error: BaseException | None) -> None:
        self._acting -= 1
        if not self._acting:
            self._looked_ms = self.world.agenda.now_ms
            self.arm()

    def follow_soon(self) -> None:
        """Somebody else may have written."""
        if self.up and self._follow_ms is None:
            self._follow_ms = self.poll(self._followed_ms, FOLLOW_POLL_MS, 0)
            self.later(self._follow_ms - self.world.agenda.now_ms, self._follow)

    def _follow(self) -> None:
        self._follow_ms, self._followed_ms = None, self.world.agenda.now_ms
        if self.world.weather.away:
            self.follow_soon()
        else:
            self.following.catch_up()
