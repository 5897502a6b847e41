"""One delivery: what happens to it next. Pure: a row, what came, and a `now` in, the row after it out.

```
            take                    accepted
 waiting ─────────► sending ──────────────────► sent
    ▲                │  │  │  refused, or the last attempt failed
    └── failed ──────┘  │  └──────────────────► given_up
                        │ called off meanwhile, and not accepted
 waiting ── call off ───┴─────────────────────► cancelled
```
An attempt whose process died is taken up again by another `take`, under the same key and with the next fence: so each
delivery is made at least once, and twice only where nobody can know whether it was made.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cache
from typing import Final

import msgspec

from greenchannel.alerts.tables import read_table, read_value


class State(StrEnum):
    """How far a delivery is."""

    WAITING = "waiting"
    SENDING = "sending"
    SENT = "sent"
    GIVEN_UP = "given_up"
    CANCELLED = "cancelled"


ENDED: Final = frozenset({State.SENT, State.GIVEN_UP, State.CANCELLED})


class KindSpec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One row of ``delivery.toml``: how often it is tried, what it says."""

    name: str
    after_s: tuple[float, ...]
    urgent: bool = False
    silent: bool = False
    title: str
    text: str

    @property
    def most_attempts(self) -> int:
        """After so many it is given up."""
        return len(self.after_s) + 1


@cache
def kinds() -> Mapping[str, KindSpec]:
    """All kinds of messages by name."""
    return {row.name: row for row in read_table("delivery", "kind", KindSpec)}


@cache
def number(name: str) -> float:
    """One of the numbers at the head of ``delivery.toml``."""
    return read_value("delivery", name, float)


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """One delivery to one person on one channel."""

    key: str  # the same for every attempt
    kind: str
    person: str
    channel: str
    next_at: datetime  # not before
    state: State = State.WAITING
    attempts: int = 0  # that were begun
    fence: int = 0  # of the newest attempt
    called_off: bool = False  # while an attempt was under way
    reason: str | None = None  # why the newest attempt failed, a code
    ended_at: datetime | None = None

    @property
    def ended(self) -> bool:
        """Nothing will be sent any more."""
        return self.state in ENDED


class Accepted(msgspec.Struct, frozen=True, kw_only=True):
    """The other side has taken it."""


class Failed(msgspec.Struct, frozen=True, kw_only=True):
    """It did not work this time."""

    reason: str  # a code
    retry_after_s: float | None = None  # as the other side asked


class Refused(msgspec.Struct, frozen=True, kw_only=True):
    """It will not work: the address is gone, or the other side does not want it."""

    reason: str  # a code


class Interrupted(msgspec.Struct, frozen=True, kw_only=True):
    """This process is stopping; somebody else may try at once."""


Outcome = Accepted | Failed | Refused | Interrupted


def take(item: Item, now: datetime, *, lease_lost: bool = False) -> Item:
    """Begin the next attempt. The item is unchanged where it has ended, is not due, or is another's.

    `lease_lost`: who had the attempt under way has not been heard of for too long.
    """
    if item.ended or (item.state is State.SENDING and not lease_lost):
        return item
    if item.state is State.WAITING and item.next_at > now:
        return item
    if item.called_off:
        return _end(item, State.CANCELLED, now, "lost")
    if item.attempts >= kinds()[item.kind].most_attempts:
        return _end(item, State.GIVEN_UP, now, item.reason or "lost")
    return msgspec.structs.replace(
        item, state=State.SENDING, attempts=item.attempts + 1, fence=item.fence + 1, reason="lost"
    )


def finish(item: Item, fence: int, outcome: Outcome, now: datetime) -> Item:
    """Note what became of an attempt. One that is not the newest has no say, and changes nothing."""
    if item.state is not State.SENDING or fence != item.fence:
        return item
    match outcome:
        case Accepted():
            return _end(item, State.SENT, now, None)
        case _ if item.called_off:
            return _end(item, State.CANCELLED, now, getattr(outcome, "reason", "lost"))
        case Refused(reason=reason):
            return _end(item, State.GIVEN_UP, now, reason)
        case Failed(reason=reason):
            return _again(item, reason, outcome.retry_after_s, now)
        case Interrupted():
            return msgspec.structs.replace(item, state=State.WAITING, next_at=now)


def _again(item: Item, reason: str, retry_after_s: float | None, now: datetime) -> Item:
    kind = kinds()[item.kind]
    if item.attempts >= kind.most_attempts:
        return _end(item, State.GIVEN_UP, now, reason)
    asked_s = min(retry_after_s or 0.0, number("most_retry_after_s"))
    wait_s = max(kind.after_s[item.attempts - 1], asked_s)
    return msgspec.structs.replace(
        item, state=State.WAITING, reason=reason, next_at=now + timedelta(seconds=wait_s)
    )


def call_off(item: Item, now: datetime) -> Item:
    """It is wanted no more: what waits is cancelled, an attempt under way is the last."""
    if item.state is State.WAITING:
        return _end(item, State.CANCELLED, now, item.reason)
    if item.state is State.SENDING:
        return msgspec.structs.replace(item, called_off=True)
    return item


def bounced(item: Item, reason: str, now: datetime) -> Item:
    """The other side has it, and says that it did not arrive. What waits for its next attempt is not concerned."""
    held = item.state in (State.SENT, State.SENDING)
    return _end(item, State.GIVEN_UP, now, reason) if held else item


def arrived(item: Item, now: datetime) -> Item:
    """The other side says that it has it, whatever became of the attempts: none more is needed."""
    return item if item.ended or item.attempts == 0 else _end(item, State.SENT, now, None)


def may_have_arrived(item: Item) -> bool:
    """Whether a person may have it before their eyes, and must hear that it is over.

    Not while an attempt is under way: the end would overtake the beginning. Its outcome is asked again.
    """
    return item.attempts > 0 and item.state is not State.SENDING and item.state is not State.GIVEN_UP


def _end(item: Item, state: State, now: datetime, reason: str | None) -> Item:
    return msgspec.structs.replace(item, state=state, reason=reason, ended_at=now)
