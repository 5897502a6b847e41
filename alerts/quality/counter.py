"""Counted once and kept: verdicts and tables over all cases, and what one more case changes of them.

Many metrics of different editions are the same count under different names; they are counted once. A case that comes
or changes touches one group of each grouping, and those alone are counted anew, so the answer after it is the one that
a count of everything would give.
"""

import copy
from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec
import numpy as np

from greenchannel.alerts.quality.columns import YES, Columns, Ints, Packed
from greenchannel.alerts.quality.groups import GROUPINGS, Grouping, group_rows
from greenchannel.alerts.quality.metrics import Metric, editions, exclusions, metrics
from greenchannel.alerts.quality.record_of import SiteFacts
from greenchannel.alerts.quality.tabulate import Spread, Table, tabulate
from greenchannel.alerts.quality.verdicts import Mask, Verdicts, judge

By = tuple[str, ...]
WHOLE: Final[By] = ()
PLAIN: Final = tuple(name for name in Table.__struct_fields__ if name not in ("exact", "low", "high"))


class Both(msgspec.Struct, kw_only=True):
    """A metric by group: all cases, those kept, and how many each exclusion leaves out, ``(n_groups,)`` each."""

    all: Table
    kept: Table
    reasons: dict[str, Ints]


class Counter:
    """Counts over columns; changes of these come through `put` and `drop`."""

    def __init__(self, columns: Columns) -> None:
        self.columns = columns
        self._verdicts: dict[object, Verdicts] = {}
        self._groups: dict[By, Grouping] = {}
        self._tables: dict[tuple[object, By, tuple[str, ...]], tuple[Metric, Both]] = {}

    # ------------------------------------------------------------ what is kept

    def verdicts(self, metric: Metric) -> Verdicts:
        """A metric judged over all rows."""
        key = same_count(metric)
        if key not in self._verdicts:
            self._verdicts[key] = judge(self.columns, metric)
        return self._verdicts[key]

    def groups(self, by: By) -> Grouping:
        """All rows by group."""
        if by not in self._groups:
            self._groups[by] = group_rows(self.columns, by)
        return self._groups[by]

    def table(self, metric: Metric, by: By, names: tuple[str, ...]) -> Both:
        """A metric over all rows by group, with and without these exclusions."""
        key = (same_count(metric), by, names)
        if key not in self._tables:
            verdicts, grouping = self.verdicts(metric), self.groups(by)
            out = self.left_out(names, verdicts.rows)
            found = tables(verdicts, grouping.code[verdicts.rows], grouping.filled, out)
            self._tables[key] = metric, found
        return self._tables[key][1]

    def left_out(self, names: Iterable[str], rows: Ints) -> dict[str, Mask]:
        """Which of these rows an exclusion leaves out, by its name."""
        return {name: self.columns.fact(exclusions()[name].fact)[rows] == YES for name in names}

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
        before = self._places(row) if row is not None else {}
        row = self.columns.put(packed)
        self._regroup(row, known=known)
        after = self._places(row)
        old = {key for key, verdicts in self._verdicts.items() if known and _position(verdicts, row)[1]}
        for key, verdicts in self._verdicts.items():
            self._verdicts[key] = _replaced(
                verdicts, judge(self.columns, verdicts.metric, np.array([row])), row
            )
        new = {key for key, verdicts in self._verdicts.items() if _position(verdicts, row)[1]}
        for (key, by, names), (metric, both) in self._tables.items():
            touched = {before[by]} if key in old else set()
            touched |= {after[by]} if key in new else set()
            for group in touched:
                self._recount(metric, both, by, names, group)

    def at_sites(self, sites: Mapping[str, SiteFacts]) -> None:
        """Count by the towns as they are now."""
        if sites != self.columns.sites:
            self.columns.sites = sites
            self._groups.clear()
            self._tables.clear()

    def drop(self, case_id: str) -> None:
        """Forget one record, which counts nowhere any more: its case was merged into another."""
        if self.columns.drop(case_id):
            self._verdicts.clear()
            self._groups.clear()
            self._tables.clear()

    def _places(self, row: int) -> dict[By, int]:
        return {by: int(grouping.code[row]) for by, grouping in self._groups.items()}

    def _regroup(self, row: int, *, known: bool) -> None:
        alone = self.columns.alone(row)
        for by, grouping in self._groups.items():
            one = group_rows(alone, by)
            place = grouping.place(one.keys[int(one.code[0])])
            if known:
                grouping.code[row] = place
            else:
                grouping.code = np.append(grouping.code, place)

    def _recount(self, metric: Metric, both: Both, by: By, names: tuple[str, ...], group: int) -> None:
        verdicts, grouping = self.verdicts(metric), self.groups(by)
        if grouping.filled == 1:
            inside, part = verdicts, np.zeros(len(verdicts.rows), np.int64)
        else:
            inside = verdicts.take(np.flatnonzero(grouping.code[verdicts.rows] == group))
            part = np.zeros(len(inside.rows), np.int64)
        fresh = tables(inside, part, 1, self.left_out(names, inside.rows))
        apart = both.kept if both.kept is not both.all else None
        if apart is None and fresh.kept is not fresh.all:
            apart = copy.deepcopy(both.all)  # until now nobody was left out, and one table stood for both
        both.all = _patched(both.all, fresh.all, group)
        both.kept = both.all if apart is None else _patched(apart, fresh.kept, group)
        for name, count in fresh.reasons.items():
            both.reasons[name] = _put(both.reasons[name], count, group)


