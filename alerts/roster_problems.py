"""The roster looked at ahead: where nobody is on duty, or somebody who cannot be; when to look; what to say once."""

from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime, timedelta
from functools import cache
from itertools import pairwise
from typing import Final

import msgspec

from greenchannel.alerts.coverage import gaps
from greenchannel.alerts.roster import on_duty
from greenchannel.alerts.roster_edit import DutyShift, of_site
from greenchannel.alerts.tables import read_value
from greenchannel.clock import check_aware
from greenchannel.events import ShiftInDoubt

EMPTY: Final = "empty"
DISABLED: Final = "disabled"
UNREACHABLE: Final = "unreachable"

DAY_BEFORE: Final = "day_before"
HOUR_BEFORE: Final = "hour_before"

Reachable = Callable[[str, datetime], bool]


class WatchSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How far ahead one looks; see ``roster_watch.toml``."""

    day_before: timedelta
    hour_before: timedelta
    horizon: timedelta
    plan_every: timedelta
    most_problems: int


@cache
def watch_settings() -> WatchSettings:
    """The times of ``roster_watch.toml``."""

    def seconds(name: str) -> timedelta:
        return timedelta(seconds=read_value("roster_watch", name, float))

    return WatchSettings(
        day_before=seconds("day_before_s"),
        hour_before=seconds("hour_before_s"),
        horizon=seconds("horizon_s"),
        plan_every=seconds("plan_every_s"),
        most_problems=read_value("roster_watch", "most_problems", int),
    )


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """A time in which a role has nobody, or somebody who cannot come."""

    role: str
    start: datetime
    end: datetime
    problem: str  # EMPTY, DISABLED, UNREACHABLE
    person: str | None = None
    site: str | None = None  # whose roster; None: of the whole network

    @property
    def key(self) -> tuple[str, str | None, str, str | None]:
        """What two problems have in common that may be one; their times decide."""
        return self.role, self.site, self.problem, self.person

    def overlaps(self, other: "Problem") -> bool:
        """Is something of the one also in the other?"""
        return self.key == other.key and self.start < other.end and other.start < self.end


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """A due time of the roster: look at a role before the boundary of a shift."""

    kind: str  # DAY_BEFORE, HOUR_BEFORE
    role: str
    boundary: datetime
    due_at: datetime


# ---------------------------------------------------------------- what is wrong


def problems(
    shifts: Iterable[DutyShift],
    roles: Sequence[str],
    sites: Collection[str],
    start: datetime,
    end: datetime,
    *,
    disabled: Collection[str],
    reachable: Reachable,
    now: datetime,
) -> list[Problem]:
    """Everything in doubt between two instants, by its beginning.

    Where all sites have shifts of their own in a role, nobody relies on the network's: then each site is looked at for
    itself. Else the network's roster must be whole, and of a site's own shifts only the people are looked at, since its
    gaps are filled by the network.

    Parameters
    ----------
    sites
        Those in use that send patients.
    disabled
        Ids of people who cannot sign in any more, or are not there at all.
    reachable
        Whether some channel to a person is known to work, as of `now`.
    """
    start, end, now = check_aware(start), check_aware(end), check_aware(now)
    force = [one for one in shifts if one.replaced_by is None and one.start < end and one.end > start]
    found: list[Problem] = []
    for role in roles:
        own = sorted({one.site for one in force if one.role == role and one.site is not None} & set(sites))
        network = not own or set(own) < set(sites)
        if network:
            found += _gaps(force, role, None, start, end)
            found += _people(force, role, None, start, end, disabled, reachable, now)
        for site in own:
            if not network:
                found += _gaps(force, role, site, start, end)
            found += _people(force, role, site, start, end, disabled, reachable, now, own_only=network)
    return sorted(
        found, key=lambda one: (one.start, list(roles).index(one.role), one.site or "", one.problem)
    )


def _gaps(
    shifts: Sequence[DutyShift], role: str, site: str | None, start: datetime, end: datetime
) -> list[Problem]:
    counted = [one.plain() for one in shifts if one.site is None or one.site == site]
    return [
        Problem(role=role, start=gap.start, end=gap.end, problem=EMPTY, site=site)
        for gap in gaps(counted, (role,), start, end)
    ]


def _people(
    shifts: Sequence[DutyShift],
    role: str,
    site: str | None,
    start: datetime,
    end: datetime,
    disabled: Collection[str],
    reachable: Reachable,
    now: datetime,
    *,
    own_only: bool = False,
) -> list[Problem]:
    counted = [one for one in shifts if one.role == role and (one.site is None or one.site == site)]
    edges = {edge for one in counted for edge in (one.start, one.end) if start < edge < end}
    found: list[Problem] = []
    for first, last in pairwise(sorted({start, end} | edges)):
        valid = of_site(counted, site, first)
        person = on_duty([one.plain() for one in valid], first, role)
        theirs = any(
            one.site == site and one.person == person and one.start <= first < one.end for one in valid
        )
        if person is None or (own_only and not theirs):
            continue
        wrong = DISABLED if person in disabled else None if reachable(person, now) else UNREACHABLE
        if wrong is None:
            continue
        next_one = Problem(role=role, start=first, end=last, problem=wrong, person=person, site=site)
        if found and found[-1].key == next_one.key and found[-1].end == first:
            found[-1] = msgspec.structs.replace(found[-1], end=last)
        else:
            found.append(next_one)
    return found


# ---------------------------------------------------------------- when to look


def checks(shifts: Iterable[DutyShift], roles: Sequence[str], now: datetime) -> list[Check]:
    """The checks to come: one the day before and one an hour before each boundary of each role within the horizon."""
    now, settings = check_aware(now), watch_settings()
    ahead = ((DAY_BEFORE, settings.day_before), (HOUR_BEFORE, settings.hour_before))
    boundaries = {
        (one.role, edge)
        for one in shifts
        if one.replaced_by is None and one.role in roles
        for edge in (one.start, one.end)
        if now < edge <= now + settings.horizon
    }
    return [
        Check(kind=kind, role=role, boundary=edge, due_at=edge - before)
        for role, edge in sorted(boundaries)
        for kind, before in ahead
        if edge - before > now
    ]


# ---------------------------------------------------------------- what to say


class Doubt(msgspec.Struct, frozen=True, kw_only=True):
    """A problem that was said, and is not known to be gone."""

    problem: Problem
    checks: frozenset[str]  # at which it was said
    said_at: datetime  # first

    def tells(self, problem: Problem, now: datetime) -> bool:
        """Is this what was said of a problem that is found now?

        One that is to come is known by its beginning: where a part of a gap was filled, what is left is another. One
        that is going on may have begun before the look did, so what was said of it may begin anywhere up to now.
        """
        if self.problem.key != problem.key:
            return False
        if problem.start > now:
            return self.problem.start == problem.start
        return problem.start <= self.problem.start <= now


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What one look adds to what was said before."""

    new: tuple[tuple[Problem, str], ...]  # with the check at which it is said
    gone: tuple[Doubt, ...]


