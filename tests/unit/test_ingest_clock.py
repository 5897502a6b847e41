"""Device clocks: offsets and what a file's time is worth."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from greenchannel.clock import NaiveDatetimeError
from greenchannel.ingest.device_clock import (
    UNKNOWN_WAY_S,
    check_said,
    correct,
    estimate_offset,
    judge_acquired,
    least_offset_s,
    refine_offset,
)
from greenchannel.ingest.errors import IngestError

CHINA = timezone(timedelta(hours=8))
NOW = datetime(2026, 5, 1, 8, 5, tzinfo=UTC)


def _ago(**span: float) -> datetime:
    return NOW - timedelta(**span)


def test_an_offset_is_the_devices_clock_minus_ours() -> None:
    """Where the device speaks first, the way to us is unknown and widens it."""
    offset = estimate_offset(NOW + timedelta(minutes=7), received_at=NOW)
    assert (offset.offset_s, offset.uncertainty_s) == (420.0, UNKNOWN_WAY_S)


def test_a_measured_round_trip_narrows_it() -> None:
    """Half the round trip is the way here, give or take half."""
    offset = estimate_offset(NOW, received_at=NOW, round_trip_s=0.4)
    assert (offset.offset_s, offset.uncertainty_s) == (0.2, 0.2)
    with pytest.raises(ValueError, match="round trip"):
        estimate_offset(NOW, received_at=NOW, round_trip_s=-1.0)
    with pytest.raises(NaiveDatetimeError):
        estimate_offset(datetime(2026, 5, 1), received_at=NOW)  # noqa: DTZ001 - what is tested


def test_the_narrower_estimate_stays_until_the_clock_jumps() -> None:
    """Drift widens an old estimate; a jump beyond both widths makes the new one valid."""
    narrow = estimate_offset(NOW, received_at=NOW, round_trip_s=0.2)
    later = NOW + timedelta(hours=1)
    wide = estimate_offset(later, received_at=later)
    assert refine_offset(None, wide) is wide
    assert refine_offset(narrow, wide) is narrow
    jumped = estimate_offset(later + timedelta(minutes=5), received_at=later)
    assert refine_offset(narrow, jumped) is jumped
    week = NOW + timedelta(days=7)
    assert refine_offset(narrow, estimate_offset(week, received_at=week)).measured_at == week


def test_a_known_offset_corrects_and_both_readings_are_kept() -> None:
    """The reading carries the raw instant, the offset and the uncertainty of its time."""
    offset = estimate_offset(NOW + timedelta(minutes=7), received_at=NOW, round_trip_s=0.0)
    raw = _ago(minutes=-6)
    reading = correct(raw, offset, clock="device:d1")
    assert (reading.at, reading.raw, reading.offset_s) == (_ago(minutes=1), raw, 420.0)
    assert reading.uncertainty_s == pytest.approx(60 * 20e-6)
    assert correct(raw, None, clock="device:d1").at == raw


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        (None, "missing"),
        (datetime(1970, 1, 1, 0, 3, tzinfo=UTC), "dead_clock"),
        (datetime(2000, 1, 2, 10, 0), "dead_clock"),  # noqa: DTZ001 - a file's time
        (datetime(1, 1, 1), "dead_clock"),  # noqa: DTZ001
        (datetime(9999, 12, 31, 23, 59), "future"),  # noqa: DTZ001
        (NOW + timedelta(minutes=11), "future"),
    ],
)
def test_nonsense_is_unknown_and_its_raw_value_is_kept(raw: datetime | None, problem: str) -> None:
    """A dead battery or a time to come gives no reading."""
    judged = judge_acquired(raw, received_at=NOW, offset=None, site_zone=CHINA, clock="device:d1")
    assert (judged.reading, judged.raw, judged.problem) == (None, raw, problem)


def test_a_time_without_a_zone_takes_its_sites_and_is_marked() -> None:
    """16:00 in a Chinese clinic is 08:00 UTC; nothing is known of the clock."""
    raw = datetime(2026, 5, 1, 16, 0)  # noqa: DTZ001 - a file's time
    judged = judge_acquired(raw, received_at=NOW, offset=None, site_zone=CHINA, clock="device:d1")
    assert judged.reading is not None
    assert (judged.reading.at, judged.zone_assumed) == (_ago(minutes=5), True)
    assert judged.reading.zone_assumed
    assert (judged.reading.offset_s, judged.reading.uncertainty_s) == (None, None)


def test_a_fast_clock_that_was_never_compared_is_bounded_by_the_receipt() -> None:
    """Three minutes ahead: it was recorded at the receipt at the latest; the raw value stays beside it."""
    raw = NOW + timedelta(minutes=3)
    judged = judge_acquired(raw, received_at=NOW, offset=None, site_zone=CHINA, clock="device:d1")
    assert judged.reading is not None
    assert (judged.reading.at, judged.reading.raw) == (NOW, raw)
    assert not judged.zone_assumed and not judged.reading.zone_assumed


@pytest.mark.parametrize("ahead", [timedelta(seconds=301), timedelta(days=365 * 73)])
def test_a_person_is_told_of_a_time_that_cannot_be(ahead: timedelta) -> None:
    """A time to come and one of a clock that was never set are refused; a little ahead is now, the raw value kept."""
    for nonsense in (NOW + ahead, datetime(1970, 1, 1, tzinfo=UTC), datetime(1900, 1, 1, tzinfo=UTC)):
        with pytest.raises(IngestError) as told:
            check_said("onset_at", nonsense, now=NOW, ahead_s=300)
        assert told.value.code == "bad_field" and "onset_at" in (told.value.expected or "")
    soon = check_said("onset_at", NOW + timedelta(seconds=300), now=NOW, ahead_s=300)
    assert (soon.at, soon.raw, soon.clock) == (NOW, NOW + timedelta(seconds=300), "person")
    past = check_said("onset_at", _ago(days=3), now=NOW, ahead_s=300)
    assert (past.at, past.raw, past.uncertainty_s) == (_ago(days=3), None, None)


def test_a_corrected_time_beyond_the_receipt_is_unknown() -> None:
    """A minute after the receipt, with a clock known to the second, can't be."""
    offset = estimate_offset(NOW, received_at=NOW, round_trip_s=0.5)
    raw = NOW + timedelta(minutes=1)
    judged = judge_acquired(raw, received_at=NOW, offset=offset, site_zone=CHINA, clock="device:d1")
    assert (judged.reading, judged.problem) == (None, "future")


def test_a_file_bounds_the_offset_of_its_device() -> None:
    """Recorded before it was seen, so its clock is at least so much ahead."""
    assert least_offset_s(NOW + timedelta(minutes=3), seen_at=NOW) == 180.0
