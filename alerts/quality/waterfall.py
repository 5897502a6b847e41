"""Where the time goes: each segment of many cases, its share of the way, and the same cases at their best.

Medians do not add up, and nothing here pretends that they do: the share of a segment is its part of all minutes of the
cases in which it and the total are known. What is missing is counted beside what is known.
"""

import math
from collections.abc import Sequence
from datetime import tzinfo
from functools import cache

import msgspec
import numpy as np
import scipy.special

from greenchannel.alerts.order import NATIONAL_ZONE
from greenchannel.alerts.quality.record import CaseRecord
from greenchannel.alerts.quality.segments import CaseWay, Kind, Segment, segments, ways_of
from greenchannel.alerts.quality.tables import read_value

TABLE = "waterfall"

Floats = np.ndarray[tuple[int, ...], np.dtype[np.float64]]


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """The values of ``waterfall.toml``."""

    draws: int
    seed: int
    interval_share: float
    best_share: float
    window_months: int
    window_least_cases: int


@cache
def default_settings() -> Settings:
    """The values of ``waterfall.toml``."""
    return Settings(**{name: read_value(TABLE, name, float | int) for name in Settings.__struct_fields__})  # type: ignore[arg-type]


class Spread(msgspec.Struct, frozen=True, kw_only=True):
    """Minutes of one segment in some cases."""

    cases: int  # that are known
    missing: int  # in which it exists and is not known
    median_min: float | None
    low_min: float | None  # interval of the median, by rank; None with too few cases for any
    high_min: float | None
    lower_quartile_min: float | None
    upper_quartile_min: float | None


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One segment of the waterfall."""

    segment: str
    kind: Kind
    zh: str
    en: str
    who: str
    spread: Spread
    share: (
        float | None
    )  # of all minutes from first contact to the wire; None: nothing to divide, or no part of the way
    longest: tuple[str, ...] = ()  # its cases, longest first


class Waterfall(msgspec.Struct, frozen=True, kw_only=True):
    """The way of many cases."""

    cases: int
    mode: int | None  # None: all modes together
    unknown_mode: int  # cases that nobody can lay on a way
    total: Spread  # first contact to wire
    rows: tuple[Row, ...]
    out_of_order: tuple[str, ...]  # cases with a time that contradicts another
    case_ids: tuple[str, ...]


class Against(msgspec.Struct, frozen=True, kw_only=True):
    """One segment here and in what it is compared with."""

    segment: str
    kind: Kind
    zh: str
    en: str
    here: Spread
    there: Spread
    difference_min: float | None  # of the medians; positive: slower here
    low_min: float | None
    high_min: float | None


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """A set of cases against another: the total first, then each segment."""

    against: str  # "best_quarter", "best_months", "network", or what the caller calls it
    begins: str | None = None  # first and last month of the stretch, "2025-03"
    ends: str | None = None
    cases_here: int
    cases_there: int
    total: Against
    rows: tuple[Against, ...]
    case_ids_there: tuple[str, ...]


def waterfall(
    records: Sequence[CaseRecord], *, mode: int | None = None, settings: Settings | None = None
) -> Waterfall:
    """Lay the cases on one way, segment by segment.

    Parameters
    ----------
    records
        The population that is asked about, as STEMI with a wire; exclusions are the caller's.
    mode
        National code of an arrival mode: its cases and its segments alone.
    """
    rule = settings or default_settings()
    chosen = [one for one in records if mode is None or one.arrival_mode == mode]
    ways = ways_of(chosen)
    return Waterfall(
        cases=len(ways),
        mode=mode,
        unknown_mode=sum(way.mode is None for way in ways),
        total=spread_of(ways, segments()["fmc_to_wire"], rule),
        rows=tuple(
            _row(ways, spec, rule)
            for spec in segments().values()
            if (mode is None or mode in spec.modes) and any(_exists(way, spec) for way in ways)
        ),
        out_of_order=tuple(way.case_id for way in ways if way.out_of_order),
        case_ids=tuple(way.case_id for way in ways),
    )


def compare(
    here: Sequence[CaseRecord],
    there: Sequence[CaseRecord],
    *,
    against: str,
    settings: Settings | None = None,
) -> Comparison:
    """Return each segment's median in one set of cases against another, with the interval of the difference."""
    rule = settings or default_settings()
    ways, others = ways_of(here), ways_of(there)
    rows = {
        spec.id: _against(ways, others, spec, rule)
        for spec in segments().values()
        if any(_exists(way, spec) for way in (*ways, *others))
    }
    total = rows.pop("fmc_to_wire", None) or _against(ways, others, segments()["fmc_to_wire"], rule)
    return Comparison(
        against=against,
        cases_here=len(ways),
        cases_there=len(others),
        total=total,
        rows=tuple(rows.values()),
        case_ids_there=tuple(way.case_id for way in others),
    )


