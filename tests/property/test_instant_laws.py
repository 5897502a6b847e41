"""Instants from outside: whatever is said, what is taken can be shifted to every zone."""

from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from greenchannel.clock import EARLIEST, LATEST, can_be, nearest, rfc3339
from greenchannel.ingest.fields import parse_instant, parse_machine_instant

zones = st.integers(-23 * 60 - 59, 23 * 60 + 59).map(lambda minutes: timezone(timedelta(minutes=minutes)))
instants = st.builds(lambda at, zone: at.replace(tzinfo=zone), st.datetimes(), zones)


@given(instants, zones)
def test_what_is_taken_can_be_shown_in_every_zone(instant: datetime, zone: timezone) -> None:
    """Of a person, within what can be; of a machine, its nearest."""
    taken = nearest(instant)

    assert can_be(taken) and (taken == instant) == can_be(instant)
    assert rfc3339(taken) and taken.astimezone(zone) == taken
    assert EARLIEST <= taken <= LATEST


@given(instants)
def test_every_instant_that_is_written_out_is_read_or_told_for_one_that_cannot_be(instant: datetime) -> None:
    """A reader of a person's words and one of a machine's differ only beyond what can be."""
    written = instant.isoformat()
    of_machine = parse_machine_instant(written)

    assert of_machine is not None
    assert parse_instant(written) == (instant if can_be(instant) else None)
    assert of_machine == nearest(instant)
    assert of_machine.astimezone(UTC)
