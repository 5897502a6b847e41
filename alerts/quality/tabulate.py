"""Verdicts counted by group: one pass over all groups at once, whole microseconds until the very end."""

from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

from greenchannel.alerts.quality.columns import NEVER_COMPARED, Codes, Ints
from greenchannel.alerts.quality.kept import Kept, Ordered
from greenchannel.alerts.quality.verdicts import BITS, MINUTE_US, STATUSES, Bit, Mask, Status

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


def tabulate(kept: Kept, code: Codes, groups: int, left: Mask | None = None) -> Table:
    """Count verdicts by group.

    Parameters
    ----------
    code : ``(n_cases,)``
        The group of every row, below `groups`.
    left : ``(n_cases,)``, optional
        Rows that are left out.
    """
    verdicts, ordered = kept.verdicts, kept.ordered
    rows, status, bits, half = verdicts.rows, verdicts.status, verdicts.bits, verdicts.half
    if left is not None:
        inside = np.flatnonzero(~left.take(rows))
        rows, half = rows.take(inside), half.take(inside)
        status, bits = status.take(inside), bits.take(inside)
        ordered = {name: values.but(left) for name, values in ordered.items()}
    group = code.take(rows)
    # One pass for both: a status of eight and a pattern of four bits.
    both = (group * STATUSES + status) * BITS + bits
    counts = np.bincount(both, minlength=groups * STATUSES * BITS).reshape(groups, STATUSES, BITS)
    patterns = counts.sum(axis=1)
    none = spread(Ordered(values=_NONE, rows=_NONE), code, groups)
    spreads = {name: spread(values, code, groups) for name, values in ordered.items()}
    exact = spreads.get("exact", none)
    clocked = np.flatnonzero((status == Status.EXACT) & (half != NEVER_COMPARED)) if ordered else _NONE
    clocks = group.take(clocked)
    return Table(
        status=counts.sum(axis=2),
        met=patterns[:, _BIT_OF[Bit.MET]].sum(axis=1),
        maybe=patterns[:, _BIT_OF[Bit.MAYBE]].sum(axis=1),
        turn=patterns[:, _BIT_OF[Bit.TURN]].sum(axis=1),
        no_clock=patterns[:, _BIT_OF[Bit.NO_CLOCK]].sum(axis=1),
        exact=exact,
        low=spreads.get("low", exact),
        high=spreads.get("high", exact),
        # Whole numbers far below 2**53: the sum is exact.
        half_us=np.bincount(clocks, half.take(clocked), minlength=groups).astype(np.int64),
        half_n=np.bincount(clocks, minlength=groups),
    )


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
