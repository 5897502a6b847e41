"""The recording as it would be had the electrodes been where they belong (LEAD-1 to LEAD-6)."""

from dataclasses import replace

import numpy as np

from greenchannel.signal.measure import measure
from greenchannel.signal.measurements import Measurements
from greenchannel.signal.recording import Recording
from greenchannel.signal.reversal import correct


def corrected(recording: Recording, measurements: Measurements) -> tuple[Recording, Measurements] | None:
    """A recording with its suspected swap undone, and what is measured on that; the original stays as it is.

    Parameters
    ----------
    recording : as it was recorded
    measurements : of that recording

    Returns
    -------
    recording, measurements, or None
        None where no swap is suspected with confidence, or where it cannot be undone (a swap with the right leg).
    """
    found = measurements.reversal_detail
    if found is None or not found.confident:
        return None
    samples_mv = correct(recording.leads, recording.samples_mv, found)
    if samples_mv is None:
        return None
    undone = replace(recording, samples_mv=np.asarray(samples_mv, dtype=np.float32))
    return undone, measure(undone)
