"""Questions about metrics, and what an answer says: numbers with and without exclusions, and the cases behind each.

Shares are of all who should have had it, so what is missing never counts as met. A told day can only widen them:
`share` holds what was surely met, `share_most` what may have been.
"""

from datetime import datetime

import msgspec

from greenchannel.alerts.quality.metrics import Metric


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked of the records."""

    edition: str | None = None  # None: all
    metrics: tuple[str, ...] = ()  # ids; empty: all of the edition
    start: datetime | None = None  # cases that began from here on
    end: datetime | None = None  # and before this
    by: tuple[str, ...] = ()  # of `groups.GROUPINGS`; empty: the whole selection alone
    exclusions: tuple[str, ...] | None = None  # None: those of the edition
    cases: bool = True  # with the ids of the cases of each number
    trend: bool = True  # the whole selection by month too


class Numbers(msgspec.Struct, frozen=True, kw_only=True):
    """One metric over one set of cases. Minutes and shares are None where there is nothing to count."""

    eligible: int  # all who should have had it
    n: int  # known to the instant
    bounded: int  # a day was told: bounds alone are known
    early: int  # done before it was due
    missing: int
    missing_start: int  # of these without a start, without an end, without both, without a word
    missing_end: int
    missing_both: int
    unsaid: int
    negative: int  # the end lies before the start: kept out
    mean_min: float | None = None  # of `n`
    median_min: float | None = None
    q1_min: float | None = None
    q3_min: float | None = None
    mean_bounds_min: tuple[float, float] | None = None  # with the bounded ones at either bound
    median_bounds_min: tuple[float, float] | None = None
    met: int | None = None  # surely; None: there is no target
    met_most: int | None = None  # surely or possibly
    share: float | None = None  # `met` of `eligible`
    share_interval: tuple[float, float] | None = None  # Wilson's, 95 %
    share_most: float | None = None
    share_known: float | None = None  # `met` of those of whom it is known
    could_turn: int = 0  # verdicts that the clocks' uncertainty could turn
    no_clock: int = 0  # cases with a clock that was never compared
    half_width_min: float | None = None  # mean uncertainty of the minutes, of those whose clocks are known
    half_width_n: int = 0
    reached: bool | None = (
        None  # the edition's statistic and share are as the edition wants them; None: it wants nothing
    )


class CellCases(msgspec.Struct, frozen=True, kw_only=True):
    """The cases behind the numbers of one cell, without exclusions but for `excluded`."""

    met: tuple[str, ...] = ()
    maybe: tuple[str, ...] = ()
    not_met: tuple[str, ...] = ()
    known: tuple[str, ...] = ()  # of a metric without a target
    missing: tuple[str, ...] = ()
    negative: tuple[str, ...] = ()
    could_turn: tuple[str, ...] = ()
    excluded: dict[str, tuple[str, ...]] = {}  # by reason; a case may have several


class Cell(msgspec.Struct, frozen=True, kw_only=True):
    """One group of one metric."""

    key: str | None  # None: unknown
    all: Numbers
    kept: Numbers  # without those excluded
    excluded: int
    reasons: dict[str, int]  # how many of each; a case may have several
    cases: CellCases | None = None


class MetricAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """One metric."""

    metric: Metric
    statistic: str  # by which its edition judges: "mean", "median"
    whole: Cell
    groups: tuple[Cell, ...]
    trend: tuple[Cell, ...]  # by month, without cases


class MetricsAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """All that was asked."""

    question: Question
    cases: int  # records in the selection
    metrics: tuple[MetricAnswer, ...]
