"""Changes of the roster within one command: the rows, the events that say who changed what, and the looks ahead.

The running service and an administration command beside it call the same functions; `then` is what differs.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import Connection

from greenchannel.alerts.refusal import Refused
from greenchannel.alerts.roster_edit import Caution, DutyShift, cautions, give
from greenchannel.alerts.roster_ical import Read, read_calendar
from greenchannel.alerts.roster_import import Merge, merge, own_id, plan_shifts
from greenchannel.alerts.roster_problems import Doubt, fold
from greenchannel.alerts.roster_words import Wrong
from greenchannel.alerts.tables import read_value
from greenchannel.clock import check_aware, rfc3339
from greenchannel.events import RosterChanged
from greenchannel.service.errors import NotFound
from greenchannel.service.ids import new_id
from greenchannel.service.roster_watch import STREAM, duty_shift, row_of
from greenchannel.store import roster_rows
from greenchannel.store.accounts import MAY_BE_ON_DUTY, SHIFT_ROLES, Shift, User
from greenchannel.store.writer import Tx

NETWORK_ZONE: Final = ZoneInfo("Asia/Shanghai")  # of times without one that belong to no site
_LONGEST_ID: Final = 64
BY_CALENDAR: Final = "calendar"  # reason of what an import removes

Then = Callable[[Tx], None]
"""Called at the end of each change: `RosterWatch.plan`, or `roster_watch.look_soon` beside a running service."""


class Changed(msgspec.Struct, frozen=True, kw_only=True):
    """What a change of the roster has done."""

    added: tuple[DutyShift, ...] = ()
    changed: tuple[DutyShift, ...] = ()
    removed: tuple[DutyShift, ...] = ()
    unchanged: int = 0
    cautions: tuple[Caution, ...] = ()


class ImportRefused(Refused):
    """Something of an import is wrong, and nothing of it was taken; `wrong` is the list."""

    def __init__(self, wrong: Sequence[Wrong]) -> None:
        first = wrong[0]
        place = f"{first.where}: " if first.where else ""
        super().__init__(
            "bad_roster",
            f"未导入，共 {len(wrong)} 处错误：{place}{first.zh}",
            f"nothing was imported, faults: {len(wrong)}, first {place}{first.en}",
            422,
        )
        self.wrong = tuple(wrong)


class OnlyTried(Exception):
    """Ends a command that was to show what it would do: raising undoes it."""

    def __init__(self, changed: Changed) -> None:
        super().__init__("tried")
        self.changed = changed


def add_shift(tx: Tx, then: Then, *, shift: DutyShift, actor: str) -> Changed:
    """Enter one shift.

    Raises
    ------
    Refused
        The id is taken, the times do not fit, or the person may not have it.
    """
    people, sites = roster_rows.people(tx.conn), roster_rows.sites(tx.conn)
    refusal = _misfit(shift, people, sites, tx.now) or _broken_second(shift)
    if refusal is not None:
        raise refusal
    if roster_rows.one(tx.conn, shift.id) is not None:
        raise Refused(
            "shift_exists", f"班次已存在：{shift.id}", f"expected a new shift, {shift.id} is there", 409
        )
    roster_rows.add(tx.conn, row_of(shift))
    tx.append(STREAM, [_event("added", shift)], actor=actor)
    then(tx)
    return Changed(added=(shift,), cautions=(*_over(shift, tx.now), *_cautions(tx, [shift])))


def remove_shift(tx: Tx, then: Then, *, shift_id: str, actor: str, reason: str | None = None) -> Changed:
    """Take a shift in force off the roster; raises `NotFound`, and `Refused` for one that was given away."""
    row = in_force(tx.conn, shift_id)
    roster_rows.remove(tx.conn, [shift_id])
    tx.append(STREAM, [_event("removed", duty_shift(row), reason=reason)], actor=actor)
    then(tx)
    return Changed(removed=(duty_shift(row),))


def swap_shift(
    tx: Tx,
    then: Then,
    *,
    shift_id: str,
    to: str,
    start: datetime | None,
    end: datetime | None,
    reason: str,
    actor: str,
) -> Changed:
    """Give a shift, or the part from `start` to `end`, to another person.

    The row as it was stays, out of force, so that a calendar it came from is known again.

    Raises
    ------
    NotFound
        There is no such shift.
    Refused
        It was given away, the part does not fit, or the person may not have it.
    """
    shift = duty_shift(in_force(tx.conn, shift_id))
    done = give(shift, to, start=start, end=end, now=tx.now, new_id=lambda: new_id("s"))
    refusal = _misfit(done.given, roster_rows.people(tx.conn), roster_rows.sites(tx.conn), tx.now)
    if refusal is not None:
        raise refusal
    roster_rows.change(tx.conn, row_of(done.replaced))
    for part in done.in_force:
        roster_rows.add(tx.conn, row_of(part))
    event = _event("swapped", done.given, instead_of=shift.person, reason=reason)
    tx.append(STREAM, [event], actor=actor)
    then(tx)
    return Changed(added=done.in_force, removed=(done.replaced,), cautions=_cautions(tx, [done.given]))


def import_calendar(tx: Tx, then: Then, *, read: Read, actor: str, dry_run: bool = False) -> Changed:
    """Lay a calendar over the roster.

    Raises
    ------
    ImportRefused
        Something of it is wrong; then nothing is taken.
    OnlyTried
        With `dry_run`, in place of the answer.
    """
    if read.wrong:
        raise ImportRefused(read.wrong)
    uids = [one.uid for one in read.series]
    rows = roster_rows.of_calendar(tx.conn, uids, [id for uid in uids if (id := own_id(uid)) is not None])
    found = merge(read.series, [duty_shift(row) for row in rows], start=read.start, end=read.end)
    return _carry_out(tx, then, found, read.notes, actor, dry_run)


def import_shifts(
    tx: Tx, then: Then, *, shifts: Iterable[DutyShift], actor: str, dry_run: bool = False
) -> Changed:
    """Enter shifts that have their ids, such as those of patterns; one that is there as it should be stays.

    Raises as `import_calendar`.
    """
    shifts = list(shifts)
    rows = roster_rows.of_calendar(tx.conn, (), [one.id for one in shifts])
    found = plan_shifts(shifts, {row.id: duty_shift(row) for row in rows})
    return _carry_out(tx, then, found, (), actor, dry_run)


def read_file(connection: Connection, data: bytes, *, site: str | None, now: datetime) -> Read:
    """Read a calendar file against the people and sites that there are; raises `NotFound` for an unknown `site`."""
    people, sites = roster_rows.people(connection), roster_rows.sites(connection)
    if site is not None and site not in sites:
        raise NotFound("site", site)
    return read_calendar(
        data,
        people={id: one.name for id, one in people.items()},
        sites=sites,
        zone=NETWORK_ZONE if site is None else ZoneInfo(sites[site]),
        now=now,
        site=site,
    )


def said_before(connection: Connection, now: datetime) -> list[Doubt]:
    """What the service has said to be in doubt, and not to be gone."""
    return fold(roster_rows.doubts(connection, STREAM), now)


def shift_id_of(role: str, person: str, start: datetime, site: str | None = None) -> str:
    """The id of a shift that a person enters: who, as what, from when, and where it is not of the network."""
    named = f"{role}-{person}-{start.astimezone(UTC):%Y%m%dT%H%MZ}{'' if site is None else f'-{site}'}"
    return named if len(named) <= _LONGEST_ID else new_id("s")


def in_force(connection: Connection, shift_id: str) -> Shift:
    """A shift that holds; raises `NotFound`, and `Refused` for one that was given away."""
    row = roster_rows.one(connection, shift_id)
    if row is None:
        raise NotFound("shift", shift_id)
    if row.replaced_by is not None:
        raise Refused(
            "shift_replaced",
            f"该班次已被替换：{row.replaced_by}",
            f"expected a shift in force, {shift_id} was given away: {row.replaced_by} holds now",
            409,
        )
    return row


def _carry_out(
    tx: Tx, then: Then, found: Merge, notes: Sequence[Caution], actor: str, dry_run: bool
) -> Changed:
    touched = [*found.added, *(shift for _, shift in found.changed)]
    _check_all(tx.conn, touched, tx.now)
    events: list[RosterChanged] = []
    for shift in found.removed:
        parts = [part.id for part in roster_rows.parts_of(tx.conn, shift.id)]
        roster_rows.remove(tx.conn, [shift.id, *parts])
        events.append(_event("removed", shift, reason=BY_CALENDAR))
    for was, shift in found.changed:
        roster_rows.remove(tx.conn, [part.id for part in roster_rows.parts_of(tx.conn, was.id)])
        roster_rows.change(tx.conn, row_of(shift))
        other = was.person if was.person != shift.person else None
        events.append(_event("imported", shift, instead_of=other))
    for shift in found.added:
        roster_rows.add(tx.conn, row_of(shift))
        events.append(_event("imported", shift))
    done = Changed(
        added=found.added,
        changed=tuple(shift for _, shift in found.changed),
        removed=found.removed,
        unchanged=found.unchanged,
        cautions=(*notes, *found.cautions, *_cautions(tx, touched)),
    )
    if dry_run:
        raise OnlyTried(done)
    if events:
        tx.append(STREAM, events, actor=actor)
        then(tx)
    return done


def _check_all(connection: Connection, shifts: Iterable[DutyShift], now: datetime) -> None:
    people, sites = roster_rows.people(connection), roster_rows.sites(connection)
    wrong = [
        Wrong(where=f"{one.role} {rfc3339(one.start)}", zh=refusal.zh, en=refusal.en)
        for one in shifts
        if (refusal := _misfit(one, people, sites, now)) is not None
    ]
    if wrong:
        raise ImportRefused(wrong)


def _misfit(
    shift: DutyShift, people: dict[str, User], sites: dict[str, str], now: datetime
) -> Refused | None:
    """Why this shift cannot be, or why this person cannot have it; None where it can."""
    if shift.role not in SHIFT_ROLES:
        roles = ", ".join(SHIFT_ROLES)
        return _no("no_such_role", f"没有这个值班角色：{shift.role}", f"a role among {roles}", shift.role)
    times = _bad_times(shift, now)
    if times is not None:
        return times
    if shift.site is not None and shift.site not in sites:
        return _no("no_such_site", f"没有这个机构：{shift.site}", "a site in use", shift.site)
    person = people.get(shift.person)
    if person is None:
        return _no("no_such_person", f"没有这个人：{shift.person}", "a person who is known", shift.person)
    if person.disabled:
        return _no(
            "person_disabled",
            f"账号已停用：{person.id}",
            "a person who can sign in",
            f"{person.id}, disabled",
        )
    if person.role not in MAY_BE_ON_DUTY:
        may = f"a person who may answer alerts ({', '.join(MAY_BE_ON_DUTY)})"
        return _no(
            "not_for_duty",
            f"{person.id} 的角色不能值班：{person.role}",
            may,
            f"the {person.role} {person.id}",
        )
    if person.sites is not None and (shift.site is None or shift.site not in person.sites):
        place, theirs = shift.site or "the whole network", " ".join(sorted(person.sites)) or "no site"
        zh = f"{person.id} 不能为此机构值班：{shift.site or '全网络'}"
        return _no("not_their_site", zh, f"a person for {place}", f"{person.id} with {theirs}")
    return None


def _bad_times(shift: DutyShift, now: datetime) -> Refused | None:
    """Why nobody can be on duty at these times."""
    start, end = check_aware(shift.start), check_aware(shift.end)
    if end <= start:
        return _no("bad_times", "结束时间须晚于开始时间", f"an end after {rfc3339(start)}", rfc3339(end))
    longest = timedelta(seconds=read_value("roster_watch", "longest_shift_s", float))
    if end - start > longest:
        days = longest / timedelta(days=1)
        return _no(
            "bad_times",
            f"一个班次最长 {days:.0f} 天",
            f"a shift of at most {days:.0f} days",
            f"{rfc3339(start)} to {rfc3339(end)}",
        )
    furthest = timedelta(days=read_value("roster_watch", "furthest_ahead_days", int))
    if start - now > furthest:
        return _no(
            "bad_times",
            f"班次须在 {furthest.days} 天之内开始",
            f"a shift that begins within {furthest.days} days",
            rfc3339(start),
        )
    return None


def _over(shift: DutyShift, now: datetime) -> tuple[Caution, ...]:
    if shift.end > now:
        return ()
    end = rfc3339(shift.end)
    return (Caution(code="over", zh=f"该班次已结束：{end}", en=f"this shift is over: it ended {end}"),)


def _broken_second(shift: DutyShift) -> Refused | None:
    """Calendars know whole seconds: a shift of others would come back as another one."""
    if not (shift.start.microsecond or shift.end.microsecond):
        return None
    return _no(
        "bad_times", "班次时间须为整秒", "whole seconds", f"{shift.start.time()} to {shift.end.time()}"
    )


def _no(code: str, zh: str, expected: str, got: str) -> Refused:
    return Refused(code, zh, f"expected {expected}, got {got}", 422)


def _cautions(tx: Tx, shifts: Sequence[DutyShift]) -> tuple[Caution, ...]:
    if not shifts:
        return ()
    start, end = min(one.start for one in shifts), max(one.end for one in shifts)
    around = [duty_shift(row) for row in roster_rows.between(tx.conn, start, end)]
    return tuple(cautions(shifts, around))


def _event(
    change: str, shift: DutyShift, *, instead_of: str | None = None, reason: str | None = None
) -> RosterChanged:
    return RosterChanged(
        change=change,
        shift_id=shift.id,
        role=shift.role,
        person=shift.person,
        starts=shift.start,
        ends=shift.end,
        instead_of=instead_of,
        reason=reason,
        site=shift.site,
    )
