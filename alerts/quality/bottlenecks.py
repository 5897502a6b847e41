"""Which segment loses the time: the minutes of each above what is usual, with their uncertainty, and which is first.

A case is compared with what is usual for cases like it (`Segment.depends_on`): a month with more patients from far
away is no month of slow ambulances. The excess is how far the month is shifted against the months before it, in
what is left; a bootstrap of both says how sure that is.

A segment seen in six cases would win by luck. So segments are ranked by the excess that is to be believed: in most
months most segments are as usual (a prior of nought), and what is looked for is a delay of some ten minutes; what the
month shows is weighed against that. Few and scattered cases convince less than many that agree.
"""

import math
from collections.abc import Mapping, Sequence
from functools import cache
from typing import NamedTuple

import msgspec
import numpy as np
import scipy.special

from greenchannel.alerts.quality.hours import came_off_hours
from greenchannel.alerts.quality.record import CaseRecord
from greenchannel.alerts.quality.segments import Segment, exact, minutes, segments, way_of
from greenchannel.alerts.quality.tables import read_value

TABLE = "bottlenecks"
FEW = 60  # cases of the baseline are drawn at a time: the variance of more follows from theirs
MANY = 400  # cases of the period likewise: a year of a province would fill the memory
LEAST_VARIANCE = 0.25  # of times that are told to the minute
ALWAYS = ("consent", "dido")  # in the list whatever they cost

Floats = np.ndarray[tuple[int, ...], np.dtype[np.float64]]


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """The values of ``bottlenecks.toml``."""

    reference_points: int
    draws: int
    seed: int
    interval_share: float
    stratum_weight: float
    delay_min: float
    delay_sd_min: float
    delay_share: float
    least_cases: int
    consent_known_share: float


@cache
def default_settings() -> Settings:
    """The values of ``bottlenecks.toml``."""
    return Settings(**{name: read_value(TABLE, name, float | int) for name in Settings.__struct_fields__})  # type: ignore[arg-type]


class Bottleneck(msgspec.Struct, frozen=True, kw_only=True):
    """What one segment lost."""

    segment: str
    kind: str
    zh: str
    en: str
    who: str
    rank: int | None  # None: too few cases, or a whole that other rows are parts of
    excess_min: float | None  # above what is usual for such cases; negative: faster
    low_min: float | None
    high_min: float | None
    believed_min: float | None  # the excess that is to be believed; what the rank goes by
    probability_slow: float | None  # that it is slower than usual, and no chance
    probability_first: float | None  # that it loses more than any other
    median_min: float | None  # of the period, as it was
    usual_min: float | None  # median before
    cases: int
    missing: int  # cases in which it exists and is not known
    without_consent: bool = False  # the time while consent was talked about is taken out
    case_ids: tuple[str, ...] = ()  # longest above the usual first


class Ranking(msgspec.Struct, frozen=True, kw_only=True):
    """The segments of a period, the one that is to be believed to lose most first."""

    cases: int
    cases_before: int
    rows: tuple[Bottleneck, ...]
    probability_none: float  # that no segment is slower than usual


class Belief(NamedTuple):
    """What is to be believed of one segment's excess: nought, or with `slow` a delay of this mean and spread."""

    slow: float
    mean_min: float
    sd_min: float


class Measured(NamedTuple):
    """One segment in some cases."""

    values: Floats  # minutes
    strata: tuple[tuple[object, ...], ...]  # of each value
    case_ids: tuple[str, ...]
    missing: int
    net: bool


def bottlenecks(
    now: Sequence[CaseRecord], before: Sequence[CaseRecord], *, settings: Settings | None = None
) -> Ranking:
    """Rank the segments by what they lost in a period against an earlier one, most first.

    Consent and door-in-door-out are always in the list. A whole (`Segment.kind`) is shown and not ranked, since its
    parts are. Deterministic: the bootstrap's seed is a setting.

    Parameters
    ----------
    now, before
        Records of the population that is asked about, as STEMI with reperfusion; exclusions are the caller's.
    """
    rule = settings or default_settings()
    net = _consent_is_known(now, rule) and _consent_is_known(before, rule)
    here, there = measured(now, net=net), measured(before, net=net)
    rows, beliefs = [], {}
    for n, spec in enumerate(segments().values()):
        row, belief = _row(spec, here[spec.id], there[spec.id], rule, n)
        rows.append(row)
        if belief is not None and spec.kind != "whole":
            beliefs[spec.id] = belief
    first, none = _first(beliefs, rule)
    rows.sort(
        key=lambda row: (row.segment not in first, -_or_low(row.believed_min), -_or_low(row.excess_min))
    )
    return Ranking(
        cases=len(now),
        cases_before=len(before),
        rows=tuple(
            msgspec.structs.replace(
                row,
                rank=n if row.segment in first else None,
                probability_first=first.get(row.segment),
            )
            for n, row in enumerate(rows, start=1)
            if row.cases or row.missing or row.segment in ALWAYS
        ),
        probability_none=none,
    )


