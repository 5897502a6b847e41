"""The arithmetic of control charts: CUSUM case by case, XmR month by month. Numbers in, states and signals out.

References: Page 1954 (CUSUM); Shewhart, Wheeler (XmR); Reynolds and Stoumbos 1999 (CUSUM of a share). The limits are
those of ``charts.toml``; how often they alarm in vain is in docs/decisions/0020-quality-charts.md.
"""

import math
from collections.abc import Sequence
from functools import cache
from itertools import pairwise
from typing import Literal, NamedTuple

import msgspec

from greenchannel.alerts.quality.tables import read_value

TABLE = "charts"

Side = Literal["up", "down"]


class CusumRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The values of one ``[cusum]``: two in standard deviations of the baseline, and its least number of cases."""

    reference_sd: float
    limit_sd: float
    least_baseline: int


class ShareRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The values of ``[share]``."""

    least_baseline: int
    odds: float
    limit: float
    prior_events: float


class XmrRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The values of ``[xmr]``."""

    limit_sd: float
    run: int
    range_constant: float


class Alarm(NamedTuple):
    """Where a chart signals: positions of the first value that counts for it, and of that at which it was found."""

    side: Side
    since: int
    found: int
    rule: Literal["cusum", "beyond", "run"]


class CusumPath(NamedTuple):
    """What each value did: both sums after it (before a restart), and the alarms."""

    up: tuple[float, ...]
    down: tuple[float, ...]
    alarms: tuple[Alarm, ...]


class Limits(NamedTuple):
    """Mean and natural limits of an XmR chart, in the unit of its values, and its standard deviation."""

    mean: float
    low: float
    high: float
    sd: float


@cache
def cusum_rule(scope: str) -> CusumRule:
    """The rule of a scope: "network", "clinic", "reader"."""
    return read_value(TABLE, "cusum", dict[str, CusumRule])[scope]


@cache
def share_rule() -> ShareRule:
    """The rule of shares."""
    return read_value(TABLE, "share", ShareRule)


@cache
def xmr_rule() -> XmrRule:
    """The rule of monthly charts."""
    return read_value(TABLE, "xmr", XmrRule)


@cache
def clip_sd() -> float:
    """So many standard deviations at most one value counts."""
    return read_value(TABLE, "clip_sd", float)


@cache
def least_months() -> int:
    """So many months of baseline a monthly chart has at least."""
    return read_value(TABLE, "least_months", int)


@cache
def offset_min() -> float:
    """Minutes added before the logarithm."""
    return read_value(TABLE, "offset_min", float)


def log_minutes(length_min: float) -> float:
    """The logarithm that charts of times are drawn on."""
    return math.log(length_min + offset_min())


def of_log(value: float) -> float:
    """Minutes of a logarithm: the reverse of `log_minutes`."""
    return math.exp(value) - offset_min()


def standardised(value: float, mean: float, sd: float) -> float:
    """A value in standard deviations above the mean, no further out than ``clip_sd``."""
    return min(max((value - mean) / sd, -clip_sd()), clip_sd())


def cusum(values_sd: Sequence[float], rule: CusumRule) -> CusumPath:
    """Run both sums over standardised values; after an alarm they begin anew.

    What an alarm counts from is the first value after its sum was last nought, which is the usual estimate of when
    the change began.
    """
    ups, downs, alarms = [], [], []
    up = down = 0.0
    up_since = down_since = 0
    for n, value in enumerate(values_sd):
        up = max(up + value - rule.reference_sd, 0.0)
        down = max(down - value - rule.reference_sd, 0.0)
        ups.append(up)
        downs.append(down)
        up_since = n + 1 if up == 0.0 else up_since
        down_since = n + 1 if down == 0.0 else down_since
        if max(up, down) > rule.limit_sd:
            side: Side = "up" if up >= down else "down"
            alarms.append(Alarm(side, up_since if side == "up" else down_since, n, "cusum"))
            up = down = 0.0
            up_since = down_since = n + 1
    return CusumPath(tuple(ups), tuple(downs), tuple(alarms))


def share_steps(usual: float, rule: ShareRule) -> tuple[float, float]:
    """What a yes and a no add to the sum of a share whose usual value is `usual`, strictly between 0 and 1."""
    worse = usual * rule.odds / (1.0 - usual + usual * rule.odds)
    return math.log(worse / usual), math.log((1.0 - worse) / (1.0 - usual))


def share_cusum(events: Sequence[bool], usual: float, rule: ShareRule) -> CusumPath:
    """Run the sum of a share upwards; there is none downwards. After an alarm it begins anew."""
    yes, no = share_steps(usual, rule)
    ups, alarms = [], []
    up, since = 0.0, 0
    for n, event in enumerate(events):
        up = max(up + (yes if event else no), 0.0)
        ups.append(up)
        since = n + 1 if up == 0.0 else since
        if up > rule.limit:
            alarms.append(Alarm("up", since, n, "cusum"))
            up, since = 0.0, n + 1
    return CusumPath(tuple(ups), tuple(0.0 for _ in ups), tuple(alarms))


def natural_limits(baseline: Sequence[float], rule: XmrRule) -> Limits:
    """Return the limits that the moving ranges of at least two values of a baseline give."""
    if len(baseline) < 2:
        raise ValueError(f"expected at least two values of a baseline, got {len(baseline)}")
    mean = sum(baseline) / len(baseline)
    ranges = [abs(b - a) for a, b in pairwise(baseline)]
    sd = sum(ranges) / len(ranges) / rule.range_constant
    return Limits(mean, mean - rule.limit_sd * sd, mean + rule.limit_sd * sd, sd)


def xmr(values: Sequence[float], limits: Limits, rule: XmrRule) -> tuple[Alarm, ...]:
    """Return where values leave their limits, or stay on one side of the mean for too long; each run is told once."""
    alarms = []
    side: Side | None = None
    begun = 0
    for n, value in enumerate(values):
        here: Side | None = None if value == limits.mean else ("up" if value > limits.mean else "down")
        if here != side:
            side, begun = here, n
        if side is None:
            continue
        if not limits.low <= value <= limits.high:
            alarms.append(Alarm(side, n, n, "beyond"))
        elif n - begun + 1 == rule.run:
            alarms.append(Alarm(side, begun, n, "run"))
    return tuple(alarms)
