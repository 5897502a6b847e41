"""On hours and off hours, with the public holidays and the weekends that are worked."""

from datetime import date, datetime, time, tzinfo
from functools import cache

from greenchannel.alerts.duty_calendar import DutyCalendar, Kind, chinese_calendar
from greenchannel.alerts.order import NATIONAL_ZONE
from greenchannel.alerts.quality.record import CaseRecord
from greenchannel.alerts.quality.tables import read_value

TABLE = "hours"


@cache
def work_from() -> time:
    """When the working day begins, by the wall clock."""
    return read_value(TABLE, "work_from", time)


@cache
def work_until() -> time:
    """When it ends."""
    return read_value(TABLE, "work_until", time)


@cache
def _national_kinds(day: date) -> frozenset[Kind]:
    return chinese_calendar().kinds(day)


def is_off_hours(
    at: datetime, *, calendar: DutyCalendar | None = None, zone: tzinfo = NATIONAL_ZONE
) -> bool | None:
    """Whether an instant lies outside working hours; None where nobody can know yet whether its day is worked."""
    wall = at.astimezone(zone)
    if not work_from() <= wall.time() < work_until():
        return True
    kinds = _national_kinds(wall.date()) if calendar is None else calendar.kinds(wall.date())
    if kinds == {"working"}:
        return False
    return None if "working" in kinds else True


def came_off_hours(
    record: CaseRecord, *, calendar: DutyCalendar | None = None, zone: tzinfo = NATIONAL_ZONE
) -> bool | None:
    """Whether a case came off hours, by the instant at which it began (`CaseRecord.began_at`)."""
    return is_off_hours(record.began_at, calendar=calendar, zone=zone)
