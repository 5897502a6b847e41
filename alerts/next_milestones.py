"""Which milestones a person of a role enters with one tap, and which of them come next in a case."""

from collections.abc import Collection, Iterable, Mapping
from functools import cache

from greenchannel.alerts.milestones import MilestoneSpec
from greenchannel.alerts.order import rules
from greenchannel.alerts.tables import read_value

LATER_ROLES = frozenset({"quality"})  # who write down what is over, and tap nothing as it happens


@cache
def not_tapped() -> frozenset[str]:
    """What the service itself records, what another button does, and what is told of the past."""
    return frozenset(read_value("milestones", "not_tapped", tuple[str, ...]))


@cache
def _ended_by() -> Mapping[str, tuple[str, ...]]:
    return read_value("milestones", "ended_by", dict[str, tuple[str, ...]])


def is_tapped(spec: MilestoneSpec, role: str) -> bool:
    """Whether a person of `role` enters it as it happens: the press is the time."""
    return role in spec.enter and role not in LATER_ROLES and spec.id not in not_tapped()


@cache
def _comes_after() -> Mapping[str, tuple[str, ...]]:
    return read_value("milestones", "comes_after", dict[str, tuple[str, ...]])


@cache
def _edges(arrival_mode: int | None, way: str) -> Mapping[str, frozenset[str]]:
    """What comes right after each milestone, in any rule that holds; what must be one time is no order, and what
    hangs on a fact of the case is none of every case."""
    after: dict[str, set[str]] = {}
    for rule in rules():
        if rule.equal or rule.fact is not None or rule.way not in (None, way):
            continue
        if rule.modes is not None and arrival_mode not in rule.modes:
            continue
        for a, b in zip(rule.chain, rule.chain[1:], strict=False):
            after.setdefault(a, set()).add(b)
    return {name: frozenset(names) for name, names in after.items()}


@cache
def _beyond(name: str, arrival_mode: int | None, way: str) -> frozenset[str]:
    """All that comes after a milestone, however far."""
    edges = _edges(arrival_mode, way)
    found: set[str] = set()
    waiting = list(edges.get(name, ()))
    while waiting:
        one = waiting.pop()
        if one not in found:
            found.add(one)
            waiting += edges.get(one, ())
    return frozenset(found)


def next_of(
    specs: Iterable[MilestoneSpec],
    known: Collection[str],
    *,
    role: str,
    arrival_mode: int | None,
    way: str = "upload",
) -> tuple[str, ...]:
    """Return what a person of `role` is likely to tap next, in the order of care.

    That is what is not known, what nothing known comes after (it was passed over, or is entered later), what does not
    wait for another tap of the same role, and what the way that the patient went has not made idle. What no rule
    orders, as a loading dose, comes next where the national form requires it.

    Parameters
    ----------
    specs
        What the role may enter.
    known
        Milestones of the case that have a time.
    """
    mine = [spec for spec in specs if is_tapped(spec, role) and spec.exists_in(arrival_mode)]
    ordered = frozenset().union(*_edges(arrival_mode, way).values()) | frozenset(_edges(arrival_mode, way))
    idle = {name for end, names in _ended_by().items() if end in known for name in names}
    waiting = [
        spec
        for spec in mine
        if spec.id not in known
        and spec.id not in idle
        and not _beyond(spec.id, arrival_mode, way) & frozenset(known)
        and (spec.required or spec.id in ordered)
        and (spec.id not in _comes_after() or any(name in known for name in _comes_after()[spec.id]))
    ]
    ids = {spec.id for spec in waiting}
    blocked = {name for one in ids for name in _beyond(one, arrival_mode, way) if name in ids}
    return tuple(spec.id for spec in waiting if spec.id not in blocked)
