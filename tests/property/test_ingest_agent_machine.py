"""The agent's plan, driven through anything: nothing waits for ever, nothing is sent twice at once, order is kept."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from greenchannel.ingest.agent_pace import LARGEST_BYTES, SMALLEST_BYTES, Pace
from greenchannel.ingest.agent_plan import (
    LONGEST_WAIT_S,
    MOST_AT_ONCE,
    POLL_LATE_S,
    Entry,
    Link,
    Poll,
    Send,
    Urgency,
    Wait,
    entry_failed,
    is_due,
    link_failed,
    next_action,
    poll_at,
    retry_at,
    urgency_of,
)

T0 = datetime(2026, 5, 1, 8, tzinfo=UTC)
CHANCES = st.floats(0, 1)
URGENCIES = st.sampled_from(["urgent", "unknown", "calm"])


class AgentMachine(RuleBasedStateMachine):
    """ECGs come, pieces go or fail, the link fails and comes back, the clock runs and jumps."""

    @initialize()
    def begin(self) -> None:
        self.now = T0
        self.link = Link()
        self.entries: dict[int, Entry] = {}
        self.pieces_left: dict[int, int] = {}
        self.taken_at: dict[int, datetime] = {}

    @rule(urgency=URGENCIES, pieces=st.integers(1, 4))
    def an_ecg_comes(self, urgency: Urgency, pieces: int) -> None:
        number = len(self.entries) + 1
        self.entries[number] = Entry(number=number, stage="found", urgency=urgency)
        self.pieces_left[number] = pieces

    @rule()
    def the_oldest_is_judged(self) -> None:
        for number, entry in sorted(self.entries.items()):
            if entry.stage == "found":
                self.entries[number] = Entry(number=number, stage="waiting", urgency=entry.urgency)
                return

    @rule(seconds=st.floats(0, 5000))
    def time_passes(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    @rule(days=st.sampled_from([-3000, -1, 1, 3000]))
    def the_clock_jumps(self, days: int) -> None:
        self.now += timedelta(days=days)

    @rule(
        outcome=st.sampled_from(["good", "good", "good", "link", "entry", "refused"]),
        chance=CHANCES,
        asked_s=st.sampled_from([0.0, 30.0, 1e9]),
    )
    def the_link_is_used(self, outcome: str, chance: float, asked_s: float) -> None:
        action = next_action(list(self.entries.values()), self.link, self.now)
        if isinstance(action, Wait):
            self.check_wait(action)
            return
        assert is_due(self.link.due_at, self.now)
        if outcome == "link":
            self.link = link_failed(self.link, self.now, chance, asked_s)
            return
        self.link = Link()
        if isinstance(action, Poll):
            self.check_poll(action)
            for number in action.numbers:
                at = poll_at(self.taken_at[number], self.now)
                self.entries[number] = Entry(number=number, stage="taken", poll_at=at)
            return
        self.check_send(action)
        entry = self.entries[action.number]
        if outcome == "entry":
            self.entries[action.number] = entry_failed(entry, self.now, chance, asked_s)
        elif outcome == "refused":
            self.entries[action.number] = Entry(number=action.number, stage="refused")
        else:
            self.pieces_left[action.number] -= 1
            if not self.pieces_left[action.number]:
                self.taken_at[action.number] = self.now
                at = poll_at(self.now, self.now)
                self.entries[action.number] = Entry(number=action.number, stage="taken", poll_at=at)

    def check_send(self, action: Send) -> None:
        """What is sent waits to be sent, and nothing that is due comes before it."""
        entry = self.entries[action.number]
        assert entry.stage == "waiting" and is_due(entry.due_at, self.now)
        for other in self.entries.values():
            if other.stage == "waiting" and is_due(other.due_at, self.now) and other.number != entry.number:
                assert entry.urgency == "urgent" or other.urgency != "urgent"
                if (other.urgency == "urgent") == (entry.urgency == "urgent"):
                    assert entry.number < other.number

    def check_poll(self, action: Poll) -> None:
        """States are asked for where they are due, of not too many at once; an urgent ECG waits only for late ones."""
        assert 0 < len(action.numbers) <= MOST_AT_ONCE
        asked = [self.entries[number] for number in action.numbers]
        assert all(one.stage == "taken" and one.poll_at and is_due(one.poll_at, self.now) for one in asked)
        urgent = [
            one
            for one in self.entries.values()
            if one.stage == "waiting" and one.urgency == "urgent" and is_due(one.due_at, self.now)
        ]
        if urgent:
            late = timedelta(seconds=POLL_LATE_S)
            assert any(
                one.poll_at
                and (one.poll_at <= self.now - late or one.poll_at > self.now + timedelta(hours=1))
                for one in asked
            )

    def check_wait(self, action: Wait) -> None:
        """Where there is nothing to do now, the next thing is known, and near."""
        if not is_due(self.link.due_at, self.now):
            assert action.until == self.link.due_at
        for entry in self.entries.values():
            if entry.stage == "waiting" and is_due(self.link.due_at, self.now):
                assert not is_due(entry.due_at, self.now)
                assert entry.due_at and action.until and action.until <= entry.due_at
        if action.until is not None:
            assert action.until <= self.now + timedelta(seconds=LONGEST_WAIT_S)

    @invariant()
    def nothing_waits_longer_than_the_longest_wait(self) -> None:
        """Whatever the clock did: an hour of even time later there is something to do for each that waits."""
        if not hasattr(self, "now"):
            return
        waiting = [entry for entry in self.entries.values() if entry.stage == "waiting"]
        if waiting:
            later = self.now + timedelta(seconds=LONGEST_WAIT_S + 1)
            assert not isinstance(next_action(list(self.entries.values()), self.link, later), Wait)

    @precondition(lambda self: any(entry.stage == "refused" for entry in self.entries.values()))
    @rule()
    def what_is_refused_is_left_alone(self) -> None:
        refused = [entry for entry in self.entries.values() if entry.stage == "refused"]
        assert next_action(refused, Link(), self.now) == Wait(None)


TestAgentMachine = AgentMachine.TestCase


@given(failures=st.integers(1, 10**6), chance=CHANCES, asked_s=st.floats(0, 1e12))
def test_a_retry_comes_after_now_and_within_the_longest_wait(
    failures: int, chance: float, asked_s: float
) -> None:
    """Whatever the server asks for."""
    wait = retry_at(failures, T0, chance, asked_s) - T0

    assert timedelta(seconds=1) <= wait <= timedelta(seconds=LONGEST_WAIT_S)


@given(failures=st.integers(1, 40), chances=st.tuples(CHANCES, CHANCES))
def test_waits_grow_with_failures_and_differ_by_chance(failures: int, chances: tuple[float, float]) -> None:
    """The shortest wait after one more failure is no shorter; two agents with different dice part."""
    shortest, longest = retry_at(failures, T0, 0.0), retry_at(failures, T0, 1.0)

    assert retry_at(failures + 1, T0, 0.0) >= shortest
    assert shortest < longest
    low, high = sorted(chances)
    assert retry_at(failures, T0, low) <= retry_at(failures, T0, high)


@given(st.lists(st.one_of(st.none(), st.tuples(st.integers(1, 10**6), st.floats(0, 600))), max_size=60))
def test_a_piece_keeps_within_its_bounds(events: list[tuple[int, float] | None]) -> None:
    """Through any series of cuts and arrivals; it never more than doubles at once."""
    pace = Pace()
    for event in events:
        before = pace.piece_bytes
        pace = pace.cut() if event is None else pace.took(*event)
        assert SMALLEST_BYTES <= pace.piece_bytes <= min(LARGEST_BYTES, max(2 * before, SMALLEST_BYTES))


def test_a_thin_link_gets_pieces_of_some_seconds() -> None:
    """At 20 kbit/s a piece settles at about three seconds of it."""
    pace = Pace()
    for _ in range(20):
        pace = pace.took(pace.piece_bytes, pace.piece_bytes / 2500)

    assert 6000 <= pace.piece_bytes <= 9000


def test_urgency_follows_the_tier_and_unknown_is_not_calm() -> None:
    """ACT, CRIT and URG go first."""
    tiers = ["ACT", "CRIT", "URG", "FLAG", "REC", "NONE", None]

    assert [urgency_of(tier) for tier in tiers] == ["urgent"] * 3 + ["calm"] * 3 + ["unknown"]
