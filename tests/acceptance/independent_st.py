"""ST levels measured a second time, in another and simpler way than the signal core's.

Nothing is filtered, resampled or splined: beats are found by the steepest slope over all leads at the record's own
rate, each beat is set to its own PR level, and the level at J is the median over beats. Only the distances of QRS
onset and offset from R are taken from the measurement under test.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.signal import find_peaks

from greenchannel.signal.measurements import Measurements
from greenchannel.signal.recording import Recording


def beats_s(recording: Recording) -> NDArray[np.float64]:
    """Instants of the steepest slope of each QRS, in seconds: peaks of the summed slope, at least 0.3 s apart."""
    rate_hz = recording.rate_hz
    slope = np.abs(np.diff(recording.samples_mv.astype(np.float64), axis=1))
    width = round(0.06 * rate_hz)
    energy = np.convolve((slope / (np.percentile(slope, 99, axis=1, keepdims=True) + 1e-9)).sum(axis=0),
                         np.ones(width) / width, mode="same")  # fmt: skip
    peaks, _ = find_peaks(energy, height=0.4 * np.percentile(energy, 99), distance=round(0.3 * rate_hz))
    return np.asarray(peaks / rate_hz, dtype=np.float64)


def stj_mv(recording: Recording, measured: Measurements) -> dict[str, float]:
    """Level at J against the PR level in every lead, in mV.

    Raises
    ------
    AssertionError
        Where the beats found here are not those that were measured.
    """
    found = beats_s(recording)
    at_r = np.array(measured.r_s)
    nearest = np.abs(found[:, None] - at_r[None]).argmin(axis=1)
    assert found.size >= 0.9 * at_r.size
    assert np.median(np.abs(found - at_r[nearest])) < 0.06
    on_s, off_s = [], []
    for at, k in zip(found, nearest, strict=True):
        beat = measured.beats[k]
        if beat.qrs_on_s is not None and beat.qrs_off_s is not None:
            on_s.append(beat.qrs_on_s - at)
            off_s.append(beat.qrs_off_s - at)
    before, behind = float(np.median(on_s)), float(np.median(off_s))
    levels = [
        _level(recording, at + behind, at + behind + 0.004)
        - _level(recording, at + before - 0.020, at + before - 0.004)
        for at in found[1:-1]
    ]
    middle = np.median(np.array(levels), axis=0)
    return dict(zip(recording.leads, middle.tolist(), strict=True))


def _level(recording: Recording, first_s: float, last_s: float) -> NDArray[np.float64]:
    first, last = round(first_s * recording.rate_hz), round(last_s * recording.rate_hz)
    return np.asarray(recording.samples_mv[:, first:last].astype(np.float64).mean(axis=1))
