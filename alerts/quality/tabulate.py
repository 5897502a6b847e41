"""Verdicts counted by group: one pass over all groups at once, whole microseconds until the very end."""

from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

from greenchannel.alerts.quality.columns import NEVER_COMPARED, Ints
from greenchannel.alerts.quality.verdicts import BITS, MINUTE_US, STATUSES, Bit, Status, Verdicts

Floats = npt.NDArray[np.float64]
QUARTERS: Final = (0.25, 0.5, 0.75)
_BIT_OF: Final = {
    bit: np.array([bool(pattern & bit) for pattern in range(BITS)]) for bit in (Bit.MET, Bit.MAYBE, Bit.TURN)
}
_NO_CLOCK: Final = np.array([bool(pattern & Bit.NO_CLOCK) for pattern in range(BITS)])


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


def tabulate(verdicts: Verdicts, group: npt.NDArray[np.integer], groups: int) -> Table:
    """Count verdicts by group.

    Parameters
    ----------
    group : ``(n_population,)``, numbers below `groups`
    """
    status = np.bincount(group * STATUSES + verdicts.status, minlength=groups * STATUSES)
    status = status.reshape(groups, STATUSES)
    bits = np.bincount(group * BITS + verdicts.bits, minlength=groups * BITS).reshape(groups, BITS)
    interval = verdicts.metric.kind == "interval"
    exact = np.flatnonzero(verdicts.status == Status.EXACT) if interval else np.zeros(0, np.int64)
    bounded = np.flatnonzero(verdicts.status == Status.BOUNDED) if interval else np.zeros(0, np.int64)
    plain = spread(verdicts.us[exact], group[exact], groups)
    low = high = plain
    if len(bounded):
        both = np.concatenate([exact, bounded])
        low = spread(verdicts.low[both], group[both], groups)
        high = spread(verdicts.high[both], group[both], groups)
    clocked = exact[verdicts.half[exact] != NEVER_COMPARED]
    half_n = np.bincount(group[clocked], minlength=groups)
    half = np.bincount(
        group[clocked], verdicts.half[clocked], minlength=groups
    )  # whole numbers far below 2**53
    return Table(
        status=status,
        met=bits[:, _BIT_OF[Bit.MET]].sum(axis=1),
        maybe=bits[:, _BIT_OF[Bit.MAYBE]].sum(axis=1),
        turn=bits[:, _BIT_OF[Bit.TURN]].sum(axis=1),
        no_clock=bits[:, _NO_CLOCK].sum(axis=1),
        exact=plain,
        low=low,
        high=high,
        half_us=half.astype(np.int64),
        half_n=half_n,
    )


def spread(values: Ints, group: npt.NDArray[np.integer], groups: int) -> Spread:
    """Sum and quartiles of microseconds by group; quartiles lie between neighbours (type 7)."""
    n = np.bincount(group, minlength=groups)
    by_value = np.argsort(values, kind="stable")
    # Numbers of 16 bits are sorted by their digits: the time does not grow with the logarithm.
    order = group[by_value].astype(np.uint16 if groups <= 65_536 else np.int64)
    ordered = values[by_value[np.argsort(order, kind="stable")]] if groups > 1 else values[by_value]
    ends = np.cumsum(n)
    starts = ends - n
    sums = np.concatenate([[0], np.cumsum(ordered)])
    total = sums[ends] - sums[starts]
    q1, median, q3 = (_quantile(ordered, starts, n, part) / MINUTE_US for part in QUARTERS)
    return Spread(n=n, total_us=total, q1=q1, median=median, q3=q3)


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
