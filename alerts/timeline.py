"""The timeline of a case: every milestone and fact with all its values, the intervals, and what cannot be true.

What is not known stays unknown: it is never 0, and never interpolated. A time that a quality officer types for a
milestone stands beside the machine's; the table says which one is valid, and all are kept.
"""

import math
from collections.abc import Iterable, Mapping
from datetime import tzinfo
from functools import cache

import msgspec

from greenchannel.alerts.case import Case
from greenchannel.alerts.facts import FactSpec, FactValue, facts, standing
from greenchannel.alerts.milestones import MilestoneSpec, MilestoneValue, milestones, source_rank
from greenchannel.alerts.order import NATIONAL_ZONE, Problem, check_order
from greenchannel.alerts.tables import read_table
from greenchannel.events import ClockReading

TRANSFER = 2  # national arrival code


class IntervalSpec(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    rename={"start": "from", "end": "to"},
):
    """One row of ``intervals.toml``; the fields are explained there."""

    id: str
    start: str
    end: str
    zh: str
    en: str
    target_min: float | None = None
    transfer_target_min: float | None = None
    modes: tuple[int, ...] = (1, 2, 3, 4)
    track: int | None = None
    source: str
    mark: str

    def target_for(self, arrival_mode: int | None) -> float | None:
        """The target of this arrival mode; None where there is none, or where it hangs on a mode nobody knows."""
        if self.transfer_target_min is None:
            return self.target_min
        if arrival_mode is None:
            return None
        return self.transfer_target_min if arrival_mode == TRANSFER else self.target_min


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One milestone, or one of its keys where it repeats, with every value that was given."""

    spec: MilestoneSpec
    key: str | None
    valid: MilestoneValue | None  # None: unknown
    values: tuple[MilestoneValue, ...]  # in the order they were recorded


class Interval(msgspec.Struct, frozen=True, kw_only=True):
    """The time between two milestones."""

    spec: IntervalSpec
    seconds: float | None  # None: unknown
    minutes: int | None  # rounded, halves away from zero
    uncertainty_s: float | None  # half width: the sum of those of both ends; None: unknown
    target_min: float | None
    late_by_min: int | None  # `minutes` beyond the target, at least 1; None: in time, unknown, or no target
    negative: bool  # the end lies before the start: kept, and shown as it is
    missing: tuple[str, ...]  # milestones without a time
    segment: bool  # part of the one track from first contact to wire


class FactEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One fact with all that was said of it."""

    spec: FactSpec
    valid: FactValue | None  # None: unknown
    values: tuple[FactValue, ...]  # in the order they were recorded


class Timeline(msgspec.Struct, frozen=True, kw_only=True):
    """All that is known of when things happened in one case."""

    arrival_mode: int | None
    entries: tuple[Entry, ...]
    intervals: tuple[Interval, ...]
    problems: tuple[Problem, ...]
    facts: tuple[FactEntry, ...]

    def interval(self, interval_id: str) -> Interval:
        """The interval of this id; raise `KeyError` where the arrival mode has none."""
        for interval in self.intervals:
            if interval.spec.id == interval_id:
                return interval
        raise KeyError(interval_id)

    @property
    def unknown(self) -> tuple[str, ...]:
        """Milestones of the arrival mode that nobody gave a time for."""
        return tuple(entry.spec.id for entry in self.entries if entry.valid is None)


@cache
def interval_specs() -> tuple[IntervalSpec, ...]:
    """All intervals in the order they are shown."""
    return read_table("intervals", "interval", IntervalSpec)


def timeline(case: Case, zone: tzinfo = NATIONAL_ZONE) -> Timeline:
    """Return the timeline of a case; `zone` is the one in which the texts of problems name times."""
    entries = tuple(_entries(case.values, case.arrival_mode))
    known = _known(entries)
    way = "stream" if any(ecg.way == "stream" for ecg in case.current_ecgs) else "upload"
    stands = standing(case.facts)
    return Timeline(
        arrival_mode=case.arrival_mode,
        entries=entries,
        intervals=_intervals(known, case.arrival_mode),
        problems=check_order(
            known, case.arrival_mode, way, zone, {name: value.code for name, value in stands.items()}
        ),
        facts=tuple(
            FactEntry(
                spec=spec,
                valid=stands.get(spec.id),
                values=tuple(value for value in case.facts if value.fact == spec.id),
            )
            for spec in facts().values()
        ),
    )


