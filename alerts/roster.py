"""Who is on duty, by shifts in roster roles."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

import msgspec

from greenchannel.clock import check_aware

ROSTER_ROLES: Final = ("first", "second", "head")
"""Who is called first, who next, and who answers for the duty."""


class Shift(msgspec.Struct, frozen=True, kw_only=True):
    """One person's duty from `start` up to, not including, `end`."""

    person: str  # user id
    role: str  # roster role: "first", "second", "head"
    start: datetime  # aware
    end: datetime  # aware

    def covers(self, at: datetime) -> bool:
        """Whether `at` lies within the shift."""
        return self.start <= at < self.end


def on_duty(shifts: Iterable[Shift], at: datetime, role: str) -> str | None:
    """Return the person on duty in `role` at `at`, or None.

    Where shifts overlap, the one that began last holds: it is the newest decision about this hour.
    """
    at = check_aware(at)
    current = [shift for shift in shifts if shift.role == role and shift.covers(at)]
    return max(current, key=lambda shift: (shift.start, shift.person)).person if current else None


def everybody_on_duty(shifts: Iterable[Shift], at: datetime, roles: Sequence[str]) -> tuple[str, ...]:
    """All people of the given roster roles who are on duty at `at`, in the order of the roles, each once."""
    shifts, at = tuple(shifts), check_aware(at)
    people = [s.person for role in roles for s in shifts if s.role == role and s.covers(at)]
    return tuple(dict.fromkeys(people))
