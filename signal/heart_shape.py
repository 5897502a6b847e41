"""How much one QRS is like another, lead by lead: enough to ask whether two recordings are of one person.

Bodies differ in the place and turn of the heart, and a QRS changes little from day to day, while ST and T change with
rate and illness; so the QRS alone is compared. Only amplitudes against each other count, never their names: what is
said is "fits" and "does not fit", by `triage.patient_doubt`.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from greenchannel.signal.measurements import Measurements
from greenchannel.signal.same_recording import INDEPENDENT

Floats = NDArray[np.float64]

_STEP_S: Final = 0.004  # between two samples of a shape [E]
_BEFORE_S: Final = 0.080  # of R, that a shape begins [E]
_AFTER_S: Final = 0.120  # behind R, that it ends [E]
_SHIFTS: Final = 5  # steps that R may be placed differently [E]
_R_S: Final = 0.42  # place of R in a median beat
_CORE: Final = round((_BEFORE_S + _AFTER_S) / _STEP_S)
_WIDTH: Final = _CORE + 2 * _SHIFTS
FEWEST_LEADS: Final = 5  # usable in both [E]

SHAPE_BYTES: Final = 2 * len(INDEPENDENT) * _WIDTH


def shape_of(measurements: Measurements, leads: Sequence[str]) -> bytes | None:
    """The QRS of a recording as `SHAPE_BYTES` bytes, None where it has none to compare by.

    Parameters
    ----------
    measurements : of the recording
    leads : of the recording, as the rows of its median beat
    """
    median, quality = measurements.median, measurements.quality
    if median is None or quality.reversal not in (None, "LEAD-4"):
        return None
    grid = np.arange(median.samples_mv.shape[1]) / median.rate_hz
    wanted = _R_S - _BEFORE_S + (np.arange(_WIDTH) - _SHIFTS) * _STEP_S
    shape = np.full((len(INDEPENDENT), _WIDTH), np.nan, dtype=np.float16)
    for row, name in enumerate(INDEPENDENT):
        if name in leads and measurements.leads[name].usable:
            shape[row] = np.interp(wanted, grid, median.samples_mv[list(leads).index(name)])
    if np.isfinite(shape[:, 0]).sum() < FEWEST_LEADS:
        return None
    return shape.astype("<f2").tobytes()


def distances(shape: bytes, others: Sequence[bytes]) -> Floats:
    """How much the QRS of a recording differs from each of others.

    Returns
    -------
    array ``(others,)``
        Energy of the difference as a share of the energy of both, over all leads that both have, at the shift that
        fits best: 0 for equal ones, 1 for two that have nothing in common. NaN where too few leads are common.
    """
    if not others:
        return np.zeros(0)
    mine = _unpacked([shape])[0]
    theirs = _unpacked(others)[:, :, _SHIFTS : _SHIFTS + _CORE]
    known = np.isfinite(mine).all(axis=1) & np.isfinite(theirs).all(axis=2)  # (others, leads)
    b = np.where(known[:, :, None], theirs, 0.0)
    shifted = np.lib.stride_tricks.sliding_window_view(
        np.nan_to_num(mine), _CORE, axis=1
    )  # (leads, shifts, core)
    both = b.reshape(len(others), -1) @ shifted.transpose(0, 2, 1).reshape(-1, shifted.shape[1])
    own = known.astype(np.float64) @ (shifted * shifted).sum(axis=2)  # (others, shifts)
    energy = own + (b * b).sum(axis=(1, 2))[:, None]
    with np.errstate(invalid="ignore", divide="ignore"):
        apart = ((energy - 2.0 * both) / energy).min(axis=1)
    return np.where(known.sum(axis=1) >= FEWEST_LEADS, np.maximum(apart, 0.0), np.nan)


def _unpacked(shapes: Sequence[bytes]) -> Floats:
    """Shape ``(shapes, leads, samples)`` in mV."""
    wrong = [len(one) for one in shapes if len(one) != SHAPE_BYTES]
    if wrong:
        raise ValueError(f"expected shapes of {SHAPE_BYTES} bytes, got one of {wrong[0]}")
    flat = np.frombuffer(b"".join(shapes), "<f2").astype(np.float64)
    return flat.reshape(len(shapes), len(INDEPENDENT), _WIDTH)
