"""The demo's clock."""

from datetime import UTC, datetime, timedelta

from greenchannel.county.story_clock import StoryClock

START = datetime(2026, 3, 2, 8, 5, tzinfo=UTC)


class Real:
    """Real seconds turned by hand."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


def test_the_clock_stands_still_until_it_is_sent_on() -> None:
    """Between two moves real time changes nothing."""
    real = Real()
    clock = StoryClock(START, real)
    real.seconds += 50

    assert clock.now() == START


def test_the_clock_runs_evenly_to_its_goal_and_waits_there() -> None:
    """Halfway through the real time half of the story time has passed; after it, no more."""
    real = Real()
    clock = StoryClock(START, real)
    clock.run_to(START + timedelta(minutes=3), within_s=6.0)
    real.seconds += 3

    assert clock.now() == START + timedelta(seconds=90)

    real.seconds += 100

    assert clock.now() == START + timedelta(minutes=3)


def test_a_jump_is_exact_and_never_goes_back() -> None:
    """A goal behind the clock leaves it where it is."""
    clock = StoryClock(START, Real())
    clock.jump_to(START + timedelta(minutes=20))
    clock.jump_to(START)

    assert clock.now() == START + timedelta(minutes=20)


def test_after_the_story_the_clock_goes_on_as_a_real_one() -> None:
    """A visitor who stays gets his escalations at their usual times."""
    real = Real()
    clock = StoryClock(START, real)
    clock.jump_to(START + timedelta(minutes=49))
    clock.run_on()
    real.seconds += 75

    assert clock.now() == START + timedelta(minutes=49, seconds=75)
