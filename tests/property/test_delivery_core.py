"""One delivery, whatever comes: outcomes, crashes, late reports and changes of mind in any order."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from greenchannel.alerts import delivery
from greenchannel.alerts.delivery import Accepted, Failed, Interrupted, Item, Outcome, Refused, State

T0 = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)

OUTCOMES: st.SearchStrategy[Outcome] = st.one_of(
    st.just(Accepted()),
    st.builds(
        Failed, reason=st.sampled_from(["timeout", "network"]), retry_after_s=st.none() | st.floats(0, 1e6)
    ),
    st.builds(Refused, reason=st.sampled_from(["gone", "refused"])),
    st.just(Interrupted()),
)
ACTS = st.one_of(
    st.tuples(st.just("take"), st.booleans()),
    st.tuples(st.just("take"), st.just(True)),
    st.tuples(st.just("take"), st.just(True)),
    st.tuples(st.just("finish"), OUTCOMES),
    st.tuples(st.just("late"), OUTCOMES),  # a report of an attempt that is not the newest
    st.tuples(st.just("crash"), st.none()),
    st.tuples(st.just("call_off"), st.none()),
    st.tuples(st.just("arrived"), st.none()),
    st.tuples(st.just("bounced"), st.none()),
    st.tuples(st.just("wait"), st.floats(0, 120)),
)


@dataclass
class Run:
    """What was seen of one delivery."""

    item: Item
    now: datetime = T0
    sends: list[tuple[str, int]] = field(default_factory=list)  # key and fence of each attempt
    called_off_at: int | None = None  # how many attempts there were then

    def act(self, name: str, what: object) -> None:
        before = self.item
        match name, what:
            case "take", bool() as lost:
                self.item = delivery.take(before, self.now, lease_lost=lost)
                if self.item.fence != before.fence:
                    self.sends.append((self.item.key, self.item.fence))
            case "finish", (Accepted() | Failed() | Refused() | Interrupted()) as outcome:
                self.item = delivery.finish(before, before.fence, outcome, self.now)
            case "late", (Accepted() | Failed() | Refused() | Interrupted()) as outcome:
                self.item = delivery.finish(before, before.fence - 1, outcome, self.now)
                assert self.item == before, "an attempt that was taken over has no say"
            case "call_off", _:
                self.item = delivery.call_off(before, self.now)
                if self.called_off_at is None:
                    self.called_off_at = len(self.sends)
            case "arrived", _:
                self.item = delivery.arrived(before, self.now)
            case "bounced", _:
                self.item = delivery.bounced(before, "failed", self.now)
            case "wait", float() as seconds:
                self.now += timedelta(seconds=seconds)
            case _:
                pass  # a crash: nothing is noted

    def check(self, before: Item) -> None:
        most = delivery.kinds()[self.item.kind].most_attempts
        assert self.item.key == before.key
        assert self.item.attempts == self.item.fence == len(self.sends) <= most
        assert self.item.ended == (self.item.ended_at is not None)
        if before.ended:
            bounce = before.state is State.SENT and self.item.state is State.GIVEN_UP
            assert self.item == before or bounce, (
                "what has ended stays so, but that a gateway may take it back"
            )
        if self.called_off_at is not None:
            assert len(self.sends) == self.called_off_at, "nothing is sent after it was called off"


def new(kind: str) -> Run:
    return Run(Item(key="a_1:1:0:chen:sms", kind=kind, person="chen", channel="sms", next_at=T0))


@given(st.sampled_from(sorted(delivery.kinds())), st.lists(ACTS, max_size=60))
def test_a_delivery_keeps_its_rules_whatever_comes(kind: str, acts: list[tuple[str, object]]) -> None:
    """The key stays, attempts are bounded, only the newest attempt reports, nothing leaves after the end or the
    calling off."""
    run = new(kind)
    for name, what in acts:
        before = run.item
        run.act(name, what)
        run.check(before)


@given(
    st.sampled_from(sorted(delivery.kinds())),
    st.lists(ACTS, max_size=30),
    st.lists(st.booleans(), max_size=12),
)
def test_every_delivery_ends(kind: str, acts: list[tuple[str, object]], crashes: list[bool]) -> None:
    """After any beginning, whoever goes on taking it up comes to its end, though each attempt crash or fail."""
    run = new(kind)
    for name, what in acts:
        run.act(name, what)
    crashing = iter(crashes)
    for _ in range(delivery.kinds()[kind].most_attempts + 2):
        run.now += timedelta(days=1)
        run.act("take", True)
        if not next(crashing, False):
            run.act("finish", Failed(reason="network"))
    assert run.item.ended


@given(st.sampled_from(sorted(delivery.kinds())))
def test_an_untroubled_delivery_is_sent_at_once_and_once(kind: str) -> None:
    """Taken at the instant it was asked for, and never again."""
    run = new(kind)
    run.act("take", False)
    run.act("finish", Accepted())
    run.act("take", True)

    assert run.item.state is State.SENT
    assert run.sends == [("a_1:1:0:chen:sms", 1)]


@given(st.sampled_from(sorted(delivery.kinds())), st.floats(0, 1e9))
def test_a_server_is_asked_again_within_a_bound(kind: str, retry_after_s: float) -> None:
    """However much patience it asks for, an alert is tried again; never sooner than the table says."""
    run = new(kind)
    run.act("take", False)
    run.act("finish", Failed(reason="throttled", retry_after_s=retry_after_s))
    waits_s = (run.item.next_at - T0).total_seconds()
    first_s = delivery.kinds()[kind].after_s[0]

    assert first_s <= waits_s <= max(first_s, delivery.number("most_retry_after_s"))


@given(OUTCOMES)
def test_an_attempt_that_was_taken_over_has_no_say(outcome: Outcome) -> None:
    """Its lease was lost, another began: whatever it reports changes nothing."""
    run = new("alert")
    run.act("take", False)
    run.act("take", True)
    run.act("late", outcome)

    assert run.sends == [("a_1:1:0:chen:sms", 1), ("a_1:1:0:chen:sms", 2)]


@given(st.none() | OUTCOMES)
def test_what_was_called_off_is_not_sent_again(outcome: Outcome | None) -> None:
    """Whatever becomes of the attempt under way, and where nobody hears of it again."""
    run = new("alert")
    run.act("take", False)
    run.act("call_off", None)
    if outcome is not None:
        run.act("finish", outcome)
    run.now += timedelta(days=1)
    run.act("take", True)

    assert run.item.ended
    assert len(run.sends) == 1


@given(st.sampled_from(["gone", "refused"]))
def test_a_refusal_for_good_ends_at_once(reason: str) -> None:
    """No second attempt where the other side has said that it will not work."""
    run = new("alert")
    run.act("take", False)
    run.act("finish", Refused(reason=reason))

    assert (run.item.state, run.item.reason, len(run.sends)) == (State.GIVEN_UP, reason, 1)


def test_every_attempt_of_an_alert_is_over_before_its_third_step() -> None:
    """An alert that cannot be brought is given up while there is still time to ring somebody else."""
    assert sum(delivery.kinds()["alert"].after_s) < 120
