"""Where the roster has nobody: looked at ahead, so that an empty shift is found the day before, not in the night."""

from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec

from greenchannel.alerts.roster import Shift
from greenchannel.clock import check_aware


class Gap(msgspec.Struct, frozen=True, kw_only=True):
    """A time in which nobody is on duty in a roster role, from `start` up to, not including, `end`."""

    role: str
    start: datetime  # aware
    end: datetime  # aware


def gaps(shifts: Iterable[Shift], roles: Sequence[str], start: datetime, end: datetime) -> list[Gap]:
    """Return the gaps of each role between two instants, by their beginning and then in the order of the roles.

    Parameters
    ----------
    shifts
        In any order; they may overlap, and reach beyond the span.
    roles
        Those that are asked for; a role without any shift has one gap, the whole span.

    Raises
    ------
    ValueError
        The span ends before it begins.
    """
    start, end = check_aware(start), check_aware(end)
    if end < start:
        raise ValueError(f"expected a span that ends after it begins, got {start} to {end}")
    shifts = tuple(shifts)
    found = [gap for role in roles for gap in _of_role(shifts, role, start, end)]
    return sorted(found, key=lambda gap: (gap.start, list(roles).index(gap.role)))


def _of_role(shifts: Sequence[Shift], role: str, start: datetime, end: datetime) -> list[Gap]:
    found, covered_until = [], start
    own = sorted((one for one in shifts if one.role == role and one.end > start), key=lambda one: one.start)
    for shift in own:
        if shift.start >= end:
            break
        if shift.start > covered_until:
            found.append(Gap(role=role, start=covered_until, end=shift.start))
        covered_until = max(covered_until, shift.end)
    if covered_until < end:
        found.append(Gap(role=role, start=covered_until, end=end))
    return found
