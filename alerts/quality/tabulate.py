"""Verdicts counted by group: one pass over all groups at once, whole microseconds until the very end."""

from collections.abc import Mapping
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

from greenchannel.alerts.quality.columns import NEVER_COMPARED, Codes, Ints
from greenchannel.alerts.quality.kept import Kept, Ordered
from greenchannel.alerts.quality.verdicts import BITS, MINUTE_US, STATUSES, Bit, Mask, Status, Verdicts

Floats = npt.NDArray[np.float64]
QUARTERS: Final = (0.25, 0.5, 0.75)
_BIT_OF: Final = {bit: np.array([bool(pattern & bit) for pattern in range(BITS)]) for bit in Bit}
_NONE: Final = np.zeros(0, np.int64)
_ZERO: Final = np.zeros(1, np.int64)


class Spread(msgspec.Struct, kw_only=True):
    """Sum and quartiles by group, ``(n_groups,)`` each; quartiles in minutes, NaN of an empty group."""

    n: Ints
    total_us: Ints
    q1: Floats
    median: Floats
    q3: Floats

    def mean(self, group: int) -> float | None:
        """The mean of one group in minutes; None of an empty one."""
        n = int(self.n[group])
        return None if n == 0 else int(self.total_us[group]) / n / MINUTE_US


class Table(msgspec.Struct, kw_only=True):
    """One metric by group, ``(n_groups,)`` each."""

    status: Ints  # ``(n_groups, STATUSES)``
    met: Ints
    maybe: Ints
    turn: Ints
    no_clock: Ints
    exact: Spread  # of what is known to the instant
    low: Spread  # with the lower bounds of told days
    high: Spread  # with the upper ones
    half_us: Ints  # sum of the clocks' half widths, of the exact ones whose clocks are known
    half_n: Ints  # how many those are


def tabulate(kept: Kept, code: Codes, groups: int) -> Table:
    """Count verdicts by group.

    Parameters
    ----------
    code : ``(n_cases,)``
        The group of every row, below `groups`.
    """
    return _table(_count(kept.verdicts, code, groups, None), kept.ordered, code, groups)


def tabulate_kept(
    kept: Kept, code: Codes, groups: int, whole: Table, left: Mask, ordered: Mapping[str, Ordered]
) -> Table:
    """As `tabulate`, without the rows that are left out: what is counted of these few is taken from the whole.

    Parameters
    ----------
    whole : the table of all rows
    left : ``(n_cases,)``, rows that are left out
    ordered : the values in order without them
    """
    out = _count(kept.verdicts, code, groups, np.flatnonzero(left.take(kept.verdicts.rows)))
    return _table({name: getattr(whole, name) - out[name] for name in out}, ordered, code, groups)


def _count(verdicts: Verdicts, code: Codes, groups: int, some: Ints | None) -> dict[str, Ints]:
    """What goes up by one with each verdict, by group; `some`: of these places alone."""
    rows, status, bits, half = verdicts.rows, verdicts.status, verdicts.bits, verdicts.half
    if some is not None:
        rows, half, status, bits = rows.take(some), half.take(some), status.take(some), bits.take(some)
    group = code.take(rows)
    # One pass for both: a status of eight and a pattern of four bits.
    both = (group * STATUSES + status) * BITS + bits
    counts = np.bincount(both, minlength=groups * STATUSES * BITS).reshape(groups, STATUSES, BITS)
    patterns = counts.sum(axis=1)
    interval = verdicts.metric.kind == "interval"
    clocked = np.flatnonzero((status == Status.EXACT) & (half != NEVER_COMPARED)) if interval else _NONE
    clocks = group.take(clocked)
    return {
        "status": counts.sum(axis=2),
        "met": patterns[:, _BIT_OF[Bit.MET]].sum(axis=1),
        "maybe": patterns[:, _BIT_OF[Bit.MAYBE]].sum(axis=1),
        "turn": patterns[:, _BIT_OF[Bit.TURN]].sum(axis=1),
        "no_clock": patterns[:, _BIT_OF[Bit.NO_CLOCK]].sum(axis=1),
        # Whole numbers far below 2**53: the sum is exact.
        "half_us": np.bincount(clocks, half.take(clocked), minlength=groups).astype(np.int64),
        "half_n": np.bincount(clocks, minlength=groups),
    }


def _table(counts: dict[str, Ints], ordered: Mapping[str, Ordered], code: Codes, groups: int) -> Table:
    spreads = {name: spread(values, code, groups) for name, values in ordered.items()}
    exact = spreads.get("exact") or spread(Ordered(values=_NONE, rows=_NONE), code, groups)
    return Table(**counts, exact=exact, low=spreads.get("low", exact), high=spreads.get("high", exact))


def spread(ordered: Ordered, code: Codes, groups: int) -> Spread:
    """Sum and quartiles of microseconds by group; quartiles lie between neighbours (type 7)."""
    values = ordered.values
    group = code.take(ordered.rows)
    n = np.bincount(group, minlength=groups)
    if groups > 1:  # numbers of 16 bits are sorted by their digits, and a stable sort keeps the values' order
        digits = group.astype(np.uint16 if groups <= 65_536 else np.int64)
        values = values.take(np.argsort(digits, kind="stable"))
    ends = np.cumsum(n)
    starts = ends - n
    sums = np.concatenate([_ZERO, np.cumsum(values)])
    q1, median, q3 = (_quantile(values, starts, n, part) / MINUTE_US for part in QUARTERS)
    return Spread(n=n, total_us=sums[ends] - sums[starts], q1=q1, median=median, q3=q3)


def quartiles(ordered: Ints) -> tuple[float, float, float]:
    """Quartiles of microseconds that rise, in minutes; NaN of none."""
    last = len(ordered) - 1
    if last < 0:
        return (float("nan"),) * 3
    found = []
    for part in QUARTERS:
        below = int(last * part)
        first, second = int(ordered[below]), int(ordered[min(below + 1, last)])
        found.append((first + (last * part - below) * (second - first)) / MINUTE_US)
    return found[0], found[1], found[2]


def _quantile(ordered: Ints, starts: Ints, n: Ints, part: float) -> Floats:
    found = np.full(len(n), np.nan)
    some = n > 0
    if not some.any():
        return found
    place = (n[some] - 1) * part
    below = place.astype(np.int64)
    above = np.minimum(below + 1, n[some] - 1)
    first, second = ordered[starts[some] + below], ordered[starts[some] + above]
    found[some] = first + (place - below) * (second - first)
    return found