def valid_value(spec: MilestoneSpec, values: Iterable[MilestoneValue]) -> MilestoneValue | None:
    """Return the value that stands among those of one milestone and key; None where there is none.

    The strongest source stands. Within a source, what a person entered outweighs what an event set, and the
    newest entry the ones before it (they were corrected). Of several that events set, the table's `pick` decides.
    """
    by_source: dict[str, list[MilestoneValue]] = {}
    for value in values:
        by_source.setdefault(value.source, []).append(value)
    if not by_source:
        return None
    strongest = min(by_source, key=lambda source: (source_rank(spec, source), by_source[source][0].seq))
    candidates = by_source[strongest]
    entered = [value for value in candidates if not value.derived]
    if entered:
        return max(entered, key=lambda value: (value.recorded_at, value.seq))
    if spec.pick == "last":
        return max(candidates, key=lambda value: value.seq)
    return min(candidates, key=lambda value: (value.time.at, value.seq))


def _entries(values: tuple[MilestoneValue, ...], mode: int | None) -> Iterable[Entry]:
    given: dict[str, dict[str | None, list[MilestoneValue]]] = {}
    for value in values:
        given.setdefault(value.milestone, {}).setdefault(value.key, []).append(value)
    for spec in milestones().values():
        if spec.id in given:  # shown even where the arrival mode should not have it: somebody said so
            for key, found in given[spec.id].items():
                yield Entry(spec=spec, key=key, valid=valid_value(spec, found), values=tuple(found))
        elif spec.exists_in(mode):
            yield Entry(spec=spec, key=None, valid=None, values=())


def standing_values(values: Iterable[MilestoneValue], arrival_mode: int | None) -> dict[str, MilestoneValue]:
    """Return the value that stands of each known milestone, in the order of care; of one that repeats, the earliest."""
    return _known(_entries(tuple(values), arrival_mode))


def _known(entries: Iterable[Entry]) -> dict[str, MilestoneValue]:
    known: dict[str, MilestoneValue] = {}
    for entry in entries:
        value, name = entry.valid, entry.spec.id
        if value is not None and (name not in known or value.time.at < known[name].time.at):
            known[name] = value
    return known


def _intervals(known: Mapping[str, MilestoneValue], mode: int | None) -> tuple[Interval, ...]:
    shown = [spec for spec in interval_specs() if (TRANSFER if mode is None else mode) in spec.modes]
    track: dict[int, IntervalSpec] = {}
    for spec in shown:
        if spec.track is None:
            continue
        taken = track.setdefault(spec.track, spec)
        if taken.start not in known and spec.start in known:
            track[spec.track] = spec
    segments = {spec.id for spec in track.values()}
    return tuple(_interval(spec, known, mode, segment=spec.id in segments) for spec in shown)


def _interval(
    spec: IntervalSpec, known: Mapping[str, MilestoneValue], mode: int | None, *, segment: bool
) -> Interval:
    target = spec.target_for(mode)
    start, end = known.get(spec.start), known.get(spec.end)
    if start is None or end is None:
        return Interval(
            spec=spec,
            seconds=None,
            minutes=None,
            uncertainty_s=None,
            target_min=target,
            late_by_min=None,
            negative=False,
            missing=tuple(name for name in (spec.start, spec.end) if name not in known),
            segment=segment,
        )
    seconds = (end.time.at - start.time.at).total_seconds()
    minutes = round_minutes(seconds)
    late = target is not None and seconds > target * 60  # judged on the seconds: no target is met by rounding
    widths = (start.time.uncertainty_s, end.time.uncertainty_s)
    return Interval(
        spec=spec,
        seconds=seconds,
        minutes=minutes,
        uncertainty_s=None if widths[0] is None or widths[1] is None else widths[0] + widths[1],
        target_min=target,
        late_by_min=max(1, math.ceil(minutes - target)) if late and target is not None else None,
        negative=seconds < -_told_s(start.time, end.time),
        missing=(),
        segment=segment,
    )


def _told_s(*times: ClockReading) -> float:
    """How far the interval may be off because only a day, or a part of one, was told."""
    return sum(time.uncertainty_s or 0.0 for time in times if time.told is not None)


def round_minutes(seconds: float) -> int:
    """Whole minutes, halves away from zero: 90 s are 2 min and -30 s are -1 min."""
    minutes = math.floor(abs(seconds) / 60 + 0.5)
    return -minutes if seconds < 0 else minutes
