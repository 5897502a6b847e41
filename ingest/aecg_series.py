"""Sequence sets of an annotated ECG on one time axis.

A series has several sets where leads were recorded one group after the other, or with a pause between them.
"""

from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from greenchannel.ingest.errors import IngestError
from greenchannel.ingest.number_lists import MAX_XML_VALUES
from greenchannel.signal.leads import ALL


@dataclass(slots=True)
class Sequences:
    """One set: leads of one time axis."""

    rate_hz: float | None = None

    start: datetime | None = None
    """Instant of the first sample, where the set says it."""

    offset_s: float = 0.0
    """Time of the first sample by a clock that all sets of the series share."""

    rows_mv: dict[str, NDArray[np.float64]] = field(default_factory=dict)


def on_one_axis(parts: list[Sequences], tolerated: list[str]) -> Sequences:
    """All `parts` of the rate of the largest one, leads in the usual order; NaN where one was not recorded.

    Raises
    ------
    IngestError
        ``malformed`` where there is no part.
    """
    if not parts:
        raise IngestError("malformed", "no sequence is an ECG lead", "MDC_ECG_LEAD codes", "none")
    main = max(parts, key=lambda part: sum(map(len, part.rows_mv.values())))
    if len(parts) == 1 or not main.rate_hz:
        return main
    fitting = [part for part in parts if part.rate_hz == main.rate_hz and _same_clock(part, main)]
    first = min(fitting, key=lambda part: _seconds(part, main))
    places = [round((_seconds(part, main) - _seconds(first, main)) * main.rate_hz) for part in fitting]
    recorded = {lead for part in fitting for lead in part.rows_mv}
    leads: list[str] = [lead for lead in ALL if lead in recorded]
    length = max(
        place + len(row) for place, part in zip(places, fitting, strict=True) for row in part.rows_mv.values()
    )
    if length * len(leads) > MAX_XML_VALUES:
        tolerated.append("the sequence sets lie too far apart; the largest is taken")
        return main
    if len(fitting) < len(parts):
        tolerated.append(f"{len(parts) - len(fitting)} sequence sets of another rate or clock are left out")
    rows_mv = {lead: np.full(length, np.nan) for lead in leads}
    for place, part in zip(places, fitting, strict=True):
        for lead, row in part.rows_mv.items():
            target = rows_mv[lead][place : place + len(row)]
            free = np.isnan(target)
            target[free] = row[free]
            if not free.all():
                tolerated.append(f"lead {lead} comes twice at the same time; the first is taken")
    return Sequences(rate_hz=main.rate_hz, start=first.start, rows_mv=rows_mv)


def _same_clock(part: Sequences, main: Sequences) -> bool:
    if part.start is None or main.start is None:
        return part.start is main.start
    return (part.start.utcoffset() is None) == (main.start.utcoffset() is None)


def _seconds(part: Sequences, main: Sequences) -> float:
    if part.start is None or main.start is None:
        return part.offset_s
    return (part.start - main.start).total_seconds()
