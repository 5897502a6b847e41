"""From stored integers to millivolts and back: the one place, so that every way in gives the same bits."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

MISSING: Final = -32768
"""The 16-bit integer that means: no sample was recorded here."""

MV_PER_UNIT: Final = {"v": 1000.0, "mv": 1.0, "uv": 1e-3, "µv": 1e-3, "μv": 1e-3, "nv": 1e-6}
"""Millivolts in one unit, by the unit's name in lower case; both signs that people use for micro."""


def to_mv(raw: NDArray[np.signedinteger[Any]], steps_per_mv: float, baseline: float) -> NDArray[np.float64]:
    """``(raw − baseline) / steps_per_mv`` in double precision, to be rounded to float32 once, by the caller."""
    return (raw - np.float64(baseline)) / np.float64(steps_per_mv)


def int16_to_mv(raw: NDArray[np.int16], lsb_mv: float) -> NDArray[np.float32]:
    """Samples of any shape in mV, float32; `MISSING` becomes NaN."""
    samples_mv = to_mv(raw, 1.0 / lsb_mv, 0.0).astype(np.float32)
    samples_mv[raw == MISSING] = np.nan
    return samples_mv


def mv_to_int16(samples_mv: NDArray[np.float32], lsb_mv: float) -> NDArray[np.int16]:
    """Nearest steps of `lsb_mv`; NaN becomes `MISSING`.

    Raises
    ------
    ValueError
        Where a sample does not fit into 16 bits at this step.
    """
    steps = np.rint(samples_mv.astype(np.float64) * (1.0 / lsb_mv))
    missing = np.isnan(steps)
    steps[missing] = 0.0
    largest = float(np.abs(steps).max(initial=0.0))
    if not largest <= 32767:
        raise ValueError(
            f"expected samples within ±{32767 * lsb_mv:g} mV at {lsb_mv:g} mV a step, got {largest:g} steps"
        )
    steps[missing] = MISSING
    return steps.astype(np.int16)


def ranges_without_samples(samples_mv: NDArray[np.float32]) -> tuple[tuple[int, int], ...]:
    """Half-open ranges of the sample axis in which every lead of ``(leads, samples)`` is NaN."""
    # Most recordings have none: the first lead alone tells.
    if not np.isnan(samples_mv[0]).any():
        return ()
    return ranges_where(np.logical_and.reduce(np.isnan(samples_mv), axis=0))


def ranges_where(mask: NDArray[np.bool_]) -> tuple[tuple[int, int], ...]:
    """Half-open ranges in which a mask of shape ``(samples,)`` is true."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], mask, [False])).astype(np.int8)))
    return tuple((int(start), int(stop)) for start, stop in edges.reshape(-1, 2))
