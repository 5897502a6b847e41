"""One metric over many cases: who belongs to it, how long it took, and whether that was in time.

A told day gives bounds and no minutes: it may be surely in time, possibly, or surely not. What the clocks may be off
is carried as a half width, and says of which cases the verdict could turn. An end that lies before its start is an
error of a clock or of a pen: it is kept out, and named.
"""

from enum import IntEnum, IntFlag
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

from greenchannel.alerts.quality.columns import NEVER_COMPARED, NO, UNKNOWN_US, YES, Columns, Ints
from greenchannel.alerts.quality.metrics import Metric

Mask = npt.NDArray[np.bool_]
MINUTE_US: Final = 60_000_000


class Status(IntEnum):
    """What is known of one case."""

    NO_START = 0
    NO_END = 1
    NEITHER = 2
    UNSAID = 3  # of a metric of facts: nobody has said
    NEGATIVE = 4
    EXACT = 5
    BOUNDED = 6
    EARLY = 7  # done before it was due


class Bit(IntFlag):
    """The verdict on one case."""

    MET = 1  # surely
    MAYBE = 2  # possibly; set with MET too
    TURN = 4  # the clocks could turn it
    NO_CLOCK = 8  # a clock was never compared: nobody knows whether they could


MISSING: Final = (Status.NO_START, Status.NO_END, Status.NEITHER, Status.UNSAID)
COUNTED: Final = (Status.EXACT, Status.BOUNDED, Status.EARLY)
STATUSES: Final = len(Status)
BITS: Final = 16


class Verdicts(msgspec.Struct, kw_only=True):
    """One metric over the cases of its population, ``(n_population,)`` each; rows rise."""

    metric: Metric
    rows: Ints
    status: npt.NDArray[np.int8]
    bits: npt.NDArray[np.int8]
    us: Ints  # the minutes of `EXACT`, in microseconds
    low: Ints  # bounds; as `us` where it is exact
    high: Ints
    half: Ints  # half width of the clocks of `EXACT` and `EARLY`; `NEVER_COMPARED`: unknown

    def take(self, kept: Mask | Ints) -> "Verdicts":
        """Those of some of its cases."""
        return Verdicts(
            metric=self.metric,
            rows=self.rows[kept],
            status=self.status[kept],
            bits=self.bits[kept],
            us=self.us[kept],
            low=self.low[kept],
            high=self.high[kept],
            half=self.half[kept],
        )


def judge(columns: Columns, metric: Metric, rows: Ints | None = None) -> Verdicts:
    """Judge a metric over all rows, or over those given, rising."""
    within = np.flatnonzero(_belongs(columns, metric, rows))
    chosen = within if rows is None else rows[within]
    return _of_facts(columns, metric, chosen) if metric.kind == "fact" else _of_times(columns, metric, chosen)


def _belongs(columns: Columns, metric: Metric, rows: Ints | None) -> Mask:
    asked = metric.population
    here = slice(None) if rows is None else rows
    inside = np.ones(len(columns) if rows is None else len(rows), np.bool_)
    for name, words in (("diagnosis", asked.diagnosis), ("reperfusion", asked.reperfusion)):
        if words:
            inside &= np.isin(columns.label(name)[here], columns.words[name].codes(words))
    if asked.way is not None:
        inside &= np.isin(columns.label("way")[here], columns.words["way"].codes((asked.way,)))
    if asked.modes:
        inside &= np.isin(columns.number("mode")[here], asked.modes)
    if asked.chest_pain is not None:
        inside &= columns.number("chest")[here] == (YES if asked.chest_pain else NO)
    if asked.age_from is not None:
        inside &= columns.number("age")[here] >= asked.age_from  # NaN: no
    for name in asked.has:
        inside &= columns.at(name)[here] != UNKNOWN_US
    return inside


def _of_facts(columns: Columns, metric: Metric, rows: Ints) -> Verdicts:
    said = np.stack([columns.fact(name)[rows] for name in metric.yes])
    met = (said == YES).all(axis=0)
    known = met | (said == NO).any(axis=0)
    zero = np.zeros(len(rows), np.int64)
    return Verdicts(
        metric=metric,
        rows=rows,
        status=np.where(known, Status.EXACT, Status.UNSAID).astype(np.int8),
        bits=np.where(met, Bit.MET | Bit.MAYBE, 0).astype(np.int8),
        us=zero,
        low=zero,
        high=zero,
        half=zero,
    )


def _of_times(columns: Columns, metric: Metric, rows: Ints) -> Verdicts:
    assert metric.start is not None and metric.end is not None
    first, last = metric.start, metric.end
    if metric.kind == "before":  # as the time from the later to the earlier: met if it is not above zero
        first, last = last, first
    start, end = columns.at(first)[rows], columns.at(last)[rows]
    no_start, no_end = start == UNKNOWN_US, end == UNKNOWN_US
    known = ~(no_start | no_end)
    us = np.where(known, end - start, 0)
    told = np.where(known, columns.told(first)[rows] + columns.told(last)[rows], 0)
    low, high = us - told, us + told
    clocks = columns.clock(first)[rows], columns.clock(last)[rows]
    compared = (clocks[0] != NEVER_COMPARED) & (clocks[1] != NEVER_COMPARED)
    half = np.where(compared, clocks[0] + clocks[1], NEVER_COMPARED)

    status = np.where(told > 0, Status.BOUNDED, Status.EXACT).astype(np.int8)
    if metric.kind == "interval":
        status[high < 0] = Status.EARLY if metric.early_counts else Status.NEGATIVE
        if not metric.early_counts:
            low = np.maximum(low, 0)
    missing_start, missing_end = Status.NO_START, Status.NO_END
    if metric.kind == "before":
        missing_start, missing_end = missing_end, missing_start
    status[no_start & ~no_end] = missing_start
    status[no_end & ~no_start] = missing_end
    status[no_start & no_end] = Status.NEITHER
    bits = _bits(metric, status, us, low, high, half)
    return Verdicts(metric=metric, rows=rows, status=status, bits=bits, us=us, low=low, high=high, half=half)


def _bits(
    metric: Metric, status: npt.NDArray[np.int8], us: Ints, low: Ints, high: Ints, half: Ints
) -> npt.NDArray[np.int8]:
    exact = (status == Status.EXACT) | (status == Status.EARLY)
    unclocked = half == NEVER_COMPARED
    bits = np.where(exact & unclocked, np.int8(Bit.NO_CLOCK), np.int8(0))
    if not metric.judged:
        return bits
    target = 0 if metric.target_min is None else round(metric.target_min * MINUTE_US) - metric.below
    counted = exact | (status == Status.BOUNDED)
    met, maybe = counted & (high <= target), counted & (low <= target)
    turn = exact & ~unclocked & np.where(met, us + half > target, us - half <= target)
    found: npt.NDArray[np.int8] = (
        bits
        + Bit.MET * met.astype(np.int8)
        + Bit.MAYBE * maybe.astype(np.int8)
        + Bit.TURN * turn.astype(np.int8)
    )
    return found
