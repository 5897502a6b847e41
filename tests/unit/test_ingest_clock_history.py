"""What folding the contacts of a clock costs: the log is folded at every start."""

from datetime import UTC, datetime, timedelta

import pytest

from greenchannel.ingest import clock_history
from greenchannel.ingest.clock_history import (
    FEWEST_FOR_DRIFT,
    FITTED_CONTACTS,
    KEPT_CONTACTS,
    ClockHistory,
    Drift,
    Run,
    after_contact,
    drift_of,
)
from greenchannel.ingest.device_clock import ClockOffset

START = datetime(2026, 3, 2, tzinfo=UTC)
PPM = 60.0


def contact(hours: int) -> ClockOffset:
    return ClockOffset(
        offset_s=PPM * 1e-6 * 3600.0 * hours + 0.2 * (-1) ** hours,
        uncertainty_s=0.25,
        measured_at=START + timedelta(hours=hours),
    )


def test_a_clock_in_order_is_folded_without_a_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    """A contact each hour that agrees with the last: how the clock drifts is computed when somebody asks."""
    fits: list[Run] = []

    def counted(run: Run) -> Drift | None:
        fits.extend([run] if len(run.contacts) >= FEWEST_FOR_DRIFT else [])
        return drift_of(run)

    monkeypatch.setattr(clock_history, "drift_of", counted)
    history = ClockHistory()
    for hours in range(2 * KEPT_CONTACTS):
        at = START + timedelta(hours=hours)
        offset_s = 20e-6 * 3600.0 * hours + 0.05 * (-1) ** hours
        history = after_contact(history, ClockOffset(offset_s=offset_s, uncertainty_s=0.25, measured_at=at))
    assert fits == []
    assert (len(history.runs), history.odd, history.contacts) == (1, None, 2 * KEPT_CONTACTS)
    drift = drift_of(history.runs[-1])
    assert drift is not None and abs(drift.ppm - 20.0) <= drift.uncertainty_ppm < 1.0


def test_a_contact_is_compared_with_few_of_a_long_run_and_a_time_with_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """However long a clock has run, a fit of the fold sees thirty contacts; the drift that is told sees them all."""
    sizes: list[int] = []

    def counted(run: Run) -> Drift | None:
        sizes.append(len(run.contacts))
        return drift_of(run)

    monkeypatch.setattr(clock_history, "drift_of", counted)
    history = ClockHistory()
    for hours in range(KEPT_CONTACTS):
        history = after_contact(history, contact(hours))
    assert max(sizes) == FITTED_CONTACTS

    (run,) = history.runs
    assert len(run.contacts) == KEPT_CONTACTS and history.jumps == ()
    run.offset_at(START + timedelta(days=30))
    assert sizes[-1] == KEPT_CONTACTS
    drift = drift_of(run)
    assert drift is not None and abs(drift.ppm - PPM) <= drift.uncertainty_ppm