def best_quarter(
    records: Sequence[CaseRecord], *, settings: Settings | None = None
) -> tuple[CaseRecord, ...]:
    """The cases with the shortest way from first contact to the wire, mode by mode, so that each mode keeps its share.

    Cases whose way is not known are in no quarter.
    """
    rule = settings or default_settings()
    known = [
        (way.total_min, record)
        for way, record in zip(ways_of(records), records, strict=True)
        if way.total_min is not None
    ]
    best: list[CaseRecord] = []
    for mode in {record.arrival_mode for _, record in known}:
        like = sorted(
            ((total, record.case_id, record) for total, record in known if record.arrival_mode == mode),
            key=lambda one: one[:2],
        )
        best += [record for _, _, record in like[: round(len(like) * rule.best_share)]]
    return tuple(sorted(best, key=lambda record: (record.began_at, record.case_id)))


def against_best_quarter(records: Sequence[CaseRecord], *, settings: Settings | None = None) -> Comparison:
    """All cases against the quarter of them that was fastest: what is possible here, and where the rest falls behind.

    The quarter was chosen by its total, so its totals are short by choice; the segments say where.
    """
    return compare(
        records, best_quarter(records, settings=settings), against="best_quarter", settings=settings
    )


def best_months(
    records: Sequence[CaseRecord], *, zone: tzinfo = NATIONAL_ZONE, settings: Settings | None = None
) -> tuple[str, str, tuple[CaseRecord, ...]] | None:
    """The stretch of calendar months in which the median way was shortest: first and last month, and its cases.

    None where no stretch has enough cases with a known way. Of equals, the latest.
    """
    rule = settings or default_settings()
    by_month: dict[int, list[CaseRecord]] = {}
    for record in records:
        local = record.began_at.astimezone(zone)
        by_month.setdefault(local.year * 12 + local.month - 1, []).append(record)
    if not by_month:
        return None
    found: list[tuple[float, int, list[CaseRecord]]] = []
    for first in range(min(by_month), max(by_month) - rule.window_months + 2):
        cases = [one for n in range(first, first + rule.window_months) for one in by_month.get(n, [])]
        totals = [way.total_min for way in ways_of(cases) if way.total_min is not None]
        if len(totals) >= rule.window_least_cases:
            found.append((float(np.median(totals)), -first, cases))
    if not found:
        return None
    _, negative, cases = min(found, key=lambda one: one[:2])
    return _month(-negative), _month(-negative + rule.window_months - 1), tuple(cases)


def against_best_months(
    now: Sequence[CaseRecord],
    history: Sequence[CaseRecord],
    *,
    zone: tzinfo = NATIONAL_ZONE,
    settings: Settings | None = None,
) -> Comparison | None:
    """A period against the best stretch of months in its history; None where no stretch has enough cases."""
    best = best_months(history, zone=zone, settings=settings)
    if best is None:
        return None
    begins, ends, cases = best
    found = compare(now, cases, against="best_months", settings=settings)
    return msgspec.structs.replace(found, begins=begins, ends=ends)


def spread_of(ways: Sequence[CaseWay], spec: Segment, rule: Settings) -> Spread:
    """Return the spread of one segment in these cases."""
    values = lengths(ways, spec)
    exists = sum(_exists(way, spec) for way in ways)
    if not len(values):
        return Spread(
            cases=0,
            missing=exists,
            median_min=None,
            low_min=None,
            high_min=None,
            lower_quartile_min=None,
            upper_quartile_min=None,
        )
    low, high = median_interval(values, rule.interval_share)
    lower, middle, upper = (float(one) for one in np.quantile(values, (0.25, 0.5, 0.75)))
    return Spread(
        cases=len(values),
        missing=exists - len(values),
        median_min=middle,
        low_min=low,
        high_min=high,
        lower_quartile_min=lower,
        upper_quartile_min=upper,
    )


