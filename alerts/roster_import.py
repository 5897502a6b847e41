"""A calendar laid over the roster: what is new, what has moved, what is gone, what stays."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from urllib.parse import unquote

import msgspec

from greenchannel.alerts.roster_edit import Caution, DutyShift
from greenchannel.alerts.roster_ical import Planned, Series
from greenchannel.alerts.roster_words import OWN
from greenchannel.clock import rfc3339

_LONGEST_ID = 64


class Merge(msgspec.Struct, frozen=True, kw_only=True):
    """The changes that an import makes; nothing of it is done yet."""

    added: tuple[DutyShift, ...] = ()
    changed: tuple[tuple[DutyShift, DutyShift], ...] = ()  # as it was, as it will be
    removed: tuple[DutyShift, ...] = ()
    unchanged: int = 0
    cautions: tuple[Caution, ...] = ()

    @property
    def empty(self) -> bool:
        """Does the roster stay as it is?"""
        return not (self.added or self.changed or self.removed)


def own_id(uid: str) -> str | None:
    """The shift's id in a UID that we gave; None for a UID of another program."""
    if not uid.endswith(OWN):
        return None
    found = unquote(uid.removesuffix(OWN))
    fits = 0 < len(found) <= _LONGEST_ID and found.isprintable() and found == found.strip()
    return found if fits else None


def shift_id(uid: str, occurrence: datetime | None) -> str:
    """The id of a shift that comes from a calendar: the same event, or the same repeat of it, gets the same id."""
    own = own_id(uid)
    if own is not None and occurrence is None:
        return own
    named = uid if occurrence is None else f"{uid} {rfc3339(occurrence)}"
    return f"ics-{hashlib.sha256(named.encode()).hexdigest()[:24]}"


def merge(series: Iterable[Series], roster: Sequence[DutyShift], *, start: datetime, end: datetime) -> Merge:
    """Compare what a calendar says with the shifts that are there.

    Parameters
    ----------
    roster
        The shifts with the calendar's UIDs, and those whose ids its UIDs name; also those out of force.
    start, end
        The span in which repeats were worked out. Shifts of repeats outside of it stay.

    A shift that was swapped and whose event is as it was when it came stays swapped. Where the event has changed since,
    the calendar's word is newer: the swap is undone, and said to be. What the file does not name stays, but for repeats
    of an event that it does name.
    """
    by_id = {shift.id: shift for shift in roster}
    by_uid: dict[str, list[DutyShift]] = {}
    for shift in roster:
        if shift.uid is not None:
            by_uid.setdefault(shift.uid, []).append(shift)
    added: dict[str, DutyShift] = {}
    changed: list[tuple[DutyShift, DutyShift]] = []
    removed: dict[str, DutyShift] = {}
    cautions: list[Caution] = []
    unchanged = 0
    for one in series:
        there = {shift.occurrence: shift for shift in by_uid.get(one.uid, [])}
        own = by_id.get(own_id(one.uid) or "")
        if own is not None:
            there.setdefault(None, own)
        asked = {planned.occurrence: planned for planned in one.planned}
        for occurrence, planned in asked.items():
            was = there.get(occurrence)
            wanted = _wanted(planned, was)
            if was is None:
                added[wanted.id] = wanted
            elif _same(was, wanted):
                unchanged += 1
            else:
                changed.append((was, wanted))
                if was.replaced_by is not None:
                    cautions.append(_undone(was))
        for occurrence, was in there.items():
            if occurrence not in asked and _gone(one, occurrence, start, end):
                removed[was.id] = was
    return Merge(
        added=tuple(added.values()),
        changed=tuple(changed),
        removed=tuple(removed.values()),
        unchanged=unchanged,
        cautions=tuple(cautions),
    )


def plan_shifts(wanted: Iterable[DutyShift], roster: Mapping[str, DutyShift]) -> Merge:
    """As `merge`, for shifts that already have their ids, such as those of patterns."""
    added, changed, unchanged = [], [], 0
    cautions = []
    for shift in wanted:
        was = roster.get(shift.id)
        if was is None:
            added.append(shift)
        elif _same(was, shift):
            unchanged += 1
        else:
            changed.append((was, shift))
            if was.replaced_by is not None:
                cautions.append(_undone(was))
    return Merge(added=tuple(added), changed=tuple(changed), unchanged=unchanged, cautions=tuple(cautions))


def _wanted(planned: Planned, was: DutyShift | None) -> DutyShift:
    own = own_id(planned.uid) is not None and planned.occurrence is None
    return DutyShift(
        id=shift_id(planned.uid, planned.occurrence) if was is None else was.id,
        role=planned.role,
        person=planned.person,
        start=planned.start,
        end=planned.end,
        site=planned.site,
        uid=(None if was is None else was.uid) if own else planned.uid,
        occurrence=planned.occurrence,
        instead_of=None if was is None else was.instead_of,
    )


def _same(one: DutyShift, other: DutyShift) -> bool:
    return (one.role, one.person, one.start, one.end, one.site) == (
        other.role,
        other.person,
        other.start,
        other.end,
        other.site,
    )


def _gone(series: Series, occurrence: datetime | None, start: datetime, end: datetime) -> bool:
    """Does the calendar say that this shift is no more?"""
    if series.cancelled or (occurrence is not None and occurrence in series.dropped):
        return True
    # An event that was single and repeats now, or the other way round, has left its old shifts behind.
    return series.whole and (occurrence is None or not series.planned or start <= occurrence <= end)


def _undone(shift: DutyShift) -> Caution:
    return Caution(
        code="swap_undone",
        zh=f"日历已更改，换班作废：{shift.id}",
        en=f"the calendar has changed, a swap is undone: {shift.id}",
    )
