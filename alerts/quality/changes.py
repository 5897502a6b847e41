"""What one changed case does to tables that were counted before.

Counts go up and down by one. Sums and quartiles are looked up anew, of the group that changed alone, from values that
are kept in their order: nothing is sorted again.
"""

import copy

import numpy as np

from greenchannel.alerts.quality.columns import NEVER_COMPARED, Codes, Ints
from greenchannel.alerts.quality.kept import Kept, One
from greenchannel.alerts.quality.tabulate import Spread, Table, quartiles
from greenchannel.alerts.quality.verdicts import Bit, Mask, Status


def shift(table: Table, group: int, one: One, by: int, *, interval: bool) -> None:
    """Count one verdict of a group once more (`by` = 1), or once less (-1); only an interval has minutes."""
    table.status[group, one.status] += by
    for bit, column in (
        (Bit.MET, table.met),
        (Bit.MAYBE, table.maybe),
        (Bit.TURN, table.turn),
        (Bit.NO_CLOCK, table.no_clock),
    ):
        if one.bits & bit:
            column[group] += by
    if one.status == Status.EXACT and interval and one.half != NEVER_COMPARED:
        table.half_us[group] += by * one.half
        table.half_n[group] += by


def look_up(
    tables: tuple[Table, Table | None], kept: Kept, code: Codes, group: int, groups: int, left: Mask | None
) -> None:
    """Sums and quartiles of one group as they are now, of all its cases and of those that are kept.

    Parameters
    ----------
    tables : of all, and of those kept; None where nobody is left out
    left : which rows are left out
    """
    for table in tables:
        if table is not None and "low" in kept.ordered and table.low is table.exact:
            # What stood for three spreads stands for one.
            table.low, table.high = copy.deepcopy(table.exact), copy.deepcopy(table.exact)
    of_all, of_kept = tables
    for name, ordered in kept.ordered.items():
        values, rows = ordered.values, ordered.rows
        if groups > 1:
            inside = np.flatnonzero(code.take(rows) == group)
            values, rows = values.take(inside), rows.take(inside)
        _set(getattr(of_all, name), group, values)
        if of_kept is not None and left is not None:
            _set(getattr(of_kept, name), group, values[~left.take(rows)])


def _set(spread: Spread, group: int, values: Ints) -> None:
    spread.n[group] = len(values)
    spread.total_us[group] = values.sum()
    spread.q1[group], spread.median[group], spread.q3[group] = quartiles(values)


def widen(table: Table, groups: int) -> None:
    """Make room for new groups."""
    for name in table.__struct_fields__:
        found = getattr(table, name)
        if not isinstance(found, Spread):
            setattr(table, name, wider(found, groups))
    spreads = {id(spread): spread for spread in (table.exact, table.low, table.high)}
    for spread in spreads.values():
        for name in spread.__struct_fields__:
            setattr(spread, name, wider(getattr(spread, name), groups))


def wider(column: Ints, groups: int) -> Ints:
    """A longer column, with what an empty group has."""
    if len(column) >= groups:
        return column
    longer = np.zeros((groups, *column.shape[1:]), column.dtype)
    if column.dtype.kind == "f":
        longer[:] = np.nan
    longer[: len(column)] = column
    return longer