def measured(records: Sequence[CaseRecord], *, net: bool) -> dict[str, Measured]:
    """Return each segment's minutes in these cases, with what its usual length differs by.

    Parameters
    ----------
    net
        Whether the time while consent was talked about is taken out of what it holds up. Cases in which the talk is
        not known keep it, and are compared with their like alone.
    """
    found: dict[str, tuple[list[float], list[tuple[object, ...]], list[str]]] = {
        name: ([], [], []) for name in segments()
    }
    missing = dict.fromkeys(segments(), 0)
    for record in records:
        lengths = way_of(record).lengths_min
        like = {"town": record.town, "site": record.site, "off_hours": came_off_hours(record)}
        for name, spec in segments().items():
            if record.arrival_mode is not None and record.arrival_mode not in spec.modes:
                continue
            length = lengths.get(name)
            if length is None:
                missing[name] += 1
                continue
            alone = _without_consent(record, spec, length) if net else None
            values, strata, ids = found[name]
            values.append(length if alone is None else alone)
            strata.append((alone is not None, record.arrival_mode, *(like[key] for key in spec.depends_on)))
            ids.append(record.case_id)
    return {
        name: Measured(
            np.array(values, dtype=np.float64), tuple(strata), tuple(ids), missing[name], net and _held(name)
        )
        for name, (values, strata, ids) in found.items()
    }


def usual(before: Measured, rule: Settings) -> Mapping[tuple[object, ...], float]:
    """What is usual in each stratum, in minutes, drawn towards the mode's and the segment's own where cases are few.

    The empty stratum is the segment's.
    """
    if not len(before.values):
        return {}
    levels: dict[tuple[object, ...], float] = {(): float(np.median(before.values))}
    for depth in sorted({n for strata in before.strata for n in range(1, len(strata) + 1)}):
        groups: dict[tuple[object, ...], list[float]] = {}
        for value, stratum in zip(before.values, before.strata, strict=True):
            groups.setdefault(stratum[:depth], []).append(float(value))
        for key, values in groups.items():
            above, n = levels[key[:-1]], len(values)
            levels[key] = (n * float(np.median(values)) + rule.stratum_weight * above) / (
                n + rule.stratum_weight
            )
    return levels


def above_usual(of: Measured, levels: Mapping[tuple[object, ...], float]) -> Floats:
    """Minutes of each case above what is usual for it; for a stratum never seen, above that of the next wider one."""
    return of.values - np.array([_level(stratum, levels) for stratum in of.strata], dtype=np.float64)


def shift(values: Floats, reference: Floats) -> Floats:
    """How far values lie above a reference: the median of all differences (Hodges and Lehmann 1963).

    Parameters
    ----------
    values
        ``(..., n)``; the shift of each row is returned, ``(...)``.
    reference
        ``(m,)``.
    """
    apart = values[..., :, None] - reference
    middle: Floats = np.median(apart.reshape(*values.shape[:-1], -1), axis=-1)
    return middle


def _level(stratum: tuple[object, ...], levels: Mapping[tuple[object, ...], float]) -> float:
    while stratum not in levels:
        stratum = stratum[:-1]
    return levels[stratum]