def same_count(metric: Metric) -> object:
    """What makes two metrics the same count, whatever their editions call them."""
    return (
        metric.kind,
        metric.endpoints,
        metric.yes,
        metric.early_counts,
        metric.population,
        metric.target_min,
    )


def tables(verdicts: Verdicts, group: Ints, groups: int, out: Mapping[str, Mask]) -> Both:
    """Count verdicts by group with and without exclusions; `out` says whom each leaves out."""
    all_of = tabulate(verdicts, group, groups)
    reasons = {name: np.bincount(group[mask], minlength=groups) for name, mask in out.items()}
    left = np.logical_or.reduce(list(out.values())) if out else None
    if left is None or not left.any():
        return Both(all=all_of, kept=all_of, reasons=reasons)
    return Both(all=all_of, kept=tabulate(verdicts.take(~left), group[~left], groups), reasons=reasons)


def _position(verdicts: Verdicts, row: int) -> tuple[int, bool]:
    """Where a row stands, or would stand, and whether it does."""
    place = int(np.searchsorted(verdicts.rows, row))
    return place, place < len(verdicts.rows) and int(verdicts.rows[place]) == row


def _replaced(verdicts: Verdicts, one: Verdicts, row: int) -> Verdicts:
    """With the new verdict on a row in place of the old one; either may be none."""
    place, there = _position(verdicts, row)
    if not there and not len(one.rows):
        return verdicts
    columns = {}
    for name in ("rows", "status", "bits", "us", "low", "high", "half"):
        column, new = getattr(verdicts, name), getattr(one, name)
        if there and len(new):
            column[place] = new[0]
        elif there:
            column = np.delete(column, place)
        else:
            column = np.insert(column, place, new[0])
        columns[name] = column
    return Verdicts(metric=verdicts.metric, **columns)


def _patched(table: Table, one: Table, group: int) -> Table:
    """With the numbers of one group as they are in a table of that group alone."""
    exact = _patched_spread(table.exact, one.exact, group)
    columns: dict[str, Any] = {"exact": exact}
    for name in ("low", "high"):
        column, new = getattr(table, name), getattr(one, name)
        if column is table.exact and new is one.exact:
            columns[name] = exact
        else:  # a first told day: what stood for three spreads stands for one
            apart = copy.deepcopy(column) if column is table.exact else column
            columns[name] = _patched_spread(apart, new, group)
    columns |= {name: _put(getattr(table, name), getattr(one, name), group) for name in PLAIN}
    return Table(**columns)


def _patched_spread(spread: Spread, one: Spread, group: int) -> Spread:
    columns: dict[str, Any] = {
        name: _put(getattr(spread, name), getattr(one, name), group) for name in Spread.__struct_fields__
    }
    return Spread(**columns)


def _put(column: Ints, new: Ints, group: int) -> Ints:
    """Write in place; a group that is new lengthens the column."""
    if group >= len(column):
        longer = np.zeros((group + 1, *column.shape[1:]), column.dtype)
        if column.dtype.kind == "f":
            longer[:] = np.nan
        longer[: len(column)] = column
        column = longer
    column[group] = new[0]
    return column
