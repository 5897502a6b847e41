"""The order of the milestones, generated from its table: legal histories pass, every violated constraint is named."""

import math
from collections.abc import Iterator, Sequence
from itertools import combinations, pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from greenchannel.alerts.milestones import MilestoneValue, milestones
from greenchannel.alerts.order import NATIONAL_ZONE, OrderRule, Problem, check_order, rules
from greenchannel.events import ClockReading
from tests.alerts_log import seconds

MODES: tuple[int | None, ...] = (1, 2, 3, 4, None)
WAYS = ("upload", "stream")
SOURCES = ("clinic", "gps", "server", "quality", "ed")


FACTS = {rule.fact: str(rule.code) for rule in rules() if rule.fact is not None}  # so that every rule holds


def holding(mode: int | None, way: str) -> list[OrderRule]:
    """The rules of chains that hold for this arrival mode and kind of ECG, where everything of `FACTS` was said."""
    return [rule for rule in rules() if rule.holds(mode, way, FACTS) and not rule.never_between]


def names_of(mode: int | None, way: str) -> list[str]:
    """The milestones that these rules order."""
    return sorted({name for rule in holding(mode, way) for name in rule.chain})


def value(name: str, minute: float, n: int = 0) -> MilestoneValue:
    """One time with a source and a clock of its own."""
    return MilestoneValue(
        milestone=name,
        time=ClockReading(at=seconds(60 * minute), clock=f"clock-{n}", offset_s=float(10 * n + 1)),
        source=SOURCES[n % len(SOURCES)],
        actor="user:x",
        recorded_at=seconds(0),
        seq=n + 1,
    )


def checked(times: dict[str, float], mode: int | None, way: str) -> tuple[Problem, ...]:
    values = {name: value(name, minute, n) for n, (name, minute) in enumerate(times.items())}
    return check_order(values, mode, way, facts=FACTS)


def merged(mode: int | None, way: str) -> dict[str, str]:
    """Milestones that must be one time, each by the name of the first of them."""
    return {name: rule.chain[0] for rule in holding(mode, way) if rule.equal for name in rule.chain}


def edges(mode: int | None, way: str) -> set[tuple[str, str]]:
    """What comes right before what, those of one time taken as one."""
    one = merged(mode, way)
    return {
        (one.get(a, a), one.get(b, b))
        for rule in holding(mode, way)
        if not rule.equal
        for a, b in pairwise(rule.chain)
    }


@st.composite
def linear_extensions(draw: st.DrawFn, mode: int | None, way: str) -> dict[str, float]:
    """A history that the partial order allows, any of them: times rise, now and then two share a minute."""
    one = merged(mode, way)
    after = edges(mode, way)
    left = sorted({one.get(name, name) for name in names_of(mode, way)})
    minute = 0.0
    times: dict[str, float] = {}
    while left:
        free = [name for name in left if not any(b == name and a in left for a, b in after)]
        assert free, f"the order of mode {mode} has a circle among {left}"
        name = draw(st.sampled_from(free))
        left.remove(name)
        minute += draw(st.sampled_from((0.0, 0.4, 1.0, 7.0, 90.0)))
        times[name] = minute
    for name, first in one.items():
        times[name] = times[first]
    absent = draw(st.sets(st.sampled_from(sorted(times)), max_size=len(times)))
    return {name: at for name, at in times.items() if name not in absent}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("mode", MODES)
def test_any_legal_history_is_accepted(mode: int | None, way: str) -> None:
    """Any linear extension, with any milestones missing: neither an error nor a warning."""
    tried = 0

    @settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
    @given(linear_extensions(mode, way))
    def accepted(times: dict[str, float]) -> None:
        nonlocal tried
        tried += 1
        assert checked(times, mode, way) == ()

    accepted()
    print(f"\nmode {mode}, {way}: {tried} legal histories of up to {len(names_of(mode, way))} times accepted")
    assert tried >= 10


def constraints() -> Iterator[tuple[int | None, str, OrderRule, str, str]]:
    """Every constraint of the table: mode, kind of ECG, rule, what comes first, what comes after."""
    for mode in MODES:
        for way in WAYS:
            for rule in holding(mode, way):
                for before, after in combinations(rule.chain, 2):
                    yield mode, way, rule, before, after


def legal_around(mode: int | None, way: str, keep: Sequence[str]) -> dict[str, float]:
    """One legal history, in which what must not hide the two of a constraint is left out."""
    one = merged(mode, way)
    after = edges(mode, way)
    left = sorted({one.get(name, name) for name in names_of(mode, way)})
    times: dict[str, float] = {}
    while left:
        name = next(n for n in left if not any(b == n and a in left for a, b in after))
        left.remove(name)
        times[name] = 10.0 * (len(times) + 1)
    for name, first in one.items():
        times[name] = times[first]
    between = {
        name
        for rule in holding(mode, way)
        if set(keep) <= set(rule.chain)
        for name in rule.chain[rule.chain.index(keep[0]) + 1 : rule.chain.index(keep[1])]
    }
    return {name: at for name, at in times.items() if name not in between}


