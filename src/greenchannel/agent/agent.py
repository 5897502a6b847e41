"""The agent's loops: look, judge, send. Each asks what is due, does one thing, and notes it in the spool."""

import contextlib
import logging
import random
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import msgspec

from greenchannel.agent.durable import is_full
from greenchannel.agent.follower import Follower
from greenchannel.agent.item import Item
from greenchannel.agent.judge import Judge, Judgement
from greenchannel.agent.link import Link
from greenchannel.agent.ports import NOT_DURABLE
from greenchannel.agent.sender import MOST_RESTARTS, Sender
from greenchannel.agent.spool import TRIED_ANEW, BytesGone, Spool
from greenchannel.agent.view import view
from greenchannel.agent.watcher import Watcher
from greenchannel.ingest import agent_plan
from greenchannel.ingest.agent_answers import Trouble
from greenchannel.ingest.agent_clock import Tick, sighting
from greenchannel.ingest.agent_patient import usable_ref
from greenchannel.ingest.agent_plan import Poll, Send, Wait
from greenchannel.ingest.agent_watch import SETTLE_S

logger = logging.getLogger(__name__)

LOOK_EVERY_S: Final = 1.0
TIDY_EVERY_S: Final = 3600.0
GREET_EVERY_S: Final = 300.0  # the server is asked for its time where there is nothing else to say  [E]
_FAULT_PAUSE_S: Final = 5.0


@dataclass(frozen=True, kw_only=True)
class Options:
    """What an agent is told at its start."""

    server: str
    token_file: Path
    spool: Path
    watch: Path | None = None
    done: Path | None = None  # where files go that were taken; None: they stay
    ca_file: Path | None = None
    patient_ref_from_file: bool = True
    judged: bool = True  # is urgency judged here?
    settle_s: float = SETTLE_S
    timeout_s: float = 30.0


class LinkState(msgspec.Struct, frozen=True, kw_only=True):
    """The link as the spool keeps it."""

    failures: int = 0
    due_at: datetime | None = None
    trouble: Trouble | None = None
    heard_at: datetime | None = None  # the newest answer of the server