def _row(
    spec: Segment, here: Measured, there: Measured, rule: Settings, n: int
) -> tuple[Bottleneck, Belief | None]:
    row = Bottleneck(
        segment=spec.id,
        kind=spec.kind,
        zh=spec.zh,
        en=spec.en,
        who=spec.who,
        rank=None,
        excess_min=None,
        low_min=None,
        high_min=None,
        believed_min=None,
        probability_slow=None,
        probability_first=None,
        median_min=_median(here.values),
        usual_min=_median(there.values),
        cases=len(here.values),
        missing=here.missing,
        without_consent=here.net,
        case_ids=here.case_ids,
    )
    if min(len(here.values), len(there.values)) < rule.least_cases:
        return row, None
    levels = usual(there, rule)
    over, base = above_usual(here, levels), above_usual(there, levels)
    rng = np.random.default_rng((rule.seed, n))
    reference = np.quantile(base, (np.arange(rule.reference_points) + 0.5) / rule.reference_points)
    excess = float(shift(over, reference))
    few = min(len(base), FEW)
    doubt = float(np.var(shift(_resampled(rng, base, few, rule), reference))) * few / len(base)
    some = min(len(over), MANY)
    narrower = math.sqrt(some / len(over))
    drawn = excess + (shift(_resampled(rng, over, some, rule), reference) - excess) * narrower
    drawn += rng.normal(0.0, math.sqrt(doubt), rule.draws)
    # A handful of cases that happen to be alike says too little of its own spread: what is usual says it, too.
    chance = shift(_resampled(rng, base, some, rule), reference) * narrower
    tail = (1.0 - rule.interval_share) / 2.0
    low, high = np.quantile(drawn, (tail, 1.0 - tail))
    belief = believe(excess, (float(np.var(drawn)) + float(np.var(chance)) + doubt) / 2.0, rule)
    ids = tuple(here.case_ids[int(i)] for i in np.argsort(-over, kind="stable"))
    row = msgspec.structs.replace(
        row,
        excess_min=excess,
        low_min=float(low),
        high_min=float(high),
        believed_min=belief.slow * belief.mean_min,
        probability_slow=belief.slow,
        case_ids=ids,
    )
    return row, belief


def believe(excess_min: float, variance: float, rule: Settings) -> Belief:
    """Weigh an excess of this variance (minutes squared) between nought and a delay as the settings look for.

    Two hypotheses of known shape: Bayes' rule for a mixture of a point and a normal distribution.
    """
    variance = max(variance, LEAST_VARIANCE)
    wide = variance + rule.delay_sd_min**2
    log_odds = 0.5 * (
        math.log(variance / wide) + excess_min**2 / variance - (excess_min - rule.delay_min) ** 2 / wide
    )
    log_odds += math.log(rule.delay_share / (1.0 - rule.delay_share))
    return Belief(
        slow=float(scipy.special.expit(log_odds)),
        mean_min=(excess_min * rule.delay_sd_min**2 + rule.delay_min * variance) / wide,
        sd_min=math.sqrt(variance * rule.delay_sd_min**2 / wide),
    )


def _resampled(rng: np.random.Generator, values: Floats, size: int, rule: Settings) -> Floats:
    drawn: Floats = values[rng.integers(0, len(values), (rule.draws, size))]
    return drawn


def _first(beliefs: Mapping[str, Belief], rule: Settings) -> tuple[dict[str, float], float]:
    """How often each segment loses most in draws of what is to be believed, and how often none is slow."""
    if not beliefs:
        return {}, 1.0
    rng = np.random.default_rng((rule.seed, len(segments())))
    drawn = np.stack(
        [
            np.where(
                rng.random(rule.draws) < one.slow, rng.normal(one.mean_min, one.sd_min, rule.draws), -np.inf
            )
            for one in beliefs.values()
        ]
    )
    winner = np.where(np.isinf(drawn).all(axis=0), -1, np.argmax(drawn, axis=0))
    shares = {name: float(np.mean(winner == n)) for n, name in enumerate(beliefs)}
    return shares, float(np.mean(winner == -1))


def _consent_is_known(records: Sequence[CaseRecord], rule: Settings) -> bool:
    known = sum(_talk(record) is not None for record in records)
    return known > 0 and known >= rule.consent_known_share * len(records)


def _held(name: str) -> bool:
    return any(name in row.holds_up for row in segments().values())


def _talk(record: CaseRecord) -> tuple[Segment, float] | None:
    spec = segments()["consent"]
    begin, end = exact(record, spec.begin), exact(record, spec.end)
    if begin is None or end is None or end.at < begin.at:
        return None
    return spec, minutes(begin.at, end.at)


def _without_consent(record: CaseRecord, spec: Segment, length: float) -> float | None:
    """A segment's minutes without those in which consent was talked about; None where the talk is not known."""
    if not _held(spec.id):
        return None
    consent = segments()["consent"]
    talk = [exact(record, name) for name in (consent.begin, consent.end)]
    ends = [exact(record, name) for name in (spec.begin, spec.end)]
    if any(time is None for time in (*talk, *ends)):
        return None
    (start, stop), (begin, end) = ([time.at for time in pair if time is not None] for pair in (talk, ends))
    together = max(minutes(max(start, begin), min(stop, end)), 0.0)
    return max(length - together, 0.0)


def _median(values: Floats) -> float | None:
    return float(np.median(values)) if len(values) else None


def _or_low(value: float | None) -> float:
    return -np.inf if value is None else value