def test_every_violated_constraint_is_named_with_both_times_their_sources_and_offsets() -> None:
    """For every mode, kind of ECG and pair of every chain: turned round within an otherwise legal history."""
    named = 0
    per_mode: dict[int | None, int] = {}
    for mode, way, rule, before, after in constraints():
        times = legal_around(mode, way, (before, after))
        first, second = times[before], times[after]
        late = max(first, second) + 20.0
        times[before], times[after] = late, late - 15.0
        values = {name: value(name, minute, n) for n, (name, minute) in enumerate(times.items())}
        found = {(p.before, p.after): p for p in check_order(values, mode, way, facts=FACTS)}
        assert (before, after) in found, (mode, way, before, after)
        problem = found[before, after]
        levels = {
            one.level for one in holding(mode, way) if {before, after} <= set(one.chain)
        }  # two rules may say the same
        assert problem.level in levels
        for text, name in ((problem.zh, "zh"), (problem.en, "en")):
            for milestone in (before, after):
                said = values[milestone]
                spec = milestones()[milestone]
                assert (spec.zh if name == "zh" else spec.en) in text
                local = said.time.at.astimezone(NATIONAL_ZONE)
                assert f"{local:%H:%M:%S}" in text
                assert said.source in text and said.time.clock in text
                assert said.time.offset_s is not None and f"{said.time.offset_s:+.0f}" in text
        if rule.equal:
            assert "one time" in problem.en or (before, after) in edges(mode, way)
        named += 1
        per_mode[mode] = per_mode.get(mode, 0) + 1
    print(f"\n{named} violated constraints named: {per_mode}; {len(rules())} rules in the table")
    assert named == sum(
        math.comb(len(rule.chain), 2) for mode in MODES for way in WAYS for rule in holding(mode, way)
    )


def test_the_same_minute_is_in_order_and_the_slack_is_a_warning() -> None:
    """Turned round by seconds within a minute it is no problem; within the slack it is one of the milder kind."""
    for mode, way, rule, before, after in constraints():
        if not rule.equal:
            assert checked({before: 5.9, after: 5.1}, mode, way) == ()
        if rule.slack_min:
            (mild,) = checked({before: 5.0 + rule.slack_min, after: 5.0}, mode, way)
            (hard,) = checked({before: 6.0 + rule.slack_min, after: 5.0}, mode, way)
            assert (mild.level, hard.level) == ("warning", rule.level)


def test_what_the_modes_leave_open_stays_open() -> None:
    """In a transfer the remote consult, the lab and the consent may precede the door, and may follow it."""
    remote = ("CONSULT_DONE", "DX", "CATH_CALL", "CATH_READY", "CONSENT_START", "CONSENT_SIGN")
    for name in remote:
        for times in ({name: 5.0, "HUB_DOOR": 60.0}, {name: 65.0, "HUB_DOOR": 60.0}):
            assert checked(times, 2, "upload") == ()
    together = {
        "CONSENT_START": 3.0,
        "CONSENT_SIGN": 6.0,
        "CATH_CALL": 2.0,
        "CATH_READY": 20.0,
        "HUB_DOOR": 30.0,
    }
    assert checked(together, 2, "upload") == ()


def test_a_rule_of_a_fact_holds_only_where_that_was_said() -> None:
    """What nobody said, or what was said otherwise, makes no problem."""
    for rule in rules():
        if rule.fact is None:
            continue
        minutes = (10.0, 20.0, 30.0) if rule.never_between else (30.0, 20.0)
        times = dict(zip(rule.chain, minutes, strict=True))
        values = {name: value(name, minute) for name, minute in times.items()}
        said = {rule.fact: str(rule.code)}
        assert [(p.before, p.after) for p in check_order(values, None, facts=said)] != []
        assert check_order(values, None) == check_order(values, None, facts={rule.fact: "no"}) == ()


@given(
    st.permutations(range(3)), st.lists(st.integers(0, 3), min_size=3, max_size=3), st.sets(st.integers(0, 2))
)
def test_a_bypassed_department_was_not_entered_on_the_way(
    order: list[int], gaps: list[int], unknown: set[int]
) -> None:
    """Named exactly where all three times are known and the middle one lies between the others, or in their minute."""
    for rule in (one for one in rules() if one.never_between):
        minutes = {place: 5.0 + sum(gaps[: order.index(place) + 1]) for place in range(3)}
        times = {name: minutes[n] for n, name in enumerate(rule.chain) if n not in unknown}
        found = [p for p in checked(times, 2, "upload") if (p.before, p.after) == rule.chain[1:]]
        between = minutes[0] <= minutes[1] <= minutes[2]
        assert bool(found) == (between and not unknown)
        for problem in found:
            assert all(
                milestones()[name].zh in problem.zh and milestones()[name].en in problem.en
                for name in rule.chain
            )
            assert "clock-" in problem.en and "offset" in problem.en