@dataclass
class Agent:
    """One agent over one spool. `run_in_background` starts it, `stop` ends it."""

    options: Options
    spool: Spool
    judge: Judge | None = field(default_factory=Judge)  # None: nothing is read here
    dice: random.Random = field(default_factory=random.Random)
    life: str = field(default_factory=lambda: uuid.uuid4().hex)

    def __post_init__(self) -> None:
        options = self.options
        self.connection = Link(
            options.server, options.token_file, ca_file=options.ca_file, timeout_s=options.timeout_s
        )
        self.sender = Sender(self.spool, self.connection, now)
        self.follower = Follower(self.spool, self.connection, self.tick)
        self.watcher = (
            None
            if options.watch is None
            else Watcher(
                self.spool,
                options.watch,
                done=options.done,
                steady_s=time.monotonic,
                settle_s=options.settle_s,
            )
        )
        self.link_state = self.spool.fact("link", LinkState) or LinkState()
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []
        self._steady: dict[int, float] = {}  # ECGs found in this life, by the clock that only goes forward
        self._greet_at_s = 0.0
        self._judged = 0

    # ------------------------------------------------------------ life

    def run_in_background(self) -> None:
        """Start the loops."""
        loops: list[tuple[str, Callable[[], None]]] = [
            ("judge", self.judge_one),
            ("link", self.link_once),
            ("tidy", self._tidy),
        ]
        if self.watcher is not None:
            loops.append(("watch", self._look))
        for name, step in loops:
            thread = threading.Thread(target=self._loop, args=(step,), name=name, daemon=True)
            thread.start()
            self._threads.append(thread)

    def stop(self) -> None:
        """End the loops; what is under way is gone on with at the next start."""
        self._stop.set()
        with self.spool.changed:
            self.spool.changed.notify_all()
        self.connection.close()
        for thread in self._threads:
            thread.join(timeout=5.0)
        if self.judge is not None:
            self.judge.close()
        self.spool.close()

    def tick(self) -> Tick:
        """This instant by both clocks."""
        return Tick(at=now(), steady_s=time.monotonic(), life=self.life)

    def _loop(self, step: Callable[[], None]) -> None:
        while not self._stop.is_set():
            try:
                step()
            except Exception as error:
                if self._stop.is_set():
                    return
                logger.exception("a fault of the agent; it goes on")
                if is_full(error) and self._make_room():
                    continue
                self._stop.wait(_FAULT_PAUSE_S)

    def _make_room(self) -> bool:
        """Was there something that could go?"""
        try:
            return self.spool.make_room() > 0
        except NOT_DURABLE:
            return False

    def _rest(self, changes: int, until_s: float) -> None:
        """Until something changes in the spool, or for so long."""
        with self.spool.changed:
            if self.spool.changes == changes and not self._stop.is_set():
                self.spool.changed.wait(max(until_s, 0.01))

    # ------------------------------------------------------------ look

    def _look(self) -> None:
        assert self.watcher is not None
        self.watcher.look()
        self._stop.wait(min(LOOK_EVERY_S, max(self.options.settle_s / 2, 0.02)))

    def _tidy(self) -> None:
        self.spool.forget_old()
        self._stop.wait(TIDY_EVERY_S)

    # ------------------------------------------------------------ judge

    def judge_one(self) -> None:
        """Judge an ECG that was found, or rest."""
        changes = self.spool.changes
        waiting = [item for item in self.spool.open_items() if item.stage == "found"]
        if not waiting:
            self._rest(changes, TIDY_EVERY_S)
            return
        for item in waiting:
            self._steady.setdefault(item.number, time.monotonic())
        found = waiting[agent_plan.which_to_judge(self._judged)]
        self._judged += 1
        try:
            data = self.spool.data(found)
            said = Judgement() if self.judge is None else self.judge.judge(data, found.fields)
        except BytesGone:  # the sender will say so
            self.spool.change(found.number, stage="waiting")
            return
        before, found = found, self.spool.get(found.number)
        if found.fields != before.fields:  # amended meanwhile: that may change the reading
            return
        ref = usable_ref(said.patient_ref) if self.options.patient_ref_from_file else None
        notes = [note for note in (found.note, said.note) if note]
        self.spool.change(
            found.number,
            stage="waiting",
            tier=said.tier,
            urgency=agent_plan.urgency_of(said.tier),
            more_fields={} if ref is None else {"patient_ref": ref},
            note="; ".join(notes) or None,
        )

    # ------------------------------------------------------------ the link

    def link_once(self) -> None:
        """Do what the link is due for, or rest until something is."""
        changes, at = self.spool.changes, now()
        state = self.link_state
        link = agent_plan.Link(failures=state.failures, due_at=state.due_at)
        action = agent_plan.next_action([item.entry for item in self.spool.open_items()], link, at)
        match action:
            case Send() if self.follower.clock.offset is None and time.monotonic() >= self._greet_at_s:
                self._poll((), at)  # or nobody could say when the first file was found
            case Send(number):
                self._say_when_found(number)
                self._after(self.sender.step(number), number)
            case Poll(numbers):
                self._poll(numbers, at)
            case Wait(until):
                rests_s = [GREET_EVERY_S if until is None else (until - at).total_seconds()]
                if agent_plan.is_due(state.due_at, at):
                    rests_s.append(self._greet_at_s - time.monotonic())
                    if rests_s[-1] <= 0:
                        self._poll((), at)
                        return
                self._rest(changes, min(rests_s))

    def _poll(self, numbers: tuple[int, ...], at: datetime) -> None:
        found = self.follower.poll(numbers)
        if found is None or found.whose == "link":
            self._after(found, None)
            return
        # The server cannot tell now, but may well take ECGs.
        self._greet_at_s = time.monotonic() + GREET_EVERY_S
        for number in numbers:
            self.spool.change(number, poll_at=at + timedelta(seconds=GREET_EVERY_S))

    def _say_when_found(self, number: int) -> None:
        """Before an upload begins: when its file was seen, by the server's clock."""
        item = self.spool.get(number)
        if item.upload_url is not None or item.wire_sha256 or "seen_at" in item.fields:
            return
        found = Tick(
            at=item.found_at,
            steady_s=self._steady.get(number, 0.0),
            life=self.life if number in self._steady else "",
        )
        seen_at = sighting(found, self.tick(), self.follower.clock)
        if seen_at is not None:
            self.spool.change(number, more_fields={"seen_at": seen_at.isoformat(timespec="milliseconds")})

    def _after(self, found: Trouble | None, number: int | None) -> None:
        """Note how it went."""
        at, chance = now(), self.dice.random()
        if found is not None and number is not None and found.whose != "link":
            self._entry_failed(self.spool.get(number), found, at, chance)
            found = None
        if found is None:
            self._greet_at_s = time.monotonic() + GREET_EVERY_S
            if self.link_state.failures or self.link_state.trouble is not None:
                self._note_link(LinkState(heard_at=at))
            else:
                self.link_state = LinkState(heard_at=at)
            return
        old = self.link_state
        link = agent_plan.link_failed(agent_plan.Link(failures=old.failures), at, chance, found.wait_s)
        self._note_link(
            LinkState(failures=link.failures, due_at=link.due_at, trouble=found, heard_at=old.heard_at)
        )

    def _entry_failed(self, item: Item, found: Trouble, at: datetime, chance: float) -> None:
        worn_out = found.code == "damaged_on_the_way" and item.failures >= MOST_RESTARTS
        if found.whose == "refused" or (found.whose == "restart" and worn_out):
            self.spool.change(item.number, stage="refused", trouble=found, due_at=None)
            return
        entry = agent_plan.entry_failed(item.entry, at, chance, found.wait_s)
        changes: dict[str, Any] = {"failures": entry.failures, "due_at": entry.due_at, "trouble": found}
        if found.whose == "restart":
            changes |= {"upload_url": None, "offset": 0}
        self.spool.change(item.number, **changes)

    def _note_link(self, state: LinkState) -> None:
        self.link_state = state
        with contextlib.suppress(*NOT_DURABLE):
            self.spool.note_fact("link", state)

    # ------------------------------------------------------------ what a person may ask

    def send_again(self, number: int) -> None:
        """A person wants a refused ECG to be tried once more; raises `KeyError`."""
        item = self.spool.get(number)
        if item.stage == "refused":
            self.spool.change(number, **TRIED_ANEW)

    def put_aside(self, number: int) -> None:
        """A person has seen that an ECG was refused and has dealt with it; it is kept. Raises `KeyError`."""
        if self.spool.get(number).stage == "refused":
            self.spool.change(number, put_aside=True)

    def advice_heard(self, number: int) -> None:
        """A person here has read the advice: the sound ends. Raises `KeyError`."""
        item = self.spool.get(number)
        if item.advice is not None:
            self.spool.change(number, advice_heard=item.advice)

    def seen(self) -> dict[str, Any]:
        """What the clinic sees now."""
        state, offset = self.link_state, self.follower.clock.offset
        return view(
            self.spool.items(),
            server=self.options.server,
            link=state.trouble,
            heard_at=state.heard_at,
            offset_s=None if offset is None else offset.offset_s,
            disk_trouble=self.spool.trouble,
            watch_trouble=None if self.watcher is None else self.watcher.trouble,
            at=now(),
        )

    def try_now(self) -> None:
        """A person says that the link is there again."""
        self._note_link(LinkState(trouble=self.link_state.trouble, heard_at=self.link_state.heard_at))


def now() -> datetime:
    """This computer's clock."""
    return datetime.now(UTC)
