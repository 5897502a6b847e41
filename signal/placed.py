"""Borders of every beat of a strip, over all leads and in each, as tables in seconds."""

from typing import Final

import numpy as np

from greenchannel.signal import beatwise, limits
from greenchannel.signal.cases import Case
from greenchannel.signal.delineator import PRE
from greenchannel.signal.measurements import GlobalBeat, LeadBeat, Rows

_RATE: Final = limits.ANALYSIS_RATE_HZ
_OVERALL: Final = len(GlobalBeat._fields)
_OF_LEAD: Final = len(LeadBeat._fields)


def placed(case: Case) -> tuple[Rows[GlobalBeat], dict[str, Rows[LeadBeat]]]:
    """Borders of every beat, over all leads and in each lead: those of its class, then, in a lead, the beat's own.

    A beat of no class has none, and what lies outside of the strip is unknown.
    """
    strip, leads, found = case.strip, case.recording.leads, case.found
    count, label, r = len(leads), strip.classes.label, strip.classes.r
    numbers = list(found)
    own = np.array([one.waves.lead for one in found.values()])
    if not case.reasons.measurable.all():
        own[:, ~case.reasons.measurable] = np.nan
    # The last row is that of a beat of no class, whose label is -1; so is that of a class without borders.
    borders = np.full((int(label.max()) + 2, _OVERALL + count * _OF_LEAD), np.nan)
    # QT is a matter of T's tangent in the median lead, so T has no onset here.
    borders[numbers, :_OVERALL] = [
        (w.p_on, w.p_off, w.qrs_on, w.qrs_off, w.t_peak, w.t_off)
        for w in (one.waves for one in found.values())
    ]
    borders[numbers, _OVERALL:] = own.reshape(len(numbers), -1)
    borders -= PRE
    height_mv = np.zeros((len(borders), count, 2), dtype=np.float32)
    height_mv[numbers] = beatwise.heights(np.array([one.beat_mv for one in found.values()]), own)
    table = borders[label]
    table += r[:, None]
    at = table[:, _OVERALL:].reshape(-1, count, _OF_LEAD)
    table[:, _OVERALL:] = beatwise.refine(strip.samples_mv, strip.valid, at, height_mv[label]).reshape(
        r.size, -1
    )
    table[(table < 0) | (table >= strip.samples_mv.shape[1])] = np.nan
    table /= _RATE
    starts = range(_OVERALL, table.shape[1], _OF_LEAD)
    by_lead = zip(leads, (table[:, at : at + _OF_LEAD] for at in starts), strict=True)
    return Rows(GlobalBeat, table[:, :_OVERALL]), {name: Rows(LeadBeat, part) for name, part in by_lead}
