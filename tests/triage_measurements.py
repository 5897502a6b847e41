"""Measurements made by hand for the tests of triage."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from greenchannel.signal.arrhythmia import Rhythm
from greenchannel.signal.leads import STANDARD_12
from greenchannel.signal.measurements import (
    LeadMeasurement,
    Measurements,
    MedianBeat,
    Quality,
    QualityMessage,
)


def measured(
    stj_mv: Mapping[str, float | None] | None = None,
    *,
    leads: Iterable[str] = STANDARD_12,
    dead: Iterable[str] = (),
    acceptable: bool = True,
    messages: tuple[QualityMessage, ...] = (),
    st_reliable: bool = True,
    reversal: str | None = None,
    qrs_ms: float | None = 92.0,
    r_s: tuple[float, ...] = (0.6, 1.4),
    median: MedianBeat | None = None,
    waves: Mapping[str, Mapping[str, Any]] | None = None,
    rhythm: Mapping[str, Any] | None = None,
    **whole: Any,
) -> Measurements:
    """Measurements with these J levels, 0 in every other lead of `leads`; leads in `dead` are not usable.

    `waves` gives further fields of a lead (``{"V2": {"r_mv": 0.4}}``), `rhythm` those of `Rhythm`, `whole` any other
    field of `Measurements`.
    """
    levels = dict.fromkeys(leads, 0.0) | dict(stj_mv or {})
    bad, more = tuple(dead), waves or {}
    detail = Rhythm(**({"name": "unknown"} | dict(rhythm))) if rhythm is not None else None
    made = Measurements(
        leads={
            lead: LeadMeasurement(usable=lead not in bad, stj_mv=level)._replace(**more.get(lead, {}))
            for lead, level in levels.items()
        },
        heart_rate_bpm=75.0 if r_s else None,
        pr_ms=None,
        qrs_ms=qrs_ms,
        qt_ms=None,
        qtc_bazett_ms=None,
        qtc_fridericia_ms=None,
        qtc_framingham_ms=None,
        qtc_hodges_ms=None,
        axis_deg=None,
        rhythm="unknown" if detail is None else detail.name,
        r_s=r_s,
        beats=(),
        lead_beats={},
        quality=Quality(
            acceptable=acceptable,
            bad_leads=bad,
            messages=messages,
            reversal=reversal,
            st_reliable=st_reliable,
        ),
        median=median,
        rhythm_detail=detail,
    )
    return replace(made, **whole)
