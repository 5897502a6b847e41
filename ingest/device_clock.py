"""How far a device's clock is off, and what its times are worth.

An offset is the device's clock minus the server's. A device that talks to us says its time in the hello or beside an
upload; as with NTP (RFC 5905), the unknown time on the way makes the uncertainty. A device that only leaves files
gives a bound: a file cannot have been recorded after it was seen.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Final

import msgspec

from greenchannel.clock import check_aware
from greenchannel.events import ClockReading
from greenchannel.ingest.errors import IngestError

UNKNOWN_WAY_S: Final = 2.0
"""Half width where the way to us is not measured: a message over a 2G link.  [O]"""

DRIFT: Final = 20e-6
"""What a quartz clock may go wrong a second, as a share: about 1.7 s a day.  [O]"""

DEAD_CLOCK_YEARS: Final = frozenset({1970, 1980, 2000})
"""Where clocks start after a dead battery: Unix, DOS and the common clock chips.  [O]"""

EARLIEST_YEAR: Final = 1970

MOST_OFFSET_S: Final = 30 * 86400.0
"""A clock further off than this was never set: its times are judged as they stand, nothing is corrected by it.  [O]"""

FAST_CLOCK_S: Final = 600.0
"""A clock that was never compared may be this much ahead before its time is taken for nonsense.  [O]"""


@dataclass(frozen=True, kw_only=True, slots=True)
class ClockOffset:
    """One estimate of an offset."""

    offset_s: float  # device minus server
    uncertainty_s: float  # half width
    measured_at: datetime  # by the server's clock, aware

    def uncertainty_at(self, instant: datetime) -> float:
        """Half width at another time, the clock having drifted since."""
        return self.uncertainty_s + DRIFT * abs((instant - self.measured_at).total_seconds())


@dataclass(frozen=True, kw_only=True, slots=True)
class JudgedTime:
    """What a time in a file is worth."""

    reading: ClockReading | None  # None: unknown
    raw: datetime | None  # as written, kept even where it is nonsense; without a zone where the file has none
    zone_assumed: bool = False  # the file has no zone, its site's was taken
    problem: str | None = None  # None, "missing", "dead_clock" or "future"


def estimate_offset(
    device_clock: datetime, *, received_at: datetime, round_trip_s: float | None = None
) -> ClockOffset:
    """The offset at one contact.

    Parameters
    ----------
    device_clock
        What the device said when it sent.
    received_at
        When that arrived, by the server's clock.
    round_trip_s
        Time from a message of ours to the device's answer that carried `device_clock`; None where it spoke first.
        The way here took between none and all of it, so half is taken, plus and minus half.

    Raises
    ------
    greenchannel.clock.NaiveDatetimeError
        For a datetime without a zone.
    ValueError
        For a negative round trip.
    """
    difference_s = (check_aware(device_clock) - check_aware(received_at)).total_seconds()
    if round_trip_s is None:
        return ClockOffset(offset_s=difference_s, uncertainty_s=UNKNOWN_WAY_S, measured_at=received_at)
    if round_trip_s < 0:
        raise ValueError(f"expected a round trip of 0 s or more, got {round_trip_s!r}")
    return ClockOffset(
        offset_s=difference_s + round_trip_s / 2, uncertainty_s=round_trip_s / 2, measured_at=received_at
    )


def refine_offset(old: ClockOffset | None, new: ClockOffset) -> ClockOffset:
    """Which of two estimates to go on with: the narrower one, or the new one where the clock has jumped."""
    if old is None:
        return new
    old_width_s = old.uncertainty_at(new.measured_at)
    jumped = abs(new.offset_s - old.offset_s) > old_width_s + new.uncertainty_s
    return new if jumped or new.uncertainty_s <= old_width_s else old


def least_offset_s(raw: datetime, *, seen_at: datetime) -> float:
    """Lower bound of the offset of a device that only leaves files: this one was recorded before it was seen.

    The largest bound over a device's files is the nearest to its offset.
    """
    return (check_aware(raw) - check_aware(seen_at)).total_seconds()


def correct(raw: datetime, offset: ClockOffset | None, *, clock: str) -> ClockReading:
    """A device's instant by the server's clock; unchanged where the two were never compared.

    Parameters
    ----------
    raw
        The instant by the device's clock, aware.
    clock
        Name of that clock, such as ``device:d1``.
    """
    raw_utc = check_aware(raw)
    if offset is None:
        return ClockReading(at=raw_utc, clock=clock, raw=raw, offset_s=None, uncertainty_s=None)
    at = raw_utc - timedelta(seconds=offset.offset_s)
    return ClockReading(
        at=at, clock=clock, raw=raw, offset_s=offset.offset_s, uncertainty_s=offset.uncertainty_at(at)
    )


def judge_acquired(
    raw: datetime | None, *, received_at: datetime, offset: ClockOffset | None, site_zone: tzinfo, clock: str
) -> JudgedTime:
    """What the time of acquisition in a file is worth.

    A year in which dead clocks start, and a time after the receipt, make it unknown; the raw value is kept. A time
    without a zone takes the site's, and is marked so. Where the clock was never compared with ours, the time is taken
    as it is, but not later than the receipt, and without an uncertainty.

    Parameters
    ----------
    raw
        As written in the file, with or without a zone.
    received_at
        When the file's last byte arrived, or the agent saw it, by the server's clock.
    offset
        What is known of the device's clock.
    site_zone
        Zone of the site that sent the file.
    clock
        Name of the device's clock, such as ``device:d1``.
    """
    received_at = check_aware(received_at)
    if raw is None:
        return JudgedTime(reading=None, raw=None, problem="missing")
    zone_assumed = raw.utcoffset() is None
    if raw.year in DEAD_CLOCK_YEARS or raw.year < EARLIEST_YEAR:
        return JudgedTime(reading=None, raw=raw, zone_assumed=zone_assumed, problem="dead_clock")
    if raw.year > received_at.year + 1:
        return JudgedTime(reading=None, raw=raw, zone_assumed=zone_assumed, problem="future")
    reading = correct(raw.replace(tzinfo=site_zone) if zone_assumed else raw, offset, clock=clock)
    ahead_s = (reading.at - received_at).total_seconds()
    allowed_s = FAST_CLOCK_S if reading.uncertainty_s is None else reading.uncertainty_s
    if ahead_s > allowed_s:
        return JudgedTime(reading=None, raw=raw, zone_assumed=zone_assumed, problem="future")
    at = min(reading.at, received_at)
    reading = msgspec.structs.replace(reading, at=at, zone_assumed=zone_assumed)
    return JudgedTime(reading=reading, raw=raw, zone_assumed=zone_assumed)


def check_said(field: str, instant: datetime, *, now: datetime, ahead_s: float) -> ClockReading:
    """A time that a person gave, judged as those of files are, but told to the person where it cannot be.

    Parameters
    ----------
    field
        Its name on the wire.
    ahead_s
        How far ahead of ours the person's clock may be. A little ahead is taken as now, the raw value kept.

    Raises
    ------
    IngestError
        ``bad_field``: the year is one in which dead clocks start, or the time is yet to come.
    """
    at, now = check_aware(instant), check_aware(now)
    if at.year in DEAD_CLOCK_YEARS or at.year < EARLIEST_YEAR or (at - now).total_seconds() > ahead_s:
        raise IngestError(
            "bad_field",
            f"the field {field} is no time that can be",
            f"{field}: an instant up to {now.isoformat(timespec='seconds')}, not of a clock that was never set",
            instant.isoformat(),
        )
    return ClockReading(at=min(at, now), clock="person", raw=at if at > now else None)
