"""The properties of a calendar's events: what stands in one, and which of several versions holds."""

from typing import Any, Final

from icalendar import vBroken
from icalendar.error import BrokenCalendarProperty

from greenchannel.alerts.roster_words import Unreadable

_NO_PEOPLE: Final = {"RESOURCE", "ROOM"}  # kinds of an ATTENDEE


def value(event: Any, name: str) -> Any:
    """What a property of one time or length says; None where it is not there."""
    found = event.get(name)
    if found is None:
        return None
    if isinstance(found, list):
        raise Unreadable(f"{name} 出现多次", f"expected one {name}, got {len(found)}")
    try:
        return found.dt
    except (BrokenCalendarProperty, AttributeError, OverflowError) as error:
        said = str(found)[:60]
        raise Unreadable(
            f"{name} 无法读取：{said}", f"expected {name} that can be read, got {said}"
        ) from error


def text(event: Any, name: str) -> str:
    """A property as text, empty where it is not there."""
    found = event.get(name, "")
    return str(found[0] if isinstance(found, list) and found else found).strip()


def categories(event: Any) -> list[str]:
    """The words of CATEGORIES."""
    given = event.get("CATEGORIES", [])
    lines = given if isinstance(given, list) else [given]
    return [str(word) for line in lines for word in getattr(line, "cats", [])]


def attendees(event: Any) -> list[Any]:
    """Those who may be meant: no rooms, and nobody who has said no."""
    given = event.get("ATTENDEE", [])
    return [
        one
        for one in (given if isinstance(given, list) else [given])
        if not isinstance(one, vBroken)
        and str(one.params.get("CUTYPE", "")).upper() not in _NO_PEOPLE
        and str(one.params.get("PARTSTAT", "")).upper() != "DECLINED"
    ]


def cancelled(event: Any) -> bool:
    """Was the event, or this repeat of it, taken back?"""
    return text(event, "STATUS").upper() == "CANCELLED"


def _sequence(event: Any) -> int:
    try:
        return int(event.get("SEQUENCE", 0))
    except (TypeError, ValueError):
        return 0


def by_sequence(events: list[Any]) -> list[Any]:
    """Versions of an event, the newest last."""
    return sorted(events, key=_sequence)


def newest_of(events: list[Any]) -> Any | None:
    """Of several versions of an event the newest; two of one number that differ are no versions."""
    if not events:
        return None
    ordered = by_sequence(events)
    newest = [one for one in ordered if _sequence(one) == _sequence(ordered[-1])]
    if any(one.to_ical() != newest[0].to_ical() for one in newest):
        raise Unreadable(
            "同一 UID 出现多个不同日程", f"expected one event of a UID, got {len(newest)} that differ"
        )
    return newest[0]


def label(event: Any) -> str:
    """How a person finds the event again."""
    begin = event.get("DTSTART")
    at = "" if begin is None or isinstance(begin, list) else begin.to_ical()
    at = at.decode("utf-8", "replace") if isinstance(at, bytes) else str(at)
    return " ".join(part for part in (text(event, "SUMMARY")[:60], at[:20]) if part) or "event"
