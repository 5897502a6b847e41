"""Why a period was slower than another: who came, when and from where, and which segments took longer.

The change of the median from first contact to the wire is split in steps. First the earlier cases are weighed so that
their mix is that of the later ones, one property after the other (`why_slower.toml`): how far the median moves by that
is the part of the mix, and no department's fault. What remains is laid on the segments, each by how much its own median
moved against the earlier cases so weighed. Medians do not add up; what is left over is shown as such.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache

import msgspec
import numpy as np

from greenchannel.alerts.quality.record import CaseRecord
from greenchannel.alerts.quality.segments import CaseWay, segments, ways_of
from greenchannel.alerts.quality.slow_groups import GROUPINGS, GroupExcess, slow_groups
from greenchannel.alerts.quality.tables import read_value

TABLE = "why_slower"
TOTAL = "fmc_to_wire"

Floats = np.ndarray[tuple[int, ...], np.dtype[np.float64]]
Indices = np.ndarray[tuple[int, ...], np.dtype[np.int64]]


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """The values of ``why_slower.toml``."""

    draws: int
    seed: int
    interval_share: float
    mix: tuple[str, ...]
    least_like: int


@cache
def default_settings() -> Settings:
    """The values of ``why_slower.toml``."""
    return Settings(
        draws=read_value(TABLE, "draws", int),
        seed=read_value(TABLE, "seed", int),
        interval_share=read_value(TABLE, "interval_share", float),
        mix=read_value(TABLE, "mix", tuple[str, ...]),
        least_like=read_value(TABLE, "least_like", int),
    )


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """One part of the change, in minutes; positive: slower than before."""

    kind: str  # "mix", "segment", "beside": no part of the sum
    name: str  # what the mix is of, or the segment
    zh: str
    en: str
    change_min: float | None
    low_min: float | None
    high_min: float | None
    share: float | None  # of the whole change; None where there is none to speak of, or beside the sum
    cases_before: int
    cases_now: int


class MixShift(msgspec.Struct, frozen=True, kw_only=True):
    """How the share of one group of cases changed."""

    by: str
    group: str | None  # None: nobody knows
    share_before: float
    share_now: float


class WhySlower(msgspec.Struct, frozen=True, kw_only=True):
    """The change between two periods, and what it is made of."""

    cases_before: int
    cases_now: int
    missing_before: int  # without a known total
    missing_now: int
    median_before_min: float | None
    median_now_min: float | None
    change_min: float | None
    low_min: float | None
    high_min: float | None
    parts: tuple[Part, ...]  # largest first, mix and segments together
    beside: tuple[
        Part, ...
    ]  # consent, activation, door-in-door-out: within the segments, shown for themselves
    rest_min: float | None  # what no part explains
    shifts: tuple[MixShift, ...]  # largest first
    clinics: tuple[GroupExcess, ...]  # where the cases of now began, those that lose most minutes first


class _Side:
    """The cases of one period as columns: NaN where a length is not known."""

    def __init__(self, records: Sequence[CaseRecord], mix: Sequence[str]) -> None:
        ways = ways_of(records)
        self.groups = [tuple(GROUPINGS[name](record) for name in mix) for record in records]
        self.columns = {name: _column(ways, name) for name in segments()}
        self.cases = len(records)

    def known(self, name: str) -> int:
        return int(np.isfinite(self.columns[name]).sum())


def _column(ways: Sequence[CaseWay], name: str) -> Floats:
    return np.array([way.lengths_min.get(name, np.nan) for way in ways], dtype=np.float64)


def compare_periods(
    before: Sequence[CaseRecord], now: Sequence[CaseRecord], *, settings: Settings | None = None
) -> WhySlower:
    """Split the change of the median way into mix and segments, with intervals by a bootstrap of both periods.

    Parameters
    ----------
    before, now
        Records of the same population, as STEMI with a wire; exclusions are the caller's.
    """
    rule = settings or default_settings()
    earlier, later = _Side(before, rule.mix), _Side(now, rule.mix)
    whole = {"i": np.arange(earlier.cases), "j": np.arange(later.cases)}
    point = _split(earlier, later, whole["i"], whole["j"], rule)
    drawn: dict[str, list[float]] = {name: [] for name in point}
    if min(earlier.known(TOTAL), later.known(TOTAL)) >= rule.least_like:
        rng = np.random.default_rng(rule.seed)
        for _ in range(rule.draws):
            rows = (rng.integers(0, earlier.cases, earlier.cases), rng.integers(0, later.cases, later.cases))
            for name, value in _split(earlier, later, *rows, rule).items():
                drawn.setdefault(name, []).append(value)
    parts = [_part(name, point, drawn, earlier, later, rule) for name in point if name != "change"]
    inside = sorted(
        (one for one in parts if one.kind != "beside"), key=lambda one: -abs(one.change_min or 0.0)
    )
    change = _known(point.get("change"))
    low, high = _interval(drawn.get("change", []), rule)
    return WhySlower(
        cases_before=earlier.cases,
        cases_now=later.cases,
        missing_before=earlier.cases - earlier.known(TOTAL),
        missing_now=later.cases - later.known(TOTAL),
        median_before_min=_median(earlier.columns[TOTAL]),
        median_now_min=_median(later.columns[TOTAL]),
        change_min=change,
        low_min=low,
        high_min=high,
        parts=tuple(inside),
        beside=tuple(one for one in parts if one.kind == "beside"),
        rest_min=None if change is None else change - sum(one.change_min or 0.0 for one in inside),
        shifts=_shifts(before, now, rule),
        clinics=slow_groups(TOTAL, now, before, by=("site",)),
    )


def _split(earlier: _Side, later: _Side, i: Indices, j: Indices, rule: Settings) -> dict[str, float]:
    """The change and its parts by name, in minutes; NaN where too little is known."""
    found: dict[str, float] = {}
    old, new = earlier.columns[TOTAL][i], later.columns[TOTAL][j]
    found["change"] = _weighted_median(new) - _weighted_median(old)
    weights: Floats = np.ones(len(i))
    level = _weighted_median(old, weights)
    for depth, name in enumerate(rule.mix, start=1):
        weights = _weights(earlier, later, i, j, depth, rule)
        moved = _weighted_median(old, weights)
        found[f"mix:{name}"] = moved - level
        level = moved
    for name, spec in segments().items():
        if name in (TOTAL, "door_to_wire"):
            continue
        ours, theirs = later.columns[name][j], earlier.columns[name][i]
        difference = _weighted_median(ours) - _weighted_median(theirs, weights)
        # A segment that only some cases have moves the total of those alone.
        part = _has(later, spec.modes, j) if spec.kind == "track" else 1.0
        found[f"{'segment' if spec.kind == 'track' else 'beside'}:{name}"] = difference * part
    return found


def _has(side: _Side, modes: Sequence[int], rows: Indices) -> float:
    """The share of these cases in whose arrival mode a segment exists."""
    if not len(rows):
        return 0.0
    wanted = {str(mode) for mode in modes}
    return sum(side.groups[int(n)][0] in wanted for n in rows) / len(rows)


def _weights(earlier: _Side, later: _Side, i: Indices, j: Indices, depth: int, rule: Settings) -> Floats:
    """Weights of the earlier cases by which their mix of the first `depth` properties is that of the later ones."""
    here = Counter(later.groups[int(n)][:depth] for n in j)
    there = Counter(earlier.groups[int(n)][:depth] for n in i)
    total = sum(n for key, n in here.items() if there[key] >= rule.least_like) or 1
    weighed = sum(n for n in there.values() if n >= rule.least_like) or 1
    factor = {
        key: (here[key] / total) / (n / weighed) if n >= rule.least_like else 1.0 for key, n in there.items()
    }
    return np.array([factor[earlier.groups[int(n)][:depth]] for n in i], dtype=np.float64)


def _weighted_median(values: Floats, weights: Floats | None = None) -> float:
    known = np.isfinite(values)
    if not known.any():
        return float("nan")
    own = values[known]
    if weights is None:
        return float(np.median(own))
    order = np.argsort(own)
    mass = np.cumsum(weights[known][order])
    if mass[-1] <= 0:
        return float("nan")
    at = np.searchsorted(mass, (mass[-1] / 2 - 1e-12, mass[-1] / 2 + 1e-12))
    low, high = np.minimum(at, len(own) - 1)
    return float(own[order[low]] + own[order[high]]) / 2


def _part(
    key: str,
    point: Mapping[str, float],
    drawn: Mapping[str, list[float]],
    earlier: _Side,
    later: _Side,
    rule: Settings,
) -> Part:
    kind, name = key.split(":")
    zh, en = _names(kind, name)
    low, high = _interval(drawn.get(key, []), rule)
    change, whole = _known(point[key]), _known(point["change"])
    column = TOTAL if kind == "mix" else name
    spoken_of = change is not None and whole is not None and kind != "beside" and abs(whole) >= 1.0
    return Part(
        kind=kind,
        name=name,
        zh=zh,
        en=en,
        change_min=change,
        low_min=low,
        high_min=high,
        share=change / whole if spoken_of and change is not None and whole else None,
        cases_before=earlier.known(column),
        cases_now=later.known(column),
    )


def _names(kind: str, name: str) -> tuple[str, str]:
    if kind == "mix":
        said = read_value(TABLE, "mix_words", dict[str, dict[str, str]])[name]
        return said["zh"], said["en"]
    return segments()[name].zh, segments()[name].en


def _shifts(before: Sequence[CaseRecord], now: Sequence[CaseRecord], rule: Settings) -> tuple[MixShift, ...]:
    if not before or not now:
        return ()
    found = []
    for name in rule.mix:
        there, here = (Counter(GROUPINGS[name](record) for record in side) for side in (before, now))
        for group in {*there, *here}:
            found.append(
                MixShift(
                    by=name,
                    group=group,
                    share_before=there[group] / len(before),
                    share_now=here[group] / len(now),
                )
            )
    return tuple(
        sorted(found, key=lambda one: (-abs(one.share_now - one.share_before), one.by, one.group or ""))
    )


def _interval(drawn: Sequence[float], rule: Settings) -> tuple[float | None, float | None]:
    known = [value for value in drawn if np.isfinite(value)]
    if len(known) < 2:
        return None, None
    tail = (1.0 - rule.interval_share) / 2.0
    low, high = np.quantile(known, (tail, 1.0 - tail))
    return float(low), float(high)


def _median(values: Floats) -> float | None:
    return _known(_weighted_median(values))


def _known(value: float | None) -> float | None:
    return None if value is None or not np.isfinite(value) else float(value)
