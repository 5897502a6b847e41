"""What a long stretch without a beat looks like before filtering: a heart that stands still, or cables in the air?

Measured only where there is such a stretch (CV-14): living skin is never quite quiet, and a cable without an electrode
is an antenna for the mains.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from greenchannel.signal.arrhythmia import Rhythm
from greenchannel.signal.rhythm_measures import Missing, stretches

LEAST_S: Final = 2.5  # a shorter stretch is no critical pause [E]
MARGIN_S: Final = 0.5  # behind a beat, where its T still lies, and before the next [E]
HALF_PERIOD_S: Final = 0.01  # of 50 Hz; at 60 Hz the error is 5 % [K]


@dataclass(frozen=True, kw_only=True, slots=True)
class Silence:
    """The longest stretch without a beat, in the usual usable lead."""

    level_mv: float  # RMS about the mean, wander included
    hum_mv: float  # amplitude of what changes within half a period of the mains


def silence(
    samples_mv: NDArray[np.floating],
    rate_hz: float,
    r_s: tuple[float, ...],
    usable: NDArray[np.bool_],
    rhythm: Rhythm | None,
    missing_s: Missing = (),
) -> Silence | None:
    """Measure the longest stretch without a beat; None where it is short, or no lead is usable.

    Parameters
    ----------
    samples_mv : array ``(leads, samples)`` as recorded; not changed
    r_s : R of every beat, rising
    usable : array ``(leads,)``
    missing_s : where no usable lead was recorded
    """
    if rhythm is None or rhythm.longest_pause_s is None or rhythm.longest_pause_s < LEAST_S:
        return None
    beats = {0.0, *r_s}
    all_s = stretches(np.array(r_s, dtype=np.float64), samples_mv.shape[1] / rate_hz, missing_s)
    start, end, _ = max(all_s, key=lambda one: one[1] - one[0])
    first = round((start + (MARGIN_S if start in beats and start > 0.0 else 0.0)) * rate_hz)
    last = round((end - (MARGIN_S if end in beats else 0.0)) * rate_hz)
    lag, rows = max(round(HALF_PERIOD_S * rate_hz), 1), np.flatnonzero(usable)
    if rows.size == 0 or last - first <= 2 * lag:
        return None
    x = np.clip(np.nan_to_num(samples_mv[rows, first:last].astype(np.float64)), -1e3, 1e3)
    step = x[:, lag:] - x[:, :-lag]
    hum = np.sqrt(np.einsum("ls,ls->l", step, step) / step.shape[1]) / math.sqrt(2.0)
    return Silence(level_mv=float(np.median(x.std(axis=1))), hum_mv=float(np.median(hum)))