def lengths(ways: Sequence[CaseWay], spec: Segment) -> Floats:
    """Minutes of one segment in the cases in which it is known, in their order."""
    return np.array(
        [way.lengths_min[spec.id] for way in ways if spec.id in way.lengths_min], dtype=np.float64
    )


def median_interval(values: Floats, share: float) -> tuple[float | None, float | None]:
    """Two of the values between which the median lies in at least `share` of samples, whatever the times are like.

    By the binomial distribution of ranks: a bootstrap of thirty skewed values promises 95 % and keeps 92. Of five
    values and fewer there is no such pair.
    """
    n = len(values)
    rank = _rank_of(n, (1.0 - share) / 2.0) if n else 0
    if rank < 1:
        return None, None
    ordered = np.sort(values)
    return float(ordered[rank - 1]), float(ordered[n - rank])


def _rank_of(n: int, below: float) -> int:
    """The smallest number of `n` tosses of a coin that has at least the probability `below` under it, itself included.

    As `scipy.stats.binom.ppf(below, n, 0.5)`, without the 40 MB that `scipy.stats` takes in a process.
    """
    upper = math.ceil(scipy.special.bdtrik(below, n, 0.5))
    lower = max(upper - 1, 0)
    return lower if scipy.special.bdtr(lower, n, 0.5) >= below else upper


def drawn_medians(values: Floats, rule: Settings, name: str, part: int = 0) -> Floats:
    """Medians of bootstrap samples; the same for the same values and name."""
    rng = np.random.default_rng((rule.seed, part, *name.encode()))
    n = len(values)
    drawn: Floats = np.median(values[rng.integers(0, n, (rule.draws, n))], axis=1)
    return drawn


def _exists(way: CaseWay, spec: Segment) -> bool:
    return spec.id in way.lengths_min or (
        way.mode in spec.modes if way.mode is not None else spec.kind != "track"
    )


def _row(ways: Sequence[CaseWay], spec: Segment, rule: Settings) -> Row:
    known = [(way.lengths_min[spec.id], way.case_id) for way in ways if spec.id in way.lengths_min]
    return Row(
        segment=spec.id,
        kind=spec.kind,
        zh=spec.zh,
        en=spec.en,
        who=spec.who,
        spread=spread_of(ways, spec, rule),
        share=_share(ways, spec),
        longest=tuple(case_id for _, case_id in sorted(known, key=lambda one: (-one[0], one[1]))),
    )


def _share(ways: Sequence[CaseWay], spec: Segment) -> float | None:
    """Of all minutes of the cases of its modes in which total and segment are known."""
    if spec.kind != "track":
        return None
    both = [
        (way.lengths_min[spec.id], way.total_min)
        for way in ways
        if spec.id in way.lengths_min and way.total_min
    ]
    whole = sum(total for _, total in both)
    return sum(part for part, _ in both) / whole if whole > 0 else None


def _against(here: Sequence[CaseWay], there: Sequence[CaseWay], spec: Segment, rule: Settings) -> Against:
    ours, theirs = lengths(here, spec), lengths(there, spec)
    difference = low = high = None
    if len(ours) and len(theirs):
        difference = float(np.median(ours) - np.median(theirs))
    if min(len(ours), len(theirs)) >= 3:
        drawn = drawn_medians(ours, rule, spec.id) - drawn_medians(theirs, rule, spec.id, part=1)
        low, high = _interval(drawn, rule)
    return Against(
        segment=spec.id,
        kind=spec.kind,
        zh=spec.zh,
        en=spec.en,
        here=spread_of(here, spec, rule),
        there=spread_of(there, spec, rule),
        difference_min=difference,
        low_min=low,
        high_min=high,
    )


def _interval(drawn: Floats, rule: Settings) -> tuple[float, float]:
    tail = (1.0 - rule.interval_share) / 2.0
    low, high = np.quantile(drawn, (tail, 1.0 - tail))
    return float(low), float(high)


def _month(number: int) -> str:
    return f"{number // 12:04d}-{number % 12 + 1:02d}"
