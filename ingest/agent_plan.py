"""The clinic's agent, decided without I/O: what to do next with what lies in its spool.

```
found ──judged──► waiting ──all bytes confirmed──► taken ──(states come, by and by)
                     │  └──refused for a reason──► refused ──a person says "again"──► waiting
                     └──a piece fails: due later, the others go on──┘
```
A thing waits for a due time that is kept in the spool, never for a sleep. The agent's clock may jump by years when a
battery dies: a due time that lies further ahead than the longest wait is due now, and the order of ECGs is that of
their arrival in the spool, not of any clock.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Literal

Stage = Literal["found", "waiting", "taken", "refused"]
Urgency = Literal["urgent", "unknown", "calm"]

URGENT_TIERS: Final = frozenset({"ACT", "CRIT", "URG"})

FIRST_RETRY_S: Final = 2.0  # after one failure; doubled with each further one  [E]
LONGEST_RETRY_S: Final = 120.0  # a clinic whose link is back must not sit and wait  [E]
LONGEST_WAIT_S: Final = 3600.0  # of anything, also of what the server asks for  [E]
POLL_LATE_S: Final = 10.0  # a look at states that is this late goes before an urgent ECG's next piece  [E]
MOST_AT_ONCE: Final = 50  # ECGs whose states are asked for in one request

# Age of an ECG up to which its states are looked up, and how often. Answers to an alert come within minutes.  [E]
POLLS: Final = (
    (timedelta(minutes=1), 2.5),
    (timedelta(minutes=15), 5.0),
    (timedelta(hours=2), 20.0),
    (timedelta(hours=24), 300.0),
    (timedelta(days=7), 3600.0),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """One ECG in the spool, as far as the plan must know it."""

    number: int  # the order in which ECGs came; never given twice
    stage: Stage
    urgency: Urgency = "unknown"
    failures: int = 0  # in a row, of this ECG alone
    due_at: datetime | None = None  # not before; None: at once
    poll_at: datetime | None = None  # when its states are looked up next; None: no more


@dataclass(frozen=True, kw_only=True, slots=True)
class Link:
    """What is known of the way to the server."""

    failures: int = 0  # in a row
    due_at: datetime | None = None  # nothing is tried before


@dataclass(frozen=True, slots=True)
class Send:
    """Send the next piece of this ECG; then ask again."""

    number: int


@dataclass(frozen=True, slots=True)
class Poll:
    """Look up the states of these ECGs, in one request."""

    numbers: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing to do until then; None: until something new is found."""

    until: datetime | None


Action = Send | Poll | Wait


def next_action(entries: Sequence[Entry], link: Link, now: datetime) -> Action:
    """What the one link is used for now.

    What looks urgent is sent first, then the oldest. States are looked up before ECGs that are not urgent, and before
    urgent ones too where that is late: a doctor's advice may wait there. Nothing waits behind an ECG that failed.
    """
    if not is_due(link.due_at, now):
        return Wait(link.due_at)
    sendable = [entry for entry in entries if entry.stage == "waiting" and is_due(entry.due_at, now)]
    polls = sorted(
        (
            entry
            for entry in entries
            if entry.stage == "taken" and entry.poll_at and is_due(entry.poll_at, now)
        ),
        key=lambda entry: (entry.poll_at or now, entry.number),
    )
    first = min(sendable, key=sending_order, default=None)
    if polls and (
        first is None
        or first.urgency != "urgent"
        or (now - (polls[0].poll_at or now)).total_seconds() >= POLL_LATE_S
        or not within_reach(polls[0].poll_at, now)
    ):
        return Poll(tuple(entry.number for entry in polls[:MOST_AT_ONCE]))
    if first is not None:
        return Send(first.number)
    later = [entry.due_at for entry in entries if entry.stage == "waiting" and entry.due_at]
    later += [entry.poll_at for entry in entries if entry.stage == "taken" and entry.poll_at]
    return Wait(min(later, default=None))


def which_to_judge(judged: int) -> int:
    """Which of the ECGs that wait to be read here, the oldest first, comes next, after so many: an index.

    The newest, for a patient of now must not wait behind a backlog; every third time the oldest, which would otherwise
    wait for as long as new ones come.
    """
    return 0 if judged % 3 == 2 else -1


def sending_order(entry: Entry) -> tuple[bool, int]:
    """Sorts ECGs: what looks urgent, then by arrival."""
    return entry.urgency != "urgent", entry.number


def is_due(due_at: datetime | None, now: datetime) -> bool:
    """Has the time come? Also where it is so far ahead that the clock must have jumped."""
    return due_at is None or due_at <= now or not within_reach(due_at, now)


def within_reach(due_at: datetime | None, now: datetime) -> bool:
    """Can a due time have been set by the clock that says `now`?"""
    return due_at is None or due_at <= now + timedelta(seconds=LONGEST_WAIT_S)


def retry_at(failures: int, now: datetime, chance: float, at_least_s: float = 0.0) -> datetime:
    """When to try again after so many failures in a row.

    Parameters
    ----------
    failures
        At least 1.
    chance
        From 0 to 1, of the shell's dice. The wait is spread over half of itself, so that a county's agents do not all
        come back in the same second.
    at_least_s
        What the server asked for; it is kept, within `LONGEST_WAIT_S`.
    """
    wait_s = min(LONGEST_RETRY_S, FIRST_RETRY_S * 2.0 ** (min(failures, 30) - 1))
    wait_s = max(wait_s * (0.5 + 0.5 * chance), min(at_least_s, LONGEST_WAIT_S))
    return now + timedelta(seconds=wait_s)


def link_failed(link: Link, now: datetime, chance: float, at_least_s: float = 0.0) -> Link:
    """The link after a failure that is no ECG's."""
    failures = link.failures + 1
    return Link(failures=failures, due_at=retry_at(failures, now, chance, at_least_s))


def entry_failed(entry: Entry, now: datetime, chance: float, at_least_s: float = 0.0) -> Entry:
    """An ECG after a failure that is its own: the others go on."""
    failures = entry.failures + 1
    return replace(entry, failures=failures, due_at=retry_at(failures, now, chance, at_least_s))


def poll_at(taken_at: datetime, now: datetime, *, over: bool = False) -> datetime | None:
    """When to look up the states of an ECG next; None where nothing more is to come.

    Parameters
    ----------
    taken_at
        When the server had it, by the agent's clock. A time to come, after a jump of the clock, counts as now.
    over
        Has the ECG reached its last state?
    """
    age = max(now - taken_at, timedelta(0))
    for until, every_s in POLLS:
        if age < until:
            return now + timedelta(seconds=max(every_s, POLLS[-2][1]) if over else every_s)
    return None


def urgency_of(tier: str | None) -> Urgency:
    """How an ECG is sent, by the tier that our own reading gave it; None: it could not be read here."""
    if tier is None:
        return "unknown"
    return "urgent" if tier in URGENT_TIERS else "calm"
