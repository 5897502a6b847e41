"""Who makes a segment slow: its excess by clinic, hospital, arrival mode, hours and doctor."""

from collections.abc import Callable, Mapping, Sequence

import msgspec
import numpy as np

from greenchannel.alerts.quality.bottlenecks import (
    Settings,
    above_usual,
    default_settings,
    measured,
    usual,
)
from greenchannel.alerts.quality.hours import came_off_hours
from greenchannel.alerts.quality.record import CaseRecord


def _hours(record: CaseRecord) -> str | None:
    off = came_off_hours(record)
    return None if off is None else "off_hours" if off else "on_hours"


def _mode(record: CaseRecord) -> str | None:
    return None if record.arrival_mode is None else str(record.arrival_mode)


GROUPINGS: Mapping[str, Callable[[CaseRecord], str | None]] = {
    "site": lambda record: record.site,
    "town": lambda record: record.town,
    "referring": lambda record: record.referring,
    "ambulance": lambda record: record.ambulance,
    "mode": _mode,
    "hours": _hours,
    "doctor": lambda record: record.doctor,
    "reader": lambda record: record.reader,
}
"""What cases are grouped by; None: nobody knows, and the case is in no group."""


class GroupExcess(msgspec.Struct, frozen=True, kw_only=True):
    """What one group of cases adds to the excess of a segment."""

    by: str
    group: str
    cases: int  # in which the segment is known
    excess_min: float  # mean above what is usual for such cases in the whole network
    others_min: float | None  # the same of all other cases
    low_min: (
        float | None
    )  # interval of the difference between group and others; None below three cases on a side
    high_min: float | None
    share: float | None  # of all minutes lost; None where none were lost on the whole
    case_ids: tuple[str, ...]


def slow_groups(
    segment: str,
    now: Sequence[CaseRecord],
    before: Sequence[CaseRecord],
    *,
    by: Sequence[str] = tuple(GROUPINGS),
    settings: Settings | None = None,
) -> tuple[GroupExcess, ...]:
    """Return the groups of a segment, those that lose most minutes first.

    What is usual is what was usual before for cases alike in distance and hours, wherever they came from: so a clinic
    that was always slow stands out as well as one that has become so.

    Raises
    ------
    KeyError
        There is no such segment, or no such grouping.
    """
    rule = settings or default_settings()
    here, there = measured(now, net=False)[segment], measured(before, net=False)[segment]
    if not len(here.values) or not len(there.values):
        return ()
    levels = usual(there, rule)
    over = (
        above_usual(here, levels) - above_usual(there, levels).mean()
    )  # means of skewed times lie above medians
    records = {record.case_id: record for record in now}
    found: list[GroupExcess] = []
    for name in by:
        group_of = GROUPINGS[name]
        groups = [group_of(records[case_id]) for case_id in here.case_ids]
        for n, group in enumerate(sorted({one for one in groups if one is not None})):
            inside = np.array([one == group for one in groups])
            found.append(_group(name, group, over, inside, here.case_ids, (rule.seed, len(found), n), rule))
    return tuple(sorted(found, key=lambda one: (-one.excess_min * one.cases, one.by, one.group)))


def _group(
    by: str,
    group: str,
    over: np.ndarray[tuple[int, ...], np.dtype[np.float64]],
    inside: np.ndarray[tuple[int, ...], np.dtype[np.bool_]],
    case_ids: Sequence[str],
    seed: tuple[int, ...],
    rule: Settings,
) -> GroupExcess:
    ours, theirs = over[inside], over[~inside]
    low = high = None
    if min(len(ours), len(theirs)) >= 3:
        rng = np.random.default_rng(seed)
        drawn = [
            side[rng.integers(0, len(side), (rule.draws, len(side)))].mean(axis=1) for side in (ours, theirs)
        ]
        tail = (1.0 - rule.interval_share) / 2.0
        low, high = (float(one) for one in np.quantile(drawn[0] - drawn[1], (tail, 1.0 - tail)))
    lost = float(over.sum())
    return GroupExcess(
        by=by,
        group=group,
        cases=len(ours),
        excess_min=float(ours.mean()),
        others_min=float(theirs.mean()) if len(theirs) else None,
        low_min=low,
        high_min=high,
        share=float(ours.sum()) / lost if lost > 0 else None,
        case_ids=tuple(case_ids[int(n)] for n in np.flatnonzero(inside)),
    )
