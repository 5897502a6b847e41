"""The way from first contact to the wire, cut into the segments of ``segments.toml``: how long each was in one case.

Nothing is interpolated. Where a time in the middle is not known, the segments on both sides of it are one piece; where
the first or the last is not, there is no total. A segment that others overtook adds only what it added to the way, so
that the pieces of a case are its total.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import cache
from itertools import pairwise
from typing import Literal

import msgspec

from greenchannel.alerts.quality.record import CaseRecord, RecordTime
from greenchannel.alerts.quality.tables import read_table, read_value

MODES = (1, 2, 3, 4)
TABLE = "segments"
BEGIN, END = "FMC", "WIRE"

Kind = Literal["track", "beside", "whole"]


class Segment(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    rename={"begin": "from", "end": "to"},
):
    """One row of ``segments.toml``; the fields are explained there."""

    id: str
    kind: Kind
    begin: str
    end: str
    zh: str
    en: str
    who: str
    mark: str
    modes: tuple[int, ...] = MODES
    meanwhile: bool = False
    holds_up: tuple[str, ...] = ()
    depends_on: tuple[str, ...] = ()


class Piece(msgspec.Struct, frozen=True, kw_only=True):
    """A piece of the way of one case: one segment, or several whose common borders are not known."""

    segments: tuple[str, ...]
    begin: str  # milestone
    end: str
    starts_min: float  # after the beginning of the way
    length_min: float  # what it added to the way; 0 where the end had come before
    raw_min: float  # from its beginning to its end, as the times have it
    half_width_min: float | None  # by the clocks of its two ends; None: one was never compared
    meanwhile: bool = False  # it ended before the one before it


class CaseWay(msgspec.Struct, frozen=True, kw_only=True):
    """The way of one case."""

    case_id: str
    mode: int | None
    total_min: float | None  # first contact to wire; None: one of them is not known
    pieces: tuple[Piece, ...]
    missing: tuple[str, ...]  # milestones of its way that nobody has said, or told too loosely
    out_of_order: tuple[str, ...]  # milestones whose time contradicts one before, by more than clocks explain
    lengths_min: Mapping[str, float]  # by segment, of every kind: those that are known


@cache
def segments() -> Mapping[str, Segment]:
    """All segments by id, in the order of care."""
    return {row.id: row for row in read_table(TABLE, "segment", Segment)}


@cache
def track(mode: int) -> tuple[Segment, ...]:
    """The segments that together are the way of an arrival mode, in order."""
    return tuple(row for row in segments().values() if row.kind == "track" and mode in row.modes)


@cache
def told_wider_than_min() -> float:
    """A time told more loosely than so many minutes begins and ends no segment."""
    return read_value(TABLE, "told_wider_than_min", float)


@cache
def clock_slip_min() -> float:
    """So many minutes one time may stand before another by their clocks alone."""
    return read_value(TABLE, "clock_slip_min", float)


def minutes(earlier: datetime, later: datetime) -> float:
    """From one instant to another, in minutes; negative where the second was first."""
    return (later - earlier).total_seconds() / 60.0


def exact(record: CaseRecord, milestone: str) -> RecordTime | None:
    """The time of a milestone, where it is told closely enough to measure by."""
    time = record.times.get(milestone)
    if time is None or minutes(time.earliest, time.latest) > told_wider_than_min():
        return None
    return time


def way_of(record: CaseRecord) -> CaseWay:
    """Return the way of one case, in pieces that add up to its total.

    A case of unknown arrival mode has no pieces: nobody can say which way it went. What runs beside the way, and the
    wholes, are measured all the same.
    """
    rows = () if record.arrival_mode is None else track(record.arrival_mode)
    names = [rows[0].begin, *(row.end for row in rows)] if rows else []
    times = {name: time for name in names if (time := exact(record, name)) is not None}
    pieces, out_of_order = _pieces(rows, names, times)
    lengths = {piece.segments[0]: piece.length_min for piece in pieces if len(piece.segments) == 1}
    return CaseWay(
        case_id=record.case_id,
        mode=record.arrival_mode,
        total_min=_span(record, BEGIN, END),
        pieces=pieces,
        missing=tuple(name for name in names if name not in times),
        out_of_order=out_of_order,
        lengths_min=lengths | _beside(record),
    )


def ways_of(records: Iterable[CaseRecord]) -> tuple[CaseWay, ...]:
    """The way of each case, in the order given."""
    return tuple(way_of(record) for record in records)


def _pieces(
    rows: tuple[Segment, ...], names: list[str], times: Mapping[str, RecordTime]
) -> tuple[tuple[Piece, ...], tuple[str, ...]]:
    pieces: list[Piece] = []
    bad = _contradicted(rows, names, times)
    good = [n for n, name in enumerate(names) if name in times and name not in bad]
    if not good:
        return (), tuple(bad)
    start = reached = times[names[good[0]]].at
    finish = times[names[good[-1]]].at  # clocks may let a time slip beyond it: the pieces still end there
    for first, last in pairwise(good):
        begin, end = times[names[first]], times[names[last]]
        until = min(end.at, finish)
        pieces.append(
            Piece(
                segments=tuple(row.id for row in rows[first:last]),
                begin=names[first],
                end=names[last],
                starts_min=minutes(start, reached),
                length_min=max(minutes(reached, until), 0.0),
                raw_min=minutes(begin.at, end.at),
                half_width_min=_half_width(begin, end),
                meanwhile=end.at < reached,
            )
        )
        reached = max(reached, until)
    return tuple(pieces), tuple(bad)


def _contradicted(rows: tuple[Segment, ...], names: list[str], times: Mapping[str, RecordTime]) -> list[str]:
    """Milestones whose time cannot be: before what must come first, by more than clocks explain.

    Of two that contradict each other nobody knows which is wrong, so both are left out, unless it is the beginning
    or the end of the way that all others agree with.
    """
    free = {row.end for row in rows if row.meanwhile}
    known = [name for name in names if name in times and name not in free]
    wrong: dict[str, int] = {}
    pairs = [
        (a, b)
        for n, a in enumerate(known)
        for b in known[n + 1 :]
        if minutes(times[a].at, times[b].at) < -clock_slip_min()
    ]
    for pair in pairs:
        for name in pair:
            wrong[name] = wrong.get(name, 0) + 1
    bad: list[str] = []
    while pairs:
        most = max(wrong[name] for pair in pairs for name in pair)
        worst = {name for pair in pairs for name in pair if wrong[name] == most}
        bad += [name for name in names if name in worst]
        pairs = [pair for pair in pairs if not worst & set(pair)]
        wrong = {name: sum(name in pair for pair in pairs) for pair in pairs for name in pair}
    ends = [times[name].at for name in known if name not in bad]
    # What may come meanwhile must still lie between the two ends of the way.
    late = [
        name
        for name in names
        if name in free and name in times and ends and _outside(times[name].at, min(ends), max(ends))
    ]
    return [name for name in names if name in {*bad, *late}]


def _outside(at: datetime, first: datetime, last: datetime) -> bool:
    return minutes(first, at) < -clock_slip_min() or minutes(last, at) > clock_slip_min()


def _beside(record: CaseRecord) -> dict[str, float]:
    found = {}
    for row in segments().values():
        if row.kind == "track" or (record.arrival_mode is not None and record.arrival_mode not in row.modes):
            continue
        length = _span(record, row.begin, row.end)
        if length is not None:
            found[row.id] = length
    return found


def _span(record: CaseRecord, begin: str, end: str) -> float | None:
    """Minutes between two milestones; None where one is not known, or they contradict each other."""
    first, last = exact(record, begin), exact(record, end)
    if first is None or last is None:
        return None
    length = minutes(first.at, last.at)
    return None if length < -clock_slip_min() else max(length, 0.0)


def _half_width(begin: RecordTime, end: RecordTime) -> float | None:
    if begin.uncertainty_s is None or end.uncertainty_s is None:
        return None
    return (begin.uncertainty_s + end.uncertainty_s) / 60.0
