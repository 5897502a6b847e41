"""A slow beginning of the QRS, as pre-excitation makes it."""

from typing import Final

import numpy as np

from greenchannel.signal.measurements import MedianBeat

_TALL_MV: Final = 0.5  # only leads whose QRS reaches this from peak to peak bear witness [E]
_STEEP: Final = 0.35  # of a lead's steepest slope: below it the QRS is still beginning slowly [E]


def initial_slur_ms(median: MedianBeat) -> float | None:
    """How long the QRS begins slowly: median over leads of the time from the onset to 35 % of the steepest slope.

    Parameters
    ----------
    median : the dominant beat, mV

    Returns
    -------
    float or None
        Milliseconds; None where no lead has a QRS of 0.5 mV.
    """
    on, off = round(median.qrs_on_s * median.rate_hz), round(median.qrs_off_s * median.rate_hz)
    beat = median.samples_mv[:, on : off + 1].astype(np.float64)
    if beat.shape[1] < 4:
        return None
    tall = np.ptp(beat, axis=1) >= _TALL_MV
    if not tall.any():
        return None
    slope = np.abs(beat[tall, 2:] - beat[tall, :-2])
    first = (slope >= _STEEP * slope.max(axis=1, keepdims=True)).argmax(axis=1)
    return float(np.median(first) * 1000.0 / median.rate_hz)
