"""The service's clock while the machine's is set."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from greenchannel.clock import SLOWER, SteadyClock

START = datetime(2026, 3, 2, 8, 5, tzinfo=UTC)
PASSED = st.floats(0.0, 3600.0)


class Machine:
    """A clock that somebody sets, and seconds that nobody sets."""

    def __init__(self) -> None:
        self.steady_s, self.off = 1000.0, timedelta(0)
        self.clock = SteadyClock(self.wall, lambda: self.steady_s)

    def wall(self) -> datetime:
        return START + timedelta(seconds=self.steady_s - 1000.0) + self.off

    def pass_s(self, seconds: float) -> datetime:
        self.steady_s += seconds
        return self.clock.now()


def test_it_is_the_machines_clock_while_that_only_goes_forward() -> None:
    """Also where it is set forward, or the machine has slept."""
    machine = Machine()
    assert machine.pass_s(5.0) == START + timedelta(seconds=5)
    machine.off = timedelta(hours=1)
    assert machine.pass_s(5.0) == START + timedelta(hours=1, seconds=10)


def test_set_back_by_an_hour_the_next_minute_is_still_a_minute_away(caplog: pytest.LogCaptureFixture) -> None:
    """A step that is due in 60 s comes in no more than a hundredth later; the log says what happened, once."""
    machine = Machine()
    before = machine.pass_s(1.0)
    machine.off = -timedelta(hours=1)
    after = [machine.pass_s(1.0) for _ in range(61)][-1]

    assert after - before >= timedelta(seconds=60)
    assert machine.clock.ahead > timedelta(minutes=59)
    assert caplog.text.count("set back by 36") == 1


def test_it_comes_together_with_the_machines_clock_again() -> None:
    """A set-back of half a second is over within a minute."""
    machine = Machine()
    machine.off = -timedelta(seconds=0.5)
    for _ in range(60):
        machine.pass_s(1.0)
    assert machine.clock.ahead == timedelta(0)
    assert machine.clock.now() == machine.wall()


@given(st.lists(st.tuples(PASSED, st.floats(-7200.0, 7200.0)), min_size=1, max_size=20))
def test_it_never_goes_back_and_is_never_much_slower_than_time(acts: list[tuple[float, float]]) -> None:
    """Whatever is set: forward by what has passed less a hundredth, and never behind the machine's clock."""
    machine = Machine()
    before = machine.clock.now()
    for seconds, off_s in acts:
        machine.off = timedelta(seconds=off_s)
        now = machine.pass_s(seconds)
        assert now - before >= timedelta(seconds=seconds * (1 - SLOWER)) - timedelta(microseconds=2)
        assert now >= machine.wall()
        before = now
