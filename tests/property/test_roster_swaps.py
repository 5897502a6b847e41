"""Swaps: whatever is given to whom, the hours stay covered, and by the right person."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from greenchannel.alerts.refusal import Refused
from greenchannel.alerts.roster import on_duty
from greenchannel.alerts.roster_edit import DutyShift, cautions, give, of_site

T0 = datetime(2026, 3, 2, tzinfo=UTC)


def at(hours: float) -> datetime:
    return T0 + timedelta(hours=hours)


def shift(
    id: str, person: str, start: float, end: float, role: str = "first", site: str | None = None
) -> DutyShift:
    return DutyShift(id=id, role=role, person=person, start=at(start), end=at(end), site=site)


SWAPS = st.lists(st.tuples(st.integers(0, 47), st.integers(1, 48), st.sampled_from("abcd")), max_size=8)


@given(SWAPS, st.integers(-10, 40))
def test_any_chain_of_swaps_conserves_the_coverage(swaps: list[tuple[int, int, str]], now_h: int) -> None:
    """Give any part of whatever is in force to anybody, again and again: the same hours, without gap or overlap, and
    each hour with the person to whom it was given last."""
    numbers, now = count(1), at(now_h)
    roster = {"s0": shift("s0", "a", 0, 48)}
    holds = ["a"] * 48
    for start, length, to in swaps:
        end = min(start + length, 48)
        current = next(
            one for one in roster.values() if one.replaced_by is None and one.start <= at(start) < one.end
        )
        try:
            done = give(
                current,
                to,
                start=at(start),
                end=min(at(end), current.end),
                now=now,
                new_id=lambda: f"s{next(numbers)}",
            )
        except Refused as refused:
            assert refused.code in {"same_person", "not_in_shift", "shift_over"}
            assert refused.code != "not_in_shift" or start < now_h
            continue
        roster[current.id] = done.replaced
        roster |= {part.id: part for part in done.in_force}
        for hour in range(start, round((done.given.end - T0) / timedelta(hours=1))):
            holds[hour] = to

    force = sorted((one for one in roster.values() if one.replaced_by is None), key=lambda one: one.start)
    assert force[0].start == at(0) and force[-1].end == at(48)
    assert all(one.end == other.start for one, other in pairwise(force))
    assert [on_duty([one.plain() for one in force], at(h), "first") for h in range(48)] == holds


def test_of_a_running_shift_only_what_is_left_is_given() -> None:
    """Without a beginning the part begins now; what was, was."""
    done = give(shift("s", "a", 0, 12), "b", start=None, end=None, now=at(3), new_id=iter("xyz").__next__)
    assert (done.given.start, done.given.end) == (at(3), at(12))
    assert [(one.person, one.start, one.end) for one in done.kept] == [("a", at(0), at(3))]
    moment = at(3) + timedelta(microseconds=1)
    late = give(shift("s", "a", 0, 12), "b", start=None, end=None, now=moment, new_id=iter("xyz").__next__)
    assert late.given.start == at(3) == late.kept[0].end
    with pytest.raises(Refused, match="expected a part between"):
        give(shift("s", "a", 0, 12), "b", start=at(1), end=None, now=at(3), new_id=iter("xyz").__next__)


def test_what_cannot_be_given_says_why_in_both_languages() -> None:
    """A shift that is over, given away before, to oneself, or a part outside of it."""
    ids = iter("abcdefgh").__next__
    one = shift("s", "a", 0, 12)
    gone = give(one, "b", start=None, end=None, now=at(-1), new_id=ids).replaced
    attempts: tuple[tuple[str, Callable[[], object]], ...] = (
        ("shift_over", lambda: give(one, "b", start=None, end=None, now=at(12), new_id=ids)),
        ("shift_replaced", lambda: give(gone, "c", start=None, end=None, now=at(-1), new_id=ids)),
        ("same_person", lambda: give(one, "a", start=None, end=None, now=at(-1), new_id=ids)),
        ("not_in_shift", lambda: give(one, "b", start=at(5), end=at(5), now=at(-1), new_id=ids)),
        ("not_in_shift", lambda: give(one, "b", start=at(5), end=at(13), now=at(-1), new_id=ids)),
    )
    for code, attempt in attempts:
        with pytest.raises(Refused) as refused:
            attempt()
        assert refused.value.code == code and refused.value.zh and refused.value.en


def test_an_overlap_and_two_roles_at_once_are_said() -> None:
    """Both are allowed. Touching is no overlap, and a site's own shift over the network's is meant."""
    roster = [
        shift("a", "anna", 0, 12),
        shift("b", "bo", 12, 24),
        shift("c", "cui", 10, 13),
        shift("d", "anna", 6, 8, role="second"),
        shift("e", "bo", 6, 8, site="east"),
    ]
    assert [one.code for one in cautions([roster[2]], roster)] == ["overlap", "overlap"]
    assert [one.code for one in cautions([roster[3]], roster)] == ["two_roles"]
    assert cautions([roster[4]], roster) == []
    assert cautions(roster[:2], roster[:2]) == []


def test_a_sites_own_shift_wins_for_its_cases_alone() -> None:
    """In its role, while it lasts; elsewhere and for other sites the network's holds."""
    roster = [
        shift("n1", "anna", 0, 24),
        shift("n2", "bo", 0, 24, role="second"),
        shift("e1", "cui", -6, 12, site="east"),
    ]

    def holds(site: str | None, hour: float, role: str = "first") -> str | None:
        return on_duty([one.plain() for one in of_site(roster, site, at(hour))], at(hour), role)

    assert (holds("east", 6), holds("east", 13), holds("west", 6), holds(None, 6)) == (
        "cui",
        "anna",
        "anna",
        "anna",
    )
    assert holds("east", 6, "second") == "bo"
    assert holds("east", -3) == "cui" and holds(None, -3) is None
