"""Laws of the history of a device's clock: drift and jumps are what the clock really did, however it was asked."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from greenchannel.ingest.clock_history import ClockHistory, after_contact, drift_of, offset_for, offset_now
from greenchannel.ingest.device_clock import ClockOffset

START = datetime(2026, 3, 2, tzinfo=UTC)
HOUR = 3600.0
errors = st.lists(st.floats(-1.0, 1.0), min_size=12, max_size=40)


def contact(at_s: float, offset_s: float, uncertainty_s: float) -> ClockOffset:
    at = START + timedelta(seconds=at_s)
    return ClockOffset(offset_s=offset_s, uncertainty_s=uncertainty_s, measured_at=at)


def history_of(contacts: list[ClockOffset]) -> ClockHistory:
    history = ClockHistory()
    for one in contacts:
        history = after_contact(history, one)
    return history


@given(errors, st.floats(-3600, 3600), st.floats(-150, 150), st.floats(0.05, 2.0), st.floats(1.0, 30.0))
def test_the_true_drift_and_offset_lie_within_what_is_said(
    shares: list[float], offset_s: float, ppm: float, width_s: float, every_h: float
) -> None:
    """A clock of constant drift, each contact wrong by no more than it says; no jump is invented."""
    made = [
        contact(k * every_h * HOUR, offset_s + ppm * 1e-6 * k * every_h * HOUR + share * width_s, width_s)
        for k, share in enumerate(shares)
    ]
    history = history_of(made)
    drift = drift_of(history.runs[-1])
    end = made[-1].measured_at + timedelta(hours=1)
    now = offset_now(history, end)

    assert (len(history.runs), history.jumps, history.odd) == (1, (), None)
    assert drift is not None and now is not None
    assert abs(drift.ppm - ppm) <= drift.uncertainty_ppm + 1e-6
    true_s = offset_s + ppm * 1e-6 * (end - START).total_seconds()
    assert abs(now.offset_s - true_s) <= now.uncertainty_s + 1e-6


@given(
    errors,
    st.floats(-3600, 3600),
    st.sampled_from([-86400.0, -3600.0, -300.0, 300.0, 3600.0]),
    st.integers(3, 8),
)
def test_a_jump_is_named_with_when_and_how_much(
    shares: list[float], offset_s: float, by_s: float, at: int
) -> None:
    """Once, between the contacts around it, and its size within what is said."""
    made = [
        contact(k * 6 * HOUR, offset_s + (by_s if k >= at else 0.0) + share, 1.0)
        for k, share in enumerate(shares)
    ]
    history = history_of(made)

    (jump,) = history.jumps
    assert (jump.after, jump.before) == (made[at - 1].measured_at, made[at].measured_at)
    assert abs(jump.by_s - by_s) <= jump.uncertainty_s + 1e-6
    assert len(history.runs) == 2


@given(errors, st.integers(3, 8), st.floats(20, 3000))
def test_one_late_message_is_no_jump(shares: list[float], at: int, late_s: float) -> None:
    """What lies far off once, and not again, is passed over and counted."""
    made = [contact(k * HOUR, share - (late_s if k == at else 0.0), 1.0) for k, share in enumerate(shares)]
    history = history_of(made)

    assert (history.jumps, history.late, len(history.runs)) == ((), 1, 1)
    assert all(abs(one.offset_s) <= 1.0 for one in history.runs[0].contacts)


@given(errors, st.floats(-1e5, 1e5))
def test_moving_all_offsets_moves_the_result_alone(shares: list[float], by_s: float) -> None:
    """Drift and jumps do not depend on how wrong the clock is."""
    first = history_of([contact(k * HOUR, share, 1.0) for k, share in enumerate(shares)])
    second = history_of([contact(k * HOUR, share + by_s, 1.0) for k, share in enumerate(shares)])

    assert len(first.jumps) == len(second.jumps)
    one, other = drift_of(first.runs[-1]), drift_of(second.runs[-1])
    assert one is not None and other is not None
    assert abs(one.ppm - other.ppm) < 0.1


@given(errors, st.integers(0, 11))
def test_the_same_contact_again_or_an_older_one_changes_nothing(shares: list[float], which: int) -> None:
    """Contacts come in the order of our clock; what comes twice is one."""
    made = [contact(k * HOUR, share, 1.0) for k, share in enumerate(shares)]
    history = history_of(made)

    assert after_contact(history, made[which]) == history


@given(st.floats(-7200, 7200), st.sampled_from([-86400.0, -7200.0, 7200.0, 86400.0]), st.floats(0.0, 1.0))
def test_a_time_is_corrected_by_what_the_clock_was_when_it_was_read(
    offset_s: float, by_s: float, share: float
) -> None:
    """On both sides of a jump, wherever between contacts it was read, the true instant lies within the uncertainty."""
    jump_at = 5.5 * HOUR

    def off(at_s: float) -> float:
        return offset_s + (by_s if at_s >= jump_at else 0.0)

    history = history_of([contact(k * HOUR, off(k * HOUR), 0.5) for k in range(12)])
    true_s = share * 11 * HOUR
    found = offset_for(history, START + timedelta(seconds=true_s + off(true_s)))

    assert found is not None
    assert abs(found.offset_s - off(true_s)) <= found.uncertainty_s + 1e-6
