"""The roster looked at ahead: what is in doubt, when one looks, what is said once."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from greenchannel.alerts.roster_edit import DutyShift
from greenchannel.alerts.roster_problems import (
    DAY_BEFORE,
    HOUR_BEFORE,
    Problem,
    checks,
    event_of,
    fold,
    judge,
    problems,
)
from greenchannel.events import ShiftInDoubt

T0 = datetime(2026, 3, 2, tzinfo=UTC)
SITES = ("east", "west")


def at(hours: float) -> datetime:
    return T0 + timedelta(hours=hours)


def shift(person: str, start: float, end: float, role: str = "first", site: str | None = None) -> DutyShift:
    id = f"{person}-{role}-{start}-{site}"
    return DutyShift(id=id, role=role, person=person, start=at(start), end=at(end), site=site)


def found(
    shifts: list[DutyShift],
    *,
    disabled: tuple[str, ...] = (),
    mute: tuple[str, ...] = (),
    sites: tuple[str, ...] = SITES,
    span: tuple[float, float] = (0, 24),
) -> list[tuple[str, float, float, str | None, str | None]]:
    """What, from hour, to hour, person, site."""
    listed = problems(
        shifts,
        ("first",),
        sites,
        at(span[0]),
        at(span[1]),
        disabled=disabled,
        reachable=lambda person, now: person not in mute,
        now=at(0),
    )
    hour = timedelta(hours=1)
    return [
        (one.problem, (one.start - T0) / hour, (one.end - T0) / hour, one.person, one.site) for one in listed
    ]


def test_nobody_somebody_disabled_and_somebody_out_of_reach() -> None:
    """Each with its hours; only who would be rung is looked at, not who is overlapped by another."""
    day = [shift("anna", 0, 12), shift("bo", 14, 24)]
    assert found(day) == [("empty", 12, 14, None, None)]
    assert found(day, disabled=("bo",)) == [("empty", 12, 14, None, None), ("disabled", 14, 24, "bo", None)]
    assert found([*day, shift("cui", 10, 16)], mute=("cui", "bo")) == [
        ("unreachable", 10, 14, "cui", None),
        ("unreachable", 14, 24, "bo", None),
    ]
    assert found([shift("anna", 0, 24), shift("bo", 6, 8)], mute=("anna",)) == [
        ("unreachable", 0, 6, "anna", None),
        ("unreachable", 8, 24, "anna", None),
    ]
    assert found([]) == [("empty", 0, 24, None, None)]


def test_a_site_with_its_own_roster() -> None:
    """Its gaps are filled by the network; its people are looked at. Where every site has its own, nobody needs the
    network's, and each gap is that site's."""
    own = [shift("anna", 0, 24), shift("bo", 6, 12, site="east")]
    assert found(own) == []
    assert found(own, mute=("bo",)) == [("unreachable", 6, 12, "bo", "east")]
    assert found(own, mute=("anna",)) == [("unreachable", 0, 24, "anna", None)]
    every = [shift("bo", 0, 24, site="east"), shift("cui", 0, 20, site="west")]
    assert found(every) == [("empty", 20, 24, None, "west")]
    assert found(every, sites=("east",)) == []
    assert found(every, sites=(*SITES, "south")) == [("empty", 0, 24, None, None)]


def test_checks_lie_a_day_and_an_hour_before_each_boundary_within_two_days() -> None:
    """Only those to come; the same boundary of two shifts is one."""
    shifts = [shift("a", 0, 12), shift("b", 12, 36), shift("c", 36, 60), shift("x", 12, 36, role="tea")]
    planned = checks(shifts, ("first",), at(1))
    hours = [(one.kind, (one.boundary - T0) / timedelta(hours=1)) for one in planned]
    assert hours == [(HOUR_BEFORE, 12), (DAY_BEFORE, 36), (HOUR_BEFORE, 36)]
    assert all(
        one.due_at == one.boundary - timedelta(hours=24 if one.kind == DAY_BEFORE else 1) for one in planned
    )
    assert checks(shifts, ("first",), at(36)) == [
        one for one in checks(shifts, ("first",), at(35.5)) if one.due_at > at(36)
    ]


GAP = Problem(role="first", start=at(24), end=at(30), problem="empty")


def said(
    problem: Problem, check: str | None, hour: float, *, gone: bool = False
) -> tuple[datetime, ShiftInDoubt]:
    return at(hour), event_of(problem, check, at(hour), gone=gone)


def test_a_problem_is_said_once_the_day_and_once_the_hour_before() -> None:
    """Found late it is said as of the hour; further ahead than a day not yet."""
    assert judge([GAP], [], at(-1)).new == ()
    assert judge([GAP], [], at(0)).new == ((GAP, DAY_BEFORE),)
    day = [said(GAP, DAY_BEFORE, 0)]
    assert judge([GAP], fold(day, at(5)), at(5)).new == ()
    assert judge([GAP], fold(day, at(23)), at(23)).new == ((GAP, HOUR_BEFORE),)
    both = [*day, said(GAP, HOUR_BEFORE, 23)]
    assert judge([GAP], fold(both, at(25)), at(25)).new == ()
    assert judge([GAP], [], at(26)).new == ((GAP, HOUR_BEFORE),)
    late = [said(GAP, HOUR_BEFORE, 23.5)]
    assert judge([GAP], fold(late, at(23)), at(22)).new == ()


def test_what_is_gone_is_said_and_what_comes_back_is_said_anew() -> None:
    """Filled in part, what is left is another problem; filled wholly it is gone; passed, it is over without a word."""
    day = [said(GAP, DAY_BEFORE, 0)]
    part = Problem(role="first", start=at(27), end=at(30), problem="empty")
    left = judge([part], fold(day, at(5)), at(5))
    assert left.new == ((part, DAY_BEFORE),) and left.gone == ()
    (gone,) = judge([], fold(day, at(5)), at(5)).gone
    assert gone.problem == GAP
    again = [*day, said(GAP, None, 5, gone=True)]
    assert fold(again, at(6)) == []
    assert judge([GAP], fold(again, at(6)), at(6)).new == ((GAP, DAY_BEFORE),)
    assert judge([], fold(day, at(31)), at(31)).gone == ()


HOURS = st.integers(0, 47)


@given(
    st.lists(st.lists(st.tuples(HOURS, st.integers(1, 12)), max_size=5), min_size=1, max_size=6), st.data()
)
def test_however_the_roster_changes_nothing_is_said_twice_or_forgotten(
    versions: list[list[tuple[int, int]]], data: st.DataObject
) -> None:
    """At each look what is in doubt within a day is said by the log, and what is said and not gone is in doubt; a look
    that is repeated adds nothing."""
    log: list[tuple[datetime, ShiftInDoubt]] = []
    now = 0
    for version in versions:
        now += data.draw(st.integers(0, 8))
        shifts = [shift("anna", start, start + length) for start, length in version]
        doubts = fold(log, at(now))
        begin = min([at(now), *(one.problem.start for one in doubts)])
        listed = problems(
            shifts,
            ("first",),
            (),
            begin,
            at(now + 48),
            disabled=(),
            reachable=lambda person, when: True,
            now=at(now),
        )
        verdict = judge(listed, doubts, at(now))
        log += [said(problem, check, now) for problem, check in verdict.new]
        log += [said(doubt.problem, None, now, gone=True) for doubt in verdict.gone]

        open_ = fold(log, at(now))
        for problem in listed:
            if problem.start <= at(now + 24) and problem.end > at(now):
                assert any(one.tells(problem, at(now)) for one in open_), problem
        for doubt in open_:
            assert doubt.problem.end <= at(now) or any(doubt.problem.overlaps(one) for one in listed), doubt
        again = judge(listed, open_, at(now))
        assert again.new == () and again.gone == ()
