"""Changes of the duty roster as values: giving a shift or a part of it away, and what such a change leaves behind."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

import msgspec

from greenchannel.alerts.refusal import Refused
from greenchannel.alerts.roster import Shift
from greenchannel.clock import check_aware, rfc3339


class DutyShift(msgspec.Struct, frozen=True, kw_only=True):
    """A shift with everything the roster knows of it; `start` is in it, `end` is not."""

    id: str
    role: str  # of the roster: "first", "second", "head"
    person: str  # user id
    start: datetime  # aware
    end: datetime  # aware
    site: str | None = None  # None: of the whole network
    uid: str | None = None  # of the calendar's event it came from
    occurrence: datetime | None = None  # which repeat of that event, by its first planned beginning
    instead_of: str | None = None  # the shift whose part it is since a swap
    replaced_by: str | None = None  # not in force any more: the shift given away instead of it

    def plain(self) -> Shift:
        """As the escalation asks for it."""
        return Shift(person=self.person, role=self.role, start=self.start, end=self.end)


class Given(msgspec.Struct, frozen=True, kw_only=True):
    """What a swap makes of one shift."""

    replaced: DutyShift  # the shift as it was, out of force
    given: DutyShift  # the other person's part
    kept: tuple[DutyShift, ...]  # what the first person still has, before and after it

    @property
    def in_force(self) -> tuple[DutyShift, ...]:
        """The parts, by their beginning: together they are the shift as it was."""
        return tuple(sorted((self.given, *self.kept), key=lambda part: part.start))


def give(
    shift: DutyShift,
    to: str,
    *,
    start: datetime | None,
    end: datetime | None,
    now: datetime,
    new_id: Callable[[], str],
) -> Given:
    """Give a shift, or the part of it from `start` to `end`, to another person.

    Of a shift that has begun only what is left can be given: what was, was.

    Raises
    ------
    Refused
        The shift is not in force or over, the part does not lie within it, or the person has it already.
    """
    if shift.replaced_by is not None:
        raise Refused(
            "shift_replaced",
            f"该班次已被替换：{shift.id}",
            f"expected a shift in force, {shift.id} was given away: {shift.replaced_by} holds now",
            409,
        )
    now = check_aware(now).replace(microsecond=0)  # shifts are of whole seconds, and a swap holds at once
    first = max(shift.start, now) if start is None else check_aware(start)
    last = shift.end if end is None else check_aware(end)
    if shift.end <= now:
        raise Refused(
            "shift_over",
            "该班次已结束",
            f"expected a shift that is not over, got one that ended {rfc3339(shift.end)}",
            409,
        )
    earliest = max(shift.start, min(now, shift.end))
    if not (earliest <= first < last <= shift.end):
        raise Refused(
            "not_in_shift",
            f"所选时段须在班次之内：{rfc3339(earliest)} 至 {rfc3339(shift.end)}",
            f"expected a part between {rfc3339(earliest)} and {rfc3339(shift.end)}, "
            f"got {rfc3339(first)} to {rfc3339(last)}",
            422,
        )
    if to == shift.person:
        raise Refused(
            "same_person", "接班人与原值班人相同", f"expected another person, got {to} who has the shift", 422
        )
    part = _part(shift, new_id(), to, first, last)
    rest = ((shift.start, first), (last, shift.end))
    kept = tuple(_part(shift, new_id(), shift.person, a, b) for a, b in rest if a < b)
    return Given(replaced=msgspec.structs.replace(shift, replaced_by=part.id), given=part, kept=kept)


def _part(shift: DutyShift, id: str, person: str, start: datetime, end: datetime) -> DutyShift:
    return DutyShift(
        id=id,
        role=shift.role,
        person=person,
        start=start,
        end=end,
        site=shift.site,
        instead_of=shift.id,
    )


class Caution(msgspec.Struct, frozen=True, kw_only=True):
    """What a change leaves that is allowed, and that somebody should know of."""

    code: str  # "overlap", "two_roles", "over", …
    zh: str
    en: str


def cautions(changed: Iterable[DutyShift], roster: Iterable[DutyShift]) -> list[Caution]:
    """Overlaps of one role, and people in two roles at once, that shifts of `changed` take part in.

    Where two people overlap in a role the one whose shift began last is rung; a person in two roles is rung for both,
    and nobody stands behind. A site's own shift over one of the network is meant, and no overlap.
    """
    others = [shift for shift in roster if shift.replaced_by is None]
    found: dict[tuple[str, str, str], Caution] = {}
    for shift in changed:
        for other in others:
            if other.id == shift.id or other.site != shift.site:
                continue
            start, end = max(shift.start, other.start), min(shift.end, other.end)
            if start >= end:
                continue
            first, second = sorted((shift.id, other.id))
            if other.role == shift.role:
                found["overlap", first, second] = _overlap(shift, other, start, end)
            elif other.person == shift.person:
                found["two_roles", first, second] = _two_roles(shift, other, start, end)
    return [found[key] for key in sorted(found)]


def _overlap(one: DutyShift, other: DutyShift, start: datetime, end: datetime) -> Caution:
    span = f"{rfc3339(start)} – {rfc3339(end)}"
    return Caution(
        code="overlap",
        zh=f"{one.role} 班次重叠：{one.person} 与 {other.person}，{span}",
        en=f"{one.role}: {one.person} and {other.person} overlap, {span}",
    )


def _two_roles(one: DutyShift, other: DutyShift, start: datetime, end: datetime) -> Caution:
    span, roles = f"{rfc3339(start)} – {rfc3339(end)}", " + ".join(sorted((one.role, other.role)))
    return Caution(
        code="two_roles",
        zh=f"{one.person} 同时担任两个班次：{roles}，{span}",
        en=f"{one.person} is in two roles at once: {roles}, {span}",
    )


def of_site(shifts: Iterable[DutyShift], site: str | None, at: datetime) -> Sequence[DutyShift]:
    """The shifts that count at `at` for cases of a site: in a role that the site has covered itself, only its own.

    With `site` None only those of the network.
    """
    shifts = [one for one in shifts if one.replaced_by is None]
    network = [one for one in shifts if one.site is None]
    if site is None:
        return network
    own = [one for one in shifts if one.site == site]
    covered = {one.role for one in own if one.start <= at < one.end}
    return [*own, *(one for one in network if one.role not in covered)]
