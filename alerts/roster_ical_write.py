"""The roster as a calendar file, which any calendar program shows and `roster_ical` reads back as it was."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final
from urllib.parse import quote

from icalendar import Calendar, Event, vCalAddress, vText

from greenchannel.alerts.roster_edit import DutyShift
from greenchannel.alerts.roster_words import OWN
from greenchannel.clock import check_aware

_PRODUCT: Final = "-//greenchannel//roster//ZH"
_TITLE: Final = "值班表 Duty roster"
_MAIL: Final = "greenchannel.invalid"  # a name that never resolves: nobody can be invited by it


def write_calendar(shifts: Iterable[DutyShift], names: Mapping[str, str], now: datetime) -> bytes:
    """Shifts in force as one VCALENDAR, times in UTC, one event each.

    A shift's UID comes from its id and never changes, so a program that fetches the file again moves what has moved.

    Parameters
    ----------
    names
        Of people by their ids; who is missing goes by the id.
    """
    calendar = Calendar()
    calendar.add("prodid", _PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("x-wr-calname", _TITLE)
    for shift in shifts:
        if shift.replaced_by is None:
            calendar.add_component(_event(shift, names.get(shift.person, shift.person), check_aware(now)))
    return bytes(calendar.to_ical())


def uid_of(shift_id: str) -> str:
    """The UID under which a shift leaves."""
    return quote(shift_id, safe="") + OWN


def _event(shift: DutyShift, name: str, now: datetime) -> Event:
    event = Event()
    event.add("uid", uid_of(shift.id))
    event.add("dtstamp", now)
    event.add("dtstart", check_aware(shift.start))
    event.add("dtend", check_aware(shift.end))
    event.add("summary", f"{shift.role}: {name}")
    event.add("status", "CONFIRMED")
    event.add("x-greenchannel-role", shift.role)
    if shift.site is not None:
        event.add("x-greenchannel-site", shift.site)
    person = vCalAddress(f"mailto:{quote(shift.person, safe='')}@{_MAIL}")
    person.params["CN"] = vText(name)
    event.add("attendee", person, encode=False)
    return event
