"""Counted once and kept: verdicts and tables over all cases, and what one more case changes of them.

Many metrics of different editions are the same count under different names; they are counted once. A case that comes
or changes touches one group of each grouping: its verdict is taken out and put in again, and the quartiles of those
groups alone are looked up anew, so the answer after it is the one that a count of everything would give.
"""

import copy
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Final

import msgspec
import numpy as np

from greenchannel.alerts.quality.changes import look_up, shift, widen, wider
from greenchannel.alerts.quality.columns import YES, Columns, Ints, Packed
from greenchannel.alerts.quality.groups import GROUPINGS, Grouping, group_rows
from greenchannel.alerts.quality.kept import Change, Kept, Ordered
from greenchannel.alerts.quality.metrics import Metric, editions, exclusions, metrics
from greenchannel.alerts.quality.record_of import SiteFacts
from greenchannel.alerts.quality.tabulate import Table, tabulate, tabulate_kept
from greenchannel.alerts.quality.verdicts import Mask, Verdicts, judge

By = tuple[str, ...]
WHOLE: Final[By] = ()


class Both(msgspec.Struct, kw_only=True):
    """A metric by group: all cases, those kept, and how many each exclusion leaves out, ``(n_groups,)`` each."""

    all: Table
    kept: Table
    reasons: dict[str, Ints]


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where one case is counted, and which exclusions leave it out."""

    groups: dict[By, int]
    left: frozenset[str]


class Counter:
    """Counts over columns; changes of these come through `put` and `drop`."""

    def __init__(self, columns: Columns) -> None:
        self.columns = columns
        self._judged: dict[object, Kept] = {}
        self._groups: dict[By, Grouping] = {}
        self._tables: dict[tuple[object, By, tuple[str, ...]], Both] = {}
        self._crossed: dict[By, Grouping] = {}
        self._but: tuple[Kept, tuple[str, ...], dict[str, Ordered]] | None = None  # the last
        self._gone: dict[tuple[str, ...], Mask] = {}  # which rows exclusions leave out, by their names

    # ------------------------------------------------------------ what is kept

    def verdicts(self, metric: Metric) -> Verdicts:
        """A metric judged over all rows."""
        return self._kept(metric).verdicts

    def groups(self, by: By) -> Grouping:
        """All rows by group. Of crossed groupings there are many, so only the last that was asked for is kept."""
        if len(by) > 1:
            if by not in self._crossed:
                self._crossed = {by: group_rows(self.columns, by)}
            return self._crossed[by]
        if by not in self._groups:
            self._groups[by] = group_rows(self.columns, by)
        return self._groups[by]

    def table(self, metric: Metric, by: By, names: tuple[str, ...]) -> Both:
        """A metric over all rows by group, with and without these exclusions; kept where many ask for it."""
        if len(by) > 1 or names not in _usual():
            return self.count(self._kept(metric), by, names)
        key = (same_count(metric), by, names)
        if key not in self._tables:
            self._tables[key] = self.count(self._kept(metric), by, names)
        return self._tables[key]

    def count(self, kept: Kept, by: By, names: tuple[str, ...]) -> Both:
        """Verdicts by group, with and without these exclusions."""
        grouping, rows = self.groups(by), kept.verdicts.rows
        groups = grouping.filled
        all_of = tabulate(kept, grouping.code, groups)
        out = {name: np.flatnonzero(mask) for name, mask in self.left_out(names, rows).items()}
        reasons = {
            name: np.bincount(grouping.code.take(rows.take(some)), minlength=groups)
            for name, some in out.items()
        }
        if not any(len(some) for some in out.values()):
            return Both(all=all_of, kept=all_of, reasons=reasons)
        left = self._left(names)
        kept_of = tabulate_kept(kept, grouping.code, groups, all_of, left, self._ordered_but(kept, names))
        return Both(all=all_of, kept=kept_of, reasons=reasons)

    def _ordered_but(self, kept: Kept, names: tuple[str, ...]) -> dict[str, Ordered]:
        """Values in order without whom exclusions leave out: asked for with each grouping in turn."""
        if self._but is None or self._but[0] is not kept or self._but[1] != names:
            left = self._left(names)
            self._but = kept, names, {name: values.but(left) for name, values in kept.ordered.items()}
        return self._but[2]

    def left_out(self, names: Iterable[str], rows: Ints) -> dict[str, Mask]:
        """Which of these rows an exclusion leaves out, by its name."""
        return {name: self._left((name,)).take(rows) for name in names}

    def count_all(self) -> int:
        """Every metric in every grouping, with and without its edition's exclusions; return how many cells there
        are."""
        cells = 0
        for metric in metrics().values():
            names = editions()[metric.edition].exclusions
            for by in (WHOLE, *((name,) for name in GROUPINGS)):
                cells += int((self.table(metric, by, names).all.status.sum(axis=1) > 0).sum())
        return cells

    # ------------------------------------------------------------ what changes

    def put(self, packed: Packed) -> None:
        """Take in one record, new or changed."""
        row = self.columns.row_of.get(packed.case_id)
        known = row is not None
        before = Place(groups={}, left=frozenset()) if row is None else self._place(row)
        row = self.columns.put(packed)
        self._regroup(row, known=known)
        after = self._place(row)
        self._crossed.clear()
        self._but = None
        self._mark_left(row, after.left)
        alone = np.array([row])
        changes = {
            key: kept.replace(row, judge(self.columns, kept.verdicts.metric, alone))
            for key, kept in self._judged.items()
        }
        for (key, by, names), both in self._tables.items():
            change = changes[key]
            same = change.old == change.new and before == after
            if (change.old is not None or change.new is not None) and not same:
                self._count(both, self._judged[key], by, names, change, before, after)

    def drop(self, case_id: str) -> None:
        """Forget one record, which counts nowhere any more: its case was merged into another."""
        if self.columns.drop(case_id):
            self._judged.clear()
            self._gone.clear()
            self._groups.clear()
            self._crossed.clear()
            self._but = None
            self._tables.clear()

    def at_sites(self, sites: Mapping[str, SiteFacts]) -> None:
        """Count by the towns as they are now."""
        if sites != self.columns.sites:
            self.columns.sites = sites
            self._groups.clear()
            self._crossed.clear()
            self._but = None
            self._tables.clear()

    def _kept(self, metric: Metric) -> Kept:
        key = same_count(metric)
        if key not in self._judged:
            self._judged[key] = Kept.of(judge(self.columns, metric))
        return self._judged[key]

    def _place(self, row: int) -> Place:
        facts = self.columns.facts_said(row)
        return Place(
            groups={by: int(grouping.code[row]) for by, grouping in self._groups.items()},
            left=frozenset(name for name, spec in exclusions().items() if facts[spec.fact] == YES),
        )

    def _regroup(self, row: int, *, known: bool) -> None:
        alone = self.columns.alone(row)
        for by, grouping in self._groups.items():
            one = group_rows(alone, by)
            place = grouping.place(one.keys[int(one.code[0])])
            if known:
                grouping.code[row] = place
            else:
                grouping.code = np.append(grouping.code, np.int32(place))

    def _count(
        self,
        both: Both,
        kept: Kept,
        by: By,
        names: tuple[str, ...],
        change: Change,
        before: Place,
        after: Place,
    ) -> None:
        grouping = self.groups(by)
        self._make_room(both, grouping.filled)
        if both.kept is both.all and change.new is not None and not after.left.isdisjoint(names):
            both.kept = copy.deepcopy(both.all)  # the first who is left out: one table stood for both
        touched, interval = set(), kept.verdicts.metric.kind == "interval"
        for one, place, step in ((change.old, before, -1), (change.new, after, 1)):
            if one is None:
                continue
            group = place.groups[by]
            touched.add(group)
            shift(both.all, group, one, step, interval=interval)
            for name in place.left.intersection(names):
                both.reasons[name][group] += step
            if both.kept is not both.all and place.left.isdisjoint(names):
                shift(both.kept, group, one, step, interval=interval)
        apart = both.kept is not both.all
        left = self._left(names) if apart else None
        for group in touched:
            pair = both.all, both.kept if apart else None
            look_up(pair, kept, grouping.code, group, grouping.filled, left)

    def _left(self, names: tuple[str, ...]) -> Mask:
        if names not in self._gone:
            said = [self.columns.fact(exclusions()[name].fact) == YES for name in names]
            self._gone[names] = np.logical_or.reduce(said)
        return self._gone[names]

    def _mark_left(self, row: int, left: frozenset[str]) -> None:
        for names, gone in self._gone.items():
            if row == len(gone):
                self._gone[names] = gone = np.append(gone, False)
            gone[row] = not left.isdisjoint(names)

    @staticmethod
    def _make_room(both: Both, groups: int) -> None:
        for table in (both.all,) if both.kept is both.all else (both.all, both.kept):
            if len(table.met) < groups:
                widen(table, groups)
        for name, count in both.reasons.items():
            both.reasons[name] = wider(count, groups)


@cache
def _usual() -> frozenset[tuple[str, ...]]:
    """The exclusions of the editions."""
    return frozenset(edition.exclusions for edition in editions().values())


def same_count(metric: Metric) -> object:
    """What makes two metrics the same count, whatever their editions call them."""
    return (
        metric.kind,
        metric.endpoints,
        metric.yes,
        metric.early_counts,
        metric.population,
        metric.target_min,
        metric.below,
    )
