"""The agent's clock beside the server's, and when it saw a file."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from greenchannel.ingest.agent_clock import AgentClock, Tick, compare, sighting
from greenchannel.ingest.device_clock import ClockOffset

T0 = datetime(2026, 5, 1, 8, tzinfo=UTC)


def s(seconds: float) -> timedelta:
    return timedelta(seconds=seconds)


def tick(at: datetime, steady_s: float, life: str = "one") -> Tick:
    return Tick(at=at, steady_s=steady_s, life=life)


@given(
    off_s=st.floats(-1e6, 1e6),
    there_s=st.floats(0, 30),
    inside_s=st.floats(0, 5),
    back_s=st.floats(0, 30),
)
def test_the_true_offset_lies_within_the_uncertainty(
    off_s: float, there_s: float, inside_s: float, back_s: float
) -> None:
    """Whatever each way took."""
    asked = tick(T0 + s(off_s), 5.0)
    answered = tick(T0 + s(off_s + there_s + inside_s + back_s), 5.0 + there_s + inside_s + back_s)
    found = compare(
        asked=asked, answered=answered, received_at=T0 + s(there_s), replied_at=T0 + s(there_s + inside_s)
    )

    assert abs(found.offset_s - off_s) <= found.uncertainty_s + 1e-5


def test_a_clock_that_was_set_meanwhile_tells_nothing() -> None:
    """Ours went an hour in a second; or the server says it took longer than we waited."""
    with pytest.raises(ValueError, match="evenly"):
        compare(asked=tick(T0, 0.0), answered=tick(T0 + s(3600), 1.0), received_at=T0, replied_at=T0)
    with pytest.raises(ValueError, match="at most"):
        compare(asked=tick(T0, 0.0), answered=tick(T0 + s(1), 1.0), received_at=T0, replied_at=T0 + s(9))


def heard(offset_s: float, way_s: float = 0.2, before: AgentClock | None = None) -> AgentClock:
    """After a contact at `T0`."""
    asked, answered = tick(T0 + s(offset_s), 0.0), tick(T0 + s(offset_s + way_s), way_s)
    measured = compare(
        asked=asked, answered=answered, received_at=T0 + s(way_s / 2), replied_at=T0 + s(way_s / 2)
    )
    return (before or AgentClock()).heard(measured)


def test_a_jump_is_told_from_drift() -> None:
    """By more than both uncertainties together."""
    first = heard(10.0)

    assert first.jumped_s is None
    assert heard(10.05, before=first).jumped_s is None
    jumped = heard(70.0, before=first)
    assert jumped.jumped_s == pytest.approx(60.0)
    assert jumped.offset is not None and jumped.offset.offset_s == pytest.approx(70.0)


def test_a_file_found_before_the_clock_was_put_right_keeps_its_time() -> None:
    """The network came back after ten minutes and set the clock by a year: the steady clock counts."""
    found = tick(T0 - s(365 * 86400), 100.0)
    now = tick(T0 + s(600), 700.0)

    assert sighting(found, now, heard(0.0)) == pytest.approx(T0, abs=s(0.001))


def test_over_a_restart_the_wall_clock_must_do() -> None:
    """Corrected by the offset; never after now."""
    clock = heard(30.0)
    now = tick(T0 + s(1000), 5.0, life="two")

    assert sighting(tick(T0 + s(100), 50.0), now, clock) == pytest.approx(T0 + s(70), abs=s(0.001))
    assert sighting(tick(T0 + s(9999), 50.0), now, clock) == pytest.approx(T0 + s(970), abs=s(0.001))


def test_without_a_contact_nothing_is_said() -> None:
    """Unknown stays unknown; a clock that was never set is not told either."""
    assert sighting(tick(T0, 0.0), tick(T0, 1.0), AgentClock()) is None
    assert AgentClock().sayable(T0) is None
    assert heard(-40 * 365 * 86400.0).sayable(T0) is None


def test_what_is_told_of_the_clock_is_as_uncertain_as_it_is_by_then() -> None:
    """A comparison of ten days ago has drifted some seconds; the agent's own clock says how long ago that was."""
    clock = AgentClock(offset=ClockOffset(offset_s=3600.0, uncertainty_s=0.02, measured_at=T0))
    fresh = clock.sayable(T0 + s(3600))
    told = clock.sayable(T0 + s(3600) + timedelta(days=10))

    assert fresh == clock.offset
    assert told is not None and told.uncertainty_s == pytest.approx(0.02 + 20e-6 * 864_000)
    assert told.offset_s == 3600.0 and told.measured_at == T0 + timedelta(days=10)