def fold(said: Iterable[tuple[datetime, ShiftInDoubt]], now: datetime) -> list[Doubt]:
    """What is in doubt by the log alone, by its beginning; what lies wholly in the past is over and left out.

    A role that stays empty is so said anew once the span that was told has passed.
    """
    open_: dict[tuple[object, ...], Doubt] = {}
    for at, event in said:
        problem = _problem_of(event)
        name = (*problem.key, problem.start)
        if event.gone:
            open_.pop(name, None)
            continue
        before = open_.get(name)
        open_[name] = Doubt(
            problem=problem,
            checks=(before.checks if before else frozenset())
            | ({event.check} if event.check else frozenset()),
            said_at=before.said_at if before else at,
        )
    now = check_aware(now)
    return sorted(
        (one for one in open_.values() if one.problem.end >= now),
        key=lambda one: (one.problem.start, one.said_at),
    )


def judge(found: Sequence[Problem], doubts: Iterable[Doubt], now: datetime) -> Verdict:
    """Compare what is in doubt now with what was said: each problem is said once the day and once the hour before.

    A problem that was found late, after its hour had come, is said as of that hour. What was said, is still to come or
    going on, and is found no more, is gone.
    """
    now, settings = check_aware(now), watch_settings()
    waiting = list(doubts)
    new: list[tuple[Problem, str]] = []
    for problem in found:
        if problem.start > now + settings.day_before:
            continue
        check = HOUR_BEFORE if problem.start <= now + settings.hour_before else DAY_BEFORE
        said = frozenset().union(*(one.checks for one in waiting if one.tells(problem, now)))
        if not said & {check, HOUR_BEFORE}:
            new.append((problem, check))
    gone = [
        one
        for one in waiting
        if one.problem.end > now and not any(one.problem.overlaps(problem) for problem in found)
    ]
    return Verdict(new=tuple(new[: settings.most_problems]), gone=tuple(gone))


def look_from(doubts: Iterable[Doubt], now: datetime) -> datetime:
    """Where a look begins: at the beginning of what is going on and was said, so that it is known to be the same."""
    return min([check_aware(now), *(one.problem.start for one in doubts)])


def event_of(problem: Problem, check: str | None, now: datetime, *, gone: bool = False) -> ShiftInDoubt:
    """The problem as it is written into the log."""
    return ShiftInDoubt(
        role=problem.role,
        starts=problem.start,
        ends=problem.end,
        problem=problem.problem,
        ahead_s=(problem.start - check_aware(now)).total_seconds(),
        person=problem.person,
        site=problem.site,
        check=check,
        gone=gone,
    )


def _problem_of(event: ShiftInDoubt) -> Problem:
    return Problem(
        role=event.role,
        start=event.starts,
        end=event.ends,
        problem=event.problem,
        person=event.person,
        site=event.site,
    )
